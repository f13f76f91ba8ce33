//! The queue: `app.jobs`. [`enqueue`] writes into it, [`crate::Worker`] works it off.

use crate::schedules::instant;
use jiff::Timestamp;
use kernel::{Actor, Error, Result, Store, System, Tx, sql, system};
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

/// Under which name listeners hear of jobs, see [`Store::events`]: `queued`, `progress`, `done`, `failed`, `cancelled`.
pub const EVENT: &str = "app.jobs";

/// What a change of a record asks for by itself: it is no work of whoever it runs as.
pub const QUIET: [&str; 2] = [crate::followers::TELL, crate::triggers::RUN];

/// The organization for which the program itself works.
pub const PLATFORM: Uuid = Uuid::nil();

/// A job as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Job {
    #[serde(skip)]
    pub organization: Uuid,
    pub id: Uuid,
    pub kind: String,
    pub payload: Value,
    pub status: String,
    #[serde(skip)]
    pub created_by: Uuid,
    pub created_at: Timestamp,
    pub run_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub attempts: i32,
    pub max_attempts: i32,
    pub done: i64,
    pub total: Option<i64>,
    pub result: Option<Value>,
    pub error: Option<String>,
}

/// Times as text, so that the driver needs no feature for them.
pub(crate) const COLUMNS: &str = "organization_id, id, kind, payload, status, created_by, \
    (extract(epoch from created_at) * 1000000)::bigint, (extract(epoch from run_at) * 1000000)::bigint, \
    (extract(epoch from started_at) * 1000000)::bigint, (extract(epoch from finished_at) * 1000000)::bigint, \
    attempts, max_attempts, done, total, result, error";

impl Job {
    pub(crate) fn read(row: &Row) -> Job {
        Job {
            organization: row.get(0),
            id: row.get(1),
            kind: row.get(2),
            payload: row.get(3),
            status: row.get(4),
            created_by: row.get(5),
            created_at: instant(row.get(6)),
            run_at: instant(row.get(7)),
            started_at: row.get::<_, Option<i64>>(8).map(instant),
            finished_at: row.get::<_, Option<i64>>(9).map(instant),
            attempts: row.get(10),
            max_attempts: row.get(11),
            done: row.get(12),
            total: row.get(13),
            result: row.get(14),
            error: row.get(15),
        }
    }
}

/// What is to be done. `New::now("records.export", payload)` and the parts that differ.
#[derive(Clone, Debug)]
pub struct New<'a> {
    pub kind: &'a str,
    pub payload: Value,
    /// `None`: at once.
    pub run_at: Option<Timestamp>,
    /// A job with this key is made once; asking again answers the one there is.
    pub key: Option<&'a str>,
    pub max_attempts: i32,
}

