//! What a trigger knows: a record, what it points to, its lines, and what was just changed. Its condition is asked of that,
//! and its texts say it.

use crate::{
    approvals::lines,
    plan::{Field, HOPS, Plan, field_of, hops_of, malformed, plain, relation, split, visible},
    print::{Sheet, people},
    write::draft,
};
use conditions::{Condition, FieldRef, Part, Row, Schema};
use kernel::{Actor, Catalog, Entity, Error, FieldAccess, Kind, Result, Store, sql};
use serde_json::{Map, Value};
use std::collections::HashMap;
use uuid::Uuid;

/// The entity, where records of it may have triggers.
pub fn entity_of<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a Entity> {
    catalog.entity(name).ok().filter(|e| e.part_of.is_none() && catalog.module(e.module()).is_some())
}

/// Whether nothing of any record is hidden from this person: what a trigger knew is shown to nobody else.
pub fn sees_all(catalog: &Catalog, actor: &Actor) -> bool {
    // What is computed is hidden with what it rests on, and not there where that is gone.
    let own = |entity: &Entity| actor.overlay.of(&entity.name).iter().filter(|f| !f.is_computed()).count();
    let kept = |field: &Field<'_>| !matches!(field, Field::Custom(own) if own.is_computed());
    let whole = |e: &Entity| {
        visible(actor, e).iter().filter(|(_, field)| kept(field)).count()
            == e.columns.iter().filter(|c| c.kind != Kind::Hidden).count() + own(e)
    };
    catalog.all().filter(|e| catalog.module(e.module()).is_some()).all(whole)
}

/// Of a field of the record as it was or is: which.
fn of_change(path: &str) -> Option<&str> {
    path.strip_prefix("$old.").or_else(|| path.strip_prefix("$new."))
}

/// Where a path leads: over which relations, to which field of what.
struct Traced<'a> {
    hops: Vec<String>,
    entity: &'a Entity,
    field: Field<'a>,
}

fn trace<'a>(catalog: &'a Catalog, actor: &'a Actor, entity: &'a Entity, path: &str) -> Result<Traced<'a>> {
    let (hops, name) = split(path);
    let (mut to, mut walked) = (entity, Vec::new());
    for hop in hops_of(hops) {
        if walked.len() == HOPS {
            return Err(Error::malformed(format!("A path has at most {HOPS} relations.")));
        }
        let link = relation(actor, to, hop)?;
        to = catalog.entity(link.target().unwrap_or_default())?;
        if !actor.access.may(to, "read") {
            return Err(Error::Forbidden(format!("You may not read {}.", plain(to.short()))));
        }
        walked.push(link.relation_name());
    }
    let field = field_of(actor, to, &name)?;
    Ok(Traced { hops: walked, entity: to, field })
}

/// A piece of a text: itself, or what stands between `{{` and `}}`.
enum Piece<'a> {
    Text(&'a str),
    Path(&'a str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let closed =
            after.split_once("}}").filter(|(path, _)| !path.trim().is_empty() && !path.contains('{'));
        let Some((path, after)) = closed else {
            return Err(Error::malformed("Write the name of a field between {{ and }}."));
        };
        all.extend([Piece::Text(before), Piece::Path(path.trim())]);
        rest = after;
    }
    all.push(Piece::Text(rest));
    all.retain(|piece| !matches!(piece, Piece::Text("")));
    Ok(all)
}

/// The paths that a text names.
///
/// # Errors
/// Malformed for braces that are not closed.
fn named(text: &str) -> Result<Vec<&str>> {
    let of = |piece| if let Piece::Path(path) = piece { Some(path) } else { None };
    Ok(pieces(text)?.into_iter().filter_map(of).collect())
}

/// Every text in a value.
fn texts<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(map) => map.values().for_each(|item| texts(item, into)),
        _ => {}
    }
}

