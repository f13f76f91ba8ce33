//! Tables that companies make for themselves: like any other, and nobody else's.

use crate::scene::{House, Person, house};
use kernel::Actor;
use records::import;
use serde_json::{Value, json};
use uuid::Uuid;

const VENUES: &str = "/custom/venues";

impl Person {
    async fn table(&self, body: Value) -> Value {
        let made = self.post("/tables", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    }

    /// With a number, a choice and a day.
    async fn venues(&self) -> Value {
        let made = self
            .table(json!({ "name": "venues", "title": "Venues", "singular": "Venue", "icon": "map-pin", "description": "Where we meet." }))
            .await;
        for (name, kind, options) in [
            ("capacity", "number", json!([])),
            (
                "city",
                "select",
                json!([{ "id": "ala", "label": "Almaty" }, { "id": "nqz", "label": "Astana" }]),
            ),
            ("opened", "date", json!([])),
        ] {
            let field = json!({ "entity": "custom.venues", "name": name, "label": name, "type": kind, "options": options });
            let added = self.post("/fields", field).await;
            assert_eq!(added.status, 201, "{}", added.text());
        }
        made
    }

    async fn venue(&self, name: &str, capacity: u32, city: &str) -> Value {
        let body =
            json!({ "name": name, "cf.capacity": capacity, "cf.city": city, "cf.opened": "2026-05-01" });
        let made = self.post(VENUES, body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    }

    async fn names(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("{VENUES}{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let data = answer.json()["data"].as_array().unwrap().clone();
        data.iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl House {
    async fn actor(&self, person: &Person) -> Actor {
        self.auth().session(&person.token, Uuid::now_v7()).await.unwrap().actor.unwrap()
    }

    /// Somebody whose one role gives this.
    async fn with_role(&self, owner: &Person, name: &str, grants: Value) -> Person {
        let made = owner.post("/roles", json!({ "name": name, "label": name, "grants": grants })).await;
        assert_eq!(made.status, 201, "{}", made.text());
        self.colleague(owner, &[name]).await
    }
}

fn flow() -> Value {
    json!({
        "states": [{ "id": "planned", "label": "Planned" }, { "id": "booked", "label": "Booked", "color": "green" }, { "id": "held", "label": "Held" }],
        "moves": [
            { "action": "book", "label": "Book it", "source": "planned", "target": "booked" },
            { "action": "hold", "label": "Hold", "source": "booked", "target": "held" },
        ],
    })
}

#[tokio::test]
async fn a_table_of_ones_own_is_like_any_other() {
    let house = house().await;
    let owner = house.owner().await;
    let table = owner.venues().await;
    assert_eq!((&table["entity"], &table["name"]), (&json!("custom.venues"), &json!("venues")));

    // It is told of where all entities are.
    let meta = owner.get("/meta").await.json();
    let module = meta["modules"][0].clone();
    assert_eq!((&module["name"], &module["entities"]), (&json!("custom"), &json!(["custom.venues"])));
    let detail = owner.get("/meta/entities/custom.venues").await.json();
    assert_eq!(
        (
            &detail["label"],
            &detail["plural"],
            &detail["icon"],
            &detail["description"],
            &detail["title_field"]
        ),
        (&json!("Venue"), &json!("Venues"), &json!("map-pin"), &json!("Where we meet."), &json!("name"))
    );
    assert_eq!(detail["form"], json!([["name"], ["cf.capacity"], ["cf.city"], ["cf.opened"]]));
    assert!(detail["states"].is_null() && !detail["fields"].to_string().contains("\"slot\""), "{detail}");
    let paths = owner.get("/openapi.json").await.json()["paths"].clone();
    assert!(
        paths["/api/v1/custom/venues"]["post"].is_object() || paths["/custom/venues"]["post"].is_object()
    );

    // Written, read, found, counted, changed.
    let (hall, arena) = (owner.venue("Hall", 200, "ala").await, owner.venue("Arena", 9000, "nqz").await);
    owner.venue("Attic", 30, "ala").await;
    assert_eq!(owner.post(VENUES, json!({ "name": " " })).await.status, 422);
    assert_eq!(owner.post(VENUES, json!({ "cf.capacity": 1 })).await.status, 400);
    assert_eq!(owner.post(VENUES, json!({ "name": "x", "slot": 7 })).await.status, 400);
    assert_eq!(owner.post(VENUES, json!({ "name": "x", "entity": "custom.tools" })).await.status, 400);
    let large = r#"{"field":"cf.capacity","operator":"gt","value":100}"#;
    assert_eq!(
        owner.names(&format!("?sort=-cf.capacity&filter={}", encoded(large))).await,
        ["Arena", "Hall"]
    );
    assert_eq!(owner.names("?q=aren").await, ["Arena"]);
    let at = format!("{VENUES}/{}", testkit::id(&hall));
    let changed = owner.patch(&at, json!({ "cf.capacity": 250, "name": "Great hall" })).await.json();
    assert_eq!((&changed["cf.capacity"], &changed["version"]), (&json!("250"), &json!(2)), "{changed}");
    let found = owner.get("/search?q=great").await.json();
    assert_eq!(found["data"][0]["entity"], "custom.venues", "{found}");
    let cities = json!({ "group_by": ["cf.city"], "metrics": [{ "function": "sum", "field": "cf.capacity", "as": "seats" }], "sort": ["-seats"] });
    let counted = owner.post(&format!("{VENUES}/_aggregate"), cities).await.json();
    assert_eq!(counted["data"][0]["seats"], "9000", "{counted}");

    // Its history is its own, and takes a record back.
    let history = owner.get(&format!("{at}/_history")).await.json();
    assert_eq!(history["data"][0]["action"], "update", "{history}");
    assert_eq!(owner.get("/audit?entity=custom.venues").await.json()["data"].as_array().unwrap().len(), 4);
    assert_eq!(owner.delete(&at).await.status, 204);
    assert_eq!(owner.names("?sort=name").await, ["Arena", "Attic"]);
    assert_eq!(owner.names("?deleted=true").await, ["Great hall"]);
    assert_eq!(owner.post(&format!("{at}/restore"), json!({})).await.status, 200);

    // Talked about, filed, looked at, changed together, shared.
    let (entity, record) = ("custom.venues", &hall["id"]);
    let said =
        owner.post("/comments", json!({ "entity": entity, "record": record, "body": "Too dark" })).await;
    assert_eq!(said.status, 201, "{}", said.text());
    let plan = owner
        .raw(
            "POST",
            &format!("/files?entity={entity}&record={}", testkit::id(&hall)),
            b"x".to_vec(),
            &[("x-file-name", "plan.txt")],
        )
        .await;
    assert_eq!(plan.status, 201, "{}", plan.text());
    let here = json!({ "entity": entity, "record": record, "window": Uuid::new_v4() });
    assert_eq!(owner.post("/presence", here).await.status, 200);
    assert_eq!(owner.get(&format!("{VENUES}/_talk")).await.json()["data"][0]["title"], "Great hall");
    let notes = json!({ "entity": entity, "name": "notes", "label": "Notes", "type": "richtext" });
    assert_eq!(owner.post("/fields", notes).await.status, 201);
    let document = format!("/docs/{entity}/{}/cf.notes", testkit::id(&hall));
    assert_eq!(owner.post(&document, json!({ "vector": "AA==" })).await.status, 200);
    let follower = house.colleague(&owner, &["admin"]).await;
    let follow = json!({ "entity": entity, "record": record, "follow": true });
    assert_eq!(follower.post("/followers", follow).await.status, 204);
    let many =
        json!({ "action": "update", "ids": [hall["id"], arena["id"]], "changes": { "cf.city": "ala" } });
    let bulk = owner.post(&format!("{VENUES}/_bulk"), many).await.json();
    assert_eq!(bulk["done"], 2, "{bulk}");
    let view = owner.post("/views", json!({ "entity": entity, "name": "All", "kind": "table", "state": { "columns": ["name", "cf.capacity"] } })).await;
    assert_eq!(view.status, 201, "{}", view.text());
    let link = owner.post("/shares", json!({ "view_id": view.json()["id"] })).await;
    assert_eq!(link.status, 201, "{}", link.text());
    let token = link.json()["token"].as_str().unwrap().to_owned();
    let guest = house.stranger();
    let open = guest.post(&format!("/public/{token}"), json!({})).await.json();
    let key = open["key"].as_str().unwrap().to_owned();
    let shown = guest.send("GET", &format!("/public/{token}/rows"), None, &[("x-share-key", &key)]).await;
    assert!(shown.status == 200 && shown.text().contains("Arena"), "{}", shown.text());
    let csv = owner.get(&format!("{VENUES}/_export?sort=name")).await.text();
    assert!(csv.contains("cf.capacity") && csv.contains("Arena"), "{csv}");
    let paper = owner.get(&format!("{at}/_print")).await;
    assert!(paper.status == 200 && paper.bytes.starts_with(b"%PDF"));

    // A file of them comes in, changes what is there by its id, and goes again.
    let actor = house.actor(&owner).await;
    let venues = actor.catalog.entity(entity).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("venues.csv");
    let id = arena["id"].as_str().unwrap();
    std::fs::write(
        &path,
        format!("id,name,capacity,city\n{id},Old arena,8000,Almaty\n,Barn,70,astana\n,Cellar,many,nqz\n"),
    )
    .unwrap();
    let source = import::Source { path, format: None, name: "venues.csv".into() };
    let mapping = json!({ "id": "id", "name": "name", "capacity": "cf.capacity", "city": "cf.city" });
    let store = &house.scene.store;
    let done =
        import::one_shot(store, &actor, venues, &source, Some(&mapping), Some("id"), import::Mode::Run)
            .await
            .unwrap();
    assert_eq!(
        (&done["created"], &done["updated"], &done["failed"]),
        (&json!(1), &json!(1), &json!(1)),
        "{done}"
    );
    assert_eq!(owner.names("?sort=name").await, ["Attic", "Barn", "Great hall", "Old arena"]);
    let undone = import::undo(store, &actor, testkit::id(&done)).await.unwrap();
    assert_eq!(undone, json!({ "deleted": 1, "restored": 1, "kept": 0 }));
    assert_eq!(owner.names("?sort=name").await, ["Arena", "Attic", "Great hall"]);

    // A choice that a field's condition rests on holds the field; the name of a table stays.
    let tables = owner.get("/tables").await.json();
    let id = testkit::id(&tables["data"][0]);
    assert_eq!(owner.patch(&format!("/tables/{id}"), json!({ "name": "places" })).await.status, 422);
    assert_eq!(
        owner.patch(&format!("/tables/{id}"), json!({ "title": "Places" })).await.json()["title"],
        "Places"
    );
    assert_eq!(owner.get("/meta/entities/custom.venues").await.json()["plural"], "Places");
    let twice = owner.post("/tables", json!({ "name": "venues", "title": "Again" })).await;
    assert!(
        twice.status == 422 && twice.text().contains("There is a table of this name"),
        "{}",
        twice.text()
    );
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

#[tokio::test]
async fn rights_of_one_table_open_no_other_and_no_other_company_sees_it() {
    let house = house().await;
    let (owner, other) = (house.owner().await, house.owner().await);
    owner.venues().await;
    owner.table(json!({ "name": "tools", "title": "Tools" })).await;
    let hall = owner.venue("Hall", 200, "ala").await;
    let hammer = owner.post("/custom/tools", json!({ "name": "Hammer" })).await.json();
    let at = format!("{VENUES}/{}", testkit::id(&hall));

    // Another company: the same name is another table, and what is not there is not there.
    assert_eq!(other.get(VENUES).await.status, 404);
    assert_eq!(other.get("/meta/entities/custom.venues").await.status, 404);
    other.venues().await;
    assert!(other.names("").await.is_empty());
    assert_eq!(other.get(&at).await.status, 404);
    assert_eq!(other.patch(&at, json!({ "name": "Mine" })).await.status, 404);
    assert_eq!(other.get("/search?q=hall").await.json()["data"], json!([]));

    // Not even its owner reaches a record by the name of another table.
    for (method, body) in
        [("GET", None), ("PATCH", Some(json!({ "name": "Saw" }))), ("DELETE", Some(json!({})))]
    {
        let crossed = format!("{VENUES}/{}", testkit::id(&hammer));
        assert_eq!(owner.send(method, &crossed, body, &[]).await.status, 404, "{method}");
    }

    // Colleagues: nothing until a role says so, and then that.
    let mia = house.colleague(&owner, &["salesperson"]).await;
    assert_eq!(mia.get(VENUES).await.status, 403);
    assert_eq!(mia.get("/meta/entities/custom.venues").await.status, 404);
    assert_eq!(mia.get("/tables").await.status, 403);
    assert_eq!(mia.post("/tables", json!({ "name": "mine", "title": "Mine" })).await.status, 403);
    let reader = house.with_role(&owner, "venue_reader", json!({ "custom.venues": { "read": "all" } })).await;
    assert_eq!(reader.names("").await, ["Hall"]);
    assert_eq!(reader.patch(&at, json!({ "name": "Mine" })).await.status, 403);
    assert_eq!(reader.post(VENUES, json!({ "name": "Mine" })).await.status, 403);
    assert_eq!(reader.delete(&at).await.status, 403);
    assert_eq!(reader.get("/custom/tools").await.status, 403);
    assert_eq!(reader.get("/search?q=hammer").await.json()["data"], json!([]));
    let writer = house
        .with_role(
            &owner,
            "own_venues",
            json!({ "custom.venues": { "read": "own", "create": "all", "update": "own" } }),
        )
        .await;
    writer.venue("Barn", 10, "ala").await;
    assert_eq!(writer.names("").await, ["Barn"]);
    assert_eq!(writer.patch(&at, json!({ "name": "Mine" })).await.status, 404);

    // The database keeps to it by itself: four letters a table, by its slot; nothing said is nothing seen.
    let runtime = house.scene.runtime().await;
    let (organization, user) = (owner.organization, owner.id);
    let everything = "a".repeat(2000);
    let as_user = async |tables: Option<&str>, sql: &str| {
        let tables = tables.map(|t| format!("set local app.tables = '{t}';")).unwrap_or_default();
        let begin = format!(
            "begin; set local app.context = '{organization} {user} {} {everything}'; {tables}",
            Uuid::now_v7()
        );
        runtime.batch_execute(&begin).await.unwrap();
        let rows = runtime
            .query(sql, &[])
            .await
            .map(|rows| rows.len())
            .map_err(|e| e.as_db_error().unwrap().message().to_owned());
        runtime.batch_execute("rollback").await.unwrap();
        rows
    };
    let all = "select from builder.custom_records";
    for (tables, seen) in [
        (None, 0),
        (Some(""), 0),
        (Some("aa"), 2),
        (Some("----a"), 1),
        (Some("aaaaaaaa"), 3),
        (Some("-aaa-aaa"), 0),
    ] {
        assert_eq!(as_user(tables, all).await, Ok(seen), "{tables:?}");
    }
    assert_eq!(
        as_user(
            Some("aaaa"),
            "update builder.custom_records set name = name where entity = 'custom.tools' returning 1"
        )
        .await,
        Ok(0)
    );
    assert_eq!(
        as_user(Some("a---aaaa"), "update builder.custom_records set name = name returning 1").await,
        Ok(1)
    );
    assert_eq!(as_user(Some("aaaaaaaa"), "delete from builder.custom_records returning 1").await, Ok(3));
    let insert = |entity: &str, slot: u32| {
        format!(
            "insert into builder.custom_records (entity, slot, name) values ('{entity}', {slot}, 'x') returning 1"
        )
    };
    assert_eq!(
        as_user(Some("aaaa"), &insert("custom.venues", 1)).await,
        Ok(1),
        "the slot is its table's, whatever is said"
    );
    assert!(
        as_user(Some("aaaa"), &insert("custom.tools", 0)).await.unwrap_err().contains("row-level security")
    );
    assert_eq!(
        as_user(Some("aaaa"), &insert("custom.nothing", 0)).await,
        Err("There is no such table.".into())
    );
    let moves = "update builder.custom_records set entity = 'custom.tools' where entity = 'custom.venues' returning 1";
    assert_eq!(as_user(Some("aaaaaaaa"), moves).await, Err("A record stays in its table.".into()));
    assert_eq!(
        as_user(Some("aaaaaaaa"), "update builder.custom_tables set slot = 5 returning 1").await,
        Err("The name of a table stays as it is; change its title.".into())
    );
}

#[tokio::test]
async fn the_flow_of_an_own_table_is_kept_and_asks_for_approval() {
    let house = house().await;
    let owner = house.owner().await;
    let table = format!("/tables/{}", testkit::id(&owner.venues().await));
    let early = owner.venue("Early", 1, "ala").await;
    let flowing = owner.patch(&table, flow()).await;
    assert_eq!(flowing.status, 200, "{}", flowing.text());
    let at = |record: &Value| format!("{VENUES}/{}", testkit::id(record));

    // What was there before starts where the flow does; words are the table's.
    let early = owner.get(&at(&early)).await.json();
    assert_eq!((&early["state"], &early["_actions"][0]), (&json!("planned"), &json!("book")), "{early}");
    let detail = owner.get("/meta/entities/custom.venues").await.json();
    assert_eq!(
        detail["states"]["options"][1],
        json!({ "id": "booked", "label": "Booked", "color": "green" })
    );
    assert_eq!(detail["states"]["moves"][0]["label"], "Book it");

    // Only by its moves, over the API and past it.
    assert_eq!(owner.post(VENUES, json!({ "name": "x", "state": "held" })).await.status, 400);
    assert_eq!(
        owner
            .send("PATCH", &at(&early), Some(json!({ "state": "held" })), &[("if-match", "\"2\"")])
            .await
            .status,
        400
    );
    assert_eq!(owner.post(&format!("{}/hold", at(&early)), json!({})).await.status, 422);
    assert_eq!(owner.post(&format!("{}/burn", at(&early)), json!({})).await.status, 404);
    let booked = owner.post(&format!("{}/book", at(&early)), json!({})).await;
    assert_eq!(booked.json()["state"], "booked", "{}", booked.text());
    let runtime = house.scene.runtime().await;
    let begin = format!(
        "begin; set local app.context = '{} {} {} '; set local app.tables = 'aaaa'",
        owner.organization,
        owner.id,
        Uuid::now_v7()
    );
    for (sql, why) in [
        (
            "update builder.custom_records set state = 'planned'",
            "A record that is Booked cannot become Planned.",
        ),
        ("update builder.custom_records set state = null", "A record that is Booked cannot become ."),
        (
            "insert into builder.custom_records (entity, name, state) values ('custom.venues', 'x', 'held')",
            "A new record starts as Planned.",
        ),
    ] {
        runtime.batch_execute(&begin).await.unwrap();
        let told = runtime.batch_execute(sql).await.unwrap_err();
        assert_eq!(told.as_db_error().unwrap().message(), why);
        runtime.batch_execute("rollback").await.unwrap();
    }

    // A right to a move is the role's to give.
    let booker = house
        .with_role(
            &owner,
            "booker",
            json!({ "custom.venues": { "read": "all", "create": "all", "book": "all" } }),
        )
        .await;
    let barn = booker.venue("Barn", 1, "ala").await;
    assert_eq!(booker.post(&format!("{}/book", at(&barn)), json!({})).await.status, 200);
    assert_eq!(booker.post(&format!("{}/hold", at(&barn)), json!({})).await.status, 403);

    // A rule of approval holds a move up until it is agreed to.
    let rule = json!({ "name": "Large venues", "entity": "custom.venues", "action": "book", "levels": [{ "people": [owner.id] }], "condition": { "field": "cf.capacity", "op": "gt", "value": 100 } });
    let made = owner.post("/approval-rules", rule).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let arena = booker.venue("Arena", 9000, "nqz").await;
    let asked = booker.post(&format!("{}/book", at(&arena)), json!({})).await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    let request = testkit::id(&asked.json()["_made"]["approval"]);
    assert_eq!(owner.get(&at(&arena)).await.json()["state"], "planned");
    let agreed = owner.post(&format!("/approvals/{request}/decide"), json!({ "decision": "approve" })).await;
    assert_eq!(agreed.status, 200, "{}", agreed.text());
    assert_eq!(owner.get(&at(&arena)).await.json()["state"], "booked");

    // What is in use does not go; what is no flow is none.
    let mut less = flow();
    less["states"].as_array_mut().unwrap().remove(1);
    less["moves"] = json!([{ "action": "hold", "label": "Hold", "source": "planned", "target": "held" }]);
    let refused = owner.patch(&table, less.clone()).await;
    assert!(refused.status == 422 && refused.text().contains("records are Booked"), "{}", refused.text());
    let mut other = flow();
    other["moves"][0]["action"] = json!("reserve");
    let refused = owner.patch(&table, other).await;
    assert!(
        refused.status == 422 && refused.text().contains("The approval rule Large venues"),
        "{}",
        refused.text()
    );
    for (wrong, why) in [
        (
            json!({ "moves": [{ "action": "delete", "label": "x", "source": "planned", "target": "held" }] }),
            "cannot be called delete",
        ),
        (
            json!({ "moves": [{ "action": "book", "label": "x", "source": "planned", "target": "gone" }] }),
            "leads from one state",
        ),
        (json!({ "moves": [] }), "States need moves"),
        (json!({ "states": [{ "id": "A b", "label": "x" }] }), "Every state has an id"),
        (json!({ "states": "planned" }), "At most 50 states"),
    ] {
        let answer = owner.patch(&table, wrong.clone()).await;
        assert!(
            matches!(answer.status, 400 | 422) && answer.text().to_lowercase().contains(&why.to_lowercase()),
            "{wrong}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_table_thrown_away_comes_back_with_what_is_in_it_until_it_is_purged() {
    let house = house().await;
    let owner = house.owner().await;
    let table = owner.venues().await;
    let hall = owner.venue("Hall", 200, "ala").await;
    let at = format!("/tables/{}", testkit::id(&table));
    assert_eq!(owner.delete(&at).await.status, 204);
    assert_eq!(owner.get(VENUES).await.status, 404);
    assert_eq!(owner.get(&format!("{VENUES}/{}", testkit::id(&hall))).await.status, 404);
    assert_eq!(owner.get("/tables").await.json()["data"], json!([]));
    assert_eq!(owner.get("/tables?deleted=true").await.json()["data"][0]["name"], "venues");
    assert_eq!(owner.post("/tables", json!({ "name": "venues", "title": "Others" })).await.status, 422);
    assert_eq!(owner.post(&format!("{at}/restore"), json!({})).await.status, 200);
    assert_eq!(owner.names("").await, ["Hall"]);

    // A month later it is gone for good, and neither its name nor its slot is ever another's.
    assert_eq!(owner.delete(&at).await.status, 204);
    let late = "update builder.custom_tables set deleted_at = now() - interval '31 days' where id = $1";
    house.scene.admin().execute(late, &[&testkit::id(&table)]).await.unwrap();
    for _ in 0..2 {
        house.scene.admin().execute("select from builder.purge_tables(5000)", &[]).await.unwrap();
    }
    let left = "select count(*)::text from builder.custom_records where organization_id = $1 union all select count(*)::text from builder.custom_fields where organization_id = $1";
    assert_eq!(house.scene.strings(left, &[&owner.organization]).await, ["0", "0"]);
    assert_eq!(owner.get("/tables?deleted=true").await.json()["data"], json!([]));
    assert_eq!(owner.post(&format!("{at}/restore"), json!({})).await.status, 422);
    assert_eq!(owner.post("/tables", json!({ "name": "venues", "title": "Others" })).await.status, 422);
    let tools = owner.table(json!({ "name": "tools", "title": "Tools" })).await;
    assert_eq!(tools["slot"], 1);
}

/// A large table is read by several workers at once, which may catch no errors.
#[tokio::test]
async fn days_and_instants_are_read_by_several_workers() {
    let house = house().await;
    let owner = house.owner().await;
    owner.venues().await;
    owner.venue("Hall", 200, "ala").await;
    let runtime = house.scene.runtime().await;
    let begin = format!(
        "begin; set local app.context = '{} {} {} '; set local app.tables = 'aaaa'; set local parallel_setup_cost = 0;
         set local parallel_tuple_cost = 0; set local min_parallel_table_scan_size = 0; set local enable_indexscan = off; set local enable_bitmapscan = off",
        owner.organization,
        owner.id,
        Uuid::now_v7()
    );
    runtime.batch_execute(&begin).await.unwrap();
    let sql = "select max(app.j_date(custom, 'opened'))::text, count(app.j_instant(custom, 'opened')) from builder.custom_records";
    let plan = runtime.query(&format!("explain {sql}"), &[]).await.unwrap();
    assert!(plan.iter().any(|row| row.get::<_, &str>(0).contains("Gather")), "{plan:?}");
    let row = runtime.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("2026-05-01", 0_i64));
}
