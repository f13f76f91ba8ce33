use crate::{
    Answer, Body, Person, Problem, State,
    extract::{Id, only},
    platform::language,
    records_api::{entity, id as id_of},
    sentences,
};
use axum::{
    Json, Router,
    body::Body as Stream,
    extract::{Path, Query as Pairs, State as Has},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use kernel::{Error, within};
use records::import::Format;
use serde_json::json;
use uuid::Uuid;

/// Jobs of this module; the payload names the import.
pub const RUN: &str = "records.import";
pub const CHECK: &str = "records.import_check";
pub const UNDO: &str = "records.import_undo";

/// Data in and out as files.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/{module}/{entity}/_export", get(export))
        .route("/{module}/{entity}/_import", post(import))
        .route("/imports/{id}", get(import_state).patch(import_mapping))
        .route("/imports/{id}/{what}", get(import_file).post(import_step))
}

type AllPairs = Pairs<Vec<(String, String)>>;

async fn export(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    Pairs(mut pairs): AllPairs,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    let format = pairs.iter().position(|(n, _)| n == "format").map(|at| pairs.remove(at).1);
    let format = Format::parse(format.as_deref().unwrap_or("csv"));
    let format = format.ok_or_else(|| Error::malformed_at("format", "Say csv, xlsx or json."))?;
    let query = records::Query::parse(&pairs)?;
    let rows = records::export(&state.store, &person.actor, entity, &query, format).await?;
    let kind = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format::Json => "application/json",
    };
    let named = HeaderValue::from_str(&flow::files::disposition(&format!("{name}.{}", format.name()), kind));
    let named = named.unwrap_or(HeaderValue::from_static("attachment"));
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, named)];
    Ok((headers, Stream::from_stream(rows)).into_response())
}

/// `{file}` begins an import step by step; a body of another kind with `?mode=` is brought in at once.
async fn import(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    Pairs(pairs): AllPairs,
    headers: HeaderMap,
    body: Stream,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    if !(person.actor.access.may(entity, "create") && person.actor.access.may(entity, "import")) {
        return Err(Error::Forbidden("You may not bring these in.".into()).into());
    }
    let wrong = |what: &str| Error::malformed_at(what.to_owned(), "This is not what it should be.");
    let file = match crate::transfer::of(&pairs, "mode") {
        Some(_) => {
            let named = crate::transfer::name_of(&headers).unwrap_or_else(|| "import".into());
            state.files.store(&state.store, &person.actor, &named, body.into_data_stream()).await?.id
        }
        None => {
            let bytes = axum::body::to_bytes(body, 1 << 16).await.map_err(|_| {
                Problem::Plain(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.".into())
            })?;
            let body = kernel::read_json(&bytes)?;
            only(&body, &["file"])?;
            body["file"].as_str().and_then(|f| f.parse().ok()).ok_or_else(|| wrong("file"))?
        }
    };
    let (path, stored) = state.files.path(&state.store, &person.actor, file).await?;
    let begun =
        records::import::begin(&state.store, &person.actor, entity, Some(file), &path, &stored.name).await?;
    let Some(mode) = crate::transfer::of(&pairs, "mode") else {
        return Ok((StatusCode::CREATED, Json(json!({ "import": begun }))).into_response());
    };
    let id: Uuid = begun["id"].as_str().and_then(|i| i.parse().ok()).ok_or(Error::NotFound)?;
    let mut change = json!({});
    if let Some(mapping) = crate::transfer::of(&pairs, "mapping") {
        change["mapping"] = kernel::read_json(mapping.as_bytes()).map_err(|_| wrong("mapping"))?;
    }
    if let Some(upsert) = crate::transfer::of(&pairs, "upsert") {
        change["upsert_key"] = json!(upsert);
    }
    if change != json!({}) {
        records::import::update_mapping(&state.store, &person.actor, id, &change).await?;
    }
    let kind = match mode {
        "run" => RUN,
        "check" => CHECK,
        _ => return Err(wrong("mode").into()),
    };
    started(&state, &person, id, kind).await
}

/// Puts the work into the queue and says where to look.
async fn started(state: &State, person: &Person, id: Uuid, kind: &str) -> Answer<Response> {
    let job = within!(state.store, &person.actor, tx => flow::jobs::enqueue(&tx, kind, json!({ "import": id }), None).await)?;
    records::import::note_job(&state.store, &person.actor, id, job).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "job": { "id": job }, "import": { "id": id } }))).into_response())
}

async fn import_state(Has(state): Has<State>, person: Person, Id(id): Id, headers: HeaderMap) -> Answer {
    let mut told = records::import::get(&state.store, &person.actor, id).await?;
    sentences::messages(state.store.catalog(), language(&headers), &mut told);
    Ok(Json(told).into_response())
}

async fn import_mapping(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer {
    Ok(Json(records::import::update_mapping(&state.store, &person.actor, id, &body).await?).into_response())
}

async fn import_file(
    Has(state): Has<State>,
    person: Person,
    Path((id, what)): Path<(String, String)>,
) -> Answer {
    if what != "errors.csv" {
        return Err(Error::NotFound.into());
    }
    let id = id_of(&id)?;
    let told = records::import::get(&state.store, &person.actor, id).await?;
    let file = told["file_id"].as_str().and_then(|f| f.parse().ok()).ok_or(Error::NotFound)?;
    let (path, _) = state.files.path(&state.store, &person.actor, file).await?;
    let csv = records::import::errors_csv(&state.store, &person.actor, id, &path).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"errors.csv\""),
    ];
    Ok((headers, csv).into_response())
}

async fn import_step(
    Has(state): Has<State>,
    person: Person,
    Path((id, what)): Path<(String, String)>,
) -> Answer {
    let id = id_of(&id)?;
    records::import::get(&state.store, &person.actor, id).await?;
    match what.as_str() {
        "check" => started(&state, &person, id, CHECK).await,
        "run" => started(&state, &person, id, RUN).await,
        "undo" => started(&state, &person, id, UNDO).await,
        _ => Err(Error::NotFound.into()),
    }
}
