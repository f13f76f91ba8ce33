use crate::{
    import::{Format, cells::neutral},
    plan::{Bound, Plan, quoted, visible},
    print::address,
    query::{Query, order},
    select::{Select, group},
    write::allowed,
};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use jiff::{Timestamp, tz::TimeZone};
use kernel::{Actor, Entity, Error, Kind, Result, Store, Tx, sql, system};
use rust_xlsxwriter::{ExcelDateTime, Workbook, Worksheet, XlsxError};
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    sync::Arc,
};
use tokio::sync::{mpsc, watch};
use tokio_postgres::Row;
use uuid::Uuid;

/// Rows fetched at a time.
const PAGE: u32 = 2_000;
const CHUNK: usize = 64 << 10;
/// A sheet holds so many, the heading among them.
const SHEET_ROWS: u32 = 1_048_576;
const CELL_CHARACTERS: usize = 32_767;

/// All rows of a query, under the person's rights, in the order asked for; page and cursor do not count.
///
/// One transaction reads one state of the data through a cursor and writes it to a file that has no name, as fast as the
/// database gives it; the answer is read from that file, behind the writer. So neither a large answer costs memory, nor
/// does a slow reader keep a transaction open.
///
/// # Errors
/// Before the first byte, as of a list; what goes wrong later is the last item of the stream.
pub async fn export(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    query: &Query,
    format: Format,
) -> Result<impl Stream<Item = Result<Bytes>> + Send + 'static + use<>> {
    allowed(actor, entity, "export")?;
    // Mistakes in the query are told before anything is begun.
    Exporting::new(actor, entity, query, format)?;
    let told =
        json!({ "format": format.name(), "filter": query.filter, "q": query.q, "fields": query.fields });
    system!(store, tx => {
        tx.execute(
            sql!("select iam.log_event($1, $2, $3, 'export', $4, $5, null, $6)"),
            &[&actor.organization, &entity.name, &Uuid::nil(), &actor.user, &actor.request, &told],
        )
        .await?;
        Ok(())
    })?;
    let file = Arc::new(tempfile::tempfile().map_err(full)?);
    let (written, reading) = watch::channel(Written { bytes: 0, end: None });
    let (store, actor, name, query, into) =
        (store.clone(), actor.clone(), entity.name.clone(), query.clone(), file.clone());
    tokio::spawn(async move {
        let done = write_file(&store, &actor, &name, &query, format, &into, &written).await;
        written.send_modify(|w| w.end = Some(done.err().map(|e| Arc::new(std::sync::Mutex::new(Some(e))))));
    });
    Ok(follow(file, reading))
}

/// How far the writer has got; `end` once it has ended, with what went wrong.
#[derive(Clone)]
struct Written {
    bytes: u64,
    end: Option<Option<Arc<std::sync::Mutex<Option<Error>>>>>,
}

fn full(e: io::Error) -> Error {
    tracing::error!(error = %e, "an export's file");
    Error::Unavailable("There is no room for the export; try again later.".into())
}

/// The bytes of a file that is still being written.
fn follow(
    file: Arc<File>,
    reading: watch::Receiver<Written>,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    stream::try_unfold((file, reading, 0_u64), |(file, mut reading, at)| async move {
        loop {
            let now = reading.borrow_and_update().clone();
            if now.bytes > at {
                let want = usize::try_from(now.bytes - at).unwrap_or(CHUNK).min(CHUNK);
                let from = file.clone();
                let read = tokio::task::spawn_blocking(move || {
                    let mut bytes = vec![0; want];
                    from.read_exact_at(&mut bytes, at).map(|()| Bytes::from(bytes))
                });
                let bytes = read.await.map_err(|e| Error::broken(e.to_string()))?.map_err(full)?;
                let at = at + bytes.len() as u64;
                return Ok(Some((bytes, (file, reading, at))));
            }
            if let Some(end) = now.end {
                let error =
                    end.and_then(|e| e.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
                return error.map_or(Ok(None), Err);
            }
            if reading.changed().await.is_err() {
                return Err(Error::broken("the writer of an export is gone"));
            }
        }
    })
}

/// A column of the file: heading, place in the row, kind.
struct Heading {
    name: String,
    at: usize,
    kind: Kind,
}

struct Exporting<'a> {
    plan: Plan<'a>,
    select: Select<'a>,
    headings: Vec<Heading>,
    sql: String,
}