impl<'a> New<'a> {
    pub fn now(kind: &'a str, payload: Value) -> New<'a> {
        New { kind, payload, run_at: None, key: None, max_attempts: 5 }
    }
}

/// Adds a job to the queue as part of `tx`, to be run as the same person. It starts right after the commit.
pub async fn enqueue(tx: &Tx, kind: &str, payload: Value, run_at: Option<Timestamp>) -> Result<Uuid> {
    add(tx, New { run_at, ..New::now(kind, payload) }).await
}

/// As [`enqueue`], with all that can be said about a job.
pub async fn add(tx: &Tx, new: New<'_>) -> Result<Uuid> {
    let id = Uuid::now_v7();
    let (organization, user) = (tx.actor.organization, tx.actor.user);
    let micros = new.run_at.map(|at| at.as_microsecond());
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
        [&organization, &id, &new.kind, &new.payload, &new.key, &user, &micros, &new.max_attempts];
    let Some(row) = tx.cached(INSERT, &values).await?.pop() else {
        let row = tx.query_one(sql!("select app.job_of($1)"), &[&new.key]).await?;
        return Ok(row.get(0));
    };
    let id = row.get(0);
    tx.changed(EVENT, id, 0, "queued");
    Ok(id)
}

const INSERT: &str = sql!(
    "insert into app.jobs (organization_id, id, kind, payload, key, created_by, run_at, max_attempts)
     values ($1, $2, $3, $4, $5, $6, coalesce(to_timestamp($7::bigint / 1000000.0), now()), $8)
     on conflict (organization_id, key) do nothing returning id"
);

/// Adds a job for the program: as a member, or for nobody ([`PLATFORM`]). Wake the workers after the commit, or they
/// find it within a second.
pub async fn enqueue_system(
    system: &System,
    organization: Uuid,
    user: Uuid,
    new: New<'_>,
) -> Result<Option<Uuid>> {
    let micros = new.run_at.map(|at| at.as_microsecond());
    let id = Uuid::now_v7();
    let row = system
        .query_opt(
            INSERT,
            &[&organization, &id, &new.kind, &new.payload, &new.key, &user, &micros, &new.max_attempts],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// One's own job.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Job> {
    let sql =
        format!("select {COLUMNS} from app.jobs where organization_id = $1 and created_by = $2 and id = $3");
    let rows = store.batch(actor, &[(&sql, &[&actor.organization, &actor.user, &id])]).await?;
    rows.first().and_then(|rows| rows.first()).map(Job::read).ok_or(Error::NotFound)
}

/// One's own jobs, the newest first, but for the quiet ones.
pub async fn list(store: &Store, actor: &Actor, limit: i64) -> Result<Vec<Job>> {
    let sql = format!(
        "select {COLUMNS} from app.jobs where organization_id = $1 and created_by = $2 and kind <> all ($3) order by created_at desc, id desc limit $4"
    );
    let values: kernel::Values<'_> = &[&actor.organization, &actor.user, &&QUIET[..], &limit.clamp(1, 500)];
    let rows = store.batch(actor, &[(&sql, values)]).await?;
    Ok(rows.first().map(|rows| rows.iter().map(Job::read).collect()).unwrap_or_default())
}

/// The company's jobs, whoever asked for them, for those who administrate it: the newest first, those before `before`,
/// with the name of who asked; and how many there are of each state.
pub async fn company(
    store: &Store,
    actor: &Actor,
    status: Option<&str>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<(Job, Option<String>)>, Value)> {
    administrates(actor)?;
    system!(store, tx => {
        let sql = format!(
            "select {COLUMNS}, (select m.name from iam.memberships m where m.organization_id = j.organization_id and m.id = j.created_by)
             from app.jobs j where organization_id = $1 and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
             order by id desc limit $4"
        );
        let rows = tx.query(&sql, &[&actor.organization, &status, &before, &limit.clamp(1, 500)]).await?;
        let counts = tx
            .query_one(
                sql!(
                    "select coalesce(jsonb_object_agg(c.status, c.n), '{}') from
                     (select status, count(*) as n from app.jobs where organization_id = $1 group by status) c"
                ),
                &[&actor.organization],
            )
            .await?;
        Ok((rows.iter().map(|row| (Job::read(row), row.get(16))).collect(), counts.get(0)))
    })
}

fn administrates(actor: &Actor) -> Result<()> {
    if actor.access.is_admin() {
        return Ok(());
    }
    Err(Error::Forbidden("Only administrators see the work of others.".into()))
}

/// Stops somebody's job in the company, as [`cancel`] stops one's own; only for who administrates it.
async fn cancel_any(store: &Store, actor: &Actor, id: Uuid) -> Result<bool> {
    let stopped = system!(store, tx => {
        let stopped = tx
            .execute(
                sql!(
                    "update app.jobs set status = 'cancelled', finished_at = now()
                     where organization_id = $1 and id = $2 and status in ('queued', 'running')"
                ),
                &[&actor.organization, &id],
            )
            .await?;
        if stopped == 0 {
            let there = sql!("select from app.jobs where organization_id = $1 and id = $2");
            tx.query_opt(there, &[&actor.organization, &id]).await?.ok_or(Error::NotFound)?;
        }
        Ok(stopped == 1)
    })?;
    if stopped {
        store.tell(actor, EVENT, id, 0, "cancelled");
    }
    Ok(stopped)
}

/// Stops one's own job, or anybody's in the company one administrates: one that waits never starts, one that runs is cut short and its open transaction undone.
/// Answers whether there was something to stop.
pub async fn cancel(store: &Store, actor: &Actor, id: Uuid) -> Result<bool> {
    if actor.access.is_admin() {
        return cancel_any(store, actor, id).await;
    }
    kernel::within!(store, actor, tx => {
        let rows = tx
            .cached(
                sql!(
                    "update app.jobs set status = 'cancelled', finished_at = now()
                     where organization_id = $1 and created_by = $2 and id = $3 and status in ('queued', 'running') returning id"
                ),
                &[&actor.organization, &actor.user, &id],
            )
            .await?;
        if !rows.is_empty() {
            tx.changed(EVENT, id, 0, "cancelled");
            return Ok(true);
        }
        let there = tx
            .cached(
                sql!("select 1 from app.jobs where organization_id = $1 and created_by = $2 and id = $3"),
                &[&actor.organization, &actor.user, &id],
            )
            .await?;
        if there.is_empty() { Err(Error::NotFound) } else { Ok(false) }
    })
}

/// Stops the organization's job with this key as part of `tx`: a step that is done takes its reminders with it.
pub async fn cancel_key(tx: &Tx, key: &str) -> Result<bool> {
    let cancelled: Option<Uuid> = tx.query_one(sql!("select app.cancel_job($1)"), &[&key]).await?.get(0);
    if let Some(id) = cancelled {
        tx.changed(EVENT, id, 0, "cancelled");
    }
    Ok(cancelled.is_some())
}

/// A dead letter of one's own, or of the company one administrates, gets all its attempts again.
pub async fn retry(store: &Store, actor: &Actor, id: Uuid) -> Result<()> {
    let revived = system!(store, tx => {
        Ok(tx.execute(
            sql!(
                "update app.jobs set status = 'queued', run_at = now(), attempts = 0, finished_at = null
                 where organization_id = $1 and (created_by = $2 or $4) and id = $3 and status = 'failed'"
            ),
            &[&actor.organization, &actor.user, &id, &actor.access.is_admin()],
        ).await?)
    })?;
    if revived == 0 {
        return Err(Error::NotFound);
    }
    store.tell(actor, EVENT, id, 0, "queued");
    Ok(())
}
