//! Invoices as files, out and in.

use serde_json::{Value, json};
use testkit::{Outcome, Person, Scene, scene};

const INVOICES: &str = "finance.invoices";
const EXCHANGES: &str = "einvoicing.exchanges";

struct Office {
    anna: Person,
    party: Value,
}

impl Office {
    async fn of(s: &Scene, company: &str, entity: Value) -> Office {
        let anna = s.person(company, "accountant").await;
        let party = json!({ "name": "Rope & Co <Nord>", "legal_name": "Rope & Co GmbH", "tax_id": "DE812", "is_customer": true,
            "addresses": [{ "kind": "billing", "street": "Kai 1", "city": "Hamburg", "postal_code": "20457", "country": "DE" }] });
        let party = anna.create("parties.parties", party).await.ok();
        let draft = anna.create("ledger.journal_entries", json!({})).await.ok();
        anna.delete("ledger.journal_entries", &draft).await.ok();
        let books = anna.list("ledger.legal_entities", &[]).await.ok()["data"][0].clone();
        anna.update("ledger.legal_entities", &books, entity).await.ok();
        Office { anna, party }
    }

    async fn german(s: &Scene, company: &str) -> Office {
        Office::of(s, company, json!({ "name": "Acme GmbH", "country": "DE", "tax_id": "DE999" })).await
    }

    async fn posted(&self, mut invoice: Value) -> Value {
        invoice["party_id"] = self.party["id"].clone();
        let draft = self.anna.create(INVOICES, invoice).await.ok();
        self.anna.act(INVOICES, &draft, "post").await.ok()
    }

    /// A file that came in, read.
    async fn came(&self, content: Value, party: Value) -> Outcome {
        let made = self.anna.create(EXCHANGES, json!({ "content": content, "party_id": party })).await.ok();
        self.anna.act(EXCHANGES, &made, "read_in").await
    }

    async fn file(&self, invoice: &Value, action: &str) -> Value {
        let made = self.anna.act(INVOICES, invoice, action).await.ok();
        let exchange = self.anna.read(EXCHANGES, &made["_made"]).await.ok();
        let told = self.anna.act(EXCHANGES, &exchange, "download").await.ok();
        assert_eq!(told["_made"]["file"]["text"], exchange["content"]);
        told
    }
}

fn lines() -> Value {
    json!([
        { "name": "Rope \"thick\"", "quantity": "3", "price": "33.335", "tax_rate": "19", "unit": "m", "code": "R-1" },
        { "name": "Knots", "quantity": "7", "price": "9.99", "discount_percent": "7.5", "tax_rate": "19", "price_includes_tax": true },
        { "name": "Books", "quantity": "2", "price": "0.05", "tax_rate": "7" },
        { "name": "Advice", "price": "100", "tax_rate": "0" }
    ])
}

fn number(amount: &Value) -> f64 {
    amount.as_str().unwrap().parse().unwrap()
}

/// Every text of an element, without its prefix.
fn texts(file: &str, element: &str) -> Vec<f64> {
    let begin = format!(":{element} currencyID=\"EUR\">");
    let parts = file.split(begin.as_str()).skip(1);
    parts.map(|p| p.split('<').next().unwrap().parse().unwrap()).collect()
}

fn cents(amount: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "small sums of tests")]
    let cents = (amount * 100.0).round() as i64;
    cents
}

