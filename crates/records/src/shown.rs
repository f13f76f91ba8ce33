//! What a saved view shows to somebody who may ask for nothing else: its rows, its columns, its sums. Whoever looks
//! chooses a page and what to group by, of what he sees anyway.

mod shapes;
mod widgets;

use crate::{
    plan::{Field, field_of, relation, visible},
    query::{Count, Query, list},
};
use jiff::civil::Date;
use kernel::{Actor, Column, Entity, Error, FieldAccess, Kind, Module, Result, Store};
use serde_json::{Map, Value, json};

const MOST: u32 = 100;
const GROUPS: usize = 3;
/// What the description of a field says to anybody.
const SAID: [&str; 8] = ["name", "label", "type", "look", "options", "settings", "scale", "currency_field"];

/// A view of an entity, as far as this actor may see it now.
pub struct Shown<'a> {
    store: &'a Store,
    actor: &'a Actor,
    entity: &'a Entity,
    kind: &'a str,
    state: &'a Value,
    columns: Vec<String>,
    filter: Option<Value>,
}

impl<'a> Shown<'a> {
    /// # Errors
    /// Not found, when its filter is none: what cannot be understood does not narrow anything.
    pub fn new(
        store: &'a Store,
        actor: &'a Actor,
        entity: &'a Entity,
        kind: &'a str,
        state: &'a Value,
    ) -> Result<Shown<'a>> {
        let seen = visible(actor, entity);
        let is_seen = |name: &str| seen.iter().any(|(n, _)| n == name);
        let chosen: Vec<String> =
            texts(&state["columns"]).filter(|name| is_seen(name)).map(str::to_owned).collect();
        let columns = if chosen.is_empty() { crate::meta::list(actor, entity) } else { chosen };
        let filter = match &state["filter"] {
            Value::Null => None,
            filter => sendable(filter)?,
        };
        Ok(Shown { store, actor, entity, kind, state, columns, filter })
    }

    /// `{entity, state, board?, time?}`: what it is of, how it looks. The filter is not told: it may name what is not shown.
    pub fn describe(&self, modules: &'static [&'static Module], language: &str) -> Value {
        let detail = crate::meta::detail(&self.actor.catalog, modules, self.actor, self.entity, language);
        let field = |name: &String| {
            let field = detail["fields"].as_array()?.iter().find(|f| f["name"] == *name)?;
            let mut said = described(field);
            if !self.currency(name).is_some_and(|c| field["currency_field"] == c.name) {
                said["currency_field"] = Value::Null;
            }
            Some(said)
        };
        let fields: Vec<Value> = self.columns.iter().filter_map(field).collect();
        let group: Vec<&str> = texts(&self.state["group"]).filter(|g| self.shows(path(g))).collect();
        let widths: Map<String, Value> = self.state["widths"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, width)| self.shows(name) && width.is_number())
            .map(|(name, width)| (name.clone(), width.clone()))
            .collect();
        let mut told = json!({
            "entity": { "label": detail["label"], "plural": detail["plural"], "icon": detail["icon"], "fields": fields },
            "state": { "columns": self.columns, "widths": widths, "group": group, "sums": self.sums() },
        });
        let shapes = [("board", self.board(&detail)), ("time", self.time(&detail))];
        for (shape, said) in shapes.into_iter().filter_map(|(shape, said)| Some((shape, said?))) {
            told[shape] = said;
        }
        told
    }

    /// `{data, count, more, offset, limit}`: values as they are shown, a relation as what it is called. `lane` is a column of
    /// the board that the view is; `days` are those of a calendar or a timeline, the last one not among them, and each
    /// row then says when it is; where there is nothing, `near` are the days before and after that have something.
    pub async fn rows(
        &self,
        offset: u32,
        limit: u32,
        lane: Option<&str>,
        days: Option<(Date, Date)>,
    ) -> Result<Value> {
        let limit = limit.clamp(1, MOST);
        let mut fields = self.columns.clone();
        fields.extend(self.columns.iter().filter_map(|name| self.title(name)).map(|(path, _)| path));
        fields.extend(self.columns.iter().filter_map(|n| self.currency(n)).map(|c| c.name.clone()));
        let (cover, colour) = (self.cover(), self.times().and_then(|times| times.colour));
        fields.extend(cover.iter().chain(&colour).cloned());
        fields.sort_unstable();
        fields.dedup();
        let lane = lane.map(|lane| self.lane(lane)).transpose()?;
        let sort = if days.is_some() { self.sort_in_time() } else { self.sort() };
        let page = self.page(offset, limit, lane, days, sort, fields).await?;
        let row = |row: &Value| {
            let mut told = self.row(row);
            if let Some(picture) = cover.as_ref().and_then(|cover| shapes::picture_in(&row[cover])) {
                told["_picture"] = picture;
            }
            if let Some(colour) = &colour {
                told[colour] = row[colour].clone();
            }
            if days.is_some() {
                told["_occurrences"] = row["_occurrences"].clone();
            }
            told
        };
        let data: Vec<Value> = page["data"].as_array().into_iter().flatten().map(row).collect();
        let more = !page["next"].is_null();
        let mut told =
            json!({ "data": data, "count": page["count"], "more": more, "offset": offset, "limit": limit });
        if let Some(days) = days.filter(|_| offset == 0 && data.is_empty()) {
            told["near"] = self.nearest(days).await?;
        }
        Ok(told)
    }

    /// A page of what the view is about, of that what also holds, as its maker would get it.
    async fn page(
        &self,
        offset: u32,
        limit: u32,
        also: Option<Value>,
        days: Option<(Date, Date)>,
        sort: Vec<String>,
        fields: Vec<String>,
    ) -> Result<Value> {
        let filter = match (self.filter.clone(), also) {
            (Some(filter), Some(also)) => Some(json!({ "operator": "AND", "rules": [filter, also] })),
            (None, Some(also)) => Some(json!({ "operator": "AND", "rules": [also] })),
            (filter, None) => filter,
        };
        let occurs = days.map(|days| self.within(days)).transpose()?;
        let count = if days.is_some() { Count::None } else { Count::Estimate };
        let query = Query { filter, sort, fields, limit, offset, count, occurs, ..Query::default() };
        let page = list(self.store, self.actor, self.entity, &query).await.map_err(hidden)?;
        Ok(serde_json::from_slice(&page)?)
    }

    /// `{group_by, sums}` of shown fields → `{data: [{group…, count, sums: {field: …}}]}`. Money is summed up by currency.
    pub async fn aggregate(&self, body: &Value) -> Result<Value> {
        let body = crate::write::object(body)?;
        if let Some(unknown) = body.keys().find(|k| !["group_by", "sums"].contains(&k.as_str())) {
            return Err(Error::malformed_at(unknown, "There is no such part of an aggregate."));
        }
        let named = |key: &str| -> Result<Vec<&str>> {
            let Some(list) = body.get(key).filter(|v| !v.is_null()) else { return Ok(Vec::new()) };
            let names: Vec<&str> = texts(list).collect();
            let all = list.as_array().is_some_and(|l| l.len() == names.len());
            match names.iter().find(|name| !self.shows(path(name))) {
                None if all => Ok(names),
                _ => Err(Error::malformed_at(key, "This is a list of fields that the view shows.")),
            }
        };
        let (group_by, sums) = (named("group_by")?, named("sums")?);
        if group_by.len() > GROUPS || sums.len() > 10 {
            return Err(Error::malformed("Too many fields."));
        }
        let mut groups = Vec::new();
        for name in &group_by {
            groups.push(match self.link(path(name)) {
                Some(_) if self.title(name).is_none() => {
                    return Err(Error::malformed_at("group_by", format!("{name} cannot be grouped by.")));
                }
                Some(link) if field_of(self.actor, self.entity, &link.relation_name()).is_ok() => {
                    link.relation_name()
                }
                // A person by his name: an id is not for guests.
                Some(_) => self.title(name).map_or_else(|| (*name).to_owned(), |(path, _)| path),
                None => (*name).to_owned(),
            });
        }
        let mut currencies: Vec<&str> =
            sums.iter().filter_map(|name| self.currency(name)).map(|c| c.name.as_str()).collect();
        currencies.dedup();
        let by: Vec<&str> = groups.iter().map(String::as_str).chain(currencies.iter().copied()).collect();
        let sum = |name: &&str| json!({ "function": "sum", "field": name, "as": format!("={name}") });
        let metrics: Vec<Value> =
            sums.iter().map(sum).chain([json!({ "function": "count", "as": "#" })]).collect();
        let mut asked = json!({ "group_by": by, "metrics": metrics });
        if let Some(filter) = &self.filter {
            asked["filter"] = filter.clone();
        }
        let answer = crate::extra::aggregate(self.store, self.actor, self.entity, &asked).await;
        let answer: Value = serde_json::from_slice(&answer.map_err(hidden)?)?;
        let row = |row: &Value| {
            let mut out = Map::new();
            for (name, group) in group_by.iter().zip(&groups) {
                let value = &row[path(group)];
                out.insert(
                    path(name).to_owned(),
                    if value.is_object() { value["title"].clone() } else { value.clone() },
                );
            }
            for name in &currencies {
                out.insert((*name).to_owned(), row[*name].clone());
            }
            let summed: Map<String, Value> =
                sums.iter().map(|name| ((*name).to_owned(), row[format!("={name}")].clone())).collect();
            out.insert("count".into(), row["#"].clone());
            out.insert("sums".into(), summed.into());
            Value::Object(out)
        };
        let data: Vec<Value> = answer["data"].as_array().into_iter().flatten().map(row).collect();
        Ok(json!({ "data": data }))
    }

    fn shows(&self, name: &str) -> bool {
        self.columns.iter().any(|c| c == name)
    }

    fn column(&self, name: &str) -> Option<&'a Column> {
        self.entity.column(name)
    }

    fn link(&self, name: &str) -> Option<Field<'a>> {
        relation(self.actor, self.entity, name).ok()
    }

    /// What a relation is called, where this actor may read what it points to: the path to it, and its parts.
    fn title(&self, name: &str) -> Option<(String, [String; 2])> {
        self.title_in(self.entity, name)
    }

    fn title_in(&self, entity: &Entity, name: &str) -> Option<(String, [String; 2])> {
        let link = relation(self.actor, entity, name).ok()?;
        let target = self.actor.catalog.entities.get(link.target()?)?;
        let title = target.title();
        let access = &self.actor.access;
        let may = access.may(target, "read") && access.field(&target.name, title) > FieldAccess::None;
        let relation = link.relation_name();
        may.then(|| (format!("{relation}.{title}"), [relation, title.to_owned()]))
    }

    /// Whether it is a field of the organization's own, kept as this.
    fn is_of(&self, name: &str, kind: Kind) -> bool {
        let own = name.strip_prefix("cf.").and_then(|own| self.actor.overlay.field(&self.entity.name, own));
        own.is_some_and(|field| field.kind == kind)
    }

    /// The currency that money is in, where the actor may see it.
    fn currency(&self, name: &str) -> Option<&'a Column> {
        self.column(name).filter(|c| c.kind == Kind::Money)?;
        let seen = |c: &&Column| self.actor.access.field(&self.entity.name, &c.name) > FieldAccess::None;
        self.column("currency").filter(seen)
    }

    /// The fields that have a sum under them: as was chosen, else those of a document.
    fn sums(&self) -> Vec<&str> {
        let kind = |name: &str| self.column(name).map(|c| c.kind);
        let likely: Vec<&str> = self
            .columns
            .iter()
            .map(String::as_str)
            .filter(|name| matches!(kind(name), Some(Kind::Money | Kind::Quantity)))
            .take(3)
            .filter(|_| self.entity.document)
            .collect();
        let wanted = |name: &&str| match self.state["totals"][*name].as_str() {
            Some(function) => function == "sum" && kind(name).is_some_and(Kind::is_number),
            None => likely.contains(name),
        };
        self.columns.iter().map(String::as_str).filter(wanted).collect()
    }

    /// As the view says, by groups first. What has no order any more, or is not seen, has no say.
    fn sort(&self) -> Vec<String> {
        let seen = visible(self.actor, self.entity);
        let groups = texts(&self.state["group"]).map(path);
        let keys = self.state["sort"].as_str().unwrap_or_default().split(',').filter(|k| !k.is_empty());
        let mut sort: Vec<String> = Vec::new();
        for key in groups.chain(keys) {
            let (name, down) = key.strip_prefix('-').map_or((key, ""), |name| (name, "-"));
            let orders = |kind: Kind| kind.has_order();
            if !seen.iter().any(|(n, field)| n == name && orders(field.kind())) {
                continue;
            }
            let path = self.title(name).map_or_else(|| name.to_owned(), |(path, _)| path);
            if !sort.iter().any(|s| s.trim_start_matches('-') == path) {
                sort.push(format!("{down}{path}"));
            }
        }
        sort.truncate(4);
        sort
    }

    fn row(&self, row: &Value) -> Value {
        let mut out = Map::new();
        for name in &self.columns {
            let is_relation = self.link(name).is_some();
            let value = match self.title(name) {
                Some((_, [relation, title])) => row[relation][title].clone(),
                None if is_relation => Value::Null,
                // Of files their names: what they hold is not for guests.
                None if row[name].is_array() && self.is_of(name, Kind::File) => named(&row[name]),
                None if self.is_of(name, Kind::Users) => Value::Null,
                None => row[name].clone(),
            };
            out.insert(name.clone(), value);
            if let Some(currency) = self.currency(name) {
                out.insert(currency.name.clone(), row[&currency.name].clone());
            }
        }
        Value::Object(out)
    }
}

