//! I: whatever comes in, the answer is an answer. That nothing is a 5xx, [`Person::raw`] holds for every request.

use crate::{
    scene::{Answer, Person, house, path},
    tenancy::encoded,
};
use kernel::{Entity, Kind};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use uuid::Uuid;

const OPS: [&str; 24] = [
    "eq",
    "neq",
    "gt",
    "lte",
    "between",
    "in",
    "not_in",
    "contains",
    "starts_with",
    "matches",
    "equals_ci",
    "is_empty",
    "is_true",
    "before",
    "on_or_after",
    "within_last",
    "is_today",
    "this_year",
    "has_any",
    "length_gt",
    "is_current_user",
    "role_is",
    "matches_fts",
    "drop table",
];

const NASTY: [&str; 22] = [
    "",
    "'",
    "\"",
    "\\",
    "%",
    "_",
    ";--",
    "' or 1=1--",
    "$1",
    "${7*7}",
    "{{7*7}}",
    "\u{0}",
    "\u{202e}",
    "🦀",
    "NaN",
    "Infinity",
    "1e131071",
    "-0",
    "0000-00-00",
    "5874897-12-31",
    "(((((",
    "a & | ! ( <->",
];

fn value(random: &mut StdRng, depth: usize) -> Value {
    match random.random_range(0..10) {
        0 => Value::Null,
        1 => json!(random.random::<bool>()),
        2 => json!(random.random::<i64>()),
        3 => json!("99999999999999999999999999999.999999999"),
        4 => json!("2026-02-30"),
        5 => json!({ "unit": "day", "amount": random.random_range(-9..9_999_999_i64), "anchor": "today" }),
        6 if depth < 3 => {
            Value::Array((0..random.random_range(0..4)).map(|_| value(random, depth + 1)).collect())
        }
        7 => json!(Uuid::new_v4()),
        _ => json!(NASTY.choose(random).unwrap()),
    }
}

fn field(random: &mut StdRng, entity: &Entity) -> String {
    let columns: Vec<&str> = entity.columns.iter().map(|c| c.name.as_str()).collect();
    match random.random_range(0..12) {
        0 => NASTY.choose(random).unwrap().to_string(),
        1 => format!("{}.name", columns.choose(random).unwrap().trim_end_matches("_id")),
        2 => format!("cf.{}", NASTY.choose(random).unwrap()),
        3 => "created_by_member.manager.manager.manager.name".into(),
        _ => (*columns.choose(random).unwrap()).to_owned(),
    }
}

fn condition(random: &mut StdRng, entity: &Entity, depth: usize) -> Value {
    if depth < 4 && random.random_range(0..4) == 0 {
        let all = (0..random.random_range(0..4)).map(|_| condition(random, entity, depth + 1)).collect();
        return json!({ *["and", "or", "not", "rules"].choose(random).unwrap(): Value::Array(all) });
    }
    let mut rule = json!({ "field": field(random, entity), "op": OPS.choose(random).unwrap(), "value": value(random, 0) });
    match random.random_range(0..8) {
        0 => {
            rule["value_type"] =
                json!(["literal", "field", "variable", "relative", "expr", "x"].choose(random).unwrap())
        }
        1 => rule["quantifier"] = json!(["any", "all", "none", "x"].choose(random).unwrap()),
        2 => {
            rule.as_object_mut().unwrap().remove(*["field", "op", "value"].choose(random).unwrap());
        }
        _ => {}
    }
    rule
}

/// A right one, with something wrong in its text.
fn broken(random: &mut StdRng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..letters.len());
        match random.random_range(0..3) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, *['{', '"', '\\', '\'', '%', '9', '[', ','].choose(random).unwrap()),
            _ => letters.swap(at, 0),
        }
        if letters.is_empty() {
            break;
        }
    }
    letters.into_iter().collect()
}

