//! A formatted text that several people write at once. What they type goes into a shared state, which is merged whatever
//! the order; the field of the record gets the words of it, by the ordinary way of writing: at once when writing begins,
//! then every [`SETTLED`], so that the history has a line for a while of writing and not for every key.

mod html;
mod markdown;
mod paper;

use crate::{
    plan::quoted,
    write::{allowed, changed, missed},
};
use kernel::{Actor, Entity, Error, FieldAccess, Kind, Result, Tx, sql};
use paper::{Block, Line};
use serde_json::json;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};
use uuid::Uuid;
use yrs::{
    Doc, ReadTxn, StateVector, Transact, Update, XmlFragment, XmlFragmentRef,
    updates::{decoder::Decode, encoder::Encode},
};

/// What happens to a record when somebody writes in a document of it: told to those who may read it.
pub const EVENT: &str = "@document";
/// How long words are in the shared state alone.
pub const SETTLED: Duration = Duration::from_secs(15);
/// Largest shared state, in bytes; it remembers what was deleted, too.
const MOST: usize = 4_000_000;
/// The part of the state that the editors of the pages use.
const ROOT: &str = "default";

/// A document: a formatted field of a record.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub entity: &'a Entity,
    pub record: Uuid,
    pub field: &'a str,
}

impl Place<'_> {
    /// How far the person goes here.
    ///
    /// # Errors
    /// NotFound where he may not read the field, or where it is none of formatted text.
    pub fn access(&self, actor: &Actor) -> Result<FieldAccess> {
        let kind = match self.field.strip_prefix("cf.") {
            Some(key) => actor.overlay.field(&self.entity.name, key).map(|f| f.kind),
            None => self.entity.column(self.field).filter(|c| c.writable()).map(|c| c.kind),
        };
        let access = actor.access.field(&self.entity.name, self.field);
        if kind != Some(Kind::Richtext)
            || access == FieldAccess::None
            || !actor.access.may(self.entity, "read")
        {
            return Err(Error::NotFound);
        }
        Ok(if actor.access.may(self.entity, "update") { access } else { FieldAccess::Read })
    }

    /// The words that the record has; a lock refuses who may not change them.
    async fn words(&self, tx: &Tx, lock: Lock) -> Result<String> {
        let (what, key) = match self.field.strip_prefix("cf.") {
            Some(key) => ("r.custom ->> $3".to_owned(), key),
            None => (format!("coalesce(r.{}, $3)", quoted(self.field)), ""),
        };
        let sql = format!(
            "select coalesce({what}, '') from {} r where r.organization_id = $1 and r.id = $2 and r.deleted_at is null{}",
            self.entity.rows(),
            match lock {
                Lock::None => "",
                Lock::Asks => " for key share",
                Lock::Writes => " for no key update",
            }
        );
        match tx.cached(&sql, &[&tx.actor.organization, &self.record, &key]).await?.first() {
            Some(row) => Ok(row.get(0)),
            None if lock != Lock::None => Err(missed(tx, self.entity, self.record, None).await?),
            None => Err(Error::NotFound),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Lock {
    None,
    /// Whether one could write: holds up nobody.
    Asks,
    Writes,
}

/// What somebody knows of a document, and what he adds to it; both as the editors encode it (Yjs, version 1).
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub vector: &'a [u8],
    pub update: Option<&'a [u8]>,
}

/// What there is now.
#[derive(Debug)]
pub struct Synced {
    pub id: Uuid,
    /// What he did not know.
    pub update: Vec<u8>,
    /// What is known here.
    pub vector: Vec<u8>,
    /// When the words go into the record, where they are not there yet, in microseconds of the epoch: [`settle`].
    pub due: Option<i64>,
    /// Whether he may write here.
    pub may_write: bool,
}

/// A document as it is kept, with what was written into the field by other ways.
struct Open {
    id: Uuid,
    doc: Doc,
    /// When its words were put into the record.
    written: Option<i64>,
    /// Whether that is long ago.
    rested: bool,
    /// The words of the record.
    body: String,
    /// Whether the state is not the kept one any more.
    merged: bool,
}

impl Open {
    fn root(&self) -> XmlFragmentRef {
        self.doc.get_or_insert_xml_fragment(ROOT)
    }

    fn blocks(&self) -> Result<Vec<Block>> {
        let root = self.root();
        paper::read(&self.doc.transact(), &root, 0)
    }
}

async fn open(tx: &Tx, place: Place<'_>, lock: Lock) -> Result<Open> {
    // Who writes holds the record first, as every change of it does. Who reads must not see the words of an older moment than
    // the state: they would look like a change by somebody else.
    let held = if lock == Lock::Writes { Some(place.words(tx, lock).await?) } else { None };
    let find = sql!(
        "select id, state, body, (extract(epoch from written_at) * 1000000)::bigint, written_at > now() - make_interval(secs => $5) is not true
         from social.documents where organization_id = $1 and entity = $2 and record_id = $3 and field = $4 for no key update"
    );
    let secs = SETTLED.as_secs_f64();
    let at: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&tx.actor.organization, &place.entity.name, &place.record, &place.field, &secs];
    let mut rows = tx.query(find, &at).await?;
    if rows.is_empty() {
        let body = match &held {
            Some(body) => body.clone(),
            None => place.words(tx, lock).await?,
        };
        let state = guarded(|| {
            let doc = Doc::new();
            let root = doc.get_or_insert_xml_fragment(ROOT);
            paper::put(&mut doc.transact_mut(), &root, 0, &markdown::parse(&body));
            Ok(doc.transact().encode_state_as_update_v1(&StateVector::default()))
        })?;
        let sql = sql!(
            "insert into social.documents (entity, record_id, field, state, body) values ($1, $2, $3, $4, $5)
             on conflict (organization_id, entity, record_id, field) do nothing"
        );
        tx.change(sql, &[&place.entity.name, &place.record, &place.field, &state, &body]).await?;
        rows = tx.query(find, &at).await?;
    }
    let row = rows.first().ok_or(Error::NotFound)?;
    let body = match held {
        Some(body) => body,
        None => place.words(tx, lock).await?,
    };
    let doc = Doc::new();
    let (state, known): (&[u8], &str) = (row.get(1), row.get(2));
    let merged = known != body;
    guarded(|| {
        doc.get_or_insert_xml_fragment(ROOT);
        apply(&doc, state)?;
        if merged { merge(&doc, known, &body) } else { Ok(()) }
    })?;
    Ok(Open { id: row.get(0), doc, written: row.get(3), rested: row.get(4), body, merged })
}

