//! Types of own fields: what each takes, gives, refuses, is asked for and sorted by.

use crate::scene::{Person, house};
use records::import;
use serde_json::{Value, json};
use std::io::Write;
use uuid::Uuid;

const THINGS: &str = "/custom/things";

impl Person {
    async fn field(&self, name: &str, kind: &str, more: Value) -> Value {
        let mut body = json!({ "entity": "custom.things", "name": name, "label": name, "type": kind });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let added = self.post("/fields", body).await;
        assert_eq!(added.status, 201, "{name}: {}", added.text());
        added.json()
    }

    async fn thing(&self, name: &str, more: Value) -> Value {
        let mut body = json!({ "name": name });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let made = self.post(THINGS, body).await;
        assert_eq!(made.status, 201, "{name}: {}", made.text());
        made.json()
    }

    async fn things(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("{THINGS}?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let data = answer.json()["data"].as_array().unwrap().clone();
        data.iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn asked(&self, filter: Value) -> Vec<String> {
        self.things(&format!("sort=name&filter={}", percent(&filter.to_string()))).await
    }

    async fn refused(&self, body: Value, sentence: &str) {
        let mut whole = json!({ "name": "Bad" });
        whole.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap());
        let answer = self.post(THINGS, whole).await;
        assert!((400..500).contains(&answer.status), "{body}: {}", answer.text());
        assert!(answer.text().contains(sentence), "{body}: {}", answer.text());
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

async fn things(owner: &Person) {
    let states = json!({
        "name": "things", "title": "Things",
        "states": [{ "id": "new", "label": "New" }, { "id": "done", "label": "Done" }],
        "moves": [{ "action": "finish", "label": "Finish", "source": "new", "target": "done" }],
    });
    let made = owner.post("/tables", states).await;
    assert_eq!(made.status, 201, "{}", made.text());
}

#[tokio::test]
async fn each_type_keeps_what_it_is_and_is_found_by_it() {
    let house = house().await;
    let owner = house.owner().await;
    things(&owner).await;
    let ann = house.colleague(&owner, &[]).await;
    let members = owner.get("/members").await.json()["data"].clone();
    let ids: Vec<String> =
        members.as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2);
    drop(ann);
    for (name, kind) in [
        ("at", "time"),
        ("days", "daterange"),
        ("team", "users"),
        ("place", "address"),
        ("sign", "icon"),
        ("part", "progress"),
        ("code", "qrcode"),
        ("note", "markdown"),
        ("on", "toggle"),
    ] {
        owner.field(name, kind, json!({})).await;
    }
    let options = json!({ "options": [{ "id": "low", "label": "Low" }, { "id": "high", "label": "High" }, { "id": "asap", "label": "Now" }] });
    owner.field("how", "priority", options.clone()).await;
    owner.field("state_of", "status", options).await;

    let one = owner
        .thing("One", json!({
            "cf.at": "9:05 pm", "cf.days": { "from": "2026-11-01", "to": "2026-11-05" }, "cf.team": [ids[0], ids[1], ids[0]],
            "cf.place": { "street": "Abay 10", "city": "Almaty", "country": "kz", "region": "" }, "cf.sign": "map-pin", "cf.part": 40.5,
            "cf.code": "https://acme.test/1", "cf.note": "**Hi**", "cf.on": true, "cf.how": "high", "cf.state_of": "low",
        }))
        .await;
    assert_eq!(one["cf.at"], "21:05");
    assert_eq!(one["cf.days"], "2026-11-01/2026-11-05");
    assert_eq!(one["cf.team"], json!([ids[0], ids[1]]));
    assert_eq!(one["cf.place"], json!({ "street": "Abay 10", "city": "Almaty", "country": "KZ" }));
    assert_eq!(one["cf.part"], "40.5");
    assert_eq!(one["cf.on"], true);
    owner
        .thing("Two", json!({ "cf.at": "08:30:15", "cf.days": "2026-10-01/2026-12-31", "cf.team": [ids[1]], "cf.part": 100, "cf.how": "asap", "cf.state_of": "asap", "cf.on": false }))
        .await;
    owner.thing("Three", json!({ "cf.how": "low", "cf.team": [], "cf.place": {} })).await;

    for (body, sentence) in [
        (json!({ "cf.at": "25:00" }), "Write a time of day as 18:30."),
        (
            json!({ "cf.days": { "from": "2026-11-05", "to": "2026-11-01" } }),
            "The last day is before the first.",
        ),
        (json!({ "cf.days": { "from": "2026-11-05" } }), "Say both the first and the last day."),
        (json!({ "cf.team": [Uuid::nil()] }), "There is no such record."),
        (json!({ "cf.place": { "line1": "x" } }), "An address has no line1."),
        (json!({ "cf.sign": "<b>" }), "An icon is called by its name."),
        (json!({ "cf.part": 101 }), "Progress is a number from 0 to 100."),
        (json!({ "cf.part": -1 }), "Progress is a number from 0 to 100."),
        (json!({ "cf.how": "never" }), "Choose one of"),
    ] {
        owner.refused(body, sentence).await;
    }

    let rule = |field: &str, operator: &str, value: Value| json!({ "field": field, "operator": operator, "value": value });
    for (filter, found) in [
        (rule("cf.at", "less_than", json!("12:00")), vec!["Two"]),
        (rule("cf.at", "between", json!(["21:00", "22:00"])), vec!["One"]),
        (rule("cf.days", "greater_or_equal", json!("2026-11-01")), vec!["One"]),
        (rule("cf.days", "is_empty", Value::Null), vec!["Three"]),
        (rule("cf.team", "has_any", json!([ids[0]])), vec!["One"]),
        (rule("cf.team", "has_all", json!([ids[0], ids[1]])), vec!["One"]),
        (rule("cf.team", "has_none", json!([ids[0]])), vec!["Three", "Two"]),
        (rule("cf.team", "is_empty", Value::Null), vec!["Three"]),
        (rule("cf.place", "is_not_empty", Value::Null), vec!["One"]),
        (rule("cf.part", "greater_than", json!(50)), vec!["Two"]),
        (rule("cf.on", "is_true", Value::Null), vec!["One"]),
        (rule("cf.state_of", "in", json!(["low"])), vec!["One"]),
    ] {
        assert_eq!(owner.asked(filter.clone()).await, found, "{filter}");
    }
    assert_eq!(owner.things("sort=cf.at").await, ["Two", "One", "Three"]);
    assert_eq!(owner.things("sort=cf.days").await, ["Two", "One", "Three"]);
    // Not by the letters of the choices, and page by page, counted.
    assert_eq!(owner.things("sort=cf.how&count=exact").await, ["Three", "One", "Two"]);
    let page = owner.get(&format!("{THINGS}?sort=-cf.how&limit=1")).await.json();
    assert_eq!(page["data"][0]["name"], "Two");
    assert_eq!(
        owner.things(&format!("sort=-cf.how&limit=1&cursor={}", page["next"].as_str().unwrap())).await,
        ["One"]
    );
    for name in ["cf.team", "cf.place"] {
        assert_eq!(owner.get(&format!("{THINGS}?sort={name}")).await.status, 400, "{name}");
    }
    let by =
        json!({ "group_by": ["cf.at"], "metrics": [{ "function": "avg", "field": "cf.part", "as": "n" }] });
    let groups = owner.post(&format!("{THINGS}/_aggregate"), by).await;
    assert_eq!(groups.status, 200, "{}", groups.text());
    assert_eq!(groups.json()["data"].as_array().unwrap().len(), 3);

    let meta = owner.get("/meta/entities/custom.things").await.json();
    let told =
        |name: &str| meta["fields"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap().clone();
    assert_eq!([&told("cf.how")["type"], &told("cf.how")["look"]], ["select", "priority"]);
    assert_eq!([&told("cf.at")["type"], &told("cf.at")["sortable"]], [&json!("time"), &json!(true)]);
    assert_eq!([&told("cf.part")["type"], &told("cf.part")["look"]], ["number", "progress"]);

    let csv = owner
        .get(&format!("{THINGS}/_export?format=csv&fields=name,cf.at,cf.days,cf.team,cf.place&sort=-name"))
        .await;
    let text = csv.text();
    let line = text.lines().last().unwrap();
    let names: Vec<String> = ids
        .iter()
        .map(|id| {
            let of = members.as_array().unwrap().iter().find(|m| m["id"] == **id).unwrap();
            let whole =
                format!("{} {}", of["first_name"].as_str().unwrap(), of["last_name"].as_str().unwrap());
            if whole.trim().is_empty() {
                of["email"].as_str().unwrap().to_owned()
            } else {
                whole.trim().to_owned()
            }
        })
        .collect();
    assert!(line.contains("One,21:05,2026-11-01/2026-11-05,"), "{text}");
    assert!(
        line.contains(&names[0]) && line.contains(&names[1]) && line.ends_with("\"Abay 10, Almaty, KZ\""),
        "{text}"
    );
    for format in ["pdf", "xlsx"] {
        let at = if format == "pdf" {
            format!("{THINGS}/{}/_print", one["id"].as_str().unwrap())
        } else {
            format!("{THINGS}/_export?format=xlsx")
        };
        let answer = owner.get(&at).await;
        assert_eq!(answer.status, 200, "{format}: {}", answer.text());
    }
    let described = owner.get("/openapi.json").await;
    assert_eq!(described.status, 200);
}

#[tokio::test]
async fn members_days_and_addresses_come_in_as_people_write_them() {
    let house = house().await;
    let owner = house.owner().await;
    things(&owner).await;
    house.colleague(&owner, &[]).await;
    let members = owner.get("/members").await.json()["data"].as_array().unwrap().clone();
    for (name, kind) in
        [("team", "users"), ("lead", "user"), ("days", "daterange"), ("place", "address"), ("at", "time")]
    {
        owner.field(name, kind, json!({})).await;
    }
    let emails: Vec<&str> = members.iter().map(|m| m["email"].as_str().unwrap()).collect();
    let ids: Vec<&str> = members.iter().map(|m| m["id"].as_str().unwrap()).collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        file,
        "name;cf.team;cf.lead;cf.days;cf.place;cf.at\nOne;\"{}, {}\";{};2026-11-01/2026-11-05;Abay 10, Almaty;9:30\nTwo;{};;13.11.2026 \u{2013} 14.11.2026;;\nBad;nobody@nowhere.test;;;;",
        emails[0].to_uppercase(), emails[1], emails[1], ids[0]
    )
    .unwrap();
    let actor = house.auth().session(&owner.token, Uuid::now_v7()).await.unwrap().actor.unwrap();
    let source = import::Source { path: file.path().to_owned(), format: None, name: "things.csv".into() };
    let things = actor.catalog.entity("custom.things").unwrap();
    let done = import::one_shot(&house.scene.store, &actor, things, &source, None, None, import::Mode::Run)
        .await
        .unwrap();
    assert_eq!([&done["created"], &done["failed"]], [2, 1], "{done}");
    assert!(done["errors"].to_string().contains("There is no member nobody@nowhere.test."), "{done}");
    let rows = owner.get(&format!("{THINGS}?sort=name")).await.json()["data"].clone();
    assert_eq!(rows[0]["cf.team"], json!([ids[0], ids[1]]));
    assert_eq!(rows[0]["cf.lead"], ids[1]);
    assert_eq!(rows[0]["cf.days"], "2026-11-01/2026-11-05");
    assert_eq!(rows[0]["cf.place"], json!({ "street": "Abay 10, Almaty" }));
    assert_eq!(rows[0]["cf.at"], "09:30");
    assert_eq!(rows[1]["cf.team"], json!([ids[0]]));
    assert_eq!(rows[1]["cf.days"], "2026-11-13/2026-11-14");
}

#[tokio::test]
async fn a_number_of_ones_own_is_given_once_by_every_road() {
    let house = house().await;
    let owner = house.owner().await;
    let stranger = house.owner().await;
    things(&owner).await;
    for name in ["First", "Second"] {
        owner.thing(name, json!({})).await;
    }
    for settings in
        [json!({ "prefix": 7 }), json!({ "digits": 40 }), json!({ "start": -1 }), json!({ "colour": "red" })]
    {
        let body = json!({ "entity": "custom.things", "name": "x", "label": "X", "type": "autonumber", "settings": settings });
        assert_eq!(owner.post("/fields", body).await.status, 400);
    }
    let needed = json!({ "entity": "custom.things", "name": "x", "label": "X", "type": "autonumber", "required": true });
    assert_eq!(owner.post("/fields", needed).await.status, 400);
    let numbered = json!({ "settings": { "prefix": "V-", "digits": 4, "start": 10 } });
    let field = owner.field("nr", "autonumber", numbered.clone()).await;
    // Who was there before is numbered as it was made, and nobody can say a number himself.
    let at = |name: &'static str| {
        let owner = &owner;
        async move {
            let rows = owner.get(&format!("{THINGS}?name={name}")).await.json()["data"].clone();
            rows[0]["cf.nr"].clone()
        }
    };
    assert_eq!([at("First").await, at("Second").await], [10, 11]);
    owner.refused(json!({ "cf.nr": 5 }), "This field cannot be written.").await;
    let third = owner.thing("Third", json!({})).await;
    assert_eq!(third["cf.nr"], 12);
    let path = format!("{THINGS}/{}", third["id"].as_str().unwrap());
    let version = third["version"].to_string();
    let changed = owner.send("PATCH", &path, Some(json!({ "cf.nr": 1 })), &[("if-match", &version)]).await;
    assert_eq!(changed.status, 400, "{}", changed.text());

    // A crowd at once: each has its own.
    let crowd = futures_util::future::join_all((0..20).map(|n| {
        let owner = &owner;
        async move { owner.thing(&format!("Crowd {n}"), json!({})).await["cf.nr"].as_i64().unwrap() }
    }))
    .await;
    let mut numbers = crowd.clone();
    numbers.sort_unstable();
    assert_eq!(numbers, (13..33).collect::<Vec<i64>>());

    // A file, and what is made again from what was thrown away.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "name,cf.nr\nImported,700").unwrap();
    let actor = house.auth().session(&owner.token, Uuid::now_v7()).await.unwrap().actor.unwrap();
    let source = import::Source { path: file.path().to_owned(), format: None, name: "things.csv".into() };
    let entity = actor.catalog.entity("custom.things").unwrap();
    let done = import::one_shot(&house.scene.store, &actor, entity, &source, None, None, import::Mode::Run)
        .await
        .unwrap();
    assert_eq!(done["created"], 1, "{done}");
    assert_eq!(at("Imported").await, 33);
    let now = owner.get(&path).await.json()["version"].to_string();
    assert_eq!(owner.send("DELETE", &path, None, &[("if-match", &now)]).await.status, 204);
    assert_eq!(owner.send("POST", &format!("{path}/restore"), None, &[]).await.json()["cf.nr"], 12);

    assert_eq!(
        owner.asked(json!({ "field": "cf.nr", "operator": "less_than", "value": 12 })).await,
        ["First", "Second"]
    );
    assert_eq!(owner.things("sort=-cf.nr&limit=1").await, ["Imported"]);

    // What the product's own tables have is numbered as well, lines of documents too; and of another company nothing.
    let on_parties =
        json!({ "entity": "parties.parties", "name": "nr", "label": "No.", "type": "autonumber" });
    assert_eq!(owner.post("/fields", on_parties).await.status, 201);
    let made =
        owner.post("/parties/parties", json!({ "name": "Numbered", "is_customer": true })).await.json();
    assert_eq!(made["cf.nr"], 1);
    let theirs =
        stranger.post("/parties/parties", json!({ "name": "Theirs", "is_customer": true })).await.json();
    assert!(theirs.get("cf.nr").is_none(), "{theirs}");
    // The series of the product do not know it.
    assert!(!owner.get("/numbers").await.text().contains("autonumber"));

    // Taken away and made again, it goes on after the last.
    assert_eq!(
        owner.send("DELETE", &format!("/fields/{}", field["id"].as_str().unwrap()), None, &[]).await.status,
        204
    );
    owner.thing("Between", json!({})).await;
    owner.field("nr", "autonumber", numbered).await;
    assert_eq!([at("Imported").await, at("Between").await], [33, 34]);
    assert_eq!(owner.thing("Last", json!({})).await["cf.nr"], 35);
}

#[tokio::test]
async fn a_button_is_told_of_and_holds_nothing() {
    let house = house().await;
    let owner = house.owner().await;
    things(&owner).await;
    for settings in [
        json!({}),
        json!({ "url": "javascript:alert(1)" }),
        json!({ "url": "https://a.test/{{nothing}}" }),
        json!({ "url": "https://a.test", "action": "finish" }),
        json!({ "action": "explode" }),
    ] {
        let body = json!({ "entity": "custom.things", "name": "x", "label": "X", "type": "button", "settings": settings });
        assert_eq!(owner.post("/fields", body).await.status, 400, "{settings}");
    }
    let url = json!({ "settings": { "label": "Search", "url": "https://a.test/?q={{name}}" } });
    let field = owner.field("search", "button", url).await;
    owner.field("finish", "button", json!({ "settings": { "action": "finish" } })).await;
    let bad = owner
        .send(
            "PATCH",
            &format!("/fields/{}", field["id"].as_str().unwrap()),
            Some(json!({ "settings": { "url": "ftp://a" } })),
            &[],
        )
        .await;
    assert_eq!(bad.status, 400, "{}", bad.text());
    owner.thing("One", json!({})).await;
    owner.refused(json!({ "cf.search": "x" }), "This field cannot be written.").await;
    let filter = percent(&json!({ "field": "cf.search", "operator": "is_empty" }).to_string());
    assert_eq!(owner.get(&format!("{THINGS}?filter={filter}")).await.status, 400);
    assert_eq!(owner.get(&format!("{THINGS}?sort=cf.search")).await.status, 400);
    assert!(!owner.get(&format!("{THINGS}/_export?format=csv")).await.text().contains("cf.search"));
    let meta = owner.get("/meta/entities/custom.things").await.json();
    let told = meta["fields"].as_array().unwrap().iter().find(|f| f["name"] == "cf.finish").unwrap();
    assert_eq!(
        [&told["readonly"], &told["filterable"], &told["of"]],
        [&json!(true), &json!(false), &json!("custom.things")]
    );
}

#[tokio::test]
async fn what_functions_of_the_product_write_is_numbered_too() {
    let house = house().await;
    let owner = house.owner().await;
    for entity in ["finance.invoice_lines", "finance.invoices"] {
        let field = json!({ "entity": entity, "name": "nr", "label": "No.", "type": "autonumber" });
        let added = owner.post("/fields", field).await;
        assert_eq!(added.status, 201, "{}", added.text());
    }
    let party = owner.post("/parties/parties", json!({ "name": "Buyer", "is_customer": true })).await.json();
    let line = json!({ "name": "Thing", "quantity": 1, "price": 100 });
    let made = owner
        .post("/finance/invoices?expand=lines", json!({ "party_id": party["id"], "lines": [line, line] }))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let at = format!("/finance/invoices/{}", testkit::id(&made.json()));
    let lines = owner.get(&format!("{at}?expand=lines")).await.json()["lines"].clone();
    assert_eq!([&lines[0]["cf.nr"], &lines[1]["cf.nr"]], [1, 2], "{lines}");
    let posted = owner.post(&format!("{at}/post"), json!({})).await;
    assert_eq!(posted.status, 200, "{}", posted.text());
    let credited = owner.post(&format!("{at}/credit"), json!({})).await;
    assert_eq!(credited.status, 200, "{}", credited.text());
    let all = owner.get("/finance/invoices?expand=lines&sort=cf.nr").await.json()["data"].clone();
    assert_eq!([&all[0]["cf.nr"], &all[1]["cf.nr"]], [1, 2], "{all}");
    assert_eq!(all[1]["kind"], "CREDIT_NOTE");
    let lines = all[1]["lines"].as_array().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|l| l["cf.nr"].as_i64() > Some(2)), "{all}");
}

#[tokio::test]
async fn a_portrait_is_one_picture() {
    let house = house().await;
    let owner = house.owner().await;
    things(&owner).await;
    owner.field("face", "avatar", json!({})).await;
    owner.field("shots", "image", json!({})).await;
    let sent = async |name: &str, bytes: &[u8]| {
        let made = owner.raw("POST", "/files", bytes.to_vec(), &[("x-file-name", name)]).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["id"].clone()
    };
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde";
    let (one, two, text) =
        (sent("one.png", png).await, sent("two.png", png).await, sent("note.txt", b"words").await);
    owner.refused(json!({ "cf.face": [one, two] }), "This is one picture.").await;
    owner.refused(json!({ "cf.face": [text] }), "Only pictures go here.").await;
    owner.refused(json!({ "cf.shots": [text] }), "Only pictures go here.").await;
    let kept = owner.thing("One", json!({ "cf.face": [one], "cf.shots": [two] })).await;
    assert_eq!([&kept["cf.face"][0]["name"], &kept["cf.shots"][0]["name"]], ["one.png", "two.png"]);
}
