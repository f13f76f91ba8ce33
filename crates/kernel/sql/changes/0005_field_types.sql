alter table builder.custom_fields drop constraint custom_fields_type_check,
    add constraint custom_fields_type_check check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url',
        'tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature'));
create function app.j_id(doc jsonb, key text) returns uuid language sql immutable parallel safe
return case when app.j_text(doc, key) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (doc ->> key)::uuid end;

-- down
drop function app.j_id(jsonb, text);
-- What is kept in such a field stays, as text of the older program.
update builder.custom_fields set type = case when type in ('rating', 'duration') then 'integer' when type = 'tags' then 'multiselect' when type = 'richtext' then 'textarea' else 'text' end
where type in ('tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature');
alter table builder.custom_fields drop constraint custom_fields_type_check,
    add constraint custom_fields_type_check check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url'));
