//! Takes an import back, by what the history says that it did.

use super::{Import, load};
use crate::{
    plan::{plain, quoted},
    write::allowed,
};
use kernel::{Actor, Catalog, Entity, Error, Result, Store, Tx, sql, within};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Deletes the records that the import made and gives the ones that it changed their old values, where nobody has changed
/// those since. Answers `{deleted, restored, kept}`.
///
/// # Errors
/// Refused, naming who, when something else uses a record that the import made. Then nothing is undone.
pub async fn undo(store: &Store, actor: &Actor, id: Uuid) -> Result<Value> {
    let catalog = &actor.catalog;
    within!(store, actor, tx => {
        let import = load(&tx, id).await?;
        if !matches!(import.status.as_str(), "done" | "failed" | "running") {
            return Err(import.refuse("undone"));
        }
        let entity = catalog.entity(&import.entity)?;
        allowed(actor, entity, "import")?;
        // All or nothing, however long it takes.
        tx.batch_execute("set local app.importing = 'yes'; set local statement_timeout = '10min'; set local idle_in_transaction_session_timeout = '1min'").await?;
        let made = made(&tx, catalog, &import).await?;
        for entity in &made {
            unused(&tx, catalog, &import, entity).await?;
            unmoved(&tx, &import, entity).await?;
        }
        let mut deleted = 0;
        for entity in &made {
            deleted += delete(&tx, &import, entity).await?;
        }
        // What nobody may delete by itself has gone with what it belongs to.
        for entity in &made {
            gone(&tx, &import, entity).await?;
        }
        let (restored, kept) = restore(&tx, catalog, &import).await?;
        // Should it run again, it is another batch.
        tx.change(
            sql!("update imports.imports set status = 'undone', done = 0, batch_id = app.new_id() where organization_id = $1 and id = $2"),
            &[&actor.organization, &id],
        )
        .await?;
        tx.changed(&entity.name, Uuid::nil(), 0, "import");
        Ok(json!({ "deleted": deleted, "restored": restored, "kept": kept }))
    })
}

/// The entities that the import made records of, those first that others do not need.
async fn made<'a>(tx: &Tx, catalog: &'a Catalog, import: &Import) -> Result<Vec<&'a Entity>> {
    let rows = tx
        .query(
            sql!(
                "select distinct entity from app.audit where organization_id = $1 and request_id = $2 and action = 'insert'
                 and entity not in ('imports.imports', 'imports.saved_mappings')"
            ),
            &[&tx.actor.organization, &import.batch],
        )
        .await?;
    let mut left = rows.iter().map(|r| catalog.entity(r.get(0))).collect::<Result<Vec<_>>>()?;
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let needs = |e: &&Entity, other: &Entity| {
            other.name != e.name && other.columns.iter().any(|c| c.target.as_deref() == Some(&e.name))
        };
        // One that nobody left points to; in a circle, any.
        let at = left.iter().position(|e| !left.iter().any(|other| needs(e, other))).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    Ok(ordered)
}

/// Refuses when a record that the import did not make points to one that it made.
async fn unused(tx: &Tx, catalog: &Catalog, import: &Import, entity: &Entity) -> Result<()> {
    let mut users = Vec::new();
    for user in catalog.entities.values() {
        let to = Some(entity.name.as_str());
        let columns = user.columns.iter().filter(|c| c.target.as_deref() == to && !c.is_system());
        let own = tx.actor.overlay.of(&user.name).iter().filter(|f| f.target() == to);
        let links = columns.map(|c| format!("t.{}", quoted(&c.name))).chain(own.map(|f| f.sql("t")));
        for link in links {
            let sql = format!(
                "select count(*) from {0} t join app.audit a on a.organization_id = $1 and a.request_id = $2 and a.entity = $3
                     and a.action = 'insert' and a.record_id = {link}
                 where t.organization_id = $1 and not exists (select from app.audit b where b.organization_id = $1 and b.request_id = $2
                     and b.entity = $4 and b.action = 'insert' and b.record_id = t.id)",
                user.rows(),
            );
            let row = tx
                .query_one(&sql, &[&tx.actor.organization, &import.batch, &entity.name, &user.name])
                .await?;
            let count: i64 = row.get(0);
            if count > 0 {
                users.push(format!("{count} {}", plain(user.short())));
            }
        }
    }
    if users.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "The {} that this import made are in use by {}.",
        plain(entity.short()),
        users.join(" and ")
    )))
}

/// Refuses when people have moved on with a document that the import made: it is theirs now.
async fn unmoved(tx: &Tx, import: &Import, entity: &Entity) -> Result<()> {
    let Some(workflow) = entity.transitions.first() else { return Ok(()) };
    let sql = format!(
        "select count(*) from {0} t join app.audit a on a.organization_id = $1 and a.request_id = $2 and a.entity = $3
             and a.action = 'insert' and a.record_id = t.id
         where t.organization_id = $1 and t.{1} is distinct from a.new ->> '{2}'",
        entity.rows(),
        quoted(&workflow.field),
        workflow.field
    );
    let row = tx.query_one(&sql, &[&tx.actor.organization, &import.batch, &entity.name]).await?;
    match row.get::<_, i64>(0) {
        0 => Ok(()),
        moved => Err(Error::refused(format!(
            "{moved} of the {} that this import made have moved on since.",
            plain(entity.short())
        ))),
    }
}

