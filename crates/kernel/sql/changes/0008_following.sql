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

create or replace function app.log_change() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    skip constant text[] := tg_argv[1:] || '{organization_id,created_at,created_by,updated_at,updated_by,version,search,search_text}'::text[];
    before jsonb; after jsonb; r record;
begin
    if tg_op = 'INSERT' then
        r := new;
        after := jsonb_strip_nulls(to_jsonb(new) - skip - 'id');
    elsif tg_op = 'DELETE' then
        r := old;
        before := to_jsonb(old) - skip;
    else
        r := new;
        before := to_jsonb(old) - skip;
        after := to_jsonb(new) - skip;
        -- Most often it is a total, which is not worth a line.
        if after = before then return null; end if;
        select jsonb_object_agg(a.key, b.value), jsonb_object_agg(a.key, a.value) into before, after
        from jsonb_each(after) a join jsonb_each(before) b using (key)
        where a.value is distinct from b.value;
    end if;
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, version, old, new)
    values (r.organization_id, tg_argv[0], r.id, lower(tg_op), app.actor(), app.request(), r.version, before, after);
    if tg_argv[0] !~ '^(social|iam|tenancy|files|imports|builder)\.' and app.actor() <> '00000000-0000-0000-0000-000000000000' then
        perform app.tell_later(r.organization_id, tg_argv[0], r.id, tg_op, after);
    end if;
    return null;
end $$;

-- down
create or replace function app.log_change() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    skip constant text[] := tg_argv[1:] || '{organization_id,created_at,created_by,updated_at,updated_by,version,search,search_text}'::text[];
    before jsonb; after jsonb; r record;
begin
    if tg_op = 'INSERT' then
        r := new;
        after := jsonb_strip_nulls(to_jsonb(new) - skip - 'id');
    elsif tg_op = 'DELETE' then
        r := old;
        before := to_jsonb(old) - skip;
    else
        r := new;
        before := to_jsonb(old) - skip;
        after := to_jsonb(new) - skip;
        -- Most often it is a total, which is not worth a line.
        if after = before then return null; end if;
        select jsonb_object_agg(a.key, b.value), jsonb_object_agg(a.key, a.value) into before, after
        from jsonb_each(after) a join jsonb_each(before) b using (key)
        where a.value is distinct from b.value;
    end if;
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, version, old, new)
    values (r.organization_id, tg_argv[0], r.id, lower(tg_op), app.actor(), app.request(), r.version, before, after);
    return null;
end $$;
drop function app.note_sent(text, uuid, jsonb);
drop function app.tell_later(uuid, text, uuid, text, jsonb);
drop table app.followers;
delete from app.jobs where kind = 'records.tell';
delete from social.notifications where kind = 'change';
