//! Expense reports, as those see them who spend, approve and pay.

use serde_json::{Value, json};
use testkit::{Person, Scene, scene, plain};

const REPORTS: &str = "expenses.expense_reports";
const CATEGORIES: &str = "expenses.expense_categories";

struct Office {
    eva: Person,
    mona: Person,
    anna: Person,
    owner: Person,
    taxi: Value,
    drive: Value,
    away: Value,
}

impl Office {
    async fn of(s: &Scene) -> Office {
        let eva = s.person("Acme", "employee").await;
        let mona = s.person("Acme", "manager").await;
        let anna = s.person("Acme", "accountant").await;
        let owner = s.person("Acme", "owner").await;
        let category = async |body: Value| mona.create(CATEGORIES, body).await.ok();
        let taxi = category(json!({ "code": "TAXI", "name": "Taxi", "limit_per_line": "50", "limit_per_day": "80", "limit_per_report": "120", "receipt_above": "30" })).await;
        let drive = category(json!({ "code": "CAR", "name": "Own car", "kind": "mileage", "expense_rates": [{ "rate": "0.3" }, { "rate": "0.38", "valid_from": "2026-01-01" }] })).await;
        let away = category(json!({ "code": "DIEM", "name": "Days away", "kind": "per_diem", "expense_rates": [{ "rate": "28" }, { "rate": "50", "country": "CH" }] })).await;
        Office { eva, mona, anna, owner, taxi, drive, away }
    }

    fn ride(&self, day: &str, amount: &str) -> Value {
        json!({ "category_id": self.taxi["id"], "spent_on": day, "amount": amount })
    }

    async fn report(&self, lines: Value) -> Value {
        self.eva.create(REPORTS, json!({ "title": "Fair", "expense_lines": lines })).await.ok()
    }

