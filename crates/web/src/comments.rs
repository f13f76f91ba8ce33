use crate::{
    Answer, Body, Person, State,
    extract::{Id, read},
    transfer::of,
};
use axum::{
    Json, Router,
    extract::{Query as Pairs, State as Has},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, patch, post},
};
use flow::comments;
use kernel::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// What people say about records.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/comments", get(list).post(add))
        .route("/comments/people", get(people))
        .route("/comments/seen", post(see))
        .route("/comments/{id}", patch(edit).delete(remove))
        .route("/comments/{id}/react", post(react))
}

/// The entity must be one that the person may read at all: a member of no role has the tables' rows hidden, not their names.
pub(crate) fn readable(person: &Person, name: &str) -> Answer<()> {
    let entity = person.actor.catalog.entity(name)?;
    if person.actor.catalog.module(entity.module()).is_some() && person.actor.access.may(entity, "read") {
        return Ok(());
    }
    Err(Error::NotFound.into())
}

/// A key that only reads says nothing.
fn may(person: &Person, action: &str) -> Answer<()> {
    if person.actor.access.may(person.actor.catalog.entity("social.comments")?, action) {
        return Ok(());
    }
    Err(Error::Forbidden("You may not say anything here.".into()).into())
}

async fn list(
    Has(state): Has<State>,
    person: Person,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Answer<Json<Value>> {
    let entity = of(&pairs, "entity").unwrap_or_default();
    let record: Uuid = of(&pairs, "record").and_then(|r| r.parse().ok()).ok_or(Error::NotFound)?;
    readable(&person, entity)?;
    let data = comments::list(&state.store, &person.actor, entity, record).await?;
    let seen = comments::seen(&state.store, &person.actor, entity, record).await?;
    Ok(Json(json!({ "data": data, "seen_at": seen })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    entity: String,
    record: Uuid,
}

async fn see(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer<Json<Value>> {
    let Looked { entity, record } = read(body)?;
    readable(&person, &entity)?;
    Ok(Json(json!({ "seen_at": comments::see(&state.store, &person.actor, &entity, record).await? })))
}

/// Whether a colleague reaches a record.
async fn reaches(state: &State, organization: Uuid, user: Uuid, entity: &str, record: Uuid) -> bool {
    let Ok(colleague) = state.auth.actor_of(organization, user, Uuid::now_v7()).await else { return false };
    let Ok(of) = colleague.catalog.entity(entity) else { return false };
    records::get(&state.store, &colleague, of, record, &["id".into()], &[]).await.is_ok()
}

/// Who could be named in a comment: at most eight, found by the beginning of a word of the name or of the address.
async fn people(
    Has(state): Has<State>,
    person: Person,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Answer<Json<Value>> {
    let entity = of(&pairs, "entity").unwrap_or_default();
    let record: Uuid = of(&pairs, "record").and_then(|r| r.parse().ok()).ok_or(Error::NotFound)?;
    readable(&person, entity)?;
    let actor = &person.actor;
    let known = person.actor.catalog.entity(entity)?;
    records::get(&state.store, actor, known, record, &["id".into()], &[]).await?;
    let mut found = Vec::new();
    for (user, name) in comments::colleagues(&state.store, actor, of(&pairs, "q").unwrap_or_default()).await?
    {
        if found.len() < 8 && reaches(&state, actor.organization, user, entity, record).await {
            found.push(json!({ "id": user, "name": name }));
        }
    }
    Ok(Json(json!({ "data": found })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    entity: String,
    record: Uuid,
    body: String,
    parent_id: Option<Uuid>,
    #[serde(default)]
    mentions: Vec<Uuid>,
}

async fn add(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer {
    may(&person, "create")?;
    let New { entity, record, body, parent_id, mentions } = read(body)?;
    readable(&person, &entity)?;
    let place = format!("/o/{}/r/{record}?tab=comments", entity.replace('.', "-"));
    let link = format!("{}{place}", state.base_url.trim_end_matches('/'));
    let link = (!state.base_url.is_empty()).then_some(link.as_str());
    let parent = parent_id;
    let new = comments::New { entity: &entity, record, body: &body, parent, mentions: &mentions, link };
    let organization = person.actor.organization;
    let may_read = |user: Uuid| reaches(&state, organization, user, &entity, record);
    let made = comments::add(&state.store, &person.actor, &new, may_read).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    body: String,
}

async fn edit(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, "update")?;
    let Words { body } = read(body)?;
    Ok(Json(comments::edit(&state.store, &person.actor, id, &body).await?))
}

async fn remove(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    may(&person, "update")?;
    comments::remove(&state.store, &person.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sign {
    sign: String,
}

async fn react(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, "create")?;
    let Sign { sign } = read(body)?;
    Ok(Json(json!({ "reactions": comments::react(&state.store, &person.actor, id, &sign).await? })))
}