/// I01: ten thousand filters, right, wrong and mad.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i01_no_filter_breaks_anything() {
    let house = std::sync::Arc::new(house().await);
    let owner = house.owner().await;
    house.furnished(&owner, "x").await;
    let mut all = tokio::task::JoinSet::new();
    for worker in 0..4_u64 {
        let (house, owner) = (house.clone(), owner.clone());
        all.spawn(async move {
            let entities = house.entities();
            let mut random = StdRng::seed_from_u64(20_260 + worker);
            let mut good = 0;
            for _ in 0..2_500 {
                let entity = entities.choose(&mut random).unwrap();
                let mut filter = condition(&mut random, entity, 0).to_string();
                if random.random_range(0..5) == 0 {
                    filter = broken(&mut random, &filter);
                }
                let answer =
                    owner.get(&format!("{}?limit=3&filter={}", path(entity), encoded(&filter))).await;
                assert!(
                    matches!(answer.status, 200 | 400),
                    "{} {filter}: {} {}",
                    entity.name,
                    answer.status,
                    answer.text()
                );
                good += usize::from(answer.status == 200);
            }
            good
        });
    }
    let good: usize = all.join_all().await.into_iter().sum();
    assert!(good > 400, "only {good} of them meant something");
}

#[tokio::test]
async fn i02_names_come_out_of_the_catalog() {
    let house = house().await;
    let owner = house.owner().await;
    let names = [
        "name;drop table parties.parties",
        "\"name\"",
        "name)",
        "1",
        "cf.a'b",
        "pg_authid",
        "__proto__",
        "r.name",
        "*",
        "name::text",
        "(select 1)",
        "organization_id",
        "search",
        "custom",
    ];
    for name in names {
        let name = encoded(name);
        for query in ["sort=", "sort=-", "fields=", "expand="] {
            let answer = owner.get(&format!("/parties/parties?{query}{name}")).await;
            assert_eq!(answer.status, 400, "{query}{name}: {}", answer.text());
        }
        assert_eq!(owner.get(&format!("/parties/parties?{name}=1")).await.status, 400, "{name}");
    }
    for name in names {
        for body in [
            json!({ "group_by": [name] }),
            json!({ "group_by": [format!("created_at:{name}")] }),
            json!({ "metrics": [{ "function": name, "field": "name" }] }),
            json!({ "metrics": [{ "function": "max", "field": name }] }),
            json!({ "sort": [name] }),
        ] {
            let answer = owner.post("/parties/parties/_aggregate", body.clone()).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        }
    }
    let named = owner
        .post(
            "/parties/parties/_aggregate",
            json!({ "metrics": [{ "function": "count", "as": "x\"; drop" }] }),
        )
        .await;
    assert_eq!(named.status, 400);
    for path in [
        "/pg_catalog/pg_authid",
        "/app/audit",
        "/iam/users",
        "/iam/sessions",
        "/social/notifications",
        "/parties/parties%22",
        "/parties/PARTIES",
        "/parties/../iam/users",
    ] {
        assert_eq!(owner.get(path).await.status, 404, "{path}");
    }
    for (name, kind) in [
        ("select", "text"),
        ("a b", "text"),
        ("Ä", "text"),
        ("__proto__", "text"),
        ("x", "sql"),
        ("a'b", "text"),
        ("x\u{0}", "text"),
    ] {
        let answer =
            owner.post("/fields", json!({ "entity": "parties.parties", "name": name, "type": kind })).await;
        assert!(
            answer.status == 201 && name == "select" || matches!(answer.status, 400 | 422),
            "{name}: {}",
            answer.text()
        );
    }
    assert_eq!(owner.get("/parties/parties?cf.select=x&sort=cf.select").await.status, 200);
}

