//! Rows out of a file, one after the other; never the whole file.

use super::{
    cells::{Evidence, Style},
    sniff::{Bounded, Decoding, Format, Manner, RowDone, open},
    xlsx,
};
use kernel::{Error, Result};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    fmt,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

/// A batch is so many rows, or so many bytes if that is less.
pub(crate) const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 4 << 20;
const MOST_COLUMNS: usize = 1_000;
const SAMPLES: usize = 3;
/// Rows that are looked at to learn how numbers and dates are written.
const LEARNT_FROM: u64 = 10_000;

/// One record as the file has it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// As a spreadsheet numbers it; of JSON, the element's number.
    pub(crate) number: u64,
    pub(crate) cells: Cells,
    /// What is wrong with the row as a whole.
    pub(crate) fault: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Cells {
    Flat(Vec<String>),
    Object(Map<String, Value>),
}

enum Item {
    Header(Vec<String>),
    Row(Row),
}

/// Takes items until it has seen enough.
type Sink<'a> = &'a mut dyn FnMut(Item) -> Result<bool>;

fn unread(e: impl fmt::Display) -> Error {
    Error::malformed(format!("The file cannot be read: {e}."))
}

fn visit(path: &Path, manner: &Manner, sink: Sink<'_>) -> Result<()> {
    match manner.format {
        Format::Csv => visit_csv(path, manner, sink),
        Format::Json => visit_json(path, manner, sink),
        Format::Xlsx => visit_xlsx(path, sink),
    }
}

fn visit_csv(path: &Path, manner: &Manner, sink: Sink<'_>) -> Result<()> {
    let (bounded, done) = Bounded::new(open(path)?);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(manner.delimiter).unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .from_reader(Decoding::new(bounded, &manner.encoding));
    let mut width = None;
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    while reader.read_record(&mut record).map_err(unread)? {
        done.tell();
        number += 1;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let cells: Vec<String> = record.iter().map(str::to_owned).collect();
        let more = match width {
            None => {
                let names = header(cells)?;
                width = Some(names.len());
                sink(Item::Header(names))?
            }
            Some(width) => {
                let excess = cells.iter().skip(width).any(|c| !c.is_empty());
                let fault = excess.then(|| "This row has more cells than there are columns.".to_owned());
                sink(Item::Row(Row { number, cells: Cells::Flat(cells), fault }))?
            }
        };
        if !more {
            return Ok(());
        }
    }
    Ok(())
}

fn visit_xlsx(path: &Path, sink: Sink<'_>) -> Result<()> {
    let mut rows = xlsx::Rows::open(path)?;
    let mut width = None;
    while let Some((at, cells)) = rows.next()? {
        let most = cells.iter().map(|(column, _)| column + 1).max().unwrap_or(0);
        let mut flat = vec![String::new(); most.max(width.unwrap_or(0))];
        for (column, text) in cells {
            if let Some(cell) = flat.get_mut(column) {
                *cell = text;
            }
        }
        let more = match width {
            None => {
                let names = header(flat)?;
                width = Some(names.len());
                sink(Item::Header(names))?
            }
            Some(width) => {
                let fault = (flat.len() > width)
                    .then(|| "This row has more cells than there are columns.".to_owned());
                sink(Item::Row(Row { number: at + 1, cells: Cells::Flat(flat), fault }))?
            }
        };
        if !more {
            return Ok(());
        }
    }
    Ok(())
}

/// Names of columns: trimmed, none empty, none twice.
fn header(cells: Vec<String>) -> Result<Vec<String>> {
    if cells.len() > MOST_COLUMNS {
        return Err(Error::malformed("A file has at most 1,000 columns."));
    }
    let mut names: Vec<String> = Vec::new();
    for (n, cell) in cells.iter().enumerate() {
        let name = match cell.trim() {
            "" => format!("Column {}", n + 1),
            name => name.chars().take(200).collect(),
        };
        let mut unique = name.clone();
        let mut again = 1;
        while names.contains(&unique) {
            again += 1;
            unique = format!("{name} ({again})");
        }
        names.push(unique);
    }
    Ok(names)
}

