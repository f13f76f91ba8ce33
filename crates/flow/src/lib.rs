//! Work that is not done while somebody waits: jobs, schedules, mail, notifications; and what documents are made of:
//! files and PDF.
//!
//! Invariants:
//! - What is to be done later is a row written by the transaction that wants it; a rollback leaves nothing to do.
//! - A tenant's job runs as the member who asked for it, under the rights that he has when it runs.
//! - Nothing is in memory alone: a killed server finds its work again when it starts.

pub mod approval_rules;
pub mod approvals;
mod backoff;
pub mod comments;
pub mod conversations;
pub mod files;
pub mod followers;
pub mod housekeeping;
pub mod jobs;
pub mod mail;
pub mod messages;
pub mod notifications;
pub mod numbers;
pub mod pdf;
pub mod schedules;
pub mod system_log;
pub mod triggers;
mod worker;

pub use jobs::Job;
pub use system_log::{About, SystemLog};
pub use worker::{ActorOf, Context, Platform, Settings, Worker, Workers};
