//! The whole server against whoever means it ill. T.., N.., Z.., I.. and C.. are the names of the safety requirements.
//!
//! What is tried comes out of OpenAPI and the catalog: a new table or route is tried without being named here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
mod administration;
mod approvals;
mod authentication;
mod authorization;
mod computed;
mod concurrency;
mod conversation;
mod day;
mod documents;
mod following;
mod input;
mod messages;
mod occurring;
mod own;
mod papers;
mod reports;
mod scene;
mod shares;
mod tenancy;
mod together;
mod triggers;
mod types;
mod viewing;
