alter table iam.sessions add column view_role_id uuid, add column view_workspace_id uuid;
comment on column iam.sessions.view_role_id is 'The role that an administrator looks at the company as; meanwhile he changes nothing.';

-- down
alter table iam.sessions drop column view_role_id, drop column view_workspace_id;
