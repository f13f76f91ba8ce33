//! The statements: what there is, what was earned, where money went.

use super::reports::Span;
use kernel::{Result, Tx, sql};
use serde_json::{Value, json};

/// `{"as_of"?, "legal_entity_id"?, "currency"?}`: what there is, what is owed, what is left. The profit that is not closed yet
/// is a line of its own; so is what translation and the house's own business leave between its parts.
pub(super) async fn balance_sheet(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let statement = sql!(
        "with figures as materialized (
             select a.id, a.code, a.name, a.kind, a.category, sum(f.amount) as amount
             from ledger.figures('-infinity', ($2::jsonb ->> 'to')::date, app.j_id($2, 'legal_entity_id'), $2::jsonb ->> 'currency', false, true) f
             join ledger.ledger_accounts a on a.organization_id = $1 and a.id = f.account_id group by 1, 2, 3, 4, 5
         ), told as (
             select f.id, f.code, f.name, f.kind, f.category, case f.kind when 'asset' then f.amount else -f.amount end as amount
             from figures f where f.kind in ('asset', 'liability', 'equity')
             union all
             select null, null, null, 'equity', 'profit', -coalesce(sum(f.amount), 0) from figures f where f.kind in ('revenue', 'expense')
             union all
             select null, null, null, 'equity', 'translation', coalesce(sum(f.amount), 0) from figures f
         ), layout (n, kind, word) as (
             values (1, 'asset', 'assets'), (2, 'liability', 'liabilities'), (3, 'equity', 'equity')
         ), shown as (
             select y.n, 0 as level, 'group' as role, y.word, null::uuid as id, null::text as code, null::text as name, y.kind, null::text as category, sum(t.amount) as amount
             from layout y join told t on t.kind = y.kind group by 1, 4, 8
             union all
             select y.n, 1, null, case when t.id is null then t.category end, t.id, t.code, t.name, t.kind, t.category, t.amount from layout y join told t on t.kind = y.kind and t.amount <> 0
             union all
             select 4, 0, 'result', 'liabilities_and_equity', null, null, null, null, null, coalesce(sum(t.amount), 0) from told t where t.kind <> 'asset'
         )
         select jsonb_build_array(
             (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', coalesce(r.id::text, r.word), 'level', r.level, 'role', r.role, 'word', r.word, 'account_id', r.id,
                  'account', r.code || ' ' || r.name, 'code', r.code, 'name', r.name, 'kind', r.kind, 'category', r.category, 'amount', r.amount::text,
                  'from', case when r.category = 'profit' then (select min(y.starts_on) from ledger.fiscal_years y where y.organization_id = $1 and y.status <> 'closed'
                      and (app.j_id($2, 'legal_entity_id') is null or y.legal_entity_id = app.j_id($2, 'legal_entity_id'))) end))
                  order by r.n, r.level, r.code nulls last, r.word), '[]') from shown r where exists (select from told t where t.amount <> 0)),
             (select jsonb_build_object('assets', coalesce(sum(t.amount) filter (where t.kind = 'asset'), 0)::text,
                  'liabilities', coalesce(sum(t.amount) filter (where t.kind = 'liability'), 0)::text,
                  'equity', coalesce(sum(t.amount) filter (where t.kind = 'equity'), 0)::text,
                  'receivable', coalesce(sum(t.amount) filter (where t.category = 'receivable'), 0)::text,
                  'payable', coalesce(sum(t.amount) filter (where t.category = 'payable'), 0)::text,
                  'working_capital', coalesce(sum(case t.kind when 'asset' then t.amount else -t.amount end)
                      filter (where t.kind in ('asset', 'liability') and t.category not in ('fixed_asset', 'loan')), 0)::text) from told t))"
    );
    span.rows_and_totals(tx, statement).await
}

