//! Invoices and payments, as the people who work with them see them.

mod books_tests;
mod taxes_tests;

use serde_json::{Value, json};
use testkit::{Person, Scene, scene, plain};

const INVOICES: &str = "finance.invoices";
const PAYMENTS: &str = "finance.payments";
const WRITE_OFFS: &str = "finance.write_offs";

#[tokio::test]
async fn an_invoice_gets_its_number_when_it_is_posted() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let draft = a.invoice(json!({ "payment_terms": "NET_15", "lines": [{ "name": "Work", "price": "100", "tax_rate": "16" }] })).await;
    assert_eq!(
        (&draft["number"], &draft["status"], plain(&draft["gross"])),
        (&json!(null), &json!("draft"), "116")
    );
    let empty = a.invoice(json!({})).await;
    a.anna.act(INVOICES, &empty, "post").await.refused("An invoice needs at least one line");
    let free = a.invoice(json!({ "lines": [{ "name": "x", "price": "0" }] })).await;
    a.anna.act(INVOICES, &free, "post").await.refused("An invoice over nothing");
    a.anna.act(INVOICES, &empty, "cancel").await.ok();

    let first = a.anna.act(INVOICES, &draft, "post").await.ok();
    let second = a.posted("10").await;
    assert_eq!(
        (&first["number"], &second["number"]),
        (&json!("INV-00001"), &json!("INV-00002")),
        "what failed took no number"
    );
    let days = |f: &str| first[f].as_str().unwrap().parse::<jiff::civil::Date>().unwrap();
    assert_eq!(days("issued_on").until(days("due_on")).unwrap().get_days(), 15);
    a.anna
        .update(INVOICES, &first, json!({ "due_on": "2099-01-01" }))
        .await
        .refused("due on cannot change");
    a.anna
        .update(INVOICES, &first, json!({ "lines": [{ "name": "more", "price": "1" }] }))
        .await
        .refused("no longer open");
    a.anna.update(INVOICES, &first, json!({ "paid": "1" })).await.refused("cannot be written");
    a.anna.update(INVOICES, &first, json!({ "note": "sent by post" })).await.ok();
    a.anna.act(INVOICES, &first, "cancel").await.refused("Cannot cancel a record that is sent");
    a.anna.delete(INVOICES, &first).await.refused("Only a record that is draft can be deleted");
}

#[tokio::test]
async fn an_order_becomes_an_invoice_in_one_action() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let order = a.order(json!({ "shipping_cost": "20", "lines": [{ "name": "x", "price": "100", "quantity": "2", "tax_rate": "20" }] })).await;
    a.anna.act(ORDERS, &order, "invoice").await.refused("Cannot invoice a record that is draft");
    a.mona.act(ORDERS, &order, "confirm").await.ok();
    let order = a.mona.act_with(ORDERS, &order, "invoice", json!({ "post": true })).await.ok();
    assert_eq!(order["invoice_status"], "invoiced");
    let invoice = a.anna.read(INVOICES, &order["_made"]).await.ok();
    assert_eq!(
        (&invoice["number"], plain(&invoice["gross"]), &invoice["order_id"]),
        (&json!("INV-00001"), "260", &order["id"])
    );
    a.mona.act(ORDERS, &order, "invoice").await.refused("All of this order has been invoiced.");
    a.mona.act(ORDERS, &order, "cancel").await.refused("credit that first");

    let paid = a
        .anna
        .act_with(INVOICES, &invoice, "pay", json!({ "amount": "60", "method": "CASH" }))
        .await
        .ok();
    assert_eq!(
        (&paid["status"], plain(&paid["balance"]), &paid["_made"]["entity"]),
        (&json!("partial"), "200", &json!(PAYMENTS))
    );
    assert_eq!(a.mona.read(ORDERS, &order).await.ok()["payment_status"], "partial");
    let paid = a.anna.act(INVOICES, &invoice, "pay").await.ok();
    assert_eq!((&paid["status"], plain(&paid["balance"])), (&json!("paid"), "0"));
    assert_eq!(a.mona.read(ORDERS, &order).await.ok()["payment_status"], "paid");
    a.anna.act(INVOICES, &invoice, "pay").await.refused("Cannot pay a record that is paid");
}

