//! Dates that depend on the day they are asked: `today`, `-7d`, `start_of_month+2w`. They are resolved once, before either
//! executor runs, so that both see the same constant.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan, Zoned};
use serde_json::Value;

/// A moment, or a whole day when no time of the day was named.
pub(crate) struct Moment {
    pub(crate) at: Zoned,
    pub(crate) whole_day: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Period {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Period {
    /// The first day of the period that a day is in, and the first of the next. Weeks begin on Monday.
    pub(crate) fn around(self, day: Date) -> Option<(Date, Date)> {
        let start = match self {
            Period::Day => day,
            Period::Week => day.checked_sub(i64::from(day.weekday().since(Weekday::Monday)).days()).ok()?,
            Period::Month => day.first_of_month(),
            Period::Quarter => Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).ok()?,
            Period::Year => day.first_of_year(),
        };
        let length = match self {
            Period::Day => 1.day(),
            Period::Week => 1.week(),
            Period::Month => 1.month(),
            Period::Quarter => 3.months(),
            Period::Year => 1.year(),
        };
        Some((start, start.checked_add(length).ok()?))
    }
}

/// A base, then any number of steps; without a base, from now.
pub(crate) fn parse(text: &str, now: &Zoned) -> Option<Moment> {
    let steps = text.find(['+', '-']).unwrap_or(text.len());
    let (base, mut rest) = text.split_at_checked(steps)?;
    let today = now.date();
    let day = match base.trim() {
        "" if rest.is_empty() => return None,
        "" | "now" => None,
        "today" => Some(today),
        "yesterday" => Some(today.yesterday().ok()?),
        "tomorrow" => Some(today.tomorrow().ok()?),
        base => {
            let (edge, period) = base.split_once("_of_")?;
            let period = match period {
                "day" => Period::Day,
                "week" => Period::Week,
                "month" => Period::Month,
                "quarter" => Period::Quarter,
                "year" => Period::Year,
                _ => return None,
            };
            let (start, next) = period.around(today)?;
            match edge {
                "start" => Some(start),
                "end" => Some(next.yesterday().ok()?),
                _ => return None,
            }
        }
    };
    let mut moment = match day {
        Some(day) => Moment { at: day.to_zoned(now.time_zone().clone()).ok()?, whole_day: true },
        None => Moment { at: now.clone(), whole_day: false },
    };
    while !rest.is_empty() {
        let end = rest[1..].find(['+', '-']).map_or(rest.len(), |i| i + 1);
        let (span, timed) = span(&rest[1..end])?;
        let span = if rest.starts_with('-') { span.negate() } else { span };
        moment.at = moment.at.checked_add(span).ok()?;
        moment.whole_day &= !timed;
        rest = &rest[end..];
    }
    Some(moment)
}

/// How far `within_last` reaches: `"7d"`, `7` (days) or `{"amount": 7, "unit": "days"}`.
pub(crate) fn reach(value: &Value) -> Option<Span> {
    match value {
        Value::String(text) => Some(span(text)?.0),
        Value::Number(days) => Some(span(&format!("{days}d"))?.0),
        Value::Object(parts) => {
            let unit = parts.get("unit")?.as_str()?;
            Some(span(&format!("{}{unit}", parts.get("amount")?.as_u64()?))?.0)
        }
        _ => None,
    }
}

/// `7d`, and whether it is counted in hours or minutes.
fn span(text: &str) -> Option<(Span, bool)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let n: i64 = text[..digits].parse().ok().filter(|n| *n <= 100_000)?;
    let days = |span| Some((span, false));
    let hours = |span| Some((span, true));
    match text[digits..].trim().to_ascii_lowercase().as_str() {
        "min" | "minute" | "minutes" => hours(Span::new().try_minutes(n).ok()?),
        "h" | "hour" | "hours" => hours(Span::new().try_hours(n).ok()?),
        "d" | "day" | "days" => days(Span::new().try_days(n).ok()?),
        "w" | "week" | "weeks" => days(Span::new().try_weeks(n).ok()?),
        "m" | "mo" | "month" | "months" => days(Span::new().try_months(n).ok()?),
        "q" | "quarter" | "quarters" => days(Span::new().try_months(n * 3).ok()?),
        "y" | "year" | "years" => days(Span::new().try_years(n).ok()?),
        _ => None,
    }
}
