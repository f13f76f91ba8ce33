//! The bank, as the people who work with it see it.

use serde_json::{Value, json};
use testkit::{Outcome, Person, Scene, scene};

const ACCOUNTS: &str = "banking.bank_accounts";
const STATEMENTS: &str = "banking.statements";
const LINES: &str = "banking.statement_lines";
const MATCHES: &str = "banking.line_matches";
const RUNS: &str = "banking.payment_runs";
const INVOICES: &str = "finance.invoices";
const PAYMENTS: &str = "finance.payments";
const CAMT: &str = include_str!("testdata/camt053_v2.xml");

struct Desk {
    anna: Person,
    mona: Person,
    party: Value,
    bank: Value,
}

impl Desk {
    async fn of(s: &Scene) -> Desk {
        Desk::in_company(s, "Acme").await
    }

    async fn in_company(s: &Scene, company: &str) -> Desk {
        let (anna, mona) = (s.person(company, "accountant").await, s.person(company, "manager").await);
        let party = anna.create("parties.parties", json!({ "name": "Rope & Co Ltd" })).await.ok();
        let bank = json!({ "name": "Current account", "iban": "de89 3704 0044 0532 0130 00", "bic": "COBADEFFXXX" });
        let bank = anna.create(ACCOUNTS, bank).await.ok();
        Desk { anna, mona, party, bank }
    }

    async fn take_in(&self, lines: Value) -> Value {
        let made = self.anna.act_with(ACCOUNTS, &self.bank, "take_in", json!({ "lines": lines })).await.ok();
        self.anna.read(STATEMENTS, &made["_made"]).await.ok()
    }

    async fn file(&self, text: &str) -> Outcome {
        self.anna.act_with(ACCOUNTS, &self.bank, "take_in", json!({ "text": text })).await
    }

    /// One line, as it stands on the statement.
    async fn line(&self, amount: &str, text: &str) -> Value {
        let statement = self.take_in(json!([{ "booked_on": "2026-03-02", "amount": amount, "text": text, "counterparty": "ROPE CO", "iban": "GB29NWBK60161331926819" }])).await;
        self.lines(&statement).await.remove(0)
    }

    async fn lines(&self, statement: &Value) -> Vec<Value> {
        let id = statement["id"].as_str().unwrap();
        let found = self.anna.list(LINES, &[("statement_id", id), ("sort", "position")]).await.ok();
        found["data"].as_array().unwrap().clone()
    }

    async fn matched(&self, line: &Value, items: Value) -> Outcome {
        self.anna.act_with(LINES, line, "match", json!({ "items": items })).await
    }

    async fn invoice(&self, direction: &str, amount: &str) -> Value {
        let body = json!({ "party_id": self.party["id"], "direction": direction, "issued_on": "2026-02-20", "lines": [{ "name": "x", "price": amount }] });
        let draft = self.anna.create(INVOICES, body).await.ok();
        self.anna.act(INVOICES, &draft, "post").await.ok()
    }

    async fn account(&self, code: &str) -> Value {
        self.anna.list("ledger.ledger_accounts", &[("code", code)]).await.ok()["data"][0]["id"].clone()
    }

    async fn open(&self, invoice: &Value) -> String {
        plain(&self.anna.read(INVOICES, invoice).await.ok()["balance"])
    }

    async fn suggestions(&self, line: &Value) -> Vec<Value> {
        let told = self.anna.call("banking", "suggestions", json!({ "line_id": line["id"] })).await.ok();
        told["suggestions"].as_array().unwrap().clone()
    }

    async fn reconciliation(&self, as_of: &str) -> Value {
        self.anna.call("banking", "reconciliation", json!({ "account_id": self.bank["id"], "as_of": as_of })).await.ok()
    }
}

async fn sound(s: &Scene, who: &Person) {
    for module in ["banking", "finance", "ledger"] {
        let sql = format!("select wrong from {module}.verify() where organization_id = $1");
        assert_eq!(s.strings(&sql, &[&who.actor.organization]).await, Vec::<String>::new(), "{module}");
    }
}

