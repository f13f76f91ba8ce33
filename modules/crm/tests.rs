//! Deals, and the money for them that somebody else looks at before it counts.

use serde_json::{Value, json};
use testkit::{Person, Scene, id, scene, plain};
use uuid::Uuid;

pub(crate) const DEALS: &str = "crm.deals";
pub(crate) const PAYMENTS: &str = "finance.payments";
const INVOICES: &str = "finance.invoices";

/// A sales team whose payments are verified.
pub(crate) struct Team<'a> {
    pub(crate) s: &'a Scene,
    pub(crate) sam: Person,
    pub(crate) vera: Person,
    pub(crate) mona: Person,
    pub(crate) anna: Person,
    pub(crate) client: Value,
}

impl Team<'_> {
    pub(crate) async fn of(s: &Scene) -> Team<'_> {
        Team::of_company(s, "PRS").await
    }

    pub(crate) async fn of_company<'a>(s: &'a Scene, company: &str) -> Team<'a> {
        let person = async |role| s.person(company, role).await;
        let (sam, vera) = (person("salesperson").await, person("verifier").await);
        let (mona, anna) = (person("manager").await, person("accountant").await);
        let client =
            sam.create("parties.parties", json!({ "name": "Nimbus", "is_customer": true })).await.ok();
        let team = Team { s, sam, vera, mona, anna, client };
        team.set("crm.pipeline", json!("direct")).await;
        team.set("finance.payments_need_verification", json!(true)).await;
        team
    }

    pub(crate) async fn set(&self, key: &str, value: Value) {
        let sql = "insert into tenancy.settings (organization_id, scope, key, value) values ($1, 'organization', $2, $3)";
        self.s.admin().execute(sql, &[&self.sam.actor.organization, &key, &value]).await.unwrap();
    }

    pub(crate) async fn deal(&self, value: &str) -> Value {
        self.deal_of(&self.sam, json!({ "value": value })).await
    }

    pub(crate) async fn deal_of(&self, who: &Person, mut body: Value) -> Value {
        body["customer_id"] = self.client["id"].clone();
        who.create(DEALS, body).await.ok()
    }

    /// A payment with a receipt on it, not submitted yet.
    pub(crate) async fn payment(&self, deal: &Value, amount: &str) -> Value {
        let paid = self.sam.act_with(DEALS, deal, "pay", json!({ "amount": amount })).await.ok();
        let payment = self.sam.read(PAYMENTS, &paid["_made"]).await.ok();
        self.attach(&payment).await;
        payment
    }

    pub(crate) async fn attach(&self, payment: &Value) {
        let sql = "insert into files.files (organization_id, name, type, size, sha256, entity, record_id, created_by)
                   values ($1, 'receipt.png', 'image/png', 1, '00', 'finance.payments', $2, $3)";
        let (of, user) = (self.sam.actor.organization, self.sam.actor.user);
        self.s.admin().execute(sql, &[&of, &id(payment), &user]).await.unwrap();
    }

    pub(crate) async fn submitted(&self, deal: &Value, amount: &str) -> Value {
        let payment = self.payment(deal, amount).await;
        self.sam.act(PAYMENTS, &payment, "submit").await.ok()
    }

    pub(crate) async fn verified(&self, deal: &Value, amount: &str) -> Value {
        let payment = self.submitted(deal, amount).await;
        self.vera.act(PAYMENTS, &payment, "verify").await.ok()
    }

    /// Takes a payment back: the accountant asks, the verifier verifies.
    pub(crate) async fn reversed(&self, payment: &Value, amount: &str, why: &str) -> Value {
        let body = json!({ "amount": amount, "reversal": why, "reason": "asked for" });
        let made = self.anna.act_with(PAYMENTS, payment, "reverse", body).await.ok();
        self.vera.act(PAYMENTS, &made["_made"], "verify").await.ok()
    }

    pub(crate) async fn verify(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for module in ["crm", "finance", "commissions", "gamification"] {
            let sql = format!("select wrong from {module}.verify() where organization_id = $1");
            wrong.extend(self.s.strings(&sql, &[&self.sam.actor.organization]).await);
        }
        wrong
    }
}


