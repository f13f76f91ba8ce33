use crate::shop::{customer, order, scene};
use serde_json::json;

#[tokio::test]
async fn a_document_comes_with_its_lines_and_its_total() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    let o = order(
        &sally,
        &c,
        json!([{ "what": "Anvil", "quantity": "3", "price": "10.5" }, { "what": "Rope", "price": 2 }]),
    )
    .await;
    assert_eq!(
        (&o["number"], &o["status"], &o["net"]),
        (&json!("SO-00001"), &json!("draft"), &json!("33.50"))
    );
    assert_eq!(o["lines"][0]["what"], "Anvil");
    assert_eq!(o["lines"][1]["position"], 2);
    assert_eq!(o["_actions"], json!(["confirm", "cancel", "update", "delete"]));
}

#[tokio::test]
async fn lines_change_with_their_document_and_totals_follow() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    let o = order(&sally, &c, json!([{ "what": "Anvil", "price": "10" }, { "what": "Rope", "price": "2" }]))
        .await;
    let lines = json!([{ "id": o["lines"][0]["id"], "quantity": "5" }, { "id": o["lines"][1]["id"], "_delete": true }, { "what": "Rocket", "price": "100" }]);
    let o2 = sally.update("shop.orders", &o, json!({ "lines": lines })).await.ok();
    assert_eq!((&o2["net"], o2["lines"].as_array().unwrap().len()), (&json!("150.00"), 2));
    sally.update("shop.orders", &o, json!({ "note": "late" })).await.stale();
    // A line of another document is no line of this one.
    let other = order(&sally, &c, json!([{ "what": "Saw", "price": "1" }])).await;
    sally
        .update("shop.orders", &o2, json!({ "lines": [{ "id": other["lines"][0]["id"], "price": "9" }] }))
        .await
        .refused("no such line");
}

#[tokio::test]
async fn mistakes_are_told_at_their_fields_all_at_once() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    let wrong = json!({ "customer_id": c["id"], "colour": 1, "version": 9, "organization_id": c["id"], "status": "confirmed",
        "lines": [{ "what": "Anvil", "price": "ten" }, { "price": "1e9" }] });
    let Err(kernel::Error::Malformed(faults)) = sally.create("shop.orders", wrong).await.result() else {
        panic!("accepted")
    };
    let fields: Vec<&str> = faults.iter().filter_map(|f| f.field.as_deref()).collect();
    assert_eq!(
        fields,
        ["colour", "version", "organization_id", "status", "lines.0.price", "lines.1.price", "lines.1.what"]
    );
}

#[tokio::test]
async fn a_constraint_speaks_in_its_own_words_at_its_own_place() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    sally
        .create("shop.customers", json!({ "name": "Other", "code": "WILE" }))
        .await
        .refused("Another customer has this code.");
    sally.create("shop.customers", json!({ "name": " " })).await.refused("A customer needs a name.");
    sally
        .create("shop.customers", json!({ "name": "x", "email": "nobody" }))
        .await
        .refused("not an e-mail address");
    let result = sally.create("shop.orders", json!({ "customer_id": c["id"], "lines": [{ "what": "a", "price": 1 }, { "what": "b", "price": 1, "quantity": 0 }] })).await.result();
    let Err(kernel::Error::Refused(faults)) = result else { panic!("{result:?}") };
    assert_eq!(
        (faults[0].field.as_deref(), faults[0].message.as_str()),
        (Some("lines.1.quantity"), "A quantity is more than nothing.")
    );
    sally
        .create("shop.orders", json!({ "customer_id": uuid::Uuid::now_v7() }))
        .await
        .refused("no such record");
}

#[tokio::test]
async fn states_move_only_along_their_roads() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    let empty = order(&sally, &c, json!([])).await;
    sally.act("shop.orders", &empty, "confirm").await.refused("An order needs a line.");
    let o = order(&sally, &c, json!([{ "what": "Anvil", "price": "10" }])).await;
    let o = sally.act("shop.orders", &o, "confirm").await.ok();
    sally.act("shop.orders", &o, "cancel").await.refused("Cannot cancel a record that is confirmed.");
    sally
        .update("shop.orders", &o, json!({ "lines": [{ "what": "More", "price": 1 }] }))
        .await
        .refused("no longer open");
    sally
        .update("shop.orders", &o, json!({ "customer_id": customer(&sally, "Bip").await["id"] }))
        .await
        .refused("customer id cannot change");
    sally.update("shop.orders", &o, json!({ "note": "fine" })).await.ok();
    sally.delete("shop.orders", &o).await.refused("draft");
    // Seeing is not moving, and the right to a move is not the right to write.
    let boss = s.person("Acme", "boss").await;
    let o2 = order(&sally, &c, json!([{ "what": "Anvil", "price": "10" }])).await;
    boss.update("shop.orders", &o2, json!({ "note": "mine" })).await.forbidden();
    boss.act("shop.orders", &o2, "cancel").await.forbidden();
    boss.act("shop.orders", &o2, "confirm").await.ok();
}

