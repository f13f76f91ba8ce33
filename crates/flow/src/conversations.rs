//! Conversations outside of records: between two people, in a group, in a channel. Whoever takes part sees all of it, and
//! nobody else anything, administrators neither; see the policies of `social.conversations`.

use crate::notifications;
use kernel::{Actor, Error, Result, Store, Tx, sql, within};
use serde_json::Value;
use uuid::Uuid;

/// Under which name listeners hear that something happened in a conversation, with its id. Told to those in it alone.
pub const EVENT: &str = "social.conversations";
/// People in one conversation.
const MOST_PEOPLE: usize = 1_000;
/// Conversations in one answer.
const PAGE: usize = 50;

/// What sort of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Direct,
    Group,
    Channel,
}

impl Sort {
    pub fn parse(name: &str) -> Option<Sort> {
        Some(match name {
            "direct" => Sort::Direct,
            "group" => Sort::Group,
            "channel" => Sort::Channel,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Sort::Direct => "direct",
            Sort::Group => "group",
            Sort::Channel => "channel",
        }
    }
}

#[derive(Clone, Debug)]
pub struct New<'a> {
    pub sort: Sort,
    pub name: Option<&'a str>,
    /// A channel that everybody may join.
    pub open: bool,
    /// The others in it.
    pub people: &'a [Uuid],
}

/// What a keeper changes of a conversation, and anybody of his own part in it; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct Change<'a> {
    pub name: Option<&'a str>,
    pub open: Option<bool>,
    pub archived: Option<bool>,
    pub muted: Option<bool>,
}

macro_rules! shown {
    () => {
        "jsonb_build_object('id', c.id, 'kind', c.kind, 'name', c.name, 'open', c.open, 'archived', c.archived_at is not null,
             'last_number', c.last_number, 'last_at', c.last_at, 'read_number', me.read_number, 'unread', c.last_number - me.read_number,
             'muted', me.muted, 'keeper', me.keeper, 'version', c.version,
             'count', (select count(*) from social.participants n where n.organization_id = $1 and n.conversation_id = c.id and n.left_at is null),
             'people', (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name) order by p.name), '[]') from (
                 select u.id, u.name from social.participants o join iam.memberships u on u.organization_id = $1 and u.id = o.user_id
                 where o.organization_id = $1 and o.conversation_id = c.id and o.left_at is null and o.user_id <> $2 order by u.name limit 5) p),
             'last', (select jsonb_build_object('author', u.name, 'by', l.created_by, 'body', left(l.body, 200), 'deleted', l.deleted_at is not null)
                 from social.messages l left join iam.memberships u on u.organization_id = $1 and u.id = l.created_by
                 where l.organization_id = $1 and l.conversation_id = c.id and l.number = c.last_number))"
    };
}

macro_rules! mine {
    () => {
        " from social.conversations c join social.participants me
            on me.organization_id = $1 and me.conversation_id = c.id and me.user_id = $2 and me.left_at is null
          where c.organization_id = $1 and c.deleted_at is null"
    };
}

/// Lets the actor into his conversations for the rest of the transaction, after he has joined `joining`.
pub(crate) async fn enter(tx: &Tx, joining: Option<Uuid>) -> Result<()> {
    tx.cached(sql!("select app.take_part($1)"), &[&joining]).await?;
    Ok(())
}

/// Whether somebody takes part.
pub async fn is_in(store: &Store, actor: &Actor, id: Uuid) -> bool {
    let found: Result<Value> = within!(store, actor, tx => {
        enter(&tx, None).await?;
        one(&tx, id).await
    });
    found.is_ok()
}

async fn one(tx: &Tx, id: Uuid) -> Result<Value> {
    let sql = sql!(concat!("select ", shown!(), mine!(), " and c.id = $3"));
    let rows = tx.cached(sql, &[&tx.actor.organization, &tx.actor.user, &id]).await?;
    rows.first().map(|row| row.get(0)).ok_or(Error::NotFound)
}

