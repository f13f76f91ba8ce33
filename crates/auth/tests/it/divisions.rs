//! Workspaces, settings, first steps.

use crate::{World, said, status, world};
use auth::{MemberChange, NewSetting, NewWorkspace, RoleChange, Session, WorkspaceChange};
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

fn there(roles: &[(&str, &str)]) -> MemberChange {
    let roles: Vec<Value> = roles.iter().map(|(r, w)| json!({ "role": r, "workspace_id": w })).collect();
    serde_json::from_value(json!({ "workspace_roles": roles })).unwrap()
}

fn change(value: Value) -> MemberChange {
    serde_json::from_value(value).unwrap()
}

impl World {
    async fn workspace(&self, session: &Session, name: &str) -> String {
        let made = self.auth.create_workspace(session, &named(name)).await.unwrap();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Somebody who may do nothing in the company.
    async fn guest(&self, session: &Session, organization: Uuid) -> crate::Somebody {
        let guest = serde_json::from_value(json!({ "name": "guest" })).unwrap();
        self.auth.create_role(session, &guest).await.unwrap();
        self.colleague(organization, &["guest"]).await
    }

    async fn pay(&self, session: &Session, workspace: Option<&str>) -> kernel::Result<Value> {
        let payments = self.scene.store.catalog().entity("books.payments")?;
        let mut body = json!({ "amount": "5" });
        if let Some(workspace) = workspace {
            body["workspace_id"] = json!(workspace);
        }
        records::create(&self.scene.store, session.actor()?, payments, &body).await?.value()
    }
}

#[tokio::test]
async fn a_role_in_a_workspace_is_one_from_the_next_request_to_the_next() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let (almaty, astana) =
        (world.workspace(&session, "Almaty").await, world.workspace(&session, "Astana").await);
    let guest = world.guest(&session, organization).await;
    assert!(world.pay(&world.of(&guest).await, None).await.is_err());
    let given = world.auth.update_member(&session, guest.id, &there(&[("cashier", &almaty)])).await.unwrap();
    let shown = json!([{ "role": "cashier", "workspace_id": almaty, "valid_from": null, "valid_to": null }]);
    assert_eq!((&given["roles"], &given["workspace_roles"]), (&json!(["guest"]), &shown));
    let now = world.of(&guest).await;
    assert_eq!(world.pay(&now, None).await.unwrap()["workspace_id"], json!(almaty));
    assert!(matches!(world.pay(&now, Some(&astana)).await, Err(kernel::Error::Forbidden(_))));
    world.pay(&session, Some(&astana)).await.unwrap();
    let payments = world.scene.store.catalog().entity("books.payments").unwrap();
    let list = async |session: &Session| {
        let query = records::Query::parse(&[]).unwrap();
        let list = records::list(&world.scene.store, session.actor().unwrap(), payments, &query).await?;
        Ok::<_, kernel::Error>(serde_json::from_slice::<Value>(&list)?["data"].as_array().unwrap().len())
    };
    assert_eq!(list(&now).await.unwrap(), 1);
    // What is changed of the roles for the company leaves the others alone.
    let kept = world.auth.update_member(&session, guest.id, &change(json!({ "roles": ["guest"] }))).await;
    assert_eq!(kept.unwrap()["workspace_roles"], shown);
    assert_eq!(world.auth.me(&world.of(&guest).await).await.unwrap()["roles"], json!(["guest"]));

    for (from, to, may) in [
        (None, Some("2020-01-01"), false),
        (Some("2999-01-01"), None, false),
        (Some("2020-01-01"), Some("2999-01-01"), true),
    ] {
        let one = json!({ "role": "cashier", "workspace_id": almaty, "valid_from": from, "valid_to": to });
        let days = change(json!({ "workspace_roles": [one] }));
        let given = world.auth.update_member(&session, guest.id, &days).await.unwrap();
        assert_eq!(given["workspace_roles"][0], one);
        assert_eq!(list(&world.of(&guest).await).await.is_ok(), may, "{from:?} {to:?}");
    }
    let backwards = json!({ "role": "cashier", "workspace_id": almaty, "valid_from": "2026-02-01", "valid_to": "2026-01-01" });
    let backwards = world
        .auth
        .update_member(&session, guest.id, &change(json!({ "workspace_roles": [backwards] })))
        .await;
    assert!(said(&backwards).contains("before it starts"), "{}", said(&backwards));

