use crate::{config::Config, database::Database};
use auth::Auth;
use flow::{
    Workers,
    files::{self, Files},
    mail::Mailer,
};
use kernel::{Result, Store};
use std::sync::Arc;

/// Everything that runs beside the requests.
pub(crate) struct House {
    pub(crate) state: web::State,
    pub(crate) store: Store,
    workers: Workers,
    mailer: Mailer,
}

impl House {
    pub(crate) async fn open(config: &Config, database: &Database) -> Result<House> {
        let store = database.store().await?;
        let auth = auth(config, store.clone());
        // Roles that an upgrade brought are given to the companies that were there before.
        auth.refresh_roles().await.map_err(|e| kernel::Error::broken(e.to_string()))?;
        let files = Files::open(&config.data.join("files"), files::Settings::default()).await?;
        let (log, _) = flow::SystemLog::start(store.clone());
        let settings = flow::mail::Settings {
            smtp: config.smtp.clone(),
            from: config.mail_from.clone(),
            ..flow::mail::Settings::outbox(config.outbox())
        };
        let mailer = Mailer::start(store.clone(), settings).await?;
        let worker = workers(&store, config, log.clone(), files.clone());
        flow::housekeeping::schedule(&store).await?;
        let state = web::State::new(web::Shared {
            store: store.clone(),
            auth,
            files,
            log,
            wake: mailer.waker(),
            metrics: web::Metrics::default(),
            base_url: config.base_url(),
        });
        Ok(House { state, store, workers: worker, mailer })
    }

    /// What runs is finished, what waits stays in the database.
    pub(crate) async fn close(&self) {
        self.workers.stop().await;
        self.mailer.stop().await;
    }
}

pub(crate) fn auth(config: &Config, store: Store) -> Auth {
    let defaults = auth::Config::default();
    Auth::new(
        store,
        auth::Config { base_url: config.base_url(), open: config.registration == "open", ..defaults },
    )
}

fn workers(store: &Store, config: &Config, log: flow::SystemLog, files: Files) -> Workers {
    let people = Arc::new(auth(config, store.clone()));
    let actor_of: flow::ActorOf = Arc::new(move |organization, user, request| {
        let people = people.clone();
        Box::pin(async move { people.actor_of(organization, user, request).await })
    });
    let worker = flow::Worker::new(store.clone(), actor_of).log(log);
    flow::housekeeping::register(worker, files).start()
}
