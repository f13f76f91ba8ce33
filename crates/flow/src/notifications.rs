//! What a person should know, in the bell and, where he asked for it, by mail.

use crate::mail::{self, Mail};
use kernel::{Actor, Error, Result, Store, Tx, Values, sql, system, within};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Under which name listeners hear that somebody's notifications changed, with the person's id, see [`Store::events`].
pub const EVENT: &str = "social.notifications";

#[derive(Clone, Debug, Default)]
pub struct Notice<'a> {
    /// `approval`, `mention`: what people choose their channels by.
    pub kind: &'a str,
    pub title: &'a str,
    /// The name of whoever did it: for kinds that have words in every language, which then are the title.
    pub by: Option<&'a str>,
    pub body: Option<&'a str>,
    /// Of some kinds, what was done, in each language.
    pub what: &'a [(&'a str, String)],
    /// What it is about, to go there.
    pub record: Option<(&'a str, Uuid)>,
    /// The same for a letter.
    pub link: Option<&'a str>,
}

/// What comes of comments, messages and changes, in every language.
const SAID: [(&str, [(&str, &str); 3]); 5] = [
    ("mention", [("en", "{} mentioned you"), ("ru", "Вас упоминает {}"), ("kk", "{} сізді атады")]),
    ("reply", [("en", "{} answered"), ("ru", "Вам отвечает {}"), ("kk", "{} жауап берді")]),
    (
        "comment",
        [("en", "{} commented"), ("ru", "О вашей записи пишет {}"), ("kk", "{} жазбаңызға пікір қалдырды")],
    ),
    ("message", [("en", "{} wrote to you"), ("ru", "Вам пишет {}"), ("kk", "{} сізге жазды")]),
    ("change", [("en", "{} changed: []"), ("ru", "{} меняет: []"), ("kk", "{} өзгертті: []")]),
];

/// The title in every language that it is known in.
fn titles(kind: &str, title: &str, by: Option<&str>, what: &[(&str, String)]) -> Value {
    let said = SAID.iter().find(|(known, _)| *known == kind);
    let done = |language: &str| what.iter().find(|(l, _)| *l == language).map_or("", |(_, text)| text);
    match said.zip(by) {
        Some(((_, said), by)) => said
            .iter()
            .map(|(language, words)| {
                // The name last: it is whatever people call themselves.
                let words = words.split("[]").collect::<Vec<_>>();
                let [before, after] =
                    [0, 1].map(|n| words.get(n).map_or_else(String::new, |w| w.replace("{}", by)));
                ((*language).to_owned(), json!(format!("{before}{}{after}", done(language))))
            })
            .collect(),
        None => json!({ "en": title }),
    }
}

/// Tells a colleague as part of `tx`: in the product, and by mail when his preferences say so, at the time they say.
/// `None` when he does not want it in the product, or is no active member.
pub async fn notify(tx: &Tx, user: Uuid, notice: &Notice<'_>) -> Result<Option<Uuid>> {
    let Notice { kind, title, by, what, body, record, link } = notice;
    let (entity, record) = record.unzip();
    let row = tx
        .cached(
            sql!("select app.notify($1, $2, $3, $4, $5, $6, $7)"),
            &[&user, kind, &titles(kind, title, *by, what), body, &entity, &record, link],
        )
        .await?;
    let id: Option<Uuid> = row.first().and_then(|row| row.get(0));
    if id.is_some() {
        tx.changed(EVENT, user, 0, "create");
    }
    tx.changed(crate::mail::EVENT, Uuid::nil(), 0, "queued");
    Ok(id)
}

#[derive(Clone, Debug, Serialize)]
pub struct Notification {
    pub id: Uuid,
    pub kind: String,
    pub title: String,
    pub body: Option<String>,
    pub entity: Option<String>,
    pub record_id: Option<Uuid>,
    pub created_at: jiff::Timestamp,
    pub read_at: Option<jiff::Timestamp>,
    pub done_at: Option<jiff::Timestamp>,
    pub snoozed_until: Option<jiff::Timestamp>,
    /// Who did what it tells of: id and name.
    pub actor: Option<Value>,
}

/// Which of somebody's notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of {
    /// What is neither put away nor put off.
    #[default]
    Inbox,
    /// Of these, what was not read, and where the person was named.
    Unread,
    Mentions,
    Done,
    Snoozed,
    All,
}

