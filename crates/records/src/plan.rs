use crate::computed::{self, OUTER};
use conditions::{Condition, Context, FieldRef, Param};
use kernel::{Actor, Catalog, Column, CustomField, Entity, Error, FieldAccess, Kind, Result};
use serde_json::Map;
use std::{borrow::BorrowMut, ops::Deref};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Hops over relations in one path, and levels of `expand`.
pub(crate) const HOPS: usize = 3;

/// What a query reads, under what names; the SQL text comes out of names that the catalog knows and nothing else.
/// `$1` is the organization, and every table in the text is tied to it.
pub(crate) struct Plan<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) actor: &'a Actor,
    pub(crate) entity: &'a Entity,
    /// The alias of its table.
    pub(crate) root: String,
    joins: Vec<Join<'a>>,
    pub(crate) params: Vec<Param>,
    /// A path that the person may not follow: met inside a condition, it must not pass for a mistake in writing.
    pub(crate) forbidden: Option<Error>,
    /// Of a plan inside a computed field: that field, and the computed ones around it.
    pub(crate) trail: Vec<computed::Step>,
}

struct Join<'a> {
    /// `customer`, or `order.customer`; an own relation under its relation's name.
    path: String,
    alias: String,
    entity: &'a Entity,
    on: String,
}

/// A field at the end of a path.
pub(crate) enum Field<'a> {
    Column(&'a Column),
    Custom(Own<'a>),
}

/// A field of the organization's own; of a computed one also what computes it, see [`crate::computed`].
pub(crate) struct Own<'a> {
    pub(crate) field: &'a CustomField,
    pub(crate) computed: Option<computed::Computed>,
}

impl Deref for Own<'_> {
    type Target = CustomField;

    fn deref(&self) -> &CustomField {
        self.field
    }
}

impl<'a> Field<'a> {
    /// Its full name: `total`, `cf.size`.
    pub(crate) fn name(&self) -> String {
        match self {
            Field::Column(c) => c.name.clone(),
            Field::Custom(f) => format!("cf.{}", f.name),
        }
    }

    /// The entity that it leads to.
    pub(crate) fn target(&self) -> Option<&'a str> {
        match self {
            Field::Column(c) => c.target.as_deref().filter(|_| c.kind != Kind::Hidden),
            Field::Custom(f) => f.field.target(),
        }
    }

    /// How its relation is called in `expand`, and in answers.
    pub(crate) fn relation_name(&self) -> String {
        match self {
            Field::Column(c) => c.relation_name(),
            Field::Custom(f) => f.relation_name(),
        }
    }

    /// That it leads to the record of this alias.
    fn leads_to(&self, alias: &str, to: &str) -> String {
        match self {
            Field::Column(c) => format!("{alias}.{} = {to}.id", quoted(&c.name)),
            // Said twice: the index of own fields answers the one for few records, a join of whole tables needs the other.
            Field::Custom(f) => format!(
                "{} = {to}.id and {alias}.custom <> '{{}}' and {alias}.custom @> app.j_link('{}', {to}.id)",
                f.sql(alias),
                f.name
            ),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Field::Column(c) => c.kind,
            Field::Custom(f) => f.computed.as_ref().map_or(f.kind, |c| c.kind),
        }
    }

    pub(crate) fn sql(&self, alias: &str) -> String {
        match self {
            Field::Column(c) => [alias, ".", &quoted(&c.name)].concat(),
            Field::Custom(f) => match &f.computed {
                Some(computed) => computed.sql(alias),
                None => f.sql(alias),
            },
        }
    }

    pub(crate) fn not_null(&self) -> bool {
        matches!(self, Field::Column(c) if c.not_null)
    }
}

