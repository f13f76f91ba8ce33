//! What the program does for itself, by schedule: months of the history made ahead, what is old thrown away.

use crate::{
    Platform, Worker,
    files::Files,
    notifications,
    schedules::{self, Schedule},
};
use kernel::{Error, Result, Store, sql, system};
use serde_json::{Value, json};

/// Kind, and when in UTC.
const REGULAR: [(&str, &str); 6] = [
    ("platform.audit_months", "10 0 * * *"),
    ("platform.daily", "5 * * * *"),
    ("platform.purge", "20 * * * *"),
    ("platform.prove", "30 3 * * *"),
    ("platform.files", "40 2 * * *"),
    ("platform.digests", "*/5 * * * *"),
];

/// How long things are kept: what, and which rows may go. Each is deleted in pieces, so that no statement takes long.
const PURGES: [&str; 12] = [
    sql!(
        "delete from app.idempotency where ctid = any (array(select ctid from app.idempotency where at < now() - interval '7 days' limit 5000))"
    ),
    sql!(
        "delete from app.jobs where ctid = any (array(select ctid from app.jobs where finished_at < now() - interval '30 days' and status <> 'failed' limit 5000))"
    ),
    sql!(
        "delete from app.jobs where ctid = any (array(select ctid from app.jobs where finished_at < now() - interval '180 days' limit 5000))"
    ),
    sql!(
        "delete from app.mails where ctid = any (array(select ctid from app.mails where sent_at < now() - interval '30 days' limit 5000))"
    ),
    sql!(
        "delete from iam.sessions where ctid = any (array(select ctid from iam.sessions where coalesce(ended_at, expires_at) < now() - interval '30 days' limit 5000))"
    ),
    sql!(
        "delete from iam.email_verifications where ctid = any (array(select ctid from iam.email_verifications where expires_at < now() - interval '7 days' limit 5000))"
    ),
    sql!(
        "delete from iam.login_attempts where ctid = any (array(select ctid from iam.login_attempts where at < now() - interval '90 days' limit 5000))"
    ),
    sql!(
        "delete from app.system_logs where ctid = any (array(select ctid from app.system_logs where last_seen_at < now() - interval '180 days' limit 5000))"
    ),
    sql!("select from builder.purge_tables(5000)"),
    sql!(
        "delete from builder.trigger_executions where ctid = any (array(select ctid from builder.trigger_executions where executed_at < now() - interval '90 days' limit 5000))"
    ),
    // Over is over, also after the clock was set back: what nobody asked for again is ended here.
    sql!(
        "update iam.sessions set ended_at = now() where ctid = any (array(select ctid from iam.sessions where ended_at is null and expires_at < now() limit 5000))"
    ),
    // What a mail said is nobody's business once it is there: codes and links above all.
    sql!(
        "update app.mails set body = '', attachments = '[]' where ctid = any (array(select ctid from app.mails where sent_at < now() - interval '2 days' and body <> '' limit 5000))"
    ),
];

/// Teaches the workers the housekeeping.
pub fn register(worker: Worker, files: Files) -> Worker {
    worker
        .on_platform("platform.audit_months", |p| Box::pin(audit_months(p)))
        .on_platform("platform.daily", |p| Box::pin(daily(p)))
        .on_platform("platform.purge", |p| Box::pin(purge(p)))
        .on_platform("platform.prove", |p| Box::pin(prove(p)))
        .on_platform("platform.digests", |p| Box::pin(notifications::digests(&p.store)))
        .on_platform("platform.files", move |p| {
            let files = files.clone();
            Box::pin(async move {
                let swept = files.sweep(&p.store).await?;
                Ok(json!({"blobs_removed": swept}))
            })
        })
}

/// Puts the housekeeping into the schedules; safe at every start.
pub async fn schedule(store: &Store) -> Result<()> {
    system!(store, tx => {
        for (kind, cron) in REGULAR {
            let schedule = Schedule { kind, key: "", cron, zone: "UTC", payload: json!({}) };
            schedules::set_platform(&tx, &schedule).await?;
        }
        Ok(())
    })
}

/// One transaction a company: what fails in one is told, and stops no other.
async fn daily(platform: &Platform) -> Result<Value> {
    let companies = system!(platform.store, tx => {
        let sql = sql!("select id from tenancy.organizations where status = 'active' order by id");
        Ok(tx.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect::<Vec<uuid::Uuid>>())
    })?;
    let mut failed = Vec::new();
    for company in &companies {
        let done: Result<()> = system!(platform.store, tx => {
            tx.execute(sql!("select app.daily($1)"), &[company]).await?;
            tx.execute(sql!("select app.seal_audit($1)"), &[company]).await?;
            Ok(())
        });
        if let Err(e) = done {
            failed.push(json!({ "company": company, "message": e.to_string() }));
        }
    }
    if failed.is_empty() {
        return Ok(json!({ "companies": companies.len() }));
    }
    Err(Error::broken(format!("The day of {} companies was not done: {}", failed.len(), Value::from(failed))))
}

async fn audit_months(platform: &Platform) -> Result<Value> {
    system!(platform.store, tx => {
        tx.execute(sql!("select app.make_audit_months(2)"), &[]).await?;
        Ok(Value::Null)
    })
}

/// Everything that must follow from something else, as `fondaco verify` asks it, every night.
async fn prove(platform: &Platform) -> Result<Value> {
    system!(platform.store, tx => {
        tx.batch_execute("set local statement_timeout = '1h'").await?;
        let wrong: i32 = tx.query_one(sql!("select app.prove()"), &[]).await?.get(0);
        Ok(json!({ "wrong": wrong }))
    })
}

async fn purge(platform: &Platform) -> Result<Value> {
    let mut gone = 0;
    for statement in PURGES {
        // A day's worth; the next hour goes on.
        for _ in 0..200 {
            let n = system!(platform.store, tx => Ok(tx.execute(statement, &[]).await?))?;
            gone += n;
            if n < 5000 {
                break;
            }
        }
    }
    Ok(json!({"rows": gone}))
}
