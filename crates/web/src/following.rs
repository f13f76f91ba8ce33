//! Who follows which record, and what they are told of it.

use crate::{
    Answer, Body, Person, State,
    comments::readable,
    extract::read,
    transfer::{id_of, of},
};
use axum::{
    Json, Router,
    extract::{Query as Pairs, State as Has},
    http::StatusCode,
    routing::get,
};
use flow::{
    followers::{self, TELL},
    notifications::{self, Notice},
};
use kernel::{Actor, Catalog, Entity, Error, Kind, LANGUAGES, Result, within};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Changes of more records than these in one transaction are told in one line for each person.
const FEW: usize = 20;
/// Records of one transaction that somebody is told of.
const MOST: i64 = 5_000;

pub(crate) fn routes() -> Router<State> {
    Router::new().route("/followers", get(list).post(follow))
}

async fn list(
    Has(state): Has<State>,
    person: Person,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
) -> Answer<Json<Value>> {
    let entity = of(&pairs, "entity").unwrap_or_default();
    let record = id_of(&pairs, "record")?.ok_or(Error::NotFound)?;
    readable(&person, entity)?;
    let data = followers::list(&state.store, &person.actor, entity, record).await?;
    Ok(Json(json!({ "data": data })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    entity: String,
    record: Uuid,
    follow: bool,
}

async fn follow(Has(state): Has<State>, person: Person, Body(body): Body) -> Answer<StatusCode> {
    let Wish { entity, record, follow } = read(body)?;
    readable(&person, &entity)?;
    followers::follow(&state.store, &person.actor, &entity, record, follow).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Teaches the workers to tell those who follow; `people` says what each may see, `base_url` is what letters lead to.
pub fn register(worker: flow::Worker, people: flow::ActorOf, base_url: String) -> flow::Worker {
    worker.on(TELL, move |job| {
        let (people, base) = (people.clone(), base_url.clone());
        Box::pin(async move { tell(job, &people, &base).await })
    })
}

/// What one transaction did to one record.
struct Done<'a> {
    entity: &'a Entity,
    record: Uuid,
    old: Option<Value>,
    new: Option<Value>,
    /// Who follows it, and who is newly named in it, by what text.
    followers: Vec<Uuid>,
    named: Vec<(Uuid, String, String)>,
}

/// Something to tell one person.
struct News {
    user: Uuid,
    kind: &'static str,
    what: Vec<(&'static str, String)>,
    body: Option<String>,
    place: Option<(String, Uuid)>,
}

async fn tell(job: &flow::Context, people: &flow::ActorOf, base: &str) -> Result<Value> {
    let (store, actor) = (&job.store, &job.actor);
    let catalog = &job.actor.catalog;
    let payload = &job.job.payload;
    let request: Option<Uuid> = payload["request"].as_str().and_then(|id| id.parse().ok());
    let transaction = payload["transaction"].as_str().unwrap_or_default();
    let (author, done) = within!(store, actor, tx => {
        let mut done: Vec<Done<'_>> = Vec::new();
        let rows = followers::done_in(&tx, request, transaction, MOST).await?;
        let members = followers::members(&tx).await?;
        let members: Vec<(Uuid, &str)> = members.iter().map(|row| (row.get(0), row.get(1))).collect();
        for row in &rows {
            let (name, record): (&str, Uuid) = (row.get(0), row.get(1));
            let Some(entity) = catalog.entities.get(name).filter(|e| catalog.module(e.module()).is_some()) else { continue };
            let (old, new): (Option<Value>, Option<Value>) = (row.get(2), row.get(3));
            let named = newly_named(actor, entity, &old, &new, &members);
            let followers = if old.is_some() { followers::of(&tx, name, record).await?.0 } else { Vec::new() };
            done.push(Done { entity, record, old, new, followers, named });
        }
        let author = members.iter().find(|(id, _)| *id == actor.user).map_or("", |(_, name)| name);
        Ok((author.to_owned(), done))
    })?;
    let news = news(job, people, &done).await?;
    let told = news.len();
    within!(store, actor, tx => {
        for one in &news {
            let place = one.place.as_ref().map(|(entity, record)| (entity.as_str(), *record));
            let link = place.map(|(entity, record)| format!("{base}/o/{}/r/{record}", entity.replace('.', "-")));
            let notice = Notice {
                kind: one.kind,
                title: &author,
                by: Some(&author),
                what: &one.what,
                body: one.body.as_deref(),
                record: place,
                link: link.as_deref().filter(|_| !base.is_empty()),
            };
            notifications::notify(&tx, one.user, &notice).await?;
            if let Some((entity, record)) = place.filter(|_| one.kind == "mention") {
                followers::joined(&tx, entity, record, &[one.user]).await?;
            }
        }
        job.finish(&tx, &json!({ "told": told })).await
    })?;
    Ok(json!({ "told": told }))
}

/// Who is told what, as far as each may read it.
async fn news(job: &flow::Context, people: &flow::ActorOf, done: &[Done<'_>]) -> Result<Vec<News>> {
    let (store, me) = (&job.store, job.actor.user);
    let catalog = &job.actor.catalog;
    let mut concerned: BTreeMap<Uuid, Vec<&Done<'_>>> = BTreeMap::new();
    for one in done {
        let mut whom: Vec<Uuid> =
            one.followers.iter().copied().chain(one.named.iter().map(|n| n.0)).collect();
        whom.sort_unstable();
        whom.dedup();
        for user in whom.into_iter().filter(|user| *user != me) {
            concerned.entry(user).or_default().push(one);
        }
    }
    let mut all = Vec::new();
    for (user, done) in concerned {
        let Ok(colleague) = people(job.actor.organization, user, job.job.id).await else { continue };
        let mut many: BTreeMap<&str, (&Entity, usize)> = BTreeMap::new();
        for one in &done {
            let name = one.entity.title().to_owned();
            let Ok(found) =
                records::get(store, &colleague, one.entity, one.record, std::slice::from_ref(&name), &[])
                    .await
            else {
                continue;
            };
            let title = match &found.value()?[&name] {
                Value::String(title) => Some(title.clone()),
                _ => None,
            };
            let changes = records::changes(&colleague, one.entity, &one.old, &one.new);
            let place = Some((one.entity.name.clone(), one.record));
            let named = one.named.iter().find(|(who, field, _)| *who == user && changes.contains_key(field));
            if let Some((_, _, text)) = named {
                all.push(News { user, kind: "mention", what: Vec::new(), body: Some(text.clone()), place });
            } else if one.followers.contains(&user) && !changes.is_empty() {
                if done.len() > FEW {
                    many.entry(&one.entity.name).or_insert((one.entity, 0)).1 += 1;
                    continue;
                }
                let fields: Vec<String> = changes.keys().cloned().collect();
                let what = said(catalog, &colleague, one.entity, &fields);
                all.push(News { user, kind: "change", what, body: title, place });
            }
        }
        for (entity, n) in many.into_values() {
            let what = LANGUAGES
                .iter()
                .map(|l| (*l, format!("{} · {n}", records::meta::plural(catalog, entity, l))));
            all.push(News { user, kind: "change", what: what.collect(), body: None, place: None });
        }
    }
    Ok(all)
}

/// What the fields are called, in every language; that a record was thrown away or brought back is a change like others.
fn said(catalog: &Catalog, actor: &Actor, entity: &Entity, fields: &[String]) -> Vec<(&'static str, String)> {
    let of = |language: &&'static str| {
        (*language, records::meta::labels(catalog, actor, entity, fields, language).join(", "))
    };
    LANGUAGES.iter().map(of).collect()
}

/// Members who are named after an @ in a formatted text and were not before: who, in which field, and the words around it.
fn newly_named(
    actor: &Actor,
    entity: &Entity,
    old: &Option<Value>,
    new: &Option<Value>,
    members: &[(Uuid, &str)],
) -> Vec<(Uuid, String, String)> {
    let columns = entity.columns.iter().filter(|c| c.kind == Kind::Richtext).map(|c| (c.name.clone(), None));
    let own = actor.overlay.of(&entity.name).iter().filter(|f| f.kind == Kind::Richtext);
    let own = own.map(|f| (format!("cf.{}", f.name), Some(f.name.as_str())));
    let mut all = Vec::new();
    for (field, key) in columns.chain(own) {
        let of = |row: &Option<Value>| {
            let row = row.as_ref()?;
            key.map_or(&row[&field], |key| &row["custom"][key]).as_str().map(str::to_owned)
        };
        let (before, now) = (of(old).unwrap_or_default(), of(new).unwrap_or_default());
        let before = named(&before, members);
        for (user, at) in named(&now, members) {
            if before.iter().all(|(known, _)| *known != user) {
                let line = now[at..].lines().next().unwrap_or_default();
                all.push((user, field.clone(), line.chars().take(300).collect()));
            }
        }
    }
    all
}

/// Who is named in a text, and where; `members` by the length of their names, the longest first, so that Ann Berg is not
/// taken for Ann. Namesakes are all meant.
fn named(text: &str, members: &[(Uuid, &str)]) -> Vec<(Uuid, usize)> {
    let mut found: Vec<(Uuid, usize)> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let word = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
        if text[..at].chars().next_back().is_some_and(word) {
            continue;
        }
        let rest = &text[at + 1..];
        let fits = |name: &str| {
            !name.is_empty() && rest.strip_prefix(name).is_some_and(|r| !r.starts_with(char::is_alphanumeric))
        };
        let Some((_, name)) = members.iter().find(|(_, name)| fits(name)) else { continue };
        for (id, _) in members.iter().filter(|(_, other)| other == name) {
            if found.iter().all(|(known, _)| known != id) {
                found.push((*id, at));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_is_found_once_by_his_whole_name() {
        let [ann, berg, joe, twin] = std::array::from_fn(|n| Uuid::from_u128(n as u128));
        let members = [(berg, "Ann Berg"), (ann, "Ann"), (joe, "Жанна"), (twin, "Жанна")];
        let who = |text: &str| named(text, &members).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(who("@Ann Berg, see **@Ann**"), [berg, ann]);
        assert_eq!(who("(@Ann) and @Ann"), [ann]);
        assert_eq!(who("@Анна\n@Жанна!"), [joe, twin]);
        for nobody in ["ann@Ann.test", "@Anna", "@ann", "@", "Ann Berg", "@Жаннат"] {
            assert!(who(nobody).is_empty(), "{nobody}");
        }
    }
}
