//! What a new company begins with: units, taxes and the like, said by `[[start]]` of module.toml.

use crate::create;
use kernel::{Actor, Result, Store};
use serde_json::Value;

/// Makes the records that the modules give a company of this country, in its language, as the person who founds it.
///
/// `[[start]]` has `entity` and `body`; with `country` only there; `texts.<language>` over the body.
///
/// # Errors
/// As [`create`]; what was made until then stays.
pub async fn start(store: &Store, actor: &Actor, country: &str, language: &str) -> Result<()> {
    let catalog = &actor.catalog;
    for first in catalog.modules.iter().flat_map(|m| m.meta["start"].as_array().into_iter().flatten()) {
        if first["country"].as_str().is_some_and(|c| c != country) {
            continue;
        }
        let entity = catalog.entity(first["entity"].as_str().unwrap_or_default())?;
        // Not of a module that this company did not choose.
        if !actor.access.may(entity, "create") {
            continue;
        }
        let mut body = first["body"].clone();
        if let (Some(body), Value::Object(texts)) = (body.as_object_mut(), &first["texts"][language]) {
            body.extend(texts.clone());
        }
        create(store, actor, entity, &body).await?;
    }
    Ok(())
}