#[tokio::test]
async fn parts_of_an_order_add_up_to_the_order() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    for (inclusive, price, percent, amount) in [
        (false, "33.335", "0", "0"),
        (true, "33.335", "7", "0.01"),
        (false, "0.005", "0", "0"),
        (true, "9.99", "33.3", "1"),
    ] {
        let line = json!({ "name": "x", "price": price, "quantity": "7", "discount_percent": percent, "discount_amount": amount, "tax_rate": "16", "price_includes_tax": inclusive });
        let order = a.order(json!({ "lines": [line] })).await;
        a.mona.act(ORDERS, &order, "confirm").await.ok();
        let id = &order["lines"][0]["id"];
        let mut sums = [0_i64; 3];
        for quantity in ["1", "2", "1.5", "2.5"] {
            let body = json!({ "lines": [{ "id": id, "quantity": quantity }] });
            let made = a.mona.act_with(ORDERS, &order, "invoice", body).await.ok();
            let invoice = a.anna.read(INVOICES, &made["_made"]).await.ok();
            for (sum, field) in sums.iter_mut().zip(["net", "tax", "gross"]) {
                *sum += cents(&invoice[field]);
            }
        }
        assert_eq!(sums, ["net", "tax", "gross"].map(|f| cents(&order[f])), "{order}");
        let more = json!({ "lines": [{ "id": id, "quantity": "1" }] });
        a.mona
            .act_with(ORDERS, &order, "invoice", more)
            .await
            .refused("No more can be invoiced than was ordered.");
    }
}

#[tokio::test]
async fn a_draft_that_is_thrown_away_gives_its_quantities_back() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let order =
        a.order(json!({ "lines": [{ "name": "x", "price": "10", "quantity": "3" }] })).await;
    a.mona.act(ORDERS, &order, "confirm").await.ok();
    for way in ["cancel", "delete"] {
        let made = a.mona.act(ORDERS, &order, "invoice").await.ok();
        assert_eq!(made["invoice_status"], "invoiced");
        let invoice = a.anna.read(INVOICES, &made["_made"]).await.ok();
        match way {
            "cancel" => drop(a.anna.act(INVOICES, &invoice, "cancel").await.ok()),
            _ => drop(a.anna.delete(INVOICES, &invoice).await.ok()),
        }
        assert_eq!(a.mona.read(ORDERS, &order).await.ok()["invoice_status"], "none", "{way}");
    }
}

#[tokio::test]
async fn a_credit_note_reverses_exactly_and_never_more() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let lines = json!([{ "name": "a", "price": "33.335", "quantity": "3", "tax_rate": "16" }, { "name": "b", "price": "9.99", "tax_rate": "7.7", "price_includes_tax": true }]);
    let whole = a.post(a.invoice(json!({ "lines": lines })).await).await;
    let credited =
        a.anna.act_with(INVOICES, &whole, "credit", json!({ "reason": "broken" })).await.ok();
    let note = a.anna.read(INVOICES, &credited["_made"]).await.ok();
    assert_eq!(
        (&note["number"], &note["kind"], &note["note"]),
        (&json!("CN-00001"), &json!("CREDIT_NOTE"), &json!("broken"))
    );
    assert_eq!(
        ["net", "tax", "gross"].map(|f| &note[f]),
        ["net", "tax", "gross"].map(|f| &whole[f])
    );
    assert_eq!(
        (&credited["status"], plain(&credited["balance"]), plain(&note["balance"])),
        (&json!("paid"), "0", "0")
    );
    a.anna.act(INVOICES, &whole, "credit").await.refused("All of this invoice has been credited.");

    let parts = a.post(a.invoice(json!({ "lines": lines })).await).await;
    let id =
        parts["lines"].as_array().unwrap().iter().find(|l| l["name"] == "a").unwrap()["id"].clone();
    let one = json!({ "lines": [{ "id": id, "quantity": "1" }] });
    for _ in 0..2 {
        a.anna.act_with(INVOICES, &parts, "credit", one.clone()).await.ok();
    }
    let two = json!({ "lines": [{ "id": id, "quantity": "2" }] });
    a.anna
        .act_with(INVOICES, &parts, "credit", two)
        .await
        .refused("No more of a line can be credited");
    let parts = a.anna.act(INVOICES, &parts, "credit").await.ok();
    assert_eq!(parts["credited"], parts["gross"], "to the cent");

    let amounts = a.post(a.invoice(json!({ "lines": lines })).await).await;
    a.anna
        .act_with(INVOICES, &amounts, "credit", json!({ "amount": "1000" }))
        .await
        .refused("can be credited.");
    a.anna
        .act_with(INVOICES, &amounts, "credit", json!({ "amount": "0.001" }))
        .await
        .refused("not an amount in EUR");
    a.anna.act_with(INVOICES, &amounts, "credit", json!({ "amount": "50.01" })).await.ok();
    let amounts = a.anna.act(INVOICES, &amounts, "credit").await.ok();
    assert_eq!(amounts["credited"], amounts["gross"], "to the cent");
}

#[tokio::test]
async fn credit_on_a_paid_invoice_is_paid_back() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = a.posted("100").await;
    a.anna.act_with(INVOICES, &invoice, "pay", json!({ "amount": "70" })).await.ok();
    let credited = a.anna.act(INVOICES, &invoice, "credit").await.ok();
    assert_eq!((plain(&credited["credit_applied"]), plain(&credited["balance"])), ("30", "0"));
    let note = a.anna.read(INVOICES, &credited["_made"]).await.ok();
    assert_eq!((&note["status"], plain(&note["balance"])), (&json!("partial"), "70"));
    let note = a.anna.act(INVOICES, &note, "pay").await.ok();
    let refund = a.anna.read(PAYMENTS, &note["_made"]).await.ok();
    assert_eq!(
        (&refund["direction"], plain(&refund["amount"]), &note["status"]),
        (&json!("refund"), "70", &json!("paid"))
    );
}