impl<'a> Exporting<'a> {
    fn new(actor: &'a Actor, entity: &'a Entity, query: &Query, format: Format) -> Result<Exporting<'a>> {
        let mut plan = Plan::new(&actor.catalog, actor, entity)?;
        let flat = format != Format::Json;
        let everything = query.fields.is_empty() && flat;
        let chosen = if everything { columns(&plan, query.deleted) } else { query.fields.clone() };
        let mut select = Select::new(&mut plan, &chosen, &query.expand)?;
        let headings = if flat { headings(&select, &chosen, entity, everything) } else { Vec::new() };
        let keys = order(&mut plan, &query.sort)?;
        let conditions = query.conditions(&mut plan)?;
        let sorted: Vec<String> =
            keys.iter().map(|k| format!("{}{}", k.sql, if k.down { " desc" } else { "" })).collect();
        // For the parts' sake the id stands first.
        let id = select.extra("r.id".to_owned());
        let sql = format!(
            "declare exported no scroll cursor for select {} {} where {} order by {}",
            select.sql(),
            plan.from(),
            conditions.join(" and "),
            sorted.join(", ")
        );
        debug_assert!(id > 0);
        Ok(Exporting { plan, select, headings, sql })
    }
}

/// What a table of all fields has: the id first, the record's own fields, beside a relation the title of its target, and
/// last what the program keeps.
fn columns(plan: &Plan<'_>, deleted: bool) -> Vec<String> {
    let (mut own, mut system) = (Vec::new(), Vec::new());
    for (name, field) in visible(plan.actor, plan.entity) {
        if field.kind() == Kind::Button {
            continue;
        }
        if matches!(&field, crate::plan::Field::Column(column) if column.is_system()) {
            if name != "id" && (name != "deleted_at" || deleted) {
                system.push(name);
            }
            continue;
        }
        let target = field.target().and_then(|t| plan.catalog.entities.get(t));
        let title = target
            .filter(|t| plan.actor.access.may(t, "read") && t.title() != "id")
            .filter(|t| plan.actor.access.field(&t.name, t.title()) > kernel::FieldAccess::None)
            .map(|t| format!("{}.{}", field.relation_name(), t.title()));
        own.push(name);
        own.extend(title);
    }
    own.extend(system);
    own
}

/// Names under which the file can be read in again. Where nobody chose the fields, the title of a relation goes by the
/// relation's name.
fn headings(select: &Select<'_>, chosen: &[String], entity: &Entity, everything: bool) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::new();
    let asked = |name: &str| {
        chosen.iter().position(|c| c == name || entity.relation(c).is_some_and(|r| r.name == name))
    };
    let flat = select.flat();
    for (name, at, kind) in flat {
        // What comes with a relation by itself, and the version that nobody asked for.
        if name != "id" && asked(&name).is_none() && (name.ends_with(".id") || name == "version") {
            continue;
        }
        headings.push(Heading { name, at, kind });
    }
    let place = |h: &Heading| if h.name == "id" { 0 } else { asked(&h.name).map_or(usize::MAX, |n| n + 1) };
    headings.sort_by_key(place);
    let names: Vec<String> = headings.iter().map(|h| h.name.clone()).collect();
    for heading in headings.iter_mut().filter(|_| everything) {
        let relation = heading
            .name
            .rsplit_once('.')
            .filter(|(path, _)| !path.contains('.') && !heading.name.starts_with("cf."));
        if let Some((relation, _)) = relation
            && !names.iter().any(|n| n == relation)
        {
            heading.name = relation.to_owned();
        }
    }
    headings
}

async fn write_file(
    store: &Store,
    actor: &Actor,
    name: &str,
    query: &Query,
    format: Format,
    file: &Arc<File>,
    written: &watch::Sender<Written>,
) -> Result<()> {
    let entity = actor.catalog.entity(name)?;
    let exporting = Exporting::new(actor, entity, query, format)?;
    // Not `within!`: a second attempt would write the rows a second time.
    let tx = store.begin(actor, None).await?;
    let done = pages(&tx, actor, &exporting, query, format, file, written).await;
    tx.end(done).await.map_err(|e| e.explain(store.catalog()))
}

async fn pages(
    tx: &Tx,
    actor: &Actor,
    exporting: &Exporting<'_>,
    query: &Query,
    format: Format,
    file: &Arc<File>,
    written: &watch::Sender<Written>,
) -> Result<()> {
    tx.batch_execute(
        "set transaction isolation level repeatable read, read only; set local statement_timeout = '5min';
         set local idle_in_transaction_session_timeout = '5min'",
    )
    .await?;
    let bound = Bound::new(actor, exporting.plan.params.clone());
    tx.execute(&exporting.sql, &bound.values()).await?;
    match format {
        Format::Xlsx => sheet(tx, actor, exporting, file, written).await,
        Format::Csv | Format::Json => text(tx, actor, exporting, query, format, file, written).await,
    }
}

