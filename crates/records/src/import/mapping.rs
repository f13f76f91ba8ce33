//! Which column of a file goes into which field.

use super::{
    cells::{Dates, Style},
    read,
    sniff::Format,
};
use crate::plan::{Field, field_of, hops_of, plain};
use kernel::{
    Actor, Catalog, Column, CustomField, Entity, Error, Fault, FieldAccess, Kind, MEMBERS, Part, Result,
};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// A mapping checked against the catalog and the person's rights.
pub(crate) struct Mapping<'a> {
    pub(crate) head: Table<'a>,
    pub(crate) parts: Vec<(&'a Part, Table<'a>)>,
    /// Places in `head.slots` of the fields that tell which record a row is about.
    pub(crate) key: Vec<usize>,
}

/// What is written into one table.
pub(crate) struct Table<'a> {
    pub(crate) entity: &'a Entity,
    pub(crate) slots: Vec<Slot<'a>>,
    /// Of a part, in JSON: the key of the list that its rows stand in.
    pub(crate) list: Option<String>,
}

/// One field, and where its value comes from.
pub(crate) struct Slot<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) source: Source,
    pub(crate) constant: Option<Value>,
    pub(crate) default: Option<Value>,
    pub(crate) scale: Option<Decimal>,
    pub(crate) values: HashMap<String, Value>,
    pub(crate) style: Style,
}

pub(crate) enum Source {
    /// A constant has none.
    None,
    Cell(usize),
    /// In JSON, the path of a key.
    Key(String),
    /// Of a line: where it stands in its list.
    Place,
}

pub(crate) enum Target<'a> {
    Id,
    Column(&'a Column),
    Relation { link: Field<'a>, to: &'a Entity, by: By<'a> },
    Custom(&'a CustomField),
}

/// How a relation's cell names its record.
pub(crate) enum By<'a> {
    /// An id, or any of these fields in turn.
    Any(Vec<&'a Column>),
    Field(&'a Column),
}

impl<'a> Target<'a> {
    pub(crate) fn column(&self) -> Option<&'a Column> {
        match self {
            Target::Column(column) | Target::Relation { link: Field::Column(column), .. } => Some(column),
            Target::Id | Target::Custom(_) | Target::Relation { .. } => None,
        }
    }
}

impl<'a> Slot<'a> {
    fn of(target: Target<'a>, source: Source) -> Slot<'a> {
        let style = Style::default();
        Slot { target, source, constant: None, default: None, scale: None, values: HashMap::new(), style }
    }

    /// The field that a fault is about.
    pub(crate) fn name(&self) -> String {
        match &self.target {
            Target::Id => "id".to_owned(),
            Target::Column(column) => column.name.clone(),
            Target::Relation { link, .. } => link.name(),
            Target::Custom(field) => format!("cf.{}", field.name),
        }
    }
}

/// Columns of a file as the import keeps them.
pub(crate) fn names(columns: &Value) -> Vec<&str> {
    columns.as_array().into_iter().flatten().filter_map(|c| c["name"].as_str()).collect()
}

fn may_write(actor: &Actor, entity: &Entity, field: &str) -> Result<()> {
    match actor.access.field(&entity.name, field) {
        FieldAccess::Write => Ok(()),
        _ => Err(Error::Forbidden(format!("You may not write the field {field}."))),
    }
}

/// Fields that an import may write though nobody else may: the record that a part belongs to, and the state.
fn importable(entity: &Entity, column: &Column) -> bool {
    column.writable() || entity.fk.as_ref() == Some(&column.name)
}

fn target<'a>(actor: &'a Actor, catalog: &'a Catalog, entity: &'a Entity, path: &str) -> Result<Target<'a>> {
    let unknown = || Error::malformed(format!("There is no field {path}."));
    if path == "id" {
        return Ok(Target::Id);
    }
    let first = hops_of(path).next().ok_or_else(unknown)?;
    let by = path[first.len()..].strip_prefix('.');
    let link = field_of(actor, entity, first).map_err(|e| match e {
        Error::Malformed(_) => unknown(),
        e => e,
    })?;
    let written = match &link {
        Field::Column(column) => importable(entity, column),
        Field::Custom(field) => field.is_written(),
    };
    if !written {
        return Err(Error::malformed(format!("The field {first} cannot be written.")));
    }
    may_write(actor, entity, &link.name())?;
    let Some(to) = link.target() else {
        return match link {
            _ if by.is_some() => Err(unknown()),
            Field::Column(column) => Ok(Target::Column(column)),
            Field::Custom(own) => Ok(Target::Custom(own.field)),
        };
    };
    let to = catalog.entity(to)?;
    if !actor.access.may(to, "read") && to.name != MEMBERS {
        return Err(Error::Forbidden(format!("You may not read {}.", plain(to.short()))));
    }
    let by = match by {
        None | Some("id") => By::Any(keys(actor, to)),
        Some(name) => {
            let field = to
                .column(name)
                .filter(|c| c.kind != Kind::Hidden && c.target.is_none())
                .ok_or_else(unknown)?;
            if actor.access.field(&to.name, name) == FieldAccess::None {
                return Err(Error::Forbidden(format!("You may not see the field {path}.")));
            }
            By::Field(field)
        }
    };
    Ok(Target::Relation { link, to, by })
}

/// The fields by which people know a record, the surest first.
fn keys<'a>(actor: &Actor, entity: &'a Entity) -> Vec<&'a Column> {
    let mut names: Vec<&str> = Vec::new();
    for name in entity.keys().chain(["email", entity.title()]) {
        if name != "id" && !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .filter_map(|name| entity.column(name))
        .filter(|c| {
            c.target.is_none() && !matches!(c.kind, Kind::Hidden | Kind::Json | Kind::Tags | Kind::Uuid)
        })
        .filter(|c| actor.access.field(&entity.name, &c.name) > FieldAccess::None)
        .collect()
}

