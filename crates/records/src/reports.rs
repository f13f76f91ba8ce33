//! Reports: calls of a module whose answer people look at. `[reports.x]` of module.toml says how the call `x` is shown:
//! `label`, `help`, `icon`; `needs`, the entity that one must be able to read; `params` and `columns` with their types;
//! `row_name`, the column that rows are known by, if not the first;
//! `compare` (`span` or `day`: what can stand beside it); `drill`: where a figure leads. `[words]` says what the rows,
//! steps and options that are no data are called.
//!
//! An answer is `{rows: [{key, …}], currency, as_of, inputs_hash, from?, to?, totals?, columns?, next?}`. A row may say its
//! `level`, its `role` (`group`, `result`) and the `word` that it is called by.

use crate::{export::plain_line, import::Format, meta::Words};
use kernel::{Actor, Catalog, Error, Module, ModuleInfo, Result, Store, within};
use rust_xlsxwriter::{Workbook, XlsxError};
use serde_json::{Map, Value, json};

/// Rows of a file; more than anybody reads.
const MOST_ROWS: usize = 200_000;

/// Of each module the reports that the person may see, in his words: for `GET /meta`.
pub(crate) fn index(catalog: &Catalog, actor: &Actor, language: &str) -> Vec<Value> {
    let mut told = Vec::new();
    for module in &catalog.modules {
        let words = Words::of(catalog, &module.name, language);
        let reports = module.meta["reports"].as_object().into_iter().flatten();
        let reports: Vec<Value> = reports
            .filter(|(_, report)| {
                needed(catalog, module, report).is_some_and(|e| actor.access.may(e, "read"))
            })
            .map(|(name, report)| describe(module, name, report, &words))
            .collect();
        if !reports.is_empty() {
            let named = module.meta["words"].as_object().into_iter().flatten();
            let named: Map<String, Value> = named
                .map(|(key, own)| (key.clone(), json!(words.said(&[&["words", key]], own, key))))
                .collect();
            told.push(json!({ "module": module.name, "title": words.title(), "icon": module.meta["icon"], "words": named, "reports": reports }));
        }
    }
    told
}

/// The entity that whoever sees the report may read.
fn needed<'a>(catalog: &'a Catalog, module: &ModuleInfo, report: &Value) -> Option<&'a kernel::Entity> {
    catalog.entity(&format!("{}.{}", module.name, report["needs"].as_str()?)).ok()
}

fn describe(module: &ModuleInfo, name: &str, report: &Value, words: &Words<'_>) -> Value {
    let listed = |part: &str| -> Vec<Value> {
        let all = report[part].as_array().into_iter().flatten();
        all.map(|said| {
            let mut field = said.clone();
            let own = said["name"].as_str().unwrap_or_default();
            field["label"] = json!(words.said(
                &[&["reports", name, "fields", own], &["fields", own]],
                &said["label"],
                own
            ));
            field
        })
        .collect()
    };
    json!({
        "name": name,
        "label": words.said(&[&["reports", name, "label"]], &report["label"], name),
        "help": report["help"].as_str().map(|_| words.said(&[&["reports", name, "help"]], &report["help"], "")),
        "icon": report["icon"],
        "compare": report["compare"],
        "row_name": report["row_name"],
        "params": listed("params"),
        "columns": listed("columns"),
        "drill": report["drill"],
        "module": module.name,
    })
}

/// A report as it was asked for.
pub struct Asked<'a> {
    name: &'a str,
    call: &'static kernel::Call,
    body: Value,
    module: &'a ModuleInfo,
}

/// The report of a module with what an address says after the question mark.
///
/// # Errors
/// When there is no such report, it takes no such parameter, or a number is none. Whether the person may see it says the
/// report itself.
pub fn ask<'a>(
    catalog: &'a Catalog,
    modules: &'static [&'static Module],
    (module, name): (&str, &'a str),
    pairs: &[(String, String)],
) -> Result<Asked<'a>> {
    let call = kernel::call(modules, module, name).ok_or(Error::NotFound)?;
    let module = catalog.module(module).ok_or(Error::NotFound)?;
    let report = module.meta["reports"].get(name).ok_or(Error::NotFound)?;
    let mut body = Map::new();
    for (key, said) in pairs.iter().filter(|(_, said)| !said.is_empty()) {
        let known = report["params"].as_array().into_iter().flatten().find(|p| p["name"] == json!(key));
        let known = known.ok_or_else(|| Error::malformed_at(key, "There is no such parameter."))?;
        let number = |text: &str| {
            text.trim().parse::<i64>().map_err(|_| Error::malformed_at(key, "This is not a number."))
        };
        let value = match known["type"].as_str() {
            Some("integer") => json!(number(said)?),
            Some("numbers") => json!(said.split(',').map(number).collect::<Result<Vec<i64>>>()?),
            _ => json!(said),
        };
        body.insert(key.clone(), value);
    }
    Ok(Asked { name, call, body: body.into(), module })
}

