//! Against a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod upgrade;
