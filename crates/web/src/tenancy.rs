use crate::{
    Answer, Body, Caller, State,
    extract::{Id, read},
};
use axum::{
    Json, Router,
    extract::{Path, State as Has},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, patch, post, put},
};
use serde_json::{Value, json};

/// Workspaces, settings and the first steps of the company that the session is in.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/workspaces", get(workspaces).post(create_workspace))
        .route("/workspaces/{id}", patch(update_workspace))
        .route("/settings", get(settings))
        .route("/settings/{key}", put(set))
        .route("/onboarding", get(onboarding))
        .route("/onboarding/{step}/dismiss", post(dismiss))
}

async fn workspaces(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(json!({ "data": state.auth.workspaces(&caller.session).await? })))
}

async fn create_workspace(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer {
    let made = state.auth.create_workspace(&caller.session, &read(body)?).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn update_workspace(
    Has(state): Has<State>,
    caller: Caller,
    Id(id): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    Ok(Json(state.auth.update_workspace(&caller.session, id, &read(body)?).await?))
}

async fn settings(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(state.auth.settings(&caller.session).await?))
}

async fn set(
    Has(state): Has<State>,
    caller: Caller,
    Path(key): Path<String>,
    Body(body): Body,
) -> Answer<Json<Value>> {
    Ok(Json(state.auth.set_setting(&caller.session, &key, &read(body)?).await?))
}

async fn onboarding(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(state.auth.onboarding(&caller.session).await?))
}

async fn dismiss(Has(state): Has<State>, caller: Caller, Path(step): Path<String>) -> Answer<Json<Value>> {
    Ok(Json(state.auth.dismiss_onboarding(&caller.session, &step).await?))
}
