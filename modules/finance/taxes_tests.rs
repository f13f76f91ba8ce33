//! Taxes on invoices: what a line says, what the books say, what the tax report says.

use super::{INVOICES, ORDERS, Office, plain};
use serde_json::{Value, json};
use testkit::{Scene, scene};

const TAXES: &str = "products.taxes";

/// A tax of one rate, always.
async fn tax(a: &Office, code: &str, kind: &str, rate: &str) -> Value {
    let rates = if rate.is_empty() { json!([]) } else { json!([{ "rate": rate }]) };
    a.anna.create(TAXES, json!({ "code": code, "name": code, "kind": kind, "tax_rates": rates })).await.ok()
}

async fn group(a: &Office, code: &str, parts: &[(&Value, bool)]) -> Value {
    let parts: Vec<Value> = (1..)
        .zip(parts)
        .map(|(n, (part, on_previous))| json!({ "position": n, "part_id": part["id"], "on_previous": on_previous }))
        .collect();
    a.anna.create(TAXES, json!({ "code": code, "name": code, "kind": "group", "tax_parts": parts })).await.ok()
}

/// The rates that there are in Kazakhstan.
async fn vat(a: &Office) -> Value {
    let rates = json!([{ "rate": "12", "valid_to": "2025-12-31" }, { "rate": "16", "valid_from": "2026-01-01" }]);
    a.anna.create(TAXES, json!({ "code": "VAT", "name": "VAT", "tax_rates": rates })).await.ok()
}

async fn wrong(s: &Scene, a: &Office) -> Vec<String> {
    let all = "select wrong from (select * from finance.verify() union all select * from ledger.verify()) q where q.organization_id = $1";
    s.strings(all, &[&a.anna.actor.organization]).await
}

/// What an invoice has written: `code of the account, debit less credit, tax`, as said.
async fn booked(s: &Scene, invoice: &Value) -> Vec<String> {
    let sql = "select concat_ws(' ', coalesce(a.purpose, a.code), trim_scale(l.debit - l.credit), t.code, trim_scale(l.tax_rate), trim_scale(l.tax_base))
        from ledger.journal_entry_lines l join ledger.journal_entries e on e.organization_id = l.organization_id and e.id = l.entry_id
        join ledger.ledger_accounts a on a.organization_id = l.organization_id and a.id = l.account_id
        left join products.taxes t on t.organization_id = l.organization_id and t.id = l.tax_id
        where e.source_id = $1::text::uuid or e.source_id in (select w.id from finance.write_offs w where w.invoice_id = $1::text::uuid) order by e.event, l.position";
    s.strings(sql, &[&invoice["id"].as_str().unwrap()]).await
}

/// Of each row of the tax report that is no sum: `direction code rate base amount`.
async fn reported(a: &Office, from: &str, to: &str) -> Vec<String> {
    let told = a.anna.call("ledger", "tax_report", json!({ "from": from, "to": to })).await.ok();
    let rows = told["rows"].as_array().unwrap().iter().filter(|r| r["role"].is_null());
    let said = |v: &Value| if v.is_null() { "-".to_owned() } else { plain(v).to_owned() };
    rows.map(|r| ["direction", "code", "rate", "base", "amount"].map(|f| said(&r[f])).join(" ")).collect()
}

/// Currency, whether the price contains the tax, price, rates with whether each is on the ones before; then net, the taxes
/// and gross, reckoned by hand.
type Golden = (&'static str, bool, &'static str, &'static [(&'static str, bool)], &'static str, &'static [&'static str], &'static str);
const GOLDEN: &[Golden] = &[
    ("EUR", false, "100", &[("20", false)], "100", &["20"], "120"),
    ("EUR", true, "100", &[("20", false)], "83.33", &["16.67"], "100"),
    ("EUR", false, "100", &[("5", false), ("9.975", false)], "100", &["5", "9.98"], "114.98"),
    ("EUR", false, "100", &[("5", false), ("9.975", true)], "100", &["5", "10.47"], "115.47"),
    ("EUR", true, "115", &[("10", false), ("5", false)], "100", &["10", "5"], "115"),
    ("EUR", true, "100", &[("10", false), ("5", false)], "86.96", &["8.69", "4.35"], "100"),
    ("EUR", true, "100", &[("10", false), ("10", true)], "82.64", &["8.27", "9.09"], "100"),
    ("EUR", false, "0.03", &[("10", false), ("10", false)], "0.03", &["0.01", "0"], "0.04"),
    ("JPY", false, "999", &[("8", false), ("2", false)], "999", &["80", "20"], "1099"),
    ("JPY", true, "1000", &[("8", false), ("2", false)], "909", &["73", "18"], "1000"),
    ("JPY", true, "100", &[("10", false)], "91", &["9"], "100"),
    ("KWD", false, "1.005", &[("5", false), ("2", false)], "1.005", &["0.05", "0.02"], "1.075"),
    ("KWD", true, "1", &[("5", false)], "0.952", &["0.048"], "1"),
];

