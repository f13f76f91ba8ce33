//! What every table of every module must keep. A new module is under these tests without naming itself anywhere.

use kernel::Sql;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::scene;

const NONE: [String; 0] = [];

#[tokio::test]
async fn the_gate_finds_nothing() {
    let s = scene(crate::ALL).await;
    assert_eq!(kernel::gate(s.admin()).await.unwrap(), NONE);
}

#[tokio::test]
async fn every_table_and_every_rule_is_explained() {
    let s = scene(crate::ALL).await;
    let silent = "
        select name || ': no comment' from app.entities where obj_description(name::regclass) is null
        union all
        select conrelid::regclass || '.' || conname || ': no sentence' from pg_constraint join app.entities e on e.name::regclass = conrelid
        where contype = 'c' and cardinality(conkey) > 1 and obj_description(pg_constraint.oid, 'pg_constraint') is null";
    assert_eq!(s.strings(silent, &[]).await, NONE);
}

#[tokio::test]
async fn metadata_names_only_what_is_there() {
    let s = scene(crate::ALL).await;
    let catalog = s.store.catalog();
    let mut lost = Vec::new();
    for module in &catalog.modules {
        for (role, grants) in module.meta["roles"].as_object().into_iter().flatten() {
            for (entity, actions) in grants.as_object().into_iter().flatten() {
                let Ok(entity) = catalog.entity(&format!("{}.{entity}", module.name)) else {
                    lost.push(format!("{}: role {role} names {entity}", module.name));
                    continue;
                };
                let known: BTreeSet<&str> =
                    ["read", "create", "update", "delete", "restore", "export", "import"]
                        .into_iter()
                        .chain(entity.transitions.iter().map(|t| t.action.as_str()))
                        .chain(kernel::actions(crate::ALL, &entity.name).map(|a| a.action))
                        .collect();
                for (action, scope) in actions.as_object().into_iter().flatten() {
                    if !known.contains(action.as_str())
                        || scope.as_str().and_then(kernel::Scope::parse).is_none()
                    {
                        lost.push(format!("{}: role {role}: {action} = {scope}", entity.name));
                    }
                }
            }
        }
        for list in ["start", "onboarding", "settings"] {
            for said in module.meta[list].as_array().into_iter().flatten() {
                if let Some(entity) = said["entity"].as_str()
                    && catalog.entity(entity).is_err()
                {
                    lost.push(format!("{}: {list} names {entity}", module.name));
                }
            }
        }
        for entity in module.meta["entities"].as_object().into_iter().flatten().map(|(e, _)| e) {
            if catalog.entity(&format!("{}.{entity}", module.name)).is_err() {
                lost.push(format!("{}: there is no {entity}", module.name));
            }
        }
    }
    for entity in catalog.entities.values() {
        let has = |name: &str| entity.column(name).or_else(|| entity.relation(name)).is_some();
        let flat = |v: &Value| -> Vec<String> {
            let items = v.as_array().cloned().unwrap_or_default();
            let items = items.iter().flat_map(|v| v.as_array().cloned().unwrap_or_else(|| vec![v.clone()]));
            items.filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        for key in ["list", "form"] {
            lost.extend(
                flat(&entity.meta[key])
                    .into_iter()
                    .filter(|n| !has(n))
                    .map(|n| format!("{}.{key}: {n}", entity.name)),
            );
        }
        if let Some(title) = entity.meta["title"].as_str().filter(|t| !has(t)) {
            lost.push(format!("{}.title: {title}", entity.name));
        }
    }
    assert_eq!(lost, NONE);
}

#[tokio::test]
async fn every_rule_and_action_is_about_something_that_there_is() {
    let s = scene(crate::ALL).await;
    let catalog = s.store.catalog();
    let mut lost = Vec::new();
    for rule in crate::ALL.iter().flat_map(|m| m.rules) {
        let known = catalog.entities.get(rule.entity).is_some_and(|e| {
            ["create", "update", "delete"].contains(&rule.action)
                || e.transitions.iter().any(|t| t.action == rule.action)
                || kernel::actions(crate::ALL, rule.entity).any(|a| a.action == rule.action)
        });
        if !known {
            lost.push(format!("{} {}", rule.entity, rule.action));
        }
    }
    let actions = crate::ALL.iter().flat_map(|m| m.actions);
    lost.extend(actions.filter(|a| !catalog.entities.contains_key(a.entity)).map(|a| a.entity.to_owned()));
    assert_eq!(lost, NONE);
}

#[tokio::test]
async fn postgresql_understands_every_statement() {
    let s = scene(crate::ALL).await;
    let mut wrong = Vec::new();
    for sql in Sql::all() {
        if let Err(e) = s.understands(sql.text).await {
            wrong.push(format!("{}:{}: {e}", sql.file, sql.line));
        }
    }
    assert_eq!(wrong, NONE);
}

#[tokio::test]
async fn modules_stay_in_their_own_schema() {
    let mut wrong = Vec::new();
    for module in crate::ALL {
        for line in module.schema.lines().map(str::trim) {
            let made = ["create table ", "create function ", "create view ", "create index "]
                .iter()
                .find_map(|p| line.strip_prefix(p));
            if let Some((schema, _)) =
                made.and_then(|rest| rest.split([' ', '(']).next()).and_then(|name| name.split_once('.'))
                && schema != module.name
            {
                wrong.push(format!("{}: {line}", module.name));
            }
        }
    }
    assert_eq!(wrong, NONE);
}

/// Every entity, every way to ask, by somebody with all rights: nothing of another company, and its ids are as good as
/// made up (SAFETY T04, T05, T06).
#[tokio::test]
async fn nothing_of_one_company_is_seen_from_another() {
    let s = scene(crate::ALL).await;
    let (ann, bob) = (s.person("A", "owner").await, s.person("B", "owner").await);
    let catalog = s.store.catalog().clone();
    for entity in catalog.entities.values().filter(|e| catalog.module(e.module()).is_some()) {
        let sql = format!("select organization_id::text from {}", entity.name);
        let client = s.runtime().await;
        assert_eq!(
            client.query(&sql, &[]).await.unwrap().len(),
            0,
            "{}: rows without a context",
            entity.name
        );
        let forged = format!(
            "set app.context = '{} {} {} {}'",
            bob.actor.organization,
            ann.actor.user,
            ann.actor.request,
            "-".repeat(400)
        );
        client.batch_execute(&forged).await.unwrap();
        assert_eq!(client.query(&sql, &[]).await.unwrap().len(), 0, "{}: rows without a right", entity.name);
        let all = ann.list(&entity.name, &[("count", "exact")]).await.ok();
        assert_eq!(all["count"]["value"], json!(0), "{}", entity.name);
        let stranger = json!({ "id": bob.actor.user });
        bob.read(&entity.name, &json!({ "id": uuid::Uuid::now_v7() })).await.not_found();
        ann.read(&entity.name, &stranger).await.not_found();
    }
}

#[tokio::test]
async fn a_request_cut_short_leaves_nothing_behind() {
    let s = scene(crate::ALL).await;
    let ann = s.person("Acme", "owner").await;
    for _ in 0..20 {
        let slow = async {
            kernel::within!(s.store, &ann.actor, tx => { tx.batch_execute("select pg_sleep(60)").await?; Ok(()) })
        };
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), slow).await.is_err());
    }
    let left = "select coalesce(nullif(current_setting('app.context', true), ''), 'nobody')";
    assert_eq!(s.store.outside(left).await.unwrap(), "nobody");
}
