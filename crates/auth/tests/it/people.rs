use crate::{PASSWORD, World, address, said, status, visit, world};
use auth::{Invitation, MeChange, MemberChange, NewRole, NewToken, RoleChange, Session};
use serde_json::{Value, json};
use uuid::Uuid;

fn roles(names: &[&str]) -> MemberChange {
    MemberChange { roles: Some(names.iter().map(|n| (*n).to_owned()).collect()), ..MemberChange::default() }
}

fn suspended() -> MemberChange {
    MemberChange { status: Some("suspended".into()), ..MemberChange::default() }
}

fn key(scopes: &[&str]) -> NewToken {
    NewToken {
        name: "robot".into(),
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        expires_at: None,
        allowed_ips: Vec::new(),
    }
}

fn invitation(email: &str, roles: &[&str]) -> Invitation {
    Invitation { email: email.into(), roles: roles.iter().map(|r| (*r).to_owned()).collect() }
}

fn new_role(value: Value) -> NewRole {
    serde_json::from_value(value).unwrap()
}

fn change(value: Value) -> RoleChange {
    serde_json::from_value(value).unwrap()
}

impl World {
    fn may(&self, session: &Session, action: &str) -> bool {
        let payments = self.scene.store.catalog().entity("books.payments").unwrap();
        session.actor().unwrap().access.may(payments, action)
    }

    async fn role(&self, session: &Session, name: &str) -> Value {
        self.auth.roles(session, "en").await.unwrap().into_iter().find(|r| r["name"] == name).unwrap()
    }
}

#[tokio::test]
async fn n06_who_is_suspended_or_removed_is_out_with_cookie_and_key() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    for gone in [false, true] {
        let colleague = world.colleague(organization, &["manager"]).await;
        let theirs = world.of(&colleague).await;
        let key = world.auth.create_token(&theirs, &key(&["books.payments:read"])).await.unwrap();
        let key = key["token"].as_str().unwrap();
        world.session(key).await;
        if gone {
            world.auth.remove_member(&session, colleague.id).await.unwrap();
        } else {
            world.auth.update_member(&session, colleague.id, &suspended()).await.unwrap();
        }
        for token in [key, &colleague.token] {
            assert_eq!(status(&world.auth.session(token, Uuid::now_v7()).await), 401);
        }
        // He may sign in still, into nothing.
        let again = world.session(&world.login(&colleague.email).await.token).await;
        assert!(again.organization.is_none());
    }
    let colleague = world.colleague(organization, &["manager"]).await;
    world.of(&colleague).await;
    world.auth.suspend_user(colleague.id, true).await.unwrap();
    assert_eq!(status(&world.auth.session(&colleague.token, Uuid::now_v7()).await), 401);
    assert_eq!(status(&world.auth.login(&colleague.email, PASSWORD, None, &visit()).await), 403);
}

#[tokio::test]
async fn what_was_taken_away_behind_our_back_is_gone_within_a_second() {
    let world = world().await;
    let (_, organization) = world.owner().await;
    let colleague = world.colleague(organization, &["manager"]).await;
    world.of(&colleague).await;
    world
        .sql(
            "update iam.memberships set status = 'suspended' where organization_id = $1 and id = $2",
            &[&organization, &colleague.id],
        )
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(1050)).await;
    assert_eq!(status(&world.auth.session(&colleague.token, Uuid::now_v7()).await), 401);
}

