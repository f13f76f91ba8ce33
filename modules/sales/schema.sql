create schema sales;
comment on schema sales is 'Orders from customers, from draft to delivery.';

create table sales.orders (
    like app.record including all,
    number              text not null default app.next_number('SO'),
    kind                text not null default 'SALES' constraint kind_is_known check (kind = any ('{SALES}')),
    customer_id         uuid not null,
    customer_reference  text,
    status              text not null,
    priority            text not null default 'normal' check (priority in ('low', 'normal', 'high', 'urgent')),
    ordered_on          date not null default current_date,
    required_on         date,
    promised_on         date,
    shipped_on          date,
    delivered_on        date,
    payment_terms       text check (payment_terms in ('PREPAYMENT', 'NET_0', 'NET_15', 'NET_30', 'NET_45', 'NET_60')),
    currency            text references app.currencies,
    exchange_rate       numeric(20,10) not null default 1 constraint exchange_rate_is_positive check (exchange_rate > 0 and exchange_rate < 'Infinity'),
    digits              smallint not null default 2,
    prices_include_tax  boolean,
    shipping_cost       app.money not null default 0 constraint shipping_not_negative check (shipping_cost >= 0),
    carrier_id          uuid,
    tracking_number     text,
    assigned_to         uuid default app.actor(),
    workspace_id        uuid,
    parent_order_id     uuid,
    contract_id         uuid,
    ship_name           text,
    ship_street         text,
    ship_city           text,
    ship_region         text,
    ship_postal_code    text,
    ship_country        text,
    bill_name           text,
    bill_street         text,
    bill_city           text,
    bill_region         text,
    bill_postal_code    text,
    bill_country        text,
    note                app.textarea,
    internal_note       app.textarea,
    tags                text[] not null default '{}',
    -- Sums of the lines.
    net                 app.money not null default 0,
    tax                 app.money not null default 0,
    gross               app.money not null default 0,
    quantity            app.quantity not null default 0,
    shipped_quantity    app.quantity not null default 0,
    delivered_quantity  app.quantity not null default 0,
    returned_quantity   app.quantity not null default 0,
    invoiced_quantity   app.quantity not null default 0,
    total               app.money generated always as (gross + shipping_cost) stored,
    -- Told by whoever takes the money: sales.add_paid, sales.add_credited.
    paid                app.money not null default 0,
    credited            app.money not null default 0,
    payment_status      text generated always as (case
                            when status = 'cancelled' then 'cancelled'
                            when paid <= 0 and credited < gross + shipping_cost or gross + shipping_cost = 0 then 'pending'
                            when paid + credited < gross + shipping_cost then 'partial' else 'paid' end) stored
                        constraint payment_status_is_known check (payment_status in ('pending', 'partial', 'paid', 'cancelled')),
    invoice_status      text generated always as (case
                            when invoiced_quantity <= 0 then 'none' when invoiced_quantity < quantity then 'partial' else 'invoiced' end) stored
                        constraint invoice_status_is_known check (invoice_status in ('none', 'partial', 'invoiced')),
    constraint orders_number unique (organization_id, number),
    constraint orders_customer foreign key (organization_id, customer_id) references parties.parties,
    constraint orders_carrier foreign key (organization_id, carrier_id) references parties.parties,
    constraint orders_assigned foreign key (organization_id, assigned_to) references iam.memberships,
    constraint orders_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint orders_parent foreign key (organization_id, parent_order_id) references sales.orders,
    constraint orders_contract foreign key (organization_id, contract_id) references parties.contracts,
    constraint order_has_a_currency check (currency is not null),
    constraint required_after_ordered check (required_on >= ordered_on),
    constraint promised_after_ordered check (promised_on >= ordered_on),
    constraint delivered_after_shipped check (delivered_on >= shipped_on),
    constraint shipping_cost_is_rounded check (shipping_cost = round(shipping_cost, digits)),
    constraint not_its_own_parent check (parent_order_id <> id)
);
comment on table sales.orders is 'What a customer asked for.';
comment on column sales.orders.customer_reference is 'What the customer calls it: the number of their purchase order.';
comment on column sales.orders.exchange_rate is 'What one unit of the order''s currency is worth in the currency of our books.';
comment on column sales.orders.digits is 'To how many digits its amounts are rounded: a matter of the currency.';
comment on column sales.orders.prices_include_tax is 'For new lines; empty: as the product says.';
comment on column sales.orders.shipping_cost is 'Freight, charged on top.';
comment on column sales.orders.paid is 'Money received less money returned.';
comment on column sales.orders.credited is 'What was let off afterwards, without taking anything back.';
comment on column sales.orders.total is 'Gross plus freight.';
comment on column sales.orders.required_on is 'When the customer needs it.';
comment on column sales.orders.promised_on is 'When we said that it would come.';
comment on column sales.orders.parent_order_id is 'The order that this one completes or makes good for.';
comment on column sales.orders.contract_id is 'The contract that it is made under.';
comment on constraint orders_number on sales.orders is 'There is an order with this number already.';
comment on constraint orders_currency_fkey on sales.orders is 'There is no such currency.';
comment on constraint exchange_rate_is_positive on sales.orders is 'An exchange rate must be more than nothing.';
comment on constraint shipping_not_negative on sales.orders is 'Freight cannot be negative.';
comment on constraint shipping_cost_is_rounded on sales.orders is 'Freight has more digits than the currency.';
comment on constraint order_has_a_currency on sales.orders is 'An order needs a currency.';
comment on constraint required_after_ordered on sales.orders is 'An order cannot be required before it is placed.';
comment on constraint promised_after_ordered on sales.orders is 'An order cannot be promised for a day before it is placed.';
comment on constraint delivered_after_shipped on sales.orders is 'An order cannot be delivered before it is shipped.';
comment on constraint not_its_own_parent on sales.orders is 'An order cannot be its own parent.';
create index orders_ordered_on on sales.orders (organization_id, ordered_on, id);
create index orders_status on sales.orders (organization_id, status, id);
select app.searchable('sales.orders', 'A: number, customer_reference; B: ship_name, bill_name, tracking_number; C: note, internal_note');

