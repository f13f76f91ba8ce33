-- PostgreSQL database dump


-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;


CREATE SCHEMA app;


ALTER SCHEMA app OWNER TO app_owner;


COMMENT ON SCHEMA app IS 'What every tenant table stands on: context, keys, isolation, audit, documents.';



CREATE SCHEMA builder;


ALTER SCHEMA builder OWNER TO app_owner;


COMMENT ON SCHEMA builder IS 'What an organization added to the product.';



CREATE SCHEMA files;


ALTER SCHEMA files OWNER TO app_owner;


COMMENT ON SCHEMA files IS 'Files that people attach.';



CREATE SCHEMA finance;


ALTER SCHEMA finance OWNER TO app_owner;


COMMENT ON SCHEMA finance IS 'Invoices, payments, and which payment settles which invoice.';



CREATE SCHEMA iam;


ALTER SCHEMA iam OWNER TO app_owner;


COMMENT ON SCHEMA iam IS 'People and what they may do.';



CREATE SCHEMA imports;


ALTER SCHEMA imports OWNER TO app_owner;


COMMENT ON SCHEMA imports IS 'Data brought in from files.';



CREATE SCHEMA parties;


ALTER SCHEMA parties OWNER TO app_owner;


COMMENT ON SCHEMA parties IS 'Companies and people outside: customers, suppliers, carriers.';



CREATE SCHEMA products;


ALTER SCHEMA products OWNER TO app_owner;


COMMENT ON SCHEMA products IS 'What we buy, make and sell, in which units, at which taxes.';



CREATE SCHEMA sales;


ALTER SCHEMA sales OWNER TO app_owner;


COMMENT ON SCHEMA sales IS 'Orders from customers, from draft to delivery.';



CREATE SCHEMA social;


ALTER SCHEMA social OWNER TO app_owner;


COMMENT ON SCHEMA social IS 'Views, notifications, comments.';



CREATE SCHEMA tenancy;


ALTER SCHEMA tenancy OWNER TO app_owner;


COMMENT ON SCHEMA tenancy IS 'The companies under this roof.';



CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;



COMMENT ON EXTENSION btree_gin IS 'support for indexing common datatypes in GIN';



CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;



COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';



CREATE DOMAIN app.email AS text
	CONSTRAINT email_has_at CHECK (((VALUE ~ '^[^@\s]+@[^@\s]+$'::text) AND (length(VALUE) <= 254)));


ALTER DOMAIN app.email OWNER TO app_owner;


COMMENT ON CONSTRAINT email_has_at ON DOMAIN app.email IS 'This is not an e-mail address.';



CREATE DOMAIN app.money AS numeric(20,6)
	CONSTRAINT money_is_finite CHECK ((VALUE <> ALL (ARRAY['NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric])));


ALTER DOMAIN app.money OWNER TO app_owner;


COMMENT ON CONSTRAINT money_is_finite ON DOMAIN app.money IS 'This is not an amount.';



CREATE DOMAIN app.percent AS numeric(9,6)
	CONSTRAINT percent_is_finite CHECK ((VALUE <> ALL (ARRAY['NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric])));


ALTER DOMAIN app.percent OWNER TO app_owner;


COMMENT ON CONSTRAINT percent_is_finite ON DOMAIN app.percent IS 'This is not a percentage.';



CREATE DOMAIN app.phone AS text
	CONSTRAINT phone_is_short CHECK ((length(VALUE) <= 50));


ALTER DOMAIN app.phone OWNER TO app_owner;


COMMENT ON CONSTRAINT phone_is_short ON DOMAIN app.phone IS 'A phone number has at most 50 characters.';



CREATE DOMAIN app.quantity AS numeric(20,6)
	CONSTRAINT quantity_is_finite CHECK ((VALUE <> ALL (ARRAY['NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric])));


ALTER DOMAIN app.quantity OWNER TO app_owner;


COMMENT ON CONSTRAINT quantity_is_finite ON DOMAIN app.quantity IS 'This is not a quantity.';



CREATE DOMAIN app.textarea AS text;


ALTER DOMAIN app.textarea OWNER TO app_owner;


CREATE DOMAIN app.url AS text
	CONSTRAINT url_is_web CHECK (((VALUE ~* '^https?://'::text) AND (length(VALUE) <= 2000)));


ALTER DOMAIN app.url OWNER TO app_owner;


COMMENT ON CONSTRAINT url_is_web ON DOMAIN app.url IS 'A web address starts with http:// or https://.';



CREATE FUNCTION app.said(first integer, length integer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(encode(substr(textsend(current_setting('app.context'::text, true)), first, length), 'escape'::text), ''::text);


ALTER FUNCTION app.said(first integer, length integer) OWNER TO app_owner;


CREATE FUNCTION app.actor() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (app.said(38, 36))::uuid;


ALTER FUNCTION app.actor() OWNER TO app_owner;


CREATE FUNCTION app.cancel_job(job_key text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare cancelled uuid;
begin
    update app.jobs j set status = 'cancelled', finished_at = now()
    where j.organization_id = app.organization() and j.key = job_key and j.status in ('queued', 'running') returning j.id into cancelled;
    return cancelled;
end $$;


ALTER FUNCTION app.cancel_job(job_key text) OWNER TO app_owner;


CREATE FUNCTION app.check_closed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare changed text;
begin
    if current_setting('app.system', true) = 'yes' then return null; end if;
    select string_agg(replace(key, '_', ' '), ', ') into changed
    from jsonb_each(to_jsonb(new)) a join jsonb_each(to_jsonb(old)) b using (key)
    where a.value is distinct from b.value and key <> all (tg_argv);
    if changed is not null then
        raise exception 'This record is no longer open: % cannot change.', changed using errcode = 'AP001';
    end if;
    return null;
end $$;


ALTER FUNCTION app.check_closed() OWNER TO app_owner;


CREATE FUNCTION app.check_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_setting('app.importing', true) = 'yes' then return old; end if;
    raise exception '%', tg_argv[0] using errcode = 'AP001';
end $$;


ALTER FUNCTION app.check_delete() OWNER TO app_owner;


CREATE FUNCTION app.check_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare was text := to_jsonb(old) ->> tg_argv[1]; becomes text := to_jsonb(new) ->> tg_argv[1];
begin
    if not exists (select from app.transitions where entity = tg_argv[0] and source = was and target = becomes) then
        raise exception 'A record that is % cannot become %.', replace(was, '_', ' '), replace(becomes, '_', ' ')
            using errcode = 'AP001', column = tg_argv[1];
    end if;
    return new;
end $$;


ALTER FUNCTION app.check_move() OWNER TO app_owner;


CREATE FUNCTION app.check_part_closed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
declare r jsonb := to_jsonb(coalesce(new, old)); state text;
begin
    if current_setting('app.importing', true) = 'yes' or current_setting('app.system', true) = 'yes' then return coalesce(new, old); end if;
    execute format('select %I from %s where organization_id = $1 and id = $2 for no key update', tg_argv[1], tg_argv[0])
        into state using (r ->> 'organization_id')::uuid, (r ->> tg_argv[3])::uuid;
    if state <> all (tg_argv[2]::text[]) then
        raise exception 'The record that this belongs to is no longer open.' using errcode = 'AP001';
    end if;
    return coalesce(new, old);
end $_$;


ALTER FUNCTION app.check_part_closed() OWNER TO app_owner;


CREATE FUNCTION app.check_start() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_setting('app.importing', true) = 'yes' then return new; end if;
    raise exception '%', tg_argv[0] using errcode = 'AP001', column = 'status';
end $$;


ALTER FUNCTION app.check_start() OWNER TO app_owner;


CREATE FUNCTION app.new_id() RETURNS uuid
    LANGUAGE sql PARALLEL SAFE
    RETURN (encode(set_bit(set_bit(OVERLAY(uuid_send(gen_random_uuid()) PLACING SUBSTRING(int8send(((EXTRACT(epoch FROM clock_timestamp()) * (1000)::numeric))::bigint) FROM 3) FROM 1 FOR 6), (52)::bigint, 1), (53)::bigint, 1), 'hex'::text))::uuid;


ALTER FUNCTION app.new_id() OWNER TO app_owner;


CREATE FUNCTION app.organization() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (app.said(1, 36))::uuid;


ALTER FUNCTION app.organization() OWNER TO app_owner;

SET default_tablespace = '';

SET default_table_access_method = heap;


CREATE TABLE app.jobs (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    kind text NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    key text,
    status text DEFAULT 'queued'::text NOT NULL,
    created_by uuid DEFAULT app.actor() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    claim uuid,
    lease_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    max_attempts integer DEFAULT 5 NOT NULL,
    done bigint DEFAULT 0 NOT NULL,
    total bigint,
    result jsonb,
    error text,
    CONSTRAINT jobs_max_attempts_check CHECK (((max_attempts >= 1) AND (max_attempts <= 100))),
    CONSTRAINT jobs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);


ALTER TABLE app.jobs OWNER TO app_owner;


COMMENT ON TABLE app.jobs IS 'Work to be done later, as the person who asked for it. `failed` after the last attempt is the dead letter.';



CREATE FUNCTION app.claim_job(claim uuid, lease double precision, most bigint) RETURNS SETOF app.jobs
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
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


ALTER FUNCTION app.claim_job(claim uuid, lease double precision, most bigint) OWNER TO app_owner;


CREATE FUNCTION app.daily(company uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
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


ALTER FUNCTION app.daily(company uuid) OWNER TO app_owner;


CREATE FUNCTION app.data_key() RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select o.data_key from tenancy.organizations o where o.id = app.organization());
end $$;


ALTER FUNCTION app.data_key() OWNER TO app_owner;


CREATE FUNCTION app.derive(entity text, columns text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    update app.entities e set derived = array(select distinct unnest(e.derived || columns)) where e.name = entity;
    perform app.log(entity);
end $$;


ALTER FUNCTION app.derive(entity text, columns text[]) OWNER TO app_owner;


CREATE FUNCTION app.digits(currency text) RETURNS smallint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select c.digits from app.currencies c where c.code = currency);
end $$;


ALTER FUNCTION app.digits(currency text) OWNER TO app_owner;


CREATE FUNCTION app.editable_in(entity text, field text, open_in text[], keep text[] DEFAULT '{}'::text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare part app.entities;
begin
    execute format('create trigger closed after update on %s for each row when (old.%I <> all (%L))
        execute function app.check_closed(%s)', entity, field, open_in,
        (select string_agg(quote_literal(k), ', ')
         from unnest(keep || field || array['updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at']) k));
    execute format('create trigger closed_throw before update on %s for each row when (old.%I <> all (%L) and new.deleted_at is distinct from old.deleted_at)
        execute function app.refuse(%L)', entity, field, open_in, format('Only a record that is %s can be deleted.', array_to_string(open_in, ' or ')));
    execute format('create trigger closed_delete before delete on %s for each row when (old.%I <> all (%L))
        execute function app.check_delete(%L)', entity, field, open_in, format('Only a record that is %s can be deleted.', array_to_string(open_in, ' or ')));
    for part in select * from app.entities e where e.part_of = editable_in.entity loop
        execute format('create trigger closed before insert or update or delete on %s for each row
            execute function app.check_part_closed(%L, %L, %L, %L)', part.name, entity, field, open_in, part.fk);
    end loop;
end $$;


ALTER FUNCTION app.editable_in(entity text, field text, open_in text[], keep text[]) OWNER TO app_owner;


CREATE FUNCTION app.enroll(entity text, owner text DEFAULT 'created_by'::text, ignored text[] DEFAULT '{}'::text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare place integer;
begin
    select coalesce(max(e.slot) + 1, 0) * 4 into place from app.entities e;
    insert into app.entities (name, slot, owner, ignored) values (entity, place / 4, owner, ignored);
    perform app.protect(entity, owner, array[place + 1], array[place + 2], array[place + 3], array[place + 4]);
    if exists (select from pg_attribute where attrelid = entity::regclass and attname = 'workspace_id') then
        execute format('create trigger stay before update of workspace_id on %s for each row when (old.workspace_id is distinct from new.workspace_id)
            execute function app.stay(%s, %L)', entity, place + 3, owner);
    end if;
end $$;


ALTER FUNCTION app.enroll(entity text, owner text, ignored text[]) OWNER TO app_owner;


CREATE FUNCTION app.enroll_part(entity text, part_of text, fk text, ignored text[] DEFAULT '{}'::text[]) RETURNS void
    LANGUAGE plpgsql
    AS $_$
declare
    f text := format('%I.%I', split_part(entity, '.', 1), split_part(entity, '.', 2) || '_owner');
    whole app.entities; place integer; bound boolean;
begin
    select * into strict whole from app.entities e where e.name = enroll_part.part_of;
    place := whole.slot * 4;
    bound := exists (select from pg_attribute where attrelid = whole.name::regclass and attname = 'workspace_id');
    execute format('alter table %s add column owner_id uuid', entity);
    if bound then execute format('alter table %s add column workspace_id uuid', entity); end if;
    execute format($f$
        create function %1$s() returns trigger language plpgsql security definer set search_path = pg_catalog as $body$
        begin
            select w.%2$I%3$s into new.owner_id%4$s from %5$s w where w.organization_id = new.organization_id and w.id = new.%6$I;
            return new;
        end $body$ $f$, f, whole.owner, case when bound then ', w.workspace_id' else '' end, case when bound then ', new.workspace_id' else '' end, part_of, fk);
    execute format('create trigger a_owner before insert on %s for each row execute function %s()', entity, f);
    if whole.owner <> 'created_by' then
        execute format('create trigger owner_%s after update of %I on %s for each row when (old.%2$I is distinct from new.%2$I)
            execute function app.pass_on(%4$L, %5$L, ''owner_id'', %2$L)', split_part(entity, '.', 2), whole.owner, part_of, entity, fk);
    end if;
    if bound then
        execute format('create trigger workspace_%s after update of workspace_id on %s for each row when (old.workspace_id is distinct from new.workspace_id)
            execute function app.pass_on(%3$L, %4$L, ''workspace_id'', ''workspace_id'')', split_part(entity, '.', 2), part_of, entity, fk);
    end if;
    insert into app.entities (name, slot, owner, part_of, fk, ignored) values (entity, whole.slot, 'owner_id', part_of, fk, ignored || case when bound then '{owner_id,workspace_id}' else '{owner_id}' end::text[]);
    perform app.protect(entity, 'owner_id', array[place + 1], array[place + 2, place + 3], array[place + 3], array[place + 3]);
end $_$;


ALTER FUNCTION app.enroll_part(entity text, part_of text, fk text, ignored text[]) OWNER TO app_owner;


CREATE FUNCTION app.file_room(person uuid, OUT used bigint, OUT used_by_me bigint, OUT quota bigint, OUT quota_per_person bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
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


ALTER FUNCTION app.file_room(person uuid, OUT used bigint, OUT used_by_me bigint, OUT quota bigint, OUT quota_per_person bigint) OWNER TO app_owner;


CREATE FUNCTION app.goes(places integer[], letters text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN (SELECT (('('::text || string_agg(format('app.scope(%s) in (%s)'::text, p.p, l.letters), ' or '::text)) || ')'::text) FROM unnest(goes.places) p(p), (SELECT string_agg(quote_literal(x.x), ', '::text) AS letters FROM regexp_split_to_table(goes.letters, ''::text) x(x)) l);


ALTER FUNCTION app.goes(places integer[], letters text) OWNER TO app_owner;


CREATE FUNCTION app.j_bool(doc jsonb, key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE LEAKPROOF PARALLEL SAFE
    RETURN CASE jsonb_typeof((doc -> key)) WHEN 'boolean'::text THEN ((doc ->> key))::boolean ELSE NULL::boolean END;


ALTER FUNCTION app.j_bool(doc jsonb, key text) OWNER TO app_owner;


CREATE FUNCTION app.j_date(doc jsonb, key text) RETURNS date
    LANGUAGE plpgsql IMMUTABLE LEAKPROOF PARALLEL SAFE
    AS $_$
declare t text := app.j_text(doc, key);
begin
    if t ~ '^\d{4}-\d{2}-\d{2}$' then return make_date(left(t, 4)::int, substr(t, 6, 2)::int, right(t, 2)::int); end if;
    return null;
exception when others then return null;
end $_$;


ALTER FUNCTION app.j_date(doc jsonb, key text) OWNER TO app_owner;


CREATE FUNCTION app.j_text(doc jsonb, key text) RETURNS text
    LANGUAGE sql IMMUTABLE LEAKPROOF PARALLEL SAFE
    RETURN CASE jsonb_typeof((doc -> key)) WHEN 'string'::text THEN (doc ->> key) ELSE NULL::text END;


ALTER FUNCTION app.j_text(doc jsonb, key text) OWNER TO app_owner;


CREATE FUNCTION app.j_id(doc jsonb, key text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (app.j_text(doc, key) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text) THEN ((doc ->> key))::uuid ELSE NULL::uuid END;


ALTER FUNCTION app.j_id(doc jsonb, key text) OWNER TO app_owner;


CREATE FUNCTION app.j_instant(doc jsonb, key text) RETURNS timestamp with time zone
    LANGUAGE plpgsql IMMUTABLE LEAKPROOF PARALLEL SAFE
    AS $_$
declare t text := app.j_text(doc, key);
begin
    if t ~ '^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$' then return t::timestamptz; end if;
    return null;
exception when others then return null;
end $_$;


ALTER FUNCTION app.j_instant(doc jsonb, key text) OWNER TO app_owner;


CREATE FUNCTION app.j_list(doc jsonb, key text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE LEAKPROOF PARALLEL SAFE
    AS $_$
begin
    if jsonb_typeof(doc -> key) = 'array'
        and not jsonb_path_exists(doc -> key, 'strict $[*] ? (@.type() != "string" && @.type() != "null")') then return array(select jsonb_array_elements_text(doc -> key)); end if;
    return null;
end $_$;


ALTER FUNCTION app.j_list(doc jsonb, key text) OWNER TO app_owner;


CREATE FUNCTION app.j_number(doc jsonb, key text) RETURNS numeric
    LANGUAGE sql IMMUTABLE LEAKPROOF PARALLEL SAFE
    RETURN CASE jsonb_typeof((doc -> key)) WHEN 'number'::text THEN ((doc ->> key))::numeric ELSE NULL::numeric END;


ALTER FUNCTION app.j_number(doc jsonb, key text) OWNER TO app_owner;


CREATE FUNCTION app.job_of(job_key text) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select j.id from app.jobs j where j.organization_id = app.organization() and j.key = job_key);
end $$;


ALTER FUNCTION app.job_of(job_key text) OWNER TO app_owner;


CREATE FUNCTION app.line_gross(quantity numeric, price numeric, discount_percent numeric, discount_amount numeric, digits smallint) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN round(((((quantity * price) * ((100)::numeric - discount_percent)) / (100)::numeric) - discount_amount), (digits)::integer);


ALTER FUNCTION app.line_gross(quantity numeric, price numeric, discount_percent numeric, discount_amount numeric, digits smallint) OWNER TO app_owner;


CREATE FUNCTION app.line_net(amount numeric, rate numeric, inclusive boolean, digits smallint) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN inclusive THEN round(((amount * (100)::numeric) / ((100)::numeric + rate)), (digits)::integer) ELSE amount END;


ALTER FUNCTION app.line_net(amount numeric, rate numeric, inclusive boolean, digits smallint) OWNER TO app_owner;


CREATE FUNCTION app.line_tax(amount numeric, rate numeric, inclusive boolean, digits smallint) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN inclusive THEN (amount - round(((amount * (100)::numeric) / ((100)::numeric + rate)), (digits)::integer)) ELSE round(((amount * rate) / (100)::numeric), (digits)::integer) END;


ALTER FUNCTION app.line_tax(amount numeric, rate numeric, inclusive boolean, digits smallint) OWNER TO app_owner;


CREATE FUNCTION app.log(entity text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare e app.entities;
begin
    select * into strict e from app.entities x where x.name = entity;
    execute format('drop trigger if exists log on %s', entity);
    execute format('create trigger log after insert or update or delete on %s for each row execute function app.log_change(%s)', entity,
        (select string_agg(quote_literal(x), ', ') from unnest(array[entity] || e.ignored || e.derived
            -- What is computed from other columns tells nothing that they do not.
            || array(select a.attname::text from pg_attribute a where a.attrelid = entity::regclass and a.attgenerated <> '')) x));
end $$;


ALTER FUNCTION app.log(entity text) OWNER TO app_owner;


CREATE FUNCTION app.log_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
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


ALTER FUNCTION app.log_change() OWNER TO app_owner;


CREATE FUNCTION app.make_audit_months(ahead integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare month date; name text;
begin
    for month in select generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => ahead), '1 month')::date loop
        name := 'audit_' || to_char(month, 'YYYY_MM');
        if to_regclass('app.' || name) is null then
            -- Made apart and attached, so that its indexes have short names of our own.
            execute format('create table app.%I (like app.audit including defaults, primary key (organization_id, at, id))', name);
            execute format('create index %I on app.%I (organization_id, entity, record_id, at)', name || '_record', name);
            execute format('create index %I on app.%I (organization_id, request_id)', name || '_request', name);
            execute format('alter table app.audit attach partition app.%I for values from (%L) to (%L)', name, month, month + interval '1 month');
            execute format('alter table app.%I enable row level security', name);
        end if;
    end loop;
end $$;


ALTER FUNCTION app.make_audit_months(ahead integer) OWNER TO app_owner;


CREATE FUNCTION app.next_number(series text, on_date date DEFAULT CURRENT_DATE) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
declare pattern text; span text := ''; digits text; n bigint;
begin
    select s.pattern into pattern from app.number_series s where s.organization_id = app.organization() and s.series = next_number.series;
    pattern := coalesce(pattern, series || '-00000');
    if pattern like '%{yyyy}%' then
        span := to_char(on_date, 'YYYY');
        pattern := replace(pattern, '{yyyy}', span);
    end if;
    insert into app.counters as c (organization_id, series, period, last) values (app.organization(), next_number.series, span, 1)
    on conflict on constraint counters_pkey do update set last = c.last + 1 returning c.last into n;
    digits := substring(pattern from '0+$');
    if digits is null then return pattern || n; end if;
    return left(pattern, -length(digits)) || lpad(n::text, greatest(length(digits), length(n::text)), '0');
end $_$;


ALTER FUNCTION app.next_number(series text, on_date date) OWNER TO app_owner;


CREATE FUNCTION app.next_time(clock time without time zone, zone text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    RETURN ((CASE WHEN (((now() AT TIME ZONE zone))::time without time zone < clock) THEN ((now() AT TIME ZONE zone))::date ELSE (((now() AT TIME ZONE zone))::date + 1) END + clock) AT TIME ZONE zone);


ALTER FUNCTION app.next_time(clock time without time zone, zone text) OWNER TO app_owner;


CREATE FUNCTION app.notify(for_user uuid, kind text, titles jsonb, body text, entity text, record uuid, link text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
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
end $_$;


ALTER FUNCTION app.notify(for_user uuid, kind text, titles jsonb, body text, entity text, record uuid, link text) OWNER TO app_owner;


CREATE FUNCTION app.pass_on() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
begin
    execute format('update %s set %I = $1 where organization_id = $2 and %I = $3 and %2$I is distinct from $1', tg_argv[0], tg_argv[2], tg_argv[1])
        using (to_jsonb(new) ->> tg_argv[3])::uuid, new.organization_id, new.id;
    return null;
end $_$;


ALTER FUNCTION app.pass_on() OWNER TO app_owner;


CREATE FUNCTION app.place() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('app.place'::text, true), ''::text))::uuid;


ALTER FUNCTION app.place() OWNER TO app_owner;


CREATE FUNCTION app.protect(entity text, owner text, may_read integer[], may_create integer[], may_update integer[], may_delete integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    t     regclass := entity::regclass;
    name  text := split_part(entity, '.', 2);
    bound boolean := exists (select from pg_attribute where attrelid = entity::regclass and attname = 'workspace_id');
    e     app.entities;
    key   record;
begin
    select * into strict e from app.entities x where x.name = entity;
    execute format('alter table %s enable row level security', t);
    execute format('create policy reads on %s for select to app_user using (%s)', t, app.reach(entity, owner, bound, may_read));
    execute format('create policy creates on %s for insert to app_user with check (%s)', t, app.reach(entity, owner, bound, may_create));
    execute format('create policy updates on %s for update to app_user using (%s) with check (organization_id = app.organization())', t, app.reach(entity, owner, bound, may_update));
    execute format('create policy deletes on %s for delete to app_user using (%s)', t, app.reach(entity, owner, bound, may_delete));

    execute format('create trigger touch before update on %s for each row execute function app.touch()', t);
    perform app.log(entity);
    -- Fields that organizations added are found by equality; who has none pays nothing.
    execute format('create index %I on %s using gin (organization_id, custom jsonb_path_ops) where custom <> ''{}''', left(name, 40) || '_custom', t);

    for key in
        select c.conname, c.conkey, c.confrelid,
            array(select a.attname::text from unnest(c.conkey) with ordinality k (n, i)
                  join pg_attribute a on a.attrelid = t and a.attnum = k.n order by i) as columns
        from pg_constraint c where c.conrelid = t and c.contype = 'f'
    loop
        if key.columns[1] <> 'organization_id' and exists (select from pg_attribute where attrelid = key.confrelid and attname = 'organization_id') then
            raise exception '%.% must start with organization_id, or it could cross organizations', entity, key.conname;
        end if;
        if key.columns[1] = 'organization_id' and not exists (select from pg_index where indrelid = t
                       and (string_to_array(indkey::text, ' ')::int2[])[1:cardinality(key.conkey)] = key.conkey) then
            execute format('create index %I on %s (%s)', left(name, 24) || '_' || left(key.columns[cardinality(key.columns)], 20) || '_fk', t,
                (select string_agg(quote_ident(c), ', ') from unnest(key.columns) c));
        end if;
    end loop;
    execute format('grant usage on schema %I to app_user', split_part(entity, '.', 1));
    execute format('grant select, insert, update, delete on %s to app_user', t);
end $$;


ALTER FUNCTION app.protect(entity text, owner text, may_read integer[], may_create integer[], may_update integer[], may_delete integer[]) OWNER TO app_owner;


CREATE FUNCTION app.purge_files(thrown_before timestamp with time zone, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
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


ALTER FUNCTION app.purge_files(thrown_before timestamp with time zone, most integer) OWNER TO app_owner;


CREATE FUNCTION app.reach(entity text, owner text, bound boolean, places integer[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN (((('organization_id = app.organization()'::text || CASE WHEN bound THEN ' and (workspace_id is null or app.workspaces() is null or workspace_id = any (app.workspaces()))'::text ELSE ''::text END) || format(' and (%2$s or %1$I = app.actor() and %3$s or %1$I = any (app.team()) and %4$s'::text, owner, app.goes(places, 'a'::text), app.goes(places, CASE WHEN bound THEN 'otOT'::text ELSE 'ot'::text END), app.goes(places, CASE WHEN bound THEN 'tT'::text ELSE 't'::text END))) || CASE WHEN bound THEN format(' or workspace_id is not null and (%2$s or workspace_id = app.place() and (%3$s or %1$I = app.actor() and %4$s))'::text, owner, app.goes(places, 'w'::text), app.goes(places, 'WOT'::text), app.goes(places, 'i'::text)) ELSE ''::text END) || ')'::text);


ALTER FUNCTION app.reach(entity text, owner text, bound boolean, places integer[]) OWNER TO app_owner;


CREATE FUNCTION app.react(comment uuid, sign text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare given jsonb; me constant jsonb := to_jsonb(app.actor()::text);
begin
    select coalesce(c.reactions -> sign, '[]') into given from social.comments c
    where c.organization_id = app.organization() and c.id = comment for no key update;
    given := case when given @> me then given - (app.actor()::text) else given || me end;
    update social.comments c set reactions = case when given = '[]' then c.reactions - sign else jsonb_set(c.reactions, array[sign], given) end
    where c.organization_id = app.organization() and c.id = comment returning c.reactions into given;
    return given;
end $$;


ALTER FUNCTION app.react(comment uuid, sign text) OWNER TO app_owner;


CREATE FUNCTION app.refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception '%', tg_argv[0] using errcode = 'AP001';
end $$;


ALTER FUNCTION app.refuse() OWNER TO app_owner;


CREATE FUNCTION app.request() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (app.said(75, 36))::uuid;


ALTER FUNCTION app.request() OWNER TO app_owner;


CREATE FUNCTION app.scope(place integer) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN substr(textsend(current_setting('app.context'::text, true)), (111 + place), 1);


ALTER FUNCTION app.scope(place integer) OWNER TO app_owner;


CREATE FUNCTION app.searchable(entity text, weights text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare vector text; plain text; name text := left(split_part(entity, '.', 2), 30);
begin
    select string_agg(format('app.words(%L, %s)', trim(m[1]),
               (select string_agg(format('coalesce(%I::text, '''')', trim(c)), ' || '' '' || ') from unnest(string_to_array(m[2], ',')) c)), ' || ')
      into vector from regexp_matches(weights, '([ABCD]):([^;]+)', 'g') m;
    select string_agg(format('coalesce(lower(%I::text), '''')', trim(c)), ' || '' '' || ') into plain
      from regexp_matches(weights, '[AB]:([^;]+)', 'g') m, unnest(string_to_array(m[1], ',')) c;
    execute format('alter table %s add column search tsvector generated always as (%s) stored', entity, vector);
    execute format('alter table %s add column search_text text generated always as (%s) stored', entity, plain);
    execute format('create index %I on %s using gin (organization_id, search)', name || '_search', entity);
    execute format('create index %I on %s using gin (organization_id, search_text gin_trgm_ops)', name || '_trigram', entity);
end $$;


ALTER FUNCTION app.searchable(entity text, weights text) OWNER TO app_owner;


CREATE FUNCTION app.secret_setting(key text) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select s.secret from tenancy.settings s where s.organization_id = app.organization() and s.key = secret_setting.key
        and s.scope = 'organization' and s.deleted_at is null);
end $$;


ALTER FUNCTION app.secret_setting(key text) OWNER TO app_owner;


CREATE FUNCTION app.send_mail(recipient text, subject text, body text, attachments jsonb DEFAULT '[]'::jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare made uuid := app.new_id();
begin
    insert into app.mails (id, recipient, subject, body, attachments) values (made, recipient, subject, body, attachments);
    return made;
end $$;


ALTER FUNCTION app.send_mail(recipient text, subject text, body text, attachments jsonb) OWNER TO app_owner;


CREATE FUNCTION app.series_in_use() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('series', x.series, 'entity', x.entity, 'field', x.field,
            'pattern', (select n.pattern from app.number_series n where n.organization_id = app.organization() and n.series = x.series),
            'last', (select coalesce(jsonb_object_agg(c.period, c.last), '{}') from app.counters c
                     where c.organization_id = app.organization() and c.series = x.series)) order by x.series), '[]')
        from (
            select u.series, min(u.entity) as entity, min(u.field) as field from (
                select c.series, null::text as entity, null::text as field from app.counters c where c.organization_id = app.organization()
                union all
                select n.series, null, null from app.number_series n where n.organization_id = app.organization()
                union all
                select substring(pg_get_expr(d.adbin, d.adrelid) from $r$next_number\('([^']+)'$r$), e.name, a.attname::text
                from app.entities e join pg_attrdef d on d.adrelid = to_regclass(e.name)
                join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
            ) u where u.series is not null group by u.series
        ) x);
end $_$;


ALTER FUNCTION app.series_in_use() OWNER TO app_owner;


CREATE FUNCTION app.set_series(series text, pattern text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
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


ALTER FUNCTION app.set_series(series text, pattern text) OWNER TO app_owner;


CREATE FUNCTION app.setting(key text, in_workspace uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select s.value from tenancy.settings s
        where s.organization_id = app.organization() and s.key = setting.key and s.deleted_at is null and not s.is_secret
          and (s.scope = 'organization' or s.scope = 'workspace' and s.in_workspace_id = in_workspace or s.scope = 'user' and s.user_id = app.actor())
        order by array_position('{user,workspace,organization}', s.scope) limit 1);
end $$;


ALTER FUNCTION app.setting(key text, in_workspace uuid) OWNER TO app_owner;


CREATE FUNCTION app.stay() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    letter text := encode(app.scope(tg_argv[0]::integer), 'escape');
    owner uuid := (to_jsonb(old) ->> tg_argv[1])::uuid;
begin
    if current_user = 'app_user' and old.workspace_id = app.place() and (letter in ('W', 'i')
        or letter in ('O', 'T') and owner is distinct from app.actor() and (letter = 'T' and owner = any (app.team())) is not true) then
        raise exception 'A record of your workspace stays there.' using errcode = 'AP001';
    end if;
    return new;
end $$;


ALTER FUNCTION app.stay() OWNER TO app_owner;


CREATE FUNCTION app.team() RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (string_to_array(NULLIF(current_setting('app.team'::text, true), ''::text), ','::text))::uuid[];


ALTER FUNCTION app.team() OWNER TO app_owner;


CREATE FUNCTION app.total(whole text, part text, fk text, columns text) RETURNS void
    LANGUAGE plpgsql
    AS $_$
declare
    f    text := format('%I.%I', split_part(part, '.', 1), split_part(part, '.', 2) || '_total');
    name text[] := array(select trim(c) from unnest(string_to_array(columns, ',')) c);
    move text; plus text; minus text;
begin
    select string_agg(format('%1$I = w.%1$I + coalesce(new.%1$I, 0) - coalesce(old.%1$I, 0)', n), ', '),
           string_agg(format('%1$I = w.%1$I + coalesce(new.%1$I, 0)', n), ', '),
           string_agg(format('%1$I = w.%1$I - coalesce(old.%1$I, 0)', n), ', ')
      into move, plus, minus from unnest(name) n;
    execute format($f$
        create function %1$s() returns trigger language plpgsql security definer set search_path = pg_catalog as $body$
        begin
            if tg_op = 'UPDATE' and old.%3$I = new.%3$I then
                if (%7$s) is distinct from (%8$s) then
                    update %2$s w set %4$s where w.organization_id = new.organization_id and w.id = new.%3$I;
                end if;
                return null;
            end if;
            if tg_op <> 'INSERT' then
                update %2$s w set %6$s where w.organization_id = old.organization_id and w.id = old.%3$I;
            end if;
            if tg_op <> 'DELETE' then
                update %2$s w set %5$s where w.organization_id = new.organization_id and w.id = new.%3$I;
            end if;
            return null;
        end $body$ $f$, f, whole, fk, move, plus, minus,
        (select string_agg('new.' || quote_ident(n), ', ') from unnest(name) n),
        (select string_agg('old.' || quote_ident(n), ', ') from unnest(name) n));
    -- The arguments are for `fondaco verify`.
    execute format('create trigger total after insert or update or delete on %s for each row execute function %s(%s)', part, f,
        (select string_agg(quote_literal(a), ', ') from unnest(array[whole, fk] || name) a));
    perform app.derive(whole, name);
end $_$;


ALTER FUNCTION app.total(whole text, part text, fk text, columns text) OWNER TO app_owner;


CREATE FUNCTION app.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.updated_at := now();
    new.updated_by := coalesce(app.actor(), old.updated_by);
    new.version := old.version + 1;
    return new;
end $$;


ALTER FUNCTION app.touch() OWNER TO app_owner;


CREATE FUNCTION app.users_of(of_entity text, of_id uuid) RETURNS TABLE(entity text, count bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
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
end $_$;


ALTER FUNCTION app.users_of(of_entity text, of_id uuid) OWNER TO app_owner;


CREATE FUNCTION app.words(weight "char", content text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(((to_tsvector('simple'::regconfig, COALESCE(content, ''::text)) || to_tsvector('english'::regconfig, COALESCE(content, ''::text))) || to_tsvector('russian'::regconfig, COALESCE(content, ''::text))), weight);


ALTER FUNCTION app.words(weight "char", content text) OWNER TO app_owner;


CREATE FUNCTION app.workflow(entity text, field text, chart text) RETURNS void
    LANGUAGE plpgsql
    AS $_$
declare states text[];
begin
    insert into app.transitions
    select entity, field, m[1], m[2], m[3], n
    from regexp_matches(chart, '(\w+)\s*->\s*(\w+)\s*:\s*(\w+)', 'g') with ordinality as r (m, n);
    select array_agg(s order by first) into states from (
        select s, min(2 * sort + i) as first
        from app.transitions t, unnest(array[source, target]) with ordinality u (s, i)
        where t.entity = workflow.entity group by s) x;
    execute format('alter table %s alter %I set default %L, alter %2$I set not null', entity, field, states[1]);
    execute format('alter table %s add constraint %I check (%I = any (%L))', entity, field || '_is_known', field, states);
    execute format('create trigger workflow_starts before insert on %s for each row
        when (new.%I is distinct from %L) execute function app.check_start(%L)',
        entity, field, states[1], format('A new record starts as %s.', states[1]));
    execute format('create trigger workflow_moves before update on %s for each row
        when (old.%I is distinct from new.%I) execute function app.check_move(%L, %L)', entity, field, field, entity, field);
end $_$;


ALTER FUNCTION app.workflow(entity text, field text, chart text) OWNER TO app_owner;


CREATE FUNCTION app.workspaces() RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (string_to_array(NULLIF(current_setting('app.workspaces'::text, true), ''::text), ','::text))::uuid[];


ALTER FUNCTION app.workspaces() OWNER TO app_owner;


CREATE FUNCTION finance.allocate(payment uuid, body jsonb) RETURNS numeric
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare
    here constant uuid := app.organization();
    p finance.payments; i finance.invoices; wanted jsonb; a record; left_over numeric; piece numeric; given numeric := 0;
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment for no key update;
    if p.status is null or p.status in ('failed', 'cancelled') then raise exception 'A payment that is % pays nothing.', p.status using errcode = 'AP001'; end if;
    left_over := p.amount - p.allocated;
    if body ? 'allocations' then wanted := body -> 'allocations';
    elsif body ? 'invoice_id' then wanted := jsonb_build_array(jsonb_build_object('invoice_id', body -> 'invoice_id', 'amount', body -> 'amount'));
    else
        select jsonb_agg(jsonb_build_object('invoice_id', x.id, 'amount', null) order by x.due_on, x.number) into wanted from finance.invoices x
        where x.organization_id = here and x.party_id = p.party_id and x.currency = p.currency and x.number is not null and x.balance > 0 and x.deleted_at is null
          and p.direction = finance.paid_by(x.direction, x.kind);
        if wanted is null or left_over = 0 then raise exception 'There is nothing open to allocate this to.' using errcode = 'AP001'; end if;
    end if;
    if jsonb_typeof(wanted) <> 'array' or exists (select from jsonb_array_elements(wanted) x where jsonb_typeof(x) <> 'object' or x ->> 'invoice_id' is null) then
        raise exception 'Say which invoices.' using errcode = 'AP001', column = 'allocations';
    end if;
    perform 1 from finance.invoices x where x.organization_id = here and x.id in (select sales.read_id(w, 'invoice_id') from jsonb_array_elements(wanted) w)
        order by x.id for no key update;
    perform 1 from sales.orders o where o.organization_id = here and o.id in (select x.order_id from finance.invoices x where x.organization_id = here
        and x.id in (select sales.read_id(w, 'invoice_id') from jsonb_array_elements(wanted) w)) order by o.id for no key update;
    for a in select sales.read_id(w, 'invoice_id') as id, sales.read_number(w, 'amount') as amount from jsonb_array_elements(wanted) with ordinality u (w, n) order by n loop
        select * into i from finance.invoices x where x.organization_id = here and x.id = a.id;
        if not found then raise exception 'There is no such invoice.' using errcode = 'AP001', column = 'invoice_id'; end if;
        piece := coalesce(a.amount, least(i.balance, left_over - given));
        if a.amount is null and piece <= 0 then continue; end if;
        insert into finance.payment_allocations (payment_id, invoice_id, amount) values (payment, a.id, piece);
        given := given + piece;
    end loop;
    return given;
end $$;


ALTER FUNCTION finance.allocate(payment uuid, body jsonb) OWNER TO app_owner;


CREATE FUNCTION finance.apply_allocation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare
    r finance.payment_allocations := coalesce(new, old);
    was constant numeric := case when tg_op <> 'INSERT' and old.reversed_on is null and old.deleted_at is null then old.amount else 0 end;
    becomes constant numeric := case when tg_op <> 'DELETE' and new.reversed_on is null and new.deleted_at is null then new.amount else 0 end;
    state text;
begin
    update finance.payments p set allocated = p.allocated + becomes - was where p.organization_id = r.organization_id and p.id = r.payment_id
    returning p.status into state;
    if state = 'completed' then     -- then the invoice is still the same one
        update finance.invoices i set paid = i.paid + becomes - was where i.organization_id = r.organization_id and i.id = r.invoice_id;
    end if;
    return null;
end $$;


ALTER FUNCTION finance.apply_allocation() OWNER TO app_owner;


CREATE FUNCTION finance.check_allocation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare p finance.payments; i finance.invoices; r finance.payment_allocations := coalesce(new, old);
begin
    select * into p from finance.payments x where x.organization_id = r.organization_id and x.id = r.payment_id for no key update;
    if not found then return r; end if;     -- gone with its payment, which was still open
    if tg_op <> 'INSERT' and p.status not in ('pending', 'processing') then
        if tg_op = 'DELETE' or (to_jsonb(new) - '{reversed_on,version,updated_at,updated_by}'::text[]) <> (to_jsonb(old) - '{reversed_on,version,updated_at,updated_by}'::text[])
            or old.reversed_on is not null then
            raise exception 'An allocation that counts can only be taken back.' using errcode = 'AP001';
        end if;
        return new;
    end if;
    if tg_op = 'DELETE' or new.reversed_on is not null then return r; end if;
    if p.status in ('failed', 'cancelled') then
        raise exception 'A payment that is % pays nothing.', p.status using errcode = 'AP001', column = 'payment_id';
    end if;
    select * into i from finance.invoices x where x.organization_id = new.organization_id and x.id = new.invoice_id for no key update;
    if i.number is null or i.kind in ('PROFORMA', 'RECEIPT') then
        raise exception 'Only a posted invoice can be paid.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if i.party_id <> p.party_id then raise exception 'The payment and the invoice are of different parties.' using errcode = 'AP001', column = 'invoice_id'; end if;
    if i.currency <> p.currency then
        raise exception 'The payment is in %, the invoice in %.', p.currency, i.currency using errcode = 'AP001', column = 'invoice_id';
    end if;
    if p.direction <> finance.paid_by(i.direction, i.kind) then
        raise exception 'Money that comes in pays our invoices, money that goes out those of suppliers, a refund credit notes.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if new.amount <> round(new.amount, p.digits) then
        raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'amount';
    end if;
    return new;
end $$;


ALTER FUNCTION finance.check_allocation() OWNER TO app_owner;


CREATE FUNCTION finance.count_invoice() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare
    i finance.invoices := coalesce(new, old); l record;
    sign integer := case when tg_op = 'UPDATE' and finance.counts(new.direction, new.kind, new.status, new.deleted_at) then 1 else -1 end;
begin
    for l in select x.order_line_id, x.quantity from finance.invoice_lines x
        where x.organization_id = i.organization_id and x.invoice_id = i.id and x.order_line_id is not null and x.deleted_at is null order by 1
    loop
        perform sales.add_invoiced(l.order_line_id, sign * l.quantity);
    end loop;
    return i;
end $$;


ALTER FUNCTION finance.count_invoice() OWNER TO app_owner;


CREATE FUNCTION finance.count_line() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare i finance.invoices; r finance.invoice_lines := coalesce(new, old);
begin
    select * into i from finance.invoices x where x.organization_id = r.organization_id and x.id = r.invoice_id;
    -- Gone with its invoice, which has given its lines back itself.
    if not found or not finance.counts(i.direction, i.kind, i.status, i.deleted_at) then return null; end if;
    if tg_op <> 'INSERT' and old.order_line_id is not null and old.deleted_at is null then perform sales.add_invoiced(old.order_line_id, -old.quantity); end if;
    if tg_op <> 'DELETE' and new.order_line_id is not null and new.deleted_at is null then perform sales.add_invoiced(new.order_line_id, new.quantity); end if;
    return null;
end $$;


ALTER FUNCTION finance.count_line() OWNER TO app_owner;


CREATE FUNCTION finance.counts(direction text, kind text, status text, deleted_at timestamp with time zone) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((direction = 'out'::text) AND (kind = ANY (ARRAY['STANDARD'::text, 'RECURRING'::text])) AND (status <> 'cancelled'::text) AND (deleted_at IS NULL));


ALTER FUNCTION finance.counts(direction text, kind text, status text, deleted_at timestamp with time zone) OWNER TO app_owner;


CREATE FUNCTION finance.credit(invoice uuid, body jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare
    here constant uuid := app.organization();
    i finance.invoices; l record; s record; made uuid := app.new_id();
    wanted numeric := sales.read_number(body, 'amount'); given numeric := 0; weight numeric := 0; piece numeric; by_lines numeric;
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = invoice for no key update;
    if i.number is null or i.kind in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT') then
        raise exception 'Only a posted invoice can be credited.' using errcode = 'AP001';
    end if;
    if i.credited >= i.gross then raise exception 'All of this invoice has been credited.' using errcode = 'AP001'; end if;
    if wanted <= 0 or wanted <> round(wanted, i.digits) then
        raise exception 'This is not an amount in %.', i.currency using errcode = 'AP001', column = 'amount';
    end if;
    if wanted > i.gross - i.credited then raise exception 'No more than % can be credited.', trim_scale(i.gross - i.credited) using errcode = 'AP001', column = 'amount'; end if;
    -- After a credit of an amount, the rest is an amount too.
    select coalesce(sum(x.gross), 0) into by_lines from finance.invoice_lines x join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
    where x.organization_id = here and n.organization_id = here and n.credited_invoice_id = invoice and n.number is not null and x.credited_line_id is not null and x.deleted_at is null;
    if wanted is null and not body ? 'lines' and by_lines <> i.credited then wanted := i.gross - i.credited; end if;

    insert into finance.invoices (id, direction, kind, party_id, order_id, credited_invoice_id, workspace_id, assigned_to, currency, exchange_rate, prices_include_tax,
        payment_terms, issued_on, supplied_on, supplier_number, reference, note, party_name, party_bin, party_tax_id, party_street, party_city, party_region, party_postal_code, party_country)
    values (made, i.direction, 'CREDIT_NOTE', i.party_id, i.order_id, i.id, i.workspace_id, i.assigned_to, i.currency, i.exchange_rate, i.prices_include_tax,
        'NET_0', sales.read_date(body, 'issued_on'), i.supplied_on, body ->> 'supplier_number', i.number, body ->> 'reason',
        i.party_name, i.party_bin, i.party_tax_id, i.party_street, i.party_city, i.party_region, i.party_postal_code, i.party_country);
    if wanted is not null then
        for l in select x.tax_id, x.tax_rate, sum(x.gross) as gross from finance.invoice_lines x
            where x.organization_id = here and x.invoice_id = invoice and x.deleted_at is null group by 1, 2 order by 3 desc, 2, 1
        loop
            weight := weight + l.gross;
            piece := round(wanted * weight / i.gross, i.digits) - given;
            if piece <= 0 then continue; end if;
            given := given + piece;
            insert into finance.invoice_lines (invoice_id, name, price, tax_id, tax_rate, price_includes_tax)
            values (made, concat_ws(': ', i.number, body ->> 'reason'), piece, l.tax_id, l.tax_rate, true);
        end loop;
    else
        if body ? 'lines' and exists (select from sales.read_lines(body) w where not exists
            (select from finance.invoice_lines x where x.organization_id = here and x.invoice_id = invoice and x.id = w.id and x.deleted_at is null)) then
            raise exception 'This line is not of this invoice.' using errcode = 'AP001', column = 'lines';
        end if;
        for l in
            select x.*, c.quantity as c_quantity, c.amount as c_amount, c.tax as c_tax,
                case when w.id is null or w.quantity is null then x.quantity - c.quantity else w.quantity end as part
            from finance.invoice_lines x
            left join (select r.id, r.quantity from sales.read_lines(case when body ? 'lines' then body else '{"lines": [{"id": "00000000-0000-0000-0000-000000000000"}]}'::jsonb end) r) w on w.id = x.id
            cross join lateral (select coalesce(sum(y.quantity), 0) as quantity, coalesce(sum(y.amount), 0) as amount, coalesce(sum(y.tax), 0) as tax
                from finance.invoice_lines y join finance.invoices n on n.organization_id = y.organization_id and n.id = y.invoice_id and n.number is not null
                where y.organization_id = here and n.organization_id = here and y.credited_line_id = x.id and y.deleted_at is null) c
            where x.organization_id = here and x.invoice_id = invoice and x.deleted_at is null and (w.id is not null or not body ? 'lines')
            order by x.position, x.id
        loop
            if l.part <= 0 then continue; end if;
            select * into s from finance.share(l.quantity, l.price, l.discount_percent, l.discount_amount, l.tax_rate, l.price_includes_tax, l.digits,
                l.amount, l.tax, l.part, l.c_quantity, l.c_amount, l.c_tax);
            insert into finance.invoice_lines (invoice_id, position, product_id, order_line_id, credited_line_id, is_shipping, code, name, description, unit, quantity, price,
                discount_percent, discount_amount, tax_id, tax_rate, price_includes_tax, tax_adjustment)
            values (made, l.position, l.product_id, l.order_line_id, l.id, l.is_shipping, l.code, l.name, l.description, l.unit, l.part, s.new_price,
                s.new_percent, s.new_discount, l.tax_id, l.tax_rate, l.price_includes_tax, s.new_adjustment);
        end loop;
    end if;
    update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made;
    return made;
end $$;


ALTER FUNCTION finance.credit(invoice uuid, body jsonb) OWNER TO app_owner;


CREATE FUNCTION finance.invoice_aging(of_direction text, as_of date, basis text, limits integer[]) RETURNS TABLE(party_id uuid, party_name text, currency text, not_due numeric, buckets numeric[], unallocated numeric, total numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
    AS $$
#variable_conflict use_column
begin
    return query
    with open as (
        select i.party_id as party, i.currency as cur, i.kind = 'CREDIT_NOTE' as is_credit, as_of - case basis when 'issue' then i.issued_on else i.due_on end as age,
            i.gross
            - (select coalesce(sum(a.amount), 0) from finance.payment_allocations a join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
               where a.organization_id = app.organization() and p.organization_id = app.organization() and a.invoice_id = i.id and p.status in ('completed', 'cancelled') and a.deleted_at is null
                 and (p.status = 'completed' or a.reversed_on is not null)
                 and greatest(a.allocated_on, p.paid_on) <= as_of and (a.reversed_on is null or a.reversed_on > as_of))
            - case when i.kind = 'CREDIT_NOTE' then i.credit_applied
                   else (select coalesce(sum(n.credit_applied), 0) from finance.invoices n where n.organization_id = app.organization() and n.credited_invoice_id = i.id
                         and n.number is not null and n.issued_on <= as_of) end as amount
        from finance.invoices i
        where i.organization_id = app.organization() and i.direction = of_direction and i.number is not null and i.kind not in ('PROFORMA', 'RECEIPT')
          and i.issued_on <= as_of and i.deleted_at is null
        union all
        select p.party_id, p.currency, true, 0, p.amount - (select coalesce(sum(a.amount), 0) from finance.payment_allocations a
            where a.organization_id = app.organization() and a.payment_id = p.id and a.deleted_at is null and a.allocated_on <= as_of and (a.reversed_on is null or a.reversed_on > as_of))
        from finance.payments p
        where p.organization_id = app.organization() and p.status = 'completed' and p.paid_on <= as_of and p.deleted_at is null
          and p.direction = case of_direction when 'out' then 'in' else 'out' end
    ), summed as (
        select o.party, o.cur, coalesce(sum(o.amount) filter (where not o.is_credit and o.age <= 0), 0) as fresh,
            (select array_agg((select coalesce(sum(x.amount), 0) from open x where x.party = o.party and x.cur = o.cur and not x.is_credit
                               and x.age > case when n = 1 then 0 else limits[n - 1] end and (n > cardinality(limits) or x.age <= limits[n])) order by n)
             from generate_series(1, cardinality(limits) + 1) n) as aged,
            -coalesce(sum(o.amount) filter (where o.is_credit), 0) as loose,
            sum(case when o.is_credit then -o.amount else o.amount end) as whole, bool_or(o.amount <> 0) as is_any
        from open o group by 1, 2
    )
    select s.party, q.name, s.cur, s.fresh, s.aged, s.loose, s.whole
    from summed s join parties.parties q on q.organization_id = app.organization() and q.id = s.party
    where s.is_any order by s.whole desc, q.name;
end $$;


ALTER FUNCTION finance.invoice_aging(of_direction text, as_of date, basis text, limits integer[]) OWNER TO app_owner;


CREATE FUNCTION finance.invoice_defaults() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare
    p parties.parties; a parties.addresses; o sales.orders;
    importing constant boolean := coalesce(current_setting('app.importing', true), '') = 'yes';
begin
    if (tg_op = 'INSERT' or new.party_id is distinct from old.party_id) and coalesce(current_setting('app.system', true), '') <> 'yes' then
        select * into p from parties.parties x where x.organization_id = new.organization_id and x.id = new.party_id;
        if p.deleted_at is not null and not importing then
            raise exception 'This party has been deleted.' using errcode = 'AP001', column = 'party_id';
        end if;
        select * into o from sales.orders x where x.organization_id = new.organization_id and x.id = new.order_id;
        new.currency := coalesce(new.currency, o.currency, p.currency, parties.home_currency(new.organization_id));
        new.payment_terms := coalesce(new.payment_terms, o.payment_terms, p.payment_terms);
        if tg_op = 'UPDATE' or new.party_name is null then
            select * into a from parties.addresses x where x.organization_id = new.organization_id and x.party_id = p.id and x.deleted_at is null
                order by array_position('{billing,legal,office,shipping}', x.kind), x.is_default desc, x.created_at limit 1;
            new.party_name := coalesce(o.bill_name, p.legal_name, p.name);
            new.party_bin := coalesce(p.bin, p.iin);
            new.party_tax_id := p.tax_id;
            new.party_street := coalesce(o.bill_street, nullif(concat_ws(', ', a.street, a.street2), ''));
            new.party_city := coalesce(o.bill_city, a.city);
            new.party_region := coalesce(o.bill_region, a.region);
            new.party_postal_code := coalesce(o.bill_postal_code, a.postal_code);
            new.party_country := coalesce(o.bill_country, a.country, p.country);
        end if;
    end if;
    new.digits := coalesce(app.digits(new.currency), new.digits);
    if tg_op = 'INSERT' and new.direction = 'out' and not importing then
        new.terms := coalesce(new.terms, app.setting('finance.invoice_terms', new.workspace_id) #>> '{}');
    end if;
    return new;
end $$;


ALTER FUNCTION finance.invoice_defaults() OWNER TO app_owner;


CREATE FUNCTION finance.invoice_lines_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            select w.assigned_to, w.workspace_id into new.owner_id, new.workspace_id from finance.invoices w where w.organization_id = new.organization_id and w.id = new.invoice_id;
            return new;
        end $$;


ALTER FUNCTION finance.invoice_lines_owner() OWNER TO app_owner;


CREATE FUNCTION finance.invoice_lines_total() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            if tg_op = 'UPDATE' and old.invoice_id = new.invoice_id then
                if (new.net, new.tax, new.gross) is distinct from (old.net, old.tax, old.gross) then
                    update finance.invoices w set net = w.net + coalesce(new.net, 0) - coalesce(old.net, 0), tax = w.tax + coalesce(new.tax, 0) - coalesce(old.tax, 0), gross = w.gross + coalesce(new.gross, 0) - coalesce(old.gross, 0) where w.organization_id = new.organization_id and w.id = new.invoice_id;
                end if;
                return null;
            end if;
            if tg_op <> 'INSERT' then
                update finance.invoices w set net = w.net - coalesce(old.net, 0), tax = w.tax - coalesce(old.tax, 0), gross = w.gross - coalesce(old.gross, 0) where w.organization_id = old.organization_id and w.id = old.invoice_id;
            end if;
            if tg_op <> 'DELETE' then
                update finance.invoices w set net = w.net + coalesce(new.net, 0), tax = w.tax + coalesce(new.tax, 0), gross = w.gross + coalesce(new.gross, 0) where w.organization_id = new.organization_id and w.id = new.invoice_id;
            end if;
            return null;
        end $$;


ALTER FUNCTION finance.invoice_lines_total() OWNER TO app_owner;


CREATE FUNCTION finance.invoice_order(of_order uuid, body jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare
    here constant uuid := app.organization();
    o sales.orders; l record; made uuid := app.new_id(); s record; freight numeric; any_line boolean := false;
begin
    select * into o from sales.orders x where x.organization_id = here and x.id = of_order for no key update;
    if o.status is null or o.status in ('draft', 'cancelled') then
        raise exception 'Only a confirmed order can be invoiced.' using errcode = 'AP001';
    end if;
    if body ? 'lines' and exists (select from sales.read_lines(body) w where not exists
        (select from sales.order_lines x where x.organization_id = here and x.order_id = of_order and x.id = w.id and x.deleted_at is null)) then
        raise exception 'This line is not of this order.' using errcode = 'AP001', column = 'lines';
    end if;
    insert into finance.invoices (id, direction, kind, party_id, order_id, workspace_id, assigned_to, currency, exchange_rate, prices_include_tax, payment_terms,
        supplied_on, issued_on, due_on, po_number)
    values (made, 'out', 'STANDARD', o.customer_id, o.id, o.workspace_id, o.assigned_to, o.currency, o.exchange_rate, o.prices_include_tax, o.payment_terms,
        coalesce(o.delivered_on, o.shipped_on), sales.read_date(body, 'issued_on'), sales.read_date(body, 'due_on'), o.customer_reference);
    for l in
        select x.*, case when w.id is null or w.quantity is null then x.quantity - x.invoiced_quantity else w.quantity end as part
        from sales.order_lines x
        left join (select r.id, r.quantity from sales.read_lines(case when body ? 'lines' then body else '{"lines": [{"id": "00000000-0000-0000-0000-000000000000"}]}'::jsonb end) r) w on w.id = x.id
        where x.organization_id = here and x.order_id = of_order and x.deleted_at is null and (w.id is not null or not body ? 'lines')
        order by x.position, x.id
    loop
        if l.part <= 0 then continue; end if;
        select * into s from finance.share(l.quantity, l.price, l.discount_percent, l.discount_amount, l.tax_rate, l.price_includes_tax, l.digits,
            l.amount, l.tax, l.part, l.invoiced_quantity,
            (select coalesce(sum(case when n.kind = 'CREDIT_NOTE' then -x.amount else x.amount end), 0) from finance.invoice_lines x
             join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
             where x.organization_id = here and n.organization_id = here and x.order_line_id = l.id and x.deleted_at is null
               and (finance.counts(n.direction, n.kind, n.status, n.deleted_at) or n.kind = 'CREDIT_NOTE' and n.number is not null)),
            (select coalesce(sum(case when n.kind = 'CREDIT_NOTE' then -x.tax else x.tax end), 0) from finance.invoice_lines x
             join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
             where x.organization_id = here and n.organization_id = here and x.order_line_id = l.id and x.deleted_at is null
               and (finance.counts(n.direction, n.kind, n.status, n.deleted_at) or n.kind = 'CREDIT_NOTE' and n.number is not null)));
        insert into finance.invoice_lines (invoice_id, position, product_id, order_line_id, code, name, description, unit, quantity, price, discount_percent, discount_amount,
            tax_id, tax_rate, price_includes_tax, tax_adjustment)
        values (made, l.position, l.product_id, l.id, l.code, l.name, l.description, l.unit, l.part, s.new_price, s.new_percent, s.new_discount,
            l.tax_id, l.tax_rate, l.price_includes_tax, s.new_adjustment);
        any_line := true;
    end loop;
    select o.shipping_cost - coalesce(sum(case when n.kind = 'CREDIT_NOTE' then -x.gross else x.gross end), 0) into freight
    from finance.invoice_lines x join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
    where x.organization_id = here and n.organization_id = here and n.order_id = of_order and x.is_shipping and x.deleted_at is null
      and (finance.counts(n.direction, n.kind, n.status, n.deleted_at) or n.kind = 'CREDIT_NOTE' and n.number is not null);
    if freight > 0 then
        insert into finance.invoice_lines (invoice_id, is_shipping, name, price, tax_rate, price_includes_tax) values (made, true, 'Shipping', freight, 0, true);
        any_line := true;
    end if;
    if not any_line then raise exception 'All of this order has been invoiced.' using errcode = 'AP001'; end if;
    if body ->> 'post' = 'true' then update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made; end if;
    return made;
end $$;


ALTER FUNCTION finance.invoice_order(of_order uuid, body jsonb) OWNER TO app_owner;


CREATE FUNCTION finance.line_defaults() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare i finance.invoices; p record; listed boolean; start numeric;
begin
    select * into i from finance.invoices x where x.organization_id = new.organization_id and x.id = new.invoice_id;
    new.digits := coalesce(i.digits, new.digits);
    if tg_op = 'UPDATE' and (new.product_id, new.price, new.tax_id, new.tax_rate, new.name, new.order_line_id, new.price_includes_tax)
        is not distinct from (old.product_id, old.price, old.tax_id, old.tax_rate, old.name, old.order_line_id, old.price_includes_tax) then return new; end if;
    if new.order_line_id is not null and not exists (select from sales.order_lines l where l.organization_id = new.organization_id
        and l.id = new.order_line_id and l.order_id = i.order_id) then
        raise exception 'This line is not of the invoice''s order.' using errcode = 'AP001', column = 'order_line_id';
    end if;
    if new.credited_line_id is not null and not exists (select from finance.invoice_lines l where l.organization_id = new.organization_id
        and l.id = new.credited_line_id and l.invoice_id = i.credited_invoice_id) then
        raise exception 'This line is not of the invoice that is credited.' using errcode = 'AP001', column = 'credited_line_id';
    end if;
    if tg_op = 'UPDATE' and new.product_id is distinct from old.product_id then
        if new.code is not distinct from old.code then new.code := null; end if;
        if new.name is not distinct from old.name then new.name := null; end if;
        if new.unit is not distinct from old.unit then new.unit := null; end if;
        if new.price is not distinct from old.price then new.price := null; end if;
        if new.tax_id is not distinct from old.tax_id then new.tax_id := null; new.tax_rate := null; end if;
    elsif tg_op = 'UPDATE' and new.tax_id is distinct from old.tax_id and new.tax_rate is not distinct from old.tax_rate then
        new.tax_rate := null;
    end if;
    select * into p from products.terms(new.product_id, i.currency, coalesce(i.supplied_on, i.issued_on, current_date));
    new.code := coalesce(new.code, p.sku);
    new.name := coalesce(new.name, p.name);
    new.unit := coalesce(new.unit, p.unit);
    if new.tax_id is null and new.tax_rate is null then new.tax_id := p.tax_id; end if;
    if new.tax_id is not null and new.tax_rate is null then
        new.tax_rate := products.tax_rate(new.tax_id, coalesce(i.supplied_on, i.issued_on, current_date));
        if new.tax_rate is null then
            raise exception 'This tax has no rate on %.', coalesce(i.supplied_on, i.issued_on, current_date) using errcode = 'AP001', column = 'tax_id';
        end if;
    end if;
    new.tax_rate := coalesce(new.tax_rate, 0);
    -- What we buy is priced by its cost, which is without tax.
    listed := i.direction = 'out' and coalesce(p.price_includes_tax, false);
    start := case when i.direction = 'out' then p.price else p.cost end;
    new.price_includes_tax := coalesce(new.price_includes_tax, i.prices_include_tax, listed);
    if new.price is null and start is not null then
        new.price := case when listed = new.price_includes_tax then start
                          when listed then start * 100 / (100 + new.tax_rate)
                          else start * (100 + new.tax_rate) / 100 end;
    end if;
    if tg_op = 'INSERT' and new.position is null then
        select coalesce(max(l.position), 0) + 1 into new.position from finance.invoice_lines l where l.organization_id = new.organization_id and l.invoice_id = new.invoice_id;
    end if;
    return new;
end $$;


ALTER FUNCTION finance.line_defaults() OWNER TO app_owner;


CREATE FUNCTION finance.move_payment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare a record; sign integer := case when new.status = 'completed' then 1 when old.status = 'completed' then -1 else 0 end;
begin
    if sign <> 0 then
        for a in select x.invoice_id, sum(x.amount) as amount from finance.payment_allocations x
            where x.organization_id = new.organization_id and x.payment_id = new.id and x.reversed_on is null and x.deleted_at is null group by 1 order by 1
        loop
            update finance.invoices i set paid = i.paid + sign * a.amount where i.organization_id = new.organization_id and i.id = a.invoice_id;
        end loop;
    end if;
    if new.status in ('failed', 'cancelled') then
        update finance.payment_allocations x set reversed_on = greatest(current_date, x.allocated_on)
        where x.organization_id = new.organization_id and x.payment_id = new.id and x.reversed_on is null;
    end if;
    return null;
end $$;


ALTER FUNCTION finance.move_payment() OWNER TO app_owner;


CREATE FUNCTION finance.paid_by(direction text, kind text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (direction = 'out'::text) THEN CASE kind WHEN 'CREDIT_NOTE'::text THEN 'refund'::text ELSE 'in'::text END ELSE CASE kind WHEN 'CREDIT_NOTE'::text THEN 'in'::text ELSE 'out'::text END END;


ALTER FUNCTION finance.paid_by(direction text, kind text) OWNER TO app_owner;


CREATE FUNCTION finance.party_exposure(party uuid) RETURNS numeric
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select coalesce(sum(round(case when i.kind = 'CREDIT_NOTE' then -i.balance else i.balance end * i.exchange_rate, 2)), 0) from finance.invoices i
            where i.organization_id = app.organization() and i.party_id = party and i.direction = 'out' and i.number is not null and i.deleted_at is null)
         - (select coalesce(sum(round((p.amount - p.allocated) * p.exchange_rate, 2)), 0) from finance.payments p
            where p.organization_id = app.organization() and p.party_id = party and p.direction = 'in' and p.status = 'completed' and p.deleted_at is null);
end $$;


ALTER FUNCTION finance.party_exposure(party uuid) OWNER TO app_owner;


CREATE FUNCTION finance.pass_digits() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    update finance.invoice_lines l set digits = new.digits where l.organization_id = new.organization_id and l.invoice_id = new.id;
    return null;
end $$;


ALTER FUNCTION finance.pass_digits() OWNER TO app_owner;


CREATE FUNCTION finance.pass_paid() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    perform sales.add_paid(new.order_id, case when new.kind = 'CREDIT_NOTE' then old.paid - new.paid else new.paid - old.paid end);
    return null;
end $$;


ALTER FUNCTION finance.pass_paid() OWNER TO app_owner;


CREATE FUNCTION finance.pay(invoice uuid, body jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare here constant uuid := app.organization(); i finance.invoices; made uuid := app.new_id(); on_day date := coalesce(sales.read_date(body, 'paid_on'), current_date);
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = invoice;
    if i.number is null or i.kind in ('PROFORMA', 'RECEIPT') then raise exception 'Only a posted invoice can be paid.' using errcode = 'AP001'; end if;
    if i.balance <= 0 then raise exception 'This invoice is settled already.' using errcode = 'AP001'; end if;
    insert into finance.payments (id, direction, party_id, amount, currency, exchange_rate, method, paid_on, reference, transaction_id, note, workspace_id)
    values (made, finance.paid_by(i.direction, i.kind), i.party_id, coalesce(sales.read_number(body, 'amount'), i.balance), i.currency, i.exchange_rate, coalesce(body ->> 'method', 'BANK_TRANSFER'), on_day,
        coalesce(body ->> 'reference', i.number), body ->> 'transaction_id', body ->> 'note', i.workspace_id);
    insert into finance.payment_allocations (payment_id, invoice_id, amount, allocated_on)
    select made, pay.invoice, p.amount, on_day from finance.payments p where p.organization_id = here and p.id = made;
    update finance.payments p set status = 'completed' where p.organization_id = here and p.id = made;
    return made;
end $$;


ALTER FUNCTION finance.pay(invoice uuid, body jsonb) OWNER TO app_owner;


CREATE FUNCTION finance.payment_allocations_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            select w.created_by, w.workspace_id into new.owner_id, new.workspace_id from finance.payments w where w.organization_id = new.organization_id and w.id = new.payment_id;
            return new;
        end $$;


ALTER FUNCTION finance.payment_allocations_owner() OWNER TO app_owner;


CREATE FUNCTION finance.payment_defaults() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare p parties.parties;
begin
    if new.currency is null then
        select * into p from parties.parties x where x.organization_id = new.organization_id and x.id = new.party_id;
        new.currency := coalesce(p.currency, parties.home_currency(new.organization_id));
    end if;
    new.digits := coalesce(app.digits(new.currency), new.digits);
    return new;
end $$;


ALTER FUNCTION finance.payment_defaults() OWNER TO app_owner;


CREATE FUNCTION finance.post_invoice() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare o finance.invoices; l record; loose numeric;
begin
    if not exists (select from finance.invoice_lines x where x.organization_id = new.organization_id and x.invoice_id = new.id and x.deleted_at is null) then
        raise exception 'An invoice needs at least one line before it can be posted.' using errcode = 'AP001';
    end if;
    if new.gross <= 0 then raise exception 'An invoice over nothing cannot be posted.' using errcode = 'AP001'; end if;
    new.issued_on := coalesce(new.issued_on, current_date);
    new.due_on := coalesce(new.due_on, new.issued_on + parties.payment_days(new.payment_terms));
    if new.kind = 'CREDIT_NOTE' and new.credited_invoice_id is not null then
        select * into o from finance.invoices x where x.organization_id = new.organization_id and x.id = new.credited_invoice_id for no key update;
        if o.number is null or o.kind in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT') then
            raise exception 'Only a posted invoice can be credited.' using errcode = 'AP001', column = 'credited_invoice_id';
        end if;
        if (o.direction, o.party_id, o.currency) <> (new.direction, new.party_id, new.currency) then
            raise exception 'A credit note is for the same party, in the same currency as its invoice.' using errcode = 'AP001', column = 'credited_invoice_id';
        end if;
        -- More of a line than there was is not credited, however often one tries.
        if exists (select from finance.invoice_lines w
                   join lateral (select sum(x.quantity) as quantity from finance.invoice_lines x join finance.invoices n
                                 on n.organization_id = x.organization_id and n.id = x.invoice_id and (n.number is not null or n.id = new.id)
                                 where x.organization_id = new.organization_id and x.credited_line_id = w.id and x.deleted_at is null) c on true
                   where w.organization_id = new.organization_id and w.invoice_id = o.id and c.quantity > w.quantity) then
            raise exception 'No more of a line can be credited than was invoiced.' using errcode = 'AP001', column = 'lines';
        end if;
        new.order_id := coalesce(new.order_id, o.order_id);
        new.credit_applied := least(new.gross, o.balance);
        update finance.invoices x set credited = x.credited + new.gross, credit_applied = x.credit_applied + new.credit_applied
        where x.organization_id = new.organization_id and x.id = o.id;
        if new.direction = 'out' then
            for l in select x.order_line_id, x.quantity from finance.invoice_lines x
                where x.organization_id = new.organization_id and x.invoice_id = new.id and x.order_line_id is not null and x.deleted_at is null order by 1
            loop
                perform sales.add_invoiced(l.order_line_id, -l.quantity);
            end loop;
            select sum(x.gross) into loose from finance.invoice_lines x where x.organization_id = new.organization_id and x.invoice_id = new.id
                and x.order_line_id is null and not x.is_shipping and x.deleted_at is null;
            if new.order_id is not null and loose > 0 then perform sales.add_credited(new.order_id, loose); end if;
        end if;
        new.status := case when new.credit_applied = new.gross then 'paid' when new.credit_applied > 0 then 'partial' else 'sent' end;
    elsif new.kind = 'RECEIPT' then
        new.status := 'paid';
    end if;
    new.number := app.next_number(case when new.direction = 'in' then case new.kind when 'CREDIT_NOTE' then 'SCN' else 'BILL' end
        else case new.kind when 'CREDIT_NOTE' then 'CN' when 'DEBIT_NOTE' then 'DN' when 'PROFORMA' then 'PF' when 'RECEIPT' then 'RC' else 'INV' end end, new.issued_on);
    return new;
end $$;


ALTER FUNCTION finance.post_invoice() OWNER TO app_owner;


CREATE FUNCTION finance.receipt(payment uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare here constant uuid := app.organization(); p finance.payments; made uuid := app.new_id();
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment for no key update;
    if p.status is distinct from 'completed' or p.direction <> 'in' then
        raise exception 'A receipt is given for money that has come in.' using errcode = 'AP001';
    end if;
    insert into finance.invoices (id, direction, kind, party_id, payment_id, workspace_id, currency, exchange_rate, issued_on, payment_terms, reference)
    values (made, 'out', 'RECEIPT', p.party_id, p.id, p.workspace_id, p.currency, p.exchange_rate, greatest(p.paid_on, current_date), 'NET_0', p.number);
    insert into finance.invoice_lines (invoice_id, name, price, tax_rate, price_includes_tax) values (made, concat_ws(' ', p.number, p.reference), p.amount, 0, true);
    update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made;
    return made;
end $$;


ALTER FUNCTION finance.receipt(payment uuid) OWNER TO app_owner;


CREATE FUNCTION finance.settle() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog'
    AS $$
begin
    new.status := case when new.paid + new.credit_applied >= new.gross then 'paid' when new.paid + new.credit_applied > 0 then 'partial'
                       when old.status = 'viewed' then 'viewed' else 'sent' end;
    return new;
end $$;


ALTER FUNCTION finance.settle() OWNER TO app_owner;


CREATE FUNCTION finance.share(quantity numeric, price numeric, discount_percent numeric, discount_amount numeric, tax_rate numeric, inclusive boolean, digits smallint, amount numeric, tax numeric, part numeric, before_quantity numeric, before_amount numeric, before_tax numeric, OUT new_price numeric, OUT new_percent numeric, OUT new_discount numeric, OUT new_adjustment numeric) RETURNS record
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
    due constant numeric := greatest(round(amount * (before_quantity + part) / quantity, digits) - before_amount, 0);
    due_tax constant numeric := greatest(round(tax * (before_quantity + part) / quantity, digits) - before_tax, 0);
begin
    new_price := price;
    new_percent := discount_percent;
    new_discount := round(discount_amount * part / quantity, 6);
    if app.line_gross(part, new_price, new_percent, new_discount, digits) <> due then
        new_price := ceil(due / part * 1000000) / 1000000;
        new_percent := 0;
        new_discount := round(part * new_price - due, 6);
    end if;
    new_adjustment := due_tax - app.line_tax(due, tax_rate, inclusive, digits);
end $$;


ALTER FUNCTION finance.share(quantity numeric, price numeric, discount_percent numeric, discount_amount numeric, tax_rate numeric, inclusive boolean, digits smallint, amount numeric, tax numeric, part numeric, before_quantity numeric, before_amount numeric, before_tax numeric, OUT new_price numeric, OUT new_percent numeric, OUT new_discount numeric, OUT new_adjustment numeric) OWNER TO app_owner;


CREATE FUNCTION finance.unallocate(payment uuid, body jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare here constant uuid := app.organization(); one constant uuid := sales.read_id(body, 'allocation_id');
begin
    perform 1 from finance.payments p where p.organization_id = here and p.id = payment for no key update;
    perform 1 from finance.invoices i where i.organization_id = here and i.id in (select a.invoice_id from finance.payment_allocations a
        where a.organization_id = here and a.payment_id = payment and (one is null or a.id = one)) order by i.id for no key update;
    update finance.payment_allocations a set reversed_on = greatest(current_date, a.allocated_on)
    where a.organization_id = here and a.payment_id = payment and a.reversed_on is null and a.deleted_at is null and (one is null or a.id = one);
    if not found then raise exception 'There is nothing to take back.' using errcode = 'AP001'; end if;
end $$;


ALTER FUNCTION finance.unallocate(payment uuid, body jsonb) OWNER TO app_owner;


CREATE FUNCTION finance.verify() RETURNS TABLE(organization_id uuid, wrong text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
    AS $_$
#variable_conflict use_column
begin
    return query with allocations as (
        select a.organization_id, a.invoice_id, a.payment_id, a.amount, p.status from finance.payment_allocations a
        join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
        where a.reversed_on is null and a.deleted_at is null
    ), numbers as (
        select i.organization_id, substring(i.number from '^(.*?)[0-9]+$') as prefix, substring(i.number from '([0-9]{1,18})$')::bigint as n
        from finance.invoices i where i.number ~ '[0-9]$'
    )
    select i.organization_id, format('invoice %s: paid is %s, its allocations are %s', coalesce(i.number, i.id::text), i.paid, coalesce(a.sum, 0))
    from finance.invoices i
    left join (select organization_id, invoice_id, sum(amount) from allocations where status = 'completed' group by 1, 2) a
        on a.organization_id = i.organization_id and a.invoice_id = i.id
    where i.paid <> coalesce(a.sum, 0)
    union all
    select p.organization_id, format('payment %s: allocated is %s, its allocations are %s', p.number, p.allocated, coalesce(a.sum, 0))
    from finance.payments p
    left join (select organization_id, payment_id, sum(amount) from allocations group by 1, 2) a on a.organization_id = p.organization_id and a.payment_id = p.id
    where p.allocated <> coalesce(a.sum, 0)
    union all
    select o.organization_id, format('order %s: paid is %s, its invoices say %s', o.number, o.paid, coalesce(i.sum, 0))
    from sales.orders o
    left join (select organization_id, order_id, sum(case when kind = 'CREDIT_NOTE' then -paid else paid end) from finance.invoices
               where direction = 'out' and order_id is not null group by 1, 2) i on i.organization_id = o.organization_id and i.order_id = o.id
    where o.paid <> coalesce(i.sum, 0)
    union all
    select l.organization_id, format('order line %s: invoiced is %s, its invoices say %s', l.id, l.invoiced_quantity, coalesce(i.sum, 0))
    from sales.order_lines l
    left join (select x.organization_id, x.order_line_id, sum(case when finance.counts(i.direction, i.kind, i.status, i.deleted_at) then x.quantity
                   when i.direction = 'out' and i.kind = 'CREDIT_NOTE' and i.number is not null and i.credited_invoice_id is not null then -x.quantity else 0 end)
               from finance.invoice_lines x join finance.invoices i on i.organization_id = x.organization_id and i.id = x.invoice_id
               where x.order_line_id is not null and x.deleted_at is null group by 1, 2) i on i.organization_id = l.organization_id and i.order_line_id = l.id
    where l.invoiced_quantity <> coalesce(i.sum, 0)
    union all
    -- Of series that the counters keep; numbers that came in with a file are theirs.
    select c.organization_id, format('%s: %s numbers were given, %s are there', n.prefix, c.last, count(distinct n.n))
    from app.counters c join numbers n on n.organization_id = c.organization_id and n.prefix = c.series || '-'
    where c.period = '' and n.n <= c.last group by 1, n.prefix, c.last having count(distinct n.n) <> c.last;
end $_$;


ALTER FUNCTION finance.verify() OWNER TO app_owner;


COMMENT ON FUNCTION finance.verify() IS 'Balances that are not the sum of what made them, and numbers that are missing.';



CREATE FUNCTION iam.field_permissions_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            select w.created_by into new.owner_id from iam.roles w where w.organization_id = new.organization_id and w.id = new.role_id;
            return new;
        end $$;


ALTER FUNCTION iam.field_permissions_owner() OWNER TO app_owner;


CREATE FUNCTION iam.guard() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user = 'app_user' and current_setting('app.identity', true) is distinct from 'on' then
        raise exception 'Members, roles and keys are changed on their own pages.' using errcode = 'AP001';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end $$;


ALTER FUNCTION iam.guard() OWNER TO app_owner;


CREATE FUNCTION iam.log_event(organization uuid, entity text, record uuid, action text, actor uuid, request uuid, old jsonb, new jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, old, new)
    values (organization, entity, record, action, actor, request, old, new);
end $$;


ALTER FUNCTION iam.log_event(organization uuid, entity text, record uuid, action text, actor uuid, request uuid, old jsonb, new jsonb) OWNER TO app_owner;


CREATE FUNCTION iam.pass_name() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    update iam.memberships m set email = new.email, first_name = new.first_name, last_name = new.last_name
    where m.id = new.id and m.status in ('active', 'suspended');
    return null;
end $$;


ALTER FUNCTION iam.pass_name() OWNER TO app_owner;


CREATE FUNCTION iam.permissions_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            select w.created_by into new.owner_id from iam.roles w where w.organization_id = new.organization_id and w.id = new.role_id;
            return new;
        end $$;


ALTER FUNCTION iam.permissions_owner() OWNER TO app_owner;


CREATE FUNCTION parties.addresses_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            select w.assigned_to, w.workspace_id into new.owner_id, new.workspace_id from parties.parties w where w.organization_id = new.organization_id and w.id = new.party_id;
            return new;
        end $$;


ALTER FUNCTION parties.addresses_owner() OWNER TO app_owner;


CREATE FUNCTION parties.check_contract() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    if new.status = 'signed' then
        new.signed_on := coalesce(new.signed_on, current_date);
    elsif new.status = 'active' and old.status = 'signed' then
        new.starts_on := coalesce(new.starts_on, current_date);
        if new.starts_on > current_date then
            raise exception 'This contract starts on %.', new.starts_on using errcode = 'AP001', column = 'starts_on';
        end if;
    elsif new.status = 'active' then
        if new.ends_on = old.ends_on then new.ends_on := old.ends_on + make_interval(months => new.renewal_months); end if;
    elsif new.status = 'terminated' then
        new.terminated_on := coalesce(new.terminated_on, current_date);
    end if;
    return new;
end $$;


ALTER FUNCTION parties.check_contract() OWNER TO app_owner;


CREATE FUNCTION parties.contacts_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            select w.assigned_to, w.workspace_id into new.owner_id, new.workspace_id from parties.parties w where w.organization_id = new.organization_id and w.id = new.party_id;
            return new;
        end $$;


ALTER FUNCTION parties.contacts_owner() OWNER TO app_owner;


CREATE FUNCTION parties.daily() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare here constant uuid := app.organization(); c parties.contracts;
begin
    update parties.contracts k set status = 'active'
    where k.organization_id = here and k.deleted_at is null and k.status = 'signed' and k.starts_on <= current_date;
    -- More than one term may have passed while nothing ran.
    loop
        update parties.contracts k set status = 'expiring'
        where k.organization_id = here and k.deleted_at is null and k.status = 'active' and k.ends_on < current_date and k.auto_renew;
        update parties.contracts k set status = 'active'
        where k.organization_id = here and k.deleted_at is null and k.status = 'expiring' and k.ends_on < current_date and k.auto_renew;
        exit when not found;
    end loop;
    update parties.contracts k set status = 'expired'
    where k.organization_id = here and k.deleted_at is null and k.status in ('active', 'expiring') and k.ends_on < current_date;
    for c in
        update parties.contracts k set status = 'expiring'
        where k.organization_id = here and k.deleted_at is null and k.status = 'active' and k.notice_on <= current_date
        returning k.*
    loop
        perform app.notify(c.assigned_to, 'contract', jsonb_build_object(
            'en', format('The contract %s ends on %s', c.number, c.ends_on), 'ru', format('Договор %s заканчивается %s', c.number, c.ends_on),
            'kk', format('%s шарты %s күні аяқталады', c.number, c.ends_on)), c.title, 'parties.contracts', c.id, null);
    end loop;
end $$;


ALTER FUNCTION parties.daily() OWNER TO app_owner;


CREATE FUNCTION parties.exposure(party uuid) RETURNS numeric
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
declare f regproc; part numeric; whole numeric := 0;
begin
    for f in select p.oid from pg_proc p where p.proname = 'party_exposure' and p.proargtypes = array['uuid'::regtype::oid]::oidvector order by p.oid loop
        execute format('select %s($1)', f) into part using party;
        whole := whole + coalesce(part, 0);
    end loop;
    return whole;
end $_$;


ALTER FUNCTION parties.exposure(party uuid) OWNER TO app_owner;


CREATE FUNCTION parties.find_duplicates(party uuid, name text, bin text, iin text, email text, phone text) RETURNS TABLE(id uuid, number text, label text, reasons text[], score numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
    AS $$
#variable_conflict use_column
declare
    wanted constant text := lower(find_duplicates.name);
    digits constant text := parties.phone_digits(find_duplicates.phone);
    mail constant text := lower(find_duplicates.email);
begin
    return query
    select p.id, p.number, p.name, r.reasons, r.score
    from parties.parties p,
        lateral (select array_agg(x.reason order by x.weight desc) as reasons, max(x.weight)::numeric(4,3) as score from (values
            ('bin', case when p.bin = find_duplicates.bin then 1.0 end),
            ('iin', case when p.iin = find_duplicates.iin then 1.0 end),
            ('email', case when p.email_key = mail then 0.9 end),
            ('phone', case when p.phone_key = digits then 0.8 end),
            ('name', case when public.similarity(lower(p.name), wanted) >= 0.5 then public.similarity(lower(p.name), wanted)::numeric end)
        ) x (reason, weight) where x.weight is not null) r
    where p.organization_id = app.organization() and p.deleted_at is null and p.id is distinct from party and r.score is not null
      and (p.bin = find_duplicates.bin or p.iin = find_duplicates.iin or p.email_key = mail or p.phone_key = digits
           or p.search_text operator(public.%>) wanted)
    order by r.score desc, cardinality(r.reasons) desc, p.created_at
    limit 20;
end $$;


ALTER FUNCTION parties.find_duplicates(party uuid, name text, bin text, iin text, email text, phone text) OWNER TO app_owner;


CREATE FUNCTION parties.home_currency(organization uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select o.currency from tenancy.organizations o where o.id = organization);
end $$;


ALTER FUNCTION parties.home_currency(organization uuid) OWNER TO app_owner;


CREATE FUNCTION parties.merge(keep uuid, duplicate uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $_$
declare
    here constant uuid := app.organization();
    kept parties.parties; gone parties.parties;
    f record; r uuid;
begin
    if keep = duplicate then raise exception 'A record cannot be merged into itself.' using errcode = 'AP001'; end if;
    perform 1 from parties.parties p where p.organization_id = here and p.id in (keep, duplicate) order by p.id for update;
    select * into kept from parties.parties p where p.organization_id = here and p.id = keep and p.deleted_at is null;
    if not found then raise exception 'The record to keep is not there any more.' using errcode = 'AP001'; end if;
    select * into gone from parties.parties p where p.organization_id = here and p.id = duplicate and p.deleted_at is null;
    if not found then raise exception 'The duplicate is not there any more.' using errcode = 'AP001'; end if;
    if kept.kind <> gone.kind then raise exception 'A company and a person cannot be one.' using errcode = 'AP001'; end if;
    if kept.bin <> gone.bin or kept.iin <> gone.iin then
        raise exception 'These two have different identification numbers: they are not the same.' using errcode = 'AP001';
    end if;

    -- The kept one has the first word about what there can be only one of.
    update parties.contacts c set is_primary = false where c.organization_id = here and c.party_id = duplicate and c.is_primary
        and exists (select from parties.contacts k where k.organization_id = here and k.party_id = keep and k.is_primary and k.deleted_at is null);
    update parties.addresses a set is_default = false where a.organization_id = here and a.party_id = duplicate and a.is_default
        and exists (select from parties.addresses k where k.organization_id = here and k.party_id = keep and k.kind = a.kind and k.is_default and k.deleted_at is null);

    perform set_config('app.system', 'yes', true);   -- closed documents change hands too
    for f in
        select c.conrelid::regclass as child, a.attname as col
        from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[2]
        where c.contype = 'f' and c.confrelid = 'parties.parties'::regclass and cardinality(c.conkey) = 2 and c.conparentid = 0
        order by 1, 2
    loop
        begin
            execute format('update %s t set %I = $1 where t.organization_id = $2 and t.%2$I = $3', f.child, f.col) using keep, here, duplicate;
        exception when unique_violation or exclusion_violation then
            for r in execute format('select t.id from %s t where t.organization_id = $1 and t.%I = $2', f.child, f.col) using here, duplicate loop
                begin
                    execute format('update %s t set %I = $1 where t.organization_id = $2 and t.id = $3', f.child, f.col) using keep, here, r;
                exception when unique_violation or exclusion_violation then null;
                end;
            end loop;
        end;
    end loop;
    -- What hangs on a record by its name: files, comments, notifications.
    for f in
        select e.name as child from app.entities e
        where (select count(*) from pg_attribute a where a.attrelid = e.name::regclass and not a.attisdropped
               and (a.attname = 'entity' and a.atttypid = 'text'::regtype or a.attname = 'record_id' and a.atttypid = 'uuid'::regtype)) = 2
        order by 1
    loop
        begin
            execute format('update %s t set record_id = $1 where t.organization_id = $2 and t.entity = ''parties.parties'' and t.record_id = $3', f.child)
                using keep, here, duplicate;
        exception when unique_violation then null;
        end;
    end loop;
    perform set_config('app.system', '', true);

    update parties.parties p set deleted_at = now(), merged_into = keep where p.organization_id = here and p.id = duplicate;
    update parties.parties p set
        is_customer = p.is_customer or gone.is_customer, is_supplier = p.is_supplier or gone.is_supplier,
        is_carrier = p.is_carrier or gone.is_carrier, is_venue = p.is_venue or gone.is_venue,
        is_partner = p.is_partner or gone.is_partner, is_agency = p.is_agency or gone.is_agency,
        code = coalesce(p.code, gone.code), legal_name = coalesce(p.legal_name, gone.legal_name),
        email = coalesce(p.email, gone.email), phone = coalesce(p.phone, gone.phone), fax = coalesce(p.fax, gone.fax),
        website = coalesce(p.website, gone.website), country = coalesce(p.country, gone.country),
        language = coalesce(p.language, gone.language), currency = coalesce(p.currency, gone.currency),
        bin = coalesce(p.bin, gone.bin), iin = coalesce(p.iin, gone.iin), kbe = coalesce(p.kbe, gone.kbe),
        tax_id = coalesce(p.tax_id, gone.tax_id), industry = coalesce(p.industry, gone.industry),
        segment = coalesce(p.segment, gone.segment), source = coalesce(p.source, gone.source),
        employee_count = coalesce(p.employee_count, gone.employee_count), annual_revenue = coalesce(p.annual_revenue, gone.annual_revenue),
        credit_limit = coalesce(p.credit_limit, gone.credit_limit), rating = coalesce(p.rating, gone.rating),
        satisfaction = coalesce(p.satisfaction, gone.satisfaction), assigned_to = coalesce(p.assigned_to, gone.assigned_to),
        tags = array(select distinct t from unnest(p.tags || gone.tags) t order by 1),
        note = nullif(concat_ws(E'\n\n', p.note, gone.note), '')
    where p.organization_id = here and p.id = keep;
end $_$;


ALTER FUNCTION parties.merge(keep uuid, duplicate uuid) OWNER TO app_owner;


CREATE FUNCTION parties.payment_days(terms text) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (terms ~ '^NET_[0-9]+$'::text) THEN (substr(terms, 5))::integer ELSE 0 END;


ALTER FUNCTION parties.payment_days(terms text) OWNER TO app_owner;


CREATE FUNCTION parties.phone_digits(phone text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN NULLIF("right"(regexp_replace(phone, '[^0-9]'::text, ''::text, 'g'::text), 10), ''::text);


ALTER FUNCTION parties.phone_digits(phone text) OWNER TO app_owner;


CREATE FUNCTION parties.step_aside() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    if tg_argv[0] = 'contacts' then
        update parties.contacts c set is_primary = false
        where c.organization_id = new.organization_id and c.party_id = new.party_id and c.is_primary and c.id <> new.id;
    else
        update parties.addresses a set is_default = false
        where a.organization_id = new.organization_id and a.party_id = new.party_id and a.kind = new.kind and a.is_default and a.id <> new.id;
    end if;
    return new;
end $$;


ALTER FUNCTION parties.step_aside() OWNER TO app_owner;


CREATE FUNCTION parties.valid_iin(number text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
declare century integer;
begin
    if not parties.valid_kz_id(number) or substr(number, 7, 1) > '6' then return false; end if;
    century := case substr(number, 7, 1) when '1' then 1800 when '2' then 1800 when '5' then 2000 when '6' then 2000 else 1900 end;
    perform make_date(century + left(number, 2)::integer, substr(number, 3, 2)::integer, substr(number, 5, 2)::integer);
    return true;
exception when datetime_field_overflow then return false;
end $$;


ALTER FUNCTION parties.valid_iin(number text) OWNER TO app_owner;


CREATE FUNCTION parties.valid_kz_id(number text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
declare d integer[]; s integer;
begin
    if number !~ '^[0-9]{12}$' then return false; end if;
    d := string_to_array(number, null)::integer[];
    select sum(d[i] * i) % 11 into s from generate_series(1, 11) i;
    if s = 10 then select sum(d[i] * ((i + 1) % 11 + 1)) % 11 into s from generate_series(1, 11) i; end if;
    return s = d[12];
end $_$;


ALTER FUNCTION parties.valid_kz_id(number text) OWNER TO app_owner;


CREATE FUNCTION products.check_rate() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    if new.deleted_at is not null then return new; end if;
    perform 1 from products.taxes t where t.organization_id = new.organization_id and t.id = new.tax_id for no key update;
    if exists (select from products.tax_rates r where r.organization_id = new.organization_id and r.tax_id = new.tax_id and r.id <> new.id
               and r.deleted_at is null and daterange(r.valid_from, r.valid_to, '[]') && daterange(new.valid_from, new.valid_to, '[]')) then
        raise exception 'This tax already has a rate for some of these days.' using errcode = 'AP001', column = 'valid_from';
    end if;
    return new;
end $$;


ALTER FUNCTION products.check_rate() OWNER TO app_owner;


CREATE FUNCTION products.check_tree() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare above uuid := new.parent_id;
begin
    while above is not null loop
        if above = new.id then
            raise exception 'A category cannot stand inside itself.' using errcode = 'AP001', column = 'parent_id';
        end if;
        select c.parent_id into above from products.categories c where c.organization_id = new.organization_id and c.id = above for no key update;
    end loop;
    return new;
end $$;


ALTER FUNCTION products.check_tree() OWNER TO app_owner;


CREATE FUNCTION products.tax_rate(tax uuid, on_date date) RETURNS numeric
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select r.rate from products.tax_rates r where r.organization_id = app.organization() and r.tax_id = tax and r.deleted_at is null
            and daterange(r.valid_from, r.valid_to, '[]') @> on_date);
end $$;


ALTER FUNCTION products.tax_rate(tax uuid, on_date date) OWNER TO app_owner;


CREATE FUNCTION products.tax_rates_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            select w.created_by into new.owner_id from products.taxes w where w.organization_id = new.organization_id and w.id = new.tax_id;
            return new;
        end $$;


ALTER FUNCTION products.tax_rates_owner() OWNER TO app_owner;


CREATE FUNCTION products.terms(product uuid, in_currency text, on_date date) RETURNS TABLE(sku text, name text, unit text, decimals smallint, kind text, status text, price numeric, cost numeric, price_includes_tax boolean, tax_id uuid, tax_rate numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
#variable_conflict use_column
declare p products.products; u products.units; tax uuid; above uuid; same boolean;
begin
    select * into p from products.products x where x.organization_id = app.organization() and x.id = product;
    if not found then return; end if;
    select * into u from products.units x where x.organization_id = p.organization_id and x.id = p.unit_id;
    tax := p.tax_id;
    above := p.category_id;
    while tax is null and above is not null loop
        select c.tax_id, c.parent_id into tax, above from products.categories c where c.organization_id = p.organization_id and c.id = above;
    end loop;
    tax := coalesce(tax, (app.setting('products.default_tax') #>> '{}')::uuid);
    same := coalesce(p.currency, parties.home_currency(p.organization_id)) = in_currency;
    return query select p.sku, p.name, u.code, u.decimals, p.kind, p.status, case when same then p.price::numeric end,
        case when same then p.cost::numeric end, p.price_includes_tax, tax, products.tax_rate(tax, on_date);
end $$;


ALTER FUNCTION products.terms(product uuid, in_currency text, on_date date) OWNER TO app_owner;


CREATE FUNCTION products.valid_ean(barcode text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
begin
    if barcode !~ '^([0-9]{8}|[0-9]{12,14})$' then return false; end if;
    return (select sum(substr(reverse(barcode), i, 1)::integer * case when i % 2 = 0 then 3 else 1 end) % 10 = 0
            from generate_series(1, length(barcode)) i);
end $_$;


ALTER FUNCTION products.valid_ean(barcode text) OWNER TO app_owner;


CREATE FUNCTION sales.add_credited(of_order uuid, more numeric) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    update sales.orders o set credited = o.credited + more where o.organization_id = app.organization() and o.id = of_order;
end $$;


ALTER FUNCTION sales.add_credited(of_order uuid, more numeric) OWNER TO app_owner;


CREATE FUNCTION sales.add_invoiced(line uuid, more numeric) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    update sales.order_lines l set invoiced_quantity = l.invoiced_quantity + more where l.organization_id = app.organization() and l.id = line;
end $$;


ALTER FUNCTION sales.add_invoiced(line uuid, more numeric) OWNER TO app_owner;


CREATE FUNCTION sales.add_paid(of_order uuid, more numeric) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    update sales.orders o set paid = o.paid + more where o.organization_id = app.organization() and o.id = of_order;
end $$;


ALTER FUNCTION sales.add_paid(of_order uuid, more numeric) OWNER TO app_owner;


CREATE FUNCTION sales.check_contract() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    if coalesce(current_setting('app.system', true), '') <> 'yes' and not exists (select from parties.contracts c
        where c.organization_id = new.organization_id and c.id = new.contract_id and c.party_id = new.customer_id and c.deleted_at is null) then
        raise exception 'This contract is with somebody else.' using errcode = 'AP001', column = 'contract_id';
    end if;
    return new;
end $$;


ALTER FUNCTION sales.check_contract() OWNER TO app_owner;


CREATE FUNCTION sales.check_order() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare c parties.parties; over numeric;
begin
    if new.status = 'confirmed' then
        if not exists (select from sales.order_lines l where l.organization_id = new.organization_id and l.order_id = new.id and l.deleted_at is null) then
            raise exception 'An order needs at least one line before it can be confirmed.' using errcode = 'AP001';
        end if;
        -- One confirmation at a time for a customer, so that two cannot share one rest of credit.
        select * into c from parties.parties p where p.organization_id = new.organization_id and p.id = new.customer_id for no key update;
        if c.deleted_at is not null then raise exception 'This customer has been deleted.' using errcode = 'AP001', column = 'customer_id'; end if;
        if c.credit_limit is not null then
            over := parties.exposure(new.customer_id) + round((new.gross + new.shipping_cost) * new.exchange_rate, 2) - c.credit_limit;
            if over > 0 then
                raise exception 'This order takes % over the credit limit by %.', c.name, trim_scale(over) using errcode = 'AP001', column = 'customer_id';
            end if;
        end if;
    elsif new.status = 'cancelled' then
        if new.shipped_quantity > 0 then raise exception 'Some of this order has been shipped already.' using errcode = 'AP001'; end if;
        if new.invoiced_quantity > 0 then raise exception 'Some of this order has been invoiced: credit that first.' using errcode = 'AP001'; end if;
    elsif new.status = 'shipped' then
        new.shipped_on := coalesce(new.shipped_on, current_date);
    elsif new.status = 'delivered' then
        new.delivered_on := coalesce(new.delivered_on, greatest(current_date, new.shipped_on));
    end if;
    return new;
end $$;


ALTER FUNCTION sales.check_order() OWNER TO app_owner;


CREATE FUNCTION sales.line_defaults() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare o sales.orders; p record; listed boolean;
begin
    select * into o from sales.orders x where x.organization_id = new.organization_id and x.id = new.order_id;
    new.digits := coalesce(o.digits, new.digits);
    if tg_op = 'UPDATE' and new.product_id is not distinct from old.product_id and new.quantity = old.quantity
        and new.price is not distinct from old.price and new.tax_id is not distinct from old.tax_id and new.name is not distinct from old.name then return new; end if;
    if tg_op = 'UPDATE' and new.product_id is distinct from old.product_id then
        -- Another product: what was copied from the old one and left alone comes from the new one.
        if new.code is not distinct from old.code then new.code := null; end if;
        if new.name is not distinct from old.name then new.name := null; end if;
        if new.unit is not distinct from old.unit then new.unit := null; end if;
        if new.price is not distinct from old.price then new.price := null; end if;
        if new.cost is not distinct from old.cost then new.cost := null; end if;
        if new.tax_id is not distinct from old.tax_id then new.tax_id := null; new.tax_rate := null; end if;
    elsif tg_op = 'UPDATE' and new.tax_id is distinct from old.tax_id and new.tax_rate is not distinct from old.tax_rate then
        new.tax_rate := null;
    end if;
    select * into p from products.terms(new.product_id, o.currency, o.ordered_on);
    if p.status = 'inactive' and coalesce(current_setting('app.importing', true), '') <> 'yes' and (tg_op = 'INSERT' or new.product_id is distinct from old.product_id) then
        raise exception '% is not for sale.', p.name using errcode = 'AP001', column = 'product_id';
    end if;
    if round(new.quantity, p.decimals) <> new.quantity then
        raise exception '% is counted in %, with % decimals.', p.name, p.unit, p.decimals using errcode = 'AP001', column = 'quantity';
    end if;
    new.code := coalesce(new.code, p.sku);
    new.name := coalesce(new.name, p.name);
    new.unit := coalesce(new.unit, p.unit);
    new.cost := coalesce(new.cost, p.cost);
    -- A rate given without a tax is taken as it is: a document from elsewhere.
    if new.tax_id is null and new.tax_rate is null then new.tax_id := p.tax_id; end if;
    if new.tax_id is not null and new.tax_rate is null then
        new.tax_rate := products.tax_rate(new.tax_id, o.ordered_on);
        if new.tax_rate is null then
            raise exception 'This tax has no rate on %.', o.ordered_on using errcode = 'AP001', column = 'tax_id';
        end if;
    end if;
    new.tax_rate := coalesce(new.tax_rate, 0);
    listed := coalesce(p.price_includes_tax, false);
    new.price_includes_tax := coalesce(new.price_includes_tax, o.prices_include_tax, listed);
    if new.price is null and p.price is not null then
        new.price := case when listed = new.price_includes_tax then p.price
                          when listed then p.price * 100 / (100 + new.tax_rate)
                          else p.price * (100 + new.tax_rate) / 100 end;
    end if;
    if tg_op = 'INSERT' and new.position is null then
        select coalesce(max(l.position), 0) + 1 into new.position from sales.order_lines l where l.organization_id = new.organization_id and l.order_id = new.order_id;
    end if;
    -- Orders of the past come in with their goods out.
    if tg_op = 'INSERT' and o.status in ('shipped', 'delivered', 'returned') and coalesce(current_setting('app.importing', true), '') = 'yes' then
        new.shipped_quantity := new.quantity;
        if o.status <> 'shipped' then new.delivered_quantity := new.quantity; end if;
        if o.status = 'returned' then new.returned_quantity := new.quantity; end if;
    end if;
    return new;
end $$;


ALTER FUNCTION sales.line_defaults() OWNER TO app_owner;


CREATE FUNCTION sales.move_lines() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    update sales.order_lines l set
        shipped_quantity = l.quantity,
        delivered_quantity = case when new.status = 'shipped' then l.delivered_quantity else l.quantity end,
        returned_quantity = case when new.status = 'returned' then l.quantity else l.returned_quantity end
    where l.organization_id = new.organization_id and l.order_id = new.id and l.deleted_at is null;
    return null;
end $$;


ALTER FUNCTION sales.move_lines() OWNER TO app_owner;


CREATE FUNCTION sales.move_some(of_order uuid, verb text, body jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare o sales.orders; l record; here constant uuid := app.organization();
begin
    select * into o from sales.orders x where x.organization_id = here and x.id = of_order for no key update;
    if o.status is null or o.status <> all (case verb when 'ship' then '{confirmed,processing}' when 'deliver' then '{confirmed,processing,shipped}'
                                            else '{processing,shipped,delivered}' end::text[]) then
        raise exception 'An order that is % has nothing to %.', o.status, verb using errcode = 'AP001';
    end if;
    for l in select * from sales.read_lines(body) loop
        if l.quantity <= 0 then raise exception 'A quantity must be more than nothing.' using errcode = 'AP001', column = 'lines'; end if;
        if verb = 'ship' then
            update sales.order_lines x set shipped_quantity = coalesce(x.shipped_quantity + l.quantity, x.quantity)
            where x.organization_id = here and x.order_id = of_order and x.id = l.id and x.deleted_at is null;
        elsif verb = 'deliver' then
            update sales.order_lines x set delivered_quantity = coalesce(x.delivered_quantity + l.quantity, x.shipped_quantity)
            where x.organization_id = here and x.order_id = of_order and x.id = l.id and x.deleted_at is null;
        else
            update sales.order_lines x set returned_quantity = coalesce(x.returned_quantity + l.quantity, x.delivered_quantity)
            where x.organization_id = here and x.order_id = of_order and x.id = l.id and x.deleted_at is null;
        end if;
        if not found then raise exception 'This line is not of this order.' using errcode = 'AP001', column = 'lines'; end if;
    end loop;
    select * into o from sales.orders x where x.organization_id = here and x.id = of_order;
    if o.status = 'confirmed' and o.shipped_quantity < o.quantity then
        update sales.orders x set status = 'processing' where x.organization_id = here and x.id = of_order;
    elsif o.status in ('confirmed', 'processing') and o.shipped_quantity = o.quantity then
        update sales.orders x set status = 'shipped', shipped_on = coalesce(sales.read_date(body, 'on'), x.shipped_on) where x.organization_id = here and x.id = of_order;
    end if;
    if verb = 'deliver' and o.delivered_quantity = o.quantity then
        update sales.orders x set status = 'delivered', delivered_on = coalesce(sales.read_date(body, 'on'), x.delivered_on) where x.organization_id = here and x.id = of_order;
    elsif verb = 'return' and o.returned_quantity = o.quantity then
        update sales.orders x set status = 'returned' where x.organization_id = here and x.id = of_order;
    end if;
end $$;


ALTER FUNCTION sales.move_some(of_order uuid, verb text, body jsonb) OWNER TO app_owner;


CREATE FUNCTION sales.order_defaults() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
declare
    c parties.parties; s parties.addresses; b parties.addresses;
    fresh constant boolean := tg_op = 'INSERT' or new.customer_id is distinct from old.customer_id;
    importing constant boolean := coalesce(current_setting('app.importing', true), '') = 'yes';
begin
    if fresh and coalesce(current_setting('app.system', true), '') <> 'yes' then
        select * into c from parties.parties p where p.organization_id = new.organization_id and p.id = new.customer_id;
        if c.deleted_at is not null and not importing then
            raise exception 'This customer has been deleted.' using errcode = 'AP001', column = 'customer_id';
        end if;
        new.payment_terms := coalesce(new.payment_terms, c.payment_terms);
        new.currency := coalesce(new.currency, c.currency, parties.home_currency(new.organization_id));
        select * into s from parties.addresses a where a.organization_id = new.organization_id and a.party_id = c.id and a.deleted_at is null
            order by array_position('{shipping,office,legal,billing}', a.kind), a.is_default desc, a.created_at limit 1;
        select * into b from parties.addresses a where a.organization_id = new.organization_id and a.party_id = c.id and a.deleted_at is null
            order by array_position('{billing,legal,office,shipping}', a.kind), a.is_default desc, a.created_at limit 1;
        if tg_op = 'UPDATE' or coalesce(new.ship_name, new.ship_street, new.ship_city, new.ship_region, new.ship_postal_code, new.ship_country) is null then
            new.ship_name := coalesce(s.name, c.name);
            new.ship_street := nullif(concat_ws(', ', s.street, s.street2), '');
            new.ship_city := s.city;
            new.ship_region := s.region;
            new.ship_postal_code := s.postal_code;
            new.ship_country := coalesce(s.country, c.country);
        end if;
        if tg_op = 'UPDATE' or coalesce(new.bill_name, new.bill_street, new.bill_city, new.bill_region, new.bill_postal_code, new.bill_country) is null then
            new.bill_name := coalesce(b.name, c.legal_name, c.name);
            new.bill_street := nullif(concat_ws(', ', b.street, b.street2), '');
            new.bill_city := b.city;
            new.bill_region := b.region;
            new.bill_postal_code := b.postal_code;
            new.bill_country := coalesce(b.country, c.country);
        end if;
    end if;
    new.digits := coalesce(app.digits(new.currency), new.digits);
    return new;
end $$;


ALTER FUNCTION sales.order_defaults() OWNER TO app_owner;


CREATE FUNCTION sales.order_lines_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            select w.assigned_to, w.workspace_id into new.owner_id, new.workspace_id from sales.orders w where w.organization_id = new.organization_id and w.id = new.order_id;
            return new;
        end $$;


ALTER FUNCTION sales.order_lines_owner() OWNER TO app_owner;


CREATE FUNCTION sales.order_lines_total() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
        begin
            if tg_op = 'UPDATE' and old.order_id = new.order_id then
                if (new.net, new.tax, new.gross, new.quantity, new.shipped_quantity, new.delivered_quantity, new.returned_quantity, new.invoiced_quantity) is distinct from (old.net, old.tax, old.gross, old.quantity, old.shipped_quantity, old.delivered_quantity, old.returned_quantity, old.invoiced_quantity) then
                    update sales.orders w set net = w.net + coalesce(new.net, 0) - coalesce(old.net, 0), tax = w.tax + coalesce(new.tax, 0) - coalesce(old.tax, 0), gross = w.gross + coalesce(new.gross, 0) - coalesce(old.gross, 0), quantity = w.quantity + coalesce(new.quantity, 0) - coalesce(old.quantity, 0), shipped_quantity = w.shipped_quantity + coalesce(new.shipped_quantity, 0) - coalesce(old.shipped_quantity, 0), delivered_quantity = w.delivered_quantity + coalesce(new.delivered_quantity, 0) - coalesce(old.delivered_quantity, 0), returned_quantity = w.returned_quantity + coalesce(new.returned_quantity, 0) - coalesce(old.returned_quantity, 0), invoiced_quantity = w.invoiced_quantity + coalesce(new.invoiced_quantity, 0) - coalesce(old.invoiced_quantity, 0) where w.organization_id = new.organization_id and w.id = new.order_id;
                end if;
                return null;
            end if;
            if tg_op <> 'INSERT' then
                update sales.orders w set net = w.net - coalesce(old.net, 0), tax = w.tax - coalesce(old.tax, 0), gross = w.gross - coalesce(old.gross, 0), quantity = w.quantity - coalesce(old.quantity, 0), shipped_quantity = w.shipped_quantity - coalesce(old.shipped_quantity, 0), delivered_quantity = w.delivered_quantity - coalesce(old.delivered_quantity, 0), returned_quantity = w.returned_quantity - coalesce(old.returned_quantity, 0), invoiced_quantity = w.invoiced_quantity - coalesce(old.invoiced_quantity, 0) where w.organization_id = old.organization_id and w.id = old.order_id;
            end if;
            if tg_op <> 'DELETE' then
                update sales.orders w set net = w.net + coalesce(new.net, 0), tax = w.tax + coalesce(new.tax, 0), gross = w.gross + coalesce(new.gross, 0), quantity = w.quantity + coalesce(new.quantity, 0), shipped_quantity = w.shipped_quantity + coalesce(new.shipped_quantity, 0), delivered_quantity = w.delivered_quantity + coalesce(new.delivered_quantity, 0), returned_quantity = w.returned_quantity + coalesce(new.returned_quantity, 0), invoiced_quantity = w.invoiced_quantity + coalesce(new.invoiced_quantity, 0) where w.organization_id = new.organization_id and w.id = new.order_id;
            end if;
            return null;
        end $$;


ALTER FUNCTION sales.order_lines_total() OWNER TO app_owner;


CREATE FUNCTION sales.party_exposure(party uuid) RETURNS numeric
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    return (select coalesce(sum(round((x.open + case when x.invoiced_quantity = 0 then x.shipping_cost else 0 end) * x.exchange_rate, 2)), 0)
        from (select o.exchange_rate, o.shipping_cost, o.invoiced_quantity,
                (select coalesce(sum(l.gross * (l.quantity - l.invoiced_quantity) / l.quantity), 0) from sales.order_lines l
                 where l.organization_id = o.organization_id and l.order_id = o.id and l.deleted_at is null) as open
              from sales.orders o
              where o.organization_id = app.organization() and o.customer_id = party and o.deleted_at is null
                and o.status in ('confirmed', 'processing', 'shipped', 'delivered') and o.invoice_status <> 'invoiced') x);
end $$;


ALTER FUNCTION sales.party_exposure(party uuid) OWNER TO app_owner;


CREATE FUNCTION sales.pass_digits() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    AS $$
begin
    update sales.order_lines l set digits = new.digits where l.organization_id = new.organization_id and l.order_id = new.id;
    return null;
end $$;


ALTER FUNCTION sales.pass_digits() OWNER TO app_owner;


CREATE FUNCTION sales.read_date(body jsonb, field text) RETURNS date
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $_$
declare said constant text := body ->> field;
begin
    if said is null then return null; end if;
    if said !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then raise datetime_field_overflow; end if;
    return said::date;
exception when datetime_field_overflow or invalid_datetime_format then
    raise exception 'This is not a date.' using errcode = 'AP001', column = field;
end $_$;


ALTER FUNCTION sales.read_date(body jsonb, field text) OWNER TO app_owner;


CREATE FUNCTION sales.read_id(body jsonb, field text) RETURNS uuid
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $_$
declare said constant text := body ->> field;
begin
    if said is null then return null; end if;
    if said !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        raise exception 'This is not an id.' using errcode = 'AP001', column = field;
    end if;
    return said::uuid;
end $_$;


ALTER FUNCTION sales.read_id(body jsonb, field text) OWNER TO app_owner;


CREATE FUNCTION sales.read_lines(body jsonb) RETURNS TABLE(id uuid, quantity numeric)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
    AS $$
begin
    if jsonb_typeof(body -> 'lines') is distinct from 'array' or jsonb_array_length(body -> 'lines') = 0 then
        raise exception 'Say which lines.' using errcode = 'AP001', column = 'lines';
    end if;
    if exists (select from jsonb_array_elements(body -> 'lines') x where jsonb_typeof(x) <> 'object' or x ->> 'id' is null)
        or (select count(*) > count(distinct x ->> 'id') from jsonb_array_elements(body -> 'lines') x) then
        raise exception 'Every line has an id, and stands here once.' using errcode = 'AP001', column = 'lines';
    end if;
    return query select sales.read_id(x, 'id'), sales.read_number(x, 'quantity') from jsonb_array_elements(body -> 'lines') x order by 1;
end $$;


ALTER FUNCTION sales.read_lines(body jsonb) OWNER TO app_owner;


CREATE FUNCTION sales.read_number(body jsonb, field text) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $_$
declare said constant text := body ->> field;
begin
    if said is null then return null; end if;
    if said !~ '^-?[0-9]{1,14}(\.[0-9]{1,6})?$' then
        raise exception 'This is not a number.' using errcode = 'AP001', column = field;
    end if;
    return said::numeric;
end $_$;


ALTER FUNCTION sales.read_number(body jsonb, field text) OWNER TO app_owner;


CREATE TABLE app.audit (
    organization_id uuid NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    entity text NOT NULL,
    record_id uuid NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    request_id uuid,
    version integer,
    old jsonb,
    new jsonb
)
PARTITION BY RANGE (at);


ALTER TABLE app.audit OWNER TO app_owner;


COMMENT ON TABLE app.audit IS 'Who did what, written by the transaction that did it. Also the outbox: readers follow (xid, id).';



CREATE TABLE app.audit_2026_11 (
    organization_id uuid NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    entity text NOT NULL,
    record_id uuid NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    request_id uuid,
    version integer,
    old jsonb,
    new jsonb
);


ALTER TABLE app.audit_2026_11 OWNER TO app_owner;


CREATE TABLE app.audit_2026_12 (
    organization_id uuid NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    entity text NOT NULL,
    record_id uuid NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    request_id uuid,
    version integer,
    old jsonb,
    new jsonb
);


ALTER TABLE app.audit_2026_12 OWNER TO app_owner;


CREATE TABLE app.audit_2027_01 (
    organization_id uuid NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    entity text NOT NULL,
    record_id uuid NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    request_id uuid,
    version integer,
    old jsonb,
    new jsonb
);


ALTER TABLE app.audit_2027_01 OWNER TO app_owner;


CREATE TABLE app.audit_rest (
    organization_id uuid NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    entity text NOT NULL,
    record_id uuid NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    request_id uuid,
    version integer,
    old jsonb,
    new jsonb
);


ALTER TABLE app.audit_rest OWNER TO app_owner;


CREATE TABLE app.counters (
    organization_id uuid NOT NULL,
    series text NOT NULL,
    period text DEFAULT ''::text NOT NULL,
    last bigint DEFAULT 0 NOT NULL
);


ALTER TABLE app.counters OWNER TO app_owner;


COMMENT ON TABLE app.counters IS 'The last number given in a series.';



CREATE TABLE app.currencies (
    code text NOT NULL,
    name text NOT NULL,
    digits smallint NOT NULL,
    CONSTRAINT currencies_code_check CHECK ((code ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT currencies_digits_check CHECK (((digits >= 0) AND (digits <= 4)))
);


ALTER TABLE app.currencies OWNER TO app_owner;


COMMENT ON TABLE app.currencies IS 'ISO 4217: what a currency is called and how many digits its amounts have.';



CREATE TABLE app.digests (
    id uuid DEFAULT app.new_id() NOT NULL,
    person uuid NOT NULL,
    company text NOT NULL,
    title text NOT NULL,
    body text,
    link text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone NOT NULL
);


ALTER TABLE app.digests OWNER TO app_owner;


COMMENT ON TABLE app.digests IS 'News on its way into somebody''s letter of the day.';



CREATE TABLE app.entities (
    name text NOT NULL,
    slot integer NOT NULL,
    owner text NOT NULL,
    part_of text,
    fk text,
    search boolean DEFAULT false NOT NULL,
    ignored text[] DEFAULT '{}'::text[] NOT NULL,
    derived text[] DEFAULT '{}'::text[] NOT NULL
);


ALTER TABLE app.entities OWNER TO app_owner;


COMMENT ON TABLE app.entities IS 'The tables that tenants have rows in.';



CREATE TABLE app.idempotency (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    user_id uuid DEFAULT app.actor() NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status integer,
    body text,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_key_check CHECK (((length(key) >= 1) AND (length(key) <= 200)))
);


ALTER TABLE app.idempotency OWNER TO app_owner;


COMMENT ON TABLE app.idempotency IS 'Answers kept with their effect, so that a repeated request has none. Kept seven days.';



CREATE TABLE app.mails (
    id uuid DEFAULT app.new_id() NOT NULL,
    recipient text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    attachments jsonb DEFAULT '[]'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    send_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    failed_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    error text
);


ALTER TABLE app.mails OWNER TO app_owner;


COMMENT ON TABLE app.mails IS 'Mail on its way out, written by the transaction that wants it sent.';



CREATE TABLE app.number_series (
    organization_id uuid NOT NULL,
    series text NOT NULL,
    pattern text NOT NULL,
    CONSTRAINT pattern_has_digits CHECK ((pattern ~ '0'::text))
);


ALTER TABLE app.number_series OWNER TO app_owner;


COMMENT ON TABLE app.number_series IS 'How an organization writes its numbers: INV-{yyyy}-00000 starts anew each year.';



COMMENT ON CONSTRAINT pattern_has_digits ON app.number_series IS 'A number pattern needs at least one 0 for the digits.';



CREATE TABLE app.record (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text))
);


ALTER TABLE app.record OWNER TO app_owner;


COMMENT ON TABLE app.record IS 'What every record has; tables are made like it.';



COMMENT ON COLUMN app.record.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN app.record.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN app.record.custom IS 'Fields that this organization added.';



CREATE TABLE app.schedules (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    kind text NOT NULL,
    key text DEFAULT ''::text NOT NULL,
    cron text NOT NULL,
    zone text DEFAULT 'UTC'::text NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_by uuid DEFAULT app.actor() NOT NULL,
    last_run_at timestamp with time zone,
    next_run_at timestamp with time zone NOT NULL,
    job_id uuid
);


ALTER TABLE app.schedules OWNER TO app_owner;


COMMENT ON TABLE app.schedules IS 'Work that comes back; runs missed while the server was down are made up for once.';



CREATE TABLE app.schema_changes (
    module text NOT NULL,
    number integer NOT NULL,
    checksum text NOT NULL,
    before text,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE app.schema_changes OWNER TO app_owner;


COMMENT ON TABLE app.schema_changes IS 'The steps that this database has taken.';



CREATE TABLE app.seen (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    user_id uuid DEFAULT app.actor() NOT NULL,
    entity text NOT NULL,
    record_id uuid NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE app.seen OWNER TO app_owner;


COMMENT ON TABLE app.seen IS 'Until when somebody has read what is said about a record.';



CREATE TABLE app.system_logs (
    id uuid DEFAULT app.new_id() NOT NULL,
    fingerprint text NOT NULL,
    level text NOT NULL,
    message text NOT NULL,
    request_id uuid,
    about_organization uuid,
    about_user uuid,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    count bigint DEFAULT 1 NOT NULL,
    resolved_at timestamp with time zone,
    CONSTRAINT system_logs_level_check CHECK ((level = ANY (ARRAY['DEBUG'::text, 'INFO'::text, 'WARN'::text, 'ERROR'::text, 'FATAL'::text])))
);


ALTER TABLE app.system_logs OWNER TO app_owner;


COMMENT ON TABLE app.system_logs IS 'Errors of the program, one row for each kind.';



CREATE TABLE app.transitions (
    entity text NOT NULL,
    field text NOT NULL,
    source text NOT NULL,
    target text NOT NULL,
    action text NOT NULL,
    sort integer NOT NULL
);


ALTER TABLE app.transitions OWNER TO app_owner;


COMMENT ON TABLE app.transitions IS 'The only roads from one state of a record to another.';



CREATE TABLE builder.custom_fields (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    entity text NOT NULL,
    name text NOT NULL,
    label text NOT NULL,
    type text NOT NULL,
    required boolean DEFAULT false NOT NULL,
    options jsonb DEFAULT '[]'::jsonb NOT NULL,
    help text,
    "position" integer DEFAULT 0 NOT NULL,
    CONSTRAINT custom_fields_options_check CHECK ((jsonb_typeof(options) = 'array'::text)),
    CONSTRAINT custom_fields_type_check CHECK ((type = ANY (ARRAY['text'::text, 'textarea'::text, 'number'::text, 'integer'::text, 'money'::text, 'percent'::text, 'date'::text, 'datetime'::text, 'boolean'::text, 'select'::text, 'multiselect'::text, 'email'::text, 'phone'::text, 'url'::text, 'tags'::text, 'user'::text, 'richtext'::text, 'rating'::text, 'duration'::text, 'color'::text, 'location'::text, 'country'::text, 'timezone'::text, 'barcode'::text, 'signature'::text]))),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT field_name_is_plain CHECK ((name ~ '^[a-z][a-z0-9_]{0,49}$'::text))
);


ALTER TABLE builder.custom_fields OWNER TO app_owner;


COMMENT ON TABLE builder.custom_fields IS 'A field that this organization added to an entity.';



COMMENT ON COLUMN builder.custom_fields.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN builder.custom_fields.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN builder.custom_fields.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT field_name_is_plain ON builder.custom_fields IS 'A field''s name is lower case letters, digits and _, at most 50.';



CREATE TABLE files.files (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    entity text,
    record_id uuid,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT file_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 255))),
    CONSTRAINT files_size_check CHECK ((size >= 0))
);


ALTER TABLE files.files OWNER TO app_owner;


COMMENT ON TABLE files.files IS 'A file; its bytes are kept once, under their hash.';



COMMENT ON COLUMN files.files.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN files.files.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN files.files.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT file_has_a_name ON files.files IS 'A file needs a name of at most 255 characters.';



CREATE TABLE finance.invoice_lines (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    invoice_id uuid NOT NULL,
    "position" integer,
    product_id uuid,
    order_line_id uuid,
    credited_line_id uuid,
    is_shipping boolean DEFAULT false NOT NULL,
    code text,
    name text,
    description app.textarea,
    unit text,
    quantity app.quantity DEFAULT 1 NOT NULL,
    price app.money,
    discount_percent app.percent DEFAULT 0 NOT NULL,
    discount_amount app.money DEFAULT 0 NOT NULL,
    tax_id uuid,
    tax_rate app.percent,
    price_includes_tax boolean,
    tax_adjustment app.money DEFAULT 0 NOT NULL,
    digits smallint DEFAULT 2 NOT NULL,
    amount app.money GENERATED ALWAYS AS (app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits)) STORED,
    net app.money GENERATED ALWAYS AS ((app.line_net(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits) -
CASE
    WHEN price_includes_tax THEN (tax_adjustment)::numeric
    ELSE (0)::numeric
END)) STORED,
    tax app.money GENERATED ALWAYS AS ((app.line_tax(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits) + (tax_adjustment)::numeric)) STORED,
    gross app.money GENERATED ALWAYS AS (((app.line_net(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits) + app.line_tax(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits)) +
CASE
    WHEN price_includes_tax THEN (0)::numeric
    ELSE (tax_adjustment)::numeric
END)) STORED,
    note app.textarea,
    owner_id uuid,
    workspace_id uuid,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT discount_is_0_to_100 CHECK ((((discount_percent)::numeric >= (0)::numeric) AND ((discount_percent)::numeric <= (100)::numeric))),
    CONSTRAINT discount_not_negative CHECK (((discount_amount)::numeric >= (0)::numeric)),
    CONSTRAINT discount_within_price CHECK ((app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits) >= (0)::numeric)),
    CONSTRAINT line_has_a_name CHECK (((name ~ '\S'::text) AND (name IS NOT NULL) AND (length(name) <= 500))),
    CONSTRAINT line_has_a_price CHECK ((price IS NOT NULL)),
    CONSTRAINT line_price_not_negative CHECK (((price)::numeric >= (0)::numeric)),
    CONSTRAINT quantity_is_positive CHECK (((quantity)::numeric > (0)::numeric)),
    CONSTRAINT rate_is_0_to_100 CHECK ((((tax_rate)::numeric >= (0)::numeric) AND ((tax_rate)::numeric <= (100)::numeric))),
    CONSTRAINT tax_adjustment_is_a_rounding CHECK (((abs((tax_adjustment)::numeric) <= (1)::numeric) AND ((tax_adjustment)::numeric = round((tax_adjustment)::numeric, (digits)::integer))))
);


ALTER TABLE finance.invoice_lines OWNER TO app_owner;


COMMENT ON TABLE finance.invoice_lines IS 'One thing on an invoice.';



COMMENT ON COLUMN finance.invoice_lines.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN finance.invoice_lines.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN finance.invoice_lines.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN finance.invoice_lines.order_line_id IS 'The line of the order that this invoices.';



COMMENT ON COLUMN finance.invoice_lines.credited_line_id IS 'The line of the invoice that this credits.';



COMMENT ON COLUMN finance.invoice_lines.is_shipping IS 'The freight of an order.';



COMMENT ON COLUMN finance.invoice_lines.tax_adjustment IS 'Where the tax on paper is a rounding off ours, and where shares must add up to the whole.';



COMMENT ON COLUMN finance.invoice_lines.amount IS 'Quantity times price less the discount, rounded once.';



COMMENT ON CONSTRAINT discount_is_0_to_100 ON finance.invoice_lines IS 'A discount goes from 0 to 100 percent.';



COMMENT ON CONSTRAINT discount_not_negative ON finance.invoice_lines IS 'A discount cannot be negative.';



COMMENT ON CONSTRAINT discount_within_price ON finance.invoice_lines IS 'A discount cannot be more than the price.';



COMMENT ON CONSTRAINT line_has_a_name ON finance.invoice_lines IS 'A line needs a product, or a name of at most 500 characters.';



COMMENT ON CONSTRAINT line_has_a_price ON finance.invoice_lines IS 'A line needs a price; the product has none in this currency.';



COMMENT ON CONSTRAINT line_price_not_negative ON finance.invoice_lines IS 'A price cannot be negative.';



COMMENT ON CONSTRAINT quantity_is_positive ON finance.invoice_lines IS 'A quantity must be more than nothing.';



COMMENT ON CONSTRAINT rate_is_0_to_100 ON finance.invoice_lines IS 'A tax rate goes from 0 to 100 percent.';



COMMENT ON CONSTRAINT tax_adjustment_is_a_rounding ON finance.invoice_lines IS 'A tax can be put right by a rounding, not by more.';



CREATE TABLE finance.invoices (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    direction text DEFAULT 'out'::text NOT NULL,
    kind text DEFAULT 'STANDARD'::text NOT NULL,
    number text,
    status text DEFAULT 'draft'::text NOT NULL,
    party_id uuid NOT NULL,
    order_id uuid,
    credited_invoice_id uuid,
    payment_id uuid,
    issued_on date,
    due_on date,
    supplied_on date,
    payment_terms text,
    currency text,
    exchange_rate numeric(20,10) DEFAULT 1 NOT NULL,
    digits smallint DEFAULT 2 NOT NULL,
    prices_include_tax boolean,
    supplier_number text,
    po_number text,
    contract_number text,
    reference text,
    party_name text,
    party_bin text,
    party_tax_id text,
    party_street text,
    party_city text,
    party_region text,
    party_postal_code text,
    party_country text,
    assigned_to uuid DEFAULT app.actor(),
    workspace_id uuid,
    terms app.textarea,
    note app.textarea,
    internal_note app.textarea,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    esf_number text,
    esf_status text,
    esf_on date,
    net app.money DEFAULT 0 NOT NULL,
    tax app.money DEFAULT 0 NOT NULL,
    gross app.money DEFAULT 0 NOT NULL,
    paid app.money DEFAULT 0 NOT NULL,
    credited app.money DEFAULT 0 NOT NULL,
    credit_applied app.money DEFAULT 0 NOT NULL,
    balance app.money GENERATED ALWAYS AS (
CASE
    WHEN (kind = ANY (ARRAY['PROFORMA'::text, 'RECEIPT'::text])) THEN (0)::numeric
    ELSE (((gross)::numeric - (paid)::numeric) - (credit_applied)::numeric)
END) STORED,
    search tsvector GENERATED ALWAYS AS (((app.words('A'::"char", ((COALESCE(number, ''::text) || ' '::text) || COALESCE(party_name, ''::text))) || app.words('B'::"char", ((((((COALESCE(supplier_number, ''::text) || ' '::text) || COALESCE(po_number, ''::text)) || ' '::text) || COALESCE(contract_number, ''::text)) || ' '::text) || COALESCE(reference, ''::text)))) || app.words('C'::"char", COALESCE((note)::text, ''::text)))) STORED,
    search_text text GENERATED ALWAYS AS (((((((((((COALESCE(lower(number), ''::text) || ' '::text) || COALESCE(lower(party_name), ''::text)) || ' '::text) || COALESCE(lower(supplier_number), ''::text)) || ' '::text) || COALESCE(lower(po_number), ''::text)) || ' '::text) || COALESCE(lower(contract_number), ''::text)) || ' '::text) || COALESCE(lower(reference), ''::text))) STORED,
    CONSTRAINT credited_within_gross CHECK (((credited)::numeric <= (gross)::numeric)),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT due_after_issued CHECK ((due_on >= issued_on)),
    CONSTRAINT exchange_rate_is_positive CHECK (((exchange_rate > (0)::numeric) AND (exchange_rate < 'Infinity'::numeric))),
    CONSTRAINT invoice_has_a_currency CHECK ((currency IS NOT NULL)),
    CONSTRAINT invoices_direction_check CHECK ((direction = ANY (ARRAY['out'::text, 'in'::text]))),
    CONSTRAINT invoices_esf_status_check CHECK ((esf_status = ANY (ARRAY['created'::text, 'sent'::text, 'accepted'::text, 'declined'::text, 'revoked'::text]))),
    CONSTRAINT invoices_kind_check CHECK ((kind = ANY (ARRAY['STANDARD'::text, 'PROFORMA'::text, 'CREDIT_NOTE'::text, 'DEBIT_NOTE'::text, 'RECURRING'::text, 'RECEIPT'::text]))),
    CONSTRAINT invoices_payment_terms_check CHECK ((payment_terms = ANY (ARRAY['PREPAYMENT'::text, 'NET_0'::text, 'NET_15'::text, 'NET_30'::text, 'NET_45'::text, 'NET_60'::text]))),
    CONSTRAINT not_its_own_credit CHECK ((credited_invoice_id <> id)),
    CONSTRAINT number_comes_with_posting CHECK (((number IS NULL) = (status = ANY (ARRAY['draft'::text, 'cancelled'::text])))),
    CONSTRAINT only_credit_notes_credit CHECK (((credited_invoice_id IS NULL) OR (kind = 'CREDIT_NOTE'::text))),
    CONSTRAINT paid_within_gross CHECK ((((paid)::numeric + (credit_applied)::numeric) <= (gross)::numeric)),
    CONSTRAINT posted_has_dates CHECK (((status = ANY (ARRAY['draft'::text, 'cancelled'::text])) OR ((issued_on IS NOT NULL) AND (due_on IS NOT NULL)))),
    CONSTRAINT receipts_are_for_payments CHECK (((payment_id IS NOT NULL) = (kind = 'RECEIPT'::text))),
    CONSTRAINT settled_not_negative CHECK ((((paid)::numeric >= (0)::numeric) AND ((credited)::numeric >= (0)::numeric) AND ((credit_applied)::numeric >= (0)::numeric))),
    CONSTRAINT status_is_known CHECK ((status = ANY ('{draft,sent,viewed,partial,paid,cancelled}'::text[]))),
    CONSTRAINT supplier_number_is_short CHECK ((length(supplier_number) <= 100))
);


ALTER TABLE finance.invoices OWNER TO app_owner;


COMMENT ON TABLE finance.invoices IS 'What a customer owes us (out) or we owe a supplier (in), and the notes that correct it.';



COMMENT ON COLUMN finance.invoices.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN finance.invoices.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN finance.invoices.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN finance.invoices.number IS 'Given when the invoice is posted, without gaps.';



COMMENT ON COLUMN finance.invoices.supplied_on IS 'When the goods or services were supplied.';



COMMENT ON COLUMN finance.invoices.exchange_rate IS 'What one unit of the invoice''s currency is worth in the currency of our books.';



COMMENT ON COLUMN finance.invoices.digits IS 'To how many digits its amounts are rounded: a matter of the currency.';



COMMENT ON COLUMN finance.invoices.supplier_number IS 'The number on a supplier''s paper.';



COMMENT ON COLUMN finance.invoices.paid IS 'Money allocated to it by completed payments.';



COMMENT ON COLUMN finance.invoices.credited IS 'What credit notes take back of it.';



COMMENT ON COLUMN finance.invoices.credit_applied IS 'Credit that settled it; on a credit note: how much of it was used so.';



COMMENT ON COLUMN finance.invoices.balance IS 'What is still to be paid, or of a credit note, still to be paid back.';



COMMENT ON CONSTRAINT credited_within_gross ON finance.invoices IS 'No more can be credited than was invoiced.';



COMMENT ON CONSTRAINT due_after_issued ON finance.invoices IS 'An invoice cannot be due before it is issued.';



COMMENT ON CONSTRAINT exchange_rate_is_positive ON finance.invoices IS 'An exchange rate must be more than nothing.';



COMMENT ON CONSTRAINT invoice_has_a_currency ON finance.invoices IS 'An invoice needs a currency.';



COMMENT ON CONSTRAINT not_its_own_credit ON finance.invoices IS 'A credit note cannot credit itself.';



COMMENT ON CONSTRAINT number_comes_with_posting ON finance.invoices IS 'An invoice gets its number when it is posted, not before.';



COMMENT ON CONSTRAINT only_credit_notes_credit ON finance.invoices IS 'Only a credit note credits an invoice.';



COMMENT ON CONSTRAINT paid_within_gross ON finance.invoices IS 'No more can be paid on an invoice than is open.';



COMMENT ON CONSTRAINT posted_has_dates ON finance.invoices IS 'A posted invoice has a date and a due date.';



COMMENT ON CONSTRAINT receipts_are_for_payments ON finance.invoices IS 'A receipt is for a payment, and nothing else is.';



COMMENT ON CONSTRAINT settled_not_negative ON finance.invoices IS 'Less than nothing cannot be paid or credited.';



COMMENT ON CONSTRAINT supplier_number_is_short ON finance.invoices IS 'A number has at most 100 characters.';



CREATE TABLE finance.payment_allocations (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    payment_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    amount app.money NOT NULL,
    allocated_on date DEFAULT CURRENT_DATE NOT NULL,
    reversed_on date,
    owner_id uuid,
    workspace_id uuid,
    CONSTRAINT amount_is_positive CHECK (((amount)::numeric > (0)::numeric)),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT reversed_after_allocated CHECK ((reversed_on >= allocated_on))
);


ALTER TABLE finance.payment_allocations OWNER TO app_owner;


COMMENT ON TABLE finance.payment_allocations IS 'How much of a payment settles an invoice, from which day on, and until which.';



COMMENT ON COLUMN finance.payment_allocations.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN finance.payment_allocations.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN finance.payment_allocations.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT amount_is_positive ON finance.payment_allocations IS 'An amount must be more than nothing.';



COMMENT ON CONSTRAINT reversed_after_allocated ON finance.payment_allocations IS 'An allocation cannot be taken back before it was made.';



CREATE TABLE finance.payments (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    number text DEFAULT app.next_number('PAY'::text) NOT NULL,
    direction text DEFAULT 'in'::text NOT NULL,
    party_id uuid NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    amount app.money NOT NULL,
    currency text,
    exchange_rate numeric(20,10) DEFAULT 1 NOT NULL,
    digits smallint DEFAULT 2 NOT NULL,
    base_amount app.money GENERATED ALWAYS AS (round(((amount)::numeric * exchange_rate), 2)) STORED,
    method text DEFAULT 'BANK_TRANSFER'::text NOT NULL,
    paid_on date DEFAULT CURRENT_DATE NOT NULL,
    reference text,
    transaction_id text,
    bank_name text,
    account_number text,
    bank_reference text,
    cheque_number text,
    gateway text,
    workspace_id uuid,
    note app.textarea,
    internal_note app.textarea,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    allocated app.money DEFAULT 0 NOT NULL,
    unallocated app.money GENERATED ALWAYS AS (((amount)::numeric - (allocated)::numeric)) STORED,
    search tsvector GENERATED ALWAYS AS (((app.words('A'::"char", ((((COALESCE(number, ''::text) || ' '::text) || COALESCE(reference, ''::text)) || ' '::text) || COALESCE(transaction_id, ''::text))) || app.words('B'::"char", ((COALESCE(bank_reference, ''::text) || ' '::text) || COALESCE(cheque_number, ''::text)))) || app.words('C'::"char", COALESCE((note)::text, ''::text)))) STORED,
    search_text text GENERATED ALWAYS AS (((((((((COALESCE(lower(number), ''::text) || ' '::text) || COALESCE(lower(reference), ''::text)) || ' '::text) || COALESCE(lower(transaction_id), ''::text)) || ' '::text) || COALESCE(lower(bank_reference), ''::text)) || ' '::text) || COALESCE(lower(cheque_number), ''::text))) STORED,
    CONSTRAINT allocated_not_negative CHECK (((allocated)::numeric >= (0)::numeric)),
    CONSTRAINT allocated_within_amount CHECK (((allocated)::numeric <= GREATEST((amount)::numeric, (0)::numeric))),
    CONSTRAINT amount_is_positive CHECK (((amount)::numeric > (0)::numeric)),
    CONSTRAINT amount_is_rounded CHECK (((amount)::numeric = round((amount)::numeric, (digits)::integer))),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT exchange_rate_is_positive CHECK (((exchange_rate > (0)::numeric) AND (exchange_rate < 'Infinity'::numeric))),
    CONSTRAINT payment_has_a_currency CHECK ((currency IS NOT NULL)),
    CONSTRAINT payments_direction_check CHECK ((direction = ANY (ARRAY['in'::text, 'out'::text, 'refund'::text]))),
    CONSTRAINT payments_method_check CHECK ((method = ANY (ARRAY['CASH'::text, 'BANK_TRANSFER'::text, 'CARD'::text, 'CHECK'::text, 'OTHER'::text]))),
    CONSTRAINT status_is_known CHECK ((status = ANY ('{pending,processing,completed,failed,cancelled}'::text[]))),
    CONSTRAINT transaction_id_is_short CHECK (((transaction_id ~ '\S'::text) AND (length(transaction_id) <= 255)))
);


ALTER TABLE finance.payments OWNER TO app_owner;


COMMENT ON TABLE finance.payments IS 'Money that came in, went out, or went back.';



COMMENT ON COLUMN finance.payments.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN finance.payments.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN finance.payments.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN finance.payments.direction IS 'In: from whoever owes us. Out: to whom we owe. Refund: back to a customer.';



COMMENT ON COLUMN finance.payments.base_amount IS 'In the currency of our books.';



COMMENT ON COLUMN finance.payments.transaction_id IS 'What the bank or the gateway calls it; no payment is entered twice.';



COMMENT ON COLUMN finance.payments.allocated IS 'How much of it settles invoices.';



COMMENT ON CONSTRAINT allocated_not_negative ON finance.payments IS 'Less than nothing cannot be allocated.';



COMMENT ON CONSTRAINT allocated_within_amount ON finance.payments IS 'No more can be allocated than was paid.';



COMMENT ON CONSTRAINT amount_is_positive ON finance.payments IS 'An amount must be more than nothing.';



COMMENT ON CONSTRAINT amount_is_rounded ON finance.payments IS 'The amount has more digits than the currency.';



COMMENT ON CONSTRAINT exchange_rate_is_positive ON finance.payments IS 'An exchange rate must be more than nothing.';



COMMENT ON CONSTRAINT payment_has_a_currency ON finance.payments IS 'A payment needs a currency.';



COMMENT ON CONSTRAINT transaction_id_is_short ON finance.payments IS 'A transaction id has 1 to 255 characters.';



CREATE TABLE iam.api_tokens (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    token_hash bytea NOT NULL,
    scopes text[] DEFAULT '{}'::text[] NOT NULL,
    allowed_ips text[] DEFAULT '{}'::text[] NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT token_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 100)))
);


ALTER TABLE iam.api_tokens OWNER TO app_owner;


COMMENT ON TABLE iam.api_tokens IS 'A key for a program that acts as a member. Only its hash is kept.';



COMMENT ON COLUMN iam.api_tokens.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN iam.api_tokens.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN iam.api_tokens.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT token_has_a_name ON iam.api_tokens IS 'A token needs a name of at most 100 characters.';



CREATE TABLE iam.email_verifications (
    id uuid DEFAULT app.new_id() NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    email text NOT NULL,
    code_hash bytea NOT NULL,
    password_hash text,
    for_organization_id uuid,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT email_verifications_kind_check CHECK ((kind = ANY (ARRAY['registration'::text, 'password_reset'::text, 'email_change'::text, 'invitation'::text])))
);


ALTER TABLE iam.email_verifications OWNER TO app_owner;


COMMENT ON TABLE iam.email_verifications IS 'Codes sent by mail: hashed, used once, tried a few times, gone after a while.';



CREATE TABLE iam.field_permissions (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    role_id uuid NOT NULL,
    entity text NOT NULL,
    field text NOT NULL,
    access text NOT NULL,
    owner_id uuid,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT field_permissions_access_check CHECK ((access = ANY (ARRAY['none'::text, 'read'::text, 'write'::text])))
);


ALTER TABLE iam.field_permissions OWNER TO app_owner;


COMMENT ON TABLE iam.field_permissions IS 'A field that a role may only read, or not see at all.';



COMMENT ON COLUMN iam.field_permissions.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN iam.field_permissions.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN iam.field_permissions.custom IS 'Fields that this organization added.';



CREATE TABLE iam.login_attempts (
    id uuid DEFAULT app.new_id() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    email_hash bytea NOT NULL,
    ip text,
    succeeded boolean NOT NULL,
    reason text
);


ALTER TABLE iam.login_attempts OWNER TO app_owner;


COMMENT ON TABLE iam.login_attempts IS 'Who tried to sign in, for lock-out and for the administrator.';



CREATE TABLE iam.memberships (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    email text NOT NULL,
    first_name text DEFAULT ''::text NOT NULL,
    last_name text DEFAULT ''::text NOT NULL,
    name text GENERATED ALWAYS AS (COALESCE(NULLIF(TRIM(BOTH FROM ((first_name || ' '::text) || last_name)), ''::text), email)) STORED NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    manager_id uuid,
    default_workspace_id uuid,
    workspace_ids uuid[],
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT memberships_status_check CHECK ((status = ANY (ARRAY['invited'::text, 'active'::text, 'suspended'::text, 'left'::text])))
);


ALTER TABLE iam.memberships OWNER TO app_owner;


COMMENT ON TABLE iam.memberships IS 'A person in a company.';



COMMENT ON COLUMN iam.memberships.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN iam.memberships.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN iam.memberships.custom IS 'Fields that this organization added.';



CREATE TABLE iam.permissions (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    role_id uuid NOT NULL,
    entity text NOT NULL,
    action text NOT NULL,
    scope text NOT NULL,
    owner_id uuid,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT permissions_scope_check CHECK ((scope = ANY (ARRAY['none'::text, 'own'::text, 'team'::text, 'workspace'::text, 'all'::text])))
);


ALTER TABLE iam.permissions OWNER TO app_owner;


COMMENT ON TABLE iam.permissions IS 'What an organization changed of a role: how far an action on an entity goes.';



COMMENT ON COLUMN iam.permissions.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN iam.permissions.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN iam.permissions.custom IS 'Fields that this organization added.';



CREATE TABLE iam.role_assignments (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    membership_id uuid NOT NULL,
    role_id uuid NOT NULL,
    in_workspace_id uuid,
    valid_from date,
    valid_to date,
    CONSTRAINT assignment_ends_after_it_starts CHECK ((valid_to >= valid_from)),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text))
);


ALTER TABLE iam.role_assignments OWNER TO app_owner;


COMMENT ON TABLE iam.role_assignments IS 'Who has which role, where and when.';



COMMENT ON COLUMN iam.role_assignments.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN iam.role_assignments.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN iam.role_assignments.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT assignment_ends_after_it_starts ON iam.role_assignments IS 'A role cannot end before it starts.';



CREATE TABLE iam.roles (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    name text NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    description text,
    template text,
    is_system boolean DEFAULT false NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT role_has_a_name CHECK ((name ~ '^[a-z][a-z0-9_]{0,49}$'::text))
);


ALTER TABLE iam.roles OWNER TO app_owner;


COMMENT ON TABLE iam.roles IS 'A named set of permissions.';



COMMENT ON COLUMN iam.roles.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN iam.roles.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN iam.roles.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT role_has_a_name ON iam.roles IS 'A role''s name is lower case letters, digits and _.';



CREATE TABLE iam.sessions (
    id uuid DEFAULT app.new_id() NOT NULL,
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    active_organization_id uuid,
    ip text,
    user_agent text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);


ALTER TABLE iam.sessions OWNER TO app_owner;


COMMENT ON TABLE iam.sessions IS 'Where a person is signed in. Only a hash of the token is kept.';



CREATE TABLE iam.user_profiles (
    id uuid NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    phone text DEFAULT ''::text NOT NULL,
    bio text DEFAULT ''::text NOT NULL,
    skills text[] DEFAULT '{}'::text[] NOT NULL,
    visibility jsonb DEFAULT '{}'::jsonb NOT NULL,
    picture bytea,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE iam.user_profiles OWNER TO app_owner;


COMMENT ON TABLE iam.user_profiles IS 'What people tell of themselves, and whom.';



CREATE TABLE iam.users (
    id uuid DEFAULT app.new_id() NOT NULL,
    email text NOT NULL,
    email_key text GENERATED ALWAYS AS (lower(email)) STORED NOT NULL,
    password_hash text,
    first_name text DEFAULT ''::text NOT NULL,
    last_name text DEFAULT ''::text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    registration_status text DEFAULT 'email_pending'::text NOT NULL,
    locale text DEFAULT 'en'::text NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    theme text DEFAULT 'system'::text NOT NULL,
    preferences jsonb DEFAULT '{}'::jsonb NOT NULL,
    totp_secret bytea,
    totp_enabled_at timestamp with time zone,
    totp_last_step bigint,
    recovery_codes bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    password_changed_at timestamp with time zone,
    last_login_at timestamp with time zone,
    last_login_ip text,
    last_user_agent text,
    is_operator boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT users_registration_status_check CHECK ((registration_status = ANY (ARRAY['email_pending'::text, 'email_verified'::text, 'onboarding_pending'::text, 'completed'::text]))),
    CONSTRAINT users_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'active'::text, 'inactive'::text, 'suspended'::text]))),
    CONSTRAINT users_theme_check CHECK ((theme = ANY (ARRAY['system'::text, 'light'::text, 'dark'::text])))
);


ALTER TABLE iam.users OWNER TO app_owner;


COMMENT ON TABLE iam.users IS 'A person who may sign in, in any number of organizations.';



CREATE TABLE imports.imports (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    entity text NOT NULL,
    file_id uuid,
    name text,
    format text NOT NULL,
    manner jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'mapping'::text NOT NULL,
    columns jsonb DEFAULT '[]'::jsonb NOT NULL,
    mapping jsonb DEFAULT '{}'::jsonb NOT NULL,
    upsert_key text,
    batch_id uuid DEFAULT app.new_id() NOT NULL,
    total bigint,
    done bigint DEFAULT 0 NOT NULL,
    created bigint DEFAULT 0 NOT NULL,
    updated bigint DEFAULT 0 NOT NULL,
    unchanged bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    errors jsonb DEFAULT '[]'::jsonb NOT NULL,
    job_id uuid,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT imports_format_check CHECK ((format = ANY (ARRAY['csv'::text, 'xlsx'::text, 'json'::text]))),
    CONSTRAINT imports_status_check CHECK ((status = ANY (ARRAY['mapping'::text, 'checking'::text, 'checked'::text, 'running'::text, 'done'::text, 'failed'::text, 'undone'::text])))
);


ALTER TABLE imports.imports OWNER TO app_owner;


COMMENT ON TABLE imports.imports IS 'One file on its way in: what it maps to, how far it is, what went wrong.';



COMMENT ON COLUMN imports.imports.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN imports.imports.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN imports.imports.custom IS 'Fields that this organization added.';



CREATE TABLE imports.saved_mappings (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    entity text NOT NULL,
    name text NOT NULL,
    mapping jsonb NOT NULL,
    upsert_key text,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT mapping_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 100)))
);


ALTER TABLE imports.saved_mappings OWNER TO app_owner;


COMMENT ON TABLE imports.saved_mappings IS 'A mapping kept for the next file of the same kind.';



COMMENT ON COLUMN imports.saved_mappings.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN imports.saved_mappings.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN imports.saved_mappings.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT mapping_has_a_name ON imports.saved_mappings IS 'A mapping needs a name of at most 100 characters.';



CREATE TABLE parties.addresses (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    party_id uuid NOT NULL,
    kind text DEFAULT 'billing'::text NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    name text,
    street text,
    street2 text,
    city text,
    region text,
    postal_code text,
    country text,
    latitude numeric(9,6),
    longitude numeric(9,6),
    note app.textarea,
    owner_id uuid,
    workspace_id uuid,
    CONSTRAINT address_says_where CHECK ((COALESCE(street, city, region, postal_code, country) IS NOT NULL)),
    CONSTRAINT addresses_kind_check CHECK ((kind = ANY (ARRAY['billing'::text, 'shipping'::text, 'legal'::text, 'office'::text]))),
    CONSTRAINT city_is_short CHECK ((length(city) <= 200)),
    CONSTRAINT coordinates_are_a_pair CHECK (((latitude IS NULL) = (longitude IS NULL))),
    CONSTRAINT country_has_two_letters CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT latitude_is_on_earth CHECK (((latitude >= ('-90'::integer)::numeric) AND (latitude <= (90)::numeric))),
    CONSTRAINT longitude_is_on_earth CHECK (((longitude >= ('-180'::integer)::numeric) AND (longitude <= (180)::numeric))),
    CONSTRAINT postal_code_is_short CHECK ((length(postal_code) <= 20)),
    CONSTRAINT street_is_short CHECK ((length(street) <= 500))
);


ALTER TABLE parties.addresses OWNER TO app_owner;


COMMENT ON TABLE parties.addresses IS 'Where a party is, gets its goods or its invoices.';



COMMENT ON COLUMN parties.addresses.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN parties.addresses.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN parties.addresses.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT address_says_where ON parties.addresses IS 'An address needs a street, a city, a region, a postal code or a country.';



COMMENT ON CONSTRAINT city_is_short ON parties.addresses IS 'A city has at most 200 characters.';



COMMENT ON CONSTRAINT coordinates_are_a_pair ON parties.addresses IS 'Give both latitude and longitude, or neither.';



COMMENT ON CONSTRAINT country_has_two_letters ON parties.addresses IS 'A country is two capital letters, such as KZ.';



COMMENT ON CONSTRAINT latitude_is_on_earth ON parties.addresses IS 'A latitude goes from -90 to 90.';



COMMENT ON CONSTRAINT longitude_is_on_earth ON parties.addresses IS 'A longitude goes from -180 to 180.';



COMMENT ON CONSTRAINT postal_code_is_short ON parties.addresses IS 'A postal code has at most 20 characters.';



COMMENT ON CONSTRAINT street_is_short ON parties.addresses IS 'A street has at most 500 characters.';



CREATE TABLE parties.contacts (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    party_id uuid NOT NULL,
    first_name text DEFAULT ''::text NOT NULL,
    last_name text DEFAULT ''::text NOT NULL,
    name text GENERATED ALWAYS AS (TRIM(BOTH FROM ((first_name || ' '::text) || last_name))) STORED,
    title text,
    department text,
    email app.email,
    phone app.phone,
    mobile app.phone,
    is_primary boolean DEFAULT false NOT NULL,
    is_decision_maker boolean DEFAULT false NOT NULL,
    accepts_marketing boolean DEFAULT false NOT NULL,
    note app.textarea,
    search tsvector GENERATED ALWAYS AS ((app.words('A'::"char", ((COALESCE(first_name, ''::text) || ' '::text) || COALESCE(last_name, ''::text))) || app.words('B'::"char", ((((((COALESCE((email)::text, ''::text) || ' '::text) || COALESCE((phone)::text, ''::text)) || ' '::text) || COALESCE((mobile)::text, ''::text)) || ' '::text) || COALESCE(title, ''::text))))) STORED,
    search_text text GENERATED ALWAYS AS (((((((((((COALESCE(lower(first_name), ''::text) || ' '::text) || COALESCE(lower(last_name), ''::text)) || ' '::text) || COALESCE(lower((email)::text), ''::text)) || ' '::text) || COALESCE(lower((phone)::text), ''::text)) || ' '::text) || COALESCE(lower((mobile)::text), ''::text)) || ' '::text) || COALESCE(lower(title), ''::text))) STORED,
    owner_id uuid,
    workspace_id uuid,
    CONSTRAINT contact_has_a_name CHECK ((((first_name || last_name) ~ '\S'::text) AND (length(first_name) <= 100) AND (length(last_name) <= 100))),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text))
);


ALTER TABLE parties.contacts OWNER TO app_owner;


COMMENT ON TABLE parties.contacts IS 'A person at a party.';



COMMENT ON COLUMN parties.contacts.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN parties.contacts.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN parties.contacts.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN parties.contacts.title IS 'Position: Purchasing Manager.';



COMMENT ON CONSTRAINT contact_has_a_name ON parties.contacts IS 'A contact needs a first or a last name, each of at most 100 characters.';



CREATE TABLE parties.contracts (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    number text DEFAULT app.next_number('CT'::text) NOT NULL,
    party_id uuid NOT NULL,
    title text NOT NULL,
    kind text DEFAULT 'sale'::text NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    starts_on date,
    ends_on date,
    notice_days integer DEFAULT 30 NOT NULL,
    notice_on date GENERATED ALWAYS AS ((ends_on - notice_days)) STORED,
    auto_renew boolean DEFAULT false NOT NULL,
    renewal_months integer DEFAULT 12 NOT NULL,
    value app.money,
    currency text,
    signed_on date,
    terminated_on date,
    reason text,
    assigned_to uuid DEFAULT app.actor(),
    workspace_id uuid,
    note app.textarea,
    search tsvector GENERATED ALWAYS AS ((app.words('A'::"char", ((COALESCE(number, ''::text) || ' '::text) || COALESCE(title, ''::text))) || app.words('C'::"char", COALESCE((note)::text, ''::text)))) STORED,
    search_text text GENERATED ALWAYS AS (((COALESCE(lower(number), ''::text) || ' '::text) || COALESCE(lower(title), ''::text))) STORED,
    CONSTRAINT contract_has_a_title CHECK (((title ~ '\S'::text) AND (length(title) <= 500))),
    CONSTRAINT contracts_kind_check CHECK ((kind = ANY (ARRAY['sale'::text, 'purchase'::text, 'service'::text, 'lease'::text, 'partnership'::text, 'confidentiality'::text, 'other'::text]))),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT ends_after_it_starts CHECK ((ends_on >= starts_on)),
    CONSTRAINT notice_is_reasonable CHECK (((notice_days >= 0) AND (notice_days <= 3650))),
    CONSTRAINT renewal_has_an_end CHECK (((NOT auto_renew) OR (ends_on IS NOT NULL))),
    CONSTRAINT renewal_is_reasonable CHECK (((renewal_months >= 1) AND (renewal_months <= 120))),
    CONSTRAINT status_is_known CHECK ((status = ANY ('{draft,sent,signed,active,expiring,expired,terminated}'::text[]))),
    CONSTRAINT value_has_a_currency CHECK (((value IS NULL) OR (currency IS NOT NULL))),
    CONSTRAINT value_not_negative CHECK (((value)::numeric >= (0)::numeric))
);


ALTER TABLE parties.contracts OWNER TO app_owner;


COMMENT ON TABLE parties.contracts IS 'What was agreed with a party, and until when.';



COMMENT ON COLUMN parties.contracts.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN parties.contracts.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN parties.contracts.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN parties.contracts.notice_days IS 'How many days before its end it must be cancelled or renewed.';



COMMENT ON COLUMN parties.contracts.notice_on IS 'From this day on it is expiring.';



COMMENT ON COLUMN parties.contracts.auto_renew IS 'At its end it goes on by itself, unless it was terminated.';



COMMENT ON COLUMN parties.contracts.renewal_months IS 'By how many months a renewal makes it longer.';



COMMENT ON COLUMN parties.contracts.value IS 'What the whole is worth, in its currency.';



COMMENT ON COLUMN parties.contracts.reason IS 'Why it was terminated.';



COMMENT ON CONSTRAINT contract_has_a_title ON parties.contracts IS 'A title has 1 to 500 characters.';



COMMENT ON CONSTRAINT ends_after_it_starts ON parties.contracts IS 'A contract ends on or after the day it starts.';



COMMENT ON CONSTRAINT notice_is_reasonable ON parties.contracts IS 'The notice is 0 to 3650 days.';



COMMENT ON CONSTRAINT renewal_has_an_end ON parties.contracts IS 'Only a contract with an end can be renewed by itself.';



COMMENT ON CONSTRAINT renewal_is_reasonable ON parties.contracts IS 'A renewal is for 1 to 120 months.';



COMMENT ON CONSTRAINT value_has_a_currency ON parties.contracts IS 'A value needs a currency.';



COMMENT ON CONSTRAINT value_not_negative ON parties.contracts IS 'The value cannot be negative.';



CREATE TABLE parties.parties (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    number text DEFAULT app.next_number('P'::text) NOT NULL,
    code text,
    kind text DEFAULT 'company'::text NOT NULL,
    name text NOT NULL,
    legal_name text,
    is_customer boolean DEFAULT false NOT NULL,
    is_supplier boolean DEFAULT false NOT NULL,
    is_carrier boolean DEFAULT false NOT NULL,
    is_venue boolean DEFAULT false NOT NULL,
    is_partner boolean DEFAULT false NOT NULL,
    is_agency boolean DEFAULT false NOT NULL,
    lifecycle text DEFAULT 'active'::text NOT NULL,
    email app.email,
    phone app.phone,
    fax app.phone,
    website app.url,
    country text,
    language text,
    currency text,
    bin text,
    iin text,
    kbe text,
    tax_id text,
    industry text,
    segment text,
    source text,
    employee_count integer,
    annual_revenue app.money,
    credit_limit app.money,
    payment_terms text DEFAULT 'NET_30'::text NOT NULL,
    tier text DEFAULT 'standard'::text NOT NULL,
    rating numeric(4,2),
    satisfaction numeric(3,2),
    assigned_to uuid DEFAULT app.actor(),
    workspace_id uuid,
    merged_into uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    note app.textarea,
    email_key text GENERATED ALWAYS AS (lower((email)::text)) STORED,
    phone_key text GENERATED ALWAYS AS (parties.phone_digits((phone)::text)) STORED,
    search tsvector GENERATED ALWAYS AS (((app.words('A'::"char", ((((COALESCE(name, ''::text) || ' '::text) || COALESCE(number, ''::text)) || ' '::text) || COALESCE(code, ''::text))) || app.words('B'::"char", ((((((((((COALESCE(legal_name, ''::text) || ' '::text) || COALESCE((email)::text, ''::text)) || ' '::text) || COALESCE((phone)::text, ''::text)) || ' '::text) || COALESCE(bin, ''::text)) || ' '::text) || COALESCE(iin, ''::text)) || ' '::text) || COALESCE(tax_id, ''::text)))) || app.words('C'::"char", COALESCE((note)::text, ''::text)))) STORED,
    search_text text GENERATED ALWAYS AS (((((((((((((((((COALESCE(lower(name), ''::text) || ' '::text) || COALESCE(lower(number), ''::text)) || ' '::text) || COALESCE(lower(code), ''::text)) || ' '::text) || COALESCE(lower(legal_name), ''::text)) || ' '::text) || COALESCE(lower((email)::text), ''::text)) || ' '::text) || COALESCE(lower((phone)::text), ''::text)) || ' '::text) || COALESCE(lower(bin), ''::text)) || ' '::text) || COALESCE(lower(iin), ''::text)) || ' '::text) || COALESCE(lower(tax_id), ''::text))) STORED,
    CONSTRAINT bin_is_valid CHECK (parties.valid_kz_id(bin)),
    CONSTRAINT code_is_short CHECK (((code ~ '\S'::text) AND (length(code) <= 50))),
    CONSTRAINT country_has_two_letters CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT credit_limit_not_negative CHECK (((credit_limit)::numeric >= (0)::numeric)),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT employees_not_negative CHECK ((employee_count >= 0)),
    CONSTRAINT iin_is_a_persons CHECK (((iin IS NULL) OR (kind = 'individual'::text))),
    CONSTRAINT iin_is_valid CHECK (parties.valid_iin(iin)),
    CONSTRAINT kbe_has_two_digits CHECK ((kbe ~ '^[12][1-9]$'::text)),
    CONSTRAINT language_has_two_letters CHECK ((language ~ '^[a-z]{2}$'::text)),
    CONSTRAINT legal_name_is_short CHECK ((length(legal_name) <= 500)),
    CONSTRAINT merged_is_gone CHECK (((merged_into IS NULL) OR (deleted_at IS NOT NULL))),
    CONSTRAINT not_merged_into_itself CHECK ((merged_into <> id)),
    CONSTRAINT parties_kind_check CHECK ((kind = ANY (ARRAY['company'::text, 'individual'::text]))),
    CONSTRAINT parties_lifecycle_check CHECK ((lifecycle = ANY (ARRAY['lead'::text, 'prospect'::text, 'active'::text, 'inactive'::text, 'churned'::text]))),
    CONSTRAINT parties_payment_terms_check CHECK ((payment_terms = ANY (ARRAY['PREPAYMENT'::text, 'NET_0'::text, 'NET_15'::text, 'NET_30'::text, 'NET_45'::text, 'NET_60'::text]))),
    CONSTRAINT parties_tier_check CHECK ((tier = ANY (ARRAY['standard'::text, 'silver'::text, 'gold'::text, 'platinum'::text]))),
    CONSTRAINT party_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 500))),
    CONSTRAINT rating_is_0_to_10 CHECK (((rating >= (0)::numeric) AND (rating <= (10)::numeric))),
    CONSTRAINT satisfaction_is_0_to_5 CHECK (((satisfaction >= (0)::numeric) AND (satisfaction <= (5)::numeric))),
    CONSTRAINT tax_id_is_short CHECK ((length(tax_id) <= 50))
);


ALTER TABLE parties.parties OWNER TO app_owner;


COMMENT ON TABLE parties.parties IS 'A company or a person that we deal with, in any number of roles.';



COMMENT ON COLUMN parties.parties.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN parties.parties.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN parties.parties.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN parties.parties.code IS 'What others call it: its code in another system.';



COMMENT ON COLUMN parties.parties.lifecycle IS 'How far our dealings have got.';



COMMENT ON COLUMN parties.parties.kbe IS 'Sector code of a payee in Kazakhstan: residency and sector of the economy.';



COMMENT ON COLUMN parties.parties.credit_limit IS 'How much it may owe, in the currency of our books; empty: no limit.';



COMMENT ON COLUMN parties.parties.payment_terms IS 'When its invoices are due.';



COMMENT ON COLUMN parties.parties.rating IS 'Ours, from 0 to 10.';



COMMENT ON COLUMN parties.parties.satisfaction IS 'Theirs, from 0 to 5.';



COMMENT ON COLUMN parties.parties.merged_into IS 'The record that this duplicate became part of.';



COMMENT ON CONSTRAINT bin_is_valid ON parties.parties IS 'This is not a BIN: it needs twelve digits, and the last one must fit the others.';



COMMENT ON CONSTRAINT code_is_short ON parties.parties IS 'A code has 1 to 50 characters.';



COMMENT ON CONSTRAINT country_has_two_letters ON parties.parties IS 'A country is two capital letters, such as KZ.';



COMMENT ON CONSTRAINT credit_limit_not_negative ON parties.parties IS 'A credit limit cannot be negative.';



COMMENT ON CONSTRAINT employees_not_negative ON parties.parties IS 'There cannot be fewer than no employees.';



COMMENT ON CONSTRAINT iin_is_a_persons ON parties.parties IS 'Only a person has an IIN; a company has a BIN.';



COMMENT ON CONSTRAINT iin_is_valid ON parties.parties IS 'This is not an IIN: it needs a day of birth and twelve digits of which the last one fits the others.';



COMMENT ON CONSTRAINT kbe_has_two_digits ON parties.parties IS 'A KBE is two digits: 1 or 2 for residency, then the sector 1 to 9.';



COMMENT ON CONSTRAINT language_has_two_letters ON parties.parties IS 'A language is two small letters, such as ru.';



COMMENT ON CONSTRAINT legal_name_is_short ON parties.parties IS 'A legal name has at most 500 characters.';



COMMENT ON CONSTRAINT merged_is_gone ON parties.parties IS 'This duplicate was merged into another record and cannot come back.';



COMMENT ON CONSTRAINT not_merged_into_itself ON parties.parties IS 'A record cannot be merged into itself.';



COMMENT ON CONSTRAINT party_has_a_name ON parties.parties IS 'A name has 1 to 500 characters.';



COMMENT ON CONSTRAINT rating_is_0_to_10 ON parties.parties IS 'A rating goes from 0 to 10.';



COMMENT ON CONSTRAINT satisfaction_is_0_to_5 ON parties.parties IS 'Satisfaction goes from 0 to 5.';



COMMENT ON CONSTRAINT tax_id_is_short ON parties.parties IS 'A tax number has at most 50 characters.';



CREATE TABLE products.categories (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    name text NOT NULL,
    code text,
    description app.textarea,
    parent_id uuid,
    tax_id uuid,
    sort_order integer DEFAULT 0 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    search tsvector GENERATED ALWAYS AS ((app.words('A'::"char", ((COALESCE(name, ''::text) || ' '::text) || COALESCE(code, ''::text))) || app.words('C'::"char", COALESCE((description)::text, ''::text)))) STORED,
    search_text text GENERATED ALWAYS AS (((COALESCE(lower(name), ''::text) || ' '::text) || COALESCE(lower(code), ''::text))) STORED,
    CONSTRAINT category_code_is_short CHECK ((length(code) <= 50)),
    CONSTRAINT category_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 255))),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text))
);


ALTER TABLE products.categories OWNER TO app_owner;


COMMENT ON TABLE products.categories IS 'A shelf of the catalogue; shelves stand in shelves.';



COMMENT ON COLUMN products.categories.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN products.categories.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN products.categories.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN products.categories.tax_id IS 'For the products in it that have no tax of their own.';



COMMENT ON CONSTRAINT category_code_is_short ON products.categories IS 'A code has at most 50 characters.';



COMMENT ON CONSTRAINT category_has_a_name ON products.categories IS 'A name has 1 to 255 characters.';



CREATE TABLE products.products (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    sku text DEFAULT app.next_number('SKU'::text) NOT NULL,
    name text NOT NULL,
    kind text DEFAULT 'product'::text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    description app.textarea,
    category_id uuid,
    unit_id uuid,
    quantity_per_unit text,
    price app.money DEFAULT 0 NOT NULL,
    cost app.money DEFAULT 0 NOT NULL,
    currency text,
    markup_percent numeric GENERATED ALWAYS AS (round(((((price)::numeric - (cost)::numeric) * (100)::numeric) / NULLIF((cost)::numeric, (0)::numeric)), 2)) STORED,
    tax_id uuid,
    price_includes_tax boolean DEFAULT false NOT NULL,
    barcode text,
    track_stock boolean DEFAULT true NOT NULL,
    is_stocked boolean GENERATED ALWAYS AS ((track_stock AND (kind <> ALL (ARRAY['service'::text, 'digital'::text, 'bundle'::text])))) STORED NOT NULL,
    min_stock app.quantity,
    max_stock app.quantity,
    reorder_point app.quantity,
    reorder_quantity app.quantity,
    lead_time_days integer,
    supplier_id uuid,
    supplier_sku text,
    weight app.quantity,
    length app.quantity,
    width app.quantity,
    height app.quantity,
    color text,
    specifications jsonb DEFAULT '{}'::jsonb NOT NULL,
    workspace_id uuid,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    search tsvector GENERATED ALWAYS AS (((app.words('A'::"char", ((((COALESCE(name, ''::text) || ' '::text) || COALESCE(sku, ''::text)) || ' '::text) || COALESCE(barcode, ''::text))) || app.words('B'::"char", COALESCE(supplier_sku, ''::text))) || app.words('C'::"char", COALESCE((description)::text, ''::text)))) STORED,
    search_text text GENERATED ALWAYS AS (((((((COALESCE(lower(name), ''::text) || ' '::text) || COALESCE(lower(sku), ''::text)) || ' '::text) || COALESCE(lower(barcode), ''::text)) || ' '::text) || COALESCE(lower(supplier_sku), ''::text))) STORED,
    CONSTRAINT barcode_is_an_ean CHECK (products.valid_ean(barcode)),
    CONSTRAINT cost_not_negative CHECK (((cost)::numeric >= (0)::numeric)),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT height_not_negative CHECK (((height)::numeric >= (0)::numeric)),
    CONSTRAINT lead_time_not_negative CHECK ((lead_time_days >= 0)),
    CONSTRAINT length_not_negative CHECK (((length)::numeric >= (0)::numeric)),
    CONSTRAINT max_stock_above_min CHECK (((max_stock)::numeric >= COALESCE((min_stock)::numeric, (0)::numeric))),
    CONSTRAINT min_stock_not_negative CHECK (((min_stock)::numeric >= (0)::numeric)),
    CONSTRAINT price_not_negative CHECK (((price)::numeric >= (0)::numeric)),
    CONSTRAINT product_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 500))),
    CONSTRAINT products_kind_check CHECK ((kind = ANY (ARRAY['product'::text, 'material'::text, 'service'::text, 'manufactured'::text, 'bundle'::text, 'digital'::text]))),
    CONSTRAINT products_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'discontinued'::text]))),
    CONSTRAINT reorder_point_not_negative CHECK (((reorder_point)::numeric >= (0)::numeric)),
    CONSTRAINT reorder_quantity_is_positive CHECK (((reorder_quantity)::numeric > (0)::numeric)),
    CONSTRAINT sku_is_short CHECK (((sku ~ '\S'::text) AND (length(sku) <= 100))),
    CONSTRAINT specifications_are_an_object CHECK ((jsonb_typeof(specifications) = 'object'::text)),
    CONSTRAINT weight_not_negative CHECK (((weight)::numeric >= (0)::numeric)),
    CONSTRAINT width_not_negative CHECK (((width)::numeric >= (0)::numeric))
);


ALTER TABLE products.products OWNER TO app_owner;


COMMENT ON TABLE products.products IS 'Something that is bought, made or sold: a thing, a service, a bundle.';



COMMENT ON COLUMN products.products.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN products.products.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN products.products.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN products.products.sku IS 'Our article number.';



COMMENT ON COLUMN products.products.status IS 'Inactive: not for sale. Discontinued: what is left may be sold, nothing is ordered any more.';



COMMENT ON COLUMN products.products.quantity_per_unit IS 'How it is packed: 10 boxes x 30 bags.';



COMMENT ON COLUMN products.products.currency IS 'Of price and cost; empty: the currency of our books.';



COMMENT ON COLUMN products.products.price_includes_tax IS 'Whether the price is what the customer pays in the end.';



COMMENT ON COLUMN products.products.is_stocked IS 'Whether there is a stock of it: not of services, digital goods and bundles.';



COMMENT ON COLUMN products.products.weight IS 'Kilograms.';



COMMENT ON CONSTRAINT barcode_is_an_ean ON products.products IS 'This is not a barcode: it needs 8, 12, 13 or 14 digits, and the last one must fit the others.';



COMMENT ON CONSTRAINT cost_not_negative ON products.products IS 'A cost cannot be negative.';



COMMENT ON CONSTRAINT height_not_negative ON products.products IS 'A height cannot be negative.';



COMMENT ON CONSTRAINT lead_time_not_negative ON products.products IS 'A lead time cannot be negative.';



COMMENT ON CONSTRAINT length_not_negative ON products.products IS 'A length cannot be negative.';



COMMENT ON CONSTRAINT max_stock_above_min ON products.products IS 'The most in stock cannot be less than the least.';



COMMENT ON CONSTRAINT min_stock_not_negative ON products.products IS 'A least stock cannot be negative.';



COMMENT ON CONSTRAINT price_not_negative ON products.products IS 'A price cannot be negative.';



COMMENT ON CONSTRAINT product_has_a_name ON products.products IS 'A name has 1 to 500 characters.';



COMMENT ON CONSTRAINT reorder_point_not_negative ON products.products IS 'A reorder point cannot be negative.';



COMMENT ON CONSTRAINT reorder_quantity_is_positive ON products.products IS 'A reorder quantity must be more than nothing.';



COMMENT ON CONSTRAINT sku_is_short ON products.products IS 'An article number has 1 to 100 characters.';



COMMENT ON CONSTRAINT specifications_are_an_object ON products.products IS 'Specifications are names with values.';



COMMENT ON CONSTRAINT weight_not_negative ON products.products IS 'A weight cannot be negative.';



COMMENT ON CONSTRAINT width_not_negative ON products.products IS 'A width cannot be negative.';



CREATE TABLE products.tax_rates (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    tax_id uuid NOT NULL,
    valid_from date,
    valid_to date,
    rate app.percent NOT NULL,
    owner_id uuid,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT rate_ends_after_it_starts CHECK ((valid_to >= valid_from)),
    CONSTRAINT rate_is_0_to_100 CHECK ((((rate)::numeric >= (0)::numeric) AND ((rate)::numeric <= (100)::numeric)))
);


ALTER TABLE products.tax_rates OWNER TO app_owner;


COMMENT ON TABLE products.tax_rates IS 'How high a tax is from one day through another.';



COMMENT ON COLUMN products.tax_rates.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN products.tax_rates.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN products.tax_rates.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN products.tax_rates.valid_from IS 'First day; empty: always before.';



COMMENT ON COLUMN products.tax_rates.valid_to IS 'Last day; empty: until further notice.';



COMMENT ON CONSTRAINT rate_ends_after_it_starts ON products.tax_rates IS 'A rate cannot end before it starts.';



COMMENT ON CONSTRAINT rate_is_0_to_100 ON products.tax_rates IS 'A rate goes from 0 to 100 percent.';



CREATE TABLE products.taxes (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    country text,
    description app.textarea,
    CONSTRAINT country_has_two_letters CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT tax_has_a_code CHECK (((code ~ '\S'::text) AND (length(code) <= 30))),
    CONSTRAINT tax_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 100)))
);


ALTER TABLE products.taxes OWNER TO app_owner;


COMMENT ON TABLE products.taxes IS 'A tax on what is sold. Its rate is a matter of the day, see its rates.';



COMMENT ON COLUMN products.taxes.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN products.taxes.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN products.taxes.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT country_has_two_letters ON products.taxes IS 'A country is two capital letters, such as KZ.';



COMMENT ON CONSTRAINT tax_has_a_code ON products.taxes IS 'A tax''s code has 1 to 30 characters.';



COMMENT ON CONSTRAINT tax_has_a_name ON products.taxes IS 'A tax''s name has 1 to 100 characters.';



CREATE TABLE products.units (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    decimals smallint DEFAULT 0 NOT NULL,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT unit_decimals_are_0_to_6 CHECK (((decimals >= 0) AND (decimals <= 6))),
    CONSTRAINT unit_has_a_code CHECK (((code ~ '\S'::text) AND (length(code) <= 20))),
    CONSTRAINT unit_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 100)))
);


ALTER TABLE products.units OWNER TO app_owner;


COMMENT ON TABLE products.units IS 'What things are counted in: pieces, kilograms, hours.';



COMMENT ON COLUMN products.units.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN products.units.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN products.units.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN products.units.decimals IS 'How finely a quantity may be split: 0 for pieces, 3 for kilograms.';



COMMENT ON CONSTRAINT unit_decimals_are_0_to_6 ON products.units IS 'A unit has 0 to 6 decimals.';



COMMENT ON CONSTRAINT unit_has_a_code ON products.units IS 'A unit''s code has 1 to 20 characters.';



COMMENT ON CONSTRAINT unit_has_a_name ON products.units IS 'A unit''s name has 1 to 100 characters.';



CREATE TABLE sales.order_lines (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    order_id uuid NOT NULL,
    "position" integer,
    product_id uuid,
    code text,
    name text,
    description app.textarea,
    unit text,
    quantity app.quantity DEFAULT 1 NOT NULL,
    price app.money,
    cost app.money,
    discount_percent app.percent DEFAULT 0 NOT NULL,
    discount_amount app.money DEFAULT 0 NOT NULL,
    tax_id uuid,
    tax_rate app.percent,
    price_includes_tax boolean,
    digits smallint DEFAULT 2 NOT NULL,
    amount app.money GENERATED ALWAYS AS (app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits)) STORED,
    net app.money GENERATED ALWAYS AS (app.line_net(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits)) STORED,
    tax app.money GENERATED ALWAYS AS (app.line_tax(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits)) STORED,
    gross app.money GENERATED ALWAYS AS ((app.line_net(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits) + app.line_tax(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits))) STORED,
    margin app.money GENERATED ALWAYS AS ((app.line_net(app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits), (tax_rate)::numeric, price_includes_tax, digits) - round(((quantity)::numeric * (cost)::numeric), (digits)::integer))) STORED,
    shipped_quantity app.quantity DEFAULT 0 NOT NULL,
    delivered_quantity app.quantity DEFAULT 0 NOT NULL,
    returned_quantity app.quantity DEFAULT 0 NOT NULL,
    invoiced_quantity app.quantity DEFAULT 0 NOT NULL,
    note app.textarea,
    owner_id uuid,
    workspace_id uuid,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT delivered_not_negative CHECK (((delivered_quantity)::numeric >= (0)::numeric)),
    CONSTRAINT delivered_within_shipped CHECK (((delivered_quantity)::numeric <= (shipped_quantity)::numeric)),
    CONSTRAINT discount_is_0_to_100 CHECK ((((discount_percent)::numeric >= (0)::numeric) AND ((discount_percent)::numeric <= (100)::numeric))),
    CONSTRAINT discount_not_negative CHECK (((discount_amount)::numeric >= (0)::numeric)),
    CONSTRAINT discount_within_price CHECK ((app.line_gross((quantity)::numeric, (price)::numeric, (discount_percent)::numeric, (discount_amount)::numeric, digits) >= (0)::numeric)),
    CONSTRAINT invoiced_not_negative CHECK (((invoiced_quantity)::numeric >= (0)::numeric)),
    CONSTRAINT invoiced_within_quantity CHECK (((invoiced_quantity)::numeric <= (quantity)::numeric)),
    CONSTRAINT line_has_a_name CHECK (((name ~ '\S'::text) AND (name IS NOT NULL) AND (length(name) <= 500))),
    CONSTRAINT line_has_a_price CHECK ((price IS NOT NULL)),
    CONSTRAINT line_price_not_negative CHECK (((price)::numeric >= (0)::numeric)),
    CONSTRAINT quantity_is_positive CHECK (((quantity)::numeric > (0)::numeric)),
    CONSTRAINT rate_is_0_to_100 CHECK ((((tax_rate)::numeric >= (0)::numeric) AND ((tax_rate)::numeric <= (100)::numeric))),
    CONSTRAINT returned_not_negative CHECK (((returned_quantity)::numeric >= (0)::numeric)),
    CONSTRAINT returned_within_delivered CHECK (((returned_quantity)::numeric <= (delivered_quantity)::numeric)),
    CONSTRAINT shipped_not_negative CHECK (((shipped_quantity)::numeric >= (0)::numeric)),
    CONSTRAINT shipped_within_quantity CHECK (((shipped_quantity)::numeric <= (quantity)::numeric))
);


ALTER TABLE sales.order_lines OWNER TO app_owner;


COMMENT ON TABLE sales.order_lines IS 'One product of an order, as it was called and priced then.';



COMMENT ON COLUMN sales.order_lines.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN sales.order_lines.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN sales.order_lines.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN sales.order_lines.price_includes_tax IS 'Whether the price contains the tax; then gross is what was printed, and the tax is taken out of it.';



COMMENT ON COLUMN sales.order_lines.amount IS 'Quantity times price less the discount, rounded once.';



COMMENT ON COLUMN sales.order_lines.margin IS 'Net less what it cost us.';



COMMENT ON CONSTRAINT delivered_not_negative ON sales.order_lines IS 'Less than nothing cannot be delivered.';



COMMENT ON CONSTRAINT delivered_within_shipped ON sales.order_lines IS 'No more can be delivered than was shipped.';



COMMENT ON CONSTRAINT discount_is_0_to_100 ON sales.order_lines IS 'A discount goes from 0 to 100 percent.';



COMMENT ON CONSTRAINT discount_not_negative ON sales.order_lines IS 'A discount cannot be negative.';



COMMENT ON CONSTRAINT discount_within_price ON sales.order_lines IS 'A discount cannot be more than the price.';



COMMENT ON CONSTRAINT invoiced_not_negative ON sales.order_lines IS 'Less than nothing cannot be invoiced.';



COMMENT ON CONSTRAINT invoiced_within_quantity ON sales.order_lines IS 'No more can be invoiced than was ordered.';



COMMENT ON CONSTRAINT line_has_a_name ON sales.order_lines IS 'A line needs a product, or a name of at most 500 characters.';



COMMENT ON CONSTRAINT line_has_a_price ON sales.order_lines IS 'A line needs a price; the product has none in this currency.';



COMMENT ON CONSTRAINT line_price_not_negative ON sales.order_lines IS 'A price cannot be negative.';



COMMENT ON CONSTRAINT quantity_is_positive ON sales.order_lines IS 'A quantity must be more than nothing.';



COMMENT ON CONSTRAINT rate_is_0_to_100 ON sales.order_lines IS 'A tax rate goes from 0 to 100 percent.';



COMMENT ON CONSTRAINT returned_not_negative ON sales.order_lines IS 'Less than nothing cannot be returned.';



COMMENT ON CONSTRAINT returned_within_delivered ON sales.order_lines IS 'No more can be returned than was delivered.';



COMMENT ON CONSTRAINT shipped_not_negative ON sales.order_lines IS 'Less than nothing cannot be shipped.';



COMMENT ON CONSTRAINT shipped_within_quantity ON sales.order_lines IS 'No more can be shipped than was ordered.';



CREATE TABLE sales.orders (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    number text DEFAULT app.next_number('SO'::text) NOT NULL,
    kind text DEFAULT 'SALES'::text NOT NULL,
    customer_id uuid NOT NULL,
    customer_reference text,
    status text DEFAULT 'draft'::text NOT NULL,
    priority text DEFAULT 'normal'::text NOT NULL,
    ordered_on date DEFAULT CURRENT_DATE NOT NULL,
    required_on date,
    promised_on date,
    shipped_on date,
    delivered_on date,
    payment_terms text,
    currency text,
    exchange_rate numeric(20,10) DEFAULT 1 NOT NULL,
    digits smallint DEFAULT 2 NOT NULL,
    prices_include_tax boolean,
    shipping_cost app.money DEFAULT 0 NOT NULL,
    carrier_id uuid,
    tracking_number text,
    assigned_to uuid DEFAULT app.actor(),
    workspace_id uuid,
    parent_order_id uuid,
    contract_id uuid,
    ship_name text,
    ship_street text,
    ship_city text,
    ship_region text,
    ship_postal_code text,
    ship_country text,
    bill_name text,
    bill_street text,
    bill_city text,
    bill_region text,
    bill_postal_code text,
    bill_country text,
    note app.textarea,
    internal_note app.textarea,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    net app.money DEFAULT 0 NOT NULL,
    tax app.money DEFAULT 0 NOT NULL,
    gross app.money DEFAULT 0 NOT NULL,
    quantity app.quantity DEFAULT 0 NOT NULL,
    shipped_quantity app.quantity DEFAULT 0 NOT NULL,
    delivered_quantity app.quantity DEFAULT 0 NOT NULL,
    returned_quantity app.quantity DEFAULT 0 NOT NULL,
    invoiced_quantity app.quantity DEFAULT 0 NOT NULL,
    total app.money GENERATED ALWAYS AS (((gross)::numeric + (shipping_cost)::numeric)) STORED,
    paid app.money DEFAULT 0 NOT NULL,
    credited app.money DEFAULT 0 NOT NULL,
    payment_status text GENERATED ALWAYS AS (
CASE
    WHEN (status = 'cancelled'::text) THEN 'cancelled'::text
    WHEN ((((paid)::numeric <= (0)::numeric) AND ((credited)::numeric < ((gross)::numeric + (shipping_cost)::numeric))) OR (((gross)::numeric + (shipping_cost)::numeric) = (0)::numeric)) THEN 'pending'::text
    WHEN (((paid)::numeric + (credited)::numeric) < ((gross)::numeric + (shipping_cost)::numeric)) THEN 'partial'::text
    ELSE 'paid'::text
END) STORED,
    invoice_status text GENERATED ALWAYS AS (
CASE
    WHEN ((invoiced_quantity)::numeric <= (0)::numeric) THEN 'none'::text
    WHEN ((invoiced_quantity)::numeric < (quantity)::numeric) THEN 'partial'::text
    ELSE 'invoiced'::text
END) STORED,
    search tsvector GENERATED ALWAYS AS (((app.words('A'::"char", ((COALESCE(number, ''::text) || ' '::text) || COALESCE(customer_reference, ''::text))) || app.words('B'::"char", ((((COALESCE(ship_name, ''::text) || ' '::text) || COALESCE(bill_name, ''::text)) || ' '::text) || COALESCE(tracking_number, ''::text)))) || app.words('C'::"char", ((COALESCE((note)::text, ''::text) || ' '::text) || COALESCE((internal_note)::text, ''::text))))) STORED,
    search_text text GENERATED ALWAYS AS (((((((((COALESCE(lower(number), ''::text) || ' '::text) || COALESCE(lower(customer_reference), ''::text)) || ' '::text) || COALESCE(lower(ship_name), ''::text)) || ' '::text) || COALESCE(lower(bill_name), ''::text)) || ' '::text) || COALESCE(lower(tracking_number), ''::text))) STORED,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT delivered_after_shipped CHECK ((delivered_on >= shipped_on)),
    CONSTRAINT exchange_rate_is_positive CHECK (((exchange_rate > (0)::numeric) AND (exchange_rate < 'Infinity'::numeric))),
    CONSTRAINT invoice_status_is_known CHECK ((invoice_status = ANY (ARRAY['none'::text, 'partial'::text, 'invoiced'::text]))),
    CONSTRAINT kind_is_known CHECK ((kind = ANY ('{SALES}'::text[]))),
    CONSTRAINT not_its_own_parent CHECK ((parent_order_id <> id)),
    CONSTRAINT order_has_a_currency CHECK ((currency IS NOT NULL)),
    CONSTRAINT orders_payment_terms_check CHECK ((payment_terms = ANY (ARRAY['PREPAYMENT'::text, 'NET_0'::text, 'NET_15'::text, 'NET_30'::text, 'NET_45'::text, 'NET_60'::text]))),
    CONSTRAINT orders_priority_check CHECK ((priority = ANY (ARRAY['low'::text, 'normal'::text, 'high'::text, 'urgent'::text]))),
    CONSTRAINT payment_status_is_known CHECK ((payment_status = ANY (ARRAY['pending'::text, 'partial'::text, 'paid'::text, 'cancelled'::text]))),
    CONSTRAINT promised_after_ordered CHECK ((promised_on >= ordered_on)),
    CONSTRAINT required_after_ordered CHECK ((required_on >= ordered_on)),
    CONSTRAINT shipping_cost_is_rounded CHECK (((shipping_cost)::numeric = round((shipping_cost)::numeric, (digits)::integer))),
    CONSTRAINT shipping_not_negative CHECK (((shipping_cost)::numeric >= (0)::numeric)),
    CONSTRAINT status_is_known CHECK ((status = ANY ('{draft,confirmed,processing,shipped,delivered,returned,cancelled}'::text[])))
);


ALTER TABLE sales.orders OWNER TO app_owner;


COMMENT ON TABLE sales.orders IS 'What a customer asked for.';



COMMENT ON COLUMN sales.orders.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN sales.orders.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN sales.orders.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN sales.orders.customer_reference IS 'What the customer calls it: the number of their purchase order.';



COMMENT ON COLUMN sales.orders.required_on IS 'When the customer needs it.';



COMMENT ON COLUMN sales.orders.promised_on IS 'When we said that it would come.';



COMMENT ON COLUMN sales.orders.exchange_rate IS 'What one unit of the order''s currency is worth in the currency of our books.';



COMMENT ON COLUMN sales.orders.digits IS 'To how many digits its amounts are rounded: a matter of the currency.';



COMMENT ON COLUMN sales.orders.prices_include_tax IS 'For new lines; empty: as the product says.';



COMMENT ON COLUMN sales.orders.shipping_cost IS 'Freight, charged on top.';



COMMENT ON COLUMN sales.orders.parent_order_id IS 'The order that this one completes or makes good for.';



COMMENT ON COLUMN sales.orders.contract_id IS 'The contract that it is made under.';



COMMENT ON COLUMN sales.orders.total IS 'Gross plus freight.';



COMMENT ON COLUMN sales.orders.paid IS 'Money received less money returned.';



COMMENT ON COLUMN sales.orders.credited IS 'What was let off afterwards, without taking anything back.';



COMMENT ON CONSTRAINT delivered_after_shipped ON sales.orders IS 'An order cannot be delivered before it is shipped.';



COMMENT ON CONSTRAINT exchange_rate_is_positive ON sales.orders IS 'An exchange rate must be more than nothing.';



COMMENT ON CONSTRAINT not_its_own_parent ON sales.orders IS 'An order cannot be its own parent.';



COMMENT ON CONSTRAINT order_has_a_currency ON sales.orders IS 'An order needs a currency.';



COMMENT ON CONSTRAINT promised_after_ordered ON sales.orders IS 'An order cannot be promised for a day before it is placed.';



COMMENT ON CONSTRAINT required_after_ordered ON sales.orders IS 'An order cannot be required before it is placed.';



COMMENT ON CONSTRAINT shipping_cost_is_rounded ON sales.orders IS 'Freight has more digits than the currency.';



COMMENT ON CONSTRAINT shipping_not_negative ON sales.orders IS 'Freight cannot be negative.';



CREATE TABLE social.comments (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    entity text NOT NULL,
    record_id uuid NOT NULL,
    parent_id uuid,
    body text NOT NULL,
    mentions uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    reactions jsonb DEFAULT '{}'::jsonb NOT NULL,
    edited_at timestamp with time zone,
    CONSTRAINT comment_says_something CHECK (((body ~ '\S'::text) AND (length(body) <= 10000))),
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text))
);


ALTER TABLE social.comments OWNER TO app_owner;


COMMENT ON TABLE social.comments IS 'What people say about a record.';



COMMENT ON COLUMN social.comments.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN social.comments.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN social.comments.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT comment_says_something ON social.comments IS 'A comment has 1 to 10,000 characters.';



CREATE TABLE social.notifications (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    body text,
    entity text,
    record_id uuid,
    read_at timestamp with time zone,
    done_at timestamp with time zone,
    snoozed_until timestamp with time zone,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text))
);


ALTER TABLE social.notifications OWNER TO app_owner;


COMMENT ON TABLE social.notifications IS 'Something that a person should know.';



COMMENT ON COLUMN social.notifications.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN social.notifications.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN social.notifications.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN social.notifications.done_at IS 'When the person put it away.';



COMMENT ON COLUMN social.notifications.snoozed_until IS 'Until then it is out of sight, and new again afterwards.';



CREATE TABLE social.saved_views (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    entity text NOT NULL,
    name text NOT NULL,
    kind text DEFAULT 'table'::text NOT NULL,
    visibility text DEFAULT 'private'::text NOT NULL,
    state jsonb DEFAULT '{}'::jsonb NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    team_id uuid,
    locked boolean DEFAULT false NOT NULL,
    default_for text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT few_roles_have_a_default CHECK ((cardinality(default_for) <= 50)),
    CONSTRAINT saved_views_state_check CHECK ((jsonb_typeof(state) = 'object'::text)),
    CONSTRAINT saved_views_visibility_check CHECK ((visibility = ANY (ARRAY['private'::text, 'team'::text, 'shared'::text]))),
    CONSTRAINT view_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 100))),
    CONSTRAINT view_names_its_team CHECK (((visibility = 'team'::text) = (team_id IS NOT NULL)))
);


ALTER TABLE social.saved_views OWNER TO app_owner;


COMMENT ON TABLE social.saved_views IS 'How somebody likes to look at an entity.';



COMMENT ON COLUMN social.saved_views.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN social.saved_views.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN social.saved_views.custom IS 'Fields that this organization added.';



COMMENT ON COLUMN social.saved_views.team_id IS 'The workspace whose people see it.';



COMMENT ON COLUMN social.saved_views.locked IS 'Only its owner and administrators change it.';



COMMENT ON COLUMN social.saved_views.default_for IS 'Roles for whom it opens first; * is everybody.';



COMMENT ON CONSTRAINT few_roles_have_a_default ON social.saved_views IS 'At most 50 roles.';



COMMENT ON CONSTRAINT view_has_a_name ON social.saved_views IS 'A view needs a name of at most 100 characters.';



COMMENT ON CONSTRAINT view_names_its_team ON social.saved_views IS 'A view for a team names the team.';



CREATE TABLE social.shares (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    view_id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    password_hash text,
    expires_at timestamp with time zone,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text))
);


ALTER TABLE social.shares OWNER TO app_owner;


COMMENT ON TABLE social.shares IS 'A link that shows a view to whoever has it, with the rights of the member who made it. Only its hash is kept.';



COMMENT ON COLUMN social.shares.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN social.shares.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN social.shares.custom IS 'Fields that this organization added.';



CREATE TABLE tenancy.onboarding_progress (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    step text NOT NULL,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text))
);


ALTER TABLE tenancy.onboarding_progress OWNER TO app_owner;


COMMENT ON TABLE tenancy.onboarding_progress IS 'First steps that a company wants to be reminded of no more; what is done shows by itself.';



COMMENT ON COLUMN tenancy.onboarding_progress.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN tenancy.onboarding_progress.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN tenancy.onboarding_progress.custom IS 'Fields that this organization added.';



CREATE TABLE tenancy.organizations (
    id uuid DEFAULT app.new_id() NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    plan text DEFAULT 'free'::text NOT NULL,
    country text DEFAULT 'US'::text NOT NULL,
    currency text DEFAULT 'USD'::text NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    language text DEFAULT 'en'::text NOT NULL,
    fiscal_year_start smallint DEFAULT 1 NOT NULL,
    bin text,
    domain text,
    industry text,
    employee_count integer,
    annual_revenue app.money,
    address text,
    phone text,
    email text,
    website text,
    bank_details text,
    accent_hue smallint,
    logo_file_id uuid,
    modules text[] DEFAULT '{}'::text[] NOT NULL,
    data_key bytea,
    stripe_customer_id text,
    stripe_subscription_id text,
    meta_version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT bin_is_twelve_digits CHECK ((bin ~ '^\d{12}$'::text)),
    CONSTRAINT organization_has_a_name CHECK (((name ~ '\S'::text) AND (length(name) <= 200))),
    CONSTRAINT organizations_accent_hue_check CHECK (((accent_hue >= 0) AND (accent_hue <= 360))),
    CONSTRAINT organizations_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT organizations_employee_count_check CHECK ((employee_count >= 0)),
    CONSTRAINT organizations_fiscal_year_start_check CHECK (((fiscal_year_start >= 1) AND (fiscal_year_start <= 12))),
    CONSTRAINT organizations_plan_check CHECK ((plan = ANY (ARRAY['free'::text, 'pro'::text, 'business'::text, 'enterprise'::text]))),
    CONSTRAINT organizations_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'suspended'::text]))),
    CONSTRAINT slug_is_plain CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'::text))
);


ALTER TABLE tenancy.organizations OWNER TO app_owner;


COMMENT ON TABLE tenancy.organizations IS 'A company: everything that it has carries its id.';



COMMENT ON CONSTRAINT bin_is_twelve_digits ON tenancy.organizations IS 'A BIN has twelve digits.';



COMMENT ON CONSTRAINT organization_has_a_name ON tenancy.organizations IS 'A company needs a name of at most 200 characters.';



CREATE TABLE tenancy.settings (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    scope text NOT NULL,
    in_workspace_id uuid,
    user_id uuid,
    key text NOT NULL,
    value jsonb,
    is_secret boolean DEFAULT false NOT NULL,
    secret bytea,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT secrets_are_encrypted CHECK (((is_secret = (secret IS NOT NULL)) AND (NOT (is_secret AND (value IS NOT NULL))))),
    CONSTRAINT setting_scope_matches CHECK ((((scope = 'workspace'::text) = (in_workspace_id IS NOT NULL)) AND ((scope = 'user'::text) = (user_id IS NOT NULL)))),
    CONSTRAINT settings_key_check CHECK ((key ~ '^[a-z][a-z0-9_.]{0,99}$'::text)),
    CONSTRAINT settings_scope_check CHECK ((scope = ANY (ARRAY['organization'::text, 'workspace'::text, 'user'::text])))
);


ALTER TABLE tenancy.settings OWNER TO app_owner;


COMMENT ON TABLE tenancy.settings IS 'A setting; the nearest of user, workspace and organization wins.';



COMMENT ON COLUMN tenancy.settings.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN tenancy.settings.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN tenancy.settings.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT secrets_are_encrypted ON tenancy.settings IS 'A secret is kept encrypted and never shown.';



COMMENT ON CONSTRAINT setting_scope_matches ON tenancy.settings IS 'A setting belongs to the organization, to one workspace or to one person.';



CREATE TABLE tenancy.workspaces (
    organization_id uuid DEFAULT app.organization() NOT NULL,
    id uuid DEFAULT app.new_id() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid DEFAULT app.actor(),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by uuid DEFAULT app.actor(),
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    custom jsonb DEFAULT '{}'::jsonb NOT NULL,
    name text NOT NULL,
    kind text DEFAULT 'division'::text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    CONSTRAINT custom_is_an_object CHECK ((jsonb_typeof(custom) = 'object'::text)),
    CONSTRAINT main_workspace_stays CHECK (((kind <> 'main'::text) OR ((status = 'active'::text) AND (deleted_at IS NULL)))),
    CONSTRAINT workspace_has_a_name CHECK ((name ~ '\S'::text)),
    CONSTRAINT workspaces_kind_check CHECK ((kind = ANY (ARRAY['main'::text, 'division'::text, 'project'::text, 'branch'::text]))),
    CONSTRAINT workspaces_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'archived'::text])))
);


ALTER TABLE tenancy.workspaces OWNER TO app_owner;


COMMENT ON TABLE tenancy.workspaces IS 'A division of a company that keeps some of its records apart.';



COMMENT ON COLUMN tenancy.workspaces.deleted_at IS 'When the record was thrown away; it can be restored until it is purged.';



COMMENT ON COLUMN tenancy.workspaces.version IS 'Counts the changes; sent back in If-Match, it refuses a lost update.';



COMMENT ON COLUMN tenancy.workspaces.custom IS 'Fields that this organization added.';



COMMENT ON CONSTRAINT main_workspace_stays ON tenancy.workspaces IS 'The main workspace cannot be archived or deleted.';



ALTER TABLE ONLY app.audit ATTACH PARTITION app.audit_2026_11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');



ALTER TABLE ONLY app.audit ATTACH PARTITION app.audit_2026_12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');



ALTER TABLE ONLY app.audit ATTACH PARTITION app.audit_2027_01 FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');



ALTER TABLE ONLY app.audit ATTACH PARTITION app.audit_rest DEFAULT;


















INSERT INTO app.currencies VALUES ('AED', 'UAE Dirham', 2);
INSERT INTO app.currencies VALUES ('AFN', 'Afghani', 2);
INSERT INTO app.currencies VALUES ('ALL', 'Lek', 2);
INSERT INTO app.currencies VALUES ('AMD', 'Armenian Dram', 2);
INSERT INTO app.currencies VALUES ('AOA', 'Kwanza', 2);
INSERT INTO app.currencies VALUES ('ARS', 'Argentine Peso', 2);
INSERT INTO app.currencies VALUES ('AUD', 'Australian Dollar', 2);
INSERT INTO app.currencies VALUES ('AWG', 'Aruban Florin', 2);
INSERT INTO app.currencies VALUES ('AZN', 'Azerbaijan Manat', 2);
INSERT INTO app.currencies VALUES ('BAM', 'Convertible Mark', 2);
INSERT INTO app.currencies VALUES ('BBD', 'Barbados Dollar', 2);
INSERT INTO app.currencies VALUES ('BDT', 'Taka', 2);
INSERT INTO app.currencies VALUES ('BHD', 'Bahraini Dinar', 3);
INSERT INTO app.currencies VALUES ('BIF', 'Burundi Franc', 0);
INSERT INTO app.currencies VALUES ('BMD', 'Bermudian Dollar', 2);
INSERT INTO app.currencies VALUES ('BND', 'Brunei Dollar', 2);
INSERT INTO app.currencies VALUES ('BOB', 'Boliviano', 2);
INSERT INTO app.currencies VALUES ('BOV', 'Mvdol', 2);
INSERT INTO app.currencies VALUES ('BRL', 'Brazilian Real', 2);
INSERT INTO app.currencies VALUES ('BSD', 'Bahamian Dollar', 2);
INSERT INTO app.currencies VALUES ('BTN', 'Ngultrum', 2);
INSERT INTO app.currencies VALUES ('BWP', 'Pula', 2);
INSERT INTO app.currencies VALUES ('BYN', 'Belarusian Ruble', 2);
INSERT INTO app.currencies VALUES ('BZD', 'Belize Dollar', 2);
INSERT INTO app.currencies VALUES ('CAD', 'Canadian Dollar', 2);
INSERT INTO app.currencies VALUES ('CDF', 'Congolese Franc', 2);
INSERT INTO app.currencies VALUES ('CHE', 'WIR Euro', 2);
INSERT INTO app.currencies VALUES ('CHF', 'Swiss Franc', 2);
INSERT INTO app.currencies VALUES ('CHW', 'WIR Franc', 2);
INSERT INTO app.currencies VALUES ('CLF', 'Unidad de Fomento', 4);
INSERT INTO app.currencies VALUES ('CLP', 'Chilean Peso', 0);
INSERT INTO app.currencies VALUES ('CNY', 'Yuan Renminbi', 2);
INSERT INTO app.currencies VALUES ('COP', 'Colombian Peso', 2);
INSERT INTO app.currencies VALUES ('COU', 'Unidad de Valor Real', 2);
INSERT INTO app.currencies VALUES ('CRC', 'Costa Rican Colon', 2);
INSERT INTO app.currencies VALUES ('CUP', 'Cuban Peso', 2);
INSERT INTO app.currencies VALUES ('CVE', 'Cabo Verde Escudo', 2);
INSERT INTO app.currencies VALUES ('CZK', 'Czech Koruna', 2);
INSERT INTO app.currencies VALUES ('DJF', 'Djibouti Franc', 0);
INSERT INTO app.currencies VALUES ('DKK', 'Danish Krone', 2);
INSERT INTO app.currencies VALUES ('DOP', 'Dominican Peso', 2);
INSERT INTO app.currencies VALUES ('DZD', 'Algerian Dinar', 2);
INSERT INTO app.currencies VALUES ('EGP', 'Egyptian Pound', 2);
INSERT INTO app.currencies VALUES ('ERN', 'Nakfa', 2);
INSERT INTO app.currencies VALUES ('ETB', 'Ethiopian Birr', 2);
INSERT INTO app.currencies VALUES ('EUR', 'Euro', 2);
INSERT INTO app.currencies VALUES ('FJD', 'Fiji Dollar', 2);
INSERT INTO app.currencies VALUES ('FKP', 'Falkland Islands Pound', 2);
INSERT INTO app.currencies VALUES ('GBP', 'Pound Sterling', 2);
INSERT INTO app.currencies VALUES ('GEL', 'Lari', 2);
INSERT INTO app.currencies VALUES ('GHS', 'Ghana Cedi', 2);
INSERT INTO app.currencies VALUES ('GIP', 'Gibraltar Pound', 2);
INSERT INTO app.currencies VALUES ('GMD', 'Dalasi', 2);
INSERT INTO app.currencies VALUES ('GNF', 'Guinean Franc', 0);
INSERT INTO app.currencies VALUES ('GTQ', 'Quetzal', 2);
INSERT INTO app.currencies VALUES ('GYD', 'Guyana Dollar', 2);
INSERT INTO app.currencies VALUES ('HKD', 'Hong Kong Dollar', 2);
INSERT INTO app.currencies VALUES ('HNL', 'Lempira', 2);
INSERT INTO app.currencies VALUES ('HTG', 'Gourde', 2);
INSERT INTO app.currencies VALUES ('HUF', 'Forint', 2);
INSERT INTO app.currencies VALUES ('IDR', 'Rupiah', 2);
INSERT INTO app.currencies VALUES ('ILS', 'New Israeli Sheqel', 2);
INSERT INTO app.currencies VALUES ('INR', 'Indian Rupee', 2);
INSERT INTO app.currencies VALUES ('IQD', 'Iraqi Dinar', 3);
INSERT INTO app.currencies VALUES ('IRR', 'Iranian Rial', 2);
INSERT INTO app.currencies VALUES ('ISK', 'Iceland Krona', 0);
INSERT INTO app.currencies VALUES ('JMD', 'Jamaican Dollar', 2);
INSERT INTO app.currencies VALUES ('JOD', 'Jordanian Dinar', 3);
INSERT INTO app.currencies VALUES ('JPY', 'Yen', 0);
INSERT INTO app.currencies VALUES ('KES', 'Kenyan Shilling', 2);
INSERT INTO app.currencies VALUES ('KGS', 'Som', 2);
INSERT INTO app.currencies VALUES ('KHR', 'Riel', 2);
INSERT INTO app.currencies VALUES ('KMF', 'Comorian Franc ', 0);
INSERT INTO app.currencies VALUES ('KPW', 'North Korean Won', 2);
INSERT INTO app.currencies VALUES ('KRW', 'Won', 0);
INSERT INTO app.currencies VALUES ('KWD', 'Kuwaiti Dinar', 3);
INSERT INTO app.currencies VALUES ('KYD', 'Cayman Islands Dollar', 2);
INSERT INTO app.currencies VALUES ('KZT', 'Tenge', 2);
INSERT INTO app.currencies VALUES ('LAK', 'Lao Kip', 2);
INSERT INTO app.currencies VALUES ('LBP', 'Lebanese Pound', 2);
INSERT INTO app.currencies VALUES ('LKR', 'Sri Lanka Rupee', 2);
INSERT INTO app.currencies VALUES ('LRD', 'Liberian Dollar', 2);
INSERT INTO app.currencies VALUES ('LSL', 'Loti', 2);
INSERT INTO app.currencies VALUES ('LYD', 'Libyan Dinar', 3);
INSERT INTO app.currencies VALUES ('MAD', 'Moroccan Dirham', 2);
INSERT INTO app.currencies VALUES ('MDL', 'Moldovan Leu', 2);
INSERT INTO app.currencies VALUES ('MGA', 'Malagasy Ariary', 2);
INSERT INTO app.currencies VALUES ('MKD', 'Denar', 2);
INSERT INTO app.currencies VALUES ('MMK', 'Kyat', 2);
INSERT INTO app.currencies VALUES ('MNT', 'Tugrik', 2);
INSERT INTO app.currencies VALUES ('MOP', 'Pataca', 2);
INSERT INTO app.currencies VALUES ('MRU', 'Ouguiya', 2);
INSERT INTO app.currencies VALUES ('MUR', 'Mauritius Rupee', 2);
INSERT INTO app.currencies VALUES ('MVR', 'Rufiyaa', 2);
INSERT INTO app.currencies VALUES ('MWK', 'Malawi Kwacha', 2);
INSERT INTO app.currencies VALUES ('MXN', 'Mexican Peso', 2);
INSERT INTO app.currencies VALUES ('MXV', 'Mexican Unidad de Inversion (UDI)', 2);
INSERT INTO app.currencies VALUES ('MYR', 'Malaysian Ringgit', 2);
INSERT INTO app.currencies VALUES ('MZN', 'Mozambique Metical', 2);
INSERT INTO app.currencies VALUES ('NAD', 'Namibia Dollar', 2);
INSERT INTO app.currencies VALUES ('NGN', 'Naira', 2);
INSERT INTO app.currencies VALUES ('NIO', 'Cordoba Oro', 2);
INSERT INTO app.currencies VALUES ('NOK', 'Norwegian Krone', 2);
INSERT INTO app.currencies VALUES ('NPR', 'Nepalese Rupee', 2);
INSERT INTO app.currencies VALUES ('NZD', 'New Zealand Dollar', 2);
INSERT INTO app.currencies VALUES ('OMR', 'Rial Omani', 3);
INSERT INTO app.currencies VALUES ('PAB', 'Balboa', 2);
INSERT INTO app.currencies VALUES ('PEN', 'Sol', 2);
INSERT INTO app.currencies VALUES ('PGK', 'Kina', 2);
INSERT INTO app.currencies VALUES ('PHP', 'Philippine Peso', 2);
INSERT INTO app.currencies VALUES ('PKR', 'Pakistan Rupee', 2);
INSERT INTO app.currencies VALUES ('PLN', 'Zloty', 2);
INSERT INTO app.currencies VALUES ('PYG', 'Guarani', 0);
INSERT INTO app.currencies VALUES ('QAR', 'Qatari Rial', 2);
INSERT INTO app.currencies VALUES ('RON', 'Romanian Leu', 2);
INSERT INTO app.currencies VALUES ('RSD', 'Serbian Dinar', 2);
INSERT INTO app.currencies VALUES ('RUB', 'Russian Ruble', 2);
INSERT INTO app.currencies VALUES ('RWF', 'Rwanda Franc', 0);
INSERT INTO app.currencies VALUES ('SAR', 'Saudi Riyal', 2);
INSERT INTO app.currencies VALUES ('SBD', 'Solomon Islands Dollar', 2);
INSERT INTO app.currencies VALUES ('SCR', 'Seychelles Rupee', 2);
INSERT INTO app.currencies VALUES ('SDG', 'Sudanese Pound', 2);
INSERT INTO app.currencies VALUES ('SEK', 'Swedish Krona', 2);
INSERT INTO app.currencies VALUES ('SGD', 'Singapore Dollar', 2);
INSERT INTO app.currencies VALUES ('SHP', 'Saint Helena Pound', 2);
INSERT INTO app.currencies VALUES ('SLE', 'Leone', 2);
INSERT INTO app.currencies VALUES ('SOS', 'Somali Shilling', 2);
INSERT INTO app.currencies VALUES ('SRD', 'Surinam Dollar', 2);
INSERT INTO app.currencies VALUES ('SSP', 'South Sudanese Pound', 2);
INSERT INTO app.currencies VALUES ('STN', 'Dobra', 2);
INSERT INTO app.currencies VALUES ('SVC', 'El Salvador Colon', 2);
INSERT INTO app.currencies VALUES ('SYP', 'Syrian Pound', 2);
INSERT INTO app.currencies VALUES ('SZL', 'Lilangeni', 2);
INSERT INTO app.currencies VALUES ('THB', 'Baht', 2);
INSERT INTO app.currencies VALUES ('TJS', 'Somoni', 2);
INSERT INTO app.currencies VALUES ('TMT', 'Turkmenistan New Manat', 2);
INSERT INTO app.currencies VALUES ('TND', 'Tunisian Dinar', 3);
INSERT INTO app.currencies VALUES ('TOP', 'Pa’anga', 2);
INSERT INTO app.currencies VALUES ('TRY', 'Turkish Lira', 2);
INSERT INTO app.currencies VALUES ('TTD', 'Trinidad and Tobago Dollar', 2);
INSERT INTO app.currencies VALUES ('TWD', 'New Taiwan Dollar', 2);
INSERT INTO app.currencies VALUES ('TZS', 'Tanzanian Shilling', 2);
INSERT INTO app.currencies VALUES ('UAH', 'Hryvnia', 2);
INSERT INTO app.currencies VALUES ('UGX', 'Uganda Shilling', 0);
INSERT INTO app.currencies VALUES ('USD', 'US Dollar', 2);
INSERT INTO app.currencies VALUES ('USN', 'US Dollar (Next day)', 2);
INSERT INTO app.currencies VALUES ('UYI', 'Uruguay Peso en Unidades Indexadas (UI)', 0);
INSERT INTO app.currencies VALUES ('UYU', 'Peso Uruguayo', 2);
INSERT INTO app.currencies VALUES ('UYW', 'Unidad Previsional', 4);
INSERT INTO app.currencies VALUES ('UZS', 'Uzbekistan Sum', 2);
INSERT INTO app.currencies VALUES ('VED', 'Bolívar Soberano', 2);
INSERT INTO app.currencies VALUES ('VES', 'Bolívar Soberano', 2);
INSERT INTO app.currencies VALUES ('VND', 'Dong', 0);
INSERT INTO app.currencies VALUES ('VUV', 'Vatu', 0);
INSERT INTO app.currencies VALUES ('WST', 'Tala', 2);
INSERT INTO app.currencies VALUES ('XAD', 'Arab Accounting Dinar', 2);
INSERT INTO app.currencies VALUES ('XAF', 'CFA Franc BEAC', 0);
INSERT INTO app.currencies VALUES ('XCD', 'East Caribbean Dollar', 2);
INSERT INTO app.currencies VALUES ('XCG', 'Caribbean Guilder', 2);
INSERT INTO app.currencies VALUES ('XOF', 'CFA Franc BCEAO', 0);
INSERT INTO app.currencies VALUES ('XPF', 'CFP Franc', 0);
INSERT INTO app.currencies VALUES ('YER', 'Yemeni Rial', 2);
INSERT INTO app.currencies VALUES ('ZAR', 'Rand', 2);
INSERT INTO app.currencies VALUES ('ZMW', 'Zambian Kwacha', 2);
INSERT INTO app.currencies VALUES ('ZWG', 'Zimbabwe Gold', 2);






INSERT INTO app.entities VALUES ('tenancy.workspaces', 0, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('iam.memberships', 1, 'id', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('iam.roles', 2, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('iam.permissions', 2, 'owner_id', 'iam.roles', 'role_id', false, '{owner_id}', '{}');
INSERT INTO app.entities VALUES ('iam.field_permissions', 2, 'owner_id', 'iam.roles', 'role_id', false, '{owner_id}', '{}');
INSERT INTO app.entities VALUES ('iam.role_assignments', 3, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('iam.api_tokens', 4, 'user_id', NULL, NULL, false, '{token_hash,last_used_at}', '{}');
INSERT INTO app.entities VALUES ('tenancy.settings', 5, 'user_id', NULL, NULL, false, '{secret}', '{}');
INSERT INTO app.entities VALUES ('tenancy.onboarding_progress', 6, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('files.files', 7, 'created_by', NULL, NULL, false, '{}', '{sha256,type,size}');
INSERT INTO app.entities VALUES ('social.saved_views', 8, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('social.shares', 9, 'user_id', NULL, NULL, false, '{token_hash,password_hash}', '{}');
INSERT INTO app.entities VALUES ('social.comments', 10, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('social.notifications', 11, 'user_id', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('builder.custom_fields', 12, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('imports.imports', 13, 'created_by', NULL, NULL, false, '{}', '{updated,name,manner,file_id,job_id,format,columns,errors,failed,unchanged,batch_id,status,entity,done,created,total}');
INSERT INTO app.entities VALUES ('imports.saved_mappings', 14, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('parties.parties', 15, 'assigned_to', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('parties.contacts', 15, 'owner_id', 'parties.parties', 'party_id', false, '{owner_id,workspace_id}', '{}');
INSERT INTO app.entities VALUES ('parties.addresses', 15, 'owner_id', 'parties.parties', 'party_id', false, '{owner_id,workspace_id}', '{}');
INSERT INTO app.entities VALUES ('parties.contracts', 16, 'assigned_to', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('products.units', 17, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('products.taxes', 18, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('products.tax_rates', 18, 'owner_id', 'products.taxes', 'tax_id', false, '{owner_id}', '{}');
INSERT INTO app.entities VALUES ('products.categories', 19, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('products.products', 20, 'created_by', NULL, NULL, false, '{}', '{}');
INSERT INTO app.entities VALUES ('sales.orders', 21, 'assigned_to', NULL, NULL, false, '{}', '{delivered_quantity,net,gross,digits,paid,shipped_quantity,invoiced_quantity,returned_quantity,credited,tax,quantity}');
INSERT INTO app.entities VALUES ('sales.order_lines', 21, 'owner_id', 'sales.orders', 'order_id', false, '{owner_id,workspace_id}', '{digits,shipped_quantity,invoiced_quantity,returned_quantity,delivered_quantity}');
INSERT INTO app.entities VALUES ('finance.invoices', 23, 'assigned_to', NULL, NULL, false, '{}', '{credit_applied,net,paid,digits,gross,credited,tax}');
INSERT INTO app.entities VALUES ('finance.invoice_lines', 23, 'owner_id', 'finance.invoices', 'invoice_id', false, '{owner_id,workspace_id}', '{digits}');
INSERT INTO app.entities VALUES ('finance.payments', 22, 'created_by', NULL, NULL, false, '{}', '{allocated,digits}');
INSERT INTO app.entities VALUES ('finance.payment_allocations', 22, 'owner_id', 'finance.payments', 'payment_id', false, '{owner_id,workspace_id}', '{reversed_on}');





















INSERT INTO app.schema_changes VALUES ('kernel', 1, '60219fc5dd2ee6511f5a4463f4ea8a8e944d802a7af561e3d8cd4a297243bb26', NULL, '2026-11-21 22:20:17.489198+00');
INSERT INTO app.schema_changes VALUES ('kernel', 2, '01521b5f5a40891e768dfc576472539f818d19d8ff99b26708caf989978366a6', NULL, '2026-11-21 22:20:17.489198+00');
INSERT INTO app.schema_changes VALUES ('kernel', 3, '1a5de4f1982b4fe066f124a4ae872d93a153516c5607373ddc6855cc7dc50cd2', NULL, '2026-11-21 22:20:17.489198+00');
INSERT INTO app.schema_changes VALUES ('kernel', 4, '76f1cf6e6fce9f2febbe32f71a13aa6041a5700fbf177faca54f3bf6bac73918', NULL, '2026-11-21 22:20:17.489198+00');
INSERT INTO app.schema_changes VALUES ('kernel', 5, 'bf04d174436fba5b33c88c59871fb68fad3d4ecba1380b4c99e47cae7e840245', NULL, '2026-11-21 22:20:17.489198+00');
INSERT INTO app.schema_changes VALUES ('kernel', 6, '72f4377b2f202bd1a2f9eef1f0c662b69b06133e5f24d5e72aa0f58d0baf31d8', NULL, '2026-11-21 22:20:17.489198+00');
INSERT INTO app.schema_changes VALUES ('parties', 1, 'd511d27c1c9e4b5cbbd5b1412e031e577fba883be129b152e450493ccdadfb3b', NULL, '2026-11-21 22:20:17.705049+00');
INSERT INTO app.schema_changes VALUES ('parties', 2, '640a151eaf655ba2ddb78bae009e7668577ab1351f34207b97351d2ee3f1cff9', NULL, '2026-11-21 22:20:17.705049+00');
INSERT INTO app.schema_changes VALUES ('products', 1, 'ec636418438d1040b944939e292467e0725329dc3b5be5bc46c611511f370edd', NULL, '2026-11-21 22:20:17.78921+00');
INSERT INTO app.schema_changes VALUES ('sales', 1, '555b82735e7244fe2280298547ec1b3129c9166120c13e65e14f99c3172f90fc', NULL, '2026-11-21 22:20:17.858101+00');
INSERT INTO app.schema_changes VALUES ('sales', 2, '3a1903fb4933067e10d9335c9f8c5747c9c590ef4eddb303454c397cfd3cb17c', NULL, '2026-11-21 22:20:17.858101+00');
INSERT INTO app.schema_changes VALUES ('finance', 1, '9df4c0b30302d9ddd063dfeaba1520abcc05f8d3434914ff98aa797d430e05a4', NULL, '2026-11-21 22:20:17.920786+00');









INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'draft', 'sent', 'send', 1);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'draft', 'signed', 'sign', 2);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'sent', 'draft', 'withdraw', 3);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'sent', 'signed', 'sign', 4);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'signed', 'active', 'activate', 5);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'active', 'expiring', 'auto', 6);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'expiring', 'active', 'renew', 7);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'active', 'expired', 'auto', 8);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'expiring', 'expired', 'auto', 9);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'sent', 'terminated', 'terminate', 10);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'signed', 'terminated', 'terminate', 11);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'active', 'terminated', 'terminate', 12);
INSERT INTO app.transitions VALUES ('parties.contracts', 'status', 'expiring', 'terminated', 'terminate', 13);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'draft', 'confirmed', 'confirm', 1);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'confirmed', 'processing', 'process', 2);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'confirmed', 'shipped', 'ship', 3);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'processing', 'shipped', 'ship', 4);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'shipped', 'delivered', 'deliver', 5);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'delivered', 'returned', 'return', 6);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'draft', 'cancelled', 'cancel', 7);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'confirmed', 'cancelled', 'cancel', 8);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'processing', 'cancelled', 'cancel', 9);
INSERT INTO app.transitions VALUES ('sales.orders', 'status', 'cancelled', 'draft', 'reopen', 10);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'draft', 'sent', 'post', 1);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'sent', 'viewed', 'view', 2);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'sent', 'partial', 'auto', 3);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'sent', 'paid', 'auto', 4);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'viewed', 'partial', 'auto', 5);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'viewed', 'paid', 'auto', 6);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'partial', 'paid', 'auto', 7);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'paid', 'partial', 'auto', 8);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'partial', 'sent', 'auto', 9);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'paid', 'sent', 'auto', 10);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'draft', 'partial', 'auto', 11);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'draft', 'paid', 'auto', 12);
INSERT INTO app.transitions VALUES ('finance.invoices', 'status', 'draft', 'cancelled', 'cancel', 13);
INSERT INTO app.transitions VALUES ('finance.payments', 'status', 'pending', 'processing', 'process', 1);
INSERT INTO app.transitions VALUES ('finance.payments', 'status', 'pending', 'completed', 'complete', 2);
INSERT INTO app.transitions VALUES ('finance.payments', 'status', 'processing', 'completed', 'complete', 3);
INSERT INTO app.transitions VALUES ('finance.payments', 'status', 'pending', 'failed', 'fail', 4);
INSERT INTO app.transitions VALUES ('finance.payments', 'status', 'processing', 'failed', 'fail', 5);
INSERT INTO app.transitions VALUES ('finance.payments', 'status', 'pending', 'cancelled', 'cancel', 6);
INSERT INTO app.transitions VALUES ('finance.payments', 'status', 'processing', 'cancelled', 'cancel', 7);
INSERT INTO app.transitions VALUES ('finance.payments', 'status', 'completed', 'cancelled', 'void', 8);





















































































































ALTER TABLE ONLY app.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (organization_id, at, id);



ALTER TABLE ONLY app.audit_2026_11
    ADD CONSTRAINT audit_2026_11_pkey PRIMARY KEY (organization_id, at, id);



ALTER TABLE ONLY app.audit_2026_12
    ADD CONSTRAINT audit_2026_12_pkey PRIMARY KEY (organization_id, at, id);



ALTER TABLE ONLY app.audit_2027_01
    ADD CONSTRAINT audit_2027_01_pkey PRIMARY KEY (organization_id, at, id);



ALTER TABLE ONLY app.audit_rest
    ADD CONSTRAINT audit_rest_pkey PRIMARY KEY (organization_id, at, id);



ALTER TABLE ONLY app.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (organization_id, series, period);



ALTER TABLE ONLY app.currencies
    ADD CONSTRAINT currencies_pkey PRIMARY KEY (code);



ALTER TABLE ONLY app.digests
    ADD CONSTRAINT digests_pkey PRIMARY KEY (id);



ALTER TABLE ONLY app.entities
    ADD CONSTRAINT entities_pkey PRIMARY KEY (name);



ALTER TABLE ONLY app.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (organization_id, user_id, key);



ALTER TABLE ONLY app.jobs
    ADD CONSTRAINT jobs_key UNIQUE (organization_id, key);



ALTER TABLE ONLY app.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY app.mails
    ADD CONSTRAINT mails_pkey PRIMARY KEY (id);



ALTER TABLE ONLY app.number_series
    ADD CONSTRAINT number_series_pkey PRIMARY KEY (organization_id, series);



ALTER TABLE ONLY app.record
    ADD CONSTRAINT record_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY app.schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (organization_id, kind, key);



ALTER TABLE ONLY app.schema_changes
    ADD CONSTRAINT schema_changes_pkey PRIMARY KEY (module, number);



ALTER TABLE ONLY app.seen
    ADD CONSTRAINT seen_pkey PRIMARY KEY (organization_id, user_id, entity, record_id);



ALTER TABLE ONLY app.system_logs
    ADD CONSTRAINT system_logs_pkey PRIMARY KEY (id);



ALTER TABLE ONLY app.transitions
    ADD CONSTRAINT transitions_pkey PRIMARY KEY (entity, source, target);



ALTER TABLE ONLY builder.custom_fields
    ADD CONSTRAINT custom_fields_organization_id_entity_name_key UNIQUE (organization_id, entity, name);



ALTER TABLE ONLY builder.custom_fields
    ADD CONSTRAINT custom_fields_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY files.files
    ADD CONSTRAINT files_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY finance.invoice_lines
    ADD CONSTRAINT invoice_lines_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY finance.invoices
    ADD CONSTRAINT invoices_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY finance.payment_allocations
    ADD CONSTRAINT payment_allocations_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY finance.payments
    ADD CONSTRAINT payments_number UNIQUE (organization_id, number);



COMMENT ON CONSTRAINT payments_number ON finance.payments IS 'There is a payment with this number already.';



ALTER TABLE ONLY finance.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY finance.payments
    ADD CONSTRAINT payments_transaction UNIQUE (organization_id, transaction_id);



COMMENT ON CONSTRAINT payments_transaction ON finance.payments IS 'This transaction has been entered already.';



ALTER TABLE ONLY iam.api_tokens
    ADD CONSTRAINT api_tokens_organization_id_token_hash_key UNIQUE (organization_id, token_hash);



ALTER TABLE ONLY iam.api_tokens
    ADD CONSTRAINT api_tokens_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY iam.email_verifications
    ADD CONSTRAINT email_verifications_code_hash_key UNIQUE (code_hash);



ALTER TABLE ONLY iam.email_verifications
    ADD CONSTRAINT email_verifications_pkey PRIMARY KEY (id);



ALTER TABLE ONLY iam.field_permissions
    ADD CONSTRAINT field_permissions_once UNIQUE (organization_id, role_id, entity, field);



ALTER TABLE ONLY iam.field_permissions
    ADD CONSTRAINT field_permissions_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY iam.login_attempts
    ADD CONSTRAINT login_attempts_pkey PRIMARY KEY (id);



ALTER TABLE ONLY iam.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY iam.permissions
    ADD CONSTRAINT permissions_once UNIQUE (organization_id, role_id, entity, action);



ALTER TABLE ONLY iam.permissions
    ADD CONSTRAINT permissions_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY iam.role_assignments
    ADD CONSTRAINT role_assignments_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY iam.roles
    ADD CONSTRAINT roles_organization_id_name_key UNIQUE (organization_id, name);



ALTER TABLE ONLY iam.roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY iam.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);



ALTER TABLE ONLY iam.sessions
    ADD CONSTRAINT sessions_token_hash_key UNIQUE (token_hash);



ALTER TABLE ONLY iam.user_profiles
    ADD CONSTRAINT user_profiles_pkey PRIMARY KEY (id);



ALTER TABLE ONLY iam.users
    ADD CONSTRAINT users_email_key_key UNIQUE (email_key);



ALTER TABLE ONLY iam.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);



ALTER TABLE ONLY imports.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY imports.saved_mappings
    ADD CONSTRAINT saved_mappings_organization_id_entity_name_key UNIQUE (organization_id, entity, name);



ALTER TABLE ONLY imports.saved_mappings
    ADD CONSTRAINT saved_mappings_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY parties.addresses
    ADD CONSTRAINT addresses_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY parties.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY parties.contracts
    ADD CONSTRAINT contracts_number UNIQUE (organization_id, number);



COMMENT ON CONSTRAINT contracts_number ON parties.contracts IS 'This number is already taken.';



ALTER TABLE ONLY parties.contracts
    ADD CONSTRAINT contracts_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY parties.parties
    ADD CONSTRAINT parties_number UNIQUE (organization_id, number);



COMMENT ON CONSTRAINT parties_number ON parties.parties IS 'This number is already taken.';



ALTER TABLE ONLY parties.parties
    ADD CONSTRAINT parties_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY products.categories
    ADD CONSTRAINT categories_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY products.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY products.tax_rates
    ADD CONSTRAINT tax_rates_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY products.taxes
    ADD CONSTRAINT taxes_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY products.units
    ADD CONSTRAINT units_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY sales.order_lines
    ADD CONSTRAINT order_lines_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_number UNIQUE (organization_id, number);



COMMENT ON CONSTRAINT orders_number ON sales.orders IS 'There is an order with this number already.';



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY social.comments
    ADD CONSTRAINT comments_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY social.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY social.saved_views
    ADD CONSTRAINT saved_views_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY social.shares
    ADD CONSTRAINT shares_organization_id_token_hash_key UNIQUE (organization_id, token_hash);



ALTER TABLE ONLY social.shares
    ADD CONSTRAINT shares_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY tenancy.onboarding_progress
    ADD CONSTRAINT onboarding_progress_organization_id_step_key UNIQUE (organization_id, step);



ALTER TABLE ONLY tenancy.onboarding_progress
    ADD CONSTRAINT onboarding_progress_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY tenancy.organizations
    ADD CONSTRAINT organizations_domain_key UNIQUE (domain);



ALTER TABLE ONLY tenancy.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);



ALTER TABLE ONLY tenancy.organizations
    ADD CONSTRAINT organizations_slug_key UNIQUE (slug);



ALTER TABLE ONLY tenancy.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (organization_id, id);



ALTER TABLE ONLY tenancy.workspaces
    ADD CONSTRAINT workspaces_organization_id_name_key UNIQUE (organization_id, name);



ALTER TABLE ONLY tenancy.workspaces
    ADD CONSTRAINT workspaces_pkey PRIMARY KEY (organization_id, id);



CREATE INDEX audit_record ON ONLY app.audit USING btree (organization_id, entity, record_id, at);



CREATE INDEX audit_2026_11_record ON app.audit_2026_11 USING btree (organization_id, entity, record_id, at);



CREATE INDEX audit_request ON ONLY app.audit USING btree (organization_id, request_id);



CREATE INDEX audit_2026_11_request ON app.audit_2026_11 USING btree (organization_id, request_id);



CREATE INDEX audit_2026_12_record ON app.audit_2026_12 USING btree (organization_id, entity, record_id, at);



CREATE INDEX audit_2026_12_request ON app.audit_2026_12 USING btree (organization_id, request_id);



CREATE INDEX audit_2027_01_record ON app.audit_2027_01 USING btree (organization_id, entity, record_id, at);



CREATE INDEX audit_2027_01_request ON app.audit_2027_01 USING btree (organization_id, request_id);



CREATE INDEX audit_rest_organization_id_entity_record_id_at_idx ON app.audit_rest USING btree (organization_id, entity, record_id, at);



CREATE INDEX audit_rest_organization_id_request_id_idx ON app.audit_rest USING btree (organization_id, request_id);



CREATE INDEX digests_due ON app.digests USING btree (due_at);



CREATE INDEX digests_person ON app.digests USING btree (person);



CREATE INDEX idempotency_at ON app.idempotency USING btree (at);



CREATE INDEX jobs_finished ON app.jobs USING btree (finished_at) WHERE (finished_at IS NOT NULL);



CREATE INDEX jobs_mine ON app.jobs USING btree (organization_id, created_by, created_at);



CREATE INDEX jobs_queued ON app.jobs USING btree (organization_id, run_at, id) WHERE (status = 'queued'::text);



CREATE INDEX jobs_running ON app.jobs USING btree (organization_id, lease_until) WHERE (status = 'running'::text);



CREATE INDEX jobs_started ON app.jobs USING btree (organization_id, started_at) WHERE (started_at IS NOT NULL);



CREATE INDEX mails_due ON app.mails USING btree (send_at) WHERE ((sent_at IS NULL) AND (failed_at IS NULL));



CREATE INDEX mails_sent ON app.mails USING btree (sent_at) WHERE (sent_at IS NOT NULL);



CREATE INDEX schedules_due ON app.schedules USING btree (next_run_at);



CREATE UNIQUE INDEX system_logs_fingerprint ON app.system_logs USING btree (fingerprint);



CREATE INDEX custom_fields_custom ON builder.custom_fields USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX files_custom ON files.files USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX files_deleted ON files.files USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);



CREATE INDEX files_record ON files.files USING btree (organization_id, entity, record_id);



CREATE INDEX files_sha256 ON files.files USING btree (organization_id, sha256);



CREATE INDEX files_size ON files.files USING btree (organization_id, created_by) INCLUDE (size) WHERE (deleted_at IS NULL);



CREATE INDEX invoice_lines_credited_line_id_fk ON finance.invoice_lines USING btree (organization_id, credited_line_id);



CREATE INDEX invoice_lines_custom ON finance.invoice_lines USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX invoice_lines_invoice_id_fk ON finance.invoice_lines USING btree (organization_id, invoice_id);



CREATE INDEX invoice_lines_order_line_id_fk ON finance.invoice_lines USING btree (organization_id, order_line_id);



CREATE INDEX invoice_lines_product_id_fk ON finance.invoice_lines USING btree (organization_id, product_id);



CREATE INDEX invoice_lines_tax_id_fk ON finance.invoice_lines USING btree (organization_id, tax_id);



CREATE INDEX invoices_assigned_to_fk ON finance.invoices USING btree (organization_id, assigned_to);



CREATE UNIQUE INDEX invoices_bill_number ON finance.invoices USING btree (organization_id, number) WHERE ((direction = 'in'::text) AND (number IS NOT NULL));



COMMENT ON INDEX finance.invoices_bill_number IS 'There is an invoice with this number already.';



CREATE INDEX invoices_credited_invoice_id_fk ON finance.invoices USING btree (organization_id, credited_invoice_id);



CREATE INDEX invoices_custom ON finance.invoices USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX invoices_due ON finance.invoices USING btree (organization_id, due_on) WHERE (((balance)::numeric > (0)::numeric) AND (number IS NOT NULL));



CREATE INDEX invoices_issued ON finance.invoices USING btree (organization_id, issued_on);



CREATE UNIQUE INDEX invoices_number ON finance.invoices USING btree (organization_id, number) WHERE ((direction = 'out'::text) AND (number IS NOT NULL));



COMMENT ON INDEX finance.invoices_number IS 'There is an invoice with this number already.';



CREATE INDEX invoices_order_id_fk ON finance.invoices USING btree (organization_id, order_id);



CREATE UNIQUE INDEX invoices_receipt ON finance.invoices USING btree (organization_id, payment_id) WHERE ((status <> 'cancelled'::text) AND (deleted_at IS NULL));



COMMENT ON INDEX finance.invoices_receipt IS 'There is a receipt for this payment already.';



CREATE INDEX invoices_search ON finance.invoices USING gin (organization_id, search);



CREATE UNIQUE INDEX invoices_supplier_number ON finance.invoices USING btree (organization_id, party_id, supplier_number) WHERE ((direction = 'in'::text) AND (status <> 'cancelled'::text) AND (deleted_at IS NULL));



COMMENT ON INDEX finance.invoices_supplier_number IS 'This supplier''s invoice is here already.';



CREATE INDEX invoices_trigram ON finance.invoices USING gin (organization_id, search_text public.gin_trgm_ops);



CREATE INDEX invoices_workspace_id_fk ON finance.invoices USING btree (organization_id, workspace_id);



CREATE INDEX payment_allocations_custom ON finance.payment_allocations USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX payment_allocations_invoice_id_fk ON finance.payment_allocations USING btree (organization_id, invoice_id);



CREATE INDEX payment_allocations_payment_id_fk ON finance.payment_allocations USING btree (organization_id, payment_id);



CREATE INDEX payments_custom ON finance.payments USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX payments_paid_on ON finance.payments USING btree (organization_id, paid_on);



CREATE INDEX payments_party_id_fk ON finance.payments USING btree (organization_id, party_id);



CREATE INDEX payments_search ON finance.payments USING gin (organization_id, search);



CREATE INDEX payments_trigram ON finance.payments USING gin (organization_id, search_text public.gin_trgm_ops);



CREATE INDEX payments_workspace_id_fk ON finance.payments USING btree (organization_id, workspace_id);



CREATE INDEX api_tokens_custom ON iam.api_tokens USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX api_tokens_user_id_fk ON iam.api_tokens USING btree (organization_id, user_id);



CREATE INDEX email_verifications_user ON iam.email_verifications USING btree (user_id, kind);



CREATE INDEX field_permissions_custom ON iam.field_permissions USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX login_attempts_at ON iam.login_attempts USING btree (at);



CREATE INDEX login_attempts_email ON iam.login_attempts USING btree (email_hash, at);



CREATE INDEX memberships_custom ON iam.memberships USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX memberships_default_workspace_id_fk ON iam.memberships USING btree (organization_id, default_workspace_id);



CREATE INDEX memberships_manager_id_fk ON iam.memberships USING btree (organization_id, manager_id);



CREATE INDEX memberships_user ON iam.memberships USING btree (id);



CREATE INDEX permissions_custom ON iam.permissions USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX role_assignments_custom ON iam.role_assignments USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX role_assignments_in_workspace_id_fk ON iam.role_assignments USING btree (organization_id, in_workspace_id);



CREATE UNIQUE INDEX role_assignments_once ON iam.role_assignments USING btree (organization_id, membership_id, role_id, COALESCE(in_workspace_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE (deleted_at IS NULL);



CREATE INDEX role_assignments_role_id_fk ON iam.role_assignments USING btree (organization_id, role_id);



CREATE INDEX roles_custom ON iam.roles USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX sessions_user ON iam.sessions USING btree (user_id);



CREATE INDEX imports_custom ON imports.imports USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX imports_file_id_fk ON imports.imports USING btree (organization_id, file_id);



CREATE INDEX saved_mappings_custom ON imports.saved_mappings USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX addresses_custom ON parties.addresses USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE UNIQUE INDEX addresses_one_default ON parties.addresses USING btree (organization_id, party_id, kind) WHERE (is_default AND (deleted_at IS NULL));



COMMENT ON INDEX parties.addresses_one_default IS 'A party has one default address of each kind.';



CREATE INDEX contacts_custom ON parties.contacts USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE UNIQUE INDEX contacts_one_primary ON parties.contacts USING btree (organization_id, party_id) WHERE (is_primary AND (deleted_at IS NULL));



COMMENT ON INDEX parties.contacts_one_primary IS 'A party has one primary contact.';



CREATE INDEX contacts_search ON parties.contacts USING gin (organization_id, search);



CREATE INDEX contacts_trigram ON parties.contacts USING gin (organization_id, search_text public.gin_trgm_ops);



CREATE INDEX contracts_assigned_to_fk ON parties.contracts USING btree (organization_id, assigned_to);



CREATE INDEX contracts_custom ON parties.contracts USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX contracts_party_id_fk ON parties.contracts USING btree (organization_id, party_id);



CREATE INDEX contracts_search ON parties.contracts USING gin (organization_id, search);



CREATE INDEX contracts_status ON parties.contracts USING btree (organization_id, status, ends_on);



CREATE INDEX contracts_trigram ON parties.contracts USING gin (organization_id, search_text public.gin_trgm_ops);



CREATE INDEX contracts_workspace_id_fk ON parties.contracts USING btree (organization_id, workspace_id);



CREATE INDEX parties_assigned_to_fk ON parties.parties USING btree (organization_id, assigned_to);



CREATE INDEX parties_bin ON parties.parties USING btree (organization_id, bin) WHERE (bin IS NOT NULL);



CREATE UNIQUE INDEX parties_code ON parties.parties USING btree (organization_id, code) WHERE (deleted_at IS NULL);



COMMENT ON INDEX parties.parties_code IS 'Another party has this code.';



CREATE INDEX parties_custom ON parties.parties USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX parties_email ON parties.parties USING btree (organization_id, email_key) WHERE (email_key IS NOT NULL);



CREATE INDEX parties_iin ON parties.parties USING btree (organization_id, iin) WHERE (iin IS NOT NULL);



CREATE INDEX parties_merged_into_fk ON parties.parties USING btree (organization_id, merged_into);



CREATE INDEX parties_name ON parties.parties USING btree (organization_id, name);



CREATE INDEX parties_phone ON parties.parties USING btree (organization_id, phone_key) WHERE (phone_key IS NOT NULL);



CREATE INDEX parties_search ON parties.parties USING gin (organization_id, search);



CREATE INDEX parties_tags ON parties.parties USING gin (organization_id, tags);



CREATE INDEX parties_trigram ON parties.parties USING gin (organization_id, search_text public.gin_trgm_ops);



CREATE INDEX parties_workspace_id_fk ON parties.parties USING btree (organization_id, workspace_id);



CREATE UNIQUE INDEX categories_code ON products.categories USING btree (organization_id, code) WHERE (deleted_at IS NULL);



COMMENT ON INDEX products.categories_code IS 'There is a category with this code already.';



CREATE INDEX categories_custom ON products.categories USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX categories_parent_id_fk ON products.categories USING btree (organization_id, parent_id);



CREATE INDEX categories_search ON products.categories USING gin (organization_id, search);



CREATE INDEX categories_tax_id_fk ON products.categories USING btree (organization_id, tax_id);



CREATE INDEX categories_trigram ON products.categories USING gin (organization_id, search_text public.gin_trgm_ops);



CREATE UNIQUE INDEX products_barcode ON products.products USING btree (organization_id, barcode) WHERE (deleted_at IS NULL);



COMMENT ON INDEX products.products_barcode IS 'There is a product with this barcode already.';



CREATE INDEX products_category_id_fk ON products.products USING btree (organization_id, category_id);



CREATE INDEX products_custom ON products.products USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX products_name ON products.products USING btree (organization_id, name);



CREATE INDEX products_price ON products.products USING btree (organization_id, price, id);



CREATE INDEX products_search ON products.products USING gin (organization_id, search);



CREATE UNIQUE INDEX products_sku ON products.products USING btree (organization_id, sku) WHERE (deleted_at IS NULL);



COMMENT ON INDEX products.products_sku IS 'There is a product with this article number already.';



CREATE INDEX products_supplier_id_fk ON products.products USING btree (organization_id, supplier_id);



CREATE INDEX products_tags ON products.products USING gin (organization_id, tags);



CREATE INDEX products_tax_id_fk ON products.products USING btree (organization_id, tax_id);



CREATE INDEX products_trigram ON products.products USING gin (organization_id, search_text public.gin_trgm_ops);



CREATE INDEX products_unit_id_fk ON products.products USING btree (organization_id, unit_id);



CREATE INDEX products_workspace_id_fk ON products.products USING btree (organization_id, workspace_id);



CREATE INDEX tax_rates_custom ON products.tax_rates USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX tax_rates_tax_id_fk ON products.tax_rates USING btree (organization_id, tax_id);



CREATE UNIQUE INDEX taxes_code ON products.taxes USING btree (organization_id, code) WHERE (deleted_at IS NULL);



COMMENT ON INDEX products.taxes_code IS 'There is a tax with this code already.';



CREATE INDEX taxes_custom ON products.taxes USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE UNIQUE INDEX units_code ON products.units USING btree (organization_id, code) WHERE (deleted_at IS NULL);



COMMENT ON INDEX products.units_code IS 'There is a unit with this code already.';



CREATE INDEX units_custom ON products.units USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX order_lines_custom ON sales.order_lines USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX order_lines_order_id_fk ON sales.order_lines USING btree (organization_id, order_id);



CREATE INDEX order_lines_product_id_fk ON sales.order_lines USING btree (organization_id, product_id);



CREATE INDEX order_lines_tax_id_fk ON sales.order_lines USING btree (organization_id, tax_id);



CREATE INDEX orders_assigned_to_fk ON sales.orders USING btree (organization_id, assigned_to);



CREATE INDEX orders_carrier_id_fk ON sales.orders USING btree (organization_id, carrier_id);



CREATE INDEX orders_contract_id_fk ON sales.orders USING btree (organization_id, contract_id);



CREATE INDEX orders_custom ON sales.orders USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX orders_customer_id_fk ON sales.orders USING btree (organization_id, customer_id);



CREATE INDEX orders_ordered_on ON sales.orders USING btree (organization_id, ordered_on, id);



CREATE INDEX orders_parent_order_id_fk ON sales.orders USING btree (organization_id, parent_order_id);



CREATE INDEX orders_search ON sales.orders USING gin (organization_id, search);



CREATE INDEX orders_status ON sales.orders USING btree (organization_id, status, id);



CREATE INDEX orders_trigram ON sales.orders USING gin (organization_id, search_text public.gin_trgm_ops);



CREATE INDEX orders_workspace_id_fk ON sales.orders USING btree (organization_id, workspace_id);



CREATE INDEX comments_custom ON social.comments USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX comments_parent_id_fk ON social.comments USING btree (organization_id, parent_id);



CREATE INDEX comments_record ON social.comments USING btree (organization_id, entity, record_id, id);



CREATE INDEX notifications_custom ON social.notifications USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX notifications_unread ON social.notifications USING btree (organization_id, user_id, created_at);



CREATE INDEX saved_views_custom ON social.saved_views USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX saved_views_entity ON social.saved_views USING btree (organization_id, entity);



CREATE INDEX saved_views_team_id_fk ON social.saved_views USING btree (organization_id, team_id);



CREATE INDEX shares_custom ON social.shares USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX shares_user_id_fk ON social.shares USING btree (organization_id, user_id);



CREATE INDEX shares_view_id_fk ON social.shares USING btree (organization_id, view_id);



CREATE INDEX onboarding_progress_custom ON tenancy.onboarding_progress USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE UNIQUE INDEX organizations_bin ON tenancy.organizations USING btree (country, bin);



CREATE INDEX settings_custom ON tenancy.settings USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE INDEX settings_in_workspace_id_fk ON tenancy.settings USING btree (organization_id, in_workspace_id);



CREATE UNIQUE INDEX settings_once ON tenancy.settings USING btree (organization_id, key, scope, COALESCE(in_workspace_id, user_id, organization_id));



CREATE INDEX settings_user_id_fk ON tenancy.settings USING btree (organization_id, user_id);



CREATE INDEX workspaces_custom ON tenancy.workspaces USING gin (organization_id, custom jsonb_path_ops) WHERE (custom <> '{}'::jsonb);



CREATE UNIQUE INDEX workspaces_one_main ON tenancy.workspaces USING btree (organization_id) WHERE (kind = 'main'::text);



ALTER INDEX app.audit_pkey ATTACH PARTITION app.audit_2026_11_pkey;



ALTER INDEX app.audit_record ATTACH PARTITION app.audit_2026_11_record;



ALTER INDEX app.audit_request ATTACH PARTITION app.audit_2026_11_request;



ALTER INDEX app.audit_pkey ATTACH PARTITION app.audit_2026_12_pkey;



ALTER INDEX app.audit_record ATTACH PARTITION app.audit_2026_12_record;



ALTER INDEX app.audit_request ATTACH PARTITION app.audit_2026_12_request;



ALTER INDEX app.audit_pkey ATTACH PARTITION app.audit_2027_01_pkey;



ALTER INDEX app.audit_record ATTACH PARTITION app.audit_2027_01_record;



ALTER INDEX app.audit_request ATTACH PARTITION app.audit_2027_01_request;



ALTER INDEX app.audit_record ATTACH PARTITION app.audit_rest_organization_id_entity_record_id_at_idx;



ALTER INDEX app.audit_request ATTACH PARTITION app.audit_rest_organization_id_request_id_idx;



ALTER INDEX app.audit_pkey ATTACH PARTITION app.audit_rest_pkey;



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON builder.custom_fields FOR EACH ROW EXECUTE FUNCTION app.log_change('builder.custom_fields');



CREATE TRIGGER touch BEFORE UPDATE ON builder.custom_fields FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON files.files FOR EACH ROW EXECUTE FUNCTION app.log_change('files.files', 'sha256', 'type', 'size');



CREATE TRIGGER touch BEFORE UPDATE ON files.files FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER a_owner BEFORE INSERT ON finance.invoice_lines FOR EACH ROW EXECUTE FUNCTION finance.invoice_lines_owner();



CREATE TRIGGER a_owner BEFORE INSERT ON finance.payment_allocations FOR EACH ROW EXECUTE FUNCTION finance.payment_allocations_owner();



CREATE TRIGGER applies AFTER INSERT OR DELETE OR UPDATE ON finance.payment_allocations FOR EACH ROW EXECUTE FUNCTION finance.apply_allocation();



CREATE TRIGGER checks BEFORE INSERT OR DELETE OR UPDATE ON finance.payment_allocations FOR EACH ROW EXECUTE FUNCTION finance.check_allocation();



CREATE TRIGGER closed BEFORE INSERT OR DELETE OR UPDATE ON finance.invoice_lines FOR EACH ROW EXECUTE FUNCTION app.check_part_closed('finance.invoices', 'status', '{draft}', 'invoice_id');



CREATE TRIGGER closed AFTER UPDATE ON finance.invoices FOR EACH ROW WHEN ((old.status <> ALL ('{draft}'::text[]))) EXECUTE FUNCTION app.check_closed('paid', 'credited', 'credit_applied', 'balance', 'assigned_to', 'note', 'internal_note', 'tags', 'esf_number', 'esf_status', 'esf_on', 'status', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at');



CREATE TRIGGER closed AFTER UPDATE ON finance.payments FOR EACH ROW WHEN ((old.status <> ALL ('{pending,processing}'::text[]))) EXECUTE FUNCTION app.check_closed('status', 'allocated', 'unallocated', 'note', 'internal_note', 'tags', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text');



CREATE TRIGGER closed_delete BEFORE DELETE ON finance.invoices FOR EACH ROW WHEN ((old.status <> ALL ('{draft}'::text[]))) EXECUTE FUNCTION app.check_delete('Only a record that is draft can be deleted.');



CREATE TRIGGER closed_delete BEFORE DELETE ON finance.payments FOR EACH ROW WHEN ((old.status <> ALL ('{pending,processing}'::text[]))) EXECUTE FUNCTION app.refuse('A payment that has been made stays; void it instead.');



CREATE TRIGGER closed_throw BEFORE UPDATE ON finance.invoices FOR EACH ROW WHEN (((old.status <> ALL ('{draft}'::text[])) AND (new.deleted_at IS DISTINCT FROM old.deleted_at))) EXECUTE FUNCTION app.refuse('Only a record that is draft can be deleted.');



CREATE TRIGGER closed_throw BEFORE UPDATE ON finance.payments FOR EACH ROW WHEN (((old.status <> ALL ('{pending,processing}'::text[])) AND (new.deleted_at IS DISTINCT FROM old.deleted_at))) EXECUTE FUNCTION app.refuse('A payment that has been made stays; void it instead.');



CREATE TRIGGER counts AFTER UPDATE ON finance.invoices FOR EACH ROW WHEN ((finance.counts(old.direction, old.kind, old.status, old.deleted_at) <> finance.counts(new.direction, new.kind, new.status, new.deleted_at))) EXECUTE FUNCTION finance.count_invoice();



CREATE TRIGGER counts_delete AFTER DELETE ON finance.invoice_lines FOR EACH ROW WHEN ((old.order_line_id IS NOT NULL)) EXECUTE FUNCTION finance.count_line();



CREATE TRIGGER counts_delete BEFORE DELETE ON finance.invoices FOR EACH ROW WHEN (finance.counts(old.direction, old.kind, old.status, old.deleted_at)) EXECUTE FUNCTION finance.count_invoice();



CREATE TRIGGER counts_insert AFTER INSERT ON finance.invoice_lines FOR EACH ROW WHEN ((new.order_line_id IS NOT NULL)) EXECUTE FUNCTION finance.count_line();



CREATE TRIGGER counts_update AFTER UPDATE ON finance.invoice_lines FOR EACH ROW WHEN ((((old.order_line_id IS DISTINCT FROM new.order_line_id) OR ((old.quantity)::numeric IS DISTINCT FROM (new.quantity)::numeric)) OR (old.deleted_at IS DISTINCT FROM new.deleted_at))) EXECUTE FUNCTION finance.count_line();



CREATE TRIGGER defaults BEFORE INSERT OR UPDATE ON finance.invoice_lines FOR EACH ROW EXECUTE FUNCTION finance.line_defaults();



CREATE TRIGGER defaults BEFORE INSERT OR UPDATE OF party_id, currency ON finance.invoices FOR EACH ROW EXECUTE FUNCTION finance.invoice_defaults();



CREATE TRIGGER defaults BEFORE INSERT OR UPDATE OF party_id, currency ON finance.payments FOR EACH ROW EXECUTE FUNCTION finance.payment_defaults();



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON finance.invoice_lines FOR EACH ROW EXECUTE FUNCTION app.log_change('finance.invoice_lines', 'owner_id', 'workspace_id', 'digits', 'amount', 'net', 'tax', 'gross');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON finance.invoices FOR EACH ROW EXECUTE FUNCTION app.log_change('finance.invoices', 'credit_applied', 'net', 'paid', 'digits', 'gross', 'credited', 'tax', 'balance', 'search', 'search_text');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON finance.payment_allocations FOR EACH ROW EXECUTE FUNCTION app.log_change('finance.payment_allocations', 'owner_id', 'workspace_id', 'reversed_on');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON finance.payments FOR EACH ROW EXECUTE FUNCTION app.log_change('finance.payments', 'allocated', 'digits', 'base_amount', 'unallocated', 'search', 'search_text');



CREATE TRIGGER moves AFTER UPDATE ON finance.payments FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION finance.move_payment();



CREATE TRIGGER owner_invoice_lines AFTER UPDATE OF assigned_to ON finance.invoices FOR EACH ROW WHEN ((old.assigned_to IS DISTINCT FROM new.assigned_to)) EXECUTE FUNCTION app.pass_on('finance.invoice_lines', 'invoice_id', 'owner_id', 'assigned_to');



CREATE TRIGGER pass_digits AFTER UPDATE ON finance.invoices FOR EACH ROW WHEN ((old.digits <> new.digits)) EXECUTE FUNCTION finance.pass_digits();



CREATE TRIGGER pass_paid AFTER UPDATE ON finance.invoices FOR EACH ROW WHEN ((((old.paid)::numeric <> (new.paid)::numeric) AND (new.direction = 'out'::text) AND (new.order_id IS NOT NULL))) EXECUTE FUNCTION finance.pass_paid();



CREATE TRIGGER posts BEFORE UPDATE ON finance.invoices FOR EACH ROW WHEN (((old.status = 'draft'::text) AND (new.status <> ALL (ARRAY['draft'::text, 'cancelled'::text])))) EXECUTE FUNCTION finance.post_invoice();



CREATE TRIGGER settles BEFORE UPDATE ON finance.invoices FOR EACH ROW WHEN (((old.status <> ALL (ARRAY['draft'::text, 'cancelled'::text])) AND (((old.paid)::numeric IS DISTINCT FROM (new.paid)::numeric) OR ((old.credit_applied)::numeric IS DISTINCT FROM (new.credit_applied)::numeric)))) EXECUTE FUNCTION finance.settle();



CREATE TRIGGER stay BEFORE UPDATE OF workspace_id ON finance.invoices FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.stay('95', 'assigned_to');



CREATE TRIGGER stay BEFORE UPDATE OF workspace_id ON finance.payments FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.stay('91', 'created_by');



CREATE TRIGGER total AFTER INSERT OR DELETE OR UPDATE ON finance.invoice_lines FOR EACH ROW EXECUTE FUNCTION finance.invoice_lines_total('finance.invoices', 'invoice_id', 'net', 'tax', 'gross');



CREATE TRIGGER touch BEFORE UPDATE ON finance.invoice_lines FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON finance.invoices FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON finance.payment_allocations FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON finance.payments FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER workflow_moves BEFORE UPDATE ON finance.invoices FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION app.check_move('finance.invoices', 'status');



CREATE TRIGGER workflow_moves BEFORE UPDATE ON finance.payments FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION app.check_move('finance.payments', 'status');



CREATE TRIGGER workflow_starts BEFORE INSERT ON finance.invoices FOR EACH ROW WHEN ((new.status IS DISTINCT FROM 'draft'::text)) EXECUTE FUNCTION app.check_start('A new record starts as draft.');



CREATE TRIGGER workflow_starts BEFORE INSERT ON finance.payments FOR EACH ROW WHEN ((new.status IS DISTINCT FROM 'pending'::text)) EXECUTE FUNCTION app.check_start('A new record starts as pending.');



CREATE TRIGGER workspace_invoice_lines AFTER UPDATE OF workspace_id ON finance.invoices FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.pass_on('finance.invoice_lines', 'invoice_id', 'workspace_id', 'workspace_id');



CREATE TRIGGER workspace_payment_allocations AFTER UPDATE OF workspace_id ON finance.payments FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.pass_on('finance.payment_allocations', 'payment_id', 'workspace_id', 'workspace_id');



CREATE TRIGGER a_owner BEFORE INSERT ON iam.field_permissions FOR EACH ROW EXECUTE FUNCTION iam.field_permissions_owner();



CREATE TRIGGER a_owner BEFORE INSERT ON iam.permissions FOR EACH ROW EXECUTE FUNCTION iam.permissions_owner();



CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON iam.api_tokens FOR EACH ROW EXECUTE FUNCTION iam.guard();



CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON iam.field_permissions FOR EACH ROW EXECUTE FUNCTION iam.guard();



CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON iam.memberships FOR EACH ROW EXECUTE FUNCTION iam.guard();



CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON iam.permissions FOR EACH ROW EXECUTE FUNCTION iam.guard();



CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON iam.role_assignments FOR EACH ROW EXECUTE FUNCTION iam.guard();



CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON iam.roles FOR EACH ROW EXECUTE FUNCTION iam.guard();



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON iam.api_tokens FOR EACH ROW EXECUTE FUNCTION app.log_change('iam.api_tokens', 'token_hash', 'last_used_at');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON iam.field_permissions FOR EACH ROW EXECUTE FUNCTION app.log_change('iam.field_permissions', 'owner_id');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON iam.memberships FOR EACH ROW EXECUTE FUNCTION app.log_change('iam.memberships', 'name');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON iam.permissions FOR EACH ROW EXECUTE FUNCTION app.log_change('iam.permissions', 'owner_id');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON iam.role_assignments FOR EACH ROW EXECUTE FUNCTION app.log_change('iam.role_assignments');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON iam.roles FOR EACH ROW EXECUTE FUNCTION app.log_change('iam.roles');



CREATE TRIGGER pass_name AFTER UPDATE OF email, first_name, last_name ON iam.users FOR EACH ROW EXECUTE FUNCTION iam.pass_name();



CREATE TRIGGER touch BEFORE UPDATE ON iam.api_tokens FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON iam.field_permissions FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON iam.memberships FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON iam.permissions FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON iam.role_assignments FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON iam.roles FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON imports.imports FOR EACH ROW EXECUTE FUNCTION app.log_change('imports.imports', 'updated', 'name', 'manner', 'file_id', 'job_id', 'format', 'columns', 'errors', 'failed', 'unchanged', 'batch_id', 'status', 'entity', 'done', 'created', 'total');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON imports.saved_mappings FOR EACH ROW EXECUTE FUNCTION app.log_change('imports.saved_mappings');



CREATE TRIGGER touch BEFORE UPDATE ON imports.imports FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON imports.saved_mappings FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER a_owner BEFORE INSERT ON parties.addresses FOR EACH ROW EXECUTE FUNCTION parties.addresses_owner();



CREATE TRIGGER a_owner BEFORE INSERT ON parties.contacts FOR EACH ROW EXECUTE FUNCTION parties.contacts_owner();



CREATE TRIGGER checks BEFORE UPDATE ON parties.contracts FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION parties.check_contract();



CREATE TRIGGER closed AFTER UPDATE ON parties.contracts FOR EACH ROW WHEN ((old.status <> ALL ('{draft,sent}'::text[]))) EXECUTE FUNCTION app.check_closed('starts_on', 'ends_on', 'notice_days', 'notice_on', 'auto_renew', 'renewal_months', 'signed_on', 'terminated_on', 'reason', 'assigned_to', 'workspace_id', 'note', 'status', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at');



CREATE TRIGGER closed_delete BEFORE DELETE ON parties.contracts FOR EACH ROW WHEN ((old.status <> ALL ('{draft,sent}'::text[]))) EXECUTE FUNCTION app.check_delete('Only a record that is draft or sent can be deleted.');



CREATE TRIGGER closed_throw BEFORE UPDATE ON parties.contracts FOR EACH ROW WHEN (((old.status <> ALL ('{draft,sent}'::text[])) AND (new.deleted_at IS DISTINCT FROM old.deleted_at))) EXECUTE FUNCTION app.refuse('Only a record that is draft or sent can be deleted.');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON parties.addresses FOR EACH ROW EXECUTE FUNCTION app.log_change('parties.addresses', 'owner_id', 'workspace_id');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON parties.contacts FOR EACH ROW EXECUTE FUNCTION app.log_change('parties.contacts', 'owner_id', 'workspace_id', 'name', 'search', 'search_text');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON parties.contracts FOR EACH ROW EXECUTE FUNCTION app.log_change('parties.contracts', 'notice_on', 'search', 'search_text');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON parties.parties FOR EACH ROW EXECUTE FUNCTION app.log_change('parties.parties', 'email_key', 'phone_key', 'search', 'search_text');



CREATE TRIGGER owner_addresses AFTER UPDATE OF assigned_to ON parties.parties FOR EACH ROW WHEN ((old.assigned_to IS DISTINCT FROM new.assigned_to)) EXECUTE FUNCTION app.pass_on('parties.addresses', 'party_id', 'owner_id', 'assigned_to');



CREATE TRIGGER owner_contacts AFTER UPDATE OF assigned_to ON parties.parties FOR EACH ROW WHEN ((old.assigned_to IS DISTINCT FROM new.assigned_to)) EXECUTE FUNCTION app.pass_on('parties.contacts', 'party_id', 'owner_id', 'assigned_to');



CREATE TRIGGER stay BEFORE UPDATE OF workspace_id ON parties.contracts FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.stay('67', 'assigned_to');



CREATE TRIGGER stay BEFORE UPDATE OF workspace_id ON parties.parties FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.stay('63', 'assigned_to');



CREATE TRIGGER steps_aside BEFORE INSERT OR UPDATE ON parties.addresses FOR EACH ROW WHEN (new.is_default) EXECUTE FUNCTION parties.step_aside('addresses');



CREATE TRIGGER steps_aside BEFORE INSERT OR UPDATE ON parties.contacts FOR EACH ROW WHEN (new.is_primary) EXECUTE FUNCTION parties.step_aside('contacts');



CREATE TRIGGER touch BEFORE UPDATE ON parties.addresses FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON parties.contacts FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON parties.contracts FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON parties.parties FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER workflow_moves BEFORE UPDATE ON parties.contracts FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION app.check_move('parties.contracts', 'status');



CREATE TRIGGER workflow_starts BEFORE INSERT ON parties.contracts FOR EACH ROW WHEN ((new.status IS DISTINCT FROM 'draft'::text)) EXECUTE FUNCTION app.check_start('A new record starts as draft.');



CREATE TRIGGER workspace_addresses AFTER UPDATE OF workspace_id ON parties.parties FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.pass_on('parties.addresses', 'party_id', 'workspace_id', 'workspace_id');



CREATE TRIGGER workspace_contacts AFTER UPDATE OF workspace_id ON parties.parties FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.pass_on('parties.contacts', 'party_id', 'workspace_id', 'workspace_id');



CREATE TRIGGER a_owner BEFORE INSERT ON products.tax_rates FOR EACH ROW EXECUTE FUNCTION products.tax_rates_owner();



CREATE TRIGGER check_rate BEFORE INSERT OR UPDATE ON products.tax_rates FOR EACH ROW EXECUTE FUNCTION products.check_rate();



CREATE TRIGGER check_tree BEFORE INSERT OR UPDATE OF parent_id ON products.categories FOR EACH ROW WHEN ((new.parent_id IS NOT NULL)) EXECUTE FUNCTION products.check_tree();



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON products.categories FOR EACH ROW EXECUTE FUNCTION app.log_change('products.categories', 'search', 'search_text');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON products.products FOR EACH ROW EXECUTE FUNCTION app.log_change('products.products', 'markup_percent', 'is_stocked', 'search', 'search_text');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON products.tax_rates FOR EACH ROW EXECUTE FUNCTION app.log_change('products.tax_rates', 'owner_id');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON products.taxes FOR EACH ROW EXECUTE FUNCTION app.log_change('products.taxes');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON products.units FOR EACH ROW EXECUTE FUNCTION app.log_change('products.units');



CREATE TRIGGER stay BEFORE UPDATE OF workspace_id ON products.products FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.stay('83', 'created_by');



CREATE TRIGGER touch BEFORE UPDATE ON products.categories FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON products.products FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON products.tax_rates FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON products.taxes FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON products.units FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER a_owner BEFORE INSERT ON sales.order_lines FOR EACH ROW EXECUTE FUNCTION sales.order_lines_owner();



CREATE TRIGGER checks BEFORE UPDATE ON sales.orders FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION sales.check_order();



CREATE TRIGGER checks_contract BEFORE INSERT OR UPDATE OF contract_id, customer_id ON sales.orders FOR EACH ROW WHEN ((new.contract_id IS NOT NULL)) EXECUTE FUNCTION sales.check_contract();



CREATE TRIGGER closed BEFORE INSERT OR DELETE ON sales.order_lines FOR EACH ROW EXECUTE FUNCTION app.check_part_closed('sales.orders', 'status', '{draft}', 'order_id');



CREATE TRIGGER closed AFTER UPDATE ON sales.orders FOR EACH ROW WHEN ((old.status <> ALL ('{draft}'::text[]))) EXECUTE FUNCTION app.check_closed('net', 'tax', 'gross', 'total', 'quantity', 'shipped_quantity', 'delivered_quantity', 'returned_quantity', 'invoiced_quantity', 'paid', 'credited', 'payment_status', 'invoice_status', 'shipped_on', 'delivered_on', 'promised_on', 'carrier_id', 'tracking_number', 'assigned_to', 'priority', 'note', 'internal_note', 'tags', 'status', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at');



CREATE TRIGGER closed_delete BEFORE DELETE ON sales.orders FOR EACH ROW WHEN ((old.status <> ALL ('{draft}'::text[]))) EXECUTE FUNCTION app.check_delete('Only a record that is draft can be deleted.');



CREATE TRIGGER closed_throw BEFORE UPDATE ON sales.orders FOR EACH ROW WHEN (((old.status <> ALL ('{draft}'::text[])) AND (new.deleted_at IS DISTINCT FROM old.deleted_at))) EXECUTE FUNCTION app.refuse('Only a record that is draft can be deleted.');



CREATE TRIGGER closed_update BEFORE UPDATE ON sales.order_lines FOR EACH ROW WHEN ((((((((((((((((old.order_id IS DISTINCT FROM new.order_id) OR (old.product_id IS DISTINCT FROM new.product_id)) OR (old.code IS DISTINCT FROM new.code)) OR (old.name IS DISTINCT FROM new.name)) OR ((old.description)::text IS DISTINCT FROM (new.description)::text)) OR (old.unit IS DISTINCT FROM new.unit)) OR ((old.quantity)::numeric IS DISTINCT FROM (new.quantity)::numeric)) OR ((old.price)::numeric IS DISTINCT FROM (new.price)::numeric)) OR ((old.cost)::numeric IS DISTINCT FROM (new.cost)::numeric)) OR ((old.discount_percent)::numeric IS DISTINCT FROM (new.discount_percent)::numeric)) OR ((old.discount_amount)::numeric IS DISTINCT FROM (new.discount_amount)::numeric)) OR (old.tax_id IS DISTINCT FROM new.tax_id)) OR ((old.tax_rate)::numeric IS DISTINCT FROM (new.tax_rate)::numeric)) OR (old.price_includes_tax IS DISTINCT FROM new.price_includes_tax)) OR (old.deleted_at IS DISTINCT FROM new.deleted_at))) EXECUTE FUNCTION app.check_part_closed('sales.orders', 'status', '{draft}', 'order_id');



CREATE TRIGGER defaults BEFORE INSERT OR UPDATE ON sales.order_lines FOR EACH ROW EXECUTE FUNCTION sales.line_defaults();



CREATE TRIGGER defaults BEFORE INSERT OR UPDATE OF customer_id, currency ON sales.orders FOR EACH ROW EXECUTE FUNCTION sales.order_defaults();



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON sales.order_lines FOR EACH ROW EXECUTE FUNCTION app.log_change('sales.order_lines', 'owner_id', 'workspace_id', 'digits', 'shipped_quantity', 'invoiced_quantity', 'returned_quantity', 'delivered_quantity', 'amount', 'net', 'tax', 'gross', 'margin');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON sales.orders FOR EACH ROW EXECUTE FUNCTION app.log_change('sales.orders', 'delivered_quantity', 'net', 'gross', 'digits', 'paid', 'shipped_quantity', 'invoiced_quantity', 'returned_quantity', 'credited', 'tax', 'quantity', 'total', 'payment_status', 'invoice_status', 'search', 'search_text');



CREATE TRIGGER moves_lines AFTER UPDATE ON sales.orders FOR EACH ROW WHEN (((old.status IS DISTINCT FROM new.status) AND (new.status = ANY (ARRAY['shipped'::text, 'delivered'::text, 'returned'::text])))) EXECUTE FUNCTION sales.move_lines();



CREATE TRIGGER owner_order_lines AFTER UPDATE OF assigned_to ON sales.orders FOR EACH ROW WHEN ((old.assigned_to IS DISTINCT FROM new.assigned_to)) EXECUTE FUNCTION app.pass_on('sales.order_lines', 'order_id', 'owner_id', 'assigned_to');



CREATE TRIGGER pass_digits AFTER UPDATE ON sales.orders FOR EACH ROW WHEN ((old.digits <> new.digits)) EXECUTE FUNCTION sales.pass_digits();



CREATE TRIGGER stay BEFORE UPDATE OF workspace_id ON sales.orders FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.stay('87', 'assigned_to');



CREATE TRIGGER total AFTER INSERT OR DELETE OR UPDATE ON sales.order_lines FOR EACH ROW EXECUTE FUNCTION sales.order_lines_total('sales.orders', 'order_id', 'net', 'tax', 'gross', 'quantity', 'shipped_quantity', 'delivered_quantity', 'returned_quantity', 'invoiced_quantity');



CREATE TRIGGER touch BEFORE UPDATE ON sales.order_lines FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON sales.orders FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER workflow_moves BEFORE UPDATE ON sales.orders FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION app.check_move('sales.orders', 'status');



CREATE TRIGGER workflow_starts BEFORE INSERT ON sales.orders FOR EACH ROW WHEN ((new.status IS DISTINCT FROM 'draft'::text)) EXECUTE FUNCTION app.check_start('A new record starts as draft.');



CREATE TRIGGER workspace_order_lines AFTER UPDATE OF workspace_id ON sales.orders FOR EACH ROW WHEN ((old.workspace_id IS DISTINCT FROM new.workspace_id)) EXECUTE FUNCTION app.pass_on('sales.order_lines', 'order_id', 'workspace_id', 'workspace_id');



CREATE TRIGGER guard BEFORE INSERT OR DELETE OR UPDATE ON social.shares FOR EACH ROW EXECUTE FUNCTION iam.guard();



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON social.comments FOR EACH ROW EXECUTE FUNCTION app.log_change('social.comments');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON social.notifications FOR EACH ROW EXECUTE FUNCTION app.log_change('social.notifications');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON social.saved_views FOR EACH ROW EXECUTE FUNCTION app.log_change('social.saved_views');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON social.shares FOR EACH ROW EXECUTE FUNCTION app.log_change('social.shares', 'token_hash', 'password_hash');



CREATE TRIGGER touch BEFORE UPDATE ON social.comments FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON social.notifications FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON social.saved_views FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON social.shares FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON tenancy.onboarding_progress FOR EACH ROW EXECUTE FUNCTION app.log_change('tenancy.onboarding_progress');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON tenancy.settings FOR EACH ROW EXECUTE FUNCTION app.log_change('tenancy.settings', 'secret');



CREATE TRIGGER log AFTER INSERT OR DELETE OR UPDATE ON tenancy.workspaces FOR EACH ROW EXECUTE FUNCTION app.log_change('tenancy.workspaces');



CREATE TRIGGER touch BEFORE UPDATE ON tenancy.onboarding_progress FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON tenancy.settings FOR EACH ROW EXECUTE FUNCTION app.touch();



CREATE TRIGGER touch BEFORE UPDATE ON tenancy.workspaces FOR EACH ROW EXECUTE FUNCTION app.touch();



ALTER TABLE ONLY app.digests
    ADD CONSTRAINT digests_person_fkey FOREIGN KEY (person) REFERENCES iam.users(id) ON DELETE CASCADE;



ALTER TABLE ONLY app.entities
    ADD CONSTRAINT entities_part_of_fkey FOREIGN KEY (part_of) REFERENCES app.entities(name);



ALTER TABLE ONLY app.transitions
    ADD CONSTRAINT transitions_entity_fkey FOREIGN KEY (entity) REFERENCES app.entities(name);



ALTER TABLE ONLY finance.payment_allocations
    ADD CONSTRAINT allocations_invoice FOREIGN KEY (organization_id, invoice_id) REFERENCES finance.invoices(organization_id, id);



ALTER TABLE ONLY finance.payment_allocations
    ADD CONSTRAINT allocations_payment FOREIGN KEY (organization_id, payment_id) REFERENCES finance.payments(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY finance.invoice_lines
    ADD CONSTRAINT invoice_lines_credited FOREIGN KEY (organization_id, credited_line_id) REFERENCES finance.invoice_lines(organization_id, id);



ALTER TABLE ONLY finance.invoice_lines
    ADD CONSTRAINT invoice_lines_invoice FOREIGN KEY (organization_id, invoice_id) REFERENCES finance.invoices(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY finance.invoice_lines
    ADD CONSTRAINT invoice_lines_order_line FOREIGN KEY (organization_id, order_line_id) REFERENCES sales.order_lines(organization_id, id);



ALTER TABLE ONLY finance.invoice_lines
    ADD CONSTRAINT invoice_lines_product FOREIGN KEY (organization_id, product_id) REFERENCES products.products(organization_id, id);



ALTER TABLE ONLY finance.invoice_lines
    ADD CONSTRAINT invoice_lines_tax FOREIGN KEY (organization_id, tax_id) REFERENCES products.taxes(organization_id, id);



ALTER TABLE ONLY finance.invoices
    ADD CONSTRAINT invoices_assigned FOREIGN KEY (organization_id, assigned_to) REFERENCES iam.memberships(organization_id, id);



ALTER TABLE ONLY finance.invoices
    ADD CONSTRAINT invoices_credited FOREIGN KEY (organization_id, credited_invoice_id) REFERENCES finance.invoices(organization_id, id);



ALTER TABLE ONLY finance.invoices
    ADD CONSTRAINT invoices_currency_fkey FOREIGN KEY (currency) REFERENCES app.currencies(code);



COMMENT ON CONSTRAINT invoices_currency_fkey ON finance.invoices IS 'There is no such currency.';



ALTER TABLE ONLY finance.invoices
    ADD CONSTRAINT invoices_order FOREIGN KEY (organization_id, order_id) REFERENCES sales.orders(organization_id, id);



ALTER TABLE ONLY finance.invoices
    ADD CONSTRAINT invoices_party FOREIGN KEY (organization_id, party_id) REFERENCES parties.parties(organization_id, id);



ALTER TABLE ONLY finance.invoices
    ADD CONSTRAINT invoices_payment FOREIGN KEY (organization_id, payment_id) REFERENCES finance.payments(organization_id, id);



ALTER TABLE ONLY finance.invoices
    ADD CONSTRAINT invoices_workspace FOREIGN KEY (organization_id, workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY finance.payments
    ADD CONSTRAINT payments_currency_fkey FOREIGN KEY (currency) REFERENCES app.currencies(code);



COMMENT ON CONSTRAINT payments_currency_fkey ON finance.payments IS 'There is no such currency.';



ALTER TABLE ONLY finance.payments
    ADD CONSTRAINT payments_party FOREIGN KEY (organization_id, party_id) REFERENCES parties.parties(organization_id, id);



ALTER TABLE ONLY finance.payments
    ADD CONSTRAINT payments_workspace FOREIGN KEY (organization_id, workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY iam.api_tokens
    ADD CONSTRAINT api_tokens_organization_id_user_id_fkey FOREIGN KEY (organization_id, user_id) REFERENCES iam.memberships(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY iam.email_verifications
    ADD CONSTRAINT email_verifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES iam.users(id) ON DELETE CASCADE;



ALTER TABLE ONLY iam.field_permissions
    ADD CONSTRAINT field_permissions_organization_id_role_id_fkey FOREIGN KEY (organization_id, role_id) REFERENCES iam.roles(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY iam.memberships
    ADD CONSTRAINT memberships_organization_id_manager_id_fkey FOREIGN KEY (organization_id, manager_id) REFERENCES iam.memberships(organization_id, id);



ALTER TABLE ONLY iam.memberships
    ADD CONSTRAINT memberships_workspace FOREIGN KEY (organization_id, default_workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY iam.permissions
    ADD CONSTRAINT permissions_organization_id_role_id_fkey FOREIGN KEY (organization_id, role_id) REFERENCES iam.roles(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY iam.role_assignments
    ADD CONSTRAINT role_assignments_member FOREIGN KEY (organization_id, membership_id) REFERENCES iam.memberships(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY iam.role_assignments
    ADD CONSTRAINT role_assignments_organization_id_role_id_fkey FOREIGN KEY (organization_id, role_id) REFERENCES iam.roles(organization_id, id);



ALTER TABLE ONLY iam.role_assignments
    ADD CONSTRAINT role_assignments_workspace FOREIGN KEY (organization_id, in_workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY iam.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES iam.users(id) ON DELETE CASCADE;



ALTER TABLE ONLY iam.user_profiles
    ADD CONSTRAINT user_profiles_id_fkey FOREIGN KEY (id) REFERENCES iam.users(id) ON DELETE CASCADE;



ALTER TABLE ONLY imports.imports
    ADD CONSTRAINT imports_organization_id_file_id_fkey FOREIGN KEY (organization_id, file_id) REFERENCES files.files(organization_id, id);



ALTER TABLE ONLY parties.addresses
    ADD CONSTRAINT addresses_party FOREIGN KEY (organization_id, party_id) REFERENCES parties.parties(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY parties.contacts
    ADD CONSTRAINT contacts_party FOREIGN KEY (organization_id, party_id) REFERENCES parties.parties(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY parties.contracts
    ADD CONSTRAINT contracts_assigned FOREIGN KEY (organization_id, assigned_to) REFERENCES iam.memberships(organization_id, id);



ALTER TABLE ONLY parties.contracts
    ADD CONSTRAINT contracts_currency_fkey FOREIGN KEY (currency) REFERENCES app.currencies(code);



COMMENT ON CONSTRAINT contracts_currency_fkey ON parties.contracts IS 'There is no such currency.';



ALTER TABLE ONLY parties.contracts
    ADD CONSTRAINT contracts_party FOREIGN KEY (organization_id, party_id) REFERENCES parties.parties(organization_id, id);



ALTER TABLE ONLY parties.contracts
    ADD CONSTRAINT contracts_workspace FOREIGN KEY (organization_id, workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY parties.parties
    ADD CONSTRAINT parties_assigned FOREIGN KEY (organization_id, assigned_to) REFERENCES iam.memberships(organization_id, id);



ALTER TABLE ONLY parties.parties
    ADD CONSTRAINT parties_currency_fkey FOREIGN KEY (currency) REFERENCES app.currencies(code);



COMMENT ON CONSTRAINT parties_currency_fkey ON parties.parties IS 'There is no such currency.';



ALTER TABLE ONLY parties.parties
    ADD CONSTRAINT parties_merged_into FOREIGN KEY (organization_id, merged_into) REFERENCES parties.parties(organization_id, id);



ALTER TABLE ONLY parties.parties
    ADD CONSTRAINT parties_workspace FOREIGN KEY (organization_id, workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY products.categories
    ADD CONSTRAINT categories_parent FOREIGN KEY (organization_id, parent_id) REFERENCES products.categories(organization_id, id);



ALTER TABLE ONLY products.categories
    ADD CONSTRAINT categories_tax FOREIGN KEY (organization_id, tax_id) REFERENCES products.taxes(organization_id, id);



ALTER TABLE ONLY products.products
    ADD CONSTRAINT products_category FOREIGN KEY (organization_id, category_id) REFERENCES products.categories(organization_id, id);



ALTER TABLE ONLY products.products
    ADD CONSTRAINT products_currency_fkey FOREIGN KEY (currency) REFERENCES app.currencies(code);



COMMENT ON CONSTRAINT products_currency_fkey ON products.products IS 'There is no such currency.';



ALTER TABLE ONLY products.products
    ADD CONSTRAINT products_supplier FOREIGN KEY (organization_id, supplier_id) REFERENCES parties.parties(organization_id, id);



ALTER TABLE ONLY products.products
    ADD CONSTRAINT products_tax FOREIGN KEY (organization_id, tax_id) REFERENCES products.taxes(organization_id, id);



ALTER TABLE ONLY products.products
    ADD CONSTRAINT products_unit FOREIGN KEY (organization_id, unit_id) REFERENCES products.units(organization_id, id);



ALTER TABLE ONLY products.products
    ADD CONSTRAINT products_workspace FOREIGN KEY (organization_id, workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY products.tax_rates
    ADD CONSTRAINT tax_rates_tax FOREIGN KEY (organization_id, tax_id) REFERENCES products.taxes(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY sales.order_lines
    ADD CONSTRAINT order_lines_order FOREIGN KEY (organization_id, order_id) REFERENCES sales.orders(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY sales.order_lines
    ADD CONSTRAINT order_lines_product FOREIGN KEY (organization_id, product_id) REFERENCES products.products(organization_id, id);



ALTER TABLE ONLY sales.order_lines
    ADD CONSTRAINT order_lines_tax FOREIGN KEY (organization_id, tax_id) REFERENCES products.taxes(organization_id, id);



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_assigned FOREIGN KEY (organization_id, assigned_to) REFERENCES iam.memberships(organization_id, id);



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_carrier FOREIGN KEY (organization_id, carrier_id) REFERENCES parties.parties(organization_id, id);



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_contract FOREIGN KEY (organization_id, contract_id) REFERENCES parties.contracts(organization_id, id);



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_currency_fkey FOREIGN KEY (currency) REFERENCES app.currencies(code);



COMMENT ON CONSTRAINT orders_currency_fkey ON sales.orders IS 'There is no such currency.';



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_customer FOREIGN KEY (organization_id, customer_id) REFERENCES parties.parties(organization_id, id);



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_parent FOREIGN KEY (organization_id, parent_order_id) REFERENCES sales.orders(organization_id, id);



ALTER TABLE ONLY sales.orders
    ADD CONSTRAINT orders_workspace FOREIGN KEY (organization_id, workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY social.comments
    ADD CONSTRAINT comments_organization_id_parent_id_fkey FOREIGN KEY (organization_id, parent_id) REFERENCES social.comments(organization_id, id);



ALTER TABLE ONLY social.notifications
    ADD CONSTRAINT notifications_organization_id_user_id_fkey FOREIGN KEY (organization_id, user_id) REFERENCES iam.memberships(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY social.saved_views
    ADD CONSTRAINT saved_views_organization_id_team_id_fkey FOREIGN KEY (organization_id, team_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY social.shares
    ADD CONSTRAINT shares_organization_id_user_id_fkey FOREIGN KEY (organization_id, user_id) REFERENCES iam.memberships(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY social.shares
    ADD CONSTRAINT shares_organization_id_view_id_fkey FOREIGN KEY (organization_id, view_id) REFERENCES social.saved_views(organization_id, id) ON DELETE CASCADE;



ALTER TABLE ONLY tenancy.organizations
    ADD CONSTRAINT organizations_currency_fkey FOREIGN KEY (currency) REFERENCES app.currencies(code);



ALTER TABLE ONLY tenancy.settings
    ADD CONSTRAINT settings_organization_id_in_workspace_id_fkey FOREIGN KEY (organization_id, in_workspace_id) REFERENCES tenancy.workspaces(organization_id, id);



ALTER TABLE ONLY tenancy.settings
    ADD CONSTRAINT settings_organization_id_user_id_fkey FOREIGN KEY (organization_id, user_id) REFERENCES iam.memberships(organization_id, id) ON DELETE CASCADE;



ALTER TABLE app.audit ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.audit_2026_11 ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.audit_2026_12 ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.audit_2027_01 ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.audit_rest ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.counters ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.idempotency ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.jobs ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.number_series ENABLE ROW LEVEL SECURITY;


CREATE POLICY own ON app.idempotency TO app_user USING (((organization_id = app.organization()) AND (user_id = app.actor()))) WITH CHECK (((organization_id = app.organization()) AND (user_id = app.actor())));



CREATE POLICY own ON app.jobs TO app_user USING (((organization_id = app.organization()) AND (created_by = app.actor()))) WITH CHECK (((organization_id = app.organization()) AND (created_by = app.actor())));



CREATE POLICY own ON app.schedules TO app_user USING ((organization_id = app.organization())) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY own ON app.seen TO app_user USING (((organization_id = app.organization()) AND (user_id = app.actor()))) WITH CHECK (((organization_id = app.organization()) AND (user_id = app.actor())));



ALTER TABLE app.record ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.schedules ENABLE ROW LEVEL SECURITY;


ALTER TABLE app.seen ENABLE ROW LEVEL SECURITY;


CREATE POLICY system ON app.idempotency TO app_system USING (true);



CREATE POLICY system ON app.jobs TO app_system USING (true) WITH CHECK (true);



CREATE POLICY system ON app.number_series TO app_system USING (true) WITH CHECK (true);



CREATE POLICY system ON app.schedules TO app_system USING (true) WITH CHECK (true);



CREATE POLICY tenant_read ON app.audit FOR SELECT TO app_user USING ((organization_id = app.organization()));



CREATE POLICY creates ON builder.custom_fields FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(50) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(50) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(50) = '\x74'::bytea)))));



ALTER TABLE builder.custom_fields ENABLE ROW LEVEL SECURITY;


CREATE POLICY deletes ON builder.custom_fields FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(52) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(52) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(52) = '\x74'::bytea)))));



CREATE POLICY reads ON builder.custom_fields FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(49) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(49) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(49) = '\x74'::bytea)))));



CREATE POLICY system ON builder.custom_fields FOR SELECT TO app_system USING (true);



CREATE POLICY updates ON builder.custom_fields FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(51) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(51) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(51) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY creates ON files.files FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(30) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(30) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(30) = '\x74'::bytea)))));



CREATE POLICY deletes ON files.files FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(32) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(32) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(32) = '\x74'::bytea)))));



ALTER TABLE files.files ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON files.files FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(29) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(29) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(29) = '\x74'::bytea)))));



CREATE POLICY system ON files.files FOR SELECT TO app_system USING (true);



CREATE POLICY updates ON files.files FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(31) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(31) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(31) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY creates ON finance.invoice_lines FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(94) = '\x61'::bytea) OR (app.scope(95) = '\x61'::bytea) OR ((owner_id = app.actor()) AND ((app.scope(94) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(95) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])))) OR ((owner_id = ANY (app.team())) AND ((app.scope(94) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])) OR (app.scope(95) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])))) OR ((workspace_id IS NOT NULL) AND ((app.scope(94) = '\x77'::bytea) OR (app.scope(95) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(94) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(95) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND ((app.scope(94) = '\x69'::bytea) OR (app.scope(95) = '\x69'::bytea))))))))));



CREATE POLICY creates ON finance.invoices FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(94) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(94) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(94) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(94) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(94) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(94) = '\x69'::bytea)))))))));



CREATE POLICY creates ON finance.payment_allocations FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(90) = '\x61'::bytea) OR (app.scope(91) = '\x61'::bytea) OR ((owner_id = app.actor()) AND ((app.scope(90) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(91) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])))) OR ((owner_id = ANY (app.team())) AND ((app.scope(90) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])) OR (app.scope(91) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])))) OR ((workspace_id IS NOT NULL) AND ((app.scope(90) = '\x77'::bytea) OR (app.scope(91) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(90) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(91) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND ((app.scope(90) = '\x69'::bytea) OR (app.scope(91) = '\x69'::bytea))))))))));



CREATE POLICY creates ON finance.payments FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(90) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(90) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(90) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(90) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(90) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((created_by = app.actor()) AND (app.scope(90) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON finance.invoice_lines FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(95) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(95) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(95) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(95) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(95) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(95) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON finance.invoices FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(96) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(96) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(96) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(96) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(96) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(96) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON finance.payment_allocations FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(91) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(91) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(91) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(91) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(91) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(91) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON finance.payments FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(92) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(92) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(92) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(92) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(92) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((created_by = app.actor()) AND (app.scope(92) = '\x69'::bytea)))))))));



ALTER TABLE finance.invoice_lines ENABLE ROW LEVEL SECURITY;


ALTER TABLE finance.invoices ENABLE ROW LEVEL SECURITY;


ALTER TABLE finance.payment_allocations ENABLE ROW LEVEL SECURITY;


ALTER TABLE finance.payments ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON finance.invoice_lines FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(93) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(93) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(93) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(93) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(93) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(93) = '\x69'::bytea)))))))));



CREATE POLICY reads ON finance.invoices FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(93) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(93) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(93) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(93) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(93) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(93) = '\x69'::bytea)))))))));



CREATE POLICY reads ON finance.payment_allocations FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(89) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(89) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(89) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(89) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(89) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(89) = '\x69'::bytea)))))))));



CREATE POLICY reads ON finance.payments FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(89) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(89) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(89) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(89) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(89) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((created_by = app.actor()) AND (app.scope(89) = '\x69'::bytea)))))))));



CREATE POLICY updates ON finance.invoice_lines FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(95) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(95) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(95) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(95) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(95) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(95) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON finance.invoices FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(95) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(95) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(95) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(95) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(95) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(95) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON finance.payment_allocations FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(91) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(91) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(91) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(91) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(91) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(91) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON finance.payments FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(91) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(91) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(91) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(91) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(91) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((created_by = app.actor()) AND (app.scope(91) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



ALTER TABLE iam.api_tokens ENABLE ROW LEVEL SECURITY;


CREATE POLICY creates ON iam.api_tokens FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(18) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(18) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(18) = '\x74'::bytea)))));



CREATE POLICY creates ON iam.field_permissions FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(10) = '\x61'::bytea) OR (app.scope(11) = '\x61'::bytea) OR ((owner_id = app.actor()) AND ((app.scope(10) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea])) OR (app.scope(11) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea])))) OR ((owner_id = ANY (app.team())) AND ((app.scope(10) = '\x74'::bytea) OR (app.scope(11) = '\x74'::bytea))))));



CREATE POLICY creates ON iam.memberships FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(6) = '\x61'::bytea) OR ((id = app.actor()) AND (app.scope(6) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((id = ANY (app.team())) AND (app.scope(6) = '\x74'::bytea)))));



CREATE POLICY creates ON iam.permissions FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(10) = '\x61'::bytea) OR (app.scope(11) = '\x61'::bytea) OR ((owner_id = app.actor()) AND ((app.scope(10) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea])) OR (app.scope(11) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea])))) OR ((owner_id = ANY (app.team())) AND ((app.scope(10) = '\x74'::bytea) OR (app.scope(11) = '\x74'::bytea))))));



CREATE POLICY creates ON iam.role_assignments FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(14) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(14) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(14) = '\x74'::bytea)))));



CREATE POLICY creates ON iam.roles FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(10) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(10) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(10) = '\x74'::bytea)))));



CREATE POLICY deletes ON iam.api_tokens FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(20) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(20) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(20) = '\x74'::bytea)))));



CREATE POLICY deletes ON iam.field_permissions FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(11) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(11) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(11) = '\x74'::bytea)))));



CREATE POLICY deletes ON iam.memberships FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(8) = '\x61'::bytea) OR ((id = app.actor()) AND (app.scope(8) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((id = ANY (app.team())) AND (app.scope(8) = '\x74'::bytea)))));



CREATE POLICY deletes ON iam.permissions FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(11) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(11) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(11) = '\x74'::bytea)))));



CREATE POLICY deletes ON iam.role_assignments FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(16) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(16) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(16) = '\x74'::bytea)))));



CREATE POLICY deletes ON iam.roles FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(12) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(12) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(12) = '\x74'::bytea)))));



ALTER TABLE iam.field_permissions ENABLE ROW LEVEL SECURITY;


ALTER TABLE iam.memberships ENABLE ROW LEVEL SECURITY;


ALTER TABLE iam.permissions ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON iam.api_tokens FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(17) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(17) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(17) = '\x74'::bytea)))));



CREATE POLICY reads ON iam.field_permissions FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(9) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(9) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(9) = '\x74'::bytea)))));



CREATE POLICY reads ON iam.memberships FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(5) = '\x61'::bytea) OR ((id = app.actor()) AND (app.scope(5) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((id = ANY (app.team())) AND (app.scope(5) = '\x74'::bytea)))));



CREATE POLICY reads ON iam.permissions FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(9) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(9) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(9) = '\x74'::bytea)))));



CREATE POLICY reads ON iam.role_assignments FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(13) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(13) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(13) = '\x74'::bytea)))));



CREATE POLICY reads ON iam.roles FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(9) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(9) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(9) = '\x74'::bytea)))));



ALTER TABLE iam.role_assignments ENABLE ROW LEVEL SECURITY;


ALTER TABLE iam.roles ENABLE ROW LEVEL SECURITY;


CREATE POLICY system ON iam.api_tokens TO app_system USING (true) WITH CHECK (true);



CREATE POLICY system ON iam.field_permissions TO app_system USING (true) WITH CHECK (true);



CREATE POLICY system ON iam.memberships TO app_system USING (true) WITH CHECK (true);



CREATE POLICY system ON iam.permissions TO app_system USING (true) WITH CHECK (true);



CREATE POLICY system ON iam.role_assignments TO app_system USING (true) WITH CHECK (true);



CREATE POLICY system ON iam.roles TO app_system USING (true) WITH CHECK (true);



CREATE POLICY updates ON iam.api_tokens FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(19) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(19) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(19) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON iam.field_permissions FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(11) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(11) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(11) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON iam.memberships FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(7) = '\x61'::bytea) OR ((id = app.actor()) AND (app.scope(7) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((id = ANY (app.team())) AND (app.scope(7) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON iam.permissions FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(11) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(11) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(11) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON iam.role_assignments FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(15) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(15) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(15) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON iam.roles FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(11) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(11) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(11) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY creates ON imports.imports FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND (created_by = app.actor())));



CREATE POLICY creates ON imports.saved_mappings FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND (created_by = app.actor())));



CREATE POLICY deletes ON imports.imports FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(56) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(56) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(56) = '\x74'::bytea)))));



CREATE POLICY deletes ON imports.saved_mappings FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((created_by = app.actor()) OR (app.scope(60) = '\x61'::bytea))));



ALTER TABLE imports.imports ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON imports.imports FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((created_by = app.actor()) OR (app.scope(53) = '\x61'::bytea))));



CREATE POLICY reads ON imports.saved_mappings FOR SELECT TO app_user USING ((organization_id = app.organization()));



ALTER TABLE imports.saved_mappings ENABLE ROW LEVEL SECURITY;


CREATE POLICY updates ON imports.imports FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((created_by = app.actor()) OR (app.scope(55) = '\x61'::bytea)))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON imports.saved_mappings FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((created_by = app.actor()) OR (app.scope(59) = '\x61'::bytea)))) WITH CHECK ((organization_id = app.organization()));



ALTER TABLE parties.addresses ENABLE ROW LEVEL SECURITY;


ALTER TABLE parties.contacts ENABLE ROW LEVEL SECURITY;


ALTER TABLE parties.contracts ENABLE ROW LEVEL SECURITY;


CREATE POLICY creates ON parties.addresses FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(62) = '\x61'::bytea) OR (app.scope(63) = '\x61'::bytea) OR ((owner_id = app.actor()) AND ((app.scope(62) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(63) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])))) OR ((owner_id = ANY (app.team())) AND ((app.scope(62) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])) OR (app.scope(63) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])))) OR ((workspace_id IS NOT NULL) AND ((app.scope(62) = '\x77'::bytea) OR (app.scope(63) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(62) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(63) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND ((app.scope(62) = '\x69'::bytea) OR (app.scope(63) = '\x69'::bytea))))))))));



CREATE POLICY creates ON parties.contacts FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(62) = '\x61'::bytea) OR (app.scope(63) = '\x61'::bytea) OR ((owner_id = app.actor()) AND ((app.scope(62) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(63) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])))) OR ((owner_id = ANY (app.team())) AND ((app.scope(62) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])) OR (app.scope(63) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])))) OR ((workspace_id IS NOT NULL) AND ((app.scope(62) = '\x77'::bytea) OR (app.scope(63) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(62) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(63) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND ((app.scope(62) = '\x69'::bytea) OR (app.scope(63) = '\x69'::bytea))))))))));



CREATE POLICY creates ON parties.contracts FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(66) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(66) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(66) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(66) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(66) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(66) = '\x69'::bytea)))))))));



CREATE POLICY creates ON parties.parties FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(62) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(62) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(62) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(62) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(62) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(62) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON parties.addresses FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(63) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(63) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(63) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(63) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(63) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(63) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON parties.contacts FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(63) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(63) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(63) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(63) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(63) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(63) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON parties.contracts FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(68) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(68) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(68) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(68) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(68) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(68) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON parties.parties FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(64) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(64) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(64) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(64) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(64) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(64) = '\x69'::bytea)))))))));



ALTER TABLE parties.parties ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON parties.addresses FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(61) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(61) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(61) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(61) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(61) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(61) = '\x69'::bytea)))))))));



CREATE POLICY reads ON parties.contacts FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(61) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(61) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(61) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(61) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(61) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(61) = '\x69'::bytea)))))))));



CREATE POLICY reads ON parties.contracts FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(65) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(65) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(65) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(65) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(65) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(65) = '\x69'::bytea)))))))));



CREATE POLICY reads ON parties.parties FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(61) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(61) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(61) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(61) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(61) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(61) = '\x69'::bytea)))))))));



CREATE POLICY updates ON parties.addresses FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(63) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(63) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(63) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(63) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(63) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(63) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON parties.contacts FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(63) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(63) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(63) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(63) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(63) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(63) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON parties.contracts FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(67) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(67) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(67) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(67) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(67) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(67) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON parties.parties FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(63) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(63) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(63) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(63) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(63) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(63) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



ALTER TABLE products.categories ENABLE ROW LEVEL SECURITY;


CREATE POLICY creates ON products.categories FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(78) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(78) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(78) = '\x74'::bytea)))));



CREATE POLICY creates ON products.products FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(82) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(82) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(82) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(82) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(82) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((created_by = app.actor()) AND (app.scope(82) = '\x69'::bytea)))))))));



CREATE POLICY creates ON products.tax_rates FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(74) = '\x61'::bytea) OR (app.scope(75) = '\x61'::bytea) OR ((owner_id = app.actor()) AND ((app.scope(74) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea])) OR (app.scope(75) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea])))) OR ((owner_id = ANY (app.team())) AND ((app.scope(74) = '\x74'::bytea) OR (app.scope(75) = '\x74'::bytea))))));



CREATE POLICY creates ON products.taxes FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(74) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(74) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(74) = '\x74'::bytea)))));



CREATE POLICY creates ON products.units FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(70) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(70) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(70) = '\x74'::bytea)))));



CREATE POLICY deletes ON products.categories FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(80) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(80) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(80) = '\x74'::bytea)))));



CREATE POLICY deletes ON products.products FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(84) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(84) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(84) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(84) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(84) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((created_by = app.actor()) AND (app.scope(84) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON products.tax_rates FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(75) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(75) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(75) = '\x74'::bytea)))));



CREATE POLICY deletes ON products.taxes FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(76) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(76) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(76) = '\x74'::bytea)))));



CREATE POLICY deletes ON products.units FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(72) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(72) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(72) = '\x74'::bytea)))));



ALTER TABLE products.products ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON products.categories FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(77) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(77) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(77) = '\x74'::bytea)))));



CREATE POLICY reads ON products.products FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(81) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(81) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(81) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(81) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(81) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((created_by = app.actor()) AND (app.scope(81) = '\x69'::bytea)))))))));



CREATE POLICY reads ON products.tax_rates FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(73) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(73) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(73) = '\x74'::bytea)))));



CREATE POLICY reads ON products.taxes FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(73) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(73) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(73) = '\x74'::bytea)))));



CREATE POLICY reads ON products.units FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(69) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(69) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(69) = '\x74'::bytea)))));



ALTER TABLE products.tax_rates ENABLE ROW LEVEL SECURITY;


ALTER TABLE products.taxes ENABLE ROW LEVEL SECURITY;


ALTER TABLE products.units ENABLE ROW LEVEL SECURITY;


CREATE POLICY updates ON products.categories FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(79) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(79) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(79) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON products.products FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(83) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(83) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(83) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(83) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(83) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((created_by = app.actor()) AND (app.scope(83) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON products.tax_rates FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(75) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(75) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(75) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON products.taxes FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(75) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(75) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(75) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON products.units FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(71) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(71) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(71) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY creates ON sales.order_lines FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(86) = '\x61'::bytea) OR (app.scope(87) = '\x61'::bytea) OR ((owner_id = app.actor()) AND ((app.scope(86) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(87) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea])))) OR ((owner_id = ANY (app.team())) AND ((app.scope(86) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])) OR (app.scope(87) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea])))) OR ((workspace_id IS NOT NULL) AND ((app.scope(86) = '\x77'::bytea) OR (app.scope(87) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(86) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR (app.scope(87) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND ((app.scope(86) = '\x69'::bytea) OR (app.scope(87) = '\x69'::bytea))))))))));



CREATE POLICY creates ON sales.orders FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(86) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(86) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(86) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(86) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(86) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(86) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON sales.order_lines FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(87) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(87) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(87) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(87) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(87) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(87) = '\x69'::bytea)))))))));



CREATE POLICY deletes ON sales.orders FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(88) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(88) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(88) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(88) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(88) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(88) = '\x69'::bytea)))))))));



ALTER TABLE sales.order_lines ENABLE ROW LEVEL SECURITY;


ALTER TABLE sales.orders ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON sales.order_lines FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(85) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(85) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(85) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(85) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(85) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(85) = '\x69'::bytea)))))))));



CREATE POLICY reads ON sales.orders FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(85) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(85) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(85) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(85) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(85) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(85) = '\x69'::bytea)))))))));



CREATE POLICY updates ON sales.order_lines FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(87) = '\x61'::bytea) OR ((owner_id = app.actor()) AND (app.scope(87) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((owner_id = ANY (app.team())) AND (app.scope(87) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(87) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(87) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((owner_id = app.actor()) AND (app.scope(87) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON sales.orders FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((workspace_id IS NULL) OR (app.workspaces() IS NULL) OR (workspace_id = ANY (app.workspaces()))) AND ((app.scope(87) = '\x61'::bytea) OR ((assigned_to = app.actor()) AND (app.scope(87) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea, '\x4f'::bytea, '\x54'::bytea]))) OR ((assigned_to = ANY (app.team())) AND (app.scope(87) = ANY (ARRAY['\x74'::bytea, '\x54'::bytea]))) OR ((workspace_id IS NOT NULL) AND ((app.scope(87) = '\x77'::bytea) OR ((workspace_id = app.place()) AND ((app.scope(87) = ANY (ARRAY['\x57'::bytea, '\x4f'::bytea, '\x54'::bytea])) OR ((assigned_to = app.actor()) AND (app.scope(87) = '\x69'::bytea))))))))) WITH CHECK ((organization_id = app.organization()));



ALTER TABLE social.comments ENABLE ROW LEVEL SECURITY;


CREATE POLICY creates ON social.comments FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(42) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(42) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(42) = '\x74'::bytea)))));



CREATE POLICY creates ON social.notifications FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(46) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(46) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(46) = '\x74'::bytea)))));



CREATE POLICY creates ON social.saved_views FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(34) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(34) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(34) = '\x74'::bytea)))));



CREATE POLICY creates ON social.shares FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(38) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(38) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(38) = '\x74'::bytea)))));



CREATE POLICY deletes ON social.comments FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(44) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(44) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(44) = '\x74'::bytea)))));



CREATE POLICY deletes ON social.notifications FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(48) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(48) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(48) = '\x74'::bytea)))));



CREATE POLICY deletes ON social.saved_views FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(36) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(36) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(36) = '\x74'::bytea))) AND ((created_by = app.actor()) OR (visibility = 'shared'::text) OR ((visibility = 'team'::text) AND ((app.workspaces() IS NULL) OR (team_id = ANY (app.workspaces())))))));



CREATE POLICY deletes ON social.shares FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(40) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(40) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(40) = '\x74'::bytea)))));



ALTER TABLE social.notifications ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON social.comments FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(41) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(41) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(41) = '\x74'::bytea)))));



CREATE POLICY reads ON social.notifications FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(45) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(45) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(45) = '\x74'::bytea)))));



CREATE POLICY reads ON social.saved_views FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(33) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(33) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(33) = '\x74'::bytea))) AND ((created_by = app.actor()) OR (visibility = 'shared'::text) OR ((visibility = 'team'::text) AND ((app.workspaces() IS NULL) OR (team_id = ANY (app.workspaces())))))));



CREATE POLICY reads ON social.shares FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(37) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(37) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(37) = '\x74'::bytea)))));



ALTER TABLE social.saved_views ENABLE ROW LEVEL SECURITY;


ALTER TABLE social.shares ENABLE ROW LEVEL SECURITY;


CREATE POLICY system ON social.shares TO app_system USING (true) WITH CHECK (true);



CREATE POLICY updates ON social.comments FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(43) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(43) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(43) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON social.notifications FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(47) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(47) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(47) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON social.saved_views FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((created_by = app.actor()) OR (visibility = 'shared'::text) OR ((visibility = 'team'::text) AND ((app.workspaces() IS NULL) OR (team_id = ANY (app.workspaces()))))) AND ((app.scope(35) = '\x61'::bytea) OR ((app.scope(35) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea])) AND ((created_by = app.actor()) OR (NOT locked)))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON social.shares FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(39) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(39) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(39) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY creates ON tenancy.onboarding_progress FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(26) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(26) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(26) = '\x74'::bytea)))));



CREATE POLICY creates ON tenancy.settings FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(22) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(22) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(22) = '\x74'::bytea)))));



CREATE POLICY creates ON tenancy.workspaces FOR INSERT TO app_user WITH CHECK (((organization_id = app.organization()) AND ((app.scope(2) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(2) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(2) = '\x74'::bytea)))));



CREATE POLICY deletes ON tenancy.onboarding_progress FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(28) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(28) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(28) = '\x74'::bytea)))));



CREATE POLICY deletes ON tenancy.settings FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(24) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(24) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(24) = '\x74'::bytea)))));



CREATE POLICY deletes ON tenancy.workspaces FOR DELETE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(4) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(4) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(4) = '\x74'::bytea)))));



ALTER TABLE tenancy.onboarding_progress ENABLE ROW LEVEL SECURITY;


CREATE POLICY reads ON tenancy.onboarding_progress FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(25) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(25) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(25) = '\x74'::bytea)))));



CREATE POLICY reads ON tenancy.settings FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(21) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(21) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(21) = '\x74'::bytea)))));



CREATE POLICY reads ON tenancy.workspaces FOR SELECT TO app_user USING (((organization_id = app.organization()) AND ((app.scope(1) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(1) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(1) = '\x74'::bytea)))));



ALTER TABLE tenancy.settings ENABLE ROW LEVEL SECURITY;


CREATE POLICY system ON tenancy.workspaces TO app_system USING (true) WITH CHECK (true);



CREATE POLICY updates ON tenancy.onboarding_progress FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(27) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(27) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(27) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON tenancy.settings FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(23) = '\x61'::bytea) OR ((user_id = app.actor()) AND (app.scope(23) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((user_id = ANY (app.team())) AND (app.scope(23) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



CREATE POLICY updates ON tenancy.workspaces FOR UPDATE TO app_user USING (((organization_id = app.organization()) AND ((app.scope(3) = '\x61'::bytea) OR ((created_by = app.actor()) AND (app.scope(3) = ANY (ARRAY['\x6f'::bytea, '\x74'::bytea]))) OR ((created_by = ANY (app.team())) AND (app.scope(3) = '\x74'::bytea))))) WITH CHECK ((organization_id = app.organization()));



ALTER TABLE tenancy.workspaces ENABLE ROW LEVEL SECURITY;


GRANT USAGE ON SCHEMA app TO app_user;
GRANT USAGE ON SCHEMA app TO app_system;



GRANT USAGE ON SCHEMA builder TO app_user;
GRANT USAGE ON SCHEMA builder TO app_system;



GRANT USAGE ON SCHEMA files TO app_user;
GRANT USAGE ON SCHEMA files TO app_system;



GRANT USAGE ON SCHEMA finance TO app_user;



GRANT USAGE ON SCHEMA iam TO app_user;
GRANT USAGE ON SCHEMA iam TO app_system;



GRANT USAGE ON SCHEMA imports TO app_user;



GRANT USAGE ON SCHEMA parties TO app_user;



GRANT USAGE ON SCHEMA products TO app_user;



GRANT USAGE ON SCHEMA sales TO app_user;



GRANT USAGE ON SCHEMA social TO app_user;
GRANT USAGE ON SCHEMA social TO app_system;



GRANT USAGE ON SCHEMA tenancy TO app_user;
GRANT USAGE ON SCHEMA tenancy TO app_system;



REVOKE ALL ON FUNCTION app.cancel_job(job_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.cancel_job(job_key text) TO app_user;



GRANT SELECT,INSERT ON TABLE app.jobs TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.jobs TO app_system;



GRANT UPDATE(status) ON TABLE app.jobs TO app_user;



GRANT UPDATE(finished_at) ON TABLE app.jobs TO app_user;



GRANT UPDATE(lease_until) ON TABLE app.jobs TO app_user;



GRANT UPDATE(done) ON TABLE app.jobs TO app_user;



GRANT UPDATE(total) ON TABLE app.jobs TO app_user;



GRANT UPDATE(result) ON TABLE app.jobs TO app_user;



GRANT UPDATE(error) ON TABLE app.jobs TO app_user;



REVOKE ALL ON FUNCTION app.claim_job(claim uuid, lease double precision, most bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION app.claim_job(claim uuid, lease double precision, most bigint) TO app_system;



REVOKE ALL ON FUNCTION app.daily(company uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.daily(company uuid) TO app_system;



REVOKE ALL ON FUNCTION app.data_key() FROM PUBLIC;
GRANT ALL ON FUNCTION app.data_key() TO app_user;



REVOKE ALL ON FUNCTION app.file_room(person uuid, OUT used bigint, OUT used_by_me bigint, OUT quota bigint, OUT quota_per_person bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION app.file_room(person uuid, OUT used bigint, OUT used_by_me bigint, OUT quota bigint, OUT quota_per_person bigint) TO app_user;



REVOKE ALL ON FUNCTION app.job_of(job_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.job_of(job_key text) TO app_user;



REVOKE ALL ON FUNCTION app.make_audit_months(ahead integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.make_audit_months(ahead integer) TO app_system;



REVOKE ALL ON FUNCTION app.notify(for_user uuid, kind text, titles jsonb, body text, entity text, record uuid, link text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.notify(for_user uuid, kind text, titles jsonb, body text, entity text, record uuid, link text) TO app_user;



REVOKE ALL ON FUNCTION app.purge_files(thrown_before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.purge_files(thrown_before timestamp with time zone, most integer) TO app_system;



REVOKE ALL ON FUNCTION app.react(comment uuid, sign text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.react(comment uuid, sign text) TO app_user;



REVOKE ALL ON FUNCTION app.secret_setting(key text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.secret_setting(key text) TO app_user;



REVOKE ALL ON FUNCTION app.send_mail(recipient text, subject text, body text, attachments jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.send_mail(recipient text, subject text, body text, attachments jsonb) TO app_user;
GRANT ALL ON FUNCTION app.send_mail(recipient text, subject text, body text, attachments jsonb) TO app_system;



REVOKE ALL ON FUNCTION app.series_in_use() FROM PUBLIC;
GRANT ALL ON FUNCTION app.series_in_use() TO app_user;



REVOKE ALL ON FUNCTION app.set_series(series text, pattern text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.set_series(series text, pattern text) TO app_user;



REVOKE ALL ON FUNCTION app.setting(key text, in_workspace uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.setting(key text, in_workspace uuid) TO app_user;



REVOKE ALL ON FUNCTION iam.log_event(organization uuid, entity text, record uuid, action text, actor uuid, request uuid, old jsonb, new jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION iam.log_event(organization uuid, entity text, record uuid, action text, actor uuid, request uuid, old jsonb, new jsonb) TO app_system;



REVOKE ALL ON FUNCTION parties.daily() FROM PUBLIC;



GRANT SELECT ON TABLE app.audit TO app_user;



GRANT SELECT ON TABLE app.currencies TO app_user;
GRANT SELECT ON TABLE app.currencies TO app_system;



GRANT SELECT,DELETE ON TABLE app.digests TO app_system;



GRANT SELECT ON TABLE app.entities TO app_user;
GRANT SELECT ON TABLE app.entities TO app_system;



GRANT SELECT,INSERT,UPDATE ON TABLE app.idempotency TO app_user;
GRANT SELECT,DELETE ON TABLE app.idempotency TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.mails TO app_system;



GRANT SELECT,INSERT,UPDATE ON TABLE app.number_series TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.schedules TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.schedules TO app_system;



GRANT SELECT ON TABLE app.schema_changes TO app_system;
GRANT SELECT ON TABLE app.schema_changes TO app_user;



GRANT SELECT,INSERT,UPDATE ON TABLE app.seen TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.system_logs TO app_system;



GRANT SELECT ON TABLE app.transitions TO app_user;
GRANT SELECT ON TABLE app.transitions TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE builder.custom_fields TO app_user;
GRANT SELECT ON TABLE builder.custom_fields TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE files.files TO app_user;
GRANT SELECT ON TABLE files.files TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE finance.invoice_lines TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE finance.invoices TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE finance.payment_allocations TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE finance.payments TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.api_tokens TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.api_tokens TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.email_verifications TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.field_permissions TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.field_permissions TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.login_attempts TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.memberships TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.memberships TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.permissions TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.permissions TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.role_assignments TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.role_assignments TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.roles TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.roles TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.sessions TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.user_profiles TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE iam.users TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE imports.imports TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE imports.saved_mappings TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE parties.addresses TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE parties.contacts TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE parties.contracts TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE parties.parties TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE products.categories TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE products.products TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE products.tax_rates TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE products.taxes TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE products.units TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sales.order_lines TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sales.orders TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE social.comments TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE social.notifications TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE social.saved_views TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE social.shares TO app_user;
GRANT SELECT ON TABLE social.shares TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenancy.onboarding_progress TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenancy.organizations TO app_system;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenancy.settings TO app_user;



GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenancy.workspaces TO app_user;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenancy.workspaces TO app_system;


-- PostgreSQL database dump complete


