//! What people do with budgets besides moving them. What must hold is said in schema.sql.

use kernel::{Error, Result, Tx, sql, id};
use serde_json::{Value, json};
use uuid::Uuid;

const BUDGETS: &str = "budgets.budgets";

kernel::rules! {}

kernel::actions! {
    revise budgets.budgets: revise;
}

kernel::calls! {
    variance: variance;
}

/// `{"effective_on"?, "reason"?}`: a copy to be changed, which takes the place of this one from that day on.
async fn revise(tx: &Tx, budget: &Value, body: &Value) -> Result<Value> {
    let from = date(body, "effective_on")?.map(|d| d.to_string());
    let statement = sql!("select budgets.revise($1, $2, $3::text::date)");
    let made = tx.query_one(statement, &[&id(&budget["id"])?, &body["reason"].as_str(), &from]).await?;
    let made: Uuid = made.get(0);
    tx.changed(BUDGETS, made, 1, "create");
    Ok(json!({ "entity": BUDGETS, "id": made }))
}

/// DEFINITIONS 1: `{"budget": id, "from"?, "to"?, "as_of"?, "by"?: "line" | "month"}`; else the whole year of the budget, as of
/// today, line by line. Amounts are texts in the currency of the company; parts in percent are null where nothing was planned.
async fn variance(tx: &Tx, body: &Value) -> Result<Value> {
    let budget = id(&body["budget"])?;
    let by = body["by"].as_str().unwrap_or("line");
    if !matches!(by, "line" | "month") {
        return Err(Error::malformed_at("by", "Either line or month."));
    }
    // Under the rights of who asks; the figures themselves come of everything.
    let sql = sql!(
        "select b.year_starts_on::text, (b.year_starts_on + interval '1 year' - interval '1 day')::date::text, b.currency, b.name, b.revision
         from budgets.budgets b where b.organization_id = $1 and b.id = $2"
    );
    let row = tx.query_opt(sql, &[&tx.actor.organization, &budget]).await?.ok_or(Error::NotFound)?;
    let today = jiff::Timestamp::now().to_zoned(tx.actor.zone.clone()).date();
    let day = |name: &str, otherwise: String| Ok::<_, Error>(date(body, name)?.map_or(otherwise, |d| d.to_string()));
    let (from, to) = (day("from", row.get(0))?, day("to", row.get(1))?);
    let as_of = day("as_of", today.to_string())?;
    if from > to {
        return Err(Error::malformed_at("to", "The end is before the start."));
    }
    // Each row says where its figures are: in the books on its accounts, or among the uses of its category.
    let sql = sql!(
        "with recursive spans as (
             select 0 as n, $2::text::date as starts, $3::text::date as ends
             union all
             select m::integer, greatest($2::text::date, d::date), least($3::text::date, (d + interval '1 month' - interval '1 day')::date)
             from generate_series(date_trunc('month', $2::text::timestamp), $3::text::timestamp, interval '1 month') with ordinality x (d, m) where $5::text = 'month'
         ), lines as (
             select s.n, s.starts, s.ends, v.*, v.planned - v.actual - v.committed as available, case when v.income then v.actual - v.planned else v.planned - v.actual end as variance,
                 v.actual + v.committed as used, v.actual + v.committed + v.remaining as forecast
             from spans s, budgets.variance($1, s.starts, s.ends, $4::text::date) with ordinality v (account_id, account, category_code, income, planned, actual, committed, remaining, place)
         ), under (line, id) as (
             select l.account_id, l.account_id from lines l where l.n = 0 and l.account_id is not null
             union
             select u.line, a.id from under u join ledger.ledger_accounts a on a.organization_id = $6 and a.parent_id = u.id
         ), places (id) as (
             select b.dimension_id from budgets.budgets b where b.organization_id = $6 and b.id = $1 and b.dimension_id is not null
             union
             select d.id from places p join ledger.dimensions d on d.organization_id = $6 and d.parent_id = p.id
         ), told as (
             select l.*, b.scope, max(l.place) filter (where l.n = 0) over (partition by l.account_id, l.category_code) as at, (select jsonb_agg(u.id order by u.id) from under u where u.line = l.account_id) as accounts,
                 (select jsonb_agg(p.id order by p.id) from places p) as dimensions
             from lines l, budgets.budgets b where b.organization_id = $6 and b.id = $1
         )
         select coalesce(jsonb_agg(jsonb_build_object('key', concat_ws('/', coalesce(l.account_id::text, l.category_code), nullif(l.n, 0)), 'level', least(l.n, 1),
                 'account_id', case when l.n = 0 then l.account_id end, 'account', case when l.n = 0 then coalesce(nullif(l.account, ''), l.category_code) else to_char(l.starts, 'YYYY-MM') end,
                 'category_code', l.category_code, 'income', l.income,
                 'planned', trim_scale(l.planned)::text, 'actual', trim_scale(l.actual)::text, 'committed', trim_scale(l.committed)::text,
                 'available', trim_scale(l.available)::text, 'variance', trim_scale(l.variance)::text,
                 'variance_pct', round(100 * l.variance / nullif(l.planned, 0), 2)::text, 'burn', round(100 * l.actual / nullif(l.planned, 0), 2)::text,
                 'forecast', trim_scale(l.forecast)::text,
                 'status', case when l.income then 'ok' when l.used > l.planned then 'over' when l.used >= 0.9 * l.planned and l.used > 0 then 'warn' else 'ok' end,
                 'starts', l.starts, 'until', least(l.ends, $4::text::date), 'places', case when l.scope = 'dimension' then l.dimensions end, 'accounts', l.accounts,
                 'on_accounts', case when l.scope = 'organization' then l.accounts end, 'at_places', case when l.scope = 'dimension' then l.accounts end,
                 'category', case when l.scope = 'organization' then l.category_code end) order by l.at, l.n), '[]'),
             md5(coalesce(string_agg(concat_ws('|', l.account_id, l.category_code, l.n, l.planned, l.actual, l.committed), ',' order by l.at, l.n), ''))
         from told l"
    );
    let answer = tx.query_one(sql, &[&budget, &from, &to, &as_of, &by, &tx.actor.organization]).await?;
    Ok(json!({
        "budget": budget, "about": row.get::<_, &str>(3), "revision": row.get::<_, i32>(4), "from": from, "to": to, "as_of": as_of, "by": by,
        "currency": row.get::<_, Option<&str>>(2), "rows": answer.get::<_, Value>(0), "inputs_hash": answer.get::<_, &str>(1),
    }))
}

fn date(body: &Value, name: &str) -> Result<Option<jiff::civil::Date>> {
    match &body[name] {
        Value::Null => Ok(None),
        said => {
            let day = said.as_str().and_then(|s| s.parse().ok());
            day.map(Some).ok_or_else(|| Error::malformed_at(name, "This is not a date."))
        }
    }
}
