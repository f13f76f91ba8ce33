-- Taxes are of kinds; several of them together are a group, one counted on the other where it must be.
alter table products.taxes add column kind text not null default 'standard'
    check (kind in ('standard', 'reduced', 'zero', 'exempt', 'reverse_charge', 'withholding', 'group'));
comment on column products.taxes.kind is 'Reverse charge: the buyer owes it. Withholding: taken off what is paid, not put on the price. Group: several taxes at once.';

create or replace function products.check_rate() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.deleted_at is not null then return new; end if;
    perform 1 from products.taxes t where t.organization_id = new.organization_id and t.id = new.tax_id for no key update;
    if exists (select from products.taxes t where t.organization_id = new.organization_id and t.id = new.tax_id and t.kind in ('zero', 'exempt', 'group')
               and (t.kind = 'group' or new.rate > 0)) then
        raise exception 'A tax of this kind has no rate of its own.' using errcode = 'AP001', column = 'rate';
    end if;
    if exists (select from products.tax_rates r where r.organization_id = new.organization_id and r.tax_id = new.tax_id and r.id <> new.id
               and r.deleted_at is null and daterange(r.valid_from, r.valid_to, '[]') && daterange(new.valid_from, new.valid_to, '[]')) then
        raise exception 'This tax already has a rate for some of these days.' using errcode = 'AP001', column = 'valid_from';
    end if;
    return new;
end $$;

-- What a line of several taxes carries. They are counted in this order.
create table products.tax_parts (
    like app.record including all,
    tax_id       uuid not null,
    position     integer not null default 1,
    part_id      uuid not null,
    on_previous  boolean not null default false,
    constraint tax_parts_tax foreign key (organization_id, tax_id) references products.taxes on delete cascade,
    constraint tax_parts_part foreign key (organization_id, part_id) references products.taxes
);
comment on table products.tax_parts is 'One of the taxes of a group.';
comment on column products.tax_parts.position is 'Taxes are counted in this order.';
comment on column products.tax_parts.on_previous is 'Whether it is counted on the price and the taxes before it, not on the price alone.';
create unique index tax_parts_once on products.tax_parts (organization_id, tax_id, part_id) where deleted_at is null;
comment on index products.tax_parts_once is 'This tax is in the group already.';
select app.enroll_part('products.tax_parts', 'products.taxes', 'tax_id');

-- A group is made of taxes with rates, one deep; what is never taxed has no rate above nothing.
create function products.check_kind() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.kind <> 'group' and exists (select from products.tax_parts p where p.organization_id = new.organization_id and p.tax_id = new.id and p.deleted_at is null) then
        raise exception 'Only a group is made of several taxes.' using errcode = 'AP001', column = 'kind';
    end if;
    if new.kind <> all ('{standard,reduced,withholding}')
        and exists (select from products.tax_parts p where p.organization_id = new.organization_id and p.part_id = new.id and p.deleted_at is null) then
        raise exception 'A group is made of standard, reduced and withheld taxes.' using errcode = 'AP001', column = 'kind';
    end if;
    if new.kind in ('zero', 'exempt', 'group') and exists (select from products.tax_rates r where r.organization_id = new.organization_id and r.tax_id = new.id
        and r.deleted_at is null and (new.kind = 'group' or r.rate > 0)) then
        raise exception 'A tax of this kind has no rate of its own.' using errcode = 'AP001', column = 'kind';
    end if;
    return new;
end $$;
create trigger check_kind before update of kind on products.taxes for each row when (old.kind <> new.kind) execute function products.check_kind();

create function products.check_part() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.deleted_at is not null then return new; end if;
    -- The locks make a change of either's kind wait, which then sees the part.
    perform 1 from products.taxes t where t.organization_id = new.organization_id and t.id in (new.tax_id, new.part_id) order by t.id for no key update;
    if not exists (select from products.taxes t where t.organization_id = new.organization_id and t.id = new.tax_id and t.kind = 'group') then
        raise exception 'Only a group is made of several taxes.' using errcode = 'AP001', column = 'tax_id';
    end if;
    if not exists (select from products.taxes t where t.organization_id = new.organization_id and t.id = new.part_id and t.kind in ('standard', 'reduced', 'withholding')) then
        raise exception 'A group is made of standard, reduced and withheld taxes.' using errcode = 'AP001', column = 'part_id';
    end if;
    return new;
