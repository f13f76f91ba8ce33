-- Tables of one's own.
-- The table that an entity's rows are in: an organization's own ones share one.
create function app.table_of(entity text) returns regclass language sql stable
return (case when entity like 'custom.%' then 'builder.custom_records' else entity end)::regclass;

-- Tables that an organization made for itself. Their records are rows of one table, so that making one is a row and no DDL;
-- what people may do with them stands in a setting of its own, app.tables: four letters a table, by its slot, as app.context
-- has them for what comes with the product.
create function app.own_scope(place integer) returns bytea language sql stable parallel safe
return substr(textsend(current_setting('app.tables', true)), place, 1);

create table builder.custom_tables (
    like app.record including all,
    name         text not null constraint table_name_is_plain check (name ~ '^[a-z][a-z0-9_]{0,49}$'),
    entity       text not null generated always as ('custom.' || name) stored,
    title        text not null constraint table_has_a_title check (title ~ '\S' and length(title) <= 100),
    singular     text constraint table_singular_is_short check (length(singular) <= 100),
    description  text constraint table_description_is_short check (length(description) <= 500),
    icon         text constraint table_icon_is_a_name check (icon ~ '^[a-z0-9-]{1,40}$'),
    states       jsonb not null default '[]',
    moves        jsonb not null default '[]',
    slot         integer not null default 0,
    purged_at    timestamptz,
    constraint custom_tables_name unique (organization_id, name),
    constraint custom_tables_slot unique (organization_id, slot),
    constraint custom_tables_entity unique (organization_id, entity)
);
comment on table builder.custom_tables is 'A table that this organization made for itself.';
comment on column builder.custom_tables.name is 'How programs call it; it stays as it is.';
comment on column builder.custom_tables.title is 'What many of its records are called.';
comment on column builder.custom_tables.singular is 'What one of its records is called.';
comment on column builder.custom_tables.states is '[{"id", "label", "color"}]: the first is where a record starts.';
comment on column builder.custom_tables.moves is '[{"action", "label", "source", "target"}]: the only roads from one state to another.';
comment on column builder.custom_tables.slot is 'Its place in app.tables, never given again.';
comment on column builder.custom_tables.purged_at is 'When what was in it was thrown away for good.';
comment on constraint table_name_is_plain on builder.custom_tables is 'A table''s name is lower case letters, digits and _, at most 50.';
comment on constraint table_has_a_title on builder.custom_tables is 'A table needs a title of at most 100 characters.';
comment on constraint table_singular_is_short on builder.custom_tables is 'At most 100 characters.';
comment on constraint table_description_is_short on builder.custom_tables is 'At most 500 characters.';
comment on constraint table_icon_is_a_name on builder.custom_tables is 'An icon is called by its name.';
comment on constraint custom_tables_name on builder.custom_tables is 'There is a table of this name, or there was one. Take another.';
select app.enroll('builder.custom_tables');
select app.derive('builder.custom_tables', '{slot,purged_at}');
create policy system on builder.custom_tables for select to app_system using (true);
grant select on builder.custom_tables to app_system;

create table builder.custom_records (
    like app.record including all,
    entity  text not null,
    slot    integer not null default 0,
    name    text not null constraint own_record_has_a_name check (name ~ '\S' and length(name) <= 500),
    state   text,
    constraint custom_records_table foreign key (organization_id, entity) references builder.custom_tables (organization_id, entity)
);
comment on table builder.custom_records is 'The records of the tables that organizations made for themselves.';
comment on column builder.custom_records.state is 'Where the record is on its way, where its table has one.';
comment on constraint own_record_has_a_name on builder.custom_records is 'A record needs a name of at most 500 characters.';
create index custom_records_list on builder.custom_records (organization_id, entity, id);
create index custom_records_name on builder.custom_records (organization_id, entity, name, id);
select app.searchable('builder.custom_records', 'A: name');
select app.enroll('builder.custom_records', ignored => '{entity,slot}');
-- As app.enroll has it, only that the rights are those of the table that the row is of.
do $$ declare n integer; what text; condition text; begin
    foreach what in array '{reads,creates,updates,deletes}'::text[] loop
        n := coalesce(n, 0) + 1;
        condition := replace(app.reach('builder.custom_records', 'created_by', false, array[n]), format('app.scope(%s)', n), format('app.own_scope(slot * 4 + %s)', n));
        execute format('alter policy %s on builder.custom_records %s (%s)', what, case what when 'creates' then 'with check' else 'using' end, condition);
    end loop;