    /// What the policy says against it: field and sentence.
    async fn breaches(&self, report: &Value) -> Vec<String> {
        match self.eva.act(REPORTS, report, "submit").await.result() {
            Err(kernel::Error::Refused(faults)) => {
                faults.iter().map(|f| format!("{}: {}", f.field.clone().unwrap_or_default(), f.message)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    async fn approval(&self, levels: Value) {
        let rule = json!({ "name": "Expenses", "entity": REPORTS, "action": "approve", "levels": levels, "on_reject": "deny", "on_return": "send_back" });
        let rule = serde_json::from_value(rule).unwrap();
        flow::approval_rules::put(&self.owner.store, &self.owner.actor, None, &rule).await.unwrap();
    }

    async fn queue(&self, who: &Person) -> Vec<Value> {
        flow::approvals::list(&who.store, &who.actor, "mine", None, None).await.unwrap().as_array().unwrap().clone()
    }

    async fn decide(&self, who: &Person, decision: &str, comment: Option<&str>) -> kernel::Result<Value> {
        let id = testkit::id(&self.queue(who).await[0]);
        let decision = flow::approvals::Decision { decision, comment, to: None };
        flow::approvals::decide(&who.store, &who.actor, id, &decision).await
    }
}


#[tokio::test]
async fn lines_know_rates_taxes_and_currencies() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let line = |n: usize, r: &Value| ["amount", "total", "tax"].map(|f| plain(&r["expense_lines"][n][f]).to_owned()).join(" ");
    let report = o
        .report(json!([
            { "category_id": o.drive["id"], "spent_on": "2025-12-31", "quantity": "101" },
            { "category_id": o.drive["id"], "spent_on": "2026-01-01", "quantity": "101" },
            { "category_id": o.away["id"], "spent_on": "2026-02-01", "quantity": "2.5" },
            { "category_id": o.away["id"], "spent_on": "2026-02-01", "quantity": "2", "country": "CH" },
            { "category_id": o.taxi["id"], "spent_on": "2026-02-01", "amount": "11.90", "tax_rate": "19" },
            { "category_id": o.taxi["id"], "spent_on": "2026-02-01", "amount": "1000", "currency": "JPY", "exchange_rate": "0.00615" },
        ]))
        .await;
    let told: Vec<String> = (0..6).map(|n| line(n, &report)).collect();
    assert_eq!(told, ["30.3 30.3 0", "38.38 38.38 0", "70 70 0", "100 100 0", "11.9 11.9 1.9", "1000 6.15 0"]);
    assert_eq!((plain(&report["total"]), plain(&report["tax"])), ("256.73", "1.9"));
    for (line, why) in [
        (json!({ "category_id": o.drive["id"] }), "how many kilometres or days"),
        (json!({ "category_id": o.taxi["id"] }), "A line needs an amount"),
        (json!({ "category_id": o.taxi["id"], "amount": "5", "currency": "USD" }), "There is no rate from USD to EUR"),
        (json!({ "category_id": o.taxi["id"], "amount": "5.001" }), "more digits than the currency"),
        (json!({ "category_id": o.taxi["id"], "amount": "5", "is_billable": true }), "Name the customer"),
        (json!({ "category_id": o.drive["id"], "quantity": "1", "spent_on": "1999-01-01" }), "has no rate for this country and day"),
    ] {
        o.eva.create(REPORTS, json!({ "title": "x", "expense_lines": [line] })).await.refused(why);
    }
    o.eva.create(REPORTS, json!({ "title": "x", "total": "5" })).await.refused("cannot be written");
    o.mona.read(REPORTS, &report).await.ok();
    s.person("Acme", "employee").await.read(REPORTS, &report).await.not_found();
}

#[tokio::test]
async fn the_policy_names_every_line_that_breaks_it() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let empty = o.report(json!([])).await;
    o.eva.act(REPORTS, &empty, "submit").await.refused("at least one line");
    let report = o.report(json!([o.ride("2026-03-01", "50.01"), o.ride("2026-03-01", "30"), o.ride("2026-03-02", "45"), o.ride("2099-01-01", "1")])).await;
    assert_eq!(
        o.breaches(&report).await,
        [
            "expense_lines.0.amount: At most 50 is paid for Taxi.",
            "expense_lines.0.amount: At most 80 a day is paid for Taxi.",
            "expense_lines.0.amount: At most 120 a report is paid for Taxi.",
            "expense_lines.0.receipt_id: Taxi above 30 needs a receipt.",
            "expense_lines.1.amount: At most 80 a day is paid for Taxi.",
            "expense_lines.1.amount: At most 120 a report is paid for Taxi.",
            "expense_lines.2.amount: At most 120 a report is paid for Taxi.",
            "expense_lines.2.receipt_id: Taxi above 30 needs a receipt.",
            "expense_lines.3.amount: At most 120 a report is paid for Taxi.",
            "expense_lines.3.spent_on: This day is still to come.",
        ]
    );
    // A day is a day, over all reports.
    let first = o.report(json!([o.ride("2026-04-01", "30"), o.ride("2026-04-01", "30")])).await;
    o.eva.act(REPORTS, &first, "submit").await.ok();
    let second = o.report(json!([o.ride("2026-04-01", "25")])).await;
    assert_eq!(o.breaches(&second).await, ["expense_lines.0.amount: At most 80 a day is paid for Taxi."]);
    let first = o.eva.read(REPORTS, &first).await.ok();
    o.eva.update(REPORTS, &first, json!({ "expense_lines": [o.ride("2026-04-02", "5")] })).await.refused("no longer open");
}

#[tokio::test]
async fn a_report_waits_for_its_approvers_and_is_paid_back() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    o.approval(json!([{ "people": [o.mona.actor.user, o.eva.actor.user], "quorum": 1 }, { "people": [o.anna.actor.user] }])).await;
    let report = o.report(json!([o.ride("2026-03-01", "30")])).await;
    let handed = o.eva.act(REPORTS, &report, "submit").await.ok();
    assert_eq!(handed["status"], "submitted");
    assert_eq!(o.queue(&o.eva).await, Vec::<Value>::new(), "not her own");
    // Whoever has the right does not get around the rule.
    let waits = o.mona.act(REPORTS, &report, "approve").await.ok();
    assert_eq!((&waits["status"], waits["_made"]["approval"].is_object()), (&json!("submitted"), true));
    o.decide(&o.mona, "return", Some("which fair?")).await.unwrap();
    let back = o.eva.read(REPORTS, &report).await.ok();
    assert_eq!((&back["status"], &back["reason"]), (&json!("draft"), &json!("which fair?")));

    o.eva.act(REPORTS, &report, "submit").await.ok();
    o.decide(&o.mona, "approve", None).await.unwrap();
    let done = o.decide(&o.anna, "approve", None).await.unwrap();
    assert_eq!(done["status"], "approved");
    let approved = o.anna.read(REPORTS, &report).await.ok();
    assert_eq!((&approved["status"], &approved["approved_by"]), (&json!("approved"), &json!(o.anna.actor.user)));
    o.eva.act(REPORTS, &report, "reimburse").await.forbidden();
    let paid = o.anna.act_with(REPORTS, &report, "reimburse", json!({ "method": "CASH" })).await.ok();
    assert_eq!(paid["status"], "reimbursed");
    let payment = o.anna.read("finance.payments", &paid["_made"]).await.ok();
    assert_eq!(
        (plain(&payment["amount"]), &payment["direction"], &payment["reference"], &payment["method"]),
        ("30", &json!("out"), &report["number"], &json!("CASH"))
    );
    // In the books: spent when it was approved, owed until it is paid back, and then gone from the cash desk.
    let books = async || {
        let rows = o.anna.call("ledger", "trial_balance", json!({})).await.ok()["rows"].clone();
        let code = |r: &Value| r["code"].as_str().map(|c| format!("{c} {}", plain(&r["closing"])));
        rows.as_array().unwrap().iter().filter_map(code).collect::<Vec<_>>()
    };
    assert_eq!(books().await, ["1010 -30", "2100 0", "2300 0", "6300 30"]);
    o.anna.act(REPORTS, &report, "reimburse").await.refused("Cannot reimburse a record that is reimbursed");
    // The next one goes to the same party.
    let next = o.report(json!([o.ride("2026-03-03", "10")])).await;
    o.eva.act(REPORTS, &next, "submit").await.ok();
    o.decide(&o.mona, "approve", None).await.unwrap();
    o.decide(&o.anna, "approve", None).await.unwrap();
    let again = o.anna.act(REPORTS, &next, "reimburse").await.ok();
    assert_eq!(again["payee_id"], paid["payee_id"]);
    // Whoever may send it back does so with his own hands as well: then nobody is asked any more.
    let back = o.report(json!([o.ride("2026-03-05", "10")])).await;
    o.eva.act(REPORTS, &back, "submit").await.ok();
    assert_eq!(o.queue(&o.mona).await.len(), 1);
    o.mona.act(REPORTS, &back, "send_back").await.ok();
    assert_eq!(o.queue(&o.mona).await.len(), 0);
    let denied = o.report(json!([o.ride("2026-03-04", "10")])).await;
    o.eva.act(REPORTS, &denied, "submit").await.ok();
    o.decide(&o.mona, "reject", Some("not ours")).await.unwrap();
    let denied = o.eva.read(REPORTS, &denied).await.ok();
    assert_eq!((&denied["status"], &denied["reason"]), (&json!("denied"), &json!("not ours")));
}

#[tokio::test]
async fn nobody_approves_his_own_expenses_with_or_without_a_rule() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let own = o.mona.create(REPORTS, json!({ "title": "Mine", "expense_lines": [o.ride("2026-03-01", "10")] })).await.ok();
    o.mona.act(REPORTS, &own, "submit").await.ok();
    o.mona.act(REPORTS, &own, "approve").await.refused("Nobody approves his own expenses");
    o.anna.act(REPORTS, &own, "approve").await.ok();
}

