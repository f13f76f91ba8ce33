//! Parties, as the people who work with them see them.

use serde_json::{Value, json};
use testkit::{Person, scene};

#[tokio::test]
async fn an_identification_number_must_fit_its_check_digit() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    for line in include_str!("testdata/iin_bin_examples.csv").lines().skip(1) {
        let mut cells = line.split(',');
        let (number, expected) = (cells.next().unwrap(), cells.next().unwrap());
        let made = sally.create("parties.parties", json!({ "name": number, "bin": number })).await;
        match expected.trim_start_matches('"') {
            "valid" | "digit valid" => assert_eq!(made.ok()["bin"], number),
            _ => made.refused("This is not a BIN"),
        }
    }
}

#[tokio::test]
async fn an_iin_has_a_day_of_birth_and_belongs_to_a_person() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let person = |iin: &str| json!({ "name": "Aigul", "kind": "individual", "iin": iin });
    sally.create("parties.parties", person("900101300126")).await.ok();
    sally.create("parties.parties", person("050229500314")).await.refused("This is not an IIN");
    sally
        .create("parties.parties", json!({ "name": "TOO", "iin": "900101300126" }))
        .await
        .refused("Only a person has an IIN");
}

#[tokio::test]
async fn every_party_has_a_number_and_a_code_of_its_own() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let gus = s.person("Globex", "salesperson").await;
    let first = sally.create("parties.parties", json!({ "name": "A", "code": "ALFKI" })).await.ok();
    assert_eq!((&first["number"], &first["payment_terms"]), (&json!("P-00001"), &json!("NET_30")));
    sally
        .create("parties.parties", json!({ "name": "B", "code": "ALFKI" }))
        .await
        .refused("Another party has this code.");
    sally.delete("parties.parties", &first).await.ok();
    let second =
        sally.create("parties.parties", json!({ "name": "B", "code": "ALFKI" })).await.ok();
    assert_eq!(second["number"], "P-00002", "a number is not given twice");
    sally.restore("parties.parties", &first).await.refused("Another party has this code.");
    assert_eq!(
        gus.create("parties.parties", json!({ "name": "C", "code": "ALFKI" })).await.ok()["number"],
        "P-00001"
    );
}

#[tokio::test]
async fn a_new_primary_contact_takes_the_place_of_the_old() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let contacts = json!([{ "first_name": "Ann", "is_primary": true }, { "last_name": "Bond", "is_primary": true }]);
    let party =
        sally.create("parties.parties", json!({ "name": "A", "contacts": contacts })).await.ok();
    assert_eq!(flags(&party["contacts"], "is_primary"), [("Ann", false), ("Bond", true)]);
    sally
        .create("parties.parties", json!({ "name": "B", "contacts": [{ "title": "Nobody" }] }))
        .await
        .refused("A contact needs a first or a last name");
}

#[tokio::test]
async fn duplicates_are_found_by_what_they_share() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let gus = s.person("Globex", "salesperson").await;
    let kept = json!({ "name": "Kazakhtelecom JSC", "bin": "941240000193", "email": "Info@KT.kz", "phone": "8 (701) 123-45-67" });
    sally.create("parties.parties", kept).await.ok();
    sally.create("parties.parties", json!({ "name": "Bolashak" })).await.ok();
    let ask = async |who: &Person, body: Value| {
        who.call("parties", "find_duplicates", body).await.ok()["duplicates"].clone()
    };
    for (body, reason) in [
        (json!({ "bin": "941240000193" }), "bin"),
        (json!({ "email": "info@kt.kz" }), "email"),
        (json!({ "phone": "+7 701 1234567" }), "phone"),
        (json!({ "name": "JSC Kazakhtelecom" }), "name"),
    ] {
        let found = ask(&sally, body).await;
        assert_eq!(
            (found[0]["name"].as_str(), &found[0]["reasons"]),
            (Some("Kazakhtelecom JSC"), &json!([reason]))
        );
        assert_eq!(found.as_array().unwrap().len(), 1);
    }
    assert_eq!(ask(&sally, json!({ "name": "Something else" })).await, json!([]));
    assert_eq!(
        ask(&gus, json!({ "bin": "941240000193" })).await,
        json!([]),
        "not of another company"
    );
}

