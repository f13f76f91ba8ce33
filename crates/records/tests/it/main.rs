//! Records of any entity, on a small module of the tests' own.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod bulk;
mod formulas;
mod places;
mod reading;
mod shop;
mod writing;