#[tokio::test]
async fn a_deal_is_the_sum_of_its_lines_unless_somebody_says_otherwise() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let line = json!({ "name": "Plan", "price": "100", "quantity": "2", "discount_percent": "10", "tax_rate": "12" });
    let deal = t.deal_of(&t.sam, json!({ "lines": [line] })).await;
    assert_eq!((&deal["number"], &deal["stage"]), (&json!("DLID0001"), &json!("WON")));
    assert_eq!((plain(&deal["net"]), plain(&deal["value"])), ("180", "201.6"));
    let deal = t.sam.update(DEALS, &deal, json!({ "value": "200" })).await.ok();
    let more = json!({ "lines": [{ "name": "More", "price": "1", "tax_rate": "0" }] });
    let deal = t.sam.update(DEALS, &deal, more).await.ok();
    assert_eq!(plain(&deal["value"]), "200");
    let deal = t.sam.update(DEALS, &deal, json!({ "value": null })).await.ok();
    assert_eq!(plain(&deal["value"]), "202.6");
    let again = t.deal_of(&t.sam, json!({ "value": "1", "repeats_id": deal["id"] })).await;
    assert_eq!((&deal["client_status"], &again["client_status"]), (&json!("new"), &json!("existing")));
    assert_eq!((&deal["is_original"], &again["is_original"]), (&json!(true), &json!(false)));
    for number in 3..13 {
        assert_eq!(t.deal("1").await["number"], format!("DLID{number:04}"));
    }
    assert_eq!(t.verify().await, [""; 0]);
}

#[tokio::test]
async fn stages_have_their_most_and_a_loss_its_reason() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let body = json!({ "pipeline": "sales", "value": "1000" });
    let deal = t.deal_of(&t.sam, body.clone()).await;
    assert_eq!((plain(&deal["probability"]), plain(&deal["weighted"])), ("20", "200"));
    let mut sure = body.clone();
    sure["customer_id"] = t.client["id"].clone();
    sure["probability"] = json!("21");
    t.sam.create(DEALS, sure).await.refused("The most is 20 percent for a lead");
    let mut deal = deal;
    for (action, most) in [("qualify", "40"), ("propose", "60"), ("negotiate", "80"), ("close", "95")] {
        deal = t.sam.act(DEALS, &deal, action).await.ok();
        assert_eq!(plain(&deal["probability"]), most);
        let over = json!({ "probability": (most.parse::<i32>().unwrap() + 1).to_string() });
        t.sam.update(DEALS, &deal, over).await.refused("The most is");
    }
    t.sam.act(DEALS, &deal, "lose").await.refused("Say why it was lost.");
    let lost = t
        .sam
        .act_with(DEALS, &deal, "lose", json!({ "lost_reason": "price", "lost_to": "Globex" }))
        .await
        .ok();
    assert_eq!((&lost["stage"], plain(&lost["probability"])), (&json!("LOST"), "0"));
    t.sam.update(DEALS, &lost, json!({ "value": "1" })).await.refused("no longer open");
    t.sam.act(DEALS, &lost, "reopen").await.forbidden();
    let open = t.mona.act(DEALS, &lost, "reopen").await.ok();
    assert_eq!((&open["stage"], &open["lost_reason"]), (&json!("NEGOTIATION"), &Value::Null));
    let won = t.sam.act(DEALS, &open, "win").await.ok();
    assert_eq!(plain(&won["weighted"]), "1000");
}