impl<'a> Plan<'a> {
    /// # Errors
    /// Forbidden, when the person may read nothing of the entity.
    pub(crate) fn new(catalog: &'a Catalog, actor: &'a Actor, entity: &'a Entity) -> Result<Plan<'a>> {
        if !actor.access.may(entity, "read") {
            return Err(Error::Forbidden(format!("You may not read {}.", plain(entity.short()))));
        }
        Ok(Plan {
            catalog,
            actor,
            entity,
            root: "r".into(),
            joins: Vec::new(),
            params: Vec::new(),
            forbidden: None,
            trail: Vec::new(),
        })
    }

    /// Follows a path to its field: alias of the table, and the field.
    pub(crate) fn field(&mut self, path: &str) -> Result<(String, Field<'a>)> {
        let (hops, name) = split(path);
        let (alias, entity) = self.walk(hops, path)?;
        Ok((alias, field_in(self.actor, entity, &name, &self.trail).map_err(|e| at(e, path))?))
    }

    /// The relations on the way to a table of this plan, as answers name them.
    pub(crate) fn way(&self, alias: &str) -> &str {
        self.joins.iter().find(|j| j.alias == alias).map_or("", |j| &j.path)
    }

    /// Joins what lies on the way of a path of relations.
    pub(crate) fn walk(&mut self, hops: &str, whole: &str) -> Result<(String, &'a Entity)> {
        let (mut alias, mut entity) = (self.root.clone(), self.entity);
        let mut walked = String::new();
        for (n, hop) in hops_of(hops).enumerate() {
            if n == HOPS {
                return Err(Error::malformed_at(whole, format!("A path has at most {HOPS} relations.")));
            }
            let link = relation(self.actor, entity, hop).map_err(|e| at(e, whole))?;
            let hop = if hop.starts_with("cf.") { link.relation_name() } else { hop.to_owned() };
            walked = if walked.is_empty() { hop } else { format!("{walked}.{hop}") };
            if let Some(join) = self.joins.iter().find(|j| j.path == walked) {
                (alias, entity) = (join.alias.clone(), join.entity);
                continue;
            }
            let to = self.catalog.entity(link.target().unwrap_or_default())?;
            if !self.actor.access.may(to, "read") {
                return Err(Error::Forbidden(format!("You may not read {}.", plain(to.short()))));
            }
            let prefix = match self.root.as_str() {
                OUTER => computed::alias(&self.trail),
                root => root.trim_start_matches('r').to_owned(),
            };
            let next = format!("{prefix}j{}", self.joins.len() + 1);
            let on = format!("{next}.organization_id = $1 and {next}.id = {}", link.sql(&alias));
            self.joins.push(Join { path: walked.clone(), alias: next.clone(), entity: to, on });
            (alias, entity) = (next, to);
        }
        Ok((alias, entity))
    }

    pub(crate) fn from(&self) -> String {
        self.around(&self.entity.rows())
    }

    pub(crate) fn joins(&self) -> usize {
        self.joins.len()
    }

    /// The joins around `rows` in place of the entity's table.
    pub(crate) fn around(&self, rows: &str) -> String {
        format!("from {rows} {}{}", self.root, self.joined())
    }

    fn joined(&self) -> String {
        let join = |j: &Join<'_>| format!(" left join {} {} on {}", j.entity.rows(), j.alias, j.on);
        self.joins.iter().map(join).collect()
    }

    pub(crate) fn entity_at(&self, alias: &str) -> &'a Entity {
        self.joins.iter().find(|j| j.alias == alias).map_or(self.entity, |j| j.entity)
    }

    /// What is joined, as rows of their own: for one path from a record that stands outside.
    pub(crate) fn alone(mut self) -> Option<String> {
        let first = (!self.joins.is_empty()).then(|| self.joins.remove(0))?;
        Some(format!("{} {}{} where {}", first.entity.rows(), first.alias, self.joined(), first.on))
    }

