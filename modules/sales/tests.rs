//! Orders, as the people who work with them see them.

use kernel::{CustomField, Kind, Overlay};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, scene, scene_alone, plain};

/// Row security switches off every index whose operator is not leakproof, and what PostgreSQL may use it does not always
/// choose: so this asks as people ask, and looks which indexes were read.
#[tokio::test]
async fn filters_of_a_large_company_use_their_indexes() {
    let s = scene_alone(crate::ALL).await;
    let mut ann = s.person("Large", "owner").await;
    let own = |name: &str, kind| CustomField { name: name.into(), label: name.into(), kind, ..CustomField::default() };
    let fields = [("sales.orders".to_owned(), vec![own("grade", Kind::Text), own("weight", Kind::Number)])];
    ann.actor.overlay = Arc::new(Overlay { fields: fields.into(), ..Overlay::default() });
    let customer = ann.create("parties.parties", json!({ "name": "Rare & Sons" })).await.ok();
    let (here, who) = (ann.actor.organization, ann.actor.user);
    let rare = customer["id"].as_str().unwrap();
    let load = format!(
        "set session_replication_role = replica;
         insert into sales.orders (organization_id, number, customer_id, status, ordered_on, currency, note, custom, assigned_to, created_by)
         select '{here}', 'SO-' || n, case when n % 3000 = 0 then '{rare}'::uuid else app.new_id() end, case when n % 3000 = 0 then 'returned' else 'shipped' end,
            date '2020-01-01' + n / 20, 'EUR', case when n % 3000 = 0 then 'handle with care' end,
            jsonb_build_object('grade', case when n % 3000 = 0 then 'A' else 'B' || n end, 'weight', n * 0.5), '{who}', '{who}' from generate_series(1, 30000) n;
         set session_replication_role = origin"
    );
    s.admin().batch_execute(&load).await.unwrap();
    let load = format!(
        "insert into products.products (organization_id, sku, name, price, created_by)
         select '{here}', 'P-' || n, 'Product ' || n, n * 0.25, '{who}' from generate_series(1, 30000) n"
    );
    s.admin().batch_execute(&load).await.unwrap();
    s.admin().batch_execute("analyze sales.orders, products.products").await.unwrap();
    let price = json!({ "field": "price", "op": "between", "value": ["2500", "2502.5"] });
    let day = json!({ "field": "ordered_on", "op": "between", "value": ["2021-03-01", "2021-03-02"] });
    for (index, query) in [
        ("products_price", ("filter", price.to_string())),
        ("orders_number", ("number", "SO-17".to_owned())),
        ("orders_status", ("status", "returned".to_owned())),
        ("orders_customer_id_fk", ("customer_id", rare.to_owned())),
        ("orders_ordered_on", ("filter", day.to_string())),
        ("orders_custom", ("cf.grade", "A".to_owned())),
        ("orders_custom", ("cf.weight", "750.00".to_owned())),
        ("orders_search", ("q", "handle care".to_owned())),
        ("orders_trigram", ("q", "handle care".to_owned())),
    ] {
        let before = reads(&s, index).await;
        let entity = if index.starts_with("products") { "products.products" } else { "sales.orders" };
        let found = ann.list(entity, &[(query.0, &query.1)]).await.ok();
        assert!(!found["data"].as_array().unwrap().is_empty(), "{query:?}");
        // The counters of the connection that asked are told to others at the end of this.
        let told = "with x as materialized (select pg_stat_force_next_flush()) select count(*)::text from x";
        s.store.outside(told).await.unwrap();
        assert!(reads(&s, index).await > before, "{query:?} did not read {index}");
    }
}

async fn reads(s: &testkit::Scene, index: &str) -> i64 {
    let sql = "select idx_scan from pg_stat_user_indexes where schemaname in ('sales', 'products') and indexrelname = $1";
    s.admin().query_one(sql, &[&index]).await.unwrap().get(0)
}

