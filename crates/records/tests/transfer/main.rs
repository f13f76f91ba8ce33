//! Files in and out, with the modules as they are shipped but for their rules.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod exporting;
mod importing;
mod northwind;
mod spreadsheets;

use kernel::Module;
use records::import::{self, Mode, Source};
use serde_json::{Value, json};
use std::{io::Write, path::Path};
use testkit::{Person, Scene};

macro_rules! module {
    ($name:literal) => {
        Module {
            name: $name,
            schema: include_str!(concat!("../../../../modules/", $name, "/schema.sql")),
            meta: include_str!(concat!("../../../../modules/", $name, "/module.toml")),
            readme: "",
            texts: &[],
            changes: &[],
            rules: &[],
            actions: &[],
            calls: &[],
        }
    };
}

static PARTIES: Module = module!("parties");
static PRODUCTS: Module = module!("products");
static SALES: Module = module!("sales");
static MODULES: &[&Module] = &[&PARTIES, &PRODUCTS, &SALES];

async fn scene() -> Scene {
    spreadsheets::use_this_program();
    testkit::scene(MODULES).await
}

fn file(bytes: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    file
}

/// Imports a file in one go.
async fn bring(person: &Person, entity: &str, path: &Path, mapping: Value, upsert: Option<&str>) -> Value {
    try_bring(person, entity, path, mapping, upsert, Mode::Run).await.unwrap_or_else(|e| panic!("{e}"))
}

async fn try_bring(
    person: &Person,
    entity: &str,
    path: &Path,
    mapping: Value,
    upsert: Option<&str>,
    mode: Mode,
) -> kernel::Result<Value> {
    let catalog = person.store.catalog().clone();
    let source = Source { path: path.to_owned(), format: None, name: path.display().to_string() };
    let mapping = (!mapping.is_null()).then_some(&mapping);
    import::one_shot(&person.store, &person.actor, catalog.entity(entity)?, &source, mapping, upsert, mode)
        .await
}

fn counts(import: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "failed"].map(|n| import[n].as_u64().unwrap())
}

#[track_caller]
fn all_right(import: &Value, created: u64) {
    assert_eq!(counts(import), [created, 0, 0, 0], "{}", import["errors"]);
    assert_eq!(import["status"], "done");
}

async fn all(person: &Person, entity: &str, query: &[(&str, &str)]) -> Vec<Value> {
    let list = person.list(entity, &[query, &[("limit", "500")]].concat()).await.ok();
    list["data"].as_array().unwrap().clone()
}

fn id_of(import: &Value) -> uuid::Uuid {
    import["id"].as_str().unwrap().parse().unwrap()
}

async fn undo(person: &Person, import: &Value) -> kernel::Result<Value> {
    import::undo(&person.store, &person.actor, id_of(import)).await
}

fn null() -> Value {
    json!(null)
}
