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

#[tokio::test]
async fn everybody_is_answered_in_his_language() {
    let house = house().await;
    let owner = house.owner().await;
    for (asked, [orders, number, draft, confirm, manager, refused, missing]) in [
        (
            "en",
            [
                "Orders",
                "Number",
                "Draft",
                "Confirm",
                "Manager",
                "A price cannot be negative.",
                "There is no such record, or you may not see it.",
            ],
        ),
        (
            "ru-RU,ru;q=0.9",
            [
                "Заказы",
                "Номер",
                "Черновик",
                "Подтвердить",
                "Руководитель",
                "Цена не может быть отрицательной.",
                "Такой записи нет, или она вам не видна.",
            ],
        ),
        (
            "kk-KZ,kk;q=0.9,ru;q=0.8",
            [
                "Тапсырыстар",
                "Нөмірі",
                "Жоба",
                "Растау",
                "Басшы",
                "Баға теріс бола алмайды.",
                "Мұндай жазба жоқ немесе ол сізге көрінбейді.",
            ],
        ),
    ] {
        let ask = async |method: &str, path: &str, body: Option<Value>| {
            owner.send(method, path, body, &[("accept-language", asked)]).await
        };
        let index = ask("GET", "/meta", None).await.json();
        assert_eq!(index["locale"], asked[..2]);
        assert_eq!(index["entities"]["sales.orders"]["plural"], orders);
        let detail = ask("GET", "/meta/entities/sales.orders", None).await.json();
        let label = |list: &Value, key: &str, name: &str| {
            let found = list.as_array().unwrap().iter().find(|x| x[key] == name);
            found.map(|x| x["label"].clone()).unwrap_or_default()
        };
        assert_eq!(label(&detail["fields"], "name", "number"), number);
        assert_eq!(label(&detail["states"]["options"], "id", "draft"), draft);
        assert_eq!(label(&detail["actions"], "name", "confirm"), confirm);
        let roles = ask("GET", "/roles", None).await.json();
        assert_eq!(label(&roles["data"], "name", "manager"), manager);

        let wrong = ask("POST", "/products/products", Some(json!({ "name": "Bolt", "price": "-1" }))).await;
        assert_eq!((wrong.status, &wrong.json()["errors"][0]["message"]), (422, &json!(refused)));
        assert_eq!(wrong.json()["detail"], format!("price: {refused}"));
        let nobody = format!("/parties/parties/{}", uuid::Uuid::now_v7());
        let nothing = ask("GET", &nobody, None).await;
        assert_eq!((nothing.status, &nothing.json()["detail"]), (404, &json!(missing)));
        let bolt =
            ask("POST", "/products/products", Some(json!({ "name": "Bolt" }))).await.json()["id"].clone();
        let many = json!({ "ids": [bolt], "changes": { "price": "-1" } });
        let many = ask("POST", "/products/products/_bulk", Some(many)).await.json();
        assert_eq!(many["failed"][0]["message"], format!("price: {refused}"), "{many}");
    }
}
