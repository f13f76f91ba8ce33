//! Spreadsheets are read by a child process that may use little memory and little time: whatever a hostile file does,
//! it does there. The child writes rows as JSON lines between a first and a last line; whoever dies before the last
//! line has told nothing.

use calamine::{DataRef, Reader, Xlsx};
use kernel::{Error, Result};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    io::{BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::OnceLock,
};

const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: u32 = 1_000;
/// Excel keeps no more in a cell.
const MOST_CHARACTERS: usize = 32_767;
const MOST_BYTES: u64 = 600 << 20;
/// Above this size a file that unpacks to so many times its size is no spreadsheet but a bomb.
const MODEST: u64 = 100 << 20;
const MOST_RATIO: u64 = 100;
const MEMORY_KB: u64 = 256 << 10;
const SECONDS: u64 = 300;

const FIRST: &str = "{\"rows\":\"follow\"}";
const LAST: &str = "{\"rows\":\"done\"}";

/// The words that start the child: program and arguments before the file's path.
static CHILD: OnceLock<Vec<OsString>> = OnceLock::new();

/// Says how to start a process that calls [`xlsx_child`]; without it this program is started as `fondaco xlsx-rows`.
pub fn set_xlsx_child(command: Vec<OsString>) {
    // Whoever came first has said the same.
    let _ = CHILD.set(command);
}

/// What `fondaco xlsx-rows <file>` does: the rows of the first sheet, to the standard output. To be called before any
/// thread is started, for threads take of the memory that the process may have.
///
/// # Errors
/// A sentence for the person who sent the file; it is also the last thing written.
pub fn xlsx_child(path: &Path) -> Result<()> {
    let mut out = BufWriter::with_capacity(64 << 10, std::io::stdout().lock());
    // On a line of its own, whatever the program has said before.
    let done = write_line(&mut out, "")
        .and_then(|()| write_line(&mut out, FIRST))
        .and_then(|()| write_rows(path, &mut out));
    let last = match &done {
        Ok(()) => LAST.to_owned(),
        Err(e) => json!({ "error": e.to_string() }).to_string(),
    };
    write_line(&mut out, &last)?;
    out.flush().map_err(lost)?;
    done
}

fn write_line(out: &mut impl Write, line: &str) -> Result<()> {
    out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(lost)
}

fn lost(e: std::io::Error) -> Error {
    Error::broken(format!("writing rows of a spreadsheet: {e}"))
}

fn damaged(what: impl std::fmt::Display) -> Error {
    Error::malformed(format!("This spreadsheet cannot be read: {what}."))
}

/// Before anything is unpacked.
fn check_entries(path: &Path) -> Result<()> {
    let file = super::sniff::open(path)?;
    let packed = file.metadata().map_or(0, |m| m.len());
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).map_err(|_| damaged("it is damaged"))?;
    if zip.len() > 10_000 {
        return Err(damaged("it has too many parts"));
    }
    let mut unpacked = 0_u64;
    for n in 0..zip.len() {
        unpacked = unpacked.saturating_add(zip.by_index_raw(n).map_err(|_| damaged("it is damaged"))?.size());
    }
    if unpacked > MOST_BYTES || unpacked > MODEST && unpacked / packed.max(1) > MOST_RATIO {
        return Err(damaged("it is too large when unpacked"));
    }
    for n in 0..zip.len() {
        let entry = zip.by_index(n).map_err(|_| damaged("it is damaged"))?;
        if entry.name().is_ok_and(|n| n.ends_with(".xml") || n.ends_with(".rels")) {
            let mut head = Vec::new();
            entry.take(4096).read_to_end(&mut head).map_err(|_| damaged("it is damaged"))?;
            if head.windows(9).any(|w| w.eq_ignore_ascii_case(b"<!doctype")) {
                return Err(damaged("it declares entities"));
            }
        }
    }
    Ok(())
}

fn write_rows(path: &Path, out: &mut impl Write) -> Result<()> {
    check_entries(path)?;
    let mut book =
        Xlsx::new(BufReader::new(super::sniff::open(path)?)).map_err(|_| damaged("it is damaged"))?;
    let sheet = book.sheet_names().into_iter().next().ok_or_else(|| damaged("it has no sheet"))?;
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(|_| damaged("its first sheet is damaged"))?;
    let mut row: Option<u32> = None;
    let mut line: Vec<(u32, String)> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(|_| damaged("its first sheet is damaged"))? {
        let (at, column) = cell.get_position();
        let Some(text) = text_of(cell.get_value()) else { continue };
        if at >= MOST_ROWS {
            return Err(damaged("it has more than 1,048,576 rows"));
        }
        if column >= MOST_COLUMNS {
            return Err(damaged("it has more than 1,000 columns"));
        }
        if row != Some(at) {
            if row.is_some_and(|row| row > at) {
                return Err(damaged("its rows are not in order"));
            }
            put_row(out, row, &mut line)?;
            row = Some(at);
        }
        if text.len() > MOST_CHARACTERS && text.chars().count() > MOST_CHARACTERS {
            return Err(damaged("a cell has more than 32,767 characters"));
        }
        if line.len() > MOST_COLUMNS as usize {
            return Err(damaged("it gives cells twice"));
        }
        line.push((column, text));
    }
    put_row(out, row, &mut line)
}