/// Nothing that somebody sends ends the request without an answer.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(unreadable()))
}

fn unreadable() -> Error {
    Error::malformed_at("update", "These are no changes of a document.")
}

fn apply(doc: &Doc, update: &[u8]) -> Result<()> {
    let update = Update::decode_v1(update).map_err(|_| unreadable())?;
    doc.transact_mut().apply_update(update).map_err(|_| unreadable())
}

/// Brings into the state what was changed in the field from one text to another. What somebody is writing just there
/// stays beside it: nothing is lost.
fn merge(doc: &Doc, old: &str, new: &str) -> Result<()> {
    let (old, new) = (markdown::parse(old), markdown::parse(new));
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - same;
    let after = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (gone, come) = (&old[same..old.len() - after], &new[same..new.len() - after]);
    let root = doc.get_or_insert_xml_fragment(ROOT);
    let here: Vec<String> = paper::read(&doc.transact(), &root, 0)?.iter().map(markdown::block).collect();
    // Empty paragraphs are in the state alone.
    let full: Vec<usize> = (0..here.len()).filter(|n| !here[*n].is_empty()).collect();
    let gone: Vec<String> = gone.iter().map(markdown::block).collect();
    let alike = |from: usize| {
        full.len() >= from + gone.len() && gone.iter().zip(&full[from..]).all(|(g, n)| *g == here[*n])
    };
    // Where it was, else wherever it is now.
    let found = [same].into_iter().chain(0..full.len()).find(|from| !gone.is_empty() && alike(*from));
    let before = || {
        let last = old[..same].last().map(markdown::block);
        last.and_then(|b| full.iter().rfind(|n| here[**n] == b)).map_or(0, |n| n + 1)
    };
    let (at, len) = match found {
        Some(from) => (full[from], full[from + gone.len() - 1] + 1 - full[from]),
        None => (before(), 0),
    };
    let whole = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut txn = doc.transact_mut();
    if len > 0 {
        root.remove_range(&mut txn, whole(at), whole(len));
    }
    paper::put(&mut txn, &root, whole(at), come);
    Ok(())
}

