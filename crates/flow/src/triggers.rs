//! What happens by itself: when something happens to a record, if a condition holds, then actions in their order, with the
//! rights of whoever last saved the trigger. The change asks for one job for each trigger, see `app.fire`; the job's
//! transaction holds the actions, what is told of them, and the end of the job.

use crate::{
    Context, Platform, Worker, approval_rules,
    comments::{self, New},
    mail::{self, Mail},
    notifications::{self, Notice},
    worker::passing,
};
use kernel::{Actor, Entity, Error, Result, Store, Tx, sql, system, within};
use records::triggers::{
    Facts, check_condition, check_text, check_values, entity_of, paths, sees_all, target,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Instant;
use uuid::Uuid;

/// What a trigger does about one change: `{trigger, entity, record, event, path}`.
pub const RUN: &str = "triggers.run";
/// The entity that triggers are; listeners hear under it that one of them was saved, or ran.
pub const ENTITY: &str = "builder.triggers";
/// Triggers that one change leads to, one through the other.
const DEPTH: usize = 8;
const ACTIONS: usize = 20;
const ADDRESSES: usize = 20;

/// A trigger as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    pub name: String,
    pub description: Option<String>,
    /// `module.entity`
    pub entity: String,
    /// created, updated, deleted, field_changed, acted
    pub event: String,
    /// Of field_changed: fields, own ones as `cf.name`, lines by the name of their entity.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Of acted: a move of the entity's workflow.
    pub action: Option<String>,
    /// Of the record, its relations and its lines, and of what was changed; nothing is always.
    pub condition: Option<Value>,
    pub actions: Vec<Value>,
    #[serde(default = "stop")]
    pub on_error: String,
    #[serde(default = "yes")]
    pub is_active: bool,
}

fn stop() -> String {
    "stop".into()
}

fn yes() -> bool {
    true
}

/// One thing that is done. Texts and values take `{{field}}` of the record.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Action {
    #[serde(rename = "type")]
    kind: String,
    /// Of notify: whom; `owner` is whose record it is.
    people: Vec<Uuid>,
    roles: Vec<String>,
    owner: bool,
    /// Of send_email: addresses, with commas between them.
    to: String,
    subject: String,
    text: String,
    /// Of create_record.
    entity: String,
    /// Of update_record and take_action: a relation of the record; nothing is the record itself.
    target: Option<String>,
    action: String,
    values: Map<String, Value>,
}

impl Action {
    fn read(value: &Value) -> Result<Action> {
        serde_json::from_value(value.clone()).map_err(|e| {
            let said = e.to_string();
            let field = said.split('`').nth(1).filter(|_| said.starts_with("unknown field"));
            field.map_or_else(
                || Error::malformed("This is not an action."),
                |field| Error::malformed_at(field, format!("There is no field {field}.")),
            )
        })
    }

    /// # Errors
    /// Malformed, Forbidden or Refused, at the field.
    fn check(&self, store: &Store, actor: &Actor, entity: &Entity) -> Result<()> {
        let catalog = &actor.catalog;
        let text = |field: &str, text: &str| {
            if text.trim().is_empty() {
                return Err(Error::malformed_at(field, "This is required."));
            }
            check_text(catalog, actor, entity, text).map_err(|e| e.under(field))
        };
        let of = || target(catalog, actor, entity, self.target.as_deref()).map_err(|e| at("target", e));
        let values = |of: &Entity, new| {
            if self.values.is_empty() {
                return Err(Error::malformed_at("values", "This is required."));
            }
            check_values(catalog, actor, entity, of, &self.values, new).map_err(|e| e.under("values"))
        };
        match self.kind.as_str() {
            "notify" if self.people.is_empty() && self.roles.is_empty() && !self.owner => {
                Err(Error::malformed_at("people", "Say who is told."))
            }
            "notify" | "comment" => text("text", &self.text),
            "send_email" => {
                for to in self.to.split(',').filter(|to| !to.contains("{{")) {
                    address(to).map_err(|e| at("to", e))?;
                }
                text("to", &self.to).and(text("subject", &self.subject)).and(text("text", &self.text))
            }
            "create_record" => {
                let of = entity_of(catalog, &self.entity);
                values(of.ok_or_else(|| Error::malformed_at("entity", "There is no such entity."))?, true)
            }
            "update_record" => values(of()?, false),
            "take_action" => match records::approvals::is_action(store.modules(), of()?, &self.action) {
                true => Ok(()),
                false => Err(Error::malformed_at("action", "There is no such action.")),
            },
            _ => Err(Error::malformed_at("type", "There is no such action.")),
        }
    }
}

