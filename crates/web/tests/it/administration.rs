//! What administrators see of the company's work, and who runs the server of the server.

use crate::scene::house;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn administrators_see_and_stop_the_work_of_their_company_only() {
    let house = house().await;
    let (owner, stranger) = (house.owner().await, house.owner().await);
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let made = |kind: &'static str| {
        let (house, sally) = (&house, &sally);
        async move {
            let actor = house.auth().actor_of(sally.organization, sally.id, Uuid::now_v7()).await.unwrap();
            kernel::within!(house.scene.store, &actor, tx => flow::jobs::enqueue(&tx, kind, json!({ "entity": "sales.orders" }), None).await)
                .unwrap()
        }
    };
    let (dead, waiting) = (made("test.dead").await, made("test.waiting").await);
    house.behind(&format!("update app.jobs set status = 'failed', attempts = 5, error = 'it broke', finished_at = now() where id = '{dead}'")).await;

    let failed = owner.get("/jobs?whose=company&state=failed").await.json();
    assert_eq!(failed["data"].as_array().unwrap().len(), 1, "{failed}");
    let told = &failed["data"][0];
    assert_eq!(
        (&told["id"], &told["error"], &told["attempts"]),
        (&json!(dead), &json!("it broke"), &json!(5))
    );
    assert!(told["by"].is_string(), "who asked: {told}");
    assert_eq!(failed["counts"], json!({ "failed": 1, "queued": 1 }));
    let older = owner.get(&format!("/jobs?whose=company&before={waiting}")).await.json();
    assert_eq!(older["data"].as_array().unwrap().len(), 1);
    assert_eq!(owner.get("/jobs?whose=company&state=lost").await.status, 400);
    assert_eq!(owner.get("/jobs").await.json()["data"], json!([]), "one's own are still one's own");

    assert_eq!(sally.get("/jobs?whose=company").await.status, 403);
    assert_eq!(stranger.get("/jobs?whose=company").await.json()["data"], json!([]));
    for (id, what) in [(waiting, "cancel"), (dead, "retry")] {
        let at = format!("/jobs/{id}/{what}");
        assert_eq!(stranger.post(&at, json!({})).await.status, 404);
        assert_eq!(owner.post(&at, json!({})).await.status, 204);
    }
    let counts = owner.get("/jobs?whose=company").await.json()["counts"].clone();
    assert_eq!(counts, json!({ "cancelled": 1, "queued": 1 }));
}

