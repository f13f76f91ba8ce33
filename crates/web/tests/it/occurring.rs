//! What comes back is told for the days that are asked about; files are fields of a record.

use crate::{
    scene::{Answer, Person, house},
    tenancy::encoded,
};
use serde_json::{Value, json};

async fn field(owner: &Person, name: &str, kind: &str) {
    let body = json!({ "entity": "parties.parties", "name": name, "label": name, "type": kind });
    assert_eq!(owner.post("/fields", body).await.status, 201, "{kind}");
}

async fn party(by: &Person, name: &str, more: Value) -> Answer {
    let mut body = json!({ "name": name, "kind": "company", "is_customer": true });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    by.post("/parties/parties", body).await
}

async fn asked(by: &Person, occurs: Value) -> Answer {
    let occurs = encoded(&occurs.to_string());
    by.get(&format!("/parties/parties?fields=name&sort=name&occurs={occurs}")).await
}

#[tokio::test]
async fn what_comes_back_is_told_over_a_change_of_the_clock() {
    // The company is in Berlin, where the clock went back on 25 October 2026.
    let house = house().await;
    let owner = house.owner().await;
    for (name, kind) in [
        ("starts", "datetime"),
        ("ends", "datetime"),
        ("again", "recurrence"),
        ("day", "date"),
        ("yearly", "recurrence"),
    ] {
        field(&owner, name, kind).await;
    }
    let standing = json!({ "cf.starts": "2019-07-01T07:00:00Z", "cf.ends": "2019-07-01T08:30:00Z",
        "cf.again": "FREQ=WEEKLY;BYDAY=MO\nEXDATE:20261102" });
    assert_eq!(party(&owner, "Standing", standing).await.status, 201);
    let once =
        json!({ "cf.starts": "2026-10-22T10:00:00Z", "cf.day": "2020-03-08", "cf.yearly": "FREQ=YEARLY" });
    assert_eq!(party(&owner, "Once", once).await.status, 201);
    assert_eq!(
        party(
            &owner,
            "Over",
            json!({ "cf.starts": "2019-07-01T07:00:00Z", "cf.again": "FREQ=DAILY;COUNT=3" })
        )
        .await
        .status,
        201
    );

    let range = |from: &str, to: &str| json!({ "start": "cf.starts", "end": "cf.ends", "recurrence": "cf.again", "from": from, "to": to });
    let found = asked(&owner, range("2026-10-19", "2026-11-10")).await.json();
    let told: Vec<(&str, Vec<&str>)> = found["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            let at =
                r["_occurrences"].as_array().unwrap().iter().map(|o| o["start"].as_str().unwrap()).collect();
            (r["name"].as_str().unwrap(), at)
        })
        .collect();
    // Nine by the clock, on both sides; the second of November is skipped, what is over does not come.
    assert_eq!(
        told,
        [
            ("Once", vec!["2026-10-22T10:00:00Z"]),
            ("Standing", vec!["2026-10-19T07:00:00Z", "2026-10-26T08:00:00Z", "2026-11-09T08:00:00Z"]),
        ]
    );
    assert_eq!(found["data"][1]["_occurrences"][1]["end"], "2026-10-26T09:30:00Z");
    let days =
        json!({ "start": "cf.day", "recurrence": "cf.yearly", "from": "2026-03-01", "to": "2026-04-01" });
    let found = asked(&owner, days).await.json();
    assert_eq!(found["data"][0]["_occurrences"], json!([{ "start": "2026-03-08", "end": null }]));

    for wrong in [
        json!({ "start": "cf.starts", "from": "2026-01-01", "to": "2099-01-01" }),
        json!({ "start": "cf.starts", "from": "2026-02-01", "to": "2026-01-01" }),
        json!({ "start": "name", "from": "2026-01-01", "to": "2026-02-01" }),
        json!({ "start": "cf.starts", "recurrence": "name", "from": "2026-01-01", "to": "2026-02-01" }),
        json!({ "start": "cf.starts; drop", "from": "2026-01-01", "to": "2026-02-01" }),
        json!([1]),
    ] {
        assert_eq!(asked(&owner, wrong.clone()).await.status, 400, "{wrong}");
    }
    // What somebody may not see says nothing of when either.
    let hidden = json!({ "name": "hidden", "template": "salesperson", "fields": { "parties.parties": { "cf.again": "none" } } });
    assert_eq!(owner.post("/roles", hidden).await.status, 201);
    let sally = house.colleague(&owner, &["hidden"]).await;
    assert_eq!(asked(&sally, range("2026-10-19", "2026-11-10")).await.status, 403);
}

#[tokio::test]
async fn a_daily_rule_of_many_records_is_cut_and_says_so() {
    let house = house().await;
    let owner = house.owner().await;
    field(&owner, "day", "date").await;
    field(&owner, "again", "recurrence").await;
    for n in 0..8 {
        let made =
            party(&owner, &format!("Daily {n}"), json!({ "cf.day": "1999-01-01", "cf.again": "FREQ=DAILY" }))
                .await;
        assert_eq!(made.status, 201);
    }
    let year =
        json!({ "start": "cf.day", "recurrence": "cf.again", "from": "2026-01-01", "to": "2027-01-01" });
    let found = asked(&owner, year).await.json();
    let told: usize =
        found["data"].as_array().unwrap().iter().map(|r| r["_occurrences"].as_array().unwrap().len()).sum();
    assert_eq!((told, &found["cut"]), (2_000, &json!(true)));
}