/// The error is one of this field, whatever it speaks of.
fn at(field: &str, e: Error) -> Error {
    match e {
        Error::Malformed(mut faults) | Error::Refused(mut faults) => {
            faults.iter_mut().for_each(|fault| fault.field = Some(field.to_owned()));
            Error::Malformed(faults)
        }
        e => e,
    }
}

fn address(text: &str) -> Result<&str> {
    let text = text.trim();
    let (name, host) = text.split_once('@').unwrap_or_default();
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;@\"".contains(c);
    if name.is_empty() || !host.contains('.') || name.contains(odd) || host.contains(odd) || text.len() > 254
    {
        return Err(Error::refused("This is not an e-mail address."));
    }
    Ok(text)
}

fn administrates(actor: &Actor) -> Result<()> {
    if actor.access.is_admin() {
        return Ok(());
    }
    Err(Error::Forbidden("Only administrators say what happens by itself.".into()))
}

macro_rules! shown {
    () => {
        "jsonb_build_object('id', t.id, 'name', t.name, 'description', t.description, 'entity', t.entity, 'event', t.event, 'fields', to_jsonb(t.fields),
             'action', t.action, 'condition', t.condition, 'actions', t.actions, 'on_error', t.on_error, 'is_active', t.is_active, 'language', t.language,
             'run_as', t.run_as, 'run_as_name', (select m.name from iam.memberships m where m.organization_id = t.organization_id and m.id = t.run_as), 'version', t.version,
             'last_run', (select jsonb_build_object('id', x.id, 'status', x.status, 'outcome', x.outcome, 'executed_at', x.executed_at) from builder.trigger_executions x
                          where x.organization_id = t.organization_id and x.trigger_id = t.id order by x.id desc limit 1))"
    };
}

/// All of the company, with what each did last.
///
/// # Errors
/// Forbidden to others than administrators.
pub async fn list(store: &Store, actor: &Actor) -> Result<Vec<Value>> {
    administrates(actor)?;
    let sql = sql!(concat!(
        "select ",
        shown!(),
        " from builder.triggers t where t.organization_id = $1 and t.deleted_at is null order by t.name, t.id"
    ));
    let rows = store.batch(actor, &[(sql, &[&actor.organization])]).await?;
    Ok(rows.iter().flatten().map(|row| row.get(0)).collect())
}

/// # Errors
/// Forbidden to others than administrators; NotFound.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Value> {
    administrates(actor)?;
    read(store, actor, id).await
}

async fn read(store: &Store, actor: &Actor, id: Uuid) -> Result<Value> {
    let sql = sql!(concat!(
        "select ",
        shown!(),
        " from builder.triggers t where t.organization_id = $1 and t.id = $2 and t.deleted_at is null"
    ));
    let rows = store.batch(actor, &[(sql, &[&actor.organization, &id])]).await?;
    rows.iter().flatten().next().map(|row| row.get(0)).ok_or(Error::NotFound)
}