/// The paths that all these texts and values name, as far as they can be read.
pub fn paths<'v>(values: impl IntoIterator<Item = &'v Value>) -> Vec<&'v str> {
    let mut all = Vec::new();
    values.into_iter().for_each(|value| texts(value, &mut all));
    all.into_iter().flat_map(|text| named(text).unwrap_or_default()).collect()
}

/// Whether a text names only fields that there are.
///
/// # Errors
/// Malformed for what there is not; Forbidden for what the actor may not see.
pub fn check_text(catalog: &Catalog, actor: &Actor, entity: &Entity, text: &str) -> Result<()> {
    for path in named(text)? {
        let field = of_change(path).unwrap_or(path);
        trace(catalog, actor, entity, field).map_err(|e| match e {
            Error::Malformed(mut faults) => {
                faults.iter_mut().for_each(|fault| fault.field = None);
                Error::Malformed(faults)
            }
            e => e,
        })?;
    }
    Ok(())
}

/// The entity that a relation of the record leads to; the record's own where none is named.
///
/// # Errors
/// Malformed where there is no such relation.
pub fn target<'a>(
    catalog: &'a Catalog,
    actor: &'a Actor,
    entity: &'a Entity,
    to: Option<&str>,
) -> Result<&'a Entity> {
    let Some(to) = to else { return Ok(entity) };
    let led = trace(catalog, actor, entity, to)?;
    let leads = led.field.target();
    catalog.entity(leads.ok_or_else(|| Error::malformed(format!("There is no relation {to}.")))?)
}

/// Whether a record of `of` may be written like this, as far as that is known before: `values` may name fields of `entity`.
///
/// # Errors
/// Malformed or Forbidden, at each value.
pub fn check_values(
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    of: &Entity,
    values: &Map<String, Value>,
    new: bool,
) -> Result<()> {
    let mut known = values.clone();
    let mut later = Vec::new();
    for (name, value) in values {
        let mut all = Vec::new();
        texts(value, &mut all);
        let mut says = false;
        for text in all {
            check_text(catalog, actor, entity, text).map_err(|e| e.under(name))?;
            says |= !named(text)?.is_empty();
        }
        if says {
            known.insert(name.clone(), Value::Null);
            later.push(name);
        }
    }
    let mut faults = Vec::new();
    draft(actor, of, &known, new, &mut faults)?;
    // What is filled in only then is not missing now.
    faults.retain(|f| {
        f.message != "This is required." || f.field.as_ref().is_none_or(|field| !later.contains(&field))
    });
    if faults.is_empty() { Ok(()) } else { Err(Error::Malformed(faults)) }
}

/// The record, what it points to, its lines, and what was just changed.
struct Known<'p, 'a>(&'p mut Plan<'a>);

impl Schema for Known<'_, '_> {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        match of_change(path) {
            // Nothing was changed but the record itself.
            Some(field) if !split(field).0.is_empty() => Err("Only the record itself was changed.".into()),
            field => self.0.resolve(field.unwrap_or(path)),
        }
    }

    fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String> {
        lines(self.0, path)
    }
}

fn checked(
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    condition: &Value,
) -> Result<Option<conditions::Checked>> {
    let condition = Condition::parse(condition).map_err(|problems| malformed(&problems))?;
    if condition.is_empty() {
        return Ok(None);
    }
    let mut plan = Plan::new(catalog, actor, entity)?;
    let context = plan.context();
    let checked = condition.check(&mut Known(&mut plan), &context);
    checked.map(Some).map_err(|problems| plan.forbidden.take().unwrap_or_else(|| malformed(&problems)))
}

/// The condition, or nothing where it asks nothing.
///
/// # Errors
/// Malformed for one that does not fit the entity.
pub fn check_condition<'c>(
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    condition: Option<&'c Value>,
) -> Result<Option<&'c Value>> {
    let Some(condition) = condition else { return Ok(None) };
    Ok(checked(catalog, actor, entity, condition)?.map(|_| condition))
}

