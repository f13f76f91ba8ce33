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

/// DEFINITIONS 1: `{"budget": id, "from"?, "to"?, "as_of"?}`; else the whole year of the budget, as of today. Amounts are
/// texts in the currency of the company; parts in percent are null where nothing was planned.
async fn variance(tx: &Tx, body: &Value) -> Result<Value> {
    let budget = id(&body["budget"])?;
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
    let sql = sql!(
        "with lines as (
             select v.*, v.planned - v.actual - v.committed as available, case when v.income then v.actual - v.planned else v.planned - v.actual end as variance,
                 v.actual + v.committed as used, v.actual + v.committed + v.remaining as forecast
             from budgets.variance($1, $2::text::date, $3::text::date, $4::text::date) v
         )
         select coalesce(jsonb_agg(jsonb_build_object('account_id', l.account_id, 'account', nullif(l.account, ''), 'category_code', l.category_code, 'income', l.income,
                 'planned', trim_scale(l.planned)::text, 'actual', trim_scale(l.actual)::text, 'committed', trim_scale(l.committed)::text,
                 'available', trim_scale(l.available)::text, 'variance', trim_scale(l.variance)::text,
                 'variance_pct', round(100 * l.variance / nullif(l.planned, 0), 2)::text, 'burn', round(100 * l.actual / nullif(l.planned, 0), 2)::text,
                 'forecast', trim_scale(l.forecast)::text,
                 'status', case when l.income then 'ok' when l.used > l.planned then 'over' when l.used >= 0.9 * l.planned and l.used > 0 then 'warn' else 'ok' end)), '[]'),
             md5(coalesce(string_agg(concat_ws('|', l.account_id, l.category_code, l.planned, l.actual, l.committed), ','), ''))
         from lines l"
    );
    let answer = tx.query_one(sql, &[&budget, &from, &to, &as_of]).await?;
    Ok(json!({
        "budget": budget, "name": row.get::<_, &str>(3), "revision": row.get::<_, i32>(4), "from": from, "to": to, "as_of": as_of,
        "currency": row.get::<_, Option<&str>>(2), "lines": answer.get::<_, Value>(0), "inputs_hash": answer.get::<_, &str>(1),
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
