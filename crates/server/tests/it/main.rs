//! The program itself, from outside: started on an empty folder, used by HTTP, killed.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod crashes;
mod day;
mod house;
mod many;
mod northwind;