#[tokio::test]
async fn n15_an_invitation_brings_one_person_in_once_as_its_sender_said() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let manager = world.colleague(organization, &["manager"]).await;
    let email = address("guest");
    assert_eq!(
        status(&world.auth.invite(&world.of(&manager).await, &invitation(&email, &["manager"])).await),
        403
    );
    assert_eq!(status(&world.auth.invite(&session, &invitation(&email, &["nonsense"])).await), 422);
    assert_eq!(status(&world.auth.invite(&session, &invitation(&email, &[])).await), 422);
    let made = world.auth.invite(&session, &invitation(&email, &["cashier"])).await.unwrap();
    assert_eq!((&made["status"], &made["roles"]), (&json!("invited"), &json!(["cashier"])));
    let older = world.code(&email).await;
    world.auth.invite(&session, &invitation(&email, &["verifier"])).await.unwrap();
    let code = world.code(&email).await;
    assert_eq!(
        status(&world.auth.accept_invitation(&older, Some(PASSWORD), None, None, &visit()).await),
        400
    );
    assert_eq!(status(&world.auth.accept_invitation(&code, Some("short"), None, None, &visit()).await), 422);

    let visits: Vec<_> = (0..6).map(|_| visit()).collect();
    let all = visits
        .iter()
        .map(|v| world.auth.accept_invitation(&code, Some(PASSWORD), Some("New"), Some("Guest"), v));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all.iter().filter(|a| a.is_ok()).count(), 1);
    assert!(all.iter().all(|a| matches!(status(a), 200 | 400)));
    let token = all.into_iter().find_map(|a| a.ok()?.signed_in).unwrap().token;
    let theirs = world.session(&token).await;
    assert_eq!(theirs.actor().unwrap().access.roles, ["verifier"]);
    assert!(world.may(&theirs, "verify") && !world.may(&theirs, "create"));
    assert_eq!(status(&world.auth.accept_invitation(&code, Some(PASSWORD), None, None, &visit()).await), 400);
    assert_eq!(status(&world.auth.invite(&session, &invitation(&email, &["cashier"])).await), 422);
    let edited = json!({"email": email, "roles": ["cashier"], "organization_id": organization});
    assert!(serde_json::from_value::<Invitation>(edited).is_err());

    // Who has an account keeps his password, and is not signed in by a link.
    let (known, _) = world.account("known").await;
    world.auth.invite(&session, &invitation(&known, &["cashier"])).await.unwrap();
    let listed = world.auth.members(&session).await.unwrap();
    assert_eq!(
        listed.iter().find(|m| m["email"] == json!(known)).unwrap()["first_name"],
        "",
        "not known before he came"
    );
    let code = world.code(&known).await;
    let done =
        world.auth.accept_invitation(&code, Some("another password"), None, None, &visit()).await.unwrap();
    assert!(done.signed_in.is_none());
    assert_eq!(
        world.session(&world.login(&known).await.token).await.organization().unwrap().id,
        organization
    );
    // Taken back before it was accepted.
    let (late, id) = world.account("late").await;
    world.auth.invite(&session, &invitation(&late, &["cashier"])).await.unwrap();
    world.auth.remove_member(&session, id).await.unwrap();
    let code = world.code(&late).await;
    assert_eq!(status(&world.auth.accept_invitation(&code, None, None, None, &visit()).await), 400);
}

#[tokio::test]
async fn n16_keys_belong_to_one_person() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let colleague = world.colleague(organization, &["verifier"]).await;
    let theirs = world.of(&colleague).await;
    let made = world.auth.create_token(&theirs, &key(&["books.payments:read"])).await.unwrap();
    let id: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let session = world.of(&owner).await;
    assert_eq!(status(&world.auth.delete_token(&session, id).await), 404);
    assert!(world.auth.tokens(&session).await.unwrap().is_empty());
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with(made["prefix"].as_str().unwrap()));
    let listed = world.auth.tokens(&theirs).await.unwrap();
    assert!(listed.len() == 1 && !listed[0].to_string().contains(token));
    let kept =
        world.scene.strings("select to_jsonb(t)::text from iam.api_tokens t where id = $1", &[&id]).await;
    assert!(!kept[0].contains(token));
    // The history keeps neither the key nor its hash.
    let history = world.scene.strings("select new::text from app.audit where record_id = $1", &[&id]).await;
    assert!(!history.is_empty() && history.iter().all(|h| !h.contains("token_hash")));

    // It may do what its scope says, and what its owner may.
    let robot = world.session(token).await;
    assert!(world.may(&robot, "read") && !world.may(&robot, "verify"));
    assert_eq!(robot.actor().unwrap().user, colleague.id);
    assert_eq!(status(&world.auth.create_token(&theirs, &key(&["books.payments:create"])).await), 403);
    for wrong in ["books.payments", "books.nothing:read", "books.payments:fly", "*:Read"] {
        assert_eq!(status(&world.auth.create_token(&theirs, &key(&[wrong])).await), 422, "{wrong}");
    }
    // And opens no second door.
    assert_eq!(status(&world.auth.create_token(&robot, &key(&["*:*"])).await), 403);
    assert_eq!(status(&world.auth.change_password(&robot, PASSWORD, crate::OTHER).await), 403);
    assert_eq!(status(&world.auth.members(&robot).await), 403);
    world.auth.delete_token(&theirs, id).await.unwrap();
    assert_eq!(status(&world.auth.session(token, Uuid::now_v7()).await), 401);
    let past = NewToken { expires_at: Some(jiff::Timestamp::now()), ..key(&["*:*"]) };
    assert_eq!(status(&world.auth.create_token(&theirs, &past).await), 422);
}

