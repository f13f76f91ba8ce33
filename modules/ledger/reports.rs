//! What is read out of the books, with the rights of whoever asks.

use kernel::{Error, Result, Tx, sql};
use serde_json::Value;
use super::id;
use uuid::Uuid;

/// The span, whose books and the currency that a report is about.
struct Span {
    /// `{"from", "to", "legal_entity_id", "currency"}`, whole.
    said: Value,
}

impl Span {
    /// `from` is the first day of the year when it is not said, `to` today; without a legal entity it is all of them together.
    async fn of(tx: &Tx, body: &Value) -> Result<Span> {
        tx.need("ledger.journal_entries", "read")?;
        for day in ["from", "to", "as_of"] {
            if body[day].as_str().is_some_and(|d| d.parse::<jiff::civil::Date>().is_err()) {
                return Err(Error::refused_at(day, "This is not a day."));
            }
        }
        // Opens them, if nobody has yet.
        let home: Option<Uuid> = tx.query_one(sql!("select ledger.home()"), &[]).await?.get(0);
        let statement = sql!(
            "select jsonb_build_object('to', q.last, 'from', coalesce(app.j_date($2, 'from'),
                 (select y.starts_on from ledger.fiscal_years y where y.organization_id = $1 and y.legal_entity_id = q.entity and q.last between y.starts_on and y.ends_on),
                 date_trunc('year', q.last)::date), 'legal_entity_id', q.asked, 'currency', coalesce($2::jsonb ->> 'currency', e.currency))
             from (select coalesce(app.j_date($2, 'to'), app.j_date($2, 'as_of'), current_date) as last, app.j_id($2, 'legal_entity_id') as asked,
                   coalesce(app.j_id($2, 'legal_entity_id'), $3::uuid) as entity) q
             join ledger.legal_entities e on e.organization_id = $1 and e.id = q.entity"
        );
        let row = tx.query_opt(statement, &[&tx.actor.organization, body, &home]).await?;
        let row = row.ok_or_else(|| Error::refused_at("legal_entity_id", "There is no such legal entity."))?;
        Ok(Span { said: row.get(0) })
    }

    /// With the rows of a report: `{…, "rows": […]}`.
    fn with(self, rows: Value) -> Value {
        let mut told = self.said;
        told["rows"] = rows;
        told
    }

    /// The rows of one statement, which gets the organization and what the span says.
    async fn rows(self, tx: &Tx, statement: &str) -> Result<Value> {
        let rows: Value = tx.query_one(statement, &[&tx.actor.organization, &self.said]).await?.get(0);
        Ok(self.with(rows))
    }

    /// The same of a statement that answers `[rows, totals]`.
    async fn rows_and_totals(self, tx: &Tx, statement: &str) -> Result<Value> {
        let mut told = self.rows(tx, statement).await?;
        let mut parts = told["rows"].take();
        told["rows"] = parts[0].take();
        told["totals"] = parts[1].take();
        Ok(told)
    }
}

/// `{"from"?, "to"?, "legal_entity_id"?, "currency"?}`: opening, debit, credit and closing of every account.
pub(super) async fn trial_balance(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let statement = sql!(
        "select coalesce(jsonb_agg(jsonb_build_object('account_id', a.id, 'code', a.code, 'name', a.name, 'kind', a.kind,
             'opening', q.opening::text, 'debit', q.debit::text, 'credit', q.credit::text, 'closing', (q.opening + q.debit - q.credit)::text) order by a.code), '[]')
         from (select x.account_id, sum(x.opening) as opening, sum(x.debit) as debit, sum(x.credit) as credit from (
                 select f.account_id, f.amount as opening, 0 as debit, 0 as credit
                 from ledger.figures('-infinity', ($2::jsonb ->> 'from')::date - 1, app.j_id($2, 'legal_entity_id'), $2::jsonb ->> 'currency', false, true) f
                 union all
                 select s.account_id, 0, s.debit, s.credit
                 from ledger.sums(($2::jsonb ->> 'from')::date, ($2::jsonb ->> 'to')::date, array(select e.id from ledger.legal_entities e where e.organization_id = $1
                     and e.currency = $2::jsonb ->> 'currency' and (app.j_id($2, 'legal_entity_id') is null or e.id = app.j_id($2, 'legal_entity_id'))), false) s
               ) x group by 1) q
         join ledger.ledger_accounts a on a.organization_id = $1 and a.id = q.account_id
         where q.opening <> 0 or q.debit <> 0 or q.credit <> 0"
    );
    span.rows(tx, statement).await
}