fn visit_json(path: &Path, manner: &Manner, sink: Sink<'_>) -> Result<()> {
    let (bounded, done) = Bounded::new(open(path)?);
    let mut reader = BufReader::with_capacity(64 << 10, Decoding::new(bounded, &manner.encoding));
    let first = loop {
        let buffer = reader.fill_buf().map_err(unread)?;
        match buffer.iter().position(|b| !b.is_ascii_whitespace()) {
            Some(at) => break buffer[at],
            None if buffer.is_empty() => return Ok(()),
            None => {
                let length = buffer.len();
                reader.consume(length);
            }
        }
    };
    let mut number = 0;
    let mut each = |value: Value| {
        number += 1;
        let (cells, fault) = match value {
            Value::Object(map) => (map, None),
            _ => (Map::new(), Some("This is an object.".to_owned())),
        };
        sink(Item::Row(Row { number, cells: Cells::Object(cells), fault }))
    };
    let mut json = serde_json::Deserializer::from_reader(reader);
    if first != b'[' {
        for value in json.into_iter::<Value>() {
            done.tell();
            if !each(value.map_err(unread)?)? {
                break;
            }
        }
        return Ok(());
    }
    let mut stopped = None;
    let read = Elements { each: &mut each, done, stopped: &mut stopped }.deserialize(&mut json);
    match stopped {
        Some(stopped) => stopped,
        None => read.and_then(|()| json.end()).map_err(unread),
    }
}

/// The elements of an array, given on one by one.
struct Elements<'a> {
    each: &'a mut dyn FnMut(Value) -> Result<bool>,
    done: RowDone,
    stopped: &'a mut Option<Result<()>>,
}

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(value) = seq.next_element::<Value>()? {
            self.done.tell();
            let more = (self.each)(value);
            if !matches!(more, Ok(true)) {
                *self.stopped = Some(more.map(drop));
                return Err(serde::de::Error::custom("enough"));
            }
        }
        Ok(())
    }
}

impl Cells {
    /// The value under a path of an object: the key as it stands, else step by step.
    pub(crate) fn at<'a>(map: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
        map.get(path).or_else(|| {
            let (first, rest) = path.split_once('.')?;
            Cells::at(map.get(first)?.as_object()?, rest)
        })
    }

    /// A cell as the file says it, by its place or, in JSON, its key.
    pub(crate) fn text(&self, place: usize, key: &str) -> String {
        match self {
            Cells::Flat(cells) => cells.get(place).cloned().unwrap_or_default(),
            Cells::Object(map) => match Cells::at(map, key) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            },
        }
    }

    fn size(&self) -> usize {
        match self {
            Cells::Flat(cells) => cells.iter().map(|c| c.len() + 24).sum(),
            Cells::Object(map) => map.values().map(|v| size(v) + 64).sum(),
        }
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(s) => s.len(),
        Value::Array(items) => items.iter().map(|v| size(v) + 32).sum(),
        Value::Object(map) => map.values().map(|v| size(v) + 64).sum(),
        _ => 8,
    }
}

/// What a file has: its columns with examples, how many rows.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: u64,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) sample: Vec<String>,
    pub(crate) evidence: Evidence,
}

impl Column {
    pub(crate) fn to_value(&self, format: Format) -> Value {
        let mut value = json!({ "name": self.name, "sample": self.sample });
        let Style { decimal, dates, .. } = self.evidence.style(format);
        if let Some(decimal) = decimal {
            value["decimal"] = json!(decimal);
        }
        if let Some(dates) = dates {
            value["dates"] = json!(dates);
        }
        value
    }
}

/// Reads the whole file once.
pub(crate) fn look(path: &Path, manner: &Manner) -> Result<Seen> {
    let mut seen = Seen { columns: Vec::new(), rows: 0 };
    let mut places: HashMap<String, usize> = HashMap::new();
    visit(path, manner, &mut |item| {
        match item {
            Item::Header(names) => {
                seen.columns.extend(names.into_iter().map(|name| Column {
                    name,
                    sample: Vec::new(),
                    evidence: Evidence::default(),
                }));
            }
            Item::Row(row) => {
                seen.rows += 1;
                if seen.rows <= LEARNT_FROM {
                    learn(&row, &mut seen.columns, &mut places)?;
                }
            }
        }
        Ok(true)
    })?;
    if seen.columns.is_empty() {
        return Err(Error::malformed("The file has no columns."));
    }
    Ok(seen)
}