/// Worked out apart, with decimal arithmetic and half up: inclusive and exclusive, discounts, currencies of 0, 2 and 3 digits.
#[tokio::test]
async fn a_line_is_rounded_once_by_its_currency() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let customer = sally.create("parties.parties", json!({ "name": "C" })).await.ok();
    let mut cases: Vec<(&str, Vec<Value>)> = Vec::new();
    for line in include_str!("testdata/lines.csv").lines().skip(1) {
        let cells: Vec<&str> = line.splitn(8, ',').collect();
        let [currency, quantity, price, percent, amount, rate, inclusive, expected] = cells[..]
        else {
            panic!("{line}")
        };
        if cases.last().is_none_or(|c| c.0 != currency) {
            cases.push((currency, Vec::new()));
        }
        cases.last_mut().unwrap().1.push(json!({
            "name": line, "note": expected, "quantity": quantity, "price": price, "discount_percent": percent,
            "discount_amount": amount, "tax_rate": rate, "price_includes_tax": inclusive == "true",
        }));
    }
    assert_eq!(cases.len(), 3);
    for (currency, lines) in cases {
        let count = lines.len();
        let order = json!({ "customer_id": customer["id"], "currency": currency, "lines": lines });
        let order = sally.create("sales.orders", order).await.ok();
        let made = order["lines"].as_array().unwrap();
        assert_eq!(made.len(), count);
        for line in made {
            let amounts = ["net", "tax", "gross"].map(|f| plain(&line[f])).join(",");
            assert_eq!(line["note"], amounts, "{}", line["name"]);
        }
    }
}

#[tokio::test]
async fn northwind_adds_up() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let customer = sally
        .create("parties.parties", json!({ "name": "Northwind", "currency": "USD" }))
        .await
        .ok();
    let lines: Vec<Value> = include_str!("testdata/northwind_order_details.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            // A fraction of at most two digits, as percent.
            let percent = cells[4].split_once('.').map_or("0".into(), |(_, digits)| format!("{digits:0<2}"));
            json!({ "name": cells[1], "price": cells[2], "quantity": cells[3], "discount_percent": percent })
        })
        .collect();
    let order =
        json!({ "customer_id": customer["id"], "shipping_cost": "64942.69", "lines": lines });
    let order = sally.create("sales.orders", order).await.ok();
    assert_eq!((&order["net"], &order["total"]), (&json!("1265793.29"), &json!("1330735.98")));
}

#[tokio::test]
async fn a_line_starts_from_its_product_and_the_tax_of_the_day() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let shop = Shop::of(&sally).await;
    for (on, net, tax) in [("2025-12-31", "100", "12"), ("2026-01-01", "96.55", "15.45")] {
        let order = shop
            .order(
                &sally,
                json!({ "ordered_on": on, "lines": [{ "product_id": shop.lamp["id"] }] }),
            )
            .await;
        let line = &order["lines"][0];
        assert_eq!(
            (&line["name"], &line["code"], &line["unit"]),
            (&json!("Lamp"), &json!("L"), &json!("pcs"))
        );
        assert_eq!(
            ["price", "net", "tax", "gross"].map(|f| plain(&line[f])),
            ["112", net, tax, "112"]
        );
    }
    let without = json!({ "ordered_on": "2026-01-01", "prices_include_tax": false, "lines": [{ "product_id": shop.lamp["id"] }] });
    let without = shop.order(&sally, without).await;
    assert_eq!(
        (&without["lines"][0]["price"], &without["net"]),
        (&json!("96.551724"), &json!("96.55"))
    );
    let foreign = json!({ "customer_id": shop.customer["id"], "currency": "JPY", "lines": [{ "product_id": shop.lamp["id"] }] });
    sally.create("sales.orders", foreign).await.refused("the product has none in this currency");
    let split = json!({ "customer_id": shop.customer["id"], "lines": [{ "product_id": shop.lamp["id"], "quantity": "0.5" }] });
    sally.create("sales.orders", split).await.refused("is counted in pcs, with 0 decimals");
    all_rights(&sally)
        .update("products.products", &shop.lamp, json!({ "status": "inactive" }))
        .await
        .ok();
    let gone =
        json!({ "customer_id": shop.customer["id"], "lines": [{ "product_id": shop.lamp["id"] }] });
    sally.create("sales.orders", gone).await.refused("Lamp is not for sale.");
}

