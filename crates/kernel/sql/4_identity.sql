-- People, companies and what they may do. Global tables have no organization_id and are reached by app_system alone.

create schema iam;
comment on schema iam is 'People and what they may do.';
create schema tenancy;
comment on schema tenancy is 'The companies under this roof.';
grant usage on schema app, iam, tenancy to app_user, app_system;
grant select on app.currencies, app.entities, app.transitions to app_user, app_system;
grant select on app.audit to app_user;

create table iam.users (
    id                   uuid primary key default app.new_id(),
    email                text not null,
    email_key            text not null generated always as (lower(email)) stored unique,
    password_hash        text,
    first_name           text not null default '',
    last_name            text not null default '',
    status               text not null default 'pending' check (status in ('pending', 'active', 'inactive', 'suspended')),
    registration_status  text not null default 'email_pending'
                         check (registration_status in ('email_pending', 'email_verified', 'onboarding_pending', 'completed')),
    locale               text not null default 'en',
    time_zone            text not null default 'UTC',
    theme                text not null default 'system' check (theme in ('system', 'light', 'dark')),
    preferences          jsonb not null default '{}',
    totp_secret          bytea,        -- encrypted by the server; only the server has the key
    totp_enabled_at      timestamptz,
    totp_last_step       bigint,       -- the last time step used: a code works once
    recovery_codes       bytea[] not null default '{}',
    password_changed_at  timestamptz,
    last_login_at        timestamptz,
    last_login_ip        text,
    last_user_agent      text,
    is_operator          boolean not null default false,
    created_at           timestamptz not null default now(),
    updated_at           timestamptz not null default now()
);
comment on table iam.users is 'A person who may sign in, in any number of organizations.';

create table iam.user_profiles (
    id          uuid primary key references iam.users on delete cascade,
    title       text not null default '',
    phone       text not null default '',
    bio         text not null default '',
    skills      text[] not null default '{}',
    visibility  jsonb not null default '{}',
    picture     bytea,
    updated_at  timestamptz not null default now()
);
comment on table iam.user_profiles is 'What people tell of themselves, and whom.';

create table iam.sessions (
    id                      uuid primary key default app.new_id(),
    token_hash              bytea not null unique,
    user_id                 uuid not null references iam.users on delete cascade,
    active_organization_id  uuid,
    ip                      text,
    user_agent              text,
    created_at              timestamptz not null default now(),
    last_seen_at            timestamptz not null default now(),
    expires_at              timestamptz not null,
    ended_at                timestamptz,
    view_role_id            uuid,
    view_workspace_id       uuid
);
comment on table iam.sessions is 'Where a person is signed in. Only a hash of the token is kept.';
comment on column iam.sessions.view_role_id is 'The role that an administrator looks at the company as; meanwhile he changes nothing.';
create index sessions_user on iam.sessions (user_id);

create table iam.email_verifications (
    id          uuid primary key default app.new_id(),
    user_id     uuid not null references iam.users on delete cascade,
    kind        text not null check (kind in ('registration', 'password_reset', 'email_change', 'invitation')),
    email       text not null,
    code_hash   bytea not null unique,
    password_hash  text,        -- of a registration: the password that was chosen with this very code
    for_organization_id  uuid,  -- of an invitation
    attempts    integer not null default 0,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    used_at     timestamptz
);
comment on table iam.email_verifications is 'Codes sent by mail: hashed, used once, tried a few times, gone after a while.';
create index email_verifications_user on iam.email_verifications (user_id, kind);

create table iam.login_attempts (
    id          uuid primary key default app.new_id(),
    at          timestamptz not null default now(),
    email_hash  bytea not null,
    ip          text,
    succeeded   boolean not null,
    reason      text
);
comment on table iam.login_attempts is 'Who tried to sign in, for lock-out and for the administrator.';
create index login_attempts_at on iam.login_attempts (at);
create index login_attempts_email on iam.login_attempts (email_hash, at);

