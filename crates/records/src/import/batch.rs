//! One batch of rows: read as values, relations looked up, known records found, the rest written with one statement
//! for each table. What the database refuses is halved until the row is known that it refuses.

use super::{
    cells,
    lookup::{Known, Mates, members},
    mapping::{Mapping, Slot, Source, Table, Target},
    read::{Cells, Row},
    sniff::Format,
};
use crate::{
    conditional,
    plan::{plain, quoted},
    value::{Text, json_of, text_of},
    write::read_value,
};
use jiff::tz::TimeZone;
use kernel::{Column, Entity, Error, Result, Tx, When};
use serde_json::{Map, Value, json};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const MOST_PARTS: usize = 5_000;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    pub(crate) row: u64,
    pub(crate) field: Option<String>,
    pub(crate) message: String,
    pub(crate) value: Option<String>,
}

impl Problem {
    pub(crate) fn at(field: &str, message: impl Into<String>, value: Option<&str>) -> Problem {
        let value = value.map(|v| v.chars().take(100).collect());
        Problem { row: 0, field: Some(field.to_owned()), message: message.into(), value }
    }

    pub(crate) fn to_value(&self) -> Value {
        json!({ "row": self.row, "field": self.field, "message": self.message, "value": self.value })
    }
}

/// One record of one table on its way in.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) id: Uuid,
    /// One for each slot of the table; of a relation its key, later its id.
    pub(crate) texts: Vec<Text>,
    pub(crate) custom: Map<String, Value>,
    pub(crate) faults: Vec<Problem>,
}

/// A row: a record with its parts.
#[derive(Debug)]
struct Doc {
    row: u64,
    head: Line,
    parts: Vec<Vec<Line>>,
    /// The record that is there already.
    known: Option<Uuid>,
}

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) failed: u64,
    pub(crate) problems: Vec<Problem>,
    /// For [`Memory`], once the batch is done with.
    fresh: Vec<u64>,
    mates: Vec<(String, String)>,
}

impl Memory {
    pub(crate) fn keep(&mut self, outcome: Outcome) {
        self.seen.extend(outcome.fresh);
        self.mates.extend(outcome.mates.into_iter().map(|key| (key, None)));
    }
}

/// What all batches of an import share.
pub(crate) struct Work<'a> {
    pub(crate) mapping: Mapping<'a>,
    pub(crate) format: Format,
    pub(crate) zone: TimeZone,
    /// Exact types of numeric columns, so that 4.50 and 4.5 are the same.
    pub(crate) exact: HashMap<String, String>,
    pub(crate) dry: bool,
}

/// What later batches need to know of earlier ones.
#[derive(Default)]
pub(crate) struct Memory {
    known: Known,
    /// Of a dry run, which takes back what it writes: hashes of unique values that came, and records by their keys.
    seen: HashSet<u64>,
    mates: Mates,
}