/// `{"r":4,"c":[[0,"ALFKI"],[3,"12.5"]]}`: the row's place, and the cells that have something.
fn put_row(out: &mut impl Write, row: Option<u32>, line: &mut Vec<(u32, String)>) -> Result<()> {
    if let Some(row) = row.filter(|_| !line.is_empty()) {
        serde_json::to_writer(&mut *out, &json!({ "r": row, "c": line }))?;
        write_line(out, "")?;
    }
    line.clear();
    Ok(())
}

fn text_of(value: &DataRef<'_>) -> Option<String> {
    let text = match value {
        DataRef::Empty | DataRef::Error(_) => return None,
        DataRef::Int(n) => n.to_string(),
        DataRef::Float(n) => number(*n),
        DataRef::String(s) => s.clone(),
        DataRef::SharedString(s) => (*s).to_owned(),
        DataRef::Bool(b) => b.to_string(),
        DataRef::DateTime(at) if at.is_duration() => number(at.as_f64()),
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            let time = match (hour, minute, second, milli) {
                (0, 0, 0, 0) => String::new(),
                (h, m, s, 0) => format!(" {h:02}:{m:02}:{s:02}"),
                (h, m, s, ms) => format!(" {h:02}:{m:02}:{s:02}.{ms:03}"),
            };
            format!("{year:04}-{month:02}-{day:02}{time}")
        }
        DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => s.clone(),
    };
    (!text.is_empty()).then_some(text)
}

/// A double has fifteen decimal digits that mean something; Excel shows no more either.
fn number(n: f64) -> String {
    if !n.is_finite() {
        return String::new();
    }
    let shown = format!("{n:.14e}").parse().unwrap_or(n);
    if f64::abs(shown) < 1e15 { format!("{shown}") } else { format!("{shown:.0}") }
}

/// The rows of a spreadsheet as they come out of the child.
pub(crate) struct Rows {
    child: Child,
    out: BufReader<ChildStdout>,
    line: String,
    begun: bool,
}

/// A row's place and its cells.
pub(crate) type Sheet = (u64, Vec<(usize, String)>);

impl Rows {
    pub(crate) fn open(path: &Path) -> Result<Rows> {
        let command = match CHILD.get() {
            Some(command) => command.clone(),
            None => vec![std::env::current_exe().map_err(lost)?.into(), "xlsx-rows".into()],
        };
        // The limits hold for what the shell becomes.
        let limits = format!("ulimit -v {MEMORY_KB} && ulimit -t {SECONDS} && ulimit -c 0 && exec \"$@\"");
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(limits)
            .arg("sh")
            .args(command)
            .arg(path)
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(lost)?;
        let out = child.stdout.take().ok_or_else(|| Error::broken("a child without an output"))?;
        Ok(Rows { child, out: BufReader::with_capacity(64 << 10, out), line: String::new(), begun: false })
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// Malformed, when the file is no spreadsheet that we can read within the limits.
    pub(crate) fn next(&mut self) -> Result<Option<Sheet>> {
        loop {
            self.line.clear();
            let limit = 64 << 20;
            let read = (&mut self.out).take(limit).read_line(&mut self.line).map_err(lost)?;
            let line = self.line.trim_end();
            if read == 0 || read as u64 == limit {
                return Err(damaged("it is too large or damaged"));
            }
            match line {
                // What the program says before its rows, such as a test's heading, is not ours.
                _ if !self.begun => self.begun = line == FIRST,
                LAST => return Ok(None),
                _ => break,
            }
        }
        let mut row: Value = serde_json::from_str(self.line.trim_end())?;
        if let Some(error) = row["error"].as_str() {
            return Err(Error::malformed(error));
        }
        let at = row["r"].as_u64().unwrap_or_default();
        let cells = match row["c"].take() {
            Value::Array(cells) => cells,
            _ => Vec::new(),
        };
        let cell = |mut cell: Value| {
            let column = usize::try_from(cell[0].as_u64()?).ok()?;
            match cell[1].take() {
                Value::String(text) => Some((column, text)),
                _ => None,
            }
        };
        Ok(Some((at, cells.into_iter().filter_map(cell).collect())))
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_excel_shows() {
        for (n, text) in [
            (14.000_000_000_000_002, "14"),
            (0.1, "0.1"),
            (-0.05, "-0.05"),
            (10248.0, "10248"),
            (1e20, "100000000000000000000"),
            (0.000_001, "0.000001"),
            (0.15, "0.15"),
        ] {
            assert_eq!(number(n), text);
        }
    }
}
