//! What customers owe, as the people who ask for it see it.

use serde_json::{Value, json};
use testkit::{Person, Scene, scene};

const INVOICES: &str = "finance.invoices";
const PAYMENTS: &str = "finance.payments";
const TERMS: &str = "receivables.payment_terms";
const PARTY_TERMS: &str = "receivables.party_terms";
const LETTERS: &str = "receivables.dunning_letters";
const RECURRING: &str = "receivables.recurring_invoices";

struct Office {
    anna: Person,
    party: Value,
    /// Where letters to the customer go: all companies of all tests write into one table.
    mail: String,
}

impl Office {
    async fn of(s: &Scene) -> Office {
        let anna = s.person("Acme", "accountant").await;
        let mail = format!("pay@{}.test", anna.actor.organization);
        let party = json!({ "name": "Rope & Co", "email": mail, "is_customer": true });
        let party = anna.create("parties.parties", party).await.ok();
        Office { anna, party, mail }
    }

    async fn draft(&self, mut invoice: Value, amount: &str) -> Value {
        invoice["party_id"] = self.party["id"].clone();
        invoice["lines"] = json!([{ "name": "x", "price": amount }]);
        self.anna.create(INVOICES, invoice).await.ok()
    }

    async fn posted(&self, issued: &str, due: &str, amount: &str) -> Value {
        let draft = self.draft(json!({ "issued_on": issued, "due_on": due }), amount).await;
        self.anna.act(INVOICES, &draft, "post").await.ok()
    }

    async fn terms(&self, code: &str, discount: Option<(&str, i32)>, parts: &[(&str, i32, i32)]) -> Value {
        let lines: Vec<Value> =
            parts.iter().map(|(p, m, d)| json!({ "percent": p, "months": m, "days": d })).collect();
        let mut terms = json!({ "code": code, "name": code, "lines": lines });
        if let Some((percent, days)) = discount {
            terms["discount_percent"] = json!(percent);
            terms["discount_days"] = json!(days);
        }
        self.anna.create(TERMS, terms).await.ok()
    }

    async fn split(&self, invoice: Value, amount: &str, terms: &Value) -> Value {
        let draft = self.draft(invoice, amount).await;
        self.anna.act_with(INVOICES, &draft, "use_terms", json!({ "terms_id": terms["id"] })).await.ok();
        self.anna.act(INVOICES, &draft, "post").await.ok()
    }

    async fn aging(&self, body: Value) -> Value {
        self.anna.call("finance", "invoice_aging", body).await.ok()
    }

    /// Not due, then the buckets.
    async fn aged(&self, body: Value) -> Vec<String> {
        let told = self.aging(body).await;
        let row = &told["rows"][0];
        let all = std::iter::once(&row["not_due"]).chain(row["aged"].as_array().into_iter().flatten());
        all.map(plain).collect()
    }

    async fn pay(&self, invoice: &Value, day: &str, amount: &str) -> Value {
        let body = json!({ "amount": amount, "paid_on": day });
        self.anna.act_with(INVOICES, invoice, "pay", body).await.ok()
    }

    /// What the program is to write to the customer, with the paper.
    async fn letters(&self, s: &Scene) -> Vec<String> {
        let sql = "select payload ->> 'message' from app.jobs where kind = 'records.send' and payload ->> 'to' = $1";
        s.strings(sql, &[&self.mail]).await
    }

    /// As the program, in this company.
    async fn as_system(&self, s: &Scene, sql: &str) {
        let here = self.anna.actor.organization;
        let nobody = "00000000-0000-0000-0000-000000000000";
        let all = format!(
            "begin; set local app.context = '{here} {nobody} {nobody} '; set local app.system = 'yes'; {sql}; commit"
        );
        s.admin().batch_execute(&all).await.unwrap();
    }

    async fn count(&self, entity: &str) -> usize {
        self.anna.list(entity, &[("limit", "200")]).await.ok()["data"].as_array().unwrap().len()
    }
}

/// An amount without the zeros at its end.
fn plain(amount: &Value) -> String {
    let text = amount.as_str().unwrap_or_else(|| panic!("no amount: {amount}"));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text.into() }
}

fn parts(invoice: &Value) -> Vec<(String, String)> {
    let parts = invoice["instalments"].as_array().unwrap();
    parts.iter().map(|p| (p["due_on"].as_str().unwrap().to_owned(), plain(&p["amount"]))).collect()
}