#[tokio::test]
async fn net_and_its_taxes_are_what_is_printed() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    for (n, (currency, inclusive, price, rates, net, taxes, gross)) in GOLDEN.iter().enumerate() {
        let mut parts = Vec::new();
        for (i, (rate, _)) in rates.iter().enumerate() {
            parts.push(tax(&a, &format!("T{n}-{i}"), "standard", rate).await);
        }
        let on_line = match parts.as_slice() {
            [one] => one.clone(),
            several => {
                let several: Vec<(&Value, bool)> = several.iter().zip(rates.iter()).map(|(p, r)| (p, r.1)).collect();
                group(&a, &format!("G{n}"), &several).await
            }
        };
        let line = json!({ "name": "x", "price": price, "tax_id": on_line["id"], "price_includes_tax": inclusive });
        let made = a.invoice(json!({ "currency": currency, "lines": [line] })).await;
        let line = &made["lines"][0];
        assert_eq!([&line["net"], &line["gross"]].map(plain), [*net, *gross], "{n}");
        let told: Vec<&str> = match line["tax_parts"].as_array() {
            Some(parts) => parts.iter().map(|p| plain(&p["amount"])).collect(),
            None => vec![plain(&line["tax"])],
        };
        assert_eq!(told, *taxes, "{n}");
    }
}

#[tokio::test]
async fn a_group_is_in_the_books_tax_by_tax_and_credited_so() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let (gst, qst) = (tax(&a, "GST", "standard", "5").await, tax(&a, "QST", "standard", "9.975").await);
    let both = group(&a, "BOTH", &[(&gst, false), (&qst, false)]).await;
    let lines = json!([{ "name": "a", "price": "100", "tax_id": both["id"] }, { "name": "b", "price": "40", "tax_id": gst["id"] }]);
    let posted = a.post(a.invoice(json!({ "issued_on": "2026-03-01", "lines": lines })).await).await;
    assert_eq!(plain(&posted["gross"]), "156.98");
    let mut entry = booked(&s, &posted).await;
    entry.sort_unstable();
    let mut expected = ["receivable 156.98", "sales -100 BOTH 14.975", "sales -40 GST 5", "tax_out -5 GST 5 -100", "tax_out -9.98 QST 9.975 -100", "tax_out -2 GST 5 -40"];
    expected.sort_unstable();
    assert_eq!(entry, expected);
    let march = async || reported(&a, "2026-03-01", "2026-03-31").await;
    assert_eq!(march().await, ["out GST 5 140 7", "out QST 9.975 100 9.98"]);

    // Half of the first line back; a discount takes its share of each tax.
    let half = json!({ "lines": [{ "id": posted["lines"][0]["id"], "quantity": "0.5" }], "issued_on": "2026-03-05" });
    a.anna.act_with(INVOICES, &posted, "credit", half).await.ok();
    assert_eq!(march().await, ["out GST 5 90 4.5", "out QST 9.975 50 4.99"]);
    let discount = json!({ "kind": "discount", "amount": "9.95", "taken_on": "2026-03-10" });
    a.anna.act_with(INVOICES, &posted, "write_off", discount).await.ok();
    let after = march().await;
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!(wrong(&s, &a).await, [""; 0]);
    // Gone with the rest of it, as it came: nothing is left of the taxes but what the discount took.
    a.anna.act_with(INVOICES, &posted, "credit", json!({ "issued_on": "2026-03-20" })).await.ok();
    assert_eq!(wrong(&s, &a).await, [""; 0]);
}

