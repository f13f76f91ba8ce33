use crate::{said, status, visit, world};
use auth::{MeChange, NewOrganization, NewToken};
use kernel::Scope;
use serde_json::{Map, Value, json};
use uuid::Uuid;

fn company(change: impl FnOnce(&mut NewOrganization)) -> NewOrganization {
    let mut new = NewOrganization {
        name: "ТОО «Прометрик»".into(),
        country: "KZ".into(),
        currency: "KZT".into(),
        time_zone: "Asia/Almaty".into(),
        language: Some("ru".into()),
        ..NewOrganization::default()
    };
    change(&mut new);
    new
}

type Change = fn(&mut NewOrganization);

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_new_company_has_an_owner_a_workspace_and_roles() {
    let world = world().await;
    let (email, id) = world.account("founder").await;
    let made = world.auth.create_organization(id, &company(|_| ()), Uuid::now_v7()).await.unwrap();
    assert!(made.slug.starts_with("company"));
    let session = world.session(&world.login(&email).await.token).await;
    assert_eq!(session.organization().unwrap().id, made.id);
    assert!(session.admin().is_ok());
    let roles: Vec<Value> =
        world.auth.roles(&session, "en").await.unwrap().iter().map(|r| r["name"].clone()).collect();
    assert_eq!(roles, ["admin", "cashier", "manager", "owner", "verifier"]);
    assert_eq!(world.auth.refresh_roles().await.unwrap(), 0);
    let me = world.auth.me(&session).await.unwrap();
    assert_eq!(me["workspace"]["name"], "main");
    assert_eq!(me["roles"], json!(["owner"]));
    assert_eq!(me["organizations"][0]["id"], json!(made.id));
    assert_eq!(me["user"]["registration_status"], "completed");
    let members = world.auth.members(&session).await.unwrap();
    assert_eq!((members.len(), &members[0]["roles"]), (1, &json!(["owner"])));
}

#[tokio::test]
async fn a_role_is_called_as_its_reader_calls_it() {
    let world = world().await;
    let (email, id) = world.account("founder").await;
    world.auth.create_organization(id, &company(|_| ()), Uuid::now_v7()).await.unwrap();
    let session = world.session(&world.login(&email).await.token).await;
    let called = async |name: &str, language: &str| {
        let roles = world.auth.roles(&session, language).await.unwrap();
        let role = roles.into_iter().find(|r| r["name"] == name).unwrap();
        (role["label"].as_str().unwrap().to_owned(), role["id"].as_str().unwrap().parse::<Uuid>().unwrap())
    };
    for (language, owner, cashier) in
        [("en", "Owner", "Cashier"), ("ru", "Владелец", "Кассир"), ("kk", "Иесі", "Кассир")]
    {
        assert_eq!(called("owner", language).await.0, owner);
        assert_eq!(called("cashier", language).await.0, cashier);
    }
    let (_, cashier) = called("cashier", "en").await;
    let named = auth::RoleChange { label: Some("Front desk".into()), ..Default::default() };
    world.auth.update_role(&session, cashier, &named).await.unwrap();
    assert_eq!(called("cashier", "kk").await.0, "Front desk", "a name of the company's own stays");
}

#[tokio::test]
async fn a_company_is_described_correctly_or_not_at_all() {
    let world = crate::world_with(|c| c.attempts = 100).await;
    let (_, id) = world.account("founder").await;
    let cases: [(&str, Change); 8] = [
        ("name", |c| c.name = "  ".into()),
        ("bin", |c| c.bin = Some("940140000386".into())),
        ("bin", |c| c.bin = Some("12".into())),
        ("country", |c| c.country = "kz".into()),
        ("currency", |c| c.currency = "XXZ".into()),
        ("time_zone", |c| c.time_zone = "Mars/Phobos".into()),
        ("language", |c| c.language = Some("русский".into())),
        ("modules", |c| c.modules = Some(vec!["nothing".into()])),
    ];
    for (field, change) in cases {
        let answer = world.auth.create_organization(id, &company(change), Uuid::now_v7()).await;
        assert!(status(&answer) == 422 && said(&answer).starts_with(field), "{field}: {}", said(&answer));
    }
}