#[tokio::test]
async fn parts_are_due_when_the_terms_say() {
    let s = scene(crate::ALL).await;
    for (issued, months, days, end, day, due) in [
        ("2026-01-31", 1, 0, false, None, "2026-02-28"),
        ("2028-01-31", 1, 0, false, None, "2028-02-29"),
        ("2026-01-31", 0, 30, false, None, "2026-03-02"),
        ("2026-01-15", 0, 0, true, None, "2026-01-31"),
        ("2026-01-31", 0, 30, true, None, "2026-03-31"),
        ("2026-01-31", 1, 0, true, Some(10), "2026-03-10"),
        ("2026-04-11", 0, 0, false, Some(10), "2026-05-10"),
        ("2026-04-10", 0, 0, false, Some(10), "2026-04-10"),
        ("2026-04-10", 0, 0, false, Some(31), "2026-04-30"),
        ("2026-11-30", 3, 0, false, None, "2027-02-28"),
    ] {
        let day = day.map_or("null".to_owned(), |d: i32| d.to_string());
        let sql = format!("select receivables.due('{issued}', {months}, {days}, {end}, {day})::text");
        assert_eq!(s.strings(&sql, &[]).await, [due], "{sql}");
    }
}

#[tokio::test]
async fn instalments_come_to_the_whole_in_every_currency() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let terms = a.terms("30-30-40", None, &[("30", 0, 0), ("30", 1, 0), ("40", 2, 0)]).await;
    let thirds = a.terms("thirds", None, &[("33.33", 0, 0), ("33.33", 1, 0), ("33.34", 2, 0)]).await;
    for (currency, amount, terms, golden) in [
        ("JPY", "1001", &terms, ["300", "300", "401"]),
        ("EUR", "100.01", &terms, ["30", "30", "40.01"]),
        ("KWD", "10.001", &terms, ["3", "3", "4.001"]),
        ("EUR", "100", &thirds, ["33.33", "33.33", "33.34"]),
        ("EUR", "0.05", &terms, ["0.02", "0.01", "0.02"]),
        ("JPY", "10", &thirds, ["3", "3", "4"]),
    ] {
        let rate = if currency == "EUR" { "1" } else { "0.5" };
        let invoice = json!({ "currency": currency, "exchange_rate": rate, "issued_on": "2026-01-31" });
        let posted = a.split(invoice, amount, terms).await;
        let days = ["2026-01-31", "2026-02-28", "2026-03-31"].map(str::to_owned);
        let golden = days.into_iter().zip(golden.map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(parts(&posted), golden, "{currency} {amount}");
        assert_eq!(posted["due_on"], "2026-03-31", "the last part's");
    }
    assert_eq!(s.strings("select wrong from receivables.verify()", &[]).await, [""; 0]);
    let odd = json!({ "code": "90", "name": "90", "lines": [{ "percent": "90" }] });
    a.anna.create(TERMS, odd).await.refused("The parts come to 90 percent, not to 100.");
    let posted = a.posted("2026-01-01", "2026-01-31", "5").await;
    a.anna.act_with(INVOICES, &posted, "use_terms", json!({ "terms_id": terms["id"] })).await.refused("Cannot use terms");
}

/// The runtime role with SQL of its own.
#[tokio::test]
async fn instalments_cannot_be_written_past_their_terms() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let terms = a.terms("halves", None, &[("50", 0, 0), ("50", 1, 0)]).await;
    let posted = a.split(json!({}), "100", &terms).await;
    let id = testkit::id(&posted);
    for sql in [
        format!("update finance.instalments set amount = 1 where invoice_id = '{id}'"),
        format!("delete from finance.instalments where invoice_id = '{id}'"),
        format!("insert into finance.instalments (invoice_id, position, due_on, amount) values ('{id}', 9, '2030-01-01', 1)"),
        format!("select finance.set_instalments('{id}', current_date, array[current_date], array[100])"),
    ] {
        let entity = a.anna.store.catalog().entity(INVOICES).unwrap();
        let done = kernel::within!(a.anna.store, &a.anna.actor, (entity, "update"), tx => Ok(tx.execute(&sql, &[]).await?));
        assert!(done.is_err(), "{sql}");
    }
    let one = json!({ "instalments": [{ "due_on": "2030-01-01", "amount": "1" }] });
    a.anna.update(INVOICES, &posted, one).await.result().unwrap_err();
    a.anna.update(INVOICES, &posted, json!({ "instalments": [] })).await.result().ok();
    assert_eq!(parts(&a.anna.read(INVOICES, &posted).await.ok()), parts(&posted));
}

