//! What people do with invoices and payments besides moving them. What must hold is said in schema.sql.

use kernel::{Error, Result, Tx, sql};
use serde_json::{Value, json};
use uuid::Uuid;

const INVOICES: &str = "finance.invoices";
const PAYMENTS: &str = "finance.payments";
const WRITE_OFFS: &str = "finance.write_offs";

kernel::rules! {
    After create finance.invoices: book_imported;
    Before post finance.invoices: date_it;
}

kernel::actions! {
    invoice sales.orders: invoice_order;
    credit finance.invoices: credit;
    pay finance.invoices: pay;
    write_off finance.invoices: write_off;
    take_back finance.write_offs: take_back;
    allocate finance.payments: allocate;
    unallocate finance.payments: unallocate;
    receipt finance.payments: receipt;
    pay crm.deals: pay_deal;
    reject finance.payments: reject;
    return finance.payments: send_back;
    reverse finance.payments: reverse;
}

kernel::calls! {
    invoice_aging: invoice_aging;
}

/// `{"lines"?: [{"id", "quantity"?}], "issued_on"?, "due_on"?, "post"?: true}`: what is not invoiced yet, as a draft.
async fn invoice_order(tx: &Tx, order: &Value, body: &Value) -> Result<Value> {
    let made = tx
        .query_one(sql!("select finance.invoice_order($1, $2)"), &[&id(&order["id"])?, body])
        .await?;
    Ok(made_of(tx, INVOICES, made.get(0)))
}

/// `{"lines": [{"id", "quantity"?}]}` or `{"amount"}` or nothing, which is all that is left; with a `reason`.
async fn credit(tx: &Tx, invoice: &Value, body: &Value) -> Result<Value> {
    let made =
        tx.query_one(sql!("select finance.credit($1, $2)"), &[&id(&invoice["id"])?, body]).await?;
    Ok(made_of(tx, INVOICES, made.get(0)))
}

/// `{"amount"?, "method"?, "paid_on"?, "reference"?, "transaction_id"?}`: payment and allocation at once.
async fn pay(tx: &Tx, invoice: &Value, body: &Value) -> Result<Value> {
    known(body, "method", &["CASH", "BANK_TRANSFER", "CARD", "CHECK", "OTHER"])?;
    let made =
        tx.query_one(sql!("select finance.pay($1, $2)"), &[&id(&invoice["id"])?, body]).await?;
    Ok(made_of(tx, PAYMENTS, made.get(0)))
}

/// `{"amount"?, "method"?, "paid_on"?, "transaction_id"?, "cheque_number"?, "bank_reference"?}`: where payments are
/// verified it waits for its receipt.
async fn pay_deal(tx: &Tx, deal: &Value, body: &Value) -> Result<Value> {
    known(body, "method", &["CASH", "BANK_TRANSFER", "CARD", "CHECK", "OTHER"])?;
    let made = sql!("select finance.pay_deal($1, $2)");
    Ok(made_of(tx, PAYMENTS, tx.query_one(made, &[&id(&deal["id"])?, body]).await?.get(0)))
}

/// What a file brings in as posted is in the books at once.
async fn book_imported(tx: &Tx, invoice: &Value) -> Result<()> {
    if !invoice["number"].is_null() {
        tx.query(sql!("select finance.book_imported($1)"), &[&id(&invoice["id"])?]).await?;
    }
    Ok(())
}

/// Without a day it is issued today; lines that were written on a day of another rate follow.
async fn date_it(tx: &Tx, invoice: &Value) -> Result<()> {
    if invoice["issued_on"].is_null() && invoice["status"] == "draft" {
        let statement = sql!("update finance.invoices set issued_on = current_date where organization_id = $1 and id = $2");
        tx.change(statement, &[&tx.actor.organization, &id(&invoice["id"])?]).await?;
    }
    Ok(())
}