end $$;

create function builder.place_table() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('builder.custom_tables ' || new.organization_id, 0));
    if (select count(*) from builder.custom_tables t where t.organization_id = new.organization_id and t.purged_at is null) >= 200 then
        raise exception 'A company has at most 200 tables of its own.' using errcode = 'AP001';
    end if;
    select coalesce(max(t.slot) + 1, 0) into new.slot from builder.custom_tables t where t.organization_id = new.organization_id;
    return new;
end $$;
create trigger place before insert on builder.custom_tables for each row execute function builder.place_table();
create trigger name_stays before update on builder.custom_tables for each row when (old.name is distinct from new.name or old.slot is distinct from new.slot)
    execute function app.refuse('The name of a table stays as it is; change its title.');
create trigger purged before update on builder.custom_tables for each row when (old.purged_at is not null)
    execute function app.refuse('What was in this table is gone for good.');

-- A flow is states that people can tell apart, and moves between them.
create function builder.check_flow() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare word constant text := '^[a-z][a-z0-9_]{0,49}$'; bad text;
begin
    if jsonb_typeof(new.states) <> 'array' or jsonb_typeof(new.moves) <> 'array'
        or jsonb_path_exists(new.states, 'strict $[*] ? (@.type() != "object")') or jsonb_path_exists(new.moves, 'strict $[*] ? (@.type() != "object")')
        or jsonb_array_length(new.states) > 50 or jsonb_array_length(new.moves) > 200 then
        raise exception 'A flow has at most 50 states and 200 moves.' using errcode = 'AP001', column = 'states';
    end if;
    if exists (select from jsonb_array_elements(new.states) s where (s ->> 'id' ~ word) is not true or (s ->> 'label' ~ '\S' and length(s ->> 'label') <= 100) is not true)
        or (select count(distinct s ->> 'id') from jsonb_array_elements(new.states) s) < jsonb_array_length(new.states) then
        raise exception 'Every state has an id of its own, in lower case letters, digits and _, and a label.' using errcode = 'AP001', column = 'states';
    end if;
    if exists (select from jsonb_array_elements(new.moves) m where (m ->> 'action' ~ word) is not true or (m ->> 'label' ~ '\S' and length(m ->> 'label') <= 100) is not true) then
        raise exception 'Every move has an action, in lower case letters, digits and _, and a label.' using errcode = 'AP001', column = 'moves';
    end if;
    select m ->> 'action' into bad from jsonb_array_elements(new.moves) m
    where m ->> 'action' = any ('{auto,create,read,update,delete,restore,export,import,undo,print,send,share}');
    if bad is not null then
        raise exception 'A move cannot be called %.', bad using errcode = 'AP001', column = 'moves';
    end if;
    if exists (select from jsonb_array_elements(new.moves) m where m ->> 'source' is not distinct from m ->> 'target'
            or not exists (select from jsonb_array_elements(new.states) s where s ->> 'id' = m ->> 'source')
            or not exists (select from jsonb_array_elements(new.states) s where s ->> 'id' = m ->> 'target'))
        or (select count(distinct (m ->> 'source', m ->> 'target')) from jsonb_array_elements(new.moves) m) < jsonb_array_length(new.moves)
        or (select count(distinct (m ->> 'source', m ->> 'action')) from jsonb_array_elements(new.moves) m) < jsonb_array_length(new.moves) then
        raise exception 'A move leads from one state of the table to another, and there is one of its kind.' using errcode = 'AP001', column = 'moves';
    end if;
    if (jsonb_array_length(new.states) = 0) <> (jsonb_array_length(new.moves) = 0) then
        raise exception 'States need moves between them.' using errcode = 'AP001', column = 'moves';
    end if;
    return new;
end $$;
create trigger check_flow before insert or update on builder.custom_tables for each row execute function builder.check_flow();