enum Raw<'r> {
    Nothing,
    Text(Cow<'r, str>),
    Json(&'r Value),
    /// Not the file says so but the mapping.
    Meant(&'r Value),
}

impl Slot<'_> {
    fn raw<'r>(&'r self, cells: &'r Cells, n: usize, format: Format) -> Raw<'r> {
        if let Some(constant) = &self.constant {
            return Raw::Meant(constant);
        }
        let raw = match (&self.source, cells) {
            (Source::Cell(at), Cells::Flat(cells)) => {
                let text = cells.get(*at).map_or("", String::as_str);
                Raw::Text(Cow::Borrowed(if format == Format::Csv { cells::meant(text) } else { text }))
            }
            (Source::Key(path), Cells::Object(map)) => match Cells::at(map, path) {
                Some(Value::String(text)) => Raw::Text(Cow::Borrowed(text)),
                Some(value) if !value.is_null() => Raw::Json(value),
                _ => Raw::Nothing,
            },
            (Source::Place, _) => Raw::Text(Cow::Owned((n + 1).to_string())),
            _ => Raw::Nothing,
        };
        let raw = match raw {
            Raw::Text(text) if text.is_empty() => Raw::Nothing,
            raw => raw,
        };
        if !self.values.is_empty() {
            let said = match &raw {
                Raw::Text(text) => text.trim().to_owned(),
                Raw::Json(value) | Raw::Meant(value) => value.to_string(),
                Raw::Nothing => String::new(),
            };
            let any = || self.values.get("*").filter(|_| !said.is_empty());
            if let Some(meant) = self.values.get(&said).or_else(any) {
                return if meant.is_null() { Raw::Nothing } else { Raw::Meant(meant) };
            }
        }
        match (&raw, &self.default) {
            (Raw::Nothing, Some(default)) => Raw::Meant(default),
            _ => raw,
        }
    }

    /// The slot's value, put into the line.
    fn fill(&self, line: &mut Line, at: usize, cells: &Cells, n: usize, work: &Work<'_>) {
        if let Err(message) = self.put(line, at, self.raw(cells, n, work.format), work) {
            let shown = match self.raw(cells, n, work.format) {
                Raw::Nothing => None,
                Raw::Text(text) => Some(text.into_owned()),
                Raw::Json(value) | Raw::Meant(value) => {
                    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                }
            };
            line.faults.push(Problem::at(&self.name(), message, shown.as_deref()));
        }
    }

    fn put(&self, line: &mut Line, at: usize, raw: Raw<'_>, work: &Work<'_>) -> Result<(), String> {
        match &self.target {
            Target::Id | Target::Relation { .. } => {
                let text = match raw {
                    Raw::Nothing => return Ok(()),
                    Raw::Text(text) => text.trim().to_owned(),
                    Raw::Json(value) | Raw::Meant(value) => match value {
                        Value::String(text) => text.trim().to_owned(),
                        Value::Number(n) => n.to_string(),
                        Value::Object(map) => map
                            .get("id")
                            .and_then(Value::as_str)
                            .ok_or("This is the id of a record.")?
                            .to_owned(),
                        _ => return Err("This is the id of a record.".into()),
                    },
                };
                if matches!(self.target, Target::Id) {
                    line.id = text.parse().map_err(|_| "This is not an id.")?;
                }
                line.texts[at] = Some(text).filter(|t| !t.is_empty());
            }
            Target::Column(column) => {
                let value = self.value(column.kind, raw, work, || {
                    column.options.iter().map(|o| (o.as_str(), o.as_str()))
                })?;
                line.texts[at] = text_of(column, &value)?;
            }
            Target::Custom(field) => {
                let value = self.value(field.kind, raw, work, || field.named())?;
                // Whom it means is looked up with the relations.
                let meant = matches!(field.kind, kernel::Kind::User | kernel::Kind::Users);
                let value = if meant { value } else { json_of(field, &value)? };
                if field.kind == kernel::Kind::Signature && !value.is_null() {
                    return Err("A signature is given on the record, not imported.".into());
                }
                if field.kind == kernel::Kind::File && !value.is_null() {
                    return Err("Files are sent to the record, not imported.".into());
                }
                line.custom.insert(field.name.clone(), value);
            }
        }
        Ok(())
    }

    fn value<'o, I: Iterator<Item = (&'o str, &'o str)>>(
        &self,
        kind: kernel::Kind,
        raw: Raw<'_>,
        work: &Work<'_>,
        options: impl Fn() -> I,
    ) -> Result<Value, String> {
        let mut value = match raw {
            Raw::Nothing => return Ok(Value::Null),
            Raw::Meant(value) => return Ok(value.clone()),
            Raw::Text(text) => cells::read(kind, &text, self.style, &work.zone, options())?,
            Raw::Json(value) => value.clone(),
        };
        if let Some(scale) = self.scale {
            let number = match &value {
                Value::String(text) => text.clone(),
                Value::Number(n) => n.to_string(),
                _ => return Ok(value),
            };
            value = Value::String(cells::scaled(&number, scale)?);
        }
        Ok(value)
    }

    fn is_given(&self, cells: &Cells, format: Format) -> bool {
        self.constant.is_none()
            && !matches!(self.source, Source::Place)
            && !matches!(self.raw(cells, 0, format), Raw::Nothing)
    }
}

