//! What goes out comes in again the same.

use super::{all, bring, counts, file, null, scene};
use futures_util::StreamExt;
use records::{Query, import::Format};
use serde_json::{Value, json};
use testkit::Person;

pub(crate) async fn take(person: &Person, entity: &str, format: Format, query: &[(&str, &str)]) -> Vec<u8> {
    let catalog = person.store.catalog().clone();
    let pairs: Vec<(String, String)> =
        query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let query = Query::parse(&pairs).unwrap();
    let stream =
        records::export(&person.store, &person.actor, catalog.entity(entity).unwrap(), &query, format)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
    let mut bytes = Vec::new();
    let mut stream = Box::pin(stream);
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.unwrap_or_else(|e| panic!("{e}")));
    }
    bytes
}

async fn some_parties(person: &Person) -> usize {
    let names = [
        "=cmd|' /C calc'!A0",
        "+1 plus",
        "-1 minus",
        "@at",
        "\ttab",
        "'quoted",
        "'=both",
        "semi; colon, comma",
        "two\nlines \"quoted\"",
        "Ünï — Қазақ",
    ];
    for (n, name) in names.iter().enumerate() {
        let tags: Value = match n {
            0 => json!(["a", "b c"]),
            1 => json!(["a;b", "=x"]),
            _ => json!([]),
        };
        let phone = if n % 2 == 0 { json!("+7 701 000 00 00") } else { Value::Null };
        let body = json!({ "code": format!("P{n}"), "name": name, "credit_limit": "-0".replace("-0", "12345.678901"), "phone": phone, "tags": tags,
            "assigned_to": person.actor.user, "is_customer": n % 2 == 0, "note": "x" });
        person.create("parties.parties", body).await.ok();
    }
    names.len()
}

#[tokio::test]
async fn a_round_trip_changes_nothing() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let count = some_parties(&owner).await as u64;
    let before = all(&owner, "parties.parties", &[]).await;
    for format in [Format::Csv, Format::Xlsx, Format::Json] {
        let bytes = take(&owner, "parties.parties", format, &[]).await;
        let path = file(&bytes);
        let import = bring(&owner, "parties.parties", path.path(), null(), Some("id")).await;
        assert_eq!(
            counts(&import),
            [0, 0, count, 0],
            "{format:?} {} {}",
            import["errors"],
            import["mapping"]
        );
        assert_eq!(all(&owner, "parties.parties", &[]).await, before);
        // Into another company, but for the people, who are not there.
        let other = s.person(format.name(), "owner").await;
        let mut mapping = import["mapping"].clone();
        mapping["assigned_to"] = Value::Null;
        let import = bring(&other, "parties.parties", path.path(), mapping, None).await;
        assert_eq!(counts(&import), [count, 0, 0, 0], "{format:?} {}", import["errors"]);
        let same = |p: &Value| {
            json!([
                p["id"],
                p["number"],
                p["name"],
                p["phone"],
                p["tags"],
                p["credit_limit"],
                p["is_customer"]
            ])
        };
        let theirs = all(&other, "parties.parties", &[("sort", "id")]).await;
        let ours = all(&owner, "parties.parties", &[("sort", "id")]).await;
        assert_eq!(theirs.iter().map(same).collect::<Vec<_>>(), ours.iter().map(same).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn no_cell_of_a_csv_is_a_formula() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    some_parties(&owner).await;
    let text = String::from_utf8(
        take(
            &owner,
            "parties.parties",
            Format::Csv,
            &[("fields", "code,name,phone,assigned_to.name"), ("sort", "code")],
        )
        .await,
    )
    .unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "id,code,name,phone,assigned_to.name");
    assert!(lines[1].contains(",P0,'=cmd|' /C calc'!A0,'+7 701 000 00 00,"), "{}", lines[1]);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let dangerous = reader.records().flat_map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    assert!(!dangerous.collect::<Vec<_>>().iter().any(|c| c.starts_with(['=', '+', '-', '@', '\t', '\r'])));
}

#[tokio::test]
async fn an_export_obeys_rights_and_filters() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    some_parties(&owner).await;
    let text = String::from_utf8(
        take(&owner, "parties.parties", Format::Csv, &[("is_customer", "true"), ("fields", "code")]).await,
    )
    .unwrap();
    assert_eq!(text.lines().count(), 6);
    let role = |fields: &[(&str, kernel::FieldAccess)], export: kernel::Scope| kernel::Role {
        name: "clerk".into(),
        permissions: vec![
            ("parties.parties".into(), "read".into(), kernel::Scope::All),
            ("parties.parties".into(), "export".into(), export),
        ],
        fields: fields.iter().map(|(f, a)| ("parties.parties".into(), (*f).to_owned(), *a)).collect(),
        ..kernel::Role::default()
    };
    let clerk =
        s.person_with("Acme", &[role(&[("phone", kernel::FieldAccess::None)], kernel::Scope::All)]).await;
    let text = String::from_utf8(take(&clerk, "parties.parties", Format::Csv, &[]).await).unwrap();
    assert!(text.lines().next().unwrap().starts_with("id,number,code,"), "{text}");
    assert!(!text.contains("701 000"), "{text}");
    assert_eq!(text.matches(",P").count(), 20);
    let catalog = clerk.store.catalog().clone();
    let entity = catalog.entity("parties.parties").unwrap();
    let refused = |person: Person, pairs: Vec<(String, String)>| async move {
        records::export(
            &person.store,
            &person.actor,
            person.store.catalog().entity("parties.parties").unwrap(),
            &Query::parse(&pairs).unwrap(),
            Format::Json,
        )
        .await
        .err()
        .map(|e| e.to_string())
    };
    assert!(entity.column("phone").is_some());
    assert!(refused(clerk, vec![("fields".into(), "phone".into())]).await.is_some());
    let reader = s.person_with("Acme", &[role(&[], kernel::Scope::None)]).await;
    assert_eq!(refused(reader, vec![]).await.as_deref(), Some("You may not export parties."));
    let told = s.strings("select new ->> 'format' from app.audit where action = 'export' and organization_id = $1 order by id", &[&owner.actor.organization]).await;
    assert_eq!(told, ["csv", "csv"]);
}

#[tokio::test]
async fn documents_go_out_with_their_lines() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let customer = owner.create("parties.parties", json!({ "name": "C" })).await.ok();
    for n in 0..30 {
        let lines: Vec<Value> =
            (0..n % 3).map(|l| json!({ "name": format!("line {l}"), "quantity": 1, "price": l })).collect();
        owner.create("sales.orders", json!({ "customer_id": customer["id"], "lines": lines })).await.ok();
    }
    let bytes = take(
        &owner,
        "sales.orders",
        Format::Json,
        &[("fields", "number,customer.name"), ("expand", "lines"), ("sort", "number")],
    )
    .await;
    let orders: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(orders.len(), 30);
    assert_eq!(orders[2]["lines"].as_array().unwrap().len(), 2);
    assert_eq!(orders[2]["customer"]["name"], "C");
    assert_eq!(take(&owner, "products.products", Format::Json, &[]).await, b"[\n]\n");
}
