//! Against a real PostgreSQL and real files.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod files;
mod jobs;
mod mail;
mod notifications;
mod pdf;
mod schedules;
mod scene;
