//! Invoices as files, out and in. What must hold is said in schema.sql.
//!
//! An exchange is reached in three steps, by whatever program stands between: the job [`DELIVER`] is queued with the id of
//! a record that was sent; the program takes the record's `content` and says `hand_over`; later it says `accept`,
//! `decline` or `revoke`. The server has one that writes files into a folder.

mod bill;
mod esf;
mod ubl;
mod xml;

use kernel::{Error, Result, Tx, sql, id};
use serde_json::{Value, json};
use uuid::Uuid;

const EXCHANGES: &str = "einvoicing.exchanges";
const DELIVER: &str = "einvoicing.deliver";

kernel::rules! {
    After send einvoicing.exchanges: deliver;
}

kernel::actions! {
    export_ubl finance.invoices: export_ubl;
    export_esf finance.invoices: export_esf;
    read_in einvoicing.exchanges: read_in;
    accept einvoicing.exchanges: accept;
    decline einvoicing.exchanges: decline;
    revoke einvoicing.exchanges: revoke;
    hand_over einvoicing.exchanges: hand_over;
    download einvoicing.exchanges: download;
}

kernel::calls! {}

async fn export_ubl(tx: &Tx, invoice: &Value, _: &Value) -> Result<Value> {
    export(tx, invoice, "UBL", ubl::write).await
}

async fn export_esf(tx: &Tx, invoice: &Value, _: &Value) -> Result<Value> {
    export(tx, invoice, "ESF", esf::write).await
}

async fn export(tx: &Tx, invoice: &Value, format: &str, write: fn(&Value) -> Result<String>) -> Result<Value> {
    let invoice = id(&invoice["id"])?;
    let told: Value = tx.query_one(sql!("select einvoicing.document($1)"), &[&invoice]).await?.get(0);
    let text = write(&told)?;
    let made: Uuid =
        tx.query_one(sql!("select einvoicing.make($1, $2, $3)"), &[&invoice, &format, &text]).await?.get(0);
    tx.changed(EXCHANGES, made, 1, "create");
    Ok(json!({ "entity": EXCHANGES, "id": made }))
}

/// A file that came in becomes a draft bill; what of it the bill does not say is named.
async fn read_in(tx: &Tx, exchange: &Value, _: &Value) -> Result<Value> {
    if exchange["format"] != "UBL" {
        return Err(Error::refused_at("format", "Only files in UBL are read in."));
    }
    let id = id(&exchange["id"])?;
    let (told, mut left) = bill::read(exchange["content"].as_str().unwrap_or_default())?;
    let off: Option<String> = tx.query_one(sql!("select einvoicing.bill($1, $2)"), &[&id, &told]).await?.get(0);
    left.extend(off);
    let read = sql!("select einvoicing.read_in($1, $2)");
    let bill: Uuid = tx.query_one(read, &[&id, &left.join("\n")]).await?.get(0);
    tx.changed("finance.invoices", bill, 1, "create");
    Ok(json!({ "entity": "finance.invoices", "id": bill }))
}

/// The file as it was made, or came in.
async fn download(_: &Tx, exchange: &Value, _: &Value) -> Result<Value> {
    let name = exchange["number"].as_str().unwrap_or("invoice");
    Ok(json!({ "file": { "name": format!("{name}.xml"), "text": exchange["content"] } }))
}

async fn deliver(tx: &Tx, exchange: &Value) -> Result<()> {
    flow::jobs::enqueue(tx, DELIVER, json!({ "exchange": exchange["id"] }), None).await?;
    Ok(())
}

/// `{"registration"?, "on"?}`.
async fn accept(tx: &Tx, exchange: &Value, body: &Value) -> Result<Value> {
    answer(tx, exchange, "accepted", body).await
}

/// `{"reason", "on"?}`.
async fn decline(tx: &Tx, exchange: &Value, body: &Value) -> Result<Value> {
    answer(tx, exchange, "declined", body).await
}

/// `{"reason", "on"?}`.
async fn revoke(tx: &Tx, exchange: &Value, body: &Value) -> Result<Value> {
    answer(tx, exchange, "revoked", body).await
}

async fn answer(tx: &Tx, exchange: &Value, becomes: &str, body: &Value) -> Result<Value> {
    let statement = sql!("select einvoicing.answer($1, $2, $3)");
    tx.query(statement, &[&id(&exchange["id"])?, &becomes, body]).await?;
    Ok(Value::Null)
}

/// The exchange has it.
async fn hand_over(tx: &Tx, exchange: &Value, _: &Value) -> Result<Value> {
    tx.query(sql!("select einvoicing.hand_over($1)"), &[&id(&exchange["id"])?]).await?;
    Ok(Value::Null)
}
