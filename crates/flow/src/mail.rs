//! Mail on its way out: `app.mails`. Whoever wants one sent writes it in his own transaction; the [`Mailer`] delivers.

#[cfg(feature = "mail")]
mod deliver;

#[cfg(feature = "mail")]
pub use deliver::{Mailer, Settings};

use kernel::{Result, System, Tx, sql};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Under which name the mailer hears that there is something to send, see [`kernel::Store::events`].
pub const EVENT: &str = "app.mails";

#[derive(Clone, Debug, Default)]
pub struct Mail<'a> {
    /// An address, or `Name <address>`; one person.
    pub to: &'a str,
    pub subject: &'a str,
    pub body: &'a str,
    pub attachments: &'a [Attachment],
}

#[derive(Clone, Debug, Serialize)]
pub struct Attachment {
    pub name: String,
    #[serde(rename = "type")]
    pub content_type: String,
    /// The bytes.
    pub base64: String,
}

impl Mail<'_> {
    fn attached(&self) -> Value {
        json!(self.attachments)
    }
}

/// Sends a mail if and when `tx` is committed.
pub async fn send(tx: &Tx, mail: &Mail<'_>) -> Result<Uuid> {
    let rows = tx.cached(SEND, &[&mail.to, &mail.subject, &mail.body, &mail.attached()]).await?;
    tx.changed(EVENT, Uuid::nil(), 0, "queued");
    Ok(rows.first().map(|row| row.get(0)).unwrap_or_default())
}

/// As [`send`], of the program. Wake the mailer after the commit, or it sees the mail within a second.
pub async fn send_system(system: &System, mail: &Mail<'_>) -> Result<Uuid> {
    Ok(system.query_one(SEND, &[&mail.to, &mail.subject, &mail.body, &mail.attached()]).await?.get(0))
}

const SEND: &str = sql!("select app.send_mail($1, $2, $3, $4)");

/// A line in the record's history: who was sent which paper of it.
///
/// # Errors
/// As the database says.
pub async fn note_sent(tx: &Tx, entity: &str, record: Uuid, sent: &Value) -> Result<()> {
    tx.cached(sql!("select app.note_sent($1, $2, $3)"), &[&entity, &record, sent]).await?;
    Ok(())
}