/// The next rows; none after the last, or when nobody reads any more.
async fn page(tx: &Tx, written: &watch::Sender<Written>) -> Result<Vec<Row>> {
    if written.is_closed() {
        return Ok(Vec::new());
    }
    Ok(tx.query(&format!("fetch {PAGE} from exported"), &[]).await?)
}

async fn text(
    tx: &Tx,
    actor: &Actor,
    exporting: &Exporting<'_>,
    query: &Query,
    format: Format,
    file: &Arc<File>,
    written: &watch::Sender<Written>,
) -> Result<()> {
    let mut at = 0;
    let mut out = Vec::new();
    if format == Format::Csv {
        let names: Vec<&str> = exporting.headings.iter().map(|h| h.name.as_str()).collect();
        csv_line(&mut out, names.iter().map(|n| (*n).into()));
    } else {
        out.push(b'[');
    }
    let people = people(tx, exporting).await?;
    let mut first = true;
    loop {
        let rows = page(tx, written).await?;
        let parts = if format == Format::Json {
            parts_of(tx, actor, exporting, query, &rows).await?
        } else {
            Vec::new()
        };
        for row in &rows {
            if format == Format::Csv {
                csv_line(&mut out, exporting.headings.iter().map(|h| cell(row, h, &people)));
                continue;
            }
            out.extend_from_slice(if std::mem::take(&mut first) { b"\n" } else { b",\n" });
            let id: Uuid = row.get(row.columns().len() - 1);
            let tail: Vec<(&str, &[u8])> = parts
                .iter()
                .map(|(name, lists)| (*name, lists.get(&id).map_or(&b"[]"[..], Vec::as_slice)))
                .collect();
            exporting.select.write(&mut out, row, &tail);
        }
        if rows.is_empty() && format == Format::Json {
            out.extend_from_slice(b"\n]\n");
        }
        let (into, bytes) = (file.clone(), std::mem::take(&mut out));
        let length = bytes.len() as u64;
        out = tokio::task::spawn_blocking(move || {
            into.write_all_at(&bytes, at)?;
            let mut bytes = bytes;
            bytes.clear();
            Ok(bytes)
        })
        .await
        .map_err(|e| Error::broken(e.to_string()))?
        .map_err(full)?;
        at += length;
        written.send_modify(|w| w.bytes = at);
        if rows.is_empty() {
            return Ok(());
        }
    }
}

type Lists = std::collections::HashMap<Uuid, Vec<u8>>;

async fn parts_of<'a>(
    tx: &Tx,
    actor: &Actor,
    exporting: &'a Exporting<'_>,
    query: &Query,
    rows: &[Row],
) -> Result<Vec<(&'a str, Lists)>> {
    let mut parts = Vec::new();
    let ids: Vec<Uuid> = rows.iter().map(|r| r.get(r.columns().len() - 1)).collect();
    if ids.is_empty() {
        return Ok(parts);
    }
    debug_assert!(exporting.select.parts.len() <= query.expand.len());
    for (part, expand) in &exporting.select.parts {
        let entity = exporting.plan.catalog.entity(&part.entity)?;
        let mut plan = Plan::new(exporting.plan.catalog, actor, entity)?;
        let mut select = Select::new(&mut plan, &[], expand)?;
        let owner = select.extra(format!("r.{}", quoted(&part.fk)));
        let first = if entity.column("position").is_some() { "r.position, " } else { "" };
        let sql = format!(
            "select {} {} where r.organization_id = $1 and r.{} = any($2) and r.deleted_at is null order by {first}r.id",
            select.sql(),
            plan.from(),
            quoted(&part.fk)
        );
        let rows = tx.query(&sql, &[&actor.organization, &ids]).await?;
        parts.push((part.name.as_str(), group(&select, owner, &rows)));
    }
    Ok(parts)
}

/// A cell as text and whether it is a text, which could be taken for a formula.
struct Cell {
    text: String,
    free: bool,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell { text: text.to_owned(), free: true }
    }
}

/// What members are called, as far as this person may know, where a column names many.
async fn people(tx: &Tx, exporting: &Exporting<'_>) -> Result<People> {
    if !exporting.headings.iter().any(|h| h.kind == Kind::Users) {
        return Ok(People::new());
    }
    let ask = sql!("select m.id::text, m.name from iam.memberships m where m.organization_id = $1");
    let rows = tx.cached(ask, &[&tx.actor.organization]).await?;
    Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
}

type People = std::collections::HashMap<String, String>;