#[tokio::test]
async fn z04_nobody_grants_more_than_he_has() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let admin = world.colleague(organization, &["admin"]).await;
    let manager = world.colleague(organization, &["manager"]).await;
    let (o, a, m) = (world.of(&owner).await, world.of(&admin).await, world.of(&manager).await);
    let before = world.scene.strings("select membership_id::text || role_id::text from iam.role_assignments where organization_id = $1 order by 1", &[&organization]).await;

    // Who is no administrator manages nobody, himself least of all.
    assert_eq!(status(&world.auth.update_member(&m, manager.id, &roles(&["admin"])).await), 403);
    assert_eq!(status(&world.auth.update_member(&m, admin.id, &roles(&["manager"])).await), 403);
    assert_eq!(status(&world.auth.create_role(&m, &new_role(json!({"name": "mine"}))).await), 403);
    let cashier: Uuid = world.role(&m, "cashier").await["id"].as_str().unwrap().parse().unwrap();
    let more = change(json!({"grants": {"books.payments": {"verify": "all"}}}));
    assert_eq!(status(&world.auth.update_role(&m, cashier, &more).await), 403);
    assert_eq!(status(&world.auth.delete_role(&m, cashier).await), 403);
    // An administrator makes no owner, touches none, and does not change himself.
    assert_eq!(status(&world.auth.update_member(&a, manager.id, &roles(&["owner"])).await), 403);
    assert_eq!(status(&world.auth.update_member(&a, admin.id, &roles(&["owner"])).await), 403);
    assert_eq!(status(&world.auth.update_member(&a, admin.id, &roles(&["admin", "manager"])).await), 403);
    assert_eq!(status(&world.auth.update_member(&a, owner.id, &roles(&["manager"])).await), 403);
    assert_eq!(status(&world.auth.update_member(&a, owner.id, &suspended()).await), 403);
    assert_eq!(status(&world.auth.remove_member(&a, owner.id).await), 403);
    let admins: Uuid = world.role(&a, "admin").await["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(status(&world.auth.update_role(&a, admins, &change(json!({"label": "x"}))).await), 403);
    assert_eq!(
        status(&world.auth.create_role(&a, &new_role(json!({"name": "x", "template": "owner"}))).await),
        422
    );
    // A key of an owner, with every scope, is no owner.
    let robot = world.auth.create_token(&o, &key(&["*:*"])).await.unwrap();
    let robot = world.session(robot["token"].as_str().unwrap()).await;
    assert_eq!(status(&world.auth.update_member(&robot, manager.id, &roles(&["admin"])).await), 403);
    assert_eq!(status(&world.auth.create_role(&robot, &new_role(json!({"name": "mine"}))).await), 403);
    // The general interface to records is no way round, not even for owners.
    let person = testkit::Person { store: world.scene.store.clone(), actor: o.actor().unwrap().clone() };
    person
        .create("iam.role_assignments", json!({"membership_id": manager.id, "role_id": admins}))
        .await
        .refused("their own pages");
    let after = world.scene.strings("select membership_id::text || role_id::text from iam.role_assignments where organization_id = $1 order by 1", &[&organization]).await;
    assert_eq!(before, after);

    // What is hidden from administrators they cannot show to others, nor to themselves through another role.
    let hide = change(json!({"fields": {"books.payments": {"secret_note": "none"}}}));
    world.auth.update_role(&o, admins, &hide).await.unwrap();
    let a = world.of(&admin).await;
    let show = json!({"name": "curious", "grants": {"books.payments": {"read": "all"}}});
    let made = world.auth.create_role(&a, &new_role(show)).await.unwrap();
    assert_eq!(made["grants"], json!({"books.payments": {"read": "all"}}));
    let refused = world.auth.update_member(&a, manager.id, &roles(&["curious"])).await;
    assert_eq!((status(&refused), said(&refused).contains("secret_note")), (403, true));
    let open = change(json!({"fields": {"books.payments": {"secret_note": "read"}}}));
    let curious: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(status(&world.auth.update_role(&a, curious, &open).await), 403);
    let closed = change(json!({"fields": {"books.payments": {"secret_note": "none"}}}));
    world.auth.update_role(&a, curious, &closed).await.unwrap();
    world.auth.update_member(&a, manager.id, &roles(&["curious"])).await.unwrap();
}

