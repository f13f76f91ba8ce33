//! What people say about a record, under the record's own rights: who may read it may read and write there.

use crate::{
    files::reach,
    followers,
    notifications::{self, Notice},
};
use kernel::{Actor, Error, Result, Store, Tx, sql, within};
use serde_json::Value;
use uuid::Uuid;

/// What happened to a record when somebody said something about it: under the record's own name, so that it is told to
/// those who may read the record.
pub const EVENT: &str = "@comment";
/// Longest comment, in characters.
const LONGEST: usize = 10_000;
/// Colleagues told by one comment.
const MENTIONS: usize = 50;

#[derive(Clone, Debug)]
pub struct New<'a> {
    pub entity: &'a str,
    pub record: Uuid,
    pub body: &'a str,
    /// The comment that this one answers.
    pub parent: Option<Uuid>,
    /// Colleagues who are told, where they may read the record.
    pub mentions: &'a [Uuid],
    /// Where letters lead to.
    pub link: Option<&'a str>,
}

macro_rules! shown {
    () => {
        "jsonb_build_object('id', c.id, 'entity', c.entity, 'record_id', c.record_id, 'parent_id', c.parent_id,
             'body', case when c.deleted_at is null then c.body end, 'mentions', to_jsonb(c.mentions), 'reactions', c.reactions,
             'created_by', c.created_by, 'author', (select m.name from iam.memberships m where m.organization_id = c.organization_id and m.id = c.created_by),
             'created_at', c.created_at, 'edited_at', c.edited_at, 'deleted', c.deleted_at is not null, 'version', c.version)"
    };
}

/// Until when somebody has read what is said about a record; `None` where he never looked.
///
/// # Errors
/// NotFound where the record is out of reach.
pub async fn seen(
    store: &Store,
    actor: &Actor,
    entity: &str,
    record: Uuid,
) -> Result<Option<jiff::Timestamp>> {
    within!(store, actor, tx => {
        reach(&tx, entity, record, false).await?;
        let sql = sql!(
            "select (extract(epoch from seen_at) * 1000000)::bigint from app.seen
             where organization_id = $1 and user_id = $2 and entity = $3 and record_id = $4"
        );
        let row = tx.query_opt(sql, &[&actor.organization, &actor.user, &entity, &record]).await?;
        Ok(row.map(|row| crate::schedules::instant(row.get(0))))
    })
}

/// He has read all of it, and with it what he was told of it.
///
/// # Errors
/// NotFound where the record is out of reach.
pub async fn see(store: &Store, actor: &Actor, entity: &str, record: Uuid) -> Result<jiff::Timestamp> {
    within!(store, actor, tx => {
        reach(&tx, entity, record, false).await?;
        let sql = sql!(
            "insert into app.seen as s (entity, record_id) values ($1, $2)
             on conflict (organization_id, user_id, entity, record_id) do update set seen_at = now()
             returning (extract(epoch from s.seen_at) * 1000000)::bigint"
        );
        let at = crate::schedules::instant(tx.query_one(sql, &[&entity, &record]).await?.get(0));
        let sql = sql!(
            "update social.notifications set read_at = now()
             where organization_id = $1 and user_id = $2 and entity = $3 and record_id = $4 and read_at is null
               and kind in ('mention', 'reply', 'comment') and done_at is null and (snoozed_until <= now()) is not false"
        );
        if tx.change(sql, &[&actor.organization, &actor.user, &entity, &record]).await? > 0 {
            tx.changed(notifications::EVENT, actor.user, 0, "read");
        }
        Ok(at)
    })
}

/// Those of a record, the oldest first; of a deleted one that was answered only the place is left.
///
/// # Errors
/// NotFound where the record is out of reach.
pub async fn list(store: &Store, actor: &Actor, entity: &str, record: Uuid) -> Result<Vec<Value>> {
    within!(store, actor, tx => {
        reach(&tx, entity, record, false).await?;
        let sql = sql!(concat!(
            "select ", shown!(), " from social.comments c
             where c.organization_id = $1 and c.entity = $2 and c.record_id = $3 and (c.deleted_at is null or exists (select from social.comments a
                 where a.organization_id = $1 and a.parent_id = c.id and a.deleted_at is null))
             order by c.id limit 1000"
        ));
        Ok(tx.query(sql, &[&actor.organization, &entity, &record]).await?.iter().map(|r| r.get(0)).collect())
    })
}

