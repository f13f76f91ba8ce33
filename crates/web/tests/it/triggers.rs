//! What happens by itself: once, with somebody's rights, and told.

use crate::scene::{Answer, House, Person, house_alone};
use kernel::{Actor, within};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// A company with a party, whose contracts are what its triggers are about.
struct Works {
    house: House,
    owner: Person,
    party: Value,
}

const ABOUT: &str = "parties.contracts";

async fn works() -> Works {
    let house = house_alone().await;
    let owner = house.owner().await;
    let party = owner.post("/parties/parties", json!({ "name": "Nordwind" })).await.json()["id"].clone();
    Works { house, owner, party }
}

impl Works {
    fn workers(&self) -> flow::Workers {
        let people = Arc::new(auth::Auth::new(self.house.scene.store.clone(), auth::Config::default()));
        let actor_of: flow::ActorOf = Arc::new(move |organization, user, request| {
            let people = people.clone();
            Box::pin(async move { people.actor_of(organization, user, request).await })
        });
        let settings = flow::Settings {
            lease: Duration::from_millis(600),
            poll: Duration::from_millis(50),
            first_wait: Duration::from_millis(20),
            ..flow::Settings::default()
        };
        let worker = flow::Worker::new(self.house.scene.store.clone(), actor_of.clone()).settings(settings);
        let worker = web::following::register(worker, actor_of, "https://fondaco.test".into());
        flow::triggers::register(worker, "https://fondaco.test".into()).start()
    }