/// `{"account_id", "from"?, "to"?, "party_id"?, "skip"?}`: what was written on an account, 500 lines at a time, with the balance after each.
pub(super) async fn general_ledger(tx: &Tx, body: &Value) -> Result<Value> {
    let mut span = Span::of(tx, body).await?;
    let (account, party) = (id(&body["account_id"])?, optional(&body["party_id"])?);
    let skip = body["skip"].as_i64().unwrap_or_default().max(0);
    let statement = sql!(
        "with lines as (
             select l.id, l.entry_on, l.entry_id, l.debit, l.credit, l.currency, l.currency_amount, l.party_id, l.memo,
                 sum(l.debit - l.credit) over (order by l.entry_on, l.id) as balance
             from ledger.journal_entry_lines l where l.organization_id = $1 and l.account_id = $3 and l.period_id is not null and l.entry_on <= ($2::jsonb ->> 'to')::date
               and ($4::uuid is null or l.party_id = $4) and (app.j_id($2, 'legal_entity_id') is null or l.legal_entity_id = app.j_id($2, 'legal_entity_id'))
         )
         select coalesce((select sum(o.debit - o.credit) from lines o where o.entry_on < ($2::jsonb ->> 'from')::date), 0)::text,
             (select coalesce(jsonb_agg(jsonb_build_object('id', q.id, 'entry_id', q.entry_id, 'on', q.entry_on, 'number', e.number, 'description', coalesce(q.memo, e.description),
                  'party_id', q.party_id, 'party', p.name, 'debit', q.debit::text, 'credit', q.credit::text, 'currency', q.currency, 'currency_amount', q.currency_amount::text,
                  'balance', q.balance::text, 'source', e.source, 'source_id', e.source_id) order by q.entry_on, q.id), '[]')
              from (select * from lines l where l.entry_on >= ($2::jsonb ->> 'from')::date order by l.entry_on, l.id offset $5 limit 500) q
              join ledger.journal_entries e on e.organization_id = $1 and e.id = q.entry_id
              left join parties.parties p on p.organization_id = $1 and p.id = q.party_id)"
    );
    let row = tx.query_one(statement, &[&tx.actor.organization, &span.said, &account, &party, &skip]).await?;
    span.said["opening"] = row.get::<_, &str>(0).into();
    Ok(span.with(row.get(1)))
}

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
         )
         select jsonb_build_array(
             (select coalesce(jsonb_agg(jsonb_build_object('account_id', t.id, 'code', t.code, 'name', t.name, 'kind', t.kind, 'category', t.category, 'amount', t.amount::text)
                  order by array_position('{asset,liability,equity}', t.kind), t.code nulls last, t.category), '[]') from told t where t.amount <> 0),
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
         )
         select jsonb_build_array(
             (select coalesce(jsonb_agg(jsonb_build_object('account_id', f.id, 'code', f.code, 'name', f.name, 'kind', f.kind, 'category', f.category, 'amount', f.amount::text)
                  order by f.code), '[]') from figures f where f.amount <> 0),
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
               and l.entry_on between ($2::jsonb ->> 'from')::date and ($2::jsonb ->> 'to')::date and l.legal_entity_id = coalesce(app.j_id($2, 'legal_entity_id'), ledger.home())
         ), sides as (
             select a.id, a.code, a.name, case when a.category = 'fixed_asset' then 'investing' when a.category in ('loan', 'capital', 'retained_earnings') then 'financing'
                 else 'operating' end as activity, sum(l.credit - l.debit) as amount
             from moved m join ledger.journal_entry_lines l on l.organization_id = $1 and l.entry_id = m.entry_id
             join ledger.ledger_accounts a on a.organization_id = $1 and a.id = l.account_id and a.category not in ('bank', 'cash') group by 1, 2, 3, 4
         ), stood as (
             select coalesce(sum(f.amount) filter (where f.before), 0) as opening, coalesce(sum(f.amount), 0) as closing from (
                 select f.amount, true as before from ledger.figures('-infinity', ($2::jsonb ->> 'from')::date - 1, coalesce(app.j_id($2, 'legal_entity_id'), ledger.home()), $2::jsonb ->> 'currency', false, true) f
                 join money m on m.id = f.account_id
                 union all
                 select f.amount, false from ledger.figures(($2::jsonb ->> 'from')::date, ($2::jsonb ->> 'to')::date, coalesce(app.j_id($2, 'legal_entity_id'), ledger.home()), $2::jsonb ->> 'currency', false, true) f
                 join money m on m.id = f.account_id) f
         )
         select jsonb_build_array(
             (select coalesce(jsonb_agg(jsonb_build_object('account_id', s.id, 'code', s.code, 'name', s.name, 'activity', s.activity, 'amount', s.amount::text)
                  order by array_position('{operating,investing,financing}', s.activity), s.code), '[]') from sides s where s.amount <> 0),
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
    told["rows"] = Value::Null;
    for part in ["assets", "liabilities", "equity", "receivable", "payable", "working_capital"] {
        told["totals"][part] = stand["totals"][part].clone();
    }
    for part in ["opening", "closing", "operating", "investing", "financing"] {
        told["totals"][format!("cash_{part}")] = cash["totals"][part].clone();
    }
    Ok(told)
}