/// Everything that is wrong with a trigger, at its fields.
fn check(store: &Store, actor: &Actor, trigger: &Trigger) -> Result<(Option<Value>, Vec<Action>)> {
    let entity = entity_of(&actor.catalog, &trigger.entity);
    let entity = entity.ok_or_else(|| Error::malformed_at("entity", "There is no such entity."))?;
    match trigger.event.as_str() {
        "created" | "updated" | "deleted" => {}
        "field_changed" if trigger.fields.is_empty() => {
            return Err(Error::malformed_at("fields", "This is required."));
        }
        "field_changed" => {
            // What the program keeps has no history, and a field of the system says nothing.
            let kept = |name: &String| {
                entity.column(name).is_some_and(|c| !c.derived && !c.generated && !c.is_system() && !c.secret)
                    || name
                        .strip_prefix("cf.")
                        .and_then(|own| actor.overlay.field(&entity.name, own))
                        .is_some_and(|own| !own.is_computed())
                    || entity.parts.iter().any(|part| part.entity == *name)
            };
            if let Some(odd) = trigger.fields.iter().find(|name| !kept(name)) {
                return Err(Error::malformed_at(
                    "fields",
                    format!("There is no field {odd} that people change."),
                ));
            }
        }
        "acted" => {
            let moves =
                |t: &kernel::Transition| t.action != "auto" && Some(&t.action) == trigger.action.as_ref();
            if !entity.transitions.iter().any(moves) {
                return Err(Error::malformed_at("action", "There is no such action."));
            }
        }
        _ => return Err(Error::malformed_at("event", "There is no such event.")),
    }
    let condition = check_condition(&actor.catalog, actor, entity, trigger.condition.as_ref());
    // A group whatever was sent, so that whoever reads it finds one.
    let condition = condition.map_err(|e| e.under("condition"))?.map(|c| match c["rules"] {
        Value::Array(_) => c.clone(),
        _ => json!({ "operator": "AND", "rules": [c] }),
    });
    if trigger.actions.is_empty() || trigger.actions.len() > ACTIONS {
        return Err(Error::malformed_at("actions", format!("A trigger has 1 to {ACTIONS} actions.")));
    }
    let mut actions = Vec::new();
    for (n, action) in trigger.actions.iter().enumerate() {
        let read = Action::read(action).and_then(|a| a.check(store, actor, entity).map(|()| a));
        actions.push(read.map_err(|e| e.under(&format!("actions.{n}")))?);
    }
    if !["stop", "continue"].contains(&trigger.on_error.as_str()) {
        return Err(Error::malformed_at("on_error", "This is stop or continue."));
    }
    Ok((condition, actions))
}

/// Makes a trigger, or puts this one in the place of `id`. It runs as the actor, and says figures in his language.
///
/// # Errors
/// Refused for what does not fit the entity; NotFound.
pub async fn put(
    store: &Store,
    actor: &Actor,
    id: Option<Uuid>,
    trigger: &Trigger,
    language: &str,
) -> Result<Value> {
    administrates(actor)?;
    if let Some(id) = id {
        read(store, actor, id).await?;
    }
    let (condition, actions) = check(store, actor, trigger).map_err(|e| match e {
        Error::Malformed(faults) => Error::Refused(faults),
        e => e,
    })?;
    let id = within!(store, actor, tx => {
        for (n, action) in actions.iter().enumerate() {
            let roles: Vec<&str> = action.roles.iter().map(String::as_str).collect();
            let there = approval_rules::there(&tx, &action.people, &roles).await;
            there.map_err(|e| e.under(&format!("actions.{n}")))?;
        }
        let Trigger { name, description, entity, event, fields, action, on_error, is_active, .. } = trigger;
        let actions = Value::from(trigger.actions.clone());
        let new = id.unwrap_or_else(Uuid::now_v7);
        let sql = match id {
            Some(_) => sql!(
                "update builder.triggers set name = $3, description = $4, entity = $5, event = $6, fields = $7, action = $8, condition = $9, actions = $10, on_error = $11,
                     is_active = $12, run_as = $13, language = $14 where organization_id = $1 and id = $2 and deleted_at is null"
            ),
            None => sql!(
                "insert into builder.triggers (organization_id, id, name, description, entity, event, fields, action, condition, actions, on_error, is_active, run_as, language)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
            ),
        };
        let values: kernel::Values<'_> = &[
            &actor.organization, &new, name, description, entity, event, fields, action, &condition, &actions, on_error, is_active,
            &actor.user, &language,
        ];
        if tx.change(sql, values).await? == 0 {
            return Err(Error::NotFound);
        }
        tx.changed(ENTITY, new, 0, "update");
        Ok(new)
    })?;
    read(store, actor, id).await
}

