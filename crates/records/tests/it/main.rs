//! Records of any entity, on a small module of the tests' own.

mod shop;
mod reading;
mod writing;