#[tokio::test]
async fn another_currency_rounds_the_lines_anew() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let shop = Shop::of(&sally).await;
    let order = shop
        .order(&sally, json!({ "lines": [{ "name": "x", "price": "10.555", "tax_rate": "10" }] }))
        .await;
    assert_eq!((&order["net"], &order["gross"]), (&json!("10.56"), &json!("11.62")));
    for (currency, net, gross) in [("JPY", "11", "12"), ("KWD", "10.555", "11.611")] {
        let now = sally.read("sales.orders", &order).await.ok();
        let order = sally.update("sales.orders", &now, json!({ "currency": currency })).await.ok();
        assert_eq!(["net", "gross"].map(|f| plain(&order[f])), [net, gross], "{currency}");
    }
}

#[tokio::test]
async fn the_order_remembers_where_it_goes() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let addresses = json!([{ "kind": "shipping", "street": "Abai 1", "city": "Almaty" }, { "kind": "legal", "street": "Dostyk 2", "city": "Astana", "country": "KZ" }]);
    let customer = json!({ "name": "Kazakh Steel", "legal_name": "TOO Kazakh Steel", "payment_terms": "NET_15", "currency": "KZT", "addresses": addresses });
    let customer = sally.create("parties.parties", customer).await.ok();
    let order = sally.create("sales.orders", json!({ "customer_id": customer["id"] })).await.ok();
    let said = [
        "ship_name",
        "ship_street",
        "ship_city",
        "bill_name",
        "bill_street",
        "bill_country",
        "currency",
        "payment_terms",
        "number",
    ]
    .map(|f| order[f].as_str().unwrap());
    assert_eq!(
        said,
        [
            "Kazakh Steel",
            "Abai 1",
            "Almaty",
            "TOO Kazakh Steel",
            "Dostyk 2",
            "KZ",
            "KZT",
            "NET_15",
            "SO-00001"
        ]
    );
    let own = sally
        .create("sales.orders", json!({ "customer_id": customer["id"], "ship_city": "Osh" }))
        .await
        .ok();
    assert_eq!(
        (&own["ship_city"], &own["ship_street"], &own["bill_city"]),
        (&json!("Osh"), &json!(null), &json!("Astana"))
    );
}

#[tokio::test]
async fn an_empty_order_is_not_confirmed() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let shop = Shop::of(&sally).await;
    let order = shop.order(&sally, json!({})).await;
    sally.act("sales.orders", &order, "confirm").await.refused("An order needs at least one line");
}

#[tokio::test]
async fn orders_within_the_credit_limit_only() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let shop = Shop::of(&sally).await;
    sally.update("parties.parties", &shop.customer, json!({ "credit_limit": "250" })).await.ok();
    let line = json!({ "lines": [{ "name": "x", "price": "100" }], "shipping_cost": "20" });
    let first = shop.order(&sally, line.clone()).await;
    let second = shop.order(&sally, line.clone()).await;
    let third = shop.order(&sally, line).await;
    sally.act("sales.orders", &first, "confirm").await.ok();
    sally.act("sales.orders", &second, "confirm").await.ok();
    sally
        .act("sales.orders", &third, "confirm")
        .await
        .refused("This order takes Customer over the credit limit by 110.");
    sally.act("sales.orders", &first, "cancel").await.ok();
    sally.act("sales.orders", &third, "confirm").await.ok();
    let summary = sally
        .call("sales", "customer_summary", json!({ "customer": shop.customer["id"] }))
        .await
        .ok();
    assert_eq!(
        (&summary["orders"], &summary["value"], &summary["exposure"]),
        (&json!(2), &json!("240.00"), &json!("240"))
    );
}

#[tokio::test]
async fn a_confirmed_order_is_closed_but_for_what_happens_to_it() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let shop = Shop::of(&sally).await;
    let order = shop.order(&sally, json!({ "lines": [{ "name": "x", "price": "100" }] })).await;
    let order = sally.act("sales.orders", &order, "confirm").await.ok();
    sally
        .update("sales.orders", &order, json!({ "currency": "USD" }))
        .await
        .refused("currency cannot change");
    let line = json!({ "id": order["lines"][0]["id"], "price": "1" });
    sally
        .update("sales.orders", &order, json!({ "lines": [line] }))
        .await
        .refused("no longer open");
    sally
        .update("sales.orders", &order, json!({ "shipped_quantity": "1" }))
        .await
        .refused("cannot be written");
    sally
        .update("sales.orders", &order, json!({ "status": "shipped" }))
        .await
        .refused("Use an action");
    sally
        .update(
            "sales.orders",
            &order,
            json!({ "note": "call first", "promised_on": "2099-01-01" }),
        )
        .await
        .ok();
    sally.act("sales.orders", &order, "deliver").await.forbidden();
}