/// # Errors
/// NotFound. What it did is still told.
pub async fn remove(store: &Store, actor: &Actor, id: Uuid) -> Result<()> {
    administrates(actor)?;
    within!(store, actor, tx => {
        let sql = sql!("update builder.triggers set deleted_at = now() where organization_id = $1 and id = $2 and deleted_at is null");
        if tx.change(sql, &[&actor.organization, &id]).await? == 0 {
            return Err(Error::NotFound);
        }
        Ok(())
    })
}

/// What to look for in the log.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    pub trigger: Option<Uuid>,
    pub status: Option<&'a str>,
    pub outcome: Option<&'a str>,
    /// The last one of the page before.
    pub before: Option<Uuid>,
}

/// What triggers did, the newest first; at most 50.
///
/// # Errors
/// Forbidden to others than administrators.
pub async fn executions(store: &Store, actor: &Actor, wanted: &Wanted<'_>) -> Result<Vec<Value>> {
    administrates(actor)?;
    let sql = sql!(
        "select jsonb_build_object('id', x.id, 'trigger_id', x.trigger_id, 'trigger', t.name, 'entity', x.entity, 'record_id', x.record_id,
             'kind', x.event -> 'kind', 'title', x.event -> 'title', 'conditions_met', x.conditions_met, 'status', x.status, 'outcome', x.outcome, 'message', x.error_message,
             'execution_ms', x.execution_ms, 'executed_at', x.executed_at)
         from builder.trigger_executions x join builder.triggers t on t.organization_id = x.organization_id and t.id = x.trigger_id
         where x.organization_id = $1 and ($2::uuid is null or x.trigger_id = $2) and ($3::text is null or x.status = $3) and ($4::text is null or x.outcome = $4)
           and ($5::uuid is null or x.id < $5) order by x.id desc limit 50"
    );
    let Wanted { trigger, status, outcome, before } = wanted;
    let rows = store.batch(actor, &[(sql, &[&actor.organization, trigger, status, outcome, before])]).await?;
    let hidden = !sees_all(&actor.catalog, actor);
    let told = |row: &kernel::Row| {
        let mut told: Value = row.get(0);
        if hidden {
            told["title"] = Value::Null;
        }
        told
    };
    Ok(rows.iter().flatten().map(told).collect())
}

/// One of them with the event, the verdicts and the actions; for whoever is kept from some field only how it ended.
///
/// # Errors
/// Forbidden to others than administrators; NotFound.
pub async fn execution(store: &Store, actor: &Actor, id: Uuid) -> Result<Value> {
    administrates(actor)?;
    let sql = sql!(
        "select jsonb_build_object('id', x.id, 'trigger_id', x.trigger_id, 'trigger', t.name, 'entity', x.entity, 'record_id', x.record_id, 'kind', x.event -> 'kind',
             'conditions_met', x.conditions_met, 'status', x.status, 'outcome', x.outcome, 'message', x.error_message, 'execution_ms', x.execution_ms, 'executed_at', x.executed_at)
           || case when $3 then jsonb_build_object('title', x.event -> 'title', 'event', x.event, 'condition_result', x.condition_result, 'actions_executed', x.actions_executed,
             'actor', (select m.name from iam.memberships m where m.organization_id = $1 and m.id::text = x.event ->> 'actor')) else '{}' end
         from builder.trigger_executions x join builder.triggers t on t.organization_id = x.organization_id and t.id = x.trigger_id
         where x.organization_id = $1 and x.id = $2"
    );
    let whole = sees_all(&actor.catalog, actor);
    let rows = store.batch(actor, &[(sql, &[&actor.organization, &id, &whole])]).await?;
    let mut told: Value = rows.iter().flatten().next().map(|row| row.get(0)).ok_or(Error::NotFound)?;
    let entity = entity_of(&actor.catalog, told["entity"].as_str().unwrap_or_default());
    if let (Some(entity), Some(event)) = (entity, told.get("event")) {
        let [old, new] = ["old", "new"].map(|side| Some(event[side].clone()));
        told["changes"] = records::changes(actor, entity, &old, &new).into();
    }
    Ok(told)
}

