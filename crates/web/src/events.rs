use crate::{Caller, Person, State, presence};
use axum::{
    extract::State as Has,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::Stream;
use kernel::Scope;
use std::{convert::Infallible, time::Duration};
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

/// Longer than this nobody stays without being asked again who they are.
const CHECK: Duration = Duration::from_secs(1);

/// `GET /events`: what was committed in the person's organization and is within his reach, as ids to fetch; what is said
/// about records and who is at them; that there is news for the person himself. Ends when the session does.
pub(crate) async fn stream(
    Has(state): Has<State>,
    person: Person,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let Person { caller: Caller { token, .. }, actor } = person;
    let mut events = state.store.events();
    let organization = actor.organization;
    let stream = async_stream::stream! {
        loop {
            let event = match tokio::time::timeout(CHECK, events.recv()).await {
                Ok(Ok(event)) if event.organization == organization => Some(event),
                Ok(Ok(_)) | Err(_) => None,
                Ok(Err(RecvError::Lagged(_))) => {
                    yield Ok(Event::default().event("resync").data("{}"));
                    None
                }
                Ok(Err(RecvError::Closed)) => break,
            };
            let now = state.auth.session(&token, Uuid::now_v7()).await.ok().and_then(|s| s.actor);
            let Some(actor) = now.filter(|a| a.organization == organization) else { break };
            let Some(event) = event else { continue };
            if event.entity == flow::notifications::EVENT {
                if event.id == actor.user {
                    yield Ok(Event::default().event("notification").data("{}"));
                }
                continue;
            }
            if event.entity == flow::conversations::EVENT {
                let left = event.action == flow::conversations::left(actor.user);
                if left || flow::conversations::is_in(&state.store, &actor, event.id).await {
                    let data = serde_json::json!({ "id": event.id });
                    yield Ok(Event::default().event("conversation").data(data.to_string()));
                }
                continue;
            }
            let seen = match actor.catalog.entities.get(&event.entity) {
                // How far somebody's own job is.
                None => {
                    event.entity == flow::jobs::EVENT
                        && flow::jobs::get(&state.store, &actor, event.id)
                            .await
                            .is_ok_and(|job| !flow::jobs::QUIET.contains(&job.kind.as_str()))
                }
                Some(entity) => {
                    actor.access.scope(entity, "read") == Scope::All && actor.access.workspaces.is_none()
                        || actor.access.may(entity, "read")
                            && records::get(&state.store, &actor, entity, event.id, &["id".into()], &[]).await.is_ok()
                }
            };
            if seen {
                let mut data = serde_json::json!({ "entity": event.entity, "id": event.id });
                let name = match event.action.as_str() {
                    flow::comments::EVENT => "comment",
                    presence::EVENT => "presence",
                    records::docs::EVENT => "document",
                    flow::followers::EVENT => "followers",
                    action => {
                        data["version"] = event.version.into();
                        data["action"] = action.into();
                        "change"
                    }
                };
                yield Ok(Event::default().event(name).data(data.to_string()));
            }
        }
    };
    Sse::new(stream).keep_alive(KeepAlive::default())
}