#[tokio::test]
async fn fifty_payments_at_once_never_pay_more_than_is_open() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = a.posted("100").await;
    let pay = (0..50).map(|_| a.insist(INVOICES, &invoice, "pay", json!({ "amount": "10" })));
    let paid = futures_util::future::join_all(pay).await.into_iter().filter(|done| *done).count();
    let invoice = a.anna.read(INVOICES, &invoice).await.ok();
    assert_eq!((paid, plain(&invoice["paid"]), &invoice["status"]), (10, "100", &json!("paid")));
    let payments = a.anna.list(PAYMENTS, &[("count", "exact")]).await.ok();
    assert_eq!(payments["count"]["value"], 10, "what failed left nothing");
}

/// C07: two companies post at once, every fifth document is refused, and each counts on its own without a gap.
#[tokio::test]
async fn numbers_have_no_gap_whoever_posts_at_once() {
    let s = scene(crate::ALL).await;
    let offices = [Office::in_company(&s, "A").await, Office::in_company(&s, "B").await];
    let mut drafts = Vec::new();
    for n in 0..40 {
        let office = &offices[n % 2];
        let lines = if n % 5 == 0 { json!([]) } else { json!([{ "name": "x", "price": "1" }]) };
        drafts.push((office, office.invoice(json!({ "lines": lines })).await));
    }
    let post = drafts.iter().map(|(office, draft)| office.insist(INVOICES, draft, "post", json!({})));
    let posted = futures_util::future::join_all(post).await.into_iter().filter(|done| *done).count();
    assert_eq!(posted, 32);
    for office in &offices {
        let query = [("status", "sent"), ("sort", "number"), ("limit", "100")];
        let all = office.anna.list(INVOICES, &query).await.ok();
        let numbers: Vec<&str> =
            all["data"].as_array().unwrap().iter().map(|i| i["number"].as_str().unwrap()).collect();
        assert_eq!(numbers, (1..=16).map(|n| format!("INV-{n:05}")).collect::<Vec<_>>());
    }
}

/// C10: what is posted is closed to SQL as well, not only to the API.
#[tokio::test]
async fn what_is_posted_stays_as_it_is_whoever_writes() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = a.posted("100").await;
    let (line, id) = (testkit::id(&invoice["lines"][0]), testkit::id(&invoice));
    for sql in [
        format!("update finance.invoice_lines set price = 1 where id = '{line}'"),
        format!("update finance.invoice_lines set deleted_at = now() where id = '{line}'"),
        format!("delete from finance.invoice_lines where id = '{line}'"),
        format!("insert into finance.invoice_lines (invoice_id, name, price, quantity) values ('{id}', 'more', 1, 1)"),
        format!("update finance.invoices set gross = 1 where id = '{id}'"),
        format!("update finance.invoices set net = 1, gross = 1 where id = '{id}'"),
        format!("update finance.invoices set number = 'INV-99999' where id = '{id}'"),
        format!("update finance.invoices set status = 'draft' where id = '{id}'"),
        format!("update finance.invoices set deleted_at = now() where id = '{id}'"),
        format!("delete from finance.invoices where id = '{id}'"),
    ] {
        let done = kernel::within!(s.store, &a.mona.actor, tx => Ok(tx.execute(&sql, &[]).await?));
        assert!(!matches!(done, Ok(n) if n > 0), "{sql}");
    }
    assert_eq!(a.anna.read(INVOICES, &invoice).await.ok(), invoice);
}

