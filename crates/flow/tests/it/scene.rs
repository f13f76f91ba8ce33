use flow::{ActorOf, Settings, Worker};
use kernel::{Access, Actor, Error, Overlay, Role, Secrets, Store, system, within};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The server of TEST_DATABASE_SERVER (`host=… port=…`), or one that ends with the tests.
fn server(user: &str, database: &str) -> String {
    static OWN: OnceLock<cluster::Cluster> = OnceLock::new();
    match std::env::var("TEST_DATABASE_SERVER") {
        Ok(server) => {
            let parts: Vec<&str> = server.split(' ').filter(|p| !p.starts_with("user=")).collect();
            format!("{} user={user} dbname={database}", parts.join(" "))
        }
        Err(_) => OWN.get_or_init(|| cluster::Cluster::temporary().unwrap()).config(user, database),
    }
}

async fn connect(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&server("postgres", database), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A database of one's own: workers take whatever is in the queue.
pub(crate) struct Scene {
    pub(crate) store: Store,
    pub(crate) admin: Client,
    database: String,
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::env::var("TEST_DATABASE_SERVER").is_ok() {
            // The thread has a runtime of its own; the test's is about to end.
            let database = std::mem::take(&mut self.database);
            let drop_it = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let admin = connect("postgres").await;
                    let _ = admin.batch_execute(&format!("drop database {database} with (force)")).await;
                });
            });
            let _ = drop_it.join();
        }
    }
}

pub(crate) async fn scene() -> Scene {
    static TEMPLATE: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(|| async {
            let admin = connect("postgres").await;
            let name = format!("flow_template_{}", Uuid::new_v4().simple());
            admin.batch_execute(&format!("create database {name}")).await.unwrap();
            kernel::install(&connect(&name).await, &[]).await.unwrap();
            name
        })
        .await;
    let admin = connect("postgres").await;
    let database = format!("flow_{}", Uuid::new_v4().simple());
    // The template's last session may take a moment to end.
    let made = eventually(|| async {
        admin
            .batch_execute(&format!("create database {database} template {template}"))
            .await
            .is_ok()
            .then_some(())
    });
    made.await;
    let (user, system) = (server("app_user", &database), server("app_system", &database));
    let store = Store::open(&user, &system, 8, &[], Secrets::passing()).await.unwrap();
    Scene { store, admin: connect(&database).await, database }
}

impl Scene {
    /// A company and its owner.
    pub(crate) async fn company(&self, name: &str) -> Actor {
        let organization = Uuid::now_v7();
        self.admin
            .execute(
                "insert into tenancy.organizations (id, name, slug) values ($1, $2, $3)",
                &[&organization, &name, &organization.to_string()],
            )
            .await
            .unwrap();
        self.member(organization, "owner", Some("owner")).await
    }

    pub(crate) async fn member(&self, organization: Uuid, name: &str, template: Option<&str>) -> Actor {
        let user = Uuid::now_v7();
        let email = format!("{name}-{}@example.com", user.simple());
        system!(self.store, tx => {
            tx.execute("insert into iam.users (id, email, status) values ($1, $2, 'active')", &[&user, &email]).await?;
            tx.execute(
                "insert into iam.memberships (organization_id, id, email, created_by, updated_by) values ($1, $2, $3, $2, $2)",
                &[&organization, &user, &email],
            ).await?;
            Ok(())
        })
        .unwrap();
        actor(&self.store, organization, user, template)
    }

    pub(crate) async fn one<T>(&self, sql: &str) -> T
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until a query says true.
    pub(crate) async fn until(&self, sql: &str) {
        eventually(|| async { self.one::<bool>(sql).await.then_some(()) }).await;
    }

    /// Members act as owners; suspended ones do not act.
    pub(crate) fn actor_of(&self) -> ActorOf {
        let store = self.store.clone();
        Arc::new(move |organization, user, request| {
            let store = store.clone();
            Box::pin(async move {
                let active = system!(store, tx => {
                    Ok(tx.query_opt(
                        "select 1 from iam.memberships where organization_id = $1 and id = $2 and status = 'active'",
                        &[&organization, &user],
                    ).await?.is_some())
                })?;
                if !active {
                    return Err(Error::Forbidden("You are no longer a member here.".into()));
                }
                Ok(Actor { request, ..actor(&store, organization, user, Some("owner")) })
            })
        })
    }

    pub(crate) fn worker(&self) -> Worker {
        let settings = Settings {
            lease: Duration::from_millis(600),
            poll: Duration::from_millis(50),
            first_wait: Duration::from_millis(20),
            drain: Duration::from_millis(500),
            ..Settings::default()
        };
        Worker::new(self.store.clone(), self.actor_of()).settings(settings)
    }

    pub(crate) async fn enqueue(&self, actor: &Actor, kind: &str, payload: serde_json::Value) -> Uuid {
        within!(self.store, actor, tx => flow::jobs::enqueue(&tx, kind, payload.clone(), None).await).unwrap()
    }
}

pub(crate) fn actor(store: &Store, organization: Uuid, user: Uuid, template: Option<&str>) -> Actor {
    let role = Role { name: "role".into(), template: template.map(str::to_owned), ..Role::default() };
    let access = Arc::new(Access::of(store.catalog(), &[role]));
    let (overlay, zone) = (Arc::new(Overlay::default()), jiff::tz::TimeZone::UTC);
    Actor {
        organization,
        user,
        request: Uuid::now_v7(),
        access,
        overlay,
        catalog: store.catalog().clone(),
        zone,
        only_looks: false,
    }
}

/// Tries until there is something, for twenty seconds at most.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(mut tried: impl FnMut() -> F) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = tried().await {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