fn plain(amount: &Value) -> String {
    let text = amount.as_str().unwrap();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

fn count(list: &Value) -> usize {
    list["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn an_account_has_a_place_of_its_own_in_the_books() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    assert_eq!((&d.bank["iban"], &d.bank["currency"]), (&json!("DE89370400440532013000"), &json!("EUR")));
    let ledger = d.anna.read("ledger.ledger_accounts", &json!({ "id": d.bank["account_id"] })).await.ok();
    assert_eq!((&ledger["code"], &ledger["category"], &ledger["currency"]), (&json!("1020.1"), &json!("bank"), &json!("EUR")));
    for (body, why) in [
        (json!({ "name": "x", "iban": "DE89370400440532013001" }), "check digits"),
        (json!({ "name": "x", "iban": "DE89370400440532013000" }), "an account with this IBAN"),
        (json!({ "name": "x", "bic": "SHORT" }), "8 or 11"),
        (json!({ "name": "x", "account_id": d.bank["account_id"] }), "of another bank account"),
        (json!({ "name": "x", "account_id": d.account("1100").await }), "Money stands on an account for money."),
        (json!({ "name": "x", "kind": "cash", "iban": "GB29NWBK60161331926819" }), "A cash desk has no IBAN."),
    ] {
        d.anna.create(ACCOUNTS, body).await.refused(why);
    }
    d.anna.update(ACCOUNTS, &d.bank, json!({ "currency": "USD" })).await.refused("stay as they were made");
    let cash = d.anna.create(ACCOUNTS, json!({ "name": "Desk", "kind": "cash", "opening_balance": "50", "opening_on": "2026-01-01" })).await.ok();
    let told = d.anna.call("banking", "reconciliation", json!({ "account_id": cash["id"] })).await.ok();
    assert_eq!((&told["in_books"], &told["difference"]), (&json!("50"), &json!("0")));
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn a_file_of_the_bank_comes_in_once_however_often_it_is_brought() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let made = d.file(CAMT).await.ok();
    let statement = d.anna.read(STATEMENTS, &made["_made"]).await.ok();
    assert_eq!((plain(&statement["opening"]), plain(&statement["closing"]), &statement["line_count"]), ("1000".into(), "1342.6".into(), &json!(4)));
    let lines = d.lines(&statement).await;
    let amounts: Vec<String> = lines.iter().map(|l| plain(&l["amount"])).collect();
    assert_eq!(amounts, ["116", "200", "39", "-12.4"], "a batch is its payments; what is pending is no money");
    assert_eq!((&lines[0]["counterparty"], &lines[0]["text"]), (&json!("Rope & Co Ltd"), &json!("Invoice INV-00001 with thanks")));
    assert_eq!((&lines[0]["iban"], &lines[0]["bic"]), (&json!("GB29NWBK60161331926819"), &json!("NWBKGB2L")));
    assert_eq!(lines[1]["creditor_reference"], "RF18539007547034");

    let again = d.file(CAMT).await.ok();
    assert_eq!(again["_made"]["id"], json!(null));
    assert_eq!(count(&d.anna.list(STATEMENTS, &[]).await.ok()), 1);
    let newer = d.file(include_str!("testdata/camt053_v8.xml")).await.ok();
    assert_eq!(newer["_made"]["id"], json!(null), "the same said in another version is the same");
    assert_eq!(count(&d.anna.list(LINES, &[]).await.ok()), 4);

    let told = d.reconciliation("2026-03-03").await;
    assert_eq!((&told["at_bank"], &told["in_books"], &told["unexplained"]), (&json!("1342.6"), &json!("1000"), &json!("0")), "the opening balance is in the books");
    assert_eq!(told["not_in_books"].as_array().unwrap().len(), 4);
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn every_format_says_the_same() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let made = d.file(include_str!("testdata/statement.mt940")).await.ok();
    let lines = d.lines(&made["_made"]).await;
    let first = &lines[0];
    assert_eq!((plain(&first["amount"]), &first["counterparty"], &first["end_to_end"]), ("116".into(), &json!("Rope & Co Ltd"), &json!("E2E-7")));
    assert_eq!((&first["text"], &first["iban"], &first["reference"]), (&json!("Invoice INV-00001 with thanks"), &json!("GB29NWBK60161331926819"), &json!("B20260302-1")));
    assert_eq!((plain(&lines[1]["amount"]), &lines[2]["booked_on"]), ("-12.4".into(), &json!("2026-01-02")), "booked in the year after its value");

    let tenge = d.anna.create(ACCOUNTS, json!({ "name": "Tenge", "currency": "KZT", "iban": "KZ86125KZT5004100100" })).await.ok();
    d.anna.create("ledger.exchange_rates", json!({ "currency": "EUR", "per": "KZT", "rate": "500", "valid_on": "2026-03-01" })).await.ok();
    let csv = json!({ "text": include_str!("testdata/statement_kz.csv"), "file_name": "march.csv" });
    let made = d.anna.act_with(ACCOUNTS, &tenge, "take_in", csv.clone()).await.ok();
    let statement = d.anna.read(STATEMENTS, &made["_made"]).await.ok();
    assert_eq!((plain(&statement["closing"]), &statement["line_count"]), ("1114699.5".into(), &json!(4)), "two lines that are alike are two");
    let again = d.anna.act_with(ACCOUNTS, &tenge, "take_in", csv).await.ok();
    assert_eq!(again["_made"]["id"], json!(null));
    // A file that overlaps brings what is new.
    let more = "Дата;Номер документа;Сумма;Назначение\n03.03.2026;77;-45000,50;За электроэнергию, февраль\n06.03.2026;78;10;x\n";
    let made = d.anna.act_with(ACCOUNTS, &tenge, "take_in", json!({ "text": more })).await.ok();
    let statement = d.anna.read(STATEMENTS, &made["_made"]).await.ok();
    assert_eq!((plain(&statement["closing"]), &statement["line_count"]), ("1114709.5".into(), &json!(1)));

    // Said once which column is what, it is remembered.
    let odd = "When|How much|What\n2026-03-07|(5.00)|fee\n";
    let ask = |text: &str, mapping: Value| json!({ "text": text, "mapping": mapping });
    d.anna.act_with(ACCOUNTS, &tenge, "take_in", json!({ "text": odd })).await.refused("say which they are");
    d.anna.act_with(ACCOUNTS, &tenge, "take_in", ask(odd, json!({ "booked_on": "Nowhere" }))).await.refused("no column");
    d.anna.act_with(ACCOUNTS, &tenge, "take_in", ask(odd, json!({ "how": "x" }))).await.refused("no field how");
    d.anna.act_with(ACCOUNTS, &tenge, "take_in", ask(odd, json!({ "booked_on": "When", "amount": "How much", "text": "What" }))).await.ok();
    let later = "When|How much|What\n2026-03-08|7|more\n";
    d.anna.act_with(ACCOUNTS, &tenge, "take_in", json!({ "text": later })).await.ok();
    sound(&s, &d.anna).await;
}

/// What is wrong with a file is said, with its line, and leaves nothing behind.
#[tokio::test]
async fn a_file_that_is_wrong_is_told_where() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let deep = format!("{}x{}", "<a>".repeat(100), "</a>".repeat(100));
    let cut: String = CAMT.chars().take(900).collect();
    for (text, why) in [
        ("", "no column for the day"),
        (include_str!("testdata/attack_entities.xml"), "no document type"),
        ("<a>&secret;</a>", "entities of XML itself"),
        (&deep, "no statement"),
        (&cut, "Line"),
        ("<Document/>", "no account statement"),
        (&CAMT.replace("1342.60", "1342.61"), "it says 1342.61"),
        (&CAMT.replace("DE89370400440532013000", "GB29NWBK60161331926819"), "the account GB29NWBK60161331926819"),
        (&CAMT.replace("<Ccy>EUR", "<Ccy>USD"), "in USD"),
        (&CAMT.replace("<Amt Ccy=\"EUR\">12.40", "<Amt Ccy=\"EUR\">twelve"), "Line 30"),
        (":20:X\n:25:1\n:60F:nonsense\n", "Line 3"),
        (":20:X\n:60F:C260301EUR1,00\n:61:2603020302CR116,00NTRF\n", "ends too early"),
        ("date,amount\n2026-03-01,1\n2026-02-30,2\n", "Line 3"),
        ("date,amount\n2026-03-01,1e5\n", "1e5 is not an amount"),
        ("date,amount\n", "no lines"),
    ] {
        d.file(text).await.refused(why);
    }
    assert_eq!(count(&d.anna.list(LINES, &[]).await.ok()), 0);
    d.file(CAMT).await.ok();
    let next = CAMT.replace("2026-03-0", "2026-04-0").replace("2026-042", "2026-043");
    d.file(&next).await.refused("does not follow from those before it");
    let next = next.replace(">1000.00<", ">1342.60<").replace("CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">1342.60", "CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">1685.20");
    d.file(&next).await.ok();
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn a_sure_line_is_one_action_and_its_way_back() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let invoice = d.invoice("out", "116").await;
    let line = d.line("116", "Invoice INV-00001, thanks").await;
    let found = d.suggestions(&line).await;
    assert_eq!((&found[0]["is_sure"], &found[0]["items"]), (&json!(true), &json!([{ "invoice_id": invoice["id"] }])), "{found:?}");
    let codes: Vec<&str> = found[0]["reasons"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["number", "amount", "name"]);

    let line = d.anna.act(LINES, &line, "take").await.ok();
    assert_eq!((&line["status"], d.open(&invoice).await.as_str()), (&json!("matched"), "0"));
    let match_one = d.anna.list(MATCHES, &[("expand", "payment")]).await.ok()["data"][0].clone();
    assert_eq!((&match_one["payment"]["paid_on"], &match_one["payment"]["account_id"]), (&json!("2026-03-02"), &d.bank["account_id"]));
    assert_eq!(d.reconciliation("2026-03-02").await["difference"], "0", "what is matched is in the books");
    let learned = d.anna.list("banking.party_accounts", &[]).await.ok();
    assert_eq!((&learned["data"][0]["iban"], &learned["data"][0]["is_learned"]), (&json!("GB29NWBK60161331926819"), &json!(true)));
    d.anna.act(PAYMENTS, &json!({ "id": match_one["payment_id"] }), "void").await.refused("undo the match first");
    sound(&s, &d.anna).await;

    let line = d.anna.act(LINES, &line, "undo").await.ok();
    assert_eq!((&line["status"], d.open(&invoice).await.as_str()), (&json!("open"), "116"));
    assert!(d.anna.list(MATCHES, &[]).await.ok()["data"][0]["undone_at"].is_string(), "it stays, with the day");
    d.anna.act(LINES, &line, "undo").await.refused("Cannot undo a record that is open");
    sound(&s, &d.anna).await;
    // Seen once, the account tells whose money it is.
    let line = d.anna.act(LINES, &line, "take").await.ok();
    let undone = d.anna.act(LINES, &line, "undo").await.ok();
    assert!(d.suggestions(&undone).await[0]["reasons"].to_string().contains("iban"));
}

#[tokio::test]
async fn a_line_is_split_as_it_was_meant() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let (one, two) = (d.invoice("out", "100").await, d.invoice("out", "50").await);
    let fees = d.account("6900").await;
    let line = d.line("147.50", "two invoices less a fee").await;
    let items = |fee: &str| json!([{ "invoice_id": one["id"] }, { "invoice_id": two["id"] }, { "account_id": fees, "amount": fee, "memo": "fee" }]);
    d.matched(&line, items("-2")).await.refused("The parts come to 148, the line to 147.5.");
    assert_eq!(d.open(&one).await, "100", "nothing of it is left");
    d.matched(&line, items("-2.50")).await.ok();
    assert_eq!((d.open(&one).await, d.open(&two).await), ("0".into(), "0".into()));
    assert_eq!(count(&d.anna.list(PAYMENTS, &[]).await.ok()), 1, "one party, one payment");

    // A part, with the rest written off; a tax taken out of what is paid on an account; money in advance.
    let three = d.invoice("out", "30").await;
    let line = d.line("29.50", "short").await;
    d.matched(&line, json!([{ "invoice_id": three["id"], "amount": "29.50", "write_off": "0.50" }])).await.ok();
    assert_eq!(d.open(&three).await, "0");
    let line = d.anna.read(LINES, &line).await.ok();
    d.anna.act(LINES, &line, "undo").await.ok();
    assert_eq!(d.open(&three).await, "30", "what was written off is expected again");

    let line = d.line("75", "in advance").await;
    d.matched(&line, json!([{ "party_id": d.party["id"] }])).await.ok();
    let told = d.anna.call("banking", "advances", json!({})).await.ok();
    assert_eq!((&told["rows"][0]["party"], &told["rows"][0]["amount"]), (&json!("Rope & Co Ltd"), &json!("75")));
    let later = d.invoice("out", "75").await;
    d.anna.act_with(PAYMENTS, &told["rows"][0]["payments"][0], "allocate", json!({ "invoice_id": later["id"] })).await.ok();
    assert_eq!(d.open(&later).await, "0");
    assert_eq!(d.anna.call("banking", "advances", json!({})).await.ok()["rows"], json!([]));

    let line = d.line("-11.60", "phone").await;
    d.matched(&line, json!([{ "account_id": d.account("1100").await }])).await.refused("settled by a payment");
    d.matched(&line, json!([{ "account_id": d.bank["account_id"] }])).await.refused("from an account to itself");
    d.matched(&line, json!([])).await.refused("Say what the line is");
    d.matched(&line, json!([{ "account_id": fees, "invoice_id": one["id"] }])).await.refused("Say what the line is");
    d.matched(&line, json!([{ "invoice_id": one["id"], "amount": "-11.60" }])).await.refused("Money that comes in pays our invoices");
    d.matched(&line, json!([{ "account_id": fees, "amount": "0" }])).await.refused("A part of nothing");
    d.matched(&line, json!([{ "account_id": fees }])).await.ok();
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn what_is_in_the_books_already_is_found_there() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let invoice = d.invoice("out", "40").await;
    // Entered for no account in particular: it stands on the usual one until the bank says where it is.
    d.anna.act_with(INVOICES, &invoice, "pay", json!({ "paid_on": "2026-03-01" })).await.ok();
    let line = d.line("40", "INV-00001").await;
    let found = d.suggestions(&line).await;
    assert!(found[0]["is_sure"] == true && found[0]["items"][0]["payment_id"].is_string(), "{found:?}");
    d.anna.act(LINES, &line, "take").await.ok();
    assert_eq!(d.reconciliation("2026-03-02").await["difference"], "0");
    let other = d.line("40", "the same again").await;
    d.matched(&other, found[0]["items"].clone()).await.refused("This payment is on a statement already.");
    sound(&s, &d.anna).await;
    let line = d.anna.read(LINES, &line).await.ok();
    d.anna.act(LINES, &line, "undo").await.ok();
    assert_eq!(d.open(&invoice).await, "0", "the payment was there before, and stays");
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn rules_know_what_lines_mean() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let fees = d.account("6900").await;
    const RULES: &str = "banking.reconciliation_rules";
    let condition = json!({ "operator": "AND", "rules": [{ "field": "text", "operator": "contains_ci", "value": "account fee" }, { "field": "amount", "operator": "gte", "value": -20 }] });
    for (condition, why) in [
        (json!({}), "Say which lines"),
        (json!({ "field": "salary", "operator": "eq", "value": 1 }), "no field salary"),
        (json!({ "field": "text", "operator": "explodes", "value": 1 }), ""),
    ] {
        d.anna.create(RULES, json!({ "name": "x", "condition": condition, "account_id": fees })).await.refused(why);
    }
    d.anna.create(RULES, json!({ "name": "x", "condition": condition })).await.refused("names an account or a party");
    let rule = d.anna.create(RULES, json!({ "name": "Bank fees", "condition": condition, "account_id": fees, "memo": "Fee of the bank", "is_sure": true })).await.ok();
    let small = d.line("-12.40", "ACCOUNT FEE March").await;
    let large = d.line("-1240", "ACCOUNT FEE of the year").await;
    assert_eq!(d.suggestions(&small).await[0]["title"], "Bank fees");
    assert_eq!(d.suggestions(&large).await, Vec::<Value>::new());
    d.anna.act(LINES, &small, "take").await.ok();
    d.anna.act(LINES, &large, "take").await.refused("No suggestion for this line is sure enough.");
    d.anna.update(RULES, &rule, json!({ "is_active": false })).await.ok();
    let off = d.line("-12.40", "ACCOUNT FEE April").await;
    assert_eq!(d.suggestions(&off).await, Vec::<Value>::new());
    sound(&s, &d.anna).await;
}

