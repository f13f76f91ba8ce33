use crate::{
    Answer, Body, Person, State,
    extract::{Id, only},
};
use axum::{
    Json, Router,
    body::Body as Stream,
    extract::{DefaultBodyLimit, Query as Pairs, State as Has},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use flow::notifications::{Move, Of};
use kernel::Error;
use serde_json::json;
use uuid::Uuid;

/// What comes in and goes out as files, and what people are told.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/files", get(files).post(upload))
        .route("/files/{id}", get(download).patch(attach).delete(drop_file))
        .route("/notifications", get(notifications))
        .route("/notifications/read", post(read_all))
        .route("/notifications/{id}", patch(put))
        .route("/notifications/{id}/read", post(read_one))
        .layer(DefaultBodyLimit::max(1 << 20))
}

type AllPairs = Pairs<Vec<(String, String)>>;

pub(crate) fn of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
}

pub(crate) fn id_of(pairs: &[(String, String)], name: &str) -> Answer<Option<Uuid>> {
    Ok(of(pairs, name)
        .map(|v| v.parse().map_err(|_| Error::malformed_at(name, "This is not an id.")))
        .transpose()?)
}

/// The record that a file is to hang on must be one that the person may change.
async fn changeable(state: &State, person: &Person, name: &str, record: Uuid) -> Answer<()> {
    let entity = person.actor.catalog.entity(name)?;
    records::get(&state.store, &person.actor, entity, record, &["id".into()], &[]).await?;
    if person.actor.access.may(entity, "update") {
        return Ok(());
    }
    Err(Error::Forbidden("You may not change this record.".into()).into())
}

async fn upload(
    Has(state): Has<State>,
    person: Person,
    Pairs(pairs): AllPairs,
    headers: HeaderMap,
    body: Stream,
) -> Answer {
    let name = name_of(&headers).or_else(|| of(&pairs, "name").map(str::to_owned));
    let name = name.unwrap_or_else(|| "file".into());
    let target = match (of(&pairs, "entity"), id_of(&pairs, "record")?) {
        (Some(entity), Some(record)) => {
            changeable(&state, &person, entity, record).await?;
            Some((entity, record))
        }
        _ => None,
    };
    let stored = state.files.store(&state.store, &person.actor, &name, body.into_data_stream()).await?;
    if let Some((entity, record)) = target {
        state.files.attach(&state.store, &person.actor, stored.id, entity, record).await?;
    }
    let mut answer = json!(stored);
    if let Some((entity, record)) = target {
        answer["entity"] = json!(entity);
        answer["record_id"] = json!(record);
    }
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// Names travel in headers percent-encoded.
pub(crate) fn name_of(headers: &HeaderMap) -> Option<String> {
    let name = headers.get("x-file-name").and_then(|v| v.to_str().ok())?;
    Some(String::from_utf8_lossy(&decoded(name)).into_owned())
}

pub(crate) fn decoded(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex.filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    bytes
}

async fn files(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer {
    if of(&pairs, "whose") == Some("company") {
        let offset = of(&pairs, "offset").map_or(Ok(0), str::parse);
        let offset = offset.map_err(|_| Error::malformed_at("offset", "This is not a number."))?;
        let sort = of(&pairs, "sort").unwrap_or_default();
        return Ok(Json(state.files.all(&state.store, &person.actor, sort, offset).await?).into_response());
    }
    let (Some(name), Some(record)) = (of(&pairs, "entity"), id_of(&pairs, "record")?) else {
        return Err(Error::malformed("Say `entity` and `record`.").into());
    };
    let entity = person.actor.catalog.entity(name)?;
    records::get(&state.store, &person.actor, entity, record, &["id".into()], &[]).await?;
    let data = state.files.list(&state.store, &person.actor, name, record).await?;
    Ok(Json(json!({ "data": data })).into_response())
}

async fn attach(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<StatusCode> {
    only(&body, &["entity", "record"])?;
    let entity = body["entity"].as_str().unwrap_or_default();
    let record = body["record"].as_str().and_then(|r| r.parse().ok());
    let record = record.ok_or_else(|| Error::malformed_at("record", "This is not an id."))?;
    changeable(&state, &person, entity, record).await?;
    state.files.attach(&state.store, &person.actor, id, entity, record).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn download(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer {
    Ok(handed_out(state.files.read(&state.store, &person.actor, id).await?))
}

pub(crate) fn handed_out(opened: flow::files::Opened) -> Response {
    let value = |text: String| HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_DISPOSITION, value(opened.disposition())),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_str(&opened.stored.content_type)
                .unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CONTENT_LENGTH, HeaderValue::from(opened.stored.size)),
    ];
    (headers, Stream::from_stream(opened.blob.into_stream())).into_response()
}

async fn drop_file(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    state.files.delete(&state.store, &person.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn notifications(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer {
    let which = match (of(&pairs, "state"), of(&pairs, "unread")) {
        (Some(name), _) => {
            Of::parse(name).ok_or_else(|| Error::malformed_at("state", "There is no such place."))?
        }
        (None, Some("true")) => Of::Unread,
        _ => Of::All,
    };
    let limit = of(&pairs, "limit").and_then(|l| l.parse().ok()).unwrap_or(50);
    let data = flow::notifications::list(&state.store, &person.actor, which, id_of(&pairs, "before")?, limit)
        .await?;
    let count = flow::notifications::unread_count(&state.store, &person.actor).await?;
    Ok(Json(json!({ "data": data, "unread": count })).into_response())
}

async fn put(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer<StatusCode> {
    only(&body, &["state", "until"])?;
    let to = || {
        Ok(match body["state"].as_str() {
            Some("read") => Move::Read,
            Some("unread") => Move::Unread,
            Some("done") => Move::Done,
            Some("inbox") => Move::Inbox,
            Some("snoozed") => {
                let until = body["until"].as_str().and_then(|t| t.parse().ok());
                Move::Snooze(until.ok_or_else(|| Error::malformed_at("until", "Say until when."))?)
            }
            _ => {
                return Err(Error::malformed_at("state", "One of read, unread, done, snoozed and inbox."));
            }
        })
    };
    flow::notifications::put(&state.store, &person.actor, id, to).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn read_one(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    match flow::notifications::mark_read(&state.store, &person.actor, Some(&[id])).await? {
        0 => Err(Error::NotFound.into()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

async fn read_all(Has(state): Has<State>, person: Person) -> Answer<StatusCode> {
    flow::notifications::mark_read(&state.store, &person.actor, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