    /// What a path names of the rows that belong to a record, by which of their fields, and what is left of the path:
    /// `lines.price`, or for what only points here `sales.orders.customer_id.total`, without the field where there is
    /// but one.
    fn belonging<'p>(&self, path: &'p str) -> Option<(&'a Entity, Field<'a>, &'p str)> {
        let cut = |path: &'p str| path.split_once('.').unwrap_or((path, ""));
        let (first, rest) = cut(path);
        if let Some(part) = self.entity.parts.iter().find(|p| p.name == first) {
            let entity = self.catalog.entity(&part.entity).ok()?;
            return Some((entity, Field::Column(entity.column(&part.fk)?), rest));
        }
        let (second, rest) = cut(rest);
        let entity = self.catalog.entity(&format!("{first}.{second}")).ok()?;
        let mut pointing: Vec<Field<'a>> = relations(self.actor, entity)
            .filter(|link| link.target() == Some(self.entity.name.as_str()))
            .collect();
        let named = hops_of(rest).next().unwrap_or_default();
        match pointing.iter().position(|link| link.name() == named || link.relation_name() == named) {
            Some(at) => Some((entity, pointing.swap_remove(at), rest[named.len()..].trim_start_matches('.'))),
            None => pointing.pop().filter(|_| pointing.is_empty()).map(|one| (entity, one, rest)),
        }
    }

    /// As [`Plan::belonging`], with a plan of those rows; `root` is their alias.
    pub(crate) fn belong<'p>(&self, path: &'p str, root: String) -> Result<(Belonging<'a>, &'p str)> {
        let Some((entity, link, rest)) = self.belonging(path) else {
            let parts: Vec<&str> = self.entity.parts.iter().map(|p| p.name.as_str()).collect();
            let known =
                if parts.is_empty() { String::new() } else { format!(" There are: {}.", parts.join(", ")) };
            return Err(Error::malformed(format!(
                "{path} names nothing that belongs to {}.{known}",
                plain(self.entity.short())
            )));
        };
        let mut plan = Plan::new(self.catalog, self.actor, entity)?;
        let link = relation(self.actor, entity, &link.name())?;
        let tie = link.leads_to(&root, &self.root);
        (plan.root, plan.trail) = (root, self.trail.clone());
        Ok((Belonging { plan, tie }, rest))
    }

    /// Remembers a value and gives its placeholder.
    pub(crate) fn text(&mut self, value: String) -> String {
        self.params.push(Param::Text(Some(value)));
        format!("${}::text", self.params.len() + 1)
    }

    /// Who asks, when.
    pub(crate) fn context(&self) -> Context {
        Context {
            user: self.actor.user.to_string(),
            roles: self.actor.access.roles.clone(),
            departments: None,
            now: jiff::Timestamp::now(),
            zone: self.actor.zone.clone(),
        }
    }

    /// The SQL of a condition; empty when it asks nothing.
    pub(crate) fn condition(&mut self, condition: &Condition) -> Result<String> {
        if condition.is_empty() {
            return Ok(String::new());
        }
        let context = self.context();
        let checked = match condition.check(self, &context) {
            Ok(checked) => checked,
            Err(problems) => return Err(self.forbidden.take().unwrap_or_else(|| malformed(&problems))),
        };
        let mut params = std::mem::take(&mut self.params);
        let mut sql = checked.sql(&mut params, 2);
        self.params = params;
        let wanted: Map<_, _> = checked
            .fixed()
            .into_iter()
            .filter_map(|(path, value)| Some((path.strip_prefix("cf.")?, value)))
            .filter(|(own, _)| {
                let field = self.actor.overlay.field(&self.entity.name, own);
                field.is_some_and(|f| !f.is_computed())
            })
            .map(|(own, value)| (own.to_owned(), value))
            .collect();
        if !wanted.is_empty() {
            // Nothing new is asked, but this can be looked up in the index of `custom`.
            let wanted = self.text(serde_json::Value::Object(wanted).to_string());
            sql = format!("({sql}) and r.custom <> '{{}}' and r.custom @> {wanted}::jsonb");
        }
        Ok(sql)
    }
}

/// Says why not, and remembers when it was for want of a right.
fn refused(forbidden: &mut Option<Error>, e: Error) -> String {
    let said = e.to_string();
    if matches!(e, Error::Forbidden(_)) {
        *forbidden = Some(e);
    }
    said
}

impl conditions::Schema for Plan<'_> {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        let (alias, field) = self.field(path).map_err(|e| refused(&mut self.forbidden, e))?;
        if field.kind() == Kind::Button {
            return Err(format!("{path} holds nothing."));
        }
        let sql = field.sql(&alias);
        Ok(FieldRef { kind: condition_kind(&field), sql })
    }

    fn part(&mut self, path: &str) -> Result<(Box<dyn conditions::Part + '_>, String), String> {
        let made = self.belong(path, format!("{}q", self.root));
        let (rows, rest) = made.map_err(|e| refused(&mut self.forbidden, e))?;
        Ok((Box::new(Within { rows, forbidden: &mut self.forbidden }), rest.to_owned()))
    }
}

/// The rows that belong to a record.
pub(crate) struct Belonging<'a> {
    pub(crate) plan: Plan<'a>,
    tie: String,
}

