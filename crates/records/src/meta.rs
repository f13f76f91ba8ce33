use crate::plan::{Field, Own, field_of, plain, visible};
use kernel::{Actor, Catalog, Entity, FieldAccess, Kind, Module, ModuleInfo};
use serde_json::{Map, Value, json};

/// The words of the catalog in one language: the module's own, its translation, or the name made readable.
pub(crate) struct Words<'a> {
    language: &'a str,
    module: Option<&'a ModuleInfo>,
}

impl<'a> Words<'a> {
    pub(crate) fn of(catalog: &'a Catalog, module: &str, language: &'a str) -> Words<'a> {
        Words { language, module: catalog.module(module) }
    }

    fn translated(&self, path: &[&str]) -> Option<&'a str> {
        let texts = self.module?.texts.get(self.language)?;
        path.iter().try_fold(texts, |v, key| v.get(*key))?.as_str()
    }

    fn common(&self, name: &str) -> Option<&'static str> {
        COMMON.iter().find(|(n, l, _)| *n == name && *l == self.language).map(|c| c.2)
    }

    pub(crate) fn title(&self) -> String {
        let meta = self.module.map(|m| &m.meta);
        self.translated(&["title"])
            .or(meta.and_then(|m| m["title"].as_str()))
            .map_or_else(|| readable(self.module.map_or("", |m| &m.name)), str::to_owned)
    }

    pub(crate) fn entity(&self, entity: &Entity, what: &str) -> String {
        self.translated(&["entities", entity.short(), what]).or(entity.meta[what].as_str()).map_or_else(
            || {
                let name = readable(entity.short());
                if what == "label" { singular(&name) } else { name }
            },
            str::to_owned,
        )
    }

    /// What stands at the first of these places in the translation, else what the module says, else the name.
    pub(crate) fn said(&self, places: &[&[&str]], own: &Value, name: &str) -> String {
        let found = places.iter().find_map(|path| self.translated(path)).or_else(|| self.common(name));
        found
            .or(own.as_str())
            .map_or_else(|| readable(name.strip_suffix("_id").unwrap_or(name)), str::to_owned)
    }

    /// A sentence of the schema, by itself.
    fn sentence(&self, said: Option<&'a str>) -> Option<&'a str> {
        let said = said?;
        Some(self.translated(&["sentences", said]).or_else(|| self.common(said)).unwrap_or(said))
    }

    /// Of a field, state, option or action, by the entity's own text or the module's common one.
    fn word(&self, entity: &Entity, group: &str, name: &str) -> String {
        let own = &entity.meta[group][name];
        let common = self.module.map_or(&Value::Null, |m| &m.meta[group][name]);
        self.translated(&["entities", entity.short(), group, name])
            .or_else(|| self.translated(&[group, name]))
            .or_else(|| self.common(name))
            .or_else(|| {
                own.as_str().or(own["label"].as_str()).or(common.as_str()).or(common["label"].as_str())
            })
            .map_or_else(|| readable(name.strip_suffix("_id").unwrap_or(name)), str::to_owned)
    }
}

