use crate::{config::Config, database::Database, exchange};
use auth::Auth;
use flow::{
    Workers,
    files::{self, Files},
    mail::Mailer,
};
use kernel::{Result, Store};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Everything that runs beside the requests.
pub(crate) struct House {
    pub(crate) state: web::State,
    pub(crate) store: Store,
    workers: Workers,
    mailer: Mailer,
    logging: tokio::task::JoinHandle<()>,
}

impl House {
    pub(crate) async fn open(config: &Config, database: &Database) -> Result<House> {
        let store = database.store().await?;
        let auth = auth(config, store.clone());
        // Roles that an upgrade brought are given to the companies that were there before.
        auth.refresh_roles().await.map_err(|e| kernel::Error::broken(e.to_string()))?;
        let files = Files::open(&config.data.join("files"), files::Settings::default()).await?;
        let (log, logging) = flow::SystemLog::start(store.clone());
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
        Ok(House { state, store, workers: worker, mailer, logging })
    }

    /// What runs is finished, what waits stays in the database.
    pub(crate) async fn close(self) {
        let House { state, store, workers, mailer, logging } = self;
        workers.stop().await;
        mailer.stop().await;
        drop((workers, mailer, state, store));
        // Connections that a late request holds may keep the log open.
        let _ = tokio::time::timeout(Duration::from_secs(2), logging).await;
    }
}

pub(crate) fn auth(config: &Config, store: Store) -> Auth {
    let settings = auth::Config {
        base_url: config.base_url(),
        open: config.registration == "open",
        session_idle: Duration::from_secs(config.session_minutes * 60),
        session_absolute: Duration::from_secs(config.session_hours * 60 * 60),
        requests: config.requests,
        requests_per_peer: config.requests.saturating_mul(5),
        ..auth::Config::default()
    };
    Auth::new(store, settings)
}

fn workers(store: &Store, config: &Config, log: flow::SystemLog, files: Files) -> Workers {
    let people = Arc::new(auth(config, store.clone()));
    let auth = people.clone();
    let actor_of: flow::ActorOf = Arc::new(move |organization, user, request| {
        let people = people.clone();
        Box::pin(async move { people.actor_of(organization, user, request).await })
    });
    let worker = flow::Worker::new(store.clone(), actor_of.clone()).log(log);
    let worker = [Step::Run, Step::Check, Step::Undo].into_iter().fold(worker, |worker, step| {
        let files = files.clone();
        worker.on(step.kind(), move |job| {
            let files = files.clone();
            Box::pin(async move { import(job, &files, step).await })
        })
    });
    let folder = config.data.join("exchange");
    let worker = worker.on(exchange::KIND, move |job| {
        let folder = folder.clone();
        Box::pin(async move { exchange::deliver(job, &folder).await })
    });
    let worker = web::print::register(worker, auth, files.clone());
    let worker = web::following::register(web::jobs_api::register(worker), actor_of, config.base_url());
    let worker = flow::triggers::register(worker, config.base_url());
    flow::housekeeping::register(worker, files).start()
}

/// What is done with an import in the background.
#[derive(Clone, Copy)]
enum Step {
    Run,
    Check,
    Undo,
}

impl Step {
    fn kind(self) -> &'static str {
        match self {
            Step::Run => web::imports_api::RUN,
            Step::Check => web::imports_api::CHECK,
            Step::Undo => web::imports_api::UNDO,
        }
    }
}

async fn import(job: &flow::Context, files: &Files, step: Step) -> Result<Value> {
    let (store, actor) = (&job.store, &job.actor);
    let id =
        |value: &Value| value.as_str().and_then(|id| id.parse::<Uuid>().ok()).ok_or(kernel::Error::NotFound);
    let import = id(&job.job.payload["import"])?;
    if let Step::Undo = step {
        return records::import::undo(store, actor, import).await;
    }
    let told = records::import::get(store, actor, import).await?;
    let (path, _) = files.path(store, actor, id(&told["file_id"])?).await?;
    let (tell, mut heard) = tokio::sync::watch::channel((0, 0));
    let progress = move |done: u64, total: u64| {
        tell.send_replace((done, total));
    };
    let work = async {
        match step {
            Step::Check => records::import::check(store, actor, import, &path, &progress).await,
            _ => records::import::run(store, actor, import, &path, &progress).await,
        }
    };
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            Ok(()) = heard.changed() => {
                let (done, total) = *heard.borrow_and_update();
                let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
                job.progress(whole(done), Some(whole(total))).await?;
            }
        }
    }
}
