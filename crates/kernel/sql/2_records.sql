-- What it means to be a tenant's table. A module writes
--     create table sales.orders (like app.record including all, …);
--     select app.enroll('sales.orders', owner => 'assigned_to');
-- and gets keys, isolation, permission, audit, optimistic locking and indexes for its foreign keys.

create table app.record (
    organization_id  uuid not null default app.organization(),
    id               uuid not null default app.new_id(),
    created_at       timestamptz not null default now(),
    created_by       uuid default app.actor(),
    updated_at       timestamptz not null default now(),
    updated_by       uuid default app.actor(),
    deleted_at       timestamptz,
    version          integer not null default 1,
    custom           jsonb not null default '{}' constraint custom_is_an_object check (jsonb_typeof(custom) = 'object'),
    primary key (organization_id, id)
);
alter table app.record enable row level security;
comment on table app.record is 'What every record has; tables are made like it.';
comment on column app.record.version is 'Counts the changes; sent back in If-Match, it refuses a lost update.';
comment on column app.record.deleted_at is 'When the record was thrown away; it can be restored until it is purged.';
comment on column app.record.custom is 'Fields that this organization added.';

-- One row for every tenant table. The slot is the entity's place in the grants of app.context and never changes.
create table app.entities (
    name     text primary key,
    slot     integer not null,
    owner    text not null,     -- the column that says whose row it is
    part_of  text references app.entities,
    fk       text,              -- of a part: the column that names its owner record
    search   boolean not null default false,
    ignored  text[] not null default '{}',  -- secret columns that the history leaves out
    derived  text[] not null default '{}'   -- kept by the database: nobody writes them, the history leaves them out
);
comment on table app.entities is 'The tables that tenants have rows in.';

create table app.audit (
    organization_id  uuid not null,
    id               uuid not null default app.new_id(),
    at               timestamptz not null default now(),
    xid              xid8 not null default pg_current_xact_id(),
    entity           text not null,
    record_id        uuid not null,
    action           text not null,
    actor_id         uuid,
    request_id       uuid,
    version          integer,
    old              jsonb,
    new              jsonb,
    primary key (organization_id, at, id)
) partition by range (at);
comment on table app.audit is 'Who did what, written by the transaction that did it. Also the outbox: readers follow (xid, id).';
create table app.audit_rest partition of app.audit default;
create index audit_record on app.audit (organization_id, entity, record_id, at);
create index audit_request on app.audit (organization_id, request_id);
alter table app.audit enable row level security;
alter table app.audit_rest enable row level security;
create policy tenant_read on app.audit for select to app_user using (organization_id = app.organization());

-- Months are made ahead by the owner; what falls outside lands in the default partition, never on the floor.
create function app.make_audit_months(ahead integer) returns void language plpgsql set search_path = pg_catalog as $$
declare month date; name text;
begin
    for month in select generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => ahead), '1 month')::date loop
        name := 'audit_' || to_char(month, 'YYYY_MM');
        if to_regclass('app.' || name) is null then
            -- Made apart and attached, so that its indexes have short names of our own.
            execute format('create table app.%I (like app.audit including defaults, primary key (organization_id, at, id))', name);
            execute format('create index %I on app.%I (organization_id, entity, record_id, at)', name || '_record', name);
            execute format('create index %I on app.%I (organization_id, request_id)', name || '_request', name);
            execute format('alter table app.audit attach partition app.%I for values from (%L) to (%L)', name, month, month + interval '1 month');
            execute format('alter table app.%I enable row level security', name);
        end if;
    end loop;
end $$;
select app.make_audit_months(2);

create function app.touch() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    new.updated_by := coalesce(app.actor(), old.updated_by);
    new.version := old.version + 1;
    return new;
end $$;

-- Arguments: the entity, then the columns that are not worth a line in the history.
create function app.log_change() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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

-- Whether the actor goes as far as one of these letters at one of these places.
create function app.goes(places integer[], letters text) returns text language sql immutable
return (select '(' || string_agg(format('app.scope(%s) in (%s)', p, l.letters), ' or ') || ')'
    from unnest(places) p, (select string_agg(quote_literal(x), ', ') as letters from regexp_split_to_table(goes.letters, '') x) l);

-- The one condition under which a row may be reached: tenant, workspace and scope in a single expression.
-- `places` are alternatives, for example create or update for the parts of a document.
create function app.reach(entity text, owner text, bound boolean, places integer[]) returns text language sql immutable
return 'organization_id = app.organization()'
    || case when bound then ' and (workspace_id is null or app.workspaces() is null or workspace_id = any (app.workspaces()))' else '' end
    || format(' and (%2$s or %1$I = app.actor() and %3$s or %1$I = any (app.team()) and %4$s', owner, app.goes(places, 'a'),
        app.goes(places, case when bound then 'otOT' else 'ot' end), app.goes(places, case when bound then 'tT' else 't' end))
    || case when bound then format(' or workspace_id is not null and (%2$s or workspace_id = app.place() and (%3$s or %1$I = app.actor() and %4$s))',
        owner, app.goes(places, 'w'), app.goes(places, 'WOT'), app.goes(places, 'i')) else '' end
    || ')';

