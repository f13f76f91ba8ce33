use crate::{Answer, Body, Person, Problem, State, extract::if_match, platform::language, sentences};
use axum::{
    Router,
    extract::{Path, Query as Pairs, State as Has},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use kernel::{Entity, Error, within};
use records::{Ask, Key, Query, Record};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The same few routes for every entity.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/{module}/{entity}", get(list).post(create))
        .route("/{module}/{entity}/{id}", get(read).patch(change).delete(delete))
        .route("/{module}/{entity}/{id}/{action}", get(history).post(act))
        .route("/{module}/{entity}/_talk", get(talk))
        .route("/{module}/{entity}/_critical", get(critical))
        .route("/{module}/{entity}/_bulk", post(bulk))
        .route("/{module}/{entity}/_aggregate", post(aggregate))
        .route("/{module}/_call/{function}", post(call))
}

/// The entities that have routes of this kind: those of modules, and the members, whom relations point to.
pub(crate) fn entity<'a>(person: &'a Person, module: &str, name: &str) -> Answer<&'a Entity> {
    let catalog = &person.actor.catalog;
    let entity = catalog.entity(&format!("{module}.{name}"))?;
    if catalog.module(module).is_none() && entity.name != kernel::MEMBERS {
        return Err(Error::NotFound.into());
    }
    Ok(entity)
}

pub(crate) fn id(text: &str) -> Answer<Uuid> {
    Ok(text.parse().map_err(|_| Error::NotFound)?)
}

pub(crate) fn json_bytes(status: StatusCode, bytes: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
}

fn record(status: StatusCode, record: Record) -> Response {
    let mut response = json_bytes(status, record.json);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", record.version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

type AllPairs = Pairs<Vec<(String, String)>>;

async fn list(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    Pairs(pairs): AllPairs,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    let query = Query::parse(&pairs)?;
    Ok(json_bytes(StatusCode::OK, records::list(&state.store, &person.actor, entity, &query).await?))
}

/// The records as conversations: what was said last of each, how much, and how much of it is new to the person.
async fn talk(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    Pairs(pairs): AllPairs,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    if entity.part_of.is_some() || person.actor.catalog.module(&module).is_none() {
        return Err(Error::NotFound.into());
    }
    let query = Query::parse(&pairs)?;
    Ok(axum::Json(records::talk(&state.store, &person.actor, entity, &query).await?).into_response())
}

/// Of records that wait for each other, the chain that takes the most days.
async fn critical(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    Pairs(pairs): AllPairs,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    Ok(axum::Json(records::critical(&state.store, &person.actor, entity, &pairs).await?).into_response())
}

/// The key of a request that must have its effect once, with a hash of the whole request.
fn key(headers: &HeaderMap, what: &str, body: &Value) -> Answer<Option<Key>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().map_err(|_| Error::malformed("An idempotency key is plain text."))?;
    let hash = Sha256::digest(format!("{what} {body}")).to_vec();
    Ok(Some(Key { key: key.to_owned(), hash }))
}

