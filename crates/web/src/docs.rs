//! Documents that several people write at once.

use crate::{Answer, Body, Person, State, extract::read, platform::language, transfer::of};
use axum::{
    Json, Router,
    extract::{Path, Query as Pairs, State as Has},
    http::{HeaderMap, header},
    response::IntoResponse,
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{Error, Result, within};
use records::docs::{self, Ask, Place};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Puts a document's words into its record: `{document}`.
pub(crate) const SETTLE: &str = "records.document";
/// Most that one request may add, in bytes.
const MOST: usize = 1_000_000;

pub(crate) fn routes() -> Router<State> {
    Router::new().route("/docs/{name}/{id}/{field}", get(export).post(sync))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// What the caller knows, in base64.
    vector: String,
    /// What he adds.
    update: Option<String>,
}

type At = Path<(String, String, String)>;

/// The entity must be one of the house's own tables, as in the records API.
fn entity<'a>(person: &'a Person, name: &str) -> Result<&'a kernel::Entity> {
    let entity = person.actor.catalog.entity(name)?;
    if person.actor.catalog.module(entity.module()).is_none() {
        return Err(Error::NotFound);
    }
    Ok(entity)
}

async fn sync(
    Has(state): Has<State>,
    person: Person,
    Path((name, id, field)): At,
    Body(body): Body,
) -> Answer<Json<Value>> {
    let Asked { vector, update } = read(body)?;
    let place = Place { entity: entity(&person, &name)?, record: known(&id)?, field: &field };
    let decoded = |text: &str, what: &str| {
        if text.len() > MOST / 3 * 4 {
            return Err(Error::refused_at(what, "These are too many changes at once."));
        }
        STANDARD.decode(text).map_err(|_| Error::malformed_at(what, "These are no changes of a document."))
    };
    place.access(&person.actor)?;
    let vector = decoded(&vector, "vector")?;
    let update = update.map(|u| decoded(&u, "update")).transpose()?;
    let ask = Ask { vector: &vector, update: update.as_deref() };
    let now = within!(state.store, &person.actor, tx => {
        let now = docs::sync(&tx, place, ask).await?;
        if let Some(due) = now.due {
            // One for a while of writing, whoever writes.
            let key = format!("document {} {due}", now.id);
            let new = flow::jobs::New {
                run_at: jiff::Timestamp::from_microsecond(due).ok(),
                key: Some(&key),
                ..flow::jobs::New::now(SETTLE, json!({ "document": now.id }))
            };
            flow::jobs::add(&tx, new).await?;
        }
        Ok(now)
    })?;
    Ok(Json(json!({
        "update": STANDARD.encode(&now.update),
        "vector": STANDARD.encode(&now.vector),
        "access": if now.may_write { "write" } else { "read" },
    })))
}

fn known(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| Error::NotFound)
}

async fn export(
    Has(state): Has<State>,
    person: Person,
    Path((name, id, field)): At,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Answer {
    let place = Place { entity: entity(&person, &name)?, record: known(&id)?, field: &field };
    let page = match of(&pairs, "format") {
        None | Some("md") => false,
        Some("html") => true,
        Some(_) => return Err(Error::malformed_at("format", "Choose one of: md, html.").into()),
    };
    place.access(&person.actor)?;
    let title = place.entity.title().to_owned();
    let record = records::get(
        &state.store,
        &person.actor,
        place.entity,
        place.record,
        std::slice::from_ref(&title),
        &[],
    )
    .await?;
    let title = record.value()?[&title].as_str().unwrap_or("document").to_owned();
    let language = language(&headers);
    let base = state.base_url.trim_end_matches('/');
    let text = within!(state.store, &person.actor, tx => {
        docs::export(&tx, place, page.then_some((title.as_str(), language, base))).await
    })?;
    let (ending, kind) =
        if page { ("html", "text/html; charset=utf-8") } else { ("md", "text/markdown; charset=utf-8") };
    let name = flow::files::disposition(
        &flow::files::clean_name(&format!("{title}.{ending}")),
        "application/octet-stream",
    );
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], text).into_response())
}

/// The job: what was written goes into the record. A document whose record is gone needs nothing.
pub(crate) async fn settle(job: &flow::Context) -> Result<Value> {
    let document =
        job.job.payload["document"].as_str().and_then(|id| id.parse::<Uuid>().ok()).ok_or(Error::NotFound)?;
    let nothing = json!({});
    within!(job.store, &job.actor, tx => {
        match docs::settle(&tx, document).await {
            Ok(()) | Err(Error::NotFound) => job.finish(&tx, &nothing).await,
            Err(e) => Err(e),
        }
    })?;
    Ok(nothing)
}
