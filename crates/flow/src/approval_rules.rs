//! When an action waits for approval: rules that administrators keep.

use kernel::{Actor, Error, Result, Store, sql, within};
use records::approvals::{check_condition, is_action};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// A rule as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub name: String,
    /// `module.entity`
    pub entity: String,
    pub action: String,
    /// Of the record and its lines; nothing is always.
    pub condition: Option<Value>,
    pub levels: Vec<Level>,
    #[serde(default)]
    pub position: i32,
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Actions that are taken when it is rejected or returned, where the record is in a state for them.
    pub on_reject: Option<String>,
    pub on_return: Option<String>,
}

fn yes() -> bool {
    true
}

/// Who decides; the levels come one after the other.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Level {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub people: Vec<Uuid>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// Whoever asks has a manager, who decides.
    pub manager: bool,
    /// How many of them; nothing is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_hours: Option<i32>,
    /// Who is asked when it is overdue; nothing is the next level, and after the last one the administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate: Option<Named>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Named {
    pub people: Vec<Uuid>,
    pub roles: Vec<String>,
}

macro_rules! shown {
    () => {
        "jsonb_build_object('id', r.id, 'name', r.name, 'entity', r.entity, 'action', r.action, 'condition', r.condition, 'levels', r.levels,
             'position', r.position, 'is_active', r.is_active, 'on_reject', r.on_reject, 'on_return', r.on_return, 'version', r.version)"
    };
}

fn administrates(actor: &Actor) -> Result<()> {
    if actor.access.is_admin() {
        return Ok(());
    }
    Err(Error::Forbidden("Only administrators say what needs approval.".into()))
}

/// All of the company, in the order in which they are tried.
///
/// # Errors
/// Forbidden to others than administrators.
pub async fn list(store: &Store, actor: &Actor) -> Result<Vec<Value>> {
    administrates(actor)?;
    let sql = sql!(concat!(
        "select ",
        shown!(),
        " from app.approval_rules r where r.organization_id = $1 and r.deleted_at is null order by r.entity, r.action, r.position, r.id"
    ));
    let rows = store.batch(actor, &[(sql, &[&actor.organization])]).await?;
    Ok(rows.iter().flatten().map(|row| row.get(0)).collect())
}

/// Makes a rule, or puts this one in the place of `id`.
///
/// # Errors
/// Malformed for what does not fit the entity; Refused for levels without anybody; NotFound.
pub async fn put(store: &Store, actor: &Actor, id: Option<Uuid>, rule: &Rule) -> Result<Value> {
    administrates(actor)?;
    if let Some(id) = id {
        let known = sql!(
            "select from app.approval_rules where organization_id = $1 and id = $2 and deleted_at is null"
        );
        let rows = store.batch(actor, &[(known, &[&actor.organization, &id])]).await?;
        rows.iter().flatten().next().ok_or(Error::NotFound)?;
    }
    let catalog = &actor.catalog;
    let entity = catalog.entities.get(&rule.entity).filter(|e| catalog.module(e.module()).is_some());
    let entity = entity.ok_or_else(|| Error::malformed_at("entity", "There is no such entity."))?;
    let named = [
        ("action", Some(&rule.action)),
        ("on_reject", rule.on_reject.as_ref()),
        ("on_return", rule.on_return.as_ref()),
    ];
    for (field, action) in named {
        if action.is_some_and(|action| !is_action(store.modules(), entity, action)) {
            return Err(Error::malformed_at(field, "There is no such action."));
        }
    }
    if let Some(condition) = &rule.condition {
        check_condition(catalog, actor, entity, condition).map_err(|e| e.under("condition"))?;
    }
    within!(store, actor, tx => {
        for (n, level) in rule.levels.iter().enumerate() {
            check(&tx, level).await.map_err(|e| e.under(&format!("levels.{n}")))?;
        }
        let levels = json!(rule.levels);
        let id = match id {
            Some(id) => {
                let sql = sql!(
                    "update app.approval_rules set name = $3, entity = $4, action = $5, condition = $6, levels = $7, position = $8, is_active = $9, on_reject = $10, on_return = $11
                     where organization_id = $1 and id = $2 and deleted_at is null"
                );
                tx.change(sql, &[&actor.organization, &id, &rule.name, &rule.entity, &rule.action, &rule.condition, &levels, &rule.position, &rule.is_active, &rule.on_reject, &rule.on_return]).await?;
                id
            }
            None => {
                let id = Uuid::now_v7();
                let sql = sql!(
                    "insert into app.approval_rules (organization_id, id, name, entity, action, condition, levels, position, is_active, on_reject, on_return)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
                );
                tx.change(sql, &[&actor.organization, &id, &rule.name, &rule.entity, &rule.action, &rule.condition, &levels, &rule.position, &rule.is_active, &rule.on_reject, &rule.on_return]).await?;
                id
            }
        };
        let sql = sql!(concat!("select ", shown!(), " from app.approval_rules r where r.organization_id = $1 and r.id = $2"));
        Ok(tx.query_one(sql, &[&actor.organization, &id]).await?.get::<_, Value>(0))
    })
}

/// # Errors
/// NotFound. What waits already goes on waiting.
pub async fn remove(store: &Store, actor: &Actor, id: Uuid) -> Result<()> {
    administrates(actor)?;
    within!(store, actor, tx => {
        let sql = sql!("update app.approval_rules set deleted_at = now() where organization_id = $1 and id = $2 and deleted_at is null");
        if tx.change(sql, &[&actor.organization, &id]).await? == 0 {
            return Err(Error::NotFound);
        }
        Ok(())
    })
}

/// A level names somebody, and only who is there.
async fn check(tx: &kernel::Tx, level: &Level) -> Result<()> {
    if level.people.is_empty() && level.roles.is_empty() && !level.manager {
        return Err(Error::refused("A level needs people, a role, or the manager of whoever asks."));
    }
    if level.quorum.is_some_and(|n| n < 1) {
        return Err(Error::refused_at("quorum", "At least one must agree."));
    }
    if level.due_hours.is_some_and(|n| !(1..=8_760).contains(&n)) {
        return Err(Error::refused_at("due_hours", "A level has 1 hour to a year."));
    }
    let none = Named::default();
    let also = level.escalate.as_ref().unwrap_or(&none);
    let people: Vec<Uuid> = level.people.iter().chain(&also.people).copied().collect();
    let roles: Vec<&str> = level.roles.iter().chain(&also.roles).map(String::as_str).collect();
    there(tx, &people, &roles).await
}

/// These people work here, and there are these roles.
pub(crate) async fn there(tx: &kernel::Tx, people: &[Uuid], roles: &[&str]) -> Result<()> {
    let sql = sql!(
        "select (select count(*) from unnest($2::uuid[]) p where not exists (select from iam.memberships m
                    where m.organization_id = $1 and m.id = p and m.status <> 'left' and m.deleted_at is null)),
                (select count(*) from unnest($3::text[]) n where not exists (select from iam.roles o
                    where o.organization_id = $1 and o.name = n and o.deleted_at is null))"
    );
    let row = tx.query_one(sql, &[&tx.actor.organization, &people, &roles]).await?;
    if row.get::<_, i64>(0) > 0 {
        return Err(Error::refused_at("people", "There is no such person here."));
    }
    if row.get::<_, i64>(1) > 0 {
        return Err(Error::refused_at("roles", "There is no such role."));
    }
    Ok(())
}