#[tokio::test]
async fn a_salesperson_sees_his_own_deals_and_a_lead_those_of_the_team() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let deal = t.deal("10").await;
    let other = s.person("PRS", "salesperson").await;
    other.read(DEALS, &deal).await.not_found();
    assert_eq!(other.list(DEALS, &[]).await.ok()["data"], json!([]));
    let mut lead = s.person("PRS", "team_lead").await;
    lead.read(DEALS, &deal).await.not_found();
    let mut access = (*lead.actor.access).clone();
    access.team = vec![t.sam.actor.user];
    lead.actor.access = std::sync::Arc::new(access);
    lead.read(DEALS, &deal).await.ok();
    for person in [&t.vera, &t.anna, &t.mona] {
        person.read(DEALS, &deal).await.ok();
    }
    t.vera.update(DEALS, &deal, json!({ "value": "1" })).await.forbidden();
}

#[tokio::test]
async fn a_payment_counts_when_somebody_else_has_verified_it() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let deal = t.deal("5000").await;
    let paid = t
        .sam
        .act_with(DEALS, &deal, "pay", json!({ "amount": "2000", "method": "CHECK", "cheque_number": "77" }))
        .await
        .ok();
    assert_eq!((&paid["verification_status"], &paid["payment_status"]), (&json!("pending"), &json!("none")));
    let payment = t.sam.read(PAYMENTS, &paid["_made"]).await.ok();
    t.sam.act(PAYMENTS, &payment, "submit").await.refused("Attach the receipt first.");
    t.attach(&payment).await;
    t.mona.act(PAYMENTS, &payment, "complete").await.refused("Payments are verified here");
    t.sam.act(PAYMENTS, &payment, "submit").await.ok();
    t.sam.act(PAYMENTS, &payment, "verify").await.forbidden();
    t.sam.update(PAYMENTS, &payment, json!({ "amount": "1" })).await.stale();
    t.vera.act(PAYMENTS, &payment, "reject").await.refused("Say why.");
    let refused = t.vera.act_with(PAYMENTS, &payment, "reject", json!({ "reason": "unreadable" })).await.ok();
    assert_eq!(
        (&refused["verification_status"], &refused["decision"]),
        (&json!("rejected"), &json!("unreadable"))
    );
    assert_eq!(t.sam.read(DEALS, &deal).await.ok()["verification_status"], "rejected");
    let told = t.sam.list("social.notifications", &[]).await.ok();
    assert_eq!(
        told["data"][0]["title"],
        format!("Payment {} was rejected", payment["number"].as_str().unwrap())
    );
    let again = t.sam.act(PAYMENTS, &refused, "submit").await.ok();
    assert_eq!(again["decision"], Value::Null);
    let back = t.vera.act_with(PAYMENTS, &again, "return", json!({ "reason": "which bank?" })).await.ok();
    t.sam.update(PAYMENTS, &back, json!({ "bank_reference": "B-1" })).await.ok();
    t.sam.act(PAYMENTS, &back, "submit").await.ok();
    let done = t.vera.act(PAYMENTS, &back, "verify").await.ok();
    assert_eq!((&done["status"], &done["verified_by"]), (&json!("completed"), &json!(t.vera.actor.user)));
    let deal = t.sam.read(DEALS, &deal).await.ok();
    let states = (&deal["payment_status"], &deal["verification_status"], plain(&deal["balance"]));
    assert_eq!(states, (&json!("partial"), &json!("verified"), "3000"));
    let of = json!({ "field": "payment_id", "op": "eq", "value": payment["id"] }).to_string();
    let receipts = t.sam.list(INVOICES, &[("filter", &of)]).await;
    let receipts = receipts.ok();
    assert_eq!(receipts["data"].as_array().unwrap().len(), 1, "{receipts}");
    t.vera.act(PAYMENTS, &done, "verify").await.refused("Cannot verify a record that is completed");
    t.mona.act(PAYMENTS, &done, "void").await.refused("reverse it instead");
    t.sam.update(DEALS, &deal, json!({ "value": "9000" })).await.refused("value cannot change");
    t.sam.delete(DEALS, &deal).await.refused("in use by");
    assert_eq!(t.verify().await, [""; 0]);
}

