use crate::{
    SystemLog,
    backoff::backoff,
    jobs::{self, Job, PLATFORM},
    schedules,
    system_log::About,
};
use futures_util::{FutureExt, future::BoxFuture};
use jiff::tz::TimeZone;
use kernel::{Actor, Error, Future, Result, Store, Tx, sql, system};
use serde_json::Value;
use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, broadcast::error::RecvError},
    task::{AbortHandle, JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Makes the actor for an organization, a user and a request. Refuses those who may not act any more, so that a
/// suspended member's jobs end as Forbidden. The request is the job's id: the history shows what a job did.
pub type ActorOf = Arc<dyn Fn(Uuid, Uuid, Uuid) -> BoxFuture<'static, Result<Actor>> + Send + Sync>;

type Handler = Box<dyn for<'a> Fn(&'a Context) -> Future<'a, Value> + Send + Sync>;
type PlatformHandler = Box<dyn for<'a> Fn(&'a Platform) -> Future<'a, Value> + Send + Sync>;

type RefusedHandler = Box<dyn for<'a> Fn(&'a Platform, &'a Error) -> Future<'a, Value> + Send + Sync>;

/// What a tenant's job works with.
///
/// A job is tried again when its worker is killed, so its effect may be begun twice. A handler that writes calls
/// [`Context::finish`] inside its transaction: effect and completion are committed together or not at all, and only by
/// the run that holds the job. That makes the effect exactly once. Effects outside of the database (a request to
/// somebody's server) are at least once; hand on the job's id as an idempotency key.
pub struct Context {
    pub store: Store,
    pub actor: Actor,
    pub job: Job,
    run: Run,
}

/// What a job of the program itself works with: no tenant's table.
pub struct Platform {
    pub store: Store,
    pub job: Job,
}

/// One attempt at a job.
struct Run {
    claim: Uuid,
    cancel: CancellationToken,
    told: Mutex<Option<Instant>>,
    finished: Arc<AtomicBool>,
}

impl Context {
    /// Completes the job as part of `tx`.
    ///
    /// # Errors
    /// [`Error::Stale`] when the job was cancelled, or its lease ran out and another worker has it: what `tx` did must
    /// not be.
    pub async fn finish(&self, tx: &Tx, result: &Value) -> Result<()> {
        let done = tx
            .change(
                sql!(
                    "update app.jobs set status = 'done', result = $4, error = null, finished_at = now(), lease_until = null
                     where organization_id = $1 and id = $2 and claim = $3 and status = 'running'"
                ),
                &[&self.job.organization, &self.job.id, &self.run.claim, result],
            )
            .await?;
        if done == 0 {
            return Err(Error::Stale);
        }
        self.run.finished.store(true, Ordering::Relaxed);
        tx.changed(jobs::EVENT, self.job.id, 0, "done");
        Ok(())
    }

    /// Says how far the job is, a few times a second at most; the last word (`done` = `total`) is always written.
    ///
    /// # Errors
    /// When the job was cancelled meanwhile.
    pub async fn progress(&self, done: i64, total: Option<i64>) -> Result<()> {
        {
            let mut told = held(&self.run.told);
            let fresh = told.is_some_and(|at| at.elapsed() < Duration::from_millis(250));
            if fresh && total != Some(done) && !self.run.cancel.is_cancelled() {
                return Ok(());
            }
            *told = Some(Instant::now());
        }
        let held = system!(self.store, tx => {
            Ok(tx.execute(
                sql!(
                    "update app.jobs set done = $4, total = $5
                     where organization_id = $1 and id = $2 and claim = $3 and status in ('running', 'done')"
                ),
                &[&self.job.organization, &self.job.id, &self.run.claim, &done, &total],
            ).await?)
        })?;
        if held == 0 {
            self.run.cancel.cancel();
            return Err(Error::Conflict("This job was cancelled.".into()));
        }
        self.store.tell(&self.actor, jobs::EVENT, self.job.id, 0, "progress");
        Ok(())
    }
}

/// How the workers work.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Jobs at the same time in this process; one organization gets half of them at most.
    pub slots: usize,
    /// A run that shows no sign of life for so long has died.
    pub lease: Duration,
    pub poll: Duration,
    /// A run may take so long.
    pub longest: Duration,
    /// The wait after a first failure; it trebles each time, up to an hour.
    pub first_wait: Duration,
    /// What still runs so long after [`Workers::stop`] is cut short and left to the next start.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            slots: 4,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            longest: Duration::from_secs(3600),
            first_wait: Duration::from_secs(5),
            drain: Duration::from_secs(10),
        }
    }
}

