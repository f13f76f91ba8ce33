//! A company's own fields that are kept nowhere: each is one expression over its record, written into whatever statement
//! reads it. What lies on other records is read by subqueries, so that their row security holds: what a person may not see
//! is empty, and a field that rests on a field or an entity that he may not see is not there for him.

use crate::{
    formula,
    plan::{Plan, malformed},
    query::{Query, list},
    value::array,
};
use conditions::{Condition, Param};
use kernel::{Actor, CustomField, Entity, Error, Fault, Kind, Overlay, Result, Store};
use serde_json::Value;
use std::sync::Arc;

/// Stands in an expression where the alias of the record comes; no text that anybody sends has it.
pub(crate) const OUTER: &str = "\0";
/// Computed fields that rest on each other.
const DEPTH: usize = 8;
/// Characters of the SQL of one.
const MOST_SQL: usize = 50_000;

/// A computed field that is being written: of which entity, and which.
pub(crate) type Step = (String, String);

/// The alias of what is read inside the last of these; each has its own, for they lie inside each other.
pub(crate) fn alias(trail: &[Step]) -> String {
    format!("c{}", trail.len())
}

/// What a computed field is.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    sql: String,
    pub(crate) kind: Kind,
    /// The field of which entity it shows as it is: choices and stars are that field's.
    pub(crate) shows: Option<(String, String)>,
}

impl Computed {
    pub(crate) fn sql(&self, alias: &str) -> String {
        self.sql.replace(OUTER, alias)
    }
}

/// # Errors
/// Forbidden where it rests on what the person may not see; Malformed where it makes no sense, or goes round in a circle.
pub(crate) fn of(actor: &Actor, entity: &Entity, field: &CustomField, trail: &[Step]) -> Result<Computed> {
    let step = (entity.name.clone(), field.name.clone());
    if trail.contains(&step) {
        let names: Vec<String> = trail.iter().chain([&step]).map(|(_, name)| format!("cf.{name}")).collect();
        return Err(Error::malformed(format!("This goes round in a circle: {}.", names.join(" → "))));
    }
    if trail.len() == DEPTH {
        return Err(Error::malformed(format!("At most {DEPTH} computed fields rest on each other.")));
    }
    let trail: Vec<Step> = trail.iter().cloned().chain([step]).collect();
    let made = match field.look.as_str() {
        "lookup" => looked_up(actor, entity, text(field, "path")?, &trail).map_err(at("path")),
        "rollup" | "count" => rolled_up(actor, entity, field, &trail),
        "formula" => calculated(actor, entity, field, &trail),
        "createdby" => looked_up(actor, entity, "created_by", &trail),
        _ => looked_up(actor, entity, "updated_by", &trail),
    }?;
    if made.sql.len() > MOST_SQL {
        return Err(Error::malformed("This is too large. Make it of fewer computed fields."));
    }
    Ok(made)
}

fn text<'a>(field: &'a CustomField, key: &str) -> Result<&'a str> {
    let said = field.settings[key].as_str().filter(|text| !text.is_empty());
    said.ok_or_else(|| Error::malformed_at(key, "This is required."))
}

/// A mistake belongs to the setting that it is in.
fn at(key: &'static str) -> impl Fn(Error) -> Error {
    move |e| match e {
        Error::Malformed(faults) => Error::malformed_at(key, message(&faults)),
        e => e,
    }
}

fn message(faults: &[Fault]) -> String {
    faults.first().map_or_else(String::new, |fault| fault.message.clone())
}

fn outside<'a>(actor: &'a Actor, entity: &'a Entity, trail: &[Step]) -> Result<Plan<'a>> {
    let mut plan = Plan::new(&actor.catalog, actor, entity)?;
    (plan.root, plan.trail) = (OUTER.to_owned(), trail.to_vec());
    Ok(plan)
}

/// Of money whose currency stands beside it, elsewhere, only the number can be said.
fn said(kind: Kind, of: &Entity, here: &Entity) -> Kind {
    if kind == Kind::Money && of.name != here.name && of.column("currency").is_some() {
        return Kind::Number;
    }
    kind
}

