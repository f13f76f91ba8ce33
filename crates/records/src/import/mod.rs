//! Data brought in from files: found out what they are, mapped, tried, written, taken back.
//!
//! - A file is read as a stream, a batch of rows at a time; each batch is a transaction of its own and carries the
//!   import's progress, so that one that was cut short goes on where it stopped.
//! - A row that is wrong is told and left out; the others come in.
//! - Everything is written as the person who asks, under the request id `imports.batch_id`: by it the history knows what
//!   came in, and [`undo`] takes it back.

mod batch;
pub(crate) mod cells;
mod lookup;
mod mapping;
mod read;
mod sniff;
mod undo;
mod xlsx;

pub use sniff::Format;
pub use undo::undo;
pub use xlsx::{set_xlsx_child, xlsx_child};

use crate::write::allowed;
use batch::{Memory, Outcome, Work};
use kernel::{Actor, Catalog, Entity, Error, Result, Store, Tx, sql, within};
use mapping::Mapping;
use serde_json::{Value, json};
use sniff::Manner;
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Told after every batch: rows done, and how many there are.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// A file to be imported at once.
#[derive(Clone, Debug)]
pub struct Source {
    pub path: PathBuf,
    /// Found out by itself when not said.
    pub format: Option<Format>,
    pub name: String,
}

/// Whether rows are written, or only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Check,
    Run,
}

/// An import as it is kept.
#[derive(Debug)]
struct Import {
    id: Uuid,
    file: Option<Uuid>,
    entity: String,
    name: Option<String>,
    manner: Manner,
    status: String,
    columns: Value,
    mapping: Value,
    upsert_key: Option<String>,
    batch: Uuid,
    total: i64,
    done: i64,
    job: Option<Uuid>,
    counts: [i64; 4],
    errors: Value,
}

/// Faults kept with an import; the rest is only counted.
const KEPT_ERRORS: i32 = 1_000;

async fn load(tx: &Tx, id: Uuid) -> Result<Import> {
    let rows = tx
        .query(
            sql!(
                "select id, entity, name, manner, status, columns, mapping, upsert_key, batch_id, coalesce(total, 0), done, job_id,
                        created, updated, unchanged, failed, errors, file_id
                 from imports.imports where organization_id = $1 and id = $2 and deleted_at is null"
            ),
            &[&tx.actor.organization, &id],
        )
        .await?;
    let row = rows.first().ok_or(Error::NotFound)?;
    Ok(Import {
        id: row.get(0),
        entity: row.get(1),
        name: row.get(2),
        manner: serde_json::from_value(row.get(3))?,
        status: row.get(4),
        columns: row.get(5),
        mapping: row.get(6),
        upsert_key: row.get(7),
        batch: row.get(8),
        total: row.get(9),
        done: row.get(10),
        job: row.get(11),
        counts: [row.get(12), row.get(13), row.get(14), row.get(15)],
        errors: row.get(16),
        file: row.get(17),
    })
}

impl Import {
    fn to_value(&self) -> Value {
        let [created, updated, unchanged, failed] = self.counts;
        json!({
            "id": self.id, "file_id": self.file, "entity": self.entity, "name": self.name, "format": self.manner.format, "status": self.status,
            "columns": self.columns, "mapping": self.mapping, "upsert_key": self.upsert_key, "rows": self.total,
            "total": self.total, "done": self.done, "created": created, "updated": updated, "unchanged": unchanged,
            "failed": failed, "errors": self.errors, "job": self.job,
        })
    }

    fn refuse(&self, what: &str) -> Error {
        Error::refused(format!(
            "An import that is {} cannot be {what}.",
            if self.status == "mapping" { "new" } else { &self.status }
        ))
    }

    fn mapping<'a>(&self, actor: &'a Actor, catalog: &'a Catalog) -> Result<Mapping<'a>> {
        let entity = catalog.entity(&self.entity)?;
        Mapping::new(
            actor,
            catalog,
            entity,
            self.manner.format,
            &self.columns,
            &self.mapping,
            self.upsert_key.as_deref(),
        )
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::broken(format!("reading a file: {e}")))?
}