/// What every record has, in the languages that the modules are not asked for.
const COMMON: &[(&str, &str, &str)] = &[
    ("id", "en", "ID"),
    ("sku", "en", "SKU"),
    ("email", "en", "E-mail"),
    ("bin", "en", "BIN"),
    ("iin", "en", "IIN"),
    ("kbe", "en", "KBE"),
    ("url", "en", "URL"),
    ("created_at", "ru", "Создано"),
    ("created_by", "ru", "Кто создал"),
    ("updated_at", "ru", "Изменено"),
    ("updated_by", "ru", "Кто изменил"),
    ("deleted_at", "ru", "Удалено"),
    ("version", "ru", "Версия"),
    ("owner_id", "ru", "Владелец"),
    ("update", "ru", "Изменить"),
    ("delete", "ru", "Удалить"),
    ("restore", "ru", "Восстановить"),
    ("read", "ru", "Читать"),
    ("create", "ru", "Создать"),
    ("id", "ru", "ID"),
    ("export", "ru", "Экспорт"),
    ("import", "ru", "Импорт"),
    (
        "When the record was thrown away; it can be restored until it is purged.",
        "ru",
        "Когда запись удалили; её можно восстановить, пока она не стёрта.",
    ),
    (
        "Counts the changes; sent back in If-Match, it refuses a lost update.",
        "ru",
        "Считает изменения; в If-Match не даёт потерять чужие.",
    ),
    ("created_at", "kk", "Құрылған уақыты"),
    ("created_by", "kk", "Кім құрды"),
    ("updated_at", "kk", "Өзгертілген уақыты"),
    ("updated_by", "kk", "Кім өзгертті"),
    ("deleted_at", "kk", "Жойылған уақыты"),
    ("version", "kk", "Нұсқасы"),
    ("owner_id", "kk", "Иесі"),
    ("update", "kk", "Өзгерту"),
    ("delete", "kk", "Жою"),
    ("restore", "kk", "Қалпына келтіру"),
    ("read", "kk", "Оқу"),
    ("create", "kk", "Құру"),
    ("id", "kk", "ID"),
    ("export", "kk", "Экспорттау"),
    ("import", "kk", "Импорттау"),
    (
        "When the record was thrown away; it can be restored until it is purged.",
        "kk",
        "Жазба қашан жойылды; түпкілікті өшірілгенше оны қалпына келтіруге болады.",
    ),
    (
        "Counts the changes; sent back in If-Match, it refuses a lost update.",
        "kk",
        "Өзгерістерді санайды; If-Match ішінде басқаның өзгерісін жоғалтпайды.",
    ),
];

fn readable(name: &str) -> String {
    let name = plain(name);
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn singular(name: &str) -> String {
    match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').unwrap_or(name).to_owned(),
    }
}

/// Colours of states by what they usually mean; a module may say otherwise.
fn colour(entity: &Entity, state: &str) -> String {
    if let Some(colour) = entity.meta["colors"][state].as_str() {
        return colour.to_owned();
    }
    match state {
        "draft" | "new" | "pending" | "lead" | "inactive" => "gray",
        "confirmed" | "sent" | "submitted" | "posted" | "prospect" => "blue",
        "processing" | "viewed" | "in_progress" => "violet",
        "partial" | "shipped" | "on_hold" | "warning" => "amber",
        "paid" | "delivered" | "completed" | "active" | "verified" | "approved" | "done" => "green",
        "cancelled" | "failed" | "rejected" | "overdue" | "returned" | "churned" => "red",
        _ => "gray",
    }
    .to_owned()
}

/// `GET /meta`: modules, entities and reports that the person may read.
pub fn index(catalog: &Catalog, actor: &Actor, language: &str) -> Value {
    let mut modules = Vec::new();
    let mut entities = Map::new();
    let names = catalog.modules.iter().map(|m| m.name.as_str());
    for name in names {
        let words = Words::of(catalog, name, language);
        let mut shown = Vec::new();
        let mut of_module: Vec<&Entity> =
            catalog.all().filter(|e| e.module() == name && actor.access.may(e, "read")).collect();
        let order = words.module.and_then(|m| m.meta["menu"].as_array()).cloned().unwrap_or_default();
        of_module
            .sort_by_key(|e| order.iter().position(|o| o.as_str() == Some(e.short())).unwrap_or(usize::MAX));
        for entity in of_module {
            if entity.part_of.is_none() && entity.meta["hidden"] != true {
                shown.push(entity.name.clone());
            }
            entities.insert(entity.name.clone(), brief(actor, entity, &words));
        }
        if !shown.is_empty() {
            let meta = words.module.map_or(&Value::Null, |m| &m.meta);
            modules.push(
                json!({ "name": name, "title": words.title(), "icon": meta["icon"], "entities": shown }),
            );
        }
    }
    // Members are everywhere in relations, though no module shows them.
    if let Some(members) = catalog.entities.get(kernel::MEMBERS).filter(|e| actor.access.may(e, "read")) {
        entities.insert(members.name.clone(), brief(actor, members, &Words::of(catalog, "iam", language)));
    }
    let reports = crate::reports::index(catalog, actor, language);
    json!({ "modules": modules, "entities": entities, "reports": reports })
}

