//! What is read out of the books, with the rights of whoever asks.

use kernel::{Error, Result, Tx, sql};
use serde_json::{Value, json};
use super::id;
use uuid::Uuid;

/// The span, whose books and the currency that a report is about.
pub(super) struct Span {
    /// `{"from", "to", "as_of", "legal_entity_id", "currency", "inputs_hash"}`, whole.
    pub(super) said: Value,
}

impl Span {
    /// `from` is the first day of the year when it is not said, `to` today; without a legal entity it is all of them together.
    pub(super) async fn of(tx: &Tx, body: &Value) -> Result<Span> {
        tx.need("ledger.journal_entries", "read")?;
        for day in ["from", "to", "as_of"] {
            if body[day].as_str().is_some_and(|d| d.parse::<jiff::civil::Date>().is_err()) {
                return Err(Error::refused_at(day, "This is not a day."));
            }
        }
        let home: Option<Uuid> = tx.query_one(sql!("select ledger.opened()"), &[]).await?.get(0);
        let statement = sql!(
            "select jsonb_build_object('to', q.last, 'from', coalesce(app.j_date($2, 'from'),
                 (select y.starts_on from ledger.fiscal_years y where y.organization_id = $1 and y.legal_entity_id = q.entity and q.last between y.starts_on and y.ends_on),
                 date_trunc('year', q.last)::date), 'as_of', q.last, 'legal_entity_id', q.asked, 'digits', coalesce(app.digits(coalesce($2::jsonb ->> 'currency', e.currency, parties.home_currency($1))), 2),
                 'currency', coalesce($2::jsonb ->> 'currency', e.currency, parties.home_currency($1)), 'inputs_hash', md5(concat_ws('|', $1::uuid, q.last, q.entity, $2::jsonb)))
             from (select coalesce(app.j_date($2, 'to'), app.j_date($2, 'as_of'), current_date) as last, app.j_id($2, 'legal_entity_id') as asked,
                   coalesce(app.j_id($2, 'legal_entity_id'), $3::uuid) as entity) q
             left join ledger.legal_entities e on e.organization_id = $1 and e.id = q.entity where q.asked is null or e.id is not null"
        );
        let row = tx.query_opt(statement, &[&tx.actor.organization, body, &home]).await?;
        let row = row.ok_or_else(|| Error::refused_at("legal_entity_id", "There is no such legal entity."))?;
        Ok(Span { said: row.get(0) })
    }

    /// With the rows of a report: `{…, "rows": […]}`.
    pub(super) fn with(self, rows: Value) -> Value {
        let mut told = self.said;
        told["rows"] = rows;
        told
    }

    /// The rows of one statement, which gets the organization and what the span says.
    pub(super) async fn rows(self, tx: &Tx, statement: &str) -> Result<Value> {
        let rows: Value = tx.query_one(statement, &[&tx.actor.organization, &self.said]).await?.get(0);
        Ok(self.with(rows))
    }

    /// The same of a statement that answers `[rows, totals]`.
    pub(super) async fn rows_and_totals(self, tx: &Tx, statement: &str) -> Result<Value> {
        let mut told = self.rows(tx, statement).await?;
        let mut parts = told["rows"].take();
        told["rows"] = parts[0].take();
        told["totals"] = parts[1].take();
        Ok(told)
    }
}

/// `{"from"?, "to"?, "legal_entity_id"?, "currency"?}`: opening, debit, credit and closing of every account, and their sums.
pub(super) async fn trial_balance(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let statement = sql!(
        "with figures as materialized (
             select q.account_id, q.opening, q.debit, q.credit from (
                 select x.account_id, sum(x.opening) as opening, sum(x.debit) as debit, sum(x.credit) as credit from (
                     select f.account_id, f.amount as opening, 0 as debit, 0 as credit
                     from ledger.figures('-infinity', ($2::jsonb ->> 'from')::date - 1, app.j_id($2, 'legal_entity_id'), $2::jsonb ->> 'currency', false, true) f
                     union all
                     select s.account_id, 0, s.debit, s.credit
                     from ledger.sums(($2::jsonb ->> 'from')::date, ($2::jsonb ->> 'to')::date, array(select e.id from ledger.legal_entities e where e.organization_id = $1
                         and e.currency = $2::jsonb ->> 'currency' and (app.j_id($2, 'legal_entity_id') is null or e.id = app.j_id($2, 'legal_entity_id'))), false) s
                   ) x group by 1) q
             where q.opening <> 0 or q.debit <> 0 or q.credit <> 0
         ), told as (
             select a.id, a.code, a.name, a.kind, f.opening, f.debit, f.credit
             from figures f join ledger.ledger_accounts a on a.organization_id = $1 and a.id = f.account_id
             union all
             select null, null, null, null, sum(f.opening), sum(f.debit), sum(f.credit) from figures f having count(*) > 0
         )
         select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', coalesce(t.id::text, 'total'), 'word', case when t.id is null then 'total' end,
             'role', case when t.id is null then 'result' end, 'account_id', t.id, 'account', t.code || ' ' || t.name, 'code', t.code, 'name', t.name, 'kind', t.kind,
             'opening', round(t.opening, ($2::jsonb ->> 'digits')::integer)::text, 'debit', round(t.debit, ($2::jsonb ->> 'digits')::integer)::text, 'credit', round(t.credit, ($2::jsonb ->> 'digits')::integer)::text, 'closing', round(t.opening + t.debit - t.credit, ($2::jsonb ->> 'digits')::integer)::text)) order by t.code nulls last), '[]')
         from told t"
    );
    span.rows(tx, statement).await
}

