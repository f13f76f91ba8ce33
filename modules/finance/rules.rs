//! What people do with invoices and payments besides moving them. What must hold is said in schema.sql.

mod aging;

use kernel::{Error, Result, Tx, sql, id};
use records::approvals::go_on;
use serde_json::{Value, json};
use uuid::Uuid;

const INVOICES: &str = "finance.invoices";
const PAYMENTS: &str = "finance.payments";
const WRITE_OFFS: &str = "finance.write_offs";

kernel::rules! {
    After create finance.invoices: book_imported;
    After create finance.payments: may_use_method;
    After update finance.payments: may_use_method;
    Before post finance.invoices: prepare;
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
    invoice crm.deals: invoice_deal;
    reject finance.payments: reject;
    return finance.payments: send_back;
    reverse finance.payments: reverse;
}

kernel::calls! {
    invoice_aging: aging::invoice_aging;
}

/// `{"lines"?: [{"id", "quantity"?}], "issued_on"?, "due_on"?, "post"?: true}`: what is not invoiced yet, as a draft.
async fn invoice_order(tx: &Tx, order: &Value, body: &Value) -> Result<Value> {
    let made = tx
        .query_one(sql!("select finance.invoice_order($1, $2)"), &[&id(&order["id"])?, body])
        .await?;
    drafted(tx, made.get(0), body).await
}

async fn drafted(tx: &Tx, invoice: Uuid, body: &Value) -> Result<Value> {
    if body["post"] == true { post(tx, invoice).await } else { Ok(made_of(tx, INVOICES, invoice)) }
}

/// `{"issued_on"?, "due_on"?, "post"?: true}`: all of the deal, as a draft.
async fn invoice_deal(tx: &Tx, deal: &Value, body: &Value) -> Result<Value> {
    let made = tx.query_one(sql!("select finance.invoice_deal($1, $2)"), &[&id(&deal["id"])?, body]).await?;
    drafted(tx, made.get(0), body).await
}

/// `{"lines": [{"id", "quantity"?}]}` or `{"amount"}` or nothing, which is all that is left; with a `reason`.
async fn credit(tx: &Tx, invoice: &Value, body: &Value) -> Result<Value> {
    let made =
        tx.query_one(sql!("select finance.credit($1, $2)"), &[&id(&invoice["id"])?, body]).await?;
    post(tx, made.get(0)).await
}

/// Posted at once, or a draft that waits where a rule of the company wants it approved.
async fn post(tx: &Tx, invoice: Uuid) -> Result<Value> {
    go_on(tx, INVOICES, invoice, "post", sql!("select finance.post($1)")).await
}

/// It counts at once, unless somebody is to verify it, or a rule of the company wants it approved.
async fn complete(tx: &Tx, payment: Uuid) -> Result<Value> {
    let at_once = tx.query_one(sql!("select finance.counts_at_once($1)"), &[&payment]).await?;
    if !at_once.get::<_, bool>(0) {
        return Ok(made_of(tx, PAYMENTS, payment));
    }
    go_on(tx, PAYMENTS, payment, "complete", sql!("select finance.complete($1)")).await
}

/// `{"amount"?, "method"?, "paid_on"?, "reference"?, "transaction_id"?}`: payment and allocation at once.
async fn pay(tx: &Tx, invoice: &Value, body: &Value) -> Result<Value> {
    known(body, "method", &["CASH", "BANK_TRANSFER", "CARD", "CHECK", "OTHER"])?;
    let made =
        tx.query_one(sql!("select finance.pay($1, $2)"), &[&id(&invoice["id"])?, body]).await?;
    complete(tx, made.get(0)).await
}

/// `{"amount"?, "method"?, "paid_on"?, "transaction_id"?, "cheque_number"?, "bank_reference"?}`: where payments are
/// verified it waits for its receipt.
async fn pay_deal(tx: &Tx, deal: &Value, body: &Value) -> Result<Value> {
    known(body, "method", &["CASH", "BANK_TRANSFER", "CARD", "CHECK", "OTHER"])?;
    let made = sql!("select finance.pay_deal($1, $2)");
    complete(tx, tx.query_one(made, &[&id(&deal["id"])?, body]).await?.get(0)).await
}

/// What a file brings in as posted is in the books at once.
async fn book_imported(tx: &Tx, invoice: &Value) -> Result<()> {
    if !invoice["number"].is_null() {
        tx.query(sql!("select finance.book_imported($1)"), &[&id(&invoice["id"])?]).await?;
    }
    Ok(())
}

/// A payment method is for the roles that it names, or for everybody where it names none.
async fn may_use_method(tx: &Tx, payment: &Value) -> Result<()> {
    if payment["payment_method_id"].is_null() {
        return Ok(());
    }
    let roles = sql!("select m.roles from finance.payment_methods m where m.organization_id = $1 and m.id = $2");
    let row = tx.query_opt(roles, &[&tx.actor.organization, &id(&payment["payment_method_id"])?]).await?;
    let roles: Vec<String> = row.ok_or(Error::NotFound)?.get(0);
    let access = &tx.actor.access;
    if roles.is_empty() || access.is_admin() || access.roles.iter().any(|r| roles.contains(r)) {
        return Ok(());
    }
    Err(Error::Forbidden("This payment method is for other roles.".into()))
}

/// Without a day it is issued today; lines that were written on a day of another rate follow.
async fn prepare(tx: &Tx, invoice: &Value) -> Result<()> {
    tx.query(sql!("select finance.prepare($1)"), &[&id(&invoice["id"])?]).await?;
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
    complete(tx, tx.query_one(made, &[&id(&payment["id"])?, body]).await?.get(0)).await
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