#[tokio::test]
async fn a_role_keeps_only_what_differs_from_its_template() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let colleague = world.colleague(organization, &["cashier"]).await;
    let session = world.of(&owner).await;
    let cashier = world.role(&session, "cashier").await;
    assert_eq!(cashier["grants"]["books.payments"], json!({"read": "all", "create": "all", "update": "own"}));
    assert_eq!((&cashier["is_system"], &cashier["label"]), (&json!(true), &json!("Cashier")));
    let id: Uuid = cashier["id"].as_str().unwrap().parse().unwrap();
    let kept = async || {
        world.scene.strings("select entity || ' ' || action || ' ' || scope from iam.permissions where organization_id = $1", &[&organization]).await
    };
    let same = change(json!({"grants": {"books.payments": {"read": "all", "create": "all"}}}));
    world.auth.update_role(&session, id, &same).await.unwrap();
    assert!(kept().await.is_empty());
    assert!(world.may(&world.of(&colleague).await, "create"));
    let less = change(json!({"grants": {"books.payments": {"create": "none"}}}));
    let shown = world.auth.update_role(&session, id, &less).await.unwrap();
    assert_eq!(shown["grants"]["books.payments"]["create"], "none");
    assert_eq!(kept().await, ["books.payments create none"]);
    assert!(!world.may(&world.of(&colleague).await, "create"), "at once");
    world.auth.update_role(&session, id, &same).await.unwrap();
    assert!(kept().await.is_empty());
    for wrong in [
        json!({"grants": {"books.nothing": {"read": "all"}}}),
        json!({"grants": {"books.payments": {"fly": "all"}}}),
        json!({"grants": {"books.payments": {"read": "everything"}}}),
        json!({"fields": {"books.payments": {"nothing": "none"}}}),
        json!({"fields": {"books.payments": {"amount": "all"}}}),
    ] {
        assert_eq!(
            status(&world.auth.update_role(&session, id, &change(wrong.clone())).await),
            400,
            "{wrong}"
        );
    }
    assert_eq!(status(&world.auth.delete_role(&session, id).await), 422);
    let made = world
        .auth
        .create_role(&session, &new_role(json!({"name": "intern", "template": "manager"})))
        .await
        .unwrap();
    assert_eq!(made["grants"]["books.payments"], json!({"read": "all"}));
    world.auth.update_member(&session, colleague.id, &roles(&["intern"])).await.unwrap();
    let intern: Uuid = made["id"].as_str().unwrap().parse().unwrap();
    let refused = world.auth.delete_role(&session, intern).await;
    assert!(status(&refused) == 422 && said(&refused).contains("colleague"), "{}", said(&refused));
    world.auth.update_member(&session, colleague.id, &roles(&["manager"])).await.unwrap();
    world.auth.delete_role(&session, intern).await.unwrap();
    assert_eq!(status(&world.auth.create_role(&session, &new_role(json!({"name": "cashier"}))).await), 422);
    let (stranger, _) = world.owner().await;
    assert_eq!(status(&world.auth.update_role(&world.of(&stranger).await, id, &less).await), 404);
}

