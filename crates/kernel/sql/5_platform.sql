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

-- The program itself works for the organization of zeros.
create table app.jobs (
    organization_id  uuid not null default app.organization(),
    id               uuid not null default app.new_id(),
    kind             text not null,
    payload          jsonb not null default '{}',
    key              text,                    -- the same key again is the same job
    status           text not null default 'queued' check (status in ('queued', 'running', 'done', 'failed', 'cancelled')),
    created_by       uuid not null default app.actor(),
    created_at       timestamptz not null default now(),
    run_at           timestamptz not null default now(),
    started_at       timestamptz,
    finished_at      timestamptz,
    claim            uuid,                    -- of the run that holds it; another run's word counts no more
    lease_until      timestamptz,
    attempts         integer not null default 0,
    max_attempts     integer not null default 5 check (max_attempts between 1 and 100),
    done             bigint not null default 0,
    total            bigint,
    result           jsonb,
    error            text,
    primary key (organization_id, id),
    constraint jobs_key unique (organization_id, key)
);
comment on table app.jobs is 'Work to be done later, as the person who asked for it. `failed` after the last attempt is the dead letter.';
create index jobs_queued on app.jobs (organization_id, run_at, id) where status = 'queued';
create index jobs_running on app.jobs (organization_id, lease_until) where status = 'running';
create index jobs_started on app.jobs (organization_id, started_at) where started_at is not null;
create index jobs_finished on app.jobs (finished_at) where finished_at is not null;
create index jobs_mine on app.jobs (organization_id, created_by, created_at);
alter table app.jobs enable row level security;
create policy own on app.jobs to app_user using (organization_id = app.organization() and created_by = app.actor())
    with check (organization_id = app.organization() and created_by = app.actor());
create policy system on app.jobs to app_system using (true) with check (true);
grant select, insert on app.jobs to app_user;
grant update (done, total, result, status, finished_at, lease_until, error) on app.jobs to app_user;
grant select, insert, update, delete on app.jobs to app_system;

-- A key is the organization's: a colleague's job with it is found, and is stopped by whoever makes it needless.
create function app.job_of(job_key text) returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select j.id from app.jobs j where j.organization_id = app.organization() and j.key = job_key);
end $$;
create function app.cancel_job(job_key text) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare cancelled uuid;
begin
    update app.jobs j set status = 'cancelled', finished_at = now()
    where j.organization_id = app.organization() and j.key = job_key and j.status in ('queued', 'running') returning j.id into cancelled;
    return cancelled;
end $$;
revoke execute on function app.job_of(text), app.cancel_job(text) from public;
grant execute on function app.job_of(text), app.cancel_job(text) to app_user;

-- The next job to run. One claims at a time, so that each sees what the others took: of the organizations that wait,
-- the one with the fewest running jobs is next, and among equals the one that was served longest ago; none runs more
-- than `most`. The organizations are found by skipping through the index, however long their queues are.
create function app.claim_job(claim uuid, lease double precision, most bigint) returns setof app.jobs
language plpgsql set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock(5068745812375093);
    -- A claim that a crash forgets is made again, and is on the disk before anything that was done under it.
    perform set_config('synchronous_commit', 'off', true);
    return query
    with recursive waiting as (
        (select q.organization_id, q.run_at from app.jobs q where q.status = 'queued' order by q.organization_id, q.run_at limit 1)
        union all
        select next.organization_id, next.run_at from waiting w cross join lateral (
            select q.organization_id, q.run_at from app.jobs q
            where q.status = 'queued' and q.organization_id > w.organization_id order by q.organization_id, q.run_at limit 1) next
    ), turn as (
        select w.organization_id,
            (select count(*) from app.jobs r where r.organization_id = w.organization_id and r.status = 'running') as running,
            (select max(s.started_at) from app.jobs s where s.organization_id = w.organization_id and s.started_at is not null) as served
        from waiting w where w.run_at <= now()
    ), taken as (
        select q.organization_id, q.id
        from (select t.organization_id from turn t where t.running < most order by t.running, t.served nulls first, t.organization_id limit 50) o
        cross join lateral (
            select j.organization_id, j.id from app.jobs j
            where j.organization_id = o.organization_id and j.status = 'queued' and j.run_at <= now()
            order by j.run_at, j.id limit 1 for update skip locked) q
        limit 1
    )
    update app.jobs j set status = 'running', claim = claim_job.claim, started_at = clock_timestamp(), attempts = j.attempts + 1,
        error = null, lease_until = now() + make_interval(secs => lease)
    from taken where j.organization_id = taken.organization_id and j.id = taken.id
    returning j.*;
end $$;
revoke execute on function app.claim_job(uuid, double precision, bigint) from public;
grant execute on function app.claim_job(uuid, double precision, bigint) to app_system;

create table app.schedules (
    organization_id  uuid not null default app.organization(),
    kind             text not null,
    key              text not null default '',  -- tells apart what comes back in the same way: a trigger, a report
    cron             text not null,
    zone             text not null default 'UTC',
    payload          jsonb not null default '{}',
    created_by       uuid not null default app.actor(),
    last_run_at      timestamptz,
    next_run_at      timestamptz not null,
    job_id           uuid,                      -- the last one: while it runs there is no other
    primary key (organization_id, kind, key)
);
comment on table app.schedules is 'Work that comes back; runs missed while the server was down are made up for once.';
create index schedules_due on app.schedules (next_run_at);
alter table app.schedules enable row level security;
create policy own on app.schedules to app_user using (organization_id = app.organization()) with check (organization_id = app.organization());
create policy system on app.schedules to app_system using (true) with check (true);
grant select, insert, update, delete on app.schedules to app_user, app_system;

-- What the program does every day, and the owner of the tables alone may.
alter function app.make_audit_months(integer) security definer;
revoke execute on function app.make_audit_months(integer) from public;
grant execute on function app.make_audit_months(integer) to app_system;
create policy system on app.idempotency to app_system using (true);
grant select, delete on app.idempotency to app_system;
create index idempotency_at on app.idempotency (at);

create table app.mails (
    id            uuid primary key default app.new_id(),
    recipient     text not null,
    subject       text not null,
    body          text not null,
    attachments   jsonb not null default '[]',   -- [{name, type, base64}]
    created_at    timestamptz not null default now(),
    send_at       timestamptz not null default now(),
    sent_at       timestamptz,
    failed_at     timestamptz,                   -- given up, and kept
    attempts      integer not null default 0,
    error         text
);
comment on table app.mails is 'Mail on its way out, written by the transaction that wants it sent.';
create index mails_due on app.mails (send_at) where sent_at is null and failed_at is null;
create index mails_sent on app.mails (sent_at) where sent_at is not null;
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
grant select, insert, update, delete on app.system_logs to app_system;

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
create index files_sha256 on files.files (organization_id, sha256);
create index files_size on files.files (organization_id, created_by) include (size) where deleted_at is null;
create index files_deleted on files.files (deleted_at) where deleted_at is not null;
select app.enroll('files.files');
-- Only the store of blobs knows these.
select app.derive('files.files', '{type,size,sha256}');
create policy system on files.files for select to app_system using (true);
grant usage on schema files to app_system;
grant select on files.files to app_system;