#[tokio::test]
async fn goods_go_out_in_parts_and_never_more_than_ordered() {
    let s = scene(crate::ALL).await;
    let (sally, dan) =
        (s.person("Acme", "salesperson").await, s.person("Acme", "dispatcher").await);
    let shop = Shop::of(&sally).await;
    let order = shop.order(&sally, json!({ "lines": [{ "name": "a", "price": "1", "quantity": "5" }, { "name": "b", "price": "1", "quantity": "2" }] })).await;
    let a =
        order["lines"].as_array().unwrap().iter().find(|l| l["name"] == "a").unwrap()["id"].clone();
    let some = |quantity: &str| json!({ "lines": [{ "id": a, "quantity": quantity }] });
    dan.act_with("sales.orders", &order, "ship_lines", some("1"))
        .await
        .refused("Cannot ship lines a record that is draft");
    sally.act("sales.orders", &order, "confirm").await.ok();
    let order = dan.act_with("sales.orders", &order, "ship_lines", some("3")).await.ok();
    assert_eq!((&order["status"], &order["shipped_quantity"]), (&json!("processing"), &json!("3")));
    dan.act_with("sales.orders", &order, "ship_lines", some("3"))
        .await
        .refused("No more can be shipped than was ordered.");
    dan.act_with("sales.orders", &order, "deliver_lines", some("4"))
        .await
        .refused("No more can be delivered than was shipped.");
    for (wrong, why) in [
        (json!({}), "Say which lines."),
        (some("-1"), "more than nothing"),
        (some("x"), "not a number"),
        (json!({ "lines": [{ "id": order["id"] }] }), "not of this order"),
    ] {
        dan.act_with("sales.orders", &order, "ship_lines", wrong).await.refused(why);
    }
    sally.act("sales.orders", &order, "cancel").await.refused("has been shipped already");
    let order = dan.act("sales.orders", &order, "ship").await.ok();
    assert_eq!((&order["status"], &order["shipped_quantity"]), (&json!("shipped"), &json!("7")));
    assert!(order["shipped_on"].is_string());
    dan.act_with("sales.orders", &order, "deliver_lines", some("5")).await.ok();
    dan.act_with("sales.orders", &order, "return_lines", some("6"))
        .await
        .refused("No more can be returned than was delivered.");
    let order = dan.act("sales.orders", &order, "deliver").await.ok();
    let order = dan.act_with("sales.orders", &order, "return_lines", some("1")).await.ok();
    assert_eq!((&order["status"], &order["returned_quantity"]), (&json!("delivered"), &json!("1")));
    let order = dan.act("sales.orders", &order, "return").await.ok();
    assert_eq!((&order["status"], &order["returned_quantity"]), (&json!("returned"), &json!("7")));
}

/// C05, for what has a stock here: the quantity of a line that is not shipped yet.
#[tokio::test]
async fn many_who_ship_at_once_ship_what_was_ordered() {
    let s = scene(crate::ALL).await;
    let (sally, dan) =
        (s.person("Acme", "salesperson").await, s.person("Acme", "dispatcher").await);
    let shop = Shop::of(&sally).await;
    let order = shop
        .order(&sally, json!({ "lines": [{ "name": "a", "price": "1", "quantity": "10" }] }))
        .await;
    let order = sally.act("sales.orders", &order, "confirm").await.ok();
    let one = json!({ "lines": [{ "id": order["lines"][0]["id"], "quantity": "1" }] });
    let ship = (0..24).map(|_| async {
        loop {
            match dan.act_with("sales.orders", &order, "ship_lines", one.clone()).await.result() {
                Err(kernel::Error::Unavailable(_)) => {}
                Err(kernel::Error::Refused(_)) => return false,
                done => return !done.unwrap().is_null(),
            }
        }
    });
    let shipped = futures_util::future::join_all(ship).await.into_iter().filter(|done| *done).count();
    let order = sally.read("sales.orders", &order).await.ok();
    assert_eq!((shipped, &order["shipped_quantity"]), (10, &json!("10")), "{order}");
}

