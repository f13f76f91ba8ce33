//! Workspaces, settings, first steps.

use crate::{status, world};
use auth::{NewSetting, NewWorkspace, WorkspaceChange};
use serde_json::{Value, json};
use uuid::Uuid;

fn named(name: &str) -> NewWorkspace {
    NewWorkspace { name: name.into(), kind: None }
}

fn at(scope: &str, value: Value) -> NewSetting {
    NewSetting { scope: scope.into(), workspace_id: None, value }
}

#[tokio::test]
async fn a_company_has_divisions() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let made = world.auth.create_workspace(&session, &named(" Almaty ")).await.unwrap();
    assert_eq!(
        (&made["name"], &made["kind"], &made["status"]),
        (&json!("Almaty"), &json!("division"), &json!("active"))
    );
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(status(&world.auth.create_workspace(&session, &named("Almaty")).await), 422);
    assert_eq!(status(&world.auth.create_workspace(&session, &named("  ")).await), 422);
    let main = NewWorkspace { name: "second".into(), kind: Some("main".into()) };
    assert_eq!(status(&world.auth.create_workspace(&session, &main).await), 400);

    let archive = WorkspaceChange { status: Some("archived".into()), ..WorkspaceChange::default() };
    assert_eq!(world.auth.update_workspace(&session, id, &archive).await.unwrap()["status"], "archived");
    let all = world.auth.workspaces(&session).await.unwrap();
    assert_eq!(all.iter().map(|w| &w["name"]).collect::<Vec<_>>(), ["main", "Almaty"]);
    let main: Uuid = all[0]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        status(&world.auth.update_workspace(&session, main, &archive).await),
        422,
        "the main one stays"
    );

    let cashier = world.colleague(organization, &["cashier"]).await;
    let cashier = world.of(&cashier).await;
    assert_eq!(status(&world.auth.create_workspace(&cashier, &named("Mine")).await), 403);
    let (stranger, _) = world.owner().await;
    let stranger = world.of(&stranger).await;
    assert_eq!(status(&world.auth.update_workspace(&stranger, id, &archive).await), 404);
    assert_eq!(world.auth.workspaces(&stranger).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_nearest_setting_wins_and_a_secret_stays_one() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let (day, token) = ("books.closing_day", "books.bank_token");
    let value = |all: &Value, key: &str| {
        all["data"].as_array().unwrap().iter().find(|s| s["key"] == key).unwrap().clone()
    };
    assert_eq!(value(&world.auth.settings(&session).await.unwrap(), day)["value"], 5, "the default");
    let set = world.auth.set_setting(&session, day, &at("organization", json!(10))).await.unwrap();
    assert_eq!(value(&set, day)["value"], 10);

    let cashier = world.of(&world.colleague(organization, &["cashier"]).await).await;
    assert_eq!(status(&world.auth.set_setting(&cashier, day, &at("organization", json!(9))).await), 403);
    let set = world.auth.set_setting(&cashier, day, &at("user", json!(20))).await.unwrap();
    assert_eq!(value(&set, day)["value"], 20);
    let of_workspace = NewSetting { workspace_id: session.workspace, ..at("workspace", json!(15)) };
    let set = world.auth.set_setting(&session, day, &of_workspace).await.unwrap();
    assert_eq!(value(&set, day)["value"], 15, "the owner has none of his own");
    let set = world.auth.set_setting(&cashier, day, &at("user", Value::Null)).await.unwrap();
    assert_eq!(value(&set, day)["value"], 15);

    for (key, scope, wrong, answer) in [
        (day, "organization", json!(29), 400),
        (day, "organization", json!("ten"), 400),
        (day, "planet", json!(1), 400),
        (day, "workspace", json!(1), 400),
        (token, "user", json!("mine"), 400),
        ("books.unknown", "organization", json!(1), 404),
    ] {
        assert_eq!(
            status(&world.auth.set_setting(&session, key, &at(scope, wrong)).await),
            answer,
            "{key} {scope}"
        );
    }
    let elsewhere = NewSetting { workspace_id: Some(Uuid::now_v7()), ..at("workspace", json!(1)) };
    assert_eq!(status(&world.auth.set_setting(&session, day, &elsewhere).await), 422);

    let set =
        world.auth.set_setting(&session, token, &at("organization", json!("opensesame"))).await.unwrap();
    assert!(!set.to_string().contains("opensesame"));
    assert_eq!(value(&set, token)["set"][0]["is_set"], true);
    let actor = session.actor().unwrap();
    assert_eq!(world.auth.secret_setting(actor, token).await.unwrap().as_deref(), Some("opensesame"));
    let kept = "select count(*)::text from tenancy.settings s, app.audit a where position('opensesame' in s::text || a::text) > 0";
    assert_eq!(world.scene.strings(kept, &[]).await, ["0"], "neither in the table nor in its history");
    let (stranger, other) = world.owner().await;
    let stranger = world.of(&stranger).await;
    assert_eq!(world.auth.secret_setting(stranger.actor().unwrap(), token).await.unwrap(), None);
    let stolen = "insert into tenancy.settings (organization_id, key, scope, is_secret, secret, created_by, updated_by)
        select $2, key, scope, is_secret, secret, created_by, updated_by from tenancy.settings where organization_id = $1 and is_secret";
    world.sql(stolen, &[&organization, &other]).await;
    assert!(
        world.auth.secret_setting(stranger.actor().unwrap(), token).await.is_err(),
        "sealed for another company"
    );
}

#[tokio::test]
async fn first_steps_are_done_when_the_thing_is_there() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let step = |all: Value| all["data"][0].clone();
    let first = step(world.auth.onboarding(&session).await.unwrap());
    assert_eq!(
        first,
        json!({ "step": "payment", "label": "Enter a payment", "entity": "books.payments", "done": false, "dismissed": false })
    );
    assert_eq!(step(world.auth.dismiss_onboarding(&session, "payment").await.unwrap())["dismissed"], true);
    assert_eq!(status(&world.auth.dismiss_onboarding(&session, "nothing").await), 404);
    let cashier = world.of(&world.colleague(organization, &["cashier"]).await).await;
    let payment = world.scene.store.catalog().entity("books.payments").unwrap();
    records::create(&world.scene.store, cashier.actor().unwrap(), payment, &json!({ "amount": "5" }))
        .await
        .unwrap();
    assert_eq!(step(world.auth.onboarding(&session).await.unwrap())["done"], true);
    let verifier = world.of(&world.colleague(organization, &["verifier"]).await).await;
    assert_eq!(
        world.auth.onboarding(&verifier).await.unwrap()["data"],
        json!([]),
        "who enters none is not asked to"
    );
}