#[tokio::test]
async fn what_comes_back_is_told_to_administrators_and_the_programs_to_who_runs_it() {
    let house = house().await;
    let (owner, stranger) = (house.owner().await, house.owner().await);
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let schedule = |kind| flow::schedules::Schedule {
        kind,
        key: "",
        cron: "0 9 * * *",
        zone: "Asia/Almaty",
        payload: json!({}),
    };
    let actor = house.auth().actor_of(owner.organization, owner.id, Uuid::now_v7()).await.unwrap();
    kernel::within!(house.scene.store, &actor, tx => flow::schedules::set(&tx, &schedule("test.morning")).await).unwrap();
    kernel::system!(house.scene.store, tx => flow::schedules::set_platform(&tx, &schedule("test.house")).await).unwrap();
    let kinds = |answer: Value| -> Vec<String> {
        answer["data"].as_array().unwrap().iter().map(|s| s["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(owner.get("/schedules").await.json()), ["test.morning"]);
    assert_eq!(kinds(stranger.get("/schedules").await.json()), Vec::<String>::new());
    assert_eq!(sally.get("/schedules").await.status, 403);
    house.behind(&format!("update iam.users set is_operator = true where id = '{}'", owner.id)).await;
    house.auth().forget_user(owner.id);
    assert!(kinds(owner.get("/schedules").await.json()).contains(&"test.house".to_owned()));
}

#[tokio::test]
async fn how_the_server_does_is_for_who_runs_it() {
    let house = house().await;
    let operator = house.owner().await;
    for at in ["/system", "/system/logs"] {
        assert_eq!(operator.get(at).await.status, 404, "{at}");
    }
    assert_eq!(operator.get("/me").await.json()["user"]["is_operator"], Value::Null);
    house.behind(&format!("update iam.users set is_operator = true where id = '{}'", operator.id)).await;
    house.auth().forget_user(operator.id);
    assert_eq!(operator.get("/me").await.json()["user"]["is_operator"], true);
    let told = operator.get("/system").await.json();
    assert!(told["database"]["size"].as_i64().unwrap() > 1_000_000, "{told}");
    assert!(told["disk"]["free"].as_u64().unwrap() > 0 && told["companies"].as_i64().unwrap() >= 1, "{told}");

    let id = Uuid::now_v7();
    house.behind(&format!("insert into app.system_logs (id, fingerprint, level, message, count) values ('{id}', '{id}', 'ERROR', 'it broke {id}', 3)")).await;
    let open = async |all: &str| {
        let logs = operator.get(&format!("/system/logs{all}")).await.json();
        logs["data"].as_array().unwrap().iter().any(|l| l["id"] == json!(id) && l["count"] == 3)
    };
    assert!(open("").await);
    assert_eq!(operator.post(&format!("/system/logs/{id}/resolve"), json!({})).await.status, 204);
    assert!(!open("").await && open("?resolved=true").await);
    assert_eq!(
        operator.post(&format!("/system/logs/{}/resolve", Uuid::now_v7()), json!({})).await.status,
        404
    );

    let key = operator.post("/auth/tokens", json!({ "name": "key", "scopes": ["*:read"] })).await.json();
    let key = operator.with_token(key["token"].as_str().unwrap());
    assert_eq!(key.get("/system").await.status, 404, "a key runs nothing");
}

#[tokio::test]
async fn all_files_of_the_company_are_listed_by_size_with_what_room_is_left() {
    let house = house().await;
    let (owner, stranger) = (house.owner().await, house.owner().await);
    let sally = house.colleague(&owner, &["salesperson"]).await;
    for (person, name, size) in [(&owner, "small.csv", 10), (&sally, "large.csv", 1000)] {
        let bytes = "x".repeat(size).into_bytes();
        assert_eq!(person.raw("POST", "/files", bytes, &[("x-file-name", name)]).await.status, 201);
    }
    let names = |answer: &Value| -> Vec<String> {
        answer["data"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = owner.get("/files?whose=company").await.json();
    assert_eq!(names(&all), ["large.csv", "small.csv"]);
    assert_eq!((&all["used"], &all["total"]), (&json!(1010), &json!(2)));
    assert!(all["quota"].as_i64().unwrap() > 1010 && all["data"][0]["by"].is_string(), "{all}");
    assert_eq!(names(&owner.get("/files?whose=company&sort=size&offset=1").await.json()), ["large.csv"]);
    assert_eq!(owner.get("/files?whose=company&sort=sha256").await.status, 400);
    assert_eq!(sally.get("/files?whose=company").await.status, 403);
    assert_eq!(names(&stranger.get("/files?whose=company").await.json()), Vec::<String>::new());
    let large = format!("/files/{}", all["data"][0]["id"].as_str().unwrap());
    assert_eq!(stranger.delete(&large).await.status, 404);
    assert_eq!(owner.delete(&large).await.status, 204);
    assert_eq!(names(&owner.get("/files?whose=company").await.json()), ["small.csv"]);
}

#[tokio::test]
async fn the_audit_goes_out_as_it_is_filtered_and_is_no_formula() {
    let house = house().await;
    let owner = house.owner().await;
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let party = owner.post("/parties/parties", json!({ "name": "=cmd()" })).await.json();
    let record = party["id"].as_str().unwrap();
    let csv = owner.get(&format!("/audit/export?entity=parties.parties&record={record}")).await;
    assert_eq!(csv.status, 200, "{}", csv.text());
    assert!(csv.header("content-type").starts_with("text/csv"));
    let lines: Vec<String> = csv.text().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "at,who,action,entity,record,field,before,after");
    assert!(lines[1..].iter().all(|l| l.contains(record)), "{lines:?}");
    assert!(lines.iter().any(|l| l.ends_with(",name,,'=cmd()")), "{lines:?}");
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (old, soon) =
        (today.saturating_sub(jiff::Span::new().days(9)), today.saturating_add(jiff::Span::new().days(2)));
    let count = async |asked: String| {
        let found = owner.get(&format!("/audit?record={record}&{asked}")).await.json();
        found["data"].as_array().unwrap().len()
    };
    assert!(count(format!("from={old}&to={soon}")).await > 0);
    assert_eq!(count(format!("to={old}")).await + count(format!("from={soon}")).await, 0);
    assert_eq!(owner.get("/audit?from=yesterday").await.status, 400);
    assert_eq!(sally.get("/audit/export").await.status, 403);
}

#[tokio::test]
async fn documents_are_numbered_as_the_company_says_from_then_on() {
    let house = house().await;
    let (owner, stranger) = (house.owner().await, house.owner().await);
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let customer = owner.post("/parties/parties", json!({ "name": "Wile" })).await.json()["id"].clone();
    let ordered = async || {
        let order = owner.post("/sales/orders", json!({ "customer_id": customer })).await.json();
        order["number"].as_str().unwrap().to_owned()
    };
    let series = async |person: &crate::scene::Person| {
        let all = person.get("/numbers").await.json();
        all["data"].as_array().unwrap().iter().find(|s| s["series"] == "SO").unwrap().clone()
    };
    assert_eq!(ordered().await, "SO-00001");
    let so = series(&owner).await;
    assert_eq!(
        (&so["next"], &so["entity"], &so["is_set"]),
        (&json!("SO-00002"), &json!("sales.orders"), &json!(false))
    );
    let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let set = owner.send("PUT", "/numbers/SO", Some(json!({ "pattern": "ORD/{yyyy}/000" })), &[]).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let next = set.json()["next"].as_str().unwrap().to_owned();
    assert_eq!(next, format!("ORD/{year}/001"));
    assert_eq!(ordered().await, next, "what is promised is given");
    assert_eq!(series(&stranger).await["next"], "SO-00001", "another company numbers as it did");
    assert_eq!(
        owner.send("PUT", "/numbers/P", Some(json!({ "pattern": "ORD/{yyyy}/0000" })), &[]).await.status,
        422,
        "two alike"
    );
    assert_eq!(owner.send("PUT", "/numbers/SO", Some(json!({ "pattern": "ORD" })), &[]).await.status, 422);
    assert_eq!(owner.send("PUT", "/numbers/XX", Some(json!({ "pattern": "X-0" })), &[]).await.status, 404);
    assert_eq!(sally.get("/numbers").await.status, 403);
    assert_eq!(sally.send("PUT", "/numbers/SO", Some(json!({ "pattern": null })), &[]).await.status, 403);
    let audit = owner.get("/audit?entity=tenancy.settings").await.json();
    assert_eq!(audit["data"][0]["changes"]["value"][1], "ORD/{yyyy}/000", "{audit}");
    assert_eq!(
        owner.send("PUT", "/numbers/SO", Some(json!({ "pattern": null })), &[]).await.json()["next"],
        "SO-00002"
    );
    assert_eq!(ordered().await, "SO-00002");
}

/// The pages of others are shown inside ours only where an administrator of the company that one is in allowed it.
#[tokio::test]
async fn pages_of_others_are_framed_where_an_administrator_allowed_it() {
    let house = house().await;
    let (owner, other) = (house.owner().await, house.owner().await);
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let policy = async |of: &crate::scene::Person, path: &str| {
        let cookie = format!("__Host-fondaco_session={}", of.token);
        let app = tower::ServiceExt::oneshot(
            house.app.clone(),
            axum::http::Request::get(path).header("cookie", cookie).body(axum::body::Body::empty()).unwrap(),
        );
        let answer = app.await.unwrap();
        answer.headers()["content-security-policy"].to_str().unwrap().to_owned()
    };
    let set = async |by: &crate::scene::Person, value: &str| {
        let at = "/settings/pages.frames";
        by.send("PUT", at, Some(json!({ "scope": "organization", "value": value })), &[]).await
    };
    assert!(!policy(&owner, "/").await.contains("frame-src"), "nobody's, until it is said");
    assert_eq!(set(&sally, "evil.test").await.status, 403);
    for bad in
        ["*", "data:", "a.test; script-src *", "http://a.test", "a.test 'unsafe-inline'", "a.test\r\nx: y"]
    {
        assert_eq!(set(&owner, bad).await.status, 400, "{bad}");
    }
    assert_eq!(set(&owner, "maps.example.com, *.example.org").await.status, 200);
    let allowed = policy(&sally, "/o/parties-parties").await;
    assert!(allowed.ends_with("; frame-src https://maps.example.com https://*.example.org"), "{allowed}");
    assert!(allowed.contains("default-src 'self'") && allowed.contains("frame-ancestors 'none'"));
    // Not to another company, nor to whoever only has a link.
    assert!(!policy(&other, "/").await.contains("frame-src"));
    assert!(!policy(&house.stranger(), "/").await.contains("frame-src"));
    assert!(!policy(&owner, "/s/fds_x").await.contains("frame-src"));
}

/// Fields of one's own stand on paper as people read them.
#[tokio::test]
async fn own_fields_are_printed_in_words() {
    let house = house().await;
    let owner = house.owner().await;
    let kinds = [
        "rating",
        "duration",
        "location",
        "user",
        "country",
        "richtext",
        "signature",
        "recurrence",
        "datetime",
        "file",
        "money",
    ];
    for kind in kinds {
        let body = json!({ "entity": "parties.parties", "name": kind, "label": format!("Own {kind}"), "type": kind });
        assert_eq!(owner.post("/fields", body).await.status, 201, "{kind}");
    }
    let sent = owner.raw("POST", "/files", b"x".to_vec(), &[("x-file-name", "plan.pdf")]).await.json();
    let body = json!({ "name": "Paper", "kind": "company", "is_customer": true, "currency": "KZT", "cf.money": "1200", "cf.rating": 4, "cf.duration": "1:30",
        "cf.location": "43.25, 76.95, Almaty", "cf.user": owner.id, "cf.country": "KZ", "cf.richtext": "# Terms\n**Pay** at once\n\n- one",
        "cf.signature": { "path": "M10 20L30 40Q50 60 70 80" }, "cf.recurrence": "FREQ=WEEKLY;BYDAY=MO", "cf.datetime": "2026-01-01T23:30:00Z", "cf.file": [sent["id"]] });
    let made = owner.post("/parties/parties", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = testkit::id(&made.json());
    let entity = house.scene.store.catalog().entity("parties.parties").unwrap();
    let actor = house.auth().session(&owner.token, Uuid::now_v7()).await.unwrap().actor.unwrap();
    let paper = records::print(&house.scene.store, &actor, entity, id, "ru").await.unwrap();
    let fact = |label: &str| {
        let facts = paper["facts"].as_array().unwrap().iter().chain(paper["blocks"].as_array().unwrap());
        let found = facts.clone().find(|f| f["label"] == label).unwrap_or_else(|| panic!("{label}: {paper}"));
        found["value"].as_str().or(found["text"].as_str()).unwrap().replace('\u{a0}', " ")
    };
    let said: Vec<String> = [
        "rating",
        "duration",
        "location",
        "user",
        "country",
        "richtext",
        "recurrence",
        "datetime",
        "file",
        "money",
    ]
    .map(|k| fact(&format!("Own {k}")))
    .into();
    assert_eq!(
        said,
        [
            "4 / 5",
            "1 ч 30 мин",
            "Almaty (43.25, 76.95)",
            "owner",
            "Казахстан",
            "Terms\nPay at once\n\n• one",
            "Каждую неделю: понедельник",
            "02.01.2026, 00:30",
            "plan.pdf",
            "1 200,00 KZT"
        ]
    );
    let signed = &paper["signatures"][0];
    assert!(
        signed["path"] == "M10 20L30 40Q50 60 70 80"
            && signed["label"].as_str().unwrap().starts_with("Own signature · owner · "),
        "{signed}"
    );
    let pdf = owner.get(&format!("/parties/parties/{id}/_print")).await;
    assert!(pdf.status == 200 && pdf.bytes.starts_with(b"%PDF"));
}

/// A field that is there only for some records is empty on all others; one that some records need is asked for.
#[tokio::test]
async fn fields_come_and_go_with_what_a_record_says() {
    let house = house().await;
    let owner = house.owner().await;
    let add = async |name: &str, more: Value| {
        let mut body = json!({ "entity": "parties.parties", "name": name, "label": name, "type": "text" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        owner.post("/fields", body).await
    };
    let asks = |field: &str, operator: &str, value: &str| json!({ "operator": "AND", "rules": [{ "field": field, "operator": operator, "value": value }] });
    assert_eq!(add("grade", json!({})).await.status, 201);
    let grade = owner.get("/fields?entity=parties.parties").await.json()["data"][0]["id"].clone();
    let guarded = json!({ "visible_when": asks("cf.grade", "equals", "gold"), "required": true });
    assert_eq!(add("card", guarded).await.status, 201);
    assert_eq!(add("gate", json!({ "visible_when": asks("cf.card", "starts_with", "V") })).await.status, 201);
    let needed = json!({ "required_when": asks("kind", "equals", "individual") });
    assert_eq!(add("born", needed).await.status, 201);

    let own = |record: &Value| ["grade", "card", "gate"].map(|name| record[format!("cf.{name}")].clone());
    let wants = |problem: &Value| -> Vec<String> {
        let errors = problem["errors"].as_array().unwrap().iter();
        errors
            .filter(|e| e["message"] == "This is required.")
            .map(|e| e["field"].as_str().unwrap().into())
            .collect()
    };
    // What a condition cannot be.
    let refused = async |name: &str, more: Value| {
        let problem = add(name, more).await;
        assert_eq!(problem.status, 400, "{}", problem.text());
        problem.text()
    };
    assert!(
        refused("a", json!({ "visible_when": asks("cf.none", "equals", "x") }))
            .await
            .contains("There is no field")
    );
    assert!(
        refused("a", json!({ "visible_when": asks("created_by_user.name", "equals", "x") }))
            .await
            .contains("the record itself")
    );
    assert!(
        refused("a", json!({ "required_when": asks("credit_limit", "contains", "x") }))
            .await
            .contains("required_when")
    );
    assert!(
        refused("a", json!({ "visible_when": asks("cf.a", "is_empty", "") })).await.contains("visible_when")
    );
    let circle = json!({ "visible_when": asks("cf.gate", "equals", "x") });
    let circle = owner.patch(&format!("/fields/{}", grade.as_str().unwrap()), circle).await;
    assert!(circle.status == 400 && circle.text().contains("depend on itself"), "{}", circle.text());
    let held = owner.delete(&format!("/fields/{}", grade.as_str().unwrap())).await;
    assert!(held.status == 422 && held.text().contains("card"), "{} {}", held.status, held.text());
    let meta = owner.get("/meta/entities/parties.parties").await.json();
    let card = meta["fields"].as_array().unwrap().iter().find(|f| f["name"] == "cf.card").unwrap().clone();
    assert_eq!(card["visible_when"]["rules"][0]["value"], "gold");

    let wrong = owner
        .post("/parties/parties", json!({ "name": "A", "kind": "individual", "cf.grade": "gold" }))
        .await;
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    assert_eq!(wants(&wrong.json()), ["cf.born", "cf.card"], "{}", wrong.text());
    let made = owner
        .post(
            "/parties/parties",
            json!({ "name": "A", "kind": "company", "cf.card": "V-1", "cf.gate": "north" }),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(
        own(&made.json()),
        [Value::Null, Value::Null, Value::Null],
        "neither the card nor what rests on it"
    );
    let gold =
        json!({ "name": "B", "kind": "company", "cf.grade": "gold", "cf.card": "V-2", "cf.gate": "south" });
    let made = owner.post("/parties/parties", gold).await;
    assert_eq!(own(&made.json()), ["gold", "V-2", "south"], "{}", made.text());
    let at = format!("/parties/parties/{}", testkit::id(&made.json()));
    let empty = owner.patch(&at, json!({ "cf.card": null })).await;
    assert!(empty.status == 400 && wants(&empty.json()) == ["cf.card"], "{}", empty.text());
    let person = owner.patch(&at, json!({ "kind": "individual" })).await;
    assert!(person.status == 400 && wants(&person.json()) == ["cf.born"], "{}", person.text());
    let plain = owner.patch(&at, json!({ "cf.grade": "silver" })).await;
    assert_eq!(own(&plain.json()), [json!("silver"), Value::Null, Value::Null], "{}", plain.text());

    // One that was there before the rule is not held up by what nobody touched.
    let id = |field: &Value| field["id"].as_str().unwrap().to_owned();
    let born = owner.get("/fields?entity=parties.parties").await.json()["data"].as_array().unwrap().clone();
    let born = id(born.iter().find(|f| f["name"] == "born").unwrap());
    let always = owner
        .patch(&format!("/fields/{born}"), json!({ "required_when": asks("kind", "equals", "company") }))
        .await;
    assert_eq!(always.status, 200, "{}", always.text());
    assert_eq!(owner.patch(&at, json!({ "name": "C" })).await.status, 200);
    let cleared = owner.patch(&format!("/fields/{born}"), json!({ "required_when": null })).await;
    assert_eq!(cleared.json()["required_when"], Value::Null, "{}", cleared.text());
    assert_eq!(owner.post("/parties/parties", json!({ "name": "G", "kind": "company" })).await.status, 201);

    // Of lines each is told for itself.
    let lot = json!({ "entity": "sales.order_lines", "name": "lot", "label": "Lot", "type": "text", "required_when": asks("name", "starts_with", "B") });
    assert_eq!(owner.post("/fields", lot).await.status, 201);
    let customer =
        owner.post("/parties/parties", json!({ "name": "H", "is_customer": true })).await.json()["id"]
            .clone();
    let order = |lines: Value| json!({ "customer_id": customer, "lines": lines });
    let lines = json!([{ "name": "Axe", "price": "1" }, { "name": "Bow", "price": "1" }, { "name": "Bag", "price": "1", "cf.lot": "7" }]);
    let wrong = owner.post("/sales/orders", order(lines)).await;
    assert_eq!(wants(&wrong.json()), ["lines.1.cf.lot"], "{}", wrong.text());
    let lines = json!([{ "name": "Axe", "price": "1" }, { "name": "Bag", "price": "1", "cf.lot": "7" }]);
    assert_eq!(owner.post("/sales/orders", order(lines)).await.status, 201);
}
