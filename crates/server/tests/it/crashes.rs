//! Whatever was acknowledged is there after any death, and once.

use crate::house::{House, fondaco};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

const DEATHS: usize = 20;

#[test]
fn twenty_deaths_under_load_lose_nothing() {
    let data = tempfile::tempdir().unwrap();
    let house = House::open(data.path(), &[]);
    let ann =
        house.newcomer(json!({ "name": "Acme", "country": "DE", "currency": "EUR", "time_zone": "UTC" }));
    let customer =
        house.post(&ann, "/parties/parties", json!({ "name": "Wile", "is_customer": true }))["id"].clone();
    let (over, deeds) = (AtomicBool::new(false), AtomicUsize::new(0));

    // As a careful client does it: the same request with the same key until there is an answer.
    let surely = |path: &str, key: &str, body: &Value| -> Value {
        for _ in 0..600 {
            let headers = [("content-type", "application/json"), ("idempotency-key", key)];
            let bytes = body.to_string().into_bytes();
            let answer = house.try_call(Some(&ann), "POST", path, bytes, &headers);
            match answer {
                Some(answer) if answer.status < 300 => return answer.json(),
                // The same key is still at work elsewhere, or the database is away.
                Some(answer) if matches!(answer.status, 409 | 429 | 503) => {}
                Some(answer) => panic!("{path}: {} {}", answer.status, answer.json()),
                None => {}
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{path}: no answer in a minute");
    };
    let trade = |worker: usize| {
        let mut done = Vec::new();
        for n in 0.. {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let name = format!("w{worker}-{n}");
            let line = json!({ "name": "Rope", "quantity": "3", "price": "9.99" });
            let order = json!({ "customer_id": customer, "customer_reference": name, "lines": [line] });
            let order = surely("/sales/orders", &name, &order)["id"].as_str().unwrap().to_owned();
            let step =
                |what: &str, path: String, body: Value| surely(&path, &format!("{name}-{what}"), &body);
            step("confirm", format!("/sales/orders/{order}/confirm"), json!({}));
            let invoice = step("invoice", format!("/sales/orders/{order}/invoice"), json!({ "post": true }));
            let invoice = invoice["_made"]["id"].as_str().unwrap().to_owned();
            let paid = step("pay", format!("/finance/invoices/{invoice}/pay"), json!({}));
            assert_eq!(paid["status"], "paid");
            done.push((name, invoice));
            deeds.fetch_add(1, Ordering::Relaxed);
        }
        done
    };
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3).map(|w| scope.spawn(move || trade(w))).collect();
        for death in 0..DEATHS {
            let before = deeds.load(Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(137 + 61 * death as u64 % 300));
            if death % 2 == 0 {
                house.kill_database();
            }
            if death % 3 != 0 {
                house.kill_and_open();
            }
            for _ in 0..300 {
                if deeds.load(Ordering::Relaxed) > before {
                    break;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        over.store(true, Ordering::Relaxed);
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(done.len() >= DEATHS, "{} trades were done", done.len());
    let total = |path: &str, field: &str| {
        let metrics =
            json!([{ "function": "sum", "field": field, "as": "sum" }, { "function": "count", "as": "n" }]);
        house.post(&ann, path, json!({ "metrics": metrics }))["data"][0].clone()
    };
    let cents = 2997 * done.len();
    let sum = json!({ "sum": format!("{}.{:02}", cents / 100, cents % 100), "n": done.len() });
    for (path, field) in [
        ("/sales/orders/_aggregate", "paid"),
        ("/finance/invoices/_aggregate", "paid"),
        ("/finance/payments/_aggregate", "amount"),
    ] {
        assert_eq!(total(path, field), sum, "{path}");
    }
    for (name, invoice) in done {
        let invoice = house.get(&ann, &format!("/finance/invoices/{invoice}?expand=order"));
        assert_eq!(
            (&invoice["status"], &invoice["order"]["customer_reference"]),
            (&json!("paid"), &json!(name))
        );
    }
    assert!(house.stop().success());
    let (ended, said) = fondaco(data.path(), &["verify"]);
    assert!(ended.success(), "{said}");
}

/// Each word that the server took is in the document after it died, and comes into the record by itself.
#[test]
fn words_of_a_document_outlive_the_server() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use yrs::{
        Doc, ReadTxn, StateVector, Text, Transact, Update, XmlFragment, XmlOut,
        updates::{decoder::Decode, encoder::Encode},
    };
    let data = tempfile::tempdir().unwrap();
    let house = House::open(data.path(), &[]);
    let ann =
        house.newcomer(json!({ "name": "Acme", "country": "DE", "currency": "EUR", "time_zone": "UTC" }));
    let field = json!({ "entity": "parties.parties", "name": "brief", "label": "Brief", "type": "richtext" });
    house.post(&ann, "/fields", field);
    let party =
        house.post(&ann, "/parties/parties", json!({ "name": "Wile", "cf.brief": "Once" }))["id"].clone();
    let party = party.as_str().unwrap();
    let at = format!("/docs/parties.parties/{party}/cf.brief");
    let doc = Doc::new();
    let root = doc.get_or_insert_xml_fragment("default");
    let mut known = StateVector::default();
    for n in 0..6 {
        let mut body = json!({ "vector": STANDARD.encode(doc.transact().state_vector().encode_v1()) });
        if n > 0 {
            let mut txn = doc.transact_mut();
            let Some(XmlOut::Element(first)) = root.get(&txn, 0) else { panic!("no paragraph") };
            let Some(XmlOut::Text(text)) = first.get(&txn, 0) else { panic!("no words") };
            text.push(&mut txn, &format!(" <{n}>"));
            body["update"] = json!(STANDARD.encode(txn.encode_state_as_update_v1(&known)));
        }
        let answer = house.post(&ann, &at, body);
        house.kill_and_open();
        let of = |name: &str| STANDARD.decode(answer[name].as_str().unwrap()).unwrap();
        doc.transact_mut().apply_update(Update::decode_v1(&of("update")).unwrap()).unwrap();
        known = StateVector::decode_v1(&of("vector")).unwrap();
    }
    let whole = "Once <1> <2> <3> <4> <5>";
    let said = || house.get(&ann, &format!("/parties/parties/{party}"))["cf.brief"].clone();
    for _ in 0..600 {
        if said() == whole {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(said(), whole);
    assert!(house.stop().success());
}
