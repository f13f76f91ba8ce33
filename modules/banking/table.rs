//! CSV of banks. Each has columns of its own: which is what is said once and remembered with the account, or known by its heading.

use super::statement::{Line, Statement, amount, code, day, said, wrong};
use kernel::{Error, Result};
use serde_json::{Map, Value};

/// What a column may be, with headings that are understood without being told.
const FIELDS: &[(&str, &[&str])] = &[
    ("booked_on", &["date", "booking date", "booked", "transaction date", "дата", "дата операции", "дата проводки", "buchungstag", "күні"]),
    ("value_on", &["value date", "value", "дата валютирования", "valutadatum"]),
    ("amount", &["amount", "сумма", "betrag", "сома"]),
    ("debit", &["debit", "withdrawal", "paid out", "дебет", "расход", "soll"]),
    ("credit", &["credit", "deposit", "paid in", "кредит", "приход", "haben"]),
    ("counterparty", &["counterparty", "name", "payee", "payer", "beneficiary", "контрагент", "наименование", "корреспондент", "name zahlungsbeteiligter"]),
    ("iban", &["iban", "account", "counterparty account", "счет", "счёт", "иик", "счет контрагента", "iban zahlungsbeteiligter"]),
    ("bic", &["bic", "swift", "бик"]),
    ("text", &["description", "details", "purpose", "text", "memo", "назначение", "назначение платежа", "описание", "verwendungszweck", "төлем мақсаты"]),
    ("reference", &["reference", "transaction id", "id", "номер документа", "номер", "референс"]),
    ("end_to_end", &["end to end", "end-to-end id", "customer reference"]),
];
/// What else a mapping may say.
const MANNERS: [&str; 2] = ["month_first", "negate"];

/// # Errors
/// When the mapping names what there is not.
pub(super) fn check_mapping(mapping: &Map<String, Value>) -> Result<()> {
    for (field, column) in mapping {
        let manner = MANNERS.contains(&field.as_str());
        let known = if manner { column.is_boolean() } else { column.is_string() && FIELDS.iter().any(|f| f.0 == field) };
        if !known {
            return Err(Error::refused_at("mapping", format!("There is no field {field} of a statement.")));
        }
    }
    Ok(())
}

/// # Errors
/// When a column is missing, or a line cannot be read: it is named.
pub(super) fn read(text: &str, mapping: &Map<String, Value>) -> Result<Statement> {
    let delimiter = delimiter(text);
    let mut file = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for row in file.records() {
        let row = row.map_err(|e| wrong(e.position().map_or(rows.len() + 1, |p| usize::try_from(p.line()).unwrap_or_default()), "this cannot be read"))?;
        let line = row.position().map_or(rows.len() + 1, |p| usize::try_from(p.line()).unwrap_or_default());
        rows.push((line, row));
    }
    // Above the headings banks write whose account it is.
    let heading = rows.iter().position(|(_, row)| {
        let at = |field| place(row, field, mapping).is_some();
        at("booked_on") && (at("amount") || at("debit") || at("credit"))
    });
    let Some(heading) = heading else {
        return Err(Error::refused_at("mapping", "There is no column for the day and none for the amount: say which they are."));
    };
    let headings = rows[heading].1.clone();
    let place = |field: &str| place(&headings, field, mapping);
    if let Some((field, named)) = mapping.iter().find(|(field, _)| !MANNERS.contains(&field.as_str()) && place(field).is_none()) {
        return Err(Error::refused_at("mapping", format!("There is no column {} for {field}.", named.as_str().unwrap_or_default())));
    }
    let manner = |name: &str| mapping.get(name) == Some(&Value::Bool(true));
    let mut lines = Vec::new();
    for (n, row) in &rows[heading + 1..] {
        let cell = |field: &str| place(field).and_then(|at| row.get(at)).filter(|c| !c.is_empty());
        // Below the lines there may be sums, which have no day.
        let Some(date) = cell("booked_on") else { continue };
        // So have words, such as "Total".
        if !date.contains(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let booked_on = day(date, manner("month_first")).ok_or_else(|| wrong(*n, &format!("{date} is not a day")))?;
        let number = |field: &str| {
            cell(field).map(|c| amount(c).ok_or_else(|| wrong(*n, &format!("{c} is not an amount")))).transpose()
        };
        let (whole, debit, credit) = (number("amount")?, number("debit")?, number("credit")?);
        let moved = whole.unwrap_or_else(|| credit.unwrap_or_default().abs() - debit.unwrap_or_default().abs());
        let moved = if manner("negate") { -moved } else { moved };
        if whole.is_none() && debit.is_none() && credit.is_none() {
            return Err(wrong(*n, "there is no amount"));
        }
        if moved.is_zero() {
            continue;
        }
        lines.push(Line {
            booked_on,
            value_on: cell("value_on").and_then(|d| day(d, manner("month_first"))),
            amount: moved,
            counterparty: cell("counterparty").and_then(said),
            iban: cell("iban").and_then(code),
            bic: cell("bic").and_then(code),
            text: cell("text").and_then(said),
            reference: cell("reference").and_then(said),
            end_to_end: cell("end_to_end").and_then(said),
            creditor_reference: None,
        });
    }
    Ok(Statement { format: "csv", lines, at: rows[heading].0, ..Statement::default() })
}

fn place(row: &csv::StringRecord, field: &str, mapping: &Map<String, Value>) -> Option<usize> {
    let named = mapping.get(field).and_then(Value::as_str).map(str::to_lowercase);
    let known = FIELDS.iter().find(|f| f.0 == field).map(|f| f.1).unwrap_or_default();
    let cells: Vec<String> = row.iter().map(|c| c.trim_start_matches('\u{feff}').trim().to_lowercase()).collect();
    match named {
        Some(named) => cells.iter().position(|c| *c == named),
        None => known.iter().find_map(|k| cells.iter().position(|c| c == k)),
    }
}

/// The one that most lines have most of.
fn delimiter(text: &str) -> u8 {
    let count = |d: u8| text.lines().take(50).map(|l| l.bytes().filter(|b| *b == d).count()).sum::<usize>();
    b";\t,|".iter().copied().max_by_key(|d| (count(*d), *d == b';')).unwrap_or(b',')
}
