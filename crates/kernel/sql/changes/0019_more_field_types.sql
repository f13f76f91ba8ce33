-- More types of own fields, and what a type needs to know beside its choices.
alter table builder.custom_fields drop constraint custom_fields_type_check;
alter table builder.custom_fields add constraint custom_fields_type_check check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url',
                    'tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature', 'recurrence', 'file',
                    'time', 'daterange', 'users', 'address', 'autonumber', 'button', 'relation', 'lookup', 'rollup', 'count', 'formula', 'createdby', 'modifiedby',
                    'radio', 'status', 'priority', 'label', 'badge', 'checkbox', 'toggle', 'markdown', 'image', 'avatar', 'icon', 'progress', 'qrcode'));
alter table builder.custom_fields add column settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object');

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

create or replace function app.protect(entity text, owner text, may_read integer[], may_create integer[], may_update integer[], may_delete integer[])
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
do $$ declare e text; begin for e in select name from app.entities loop perform app.number(e); end loop; end $$;

-- Records that are there already are numbered as they were made; after the last number, where the field was there before.
-- The program does it, and nobody is told of each.
create function builder.number_records() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    company constant uuid := new.organization_id; said constant text := current_setting('app.context', true);
    rows text := format('%s r where r.organization_id = $1', app.table_of(new.entity)); last bigint; n bigint;
begin
    if new.entity like 'custom.%' then rows := rows || format(' and r.entity = %L', new.entity); end if;
    execute format('select ceil(max(app.j_number(r.custom, $2))) from %s', rows) into last using company, new.name;
    last := greatest(last, coalesce((new.settings ->> 'start')::bigint, 1) - 1);
    perform set_config('app.context', format('%s %s %s ', company, '00000000-0000-0000-0000-000000000000', app.request()), true);
    perform set_config('app.numbering', 'yes', true);
    execute format('update %s t set custom = t.custom || jsonb_build_object($2, $3 + n.n)
        from (select r.id, row_number() over (order by r.created_at, r.id) as n from %s and app.j_number(r.custom, $2) is null) n
        where t.organization_id = $1 and t.id = n.id', app.table_of(new.entity), rows) using company, new.name, last;
    get diagnostics n = row_count;
    perform set_config('app.numbering', '', true);
    perform set_config('app.context', said, true);
    insert into app.counters (organization_id, series, period, last) values (company, 'autonumber', new.id::text, last + n);
    return null;
end $$;
create trigger number_records after insert on builder.custom_fields for each row when (new.type = 'autonumber') execute function builder.number_records();

create or replace function app.fire(entity text, operation text, r jsonb, before jsonb, after jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    e app.entities; t record; company constant uuid := (r ->> 'organization_id')::uuid; whole text; about uuid;
    kind text := case operation when 'INSERT' then 'created' when 'DELETE' then 'deleted' else 'updated' end;
    changed text[] := '{}'; made_here boolean := false;
begin
    if current_setting('app.numbering', true) = 'yes' then return; end if;
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
create or replace function app.series_in_use() returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('series', x.series, 'entity', x.entity, 'field', x.field,
            'pattern', (select n.pattern from app.number_series n where n.organization_id = app.organization() and n.series = x.series),
            'last', (select coalesce(jsonb_object_agg(c.period, c.last), '{}') from app.counters c
                     where c.organization_id = app.organization() and c.series = x.series)) order by x.series), '[]')
        from (
            select u.series, min(u.entity) as entity, min(u.field) as field from (
                select c.series, null::text as entity, null::text as field from app.counters c where c.organization_id = app.organization() and c.series <> 'autonumber'
                union all
                select n.series, null, null from app.number_series n where n.organization_id = app.organization()
                union all
                select substring(pg_get_expr(d.adbin, d.adrelid) from $r$next_number\('([^']+)'$r$), e.name, a.attname::text
                from app.entities e join pg_attrdef d on d.adrelid = to_regclass(e.name)
                join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
            ) u where u.series is not null group by u.series
        ) x);
