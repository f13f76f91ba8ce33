//! C: many at once. What is about the database alone is tried in crates/records and in the modules.

use crate::scene::{Answer, Person, house, path};
use serde_json::{Value, json};
use std::future::Future;
use tokio::task::JoinSet;
use uuid::Uuid;

/// The same at once, `n` times.
async fn at_once<F: Future<Output = Answer> + Send + 'static>(
    n: usize,
    ask: impl Fn(usize) -> F,
) -> Vec<Answer> {
    let mut all = JoinSet::new();
    for n in 0..n {
        all.spawn(ask(n));
    }
    all.join_all().await
}

/// One did it; the others heard why not, or, on a slow machine, that the house is full.
#[track_caller]
fn one_of_them(answers: &[Answer], otherwise: u16) {
    let count = |status: u16| answers.iter().filter(|a| a.status == status).count();
    assert_eq!((count(200), count(otherwise) + count(503)), (1, answers.len() - 1));
}

/// An invoice of 100.00 that is sent.
async fn invoice(owner: &Person) -> Value {
    let party =
        owner.post("/parties/parties", json!({ "name": "Nordwind", "is_customer": true })).await.json();
    let line = json!({ "name": "Work", "quantity": "1", "price": "100", "tax_rate": "0" });
    let made = owner.post("/finance/invoices", json!({ "party_id": party["id"], "lines": [line] })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let at = format!("/finance/invoices/{}/post", testkit::id(&made.json()));
    let posted = owner.post(&at, json!({})).await;
    assert_eq!(posted.status, 200, "{}", posted.text());
    posted.json()
}

/// C01, C02: a key is one effect, whoever sends it how often; for another request or another person it is another.
#[tokio::test]
async fn c01_a_key_has_one_effect() {
    let house = house().await;
    let owner = house.owner().await;
    let colleague = house.colleague(&owner, &["manager"]).await;
    let stranger = house.owner().await;
    let key = [("idempotency-key", "k-1")];
    let body = json!({ "name": "Nordwind" });
    let answers = at_once(50, |_| {
        let (owner, body) = (owner.clone(), body.clone());
        async move { owner.send("POST", "/parties/parties", Some(body), &key).await }
    })
    .await;
    // Who waits too long for his twin is told to come again.
    let done: Vec<&Answer> = answers.iter().filter(|a| a.status == 201).collect();
    assert!(
        answers.iter().all(|a| matches!(a.status, 201 | 409 | 503)),
        "{:?}",
        answers.iter().map(|a| a.status).collect::<Vec<_>>()
    );
    assert!(done.len() > 1 && done.iter().all(|a| a.bytes == done[0].bytes));
    assert_eq!(done.iter().filter(|a| a.header("idempotent-replayed") != "true").count(), 1);
    let count = async |who: &Person| {
        who.get("/parties/parties?count=exact").await.json()["count"]["value"].as_i64().unwrap()
    };
    assert_eq!(count(&owner).await, 1);
    let again = owner.send("POST", "/parties/parties", Some(body.clone()), &key).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    let other = owner.send("POST", "/parties/parties", Some(json!({ "name": "Other" })), &key).await;
    assert_eq!(other.status, 422, "{}", other.text());
    assert_eq!(owner.send("POST", "/products/categories", Some(body.clone()), &key).await.status, 422);
    for who in [&colleague, &stranger] {
        let theirs = who.send("POST", "/parties/parties", Some(body.clone()), &key).await;
        assert_eq!((theirs.status, theirs.header("idempotent-replayed")), (201, ""));
    }
    assert_eq!((count(&owner).await, count(&stranger).await), (2, 1));
    // What was refused has no effect to keep: the same key may be right the next time.
    let fresh = [("idempotency-key", "k-2")];
    assert_eq!(
        owner
            .send("POST", "/parties/parties", Some(json!({ "name": "x", "country": "Germany" })), &fresh)
            .await
            .status,
        422
    );
    assert_eq!(
        owner
            .send("POST", "/parties/parties", Some(json!({ "name": "x", "country": "DE" })), &fresh)
            .await
            .status,
        201
    );
    for bad in ["", &"k".repeat(201)] {
        assert_eq!(
            owner
                .send("POST", "/parties/parties", Some(body.clone()), &[("idempotency-key", bad)])
                .await
                .status,
            400
        );
    }
}

/// C03: an answer that was lost is asked for again.
#[tokio::test]
async fn c03_a_lost_answer_is_found_again() {
    let house = house().await;
    let owner = house.owner().await;
    for n in 0..30_u64 {
        let key = format!("lost-{n}");
        let headers = [("idempotency-key", key.as_str())];
        let body = json!({ "name": format!("Party {n}") });
        let asking = owner.send("POST", "/parties/parties", Some(body.clone()), &headers);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(n), asking).await;
        let mut answer = owner.send("POST", "/parties/parties", Some(body.clone()), &headers).await;
        while matches!(answer.status, 409 | 503) {
            answer = owner.send("POST", "/parties/parties", Some(body.clone()), &headers).await;
        }
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    assert_eq!(owner.get("/parties/parties?count=exact").await.json()["count"]["value"], 30);
}

/// C04: fifty people pay one invoice, in parts, twice, and with a double click.
#[tokio::test]
async fn c04_an_invoice_is_paid_once() {
    let house = house().await;
    let owner = house.owner().await;
    let posted = invoice(&owner).await;
    let at = format!("/finance/invoices/{}", testkit::id(&posted));
    let paid = at_once(50, |n| {
        let (owner, at) = (owner.clone(), format!("{at}/pay"));
        async move {
            let amount = if n % 2 == 0 { "25" } else { "100" };
            let key = format!("pay-{}", n / 2);
            let headers = [("idempotency-key", key.as_str())];
            let headers = if n % 4 == 0 { &headers[..] } else { &[] };
            owner.send("POST", &at, Some(json!({ "amount": amount })), headers).await
        }
    })
    .await;
    for answer in paid.iter().filter(|a| a.status != 200) {
        assert!(matches!(answer.status, 409 | 422 | 503), "{}", answer.text());
    }
    let open = |record: &Value| record["balance"].as_str().unwrap().parse::<f64>().unwrap();
    let mut left = owner.get(&at).await.json();
    for _ in 0..4 {
        if open(&left) > 0.0 {
            assert_eq!(owner.post(&format!("{at}/pay"), json!({ "amount": "25" })).await.status, 200);
            left = owner.get(&at).await.json();
        }
    }
    assert_eq!((open(&left), left["status"].as_str()), (0.0, Some("paid")), "{left}");
    let sums = owner
        .post(
            "/finance/payment_allocations/_aggregate",
            json!({ "metrics": [{ "function": "sum", "field": "amount", "as": "sum" }] }),
        )
        .await
        .json();
    assert_eq!(sums["data"][0]["sum"].as_str().unwrap().parse::<f64>().unwrap(), 100.0, "{sums}");
    let again = owner.post(&format!("{at}/pay"), json!({ "amount": "0.01" })).await;
    assert_eq!(again.status, 422, "{}", again.text());
}

/// C06, C08: of many who save what they saw, one does; of many who take the same step, one does.
#[tokio::test]
async fn c06_nobody_overwrites_what_he_has_not_seen() {
    let house = house().await;
    let owner = house.owner().await;
    let made = owner.post("/parties/parties", json!({ "name": "Nordwind" })).await;
    let at = format!("/parties/parties/{}", testkit::id(&made.json()));
    let seen = owner.get(&at).await.header("etag").to_owned();
    let saved = at_once(24, |n| {
        let (owner, at, seen) = (owner.clone(), at.clone(), seen.clone());
        async move {
            owner
                .send("PATCH", &at, Some(json!({ "legal_name": format!("by {n}") })), &[("if-match", &seen)])
                .await
        }
    })
    .await;
    one_of_them(&saved, 412);
    let posted = invoice(&owner).await;
    let document = format!("/finance/invoices/{}", testkit::id(&posted));
    assert_eq!(owner.patch(&document, json!({ "note": "x" })).await.status, 428);
    for wrong in ["7x", "*", "\"\"", "\"99999999999\""] {
        let answer =
            owner.send("PATCH", &document, Some(json!({ "note": "x" })), &[("if-match", wrong)]).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
    }
    let customer =
        owner.post("/parties/parties", json!({ "name": "Kunde", "is_customer": true })).await.json();
    let order = json!({ "customer_id": customer["id"], "lines": [{ "name": "Work", "quantity": "1", "price": "10" }] });
    let order = owner.post("/sales/orders", order).await;
    assert_eq!(order.status, 201, "{}", order.text());
    let order = format!("/sales/orders/{}/confirm", testkit::id(&order.json()));
    let moved = at_once(12, |_| {
        let (owner, order) = (owner.clone(), order.clone());
        async move { owner.post(&order, json!({})).await }
    })
    .await;
    one_of_them(&moved, 422);
}

/// C11: two records changed together, in both orders, by everybody at once.
#[tokio::test]
async fn c11_nobody_hears_of_a_deadlock() {
    let house = house().await;
    let owner = house.owner().await;
    let mut invoices = Vec::new();
    for _ in 0..3 {
        invoices.push(testkit::id(&invoice(&owner).await));
    }
    let party = owner.get(&format!("/finance/invoices/{}", invoices[0])).await.json()["party_id"].clone();
    for id in &invoices[1..] {
        let sql =
            format!("update finance.invoices set party_id = '{}' where id = '{id}'", party.as_str().unwrap());
        house.behind(&sql).await;
    }
    let answers = at_once(24, |n| {
        let (owner, mut invoices, party) = (owner.clone(), invoices.clone(), party.clone());
        invoices.rotate_left(n % 3);
        if n % 2 == 0 {
            invoices.reverse();
        }
        async move {
            let made = owner.post("/finance/payments", json!({ "party_id": party, "amount": "3" })).await;
            if made.status != 201 {
                return made;
            }
            let parts: Vec<Value> =
                invoices.iter().map(|i| json!({ "invoice_id": i, "amount": "1" })).collect();
            owner
                .post(
                    &format!("/finance/payments/{}/allocate", testkit::id(&made.json())),
                    json!({ "allocations": parts }),
                )
                .await
        }
    })
    .await;
    for answer in &answers {
        let full = answer.status == 503 && answer.text().contains("not available");
        assert!(answer.status == 200 || full, "{} {}", answer.status, answer.text());
    }
}

/// C14: whatever is done to its lines, in bulk or one by one, a document is the sum of them.
#[tokio::test]
async fn c14_a_document_is_the_sum_of_its_lines() {
    let house = house().await;
    let owner = house.owner().await;
    let customer =
        owner.post("/parties/parties", json!({ "name": "Kunde", "is_customer": true })).await.json();
    let lines: Vec<Value> = (1..=5).map(|n| json!({ "name": format!("L{n}"), "quantity": "3", "price": format!("0.{n}35"), "tax_rate": "19" })).collect();
    let made = owner.post("/sales/orders", json!({ "customer_id": customer["id"], "lines": lines })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let at = format!("/sales/orders/{}", testkit::id(&made));
    let ids: Vec<Uuid> = made["lines"].as_array().unwrap().iter().map(testkit::id).collect();
    let changed = at_once(20, |n| {
        let (owner, line) = (owner.clone(), ids[n % 5]);
        async move {
            let at = format!("/sales/order_lines/{line}");
            let version = owner.get(&at).await.header("etag").to_owned();
            owner
                .send(
                    "PATCH",
                    &at,
                    Some(json!({ "quantity": (n + 1).to_string() })),
                    &[("if-match", &version)],
                )
                .await
        }
    })
    .await;
    assert!(
        changed.iter().all(|a| matches!(a.status, 200 | 412)),
        "{:?}",
        changed.iter().map(Answer::text).collect::<Vec<_>>()
    );
    let whole = owner.get(&at).await;
    let drop = json!({ "lines": [{ "id": ids[0], "_delete": true }] });
    assert_eq!(owner.send("PATCH", &at, Some(drop), &[("if-match", whole.header("etag"))]).await.status, 200);
    let whole = owner.get(&at).await.json();
    for field in ["net", "tax", "gross"] {
        let cents = |v: &Value| (v[field].as_str().unwrap().parse::<f64>().unwrap() * 100.0).round();
        let sum: f64 = whole["lines"].as_array().unwrap().iter().map(cents).sum();
        assert_eq!(cents(&whole), sum, "{field}: {whole}");
    }
    assert_eq!(path(house.scene.store.catalog().entity("sales.orders").unwrap()), "/sales/orders");
}
