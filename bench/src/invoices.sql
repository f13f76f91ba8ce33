-- A million invoices of one company over two years, nine in ten of them paid, laid in as their owner: no trigger, no check of
-- keys. {organization}, {owner}, {customers_before}, {customers}, {invoices}.
set app.context = '{organization} {owner} {owner} ';
select ledger.home();
reset app.context;
set session_replication_role = replica;

insert into finance.invoices (organization_id, id, number, status, party_id, party_name, issued_on, due_on, payment_terms, currency, exchange_rate, prices_include_tax,
    net, tax, gross, paid, legal_entity_id, base_gross, base_settled, relieved, assigned_to, created_by, updated_by)
select '{organization}'::uuid, lpad((3000000000000 + k)::text, 32, '0')::uuid, 'INV-' || lpad(k::text, 7, '0'), case when k % 10 = 0 then 'sent' else 'paid' end,
    lpad((1000000000000 + {customers_before} + 1 + (k * 7919) % {customers})::text, 32, '0')::uuid, 'Customer ' || k % 97,
    current_date - d.days, current_date - d.days + 30, 'NET_30', 'USD', 1, false, p.price, 0.2 * p.price, 1.2 * p.price, q.paid, e.id, 1.2 * p.price, q.paid, q.paid,
    '{owner}'::uuid, '{owner}'::uuid, '{owner}'::uuid
from generate_series(1, {invoices}::bigint) k
cross join lateral (select (({invoices} - k) * 730 / {invoices})::integer as days) d
cross join lateral (select (k % 900 + 10)::numeric as price) p
cross join lateral (select case when k % 10 = 0 then 0 else 1.2 * p.price end as paid) q
cross join (select id from ledger.legal_entities where organization_id = '{organization}') e;

insert into finance.payments (organization_id, id, number, party_id, status, amount, currency, exchange_rate, base_amount, base_allocated, legal_entity_id, paid_on, allocated,
    completed_at, created_by, updated_by)
select i.organization_id, i.id, 'PAY-' || i.number, i.party_id, 'completed', i.gross, 'USD', 1, i.gross, i.gross, i.legal_entity_id,
    least(i.issued_on + 1 + (hashtext(i.number) & 63), current_date), i.gross, now(), '{owner}'::uuid, '{owner}'::uuid
from finance.invoices i where i.organization_id = '{organization}' and i.status = 'paid';

insert into finance.payment_allocations (organization_id, id, payment_id, invoice_id, amount, allocated_on, base_invoice, base_payment, counts_on, paid_on, issued_on, owner_id, created_by, updated_by)
select p.organization_id, p.id, p.id, i.id, p.amount, p.paid_on, p.amount, p.amount, p.paid_on, p.paid_on, i.issued_on, '{owner}'::uuid, '{owner}'::uuid, '{owner}'::uuid
from finance.payments p join finance.invoices i on i.organization_id = p.organization_id and i.id = p.id where p.organization_id = '{organization}';

set session_replication_role = origin;