/// A value that no column of the kind takes.
fn wrong_for(kind: Kind) -> Vec<Value> {
    match kind {
        Kind::Date => {
            ["infinity", "now", "tomorrow", "5874897-12-31", "0000-00-00", "2026-02-30", "1899-12-31"]
                .map(|v| json!(v))
                .to_vec()
        }
        Kind::Datetime => {
            ["infinity", "now", "5874897-12-31T00:00:00Z", "2026-03-29T25:00:00Z", "2026-06-15"]
                .map(|v| json!(v))
                .to_vec()
        }
        Kind::Money | Kind::Quantity | Kind::Percent | Kind::Number => {
            ["NaN", "Infinity", "-Infinity", "1e30", "1e3", "1,5", "0x10", "1.1234567", "123456789012345"]
                .map(|v| json!(v))
                .into_iter()
                .chain([json!(true), json!([1])])
                .collect()
        }
        Kind::Integer => {
            vec![json!("1.5"), json!("99999999999999999999"), json!(1.5), json!("NaN"), json!({})]
        }
        Kind::Boolean => vec![json!("yes"), json!(1), json!([])],
        Kind::Select => vec![json!("none of them"), json!(["x"]), json!({})],
        Kind::Tags | Kind::Multiselect => vec![json!("x"), json!([1, { "a": 1 }]), json!(["a\u{0}"])],
        Kind::Relation | Kind::User | Kind::Uuid => vec![json!("x"), json!(7), json!("' or 1=1")],
        Kind::Email => vec![json!("no address"), json!("a@b\r\nBcc: c@d"), json!("a@b.test\u{0}")],
        Kind::Url => [
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "\u{1}javascript:alert(1)",
            " https://x",
            "//evil.test",
        ]
        .map(|v| json!(v))
        .to_vec(),
        Kind::Json => vec![json!({ "a": "\u{0}" }), (0..40).fold(json!(1), |v, _| json!([v]))],
        Kind::Rating => vec![json!(11), json!(-1), json!(1.5), json!("many")],
        Kind::Duration => vec![json!("soon"), json!("1:75"), json!(-5), json!(true), json!("1e9h")],
        Kind::Color => vec![json!("red"), json!("#12345"), json!("url(javascript:alert(1))"), json!(7)],
        Kind::Location => vec![json!("91, 0"), json!({ "lat": 1 }), json!([1, 2]), json!("NaN, 0")],
        Kind::Country => vec![json!("ZZ"), json!("Kazakhstan"), json!(7)],
        Kind::Timezone => vec![json!("Mars/Base"), json!("../../etc/passwd"), json!([])],
        Kind::Recurrence => {
            vec![json!("FREQ=SECONDLY"), json!("every day"), json!("FREQ=DAILY;COUNT=1000000000"), json!([])]
        }
        Kind::File => vec![json!("x"), json!([7]), json!([{ "name": "no id" }])],
        Kind::Barcode => vec![json!("1\n2"), json!("a\u{0}b"), json!({})],
        Kind::Signature => {
            vec![json!("x"), json!({}), json!({ "path": "M0 0\" onload=\"alert(1)" }), json!({ "text": 1 })]
        }
        Kind::Text | Kind::Textarea | Kind::Phone | Kind::Richtext => {
            vec![json!("a\u{0}b"), json!(["x"]), json!({}), json!("x".repeat(200_001))]
        }
        Kind::Time => vec![json!("25:00"), json!("noon"), json!(7), json!("9:5")],
        Kind::Daterange => vec![json!("2026-11-05/2026-11-01"), json!({ "from": "2026-11-01" }), json!([])],
        Kind::Users => vec![json!("x"), json!(["x"]), json!([7])],
        Kind::Address => vec![json!({ "planet": "Mars" }), json!({ "country": "ZZ" }), json!([])],
        Kind::Autonumber | Kind::Button => vec![json!(1), json!("x")],
        Kind::Hidden => Vec::new(),
    }
}