end $$;
-- How many rows hold this in their own fields, but for one of them. Sees every row of the organization, as users_of does.
create function app.leading_to(of_entity text, what jsonb, but uuid) returns bigint language plpgsql stable
security definer set search_path = pg_catalog as $$
declare n bigint;
begin
    execute format('select count(*) from %s where organization_id = $1 and custom @> $2 and id <> $3 and deleted_at is null%s', app.table_of(of_entity),
                   case when of_entity like 'custom.%' then format(' and entity = %L', of_entity) else '' end)
        into n using app.organization(), what, but;
    return n;
end $$;
-- Own fields that lead to one record lead to another afterwards: where two become one.
create function app.relink(of_entity text, was uuid, becomes uuid) returns void language plpgsql
security definer set search_path = pg_catalog as $$
declare f record;
begin
    perform set_config('app.system', 'yes', true);   -- closed documents change hands too
    for f in
        select x.entity, x.name from builder.custom_fields x
        where x.organization_id = app.organization() and x.type = 'relation' and x.settings ->> 'entity' = of_entity and x.deleted_at is null order by 1, 2
    loop
        execute format('update %s set custom = custom || $1 where organization_id = $2 and custom <> ''{}'' and custom @> $3%s', app.table_of(f.entity),
                       case when f.entity like 'custom.%' then format(' and entity = %L', f.entity) else '' end)
            using app.j_link(f.name, becomes), app.organization(), app.j_link(f.name, was);
    end loop;
    perform set_config('app.system', '', true);
end $$;
create or replace function app.j_id(doc jsonb, key text) returns uuid language plpgsql immutable parallel safe as $$
begin
    if app.j_text(doc, key) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then return doc ->> key; end if;
    return null;
end $$;
create function app.j_link(key text, id uuid) returns jsonb language plpgsql immutable parallel safe as $$
begin
    return jsonb_build_object(key, id);
end $$;
-- down
drop function app.j_link(text, uuid);
create or replace function app.j_id(doc jsonb, key text) returns uuid language sql immutable parallel safe
return case when app.j_text(doc, key) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (doc ->> key)::uuid end;
drop function app.leading_to(text, jsonb, uuid);
drop function app.relink(text, uuid, uuid);
do $$ declare e text; begin for e in select name from app.entities loop execute format('drop trigger own_numbers on %s', e); end loop; end $$;
drop trigger number_records on builder.custom_fields;
drop function builder.number_records();
drop function app.number(text);
drop function app.give_numbers();
delete from app.counters where series = 'autonumber';
create or replace function app.protect(entity text, owner text, may_read integer[], may_create integer[], may_update integer[], may_delete integer[])
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
create or replace function app.fire(entity text, operation text, r jsonb, before jsonb, after jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
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
create or replace function app.series_in_use() returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('series', x.series, 'entity', x.entity, 'field', x.field,
            'pattern', (select n.pattern from app.number_series n where n.organization_id = app.organization() and n.series = x.series),
            'last', (select coalesce(jsonb_object_agg(c.period, c.last), '{}') from app.counters c
                     where c.organization_id = app.organization() and c.series = x.series)) order by x.series), '[]')
        from (
            select u.series, min(u.entity) as entity, min(u.field) as field from (
                select c.series, null::text as entity, null::text as field from app.counters c where c.organization_id = app.organization()
                union all
                select n.series, null, null from app.number_series n where n.organization_id = app.organization()
                union all
                select substring(pg_get_expr(d.adbin, d.adrelid) from $r$next_number\('([^']+)'$r$), e.name, a.attname::text
                from app.entities e join pg_attrdef d on d.adrelid = to_regclass(e.name)
                join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
            ) u where u.series is not null group by u.series
        ) x);
end $$;
alter table builder.custom_fields drop column settings;
alter table builder.custom_fields drop constraint custom_fields_type_check;
update builder.custom_fields set type = case
    when type in ('radio', 'status', 'priority', 'label', 'badge') then 'select'
    when type in ('checkbox', 'toggle') then 'boolean'
    when type = 'markdown' then 'textarea'
    when type in ('image', 'avatar') then 'file'
    when type = 'progress' then 'percent'
    when type = 'autonumber' then 'integer'
    else 'text' end
 where type not in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url',
                    'tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature', 'recurrence', 'file');
alter table builder.custom_fields add constraint custom_fields_type_check check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url',
                    'tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature', 'recurrence', 'file'));