-- What is in use is not taken away: a state that records are in, an action that a rule of approval is about.
create function builder.pass_flow() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare bad record; first constant text := new.states -> 0 ->> 'id';
begin
    select r.state, count(*) as n into bad from builder.custom_records r
    where r.organization_id = new.organization_id and r.entity = new.entity and r.deleted_at is null and r.state is not null and first is not null
      and not exists (select from jsonb_array_elements(new.states) s where s ->> 'id' = r.state) group by r.state limit 1;
    if bad.n > 0 then
        raise exception '% records are %. Move them before this state goes.', bad.n, builder.state_said(old, bad.state) using errcode = 'AP001', column = 'states';
    end if;
    select a.name into bad from app.approval_rules a
    where a.organization_id = new.organization_id and a.entity = new.entity and a.deleted_at is null
      and exists (select from jsonb_array_elements(old.moves) m where m ->> 'action' = a.action)
      and not exists (select from jsonb_array_elements(new.moves) m where m ->> 'action' = a.action) limit 1;
    if found then
        raise exception 'The approval rule % is about an action that would go. Change the rule first.', bad.name using errcode = 'AP001', column = 'moves';
    end if;
    update builder.custom_records r set state = first
    where r.organization_id = new.organization_id and r.entity = new.entity and r.state is distinct from first
      and (first is null or r.state is null or not exists (select from jsonb_array_elements(new.states) s where s ->> 'id' = r.state));
    return null;
end $$;
create trigger pass_flow after update on builder.custom_tables for each row when (old.states is distinct from new.states or old.moves is distinct from new.moves)
    execute function builder.pass_flow();

-- A record is of a table that there is, and starts where the table's flow does; documents of the past come in through an
-- import in the state that they had.
create function builder.place_record() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare t builder.custom_tables; first text;
begin
    select x.* into t from builder.custom_tables x where x.organization_id = new.organization_id and x.entity = new.entity and x.deleted_at is null;
    if t.id is null then
        raise exception 'There is no such table.' using errcode = 'AP001';
    end if;
    new.slot := t.slot;
    first := t.states -> 0 ->> 'id';
    if first is null or new.state is null then
        new.state := first;
    elsif current_setting('app.importing', true) = 'yes' then
        if not exists (select from jsonb_array_elements(t.states) s where s ->> 'id' = new.state) then
            raise exception 'There is no state %.', new.state using errcode = 'AP001', column = 'state';
        end if;
    elsif new.state <> first then
        raise exception 'A new record starts as %.', builder.state_said(t, first) using errcode = 'AP001', column = 'state';
    end if;
    return new;
end $$;
create trigger place before insert on builder.custom_records for each row execute function builder.place_record();
create trigger stays before update on builder.custom_records for each row when (old.entity is distinct from new.entity or old.slot is distinct from new.slot)
    execute function app.refuse('A record stays in its table.');

create function builder.state_said(t builder.custom_tables, state text) returns text language sql immutable
return coalesce((select s ->> 'label' from jsonb_array_elements(t.states) s where s ->> 'id' = state), state, '');

-- As app.check_move, by the chart of the table. Whoever is where the chart does not know starts anew.
create function builder.move_record() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare t builder.custom_tables;
begin
    select x.* into strict t from builder.custom_tables x where x.organization_id = new.organization_id and x.entity = new.entity;
    if exists (select from jsonb_array_elements(t.moves) m where m ->> 'source' = old.state and m ->> 'target' = new.state)
        or new.state is not distinct from t.states -> 0 ->> 'id' and not exists (select from jsonb_array_elements(t.states) s where s ->> 'id' = old.state) then
        return new;
    end if;
    raise exception 'A record that is % cannot become %.', builder.state_said(t, old.state), builder.state_said(t, new.state) using errcode = 'AP001', column = 'state';
end $$;
create trigger moves before update on builder.custom_records for each row when (old.state is distinct from new.state) execute function builder.move_record();

-- What was thrown away a month ago is thrown away for good, in pieces; answers the records that went. The table's row stays,
-- so that neither its name nor its slot, and no right that was given to it, is ever another's.
create function builder.purge_tables(most integer) returns setof uuid language plpgsql security definer set search_path = pg_catalog as $$
declare t builder.custom_tables;
begin
    for t in select x.* from builder.custom_tables x where x.deleted_at < now() - interval '30 days' and x.purged_at is null for update skip locked loop
        return query delete from builder.custom_records r where r.ctid = any (array(
            select x.ctid from builder.custom_records x where x.organization_id = t.organization_id and x.entity = t.entity limit most)) returning r.id;
        if found then continue; end if;
        delete from builder.custom_fields f where f.organization_id = t.organization_id and f.entity = t.entity;
        update files.files f set deleted_at = now() where f.organization_id = t.organization_id and f.entity = t.entity and f.deleted_at is null;
        update builder.custom_tables x set purged_at = now() where x.organization_id = t.organization_id and x.id = t.id;
    end loop;
end $$;
revoke execute on function builder.purge_tables(integer) from public;
grant execute on function builder.purge_tables(integer) to app_system;

