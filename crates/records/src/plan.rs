use conditions::{Condition, Context, FieldRef, Param};
use kernel::{Actor, Catalog, Column, CustomField, Entity, Error, FieldAccess, Kind, Result};
use serde_json::Map;
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
    root: String,
    joins: Vec<Join<'a>>,
    pub(crate) params: Vec<Param>,
    /// A path that the person may not follow: met inside a condition, it must not pass for a mistake in writing.
    pub(crate) forbidden: Option<Error>,
}

struct Join<'a> {
    /// `customer`, or `order.customer`.
    path: String,
    alias: String,
    entity: &'a Entity,
    on: String,
}

/// A field at the end of a path.
pub(crate) enum Field<'a> {
    Column(&'a Column),
    Custom(&'a CustomField),
}

impl Field<'_> {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Field::Column(c) => c.kind,
            Field::Custom(f) => f.kind,
        }
    }

    pub(crate) fn sql(&self, alias: &str) -> String {
        match self {
            Field::Column(c) => [alias, ".", &quoted(&c.name)].concat(),
            Field::Custom(f) => f.sql(alias),
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
        })
    }

    /// Follows a path to its field: alias of the table, and the field.
    pub(crate) fn field(&mut self, path: &str) -> Result<(String, Field<'a>)> {
        let (hops, name) = split(path);
        let (alias, entity) = self.walk(hops, path)?;
        Ok((alias, field_of(self.actor, entity, &name).map_err(|e| at(e, path))?))
    }

    /// Joins what lies on the way of a path of relations.
    pub(crate) fn walk(&mut self, hops: &str, whole: &str) -> Result<(String, &'a Entity)> {
        let (mut alias, mut entity) = (self.root.clone(), self.entity);
        let mut walked = String::new();
        for (n, hop) in hops.split('.').filter(|h| !h.is_empty()).enumerate() {
            if n == HOPS {
                return Err(Error::malformed_at(whole, format!("A path has at most {HOPS} relations.")));
            }
            walked = if walked.is_empty() { hop.to_owned() } else { format!("{walked}.{hop}") };
            if let Some(join) = self.joins.iter().find(|j| j.path == walked) {
                (alias, entity) = (join.alias.clone(), join.entity);
                continue;
            }
            let column = relation(self.actor, entity, hop).map_err(|e| at(e, whole))?;
            let target = column.target.as_deref().unwrap_or_default();
            let to = self.catalog.entity(target)?;
            if !self.actor.access.may(to, "read") {
                return Err(Error::Forbidden(format!("You may not read {}.", plain(to.short()))));
            }
            let next = format!("{}j{}", self.root.trim_start_matches('r'), self.joins.len() + 1);
            let on = format!(
                "left join {} {next} on {next}.organization_id = $1 and {next}.id = {alias}.{}",
                to.rows(),
                quoted(&column.name)
            );
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
        self.joins.iter().fold(String::new(), |all, join| all + " " + &join.on)
    }

    /// What a path names of the rows that belong to a record, by which of their columns, and what is left of the path:
    /// `lines.price`, or for what only points here `sales.orders.customer_id.total`, without the column where there is
    /// but one.
    fn belonging<'p>(&self, path: &'p str) -> Option<(&'a Entity, &'a str, &'p str)> {
        let cut = |path: &'p str| path.split_once('.').unwrap_or((path, ""));
        let (first, rest) = cut(path);
        if let Some(part) = self.entity.parts.iter().find(|p| p.name == first) {
            return Some((self.catalog.entity(&part.entity).ok()?, &part.fk, rest));
        }
        let (second, rest) = cut(rest);
        let entity = self.catalog.entity(&format!("{first}.{second}")).ok()?;
        let here = |c: &&Column| c.target.as_deref() == Some(&self.entity.name) && c.kind != Kind::Hidden;
        let (column, after) = cut(rest);
        let mut pointing = entity.columns.iter().filter(here);
        match pointing.clone().find(|c| c.name == column || c.relation_name() == column) {
            Some(named) => Some((entity, &named.name, after)),
            None => pointing
                .next()
                .filter(|_| pointing.next().is_none())
                .map(|one| (entity, one.name.as_str(), rest)),
        }
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
            .filter_map(|(path, value)| Some((path.strip_prefix("cf.")?.to_owned(), value)))
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
        let Some((entity, fk, rest)) = self.belonging(path) else {
            let parts: Vec<&str> = self.entity.parts.iter().map(|p| p.name.as_str()).collect();
            let known =
                if parts.is_empty() { String::new() } else { format!(" There are: {}.", parts.join(", ")) };
            return Err(format!(
                "{path} names nothing that belongs to {}.{known}",
                plain(self.entity.short())
            ));
        };
        let made = Plan::new(self.catalog, self.actor, entity).and_then(|plan| {
            relation(self.actor, entity, fk)?;
            Ok(plan)
        });
        let mut plan = made.map_err(|e| refused(&mut self.forbidden, e))?;
        plan.root = format!("{}q", self.root);
        let tie = format!("{}.{} = {}.id", plan.root, quoted(fk), self.root);
        Ok((Box::new(Belonging { plan, tie, forbidden: &mut self.forbidden }), rest.to_owned()))
    }
}

/// The rows that belong to a record, inside a condition about the record.
struct Belonging<'p, 'a> {
    plan: Plan<'a>,
    tie: String,
    forbidden: &'p mut Option<Error>,
}

impl conditions::Schema for Belonging<'_, '_> {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        let found = self.plan.resolve(path);
        *self.forbidden = self.forbidden.take().or(self.plan.forbidden.take());
        found
    }

    fn part(&mut self, _: &str) -> Result<(Box<dyn conditions::Part + '_>, String), String> {
        Err("What is asked of lines cannot ask of lines of theirs.".into())
    }
}

impl conditions::Part for Belonging<'_, '_> {
    fn rows(&self) -> String {
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
        .map(|f| (format!("cf.{}", f.name), Field::Custom(f)))
        .filter(|(name, _)| actor.access.field(&entity.name, name) > FieldAccess::None);
    columns.chain(custom).collect()
}

pub(crate) fn field_of<'a>(actor: &'a Actor, entity: &'a Entity, name: &str) -> Result<Field<'a>> {
    let unknown = || Error::malformed_at(name, format!("There is no field {name}."));
    let field = match name.strip_prefix("cf.") {
        Some(name) => Field::Custom(actor.overlay.field(&entity.name, name).ok_or_else(unknown)?),
        None => {
            // A relation may be named without its `_id`.
            let column = entity.column(name).filter(|c| c.kind != Kind::Hidden);
            Field::Column(column.or_else(|| entity.relation(name)).ok_or_else(unknown)?)
        }
    };
    let known = match &field {
        Field::Column(c) => c.name.as_str(),
        Field::Custom(_) => name,
    };
    if actor.access.field(&entity.name, known) == FieldAccess::None {
        return Err(Error::Forbidden(format!("You may not see the field {name}.")));
    }
    Ok(field)
}

pub(crate) fn relation<'a>(actor: &Actor, entity: &'a Entity, name: &str) -> Result<&'a Column> {
    let column = entity
        .columns
        .iter()
        .filter(|c| c.target.is_some() && c.kind != Kind::Hidden)
        .find(|c| c.name == name || c.relation_name() == name)
        .ok_or_else(|| Error::malformed_at(name, format!("There is no relation {name}.")))?;
    if actor.access.field(&entity.name, &column.name) == FieldAccess::None {
        return Err(Error::Forbidden(format!("You may not see the field {name}.")));
    }
    Ok(column)
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
