-- Triggers: what happens by itself when something happens to a record.
-- What happens by itself: when something happens to a record, if a condition holds, then actions. See
-- crates/flow/src/triggers.rs.
create table builder.triggers (
    like app.record including all,
    name         text not null constraint trigger_has_a_name check (name ~ '\S' and length(name) <= 100),
    description  text,
    entity       text not null,
    event        text not null check (event in ('created', 'updated', 'deleted', 'field_changed', 'acted')),
    fields       text[] not null default '{}',     -- of field_changed: one of these
    action       text,                             -- of acted: the move
    condition    jsonb check (jsonb_typeof(condition) = 'object'),
    actions      jsonb not null check (jsonb_typeof(actions) = 'array'),
    on_error     text not null default 'stop' check (on_error in ('stop', 'continue')),
    is_active    boolean not null default true,
    run_as       uuid not null default app.actor(),
    language     text not null default 'en',
    foreign key (organization_id, run_as) references iam.memberships on delete cascade
);
comment on table builder.triggers is 'What happens by itself when something happens to a record.';
comment on column builder.triggers.condition is 'Of the record, its relations and lines, and of what was changed; null: always.';
comment on column builder.triggers.run_as is 'Who last saved it: it goes as far as his rights go when it runs.';
comment on column builder.triggers.language is 'In which its texts say amounts and days.';
comment on constraint trigger_has_a_name on builder.triggers is 'A name has 1 to 100 characters.';
create index triggers_active on builder.triggers (organization_id, entity) where is_active and deleted_at is null;
select app.enroll('builder.triggers');

-- Written once, by the transaction that did it; kept 90 days.
create table builder.trigger_executions (
    organization_id   uuid not null default app.organization(),
    id                uuid not null,               -- of the job: what is done once is told once
    trigger_id        uuid not null,
    entity            text not null,
    record_id         uuid not null,
    event             jsonb not null,              -- {kind, old, new, changed, actor}
    conditions_met    boolean not null,
    condition_result  jsonb,                       -- each rule with what stood on either side, and its verdict
    actions_executed  jsonb not null default '[]', -- [{type, status, detail, message, attempts}]
    status            text not null check (status in ('SUCCESS', 'PARTIAL_SUCCESS', 'FAILED')),
    outcome           text not null check (outcome in ('matched', 'skipped', 'blocked_loop')),
    error_message     text,
    execution_ms      integer not null,
    executed_at       timestamptz not null default now(),
    primary key (organization_id, id),
    foreign key (organization_id, trigger_id) references builder.triggers on delete cascade
);
comment on table builder.trigger_executions is 'What triggers did, and why.';
create index trigger_executions_trigger on builder.trigger_executions (organization_id, trigger_id, id);
create index trigger_executions_at on builder.trigger_executions (executed_at);
alter table builder.trigger_executions enable row level security;
do $$ declare place constant integer := (select e.slot * 4 from app.entities e where e.name = 'builder.triggers'); begin
    execute format('create policy reads on builder.trigger_executions for select to app_user using (organization_id = app.organization() and %s)', app.goes(array[place + 1], 'a'));
end $$;
create policy creates on builder.trigger_executions for insert to app_user with check (organization_id = app.organization());
create policy system on builder.trigger_executions to app_system using (true) with check (true);
grant select, insert on builder.trigger_executions to app_user;
grant select, insert, delete on builder.trigger_executions to app_system;

-- Whoever has one of these roles and works here.
create function app.people_in(roles text[]) returns uuid[] language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return array(select m.id from iam.memberships m where m.organization_id = app.organization() and m.status = 'active' and m.deleted_at is null
        and exists (select from unnest(roles) r where app.holds_role(m.id, r, null)) order by m.name, m.id);
end $$;
revoke execute on function app.people_in(text[]) from public;
grant execute on function app.people_in(text[]) to app_user;