/// What is about to be done, with everything filled in.
enum Step<'a> {
    Notify { people: Vec<Uuid>, text: String },
    Mail { to: Vec<String>, subject: String, text: String },
    Create { entity: &'a str, body: Value },
    Change { entity: &'a Entity, id: Uuid, body: Value },
    Act { entity: &'a Entity, id: Uuid, action: &'a str },
    Comment { text: String },
}

impl<'a> Step<'a> {
    async fn of(store: &Store, actor: &'a Actor, action: &'a Action, facts: &Facts<'a>) -> Result<Step<'a>> {
        let of = || target(&actor.catalog, actor, facts.entity, action.target.as_deref());
        let body = || facts.value(&Value::Object(action.values.clone()));
        Ok(match action.kind.as_str() {
            "notify" => {
                let sql = sql!("select app.people_in($1)");
                let rows = store.batch(actor, &[(sql, &[&action.roles])]).await?;
                let held = rows.iter().flatten().flat_map(|row| row.get::<_, Vec<Uuid>>(0));
                let owner = facts.record[&facts.entity.owner].as_str().filter(|_| action.owner);
                let owner = owner.and_then(|id| id.parse().ok());
                let mut people: Vec<Uuid> = Vec::new();
                for person in action.people.iter().copied().chain(held).chain(owner) {
                    if !people.contains(&person) {
                        people.push(person);
                    }
                }
                Step::Notify { people, text: facts.text(&action.text)? }
            }
            "send_email" => {
                let to = facts.text(&action.to)?;
                let to: Vec<String> =
                    to.split(',').map(|to| address(to).map(str::to_owned)).collect::<Result<_>>()?;
                if to.len() > ADDRESSES {
                    return Err(Error::refused(format!("At most {ADDRESSES} addresses.")));
                }
                Step::Mail { to, subject: facts.text(&action.subject)?, text: facts.text(&action.text)? }
            }
            "create_record" => Step::Create { entity: &action.entity, body: body()? },
            "update_record" => {
                Step::Change { entity: of()?, id: facts.id(action.target.as_deref())?, body: body()? }
            }
            "take_action" => {
                Step::Act { entity: of()?, id: facts.id(action.target.as_deref())?, action: &action.action }
            }
            _ => Step::Comment { text: facts.text(&action.text)? },
        })
    }

    fn told(&self) -> Value {
        match self {
            Step::Notify { people, text } => json!({ "people": people, "text": text }),
            Step::Mail { to, subject, text } => json!({ "to": to, "subject": subject, "text": text }),
            Step::Create { entity, body } => json!({ "entity": entity, "values": body }),
            Step::Change { entity, id, body } => {
                json!({ "entity": entity.name, "record_id": id, "values": body })
            }
            Step::Act { entity, id, action } => {
                json!({ "entity": entity.name, "record_id": id, "action": action })
            }
            Step::Comment { text } => json!({ "text": text }),
        }
    }

    /// Does it, or nothing of it.
    async fn once(&self, tx: &Tx, about: &About<'_>) -> Result<Value> {
        tx.batch_execute("savepoint step").await?;
        let done = self.done(tx, about).await;
        let end = if done.is_ok() { "release step" } else { "rollback to step; release step" };
        tx.batch_execute(end).await?;
        done.map_err(|e| e.explain(&tx.catalog))
    }

    /// Answers what is to be told besides.
    async fn done(&self, tx: &Tx, about: &About<'_>) -> Result<Value> {
        let record = (about.entity, about.record);
        Ok(match self {
            Step::Notify { people, text } => {
                let link = about.link.as_deref();
                let notice = Notice {
                    kind: "trigger",
                    title: about.name,
                    body: Some(text),
                    record: Some(record),
                    link,
                    ..Notice::default()
                };
                for person in people {
                    notifications::notify(tx, *person, &notice).await?;
                }
                Value::Null
            }
            Step::Mail { to, subject, text } => {
                for to in to {
                    mail::send(tx, &Mail { to, subject, body: text, attachments: &[] }).await?;
                }
                Value::Null
            }
            Step::Create { entity, body } => {
                json!({ "record_id": records::create_within(tx, entity, body).await? })
            }
            Step::Change { entity, id, body } => {
                records::change_within(tx, entity, *id, body).await?;
                Value::Null
            }
            Step::Act { entity, id, action } => {
                let made = records::act_within(tx, entity, *id, action).await?;
                // What waits for approval was not done yet.
                json!({ "message": made["message"] })
            }
            Step::Comment { text } => {
                let new = New {
                    entity: record.0,
                    record: record.1,
                    body: text,
                    parent: None,
                    mentions: &[],
                    link: None,
                };
                comments::write(tx, &new, text, &[]).await?;
                Value::Null
            }
        })
    }
}

/// Whose steps these are, and what about.
struct About<'a> {
    name: &'a str,
    entity: &'a str,
    record: Uuid,
    link: Option<String>,
}

/// What would be done about this record, and why: nothing is.
///
/// # Errors
/// Forbidden to others than administrators; NotFound; whatever the condition says.
pub async fn attempt(store: &Store, actor: &Actor, id: Uuid, record: Uuid) -> Result<Value> {
    let trigger = get(store, actor, id).await?;
    let (entity, actions) = parts(actor, &trigger)?;
    let event = json!({ "kind": trigger["event"], "old": {}, "new": {}, "changed": trigger["fields"] });
    let facts = facts(store, actor, (&trigger, entity), record, &event).await?;
    let (met, result) = facts.explain(condition(&trigger))?;
    let mut told = Vec::new();
    for action in &actions {
        told.push(match Step::of(store, actor, action, &facts).await {
            Ok(step) => json!({ "type": action.kind, "detail": step.told() }),
            Err(e) => json!({ "type": action.kind, "message": said(e) }),
        });
    }
    Ok(json!({ "conditions_met": met, "condition_result": result, "actions": told, "title": facts.title() }))
}

/// What a trigger is about, and what it does.
fn parts<'a>(actor: &'a Actor, trigger: &Value) -> Result<(&'a Entity, Vec<Action>)> {
    let name = trigger["entity"].as_str().unwrap_or_default();
    let entity = entity_of(&actor.catalog, name).ok_or_else(|| Error::refused("There is no such entity."))?;
    let actions = trigger["actions"].as_array().into_iter().flatten().map(Action::read);
    Ok((entity, actions.collect::<Result<_>>()?))
}

