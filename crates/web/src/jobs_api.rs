//! Work that goes on behind one's back: what there is, how far it is, and how it is stopped or taken back.

use crate::{Answer, Person, State, extract::Id, platform::language, records_api::id as id_of, sentences};
use axum::{
    Json, Router,
    extract::{Path, Query as Pairs, State as Has},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use flow::Job;
use kernel::{Error, Result, within};
use records::bulk::{self, Bulk};
use serde_json::{Value, json};
use uuid::Uuid;

/// A bulk request as a job; the payload is the [`Bulk`].
pub const BULK: &str = "records.bulk";
/// An action that the program takes by itself, in the name of whom it is about: `{entity, record, action}`.
const ACT: &str = "records.act";
/// Takes one back: `{job, entity}`.
pub const UNDO: &str = "records.bulk_undo";

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/jobs", get(jobs))
        .route("/jobs/{id}", get(job))
        .route("/jobs/{id}/{what}", post(step))
        .route("/schedules", get(schedules))
}

/// What comes back in the company; for who runs the server also what comes back for the program.
async fn schedules(Has(state): Has<State>, person: Person) -> Answer {
    let program = crate::system::operates(&person.caller);
    let data = flow::schedules::list(&state.store, &person.actor, program).await?;
    Ok(Json(json!({ "data": data })).into_response())
}

/// `?whose=company`: everybody's, for administrators.
async fn of_company(state: &State, person: &Person, pairs: &[(String, String)], limit: i64) -> Answer {
    let status = crate::transfer::of(pairs, "state");
    let known = ["queued", "running", "done", "failed", "cancelled"];
    if status.is_some_and(|s| !known.contains(&s)) {
        return Err(Error::malformed_at("state", "There is no such place.").into());
    }
    let before = crate::transfer::id_of(pairs, "before")?;
    let (jobs, counts) =
        flow::jobs::company(&state.store, &person.actor, status, before, limit.clamp(1, 500)).await?;
    let data: Vec<Value> = jobs
        .iter()
        .map(|(job, by)| {
            let mut told = told(job);
            // What came of it is for who asked.
            told["result"] = Value::Null;
            told["by"] = json!(by);
            told["attempts"] = job.attempts.into();
            told["max_attempts"] = job.max_attempts.into();
            told["run_at"] = json!(job.run_at);
            told
        })
        .collect();
    Ok(Json(json!({ "data": data, "counts": counts })).into_response())
}

/// One's own, the newest first; `?limit=`.
async fn jobs(Has(state): Has<State>, person: Person, Pairs(pairs): Pairs<Vec<(String, String)>>) -> Answer {
    let limit = crate::transfer::of(&pairs, "limit").map_or(Ok(50), str::parse);
    let limit = limit.map_err(|_| Error::malformed_at("limit", "This is not a number."))?;
    if crate::transfer::of(&pairs, "whose") == Some("company") {
        return of_company(&state, &person, &pairs, limit).await;
    }
    let all = flow::jobs::list(&state.store, &person.actor, limit).await?;
    let told = all.iter().map(|job| {
        let mut told = told(job);
        // Of a long list of refusals only how many.
        if let Some(result) = job.result.as_ref().filter(|r| r["failed"].is_array()) {
            told["result"]["failed"] = result["refused"].clone();
        }
        told
    });
    Ok(Json(json!({ "data": told.collect::<Vec<_>>() })).into_response())
}

async fn job(Has(state): Has<State>, person: Person, headers: HeaderMap, Id(id): Id) -> Answer<Response> {
    let mut told = told(&flow::jobs::get(&state.store, &person.actor, id).await?);
    sentences::messages(state.store.catalog(), language(&headers), &mut told["result"]);
    Ok(Json(told).into_response())
}

fn told(job: &Job) -> Value {
    json!({
        "id": job.id, "kind": job.kind, "status": job.status, "done": job.done, "total": job.total,
        "error": job.error, "result": job.result, "created_at": job.created_at, "finished_at": job.finished_at,
        "entity": job.payload["entity"], "action": job.payload["action"], "import": job.payload["import"],
        "undoes": job.payload["job"],
    })
}

/// `cancel`: what is done stays. `retry`: a failed one again. `undo`: takes back what a bulk request did.
async fn step(
    Has(state): Has<State>,
    person: Person,
    Path((id, what)): Path<(String, String)>,
) -> Answer<Response> {
    let id = id_of(&id)?;
    match what.as_str() {
        "cancel" => {
            flow::jobs::cancel(&state.store, &person.actor, id).await?;
        }
        "retry" => flow::jobs::retry(&state.store, &person.actor, id).await?,
        "undo" => {
            let job = flow::jobs::get(&state.store, &person.actor, id).await?;
            if job.kind != BULK || matches!(job.status.as_str(), "queued" | "running") {
                return Err(
                    Error::Conflict("Only a bulk change that has ended can be taken back.".into()).into()
                );
            }
            let (payload, key) =
                (json!({ "job": id, "entity": job.payload["entity"] }), format!("undo {id}"));
            let undo = within!(state.store, &person.actor, tx => {
                let new = flow::jobs::New { key: Some(&key), ..flow::jobs::New::now(UNDO, payload.clone()) };
                flow::jobs::add(&tx, new).await
            })?;
            return Ok((StatusCode::ACCEPTED, Json(json!({ "job": { "id": undo } }))).into_response());
        }
        _ => return Err(Error::NotFound.into()),
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Teaches the workers what these jobs are.
pub fn register(worker: flow::Worker) -> flow::Worker {
    worker
        .on(BULK, |job| Box::pin(run(job)))
        .on(UNDO, |job| Box::pin(undo(job)))
        .on(ACT, |job| Box::pin(act(job)))
        .on(crate::docs::SETTLE, |job| Box::pin(crate::docs::settle(job)))
}

async fn run(job: &flow::Context) -> Result<Value> {
    let bulk: Bulk = serde_json::from_value(job.job.payload.clone())?;
    bulk.run_job(&job.store, &job.actor, so_far(&job.job)).await
}

async fn undo(job: &flow::Context) -> Result<Value> {
    let of: Option<Uuid> = job.job.payload["job"].as_str().and_then(|id| id.parse().ok());
    let entity = job.job.payload["entity"].as_str().unwrap_or_default();
    bulk::undo(&job.store, &job.actor, entity, of.ok_or(Error::NotFound)?, so_far(&job.job)).await
}

async fn act(job: &flow::Context) -> Result<Value> {
    let payload = &job.job.payload;
    let catalog = &job.actor.catalog;
    let entity = catalog.entity(payload["entity"].as_str().unwrap_or_default())?;
    let record: Option<Uuid> = payload["record"].as_str().and_then(|id| id.parse().ok());
    let (record, action) = (record.ok_or(Error::NotFound)?, payload["action"].as_str().unwrap_or_default());
    let actor = records::approvals::unbound(catalog, &job.actor);
    within!(job.store, &actor, (entity, action), tx => {
        let made = records::acted(&tx, entity, record, action, &json!({}), None).await?;
        job.finish(&tx, &made).await?;
        Ok(made)
    })
}

fn so_far(job: &Job) -> bulk::Job {
    let result = job.result.as_ref().unwrap_or(&Value::Null);
    let count = |n: Option<i64>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    let failed = result["failed"].as_array().cloned().unwrap_or_default();
    bulk::Job { id: job.id, done: count(Some(job.done)), refused: count(result["refused"].as_i64()), failed }
}