/// A record as it is, and what was just done to it.
pub struct Facts<'a> {
    catalog: &'a Catalog,
    modules: &'static [&'static kernel::Module],
    actor: &'a Actor,
    pub entity: &'a Entity,
    pub record: Value,
    /// `{kind, old, new}`
    event: &'a Value,
    language: &'a str,
    digits: u32,
    people: HashMap<String, String>,
}

impl<'a> Facts<'a> {
    /// `condition` and `named` say what is asked for besides the record.
    ///
    /// # Errors
    /// NotFound for a record that is not there any more, unless that is what happened.
    pub async fn read(
        (store, actor): (&'a Store, &'a Actor),
        entity: &'a Entity,
        id: Uuid,
        event: &'a Value,
        (condition, named): (Option<&Value>, &[&str]),
        language: &'a str,
    ) -> Result<Facts<'a>> {
        let condition =
            condition.map(Condition::parse).transpose().map_err(|problems| malformed(&problems))?;
        let paths = condition.iter().flat_map(Condition::fields).chain(named.iter().copied());
        let catalog = &actor.catalog;
        let expand = expansions(catalog, actor, entity, paths);
        let record = match crate::get(store, actor, entity, id, &[], &expand).await {
            Ok(record) => record.value()?,
            Err(Error::NotFound) if event["kind"] == "deleted" => {
                let mut gone = event["old"].clone();
                gone["id"] = id.to_string().into();
                gone
            }
            Err(e) => return Err(e),
        };
        let people = people(store, actor, &record).await?;
        let digits = sql!("select app.digits($1)");
        let rows = store.batch(actor, &[(digits, &[&record["currency"].as_str()])]).await?;
        let digits = rows.iter().flatten().next().and_then(|row| row.get::<_, Option<i16>>(0)).unwrap_or(2);
        let digits = u32::try_from(digits).unwrap_or(2);
        Ok(Facts {
            catalog,
            modules: store.modules(),
            actor,
            entity,
            record,
            event,
            language,
            digits,
            people,
        })
    }

    /// Whether the condition holds, and why.
    ///
    /// # Errors
    /// Malformed or Forbidden for what there is no more, or not for this person.
    pub fn explain(&self, condition: Option<&Value>) -> Result<(bool, Value)> {
        let Some(condition) = condition else { return Ok((true, Value::Null)) };
        let checked = checked(self.catalog, self.actor, self.entity, condition)?;
        Ok(checked.map_or((true, Value::Null), |c| (c.matches(self), c.explain(self))))
    }

    /// The text, with what it names as people write it.
    ///
    /// # Errors
    /// As [`check_text`].
    pub fn text(&self, text: &str) -> Result<String> {
        let mut out = String::new();
        for piece in pieces(text)? {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Path(path) => out.push_str(&self.say(path)?),
            }
        }
        Ok(out)
    }

    /// The value, with what it names; `{{field}}` alone is what the field holds, whatever that is.
    ///
    /// # Errors
    /// As [`check_text`].
    pub fn value(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => match pieces(text)?[..] {
                [Piece::Path(path)] => match of_change(path) {
                    Some(_) => Row::value(self, path),
                    None => self.look(path)?,
                },
                _ => Value::String(self.text(text)?),
            },
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect::<Result<_>>()?,
            Value::Object(map) => {
                let pair = |(name, item): (&String, &Value)| Ok((name.clone(), self.value(item)?));
                Value::Object(map.iter().map(pair).collect::<Result<_>>()?)
            }
            other => other.clone(),
        })
    }

    /// The id at the end of a relation; the record's own where none is named.
    ///
    /// # Errors
    /// Refused where it points to nothing.
    pub fn id(&self, to: Option<&str>) -> Result<Uuid> {
        let id = match to {
            Some(to) => self.look(to)?,
            None => self.record["id"].clone(),
        };
        let id = id.as_str().and_then(|id| id.parse().ok());
        id.ok_or_else(|| Error::refused(format!("{} is empty.", to.unwrap_or("id"))))
    }

    /// What the record is called.
    pub fn title(&self) -> &str {
        self.record[self.entity.title()].as_str().unwrap_or_default()
    }

    fn trace(&self, path: &str) -> Result<Traced<'_>> {
        trace(self.catalog, self.actor, self.entity, path)
    }

    fn at(&self, hops: &[String]) -> &Value {
        hops.iter().fold(&self.record, |at, hop| &at[hop.as_str()])
    }

    fn look(&self, path: &str) -> Result<Value> {
        let to = self.trace(path)?;
        Ok(self.at(&to.hops)[to.field.name().as_str()].clone())
    }

    fn say(&self, path: &str) -> Result<String> {
        let to = self.trace(of_change(path).unwrap_or(path))?;
        let about = crate::meta::detail(self.catalog, self.modules, self.actor, to.entity, self.language);
        let mut sheet = Sheet::of(about, self.language, self.actor);
        sheet.people.clone_from(&self.people);
        if of_change(path).is_some() {
            let mut was = self.record.clone();
            was[to.field.name().as_str()] = Row::value(self, path);
            return Ok(sheet.shown(&to.field.name(), &was, self.digits));
        }
        Ok(sheet.shown(&to.field.name(), self.at(&to.hops), self.digits))
    }

    /// What a field held before or holds after; what was not changed holds what it holds.
    fn changed(&self, side: &str, field: &str) -> Option<Value> {
        let field = self.trace(field).ok()?.field.name();
        let row = &self.event[side];
        let now = || self.record[field.as_str()].clone();
        if side == "old" && self.event["kind"] == "created" {
            return None;
        }
        Some(match field.strip_prefix("cf.") {
            Some(own) if row["custom"].is_object() => row["custom"][own].clone(),
            _ => row.get(field.as_str()).cloned().unwrap_or_else(now),
        })
    }
}