#[tokio::test]
async fn the_same_receipt_tells_where_the_other_is() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let receipt = async |by: &Person| {
        let id = uuid::Uuid::now_v7();
        let sql = "insert into files.files (organization_id, id, name, type, size, sha256, created_by, updated_by) values ($1, $2, 'r.png', 'image/png', 1, 'abc', $3, $3)";
        s.admin().execute(sql, &[&by.actor.organization, &id, &by.actor.user]).await.unwrap();
        json!(id)
    };
    let with = |receipt: &Value| json!({ "category_id": o.taxi["id"], "spent_on": "2026-03-01", "amount": "40", "receipt_id": receipt });
    let first = o.report(json!([with(&receipt(&o.eva).await)])).await;
    assert_eq!(first["expense_lines"][0]["same_receipt"], Value::Null);
    o.eva.act(REPORTS, &first, "submit").await.ok();
    let second = o.report(json!([o.ride("2026-03-05", "1"), with(&receipt(&o.eva).await)])).await;
    assert_eq!(second["expense_lines"][1]["same_receipt"], format!("{}, 1", first["number"].as_str().unwrap()));
    // Somebody else's file is nobody's receipt: it would be shown to whoever reads the report.
    let theirs = receipt(&o.mona).await;
    o.eva.create(REPORTS, json!({ "title": "x", "expense_lines": [with(&theirs)] })).await.refused("Upload the receipt yourself");
}

