//! Changes of many records at once: in the background, through a death of the server, and back.

use crate::house::House;
use serde_json::{Value, json};
use std::time::Duration;

fn ended(house: &House, ann: &str, job: &Value) -> Value {
    let path = format!("/jobs/{}", job["job"]["id"].as_str().unwrap());
    for _ in 0..1200 {
        let told = house.get(ann, &path);
        if !matches!(told["status"].as_str(), Some("queued" | "running")) {
            return told;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the job does not end: {}", house.get(ann, &path));
}

#[test]
fn many_are_changed_in_the_background_and_back() {
    let data = tempfile::tempdir().unwrap();
    let house = House::open(data.path(), &[]);
    let company = json!({ "name": "Many", "country": "KZ", "currency": "KZT", "time_zone": "Asia/Almaty" });
    let ann = &house.newcomer(company);
    let csv: String =
        (0..600).map(|n| format!("Company {n},{}\n", if n % 2 == 0 { "lead" } else { "prospect" })).collect();
    let csv = format!("Name,Lifecycle\n{csv}").into_bytes();
    let headers = [("content-type", "text/csv")];
    let import =
        house.try_call(Some(ann), "POST", "/parties/parties/_import?mode=run", csv, &headers).unwrap().ok();
    assert_eq!(ended(&house, ann, &import)["status"], "done");
    let count = |filter: Value| {
        let sums = json!({ "filter": filter, "metrics": [{ "function": "count" }] });
        house.post(ann, "/parties/parties/_aggregate", sums)["data"][0]["count"].as_i64().unwrap()
    };
    let is = |lifecycle: &str| json!({ "field": "lifecycle", "operator": "equals", "value": lifecycle });
    assert_eq!((count(is("lead")), count(is("prospect"))), (300, 300));

    // One of them is thrown away under the job's hands: it is told, and stops nothing else.
    let bulk = json!({ "filter": is("lead"), "action": "update", "changes": { "lifecycle": "churned", "tier": "gold" } });
    let job = house.post(ann, "/parties/parties/_bulk", bulk);
    assert_eq!(job["job"]["total"], 300);
    house.kill_and_open();
    let done = ended(&house, ann, &job);
    assert_eq!(
        (&done["status"], &done["done"], &done["total"], &done["result"]["done"]),
        (&json!("done"), &json!(300), &json!(300), &json!(300))
    );
    assert_eq!((count(is("lead")), count(is("churned"))), (0, 300));
    let tray = house.get(ann, "/jobs?limit=5");
    assert_eq!((&tray["data"][0]["id"], &tray["data"][0]["action"]), (&job["job"]["id"], &json!("update")));

    // Somebody has gone on with one of them: that one stays.
    let one = house.get(ann, "/parties/parties?lifecycle=churned&limit=1")["data"][0].clone();
    let path = format!("/parties/parties/{}", one["id"].as_str().unwrap());
    house.call(ann, "PATCH", &path, json!({ "note": "called" })).ok();
    let undo = house.post(ann, &format!("/jobs/{}/undo", job["job"]["id"].as_str().unwrap()), json!({}));
    let undone = ended(&house, ann, &undo);
    assert_eq!(
        (&undone["result"]["done"], undone["result"]["failed"].as_array().unwrap().len()),
        (&json!(299), 1)
    );
    assert_eq!(undone["result"]["failed"][0]["message"], "Somebody has changed this since.");
    assert_eq!(
        (
            count(is("lead")),
            count(is("churned")),
            count(json!({ "field": "tier", "operator": "equals", "value": "gold" }))
        ),
        (299, 1, 1)
    );

    let deleted =
        house.post(ann, "/parties/parties/_bulk", json!({ "filter": is("prospect"), "action": "delete" }));
    assert_eq!(ended(&house, ann, &deleted)["result"]["done"], 300);
    assert_eq!(count(json!(null)), 300);
    let back = house.post(ann, &format!("/jobs/{}/undo", deleted["job"]["id"].as_str().unwrap()), json!({}));
    assert_eq!(ended(&house, ann, &back)["result"]["done"], 300);
    assert_eq!(count(is("prospect")), 300);

    // Stopped: what is done stays, nothing more happens.
    let bulk = json!({ "filter": null, "action": "update", "changes": { "segment": "A" } });
    let job = house.post(ann, "/parties/parties/_bulk", bulk);
    let stop = format!("/jobs/{}/cancel", job["job"]["id"].as_str().unwrap());
    assert_eq!(house.call(ann, "POST", &stop, json!({})).status, 204);
    assert_eq!(ended(&house, ann, &job)["status"], "cancelled");
    let changed = count(json!({ "field": "segment", "operator": "equals", "value": "A" }));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(count(json!({ "field": "segment", "operator": "equals", "value": "A" })), changed);
    assert!(changed < 600, "{changed}");
    let few = house.post(
        ann,
        "/parties/parties/_bulk",
        json!({ "ids": [one["id"]], "action": "update", "changes": { "segment": "B" } }),
    );
    assert_eq!(few, json!({ "done": 1, "failed": [] }));
    let refused =
        house.call(ann, "POST", &format!("/jobs/{}/undo", undo["job"]["id"].as_str().unwrap()), json!({}));
    assert_eq!(refused.status, 409);
}
