use crate::{Answer, Body, Person, State, extract::Id, records_api::json_bytes};
use axum::{
    Router,
    extract::{Query as Pairs, State as Has},
    http::StatusCode,
    routing::{get, patch, post},
};
use kernel::{Entity, Error};
use records::Query;

/// The tables that a company makes for itself. They are records as others are; what is in them is reached as any
/// entity's records are, at `/custom/{name}`.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/tables", get(tables).post(add))
        .route("/tables/{id}", patch(change).delete(drop))
        .route("/tables/{id}/restore", post(restore))
}

fn entity(person: &Person) -> Answer<&Entity> {
    if !person.actor.access.is_admin() {
        return Err(Error::Forbidden("Only administrators make tables.".into()).into());
    }
    Ok(person.actor.catalog.entity("builder.custom_tables")?)
}

/// With `deleted=true` those in the trash, which is emptied after thirty days.
async fn tables(
    Has(state): Has<State>,
    person: Person,
    Pairs(mut pairs): Pairs<Vec<(String, String)>>,
) -> Answer {
    let entity = entity(&person)?;
    pairs.retain(|(name, _)| name == "deleted");
    let asked =
        [("sort", "title"), ("limit", "200"), ("filter", r#"{"field":"purged_at","operator":"is_empty"}"#)];
    pairs.extend(asked.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let data = records::list(&state.store, &person.actor, entity, &Query::parse(&pairs)?).await?;
    Ok(json_bytes(StatusCode::OK, data))
}

async fn add(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer {
    let made = records::create(&state.store, &person.actor, entity(&person)?, &body).await?;
    state.auth.forget_organization(person.actor.organization);
    Ok(json_bytes(StatusCode::CREATED, made.json))
}

async fn change(Has(state): Has<State>, person: Person, Id(id): Id, Body(body): Body) -> Answer {
    let changed = records::change(&state.store, &person.actor, entity(&person)?, id, &body, None).await?;
    state.auth.forget_organization(person.actor.organization);
    Ok(json_bytes(StatusCode::OK, changed.json))
}

/// Its records stay, and come back with it.
async fn drop(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer<StatusCode> {
    records::delete(&state.store, &person.actor, entity(&person)?, id, None).await?;
    state.auth.forget_organization(person.actor.organization);
    Ok(StatusCode::NO_CONTENT)
}

async fn restore(Has(state): Has<State>, person: Person, Id(id): Id) -> Answer {
    let restored = records::restore(&state.store, &person.actor, entity(&person)?, id).await?;
    state.auth.forget_organization(person.actor.organization);
    Ok(json_bytes(StatusCode::OK, restored.json))
}
