use super::EVENT;
use crate::{backoff::backoff, schedules::instant};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use kernel::{Error, Result, Store, sql, system};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, broadcast::error::RecvError},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How mail leaves the house.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `smtp://user:password@host:587?tls=required`, `smtps://…`. `None`: mails are files in `outbox`.
    pub smtp: Option<String>,
    pub outbox: PathBuf,
    /// `Fondaco <no-reply@example.com>`
    pub from: String,
    pub poll: Duration,
    /// The wait after a first failure; it doubles each time, up to an hour.
    pub first_wait: Duration,
    /// After so long a mail is given up; it stays in the table with its error.
    pub give_up: Duration,
}

impl Settings {
    pub fn outbox(folder: impl Into<PathBuf>) -> Settings {
        Settings {
            smtp: None,
            outbox: folder.into(),
            from: "Fondaco <no-reply@localhost>".into(),
            poll: Duration::from_secs(1),
            first_wait: Duration::from_secs(15),
            give_up: Duration::from_secs(3 * 24 * 3600),
        }
    }
}

/// Delivers mails, each at least once: it may come twice when the server is killed between delivery and the note of
/// it, and then with the same Message-ID (as a file: with the same name), so that the reader shows one.
pub struct Mailer {
    wake: Arc<Notify>,
    stop: CancellationToken,
    main: Mutex<Option<JoinHandle<()>>>,
    ear: JoinHandle<()>,
}

/// Mails in the air at once, and how long one may take. The claim outlives it.
const AT_ONCE: usize = 8;
const LONGEST: Duration = Duration::from_secs(60);
const CLAIM: f64 = 120.0;

