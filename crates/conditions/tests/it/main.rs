//! `cfg(test)` is true here anyway; it tells clippy that these are tests.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod language;
