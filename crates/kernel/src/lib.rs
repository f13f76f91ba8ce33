//! What every other crate stands on: who asks, one transaction, the catalog, and what can go wrong.
//!
//! Invariants:
//! - Nobody reaches a tenant's table but through [`Store`], as an [`Actor`] inside an organization.
//! - Code that is handed a [`Tx`] cannot commit it.
//! - This crate names no business entity.

mod access;
mod catalog;
mod error;
mod install;
mod json;
mod language;
mod module;
mod overlay;
mod row;
mod secret;
mod sql;
mod store;

pub use access::{Access, FieldAccess, Role, Scope};
pub use catalog::{
    Catalog, Column, Constraint, Entity, Kind, MEMBERS, ModuleInfo, Part, RoleTemplate, Transition,
};
pub use error::{Error, Fault, Result};
pub use install::{Installed, gate, install, schema_fingerprint, step_back};
pub use json::{id, read_json};
pub use language::{LANGUAGES, spoken};
pub use module::{Action, Call, Future, Module, Rule, When};
pub use overlay::{CustomField, CustomTable, Overlay, is_computed};
pub use row::write_json;
pub use secret::Secrets;
pub use sql::Sql;
#[doc(hidden)]
pub use sql::submit;
pub use store::{Actor, Event, Store, System, Turn, Tx, Values, actions, call, rules};

pub use tokio_postgres::Row;

use serde_json::Value;
