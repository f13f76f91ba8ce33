use crate::{
    Answer, Body, Caller, State,
    extract::{Id, read},
    identity::Guest,
    platform::language,
    transfer::{handed_out, of},
};
use axum::{
    Json, Router,
    extract::{Path, Query as Pairs, State as Has},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use jiff::civil::Date;
use kernel::Error;
use records::Shown;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Links that show a view to whoever has them: docs/api.md, Views.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/shares", get(shares).post(share))
        .route("/shares/{id}", delete(take_back))
        .route("/public/{token}", post(open))
        .route("/public/{token}/rows", get(rows))
        .route("/public/{token}/aggregate", post(aggregate))
        .route("/public/{token}/widgets", get(widgets))
        .route("/public/{token}/pictures/{id}", get(picture))
}

type AllPairs = Pairs<Vec<(String, String)>>;

async fn shares(Has(state): Has<State>, caller: Caller, Pairs(pairs): AllPairs) -> Answer<Json<Value>> {
    let view = pairs.iter().find(|(name, _)| name == "view_id").and_then(|(_, id)| id.parse::<Uuid>().ok());
    let view = view.ok_or_else(|| Error::malformed_at("view_id", "Say whose links: the id of a view."))?;
    Ok(Json(json!({ "data": state.auth.shares(&caller.session, view).await? })))
}

async fn share(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer {
    let made = state.auth.create_share(&caller.session, &read(body)?).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn take_back(Has(state): Has<State>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    state.auth.delete_share(&caller.session, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Proves that the link was opened, with its password where it has one.
const KEY: &str = "x-share-key";

/// To nobody's search, and to be kept by nobody.
const NOT_LISTED: [(HeaderName, HeaderValue); 1] =
    [(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"))];

fn unlisted(body: Value) -> Response {
    (NOT_LISTED, Json(body)).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    password: Option<String>,
}

async fn open(
    Has(state): Has<State>,
    Guest(visit): Guest,
    Path(token): Path<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let Opening { password } = read(body)?;
    let (shared, key) = state.auth.open_share(&token, password.as_deref(), &visit).await?;
    let entity = shared.actor.catalog.entity(&shared.entity)?;
    let shown = Shown::new(&state.store, &shared.actor, entity, &shared.kind, &shared.state)?;
    let mut body = shown.describe(state.store.modules(), language(&headers));
    body["name"] = json!(shared.name);
    body["kind"] = json!(shared.kind);
    body["key"] = json!(key);
    body["expires_at"] = json!(shared.expires_at);
    body["currency"] = json!(shared.currency);
    body["zone"] = json!(shared.actor.zone.iana_name());
    Ok(unlisted(body))
}

async fn opened(state: &State, token: &str, headers: &HeaderMap, request: Uuid) -> Answer<auth::Shared> {
    let key = headers.get(KEY).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Ok(state.auth.share(token, key, request).await?)
}

async fn rows(
    Has(state): Has<State>,
    Guest(visit): Guest,
    Path(token): Path<String>,
    headers: HeaderMap,
    Pairs(pairs): AllPairs,
) -> Answer {
    let shared = opened(&state, &token, &headers, visit.request).await?;
    let (mut offset, mut limit, mut lane, mut from, mut to) = (0, 50, None, None, None);
    let dated = ["calendar", "timeline"].contains(&shared.kind.as_str());
    for (name, value) in &pairs {
        let day = || value.parse::<Date>().map_err(|_| Error::malformed_at(name, "This is not a day."));
        let number = || {
            let number = value.parse().ok().filter(|n| *n <= MOST_OFFSET);
            number.ok_or_else(|| Error::malformed_at(name, "This is a whole number."))
        };
        match name.as_str() {
            "offset" => offset = number()?,
            "limit" => limit = number()?,
            "lane" if shared.kind == "board" => lane = Some(value.as_str()),
            "from" if dated => from = Some(day()?),
            "to" if dated => to = Some(day()?),
            _ => return Err(Error::malformed_at(name, "There is no such parameter.").into()),
        }
    }
    let entity = shared.actor.catalog.entity(&shared.entity)?;
    let shown = Shown::new(&state.store, &shared.actor, entity, &shared.kind, &shared.state)?;
    Ok(unlisted(shown.rows(offset, limit, lane, from.zip(to)).await?))
}

const MOST_OFFSET: u32 = 100_000;

async fn aggregate(
    Has(state): Has<State>,
    Guest(visit): Guest,
    Path(token): Path<String>,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let shared = opened(&state, &token, &headers, visit.request).await?;
    let entity = shared.actor.catalog.entity(&shared.entity)?;
    let shown = Shown::new(&state.store, &shared.actor, entity, &shared.kind, &shared.state)?;
    Ok(unlisted(shown.aggregate(&body).await?))
}

/// All that a dashboard says; there is nothing to be asked.
async fn widgets(
    Has(state): Has<State>,
    Guest(visit): Guest,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let shared = opened(&state, &token, &headers, visit.request).await?;
    if shared.kind != "dashboard" {
        return Err(Error::NotFound.into());
    }
    let entity = shared.actor.catalog.entity(&shared.entity)?;
    let shown = Shown::new(&state.store, &shared.actor, entity, &shared.kind, &shared.state)?;
    Ok(unlisted(shown.widgets(state.store.modules(), language(&headers)).await?))
}

/// A picture that a gallery shows, and no other file. An image of a page sends no headers: its key is in the address.
async fn picture(
    Has(state): Has<State>,
    Guest(visit): Guest,
    Path((token, id)): Path<(String, Uuid)>,
    Pairs(pairs): AllPairs,
) -> Answer {
    let key = of(&pairs, "key").unwrap_or_default();
    let shared = state.auth.share(&token, key, visit.request).await?;
    let entity = shared.actor.catalog.entity(&shared.entity)?;
    let shown = Shown::new(&state.store, &shared.actor, entity, &shared.kind, &shared.state)?;
    let opened = state.files.read(&state.store, &shared.actor, id).await?;
    shown.picture(opened.stored.record_id.ok_or(Error::NotFound)?, id).await?;
    Ok((NOT_LISTED, handed_out(opened)).into_response())
}
