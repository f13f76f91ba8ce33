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
use kernel::{Entity, Error, within};
use serde_json::{Value, json};
use uuid::Uuid;

/// Records on paper, and by mail.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/{module}/{entity}/{id}/_print", get(print))
        .route("/{module}/{entity}/{id}/_send", post(send))
}

type Place = Path<(String, String, String)>;

/// A PDF, and what it is called.
async fn paper(
    state: &State,
    person: &Person,
    entity: &Entity,
    id: Uuid,
    language: Option<&str>,
) -> Answer<(String, Vec<u8>, Value)> {
    let company = state.auth.organization(&person.caller.session).await?;
    let text = |field: &str| company[field].as_str().unwrap_or_default().to_owned();
    let language = language.map_or_else(|| kernel::spoken(&text("language")).to_owned(), str::to_owned);
    if !kernel::LANGUAGES.contains(&language.as_str()) {
        return Err(Error::malformed_at("language", "Papers are in en, ru or kk.").into());
    }
    let content = records::print(&state.store, &person.actor, entity, id, &language).await?;
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
        logo: logo(state, person, &company["logo_file_id"]).await,
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
async fn logo(state: &State, person: &Person, file: &Value) -> Option<Vec<u8>> {
    let file = file.as_str()?.parse().ok()?;
    let opened = state.files.read(&state.store, &person.actor, file).await.ok()?;
    Some(opened.blob.bytes().await.ok()?.into())
}

async fn print(
    Has(state): Has<State>,
    person: Person,
    Path((module, name, record)): Place,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Answer {
    let entity = entity(&state, &module, &name)?;
    let (file, bytes, _) = paper(&state, &person, entity, id(&record)?, of(&pairs, "language")).await?;
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
    let entity = entity(&state, &module, &name)?;
    let id = id(&record)?;
    let said = |field: &str| body[field].as_str().map(str::trim).filter(|t| !t.is_empty());
    let to = auth::normalize_email(said("to").unwrap_or_default())
        .map_err(|_| Error::malformed_at("to", "This is not an e-mail address."))?;
    if !person.actor.access.may(entity, "export") {
        return Err(Error::Forbidden("You may not send these records.".into()).into());
    }
    let (file, bytes, about) = paper(&state, &person, entity, id, said("language")).await?;
    let about = |field: &str| about[field].as_str().unwrap_or_default().to_owned();
    let subject = said("subject").map_or_else(
        || format!("{} {} · {}", about("title"), about("number"), about("company")),
        str::to_owned,
    );
    let attachment = mail::Attachment {
        name: file,
        content_type: "application/pdf".into(),
        base64: BASE64_STANDARD.encode(bytes),
    };
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
