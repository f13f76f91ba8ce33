//! The way of electronic invoices to an exchange: a folder for each company that a program of the exchange's takes them
//! from. The answer comes by the API: `accept`, `decline` or `revoke` of the record.

use kernel::{Error, Result};
use records::Ask;
use serde_json::{Value, json};
use std::path::Path;
use tokio::fs;

/// The job that the module queues for an electronic invoice that is sent: `{"exchange": id}`.
pub(crate) const KIND: &str = "einvoicing.deliver";

/// `<folder>/<company>/<number>.xml`, whole or not at all; the record knows that it was handed over.
///
/// # Errors
/// As reading and acting; Broken when the folder cannot be written, and then it is tried again.
pub(crate) async fn deliver(job: &flow::Context, folder: &Path) -> Result<Value> {
    let (store, actor) = (&job.store, &job.actor);
    let entity = store.catalog().entity("einvoicing.exchanges")?;
    let id = job.job.payload["exchange"].as_str().and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
    let record = records::get(store, actor, entity, id, &[], &[]).await?.value()?;
    // Numbers are as the company writes them; a path is not its business.
    let number = flow::files::clean_name(record["number"].as_str().unwrap_or_default());
    let folder = folder.join(actor.organization.to_string());
    let file = folder.join(format!("{number}.xml"));
    let wrong = |e: std::io::Error| Error::broken(format!("{}: {e}", file.display()));
    fs::create_dir_all(&folder).await.map_err(wrong)?;
    let unfinished = folder.join(format!("{id}.part"));
    fs::write(&unfinished, record["content"].as_str().unwrap_or_default()).await.map_err(wrong)?;
    fs::rename(&unfinished, &file).await.map_err(wrong)?;
    let ask = Ask { action: "hand_over", body: &json!({}), version: None };
    records::act(store, actor, entity, id, &ask).await?;
    Ok(json!({ "file": format!("{number}.xml") }))
}