#[tokio::test]
async fn what_is_withheld_lowers_what_is_paid_not_the_price() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let (vat, withheld) = (tax(&a, "VAT", "standard", "20").await, tax(&a, "WHT", "withholding", "10").await);
    let both = group(&a, "BOTH", &[(&vat, false), (&withheld, false)]).await;
    let on_all = group(&a, "ALL", &[(&vat, false), (&withheld, true)]).await;
    for (tax, kept, left) in [(&both, "10", "110"), (&on_all, "12", "108"), (&withheld, "10", "90")] {
        let line = json!({ "name": "work", "price": "100", "tax_id": tax["id"] });
        let posted = a.post(a.invoice(json!({ "issued_on": "2026-03-01", "lines": [line] })).await).await;
        let now = a.anna.read(INVOICES, &posted).await.ok();
        assert_eq!([&now["withheld"], &now["balance"]].map(plain), [kept, left]);
        assert_eq!(now["status"], "sent", "nothing is paid yet");
        let entry = booked(&s, &posted).await;
        assert!(entry.contains(&format!("withheld {kept} WHT 10 100")), "{entry:?}");
        a.anna.act_with(INVOICES, &now, "pay", json!({ "amount": "1" })).await.ok();
        let part = a.anna.read(INVOICES, &posted).await.ok();
        assert_eq!(part["status"], "partial");
        a.anna.act(INVOICES, &part, "pay").await.ok();
        assert_eq!(a.anna.read(INVOICES, &posted).await.ok()["status"], "paid");
    }
    // Taken back whole before it is paid: neither owes the other anything.
    let line = json!({ "name": "work", "price": "100", "tax_id": both["id"] });
    let posted = a.post(a.invoice(json!({ "issued_on": "2026-03-02", "lines": [line] })).await).await;
    let credit = a.anna.act_with(INVOICES, &posted, "credit", json!({ "issued_on": "2026-03-03" })).await.ok();
    let credit = a.anna.read(INVOICES, &credit["_made"]).await.ok();
    let now = a.anna.read(INVOICES, &posted).await.ok();
    assert_eq!([&now["balance"], &credit["balance"], &credit["withheld"]].map(plain), ["0", "0", "10"]);
    assert_eq!([&now["status"], &credit["status"]], ["paid", "paid"]);
    assert_eq!(reported(&a, "2026-03-01", "2026-03-31").await, ["out VAT 20 200 40", "out WHT 0 100 0", "withheld WHT 10 -300 -32"]);
    // What we keep back of a supplier's bill is owed to the treasury.
    let bill = json!({ "direction": "in", "supplier_number": "7", "issued_on": "2026-04-01", "lines": [{ "name": "rent", "price": "50", "tax_id": withheld["id"] }] });
    let bill = a.post(a.invoice(bill).await).await;
    assert_eq!(booked(&s, &bill).await, ["payable -50", "purchases 50 WHT 0", "withheld -5 WHT 10 -50", "payable 5"]);
    assert_eq!(wrong(&s, &a).await, [""; 0]);
}

#[tokio::test]
async fn the_buyer_owes_a_reversed_charge_himself() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let abroad = tax(&a, "RC", "reverse_charge", "16").await;
    let line = json!({ "name": "advice", "price": "100", "tax_id": abroad["id"] });
    let bill = json!({ "direction": "in", "supplier_number": "7", "issued_on": "2026-03-01", "lines": [line] });
    let bill = a.post(a.invoice(bill).await).await;
    assert_eq!(plain(&bill["gross"]), "100");
    assert_eq!(booked(&s, &bill).await, ["payable -100", "purchases 100 RC 0", "tax_in 16 RC 16 100", "tax_out -16 RC 16 -100"]);
    let sold = a.post(a.invoice(json!({ "issued_on": "2026-03-02", "lines": [line] })).await).await;
    assert_eq!(booked(&s, &sold).await, ["receivable 100", "sales -100 RC 0"]);
    assert_eq!(reported(&a, "2026-03-01", "2026-03-31").await, ["out RC 16 100 16", "out RC 0 100 0", "in RC 16 100 16"]);
}

#[tokio::test]
async fn what_is_not_taxed_is_told_too() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let (zero, exempt) = (tax(&a, "ZERO", "zero", "").await, tax(&a, "FREE", "exempt", "").await);
    let line = |price: &str, tax: &Value| json!({ "name": "x", "price": price, "tax_id": tax["id"] });
    let lines = json!([line("10", &zero), line("20", &exempt), { "name": "x", "price": "40" }]);
    a.post(a.invoice(json!({ "issued_on": "2026-03-01", "lines": lines })).await).await;
    assert_eq!(reported(&a, "2026-03-01", "2026-03-31").await, ["out FREE 0 20 0", "out ZERO 0 10 0", "out - 0 40 0"]);
    assert_eq!(reported(&a, "2026-04-01", "2026-04-30").await, [""; 0]);
}