#[tokio::test]
async fn sums_of_a_file_are_as_the_norm_has_them() {
    let s = scene(crate::ALL).await;
    let a = Office::german(&s, "Acme").await;
    let invoice = a.posted(json!({ "lines": lines(), "note": "a < b & c", "po_number": "PO 7" })).await;
    let file = a.file(&invoice, "export_ubl").await["content"].as_str().unwrap().to_owned();
    let one = |element: &str| cents(texts(&file, element)[0]);
    let groups = file.matches("<cac:TaxSubtotal>").count();
    let taxes: Vec<i64> = texts(&file, "TaxAmount").iter().map(|t| cents(*t)).collect();
    let bases: Vec<i64> = texts(&file, "TaxableAmount").iter().map(|t| cents(*t)).collect();
    let nets: Vec<i64> = texts(&file, "LineExtensionAmount").iter().map(|t| cents(*t)).collect();
    // The first line extension is the document's, BR-CO-10; no allowances, BR-CO-13.
    let whole: i64 = nets.iter().sum::<i64>() - one("LineExtensionAmount");
    assert_eq!(whole, one("LineExtensionAmount"));
    assert_eq!(one("TaxExclusiveAmount"), one("LineExtensionAmount"));
    assert_eq!(taxes[0], taxes[1..].iter().sum::<i64>(), "BR-CO-14");
    assert_eq!(one("TaxInclusiveAmount"), one("TaxExclusiveAmount") + taxes[0], "BR-CO-15");
    let rounding = texts(&file, "PayableRoundingAmount").first().map_or(0, |r| cents(*r));
    assert_eq!(one("PayableAmount"), one("TaxInclusiveAmount") + rounding, "BR-CO-16");
    assert_eq!(one("PayableAmount"), cents(number(&invoice["gross"])));
    let rates = file.split("<cac:TaxCategory>").skip(1).map(|c| c.split("Percent>").nth(1).unwrap().trim_end_matches("</cbc:").parse::<i64>().unwrap());
    for ((tax, base), rate) in taxes[1..].iter().zip(&bases).zip(rates) {
        assert_eq!(*tax, (base * rate + 50) / 100, "BR-CO-17 at {rate}");
    }
    assert_eq!(groups, 3, "19, 7 and exempt");
    for said in ["Rope &quot;thick&quot;", "a &lt; b &amp; c", "<cbc:TaxExemptionReason>Not subject to tax", "<cbc:CompanyID>DE999", "<cbc:ID>PO 7"] {
        assert!(file.contains(said), "{said} in {file}");
    }
    a.anna.act(INVOICES, &invoice, "export_ubl").await.refused("This invoice is on its way already");
}

#[tokio::test]
async fn a_file_that_went_out_comes_in_as_the_same_bill() {
    let s = scene(crate::ALL).await;
    let (a, b) = (Office::german(&s, "Acme").await, Office::german(&s, "Beta").await);
    let supplier = json!({ "name": "Acme", "tax_id": "DE999", "is_supplier": true });
    let supplier = b.anna.create("parties.parties", supplier).await.ok();
    let invoice = a.posted(json!({ "lines": lines(), "issued_on": "2026-05-02", "due_on": "2026-06-01", "contract_number": "C 1" })).await;
    let credited = a.anna.act_with(INVOICES, &invoice, "credit", json!({ "amount": "20" })).await.ok();
    let note = a.anna.read(INVOICES, &credited["_made"]).await.ok();
    for (ours, kind) in [(&invoice, "STANDARD"), (&note, "CREDIT_NOTE")] {
        let file = a.file(ours, "export_ubl").await;
        let came = b.came(file["content"].clone(), json!(null)).await.ok();
        assert_eq!((&came["status"], &came["direction"], &came["party_id"]), (&json!("received"), &json!("in"), &supplier["id"]));
        let bill = b.anna.read(INVOICES, &json!({ "id": came["invoice_id"] })).await.ok();
        assert_eq!((&bill["status"], &bill["direction"], &bill["kind"]), (&json!("draft"), &json!("in"), &json!(kind)));
        for field in ["net", "gross", "issued_on", "due_on", "currency", "contract_number"].iter().filter(|f| kind == "STANDARD" || **f != "due_on") {
            assert_eq!(bill[*field], ours[*field], "{field}");
        }
        assert_eq!(bill["supplier_number"], ours["number"]);
        let left = came["not_understood"].as_str().unwrap_or_default();
        assert!(!left.contains("PayableAmount") && !left.contains("Price"), "{left}");
        b.anna.act(INVOICES, &bill, "post").await.ok();
    }
    b.came(json!("<x:invoice xmlns:x='v2.esf'/>"), json!(null)).await.refused("invoice is no invoice");
    let draft = json!({ "party_id": a.party["id"], "lines": [{ "name": "x", "price": "1" }] });
    let draft = a.anna.create(INVOICES, draft).await.ok();
    a.anna.act(INVOICES, &draft, "export_ubl").await.refused("Cannot export ubl");
}

