//! What people say about records stays with those who may read them.

use crate::scene::house;
use serde_json::{Value, json};

#[tokio::test]
async fn people_talk_where_they_may_read() {
    let house = house().await;
    let owner = house.owner().await;
    let (sally, eve) =
        (house.colleague(&owner, &["salesperson"]).await, house.colleague(&owner, &["salesperson"]).await);
    let stranger = house.owner().await;
    let customer = owner.post("/parties/parties", json!({ "name": "Wile" })).await.json();
    let order = json!({ "customer_id": customer["id"], "assigned_to": sally.id });
    let order = owner.post("/sales/orders", order).await.json()["id"].clone();
    let at = format!("/comments?entity=sales.orders&record={}", order.as_str().unwrap());
    let say = |body: &str, more: Value| {
        let mut said = json!({ "entity": "sales.orders", "record": order, "body": body });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        said
    };

    let all = json!({ "mentions": [sally.id, eve.id, stranger.id, owner.id] });
    let first = owner.post("/comments", say("  Where is it? ", all)).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let first = first.json();
    assert_eq!(
        (&first["body"], &first["mentions"]),
        (&json!("Where is it?"), &json!([sally.id])),
        "who cannot read it is not told"
    );
    let told = sally.get("/notifications").await.json();
    assert_eq!((&told["data"][0]["kind"], &told["data"][0]["record_id"]), (&json!("mention"), &order));
    for other in [&eve, &stranger] {
        assert_eq!(other.get("/notifications").await.json()["data"], json!([]));
        assert_eq!(other.get(&at).await.status, 404);
        assert_eq!(other.post("/comments", say("me too", json!({}))).await.status, 404);
    }

    let answer = sally.post("/comments", say("On its way", json!({ "parent_id": first["id"] }))).await.json();
    let (first_at, answer_at) =
        [&first, &answer].map(|c| format!("/comments/{}", c["id"].as_str().unwrap())).into();
    assert_eq!(owner.patch(&answer_at, json!({ "body": "not hers" })).await.status, 404);
    assert_eq!(sally.patch(&answer_at, json!({ "body": "It came" })).await.json()["body"], "It came");
    let sign = format!("{first_at}/react");
    assert_eq!(
        sally.post(&sign, json!({ "sign": "👍" })).await.json()["reactions"],
        json!({ "👍": [sally.id] })
    );
    assert_eq!(
        owner.post(&sign, json!({ "sign": "👍" })).await.json()["reactions"]["👍"].as_array().unwrap().len(),
        2
    );
    assert_eq!(
        sally.post(&sign, json!({ "sign": "👍" })).await.json()["reactions"],
        json!({ "👍": [owner.id] })
    );
    assert_eq!(sally.post(&sign, json!({ "sign": "<b>" })).await.status, 400);
    for other in [&eve, &stranger] {
        assert_eq!(other.post(&sign, json!({ "sign": "👍" })).await.status, 404);
        assert_eq!(other.delete(&first_at).await.status, 404);
    }

    assert_eq!(owner.delete(&first_at).await.status, 204);
    let left = sally.get(&at).await.json();
    let bodies: Vec<&Value> = left["data"].as_array().unwrap().iter().map(|c| &c["body"]).collect();
    assert_eq!(bodies, [&Value::Null, &json!("It came")], "what was answered keeps its place");
    for (body, more) in [(" ", json!({})), ("x", json!({ "parent_id": first["id"] }))] {
        assert_eq!(owner.post("/comments", say(body, more)).await.status, 422);
    }
    assert_eq!(owner.post("/comments", say(&"x".repeat(10_001), json!({}))).await.status, 422);
}