#[tokio::test]
async fn a_tax_is_that_of_the_day_of_supply() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let vat = vat(&a).await;
    let line = json!({ "name": "x", "price": "100", "tax_id": vat["id"] });
    let tax_of = |invoice: &Value| plain(&invoice["tax"]).to_owned();
    // Put right by the day of supply, before it is posted; what somebody set by hand stays.
    let draft = a.invoice(json!({ "issued_on": "2026-01-10", "supplied_on": "2026-01-01", "lines": [line] })).await;
    assert_eq!(tax_of(&draft), "16");
    let draft = a.anna.update(INVOICES, &draft, json!({ "supplied_on": "2025-12-31" })).await.ok();
    assert_eq!(tax_of(&a.anna.read(INVOICES, &draft).await.ok()), "12");
    a.post(a.anna.read(INVOICES, &draft).await.ok()).await;
    let by_hand = json!({ "name": "x", "price": "100", "tax_id": vat["id"], "tax_rate": "5" });
    let by_hand = a.invoice(json!({ "issued_on": "2025-12-10", "lines": [by_hand] })).await;
    let by_hand = a.anna.update(INVOICES, &by_hand, json!({ "issued_on": "2026-01-10" })).await.ok();
    assert_eq!(tax_of(&a.anna.read(INVOICES, &by_hand).await.ok()), "5");

    // Ordered in the old year, shipped in the new one.
    let order = a.order(json!({ "ordered_on": "2025-12-20", "lines": [line] })).await;
    assert_eq!(plain(&order["tax"]), "12");
    a.mona.act(ORDERS, &order, "confirm").await.ok();
    let order = a.mona.act_with(ORDERS, &order, "invoice", json!({ "issued_on": "2026-01-15", "post": true })).await.ok();
    assert_eq!(tax_of(&a.anna.read(INVOICES, &order["_made"]).await.ok()), "16");
    a.post(a.invoice(json!({ "issued_on": "2025-12-31", "lines": [line] })).await).await;
    a.post(a.invoice(json!({ "issued_on": "2026-01-01", "lines": [line] })).await).await;

    assert_eq!(reported(&a, "2025-12-01", "2025-12-31").await, ["out VAT 12 200 24"]);
    assert_eq!(reported(&a, "2026-01-01", "2026-01-31").await, ["out VAT 16 200 32"]);
    let asked = json!({ "direction": "out", "tax_id": vat["id"], "rate": "12", "from": "2025-12-01", "to": "2025-12-31" });
    let told = a.anna.call("ledger", "tax_entries", asked).await.ok();
    let rows = told["rows"].as_array().unwrap();
    let documents: Vec<_> = rows.iter().map(|r| (plain(&r["base"]), r["source"].as_str())).collect();
    assert_eq!(documents, [("100", Some(INVOICES)), ("100", Some(INVOICES)), ("200", None)]);
    assert_eq!(wrong(&s, &a).await, [""; 0]);
}

#[tokio::test]
async fn groups_are_made_of_what_can_be_counted() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let vat = tax(&a, "VAT", "standard", "20").await;
    let free = tax(&a, "FREE", "exempt", "").await;
    let both = group(&a, "BOTH", &[(&vat, false)]).await;
    let part = |of: &Value| json!([{ "part_id": of["id"] }]);
    let make = async |kind: &str, more: Value| {
        let mut body = json!({ "code": "NEW", "name": "x", "kind": kind });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        a.anna.create(TAXES, body).await
    };
    make("standard", json!({ "tax_parts": part(&vat) })).await.refused("Only a group is made of several taxes.");
    make("group", json!({ "tax_parts": part(&free) })).await.refused("made of standard, reduced and withheld taxes");
    make("group", json!({ "tax_parts": part(&both) })).await.refused("made of standard, reduced and withheld taxes");
    make("group", json!({ "tax_rates": [{ "rate": "5" }] })).await.refused("has no rate of its own");
    make("exempt", json!({ "tax_rates": [{ "rate": "5" }] })).await.refused("has no rate of its own");
    a.anna.update(TAXES, &vat, json!({ "kind": "exempt" })).await.refused("made of standard, reduced and withheld taxes");
    a.anna.update(TAXES, &both, json!({ "kind": "standard" })).await.refused("Only a group is made of several taxes.");
    // A part that has no rate on the day leaves the group without one.
    let late = a.anna.create(TAXES, json!({ "code": "LATE", "name": "x", "tax_rates": [{ "rate": "5", "valid_from": "2030-01-01" }] })).await.ok();
    let late = group(&a, "SOON", &[(&vat, false), (&late, false)]).await;
    let line = json!({ "name": "x", "price": "1", "tax_id": late["id"] });
    let body = json!({ "party_id": a.party["id"], "issued_on": "2026-01-01", "lines": [line] });
    a.anna.create(INVOICES, body).await.refused("This tax has no rate on 2026-01-01");
    let told = a.anna.call("products", "taxes_of_the_day", json!({ "as_of": "2026-01-01" })).await.ok();
    let rates: Vec<_> = told["rows"].as_array().unwrap().iter().map(|r| (r["code"].as_str().unwrap(), r["rate"].as_str())).collect();
    assert_eq!(rates, [("BOTH", Some("20")), ("FREE", Some("0")), ("LATE", None), ("SOON", None), ("VAT", Some("20"))]);
}
