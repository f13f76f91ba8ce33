create domain app.recurrence as text constraint recurrence_is_a_rule check (value ~ '^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)' and length(value) <= 8000);
comment on constraint recurrence_is_a_rule on domain app.recurrence is 'Write a recurrence as FREQ=WEEKLY;BYDAY=MO,WE.';
alter table builder.custom_fields drop constraint custom_fields_type_check,
    add constraint custom_fields_type_check check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url',
        'tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature', 'recurrence', 'file'));

-- down
-- What is kept in such a field stays, as text of the older program.
update builder.custom_fields set type = 'text' where type in ('recurrence', 'file');
alter table builder.custom_fields drop constraint custom_fields_type_check,
    add constraint custom_fields_type_check check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url',
        'tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature'));
drop domain app.recurrence;