#[tokio::test]
async fn an_invoice_stands_in_the_bucket_of_its_age() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    a.posted("2026-01-01", "2026-01-31", "100").await;
    for (as_of, golden) in [
        ("2026-01-31", ["100", "0", "0", "0", "0", "0"]),
        ("2026-02-01", ["0", "100", "0", "0", "0", "0"]),
        ("2026-03-02", ["0", "100", "0", "0", "0", "0"]),
        ("2026-03-03", ["0", "0", "100", "0", "0", "0"]),
        ("2026-04-01", ["0", "0", "100", "0", "0", "0"]),
        ("2026-04-02", ["0", "0", "0", "100", "0", "0"]),
        ("2026-05-31", ["0", "0", "0", "0", "100", "0"]),
        ("2026-06-01", ["0", "0", "0", "0", "0", "100"]),
    ] {
        assert_eq!(a.aged(json!({ "as_of": as_of })).await, golden, "{as_of}");
    }
    assert_eq!(a.aging(json!({ "as_of": "2025-12-31" })).await["rows"], json!([]), "not issued yet");
    let issue = json!({ "as_of": "2026-01-31", "basis": "issue", "buckets": [7, 29, 30] });
    assert_eq!(a.aged(issue).await, ["0", "0", "0", "100", "0"]);
    for wrong in [json!({ "buckets": [30, 30] }), json!({ "by": "moon" }), json!({ "as_of": "soon" })] {
        a.anna.call("finance", "invoice_aging", wrong).await.result().unwrap_err();
    }
}

#[tokio::test]
async fn what_is_paid_settles_the_first_part_first() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let terms = a.terms("halves", None, &[("50", 0, 0), ("50", 0, 30)]).await;
    let posted = a.split(json!({ "issued_on": "2026-01-01" }), "100", &terms).await;
    a.pay(&posted, "2026-01-10", "60").await;
    let by = |by: &str, as_of: &str| json!({ "by": by, "as_of": as_of });
    assert_eq!(a.aged(by("customer", "2026-01-05")).await, ["50", "50", "0", "0", "0", "0"], "before it was paid");
    assert_eq!(a.aged(by("customer", "2026-01-10")).await, ["40", "0", "0", "0", "0", "0"]);
    let told = a.aging(by("instalment", "2026-01-05")).await;
    let rows: Vec<_> = told["rows"].as_array().unwrap().iter().map(|r| (&r["due_on"], plain(&r["total"]))).collect();
    assert_eq!(rows, [(&json!("2026-01-01"), "50".to_owned()), (&json!("2026-01-31"), "50".to_owned())]);
    let told = a.aging(by("invoice", "2026-02-05")).await;
    assert_eq!((&told["rows"][0]["number"], plain(&told["rows"][0]["total"])), (&posted["number"], "40".into()));
    assert_eq!(plain(&told["control"]["difference"]), "0");
}

#[tokio::test]
async fn who_pays_early_pays_less() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let terms = a.terms("2-10-30", Some(("2", 10)), &[("100", 0, 30)]).await;
    let posted = a.split(json!({ "issued_on": "2026-01-01" }), "99.99", &terms).await;
    assert_eq!((posted["due_on"].as_str(), parts(&posted).len()), (Some("2026-01-31"), 0), "one part is the whole");
    let on = |day: &str| json!({ "paid_on": day });
    a.anna.act_with(INVOICES, &posted, "pay_early", on("2026-01-12")).await.refused("There is no discount for paying on 2026-01-12.");
    let paid = a.anna.act_with(INVOICES, &posted, "pay_early", on("2026-01-11")).await.ok();
    assert_eq!((&paid["status"], plain(&paid["written_off"]), plain(&paid["paid"])), (&json!("paid"), "2".into(), "97.99".into()));
    a.anna.act_with(INVOICES, &posted, "pay_early", on("2026-01-11")).await.refused("Cannot pay early");
    assert_eq!(plain(&a.aging(json!({})).await["control"]["difference"]), "0");
}