/// Finds out what a file is and guesses what its columns mean. Answers the import, as `GET /imports/{id}` does.
///
/// # Errors
/// Malformed, when the file cannot be read as a table; Forbidden, when the person may not import into the entity.
pub async fn begin(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    file: Option<Uuid>,
    path: &Path,
    name: &str,
) -> Result<Value> {
    let source = Source { path: path.to_owned(), format: None, name: name.to_owned() };
    let id = start(store, actor, entity, file, &source, None, None).await?;
    get(store, actor, id).await
}

async fn start(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    file: Option<Uuid>,
    source: &Source,
    mapping: Option<&Value>,
    upsert_key: Option<&str>,
) -> Result<Uuid> {
    allowed(actor, entity, "import")?;
    let Source { path, format, name } = source.clone();
    let (manner, seen) = blocking(move || {
        let mut manner = sniff::sniff(&path, &name)?;
        if let Some(format) = format {
            if (manner.format == Format::Xlsx) != (format == Format::Xlsx) {
                return Err(Error::malformed(format!("This file is not {}.", format.name().to_uppercase())));
            }
            manner.format = format;
        }
        let seen = read::look(&path, &manner)?;
        Ok((manner, seen))
    })
    .await?;
    let catalog = &actor.catalog;
    let columns: Value = seen.columns.iter().map(|c| c.to_value(manner.format)).collect();
    if let Some(mapping) = mapping {
        Mapping::new(actor, catalog, entity, manner.format, &columns, mapping, upsert_key)?;
    }
    let rows = i64::try_from(seen.rows).unwrap_or(i64::MAX);
    let name: String = source.name.chars().filter(|c| !c.is_control()).take(255).collect();
    within!(store, actor, tx => {
        let (mapping, upsert_key) = match mapping {
            Some(mapping) => (mapping.clone(), upsert_key.map(str::to_owned)),
            None => match saved(&tx, entity, &columns).await? {
                Some(saved) => saved,
                None => (Value::Object(mapping::guess(catalog, actor, entity, &seen, manner.format)), None),
            },
        };
        let row = tx
            .query_one(
                sql!(
                    "insert into imports.imports (entity, file_id, name, format, manner, columns, mapping, upsert_key, total)
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id"
                ),
                &[&entity.name, &file, &name, &manner.format.name(), &serde_json::to_value(&manner)?, &columns, &mapping, &upsert_key, &rows],
            )
            .await?;
        Ok(row.get(0))
    })
}

/// The newest mapping saved for this entity of which every column is there.
async fn saved(tx: &Tx, entity: &Entity, columns: &Value) -> Result<Option<(Value, Option<String>)>> {
    let rows = tx
        .query(
            sql!(
                "select mapping, upsert_key from imports.saved_mappings
                 where organization_id = $1 and entity = $2 and deleted_at is null order by updated_at desc limit 50"
            ),
            &[&tx.actor.organization, &entity.name],
        )
        .await?;
    let names: HashSet<&str> = mapping::names(columns).into_iter().collect();
    let fits = |mapping: &Value| {
        let map = mapping.as_object();
        map.is_some_and(|m| {
            m.iter().all(|(column, spec)| names.contains(column.as_str()) || !spec["constant"].is_null())
        })
    };
    Ok(rows.iter().map(|r| (r.get(0), r.get(1))).find(|(mapping, _)| fits(mapping)))
}

