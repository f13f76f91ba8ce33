-- Conversations outside of records.
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

create or replace function app.notify(for_user uuid, kind text, titles jsonb, body text, entity text, record uuid, link text) returns uuid
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

-- down
create or replace function app.notify(for_user uuid, kind text, titles jsonb, body text, entity text, record uuid, link text) returns uuid
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
alter policy tenant_read on app.audit using (organization_id = app.organization());
do $$ declare place constant integer := (select e.slot * 4 from app.entities e where e.name = 'social.notifications'); begin
    execute format('alter policy reads on social.notifications using (%s)', app.reach('social.notifications', 'user_id', false, array[place + 1]));
    execute format('alter policy updates on social.notifications using (%s)', app.reach('social.notifications', 'user_id', false, array[place + 3]));
    execute format('alter policy deletes on social.notifications using (%s)', app.reach('social.notifications', 'user_id', false, array[place + 4]));
end $$;
drop function app.react_to_message(uuid, text);
drop function app.take_part(uuid);
drop table social.messages;
drop table social.participants;
drop table social.conversations;
drop function app.conversations();
delete from social.notifications where kind = 'message';
delete from files.files where entity = 'social.messages';
delete from app.entities where name in ('social.messages', 'social.participants', 'social.conversations');
