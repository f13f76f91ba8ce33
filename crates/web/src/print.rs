use crate::{
    Answer, Body, Person, State,
    extract::only,
    records_api::{entity, id},
    transfer::of,
};
use axum::{
    Json, Router,
    extract::{Path, Query as Pairs, State as Has},
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use flow::{files, mail, pdf};
use kernel::{Actor, Entity, Error, Result, Store, within};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// A letter with its paper that the program writes by itself, the [`Letter`]: see `app.send_paper`.
const SEND: &str = "records.send";

/// Records on paper, and by mail.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/{module}/{entity}/{id}/_print", get(print))
        .route("/{module}/{entity}/{id}/_send", post(send))
}

type Place = Path<(String, String, String)>;

/// A PDF, and what it is called.
async fn paper(
    store: &Store,
    files: &files::Files,
    company: &Value,
    actor: &Actor,
    (entity, id): (&Entity, Uuid),
    language: Option<&str>,
) -> Result<(String, Vec<u8>, Value)> {
    let text = |field: &str| company[field].as_str().unwrap_or_default().to_owned();
    let language = language.map_or_else(|| kernel::spoken(&text("language")).to_owned(), str::to_owned);
    if !kernel::LANGUAGES.contains(&language.as_str()) {
        return Err(Error::malformed_at("language", "Papers are in en, ru or kk."));
    }
    let content = records::print(store, actor, entity, id, &language).await?;
    let mut document: pdf::Document = serde_json::from_value(content)?;
    let joined = |fields: &[&str], between: &str| {
        let said = fields.iter().map(|f| text(f)).filter(|t| !t.is_empty());
        said.collect::<Vec<_>>().join(between)
    };
    let known = joined(&["phone", "email", "website"], " · ");
    let details = [text("address"), text("bin"), known.clone(), text("bank_details")];
    document.company = pdf::Company {
        name: text("name"),
        details: details.into_iter().filter(|d| !d.is_empty()).collect::<Vec<_>>().join("\n"),
        accent_hue: company["accent_hue"].as_u64().and_then(|h| u16::try_from(h).ok()),
        logo: logo(store, files, actor, &company["logo_file_id"]).await,
    };
    document.footer =
        [text("name"), known].into_iter().filter(|d| !d.is_empty()).collect::<Vec<_>>().join(" · ");
    let name = files::clean_name(&format!("{} {}.pdf", document.title, document.number));
    let about =
        json!({ "title": document.title, "number": document.number, "company": document.company.name });
    let bytes = tokio::task::spawn_blocking(move || pdf::render(&document))
        .await
        .map_err(|e| Error::broken(e.to_string()))??;
    Ok((name, bytes, about))
}

/// A paper without its logo is better than none.
async fn logo(store: &Store, files: &files::Files, actor: &Actor, file: &Value) -> Option<Vec<u8>> {
    let file = file.as_str()?.parse().ok()?;
    let opened = files.read(store, actor, file).await.ok()?;
    Some(opened.blob.bytes().await.ok()?.into())
}

/// The paper that somebody asks for.
async fn asked(
    state: &State,
    person: &Person,
    entity: &Entity,
    id: Uuid,
    language: Option<&str>,
) -> Answer<(String, Vec<u8>, Value)> {
    let company = state.auth.organization(&person.caller.session).await?;
    Ok(paper(&state.store, &state.files, &company, &person.actor, (entity, id), language).await?)
}

/// What [`SEND`] is to send, and to whom.
#[derive(Deserialize)]
struct Letter {
    entity: String,
    record: Uuid,
    to: String,
    subject: String,
    message: String,
    language: Option<String>,
}

/// Teaches the workers to write the program's own letters: by the same paper as people's, and with a line in the record's history.
pub fn register(worker: flow::Worker, people: Arc<auth::Auth>, files: files::Files) -> flow::Worker {
    worker.on(SEND, move |job| {
        let (people, files) = (people.clone(), files.clone());
        Box::pin(async move { write(job, &people, &files).await })
    })
}

async fn write(job: &flow::Context, people: &auth::Auth, files: &files::Files) -> Result<Value> {
    let letter: Letter = serde_json::from_value(job.job.payload.clone())?;
    let (store, catalog) = (&job.store, &job.actor.catalog);
    let actor = records::approvals::unbound(catalog, &job.actor);
    let entity = catalog.entity(&letter.entity)?;
    let company = people.company(actor.organization).await?;
    let at = (entity, letter.record);
    let (file, bytes, _) = paper(store, files, &company, &actor, at, letter.language.as_deref()).await?;
    let attachment = pdf_file(file, bytes);
    let sent = json!({ "to": letter.to, "paper": attachment.name, "subject": letter.subject });
    let mail = mail::Mail {
        to: &letter.to,
        subject: &letter.subject,
        body: &letter.message,
        attachments: &[attachment],
    };
    within!(store, &actor, tx => {
        mail::note_sent(&tx, &entity.name, letter.record, &sent).await?;
        mail::send(&tx, &mail).await?;
        job.finish(&tx, &sent).await
    })?;
    Ok(sent)
}

fn pdf_file(name: String, bytes: Vec<u8>) -> mail::Attachment {
    mail::Attachment { name, content_type: "application/pdf".into(), base64: BASE64_STANDARD.encode(bytes) }
}

async fn print(
    Has(state): Has<State>,
    person: Person,
    Path((module, name, record)): Place,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Answer {
    let entity = entity(&person, &module, &name)?;
    let (file, bytes, _) = asked(&state, &person, entity, id(&record)?, of(&pairs, "language")).await?;
    const KIND: &str = "application/pdf";
    let named = HeaderValue::from_str(&files::disposition(&file, KIND));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(KIND)),
        (header::CONTENT_DISPOSITION, named.unwrap_or(HeaderValue::from_static("inline"))),
    ];
    Ok((headers, bytes).into_response())
}

/// `{to, subject?, message?, language?}`: a letter with the paper, and a line in the record's history. Who may not take
/// records out may not send them.
async fn send(
    Has(state): Has<State>,
    person: Person,
    Path((module, name, record)): Place,
    Body(body): Body,
) -> Answer {
    only(&body, &["to", "subject", "message", "language"])?;
    let entity = entity(&person, &module, &name)?;
    let id = id(&record)?;
    let said = |field: &str| body[field].as_str().map(str::trim).filter(|t| !t.is_empty());
    let to = auth::normalize_email(said("to").unwrap_or_default())
        .map_err(|_| Error::malformed_at("to", "This is not an e-mail address."))?;
    if !person.actor.access.may(entity, "export") {
        return Err(Error::Forbidden("You may not send these records.".into()).into());
    }
    let (file, bytes, about) = asked(&state, &person, entity, id, said("language")).await?;
    let about = |field: &str| about[field].as_str().unwrap_or_default().to_owned();
    let subject = said("subject").map_or_else(
        || format!("{} {} · {}", about("title"), about("number"), about("company")),
        str::to_owned,
    );
    let attachment = pdf_file(file, bytes);
    let sent = json!({ "to": to, "paper": attachment.name, "subject": subject });
    let letter = mail::Mail {
        to: &to,
        subject: &subject,
        body: said("message").unwrap_or(&subject),
        attachments: &[attachment],
    };
    let mail = within!(state.store, &person.actor, tx => {
        mail::note_sent(&tx, &entity.name, id, &sent).await?;
        mail::send(&tx, &letter).await
    })?;
    state.store.tell(&person.actor, &entity.name, id, 0, "send");
    Ok((StatusCode::ACCEPTED, Json(json!({ "mail": { "id": mail, "to": to } }))).into_response())
}
