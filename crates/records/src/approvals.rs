//! Where an action waits for approval: whether a rule of the company holds it back, and what those who decide are shown.
//! Deciding is `flow::approvals`.

use crate::{
    plan::{Bound, Plan, malformed, visible},
    select::{Select, from_states},
    write::{act_on, read_value},
};
use conditions::{Condition, FieldRef, Param, Part, Schema};
use kernel::{Access, Actor, Catalog, Column, Entity, Error, Kind, Result, Role, Tx, sql};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The same person with every right: a rule sees all of a record, and carries out what others have agreed to.
pub fn unbound(catalog: &Catalog, actor: &Actor) -> Actor {
    let role = Role { name: "owner".into(), template: Some("owner".into()), ..Role::default() };
    Actor { access: Arc::new(Access::of(catalog, &[role])), ..actor.clone() }
}

/// Whether there is such an action on records of the entity, as rules may name it.
pub fn is_action(modules: &'static [&'static kernel::Module], entity: &Entity, action: &str) -> bool {
    action != "auto"
        && (entity.transitions.iter().any(|t| t.action == action)
            || kernel::actions(modules, &entity.name).any(|a| a.action == action))
}

/// What a record itself says, and its lines: no relation is followed, for what lies there may be hidden from who asks, and
/// what is hidden must not let anything pass.
struct Own<S>(S);

const OWN: &str = "A rule asks of the record itself and of its lines.";

fn own(path: &str) -> Result<(), String> {
    if path.strip_prefix("cf.").unwrap_or(path).contains('.') { Err(OWN.into()) } else { Ok(()) }
}

impl Schema for Own<&mut Plan<'_>> {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        own(path)?;
        let named = path.strip_prefix("cf.").and_then(|f| self.0.actor.overlay.field(&self.0.entity.name, f));
        if named.is_some_and(kernel::CustomField::is_computed) {
            return Err(OWN.into());
        }
        self.0.resolve(path)
    }

    fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String> {
        lines(self.0, path)
    }
}

/// The record's lines, of which nothing but what they say themselves is asked.
pub(crate) fn lines<'p>(plan: &'p mut Plan<'_>, path: &str) -> Result<(Box<dyn Part + 'p>, String), String> {
    let first = path.split('.').next().unwrap_or_default();
    if plan.entity.part(first).is_none() {
        return Err(OWN.into());
    }
    let (part, rest) = plan.part(path)?;
    Ok((Box::new(Own(part)), rest))
}

impl Schema for Own<Box<dyn Part + '_>> {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        own(path)?;
        self.0.resolve(path)
    }

    fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String> {
        self.0.part(path)
    }
}

impl Part for Own<Box<dyn Part + '_>> {
    fn rows(&self) -> String {
        self.0.rows()
    }
}

/// The SQL of a rule's condition over `r`, with its values after the organization and the record's id.
fn held_against(
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    id: Uuid,
    condition: &Value,
) -> Result<(String, Vec<Param>)> {
    let actor = unbound(catalog, actor);
    let condition = Condition::parse(condition).map_err(|problems| malformed(&problems))?;
    let mut params = vec![Param::Id(id.to_string())];
    if condition.is_empty() {
        return Ok(("true".into(), params));
    }
    let mut plan = Plan::new(catalog, &actor, entity)?;
    let context = plan.context();
    let checked = condition.check(&mut Own(&mut plan), &context).map_err(|problems| malformed(&problems))?;
    let said = checked.sql(&mut params, 2);
    Ok((said, params))
}

/// # Errors
/// Malformed for a condition that does not fit the entity, or asks of other records.
pub fn check_condition(catalog: &Catalog, actor: &Actor, entity: &Entity, condition: &Value) -> Result<()> {
    held_against(catalog, actor, entity, Uuid::nil(), condition).map(drop)
}

