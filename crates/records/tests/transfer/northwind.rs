//! Northwind Traders, as their files are, comes in whole.

use super::{all, all_right, bring, counts, scene, undo};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use testkit::Person;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../demo/northwind/{name}.csv"))
}

fn countries() -> Value {
    json!({ "Argentina": "AR", "Australia": "AU", "Austria": "AT", "Belgium": "BE", "Brazil": "BR", "Canada": "CA", "Denmark": "DK", "Finland": "FI", "France": "FR",
        "Germany": "DE", "Ireland": "IE", "Italy": "IT", "Japan": "JP", "Mexico": "MX", "Netherlands": "NL", "Norway": "NO", "Poland": "PL", "Portugal": "PT",
        "Singapore": "SG", "Spain": "ES", "Sweden": "SE", "Switzerland": "CH", "UK": "GB", "USA": "US", "Venezuela": "VE" })
}

async fn northwind(owner: &Person) -> Vec<Value> {
    let country = json!({ "field": "country", "values": countries() });
    let mut imports = Vec::new();
    let mut done = |import: Value, rows: u64| {
        all_right(&import, rows);
        imports.push(import);
    };
    let categories = json!({ "category_id": "code", "category_name": "name", "description": "description" });
    done(bring(owner, "products.categories", &data("categories"), categories, Some("code")).await, 8);
    let party = |role: &str, code: Value| {
        json!({ "id": { "field": role, "constant": true }, "company_name": "name", "phone": "phone", "fax": "fax", "country": country, "currency": { "field": "currency", "constant": "USD" },
            code["column"].as_str().unwrap(): code["spec"] })
    };
    let supplier_codes: serde_json::Map<String, Value> =
        (1..=29).map(|n| (n.to_string(), json!(format!("S{n}")))).collect();
    let supplier = json!({ "column": "supplier_id", "spec": { "field": "code", "values": supplier_codes } });
    done(
        bring(owner, "parties.parties", &data("suppliers"), party("is_supplier", supplier), Some("code"))
            .await,
        29,
    );
    let customer = json!({ "column": "customer_id", "spec": "code" });
    done(
        bring(owner, "parties.parties", &data("customers"), party("is_customer", customer), Some("code"))
            .await,
        91,
    );
    let addresses = json!({ "customer_id": "party.code", "address": "street", "city": "city", "region": "region", "postal_code": "postal_code", "country": country });
    done(bring(owner, "parties.addresses", &data("customers"), addresses, Some("party_id")).await, 91);
    let shipper_codes: serde_json::Map<String, Value> =
        (1..=6).map(|n| (n.to_string(), json!(format!("C{n}")))).collect();
    let carrier = json!({ "shipper_id": { "field": "code", "values": shipper_codes }, "company_name": "name", "phone": "phone", "role": { "field": "is_carrier", "constant": true } });
    done(bring(owner, "parties.parties", &data("shippers"), carrier, Some("code")).await, 6);
    let products = json!({ "product_id": "sku", "product_name": "name", "supplier_id": { "field": "supplier.code", "values": supplier_codes }, "category_id": "category.code",
        "quantity_per_unit": "quantity_per_unit", "unit_price": "price", "reorder_level": "reorder_point",
        "discontinued": { "field": "status", "values": { "0": "active", "1": "discontinued" } } });
    done(bring(owner, "products.products", &data("products"), products, Some("sku")).await, 77);
    let orders = json!({ "order_id": "number", "customer_id": "customer.code", "order_date": "ordered_on", "required_date": "required_on", "shipped_date": "shipped_on",
        "ship_via": { "field": "carrier.code", "values": shipper_codes }, "freight": "shipping_cost", "ship_name": "ship_name", "ship_address": "ship_street", "ship_city": "ship_city",
        "ship_region": "ship_region", "ship_postal_code": "ship_postal_code", "ship_country": { "field": "ship_country", "values": countries() },
        "state": { "field": "status", "constant": "delivered" }, "money": { "field": "currency", "constant": "USD" } });
    done(bring(owner, "sales.orders", &data("orders"), orders, Some("number")).await, 830);
    let lines = json!({ "order_id": "order.number", "product_id": "product.sku", "unit_price": "price", "quantity": "quantity", "discount": { "field": "discount_percent", "scale": "100" } });
    done(
        bring(owner, "sales.order_lines", &data("order_details"), lines.clone(), Some("order_id,product_id"))
            .await,
        2_155,
    );
    let again =
        bring(owner, "sales.order_lines", &data("order_details"), lines, Some("order_id,product_id")).await;
    assert_eq!(counts(&again), [0, 0, 2_155, 0], "{}", again["errors"]);
    imports
}

#[tokio::test]
async fn northwind_comes_in_exactly() {
    let s = scene().await;
    let owner = s.person("Northwind", "owner").await;
    let imports = northwind(&owner).await;
    let sums = owner.aggregate("sales.orders", json!({ "metrics": [{ "function": "sum", "field": "shipping_cost", "as": "freight" }, { "function": "count", "as": "count" }] })).await.ok();
    assert_eq!((&sums["data"][0]["freight"], &sums["data"][0]["count"]), (&json!("64942.69"), &json!(830)));
    let sums = owner.aggregate("sales.order_lines", json!({ "metrics": [{ "function": "sum", "field": "quantity", "as": "quantity" }, { "function": "sum", "field": "net", "as": "net" }] })).await.ok();
    assert_eq!(
        (&sums["data"][0]["quantity"], &sums["data"][0]["net"]),
        (&json!("51317"), &json!("1265793.29"))
    );
    let order =
        &all(&owner, "sales.orders", &[("number", "10248"), ("expand", "customer,carrier,lines.product")])
            .await[0];
    assert_eq!(
        (&order["customer"]["code"], &order["carrier"]["name"], &order["shipped_on"]),
        (&json!("VINET"), &json!("Federal Shipping"), &json!("1996-07-16"))
    );
    assert_eq!(order["lines"][0]["product"]["name"], "Queso Cabrales");
    // Nothing goes while something else needs it; the lines go by themselves, and their orders add up to nothing.
    let refused = undo(&owner, &imports[5]).await.unwrap_err().to_string();
    assert_eq!(refused, "The products that this import made are in use by 2155 order lines.");
    assert_eq!(undo(&owner, &imports[7]).await.unwrap()["deleted"], 2_155);
    let sums = owner
        .aggregate("sales.orders", json!({ "metrics": [{ "function": "sum", "field": "net", "as": "net" }] }))
        .await
        .ok();
    assert_eq!(sums["data"][0]["net"], "0.00");
    assert_eq!(undo(&owner, &imports[5]).await.unwrap()["deleted"], 77);
}
