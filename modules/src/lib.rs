//! The business, one folder a module. CONTRIBUTING.md says what goes in a folder.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod corruption;
#[cfg(test)]
mod upgrade;

use kernel::Module;

include!(concat!(env!("OUT_DIR"), "/modules.rs"));
