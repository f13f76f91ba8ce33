//! The business, one folder a module. CONTRIBUTING.md says what goes in a folder.

#[cfg(test)]
mod conformance;

use kernel::Module;

include!(concat!(env!("OUT_DIR"), "/modules.rs"));