const SMALL: &str = r#"<i:Invoice xmlns:i="urn:i" xmlns:c="urn:c"><c:ID>77</c:ID><c:IssueDate>2026-03-01</c:IssueDate><c:DocumentCurrencyCode>EUR</c:DocumentCurrencyCode>
    <c:AccountingSupplierParty><c:Party><c:PartyName><c:Name>Who knows</c:Name></c:PartyName></c:Party></c:AccountingSupplierParty>
    <c:PaymentMeans><c:PayeeFinancialAccount><c:ID>DE02 1203</c:ID></c:PayeeFinancialAccount></c:PaymentMeans>
    <c:LegalMonetaryTotal><c:PayableAmount currencyID="EUR">PAY</c:PayableAmount></c:LegalMonetaryTotal>
    <c:InvoiceLine><c:ID>1</c:ID><c:InvoicedQuantity unitCode="C62">3</c:InvoicedQuantity><c:LineExtensionAmount currencyID="EUR">10</c:LineExtensionAmount>
    <c:Item><c:Name>A &amp; B &#x43;</c:Name></c:Item><c:Price><c:PriceAmount currencyID="EUR">3.33333</c:PriceAmount></c:Price></c:InvoiceLine></i:Invoice>"#;

#[tokio::test]
async fn what_a_file_says_and_a_bill_does_not_is_named() {
    let s = scene(crate::ALL).await;
    let a = Office::german(&s, "Acme").await;
    let small = |pay: &str| SMALL.replace("PAY", pay);
    a.came(json!(small("10")), json!(null)).await.refused("Nobody here has the name Who knows");
    let came = a.came(json!(small("13.50")), a.party["id"].clone()).await.ok();
    a.anna.act(EXCHANGES, &came, "read_in").await.refused("Cannot read in");
    let waiting = a.anna.create(EXCHANGES, json!({ "content": small("1") })).await.ok();
    a.anna.act(EXCHANGES, &waiting, "send").await.refused("A file that came in is not sent.");
    let left = came["not_understood"].as_str().unwrap();
    assert!(left.contains("Invoice/PaymentMeans/PayeeFinancialAccount/ID: DE02 1203"), "{left}");
    assert!(left.contains("PayableAmount: 13.50, the lines come to 10"), "{left}");
    let bill = a.anna.read(INVOICES, &json!({ "id": came["invoice_id"] })).await.ok();
    assert_eq!((number(&bill["gross"]), &bill["lines"][0]["name"]), (10.0, &json!("A & B C")));
    a.came(json!(small("10")), a.party["id"].clone()).await.refused("This supplier's invoice is here already.");
}

/// What an attacker would send.
#[tokio::test]
async fn a_file_cannot_reach_out_or_grow() {
    let s = scene(crate::ALL).await;
    let a = Office::german(&s, "Acme").await;
    let laughs: String = (1..30).map(|n| format!("<!ENTITY l{n} \"&l{};&l{};\">", n - 1, n - 1)).collect();
    let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    let many = format!("<Invoice>{}</Invoice>", "<a/>".repeat(20_001));
    let number = SMALL.replace("PAY", "1e999");
    for (file, why) in [
        ("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><Invoice><ID>&e;</ID></Invoice>".to_owned(), "definitions of its own"),
        (format!("<!DOCTYPE x [<!ENTITY l0 \"ha\">{laughs}]><Invoice>&l29;</Invoice>"), "definitions of its own"),
        ("<Invoice><ID>&passwd;</ID></Invoice>".to_owned(), "nobody knows"),
        (deep, "too large"),
        (many, "too large"),
        ("<Invoice><ID>1</ID>".to_owned(), "cut short"),
        ("<a></a><b></b>".to_owned(), "more than one root"),
        ("<html></html>".to_owned(), "html is no invoice"),
        ("hello".to_owned(), "cut short"),
        (number, "is no number"),
    ] {
        a.came(json!(file), a.party["id"].clone()).await.refused(why);
    }
}