/// C13: whatever is done in whatever order, the books add up; `finance.verify` says what that means.
#[tokio::test]
async fn books_add_up_after_anything() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut any = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap() % n
    };
    let (mut records, mut done): (Vec<(&str, Value)>, usize) = (Vec::new(), 0);
    for _ in 0..400 {
        let amount = ["0.01", "3.335", "10", "33.33", "100"][any(5)];
        let (quantity, tax) = (["1", "3", "0.5"][any(3)], ["0", "7", "16"][any(3)]);
        let line = json!({ "name": "x", "price": amount, "quantity": quantity, "tax_rate": tax });
        // Of another currency every document has a rate of its own.
        let (currency, rate) = [("EUR", "1"), ("USD", "0.9137"), ("USD", "1.2"), ("USD", "0.3333333333")][any(4)];
        if records.len() < 4 || any(6) == 0 {
            let (entity, body) = match any(3) {
                0 => (ORDERS, json!({ "customer_id": a.party["id"], "lines": [line] })),
                1 => (INVOICES, json!({ "party_id": a.party["id"], "lines": [line], "currency": currency, "exchange_rate": rate })),
                _ => (PAYMENTS, json!({ "party_id": a.party["id"], "amount": amount, "currency": currency, "exchange_rate": rate })),
            };
            if let Ok(made) = a.mona.create(entity, body).await.result() {
                records.push((entity, made));
                done += 1;
            }
            continue;
        }
        let (entity, record) = records[any(records.len())].clone();
        let actions: &[&str] = match entity {
            ORDERS => &["confirm", "ship", "invoice", "cancel", "reopen", "deliver", "return", "edit"],
            INVOICES => &["post", "pay", "credit", "cancel", "edit", "pay", "post", "write_off"],
            WRITE_OFFS => &["take_back"],
            _ => &["complete", "allocate", "process", "void", "fail", "cancel", "edit", "complete", "allocate", "unallocate"],
        };
        let seen = a.mona.read(entity, &record).await.ok();
        let action = actions[any(actions.len())];
        let outcome = match action {
            "edit" if entity == PAYMENTS => a.mona.update(entity, &seen, json!({ "amount": amount })).await,
            "edit" => a.mona.update(entity, &seen, json!({ "lines": [line] })).await,
            "allocate" => {
                let invoices: Vec<&Value> = records.iter().filter(|r| r.0 == INVOICES).map(|r| &r.1).collect();
                if invoices.is_empty() {
                    continue;
                }
                let to = invoices[any(invoices.len())]["id"].clone();
                let body = json!({ "allocations": [{ "invoice_id": to, "amount": amount }] });
                a.mona.act_with(entity, &seen, action, body).await
            }
            "pay" | "credit" | "write_off" if any(2) == 0 => {
                a.mona.act_with(entity, &seen, action, json!({ "amount": amount })).await
            }
            _ => a.mona.act(entity, &seen, action).await,
        };
        match outcome.result() {
            Ok(changed) => {
                done += 1;
                let more = changed["version"].as_i64() >= seen["version"].as_i64();
                assert!(more, "{action}: {seen} became {changed}");
                if let Some(made) = changed["_made"]["entity"].as_str() {
                    let made = [INVOICES, PAYMENTS, WRITE_OFFS].into_iter().find(|e| *e == made);
                    records.extend(made.map(|entity| (entity, changed["_made"].clone())));
                }
            }
            Err(kernel::Error::Broken(e)) => panic!("{action}: {e}"),
            Err(_) => {}
        }
    }
    assert!(done > 100, "only {done} of 400 were done");
    let totals = "select o.number from sales.orders o where o.organization_id = $1 and (o.net, o.tax, o.gross) <>
        (select coalesce(sum(l.net), 0), coalesce(sum(l.tax), 0), coalesce(sum(l.gross), 0) from sales.order_lines l
         where l.organization_id = o.organization_id and l.order_id = o.id and l.deleted_at is null)";
    let ledger = "select wrong from ledger.verify() where organization_id = $1";
    for sql in ["select wrong from finance.verify() where organization_id = $1", ledger, totals] {
        assert_eq!(s.strings(sql, &[&a.mona.actor.organization]).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn fifty_allocations_at_once_never_give_more_than_was_paid() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let (one, two) = (a.posted("100").await, a.posted("100").await);
    let payment = a.payment("100").await;
    a.anna.act(PAYMENTS, &payment, "complete").await.ok();
    let give = (0..50).map(|n| {
        let (x, y) = if n % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let body = json!({ "allocations": [{ "invoice_id": x["id"], "amount": "4" }, { "invoice_id": y["id"], "amount": "3" }] });
        a.insist(PAYMENTS, &payment, "allocate", body)
    });
    let given = futures_util::future::join_all(give).await.into_iter().filter(|done| *done).count();
    let payment = a.anna.read(PAYMENTS, &payment).await.ok();
    assert_eq!(
        (given, plain(&payment["allocated"]), plain(&payment["unallocated"])),
        (14, "98", "2")
    );
    let paid = cents(&a.anna.read(INVOICES, &one).await.ok()["paid"])
        + cents(&a.anna.read(INVOICES, &two).await.ok()["paid"]);
    assert_eq!(paid, 9800);
}

#[tokio::test]
async fn only_completed_payments_count() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = a.posted("100").await;
    let allocation = json!([{ "invoice_id": invoice["id"], "amount": "40" }]);
    let payment = json!({ "party_id": a.party["id"], "amount": "50", "allocations": allocation });
    let payment = a.anna.create(PAYMENTS, payment).await.ok();
    assert_eq!((plain(&payment["allocated"]), a.balance(&invoice).await.as_str()), ("40", "100"));
    let payment = a.anna.act(PAYMENTS, &payment, "complete").await.ok();
    assert_eq!(a.balance(&invoice).await, "60");
    a.anna
        .update(PAYMENTS, &payment, json!({ "amount": "60" }))
        .await
        .refused("amount cannot change");
    let row = json!({ "id": payment["allocations"][0]["id"], "amount": "1" });
    a.anna
        .update(PAYMENTS, &payment, json!({ "allocations": [row] }))
        .await
        .refused("can only be taken back");
    a.anna.delete(PAYMENTS, &payment).await.refused("void it instead");

    let payment = a.anna.act(PAYMENTS, &payment, "unallocate").await.ok();
    assert_eq!((plain(&payment["allocated"]), a.balance(&invoice).await.as_str()), ("0", "100"));
    assert!(payment["allocations"][0]["reversed_on"].is_string(), "it stays in the books");
    let payment = a.anna.act(PAYMENTS, &payment, "allocate").await.ok();
    assert_eq!((plain(&payment["allocated"]), a.balance(&invoice).await.as_str()), ("50", "50"));
    let payment = a.anna.act(PAYMENTS, &payment, "void").await.ok();
    assert_eq!(
        (&payment["status"], a.balance(&invoice).await.as_str()),
        (&json!("cancelled"), "100")
    );
    assert_eq!(a.anna.read(INVOICES, &invoice).await.ok()["status"], "sent", "open again");
    a.anna
        .act(PAYMENTS, &payment, "allocate")
        .await
        .refused("Cannot allocate a record that is cancelled");
}

