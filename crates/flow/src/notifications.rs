//! What a person should know, in the bell and, where he asked for it, by mail.

use kernel::{Actor, Result, Store, Tx, Values, sql, within};
use serde::Serialize;
use uuid::Uuid;

/// Under which name listeners hear that somebody's notifications changed, with the person's id, see [`Store::events`].
pub const EVENT: &str = "social.notifications";

#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// `approval`, `mention`: what people choose their channels by.
    pub kind: &'a str,
    pub title: &'a str,
    pub body: Option<&'a str>,
    /// What it is about, to go there.
    pub record: Option<(&'a str, Uuid)>,
}

/// Tells a colleague as part of `tx`: in the product, and by mail when his preferences say so. `None` when he wants
/// neither, or is no active member.
pub async fn notify(tx: &Tx, user: Uuid, notice: &Notice<'_>) -> Result<Option<Uuid>> {
    let Notice { kind, title, body, record } = notice;
    let (entity, record) = record.unzip();
    let row = tx
        .cached(
            sql!("select app.notify($1, $2, $3, $4, $5, $6)"),
            &[&user, kind, title, body, &entity, &record],
        )
        .await?;
    let id: Option<Uuid> = row.first().and_then(|row| row.get(0));
    if id.is_some() {
        tx.changed(EVENT, user, 0, "create");
    }
    tx.changed(crate::mail::EVENT, Uuid::nil(), 0, "queued");
    Ok(id)
}

#[derive(Clone, Debug, Serialize)]
pub struct Notification {
    pub id: Uuid,
    pub kind: String,
    pub title: String,
    pub body: Option<String>,
    pub entity: Option<String>,
    pub record_id: Option<Uuid>,
    pub created_at: jiff::Timestamp,
    pub read_at: Option<jiff::Timestamp>,
}

/// One's own, the newest first. `before` is the id of the last one of the page before.
pub async fn list(
    store: &Store,
    actor: &Actor,
    unread_only: bool,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Notification>> {
    let values: Values<'_> = &[&actor.organization, &actor.user, &unread_only, &before, &limit.clamp(1, 200)];
    let rows = store
        .batch(
            actor,
            &[(
                sql!(
                    "select id, kind, title, body, entity, record_id, (extract(epoch from created_at) * 1000000)::bigint,
                         (extract(epoch from read_at) * 1000000)::bigint
                     from social.notifications
                     where organization_id = $1 and user_id = $2 and deleted_at is null and (not $3 or read_at is null)
                       and ($4::uuid is null or id < $4)
                     order by id desc limit $5"
                ),
                values,
            )],
        )
        .await?;
    let read = |row: &tokio_postgres::Row| Notification {
        id: row.get(0),
        kind: row.get(1),
        title: row.get(2),
        body: row.get(3),
        entity: row.get(4),
        record_id: row.get(5),
        created_at: crate::schedules::instant(row.get(6)),
        read_at: row.get::<_, Option<i64>>(7).map(crate::schedules::instant),
    };
    Ok(rows.iter().flatten().map(read).collect())
}

pub async fn unread_count(store: &Store, actor: &Actor) -> Result<i64> {
    let values: Values<'_> = &[&actor.organization, &actor.user];
    let rows = store
        .batch(
            actor,
            &[(
                sql!(
                    "select count(*) from social.notifications
                     where organization_id = $1 and user_id = $2 and deleted_at is null and read_at is null"
                ),
                values,
            )],
        )
        .await?;
    Ok(rows.iter().flatten().next().map_or(0, |row| row.get(0)))
}

/// Marks these of one's own as read, all of them when none is named; answers how many were not.
pub async fn mark_read(store: &Store, actor: &Actor, ids: Option<&[Uuid]>) -> Result<u64> {
    within!(store, actor, tx => {
        let marked = tx.change(
            sql!(
                "update social.notifications set read_at = now()
                 where organization_id = $1 and user_id = $2 and read_at is null and ($3::uuid[] is null or id = any ($3))"
            ),
            &[&actor.organization, &actor.user, &ids],
        ).await?;
        if marked > 0 {
            tx.changed(EVENT, actor.user, 0, "read");
        }
        Ok(marked)
    })
}
