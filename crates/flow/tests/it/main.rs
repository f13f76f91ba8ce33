//! Against a real PostgreSQL and real files.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod files;
mod jobs;
mod mail;
mod notifications;
mod pdf;
mod scene;
mod schedules;