#[tokio::test]
async fn money_goes_where_it_belongs() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = a.posted("100").await;
    let draft = a.invoice(json!({ "lines": [{ "name": "x", "price": "1" }] })).await;
    let other = a.anna.create("parties.parties", json!({ "name": "Other" })).await.ok();
    let try_to = async |payment: Value, on: &Value, why: &str| {
        let mut payment = payment;
        payment["allocations"] = json!([{ "invoice_id": on["id"], "amount": payment["amount"] }]);
        a.anna.create(PAYMENTS, payment).await.refused(why);
    };
    let party = &a.party["id"];
    try_to(
        json!({ "party_id": party, "amount": "5" }),
        &draft,
        "Only a posted invoice can be paid.",
    )
    .await;
    try_to(json!({ "party_id": other["id"], "amount": "5" }), &invoice, "are of different parties")
        .await;
    try_to(
        json!({ "party_id": party, "amount": "5", "currency": "USD" }),
        &invoice,
        "The payment is in USD, the invoice in EUR.",
    )
    .await;
    try_to(
        json!({ "party_id": party, "amount": "5", "direction": "out" }),
        &invoice,
        "money that goes out",
    )
    .await;
    try_to(
        json!({ "party_id": party, "amount": "5.001" }),
        &invoice,
        "more digits than the currency",
    )
    .await;
    a.anna
        .act_with(INVOICES, &invoice, "pay", json!({ "amount": "100.01" }))
        .await
        .refused("No more can be paid on an invoice than is open.");
    for (body, why) in [
        (json!({ "amount": "-1" }), "more than nothing"),
        (json!({ "amount": "x" }), "not a number"),
        (json!({ "paid_on": "2026-02-30" }), "not a date"),
        (json!({ "method": "GOLD" }), "One of CASH"),
    ] {
        a.anna.act_with(INVOICES, &invoice, "pay", body).await.refused(why);
    }
    a.anna
        .act_with(INVOICES, &invoice, "pay", json!({ "amount": "1", "transaction_id": "T1" }))
        .await
        .ok();
    a.anna
        .act_with(INVOICES, &invoice, "pay", json!({ "amount": "1", "transaction_id": "T1" }))
        .await
        .refused("This transaction has been entered already.");
    let gus = Office::in_company(&s, "Globex").await;
    let theirs = gus.posted("5").await;
    gus.anna.act_with(INVOICES, &theirs, "pay", json!({ "transaction_id": "T1" })).await.ok();
    gus.anna.act(INVOICES, &invoice, "pay").await.not_found();
}

#[tokio::test]
async fn a_bill_of_a_supplier_is_entered_once_and_paid_out() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let bill = json!({ "direction": "in", "supplier_number": "77", "lines": [{ "name": "Iron", "price": "50", "tax_rate": "19", "tax_adjustment": "0.01" }] });
    let bill = a.post(a.invoice(bill).await).await;
    assert_eq!((&bill["number"], plain(&bill["gross"])), (&json!("BILL-00001"), "59.51"));
    let again = json!({ "party_id": a.party["id"], "direction": "in", "supplier_number": "77" });
    a.anna.create(INVOICES, again).await.refused("This supplier's invoice is here already.");
    let paid = a.anna.act(INVOICES, &bill, "pay").await.ok();
    assert_eq!(a.anna.read(PAYMENTS, &paid["_made"]).await.ok()["direction"], "out");
}

