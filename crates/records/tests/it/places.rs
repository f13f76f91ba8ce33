//! Roles in one workspace: what they reach, in the database and in memory.

use crate::shop::scene;
use kernel::{Access, FieldAccess, Role, Scope};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, Scene};
use uuid::Uuid;

const VISITS: &str = "shop.visits";

fn role(scope: Scope) -> Role {
    let may = |action: &str| (VISITS.to_owned(), action.to_owned(), scope);
    let permissions = ["read", "create", "update", "delete", "finish"].map(may).to_vec();
    Role { name: "visitor".into(), permissions, ..Role::default() }
}

async fn workspaces(s: &Scene, organization: Uuid) -> [Uuid; 2] {
    let sql = "insert into tenancy.workspaces (organization_id, name) values ($1, 'here'), ($1, 'there') returning id";
    let rows = s.admin().query(sql, &[&organization]).await.unwrap();
    [rows[0].get(0), rows[1].get(0)]
}

async fn visit(person: &Person, name: &str, workspace: Option<Uuid>) -> Value {
    let visit =
        json!({ "name": name, "worth": "10", "workspace_id": workspace, "notes": [{ "text": "heard" }] });
    person.create(VISITS, visit).await.ok()
}

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect()
}

impl Visitors {
    /// A company of two workspaces, `boss` over all, and somebody with roles of `scope` in the first of them.
    async fn new(s: &Scene, everywhere: Scope, here: Scope) -> Visitors {
        let boss = s.person("Acme", "owner").await;
        let places = workspaces(s, boss.actor.organization).await;
        let mut person = s.person_with("Acme", &[role(everywhere)]).await;
        let access = (*person.actor.access).clone();
        person.actor.access = Arc::new(access.with_place(s.store.catalog(), places[0], &[role(here)]));
        Visitors { boss, person, places }
    }
}

struct Visitors {
    boss: Person,
    person: Person,
    places: [Uuid; 2],
}

#[tokio::test]
async fn memory_and_database_agree_on_the_union_of_all_roles() {
    let s = scene().await;
    let catalog = s.store.catalog().clone();
    let entity = catalog.entity(VISITS).unwrap();
    let boss = s.person("Acme", "owner").await;
    let [here, there] = workspaces(&s, boss.actor.organization).await;
    let mut me = s.person_with("Acme", &[role(Scope::All)]).await;
    let mate = s.person_with("Acme", &[role(Scope::All)]).await;
    let mut rows = Vec::new();
    for owner in [me.actor.user, mate.actor.user, boss.actor.user] {
        for workspace in [None, Some(here), Some(there)] {
            let made = visit(&boss, "v", workspace).await;
            let made = boss.update(VISITS, &made, json!({ "assigned_to": owner })).await.ok();
            rows.push((testkit::id(&made), owner, workspace));
        }
    }
    let scopes = [Scope::None, Scope::Own, Scope::Team, Scope::Workspace, Scope::All];
    let open = [None, Some(vec![here]), Some(vec![there]), Some(vec![here, there])];
    for (everywhere, local, open) in scopes
        .iter()
        .flat_map(|e| scopes.iter().map(move |l| (*e, *l)))
        .flat_map(|(e, l)| open.iter().map(move |o| (e, l, o.clone())))
    {
        let mut access = Access::of(&catalog, &[role(everywhere)]).with_place(&catalog, here, &[role(local)]);
        access.team = vec![me.actor.user, mate.actor.user];
        access.workspaces = open.clone();
        let may = |owner: Uuid, workspace: Option<Uuid>| {
            let own = owner == me.actor.user;
            let visible = workspace.is_none_or(|w| open.as_ref().is_none_or(|o| o.contains(&w)));
            let all_over = match everywhere {
                Scope::None => false,
                Scope::Own => own,
                Scope::Team => own || owner == mate.actor.user,
                Scope::Workspace => workspace.is_some(),
                Scope::All => true,
            };
            visible
                && (all_over || workspace == Some(here) && (local > Scope::Own || local == Scope::Own && own))
        };
        let expected: Vec<Uuid> = rows.iter().filter(|(_, o, w)| may(*o, *w)).map(|r| r.0).collect();
        let told = format!("{everywhere:?} in the company, {local:?} here, open {open:?}");
        let remembered: Vec<Uuid> = rows
            .iter()
            .filter(|(_, o, w)| access.reaches(entity, "read", me.actor.user, Some(*o), *w))
            .map(|r| r.0)
            .collect();
        assert_eq!(remembered, expected, "{told}");
        let nothing = everywhere == Scope::None && local == Scope::None;
        assert_eq!(access.may(entity, "read"), !nothing, "{told}");
        me.actor.access = Arc::new(access);
        if nothing {
            me.list(VISITS, &[]).await.forbidden();
            continue;
        }
        let listed = me.list(VISITS, &[("sort", "id"), ("expand", "notes")]).await.ok();
        let listed = listed["data"].as_array().unwrap();
        assert_eq!(listed.iter().map(testkit::id).collect::<Vec<_>>(), expected, "{told}");
        assert!(
            listed.iter().all(|v| v["notes"].as_array().unwrap().len() == 1),
            "{told}: as far as their parts"
        );
        let sql = "update shop.visits set name = name where organization_id = $1 returning id";
        let touched = s.store.batch(&me.actor, &[(sql, &[&me.actor.organization])]).await.unwrap();
        let mut touched: Vec<Uuid> = touched[0].iter().map(|r| r.get(0)).collect();
        touched.sort();
        assert_eq!(touched, expected, "{told}: as far as changes");
    }
}