const MADE: &str = "select a.record_id from app.audit a where a.organization_id = $1 and a.request_id = $2 and a.entity = $3 and a.action = 'insert'";

async fn delete(tx: &Tx, import: &Import, entity: &Entity) -> Result<u64> {
    let sql = format!(
        "delete from {} t where t.organization_id = $1 and t.id in ({MADE}){}",
        entity.table(),
        entity.only("t.")
    );
    Ok(tx.execute(&sql, &[&tx.actor.organization, &import.batch, &entity.name]).await?)
}

async fn gone(tx: &Tx, import: &Import, entity: &Entity) -> Result<()> {
    let sql =
        format!("select count(*) from {} t where t.organization_id = $1 and t.id in ({MADE})", entity.rows());
    let row = tx.query_one(&sql, &[&tx.actor.organization, &import.batch, &entity.name]).await?;
    match row.get::<_, i64>(0) {
        0 => Ok(()),
        left => Err(Error::Forbidden(format!(
            "You may not delete {left} of the {} that this import made.",
            plain(entity.short())
        ))),
    }
}

/// What a batch did to one record: the oldest of the old values, the newest of the new ones.
#[derive(Default)]
struct Change {
    old: Map<String, Value>,
    new: Map<String, Value>,
}

type Records = Vec<(Uuid, Change)>;
type Changes = BTreeMap<(String, Uuid), Change>;

/// Gives records their old values back; answers how many, and how many have been changed since and are left alone.
async fn restore(tx: &Tx, catalog: &Catalog, import: &Import) -> Result<(u64, u64)> {
    tx.execute(
        "declare undone no scroll cursor for
         select entity, record_id, old, new from app.audit a
         where organization_id = $1 and request_id = $2 and action = 'update' and entity not in ('imports.imports', 'imports.saved_mappings')
           and not exists (select from app.audit b where b.organization_id = $1 and b.request_id = $2 and b.entity = a.entity
                           and b.record_id = a.record_id and b.action = 'insert')
         order by entity, record_id, version",
        &[&tx.actor.organization, &import.batch],
    )
    .await?;
    let (mut restored, mut kept) = (0, 0);
    let mut changes = Changes::new();
    loop {
        let rows = tx.query("fetch 1000 from undone", &[]).await?;
        for row in &rows {
            let change = changes.entry((row.get(0), row.get(1))).or_default();
            if let Some(Value::Object(old)) = row.get::<_, Option<Value>>(2) {
                for (field, value) in old {
                    change.old.entry(field).or_insert(value);
                }
            }
            if let Some(Value::Object(new)) = row.get::<_, Option<Value>>(3) {
                change.new.extend(new);
            }
        }
        // The last record may go on in the next rows.
        let going_on = if rows.is_empty() { None } else { changes.pop_last() };
        let (did, left) = put_back(tx, catalog, std::mem::take(&mut changes)).await?;
        restored += did;
        kept += left;
        changes.extend(going_on);
        if rows.is_empty() {
            break;
        }
    }
    Ok((restored, kept))
}

async fn put_back(tx: &Tx, catalog: &Catalog, changes: Changes) -> Result<(u64, u64)> {
    // Records of one entity with the same fields changed, so that one statement does for them.
    let mut alike: BTreeMap<(String, Vec<String>), Records> = BTreeMap::new();
    for ((name, id), mut change) in changes {
        let entity = catalog.entity(&name)?;
        // What the database works out follows by itself.
        let own =
            |field: &str| entity.column(field).is_some_and(|c| !c.generated && !c.derived && !c.is_system());
        change.old.retain(|field, _| own(field));
        change.new.retain(|field, _| own(field));
        let mut fields: Vec<String> = change.old.keys().cloned().collect();
        fields.sort();
        if !fields.is_empty() {
            alike.entry((name, fields)).or_default().push((id, change));
        }
    }
    let (mut restored, mut kept) = (0, 0);
    for ((name, fields), changes) in alike {
        let sets: Vec<String> = fields.iter().map(|f| format!("{0} = o.{0}", quoted(f))).collect();
        let entity = catalog.entity(&name)?;
        let sql = format!(
            "update {table} t set {} from unnest($2::uuid[], $3::text[], $4::text[]) r(id, old, new), jsonb_populate_record(null::{table}, r.old::jsonb) o
             where t.organization_id = $1 and t.id = r.id and to_jsonb(t) @> r.new::jsonb{}",
            sets.join(", "),
            entity.only("t."),
            table = entity.table(),
        );
        let ids: Vec<Uuid> = changes.iter().map(|(id, _)| *id).collect();
        let text = |map: &Map<String, Value>| Value::Object(map.clone()).to_string();
        let old: Vec<String> = changes.iter().map(|(_, c)| text(&c.old)).collect();
        let new: Vec<String> = changes.iter().map(|(_, c)| text(&c.new)).collect();
        let did = tx.execute(&sql, &[&tx.actor.organization, &ids, &old, &new]).await?;
        restored += did;
        kept += ids.len() as u64 - did;
    }
    Ok((restored, kept))
}
