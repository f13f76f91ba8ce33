use crate::{
    Answer, Body, Person, State,
    extract::{Id, read},
};
use axum::{
    Json, Router,
    extract::State as Has,
    http::StatusCode,
    response::IntoResponse,
    routing::{delete, post},
};
use kernel::{Actor, Entity, Error, FieldAccess};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// What happens to a record when somebody comes, goes, or turns to another field: told to those who may read it.
pub(crate) const EVENT: &str = "@presence";
/// Who says nothing for so long has gone.
const GONE: Duration = Duration::from_secs(30);
/// Windows of one person that count.
const WINDOWS: usize = 20;
/// Longest place in a document, in bytes.
const CARET: usize = 600;

/// Who is at which record. In memory alone: it is worth nothing a minute later.
#[derive(Default)]
pub(crate) struct Presence(Mutex<HashMap<Uuid, Vec<Here>>>);

/// A window in which somebody has a record open.
struct Here {
    window: Uuid,
    user: Uuid,
    name: String,
    entity: String,
    record: Uuid,
    field: Option<String>,
    /// Where in it, as the editor of the pages says it.
    caret: Option<String>,
    seen: Instant,
}

impl Presence {
    fn all<T>(&self, organization: Uuid, work: impl FnOnce(&mut Vec<Here>) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = all.entry(organization).or_default();
        here.retain(|h| h.seen.elapsed() < GONE);
        let done = work(here);
        if here.is_empty() {
            all.remove(&organization);
        }
        done
    }

    /// Somebody is here, in one place per window; answers the record that he left for it, and whether others have
    /// something to learn.
    fn come(&self, organization: Uuid, new: Here) -> (Option<(String, Uuid)>, bool) {
        self.all(organization, |here| {
            let old = here.iter().position(|h| h.window == new.window && h.user == new.user);
            let old = old.map(|at| here.remove(at));
            if here.iter().filter(|h| h.user == new.user).count() >= WINDOWS
                && let Some(first) = here.iter().position(|h| h.user == new.user)
            {
                here.remove(first);
            }
            let (left, news) = match old {
                Some(old) if (&old.entity, old.record) == (&new.entity, new.record) => {
                    (None, old.field != new.field || old.caret != new.caret)
                }
                Some(old) => (Some((old.entity, old.record)), true),
                None => (None, true),
            };
            here.push(new);
            (left, news)
        })
    }

    fn go(&self, organization: Uuid, user: Uuid, window: Uuid) -> Option<(String, Uuid)> {
        self.all(organization, |here| {
            let at = here.iter().position(|h| h.window == window && h.user == user)?;
            let gone = here.remove(at);
            Some((gone.entity, gone.record))
        })
    }

    /// Everybody at a record, as somebody may see it: fields that are hidden from him are not named.
    fn at(&self, actor: &Actor, entity: &Entity, record: Uuid) -> Vec<Value> {
        self.all(actor.organization, |here| {
            let seen = |field: &&String| actor.access.field(&entity.name, field) != FieldAccess::None;
            here.iter()
                .filter(|h| h.entity == entity.name && h.record == record)
                .map(|h| {
                    let field = h.field.as_ref().filter(seen);
                    let caret = h.caret.as_ref().filter(|_| field.is_some());
                    json!({ "id": h.user, "name": h.name, "field": field, "caret": caret, "window": h.window })
                })
                .collect()
        })
    }
}

pub(crate) fn routes() -> Router<State> {
    Router::new().route("/presence", post(come)).route("/presence/{id}", delete(go))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    entity: String,
    record: Uuid,
    /// The field that is being changed.
    field: Option<String>,
    caret: Option<String>,
    /// Tells apart what one person has open.
    window: Uuid,
}

/// Says that the caller is at a record, every ten seconds or so; answers who else is.
async fn come(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer<Json<Value>> {
    let At { entity, record, field, caret, window } = read(body)?;
    let Person { actor, caller } = &person;
    let known = actor.catalog.entity(&entity)?;
    records::get(&state.store, actor, known, record, &["id".into()], &[]).await?;
    let named = |f: &String| {
        known.columns.iter().any(|c| c.name == *f) || f.strip_prefix("cf.").is_some_and(|f| f.len() <= 50)
    };
    if field.as_ref().is_some_and(|f| !named(f)) {
        return Err(Error::malformed_at("field", "There is no such field.").into());
    }
    if caret.as_ref().is_some_and(|c| c.len() > CARET) {
        return Err(Error::malformed_at("caret", "This is too long.").into());
    }
    let here = Here {
        window,
        user: actor.user,
        name: caller.session.user.name(),
        entity,
        record,
        field,
        caret,
        seen: Instant::now(),
    };
    let (left, news) = state.presence.come(actor.organization, here);
    if let Some((entity, record)) = left {
        state.store.tell(actor, &entity, record, 0, EVENT);
    }
    if news {
        state.store.tell(actor, &known.name, record, 0, EVENT);
    }
    Ok(Json(json!({ "data": state.presence.at(actor, known, record) })))
}

/// Says that the caller has closed a window.
async fn go(Has(state): Has<State>, person: Person, Id(window): Id) -> Answer {
    let Person { actor, .. } = &person;
    let (entity, record) =
        state.presence.go(actor.organization, actor.user, window).ok_or(Error::NotFound)?;
    state.store.tell(actor, &entity, record, 0, EVENT);
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(user: Uuid, window: Uuid, record: Uuid, ago: Duration) -> Here {
        let seen = Instant::now().checked_sub(ago).unwrap();
        Here {
            window,
            user,
            name: "Ann".into(),
            entity: "x.y".into(),
            record,
            field: None,
            caret: None,
            seen,
        }
    }

    #[test]
    fn who_is_silent_has_gone() {
        let presence = Presence::default();
        let [house, ann, record] = std::array::from_fn(|_| Uuid::now_v7());
        presence.come(house, here(ann, Uuid::now_v7(), record, GONE));
        assert!(presence.all(house, |h| h.is_empty()));
        assert!(presence.0.lock().unwrap().is_empty(), "nothing is kept of a house that nobody is in");
        presence.come(house, here(ann, Uuid::now_v7(), record, GONE / 2));
        assert_eq!(presence.all(house, |h| h.len()), 1);
    }

    #[test]
    fn a_window_is_in_one_place_and_a_person_has_few_windows() {
        let presence = Presence::default();
        let [house, ann, window, first, second] = std::array::from_fn(|_| Uuid::now_v7());
        let now = Duration::ZERO;
        assert_eq!(presence.come(house, here(ann, window, first, now)), (None, true));
        assert_eq!(presence.come(house, here(ann, window, first, now)), (None, false));
        assert_eq!(presence.come(house, here(ann, window, second, now)), (Some(("x.y".into(), first)), true));
        for _ in 0..50 {
            presence.come(house, here(ann, Uuid::now_v7(), first, now));
        }
        assert_eq!(presence.all(house, |h| h.len()), WINDOWS);
        assert_eq!(presence.go(house, Uuid::now_v7(), window), None, "only one's own windows close");
    }
}