/// Two people at the same line: one wins, and it is in the books once. The same for two lines of one invoice.
#[tokio::test]
async fn a_line_is_matched_once_whoever_matches_at_the_same_moment() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let invoice = d.invoice("out", "100").await;
    let (line, twin) = (d.line("100", "first").await, d.line("100", "second").await);
    let items = json!([{ "invoice_id": invoice["id"] }]);
    let insist = async |line: &Value| loop {
        match d.anna.act_with(LINES, line, "match", json!({ "items": items })).await.result() {
            Err(kernel::Error::Unavailable(_)) => {}
            Err(kernel::Error::Refused(_) | kernel::Error::Stale) => return false,
            done => return !done.unwrap().is_null(),
        }
    };
    let tries = (0..20).map(|n| insist(if n % 2 == 0 { &line } else { &twin }));
    let done = futures_util::future::join_all(tries).await.into_iter().filter(|done| *done).count();
    assert_eq!((done, d.open(&invoice).await.as_str()), (1, "0"));
    assert_eq!(count(&d.anna.list(PAYMENTS, &[]).await.ok()), 1, "what failed left nothing");
    let files = (0..8).map(|_| async { d.file("date,amount,reference\n2026-03-09,1,A\n2026-03-09,1,B\n").await.result() });
    let files = futures_util::future::join_all(files).await;
    assert!(files.iter().any(Result::is_ok));
    assert_eq!(count(&d.anna.list(LINES, &[("booked_on", "2026-03-09")]).await.ok()), 2);
    sound(&s, &d.anna).await;
}