/// `{"as_of"?, "legal_entity_id"?, "currency"?}`: the chart of accounts as a tree; a heading is worth what stands under it.
pub(super) async fn chart(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let statement = sql!(
        "with recursive figures as materialized (
             select f.account_id, sum(f.amount) as amount
             from ledger.figures('-infinity', ($2::jsonb ->> 'to')::date, app.j_id($2, 'legal_entity_id'), $2::jsonb ->> 'currency', false, true) f group by 1
         ), up as (
             select a.id, a.parent_id, f.amount from figures f join ledger.ledger_accounts a on a.organization_id = $1 and a.id = f.account_id
             union all
             select a.id, a.parent_id, u.amount from up u join ledger.ledger_accounts a on a.organization_id = $1 and a.id = u.parent_id
         ), tree as (
             select a.id, a.code, a.name, a.kind, a.category, a.is_group, 0 as level, array[a.code] as place from ledger.ledger_accounts a
             where a.organization_id = $1 and a.parent_id is null and a.deleted_at is null
             union all
             select a.id, a.code, a.name, a.kind, a.category, a.is_group, t.level + 1, t.place || a.code from tree t
             join ledger.ledger_accounts a on a.organization_id = $1 and a.parent_id = t.id and a.deleted_at is null
         )
         select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', t.id, 'level', t.level, 'role', case when t.is_group then 'group' end,
             'account_id', case when not t.is_group then t.id end, 'account', t.code || ' ' || t.name, 'code', t.code, 'name', t.name, 'kind', t.kind, 'category', t.category,
             'amount', (case when t.kind in ('asset', 'expense') then s.amount else -s.amount end)::text)) order by t.place), '[]')
         from tree t left join (select u.id, sum(u.amount) as amount from up u group by 1) s on s.id = t.id"
    );
    span.rows(tx, statement).await
}

/// Lines told at a time.
const PAGE: i64 = 500;

/// `{"account_id", "from"?, "to"?, "party_id"?, "skip"?}`: what was written on an account, 500 lines at a time, with the
/// balance after each; `next` is what to skip for the rest.
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
         select round(coalesce((select sum(o.debit - o.credit) from lines o where o.entry_on < ($2::jsonb ->> 'from')::date), 0), ($2::jsonb ->> 'digits')::integer)::text,
             (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', q.id, 'id', q.id, 'entry_id', q.entry_id, 'on', q.entry_on, 'number', e.number,
                  'description', coalesce(q.memo, e.description), 'party_id', q.party_id, 'party', p.name, 'debit', round(nullif(q.debit, 0), ($2::jsonb ->> 'digits')::integer)::text, 'credit', round(nullif(q.credit, 0), ($2::jsonb ->> 'digits')::integer)::text,
                  'in_currency', q.currency, 'currency_amount', q.currency_amount::text, 'balance', round(q.balance, ($2::jsonb ->> 'digits')::integer)::text, 'source', e.source, 'source_id', e.source_id))
                  order by q.entry_on, q.id), '[]')
              from (select * from lines l where l.entry_on >= ($2::jsonb ->> 'from')::date order by l.entry_on, l.id offset $5 limit $6) q
              join ledger.journal_entries e on e.organization_id = $1 and e.id = q.entry_id
              left join parties.parties p on p.organization_id = $1 and p.id = q.party_id),
             (select a.code || ' ' || a.name from ledger.ledger_accounts a where a.organization_id = $1 and a.id = $3)"
    );
    let row = tx.query_one(statement, &[&tx.actor.organization, &span.said, &account, &party, &skip, &PAGE]).await?;
    let opening: &str = row.get(0);
    let mut rows: Value = row.get(1);
    span.said["opening"] = opening.into();
    span.said["about"] = row.get::<_, Option<&str>>(2).into();
    if let Value::Array(lines) = &mut rows {
        if i64::try_from(lines.len()).is_ok_and(|n| n == PAGE) {
            span.said["next"] = (skip + PAGE).into();
        }
        if skip == 0 && (!lines.is_empty() || opening.parse::<f64>().is_ok_and(|n| n != 0.0)) {
            lines.insert(0, json!({ "key": "opening", "word": "opening", "role": "result", "balance": opening }));
        }
    }
    Ok(span.with(rows))
}

pub(super) fn optional(said: &Value) -> Result<Option<Uuid>> {
    if said.is_null() { Ok(None) } else { id(said).map(Some) }
}