create or replace function app.j_date(doc jsonb, key text) returns date language plpgsql immutable parallel safe as $$
declare t text := app.j_text(doc, key); y integer; m integer; d integer;
begin
    if t !~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' then return null; end if;
    y := left(t, 4); m := substr(t, 6, 2); d := right(t, 2);
    if y < 1 or d > (case when m in (4, 6, 9, 11) then 30 when m <> 2 then 31 when y % 4 = 0 and (y % 100 <> 0 or y % 400 = 0) then 29 else 28 end) then return null; end if;
    return make_date(y, m, d);
end $$;

create or replace function app.j_instant(doc jsonb, key text) returns timestamptz language plpgsql immutable parallel safe as $$
declare t text := app.j_text(doc, key);
begin
    if t ~ '^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-5]):[0-5]\d)$'
        and app.j_date(jsonb_build_object('d', left(t, 10)), 'd') is not null then return t::timestamptz; end if;
    return null;
end $$;

create or replace function app.log_change() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    skip constant text[] := tg_argv[1:] || '{organization_id,created_at,created_by,updated_at,updated_by,version,search,search_text}'::text[];
    before jsonb; after jsonb; r record; entity text := tg_argv[0];
begin
    if tg_op = 'INSERT' then
        r := new;
        after := jsonb_strip_nulls(to_jsonb(new) - skip - 'id');
    elsif tg_op = 'DELETE' then
        r := old;
        before := to_jsonb(old) - skip;
    else
        r := new;
        before := to_jsonb(old) - skip;
        after := to_jsonb(new) - skip;
        -- Most often it is a total, which is not worth a line.
        if after = before then return null; end if;
        select jsonb_object_agg(a.key, b.value), jsonb_object_agg(a.key, a.value) into before, after
        from jsonb_each(after) a join jsonb_each(before) b using (key)
        where a.value is distinct from b.value;
    end if;
    -- Of a table of one's own, the row says which.
    if entity = 'builder.custom_records' then entity := to_jsonb(r) ->> 'entity'; end if;
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, version, old, new)
    values (r.organization_id, entity, r.id, lower(tg_op), app.actor(), app.request(), r.version, before, after);
    if entity !~ '^(social|iam|tenancy|files|imports|builder)\.' and app.actor() <> '00000000-0000-0000-0000-000000000000' then
        perform app.tell_later(r.organization_id, entity, r.id, tg_op, after);
    end if;
    return null;
end $$;

create or replace function app.users_of(of_entity text, of_id uuid) returns table (entity text, count bigint) language plpgsql stable
security definer set search_path = pg_catalog as $$
declare key record; n bigint;
begin
    for key in
        select e.name, a.attname, e.part_of from pg_constraint c
        join app.entities e on e.name::regclass = c.conrelid
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[2]
        where c.contype = 'f' and c.confrelid = app.table_of(of_entity) and cardinality(c.conkey) = 2 and a.atttypid = 'uuid'::regtype
          and e.part_of is distinct from of_entity and c.confdeltype <> 'c'    -- what goes with it does not hold it
        order by 1
    loop
        execute format('select count(*) from (select from %s where organization_id = $1 and %I = $2 and deleted_at is null limit 1000) x', key.name, key.attname)
            into n using app.organization(), of_id;
        if n > 0 then
            return query select key.name, n;
        end if;
    end loop;
end $$;