#[tokio::test]
async fn duties_are_kept_apart() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let colleague = world.colleague(organization, &["cashier"]).await;
    let both = world.auth.update_member(&session, colleague.id, &roles(&["cashier", "verifier"])).await;
    assert!(status(&both) == 422 && said(&both).contains("kept apart"), "{}", said(&both));
    let id: Uuid = world.role(&session, "cashier").await["id"].as_str().unwrap().parse().unwrap();
    let more = change(json!({"grants": {"books.payments": {"verify": "all"}}}));
    assert_eq!(status(&world.auth.update_role(&session, id, &more).await), 422);
    // Nor through another role that grows.
    world.auth.update_member(&session, colleague.id, &roles(&["cashier", "manager"])).await.unwrap();
    let id: Uuid = world.role(&session, "manager").await["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(status(&world.auth.update_role(&session, id, &more).await), 422);
    world.auth.update_member(&session, colleague.id, &roles(&["admin"])).await.unwrap();
}

#[tokio::test]
async fn a_company_always_has_an_owner() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    assert_eq!(status(&world.auth.remove_member(&session, owner.id).await), 422);
    assert_eq!(status(&world.auth.update_member(&session, owner.id, &roles(&["manager"])).await), 422);
    assert_eq!(status(&world.auth.update_member(&session, owner.id, &suspended()).await), 422);
    for _ in 0..5 {
        let second = world.colleague(organization, &["owner"]).await;
        let first = world.login(&owner.email).await.token;
        let (one, two) = (world.session(&first).await, world.of(&second).await);
        let (a, b) =
            tokio::join!(world.auth.remove_member(&one, second.id), world.auth.remove_member(&two, owner.id));
        let statuses = (status(&a), status(&b));
        let owners = world.scene.strings("select m.email from iam.memberships m join iam.role_assignments a on a.membership_id = m.id join iam.roles r on r.id = a.role_id and r.name = 'owner'
            where m.organization_id = $1 and m.status = 'active'", &[&organization]).await;
        assert_eq!(owners.len(), 1, "{statuses:?}");
        if b.is_ok() {
            // The survivor hands the company back.
            world
                .auth
                .add_member_with_roles(organization, owner.id, &["owner".into()], Uuid::now_v7())
                .await
                .unwrap();
            let two = world.session(&world.login(&second.email).await.token).await;
            world.auth.remove_member(&two, second.id).await.unwrap();
        }
    }
    // Anybody else may leave.
    let colleague = world.colleague(organization, &["manager"]).await;
    world.auth.remove_member(&world.of(&colleague).await, colleague.id).await.unwrap();
    assert_eq!(status(&world.auth.session(&colleague.token, Uuid::now_v7()).await), 401);
    let (stranger, _) = world.owner().await;
    assert_eq!(status(&world.auth.remove_member(&world.of(&stranger).await, owner.id).await), 404);
}

#[tokio::test]
async fn the_history_names_who_changed_what() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let colleague = world.colleague(organization, &["manager"]).await;
    let session = world.of(&owner).await;
    world.auth.update_member(&session, colleague.id, &roles(&["cashier"])).await.unwrap();
    let request = session.actor().unwrap().request;
    let sql = "select entity || ' ' || action || ' ' || actor_id from app.audit where organization_id = $1 and request_id = $2 order by 1";
    let rows = world.scene.strings(sql, &[&organization, &request]).await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows.iter().all(|r| r.starts_with("iam.role_assignments") && r.ends_with(&owner.id.to_string())));
    let made = world
        .scene
        .strings(
            "select count(*)::text from app.audit where organization_id = $1 and actor_id is null",
            &[&organization],
        )
        .await;
    assert_eq!(made, ["0"]);
    let visits = world.scene.strings("select action from app.audit where organization_id = $1 and record_id = $2 and action = 'sign_in'", &[&organization, &owner.id]).await;
    assert_eq!(visits.len(), 1);
}