#[tokio::test]
async fn the_exchange_of_kazakhstan_answers() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s, "Almaty", json!({ "name": "ТОО Алатау", "country": "KZ", "bin": "990140000385" })).await;
    let invoice = a.posted(json!({ "lines": lines(), "supplied_on": "2026-03-09", "issued_on": "2026-03-10" })).await;
    let sent = a.file(&invoice, "export_esf").await;
    let file = sent["content"].as_str().unwrap();
    for said in ["<turnoverDate>09.03.2026", "<invoiceType>ORDINARY_INVOICE", "<tin>990140000385", "<truOriginCode>5", "<ndsRate>19", "<status>NONRESIDENT"] {
        assert!(file.contains(said), "{said} in {file}");
    }
    let esf = async || {
        let i = a.anna.read(INVOICES, &invoice).await.ok();
        [&i["esf_status"], &i["esf_number"], &i["esf_on"]].map(|v| v.as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(esf().await[0], "created");
    a.anna.act(EXCHANGES, &sent, "accept").await.refused("Cannot accept");
    a.anna.act(EXCHANGES, &sent, "send").await.ok();
    assert_eq!(esf().await[0], "sent");
    let jobs = "select payload ->> 'exchange' from app.jobs where organization_id = $1 and kind = 'einvoicing.deliver'";
    assert_eq!(s.strings(jobs, &[&a.anna.actor.organization]).await, [sent["id"].as_str().unwrap()]);
    for _ in 0..2 {
        a.anna.act(EXCHANGES, &sent, "hand_over").await.ok();
    }
    a.anna.act(EXCHANGES, &sent, "decline").await.refused("Say why.");
    let answer = json!({ "registration": "ESF-700500", "on": "2026-03-11" });
    a.anna.act_with(EXCHANGES, &sent, "accept", answer).await.ok();
    assert_eq!(esf().await, ["accepted", "ESF-700500", "2026-03-11"]);
    a.anna.update(EXCHANGES, &sent, json!({ "content": "<x/>" })).await.result().unwrap_err();
    let revoke = json!({ "reason": "Wrong customer" });
    let revoked = a.anna.act_with(EXCHANGES, &sent, "revoke", revoke).await.ok();
    assert_eq!(esf().await[0], "revoked");
    let said: Vec<&str> = revoked["messages"].as_array().unwrap().iter().map(|m| m["said"].as_str().unwrap()).collect();
    assert_eq!(said, ["created", "sent", "handed_over", "accepted", "revoked"]);

    // Revoked, it may go again; and its credit note names it.
    a.file(&invoice, "export_esf").await;
    let credited = a.anna.act(INVOICES, &invoice, "credit").await.ok();
    let note = a.file(&credited["_made"], "export_esf").await;
    let note = note["content"].as_str().unwrap();
    assert!(note.contains("<invoiceType>ADDITIONAL_INVOICE") && note.contains("<registrationNumber>ESF-700500"), "{note}");
    assert!(note.contains("<totalPriceWithTax>-"), "{note}");
    let poor = Office::german(&s, "Berlin").await;
    let invoice = poor.posted(json!({ "lines": lines() })).await;
    poor.anna.act(INVOICES, &invoice, "export_esf").await.refused("needs a BIN");
}

/// 100 at 19 % and 50 at 19 % and 40 at 7 %; 10 off and 5 on at 19 %, 3 off at 7 %.
const CHANGED: &str = r#"<Invoice><ID>78</ID><IssueDate>2026-03-01</IssueDate><DocumentCurrencyCode>EUR</DocumentCurrencyCode>
    <AccountingSupplierParty><Party><PartyName><Name>Rope</Name></PartyName></Party></AccountingSupplierParty>
    <AllowanceCharge><ChargeIndicator>false</ChargeIndicator><AllowanceChargeReasonCode>95</AllowanceChargeReasonCode><AllowanceChargeReason>Loyal customer</AllowanceChargeReason><Amount>10.00</Amount>
        <TaxCategory><ID>S</ID><Percent>19</Percent><TaxScheme><ID>VAT</ID></TaxScheme></TaxCategory></AllowanceCharge>
    <AllowanceCharge><ChargeIndicator>true</ChargeIndicator><AllowanceChargeReason>Freight</AllowanceChargeReason><Amount>5.00</Amount>
        <TaxCategory><ID>S</ID><Percent>19.00</Percent><TaxScheme><ID>VAT</ID></TaxScheme></TaxCategory></AllowanceCharge>
    <AllowanceCharge><ChargeIndicator>false</ChargeIndicator><Amount>OFF</Amount>
        <TaxCategory><ID>S</ID><Percent>7</Percent><TaxScheme><ID>VAT</ID></TaxScheme></TaxCategory></AllowanceCharge>
    <LegalMonetaryTotal><AllowanceTotalAmount>13.00</AllowanceTotalAmount><ChargeTotalAmount>5.00</ChargeTotalAmount><PayableAmount>212.14</PayableAmount></LegalMonetaryTotal>
    <InvoiceLine><ID>1</ID><InvoicedQuantity>3</InvoicedQuantity><LineExtensionAmount>100</LineExtensionAmount><Item><Name>A</Name><ClassifiedTaxCategory><Percent>19</Percent></ClassifiedTaxCategory></Item>
        <AllowanceCharge><ChargeIndicator>false</ChargeIndicator><Amount>5</Amount></AllowanceCharge><Price><PriceAmount>35</PriceAmount></Price></InvoiceLine>
    <InvoiceLine><ID>2</ID><InvoicedQuantity>1</InvoicedQuantity><LineExtensionAmount>50</LineExtensionAmount><Item><Name>B</Name><ClassifiedTaxCategory><Percent>19</Percent></ClassifiedTaxCategory></Item><Price><PriceAmount>50</PriceAmount></Price></InvoiceLine>
    <InvoiceLine><ID>3</ID><InvoicedQuantity>1</InvoicedQuantity><LineExtensionAmount>40</LineExtensionAmount><Item><Name>C</Name><ClassifiedTaxCategory><Percent>7</Percent></ClassifiedTaxCategory></Item><Price><PriceAmount>40</PriceAmount></Price></InvoiceLine></Invoice>"#;

#[tokio::test]
async fn what_is_taken_off_the_whole_is_taken_off_its_lines() {
    let s = scene(crate::ALL).await;
    let a = Office::german(&s, "Acme").await;
    let came = a.came(json!(CHANGED.replace("OFF", "3.00")), a.party["id"].clone()).await.ok();
    assert_eq!(came["not_understood"], json!(null));
    let bill = a.anna.read(INVOICES, &json!({ "id": came["invoice_id"] })).await.ok();
    // 145 at 19 % are 27.55 of tax, 37 at 7 % are 2.59.
    assert_eq!([&bill["net"], &bill["tax"], &bill["gross"]].map(number), [182.0, 30.14, 212.14]);
    let mut nets = std::collections::BTreeMap::new();
    for line in bill["lines"].as_array().unwrap() {
        nets.insert(line["name"].as_str().unwrap(), cents(number(&line["net"])));
    }
    // 10 off 155 of its rate: 6.45, 3.23 and 0.32.
    assert_eq!(nets.into_iter().collect::<Vec<_>>(), [("A", 9355), ("B", 4677), ("C", 3700), ("Freight", 468)]);
    assert_eq!(bill["note"], "Loyal customer: -10.00\nAllowance: -3.00");
    // More than there is at its rate cannot be taken off, and is said.
    let much = a.came(json!(CHANGED.replace("OFF", "41").replace(">78<", ">79<")), a.party["id"].clone()).await.ok();
    let left = much["not_understood"].as_str().unwrap();
    assert!(left.contains("PayableAmount: 212.14, the lines come to 215.35"), "{left}");
}
