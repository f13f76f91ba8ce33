//! What documents write in the books.

use super::{INVOICES, Office, PAYMENTS, WRITE_OFFS, plain};
use serde_json::{Value, json};
use testkit::{Scene, scene};

/// What stands on each account that something is written on: `purpose or code amount`, debit more than nothing.
async fn accounts(s: &Scene, a: &Office) -> Vec<String> {
    let sql = "select coalesce(a.purpose, a.code) || ' ' || trim_scale(sum(l.debit - l.credit)) from ledger.journal_entry_lines l
               join ledger.ledger_accounts a on a.organization_id = l.organization_id and a.id = l.account_id
               where l.organization_id = $1 and l.period_id is not null group by a.purpose, a.code having sum(l.debit - l.credit) <> 0 order by 1";
    s.strings(sql, &[&a.anna.actor.organization]).await
}

async fn proven(s: &Scene, a: &Office) {
    for verify in ["finance", "ledger"] {
        let sql = format!("select wrong from {verify}.verify() where organization_id = $1");
        assert_eq!(s.strings(&sql, &[&a.anna.actor.organization]).await, [""; 0]);
    }
}

async fn foreign(a: &Office, amount: &str, rate: &str) -> Value {
    let lines = json!([{ "name": "x", "price": amount }]);
    a.post(a.invoice(json!({ "currency": "USD", "exchange_rate": rate, "issued_on": "2026-01-10", "lines": lines })).await).await
}

async fn paid(a: &Office, invoice: &Value, amount: &str, rate: &str) -> Value {
    let body = json!({ "party_id": a.party["id"], "amount": amount, "currency": "USD", "exchange_rate": rate, "paid_on": "2026-02-10" });
    let payment = a.anna.create(PAYMENTS, body).await.ok();
    a.anna.act(PAYMENTS, &payment, "complete").await.ok();
    let body = json!({ "invoice_id": invoice["id"], "amount": amount });
    a.anna.act_with(PAYMENTS, &payment, "allocate", body).await.ok()
}

#[tokio::test]
async fn an_invoice_stands_with_its_taxes_on_their_accounts() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let lines = json!([{ "name": "a", "price": "100", "tax_rate": "16" }, { "name": "b", "price": "50", "tax_rate": "0" }]);
    let invoice = a.post(a.invoice(json!({ "lines": lines, "issued_on": "2026-01-10" })).await).await;
    assert_eq!(accounts(&s, &a).await, ["receivable 166", "sales -150", "tax_out -16"]);
    let bill = json!({ "direction": "in", "supplier_number": "7", "issued_on": "2026-01-11", "lines": [{ "name": "c", "price": "20", "tax_rate": "10" }] });
    a.post(a.invoice(bill).await).await;
    assert_eq!(accounts(&s, &a).await, ["payable -22", "purchases 20", "receivable 166", "sales -150", "tax_in 2", "tax_out -16"]);
    a.anna.act(INVOICES, &invoice, "credit").await.ok();
    assert_eq!(accounts(&s, &a).await, ["payable -22", "purchases 20", "tax_in 2"]);

    let told = a.anna.call("ledger", "tax_report", json!({ "from": "2026-01-01", "to": "2026-01-31" })).await.ok();
    let rows: Vec<_> = told["rows"].as_array().unwrap().iter().filter(|r| r["role"].is_null())
        .map(|r| format!("{} {} {} {}", r["direction"].as_str().unwrap(), plain(&r["rate"]), plain(&r["base"]), plain(&r["amount"]))).collect();
    assert_eq!(rows, ["out 16 100 16", "out 0 50 0", "in 10 20 2"], "the credit note is of another month");
    proven(&s, &a).await;
}

