use crate::{CustomTable, Error, Module, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tokio_postgres::GenericClient;

/// What PostgreSQL knows about the tenants' tables, with what the modules add: the one truth, read when the server
/// starts and again after an upgrade. What an organization adds lies over it in [`crate::Overlay`].
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub entities: BTreeMap<String, Arc<Entity>>,
    pub modules: Vec<Arc<ModuleInfo>>,
    pub roles: Arc<BTreeMap<String, RoleTemplate>>,
    /// How many entities share the grants string of `app.context`.
    pub slots: usize,
    /// How many of the organization's own tables share that of `app.tables`.
    pub own_slots: usize,
    domains: Arc<HashMap<String, String>>,
}

#[derive(Debug, Default)]
pub struct ModuleInfo {
    pub name: String,
    pub meta: Value,
    pub texts: HashMap<String, Value>,
    pub readme: &'static str,
}

/// What a role may do before an organization changes it: entity → action → scope.
pub type RoleTemplate = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Clone, Debug, Deserialize)]
pub struct Entity {
    pub name: String,
    pub slot: usize,
    pub owner: String,
    pub part_of: Option<String>,
    /// Of a part: the column that names the record it belongs to.
    pub fk: Option<String>,
    pub comment: Option<String>,
    pub columns: Vec<Column>,
    pub constraints: Vec<Constraint>,
    pub uniques: Vec<Unique>,
    pub transitions: Vec<Transition>,
    #[serde(skip)]
    pub parts: Vec<Part>,
    /// The entity's table of module.toml.
    #[serde(skip)]
    pub meta: Value,
    #[serde(skip)]
    pub searchable: bool,
    /// Its records carry lines or states: changing one wants `If-Match`.
    #[serde(skip)]
    pub document: bool,
    /// A table that the organization made for itself: its rows are some of those of [`OWN_RECORDS`].
    #[serde(skip)]
    pub own: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Column {
    pub name: String,
    /// As PostgreSQL writes it, domains resolved: `numeric`, `text[]`.
    #[serde(rename = "type")]
    pub sql_type: String,
    pub domain: Option<String>,
    pub required: bool,
    pub not_null: bool,
    pub default: Option<String>,
    pub generated: bool,
    pub derived: bool,
    pub secret: bool,
    pub comment: Option<String>,
    #[serde(skip)]
    pub kind: Kind,
    /// The entity that a foreign key leads to.
    #[serde(skip)]
    pub target: Option<String>,
    #[serde(skip)]
    pub options: Vec<String>,
}

macro_rules! kinds {
    ($first:ident $first_name:literal $($kind:ident $name:literal)*) => {
        /// What a field is to the people who use it; the storage type follows from it.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum Kind {
            #[default]
            $first,
            $($kind,)*
            /// Never leaves the server.
            Hidden,
        }

        impl Kind {
            pub fn name(self) -> &'static str {
                match self {
                    Kind::$first => $first_name,
                    $(Kind::$kind => $name,)*
                    Kind::Hidden => "hidden",
                }
            }

            pub fn parse(name: &str) -> Option<Kind> {
                match name {
                    $first_name => Some(Kind::$first),
                    $($name => Some(Kind::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    Text "text"
    Textarea "textarea"
    Email "email"
    Phone "phone"
    Url "url"
    Number "number"
    Integer "integer"
    Money "money"
    Percent "percent"
    Quantity "quantity"
    Date "date"
    Datetime "datetime"
    Boolean "boolean"
    Select "select"
    Multiselect "multiselect"
    Tags "tags"
    Relation "relation"
    User "user"
    Uuid "uuid"
    Json "json"
    Richtext "richtext"
    Rating "rating"
    Duration "duration"
    Color "color"
    Location "location"
    Country "country"
    Timezone "timezone"
    Barcode "barcode"
    Signature "signature"
    Recurrence "recurrence"
    File "file"
    Time "time"
    Daterange "daterange"
    Users "users"
    Address "address"
    Autonumber "autonumber"
    Button "button"
}

/// Types of a company's own fields that are kept as another kind is, and only shown and written in their own way.
const LOOKS: [(&str, Kind); 13] = [
    ("radio", Kind::Select),
    ("status", Kind::Select),
    ("priority", Kind::Select),
    ("label", Kind::Select),
    ("badge", Kind::Select),
    ("checkbox", Kind::Boolean),
    ("toggle", Kind::Boolean),
    ("markdown", Kind::Textarea),
    ("image", Kind::File),
    ("avatar", Kind::File),
    ("progress", Kind::Number),
    ("icon", Kind::Text),
    ("qrcode", Kind::Text),
];

impl Kind {
    /// What an own field of this type is kept as.
    pub fn of_type(name: &str) -> Option<Kind> {
        Kind::parse(name).or_else(|| LOOKS.iter().find(|(look, _)| *look == name).map(|(_, kind)| *kind))
    }

    pub fn is_number(self) -> bool {
        matches!(
            self,
            Kind::Number
                | Kind::Integer
                | Kind::Money
                | Kind::Percent
                | Kind::Quantity
                | Kind::Rating
                | Kind::Duration
                | Kind::Autonumber
        )
    }

    /// Whether people write it: of what the program gives, or what holds nothing, they only see it.
    pub fn is_written(self) -> bool {
        !matches!(self, Kind::Autonumber | Kind::Button)
    }

    /// Whether one comes before another: what has no order is neither sorted nor grouped by.
    pub fn has_order(self) -> bool {
        !matches!(
            self,
            Kind::Json
                | Kind::Tags
                | Kind::Multiselect
                | Kind::Richtext
                | Kind::Location
                | Kind::Signature
                | Kind::Recurrence
                | Kind::File
                | Kind::Users
                | Kind::Address
                | Kind::Button
                | Kind::Hidden
        )
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Constraint {
    pub name: String,
    /// As in pg_constraint: c check, f foreign key, u unique, p primary key.
    pub kind: String,
    pub columns: Vec<String>,
    pub message: Option<String>,
    pub options: Option<Vec<String>>,
    pub target: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Unique {
    pub name: String,
    pub columns: Option<Vec<String>>,
    pub message: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Transition {
    pub action: String,
    pub field: String,
    pub source: String,
    pub target: String,
}

/// `lines` of an order: the entity whose rows belong to this entity's rows.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    pub entity: String,
    pub fk: String,
}

/// Columns that the database fills by itself.
const SYSTEM: [&str; 9] = [
    "organization_id",
    "id",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "deleted_at",
    "version",
    "owner_id",
];

pub const MEMBERS: &str = "iam.memberships";

/// The table that all own tables' records are in, and the module that they are shown as.
const OWN_RECORDS: &str = "builder.custom_records";
const OWN_MODULE: &str = "custom";

#[derive(Deserialize)]
struct Read {
    entities: Vec<Entity>,
    domains: HashMap<String, String>,
}

impl Catalog {
    pub async fn read(client: &impl GenericClient, modules: &[&Module]) -> Result<Catalog> {
        let row = client.query_one(include_str!("catalog.sql"), &[]).await?;
        let read: Read = serde_json::from_str(row.get(0))?;
        let mut catalog = Catalog { domains: Arc::new(read.domains), ..Catalog::default() };
        let mut roles = BTreeMap::<String, RoleTemplate>::new();
        for module in modules {
            let parse = |text: &str, what: &str| {
                toml::from_str::<Value>(text)
                    .map_err(|e| Error::broken(format!("{}/{what}: {e}", module.name)))
            };
            let mut texts = HashMap::new();
            for (language, text) in module.texts {
                texts.insert((*language).to_owned(), parse(text, language)?);
            }
            let meta = parse(module.meta, "module.toml")?;
            for (role, grants) in meta["roles"].as_object().into_iter().flatten() {
                let template = roles.entry(role.clone()).or_default();
                for (entity, actions) in grants.as_object().into_iter().flatten() {
                    let actions = actions.as_object().into_iter().flatten();
                    // A module may speak of another's entity by its whole name.
                    let entity = if entity.contains('.') {
                        entity.clone()
                    } else {
                        format!("{}.{entity}", module.name)
                    };
                    template
                        .entry(entity)
                        .or_default()
                        .extend(actions.filter_map(|(a, s)| Some((a.clone(), s.as_str()?.to_owned()))));
                }
            }
            catalog.modules.push(Arc::new(ModuleInfo {
                name: module.name.to_owned(),
                meta,
                texts,
                readme: module.readme,
            }));
        }
        catalog.roles = Arc::new(roles);
        let mut entities = BTreeMap::new();
        for entity in read.entities {
            catalog.slots = catalog.slots.max(entity.slot + 1);
            entities.insert(entity.name.clone(), entity);
        }
        catalog.link(&mut entities);
        catalog.entities = entities.into_iter().map(|(name, entity)| (name, Arc::new(entity))).collect();
        Ok(catalog)
    }

    /// This, and the tables that one organization made for itself; the same catalog where there are none.
    #[must_use]
    pub fn with(self: &Arc<Catalog>, tables: &[CustomTable]) -> Arc<Catalog> {
        let (false, Some(records)) = (tables.is_empty(), self.entities.get(OWN_RECORDS)) else {
            return self.clone();
        };
        let mut catalog = Catalog::clone(self);
        for table in tables {
            let entity = table.entity(records);
            catalog.own_slots = catalog.own_slots.max(entity.slot + 1);
            catalog.entities.insert(entity.name.clone(), Arc::new(entity));
        }
        let menu: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
        let meta = json!({ "title": "Own tables", "icon": "table", "menu": menu });
        let texts =
            [("ru", "Свои таблицы", "Название", "Состояние"), ("kk", "Өз кестелері", "Атауы", "Күйі")].map(
                |(language, title, name, state)| {
                    (
                        language.to_owned(),
                        json!({ "title": title, "fields": { "name": name, "state": state } }),
                    )
                },
            );
        let module = ModuleInfo { name: OWN_MODULE.to_owned(), meta, texts: texts.into(), readme: "" };
        // What a company made itself it looks for first.
        catalog.modules.insert(0, Arc::new(module));
        Arc::new(catalog)
    }

    /// What follows from the rows read: kinds, parts, the modules' own words.
    fn link(&self, entities: &mut BTreeMap<String, Entity>) {
        let names: Vec<String> = entities.keys().cloned().collect();
        let mut parts: HashMap<String, Vec<Part>> = HashMap::new();
        for entity in entities.values() {
            if let (Some(whole), Some(fk)) = (&entity.part_of, &entity.fk) {
                parts.entry(whole.clone()).or_default().push(Part {
                    name: part_name(whole, &entity.name),
                    entity: entity.name.clone(),
                    fk: fk.clone(),
                });
            }
        }
        for entity in entities.values_mut() {
            entity.parts = parts.remove(&entity.name).unwrap_or_default();
            let (module, short) = entity.name.split_once('.').unwrap_or_default();
            let meta = self.modules.iter().find(|m| m.name == module).map(|m| &m.meta);
            entity.meta = meta
                .map(|m| if m["entities"][short].is_object() { &m["entities"][short] } else { &m[short] })
                .cloned()
                .unwrap_or_default();
            entity.searchable = entity.columns.iter().any(|c| c.name == "search");
            entity.document = entity.meta["document"].as_bool().unwrap_or(!entity.transitions.is_empty());
            let states = entity.states();
            let workflow = entity.transitions.first().map(|t| t.field.clone());
            for column in &mut entity.columns {
                let own = |c: &&Constraint| c.columns.last() == Some(&column.name);
                column.target = entity
                    .constraints
                    .iter()
                    .filter(|c| c.kind == "f" && c.columns.len() == 2)
                    .filter(own)
                    .find_map(|c| c.target.clone())
                    .filter(|t| names.contains(t));
                if matches!(column.name.as_str(), "created_by" | "updated_by" | "owner_id") {
                    column.target = Some(MEMBERS.to_owned());
                }
                if workflow.as_deref() == Some(&column.name) {
                    column.options = states.clone();
                } else if let Some(options) = entity
                    .constraints
                    .iter()
                    .filter(|c| c.kind == "c" && c.columns.len() == 1)
                    .filter(own)
                    .find_map(|c| c.options.clone())
                {
                    column.options = options;
                }
                column.kind = kind_of(column);
            }
        }
    }

    /// A constraint's sentence, and the field that it is about.
    pub(crate) fn constraint(
        &self,
        schema: Option<&str>,
        table: Option<&str>,
        name: Option<&str>,
    ) -> (Option<&str>, Option<&str>) {
        let Some(name) = name else { return (None, None) };
        if let Some(message) = self.domains.get(name) {
            return (Some(message), None);
        }
        let entity =
            schema.zip(table).and_then(|(schema, table)| self.entities.get(&format!("{schema}.{table}")));
        let Some(entity) = entity else { return (None, None) };
        let constraint = entity.constraints.iter().find(|c| c.name == name);
        let unique = entity.uniques.iter().find(|u| u.name.rsplit('.').next() == Some(name));
        let message =
            constraint.and_then(|c| c.message.as_deref()).or(unique.and_then(|u| u.message.as_deref()));
        let columns = constraint.map(|c| &c.columns).or(unique.and_then(|u| u.columns.as_ref()));
        // Of two columns the one that people write: what a digit too many is wrong with is the amount.
        let written = |name: &&String| entity.column(name).is_some_and(Column::writable);
        let field = columns
            .filter(|c| c.len() <= 2)
            .and_then(|c| c.iter().rfind(written).or(c.last()))
            .filter(|c| *c != "organization_id")
            .map(String::as_str);
        (message, field)
    }

    pub fn entity(&self, name: &str) -> Result<&Entity> {
        self.entities.get(name).map(Arc::as_ref).ok_or(Error::NotFound)
    }

    pub fn all(&self) -> impl Iterator<Item = &Entity> {
        self.entities.values().map(Arc::as_ref)
    }

    pub fn module(&self, name: &str) -> Option<&ModuleInfo> {
        self.modules.iter().map(Arc::as_ref).find(|m| m.name == name)
    }

    /// The entity whose permissions count: a part is reached as far as the record it belongs to.
    pub fn whole<'a>(&'a self, entity: &'a Entity) -> &'a Entity {
        entity.part_of.as_ref().and_then(|w| self.entities.get(w)).map_or(entity, Arc::as_ref)
    }
}

impl Entity {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    pub fn module(&self) -> &str {
        self.name.split_once('.').map_or("", |(m, _)| m)
    }

    pub fn short(&self) -> &str {
        self.name.split_once('.').map_or("", |(_, s)| s)
    }

    /// The table that its rows are written to; [`Entity::only`] says which of that table's they are.
    pub fn table(&self) -> &str {
        if self.own { OWN_RECORDS } else { &self.name }
    }

    /// What its rows are read from.
    pub fn rows(&self) -> Cow<'_, str> {
        match self.own {
            true => format!("(select * from {OWN_RECORDS} where entity = '{}')", self.name).into(),
            false => self.name.as_str().into(),
        }
    }

    /// Keeps an update or a deletion to its rows; `alias` is empty, or ends with a dot.
    pub fn only(&self, alias: &str) -> String {
        if self.own { format!(" and {alias}entity = '{}'", self.name) } else { String::new() }
    }

    /// Its records follow from others: nobody makes one, and nobody throws one away. `kept = true` in module.toml.
    pub fn is_kept(&self) -> bool {
        self.meta["kept"] == true
    }

    /// Whether people may write any field of its own: what is derived, the state and the whole it is part of are none.
    pub fn is_editable(&self) -> bool {
        let state = self.transitions.first().map(|t| &t.field);
        let own = |c: &Column| Some(&c.name) != state && Some(&c.name) != self.fk.as_ref();
        self.columns.iter().any(|c| c.writable() && own(c))
    }

    /// A state or an action in a sentence: what the organization calls it, or the name as it is read.
    pub fn said(&self, group: &str, name: &str) -> String {
        let own = self.meta[group][name].as_str().filter(|_| self.own);
        own.map_or_else(|| name.replace('_', " "), str::to_owned)
    }

    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|p| p.name == name)
    }

    /// The column behind a relation: `customer` is `customer_id`, `created_by` is itself.
    pub fn relation(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .filter(|c| c.target.is_some() && c.kind != Kind::Hidden)
            .find(|c| c.name == name || c.name.strip_suffix("_id") == Some(name))
    }

    /// The states in the order in which the workflow names them.
    pub fn states(&self) -> Vec<String> {
        let named = self.meta["order"].as_array().into_iter().flatten();
        let mut states: Vec<String> = named.filter_map(|s| s.as_str().map(str::to_owned)).collect();
        for step in &self.transitions {
            for state in [&step.source, &step.target] {
                if !states.contains(state) {
                    states.push(state.clone());
                }
            }
        }
        states
    }

    /// The field that names a record to people.
    pub fn title(&self) -> &str {
        let has = |name: &str| self.columns.iter().find(|c| c.name == name).map(|c| c.name.as_str());
        self.meta["title"]
            .as_str()
            .and_then(has)
            .or_else(|| ["name", "number", "title", "label", "code"].into_iter().find_map(has))
            .unwrap_or("id")
    }

    /// Field sets that tell one record of an organization from all others.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.uniques.iter().filter_map(|u| match u.columns.as_deref() {
            Some([a, b]) if a == "organization_id" => Some(b.as_str()),
            _ => None,
        })
    }
}

impl Column {
    /// Whether people may ever write it. Who may is a matter of their permissions.
    pub fn writable(&self) -> bool {
        !(self.generated
            || self.derived
            || self.secret
            || self.kind == Kind::Hidden
            || SYSTEM.contains(&self.name.as_str()))
    }

    /// How its relation is called in `expand`: `customer_id` is expanded as `customer`, `created_by` as
    /// `created_by_member`.
    pub fn relation_name(&self) -> String {
        match self.name.strip_suffix("_id") {
            Some(name) => name.to_owned(),
            None => format!("{}_member", self.name),
        }
    }

    pub fn is_system(&self) -> bool {
        SYSTEM.contains(&self.name.as_str())
    }
}

impl CustomTable {
    /// Like what comes with the product, only that its words stand in a row.
    fn entity(&self, records: &Entity) -> Entity {
        let words = |list: &[Value], key: &str| -> Value {
            let pairs = list.iter().filter_map(|v| Some((v[key].as_str()?.to_owned(), v["label"].clone())));
            Value::Object(pairs.collect())
        };
        let colours =
            self.states.iter().filter_map(|s| Some((s["id"].as_str()?.to_owned(), s.get("color")?.clone())));
        let mut entity = records.clone();
        entity.name = format!("{OWN_MODULE}.{}", self.name);
        entity.slot = self.slot;
        entity.own = true;
        entity.comment.clone_from(&self.description);
        entity.transitions = self
            .moves
            .iter()
            .filter_map(|m| {
                let said = |key: &str| m[key].as_str().map(str::to_owned);
                Some(Transition {
                    action: said("action")?,
                    field: "state".to_owned(),
                    source: said("source")?,
                    target: said("target")?,
                })
            })
            .collect();
        entity.meta = json!({
            "label": self.singular.as_ref().unwrap_or(&self.title), "plural": self.title, "icon": self.icon,
            "form": [["name"]], "order": self.states.iter().map(|s| &s["id"]).collect::<Vec<_>>(),
            "states": words(&self.states, "id"), "actions": words(&self.moves, "action"),
            "colors": Value::Object(colours.collect()),
        });
        entity.document = !entity.transitions.is_empty();
        let states = entity.states();
        for column in entity.columns.iter_mut().filter(|c| c.name == "state") {
            column.kind = if states.is_empty() { Kind::Hidden } else { Kind::Select };
            column.options.clone_from(&states);
        }
        entity
    }
}

fn kind_of(column: &Column) -> Kind {
    if column.secret
        || matches!(column.name.as_str(), "organization_id" | "search" | "search_text" | "custom")
        || matches!(column.sql_type.as_str(), "bytea" | "tsvector")
        // What an index stands on: email_key is the address in small letters.
        || column.generated && column.name.ends_with("_key")
    {
        return Kind::Hidden;
    }
    if column.target.as_deref() == Some(MEMBERS) {
        return Kind::User;
    }
    if column.target.is_some() {
        return Kind::Relation;
    }
    if let Some(kind) = column.domain.as_deref().and_then(Kind::parse) {
        return kind;
    }
    match column.sql_type.as_str() {
        "text" | "character varying" | "character" if !column.options.is_empty() => Kind::Select,
        "text" | "character varying" | "character" => Kind::Text,
        "text[]" => Kind::Tags,
        "numeric" => Kind::Number,
        "smallint" | "integer" | "bigint" => Kind::Integer,
        "date" => Kind::Date,
        "timestamp with time zone" => Kind::Datetime,
        "boolean" => Kind::Boolean,
        "uuid" => Kind::Uuid,
        "jsonb" => Kind::Json,
        _ => Kind::Hidden,
    }
}

/// `sales.order_lines` are the `lines` of `sales.orders`, `parties.contacts` the `contacts` of `parties.parties`.
fn part_name(whole: &str, part: &str) -> String {
    let short = |name: &str| name.split_once('.').map_or_else(String::new, |(_, s)| s.to_owned());
    let (whole, part) = (short(whole), short(part));
    let stem = whole
        .strip_suffix("ies")
        .map(|s| format!("{s}y_"))
        .unwrap_or_else(|| format!("{}_", whole.strip_suffix('s').unwrap_or(&whole)));
    part.strip_prefix(&stem).unwrap_or(&part).to_owned()
}
