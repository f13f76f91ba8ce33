use kernel::{Store, sql, system};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle};
use uuid::Uuid;

/// Whom and what an error was about.
#[derive(Clone, Copy, Debug, Default)]
pub struct About {
    pub request: Option<Uuid>,
    pub organization: Option<Uuid>,
    pub user: Option<Uuid>,
}

/// Errors of the program, one row for each kind of them, in `app.system_logs`. Noting one takes no time of the request:
/// what comes within a second is written together, and of a flood only so many kinds; the rest is counted.
#[derive(Clone)]
pub struct SystemLog {
    sender: mpsc::Sender<Noted>,
}

struct Noted {
    level: &'static str,
    message: String,
    about: About,
    detail: Value,
    count: i64,
}

/// Kinds of errors written at once.
const MOST_KINDS: usize = 50;
const LONGEST: usize = 4000;

impl SystemLog {
    /// The task ends, with everything written, when the last clone of the log is dropped.
    pub fn start(store: Store) -> (SystemLog, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(1000);
        (SystemLog { sender }, tokio::spawn(write(store, receiver)))
    }

    pub fn error(&self, message: &str, about: About, detail: Value) {
        self.note("ERROR", message, about, detail);
    }

    pub fn warn(&self, message: &str, about: About, detail: Value) {
        self.note("WARN", message, about, detail);
    }

    fn note(&self, level: &'static str, message: &str, about: About, detail: Value) {
        let message = cut(message).to_owned();
        // A full channel is a flood: tracing has it all the same.
        let _ = self.sender.try_send(Noted { level, message, about, detail, count: 1 });
    }
}

/// What the database, the queue and the mail say of themselves, for who runs the server.
pub async fn health(store: &Store) -> kernel::Result<Value> {
    system!(store, tx => {
        let sql = sql!(
            "select jsonb_build_object(
                 'database', jsonb_build_object('version', current_setting('server_version'),
                     'size', pg_database_size(current_database()),
                     'connections', (select count(*) from pg_stat_activity where datname = current_database()),
                     'most_connections', current_setting('max_connections')::integer),
                 'backup', (select jsonb_build_object('archived_at', last_archived_time, 'failed_at', last_failed_time) from pg_stat_archiver),
                 'queue', (select jsonb_build_object('queued', count(*) filter (where status = 'queued'),
                     'running', count(*) filter (where status = 'running'), 'failed', count(*) filter (where status = 'failed'),
                     'oldest', min(run_at) filter (where status = 'queued' and run_at <= now())) from app.jobs),
                 'mails', (select jsonb_build_object('waiting', count(*) filter (where sent_at is null and failed_at is null),
                     'failed', count(failed_at)) from app.mails),
                 'companies', (select count(*) from tenancy.organizations),
                 'users', (select count(*) from iam.users))"
        );
        Ok(tx.query_one(sql, &[]).await?.get(0))
    })
}

/// The kinds of errors there were, the latest first, for who runs the server; resolved ones too, or only what is open.
pub async fn errors(store: &Store, resolved: bool) -> kernel::Result<Value> {
    system!(store, tx => {
        let sql = sql!(
            "select coalesce(jsonb_agg(to_jsonb(l) order by l.last_seen_at desc), '[]') from
             (select id, level, message, request_id, first_seen_at, last_seen_at, count, resolved_at from app.system_logs
              where $1 or resolved_at is null order by last_seen_at desc limit 200) l"
        );
        Ok(tx.query_one(sql, &[&resolved]).await?.get(0))
    })
}

/// Somebody has seen to it; when it comes again it is open again.
///
/// # Errors
/// When there is no such error.
pub async fn resolve(store: &Store, id: Uuid) -> kernel::Result<()> {
    system!(store, tx => {
        let sql = sql!("update app.system_logs set resolved_at = coalesce(resolved_at, now()) where id = $1");
        if tx.execute(sql, &[&id]).await? == 0 { Err(kernel::Error::NotFound) } else { Ok(()) }
    })
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text)
}