create or replace function app.ask_approval(entity text, record uuid, action text, asked jsonb) returns jsonb language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); rule app.approval_rules; was app.approval_requests; request app.approval_requests; told uuid[] := '{}'; people uuid[];
begin
    if not exists (select from app.entities e where e.name = ask_approval.entity)
        and not exists (select from builder.custom_tables t where t.organization_id = here and t.entity = ask_approval.entity) then raise exception 'There is no such entity.' using errcode = 'AP001'; end if;
    select r.* into strict rule from app.approval_rules r where r.organization_id = here and r.id = (asked ->> 'rule')::uuid;
    select r.* into was from app.approval_requests r where r.organization_id = here and r.entity = ask_approval.entity and r.record_id = record
        and r.action = ask_approval.action and r.status = 'pending' for update;
    if was.id is null or was.record_version <> (asked ->> 'version')::integer then
        if was.id is not null then
            update app.approval_requests r set status = 'withdrawn', decided_at = now() where r.organization_id = here and r.id = was.id;
            insert into app.approval_decisions (organization_id, request_id, level, decision, decided_by) values (here, was.id, was.level, 'withdraw', app.actor());
        end if;
        insert into app.approval_requests (organization_id, entity, record_id, action, body, rule_id, title, reason, amount, currency, shown, requested_by, author_id,
            record_version, in_workspace_id, on_reject, on_return)
        values (here, ask_approval.entity, record, ask_approval.action, asked -> 'body', rule.id, coalesce(asked ->> 'title', ''), left(asked ->> 'reason', 2000),
            (asked ->> 'amount')::numeric, asked ->> 'currency', asked -> 'shown', app.actor(), (asked ->> 'author')::uuid, (asked ->> 'version')::integer,
            (asked ->> 'workspace')::uuid, rule.on_reject, rule.on_return)
        returning * into request;
        insert into app.approval_levels (organization_id, request_id, number, name, source, quorum, due_hours)
        select here, request.id, n, coalesce(l ->> 'name', ''), l, (l ->> 'quorum')::integer, (l ->> 'due_hours')::integer
        from jsonb_array_elements(rule.levels) with ordinality x (l, n);
        told := app.enter_approval_level(request, 1);
        perform app.log_approval(request, 'request', request.reason);
    else
        request := was;
    end if;
    select array_agg(coalesce(s.standin_id, s.person_id)) into people from app.approval_seats s where s.organization_id = here and s.request_id = request.id and s.level = request.level
        and not exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = s.request_id and d.decision = 'approve' and d.person_id = s.person_id);
    return jsonb_build_object('id', request.id, 'waits_for', app.names_of(people), 'told', told);
end $$;

create or replace function app.decide_approval(id uuid, decision text, said text, to_person uuid, sees_all boolean) returns jsonb language plpgsql
security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); me constant uuid := app.actor();
    request app.approval_requests; seat app.approval_seats; l app.approval_levels; told uuid[] := '{}';
    version integer; gone boolean; yes integer; needed integer; outcome text := decision;
begin
    select r.* into request from app.approval_requests r where r.organization_id = here and r.id = decide_approval.id;
    if request.id is null then return '{"outcome": "missing"}'; end if;
    -- The record before the request, as whoever asks takes them.
    execute format('select x.version, x.deleted_at is not null from %s x where x.organization_id = $1 and x.id = $2 for no key update', app.table_of(request.entity))
        into version, gone using here, request.record_id;
    select r.* into request from app.approval_requests r where r.organization_id = here and r.id = decide_approval.id for update;
    if not app.sees_approval(request, me, sees_all) then return '{"outcome": "missing"}'; end if;
    if request.status <> 'pending' then
        return (select jsonb_build_object('outcome', 'late', 'status', request.status, 'by', app.names_of(array[d.decided_by])) from app.approval_decisions d
            where d.organization_id = here and d.request_id = request.id and d.decision in ('approve', 'reject', 'return', 'withdraw') order by d.id desc limit 1);
    end if;
    if me = request.requested_by then return '{"outcome": "own"}'; end if;
    if me is not distinct from request.author_id then return '{"outcome": "made"}'; end if;
    seat := app.approval_seat(request, me);
    if seat.id is null then
        return case when exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = request.id and d.decision = 'approve' and me in (d.decided_by, d.person_id))
            then '{"outcome": "done"}' else '{"outcome": "others"}' end::jsonb;
    end if;
    if decision = 'approve' and (gone is not false or version <> request.record_version) then return '{"outcome": "changed"}'; end if;
    if decision = 'delegate' then
        if to_person in (request.requested_by, request.author_id, seat.person_id, me) then
            raise exception 'This cannot be handed to whoever asks for it, made it, or has to decide already.' using errcode = 'AP001', column = 'to';
        end if;
        if not exists (select from iam.memberships m where m.organization_id = here and m.id = to_person and m.status = 'active' and m.deleted_at is null)
            or exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = request.id and d.decision = 'approve' and to_person in (d.decided_by, d.person_id)) then
            raise exception 'This person cannot decide here.' using errcode = 'AP001', column = 'to';
        end if;
        update app.approval_seats s set standin_id = to_person where s.organization_id = here and s.id = seat.id;
    end if;
    insert into app.approval_decisions (organization_id, request_id, level, decision, person_id, decided_by, to_id, comment)
    values (here, request.id, request.level, decision, seat.person_id, me, case when decision = 'delegate' then to_person end, nullif(trim(said), ''));
    if decision = 'delegate' then
        told := app.tell_of_approval(request, array[to_person], 'delegate');
    elsif decision = 'ask' then
        update app.approval_levels x set asked_at = coalesce(x.asked_at, now()) where x.organization_id = here and x.request_id = request.id and x.number = request.level;
        told := app.tell_of_approval(request, array[request.requested_by], 'ask');
    elsif decision = 'approve' then
        select x.* into strict l from app.approval_levels x where x.organization_id = here and x.request_id = request.id and x.number = request.level;
        select count(*) filter (where d.id is not null), count(*) into yes, needed
        from app.approval_seats s left join app.approval_decisions d on d.organization_id = here and d.request_id = s.request_id and d.level = s.level
            and d.person_id = s.person_id and d.decision = 'approve'
        where s.organization_id = here and s.request_id = request.id and s.level = request.level and not s.escalated
          and (d.id is not null or app.seat_holds(s, request.in_workspace_id));
        outcome := 'pending';
        if seat.escalated or yes >= least(coalesce(l.quorum, needed), needed) then
            update app.approval_levels x set left_at = now() where x.organization_id = here and x.id = l.id;
            if exists (select from app.approval_levels x where x.organization_id = here and x.request_id = request.id and x.number = request.level + 1) then
                update app.approval_requests r set level = r.level + 1 where r.organization_id = here and r.id = request.id returning r.* into request;
                told := app.enter_approval_level(request, request.level);
            else
                outcome := 'approved';
            end if;
        end if;
    else
        outcome := case decision when 'reject' then 'rejected' else 'returned' end;
    end if;
    perform app.log_approval(request, decision, nullif(trim(said), ''));
    if outcome in ('approved', 'rejected', 'returned') then
        update app.approval_requests r set status = outcome, decided_at = now() where r.organization_id = here and r.id = request.id;
        update app.approval_levels x set left_at = now() where x.organization_id = here and x.request_id = request.id and x.number = request.level and x.left_at is null;
        told := told || app.tell_of_approval(request, array[request.requested_by], outcome);
    end if;
    return jsonb_build_object('outcome', outcome, 'entity', request.entity, 'record', request.record_id, 'told', told, 'body', request.body,
        'then', case outcome when 'approved' then request.action when 'rejected' then request.on_reject when 'returned' then request.on_return end);
