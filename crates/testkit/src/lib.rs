//! Scenes for tests: people in companies, and what comes of what they do.
//!
//! A test is a tenant: all share one database, cloned from a template that is made once for every state of the schema,
//! and each makes companies of its own, so every test also tests that companies are kept apart.

use kernel::{Access, Actor, Entity, Error, Module, Overlay, Result, Role, Secrets, Store};
use records::Query;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, OnceLock},
};
use tokio_postgres::{Client, NoTls, types::ToSql};
use uuid::Uuid;

type Modules = &'static [&'static Module];

pub struct Scene {
    id: Uuid,
    pub store: Store,
    admin: Client,
    database: String,
    companies: tokio::sync::Mutex<HashMap<String, Uuid>>,
}

pub struct Person {
    pub store: Store,
    pub actor: Actor,
}

/// What came back, to be said in one word: `.ok()`, `.refused("why")`, `.forbidden()`, `.not_found()`.
#[must_use]
#[derive(Debug)]
pub struct Outcome(Result<Value>);

/// The server that tests use: TEST_DATABASE_SERVER (`host=… port=… user=…`), else one of our own under target/.
pub fn server(user: &str, database: &str) -> String {
    static OWN: OnceLock<cluster::Cluster> = OnceLock::new();
    match std::env::var("TEST_DATABASE_SERVER") {
        Ok(server) => {
            let server: Vec<&str> = server.split(' ').filter(|p| !p.starts_with("user=")).collect();
            format!("{} user={user} dbname={database}", server.join(" "))
        }
        Err(_) => {
            let folder = std::env::temp_dir().join("fondaco-tests/pg");
            OWN.get_or_init(|| {
                std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
                cluster::Cluster::start(&folder).unwrap()
            })
            .config(user, database)
        }
    }
}

pub async fn scene(modules: Modules) -> Scene {
    let admin = connect(&server("postgres", "postgres")).await;
    let template = template(&admin, modules).await;
    let database = format!("{template}_shared");
    if !exists(&admin, &database).await {
        // Two may try; the second is told that it is there.
        let _ = admin.batch_execute(&format!("create database {database} template {template}")).await;
    }
    open(database, modules).await
}

/// A database of its own, for what changes tables or everybody's settings.
pub async fn scene_alone(modules: Modules) -> Scene {
    let admin = connect(&server("postgres", "postgres")).await;
    let template = template(&admin, modules).await;
    let database = format!("alone_{}", Uuid::new_v4().simple());
    admin.batch_execute(&format!("create database {database} template {template}")).await.unwrap();
    open(database, modules).await
}

async fn open(database: String, modules: Modules) -> Scene {
    let (user, system) = (server("app_user", &database), server("app_system", &database));
    let store = Store::open(&user, &system, 8, modules, Secrets::passing()).await.unwrap();
    let admin = connect(&server("postgres", &database)).await;
    Scene { id: Uuid::new_v4(), store, admin, database, companies: Default::default() }
}

async fn exists(admin: &Client, name: &str) -> bool {
    let sql = "select from pg_database where datname = $1";
    admin.query_opt(sql, &[&name]).await.unwrap().is_some()
}