#[tokio::test]
async fn the_company_s_own_data_is_its_administrators_to_change() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let changed = world
        .auth
        .update_organization(
            &session,
            &fields(json!({"name": "Acme GmbH", "annual_revenue": "1000000.50", "employee_count": 12})),
        )
        .await
        .unwrap();
    assert_eq!((&changed["name"], &changed["employee_count"]), (&json!("Acme GmbH"), &json!(12)));
    assert!(changed["annual_revenue"].as_str().unwrap().starts_with("1000000.50"));
    assert!(changed.get("data_key").is_none() && changed.get("stripe_customer_id").is_none());
    assert_eq!(world.of(&owner).await.organization().unwrap().name, "Acme GmbH");
    for wrong in [
        json!({"plan": "enterprise"}),
        json!({"status": "active"}),
        json!({"currency": "USD"}),
        json!({"id": Uuid::nil()}),
    ] {
        assert_eq!(
            status(&world.auth.update_organization(&session, &fields(wrong.clone())).await),
            400,
            "{wrong}"
        );
    }
    assert_eq!(
        status(&world.auth.update_organization(&session, &fields(json!({"time_zone": "Mars/Phobos"}))).await),
        422
    );
    let colleague = world.colleague(organization, &["manager"]).await;
    assert_eq!(
        status(
            &world
                .auth
                .update_organization(&world.of(&colleague).await, &fields(json!({"name": "Mine"})))
                .await
        ),
        403
    );
    let history = world.scene.strings("select old::text || new::text from app.audit where organization_id = $1 and entity = 'tenancy.organizations' and action = 'update'", &[&organization]).await;
    assert!(history.len() == 1 && history[0].contains("Acme GmbH"), "{history:?}");
}

#[tokio::test]
async fn a_suspended_company_is_read_only_and_an_inactive_one_closed() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let key = NewToken {
        name: "robot".into(),
        scopes: vec!["books.payments:*".into()],
        expires_at: None,
        allowed_ips: Vec::new(),
    };
    let key = world.auth.create_token(&session, &key).await.unwrap()["token"].as_str().unwrap().to_owned();
    world.auth.set_organization_status(organization, "suspended").await.unwrap();
    let payments = world.scene.store.catalog().entity("books.payments").unwrap();
    for token in [&owner.token, &key] {
        let session = world.session(token).await;
        let access = &session.actor().unwrap().access;
        assert_eq!(access.scope(payments, "read"), Scope::All);
        assert!(["create", "update", "delete", "verify"].iter().all(|a| !access.may(payments, a)));
        assert!(session.admin().is_err());
    }
    let person = testkit::Person {
        store: world.scene.store.clone(),
        actor: world.of(&owner).await.actor().unwrap().clone(),
    };
    person.create("books.payments", json!({"amount": "1.00"})).await.forbidden();
    world.auth.set_organization_status(organization, "inactive").await.unwrap();
    assert!(world.of(&owner).await.organization.is_none());
    assert_eq!(status(&world.auth.session(&key, Uuid::now_v7()).await), 401);
    assert_eq!(
        status(
            &world
                .auth
                .activate_organization(&world.of(&owner).await, organization, "", true, &visit())
                .await
        ),
        404
    );
    world.auth.set_organization_status(organization, "active").await.unwrap();
    assert!(world.of(&owner).await.admin().is_ok());
}

#[tokio::test]
async fn people_change_what_is_theirs() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let change: MeChange = serde_json::from_value(
        json!({"first_name": "Aigerim", "locale": "ru", "time_zone": "Asia/Almaty", "theme": "dark"}),
    )
    .unwrap();
    world.auth.update_me(&session, &change).await.unwrap();
    let me = world.auth.me(&world.of(&owner).await).await.unwrap();
    assert_eq!((&me["user"]["first_name"], &me["user"]["theme"]), (&json!("Aigerim"), &json!("dark")));
    let names = world
        .scene
        .strings("select first_name from iam.memberships where organization_id = $1", &[&organization])
        .await;
    assert_eq!(names, ["Aigerim"]);
    for wrong in [
        json!({"theme": "pink"}),
        json!({"locale": "R"}),
        json!({"time_zone": "Nowhere"}),
        json!({"first_name": "a\nb"}),
    ] {
        let change: MeChange = serde_json::from_value(wrong.clone()).unwrap();
        assert_eq!(status(&world.auth.update_me(&session, &change).await), 422, "{wrong}");
    }
    assert!(serde_json::from_value::<MeChange>(json!({"email": "x@y"})).is_err());
}