impl Table<'_> {
    fn line(&self, cells: &Cells, n: usize, work: &Work<'_>) -> Line {
        let mut line = Line { id: Uuid::now_v7(), texts: vec![None; self.slots.len()], ..Line::default() };
        for (at, slot) in self.slots.iter().enumerate() {
            slot.fill(&mut line, at, cells, n, work);
        }
        line
    }

    fn columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.slots.iter().enumerate().filter_map(|(at, slot)| Some((at, slot.target.column()?)))
    }

    fn has_custom(&self) -> bool {
        let own = |t: &Target<'_>| !matches!(t, Target::Id) && t.column().is_none();
        self.slots.iter().any(|s| own(&s.target))
    }

    /// What a new record must have.
    fn check_required(&self, line: &mut Line, nested: bool, overlay: &[kernel::CustomField]) {
        let entity = self.entity;
        for column in entity.columns.iter().filter(|c| c.required) {
            let owner = entity.fk.as_ref() == Some(&column.name);
            if !column.writable() && !owner || owner && nested {
                continue;
            }
            let at = self.slots.iter().position(|s| s.target.column().is_some_and(|c| c.name == column.name));
            let given = at.is_some_and(|at| line.texts[at].is_some());
            if !given && !line.faults.iter().any(|f| f.field.as_deref() == Some(&column.name)) {
                line.faults.push(Problem::at(&column.name, "This is required.", None));
            }
        }
        for field in overlay.iter().filter(|f| f.is_always_required()) {
            if line.custom.get(&field.name).is_none_or(Value::is_null) {
                line.faults.push(Problem::at(&format!("cf.{}", field.name), "This is required.", None));
            }
        }
    }

    /// One statement for all lines. `$1` is the organization, `$2` the ids, then the owners, then texts.
    fn insert_sql(&self, fk: Option<&str>) -> String {
        let mut names = vec!["organization_id".to_owned(), "id".to_owned()];
        let mut values = vec!["$1".to_owned(), "r.id".to_owned()];
        let mut arrays = vec!["$2::uuid[]".to_owned()];
        let mut places = vec!["id".to_owned()];
        if self.entity.own {
            names.push("entity".to_owned());
            values.push(format!("'{}'", self.entity.name));
        }
        let mut add = |name: String, kind: &str, value: &dyn Fn(&str) -> String| {
            let place = format!("c{}", places.len());
            arrays.push(format!("${}::{kind}[]", arrays.len() + 2));
            names.push(name);
            values.push(value(&format!("r.{place}")));
            places.push(place);
        };
        if let Some(fk) = fk {
            add(quoted(fk), "uuid", &str::to_owned);
        }
        for (_, column) in self.columns() {
            let sql_type = &column.sql_type;
            add(quoted(&column.name), "text", &|cell| match &column.default {
                // What is empty in the file is what it is when nobody says anything.
                Some(default) if column.not_null => format!("coalesce({cell}::{sql_type}, {default})"),
                _ => format!("{cell}::{sql_type}"),
            });
        }
        if self.has_custom() {
            add("custom".into(), "text", &|cell| {
                format!("jsonb_strip_nulls(coalesce({cell}::jsonb, '{{}}'))")
            });
        }
        format!(
            "insert into {} ({}) select {} from unnest({}) with ordinality r({}, n) order by r.n",
            self.entity.table(),
            names.join(", "),
            values.join(", "),
            arrays.join(", "),
            places.join(", ")
        )
    }

    /// Changes what differs, answers whom. Empty when no column of the mapping can change a record that is there.
    fn update_sql(&self, key: &[usize], exact: &HashMap<String, String>) -> String {
        let mut arrays = vec!["$2::uuid[]".to_owned()];
        let (mut inner, mut sets, mut differs) = (vec!["u.id".to_owned()], Vec::new(), Vec::new());
        for (_, column) in self.changing(key) {
            arrays.push(format!("${}::text[]", arrays.len() + 2));
            let (n, name) = (arrays.len() - 1, quoted(&column.name));
            inner.push(format!("u.c{n}::{} as c{n}", exact.get(&column.name).unwrap_or(&column.sql_type)));
            let value =
                if column.not_null { format!("coalesce(r.c{n}, t.{name})") } else { format!("r.c{n}") };
            sets.push(format!("{name} = {value}"));
            differs.push(format!("t.{name} is distinct from {value}"));
        }
        if self.has_custom() {
            arrays.push(format!("${}::text[]", arrays.len() + 2));
            let n = arrays.len() - 1;
            inner.push(format!("coalesce(u.c{n}::jsonb, '{{}}') as c{n}"));
            sets.push(format!("custom = jsonb_strip_nulls(t.custom || r.c{n})"));
            differs.push(format!("t.custom is distinct from jsonb_strip_nulls(t.custom || r.c{n})"));
        }
        if sets.is_empty() {
            return String::new();
        }
        let places: Vec<String> = (1..arrays.len()).map(|n| format!(", c{n}")).collect();
        format!(
            "update {} t set {} from (select {} from unnest({}) u(id{})) r where t.organization_id = $1 and t.id = r.id{} and ({}) returning t.id",
            self.entity.table(),
            sets.join(", "),
            inner.join(", "),
            arrays.join(", "),
            places.concat(),
            self.entity.only("t."),
            differs.join(" or ")
        )
    }

    /// The columns that an update may touch: not the key, not the record that a part belongs to.
    fn changing(&self, key: &[usize]) -> impl Iterator<Item = (usize, &Column)> {
        self.columns().filter(|(at, c)| !key.contains(at) && self.entity.fk.as_ref() != Some(&c.name))
    }
}

