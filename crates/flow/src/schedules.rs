//! Work that comes back: `app.schedules`. The workers look once a second what is due and put a job into the queue.
//!
//! However long the server was down, what was missed is made up for once. While the last job of a schedule waits or
//! runs there is no second one.

use crate::jobs::{self, New, PLATFORM};
use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use croner::{Cron, parser::CronParser};
use jiff::{Timestamp, civil, tz::TimeZone};
use kernel::{Actor, Error, Result, Store, System, Tx, sql, system};
use serde_json::Value;
use uuid::Uuid;

/// What comes back, and when: in five fields, or six with seconds, or `@daily`; by the clock of `zone`.
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    pub kind: &'a str,
    /// Tells apart several of the same kind: the id of a trigger or a report.
    pub key: &'a str,
    pub cron: &'a str,
    pub zone: &'a str,
    pub payload: Value,
}

impl Schedule<'_> {
    fn first(&self, now: Timestamp) -> Result<Timestamp> {
        next(self.cron, self.zone, now)
    }
}

/// The first moment after `after`. In the hour that a clock skips it is as much later as the clock jumps; in the hour
/// that a clock repeats it is the first time only.
pub fn next(cron: &str, zone: &str, after: Timestamp) -> Result<Timestamp> {
    let malformed = |what: String| Error::malformed_at("cron", what);
    let cron: Cron = CronParser::builder()
        .seconds(croner::parser::Seconds::Optional)
        .build()
        .parse(cron)
        .map_err(|e| malformed(format!("This is not a schedule: {e}.")))?;
    let zone = TimeZone::get(zone).map_err(|_| Error::malformed_at("zone", "There is no such time zone."))?;
    // croner counts on a clock without a zone; the zone is put in by jiff.
    let mut clock =
        naive(after.to_zoned(zone.clone()).datetime()).ok_or_else(|| malformed("Out of range.".into()))?;
    for _ in 0..100 {
        clock =
            cron.find_next_occurrence(&clock, false).map_err(|_| malformed("This never happens.".into()))?;
        let at = civil(&clock)
            .and_then(|at| zone.to_ambiguous_zoned(at).compatible().ok())
            .ok_or_else(|| malformed("Out of range.".into()))?
            .timestamp();
        if at > after {
            return Ok(at);
        }
    }
    Err(malformed("This never happens.".into()))
}

fn naive(at: civil::DateTime) -> Option<DateTime<Utc>> {
    let part = |n: i8| u32::try_from(n).ok();
    NaiveDate::from_ymd_opt(at.year().into(), part(at.month())?, part(at.day())?)?
        .and_hms_opt(part(at.hour())?, part(at.minute())?, part(at.second())?)
        .map(|at| at.and_utc())
}

fn civil(at: &DateTime<Utc>) -> Option<civil::DateTime> {
    let part = |n: u32| i8::try_from(n).ok();
    let year = i16::try_from(at.year()).ok()?;
    civil::DateTime::new(
        year,
        part(at.month())?,
        part(at.day())?,
        part(at.hour())?,
        part(at.minute())?,
        part(at.second())?,
        0,
    )
    .ok()
}

/// Seconds since 1970 in millionths, as the statements of this crate carry times.
pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

const SET: &str = sql!(
    "insert into app.schedules (organization_id, kind, key, cron, zone, payload, created_by, next_run_at)
     values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::bigint / 1000000.0))
     on conflict (organization_id, kind, key) do update set payload = excluded.payload, created_by = excluded.created_by,
         cron = excluded.cron, zone = excluded.zone,
         next_run_at = case when (schedules.cron, schedules.zone) = (excluded.cron, excluded.zone) then schedules.next_run_at else excluded.next_run_at end"
);

/// Adds or changes a schedule of the organization; its jobs run as the person who sets it.
pub async fn set(tx: &Tx, schedule: &Schedule<'_>) -> Result<()> {
    let next = schedule.first(Timestamp::now())?.as_microsecond();
    let Schedule { kind, key, cron, zone, payload } = schedule;
    tx.execute(SET, &[&tx.actor.organization, kind, key, cron, zone, payload, &tx.actor.user, &next]).await?;
    Ok(())
}

/// Answers whether there was such a schedule.
pub async fn remove(tx: &Tx, kind: &str, key: &str) -> Result<bool> {
    let gone = tx
        .execute(
            sql!("delete from app.schedules where organization_id = $1 and kind = $2 and key = $3"),
            &[&tx.actor.organization, &kind, &key],
        )
        .await?;
    Ok(gone == 1)
}

/// Adds or changes a schedule of the program itself.
pub async fn set_platform(system: &System, schedule: &Schedule<'_>) -> Result<()> {
    let next = schedule.first(Timestamp::now())?.as_microsecond();
    let Schedule { kind, key, cron, zone, payload } = schedule;
    system.execute(SET, &[&PLATFORM, kind, key, cron, zone, payload, &Uuid::nil(), &next]).await?;
    Ok(())
}