end $$;
-- down
do $$ begin
    if exists (select from builder.custom_tables) then raise exception 'There are tables of one''s own, which the program before this one does not know.'; end if;
end $$;
create or replace function app.j_date(doc jsonb, key text) returns date language plpgsql immutable parallel safe as $$
declare t text := app.j_text(doc, key);
begin
    if t ~ '^\d{4}-\d{2}-\d{2}$' then return make_date(left(t, 4)::int, substr(t, 6, 2)::int, right(t, 2)::int); end if;
    return null;
exception when others then return null;
end $$;
create or replace function app.j_instant(doc jsonb, key text) returns timestamptz language plpgsql immutable parallel safe as $$
declare t text := app.j_text(doc, key);
begin
    if t ~ '^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$' then return t::timestamptz; end if;
    return null;
exception when others then return null;
end $$;
create or replace function app.log_change() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    skip constant text[] := tg_argv[1:] || '{organization_id,created_at,created_by,updated_at,updated_by,version,search,search_text}'::text[];
    before jsonb; after jsonb; r record;
begin
    if tg_op = 'INSERT' then
        r := new;
        after := jsonb_strip_nulls(to_jsonb(new) - skip - 'id');
    elsif tg_op = 'DELETE' then
        r := old;
        before := to_jsonb(old) - skip;
    else
        r := new;
        before := to_jsonb(old) - skip;
        after := to_jsonb(new) - skip;
        -- Most often it is a total, which is not worth a line.
        if after = before then return null; end if;
        select jsonb_object_agg(a.key, b.value), jsonb_object_agg(a.key, a.value) into before, after
        from jsonb_each(after) a join jsonb_each(before) b using (key)
        where a.value is distinct from b.value;
    end if;
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, version, old, new)
    values (r.organization_id, tg_argv[0], r.id, lower(tg_op), app.actor(), app.request(), r.version, before, after);
    if tg_argv[0] !~ '^(social|iam|tenancy|files|imports|builder)\.' and app.actor() <> '00000000-0000-0000-0000-000000000000' then
        perform app.tell_later(r.organization_id, tg_argv[0], r.id, tg_op, after);
    end if;
    return null;