/// Works off the queue: `Worker::new(store, actor_of).on("records.export", |c| Box::pin(export(c))).start()`.
pub struct Worker {
    store: Store,
    actor_of: ActorOf,
    handlers: HashMap<&'static str, Handler>,
    platform: HashMap<&'static str, PlatformHandler>,
    refused: HashMap<&'static str, RefusedHandler>,
    settings: Settings,
    log: Option<SystemLog>,
}

impl Worker {
    pub fn new(store: Store, actor_of: ActorOf) -> Worker {
        let (handlers, platform, refused) = (HashMap::new(), HashMap::new(), HashMap::new());
        Worker { store, actor_of, handlers, platform, refused, settings: Settings::default(), log: None }
    }

    /// Does jobs of this kind.
    pub fn on(
        mut self,
        kind: &'static str,
        handler: impl for<'a> Fn(&'a Context) -> Future<'a, Value> + Send + Sync + 'static,
    ) -> Worker {
        self.handlers.insert(kind, Box::new(handler));
        self
    }

    /// Notes jobs of this kind whose person may not act any more, instead of letting them fail.
    pub fn on_refused(
        mut self,
        kind: &'static str,
        handler: impl for<'a> Fn(&'a Platform, &'a Error) -> Future<'a, Value> + Send + Sync + 'static,
    ) -> Worker {
        self.refused.insert(kind, Box::new(handler));
        self
    }

    /// Does the program's own jobs of this kind; a tenant's job of this kind fails.
    pub fn on_platform(
        mut self,
        kind: &'static str,
        handler: impl for<'a> Fn(&'a Platform) -> Future<'a, Value> + Send + Sync + 'static,
    ) -> Worker {
        self.platform.insert(kind, Box::new(handler));
        self
    }

    pub fn settings(mut self, settings: Settings) -> Worker {
        self.settings = settings;
        self
    }

    /// Where failures that are ours are noted.
    pub fn log(mut self, log: SystemLog) -> Worker {
        self.log = Some(log);
        self
    }

    /// Starts working; to be called within a runtime.
    pub fn start(self) -> Workers {
        let house = Arc::new(House {
            worker: self,
            wake: Notify::new(),
            stop: CancellationToken::new(),
            running: Mutex::default(),
        });
        let helpers = vec![
            tokio::spawn(listen(house.clone())).abort_handle(),
            tokio::spawn(beat(house.clone())).abort_handle(),
        ];
        let main = Mutex::new(Some(tokio::spawn(work(house.clone()))));
        Workers { house, main, helpers }
    }
}

/// The workers of this process. Dropped, they die at once; [`Workers::stop`] lets them finish.
pub struct Workers {
    house: Arc<House>,
    main: Mutex<Option<JoinHandle<()>>>,
    helpers: Vec<AbortHandle>,
}

impl Workers {
    /// Look at the queue now: after a commit of [`jobs::enqueue_system`].
    pub fn wake(&self) {
        self.house.wake.notify_one();
    }

    /// Takes no more jobs, waits for those that run, gives back those that take too long.
    pub async fn stop(&self) {
        self.house.stop.cancel();
        let main = held(&self.main).take();
        if let Some(main) = main
            && let Err(e) = main.await
        {
            tracing::error!("the workers ended badly: {e}");
        }
        self.die();
    }

    fn die(&self) {
        if let Some(main) = held(&self.main).take() {
            main.abort();
        }
        self.helpers.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.die();
    }
}

struct House {
    worker: Worker,
    wake: Notify,
    stop: CancellationToken,
    /// By claim.
    running: Mutex<HashMap<Uuid, (Uuid, Uuid, CancellationToken)>>,
}

impl House {
    fn settings(&self) -> &Settings {
        &self.worker.settings
    }

    fn store(&self) -> &Store {
        &self.worker.store
    }
}

/// Takes jobs as long as there are free slots.
async fn work(house: Arc<House>) {
    let mut tasks = JoinSet::new();
    let mut tick = tokio::time::interval(house.settings().poll);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        while tasks.len() < house.settings().slots && !house.stop.is_cancelled() {
            match claim(&house).await {
                Ok(Some((job, claim))) => {
                    tasks.spawn(run(house.clone(), job, claim));
                }
                Ok(None) => break,
                Err(e) => {
                    tracing::warn!("could not look for jobs: {e}");
                    break;
                }
            }
        }
        tokio::select! {
            () = house.stop.cancelled() => break,
            () = house.wake.notified() => {}
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            _ = tick.tick() => {
                if let Err(e) = reap(&house).await {
                    tracing::warn!("could not look for jobs that died: {e}");
                }
                if let Err(e) = schedules::tick(house.store()).await {
                    tracing::warn!("could not look at the schedules: {e}");
                }
            }
        }
    }
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(house.settings().drain, all).await.is_err() {
        tasks.shutdown().await;
        if let Err(e) = give_back(&house).await {
            tracing::warn!("jobs that were cut short wait for their lease to end: {e}");
        }
    }
}

