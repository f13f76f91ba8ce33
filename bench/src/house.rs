//! A PostgreSQL, a database full of orders, and the server under test.

use crate::{Done, Size, client::Connection};
use cluster::Cluster;
use kernel::{Secrets, Store};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

const DATABASE: &str = "fondaco";
const PASSWORD: &str = "a long walk by the canal";
/// Owners who have a company each and ask all at once; two more own the large and the middling company.
pub(crate) const CLIENTS: usize = 8;

/// Somebody who asks, in a company of so many orders; ids are counted through over all companies.
pub(crate) struct Company {
    pub(crate) token: String,
    organization: Uuid,
    owner: Uuid,
    pub(crate) orders: u64,
    pub(crate) orders_before: u64,
    pub(crate) customers_before: u64,
    customers: u64,
}

impl Company {
    /// The id of its k-th order, from 1.
    pub(crate) fn order(&self, k: u64) -> String {
        House::counted(self.orders_before + k)
    }

    /// What its statements have in other places than another company's: the company, who asks, the first order and customer.
    pub(crate) fn marks(&self) -> [String; 4] {
        [self.organization.to_string(), self.owner.to_string(), self.order(1), self.customer()]
    }

    /// A script with what it says of its company.
    pub(crate) fn fill(&self, script: &str) -> String {
        script
            .replace("{organization}", &self.organization.to_string())
            .replace("{owner}", &self.owner.to_string())
            .replace("{customers_before}", &self.customers_before.to_string())
            .replace("{customers}", &self.customers.to_string())
    }

    pub(crate) fn customer(&self) -> String {
        House::counted(1_000_000_000_000 + self.customers_before + 1)
    }
}

pub(crate) struct House {
    root: PathBuf,
    cluster: Arc<Cluster>,
    server: Option<Child>,
    pub(crate) listen: SocketAddr,
    /// The large one, the middling one, then those of the clients.
    pub(crate) companies: Vec<Company>,
    pub(crate) loaded: Duration,
}

impl House {
    /// An id that counts.
    pub(crate) fn counted(n: u64) -> String {
        let digits = format!("{n:016}");
        format!("00000000-0000-0000-{}-{}", &digits[..4], &digits[4..])
    }

    pub(crate) async fn build(size: &Size) -> Done<House> {
        let root = std::env::temp_dir().join(format!("fondaco-bench-{}", std::process::id()));
        fs::create_dir_all(&root)?;
        let cluster = Arc::new(Cluster::start(&root.join("data/pg"))?);
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut house =
            House { root, cluster, server: None, listen, companies: Vec::new(), loaded: Duration::ZERO };
        house.connect_to("postgres").await?.batch_execute(&format!("create database {DATABASE}")).await?;
        let admin = house.admin().await?;
        kernel::install(&admin, modules::ALL).await?;
        // It would come in the middle of a round.
        house.set("autovacuum = off").await?;
        house.set("max_wal_size = '8GB'").await?;
        house.fill(&admin, size).await?;
        Ok(house)
    }

    async fn connect_to(&self, database: &str) -> Done<Client> {
        let (client, io) = tokio_postgres::connect(&self.cluster.config("postgres", database), NoTls).await?;
        tokio::spawn(io);
        Ok(client)
    }

    pub(crate) async fn admin(&self) -> Done<Client> {
        self.connect_to(DATABASE).await
    }

    /// Changes a setting of PostgreSQL for everybody.
    pub(crate) async fn set(&self, setting: &str) -> Done {
        let admin = self.admin().await?;
        admin.batch_execute(&format!("alter system set {setting}")).await?;
        admin.batch_execute("select pg_reload_conf()").await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(())
    }

