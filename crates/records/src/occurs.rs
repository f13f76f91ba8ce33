//! What of the records lies within some days: those that touch them, and those that come back then, however long ago
//! they began. `occurs={"start","end"?,"recurrence"?,"from","to"}` of a list names the fields, and days of the company,
//! `to` not among them.

use crate::{
    plan::{Field, Plan},
    recurrence::Recurrence,
    select::Select,
};
use jiff::{
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use kernel::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Row;

/// So many days at once.
const MOST_DAYS: i32 = 400;
/// So many occurrences in one answer, and steps on the way to them.
const MOST: usize = 2_000;
const STEPS: u32 = 200_000;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occurs {
    start: String,
    end: Option<String>,
    recurrence: Option<String>,
    from: Date,
    to: Date,
}

/// What one answer may still take.
pub(crate) struct Left {
    occurrences: usize,
    steps: u32,
    /// Not everything is told.
    pub(crate) is_cut: bool,
}

impl Default for Left {
    fn default() -> Left {
        Left { occurrences: MOST, steps: STEPS, is_cut: false }
    }
}

impl Occurs {
    pub(crate) fn parse(asked: Value) -> Result<Occurs> {
        let said = "Say start, from and to, and perhaps end and recurrence.";
        let occurs: Occurs =
            serde_json::from_value(asked).map_err(|_| Error::malformed_at("occurs", said))?;
        let days = (occurs.to - occurs.from).get_days();
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(Error::malformed_at("occurs", format!("From 1 to {MOST_DAYS} days at once.")));
        }
        Ok(occurs)
    }

    pub(crate) fn condition(&self, plan: &mut Plan<'_>) -> Result<String> {
        let (start, start_kind) = moment(plan, &self.start)?;
        let mut before = |sign: &str, sql: &str, kind: Kind, day: Date| {
            let day = plan.text(day.to_string());
            // Midnight on the clock of the company, which is the transaction's.
            let midnight = if kind == Kind::Datetime { "::timestamptz" } else { "" };
            format!("{sql} {sign} {day}::date{midnight}")
        };
        let begun = before("<", &start, start_kind, self.to);
        let mut touches = before(">=", &start, start_kind, self.from);
        if let Some(end) = &self.end {
            let (end, kind) = moment(plan, end)?;
            let day = plan.text(self.from.to_string());
            let midnight = if kind == Kind::Datetime { "::timestamptz" } else { "" };
            touches = format!("{touches} or {end} >= {day}::date{midnight}");
        }
        if let Some(recurrence) = &self.recurrence {
            let (alias, field) = plan.field(recurrence)?;
            if field.kind() != Kind::Recurrence {
                return Err(Error::malformed_at("occurs", format!("{recurrence} is no recurrence.")));
            }
            touches = format!("{touches} or {} is not null", field.sql(&alias));
        }
        Ok(format!("({begun} and ({touches}))"))
    }

    /// Reads what says when a record is.
    pub(crate) fn columns(&self, plan: &mut Plan<'_>, select: &mut Select<'_>) -> Result<When> {
        let mut wall = |plan: &mut Plan<'_>, name: &str| -> Result<(usize, Kind)> {
            let (sql, kind) = moment(plan, name)?;
            let clock = if kind == Kind::Datetime { " at time zone current_setting('TimeZone')" } else { "" };
            Ok((select.extra(format!("({sql}{clock})::text")), kind))
        };
        let start = wall(plan, &self.start)?;
        let end = self.end.as_deref().map(|end| wall(plan, end)).transpose()?;
        let recurrence = match &self.recurrence {
            Some(name) => {
                let (alias, field) = plan.field(name)?;
                Some(select.extra(field.sql(&alias)))
            }
            None => None,
        };
        let midnight = |day: Date| day.to_datetime(Time::midnight());
        Ok(When { start, end, recurrence, from: midnight(self.from), to: midnight(self.to) })
    }
}

/// A date or an instant.
fn moment(plan: &mut Plan<'_>, name: &str) -> Result<(String, Kind)> {
    let (alias, field): (String, Field<'_>) = plan.field(name)?;
    match field.kind() {
        kind @ (Kind::Date | Kind::Datetime) => Ok((field.sql(&alias), kind)),
        _ => Err(Error::malformed_at("occurs", format!("{name} is neither a date nor a time."))),
    }
}

/// Where in a row it stands when the record is.
pub(crate) struct When {
    start: (usize, Kind),
    end: Option<(usize, Kind)>,
    recurrence: Option<usize>,
    from: DateTime,
    to: DateTime,
}

impl When {
    /// `[{start, end}]` of this record in these days, as its fields are written.
    pub(crate) fn of(&self, row: &Row, zone: &TimeZone, left: &mut Left) -> Vec<Value> {
        let wall = |(at, kind): (usize, Kind)| read(row.get(at), kind);
        let Some(start) = wall(self.start) else { return Vec::new() };
        let end = self.end.and_then(wall).filter(|end| *end >= start);
        let lasts = end.map_or(jiff::SignedDuration::ZERO, |end| end.duration_since(start));
        let rule = self.recurrence.and_then(|at| row.get::<_, Option<&str>>(at));
        let began = match rule.and_then(|rule| Recurrence::parse(rule).ok()) {
            Some(rule) => {
                let from = self.from.checked_sub(lasts).unwrap_or(DateTime::MIN);
                rule.between(start, from, self.to, zone, &mut left.steps).unwrap_or_else(|| {
                    left.is_cut = true;
                    Vec::new()
                })
            }
            None => vec![start],
        };
        let mut found = Vec::new();
        for at in began {
            let till = at.checked_add(lasts).unwrap_or(at);
            // What ends at midnight does not touch the day that begins there; a last day is touched itself.
            let open = match self.end {
                Some((_, Kind::Datetime)) => till > self.from,
                _ => till >= self.from,
            };
            if !open && at < self.from {
                continue;
            }
            if left.occurrences == 0 {
                left.is_cut = true;
                break;
            }
            left.occurrences -= 1;
            let till = self.end.filter(|_| end.is_some()).map(|(_, kind)| said(till, kind, zone));
            found.push(json!({ "start": said(at, self.start.1, zone), "end": till }));
        }
        found
    }
}

fn read(text: Option<&str>, kind: Kind) -> Option<DateTime> {
    match kind {
        Kind::Date => Some(text?.parse::<Date>().ok()?.to_datetime(Time::midnight())),
        _ => text?.parse().ok(),
    }
}

/// By the clock: what begins in an hour that a change of the clock leaves out begins after it.
fn said(at: DateTime, kind: Kind, zone: &TimeZone) -> String {
    match kind {
        Kind::Date => at.date().to_string(),
        _ => zone.to_timestamp(at).map_or_else(|_| String::new(), |at| at.to_string()),
    }
}