/// Asks for approval where a rule of the company wants it for this action on this record; answers what it waits for:
/// `{approval: {id, waits_for}, message}`. For modules, of an action that follows from another one.
///
/// # Errors
/// Refused when nobody could approve it.
pub async fn ask_approval(
    tx: &Tx,
    entity: &Entity,
    id: Uuid,
    action: &str,
    body: &Value,
) -> Result<Option<Value>> {
    Ok(gate(tx, entity, id, action, body).await?.waits)
}

/// What an action has made goes on with the next one, by the module's own `statement` with its id: unless a rule of the
/// company holds that back, then it stays as it is and waits. Answers the entity, the id, and what it waits for.
///
/// # Errors
/// As [`ask_approval`] and the statement.
pub async fn go_on(tx: &Tx, entity: &str, id: Uuid, action: &str, statement: &str) -> Result<Value> {
    let catalog = tx.catalog.clone();
    let mut made = json!({ "entity": entity, "id": id });
    match ask_approval(tx, catalog.entity(entity)?, id, action, &json!({})).await? {
        Some(waits) => {
            made["approval"] = waits["approval"].clone();
            made["message"] = waits["message"].clone();
        }
        None => {
            tx.query(statement, &[&id]).await?;
        }
    }
    tx.changed(entity, id, 1, "create");
    Ok(made)
}

/// What the rules say to an action.
pub(crate) struct Gate {
    /// What it waits for, where it does.
    pub(crate) waits: Option<Value>,
    /// Another action on the record waits, and does so in vain once this one is taken.
    pub(crate) overtakes: bool,
}

pub(crate) async fn gate(tx: &Tx, entity: &Entity, id: Uuid, action: &str, body: &Value) -> Result<Gate> {
    let found = sql!("select app.approval_rules_of($1, $2, $3)");
    let found = tx.cached(found, &[&entity.name, &action, &id]).await?;
    let found: Value = found.first().map(|row| row.get(0)).unwrap_or_default();
    let overtakes = found["waiting"] == true;
    for rule in found["rules"].as_array().into_iter().flatten() {
        if !rule["condition"].is_null() {
            let (said, params) = held_against(&tx.catalog, &tx.actor, entity, id, &rule["condition"])?;
            let bound = Bound::new(&tx.actor, params);
            let text = format!(
                "select coalesce({said}, false) from {} r where r.organization_id = $1 and r.id = $2::text::uuid",
                entity.rows()
            );
            // Of what he may not see nobody knows whether the rule means it.
            if !tx.query_opt(&text, &bound.values()).await?.ok_or(Error::NotFound)?.get::<_, bool>(0) {
                continue;
            }
        }
        let asked = request(tx, entity, id, body, &rule["id"]).await?;
        let sql = sql!("select app.ask_approval($1, $2, $3, $4)");
        let made: Value = tx.query_one(sql, &[&entity.name, &id, &action, &asked]).await?.get(0);
        tell(tx, &made["told"]);
        tx.changed(&entity.name, id, 0, "ask_approval");
        let names = made["waits_for"].as_str().unwrap_or_default();
        let message = format!("This waits for approval by {names}.");
        let approval = json!({ "id": made["id"], "waits_for": names });
        return Ok(Gate { waits: Some(json!({ "approval": approval, "message": message })), overtakes });
    }
    Ok(Gate { waits: None, overtakes })
}

/// What waited for the record waits no more: something else was done with it.
pub(crate) async fn lapse(tx: &Tx, entity: &Entity, id: Uuid) -> Result<()> {
    let row = tx.query_one(sql!("select app.lapse_approvals($1, $2)"), &[&entity.name, &id]).await?;
    tell(tx, &json!(row.get::<_, Vec<Uuid>>(0)));
    Ok(())
}

/// Those who were told hear it at once.
pub fn tell(tx: &Tx, told: &Value) {
    for user in told.as_array().into_iter().flatten().filter_map(|u| u.as_str()?.parse().ok()) {
        tx.changed("social.notifications", user, 0, "create");
    }
    tx.changed("app.mails", Uuid::nil(), 0, "queued");
}

