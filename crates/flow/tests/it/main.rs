//! Against a real PostgreSQL and real files.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod files;
mod jobs;
#[cfg(feature = "mail")]
mod mail;
mod notifications;
mod pdf;
mod scene;
mod schedules;
