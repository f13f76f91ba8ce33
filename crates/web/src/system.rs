//! How the server does, for who runs it; for everybody else there is no such page.

use crate::{Answer, Caller, Problem, State, extract::Id, transfer::of};
use axum::{
    Json, Router,
    extract::{Query as Pairs, State as Has},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use kernel::Error;
use serde_json::{Value, json};

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/system", get(show))
        .route("/system/logs", get(logs))
        .route("/system/logs/{id}/resolve", post(resolve))
}

/// A person who runs this server; a key never does.
pub(crate) fn operates(caller: &Caller) -> bool {
    caller.session.user.is_operator && caller.session.token.is_none()
}

fn operator(caller: &Caller) -> Result<(), Problem> {
    if operates(caller) { Ok(()) } else { Err(Error::NotFound.into()) }
}

async fn show(Has(state): Has<State>, caller: Caller) -> Answer {
    operator(&caller)?;
    let mut told: Value = flow::system_log::health(&state.store).await?;
    told["version"] = json!(env!("CARGO_PKG_VERSION"));
    told["uptime"] = json!(state.metrics.uptime().as_secs());
    told["requests"] = state.metrics.summary();
    told["disk"] = json!(state.files.disk().map(|(free, total)| json!({ "free": free, "total": total })));
    Ok(Json(told).into_response())
}

/// Errors of the program, one row for each kind; `?resolved=true` shows those that somebody has seen to as well.
async fn logs(Has(state): Has<State>, caller: Caller, Pairs(pairs): Pairs<Vec<(String, String)>>) -> Answer {
    operator(&caller)?;
    let resolved = of(&pairs, "resolved") == Some("true");
    let data = flow::system_log::errors(&state.store, resolved).await?;
    Ok(Json(json!({ "data": data })).into_response())
}

async fn resolve(Has(state): Has<State>, caller: Caller, Id(id): Id) -> Answer<StatusCode> {
    operator(&caller)?;
    flow::system_log::resolve(&state.store, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
