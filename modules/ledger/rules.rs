//! What people do in the books besides writing entries. What must hold is said in schema.sql.

mod rates;
mod reports;
mod statements;
mod taxes;

use kernel::{Result, Tx, sql, id};
use serde_json::{Value, json};
use uuid::Uuid;

const ENTRIES: &str = "ledger.journal_entries";

kernel::rules! {}

kernel::actions! {
    reverse ledger.journal_entries: reverse;
    revalue ledger.legal_entities: revalue;
}

kernel::calls! {
    trial_balance: reports::trial_balance;
    general_ledger: reports::general_ledger;
    balance_sheet: statements::balance_sheet;
    profit_and_loss: statements::profit_and_loss;
    cash_flow: statements::cash_flow;
    financial_summary: statements::financial_summary;
    chart: reports::chart;
    tax_report: taxes::tax_report;
    tax_entries: taxes::tax_entries;
    currencies: rates::currencies;
    import_rates: import_rates;
}

/// `{"reversed_on"?, "reason"?}`: the same entry the other way round, today or on that day.
async fn reverse(tx: &Tx, entry: &Value, body: &Value) -> Result<Value> {
    let statement = sql!("select ledger.reverse($1, coalesce(app.j_date($2, 'reversed_on'), current_date), $2::jsonb ->> 'reason')");
    let made: Uuid = tx.query_one(statement, &[&id(&entry["id"])?, body]).await?.get(0);
    tx.changed(ENTRIES, made, 1, "create");
    Ok(json!({ "entity": ENTRIES, "id": made }))
}

/// `{"as_of"?}`: what is open in other currencies is worth what it is on that day. Answers what was gained.
async fn revalue(tx: &Tx, books: &Value, body: &Value) -> Result<Value> {
    let statement = sql!("select ledger.revalue($1, coalesce(app.j_date($2, 'as_of'), current_date))::text");
    let gained: String = tx.query_one(statement, &[&id(&books["id"])?, body]).await?.get(0);
    Ok(json!({ "gained": gained }))
}

/// `{"text": CSV, "source"?, "from"?, "after"?}`: rates of a day in each line, those of a large file a part at a time. Either `date,USD,JPY,…`, what one euro is worth, as the
/// European Central Bank publishes them, or `date,currency,per,rate`. What is there already stays. Answers how many are new.
async fn import_rates(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need("ledger.exchange_rates", "create")?;
    let text = |field: &str| body[field].as_str().unwrap_or_default();
    let after = body["after"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    let rates = rates::read(text("text"), text("from"), after)?;
    let keep = sql!(
        "with made as (
             insert into ledger.exchange_rates (currency, per, rate, valid_on, source)
             select r.currency, r.per, r.rate::numeric, r.day::date, $5
             from unnest($1::text[], $2::text[], $3::text[], $4::text[]) r (day, currency, per, rate)
             where exists (select from app.currencies c where c.code = r.currency) and exists (select from app.currencies c where c.code = r.per)
             on conflict (organization_id, currency, per, valid_on) where deleted_at is null do nothing returning 1)
         select count(*) from made"
    );
    let mut made = 0_i64;
    for some in rates.chunks(5000) {
        let column = |n: usize| some.iter().map(|r| r[n].clone()).collect::<Vec<_>>();
        let (day, currency, per, rate) = (column(0), column(1), column(2), column(3));
        made += tx.query_one(keep, &[&day, &currency, &per, &rate, &body["source"].as_str()]).await?.get::<_, i64>(0);
    }
    Ok(json!({ "read": rates.len(), "made": made }))
}
