//! Values: how a literal of a condition and a value of a row are read. Both are strict and total, since the SQL side
//! must come to the same verdict: what has another type is no value at all.

use crate::{Kind, Param};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::{RoundMode, TimestampRound, Unit};
use serde_json::Value;
use std::cmp::Ordering;

/// A typed value. Two that are compared always have the same kind: `check` sees to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum {
    Text(String),
    Number(Number),
    Date(Date),
    Instant(Timestamp),
    Bool(bool),
    Id(String),
    List(Vec<Option<String>>),
    Json(Value),
}

impl Datum {
    /// A value of a row: nothing when it is null or of another type.
    pub(crate) fn read(kind: Kind, value: &Value) -> Option<Datum> {
        match (kind, value) {
            (_, Value::Null) => None,
            (Kind::Text, Value::String(text)) => Some(Datum::Text(text.clone())),
            (Kind::Number, Value::Number(number)) => Number::parse(number.as_str()).map(Datum::Number),
            (Kind::Number, Value::String(text)) if plain_decimal(text) => {
                Number::parse(text).map(Datum::Number)
            }
            (Kind::Date, Value::String(text)) => date(text).map(Datum::Date),
            (Kind::Instant, Value::String(text)) => instant(text).map(Datum::Instant),
            (Kind::Bool, Value::Bool(yes)) => Some(Datum::Bool(*yes)),
            (Kind::Id, Value::String(text)) => id(text).map(Datum::Id),
            (Kind::TextList, Value::Array(items)) => {
                let item = |v: &Value| match v {
                    Value::Null => Some(None),
                    Value::String(text) => Some(Some(text.clone())),
                    _ => None,
                };
                items.iter().map(item).collect::<Option<_>>().map(Datum::List)
            }
            (Kind::Json, value) => Some(Datum::Json(value.clone())),
            _ => None,
        }
    }

    pub(crate) fn compare(&self, other: &Datum) -> Option<Ordering> {
        Some(match (self, other) {
            (Datum::Text(a), Datum::Text(b)) | (Datum::Id(a), Datum::Id(b)) => a.cmp(b),
            (Datum::Number(a), Datum::Number(b)) => a.cmp(b),
            (Datum::Date(a), Datum::Date(b)) => a.cmp(b),
            (Datum::Instant(a), Datum::Instant(b)) => a.cmp(b),
            (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
            _ => return None,
        })
    }

    /// What `is_empty` asks: no text, no item, or an empty document.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Datum::Text(text) => text.is_empty(),
            Datum::List(items) => items.is_empty(),
            Datum::Json(Value::String(text)) => text.is_empty(),
            Datum::Json(Value::Array(items)) => items.is_empty(),
            Datum::Json(Value::Object(keys)) => keys.is_empty(),
            _ => false,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Datum::Text(text) | Datum::Id(text) => text.clone(),
            Datum::Number(number) => number.to_string(),
            Datum::Date(date) => date.to_string(),
            Datum::Instant(at) => at.to_string(),
            Datum::Bool(yes) => yes.to_string(),
            Datum::List(items) => items.iter().flatten().cloned().collect::<Vec<_>>().join(", "),
            Datum::Json(value) => value.to_string(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Datum::Bool(yes) => Value::Bool(*yes),
            Datum::List(items) => items.iter().cloned().collect(),
            Datum::Json(value) => value.clone(),
            other => Value::String(other.text()),
        }
    }

    pub(crate) fn param(&self) -> Param {
        match self {
            Datum::Text(text) => Param::Text(Some(text.clone())),
            Datum::Number(number) => Param::Number(number.to_string()),
            Datum::Date(date) => Param::Date(date.to_string()),
            Datum::Instant(at) => Param::Instant(at.to_string()),
            Datum::Bool(yes) => Param::Bool(*yes),
            Datum::Id(id) => Param::Id(id.clone()),
            Datum::List(items) => Param::List(items.iter().flatten().cloned().collect()),
            Datum::Json(value) => Param::Text(Some(value.to_string())),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Datum::Text(_) => Kind::Text,
            Datum::Number(_) => Kind::Number,
            Datum::Date(_) => Kind::Date,
            Datum::Instant(_) => Kind::Instant,
            Datum::Bool(_) => Kind::Bool,
            Datum::Id(_) => Kind::Id,
            Datum::List(_) => Kind::TextList,
            Datum::Json(_) => Kind::Json,
        }
    }
}