impl Belonging<'_> {
    /// What a condition asks of them, to follow [`Belonging::rows`], with its values in it.
    pub(crate) fn asked(&mut self, condition: &Condition) -> Result<String> {
        if condition.is_empty() {
            return Ok(String::new());
        }
        let (context, mut forbidden, mut params) = (self.plan.context(), None, Vec::new());
        let checked = condition.check(&mut Within { rows: self, forbidden: &mut forbidden }, &context);
        let checked = checked.map_err(|problems| forbidden.unwrap_or_else(|| malformed(&problems)))?;
        let sql = checked.sql(&mut params, 2);
        Ok(format!(" and coalesce(({}), false)", computed::inlined(&sql, params, 2)))
    }

    /// Without those that were deleted.
    pub(crate) fn rows(&self) -> String {
        let Plan { entity, root, .. } = &self.plan;
        let there = if entity.column("deleted_at").is_some() {
            format!(" and {root}.deleted_at is null")
        } else {
            String::new()
        };
        format!(
            "{} {root}{} where {root}.organization_id = $1 and {}{there}",
            entity.rows(),
            self.plan.joined(),
            self.tie
        )
    }
}

/// These, inside a condition about the record.
struct Within<'p, R> {
    rows: R,
    forbidden: &'p mut Option<Error>,
}

impl<'a, R: BorrowMut<Belonging<'a>>> conditions::Schema for Within<'_, R> {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        let plan = &mut self.rows.borrow_mut().plan;
        let found = plan.resolve(path);
        *self.forbidden = self.forbidden.take().or(plan.forbidden.take());
        found
    }

    fn part(&mut self, _: &str) -> Result<(Box<dyn conditions::Part + '_>, String), String> {
        Err("What is asked of lines cannot ask of lines of theirs.".into())
    }
}

impl<'a, R: BorrowMut<Belonging<'a>>> conditions::Part for Within<'_, R> {
    fn rows(&self) -> String {
        self.rows.borrow().rows()
    }
}

/// The relations on the way, and the field at the end: `customer.cf.size` is `cf.size` of the `customer`.
pub(crate) fn split(path: &str) -> (&str, String) {
    match path.rsplit_once('.') {
        Some((before, name)) if before == "cf" || before.ends_with(".cf") => {
            (before.strip_suffix("cf").unwrap_or(before).trim_end_matches('.'), format!("cf.{name}"))
        }
        Some((hops, name)) => (hops, name.to_owned()),
        None => ("", path.to_owned()),
    }
}

/// The relations of a path, one by one: `cf.venue` is one.
pub(crate) fn hops_of(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        let begin = if rest.starts_with("cf.") { 3 } else { 0 };
        let end = rest[begin..].find('.').map_or(rest.len(), |dot| begin + dot);
        let hop = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(hop).filter(|hop| !hop.is_empty())
    })
}

pub(crate) fn malformed(problems: &[conditions::Problem]) -> Error {
    let fault = |p: &conditions::Problem| kernel::Fault {
        field: Some(format!("filter{}", p.pointer)),
        message: p.message.clone(),
    };
    Error::Malformed(problems.iter().map(fault).collect())
}

fn condition_kind(field: &Field<'_>) -> conditions::Kind {
    match field.kind() {
        k if k.is_number() => conditions::Kind::Number,
        Kind::Date => conditions::Kind::Date,
        Kind::Datetime => conditions::Kind::Instant,
        Kind::Boolean => conditions::Kind::Bool,
        Kind::Relation | Kind::User | Kind::Uuid => conditions::Kind::Id,
        Kind::Tags | Kind::Multiselect | Kind::Users => conditions::Kind::TextList,
        Kind::Json | Kind::Location | Kind::Signature | Kind::File | Kind::Address | Kind::Hidden => {
            conditions::Kind::Json
        }
        _ => conditions::Kind::Text,
    }
}

pub(crate) fn visible<'a>(actor: &'a Actor, entity: &'a Entity) -> Vec<(String, Field<'a>)> {
    let columns = entity
        .columns
        .iter()
        .filter(|c| c.kind != Kind::Hidden)
        .filter(|c| actor.access.field(&entity.name, &c.name) > FieldAccess::None)
        .map(|c| (c.name.clone(), Field::Column(c)));
    let custom = actor
        .overlay
        .of(&entity.name)
        .iter()
        .filter(|f| actor.access.field(&entity.name, &format!("cf.{}", f.name)) > FieldAccess::None)
        // A computed one whose source is not for this person is not either.
        .filter_map(|f| Some((format!("cf.{}", f.name), Field::Custom(own(actor, entity, f, &[]).ok()?))));
    columns.chain(custom).collect()
}