/// One's own, the last spoken in first: a page, where the next one begins, and how many have something unread. `before` is
/// the id of the last one of the page before.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    store: &Store,
    actor: &Actor,
    archived: bool,
    before: Option<Uuid>,
) -> Result<(Vec<Value>, Option<Uuid>, i64)> {
    within!(store, actor, tx => {
        enter(&tx, None).await?;
        let page = sql!(concat!(
            "select ", shown!(), ", c.id", mine!(), " and (c.archived_at is not null) = $3
             and ($4::uuid is null or (c.last_at, c.id) < (select b.last_at, b.id from social.conversations b where b.organization_id = $1 and b.id = $4))
             order by c.last_at desc, c.id desc limit 51"
        ));
        let rows = tx.cached(page, &[&actor.organization, &actor.user, &archived, &before]).await?;
        let unread = sql!(concat!("select count(*)", mine!(), " and c.archived_at is null and not me.muted and c.last_number > me.read_number"));
        let unread: i64 = tx.query_one(unread, &[&actor.organization, &actor.user]).await?.get(0);
        let next = rows.get(PAGE - 1).filter(|_| rows.len() > PAGE).map(|row| row.get(1));
        Ok((rows.iter().take(PAGE).map(|row| row.get(0)).collect(), next, unread))
    })
}

/// Open channels that one is not in, by a part of their names.
///
/// # Errors
/// When the database does not answer.
pub async fn joinable(store: &Store, actor: &Actor, q: &str) -> Result<Vec<Value>> {
    let q: String = q.trim().to_lowercase().chars().take(100).collect();
    within!(store, actor, tx => {
        enter(&tx, None).await?;
        let sql = sql!(
            "select jsonb_build_object('id', c.id, 'kind', c.kind, 'name', c.name, 'open', c.open, 'last_at', c.last_at)
             from social.conversations c where c.organization_id = $1 and c.open and c.archived_at is null and c.deleted_at is null
               and c.id <> all (coalesce(app.conversations(), '{}')) and strpos(lower(c.name), $2) > 0 order by lower(c.name), c.id limit 100"
        );
        Ok(tx.cached(sql, &[&actor.organization, &q]).await?.iter().map(|row| row.get(0)).collect())
    })
}

/// One of one's own, with everybody who takes part and until where he has read.
///
/// # Errors
/// NotFound for what one takes no part in.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Value> {
    within!(store, actor, tx => {
        enter(&tx, None).await?;
        whole(&tx, id).await
    })
}

async fn whole(tx: &Tx, id: Uuid) -> Result<Value> {
    let mut found = one(tx, id).await?;
    let members = sql!(
        "select jsonb_build_object('id', o.user_id, 'name', u.name, 'keeper', o.keeper, 'read_number', o.read_number, 'read_at', o.read_at)
         from social.participants o join iam.memberships u on u.organization_id = $1 and u.id = o.user_id
         where o.organization_id = $1 and o.conversation_id = $2 and o.left_at is null order by u.name, u.id limit 1000"
    );
    let rows = tx.cached(members, &[&tx.actor.organization, &id]).await?;
    found["members"] = rows.iter().map(|row| row.get::<_, Value>(0)).collect();
    Ok(found)
}

/// Begins a conversation. Two people have one: whoever asks for it again is answered the one there is.
///
/// # Errors
/// Refused for the wrong number of people, for somebody who is no member, and for a name that is taken.
pub async fn create(store: &Store, actor: &Actor, new: &New<'_>) -> Result<(Value, bool)> {
    let mut people: Vec<Uuid> = new.people.iter().copied().filter(|id| *id != actor.user).collect();
    people.sort_unstable();
    people.dedup();
    let name = new.name.map(str::trim).filter(|name| !name.is_empty());
    let at = Error::refused_at;
    let pair = match (new.sort, people.as_slice()) {
        (Sort::Direct, [other]) => {
            let mut pair = vec![*other, actor.user];
            pair.sort_unstable();
            Some(pair)
        }
        (Sort::Direct, _) => return Err(at("members", "Say with whom.")),
        (Sort::Group, []) => return Err(at("members", "A group has others in it.")),
        _ if people.len() >= MOST_PEOPLE => return Err(at("members", "At most 1,000 people.")),
        (Sort::Channel, _) if name.is_none() => return Err(at("name", "A channel needs a name.")),
        _ => None,
    };
    let name = name.filter(|_| new.sort != Sort::Direct);
    let open = new.open && new.sort == Sort::Channel;
    within!(store, actor, tx => {
        known(&tx, &people).await?;
        if let Some(pair) = &pair {
            // Whoever asks at the same moment waits, and finds what is made here.
            let lock = sql!("select pg_advisory_xact_lock(hashtextextended('conversation ' || $1::uuid || $2::uuid[]::text, 0))");
            tx.execute(lock, &[&actor.organization, pair]).await?;
            enter(&tx, None).await?;
            let there = sql!("select id from social.conversations where organization_id = $1 and pair = $2");
            if let Some(row) = tx.query_opt(there, &[&actor.organization, pair]).await? {
                return Ok((whole(&tx, row.get(0)).await?, false));
            }
        }
        let insert = sql!(
            "insert into social.conversations (organization_id, id, kind, name, open, pair) values ($1, $2, $3, $4, $5, $6)"
        );
        let id = Uuid::now_v7();
        tx.change(insert, &[&actor.organization, &id, &new.sort.name(), &name, &open, &pair]).await?;
        enter(&tx, Some(id)).await?;
        join(&tx, id, &people).await?;
        tx.changed(EVENT, id, 1, "create");
        Ok((whole(&tx, id).await?, true))
    })
}

