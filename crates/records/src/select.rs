use crate::plan::{HOPS, Plan, hops_of, visible};
use kernel::{Entity, Error, Kind, Part, Result, write_json};
use serde_json::Value;
use std::collections::HashMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// What a query answers: columns of the row, objects of its relations, lists of its parts.
pub(crate) struct Select<'a> {
    columns: Vec<String>,
    shape: Shape,
    pub(crate) parts: Vec<(&'a Part, Vec<String>)>,
}

/// The way from columns to one JSON object.
#[derive(Default)]
struct Shape {
    /// The column that says whether there is anything here at all.
    id: usize,
    values: Vec<(String, usize, Kind)>,
    objects: Vec<(String, Shape)>,
}

impl<'a> Select<'a> {
    /// `fields` and `expand` as in the query string; without fields, all that the person may see.
    pub(crate) fn new(plan: &mut Plan<'a>, fields: &[String], expand: &[String]) -> Result<Select<'a>> {
        let mut select = Select { columns: Vec::new(), shape: Shape::default(), parts: Vec::new() };
        let entity = plan.entity;
        let root = select.add("r.id".to_owned());
        select.shape.id = root;
        select.shape.values.push(("id".into(), root, Kind::Uuid));
        if fields.is_empty() {
            select.all(plan, entity, "r", "")?;
        } else {
            for path in fields.iter().filter(|f| *f != "id") {
                select.path(plan, path)?;
            }
            if entity.column("version").is_some() && !fields.iter().any(|f| f == "version") {
                select.path(plan, "version")?;
            }
        }
        for path in expand {
            select.expand(plan, path)?;
        }
        Ok(select)
    }

    fn add(&mut self, sql: String) -> usize {
        match self.columns.iter().position(|c| *c == sql) {
            Some(at) => at,
            None => {
                self.columns.push(sql);
                self.columns.len() - 1
            }
        }
    }

    fn all(&mut self, plan: &Plan<'a>, entity: &'a Entity, alias: &str, path: &str) -> Result<()> {
        for (name, field) in visible(plan.actor, entity) {
            if name == "id" || name == "deleted_at" && !path.is_empty() {
                continue;
            }
            let at = self.add(field.sql(alias));
            self.shape.at(path).values.push((name, at, field.kind()));
        }
        Ok(())
    }

    fn path(&mut self, plan: &mut Plan<'a>, path: &str) -> Result<()> {
        let (alias, field) = plan.field(path)?;
        let at = self.add(field.sql(&alias));
        // A column may be asked for by its relation's name; it is answered under its own.
        let name = field.name();
        let hops = plan.way(&alias);
        if !hops.is_empty() {
            let id = self.add(format!("{alias}.id"));
            let shape = self.shape.at(hops);
            if shape.values.is_empty() {
                shape.id = id;
                shape.values.push(("id".into(), id, Kind::Uuid));
            }
        }
        let shape = self.shape.at(hops);
        if !shape.values.iter().any(|(n, ..)| *n == name) {
            shape.values.push((name, at, field.kind()));
        }
        Ok(())
    }

    fn expand(&mut self, plan: &mut Plan<'a>, path: &str) -> Result<()> {
        let first = path.split('.').next().unwrap_or_default();
        if let Some(part) = plan.entity.part(first) {
            let deeper = path.strip_prefix(first).and_then(|p| p.strip_prefix('.'));
            match self.parts.iter_mut().find(|(p, _)| p.name == part.name) {
                Some((_, paths)) => paths.extend(deeper.map(str::to_owned)),
                None => self.parts.push((part, deeper.map(str::to_owned).into_iter().collect())),
            }
            return Ok(());
        }
        let (alias, entity) = plan.walk(path, "expand")?;
        if hops_of(path).count() > HOPS {
            return Err(Error::malformed_at("expand", format!("At most {HOPS} levels.")));
        }
        let id = self.add(format!("{alias}.id"));
        let path = plan.way(&alias).to_owned();
        let shape = self.shape.at(&path);
        shape.id = id;
        shape.values = vec![("id".into(), id, Kind::Uuid)];
        self.all(plan, entity, &alias, &path)
    }

    /// Adds a column that is read but not answered.
    pub(crate) fn extra(&mut self, sql: String) -> usize {
        self.columns.push(sql);
        self.columns.len() - 1
    }

    pub(crate) fn sql(&self) -> String {
        self.columns.join(", ")
    }

    /// Writes one row, `parts` being its lists already written.
    pub(crate) fn write(&self, out: &mut Vec<u8>, row: &Row, tail: &[(&str, &[u8])]) {
        out.push(b'{');
        self.shape.write(out, row);
        for (name, json) in tail {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(json);
        }
        out.push(b'}');
    }

    /// What a spreadsheet has of it: a heading and a column for every value of the row itself and of its relations.
    pub(crate) fn flat(&self) -> Vec<(String, usize, Kind)> {
        let mut flat = Vec::new();
        self.shape.flat("", &mut flat);
        flat
    }
}

impl Shape {
    /// The object at a path of relations, made on the way.
    fn at(&mut self, path: &str) -> &mut Shape {
        let mut shape = self;
        for hop in hops_of(path) {
            let n = match shape.objects.iter().position(|(name, _)| name == hop) {
                Some(n) => n,
                None => {
                    shape.objects.push((hop.to_owned(), Shape::default()));
                    shape.objects.len() - 1
                }
            };
            shape = &mut shape.objects[n].1;
        }
        shape
    }