/// Texts of many lines, column by column.
struct Arrays<'l> {
    organization: Uuid,
    ids: Vec<Uuid>,
    owners: Option<Vec<Uuid>>,
    texts: Vec<Vec<Option<&'l str>>>,
    custom: Option<Vec<Option<String>>>,
}

impl<'l> Arrays<'l> {
    fn new(
        organization: Uuid,
        ids: Vec<Uuid>,
        owners: Option<Vec<Uuid>>,
        lines: &[&'l Line],
        columns: impl Iterator<Item = usize>,
        custom: bool,
    ) -> Arrays<'l> {
        let texts = columns.map(|at| lines.iter().map(|l| l.texts[at].as_deref()).collect()).collect();
        let json = |line: &&Line| {
            let map: Map<String, Value> = line.custom.clone();
            (!map.is_empty()).then(|| Value::Object(map).to_string())
        };
        Arrays { organization, ids, owners, texts, custom: custom.then(|| lines.iter().map(json).collect()) }
    }

    fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&self.organization, &self.ids];
        values.extend(self.owners.iter().map(|o| o as &(dyn ToSql + Sync)));
        values.extend(self.texts.iter().map(|t| t as &(dyn ToSql + Sync)));
        values.extend(self.custom.iter().map(|c| c as &(dyn ToSql + Sync)));
        values
    }
}

