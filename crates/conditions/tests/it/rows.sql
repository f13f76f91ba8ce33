create temp table r (
    nr bigint primary key,
    text text, text2 text, number numeric, number2 numeric, date date, date2 date, instant timestamptz, instant2 timestamptz,
    bool boolean, bool2 boolean, id uuid, id2 uuid, list text[], list2 text[], json jsonb, json2 jsonb, doc jsonb
);
create temp table lines (parent bigint, nr bigint, text text, text2 text, number numeric, number2 numeric, date date, date2 date,
    instant timestamptz, instant2 timestamptz, bool boolean, bool2 boolean, id uuid, id2 uuid, list text[], list2 text[], json jsonb, json2 jsonb, doc jsonb);
-- The typed reads of custom fields, as the kernel has them: null when the value has another type.
create function pg_temp.j_text(doc jsonb, key text) returns text language sql immutable
return case jsonb_typeof(doc -> key) when 'string' then doc ->> key end;
create function pg_temp.j_number(doc jsonb, key text) returns numeric language sql immutable
return case jsonb_typeof(doc -> key) when 'number' then (doc ->> key)::numeric end;
create function pg_temp.j_bool(doc jsonb, key text) returns boolean language sql immutable
return case jsonb_typeof(doc -> key) when 'boolean' then (doc ->> key)::boolean end;
create function pg_temp.j_json(doc jsonb, key text) returns jsonb language sql immutable
return doc -> key;
create function pg_temp.j_date(doc jsonb, key text) returns date language plpgsql immutable as $$
declare t text := pg_temp.j_text(doc, key);
begin
    if t ~ '^\d{4}-\d{2}-\d{2}$' then return make_date(left(t, 4)::int, substr(t, 6, 2)::int, right(t, 2)::int); end if;
    return null;
exception when others then return null;
end $$;
create function pg_temp.j_instant(doc jsonb, key text) returns timestamptz language plpgsql immutable as $$
declare t text := pg_temp.j_text(doc, key);
begin
    if t ~ '^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$' then return t::timestamptz; end if;
    return null;
exception when others then return null;
end $$;
create function pg_temp.j_id(doc jsonb, key text) returns uuid language sql immutable
return case when pg_temp.j_text(doc, key) ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then (doc ->> key)::uuid end;
create function pg_temp.j_list(doc jsonb, key text) returns text[] language plpgsql immutable as $$
begin
    if jsonb_typeof(doc -> key) = 'array' and not jsonb_path_exists(doc -> key, 'strict $[*] ? (@.type() != "string" && @.type() != "null")') then
        return array(select jsonb_array_elements_text(doc -> key));
    end if;
    return null;
end $$;
