//! A day's trade, from registration to a paid invoice.

use crate::house::House;
use serde_json::{Value, json};
use std::io::Write;

#[test]
fn a_company_registers_sells_invoices_and_is_paid() {
    let data = tempfile::tempdir().unwrap();
    let house = House::open(data.path(), &[]);
    let ann = &house.newcomer(
        json!({ "name": "Prometric", "country": "KZ", "currency": "KZT", "time_zone": "Asia/Almaty" }),
    );
    let post = |path: &str, body: Value| house.post(ann, path, body);

    let taxes = house.get(ann, "/products/taxes?filter=%7B%22field%22%3A%22code%22%2C%22op%22%3A%22eq%22%2C%22value%22%3A%22VAT%22%7D");
    let vat = &taxes["data"][0]["id"];
    let product =
        post("/products/products", json!({ "sku": "A1", "name": "Anvil", "price": "100", "tax_id": vat }));
    let customer = post(
        "/parties/parties",
        json!({ "name": "Wile GmbH", "is_customer": true, "addresses": [{ "kind": "billing", "city": "Алматы", "country": "KZ", "is_default": true }] }),
    );
    let line = |more: Value| {
        let mut line = json!({ "product_id": product["id"] });
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    let order = post(
        "/sales/orders",
        json!({ "customer_id": customer["id"], "ordered_on": "2026-03-02", "lines": [
            line(json!({ "quantity": "2" })),
            line(json!({ "quantity": "1", "price": "116", "price_includes_tax": true })),
            line(json!({ "quantity": "3", "price": "9.99", "discount_percent": "10" })),
        ] }),
    );
    // 16 % since 2026: 200.00 + 32.00; 116.00 holds 16.00; 3 × 9.99 less 10 % is 26.973, so 26.97, and 4.3152 of it is 4.32.
    let figures = |record: &Value| ["net", "tax", "gross"].map(|f| record[f].as_str().unwrap().to_owned());
    assert_eq!(figures(&order), ["326.97", "52.32", "379.29"]);
    let lines = order["lines"].as_array().unwrap();
    assert_eq!(figures(&lines[1]), ["100.00", "16.00", "116.00"]);
    assert_eq!(figures(&lines[2]), ["26.97", "4.32", "31.29"]);

    let at = |entity: &str, id: &Value, rest: &str| format!("/{entity}/{}{rest}", id.as_str().unwrap());
    assert_eq!(post(&at("sales/orders", &order["id"], "/confirm"), json!({}))["status"], "confirmed");
    let invoice = post(&at("sales/orders", &order["id"], "/invoice"), json!({}))["_made"]["id"].clone();
    let posted = post(&at("finance/invoices", &invoice, "/post"), json!({}));
    assert_eq!((figures(&posted), &posted["number"]), (figures(&order), &json!("INV-00001")));

    for (language, words) in [
        ("ru", ["Счёт", "Остаток", "379,29 KZT", "52,32 KZT"]),
        ("kk", ["Шот", "Қалдық", "379,29 KZT", "52,32 KZT"]),
        ("en", ["Invoice", "Balance", "379.29 KZT", "52.32 KZT"]),
    ] {
        let print = format!("/_print?language={language}");
        let pdf = house.call(ann, "GET", &at("finance/invoices", &invoice, &print), Value::Null);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&pdf.bytes).unwrap();
        let text = std::process::Command::new("pdftotext").arg(file.path()).arg("-").output();
        let text = String::from_utf8(text.expect("pdftotext of poppler-utils").stdout).unwrap();
        let text = text.replace('\u{a0}', " ");
        for said in words.into_iter().chain(["INV-00001", "Wile GmbH", "Anvil", "Prometric"]) {
            assert!(text.contains(said), "{said} is not in:\n{text}");
        }
    }

    let pay = |amount: &str| {
        house.call(ann, "POST", &at("finance/invoices", &invoice, "/pay"), json!({ "amount": amount }))
    };
    assert_eq!(pay("100").ok()["balance"], "279.29");
    let refused = pay("279.30");
    assert_eq!(
        (refused.status, house.get(ann, &at("finance/invoices", &invoice, ""))["balance"].clone()),
        (422, json!("279.29"))
    );
    let paid = pay("279.29").ok();
    assert_eq!((&paid["status"], &paid["balance"]), (&json!("paid"), &json!("0.00")));
    let order = house.get(ann, &at("sales/orders", &order["id"], ""));
    assert_eq!((&order["payment_status"], &order["invoice_status"]), (&json!("paid"), &json!("invoiced")));

    let story = house.get(ann, &at("finance/invoices", &invoice, "/_history"));
    let states: Vec<&Value> =
        story["data"].as_array().unwrap().iter().filter_map(|e| e["changes"].get("status")).collect();
    for step in [json!(["draft", "sent"]), json!(["sent", "partial"]), json!(["partial", "paid"])] {
        assert!(states.contains(&&step), "{step} is not in {states:?}");
    }
    let sent = post(&at("finance/invoices", &invoice, "/_send"), json!({ "to": "wile@example.test" }));
    assert!(sent["mail"]["id"].is_string());
    assert!(house.stop().success());
}