#[tokio::test]
async fn merging_keeps_everything_and_leaves_a_trace() {
    let s = scene(crate::ALL).await;
    let mona = s.person("Acme", "manager").await;
    let kept = mona.create("parties.parties", json!({ "name": "Acme Ltd", "tags": ["a"], "contacts": [{ "first_name": "Ann", "is_primary": true }] })).await.ok();
    let double = json!({ "name": "ACME", "email": "x@acme.test", "tags": ["b"], "is_supplier": true, "credit_limit": "500",
        "contacts": [{ "first_name": "Bob", "is_primary": true }], "addresses": [{ "city": "Rome", "is_default": true }] });
    let double = mona.create("parties.parties", double).await.ok();
    let order = mona
        .create(
            "sales.orders",
            json!({ "customer_id": double["id"], "lines": [{ "name": "x", "price": "10" }] }),
        )
        .await
        .ok();
    mona.act("sales.orders", &order, "confirm").await.ok();
    let product = mona
        .create("products.products", json!({ "name": "p", "supplier_id": double["id"] }))
        .await
        .ok();

    let merged = mona
        .act_with("parties.parties", &kept, "merge", json!({ "other": double["id"] }))
        .await
        .ok();
    assert_eq!(
        (&merged["name"], &merged["email"], &merged["tags"]),
        (&json!("Acme Ltd"), &json!("x@acme.test"), &json!(["a", "b"]))
    );
    assert_eq!(flags(&merged["contacts"], "is_primary"), [("Ann", true), ("Bob", false)]);
    assert_eq!(merged["addresses"][0]["city"], "Rome");
    assert_eq!(
        mona.read("sales.orders", &order).await.ok()["customer_id"],
        kept["id"],
        "closed documents follow"
    );
    assert_eq!(mona.read("products.products", &product).await.ok()["supplier_id"], kept["id"]);

    mona.restore("parties.parties", &double).await.refused("This duplicate was merged");
    mona.act_with("parties.parties", &kept, "merge", json!({ "other": kept["id"] }))
        .await
        .refused("cannot be merged into itself");
    let stranger = s
        .person("Globex", "manager")
        .await
        .create("parties.parties", json!({ "name": "G" }))
        .await
        .ok();
    mona.act_with("parties.parties", &kept, "merge", json!({ "other": stranger["id"] }))
        .await
        .refused("There is no such record");
}

#[tokio::test]
async fn two_with_different_numbers_are_not_one() {
    let s = scene(crate::ALL).await;
    let mona = s.person("Acme", "manager").await;
    let one =
        mona.create("parties.parties", json!({ "name": "A", "bin": "941240000193" })).await.ok();
    let other =
        mona.create("parties.parties", json!({ "name": "A", "bin": "010940000162" })).await.ok();
    mona.act_with("parties.parties", &one, "merge", json!({ "other": other["id"] }))
        .await
        .refused("different identification numbers");
}

#[tokio::test]
async fn a_salesperson_changes_only_their_own() {
    let s = scene(crate::ALL).await;
    let (sally, sam) =
        (s.person("Acme", "salesperson").await, s.person("Acme", "salesperson").await);
    let party = sally.create("parties.parties", json!({ "name": "A" })).await.ok();
    assert_eq!(sam.read("parties.parties", &party).await.ok()["name"], "A");
    assert!(sam.update("parties.parties", &party, json!({ "name": "B" })).await.result().is_err());
    sally.update("parties.parties", &party, json!({ "name": "B" })).await.ok();
    s.person("Acme", "employee")
        .await
        .create("parties.parties", json!({ "name": "C" }))
        .await
        .forbidden();
}