/// Of any day, whatever was done in whatever order: what is open comes to what the books say.
#[tokio::test]
async fn what_is_open_on_any_day_is_what_the_books_say() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let terms = a.terms("halves", None, &[("50", 0, 10), ("50", 0, 40)]).await;
    for (day, rate) in [("2026-01-01", "0.9"), ("2026-01-11", "0.9133"), ("2026-01-21", "0.8877"), ("2026-02-01", "0.9301")] {
        let rate = json!({ "currency": "USD", "per": "EUR", "rate": rate, "valid_on": day });
        a.anna.create("ledger.exchange_rates", rate).await.ok();
    }
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut any = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap() % n
    };
    let day = |n: usize| format!("2026-{:02}-{:02}", 1 + n / 28, 1 + n % 28);
    let (mut invoices, mut payments): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for n in 0..36 {
        let (currency, amount) = (["EUR", "USD"][any(2)], ["0.07", "33.33", "100", "1234.56"][any(4)]);
        if n < 8 || any(5) == 0 {
            let invoice = json!({ "issued_on": day(any(30)), "currency": currency });
            invoices.push(if any(2) == 0 {
                a.split(invoice, amount, &terms).await
            } else {
                let draft = a.draft(invoice, amount).await;
                a.anna.act(INVOICES, &draft, "post").await.ok()
            });
            continue;
        }
        let invoice = invoices[any(invoices.len())].clone();
        let on = day(any(36));
        let piece = ["0.03", "10.01", "50"][any(3)];
        let part = json!({ "amount": piece, "paid_on": on, "taken_on": on, "issued_on": on });
        match any(7) {
            0 | 1 => drop(a.anna.act_with(INVOICES, &invoice, "pay", part).await.result().map(|p| payments.push(p["_made"].clone()))),
            2 => drop(a.anna.act_with(INVOICES, &invoice, "write_off", part).await.result()),
            3 => drop(a.anna.act_with(INVOICES, &invoice, "credit", part).await.result()),
            4 => {
                let paid = json!({ "party_id": a.party["id"], "amount": amount, "currency": currency, "paid_on": on });
                let paid = a.anna.create(PAYMENTS, paid).await.ok();
                a.anna.act(PAYMENTS, &paid, "complete").await.ok();
                drop(a.anna.act(PAYMENTS, &paid, "allocate").await.result());
                payments.push(paid);
            }
            5 if !payments.is_empty() => drop(a.anna.act(PAYMENTS, &payments[any(payments.len())], "void").await.result()),
            _ if !payments.is_empty() => {
                let body = json!({ "amount": "0.02", "reason": "wrong", "paid_on": day(35) });
                drop(a.anna.act_with(PAYMENTS, &payments[any(payments.len())], "reverse", body).await.result());
            }
            _ => {}
        }
    }
    assert!(payments.len() > 3, "{payments:?}");
    for direction in ["out", "in"] {
        for as_of in [0, 5, 10, 15, 20, 25, 30, 35, 40].map(day).into_iter().chain(["2026-11-20".into(), "2099-01-01".into()]) {
            let told = a.aging(json!({ "direction": direction, "as_of": as_of, "currency": "base" })).await;
            assert_eq!(plain(&told["control"]["difference"]), "0", "{direction} {as_of}: {told}");
            let whole: f64 = told["rows"].as_array().unwrap().iter().map(|r| plain(&r["total"]).parse::<f64>().unwrap()).sum();
            let open: f64 = plain(&told["control"]["open"]).parse().unwrap();
            assert!((whole - open).abs() < 0.001, "{as_of}: the rows come to {whole}, not to {open}");
        }
    }
    let wrong = "select wrong from finance.verify() where organization_id = $1";
    assert_eq!(s.strings(wrong, &[&a.anna.actor.organization]).await, [""; 0]);
}