/// `{"from"?, "to"?, "legal_entity_id"?, "currency"?}`: what was earned and spent, by account, and what is left at each step.
pub(super) async fn profit_and_loss(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let statement = sql!(
        "with figures as materialized (
             select a.id, a.code, a.name, a.kind, a.category, -sum(f.amount) as amount
             from ledger.figures(($2::jsonb ->> 'from')::date, ($2::jsonb ->> 'to')::date, app.j_id($2, 'legal_entity_id'), $2::jsonb ->> 'currency', true, false) f
             join ledger.ledger_accounts a on a.organization_id = $1 and a.id = f.account_id and a.kind in ('revenue', 'expense') group by 1, 2, 3, 4, 5
         ), steps as (
             select coalesce(sum(f.amount) filter (where f.category = 'sales'), 0) as revenue,
                 coalesce(-sum(f.amount) filter (where f.category = 'cost_of_sales'), 0) as cogs,
                 coalesce(-sum(f.amount) filter (where f.category in ('operating', 'depreciation')), 0) as opex,
                 coalesce(sum(f.amount) filter (where f.category <> all ('{sales,cost_of_sales,operating,depreciation,income_tax}')), 0) as other,
                 coalesce(-sum(f.amount) filter (where f.category = 'income_tax'), 0) as tax from figures f
         ), layout (n, word, is_result) as (
             values (1, 'revenue', false), (2, 'cogs', false), (3, 'gross_margin', true), (4, 'opex', false), (5, 'operating_result', true),
                 (6, 'other', false), (7, 'income_tax', false), (8, 'net', true)
         ), told as (
             select case f.category when 'sales' then 1 when 'cost_of_sales' then 2 when 'operating' then 4 when 'depreciation' then 4 when 'income_tax' then 7 else 6 end as n, f.*
             from figures f where f.amount <> 0
         ), shown as (
             select y.n, 0 as level, case when y.is_result then 'result' else 'group' end as role, y.word, null::uuid as id, null::text as code, null::text as name,
                 null::text as kind, null::text as category, sum(t.amount) as amount
             from layout y join told t on t.n = y.n or y.is_result and t.n < y.n group by 1, 3, 4
             union all
             select t.n, 1, null, null, t.id, t.code, t.name, t.kind, t.category, t.amount from told t
         )
         select jsonb_build_array(
             (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', coalesce(r.id::text, r.word), 'level', r.level, 'role', r.role, 'word', r.word, 'account_id', r.id,
                  'account', r.code || ' ' || r.name, 'code', r.code, 'name', r.name, 'kind', r.kind, 'category', r.category, 'amount', r.amount::text))
                  order by r.n, r.level, r.code), '[]') from shown r),
             (select jsonb_build_object('revenue', s.revenue::text, 'cogs', s.cogs::text, 'gross_margin', (s.revenue - s.cogs)::text, 'opex', s.opex::text,
                  'operating_result', (s.revenue - s.cogs - s.opex)::text, 'other', s.other::text, 'income_tax', s.tax::text,
                  'net', (s.revenue - s.cogs - s.opex + s.other - s.tax)::text) from steps s))"
    );
    span.rows_and_totals(tx, statement).await
}