/// Gives and takes what is new in a document.
///
/// # Errors
/// NotFound where the person may not read it; Forbidden or Refused where he may not write, as the record's own rules
/// say; Malformed for what is no change of a document, Refused for what no document may have in it.
pub async fn sync(tx: &Tx, place: Place<'_>, ask: Ask<'_>) -> Result<Synced> {
    let access = place.access(&tx.actor)?;
    if ask.update.is_some() {
        allowed(&tx.actor, place.entity, "update")?;
        if access != FieldAccess::Write {
            return Err(Error::Forbidden(format!("You may not write the field {}.", place.field)));
        }
    }
    let lock = match ask.update {
        Some(_) => Lock::Writes,
        None if access != FieldAccess::Write => Lock::None,
        None => match place.words(tx, Lock::Asks).await {
            Err(Error::Forbidden(_)) => Lock::None,
            other => other.map(|_| Lock::Asks)?,
        },
    };
    let mut open = open(tx, place, lock).await?;
    let vector = StateVector::decode_v1(ask.vector)
        .map_err(|_| Error::malformed_at("vector", "These are no changes of a document."))?;
    let mut due = None;
    if let Some(update) = ask.update {
        let text = guarded(|| {
            apply(&open.doc, update)?;
            if open.doc.transact().has_missing_updates() {
                return Err(Error::malformed_at(
                    "update",
                    "Something is missing before these changes. Send all of them.",
                ));
            }
            Ok(markdown::write(&open.blocks()?))
        })?;
        if text != open.body && open.rested {
            put(tx, place, &mut open, text).await?;
        } else if text != open.body {
            let rest = i64::try_from(SETTLED.as_micros()).unwrap_or(i64::MAX);
            due = open.written.map(|at| at.saturating_add(rest));
        }
    }
    if ask.update.is_some() || open.merged {
        keep(tx, &open).await?;
        tx.changed(&place.entity.name, place.record, 0, EVENT);
    }
    let txn = open.doc.transact();
    let update = guarded(|| Ok(txn.encode_state_as_update_v1(&vector)))?;
    Ok(Synced {
        id: open.id,
        update,
        vector: txn.state_vector().encode_v1(),
        due,
        may_write: lock != Lock::None,
    })
}

/// Puts the words into the record, as anybody who changes the field does.
async fn put(tx: &Tx, place: Place<'_>, open: &mut Open, text: String) -> Result<()> {
    let value = if text.is_empty() { json!(null) } else { json!(text) };
    changed(tx, place.entity, place.record, &json!({ place.field: value }), None).await?;
    open.body = text;
    tx.change(
        sql!("update social.documents set written_at = now() where organization_id = $1 and id = $2"),
        &[&tx.actor.organization, &open.id],
    )
    .await?;
    Ok(())
}

async fn keep(tx: &Tx, open: &Open) -> Result<()> {
    let state = guarded(|| Ok(open.doc.transact().encode_state_as_update_v1(&StateVector::default())))?;
    if state.len() > MOST {
        return Err(Error::refused("This document is too long. Go on in another one."));
    }
    let sql =
        sql!("update social.documents set state = $3, body = $4 where organization_id = $1 and id = $2");
    tx.change(sql, &[&tx.actor.organization, &open.id, &state, &open.body]).await?;
    Ok(())
}

/// Puts into its record what a document says, where that is not there yet.
///
/// # Errors
/// NotFound where the document or its record is gone; as any change of the record.
pub async fn settle(tx: &Tx, document: Uuid) -> Result<()> {
    let sql =
        sql!("select entity, record_id, field from social.documents where organization_id = $1 and id = $2");
    let row = tx.query_opt(sql, &[&tx.actor.organization, &document]).await?.ok_or(Error::NotFound)?;
    let (entity, field): (&str, &str) = (row.get(0), row.get(2));
    let catalog = tx.catalog.clone();
    let place = Place { entity: catalog.entity(entity)?, record: row.get(1), field };
    place.access(&tx.actor)?;
    let mut open = open(tx, place, Lock::Writes).await?;
    let text = guarded(|| Ok(markdown::write(&open.blocks()?)))?;
    if text != open.body {
        put(tx, place, &mut open, text).await?;
        keep(tx, &open).await?;
    }
    Ok(())
}

/// A document to be taken away, without what was said about it: as Markdown, or as a page where `title`, a language and
/// the address of the house are given.
///
/// # Errors
/// NotFound where the person may not read it.
pub async fn export(tx: &Tx, place: Place<'_>, page: Option<(&str, &str, &str)>) -> Result<String> {
    place.access(&tx.actor)?;
    let open = open(tx, place, Lock::None).await?;
    guarded(|| {
        let blocks = bare(open.blocks()?);
        Ok(match page {
            Some((title, language, base)) => html::page(title, language, base, &blocks),
            None => markdown::write(&blocks) + "\n",
        })
    })
}

