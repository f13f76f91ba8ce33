alter table builder.custom_fields add column visible_when jsonb check (jsonb_typeof(visible_when) = 'object');
alter table builder.custom_fields add column required_when jsonb check (jsonb_typeof(required_when) = 'object');
-- down
alter table builder.custom_fields drop column required_when;
alter table builder.custom_fields drop column visible_when;
