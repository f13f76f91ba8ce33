-- Who is asking. Every transaction starts with one `set local app.context = '…'`, made by the server out of parsed
-- values only; everything below reads what it says. Unset means nobody: no rows.
--   1-36 organization   38-73 user   75-110 request   112- grants: four letters for every entity, by its slot
create schema app;
comment on schema app is 'What every tenant table stands on: context, keys, isolation, audit, documents.';

-- Read as bytes: to find a place in a text, PostgreSQL counts characters from its start, which costs a row of a long list
-- more than everything else about it.
create function app.said(first integer, length integer) returns text language sql stable parallel safe
return nullif(encode(substr(textsend(current_setting('app.context', true)), first, length), 'escape'), '');

create function app.organization() returns uuid language sql stable parallel safe
return app.said(1, 36)::uuid;

create function app.actor() returns uuid language sql stable parallel safe
return app.said(38, 36)::uuid;

create function app.request() returns uuid language sql stable parallel safe
return app.said(75, 36)::uuid;

-- How far the actor may go, as one byte: a all, w workspace, t team, o own; with roles in one workspace W everything
-- there, i his own there, T and O everything there besides his team's and his own; anything else nothing. `place` is
-- 4 * slot + 1..4 for read, create, update, delete.
create function app.scope(place integer) returns bytea language sql stable parallel safe
return substr(textsend(current_setting('app.context', true)), 111 + place, 1);

-- The people whose rows a person with scope `team` may reach, themselves included.
create function app.team() returns uuid[] language sql stable parallel safe
return string_to_array(nullif(current_setting('app.team', true), ''), ',')::uuid[];

create function app.workspaces() returns uuid[] language sql stable parallel safe
return string_to_array(nullif(current_setting('app.workspaces', true), ''), ',')::uuid[];

-- The one workspace that the actor has further roles in.
create function app.place() returns uuid language sql stable parallel safe
return nullif(current_setting('app.place', true), '')::uuid;

-- Version 7: sorts by time of creation, so that inserts append to the index instead of scattering over it.
create function app.new_id() returns uuid language sql volatile parallel safe
return encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
    from 1 for 6), 52, 1), 53, 1), 'hex')::uuid;

-- Amounts. NaN and infinity are no amounts.
create domain app.money as numeric(20,6) constraint money_is_finite check (value not in ('NaN', 'Infinity', '-Infinity'));
create domain app.quantity as numeric(20,6) constraint quantity_is_finite check (value not in ('NaN', 'Infinity', '-Infinity'));
create domain app.percent as numeric(9,6) constraint percent_is_finite check (value not in ('NaN', 'Infinity', '-Infinity'));
comment on constraint money_is_finite on domain app.money is 'This is not an amount.';
comment on constraint quantity_is_finite on domain app.quantity is 'This is not a quantity.';
comment on constraint percent_is_finite on domain app.percent is 'This is not a percentage.';
-- Renderings of text that the catalog knows by the name of the domain.
create domain app.email as text constraint email_has_at check (value ~ '^[^@\s]+@[^@\s]+$' and length(value) <= 254);
create domain app.phone as text constraint phone_is_short check (length(value) <= 50);
create domain app.url as text constraint url_is_web check (value ~* '^https?://' and length(value) <= 2000);
create domain app.textarea as text;
create domain app.recurrence as text constraint recurrence_is_a_rule check (value ~ '^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)' and length(value) <= 8000);
comment on constraint email_has_at on domain app.email is 'This is not an e-mail address.';
comment on constraint phone_is_short on domain app.phone is 'A phone number has at most 50 characters.';
comment on constraint url_is_web on domain app.url is 'A web address starts with http:// or https://.';
comment on constraint recurrence_is_a_rule on domain app.recurrence is 'Write a recurrence as FREQ=WEEKLY;BYDAY=MO,WE.';

create table app.currencies (
    code    text primary key check (code ~ '^[A-Z]{3}$'),
    name    text not null,
    digits  smallint not null check (digits between 0 and 4)
);
comment on table app.currencies is 'ISO 4217: what a currency is called and how many digits its amounts have.';

create function app.digits(currency text) returns smallint language plpgsql stable set search_path = pg_catalog as $$
begin
    return (select c.digits from app.currencies c where c.code = currency);
end $$;

-- Typed reads of a custom field: null when the value has another type, exactly as the evaluator in memory does.
create function app.j_text(doc jsonb, key text) returns text language sql immutable parallel safe
return case jsonb_typeof(doc -> key) when 'string' then doc ->> key end;
create function app.j_number(doc jsonb, key text) returns numeric language sql immutable parallel safe
return case jsonb_typeof(doc -> key) when 'number' then (doc ->> key)::numeric end;
create function app.j_bool(doc jsonb, key text) returns boolean language sql immutable parallel safe
return case jsonb_typeof(doc -> key) when 'boolean' then (doc ->> key)::boolean end;
-- What is no date or instant is found by looking, not by trying: a caught error would be a subtransaction, which no query of
-- several workers may have.
create function app.j_date(doc jsonb, key text) returns date language plpgsql immutable parallel safe as $$
declare t text := app.j_text(doc, key); y integer; m integer; d integer;
begin
    if t !~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' then return null; end if;
    y := left(t, 4); m := substr(t, 6, 2); d := right(t, 2);
    if y < 1 or d > (case when m in (4, 6, 9, 11) then 30 when m <> 2 then 31 when y % 4 = 0 and (y % 100 <> 0 or y % 400 = 0) then 29 else 28 end) then return null; end if;
    return make_date(y, m, d);
end $$;
create function app.j_instant(doc jsonb, key text) returns timestamptz language plpgsql immutable parallel safe as $$
declare t text := app.j_text(doc, key);
begin
    if t ~ '^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-5]):[0-5]\d)$'
        and app.j_date(jsonb_build_object('d', left(t, 10)), 'd') is not null then return t::timestamptz; end if;
    return null;
end $$;
-- Written so that it stays a call: a leakproof one may be joined by under row security, what it would be replaced by may not.
create function app.j_id(doc jsonb, key text) returns uuid language plpgsql immutable parallel safe as $$
begin
    if app.j_text(doc, key) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then return doc ->> key; end if;
    return null;
end $$;
-- What the own fields of a row hold that leads to this record by this field.
create function app.j_link(key text, id uuid) returns jsonb language plpgsql immutable parallel safe as $$
begin
    return jsonb_build_object(key, id);
end $$;
create function app.j_list(doc jsonb, key text) returns text[] language plpgsql immutable parallel safe as $$
begin
    if jsonb_typeof(doc -> key) = 'array'
        and not jsonb_path_exists(doc -> key, 'strict $[*] ? (@.type() != "string" && @.type() != "null")') then return array(select jsonb_array_elements_text(doc -> key)); end if;
    return null;
end $$;

-- Text search in English and Russian at once, and word for word for names and codes. A change of it must rebuild
-- the columns made by app.searchable.
create function app.words(weight "char", content text) returns tsvector language sql immutable parallel safe
return setweight(to_tsvector('pg_catalog.simple'::regconfig, coalesce(content, ''))
              || to_tsvector('pg_catalog.english'::regconfig, coalesce(content, ''))
              || to_tsvector('pg_catalog.russian'::regconfig, coalesce(content, '')), weight);

-- Refuses with a sentence meant for the person who asked. AP001 is the code under which triggers speak.
create function app.refuse() returns trigger language plpgsql as $$
begin
    raise exception '%', tg_argv[0] using errcode = 'AP001';
end $$;