    world.auth.update_member(&session, guest.id, &there(&[])).await.unwrap();
    let after = world.of(&guest).await;
    assert!(
        matches!(list(&after).await, Err(kernel::Error::Forbidden(_))),
        "the same sign-in, the next request"
    );
    assert!(matches!(world.pay(&after, Some(&almaty)).await, Err(kernel::Error::Forbidden(_))));
}

#[tokio::test]
async fn roles_in_a_workspace_are_given_with_the_same_care() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let (almaty, astana) =
        (world.workspace(&session, "Almaty").await, world.workspace(&session, "Astana").await);
    let closed = world.workspace(&session, "Aktau").await;
    let id: Uuid = closed.parse().unwrap();
    let archive = WorkspaceChange { status: Some("archived".into()), ..WorkspaceChange::default() };
    world.auth.update_workspace(&session, id, &archive).await.unwrap();
    let (stranger, _) = world.owner().await;
    let foreign = world.workspace(&world.of(&stranger).await, "Foreign").await;
    let guest = world.guest(&session, organization).await;
    for (wrong, why) in [
        (&[("manager", &*almaty), ("cashier", &astana)][..], "one workspace only"),
        (&[("admin", &almaty)], "for the whole company"),
        (&[("owner", &almaty)], "for the whole company"),
        (&[("nobody", &almaty)], "no role"),
        (&[("cashier", &foreign)], "no such workspace"),
        (&[("cashier", &closed)], "no such workspace"),
        (&[("cashier", &almaty), ("verifier", &almaty)], "kept apart"),
        (&[("cashier", &almaty), ("cashier", &almaty)], ""),
    ] {
        let refused = world.auth.update_member(&session, guest.id, &there(wrong)).await;
        assert!(status(&refused) == 422 && said(&refused).contains(why), "{wrong:?}: {}", said(&refused));
    }
    let one = there(&[("cashier", &almaty)]);
    let narrow = change(json!({ "workspace_ids": [astana] }));
    world.auth.update_member(&session, guest.id, &narrow).await.unwrap();
    let shut = world.auth.update_member(&session, guest.id, &one).await;
    assert!(status(&shut) == 422 && said(&shut).contains("closed to him"), "{}", said(&shut));
    world.auth.update_member(&session, guest.id, &change(json!({ "workspace_ids": null }))).await.unwrap();
    world.auth.update_member(&session, guest.id, &one).await.unwrap();
    assert_eq!(status(&world.auth.update_member(&session, guest.id, &narrow).await), 422, "nor afterwards");

    // Duties meet in a person, wherever he has them.
    let verifies = change(json!({ "roles": ["verifier"] }));
    let met = world.auth.update_member(&session, guest.id, &verifies).await;
    assert!(said(&met).contains("kept apart"), "{}", said(&met));
    world.auth.update_member(&session, guest.id, &change(json!({ "roles": ["manager"] }))).await.unwrap();
    let manager = world.auth.roles(&session, "en").await.unwrap();
    let manager =
        manager.iter().find(|r| r["name"] == "manager").unwrap()["id"].as_str().unwrap().parse().unwrap();
    let grows: RoleChange =
        serde_json::from_value(json!({ "grants": { "books.payments": { "verify": "all" } } })).unwrap();
    assert_eq!(status(&world.auth.update_role(&session, manager, &grows).await), 422);

    let own = world.of(&guest).await;
    assert_eq!(
        status(&world.auth.update_member(&own, guest.id, &there(&[("verifier", &almaty)])).await),
        403
    );
    let admin = world.colleague(organization, &["admin"]).await;
    let of_admin = world.of(&admin).await;
    assert_eq!(status(&world.auth.update_member(&of_admin, admin.id, &one).await), 403);
    world.auth.update_member(&of_admin, guest.id, &there(&[("cashier", &astana)])).await.unwrap();
}
