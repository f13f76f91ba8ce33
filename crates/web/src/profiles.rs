use crate::{
    Answer, Body, Caller, Problem, State,
    extract::{Id, read},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State as Has},
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
    routing::{get, put},
};
use serde_json::Value;

/// People's profiles and pictures.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/me/profile", get(own).put(set))
        .route("/me/picture", put(set_picture).delete(drop_picture))
        .route("/people/{id}", get(profile))
        .route("/people/{id}/picture", get(picture))
        .layer(DefaultBodyLimit::max(1 << 20))
}

async fn own(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(state.auth.profile(&caller.session, caller.session.user.id).await?))
}

async fn set(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer<Json<Value>> {
    Ok(Json(state.auth.set_profile(&caller.session, &read(body)?).await?))
}

async fn set_picture(
    Has(state): Has<State>,
    caller: Caller,
    bytes: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Answer<StatusCode> {
    let bytes = bytes.map_err(|e| Problem::Plain(e.status(), "The picture is too large.".into()))?;
    state.auth.set_picture(&caller.session, Some(&bytes)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn drop_picture(Has(state): Has<State>, caller: Caller) -> Answer<StatusCode> {
    state.auth.set_picture(&caller.session, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn profile(Has(state): Has<State>, caller: Caller, Id(id): Id) -> Answer<Json<Value>> {
    Ok(Json(state.auth.profile(&caller.session, id).await?))
}

async fn picture(Has(state): Has<State>, caller: Caller, Id(id): Id) -> Answer {
    let (kind, bytes) = state.auth.picture(&caller.session, id).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((headers, bytes).into_response())
}
