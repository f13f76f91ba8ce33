use crate::config::Config;
use cluster::Cluster;
use kernel::{Error, Installed, Result, Secrets, Store};
use std::{sync::Arc, time::Duration};
use tokio_postgres::{Client, NoTls};

const NAME: &str = "fondaco";

/// The PostgreSQL that the house stands on: a private one, or one of the administrator's.
pub(crate) struct Database {
    pub(crate) private: Option<Arc<Cluster>>,
    admin: String,
    pub(crate) secrets: Secrets,
    connections: usize,
    url: Option<tokio_postgres::Config>,
}

impl Database {
    pub(crate) async fn open(config: &Config) -> Result<Database> {
        let secrets = Secrets::open(&config.key_file())?;
        let connections = config.connections;
        if let Some(url) = &config.database_url {
            let parsed: tokio_postgres::Config = url.parse()?;
            return Ok(Database {
                private: None,
                admin: url.clone(),
                secrets,
                connections,
                url: Some(parsed),
            });
        }
        let folder = config.data.join("pg");
        let cluster = tokio::task::spawn_blocking(move || Cluster::start(&folder))
            .await
            .map_err(|e| Error::broken(e.to_string()))?
            .map_err(|e| Error::broken(e.to_string()))?;
        let server = first_connection(&cluster).await?;
        let there = server.query_opt("select from pg_database where datname = $1", &[&NAME]).await?;
        if there.is_none() {
            server.batch_execute(&format!("create database {NAME}")).await?;
        }
        let admin = cluster.config("postgres", NAME);
        Ok(Database { private: Some(Arc::new(cluster)), admin, secrets, connections, url: None })
    }

    pub(crate) async fn admin(&self) -> Result<Client> {
        connect(&self.admin).await
    }

    /// Brings the schema up to date and gives the runtime roles their passwords where a password is asked.
    pub(crate) async fn migrate(&self) -> Result<Installed> {
        let client = self.admin().await?;
        let done = kernel::install(&client, modules::ALL).await?;
        if self.url.is_some() {
            for role in ["app_user", "app_system"] {
                client
                    .batch_execute(&format!("alter role {role} password '{}'", self.password(role)))
                    .await?;
            }
        }
        let settings = "select string_agg(name || '=' || setting, ', ') from pg_settings
                        where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'";
        if let Some(unsafe_settings) = client.query_one(settings, &[]).await?.get::<_, Option<String>>(0) {
            return Err(Error::broken(format!(
                "PostgreSQL runs with {unsafe_settings}: a crash would lose what people were told is saved. Switch it on."
            )));
        }
        let broken = kernel::gate(&client).await?;
        if !broken.is_empty() {
            return Err(Error::broken(format!(
                "The database does not keep companies apart as it should; not starting.\n{}",
                broken.join("\n")
            )));
        }
        Ok(done)
    }

    pub(crate) async fn store(&self) -> Result<Store> {
        let (user, system) = (self.config("app_user"), self.config("app_system"));
        Store::open(&user, &system, self.connections, modules::ALL, self.secrets.clone()).await
    }

    fn password(&self, role: &str) -> String {
        self.secrets.derive(role).iter().map(|b| format!("{b:02x}")).collect()
    }

    fn config(&self, role: &str) -> String {
        if let Some(cluster) = &self.private {
            return cluster.config(role, NAME);
        }
        let Some(url) = &self.url else { return String::new() };
        let host = match url.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
            None => "localhost".into(),
        };
        let port = url.get_ports().first().copied().unwrap_or(5432);
        let name = url.get_dbname().unwrap_or(NAME);
        format!("host='{host}' port={port} user={role} password={} dbname='{name}'", self.password(role))
    }
}

/// The server that we attached to may be the one of a program that was just killed, and dying with it.
async fn first_connection(cluster: &Cluster) -> Result<Client> {
    for _ in 0..8 {
        if let Ok(client) = connect(&cluster.config("postgres", "postgres")).await {
            return Ok(client);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        // Nobody waits for us yet, so it may block.
        if !cluster.alive() {
            cluster.restart().map_err(|e| Error::broken(e.to_string()))?;
        }
    }
    connect(&cluster.config("postgres", "postgres")).await
}

pub(crate) async fn connect(config: &str) -> Result<Client> {
    let (client, io) = tokio_postgres::connect(config, NoTls).await?;
    tokio::spawn(io);
    Ok(client)
}