/// I04, I07, I12, I13: a bad value is refused on every path in the same words, and at its field.
#[tokio::test]
async fn i04_what_is_wrong_is_wrong_on_every_path() {
    let house = house().await;
    let owner = house.owner().await;
    let things = house.furnished(&owner, "x").await;
    let mut tried = 0;
    for entity in house.entities().into_iter().filter(|e| e.is_editable()) {
        let id = things.one(&entity.name).unwrap();
        let at = format!("{}/{id}", path(entity));
        let before = owner.get(&at).await;
        for column in entity.columns.iter().filter(|c| c.writable() && entity.fk.as_ref() != Some(&c.name)) {
            for (n, bad) in wrong_for(column.kind).into_iter().enumerate() {
                let body = json!({ column.name.as_str(): bad });
                let mut answers = Vec::new();
                if entity.part_of.is_none() && !entity.is_kept() {
                    answers.push(owner.post(&path(entity), body.clone()).await);
                }
                answers.push(
                    owner
                        .send("PATCH", &at, Some(body.clone()), &[("if-match", before.header("etag"))])
                        .await,
                );
                for (m, answer) in answers.iter().rev().enumerate() {
                    let faults = answer.json()["errors"].clone();
                    // A new record may lack something else as well, and hear of that first.
                    let named = m > 0
                        || faults.as_array().unwrap().iter().any(|f| f["field"] == column.name.as_str());
                    assert!(
                        matches!(answer.status, 400 | 422) && named,
                        "{at} {:.80}: {}",
                        body.to_string(),
                        answer.text()
                    );
                }
                tried += 1;
                if n == 0 && entity.part_of.is_none() {
                    let bulk = json!({ "ids": [id], "changes": body });
                    let answer = owner.post(&format!("{}/_bulk", path(entity)), bulk).await;
                    assert_eq!(answer.json()["done"], 0, "{at} {body}");
                }
            }
        }
        assert_eq!(owner.get(&at).await.bytes, before.bytes, "{at}");
    }
    assert!(tried > 300, "{tried}");
}

async fn raw(person: &Person, body: impl Into<Vec<u8>>) -> Answer {
    person.raw("POST", "/parties/parties", body.into(), &[("content-type", "application/json")]).await
}

