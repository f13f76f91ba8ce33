//! The condition language of filters, triggers, branches, views and visibility rules: one JSON tree, one meaning, two
//! executors. `Checked::sql` and `Checked::matches` agree on every row; `tests/differential.rs` tries to prove otherwise.
//!
//! What it means:
//! * **Two-valued and total.** A comparison with a value that is missing or of another type is false, and `not_x` is exactly
//!   NOT x, so `status not_equals won` keeps the rows without a status. A group without rules asks nothing, whatever its
//!   operator, and is as if it were not there. `NOT` denies its rules taken together.
//! * **Numbers** are exact decimals. **Text** is compared by code point; `*_ci` in the lower case of ICU's root locale.
//! * **Dates** are days in `Context::zone`. A day asked of an instant is the whole of that day: `on_or_before 2024-05-31`
//!   includes its evening. Relative values become constants in `check`; weeks begin on Monday.
//!
//! * **Lines.** `{"field": "lines", "quantifier": "any", "where": …}` asks of the rows that belong to a record; `any` without a
//!   `where` asks whether there is one, and of no rows `all` and `none` hold. `{"field": "lines.price", "quantifier": "all",
//!   "operator": …}` is short for a `where` of one rule.
//! * **`matches`** searches a text for a regular expression, read once and written anew for PostgreSQL, see `pattern.rs`; edges of
//!   words and counts above 255 are refused. **`matches_fts`** asks whether all words of the value are words of the text, in
//!   any case; `pip*` is the start of one. It knows no grammar: that is what the search `q` is for.
//! * **`within_km`** asks of a document `{"lat", "lon"}`, or of a number named `latitude` beside its `longitude`, how far the great circle to `{"lat", "lon", "km"}` is, on a sphere of
//!   6371.0088 km (the mean radius of the International Union of Geodesy and Geophysics).
//!
//! What it refuses, with a sentence: `valueType: expr`, and `in_my_department` where nobody keeps departments. `$old`, `$new`, `$levels`, `$flow`, `$event`
//! and `changed…` work where the `Schema` resolves those paths, that is, in triggers and flows.

mod check;
mod eval;
mod parse;
mod pattern;
mod relative;
mod value;

pub use eval::Checked;

use serde::Serialize;

/// What a field holds, however its column is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Number,
    Date,
    Instant,
    Bool,
    Id,
    TextList,
    Json,
}

/// What a path resolves to. `sql` is an expression of the kind's PostgreSQL type (text, numeric, date, timestamptz, boolean,
/// uuid, text[], jsonb) that raises no error on any row; it is written as it stands when it is a column, else in parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRef {
    pub kind: Kind,
    pub sql: String,
}

/// The entity that a condition is about.
pub trait Schema {
    /// What a path means, or a sentence why there is no such field (or none for this person). `&mut` because
    /// `customer.name` may add a join.
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String>;

    /// The rows that belong to a record, such as an order's lines, and what is left of the path after what names them; or a
    /// sentence why there are none.
    fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String>;
}

/// The rows that belong to a record, for a condition with a quantifier.
pub trait Part: Schema {
    /// `table and joins where tied to the record`, so that more conditions can follow; asked when all paths are resolved.
    fn rows(&self) -> String;
}

/// What a condition may refer to that does not come from the row.
#[derive(Clone, Debug)]
pub struct Context {
    /// The UUID of the person who asks: `$actor.id`, `me`, `is_current_user`.
    pub user: String,
    pub roles: Vec<String>,
    /// The ids of those that the person belongs to; nothing where departments are not kept.
    pub departments: Option<Vec<String>>,
    pub now: jiff::Timestamp,
    /// The organization's: where a day begins.
    pub zone: jiff::tz::TimeZone,
}

/// What is wrong with a condition, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A JSON pointer into the condition as it was sent.
    pub pointer: String,
    pub message: String,
}

impl Problem {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { pointer: pointer.into(), message: message.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Problem { pointer, message } = self;
        if pointer.is_empty() { f.write_str(message) } else { write!(f, "{pointer}: {message}") }
    }
}

/// A condition that was read, but not yet held against an entity.
#[derive(Clone, Debug)]
pub struct Condition(parse::Ast);

/// A value for a placeholder. Always sent as text (a list as text[]): the SQL casts it, `$3::text::numeric`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Param {
    Text(Option<String>),
    Number(String),
    Date(String),
    Instant(String),
    Bool(bool),
    Id(String),
    List(Vec<String>),
}

/// The row that a condition is tried on in memory.
pub trait Row {
    /// The value at a path, as written in the condition; null when it is missing. Numbers come as JSON numbers or as strings
    /// (`"12.50"`), dates as `2024-05-31`, instants as `2024-05-31T10:20:30.123456+05:00`. Anything else counts as missing.
    /// What belongs to a record, such as its lines, is an array of objects.
    /// Of a custom field of numbers only a JSON number counts, as to `app.j_number`: answer null for a string.
    fn value(&self, path: &str) -> serde_json::Value;
}

/// A JSON object is a row: a path is one of its keys, or leads through nested objects.
impl Row for serde_json::Value {
    fn value(&self, path: &str) -> serde_json::Value {
        let nested = || path.split('.').try_fold(self, |value, key| value.get(key));
        self.get(path).or_else(nested).cloned().unwrap_or_default()
    }
}