/// SAFETY: whoever brought the money in does not say that it is there, whatever his roles and by whatever door.
#[tokio::test]
async fn nobody_verifies_what_he_entered_changed_or_submitted() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let boss = s.person("PRS", "owner").await;
    let no = "Whoever entered, changed or submitted a payment does not verify it.";
    let deal = t.deal("5000").await;
    // Entered by the owner, submitted by the manager: neither of them.
    let made = boss.act_with(DEALS, &deal, "pay", json!({ "amount": "100" })).await.ok();
    t.attach(&made["_made"]).await;
    t.mona.act(PAYMENTS, &made["_made"], "submit").await.ok();
    boss.act(PAYMENTS, &made["_made"], "verify").await.refused(no);
    t.mona.act(PAYMENTS, &made["_made"], "verify").await.refused(no);
    // Changed by another manager while it was back.
    let helper = s.person("PRS", "manager").await;
    t.vera.act_with(PAYMENTS, &made["_made"], "return", json!({ "reason": "?" })).await.ok();
    let seen = helper.read(PAYMENTS, &made["_made"]).await.ok();
    helper.update(PAYMENTS, &seen, json!({ "amount": "4000" })).await.ok();
    t.mona.act(PAYMENTS, &made["_made"], "submit").await.ok();
    helper.act(PAYMENTS, &made["_made"], "verify").await.refused(no);
    // By SQL as requests run, with all rights and another's name on the row.
    let client = s.runtime().await;
    let (of, user) = (boss.actor.organization, boss.actor.user);
    let enter =
        format!("begin; set local app.context = '{of} {user} {} {}'", Uuid::now_v7(), "a".repeat(2000));
    client.batch_execute(&enter).await.unwrap();
    let forged = format!(
        "update finance.payments set created_by = null, submitted_by = null, status = 'completed' where organization_id = '{of}' and id = '{}'",
        id(&made["_made"])
    );
    let said = client.batch_execute(&forged).await.unwrap_err().as_db_error().unwrap().message().to_owned();
    assert_eq!(said, no);
    client.batch_execute("rollback").await.unwrap();
    // By a file.
    client.batch_execute(&format!("{enter}; set local app.importing = 'yes'")).await.unwrap();
    let brought = format!(
        "insert into finance.payments (party_id, amount, currency, status) values ('{}', 5, 'EUR', 'completed')",
        id(&t.client)
    );
    let said = client.batch_execute(&brought).await.unwrap_err().as_db_error().unwrap().message().to_owned();
    assert_eq!(said, "A payment is verified by a person, not brought in as verified.");
    client.batch_execute("rollback").await.unwrap();
    t.vera.act(PAYMENTS, &made["_made"], "verify").await.ok();
}

#[tokio::test]
async fn verified_twice_at_once_it_counts_once() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let deal = t.deal("100").await;
    let payment = t.submitted(&deal, "100").await;
    let other = s.person("PRS", "verifier").await;
    let tries = (0..10)
        .map(|n| if n % 2 == 0 { &t.vera } else { &other })
        .map(|v| v.act(PAYMENTS, &payment, "verify"));
    let done = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .filter(|o| format!("{o:?}").starts_with("Outcome(Ok"))
        .count();
    assert_eq!(done, 1);
    assert_eq!(plain(&t.sam.read(DEALS, &deal).await.ok()["paid"]), "100");
    assert_eq!(t.verify().await, [""; 0]);
}

#[tokio::test]
async fn at_once_no_more_is_verified_than_the_deal_is_worth() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let deal = t.deal("100").await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(t.submitted(&deal, "30").await);
    }
    let done =
        futures_util::future::join_all(waiting.iter().map(|p| t.vera.act(PAYMENTS, p, "verify"))).await;
    let (good, bad): (Vec<_>, Vec<_>) =
        done.into_iter().map(testkit::Outcome::result).partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (3, 5));
    for refusal in bad {
        assert!(refusal.unwrap_err().to_string().contains("No more can be paid on a deal than it is worth."));
    }
    assert_eq!(plain(&t.sam.read(DEALS, &deal).await.ok()["paid"]), "90");
    assert_eq!(t.verify().await, [""; 0]);
}

