use kernel::{Module, When, rules};
use serde_json::{Value, json};
use testkit::{Person, Scene};

kernel::rules! { Before confirm shop.orders: has_lines; }

async fn has_lines(tx: &kernel::Tx, order: &Value) -> kernel::Result<()> {
    let id: uuid::Uuid = order["id"].as_str().unwrap().parse().unwrap();
    let sql = "select exists (select from shop.order_lines where organization_id = $1 and order_id = $2)";
    if tx.query_one(sql, &[&tx.actor.organization, &id]).await?.get::<_, bool>(0) {
        return Ok(());
    }
    Err(kernel::Error::refused("An order needs a line."))
}

static SHOP: Module = Module {
    name: "shop",
    schema: include_str!("shop.sql"),
    meta: include_str!("shop.toml"),
    readme: "",
    texts: &[],
    changes: &[],
    rules: RULES,
    actions: &[],
    calls: &[],
};

pub(crate) static MODULES: &[&Module] = &[&SHOP];

pub(crate) async fn scene() -> Scene {
    // The rule is found by what it is about.
    assert_eq!(rules(MODULES, "shop.orders", "confirm").filter(|r| r.when == When::Before).count(), 1);
    testkit::scene(MODULES).await
}

pub(crate) async fn customer(person: &Person, name: &str) -> Value {
    person.create("shop.customers", json!({ "name": name, "code": name.to_uppercase() })).await.ok()
}

pub(crate) async fn order(person: &Person, customer: &Value, lines: Value) -> Value {
    person.create("shop.orders", json!({ "customer_id": customer["id"], "lines": lines })).await.ok()
}
