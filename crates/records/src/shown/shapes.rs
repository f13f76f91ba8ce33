//! What a view that is more than a table goes by: the columns of a board, the days of a calendar or a timeline, the
//! pictures of a gallery. Chosen as the pages choose it: what the view says, else what the module's author meant.

use super::{Shown, described};
use crate::{
    occurs::Occurs,
    plan::{Field, visible},
};
use jiff::civil::Date;
use kernel::{Error, Kind, Result};
use serde_json::{Value, json};
use uuid::Uuid;

/// The fields that say when a record is, and the one that colours it.
pub(super) struct Times {
    start: String,
    end: Option<String>,
    recurrence: Option<String>,
    pub(super) colour: Option<String>,
}

impl<'a> Shown<'a> {
    /// The field that the columns of a board stand for, with its choices; none where they are no choices.
    fn lanes(&self) -> Option<(String, Vec<String>)> {
        (self.kind == "board").then_some(())?;
        let chosen = self.state["options"]["lanes"].as_str();
        let meant = self.entity.meta["views"]["board"].as_str();
        let moved = self.entity.transitions.first().map(|t| t.field.as_str());
        let name = chosen.or(meant).or(moved)?;
        crate::plan::visible(self.actor, self.entity).into_iter().find(|(known, _)| known == name)?;
        let options: Vec<String> = match name.strip_prefix("cf.") {
            Some(own) => {
                let field = self.actor.overlay.field(&self.entity.name, own)?;
                field.choices().map(str::to_owned).collect()
            }
            None => self.entity.column(name)?.options.clone(),
        };
        (!options.is_empty()).then(|| (name.to_owned(), options))
    }

    /// `{field, options}` of a board, in the order of its columns.
    pub(super) fn board(&self, detail: &Value) -> Option<Value> {
        let (name, _) = self.lanes()?;
        let field = detail["fields"].as_array()?.iter().find(|f| f["name"] == *name)?;
        let of_state = &detail["states"];
        let options = if of_state["field"] == *name { &of_state["options"] } else { &field["options"] };
        Some(
            json!({ "field": name, "label": field["label"], "required": field["required"], "options": options }),
        )
    }

    /// The rule for one column of the board; the empty one holds what stands in none.
    pub(super) fn lane(&self, lane: &str) -> Result<Value> {
        let wrong = || Error::malformed_at("lane", "There is no such column of a board.");
        let (field, options) = self.lanes().ok_or_else(wrong)?;
        match lane {
            "" => Ok(json!({ "field": field, "operator": "is_empty" })),
            lane if options.iter().any(|o| o == lane) => {
                Ok(json!({ "field": field, "operator": "equals", "value": lane }))
            }
            _ => Err(wrong()),
        }
    }