fn bare(blocks: Vec<Block>) -> Vec<Block> {
    let line = |line: Line| {
        let mut out = Line::new();
        for run in line {
            paper::add(&mut out, &run.text, &paper::Marks { comment: None, ..run.marks });
        }
        out
    };
    let one = |block| match block {
        Block::Paragraph(words) => Block::Paragraph(line(words)),
        Block::Heading(level, words) => Block::Heading(level, line(words)),
        Block::Quote(inner) => Block::Quote(bare(inner)),
        Block::List { numbered, items } => {
            let bare = |i: paper::Item| paper::Item { line: line(i.line), nested: bare(i.nested) };
            Block::List { numbered, items: items.into_iter().map(bare).collect() }
        }
        other => other,
    };
    blocks.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(text: &str) -> Doc {
        let doc = Doc::new();
        let root = doc.get_or_insert_xml_fragment(ROOT);
        paper::put(&mut doc.transact_mut(), &root, 0, &markdown::parse(text));
        doc
    }

    fn text(doc: &Doc) -> String {
        let root = doc.get_or_insert_xml_fragment(ROOT);
        markdown::write(&paper::read(&doc.transact(), &root, 0).unwrap())
    }

    #[test]
    fn what_is_put_into_the_state_is_read_from_it() {
        let all = "# One\n\n**a** *b* [c](https://x.kz) and\\\nmore\n\n- a\n    1. b\n- c\n\n> q\n\n```\nx\n```\n\n---\n\n![Late](/o/x?view=y)";
        assert_eq!(text(&doc(all)), all);
    }

    #[test]
    fn a_change_of_the_field_leaves_what_others_are_writing() {
        let old = "one\n\ntwo\n\nthree";
        for (typed, new, whole) in [
            (old, "one\n\n2\n\nthree", "one\n\n2\n\nthree"),
            ("zero\n\none\n\ntwo\n\nthree", "one\n\n2\n\nthree", "zero\n\none\n\n2\n\nthree"),
            ("one\n\ntwo!\n\nthree", "one\n\n2\n\nthree", "one\n\n2\n\ntwo!\n\nthree"),
            ("one!\n\ntwo\n\nthree", "one\n\ntwo\n\nthree\n\nfour", "one!\n\ntwo\n\nthree\n\nfour"),
            (old, "", ""),
            (old, "one\n\nthree", "one\n\nthree"),
        ] {
            let doc = doc(typed);
            merge(&doc, old, new).unwrap();
            assert_eq!(text(&doc), whole, "{typed:?} and {new:?}");
        }
    }

    #[test]
    fn what_no_document_may_have_is_refused() {
        use yrs::{Any, Text, Xml, XmlElementPrelim, XmlTextPrelim};
        let attack = |work: fn(&mut yrs::TransactionMut, &XmlFragmentRef)| {
            let doc = doc("one");
            let root = doc.get_or_insert_xml_fragment(ROOT);
            work(&mut doc.transact_mut(), &root);
            paper::read(&doc.transact(), &root, 0).map(|_| ())
        };
        let tries: [fn(&mut yrs::TransactionMut, &XmlFragmentRef); 7] = [
            |t, r| {
                r.insert(t, 0, XmlElementPrelim::empty("script"));
            },
            |t, r| {
                r.insert(t, 0, XmlElementPrelim::empty("paragraph")).insert_attribute(t, "onclick", "x");
            },
            |t, r| {
                r.insert(t, 0, XmlElementPrelim::empty("linkedTable")).insert_attribute(
                    t,
                    "href",
                    "javascript:x",
                );
            },
            |t, r| {
                r.insert(t, 0, XmlTextPrelim::new("bare"));
            },
            |t, r| {
                r.insert(t, 0, XmlElementPrelim::empty("heading")).insert_attribute(t, "level", 9_i64);
            },
            |t, r| {
                let text =
                    r.insert(t, 0, XmlElementPrelim::empty("paragraph")).push_back(t, XmlTextPrelim::new(""));
                let href =
                    std::collections::HashMap::from([("href".to_owned(), Any::from("javascript:alert(1)"))]);
                text.insert_with_attributes(t, 0, "x", [("link".into(), Any::from(href))].into());
            },
            |t, r| {
                let mut at = r.insert(t, 0, XmlElementPrelim::empty("blockquote"));
                for _ in 0..40 {
                    at = at.push_back(t, XmlElementPrelim::empty("blockquote"));
                }
            },
        ];
        for (n, work) in tries.into_iter().enumerate() {
            assert!(matches!(attack(work), Err(Error::Refused(_))), "{n}");
        }
    }
}