#[tokio::test]
async fn own_means_own() {
    let s = scene().await;
    let (sally, sam) = (s.person("Acme", "seller").await, s.person("Acme", "seller").await);
    let c = customer(&sally, "Wile").await;
    let o = order(&sally, &c, json!([{ "what": "Anvil", "price": "10" }])).await;
    sam.read("shop.orders", &o).await.not_found();
    sam.update("shop.customers", &c, json!({ "name": "Mine" })).await.forbidden();
    sam.delete("shop.customers", &c).await.forbidden();
    assert_eq!(sam.list("shop.orders", &[("count", "exact")]).await.ok()["count"]["value"], 0);
    assert_eq!(sam.list("shop.order_lines", &[]).await.ok()["data"], json!([]));
    assert_eq!(sam.aggregate("shop.orders", json!({})).await.ok()["data"][0]["count"], 0);
}

#[tokio::test]
async fn what_is_thrown_away_comes_back_and_what_is_used_stays() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    let o = order(&sally, &c, json!([])).await;
    sally.delete("shop.customers", &c).await.refused("This is in use by 1 orders.");
    sally.delete("shop.orders", &o).await.ok();
    sally.delete("shop.customers", &c).await.ok();
    assert_eq!(sally.list("shop.customers", &[]).await.ok()["data"], json!([]));
    sally
        .update("shop.customers", &json!({ "id": c["id"] }), json!({ "name": "x" }))
        .await
        .refused("Restore it first");
    sally.restore("shop.customers", &c).await.ok();
    assert_eq!(sally.list("shop.customers", &[]).await.ok()["data"][0]["name"], "Wile");
}

#[tokio::test]
async fn one_company_cannot_name_anothers_record() {
    let s = scene().await;
    let (ann, bob) = (s.person("A", "seller").await, s.person("B", "seller").await);
    let theirs = customer(&bob, "Theirs").await;
    ann.create("shop.orders", json!({ "customer_id": theirs["id"] }))
        .await
        .refused("There is no such record.");
    // The same code is free in every company.
    customer(&ann, "Theirs").await;
    ann.read("shop.customers", &theirs).await.not_found();
    ann.update("shop.customers", &theirs, json!({ "name": "x" })).await.not_found();
    ann.delete("shop.customers", &theirs).await.not_found();
    assert_eq!(bob.read("shop.customers", &theirs).await.ok()["version"], 1);
}

#[tokio::test]
async fn history_tells_what_changed_and_nobody_can_rewrite_it() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    sally.update("shop.customers", &c, json!({ "name": "Wile E." })).await.ok();
    let catalog = s.store.catalog().clone();
    let entity = catalog.entity("shop.customers").unwrap();
    let told = records::history(&s.store, &sally.actor, entity, testkit::id(&c), None).await.unwrap();
    assert_eq!(told["data"][0]["changes"], json!({ "name": ["Wile", "Wile E."] }));
    assert_eq!(told["data"][1]["action"], "insert");
    let client = s.runtime().await;
    for sql in [
        "update app.audit set old = null",
        "delete from app.audit",
        "truncate app.audit",
        "insert into app.audit (organization_id, entity, record_id, action) values (gen_random_uuid(), 'x', gen_random_uuid(), 'x')",
    ] {
        assert_eq!(client.execute(sql, &[]).await.unwrap_err().code().unwrap().code(), "42501", "{sql}");
    }
}

