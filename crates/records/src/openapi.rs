use crate::{
    meta,
    plan::{Field, visible},
};
use kernel::{Actor, Catalog, Entity, FieldAccess, Kind, Module};
use serde_json::{Map, Value, json};

/// The routes that are not records: method, path, what it does. The rest of the document is read out of the catalog.
const FIXED: &[(&str, &str, &str)] = &[
    ("get", "/me", "Who is signed in, where, with which roles"),
    ("get", "/organization", "The company that the session is in"),
    ("get", "/members", "The people of the company"),
    ("get", "/roles", "The roles of the company and what they may do"),
    ("get", "/meta", "What there is, as far as the caller may read it"),
    ("get", "/search", "Finds records of all entities by words"),
    ("get", "/views", "Saved views"),
    ("get", "/notifications", "What the caller should know"),
    ("get", "/auth/sessions", "Where the caller is signed in"),
    ("get", "/auth/tokens", "The caller's API tokens"),
];

/// The API of one company as one person has it, OpenAPI 3.1: fields that he may not see are not in it.
pub fn openapi(
    catalog: &Catalog,
    modules: &'static [&'static Module],
    actor: &Actor,
    base_url: &str,
) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for (method, path, summary) in FIXED {
        let id = format!("{method}{}", path.replace(['/', '_'], "-"));
        let mut operation = json!({
            "operationId": id, "summary": summary, "tags": ["platform"],
            "responses": answers(json!({ "type": "object" }), "200"),
        });
        if *path == "/search" {
            operation["parameters"] =
                json!([{ "name": "q", "in": "query", "schema": { "type": "string", "maxLength": 200 } }]);
        }
        paths.insert((*path).to_owned(), json!({ *method: operation }));
    }
    let shown = catalog.entities.values().filter(|e| catalog.module(e.module()).is_some());
    for entity in shown.filter(|e| actor.access.may(e, "read")) {
        let name = schema_name(entity);
        schemas.insert(name.clone(), record(catalog, actor, entity, false));
        schemas.insert(format!("{name}Write"), record(catalog, actor, entity, true));
        for (path, item) in routes(catalog, modules, actor, entity) {
            paths.insert(path, item);
        }
    }
    schemas.insert("Problem".into(), problem());
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Fondaco", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" } },
        "servers": [{ "url": format!("{base_url}/api/v1") }],
        "security": [{ "bearer": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": "fondaco_session" },
            },
        },
    })
}

fn schema_name(entity: &Entity) -> String {
    let words = entity.name.split(['.', '_']);
    words.map(|w| w[..1].to_uppercase() + &w[1..]).collect()
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["title", "status", "detail"],
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "detail": { "type": "string" }, "request_id": { "type": "string", "format": "uuid" },
            "errors": { "type": "array", "items": { "type": "object", "properties": { "field": { "type": ["string", "null"] }, "message": { "type": "string" } } } },
        },
    })
}