-- A change asks for one job for each trigger that is about it, however often the transaction changes the record; what
-- was first and what is last is told together. A line is its record's. What a trigger writes carries the way it came, in
-- app.caused, so that what goes round in a circle is seen. The history's trigger asks here only where a company has triggers.
create function app.fire(entity text, operation text, r jsonb, before jsonb, after jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    e app.entities; t record; company constant uuid := (r ->> 'organization_id')::uuid; whole text; about uuid;
    kind text := case operation when 'INSERT' then 'created' when 'DELETE' then 'deleted' else 'updated' end;
    changed text[] := '{}'; made_here boolean := false;
begin
    select * into strict e from app.entities x where x.name = app.table_of(fire.entity)::text;
    whole := coalesce(e.part_of, fire.entity);
    if not exists (select from builder.triggers x where x.organization_id = company and x.entity = whole and x.is_active and x.deleted_at is null) then
        return;
    end if;
    about := (r ->> coalesce(e.fk, 'id'))::uuid;
    if e.part_of is not null then
        kind := 'updated';
        changed := array[e.name];
        before := null;
        after := null;
    elsif operation = 'UPDATE' then
        if after ->> 'deleted_at' is not null then kind := 'deleted'; end if;
        changed := array(select k from jsonb_object_keys(after) k where k <> 'custom'
            union all select 'cf.' || k from (select jsonb_object_keys(coalesce(before -> 'custom', '{}') || coalesce(after -> 'custom', '{}')) as k) c
            where before -> 'custom' -> k is distinct from after -> 'custom' -> k);
    end if;
    -- What is made with its lines is made, and not changed as well.
    if kind = 'updated' then
        made_here := exists (select from app.audit a where a.organization_id = company and a.entity = whole and a.record_id = about
            and a.at = now() and a.action = 'insert' and a.xid = pg_current_xact_id());
    end if;
    for t in
        select x.id, x.run_as from builder.triggers x
        where x.organization_id = company and x.entity = whole and x.is_active and x.deleted_at is null
          and (x.event = kind and not made_here
            or x.event = 'field_changed' and kind = 'updated' and not made_here and x.fields && changed
            or x.event = 'acted' and (exists (select from app.transitions m where m.entity = whole and m.action = x.action
                    and before ->> m.field = m.source and after ->> m.field = m.target)
                or exists (select from builder.custom_tables o, jsonb_array_elements(o.moves) m where o.organization_id = company and o.entity = whole
                    and m ->> 'action' = x.action and before ->> 'state' = m ->> 'source' and after ->> 'state' = m ->> 'target')))
        order by x.created_at, x.id
    loop
        insert into app.jobs as j (organization_id, kind, payload, key, created_by)
        values (company, 'triggers.run', jsonb_build_object('trigger', t.id, 'entity', whole, 'record', about,
                'path', coalesce(nullif(current_setting('app.caused', true), '')::jsonb, '[]'),
                'event', jsonb_build_object('kind', kind, 'actor', app.actor(), 'old', coalesce(before, '{}'), 'new', coalesce(after, '{}'), 'changed', to_jsonb(changed))),
            format('trigger %s %s %s %s', t.id, about, app.request(), pg_current_xact_id()), t.run_as)
        on conflict on constraint jobs_key do update set payload = j.payload || jsonb_build_object('event', (j.payload -> 'event') || jsonb_build_object(
            'old', (excluded.payload #> '{event,old}') || (j.payload #> '{event,old}'), 'new', (j.payload #> '{event,new}') || (excluded.payload #> '{event,new}'),
            'changed', (select coalesce(jsonb_agg(distinct c), '[]') from jsonb_array_elements((j.payload #> '{event,changed}') || (excluded.payload #> '{event,changed}')) c)));
    end loop;
end $$;
revoke execute on function app.fire(text, text, jsonb, jsonb, jsonb) from public;

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
    if entity !~ '^(social|iam|tenancy|files|imports|builder)\.' then
        if app.actor() <> '00000000-0000-0000-0000-000000000000' then
            perform app.tell_later(r.organization_id, entity, r.id, tg_op, after);
        end if;
        if exists (select from builder.triggers t where t.organization_id = r.organization_id and t.is_active and t.deleted_at is null) then
            perform app.fire(entity, tg_op, to_jsonb(r), before, after);
        end if;
    end if;
    return null;
end $$;

-- down: the triggers and what they did are lost
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
drop function app.fire(text, text, jsonb, jsonb, jsonb);
drop function app.people_in(text[]);
drop table builder.trigger_executions;
drop table builder.triggers;
delete from app.entities where name = 'builder.triggers';