struct File<'v> {
    places: HashMap<&'v str, (usize, Style)>,
    format: Format,
}

fn file(format: Format, columns: &Value) -> File<'_> {
    let style = |column: &Value| Style {
        decimal: column["decimal"].as_str().and_then(|s| s.chars().next()),
        dates: serde_json::from_value(column["dates"].clone()).ok(),
        rounded: format == Format::Xlsx,
    };
    let columns = columns.as_array().into_iter().flatten().enumerate();
    File { places: columns.filter_map(|(n, c)| Some((c["name"].as_str()?, (n, style(c))))).collect(), format }
}

impl<'a> Mapping<'a> {
    /// # Errors
    /// Malformed with a fault at `mapping.<column>` for each that cannot be; Forbidden for what the person may not write.
    pub(crate) fn new(
        actor: &'a Actor,
        catalog: &'a Catalog,
        entity: &'a Entity,
        format: Format,
        columns: &Value,
        mapping: &Value,
        upsert_key: Option<&str>,
    ) -> Result<Mapping<'a>> {
        let empty = Map::new();
        let map = match mapping {
            Value::Null => &empty,
            Value::Object(map) => map,
            _ => return Err(Error::malformed_at("mapping", "This is an object: column to field.")),
        };
        let file = file(format, columns);
        let mut mapped = Mapping {
            head: Table { entity, slots: Vec::new(), list: None },
            parts: Vec::new(),
            key: Vec::new(),
        };
        let mut taken = HashSet::new();
        let mut faults = Vec::new();
        for (column, spec) in map {
            let specs = match spec {
                Value::Array(specs) => specs.as_slice(),
                spec => std::slice::from_ref(spec),
            };
            for spec in specs.iter().filter(|s| !s.is_null() && s.as_str() != Some("")) {
                match mapped.add(actor, catalog, &file, column, spec, &mut taken) {
                    Ok(()) => {}
                    Err(Error::Malformed(own)) => {
                        faults.extend(
                            own.into_iter().map(|f| Fault {
                                field: Some(format!("mapping.{column}")),
                                message: f.message,
                            }),
                        );
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        if mapped.head.slots.is_empty() && faults.is_empty() {
            faults.push(Fault {
                field: Some("mapping".into()),
                message: "No column of the file goes into a field.".into(),
            });
        }
        for name in upsert_key.unwrap_or_default().split(',').map(str::trim).filter(|n| !n.is_empty()) {
            let at = mapped.head.slots.iter().position(|s| {
                s.name() == name || s.target.column().is_some_and(|c| c.relation_name() == name)
            });
            match at {
                Some(at)
                    if matches!(mapped.head.slots[at].target, Target::Id)
                        || mapped.head.slots[at].target.column().is_some() =>
                {
                    mapped.key.push(at);
                }
                _ => faults.push(Fault {
                    field: Some("upsert_key".into()),
                    message: format!("No column of the file goes into {name}."),
                }),
            }
        }
        for (_, table) in &mut mapped.parts {
            let own = table.entity.column("position").filter(|c| c.writable());
            if let Some(column) = own.filter(|c| !table.slots.iter().any(|s| s.name() == c.name)) {
                table.slots.push(Slot::of(Target::Column(column), Source::Place));
            }
        }
        if faults.is_empty() { Ok(mapped) } else { Err(Error::Malformed(faults)) }
    }

    fn add(
        &mut self,
        actor: &'a Actor,
        catalog: &'a Catalog,
        file: &File<'_>,
        column: &str,
        spec: &Value,
        taken: &mut HashSet<String>,
    ) -> Result<()> {
        let path = spec
            .as_str()
            .or_else(|| spec["field"].as_str())
            .ok_or_else(|| Error::malformed("Name the field."))?;
        for key in spec.as_object().into_iter().flatten().map(|(key, _)| key.as_str()) {
            if !["field", "constant", "default", "scale", "values", "decimal", "dates"].contains(&key) {
                return Err(Error::malformed(format!("There is no {key} in a mapping.")));
            }
        }
        let first = path.split('.').next().unwrap_or_default();
        let part = self.head.entity.part(first).filter(|_| path != first);
        let (entity, own) = match part {
            Some(part) => (catalog.entity(&part.entity)?, &path[first.len() + 1..]),
            None => (self.head.entity, path),
        };
        let target = target(actor, catalog, entity, own)?;
        if part.is_some_and(|p| target.column().is_some_and(|c| c.name == p.fk)) {
            return Err(Error::malformed(format!("The field {path} follows from where the line stands.")));
        }
        let constant = spec.get("constant").filter(|v| !v.is_null()).cloned();
        let place = file.places.get(column);
        let mut list = None;
        let source = match (place, &constant) {
            (_, Some(_)) => Source::None,
            (None, None) => return Err(Error::malformed("The file has no such column.")),
            (Some(_), None) if file.format == Format::Json => match (part, column.split_once('.')) {
                (None, _) => Source::Key(column.to_owned()),
                (Some(_), Some((first, rest))) => {
                    list = Some(first.to_owned());
                    Source::Key(rest.to_owned())
                }
                (Some(part), None) => {
                    return Err(Error::malformed(format!(
                        "{column} is no list, so it cannot be {}.",
                        part.name
                    )));
                }
            },
            (Some((n, _)), None) => Source::Cell(*n),
        };
        let mut style = place.map_or(Style::default(), |(_, style)| *style);
        match spec["decimal"].as_str() {
            None => {}
            Some("." | ",") => style.decimal = spec["decimal"].as_str().and_then(|s| s.chars().next()),
            Some(_) => return Err(Error::malformed("decimal is \".\" or \",\".")),
        }
        if let Some(dates) = spec.get("dates").filter(|v| !v.is_null()) {
            let dates: Result<Dates, _> = serde_json::from_value(dates.clone());
            style.dates = Some(dates.map_err(|_| Error::malformed("dates is \"dmy\" or \"mdy\"."))?);
        }
        let kind = match &target {
            Target::Column(c) => c.kind,
            Target::Custom(f) => f.kind,
            _ => Kind::Text,
        };
        let scale = match spec.get("scale").filter(|v| !v.is_null()) {
            None => None,
            Some(_) if !kind.is_number() => return Err(Error::malformed("Only a number can be scaled.")),
            Some(scale) => {
                let text = scale.as_str().map_or_else(|| scale.to_string(), str::to_owned);
                Some(Decimal::from_str_exact(&text).map_err(|_| Error::malformed("scale is a number."))?)
            }
        };
        let values = match spec.get("values") {
            None | Some(Value::Null) => HashMap::new(),
            Some(Value::Object(values)) => values.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            Some(_) => {
                return Err(Error::malformed("values is an object: what the file says to what is meant."));
            }
        };
        let default = spec.get("default").filter(|v| !v.is_null()).cloned();
        let slot = Slot { constant, default, scale, values, style, ..Slot::of(target, source) };
        let name = part.map_or_else(String::new, |p| format!("{}.", p.name)) + &slot.name();
        if !taken.insert(name.clone()) {
            return Err(Error::malformed(format!("The field {name} is given twice.")));
        }
        match part {
            None => self.head.slots.push(slot),
            Some(part) => match self.parts.iter_mut().find(|(p, _)| p.name == part.name) {
                Some((_, table)) if list.is_some() && table.list.is_some() && table.list != list => {
                    return Err(Error::malformed(format!("The {} come from one list, not two.", part.name)));
                }
                Some((_, table)) => {
                    table.list = table.list.take().or(list);
                    table.slots.push(slot);
                }
                None => self.parts.push((part, Table { entity, slots: vec![slot], list })),
            },
        }
        Ok(())
    }
}

/// What other programs call things.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("e_mail", &["email"]),
    ("mail", &["email"]),
    ("email_address", &["email"]),
    ("почта", &["email"]),
    ("эл_почта", &["email"]),
    ("tel", &["phone"]),
    ("telephone", &["phone"]),
    ("phone_number", &["phone"]),
    ("телефон", &["phone"]),
    ("qty", &["quantity"]),
    ("amount", &["quantity", "total"]),
    ("количество", &["quantity"]),
    ("кол_во", &["quantity"]),
    ("unit_price", &["price"]),
    ("list_price", &["price"]),
    ("цена", &["price", "unit_price"]),
    ("price", &["unit_price"]),
    ("zip", &["postal_code"]),
    ("zip_code", &["postal_code"]),
    ("postcode", &["postal_code"]),
    ("индекс", &["postal_code"]),
    ("address", &["street"]),
    ("address1", &["street"]),
    ("address_2", &["street2"]),
    ("адрес", &["street", "address"]),
    ("city", &["city"]),
    ("город", &["city"]),
    ("страна", &["country"]),
    ("state", &["region"]),
    ("company", &["name"]),
    ("company_name", &["name"]),
    ("full_name", &["name"]),
    ("title", &["name"]),
    ("наименование", &["name"]),
    ("название", &["name"]),
    ("имя", &["name", "first_name"]),
    ("homepage", &["website"]),
    ("web", &["website"]),
    ("url", &["website"]),
    ("сайт", &["website"]),
    ("article", &["sku"]),
    ("article_number", &["sku"]),
    ("product_code", &["sku", "code"]),
    ("артикул", &["sku"]),
    ("код", &["code"]),
    ("номер", &["number"]),
    ("no", &["number"]),
    ("nr", &["number"]),
    ("дата", &["date"]),
    ("описание", &["description"]),
    ("примечание", &["note"]),
    ("notes", &["note"]),
    ("comment", &["note"]),
    ("comments", &["note"]),
    ("бин", &["bin"]),
    ("иин", &["iin"]),
    ("инн", &["tax_id"]),
    ("vat", &["tax_id"]),
    ("категория", &["category"]),
    ("ед_изм", &["unit"]),
];

fn normal(name: &str) -> String {
    let mut out = String::new();
    let mut was_lower = false;
    for c in name.trim().chars() {
        if c.is_alphanumeric() {
            // customerName is customer_name
            if c.is_uppercase() && was_lower {
                out.push('_');
            }
            was_lower = c.is_lowercase();
            out.extend(c.to_lowercase());
        } else {
            was_lower = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        }
    }
    out.trim_end_matches('_').replace('ё', "е")
}

fn singular(short: &str) -> String {
    match short.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => short.strip_suffix('s').unwrap_or(short).to_owned(),
    }
}

/// All names that a field may go by.
fn known_as(catalog: &Catalog, actor: &Actor, entity: &Entity) -> Vec<(String, String)> {
    let mut known: Vec<(String, String)> = vec![("id".into(), "id".into())];
    let module = catalog.module(entity.module());
    let columns = || {
        entity.columns.iter().filter(|c| {
            importable(entity, c) && actor.access.field(&entity.name, &c.name) == FieldAccess::Write
        })
    };
    known.extend(columns().map(|c| (c.name.clone(), c.name.clone())));
    for column in columns() {
        let Some(to) = column.target.as_deref().and_then(|t| catalog.entities.get(t)) else { continue };
        let relation = column.relation_name();
        known.push((relation.clone(), column.name.clone()));
        known.push((normal(&format!("{relation}.id")), column.name.clone()));
        for key in keys(actor, to) {
            known.push((normal(&format!("{relation}.{}", key.name)), format!("{relation}.{}", key.name)));
        }
    }
    let labels =
        |group: &Value, name: &str| group[name].as_str().or(group[name]["label"].as_str()).map(str::to_owned);
    for column in columns() {
        let own = &entity.meta["fields"];
        let mut said: Vec<Option<String>> = vec![labels(own, &column.name)];
        if let Some(module) = module {
            said.push(labels(&module.meta["fields"], &column.name));
            for texts in module.texts.values() {
                said.push(labels(&texts["entities"][entity.short()]["fields"], &column.name));
                said.push(labels(&texts["fields"], &column.name));
            }
        }
        known.extend(said.into_iter().flatten().map(|label| (normal(&label), column.name.clone())));
    }
    let own = actor.overlay.of(&entity.name).iter();
    for field in own.filter(|f| f.kind != Kind::File && f.is_written()) {
        let path = format!("cf.{}", field.name);
        let to = field.target().and_then(|t| catalog.entities.get(t));
        let relation = field.relation_name();
        known.extend(to.map(|_| (normal(&relation), path.clone())));
        for key in to.map_or_else(Vec::new, |to| keys(actor, to)) {
            known.push((normal(&format!("{relation}.{}", key.name)), format!("{path}.{}", key.name)));
        }
        if actor.access.field(&entity.name, &path) == FieldAccess::Write {
            known.extend(
                [
                    normal(&path),
                    field.name.clone(),
                    normal(&field.label),
                    normal(&format!("custom.{}", field.name)),
                ]
                .map(|name| (name, path.clone())),
            );
        }
    }
    known
}

/// From a column's name to names of fields that it may mean.
type Way<'w> = &'w dyn Fn(&str) -> Vec<String>;

/// A first guess at the mapping, by the names of the columns.
pub(crate) fn guess(
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    seen: &read::Seen,
    format: Format,
) -> Map<String, Value> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut mapping: Map<String, Value> =
        seen.columns.iter().map(|c| (c.name.clone(), Value::Null)).collect();
    let mut tables: Vec<(String, &Entity)> = vec![(String::new(), entity)];
    if format == Format::Json {
        tables.extend(
            entity
                .parts
                .iter()
                .filter_map(|p| Some((format!("{}.", p.name), catalog.entity(&p.entity).ok()?))),
        );
    }
    // A relation's columns `customer_id` and `customer` are one field: the id, which comes first, is taken.
    for (under, entity) in tables {
        let known = known_as(catalog, actor, entity);
        let prefix = format!("{}_", singular(entity.short()));
        let ways: [Way<'_>; 4] = [
            &|name| vec![name.to_owned()],
            &|name| name.strip_prefix(&prefix).map(str::to_owned).into_iter().collect(),
            &|name| {
                let meant = SYNONYMS.iter().filter(|(n, _)| *n == name);
                meant.flat_map(|(_, all)| all.iter().map(|s| (*s).to_owned())).collect()
            },
            &|name| vec![name.replace('_', "")],
        ];
        for (n, way) in ways.iter().enumerate() {
            for column in &seen.columns {
                let Some(own) = column.name.strip_prefix(&under) else { continue };
                if !mapping[&column.name].is_null() || own.is_empty() {
                    continue;
                }
                let uuid = column.sample.iter().all(|s| s.parse::<uuid::Uuid>().is_ok())
                    && !column.sample.is_empty();
                let found = way(&normal(own)).into_iter().find_map(|name| {
                    let (_, path) = known
                        .iter()
                        .find(|(k, _)| if n == 3 { k.replace('_', "") == name } else { *k == name })?;
                    // A number of another program's is a key of the record, but no id.
                    let path = if path == "id" && !uuid {
                        entity
                            .keys()
                            .find(|k| entity.column(k).is_some_and(|c| c.writable() && c.target.is_none()))?
                    } else {
                        path
                    };
                    let field = target(actor, catalog, entity, path).ok()?;
                    let field = match &field {
                        Target::Relation { link, .. } => link.name(),
                        field => field.column().map_or_else(|| path.to_owned(), |c| c.name.clone()),
                    };
                    (entity.fk.as_ref() != Some(&field) || under.is_empty()).then(|| (path.to_owned(), field))
                });
                if let Some((path, field)) = found
                    && taken.insert(format!("{under}{field}"))
                {
                    mapping[&column.name] = json!(format!("{under}{path}"));
                }
            }
        }
    }
    mapping
}
