alter table social.notifications add column done_at timestamptz, add column snoozed_until timestamptz;
comment on column social.notifications.done_at is 'When the person put it away.';
comment on column social.notifications.snoozed_until is 'Until then it is out of sight, and new again afterwards.';

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

drop function app.notify(uuid, text, text, text, text, uuid);
create function app.next_time(clock time, zone text) returns timestamptz language sql stable
return (case when (now() at time zone zone)::time < clock then (now() at time zone zone)::date
             else (now() at time zone zone)::date + 1 end + clock) at time zone zone;

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

create function app.notify(for_user uuid, kind text, titles jsonb, body text, entity text, record uuid, link text) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare
    made uuid; wishes jsonb; who record; title text; clock time; send_at timestamptz := now();
    hour constant text := '^([01]\d|2[0-3]):[0-5]\d$';
begin
    select u.id, u.email, u.time_zone, u.preferences, left(u.locale, 2) as language, o.name as company into who
    from iam.memberships m left join iam.users u on u.id = m.id join tenancy.organizations o on o.id = m.organization_id
    where m.organization_id = app.organization() and m.id = for_user and m.status = 'active' and m.deleted_at is null;
    if not found then return null; end if;
    wishes := coalesce(who.preferences #> array['notifications', '*'], '{}') || coalesce(who.preferences #> array['notifications', notify.kind], '{}');
    title := coalesce(titles ->> who.language, titles ->> 'en');
    if wishes -> 'in_app' is distinct from 'false' then
        made := app.new_id();
        insert into social.notifications (organization_id, id, user_id, kind, title, body, entity, record_id)
        values (app.organization(), made, for_user, kind, title, body, entity, record);
    end if;
    if wishes -> 'email' is distinct from 'true' then return made; end if;
    if who.preferences ->> 'digest' ~ hour then
        insert into app.digests (person, company, title, body, link, due_at)
        values (who.id, who.company, title, body, link, app.next_time((who.preferences ->> 'digest')::time, who.time_zone));
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
    values (who.email, title, coalesce(body, title) || coalesce(E'\n\n' || link, ''), send_at);
    return made;
end $$;
revoke execute on function app.notify(uuid, text, jsonb, text, text, uuid, text) from public;
grant execute on function app.notify(uuid, text, jsonb, text, text, uuid, text) to app_user;

-- down
drop function app.notify(uuid, text, jsonb, text, text, uuid, text);
create function app.notify(for_user uuid, kind text, title text, body text, entity text, record uuid) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare made uuid; wishes jsonb; address text;
begin
    select u.email, coalesce(u.preferences #> array['notifications', '*'], '{}') || coalesce(u.preferences #> array['notifications', notify.kind], '{}')
      into address, wishes
    from iam.memberships m left join iam.users u on u.id = m.id
    where m.organization_id = app.organization() and m.id = for_user and m.status = 'active' and m.deleted_at is null;
    if not found then return null; end if;
    if wishes -> 'in_app' is distinct from 'false' then
        made := app.new_id();
        insert into social.notifications (organization_id, id, user_id, kind, title, body, entity, record_id)
        values (app.organization(), made, for_user, kind, title, body, entity, record);
    end if;
    if wishes -> 'email' = 'true' then
        perform app.send_mail(address, title, coalesce(body, title));
    end if;
    return made;
end $$;
revoke execute on function app.notify(uuid, text, text, text, text, uuid) from public;
grant execute on function app.notify(uuid, text, text, text, text, uuid) to app_user;
drop table app.digests;
drop function app.next_time(time, text);
drop table app.seen;
alter table social.notifications drop column done_at, drop column snoozed_until;