fn condition(trigger: &Value) -> Option<&Value> {
    Some(&trigger["condition"]).filter(|c| !c.is_null())
}

async fn facts<'a>(
    store: &'a Store,
    actor: &'a Actor,
    (trigger, entity): (&'a Value, &'a Entity),
    record: Uuid,
    event: &'a Value,
) -> Result<Facts<'a>> {
    let mut named = paths([&trigger["actions"]]);
    let actions = trigger["actions"].as_array().into_iter().flatten();
    named.extend(actions.filter_map(|action| action["target"].as_str()));
    let language = trigger["language"].as_str().unwrap_or("en");
    Facts::read((store, actor), entity, record, event, (condition(trigger), &named), language).await
}

/// As people read it; what is ours is nobody else's business.
fn said(e: Error) -> String {
    match e {
        Error::Broken(_) => "Something went wrong on our side.".to_owned(),
        e => e.to_string(),
    }
}

/// Teaches the workers to run triggers; `base_url` is what letters lead to.
pub fn register(worker: Worker, base_url: String) -> Worker {
    let worker = worker.on_refused(RUN, |platform, e| Box::pin(lost(platform, e)));
    worker.on(RUN, move |job| {
        let base = base_url.clone();
        Box::pin(async move { run(job, &base).await })
    })
}