impl Row for Facts<'_> {
    fn value(&self, path: &str) -> Value {
        let found = match path.split_at_checked(5) {
            Some(("$old.", field)) => self.changed("old", field),
            Some(("$new.", field)) => self.changed("new", field),
            _ if self.entity.part(path).is_some() => Some(self.record[path].clone()),
            _ => self.look(path).ok(),
        };
        found.unwrap_or_default()
    }
}

/// What has to be read with the record for these paths.
fn expansions<'p>(
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    paths: impl Iterator<Item = &'p str>,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for path in paths {
        let first = path.split('.').next().unwrap_or_default();
        if entity.part(first).is_some() {
            all.push(first.to_owned());
            continue;
        }
        // What cannot be followed is told where it is asked for.
        let Ok(to) = trace(catalog, actor, entity, of_change(path).unwrap_or(path)) else { continue };
        if !to.hops.is_empty() {
            all.push(to.hops.join("."));
        }
        // A relation is said by what it is called.
        let leads = to.field.target().and_then(|t| catalog.entities.get(t));
        let seen = leads.is_some_and(|t| {
            actor.access.may(t, "read") && actor.access.field(&t.name, t.title()) > FieldAccess::None
        });
        if seen && to.hops.len() < HOPS {
            all.push(to.hops.iter().cloned().chain([to.field.relation_name()]).collect::<Vec<_>>().join("."));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_fields_between_braces() {
        assert_eq!(
            named("${{ total }} of {{customer.name}}, {{cf.size}}!").unwrap(),
            ["total", "customer.name", "cf.size"]
        );
        assert_eq!(named("Nothing { here } }}").unwrap(), [""; 0]);
        for broken in ["{{", "{{}}", "{{ }}", "a {{b", "{{a {{b}}"] {
            assert!(named(broken).is_err(), "{broken}");
        }
    }
}
