//! The widgets of a dashboard behind a link: what they say is computed here, as the view keeps them and with the rights
//! of whoever shared it. Who looks asks for nothing.

use super::{Shown, described, path, sendable};
use crate::plan::{field_of, relation, split};
use kernel::{Entity, Error, FieldAccess, Module, Result};
use serde_json::{Map, Value, json};

const MOST: usize = 40;
const MOST_GROUPS: u32 = 1_000;
const MOST_ROWS: u64 = 50;
/// What a widget says of itself that is for everybody who sees it.
const SAID: [&str; 13] =
    ["id", "kind", "x", "y", "w", "h", "title", "text", "goal", "currency", "limit", "anchor", "lower"];

/// What records are grouped by: how it is asked, under which name it is answered, and the field.
struct Dim {
    asked: String,
    key: String,
    told: Value,
}

impl Shown<'_> {
    /// `{data}`: each widget with its lines; `closed` where whoever shared it may not see, or no longer hand out, what it
    /// is about.
    ///
    /// # Errors
    /// NotFound where the view keeps no widgets.
    pub async fn widgets(&self, modules: &'static [&'static Module], language: &str) -> Result<Value> {
        let kept = self.state["options"]["widgets"].as_str().unwrap_or_default();
        let kept: Value = serde_json::from_str(kept).map_err(|_| Error::NotFound)?;
        let mut data = Vec::new();
        for widget in kept.as_array().ok_or(Error::NotFound)?.iter().take(MOST) {
            let mut told: Map<String, Value> = SAID
                .iter()
                .filter(|key| !widget[**key].is_null())
                .map(|key| ((*key).to_owned(), widget[*key].clone()))
                .collect();
            if widget["kind"] != "note" {
                match self.widget(modules, language, widget).await {
                    Ok(Value::Object(more)) => told.extend(more),
                    Err(e @ (Error::Broken(_) | Error::Unavailable(_))) => return Err(e),
                    _ => {
                        // Its title may say what it was about.
                        told.remove("title");
                        told.insert("closed".into(), json!(true));
                    }
                }
            }
            data.push(Value::Object(told));
        }
        Ok(json!({ "data": data }))
    }

    async fn widget(
        &self,
        modules: &'static [&'static Module],
        language: &str,
        widget: &Value,
    ) -> Result<Value> {
        let catalog = &self.actor.catalog;
        let entity = match widget["entity"].as_str() {
            Some(name) => catalog.entity(name)?,
            None => self.entity,
        };
        let access = &self.actor.access;
        if !access.may(entity, "read") || access.scope(entity, "export") < access.scope(entity, "read") {
            return Err(Error::NotFound);
        }
        let own = if widget["filter"].is_null() { None } else { sendable(&widget["filter"])? };
        let page = self.filter.clone().filter(|_| entity.name == self.entity.name);
        let rules: Vec<Value> = own.into_iter().chain(page).collect();
        let filter = (!rules.is_empty()).then(|| json!({ "operator": "AND", "rules": rules }));
        let detail = crate::meta::detail(catalog, modules, self.actor, entity, language);
        let called = json!({ "label": detail["label"], "plural": detail["plural"] });
        if widget["kind"] == "list" {
            let state = json!({ "columns": widget["columns"], "sort": widget["sort"], "filter": filter });
            let list = Shown::new(self.store, self.actor, entity, "list", &state)?;
            let limit = u32::try_from(widget["limit"].as_u64().unwrap_or(8).clamp(1, MOST_ROWS)).unwrap_or(8);
            let rows = list.rows(0, limit, None, None).await?;
            let fields = list.describe(modules, language)["entity"]["fields"].clone();
            return Ok(json!({ "entity": called, "fields": fields, "rows": rows["data"] }));
        }
        let (function, measured) = match widget["value"].as_str().unwrap_or("count").split_once(':') {
            Some((function, field)) => (function, Some(field)),
            None => ("count", None),
        };
        let field = |name: &str| detail["fields"].as_array()?.iter().find(|f| f["name"] == name);
        let measure = match measured {
            Some(name) => Some(described(field(name).ok_or(Error::NotFound)?)),
            None => None,
        };
        let by = |name: &str| match widget[name].as_str() {
            Some(id) => self.dim(modules, language, entity, &detail, id).map(Some),
            None => Ok(None),
        };
        let (group, split, when) = (by("group")?, by("split")?, by("when")?);
        let dims: Vec<&Dim> = match widget["kind"].as_str() {
            Some("number") => when.iter().collect(),
            Some("progress") => Vec::new(),
            _ => group.iter().chain(&split).collect(),
        };
        // Money of different currencies is never one sum.
        let apart = measure.as_ref().is_some_and(|m| m["type"] == "money")
            && entity.column("currency").is_some()
            && access.field(&entity.name, "currency") > FieldAccess::None;
        let mut groups: Vec<&str> = dims.iter().map(|d| d.asked.as_str()).collect();
        if apart && !groups.contains(&"currency") {
            groups.push("currency");
        }
        let mut metric = json!({ "function": function, "as": "m" });
        if let Some(name) = measured {
            metric["field"] = json!(name);
        }
        let mut asked = json!({ "group_by": groups, "metrics": [metric], "limit": MOST_GROUPS });
        if let Some(filter) = filter {
            asked["filter"] = filter;
        }
        if let Some(day) = dims.iter().find(|d| !d.told["bucket"].is_null()) {
            // The last days before the first ones, where there are too many.
            asked["sort"] = json!([format!("-{}", day.key)]);
        }
        let answer = crate::extra::aggregate(self.store, self.actor, entity, &asked).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let mut named: Vec<Value> = Vec::new();
        let mut line = |row: &Value| {
            let at: Vec<Value> = dims
                .iter()
                .map(|d| match &row[&d.key] {
                    // Of a record what it is called, and a number in place of its id.
                    Value::Object(record) => {
                        let id = &record["id"];
                        let n = named.iter().position(|known| known == id).unwrap_or_else(|| {
                            named.push(id.clone());
                            named.len() - 1
                        });
                        json!({ "id": n.to_string(), "title": record["title"] })
                    }
                    value => value.clone(),
                })
                .collect();
            json!({ "at": at, "currency": if apart { &row["currency"] } else { &Value::Null }, "value": row["m"] })
        };
        let lines: Vec<Value> = answer["data"].as_array().into_iter().flatten().map(&mut line).collect();
        Ok(json!({
            "entity": called, "fn": function, "measure": measure,
            "dims": dims.iter().map(|d| &d.told).collect::<Vec<_>>(), "lines": lines,
        }))
    }

    /// `field`, `field:month`, `relation.field`.
    fn dim(
        &self,
        modules: &'static [&'static Module],
        language: &str,
        entity: &Entity,
        detail: &Value,
        id: &str,
    ) -> Result<Dim> {
        let of = |detail: &Value, name: &str| {
            let found = detail["fields"].as_array().into_iter().flatten().find(|f| f["name"] == name);
            found.map(described).ok_or(Error::NotFound)
        };
        let (name, bucket) = (path(id), id.split_once(':').map(|(_, bucket)| bucket));
        let catalog = &self.actor.catalog;
        let (key, field) = match split(name) {
            ("", _) => {
                let mut field = of(detail, name)?;
                match relation(self.actor, entity, name) {
                    Err(_) => (name.to_owned(), field),
                    Ok(_) => {
                        let (title, [relation, _]) = self.title_in(entity, name).ok_or(Error::NotFound)?;
                        if field_of(self.actor, entity, &relation).is_ok() {
                            (relation, field)
                        } else {
                            // A person goes by his name alone.
                            field["type"] = json!("text");
                            (title, field)
                        }
                    }
                }
            }
            (hop, name) => {
                let link = relation(self.actor, entity, hop)?;
                let target = catalog.entity(link.target().unwrap_or_default())?;
                if relation(self.actor, target, &name).is_ok() {
                    return Err(Error::NotFound);
                }
                let target = crate::meta::detail(catalog, modules, self.actor, target, language);
                (format!("{}.{name}", link.relation_name()), of(&target, &name)?)
            }
        };
        let dated = field["type"] == "date" || field["type"] == "datetime";
        let bucket = dated.then(|| bucket.unwrap_or("month"));
        let asked = bucket.map_or_else(|| key.clone(), |bucket| format!("{key}:{bucket}"));
        Ok(Dim { asked, key, told: json!({ "field": field, "bucket": bucket }) })
    }
}