impl<'a> Work<'a> {
    fn entity(&self) -> &'a Entity {
        self.mapping.head.entity
    }

    fn doc(&self, row: &Row) -> Doc {
        let head = self.mapping.head.line(&row.cells, 0, self);
        let mut doc = Doc { row: row.number, head, parts: Vec::new(), known: None };
        if let Some(fault) = &row.fault {
            doc.head.faults.push(Problem { row: 0, field: None, message: fault.clone(), value: None });
        }
        for (part, table) in &self.mapping.parts {
            let mut lines = Vec::new();
            match &row.cells {
                Cells::Flat(_) => {
                    if table.slots.iter().any(|s| s.is_given(&row.cells, self.format)) {
                        lines.push(table.line(&row.cells, 0, self));
                    }
                }
                Cells::Object(map) => match map.get(table.list.as_ref().unwrap_or(&part.name)) {
                    None | Some(Value::Null) => {}
                    Some(Value::Array(items)) if items.len() <= MOST_PARTS => {
                        for (n, item) in items.iter().enumerate() {
                            match item {
                                Value::Object(map) => {
                                    lines.push(table.line(&Cells::Object(map.clone()), n, self))
                                }
                                _ => doc.head.faults.push(Problem::at(
                                    &format!("{}.{n}", part.name),
                                    "This is an object.",
                                    None,
                                )),
                            }
                        }
                    }
                    Some(_) => doc.head.faults.push(Problem::at(
                        &part.name,
                        format!("This is a list of at most {MOST_PARTS}."),
                        None,
                    )),
                },
            }
            doc.parts.push(lines);
        }
        doc
    }

    /// What a row's key says, before anything is looked up; `None` without a key.
    pub(crate) fn key(&self, row: &Row) -> Option<Vec<Text>> {
        if self.mapping.key.is_empty() {
            return None;
        }
        let slots = &self.mapping.head.slots;
        let mut line = Line { texts: vec![None; slots.len()], ..Line::default() };
        let mut key = Vec::new();
        for at in &self.mapping.key {
            slots[*at].fill(&mut line, *at, &row.cells, 0, self);
            key.push(line.texts[*at].take());
        }
        key.iter().all(Option::is_some).then_some(key)
    }

    /// Writes a batch, or only tries to.
    pub(crate) async fn write(&self, tx: &Tx, rows: &[Row], memory: &mut Memory) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        tx.batch_execute("set local app.importing = 'yes'").await?;
        let mut docs: Vec<Doc> = rows.iter().map(|row| self.doc(row)).collect();
        outcome.mates = self.relate(tx, &mut docs, memory).await?;
        self.find(tx, &mut docs).await?;
        let may_create = tx.actor.access.may(self.entity(), "create");
        for doc in docs.iter_mut().filter(|d| d.known.is_none()) {
            if !may_create {
                doc.head.faults.push(Problem {
                    row: 0,
                    field: None,
                    message: format!("You may not create {}.", plain(self.entity().short())),
                    value: None,
                });
            }
            self.mapping.head.check_required(&mut doc.head, false, tx.actor.overlay.of(&self.entity().name));
            for ((_, table), lines) in self.mapping.parts.iter().zip(&mut doc.parts) {
                for line in lines {
                    table.check_required(line, true, tx.actor.overlay.of(&table.entity.name));
                }
            }
        }
        let again = if self.dry { self.remember(&mut docs, memory, &mut outcome.fresh) } else { 0 };
        let mut good = Vec::new();
        for mut doc in docs {
            let mut problems = std::mem::take(&mut doc.head.faults);
            for ((part, _), lines) in self.mapping.parts.iter().zip(&mut doc.parts) {
                for (n, line) in lines.iter_mut().enumerate() {
                    for mut fault in line.faults.drain(..) {
                        fault.field = fault.field.map(|f| format!("{}.{n}.{f}", part.name));
                        problems.push(fault);
                    }
                }
            }
            if problems.is_empty() {
                good.push(doc);
            } else {
                outcome.failed += 1;
                outcome.problems.extend(problems.into_iter().map(|p| Problem { row: doc.row, ..p }));
            }
        }
        let (known, new): (Vec<Doc>, Vec<Doc>) = good.into_iter().partition(|d| d.known.is_some());
        if self.dry {
            tx.batch_execute("savepoint dry").await?;
        }
        outcome.created = self.pieces(tx, &new, false, &mut outcome).await?;
        outcome.updated = self.pieces(tx, &known, true, &mut outcome).await?;
        let again = again.min(outcome.created);
        outcome.created -= again;
        outcome.updated += again;
        if self.dry {
            tx.batch_execute("rollback to savepoint dry").await?;
        }
        outcome.problems.sort_by_key(|p| p.row);
        Ok(outcome)
    }

    /// Looks up relations; answers the keys by which a later batch of a dry run may name these records.
    async fn relate(&self, tx: &Tx, docs: &mut [Doc], memory: &mut Memory) -> Result<Vec<(String, String)>> {
        let of = &self.entity().name;
        let slots = &self.mapping.head.slots;
        let own = slots.iter().any(|s| matches!(&s.target, Target::Relation { to, .. } if to.name == *of));
        let (mut mates, mut keys) = (Mates::new(), Vec::new());
        if own {
            for doc in docs.iter() {
                for (at, column) in self.mapping.head.columns().filter(|(_, c)| c.target.is_none()) {
                    if let Some(text) = &doc.head.texts[at] {
                        let key = (column.name.clone(), text.clone());
                        if self.dry {
                            keys.push(key.clone());
                        }
                        mates.insert(key, Some(doc.head.id));
                    }
                }
            }
            for (key, mate) in &memory.mates {
                mates.entry(key.clone()).or_insert(*mate);
            }
        }
        let mut heads: Vec<&mut Line> = docs.iter_mut().map(|d| &mut d.head).collect();
        memory.known.resolve(tx, slots, &mut heads, &mates, of).await?;
        members(tx, slots, &mut heads).await?;
        for (n, (_, table)) in self.mapping.parts.iter().enumerate() {
            let mut lines: Vec<&mut Line> = docs.iter_mut().flat_map(|d| &mut d.parts[n]).collect();
            memory.known.resolve(tx, &table.slots, &mut lines, &Mates::new(), "").await?;
            members(tx, &table.slots, &mut lines).await?;
        }
        Ok(keys)
    }

    /// Finds the records that are there already, and locks them for the change.
    async fn find(&self, tx: &Tx, docs: &mut [Doc]) -> Result<()> {
        if self.mapping.key.is_empty() {
            return Ok(());
        }
        let entity = self.entity();
        let (mut arrays, mut places, mut equal) = (Vec::new(), Vec::new(), Vec::new());
        let mut texts: Vec<Vec<Option<String>>> = Vec::new();
        for at in &self.mapping.key {
            let slot = &self.mapping.head.slots[*at];
            let (name, sql_type) =
                slot.target.column().map_or(("id", "uuid"), |c| (c.name.as_str(), c.sql_type.as_str()));
            let n = arrays.len();
            arrays.push(format!("${}::text[]", n + 2));
            places.push(format!("k{n}"));
            equal.push(format!("t.{} = k.k{n}::{sql_type}", quoted(name)));
            texts.push(docs.iter().map(|d| d.head.texts[*at].clone()).collect());
        }
        let sql = format!(
            "select k.n, t.id from unnest({}) with ordinality k({}, n) join {} t on t.organization_id = $1 and {} and t.deleted_at is null",
            arrays.join(", "),
            places.join(", "),
            entity.rows(),
            equal.join(" and ")
        );
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&tx.actor.organization];
        values.extend(texts.iter().map(|t| t as &(dyn ToSql + Sync)));
        let mut ids = Vec::new();
        for row in tx.cached(&sql, &values).await? {
            let n = usize::try_from(row.get::<_, i64>(0)).unwrap_or(0);
            let Some(doc) = docs.get_mut(n.wrapping_sub(1)) else { continue };
            let id: Uuid = row.get(1);
            if doc.known.replace(id).is_some() {
                let name = self.mapping.head.slots[self.mapping.key[0]].name();
                doc.head.faults.push(Problem::at(&name, "More than one record has this key.", None));
            }
            ids.push(id);
        }
        if ids.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "select id from {} r where organization_id = $1 and id = any($2) order by id for no key update",
            entity.rows()
        );
        let rows = tx.cached(&sql, &[&tx.actor.organization, &ids]).await?;
        let mine: HashSet<Uuid> = rows.iter().map(|r| r.get(0)).collect();
        for doc in docs {
            if doc.known.is_some_and(|id| !mine.contains(&id)) {
                let message = format!("You may not change this one of the {}.", plain(entity.short()));
                doc.head.faults.push(Problem { row: 0, field: None, message, value: None });
            }
        }
        Ok(())
    }

    /// In a dry run the database forgets each batch, so values that may come only once are remembered here. Answers how
    /// many of the rows are about a record that an earlier row would have made.
    fn remember(&self, docs: &mut [Doc], memory: &Memory, fresh: &mut Vec<u64>) -> u64 {
        let hash = |n: usize, texts: &[&Text]| {
            let mut hasher = DefaultHasher::new();
            (n, texts).hash(&mut hasher);
            hasher.finish()
        };
        let slots = &self.mapping.head.slots;
        let keys: Vec<&str> = self.entity().keys().collect();
        let once: Vec<usize> = slots
            .iter()
            .enumerate()
            .filter(|(at, s)| {
                !self.mapping.key.contains(at)
                    && s.target.column().is_some_and(|c| keys.contains(&c.name.as_str()))
            })
            .map(|(at, _)| at)
            .collect();
        let mut again = 0;
        for doc in docs.iter_mut() {
            for at in &once {
                let text = &doc.head.texts[*at];
                if text.is_some() && doc.known.is_none() {
                    let hash = hash(*at, &[text]);
                    if memory.seen.contains(&hash) {
                        doc.head.faults.push(Problem::at(
                            &slots[*at].name(),
                            "An earlier row of the file has this already.",
                            text.as_deref(),
                        ));
                    }
                    fresh.push(hash);
                }
            }
            let key: Vec<&Text> = self.mapping.key.iter().map(|at| &doc.head.texts[*at]).collect();
            if !key.is_empty()
                && key.iter().all(|k| k.is_some())
                && doc.known.is_none()
                && doc.head.faults.is_empty()
            {
                let hash = hash(usize::MAX, &key);
                again += u64::from(memory.seen.contains(&hash));
                fresh.push(hash);
            }
        }
        again
    }

    /// Writes as many rows at once as the database takes.
    async fn pieces(&self, tx: &Tx, docs: &[Doc], known: bool, outcome: &mut Outcome) -> Result<u64> {
        let mut written = 0;
        let mut pieces = if docs.is_empty() { Vec::new() } else { vec![(0, docs.len())] };
        while let Some((from, to)) = pieces.pop() {
            tx.batch_execute("savepoint piece").await?;
            let piece = &docs[from..to];
            let done = if known { self.update(tx, piece).await } else { self.insert(tx, piece).await };
            let error = match done {
                Ok(count) => {
                    tx.batch_execute("release savepoint piece").await?;
                    written += count;
                    if known {
                        outcome.unchanged += (to - from) as u64 - count;
                    }
                    continue;
                }
                Err(e) if e.is_passing() => return Err(e),
                Err(e) => e,
            };
            tx.batch_execute("rollback to savepoint piece; release savepoint piece").await?;
            let explained = error.explain(&tx.catalog);
            if let Error::Unavailable(_) | Error::NotFound | Error::Stale = explained {
                return Err(explained);
            }
            if to - from > 1 {
                let middle = from + (to - from) / 2;
                pieces.extend([(middle, to), (from, middle)]);
                continue;
            }
            let row = docs[from].row;
            outcome.failed += 1;
            outcome.problems.extend(match explained {
                Error::Refused(faults) | Error::Malformed(faults) => faults
                    .into_iter()
                    .map(|f| Problem { row, field: f.field, message: f.message, value: None })
                    .collect::<Vec<_>>(),
                Error::Broken(e) => {
                    tracing::error!(error = ?e, entity = self.entity().name, "a row of an import broke");
                    vec![Problem {
                        row,
                        field: None,
                        message: "Something went wrong with this row.".into(),
                        value: None,
                    }]
                }
                e => vec![Problem { row, field: None, message: e.to_string(), value: None }],
            });
        }
        Ok(written)
    }

    async fn insert(&self, tx: &Tx, docs: &[Doc]) -> Result<u64> {
        let organization = tx.actor.organization;
        let table = &self.mapping.head;
        let heads: Vec<&Line> = docs.iter().map(|d| &d.head).collect();
        let ids = heads.iter().map(|l| l.id).collect();
        let arrays = Arrays::new(
            organization,
            ids,
            None,
            &heads,
            table.columns().map(|(at, _)| at),
            table.has_custom(),
        );
        tx.change(&table.insert_sql(None), &arrays.values()).await?;
        let made = |l: &&Line| conditional::Row { id: l.id, touched: None, path: None };
        conditional::keep(tx, self.entity(), &heads.iter().map(made).collect::<Vec<_>>()).await?;
        for (n, (part, table)) in self.mapping.parts.iter().enumerate() {
            let lines: Vec<(&Uuid, &Line)> =
                docs.iter().flat_map(|d| d.parts[n].iter().map(|l| (&d.head.id, l))).collect();
            if lines.is_empty() {
                continue;
            }
            let owners = lines.iter().map(|(owner, _)| **owner).collect();
            let own: Vec<&Line> = lines.iter().map(|(_, line)| *line).collect();
            let ids = own.iter().map(|l| l.id).collect();
            let arrays = Arrays::new(
                organization,
                ids,
                Some(owners),
                &own,
                table.columns().map(|(at, _)| at),
                table.has_custom(),
            );
            let done = tx.change(&table.insert_sql(Some(&part.fk)), &arrays.values()).await;
            done.map_err(|e| if e.is_passing() { e } else { e.explain(&tx.catalog).under(&part.name) })?;
            let rows: Vec<_> = own.iter().map(made).collect();
            let kept = conditional::keep(tx, tx.catalog.entity(&part.entity)?, &rows).await;
            kept.map_err(|e| e.under(&part.name))?;
        }
        self.rules(tx, "create", heads.iter().map(|l| l.id)).await?;
        Ok(docs.len() as u64)
    }

    async fn update(&self, tx: &Tx, docs: &[Doc]) -> Result<u64> {
        let table = &self.mapping.head;
        let sql = table.update_sql(&self.mapping.key, &self.exact);
        if sql.is_empty() {
            return Ok(0);
        }
        let lines: Vec<&Line> = docs.iter().map(|d| &d.head).collect();
        let ids = docs.iter().filter_map(|d| d.known).collect();
        let columns = table.changing(&self.mapping.key).map(|(at, _)| at);
        let arrays = Arrays::new(tx.actor.organization, ids, None, &lines, columns, table.has_custom());
        let changed: Vec<Uuid> = tx.cached(&sql, &arrays.values()).await?.iter().map(|r| r.get(0)).collect();
        let touched: Vec<String> = table.slots.iter().map(Slot::name).collect();
        let known = |id: &Uuid| conditional::Row { id: *id, touched: Some(&touched), path: None };
        conditional::keep(tx, self.entity(), &changed.iter().map(known).collect::<Vec<_>>()).await?;
        self.rules(tx, "update", changed.iter().copied()).await?;
        Ok(changed.len() as u64)
    }

    async fn rules(&self, tx: &Tx, action: &str, ids: impl Iterator<Item = Uuid>) -> Result<()> {
        let entity = self.entity();
        let has = |when| kernel::rules(tx.modules(), &entity.name, action).any(|r| r.when == when);
        let whens: Vec<When> = [When::Before, When::After].into_iter().filter(|w| has(*w)).collect();
        if whens.is_empty() {
            return Ok(());
        }
        for id in ids {
            for when in &whens {
                let record = read_value(tx, entity, id, false).await?;
                tx.rules(*when, &entity.name, action, &record).await?;
            }
        }
        Ok(())
    }
}