#[tokio::test]
async fn a_team_is_whom_one_leads_and_whom_they_lead() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.colleague(organization, &["manager"]).await);
    }
    for n in 1..3 {
        let under = MemberChange { manager_id: Some(Some(ids[n - 1].id)), ..MemberChange::default() };
        world.auth.update_member(&session, ids[n].id, &under).await.unwrap();
    }
    let team = async |n: usize| {
        let mut team = world.of(&ids[n]).await.actor().unwrap().access.team.clone();
        team.sort();
        team
    };
    let mut all: Vec<Uuid> = ids.iter().map(|i| i.id).collect();
    all.sort();
    assert_eq!(team(0).await, all);
    assert_eq!(team(1).await.len(), 2);
    assert!(team(2).await.is_empty());

    let circle = MemberChange { manager_id: Some(Some(ids[2].id)), ..MemberChange::default() };
    for who in [0, 2] {
        assert_eq!(status(&world.auth.update_member(&session, ids[who].id, &circle).await), 422);
    }
    world.auth.remove_member(&session, ids[1].id).await.unwrap();
    assert_eq!(team(0).await.len(), 2, "whom the one who left had led is led by who led him");
    world.auth.remove_member(&session, ids[0].id).await.unwrap();
    let led = "select manager_id::text from iam.memberships where id = $1 and manager_id is not null";
    assert!(world.scene.strings(led, &[&ids[2].id]).await.is_empty());
}

#[tokio::test]
async fn people_tell_of_themselves_what_they_want() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let profile = auth::Profile {
        title: "Founder".into(),
        phone: "+7 727 355 01 02".into(),
        skills: vec!["welding".into()],
        visibility: json!({ "phone": "self" }).as_object().unwrap().clone(),
        ..auth::Profile::default()
    };
    let own = world.auth.set_profile(&session, &profile).await.unwrap();
    assert_eq!((&own["phone"], &own["picture"]), (&json!("+7 727 355 01 02"), &json!(false)));
    let png = [&[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a][..], &[0; 64]].concat();
    world.auth.set_picture(&session, Some(&png)).await.unwrap();
    for wrong in [&b"<svg onload=alert(1)>"[..], &b""[..], &vec![0x89; 600 << 10]] {
        assert_eq!(status(&world.auth.set_picture(&session, Some(wrong)).await), 422);
    }

    let colleague = world.of(&world.colleague(organization, &["cashier"]).await).await;
    let seen = world.auth.profile(&colleague, owner.id).await.unwrap();
    assert_eq!((&seen["title"], seen.get("phone"), seen.get("visibility")), (&json!("Founder"), None, None));
    assert_eq!(world.auth.picture(&colleague, owner.id).await.unwrap(), ("image/png", png));
    let (stranger, _) = world.owner().await;
    let stranger = world.of(&stranger).await;
    assert_eq!(status(&world.auth.profile(&stranger, owner.id).await), 404);
    assert_eq!(status(&world.auth.picture(&stranger, owner.id).await), 404);

    let everybody =
        auth::Profile { visibility: json!({ "phone": "everybody" }).as_object().unwrap().clone(), ..profile };
    assert_eq!(status(&world.auth.set_profile(&session, &everybody).await), 400);
    let wish = |value: Value| MeChange {
        preferences: Some(value.as_object().unwrap().clone()),
        ..MeChange::default()
    };
    world
        .auth
        .update_me(&session, &wish(json!({ "notifications": { "*": { "email": true } }, "density": "wide" })))
        .await
        .unwrap();
    world.auth.update_me(&session, &wish(json!({ "density": null }))).await.unwrap();
    let me = world.auth.me(&world.of(&owner).await).await.unwrap();
    assert_eq!(me["user"]["preferences"], json!({ "notifications": { "*": { "email": true } } }));
    let much = wish(json!({ "much": "x".repeat(20 << 10) }));
    assert_eq!(status(&world.auth.update_me(&session, &much).await), 422);
}