/// An exact decimal of any length. Not `rust_decimal`: PostgreSQL's numeric has no limit of 28 digits, and a value that
/// is rounded while it is read compares differently from the row that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    /// Without zeros in front; empty below one.
    whole: String,
    /// Without zeros at the end.
    fraction: String,
}

impl Number {
    /// The digits that a literal may have once its exponent is written out.
    pub(crate) const DIGITS: usize = 200;
    /// Beyond it a short text becomes a very long number.
    const EXPONENT: u64 = 1000;

    /// A number as JSON writes it.
    pub(crate) fn parse(text: &str) -> Option<Number> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        if !plain_decimal(mantissa) || exponent.unsigned_abs() > Number::EXPONENT {
            return None;
        }
        let (mut whole, mut fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole.to_owned(), fraction.to_owned()),
            None => (mantissa.to_owned(), String::new()),
        };
        let places = usize::try_from(exponent.unsigned_abs()).ok()?;
        if exponent > 0 {
            fraction.extend(std::iter::repeat_n('0', places.saturating_sub(fraction.len())));
            whole.push_str(&fraction[..places]);
            fraction.drain(..places);
        } else if exponent < 0 {
            whole.insert_str(0, &"0".repeat(places.saturating_sub(whole.len())));
            fraction.insert_str(0, &whole.split_off(whole.len() - places));
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Number { negative, whole, fraction })
    }

    pub(crate) fn digits(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    pub(crate) fn count(n: usize) -> Number {
        Number {
            negative: false,
            whole: n.to_string().trim_start_matches('0').to_owned(),
            fraction: String::new(),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let size = |n: &Number| (n.whole.len(), n.whole.clone(), n.fraction.clone());
        match (self.negative, other.negative) {
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
            (negative, _) if negative => Ordering::Less,
            _ => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{}", self.fraction)
    }
}

/// `-12.50`, no sign in front but minus, no exponent.
pub(crate) fn plain_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

/// Whether a text has the form of a pattern in which `9` stands for any digit.
fn shaped(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(b, p)| if p == b'9' { b.is_ascii_digit() } else { b == p })
}

/// `2024-05-31`. The year 0 is a date to jiff, but not to PostgreSQL.
pub(crate) fn date(text: &str) -> Option<Date> {
    let date = shaped(text, "9999-99-99").then(|| text.parse::<Date>().ok())??;
    (date.year() > 0).then_some(date)
}

/// `2024-05-31T10:20:30`, perhaps with a fraction of up to six digits.
pub(crate) fn date_time(text: &str) -> Option<DateTime> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let good = shaped(seconds, "9999-99-99T99:99:99")
        && (1..=6).contains(&fraction.len())
        && fraction.bytes().all(|b| b.is_ascii_digit())
        && !seconds.starts_with("0000")
        // A leap second is the next minute to PostgreSQL and the last second of this one to jiff.
        && !seconds.ends_with(":60");
    good.then(|| text.parse().ok())?
}

/// A date and time with its distance from UTC: `2024-05-31T10:20:30+05:00`.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let zone = if text.ends_with('Z') { text.len() - 1 } else { text.len().checked_sub(6)? };
    let (local, offset) = text.split_at_checked(zone)?;
    let hours = offset.get(1..3).unwrap_or("00");
    let good = offset == "Z" || ((shaped(offset, "+99:99") || shaped(offset, "-99:99")) && hours < "16");
    date_time(local).filter(|_| good)?;
    whole_microseconds(text.parse().ok()?)
}

/// PostgreSQL keeps microseconds.
pub(crate) fn whole_microseconds(at: Timestamp) -> Option<Timestamp> {
    at.round(TimestampRound::new().smallest(Unit::Microsecond).mode(RoundMode::Floor)).ok()
}

/// A UUID in its usual form, in lower case.
pub(crate) fn id(text: &str) -> Option<String> {
    let hex = |(i, b): (usize, u8)| match i {
        8 | 13 | 18 | 23 => b == b'-',
        _ => b.is_ascii_hexdigit(),
    };
    (text.len() == 36 && text.bytes().enumerate().all(hex)).then(|| text.to_ascii_lowercase())
}
