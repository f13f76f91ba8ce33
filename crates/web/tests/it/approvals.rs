//! What waits for approval, and who tries to get around it.

use crate::scene::{Answer, House, Person, house};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

/// A company where contracts above 1000 wait before they are signed: for one of two managers, then for the accountant.
struct Office {
    house: House,
    owner: Person,
    /// Makes contracts and asks.
    eva: Person,
    max: Person,
    nina: Person,
    fay: Person,
    party: Value,
}

const RULE: &str = "parties.contracts";

async fn office() -> Office {
    let house = house().await;
    let owner = house.owner().await;
    let eva = house.colleague(&owner, &["manager"]).await;
    let max = house.colleague(&owner, &["salesperson"]).await;
    let nina = house.colleague(&owner, &["salesperson"]).await;
    let fay = house.colleague(&owner, &["accountant"]).await;
    let party = owner.post("/parties/parties", json!({ "name": "Nordwind" })).await.json()["id"].clone();
    Office { house, owner, eva, max, nina, fay, party }
}

impl Office {
    async fn rule(&self, levels: Value) -> Uuid {
        let rule = json!({
            "name": "Large contracts", "entity": RULE, "action": "sign", "levels": levels,
            "condition": { "field": "value", "op": "gt", "value": 1000 }, "on_return": "terminate",
        });
        let made = self.owner.post("/approval-rules", rule).await;
        assert_eq!(made.status, 201, "{}", made.text());
        testkit::id(&made.json())
    }

    async fn two_levels(&self) -> Uuid {
        let first =
            json!({ "name": "Sales", "people": [self.max.id, self.nina.id], "quorum": 1, "due_hours": 8 });
        self.rule(json!([first, { "name": "Books", "roles": ["accountant"] }])).await
    }

    async fn contract(&self, value: &str) -> Value {
        let body = json!({ "title": "Ropes", "party_id": self.party, "value": value, "currency": "EUR" });
        let made = self.eva.post("/parties/contracts", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    }

    async fn sign(&self, contract: &Value) -> Answer {
        self.eva
            .post(&format!("/parties/contracts/{}/sign", testkit::id(contract)), json!({ "reason": "soon" }))
            .await
    }

    /// A contract that waits, and the request.
    async fn waiting(&self) -> (Value, Uuid) {
        let contract = self.contract("5000").await;
        let asked = self.sign(&contract).await;
        assert_eq!(asked.status, 202, "{}", asked.text());
        (contract, testkit::id(&asked.json()["_made"]["approval"]))
    }

    async fn status(&self, contract: &Value) -> Value {
        let at = format!("/parties/contracts/{}", testkit::id(contract));
        self.owner.get(&at).await.json()["status"].clone()
    }
}

impl Person {
    async fn decides(&self, id: Uuid, decision: &str) -> Answer {
        let body = json!({ "decision": decision, "comment": "because" });
        self.post(&format!("/approvals/{id}/decide"), body).await
    }

