use crate::{Answer, Body, Person, State, extract::only};
use axum::{
    Json, Router,
    extract::{Path, State as Has},
    routing::{get, put},
};
use kernel::Error;
use serde_json::{Value, json};

/// How the company numbers its documents.
pub(crate) fn routes() -> Router<State> {
    Router::new().route("/numbers", get(list)).route("/numbers/{series}", put(set))
}

async fn list(Has(state): Has<State>, person: Person) -> Answer<Json<Value>> {
    Ok(Json(json!({ "data": flow::numbers::list(&state.store, &person.actor).await? })))
}

/// `{"pattern": "INV-{yyyy}-00000"}`; null is as the product does.
async fn set(
    Has(state): Has<State>,
    person: Person,
    Path(series): Path<String>,
    Body(body): Body,
) -> Answer<Json<Value>> {
    only(&body, &["pattern"])?;
    let pattern = match &body["pattern"] {
        Value::Null => None,
        Value::String(pattern) => Some(pattern.as_str()),
        _ => return Err(Error::malformed_at("pattern", "This is a text.").into()),
    };
    Ok(Json(flow::numbers::set(&state.store, &person.actor, &series, pattern).await?))
}