    /// When everything that was asked for has been done.
    async fn settled(&self) {
        let workers = self.workers();
        let open = "select from app.jobs where status in ('queued', 'running') and organization_id <> '00000000-0000-0000-0000-000000000000'";
        for _ in 0..500 {
            if self.house.scene.admin().query(open, &[]).await.unwrap().is_empty() {
                break;
            }
            workers.wake();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let failed =
            self.house.scene.strings("select error from app.jobs where status = 'failed'", &[]).await;
        assert!(failed.is_empty(), "{failed:?}");
        workers.stop().await;
    }

    fn trigger(&self, event: &str, actions: Value) -> Value {
        json!({ "name": "High value", "entity": ABOUT, "event": event, "actions": actions })
    }

    async fn put(&self, trigger: Value) -> Uuid {
        let made = self.owner.post("/triggers", trigger).await;
        assert_eq!(made.status, 201, "{}", made.text());
        testkit::id(&made.json())
    }

    async fn contract(&self, title: &str, value: &str) -> Uuid {
        let body = json!({ "title": title, "party_id": self.party, "value": value, "currency": "EUR" });
        let made = self.owner.post("/parties/contracts", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        testkit::id(&made.json())
    }

    async fn change(&self, contract: Uuid, body: Value) {
        let at = format!("/parties/contracts/{contract}");
        let version = self.owner.get(&at).await.json()["version"].to_string();
        let done = self.owner.send("PATCH", &at, Some(body), &[("if-match", &version)]).await;
        assert_eq!(done.status, 200, "{}", done.text());
    }

    async fn read(&self, contract: Uuid) -> Value {
        self.owner.get(&format!("/parties/contracts/{contract}")).await.json()
    }

    /// What a trigger did, the oldest first.
    async fn runs(&self, trigger: Uuid) -> Vec<Value> {
        self.settled().await;
        let told = self.owner.get(&format!("/trigger-executions?trigger={trigger}")).await.json();
        let mut runs = Vec::new();
        for run in told["data"].as_array().unwrap().iter().rev() {
            runs.push(self.owner.get(&format!("/trigger-executions/{}", testkit::id(run))).await.json());
        }
        runs
    }

    async fn mails(&self, to: &str) -> Vec<(String, String)> {
        let sql = "select subject, body from app.mails where recipient = $1 order by created_at, id";
        let rows = self.house.scene.admin().query(sql, &[&to]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    async fn actor(&self, of: &Person) -> Actor {
        self.house.auth().actor_of(of.organization, of.id, Uuid::now_v7()).await.unwrap()
    }

    async fn said(&self, contract: Uuid) -> Vec<String> {
        let sql = "select body from social.comments where record_id = $1 order by id";
        self.house.scene.strings(sql, &[&contract]).await
    }
}

fn above(value: i64) -> Value {
    json!({ "operator": "AND", "rules": [{ "field": "value", "operator": "greater_than", "value": value }] })
}

fn comment(text: &str) -> Value {
    json!({ "type": "comment", "text": text })
}

fn ends(runs: &[Value]) -> Vec<(&str, &str)> {
    runs.iter().map(|r| (r["status"].as_str().unwrap(), r["outcome"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_trigger_fires_once_by_every_road_and_tells_why() {
    let w = works().await;
    let max = w.house.colleague(&w.owner, &["accountant"]).await;
    let mail = json!({ "type": "send_email", "to": "cfo@acme.test, {{party.email}}", "subject": "{{title}} requires review",
        "text": "Party: {{party.name}}, {{party_id}}\nValue: ${{value}} {{currency}}\nFrom {{starts_on}}" });
    let notify = json!({ "type": "notify", "people": [max.id], "roles": ["accountant"], "owner": true, "text": "{{title}}: {{ value }}" });
    let at = format!("/parties/parties/{}", w.party.as_str().unwrap());
    let version = w.owner.get(&at).await.json()["version"].to_string();
    let email = Some(json!({ "email": "sea@nordwind.test" }));
    assert_eq!(w.owner.send("PATCH", &at, email, &[("if-match", &version)]).await.status, 200);
    let trigger =
        w.put(json!({ "condition": above(10000), "name": "High value", "entity": ABOUT, "event": "created", "actions": [mail, notify] })).await;

    w.contract("Ten", "10000").await;
    let body = json!({ "title": "More", "party_id": w.party, "value": "10000.01", "currency": "EUR", "starts_on": "2026-11-05" });
    let more = testkit::id(&w.owner.post("/parties/contracts", body).await.json());
    let runs = w.runs(trigger).await;
    assert_eq!(ends(&runs), [("SUCCESS", "skipped"), ("SUCCESS", "matched")]);
    let verdict = |run: &Value| run["condition_result"]["rules"][0].clone();
    assert_eq!((&verdict(&runs[0])["left"], &verdict(&runs[0])["verdict"]), (&json!("10000"), &json!(false)));
    assert_eq!(
        (&verdict(&runs[1])["left"], &verdict(&runs[1])["verdict"]),
        (&json!("10000.01"), &json!(true))
    );
    assert_eq!((&runs[0]["conditions_met"], &runs[0]["actions_executed"]), (&json!(false), &json!([])));
    assert_eq!(
        (&runs[1]["title"], &runs[1]["record_id"], &runs[1]["actor"]),
        (&json!("More"), &json!(more), &json!("owner"))
    );
    assert_eq!(runs[1]["actions_executed"][1]["status"], "done");
    let said = (
        "More requires review".to_owned(),
        "Party: Nordwind, Nordwind\nValue: $10,000.01 EUR\nFrom 5 Nov 2026".to_owned(),
    );
    assert_eq!(w.mails("cfo@acme.test").await, std::slice::from_ref(&said));
    assert_eq!(w.mails("sea@nordwind.test").await, [said]);
    for person in [&max, &w.owner] {
        let news = person.get("/notifications").await.json();
        assert_eq!(
            (news["data"].as_array().unwrap().len(), &news["data"][0]["title"], &news["data"][0]["body"]),
            (1, &json!("High value"), &json!("More: 10,000.01")),
            "{news}"
        );
    }

    // A file, and SQL of the runtime role.
    let file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    let csv = "title,party_id,value,currency\nBrought in,Nordwind,20000,EUR\nSmall,Nordwind,1,EUR\n";
    std::fs::write(file.path(), csv).unwrap();
    let (store, actor) = (&w.house.scene.store, w.actor(&w.owner).await);
    let entity = store.catalog().entity(ABOUT).unwrap();
    let begun =
        records::import::begin(store, &actor, entity, None, file.path(), "contracts.csv").await.unwrap();
    let done =
        records::import::run(store, &actor, testkit::id(&begun), file.path(), &|_, _| {}).await.unwrap();
    assert_eq!(done["created"], 2, "{done}");
    let party: Uuid = w.party.as_str().unwrap().parse().unwrap();
    within!(store, &actor, tx => {
        let sql = "insert into parties.contracts (title, party_id, value, currency) values ('By hand', $1, 30000, 'EUR')";
        Ok(tx.execute(sql, &[&party]).await?)
    })
    .unwrap();
    let runs = w.runs(trigger).await;
    let titles: Vec<&str> =
        runs.iter().filter(|r| r["outcome"] == "matched").map(|r| r["title"].as_str().unwrap()).collect();
    assert_eq!((titles, runs.len()), (vec!["More", "Brought in", "By hand"], 5));
    assert_eq!(w.mails("cfo@acme.test").await.len(), 3);
}

#[tokio::test]
async fn what_was_rolled_back_or_is_off_starts_nothing() {
    let w = works().await;
    let on = w.put(w.trigger("updated", json!([comment("changed")]))).await;
    let mut off = w.trigger("updated", json!([comment("never")]));
    off["is_active"] = json!(false);
    let off = w.put(off).await;
    let contract = w.contract("Ropes", "5").await;
    let (store, actor) = (&w.house.scene.store, w.actor(&w.owner).await);
    let undone: kernel::Result<()> = within!(store, &actor, tx => {
        tx.execute("update parties.contracts set title = 'Chains' where id = $1", &[&contract]).await?;
        Err(kernel::Error::refused("no"))
    });
    assert!(undone.is_err());
    assert!(
        w.house.scene.strings("select kind from app.jobs where kind = 'triggers.run'", &[]).await.is_empty()
    );
    // The same again changes nothing.
    w.change(contract, json!({ "title": "Ropes" })).await;
    assert!(
        w.house.scene.strings("select kind from app.jobs where kind = 'triggers.run'", &[]).await.is_empty()
    );
    // However often one transaction changes it, it was changed once.
    within!(store, &actor, tx => {
        for (title, value) in [("Chains", 5), ("Anchors", 6), ("Buoys", 7)] {
            let sql = "update parties.contracts set title = $2, value = $3::integer where id = $1";
            tx.execute(sql, &[&contract, &title, &value]).await?;
        }
        Ok(())
    })
    .unwrap();
    let runs = w.runs(on).await;
    assert_eq!(ends(&runs), [("SUCCESS", "matched")]);
    let event = &runs[0]["event"];
    assert_eq!(
        (&event["old"]["title"], &event["new"]["title"], &event["changed"]),
        (&json!("Ropes"), &json!("Buoys"), &json!(["title", "value"]))
    );
    assert_eq!((w.said(contract).await, w.runs(off).await.len()), (vec!["changed".to_owned()], 0));
    // Switched off while it waits, it does nothing either.
    w.change(contract, json!({ "title": "Sails" })).await;
    assert_eq!(w.owner.delete(&format!("/triggers/{on}")).await.status, 204);
    w.settled().await;
    assert_eq!(w.said(contract).await.len(), 1);
}

#[tokio::test]
async fn events_are_told_apart() {
    let w = works().await;
    let own = json!({ "entity": ABOUT, "name": "berth", "label": "Berth", "type": "text" });
    assert_eq!(w.owner.post("/fields", own).await.status, 201);
    let on = async |event: &str, more: Value| {
        let mut trigger = w.trigger(event, json!([comment("{{title}}")]));
        for (name, value) in more.as_object().unwrap() {
            trigger[name] = value.clone();
        }
        w.put(trigger).await
    };
    let moved = json!({ "field": "title", "operator": "changed_to", "value": "Anchors" });
    let grown = json!({ "field": "value", "operator": "increased" });
    let created = on("created", json!({})).await;
    let title = on("field_changed", json!({ "fields": ["title", "cf.berth"] })).await;
    let anchors = on("updated", json!({ "condition": moved })).await;
    let more = on("updated", json!({ "condition": grown })).await;
    let signed = on("acted", json!({ "action": "sign" })).await;
    let deleted = on("deleted", json!({ "condition": above(1) })).await;
    let contract = w.contract("Ropes", "5").await;
    w.change(contract, json!({ "value": "7" })).await;
    w.settled().await;
    w.change(contract, json!({ "title": "Anchors" })).await;
    w.settled().await;
    w.change(contract, json!({ "cf.berth": "12" })).await;
    let sign = async |id: Uuid| w.owner.post(&format!("/parties/contracts/{id}/sign"), json!({})).await;
    assert_eq!(sign(contract).await.status, 200);
    let other = w.contract("Sails", "5").await;
    assert_eq!(w.owner.delete(&format!("/parties/contracts/{other}")).await.status, 204);
    let done = async |trigger| {
        let runs = w.runs(trigger).await;
        let matched = runs.iter().filter(|r| r["outcome"] == "matched");
        matched
            .map(|r| (r["title"].as_str().unwrap().to_owned(), r["event"]["changed"].clone()))
            .collect::<Vec<_>>()
    };
    let of = |title: &str, changed: Value| (title.to_owned(), changed);
    assert_eq!(done(created).await, [of("Ropes", json!([])), of("Sails", json!([]))]);
    assert_eq!(done(title).await, [of("Anchors", json!(["title"])), of("Anchors", json!(["cf.berth"]))]);
    assert_eq!(done(anchors).await, [of("Anchors", json!(["title"]))]);
    assert_eq!(done(more).await, [of("Ropes", json!(["value"]))]);
    let signs = done(signed).await;
    assert_eq!((signs.len(), &signs[0].0), (1, &"Anchors".to_owned()));
    assert_eq!(done(deleted).await.len(), 1);

    // Lines are their record's: made with them it is made, changed in one it is changed.
    let mut orders = w.trigger("updated", json!([comment("changed")]));
    orders["entity"] = json!("sales.orders");
    let orders = w.put(orders).await;
    let line = |price: &str| json!({ "name": "Rope", "quantity": "1", "price": price });
    let order = json!({ "customer_id": w.party, "lines": [line("10"), line("20")] });
    let order = w.owner.post("/sales/orders", order).await;
    assert_eq!(order.status, 201, "{}", order.text());
    assert_eq!(w.runs(orders).await.len(), 0);
    let (order, id) = (order.json(), testkit::id(&order.json()));
    let more = json!({ "lines": [{ "id": order["lines"][0]["id"], "price": "11" }, line("30")] });
    let version = order["version"].to_string();
    let at = format!("/sales/orders/{id}");
    assert_eq!(w.owner.send("PATCH", &at, Some(more), &[("if-match", &version)]).await.status, 200);
    let runs = w.runs(orders).await;
    assert_eq!(
        (ends(&runs), &runs[0]["event"]["changed"]),
        (vec![("SUCCESS", "matched")], &json!(["sales.order_lines"]))
    );
}

#[tokio::test]
async fn conditions_and_texts_know_what_the_record_points_to_and_its_lines() {
    let w = works().await;
    let rules = json!([
        { "field": "customer.name", "operator": "starts_with", "value": "Nord" },
        { "field": "customer_id", "operator": "equals", "value": w.party },
        { "field": "lines", "quantifier": "any", "where": { "field": "price", "operator": "greater_than", "value": 15 } },
        { "field": "lines.quantity", "quantifier": "all", "operator": "equals", "value": 1 },
    ]);
    let send = json!({ "type": "send_email", "to": "{{customer.email}}", "subject": "{{number}}", "text": "{{net}} {{$old.note}}" });
    let note = json!({ "type": "update_record", "target": "customer", "values": { "note": "{{note}}", "is_customer": true } });
    let trigger = json!({ "name": "Orders", "entity": "sales.orders", "event": "updated", "actions": [send, note], "on_error": "continue",
        "condition": { "operator": "AND", "rules": rules } });
    let trigger = w.put(trigger).await;
    let line = |price: &str| json!({ "name": "Rope", "quantity": "1", "price": price });
    let order = json!({ "customer_id": w.party, "note": "first", "lines": [line("10"), line("20")] });
    let order = testkit::id(&w.owner.post("/sales/orders", order).await.json());
    let bulk = json!({ "ids": [order], "action": "update", "changes": { "note": "second" } });
    let done = w.owner.post("/sales/orders/_bulk", bulk).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let runs = w.runs(trigger).await;
    assert_eq!(ends(&runs), [("PARTIAL_SUCCESS", "matched")], "{}", runs[0]["condition_result"]);
    let verdicts = runs[0]["condition_result"]["rules"].as_array().unwrap();
    assert_eq!(
        (&verdicts[0]["left"], &verdicts[2]["left"], &verdicts[2]["right"]),
        (&json!("Nordwind"), &json!(1), &json!(2))
    );
    let [mail, change] = [0, 1].map(|n| runs[0]["actions_executed"][n].clone());
    assert_eq!(
        (&mail["status"], &mail["message"]),
        (&json!("failed"), &json!("This is not an e-mail address."))
    );
    assert_eq!((&change["status"], &change["detail"]["record_id"]), (&json!("done"), &w.party));
    let party = w.owner.get(&format!("/parties/parties/{}", w.party.as_str().unwrap())).await.json();
    assert_eq!(party["note"], "second");
    let told = w.owner.post(&format!("/triggers/{trigger}/try"), json!({ "record": order })).await.json();
    assert_eq!(told["actions"][1]["detail"]["values"], json!({ "note": "second", "is_customer": true }));
}

#[tokio::test]
async fn triggers_that_lead_to_each_other_end() {
    let w = works().await;
    let set = |values: Value| json!([{ "type": "update_record", "values": values }]);
    let first = w.put(w.trigger("updated", set(json!({ "note": "{{note}}+" })))).await;
    let mut second = w.trigger("field_changed", set(json!({ "reason": "{{note}}" })));
    second["fields"] = json!(["note"]);
    let second = w.put(second).await;
    let contract = w.contract("Ropes", "5").await;
    w.change(contract, json!({ "title": "Chains" })).await;
    let (one, two) = (w.runs(first).await, w.runs(second).await);
    assert_eq!(
        ends(&one),
        [("SUCCESS", "matched"), ("FAILED", "blocked_loop"), ("FAILED", "blocked_loop")],
        "by its own change, and by the other's"
    );
    assert_eq!(ends(&two), [("SUCCESS", "matched")]);
    let now = w.read(contract).await;
    assert_eq!((&now["note"], &now["reason"]), (&json!("+"), &json!("+")));

    // A chain over ever new records has an end too.
    let next = json!([{ "type": "create_record", "entity": ABOUT, "values": { "title": "{{title}}'", "party_id": "{{party_id}}" } }]);
    let chain = w.put(w.trigger("created", next)).await;
    w.contract("Chain", "5").await;
    let runs = w.runs(chain).await;
    assert_eq!((runs.len(), runs[8]["outcome"].as_str()), (9, Some("blocked_loop")), "{:?}", ends(&runs));
    assert_eq!(runs[7]["actions_executed"][0]["detail"]["values"]["title"], "Chain''''''''");
}

#[tokio::test]
async fn a_failed_action_leaves_nothing_and_the_rest_is_stopped_or_done() {
    let w = works().await;
    let broken = json!({ "type": "update_record", "values": { "note": "half", "value": "{{title}}" } });
    let late = json!({ "type": "update_record", "values": { "note": "whole", "ends_on": "2000-01-01" } });
    let actions = json!([comment("before"), broken, late, comment("after")]);
    let stops = w.put(w.trigger("created", actions.clone())).await;
    let mut goes_on = w.trigger("updated", actions);
    goes_on["on_error"] = json!("continue");
    let goes_on = w.put(goes_on).await;
    let body = json!({ "title": "Ropes", "party_id": w.party, "starts_on": "2026-01-01" });
    let contract = testkit::id(&w.owner.post("/parties/contracts", body).await.json());
    let states = |run: &Value| {
        let all = run["actions_executed"].as_array().unwrap();
        all.iter().map(|a| a["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let runs = w.runs(stops).await;
    assert_eq!(ends(&runs), [("FAILED", "matched")]);
    assert_eq!(states(&runs[0]), "done failed not_done not_done");
    assert_eq!(w.said(contract).await, ["before"]);
    w.change(contract, json!({ "title": "Chains" })).await;
    let runs = w.runs(goes_on).await;
    assert_eq!(ends(&runs), [("PARTIAL_SUCCESS", "matched")]);
    assert_eq!(states(&runs[0]), "done failed failed done");
    let why = |n: usize| runs[0]["actions_executed"][n]["message"].as_str().unwrap();
    assert!(why(1).contains("number") || why(1).contains("amount"), "{}", why(1));
    assert_eq!(runs[0]["message"], why(1));
    assert_eq!(w.said(contract).await, ["before", "before", "after"]);
    assert_eq!(
        w.read(contract).await["note"],
        Value::Null,
        "what failed in the database left nothing of itself"
    );
}

#[tokio::test]
async fn only_administrators_define_triggers_and_only_their_companys() {
    let w = works().await;
    let eve = w.house.colleague(&w.owner, &["manager"]).await;
    let stranger = w.house.owner().await;
    let body = w.trigger("created", json!([comment("{{title}}")]));
    let trigger = w.put(body.clone()).await;
    let contract = w.contract("Ropes", "5").await;
    let run = testkit::id(&w.runs(trigger).await[0]);
    let (at, of_run) = (format!("/triggers/{trigger}"), format!("/trigger-executions/{run}"));
    for (who, status) in [(&eve, 403), (&stranger, 404)] {
        let attempt = json!({ "record": contract });
        let answers = [
            who.get(&at).await,
            who.send("PUT", &at, Some(body.clone()), &[]).await,
            who.delete(&at).await,
            who.post(&format!("{at}/try"), attempt).await,
            who.get(&of_run).await,
        ];
        assert_eq!(answers.map(|a: Answer| a.status), [status; 5], "{}", who.email);
    }
    for path in ["/triggers", "/trigger-executions"] {
        assert_eq!(eve.get(path).await.status, 403);
        assert_eq!(stranger.get(path).await.json()["data"], json!([]));
    }
    assert_eq!(eve.post("/triggers", body.clone()).await.status, 403);
    // Another company's records start nothing here.
    stranger.post("/parties/parties", json!({ "name": "Elsewhere" })).await;
    assert_eq!(w.runs(trigger).await.len(), 1);

    // Whoever is kept from a field sees how a run ended, and not what it knew.
    let roles = w.owner.get("/roles").await.json();
    let admin =
        roles["data"].as_array().unwrap().iter().find(|r| r["name"] == "admin").map(testkit::id).unwrap();
    let narrow = json!({ "fields": { ABOUT: { "value": "none" } } });
    let done = w.owner.patch(&format!("/roles/{admin}"), narrow).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let ann = w.house.colleague(&w.owner, &["admin"]).await;
    let seen = ann.get(&of_run).await.json();
    assert_eq!((&seen["status"], seen.get("event")), (&json!("SUCCESS"), None), "{seen}");
}

#[tokio::test]
async fn a_trigger_goes_as_far_as_whoever_saved_it() {
    let w = works().await;
    let boss = w.house.colleague(&w.owner, &["admin"]).await;
    let body = w.trigger("created", json!([{ "type": "take_action", "action": "sign" }, comment("signed")]));
    let trigger = testkit::id(&boss.post("/triggers", body).await.json());
    let first = w.contract("First", "5").await;
    assert_eq!(ends(&w.runs(trigger).await), [("SUCCESS", "matched")]);
    assert_eq!(w.read(first).await["status"], "signed");
    let lowered = w.owner.patch(&format!("/members/{}", boss.id), json!({ "roles": ["guest"] })).await;
    assert_eq!(lowered.status, 200, "{}", lowered.text());
    let second = w.contract("Second", "5").await;
    let runs = w.runs(trigger).await;
    assert_eq!(ends(&runs[1..]), [("FAILED", "matched")]);
    assert!(runs[1]["message"].as_str().unwrap().starts_with("You may not"), "{}", runs[1]);
    assert_eq!(w.owner.delete(&format!("/members/{}", boss.id)).await.status, 204);
    let third = w.contract("Third", "5").await;
    let runs = w.runs(trigger).await;
    assert_eq!(ends(&runs[2..]), [("FAILED", "matched")]);
    assert_eq!(runs[2]["message"], "Who asked for this is no active member any more.");
    for contract in [second, third] {
        assert_eq!(
            (w.read(contract).await["status"].clone(), w.said(contract).await.len()),
            (json!("draft"), 0)
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_trigger_is_told_at_its_field() {
    let w = works().await;
    let fine = w.trigger("created", json!([comment("{{title}}")]));
    let cases: &[(&str, Value, &str)] = &[
        ("entity", json!("parties.nothing"), "entity"),
        ("entity", json!("builder.triggers"), "entity"),
        ("event", json!("dreamt"), "event"),
        ("event", json!("field_changed"), "fields"),
        ("event", json!("acted"), "action"),
        ("on_error", json!("shrug"), "on_error"),
        ("name", json!(" "), "name"),
        (
            "condition",
            json!({ "field": "colour", "operator": "equals", "value": 1 }),
            "condition.filter/field",
        ),
        (
            "condition",
            json!({ "field": "value", "operator": "smells", "value": 1 }),
            "condition.filter/operator",
        ),
        ("actions", json!([]), "actions"),
        ("actions", json!([{ "type": "dance" }]), "actions.0.type"),
        ("actions", json!([comment("ok"), comment("{{colour}}")]), "actions.1.text"),
        ("actions", json!([comment("{{title")]), "actions.0.text"),
        ("actions", json!([{ "type": "comment", "text": "a", "loud": true }]), "actions.0.loud"),
        ("actions", json!([{ "type": "notify", "text": "a" }]), "actions.0.people"),
        (
            "actions",
            json!([{ "type": "notify", "people": [Uuid::now_v7()], "text": "a" }]),
            "actions.0.people",
        ),
        ("actions", json!([{ "type": "notify", "roles": ["captain"], "text": "a" }]), "actions.0.roles"),
        (
            "actions",
            json!([{ "type": "send_email", "to": "nobody", "subject": "a", "text": "a" }]),
            "actions.0.to",
        ),
        ("actions", json!([{ "type": "take_action", "action": "sink" }]), "actions.0.action"),
        (
            "actions",
            json!([{ "type": "take_action", "target": "title", "action": "sign" }]),
            "actions.0.target",
        ),
        (
            "actions",
            json!([{ "type": "update_record", "values": { "colour": "red" } }]),
            "actions.0.values.colour",
        ),
        (
            "actions",
            json!([{ "type": "update_record", "values": { "value": "much" } }]),
            "actions.0.values.value",
        ),
        (
            "actions",
            json!([{ "type": "update_record", "target": "party", "values": { "title": "a" } }]),
            "actions.0.values.title",
        ),
        (
            "actions",
            json!([{ "type": "create_record", "entity": ABOUT, "values": { "title": "{{title}}" } }]),
            "actions.0.values.party_id",
        ),
    ];
    for (field, value, told_at) in cases {
        let mut trigger = fine.clone();
        trigger[*field] = value.clone();
        let answer = w.owner.post("/triggers", trigger).await;
        let told = answer.json();
        assert_eq!(
            (answer.status, told["errors"][0]["field"].as_str()),
            (422, Some(*told_at)),
            "{value}: {told}"
        );
    }
    // What would be done is told, and nothing is.
    let mut trigger = fine;
    trigger["condition"] = above(10000)["rules"][0].clone();
    let trigger = w.put(trigger).await;
    let kept = w.owner.get(&format!("/triggers/{trigger}")).await.json();
    assert_eq!(kept["condition"], above(10000), "a group, whatever was sent");
    let contract = w.contract("Ropes", "20000").await;
    w.settled().await;
    let told = w.owner.post(&format!("/triggers/{trigger}/try"), json!({ "record": contract })).await.json();
    assert_eq!(
        (&told["conditions_met"], &told["actions"][0]["detail"]["text"]),
        (&json!(true), &json!("Ropes"))
    );
    assert_eq!((w.said(contract).await.len(), w.runs(trigger).await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_trigger_does_is_done_once_after_any_death() {
    let w = works().await;
    let mail =
        json!({ "type": "send_email", "to": "cfo@acme.test", "subject": "{{title}}", "text": "{{title}}" });
    let trigger = w.put(w.trigger("created", json!([comment("{{title}}"), mail]))).await;
    for n in 0..40 {
        w.contract(&format!("Contract {n}"), "5").await;
    }
    for _ in 0..8 {
        // Killed: its tasks end wherever they are, its leases stay.
        let workers = w.workers();
        workers.wake();
        tokio::time::sleep(Duration::from_millis(60)).await;
        drop(workers);
    }
    w.settled().await;
    let count = "select count(*)::text || ' ' || count(distinct body) from social.comments";
    assert_eq!(w.house.scene.strings(count, &[]).await, ["40 40"]);
    assert_eq!(w.mails("cfo@acme.test").await.len(), 40);
    let logged =
        "select count(*)::text from builder.trigger_executions where trigger_id = $1 and status = 'SUCCESS'";
    assert_eq!(w.house.scene.strings(logged, &[&trigger]).await, ["40"]);
}

#[tokio::test]
async fn a_table_of_ones_own_has_triggers_as_others_do() {
    let w = works().await;
    let (states, moves) = (
        json!([{ "id": "planned", "label": "Planned" }, { "id": "booked", "label": "Booked" }]),
        json!([{ "action": "book", "label": "Book", "source": "planned", "target": "booked" }]),
    );
    let table = json!({ "name": "venues", "title": "Venues", "states": states, "moves": moves });
    assert_eq!(w.owner.post("/tables", table).await.status, 201);
    let field =
        json!({ "entity": "custom.venues", "name": "capacity", "label": "Capacity", "type": "number" });
    assert_eq!(w.owner.post("/fields", field).await.status, 201);
    let about = |event: &str, text: &str| {
        let mut trigger = w.trigger(event, json!([comment(text)]));
        trigger["entity"] = "custom.venues".into();
        trigger
    };
    let mut large = about("created", "{{name}} seats {{cf.capacity}}");
    large["condition"] = json!({ "field": "cf.capacity", "operator": "greater_than", "value": 100 });
    let large = w.put(large).await;
    let mut booked = about("acted", "{{name}} is booked");
    booked["action"] = "book".into();
    let booked = w.put(booked).await;
    let mut capacity = about("field_changed", "now {{cf.capacity}}");
    capacity["fields"] = json!(["cf.capacity"]);
    w.put(capacity).await;
    let made = async |name: &str, seats: u32| {
        let made = w.owner.post("/custom/venues", json!({ "name": name, "cf.capacity": seats })).await;
        testkit::id(&made.json())
    };
    let (hall, attic) = (made("Hall", 250).await, made("Attic", 30).await);
    w.settled().await;
    let at = format!("/custom/venues/{hall}");
    let version = w.owner.get(&at).await.json()["version"].to_string();
    let done = w.owner.send("POST", &format!("{at}/book"), Some(json!({})), &[("if-match", &version)]).await;
    assert_eq!(done.status, 200, "{}", done.text());
    // Two changes are two jobs, and nobody promises that the first is done first.
    w.settled().await;
    let version = done.json()["version"].to_string();
    w.owner.send("PATCH", &at, Some(json!({ "cf.capacity": 260 })), &[("if-match", &version)]).await;
    w.settled().await;
    let said = async |of: Uuid| -> Vec<String> {
        let sql =
            "select body from social.comments where record_id = $1 and entity = 'custom.venues' order by id";
        w.house.scene.strings(sql, &[&of]).await
    };
    assert_eq!(said(hall).await, ["Hall seats 250", "Hall is booked", "now 260"]);
    assert_eq!(said(attic).await, [""; 0]);
    assert_eq!((w.runs(large).await.len(), w.runs(booked).await.len()), (2, 1));
}

/// What a new field gives to records that are there is no change that anybody made; what it gives later is told.
#[tokio::test]
async fn numbering_what_is_there_starts_nothing() {
    let w = works().await;
    let first = w.contract("First", "5").await;
    let on = w.put(w.trigger("updated", json!([comment("changed")]))).await;
    let field = json!({ "entity": ABOUT, "name": "nr", "label": "No.", "type": "autonumber" });
    let added = w.owner.post("/fields", field).await;
    assert_eq!(added.status, 201, "{}", added.text());
    assert_eq!(w.read(first).await["cf.nr"], 1);
    assert_eq!(w.runs(on).await.len(), 0);
    w.change(first, json!({ "value": "6" })).await;
    assert_eq!(ends(&w.runs(on).await), [("SUCCESS", "matched")]);
    assert_eq!(w.said(first).await, ["changed"]);
}
