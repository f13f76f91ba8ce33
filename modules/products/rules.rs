//! Everything that holds for products is said in schema.sql.

use kernel::{Error, Result, Tx, sql};
use serde_json::{Value, json};
use uuid::Uuid;

kernel::rules! {}

kernel::actions! {}

kernel::calls! {
    tax_rate: tax_rate;
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