/// The gain is what the rounded amounts in the books differ by: 101.01 at 1.2 is 121.21, at 1.5 it is 151.52. The
/// difference of the rates would have told 30.30.
#[tokio::test]
async fn a_gain_is_taken_from_rounded_amounts() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = foreign(&a, "101.01", "1.2").await;
    assert_eq!(plain(&invoice["base_gross"]), "121.21");
    paid(&a, &invoice, "101.01", "1.5").await;
    assert_eq!(accounts(&s, &a).await, ["bank 151.52", "exchange_gain -30.31", "sales -121.21"]);
    proven(&s, &a).await;
}

#[tokio::test]
async fn parts_leave_nothing_in_the_books() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    // 100 at 0.33333 is 33.33; a third of it 11.11 each, and the last takes the rest.
    let invoice = foreign(&a, "100", "0.33333").await;
    for part in ["33.33", "33.33", "33.34"] {
        paid(&a, &invoice, part, "0.33333").await;
    }
    let left = accounts(&s, &a).await;
    assert!(!left.iter().any(|l| l.starts_with("receivable")), "{left:?}");
    proven(&s, &a).await;
}

#[tokio::test]
async fn what_is_taken_back_leaves_no_gain_behind() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = foreign(&a, "100", "1.2").await;
    let payment = paid(&a, &invoice, "60", "1.5").await;
    assert_eq!(accounts(&s, &a).await, ["bank 90", "exchange_gain -18", "receivable 48", "sales -120"]);
    a.anna.act(PAYMENTS, &payment, "unallocate").await.ok();
    assert_eq!(accounts(&s, &a).await, ["bank 90", "receivable 30", "sales -120"], "owed is 120, 90 lie there for nothing yet");
    a.anna.act_with(PAYMENTS, &payment, "allocate", json!({ "invoice_id": invoice["id"], "amount": "10" })).await.ok();
    a.mona.act(PAYMENTS, &payment, "void").await.ok();
    assert_eq!(accounts(&s, &a).await, ["receivable 120", "sales -120"]);
    proven(&s, &a).await;
}

#[tokio::test]
async fn nothing_is_posted_without_a_rate_or_in_a_locked_period() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let lines = json!([{ "name": "x", "price": "1" }]);
    let draft = a.invoice(json!({ "currency": "CHF", "issued_on": "2026-01-10", "lines": lines })).await;
    a.anna.act(INVOICES, &draft, "post").await.refused("There is no exchange rate of CHF for 2026-01-10.");
    let rate = json!({ "currency": "CHF", "per": "EUR", "rate": "1.05", "valid_on": "2026-01-09" });
    a.anna.create("ledger.exchange_rates", rate).await.ok();
    let posted = a.anna.act(INVOICES, &draft, "post").await.ok();
    assert_eq!((plain(&posted["exchange_rate"]), plain(&posted["base_gross"])), ("1.05", "1.05"));

    let january = a.anna.list("ledger.fiscal_periods", &[("name", "2026-01")]).await.ok()["data"][0].clone();
    a.anna.act("ledger.fiscal_periods", &january, "lock").await.ok();
    let late = a.invoice(json!({ "issued_on": "2026-01-31", "lines": lines })).await;
    a.anna.act(INVOICES, &late, "post").await.refused("The period 2026-01 is locked.");
    let next = a.post(a.invoice(json!({ "issued_on": "2026-02-01", "lines": lines })).await).await;
    assert_eq!(next["number"], "INV-00002", "what was refused took no number");
    proven(&s, &a).await;
}

