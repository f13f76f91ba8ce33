use crate::shop::{customer, order, scene};
use kernel::{FieldAccess, Role};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::Person;

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect()
}

async fn crowd(person: &Person) {
    for (n, name) in ["Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus"].into_iter().enumerate() {
        let since = (n % 3 != 0).then(|| format!("2026-0{}-01", n + 1));
        person.create("shop.customers", json!({ "name": name, "code": name, "credit": (n * 10).to_string(), "since": since, "size": if n % 2 == 0 { "small" } else { "large" }, "tags": [name, "x"] })).await.ok();
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_any_order_without_loss() {
    let s = scene().await;
    let ann = s.person("Acme", "seller").await;
    crowd(&ann).await;
    for sort in [
        "name",
        "-name",
        "since",
        "-since",
        "size,-name",
        "-size,since,name",
        "credit",
        "-id",
        "created_by,name",
    ] {
        let whole = ann.list("shop.customers", &[("sort", sort), ("limit", "100")]).await.ok();
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page =
                ann.list("shop.customers", &[("sort", sort), ("limit", "2"), ("cursor", &cursor)]).await.ok();
            seen.extend(names(&page).into_iter().map(str::to_owned));
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, names(&whole), "{sort}");
    }
    ann.list("shop.customers", &[("cursor", "zz")]).await.refused("not of this list");
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let s = scene().await;
    let ann = s.person("Acme", "seller").await;
    crowd(&ann).await;
    let cases = [
        (
            json!({ "field": "credit", "operator": "greater_than", "value": "25" }),
            vec!["Di", "Ed", "Flo", "Gus"],
        ),
        (
            json!({ "operator": "AND", "rules": [{ "field": "size", "operator": "equals", "value": "small" }, { "field": "name", "operator": "not_equals", "value": "Ada" }] }),
            vec!["Cy", "Ed", "Gus"],
        ),
        (
            json!({ "operator": "NOT", "rules": [{ "field": "since", "operator": "before", "value": "2026-06-01" }] }),
            vec!["Ada", "Di", "Flo", "Gus"],
        ),
        (json!({ "field": "tags", "operator": "has_any", "value": ["Bo", "Cy"] }), vec!["Bo", "Cy"]),
        (
            json!({ "field": "created_by", "operator": "equals", "value": ann.actor.user.to_string() }),
            vec!["Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus"],
        ),
    ];
    for (filter, found) in cases {
        let list = ann
            .list("shop.customers", &[("sort", "name"), ("filter", &filter.to_string()), ("count", "exact")])
            .await
            .ok();
        assert_eq!(names(&list), found, "{filter}");
        assert_eq!(list["count"]["value"], found.len());
    }
    assert_eq!(names(&ann.list("shop.customers", &[("code", "Bo")]).await.ok()), ["Bo"]);
    for hostile in
        ["name;drop table x", "r.name", "\"name\"", "cf.a'b", "organization_id", "search", "pg_authid.x"]
    {
        ann.list("shop.customers", &[(hostile, "1")]).await.refused("");
        ann.list("shop.customers", &[("sort", hostile)]).await.refused("");
        ann.list("shop.customers", &[("fields", hostile)]).await.refused("");
        ann.list("shop.customers", &[("expand", hostile)]).await.refused("");
    }
    ann.list("shop.customers", &[("since", "infinity")]).await.refused("");
}

#[tokio::test]
async fn search_finds_words_beginnings_and_parts() {
    let s = scene().await;
    let ann = s.person("Acme", "seller").await;
    for (name, note) in [("Snow 100%_sure", "big anvils"), ("Летние поставки", "договоры"), ("Plain", "")]
    {
        ann.create("shop.customers", json!({ "name": name, "note": note })).await.ok();
    }
    for (q, found) in [
        ("anvil", 1),
        ("поставка", 1),
        ("договор", 1),
        ("sno", 1),
        ("100%_s", 1),
        ("%", 1),
        ("_", 1),
        ("nothing", 0),
    ] {
        let list = ann.list("shop.customers", &[("q", q)]).await.ok();
        assert_eq!(list["data"].as_array().unwrap().len(), found, "{q}");
    }
    let hits = records::search(&s.store, &ann.actor, "plain", &[], 10).await.unwrap();
    assert_eq!(hits["data"][0]["title"], "Plain");
}

#[tokio::test]
async fn relations_and_parts_are_expanded() {
    let s = scene().await;
    let ann = s.person("Acme", "seller").await;
    let c = customer(&ann, "Wile").await;
    order(&ann, &c, json!([{ "what": "Anvil", "price": "10" }, { "what": "Rope", "price": "2" }])).await;
    let list = ann.list("shop.orders", &[("expand", "customer,lines,created_by_member")]).await.ok();
    let row = &list["data"][0];
    assert_eq!((&row["customer"]["name"], row["lines"].as_array().unwrap().len()), (&json!("Wile"), 2));
    assert_eq!(row["created_by_member"]["id"], json!(ann.actor.user));
    let slim = ann.list("shop.orders", &[("fields", "number,customer.name")]).await.ok();
    assert_eq!(slim["data"][0]["customer"], json!({ "id": c["id"], "name": "Wile" }));
    assert!(slim["data"][0].get("note").is_none());
}

#[tokio::test]
async fn numbers_add_up_by_group_and_month() {
    let s = scene().await;
    let ann = s.person("Acme", "seller").await;
    let (a, b) = (customer(&ann, "A").await, customer(&ann, "B").await);
    for (c, day, price) in [(&a, "2026-01-05", "10.10"), (&a, "2026-01-20", "20.20"), (&b, "2026-02-01", "5")]
    {
        ann.create(
            "shop.orders",
            json!({ "customer_id": c["id"], "ordered_on": day, "lines": [{ "what": "x", "price": price }] }),
        )
        .await
        .ok();
    }
    let said = ann
        .aggregate("shop.orders", json!({ "group_by": ["customer", "ordered_on:month"], "metrics": [{ "function": "sum", "field": "net", "as": "net" }, { "function": "count" }], "sort": ["-net"] }))
        .await
        .ok();
    assert_eq!(
        said["data"][0],
        json!({ "customer": { "id": a["id"], "title": "A" }, "ordered_on": "2026-01-01", "net": "30.30", "count": 2 })
    );
    assert_eq!(said["data"][1]["net"], "5.00");
    let net = json!([{ "function": "sum", "field": "net", "as": "net" }]);
    let cube = ann
        .aggregate(
            "shop.orders",
            json!({ "group_by": ["customer", "ordered_on:month"], "metrics": net, "totals": true }),
        )
        .await
        .ok();
    let rows: Vec<String> = cube["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{} {} {} {}", r["_grouped"], r["customer"]["title"], r["ordered_on"], r["net"]))
        .collect();
    assert_eq!(
        rows,
        [
            r#"[] null null "35.30""#,
            r#"["ordered_on:month"] null "2026-01-01" "30.30""#,
            r#"["ordered_on:month"] null "2026-02-01" "5.00""#,
            r#"["customer"] "A" null "30.30""#,
            r#"["customer"] "B" null "5.00""#,
            r#"["customer","ordered_on:month"] "A" "2026-01-01" "30.30""#,
            r#"["customer","ordered_on:month"] "B" "2026-02-01" "5.00""#,
        ]
    );
    ann.aggregate(
        "shop.orders",
        json!({ "group_by": ["customer", "status", "note", "number", "net"], "totals": true }),
    )
    .await
    .refused("At most 4 groups");
    ann.aggregate("shop.orders", json!({ "metrics": [{ "function": "sum", "field": "note" }] }))
        .await
        .refused("no sum");
}