/// What comes back in the company, for those who administrate it; with `program` also what comes back for the program.
pub async fn list(store: &Store, actor: &Actor, program: bool) -> Result<Value> {
    if !actor.access.is_admin() {
        return Err(Error::Forbidden("Only administrators see the work of others.".into()));
    }
    system!(store, tx => {
        let rows = tx.query_one(
            sql!(
                "select coalesce(jsonb_agg(jsonb_build_object('kind', s.kind, 'key', s.key, 'cron', s.cron, 'zone', s.zone,
                     'program', s.organization_id <> $1, 'last_run_at', s.last_run_at, 'next_run_at', nullif(s.next_run_at, 'infinity'),
                     'status', j.status, 'error', j.error, 'by', (select m.name from iam.memberships m where m.organization_id = $1 and m.id = s.created_by))
                     order by s.organization_id, s.kind, s.key), '[]')
                 from app.schedules s left join app.jobs j on j.organization_id = s.organization_id and j.id = s.job_id
                 where s.organization_id = $1 or $2 and s.organization_id = $3"
            ),
            &[&actor.organization, &program, &PLATFORM],
        ).await?;
        Ok(rows.get(0))
    })
}

/// Puts what is due into the queue; the job and the next time are committed together.
pub(crate) async fn tick(store: &Store) -> Result<()> {
    let due = system!(store, tx => {
        Ok(tx.query_opt(sql!("select 1 from app.schedules where next_run_at <= now() limit 1"), &[]).await?.is_some())
    })?;
    if !due {
        return Ok(());
    }
    let made = system!(store, tx => {
        let rows = tx.query(
            sql!(
                "select s.organization_id, s.kind, s.key, s.cron, s.zone, s.payload, s.created_by,
                     exists (select from app.jobs j where j.organization_id = s.organization_id and j.id = s.job_id
                             and j.status in ('queued', 'running'))
                 from app.schedules s where s.next_run_at <= now() order by s.next_run_at limit 200 for update of s skip locked"
            ),
            &[],
        ).await?;
        let mut made = Vec::new();
        for row in &rows {
            let (organization, kind, key): (Uuid, &str, &str) = (row.get(0), row.get(1), row.get(2));
            let id = if row.get(7) {
                None
            } else {
                let new = New { key: None, ..New::now(kind, row.get(5)) };
                jobs::enqueue_system(&tx, organization, row.get(6), new).await?
            };
            // A schedule that never comes again, or whose zone is gone, rests until it is changed.
            let next = next(row.get(3), row.get(4), Timestamp::now()).map(|at| at.as_microsecond()).ok();
            tx.execute(
                sql!(
                    "update app.schedules set last_run_at = now(), job_id = coalesce($4, job_id),
                         next_run_at = coalesce(to_timestamp($5::bigint / 1000000.0), 'infinity')
                     where organization_id = $1 and kind = $2 and key = $3"
                ),
                &[&organization, &kind, &key, &id, &next],
            ).await?;
            made.extend(id.map(|id| (organization, id)));
        }
        Ok(made)
    })?;
    for (organization, id) in made {
        crate::worker::tell(store, organization, id, "queued");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(cron: &str, zone: &str, after: &str) -> String {
        next(cron, zone, after.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn schedules_follow_the_clock_of_their_zone() {
        assert_eq!(at("0 9 * * *", "Asia/Almaty", "2026-11-21T04:00:00Z"), "2026-11-22T04:00:00Z");
        assert_eq!(at("0 9 * * 1-5", "Asia/Almaty", "2026-11-20T03:59:59Z"), "2026-11-20T04:00:00Z");
        assert_eq!(at("*/10 * * * * *", "UTC", "2026-11-20T00:00:03.5Z"), "2026-11-20T00:00:10Z");
        assert_eq!(at("@monthly", "UTC", "2026-11-20T00:00:00Z"), "2026-12-01T00:00:00Z");
    }

    #[test]
    fn a_clock_that_jumps_makes_a_schedule_neither_miss_nor_repeat_a_day() {
        // New York skips 02:00-03:00 on 8 March and repeats 01:00-02:00 on 1 November.
        assert_eq!(at("30 2 * * *", "America/New_York", "2026-03-08T05:00:00Z"), "2026-03-08T07:30:00Z");
        assert_eq!(at("30 2 * * *", "America/New_York", "2026-03-08T07:30:00Z"), "2026-03-09T06:30:00Z");
        assert_eq!(at("30 1 * * *", "America/New_York", "2026-11-01T04:00:00Z"), "2026-11-01T05:30:00Z");
        assert_eq!(at("30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z"), "2026-11-02T06:30:00Z");
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for (cron, zone) in
            [("", "UTC"), ("every day", "UTC"), ("0 0 30 2 *", "UTC"), ("0 9 * * *", "Mars/Olympus")]
        {
            assert!(matches!(next(cron, zone, Timestamp::UNIX_EPOCH), Err(Error::Malformed(_))), "{cron}");
        }
    }
}