/// A field of the record, or of one that it leads to.
fn looked_up(actor: &Actor, entity: &Entity, path: &str, trail: &[Step]) -> Result<Computed> {
    let mut plan = outside(actor, entity, trail)?;
    let (alias, field) = plan.field(path)?;
    let of = plan.entity_at(&alias);
    if field.kind() == Kind::Button {
        return Err(Error::malformed(format!("{path} holds nothing.")));
    }
    if let Some(to) = field.target().filter(|_| !matches!(path, "created_by" | "updated_by")) {
        // Another record is said by what it is called.
        let way = plan.way(&alias);
        let way = if way.is_empty() { String::new() } else { format!("{way}.") };
        let title = actor.catalog.entity(to)?.title();
        return looked_up(actor, entity, &format!("{way}{}.{title}", field.relation_name()), trail);
    }
    let kind = said(field.kind(), of, entity);
    let shows = match &field {
        crate::plan::Field::Custom(own) => {
            own.computed.as_ref().map_or(Some((of.name.clone(), field.name())), |c| c.shows.clone())
        }
        crate::plan::Field::Column(_) => Some((of.name.clone(), field.name())),
    };
    let sql = field.sql(&alias);
    let sql = match plan.alone() {
        Some(rows) => format!("(select {sql} from {rows})"),
        None => sql,
    };
    Ok(Computed { sql, kind, shows })
}

/// A figure of the rows that belong to the record, or lead to it.
fn rolled_up(actor: &Actor, entity: &Entity, field: &CustomField, trail: &[Step]) -> Result<Computed> {
    let outer = outside(actor, entity, trail)?;
    let (mut rows, rest) = outer.belong(text(field, "of")?, alias(trail)).map_err(at("of"))?;
    if !rest.is_empty() {
        return Err(Error::malformed_at("of", format!("There is no {rest} among them.")));
    }
    let (figure, kind) = if field.look == "count" {
        ("count(*)::numeric".to_owned(), Kind::Integer)
    } else {
        let path = text(field, "field")?;
        let (alias, of) = rows.plan.field(path).map_err(at("field"))?;
        let kind = said(of.kind(), rows.plan.entity_at(&alias), entity);
        figure(text(field, "function")?, &of.sql(&alias), kind)
            .ok_or_else(|| Error::malformed_at("function", format!("There is no such figure of {path}.")))?
    };
    let asked = match &field.settings["filter"] {
        Value::Null => String::new(),
        filter => {
            let condition = Condition::parse(filter).map_err(|p| at("filter")(malformed(&p)))?;
            rows.asked(&condition).map_err(at("filter"))?
        }
    };
    Ok(Computed { sql: format!("(select {figure} from {}{asked})", rows.rows()), kind, shows: None })
}

fn figure(function: &str, sql: &str, kind: Kind) -> Option<(String, Kind)> {
    let whole = |kind| if matches!(kind, Kind::Integer | Kind::Rating) { Kind::Number } else { kind };
    Some(match function {
        "sum" if kind.is_number() => (format!("coalesce(sum({sql}), 0)::numeric"), whole(kind)),
        "avg" if kind.is_number() => (format!("round(avg({sql}), 6)::numeric"), whole(kind)),
        "min" | "max" if kind.is_number() => (format!("{function}({sql})::numeric"), whole(kind)),
        "min" | "max" if matches!(kind, Kind::Date | Kind::Datetime) => (format!("{function}({sql})"), kind),
        "count_distinct" => (format!("count(distinct {sql})::numeric"), Kind::Integer),
        "concat" if matches!(kind, Kind::Text | Kind::Select | Kind::Email | Kind::Phone | Kind::Barcode) => {
            (format!("left(string_agg(distinct {sql}, ', ' order by {sql}), 2000)"), Kind::Text)
        }
        _ => return None,
    })
}

fn calculated(actor: &Actor, entity: &Entity, field: &CustomField, trail: &[Step]) -> Result<Computed> {
    let mut forbidden = None;
    let mut size = 0;
    let mut named = |path: &str| {
        let found = looked_up(actor, entity, path, trail);
        let found = found.and_then(|found| {
            size += found.sql.len();
            if size > MOST_SQL { Err(Error::malformed("This is too large.")) } else { Ok(found) }
        });
        found.map(|found| (found.sql, found.kind)).map_err(|e| match e {
            Error::Malformed(faults) => message(&faults),
            e => {
                let said = e.to_string();
                forbidden = Some(e);
                said
            }
        })
    };
    let made = formula::compile(text(field, "expression")?, &mut named);
    let (sql, kind) = match (made, forbidden) {
        (_, Some(e)) => return Err(e),
        (Err(mistake), None) => return Err(Error::malformed_at("expression", mistake)),
        (Ok(made), None) => made,
    };
    let kind = match (kind, field.settings["format"].as_str()) {
        (Kind::Number, Some("money")) => Kind::Money,
        (Kind::Number, Some("percent")) => Kind::Percent,
        (kind, _) => kind,
    };
    Ok(Computed { sql, kind, shows: None })
}