#[tokio::test]
async fn a_budget_stops_what_is_handed_in_above_it() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let budget = async |stops: bool, code: &str| {
        let verdict = if stops { "stop" } else { "warn" };
        let body = json!({ "name": format!("{code} 2026"), "year_starts_on": "2026-01-01", "on_requisition": verdict, "on_actual": verdict, "lines": [{ "category_code": code, "amount": "50" }] });
        let made = o.anna.create("budgets.budgets", body).await.ok();
        o.mona.act("budgets.budgets", &made, "approve").await.ok();
        o.mona.act("budgets.budgets", &made, "activate").await.ok();
        made
    };
    let taxi = budget(true, "TAXI").await;
    budget(false, "DIEM").await;
    let first = o.report(json!([o.ride("2026-03-01", "20"), o.ride("2026-03-02", "15")])).await;
    o.eva.act(REPORTS, &first, "submit").await.ok();
    let second = o.report(json!([o.ride("2026-03-03", "15.01")])).await;
    o.eva.act(REPORTS, &second, "submit").await.refused("The budget TAXI 2026 has 15 left for this, and 15.01 is asked for.");
    o.mona.act(REPORTS, &first, "approve").await.ok();
    o.eva.act(REPORTS, &second, "submit").await.refused("has 15 left");
    let lines = async || o.anna.call("budgets", "variance", json!({ "budget": taxi["id"], "as_of": "2026-12-31" })).await.ok()["rows"][0].clone();
    assert_eq!((&lines().await["actual"], &lines().await["committed"]), (&json!("35"), &json!("0")));
    // Two at once do not both get what is left for one.
    let (a, b) = (o.report(json!([o.ride("2026-03-05", "10")])).await, o.report(json!([o.ride("2026-03-06", "10")])).await);
    let (a, b) = tokio::join!(o.eva.act(REPORTS, &a, "submit"), o.eva.act(REPORTS, &b, "submit"));
    assert_eq!(usize::from(a.result().is_ok()) + usize::from(b.result().is_ok()), 1);
    assert_eq!(lines().await["committed"], "10");
    let away = json!({ "category_id": o.away["id"], "quantity": "3", "spent_on": "2026-03-01" });
    let warned = o.report(json!([away])).await;
    let warned = o.eva.act(REPORTS, &warned, "submit").await.ok();
    assert_eq!(warned["over_budget"], "DIEM 2026");
    // Sent back, it takes nothing.
    o.mona.act(REPORTS, &warned, "send_back").await.ok();
    let none = "select count(*)::text from budgets.budget_uses where source_id = $1";
    assert_eq!(s.strings(none, &[&testkit::id(&warned)]).await, ["0"]);
}

#[tokio::test]
async fn what_pays_a_report_back_waits_where_a_rule_holds_it_back() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    for (entity, action) in [("finance.invoices", "post"), ("finance.payments", "complete")] {
        let levels = json!([{ "people": [o.owner.actor.user] }]);
        let rule = json!({ "name": "Money out", "entity": entity, "action": action, "levels": levels });
        let rule = serde_json::from_value(rule).unwrap();
        flow::approval_rules::put(&o.owner.store, &o.owner.actor, None, &rule).await.unwrap();
    }
    let report = o.report(json!([o.ride("2026-03-02", "30")])).await;
    o.eva.act(REPORTS, &report, "submit").await.ok();
    o.anna.act(REPORTS, &report, "approve").await.ok();
    let bills = async || o.anna.list("finance.invoices", &[]).await.ok()["data"].as_array().unwrap().len();
    let state = async || {
        let now = o.anna.read(REPORTS, &report).await.ok();
        let paid = o.anna.list("finance.payments", &[]).await.ok()["data"][0]["status"].clone();
        (now["status"].clone(), paid)
    };

    // First the bill, however often one asks; then its payment; nothing is paid around either.
    for _ in 0..2 {
        let waits = o.anna.act(REPORTS, &report, "reimburse").await.ok();
        assert_eq!((&waits["_made"]["entity"], bills().await), (&json!("finance.invoices"), 1));
        assert_eq!(state().await, (json!("approved"), json!(null)));
    }
    o.decide(&o.owner, "approve", None).await.unwrap();
    for _ in 0..2 {
        let waits = o.anna.act(REPORTS, &report, "reimburse").await.ok();
        assert_eq!((&waits["_made"]["entity"], bills().await), (&json!("finance.payments"), 1));
        assert_eq!(state().await, (json!("approved"), json!("pending")));
    }
    o.decide(&o.owner, "approve", None).await.unwrap();
    assert_eq!(state().await, (json!("reimbursed"), json!("completed")));
    o.anna.act(REPORTS, &report, "reimburse").await.refused("Cannot reimburse a record that is reimbursed");
}