end $$;
create or replace function app.users_of(of_entity text, of_id uuid) returns table (entity text, count bigint) language plpgsql stable
security definer set search_path = pg_catalog as $$
declare key record; n bigint;
begin
    for key in
        select e.name, a.attname, e.part_of from pg_constraint c
        join app.entities e on e.name::regclass = c.conrelid
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[2]
        where c.contype = 'f' and c.confrelid = of_entity::regclass and cardinality(c.conkey) = 2
          and e.part_of is distinct from of_entity and c.confdeltype <> 'c'    -- what goes with it does not hold it
        order by 1
    loop
        execute format('select count(*) from (select from %s where organization_id = $1 and %I = $2 and deleted_at is null limit 1000) x', key.name, key.attname)
            into n using app.organization(), of_id;
        if n > 0 then
            return query select key.name, n;
        end if;
    end loop;
end $$;
create or replace function app.ask_approval(entity text, record uuid, action text, asked jsonb) returns jsonb language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); rule app.approval_rules; was app.approval_requests; request app.approval_requests; told uuid[] := '{}'; people uuid[];
begin
    if not exists (select from app.entities e where e.name = ask_approval.entity) then raise exception 'There is no such entity.' using errcode = 'AP001'; end if;
    select r.* into strict rule from app.approval_rules r where r.organization_id = here and r.id = (asked ->> 'rule')::uuid;
    select r.* into was from app.approval_requests r where r.organization_id = here and r.entity = ask_approval.entity and r.record_id = record
        and r.action = ask_approval.action and r.status = 'pending' for update;
    if was.id is null or was.record_version <> (asked ->> 'version')::integer then
        if was.id is not null then
            update app.approval_requests r set status = 'withdrawn', decided_at = now() where r.organization_id = here and r.id = was.id;
            insert into app.approval_decisions (organization_id, request_id, level, decision, decided_by) values (here, was.id, was.level, 'withdraw', app.actor());
        end if;
        insert into app.approval_requests (organization_id, entity, record_id, action, body, rule_id, title, reason, amount, currency, shown, requested_by, author_id,
            record_version, in_workspace_id, on_reject, on_return)
        values (here, ask_approval.entity, record, ask_approval.action, asked -> 'body', rule.id, coalesce(asked ->> 'title', ''), left(asked ->> 'reason', 2000),
            (asked ->> 'amount')::numeric, asked ->> 'currency', asked -> 'shown', app.actor(), (asked ->> 'author')::uuid, (asked ->> 'version')::integer,
            (asked ->> 'workspace')::uuid, rule.on_reject, rule.on_return)
        returning * into request;
        insert into app.approval_levels (organization_id, request_id, number, name, source, quorum, due_hours)
        select here, request.id, n, coalesce(l ->> 'name', ''), l, (l ->> 'quorum')::integer, (l ->> 'due_hours')::integer
        from jsonb_array_elements(rule.levels) with ordinality x (l, n);
        told := app.enter_approval_level(request, 1);
        perform app.log_approval(request, 'request', request.reason);
    else
        request := was;
    end if;
    select array_agg(coalesce(s.standin_id, s.person_id)) into people from app.approval_seats s where s.organization_id = here and s.request_id = request.id and s.level = request.level
        and not exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = s.request_id and d.decision = 'approve' and d.person_id = s.person_id);
    return jsonb_build_object('id', request.id, 'waits_for', app.names_of(people), 'told', told);
end $$;
create or replace function app.decide_approval(id uuid, decision text, said text, to_person uuid, sees_all boolean) returns jsonb language plpgsql
security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); me constant uuid := app.actor();
    request app.approval_requests; seat app.approval_seats; l app.approval_levels; told uuid[] := '{}';
    version integer; gone boolean; yes integer; needed integer; outcome text := decision;