/// What these fields are called, in the order of the fields of the entity.
pub fn labels(
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    names: &[String],
    language: &str,
) -> Vec<String> {
    let words = Words::of(catalog, entity.module(), language);
    let own = actor.overlay.of(&entity.name).iter().map(|f| (format!("cf.{}", f.name), f.label.clone()));
    let fields = entity.columns.iter().map(|c| (c.name.clone(), words.word(entity, "fields", &c.name)));
    fields.chain(own).filter(|(name, _)| names.contains(name)).map(|(_, label)| label).collect()
}

/// What the records of an entity are called.
pub fn plural(catalog: &Catalog, entity: &Entity, language: &str) -> String {
    Words::of(catalog, entity.module(), language).entity(entity, "plural")
}

fn brief(actor: &Actor, entity: &Entity, words: &Words<'_>) -> Value {
    json!({
        "name": entity.name,
        "label": words.entity(entity, "label"),
        "plural": words.entity(entity, "plural"),
        "icon": entity.meta["icon"],
        "page": entity.meta["page"],
        "module": entity.module(),
        "title_field": entity.title(),
        "list": list(actor, entity),
        "part_of": entity.part_of,
        "can": can(actor, entity),
    })
}

fn can(actor: &Actor, entity: &Entity) -> Value {
    let may = |action| actor.access.may(entity, action);
    json!({
        "create": may("create"), "update": may("update"), "delete": may("delete"),
        "export": may("export"), "import": may("create") && may("import"),
        "talk": entity.part_of.is_none() && entity.name != kernel::MEMBERS,
    })
}

/// The columns of a list: the module's choice, else the first that say something.
pub(crate) fn list(actor: &Actor, entity: &Entity) -> Vec<String> {
    let seen = visible(actor, entity);
    let chosen: Vec<String> = entity.meta["list"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str())
        .filter_map(|name| {
            let column = entity.column(name).or_else(|| entity.relation(name))?;
            seen.iter().any(|(n, _)| *n == column.name).then(|| column.name.clone())
        })
        .collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let mut names: Vec<String> = vec![entity.title().to_owned()];
    for (name, field) in &seen {
        let dull = matches!(
            field.kind(),
            Kind::Json
                | Kind::Uuid
                | Kind::Textarea
                | Kind::Richtext
                | Kind::Location
                | Kind::Signature
                | Kind::Recurrence
                | Kind::File
                | Kind::Address
                | Kind::Button
        );
        if names.len() < 7
            && !dull
            && !entity.column(name).is_some_and(|c| c.is_system())
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}

/// `GET /meta/entities/{name}`: fields, form, parts, states, actions.
pub fn detail(
    catalog: &Catalog,
    modules: &'static [&'static Module],
    actor: &Actor,
    entity: &Entity,
    language: &str,
) -> Value {
    let words = Words::of(catalog, entity.module(), language);
    let seen = visible(actor, entity);
    let fields: Vec<Value> = seen
        .iter()
        .map(|(name, field)| match field {
            Field::Column(_) => column(catalog, actor, entity, name, &words),
            Field::Custom(f) => custom(catalog, actor, entity, f, language),
        })
        .collect();
    let form: Vec<Value> = match entity.meta["form"].as_array() {
        Some(rows) => rows
            .iter()
            .map(|row| row.as_array().cloned().unwrap_or_else(|| vec![row.clone()]))
            .map(|row| {
                let names = row.iter().filter_map(Value::as_str);
                names
                    .filter_map(|n| entity.column(n).or_else(|| entity.relation(n)))
                    .map(|c| c.name.clone())
                    .collect()
            })
            .filter(|row: &Vec<String>| !row.is_empty())
            .map(|row| json!(row))
            .collect(),
        None => entity.columns.iter().filter(|c| c.writable()).map(|c| json!([c.name])).collect(),
    };
    // What is computed stands beside the form, as all that nobody writes.
    let custom_rows = seen.iter().filter_map(|(name, field)| match field {
        Field::Custom(own) if !own.is_computed() => Some(json!([name])),
        _ => None,
    });
    let form: Vec<Value> = form.into_iter().chain(custom_rows).collect();
    let lines: Vec<Value> = entity
        .parts
        .iter()
        .map(|p| {
            let label = catalog.entities.get(&p.entity).map(|e| words.entity(e, "plural"));
            json!({ "name": p.name, "entity": p.entity, "fk": p.fk, "label": label })
        })
        .collect();
    let states = (!entity.transitions.is_empty()).then(|| {
        let options: Vec<Value> = entity
            .states()
            .iter()
            .map(|s| json!({ "id": s, "label": words.word(entity, "states", s), "color": colour(entity, s) }))
            .collect();
        let moves: Vec<Value> = entity
            .transitions
            .iter()
            .filter(|t| t.action != "auto")
            .map(|t| json!({ "action": t.action, "label": words.word(entity, "actions", &t.action), "from": t.source, "to": t.target }))
            .collect();
        json!({ "field": entity.transitions[0].field, "options": options, "moves": moves })
    });
    let mut actions: Vec<Value> = Vec::new();
    let named = entity.transitions.iter().map(|t| t.action.as_str()).filter(|a| *a != "auto");
    let own: Vec<&str> = kernel::actions(modules, &entity.name).map(|a| a.action).collect();
    for name in named.chain(own.iter().copied()) {
        if actor.access.may(entity, name) && !actions.iter().any(|a| a["name"] == name) {
            let meta = &entity.meta["actions"][name];
            actions.push(json!({
                "name": name, "label": words.word(entity, "actions", name),
                "from": meta["from"], "fields": asked(entity, &words, &meta["fields"]), "style": meta["style"],
            }));
        }
    }
    let mut detail = brief(actor, entity, &words);
    let more = json!({
        "description": words.sentence(entity.comment.as_deref()),
        "form": form,
        "search": entity.searchable,
        "document": entity.document,
        "fields": fields,
        "lines": lines,
        "states": states,
        "actions": actions,
        "views": entity.meta["views"],
        "import_call": entity.meta["import_call"],
    });
    if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
        detail.extend(more);
    }
    detail
}

