use crate::{
    Answer, Body, Person, State,
    extract::{Id, read},
    platform::language,
    sentences,
    transfer::{id_of, of},
};
use axum::{
    Json, Router,
    extract::{Query as Pairs, State as Has},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use flow::triggers::{self, Trigger, Wanted};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// What happens by itself, and the log of it.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/triggers", get(list).post(add))
        .route("/triggers/{id}", get(one).put(change).delete(remove))
        .route("/triggers/{id}/try", post(attempt))
        .route("/trigger-executions", get(executions))
        .route("/trigger-executions/{id}", get(execution))
}

async fn list(Has(state): Has<State>, person: Person) -> Answer<Json<Value>> {
    Ok(Json(json!({ "data": triggers::list(&state.store, &person.actor).await? })))
}

async fn one(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<Json<Value>> {
    Ok(Json(triggers::get(&state.store, &person.actor, id).await?))
}

async fn add(Has(state): Has<State>, person: Person, headers: HeaderMap, Body(body): Body) -> Answer {
    let trigger: Trigger = read(body)?;
    let made = triggers::put(&state.store, &person.actor, None, &trigger, language(&headers)).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn change(
    Has(state): Has<State>,
    person: Person,
    headers: HeaderMap,
    Id(id): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    let trigger: Trigger = read(body)?;
    Ok(Json(triggers::put(&state.store, &person.actor, Some(id), &trigger, language(&headers)).await?))
}

async fn remove(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    triggers::remove(&state.store, &person.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    record: Uuid,
}

async fn attempt(
    Has(state): Has<State>,
    person: Person,
    headers: HeaderMap,
    Id(id): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    let About { record } = read(body)?;
    let mut told = triggers::attempt(&state.store, &person.actor, id, record).await?;
    sentences::messages(&person.actor.catalog, language(&headers), &mut told["actions"]);
    Ok(Json(told))
}

/// `?trigger=`, `?status=`, `?outcome=`, `?cursor=`.
async fn executions(
    Has(state): Has<State>,
    person: Person,
    headers: HeaderMap,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Answer<Json<Value>> {
    let wanted = Wanted {
        trigger: id_of(&pairs, "trigger")?,
        status: of(&pairs, "status"),
        outcome: of(&pairs, "outcome"),
        before: id_of(&pairs, "cursor")?,
    };
    let mut data = Value::from(triggers::executions(&state.store, &person.actor, &wanted).await?);
    sentences::messages(&person.actor.catalog, language(&headers), &mut data);
    let last = data.as_array().filter(|all| all.len() == 50).and_then(|all| all.last());
    let next = last.map(|run| run["id"].clone());
    Ok(Json(json!({ "data": data, "next": next })))
}

async fn execution(
    Has(state): Has<State>,
    person: Person,
    headers: HeaderMap,
    Id(id): Id,
) -> Answer<Json<Value>> {
    let mut told = triggers::execution(&state.store, &person.actor, id).await?;
    let said = language(&headers);
    for part in ["actions_executed", "message"] {
        let mut answer = json!({ part: told[part].take() });
        sentences::messages(&person.actor.catalog, said, &mut answer);
        told[part] = answer[part].take();
    }
    Ok(Json(told))
}
