//! What happens around expense reports. What must hold is said in schema.sql.

use kernel::{Error, Fault, Result, Tx, sql, id};
use records::approvals::{ask_approval, go_on};
use serde_json::{Value, json};
use uuid::Uuid;

const REPORTS: &str = "expenses.expense_reports";
const BILLS: &str = "finance.invoices";
const PAYMENTS: &str = "finance.payments";
const PARTIES: &str = "parties.parties";

kernel::rules! {
    Before submit expenses.expense_reports: keeps_policy;
    After submit expenses.expense_reports: ask;
}

kernel::actions! {
    send_back expenses.expense_reports: send_back;
    deny expenses.expense_reports: deny;
    reimburse expenses.expense_reports: reimburse;
}

kernel::calls! {}

/// All that the policy of the company forbids, at once, each at its line.
async fn keeps_policy(tx: &Tx, report: &Value) -> Result<()> {
    let wrong = sql!("select place, field, wrong from expenses.breaches($1)");
    let faults: Vec<Fault> = tx
        .query(wrong, &[&id(&report["id"])?])
        .await?
        .iter()
        .map(|row| Fault {
            field: Some(format!("expense_lines.{}.{}", row.get::<_, i32>(0), row.get::<_, &str>(1))),
            message: row.get(2),
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Refused(faults)) }
}

/// Handed in, it waits for whom the company's rules of approval name.
async fn ask(tx: &Tx, report: &Value) -> Result<()> {
    let catalog = tx.catalog.clone();
    let body = json!({ "reason": report["note"] });
    ask_approval(tx, catalog.entity(REPORTS)?, id(&report["id"])?, "approve", &body).await.map(drop)
}

/// `{"reason"?}`: back to whoever handed it in, to be put right.
async fn send_back(tx: &Tx, report: &Value, body: &Value) -> Result<Value> {
    moved(tx, report, "draft", body).await
}

/// `{"reason"?}`: nothing of it is paid.
async fn deny(tx: &Tx, report: &Value, body: &Value) -> Result<Value> {
    moved(tx, report, "denied", body).await
}

async fn moved(tx: &Tx, report: &Value, to: &str, body: &Value) -> Result<Value> {
    let id = id(&report["id"])?;
    let sql = sql!("update expenses.expense_reports set status = $3 where organization_id = $1 and id = $2");
    tx.change(sql, &[&tx.actor.organization, &id, &to]).await?;
    let said = body["reason"].as_str().map(str::trim).filter(|s| !s.is_empty());
    tx.execute(sql!("select expenses.note_reason($1, $2)"), &[&id, &said]).await?;
    Ok(Value::Null)
}

/// `{"method"?, "paid_on"?, "payee_id"?}`: a bill of whoever spent it, over what the books owe for it, and its payment. Where a
/// rule wants one of them approved, it waits; asked for again when the bill is posted, the payment follows.
async fn reimburse(tx: &Tx, report: &Value, body: &Value) -> Result<Value> {
    let report_id = id(&report["id"])?;
    let known = [&report["payee_id"], &body["payee_id"]].into_iter().find_map(|v| v.as_str()?.parse::<Uuid>().ok());
    let row = tx.query_one(sql!("select party, name, email from expenses.payee($1)"), &[&id(&report["person_id"])?]).await?;
    let payee = match known.or(row.get(0)) {
        Some(party) => party,
        None => {
            let person = json!({
                "name": row.get::<_, &str>(1), "email": row.get::<_, &str>(2), "kind": "individual", "is_supplier": true,
            });
            records::create_within(tx, PARTIES, &person).await?
        }
    };
    let bill = sql!("select bill, is_draft from expenses.bill($1, $2, $3)");
    let bill = tx.query_one(bill, &[&report_id, &payee, body]).await?;
    if bill.get(1) {
        let posted = go_on(tx, BILLS, bill.get(0), "post", sql!("select finance.post($1)")).await?;
        if posted["approval"].is_object() {
            return Ok(posted);
        }
    }
    let payment: Uuid = tx.query_one(sql!("select expenses.pay($1, $2)"), &[&report_id, body]).await?.get(0);
    go_on(tx, PAYMENTS, payment, "complete", sql!("select finance.complete($1)")).await
}