begin
    select r.* into request from app.approval_requests r where r.organization_id = here and r.id = decide_approval.id;
    if request.id is null then return '{"outcome": "missing"}'; end if;
    -- The record before the request, as whoever asks takes them.
    execute format('select x.version, x.deleted_at is not null from %s x where x.organization_id = $1 and x.id = $2 for no key update', request.entity::regclass)
        into version, gone using here, request.record_id;
    select r.* into request from app.approval_requests r where r.organization_id = here and r.id = decide_approval.id for update;
    if not app.sees_approval(request, me, sees_all) then return '{"outcome": "missing"}'; end if;
    if request.status <> 'pending' then
        return (select jsonb_build_object('outcome', 'late', 'status', request.status, 'by', app.names_of(array[d.decided_by])) from app.approval_decisions d
            where d.organization_id = here and d.request_id = request.id and d.decision in ('approve', 'reject', 'return', 'withdraw') order by d.id desc limit 1);
    end if;
    if me = request.requested_by then return '{"outcome": "own"}'; end if;
    if me is not distinct from request.author_id then return '{"outcome": "made"}'; end if;
    seat := app.approval_seat(request, me);
    if seat.id is null then
        return case when exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = request.id and d.decision = 'approve' and me in (d.decided_by, d.person_id))
            then '{"outcome": "done"}' else '{"outcome": "others"}' end::jsonb;
    end if;
    if decision = 'approve' and (gone is not false or version <> request.record_version) then return '{"outcome": "changed"}'; end if;
    if decision = 'delegate' then
        if to_person in (request.requested_by, request.author_id, seat.person_id, me) then
            raise exception 'This cannot be handed to whoever asks for it, made it, or has to decide already.' using errcode = 'AP001', column = 'to';
        end if;
        if not exists (select from iam.memberships m where m.organization_id = here and m.id = to_person and m.status = 'active' and m.deleted_at is null)
            or exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = request.id and d.decision = 'approve' and to_person in (d.decided_by, d.person_id)) then
            raise exception 'This person cannot decide here.' using errcode = 'AP001', column = 'to';
        end if;
        update app.approval_seats s set standin_id = to_person where s.organization_id = here and s.id = seat.id;
    end if;
    insert into app.approval_decisions (organization_id, request_id, level, decision, person_id, decided_by, to_id, comment)
    values (here, request.id, request.level, decision, seat.person_id, me, case when decision = 'delegate' then to_person end, nullif(trim(said), ''));
    if decision = 'delegate' then
        told := app.tell_of_approval(request, array[to_person], 'delegate');
    elsif decision = 'ask' then
        update app.approval_levels x set asked_at = coalesce(x.asked_at, now()) where x.organization_id = here and x.request_id = request.id and x.number = request.level;
        told := app.tell_of_approval(request, array[request.requested_by], 'ask');
    elsif decision = 'approve' then
        select x.* into strict l from app.approval_levels x where x.organization_id = here and x.request_id = request.id and x.number = request.level;
        select count(*) filter (where d.id is not null), count(*) into yes, needed
        from app.approval_seats s left join app.approval_decisions d on d.organization_id = here and d.request_id = s.request_id and d.level = s.level
            and d.person_id = s.person_id and d.decision = 'approve'
        where s.organization_id = here and s.request_id = request.id and s.level = request.level and not s.escalated
          and (d.id is not null or app.seat_holds(s, request.in_workspace_id));
        outcome := 'pending';
        if seat.escalated or yes >= least(coalesce(l.quorum, needed), needed) then
            update app.approval_levels x set left_at = now() where x.organization_id = here and x.id = l.id;
            if exists (select from app.approval_levels x where x.organization_id = here and x.request_id = request.id and x.number = request.level + 1) then
                update app.approval_requests r set level = r.level + 1 where r.organization_id = here and r.id = request.id returning r.* into request;
                told := app.enter_approval_level(request, request.level);
            else
                outcome := 'approved';
            end if;
        end if;
    else
        outcome := case decision when 'reject' then 'rejected' else 'returned' end;
    end if;
    perform app.log_approval(request, decision, nullif(trim(said), ''));
    if outcome in ('approved', 'rejected', 'returned') then
        update app.approval_requests r set status = outcome, decided_at = now() where r.organization_id = here and r.id = request.id;
        update app.approval_levels x set left_at = now() where x.organization_id = here and x.request_id = request.id and x.number = request.level and x.left_at is null;
        told := told || app.tell_of_approval(request, array[request.requested_by], outcome);
    end if;
    return jsonb_build_object('outcome', outcome, 'entity', request.entity, 'record', request.record_id, 'told', told, 'body', request.body,
        'then', case outcome when 'approved' then request.action when 'rejected' then request.on_reject when 'returned' then request.on_return end);
end $$;
drop function builder.state_said(builder.custom_tables, text);
drop table builder.custom_records, builder.custom_tables;
drop function builder.place_table(), builder.check_flow(), builder.pass_flow(), builder.place_record(), builder.move_record(), builder.purge_tables(integer), app.own_scope(integer), app.table_of(text);
delete from app.entities where name in ('builder.custom_records', 'builder.custom_tables');
