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