/// `{mapping, upsert_key?, save_as?}`
///
/// # Errors
/// Malformed with a fault at `mapping.<column>` for each column that cannot go where it is said to go.
pub async fn update_mapping(store: &Store, actor: &Actor, id: Uuid, body: &Value) -> Result<Value> {
    let catalog = &actor.catalog;
    let save_as = body["save_as"].as_str().map(str::trim).filter(|s| !s.is_empty());
    if save_as.is_some_and(|name| name.chars().count() > 100) {
        return Err(Error::malformed_at("save_as", "At most 100 characters."));
    }
    within!(store, actor, tx => {
        let mut import = load(&tx, id).await?;
        if !matches!(import.status.as_str(), "mapping" | "checked" | "failed" | "undone") || import.status == "failed" && import.done > 0 {
            return Err(import.refuse("mapped anew"));
        }
        allowed(actor, catalog.entity(&import.entity)?, "import")?;
        if let Some(mapping) = body.get("mapping").filter(|m| !m.is_null()) {
            import.mapping = mapping.clone();
        }
        if let Some(key) = body.get("upsert_key") {
            import.upsert_key = key.as_str().map(str::to_owned).filter(|k| !k.is_empty());
        }
        import.mapping(actor, catalog)?;
        tx.change(
            sql!(
                "update imports.imports set mapping = $3, upsert_key = $4, status = 'mapping', done = 0, created = 0, updated = 0,
                        unchanged = 0, failed = 0, errors = '[]'
                 where organization_id = $1 and id = $2"
            ),
            &[&actor.organization, &id, &import.mapping, &import.upsert_key],
        )
        .await?;
        if let Some(name) = save_as {
            tx.change(
                sql!(
                    "insert into imports.saved_mappings (organization_id, entity, name, mapping, upsert_key) values ($1, $2, $3, $4, $5)
                     on conflict (organization_id, entity, name) do update set mapping = excluded.mapping, upsert_key = excluded.upsert_key, deleted_at = null"
                ),
                &[&actor.organization, &import.entity, &name, &import.mapping, &import.upsert_key],
            )
            .await?;
        }
        Ok(())
    })?;
    get(store, actor, id).await
}

pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Value> {
    within!(store, actor, tx => Ok(load(&tx, id).await?.to_value()))
}

/// Says which job does the work, so that the job's progress is kept with the import's.
pub async fn note_job(store: &Store, actor: &Actor, id: Uuid, job: Uuid) -> Result<()> {
    within!(store, actor, tx => {
        let done = tx.change(sql!("update imports.imports set job_id = $3 where organization_id = $1 and id = $2"), &[&actor.organization, &id, &job]).await?;
        if done == 0 { Err(Error::NotFound) } else { Ok(()) }
    })
}