#[tokio::test]
async fn records_are_found_by_their_lines_and_by_what_points_at_them() {
    let s = scene().await;
    let ann = s.person("Acme", "seller").await;
    let (wile, bugs, none) =
        (customer(&ann, "Wile").await, customer(&ann, "Bugs").await, customer(&ann, "None").await);
    order(
        &ann,
        &wile,
        json!([{ "what": "Anvil", "price": "10" }, { "what": "Rope", "price": "2", "quantity": "5" }]),
    )
    .await;
    let carrots = order(&ann, &bugs, json!([{ "what": "Carrot", "price": "1" }])).await;
    order(
        &s.person("Emca", "seller").await,
        &customer(&s.person("Emca", "owner").await, "Else").await,
        json!([{ "what": "Anvil", "price": "1" }]),
    )
    .await;
    let _ = none;
    let orders = async |filter: Value| {
        let list = ann
            .list(
                "shop.orders",
                &[("sort", "number"), ("expand", "customer"), ("filter", &filter.to_string())],
            )
            .await
            .ok();
        let rows = list["data"].as_array().unwrap().clone();
        rows.iter().map(|r| r["customer"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let rope = json!({ "field": "what", "operator": "equals", "value": "Rope" });
    assert_eq!(orders(json!({ "field": "lines", "quantifier": "any", "where": rope })).await, ["Wile"]);
    assert_eq!(orders(json!({ "field": "lines", "quantifier": "none", "where": rope })).await, ["Bugs"]);
    assert_eq!(
        orders(json!({ "field": "lines.quantity", "quantifier": "all", "operator": "lt", "value": 5 })).await,
        ["Bugs"]
    );
    assert_eq!(
        orders(json!({ "field": "lines", "quantifier": "any", "where": { "field": "order.customer.name", "operator": "matches", "value": "^W" } })).await,
        ["Wile"]
    );
    let customers = async |filter: Value| {
        let list =
            ann.list("shop.customers", &[("sort", "name"), ("filter", &filter.to_string())]).await.ok();
        names(&list).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let small = json!({ "field": "shop.orders.net", "quantifier": "any", "operator": "lt", "value": 15 });
    assert_eq!(customers(small.clone()).await, ["Bugs"]);
    assert_eq!(customers(json!({ "field": "shop.orders", "quantifier": "none" })).await, ["None"]);
    ann.delete("shop.orders", &carrots).await.ok();
    assert_eq!(customers(small).await, Vec::<String>::new(), "what was deleted is not there");

    let filter =
        json!({ "field": "lines.price", "quantifier": "any", "operator": "gt", "value": 1 }).to_string();
    let hidden = Role {
        name: "blind".into(),
        template: Some("seller".into()),
        fields: vec![("shop.order_lines".into(), "price".into(), FieldAccess::None)],
        ..Role::default()
    };
    s.person_with("Acme", &[hidden]).await.list("shop.orders", &[("filter", &filter)]).await.forbidden();
    for (path, why) in [
        ("rows", "There are: lines"),
        ("shop.visits", "belongs to orders"),
        ("lines.nothing", "no field nothing"),
    ] {
        let filter = json!({ "field": path, "quantifier": "any", "where": null });
        let filter = if path.starts_with("lines.") {
            json!({ "field": path, "quantifier": "any", "operator": "is_empty" })
        } else {
            filter
        };
        ann.list("shop.orders", &[("filter", &filter.to_string())]).await.refused(why);
    }
}

/// SAFETY Z06, Z07, Z08: a hidden field is in no answer, and no oracle either.
#[tokio::test]
async fn a_hidden_field_is_nowhere() {
    let s = scene().await;
    let boss = s.person("Acme", "owner").await;
    let c = boss.create("shop.customers", json!({ "name": "Rich", "credit": "987654" })).await.ok();
    let hide = |access| Role {
        name: "blind".into(),
        template: Some("seller".into()),
        fields: vec![("shop.customers".into(), "credit".into(), access)],
        ..Role::default()
    };
    let blind = s.person_with("Acme", &[hide(FieldAccess::None)]).await;
    assert!(blind.read("shop.customers", &c).await.ok().get("credit").is_none());
    let list = blind.list("shop.customers", &[]).await.ok();
    assert!(!list.to_string().contains("987654"));
    for query in [
        ("credit", "987654"),
        ("sort", "credit"),
        ("fields", "credit"),
        ("filter", r#"{"field":"credit","operator":"gt","value":1}"#),
    ] {
        blind.list("shop.customers", &[query]).await.forbidden();
    }
    blind
        .aggregate("shop.customers", json!({ "metrics": [{ "function": "max", "field": "credit" }] }))
        .await
        .forbidden();
    blind.aggregate("shop.customers", json!({ "group_by": ["credit"] })).await.forbidden();
    blind.list("shop.orders", &[("sort", "customer.credit")]).await.forbidden();
    blind.create("shop.customers", json!({ "name": "x", "credit": "1" })).await.forbidden();
    let reader = s.person_with("Acme", &[hide(FieldAccess::Read)]).await;
    assert_eq!(reader.read("shop.customers", &c).await.ok()["credit"], "987654.00");
    reader.create("shop.customers", json!({ "name": "x", "credit": "1" })).await.forbidden();
    let entity = s.store.catalog().entity("shop.customers").unwrap();
    let told = records::history(&s.store, &blind.actor, entity, testkit::id(&c), None).await.unwrap();
    assert!(!told.to_string().contains("987654"));
}

#[tokio::test]
async fn fields_of_the_company_are_fields() {
    let s = scene().await;
    let mut ann = s.person("Acme", "owner").await;
    let mut overlay = kernel::Overlay::default();
    let field = |name: &str, kind, options: Vec<Value>| kernel::CustomField {
        name: name.into(),
        label: name.into(),
        kind,
        options,
        ..Default::default()
    };
    overlay.fields.insert(
        "shop.customers".into(),
        vec![
            field("region", kernel::Kind::Select, vec![json!("north"), json!("south")]),
            field("score", kernel::Kind::Number, vec![]),
        ],
    );
    ann.actor.overlay = Arc::new(overlay);
    let c = ann
        .create("shop.customers", json!({ "name": "N", "cf.region": "north", "custom": { "score": "12.5" } }))
        .await
        .ok();
    assert_eq!((&c["cf.region"], &c["cf.score"]), (&json!("north"), &json!("12.5")));
    ann.create("shop.customers", json!({ "name": "S", "cf.region": "east" })).await.refused("Choose one of");
    ann.create("shop.customers", json!({ "name": "S", "cf.unknown": 1 })).await.refused("no field");
    let found = ann
        .list(
            "shop.customers",
            &[("filter", r#"{"field":"cf.score","operator":"gt","value":"12"}"#), ("sort", "-cf.score")],
        )
        .await
        .ok();
    assert_eq!(names(&found), ["N"]);
    let c = ann.update("shop.customers", &c, json!({ "cf.score": null })).await.ok();
    assert_eq!((&c["cf.region"], &c["cf.score"]), (&json!("north"), &Value::Null));
}

/// Each type of field is written as people write it, asked as it is meant, ordered where it has an order, and taken out.
#[tokio::test]
async fn every_type_of_field_is_whole() {
    use kernel::Kind::{
        Barcode, Color, Country, Duration, Location, Rating, Recurrence, Richtext, Signature, Timezone, User,
    };
    let s = scene().await;
    let mut ann = s.person("Acme", "owner").await;
    let me = ann.actor.user;
    let mut overlay = kernel::Overlay::default();
    let kinds = [
        Richtext, Rating, Duration, Color, Location, User, Country, Timezone, Barcode, Signature, Recurrence,
    ];
    let field = |kind: kernel::Kind| kernel::CustomField {
        name: kind.name().into(),
        label: kind.name().into(),
        kind,
        ..Default::default()
    };
    overlay.fields.insert("shop.customers".into(), kinds.map(field).to_vec());
    ann.actor.overlay = Arc::new(overlay);
    let first = ann
        .create(
            "shop.customers",
            json!({
                "name": "First", "cf.richtext": "# Hello\n**bold** @Ann", "cf.rating": 4, "cf.duration": "1:30",
                "cf.color": "#FA0", "cf.location": "43.238949, 76.889709, Almaty", "cf.user": me,
                "cf.country": "kz", "cf.timezone": "asia/almaty", "cf.barcode": "4006381333931",
                "cf.signature": { "path": "M1 2L3 4" }, "cf.recurrence": "rrule:freq=weekly;byday=mo",
            }),
        )
        .await
        .ok();
    assert_eq!(first["cf.rating"], json!(4));
    assert_eq!(first["cf.duration"], json!(90));
    assert_eq!(first["cf.color"], json!("#ffaa00"));
    assert_eq!(first["cf.location"], json!({ "lat": 43.238949, "lon": 76.889709, "label": "Almaty" }));
    assert_eq!(first["cf.user"], json!(me));
    assert_eq!((&first["cf.country"], &first["cf.timezone"]), (&json!("KZ"), &json!("Asia/Almaty")));
    assert_eq!(first["cf.signature"]["by"], json!(me), "who signs is not said, it is known");
    assert!(first["cf.signature"]["at"].is_string());
    ann.create(
        "shop.customers",
        json!({ "name": "Second", "cf.rating": "2", "cf.duration": 45, "cf.location": { "lat": 51.16, "lon": 71.47 } }),
    )
    .await
    .ok();
    for (field, value, why) in [
        ("cf.rating", json!(6), "from 0 to 5"),
        ("cf.duration", json!("soon"), "as 1:30"),
        ("cf.color", json!("red"), "#1a73e8"),
        ("cf.location", json!("north"), "latitude"),
        ("cf.user", json!("00000000-0000-4000-8000-000000000000"), "no such record"),
        ("cf.country", json!("ZZ"), "two capital letters"),
        ("cf.timezone", json!("Mars/Base"), "time zone"),
        ("cf.barcode", json!("1\n2"), "one line"),
        ("cf.signature", json!({ "path": "M0\"/><script>" }), "drawn"),
        ("cf.recurrence", json!("FREQ=HOURLY"), "daily, weekly, monthly or yearly"),
    ] {
        ann.create("shop.customers", json!({ "name": "X", field: value })).await.refused(why);
    }
    for (rule, found) in [
        (json!({ "field": "cf.richtext", "operator": "contains_ci", "value": "BOLD" }), vec!["First"]),
        (json!({ "field": "cf.rating", "operator": "greater_or_equal", "value": 3 }), vec!["First"]),
        (json!({ "field": "cf.duration", "operator": "less_than", "value": 60 }), vec!["Second"]),
        (json!({ "field": "cf.color", "operator": "equals", "value": "#ffaa00" }), vec!["First"]),
        (
            json!({ "field": "cf.location", "operator": "within_km", "value": { "lat": 43.2, "lon": 76.9, "km": 20 } }),
            vec!["First"],
        ),
        (json!({ "field": "cf.location", "operator": "is_not_empty" }), vec!["First", "Second"]),
        (json!({ "field": "cf.user", "operator": "in", "value": [me] }), vec!["First"]),
        (json!({ "field": "cf.user", "operator": "is_current_user" }), vec!["First"]),
        (json!({ "field": "cf.country", "operator": "in", "value": ["KZ", "US"] }), vec!["First"]),
        (json!({ "field": "cf.timezone", "operator": "equals", "value": "Asia/Almaty" }), vec!["First"]),
        (json!({ "field": "cf.barcode", "operator": "equals", "value": "4006381333931" }), vec!["First"]),
        (json!({ "field": "cf.signature", "operator": "is_empty" }), vec!["Second"]),
        (
            json!({ "field": "cf.recurrence", "operator": "contains_ci", "value": "FREQ=WEEKLY" }),
            vec!["First"],
        ),
    ] {
        let all = ann.list("shop.customers", &[("filter", &rule.to_string()), ("sort", "name")]).await.ok();
        assert_eq!(names(&all), found, "{rule}");
    }
    for field in ["cf.rating", "cf.duration", "cf.country", "cf.user"] {
        let sorted = ann.list("shop.customers", &[("sort", field), ("limit", "1")]).await.ok();
        let cursor = sorted["next"].as_str().unwrap().to_owned();
        let rest = ann.list("shop.customers", &[("sort", field), ("cursor", &cursor)]).await.ok();
        assert_eq!(rest["data"].as_array().unwrap().len(), 1, "{field}");
    }
    for field in ["cf.richtext", "cf.location", "cf.signature", "cf.recurrence"] {
        ann.list("shop.customers", &[("sort", field)]).await.refused("no order");
    }
    let sum = json!({ "metrics": [{ "function": "sum", "field": "cf.duration", "as": "all" }, { "function": "avg", "field": "cf.rating", "as": "mean" }] });
    let sums = ann.aggregate("shop.customers", sum).await.ok();
    assert_eq!((&sums["data"][0]["all"], &sums["data"][0]["mean"]), (&json!("135"), &json!("3")));
    // What is signed stays, unless it is cleared.
    let anew = json!({ "cf.signature": { "text": "Bob" } });
    ann.update("shop.customers", &first, anew.clone()).await.refused("signed");
    let same =
        ann.update("shop.customers", &first, json!({ "cf.signature": first["cf.signature"] })).await.ok();
    assert_eq!(same["cf.signature"], first["cf.signature"]);
    let bare = ann.update("shop.customers", &same, json!({ "cf.signature": null })).await.ok();
    let again = ann.update("shop.customers", &bare, anew).await.ok();
    assert_eq!(again["cf.signature"]["text"], json!("Bob"));
}

/// Filters of every kind use an index as the role that requests run as (docs/adr/0003).
#[tokio::test]
async fn filters_use_indexes_under_row_security() {
    let s = scene().await;
    let ann = s.person("Acme", "owner").await;
    s.admin()
        .execute(
            "insert into shop.customers (organization_id, id, name, code, credit, since, size, custom, note)
             select $1, gen_random_uuid(), 'Name ' || n, 'C' || n, n, date '2000-01-01' + n % 9000, case when n % 500 = 0 then 'small' else 'large' end, jsonb_build_object('region', 'r' || n % 400), 'word' || n
             from generate_series(1, 20000) n",
            &[&ann.actor.organization],
        )
        .await
        .unwrap();
    s.admin().batch_execute("analyze shop.customers").await.unwrap();
    let mut slow = Vec::new();
    for filter in [
        "r.credit > 19990::numeric",
        "r.credit between 5::numeric and 9::numeric",
        "r.name = 'Name 77'::text",
        "r.since = '2001-02-03'::date",
        "r.size = 'small'::text",
        "r.code = any ('{C5,C6}'::text[])",
        "r.search @@ websearch_to_tsquery('simple', 'word123')",
        "r.search_text like '%ame 1999%'",
        "r.custom <> '{}' and r.custom @> '{\"region\":\"r7\"}'::jsonb",
    ] {
        let sql = format!(
            "explain select r.id from shop.customers r where r.organization_id = $1 and r.deleted_at is null and {filter}"
        );
        let rows = s.store.batch(&ann.actor, &[(&sql, &[&ann.actor.organization])]).await.unwrap();
        let plan: Vec<String> = rows[0].iter().map(|r| r.get(0)).collect();
        let plan = plan.join("\n");
        let column = filter.trim_start_matches("r.").split(' ').next().unwrap();
        let used = plan.lines().any(|l| l.contains("Index Cond") && l.contains(column));
        if !used {
            slow.push(format!("{filter}\n{plan}"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n\n"));
}