/// The condition with its values in it: what is written into any statement can bring none along.
pub(crate) fn inlined(sql: &str, params: Vec<Param>, first: usize) -> String {
    let literals: Vec<String> = params
        .into_iter()
        .map(|param| match param {
            Param::Text(None) => "null".to_owned(),
            Param::Text(Some(t)) => formula::literal(&t),
            Param::Number(t) | Param::Date(t) | Param::Instant(t) | Param::Id(t) => formula::literal(&t),
            Param::Bool(yes) => format!("'{yes}'"),
            Param::List(list) => formula::literal(&array(&list)),
        })
        .collect();
    let mut pieces = sql.split('$');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let n = piece[..digits].parse::<usize>().ok().and_then(|n| n.checked_sub(first));
        match n.and_then(|n| literals.get(n)) {
            Some(literal) => out.push_str(literal),
            // `$1`, the organization, is the same everywhere.
            None => out.extend(["$", &piece[..digits]]),
        }
        out.push_str(&piece[digits..]);
    }
    out
}

/// What comes out of a computed field as it is about to be: its type.
///
/// # Errors
/// Malformed, at the setting that is wrong.
pub fn check(actor: &Actor, entity: &Entity, field: &CustomField) -> Result<Kind> {
    let overlay = with(&actor.overlay, &entity.name, &field.name, Some(field.clone()));
    let actor = seeing(actor, overlay);
    of(&actor, entity, field, &[]).map(|made| made.kind)
}

/// The first records with what a computed field would say of them: `[{id, …, result}]`.
///
/// # Errors
/// As [`check`].
pub async fn trial(store: &Store, actor: &Actor, entity: &Entity, field: &CustomField) -> Result<Value> {
    let overlay = with(&actor.overlay, &entity.name, &field.name, Some(field.clone()));
    let actor = Actor { overlay: Arc::new(overlay), ..actor.clone() };
    let name = format!("cf.{}", field.name);
    let query = Query { fields: vec![entity.title().to_owned(), name.clone()], limit: 3, ..Query::default() };
    let mut page: Value = serde_json::from_slice(&list(store, &actor, entity, &query).await?)?;
    for row in page["data"].as_array_mut().into_iter().flatten() {
        row["result"] = row[&name].take();
    }
    Ok(page["data"].take())
}

/// The label of a computed field that would make no sense any more, or something else, if this field were so, or gone.
pub fn resting(actor: &Actor, entity: &Entity, name: &str, field: Option<CustomField>) -> Option<String> {
    let then = seeing(actor, with(&actor.overlay, &entity.name, name, field));
    let now = seeing(actor, Overlay { fields: actor.overlay.fields.clone(), tables: Vec::new() });
    actor.overlay.fields.iter().find_map(|(of_entity, fields)| {
        let on = actor.catalog.entity(of_entity).ok()?;
        let others = fields.iter().filter(|f| f.is_computed() && (on.name != entity.name || f.name != name));
        let mut broken = others.filter(|f| {
            of(&now, on, f, &[])
                .is_ok_and(|was| of(&then, on, f, &[]).map(|made| made.kind).ok() != Some(was.kind))
        });
        broken.next().map(|f| f.label.clone())
    })
}

fn with(overlay: &Overlay, entity: &str, name: &str, field: Option<CustomField>) -> Overlay {
    let mut fields = overlay.fields.clone();
    let of = fields.entry(entity.to_owned()).or_default();
    of.retain(|f| f.name != name);
    of.extend(field);
    Overlay { fields, tables: Vec::new() }
}

/// Somebody who sees everything, with these fields.
fn seeing(actor: &Actor, overlay: Overlay) -> Actor {
    Actor { overlay: Arc::new(overlay), ..crate::approvals::unbound(&actor.catalog, actor) }
}