#[tokio::test]
async fn money_goes_back_by_an_entry_of_its_own() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let deal = t.deal("1000").await;
    let payment = t.verified(&deal, "1000").await;
    let invoice = json!({ "party_id": t.client["id"], "lines": [{ "name": "x", "price": "900" }] });
    let invoice = t.anna.create(INVOICES, invoice).await.ok();
    let invoice = t.anna.act(INVOICES, &invoice, "post").await.ok();
    t.anna.act(PAYMENTS, &payment, "allocate").await.ok();
    assert_eq!(t.anna.read(INVOICES, &invoice).await.ok()["status"], "paid");
    let part = json!({ "amount": "300", "reason": "half empty" });
    let asked = t.anna.act_with(PAYMENTS, &payment, "reverse", part.clone()).await.ok();
    assert_eq!(
        plain(&t.anna.read(PAYMENTS, &payment).await.ok()["reversed"]),
        "0",
        "it waits to be verified"
    );
    t.anna.act(PAYMENTS, &asked["_made"], "verify").await.forbidden();
    t.vera.act(PAYMENTS, &asked["_made"], "verify").await.ok();
    let now = t.anna.read(PAYMENTS, &payment).await.ok();
    assert_eq!(
        (plain(&now["reversed"]), plain(&now["allocated"]), plain(&now["unallocated"])),
        ("300", "700", "0")
    );
    assert_eq!(plain(&t.anna.read(INVOICES, &invoice).await.ok()["balance"]), "200");
    let deal = t.sam.read(DEALS, &deal).await.ok();
    assert_eq!((&deal["payment_status"], plain(&deal["paid"])), (&json!("partial"), "700"));
    t.anna
        .act_with(PAYMENTS, &payment, "reverse", json!({ "amount": "701", "reason": "x" }))
        .await
        .refused("No more can be taken back");
    t.anna.act_with(PAYMENTS, &payment, "reverse", json!({ "amount": "1" })).await.refused("Say why.");
    // Two asked for at once, both verified: the second finds nothing left.
    let rest = json!({ "amount": "400", "reversal": "chargeback", "reason": "bank" });
    let (a, b) = tokio::join!(
        t.anna.act_with(PAYMENTS, &payment, "reverse", rest.clone()),
        t.anna.act_with(PAYMENTS, &payment, "reverse", rest)
    );
    let (a, b) = (a.ok(), b.ok());
    let (a, b) = tokio::join!(
        t.vera.act(PAYMENTS, &a["_made"], "verify"),
        t.vera.act(PAYMENTS, &b["_made"], "verify")
    );
    let (a, b) = (a.result(), b.result());
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
    let refusal = a.and(b).unwrap_err().to_string();
    assert!(refusal.contains("No more can be taken back than was paid."), "{refusal}");
    assert_eq!(t.verify().await, [""; 0]);
}

#[tokio::test]
async fn where_nothing_is_verified_money_counts_at_once() {
    let s = scene(crate::ALL).await;
    let (mona, other) = (s.person("Trade", "manager").await, s.person("Trade", "accountant").await);
    let client = mona.create("parties.parties", json!({ "name": "Bolt", "is_customer": true })).await.ok();
    let deal = mona.create(DEALS, json!({ "customer_id": client["id"], "value": "50" })).await.ok();
    mona.act_with(DEALS, &deal, "pay", json!({})).await.refused("Cannot pay a record that is LEAD");
    mona.act(DEALS, &deal, "win").await.ok();
    let paid = mona.act_with(DEALS, &deal, "pay", json!({})).await.ok();
    assert_eq!(paid["payment_status"], "paid");
    let back = other.act_with(PAYMENTS, &paid["_made"], "reverse", json!({ "reason": "wrong" })).await.ok();
    assert_eq!(plain(&back["reversed"]), "50");
    assert_eq!(mona.read(DEALS, &deal).await.ok()["payment_status"], "none");
}

