//! What is written in conversations. A message has its number in its conversation, without gaps: so what is unread is a
//! difference, and a page a range.

use crate::{
    conversations::{self, EVENT, enter},
    files,
    notifications::{self, Notice},
};
use kernel::{Actor, Error, Result, Store, Tx, sql, within};
use serde_json::{Value, json};
use uuid::Uuid;

/// The entity that attached files hang on.
pub const ENTITY: &str = "social.messages";
/// Longest message, in characters.
const LONGEST: usize = 10_000;
/// Files of one message, and colleagues named in it.
const FILES: usize = 20;
const MENTIONS: usize = 50;
const PAGE: i64 = 50;

#[derive(Clone, Debug)]
pub struct New<'a> {
    pub conversation: Uuid,
    /// Of whoever sends: the same once more is the same message.
    pub id: Uuid,
    pub body: &'a str,
    /// The message that this one answers.
    pub parent: Option<Uuid>,
    /// Those of the conversation who are told in any case.
    pub mentions: &'a [Uuid],
    /// What one has sent already and hangs on nothing yet.
    pub files: &'a [Uuid],
    /// Where letters lead to.
    pub link: Option<&'a str>,
}

/// Which messages of a conversation.
#[derive(Clone, Debug, Default)]
pub struct Which<'a> {
    /// Older than this number, the newest of them.
    pub before: Option<i64>,
    /// From this number on, the oldest of them.
    pub from: Option<i64>,
    /// Words that are in them.
    pub q: &'a str,
    /// A message and its answers.
    pub thread: Option<Uuid>,
}

macro_rules! shown {
    () => {
        "jsonb_build_object('id', m.id, 'conversation_id', m.conversation_id, 'number', m.number, 'parent_id', m.parent_id,
             'parent', (select jsonb_build_object('number', p.number, 'author', a.name, 'body', left(p.body, 120), 'deleted', p.deleted_at is not null)
                 from social.messages p left join iam.memberships a on a.organization_id = $1 and a.id = p.created_by
                 where p.organization_id = $1 and p.id = m.parent_id),
             'answers', (select count(*) from social.messages n where n.organization_id = $1 and n.parent_id = m.id and n.deleted_at is null),
             'body', case when m.deleted_at is null then m.body end, 'mentions', to_jsonb(m.mentions), 'reactions', m.reactions,
             'created_by', m.created_by, 'author', (select u.name from iam.memberships u where u.organization_id = $1 and u.id = m.created_by),
             'created_at', m.created_at, 'edited_at', m.edited_at, 'deleted', m.deleted_at is not null,
             'files', (select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'name', f.name, 'type', f.type, 'size', f.size) order by f.id), '[]')
                 from files.files f where f.organization_id = $1 and f.entity = 'social.messages' and f.record_id = m.id
                   and f.deleted_at is null and m.deleted_at is null))"
    };
}