    async fn queue(&self) -> Vec<Uuid> {
        let answer = self.get("/approvals").await.json();
        answer["data"].as_array().unwrap().iter().map(testkit::id).collect()
    }
}

#[tokio::test]
async fn an_action_waits_until_every_level_has_agreed() {
    let o = office().await;
    o.two_levels().await;
    let small = o.contract("1000").await;
    assert_eq!(o.sign(&small).await.status, 200, "the condition does not hold");
    let (contract, id) = o.waiting().await;
    assert_eq!(o.status(&contract).await, "draft");
    assert_eq!(
        (o.max.queue().await, o.nina.queue().await, o.fay.queue().await),
        (vec![id], vec![id], vec![])
    );
    let seen = o.max.get(&format!("/approvals/{id}")).await.json();
    assert_eq!(
        (&seen["amount"], &seen["currency"], &seen["reason"]),
        (&json!("5000"), &json!("EUR"), &json!("soon"))
    );
    assert!(seen["shown"].to_string().contains("Nordwind"), "{seen}");
    assert!(seen["due_at"].is_string() && seen["may_decide"] == true, "{seen}");
    let told = o.max.get("/notifications").await.json();
    assert!(told["data"][0]["title"].as_str().unwrap().contains("asks for your approval"), "{told}");

    assert_eq!(o.fay.decides(id, "approve").await.status, 404, "not hers to see yet");
    assert_eq!(o.max.decides(id, "approve").await.json()["level"], 2);
    assert_eq!(o.status(&contract).await, "draft");
    assert_eq!((o.nina.queue().await, o.fay.queue().await), (vec![], vec![id]));
    let done = o.fay.decides(id, "approve").await;
    assert_eq!(done.json()["status"], "approved", "{}", done.text());
    assert_eq!(o.status(&contract).await, "signed", "the last approval takes the action");

    let at = format!("/parties/contracts/{}/_history", testkit::id(&contract));
    let history = o.eva.get(&at).await.text();
    for what in ["approval_request", "approval_approve", "because"] {
        assert!(history.contains(what), "{what}: {history}");
    }
    assert_eq!(o.sign(&contract).await.status, 422, "it is signed");
    let of_record =
        o.eva.get(&format!("/approvals?entity={RULE}&record={}", testkit::id(&contract))).await.json();
    assert_eq!(of_record["data"][0]["history"].as_array().unwrap().len(), 2, "{of_record}");
    assert_eq!(o.max.get("/approvals?of=decided").await.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(o.max.get("/approvals?of=all").await.status, 403);
}

#[tokio::test]
async fn nobody_approves_his_own() {
    let o = office().await;
    // Whoever asks is named himself, and so is who made the record.
    o.rule(json!([{ "people": [o.eva.id, o.owner.id, o.max.id], "quorum": 1 }])).await;
    let (contract, id) = o.waiting().await;
    let refused = o.eva.decides(id, "approve").await;
    assert_eq!(
        (refused.status, refused.text().contains("asked for himself")),
        (403, true),
        "{}",
        refused.text()
    );
    assert_eq!(o.nina.decides(id, "approve").await.status, 404);

    // The owner asks for what eva made.
    assert_eq!(o.eva.post(&format!("/approvals/{id}/withdraw"), json!({})).await.status, 200);
    let at = format!("/parties/contracts/{}/sign", testkit::id(&contract));
    let again = testkit::id(&o.owner.post(&at, json!({})).await.json()["_made"]["approval"]);
    assert_ne!(again, id);
    assert_eq!(o.eva.decides(again, "approve").await.status, 404, "she has no seat: she made it");
    // Neither by handing it on, nor by standing in.
    let hand = |to: Uuid| json!({ "decision": "delegate", "to": to });
    for to in [o.owner.id, o.eva.id, o.max.id] {
        assert_eq!(o.max.post(&format!("/approvals/{again}/decide"), hand(to)).await.status, 422);
    }
    let away = json!({ "delegate": o.owner.id, "ends_on": "2099-01-01" });
    assert_eq!(o.max.post("/delegations", away).await.status, 201);
    assert_eq!(o.owner.decides(again, "approve").await.status, 403);
    assert_eq!(o.status(&contract).await, "draft");
    // Behind the server's back the database says the same.
    let forged = format!(
        "insert into app.approval_decisions (organization_id, request_id, level, decision, person_id, decided_by) values ('{0}', '{again}', 1, 'approve', '{1}', '{1}')",
        o.owner.organization, o.owner.id
    );
    let refused = o.house.scene.admin().batch_execute(&forged).await.unwrap_err();
    assert!(refused.as_db_error().unwrap().constraint() == Some("nobody_approves_his_own"), "{refused:?}");
    // And the role that requests run as has no way to the rows at all.
    let runtime = o.house.scene.runtime().await;
    for sql in [
        forged,
        format!("update app.approval_requests set status = 'approved' where id = '{again}'"),
        "delete from app.approval_seats".into(),
    ] {
        let refused = runtime.batch_execute(&sql).await.unwrap_err();
        assert_eq!(refused.code().map(|c| c.code()), Some("42501"), "{sql}");
    }
}

#[tokio::test]
async fn one_decision_counts_however_many_decide_at_once() {
    let o = office().await;
    o.rule(json!([{ "people": [o.max.id, o.nina.id, o.fay.id, o.owner.id], "quorum": 1 }])).await;
    for _ in 0..5 {
        let (contract, id) = o.waiting().await;
        let mut all = JoinSet::new();
        for n in 0..12 {
            let who = [&o.max, &o.nina, &o.fay, &o.owner][n % 4].clone();
            all.spawn(async move { who.decides(id, "approve").await });
        }
        let answers = all.join_all().await;
        let count = |status: u16| answers.iter().filter(|a| a.status == status).count();
        assert_eq!(
            (count(200), count(409) + count(503)),
            (1, 11),
            "{:?}",
            answers.iter().map(|a| (a.status, a.text())).collect::<Vec<_>>()
        );
        assert_eq!(o.status(&contract).await, "signed");
        let seen = o.owner.get(&format!("/approvals/{id}")).await.json();
        assert_eq!(seen["history"].as_array().unwrap().len(), 1, "{seen}");
    }
}

#[tokio::test]
async fn all_of_a_level_decide_each_once() {
    let o = office().await;
    o.rule(json!([{ "people": [o.max.id, o.nina.id] }, { "people": [o.max.id, o.fay.id], "quorum": 1 }]))
        .await;
    let (contract, id) = o.waiting().await;
    assert_eq!(o.max.decides(id, "approve").await.json()["level"], 1, "one of two");
    assert_eq!(o.max.decides(id, "approve").await.status, 409, "not twice");
    assert_eq!(o.nina.decides(id, "approve").await.json()["level"], 2);
    assert_eq!(o.max.decides(id, "approve").await.status, 409, "nor at the next level");
    assert_eq!(o.fay.decides(id, "approve").await.status, 200);
    assert_eq!(o.status(&contract).await, "signed");
    let late = o.nina.decides(id, "reject").await;
    assert_eq!((late.status, late.text().contains("approved already")), (409, true), "{}", late.text());
}

#[tokio::test]
async fn what_was_withdrawn_changed_or_returned_is_not_approved() {
    let o = office().await;
    let rule = o.two_levels().await;
    let (contract, id) = o.waiting().await;
    let again = o.sign(&contract).await;
    assert_eq!(
        (again.status, testkit::id(&again.json()["_made"]["approval"])),
        (202, id),
        "it waits already"
    );
    assert!(
        again.json()["_made"]["message"].as_str().unwrap().contains("waits for approval by"),
        "{}",
        again.text()
    );

    // Changed after it was asked for.
    let at = format!("/parties/contracts/{}", testkit::id(&contract));
    let tag = o.eva.get(&at).await.header("etag").to_owned();
    let changed = o.eva.send("PATCH", &at, Some(json!({ "value": "900000" })), &[("if-match", &tag)]).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let refused = o.max.decides(id, "approve").await;
    assert_eq!(
        (refused.status, refused.text().contains("was changed after")),
        (409, true),
        "{}",
        refused.text()
    );
    let anew = testkit::id(&o.sign(&contract).await.json()["_made"]["approval"]);
    assert_ne!(anew, id);
    assert_eq!(o.owner.get(&format!("/approvals/{id}")).await.json()["status"], "withdrawn");
    assert_eq!(o.max.decides(id, "approve").await.status, 409);

    assert_eq!(
        o.max.post(&format!("/approvals/{anew}/withdraw"), json!({})).await.status,
        404,
        "only who asked"
    );
    assert_eq!(o.eva.post(&format!("/approvals/{anew}/withdraw"), json!({})).await.status, 200);
    assert_eq!(o.max.decides(anew, "approve").await.status, 409);
    assert_eq!(o.eva.post(&format!("/approvals/{anew}/withdraw"), json!({})).await.status, 422);

    let third = testkit::id(&o.sign(&contract).await.json()["_made"]["approval"]);
    let silent = o.max.post(&format!("/approvals/{third}/decide"), json!({ "decision": "return" })).await;
    assert_eq!(silent.status, 422, "why?");
    assert_eq!(o.max.decides(third, "return").await.json()["status"], "returned");
    assert_eq!(o.status(&contract).await, "draft", "what the rule names is for signed contracts");
    assert_eq!(o.nina.decides(third, "approve").await.status, 409);
    // What else is done with the record ends the wait.
    let fourth = testkit::id(&o.sign(&contract).await.json()["_made"]["approval"]);
    assert_eq!(o.eva.post(&format!("{at}/send"), json!({})).await.status, 200);
    assert_eq!(o.owner.get(&format!("/approvals/{fourth}")).await.json()["status"], "withdrawn");
    assert_eq!(o.max.decides(fourth, "approve").await.status, 409);
    // A rule that is gone holds nothing back.
    assert_eq!(o.owner.delete(&format!("/approval-rules/{rule}")).await.status, 204);
    assert_eq!(o.sign(&contract).await.status, 200);
}

#[tokio::test]
async fn others_decide_for_who_is_away_or_hands_it_on() {
    let o = office().await;
    o.rule(json!([{ "people": [o.max.id] }])).await;
    let zoe = o.house.colleague(&o.owner, &["employee"]).await;
    let (contract, id) = o.waiting().await;
    assert_eq!(zoe.decides(id, "approve").await.status, 404);
    let away = |days: [&str; 2]| json!({ "delegate": zoe.id, "starts_on": days[0], "ends_on": days[1] });
    assert_eq!(o.max.post("/delegations", away(["2020-01-01", "2020-01-31"])).await.status, 201);
    assert_eq!(zoe.queue().await, Vec::<Uuid>::new(), "that is over");
    let forged = json!({ "person": o.max.id, "delegate": zoe.id, "ends_on": "2099-01-01" });
    assert_eq!(zoe.post("/delegations", forged).await.status, 403);
    assert_eq!(
        o.max.post("/delegations", json!({ "delegate": o.max.id, "ends_on": "2099-01-01" })).await.status,
        422
    );
    let now = o.max.post("/delegations", away(["2020-01-01", "2099-01-31"])).await.json();
    assert_eq!(zoe.queue().await, [id]);
    assert_eq!(zoe.delete(&format!("/delegations/{}", testkit::id(&now))).await.status, 404);
    let done = zoe.decides(id, "approve").await.json();
    assert_eq!(
        (&done["history"][0]["by"]["id"], &done["history"][0]["in_name_of"]["id"]),
        (&json!(zoe.id), &json!(o.max.id))
    );
    assert_eq!(o.status(&contract).await, "signed");
    assert_eq!(o.max.decides(id, "approve").await.status, 409);

    assert_eq!(o.max.delete(&format!("/delegations/{}", testkit::id(&now))).await.status, 204);
    let (contract, id) = o.waiting().await;
    assert_eq!(zoe.queue().await, Vec::<Uuid>::new());
    let hand = json!({ "decision": "delegate", "to": o.nina.id, "comment": "you know them" });
    assert_eq!(o.max.post(&format!("/approvals/{id}/decide"), hand).await.status, 200);
    assert_eq!(o.nina.queue().await, [id]);
    assert_eq!(o.nina.decides(id, "approve").await.json()["status"], "approved");
    assert_eq!(o.status(&contract).await, "signed");
}

#[tokio::test]
async fn a_question_stops_the_clock_and_who_is_late_is_reminded_of() {
    let o = office().await;
    o.two_levels().await;
    let (contract, id) = o.waiting().await;
    let back = async |hours: i32| {
        let sql = format!(
            "update app.approval_levels set entered_at = now() - interval '{hours} hours', due_at = now() - interval '{hours} hours' + interval '8 hours' where request_id = '{id}' and number = 1"
        );
        o.house.behind(&sql).await;
        kernel::system!(o.house.scene.store, tx => { tx.execute("select app.daily($1)", &[&o.owner.organization]).await?; Ok(()) }).unwrap();
    };
    let told = async |who: &Person| {
        let all = who.get("/notifications").await.json();
        let all = all["data"].as_array().unwrap().clone();
        all.iter().filter(|n| n["kind"] == "approval").count()
    };
    back(1).await;
    assert_eq!((told(&o.max).await, told(&o.fay).await), (1, 0));
    assert_eq!(o.max.decides(id, "ask").await.status, 200);
    assert_eq!(told(&o.eva).await, 1);
    back(9).await;
    assert_eq!((told(&o.max).await, told(&o.fay).await), (1, 0), "the clock stands");
    assert_eq!(o.max.post(&format!("/approvals/{id}/answer"), json!({ "comment": "yes" })).await.status, 404);
    assert_eq!(
        o.eva
            .post(&format!("/approvals/{id}/answer"), json!({ "comment": "it is for two years" }))
            .await
            .status,
        200
    );
    back(7).await;
    back(7).await;
    assert_eq!(
        (told(&o.max).await, told(&o.nina).await, told(&o.fay).await),
        (3, 2, 0),
        "answered, and reminded once"
    );
    back(8).await;
    back(9).await;
    assert_eq!(told(&o.fay).await, 1, "overdue: the next level is asked, once");
    let done = o.fay.decides(id, "approve").await.json();
    assert_eq!(done["level"], 2, "{done}");
    // She has decided once; where nobody else is left the administrators are asked.
    assert_eq!(o.owner.decides(id, "approve").await.json()["status"], "approved");
    assert_eq!(o.status(&contract).await, "signed");
}

#[tokio::test]
async fn many_are_decided_at_once_each_by_itself() {
    let o = office().await;
    o.rule(json!([{ "people": [o.max.id] }])).await;
    let mut ids = Vec::new();
    let mut contracts = Vec::new();
    for _ in 0..3 {
        let (contract, id) = o.waiting().await;
        ids.push(id);
        contracts.push(contract);
    }
    assert_eq!(o.eva.post(&format!("/approvals/{}/withdraw", ids[1]), json!({})).await.status, 200);
    let all = o.max.post("/approvals/_decide", json!({ "ids": ids, "decision": "approve" })).await.json();
    assert_eq!((&all["done"], all["failed"].as_array().unwrap().len()), (&json!(2), 1), "{all}");
    assert_eq!(o.status(&contracts[0]).await, "signed");
    assert_eq!(o.status(&contracts[1]).await, "draft");
    // Asked for by the dozen, they wait by the dozen.
    let more: Vec<Uuid> = vec![testkit::id(&o.contract("7000").await), testkit::id(&o.contract("10").await)];
    let signed =
        o.eva.post("/parties/contracts/_bulk", json!({ "action": "sign", "ids": more })).await.json();
    assert_eq!(signed["done"], 1, "{signed}");
    assert!(signed["failed"][0]["message"].as_str().unwrap().contains("waits for approval"), "{signed}");
    assert_eq!(o.max.queue().await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_done_in_the_end_was_not_approved() {
    let o = office().await;
    o.rule(json!([{ "people": [o.max.id] }])).await;
    let (contract, id) = o.waiting().await;
    let sql =
        format!("update parties.contracts set status = 'terminated' where id = '{}'", testkit::id(&contract));
    o.house.behind(&sql).await;
    let refused = o.max.decides(id, "approve").await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let seen = o.max.get(&format!("/approvals/{id}")).await.json();
    assert_eq!((&seen["status"], &seen["history"]), (&json!("pending"), &json!([])));
}

#[tokio::test]
async fn rules_are_kept_by_administrators_and_fit_their_entity() {
    let o = office().await;
    let good = json!({ "name": "x", "entity": RULE, "action": "sign", "levels": [{ "people": [o.max.id] }] });
    assert_eq!(o.eva.post("/approval-rules", good.clone()).await.status, 403);
    assert_eq!(o.eva.get("/approval-rules").await.status, 403);
    let stranger = o.house.owner().await;
    for (field, value, status) in [
        ("entity", json!("app.approval_rules"), 400),
        ("action", json!("auto"), 400),
        ("action", json!("dance"), 400),
        ("on_reject", json!("dance"), 400),
        ("name", json!(" "), 422),
        ("levels", json!([]), 422),
        ("levels", json!([{}]), 422),
        ("levels", json!([{ "people": [stranger.id] }]), 422),
        ("levels", json!([{ "roles": ["emperor"] }]), 422),
        ("levels", json!([{ "people": [o.max.id], "quorum": 0 }]), 422),
        ("condition", json!({ "field": "size", "op": "gt", "value": 1 }), 400),
        // What lies behind a relation may be hidden from who asks, and would let him pass.
        ("condition", json!({ "field": "party.name", "op": "eq", "value": "x" }), 400),
        ("condition", json!({ "field": "sales.orders", "quantifier": "any" }), 400),
    ] {
        let mut bad = good.clone();
        bad[field] = value.clone();
        let answer = o.owner.post("/approval-rules", bad).await;
        assert_eq!(answer.status, status, "{field} {value}: {}", answer.text());
    }
    let made = o.owner.post("/approval-rules", good.clone()).await.json();
    let at = format!("/approval-rules/{}", testkit::id(&made));
    let mut other = good;
    other["is_active"] = json!(false);
    assert_eq!(o.owner.send("PUT", &at, Some(other.clone()), &[]).await.status, 200);
    assert_eq!(stranger.send("PUT", &at, Some(other), &[]).await.status, 404);
    let contract = o.contract("5000").await;
    assert_eq!(o.sign(&contract).await.status, 200, "a rule that rests holds nothing back");
    // A key that only reads decides nothing.
    let token = json!({ "name": "reader", "scopes": ["*:read"] });
    let key = o.max.with_token(o.max.post("/auth/tokens", token).await.json()["token"].as_str().unwrap());
    assert_eq!(key.get("/approvals").await.status, 200);
    assert_eq!(
        key.post(&format!("/approvals/{}/decide", Uuid::now_v7()), json!({ "decision": "approve" }))
            .await
            .status,
        403
    );
}