/// What an action asks for, in the reader's words.
fn asked(entity: &Entity, words: &Words<'_>, fields: &Value) -> Value {
    let mut fields = fields.clone();
    for field in fields.as_array_mut().into_iter().flatten() {
        let name = field["name"].as_str().unwrap_or_default().to_owned();
        if field["label"].is_null() {
            field["label"] = json!(words.word(entity, "fields", &name));
        }
        for option in field["options"].as_array_mut().into_iter().flatten() {
            let id = option.as_str().unwrap_or_default();
            if let Some(label) = words.translated(&["options", id]) {
                *option = json!({ "id": id, "label": label, "color": null });
            }
        }
    }
    fields
}

fn column(catalog: &Catalog, actor: &Actor, entity: &Entity, name: &str, words: &Words<'_>) -> Value {
    let Some(column) = entity.column(name) else { return Value::Null };
    let workflow = entity.transitions.first().is_some_and(|t| t.field == name);
    let readonly = !column.writable() || workflow || entity.fk.as_deref() == Some(name);
    let write = actor.access.field(&entity.name, name) == FieldAccess::Write && !readonly;
    let options: Option<Vec<Value>> = (!column.options.is_empty()).then(|| {
        let group = if workflow { "states" } else { "options" };
        column
            .options
            .iter()
            .map(|o| json!({ "id": o, "label": words.word(entity, group, o), "color": colour(entity, &o.to_lowercase()) }))
            .collect()
    });
    // A file is shown and sent as one, not looked for among records.
    let is_file = column.target.as_deref() == Some("files.files");
    let target = column.target.as_ref().filter(|_| !is_file).and_then(|t| catalog.entities.get(t));
    let unique = entity.keys().any(|k| k == name);
    json!({
        "name": name,
        "label": words.word(entity, "fields", name),
        "help": words.sentence(column.comment.as_deref()),
        "type": if workflow { "select" } else if is_file { "file" } else { type_name(column.kind) },
        "required": column.required,
        "readonly": readonly,
        "access": if write { "write" } else { "read" },
        "default": plain_default(column.default.as_deref()),
        "options": options,
        "ref": target.map(|t| json!({ "entity": t.name, "title_field": t.title(), "relation": column.relation_name() })),
        "filterable": column.kind != Kind::Json,
        "sortable": column.kind.has_order(),
        "custom": false,
        "unique": unique,
        "system": column.is_system(),
        "currency_field": (column.kind == Kind::Money && entity.column("currency").is_some()).then_some("currency"),
    })
}