create table tenancy.organizations (
    id                 uuid primary key default app.new_id(),
    name               text not null constraint organization_has_a_name check (name ~ '\S' and length(name) <= 200),
    slug               text not null unique constraint slug_is_plain check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    status             text not null default 'active' check (status in ('active', 'inactive', 'suspended')),
    plan               text not null default 'free' check (plan in ('free', 'pro', 'business', 'enterprise')),
    country            text not null default 'US' check (country ~ '^[A-Z]{2}$'),
    currency           text not null default 'USD' references app.currencies,
    time_zone          text not null default 'UTC',
    language           text not null default 'en',
    fiscal_year_start  smallint not null default 1 check (fiscal_year_start between 1 and 12),
    bin                text,
    domain             text unique,
    industry           text,
    employee_count     integer check (employee_count >= 0),
    annual_revenue     app.money,
    address            text,
    phone              text,
    email              text,
    website            text,
    bank_details       text,
    accent_hue         smallint check (accent_hue between 0 and 360),
    logo_file_id       uuid,
    modules            text[] not null default '{}',
    data_key           bytea,       -- encrypts the organization's secrets; itself encrypted by the server's master key
    stripe_customer_id      text,
    stripe_subscription_id  text,
    meta_version       bigint not null default 1,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    constraint bin_is_twelve_digits check (bin ~ '^\d{12}$')
);
comment on table tenancy.organizations is 'A company: everything that it has carries its id.';
comment on constraint organization_has_a_name on tenancy.organizations is 'A company needs a name of at most 200 characters.';
comment on constraint bin_is_twelve_digits on tenancy.organizations is 'A BIN has twelve digits.';
create unique index organizations_bin on tenancy.organizations (country, bin);

create table tenancy.workspaces (
    like app.record including all,
    name    text not null constraint workspace_has_a_name check (name ~ '\S'),
    kind    text not null default 'division' check (kind in ('main', 'division', 'project', 'branch')),
    status  text not null default 'active' check (status in ('active', 'inactive', 'archived')),
    constraint main_workspace_stays check (kind <> 'main' or status = 'active' and deleted_at is null),
    unique (organization_id, name)
);
comment on table tenancy.workspaces is 'A division of a company that keeps some of its records apart.';
comment on constraint main_workspace_stays on tenancy.workspaces is 'The main workspace cannot be archived or deleted.';
create unique index workspaces_one_main on tenancy.workspaces (organization_id) where kind = 'main';
select app.enroll('tenancy.workspaces');

-- The id of a membership is the id of the user, so that `assigned_to`, `created_by` and their like point here.
create table iam.memberships (
    like app.record including all,
    email                 text not null,
    first_name            text not null default '',
    last_name             text not null default '',
    name                  text not null generated always as (coalesce(nullif(trim(first_name || ' ' || last_name), ''), email)) stored,
    status                text not null default 'active' check (status in ('invited', 'active', 'suspended', 'left')),
    joined_at             timestamptz not null default now(),
    manager_id            uuid,
    default_workspace_id  uuid,
    workspace_ids         uuid[],      -- null: all of them
    foreign key (organization_id, manager_id) references iam.memberships,
    constraint memberships_workspace foreign key (organization_id, default_workspace_id) references tenancy.workspaces
);
comment on table iam.memberships is 'A person in a company.';
create index memberships_user on iam.memberships (id);
select app.enroll('iam.memberships', owner => 'id');

create table iam.roles (
    like app.record including all,
    name         text not null constraint role_has_a_name check (name ~ '^[a-z][a-z0-9_]{0,49}$'),
    label        text not null default '',
    description  text,
    template     text,        -- the role of the modules whose grants this one starts from
    is_system    boolean not null default false,
    is_active    boolean not null default true,
    unique (organization_id, name)
);
comment on table iam.roles is 'A named set of permissions.';
comment on constraint role_has_a_name on iam.roles is 'A role''s name is lower case letters, digits and _.';
select app.enroll('iam.roles');

create table iam.permissions (
    like app.record including all,
    role_id  uuid not null,
    entity   text not null,
    action   text not null,
    scope    text not null check (scope in ('none', 'own', 'team', 'workspace', 'all')),
    constraint permissions_once unique (organization_id, role_id, entity, action),
    foreign key (organization_id, role_id) references iam.roles on delete cascade
);
comment on table iam.permissions is 'What an organization changed of a role: how far an action on an entity goes.';
select app.enroll_part('iam.permissions', 'iam.roles', 'role_id');

