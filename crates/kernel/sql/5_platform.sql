-- Idempotency, jobs, mail, files, saved views, notifications, custom fields, imports, logs.

create table app.idempotency (
    organization_id  uuid not null default app.organization(),
    user_id          uuid not null default app.actor(),
    key              text not null check (length(key) between 1 and 200),
    request_hash     bytea not null,
    status           integer,
    body             text,
    at               timestamptz not null default now(),
    primary key (organization_id, user_id, key)
);
comment on table app.idempotency is 'Answers kept with their effect, so that a repeated request has none. Kept seven days.';
alter table app.idempotency enable row level security;
create policy own on app.idempotency to app_user using (organization_id = app.organization() and user_id = app.actor())
    with check (organization_id = app.organization() and user_id = app.actor());
grant select, insert, update on app.idempotency to app_user;

create table app.jobs (
    organization_id  uuid not null default app.organization(),
    id               uuid not null default app.new_id(),
    kind             text not null,
    payload          jsonb not null default '{}',
    status           text not null default 'queued' check (status in ('queued', 'running', 'done', 'failed', 'cancelled')),
    created_by       uuid not null default app.actor(),
    created_at       timestamptz not null default now(),
    run_at           timestamptz not null default now(),
    started_at       timestamptz,
    finished_at      timestamptz,
    lease_until      timestamptz,
    attempts         integer not null default 0,
    max_attempts     integer not null default 5,
    done             bigint not null default 0,
    total            bigint,
    result           jsonb,
    error            text,
    primary key (organization_id, id)
);
comment on table app.jobs is 'Work to be done later, as the person who asked for it. `failed` after the last attempt is the dead letter.';
create index jobs_due on app.jobs (run_at) where status in ('queued', 'running');
alter table app.jobs enable row level security;
create policy own on app.jobs to app_user using (organization_id = app.organization() and created_by = app.actor())
    with check (organization_id = app.organization() and created_by = app.actor());
create policy system on app.jobs to app_system using (true) with check (true);
grant select, insert on app.jobs to app_user;
grant update (done, total, result, status) on app.jobs to app_user;
grant select, insert, update, delete on app.jobs to app_system;

create table app.schedules (
    organization_id  uuid not null,
    kind             text not null,
    cron             text not null,
    last_run_at      timestamptz,
    next_run_at      timestamptz not null,
    primary key (organization_id, kind)
);
comment on table app.schedules is 'Work that comes back; runs missed while the server was down are made up for once.';
alter table app.schedules enable row level security;
create policy system on app.schedules to app_system using (true) with check (true);
grant select, insert, update, delete on app.schedules to app_system;

create table app.mails (
    id            uuid primary key default app.new_id(),
    recipient     text not null,
    subject       text not null,
    body          text not null,
    attachments   jsonb not null default '[]',   -- [{name, type, base64}]
    created_at    timestamptz not null default now(),
    send_at       timestamptz not null default now(),
    sent_at       timestamptz,
    attempts      integer not null default 0,
    error         text
);
comment on table app.mails is 'Mail on its way out, written by the transaction that wants it sent.';
create index mails_due on app.mails (send_at) where sent_at is null;
grant select, insert, update, delete on app.mails to app_system;

-- Requests may hand over a mail, and can read none.
create function app.send_mail(recipient text, subject text, body text, attachments jsonb default '[]') returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare made uuid := app.new_id();
begin
    insert into app.mails (id, recipient, subject, body, attachments) values (made, recipient, subject, body, attachments);
    return made;
end $$;
revoke execute on function app.send_mail(text, text, text, jsonb) from public;
grant execute on function app.send_mail(text, text, text, jsonb) to app_user, app_system;

create table app.system_logs (
    id               uuid primary key default app.new_id(),
    fingerprint      text not null,
    level            text not null check (level in ('DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL')),
    message          text not null,
    request_id       uuid,
    about_organization  uuid,
    about_user       uuid,
    detail           jsonb not null default '{}',
    first_seen_at    timestamptz not null default now(),
    last_seen_at     timestamptz not null default now(),
    count            bigint not null default 1,
    resolved_at      timestamptz
);
comment on table app.system_logs is 'Errors of the program, one row for each kind.';
create unique index system_logs_fingerprint on app.system_logs (fingerprint);
grant select, insert, update on app.system_logs to app_system;