fn learn(row: &Row, columns: &mut Vec<Column>, places: &mut HashMap<String, usize>) -> Result<()> {
    let cell = |column: &mut Column, text: &str| {
        if text.is_empty() {
            return;
        }
        column.evidence.note(text);
        if column.sample.len() < SAMPLES {
            column.sample.push(text.chars().take(100).collect());
        }
    };
    match &row.cells {
        Cells::Flat(cells) => columns.iter_mut().zip(cells).for_each(|(column, text)| cell(column, text)),
        Cells::Object(map) => {
            let mut found = Vec::new();
            paths(map, "", &mut found);
            for (name, value) in found {
                let at = match places.get(&name) {
                    Some(at) => *at,
                    None if columns.len() == MOST_COLUMNS => {
                        return Err(Error::malformed("A file has at most 1,000 columns."));
                    }
                    None => {
                        places.insert(name.clone(), columns.len());
                        columns.push(Column { name, sample: Vec::new(), evidence: Evidence::default() });
                        columns.len() - 1
                    }
                };
                let text = match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                cell(&mut columns[at], &text);
            }
        }
    }
    Ok(())
}

/// `{"customer": {"code": 1}, "lines": [{"quantity": 2}]}` has the columns `customer.code` and `lines.quantity`.
fn paths<'a>(map: &'a Map<String, Value>, under: &str, found: &mut Vec<(String, &'a Value)>) {
    for (key, value) in map {
        let name = format!("{under}{key}");
        match value {
            Value::Object(inner) if under.is_empty() => paths(inner, &format!("{name}."), found),
            Value::Array(items) if under.is_empty() && items.iter().any(Value::is_object) => {
                for inner in items.iter().take(3).filter_map(Value::as_object) {
                    paths(inner, &format!("{name}."), found);
                }
            }
            _ => found.push((name, value)),
        }
    }
}

/// The rows in batches, read by a thread of their own that is at most two batches ahead.
pub(crate) fn batches(path: PathBuf, manner: Manner, skip: u64) -> mpsc::Receiver<Result<Vec<Row>>> {
    let (into, out) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let (mut batch, mut bytes, mut seen) = (Vec::new(), 0, 0);
        let read = visit(&path, &manner, &mut |item| {
            let Item::Row(row) = item else { return Ok(true) };
            seen += 1;
            if seen <= skip {
                return Ok(true);
            }
            bytes += row.cells.size();
            batch.push(row);
            if batch.len() < BATCH && bytes < BATCH_BYTES {
                return Ok(true);
            }
            bytes = 0;
            Ok(into.blocking_send(Ok(std::mem::take(&mut batch))).is_ok())
        });
        let last = match read {
            Ok(()) if batch.is_empty() => return,
            Ok(()) => Ok(batch),
            Err(e) => Err(e),
        };
        // Nobody waits for rows any more: the import has failed.
        let _ = into.blocking_send(last);
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::sniff::sniff;
    use std::io::Write;

    fn looked(bytes: &[u8], name: &str) -> Result<Seen> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        look(file.path(), &sniff(file.path(), name)?)
    }

    #[test]
    fn columns_are_found_in_lists_and_in_lines() {
        let array = br#"[{"number":"1","customer":{"code":"A"},"lines":[{"q":1},{"p":2}]},{"note":null}]"#;
        let lines = b"{\"number\":\"1\",\"customer\":{\"code\":\"A\"}}\n{\"lines\":[{\"q\":1},{\"p\":2}],\"note\":1}\n";
        for (bytes, name) in [(&array[..], "a.json"), (&lines[..], "a.ndjson")] {
            let seen = looked(bytes, name).unwrap();
            let names: Vec<&str> = seen.columns.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(names, ["number", "customer.code", "lines.q", "lines.p", "note"]);
            assert_eq!(seen.rows, 2);
        }
    }

    #[test]
    fn json_that_is_none_is_refused() {
        let deep = [b"[{\"a\":".to_vec(), b"[".repeat(200), b"]".repeat(200), b"}]".to_vec()].concat();
        for bytes in
            [&b"[{\"a\":1}] x"[..], b"[{\"a\":1},", b"{\"a\":NaN}", &deep, b"[{\"a\":\"\xed\xa0\x80\"}]"]
        {
            assert!(looked(bytes, "a.json").is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn headers_are_made_whole() {
        let names = header(["a", " ", "a", "a"].map(str::to_owned).to_vec()).unwrap();
        assert_eq!(names, ["a", "Column 2", "a (2)", "a (3)"]);
    }
}