#[tokio::test]
async fn files_of_a_field_are_those_of_the_record() {
    let house = house().await;
    let owner = house.owner().await;
    let (sally, bob) =
        (house.colleague(&owner, &["salesperson"]).await, house.colleague(&owner, &["guest"]).await);
    field(&owner, "papers", "file").await;
    let sent = async |by: &Person, name: &str| {
        let made = by.raw("POST", "/files", b"content".to_vec(), &[("x-file-name", name)]).await;
        assert_eq!(made.status, 201);
        testkit::id(&made.json())
    };
    let (one, two) = (sent(&owner, "one.pdf").await, sent(&owner, "two.pdf").await);
    let made = party(&owner, "Papers", json!({ "cf.papers": [one, two] })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let names = |r: &Value| {
        r["cf.papers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&made), ["one.pdf", "two.pdf"]);
    let id = testkit::id(&made);
    let listed = owner.get(&format!("/files?entity=parties.parties&record={id}")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2, "they are among the files of the record");
    // As they were read they may be sent back; whoever forges a name is not believed.
    let at = format!("/parties/parties/{id}");
    let forged = owner
        .patch(&at, json!({ "cf.papers": [{ "id": two, "name": "<script>", "type": "text/html" }] }))
        .await;
    assert_eq!(names(&forged.json()), ["two.pdf"]);
    assert_eq!(owner.patch(&at, json!({ "cf.papers": [] })).await.json()["cf.papers"], Value::Null);

    // A file of another record, of another person, of another company, or of nobody.
    let stranger = house.owner().await;
    let (theirs, hers) = (sent(&stranger, "theirs.pdf").await, sent(&sally, "hers.pdf").await);
    let held = party(&owner, "Other", json!({ "cf.papers": one })).await;
    assert_eq!(held.status, 422, "it hangs on the first one: {}", held.text());
    for file in [theirs, hers, uuid::Uuid::now_v7()] {
        let refused = owner.patch(&at, json!({ "cf.papers": [file] })).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(refused.json()["errors"][0]["field"], "cf.papers");
    }
    // The right to a file is that to its record.
    assert_eq!(owner.get(&format!("/files/{one}")).await.status, 200);
    assert_eq!(bob.get(&format!("/files/{one}")).await.status, 404);

    // An import leaves them out, and says so where it is asked for them.
    let csv = b"name,papers\nFrom a file,one.pdf\n".to_vec();
    let file =
        testkit::id(&owner.raw("POST", "/files", csv.clone(), &[("x-file-name", "p.csv")]).await.json());
    let import = owner.post("/parties/parties/_import", json!({ "file": file })).await.json();
    assert_eq!(import["import"]["mapping"]["papers"], Value::Null, "{import}");
}

/// Days of the first through the last one count, of each record in the chain.
#[tokio::test]
async fn of_what_waits_for_each_other_the_longest_chain_is_told() {
    let house = house().await;
    let owner = house.owner().await;
    let customer = party(&owner, "Orbit", json!({})).await.json()["id"].clone();
    let order = async |from: &str, to: Option<&str>, after: Option<&Value>| {
        let lines = json!([{ "name": "x", "price": "1" }]);
        let body = json!({ "customer_id": customer, "ordered_on": from, "required_on": to, "parent_order_id": after.map(|a| &a["id"]), "lines": lines });
        let made = owner.post("/sales/orders", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    };
    let first = order("2026-03-01", Some("2026-03-10"), None).await;
    order("2026-03-11", Some("2026-03-15"), Some(&first)).await;
    let long = order("2026-03-11", Some("2026-03-30"), Some(&first)).await;
    let last = order("2026-04-01", None, Some(&long)).await;
    order("2026-01-01", Some("2026-12-31"), None).await;
    let asked = "/sales/orders/_critical?start=ordered_on&end=required_on&after=parent_order_id";
    let told = owner.get(asked).await.json();
    assert_eq!(told, json!({ "path": [first["id"], long["id"], last["id"]], "days": 31 }));
    // Without an end each takes its one day.
    let told = owner.get("/sales/orders/_critical?start=ordered_on&after=parent_order_id").await.json();
    assert_eq!((told["path"].as_array().unwrap().len(), &told["days"]), (3, &json!(3)));
    // One that waits for what is left out may wait for anything.
    let later = encoded(r#"{"field":"ordered_on","operator":"after","value":"2026-03-05"}"#);
    let open = json!({ "path": null, "days": null });
    assert_eq!(owner.get(&format!("{asked}&filter={later}")).await.json(), open);
    assert_eq!(house.owner().await.get(asked).await.json(), json!({ "path": [], "days": 0 }));
    for wrong in
        ["start=ordered_on", "start=note&after=parent_order_id", "start=ordered_on&after=customer_id"]
    {
        let refused = owner.get(&format!("/sales/orders/_critical?{wrong}")).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text());
    }
    assert_eq!(house.colleague(&owner, &["employee"]).await.get(asked).await.status, 403);
    let at = format!("/sales/orders/{}", first["id"].as_str().unwrap());
    let circle = json!({ "parent_order_id": last["id"] });
    owner.send("PATCH", &at, Some(circle), &[("if-match", &first["version"].to_string())]).await;
    assert_eq!(owner.get(asked).await.json(), open);
}