-- Fills in what the customer and the currency say, where nobody said otherwise.
create function sales.order_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create trigger defaults before insert or update of customer_id, currency on sales.orders for each row execute function sales.order_defaults();

select app.enroll('sales.orders', owner => 'assigned_to');
select app.derive('sales.orders', '{digits,paid,credited}');

create table sales.order_lines (
    like app.record including all,
    order_id            uuid not null,
    position            integer,
    product_id          uuid,
    code                text,
    name                text,
    description         app.textarea,
    unit                text,
    quantity            app.quantity not null default 1 constraint quantity_is_positive check (quantity > 0),
    price               app.money constraint line_price_not_negative check (price >= 0),
    cost                app.money,
    discount_percent    app.percent not null default 0 constraint discount_is_0_to_100 check (discount_percent between 0 and 100),
    discount_amount     app.money not null default 0 constraint discount_not_negative check (discount_amount >= 0),
    tax_id              uuid,
    tax_rate            app.percent constraint rate_is_0_to_100 check (tax_rate between 0 and 100),
    price_includes_tax  boolean,
    digits              smallint not null default 2,
    amount              app.money generated always as (app.line_gross(quantity, price, discount_percent, discount_amount, digits)) stored,
    net                 app.money generated always as (app.line_net(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)) stored,
    tax                 app.money generated always as (app.line_tax(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)) stored,
    gross               app.money generated always as (app.line_net(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)
                          + app.line_tax(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)) stored,
    margin              app.money generated always as (app.line_net(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)
                          - round(quantity * cost, digits)) stored,
    shipped_quantity    app.quantity not null default 0 constraint shipped_not_negative check (shipped_quantity >= 0),
    delivered_quantity  app.quantity not null default 0 constraint delivered_not_negative check (delivered_quantity >= 0),
    returned_quantity   app.quantity not null default 0 constraint returned_not_negative check (returned_quantity >= 0),
    invoiced_quantity   app.quantity not null default 0 constraint invoiced_not_negative check (invoiced_quantity >= 0),
    note                app.textarea,
    constraint order_lines_order foreign key (organization_id, order_id) references sales.orders on delete cascade,
    constraint order_lines_product foreign key (organization_id, product_id) references products.products,
    constraint order_lines_tax foreign key (organization_id, tax_id) references products.taxes,
    constraint line_has_a_name check (name ~ '\S' and name is not null and length(name) <= 500),
    constraint line_has_a_price check (price is not null),
    constraint discount_within_price check (app.line_gross(quantity, price, discount_percent, discount_amount, digits) >= 0),
    constraint shipped_within_quantity check (shipped_quantity <= quantity),
    constraint delivered_within_shipped check (delivered_quantity <= shipped_quantity),
    constraint returned_within_delivered check (returned_quantity <= delivered_quantity),
    constraint invoiced_within_quantity check (invoiced_quantity <= quantity)
);
comment on table sales.order_lines is 'One product of an order, as it was called and priced then.';
comment on column sales.order_lines.amount is 'Quantity times price less the discount, rounded once.';
comment on column sales.order_lines.price_includes_tax is 'Whether the price contains the tax; then gross is what was printed, and the tax is taken out of it.';
comment on column sales.order_lines.margin is 'Net less what it cost us.';
comment on constraint quantity_is_positive on sales.order_lines is 'A quantity must be more than nothing.';
comment on constraint line_price_not_negative on sales.order_lines is 'A price cannot be negative.';
comment on constraint discount_is_0_to_100 on sales.order_lines is 'A discount goes from 0 to 100 percent.';
comment on constraint discount_not_negative on sales.order_lines is 'A discount cannot be negative.';
comment on constraint rate_is_0_to_100 on sales.order_lines is 'A tax rate goes from 0 to 100 percent.';
comment on constraint shipped_not_negative on sales.order_lines is 'Less than nothing cannot be shipped.';
comment on constraint delivered_not_negative on sales.order_lines is 'Less than nothing cannot be delivered.';
comment on constraint returned_not_negative on sales.order_lines is 'Less than nothing cannot be returned.';
comment on constraint invoiced_not_negative on sales.order_lines is 'Less than nothing cannot be invoiced.';
comment on constraint line_has_a_name on sales.order_lines is 'A line needs a product, or a name of at most 500 characters.';
comment on constraint line_has_a_price on sales.order_lines is 'A line needs a price; the product has none in this currency.';
comment on constraint discount_within_price on sales.order_lines is 'A discount cannot be more than the price.';
comment on constraint shipped_within_quantity on sales.order_lines is 'No more can be shipped than was ordered.';
comment on constraint delivered_within_shipped on sales.order_lines is 'No more can be delivered than was shipped.';
comment on constraint returned_within_delivered on sales.order_lines is 'No more can be returned than was delivered.';
comment on constraint invoiced_within_quantity on sales.order_lines is 'No more can be invoiced than was ordered.';