/// What an attacker would send: other companies' records, records out of his sight, lines of his own making, other people's accounts.
#[tokio::test]
async fn the_bank_is_for_those_who_may() {
    let s = scene(crate::ALL).await;
    let (d, e) = (Desk::of(&s).await, Desk::in_company(&s, "Globex").await);
    let theirs = e.invoice("out", "10").await;
    let line = d.line("10", "x").await;
    d.matched(&line, json!([{ "invoice_id": theirs["id"] }])).await.refused("There is no such record.");
    d.matched(&line, json!([{ "account_id": e.account("6900").await }])).await.refused("There is no such record.");
    d.matched(&line, json!([{ "party_id": e.party["id"] }])).await.refused("There is no such record.");
    d.matched(&line, json!([{ "party_id": "1 or 1=1" }])).await.refused("not an id");
    e.anna.act_with(LINES, &line, "match", json!({ "items": [] })).await.not_found();
    e.anna.call("banking", "suggestions", json!({ "line_id": line["id"] })).await.not_found();
    e.anna.call("banking", "reconciliation", json!({ "account_id": d.bank["id"] })).await.not_found();
    e.anna.act_with(ACCOUNTS, &d.bank, "take_in", json!({ "text": CAMT })).await.not_found();

    let owner = s.person("Acme", "owner").await;
    assert!(owner.create(LINES, json!({ "amount": "1000000" })).await.result().is_err(), "nobody writes what the bank says");
    owner.update(LINES, &line, json!({ "amount": "1000000" })).await.forbidden();
    assert!(owner.delete(LINES, &line).await.result().is_err());
    for sql in [
        format!("update banking.statement_lines set amount = 1000000 where id = '{}'", testkit::id(&line)),
        format!("update banking.statement_lines set deleted_at = now() where id = '{}'", testkit::id(&line)),
        "update banking.statements set closing = 5".to_owned(),
        "delete from banking.statements".to_owned(),
    ] {
        let done = kernel::within!(s.store, &owner.actor, tx => Ok(tx.execute(&sql, &[]).await?));
        assert!(!matches!(done, Ok(n) if n > 0), "{sql}");
    }
    let sally = s.person("Acme", "salesperson").await;
    sally.act_with(LINES, &line, "match", json!({ "items": [] })).await.forbidden();
    sally.call("banking", "suggestions", json!({ "line_id": line["id"] })).await.forbidden();
    sally.call("banking", "advances", json!({})).await.ok();

    // An account for managers is for managers.
    let bank = d.anna.read(ACCOUNTS, &d.bank).await.ok();
    d.mona.update(ACCOUNTS, &bank, json!({ "roles": ["manager"] })).await.ok();
    d.matched(&line, json!([{ "party_id": d.party["id"] }])).await.forbidden();
    d.anna.act_with(ACCOUNTS, &bank, "take_in", json!({ "text": CAMT })).await.forbidden();
    d.anna.create("banking.transfers", json!({ "from_id": bank["id"], "to_id": bank["id"], "amount": "1" })).await.refused("from one account to another");
    d.anna.create(RUNS, json!({ "bank_account_id": bank["id"] })).await.forbidden();
    d.mona.act_with(LINES, &line, "match", json!({ "items": [{ "party_id": d.party["id"] }] })).await.ok();
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn a_cash_desk_is_opened_counted_and_closed() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    const ENTRIES: &str = "banking.cash_entries";
    const DAYS: &str = "banking.cash_days";
    let desk = d.anna.create(ACCOUNTS, json!({ "name": "Desk", "kind": "cash", "opening_on": "2026-01-01", "opening_balance": "100" })).await.ok();
    let invoice = d.invoice("out", "40").await;
    let take = |body: Value| {
        let mut body = body;
        body["bank_account_id"] = desk["id"].clone();
        body
    };
    d.anna.create(ENTRIES, take(json!({ "amount": "40", "invoice_id": invoice["id"] }))).await.refused("Open the cash desk first.");
    d.anna.create(DAYS, json!({ "bank_account_id": d.bank["id"] })).await.refused("Only a cash desk has days.");
    let day = d.anna.create(DAYS, json!({ "bank_account_id": desk["id"] })).await.ok();
    d.anna.create(DAYS, json!({ "bank_account_id": desk["id"] })).await.refused("already");
    let received = d.anna.create(ENTRIES, take(json!({ "amount": "40", "invoice_id": invoice["id"] }))).await.ok();
    assert_eq!((&received["number"], d.open(&invoice).await.as_str()), (&json!("CO-00001"), "0"));
    let fees = d.account("6900").await;
    let paid = d.anna.create(ENTRIES, take(json!({ "direction": "out", "amount": "15", "account_id": fees, "memo": "stamps" }))).await.ok();
    d.anna.create(ENTRIES, take(json!({ "direction": "out", "amount": "500", "account_id": fees }))).await.refused("There is only 125 in the desk.");
    d.anna.create(ENTRIES, take(json!({ "amount": "1" }))).await.refused("Name an invoice, a party or an account");
    d.anna.update(ENTRIES, &paid, json!({ "amount": "1" })).await.forbidden();
    d.anna.act(ENTRIES, &paid, "take_back").await.ok();
    d.anna.act(ENTRIES, &paid, "take_back").await.refused("Cannot take back");
    let moved = json!({ "from_id": desk["id"], "to_id": d.bank["id"], "amount": "90" });
    d.anna.create("banking.transfers", moved).await.ok();
    d.anna.act_with(DAYS, &day, "close", json!({ "counted": "49" })).await.refused("on which account the difference of -1");
    let close = (0..6).map(|_| async { d.anna.act_with(DAYS, &day, "close", json!({ "counted": "49", "account_id": fees })).await.result() });
    let closed = futures_util::future::join_all(close).await.into_iter().filter(Result::is_ok).count();
    let day = d.anna.read(DAYS, &day).await.ok();
    assert_eq!((closed, plain(&day["expected"]), plain(&day["difference"])), (1, "50".into(), "-1".into()));
    let told = d.anna.call("banking", "reconciliation", json!({ "account_id": desk["id"] })).await.ok();
    assert_eq!(told["in_books"], "49");
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn money_changes_its_currency_at_what_it_was_worth() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    d.anna.create("ledger.exchange_rates", json!({ "currency": "USD", "per": "EUR", "rate": "0.90", "valid_on": "2026-03-01" })).await.ok();
    let dollars = d.anna.create(ACCOUNTS, json!({ "name": "Dollars", "currency": "USD", "opening_balance": "1000", "opening_on": "2026-03-01" })).await.ok();
    let ask = |more: Value| {
        let mut body = json!({ "from_id": dollars["id"], "to_id": d.bank["id"], "amount": "100", "moved_on": "2026-03-02" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    d.anna.create("banking.transfers", ask(json!({}))).await.refused("Say how much arrived, in EUR.");
    let moved = d.anna.create("banking.transfers", ask(json!({ "received_amount": "88" }))).await.ok();
    let loss = d.anna.call("ledger", "trial_balance", json!({ "from": "2026-01-01", "to": "2026-12-31" })).await.ok();
    let row = loss["rows"].as_array().unwrap().iter().find(|r| r["code"] == "6800").unwrap().clone();
    assert_eq!(plain(&row["closing"]), "2", "90 were worth 88");
    let line = d.line("88", "from dollars").await;
    let found = d.suggestions(&line).await;
    assert!(found[0]["items"][0]["entry_id"].is_string(), "{found:?}");
    d.matched(&line, found[0]["items"].clone()).await.ok();
    d.anna.act("banking.transfers", &moved, "take_back").await.refused("undo the match first");
    assert_eq!(d.reconciliation("2026-03-02").await["difference"], "0");

    // An invoice in dollars, paid in euro.
    let body = json!({ "party_id": d.party["id"], "currency": "USD", "issued_on": "2026-03-01", "lines": [{ "name": "x", "price": "200" }] });
    let invoice = d.anna.create(INVOICES, body).await.ok();
    let invoice = d.anna.act(INVOICES, &invoice, "post").await.ok();
    let line = d.line("181", "for dollars").await;
    d.matched(&line, json!([{ "invoice_id": invoice["id"], "amount": "181" }])).await.ok();
    assert_eq!(d.open(&invoice).await, "0");
    sound(&s, &d.anna).await;
    let line = d.anna.read(LINES, &line).await.ok();
    d.anna.act(LINES, &line, "undo").await.ok();
    assert_eq!(d.open(&invoice).await, "200");
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn a_payment_run_needs_two_people_and_the_bank() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let bill = d.invoice("in", "59.50").await;
    let run = d.anna.create(RUNS, json!({ "bank_account_id": d.bank["id"] })).await.ok();
    d.anna.act(RUNS, &run, "submit").await.refused("nothing to pay");
    d.anna.act_with(RUNS, &run, "propose", json!({ "due_by": "2026-01-01" })).await.refused("No bill is due");
    let run = d.anna.act_with(RUNS, &run, "propose", json!({ "due_by": "2099-01-01" })).await.ok();
    assert_eq!((plain(&run["amount"]), run["lines"].as_array().map(Vec::len)), ("59.5".into(), Some(1)));
    d.anna.act(RUNS, &run, "submit").await.refused("no confirmed bank account of Rope & Co Ltd");
    // Seen on a statement is not vouched for.
    let line = d.line("1", "hello").await;
    d.matched(&line, json!([{ "party_id": d.party["id"] }])).await.ok();
    d.anna.act(RUNS, &run, "submit").await.refused("no confirmed bank account");
    let seen = d.anna.list("banking.party_accounts", &[]).await.ok()["data"][0].clone();
    d.anna.act("banking.party_accounts", &seen, "confirm").await.ok();
    let row = json!({ "id": run["lines"][0]["id"], "party_account_id": seen["id"] });
    let run = d.anna.update(RUNS, &run, json!({ "lines": [row] })).await.ok();
    let other = d.mona.create(RUNS, json!({ "bank_account_id": d.bank["id"], "lines": [{ "invoice_id": bill["id"] }] })).await;
    other.refused("in a payment run already");
    let run = d.anna.act(RUNS, &run, "submit").await.ok();
    d.anna.act(RUNS, &run, "approve").await.forbidden();
    let owner = s.person("Acme", "owner").await;
    d.anna.act(RUNS, &run, "payment_file").await.refused("Cannot payment file");
    let run = owner.act(RUNS, &run, "return").await.ok();
    let run = owner.act(RUNS, &run, "submit").await.ok();
    owner.act(RUNS, &run, "approve").await.refused("Whoever prepared a payment run does not approve it.");
    let run = d.mona.act(RUNS, &run, "approve").await.ok();
    assert_eq!((&run["status"], d.open(&bill).await.as_str()), (&json!("approved"), "59.5"), "the bank has not paid yet");
    let file = d.anna.act(RUNS, &run, "payment_file").await.ok()["_made"]["file"].clone();
    let text = file["text"].as_str().unwrap();
    assert!(file["name"] == "RUN-00001.xml" && text.contains("<IBAN>GB29NWBK60161331926819</IBAN>") && text.contains(r#"<InstdAmt Ccy="EUR">59.50</InstdAmt>"#), "{text}");

    let line = d.line("-59.50", "PAY-00002 BILL-00001").await;
    let found = d.suggestions(&line).await;
    assert!(found[0]["is_sure"] == true && found[0]["items"][0]["payment_id"].is_string(), "{found:?}");
    d.anna.act(LINES, &line, "take").await.ok();
    assert_eq!((&d.anna.read(RUNS, &run).await.ok()["status"], d.open(&bill).await.as_str()), (&json!("executed"), "0"));
    sound(&s, &d.anna).await;

    let bill = d.invoice("in", "10").await;
    let again = d.anna.create(RUNS, json!({ "bank_account_id": d.bank["id"], "lines": [{ "invoice_id": bill["id"], "party_account_id": seen["id"] }] })).await.ok();
    let again = d.anna.act(RUNS, &again, "submit").await.ok();
    let again = d.mona.act(RUNS, &again, "approve").await.ok();
    d.anna.act(RUNS, &again, "recall").await.ok();
    d.anna.create(RUNS, json!({ "bank_account_id": d.bank["id"], "lines": [{ "invoice_id": bill["id"] }] })).await.ok();
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn a_payment_method_says_how_and_where() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    const METHODS: &str = "finance.payment_methods";
    let card = d.anna.create(METHODS, json!({ "name": "Terminal", "method": "CARD", "account_id": d.bank["account_id"], "currency": "EUR" })).await.ok();
    let body = |more: Value| {
        let mut body = json!({ "party_id": d.party["id"], "amount": "5", "payment_method_id": card["id"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let paid = d.anna.create(PAYMENTS, body(json!({}))).await.ok();
    assert_eq!((&paid["method"], &paid["account_id"]), (&json!("CARD"), &d.bank["account_id"]));
    d.anna.create(PAYMENTS, body(json!({ "currency": "USD", "exchange_rate": "1" }))).await.refused("takes EUR only");
    let card = d.mona.update(METHODS, &card, json!({ "roles": ["manager"] })).await.ok();
    d.anna.create(PAYMENTS, body(json!({}))).await.forbidden();
    d.mona.create(PAYMENTS, body(json!({}))).await.ok();
    d.mona.update(METHODS, &card, json!({ "is_active": false })).await.ok();
    d.mona.create(PAYMENTS, body(json!({}))).await.refused("no longer used");
}

/// Each planted wrong is told of.
#[tokio::test]
async fn verify_names_what_is_wrong() {
    let s = testkit::scene_alone(crate::ALL).await;
    let d = Desk::of(&s).await;
    let line = d.line("5", "x").await;
    d.matched(&line, json!([{ "account_id": d.account("4900").await }])).await.ok();
    let planted = "alter table banking.statement_lines disable trigger user; alter table banking.statements disable trigger user; alter table banking.line_matches disable trigger user";
    for (sabotage, told) in [
        ("update banking.statement_lines set amount = 6", "the bank says"),
        ("update banking.statements set closing = 6", "the bank says"),
        ("update banking.statements set matched_count = 0", "of them matched"),
        ("update banking.statement_lines set status = 'open'", "its matches come to"),
        ("update banking.line_matches set amount = 4", "which says"),
    ] {
        s.admin().batch_execute(&format!("begin; {planted}; {sabotage}")).await.unwrap();
        let wrong = s.strings("select wrong from banking.verify()", &[]).await;
        s.admin().batch_execute("rollback").await.unwrap();
        assert!(wrong.iter().any(|w| w.contains(told)), "{sabotage}: {wrong:?}");
    }
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn a_run_pays_in_the_days_of_the_discount() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let account = json!({ "party_id": d.party["id"], "iban": "GB29NWBK60161331926819" });
    d.anna.create("banking.party_accounts", account).await.ok();
    let terms = json!({ "code": "2/10", "name": "2 % in 10 days", "discount_percent": "2", "discount_days": 10, "lines": [{ "percent": "100", "days": 30 }] });
    let terms = d.anna.create("receivables.payment_terms", terms).await.ok();
    let today = jiff::Zoned::now().date();
    let day = |days: i64| today.checked_add(jiff::Span::new().days(days)).unwrap().to_string();
    let bill = async |issued: String| {
        let body = json!({ "direction": "in", "party_id": d.party["id"], "issued_on": issued, "lines": [{ "name": "x", "price": "100", "tax_rate": "20" }] });
        let draft = d.anna.create(INVOICES, body).await.ok();
        d.anna.act_with(INVOICES, &draft, "use_terms", json!({ "terms_id": terms["id"] })).await.ok();
        d.anna.act(INVOICES, &draft, "post").await.ok()
    };
    let (open, over) = (bill(day(-5)).await, bill(day(-11)).await);
    let run = d.anna.create(RUNS, json!({ "bank_account_id": d.bank["id"] })).await.ok();
    d.anna.act_with(RUNS, &run, "propose", json!({ "due_by": day(4) })).await.refused("No bill is due");
    let run = d.anna.act_with(RUNS, &run, "propose", json!({ "due_by": day(5) })).await.ok();
    let line = &run["lines"][0];
    assert_eq!((&line["invoice_id"], plain(&line["amount"]), plain(&line["discount"])), (&open["id"], "117.6".into(), "2.4".into()));
    assert_eq!(run["lines"].as_array().map(Vec::len), Some(1), "the other is due in time: {over}");
    // Whoever pays another amount gets no discount; whoever pays later neither.
    let whole = d.anna.update(RUNS, &run, json!({ "lines": [{ "id": line["id"], "amount": "120" }] })).await.ok();
    assert_eq!(plain(&whole["lines"][0]["discount"]), "0");
    let less = d.anna.update(RUNS, &whole, json!({ "lines": [{ "id": line["id"], "amount": "117.60" }] })).await.ok();
    assert_eq!(plain(&less["lines"][0]["discount"]), "2.4");
    let late = d.anna.update(RUNS, &less, json!({ "execute_on": day(6) })).await.ok();
    d.anna.act(RUNS, &late, "submit").await.refused("The discount on BILL-00001 ends before the bank pays it");
    let run = d.anna.update(RUNS, &late, json!({ "execute_on": day(5) })).await.ok();
    let run = d.anna.act(RUNS, &run, "submit").await.ok();
    let run = d.mona.act(RUNS, &run, "approve").await.ok();
    let file = d.anna.act(RUNS, &run, "payment_file").await.ok()["_made"]["file"].clone();
    assert!(file["text"].as_str().unwrap().contains(r#"<InstdAmt Ccy="EUR">117.60</InstdAmt>"#));
    let line = d.line("-117.60", "PAY-00001 BILL-00001").await;
    d.anna.act(LINES, &line, "take").await.ok();
    let paid = d.anna.read(INVOICES, &open).await.ok();
    assert_eq!((&paid["status"], plain(&paid["written_off"])), (&json!("paid"), "2.4".into()));
    // The discount is booked with its share of the tax.
    let rows = d.anna.call("ledger", "trial_balance", json!({})).await.ok()["rows"].clone();
    let said = |code: &str| rows.as_array().unwrap().iter().find(|r| r["code"] == code).map(|r| plain(&r["closing"]));
    let taken = s.strings("select a.code from ledger.ledger_accounts a where a.organization_id = $1 and a.purpose = 'discount_taken'", &[&d.anna.actor.organization]).await;
    assert_eq!(said(&taken[0]), Some("-2".into()));
    sound(&s, &d.anna).await;
}

#[tokio::test]
async fn a_payment_of_a_run_that_waits_for_approval_holds_its_file_back() {
    let s = scene(crate::ALL).await;
    let d = Desk::of(&s).await;
    let account = json!({ "party_id": d.party["id"], "iban": "GB29NWBK60161331926819" });
    d.anna.create("banking.party_accounts", account).await.ok();
    let owner = s.person("Acme", "owner").await;
    let rule = json!({ "name": "Large", "entity": PAYMENTS, "action": "complete", "condition": { "field": "amount", "op": "gt", "value": 100 },
        "levels": [{ "people": [owner.actor.user] }], "on_reject": "cancel" });
    flow::approval_rules::put(&owner.store, &owner.actor, None, &serde_json::from_value(rule).unwrap()).await.unwrap();
    let decide = async |decision: &str| {
        let queue = flow::approvals::list(&owner.store, &owner.actor, "mine", None, None).await.unwrap();
        let decision = flow::approvals::Decision { decision, comment: Some("because"), to: None };
        flow::approvals::decide(&owner.store, &owner.actor, testkit::id(&queue[0]), &decision).await.unwrap();
    };
    let run = async |amounts: &[&str]| {
        let mut lines = Vec::new();
        for amount in amounts {
            lines.push(json!({ "invoice_id": d.invoice("in", amount).await["id"] }));
        }
        let run = d.anna.create(RUNS, json!({ "bank_account_id": d.bank["id"], "lines": lines })).await.ok();
        let run = d.anna.act(RUNS, &run, "submit").await.ok();
        d.mona.act(RUNS, &run, "approve").await.ok()
    };
    let file = async |run: &Value| d.anna.act(RUNS, run, "payment_file").await;
    let text = async |run: &Value| file(run).await.ok()["_made"]["file"]["text"].as_str().unwrap().to_owned();
    let first = run(&["50", "200"]).await;
    file(&first).await.refused("of this run has not been approved.");
    decide("approve").await;
    assert!(text(&first).await.contains("200.00"));
    let second = run(&["50", "300"]).await;
    decide("reject").await;
    let text = text(&second).await;
    assert!(text.contains("50.00") && !text.contains("300.00"), "{text}");
    sound(&s, &d.anna).await;
}