-- Who reaches a record only by roles in its workspace does not take it elsewhere. Arguments: the place of the right to
-- change, the owner's column.
create function app.stay() returns trigger language plpgsql as $$
declare
    letter text := encode(app.scope(tg_argv[0]::integer), 'escape');
    owner uuid := (to_jsonb(old) ->> tg_argv[1])::uuid;
begin
    if current_user = 'app_user' and old.workspace_id = app.place() and (letter in ('W', 'i')
        or letter in ('O', 'T') and owner is distinct from app.actor() and (letter = 'T' and owner = any (app.team())) is not true) then
        raise exception 'A record of your workspace stays there.' using errcode = 'AP001';
    end if;
    return new;
end $$;

create function app.enroll(entity text, owner text default 'created_by', ignored text[] default '{}') returns void language plpgsql as $$
declare place integer;
begin
    select coalesce(max(e.slot) + 1, 0) * 4 into place from app.entities e;
    insert into app.entities (name, slot, owner, ignored) values (entity, place / 4, owner, ignored);
    perform app.protect(entity, owner, array[place + 1], array[place + 2], array[place + 3], array[place + 4]);
    if exists (select from pg_attribute where attrelid = entity::regclass and attname = 'workspace_id') then
        execute format('create trigger stay before update of workspace_id on %s for each row when (old.workspace_id is distinct from new.workspace_id)
            execute function app.stay(%s, %L)', entity, place + 3, owner);
    end if;
end $$;

-- A part belongs to its owner record: same permission, same owner, gone with it. Whoever may create or change the
-- record may add parts; whoever may change it may change and remove them.
create function app.enroll_part(entity text, part_of text, fk text, ignored text[] default '{}') returns void language plpgsql as $$
declare
    f text := format('%I.%I', split_part(entity, '.', 1), split_part(entity, '.', 2) || '_owner');
    whole app.entities; place integer; bound boolean;
begin
    select * into strict whole from app.entities e where e.name = enroll_part.part_of;
    place := whole.slot * 4;
    bound := exists (select from pg_attribute where attrelid = whole.name::regclass and attname = 'workspace_id');
    execute format('alter table %s add column owner_id uuid', entity);
    if bound then execute format('alter table %s add column workspace_id uuid', entity); end if;
    execute format($f$
        create function %1$s() returns trigger language plpgsql security definer set search_path = pg_catalog as $body$
        begin
            select w.%2$I%3$s into new.owner_id%4$s from %5$s w where w.organization_id = new.organization_id and w.id = new.%6$I;
            return new;
        end $body$ $f$, f, whole.owner, case when bound then ', w.workspace_id' else '' end, case when bound then ', new.workspace_id' else '' end, part_of, fk);
    execute format('create trigger a_owner before insert on %s for each row execute function %s()', entity, f);
    if whole.owner <> 'created_by' then
        execute format('create trigger owner_%s after update of %I on %s for each row when (old.%2$I is distinct from new.%2$I)
            execute function app.pass_on(%4$L, %5$L, ''owner_id'', %2$L)', split_part(entity, '.', 2), whole.owner, part_of, entity, fk);
    end if;
    if bound then
        execute format('create trigger workspace_%s after update of workspace_id on %s for each row when (old.workspace_id is distinct from new.workspace_id)
            execute function app.pass_on(%3$L, %4$L, ''workspace_id'', ''workspace_id'')', split_part(entity, '.', 2), part_of, entity, fk);
    end if;
    insert into app.entities (name, slot, owner, part_of, fk, ignored) values (entity, whole.slot, 'owner_id', part_of, fk, ignored || case when bound then '{owner_id,workspace_id}' else '{owner_id}' end::text[]);
    perform app.protect(entity, 'owner_id', array[place + 1], array[place + 2, place + 3], array[place + 3], array[place + 3]);
end $$;

create function app.log(entity text) returns void language plpgsql as $$
declare e app.entities;
begin
    select * into strict e from app.entities x where x.name = entity;
    execute format('drop trigger if exists log on %s', entity);
    execute format('create trigger log after insert or update or delete on %s for each row execute function app.log_change(%s)', entity,
        (select string_agg(quote_literal(x), ', ') from unnest(array[entity] || e.ignored || e.derived
            -- What is computed from other columns tells nothing that they do not.
            || array(select a.attname::text from pg_attribute a where a.attrelid = entity::regclass and a.attgenerated <> '')) x));
end $$;

-- Names columns that triggers keep: nobody may write them.
create function app.derive(entity text, columns text[]) returns void language plpgsql as $$
begin
    update app.entities e set derived = array(select distinct unnest(e.derived || columns)) where e.name = entity;
    perform app.log(entity);
end $$;

-- Arguments: the part's table, the column that names its owner record, the column here, the column there.
create function app.pass_on() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    execute format('update %s set %I = $1 where organization_id = $2 and %I = $3 and %2$I is distinct from $1', tg_argv[0], tg_argv[2], tg_argv[1])
        using (to_jsonb(new) ->> tg_argv[3])::uuid, new.organization_id, new.id;
    return null;
end $$;

-- Gives a new record the numbers of its company's own fields. The trigger that calls it asks app.numbered first, where
-- whoever writes has the entities with such a field: others pay nothing. The counter's row stays locked until commit.
create function app.give_numbers() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare f record; n bigint; whose text := tg_argv[0];
begin
    -- Of a table of one's own, the row says which.
    if whose = 'builder.custom_records' then whose := to_jsonb(new) ->> 'entity'; end if;
    for f in
        select x.id, x.name from builder.custom_fields x
        where x.organization_id = new.organization_id and x.entity = whose and x.type = 'autonumber' and x.deleted_at is null order by x.id
    loop
        update app.counters c set last = c.last + 1
        where c.organization_id = new.organization_id and c.series = 'autonumber' and c.period = f.id::text returning c.last into n;
        new.custom := new.custom || jsonb_build_object(f.name, n);
    end loop;
    return new;
end $$;

create function app.number(entity text) returns void language plpgsql as $$
begin
    execute format('create trigger own_numbers before insert on %s for each row when (strpos(current_setting(''app.numbered'', true), %L) > 0)
        execute function app.give_numbers(%L)', entity, case entity when 'builder.custom_records' then ' custom.' else ' ' || entity || ' ' end, entity);
end $$;

create function app.protect(entity text, owner text, may_read integer[], may_create integer[], may_update integer[], may_delete integer[])
returns void language plpgsql as $$
declare
    t     regclass := entity::regclass;
    name  text := split_part(entity, '.', 2);
    bound boolean := exists (select from pg_attribute where attrelid = entity::regclass and attname = 'workspace_id');
    e     app.entities;
    key   record;
begin
    select * into strict e from app.entities x where x.name = entity;
    execute format('alter table %s enable row level security', t);
    execute format('create policy reads on %s for select to app_user using (%s)', t, app.reach(entity, owner, bound, may_read));
    execute format('create policy creates on %s for insert to app_user with check (%s)', t, app.reach(entity, owner, bound, may_create));
    execute format('create policy updates on %s for update to app_user using (%s) with check (organization_id = app.organization())', t, app.reach(entity, owner, bound, may_update));
    execute format('create policy deletes on %s for delete to app_user using (%s)', t, app.reach(entity, owner, bound, may_delete));

    execute format('create trigger touch before update on %s for each row execute function app.touch()', t);
    perform app.log(entity);
    perform app.number(entity);
    -- Fields that organizations added are found by equality; who has none pays nothing.
    execute format('create index %I on %s using gin (organization_id, custom jsonb_path_ops) where custom <> ''{}''', left(name, 40) || '_custom', t);

    for key in
        select c.conname, c.conkey, c.confrelid,
            array(select a.attname::text from unnest(c.conkey) with ordinality k (n, i)
                  join pg_attribute a on a.attrelid = t and a.attnum = k.n order by i) as columns
        from pg_constraint c where c.conrelid = t and c.contype = 'f'
    loop
        if key.columns[1] <> 'organization_id' and exists (select from pg_attribute where attrelid = key.confrelid and attname = 'organization_id') then
            raise exception '%.% must start with organization_id, or it could cross organizations', entity, key.conname;
        end if;
        if key.columns[1] = 'organization_id' and not exists (select from pg_index where indrelid = t
                       and (string_to_array(indkey::text, ' ')::int2[])[1:cardinality(key.conkey)] = key.conkey) then
            execute format('create index %I on %s (%s)', left(name, 24) || '_' || left(key.columns[cardinality(key.columns)], 20) || '_fk', t,
                (select string_agg(quote_ident(c), ', ') from unnest(key.columns) c));
        end if;
    end loop;
    execute format('grant usage on schema %I to app_user', split_part(entity, '.', 1));
    execute format('grant select, insert, update, delete on %s to app_user', t);
end $$;

-- select app.searchable('parties.parties', 'A: name, number; B: email, phone; C: note');
-- Makes the column `search` and its indexes; call it before app.enroll.
create function app.searchable(entity text, weights text) returns void language plpgsql as $$
declare vector text; plain text; name text := left(split_part(entity, '.', 2), 30);
begin
    select string_agg(format('app.words(%L, %s)', trim(m[1]),
               (select string_agg(format('coalesce(%I::text, '''')', trim(c)), ' || '' '' || ') from unnest(string_to_array(m[2], ',')) c)), ' || ')
      into vector from regexp_matches(weights, '([ABCD]):([^;]+)', 'g') m;
    select string_agg(format('coalesce(lower(%I::text), '''')', trim(c)), ' || '' '' || ') into plain
      from regexp_matches(weights, '[AB]:([^;]+)', 'g') m, unnest(string_to_array(m[1], ',')) c;
    execute format('alter table %s add column search tsvector generated always as (%s) stored', entity, vector);
    execute format('alter table %s add column search_text text generated always as (%s) stored', entity, plain);
    execute format('create index %I on %s using gin (organization_id, search)', name || '_search', entity);
    execute format('create index %I on %s using gin (organization_id, search_text gin_trgm_ops)', name || '_trigram', entity);
end $$;