/// The next job, by turns: see app.claim_job.
async fn claim(house: &House) -> Result<Option<(Job, Uuid)>> {
    let settings = house.settings();
    let claim = Uuid::now_v7();
    let most = i64::try_from((settings.slots / 2).max(1)).unwrap_or(i64::MAX);
    let sql = format!("select {} from app.claim_job($1, $2, $3)", jobs::COLUMNS);
    let row = system!(house.store(), tx => Ok(tx.query_opt(&sql, &[&claim, &settings.lease.as_secs_f64(), &most]).await?))?;
    Ok(row.map(|row| (Job::read(&row), claim)))
}

async fn run(house: Arc<House>, job: Job, claim: Uuid) {
    let cancel = CancellationToken::new();
    held(&house.running).insert(claim, (job.organization, job.id, cancel.clone()));
    let longest = house.settings().longest;
    let finished = Arc::new(AtomicBool::new(false));
    let work = AssertUnwindSafe(handle(&house, &job, claim, &cancel, &finished)).catch_unwind();
    let outcome = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        done = tokio::time::timeout(longest, work) => Some(match done {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Error::broken(format!("the job {} panicked", job.kind))),
            Err(_) => Err(Error::Refused(vec![kernel::Fault {
                field: None,
                message: format!("This took longer than {} s and was stopped.", longest.as_secs()),
            }])),
        }),
    };
    // A cancelled job says so itself, and so does one that finished within its own transaction.
    let finished = finished.load(Ordering::Relaxed) && matches!(outcome, Some(Ok(_)));
    if let Some(outcome) = outcome
        && !finished
        && let Err(e) = settle(&house, &job, claim, outcome).await
    {
        tracing::warn!(job = %job.id, "could not note how a job ended; it is tried again: {e}");
    }
    held(&house.running).remove(&claim);
}

async fn handle(
    house: &House,
    job: &Job,
    claim: Uuid,
    cancel: &CancellationToken,
    finished: &Arc<AtomicBool>,
) -> Result<Value> {
    let unknown = || Error::refused(format!("There is no work called {}.", job.kind));
    let (store, job) = (house.store().clone(), job.clone());
    if job.organization == PLATFORM {
        let handler = house.worker.platform.get(job.kind.as_str()).ok_or_else(unknown)?;
        return handler(&Platform { store, job }).await;
    }
    let handler = house.worker.handlers.get(job.kind.as_str()).ok_or_else(unknown)?;
    let actor = match (house.worker.actor_of)(job.organization, job.created_by, job.id).await {
        Err(e @ Error::Forbidden(_)) => {
            let Some(handler) = house.worker.refused.get(job.kind.as_str()) else { return Err(e) };
            return handler(&Platform { store, job }, &e).await;
        }
        actor => actor?,
    };
    let run = Run { claim, cancel: cancel.clone(), told: Mutex::default(), finished: finished.clone() };
    handler(&Context { store, actor, job, run }).await
}

/// Whether trying again may help.
pub(crate) fn passing(e: &Error) -> bool {
    matches!(e, Error::Stale | Error::Conflict(_) | Error::Unavailable(_) | Error::Broken(_))
}

async fn settle(house: &House, job: &Job, claim: Uuid, outcome: Result<Value>) -> Result<()> {
    let (status, result, error, wait) = match outcome {
        Ok(result) => ("done", Some(result), None, 0.0),
        Err(e) => {
            let again = passing(&e) && job.attempts < job.max_attempts;
            tracing::warn!(job = %job.id, kind = job.kind, organization = %job.organization, attempt = job.attempts, again, "a job failed: {e}");
            let told = match &e {
                Error::Broken(_) => "Something went wrong on our side.".to_owned(),
                e => e.to_string(),
            };
            if let (Error::Broken(_), Some(log)) = (&e, &house.worker.log) {
                let about = About {
                    request: Some(job.id),
                    organization: Some(job.organization),
                    user: Some(job.created_by),
                };
                log.error(&format!("job {}: {e}", job.kind), about, Value::Null);
            }
            let wait = backoff(house.settings().first_wait, 3.0, Duration::from_secs(3600), job.attempts);
            (if again { "queued" } else { "failed" }, None, Some(told), wait.as_secs_f64())
        }
    };
    let settled = system!(house.store(), tx => {
        Ok(tx.execute(
            sql!(
                "update app.jobs set status = $4, result = $5, error = $6, claim = null, lease_until = null,
                     run_at = case when $4 = 'queued' then now() + make_interval(secs => $7) else run_at end,
                     finished_at = case when $4 <> 'queued' then now() end
                 where organization_id = $1 and id = $2 and claim = $3 and status = 'running'"
            ),
            &[&job.organization, &job.id, &claim, &status, &result, &error, &wait],
        ).await?)
    })?;
    // Nothing settled: finished in its own transaction, cancelled, or lost to another worker.
    tell(house.store(), job.organization, job.id, if settled == 1 { status } else { "changed" });
    Ok(())
}

