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

-- down: the seals are lost
drop function app.prove();
drop function app.everything_wrong();
drop table app.proofs;
drop function app.verify();
drop function app.seal_audit(uuid);
drop function app.block_hash(uuid, timestamptz, timestamptz, bytea);
drop table app.audit_blocks;
