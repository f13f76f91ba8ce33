use crate::{
    Access, Action, Call, Catalog, Entity, Error, Module, Overlay, Result, Rule, Secrets, Value, When,
};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod};
use futures_util::join;
use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio_postgres::{Client, NoTls, Row, types::ToSql};
use uuid::Uuid;

/// A person, in one organization, for one request. Only an actor can open a transaction on tenants' tables.
#[derive(Clone, Debug)]
pub struct Actor {
    pub organization: Uuid,
    pub user: Uuid,
    pub request: Uuid,
    pub access: Arc<Access>,
    pub overlay: Arc<Overlay>,
    /// What there is in this organization: what comes with the product, and its own tables.
    pub catalog: Arc<Catalog>,
    /// The organization's: where its days begin.
    pub zone: jiff::tz::TimeZone,
    /// Nothing is changed on behalf of this actor: the database refuses it.
    pub only_looks: bool,
}

/// Something that was committed; what it says is enough to fetch the record, under the rights of whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub organization: Uuid,
    pub entity: String,
    pub id: Uuid,
    pub version: i32,
    pub action: String,
}

/// The only door to the database.
#[derive(Clone)]
pub struct Store {
    user: Pool,
    system: Pool,
    house: Arc<House>,
}

/// What all transactions share.
struct House {
    catalog: Arc<Catalog>,
    modules: &'static [&'static Module],
    secrets: Secrets,
    events: broadcast::Sender<Event>,
    /// Of each company that writes now, how many more may.
    turns: Mutex<HashMap<Uuid, Weak<Semaphore>>>,
    /// How many of a company may write at once.
    writers: usize,
}

/// The turn of one write among those of its company, until it is dropped; see [`Store::turn`].
#[must_use = "the turn lasts as long as this is held"]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// One transaction, as one actor. Derefs to the driver's client for SQL; has no commit on purpose.
pub struct Tx {
    client: Held,
    pub actor: Actor,
    pub catalog: Arc<Catalog>,
    house: Arc<House>,
    events: Mutex<Vec<Event>>,
}

/// One transaction of the program itself: identity, jobs and mail, no business table.
pub struct System {
    client: Held,
    catalog: Arc<Catalog>,
}

/// How long a write waits for those of its company that came before it.
const PATIENCE: Duration = Duration::from_secs(10);

pub type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Runs its body in one transaction: `within!(store, &actor, tx => { … Ok(value) })`. It is committed when the body is
/// Ok, rolled back when it is an error or cut short, and runs again from the start, twice at most, when the database
/// chose it to end a deadlock. `within!(store, &actor, (entity, action), tx => …)` lets the right to an action stand
/// for the right to change the record.
#[macro_export]
macro_rules! within {
    ($store:expr, $actor:expr, $tx:ident => $body:expr) => {
        $crate::within!(@ $store, $actor, None, $tx => $body)
    };
    ($store:expr, $actor:expr, ($entity:expr, $action:expr), $tx:ident => $body:expr) => {
        $crate::within!(@ $store, $actor, Some(($entity, $action)), $tx => $body)
    };
    (@ $store:expr, $actor:expr, $acting:expr, $tx:ident => $body:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            let $tx = match $store.begin($actor, $acting).await {
                Ok(tx) => tx,
                Err(e) => break Err(e.explain($store.catalog())),
            };
            let done: $crate::Result<_> = async { $body }.await;
            match $tx.end(done).await {
                Err(e) if e.is_passing() && tries < 3 => {}
                Err(e) if e.is_passing() => break Err($crate::Error::busy()),
                done => break done.map_err(|e| e.explain($store.catalog())),
            }
        }
    }};
}

/// Runs its body as the program itself: `system!(store, tx => { … Ok(value) })`.
#[macro_export]
macro_rules! system {
    ($store:expr, $tx:ident => $body:expr) => {
        match $store.begin_system().await {
            Ok($tx) => {
                let done: $crate::Result<_> = async { $body }.await;
                $tx.end(done).await
            }
            Err(e) => Err(e.explain($store.catalog())),
        }
    };
}