/// `{"from"?, "to"?, "legal_entity_id"?}`: what was taxed and the tax on it, by tax, rate and direction, by the day of supply.
pub(super) async fn tax_report(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let statement = sql!(
        "select coalesce(jsonb_agg(jsonb_build_object('direction', q.direction, 'tax_id', q.tax_id, 'tax', t.name, 'code', t.code, 'rate', q.tax_rate::text,
             'base', q.base::text, 'amount', q.tax::text) order by q.direction desc, t.code, q.tax_rate), '[]')
         from (
             select l.tax_id, l.tax_rate, case when a.kind = 'revenue' or a.purpose in ('tax_out', 'discount_given') then 'out' else 'in' end as direction,
                 sum(case when a.category = 'tax' then 0 when a.kind = 'revenue' or a.purpose = 'discount_given' then l.credit - l.debit else l.debit - l.credit end) as base,
                 sum(case when a.category <> 'tax' then 0 when a.purpose = 'tax_out' then l.credit - l.debit else l.debit - l.credit end) as tax
             from ledger.journal_entry_lines l join ledger.ledger_accounts a on a.organization_id = $1 and a.id = l.account_id
             where l.organization_id = $1 and l.tax_rate is not null and l.period_id is not null
               and coalesce(l.tax_on, l.entry_on) between ($2::jsonb ->> 'from')::date and ($2::jsonb ->> 'to')::date
               and l.legal_entity_id = coalesce(app.j_id($2, 'legal_entity_id'), ledger.home())
             group by 1, 2, 3
         ) q left join products.taxes t on t.organization_id = $1 and t.id = q.tax_id"
    );
    span.rows(tx, statement).await
}

fn optional(said: &Value) -> Result<Option<Uuid>> {
    if said.is_null() { Ok(None) } else { id(said).map(Some) }
}