async fn template(admin: &Client, modules: Modules) -> String {
    let mut hash = DefaultHasher::new();
    kernel::schema_fingerprint().hash(&mut hash);
    modules.iter().for_each(|m| (m.name, m.schema).hash(&mut hash));
    let name = format!("template_{:016x}", hash.finish());
    // Tests are processes of their own: the first one makes it, the others wait here.
    admin.batch_execute("select pg_advisory_lock(731)").await.unwrap();
    if !exists(admin, &name).await {
        let making = format!("{name}_making");
        admin.batch_execute(&format!("drop database if exists {making}")).await.unwrap();
        admin.batch_execute(&format!("create database {making}")).await.unwrap();
        let client = connect(&server("postgres", &making)).await;
        kernel::install(&client, modules).await.unwrap_or_else(|e| panic!("{e}"));
        drop(client);
        let end =
            format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{making}'");
        admin.batch_execute(&end).await.unwrap();
        for _ in 0..50 {
            if admin.batch_execute(&format!("alter database {making} rename to {name}")).await.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    admin.batch_execute("select pg_advisory_unlock(731)").await.unwrap();
    name
}

/// Everything that makes up the tables of a schema, a line each: the same for a whole and for the steps that lead there.
pub async fn shape(client: &Client, schema: &str) -> Vec<String> {
    let sql = "
        select format('%s.%s %s %s %s %s', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
                   (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum))
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p', 'v')
        union all select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint where connamespace = to_regnamespace($1)
        union all select pg_get_indexdef(indexrelid) from pg_index join pg_class c on c.oid = indrelid where c.relnamespace = to_regnamespace($1)
        union all select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = to_regnamespace($1) and not t.tgisinternal
        union all select pg_get_functiondef(oid) from pg_proc where pronamespace = to_regnamespace($1)
        union all select format('%s %s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
        from pg_policy join pg_class c on c.oid = polrelid where c.relnamespace = to_regnamespace($1)
        union all select format('%s: %s', pg_describe_object(classoid, objoid, objsubid), description) from pg_description d
        where exists (select from pg_class c where c.oid = d.objoid and c.relnamespace = to_regnamespace($1))
        union all select format('%s %s', oid::regclass, relacl) from pg_class where relnamespace = to_regnamespace($1)
        union all select to_jsonb(e)::text from app.entities e where split_part(e.name, '.', 1) = $1
        union all select to_jsonb(t)::text from app.transitions t where split_part(t.entity, '.', 1) = $1
        order by 1";
    client.query(sql, &[&schema]).await.unwrap().iter().map(|r| r.get(0)).collect()
}

/// An empty database, for what is about installing.
pub async fn empty_database() -> Client {
    let admin = connect(&server("postgres", "postgres")).await;
    let database = format!("empty_{}", Uuid::new_v4().simple());
    admin.batch_execute(&format!("create database {database}")).await.unwrap();
    connect(&server("postgres", &database)).await
}

pub async fn connect(config: &str) -> Client {
    let (client, io) = tokio_postgres::connect(config, NoTls).await.unwrap();
    tokio::spawn(io);
    client
}

impl Scene {
    /// Somebody new with a role of the modules (or `owner`), in a company that is made when first named.
    pub async fn person(&self, company: &str, role: &str) -> Person {
        let organization = self.company(company).await;
        self.member(
            organization,
            &[Role { name: role.into(), template: Some(role.into()), ..Role::default() }],
        )
        .await
    }

    /// Somebody whose rights are told one by one.
    pub async fn person_with(&self, company: &str, roles: &[Role]) -> Person {
        let organization = self.company(company).await;
        self.member(organization, roles).await
    }

    async fn company(&self, name: &str) -> Uuid {
        let mut companies = self.companies.lock().await;
        if let Some(id) = companies.get(name) {
            return *id;
        }
        let full = format!("{name} of {}", self.id);
        let slug =
            format!("{}-{}", name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-"), self.id);
        let sql = "insert into tenancy.organizations (name, slug, country, currency) values ($1, $2, 'DE', 'EUR') returning id";
        let slug: String = slug.chars().take(60).collect();
        let id = self.admin.query_one(sql, &[&full, &slug]).await.unwrap().get(0);
        companies.insert(name.to_owned(), id);
        id
    }

    pub async fn member(&self, organization: Uuid, roles: &[Role]) -> Person {
        let (user, email) = (Uuid::now_v7(), format!("{}@test.test", Uuid::new_v4().simple()));
        let name = roles.first().map_or("nobody", |r| &r.name);
        self.admin
            .execute(
                "insert into iam.users (id, email, first_name, status) values ($1, $2, $3, 'active')",
                &[&user, &email, &name],
            )
            .await
            .unwrap();
        self.admin
            .execute("insert into iam.memberships (organization_id, id, email, first_name) values ($1, $2, $3, $4)", &[&organization, &user, &email, &name])
            .await
            .unwrap();
        let access = Access::of(self.store.catalog(), roles);
        let actor = Actor {
            organization,
            user,
            request: Uuid::now_v7(),
            access: Arc::new(access),
            overlay: Arc::new(Overlay::default()),
            catalog: self.store.catalog().clone(),
            zone: jiff::tz::TimeZone::UTC,
            only_looks: false,
        };
        Person { store: self.store.clone(), actor }
    }

    /// For the few tests that look at the database itself: the first column of every row.
    pub async fn strings(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Vec<String> {
        self.admin.query(sql, values).await.unwrap().iter().map(|r| r.get(0)).collect()
    }

    /// As the database's own superuser.
    pub fn admin(&self) -> &Client {
        &self.admin
    }

    /// A connection as the role that requests run as, in no context.
    pub async fn runtime(&self) -> Client {
        connect(&server("app_user", &self.database)).await
    }

    /// Why PostgreSQL does not understand a statement.
    pub async fn understands(&self, sql: &str) -> Result<(), String> {
        self.admin
            .prepare(sql)
            .await
            .map(drop)
            .map_err(|e| e.as_db_error().map_or(e.to_string(), |d| d.message().into()))
    }
}

impl Person {
    fn entity<'a>(&self, catalog: &'a kernel::Catalog, name: &str) -> &'a Entity {
        catalog.entity(name).unwrap_or_else(|_| panic!("no entity {name}"))
    }

    pub async fn create(&self, entity: &str, record: Value) -> Outcome {
        let catalog = self.actor.catalog.clone();
        let entity = self.entity(&catalog, entity);
        Outcome(records::create(&self.store, &self.actor, entity, &record).await.and_then(|r| r.value()))
    }

    pub async fn read(&self, entity: &str, record: &Value) -> Outcome {
        let catalog = self.actor.catalog.clone();
        let entity = self.entity(&catalog, entity);
        Outcome(
            records::get(&self.store, &self.actor, entity, id(record), &[], &[])
                .await
                .and_then(|r| r.value()),
        )
    }

    /// Changes a record as it was last seen: `record` gives the version.
    pub async fn update(&self, entity: &str, record: &Value, changes: Value) -> Outcome {
        let catalog = self.actor.catalog.clone();
        let entity = self.entity(&catalog, entity);
        let version = record["version"].as_i64().and_then(|v| i32::try_from(v).ok());
        Outcome(
            records::change(&self.store, &self.actor, entity, id(record), &changes, version)
                .await
                .and_then(|r| r.value()),
        )
    }

    pub async fn delete(&self, entity: &str, record: &Value) -> Outcome {
        let catalog = self.actor.catalog.clone();
        let entity = self.entity(&catalog, entity);
        Outcome(
            records::delete(&self.store, &self.actor, entity, id(record), None).await.map(|()| Value::Null),
        )
    }

    pub async fn restore(&self, entity: &str, record: &Value) -> Outcome {
        let catalog = self.actor.catalog.clone();
        let entity = self.entity(&catalog, entity);
        Outcome(records::restore(&self.store, &self.actor, entity, id(record)).await.and_then(|r| r.value()))
    }

    pub async fn act(&self, entity: &str, record: &Value, action: &str) -> Outcome {
        self.act_with(entity, record, action, json!({})).await
    }

    /// The record after the action; what the action made is under `_made`.
    pub async fn act_with(&self, entity: &str, record: &Value, action: &str, body: Value) -> Outcome {
        let catalog = self.actor.catalog.clone();
        let entity = self.entity(&catalog, entity);
        let acted = records::act(
            &self.store,
            &self.actor,
            entity,
            id(record),
            &records::Ask { action, body: &body, version: None },
        )
        .await;
        Outcome(acted.and_then(|a| Ok(serde_json::from_slice(&a.json())?)))
    }

    /// `query` as in the address: `[("sort", "-name")]`. Answers `{data, next, count}`.
    pub async fn list(&self, entity: &str, query: &[(&str, &str)]) -> Outcome {
        let catalog = self.actor.catalog.clone();
        let entity = self.entity(&catalog, entity);
        let pairs: Vec<(String, String)> =
            query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Outcome(
            async {
                Ok(serde_json::from_slice(
                    &records::list(&self.store, &self.actor, entity, &Query::parse(&pairs)?).await?,
                )?)
            }
            .await,
        )
    }

    pub async fn aggregate(&self, entity: &str, body: Value) -> Outcome {
        let catalog = self.actor.catalog.clone();
        let entity = self.entity(&catalog, entity);
        Outcome(
            async {
                Ok(serde_json::from_slice(
                    &records::aggregate(&self.store, &self.actor, entity, &body).await?,
                )?)
            }
            .await,
        )
    }

    pub async fn call(&self, module: &str, function: &str, body: Value) -> Outcome {
        let call = kernel::call(self.store.modules(), module, function)
            .unwrap_or_else(|| panic!("no {module}/{function}"));
        Outcome(kernel::within!(self.store, &self.actor, tx => (call.run)(&tx, &body).await))
    }
}

impl Outcome {
    #[track_caller]
    pub fn ok(self) -> Value {
        self.0.unwrap_or_else(|e| panic!("should have worked: {e}"))
    }

    /// Refused by a rule, or because what was sent is not well formed; the sentence says why.
    #[track_caller]
    pub fn refused(self, why: &str) {
        match self.0 {
            Err(e @ (Error::Refused(_) | Error::Malformed(_))) => {
                assert!(e.to_string().contains(why), "refused with: {e}");
            }
            other => panic!("should have been refused: {other:?}"),
        }
    }

    #[track_caller]
    pub fn forbidden(self) {
        assert!(matches!(self.0, Err(Error::Forbidden(_))), "should have been forbidden: {:?}", self.0);
    }

    #[track_caller]
    pub fn not_found(self) {
        assert!(matches!(self.0, Err(Error::NotFound)), "should not have been found: {:?}", self.0);
    }

    #[track_caller]
    pub fn stale(self) {
        assert!(matches!(self.0, Err(Error::Stale)), "should have been stale: {:?}", self.0);
    }

    pub fn result(self) -> Result<Value> {
        self.0
    }
}

/// An amount without the zeros at its end.
pub fn plain(amount: &Value) -> &str {
    let text = amount.as_str().unwrap_or_default();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

pub fn id(record: &Value) -> Uuid {
    record["id"].as_str().unwrap_or_else(|| panic!("no id in {record}")).parse().unwrap()
}
