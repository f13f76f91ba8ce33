//! What people write to each other: who sees it, who hears of it, what is unread, and what nobody else ever finds out.

use crate::scene::{House, Person, house};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;
use uuid::Uuid;

struct Room {
    house: House,
    ann: Person,
    bob: Person,
    eve: Person,
    stranger: Person,
}

/// The owner, two colleagues, and somebody of another company.
async fn room() -> Room {
    let house = house().await;
    let ann = house.owner().await;
    let bob = house.colleague(&ann, &["salesperson"]).await;
    let eve = house.colleague(&ann, &["admin"]).await;
    let stranger = house.owner().await;
    Room { house, ann, bob, eve, stranger }
}

async fn begun(who: &Person, body: Value) -> String {
    let made = who.post("/conversations", body).await;
    assert!(made.status < 300, "{}", made.text());
    format!("/conversations/{}", made.json()["id"].as_str().unwrap())
}

async fn say(who: &Person, at: &str, body: Value) -> Value {
    let made = who.post(&format!("{at}/messages"), body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

async fn bodies(who: &Person, at: &str) -> Vec<String> {
    let found = who.get(at).await;
    assert_eq!(found.status, 200, "{at}: {}", found.text());
    let of = |m: &Value| m["body"].as_str().unwrap_or("-").to_owned();
    found.json()["data"].as_array().unwrap().iter().map(of).collect()
}

async fn told(who: &Person) -> Vec<(String, Value)> {
    let news = who.get("/notifications?state=unread").await.json();
    let of = |n: &Value| (n["kind"].as_str().unwrap().to_owned(), n["body"].clone());
    news["data"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn two_people_have_one_conversation_and_know_what_is_read() {
    let Room { ann, bob, stranger, .. } = &room().await;
    let with = |who: Uuid| json!({ "kind": "direct", "members": [who] });
    let first = ann.post("/conversations", with(bob.id)).await;
    let again = bob.post("/conversations", with(ann.id)).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json()["id"], again.json()["id"]);
    for nobody in [
        json!([]),
        json!([ann.id]),
        json!([bob.id, stranger.id]),
        json!([stranger.id]),
        json!([Uuid::now_v7()]),
    ] {
        let answer = ann.post("/conversations", json!({ "kind": "direct", "members": nobody })).await;
        assert_eq!(
            (answer.status, &answer.json()["errors"][0]["field"]),
            (422, &json!("members")),
            "{nobody}"
        );
    }
    let at = format!("/conversations/{}", first.json()["id"].as_str().unwrap());

    let key = Uuid::now_v7();
    let hello = json!({ "id": key, "body": "  Hello @bob  ", "mentions": [bob.id, stranger.id] });
    let made = say(ann, &at, hello.clone()).await;
    assert_eq!(
        (&made["number"], &made["body"], &made["mentions"]),
        (&json!(1), &json!("Hello @bob"), &json!([bob.id]))
    );
    assert_eq!(say(ann, &at, hello).await, made, "the same once more is the same message");
    say(ann, &at, json!({ "body": "Are you there?", "parent_id": made["id"] })).await;
    say(ann, &at, json!({ "body": "Are you?" })).await;
    assert_eq!(
        told(bob).await,
        [("message".into(), json!("Are you?")), ("mention".into(), json!("Hello @bob"))],
        "one line until it is read"
    );
    let list = bob.get("/conversations").await.json();
    assert_eq!(
        (&list["unread"], &list["data"][0]["unread"], &list["data"][0]["last"]["body"]),
        (&json!(1), &json!(3), &json!("Are you?"))
    );
    assert_eq!(list["data"][0]["people"][0]["id"], json!(ann.id));
    let read = async |number: i64| bob.post(&format!("{at}/read"), json!({ "number": number })).await.json();
    assert_eq!(read(2).await["unread"], 1);
    assert_eq!(told(bob).await.len(), 2, "not all of it is read");
    assert_eq!(read(1).await["unread"], 1, "a mark goes forward only");
    assert_eq!(read(99).await["unread"], 0);
    assert!(told(bob).await.is_empty());
    let seen = ann.get(&at).await.json();
    let bobs = seen["members"].as_array().unwrap().iter().find(|m| m["id"] == json!(bob.id)).unwrap().clone();
    assert_eq!((&bobs["read_number"], bobs["read_at"].is_string()), (&json!(3), true));

    // Answers, words changed and taken back, signs.
    let page = ann.get(&format!("{at}/messages")).await.json();
    assert_eq!(
        (&page["data"][1]["parent"]["body"], &page["data"][0]["answers"]),
        (&json!("Hello @bob"), &json!(1))
    );
    assert_eq!(bodies(ann, &format!("{at}/messages?thread={}", made["id"].as_str().unwrap())).await.len(), 2);
    let one = format!("/messages/{}", made["id"].as_str().unwrap());
    assert_eq!(bob.patch(&one, json!({ "body": "not his" })).await.status, 404);
    assert_eq!(bob.delete(&one).await.status, 404);
    let edited = ann.patch(&one, json!({ "body": "Hi" })).await.json();
    assert_eq!((&edited["body"], edited["edited_at"].is_string()), (&json!("Hi"), true));
    let sign = format!("{one}/react");
    assert_eq!(bob.post(&sign, json!({ "sign": "👍" })).await.json()["reactions"], json!({ "👍": [bob.id] }));
    assert_eq!(bob.post(&sign, json!({ "sign": "👍" })).await.json()["reactions"], json!({}));
    assert_eq!(bob.post(&sign, json!({ "sign": "<b>" })).await.status, 400);
    assert_eq!(ann.delete(&one).await.status, 204);
    assert_eq!(
        bodies(bob, &format!("{at}/messages")).await,
        ["-", "Are you there?", "Are you?"],
        "the place stays"
    );
    for (method, path) in [("PATCH", one.clone()), ("DELETE", one.clone()), ("POST", sign)] {
        let body = if method == "POST" { json!({ "sign": "👍" }) } else { json!({ "body": "x" }) };
        assert_eq!(ann.send(method, &path, Some(body), &[]).await.status, 404, "{method} {path}");
    }
    let refused = async |body: Value| ann.post(&format!("{at}/messages"), body).await.status;
    assert_eq!(refused(json!({ "body": " " })).await, 422);
    assert_eq!(refused(json!({ "body": "x".repeat(10_001) })).await, 422);
    assert_eq!(
        refused(json!({ "body": "x", "parent_id": made["id"] })).await,
        422,
        "what is gone is not answered"
    );
    assert_eq!(refused(json!({ "body": "x", "parent_id": Uuid::now_v7() })).await, 422);
    assert_eq!(refused(json!({ "body": "x", "to": "y" })).await, 400);
    assert_eq!(bob.post(&format!("{at}/leave"), json!({})).await.status, 422, "two stay two");
    assert_eq!(ann.patch(&at, json!({ "name": "x" })).await.status, 422);
}

#[tokio::test]
async fn nobody_else_finds_out_anything_of_a_conversation() {
    let Room { house, ann, bob, eve, stranger } = &room().await;
    let at = begun(ann, json!({ "kind": "channel", "name": "Salaries", "members": [bob.id] })).await;
    let file = ann.raw("POST", "/files", b"secret".to_vec(), &[("x-file-name", "salaries.txt")]).await.json();
    let said = say(ann, &at, json!({ "body": "Zwieback is underpaid", "files": [file["id"]] })).await;
    assert_eq!(said["files"][0]["name"], "salaries.txt");
    let download = format!("/files/{}", file["id"].as_str().unwrap());
    assert_eq!(bob.get(&download).await.text(), "secret");
    let message = format!("/messages/{}", said["id"].as_str().unwrap());
    let id = at.strip_prefix("/conversations/").unwrap();

    // Eve administrates the company; nothing differs from what is not there.
    for other in [eve, stranger] {
        let nowhere = format!("/conversations/{}", Uuid::now_v7());
        for (method, path, body) in [
            ("GET", String::new(), None),
            ("PATCH", String::new(), Some(json!({ "name": "Mine" }))),
            ("POST", "/join".into(), Some(json!({}))),
            ("POST", "/members".into(), Some(json!({ "members": [other.id] }))),
            ("POST", "/leave".into(), Some(json!({}))),
            ("POST", "/leave".into(), Some(json!({ "member": bob.id }))),
            ("POST", "/read".into(), Some(json!({ "number": 1 }))),
            ("GET", "/messages".into(), None),
            ("GET", "/messages?q=Zwieback".into(), None),
            ("POST", "/messages".into(), Some(json!({ "body": "x" }))),
        ] {
            let [there, gone] = [&at, &nowhere].map(|at| format!("{at}{path}"));
            let (there, gone) = (
                other.send(method, &there, body.clone(), &[]).await,
                other.send(method, &gone, body, &[]).await,
            );
            assert_eq!(there.same(), gone.same(), "{method} {path}");
            assert_eq!(there.status, 404, "{method} {path}: {}", there.text());
        }
        assert_eq!(
            other.get("/conversations").await.json(),
            json!({ "data": [], "next": null, "unread": 0 })
        );
        assert_eq!(other.get("/conversations/open").await.json()["data"], json!([]));
        assert_eq!(other.get("/messages?q=Zwieback").await.json()["data"], json!([]));
        assert_eq!(other.get(&download).await.status, 404);
        assert_eq!(other.delete(&download).await.status, 404);
        assert_eq!(other.patch(&message, json!({ "body": "x" })).await.status, 404);
        assert_eq!(other.post(&format!("{message}/react"), json!({ "sign": "👍" })).await.status, 404);
        for generic in [
            format!("/social/messages/{}", said["id"].as_str().unwrap()),
            "/social/messages".into(),
            format!("/social/conversations/{id}"),
            format!("/social/conversations/{id}/_history"),
            "/social/participants".into(),
        ] {
            assert_eq!(other.get(&generic).await.status, 404, "{generic}");
        }
        for place in [
            format!("/comments?entity=social.conversations&record={id}"),
            format!("/followers?entity=social.conversations&record={id}"),
            format!("/files?entity=social.messages&record={}", said["id"].as_str().unwrap()),
        ] {
            assert_eq!(other.get(&place).await.status, 404, "{place}");
        }
        let everything = [
            other.get("/audit").await.text(),
            other.get("/audit/export").await.text(),
            other.get("/files?whose=company").await.text(),
            other.get("/search?q=Zwieback").await.text(),
            other.get(&format!("/audit?record={id}")).await.text(),
        ];
        for text in everything {
            assert!(
                !text.contains("Zwieback")
                    && !text.contains("Salaries")
                    && !text.contains(id)
                    && !text.contains("social.messages"),
                "{text}"
            );
        }
        assert!(told(other).await.is_empty());
        // A private name is nobody's: the same may be taken by another.
        begun(other, json!({ "kind": "channel", "name": "Salaries" })).await;
    }
    // Nor by whoever writes his own statements with a member's rights.
    let actor = house.auth().actor_of(eve.organization, eve.id, Uuid::now_v7()).await.unwrap();
    for table in ["conversations", "participants", "messages"] {
        let sql =
            format!("select count(*) from social.{table} where id::text <> '' and created_by = '{}'", ann.id);
        let seen: kernel::Result<i64> = kernel::within!(house.scene.store, &actor, tx => {
            tx.batch_execute("select app.take_part()").await?;
            Ok(tx.query_one(&sql, &[]).await?.get(0))
        });
        assert_eq!(seen.unwrap(), 0, "{table}");
    }
    let into =
        format!("insert into social.participants (conversation_id, user_id) values ('{id}', app.actor())");
    let broken_in: kernel::Result<()> =
        kernel::within!(house.scene.store, &actor, tx => Ok(tx.batch_execute(&into).await?));
    assert!(broken_in.is_err());

    // Who was taken out sees as much as who never was in.
    assert_eq!(bob.post(&format!("{at}/leave"), json!({ "member": ann.id })).await.status, 403);
    assert_eq!(ann.post(&format!("{at}/leave"), json!({ "member": bob.id })).await.status, 204);
    assert_eq!(bob.get(&at).await.status, 404);
    assert_eq!(bob.get(&download).await.status, 404);
    assert_eq!(bob.post(&format!("{at}/join"), json!({})).await.status, 404);
    // A key that only reads does not write, one that reads other things does not read.
    let key = async |scope: &str| {
        let made = ann.post("/auth/tokens", json!({ "name": "k", "scopes": [scope] })).await.json();
        ann.with_token(made["token"].as_str().unwrap())
    };
    let (reader, other) = (key("*:read").await, key("parties.parties:*").await);
    assert_eq!(reader.get(&format!("{at}/messages")).await.status, 200);
    assert_eq!(reader.post(&format!("{at}/messages"), json!({ "body": "x" })).await.status, 403);
    assert_eq!(other.get(&at).await.status, 404);
    assert_eq!(other.get("/conversations").await.status, 403);
    // Words taken back take their files with them.
    assert_eq!(ann.delete(&message).await.status, 204);
    assert_eq!(ann.get(&download).await.status, 404);
}

#[tokio::test]
async fn channels_are_joined_kept_and_left() {
    let Room { ann, bob, eve, stranger, .. } = &room().await;
    let open = json!({ "kind": "channel", "name": "News", "open": true });
    let at = begun(ann, open.clone()).await;
    assert_eq!(
        bob.post("/conversations", json!({ "kind": "channel", "name": "news", "open": true })).await.status,
        422
    );
    assert_eq!(ann.post("/conversations", json!({ "kind": "channel" })).await.status, 422);
    assert_eq!(ann.post("/conversations", json!({ "kind": "group" })).await.status, 422);
    assert_eq!(ann.post("/conversations", json!({ "kind": "crowd" })).await.status, 400);
    say(ann, &at, json!({ "body": "Welcome" })).await;
    assert_eq!(bob.get("/conversations/open?q=NEW").await.json()["data"][0]["name"], "News");
    assert_eq!(stranger.get("/conversations/open").await.json()["data"], json!([]));
    assert_eq!(bob.get(&format!("{at}/messages")).await.status, 404, "one joins first");
    let joined = bob.post(&format!("{at}/join"), json!({})).await.json();
    assert_eq!(
        (&joined["unread"], &joined["count"], &joined["keeper"]),
        (&json!(0), &json!(2), &json!(false))
    );
    assert_eq!(bob.get("/conversations/open").await.json()["data"], json!([]));
    assert_eq!(bodies(bob, &format!("{at}/messages")).await, ["Welcome"]);

    // Who keeps it decides; who is muted is named still.
    for change in [json!({ "name": "Mine" }), json!({ "archived": true }), json!({ "open": false })] {
        assert_eq!(bob.patch(&at, change).await.status, 403);
    }
    assert_eq!(bob.post(&format!("{at}/members"), json!({ "members": [eve.id] })).await.status, 403);
    assert_eq!(bob.patch(&at, json!({ "muted": true })).await.json()["muted"], true);
    say(ann, &at, json!({ "body": "Quiet" })).await;
    assert!(told(bob).await.is_empty());
    let list = bob.get("/conversations").await.json();
    assert_eq!(
        (&list["unread"], &list["data"][0]["unread"]),
        (&json!(0), &json!(1)),
        "muted, it is counted in its place alone"
    );
    say(ann, &at, json!({ "body": "You, @bob", "mentions": [bob.id, eve.id] })).await;
    assert_eq!(told(bob).await, [("mention".into(), json!("You, @bob"))]);
    assert!(told(eve).await.is_empty(), "who is not in it is not told");
    assert_eq!(ann.post(&format!("{at}/members"), json!({ "members": [stranger.id] })).await.status, 422);
    assert_eq!(ann.post(&format!("{at}/members"), json!({ "members": [eve.id] })).await.json()["count"], 3);
    assert_eq!(ann.patch(&at, json!({ "name": " Old news " })).await.json()["name"], "Old news");
    begun(bob, open).await;

    // The last keeper goes: who has been there longest keeps it.
    assert_eq!(ann.post(&format!("{at}/leave"), json!({})).await.status, 204);
    assert_eq!(ann.get(&at).await.status, 404);
    assert_eq!(bob.get(&at).await.json()["keeper"], true);
    assert_eq!(bob.patch(&at, json!({ "archived": true })).await.json()["archived"], true);
    assert_eq!(bob.post(&format!("{at}/messages"), json!({ "body": "x" })).await.status, 422);
    assert_eq!(ann.post(&format!("{at}/join"), json!({})).await.status, 404);
    assert_eq!(bob.get("/conversations?archived=true").await.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(bob.patch(&at, json!({ "archived": false })).await.status, 200);
    assert_eq!(ann.post(&format!("{at}/join"), json!({})).await.json()["keeper"], false);
}

#[tokio::test]
async fn what_is_written_is_found_and_read_by_pages() {
    let Room { ann, bob, .. } = &room().await;
    let at = begun(ann, json!({ "kind": "group", "members": [bob.id] })).await;
    for n in 1..=60 {
        say(ann, &at, json!({ "body": format!("Letter {n}") })).await;
    }
    say(bob, &at, json!({ "body": "Поставщики обещали вагоны в пятницу, 100%_sure" })).await;
    let page = async |query: &str| ann.get(&format!("{at}/messages{query}")).await.json();
    let numbers = |page: &Value| {
        page["data"].as_array().unwrap().iter().map(|m| m["number"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let newest = page("").await;
    assert_eq!((numbers(&newest), &newest["more"]), ((12..=61).collect(), &json!(true)));
    let older = page("?before=12").await;
    assert_eq!((numbers(&older), &older["more"]), ((1..=11).collect(), &json!(false)));
    let from = page("?from=5").await;
    assert_eq!((numbers(&from), &from["more"]), ((5..=54).collect(), &json!(true)));
    assert_eq!(page("?from=60").await["more"], false);
    for (q, found) in [
        ("вагон", vec![61]),
        ("letter%205", (50..=59).chain([5]).collect::<Vec<i64>>()),
        ("100%25_", vec![61]),
        ("_", vec![61]),
        ("nothing", vec![]),
    ] {
        let mut seen = numbers(&page(&format!("?q={q}")).await);
        let mut wanted = found.clone();
        seen.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(seen, wanted, "{q}");
    }
    assert_eq!(bodies(bob, "/messages?q=пятниц").await.len(), 1);
    assert_eq!(ann.get(&format!("{at}/messages?before=x")).await.status, 400);
}

#[tokio::test]
async fn a_crowd_that_writes_at_once_is_counted_without_gaps() {
    let Room { ann, bob, .. } = &room().await;
    // Whoever begins it first, there is one conversation.
    let mut begins = JoinSet::new();
    for n in 0..8 {
        let (who, other) = if n % 2 == 0 { (ann.clone(), bob.id) } else { (bob.clone(), ann.id) };
        begins.spawn(async move { begun(&who, json!({ "kind": "direct", "members": [other] })).await });
    }
    let mut all = begins.join_all().await;
    all.dedup();
    assert_eq!(all.len(), 1);
    let at = all.remove(0);
    let mut writes = JoinSet::new();
    for n in 0..6 {
        let (who, at) = (if n % 2 == 0 { ann.clone() } else { bob.clone() }, at.clone());
        writes.spawn(async move {
            for k in 0..8 {
                say(&who, &at, json!({ "body": format!("{n} {k}") })).await;
            }
        });
    }
    writes.join_all().await;
    let page = ann.get(&format!("{at}/messages?from=1")).await.json();
    let numbers: Vec<i64> =
        page["data"].as_array().unwrap().iter().map(|m| m["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=48).collect::<Vec<_>>());
}

#[tokio::test]
async fn only_those_in_a_conversation_hear_of_it() {
    let Room { ann, bob, eve, stranger, .. } = &room().await;
    let at = begun(ann, json!({ "kind": "group", "members": [bob.id] })).await;
    let news =
        begun(ann, json!({ "kind": "channel", "name": "Open", "open": true, "members": [bob.id, eve.id] }))
            .await;
    let (mut listeners, mut ears) = (JoinSet::new(), Vec::new());
    for person in [bob, eve, stranger] {
        let ear = Arc::new(Mutex::new(String::new()));
        let (person, heard) = (person.clone(), ear.clone());
        listeners
            .spawn(async move { person.listen("/events", |t| heard.lock().unwrap().push_str(&t)).await });
        ears.push(ear);
    }
    let (id, open) = (at.split('/').nth(2).unwrap().to_owned(), news.split('/').nth(2).unwrap().to_owned());
    let hears = async |n: usize, what: &str| {
        for _ in 0..400 {
            if ears[n].lock().unwrap().contains(what) {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        false
    };
    // Bob listens once he hears something; Eve does when she hears of the channel, after all of the group.
    for _ in 0..100 {
        say(ann, &at, json!({ "body": "hm" })).await;
        if ears[0].lock().unwrap().contains(&id) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    assert!(hears(0, "event: conversation").await && hears(0, "event: notification").await);
    for _ in 0..100 {
        say(ann, &at, json!({ "body": "between us" })).await;
        say(ann, &news, json!({ "body": "for all" })).await;
        if ears[1].lock().unwrap().contains(&open) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    assert!(hears(1, &open).await);
    assert!(!ears[1].lock().unwrap().contains(&id), "not even an administrator");
    let ear = ears[2].lock().unwrap();
    assert!(!ear.contains("conversation") && !ear.contains("notification"), "{ear}");
    drop(listeners);
}
