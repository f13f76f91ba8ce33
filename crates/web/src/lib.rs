//! HTTP: routes, who asks, problems, events, files, the embedded pages. It decides nothing about the business.

mod approvals;
mod comments;
mod conversations;
mod docs;
mod events;
mod extract;
mod field_settings;
pub mod following;
mod identity;
pub mod imports_api;
pub mod jobs_api;
mod layers;
mod metrics;
mod numbers;
mod pages;
mod platform;
mod presence;
pub mod print;
mod problem;
mod profiles;
mod records_api;
mod reports_api;
mod sentences;
mod shares;
mod system;
mod tables;
mod tenancy;
mod transfer;
mod triggers;

pub use extract::{Body, Caller, Person, RequestId};
pub use metrics::Metrics;
pub use problem::{Answer, Problem};

use axum::{Router, http::StatusCode, middleware, routing::get};
use kernel::Store;
use std::{ops::Deref, sync::Arc};

/// What every handler has.
#[derive(Clone)]
pub struct State {
    shared: Arc<Shared>,
    presence: Arc<presence::Presence>,
}

pub struct Shared {
    pub store: Store,
    pub auth: auth::Auth,
    pub files: flow::files::Files,
    pub log: flow::SystemLog,
    /// Tells the mailer that something may have been committed.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    pub metrics: Metrics,
    pub base_url: String,
}

impl Deref for State {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl State {
    pub fn new(shared: Shared) -> State {
        State { shared: Arc::new(shared), presence: Arc::default() }
    }

    /// The prefix makes browsers insist on https and the whole path, where there is https.
    pub fn cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-fondaco_session" } else { "fondaco_session" }
    }

    pub fn is_secure(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}

/// The whole server as one service.
pub fn app(state: State) -> Router {
    let api = identity::routes()
        .merge(platform::routes())
        .merge(tables::routes())
        .merge(tenancy::routes())
        .merge(profiles::routes())
        .merge(shares::routes())
        .merge(approvals::routes())
        .merge(triggers::routes())
        .merge(comments::routes())
        .merge(conversations::routes())
        .merge(following::routes())
        .merge(presence::routes())
        .merge(docs::routes())
        .merge(transfer::routes())
        .merge(imports_api::routes())
        .merge(jobs_api::routes())
        .merge(system::routes())
        .merge(numbers::routes())
        .merge(print::routes())
        .merge(reports_api::routes())
        .merge(records_api::routes())
        .fallback(|| async { Problem::Kernel(kernel::Error::NotFound) });
    Router::new()
        .nest("/api/v1", api)
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::show))
        .fallback(pages::page)
        .layer(middleware::from_fn_with_state(state.clone(), layers::outermost))
        .layer(tower_http::compression::CompressionLayer::new())
        .with_state(state)
}

async fn ready(axum::extract::State(state): axum::extract::State<State>) -> (StatusCode, &'static str) {
    match kernel::system!(state.store, tx => { tx.batch_execute("select 1").await?; Ok(()) }) {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    }
}
