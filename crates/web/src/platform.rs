use crate::{
    Answer, Body, Person, State, events,
    extract::{Id, only},
    field_settings,
    records_api::json_bytes,
};
use axum::{
    Json, Router,
    extract::{Path, Query as Pairs, State as Has},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
    routing::{get, patch, post},
};
use kernel::{Actor, CustomField, Entity, Error, Kind, sql};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What is not records: the catalog, search, views, custom fields, history.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/meta", get(meta))
        .route("/meta/entities/{name}", get(meta_entity))
        .route("/openapi.json", get(openapi))
        .route("/search", get(search))
        .route("/events", get(events::stream))
        .route("/audit", get(audit))
        .route("/audit/export", get(audit_export))
        .route("/audit/proof", get(proof))
        .route("/views", get(views).post(add_view))
        .route("/views/{id}", patch(change_view).delete(drop_view))
        .route("/fields", get(fields).post(add_field))
        .route("/fields/_try", post(try_field))
        .route("/fields/{id}", patch(change_field).delete(drop_field))
}

type AllPairs = Pairs<Vec<(String, String)>>;

fn of<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
}

/// The language of this reader.
pub(crate) fn language(headers: &HeaderMap) -> &'static str {
    kernel::spoken(headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default())
}

/// Answers what changes seldom: with a tag, so that the same answer is not sent twice.
fn tagged(headers: &HeaderMap, mut body: Value) -> Answer {
    let tag: String = Sha256::digest(body.to_string()).iter().take(12).map(|b| format!("{b:02x}")).collect();
    if body["version"].is_null() {
        body["version"] = json!(tag);
    }
    let quoted = format!("\"{tag}\"");
    let value = HeaderValue::from_str(&quoted).map_err(|e| Error::broken(e.to_string()))?;
    let same = headers.get(header::IF_NONE_MATCH).is_some_and(|v| *v == value);
    let mut response =
        if same { StatusCode::NOT_MODIFIED.into_response() } else { Json(body).into_response() };
    response.headers_mut().insert(header::ETAG, value);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

async fn meta(person: Person, headers: HeaderMap) -> Answer {
    let language = language(&headers);
    let mut body = records::meta::index(&person.actor.catalog, &person.actor, language);
    body["locale"] = json!(language);
    body["me"] = json!({ "id": person.actor.user, "roles": person.actor.access.roles, "admin": person.actor.access.is_admin() });
    body["organization"] = json!({ "id": person.actor.organization });
    tagged(&headers, body)
}

async fn meta_entity(
    Has(state): Has<State>,
    person: Person,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let entity = person.actor.catalog.entity(&name)?;
    if !person.actor.access.may(entity, "read") {
        return Err(Error::NotFound.into());
    }
    let body = records::meta::detail(
        &person.actor.catalog,
        state.store.modules(),
        &person.actor,
        entity,
        language(&headers),
    );
    tagged(&headers, body)
}

async fn openapi(Has(state): Has<State>, person: Person) -> Json<Value> {
    Json(records::openapi(&person.actor.catalog, state.store.modules(), &person.actor, &state.base_url))
}

async fn search(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer {
    let types: Vec<String> =
        of(&pairs, "types").split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect();
    let limit = of(&pairs, "limit").parse().unwrap_or(20).clamp(1, 50);
    Ok(Json(records::search(&state.store, &person.actor, of(&pairs, "q"), &types, limit).await?)
        .into_response())
}

async fn audit(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer {
    if !person.actor.access.is_admin() {
        return Err(Error::Forbidden("Only administrators read the whole history.".into()).into());
    }
    Ok(Json(records::audit(&state.store, &person.actor, &pairs).await?).into_response())
}

/// What the last nightly check found, and through when the history is sealed.
async fn proof(Has(state): Has<State>, person: Person) -> Answer {
    if !person.actor.access.is_admin() {
        return Err(Error::Forbidden("Only administrators read the whole history.".into()).into());
    }
    let sql = sql!(
        "select jsonb_build_object('proved_at', p.proved_at, 'wrong', coalesce(p.wrong, '{}'), 'sealed_to', b.to_at, 'blocks', coalesce(b.number, 0))
         from (select $1::uuid as id) o left join app.proofs p on p.organization_id = $1 and p.organization_id = o.id
         left join lateral (select x.to_at, x.number from app.audit_blocks x where x.organization_id = $1 order by x.number desc limit 1) b on true"
    );
    let rows = state.store.batch(&person.actor, &[(sql, &[&person.actor.organization])]).await?;
    let told: Value = rows.first().and_then(|r| r.first()).map_or(Value::Null, |r| r.get(0));
    Ok(Json(told).into_response())
}

/// The history that [`audit`] shows with the same filter, whole, as CSV.
async fn audit_export(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer {
    if !person.actor.access.is_admin() {
        return Err(Error::Forbidden("Only administrators read the whole history.".into()).into());
    }
    // The first page is read before the answer begins, so that what is wrong with the filter is told.
    let first = records::audit_csv(&state.store, &person.actor, &pairs, None).await?;
    let rest = futures_util::stream::try_unfold(Some(first), move |page| {
        let (state, actor, pairs) = (state.clone(), person.actor.clone(), pairs.clone());
        async move {
            let Some((lines, next)) = page else { return Ok::<_, Error>(None) };
            let more = match next {
                Some(_) => Some(records::audit_csv(&state.store, &actor, &pairs, next).await?),
                None => None,
            };
            Ok(Some((lines, more)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, axum::body::Body::from_stream(rest)).into_response())
}

fn text<'a>(body: &'a Value, name: &str) -> Answer<Option<&'a str>> {
    match &body[name] {
        Value::Null => Ok(None),
        Value::String(s) => Ok(Some(s)),
        _ => Err(Error::malformed_at(name, "This is a text.").into()),
    }
}

async fn views(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer {
    let ids: Vec<Uuid> = of(&pairs, "ids").split(',').take(100).filter_map(|id| id.parse().ok()).collect();
    let data = match of(&pairs, "entity") {
        "" => records::views::named(&state.store, &person.actor, &ids).await?,
        entity => records::views::list(&state.store, &person.actor, entity).await?,
    };
    Ok(Json(json!({ "data": data })).into_response())
}

async fn add_view(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer {
    let made = records::views::add(&state.store, &person.actor, &body).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn change_view(
    Has(state): Has<State>,
    person: Person,
    Id(id): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    Ok(Json(records::views::change(&state.store, &person.actor, id, &body).await?))
}

async fn drop_view(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    records::views::delete(&state.store, &person.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn row_text(rows: &[Vec<kernel::Row>]) -> Answer<Vec<u8>> {
    let row = rows.last().and_then(|r| r.first()).ok_or(Error::NotFound)?;
    Ok(row.get::<_, String>(0).into_bytes())
}

fn builder(actor: &Actor) -> Answer<()> {
    if actor.access.is_admin() {
        return Ok(());
    }
    Err(Error::Forbidden("Only administrators change fields.".into()).into())
}

const FIELD: &str = "json_build_object('id', id, 'entity', entity, 'name', name, 'label', label, 'type', type, 'required', required, 'options', options, 'settings', settings, 'help', help, 'position', position, 'visible_when', visible_when, 'required_when', required_when, 'version', version)::text";

async fn fields(Has(state): Has<State>, person: Person, Pairs(pairs): AllPairs) -> Answer {
    builder(&person.actor)?;
    let sql = format!(
        "select {FIELD} from builder.custom_fields where organization_id = $1 and deleted_at is null and ($2::text = '' or entity = $2) order by entity, position, name"
    );
    let rows = state
        .store
        .batch(&person.actor, &[(&sql, &[&person.actor.organization, &of(&pairs, "entity")])])
        .await?;
    let data: Vec<Value> =
        rows.iter().flatten().filter_map(|r| serde_json::from_str(r.get(0)).ok()).collect();
    Ok(Json(json!({ "data": data })).into_response())
}

/// `[{"id", "label", "color"}]`, or plain texts.
fn options(body: &Value) -> Answer<Option<Value>> {
    let Some(list) = body["options"].as_array() else {
        return if body["options"].is_null() {
            Ok(None)
        } else {
            Err(Error::malformed_at("options", "This is a list.").into())
        };
    };
    let good = |o: &Value| o.as_str().or(o["id"].as_str()).is_some_and(|t| !t.is_empty() && t.len() <= 100);
    if list.len() > 200 || !list.iter().all(good) {
        return Err(Error::malformed_at(
            "options",
            "At most 200 options, each a text or an object with an id.",
        )
        .into());
    }
    Ok(Some(body["options"].clone()))
}

const NOBODY_FILLS: &str = "Nobody fills in a field of this type.";

/// What a type needs beside choices.
fn settings(body: &Value) -> Answer<Option<Value>> {
    match &body["settings"] {
        Value::Null => Ok(None),
        Value::Object(map) if map.len() <= 20 => Ok(Some(body["settings"].clone())),
        _ => Err(Error::malformed_at("settings", "This is an object of at most 20 settings.").into()),
    }
}

async fn add_field(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer {
    builder(&person.actor)?;
    only(
        &body,
        &[
            "entity",
            "name",
            "label",
            "type",
            "required",
            "options",
            "settings",
            "help",
            "visible_when",
            "required_when",
        ],
    )?;
    let entity = text(&body, "entity")?.unwrap_or_default();
    let catalog = &person.actor.catalog;
    let known = catalog.entities.get(entity).filter(|e| catalog.module(e.module()).is_some());
    let known = known.ok_or_else(|| Error::malformed_at("entity", "There is no such entity."))?;
    let (name, label) = (text(&body, "name")?.unwrap_or_default(), text(&body, "label")?);
    let kind = text(&body, "type")?.unwrap_or("text");
    if Kind::of_type(kind).is_none() && !kernel::is_computed(kind) {
        return Err(Error::malformed_at("type", "There is no such type of field.").into());
    }
    let kept = Kind::of_type(kind).unwrap_or_default();
    let mut settings = settings(&body)?.unwrap_or_else(|| json!({}));
    let options = options(&body)?.unwrap_or_else(|| json!([]));
    if matches!(kept, Kind::Select | Kind::Multiselect) && options.as_array().is_none_or(Vec::is_empty) {
        return Err(Error::malformed_at("options", "A choice needs options.").into());
    }
    if kind == "rating"
        && options.as_array().is_some_and(|o| {
            !matches!(o.as_slice(), [] | [_])
                || o.iter().any(|o| !matches!(o.as_str().or(o["id"].as_str()), Some("5" | "10")))
        })
    {
        return Err(Error::malformed_at("options", "A rating is of 5 or of 10.").into());
    }
    field_settings::check(&person.actor, known, kept, &settings)?;
    let required = body["required"] == true;
    let [visible_when, required_when] = conditions(&person.actor, known, name, &body)?;
    if !kept.is_written() && (required || required_when.is_some()) {
        return Err(Error::malformed_at("required", NOBODY_FILLS).into());
    }
    linked(&person.actor, known, name, kind, &body, &mut settings)?;
    let id = Uuid::now_v7();
    let sql = "insert into builder.custom_fields (organization_id, id, entity, name, label, type, required, options, help, visible_when, required_when, settings) values ($1, $2, $3::text, $4::text, $5::text, $6::text, $7, $8, $9::text, $10, $11, $12)";
    let read = format!("select {FIELD} from builder.custom_fields where organization_id = $1 and id = $2");
    let organization = person.actor.organization;
    let rows = state
        .store
        .batch(
            &person.actor,
            &[
                (
                    sql,
                    &[
                        &organization,
                        &id,
                        &known.name,
                        &name,
                        &label.unwrap_or(name),
                        &kind,
                        &required,
                        &options,
                        &text(&body, "help")?,
                        &visible_when,
                        &required_when,
                        &settings,
                    ],
                ),
                (&read, &[&organization, &id]),
            ],
        )
        .await?;
    state.auth.forget_organization(organization);
    Ok(json_bytes(StatusCode::CREATED, row_text(&rows)?))
}

/// Nobody fills in what is computed.
fn filled(kind: &str, body: &Value) -> Answer<()> {
    let asked = |part: &str| body[part].is_object() || body[part] == true;
    if kernel::is_computed(kind) && ["required", "visible_when", "required_when"].into_iter().any(asked) {
        return Err(Error::malformed("What is computed is always there, and nobody fills it in.").into());
    }
    Ok(())
}

/// Where a relation leads, and what comes out of a computed field; both are settled when it is made.
fn linked(
    actor: &Actor,
    entity: &Entity,
    name: &str,
    kind: &str,
    body: &Value,
    settings: &mut Value,
) -> Answer<()> {
    if kind == "relation" {
        let target = settings["entity"].as_str().and_then(|t| actor.catalog.entities.get(t));
        if !target.is_some_and(|t| t.part_of.is_none() && actor.catalog.module(t.module()).is_some()) {
            return Err(Error::malformed_at("settings.entity", "There is no such entity.").into());
        }
        if !matches!(settings["on_delete"].as_str(), None | Some("keep" | "clear" | "restrict")) {
            return Err(Error::malformed_at("settings.on_delete", "This is keep, clear or restrict.").into());
        }
    }
    filled(kind, body)?;
    if kernel::is_computed(kind) {
        let field = CustomField {
            name: name.to_owned(),
            look: kind.to_owned(),
            settings: settings.clone(),
            ..CustomField::default()
        };
        let kind = records::computed::check(actor, entity, &field).map_err(|e| e.under("settings"))?;
        settings["result"] = json!(kind.name());
    }
    Ok(())
}

/// What a computed field would be, and what it would say of the first records; nothing is saved.
async fn try_field(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer {
    builder(&person.actor)?;
    only(&body, &["entity", "name", "type", "settings"])?;
    let entity = person.actor.catalog.entities.get(text(&body, "entity")?.unwrap_or_default());
    let entity = entity.ok_or_else(|| Error::malformed_at("entity", "There is no such entity."))?;
    let (name, look) = (text(&body, "name")?.unwrap_or_default(), text(&body, "type")?.unwrap_or_default());
    if !kernel::is_computed(look) || name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        return Err(Error::malformed_at("type", "There is no such type of field.").into());
    }
    let mut settings = settings(&body)?.unwrap_or_else(|| json!({}));
    linked(&person.actor, entity, name, look, &body, &mut settings)?;
    let field =
        CustomField { name: name.to_owned(), look: look.to_owned(), settings, ..CustomField::default() };
    let data = records::computed::trial(&state.store, &person.actor, entity, &field).await?;
    Ok(Json(json!({ "result": field.settings["result"], "data": data })).into_response())
}

/// When the field is there, and when it is required: conditions on the record; none where they ask nothing.
fn conditions(actor: &Actor, entity: &Entity, name: &str, body: &Value) -> Answer<[Option<Value>; 2]> {
    let said = [&body["visible_when"], &body["required_when"]];
    records::conditional::check(&actor.catalog, actor, entity, name, said)?;
    Ok(said.map(|c| Some(c.clone()).filter(|c| c["field"].is_string() || c["rules"].is_array())))
}

/// The field's entity and name.
fn own_field(actor: &Actor, id: Uuid) -> Answer<(&Entity, String)> {
    let mut all = actor.overlay.fields.iter().flat_map(|(e, fields)| fields.iter().map(move |f| (e, f)));
    let (entity, field) = all.find(|(_, f)| f.id == id).ok_or(Error::NotFound)?;
    Ok((actor.catalog.entity(entity)?, field.name.clone()))
}

async fn change_field(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer {
    builder(&person.actor)?;
    only(
        &body,
        &["label", "required", "options", "settings", "help", "position", "visible_when", "required_when"],
    )?;
    let (entity, name) = own_field(&person.actor, id)?;
    let mut settings = settings(&body)?;
    let field = person.actor.overlay.field(&entity.name, &name).ok_or(Error::NotFound)?;
    filled(&field.look, &body)?;
    if !field.kind.is_written() && (body["required"] == true || !body["required_when"].is_null()) {
        return Err(Error::malformed_at("required", NOBODY_FILLS).into());
    }
    if let Some(new) = &mut settings {
        if field.look == "relation" && new["entity"] != field.settings["entity"] {
            return Err(Error::refused_at("settings.entity", "Where a relation leads cannot change.").into());
        }
        field_settings::check(&person.actor, entity, field.kind, new)?;
        linked(&person.actor, entity, &name, &field.look, &body, new)?;
        let field = CustomField { settings: new.clone(), ..field.clone() };
        unused(&person.actor, entity, &name, Some(field))?;
    }
    let [visible_when, required_when] = conditions(&person.actor, entity, &name, &body)?;
    let said = ["visible_when", "required_when"].map(|part| body.get(part).is_some());
    let sql = "update builder.custom_fields set label = coalesce($3::text, label), required = coalesce($4, required), options = coalesce($5, options), help = coalesce($6::text, help), position = coalesce($7, position),
                      visible_when = case when $8 then $9 else visible_when end, required_when = case when $10 then $11 else required_when end, settings = coalesce($12, settings)
               where organization_id = $1 and id = $2 and deleted_at is null";
    let read = format!(
        "select {FIELD} from builder.custom_fields where organization_id = $1 and id = $2 and deleted_at is null"
    );
    let organization = person.actor.organization;
    let position = body["position"].as_i64().and_then(|p| i32::try_from(p).ok());
    let rows = state
        .store
        .batch(
            &person.actor,
            &[
                (
                    sql,
                    &[
                        &organization,
                        &id,
                        &text(&body, "label")?,
                        &body["required"].as_bool(),
                        &options(&body)?,
                        &text(&body, "help")?,
                        &position,
                        &said[0],
                        &visible_when,
                        &said[1],
                        &required_when,
                        &settings,
                    ],
                ),
                (&read, &[&organization, &id]),
            ],
        )
        .await?;
    state.auth.forget_organization(organization);
    Ok(json_bytes(StatusCode::OK, row_text(&rows)?))
}

/// Whether no computed field rests on this one as it was.
fn unused(actor: &Actor, entity: &Entity, name: &str, then: Option<CustomField>) -> Answer<()> {
    match records::computed::resting(actor, entity, name, then) {
        Some(label) => Err(Error::refused(format!("The computed field {label} rests on this field.")).into()),
        None => Ok(()),
    }
}

/// The values stay in the records; a field of the same name brings them back.
async fn drop_field(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer {
    builder(&person.actor)?;
    let (entity, name) = own_field(&person.actor, id)?;
    let asking = records::conditional::asking(&person.actor.catalog, &person.actor, entity, &name)?;
    if let Some(label) = asking.first() {
        return Err(
            Error::refused(format!("Whether {label} is there or required rests on this field.")).into()
        );
    }
    unused(&person.actor, entity, &name, None)?;
    let sql = sql!("delete from builder.custom_fields where organization_id = $1 and id = $2 returning 1");
    let rows = state.store.batch(&person.actor, &[(sql, &[&person.actor.organization, &id])]).await?;
    if rows.iter().all(Vec::is_empty) {
        return Err(Error::NotFound.into());
    }
    state.auth.forget_organization(person.actor.organization);
    Ok(StatusCode::NO_CONTENT.into_response())
}