#[tokio::test]
async fn i10_json_is_plain_json() {
    let house = house().await;
    let owner = house.owner().await;
    let utf16: Vec<u8> = "{\"name\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bad: Vec<Vec<u8>> = vec![
        format!("{}{}", "[".repeat(129), "]".repeat(129)).into(),
        r#"{"name":"a","name":"b"}"#.into(),
        r#"{"name":"a","contacts":[{"last_name":"a","last_name":"b"}]}"#.into(),
        r#"{"name":"a","employee_count":1e131071}"#.into(),
        r#"{"name":"a","employee_count":-0}"#.into(),
        r#"{"name":"a","credit_limit":NaN}"#.into(),
        r#"{"name":"a"} trailing"#.into(),
        r#"{"name":"a"}{}"#.into(),
        "\u{feff}{\"name\":\"a\"}".into(),
        utf16,
        b"{\"name\":\"\xff\"}".to_vec(),
        b"{\"name\":\"\xc0\xaf\"}".to_vec(),
        br#"{"name":"\ud800"}"#.to_vec(),
        br#"{"name":"a\u0000b"}"#.to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"x\"".to_vec(),
    ];
    for body in bad {
        let answer = raw(&owner, body.clone()).await;
        assert_eq!(answer.status, 400, "{}: {}", String::from_utf8_lossy(&body), answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    // Exactly what was sent, to the last digit.
    let made = raw(&owner, r#"{"name":"a","credit_limit":12345678901234.123456}"#).await;
    assert_eq!(made.json()["credit_limit"], "12345678901234.123456", "{}", made.text());
    let view = r#"{"entity":"parties.parties","name":"v","state":{"big":9007199254740993}}"#;
    let made = owner.raw("POST", "/views", view.into(), &[("content-type", "application/json")]).await;
    assert!(made.text().contains("9007199254740993"), "{}", made.text());
    // What is small on the way in is small on the way out.
    let bomb = format!(
        r#"{{"entity":"parties.parties","name":"v","state":{{"a":[{}]}}}}"#,
        vec!["1e131071"; 100].join(",")
    );
    assert_eq!(
        owner.raw("POST", "/views", bomb.into(), &[("content-type", "application/json")]).await.status,
        400
    );
    assert_eq!(
        owner
            .get(&format!(
                "/parties/parties?filter={}",
                encoded(r#"{"field":"credit_limit","op":"eq","value":1e131071}"#)
            ))
            .await
            .status,
        400
    );
    assert_eq!(
        owner
            .get(&format!(
                "/parties/parties?filter={}",
                encoded(r#"{"field":"name","field":"code","op":"eq","value":"x"}"#)
            ))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn i11_addresses_are_text() {
    let house = house().await;
    let owner = house.owner().await;
    for bad in [
        "q=%ff",
        "q=%c0%af",
        "name=%ed%a0%80",
        "filter=%ff",
        "name=%00",
        "q=%00",
        "%ff=1",
        "sort=%00",
        "cursor=%00",
    ] {
        let answer = owner.get(&format!("/parties/parties?{bad}")).await;
        assert_eq!(answer.status, 400, "{bad}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json", "{bad}");
    }
    for bad in [
        "/search?q=%00",
        "/views?entity=%00",
        "/fields?entity=%00",
        "/audit?entity=%00",
        "/files?entity=%00&record=x",
        "/parties/parties/%ff",
        "/%ff/x",
    ] {
        let answer = owner.get(bad).await;
        assert!(matches!(answer.status, 400 | 404), "{bad}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json", "{bad}");
    }
    for bad in [
        "/parties/parties/not-an-id",
        "/jobs/x",
        "/files/x",
        "/imports/x",
        "/imports/x/errors.csv",
        "/views/%20",
    ] {
        let method = if bad.starts_with("/views") { "DELETE" } else { "GET" };
        let answer = owner.send(method, bad, None, &[]).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, "application/problem+json"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn i14_a_line_break_stays_where_it_is() {
    let house = house().await;
    let owner = house.owner().await;
    let file = owner
        .raw("POST", "/files", b"x".to_vec(), &[("x-file-name", "a%0d%0aSet-Cookie:%20x=1%0d%0a.txt")])
        .await
        .json();
    let got = owner.get(&format!("/files/{}", testkit::id(&file))).await;
    assert!(
        got.header("set-cookie").is_empty() && got.header("content-disposition").contains("attachment")
            || got.header("content-disposition").contains("inline")
    );
    assert!(!got.header("content-disposition").contains(['\r', '\n']));
    let before: i64 =
        house.scene.admin().query_one("select count(*) from app.mails", &[]).await.unwrap().get(0);
    for email in [
        "a@acme.test\r\nBcc: b@acme.test",
        "a@acme.test,b@acme.test",
        "a@acme.test\nx",
        "\"a\r\n\"@acme.test",
    ] {
        assert_eq!(
            owner.post("/members/invite", json!({ "email": email, "roles": ["guest"] })).await.status / 100,
            4,
            "{email:?}"
        );
        assert_eq!(owner.post("/auth/forgot", json!({ "email": email })).await.status / 100, 4, "{email:?}");
    }
    let after: i64 = house
        .scene
        .admin()
        .query_one(
            "select count(*) from app.mails where recipient like '%acme.test%,%' or recipient like E'%\\n%'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!(after == 0 && before >= 0);
}

#[tokio::test]
async fn i16_wild_cards_are_letters() {
    let house = house().await;
    let owner = house.owner().await;
    for name in ["100% cotton", "a_b", "back\\slash", "plain"] {
        assert_eq!(owner.post("/parties/parties", json!({ "name": name })).await.status, 201);
    }
    for (q, found) in [("%", 1), ("_", 1), ("\\", 1), ("%%%", 0), ("plai", 1), ("100%", 1)] {
        let list = owner.get(&format!("/parties/parties?q={}", encoded(q))).await.json();
        assert_eq!(list["data"].as_array().unwrap().len(), found, "{q}: {list}");
        let filter = json!({ "field": "name", "op": "contains", "value": q }).to_string();
        let list = owner.get(&format!("/parties/parties?filter={}", encoded(&filter))).await.json();
        assert_eq!(list["data"].as_array().unwrap().len(), found, "{q} as a filter");
    }
    let many = "%_".repeat(5_000);
    for path in [
        format!("/parties/parties?q={}", encoded(&many)),
        format!("/search?q={}", encoded(&many)),
        "/parties/parties?q=%22%28%21%26".into(),
    ] {
        assert_eq!(owner.get(&path).await.status, 200);
    }
}

#[tokio::test]
async fn i17_what_is_ambiguous_is_refused() {
    let house = house().await;
    let owner = house.owner().await;
    for query in [
        "limit=1&limit=2",
        "q=a&q=b",
        "name=a&name=b",
        "limit=0x1",
        "limit=-1",
        "limit=501",
        "offset=100001",
        "count=yes",
        "nonsense=1",
        "expand=created_by_member.manager.manager.manager",
    ] {
        assert_eq!(owner.get(&format!("/parties/parties?{query}")).await.status, 400, "{query}");
    }
    let rules: Vec<Value> = (0..201).map(|_| json!({ "field": "name", "op": "eq", "value": "x" })).collect();
    let answer = owner.post("/parties/parties/_aggregate", json!({ "filter": { "and": rules } })).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        owner
            .post(
                "/parties/parties/_aggregate",
                json!({ "metrics": vec![json!({ "function": "count" }); 11] })
            )
            .await
            .status,
        400
    );
    for method in ["PUT", "TRACE", "CONNECT", "X"] {
        assert!(
            matches!(owner.send(method, "/parties/parties", None, &[]).await.status, 404 | 405),
            "{method}"
        );
    }
}

/// I19: on every answer, whatever it is.
#[tokio::test]
async fn i19_every_answer_carries_its_guards() {
    let house = house().await;
    let owner = house.owner().await;
    let paths = [
        "//",
        "//healthz",
        "//metrics",
        "//assets/none.js",
        "//login",
        "/me",
        "/parties/parties",
        "/nothing",
        "/parties/parties/x",
        "//api/v1",
        "//api/v2/x",
        "/parties/parties?limit=x",
    ];
    for who in [&owner, &house.stranger()] {
        for path in paths {
            for method in ["GET", "POST", "OPTIONS"] {
                let answer = who.send(method, path, None, &[]).await;
                for (name, says) in [
                    ("content-security-policy", "frame-ancestors 'none'"),
                    ("content-security-policy", "default-src 'self'"),
                    ("x-content-type-options", "nosniff"),
                    ("referrer-policy", "same-origin"),
                    ("cross-origin-opener-policy", "same-origin"),
                    ("strict-transport-security", "max-age="),
                    ("x-request-id", "-"),
                ] {
                    assert!(
                        answer.header(name).contains(says),
                        "{method} {path} {name}: {}",
                        answer.header(name)
                    );
                }
                assert!(
                    !answer.header("content-security-policy").contains("script-src")
                        || !answer.header("content-security-policy").contains("unsafe-eval")
                );
                assert!(answer.header("server").is_empty() && answer.header("x-powered-by").is_empty());
            }
        }
    }
}

/// I20: an error tells what is wrong and nothing of how the house is built, or of other rows.
#[tokio::test]
async fn i20_errors_give_nothing_away() {
    let house = house().await;
    let owner = house.owner().await;
    let made = |name: &str, code: &str| json!({ "name": name, "code": code });
    owner.post("/parties/parties", made("Secret Party", "C-1")).await;
    let answers = [
        owner.post("/parties/parties", made("Other", "C-1")).await,
        owner.post("/sales/orders", json!({ "customer_id": Uuid::now_v7() })).await,
        owner.post("/products/categories", json!({ "name": " " })).await,
        owner.get("/parties/parties?cursor=5b22782225d").await,
        owner.get("/parties/parties?cursor=5b22782d31225d").await,
        owner.get("/parties/parties?created_at=x").await,
        owner.post("/finance/_call/invoice_aging", json!({ "as_of": "x" })).await,
        owner.post("/nothing/_call/none", json!({})).await,
        owner.send("PATCH", "/parties/parties/x", Some(json!({})), &[("if-match", "x")]).await,
    ];
    for answer in answers {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text());
        let text = answer.text();
        for word in [
            "Secret Party",
            "SQL",
            "sqlstate",
            "_fkey",
            "_pkey",
            "parties.parties_",
            "postgres",
            "/crates/",
            "select ",
            "constraint",
            "panicked",
        ] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert_eq!(answer.json()["request_id"].as_str(), Some(answer.header("x-request-id")));
    }
}

#[tokio::test]
async fn i21_what_is_too_large_is_not_read() {
    let house = house().await;
    let owner = house.owner().await;
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(8 << 20)).into_bytes();
    for path in
        ["/parties/parties", "/parties/parties/_bulk", "/views", "/auth/login", "/parties/parties/_import"]
    {
        let answer = owner.raw("POST", path, large.clone(), &[("content-type", "application/json")]).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (413, "application/problem+json"),
            "{path}: {}",
            answer.text()
        );
    }
    // More ids than one request holds.
    let many: Vec<String> = (0..100_001).map(|_| Uuid::nil().to_string()).collect();
    let bulk = owner.post("/parties/parties/_bulk", json!({ "action": "delete", "ids": many })).await;
    assert_eq!(bulk.status, 413);
}

/// I08: a cell that a spreadsheet would run is text, and comes back as what it was.
#[tokio::test]
async fn i08_no_cell_is_a_formula() {
    let house = house().await;
    let owner = house.owner().await;
    let names = ["=1+1", "+1", "-1", "@sum(a)", "\tx", "'quoted"];
    for name in names {
        let made = owner.post("/products/categories", json!({ "name": name })).await;
        assert_eq!(made.status, 201, "{name}: {}", made.text());
    }
    let csv = owner.get("/products/categories/_export?format=csv&fields=name").await;
    assert!(csv.header("content-disposition").starts_with("attachment"));
    let text = csv.text();
    let cells = text.lines().skip(1).flat_map(|line| line.split(',')).map(|cell| cell.trim_matches('"'));
    assert!(cells.clone().all(|cell| !cell.starts_with(['=', '+', '@', '\t'])), "{text}");
}

const SCRIPTS: [&str; 16] = [
    "<script>canary()</script>",
    "\"><img src=x onerror=canary()>",
    "'><svg onload=canary()>",
    "</script><script>canary()</script>",
    "</textarea><script>canary()</script>",
    "</title><iframe srcdoc='<script>parent.canary()</script>'>",
    "<details open ontoggle=canary()>",
    "<math><mi xlink:href=javascript:canary()>x</mi></math>",
    "javascript:canary()",
    "data:text/html,<script>canary()</script>",
    "{{constructor.constructor('canary()')()}}",
    "${canary()}",
    "{{7*7}}{% include '/etc/passwd' %}",
    "<a href=jav&#x09;ascript:canary()>x</a>",
    "<style>@import 'javascript:canary()'</style>",
    "\u{2028}<body onpageshow=canary()>",
];

/// Nothing that a browser would run where it stands.
fn harmless(answer: &Answer, what: &str) {
    let kind = answer.header("content-type");
    let data =
        ["application/json", "application/problem+json", "text/csv", "application/pdf", "text/event-stream"];
    assert!(answer.bytes.is_empty() || data.iter().any(|k| kind.starts_with(k)), "{what}: {kind}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    let policy = answer.header("content-security-policy");
    let scripts = policy.split(';').map(str::trim);
    let scripts = scripts.filter(|d| d.starts_with("script-src") || d.starts_with("default-src"));
    assert!(scripts.clone().count() > 0, "{what}: {policy}");
    for directive in scripts {
        assert!(!directive.contains("unsafe") && !directive.contains('*'), "{what}: {policy}");
    }
}

/// I06, and I05 as far as there are templates: what looks like a script or a template is text, in every answer that may
/// carry it. That pages keep it so, web/e2e/xss.mjs looks at.
#[tokio::test]
async fn i06_scripts_are_text_in_every_answer() {
    let house = house().await;
    let owner = house.owner().await;
    let things = house.furnished(&owner, "x").await;
    let mut kept = 0;
    for entity in house.entities() {
        let at = format!("{}/{}", path(entity), things.one(&entity.name).unwrap());
        let texts = |c: &&kernel::Column| {
            c.writable() && matches!(c.kind, Kind::Text | Kind::Textarea | Kind::Tags | Kind::Url)
        };
        for (n, column) in entity.columns.iter().filter(texts).enumerate() {
            for script in [SCRIPTS[n % SCRIPTS.len()], SCRIPTS[(n + 7) % SCRIPTS.len()]] {
                let value = if column.kind == Kind::Tags { json!([script]) } else { json!(script) };
                let version = owner.get(&at).await.header("etag").to_owned();
                let body = json!({ column.name.as_str(): value });
                let answer = owner.send("PATCH", &at, Some(body), &[("if-match", &version)]).await;
                harmless(&answer, &at);
                if answer.status == 200 {
                    assert_ne!(column.kind, Kind::Url, "{at} {script}");
                    assert_eq!(answer.json()[&column.name], value, "{at}: as it was sent");
                    kept += 1;
                }
            }
        }
    }
    assert!(kept > 50, "only {kept} were kept");
    for (n, script) in SCRIPTS.iter().enumerate() {
        let made = [
            owner.post("/parties/parties", json!({ "name": script, "is_customer": true })).await,
            owner.post("/views", json!({ "entity": "parties.parties", "name": script, "visibility": "shared", "state": { "q": script } })).await,
            owner.post("/fields", json!({ "entity": "parties.parties", "name": format!("f{n}"), "label": script, "help": script, "type": "select", "options": [{ "id": format!("o{n}"), "label": script, "color": script }] })).await,
            owner.post("/fields", json!({ "entity": "parties.parties", "name": script, "label": "x" })).await,
            owner.post("/roles", json!({ "name": format!("r{n}"), "label": script, "description": script })).await,
        ];
        made.iter().for_each(|answer| harmless(answer, script));
        assert!(made[0].status == 201 && made[1].status == 201, "{} {}", made[0].text(), made[1].text());
    }
    // Every file goes out as something to be kept, or as what a browser cannot run.
    let bodies = [
        "<html><script>canary()</script>",
        "<svg xmlns='http://www.w3.org/2000/svg' onload='canary()'/>",
        "<?xml version='1.0'?><x/>",
        "%PDF-1.4 <script>",
        "GIF89a<script>canary()</script>",
    ];
    let party = things.one("parties.parties").unwrap();
    for (n, script) in SCRIPTS.iter().enumerate() {
        let ends = ["", ".html", ".svg", ".xhtml", ".xml", ".png"];
        for end in [ends[n % 6], ends[(n + 1) % 6]] {
            let name = encoded(&format!("{script}{end}"));
            let body = bodies[n % bodies.len()].as_bytes().to_vec();
            let at = format!("/files?entity=parties.parties&record={party}");
            let sent = [("x-file-name", name.as_str()), ("content-type", "text/html")];
            let stored = owner.raw("POST", &at, body, &sent).await;
            harmless(&stored, &name);
            if stored.status != 201 {
                continue;
            }
            let file = owner.get(&format!("/files/{}", testkit::id(&stored.json()))).await;
            let (kind, place) = (file.header("content-type"), file.header("content-disposition"));
            let run = ["html", "svg", "xml", "script"].iter().any(|k| kind.contains(k));
            assert!(place.starts_with("attachment") || !run, "{name}: {kind} {place}");
            assert!(!place.contains(['<', '>']) && place.matches('"').count() == 2, "{place}");
            assert_eq!(file.header("content-security-policy"), "default-src 'none'; sandbox");
            assert_eq!(file.header("x-content-type-options"), "nosniff");
        }
    }
    let mut asked = 0;
    for operation in
        house.operations(&owner).await.iter().filter(|o| o.method == "GET" && o.path != "/events")
    {
        let id =
            house.entity_of(&operation.path).and_then(|e| things.one(&e.name)).unwrap_or_else(Uuid::now_v7);
        let at = operation.path.replace("{id}", &id.to_string()).replace("{name}", "parties.parties");
        harmless(&owner.get(&at).await, &at);
        asked += 1;
    }
    assert!(asked > 60, "only {asked} operations");
    let written = encoded(SCRIPTS[0]);
    for at in [
        "/search?q=",
        "/parties/parties?q=",
        "/parties/parties?sort=",
        "/parties/parties?filter=",
        "/nothing/",
        "/parties/parties/",
    ] {
        harmless(&owner.get(&format!("{at}{written}")).await, at);
    }
    let page = owner.get(&format!("//o/parties-parties?q={written}")).await;
    assert!(!page.text().contains("canary"), "a page never repeats its address");
}