end $$;
create trigger check_part before insert or update on products.tax_parts for each row execute function products.check_part();

-- For other modules: what a tax is made of on a day, where it is not simply one rate on the price. `weight` is how much of
-- the price it comes to: 10 on a price with 5 of other tax on it is 10.5.
create function products.tax_parts_on(tax uuid, on_date date) returns table (tax_id uuid, code text, name text, kind text, rate numeric, weight numeric)
language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare here constant uuid := app.organization(); p record; before numeric := 0;
begin
    for p in
        select t.id, t.code, t.name, t.kind, r.rate::numeric as rate, q.on_previous from (
            select x.part_id, x.on_previous, x.position, x.id from products.tax_parts x where x.organization_id = here and x.tax_id = tax and x.deleted_at is null
            union all select tax, false, 0, tax
        ) q
        join products.taxes t on t.organization_id = here and t.id = q.part_id and t.kind <> all ('{group,zero,exempt}') and (t.id <> tax or t.kind in ('reverse_charge', 'withholding'))
        left join products.tax_rates r on r.organization_id = here and r.tax_id = t.id and r.deleted_at is null and daterange(r.valid_from, r.valid_to, '[]') @> on_date
        order by q.position, q.id
    loop
        tax_id := p.id; code := p.code; name := p.name; kind := p.kind; rate := p.rate;
        weight := round(case when p.on_previous then p.rate * (100 + before) / 100 else p.rate end, 6);
        if p.kind in ('standard', 'reduced') then before := before + weight; end if;
        return next;
    end loop;
end $$;

-- For other modules: how much a tax puts on a price on a day, null when it has no rate then: of a group all its taxes
-- together, nothing of what the buyer owes himself or withholds.
create or replace function products.tax_rate(tax uuid, on_date date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); what text; own numeric;
begin
    select t.kind into what from products.taxes t where t.organization_id = here and t.id = tax;
    if what = 'group' then
        -- One part without a rate is a group without one.
        return (select case when count(*) = count(p.rate) then coalesce(sum(p.weight) filter (where p.kind <> 'withholding'), 0) end from products.tax_parts_on(tax, on_date) p having count(*) > 0);
    end if;
    select r.rate into own from products.tax_rates r where r.organization_id = here and r.tax_id = tax and r.deleted_at is null and daterange(r.valid_from, r.valid_to, '[]') @> on_date;
    return case when what in ('zero', 'exempt') or what in ('reverse_charge', 'withholding') and own is not null then 0 else own end;
end $$;

-- down: groups are forgotten, and of what kind a tax is
create or replace function products.check_rate() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.deleted_at is not null then return new; end if;
    perform 1 from products.taxes t where t.organization_id = new.organization_id and t.id = new.tax_id for no key update;
    if exists (select from products.tax_rates r where r.organization_id = new.organization_id and r.tax_id = new.tax_id and r.id <> new.id
               and r.deleted_at is null and daterange(r.valid_from, r.valid_to, '[]') && daterange(new.valid_from, new.valid_to, '[]')) then
        raise exception 'This tax already has a rate for some of these days.' using errcode = 'AP001', column = 'valid_from';
    end if;
    return new;
end $$;

-- For other modules: how high a tax is on a day, null when it has no rate then.
create or replace function products.tax_rate(tax uuid, on_date date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select r.rate from products.tax_rates r where r.organization_id = app.organization() and r.tax_id = tax and r.deleted_at is null
            and daterange(r.valid_from, r.valid_to, '[]') @> on_date);
end $$;
drop function products.tax_parts_on(uuid, date);
drop trigger check_kind on products.taxes;
drop function products.check_kind();
drop table products.tax_parts;
drop function products.check_part();
delete from app.entities where name = 'products.tax_parts';
alter table products.taxes drop column kind;