struct House {
    store: Store,
    settings: Settings,
    from: Mailbox,
    smtp: Option<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Mailer {
    /// # Errors
    /// When the address, the URL or the folder is of no use: better at start than when somebody waits for a code.
    pub async fn start(store: Store, settings: Settings) -> Result<Mailer> {
        let wrong = |what: &str, e: &dyn std::fmt::Display| Error::broken(format!("mail: {what}: {e}"));
        let from = settings.from.parse().map_err(|e| wrong("the sender's address", &e))?;
        let smtp = match &settings.smtp {
            Some(url) => Some(
                AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
                    .map_err(|e| wrong("the SMTP server's URL", &e))?
                    .timeout(Some(LONGEST / 2))
                    .build(),
            ),
            None => {
                let folder = &settings.outbox;
                tokio::fs::create_dir_all(folder)
                    .await
                    .map_err(|e| wrong(&folder.display().to_string(), &e))?;
                None
            }
        };
        let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let ear = tokio::spawn(listen(store.clone(), wake.clone()));
        let house = Arc::new(House { store, settings, from, smtp });
        let main = Mutex::new(Some(tokio::spawn(work(house, wake.clone(), stop.clone()))));
        Ok(Mailer { wake, stop, main, ear })
    }

    /// There is a mail: to be called after the commit of a transaction of the program that wrote one.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// The same, to be given to those who do not know the mailer.
    pub fn waker(&self) -> Arc<dyn Fn() + Send + Sync> {
        let wake = self.wake.clone();
        Arc::new(move || wake.notify_one())
    }

    /// Lets what is in the air land.
    pub async fn stop(&self) {
        self.stop.cancel();
        let main = self.main.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(main) = main
            && let Err(e) = main.await
        {
            tracing::error!("the mailer ended badly: {e}");
        }
    }
}

impl Drop for Mailer {
    fn drop(&mut self) {
        self.ear.abort();
        if let Some(main) = self.main.lock().unwrap_or_else(PoisonError::into_inner).take() {
            main.abort();
        }
    }
}

async fn listen(store: Store, wake: Arc<Notify>) {
    let mut events = store.events();
    loop {
        match events.recv().await {
            Ok(event) if event.entity != EVENT => {}
            Err(RecvError::Closed) => return,
            Ok(_) | Err(RecvError::Lagged(_)) => wake.notify_one(),
        }
    }
}

#[derive(Clone)]
struct Due {
    id: Uuid,
    recipient: String,
    subject: String,
    body: String,
    attachments: Value,
    created_at: Timestamp,
    attempts: i32,
    age: f64,
}

async fn work(house: Arc<House>, wake: Arc<Notify>, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    loop {
        while tasks.len() < AT_ONCE && !stop.is_cancelled() {
            match claim(&house.store, AT_ONCE - tasks.len()).await {
                Ok(due) if due.is_empty() => break,
                Ok(due) => {
                    for mail in due {
                        tasks.spawn(deliver(house.clone(), mail));
                    }
                }
                Err(e) => {
                    tracing::warn!("could not look for mail: {e}");
                    break;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = wake.notified() => {}
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            () = tokio::time::sleep(house.settings.poll) => {}
        }
    }
    let all = async { while tasks.join_next().await.is_some() {} };
    // What does not land is delivered again when its claim has run out.
    let _ = tokio::time::timeout(Duration::from_secs(10), all).await;
}

async fn claim(store: &Store, most: usize) -> Result<Vec<Due>> {
    let most = i64::try_from(most).unwrap_or(1);
    let rows = system!(store, tx => {
        Ok(tx.query(
            sql!(
                "update app.mails set attempts = attempts + 1, send_at = now() + make_interval(secs => $2)
                 where id in (select id from app.mails where sent_at is null and failed_at is null and send_at <= now()
                              order by send_at limit $1 for update skip locked)
                 returning id, recipient, subject, body, attachments, (extract(epoch from created_at) * 1000000)::bigint, attempts,
                     extract(epoch from now() - created_at)::double precision"
            ),
            &[&most, &CLAIM],
        ).await?)
    })?;
    let read = |row: &tokio_postgres::Row| Due {
        id: row.get(0),
        recipient: row.get(1),
        subject: row.get(2),
        body: row.get(3),
        attachments: row.get(4),
        created_at: instant(row.get(5)),
        attempts: row.get(6),
        age: row.get(7),
    };
    Ok(rows.iter().map(read).collect())
}

/// Why a mail did not get out, and whether it ever will.
struct Failure {
    why: String,
    permanent: bool,
}

async fn deliver(house: Arc<House>, mail: Due) {
    let sent = match tokio::time::timeout(LONGEST, try_once(&house, &mail)).await {
        Ok(sent) => sent,
        Err(_) => Err(Failure { why: "the mail server took too long".into(), permanent: false }),
    };
    let noted = match sent {
        Ok(()) => system!(house.store, tx => {
            Ok(tx.execute(sql!("update app.mails set sent_at = now(), error = null where id = $1"), &[&mail.id]).await?)
        }),
        Err(failure) => {
            // A server that says "never" is asked twice more: some mean "not now".
            let over =
                failure.permanent && mail.attempts >= 3 || mail.age > house.settings.give_up.as_secs_f64();
            tracing::warn!(mail = %mail.id, attempt = mail.attempts, over, "a mail did not get out: {}", failure.why);
            let wait = backoff(house.settings.first_wait, 2.0, Duration::from_secs(3600), mail.attempts);
            system!(house.store, tx => {
                Ok(tx.execute(
                    sql!(
                        "update app.mails set error = $2, send_at = now() + make_interval(secs => $3),
                             failed_at = case when $4 then now() end where id = $1"
                    ),
                    &[&mail.id, &failure.why, &wait.as_secs_f64(), &over],
                ).await?)
            })
        }
    };
    if let Err(e) = noted {
        tracing::warn!(mail = %mail.id, "could not note what became of a mail; it may come twice: {e}");
    }
}

async fn try_once(house: &House, mail: &Due) -> Result<(), Failure> {
    let message = build(&house.from, mail).map_err(|why| Failure { why, permanent: true })?;
    let Some(smtp) = &house.smtp else {
        return write(&house.settings.outbox, mail, &message.formatted())
            .await
            .map_err(|e| Failure { why: e.to_string(), permanent: false });
    };
    match smtp.send(message).await {
        Ok(_) => Ok(()),
        Err(e) => Err(Failure { permanent: e.is_permanent(), why: e.to_string() }),
    }
}

/// The letter itself. Its headers are built, not glued; what a person typed cannot add a line to them.
fn build(from: &Mailbox, mail: &Due) -> Result<Message, String> {
    let one_line =
        |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    if mail.recipient.contains(char::is_control) {
        return Err("the address has a line break".into());
    }
    let to: Mailbox = mail.recipient.trim().parse().map_err(|e| format!("the address: {e}"))?;
    let domain = from.email.domain();
    let builder = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(one_line(&mail.subject))
        .message_id(Some(format!("<{}@{domain}>", mail.id)))
        .date(mail.created_at.into());
    let text = SinglePart::plain(mail.body.clone());
    let attached = mail.attachments.as_array().map(Vec::as_slice).unwrap_or_default();
    if attached.is_empty() {
        return builder.singlepart(text).map_err(|e| e.to_string());
    }
    let mut parts = MultiPart::mixed().singlepart(text);
    for one in attached {
        let bytes = STANDARD
            .decode(one["base64"].as_str().unwrap_or_default())
            .map_err(|e| format!("an attachment: {e}"))?;
        let kind = one["type"].as_str().and_then(|t| ContentType::parse(t).ok());
        let kind = kind
            .map_or_else(|| ContentType::parse("application/octet-stream").map_err(|e| e.to_string()), Ok)?;
        let name = crate::files::clean_name(one["name"].as_str().unwrap_or_default());
        parts = parts.singlepart(Attachment::new(name).body(bytes, kind));
    }
    builder.multipart(parts).map_err(|e| e.to_string())
}

/// A file in the outbox; its name sorts by time and is the same each time.
async fn write(folder: &Path, mail: &Due, bytes: &[u8]) -> std::io::Result<()> {
    let at = mail.created_at.strftime("%Y%m%dT%H%M%S%.6fZ");
    let name = format!("{at}-{}.eml", mail.id);
    let passing = folder.join(format!(".{name}.part"));
    let mut file = tokio::fs::File::create(&passing).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(passing, folder.join(name)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn due(recipient: &str, subject: &str) -> Due {
        Due {
            id: Uuid::from_u128(7),
            recipient: recipient.into(),
            subject: subject.into(),
            body: "Ваш код: 123456\n.\nℹ️".into(),
            attachments: json!([]),
            created_at: "2026-11-21T10:00:00Z".parse().unwrap(),
            attempts: 1,
            age: 0.0,
        }
    }

    fn built(mail: &Due) -> Result<String, String> {
        let from = "Fondaco <no-reply@example.com>".parse().unwrap();
        build(&from, mail).map(|m| String::from_utf8(m.formatted()).unwrap())
    }

    #[test]
    fn nobody_adds_a_header() {
        let head = |text: &str| text.split("\r\n\r\n").next().unwrap().to_lowercase();
        for evil in ["Hi\r\nBcc: all@example.com", "Hi\nBcc: all@example.com", "Hi\r\n\r\nBcc: body"] {
            let text = built(&due("a@example.com", evil)).unwrap();
            assert!(!head(&text).contains("\nbcc:"), "{text}");
            assert!(text.contains("\r\n\r\n"));
        }
        for evil in [
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com, b@example.com",
            "a@example.com;b@example.com",
            "nobody",
            "",
        ] {
            assert!(built(&due(evil, "Hi")).is_err(), "{evil}");
        }
        let mut mail = due("a@example.com", "Hi");
        mail.attachments = json!([{"name": "x\"\r\nBcc: b@example.com\r\n.pdf", "type": "text/plain\r\nBcc: c@example.com", "base64": "aGk="}]);
        assert!(!built(&mail).unwrap().to_lowercase().contains("\nbcc:"));
    }

    #[test]
    fn a_letter_is_the_same_each_time() {
        let mail = due("Айгүл <a@example.com>", "Код входа");
        let text = built(&mail).unwrap();
        assert_eq!(text, built(&mail).unwrap());
        assert!(text.contains("Message-ID: <00000000-0000-0000-0000-000000000007@example.com>"), "{text}");
        assert!(text.is_ascii());
    }
}