/// The rows that are wrong as they stand in the file, with what is wrong at the end: to be put right and brought in again.
///
/// # Errors
/// As [`get`], and where the file is gone.
pub async fn errors_csv(store: &Store, actor: &Actor, id: Uuid, path: &Path) -> Result<String> {
    let import = within!(store, actor, tx => load(&tx, id).await)?;
    let mut wrong: HashMap<u64, Vec<String>> = HashMap::new();
    for error in import.errors.as_array().into_iter().flatten() {
        let text = |name: &str| error[name].as_str().unwrap_or_default();
        let said = [text("field"), text("message")].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>();
        wrong.entry(error["row"].as_u64().unwrap_or(0)).or_default().push(said.join(": "));
    }
    let names = mapping::names(&import.columns);
    let mut out =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
    let broken = |e: csv::Error| Error::Broken(Box::new(e));
    out.write_record(names.iter().copied().chain(["Error"])).map_err(broken)?;
    // What is wrong with the file as a whole.
    if let Some(said) = wrong.remove(&0) {
        out.write_record(names.iter().map(|_| "").chain([said.join("; ").as_str()])).map_err(broken)?;
    }
    let mut batches = read::batches(path.to_owned(), import.manner.clone(), 0);
    while let Some(batch) = batches.recv().await {
        for row in batch? {
            let Some(said) = wrong.remove(&row.number) else { continue };
            let cells = names.iter().enumerate().map(|(n, name)| row.cells.text(n, name));
            let cells: Vec<String> = cells.chain([said.join("; ")]).collect();
            out.write_record(cells.iter().map(|c| cells::neutral(c).into_owned())).map_err(broken)?;
        }
        if wrong.is_empty() {
            break;
        }
    }
    let bytes = out.into_inner().map_err(|e| Error::broken(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| Error::Broken(Box::new(e)))
}

/// Tries every row and writes none. Answers the import with its errors.
pub async fn check(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    path: &Path,
    progress: Progress<'_>,
) -> Result<Value> {
    carry_out(store, actor, id, path, Mode::Check, progress).await
}

/// Writes the rows that are right. One that was cut short goes on where it stopped.
pub async fn run(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    path: &Path,
    progress: Progress<'_>,
) -> Result<Value> {
    carry_out(store, actor, id, path, Mode::Run, progress).await
}

/// Detects, maps and imports in one go: for programs.
pub async fn one_shot(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    source: &Source,
    mapping: Option<&Value>,
    upsert_key: Option<&str>,
    mode: Mode,
) -> Result<Value> {
    let id = start(store, actor, entity, None, source, mapping, upsert_key).await?;
    if mapping.is_none() && upsert_key.is_some() {
        update_mapping(store, actor, id, &json!({ "upsert_key": upsert_key })).await?;
    }
    carry_out(store, actor, id, &source.path, mode, &|_, _| {}).await
}

async fn carry_out(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    path: &Path,
    mode: Mode,
    progress: Progress<'_>,
) -> Result<Value> {
    // What comes in is told apart by its request.
    let batch = within!(store, actor, tx => Ok(load(&tx, id).await?.batch))?;
    let mut actor = actor.clone();
    actor.request = batch;
    let actor = &actor;
    let import = claim(store, actor, id, mode).await?;
    if let Err(e) = rows(store, actor, &import, path, mode, progress).await {
        // What can be tried again stays as it is, for the next attempt.
        if !matches!(e, Error::Unavailable(_)) {
            fail(store, actor, id, &e).await?;
        }
        return Err(e);
    }
    let status = if mode == Mode::Check { "checked" } else { "done" };
    within!(store, actor, tx => {
        tx.change(sql!("update imports.imports set status = $3 where organization_id = $1 and id = $2"), &[&actor.organization, &id, &status]).await?;
        Ok(())
    })?;
    get(store, actor, id).await
}

/// Takes the import for work: a check starts anew, a run goes on after what is done.
async fn claim(store: &Store, actor: &Actor, id: Uuid, mode: Mode) -> Result<Import> {
    within!(store, actor, tx => {
        let mut import = load(&tx, id).await?;
        let goes_on = mode == Mode::Run && (import.status == "running" || import.status == "failed" && import.done > 0);
        let (status, from): (_, &[&str]) = match mode {
            Mode::Check => ("checking", &["mapping", "checking", "checked", "failed", "undone"]),
            Mode::Run => ("running", &["mapping", "checking", "checked", "running", "failed", "undone"]),
        };
        if !from.contains(&import.status.as_str()) || mode == Mode::Check && import.status == "failed" && import.done > 0 {
            return Err(import.refuse(if mode == Mode::Check { "checked" } else { "run" }));
        }
        let sql = if goes_on {
            sql!("update imports.imports set status = $3 where organization_id = $1 and id = $2")
        } else {
            import.done = 0;
            sql!(
                "update imports.imports set status = $3, done = 0, created = 0, updated = 0, unchanged = 0, failed = 0, errors = '[]'
                 where organization_id = $1 and id = $2"
            )
        };
        tx.change(sql, &[&actor.organization, &id, &status]).await?;
        import.status = status.to_owned();
        Ok(import)
    })
}

async fn fail(store: &Store, actor: &Actor, id: Uuid, error: &Error) -> Result<()> {
    let message = match error {
        Error::Broken(_) => "Something went wrong.".to_owned(),
        e => e.to_string(),
    };
    let errors = json!([{ "row": null, "field": null, "message": message, "value": null }]);
    within!(store, actor, tx => {
        // A dry run leaves nothing to go on with.
        tx.change(
            sql!(
                "update imports.imports set done = case when status = 'checking' then 0 else done end, status = 'failed', errors = errors || $3::jsonb
                 where organization_id = $1 and id = $2 and status in ('checking', 'running')"
            ),
            &[&actor.organization, &id, &errors],
        )
        .await?;
        Ok(())
    })
}

async fn rows(
    store: &Store,
    actor: &Actor,
    import: &Import,
    path: &Path,
    mode: Mode,
    progress: Progress<'_>,
) -> Result<()> {
    let catalog = &actor.catalog;
    let entity = catalog.entity(&import.entity)?;
    allowed(actor, entity, "import")?;
    let mapping = import.mapping(actor, catalog)?;
    if mapping.key.is_empty() {
        allowed(actor, entity, "create")?;
    }
    let exact = if mapping.key.is_empty() {
        HashMap::new()
    } else {
        within!(store, actor, tx => exact(&tx, entity).await)?
    };
    let work = Work {
        mapping,
        format: import.manner.format,
        zone: actor.zone.clone(),
        exact,
        dry: mode == Mode::Check,
    };
    let mut memory = Memory::default();
    let mut done = import.done;
    let skip = u64::try_from(done).unwrap_or(0);
    let mut batches = read::batches(path.to_owned(), import.manner.clone(), skip);
    while let Some(batch) = batches.recv().await {
        let batch = batch?;
        for rows in split(&work, &batch) {
            let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            let outcome = within!(store, actor, tx => {
                let outcome = work.write(&tx, rows, &mut memory).await?;
                note(&tx, import, done, count, &outcome).await?;
                if !work.dry && outcome.created + outcome.updated > 0 {
                    // One word for the whole batch; whoever listens asks again.
                    tx.changed(&entity.name, Uuid::nil(), 0, "import");
                }
                Ok(outcome)
            })?;
            memory.keep(outcome);
            done += count;
            progress(u64::try_from(done).unwrap_or(0), u64::try_from(import.total).unwrap_or(0));
        }
    }
    Ok(())
}

/// Rows about the same record must not meet in one statement: the later one changes what the earlier one made.
fn split<'r>(work: &Work<'_>, batch: &'r [read::Row]) -> Vec<&'r [read::Row]> {
    let mut runs = Vec::new();
    let mut seen = HashSet::new();
    let mut from = 0;
    for (n, row) in batch.iter().enumerate() {
        let Some(key) = work.key(row) else { continue };
        if !seen.insert(key.clone()) {
            runs.push(&batch[from..n]);
            from = n;
            seen.clear();
            seen.insert(key);
        }
    }
    runs.push(&batch[from..]);
    runs
}

/// The types of numeric columns with their digits, as the table keeps them.
async fn exact(tx: &Tx, entity: &Entity) -> Result<HashMap<String, String>> {
    let rows = tx
        .query(
            sql!(
                "select a.attname::text, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), case when t.typbasetype = 0 then a.atttypmod else t.typtypmod end)
                 from pg_attribute a join pg_type t on t.oid = a.atttypid
                 where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped
                   and coalesce(nullif(t.typbasetype, 0), t.oid) = 'numeric'::regtype"
            ),
            &[&entity.table()],
        )
        .await?;
    Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
}

/// Keeps the progress with the rows, in one transaction. `done` is where this worker stands: if another one has moved it,
/// there are two, and this one stops.
async fn note(tx: &Tx, import: &Import, done: i64, count: i64, outcome: &Outcome) -> Result<()> {
    let errors: Vec<Value> = outcome
        .problems
        .iter()
        .take(KEPT_ERRORS.unsigned_abs() as usize)
        .map(batch::Problem::to_value)
        .collect();
    let n = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let moved = tx
        .change(
            sql!(
                "update imports.imports set done = done + $4, created = created + $5, updated = updated + $6, unchanged = unchanged + $7,
                        failed = failed + $8, errors = case when jsonb_array_length(errors) < $10 then errors || $9::jsonb else errors end
                 where organization_id = $1 and id = $2 and done = $3 and status in ('checking', 'running')"
            ),
            &[
                &tx.actor.organization,
                &import.id,
                &done,
                &count,
                &n(outcome.created),
                &n(outcome.updated),
                &n(outcome.unchanged),
                &n(outcome.failed),
                &Value::Array(errors),
                &KEPT_ERRORS,
            ],
        )
        .await?;
    if moved == 0 {
        return Err(Error::Conflict("This import is already running.".into()));
    }
    if let Some(job) = import.job {
        let rows = tx
            .query(
                sql!("update app.jobs set done = $3, total = $4 where organization_id = $1 and id = $2 returning status"),
                &[&tx.actor.organization, &job, &(done + count), &import.total],
            )
            .await?;
        if rows.first().is_some_and(|r| r.get::<_, &str>(0) == "cancelled") {
            return Err(Error::Conflict("This import was cancelled.".into()));
        }
    }
    Ok(())
}