/// What was agreed to is done, without asking again.
///
/// # Errors
/// Whatever the action itself says.
pub async fn carry_out(tx: &Tx, entity: &Entity, id: Uuid, action: &str, body: &Value) -> Result<Value> {
    act_on(tx, entity, id, action, body, None, false).await
}

/// As [`carry_out`], where the record is in a state that the action is for; else nothing.
///
/// # Errors
/// Whatever the action itself says.
pub async fn carry_out_if_possible(
    tx: &Tx,
    entity: &Entity,
    id: Uuid,
    action: &str,
    body: &Value,
) -> Result<()> {
    let now = match read_value(tx, entity, id, true).await {
        Ok(now) => now,
        Err(Error::NotFound) => return Ok(()),
        Err(e) => return Err(e),
    };
    let field = entity.transitions.first().map_or("", |t| t.field.as_str());
    let state = now[field].as_str().unwrap_or_default();
    let own = kernel::actions(tx.modules(), &entity.name).any(|a| a.action == action);
    let possible = if own {
        from_states(entity, action).is_none_or(|from| from.contains(&state))
    } else {
        entity.transitions.iter().any(|t| t.action == action && t.source == state)
    };
    if possible && now["deleted_at"].is_null() {
        carry_out(tx, entity, id, action, body).await?;
    }
    Ok(())
}

/// What is asked for: the record as its list shows it, and its amount, the first one of that list.
async fn request(tx: &Tx, entity: &Entity, id: Uuid, body: &Value, rule: &Value) -> Result<Value> {
    let record = read_value(tx, entity, id, false).await?;
    let columns = columns(&tx.actor, entity);
    let amount = columns.iter().find(|c| c.kind == Kind::Money).map(|c| record[&c.name].clone());
    Ok(json!({
        "rule": rule, "body": body, "reason": body["reason"].as_str(), "title": record[entity.title()].as_str().unwrap_or_default(),
        "amount": amount, "currency": record["currency"], "version": record["version"], "author": record["created_by"],
        "workspace": record["workspace_id"], "shown": shown(tx, entity, id, &columns).await?,
    }))
}

fn columns<'a>(actor: &Actor, entity: &'a Entity) -> Vec<&'a Column> {
    let seen: Vec<String> = visible(actor, entity).into_iter().map(|(name, _)| name).collect();
    crate::meta::list(actor, entity)
        .iter()
        .filter(|name| seen.contains(name))
        .filter_map(|name| entity.column(name))
        .collect()
}

/// `[{"name", "value"}]` of these columns; of a relation, what it is called.
async fn shown(tx: &Tx, entity: &Entity, id: Uuid, columns: &[&Column]) -> Result<Value> {
    if !tx.actor.access.may(entity, "read") {
        return Ok(json!([]));
    }
    let mut paths = Vec::new();
    for column in columns {
        let target = column.target.as_deref().and_then(|t| tx.catalog.entities.get(t));
        let titled = target.filter(|t| tx.actor.access.may(t, "read"));
        paths.push(match titled {
            Some(target) => format!("{}.{}", column.relation_name(), target.title()),
            None => column.name.clone(),
        });
    }
    let mut plan = Plan::new(&tx.catalog, &tx.actor, entity)?;
    let select = Select::new(&mut plan, &paths, &[])?;
    let text = format!("select {} {} where r.organization_id = $1 and r.id = $2", select.sql(), plan.from());
    let row = tx.query_one(&text, &[&tx.actor.organization, &id]).await?;
    let mut json = Vec::new();
    select.write(&mut json, &row, &[]);
    let read: Value = serde_json::from_slice(&json)?;
    let value = |path: &String| {
        path.split('.').try_fold(&read, |value, key| value.get(key)).cloned().unwrap_or_default()
    };
    let pairs = columns.iter().zip(&paths).map(|(c, path)| json!({ "name": c.name, "value": value(path) }));
    Ok(pairs.filter(|pair| !pair["value"].is_null()).collect())
}