const LOG: &str = sql!(
    "insert into builder.trigger_executions (organization_id, id, trigger_id, entity, record_id, event, conditions_met, condition_result, actions_executed, status, outcome,
         error_message, execution_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing"
);

/// What came of a run.
#[derive(Clone)]
struct Told<'a> {
    met: bool,
    result: Option<Value>,
    actions: Value,
    status: &'a str,
    outcome: &'a str,
    message: Option<String>,
}

impl Told<'_> {
    /// A run that did nothing.
    fn ended<'a>(status: &'a str, outcome: &'a str, message: Option<String>) -> Told<'a> {
        Told { met: false, result: None, actions: json!([]), status, outcome, message }
    }
}

macro_rules! log {
    ($tx:expr, $job:expr, $event:expr, $started:expr, $told:expr) => {{
        let (job, told) = ($job, $told);
        let id = |key: &str| job.payload[key].as_str().and_then(|id| id.parse::<Uuid>().ok());
        let (trigger, record) = (id("trigger"), id("record"));
        let entity = job.payload["entity"].as_str().unwrap_or_default();
        let ms = i32::try_from($started.elapsed().as_millis()).unwrap_or(i32::MAX);
        let values: kernel::Values<'_> = &[
            &job.organization,
            &job.id,
            &trigger,
            &entity,
            &record,
            $event,
            &told.met,
            &told.result,
            &told.actions,
            &told.status,
            &told.outcome,
            &told.message,
            &ms,
        ];
        $tx.execute(LOG, values).await?;
    }};
}

/// Whoever saved it may not act any more.
async fn lost(platform: &Platform, e: &Error) -> Result<Value> {
    let (job, started) = (&platform.job, Instant::now());
    let told = Told::ended("FAILED", "matched", Some(e.to_string()));
    system!(platform.store, tx => {
        log!(tx, job, &job.payload["event"], started, told);
        Ok(json!({ "status": "FAILED" }))
    })
}