impl Store {
    /// `user` and `system` are connection strings of app_user and app_system.
    pub async fn open(
        user: &str,
        system: &str,
        connections: usize,
        modules: &'static [&'static Module],
        secrets: Secrets,
    ) -> Result<Store> {
        let user = pool(user, connections)?;
        let system = pool(system, 4)?;
        #[expect(clippy::disallowed_methods, reason = "before there is an actor")]
        let client = user.get().await?;
        let catalog = Arc::new(Catalog::read(&**client, modules).await?);
        let (events, _) = broadcast::channel(4096);
        let (turns, writers) = (Mutex::default(), (connections / 2).max(1));
        let house = Arc::new(House { catalog, modules, secrets, events, turns, writers });
        Ok(Store { user, system, house })
    }

    /// What comes with the product; what an organization has besides is in [`Actor::catalog`].
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.house.catalog
    }

    pub fn secrets(&self) -> &Secrets {
        &self.house.secrets
    }

    pub fn modules(&self) -> &'static [&'static Module] {
        self.house.modules
    }

    /// What is committed from now on, of all organizations; the reader picks and asks again under its own rights.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.house.events.subscribe()
    }

    /// Waits until the actor's company may write: people of one company wait for each other's numbers and totals, and
    /// whoever waits in the database keeps a connection from all others. Who comes first goes first, and no company
    /// has more than half of the connections for its writes.
    ///
    /// # Errors
    /// Unavailable, after ten seconds.
    pub async fn turn(&self, actor: &Actor) -> Result<Turn> {
        let of = {
            let mut turns = held(&self.house.turns);
            let known = turns.get(&actor.organization).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                turns.retain(|_, t| t.strong_count() > 0);
                let of = Arc::new(Semaphore::new(self.house.writers));
                turns.insert(actor.organization, Arc::downgrade(&of));
                of
            })
        };
        let waited = tokio::time::timeout(PATIENCE, of.acquire_owned()).await;
        let permit = waited.ok().and_then(std::result::Result::ok).ok_or_else(Error::busy)?;
        Ok(Turn { _permit: permit })
    }

    /// Begins a transaction as `actor`; [`Tx::end`] ends it. Written as [`within!`](crate::within).
    #[doc(hidden)]
    pub async fn begin(&self, actor: &Actor, acting: Option<(&Entity, &str)>) -> Result<Tx> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let client = Held(Some(self.user.get().await?));
        client.batch_execute(&actor.enter(acting)).await?;
        let (actor, house) = (actor.clone(), self.house.clone());
        Ok(Tx { client, catalog: actor.catalog.clone(), actor, house, events: Mutex::default() })
    }

    /// Begins a transaction of the program itself. Written as [`system!`](crate::system).
    #[doc(hidden)]
    pub async fn begin_system(&self) -> Result<System> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let client = Held(Some(self.system.get().await?));
        client.batch_execute("begin").await?;
        Ok(System { client, catalog: self.house.catalog.clone() })
    }

    /// Statements that need no answer of each other, in one transaction and one round trip.
    pub async fn batch(&self, actor: &Actor, statements: &[(&str, Values<'_>)]) -> Result<Vec<Vec<Row>>> {
        self.batch_as(actor, None, statements).await.map_err(|e| e.explain(&self.house.catalog))
    }

    async fn batch_as(
        &self,
        actor: &Actor,
        acting: Option<(&Entity, &str)>,
        statements: &[(&str, Values<'_>)],
    ) -> Result<Vec<Vec<Row>>> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let client = self.user.get().await?;
        let mut prepared = Vec::with_capacity(statements.len());
        for (sql, _) in statements {
            prepared.push(client.prepare_cached(sql).await?);
        }
        let client = Held(Some(client));
        let enter = actor.enter(acting);
        // Futures of the driver send when first polled, so these go out in order and in one packet; the connection
        // ends outside a transaction even when nobody waits for the answers.
        let work = async {
            let rows = futures_util::future::join_all(
                prepared.iter().zip(statements).map(|(s, (_, values))| client.query(s, values)),
            );
            let (entered, rows, ended) =
                join!(client.batch_execute(&enter), rows, client.batch_execute("commit"));
            entered?;
            let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
            ended?;
            Ok(rows)
        }
        .await;
        let mut client = client;
        client.release();
        work
    }

    /// Tells listeners what a [`Store::batch`] has committed.
    pub fn tell(&self, actor: &Actor, entity: &str, id: Uuid, version: i32, action: &str) {
        let (entity, action) = (entity.to_owned(), action.to_owned());
        // Nobody listening is fine.
        let _ =
            self.house.events.send(Event { organization: actor.organization, entity, id, version, action });
    }

    /// For tests: what a connection of the pool says between two requests.
    #[doc(hidden)]
    #[expect(clippy::disallowed_methods, reason = "looks at what is left between requests")]
    pub async fn outside(&self, sql: &str) -> Result<String> {
        Ok(self.user.get().await?.query_one(sql, &[]).await?.get(0))
    }
}

impl Actor {
    /// Who asks, and what he may.
    fn context(&self, acting: Option<(&Entity, &str)>) -> String {
        let Actor { organization, user, request, access, .. } = self;
        let grants = access.grants(acting);
        let mut sql = format!("set local app.context = '{organization} {user} {request} {}'", grants.all);
        if !grants.own.is_empty() {
            sql.push_str(&format!("; set local app.tables = '{}'", grants.own));
        }
        sql
    }

    /// The message that begins a transaction and says who asks. Only parsed values and letters get into it.
    fn enter(&self, acting: Option<(&Entity, &str)>) -> String {
        let access = &self.access;
        let begin = if self.only_looks { "begin read only" } else { "begin" };
        let mut sql = format!("{begin}; {}", self.context(acting));
        // Today is the organization's day. Names of zones are letters, digits and / _ + -, as the library has them.
        if let Some(zone) = self.zone.iana_name().filter(|z| *z != "UTC") {
            sql.push_str(&format!("; set local timezone = '{zone}'"));
        }
        let list = |ids: &[Uuid]| ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
        if !access.team.is_empty() {
            sql.push_str(&format!("; set local app.team = '{}'", list(&access.team)));
        }
        if let Some(workspaces) = &access.workspaces {
            sql.push_str(&format!("; set local app.workspaces = '{}'", list(workspaces)));
        }
        // Names of entities are letters, digits, _ and a point.
        let numbered: Vec<&str> = self.overlay.numbered().collect();
        if !numbered.is_empty() {
            sql.push_str(&format!("; set local app.numbered = ' {} '", numbered.join(" ")));
        }
        if let Some(place) = access.place() {
            sql.push_str(&format!("; set local app.place = '{place}'"));
        }
        sql
    }
}

impl Tx {
    /// Commits what went well, undoes what did not. Takes the transaction itself, so that code that is handed a
    /// reference cannot end it.
    #[doc(hidden)]
    pub async fn end<T>(mut self, done: Result<T>) -> Result<T> {
        let end = if done.is_ok() { "commit" } else { "rollback" };
        let ended = self.batch_execute(end).await.map_err(Error::from);
        if ended.is_ok() {
            self.client.release();
        }
        let value = done.and_then(|value| ended.map(|()| value))?;
        for event in std::mem::take(&mut *held(&self.events)) {
            // Nobody listening is fine.
            let _ = self.house.events.send(event);
        }
        Ok(value)
    }

    /// From here on the right to an action stands for the right to change the record, as [`within!`](crate::within)
    /// has it from the start; nothing ends it.
    pub async fn act_as(&self, acting: Option<(&Entity, &str)>) -> Result<()> {
        Ok(self.batch_execute(&self.actor.context(acting)).await?)
    }

    /// A statement whose plan is kept for the next time.
    pub async fn cached(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>> {
        let statement = self.client.object().prepare_cached(sql).await?;
        Ok(self.query(&statement, values).await?)
    }

    /// A change whose plan is kept for the next time; answers how many rows it touched.
    pub async fn change(&self, sql: &str, values: Values<'_>) -> Result<u64> {
        let statement = self.client.object().prepare_cached(sql).await?;
        Ok(self.execute(&statement, values).await?)
    }

    pub fn modules(&self) -> &'static [&'static Module] {
        self.house.modules
    }

    /// To be told to listeners once this transaction is committed.
    pub fn changed(&self, entity: &str, id: Uuid, version: i32, action: &str) {
        let organization = self.actor.organization;
        let (entity, action) = (entity.to_owned(), action.to_owned());
        held(&self.events).push(Event { organization, entity, id, version, action });
    }

    /// # Errors
    /// Forbidden, when the actor may not do this with any record of the entity: for calls, which have no record.
    pub fn need(&self, entity: &str, action: &str) -> Result<()> {
        if self.actor.access.may(self.catalog.entity(entity)?, action) {
            return Ok(());
        }
        Err(Error::Forbidden("You may not do this.".into()))
    }

    /// Runs the modules' rules for an action.
    pub async fn rules(&self, when: When, entity: &str, action: &str, record: &Value) -> Result<()> {
        for rule in rules(self.house.modules, entity, action).filter(|r| r.when == when) {
            (rule.run)(self, record).await?;
        }
        Ok(())
    }

    pub fn secrets(&self) -> &Secrets {
        &self.house.secrets
    }
}

impl System {
    /// As [`Tx::end`].
    #[doc(hidden)]
    pub async fn end<T>(mut self, done: Result<T>) -> Result<T> {
        let end = if done.is_ok() { "commit" } else { "rollback" };
        let ended = self.batch_execute(end).await.map_err(Error::from);
        if ended.is_ok() {
            self.client.release();
        }
        done.and_then(|value| ended.map(|()| value)).map_err(|e| e.explain(&self.catalog))
    }
}

/// The modules' rules for an action on an entity.
pub fn rules<'a>(
    modules: &'static [&'static Module],
    entity: &'a str,
    action: &'a str,
) -> impl Iterator<Item = &'static Rule> + 'a {
    modules.iter().flat_map(|m| m.rules).filter(move |r| r.entity == entity && r.action == action)
}