/// `{"amount"?, "kind"?: "bad_debt"|"discount"|"difference", "taken_on"?, "reason"?}`: what is open is not expected any more.
async fn write_off(tx: &Tx, invoice: &Value, body: &Value) -> Result<Value> {
    known(body, "kind", &["bad_debt", "discount", "difference"])?;
    let made = sql!("select finance.write_off($1, $2)");
    Ok(made_of(tx, WRITE_OFFS, tx.query_one(made, &[&id(&invoice["id"])?, body]).await?.get(0)))
}

/// `{"reversed_on"?}`: it is expected again.
async fn take_back(tx: &Tx, write_off: &Value, body: &Value) -> Result<Value> {
    let statement = sql!(
        "update finance.write_offs set reversed_on = greatest(taken_on, coalesce(app.j_date($3, 'reversed_on'), current_date))
         where organization_id = $1 and id = $2 and reversed_on is null"
    );
    match tx.change(statement, &[&tx.actor.organization, &id(&write_off["id"])?, body]).await? {
        0 => Err(Error::refused("This has been taken back already.")),
        _ => Ok(Value::Null),
    }
}

/// `{"reason"}`.
async fn reject(tx: &Tx, payment: &Value, body: &Value) -> Result<Value> {
    refuse(tx, payment, body, "rejected").await
}

/// `{"reason"}`.
async fn send_back(tx: &Tx, payment: &Value, body: &Value) -> Result<Value> {
    refuse(tx, payment, body, "returned").await
}

async fn refuse(tx: &Tx, payment: &Value, body: &Value, status: &str) -> Result<Value> {
    let sql = sql!(
        "update finance.payments set status = $3, decision = $4 where organization_id = $1 and id = $2"
    );
    let reason = body["reason"].as_str().filter(|r| !r.trim().is_empty());
    let reason = reason.ok_or_else(|| Error::refused_at("reason", "Say why."))?;
    tx.change(sql, &[&tx.actor.organization, &id(&payment["id"])?, &status, &reason]).await?;
    Ok(Value::Null)
}

/// `{"amount"?, "reversal"?: "refund"|"chargeback"|"mistake", "reason", "paid_on"?}`: an entry that takes it back.
async fn reverse(tx: &Tx, payment: &Value, body: &Value) -> Result<Value> {
    known(body, "reversal", &["refund", "chargeback", "mistake"])?;
    let made = sql!("select finance.reverse($1, $2)");
    Ok(made_of(tx, PAYMENTS, tx.query_one(made, &[&id(&payment["id"])?, body]).await?.get(0)))
}

/// `{"allocations": [{"invoice_id", "amount"}]}` or `{"invoice_id", "amount"?}` or nothing: the oldest open invoices.
async fn allocate(tx: &Tx, payment: &Value, body: &Value) -> Result<Value> {
    let given = sql!("select trim_scale(finance.allocate($1, $2))::text");
    let given: String = tx.query_one(given, &[&id(&payment["id"])?, body]).await?.get(0);
    Ok(json!({ "allocated": given }))
}

/// `{"allocation_id"?}`: takes one back, or all. They stay, with the day.
async fn unallocate(tx: &Tx, payment: &Value, body: &Value) -> Result<Value> {
    tx.query(sql!("select finance.unallocate($1, $2)"), &[&id(&payment["id"])?, body]).await?;
    Ok(Value::Null)
}

async fn receipt(tx: &Tx, payment: &Value, _: &Value) -> Result<Value> {
    let made = tx.query_one(sql!("select finance.receipt($1)"), &[&id(&payment["id"])?]).await?;
    Ok(made_of(tx, INVOICES, made.get(0)))
}

