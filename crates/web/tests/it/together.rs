//! People at the same record: who is there, who hears of it, and who never does.

use crate::scene::{House, Person, house};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::task::JoinSet;
use uuid::Uuid;

/// An order of the owner's with a salesperson it belongs to, one it does not, and somebody of another company.
struct Room {
    house: House,
    owner: Person,
    sally: Person,
    eve: Person,
    stranger: Person,
    order: Uuid,
}

async fn room() -> Room {
    let house = house().await;
    let owner = house.owner().await;
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let eve = house.colleague(&owner, &["salesperson"]).await;
    let stranger = house.owner().await;
    let customer = owner.post("/parties/parties", json!({ "name": "Wile" })).await.json();
    let order = json!({ "customer_id": customer["id"], "assigned_to": sally.id });
    let order = testkit::id(&owner.post("/sales/orders", order).await.json());
    Room { house, owner, sally, eve, stranger, order }
}

impl Room {
    fn at(&self, window: Uuid, field: Option<&str>) -> Value {
        json!({ "entity": "sales.orders", "record": self.order, "window": window, "field": field })
    }
}

/// What each of them hears, for as long as the set lives.
async fn ears(house: &House, people: &[&Person]) -> (Vec<Arc<Mutex<String>>>, JoinSet<()>) {
    let mut listeners = JoinSet::new();
    let mut heard = Vec::new();
    for person in people {
        let (person, ear) = ((*person).clone(), Arc::new(Mutex::new(String::new())));
        heard.push(ear.clone());
        listeners.spawn(async move { person.listen("/events", |t| ear.lock().unwrap().push_str(&t)).await });
    }
    // Somebody listens once he hears of news for himself.
    for (person, ear) in people.iter().zip(&heard) {
        let actor = house.auth().actor_of(person.organization, person.id, Uuid::now_v7()).await.unwrap();
        let notice = flow::notifications::Notice {
            kind: "test",
            title: "Hello",
            ..flow::notifications::Notice::default()
        };
        while ear.lock().unwrap().is_empty() {
            let told = kernel::within!(house.scene.store, &actor, tx => flow::notifications::notify(&tx, person.id, &notice).await);
            told.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    for ear in &heard {
        ear.lock().unwrap().clear();
    }
    (heard, listeners)
}

async fn settled(ear: &Mutex<String>, word: &str) -> bool {
    for _ in 0..300 {
        if ear.lock().unwrap().contains(word) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn who_is_at_a_record_is_told_to_those_who_may_read_it() {
    let room = room().await;
    let Room { owner, sally, eve, stranger, .. } = &room;
    let [at_desk, on_phone, elsewhere] = std::array::from_fn(|_| Uuid::now_v7());
    let alone = owner.post("/presence", room.at(at_desk, None)).await;
    assert_eq!(alone.json()["data"].as_array().unwrap().len(), 1, "{}", alone.text());
    let both = sally.post("/presence", room.at(on_phone, Some("note"))).await.json();
    let who: Vec<(&Value, &Value)> =
        both["data"].as_array().unwrap().iter().map(|h| (&h["id"], &h["field"])).collect();
    assert_eq!(who, [(&json!(owner.id), &Value::Null), (&json!(sally.id), &json!("note"))]);
    assert_eq!(both["data"][1]["name"].as_str().map(|n| n.contains("salesperson")), Some(true));

    for other in [eve, stranger] {
        assert_eq!(other.post("/presence", room.at(elsewhere, None)).await.status, 404);
        assert_eq!(other.delete(&format!("/presence/{on_phone}")).await.status, 404, "not his window");
    }
    assert_eq!(owner.post("/presence", room.at(at_desk, Some("nonsense"))).await.status, 400);
    let left = owner.post("/presence", room.at(at_desk, None)).await.json();
    assert_eq!(left["data"].as_array().unwrap().len(), 2, "who was refused is not there");

    // A field that somebody may not see is not named to him.
    let role = owner.get("/roles").await.json();
    let role = role["data"].as_array().unwrap().iter().find(|r| r["name"] == "salesperson").unwrap().clone();
    let hidden = json!({ "fields": { "sales.orders": { "note": "none" } } });
    assert_eq!(owner.patch(&format!("/roles/{}", role["id"].as_str().unwrap()), hidden).await.status, 200);
    owner.post("/presence", room.at(at_desk, Some("note"))).await;
    let seen = sally.post("/presence", room.at(on_phone, None)).await.json();
    let owners = seen["data"].as_array().unwrap().iter().find(|h| h["id"] == json!(owner.id)).unwrap();
    assert_eq!(owners["field"], Value::Null);

    assert_eq!(sally.delete(&format!("/presence/{on_phone}")).await.status, 204);
    assert_eq!(sally.delete(&format!("/presence/{on_phone}")).await.status, 404);
    let left = owner.post("/presence", room.at(at_desk, None)).await.json();
    assert_eq!(left["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn words_and_presence_are_heard_by_those_who_may_read() {
    let room = room().await;
    let Room { owner, sally, eve, stranger, order, .. } = &room;
    let (heard, listeners) = ears(&room.house, &[owner, sally, eve, stranger]).await;
    owner.post("/presence", room.at(Uuid::now_v7(), None)).await;
    assert!(settled(&heard[1], "event: presence").await);
    let say =
        json!({ "entity": "sales.orders", "record": order, "body": "Hm", "mentions": [eve.id, sally.id] });
    let said = owner.post("/comments", say).await.json();
    assert!(settled(&heard[1], "event: comment").await);
    assert!(settled(&heard[1], "event: notification").await);
    let sign = format!("/comments/{}/react", said["id"].as_str().unwrap());
    heard[0].lock().unwrap().clear();
    assert_eq!(sally.post(&sign, json!({ "sign": "👍" })).await.status, 200);
    assert!(settled(&heard[0], "event: comment").await, "signs are heard too");
    // Somebody hears of a party at last: then all that came before has been said, too.
    let party = testkit::id(&owner.post("/parties/parties", json!({ "name": "Last" })).await.json());
    assert!(settled(&heard[0], &party.to_string()).await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    for ear in &heard[2..] {
        let ear = ear.lock().unwrap();
        assert!(!ear.contains(&order.to_string()) && !ear.contains("event: notification"), "{ear}");
    }
    drop(listeners);
    drop(room.house);
}

#[tokio::test]
async fn a_comment_is_told_once_to_those_it_concerns() {
    let room = room().await;
    let Room { house, owner, sally, eve, stranger, order, .. } = &room;
    let boss = house.colleague(owner, &["admin"]).await;
    let say = |body: &str, more: Value| {
        let mut said = json!({ "entity": "sales.orders", "record": order, "body": body });
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        said
    };
    let kinds = async |person: &Person| {
        let told = person.get("/notifications").await.json();
        let kinds = told["data"].as_array().unwrap().iter().map(|n| n["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<String>>()
    };
    let first = boss.post("/comments", say("When?", json!({ "mentions": [sally.id] }))).await.json();
    assert_eq!(kinds(sally).await, ["mention"], "named goes before hers");
    assert_eq!(kinds(owner).await, ["comment"], "who made it");
    let answer = json!({ "parent_id": first["id"] });
    sally.post("/comments", say("Tomorrow", answer.clone())).await;
    assert_eq!(kinds(&boss).await, ["reply"]);
    boss.post("/comments", say("Good", answer)).await;
    assert_eq!(kinds(sally).await, ["reply", "mention"], "who takes part in the thread");
    assert_eq!(kinds(owner).await.len(), 3);
    assert!(kinds(eve).await.is_empty() && kinds(stranger).await.is_empty());

    // Who has read the words is told no more that they are new.
    let at = format!("/comments?entity=sales.orders&record={order}");
    assert_eq!(sally.get(&at).await.json()["seen_at"], Value::Null);
    assert_eq!(sally.get("/notifications?state=unread").await.json()["unread"], 2);
    let looked = json!({ "entity": "sales.orders", "record": order });
    let seen = sally.post("/comments/seen", looked.clone()).await.json()["seen_at"].clone();
    assert_eq!((&sally.get(&at).await.json()["seen_at"], seen.is_string()), (&seen, true));
    assert_eq!(boss.get(&at).await.json()["seen_at"], Value::Null, "each for himself");
    assert_eq!(sally.get("/notifications?state=unread").await.json(), json!({ "data": [], "unread": 0 }));
    for other in [eve, stranger] {
        assert_eq!(other.post("/comments/seen", looked.clone()).await.status, 404);
    }

    // The inbox: put away, put off, back.
    let told = sally.get("/notifications?state=inbox").await.json()["data"].clone();
    let one = format!("/notifications/{}", told[0]["id"].as_str().unwrap());
    assert_eq!(told[0]["actor"]["id"], json!(boss.id));
    let count = async |state: &str| {
        let found = sally.get(&format!("/notifications?state={state}")).await;
        found.json()["data"].as_array().map(Vec::len)
    };
    assert_eq!(sally.patch(&one, json!({ "state": "done" })).await.status, 204);
    assert_eq!(
        (count("inbox").await, count("done").await, count("mentions").await),
        (Some(1), Some(1), Some(1))
    );
    assert_eq!(sally.patch(&one, json!({ "state": "snoozed" })).await.status, 400);
    let tomorrow = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24)).unwrap();
    let off = json!({ "state": "snoozed", "until": tomorrow });
    assert_eq!(sally.patch(&one, off.clone()).await.status, 204);
    assert_eq!(
        (count("inbox").await, count("done").await, count("snoozed").await),
        (Some(1), Some(0), Some(1))
    );
    assert_eq!(sally.patch(&one, json!({ "state": "inbox" })).await.status, 204);
    assert_eq!(sally.patch(&one, json!({ "state": "nowhere" })).await.status, 400);
    assert_eq!(sally.get("/notifications?state=nowhere").await.status, 400);
    assert_eq!(count("inbox").await, Some(2));
    for other in [owner, &boss, eve, stranger] {
        assert_eq!(other.patch(&one, off.clone()).await.status, 404);
    }

    let find = async |who: &Person, text: &str| {
        let at = format!("/comments/people?entity=sales.orders&record={order}&q={text}");
        let found = who.get(&at).await;
        if found.status != 200 {
            return vec![json!(found.status)];
        }
        found.json()["data"].as_array().unwrap().iter().map(|p| p["id"].clone()).collect()
    };
    assert_eq!(find(owner, "sales").await, [json!(sally.id)], "not eve, who may not read it");
    assert_eq!(find(owner, "").await.len(), 2);
    assert_eq!(find(owner, "%25").await.len(), 0);
    assert_eq!(find(sally, "own").await, [json!(owner.id)]);
    for other in [eve, stranger] {
        assert_eq!(find(other, "").await, [json!(404)]);
    }
    let members = owner.get("/members").await.json();
    assert!(members["data"].as_array().unwrap().iter().all(|m| m["picture"] == false));
    let png = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a].to_vec();
    assert_eq!(sally.raw("PUT", "/me/picture", png, &[("content-type", "image/png")]).await.status, 204);
    let members = owner.get("/members").await.json();
    let shown = members["data"].as_array().unwrap().iter().find(|m| m["id"] == json!(sally.id)).unwrap();
    assert_eq!(shown["picture"], true);
}

#[tokio::test]
async fn a_long_history_is_read_by_pages() {
    let house = house().await;
    let (owner, stranger) = (house.owner().await, house.owner().await);
    let party = testkit::id(&owner.post("/parties/parties", json!({ "name": "Wile" })).await.json());
    let at = format!("/parties/parties/{party}");
    for n in 0..120 {
        assert_eq!(owner.patch(&at, json!({ "legal_name": format!("Wile {n}") })).await.status, 200);
    }
    let page =
        async |who: &Person, cursor: &str| who.get(&format!("{at}/_history?cursor={cursor}")).await.json();
    let first = page(&owner, "").await;
    let next = first["next"].as_str().unwrap();
    let second = page(&owner, next).await;
    let entries = |page: &Value| page["data"].as_array().unwrap().clone();
    assert_eq!((entries(&first).len(), entries(&second).len(), &second["next"]), (100, 21, &Value::Null));
    assert_eq!(entries(&first)[0]["changes"]["legal_name"], json!(["Wile 118", "Wile 119"]));
    assert_eq!(entries(&second)[0]["changes"]["legal_name"], json!(["Wile 18", "Wile 19"]));
    assert_eq!(entries(&second)[20]["action"], "insert");
    // Where somebody else's history stands tells nothing.
    let other = testkit::id(&stranger.post("/parties/parties", json!({ "name": "B" })).await.json());
    let theirs = stranger.get(&format!("/parties/parties/{other}/_history")).await.json();
    let theirs = theirs["data"][0]["id"].as_str().unwrap();
    assert_eq!(page(&owner, theirs).await, page(&owner, &Uuid::now_v7().to_string()).await);

    let hung = format!("/files?entity=parties.parties&record={party}");
    assert_eq!(owner.raw("POST", &hung, b"x".to_vec(), &[("x-file-name", "x.txt")]).await.status, 201);
    let files = owner.get(&hung).await.json();
    assert_eq!(
        (files["data"][0]["created_at"].is_string(), &files["data"][0]["created_by"]),
        (true, &json!(owner.id))
    );
}