create table iam.field_permissions (
    like app.record including all,
    role_id  uuid not null,
    entity   text not null,
    field    text not null,
    access   text not null check (access in ('none', 'read', 'write')),
    constraint field_permissions_once unique (organization_id, role_id, entity, field),
    foreign key (organization_id, role_id) references iam.roles on delete cascade
);
comment on table iam.field_permissions is 'A field that a role may only read, or not see at all.';
select app.enroll_part('iam.field_permissions', 'iam.roles', 'role_id');

create table iam.role_assignments (
    like app.record including all,
    membership_id  uuid not null,
    role_id        uuid not null,
    in_workspace_id   uuid,
    valid_from     date,
    valid_to       date,
    constraint assignment_ends_after_it_starts check (valid_to >= valid_from),
    constraint role_assignments_member foreign key (organization_id, membership_id) references iam.memberships on delete cascade,
    foreign key (organization_id, role_id) references iam.roles,
    constraint role_assignments_workspace foreign key (organization_id, in_workspace_id) references tenancy.workspaces
);
comment on table iam.role_assignments is 'Who has which role, where and when.';
comment on constraint assignment_ends_after_it_starts on iam.role_assignments is 'A role cannot end before it starts.';
create unique index role_assignments_once on iam.role_assignments (organization_id, membership_id, role_id, coalesce(in_workspace_id, '00000000-0000-0000-0000-000000000000')) where deleted_at is null;
select app.enroll('iam.role_assignments');

create table iam.api_tokens (
    like app.record including all,
    user_id       uuid not null,
    name          text not null constraint token_has_a_name check (name ~ '\S' and length(name) <= 100),
    prefix        text not null,
    token_hash    bytea not null,
    scopes        text[] not null default '{}',
    allowed_ips   text[] not null default '{}',
    expires_at    timestamptz,
    last_used_at  timestamptz,
    unique (organization_id, token_hash),
    foreign key (organization_id, user_id) references iam.memberships on delete cascade
);
comment on table iam.api_tokens is 'A key for a program that acts as a member. Only its hash is kept.';
comment on constraint token_has_a_name on iam.api_tokens is 'A token needs a name of at most 100 characters.';
select app.enroll('iam.api_tokens', owner => 'user_id', ignored => '{token_hash,last_used_at}');

create table tenancy.settings (
    like app.record including all,
    scope         text not null check (scope in ('organization', 'workspace', 'user')),
    in_workspace_id  uuid,
    user_id       uuid,
    key           text not null check (key ~ '^[a-z][a-z0-9_.]{0,99}$'),
    value         jsonb,
    is_secret     boolean not null default false,
    secret        bytea,
    constraint setting_scope_matches check ((scope = 'workspace') = (in_workspace_id is not null) and (scope = 'user') = (user_id is not null)),
    constraint secrets_are_encrypted check (is_secret = (secret is not null) and not (is_secret and value is not null)),
    foreign key (organization_id, in_workspace_id) references tenancy.workspaces,
    foreign key (organization_id, user_id) references iam.memberships on delete cascade
);
comment on table tenancy.settings is 'A setting; the nearest of user, workspace and organization wins.';
comment on constraint setting_scope_matches on tenancy.settings is 'A setting belongs to the organization, to one workspace or to one person.';
comment on constraint secrets_are_encrypted on tenancy.settings is 'A secret is kept encrypted and never shown.';
create unique index settings_once on tenancy.settings (organization_id, key, scope, coalesce(in_workspace_id, user_id, organization_id));
select app.enroll('tenancy.settings', owner => 'user_id', ignored => '{secret}');

-- For rules: what is in force for whoever asks, the nearest of person, workspace and organization; null where nothing is set.
create function app.setting(key text, in_workspace uuid default null) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select s.value from tenancy.settings s
        where s.organization_id = app.organization() and s.key = setting.key and s.deleted_at is null and not s.is_secret
          and (s.scope = 'organization' or s.scope = 'workspace' and s.in_workspace_id = in_workspace or s.scope = 'user' and s.user_id = app.actor())
        order by array_position('{user,workspace,organization}', s.scope) limit 1);