async fn write(store: Store, mut receiver: mpsc::Receiver<Noted>) {
    while let Some(first) = receiver.recv().await {
        let mut kinds: HashMap<String, Noted> = HashMap::new();
        let mut more = 0;
        take(&mut kinds, &mut more, first);
        let until = tokio::time::sleep(Duration::from_secs(1));
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                noted = receiver.recv() => match noted {
                    Some(noted) => take(&mut kinds, &mut more, noted),
                    None => break,
                },
            }
        }
        if more > 0 {
            let message = format!("A flood of errors; {more} were only counted.");
            let noted =
                Noted { level: "ERROR", message, about: About::default(), detail: json!({}), count: more };
            kinds.insert(fingerprint("ERROR", "A flood of errors"), noted);
        }
        if let Err(e) = save(&store, &kinds).await {
            tracing::warn!("could not note errors in the system log: {e}");
        }
    }
}

fn take(kinds: &mut HashMap<String, Noted>, more: &mut i64, noted: Noted) {
    let key = fingerprint(noted.level, &noted.message);
    let full = kinds.len() >= MOST_KINDS;
    match kinds.get_mut(&key) {
        Some(known) => known.count += 1,
        None if full => *more += 1,
        None => {
            kinds.insert(key, noted);
        }
    }
}

async fn save(store: &Store, kinds: &HashMap<String, Noted>) -> kernel::Result<()> {
    system!(store, tx => {
        for (fingerprint, noted) in kinds {
            let Noted { level, message, about, detail, count } = noted;
            tx.execute(
                sql!(
                    "insert into app.system_logs (fingerprint, level, message, request_id, about_organization, about_user, detail, count)
                     values ($1, $2, $3, $4, $5, $6, $7, $8)
                     on conflict (fingerprint) do update set message = excluded.message, request_id = excluded.request_id,
                         about_organization = excluded.about_organization, about_user = excluded.about_user, detail = excluded.detail,
                         count = system_logs.count + excluded.count, last_seen_at = now(), resolved_at = null"
                ),
                &[fingerprint, level, message, &about.request, &about.organization, &about.user, detail, count],
            ).await?;
        }
        Ok(())
    })
}

/// The same for errors that differ only in whom they met: numbers, ids and quoted text are left out.
fn fingerprint(level: &str, message: &str) -> String {
    let hash = Sha256::digest(format!("{level} {}", plain(message)));
    hash.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

fn plain(message: &str) -> String {
    let mut out = String::new();
    let mut rest = message;
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
        if matches!(c, '"' | '\'' | '`' | '«' | '“') {
            let close = match c {
                '«' => '»',
                '“' => '”',
                c => c,
            };
            let inside = &rest[c.len_utf8()..];
            if let Some(end) = inside.find(close) {
                out.push('?');
                rest = &inside[end + close.len_utf8()..];
                continue;
            }
        }
        if word == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (this, after) = rest.split_at(word);
        // A uuid, a number, a hash.
        let id = this.contains(|c: char| c.is_ascii_digit())
            && this.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if id {
            out.push('?');
        } else {
            let mut digits = false;
            for c in this.chars() {
                if !c.is_ascii_digit() {
                    out.push(c);
                } else if !digits {
                    out.push('?');
                }
                digits = c.is_ascii_digit();
            }
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_differ_in_values_only_are_one_kind() {
        let same = |a: &str, b: &str| assert_eq!(plain(a), plain(b));
        same(
            "order 17 of 0198b2d0-7c1e-7000-8000-0000000000aa is gone",
            "order 4 of 0198b2d0-7c1e-7999-8000-0000000000ab is gone",
        );
        same("column \"a\" is missing", "column \"credit limit\" is missing");
        same("line12: it's 3.50", "line7: it's 12.99");
        assert_ne!(plain("table orders"), plain("table invoices"));
        assert_eq!(plain("don't stop"), "don't stop");
        assert_eq!(plain(""), "");
    }
}