    fn write(&self, out: &mut Vec<u8>, row: &Row) {
        let mut first = true;
        let mut key = |out: &mut Vec<u8>, name: &str| {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
        };
        for (name, at, kind) in &self.values {
            key(out, name);
            write_json(out, row, *at, *kind);
        }
        for (name, shape) in &self.objects {
            key(out, name);
            if !shape.values.is_empty() && row.get::<_, Option<Uuid>>(shape.id).is_none() {
                out.extend_from_slice(b"null");
                continue;
            }
            out.push(b'{');
            shape.write(out, row);
            out.push(b'}');
        }
    }

    fn flat(&self, path: &str, into: &mut Vec<(String, usize, Kind)>) {
        let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        into.extend(self.values.iter().map(|(name, at, kind)| (under(name), *at, *kind)));
        for (name, shape) in &self.objects {
            shape.flat(&under(name), into);
        }
    }
}

/// Rows of a part, grouped by the record they belong to and written as JSON lists.
pub(crate) fn group(select: &Select<'_>, owner: usize, rows: &[Row]) -> HashMap<Uuid, Vec<u8>> {
    let mut lists: HashMap<Uuid, Vec<u8>> = HashMap::new();
    for row in rows {
        let list = lists.entry(row.get(owner)).or_default();
        list.push(if list.is_empty() { b'[' } else { b',' });
        select.write(list, row, &[]);
    }
    lists.values_mut().for_each(|list| list.push(b']'));
    lists
}

/// What this person may do with this record now, in the order of the workflow.
pub(crate) fn actions_of(
    plan: &Plan<'_>,
    modules: &'static [&'static kernel::Module],
    state: Option<&str>,
    owner: Option<Uuid>,
    workspace: Option<Uuid>,
    deleted: bool,
) -> Value {
    let (actor, entity) = (plan.actor, plan.entity);
    let may = |action: &str| actor.access.reaches(entity, action, actor.user, owner, workspace);
    let mut names: Vec<&str> = Vec::new();
    if deleted {
        if may("delete") {
            names.push("restore");
        }
    } else {
        let moves = entity.transitions.iter().filter(|t| Some(t.source.as_str()) == state);
        let moves = moves.map(|t| t.action.as_str()).filter(|a| *a != "auto" && may(a));
        let own = kernel::actions(modules, &entity.name)
            .filter(|a| from_states(entity, a.action).is_none_or(|s| state.is_some_and(|x| s.contains(&x))))
            .map(|a| a.action)
            .filter(|a| may(a));
        for action in moves.chain(own) {
            if !names.contains(&action) {
                names.push(action);
            }
        }
        names.extend(["update", "delete"].into_iter().filter(|a| may(a)));
    }
    names.into()
}

/// The states in which a module's action makes sense, where module.toml says so.
pub(crate) fn from_states<'a>(entity: &'a Entity, action: &str) -> Option<Vec<&'a str>> {
    let from = entity.meta["actions"][action]["from"].as_array()?;
    Some(from.iter().filter_map(Value::as_str).collect())
}