fn cell(row: &Row, heading: &Heading, people: &People) -> Cell {
    let mut json = Vec::new();
    kernel::write_json(&mut json, row, heading.at, heading.kind);
    let typed = heading.kind.is_number()
        || matches!(
            heading.kind,
            Kind::Date | Kind::Datetime | Kind::Boolean | Kind::Uuid | Kind::Relation | Kind::User
        );
    let text = match json.as_slice() {
        b"null" => String::new(),
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => String::from_utf8_lossy(inner).into_owned(),
        [b'"', ..] => serde_json::from_slice(&json).unwrap_or_default(),
        [b'{', ..] if heading.kind == Kind::Location => place(&json),
        [b'{', ..] if heading.kind == Kind::Address => {
            address(&serde_json::from_slice(&json).unwrap_or_default(), str::to_owned)
        }
        [b'[', ..] if heading.kind == Kind::Users => {
            let ids: Vec<String> = serde_json::from_slice(&json).unwrap_or_default();
            let names: Vec<&String> = ids.iter().map(|id| people.get(id).unwrap_or(id)).collect();
            listed(&serde_json::to_vec(&names).unwrap_or_default())
        }
        [b'[', ..] if matches!(heading.kind, Kind::Tags | Kind::Multiselect) => listed(&json),
        other => String::from_utf8_lossy(other).into_owned(),
    };
    Cell { text, free: !typed }
}

/// `43.238949, 76.889709, Almaty`, as it can be imported again.
fn place(json: &[u8]) -> String {
    let place: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    let label = place["label"].as_str().map(|l| format!(", {l}")).unwrap_or_default();
    format!("{}, {}{label}", place["lat"], place["lon"])
}

/// `a; b`, or JSON where a separator is part of a value.
fn listed(json: &[u8]) -> String {
    let items: Vec<String> = serde_json::from_slice(json).unwrap_or_default();
    let plain = items
        .iter()
        .all(|i| i.trim() == i && !i.is_empty() && !i.contains([';', ',', '"']) && !i.starts_with('['));
    if plain { items.join("; ") } else { String::from_utf8_lossy(json).into_owned() }
}

/// A line of texts.
pub(crate) fn plain_line(out: &mut Vec<u8>, cells: &[&str]) {
    csv_line(out, cells.iter().map(|text| Cell::from(*text)));
}

