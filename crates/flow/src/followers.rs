//! Who follows a record: they hear of what is said about it and of what becomes of it, as far as they may read it.

use crate::files::reach;
use kernel::{Actor, Result, Store, Tx, sql, within};
use serde_json::Value;
use uuid::Uuid;

/// The job of a transaction that changed what somebody follows, or named somebody: `{request, transaction}`. The history's
/// trigger asks for it, see `app.tell_later`.
pub const TELL: &str = "records.tell";
/// What happened to a record when somebody began or ceased to follow it, as listeners hear it.
pub const EVENT: &str = "@followers";

/// Everybody who follows a record, in the order of names: id and name.
///
/// # Errors
/// NotFound where the record is out of reach.
pub async fn list(store: &Store, actor: &Actor, entity: &str, record: Uuid) -> Result<Vec<Value>> {
    within!(store, actor, tx => {
        reach(&tx, entity, record, false).await?;
        let sql = sql!(
            "select jsonb_build_object('id', m.id, 'name', m.name) from app.followers f
             join iam.memberships m on m.organization_id = $1 and m.id = f.user_id and m.status = 'active' and m.deleted_at is null
             where f.organization_id = $1 and f.entity = $2 and f.record_id = $3 and f.following order by m.name, m.id limit 500"
        );
        let rows = tx.cached(sql, &[&actor.organization, &entity, &record]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    })
}

/// Begins or ceases to follow, for oneself. Who has ceased does not begin again by what he does, only by his word.
///
/// # Errors
/// NotFound where the record is out of reach.
pub async fn follow(store: &Store, actor: &Actor, entity: &str, record: Uuid, on: bool) -> Result<()> {
    within!(store, actor, tx => {
        reach(&tx, entity, record, false).await?;
        let sql = sql!(
            "insert into app.followers (organization_id, entity, record_id, user_id, following) values ($1, $2, $3, $4, $5)
             on conflict (organization_id, entity, record_id, user_id) do update set following = excluded.following"
        );
        tx.change(sql, &[&actor.organization, &entity, &record, &actor.user, &on]).await?;
        tx.changed(entity, record, 0, EVENT);
        Ok(())
    })
}

/// These follow from now on, but for those who have ceased to.
pub async fn joined(tx: &Tx, entity: &str, record: Uuid, people: &[Uuid]) -> Result<()> {
    let sql = sql!(
        "insert into app.followers (organization_id, entity, record_id, user_id) select $1, $2, $3, p from unnest($4::uuid[]) p
         on conflict (organization_id, entity, record_id, user_id) do nothing"
    );
    tx.change(sql, &[&tx.actor.organization, &entity, &record, &people]).await?;
    Ok(())
}

/// Who follows it, and who has ceased to.
pub async fn of(tx: &Tx, entity: &str, record: Uuid) -> Result<(Vec<Uuid>, Vec<Uuid>)> {
    let sql = sql!(
        "select user_id, following from app.followers where organization_id = $1 and entity = $2 and record_id = $3 order by user_id"
    );
    let rows = tx.cached(sql, &[&tx.actor.organization, &entity, &record]).await?;
    let those = |on: bool| rows.iter().filter(|r| r.get::<_, bool>(1) == on).map(|r| r.get(0)).collect();
    Ok((those(true), those(false)))
}

/// Entity, record, what was and what is, of everything that one transaction of a request made or changed.
///
/// # Errors
/// As the database says.
pub async fn done_in(
    tx: &Tx,
    request: Option<Uuid>,
    transaction: &str,
    most: i64,
) -> Result<Vec<kernel::Row>> {
    let sql = sql!(
        "select a.entity, a.record_id, a.old, a.new from app.audit a
         where a.organization_id = $1 and a.request_id = $2 and a.xid = $3::text::xid8 and a.action in ('insert', 'update')
         order by a.at, a.id limit $4"
    );
    Ok(tx.query(sql, &[&tx.actor.organization, &request, &transaction, &most]).await?)
}

/// Who may be named: id and name of the active members, long names first.
///
/// # Errors
/// As the database says.
pub async fn members(tx: &Tx) -> Result<Vec<kernel::Row>> {
    let sql = sql!(
        "select id, name from iam.memberships where organization_id = $1 and status = 'active' and deleted_at is null order by length(name) desc"
    );
    Ok(tx.query(sql, &[&tx.actor.organization]).await?)
}