/// All of them are active members of the organization.
async fn known(tx: &Tx, people: &[Uuid]) -> Result<()> {
    let sql = sql!(
        "select count(*) from iam.memberships where organization_id = $1 and id = any ($2) and status = 'active' and deleted_at is null"
    );
    let found: i64 = tx.query_one(sql, &[&tx.actor.organization, &people]).await?.get(0);
    if usize::try_from(found) == Ok(people.len()) {
        return Ok(());
    }
    Err(Error::refused_at("members", "There is no such colleague."))
}

/// Puts people in; who was there before has not read on since.
async fn join(tx: &Tx, id: Uuid, people: &[Uuid]) -> Result<()> {
    let sql = sql!(
        "insert into social.participants as m (organization_id, conversation_id, user_id, read_number)
         select $1, c.id, p, c.last_number from social.conversations c, unnest($3::uuid[]) p where c.organization_id = $1 and c.id = $2
         on conflict (organization_id, conversation_id, user_id) do update set left_at = null, read_number = excluded.read_number
         where m.left_at is not null"
    );
    tx.change(sql, &[&tx.actor.organization, &id, &people]).await?;
    Ok(())
}

/// What somebody is in a conversation; locks it, so that what is decided by it stays so.
struct Part {
    sort: String,
    keeper: bool,
    archived: bool,
}

async fn part(tx: &Tx, id: Uuid) -> Result<Part> {
    enter(tx, None).await?;
    let lock = sql!(
        "select kind, archived_at is not null from social.conversations
         where organization_id = $1 and id = $2 and id = any (app.conversations()) and deleted_at is null for no key update"
    );
    let row = tx.query_opt(lock, &[&tx.actor.organization, &id]).await?.ok_or(Error::NotFound)?;
    let me = sql!(
        "select keeper from social.participants where organization_id = $1 and conversation_id = $2 and user_id = $3 and left_at is null"
    );
    let own = tx.query_opt(me, &[&tx.actor.organization, &id, &tx.actor.user]).await?;
    Ok(Part { sort: row.get(0), archived: row.get(1), keeper: own.ok_or(Error::NotFound)?.get(0) })
}

impl Part {
    fn keeps(&self) -> Result<()> {
        match (self.sort.as_str(), self.keeper) {
            ("direct", _) => Err(Error::refused("A conversation of two stays as it is.")),
            (_, true) => Ok(()),
            _ => Err(Error::Forbidden("Only those who keep a conversation may change it.".into())),
        }
    }
}

/// # Errors
/// NotFound for what one takes no part in; Forbidden for who does not keep it.
pub async fn change(store: &Store, actor: &Actor, id: Uuid, change: &Change<'_>) -> Result<Value> {
    within!(store, actor, tx => {
        let part = part(&tx, id).await?;
        if let Some(muted) = change.muted {
            let sql = sql!("update social.participants set muted = $4 where organization_id = $1 and conversation_id = $2 and user_id = $3");
            tx.change(sql, &[&actor.organization, &id, &actor.user, &muted]).await?;
        }
        if change.name.is_some() || change.open.is_some() || change.archived.is_some() {
            part.keeps()?;
            let name = change.name.map(str::trim);
            if part.sort == "channel" && name == Some("") {
                return Err(Error::refused_at("name", "A channel needs a name."));
            }
            let sql = sql!(
                "update social.conversations set name = case when $3::text is null then name else nullif($3, '') end, open = coalesce($4, open),
                     archived_at = case $5::boolean when true then coalesce(archived_at, now()) when false then null else archived_at end
                 where organization_id = $1 and id = $2"
            );
            tx.change(sql, &[&actor.organization, &id, &name, &change.open, &change.archived]).await?;
        }
        tx.changed(EVENT, id, 0, "update");
        whole(&tx, id).await
    })
}