/// Says something and tells those who are named in it, those whom it answers, those whose record it is and who follow it,
/// each once. Who says something, and who is named, follows the record from then on.
/// `may_read` answers whether a colleague reaches the record.
///
/// # Errors
/// NotFound where the record is out of reach; Refused for nothing said, or too much.
pub async fn add<F: Future<Output = bool>>(
    store: &Store,
    actor: &Actor,
    new: &New<'_>,
    may_read: impl Fn(Uuid) -> F,
) -> Result<Value> {
    let body = said(new.body)?;
    let mut named: Vec<Uuid> = new.mentions.to_vec();
    named.sort_unstable();
    named.dedup();
    if named.len() > MENTIONS {
        return Err(Error::refused_at("mentions", format!("At most {MENTIONS} colleagues can be named.")));
    }
    let (thread, owners) = within!(store, actor, tx => concerned(&tx, new).await)?;
    let mut told: Vec<(Uuid, &str)> = Vec::new();
    for (kind, people) in [("mention", named), ("reply", thread), ("comment", owners)] {
        for user in people {
            if user != actor.user && told.iter().all(|(known, _)| *known != user) && may_read(user).await {
                told.push((user, kind));
            }
        }
    }
    let readers: Vec<Uuid> =
        told.iter().filter(|(_, kind)| *kind == "mention").map(|(user, _)| *user).collect();
    within!(store, actor, tx => {
        let made = write(&tx, new, &body, &readers).await?;
        let author = made["author"].as_str().unwrap_or_default();
        for (user, kind) in &told {
            let record = Some((new.entity, new.record));
            let (by, body, link) = (Some(author), Some(body.as_str()), new.link);
            let notice = Notice { kind, title: author, by, body, record, link, ..Notice::default() };
            notifications::notify(&tx, *user, &notice).await?;
        }
        let following: Vec<Uuid> = readers.iter().copied().chain([actor.user]).collect();
        followers::joined(&tx, new.entity, new.record, &following).await?;
        Ok(made)
    })
}

/// The comment alone, as part of `tx`: nobody is told.
///
/// # Errors
/// As [`add`].
pub(crate) async fn write(tx: &Tx, new: &New<'_>, body: &str, readers: &[Uuid]) -> Result<Value> {
    reach(tx, new.entity, new.record, false).await?;
    let (id, body) = (Uuid::now_v7(), said(body)?);
    let sql = sql!(concat!(
        "insert into social.comments as c (organization_id, id, entity, record_id, parent_id, body, mentions)
         select $1, $2, $3, $4, $5, $6, $7 where $5::uuid is null or exists (select from social.comments p
             where p.organization_id = $1 and p.id = $5 and p.entity = $3 and p.record_id = $4 and p.deleted_at is null)
         returning ",
        shown!()
    ));
    let organization = &tx.actor.organization;
    let values: kernel::Values<'_> =
        &[organization, &id, &new.entity, &new.record, &new.parent, &body, &readers];
    let made = tx.query_opt(sql, values).await?;
    let made = made.ok_or_else(|| Error::refused_at("parent_id", "There is no such comment here."))?.get(0);
    tx.changed(new.entity, new.record, 0, EVENT);
    Ok(made)
}

