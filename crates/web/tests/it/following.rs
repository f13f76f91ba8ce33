//! Who follows a record hears of it, as far as he may read it; who is named in a formatted text is told once; what was sent
//! stands in the history; records as conversations.

use crate::scene::{House, Person, house};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Workers that tell those who follow, as the server has them.
fn workers(house: &House) -> flow::Workers {
    let people = Arc::new(auth::Auth::new(house.scene.store.clone(), auth::Config::default()));
    let actor_of: flow::ActorOf = Arc::new(move |organization, user, request| {
        let people = people.clone();
        Box::pin(async move { people.actor_of(organization, user, request).await })
    });
    let worker = flow::Worker::new(house.scene.store.clone(), actor_of.clone());
    web::following::register(worker, actor_of, "https://fondaco.test".into()).start()
}

/// When all that was to be told in the company has been told.
async fn settled(house: &House, workers: &flow::Workers, who: &Person) {
    let open = format!(
        "select from app.jobs where organization_id = '{}' and status in ('queued', 'running')",
        who.organization
    );
    for _ in 0..500 {
        workers.wake();
        if house.scene.admin().query(&open, &[]).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let failed = format!(
        "select error from app.jobs where organization_id = '{}' and status <> 'done'",
        who.organization
    );
    let failed = house.scene.admin().query(&failed, &[]).await.unwrap();
    assert!(
        failed.is_empty(),
        "{:?}",
        failed.iter().map(|r| r.get::<_, Option<String>>(0)).collect::<Vec<_>>()
    );
}

async fn told(who: &Person) -> Vec<(String, String, String)> {
    let news = who.get("/notifications?state=inbox").await.json();
    let text = |n: &Value, field: &str| n[field].as_str().unwrap_or_default().to_owned();
    let of = |n: &Value| (text(n, "kind"), text(n, "title"), text(n, "body"));
    news["data"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn who_follows_a_record_hears_of_it_as_far_as_he_may_read_it() {
    let house = house().await;
    let workers = workers(&house);
    let owner = house.owner().await;
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let eve = house.colleague(&owner, &["salesperson"]).await;
    let boss = house.colleague(&owner, &["admin"]).await;
    let stranger = house.owner().await;
    let customer = owner.post("/parties/parties", json!({ "name": "Wile" })).await.json();
    let order = json!({ "customer_id": customer["id"], "assigned_to": sally.id });
    let order = owner.post("/sales/orders", order).await.json();
    let (id, number) = (order["id"].clone(), order["number"].as_str().unwrap().to_owned());
    let at = format!("/followers?entity=sales.orders&record={}", id.as_str().unwrap());
    let who = async |by: &Person| {
        let data = by.get(&at).await.json()["data"].clone();
        let mut ids: Vec<Value> = data.as_array().unwrap().iter().map(|p| p["id"].clone()).collect();
        ids.sort_by_key(Value::to_string);
        ids
    };
    let sorted = |people: &[&Person]| {
        let mut ids: Vec<Value> = people.iter().map(|p| json!(p.id)).collect();
        ids.sort_by_key(Value::to_string);
        ids
    };
    assert_eq!(who(&boss).await, sorted(&[&owner, &sally]), "who made it, and whose it is");
    let wish = |on: bool| json!({ "entity": "sales.orders", "record": id, "follow": on });
    for other in [&eve, &stranger] {
        assert_eq!(other.get(&at).await.status, 404);
        assert_eq!(other.post("/followers", wish(true)).await.status, 404);
    }
    assert_eq!(boss.post("/followers", wish(true)).await.status, 204);
    assert_eq!(who(&sally).await, sorted(&[&owner, &sally, &boss]));

    // Changes, many of them in one line until it is read; the one who makes them is not told.
    let path = format!("/sales/orders/{}", id.as_str().unwrap());
    for n in 0..3 {
        let version = owner.get(&path).await.header("etag").to_owned();
        let done = sally
            .send("PATCH", &path, Some(json!({ "note": format!("n{n}") })), &[("if-match", &version)])
            .await;
        assert_eq!(done.status, 200, "{}", done.text());
        settled(&house, &workers, &owner).await;
    }
    for person in [&owner, &boss] {
        let all = told(person).await;
        let [(kind, title, body)] = &all[..] else { panic!("{all:?}") };
        assert_eq!((kind.as_str(), body), ("change", &number));
        assert!(title.ends_with("changed: Note"), "{title}");
    }
    assert!(told(&sally).await.is_empty() && told(&eve).await.is_empty());
    // Each in his own language.
    assert_eq!(boss.patch("/me", json!({ "locale": "ru" })).await.status, 200);
    assert_eq!(boss.post("/notifications/read", json!({})).await.status, 204);
    // What somebody may not see he is not told of, nor that it was changed.
    let roles = owner.get("/roles").await.json();
    let role =
        roles["data"].as_array().unwrap().iter().find(|r| r["name"] == "salesperson").unwrap()["id"].clone();
    let hide = json!({ "fields": { "sales.orders": { "note": "none" } } });
    assert_eq!(owner.patch(&format!("/roles/{}", role.as_str().unwrap()), hide).await.status, 200);
    let version = owner.get(&path).await.header("etag").to_owned();
    assert_eq!(
        owner.send("PATCH", &path, Some(json!({ "note": "secret" })), &[("if-match", &version)]).await.status,
        200
    );
    settled(&house, &workers, &owner).await;
    assert!(told(&sally).await.is_empty());
    assert!(told(&boss).await[0].1.ends_with("меняет: Примечание"), "{:?}", told(&boss).await);

    // Who has ceased to follow hears no more, and does not begin again by what happens.
    assert_eq!(boss.post("/followers", wish(false)).await.status, 204);
    assert_eq!(owner.post("/followers", wish(false)).await.status, 204);
    let comment = json!({ "entity": "sales.orders", "record": id, "body": "Well" });
    assert_eq!(sally.post("/comments", comment.clone()).await.status, 201);
    assert_eq!(boss.post("/comments", comment).await.status, 201);
    assert_eq!(who(&owner).await, sorted(&[&sally]));
    assert_eq!(told(&owner).await.len(), 1, "not of the comments of a record he made");
    assert!(told(&sally).await.iter().all(|(kind, ..)| kind == "comment"));
    // The work of telling is nobody's in sight.
    assert_eq!(sally.get("/jobs").await.json()["data"], json!([]));
    workers.stop().await;
}

#[tokio::test]
async fn who_is_named_in_a_formatted_text_is_told_once() {
    let house = house().await;
    let workers = workers(&house);
    let owner = house.owner().await;
    let (sally, eve) =
        (house.colleague(&owner, &["salesperson"]).await, house.colleague(&owner, &["salesperson"]).await);
    let field = json!({ "entity": "sales.orders", "name": "brief", "label": "Brief", "type": "richtext" });
    assert_eq!(owner.post("/fields", field).await.status, 201);
    let named = format!(
        "select name from iam.memberships where organization_id = '{}' and id = '{}'",
        owner.organization, sally.id
    );
    let sallys: String = house.scene.admin().query_one(&named, &[]).await.unwrap().get(0);
    // Namesakes would both be meant.
    let renamed = eve.patch("/me", json!({ "first_name": "Eve", "last_name": "Adams" })).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    let customer = owner.post("/parties/parties", json!({ "name": "Wile" })).await.json();
    let order = json!({ "customer_id": customer["id"], "assigned_to": sally.id, "cf.brief": format!("## Plan\n@{sallys} and @Eve Adams, ask ann@acme.test") });
    let order = owner.post("/sales/orders", order).await;
    assert_eq!(order.status, 201, "{}", order.text());
    settled(&house, &workers, &owner).await;
    let mentions = async |who: &Person| {
        told(who).await.into_iter().filter(|(kind, ..)| kind == "mention").collect::<Vec<_>>()
    };
    let first = mentions(&sally).await;
    assert_eq!(first.len(), 1);
    assert!(first[0].2.starts_with(&format!("@{sallys} and")), "{first:?}");
    assert!(told(&eve).await.is_empty(), "she may not read it");
    let path = format!("/sales/orders/{}", order.json()["id"].as_str().unwrap());
    let change = async |text: String| {
        let version = owner.get(&path).await.header("etag").to_owned();
        let done =
            owner.send("PATCH", &path, Some(json!({ "cf.brief": text })), &[("if-match", &version)]).await;
        assert_eq!(done.status, 200, "{}", done.text());
        settled(&house, &workers, &owner).await;
    };
    change(format!("@{sallys}, once more")).await;
    assert_eq!(mentions(&sally).await.len(), 1, "named before");
    change("Nobody".into()).await;
    change(format!("@{sallys}!")).await;
    assert_eq!(mentions(&sally).await.len(), 2, "named anew");
    workers.stop().await;
}

#[tokio::test]
async fn what_was_sent_stands_in_the_history() {
    let house = house().await;
    let owner = house.owner().await;
    let customer = owner.post("/parties/parties", json!({ "name": "Wile" })).await.json();
    let order = owner.post("/sales/orders", json!({ "customer_id": customer["id"] })).await.json();
    let at = format!("/sales/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(owner.post(&format!("{at}/_send"), json!({ "to": "nobody" })).await.status, 400);
    assert_eq!(
        owner.get(&format!("{at}/_history")).await.json()["data"].as_array().unwrap().len(),
        1,
        "what was not sent is not there"
    );
    let sent = owner.post(&format!("{at}/_send"), json!({ "to": "Buyer@acme.test" })).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let history = owner.get(&format!("{at}/_history")).await.json();
    let line = &history["data"][0];
    assert_eq!(
        (&line["action"], &line["actor"]["id"], &line["sent"]["to"]),
        (&json!("send"), &json!(owner.id), &json!("buyer@acme.test"))
    );
    assert!(line["sent"]["paper"].as_str().unwrap().ends_with(".pdf"));
    assert_eq!((&line["changes"], line["at"].is_string()), (&json!({}), true));
}

#[tokio::test]
async fn records_are_conversations_the_last_spoken_of_first() {
    let house = house().await;
    let owner = house.owner().await;
    let (sally, stranger) = (house.colleague(&owner, &["salesperson"]).await, house.owner().await);
    let customer = owner.post("/parties/parties", json!({ "name": "Wile" })).await.json();
    let mut orders = Vec::new();
    for n in 0..6 {
        let mut order = json!({ "customer_id": customer["id"], "note": format!("n{n}") });
        if n < 4 {
            order["assigned_to"] = json!(sally.id);
        }
        orders.push(owner.post("/sales/orders", order).await.json());
    }
    let say = async |who: &Person, n: usize, body: &str| {
        let said = json!({ "entity": "sales.orders", "record": orders[n]["id"], "body": body });
        let made = who.post("/comments", said).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    };
    say(&owner, 2, "first").await;
    say(&owner, 0, "second").await;
    say(&sally, 0, "third").await;
    let gone = say(&owner, 1, "taken back").await;
    assert_eq!(owner.delete(&format!("/comments/{}", gone["id"].as_str().unwrap())).await.status, 204);
    say(&owner, 5, "not hers").await;
    let place = |id: &Value| orders.iter().position(|o| o["id"] == *id).unwrap();
    let page = async |who: &Person, query: &str| {
        let found = who.get(&format!("/sales/orders/_talk?{query}")).await;
        assert_eq!(found.status, 200, "{}", found.text());
        found.json()
    };
    let all = page(&sally, "").await;
    let seen: Vec<(usize, i64, i64)> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (place(&r["id"]), r["count"].as_i64().unwrap(), r["unread"].as_i64().unwrap()))
        .collect();
    assert_eq!(seen, [(0, 2, 1), (2, 1, 1), (3, 0, 0), (1, 0, 0)]);
    assert_eq!(
        (&all["data"][0]["last"]["body"], &all["data"][0]["title"]),
        (&json!("third"), &orders[0]["number"])
    );
    assert_eq!(
        sally
            .post("/comments/seen", json!({ "entity": "sales.orders", "record": orders[0]["id"] }))
            .await
            .status,
        200
    );
    assert_eq!(page(&sally, "").await["data"][0]["unread"], 0);
    assert_eq!(page(&owner, "").await["data"][1]["unread"], 1, "each for himself");
    // By pages, whatever their size, each once.
    for limit in 1..=7 {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let found = page(&owner, &format!("limit={limit}&cursor={cursor}")).await;
            ids.extend(found["data"].as_array().unwrap().iter().map(|r| place(&r["id"])));
            match found["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(ids, [5, 0, 2, 4, 3, 1], "by {limit}");
    }
    assert_eq!(owner.get("/sales/orders/_talk?note=n2").await.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(owner.get("/sales/orders/_talk?cursor=x").await.status, 400);
    assert_eq!(stranger.get("/sales/orders/_talk").await.json()["data"], json!([]));
    assert_eq!(
        page(&owner, &format!("cursor=said.{}", Uuid::nil())).await["data"].as_array().unwrap().len(),
        3
    );
}