impl Of {
    pub fn parse(name: &str) -> Option<Of> {
        Some(match name {
            "inbox" => Of::Inbox,
            "unread" => Of::Unread,
            "mentions" => Of::Mentions,
            "done" => Of::Done,
            "snoozed" => Of::Snoozed,
            "all" => Of::All,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Of::Inbox => "inbox",
            Of::Unread => "unread",
            Of::Mentions => "mentions",
            Of::Done => "done",
            Of::Snoozed => "snoozed",
            Of::All => "all",
        }
    }
}

/// One's own, the newest first; what was put off is new when its time has come. `before` is the id of the last one of
/// the page before.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    store: &Store,
    actor: &Actor,
    of: Of,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Notification>> {
    let values: Values<'_> = &[&actor.organization, &actor.user, &of.name(), &before, &limit.clamp(1, 200)];
    let rows = store
        .batch(
            actor,
            &[(
                sql!(
                    "select n.id, n.kind, n.title, n.body, n.entity, n.record_id, (extract(epoch from n.created_at) * 1000000)::bigint,
                         (extract(epoch from n.read_at) * 1000000)::bigint, (extract(epoch from n.done_at) * 1000000)::bigint,
                         (extract(epoch from n.snoozed_until) * 1000000)::bigint, n.created_by, m.name
                     from social.notifications n left join iam.memberships m on m.organization_id = $1 and m.id = n.created_by
                     where n.organization_id = $1 and n.user_id = $2 and n.deleted_at is null
                       and case $3::text when 'all' then true when 'done' then n.done_at is not null
                           when 'snoozed' then n.done_at is null and n.snoozed_until > now()
                           else n.done_at is null and (n.snoozed_until <= now()) is not false
                               and ($3 <> 'unread' or n.read_at is null) and ($3 <> 'mentions' or n.kind = 'mention') end
                       and ($4::uuid is null or (coalesce(n.snoozed_until, n.created_at), n.id) < (select coalesce(b.snoozed_until, b.created_at), b.id
                           from social.notifications b where b.organization_id = $1 and b.user_id = $2 and b.id = $4))
                     order by coalesce(n.snoozed_until, n.created_at) desc, n.id desc limit $5"
                ),
                values,
            )],
        )
        .await?;
    let at =
        |row: &tokio_postgres::Row, n: usize| row.get::<_, Option<i64>>(n).map(crate::schedules::instant);
    let read = |row: &tokio_postgres::Row| Notification {
        id: row.get(0),
        kind: row.get(1),
        title: row.get(2),
        body: row.get(3),
        entity: row.get(4),
        record_id: row.get(5),
        created_at: crate::schedules::instant(row.get(6)),
        read_at: at(row, 7),
        done_at: at(row, 8),
        snoozed_until: at(row, 9),
        actor: row
            .get::<_, Option<Uuid>>(10)
            .map(|id| json!({ "id": id, "name": row.get::<_, Option<&str>>(11) })),
    };
    Ok(rows.iter().flatten().map(read).collect())
}

/// What a person does with one of his notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Read,
    Unread,
    Done,
    /// Back from wherever it was put.
    Inbox,
    Snooze(jiff::Timestamp),
}

/// # Errors
/// NotFound for what is not one's own; Refused for a time that has passed, or is years away.
pub async fn put(store: &Store, actor: &Actor, id: Uuid, to: impl Fn() -> Result<Move>) -> Result<()> {
    within!(store, actor, tx => {
        let own = sql!("select from social.notifications where organization_id = $1 and id = $2 and user_id = $3 and deleted_at is null");
        tx.query_opt(own, &[&actor.organization, &id, &actor.user]).await?.ok_or(Error::NotFound)?;
        let (name, until) = match to()? {
            Move::Read => ("read", None),
            Move::Unread => ("unread", None),
            Move::Done => ("done", None),
            Move::Inbox => ("inbox", None),
            Move::Snooze(until) => {
                let ahead = until.as_second() - jiff::Timestamp::now().as_second();
                if !(0..=366 * 86_400).contains(&ahead) {
                    return Err(Error::refused_at("until", "It can be put off for at most a year."));
                }
                ("snoozed", Some(until.as_microsecond()))
            }
        };
        tx.change(
            sql!(
                "update social.notifications set
                     read_at = case when $4::text in ('unread', 'snoozed') then null when $4 = 'inbox' then read_at else coalesce(read_at, now()) end,
                     done_at = case when $4 = 'done' then now() when $4 in ('inbox', 'unread', 'snoozed') then null else done_at end,
                     snoozed_until = case when $4 = 'snoozed' then to_timestamp($5::bigint / 1000000.0) when $4 in ('done', 'inbox') then null else snoozed_until end
                 where organization_id = $1 and id = $2 and user_id = $3"
            ),
            &[&actor.organization, &id, &actor.user, &name, &until],
        ).await?;
        tx.changed(EVENT, actor.user, 0, name);
        Ok(())
    })
}