#[tokio::test]
async fn a_receipt_is_for_money_that_came_in() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let payment = a.payment("100").await;
    a.anna
        .act(PAYMENTS, &payment, "receipt")
        .await
        .refused("Cannot receipt a record that is pending");
    a.anna.act(PAYMENTS, &payment, "complete").await.ok();
    let made = a.anna.act(PAYMENTS, &payment, "receipt").await.ok();
    let receipt = a.anna.read(INVOICES, &made["_made"]).await.ok();
    assert_eq!(
        (&receipt["number"], &receipt["status"], plain(&receipt["balance"])),
        (&json!("RC-00001"), &json!("paid"), "0")
    );
    a.anna
        .act(PAYMENTS, &payment, "receipt")
        .await
        .refused("There is a receipt for this payment already.");
}

#[tokio::test]
async fn ageing_tells_what_was_open_on_a_day() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let due = async |amount: &str, issued: &str, due: &str| {
        a.post(a.invoice(json!({ "issued_on": issued, "due_on": due, "lines": [{ "name": "x", "price": amount }] })).await).await
    };
    let old = due("100", "2026-01-01", "2026-01-31").await;
    due("200", "2026-03-01", "2026-03-31").await;
    due("400", "2026-04-01", "2026-05-01").await;
    a.anna
        .act_with(INVOICES, &old, "pay", json!({ "amount": "30", "paid_on": "2026-04-10" }))
        .await
        .ok();
    let loose = json!({ "party_id": a.party["id"], "amount": "7", "paid_on": "2026-04-01" });
    let loose = a.anna.create(PAYMENTS, loose).await.ok();
    a.anna.act(PAYMENTS, &loose, "complete").await.ok();
    let told = async |on: &str| {
        a.anna
            .call("finance", "invoice_aging", json!({ "as_of": on, "buckets": [30, 60] }))
            .await
            .ok()["rows"][0]
            .clone()
    };
    let row = told("2026-04-10").await;
    let said = |row: &Value| {
        (
            row["not_due"].clone(),
            row["aged"].clone(),
            row["unallocated"].clone(),
            row["total"].clone(),
        )
    };
    assert_eq!(
        said(&row),
        (json!("400.00"), json!(["200.00", "0.00", "70.00"]), json!("-7.00"), json!("663.00"))
    );
    assert_eq!(
        said(&told("2026-04-09").await),
        (json!("400.00"), json!(["200.00", "0.00", "100.00"]), json!("-7.00"), json!("693.00")),
        "the day before it was paid"
    );
    assert_eq!(
        said(&told("2026-01-31").await),
        (json!("100.00"), json!(["0.00", "0.00", "0.00"]), json!("0.00"), json!("100.00")),
        "due today is not late"
    );
    a.anna
        .call("finance", "invoice_aging", json!({ "buckets": [60, 30] }))
        .await
        .refused("growing");
}

#[tokio::test]
async fn rights_to_money_are_few() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = a.posted("100").await;
    let (sally, vera, emil) = (
        s.person("Acme", "salesperson").await,
        s.person("Acme", "verifier").await,
        s.person("Acme", "employee").await,
    );
    sally.read(INVOICES, &invoice).await.not_found();
    vera.read(INVOICES, &invoice).await.ok();
    vera.act(INVOICES, &invoice, "pay").await.forbidden();
    emil.list(INVOICES, &[]).await.forbidden();
    let customer = sally.create("parties.parties", json!({ "name": "Hers" })).await.ok();
    let order = json!({ "customer_id": customer["id"], "lines": [{ "name": "x", "price": "10" }] });
    let order = sally.create(ORDERS, order).await.ok();
    sally.act(ORDERS, &order, "confirm").await.ok();
    let made = sally.act(ORDERS, &order, "invoice").await.ok();
    let hers = sally.act(INVOICES, &made["_made"], "post").await.ok();
    assert_eq!(hers["number"], "INV-00002");
    sally.act(INVOICES, &hers, "pay").await.forbidden();
}

const ORDERS: &str = "sales.orders";

/// An accountant, a manager and somebody to deal with.
struct Office {
    anna: Person,
    mona: Person,
    party: Value,
}

impl Office {
    async fn of(s: &Scene) -> Office {
        Office::in_company(s, "Acme").await
    }

    async fn in_company(s: &Scene, company: &str) -> Office {
        let (anna, mona) =
            (s.person(company, "accountant").await, s.person(company, "manager").await);
        let party = anna.create("parties.parties", json!({ "name": "Party" })).await.ok();
        Office { anna, mona, party }
    }

    async fn invoice(&self, mut invoice: Value) -> Value {
        invoice["party_id"] = self.party["id"].clone();
        self.anna.create(INVOICES, invoice).await.ok()
    }

    async fn post(&self, invoice: Value) -> Value {
        self.anna.act(INVOICES, &invoice, "post").await.ok()
    }

    async fn posted(&self, amount: &str) -> Value {
        self.post(self.invoice(json!({ "lines": [{ "name": "x", "price": amount }] })).await).await
    }

