//! Northwind Traders, brought in as anybody would.

use crate::house::{House, fondaco};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/northwind")
}

#[test]
fn the_demo_adds_up() {
    let data = tempfile::tempdir().unwrap();
    let house = House::open(data.path(), &["--demo"]);
    let login = json!({ "email": "owner@northwind.test", "password": "fondaco-demo" });
    let token = house.post("", "/auth/login", login)["token"].as_str().unwrap().to_owned();
    let sums = |path: &str, group: Value| -> Vec<Value> {
        let metrics =
            json!([{ "function": "sum", "field": "net", "as": "net" }, { "function": "count", "as": "n" }]);
        let asked = json!({ "group_by": group, "metrics": metrics, "limit": 200 });
        house.post(&token, path, asked)["data"].as_array().unwrap().clone()
    };
    let orders = "/sales/orders/_aggregate";
    let freight = json!({ "metrics": [{ "function": "sum", "field": "shipping_cost", "as": "freight" }] });
    assert_eq!(house.post(&token, orders, freight)["data"], json!([{ "freight": "64942.69" }]));
    assert_eq!(sums(orders, json!([])), [json!({ "net": "1265793.29", "n": 830 })]);
    assert_eq!(sums("/sales/order_lines/_aggregate", json!([])), [json!({ "net": "1265793.29", "n": 2155 })]);
    let years = ["1996", "1997", "1998"]
        .into_iter()
        .zip(["208083.99", "617085.35", "440623.95"])
        .zip([152, 408, 270]);
    let years: Vec<Value> = years
        .map(|((y, net), n)| json!({ "ordered_on": format!("{y}-01-01"), "net": net, "n": n }))
        .collect();
    assert_eq!(sums(orders, json!(["ordered_on:year"])), years);
    assert_eq!(sums(orders, json!(["customer_id"])).len(), 89, "two of the 91 customers never ordered");
    assert_eq!(sums(orders, json!(["assigned_to"])).len(), 9);
    let open = json!({ "filter": { "field": "shipped_on", "op": "is_empty" }, "metrics": [{ "function": "count", "as": "n" }] });
    assert_eq!(house.post(&token, orders, open)["data"], json!([{ "n": 21 }]));
    assert!(house.stop().success());
    let (ended, said) = fondaco(data.path(), &["verify"]);
    assert!(ended.success(), "{said}");
}

#[test]
fn twice_changes_nothing_and_undo_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let house = House::open(data.path(), &[]);
    let ann = &house
        .newcomer(json!({ "name": "Northwind", "country": "US", "currency": "USD", "time_zone": "UTC" }));
    let count =
        |entity: &str| house.get(ann, &format!("/{entity}?limit=1&count=exact"))["count"]["value"].clone();
    let entities = [
        "products/categories",
        "parties/parties",
        "parties/addresses",
        "products/products",
        "sales/orders",
        "sales/order_lines",
    ];
    let before: BTreeMap<&str, Value> = entities.into_iter().map(|e| (e, count(e))).collect();

    let company: toml::Value =
        toml::from_str(&std::fs::read_to_string(folder().join("company.toml")).unwrap()).unwrap();
    let mut steps: Vec<Value> = serde_json::to_value(&company["steps"]).unwrap().as_array().unwrap().clone();
    steps.retain(|step| step["step"] == "import");
    for step in &mut steps {
        // The employees of the demo are not members here.
        step["mapping"].as_object_mut().unwrap().remove("employee_id");
    }
    let ended = |id: &str, wanted: &str| loop {
        let import = house.get(ann, &format!("/imports/{id}"));
        assert_ne!(import["status"], "failed", "{import}");
        if import["status"] == wanted {
            break import;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let bring = |step: &Value| {
        let [entity, file, upsert] = ["entity", "file", "upsert"].map(|f| step[f].as_str().unwrap());
        let mapping: String = step["mapping"].to_string().bytes().map(|b| format!("%{b:02X}")).collect();
        let path =
            format!("/{}/_import?mode=run&upsert={upsert}&mapping={mapping}", entity.replace('.', "/"));
        let body = std::fs::read(folder().join(file)).unwrap();
        let headers = [("content-type", "text/csv"), ("x-file-name", file)];
        let begun = house.try_call(Some(ann), "POST", &path, body, &headers).unwrap().ok();
        ended(begun["import"]["id"].as_str().unwrap(), "done")
    };
    let mut imports = Vec::new();
    for step in &steps {
        let done = bring(step);
        assert_eq!(done["failed"], 0, "{}", done["errors"]);
        imports.push(done);
    }
    assert_eq!((count("sales/orders"), count("sales/order_lines")), (json!(830), json!(2155)));
    for step in &steps {
        let again = bring(step);
        assert_eq!(
            (&again["created"], &again["updated"], &again["failed"]),
            (&json!(0), &json!(0), &json!(0)),
            "{again}"
        );
    }
    for import in imports.iter().rev() {
        let id = import["id"].as_str().unwrap();
        let job = house.post(ann, &format!("/imports/{id}/undo"), json!({}))["job"]["id"].clone();
        let job = loop {
            let job = house.get(ann, &format!("/jobs/{}", job.as_str().unwrap()));
            if !matches!(job["status"].as_str().unwrap(), "queued" | "running") {
                break job;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(job["status"], "done", "{job}");
        ended(id, "undone");
    }
    assert_eq!(entities.into_iter().map(|e| (e, count(e))).collect::<BTreeMap<_, _>>(), before);
    assert!(house.stop().success());
}