fn once(done: records::Once) -> Response {
    let status =
        u16::try_from(done.status).ok().and_then(|s| StatusCode::from_u16(s).ok()).unwrap_or(StatusCode::OK);
    let mut response = json_bytes(status, done.json);
    if done.replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

async fn create(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    if let Some(key) = key(&headers, &format!("create {}", entity.name), &body)? {
        return Ok(once(records::create_once(&state.store, &person.actor, entity, &body, &key).await?));
    }
    let made = records::create(&state.store, &person.actor, entity, &body).await?;
    let id = serde_json::from_slice::<Value>(&made.json)?["id"].as_str().unwrap_or_default().to_owned();
    let mut response = record(StatusCode::CREATED, made);
    if let Ok(at) = HeaderValue::from_str(&format!("/api/v1/{module}/{name}/{id}")) {
        response.headers_mut().insert(header::LOCATION, at);
    }
    Ok(response)
}

fn named(pairs: &[(String, String)], name: &str) -> Vec<String> {
    let all = pairs.iter().filter(|(n, _)| n == name).flat_map(|(_, v)| v.split(','));
    all.map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

async fn read(
    Has(state): Has<State>,
    person: Person,
    Path((module, name, text)): Path<(String, String, String)>,
    Pairs(pairs): AllPairs,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    if let Some((unknown, _)) = pairs.iter().find(|(n, _)| n != "fields" && n != "expand") {
        return Err(Error::malformed_at(unknown, "There is no such parameter.").into());
    }
    let (fields, expand) = (named(&pairs, "fields"), named(&pairs, "expand"));
    Ok(record(
        StatusCode::OK,
        records::get(&state.store, &person.actor, entity, id(&text)?, &fields, &expand).await?,
    ))
}

async fn change(
    Has(state): Has<State>,
    person: Person,
    Path((module, name, text)): Path<(String, String, String)>,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    let version = if_match(&headers)?;
    Ok(record(
        StatusCode::OK,
        records::change(&state.store, &person.actor, entity, id(&text)?, &body, version).await?,
    ))
}

async fn delete(
    Has(state): Has<State>,
    person: Person,
    Path((module, name, text)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    let entity = entity(&person, &module, &name)?;
    records::delete(&state.store, &person.actor, entity, id(&text)?, if_match(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn history(
    Has(state): Has<State>,
    person: Person,
    Path((module, name, text, what)): Path<(String, String, String, String)>,
    axum::extract::Query(pairs): axum::extract::Query<Vec<(String, String)>>,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    if what != "_history" {
        return Err(Error::NotFound.into());
    }
    let before = crate::transfer::id_of(&pairs, "cursor")?;
    let data = records::history(&state.store, &person.actor, entity, id(&text)?, before).await?;
    Ok(axum::Json(data).into_response())
}

async fn act(
    Has(state): Has<State>,
    person: Person,
    Path((module, name, text, action)): Path<(String, String, String, String)>,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    let id = id(&text)?;
    if action == "restore" {
        return Ok(record(StatusCode::OK, records::restore(&state.store, &person.actor, entity, id).await?));
    }
    let version = if_match(&headers)?;
    if let Some(key) = key(&headers, &format!("{action} {} {id}", entity.name), &body)? {
        let known = kernel::actions(state.store.modules(), &entity.name).any(|a| a.action == action)
            || action != "auto" && entity.transitions.iter().any(|t| t.action == action);
        if !known {
            return Err(Error::NotFound.into());
        }
        let done = records::act_once(
            &state.store,
            &person.actor,
            entity,
            id,
            &Ask { action: &action, body: &body, version },
            &key,
        )
        .await?;
        return Ok(once(done));
    }
    let acted =
        records::act(&state.store, &person.actor, entity, id, &Ask { action: &action, body: &body, version })
            .await?;
    let version = acted.record.version;
    if acted.waits() {
        let mut acted = acted;
        sentences::messages(state.store.catalog(), language(&headers), &mut acted.made);
        return Ok(record(StatusCode::ACCEPTED, Record { json: acted.json(), version }));
    }
    Ok(record(StatusCode::OK, Record { json: acted.json(), version }))
}

async fn bulk(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    let bulk = records::bulk::Bulk::parse(&state.store, &person.actor, entity, &body).await?;
    if bulk.ids.len() <= records::bulk::AT_ONCE {
        let mut done = bulk.run(&state.store, &person.actor).await?;
        sentences::messages(state.store.catalog(), language(&headers), &mut done);
        return Ok(axum::Json(done).into_response());
    }
    let payload = serde_json::to_value(&bulk).map_err(Error::from)?;
    let job = within!(state.store, &person.actor, tx => flow::jobs::enqueue(&tx, crate::jobs_api::BULK, payload.clone(), None).await)?;
    Ok((StatusCode::ACCEPTED, axum::Json(json!({ "job": { "id": job, "total": bulk.ids.len() } })))
        .into_response())
}

async fn aggregate(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    Body(body): Body,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    Ok(json_bytes(StatusCode::OK, records::aggregate(&state.store, &person.actor, entity, &body).await?))
}

async fn call(
    Has(state): Has<State>,
    person: Person,
    Path((module, function)): Path<(String, String)>,
    Body(body): Body,
) -> Answer {
    let call = kernel::call(state.store.modules(), &module, &function).ok_or(Error::NotFound)?;
    let said = kernel::within!(state.store, &person.actor, tx => (call.run)(&tx, &body).await)?;
    Ok(axum::Json(json!(said)).into_response())
}

impl From<axum::extract::rejection::PathRejection> for Problem {
    fn from(_: axum::extract::rejection::PathRejection) -> Self {
        Problem::Kernel(Error::NotFound)
    }
}