async fn run(job: &Context, base: &str) -> Result<Value> {
    let (store, actor, payload, started) = (&job.store, &job.actor, &job.job.payload, Instant::now());
    let id = |key: &str| payload[key].as_str().and_then(|id| id.parse::<Uuid>().ok()).ok_or(Error::NotFound);
    let (trigger_id, record) = (id("trigger")?, id("record")?);
    // What it is to do is no secret of those who may say it: who lost that right has still said this.
    let administrator = records::approvals::unbound(&actor.catalog, actor);
    let trigger = match read(store, &administrator, trigger_id).await {
        Ok(trigger) if trigger["is_active"] == true => trigger,
        Ok(_) | Err(Error::NotFound) => return Ok(json!({ "off": true })),
        Err(e) => return Err(e),
    };
    let known = &payload["event"];
    // A last try says how it ended.
    let again = |e: &Error| passing(e) && job.job.attempts < job.job.max_attempts;
    let parts = parts(actor, &trigger);
    let mut steps: Vec<(&str, Result<Step<'_>, String>)> = Vec::new();
    let judged = async {
        let (entity, actions) = parts.as_ref().map_err(|e| Error::refused(e.to_string()))?;
        let facts = facts(store, actor, (&trigger, entity), record, known).await?;
        let (met, result) = facts.explain(condition(&trigger))?;
        for action in actions.iter().filter(|_| met) {
            let step = match Step::of(store, actor, action, &facts).await {
                Err(e) if again(&e) => return Err(e),
                step => step.map_err(said),
            };
            steps.push((&action.kind, step));
        }
        Ok((facts.title().to_owned(), met, result))
    };
    let mut event = known.clone();
    let told = match judged.await {
        Ok((title, met, result)) => {
            event["title"] = title.into();
            let circle = Some(()).filter(|()| met).and_then(|()| circle(payload, trigger_id, record));
            let told = match circle {
                Some(why) => Told::ended("FAILED", "blocked_loop", Some(why)),
                None => Told::ended("SUCCESS", if met { "matched" } else { "skipped" }, None),
            };
            Told { met, result: Some(result).filter(|r| !r.is_null()), ..told }
        }
        Err(e) if again(&e) => return Err(e),
        Err(Error::NotFound) => {
            Told::ended("SUCCESS", "skipped", Some("There is no such record any more.".into()))
        }
        Err(e) => Told::ended("FAILED", "matched", Some(said(e))),
    };
    if told.outcome == "blocked_loop" {
        steps.clear();
    }
    let entity = payload["entity"].as_str().unwrap_or_default();
    let link = format!("{base}/o/{}/r/{record}", entity.replace('.', "-"));
    let about = About {
        name: trigger["name"].as_str().unwrap_or_default(),
        entity,
        record,
        link: Some(link).filter(|_| !base.is_empty()),
    };
    let keeps_on = trigger["on_error"] == "continue";
    let path = way(payload, trigger_id, record);
    within!(store, actor, tx => {
        let mut told = told.clone();
        tx.execute(sql!("select set_config('app.caused', $1, true)"), &[&path]).await?;
        let mut done: Vec<Value> = Vec::new();
        let mut broken: Option<Value> = None;
        let mut well = 0;
        for (kind, step) in &steps {
            let mut line = json!({ "type": kind, "status": "done", "attempts": job.job.attempts });
            if broken.is_some() && !keeps_on {
                line["status"] = "not_done".into();
                done.push(line);
                continue;
            }
            let ended = match step {
                Ok(step) => {
                    line["detail"] = step.told();
                    step.once(&tx, &about).await
                }
                Err(why) => Err(Error::refused(why)),
            };
            match ended {
                Ok(more) => {
                    well += 1;
                    line["message"] = more["message"].clone();
                    if !more["record_id"].is_null() {
                        line["detail"]["record_id"] = more["record_id"].clone();
                    }
                }
                Err(e) if again(&e) => return Err(e),
                Err(e) => {
                    line["status"] = "failed".into();
                    line["message"] = said(e).into();
                    broken.get_or_insert_with(|| line["message"].clone());
                }
            }
            done.push(line);
        }
        if let Some(why) = broken {
            told.message = why.as_str().map(str::to_owned);
            told.status = if keeps_on && well > 0 { "PARTIAL_SUCCESS" } else { "FAILED" };
        }
        told.actions = done.into();
        log!(tx, &job.job, &event, started, &told);
        tx.changed(ENTITY, trigger_id, 0, "run");
        let result = json!({ "status": told.status, "outcome": told.outcome });
        job.finish(&tx, &result).await?;
        Ok(result)
    })
}

/// Why this trigger is not run: it led here itself, or too many others did.
fn circle(payload: &Value, trigger: Uuid, record: Uuid) -> Option<String> {
    let path = payload["path"].as_array().map_or(&[][..], Vec::as_slice);
    if path.contains(&step(trigger, record)) {
        return Some("This trigger led to this change of the same record itself.".into());
    }
    (path.len() >= DEPTH).then(|| format!("More than {DEPTH} triggers led to one another."))
}

/// The way that what is written from now on has come.
fn way(payload: &Value, trigger: Uuid, record: Uuid) -> String {
    let mut path = payload["path"].as_array().cloned().unwrap_or_default();
    path.push(step(trigger, record));
    Value::from(path).to_string()
}

fn step(trigger: Uuid, record: Uuid) -> Value {
    format!("{trigger} {record}").into()
}
