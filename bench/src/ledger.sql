-- This year of one company's books until today: entries of ten lines over all months. The last hour's are not in the balances
-- yet, which are kept every hour; a year has two thousand working hours.
-- {organization}, {owner}, {lines}.
set app.context = '{organization} {owner} {owner} ';
select ledger.open_year(ledger.home(), current_date);
reset app.context;
set session_replication_role = replica;

create temporary table entries as
select k, lpad((5000000000000 + k)::text, 32, '0')::uuid as id, p.id as period_id, p.legal_entity_id, greatest(p.starts_on, least(p.ends_on, current_date, p.starts_on + (k % 28)::integer)) as entry_on,
    (k % 900 + 10)::numeric as amount
from generate_series(1, {lines}::bigint / 10) k
join (select p.*, row_number() over (order by p.starts_on) - 1 as n, count(*) over () as of_all from ledger.fiscal_periods p
      where p.organization_id = '{organization}' and not p.is_closing and p.starts_on <= current_date) p on p.n = k % p.of_all;

insert into ledger.journal_entries (organization_id, id, number, legal_entity_id, journal_id, entry_on, status, period_id, debit, credit, source, source_id, event, created_by, updated_by)
select '{organization}'::uuid, e.id, 'J-' || e.k, e.legal_entity_id, (select j.id from ledger.journals j where j.organization_id = '{organization}' and j.kind = 'general' limit 1),
    e.entry_on, 'posted', e.period_id, 5 * e.amount, 5 * e.amount, 'bench.entries', e.id, 'posted', '{owner}'::uuid, '{owner}'::uuid
from entries e;

insert into ledger.journal_entry_lines (organization_id, id, entry_id, position, account_id, debit, credit, currency, currency_amount, entry_on, period_id, legal_entity_id, is_folded,
    owner_id, created_by, updated_by)
select '{organization}'::uuid, lpad((50000000000000 + e.k * 10 + l)::text, 32, '0')::uuid, e.id, l, a.accounts[1 + (e.k * 7 + l * 13) % array_length(a.accounts, 1)],
    case when l % 2 = 1 then e.amount else 0 end, case when l % 2 = 0 then e.amount else 0 end, 'USD', case when l % 2 = 1 then e.amount else -e.amount end,
    e.entry_on, e.period_id, e.legal_entity_id, e.k % 2000 <> 0, '{owner}'::uuid, '{owner}'::uuid, '{owner}'::uuid
from entries e cross join generate_series(0, 9) l
cross join (select array_agg(x.id order by x.code) as accounts from ledger.ledger_accounts x where x.organization_id = '{organization}' and not x.is_group) a;

insert into ledger.account_balances (organization_id, legal_entity_id, account_id, period_id, debit, credit, created_by, updated_by)
select l.organization_id, l.legal_entity_id, l.account_id, l.period_id, sum(l.debit), sum(l.credit), '{owner}'::uuid, '{owner}'::uuid
from ledger.journal_entry_lines l where l.organization_id = '{organization}' and l.is_folded group by 1, 2, 3, 4;

set session_replication_role = origin;
analyze ledger.journal_entries; analyze ledger.account_balances;