#[tokio::test]
async fn a_statement_tells_what_was_open_before_and_after() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let old = a.posted("2026-01-05", "2026-01-20", "100").await;
    a.posted("2026-02-03", "2026-03-05", "40").await;
    a.pay(&old, "2026-02-10", "70").await;
    a.anna.act_with(INVOICES, &old, "credit", json!({ "amount": "5", "issued_on": "2026-02-12" })).await.ok();
    a.anna.act_with(INVOICES, &old, "write_off", json!({ "amount": "1", "taken_on": "2026-02-13" })).await.ok();
    let span = json!({ "party_id": a.party["id"], "from_on": "2026-02-01", "to_on": "2026-02-28" });
    let made = a.anna.create("receivables.statements", span).await.ok();
    let lines: Vec<_> = made["lines"].as_array().unwrap().iter().map(|l| (l["kind"].as_str().unwrap(), plain(&l["balance"]))).collect();
    let golden = [("opening", "100"), ("invoice", "140"), ("payment", "70"), ("credit", "65"), ("write_off", "64")];
    assert_eq!(lines, golden.map(|(kind, balance)| (kind, balance.to_owned())));
    assert_eq!((plain(&made["opening"]), plain(&made["closing"])), ("100".into(), "64".into()));
    assert_eq!((plain(&made["not_due"]), plain(&made["due_60"])), ("40".into(), "24".into()), "the ageing at its foot");
    a.anna.update("receivables.statements", &made, json!({ "to_on": "2026-03-31" })).await.refused("stays as it is");
    let span = json!({ "party_id": a.party["id"], "from": "2026-02-01", "to": "2026-02-28" });
    let told = a.anna.call("receivables", "statement", span).await.ok();
    assert_eq!((&told["currencies"][0]["currency"], plain(&told["currencies"][0]["closing"])), (&json!("EUR"), "64".into()));
    assert_eq!(plain(&told["currencies"][0]["aging"]["total"]), "64");

    let stranger = s.person("Beta", "accountant").await;
    let span = json!({ "party_id": a.party["id"] });
    assert_eq!(stranger.call("receivables", "statement", span).await.ok()["currencies"], json!([]));
}

#[tokio::test]
async fn nobody_is_reminded_twice_of_the_same() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    for (position, days, fee) in [(1, 7, "0"), (2, 30, "15")] {
        let level = json!({ "position": position, "name": format!("Level {position}"), "days_overdue": days, "fee": fee,
            "minimum_amount": "10", "text_en": "{party} owes {amount} since {days} days." });
        a.anna.create("receivables.dunning_levels", level).await.ok();
    }
    let first = a.posted("2026-01-01", "2026-01-10", "100").await;
    let second = a.posted("2026-01-01", "2026-01-12", "50").await;
    let on = |day: &str| json!({ "as_of": day });
    assert_eq!(a.anna.call("receivables", "dun", on("2026-01-16")).await.ok()["letters"], json!([]), "six days are not seven");
    let dry = a.anna.call("receivables", "dun", json!({ "as_of": "2026-01-19", "dry": true })).await.ok();
    assert_eq!((plain(&dry["letters"][0]["amount"]), a.count(LETTERS).await), ("150".into(), 0));

    // Two at once write one letter.
    let runs = futures_util::future::join_all((0..4).map(|_| a.anna.call("receivables", "dun", on("2026-01-19")))).await;
    let made: usize = runs.into_iter().map(|r| r.ok()["letters"].as_array().unwrap().len()).sum();
    assert_eq!((made, a.count(LETTERS).await), (1, 1));
    let letter = a.anna.list(LETTERS, &[("expand", "lines")]).await.ok()["data"][0].clone();
    assert_eq!((plain(&letter["total"]), letter["lines"].as_array().unwrap().len()), ("150".into(), 2));
    assert_eq!(letter["message"], "Rope & Co owes 150.00 EUR since 9 days.");
    let sent = a.anna.act(LETTERS, &letter, "send").await.ok();
    assert_eq!(sent["status"], "sent");
    let body = a.letters(&s).await.concat();
    assert!(body.contains(&format!("{} · 10.01.2026 · 100.00 EUR", first["number"].as_str().unwrap())), "{body}");
    a.anna.act(LETTERS, &sent, "send").await.refused("Cannot send");

    // At the next level again, but not what is disputed.
    let stop = json!({ "party_id": a.party["id"], "invoice_id": second["id"], "reason": "The goods were broken" });
    a.anna.create("receivables.dunning_stops", stop).await.ok();
    let next = a.anna.call("receivables", "dun", on("2026-03-01")).await.ok();
    assert_eq!(next["letters"].as_array().unwrap().len(), 1);
    let next = a.anna.read(LETTERS, &json!({ "id": next["letters"][0] })).await.ok();
    assert_eq!((plain(&next["amount"]), plain(&next["total"])), ("100".into(), "115".into()));
    // What is cancelled may be written again.
    a.anna.act(LETTERS, &next, "cancel").await.ok();
    assert_eq!(a.anna.call("receivables", "dun", on("2026-03-01")).await.ok()["letters"].as_array().unwrap().len(), 1);
    s.person("Acme", "salesperson").await.call("receivables", "dun", json!({})).await.forbidden();
}

