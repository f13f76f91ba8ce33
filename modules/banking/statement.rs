//! A file of a bank, whatever its format, as statements: what `banking.take_in` takes in.

use kernel::{Error, Result};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// A file has no more lines than this.
const MOST_LINES: usize = 20_000;

/// One movement, signed: money in is more than nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// `2026-03-01`
    pub(super) booked_on: String,
    pub(super) value_on: Option<String>,
    pub(super) amount: Decimal,
    pub(super) counterparty: Option<String>,
    pub(super) iban: Option<String>,
    pub(super) bic: Option<String>,
    pub(super) text: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) end_to_end: Option<String>,
    pub(super) creditor_reference: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) format: &'static str,
    /// Of the account that it is of, where the file says.
    pub(super) account: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) from_on: Option<String>,
    pub(super) through_on: Option<String>,
    pub(super) opening: Option<Decimal>,
    pub(super) closing: Option<Decimal>,
    pub(super) lines: Vec<Line>,
    /// Where it begins in the file.
    pub(super) at: usize,
}

impl Statement {
    /// What it begins with and its lines are what it ends with; each line names a day and has an amount.
    ///
    /// # Errors
    /// When they do not add up, or when it says nothing at all.
    pub(super) fn check(&self) -> Result<()> {
        let Statement { opening, closing, lines, at, .. } = self;
        if lines.len() > MOST_LINES {
            return Err(wrong(*at, &format!("a statement has at most {MOST_LINES} lines")));
        }
        let total: Decimal = lines.iter().map(|l| l.amount).sum();
        if let (Some(opening), Some(closing)) = (opening, closing)
            && opening + total != *closing
        {
            let sum = (opening + total).normalize();
            let said = format!("{} and its lines come to {sum}, it says {}", opening.normalize(), closing.normalize());
            return Err(wrong(*at, &said));
        }
        if lines.is_empty() && (closing.is_none() || self.through_on.is_none()) {
            return Err(wrong(*at, "there are no lines in it"));
        }
        Ok(())
    }

    /// As the database takes it in.
    pub(super) fn document(&self, file_name: Option<&str>) -> Value {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|l| {
                let what = l.reference.clone().unwrap_or_else(|| {
                    let parts = [&l.counterparty, &l.iban, &l.text, &l.end_to_end];
                    parts.map(|p| p.as_deref().unwrap_or_default()).join("|")
                });
                let key = format!("{}|{}|{what}", l.booked_on, l.amount.normalize());
                // Two that are the same in everything are told apart by which of them it is.
                let nth = seen.entry(key.clone()).and_modify(|n| *n += 1).or_insert(1);
                let hash = Sha256::digest(format!("{key}|{nth}"));
                let fingerprint: String = hash.iter().take(16).map(|b| format!("{b:02x}")).collect();
                json!({
                    "booked_on": l.booked_on, "value_on": l.value_on, "amount": l.amount.to_string(), "counterparty": l.counterparty, "iban": l.iban,
                    "bic": l.bic, "text": l.text, "reference": l.reference, "end_to_end": l.end_to_end, "creditor_reference": l.creditor_reference,
                    "fingerprint": fingerprint,
                })
            })
            .collect();
        json!({
            "format": self.format, "file_name": file_name, "reference": self.reference, "from_on": self.from_on, "through_on": self.through_on,
            "opening": self.opening.map(|d| d.to_string()), "closing": self.closing.map(|d| d.to_string()), "lines": lines,
        })
    }
}

/// What is wrong with a file, and in which line of it.
pub(super) fn wrong(line: usize, what: &str) -> Error {
    Error::refused_at("text", format!("Line {line} of the file: {what}."))
}

/// Words without the spaces around and between them; nothing is none.
pub(super) fn said(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    (!text.is_empty() && text != "NOTPROVIDED").then(|| text.chars().take(1000).collect())
}

/// A code without spaces, in capitals.
pub(super) fn code(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    (!code.is_empty() && code.len() <= 64).then(|| code.to_ascii_uppercase())
}

/// A day as files write it: `2026-03-01`, `20260301`, `01.03.2026`, `01/03/26`; with `month_first` `03/01/2026`. What follows it, a time, is passed over.
pub(super) fn day(text: &str, month_first: bool) -> Option<String> {
    let date = text.trim().split(['T', ' ']).next()?;
    let parts: Vec<&str> = date.split(['-', '.', '/']).collect();
    let (year, month, day) = match parts[..] {
        [whole] if whole.len() == 8 => (whole.get(..4)?, whole.get(4..6)?, whole.get(6..)?),
        [year, month, day] if year.len() == 4 => (year, month, day),
        [month, day, year] if month_first => (year, month, day),
        [day, month, year] => (year, month, day),
        _ => return None,
    };
    let year: i16 = year.parse().ok()?;
    let year = if year < 100 { year + 2000 } else { year };
    let date = jiff::civil::Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()?;
    (1970..2200).contains(&date.year()).then(|| date.to_string())
}

/// An amount as files write it: `1 234,56`, `1,234.56`, `(12.00)`, `12-`. The last of point and comma is the decimal one, unless three digits follow
/// it alone and the other is there.
pub(super) fn amount(text: &str) -> Option<Decimal> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’' | '\u{a0}' | '\u{202f}')).collect();
    let negative = plain.starts_with(['-', '−', '(']) || plain.ends_with('-');
    let digits = plain.trim_matches(['-', '−', '+', '(', ')']);
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',') {
        return None;
    }
    let point = digits.rfind(['.', ',']);
    let many = point.is_some_and(|at| digits.matches(&digits[at..=at]).count() > 1);
    let number: String = match point {
        Some(at) if !many => {
            let whole: String = digits[..at].chars().filter(char::is_ascii_digit).collect();
            format!("{}.{}", if whole.is_empty() { "0" } else { &whole }, &digits[at + 1..])
        }
        _ => digits.chars().filter(char::is_ascii_digit).collect(),
    };
    let number: Decimal = number.trim_end_matches('.').parse().ok()?;
    (number.scale() <= 6 && number.abs() < Decimal::from(100_000_000_000_000_i64)).then_some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written_anywhere() {
        for (text, number) in [
            ("1234.56", "1234.56"), ("1 234,56", "1234.56"), ("1,234.56", "1234.56"), ("1.234.567,8", "1234567.8"), ("-12,00", "-12"), ("(12.00)", "-12"), ("12-", "-12"),
            ("1'000.50", "1000.5"), ("1.000.000", "1000000"), ("0", "0"), (",5", "0.5"), ("12.", "12"), ("+7", "7"),
        ] {
            assert_eq!(amount(text).map(|d| d.normalize()), number.parse().ok(), "{text}");
        }
        for text in ["", "x", "1e5", "1.2345678", "NaN", "999999999999999999", "1-2"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_read_as_they_are_written_anywhere() {
        for text in ["2026-03-01", "20260301", "01.03.2026", "1/3/26", "2026-03-01T10:00:00Z", "01.03.2026 10:00"] {
            assert_eq!(day(text, false).as_deref(), Some("2026-03-01"), "{text}");
        }
        assert_eq!(day("03/01/2026", true).as_deref(), Some("2026-03-01"));
        for text in ["", "2026-02-30", "31.31.2026", "x", "1.2", "9999-01-01"] {
            assert_eq!(day(text, false), None, "{text}");
        }
    }
}