    async fn payment(&self, amount: &str) -> Value {
        self.anna
            .create(PAYMENTS, json!({ "party_id": self.party["id"], "amount": amount }))
            .await
            .ok()
    }

    async fn order(&self, mut order: Value) -> Value {
        order["customer_id"] = self.party["id"].clone();
        self.mona.create(ORDERS, order).await.ok()
    }

    /// Whether it was done; refused is an answer, a busy server is none.
    async fn insist(&self, entity: &str, record: &Value, action: &str, body: Value) -> bool {
        loop {
            match self.anna.act_with(entity, record, action, body.clone()).await.result() {
                Err(kernel::Error::Unavailable(_)) => {}
                Err(kernel::Error::Refused(_)) => return false,
                done => return !done.unwrap().is_null(),
            }
        }
    }

    async fn balance(&self, invoice: &Value) -> String {
        plain(&self.anna.read(INVOICES, invoice).await.ok()["balance"]).to_owned()
    }
}


fn cents(amount: &Value) -> i64 {
    let text = plain(amount);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<2}").parse().unwrap()
}

async fn sound(s: &Scene, who: &Person) {
    for module in ["finance", "ledger"] {
        let sql = format!("select wrong from {module}.verify() where organization_id = $1");
        assert_eq!(s.strings(&sql, &[&who.actor.organization]).await, [""; 0], "{module}");
    }
}

/// The company wants an action approved where its amount is more than 100; whoever owns it says so.
async fn held_back(s: &Scene, entity: &str, action: &str, field: &str) -> Person {
    let owner = s.person("Acme", "owner").await;
    let levels = json!([{ "people": [owner.actor.user] }]);
    let condition = json!({ "field": field, "op": "gt", "value": 100 });
    let rule = json!({ "name": "Large", "entity": entity, "action": action, "condition": condition, "levels": levels });
    let rule = serde_json::from_value(rule).unwrap();
    flow::approval_rules::put(&owner.store, &owner.actor, None, &rule).await.unwrap();
    owner
}

async fn decide(who: &Person, made: &Value, decision: &str) -> kernel::Result<Value> {
    let decision = flow::approvals::Decision { decision, comment: Some("because"), to: None };
    flow::approvals::decide(&who.store, &who.actor, testkit::id(&made["approval"]), &decision).await
}

#[tokio::test]
async fn a_credit_note_waits_where_a_rule_holds_back_its_posting() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let lines = json!([{ "name": "x", "price": "50", "quantity": "4", "tax_rate": "20" }]);
    let invoice = a.post(a.invoice(json!({ "lines": lines })).await).await;
    let next = a.posted("200").await;
    let owner = held_back(&s, INVOICES, "post", "gross").await;

    // A small one is posted at once, as ever.
    let credited = a.anna.act_with(INVOICES, &invoice, "credit", json!({ "amount": "40" })).await.ok();
    assert_eq!((plain(&credited["credited"]), &credited["_made"]["approval"]), ("40", &json!(null)));

    // A large one waits as a draft, and takes nothing back yet; nobody takes the same back beside it.
    let credited = a.anna.act_with(INVOICES, &invoice, "credit", json!({ "amount": "150" })).await.ok();
    let made = credited["_made"].clone();
    assert!(made["message"].as_str().unwrap().starts_with("This waits for approval by"), "{made}");
    let note = a.anna.read(INVOICES, &made).await.ok();
    assert_eq!((&note["status"], plain(&note["gross"])), (&json!("draft"), "150"));
    assert_eq!((plain(&credited["credited"]), a.balance(&invoice).await.as_str()), ("40", "200"));
    let more = json!({ "amount": "51" });
    a.anna.act_with(INVOICES, &invoice, "credit", more).await.refused("No more than 50 can be credited.");
    a.anna.act(INVOICES, &invoice, "credit").await.ok();
    a.anna.act(INVOICES, &invoice, "credit").await.refused("A draft credits the rest of this invoice already.");
    decide(&a.anna, &made, "approve").await.unwrap_err();
    decide(&owner, &made, "approve").await.unwrap();
    let note = a.anna.read(INVOICES, &made).await.ok();
    assert_eq!((&note["status"], &note["number"]), (&json!("paid"), &json!("CN-00003")));
    assert_eq!(a.balance(&invoice).await, "0");

    // What was refused is a draft; thrown away, it takes nothing.
    let refused = a.anna.act(INVOICES, &next, "credit").await.ok()["_made"].clone();
    decide(&owner, &refused, "reject").await.unwrap();
    a.anna.act(INVOICES, &next, "credit").await.refused("A draft credits");
    a.anna.act(INVOICES, &refused, "cancel").await.ok();
    assert_eq!(a.balance(&next).await, "200");
    a.anna.act_with(INVOICES, &next, "credit", json!({ "amount": "90" })).await.ok();
    assert_eq!(a.balance(&next).await, "110");
    sound(&s, &a.anna).await;
}