#[tokio::test]
async fn a_period_is_billed_once_and_none_is_forgotten() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let terms = a.terms("halves", None, &[("50", 0, 0), ("50", 1, 0)]).await;
    let rent = json!({ "party_id": a.party["id"], "title": "Rent", "starts_on": "2026-01-31", "terms_id": terms["id"], "send_at_once": true,
        "lines": [{ "name": "Rent", "price": "100" }] });
    let rent = a.anna.create(RECURRING, rent).await.ok();
    assert_eq!(rent["next_on"], "2026-01-31");
    a.as_system(&s, "select receivables.bill_due('2026-01-30')").await;
    assert_eq!(a.count(INVOICES).await, 0);

    // Whoever tries at once, and a second time.
    let here = a.anna.actor.organization;
    let nobody = "00000000-0000-0000-0000-000000000000";
    let run = async || {
        let client = s.runtime().await;
        let begin = format!("begin; set local app.context = '{here} {nobody} {nobody} '");
        client.batch_execute(&begin).await.unwrap();
        let done = client.batch_execute(&format!("select finance.post(b) from receivables.bill('{}', '2026-02-01') b where b is not null", testkit::id(&rent))).await;
        done.and(client.batch_execute("commit").await)
    };
    for done in futures_util::future::join_all((0..5).map(|_| run())).await {
        done.unwrap();
    }
    assert_eq!(a.count(INVOICES).await, 1);
    let invoice = a.anna.list(INVOICES, &[("expand", "instalments")]).await.ok()["data"][0].clone();
    assert_eq!((&invoice["kind"], &invoice["number"], &invoice["party_name"]), (&json!("RECURRING"), &json!("INV-00001"), &json!("Rope & Co")));
    assert_eq!((&invoice["issued_on"], &invoice["supplied_on"], parts(&invoice).len()), (&json!("2026-02-01"), &json!("2026-01-31"), 2));
    let body = a.letters(&s).await;
    assert_eq!(body, ["Rent\n\nInvoice INV-00001 over 100.00 EUR is due on 01.03.2026."]);

    // Missed days are made up for, a change is for what comes.
    let rent = a.anna.read(RECURRING, &rent).await.ok();
    assert_eq!(rent["next_on"], "2026-02-28");
    let line = rent["lines"][0]["id"].clone();
    let rent = a.anna.update(RECURRING, &rent, json!({ "lines": [{ "id": line, "price": "120" }] })).await.ok();
    a.as_system(&s, "select receivables.bill_due('2026-04-30'); select receivables.bill_due('2026-04-30')").await;
    let all = a.anna.list(INVOICES, &[("sort", "number")]).await.ok();
    let told: Vec<_> = all["data"].as_array().unwrap().iter().map(|i| (i["supplied_on"].as_str().unwrap(), plain(&i["gross"]))).collect();
    let golden = [("2026-01-31", "100"), ("2026-02-28", "120"), ("2026-03-31", "120"), ("2026-04-30", "120")];
    assert_eq!(told, golden.map(|(day, gross)| (day, gross.to_owned())));

    // What rests is not billed, and what cannot be billed says why and stops no other.
    let broken = json!({ "party_id": a.party["id"], "starts_on": "2026-01-01", "currency": "JPY", "lines": [{ "name": "x", "price": "1" }] });
    let broken = a.anna.create(RECURRING, broken).await.ok();
    let rent = a.anna.read(RECURRING, &rent).await.ok();
    a.anna.act(RECURRING, &rent, "pause").await.ok();
    a.as_system(&s, "select receivables.bill_due('2026-06-30')").await;
    assert_eq!(a.count(INVOICES).await, 4);
    let problem = a.anna.read(RECURRING, &broken).await.ok()["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("There is no exchange rate of JPY"), "{problem}");
    let resumed = a.anna.act(RECURRING, &rent, "resume").await.ok();
    assert!(resumed["next_on"].as_str().unwrap() > "2026-10-31", "{resumed}");
    let daily = format!("select app.daily('{}')", a.anna.actor.organization);
    s.admin().batch_execute(&daily).await.unwrap();
}

