-- More types of own fields, and what a type needs to know beside its choices.
alter table builder.custom_fields drop constraint custom_fields_type_check;
alter table builder.custom_fields add constraint custom_fields_type_check check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url',
                    'tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature', 'recurrence', 'file',
                    'time', 'daterange', 'users', 'address', 'autonumber', 'button', 'relation', 'lookup', 'rollup', 'count', 'formula', 'createdby', 'modifiedby',
                    'radio', 'status', 'priority', 'label', 'badge', 'checkbox', 'toggle', 'markdown', 'image', 'avatar', 'icon', 'progress', 'qrcode'));
alter table builder.custom_fields add column settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object');
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
