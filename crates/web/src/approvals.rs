use crate::{
    Answer, Body, Person, State,
    extract::{Id, only, read},
    platform::language,
    sentences,
    transfer::{id_of, of},
};
use axum::{
    Json, Router,
    extract::{Query as Pairs, State as Has},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{delete, get, post, put},
};
use flow::{
    approval_rules::{self, Rule},
    approvals::{self, Decision},
};
use kernel::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// What waits for approval, when something does, and who stands in for whom.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/approvals", get(list))
        .route("/approvals/_decide", post(decide_all))
        .route("/approvals/{id}", get(one))
        .route("/approvals/{id}/decide", post(decide))
        .route("/approvals/{id}/answer", post(answer))
        .route("/approvals/{id}/withdraw", post(withdraw))
        .route("/approval-rules", get(rules).post(add_rule))
        .route("/approval-rules/{id}", put(put_rule).delete(drop_rule))
        .route("/delegations", get(delegations).post(delegate))
        .route("/delegations/{id}", delete(end_delegation))
}

/// A key that only reads decides nothing.
fn may(person: &Person, entity: &str, action: &str) -> Answer<()> {
    if person.actor.access.may(person.actor.catalog.entity(entity)?, action) {
        return Ok(());
    }
    Err(Error::Forbidden("You may not do this.".into()).into())
}

const REQUESTS: &str = "app.approval_requests";
const DELEGATIONS: &str = "app.delegations";

/// `of`: mine to decide, requested by me, decided by me, all; or those about a record, for whoever may read it.
async fn list(
    Has(state): Has<State>,
    person: Person,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Answer<Json<Value>> {
    may(&person, REQUESTS, "read")?;
    let (store, actor) = (&state.store, &person.actor);
    if let Some(name) = of(&pairs, "entity") {
        let entity = actor.catalog.entity(name)?;
        let record = id_of(&pairs, "record")?.ok_or(Error::NotFound)?;
        if actor.catalog.module(entity.module()).is_none() {
            return Err(Error::NotFound.into());
        }
        records::get(store, actor, entity, record, &["id".into()], &[]).await?;
        return Ok(Json(json!({ "data": approvals::of_record(store, actor, name, record).await? })));
    }
    let which = of(&pairs, "of").unwrap_or("mine");
    let data = approvals::list(store, actor, which, of(&pairs, "state"), id_of(&pairs, "cursor")?).await?;
    let last = data.as_array().filter(|all| all.len() == 50 && which != "mine").and_then(|all| all.last());
    Ok(Json(json!({ "data": data, "next": last.map(|r| r["id"].clone()) })))
}

async fn one(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<Json<Value>> {
    may(&person, REQUESTS, "read")?;
    Ok(Json(approvals::get(&state.store, &person.actor, id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    decision: String,
    comment: Option<String>,
    to: Option<Uuid>,
    ids: Option<Vec<Uuid>>,
}

impl Decided {
    fn as_one(&self) -> Decision<'_> {
        Decision { decision: &self.decision, comment: self.comment.as_deref(), to: self.to }
    }
}

async fn decide(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, REQUESTS, "update")?;
    only(&body, &["decision", "comment", "to"])?;
    let decided: Decided = read(body)?;
    Ok(Json(approvals::decide(&state.store, &person.actor, id, &decided.as_one()).await?))
}

async fn decide_all(
    Has(state): Has<State>,
    person: Person,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer<Json<Value>> {
    may(&person, REQUESTS, "update")?;
    let decided: Decided = read(body)?;
    let ids = decided.ids.as_deref().ok_or_else(|| Error::malformed_at("ids", "This is a list of ids."))?;
    let mut told = approvals::decide_all(&state.store, &person.actor, ids, &decided.as_one()).await?;
    sentences::messages(state.store.catalog(), language(&headers), &mut told);
    Ok(Json(told))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    comment: Option<String>,
}

async fn answer(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<Json<Value>> {
    may(&person, REQUESTS, "update")?;
    let Said { comment } = read(body)?;
    let said = comment.unwrap_or_default();
    Ok(Json(approvals::answer(&state.store, &person.actor, id, &said).await?))
}

async fn withdraw(
    Has(state): Has<State>,
    person: Person,
    Id(id): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    may(&person, REQUESTS, "update")?;
    let Said { comment } = read(body)?;
    Ok(Json(approvals::withdraw(&state.store, &person.actor, id, comment.as_deref()).await?))
}

async fn rules(Has(state): Has<State>, person: Person) -> Answer<Json<Value>> {
    Ok(Json(json!({ "data": approval_rules::list(&state.store, &person.actor).await? })))
}

async fn add_rule(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer {
    let rule: Rule = read(body)?;
    let made = approval_rules::put(&state.store, &person.actor, None, &rule).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn put_rule(
    Has(state): Has<State>,
    person: Person,
    Id(id): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    let rule: Rule = read(body)?;
    Ok(Json(approval_rules::put(&state.store, &person.actor, Some(id), &rule).await?))
}

async fn drop_rule(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    approval_rules::remove(&state.store, &person.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delegations(Has(state): Has<State>, person: Person) -> Answer<Json<Value>> {
    may(&person, DELEGATIONS, "read")?;
    Ok(Json(json!({ "data": approvals::delegations(&state.store, &person.actor).await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Away {
    person: Option<Uuid>,
    delegate: Uuid,
    starts_on: Option<String>,
    ends_on: String,
    reason: Option<String>,
}

async fn delegate(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer {
    may(&person, DELEGATIONS, "create")?;
    let away: Away = read(body)?;
    let days = (away.starts_on.as_deref(), away.ends_on.as_str());
    let made = approvals::delegate(
        &state.store,
        &person.actor,
        away.person,
        away.delegate,
        days,
        away.reason.as_deref(),
    )
    .await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn end_delegation(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    may(&person, DELEGATIONS, "update")?;
    approvals::end_delegation(&state.store, &person.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