#[tokio::test]
async fn fifty_at_once_get_fifty_numbers_without_a_gap() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    let tries = (0..50).map(|n| {
        let (sally, c) = (&sally, &c);
        async move {
            // Every fifth is refused and must leave no gap.
            let quantity = if n % 5 == 0 { 0 } else { 1 };
            sally.create("shop.orders", json!({ "customer_id": c["id"], "lines": [{ "what": "x", "price": 1, "quantity": quantity }] })).await.result().is_ok()
        }
    });
    let made = futures_util::future::join_all(tries).await.into_iter().filter(|ok| *ok).count();
    assert_eq!(made, 40);
    let all = sally.list("shop.orders", &[("sort", "number"), ("limit", "100")]).await.ok();
    let numbers: Vec<String> =
        all["data"].as_array().unwrap().iter().map(|o| o["number"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers, (1..=40).map(|n| format!("SO-{n:05}")).collect::<Vec<_>>());
}

/// Whoever waits in the database keeps a connection: those of one company wait outside of it for each other.
#[tokio::test]
async fn a_company_whose_writes_wait_for_each_other_keeps_nobody_else_waiting() {
    let s = scene().await;
    let (sally, bob) = (s.person("Acme", "seller").await, s.person("Globex", "seller").await);
    let (wile, hank) = (customer(&sally, "Wile").await, customer(&bob, "Hank").await);
    let line = json!([{ "what": "x", "price": 1 }]);
    let first = sally.create("shop.orders", json!({ "customer_id": wile["id"], "lines": line })).await.ok();
    let counter = "update app.counters set last = last where series = 'SO' and organization_id = $1";
    s.admin().batch_execute("begin").await.unwrap();
    s.admin().execute(counter, &[&sally.actor.organization]).await.unwrap();
    let all = futures_util::future::join_all((0..40).map(|_| async {
        sally.create("shop.orders", json!({ "customer_id": wile["id"], "lines": line })).await.result()
    }));
    let meanwhile = async {
        // Somebody waits for this very transaction; the others stand behind him.
        let waiting = "select count(*)::text from pg_locks where not granted and transactionid = pg_current_xact_id()::xid";
        while s.strings(waiting, &[]).await == ["0"] {
            tokio::task::yield_now().await;
        }
        let others = bob.create("shop.orders", json!({ "customer_id": hank["id"], "lines": line })).await;
        let own = sally.read("shop.orders", &first).await;
        s.admin().batch_execute("rollback").await.unwrap();
        (others.ok(), own.ok())
    };
    let (all, (others, own)) = tokio::join!(all, meanwhile);
    assert_eq!((&others["number"], &own["number"]), (&json!("SO-00001"), &first["number"]));
    assert_eq!(all.into_iter().filter(Result::is_ok).count(), 40);
}

#[tokio::test]
async fn a_repeated_request_has_its_effect_once() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let catalog = s.store.catalog().clone();
    let entity = catalog.entity("shop.customers").unwrap();
    let key = records::Key { key: "k1".into(), hash: vec![1] };
    let body = json!({ "name": "Once" });
    let tries = (0..50).map(|_| records::create_once(&s.store, &sally.actor, entity, &body, &key));
    let done: Vec<_> = futures_util::future::join_all(tries).await.into_iter().map(|d| d.unwrap()).collect();
    assert_eq!(done.iter().filter(|d| !d.replayed).count(), 1);
    assert!(done.iter().all(|d| d.json == done[0].json));
    assert_eq!(sally.list("shop.customers", &[("count", "exact")]).await.ok()["count"]["value"], 1);
    let other = records::Key { key: "k1".into(), hash: vec![2] };
    assert!(matches!(
        records::create_once(&s.store, &sally.actor, entity, &body, &other).await,
        Err(kernel::Error::Refused(_))
    ));
    let sam = s.person("Acme", "seller").await;
    assert!(!records::create_once(&s.store, &sam.actor, entity, &body, &key).await.unwrap().replayed);
}

#[tokio::test]
async fn two_editors_lose_nothing() {
    let s = scene().await;
    let sally = s.person("Acme", "seller").await;
    let c = customer(&sally, "Wile").await;
    let tries = (0..24).map(|n| sally.update("shop.customers", &c, json!({ "name": format!("Name {n}") })));
    let done: Vec<_> = futures_util::future::join_all(tries).await.into_iter().map(|o| o.result()).collect();
    assert_eq!(done.iter().filter(|d| d.is_ok()).count(), 1);
    assert!(done.iter().filter_map(|d| d.as_ref().err()).all(|e| matches!(e, kernel::Error::Stale)));
}
