//! One request about many records: done at once when they are few, by a job when they are many, and taken back as a whole.

use crate::{
    extra::entry,
    plan::{Bound, Plan},
    query::Query,
    write::{acted, allowed, changed, deleted, restored},
};
use kernel::{Actor, Entity, Error, Result, Store, Tx, sql, within};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Records that one request may name or match.
const MOST: usize = 100_000;
/// More than so many are a job's.
pub const AT_ONCE: usize = 200;
/// Refusals that are told one by one.
const MOST_TOLD: usize = 1_000;

/// What a bulk request is about: named records, or all that match.
#[derive(Debug, Serialize, Deserialize)]
pub struct Bulk {
    pub entity: String,
    pub action: String,
    pub changes: Value,
    pub ids: Vec<Uuid>,
}

impl Bulk {
    /// Reads the request and finds its records, as the person sees them.
    pub async fn parse(store: &Store, actor: &Actor, entity: &Entity, body: &Value) -> Result<Bulk> {
        let map = crate::write::object(body)?;
        if let Some(unknown) =
            map.keys().find(|k| !["action", "ids", "filter", "changes"].contains(&k.as_str()))
        {
            return Err(Error::malformed_at(unknown, "There is no such part of a bulk request."));
        }
        if entity.part_of.is_some() {
            return Err(Error::malformed("Lines are changed with the record they belong to."));
        }
        let action = map.get("action").and_then(Value::as_str).unwrap_or("update").to_owned();
        allowed(actor, entity, &action)?;
        let known = matches!(action.as_str(), "update" | "delete" | "restore")
            || action != "auto" && entity.transitions.iter().any(|t| t.action == action)
            || kernel::actions(store.modules(), &entity.name).any(|a| a.action == action);
        if !known {
            return Err(Error::malformed_at("action", "There is no such action."));
        }
        let ids = match (map.get("ids"), map.get("filter")) {
            (Some(Value::Array(ids)), None) => ids
                .iter()
                .map(|v| v.as_str().and_then(|s| s.parse().ok()))
                .collect::<Option<Vec<Uuid>>>()
                .ok_or_else(|| Error::malformed_at("ids", "This is a list of ids."))?,
            (None, Some(filter)) => matching(store, actor, entity, filter, action == "restore").await?,
            _ => return Err(Error::malformed("Say which: `ids` or `filter`.")),
        };
        if ids.len() > MOST {
            return Err(Error::malformed(format!("At most {MOST} records at once.")));
        }
        Ok(Bulk {
            entity: entity.name.clone(),
            action,
            changes: map.get("changes").cloned().unwrap_or_else(|| json!({})),
            ids,
        })
    }

    /// Each in a transaction of its own: what is refused is told, and stops nothing else.
    pub async fn run(&self, store: &Store, actor: &Actor) -> Result<Value> {
        let entity = actor.catalog.entity(&self.entity)?;
        let mut failed = Vec::new();
        for id in &self.ids {
            match self.one(store, actor, entity, *id, None).await {
                Ok(None) => {}
                // Not done yet: it waits for approval.
                Ok(Some(message)) => failed.push(json!({ "id": id, "message": message })),
                Err(e) => failed.extend(refusal(*id, Err(e))?),
            }
        }
        Ok(json!({ "done": self.ids.len() - failed.len(), "failed": failed }))
    }

    /// The same as a job. How far it is stands in the transaction of each record, so that a job that was cut short goes on
    /// where it was: `done` records are behind it, those refused among them are in `result`.
    pub async fn run_job(&self, store: &Store, actor: &Actor, job: Job) -> Result<Value> {
        let entity = actor.catalog.entity(&self.entity)?;
        job.go(store, actor, entity, &self.ids, Work::Do(self)).await
    }

