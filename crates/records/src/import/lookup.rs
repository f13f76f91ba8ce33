//! Which records the cells of relations mean: asked for many at a time, remembered within the import.

use super::{
    batch::{Line, Problem},
    mapping::{By, Target},
};
use crate::{
    plan::{Field, plain, quoted},
    value::json_of,
};
use kernel::{Column, CustomField, Entity, Kind, MEMBERS, Result, Tx, sql};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Answers kept at a time.
const REMEMBERED: usize = 50_000;

/// What cells say, and whom they mean.
type Answers = HashMap<String, Uuid>;

/// Field and text of records that come in with the same file.
pub(crate) type Mates = HashMap<(String, String), Option<Uuid>>;

#[derive(Default)]
pub(crate) struct Known {
    /// By entity, and field or `*` for any.
    answers: HashMap<(String, String), Answers>,
}

fn by_name<'a>(by: &By<'a>) -> &'a str {
    match by {
        By::Any(_) => "*",
        By::Field(column) => &column.name,
    }
}

impl Known {
    /// Puts ids in the place of the keys, for one table's lines. `mates` are records of the same file that are not in the
    /// database yet, by field and text; without an id, those that a dry run has taken back.
    pub(crate) async fn resolve(
        &mut self,
        tx: &Tx,
        slots: &[super::mapping::Slot<'_>],
        lines: &mut [&mut Line],
        mates: &Mates,
        of: &str,
    ) -> Result<()> {
        if self.answers.values().map(HashMap::len).sum::<usize>() > REMEMBERED {
            self.answers.clear();
        }
        for (at, slot) in slots.iter().enumerate() {
            let Target::Relation { link, to, by } = &slot.target else { continue };
            let own = if let Field::Custom(field) = link { Some(field.name.as_str()) } else { None };
            let answers = self.answers.entry((to.name.clone(), by_name(by).to_owned())).or_default();
            let mut missing: HashSet<String> = HashSet::new();
            for line in lines.iter() {
                if let Some(text) = line.texts[at].as_deref()
                    && !answers.contains_key(text)
                    && !missing.contains(text)
                {
                    missing.insert(text.to_owned());
                }
            }
            let mut twice: HashSet<String> = HashSet::new();
            ask(tx, to, by, missing, answers, &mut twice).await?;
            for line in lines.iter_mut() {
                let said = line.texts[at].take();
                if let Some(own) = own {
                    line.custom.insert(own.to_owned(), Value::Null);
                }
                let Some(text) = said else { continue };
                let fields: Vec<&str> = match by {
                    By::Any(columns) => columns.iter().map(|c| c.name.as_str()).collect(),
                    By::Field(column) => vec![&column.name],
                };
                let mate = || {
                    if to.name != of {
                        return None;
                    }
                    fields.iter().find_map(|f| mates.get(&((*f).to_owned(), text.clone()))).copied()
                };
                match answers.get(&text).map(|id| Some(*id)).or_else(mate) {
                    Some(id) => match own {
                        Some(own) => {
                            line.custom.insert(own.to_owned(), json!(id));
                        }
                        None => line.texts[at] = id.map(|id| id.to_string()),
                    },
                    None => {
                        let what = match link {
                            Field::Column(column) => plain(&column.relation_name().replace("_member", "")),
                            Field::Custom(own) => own.label.clone(),
                        };
                        let message = if twice.contains(&text) {
                            format!("More than one {what} goes by {text}.")
                        } else {
                            format!("There is no {what} {text}.")
                        };
                        line.faults.push(Problem::at(&slot.name(), message, Some(&text)));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Puts members in the place of the ids, addresses and names that fields of one's own say.
pub(crate) async fn members(
    tx: &Tx,
    slots: &[super::mapping::Slot<'_>],
    lines: &mut [&mut Line],
) -> Result<()> {
    let fields: Vec<&CustomField> = slots
        .iter()
        .filter_map(|s| match &s.target {
            Target::Custom(field) if matches!(field.kind, Kind::User | Kind::Users) => Some(*field),
            _ => None,
        })
        .collect();
    let said = |line: &Line, field: &CustomField| -> Vec<String> {
        match line.custom.get(&field.name) {
            Some(Value::String(text)) => vec![text.trim().to_lowercase()],
            Some(Value::Array(items)) => {
                items.iter().map(|i| i.as_str().unwrap_or_default().trim().to_lowercase()).collect()
            }
            _ => Vec::new(),
        }
    };
    let wanted: HashSet<String> =
        lines.iter().flat_map(|line| fields.iter().flat_map(|field| said(line, field))).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<String> = wanted.into_iter().collect();
    let ask = sql!(
        "select m.id::text, lower(m.email), lower(m.name) from iam.memberships m where m.organization_id = $1 and m.deleted_at is null
           and (m.id::text = any ($2) or lower(m.email) = any ($2) or lower(m.name) = any ($2))"
    );
    let rows = tx.cached(ask, &[&tx.actor.organization, &wanted]).await?;
    let known: Vec<[String; 3]> = rows.iter().map(|r| [r.get(0), r.get(1), r.get(2)]).collect();
    for line in lines.iter_mut() {
        for field in &fields {
            let mut ids = Vec::new();
            for text in said(line, field) {
                // The surest first: who goes by his address is nobody's namesake.
                let mut found = (0..3)
                    .map(|at| known.iter().filter(|k| k[at] == text).map(|k| &k[0]).collect::<Vec<_>>())
                    .find(|found| !found.is_empty())
                    .unwrap_or_default();
                let message = match (found.pop(), found.is_empty()) {
                    (Some(id), true) => {
                        ids.push(id.clone());
                        continue;
                    }
                    (Some(_), false) => format!("More than one member goes by {text}."),
                    // A person may name himself, even if he may see no member.
                    (None, _) if text == tx.actor.user.to_string() => {
                        ids.push(text);
                        continue;
                    }
                    (None, _) => format!("There is no member {text}."),
                };
                line.faults.push(Problem::at(&format!("cf.{}", field.name), message, Some(&text)));
            }
            let value = match field.kind {
                _ if ids.is_empty() => Value::Null,
                Kind::Users => json!(ids),
                _ => json!(ids.first()),
            };
            match json_of(field, &value) {
                Ok(value) if line.custom.contains_key(&field.name) => {
                    line.custom.insert(field.name.clone(), value);
                }
                Ok(_) => {}
                Err(message) => line.faults.push(Problem::at(&format!("cf.{}", field.name), message, None)),
            }
        }
    }
    Ok(())
}

/// Asks the database whom texts mean; `twice` are those that mean more than one.
async fn ask(
    tx: &Tx,
    to: &Entity,
    by: &By<'_>,
    mut missing: HashSet<String>,
    answers: &mut Answers,
    twice: &mut HashSet<String>,
) -> Result<()> {
    if matches!(by, By::Any(_)) {
        let ids: Vec<Uuid> = missing.iter().filter_map(|t| t.parse().ok()).collect();
        if !ids.is_empty() {
            let sql = format!(
                "select t.id from {} t where t.organization_id = $1 and t.id = any($2) and t.deleted_at is null",
                to.rows()
            );
            let rows = tx.cached(&sql, &[&tx.actor.organization, &ids]).await?;
            let mut found: HashSet<Uuid> = rows.iter().map(|r| r.get(0)).collect();
            // A person may name himself, even if he may see no member.
            if to.name == MEMBERS {
                found.insert(tx.actor.user);
            }
            missing.retain(|text| match text.parse::<Uuid>() {
                Ok(id) if found.contains(&id) => {
                    answers.insert(text.clone(), id);
                    false
                }
                // An id that leads nowhere is nothing else either.
                Ok(_) => false,
                Err(_) => true,
            });
        }
    }
    let fields: Vec<&Column> = match by {
        By::Any(columns) => columns.clone(),
        By::Field(column) => vec![column],
    };
    for field in fields {
        if missing.is_empty() {
            break;
        }
        let texts: Vec<&String> = missing.iter().collect();
        let cast = if matches!(field.sql_type.as_str(), "text") { "" } else { "::text" };
        // Codes are found as they stand; addresses in any case.
        let (left, right) =
            if field.kind == Kind::Email || field.name == "email" { ("lower(", ")") } else { ("", "") };
        let texts: Vec<String> =
            texts.into_iter().map(|t| if left.is_empty() { t.clone() } else { t.to_lowercase() }).collect();
        let sql = format!(
            "select {left}t.{0}{cast}{right}, (array_agg(t.id))[1], count(*) from {1} t where t.organization_id = $1 and {left}t.{0}{cast}{right} = any($2) and t.deleted_at is null group by 1",
            quoted(&field.name),
            to.rows()
        );
        let mut found: HashMap<String, Uuid> = HashMap::new();
        let mut more: HashSet<String> = HashSet::new();
        for row in tx.cached(&sql, &[&tx.actor.organization, &texts]).await? {
            let text: String = row.get(0);
            if row.get::<_, i64>(2) > 1 {
                more.insert(text.clone());
            }
            found.insert(text, row.get(1));
        }
        missing.retain(|text| {
            let key = if left.is_empty() { text.clone() } else { text.to_lowercase() };
            if more.contains(&key) {
                twice.insert(text.clone());
                return false;
            }
            match found.get(&key) {
                Some(id) => {
                    answers.insert(text.clone(), *id);
                    false
                }
                None => true,
            }
        });
    }
    Ok(())
}
