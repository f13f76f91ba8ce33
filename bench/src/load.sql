-- N companies with customers, orders and three lines an order, laid in as their owner: no trigger, no check of keys.
-- {sizes} is `organization, member, orders, customers` as values; ids are counted through, so that others can name them.
set session_replication_role = replica;

create temporary table sizes as
select o.organization, o.member, o.orders, o.customers,
    sum(o.orders) over (order by o.n) - o.orders as orders_before, sum(o.customers) over (order by o.n) - o.customers as customers_before
from (values {sizes}) o (n, organization, member, orders, customers);

insert into parties.parties (organization_id, id, number, name, is_customer, email, country, currency, assigned_to, created_by, updated_by)
select s.organization, lpad((1000000000000 + s.customers_before + k)::text, 32, '0')::uuid, 'P-' || lpad(k::text, greatest(5, length(k::text)), '0'),
    'Customer ' || k || ' of ' || (array['Almaty', 'Venice', 'Lisbon', 'Osaka', 'Bergen'])[1 + k % 5], true,
    'customer' || k || '@example.test', 'US', 'USD', s.member, s.member, s.member
from sizes s, generate_series(1, s.customers) k;

insert into sales.orders (organization_id, id, number, customer_id, customer_reference, status, ordered_on, currency, ship_name, ship_city, ship_country,
    bill_name, net, tax, gross, quantity, assigned_to, created_by, updated_by, created_at)
select s.organization, lpad((s.orders_before + k)::text, 32, '0')::uuid, 'SO-' || lpad(k::text, greatest(5, length(k::text)), '0'),
    lpad((1000000000000 + s.customers_before + 1 + (k * 7919) % s.customers)::text, 32, '0')::uuid,
    case when k % 3 = 0 then 'PO ' || k end,
    (array['draft', 'confirmed', 'processing', 'shipped', 'delivered'])[1 + k % 5],
    current_date - ((s.orders - k) * 1000 / s.orders)::integer, 'USD', 'Customer ' || k % 97, 'Almaty', 'KZ', 'Customer ' || k % 97,
    6 * p, 1.2 * p, 7.2 * p, 6, s.member, s.member, s.member, now() - make_interval(secs => s.orders - k)
from sizes s, generate_series(1, s.orders) k, lateral (select (k % 900 + 10)::numeric as p) price;

insert into sales.order_lines (organization_id, id, order_id, position, code, name, unit, quantity, price, tax_rate, price_includes_tax, owner_id, created_by, updated_by)
select s.organization, lpad((2000000000000 + (s.orders_before + k) * 4 + l)::text, 32, '0')::uuid, lpad((s.orders_before + k)::text, 32, '0')::uuid,
    l, 'A-' || k % 50, 'Article ' || k % 50, 'pcs', 2, (k % 900 + 10), 20, false, s.member, s.member, s.member
from sizes s, generate_series(1, s.orders) k, generate_series(1, 3) l;

insert into app.counters (organization_id, series, last) select organization, 'SO', orders from sizes union all select organization, 'P', customers from sizes;

set session_replication_role = origin;
vacuum (analyze, parallel 0);