    /// Answers what the record waits for, where that is an approval.
    async fn one(
        &self,
        store: &Store,
        actor: &Actor,
        entity: &Entity,
        id: Uuid,
        step: Option<Step>,
    ) -> Result<Option<String>> {
        let (action, changes) = (self.action.as_str(), &self.changes);
        match action {
            "update" => within!(store, actor, tx => {
                changed(&tx, entity, id, changes, None).await?;
                Step::taken(step, &tx).await?;
                Ok(None)
            }),
            "delete" => within!(store, actor, (entity, "delete"), tx => {
                deleted(&tx, entity, id, None).await?;
                Step::taken(step, &tx).await?;
                Ok(None)
            }),
            "restore" => within!(store, actor, (entity, "restore"), tx => {
                restored(&tx, entity, id).await?;
                Step::taken(step, &tx).await?;
                Ok(None)
            }),
            _ => within!(store, actor, (entity, action), tx => {
                let made = acted(&tx, entity, id, action, changes, None).await?;
                Step::taken(step, &tx).await?;
                Ok(made["message"].as_str().map(str::to_owned))
            }),
        }
    }
}

/// Takes back what a bulk job did: fields get the values that they had, what was deleted is restored. A record that somebody
/// has changed since stays as it is, and so does one that was moved on in its work: that way there is no way back by itself.
pub async fn undo(store: &Store, actor: &Actor, entity: &str, request: Uuid, job: Job) -> Result<Value> {
    let entity = actor.catalog.entity(entity)?;
    let made = sql!(
        "select a.record_id from app.audit a where a.organization_id = $1 and a.request_id = $2 and a.entity = $3::text
         group by 1 order by max(a.at), 1"
    );
    let rows = store.batch(actor, &[(made, &[&actor.organization, &request, &entity.name])]).await?;
    let ids: Vec<Uuid> = rows.iter().flatten().map(|row| row.get(0)).collect();
    job.go(store, actor, entity, &ids, Work::Undo(request)).await
}

async fn back(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    request: Uuid,
    id: Uuid,
    step: Step,
) -> Result<()> {
    let did = sql!(
        r#"select a.id, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.actor_id, null::text, a.action, a.old, a.new, a.version
           from app.audit a where a.organization_id = $1 and a.request_id = $2 and a.entity = $3::text and a.record_id = $4
           order by a.at desc, a.id desc limit 1"#
    );
    let rows = store.batch(actor, &[(did, &[&actor.organization, &request, &entity.name, &id])]).await?;
    let row = rows.first().and_then(|rows| rows.first()).ok_or(Error::NotFound)?;
    let did: Uuid = row.get(0);
    // Thrown away and fetched back are changes of one column.
    let thrown = row.get::<_, Option<Value>>(6).and_then(|new| new.get("deleted_at").cloned());
    match thrown {
        Some(Value::String(_)) => within!(store, actor, (entity, "restore"), tx => {
            restored(&tx, entity, id).await?;
            untouched(&tx, entity, id, did, request).await?;
            step.take(&tx).await
        }),
        Some(_) => within!(store, actor, (entity, "delete"), tx => {
            deleted(&tx, entity, id, None).await?;
            untouched(&tx, entity, id, did, request).await?;
            step.take(&tx).await
        }),
        None => {
            let told = entry(actor, entity, row);
            let was = told["changes"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, both)| (name.clone(), both[0].clone()));
            let was = Value::Object(was.collect());
            within!(store, actor, tx => {
                changed(&tx, entity, id, &was, None).await?;
                untouched(&tx, entity, id, did, request).await?;
                step.take(&tx).await
            })
        }
    }
}

/// Asked when the record is held by what was just done to it: whoever came before is seen, and nobody can come any more.
async fn untouched(tx: &Tx, entity: &Entity, id: Uuid, did: Uuid, request: Uuid) -> Result<()> {
    let since = sql!(
        "select from app.audit later, app.audit a
         where a.organization_id = $1 and a.entity = $2::text and a.record_id = $3 and a.id = $4
           and later.organization_id = $1 and later.entity = $2::text and later.record_id = $3
           and later.request_id is distinct from $5 and later.request_id is distinct from app.request() and (later.at, later.id) > (a.at, a.id)
         limit 1"
    );
    let since = tx.query_opt(since, &[&tx.actor.organization, &entity.name, &id, &did, &request]).await?;
    since.map_or(Ok(()), |_| Err(Error::Conflict("Somebody has changed this since.".into())))
}