#[tokio::test]
async fn documents_take_the_terms_of_their_party_and_keep_them() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let halves = a.terms("halves", None, &[("50", 0, 0), ("50", 1, 0)]).await;
    let thirds = a.terms("thirds", None, &[("40", 0, 0), ("30", 1, 0), ("30", 2, 0)]).await;
    let mine = a.anna.create(PARTY_TERMS, json!({ "party_id": a.party["id"], "terms_id": halves["id"] })).await.ok();
    a.anna.create(PARTY_TERMS, json!({ "party_id": a.party["id"], "terms_id": thirds["id"] })).await.refused("has terms of payment already");
    let on = |mut more: Value| {
        more["issued_on"] = json!("2026-01-10");
        more
    };
    let draft = a.draft(on(json!({})), "100").await;
    let order = json!({ "customer_id": a.party["id"], "lines": [{ "name": "x", "price": "60" }] });
    let mona = s.person("Acme", "manager").await;
    let order = mona.create("sales.orders", order).await.ok();
    let order = mona.act("sales.orders", &order, "confirm").await.ok();

    // What is there stays as it is when the party gets others.
    let mine = a.anna.update(PARTY_TERMS, &mine, json!({ "terms_id": thirds["id"] })).await.ok();
    let both = |amount: &str| ["2026-01-10", "2026-02-10"].map(|day| (day.to_owned(), amount.to_owned())).to_vec();
    let posted = a.anna.act(INVOICES, &draft, "post").await.ok();
    assert_eq!((parts(&posted), &posted["due_on"]), (both("50"), &json!("2026-02-10")));
    mona.act_with("sales.orders", &order, "invoice", json!({ "post": true, "issued_on": "2026-01-10" })).await.ok();
    let of_order = a.anna.list(INVOICES, &[("order_id", order["id"].as_str().unwrap()), ("expand", "instalments")]).await.ok()["data"][0].clone();
    assert_eq!(parts(&of_order), both("30"), "as when it was ordered");
    // They do not hold what they are of.
    let never = a.draft(on(json!({})), "1").await;
    a.anna.delete(INVOICES, &never).await.ok();
    let never = mona.create("sales.orders", json!({ "customer_id": a.party["id"] })).await.ok();
    mona.delete("sales.orders", &never).await.ok();
    let next = a.draft(on(json!({})), "100").await;
    assert_eq!(parts(&a.anna.act(INVOICES, &next, "post").await.ok()).len(), 3);

    // What somebody says of a document goes before.
    for said in [json!({ "due_on": "2026-01-15" }), json!({ "payment_terms": "NET_60" })] {
        let given = a.draft(on(said.clone()), "100").await;
        assert_eq!(parts(&a.anna.act(INVOICES, &given, "post").await.ok()).len(), 0, "{said}");
        let later = a.draft(on(json!({})), "100").await;
        a.anna.update(INVOICES, &later, said.clone()).await.ok();
        let later = a.anna.act(INVOICES, &later, "post").await.ok();
        assert_eq!(parts(&later).len(), 0, "{said}");
    }
    let chosen = a.split(on(json!({})), "100", &halves).await;
    assert_eq!(parts(&chosen).len(), 2);
    // A bill of theirs is due as it says.
    let bill = a.draft(on(json!({ "direction": "in" })), "100").await;
    assert_eq!(parts(&a.anna.act(INVOICES, &bill, "post").await.ok()).len(), 0);
    a.anna.delete(PARTY_TERMS, &mine).await.ok();
    let none = a.draft(on(json!({})), "100").await;
    assert_eq!(parts(&a.anna.act(INVOICES, &none, "post").await.ok()).len(), 0);
}