-- What an organization and a person keep, and may keep; one upload at a time counts. Settings `files.quota` and
-- `files.quota_per_person` are in bytes.
create function app.file_room(person uuid, out used bigint, out used_by_me bigint, out quota bigint, out quota_per_person bigint)
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('files ' || app.organization(), 0));
    select coalesce(sum(f.size), 0), coalesce(sum(f.size) filter (where f.created_by = person), 0) into used, used_by_me
    from files.files f where f.organization_id = app.organization() and f.deleted_at is null;
    select max((s.value #>> '{}')::numeric) filter (where s.key = 'files.quota'),
           max((s.value #>> '{}')::numeric) filter (where s.key = 'files.quota_per_person') into quota, quota_per_person
    from tenancy.settings s
    where s.organization_id = app.organization() and s.scope = 'organization' and s.deleted_at is null
      and s.key in ('files.quota', 'files.quota_per_person') and jsonb_typeof(s.value) = 'number';
    quota := coalesce(quota, 10737418240);
end $$;
revoke execute on function app.file_room(uuid) from public;
grant execute on function app.file_room(uuid) to app_user;

-- Takes away for good what was thrown away before a day, but for what somebody still refers to.
create function app.purge_files(thrown_before timestamptz, most integer) returns integer
language plpgsql security definer set search_path = pg_catalog as $$
declare f record; n integer := 0;
begin
    for f in select x.organization_id, x.id from files.files x where x.deleted_at < thrown_before order by x.deleted_at limit most loop
        begin
            delete from files.files x where x.organization_id = f.organization_id and x.id = f.id;
            n := n + 1;
        exception when foreign_key_violation then null;
        end;
    end loop;
    return n;
end $$;
revoke execute on function app.purge_files(timestamptz, integer) from public;
grant execute on function app.purge_files(timestamptz, integer) to app_system;

create schema social;
comment on schema social is 'Views, notifications, comments.';
create table social.saved_views (
    like app.record including all,
    entity      text not null,
    name        text not null constraint view_has_a_name check (name ~ '\S' and length(name) <= 100),
    kind        text not null default 'table',
    visibility  text not null default 'private' check (visibility in ('private', 'team', 'shared')),
    state       jsonb not null default '{}' check (jsonb_typeof(state) = 'object'),
    position    integer not null default 0,
    team_id     uuid,
    locked      boolean not null default false,
    default_for text[] not null default '{}' constraint few_roles_have_a_default check (cardinality(default_for) <= 50),
    constraint view_names_its_team check ((visibility = 'team') = (team_id is not null)),
    foreign key (organization_id, team_id) references tenancy.workspaces
);
comment on table social.saved_views is 'How somebody likes to look at an entity.';
comment on column social.saved_views.team_id is 'The workspace whose people see it.';
comment on column social.saved_views.locked is 'Only its owner and administrators change it.';
comment on column social.saved_views.default_for is 'Roles for whom it opens first; * is everybody.';
comment on constraint view_has_a_name on social.saved_views is 'A view needs a name of at most 100 characters.';
comment on constraint view_names_its_team on social.saved_views is 'A view for a team names the team.';
comment on constraint few_roles_have_a_default on social.saved_views is 'At most 50 roles.';
create index saved_views_entity on social.saved_views (organization_id, entity);
select app.enroll('social.saved_views');
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

-- Under the rights of the record: whoever asks is let through to it first, see crates/flow/src/comments.rs.
create table social.comments (
    like app.record including all,
    entity     text not null,
    record_id  uuid not null,
    parent_id  uuid,
    body       text not null constraint comment_says_something check (body ~ '\S' and length(body) <= 10000),
    mentions   uuid[] not null default '{}',
    reactions  jsonb not null default '{}',     -- sign → the people who gave it
    edited_at  timestamptz,
    foreign key (organization_id, parent_id) references social.comments
);
comment on table social.comments is 'What people say about a record.';
comment on constraint comment_says_something on social.comments is 'A comment has 1 to 10,000 characters.';
create index comments_record on social.comments (organization_id, entity, record_id, id);
select app.enroll('social.comments');

-- A sign of the actor's under somebody's comment, given or taken back.
create function app.react(comment uuid, sign text) returns jsonb language plpgsql security definer set search_path = pg_catalog as $$
declare given jsonb; me constant jsonb := to_jsonb(app.actor()::text);
begin
    select coalesce(c.reactions -> sign, '[]') into given from social.comments c
    where c.organization_id = app.organization() and c.id = comment for no key update;
    given := case when given @> me then given - (app.actor()::text) else given || me end;
    update social.comments c set reactions = case when given = '[]' then c.reactions - sign else jsonb_set(c.reactions, array[sign], given) end
    where c.organization_id = app.organization() and c.id = comment returning c.reactions into given;
    return given;
end $$;
revoke execute on function app.react(uuid, text) from public;
grant execute on function app.react(uuid, text) to app_user;

-- Under the rights of the record and of the field, see crates/records/src/docs/mod.rs.
create table social.documents (
    like app.record including all,
    entity      text not null,
    record_id   uuid not null,
    field       text not null,
    state       bytea not null,     -- what all who write there have typed, as their editors encode it
    body        text not null,      -- the words of the record that the state knows of
    written_at  timestamptz,
    constraint one_document_per_field unique (organization_id, entity, record_id, field)
);
comment on table social.documents is 'A formatted field that several people write at once.';
comment on column social.documents.written_at is 'When its words were last put into the record.';
select app.enroll('social.documents', ignored => '{state,body,written_at}');

-- Until when somebody has read what is said about a record.
create table app.seen (
    organization_id  uuid not null default app.organization(),
    user_id          uuid not null default app.actor(),
    entity           text not null,
    record_id        uuid not null,
    seen_at          timestamptz not null default now(),
    primary key (organization_id, user_id, entity, record_id)
);
comment on table app.seen is 'Until when somebody has read what is said about a record.';
alter table app.seen enable row level security;
create policy own on app.seen to app_user using (organization_id = app.organization() and user_id = app.actor())
    with check (organization_id = app.organization() and user_id = app.actor());
grant select, insert, update on app.seen to app_user;

create table social.notifications (
    like app.record including all,
    user_id    uuid not null,
    kind       text not null,
    title      text not null,
    body       text,
    entity     text,
    record_id  uuid,
    read_at    timestamptz,
    done_at    timestamptz,
    snoozed_until  timestamptz,
    foreign key (organization_id, user_id) references iam.memberships on delete cascade
);
comment on table social.notifications is 'Something that a person should know.';
comment on column social.notifications.done_at is 'When the person put it away.';
comment on column social.notifications.snoozed_until is 'Until then it is out of sight, and new again afterwards.';
create index notifications_unread on social.notifications (organization_id, user_id, created_at);
select app.enroll('social.notifications', owner => 'user_id');

-- When a clock in a time zone next shows this.
create function app.next_time(clock time, zone text) returns timestamptz language sql stable
return (case when (now() at time zone zone)::time < clock then (now() at time zone zone)::date
             else (now() at time zone zone)::date + 1 end + clock) at time zone zone;

-- What people did not want mail about at once: it comes in one letter a day. The program itself writes the letters.
create table app.digests (
    id          uuid primary key default app.new_id(),
    person      uuid not null references iam.users on delete cascade,
    company     text not null,
    title       text not null,
    body        text,
    link        text,
    created_at  timestamptz not null default now(),
    due_at      timestamptz not null
);
comment on table app.digests is 'News on its way into somebody''s letter of the day.';
create index digests_due on app.digests (due_at);
create index digests_person on app.digests (person);
grant select, delete on app.digests to app_system;

-- Tells somebody, whoever is asking, in his language. A person says in preferences what he wants, by kind or for all
-- others as `*`, when not to be written to, and when all mail of a day is to come at once:
-- {"notifications": {"approval": {"in_app": true, "email": true}, "*": {"email": false}},
--  "quiet": {"from": "22:00", "to": "07:00"}, "digest": "09:00"}, by the clock of his time zone.
create function app.notify(for_user uuid, kind text, titles jsonb, body text, entity text, record uuid, link text) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare
    made uuid; wishes jsonb; who record; said text; clock time; send_at timestamptz := now();
    hour constant text := '^([01]\d|2[0-3]):[0-5]\d$';
begin
    select u.id, u.email, u.time_zone, u.preferences, left(u.locale, 2) as language, o.name as company into who
    from iam.memberships m left join iam.users u on u.id = m.id join tenancy.organizations o on o.id = m.organization_id
    where m.organization_id = app.organization() and m.id = for_user and m.status = 'active' and m.deleted_at is null;
    if not found then return null; end if;
    wishes := coalesce(who.preferences #> array['notifications', '*'], '{}') || coalesce(who.preferences #> array['notifications', notify.kind], '{}');
    said := coalesce(titles ->> who.language, titles ->> 'en');
    if wishes -> 'in_app' is distinct from 'false' then
        -- What comes often is one line until it is read.
        if kind in ('message', 'change') then
            update social.notifications n set title = said, body = notify.body, created_at = now(), created_by = app.actor()
            where n.organization_id = app.organization() and n.user_id = for_user and n.kind = notify.kind and n.entity = notify.entity
              and n.record_id = notify.record and n.read_at is null and n.done_at is null and n.deleted_at is null returning n.id into made;
            if found then return made; end if;
        end if;
        made := app.new_id();
        insert into social.notifications (organization_id, id, user_id, kind, title, body, entity, record_id)
        values (app.organization(), made, for_user, kind, said, body, entity, record);
    end if;
    if wishes -> 'email' is distinct from 'true' then return made; end if;
    if who.preferences ->> 'digest' ~ hour then
        insert into app.digests (person, company, title, body, link, due_at)
        values (who.id, who.company, said, body, link, app.next_time((who.preferences ->> 'digest')::time, who.time_zone));
        return made;
    end if;
    if who.preferences #>> '{quiet,from}' ~ hour and who.preferences #>> '{quiet,to}' ~ hour then
        clock := (now() at time zone who.time_zone)::time;
        if (case when who.preferences #>> '{quiet,from}' <= who.preferences #>> '{quiet,to}'
                then clock >= (who.preferences #>> '{quiet,from}')::time and clock < (who.preferences #>> '{quiet,to}')::time
                else clock >= (who.preferences #>> '{quiet,from}')::time or clock < (who.preferences #>> '{quiet,to}')::time end) then
            send_at := app.next_time((who.preferences #>> '{quiet,to}')::time, who.time_zone);
        end if;
    end if;
    insert into app.mails (recipient, subject, body, send_at)
    values (who.email, said, coalesce(body, said) || coalesce(E'\n\n' || link, ''), send_at);
    return made;
end $$;
revoke execute on function app.notify(uuid, text, jsonb, text, text, uuid, text) from public;
grant execute on function app.notify(uuid, text, jsonb, text, text, uuid, text) to app_user;

-- The conversations that the actor takes part in: app.take_part looks them up, and they stand in the transaction like the
-- rest of what app.context says. Without it nobody sees anything of any conversation, administrators neither.
create function app.conversations() returns uuid[] language sql stable parallel safe
return string_to_array(nullif(current_setting('app.conversations', true), ''), ',')::uuid[];

create table social.conversations (
    like app.record including all,
    kind         text not null check (kind in ('direct', 'group', 'channel')),
    name         text constraint conversation_name_is_short check (name ~ '\S' and length(name) <= 100),
    open         boolean not null default false,
    pair         uuid[],
    last_number  bigint not null default 0,
    last_at      timestamptz not null default now(),
    archived_at  timestamptz,
    constraint channel_has_a_name check (kind <> 'channel' or name is not null),
    constraint only_channels_are_open check (kind = 'channel' or not open),
    constraint direct_has_two_people check ((kind = 'direct') = (pair is not null) and (pair is null or cardinality(pair) = 2 and pair[1] < pair[2])),
    constraint direct_is_one unique (organization_id, pair)
);
comment on table social.conversations is 'People who write to each other: two, a group, or a channel.';
comment on column social.conversations.open is 'A channel that every member of the organization may join.';
comment on column social.conversations.pair is 'The two people of a direct conversation, in order.';
comment on column social.conversations.last_number is 'Of the newest message; they are counted without gaps.';
comment on constraint conversation_name_is_short on social.conversations is 'A name has 1 to 100 characters.';
comment on constraint channel_has_a_name on social.conversations is 'A channel needs a name.';
comment on constraint only_channels_are_open on social.conversations is 'Only a channel is open to everybody.';
comment on constraint direct_has_two_people on social.conversations is 'A direct conversation has two people.';
comment on constraint direct_is_one on social.conversations is 'These two have a conversation already.';
-- Of private ones several may have the same name: a refusal would tell that there is one.
create unique index conversations_name on social.conversations (organization_id, lower(name)) where open and archived_at is null and deleted_at is null;
comment on index social.conversations_name is 'There is an open channel of this name already.';
select app.enroll('social.conversations');
select app.derive('social.conversations', '{pair,last_number,last_at}');

create table social.participants (
    like app.record including all,
    conversation_id  uuid not null,
    user_id          uuid not null,
    keeper           boolean not null default false,
    read_number      bigint not null default 0,
    read_at          timestamptz,
    muted            boolean not null default false,
    left_at          timestamptz,
    constraint participant_is_one unique (organization_id, conversation_id, user_id),
    foreign key (organization_id, conversation_id) references social.conversations on delete cascade,
    foreign key (organization_id, user_id) references iam.memberships on delete cascade
);
comment on table social.participants is 'Who takes part in a conversation, and until where he has read.';
comment on column social.participants.keeper is 'May rename, archive, add and remove.';
comment on column social.participants.read_number is 'Of the last message that was read.';
select app.enroll('social.participants', owner => 'user_id');
select app.derive('social.participants', '{read_number,read_at}');

create table social.messages (
    like app.record including all,
    conversation_id  uuid not null,
    number           bigint not null,
    parent_id        uuid,
    body             text not null constraint message_is_short check (length(body) <= 10000),
    mentions         uuid[] not null default '{}',
    reactions        jsonb not null default '{}',     -- sign → the people who gave it
    edited_at        timestamptz,
    constraint message_number_is_one unique (organization_id, conversation_id, number),
    foreign key (organization_id, conversation_id) references social.conversations on delete cascade,
    foreign key (organization_id, parent_id) references social.messages
);
comment on table social.messages is 'What people write to each other.';
comment on constraint message_is_short on social.messages is 'A message has at most 10,000 characters.';
select app.searchable('social.messages', 'B: body');
select app.enroll('social.messages', ignored => '{body}');

-- Whoever takes part reaches it, as far as his key goes, and nobody else, whatever his rights.
do $$
declare
    place integer;
    here constant text := 'organization_id = app.organization() and conversation_id = any (app.conversations())';
begin
    select e.slot * 4 into strict place from app.entities e where e.name = 'social.conversations';
    execute format('alter policy reads on social.conversations using (organization_id = app.organization() and (open or id = any (app.conversations())) and %s)', app.goes(array[place + 1], 'aot'));
    execute format('alter policy creates on social.conversations with check (organization_id = app.organization() and created_by = app.actor() and %s)', app.goes(array[place + 2], 'aot'));
    execute format('alter policy updates on social.conversations using (organization_id = app.organization() and id = any (app.conversations()) and %s)', app.goes(array[place + 3], 'aot'));
    execute format('alter policy deletes on social.conversations using (organization_id = app.organization() and id = any (app.conversations()) and %s)', app.goes(array[place + 4], 'aot'));
    select e.slot * 4 into strict place from app.entities e where e.name = 'social.participants';
    execute format('alter policy reads on social.participants using (%s and %s)', here, app.goes(array[place + 1], 'aot'));
    execute format('alter policy creates on social.participants with check (%s and %s)', here, app.goes(array[place + 2], 'aot'));
    execute format('alter policy updates on social.participants using (%s and %s) with check (%1$s)', here, app.goes(array[place + 3], 'aot'));
    execute format('alter policy deletes on social.participants using (%s and %s)', here, app.goes(array[place + 4], 'aot'));
    select e.slot * 4 into strict place from app.entities e where e.name = 'social.messages';
    execute format('alter policy reads on social.messages using (%s and %s)', here, app.goes(array[place + 1], 'aot'));
    execute format('alter policy creates on social.messages with check (%s and created_by = app.actor() and %s)', here, app.goes(array[place + 2], 'aot'));
    execute format('alter policy updates on social.messages using (%s and created_by = app.actor() and %s) with check (%1$s)', here, app.goes(array[place + 3], 'aot'));
    execute format('alter policy deletes on social.messages using (%s and created_by = app.actor() and %s)', here, app.goes(array[place + 4], 'aot'));
end $$;
-- What people write to each other is no administrator's business, nor that they do.
alter policy tenant_read on app.audit using (organization_id = app.organization()
    and entity <> all ('{social.conversations,social.participants,social.messages,social.notifications}')
    and new ->> 'entity' is distinct from 'social.messages');
-- Nor what he is told of it.
do $$ declare place constant integer := (select e.slot * 4 from app.entities e where e.name = 'social.notifications'); begin
    execute format('alter policy reads on social.notifications using (organization_id = app.organization() and user_id = app.actor() and %s)', app.goes(array[place + 1], 'aot'));
    execute format('alter policy updates on social.notifications using (organization_id = app.organization() and user_id = app.actor() and %s)', app.goes(array[place + 3], 'aot'));
    execute format('alter policy deletes on social.notifications using (organization_id = app.organization() and user_id = app.actor() and %s)', app.goes(array[place + 4], 'aot'));
end $$;

-- Lets the actor into his conversations for the rest of the transaction. He joins one first that is named: an open channel,
-- or what he has just made. Who joins has nothing to read up on.
create function app.take_part(joining uuid default null) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    if joining is not null then
        insert into social.participants as m (organization_id, conversation_id, user_id, keeper, read_number)
        select c.organization_id, c.id, app.actor(), c.created_by = app.actor() and not c.kind = 'direct', c.last_number
        from social.conversations c
        where c.organization_id = app.organization() and c.id = joining and c.archived_at is null and c.deleted_at is null
          and (c.open or c.created_by = app.actor() and not exists (
              select from social.participants o where o.organization_id = c.organization_id and o.conversation_id = c.id))
        on conflict (organization_id, conversation_id, user_id) do update set left_at = null, read_number = excluded.read_number where m.left_at is not null;
    end if;
    perform set_config('app.conversations', coalesce((
        select string_agg(m.conversation_id::text, ',') from social.participants m
        where m.organization_id = app.organization() and m.user_id = app.actor() and m.left_at is null and m.deleted_at is null), ''), true);
end $$;
revoke execute on function app.take_part(uuid) from public;
grant execute on function app.take_part(uuid) to app_user;

-- A sign of the actor's under a message, given or taken back.
create function app.react_to_message(message uuid, sign text) returns jsonb language plpgsql security definer set search_path = pg_catalog as $$
declare given jsonb; me constant jsonb := to_jsonb(app.actor()::text);
begin
    select coalesce(m.reactions -> sign, '[]') into given from social.messages m
    where m.organization_id = app.organization() and m.id = message and m.conversation_id = any (app.conversations()) and m.deleted_at is null for no key update;
    if not found then return null; end if;
    given := case when given @> me then given - (app.actor()::text) else given || me end;
    update social.messages m set reactions = case when given = '[]' then m.reactions - sign else jsonb_set(m.reactions, array[sign], given) end
    where m.organization_id = app.organization() and m.id = message returning m.reactions into given;
    return given;
end $$;
revoke execute on function app.react_to_message(uuid, text) from public;
grant execute on function app.react_to_message(uuid, text) to app_user;

-- Who hears of what is said about a record and of what becomes of it. One follows by oneself, and by making, being given,
-- commenting or being named in it; one ends it only for oneself.
create table app.followers (
    organization_id  uuid not null default app.organization(),
    entity           text not null,
    record_id        uuid not null,
    user_id          uuid not null default app.actor(),
    following        boolean not null default true,
    followed_at      timestamptz not null default now(),
    primary key (organization_id, entity, record_id, user_id)
);
comment on table app.followers is 'Who follows a record.';
comment on column app.followers.following is 'False: has ceased to, and does not begin again by what happens.';
alter table app.followers enable row level security;
create policy reads on app.followers for select to app_user using (organization_id = app.organization());
create policy creates on app.followers for insert to app_user with check (organization_id = app.organization() and (following or user_id = app.actor()));
create policy updates on app.followers for update to app_user using (organization_id = app.organization() and user_id = app.actor());
grant select, insert, update on app.followers to app_user;

-- A change of a record that others follow, or one that names somebody, is told by one job of the transaction: it looks up
-- in the history what was changed, and who of those whom it concerns may read it. See crates/web/src/following.rs.
create function app.tell_later(company uuid, entity text, record uuid, operation text, after jsonb) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if operation = 'UPDATE' and exists (select from app.followers f where f.organization_id = company and f.entity = tell_later.entity
            and f.record_id = record and f.following and f.user_id <> app.actor())
        or after::text like '%@%' and after::text ~ '([^[:alnum:]._%+-]|\\[nrt])@[[:alpha:]]' then
        insert into app.jobs (organization_id, kind, payload, key)
        values (company, 'records.tell', jsonb_build_object('request', app.request(), 'transaction', pg_current_xact_id()::text),
            'tell ' || app.request() || ' ' || pg_current_xact_id())
        on conflict do nothing;
    end if;
end $$;
revoke execute on function app.tell_later(uuid, text, uuid, text, jsonb) from public;

-- Writes into a record's history that it was sent to somebody: it changes nothing of it. Whoever asks is let through to the
-- record first.
create function app.note_sent(entity text, record uuid, sent jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, new)
    values (app.organization(), entity, record, 'send', app.actor(), app.request(), sent);
end $$;
revoke execute on function app.note_sent(text, uuid, jsonb) from public;
grant execute on function app.note_sent(text, uuid, jsonb) to app_user;

-- Somebody in whose name the program works: whom it is about, where he still works here; else who asks; else an owner.
create function app.somebody(first uuid) returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select m.id from iam.memberships m where m.organization_id = app.organization() and m.status = 'active' and m.deleted_at is null
            order by m.id = first desc nulls last, m.id = app.actor() desc nulls last, exists (select from iam.role_assignments a
                join iam.roles o on o.organization_id = a.organization_id and o.id = a.role_id and o.template = 'owner' and o.deleted_at is null
                where a.organization_id = m.organization_id and a.membership_id = m.id and a.deleted_at is null) desc, m.created_at, m.id limit 1);
end $$;
revoke execute on function app.somebody(uuid) from public;

-- Sends a record with its paper, in the language of whoever gets it; the letter is written as soon as the paper is.
create function app.send_paper(entity text, record uuid, recipient text, subject text, body text, language text) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into app.jobs (organization_id, kind, payload, created_by)
    values (app.organization(), 'records.send', jsonb_build_object('entity', entity, 'record', record, 'to', recipient, 'subject', subject, 'message', body, 'language', language),
        app.somebody(null));
end $$;
revoke execute on function app.send_paper(text, uuid, text, text, text, text) from public;

-- Takes an action by the road that people's actions go, rules of approval included, in somebody's name.
create function app.act_later(entity text, record uuid, action text, who uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into app.jobs (organization_id, kind, payload, created_by)
    values (app.organization(), 'records.act', jsonb_build_object('entity', entity, 'record', record, 'action', action), app.somebody(who));
end $$;
revoke execute on function app.act_later(text, uuid, text, uuid) from public;

create schema builder;
comment on schema builder is 'What an organization added to the product.';
create table builder.custom_fields (
    like app.record including all,
    entity      text not null,
    name        text not null constraint field_name_is_plain check (name ~ '^[a-z][a-z0-9_]{0,49}$'),
    label       text not null,
    type        text not null check (type in ('text', 'textarea', 'number', 'integer', 'money', 'percent', 'date', 'datetime', 'boolean', 'select', 'multiselect', 'email', 'phone', 'url',
                    'tags', 'user', 'richtext', 'rating', 'duration', 'color', 'location', 'country', 'timezone', 'barcode', 'signature', 'recurrence', 'file',
                    'time', 'daterange', 'users', 'address', 'autonumber', 'button', 'relation', 'lookup', 'rollup', 'count', 'formula', 'createdby', 'modifiedby',
                    'radio', 'status', 'priority', 'label', 'badge', 'checkbox', 'toggle', 'markdown', 'image', 'avatar', 'icon', 'progress', 'qrcode')),
    required    boolean not null default false,
    options     jsonb not null default '[]' check (jsonb_typeof(options) = 'array'),
    settings    jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),   -- what its type needs: see crates/kernel/src/overlay.rs
    help        text,
    position    integer not null default 0,
    visible_when jsonb check (jsonb_typeof(visible_when) = 'object'),      -- a condition on the record; null: always
    required_when jsonb check (jsonb_typeof(required_when) = 'object'),    -- null: as "required" says
    unique (organization_id, entity, name)
);
comment on table builder.custom_fields is 'A field that this organization added to an entity.';
comment on constraint field_name_is_plain on builder.custom_fields is 'A field''s name is lower case letters, digits and _, at most 50.';
select app.enroll('builder.custom_fields');
create policy system on builder.custom_fields for select to app_system using (true);
grant usage on schema builder to app_system;
grant select on builder.custom_fields to app_system;

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

-- Tables that an organization made for itself. Their records are rows of one table, so that making one is a row and no DDL;
-- what people may do with them stands in a setting of its own, app.tables: four letters a table, by its slot, as app.context
-- has them for what comes with the product.
create function app.own_scope(place integer) returns bytea language sql stable parallel safe
return substr(textsend(current_setting('app.tables', true)), place, 1);

create table builder.custom_tables (
    like app.record including all,
    name         text not null constraint table_name_is_plain check (name ~ '^[a-z][a-z0-9_]{0,49}$'),
    entity       text not null generated always as ('custom.' || name) stored,
    title        text not null constraint table_has_a_title check (title ~ '\S' and length(title) <= 100),
    singular     text constraint table_singular_is_short check (length(singular) <= 100),
    description  text constraint table_description_is_short check (length(description) <= 500),
    icon         text constraint table_icon_is_a_name check (icon ~ '^[a-z0-9-]{1,40}$'),
    states       jsonb not null default '[]',
    moves        jsonb not null default '[]',
    slot         integer not null default 0,
    purged_at    timestamptz,
    constraint custom_tables_name unique (organization_id, name),
    constraint custom_tables_slot unique (organization_id, slot),
    constraint custom_tables_entity unique (organization_id, entity)
);
comment on table builder.custom_tables is 'A table that this organization made for itself.';
comment on column builder.custom_tables.name is 'How programs call it; it stays as it is.';
comment on column builder.custom_tables.title is 'What many of its records are called.';
comment on column builder.custom_tables.singular is 'What one of its records is called.';
comment on column builder.custom_tables.states is '[{"id", "label", "color"}]: the first is where a record starts.';
comment on column builder.custom_tables.moves is '[{"action", "label", "source", "target"}]: the only roads from one state to another.';
comment on column builder.custom_tables.slot is 'Its place in app.tables, never given again.';
comment on column builder.custom_tables.purged_at is 'When what was in it was thrown away for good.';
comment on constraint table_name_is_plain on builder.custom_tables is 'A table''s name is lower case letters, digits and _, at most 50.';
comment on constraint table_has_a_title on builder.custom_tables is 'A table needs a title of at most 100 characters.';
comment on constraint table_singular_is_short on builder.custom_tables is 'At most 100 characters.';
comment on constraint table_description_is_short on builder.custom_tables is 'At most 500 characters.';
comment on constraint table_icon_is_a_name on builder.custom_tables is 'An icon is called by its name.';
comment on constraint custom_tables_name on builder.custom_tables is 'There is a table of this name, or there was one. Take another.';
select app.enroll('builder.custom_tables');
select app.derive('builder.custom_tables', '{slot,purged_at}');
create policy system on builder.custom_tables for select to app_system using (true);
grant select on builder.custom_tables to app_system;

create table builder.custom_records (
    like app.record including all,
    entity  text not null,
    slot    integer not null default 0,
    name    text not null constraint own_record_has_a_name check (name ~ '\S' and length(name) <= 500),
    state   text,
    constraint custom_records_table foreign key (organization_id, entity) references builder.custom_tables (organization_id, entity)
);
comment on table builder.custom_records is 'The records of the tables that organizations made for themselves.';
comment on column builder.custom_records.state is 'Where the record is on its way, where its table has one.';
comment on constraint own_record_has_a_name on builder.custom_records is 'A record needs a name of at most 500 characters.';
create index custom_records_list on builder.custom_records (organization_id, entity, id);
create index custom_records_name on builder.custom_records (organization_id, entity, name, id);
select app.searchable('builder.custom_records', 'A: name');
select app.enroll('builder.custom_records', ignored => '{entity,slot}');
-- As app.enroll has it, only that the rights are those of the table that the row is of.
do $$ declare n integer; what text; condition text; begin
    foreach what in array '{reads,creates,updates,deletes}'::text[] loop
        n := coalesce(n, 0) + 1;
        condition := replace(app.reach('builder.custom_records', 'created_by', false, array[n]), format('app.scope(%s)', n), format('app.own_scope(slot * 4 + %s)', n));
        execute format('alter policy %s on builder.custom_records %s (%s)', what, case what when 'creates' then 'with check' else 'using' end, condition);
    end loop;
end $$;

create function builder.place_table() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('builder.custom_tables ' || new.organization_id, 0));
    if (select count(*) from builder.custom_tables t where t.organization_id = new.organization_id and t.purged_at is null) >= 200 then
        raise exception 'A company has at most 200 tables of its own.' using errcode = 'AP001';
    end if;
    select coalesce(max(t.slot) + 1, 0) into new.slot from builder.custom_tables t where t.organization_id = new.organization_id;
    return new;
end $$;
create trigger place before insert on builder.custom_tables for each row execute function builder.place_table();
create trigger name_stays before update on builder.custom_tables for each row when (old.name is distinct from new.name or old.slot is distinct from new.slot)
    execute function app.refuse('The name of a table stays as it is; change its title.');
create trigger purged before update on builder.custom_tables for each row when (old.purged_at is not null)
    execute function app.refuse('What was in this table is gone for good.');

-- A flow is states that people can tell apart, and moves between them.
create function builder.check_flow() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare word constant text := '^[a-z][a-z0-9_]{0,49}$'; bad text;
begin
    if jsonb_typeof(new.states) <> 'array' or jsonb_typeof(new.moves) <> 'array'
        or jsonb_path_exists(new.states, 'strict $[*] ? (@.type() != "object")') or jsonb_path_exists(new.moves, 'strict $[*] ? (@.type() != "object")')
        or jsonb_array_length(new.states) > 50 or jsonb_array_length(new.moves) > 200 then
        raise exception 'A flow has at most 50 states and 200 moves.' using errcode = 'AP001', column = 'states';
    end if;
    if exists (select from jsonb_array_elements(new.states) s where (s ->> 'id' ~ word) is not true or (s ->> 'label' ~ '\S' and length(s ->> 'label') <= 100) is not true)
        or (select count(distinct s ->> 'id') from jsonb_array_elements(new.states) s) < jsonb_array_length(new.states) then
        raise exception 'Every state has an id of its own, in lower case letters, digits and _, and a label.' using errcode = 'AP001', column = 'states';
    end if;
    if exists (select from jsonb_array_elements(new.moves) m where (m ->> 'action' ~ word) is not true or (m ->> 'label' ~ '\S' and length(m ->> 'label') <= 100) is not true) then
        raise exception 'Every move has an action, in lower case letters, digits and _, and a label.' using errcode = 'AP001', column = 'moves';
    end if;
    select m ->> 'action' into bad from jsonb_array_elements(new.moves) m
    where m ->> 'action' = any ('{auto,create,read,update,delete,restore,export,import,undo,print,send,share}');
    if bad is not null then
        raise exception 'A move cannot be called %.', bad using errcode = 'AP001', column = 'moves';
    end if;
    if exists (select from jsonb_array_elements(new.moves) m where m ->> 'source' is not distinct from m ->> 'target'
            or not exists (select from jsonb_array_elements(new.states) s where s ->> 'id' = m ->> 'source')
            or not exists (select from jsonb_array_elements(new.states) s where s ->> 'id' = m ->> 'target'))
        or (select count(distinct (m ->> 'source', m ->> 'target')) from jsonb_array_elements(new.moves) m) < jsonb_array_length(new.moves)
        or (select count(distinct (m ->> 'source', m ->> 'action')) from jsonb_array_elements(new.moves) m) < jsonb_array_length(new.moves) then
        raise exception 'A move leads from one state of the table to another, and there is one of its kind.' using errcode = 'AP001', column = 'moves';
    end if;
    if (jsonb_array_length(new.states) = 0) <> (jsonb_array_length(new.moves) = 0) then
        raise exception 'States need moves between them.' using errcode = 'AP001', column = 'moves';
    end if;
    return new;
end $$;
create trigger check_flow before insert or update on builder.custom_tables for each row execute function builder.check_flow();

-- What is in use is not taken away: a state that records are in, an action that a rule of approval is about.
create function builder.pass_flow() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare bad record; first constant text := new.states -> 0 ->> 'id';
begin
    select r.state, count(*) as n into bad from builder.custom_records r
    where r.organization_id = new.organization_id and r.entity = new.entity and r.deleted_at is null and r.state is not null and first is not null
      and not exists (select from jsonb_array_elements(new.states) s where s ->> 'id' = r.state) group by r.state limit 1;
    if bad.n > 0 then
        raise exception '% records are %. Move them before this state goes.', bad.n, builder.state_said(old, bad.state) using errcode = 'AP001', column = 'states';
    end if;
    select a.name into bad from app.approval_rules a
    where a.organization_id = new.organization_id and a.entity = new.entity and a.deleted_at is null
      and exists (select from jsonb_array_elements(old.moves) m where m ->> 'action' = a.action)
      and not exists (select from jsonb_array_elements(new.moves) m where m ->> 'action' = a.action) limit 1;
    if found then
        raise exception 'The approval rule % is about an action that would go. Change the rule first.', bad.name using errcode = 'AP001', column = 'moves';
    end if;
    update builder.custom_records r set state = first
    where r.organization_id = new.organization_id and r.entity = new.entity and r.state is distinct from first
      and (first is null or r.state is null or not exists (select from jsonb_array_elements(new.states) s where s ->> 'id' = r.state));
    return null;
end $$;
create trigger pass_flow after update on builder.custom_tables for each row when (old.states is distinct from new.states or old.moves is distinct from new.moves)
    execute function builder.pass_flow();

-- A record is of a table that there is, and starts where the table's flow does; documents of the past come in through an
-- import in the state that they had.
create function builder.place_record() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare t builder.custom_tables; first text;
begin
    select x.* into t from builder.custom_tables x where x.organization_id = new.organization_id and x.entity = new.entity and x.deleted_at is null;
    if t.id is null then
        raise exception 'There is no such table.' using errcode = 'AP001';
    end if;
    new.slot := t.slot;
    first := t.states -> 0 ->> 'id';
    if first is null or new.state is null then
        new.state := first;
    elsif current_setting('app.importing', true) = 'yes' then
        if not exists (select from jsonb_array_elements(t.states) s where s ->> 'id' = new.state) then
            raise exception 'There is no state %.', new.state using errcode = 'AP001', column = 'state';
        end if;
    elsif new.state <> first then
        raise exception 'A new record starts as %.', builder.state_said(t, first) using errcode = 'AP001', column = 'state';
    end if;
    return new;
end $$;
create trigger place before insert on builder.custom_records for each row execute function builder.place_record();
create trigger stays before update on builder.custom_records for each row when (old.entity is distinct from new.entity or old.slot is distinct from new.slot)
    execute function app.refuse('A record stays in its table.');

create function builder.state_said(t builder.custom_tables, state text) returns text language sql immutable
return coalesce((select s ->> 'label' from jsonb_array_elements(t.states) s where s ->> 'id' = state), state, '');

-- As app.check_move, by the chart of the table. Whoever is where the chart does not know starts anew.
create function builder.move_record() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare t builder.custom_tables;
begin
    select x.* into strict t from builder.custom_tables x where x.organization_id = new.organization_id and x.entity = new.entity;
    if exists (select from jsonb_array_elements(t.moves) m where m ->> 'source' = old.state and m ->> 'target' = new.state)
        or new.state is not distinct from t.states -> 0 ->> 'id' and not exists (select from jsonb_array_elements(t.states) s where s ->> 'id' = old.state) then
        return new;
    end if;
    raise exception 'A record that is % cannot become %.', builder.state_said(t, old.state), builder.state_said(t, new.state) using errcode = 'AP001', column = 'state';
end $$;
create trigger moves before update on builder.custom_records for each row when (old.state is distinct from new.state) execute function builder.move_record();

-- What was thrown away a month ago is thrown away for good, in pieces; answers the records that went. The table's row stays,
-- so that neither its name nor its slot, and no right that was given to it, is ever another's.
create function builder.purge_tables(most integer) returns setof uuid language plpgsql security definer set search_path = pg_catalog as $$
declare t builder.custom_tables;
begin
    for t in select x.* from builder.custom_tables x where x.deleted_at < now() - interval '30 days' and x.purged_at is null for update skip locked loop
        return query delete from builder.custom_records r where r.ctid = any (array(
            select x.ctid from builder.custom_records x where x.organization_id = t.organization_id and x.entity = t.entity limit most)) returning r.id;
        if found then continue; end if;
        delete from builder.custom_fields f where f.organization_id = t.organization_id and f.entity = t.entity;
        update files.files f set deleted_at = now() where f.organization_id = t.organization_id and f.entity = t.entity and f.deleted_at is null;
        update builder.custom_tables x set purged_at = now() where x.organization_id = t.organization_id and x.id = t.id;
    end loop;
end $$;
revoke execute on function builder.purge_tables(integer) from public;
grant execute on function builder.purge_tables(integer) to app_system;

-- What happens by itself: when something happens to a record, if a condition holds, then actions. See
-- crates/flow/src/triggers.rs.
create table builder.triggers (
    like app.record including all,
    name         text not null constraint trigger_has_a_name check (name ~ '\S' and length(name) <= 100),
    description  text,
    entity       text not null,
    event        text not null check (event in ('created', 'updated', 'deleted', 'field_changed', 'acted')),
    fields       text[] not null default '{}',     -- of field_changed: one of these
    action       text,                             -- of acted: the move
    condition    jsonb check (jsonb_typeof(condition) = 'object'),
    actions      jsonb not null check (jsonb_typeof(actions) = 'array'),
    on_error     text not null default 'stop' check (on_error in ('stop', 'continue')),
    is_active    boolean not null default true,
    run_as       uuid not null default app.actor(),
    language     text not null default 'en',
    foreign key (organization_id, run_as) references iam.memberships on delete cascade
);
comment on table builder.triggers is 'What happens by itself when something happens to a record.';
comment on column builder.triggers.condition is 'Of the record, its relations and lines, and of what was changed; null: always.';
comment on column builder.triggers.run_as is 'Who last saved it: it goes as far as his rights go when it runs.';
comment on column builder.triggers.language is 'In which its texts say amounts and days.';
comment on constraint trigger_has_a_name on builder.triggers is 'A name has 1 to 100 characters.';
create index triggers_active on builder.triggers (organization_id, entity) where is_active and deleted_at is null;
select app.enroll('builder.triggers');

-- Written once, by the transaction that did it; kept 90 days.
create table builder.trigger_executions (
    organization_id   uuid not null default app.organization(),
    id                uuid not null,               -- of the job: what is done once is told once
    trigger_id        uuid not null,
    entity            text not null,
    record_id         uuid not null,
    event             jsonb not null,              -- {kind, old, new, changed, actor}
    conditions_met    boolean not null,
    condition_result  jsonb,                       -- each rule with what stood on either side, and its verdict
    actions_executed  jsonb not null default '[]', -- [{type, status, detail, message, attempts}]
    status            text not null check (status in ('SUCCESS', 'PARTIAL_SUCCESS', 'FAILED')),
    outcome           text not null check (outcome in ('matched', 'skipped', 'blocked_loop')),
    error_message     text,
    execution_ms      integer not null,
    executed_at       timestamptz not null default now(),
    primary key (organization_id, id),
    foreign key (organization_id, trigger_id) references builder.triggers on delete cascade
);
comment on table builder.trigger_executions is 'What triggers did, and why.';
create index trigger_executions_trigger on builder.trigger_executions (organization_id, trigger_id, id);
create index trigger_executions_at on builder.trigger_executions (executed_at);
alter table builder.trigger_executions enable row level security;
do $$ declare place constant integer := (select e.slot * 4 from app.entities e where e.name = 'builder.triggers'); begin
    execute format('create policy reads on builder.trigger_executions for select to app_user using (organization_id = app.organization() and %s)', app.goes(array[place + 1], 'a'));
end $$;
create policy creates on builder.trigger_executions for insert to app_user with check (organization_id = app.organization());
create policy system on builder.trigger_executions to app_system using (true) with check (true);
grant select, insert on builder.trigger_executions to app_user;
grant select, insert, delete on builder.trigger_executions to app_system;

-- Whoever has one of these roles and works here.
create function app.people_in(roles text[]) returns uuid[] language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return array(select m.id from iam.memberships m where m.organization_id = app.organization() and m.status = 'active' and m.deleted_at is null
        and exists (select from unnest(roles) r where app.holds_role(m.id, r, null)) order by m.name, m.id);
end $$;
revoke execute on function app.people_in(text[]) from public;
grant execute on function app.people_in(text[]) to app_user;

-- A change asks for one job for each trigger that is about it, however often the transaction changes the record; what
-- was first and what is last is told together. A line is its record's. What a trigger writes carries the way it came, in
-- app.caused, so that what goes round in a circle is seen. The history's trigger asks here only where a company has triggers.
create function app.fire(entity text, operation text, r jsonb, before jsonb, after jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
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
revoke execute on function app.fire(text, text, jsonb, jsonb, jsonb) from public;

create schema imports;
comment on schema imports is 'Data brought in from files.';
create table imports.imports (
    like app.record including all,
    entity      text not null,
    file_id     uuid,                                 -- null: a program sent the rows with the request
    name        text,
    format      text not null check (format in ('csv', 'xlsx', 'json')),
    manner      jsonb not null default '{}',          -- how the file is read again: encoding, delimiter
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
select app.enroll('imports.imports');
-- An import keeps its own books; people say only what goes where. By its batch it is undone.
select app.derive('imports.imports', '{entity,file_id,name,format,manner,status,columns,batch_id,total,done,created,updated,unchanged,failed,errors,job_id}');

create table imports.saved_mappings (
    like app.record including all,
    entity      text not null,
    name        text not null constraint mapping_has_a_name check (name ~ '\S' and length(name) <= 100),
    mapping     jsonb not null,
    upsert_key  text,
    unique (organization_id, entity, name)
);
comment on table imports.saved_mappings is 'A mapping kept for the next file of the same kind.';
comment on constraint mapping_has_a_name on imports.saved_mappings is 'A mapping needs a name of at most 100 characters.';
select app.enroll('imports.saved_mappings');

-- Who may import is a matter of the entity that the rows go into, so everybody may have imports of his own, and anybody
-- may use the mappings of his colleagues.
do $$ declare place integer; own constant text := 'organization_id = app.organization() and (created_by = app.actor() or app.scope(%s) = ''a'')'; begin
    select e.slot * 4 into strict place from app.entities e where e.name = 'imports.imports';
    execute format('alter policy reads on imports.imports using (' || own || ')', place + 1);
    execute format('alter policy updates on imports.imports using (' || own || ')', place + 3);
    select e.slot * 4 into strict place from app.entities e where e.name = 'imports.saved_mappings';
    execute format('alter policy updates on imports.saved_mappings using (' || own || ')', place + 3);
    execute format('alter policy deletes on imports.saved_mappings using (' || own || ')', place + 4);
end $$;
alter policy reads on imports.saved_mappings using (organization_id = app.organization());
alter policy creates on imports.imports with check (organization_id = app.organization() and created_by = app.actor());
alter policy creates on imports.saved_mappings with check (organization_id = app.organization() and created_by = app.actor());

create table app.schema_changes (
    module      text not null,
    number      integer not null,
    checksum    text not null,
    before      text,        -- the checksum of the whole schema until this step; null where it came with the whole
    applied_at  timestamptz not null default now(),
    primary key (module, number)
);
comment on table app.schema_changes is 'The steps that this database has taken.';
grant select on app.schema_changes to app_system, app_user;

-- What a new day brings one company: every module's own `daily()`. Asked for every hour, since each company's day begins
-- at its own; what a `daily` has done, it does not do again.
create function app.daily(company uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare module text; zone text;
begin
    select o.time_zone into strict zone from tenancy.organizations o where o.id = company;
    perform set_config('app.context', format('%s %s %s ', company, '00000000-0000-0000-0000-000000000000', app.new_id()), true);
    perform set_config('app.system', 'yes', true);
    perform set_config('timezone', zone, true);
    for module in
        select p.pronamespace::regnamespace::text from pg_proc p join app.entities e on split_part(e.name, '.', 1)::regnamespace = p.pronamespace
        where p.proname = 'daily' and p.pronargs = 0 group by 1 order by 1
    loop
        execute format('select %s.daily()', module);
    end loop;
end $$;
revoke execute on function app.daily(uuid) from public;
grant execute on function app.daily(uuid) to app_system;

-- The series that the organization has numbered in, has a pattern for, or that a field of the product is numbered by.
create function app.series_in_use() returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
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
revoke execute on function app.series_in_use() from public;
grant execute on function app.series_in_use() to app_user;

-- How the organization writes the numbers of a series from now on; null is as the product does. What is numbered stays so.
create function app.set_series(series text, pattern text) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare was text;
begin
    select n.pattern into was from app.number_series n where n.organization_id = app.organization() and n.series = set_series.series for update;
    if was is not distinct from pattern then return; end if;
    if pattern is null then
        delete from app.number_series n where n.organization_id = app.organization() and n.series = set_series.series;
    else
        insert into app.number_series as n (organization_id, series, pattern) values (app.organization(), set_series.series, set_series.pattern)
        on conflict on constraint number_series_pkey do update set pattern = excluded.pattern;
    end if;
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, old, new)
    values (app.organization(), 'tenancy.settings', app.new_id(), 'update', app.actor(), app.request(),
        jsonb_build_object('value', was), jsonb_build_object('key', 'numbers.' || series, 'value', pattern));
end $$;
revoke execute on function app.set_series(text, text) from public;
grant execute on function app.set_series(text, text) to app_user;

-- The history is sealed in blocks, each linked to the one before: whoever changes a row of it later, past every trigger
-- and grant, has to make all blocks after it anew. Sealed is what is older than an hour; no transaction takes that long.
create table app.audit_blocks (
    organization_id  uuid not null,
    number           integer not null,
    from_at          timestamptz not null,
    to_at            timestamptz not null,
    row_count        bigint not null,
    hash             bytea not null,
    primary key (organization_id, number)
);
comment on table app.audit_blocks is 'Seals of the history: the hash of the block before and of every row from one instant, not itself, through another.';
alter table app.audit_blocks enable row level security;
create policy tenant_read on app.audit_blocks for select to app_user using (organization_id = app.organization());
grant select on app.audit_blocks to app_user;

create function app.block_hash(company uuid, from_at timestamptz, to_at timestamptz, before bytea) returns table (n bigint, hash bytea) language plpgsql stable
security definer set search_path = pg_catalog as $$
begin
    return query
    select count(*), sha256(coalesce(before, '') || coalesce(string_agg(sha256(convert_to(concat_ws('|', a.id, extract(epoch from a.at), a.entity, a.record_id, a.action,
        a.actor_id, a.request_id, a.version, a.old, a.new), 'UTF8')), '' order by a.at, a.id), ''))
    from app.audit a where a.organization_id = company and a.at > from_at and a.at <= to_at;
end $$;
revoke execute on function app.block_hash(uuid, timestamptz, timestamptz, bytea) from public;

create function app.seal_audit(company uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare b app.audit_blocks; until constant timestamptz := date_trunc('hour', now()) - interval '1 hour'; start timestamptz; made record;
begin
    perform pg_advisory_xact_lock(hashtextextended('app.seal_audit ' || company, 0));
    select * into b from app.audit_blocks x where x.organization_id = company order by x.number desc limit 1;
    select min(a.at) into start from app.audit a where a.organization_id = company and a.at > coalesce(b.to_at, '-infinity');
    if start is null or start > until then return; end if;
    start := coalesce(b.to_at, start - interval '1 microsecond');
    select * into made from app.block_hash(company, start, until, b.hash);
    insert into app.audit_blocks (organization_id, number, from_at, to_at, row_count, hash) values (company, coalesce(b.number, 0) + 1, start, until, made.n, made.hash);
end $$;
revoke execute on function app.seal_audit(uuid) from public;
grant execute on function app.seal_audit(uuid) to app_system;

-- For `fondaco verify`: documents are the sums of their parts, wherever app.total keeps them; the history is as it was sealed.
create function app.verify() returns table (organization_id uuid, wrong text) language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare t record; b app.audit_blocks; before bytea; was uuid; found_hash record;
begin
    for t in
        select e.name as part, g.args[1] as whole, g.args[2] as fk, c as sum from app.entities e
        join pg_trigger x on x.tgrelid = e.name::regclass and x.tgname = 'total'
        cross join lateral (select string_to_array(rtrim(encode(x.tgargs, 'escape'), '\000'), '\000') as args) g
        cross join lateral unnest(g.args[3:]) c
    loop
        return query execute format('select w.organization_id, format(''%s %%s: %s is %%s, its %s come to %%s'', w.id, w.%I, coalesce(s.sum, 0)) from %s w
            left join (select organization_id, %I as id, sum(%I) as sum from %s group by 1, 2) s using (organization_id, id) where w.%I is distinct from coalesce(s.sum, 0)',
            t.whole, t.sum, t.part, t.sum, t.whole, t.fk, t.sum, t.part, t.sum);
    end loop;
    for b in select * from app.audit_blocks x order by x.organization_id, x.number loop
        if b.organization_id is distinct from was then
            before := null;
            if b.number <> 1 then
                organization_id := b.organization_id; wrong := format('history: blocks before %s are missing', b.number);
                return next;
            end if;
        end if;
        select * into found_hash from app.block_hash(b.organization_id, b.from_at, b.to_at, before);
        if found_hash.hash <> b.hash then
            organization_id := b.organization_id;
            wrong := format('history: block %s, from %s through %s, is not as it was sealed: %s rows then, %s now', b.number, b.from_at, b.to_at, b.row_count, found_hash.n);
            return next;
        end if;
        was := b.organization_id;
        before := b.hash;
    end loop;
end $$;
comment on function app.verify() is 'Documents that are not the sum of their parts, and history that was changed.';
revoke execute on function app.verify() from public;

create table app.proofs (
    organization_id  uuid primary key,
    proved_at        timestamptz not null default now(),
    wrong            text[] not null default '{}'
);
comment on table app.proofs is 'What the last nightly check of everything found, company by company.';
alter table app.proofs enable row level security;
create policy tenant_read on app.proofs for select to app_user using (organization_id = app.organization());
grant select on app.proofs to app_user;

-- Everything that any module's own `verify()` finds wrong, in all companies.
create function app.everything_wrong() returns table (organization_id uuid, wrong text) language plpgsql stable security definer set search_path = pg_catalog as $$
declare module text;
begin
    for module in
        select p.pronamespace::regnamespace::text from pg_proc p where p.proname = 'verify' and p.pronargs = 0
          and (p.pronamespace = 'app'::regnamespace or p.pronamespace::regnamespace::text in (select split_part(e.name, '.', 1) from app.entities e)) order by 1
    loop
        return query execute format('select v.organization_id, %L || v.wrong from %s.verify() v limit 1000', module || ': ', module);
    end loop;
end $$;
revoke execute on function app.everything_wrong() from public;

-- The nightly check: what it finds is kept, and the owners of a company are told of what they were not told before.
create function app.prove() returns integer language plpgsql security definer set search_path = pg_catalog as $$
declare c record; person uuid; total integer := 0;
begin
    for c in
        select o.id, coalesce(array_agg(w.wrong order by w.wrong) filter (where w.wrong is not null), '{}') as wrong, coalesce(min(p.wrong), '{}') as before
        from tenancy.organizations o left join app.everything_wrong() w on w.organization_id = o.id left join app.proofs p on p.organization_id = o.id
        where o.status <> 'inactive' group by o.id order by o.id
    loop
        insert into app.proofs as p (organization_id, wrong) values (c.id, c.wrong)
        on conflict (organization_id) do update set proved_at = now(), wrong = excluded.wrong;
        total := total + cardinality(c.wrong);
        if c.wrong <@ c.before then continue; end if;
        perform set_config('app.context', format('%s %s %s ', c.id, '00000000-0000-0000-0000-000000000000', app.new_id()), true);
        for person in select distinct a.membership_id from iam.role_assignments a join iam.roles r on r.organization_id = a.organization_id and r.id = a.role_id
            where a.organization_id = c.id and r.template = 'owner' and a.deleted_at is null
        loop
            perform app.notify(person, 'proof', jsonb_build_object('en', 'Something in the books does not add up', 'ru', 'В учёте что-то не сходится',
                'kk', 'Есепте бір нәрсе сәйкес келмейді'), c.wrong[1], null, null, null);
        end loop;
    end loop;
    return total;
end $$;
revoke execute on function app.prove() from public;
grant execute on function app.prove() to app_system;