pub(crate) fn tell(store: &Store, organization: Uuid, id: Uuid, action: &str) {
    store.tell(&nobody(organization), jobs::EVENT, id, 0, action);
}

/// Somebody without any right, for messages that name an organization.
fn nobody(organization: Uuid) -> Actor {
    let (user, request) = (Uuid::nil(), Uuid::nil());
    Actor {
        organization,
        user,
        request,
        access: Arc::default(),
        overlay: Arc::default(),
        catalog: Arc::default(),
        zone: TimeZone::UTC,
        only_looks: false,
    }
}

/// Jobs whose worker died wait again, unless this was their last attempt: what kills its worker each time must end.
async fn reap(house: &House) -> Result<()> {
    let rows = system!(house.store(), tx => {
        Ok(tx.query(
            sql!(
                "update app.jobs j set claim = null, lease_until = null,
                     status = case when attempts < max_attempts then 'queued' else 'failed' end,
                     finished_at = case when attempts < max_attempts then null else now() end,
                     error = 'The server stopped while this was running.'
                 where (organization_id, id) in (
                     select organization_id, id from app.jobs where status = 'running' and lease_until < now() for update skip locked)
                 returning organization_id, id, status"
            ),
            &[],
        ).await?)
    })?;
    for row in &rows {
        tell(house.store(), row.get(0), row.get(1), row.get(2));
    }
    if !rows.is_empty() {
        house.wake.notify_one();
    }
    Ok(())
}

/// What was cut short by our own stop does not count as an attempt.
async fn give_back(house: &House) -> Result<()> {
    let claims: Vec<Uuid> = held(&house.running).keys().copied().collect();
    system!(house.store(), tx => {
        Ok(tx.execute(
            sql!(
                "update app.jobs set status = 'queued', claim = null, lease_until = null, attempts = greatest(attempts - 1, 0)
                 where status = 'running' and claim = any ($1)"
            ),
            &[&claims],
        ).await?)
    })?;
    Ok(())
}

/// Shows signs of life for all that runs, and hears from the database what runs no more.
async fn beat(house: Arc<House>) {
    let lease = house.settings().lease;
    loop {
        tokio::time::sleep(lease / 4).await;
        let claims: Vec<Uuid> = held(&house.running).keys().copied().collect();
        if claims.is_empty() {
            continue;
        }
        let kept = system!(house.store(), tx => {
            let rows = tx.query(
                sql!(
                    "update app.jobs set lease_until = now() + make_interval(secs => $2)
                     where status = 'running' and claim = any ($1) returning claim"
                ),
                &[&claims, &lease.as_secs_f64()],
            ).await?;
            Ok(rows.iter().map(|row| row.get(0)).collect::<Vec<Uuid>>())
        });
        match kept {
            Ok(kept) => {
                let lost: Vec<Uuid> = claims.into_iter().filter(|c| !kept.contains(c)).collect();
                forget(&house, &lost).await;
            }
            Err(e) => tracing::warn!("could not renew the leases of jobs: {e}"),
        }
    }
}

/// Cuts short what was cancelled or taken over; what finished itself within its transaction may go on to its end.
async fn forget(house: &House, lost: &[Uuid]) {
    if lost.is_empty() {
        return;
    }
    let done = system!(house.store(), tx => {
        let rows = tx.query(sql!("select claim from app.jobs where claim = any ($1) and status = 'done'"), &[&lost]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect::<Vec<Uuid>>())
    });
    let Ok(done) = done else { return };
    let running = held(&house.running);
    for claim in lost.iter().filter(|c| !done.contains(c)) {
        if let Some((_, _, cancel)) = running.get(claim) {
            cancel.cancel();
        }
    }
}

/// Hears of new and of cancelled jobs when they are committed.
async fn listen(house: Arc<House>) {
    let mut events = house.store().events();
    loop {
        match events.recv().await {
            Ok(event) if event.entity != jobs::EVENT => {}
            Ok(event) if event.action == "queued" => house.wake.notify_one(),
            Ok(event) if event.action == "cancelled" => {
                for (organization, id, cancel) in held(&house.running).values() {
                    if (*organization, *id) == (event.organization, event.id) {
                        cancel.cancel();
                    }
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => house.wake.notify_one(),
            Err(RecvError::Closed) => return,
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