-- Fills in what the product, the tax and the order say, where nobody said otherwise. A product's price is turned into
-- one with or without tax, as the line wants it.
create function sales.line_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create trigger defaults before insert or update on sales.order_lines for each row execute function sales.line_defaults();

select app.workflow('sales.orders', 'status', $$
    draft      -> confirmed  : confirm
    confirmed  -> processing : process
    confirmed  -> shipped    : ship
    processing -> shipped    : ship
    shipped    -> delivered  : deliver
    delivered  -> returned   : return
    draft      -> cancelled  : cancel
    confirmed  -> cancelled  : cancel
    processing -> cancelled  : cancel
    cancelled  -> draft      : reopen
$$);
select app.editable_in('sales.orders', 'status', '{draft}', keep => '{net,tax,gross,total,quantity,shipped_quantity,delivered_quantity,returned_quantity,
    invoiced_quantity,paid,credited,payment_status,invoice_status,shipped_on,delivered_on,promised_on,carrier_id,tracking_number,assigned_to,priority,note,internal_note,tags}');

-- After editable_in, which would close the lines whole: of a closed order's lines, what was shipped and invoiced still moves.
select app.enroll_part('sales.order_lines', 'sales.orders', 'order_id');
create trigger closed before insert or delete on sales.order_lines for each row
    execute function app.check_part_closed('sales.orders', 'status', '{draft}', 'order_id');
create trigger closed_update before update on sales.order_lines for each row when (
    (old.order_id, old.product_id, old.code, old.name, old.description, old.unit, old.quantity, old.price, old.cost, old.discount_percent,
     old.discount_amount, old.tax_id, old.tax_rate, old.price_includes_tax, old.deleted_at) is distinct from
    (new.order_id, new.product_id, new.code, new.name, new.description, new.unit, new.quantity, new.price, new.cost, new.discount_percent,
     new.discount_amount, new.tax_id, new.tax_rate, new.price_includes_tax, new.deleted_at))
    execute function app.check_part_closed('sales.orders', 'status', '{draft}', 'order_id');
select app.total('sales.orders', 'sales.order_lines', 'order_id',
    'net, tax, gross, quantity, shipped_quantity, delivered_quantity, returned_quantity, invoiced_quantity');
select app.derive('sales.order_lines', '{digits,shipped_quantity,delivered_quantity,returned_quantity,invoiced_quantity}');

-- The contract that an order is made under is its customer's.
create function sales.check_contract() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if coalesce(current_setting('app.system', true), '') <> 'yes' and not exists (select from parties.contracts c
        where c.organization_id = new.organization_id and c.id = new.contract_id and c.party_id = new.customer_id and c.deleted_at is null) then
        raise exception 'This contract is with somebody else.' using errcode = 'AP001', column = 'contract_id';
    end if;
    return new;