#[tokio::test]
async fn a_role_in_a_workspace_ends_where_the_workspace_does() {
    let s = scene().await;
    let Visitors { boss, person, places: [here, there] } = Visitors::new(&s, Scope::None, Scope::All).await;
    let (ours, theirs) = (visit(&boss, "ours", Some(here)).await, visit(&boss, "theirs", Some(there)).await);
    let common = visit(&boss, "common", None).await;
    assert_eq!(names(&person.list(VISITS, &[]).await.ok()), ["ours"]);
    let sum = json!({ "metrics": [{ "function": "sum", "field": "worth", "as": "worth" }] });
    assert_eq!(person.aggregate(VISITS, sum.clone()).await.ok()["data"][0]["worth"], "10.00");
    assert_eq!(boss.aggregate(VISITS, sum).await.ok()["data"][0]["worth"], "30.00");

    let mine = person.create(VISITS, json!({ "name": "mine", "follows_id": ours["id"] })).await.ok();
    assert_eq!(mine["workspace_id"], json!(here), "where else");
    for elsewhere in [json!(there), Value::Null] {
        person.create(VISITS, json!({ "name": "mine", "workspace_id": elsewhere })).await.forbidden();
    }
    person
        .create(VISITS, json!({ "name": "mine", "follows_id": theirs["id"] }))
        .await
        .refused("no such record");

    for foreign in [&theirs, &common] {
        person.read(VISITS, foreign).await.not_found();
        person.update(VISITS, foreign, json!({ "name": "taken" })).await.not_found();
        person.act(VISITS, foreign, "finish").await.not_found();
        person.delete(VISITS, foreign).await.not_found();
    }
    assert_eq!(person.read(VISITS, &ours).await.ok()["_actions"], json!(["finish", "update", "delete"]));
    let ours = person.update(VISITS, &ours, json!({ "worth": "11" })).await.ok();
    for elsewhere in [json!(there), Value::Null] {
        person.update(VISITS, &ours, json!({ "workspace_id": elsewhere })).await.refused("stays there");
    }
    assert_eq!(person.act(VISITS, &ours, "finish").await.ok()["status"], "done");
    person.delete(VISITS, &mine).await.ok();
    person.restore(VISITS, &mine).await.ok();
    person.list("shop.customers", &[]).await.forbidden();
}

#[tokio::test]
async fn what_is_ones_own_all_over_the_company_stays_so() {
    let s = scene().await;
    let Visitors { boss, person, places: [here, there] } = Visitors::new(&s, Scope::Own, Scope::All).await;
    let ours = visit(&boss, "ours", Some(here)).await;
    visit(&boss, "theirs", Some(there)).await;
    let own = visit(&person, "own", Some(there)).await;
    assert_eq!(names(&person.list(VISITS, &[("sort", "name")]).await.ok()), ["ours", "own"]);
    person.update(VISITS, &own, json!({ "workspace_id": here })).await.ok();
    person.update(VISITS, &ours, json!({ "workspace_id": there })).await.refused("stays there");

    let actor = &person.actor;
    let hides = |roles: [&str; 2]| {
        let [all_over, local] = roles.map(|field| Role {
            fields: vec![(VISITS.into(), field.into(), FieldAccess::None)],
            ..role(Scope::All)
        });
        let access = Access::of(s.store.catalog(), &[all_over]);
        let access = access.with_place(s.store.catalog(), here, &[local]);
        ["worth", "name"].map(|field| access.field(VISITS, field))
    };
    assert_eq!(
        hides(["worth", "name"]),
        [FieldAccess::None, FieldAccess::Write],
        "no field of the company opens"
    );
    let local = Role { fields: vec![(VISITS.into(), "worth".into(), FieldAccess::None)], ..role(Scope::All) };
    let access =
        Access::of(s.store.catalog(), &[role(Scope::None)]).with_place(s.store.catalog(), here, &[local]);
    assert_eq!(access.field(VISITS, "worth"), FieldAccess::None);
    // Of an entity without workspaces a role in one gives nothing.
    let customers =
        Role { permissions: vec![("shop.customers".into(), "read".into(), Scope::All)], ..Role::default() };
    let access = Access::of(s.store.catalog(), &[]).with_place(s.store.catalog(), here, &[customers]);
    let entity = s.store.catalog().entity("shop.customers").unwrap();
    assert!(
        !access.may(entity, "read") && !access.reaches(entity, "read", actor.user, Some(actor.user), None)
    );
}