pub async fn unread_count(store: &Store, actor: &Actor) -> Result<i64> {
    let values: Values<'_> = &[&actor.organization, &actor.user];
    let rows = store
        .batch(
            actor,
            &[(
                sql!(
                    "select count(*) from social.notifications
                     where organization_id = $1 and user_id = $2 and deleted_at is null and read_at is null
                       and done_at is null and (snoozed_until <= now()) is not false"
                ),
                values,
            )],
        )
        .await?;
    Ok(rows.iter().flatten().next().map_or(0, |row| row.get(0)))
}

/// Marks these of one's own as read, all of them when none is named; answers how many were not.
pub async fn mark_read(store: &Store, actor: &Actor, ids: Option<&[Uuid]>) -> Result<u64> {
    within!(store, actor, tx => {
        let marked = tx.change(
            sql!(
                "update social.notifications set read_at = now()
                 where organization_id = $1 and user_id = $2 and read_at is null
                     and ($3::uuid[] is null and done_at is null and (snoozed_until <= now()) is not false or id = any ($3))"
            ),
            &[&actor.organization, &actor.user, &ids],
        ).await?;
        if marked > 0 {
            tx.changed(EVENT, actor.user, 0, "read");
        }
        Ok(marked)
    })
}

/// Writes the letters of the day that are due: one for each person, of all that has come together for him.
///
/// # Errors
/// When the database does not answer; what was not written then is written the next time.
pub async fn digests(store: &Store) -> Result<Value> {
    let mut written = 0;
    loop {
        let some = system!(store, tx => {
            let sql = sql!(
                "with due as (select distinct d.person from app.digests d where d.due_at <= now() limit 100),
                 gone as (delete from app.digests d using due where d.person = due.person returning d.*)
                 select u.email, left(u.locale, 2), jsonb_agg(jsonb_build_object('company', g.company, 'title', g.title, 'body', g.body, 'link', g.link)
                     order by g.company, g.created_at, g.id)
                 from gone g join iam.users u on u.id = g.person where u.status = 'active' group by u.id"
            );
            let rows = tx.query(sql, &[]).await?;
            for row in &rows {
                let items: Value = row.get(2);
                let (subject, body) = digest(row.get(1), items.as_array().map(Vec::as_slice).unwrap_or_default());
                mail::send_system(&tx, &Mail { to: row.get(0), subject: &subject, body: &body, attachments: &[] }).await?;
            }
            Ok(rows.len())
        })?;
        written += some;
        if some < 100 {
            return Ok(json!({ "letters": written }));
        }
    }
}

fn digest(language: &str, items: &[Value]) -> (String, String) {
    let n = items.len();
    let subject = match language {
        "ru" => format!("Новости дня: {n}"),
        "kk" => format!("Күн жаңалықтары: {n}"),
        _ => format!("News of the day: {n}"),
    };
    let mut body = String::new();
    let mut company = "";
    for item in items {
        let of = |name: &str| item[name].as_str().unwrap_or_default();
        if of("company") != company {
            company = of("company");
            body.push_str(&format!(
                "{}{company}\n{}\n",
                if body.is_empty() { "" } else { "\n" },
                "=".repeat(company.chars().count())
            ));
        }
        body.push_str(&format!("\n{}\n", of("title")));
        for line in [of("body"), of("link")] {
            if !line.is_empty() {
                body.push_str(&format!("{line}\n"));
            }
        }
    }
    (subject, body)
}
