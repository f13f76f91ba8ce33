//! Everything that holds for products is said in schema.sql.

use kernel::{Error, Result, Tx, sql};
use serde_json::{Value, json};
use uuid::Uuid;

kernel::rules! {}

kernel::actions! {}

kernel::calls! {
    tax_rate: tax_rate;
    taxes_of_the_day: taxes_of_the_day;
}

/// How high a tax is on a day: `{"tax": id, "on": "2026-01-01"}`; null when it has no rate then.
async fn tax_rate(tx: &Tx, body: &Value) -> Result<Value> {
    let tax = body["tax"].as_str().and_then(|s| s.parse::<Uuid>().ok());
    let tax = tax.ok_or_else(|| Error::malformed_at("tax", "Say which tax, by its id."))?;
    let on = body["on"].as_str().and_then(|s| s.parse::<jiff::civil::Date>().ok());
    let on = on.ok_or_else(|| Error::malformed_at("on", "Say for which day: 2026-01-31."))?;
    let rate = sql!("select trim_scale(products.tax_rate($1, $2::text::date))::text");
    let rate: Option<String> = tx.query_one(rate, &[&tax, &on.to_string()]).await?.get(0);
    Ok(json!({ "rate": rate }))
}

/// `{"as_of"?}`: how high each tax is on a day, since when, and what comes next.
async fn taxes_of_the_day(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need("products.taxes", "read")?;
    let said = body["as_of"].as_str();
    if said.is_some_and(|day| day.parse::<jiff::civil::Date>().is_err()) {
        return Err(Error::refused_at("as_of", "This is not a day."));
    }
    let statement = sql!(
        "select jsonb_build_object('as_of', q.day, 'currency', parties.home_currency($1), 'inputs_hash', md5(concat_ws('|', $1::uuid, q.day)),
             'rows', coalesce((select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', t.id, 'tax_id', t.id, 'tax', t.name, 'code', t.code, 'kind', t.kind,
                 'rate', trim_scale(case when t.kind in ('reverse_charge', 'withholding') then r.rate else products.tax_rate(t.id, q.day) end)::text, 'since', r.valid_from,
                 'next_rate', trim_scale(n.rate)::text, 'next_from', n.valid_from)) order by t.code)
             from products.taxes t
             left join products.tax_rates r on r.organization_id = $1 and r.tax_id = t.id and r.deleted_at is null and daterange(r.valid_from, r.valid_to, '[]') @> q.day
             left join lateral (select x.rate, x.valid_from from products.tax_rates x where x.organization_id = $1 and x.tax_id = t.id and x.deleted_at is null
                 and x.valid_from > q.day order by x.valid_from limit 1) n on true
             where t.organization_id = $1 and t.deleted_at is null), '[]'))
         from (select coalesce($2::text::date, current_date) as day) q"
    );
    Ok(tx.query_one(statement, &[&tx.actor.organization, &said]).await?.get(0))
}
