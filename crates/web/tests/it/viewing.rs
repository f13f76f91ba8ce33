//! An administrator looks at the company as a role would: with its rights, and changing nothing.

use crate::{
    scene::{House, Person, house},
    tenancy::encoded,
};
use serde_json::{Value, json};
use uuid::Uuid;

async fn role(by: &Person, name: &str) -> Uuid {
    let roles = by.get("/roles").await.json();
    testkit::id(roles["data"].as_array().unwrap().iter().find(|r| r["name"] == name).unwrap())
}

async fn view(by: &Person, name: &str, body: Value) -> u16 {
    let id = role(by, name).await;
    by.post(&format!("/roles/{id}/view"), body).await.status
}

async fn party(by: &Person, name: &str, more: Value) -> Uuid {
    let mut body = json!({ "name": name, "kind": "company", "is_customer": true });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = by.post("/parties/parties", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    testkit::id(&made.json())
}

/// What somebody sees: entities and their fields, and the names of parties.
async fn seen(by: &Person) -> (Value, Value, Vec<String>) {
    let entities = by.get("/meta").await.json()["entities"].clone();
    let fields = by.get("/meta/entities/parties.parties").await.json()["fields"].clone();
    let rows = by.get("/parties/parties?sort=name&limit=500").await.json();
    let names = rows["data"].as_array().into_iter().flatten();
    (entities, fields, names.map(|r| r["name"].as_str().unwrap().to_owned()).collect())
}

async fn told(house: &House, of: &Person) -> Vec<(String, Value)> {
    let actor = house.auth().actor_of(of.organization, of.id, Uuid::now_v7()).await.unwrap();
    let sql = "select action, new from app.audit where action like 'view_as%' and actor_id = $1 order by at";
    let rows = house.scene.store.batch(&actor, &[(sql, &[&of.id])]).await.unwrap();
    rows[0].iter().map(|r| (r.get(0), r.get(1))).collect()
}

#[tokio::test]
async fn who_looks_as_a_role_sees_what_it_sees_with_rows_of_his_own() {
    let house = house().await;
    let owner = house.owner().await;
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let own = json!({ "name": "narrow", "template": "salesperson",
        "grants": { "parties.parties": { "read": "own" }, "finance.invoices": { "read": "none" } },
        "fields": { "parties.parties": { "credit_limit": "none" } } });
    let made = owner.post("/roles", own).await;
    assert_eq!(made.status, 201, "{}", made.text());
    party(&owner, "Of the owner", json!({ "assigned_to": owner.id })).await;
    party(&owner, "Of Sally", json!({ "assigned_to": sally.id })).await;
    let before = seen(&owner).await;

    let tim = house.colleague(&owner, &["narrow"]).await;
    let tims = seen(&tim).await;
    assert_eq!(view(&owner, "narrow", json!({})).await, 200);
    let as_narrow = seen(&owner).await;
    assert_eq!((&as_narrow.0, &as_narrow.1), (&tims.0, &tims.1), "the same product");
    assert_eq!((as_narrow.2, tims.2), (vec!["Of the owner".to_owned()], Vec::new()), "rows of his own");
    let me = owner.get("/me").await.json();
    assert_eq!((&me["roles"], &me["viewing"]["role"]["name"]), (&json!(["narrow"]), &json!("narrow")));
    assert_eq!(owner.get("/meta").await.json()["me"]["admin"], json!(false));
    assert_eq!(owner.get("/audit").await.status, 403);
    assert_eq!(owner.get("/finance/invoices").await.status, tim.get("/finance/invoices").await.status);
    let filter = encoded(r#"{"field":"credit_limit","op":"gt","value":0}"#);
    assert_eq!(owner.get(&format!("/parties/parties?filter={filter}")).await.status, 403, "a hidden field");
    // Another session of the same person is his own still.
    let elsewhere = house.signed_in(owner.clone()).await;
    assert_eq!(seen(&elsewhere).await, before);

    assert_eq!(owner.delete("/auth/view").await.status, 204);
    assert_eq!(seen(&owner).await, before);
    assert_eq!(owner.get("/me").await.json()["viewing"], Value::Null);
    let said = told(&house, &owner).await;
    assert_eq!(said.iter().map(|s| s.0.as_str()).collect::<Vec<_>>(), ["view_as", "view_as_end"]);
    assert!(said.iter().all(|s| s.1["role"] == "narrow"), "{said:?}");
}

#[tokio::test]
async fn a_role_is_looked_at_in_one_workspace() {
    let house = house().await;
    let owner = house.owner().await;
    let made = owner.post("/workspaces", json!({ "name": "North", "kind": "division" })).await;
    let north = testkit::id(&made.json());
    let order = house.furnished(&owner, "V").await.one("sales.orders").unwrap();
    let moved = format!("update sales.orders set workspace_id = '{north}' where id = '{order}'");
    house.behind(&moved).await;
    let tim = house.colleague(&owner, &[]).await;
    let given = json!({ "workspace_roles": [{ "role": "manager", "workspace_id": north }] });
    assert_eq!(owner.patch(&format!("/members/{}", tim.id), given).await.status, 200);
    let (tims, entities) = (tim.get("/sales/orders").await.json(), seen(&tim).await.0);

    let foreign = Uuid::now_v7();
    assert_eq!(view(&owner, "manager", json!({ "workspace_id": foreign })).await, 422);
    assert_eq!(view(&owner, "admin", json!({ "workspace_id": north })).await, 422);
    assert_eq!(view(&owner, "manager", json!({ "workspace_id": north })).await, 200);
    assert_eq!(owner.get("/sales/orders").await.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(tims["data"].as_array().unwrap().len(), 1);
    assert_eq!(seen(&owner).await.0, entities);
    assert_eq!(owner.get("/me").await.json()["viewing"]["workspace"]["name"], "North");
}

#[tokio::test]
async fn who_looks_as_a_role_changes_nothing() {
    let house = house().await;
    let owner = house.owner().await;
    let things = house.furnished(&owner, "V").await;
    let operations = house.operations(&owner).await;
    assert_eq!(view(&owner, "admin", json!({})).await, 200);
    let said = "You are viewing as a role, so nothing can be changed. End the view first.";
    let (mut wrong, mut refused) = (Vec::new(), 0);
    // The first two end the view, the last one never ends.
    let free = ["POST /auth/logout", "DELETE /auth/view", "GET /events"];
    for operation in &operations {
        let name = format!("{} {}", operation.method, operation.path);
        // What needs nobody signed in is not about the company.
        if free.contains(&name.as_str())
            || crate::authorization::ANYBODY.contains(&name.as_str()) && name != "DELETE /auth/sessions"
        {
            continue;
        }
        let id = house.entity_of(&operation.path).and_then(|e| things.one(&e.name)).unwrap_or(owner.id);
        let at = operation.path.replace("{id}", &id.to_string());
        let answer = owner.send(&operation.method, &at, house.body_for(operation), &[]).await;
        let reads = operation.method == "GET" || name.ends_with("_aggregate") || name.contains("/_call/");
        if !reads && answer.status == 403 && answer.json()["detail"] == said {
            refused += 1;
        } else if !reads || answer.status >= 500 {
            wrong.push(format!("{name}: {} {}", answer.status, answer.text()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 100, "{refused} were tried");
    // Behind the routes, too: no transaction of his writes.
    let session = house.auth().session(&owner.token, Uuid::now_v7()).await.unwrap();
    let sql = "update parties.parties set name = name where organization_id = $1 returning 1";
    let actor = session.actor.unwrap();
    let done = house.scene.store.batch(&actor, &[(sql, &[&actor.organization])]).await;
    assert_eq!(done.unwrap_err().to_string(), said);
    assert_eq!(owner.post("/auth/logout", json!({})).await.status, 204);
}

#[tokio::test]
async fn nobody_sees_more_by_looking_as_a_role() {
    let house = house().await;
    let owner = house.owner().await;
    let (admin, sally) =
        (house.colleague(&owner, &["admin"]).await, house.colleague(&owner, &["manager"]).await);
    assert_eq!(view(&sally, "salesperson", json!({})).await, 403, "no administrator");
    assert_eq!(view(&admin, "owner", json!({})).await, 403, "only an owner is one");
    let key = owner.post("/auth/tokens", json!({ "name": "key", "scopes": ["*:*"] })).await.json();
    let key = owner.with_token(key["token"].as_str().unwrap());
    let guest = role(&owner, "guest").await;
    assert_eq!(key.post(&format!("/roles/{guest}/view"), json!({})).await.status, 403, "a key");
    assert_eq!(key.delete("/auth/view").await.status, 403);
    let theirs = role(&house.owner().await, "guest").await;
    assert_eq!(owner.post(&format!("/roles/{theirs}/view"), json!({})).await.status, 404);

    // An administrator from whom a field is kept does not read it as somebody else would, not even when it is
    // hidden from him while he looks; and a field of the company's own is one, too.
    let secret = json!({ "entity": "parties.parties", "name": "secret", "label": "Secret", "type": "text" });
    assert_eq!(owner.post("/fields", secret).await.status, 201);
    let admins = role(&owner, "admin").await;
    for field in ["credit_limit", "cf.secret"] {
        assert_eq!(view(&admin, "salesperson", json!({})).await, 200);
        let hide = |right: &str| json!({ "fields": { "parties.parties": { field: right } } });
        assert_eq!(owner.patch(&format!("/roles/{admins}"), hide("none")).await.status, 200);
        assert_eq!(admin.get("/parties/parties").await.status, 403, "there is nothing to be seen");
        assert_eq!(admin.get("/me").await.json()["viewing"]["role"], Value::Null);
        assert_eq!(admin.delete("/auth/view").await.status, 204);
        assert_eq!(view(&admin, "salesperson", json!({})).await, 403, "{field}");
        assert_eq!(owner.patch(&format!("/roles/{admins}"), hide("write")).await.status, 200);
    }

    // Whoever is no administrator any more looks at nothing; another company is looked at as oneself.
    assert_eq!(view(&admin, "salesperson", json!({})).await, 200);
    let down = json!({ "roles": ["guest"] });
    assert_eq!(owner.patch(&format!("/members/{}", admin.id), down).await.status, 200);
    assert_eq!(admin.get("/parties/parties").await.status, 403);
    assert_eq!(admin.delete("/auth/view").await.status, 204);
    assert_eq!(admin.get("/me").await.json()["roles"], json!(["guest"]));
}