/// A page in the order of writing, and whether there is more in the direction that was asked for.
///
/// # Errors
/// NotFound for what one takes no part in.
pub async fn list(
    store: &Store,
    actor: &Actor,
    conversation: Uuid,
    which: &Which<'_>,
) -> Result<(Vec<Value>, bool)> {
    let q: String = which.q.trim().chars().take(200).collect();
    let like =
        format!("%{}%", q.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    within!(store, actor, tx => {
        enter(&tx, None).await?;
        here(&tx, conversation).await?;
        let sql = sql!(concat!(
            "select ", shown!(), " from social.messages m where m.organization_id = $1 and m.conversation_id = $2
               and ($3::bigint is null or m.number < $3) and ($4::bigint is null or m.number >= $4)
               and ($5::text = '' or m.deleted_at is null and (m.search_text like $6 or m.search @@ (websearch_to_tsquery('simple', $5)
                   || websearch_to_tsquery('english', $5) || websearch_to_tsquery('russian', $5))))
               and ($7::uuid is null or m.id = $7 or m.parent_id = $7)
             order by case when $4::bigint is null then -m.number else m.number end limit $8"
        ));
        let values: kernel::Values<'_> =
            &[&actor.organization, &conversation, &which.before, &which.from, &q, &like, &which.thread, &(PAGE + 1)];
        let rows = tx.cached(sql, values).await?;
        let page = usize::try_from(PAGE).unwrap_or_default();
        let mut data: Vec<Value> = rows.iter().take(page).map(|row| row.get(0)).collect();
        if which.from.is_none() {
            data.reverse();
        }
        Ok((data, rows.len() > page))
    })
}

/// Found in all one's own conversations, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn search(store: &Store, actor: &Actor, q: &str) -> Result<Vec<Value>> {
    let q: String = q.trim().chars().take(200).collect();
    if q.is_empty() {
        return Ok(Vec::new());
    }
    let like =
        format!("%{}%", q.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    within!(store, actor, tx => {
        enter(&tx, None).await?;
        let sql = sql!(concat!(
            "select ", shown!(), " from social.messages m where m.organization_id = $1 and m.deleted_at is null
               and (m.search_text like $3 or m.search @@ (websearch_to_tsquery('simple', $2)
                   || websearch_to_tsquery('english', $2) || websearch_to_tsquery('russian', $2)))
             order by m.id desc limit 50"
        ));
        Ok(tx.cached(sql, &[&actor.organization, &q, &like]).await?.iter().map(|row| row.get(0)).collect())
    })
}

async fn here(tx: &Tx, conversation: Uuid) -> Result<()> {
    let sql = sql!(
        "select from social.conversations where organization_id = $1 and id = $2 and id = any (app.conversations()) and deleted_at is null"
    );
    tx.query_opt(sql, &[&tx.actor.organization, &conversation]).await?.ok_or(Error::NotFound).map(drop)
}

/// Writes, and tells those in the conversation who want to hear of it, and those who are named in any case.
///
/// # Errors
/// NotFound for what one takes no part in; Refused for nothing said, too much, or an archived conversation.
pub async fn send(store: &Store, actor: &Actor, new: &New<'_>) -> Result<Value> {
    let body = said(new.body, !new.files.is_empty())?;
    let few = |n: usize, most: usize, field: &str, message: &str| {
        if n > most { Err(Error::refused_at(field, message)) } else { Ok(()) }
    };
    few(new.files.len(), FILES, "files", "A message has at most 20 files.")?;
    few(new.mentions.len(), MENTIONS, "mentions", "At most 50 colleagues can be named.")?;
    within!(store, actor, tx => {
        conversations::write_in(&tx, new.conversation).await?;
        if let Some(made) = again(&tx, new).await? {
            return Ok(made);
        }
        let mentions: Vec<Uuid> = of_them(&tx, new).await?;
        let count = sql!(
            "update social.conversations set last_number = last_number + 1, last_at = now() where organization_id = $1 and id = $2
             returning last_number"
        );
        let number: i64 = tx.query_one(count, &[&actor.organization, &new.conversation]).await?.get(0);
        let sql = sql!(
            "insert into social.messages (organization_id, id, conversation_id, number, parent_id, body, mentions)
             select $1, $2, $3, $4, $5, $6, $7 where $5::uuid is null or exists (select from social.messages p
                 where p.organization_id = $1 and p.id = $5 and p.conversation_id = $3 and p.deleted_at is null)"
        );
        let values: kernel::Values<'_> =
            &[&actor.organization, &new.id, &new.conversation, &number, &new.parent, &body, &mentions];
        if tx.change(sql, values).await? == 0 {
            return Err(Error::refused_at("parent_id", "There is no such message here."));
        }
        for file in new.files {
            files::attach(&tx, *file, ENTITY, new.id).await?;
        }
        let read = sql!(
            "update social.participants set read_number = $4, read_at = now()
             where organization_id = $1 and conversation_id = $2 and user_id = $3"
        );
        tx.change(read, &[&actor.organization, &new.conversation, &actor.user, &number]).await?;
        tell(&tx, new, &body, &mentions).await?;
        tx.changed(EVENT, new.conversation, 0, "message");
        one(&tx, new.id).await
    })
}

/// What was sent with this id already: an answer was lost on the way, not the message.
async fn again(tx: &Tx, new: &New<'_>) -> Result<Option<Value>> {
    let sql = sql!(concat!(
        "select ",
        shown!(),
        " from social.messages m where m.organization_id = $1 and m.id = $2 and m.conversation_id = $3 and m.created_by = $4"
    ));
    let rows = tx.cached(sql, &[&tx.actor.organization, &new.id, &new.conversation, &tx.actor.user]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

async fn one(tx: &Tx, id: Uuid) -> Result<Value> {
    let sql = sql!(concat!(
        "select ",
        shown!(),
        " from social.messages m where m.organization_id = $1 and m.id = $2"
    ));
    let rows = tx.cached(sql, &[&tx.actor.organization, &id]).await?;
    rows.first().map(|row| row.get(0)).ok_or(Error::NotFound)
}

/// Who of those named is in the conversation.
async fn of_them(tx: &Tx, new: &New<'_>) -> Result<Vec<Uuid>> {
    let sql = sql!(
        "select user_id from social.participants where organization_id = $1 and conversation_id = $2 and user_id = any ($3) and left_at is null"
    );
    let rows = tx.cached(sql, &[&tx.actor.organization, &new.conversation, &new.mentions]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn tell(tx: &Tx, new: &New<'_>, body: &str, mentions: &[Uuid]) -> Result<()> {
    let sql = sql!(
        "select o.user_id, c.name, (select u.name from iam.memberships u where u.organization_id = $1 and u.id = $3)
         from social.participants o join social.conversations c on c.organization_id = $1 and c.id = o.conversation_id
         where o.organization_id = $1 and o.conversation_id = $2 and o.user_id <> $3 and o.left_at is null
           and (not o.muted or o.user_id = any ($4))"
    );
    let values: kernel::Values<'_> = &[&tx.actor.organization, &new.conversation, &tx.actor.user, &mentions];
    for row in tx.cached(sql, values).await? {
        let (user, name, author): (Uuid, Option<&str>, Option<&str>) = (row.get(0), row.get(1), row.get(2));
        let author = author.unwrap_or_default();
        let titled = name.map(|name| format!("{author} · {name}"));
        let named = mentions.contains(&user);
        let notice = Notice {
            kind: if named { "mention" } else { "message" },
            title: titled.as_deref().unwrap_or(author),
            by: (named || titled.is_none()).then_some(author),
            body: Some(body),
            record: Some((EVENT, new.conversation)),
            link: new.link,
            ..Notice::default()
        };
        notifications::notify(tx, user, &notice).await?;
    }
    Ok(())
}

/// Changes one's own words.
///
/// # Errors
/// NotFound for other people's.
pub async fn edit(store: &Store, actor: &Actor, id: Uuid, body: &str) -> Result<Value> {
    let body = said(body, false)?;
    within!(store, actor, tx => {
        let conversation = own(&tx, id).await?;
        conversations::write_in(&tx, conversation).await?;
        let sql = sql!("update social.messages set body = $3, edited_at = now() where organization_id = $1 and id = $2");
        tx.change(sql, &[&actor.organization, &id, &body]).await?;
        tx.changed(EVENT, conversation, 0, "message");
        one(&tx, id).await
    })
}

/// Takes one's own words back: the place in the conversation stays, the words and the files are gone.
///
/// # Errors
/// NotFound for other people's.
pub async fn remove(store: &Store, actor: &Actor, id: Uuid) -> Result<()> {
    within!(store, actor, tx => {
        let conversation = own(&tx, id).await?;
        let files = sql!(
            "update files.files set deleted_at = now() where organization_id = $1 and entity = 'social.messages' and record_id = $2 and created_by = $3 and deleted_at is null"
        );
        tx.change(files, &[&actor.organization, &id, &actor.user]).await?;
        let sql = sql!("update social.messages set body = '', mentions = '{}', reactions = '{}', deleted_at = now() where organization_id = $1 and id = $2");
        tx.change(sql, &[&actor.organization, &id]).await?;
        tx.changed(EVENT, conversation, 0, "message");
        Ok(())
    })
}

async fn own(tx: &Tx, id: Uuid) -> Result<Uuid> {
    enter(tx, None).await?;
    let sql = sql!(
        "select conversation_id from social.messages where organization_id = $1 and id = $2 and created_by = $3 and deleted_at is null"
    );
    let row = tx.query_opt(sql, &[&tx.actor.organization, &id, &tx.actor.user]).await?;
    Ok(row.ok_or(Error::NotFound)?.get(0))
}

/// Puts a sign under a message, or takes it away again.
///
/// # Errors
/// NotFound for what one takes no part in; Malformed for what is no sign.
pub async fn react(store: &Store, actor: &Actor, id: Uuid, sign: &str) -> Result<Value> {
    within!(store, actor, tx => {
        enter(&tx, None).await?;
        let made = one(&tx, id).await?;
        crate::comments::is_sign(sign)?;
        let row = tx.query_one(sql!("select app.react_to_message($1, $2)"), &[&id, &sign]).await?;
        let given: Option<Value> = row.get(0);
        let conversation = made["conversation_id"].as_str().and_then(|id| id.parse().ok());
        tx.changed(EVENT, conversation.ok_or(Error::NotFound)?, 0, "message");
        Ok(json!({ "reactions": given.ok_or(Error::NotFound)? }))
    })
}

fn said(body: &str, files: bool) -> Result<String> {
    let body = body.trim();
    match body.chars().count() {
        0 if !files => Err(Error::refused_at("body", "Say something.")),
        n if n > LONGEST => Err(Error::refused_at("body", "A message has at most 10,000 characters.")),
        _ => Ok(body.to_owned()),
    }
}