/// `{"from"?, "to"?, "legal_entity_id"?}`: where money came from and went to, by the other side of its entries.
pub(super) async fn cash_flow(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let statement = sql!(
        "with money as materialized (select a.id from ledger.ledger_accounts a where a.organization_id = $1 and a.category in ('bank', 'cash')),
         moved as materialized (
             select distinct l.entry_id from ledger.journal_entry_lines l where l.organization_id = $1 and l.account_id in (select m.id from money m) and l.period_id is not null
               and l.entry_on between ($2::jsonb ->> 'from')::date and ($2::jsonb ->> 'to')::date and l.legal_entity_id = coalesce(app.j_id($2, 'legal_entity_id'), ledger.opened())
         ), sides as (
             select a.id, a.code, a.name, case when a.category = 'fixed_asset' then 'investing' when a.category in ('loan', 'capital', 'retained_earnings') then 'financing'
                 else 'operating' end as activity, sum(l.credit - l.debit) as amount
             from moved m join ledger.journal_entry_lines l on l.organization_id = $1 and l.entry_id = m.entry_id
             join ledger.ledger_accounts a on a.organization_id = $1 and a.id = l.account_id and a.category not in ('bank', 'cash') group by 1, 2, 3, 4
         ), stood as (
             select coalesce(sum(f.amount) filter (where f.before), 0) as opening, coalesce(sum(f.amount), 0) as closing from (
                 select f.amount, true as before from ledger.figures('-infinity', ($2::jsonb ->> 'from')::date - 1, coalesce(app.j_id($2, 'legal_entity_id'), ledger.opened()), $2::jsonb ->> 'currency', false, true) f
                 join money m on m.id = f.account_id
                 union all
                 select f.amount, false from ledger.figures(($2::jsonb ->> 'from')::date, ($2::jsonb ->> 'to')::date, coalesce(app.j_id($2, 'legal_entity_id'), ledger.opened()), $2::jsonb ->> 'currency', false, true) f
                 join money m on m.id = f.account_id) f
         ), layout (n, activity) as (values (2, 'operating'), (3, 'investing'), (4, 'financing')
         ), shown as (
             select 1 as n, 0 as level, 'result' as role, 'opening' as word, null::uuid as id, null::text as code, null::text as name, null::text as activity, t.opening as amount from stood t
             union all
             select y.n, 0, 'group', y.activity, null, null, null, null, sum(s.amount) from layout y join sides s on s.activity = y.activity and s.amount <> 0 group by 1, 4
             union all
             select y.n, 1, null, null, s.id, s.code, s.name, s.activity, s.amount from layout y join sides s on s.activity = y.activity and s.amount <> 0
             union all
             select 5, 0, 'result', 'closing', null, null, null, null, t.closing from stood t
         )
         select jsonb_build_array(
             (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', coalesce(r.activity || r.id, r.word), 'level', r.level, 'role', r.role, 'word', r.word, 'account_id', r.id,
                  'account', r.code || ' ' || r.name, 'code', r.code, 'name', r.name, 'activity', r.activity, 'amount', r.amount::text)) order by r.n, r.level, r.code), '[]')
              from shown r, stood t where t.opening <> 0 or t.closing <> 0 or exists (select from sides s where s.amount <> 0)),
             (select jsonb_build_object('opening', t.opening::text, 'closing', t.closing::text,
                  'operating', (select coalesce(sum(s.amount), 0) from sides s where s.activity = 'operating')::text,
                  'investing', (select coalesce(sum(s.amount), 0) from sides s where s.activity = 'investing')::text,
                  'financing', (select coalesce(sum(s.amount), 0) from sides s where s.activity = 'financing')::text) from stood t))"
    );
    span.rows_and_totals(tx, statement).await
}

/// DEFINITIONS 14, from the books alone: `{"from"?, "to"?, "legal_entity_id"?, "currency"?}`.
pub(super) async fn financial_summary(tx: &Tx, body: &Value) -> Result<Value> {
    let mut told = profit_and_loss(tx, body).await?;
    let (stand, cash) = (balance_sheet(tx, body).await?, cash_flow(tx, body).await?);
    for part in ["assets", "liabilities", "equity", "receivable", "payable", "working_capital"] {
        told["totals"][part] = stand["totals"][part].clone();
    }
    for part in ["opening", "closing", "operating", "investing", "financing"] {
        told["totals"][format!("cash_{part}")] = cash["totals"][part].clone();
    }
    // Each figure leads to the report that it is out of.
    let from = |part: &str| match part {
        p if p.starts_with("cash_") => "ledger.cash_flow",
        "assets" | "liabilities" | "equity" | "receivable" | "payable" | "working_capital" => "ledger.balance_sheet",
        _ => "ledger.profit_and_loss",
    };
    let totals = told["totals"].as_object().into_iter().flatten();
    told["rows"] = totals.map(|(part, amount)| json!({ "key": part, "word": part, "amount": amount, "out_of": from(part) })).collect();
    Ok(told)
}