fn csv_line(out: &mut Vec<u8>, cells: impl Iterator<Item = Cell>) {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let text = if cell.free { neutral(&cell.text) } else { cell.text.as_str().into() };
        let plain = !text.contains([',', '"', '\n', '\r']) && !text.starts_with(' ') && !text.ends_with(' ');
        if plain {
            out.extend_from_slice(text.as_bytes());
        } else {
            out.push(b'"');
            out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A cell of a sheet, typed.
enum Typed {
    Empty,
    Text(String),
    Number(f64),
    Bool(bool),
    Date(ExcelDateTime),
    Instant(ExcelDateTime),
}

fn typed(row: &Row, heading: &Heading, zone: &TimeZone, people: &People) -> Typed {
    let Cell { text, .. } = cell(row, heading, people);
    if text.is_empty() {
        return Typed::Empty;
    }
    let shown = match heading.kind {
        // A double holds fifteen digits; what has more stays exact as text.
        k if k.is_number() && text.bytes().filter(u8::is_ascii_digit).count() <= 15 => {
            text.parse().ok().map(Typed::Number)
        }
        Kind::Boolean => Some(Typed::Bool(text == "true")),
        Kind::Date => ExcelDateTime::parse_from_str(&text).ok().map(Typed::Date),
        Kind::Datetime => {
            text.parse::<Timestamp>().ok().filter(|at| at.subsec_nanosecond() == 0).and_then(|at| {
                let local = at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S").to_string();
                ExcelDateTime::parse_from_str(&local).ok().map(Typed::Instant)
            })
        }
        _ => None,
    };
    shown.unwrap_or_else(|| Typed::Text(text.chars().take(CELL_CHARACTERS).collect()))
}

async fn sheet(
    tx: &Tx,
    actor: &Actor,
    exporting: &Exporting<'_>,
    file: &Arc<File>,
    written: &watch::Sender<Written>,
) -> Result<()> {
    let names: Vec<String> = exporting.headings.iter().map(|h| h.name.clone()).collect();
    let (rows, incoming) = mpsc::channel::<Vec<Vec<Typed>>>(2);
    let into = file.clone();
    let writer = tokio::task::spawn_blocking(move || write_sheet(names, incoming, &into));
    let people = people(tx, exporting).await?;
    let mut count = 1;
    loop {
        let page = page(tx, written).await?;
        if page.is_empty() {
            break;
        }
        count += u32::try_from(page.len()).unwrap_or(u32::MAX);
        if count > SHEET_ROWS {
            return Err(Error::refused("A sheet holds 1,048,575 records. Export as CSV, or filter."));
        }
        let cells = page
            .iter()
            .map(|row| exporting.headings.iter().map(|h| typed(row, h, &actor.zone, &people)).collect())
            .collect();
        if rows.send(cells).await.is_err() {
            break;
        }
    }
    drop(rows);
    let length = writer.await.map_err(|e| Error::broken(e.to_string()))??;
    written.send_modify(|w| w.bytes = length);
    Ok(())
}

fn write_sheet(
    names: Vec<String>,
    mut incoming: mpsc::Receiver<Vec<Vec<Typed>>>,
    file: &File,
) -> Result<u64> {
    let broken = |e: XlsxError| Error::Broken(Box::new(e));
    let mut book = Workbook::new();
    let dates = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    let instants = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    let bold = rust_xlsxwriter::Format::new().set_bold();
    let sheet = book.add_worksheet_with_constant_memory();
    sheet.set_freeze_panes(1, 0).map_err(broken)?;
    for (n, name) in names.iter().enumerate() {
        let column = u16::try_from(n).map_err(|_| Error::refused("A sheet has at most 16,384 columns."))?;
        sheet.write_string_with_format(0, column, name, &bold).map_err(broken)?;
    }
    let mut at = 1;
    while let Some(rows) = incoming.blocking_recv() {
        for row in rows {
            for (column, cell) in (0..).zip(row) {
                put(sheet, at, column, cell, &dates, &instants).map_err(broken)?;
            }
            at += 1;
        }
    }
    let mut into = BufWriter::new(file);
    book.save_to_writer(&mut into).map_err(broken)?;
    into.flush().map_err(full)?;
    let mut file = file;
    file.seek(SeekFrom::End(0)).map_err(full)
}

fn put(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Typed,
    dates: &rust_xlsxwriter::Format,
    instants: &rust_xlsxwriter::Format,
) -> Result<(), XlsxError> {
    match cell {
        Typed::Empty => return Ok(()),
        Typed::Text(text) => sheet.write_string(row, column, text)?,
        Typed::Number(n) => sheet.write_number(row, column, n)?,
        Typed::Bool(b) => sheet.write_boolean(row, column, b)?,
        Typed::Date(date) => sheet.write_datetime_with_format(row, column, &date, dates)?,
        Typed::Instant(at) => sheet.write_datetime_with_format(row, column, &at, instants)?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cells: &[(&str, bool)]) -> String {
        let mut out = Vec::new();
        csv_line(&mut out, cells.iter().map(|(text, free)| Cell { text: (*text).to_owned(), free: *free }));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_as_rfc_4180_wants_it_and_no_formula() {
        assert_eq!(
            line(&[("a,b", true), ("say \"x\"", true), ("", true), ("two\nlines", true)]),
            "\"a,b\",\"say \"\"x\"\"\",,\"two\nlines\"\r\n"
        );
        assert_eq!(
            line(&[("=1+1", true), ("-5", false), ("-5", true), ("+7", true), ("@x", true)]),
            "'=1+1,-5,'-5,'+7,'@x\r\n"
        );
    }

    #[test]
    fn lists_are_read_as_they_are_written() {
        for (json, text) in [("[\"a\",\"b c\"]", "a; b c"), ("[\"a;b\"]", "[\"a;b\"]"), ("[]", "")] {
            assert_eq!(listed(json.as_bytes()), text);
        }
    }

    #[tokio::test]
    async fn a_file_is_read_behind_its_writer() {
        use futures_util::StreamExt;
        let file = Arc::new(tempfile::tempfile().unwrap());
        let (written, reading) = watch::channel(Written { bytes: 0, end: None });
        let into = file.clone();
        tokio::spawn(async move {
            let mut at = 0;
            for n in 0..50_u8 {
                let bytes = vec![n; 10_000];
                into.write_all_at(&bytes, at).unwrap();
                at += 10_000;
                written.send_modify(|w| w.bytes = at);
                tokio::task::yield_now().await;
            }
            written.send_modify(|w| w.end = Some(None));
        });
        let mut all = Vec::new();
        let mut bytes = Box::pin(follow(file, reading));
        while let Some(chunk) = bytes.next().await {
            all.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!(all.len(), 500_000);
        assert!(all.chunks(10_000).enumerate().all(|(n, c)| c.iter().all(|b| usize::from(*b) == n)));
    }
}