    async fn fill(&mut self, admin: &Client, size: &Size) -> Done {
        let begun = Instant::now();
        let config = |role: &str| self.cluster.config(role, DATABASE);
        let secrets = Secrets::open(&self.root.join("data/master.key"))?;
        let store = Store::open(&config("app_user"), &config("app_system"), 2, modules::ALL, secrets).await?;
        let auth = auth::Auth::new(
            store,
            auth::Config { attempts: 100_000, requests: u32::MAX, ..auth::Config::default() },
        );
        let visit = auth::Visit::default();
        let (mut sizes, mut owner) = (Vec::new(), Uuid::nil());
        let (mut orders_before, mut customers_before) = (0, 0);
        for (n, (orders, customers)) in size.companies().into_iter().enumerate() {
            let email = format!("owner{n}@bench.test");
            // The rest have one owner together: to make a password's hash takes its time.
            let asks = n < CLIENTS + 2;
            if asks {
                let (first_name, last_name) = ("Olive".to_owned(), format!("Owner {n}"));
                let (password, locale) = (PASSWORD.to_owned(), "en".to_owned());
                let new = auth::NewUser {
                    email: email.clone(),
                    password,
                    first_name,
                    last_name,
                    locale,
                    is_operator: false,
                };
                owner = auth.create_user(&new).await?;
            }
            let new = auth::NewOrganization {
                name: format!("Company {n}"),
                country: "US".into(),
                currency: "USD".into(),
                time_zone: "UTC".into(),
                ..auth::NewOrganization::default()
            };
            let organization = auth.create_organization(owner, &new, Uuid::now_v7()).await?.id;
            sizes.push(format!("({n}, '{organization}'::uuid, '{owner}'::uuid, {orders}, {customers})"));
            if asks {
                let token = auth.login(&email, PASSWORD, None, &visit).await?.token;
                let company = Company {
                    token,
                    organization,
                    owner,
                    orders,
                    orders_before,
                    customers_before,
                    customers,
                };
                self.companies.push(company);
            }
            orders_before += orders;
            customers_before += customers;
        }
        let script = include_str!("load.sql").replace("{sizes}", &sizes.join(", "));
        let (steps, vacuum) = script.rsplit_once("vacuum ").ok_or("load.sql ends in a vacuum")?;
        admin.batch_execute(steps).await?;
        admin.batch_execute(&format!("vacuum {vacuum}")).await?;
        admin.batch_execute("checkpoint").await?;
        self.loaded = begun.elapsed();
        Ok(())
    }

    /// Starts the server; answers how long it took until it was ready.
    pub(crate) async fn open(&mut self, program: &Path) -> Done<Duration> {
        let begun = Instant::now();
        let child = Command::new(program)
            .arg("serve")
            .current_dir(&self.root)
            .env("FONDACO_DATA", self.root.join("data"))
            .env("FONDACO_REQUESTS", u32::MAX.to_string())
            .env("FONDACO_LISTEN", self.listen.to_string())
            .env_remove("DATABASE_URL")
            .stdout(Stdio::null())
            .spawn()?;
        self.server = Some(child);
        let ready = b"GET /readyz HTTP/1.1\r\nhost: bench\r\n\r\n";
        while begun.elapsed() < Duration::from_secs(60) {
            if let Ok(mut connection) = Connection::open(self.listen).await
                && connection.ask(ready).await.is_ok()
            {
                return Ok(begun.elapsed());
            }
            if let Some(ended) = self.server.as_mut().map(Child::try_wait).transpose()?.flatten() {
                return Err(format!("the server ended at once: {ended}").into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err("the server did not open within a minute".into())
    }

    /// Ends the server alone; PostgreSQL stays, or is there again.
    pub(crate) fn close(&mut self) -> Done {
        if let Some(mut server) = self.server.take() {
            server.kill()?;
            server.wait()?;
        }
        Ok(())
    }

    pub(crate) fn server(&self) -> u32 {
        self.server.as_ref().map_or(0, Child::id)
    }

    pub(crate) fn postmaster(&self) -> Done<u32> {
        let file = fs::read_to_string(self.pg().join("postmaster.pid"))?;
        Ok(file.lines().next().unwrap_or_default().trim().parse()?)
    }

    /// PostgreSQL's folder.
    pub(crate) fn pg(&self) -> PathBuf {
        self.root.join("data/pg")
    }

    /// A program that stands beside the server that runs.
    pub(crate) fn tool(&self, name: &str) -> Done<PathBuf> {
        let server = fs::read_link(format!("/proc/{}/exe", self.postmaster()?))?;
        let tool = server.with_file_name(name);
        if tool.is_file() {
            return Ok(tool);
        }
        Err(format!("There is no {}; it comes with PostgreSQL's server package.", tool.display()).into())
    }

    /// The connection string of a role.
    pub(crate) fn config(&self, role: &str) -> String {
        self.cluster.config(role, DATABASE)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let closed = self.close().map_err(|e| e.to_string());
        let stopped = self.cluster.stop().map_err(|e| e.to_string());
        let deleted = fs::remove_dir_all(&self.root).map_err(|e| e.to_string());
        for problem in [closed, stopped, deleted].into_iter().filter_map(Result::err) {
            crate::say(&format!("! {problem}"));
        }
    }
}