fn named(files: &Value) -> Value {
    let names: Vec<&str> =
        files.as_array().into_iter().flatten().filter_map(|f| f["name"].as_str()).collect();
    json!(names.join(", "))
}

/// What anybody may know of a field that is shown.
fn described(field: &Value) -> Value {
    SAID.iter().map(|key| ((*key).to_owned(), field[*key].clone())).collect::<Map<_, _>>().into()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// `date:month` is of `date`.
fn path(group: &str) -> &str {
    group.split(':').next().unwrap_or(group)
}

/// Whoever lost the right to what a view asks for has no such view to show.
fn hidden(e: Error) -> Error {
    match e {
        Error::Forbidden(_) | Error::Malformed(_) | Error::Refused(_) => Error::NotFound,
        e => e,
    }
}

/// Without the rules that are still being filled in, which narrow nothing for who made the view either.
fn sendable(condition: &Value) -> Result<Option<Value>> {
    let rules = condition["rules"].as_array().ok_or(Error::NotFound)?;
    let mut kept = Vec::new();
    for rule in rules {
        if rule.get("rules").is_some() {
            kept.extend(sendable(rule)?);
        } else if is_complete(rule) {
            kept.push(rule.clone());
        }
    }
    let mut condition = condition.clone();
    let any = !kept.is_empty();
    condition["rules"] = kept.into();
    Ok(any.then_some(condition))
}

fn is_complete(rule: &Value) -> bool {
    let operator = rule["operator"].as_str().unwrap_or_default();
    if operator.starts_with("is_") || operator.starts_with("this_") {
        return true;
    }
    let says = |value: &Value| !value.is_null() && *value != "";
    match &rule["value"] {
        Value::Array(list) => !list.is_empty() && list.iter().all(says),
        value => says(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_what_its_author_sees() {
        let rule =
            |operator: &str, value: Value| json!({ "field": "a", "operator": operator, "value": value });
        let all = |rules: Vec<Value>| json!({ "operator": "AND", "rules": rules });
        let whole = all(vec![rule("equals", json!("x")), all(vec![rule("in", json!(["y"]))])]);
        assert_eq!(sendable(&whole).unwrap(), Some(whole));
        let half = all(vec![rule("equals", json!("")), all(vec![rule("in", json!([]))])]);
        assert_eq!(sendable(&half).unwrap(), None);
        assert_eq!(
            sendable(&all(vec![rule("is_empty", Value::Null), rule("equals", Value::Null)])).unwrap(),
            Some(all(vec![rule("is_empty", Value::Null)]))
        );
        for broken in [json!("x"), json!({}), json!({ "rules": 1 }), all(vec![json!({ "rules": null })])] {
            assert!(sendable(&broken).is_err(), "{broken}");
        }
    }
}