#[tokio::test]
async fn a_payment_waits_where_a_rule_holds_back_its_completion() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let invoice = a.posted("500").await;
    let owner = held_back(&s, PAYMENTS, "complete", "amount").await;
    let small = a.anna.act_with(INVOICES, &invoice, "pay", json!({ "amount": "100" })).await.ok();
    assert_eq!((plain(&small["balance"]), &small["_made"]["approval"]), ("400", &json!(null)));
    let large = a.anna.act(INVOICES, &invoice, "pay").await.ok();
    assert_eq!(plain(&large["balance"]), "400", "it does not count yet");
    assert_eq!(a.anna.read(PAYMENTS, &large["_made"]).await.ok()["status"], "pending");
    decide(&owner, &large["_made"], "approve").await.unwrap();
    assert_eq!(a.balance(&invoice).await, "0");
    // Money that goes back waits too, and frees nothing before.
    let reason = json!({ "reason": "twice", "reversal": "mistake" });
    let back = a.anna.act_with(PAYMENTS, &large["_made"], "reverse", reason).await.ok();
    assert_eq!(a.balance(&invoice).await, "0");
    decide(&owner, &back["_made"], "approve").await.unwrap();
    assert_eq!(a.balance(&invoice).await, "400");
    // Of what he may not see nobody knows whether a rule means it: then it is not done.
    let may = |action: &str| (INVOICES.to_owned(), action.to_owned(), kernel::Scope::All);
    let role = kernel::Role { name: "cashier".into(), permissions: vec![may("read"), may("pay")], ..kernel::Role::default() };
    let cashier = s.person_with("Acme", &[role]).await;
    cashier.act(INVOICES, &invoice, "pay").await.not_found();
    sound(&s, &a.anna).await;
}

#[tokio::test]
async fn what_a_payment_method_keeps_is_booked_with_the_payment() {
    let s = scene(crate::ALL).await;
    let a = Office::of(&s).await;
    let owner = s.person("Acme", "owner").await;
    let account = async |body: Value| owner.create("ledger.ledger_accounts", body).await.ok();
    let gateway = account(json!({ "code": "1099", "name": "Gateway", "kind": "asset", "category": "bank" })).await;
    let charges = account(json!({ "code": "6799", "name": "Charges", "kind": "expense", "category": "operating" })).await;
    let cards = json!({ "name": "Cards", "method": "CARD", "account_id": gateway["id"], "fee_percent": "2.9", "fee_amount": "0.3" });
    let no_account = owner.create("finance.payment_methods", cards.clone()).await;
    no_account.refused("Say on which account the fee is written.");
    let with = |mut method: Value| {
        method["fee_account_id"] = charges["id"].clone();
        method
    };
    let cards = owner.create("finance.payment_methods", with(cards)).await.ok();
    let invoice = a.posted("100").await;
    let paid = async |amount: &str| {
        let body = json!({ "party_id": a.party["id"], "amount": amount, "payment_method_id": cards["id"] });
        a.anna.create(PAYMENTS, body).await.ok()
    };
    let books = async || {
        let rows = a.anna.call("ledger", "trial_balance", json!({})).await.ok()["rows"].clone();
        let of = |code: &str| rows.as_array().unwrap().iter().find(|r| r["code"] == code).map_or("0".into(), |r| plain(&r["closing"]).to_owned());
        (of("1099"), of("6799"))
    };
    let payment = paid("100").await;
    a.anna.act(PAYMENTS, &payment, "allocate").await.ok();
    let payment = a.anna.act(PAYMENTS, &payment, "complete").await.ok();
    assert_eq!((plain(&payment["fee"]), a.balance(&invoice).await.as_str()), ("3.2", "0"), "the customer has paid all of it");
    assert_eq!(books().await, ("96.8".into(), "3.2".into()));
    // What never was has cost nothing; of a cent no more than a cent is kept.
    let never = a.anna.act(PAYMENTS, &paid("50").await, "complete").await.ok();
    a.anna.act(PAYMENTS, &never, "void").await.ok();
    let cent = a.anna.act(PAYMENTS, &paid("0.01").await, "complete").await.ok();
    assert_eq!(plain(&cent["fee"]), "0.01");
    assert_eq!(books().await, ("96.8".into(), "3.21".into()));
    sound(&s, &a.anna).await;
    s.admin()
        .execute("update finance.payments set fee = 3 where organization_id = $1 and id = $2", &[&a.anna.actor.organization, &testkit::id(&payment)])
        .await
        .unwrap();
    let wrong = s.strings("select wrong from finance.verify() where organization_id = $1", &[&a.anna.actor.organization]).await;
    assert_eq!(wrong, [format!("payment {}: its fee is 3.000000, the books say 3.200000", payment["number"].as_str().unwrap())]);
}