end $$;
-- Sealed; only the server can open them.
create function app.secret_setting(key text) returns bytea language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select s.secret from tenancy.settings s where s.organization_id = app.organization() and s.key = secret_setting.key
        and s.scope = 'organization' and s.deleted_at is null);
end $$;
create function app.data_key() returns bytea language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select o.data_key from tenancy.organizations o where o.id = app.organization());
end $$;
revoke execute on function app.setting(text, uuid), app.secret_setting(text), app.data_key() from public;
grant execute on function app.setting(text, uuid), app.secret_setting(text), app.data_key() to app_user;

create table tenancy.onboarding_progress (
    like app.record including all,
    step  text not null,
    unique (organization_id, step)
);
comment on table tenancy.onboarding_progress is 'First steps that a company wants to be reminded of no more; what is done shows by itself.';
select app.enroll('tenancy.onboarding_progress');

-- What identity needs of tenants' tables, for app_system alone.
do $$ declare t text; begin
    foreach t in array '{iam.memberships,iam.roles,iam.permissions,iam.field_permissions,iam.role_assignments,iam.api_tokens,tenancy.workspaces}'::text[] loop
        execute format('create policy system on %s to app_system using (true) with check (true)', t);
        execute format('grant select, insert, update, delete on %s to app_system', t);
    end loop;
end $$;
grant select, insert, update, delete on iam.users, iam.user_profiles, iam.sessions, iam.email_verifications, iam.login_attempts, tenancy.organizations to app_system;
grant select, insert, update on app.number_series to app_system;
create policy system on app.number_series to app_system using (true) with check (true);

-- Members, roles and keys decide what everybody may do, so a request changes them only through the server's own
-- identity calls, which check what no policy can: nobody grants more than he has, one owner always stays. Those say
-- `set local app.identity = 'on'`; no other request can.
create function iam.guard() returns trigger language plpgsql as $$
begin
    if current_user = 'app_user' and current_setting('app.identity', true) is distinct from 'on' then
        raise exception 'Members, roles and keys are changed on their own pages.' using errcode = 'AP001';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;
do $$ declare t text; begin
    foreach t in array '{iam.memberships,iam.roles,iam.permissions,iam.field_permissions,iam.role_assignments,iam.api_tokens}'::text[] loop
        execute format('create trigger guard before insert or update or delete on %s for each row execute function iam.guard()', t);
    end loop;
end $$;

-- Whoever leads somebody is not led by him, however far up.
create function iam.leads_no_leader() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if exists (
        with recursive up as (
            select new.manager_id as id
            union select m.manager_id from up join iam.memberships m on m.organization_id = new.organization_id and m.id = up.id
        ) select from up where up.id = new.id
    ) then
        raise exception 'Nobody is led by somebody of his own team.' using errcode = 'AP001', column = 'manager_id';
    end if;
    return new;
end $$;
create trigger leads_no_leader before insert or update of manager_id on iam.memberships for each row when (new.manager_id is not null)
    execute function iam.leads_no_leader();

-- For what no row of a tenant tells: somebody signed in, the company's own data changed.
create function iam.log_event(organization uuid, entity text, record uuid, action text, actor uuid, request uuid, old jsonb, new jsonb)
returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, old, new)
    values (organization, entity, record, action, actor, request, old, new);
end $$;
revoke execute on function iam.log_event(uuid, text, uuid, text, uuid, uuid, jsonb, jsonb) from public;
grant execute on function iam.log_event(uuid, text, uuid, text, uuid, uuid, jsonb, jsonb) to app_system;

-- Names of people follow the person into every company that they have joined; who is only invited is not yet known there.
create function iam.pass_name() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update iam.memberships m set email = new.email, first_name = new.first_name, last_name = new.last_name
    where m.id = new.id and m.status in ('active', 'suspended');
    return null;
end $$;
create trigger pass_name after update of email, first_name, last_name on iam.users for each row execute function iam.pass_name();
