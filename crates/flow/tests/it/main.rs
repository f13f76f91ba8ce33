//! Against a real PostgreSQL and real files.

mod files;
mod jobs;
mod mail;
mod notifications;
mod pdf;
mod schedules;
mod scene;