#[tokio::test]
async fn an_invoice_is_settled_by_what_was_verified() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let invoice = json!({ "party_id": t.client["id"], "lines": [{ "name": "x", "price": "100" }] });
    let invoice = t.anna.create(INVOICES, invoice).await.ok();
    let invoice = t.anna.act(INVOICES, &invoice, "post").await.ok();
    let paid = t.anna.act(INVOICES, &invoice, "pay").await.ok();
    assert_eq!((&paid["status"], plain(&paid["balance"])), (&json!("sent"), "100"));
    t.attach(&paid["_made"]).await;
    t.anna.act(PAYMENTS, &paid["_made"], "submit").await.ok();
    t.vera.act(PAYMENTS, &paid["_made"], "verify").await.ok();
    assert_eq!(t.anna.read(INVOICES, &invoice).await.ok()["status"], "paid");
    assert_eq!(t.verify().await, [""; 0]);
}

/// What was sold is in the books once it is invoiced; the money for it is an advance until then.
#[tokio::test]
async fn a_deal_that_was_won_becomes_an_invoice() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let lines = json!([{ "name": "Plan", "quantity": "3", "price": "333.335" }, { "name": "Setup", "price": "100", "tax_rate": "10" }]);
    let deal = t.deal_of(&t.sam, json!({ "lines": lines })).await;
    let payment = t.payment(&deal, "600").await;
    t.sam.act(PAYMENTS, &payment, "submit").await.ok();
    t.vera.act(PAYMENTS, &payment, "verify").await.ok();
    t.sam.act(DEALS, &deal, "invoice").await.forbidden();
    let made = t.anna.act_with(DEALS, &deal, "invoice", json!({ "post": true })).await.ok();
    let invoice = t.anna.read(INVOICES, &made["_made"]).await.ok();
    assert_eq!(["net", "tax", "gross"].map(|f| plain(&invoice[f])), ["1100.01", "10", "1110.01"]);
    assert_eq!((&invoice["deal_id"], &invoice["reference"]), (&deal["id"], &deal["number"]));
    t.anna.act(DEALS, &deal, "invoice").await.refused("This deal has its invoice already.");
    // What was paid before it counts for it, and what is paid after it.
    assert_eq!((plain(&invoice["balance"]), &invoice["status"]), ("510.01", &json!("partial")));
    let rest = t.payment(&deal, "510.01").await;
    t.sam.act(PAYMENTS, &rest, "submit").await.ok();
    t.vera.act(PAYMENTS, &rest, "verify").await.ok();
    let invoice = t.anna.read(INVOICES, &invoice).await.ok();
    assert_eq!((plain(&invoice["balance"]), &invoice["status"]), ("0", &json!("paid")));
    let back = t.anna.act_with(PAYMENTS, &rest, "reverse", json!({ "amount": "10", "reason": "too much" })).await.ok();
    t.anna.act(PAYMENTS, &back["_made"], "submit").await.result().ok();
    t.vera.act(PAYMENTS, &back["_made"], "verify").await.ok();
    assert_eq!(plain(&t.anna.read(INVOICES, &invoice).await.ok()["balance"]), "10");
    let rows = t.anna.call("ledger", "trial_balance", json!({})).await.ok()["rows"].clone();
    let sold = rows.as_array().unwrap().iter().filter(|r| plain(&r["closing"]) == "-1100.01");
    assert_eq!(sold.count(), 1, "{rows}");

    let bare = t.deal("50").await;
    let made = t.mona.act(DEALS, &bare, "invoice").await.ok();
    let draft = t.mona.read(INVOICES, &made["_made"]).await.ok();
    assert_eq!((&draft["status"], plain(&draft["gross"])), (&json!("draft"), "50"));
    for module in ["finance", "ledger", "crm"] {
        let sql = format!("select wrong from {module}.verify() where organization_id = $1");
        assert_eq!(s.strings(&sql, &[&t.anna.actor.organization]).await, [""; 0], "{module}");
    }
}