end $$;
create trigger checks_contract before insert or update of contract_id, customer_id on sales.orders for each row
    when (new.contract_id is not null) execute function sales.check_contract();

-- Another currency rounds otherwise, in the header and in every line.
create function sales.pass_digits() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update sales.order_lines l set digits = new.digits where l.organization_id = new.organization_id and l.order_id = new.id;
    return null;
end $$;
create trigger pass_digits after update on sales.orders for each row when (old.digits <> new.digits) execute function sales.pass_digits();

-- What must hold for a move, whichever way it is asked for.
create function sales.check_order() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create trigger checks before update on sales.orders for each row when (old.status is distinct from new.status) execute function sales.check_order();

-- A whole order that ships, arrives or comes back does so with all its lines.
create function sales.move_lines() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update sales.order_lines l set
        shipped_quantity = l.quantity,
        delivered_quantity = case when new.status = 'shipped' then l.delivered_quantity else l.quantity end,
        returned_quantity = case when new.status = 'returned' then l.quantity else l.returned_quantity end
    where l.organization_id = new.organization_id and l.order_id = new.id and l.deleted_at is null;
    return null;
end $$;
create trigger moves_lines after update on sales.orders for each row
    when (old.status is distinct from new.status and new.status in ('shipped', 'delivered', 'returned')) execute function sales.move_lines();

-- Reads what a request carries; what does not fit is said to whoever sent it, by the name of the field.
create function sales.read_number(body jsonb, field text) returns numeric language plpgsql immutable parallel safe as $$
declare said constant text := body ->> field;
begin
    if said is null then return null; end if;
    if said !~ '^-?[0-9]{1,14}(\.[0-9]{1,6})?$' then
        raise exception 'This is not a number.' using errcode = 'AP001', column = field;
    end if;
    return said::numeric;
end $$;
create function sales.read_id(body jsonb, field text) returns uuid language plpgsql immutable parallel safe as $$
declare said constant text := body ->> field;
begin
    if said is null then return null; end if;
    if said !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        raise exception 'This is not an id.' using errcode = 'AP001', column = field;
    end if;
    return said::uuid;
end $$;
create function sales.read_date(body jsonb, field text) returns date language plpgsql stable parallel safe as $$
declare said constant text := body ->> field;
begin
    if said is null then return null; end if;
    if said !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then raise datetime_field_overflow; end if;
    return said::date;
exception when datetime_field_overflow or invalid_datetime_format then
    raise exception 'This is not a date.' using errcode = 'AP001', column = field;
end $$;
-- The lines that a request names: their ids and how much of each, null for all that is left.
create function sales.read_lines(body jsonb) returns table (id uuid, quantity numeric) language plpgsql stable set search_path = pg_catalog as $$
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

-- Some of an order goes out, arrives or comes back: {"lines": [{"id", "quantity"}]}, a line without a quantity in full.
-- `verb` is ship, deliver or return. When that was the last of it, the order moves on.
create function sales.move_some(of_order uuid, verb text, body jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
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

-- For the modules that invoice and take money.
create function sales.add_invoiced(line uuid, more numeric) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update sales.order_lines l set invoiced_quantity = l.invoiced_quantity + more where l.organization_id = app.organization() and l.id = line;
end $$;
create function sales.add_paid(of_order uuid, more numeric) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update sales.orders o set paid = o.paid + more where o.organization_id = app.organization() and o.id = of_order;
end $$;
create function sales.add_credited(of_order uuid, more numeric) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update sales.orders o set credited = o.credited + more where o.organization_id = app.organization() and o.id = of_order;
end $$;

-- What is ordered for good and not invoiced yet, see parties.exposure.
create function sales.party_exposure(party uuid) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select coalesce(sum(round((x.open + case when x.invoiced_quantity = 0 then x.shipping_cost else 0 end) * x.exchange_rate, 2)), 0)
        from (select o.exchange_rate, o.shipping_cost, o.invoiced_quantity,
                (select coalesce(sum(l.gross * (l.quantity - l.invoiced_quantity) / l.quantity), 0) from sales.order_lines l
                 where l.organization_id = o.organization_id and l.order_id = o.id and l.deleted_at is null) as open
              from sales.orders o
              where o.organization_id = app.organization() and o.customer_id = party and o.deleted_at is null
                and o.status in ('confirmed', 'processing', 'shipped', 'delivered') and o.invoice_status <> 'invoiced') x);
end $$;
