-- Drafts of one company with ten lines each, laid in as their owner: no trigger, no check of keys.
-- {organization}, {owner}, {customers_before}, {customers}, {drafts_before}, {drafts}.
set app.context = '{organization} {owner} {owner} ';
select ledger.home();
reset app.context;
set session_replication_role = replica;

insert into finance.invoices (organization_id, id, status, party_id, party_name, issued_on, due_on, payment_terms, currency, prices_include_tax, net, tax, gross,
    assigned_to, created_by, updated_by)
select '{organization}'::uuid, lpad(({drafts_before} + k)::text, 32, '0')::uuid, 'draft', lpad((1000000000000 + {customers_before} + 1 + k % {customers})::text, 32, '0')::uuid,
    'Customer ' || k % 97, current_date, current_date + 30, 'NET_30', 'USD', false, 550, 110, 660, '{owner}'::uuid, '{owner}'::uuid, '{owner}'::uuid
from generate_series(1, {drafts}::bigint) k;

insert into finance.invoice_lines (organization_id, id, invoice_id, position, name, quantity, price, tax_rate, price_includes_tax, owner_id, created_by, updated_by)
select '{organization}'::uuid, lpad((({drafts_before} + k) * 100 + l)::text, 32, '0')::uuid, lpad(({drafts_before} + k)::text, 32, '0')::uuid, l, 'Article ' || l, l, 10, 20, false,
    '{owner}'::uuid, '{owner}'::uuid, '{owner}'::uuid
from generate_series(1, {drafts}::bigint) k, generate_series(1, 10) l;

set session_replication_role = origin;