/// Active colleagues, by the beginning of a word of their names or of their addresses; at most 40.
///
/// # Errors
/// When the database does not answer.
pub async fn colleagues(store: &Store, actor: &Actor, text: &str) -> Result<Vec<(Uuid, String)>> {
    let mut text: String = text.trim().chars().take(50).collect();
    text = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    within!(store, actor, tx => {
        let sql = sql!(
            "select id, name from iam.memberships where organization_id = $1 and id <> $2 and status = 'active' and deleted_at is null
               and (name ilike $3 || '%' or name ilike '% ' || $3 || '%' or email ilike $3 || '%')
             order by name, id limit 40"
        );
        let rows = tx.query(sql, &[&actor.organization, &actor.user, &text]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    })
}

/// Who takes part in the thread that is answered, and whose record it is or who follows it.
async fn concerned(tx: &Tx, new: &New<'_>) -> Result<(Vec<Uuid>, Vec<Uuid>)> {
    reach(tx, new.entity, new.record, false).await?;
    let sql = sql!(
        "select distinct created_by from social.comments where organization_id = $1 and (id = $2 or parent_id = $2)
         and entity = $3 and record_id = $4 and deleted_at is null and created_by is not null limit 50"
    );
    let thread = match &new.parent {
        Some(parent) => tx.query(sql, &[&tx.actor.organization, parent, &new.entity, &new.record]).await?,
        None => Vec::new(),
    };
    // A part has no owner of its own to tell.
    let whole = tx.catalog.entity(new.entity)?;
    let owner = if whole.part_of.is_some() { "created_by" } else { whole.owner.as_str() };
    let sql = format!(
        "select distinct who from {} r cross join lateral (values (r.\"{owner}\"), (r.created_by)) p (who)
         where r.organization_id = $1 and r.id = $2 and who is not null",
        whole.rows()
    );
    let owners = tx.cached(&sql, &[&tx.actor.organization, &new.record]).await?;
    let ids = |rows: Vec<kernel::Row>| rows.iter().map(|row| row.get(0)).collect::<Vec<Uuid>>();
    let (followers, ceased) = followers::of(tx, new.entity, new.record).await?;
    let mut concerned = ids(owners);
    concerned.extend(followers);
    concerned.retain(|user| !ceased.contains(user));
    Ok((ids(thread), concerned))
}

/// Changes one's own words.
///
/// # Errors
/// NotFound for other people's.
pub async fn edit(store: &Store, actor: &Actor, id: Uuid, body: &str) -> Result<Value> {
    let body = said(body)?;
    within!(store, actor, tx => {
        let (entity, record) = here(&tx, id).await?;
        let sql = sql!(concat!(
            "update social.comments as c set body = $3, edited_at = now()
             where c.organization_id = $1 and c.id = $2 and c.created_by = $4 and c.deleted_at is null returning ", shown!()
        ));
        let row = tx.query_opt(sql, &[&actor.organization, &id, &body, &actor.user]).await?.ok_or(Error::NotFound)?;
        tx.changed(&entity, record, 0, EVENT);
        Ok(row.get(0))
    })
}

/// Takes one's own words back.
///
/// # Errors
/// NotFound for other people's.
pub async fn remove(store: &Store, actor: &Actor, id: Uuid) -> Result<()> {
    within!(store, actor, tx => {
        let (entity, record) = here(&tx, id).await?;
        let sql = sql!(
            "update social.comments set deleted_at = now() where organization_id = $1 and id = $2 and created_by = $3 and deleted_at is null"
        );
        if tx.change(sql, &[&actor.organization, &id, &actor.user]).await? == 0 {
            return Err(Error::NotFound);
        }
        tx.changed(&entity, record, 0, EVENT);
        Ok(())
    })
}

/// Puts a sign under a comment, or takes it away again.
///
/// # Errors
/// NotFound where the record is out of reach; Malformed for what is no sign.
pub async fn react(store: &Store, actor: &Actor, id: Uuid, sign: &str) -> Result<Value> {
    within!(store, actor, tx => {
        let (entity, record) = here(&tx, id).await?;
        is_sign(sign)?;
        let row = tx.query_one(sql!("select app.react($1, $2)"), &[&id, &sign]).await?;
        tx.changed(&entity, record, 0, EVENT);
        Ok(row.get(0))
    })
}

pub(crate) fn is_sign(sign: &str) -> Result<()> {
    let odd = |c: char| c.is_ascii_alphanumeric() || c.is_control() || c == '<';
    if sign.is_empty() || sign.chars().count() > 8 || sign.chars().any(odd) {
        return Err(Error::malformed_at("sign", "This is not an emoji."));
    }
    Ok(())
}

/// The comment is there, and its record within reach.
async fn here(tx: &Tx, id: Uuid) -> Result<(String, Uuid)> {
    let sql = sql!(
        "select entity, record_id from social.comments where organization_id = $1 and id = $2 and deleted_at is null"
    );
    let row = tx.query_opt(sql, &[&tx.actor.organization, &id]).await?.ok_or(Error::NotFound)?;
    let (entity, record) = (row.get(0), row.get(1));
    reach(tx, entity, record, false).await?;
    Ok((entity.to_owned(), record))
}

fn said(body: &str) -> Result<String> {
    let body = body.trim();
    match body.chars().count() {
        0 => Err(Error::refused_at("body", "Say something.")),
        n if n > LONGEST => Err(Error::refused_at("body", "A comment has at most 10,000 characters.")),
        _ => Ok(body.to_owned()),
    }
}
