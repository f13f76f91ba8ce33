create schema products;
comment on schema products is 'What we buy, make and sell, in which units, at which taxes.';

-- EAN-8, UPC-A, EAN-13 and GTIN-14: the digits weigh 3 and 1 in turns from the right, the last one makes the sum round.
create function products.valid_ean(barcode text) returns boolean language plpgsql immutable strict parallel safe as $$
begin
    if barcode !~ '^([0-9]{8}|[0-9]{12,14})$' then return false; end if;
    return (select sum(substr(reverse(barcode), i, 1)::integer * case when i % 2 = 0 then 3 else 1 end) % 10 = 0
            from generate_series(1, length(barcode)) i);
end $$;

create table products.units (
    like app.record including all,
    code      text not null constraint unit_has_a_code check (code ~ '\S' and length(code) <= 20),
    name      text not null constraint unit_has_a_name check (name ~ '\S' and length(name) <= 100),
    decimals  smallint not null default 0 constraint unit_decimals_are_0_to_6 check (decimals between 0 and 6)
);
comment on table products.units is 'What things are counted in: pieces, kilograms, hours.';
comment on column products.units.decimals is 'How finely a quantity may be split: 0 for pieces, 3 for kilograms.';
comment on constraint unit_has_a_code on products.units is 'A unit''s code has 1 to 20 characters.';
comment on constraint unit_has_a_name on products.units is 'A unit''s name has 1 to 100 characters.';
comment on constraint unit_decimals_are_0_to_6 on products.units is 'A unit has 0 to 6 decimals.';
create unique index units_code on products.units (organization_id, code) where deleted_at is null;
comment on index products.units_code is 'There is a unit with this code already.';
select app.enroll('products.units');

create table products.taxes (
    like app.record including all,
    code         text not null constraint tax_has_a_code check (code ~ '\S' and length(code) <= 30),
    name         text not null constraint tax_has_a_name check (name ~ '\S' and length(name) <= 100),
    country      text constraint country_has_two_letters check (country ~ '^[A-Z]{2}$'),
    description  app.textarea,
    kind         text not null default 'standard' check (kind in ('standard', 'reduced', 'zero', 'exempt', 'reverse_charge', 'withholding', 'group'))
);
comment on table products.taxes is 'A tax on what is sold. Its rate is a matter of the day, see its rates.';
comment on column products.taxes.kind is 'Reverse charge: the buyer owes it. Withholding: taken off what is paid, not put on the price. Group: several taxes at once.';
comment on constraint tax_has_a_code on products.taxes is 'A tax''s code has 1 to 30 characters.';
comment on constraint tax_has_a_name on products.taxes is 'A tax''s name has 1 to 100 characters.';
comment on constraint country_has_two_letters on products.taxes is 'A country is two capital letters, such as KZ.';
create unique index taxes_code on products.taxes (organization_id, code) where deleted_at is null;
comment on index products.taxes_code is 'There is a tax with this code already.';
select app.enroll('products.taxes');

create table products.tax_rates (
    like app.record including all,
    tax_id      uuid not null,
    valid_from  date,
    valid_to    date,
    rate        app.percent not null constraint rate_is_0_to_100 check (rate between 0 and 100),
    constraint tax_rates_tax foreign key (organization_id, tax_id) references products.taxes on delete cascade,
    constraint rate_ends_after_it_starts check (valid_to >= valid_from)
);
comment on table products.tax_rates is 'How high a tax is from one day through another.';
comment on column products.tax_rates.valid_from is 'First day; empty: always before.';
comment on column products.tax_rates.valid_to is 'Last day; empty: until further notice.';
comment on constraint rate_is_0_to_100 on products.tax_rates is 'A rate goes from 0 to 100 percent.';
comment on constraint rate_ends_after_it_starts on products.tax_rates is 'A rate cannot end before it starts.';
select app.enroll_part('products.tax_rates', 'products.taxes', 'tax_id');

