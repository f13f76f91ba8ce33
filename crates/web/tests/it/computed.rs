//! Fields that lead to other records, and fields that are kept nowhere.

use crate::scene::{Person, house};
use records::import;
use serde_json::{Value, json};

const VENUES: &str = "/custom/venues";
const BOOKINGS: &str = "/custom/bookings";

fn id(of: &Value) -> String {
    of["id"].as_str().unwrap().to_owned()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

impl Person {
    async fn made(&self, at: &str, body: Value) -> Value {
        let made = self.post(at, body).await;
        assert_eq!(made.status, 201, "{at}: {}", made.text());
        made.json()
    }

    async fn follows(&self, entity: &str, name: &str, kind: &str, settings: Value) -> Value {
        let field =
            json!({ "entity": entity, "name": name, "label": name, "type": kind, "settings": settings });
        self.made("/fields", field).await
    }

    async fn cannot_follow(&self, entity: &str, kind: &str, settings: Value) -> String {
        let field =
            json!({ "entity": entity, "name": "odd", "label": "Odd", "type": kind, "settings": settings });
        let answer = self.post("/fields", field).await;
        assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
        answer.text()
    }

    /// Venues with seats, and bookings of them by customers.
    async fn venues_and_bookings(&self, on_delete: &str) {
        for (name, title) in [("venues", "Venues"), ("bookings", "Bookings")] {
            self.made("/tables", json!({ "name": name, "title": title })).await;
        }
        self.follows("custom.venues", "seats", "integer", json!({})).await;
        self.follows("custom.venues", "above", "relation", json!({ "entity": "custom.venues" })).await;
        let venue = json!({ "entity": "custom.venues", "on_delete": on_delete });
        self.follows("custom.bookings", "venue", "relation", venue).await;
        self.follows("custom.bookings", "client", "relation", json!({ "entity": "parties.parties" })).await;
        self.follows("custom.bookings", "price", "money", json!({})).await;
        self.follows("custom.bookings", "day", "date", json!({})).await;
        self.follows("parties.parties", "home", "relation", json!({ "entity": "custom.venues" })).await;
    }

    async fn booking(&self, name: &str, venue: &Value, client: &Value, price: u32) -> Value {
        let body = json!({ "name": name, "cf.venue": venue["id"], "cf.client": client["id"], "cf.price": price, "cf.day": "2026-05-01" });
        self.made(BOOKINGS, body).await
    }

    async fn told(&self, at: &str) -> Value {
        let answer = self.get(at).await;
        assert_eq!(answer.status, 200, "{at}: {}", answer.text());
        answer.json()
    }

    async fn named(&self, at: &str, filter: &Value) -> Vec<String> {
        let found = self.told(&format!("{at}?sort=name&filter={}", encoded(&filter.to_string()))).await;
        found["data"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn asks(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({ "field": field, "operator": operator, "value": value.into() })
}

#[tokio::test]
async fn a_field_of_ones_own_leads_to_other_records() {
    let house = house().await;
    let owner = house.owner().await;
    owner.venues_and_bookings("keep").await;
    let hall = owner.made(VENUES, json!({ "name": "Hall", "cf.seats": 200 })).await;
    let attic = owner.made(VENUES, json!({ "name": "Attic", "cf.seats": 30, "cf.above": hall["id"] })).await;
    let ann = owner.made("/parties/parties", json!({ "name": "Ann", "cf.home": hall["id"] })).await;
    let bob = owner.made("/parties/parties", json!({ "name": "Bob" })).await;
    let ball = owner.booking("Ball", &hall, &ann, 100).await;
    owner.booking("Tea", &attic, &bob, 50).await;
    owner.booking("Party", &hall, &bob, 70).await;

    // Told as other relations are.
    let meta = owner.told("/meta/entities/custom.bookings").await;
    let venue = meta["fields"].as_array().unwrap().iter().find(|f| f["name"] == "cf.venue").unwrap().clone();
    assert_eq!(venue["type"], "relation");
    assert_eq!(
        venue["ref"],
        json!({ "entity": "custom.venues", "title_field": "name", "relation": "cf.venue_record" })
    );

    // With what it leads to, over several, however it is named.
    let list = owner.told(&format!("{BOOKINGS}?sort=cf.venue.name,-cf.price&fields=name,cf.venue,cf.venue_record.name,cf.venue.cf.seats,cf.venue.cf.above.name")).await;
    let rows = list["data"].as_array().unwrap();
    assert_eq!(rows[0]["cf.venue"], attic["id"]);
    let brought = &rows[0]["cf.venue_record"];
    assert_eq!(
        (&brought["id"], &brought["name"], &brought["cf.seats"], &brought["cf.above_record"]["name"]),
        (&attic["id"], &json!("Attic"), &json!("30"), &json!("Hall")),
        "{list}"
    );
    assert_eq!((&rows[1]["name"], &rows[2]["name"]), (&json!("Ball"), &json!("Party")));
    let whole =
        owner.told(&format!("{BOOKINGS}/{}?expand=cf.venue_record,cf.client.cf.home", id(&ball))).await;
    assert_eq!(whole["cf.venue_record"]["cf.seats"], "200", "{whole}");
    assert_eq!(whole["cf.client_record"]["cf.home_record"]["name"], "Hall", "{whole}");

    // Asked, from either side.
    for (filter, found) in [
        (asks("cf.venue", "equals", hall["id"].clone()), vec!["Ball", "Party"]),
        (asks("cf.venue", "equals", id(&hall).to_uppercase()), vec!["Ball", "Party"]),
        (asks("cf.venue.name", "equals", "Attic"), vec!["Tea"]),
        (asks("cf.venue.cf.seats", "gt", 100), vec!["Ball", "Party"]),
        (asks("cf.venue.cf.above.name", "equals", "Hall"), vec!["Tea"]),
        (json!({ "field": "cf.venue", "operator": "is_empty" }), vec![]),
    ] {
        assert_eq!(owner.named(BOOKINGS, &filter).await, found, "{filter}");
    }
    for path in ["custom.bookings", "custom.bookings.cf.venue"] {
        let filter =
            json!({ "field": path, "quantifier": "any", "where": asks("cf.client.name", "equals", "Bob") });
        assert_eq!(owner.named(VENUES, &filter).await, ["Attic", "Hall"], "{path}");
        let filter = json!({ "field": path, "quantifier": "any", "where": asks("cf.price", "gt", 60) });
        assert_eq!(owner.named(VENUES, &filter).await, ["Hall"], "{path}");
    }
    let groups = json!({ "group_by": ["cf.venue_record"], "metrics": [{ "function": "sum", "field": "cf.price", "as": "sum" }], "sort": ["-sum"] });
    let groups = owner.post(&format!("{BOOKINGS}/_aggregate"), groups).await.json();
    assert_eq!(
        groups["data"][0]["cf.venue_record"],
        json!({ "id": hall["id"], "title": "Hall" }),
        "{groups}"
    );
    let by = json!({ "group_by": ["cf.venue.cf.seats"], "metrics": [{ "function": "count" }] });
    let by = owner.post(&format!("{BOOKINGS}/_aggregate"), by).await;
    assert_eq!(by.json()["data"].as_array().unwrap().len(), 2, "{}", by.text());

    // What cannot be written.
    let nobody = json!("00000000-0000-4000-8000-000000000000");
    for (value, status) in [(nobody, 422), (bob["id"].clone(), 422), (json!("x"), 400), (json!(7), 400)] {
        let answer = owner.post(BOOKINGS, json!({ "name": "x", "cf.venue": value })).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.json()["errors"][0]["field"], "cf.venue", "{}", answer.text());
    }
    let many = json!({ "action": "update", "ids": [ball["id"]], "changes": { "cf.venue": bob["id"] } });
    let many = owner.post(&format!("{BOOKINGS}/_bulk"), many).await.text();
    assert!(many.contains("There is no such record"), "{many}");
    for (settings, why) in [
        (json!({}), "no such entity"),
        (json!({ "entity": "custom.nothing" }), "no such entity"),
        (json!({ "entity": "sales.order_lines" }), "no such entity"),
        (json!({ "entity": "custom.venues", "on_delete": "explode" }), "keep, clear or restrict"),
    ] {
        assert!(owner.cannot_follow("custom.bookings", "relation", settings).await.contains(why));
    }

    // Out and in again, by name, number or id.
    let csv = owner.get(&format!("{BOOKINGS}/_export?format=csv")).await.text();
    assert!(csv.lines().next().unwrap().contains("cf.venue_record"), "{csv}");
    assert!(csv.contains("Attic"), "{csv}");
    let actor = house.auth().session(&owner.token, uuid::Uuid::now_v7()).await.unwrap().actor.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bookings.csv");
    let file =
        format!("name,cf.venue_record,cf.client\nOne,Attic,Ann\nTwo,{},Bob\nThree,Nowhere,\n", id(&hall));
    std::fs::write(&path, file).unwrap();
    let source = import::Source { path, format: None, name: "bookings.csv".into() };
    let (store, bookings) = (&house.scene.store, actor.catalog.entity("custom.bookings").unwrap());
    let done =
        import::one_shot(store, &actor, bookings, &source, None, None, import::Mode::Run).await.unwrap();
    assert_eq!((&done["created"], &done["failed"]), (&json!(2), &json!(1)), "{done}");
    assert!(done.to_string().contains("There is no venue Nowhere"), "{done}");
    let one = asks("cf.venue", "equals", attic["id"].clone());
    assert_eq!(owner.named(BOOKINGS, &one).await, ["One", "Tea"]);
    assert_eq!(
        owner.named(BOOKINGS, &asks("cf.client.name", "equals", "Bob")).await,
        ["Party", "Tea", "Two"]
    );

    // What an import made is not taken back while something leads to it.
    let path = folder.path().join("venues.csv");
    std::fs::write(&path, "name\nLoft\n").unwrap();
    let source = import::Source { path, format: None, name: "venues.csv".into() };
    let venues = actor.catalog.entity("custom.venues").unwrap();
    let done = import::one_shot(store, &actor, venues, &source, None, None, import::Mode::Run).await.unwrap();
    let loft = owner.told(&format!("{VENUES}?name=Loft")).await["data"][0].clone();
    let wedding = owner.booking("Wedding", &loft, &json!({}), 10).await;
    let import = id(&done).parse().unwrap();
    let undone = import::undo(store, &actor, import).await;
    assert!(undone.unwrap_err().to_string().contains("in use by 1 bookings"));
    let at = format!("{BOOKINGS}/{}", id(&wedding));
    assert_eq!(owner.patch(&at, json!({ "cf.venue": null })).await.status, 200);
    assert_eq!(import::undo(store, &actor, import).await.unwrap()["deleted"], 1);
}

#[tokio::test]
async fn what_looks_like_a_parameter_in_a_text_is_text() {
    let house = house().await;
    let owner = house.owner().await;
    owner.venues_and_bookings("keep").await;
    let hall = owner.made(VENUES, json!({ "name": "Hall" })).await;
    for name in ["Tea", "Party"] {
        owner.booking(name, &hall, &json!({}), 10).await;
    }
    owner.follows("custom.bookings", "mark", "formula", json!({ "expression": "'a$2b' & name" })).await;
    // Inside a figure the condition's values are written out, and $2 is the first of them.
    for (n, (said, count)) in
        [("a$2bTea", "1"), ("||(select current_setting('app.context'))||", "0")].into_iter().enumerate()
    {
        let filter = asks("cf.mark", "equals", said);
        let counted = json!({ "of": "custom.bookings.cf.venue", "filter": filter });
        owner.follows("custom.venues", &format!("n{n}"), "count", counted).await;
        assert_eq!(owner.told(&format!("{VENUES}/{}", id(&hall))).await[format!("cf.n{n}")], count);
    }
}

#[tokio::test]
async fn what_led_to_a_duplicate_leads_to_the_kept_one() {
    let house = house().await;
    let owner = house.owner().await;
    owner.venues_and_bookings("keep").await;
    let hall = owner.made(VENUES, json!({ "name": "Hall" })).await;
    let ann = owner.made("/parties/parties", json!({ "name": "Ann" })).await;
    let twin = owner.made("/parties/parties", json!({ "name": "Ann again" })).await;
    let ball = owner.booking("Ball", &hall, &twin, 100).await;
    let at = format!("/parties/parties/{}/merge", id(&ann));
    let merged = owner.post(&at, json!({ "other": twin["id"] })).await;
    assert_eq!(merged.status, 200, "{}", merged.text());
    assert_eq!(owner.told(&format!("{BOOKINGS}/{}", id(&ball))).await["cf.client"], ann["id"]);
}

#[tokio::test]
async fn what_is_thrown_away_is_kept_held_or_let_go_of() {
    let house = house().await;
    for (rule, status, then) in [("keep", 204, true), ("restrict", 422, true), ("clear", 204, false)] {
        let owner = house.owner().await;
        owner.venues_and_bookings(rule).await;
        let hall = owner.made(VENUES, json!({ "name": "Hall" })).await;
        let ann = owner.made("/parties/parties", json!({ "name": "Ann" })).await;
        let ball = owner.booking("Ball", &hall, &ann, 100).await;
        let gone = owner.delete(&format!("{VENUES}/{}", id(&hall))).await;
        assert_eq!(gone.status, status, "{rule}: {}", gone.text());
        if rule == "restrict" {
            assert!(gone.text().contains("This is in use by venue: 1 bookings."), "{}", gone.text());
        }
        let left = owner.told(&format!("{BOOKINGS}/{}", id(&ball))).await;
        assert_eq!(left["cf.venue"] == hall["id"], then, "{rule}: {left}");
        let history = owner.told(&format!("{BOOKINGS}/{}/_history", id(&ball))).await;
        assert_eq!(history["data"].as_array().unwrap().len(), if then { 1 } else { 2 }, "{rule}: {history}");
    }
}

#[tokio::test]
async fn computed_fields_say_what_follows_from_others() {
    let house = house().await;
    let owner = house.owner().await;
    owner.venues_and_bookings("keep").await;
    let money = json!({ "of": "custom.bookings.cf.client", "field": "cf.price", "function": "sum" });
    owner.follows("parties.parties", "spent", "rollup", money).await;
    let dear = json!({ "of": "custom.bookings", "filter": asks("cf.price", "gt", 60) });
    owner.follows("custom.venues", "dear", "count", dear).await;
    let who = json!({ "of": "custom.bookings", "field": "name", "function": "concat" });
    owner.follows("custom.venues", "programme", "rollup", who).await;
    owner.follows("custom.bookings", "seats", "lookup", json!({ "path": "cf.venue.cf.seats" })).await;
    owner.follows("custom.bookings", "home", "lookup", json!({ "path": "cf.client.cf.home" })).await;
    owner.follows("custom.bookings", "spent", "lookup", json!({ "path": "cf.client.cf.spent" })).await;
    let each = json!({ "expression": "round(cf.price / cf.seats, 2)", "format": "money" });
    let each = owner.follows("custom.bookings", "each", "formula", each).await;
    assert_eq!(each["settings"]["result"], "money");
    let said =
        json!({ "expression": "if(cf.each > 0.5, name & ' is dear at ' & cf.venue.name, 'it''s cheap')" });
    owner.follows("custom.bookings", "said", "formula", said).await;
    let due = json!({ "expression": "add_days(cf.day, -14)" });
    owner.follows("custom.bookings", "due", "formula", due).await;
    owner.follows("custom.bookings", "maker", "createdby", json!({})).await;
    owner
        .follows(
            "sales.orders",
            "pieces",
            "rollup",
            json!({ "of": "lines", "field": "quantity", "function": "sum" }),
        )
        .await;

    let hall = owner.made(VENUES, json!({ "name": "Hall", "cf.seats": 200 })).await;
    let attic = owner.made(VENUES, json!({ "name": "Attic" })).await;
    let ann = owner.made("/parties/parties", json!({ "name": "Ann", "cf.home": hall["id"] })).await;
    let ball = owner.booking("Ball", &hall, &ann, 110).await;
    let tea = owner.booking("Tea", &attic, &ann, 50).await;
    let gone = owner.booking("Gone", &hall, &ann, 500).await;
    assert_eq!(owner.delete(&format!("{BOOKINGS}/{}", id(&gone))).await.status, 204);

    let own = |of: &Value, names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| of[format!("cf.{name}")].clone()).collect()
    };
    let read = owner.told(&format!("{BOOKINGS}/{}", id(&ball))).await;
    assert_eq!(
        own(&read, &["seats", "home", "spent", "each", "said", "due", "maker"]),
        [
            json!("200"),
            json!("Hall"),
            json!("160"),
            json!("0.55"),
            json!("Ball is dear at Hall"),
            json!("2026-04-17"),
            read["created_by"].clone()
        ]
    );
    // By nothing nothing is divided.
    let read = owner.told(&format!("{BOOKINGS}/{}", id(&tea))).await;
    assert_eq!(own(&read, &["seats", "each", "said"]), [Value::Null, Value::Null, json!("it's cheap")]);
    let read = owner.told(&format!("{VENUES}/{}", id(&hall))).await;
    assert_eq!(own(&read, &["dear", "programme"]), [json!("1"), json!("Ball")]);

    // They are asked, sorted by, grouped by, summed up and taken out as others are.
    for (at, filter, found) in [
        (BOOKINGS, asks("cf.seats", "gt", 100), vec!["Ball"]),
        (BOOKINGS, asks("cf.said", "contains", "cheap"), vec!["Tea"]),
        (BOOKINGS, asks("cf.said", "equals", "it's cheap"), vec!["Tea"]),
        (BOOKINGS, asks("cf.due", "before", "2026-05-01"), vec!["Ball", "Tea"]),
        (BOOKINGS, asks("cf.venue.cf.dear", "equals", 0), vec!["Tea"]),
        ("/parties/parties", asks("cf.spent", "greater_or_equal", 160), vec!["Ann"]),
    ] {
        assert_eq!(owner.named(at, &filter).await, found, "{filter}");
    }
    let sorted = owner.told(&format!("{VENUES}?sort=-cf.dear&limit=1")).await;
    assert_eq!(sorted["data"][0]["name"], "Hall");
    let next = owner
        .told(&format!("{VENUES}?sort=-cf.dear&limit=1&cursor={}", sorted["next"].as_str().unwrap()))
        .await;
    assert_eq!(next["data"][0]["name"], "Attic", "{next}");
    let sums = json!({ "group_by": ["cf.home"], "metrics": [{ "function": "sum", "field": "cf.each", "as": "sum" }] });
    let sums = owner.post(&format!("{BOOKINGS}/_aggregate"), sums).await;
    assert_eq!(sums.json()["data"][0]["sum"], "0.55", "{}", sums.text());
    let csv = owner.get(&format!("{BOOKINGS}/_export?format=csv&sort=name")).await.text();
    assert!(csv.contains("Ball is dear at Hall"), "{csv}");
    assert_eq!(owner.get("/sales/orders?sort=cf.pieces").await.status, 200);

    // Nobody writes them, and no form asks for them.
    let answer = owner.patch(&format!("{BOOKINGS}/{}", id(&ball)), json!({ "cf.seats": 5 })).await;
    assert!(answer.status == 400 && answer.text().contains("cannot be written"), "{}", answer.text());
    let meta = owner.told("/meta/entities/custom.bookings").await;
    assert!(!meta["form"].to_string().contains("cf.seats"));
    let told =
        |name: &str| meta["fields"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap().clone();
    let (each, said) = (told("cf.each"), told("cf.said"));
    assert_eq!(
        (&each["type"], &each["computed"], &each["readonly"]),
        (&json!("money"), &json!("formula"), &json!(true))
    );
    assert_eq!((&said["type"], &told("cf.seats")["type"]), (&json!("text"), &json!("integer")));

    // What others rest on stays, and keeps its meaning.
    let fields = owner.told("/fields").await["data"].as_array().unwrap().clone();
    let field = |entity: &str, name: &str| {
        let found = fields.iter().find(|f| f["entity"] == entity && f["name"] == name).unwrap();
        format!("/fields/{}", id(found))
    };
    for (entity, name, by) in [
        ("custom.venues", "seats", "seats"),
        ("custom.bookings", "price", "each"),
        ("custom.bookings", "venue", "seats"),
        ("custom.bookings", "each", "said"),
    ] {
        let answer = owner.delete(&field(entity, name)).await;
        assert_eq!(answer.status, 422, "{name}");
        assert!(answer.text().contains("rests on this field"), "{by}: {}", answer.text());
    }
    let other = json!({ "settings": { "expression": "'a' & name" } });
    let answer = owner.patch(&field("custom.bookings", "each"), other).await;
    assert!(answer.status == 422 && answer.text().contains("rests on this field"), "{}", answer.text());
    let round = json!({ "settings": { "expression": "if(is_empty(cf.said), 1, 2)" } });
    let answer = owner.patch(&field("custom.bookings", "each"), round).await;
    assert!(answer.text().contains("circle: cf.each → cf.said → cf.each"), "{}", answer.text());
    let better = json!({ "settings": { "expression": "cf.price", "format": "money" } });
    assert_eq!(owner.patch(&field("custom.bookings", "each"), better).await.status, 200);
    let read = owner.told(&format!("{BOOKINGS}/{}", id(&ball))).await;
    assert_eq!(read["cf.each"], "110.00");
    assert_eq!(owner.delete(&field("custom.bookings", "said")).await.status, 204);

    for (kind, settings, why) in [
        ("lookup", json!({}), "required"),
        ("lookup", json!({ "path": "cf.venue.nothing" }), "no field"),
        ("lookup", json!({ "path": "cf.client.cf.home.cf.above.cf.above.name" }), "at most 3 relations"),
        ("rollup", json!({ "of": "sales.nothing", "field": "x", "function": "sum" }), "nothing that belongs"),
        (
            "rollup",
            json!({ "of": "custom.bookings", "field": "name", "function": "sum" }),
            "nothing that belongs",
        ),
        ("formula", json!({ "expression": "name + 1" }), "At 1: This is a text, where a number is wanted."),
        ("formula", json!({ "expression": "1 + cf.nothing" }), "At 5: There is no field cf.nothing."),
        ("formula", json!({ "expression": "'a' & " }), "At 7"),
    ] {
        let said = owner.cannot_follow("custom.bookings", kind, settings.clone()).await;
        assert!(said.contains(why), "{settings}: {said}");
    }
    let needed = owner.patch(&field("custom.bookings", "each"), json!({ "required": true })).await;
    assert!(needed.status == 400 && needed.text().contains("nobody fills it in"), "{}", needed.text());
    let asked = json!({ "entity": "custom.bookings", "name": "odd", "label": "Odd", "type": "text", "visible_when": asks("cf.due", "before", "2026-01-01") });
    let answer = owner.post("/fields", asked).await;
    assert!(answer.text().contains("cannot ask for a computed one"), "{}", answer.text());
}

#[tokio::test]
async fn a_computed_field_tells_nothing_that_is_hidden() {
    let house = house().await;
    let owner = house.owner().await;
    owner.venues_and_bookings("keep").await;
    owner.follows("custom.bookings", "seats", "lookup", json!({ "path": "cf.venue.cf.seats" })).await;
    owner.follows("custom.bookings", "twice", "formula", json!({ "expression": "cf.seats * 2" })).await;
    let price = json!({ "of": "custom.bookings", "field": "cf.price", "function": "max" });
    owner.follows("custom.venues", "dearest", "rollup", price).await;
    let many = json!({ "of": "custom.bookings", "filter": asks("cf.price", "gt", 1) });
    owner.follows("custom.venues", "many", "count", many).await;
    let hall = owner.made(VENUES, json!({ "name": "Hall", "cf.seats": 7654321 })).await;
    let ann = owner.made("/parties/parties", json!({ "name": "Ann" })).await;
    let ball = owner.booking("Ball", &hall, &ann, 987654).await;

    let role = async |name: &str, grants: Value, fields: Value| {
        owner
            .made("/roles", json!({ "name": name, "label": name, "grants": grants, "fields": fields }))
            .await;
        house.colleague(&owner, &[name]).await
    };
    let all = json!({ "custom.venues": { "read": "all" }, "custom.bookings": { "read": "all" } });
    let blind = role(
        "blind",
        all.clone(),
        json!({ "custom.venues": { "cf.seats": "none" }, "custom.bookings": { "cf.price": "none" } }),
    )
    .await;
    let far = role("far", json!({ "custom.bookings": { "read": "all" } }), json!({})).await;
    let own = role(
        "mine",
        json!({ "custom.venues": { "read": "own" }, "custom.bookings": { "read": "all" } }),
        json!({}),
    )
    .await;

    for (person, sees) in [(&blind, vec![BOOKINGS, VENUES]), (&far, vec![BOOKINGS])] {
        for at in sees {
            let entity = at.trim_start_matches('/').replace('/', ".");
            let mut told = String::new();
            for path in [
                at.to_owned(),
                format!("{at}/{}", id(if at == VENUES { &hall } else { &ball })),
                format!("{at}/_export?format=csv"),
                format!("/meta/entities/{entity}"),
                "/openapi.json".into(),
            ] {
                told += &person.get(&path).await.text();
            }
            for secret in
                ["7654321", "15308642", "987654.00", "cf.seats", "cf.twice", "cf.dearest", "cf.many"]
            {
                // Who may see the price may see the price.
                let may = secret == "987654.00" && person.id == far.id;
                assert!(may || !told.contains(secret), "{at}: {secret}");
            }
        }
        for at in ["?sort=cf.twice", "?fields=cf.seats", "?cf.twice=15308642"] {
            assert_eq!(person.get(&format!("{BOOKINGS}{at}")).await.status, 403, "{at}");
        }
        let by = json!({ "group_by": ["cf.seats"], "metrics": [{ "function": "count" }] });
        assert_eq!(person.post(&format!("{BOOKINGS}/_aggregate"), by).await.status, 403);
    }
    // A row that somebody may not see is empty for him, not a mistake.
    let read = own.told(&format!("{BOOKINGS}/{}", id(&ball))).await;
    assert_eq!((&read["cf.seats"], &read["cf.twice"]), (&Value::Null, &Value::Null), "{read}");
    assert!(read["cf.price"] == "987654.00");
    assert_eq!(own.named(BOOKINGS, &asks("cf.seats", "gt", 1)).await, [""; 0]);

    // Nobody points at what he may not see.
    let writer =
        json!({ "custom.bookings": { "read": "all", "create": "all" }, "custom.venues": { "read": "own" } });
    let writer = role("writer", writer, json!({})).await;
    let answer = writer.post(BOOKINGS, json!({ "name": "x", "cf.venue": hall["id"] })).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("There is no such record"));
}