/// What the report says, a page of it where it is long.
///
/// # Errors
/// Those of the report.
pub async fn run(store: &Store, actor: &Actor, asked: &Asked<'_>) -> Result<Value> {
    within!(store, actor, tx => (asked.call.run)(&tx, &asked.body).await)
}

/// The whole report as a file, and what it is called.
///
/// # Errors
/// Those of the report; when it has more rows than a file should.
pub async fn file(
    store: &Store,
    actor: &Actor,
    asked: Asked<'_>,
    format: Format,
    language: &str,
) -> Result<(String, Vec<u8>)> {
    let catalog = &actor.catalog;
    let words = Words::of(catalog, &asked.module.name, language);
    let report = describe(asked.module, asked.name, &asked.module.meta["reports"][asked.name], &words);
    let mut body = asked.body;
    let mut rows: Vec<Value> = Vec::new();
    let mut columns = report["columns"].clone();
    loop {
        let mut page = within!(store, actor, tx => (asked.call.run)(&tx, &body).await)?;
        // Columns that are there always are said by their names.
        if let Some(said) = page["columns"].as_array() {
            let known =
                |name: &Value| report["columns"].as_array()?.iter().find(|c| c["name"] == *name).cloned();
            columns = said.iter().map(|c| known(c).unwrap_or_else(|| c.clone())).collect();
        }
        rows.extend(page["rows"].as_array().cloned().unwrap_or_default());
        if rows.len() > MOST_ROWS {
            return Err(Error::refused("This is more than fits into a file; ask for less."));
        }
        if page["next"].is_null() {
            rows.extend(page["sums"].as_array().cloned().unwrap_or_default());
            break;
        }
        body["skip"] = page["next"].take();
    }
    let columns: Vec<&Value> = columns.as_array().into_iter().flatten().collect();
    let named = |key: &str| words.said(&[&["words", key]], &asked.module.meta["words"][key], key);
    let title = report["row_name"].as_str().or(report["columns"][0]["name"].as_str()).unwrap_or_default();
    let cell = |row: &Value, column: &Value| -> String {
        let name = column["name"].as_str().unwrap_or_default();
        let value = &row[name];
        match (column["type"].as_str(), value) {
            (_, Value::Null) if name == title => row["word"].as_str().map(named).unwrap_or_default(),
            (_, Value::Null) => String::new(),
            (Some("word"), Value::String(key)) => named(key),
            (Some("entity"), Value::String(name)) => catalog.entities.get(name).map_or_else(
                || name.clone(),
                |e| Words::of(catalog, e.module(), language).entity(e, "label"),
            ),
            (_, Value::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        }
    };
    let heads: Vec<&str> = columns.iter().map(|c| c["label"].as_str().unwrap_or_default()).collect();
    let label = report["label"].as_str().unwrap_or(asked.name).to_owned();
    let cells = rows.iter().map(|row| (row, columns.iter().map(|c| cell(row, c)).collect()));
    let bytes = match format {
        Format::Xlsx => sheet(&heads, &columns, cells).map_err(|e| Error::Broken(Box::new(e)))?,
        _ => {
            // The mark by which spreadsheets know that it is UTF-8.
            let mut text = "\u{feff}".as_bytes().to_vec();
            plain_line(&mut text, &heads);
            for (_, cells) in cells {
                let cells: Vec<String> = cells;
                plain_line(&mut text, &cells.iter().map(String::as_str).collect::<Vec<_>>());
            }
            text
        }
    };
    Ok((format!("{label}.{}", format.name()), bytes))
}

fn sheet<'a>(
    heads: &[&str],
    columns: &[&Value],
    rows: impl Iterator<Item = (&'a Value, Vec<String>)>,
) -> Result<Vec<u8>, XlsxError> {
    let bold = rust_xlsxwriter::Format::new().set_bold();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_freeze_panes(1, 0)?;
    for (n, head) in (0..).zip(heads) {
        sheet.write_string_with_format(0, n, *head, &bold)?;
        sheet.set_column_width(n, if n == 0 { 44 } else { 16 })?;
    }
    for (at, (row, cells)) in (1..).zip(rows) {
        let strong = row["role"].is_string();
        let level = row["level"].as_u64().and_then(|l| u8::try_from(l).ok()).unwrap_or_default();
        for (n, (text, column)) in (0..).zip(cells.iter().zip(columns)) {
            let mut format = rust_xlsxwriter::Format::new();
            if strong {
                format = format.set_bold();
            }
            let counted = matches!(column["type"].as_str(), Some("money" | "percent" | "integer"));
            match text.parse::<f64>() {
                Ok(number) if counted => {
                    let places = text.split_once('.').map_or(0, |(_, digits)| digits.len());
                    let shown =
                        if places > 0 { format!("#,##0.{}", "0".repeat(places)) } else { "#,##0".into() };
                    sheet.write_number_with_format(at, n, number, &format.set_num_format(shown))?;
                }
                _ if text.is_empty() => {}
                _ if n == 0 => {
                    sheet.write_string_with_format(at, n, text, &format.set_indent(level))?;
                }
                _ => {
                    sheet.write_string_with_format(at, n, text, &format)?;
                }
            }
        }
    }
    book.save_to_buffer()
}
