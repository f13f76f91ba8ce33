use crate::Catalog;
use std::fmt;
use tokio_postgres::error::{DbError, SqlState};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing that is wrong with what somebody sent, and where: a path such as `lines.0.quantity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub field: Option<String>,
    pub message: String,
}

/// What can go wrong, in the words of the person who asked. `web` turns this into problem+json, once.
#[derive(Debug)]
pub enum Error {
    /// The request is not well formed: unknown field, bad value, broken filter.
    Malformed(Vec<Fault>),
    /// The request makes sense, but a rule of the business says no.
    Refused(Vec<Fault>),
    Forbidden(String),
    NotFound,
    /// Somebody else changed it first.
    Stale,
    /// A document may be changed only by those who say which version they saw.
    VersionNeeded,
    /// The same idempotency key came with another request, or the first one is still running.
    Conflict(String),
    /// The database is not there, full or too busy; the same request may work later.
    Unavailable(String),
    /// Ours, not theirs: logged whole, shown as "something went wrong".
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

/// The code under which our triggers raise; their message is meant for the person who asked.
const BUSINESS_RULE: &str = "AP001";

impl Error {
    pub fn refused(message: impl Into<String>) -> Self {
        Error::Refused(vec![Fault { field: None, message: message.into() }])
    }

    pub fn refused_at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Refused(vec![Fault { field: Some(field.into()), message: message.into() }])
    }

    pub fn malformed(message: impl Into<String>) -> Self {
        Error::Malformed(vec![Fault { field: None, message: message.into() }])
    }

    pub fn malformed_at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Malformed(vec![Fault { field: Some(field.into()), message: message.into() }])
    }

    pub fn broken(message: impl Into<String>) -> Self {
        Error::Broken(message.into().into())
    }

    /// An administrator looks at the company as a role; see `Actor::only_looks`.
    pub fn only_looking() -> Self {
        Error::Forbidden("You are viewing as a role, so nothing can be changed. End the view first.".into())
    }

    /// Others changed the same records at the same time, again and again.
    #[doc(hidden)]
    pub fn busy() -> Self {
        Error::Unavailable("Somebody else is changing this; try again.".into())
    }

    /// Puts a path before the fields that the error speaks of: the error of a line becomes one of its document.
    pub fn under(mut self, path: &str) -> Self {
        if let Error::Refused(faults) | Error::Malformed(faults) = &mut self {
            for fault in faults {
                fault.field = Some(match &fault.field {
                    Some(field) => format!("{path}.{field}"),
                    None => path.to_owned(),
                });
            }
        }
        self
    }

    /// Whether the same transaction may simply be tried again.
    pub fn is_passing(&self) -> bool {
        self.sql().is_some_and(|e| {
            matches!(*e.code(), SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED)
        })
    }

    pub(crate) fn sql(&self) -> Option<&DbError> {
        let Error::Broken(source) = self else { return None };
        source.downcast_ref::<tokio_postgres::Error>()?.as_db_error()
    }

    /// A constraint speaks through its comment; the catalog knows the comment and the column.
    pub fn explain(self, catalog: &Catalog) -> Self {
        let Some(db) = self.sql() else {
            if let Error::Broken(e) = &self
                && let Some(e) = e.downcast_ref::<tokio_postgres::Error>()
                && e.is_closed()
            {
                return Error::Unavailable("The database is restarting; try again.".into());
            }
            return self;
        };
        let refused = |message: &str, field: Option<&str>| {
            Error::Refused(vec![Fault { field: field.map(Into::into), message: message.to_owned() }])
        };
        let fallback = match *db.code() {
            SqlState::INSUFFICIENT_PRIVILEGE => {
                return Error::Forbidden("You may not do this.".into());
            }
            SqlState::READ_ONLY_SQL_TRANSACTION => return Error::only_looking(),
            SqlState::NOT_NULL_VIOLATION => return refused("This is required.", db.column()),
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE => {
                return refused("A number is too large.", db.column());
            }
            SqlState::QUERY_CANCELED => {
                return Error::Unavailable("This took too long and was stopped.".into());
            }
            SqlState::LOCK_NOT_AVAILABLE => {
                return Error::busy();
            }
            SqlState::DISK_FULL
            | SqlState::OUT_OF_MEMORY
            | SqlState::TOO_MANY_CONNECTIONS
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW => {
                return Error::Unavailable("The database is not available; try again.".into());
            }
            SqlState::UNIQUE_VIOLATION => "This is already taken.",
            SqlState::FOREIGN_KEY_VIOLATION if db.message().starts_with("insert or update") => {
                "There is no such record."
            }
            SqlState::FOREIGN_KEY_VIOLATION => "This is in use.",
            SqlState::CHECK_VIOLATION | SqlState::EXCLUSION_VIOLATION => "This value is not allowed.",
            ref code if code.code().starts_with("22") => {
                return Error::malformed("A value is not well formed.");
            }
            ref code if code.code() == BUSINESS_RULE => return refused(db.message(), db.column()),
            _ => return self,
        };
        let (message, field) = catalog.constraint(db.schema(), db.table(), db.constraint());
        refused(message.unwrap_or(fallback), field.or(db.column()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Malformed(faults) | Error::Refused(faults) => {
                for (n, fault) in faults.iter().enumerate() {
                    if n > 0 {
                        f.write_str(" ")?;
                    }
                    match &fault.field {
                        Some(field) => write!(f, "{field}: {}", fault.message)?,
                        None => f.write_str(&fault.message)?,
                    }
                }
                Ok(())
            }
            Error::Forbidden(m) | Error::Conflict(m) | Error::Unavailable(m) => f.write_str(m),
            Error::NotFound => f.write_str("There is no such record, or you may not see it."),
            Error::Stale => f.write_str("Somebody else changed this record first."),
            Error::VersionNeeded => f.write_str("Say which version you saw, in If-Match."),
            Error::Broken(e) => write!(f, "{e:?}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<tokio_postgres::Error> for Error {
    fn from(e: tokio_postgres::Error) -> Self {
        Error::Broken(Box::new(e))
    }
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(e: deadpool_postgres::PoolError) -> Self {
        match e {
            deadpool_postgres::PoolError::Backend(e) if e.as_db_error().is_some() => {
                Error::Broken(Box::new(e))
            }
            _ => Error::Unavailable("The database is not available; try again.".into()),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(e: serde_json::Error) -> Self {
        Error::Broken(Box::new(e))
    }
}