    /// What the view says of a choice, where it is a field that fits; `Some(None)` when it says that there is none.
    fn chosen(&self, key: &str, fits: impl Fn(&Field<'a>) -> bool) -> Option<Option<String>> {
        let name = self.state["options"][key].as_str()?;
        if name.is_empty() {
            return Some(None);
        }
        self.fitting(name, fits).map(Some)
    }

    fn fitting(&self, name: &str, fits: impl Fn(&Field<'a>) -> bool) -> Option<String> {
        let known = |(n, field): &(String, Field<'a>)| n == name && fits(field);
        visible(self.actor, self.entity).into_iter().find(known).map(|(name, _)| name)
    }

    fn first(&self, fits: impl Fn(&Field<'a>) -> bool) -> Option<String> {
        visible(self.actor, self.entity).into_iter().find(|(_, field)| fits(field)).map(|(name, _)| name)
    }

    /// When a record is, for a calendar and a timeline; none where nothing says it.
    pub(super) fn times(&self) -> Option<Times> {
        let dated = |field: &Field<'_>| matches!(field.kind(), Kind::Date | Kind::Datetime);
        let meant = |at: usize| {
            let said = &self.entity.meta["views"][self.kind];
            let name = if at == 0 { said.as_str().or(said[0].as_str()) } else { said[at].as_str() };
            self.fitting(name?, dated)
        };
        let (start, end, recurrence) = match self.kind {
            "calendar" => (
                self.chosen("date", dated).flatten().or_else(|| meant(0)).or_else(|| self.first(dated))?,
                self.chosen("end", dated).flatten(),
                self.chosen("recurrence", |f| f.kind() == Kind::Recurrence)
                    .unwrap_or_else(|| self.first(|f| f.kind() == Kind::Recurrence)),
            ),
            "timeline" => {
                let own =
                    |field: &Field<'_>| dated(field) && !matches!(field, Field::Column(c) if c.is_system());
                (
                    self.chosen("start", own).flatten().or_else(|| meant(0)).or_else(|| self.first(own))?,
                    self.chosen("end", own).unwrap_or_else(|| meant(1)),
                    None,
                )
            }
            _ => return None,
        };
        let coloured = |field: &Field<'_>| match field {
            Field::Column(c) => !c.options.is_empty(),
            Field::Custom(f) => f.choices().next().is_some(),
        };
        let state = || self.fitting(&self.entity.transitions.first()?.field, coloured);
        let colour = self.chosen("colour", coloured).unwrap_or_else(state);
        Some(Times { end: end.filter(|end| *end != start), start, recurrence, colour })
    }

    /// `{start, end, colour}` of a calendar and a timeline, as fields.
    pub(super) fn time(&self, detail: &Value) -> Option<Value> {
        let times = self.times()?;
        let field = |name: &String| {
            let mut said = described(detail["fields"].as_array()?.iter().find(|f| f["name"] == *name)?);
            if detail["states"]["field"] == *name {
                said["options"] = detail["states"]["options"].clone();
            }
            Some(said)
        };
        let (end, colour) = (times.end.as_ref().and_then(field), times.colour.as_ref().and_then(field));
        Some(json!({ "start": field(&times.start)?, "end": end, "colour": colour }))
    }

    /// The question for what lies between two days, the last one not among them.
    pub(super) fn within(&self, (from, to): (Date, Date)) -> Result<Occurs> {
        let wrong = || Error::malformed_at("from", "There are no days in this view.");
        let times = self.times().ok_or_else(wrong)?;
        let mut asked = json!({ "start": times.start, "from": from, "to": to });
        for (key, name) in [("end", times.end), ("recurrence", times.recurrence)] {
            if let Some(name) = name {
                asked[key] = json!(name);
            }
        }
        Occurs::parse(asked)
    }

    /// A timeline goes down as its view says, a calendar as time goes.
    pub(super) fn sort_in_time(&self) -> Vec<String> {
        let sort = if self.kind == "timeline" { self.sort() } else { Vec::new() };
        match self.times() {
            Some(times) if sort.is_empty() => vec![times.start, "id".into()],
            _ => sort,
        }
    }

    /// `[before, after]`: when the last record before these days begins, and the first one after.
    pub(super) async fn nearest(&self, (from, to): (Date, Date)) -> Result<Value> {
        let start = self.times().map(|times| times.start).ok_or(Error::NotFound)?;
        let mut near = Vec::new();
        for (operator, day, sign) in [("less_than", from, "-"), ("greater_or_equal", to, "")] {
            let there = json!({ "field": start, "operator": operator, "value": day });
            let sort = vec![format!("{sign}{start}")];
            let page = self.page(0, 1, Some(there), None, sort, vec![start.clone()]).await?;
            near.push(page["data"][0][&start].clone());
        }
        Ok(near.into())
    }

    /// The field of a gallery that its pictures are in.
    pub(super) fn cover(&self) -> Option<String> {
        let files = |field: &Field<'_>| field.kind() == Kind::File;
        let meant =
            || self.entity.meta["views"]["gallery"].as_str().and_then(|name| self.fitting(name, files));
        (self.kind == "gallery").then_some(())?;
        self.chosen("cover", files).unwrap_or_else(|| meant().or_else(|| self.first(files)))
    }

    /// Whether the gallery shows this picture, on this record.
    ///
    /// # Errors
    /// NotFound where it does not.
    pub async fn picture(&self, record: Uuid, picture: Uuid) -> Result<()> {
        let cover = self.cover().ok_or(Error::NotFound)?;
        let this = json!({ "field": "id", "operator": "equals", "value": record });
        let page = self.page(0, 1, Some(this), None, Vec::new(), vec![cover.clone()]).await?;
        let shown = page["data"].as_array().and_then(|rows| picture_in(&rows.first()?[&cover]));
        if shown == Some(json!(picture)) { Ok(()) } else { Err(Error::NotFound) }
    }
}

/// The first picture among files: a file need not be one.
pub(super) fn picture_in(files: &Value) -> Option<Value> {
    let is_picture = |f: &&Value| f["type"].as_str().is_some_and(|t| t.starts_with("image/"));
    files.as_array()?.iter().find(is_picture).map(|f| f["id"].clone())
}
