//! Placeholder.
use kernel::{Result, Store};
#[derive(Clone)]
pub struct Files;
impl Files { pub async fn sweep(&self, _: &Store) -> Result<u64> { Ok(0) } }
pub(crate) fn clean_name(name: &str) -> String { name.to_owned() }