create schema files;
comment on schema files is 'Files that people attach.';
create table files.files (
    like app.record including all,
    name       text not null constraint file_has_a_name check (name ~ '\S' and length(name) <= 255),
    type       text not null,
    size       bigint not null check (size >= 0),
    sha256     text not null,
    entity     text,
    record_id  uuid
);
comment on table files.files is 'A file; its bytes are kept once, under their hash.';
comment on constraint file_has_a_name on files.files is 'A file needs a name of at most 255 characters.';
create index files_record on files.files (organization_id, entity, record_id);
select app.enroll('files.files');

create schema social;
comment on schema social is 'Views, notifications, comments.';
create table social.saved_views (
    like app.record including all,
    entity      text not null,
    name        text not null constraint view_has_a_name check (name ~ '\S' and length(name) <= 100),
    kind        text not null default 'table',
    visibility  text not null default 'private' check (visibility in ('private', 'shared')),
    state       jsonb not null default '{}' check (jsonb_typeof(state) = 'object'),
    position    integer not null default 0
);
comment on table social.saved_views is 'How somebody likes to look at an entity.';
comment on constraint view_has_a_name on social.saved_views is 'A view needs a name of at most 100 characters.';
create index saved_views_entity on social.saved_views (organization_id, entity);
select app.enroll('social.saved_views');

create table social.notifications (
    like app.record including all,
    user_id    uuid not null,
    kind       text not null,
    title      text not null,
    body       text,
    entity     text,
    record_id  uuid,
    read_at    timestamptz,
    foreign key (organization_id, user_id) references iam.memberships on delete cascade
);
comment on table social.notifications is 'Something that a person should know.';
create index notifications_unread on social.notifications (organization_id, user_id, created_at);
select app.enroll('social.notifications', owner => 'user_id');

create schema builder;
comment on schema builder is 'What an organization added to the product.';
create table builder.custom_fields (
    like app.record including all,
    entity      text not null,
    name        text not null constraint field_name_is_plain check (name ~ '^[a-z][a-z0-9_]{0,49}$'),
    label       text not null,
    type        text not null check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url')),
    required    boolean not null default false,
    options     jsonb not null default '[]' check (jsonb_typeof(options) = 'array'),
    help        text,
    position    integer not null default 0,
    unique (organization_id, entity, name)
);
comment on table builder.custom_fields is 'A field that this organization added to an entity.';
comment on constraint field_name_is_plain on builder.custom_fields is 'A field''s name is lower case letters, digits and _, at most 50.';
select app.enroll('builder.custom_fields');
create policy system on builder.custom_fields for select to app_system using (true);
grant usage on schema builder to app_system;
grant select on builder.custom_fields to app_system;

create schema imports;
comment on schema imports is 'Data brought in from files.';
create table imports.imports (
    like app.record including all,
    entity      text not null,
    file_id     uuid not null,
    format      text not null check (format in ('csv', 'xlsx', 'json')),
    status      text not null default 'mapping' check (status in ('mapping', 'checking', 'checked', 'running', 'done', 'failed', 'undone')),
    columns     jsonb not null default '[]',
    mapping     jsonb not null default '{}',
    upsert_key  text,
    batch_id    uuid not null default app.new_id(),   -- the request id under which the audit keeps its rows
    total       bigint,
    done        bigint not null default 0,
    created     bigint not null default 0,
    updated     bigint not null default 0,
    unchanged   bigint not null default 0,
    failed      bigint not null default 0,
    errors      jsonb not null default '[]',
    job_id      uuid,
    foreign key (organization_id, file_id) references files.files
);
comment on table imports.imports is 'One file on its way in: what it maps to, how far it is, what went wrong.';
select app.enroll('imports.imports', ignored => '{errors,done,total}');

create table imports.saved_mappings (
    like app.record including all,
    entity      text not null,
    name        text not null,
    mapping     jsonb not null,
    upsert_key  text,
    unique (organization_id, entity, name)
);
comment on table imports.saved_mappings is 'A mapping kept for the next file of the same kind.';
select app.enroll('imports.saved_mappings');

create table app.schema_changes (
    module      text not null,
    number      integer not null,
    checksum    text not null,
    applied_at  timestamptz not null default now(),
    primary key (module, number)
);
comment on table app.schema_changes is 'The steps that this database has taken.';
grant select on app.schema_changes to app_system, app_user;
