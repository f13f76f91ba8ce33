-- Letters that the program writes have their paper with them; what it does by itself is held against the rules of approval.
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

create or replace function app.users_of(of_entity text, of_id uuid) returns table (entity text, count bigint) language plpgsql stable
security definer set search_path = pg_catalog as $$
declare key record; n bigint;
begin
    for key in
        select e.name, a.attname, e.part_of from pg_constraint c
        join app.entities e on e.name::regclass = c.conrelid
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[2]
        where c.contype = 'f' and c.confrelid = of_entity::regclass and cardinality(c.conkey) = 2
          and e.part_of is distinct from of_entity and c.confdeltype <> 'c'    -- what goes with it does not hold it
        order by 1
    loop
        execute format('select count(*) from (select from %s where organization_id = $1 and %I = $2 and deleted_at is null limit 1000) x', key.name, key.attname)
            into n using app.organization(), of_id;
        if n > 0 then
            return query select key.name, n;
        end if;
    end loop;
end $$;

-- down
create or replace function app.users_of(of_entity text, of_id uuid) returns table (entity text, count bigint) language plpgsql stable
security definer set search_path = pg_catalog as $$
declare key record; n bigint;
begin
    for key in
        select e.name, a.attname, e.part_of from pg_constraint c
        join app.entities e on e.name::regclass = c.conrelid
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[2]
        where c.contype = 'f' and c.confrelid = of_entity::regclass and cardinality(c.conkey) = 2
          and e.part_of is distinct from of_entity
        order by 1
    loop
        execute format('select count(*) from (select from %s where organization_id = $1 and %I = $2 and deleted_at is null limit 1000) x', key.name, key.attname)
            into n using app.organization(), of_id;
        if n > 0 then
            return query select key.name, n;
        end if;
    end loop;
end $$;
drop function app.act_later(text, uuid, text, uuid);
drop function app.send_paper(text, uuid, text, text, text, text);
drop function app.somebody(uuid);
