alter table social.saved_views
    add column team_id uuid,
    add column locked boolean not null default false,
    add column default_for text[] not null default '{}' constraint few_roles_have_a_default check (cardinality(default_for) <= 50),
    drop constraint saved_views_visibility_check;
alter table social.saved_views
    add constraint saved_views_visibility_check check (visibility in ('private', 'team', 'shared')),
    add constraint view_names_its_team check ((visibility = 'team') = (team_id is not null)),
    add foreign key (organization_id, team_id) references tenancy.workspaces;
create index saved_views_team_id_fk on social.saved_views (organization_id, team_id);
comment on column social.saved_views.team_id is 'The workspace whose people see it.';
comment on column social.saved_views.locked is 'Only its owner and administrators change it.';
comment on column social.saved_views.default_for is 'Roles for whom it opens first; * is everybody.';
comment on constraint view_names_its_team on social.saved_views is 'A view for a team names the team.';
comment on constraint few_roles_have_a_default on social.saved_views is 'At most 50 roles.';
-- A view that is another's own is reached by nobody else, whatever his rights; one that is not locked is changed by
-- whoever sees it.
do $$
declare
    place constant integer := (select e.slot * 4 from app.entities e where e.name = 'social.saved_views');
    seen constant text := '(created_by = app.actor() or visibility = ''shared'' or visibility = ''team'' and (app.workspaces() is null or team_id = any (app.workspaces())))';
begin
    execute format('alter policy reads on social.saved_views using (%s and %s)', app.reach('social.saved_views', 'created_by', false, array[place + 1]), seen);
    execute format('alter policy updates on social.saved_views using (organization_id = app.organization() and %s and (%s or %s and (created_by = app.actor() or not locked)))',
        seen, app.goes(array[place + 3], 'a'), app.goes(array[place + 3], 'ot'));
    execute format('alter policy deletes on social.saved_views using (%s and %s)', app.reach('social.saved_views', 'created_by', false, array[place + 4]), seen);
end $$;

create table social.shares (
    like app.record including all,
    view_id        uuid not null,
    user_id        uuid not null,
    token_hash     bytea not null,
    password_hash  text,
    expires_at     timestamptz,
    unique (organization_id, token_hash),
    foreign key (organization_id, view_id) references social.saved_views on delete cascade,
    foreign key (organization_id, user_id) references iam.memberships on delete cascade
);
comment on table social.shares is 'A link that shows a view to whoever has it, with the rights of the member who made it. Only its hash is kept.';
select app.enroll('social.shares', owner => 'user_id', ignored => '{token_hash,password_hash}');
create trigger guard before insert or update or delete on social.shares for each row execute function iam.guard();
create policy system on social.shares to app_system using (true) with check (true);
grant select on social.shares to app_system;
grant usage on schema social to app_system;

-- down
drop table social.shares;
delete from app.entities where name = 'social.shares';
revoke usage on schema social from app_system;
do $$
declare place constant integer := (select e.slot * 4 from app.entities e where e.name = 'social.saved_views');
begin
    execute format('alter policy reads on social.saved_views using (%s)', app.reach('social.saved_views', 'created_by', false, array[place + 1]));
    execute format('alter policy updates on social.saved_views using (%s)', app.reach('social.saved_views', 'created_by', false, array[place + 3]));
    execute format('alter policy deletes on social.saved_views using (%s)', app.reach('social.saved_views', 'created_by', false, array[place + 4]));
end $$;
update social.saved_views set visibility = 'private' where visibility = 'team';
alter table social.saved_views drop column team_id, drop column locked, drop column default_for, drop constraint saved_views_visibility_check;
alter table social.saved_views add constraint saved_views_visibility_check check (visibility in ('private', 'shared'));