/// Name and flag of each, in the order of their names.
fn flags<'a>(list: &'a Value, flag: &str) -> Vec<(&'a str, bool)> {
    let mut all: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|x| (x["name"].as_str().unwrap(), x[flag] == true))
        .collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn parties_are_found_by_where_they_are() {
    let s = scene(crate::ALL).await;
    let ann = s.person("Acme", "manager").await;
    for (name, lat, lon) in [("Almaty", "43.238", "76.945"), ("Astana", "51.169", "71.449")] {
        let address = json!([{ "kind": "office", "city": name, "latitude": lat, "longitude": lon }]);
        ann.create("parties.parties", json!({ "name": name, "addresses": address })).await.ok();
    }
    let near = json!({ "field": "addresses.latitude", "quantifier": "any", "operator": "within_km", "value": { "lat": 43.3, "lon": 77, "km": 50 } });
    let found = ann.list("parties.parties", &[("filter", &near.to_string())]).await.ok();
    let found: Vec<&Value> = found["data"].as_array().unwrap().iter().map(|r| &r["name"]).collect();
    assert_eq!(found, ["Almaty"]);
}

#[tokio::test]
async fn a_contract_is_signed_runs_and_ends() {
    let s = scene(crate::ALL).await;
    let boss = s.person("Acme", "manager").await;
    let party = boss.create("parties.parties", json!({ "name": "Rope & Co", "is_customer": true })).await.ok();
    let day = |days: i64| jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(days)).to_string();
    let contract = async |body: Value| {
        let mut whole = json!({ "party_id": party["id"], "title": "Ropes", "starts_on": day(-400), "ends_on": day(-1) });
        body.as_object().unwrap().iter().for_each(|(k, v)| whole[k] = v.clone());
        let made = boss.create("parties.contracts", whole).await.ok();
        boss.act("parties.contracts", &made, "sign").await.ok();
        boss.read("parties.contracts", &made).await.ok()
    };
    let over = contract(json!({})).await;
    assert_eq!(over["signed_on"], day(0));
    let goes_on = contract(json!({ "auto_renew": true, "renewal_months": 1, "ends_on": day(-70) })).await;
    let ends_soon = contract(json!({ "ends_on": day(20) })).await;
    let later = contract(json!({ "starts_on": day(3), "ends_on": day(500) })).await;
    boss.act("parties.contracts", &later, "activate").await.refused("This contract starts on");

    let day_of = async || {
        s.admin().execute("select app.daily($1)", &[&boss.actor.organization]).await.unwrap();
    };
    day_of().await;
    let state = async |c: &Value| boss.read("parties.contracts", c).await.ok()["status"].as_str().unwrap().to_owned();
    assert_eq!(state(&over).await, "expired");
    assert_eq!(state(&later).await, "signed");
    assert_eq!(state(&ends_soon).await, "expiring");
    let renewed = boss.read("parties.contracts", &goes_on).await.ok();
    assert!(renewed["ends_on"].as_str().unwrap() >= day(0).as_str(), "{renewed}");
    let told = "select title from social.notifications where organization_id = $1 and user_id = $2 and record_id = $3";
    let told_of = async |c: &Value| s.strings(told, &[&boss.actor.organization, &boss.actor.user, &testkit::id(c)]).await;
    assert_eq!(told_of(&ends_soon).await, [format!("The contract {} ends on {}", ends_soon["number"].as_str().unwrap(), day(20))]);
    day_of().await;
    assert_eq!(told_of(&ends_soon).await.len(), 1, "told once");

    let ends_soon = boss.read("parties.contracts", &ends_soon).await.ok();
    boss.act("parties.contracts", &ends_soon, "renew").await.ok();
    let renewed = boss.read("parties.contracts", &ends_soon).await.ok();
    assert_eq!((&renewed["status"], renewed["ends_on"].as_str() > Some(&day(350))), (&json!("active"), true));
    boss.update("parties.contracts", &renewed, json!({ "value": "5", "currency": "EUR" })).await.refused("no longer open");
    boss.act("parties.contracts", &renewed, "terminate").await.ok();
    assert_eq!(boss.read("parties.contracts", &renewed).await.ok()["terminated_on"], day(0));
    let history = s.strings("select actor_id::text from app.audit where organization_id = $1 and record_id = $2 and action = 'update' order by at desc limit 1",
        &[&boss.actor.organization, &testkit::id(&over)]).await;
    assert_eq!(history, ["00000000-0000-0000-0000-000000000000"], "nobody did it");
    s.person("Acme", "employee").await.list("parties.contracts", &[]).await.forbidden();
}
