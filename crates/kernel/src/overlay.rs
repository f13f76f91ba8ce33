use crate::{Kind, Result, System};
use serde_json::Value;
use std::collections::HashMap;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// The third layer of the catalog: the fields that one organization added, and the tables that it made for itself, which
/// [`crate::Catalog::with`] puts among the entities.
#[derive(Debug, Default)]
pub struct Overlay {
    pub fields: HashMap<String, Vec<CustomField>>,
    pub tables: Vec<CustomTable>,
}

/// A row of `builder.custom_tables`.
#[derive(Clone, Debug, Default)]
pub struct CustomTable {
    pub name: String,
    pub title: String,
    pub singular: Option<String>,
    pub description: Option<String>,
    pub icon: Option<String>,
    pub slot: usize,
    /// `{id, label, color}`, the first being where a record starts
    pub states: Vec<Value>,
    /// `{action, label, source, target}`
    pub moves: Vec<Value>,
}

#[derive(Clone, Debug, Default)]
pub struct CustomField {
    pub id: Uuid,
    pub name: String,
    pub label: String,
    /// Its type as it was chosen: how it is shown and written.
    pub look: String,
    /// What it is kept as, see [`Kind::of_type`].
    pub kind: Kind,
    pub required: bool,
    /// `{id, label, color}`
    pub options: Vec<Value>,
    /// What its type needs beside choices.
    pub settings: Value,
    pub help: Option<String>,
    /// A condition on the record: where it does not hold, the field holds nothing.
    pub visible_when: Option<Value>,
    /// A condition on the record: where it holds, and the field is visible, it holds something.
    pub required_when: Option<Value>,
}

impl Overlay {
    pub async fn read(system: &System, organization: Uuid) -> Result<Overlay> {
        let fields = crate::sql!(
            "select entity, name, label, type, required, options, help, visible_when, required_when, id, settings from builder.custom_fields
             where organization_id = $1 and deleted_at is null order by entity, position, name"
        );
        let tables = crate::sql!(
            "select name, title, singular, description, icon, slot, states, moves from builder.custom_tables
             where organization_id = $1 and deleted_at is null order by title, name"
        );
        let here: [&(dyn ToSql + Sync); 1] = [&organization];
        let (rows, tables) = tokio::try_join!(system.query(fields, &here), system.query(tables, &here))?;
        let list = |value: Value| match value {
            Value::Array(list) => list,
            _ => Vec::new(),
        };
        let tables = tables.iter().map(|row| CustomTable {
            name: row.get(0),
            title: row.get(1),
            singular: row.get(2),
            description: row.get(3),
            icon: row.get(4),
            slot: usize::try_from(row.get::<_, i32>(5)).unwrap_or_default(),
            states: list(row.get(6)),
            moves: list(row.get(7)),
        });
        let mut overlay = Overlay { tables: tables.collect(), ..Overlay::default() };
        for row in rows {
            let options: Value = row.get(5);
            let mut field = CustomField {
                name: row.get(1),
                label: row.get(2),
                look: row.get(3),
                kind: Kind::of_type(row.get(3)).unwrap_or_default(),
                required: row.get(4),
                options: options.as_array().cloned().unwrap_or_default(),
                help: row.get(6),
                visible_when: row.get(7),
                required_when: row.get(8),
                id: row.get(9),
                settings: row.get(10),
            };
            if field.is_computed() {
                // What comes out of it was found when it was made.
                field.kind = field.settings["result"].as_str().and_then(Kind::of_type).unwrap_or_default();
            }
            overlay.fields.entry(row.get(0)).or_default().push(field);
        }
        Ok(overlay)
    }

    pub fn of(&self, entity: &str) -> &[CustomField] {
        self.fields.get(entity).map_or(&[], Vec::as_slice)
    }

    /// The entities whose records are numbered by a field of the organization's own.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = &str> {
        let numbers = |fields: &Vec<CustomField>| fields.iter().any(|f| f.look == "autonumber");
        self.fields.iter().filter(move |(_, fields)| numbers(fields)).map(|(entity, _)| entity.as_str())
    }

    pub fn field(&self, entity: &str, name: &str) -> Option<&CustomField> {
        self.of(entity).iter().find(|f| f.name == name)
    }
}

/// Whether a type of field is kept nowhere.
pub fn is_computed(look: &str) -> bool {
    matches!(look, "lookup" | "rollup" | "count" | "formula" | "createdby" | "modifiedby")
}

impl CustomField {
    /// Whether it is there, or required, only where a condition holds.
    pub fn is_conditional(&self) -> bool {
        self.visible_when.is_some() || self.required_when.is_some()
    }

    /// Whether every record has something in it.
    pub fn is_always_required(&self) -> bool {
        self.required && !self.is_conditional() && self.kind.is_written()
    }

    /// Whether it is kept nowhere, but follows from what is.
    pub fn is_computed(&self) -> bool {
        is_computed(&self.look)
    }

    /// Whether people write it.
    pub fn is_written(&self) -> bool {
        self.kind.is_written() && !self.is_computed()
    }

    /// The entity that it leads to.
    pub fn target(&self) -> Option<&str> {
        self.settings["entity"].as_str().filter(|_| self.kind == Kind::Relation && !self.is_computed())
    }

    /// How its relation is called in `expand` and in answers: the record that `cf.venue` names is `cf.venue_record`.
    pub fn relation_name(&self) -> String {
        format!("cf.{}_record", self.name)
    }

    /// Its choices, if it has any: options are texts or `{id}`.
    pub fn choices(&self) -> impl Iterator<Item = &str> {
        self.options.iter().filter_map(|o| o.as_str().or_else(|| o["id"].as_str()))
    }

    /// Its choices, and what people call them.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.options.iter().filter_map(|o| {
            let id = o.as_str().or_else(|| o["id"].as_str())?;
            Some((id, o["label"].as_str().unwrap_or(id)))
        })
    }

    /// The most stars of a rating: five, unless the field says ten.
    pub fn stars(&self) -> i64 {
        self.choices().next().and_then(|c| c.parse().ok()).unwrap_or(5)
    }

    /// Reads it out of the record's `custom` column, typed; see sql/1_context.sql.
    pub fn sql(&self, alias: &str) -> String {
        let read = match self.kind {
            k if k.is_number() => "j_number",
            Kind::Date => "j_date",
            Kind::Datetime => "j_instant",
            Kind::Boolean => "j_bool",
            Kind::Multiselect | Kind::Tags | Kind::Users => "j_list",
            Kind::User | Kind::Relation => "j_id",
            Kind::Location | Kind::Signature | Kind::File | Kind::Address => {
                return format!("({alias}.custom -> '{}')", self.name);
            }
            // It is there, and holds nothing.
            Kind::Button => return "true".into(),
            _ => "j_text",
        };
        format!("app.{read}({alias}.custom, '{}')", self.name)
    }
}