#[tokio::test]
async fn a_figure_of_a_past_day_leads_to_what_was_open_then() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let (first, second) = (a.posted("2026-01-01", "2026-01-10", "100").await, a.posted("2026-01-05", "2026-02-05", "50").await);
    a.pay(&first, "2026-02-01", "100").await;
    a.posted("2026-03-01", "2026-03-10", "7").await;
    let other = a.anna.create("parties.parties", json!({ "name": "Other", "is_customer": true })).await.ok();
    let others = json!({ "party_id": other["id"], "issued_on": "2026-01-02", "due_on": "2026-01-03", "lines": [{ "name": "x", "price": "9" }] });
    let others = a.anna.create(INVOICES, others).await.ok();
    a.anna.act(INVOICES, &others, "post").await.ok();
    let lead = s.store.catalog().module("finance").unwrap().meta["reports"]["invoice_aging"]["drill"].clone();
    let lead = lead.as_array().unwrap().iter().find(|d| d["row"] == "party_id").unwrap().clone();
    assert_eq!(lead["report"], "finance.invoice_aging");
    for (day, open) in [("2026-01-20", vec![&first, &second]), ("2026-02-20", vec![&second])] {
        let told = a.aging(json!({ "as_of": day })).await;
        let row = told["rows"].as_array().unwrap().iter().find(|r| r["party_id"] == a.party["id"]).unwrap();
        // As the page puts it together: of the row, else of the answer.
        let mut asked = json!({});
        for (name, value) in lead["params"].as_object().unwrap() {
            let value = value.as_str().unwrap();
            asked[name] = match value.strip_prefix('$') {
                Some(of) if row[of].is_null() => told[of].clone(),
                Some(of) => row[of].clone(),
                None => json!(value),
            };
        }
        let led = a.aging(asked).await;
        let numbers: Vec<_> = led["rows"].as_array().unwrap().iter().map(|r| r["number"].clone()).collect();
        assert_eq!(numbers, open.iter().map(|i| i["number"].clone()).collect::<Vec<_>>(), "{day}");
        let sum: f64 = led["rows"].as_array().unwrap().iter().map(|r| r["total"].as_str().unwrap().parse::<f64>().unwrap()).sum();
        assert!((sum - row["total"].as_str().unwrap().parse::<f64>().unwrap()).abs() < 0.001, "{day}");
    }
    a.anna.call("finance", "invoice_aging", json!({ "party_id": "x" })).await.result().unwrap_err();
}

/// Five hundred at a time; what all come to is told with each.
#[tokio::test]
async fn an_ageing_of_many_is_read_by_pages() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let first = a.posted("2026-01-01", "2026-01-10", "100").await;
    let more = "insert into finance.invoices (organization_id, number, status, party_id, party_name, issued_on, due_on, currency, exchange_rate, net, gross, legal_entity_id,
                    base_gross, assigned_to, created_by, updated_by)
                select i.organization_id, 'MORE-' || n, 'sent', i.party_id, i.party_name, i.issued_on, i.due_on, i.currency, i.exchange_rate, n, n, i.legal_entity_id,
                    n, i.assigned_to, i.created_by, i.updated_by
                from finance.invoices i cross join generate_series(1, 510) n where i.id = $1";
    s.admin().batch_execute("begin; set local session_replication_role = replica").await.unwrap();
    s.admin().execute(more, &[&testkit::id(&first)]).await.unwrap();
    s.admin().batch_execute("commit").await.unwrap();
    let page = async |skip: i64| a.aging(json!({ "as_of": "2026-02-01", "by": "invoice", "skip": skip })).await;
    let (one, two) = (page(0).await, page(500).await);
    let count = |told: &Value| told["rows"].as_array().unwrap().len();
    assert_eq!((count(&one), &one["next"], count(&two), &two["next"]), (500, &json!(500), 11, &json!(null)));
    let keys: std::collections::BTreeSet<_> =
        [&one, &two].iter().flat_map(|t| t["rows"].as_array().unwrap()).map(|r| r["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), 511);
    for told in [&one, &two] {
        let sum = &told["sums"][0];
        let figures = [&sum["total"], &sum["aged"][0], &sum["aged_1"]].map(plain);
        assert_eq!(figures, ["130405", "130405", "130405"]);
    }
    assert_eq!(a.aging(json!({ "as_of": "2026-02-01" })).await["sums"], json!([]), "one row is its own sum");
    a.anna.call("finance", "invoice_aging", json!({ "skip": -1 })).await.result().unwrap_err();
}