fn custom(catalog: &Catalog, actor: &Actor, entity: &Entity, field: &Own<'_>, language: &str) -> Value {
    let name = format!("cf.{}", field.name);
    let rated = field.kind == Kind::Rating;
    let readonly = !field.is_written();
    let write = actor.access.field(&entity.name, &name) == FieldAccess::Write && !readonly;
    let target = field.target().and_then(|t| catalog.entities.get(t));
    let options: Vec<Value> = field
        .options
        .iter()
        .map(|o| if o.is_object() { o.clone() } else { json!({ "id": o, "label": o, "color": "gray" }) })
        .collect();
    // A condition that asks what the person may not see would tell him that there is such a field.
    let shown = |condition: &Option<Value>| -> Option<Value> {
        condition.clone().filter(|c| crate::conditional::may_see(actor, entity, c))
    };
    let mut told = json!({
        "name": name, "label": field.label, "help": field.help, "type": type_name(field.kind), "look": field.look,
        "required": field.required, "readonly": readonly, "access": if write { "write" } else { "read" },
        "ref": target.map(|t| json!({ "entity": t.name, "title_field": t.title(), "relation": field.relation_name() })),
        "options": (!options.is_empty() && !rated).then_some(options),
        "max": rated.then(|| field.stars()),
        // A button moves the record: its cell is told of what.
        "of": (field.kind == Kind::Button).then_some(&entity.name),
        "settings": field.settings.as_object().is_some_and(|s| !s.is_empty()).then_some(&field.settings),
        "filterable": field.kind != Kind::Button, "sortable": field.kind.has_order(), "custom": true, "unique": false, "system": false,
        "visible_when": shown(&field.visible_when), "required_when": shown(&field.required_when),
    });
    if let Some(computed) = &field.computed {
        // It looks like what comes out of it.
        told["computed"] = json!(field.look);
        told["type"] = json!(type_name(computed.kind));
        told["look"] = Value::Null;
        told["sortable"] = json!(computed.kind.has_order());
        if let Some((of, source)) = &computed.shows
            && let Ok(of) = catalog.entity(of)
            && let Ok(source) = field_of(actor, of, source)
        {
            let source = match &source {
                Field::Column(c) => {
                    column(catalog, actor, of, &c.name, &Words::of(catalog, of.module(), language))
                }
                Field::Custom(own) => custom(catalog, actor, of, own, language),
            };
            for key in ["options", "max"] {
                told[key] = source[key].clone();
            }
            if computed.kind == field_kind(&source) {
                told["type"] = source["type"].clone();
                told["look"] = source["look"].clone();
            }
        }
    }
    told
}

fn field_kind(told: &Value) -> Kind {
    told["type"].as_str().and_then(Kind::of_type).unwrap_or_default()
}

fn type_name(kind: Kind) -> &'static str {
    kind.name()
}

/// A default that a form can show; what the database computes stays its own.
fn plain_default(default: Option<&str>) -> Value {
    let Some(default) = default else { return Value::Null };
    let text = default.split("::").next().unwrap_or(default);
    if let Some(text) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return if text.starts_with('{') { Value::Null } else { json!(text.replace("''", "'")) };
    }
    match text {
        "true" => json!(true),
        "false" => json!(false),
        "CURRENT_DATE" => json!("today"),
        n if n.parse::<f64>().is_ok() => json!(n),
        _ => Value::Null,
    }
}