/// Joins an open channel.
///
/// # Errors
/// NotFound for one that is not open.
pub async fn enrol(store: &Store, actor: &Actor, id: Uuid) -> Result<Value> {
    within!(store, actor, tx => {
        enter(&tx, Some(id)).await?;
        let found = whole(&tx, id).await?;
        tx.changed(EVENT, id, 0, "members");
        Ok(found)
    })
}

/// Brings colleagues in.
///
/// # Errors
/// NotFound for what one takes no part in; Forbidden for who does not keep it; Refused for who is no member.
pub async fn add(store: &Store, actor: &Actor, id: Uuid, people: &[Uuid]) -> Result<Value> {
    let mut people = people.to_vec();
    people.sort_unstable();
    people.dedup();
    within!(store, actor, tx => {
        part(&tx, id).await?.keeps()?;
        known(&tx, &people).await?;
        join(&tx, id, &people).await?;
        let found = whole(&tx, id).await?;
        if found["count"].as_u64().unwrap_or_default() > MOST_PEOPLE as u64 {
            return Err(Error::refused_at("members", "At most 1,000 people."));
        }
        tx.changed(EVENT, id, 0, "members");
        Ok(found)
    })
}

/// Takes somebody out, or goes. Where the last keeper goes, who has been there longest keeps it.
///
/// # Errors
/// NotFound for who is not in it; Forbidden for who does not keep it; Refused for a conversation of two.
pub async fn leave(store: &Store, actor: &Actor, id: Uuid, who: Uuid) -> Result<()> {
    within!(store, actor, tx => {
        let part = part(&tx, id).await?;
        if who != actor.user || part.sort == "direct" {
            part.keeps()?;
        }
        let successor = sql!(
            "update social.participants n set keeper = true where n.organization_id = $1 and n.id = (
                 select o.id from social.participants o where o.organization_id = $1 and o.conversation_id = $2 and o.left_at is null and o.user_id <> $3
                 order by o.id limit 1)
             and not exists (select from social.participants k where k.organization_id = $1 and k.conversation_id = $2 and k.keeper and k.left_at is null and k.user_id <> $3)"
        );
        tx.change(successor, &[&actor.organization, &id, &who]).await?;
        let gone = sql!(
            "update social.participants set left_at = now(), keeper = false
             where organization_id = $1 and conversation_id = $2 and user_id = $3 and left_at is null"
        );
        if tx.change(gone, &[&actor.organization, &id, &who]).await? == 0 {
            return Err(Error::NotFound);
        }
        tx.changed(EVENT, id, 0, &left(who));
        Ok(())
    })
}

/// What listeners hear when somebody is no longer in a conversation: he himself hears it too.
pub fn left(who: Uuid) -> String {
    format!("left {who}")
}

/// He has read up to a message, and with it what he was told of the conversation. A mark goes forward only.
///
/// # Errors
/// NotFound for what one takes no part in.
pub async fn read(store: &Store, actor: &Actor, id: Uuid, number: i64) -> Result<Value> {
    within!(store, actor, tx => {
        enter(&tx, None).await?;
        let mark = sql!(
            "update social.participants m set read_number = least($4, c.last_number), read_at = now() from social.conversations c
             where m.organization_id = $1 and m.conversation_id = $2 and m.user_id = $3 and m.left_at is null
               and c.organization_id = $1 and c.id = $2 and m.read_number < least($4, c.last_number)"
        );
        let read = tx.change(mark, &[&actor.organization, &id, &actor.user, &number]).await? > 0;
        let found = one(&tx, id).await?;
        let told = sql!(
            "update social.notifications set read_at = now()
             where organization_id = $1 and user_id = $2 and entity = 'social.conversations' and record_id = $3 and read_at is null
               and kind in ('mention', 'message') and done_at is null and (snoozed_until <= now()) is not false"
        );
        if found["unread"] == 0 && tx.change(told, &[&actor.organization, &actor.user, &id]).await? > 0 {
            tx.changed(notifications::EVENT, actor.user, 0, "read");
        }
        if read {
            tx.changed(EVENT, id, 0, "read");
        }
        Ok(found)
    })
}

/// Who may write there now.
pub(crate) async fn write_in(tx: &Tx, id: Uuid) -> Result<()> {
    if part(tx, id).await?.archived {
        return Err(Error::refused("This conversation is archived. Bring it back to write in it."));
    }
    Ok(())
}