fn own<'a>(
    actor: &'a Actor,
    entity: &'a Entity,
    field: &'a CustomField,
    trail: &[computed::Step],
) -> Result<Own<'a>> {
    let computed = if field.is_computed() { Some(computed::of(actor, entity, field, trail)?) } else { None };
    Ok(Own { field, computed })
}

pub(crate) fn field_of<'a>(actor: &'a Actor, entity: &'a Entity, name: &str) -> Result<Field<'a>> {
    field_in(actor, entity, name, &[])
}

/// As [`field_of`], inside the computed fields of the trail.
fn field_in<'a>(
    actor: &'a Actor,
    entity: &'a Entity,
    name: &str,
    trail: &[computed::Step],
) -> Result<Field<'a>> {
    let unknown = || Error::malformed_at(name, format!("There is no field {name}."));
    let hidden = || Error::Forbidden(format!("You may not see the field {name}."));
    if let Some(key) = name.strip_prefix("cf.") {
        let field = actor.overlay.field(&entity.name, key).or_else(|| {
            // Or an own relation by its relation's name.
            actor.overlay.field(&entity.name, key.strip_suffix("_record")?).filter(|f| f.target().is_some())
        });
        let field = field.ok_or_else(unknown)?;
        if actor.access.field(&entity.name, &format!("cf.{}", field.name)) == FieldAccess::None {
            return Err(hidden());
        }
        return own(actor, entity, field, trail).map(Field::Custom).map_err(|e| match e {
            Error::Forbidden(_) => hidden(),
            e => e,
        });
    }
    // A relation may be named without its `_id`.
    let column = entity.column(name).filter(|c| c.kind != Kind::Hidden);
    let column = column.or_else(|| entity.relation(name)).ok_or_else(unknown)?;
    if actor.access.field(&entity.name, &column.name) == FieldAccess::None {
        return Err(hidden());
    }
    Ok(Field::Column(column))
}

/// The fields by which a record leads to others.
fn relations<'a>(actor: &'a Actor, entity: &'a Entity) -> impl Iterator<Item = Field<'a>> {
    let own = actor.overlay.of(&entity.name).iter();
    let own = own.map(|field| Field::Custom(Own { field, computed: None }));
    entity.columns.iter().map(Field::Column).chain(own).filter(|link| link.target().is_some())
}

pub(crate) fn relation<'a>(actor: &'a Actor, entity: &'a Entity, name: &str) -> Result<Field<'a>> {
    let link = relations(actor, entity)
        .find(|link| link.name() == name || link.relation_name() == name)
        .ok_or_else(|| Error::malformed_at(name, format!("There is no relation {name}.")))?;
    if actor.access.field(&entity.name, &link.name()) == FieldAccess::None {
        return Err(Error::Forbidden(format!("You may not see the field {name}.")));
    }
    Ok(link)
}

fn at(error: Error, path: &str) -> Error {
    match error {
        Error::Malformed(mut faults) => {
            faults.iter_mut().for_each(|f| f.field = Some(path.to_owned()));
            Error::Malformed(faults)
        }
        other => other,
    }
}

/// `order_lines` as people say it.
pub(crate) fn plain(name: &str) -> String {
    name.replace('_', " ")
}

pub(crate) fn quoted(name: &str) -> String {
    if name.contains('"') {
        return format!("\"{}\"", name.replace('"', "\"\""));
    }
    ["\"", name, "\""].concat()
}

/// The parameters as the driver wants them: `$1` the organization, the rest text that the statement casts.
pub(crate) struct Bound {
    organization: Uuid,
    values: Vec<Value>,
}

enum Value {
    Text(Option<String>),
    List(Vec<String>),
}

impl Bound {
    pub(crate) fn new(actor: &Actor, params: Vec<Param>) -> Bound {
        let values = params
            .into_iter()
            .map(|p| match p {
                Param::Text(text) => Value::Text(text),
                Param::Number(t) | Param::Date(t) | Param::Instant(t) | Param::Id(t) => Value::Text(Some(t)),
                Param::Bool(b) => Value::Text(Some(b.to_string())),
                Param::List(list) => Value::List(list),
            })
            .collect();
        Bound { organization: actor.organization, values }
    }

    pub(crate) fn values(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&self.organization];
        for value in &self.values {
            values.push(match value {
                Value::Text(text) => text,
                Value::List(list) => list,
            });
        }
        values
    }
}