/// DEFINITIONS 8: `{"direction"?: "out"|"in", "as_of"?, "basis"?: "due"|"issue", "buckets"?: [30, 60, 90, 120]}`.
async fn invoice_aging(tx: &Tx, body: &Value) -> Result<Value> {
    let one_of = |field: &str, first: &'static str, other: &'static str| match &body[field] {
        Value::Null => Ok(first),
        said if said == first => Ok(first),
        said if said == other => Ok(other),
        _ => Err(Error::malformed_at(field, format!("Either {first} or {other}."))),
    };
    let direction = one_of("direction", "out", "in")?;
    let basis = one_of("basis", "due", "issue")?;
    let as_of = match &body["as_of"] {
        Value::Null => jiff::Timestamp::now().to_zoned(tx.actor.zone.clone()).date(),
        said => said
            .as_str()
            .and_then(|s| s.parse().ok())
            .ok_or_else(|| Error::malformed_at("as_of", "This is not a date."))?,
    };
    let limits: Vec<i32> = match &body["buckets"] {
        Value::Null => vec![30, 60, 90, 120],
        said => said
            .as_array()
            .and_then(|days| {
                days.iter().map(|d| d.as_i64().and_then(|d| i32::try_from(d).ok())).collect()
            })
            .filter(|days: &Vec<i32>| {
                (1..=12).contains(&days.len()) && days[0] > 0 && days.is_sorted_by(|a, b| a < b)
            })
            .ok_or_else(|| {
                Error::malformed_at("buckets", "Up to twelve numbers of days, growing.")
            })?,
    };
    let aging = sql!(
        "with aged as materialized (
             select a.party_id, a.party_name, a.currency, a.not_due, a.buckets, a.unallocated, a.total, coalesce(app.digits(a.currency), 2) as digits
             from finance.invoice_aging($1, $2::text::date, $3, $4) a
         ), shown as (
             select a.party_id, a.party_name, a.currency, a.not_due, a.buckets, a.unallocated, a.total, a.digits from aged a
             union all
             select null, null, a.currency, sum(a.not_due), array(select sum(x.buckets[n]) from aged x, generate_series(1, cardinality($4::integer[]) + 1) n
                 where x.currency = a.currency group by n order by n), sum(a.unallocated), sum(a.total), a.digits from aged a group by a.currency, a.digits
         )
         select jsonb_build_object('as_of', $2::text, 'direction', $1::text, 'basis', $3::text, 'buckets', $4::integer[], 'currency', parties.home_currency(app.organization()),
             'inputs_hash', md5(concat_ws('|', app.organization(), $1, $2, $3, $4::text)),
             'columns', jsonb_build_array('party', 'currency', 'not_due')
                 || (select jsonb_agg(jsonb_build_object('name', 'aged_' || n, 'type', 'money', 'label', case when n <= cardinality($4::integer[])
                         then coalesce(($4::integer[])[n - 1], 0) + 1 || '–' || ($4::integer[])[n] else '> ' || ($4::integer[])[n - 1] end) order by n)
                     from generate_series(1, cardinality($4::integer[]) + 1) n) || jsonb_build_array('unallocated', 'total'),
             'rows', coalesce((select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', concat_ws(' ', s.party_id, s.currency), 'party_id', s.party_id, 'party', s.party_name,
                     'word', case when s.party_id is null then 'total' end, 'role', case when s.party_id is null then 'result' end, 'currency', s.currency,
                     'not_due', round(s.not_due, s.digits)::text, 'aged', (select jsonb_agg(round(b, s.digits)::text) from unnest(s.buckets) b),
                     'unallocated', round(s.unallocated, s.digits)::text, 'total', round(s.total, s.digits)::text))
                 || (select jsonb_object_agg('aged_' || q.n, round(q.b, s.digits)::text) from unnest(s.buckets) with ordinality q (b, n))
                 order by s.party_id is null, s.currency, s.total desc, s.party_name) from shown s), '[]'))"
    );
    Ok(tx.query_one(aging, &[&direction, &as_of.to_string(), &basis, &limits]).await?.get(0))
}

fn known(body: &Value, field: &str, options: &[&str]) -> Result<()> {
    if body[field].is_null() || body[field].as_str().is_some_and(|said| options.contains(&said)) {
        return Ok(());
    }
    Err(Error::malformed_at(field, format!("One of {}.", options.join(", "))))
}

fn made_of(tx: &Tx, entity: &str, id: Uuid) -> Value {
    tx.changed(entity, id, 1, "create");
    json!({ "entity": entity, "id": id })
}

fn id(said: &Value) -> Result<Uuid> {
    let id = said.as_str().and_then(|s| s.parse().ok());
    id.ok_or_else(|| Error::malformed("Say which record, by its id."))
}
