use kernel::{Error, Result};
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf, str::FromStr};

/// Everything that can be set: `fondaco.toml` in the working folder, over it the environment.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// FONDACO_DATA: where the database, the files and the keys are.
    pub(crate) data: PathBuf,
    /// FONDACO_LISTEN: address and port of the server.
    pub(crate) listen: SocketAddr,
    /// FONDACO_BASE_URL: how people reach it; links in mails begin with it.
    pub(crate) base_url: Option<String>,
    /// FONDACO_OUTBOX: folder for mails where no SMTP server is set; `outbox` in the data folder by default.
    pub(crate) outbox: Option<PathBuf>,
    /// FONDACO_SMTP: `smtps://user:password@host`, or `smtp://host:25`.
    pub(crate) smtp: Option<String>,
    /// FONDACO_MAIL_FROM: the sender of mails.
    pub(crate) mail_from: String,
    /// DATABASE_URL: a PostgreSQL of yours, as a user who may create roles; else a private one.
    pub(crate) database_url: Option<String>,
    /// FONDACO_CONNECTIONS: to the database, for requests.
    pub(crate) connections: usize,
    /// FONDACO_SESSION_MINUTES: whoever does nothing for so long is signed out.
    pub(crate) session_minutes: u64,
    /// FONDACO_SESSION_HOURS: and everybody after so long.
    pub(crate) session_hours: u64,
    /// FONDACO_REQUESTS: of one person or key within ten seconds; five times as many of one address.
    pub(crate) requests: u32,
    /// FONDACO_REGISTRATION: `open`, or `closed` where people come in by invitation alone.
    pub(crate) registration: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data: "data".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_url: None,
            outbox: None,
            smtp: None,
            mail_from: "Fondaco <no-reply@localhost>".into(),
            database_url: None,
            connections: 8,
            session_minutes: 30,
            session_hours: 12,
            requests: 10_000,
            registration: "open".into(),
        }
    }
}

fn wrong(what: &str, e: &dyn std::fmt::Display) -> Error {
    Error::broken(format!("{what}: {e}"))
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// What the environment says of a setting, if anything.
fn parsed<T: FromStr<Err: std::fmt::Display>>(name: &str, setting: &mut T) -> Result<()> {
    if let Some(value) = env(name) {
        *setting = value.parse().map_err(|e| wrong(name, &e))?;
    }
    Ok(())
}

impl Config {
    /// # Errors
    /// Names the setting that is not understood.
    pub(crate) fn read() -> Result<Config> {
        let mut config: Config = match std::fs::read_to_string("fondaco.toml") {
            Ok(text) => toml::from_str(&text).map_err(|e| wrong("fondaco.toml", &e))?,
            Err(_) => Config::default(),
        };
        if let Some(data) = env("FONDACO_DATA") {
            config.data = data.into();
        }
        parsed("FONDACO_LISTEN", &mut config.listen)?;
        parsed("FONDACO_CONNECTIONS", &mut config.connections)?;
        parsed("FONDACO_SESSION_MINUTES", &mut config.session_minutes)?;
        parsed("FONDACO_SESSION_HOURS", &mut config.session_hours)?;
        parsed("FONDACO_REQUESTS", &mut config.requests)?;
        config.base_url = env("FONDACO_BASE_URL").or(config.base_url);
        config.outbox = env("FONDACO_OUTBOX").map(PathBuf::from).or(config.outbox);
        config.smtp = env("FONDACO_SMTP").or(config.smtp);
        config.mail_from = env("FONDACO_MAIL_FROM").unwrap_or(config.mail_from);
        config.database_url = env("DATABASE_URL").or(config.database_url);
        config.registration = env("FONDACO_REGISTRATION").unwrap_or(config.registration);
        std::fs::create_dir_all(&config.data)
            .map_err(|e| wrong(&format!("the data folder {}", config.data.display()), &e))?;
        config.data = config.data.canonicalize().map_err(|e| wrong("the data folder", &e))?;
        Ok(config)
    }

    pub(crate) fn base_url(&self) -> String {
        let own = || format!("http://{}", self.listen);
        self.base_url.clone().unwrap_or_else(own).trim_end_matches('/').to_owned()
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.outbox.clone().unwrap_or_else(|| self.data.join("outbox"))
    }

    /// The master key stands beside the database, never inside it.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.data.join("master.key")
    }
}