fn refusal(id: Uuid, outcome: Result<()>) -> Result<Option<Value>> {
    match outcome {
        Ok(()) => Ok(None),
        Err(e @ (Error::Broken(_) | Error::Unavailable(_))) => Err(e),
        Err(e) => Ok(Some(json!({ "id": id, "message": e.to_string() }))),
    }
}

/// A job about many records, and how far it was when it was last cut short.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: Uuid,
    pub done: usize,
    /// How many of those were refused, and the first of them.
    pub refused: usize,
    pub failed: Vec<Value>,
}

/// One record of a job: how many there are behind it, of how many.
#[derive(Clone, Copy)]
struct Step {
    job: Uuid,
    done: i64,
    total: i64,
}

/// What a job does to each of its records.
#[derive(Clone, Copy)]
enum Work<'a> {
    Do(&'a Bulk),
    Undo(Uuid),
}

impl Job {
    async fn go(
        mut self,
        store: &Store,
        actor: &Actor,
        entity: &Entity,
        ids: &[Uuid],
        work: Work<'_>,
    ) -> Result<Value> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        for (n, id) in ids.iter().enumerate().skip(self.done) {
            let step = Step { job: self.id, done: count(n + 1), total: count(ids.len()) };
            let outcome = match work {
                Work::Do(bulk) => bulk.one(store, actor, entity, *id, Some(step)).await.map(drop),
                Work::Undo(request) => back(store, actor, entity, request, *id, step).await,
            };
            if let Some(refusal) = refusal(*id, outcome)? {
                self.refused += 1;
                if self.failed.len() < MOST_TOLD {
                    self.failed.push(refusal);
                }
                let failed = json!({ "refused": self.refused, "failed": self.failed });
                within!(store, actor, tx => {
                    let keep = sql!("update app.jobs set result = $3 where organization_id = $1 and id = $2");
                    tx.change(keep, &[&actor.organization, &self.id, &failed]).await?;
                    step.take(&tx).await
                })?;
            }
            if n % 20 == 0 {
                store.tell(actor, "app.jobs", self.id, 0, "progress");
            }
        }
        Ok(json!({ "done": ids.len() - self.refused, "refused": self.refused, "failed": self.failed }))
    }
}

impl Step {
    async fn taken(step: Option<Step>, tx: &Tx) -> Result<()> {
        match step {
            Some(step) => step.take(tx).await,
            None => Ok(()),
        }
    }

    /// # Errors
    /// When the job was cancelled meanwhile, or another worker has taken this step: what the transaction did is undone.
    async fn take(self, tx: &Tx) -> Result<()> {
        let goes_on = sql!(
            "update app.jobs set done = $3::bigint, total = $4
             where organization_id = $1 and id = $2 and status = 'running' and done = $3::bigint - 1 returning 1"
        );
        let rows = tx.query(goes_on, &[&tx.actor.organization, &self.job, &self.done, &self.total]).await?;
        if rows.is_empty() { Err(Error::Unavailable("This job was cancelled.".into())) } else { Ok(()) }
    }
}

async fn matching(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    filter: &Value,
    deleted: bool,
) -> Result<Vec<Uuid>> {
    let mut plan = Plan::new(&actor.catalog, actor, entity)?;
    let query = Query { filter: Some(filter.clone()), deleted, ..Query::default() };
    let conditions = query.conditions(&mut plan)?;
    let text = format!(
        "select r.id {} where {} order by r.id limit {}",
        plan.from(),
        conditions.join(" and "),
        MOST + 1
    );
    let bound = Bound::new(actor, plan.params);
    let rows = store.batch(actor, &[(&text, &bound.values())]).await?.pop().unwrap_or_default();
    Ok(rows.iter().map(|r| r.get(0)).collect())
}
