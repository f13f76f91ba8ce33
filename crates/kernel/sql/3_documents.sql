-- What most business documents share: numbers, states, freezing, totals.

create table app.counters (
    organization_id  uuid not null,
    series           text not null,
    period           text not null default '',
    last             bigint not null default 0,
    primary key (organization_id, series, period)
);
comment on table app.counters is 'The last number given in a series.';
alter table app.counters enable row level security;

create table app.number_series (
    organization_id  uuid not null,
    series           text not null,
    pattern          text not null constraint pattern_has_digits check (pattern ~ '0'),
    primary key (organization_id, series)
);
comment on table app.number_series is 'How an organization writes its numbers: INV-{yyyy}-00000 starts anew each year.';
comment on constraint pattern_has_digits on app.number_series is 'A number pattern needs at least one 0 for the digits.';
alter table app.number_series enable row level security;

-- SO-00001, SO-00002, … per organization and without gaps: the counter's row stays locked until commit, so take it last.
create function app.next_number(series text, on_date date default current_date) returns text language plpgsql
security definer set search_path = pg_catalog as $$
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
end $$;

create table app.transitions (
    entity  text not null references app.entities,
    field   text not null,
    source  text not null,
    target  text not null,
    action  text not null,
    sort    integer not null,
    primary key (entity, source, target)
);
comment on table app.transitions is 'The only roads from one state of a record to another.';

-- select app.workflow('sales.orders', 'status', $$ draft -> confirmed : confirm … $$);
-- The first state named is where records start. An action called `auto` is for the program alone.
create function app.workflow(entity text, field text, chart text) returns void language plpgsql as $$
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
end $$;

-- Documents of the past come in through an import in the state that they had.
create function app.check_start() returns trigger language plpgsql as $$
begin
    if current_setting('app.importing', true) = 'yes' then return new; end if;
    raise exception '%', tg_argv[0] using errcode = 'AP001', column = 'status';
end $$;

create function app.check_move() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare was text := to_jsonb(old) ->> tg_argv[1]; becomes text := to_jsonb(new) ->> tg_argv[1];
begin
    if not exists (select from app.transitions where entity = tg_argv[0] and source = was and target = becomes) then
        raise exception 'A record that is % cannot become %.', replace(was, '_', ' '), replace(becomes, '_', ' ')
            using errcode = 'AP001', column = tg_argv[1];
    end if;
    return new;
end $$;

-- Outside the given states only the columns of `keep` may change, and the parts of the record not at all.
-- An after trigger, because generated columns are not there before.
create function app.editable_in(entity text, field text, open_in text[], keep text[] default '{}') returns void language plpgsql as $$
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

-- An import that is taken back takes its documents of the past with it, in the state that they came in.
create function app.check_delete() returns trigger language plpgsql as $$
begin
    if current_setting('app.importing', true) = 'yes' then return old; end if;
    raise exception '%', tg_argv[0] using errcode = 'AP001';
end $$;

create function app.check_closed() returns trigger language plpgsql as $$
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

-- The lock on the owner record makes "a line is added" and "the record is closed" happen one after the other.
create function app.check_part_closed() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare r jsonb := to_jsonb(coalesce(new, old)); state text;
begin
    if current_setting('app.importing', true) = 'yes' or current_setting('app.system', true) = 'yes' then return coalesce(new, old); end if;
    execute format('select %I from %s where organization_id = $1 and id = $2 for no key update', tg_argv[1], tg_argv[0])
        into state using (r ->> 'organization_id')::uuid, (r ->> tg_argv[3])::uuid;
    if state <> all (tg_argv[2]::text[]) then
        raise exception 'The record that this belongs to is no longer open.' using errcode = 'AP001';
    end if;
    return coalesce(new, old);
end $$;

-- select app.total('sales.orders', 'sales.order_lines', 'order_id', 'net, tax');
-- The columns of the whole are the sums of the same columns of its parts, kept row by row.
create function app.total(whole text, part text, fk text, columns text) returns void language plpgsql as $$
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
end $$;

-- One line of a document. DEFINITIONS, common rules: rounded half away from zero to the currency's digits, once per
-- line. `inclusive`: the price contains the tax, so the printed gross is kept and the tax is taken out of it.
create function app.line_gross(quantity numeric, price numeric, discount_percent numeric, discount_amount numeric, digits smallint)
returns numeric language sql immutable parallel safe
return round(quantity * price * (100 - discount_percent) / 100 - discount_amount, digits);

create function app.line_tax(amount numeric, rate numeric, inclusive boolean, digits smallint)
returns numeric language sql immutable parallel safe
return case when inclusive then amount - round(amount * 100 / (100 + rate), digits) else round(amount * rate / 100, digits) end;

create function app.line_net(amount numeric, rate numeric, inclusive boolean, digits smallint)
returns numeric language sql immutable parallel safe
return case when inclusive then round(amount * 100 / (100 + rate), digits) else amount end;

-- The table that an entity's rows are in: an organization's own ones share one.
create function app.table_of(entity text) returns regclass language sql stable
return (case when entity like 'custom.%' then 'builder.custom_records' else entity end)::regclass;

-- Who refers to a record, by any foreign key: entity and number of rows. Sees every row of the organization, so that
-- what a colleague uses is not thrown away.
create function app.users_of(of_entity text, of_id uuid) returns table (entity text, count bigint) language plpgsql stable
security definer set search_path = pg_catalog as $$
declare key record; n bigint;
begin
    for key in
        select e.name, a.attname, e.part_of from pg_constraint c
        join app.entities e on e.name::regclass = c.conrelid
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[2]
        where c.contype = 'f' and c.confrelid = app.table_of(of_entity) and cardinality(c.conkey) = 2 and a.atttypid = 'uuid'::regtype
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

-- How many rows hold this in their own fields, but for one of them. Sees every row of the organization, as users_of does.
create function app.leading_to(of_entity text, what jsonb, but uuid) returns bigint language plpgsql stable
security definer set search_path = pg_catalog as $$
declare n bigint;
begin
    execute format('select count(*) from %s where organization_id = $1 and custom @> $2 and id <> $3 and deleted_at is null%s', app.table_of(of_entity),
                   case when of_entity like 'custom.%' then format(' and entity = %L', of_entity) else '' end)
        into n using app.organization(), what, but;
    return n;
end $$;

-- Own fields that lead to one record lead to another afterwards: where two become one.
create function app.relink(of_entity text, was uuid, becomes uuid) returns void language plpgsql
security definer set search_path = pg_catalog as $$
declare f record;
begin
    perform set_config('app.system', 'yes', true);   -- closed documents change hands too
    for f in
        select x.entity, x.name from builder.custom_fields x
        where x.organization_id = app.organization() and x.type = 'relation' and x.settings ->> 'entity' = of_entity and x.deleted_at is null order by 1, 2
    loop
        execute format('update %s set custom = custom || $1 where organization_id = $2 and custom <> ''{}'' and custom @> $3%s', app.table_of(f.entity),
                       case when f.entity like 'custom.%' then format(' and entity = %L', f.entity) else '' end)
            using app.j_link(f.name, becomes), app.organization(), app.j_link(f.name, was);
    end loop;
    perform set_config('app.system', '', true);
end $$;