-- The lock on the tax makes two rates for one day come one after the other, so that the second sees the first.
create function products.check_rate() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create trigger check_rate before insert or update on products.tax_rates for each row execute function products.check_rate();

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
create function products.tax_rate(tax uuid, on_date date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
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

create table products.categories (
    like app.record including all,
    name         text not null constraint category_has_a_name check (name ~ '\S' and length(name) <= 255),
    code         text constraint category_code_is_short check (length(code) <= 50),
    description  app.textarea,
    parent_id    uuid,
    tax_id       uuid,
    sort_order   integer not null default 0,
    is_active    boolean not null default true,
    constraint categories_parent foreign key (organization_id, parent_id) references products.categories,
    constraint categories_tax foreign key (organization_id, tax_id) references products.taxes
);
comment on table products.categories is 'A shelf of the catalogue; shelves stand in shelves.';
comment on column products.categories.tax_id is 'For the products in it that have no tax of their own.';
comment on constraint category_has_a_name on products.categories is 'A name has 1 to 255 characters.';
comment on constraint category_code_is_short on products.categories is 'A code has at most 50 characters.';
create unique index categories_code on products.categories (organization_id, code) where deleted_at is null;
comment on index products.categories_code is 'There is a category with this code already.';
select app.searchable('products.categories', 'A: name, code; C: description');
select app.enroll('products.categories');

-- Walks up and locks on its way: of two moves that would close a circle together, one waits and then sees the other.
create function products.check_tree() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create trigger check_tree before insert or update of parent_id on products.categories for each row when (new.parent_id is not null)
    execute function products.check_tree();

create table products.products (
    like app.record including all,
    sku                 text not null default app.next_number('SKU') constraint sku_is_short check (sku ~ '\S' and length(sku) <= 100),
    name                text not null constraint product_has_a_name check (name ~ '\S' and length(name) <= 500),
    kind                text not null default 'product' check (kind in ('product', 'material', 'service', 'manufactured', 'bundle', 'digital')),
    status              text not null default 'active' check (status in ('active', 'inactive', 'discontinued')),
    description         app.textarea,
    category_id         uuid,
    unit_id             uuid,
    quantity_per_unit   text,
    price               app.money not null default 0 constraint price_not_negative check (price >= 0),
    cost                app.money not null default 0 constraint cost_not_negative check (cost >= 0),
    currency            text references app.currencies,
    markup_percent      numeric generated always as (round((price - cost) * 100 / nullif(cost, 0), 2)) stored,
    tax_id              uuid,
    price_includes_tax  boolean not null default false,
    barcode             text constraint barcode_is_an_ean check (products.valid_ean(barcode)),
    track_stock         boolean not null default true,
    is_stocked          boolean not null generated always as (track_stock and kind not in ('service', 'digital', 'bundle')) stored,
    min_stock           app.quantity constraint min_stock_not_negative check (min_stock >= 0),
    max_stock           app.quantity,
    reorder_point       app.quantity constraint reorder_point_not_negative check (reorder_point >= 0),
    reorder_quantity    app.quantity constraint reorder_quantity_is_positive check (reorder_quantity > 0),
    lead_time_days      integer constraint lead_time_not_negative check (lead_time_days >= 0),
    supplier_id         uuid,
    supplier_sku        text,
    weight              app.quantity constraint weight_not_negative check (weight >= 0),
    length              app.quantity constraint length_not_negative check (length >= 0),
    width               app.quantity constraint width_not_negative check (width >= 0),
    height              app.quantity constraint height_not_negative check (height >= 0),
    color               text,
    specifications      jsonb not null default '{}' constraint specifications_are_an_object check (jsonb_typeof(specifications) = 'object'),
    workspace_id        uuid,
    tags                text[] not null default '{}',
    constraint products_category foreign key (organization_id, category_id) references products.categories,
    constraint products_unit foreign key (organization_id, unit_id) references products.units,
    constraint products_tax foreign key (organization_id, tax_id) references products.taxes,
    constraint products_supplier foreign key (organization_id, supplier_id) references parties.parties,
    constraint products_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint max_stock_above_min check (max_stock >= coalesce(min_stock, 0))
);
comment on table products.products is 'Something that is bought, made or sold: a thing, a service, a bundle.';
comment on column products.products.sku is 'Our article number.';
comment on column products.products.quantity_per_unit is 'How it is packed: 10 boxes x 30 bags.';
comment on column products.products.currency is 'Of price and cost; empty: the currency of our books.';
comment on column products.products.price_includes_tax is 'Whether the price is what the customer pays in the end.';
comment on column products.products.status is 'Inactive: not for sale. Discontinued: what is left may be sold, nothing is ordered any more.';
comment on column products.products.weight is 'Kilograms.';
comment on column products.products.is_stocked is 'Whether there is a stock of it: not of services, digital goods and bundles.';
comment on constraint sku_is_short on products.products is 'An article number has 1 to 100 characters.';
comment on constraint product_has_a_name on products.products is 'A name has 1 to 500 characters.';
comment on constraint price_not_negative on products.products is 'A price cannot be negative.';
comment on constraint cost_not_negative on products.products is 'A cost cannot be negative.';
comment on constraint products_currency_fkey on products.products is 'There is no such currency.';
comment on constraint barcode_is_an_ean on products.products is 'This is not a barcode: it needs 8, 12, 13 or 14 digits, and the last one must fit the others.';
comment on constraint min_stock_not_negative on products.products is 'A least stock cannot be negative.';
comment on constraint max_stock_above_min on products.products is 'The most in stock cannot be less than the least.';
comment on constraint reorder_point_not_negative on products.products is 'A reorder point cannot be negative.';
comment on constraint reorder_quantity_is_positive on products.products is 'A reorder quantity must be more than nothing.';
comment on constraint lead_time_not_negative on products.products is 'A lead time cannot be negative.';
comment on constraint weight_not_negative on products.products is 'A weight cannot be negative.';
comment on constraint length_not_negative on products.products is 'A length cannot be negative.';
comment on constraint width_not_negative on products.products is 'A width cannot be negative.';
comment on constraint height_not_negative on products.products is 'A height cannot be negative.';
comment on constraint specifications_are_an_object on products.products is 'Specifications are names with values.';
create unique index products_sku on products.products (organization_id, sku) where deleted_at is null;
comment on index products.products_sku is 'There is a product with this article number already.';
create unique index products_barcode on products.products (organization_id, barcode) where deleted_at is null;
comment on index products.products_barcode is 'There is a product with this barcode already.';
create index products_name on products.products (organization_id, name);
create index products_price on products.products (organization_id, price, id);
create index products_tags on products.products using gin (organization_id, tags);
select app.searchable('products.products', 'A: name, sku, barcode; B: supplier_sku; C: description');
select app.enroll('products.products');

-- For other modules: what a line about a product starts from on a day. The tax is the product's own or that of the
-- nearest category which has one, or the company's usual one. The price is null when the product has its price in another currency.
create function products.terms(product uuid, in_currency text, on_date date)
returns table (sku text, name text, unit text, decimals smallint, kind text, status text, price numeric, cost numeric, price_includes_tax boolean, tax_id uuid, tax_rate numeric)
language plpgsql stable security definer set search_path = pg_catalog as $$
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
