use crate::{
    Answer, Body, Person, State,
    extract::{Id, read},
    transfer::{id_of, of},
};
use axum::{
    Json, Router,
    extract::{Query as Pairs, State as Has},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, patch, post},
};
use flow::{
    conversations::{self, Change, Sort},
    messages::{self, Which},
};
use kernel::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// What people write to each other outside of records.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/conversations", get(list).post(create))
        .route("/conversations/open", get(open))
        .route("/conversations/{id}", get(one).patch(change))
        .route("/conversations/{id}/join", post(join))
        .route("/conversations/{id}/members", post(add))
        .route("/conversations/{id}/leave", post(leave))
        .route("/conversations/{id}/read", post(seen))
        .route("/conversations/{id}/messages", get(written).post(send))
        .route("/messages", get(search))
        .route("/messages/{id}", patch(edit).delete(remove))
        .route("/messages/{id}/react", post(react))
}

type AllPairs = Pairs<Vec<(String, String)>>;

/// A key that only reads writes nothing.
fn may(person: &Person, entity: &str, action: &str) -> Answer<()> {
    if person.actor.access.may(person.actor.catalog.entity(entity)?, action) {
        return Ok(());
    }
    Err(Error::Forbidden("You may not do this with messages.".into()).into())
}

async fn list(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer<Json<Value>> {
    may(&person, conversations::EVENT, "read")?;
    let archived = of(&pairs, "archived") == Some("true");
    let before = id_of(&pairs, "cursor")?;
    let (data, next, unread) = conversations::list(&state.store, &person.actor, archived, before).await?;
    Ok(Json(json!({ "data": data, "next": next, "unread": unread })))
}

async fn open(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer<Json<Value>> {
    may(&person, conversations::EVENT, "read")?;
    let found = conversations::joinable(&state.store, &person.actor, of(&pairs, "q").unwrap_or_default());
    Ok(Json(json!({ "data": found.await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    kind: String,
    name: Option<String>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    members: Vec<Uuid>,
}

async fn create(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer {
    may(&person, conversations::EVENT, "create")?;
    let New { kind, name, open, members } = read(body)?;
    let sort = Sort::parse(&kind);
    let sort = sort.ok_or_else(|| Error::malformed_at("kind", "One of direct, group and channel."))?;
    let new = conversations::New { sort, name: name.as_deref(), open, people: &members };
    let (made, fresh) = conversations::create(&state.store, &person.actor, &new).await?;
    Ok((if fresh { StatusCode::CREATED } else { StatusCode::OK }, Json(made)).into_response())
}

async fn one(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<Json<Value>> {
    Ok(Json(conversations::get(&state.store, &person.actor, id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    name: Option<String>,
    open: Option<bool>,
    archived: Option<bool>,
    muted: Option<bool>,
}

async fn change(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, conversations::EVENT, "update")?;
    let Changed { name, open, archived, muted } = read(body)?;
    let change = Change { name: name.as_deref(), open, archived, muted };
    Ok(Json(conversations::change(&state.store, &person.actor, id, &change).await?))
}

async fn join(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<Json<Value>> {
    may(&person, conversations::EVENT, "update")?;
    Ok(Json(conversations::enrol(&state.store, &person.actor, id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct People {
    members: Vec<Uuid>,
}

async fn add(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, conversations::EVENT, "update")?;
    let People { members } = read(body)?;
    Ok(Json(conversations::add(&state.store, &person.actor, id, &members).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    /// Without it the caller himself.
    member: Option<Uuid>,
}

async fn leave(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<StatusCode> {
    may(&person, conversations::EVENT, "update")?;
    let Who { member } = read(body)?;
    let who = member.unwrap_or(person.actor.user);
    conversations::leave(&state.store, &person.actor, id, who).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpTo {
    number: i64,
}

async fn seen(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, conversations::EVENT, "update")?;
    let UpTo { number } = read(body)?;
    Ok(Json(conversations::read(&state.store, &person.actor, id, number).await?))
}

fn number(pairs: &[(String, String)], name: &str) -> Answer<Option<i64>> {
    let number = of(pairs, name).map(str::parse).transpose();
    Ok(number.map_err(|_| Error::malformed_at(name, "This is not a number."))?)
}

async fn written(
    Has(state): Has<State>,
    person: Person,
    Id(id): Id,
    Pairs(pairs): AllPairs,
) -> Answer<Json<Value>> {
    may(&person, messages::ENTITY, "read")?;
    let which = Which {
        before: number(&pairs, "before")?,
        from: number(&pairs, "from")?,
        q: of(&pairs, "q").unwrap_or_default(),
        thread: id_of(&pairs, "thread")?,
    };
    let (data, more) = messages::list(&state.store, &person.actor, id, &which).await?;
    Ok(Json(json!({ "data": data, "more": more })))
}

async fn search(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer<Json<Value>> {
    may(&person, messages::ENTITY, "read")?;
    let q = of(&pairs, "q").unwrap_or_default();
    Ok(Json(json!({ "data": messages::search(&state.store, &person.actor, q).await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    id: Option<Uuid>,
    body: String,
    parent_id: Option<Uuid>,
    #[serde(default)]
    mentions: Vec<Uuid>,
    #[serde(default)]
    files: Vec<Uuid>,
}

async fn send(Has(state): Has<State>, person: Person, Id(conversation): Id, Body(body): Body) -> Answer {
    may(&person, messages::ENTITY, "create")?;
    let Said { id, body, parent_id, mentions, files } = read(body)?;
    let base = state.base_url.trim_end_matches('/');
    let link = format!("{base}/messages/{conversation}");
    let new = messages::New {
        conversation,
        id: id.unwrap_or_else(Uuid::now_v7),
        body: &body,
        parent: parent_id,
        mentions: &mentions,
        files: &files,
        link: (!base.is_empty()).then_some(&link),
    };
    let made = messages::send(&state.store, &person.actor, &new).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    body: String,
}

async fn edit(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, messages::ENTITY, "update")?;
    let Words { body } = read(body)?;
    Ok(Json(messages::edit(&state.store, &person.actor, id, &body).await?))
}

async fn remove(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    may(&person, messages::ENTITY, "update")?;
    messages::remove(&state.store, &person.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sign {
    sign: String,
}

async fn react(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, messages::ENTITY, "create")?;
    let Sign { sign } = read(body)?;
    Ok(Json(messages::react(&state.store, &person.actor, id, &sign).await?))
}
