//! Records of any entity: read, write, act, count, bring in, hand out. The catalog says what there is; this crate
//! names no entity.
//!
//! Invariants:
//! - A name gets into SQL text only out of the catalog; a value only as a parameter.
//! - Every table in a statement is tied to `$1`, the organization.
//! - A field that a person may not see is in no answer, filter, order, group or file.

pub mod approvals;
pub mod bulk;
pub mod computed;
pub mod conditional;
mod critical;
pub mod docs;
mod export;
mod extra;
mod formula;
pub mod import;
pub mod meta;
mod occurs;
mod openapi;
mod plan;
mod print;
mod query;
mod recurrence;
pub mod reports;
mod select;
mod shown;
mod start;
mod talk;
pub mod triggers;
mod value;
pub mod views;
mod write;

pub use critical::critical;
pub use export::export;
pub use extra::{aggregate, audit, audit_csv, changes, history, search};
pub use openapi::openapi;
pub use print::print;
pub use query::{Count, MOST_ROWS, Query, Record, get, list};
pub use shown::Shown;
pub use start::start;
pub use talk::talk;
pub use write::{
    Acted, Ask, Key, Once, act, act_once, act_within, acted, change, change_within, create, create_once,
    create_within, delete, read_value, restore,
};