/// What an operation answers: its own, and the problems that every one may answer.
fn answers(schema: Value, status: &str) -> Value {
    let problem = json!({ "description": "A problem", "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    let mut all = Map::new();
    let good = if schema.is_null() {
        json!({ "description": "Done" })
    } else {
        json!({ "description": "Done", "content": { "application/json": { "schema": schema } } })
    };
    all.insert(status.to_owned(), good);
    for code in ["400", "401", "403", "404", "409", "412", "413", "415", "422", "428", "429", "503"] {
        all.insert(code.to_owned(), problem.clone());
    }
    Value::Object(all)
}

fn value_schema(kind: Kind, options: &[String]) -> Value {
    match kind {
        Kind::Number | Kind::Money | Kind::Percent | Kind::Quantity => {
            json!({ "type": "string", "pattern": "^-?[0-9]{1,14}(\\.[0-9]{1,6})?$" })
        }
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Datetime => json!({ "type": "string", "format": "date-time" }),
        Kind::Relation | Kind::User | Kind::Uuid => json!({ "type": "string", "format": "uuid" }),
        Kind::Email => json!({ "type": "string", "format": "email" }),
        Kind::Url => json!({ "type": "string", "format": "uri" }),
        Kind::Select => json!({ "type": "string", "enum": options }),
        Kind::Tags | Kind::Multiselect => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Json | Kind::Hidden => json!({}),
        Kind::Text | Kind::Textarea | Kind::Phone => json!({ "type": "string" }),
    }
}

/// A record as it is read, or as it is written.
fn record(catalog: &Catalog, actor: &Actor, entity: &Entity, write: bool) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let workflow = entity.transitions.first().map(|t| t.field.as_str());
    for (name, field) in visible(actor, entity) {
        let (options, may_be_null, needed) = match &field {
            Field::Column(c) => {
                let writable =
                    c.writable() && Some(c.name.as_str()) != workflow && entity.fk.as_ref() != Some(&c.name);
                if write && (!writable || actor.access.field(&entity.name, &name) != FieldAccess::Write) {
                    continue;
                }
                (c.options.clone(), !c.not_null, c.required)
            }
            Field::Custom(f) => (f.choices().map(str::to_owned).collect(), true, f.required),
        };
        let mut schema = value_schema(field.kind(), &options);
        if may_be_null && let Some(kind) = schema.get("type").cloned() {
            schema["type"] = json!([kind, "null"]);
            if let Some(options) = schema["enum"].as_array_mut() {
                options.push(Value::Null);
            }
        }
        if write && needed {
            required.push(name.clone());
        }
        properties.insert(name, schema);
    }
    for part in &entity.parts {
        if let Some(inner) = catalog.entities.get(&part.entity) {
            let name = format!("{}{}", schema_name(inner), if write { "Write" } else { "" });
            properties.insert(
                part.name.clone(),
                json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{name}") } }),
            );
        }
    }
    if !write {
        properties.insert("_actions".into(), json!({ "type": "array", "items": { "type": "string" } }));
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if write {
        schema["additionalProperties"] = json!(false);
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
    }
    schema
}

fn routes(
    catalog: &Catalog,
    modules: &'static [&'static Module],
    actor: &Actor,
    entity: &Entity,
) -> Vec<(String, Value)> {
    let name = schema_name(entity);
    let root = format!("/{}/{}", entity.module(), entity.short());
    let tags = json!([entity.module()]);
    let read = json!({ "$ref": format!("#/components/schemas/{name}") });
    let body = |schema: Value, required: bool| json!({ "required": required, "content": { "application/json": { "schema": schema } } });
    let write = json!({ "$ref": format!("#/components/schemas/{name}Write") });
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } });
    let query = |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
    let text = || json!({ "type": "string" });
    let may = |action: &str| actor.access.may(entity, action);
    let mut list = Map::new();
    list.insert("get".into(), json!({
        "operationId": format!("list{name}"), "tags": tags, "summary": format!("A page of {}", entity.short()),
        "parameters": [
            query("filter", text()), query("q", json!({ "type": "string", "maxLength": 200 })), query("sort", text()), query("fields", text()), query("expand", text()),
            query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 500 })), query("cursor", text()),
            query("offset", json!({ "type": "integer", "minimum": 0, "maximum": 100_000 })), query("count", json!({ "type": "string", "enum": ["exact", "estimate", "none"] })),
        ],
        "responses": answers(json!({ "type": "object", "required": ["data", "next"], "properties": {
            "data": { "type": "array", "items": read }, "next": { "type": ["string", "null"] },
            "count": { "type": "object", "properties": { "value": { "type": "integer" }, "exact": { "type": "boolean" } } },
        } }), "200"),
    }));
    let mut one = Map::new();
    one.insert("parameters".into(), json!([id]));
    one.insert("get".into(), json!({
        "operationId": format!("get{name}"), "tags": tags, "summary": "One record, with what the caller may do with it",
        "parameters": [query("fields", text()), query("expand", text())], "responses": answers(read.clone(), "200"),
    }));
    let match_header = json!({ "name": "If-Match", "in": "header", "required": entity.document, "schema": { "type": "string", "pattern": "^\"[0-9]{1,9}\"$" } });
    let mut rest = Vec::new();
    if may("update") {
        one.insert("patch".into(), json!({
            "operationId": format!("change{name}"), "tags": tags, "parameters": [match_header],
            "requestBody": body(json!({ "type": "object" }), true), "responses": answers(read.clone(), "200"),
        }));
    }
    if entity.part_of.is_none() {
        if may("create") {
            list.insert("post".into(), json!({
                "operationId": format!("create{name}"), "tags": tags,
                "parameters": [{ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9._:-]+$" } }],
                "requestBody": body(write, true), "responses": answers(read.clone(), "201"),
            }));
        }
        if may("delete") {
            one.insert("delete".into(), json!({ "operationId": format!("delete{name}"), "tags": tags, "responses": answers(Value::Null, "204") }));
            rest.push((format!("{root}/{{id}}/restore"), json!({ "parameters": [id], "post": {
                "operationId": format!("restore{name}"), "tags": tags, "responses": answers(read.clone(), "200"),
            } })));
        }
        let detail = meta::detail(catalog, modules, actor, entity, "en");
        for action in detail["actions"].as_array().into_iter().flatten() {
            let action = action["name"].as_str().unwrap_or_default();
            rest.push((format!("{root}/{{id}}/{action}"), json!({ "parameters": [id], "post": {
                "operationId": format!("{action}{name}"), "tags": tags,
                "requestBody": body(json!({ "type": "object" }), false), "responses": answers(read.clone(), "200"),
            } })));
        }
    }
    rest.push((format!("{root}/_aggregate"), json!({ "post": {
        "operationId": format!("aggregate{name}"), "tags": tags,
        "requestBody": body(json!({ "type": "object", "properties": {
            "group_by": { "type": "array", "items": text() }, "metrics": { "type": "array", "maxItems": 10, "items": { "type": "object" } },
            "filter": { "type": "object" }, "q": text(), "sort": { "type": "array", "items": text() }, "limit": { "type": "integer" },
        }, "additionalProperties": false }), true),
        "responses": answers(json!({ "type": "object", "properties": { "data": { "type": "array", "items": { "type": "object" } } } }), "200"),
    } })));
    rest.push((root.clone(), Value::Object(list)));
    rest.push((format!("{root}/{{id}}"), Value::Object(one)));
    rest
}