#[tokio::test]
async fn what_is_not_expected_is_written_off_and_expected_again() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let line = json!({ "name": "x", "price": "100", "tax_rate": "20" });
    let invoice = a.post(a.invoice(json!({ "lines": [line] })).await).await;
    a.anna.act_with(INVOICES, &invoice, "write_off", json!({ "amount": "120.01" })).await.refused("No more than 120 is open.");
    a.anna.act_with(INVOICES, &invoice, "write_off", json!({ "amount": "1", "kind": "gift" })).await.refused("");
    let early = json!({ "kind": "discount", "amount": "6" });
    let after = a.anna.act_with(INVOICES, &invoice, "write_off", early).await.ok();
    assert_eq!((&after["status"], plain(&after["balance"])), (&json!("partial"), "114"));
    assert_eq!(accounts(&s, &a).await, ["discount_given 5", "receivable 114", "sales -100", "tax_out -19"]);
    let after = a.anna.act(INVOICES, &after, "write_off").await.ok();
    assert_eq!((&after["status"], plain(&after["balance"])), (&json!("paid"), "0"));
    assert_eq!(accounts(&s, &a).await, ["bad_debts 114", "discount_given 5", "sales -100", "tax_out -19"]);
    a.anna.act_with(INVOICES, &after, "pay", json!({})).await.refused("Cannot pay a record that is paid.");
    proven(&s, &a).await;

    let bad = after["_made"].clone();
    let bad = a.anna.read(WRITE_OFFS, &bad).await.ok();
    let own = json!({ "invoice_id": invoice["id"], "amount": "1" });
    a.anna.create(WRITE_OFFS, own).await.forbidden();
    a.anna.act(WRITE_OFFS, &bad, "take_back").await.ok();
    a.anna.act(WRITE_OFFS, &bad, "take_back").await.refused("taken back already");
    let again = a.anna.read(INVOICES, &invoice).await.ok();
    assert_eq!((&again["status"], plain(&again["balance"])), (&json!("partial"), "114"));
    a.anna.delete(WRITE_OFFS, &bad).await.forbidden();
    proven(&s, &a).await;
}

#[tokio::test]
async fn what_is_older_than_the_books_is_an_opening_balance() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    a.posted("1").await;
    let books = a.anna.list("ledger.legal_entities", &[]).await.ok()["data"][0].clone();
    a.anna.update("ledger.legal_entities", &books, json!({ "books_from": "2026-01-01" })).await.ok();
    let lines = json!([{ "name": "x", "price": "100", "tax_rate": "20" }]);
    a.post(a.invoice(json!({ "issued_on": "2025-12-31", "lines": lines })).await).await;
    assert_eq!(accounts(&s, &a).await, ["opening -120", "receivable 121", "sales -1"]);
    proven(&s, &a).await;
}

#[tokio::test]
async fn things_of_a_category_are_written_on_its_account() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    a.posted("1").await;
    let account = a.anna.list("ledger.ledger_accounts", &[("code", "4900")]).await.ok()["data"][0]["id"].clone();
    let above = a.mona.create("products.categories", json!({ "name": "Services" })).await.ok();
    let shelf = a.mona.create("products.categories", json!({ "name": "Repairs", "parent_id": above["id"] })).await.ok();
    let product = json!({ "name": "Repair", "price": "30", "category_id": shelf["id"], "kind": "service" });
    let product = a.mona.create("products.products", product).await.ok();
    let rule = json!({ "category_id": above["id"], "direction": "out", "account_id": account });
    a.anna.create("finance.category_accounts", rule).await.ok();
    a.post(a.invoice(json!({ "lines": [{ "product_id": product["id"] }] })).await).await;
    assert_eq!(accounts(&s, &a).await, ["4900 -30", "receivable 31", "sales -1"]);
}

#[tokio::test]
async fn fifty_invoices_posted_at_once_leave_no_gap_and_no_imbalance() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let mut drafts = Vec::new();
    for n in 0..50 {
        drafts.push(a.invoice(json!({ "lines": [{ "name": "x", "price": format!("{n}.99"), "tax_rate": "16" }] })).await);
    }
    let posts = futures_util::future::join_all(drafts.iter().map(|d| a.insist(INVOICES, d, "post", json!({})))).await;
    assert!(posts.into_iter().all(|done| done));
    let pays = futures_util::future::join_all(drafts.iter().map(|d| a.insist(INVOICES, d, "pay", json!({})))).await;
    assert!(pays.into_iter().all(|done| done));
    let numbers = "select count(distinct number)::text || ' ' || max(number) from finance.invoices where organization_id = $1";
    assert_eq!(s.strings(numbers, &[&a.anna.actor.organization]).await, ["50 INV-00050"]);
    proven(&s, &a).await;
}
