//! Against a real PostgreSQL.

mod upgrade;