#[tokio::test]
async fn what_is_cancelled_can_be_reopened() {
    let s = scene(crate::ALL).await;
    let sally = s.person("Acme", "salesperson").await;
    let shop = Shop::of(&sally).await;
    let order = shop.order(&sally, json!({ "lines": [{ "name": "x", "price": "100" }] })).await;
    let order = sally.act("sales.orders", &order, "cancel").await.ok();
    assert_eq!(
        (&order["payment_status"], &order["_actions"][0]),
        (&json!("cancelled"), &json!("reopen"))
    );
    let order = sally.act("sales.orders", &order, "reopen").await.ok();
    assert_eq!(order["status"], "draft");
    sally
        .act("sales.orders", &order, "reopen")
        .await
        .refused("Cannot reopen a record that is draft");
}

#[tokio::test]
async fn a_salesperson_sees_their_own_orders() {
    let s = scene(crate::ALL).await;
    let (sally, sam, mona) = (
        s.person("Acme", "salesperson").await,
        s.person("Acme", "salesperson").await,
        s.person("Acme", "manager").await,
    );
    let shop = Shop::of(&sally).await;
    let order = shop.order(&sally, json!({ "lines": [{ "name": "x", "price": "100" }] })).await;
    sam.read("sales.orders", &order).await.not_found();
    assert_eq!(sam.list("sales.order_lines", &[]).await.ok()["data"], json!([]), "nor its lines");
    s.person("Globex", "manager").await.read("sales.orders", &order).await.not_found();
    mona.update("sales.orders", &order, json!({ "assigned_to": sam.actor.user.to_string() }))
        .await
        .ok();
    sam.read("sales.orders", &order).await.ok();
    sally.read("sales.orders", &order).await.not_found();
}


struct Shop {
    customer: Value,
    lamp: Value,
}

impl Shop {
    /// A customer of the seller's and, from the manager, a lamp at 112 with tax.
    async fn of(seller: &Person) -> Shop {
        let admin = all_rights(seller);
        let rates = json!([{ "rate": "12", "valid_to": "2025-12-31" }, { "rate": "16", "valid_from": "2026-01-01" }]);
        let vat = admin
            .create("products.taxes", json!({ "code": "VAT", "name": "VAT", "tax_rates": rates }))
            .await
            .ok();
        let unit =
            admin.create("products.units", json!({ "code": "pcs", "name": "piece" })).await.ok();
        let shelf = admin
            .create("products.categories", json!({ "name": "Light", "tax_id": vat["id"] }))
            .await
            .ok();
        let inner = admin
            .create("products.categories", json!({ "name": "Lamps", "parent_id": shelf["id"] }))
            .await
            .ok();
        let lamp = json!({ "sku": "L", "name": "Lamp", "price": "112", "cost": "50", "price_includes_tax": true, "unit_id": unit["id"], "category_id": inner["id"] });
        let lamp = admin.create("products.products", lamp).await.ok();
        let customer = seller.create("parties.parties", json!({ "name": "Customer" })).await.ok();
        Shop { customer, lamp }
    }

    async fn order(&self, seller: &Person, mut order: Value) -> Value {
        order["customer_id"] = self.customer["id"].clone();
        seller.create("sales.orders", order).await.ok()
    }
}

/// The same person with all rights: for what a test needs to be there.
fn all_rights(person: &Person) -> Person {
    let owner =
        kernel::Role { name: "owner".into(), template: Some("owner".into()), ..Default::default() };
    let access = kernel::Access::of(person.store.catalog(), &[owner]);
    Person {
        store: person.store.clone(),
        actor: kernel::Actor { access: access.into(), ..person.actor.clone() },
    }
}

#[tokio::test]
async fn an_order_is_made_under_its_customers_contract() {
    let s = scene(crate::ALL).await;
    let boss = s.person("Acme", "manager").await;
    let (ours, other) = (boss.create("parties.parties", json!({ "name": "Ours" })).await.ok(), boss.create("parties.parties", json!({ "name": "Other" })).await.ok());
    let contract = boss.create("parties.contracts", json!({ "party_id": ours["id"], "title": "Frame" })).await.ok();
    let order = |party: &Value| json!({ "customer_id": party["id"], "contract_id": contract["id"] });
    boss.create("sales.orders", order(&ours)).await.ok();
    boss.create("sales.orders", order(&other)).await.refused("This contract is with somebody else.");
}
