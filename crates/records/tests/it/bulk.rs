//! Many records at once, in the background.

use crate::shop::scene;
use records::bulk::{Bulk, Job};
use serde_json::{Value, json};

#[tokio::test]
async fn a_step_of_a_job_is_done_by_one_worker_whoever_else_tries() {
    let s = scene().await;
    let boss = s.person("Acme", "owner").await;
    let mut ids = Vec::new();
    for name in ["first", "second", "third"] {
        let made = boss.create("shop.visits", json!({ "name": name, "worth": "1" })).await.ok();
        ids.push(made["id"].as_str().unwrap().parse().unwrap());
    }
    let running = "insert into app.jobs (organization_id, kind, status, created_by) values ($1, 'records.bulk', 'running', $2) returning id";
    let job =
        s.admin().query_one(running, &[&boss.actor.organization, &boss.actor.user]).await.unwrap().get(0);
    let job = Job { id: job, done: 0, refused: 0, failed: Vec::new() };
    let bulk = Bulk { entity: "shop.visits".into(), action: "finish".into(), changes: json!({}), ids };

    let run = || bulk.run_job(&boss.store, &boss.actor, job.clone());
    let (one, other) = tokio::join!(run(), run());
    let done: Vec<Value> = [one, other].into_iter().filter_map(Result::ok).collect();
    assert_eq!(
        done,
        [json!({ "done": 3, "refused": 0, "failed": [] })],
        "one of them gave up, and refused nothing"
    );

    let moved = "select count(*)::text from app.audit where organization_id = $1 and entity = 'shop.visits' and new ->> 'status' = 'done'";
    assert_eq!(s.strings(moved, &[&boss.actor.organization]).await, ["3"]);
}