/// What a module lets people do with an entity's records, besides moving them.
pub fn actions<'a>(
    modules: &'static [&'static Module],
    entity: &'a str,
) -> impl Iterator<Item = &'static Action> + 'a {
    modules.iter().flat_map(|m| m.actions).filter(move |a| a.entity == entity)
}

pub fn call(modules: &'static [&'static Module], module: &str, name: &str) -> Option<&'static Call> {
    modules.iter().find(|m| m.name == module)?.calls.iter().find(|c| c.name == name)
}

impl Deref for Tx {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Deref for System {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A connection that goes back to the pool only when its transaction has ended; cut short, it is closed.
struct Held(Option<Object>);

impl Held {
    fn object(&self) -> &Object {
        match &self.0 {
            Some(object) => object,
            None => unreachable!("a transaction that has ended is out of reach"),
        }
    }

    fn release(&mut self) {
        self.0.take();
    }
}

impl Deref for Held {
    type Target = Client;
    fn deref(&self) -> &Client {
        self.object()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.take().map(Object::take);
    }
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn pool(url: &str, connections: usize) -> Result<Pool> {
    let manager =
        Manager::from_config(url.parse()?, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let wait = Some(Duration::from_secs(2));
    Pool::builder(manager)
        .max_size(connections)
        .wait_timeout(wait)
        // Whoever worked last has its plans at hand.
        .queue_mode(QueueMode::Lifo)
        .create_timeout(Some(Duration::from_secs(5)))
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .build()
        .map_err(|e| Error::Broken(Box::new(e)))
}
