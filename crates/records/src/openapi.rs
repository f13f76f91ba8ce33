use crate::{
    meta,
    plan::{Field, visible},
    value::PLACES,
};
use kernel::{Actor, Catalog, Entity, FieldAccess, Kind, Module};
use serde_json::{Map, Value, json};

/// A route that is not a record's. The rest of the document is read out of the catalog.
struct Fixed {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    /// Of the good answer.
    status: &'static str,
    /// Parameters of the query and fields of the body: a text, or as said after a colon; `!` must be there.
    query: &'static str,
    body: &'static str,
}

const fn fixed(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    status: &'static str,
    query: &'static str,
    body: &'static str,
) -> Fixed {
    Fixed { method, path, summary, status, query, body }
}

const FIXED: &[Fixed] = &[
    fixed(
        "post",
        "/auth/register",
        "Ask for an account",
        "202",
        "",
        "email! password! first_name! last_name!",
    ),
    fixed("post", "/auth/verify", "Confirm the address with the code of the mail", "200", "", "email! code!"),
    fixed("post", "/auth/resend", "Another code", "202", "", "email!"),
    fixed("post", "/auth/login", "Sign in", "200", "", "email! password! code"),
    fixed("post", "/auth/logout", "Sign out", "204", "", ""),
    fixed("post", "/auth/forgot", "Ask for a link to choose a new password", "202", "", "email!"),
    fixed("post", "/auth/reset", "Choose a new password", "200", "", "email! code! password!"),
    fixed(
        "post",
        "/auth/password",
        "Change the password; all other sessions end",
        "204",
        "",
        "current_password! new_password!",
    ),
    fixed("post", "/auth/email", "Change the address", "202", "", "email! password!"),
    fixed("post", "/auth/email/confirm", "Confirm a new address", "200", "", "code!"),
    fixed("get", "/auth/sessions", "Where the caller is signed in", "200", "", ""),
    fixed("delete", "/auth/sessions", "End all other sessions", "204", "", ""),
    fixed("delete", "/auth/sessions/{id}", "End a session", "204", "", ""),
    fixed("post", "/auth/totp", "Begin with a second factor", "200", "", ""),
    fixed("post", "/auth/totp/enable", "Switch it on with the first code", "200", "", "code!"),
    fixed("post", "/auth/totp/disable", "Switch it off", "204", "", "password!"),
    fixed("get", "/auth/tokens", "The caller's keys for programs", "200", "", ""),
    fixed(
        "post",
        "/auth/tokens",
        "A key for a program, shown once",
        "201",
        "",
        "name! scopes!:list expires_at allowed_ips:list",
    ),
    fixed("delete", "/auth/tokens/{id}", "Take a key back", "204", "", ""),
    fixed("get", "/me", "Who is signed in, where, with which roles", "200", "", ""),
    fixed(
        "patch",
        "/me",
        "Change what is the caller's own",
        "200",
        "",
        "first_name last_name locale time_zone theme preferences:object",
    ),
    fixed("get", "/me/profile", "What the caller tells of himself", "200", "", ""),
    fixed("put", "/me/profile", "Tell it anew", "200", "", "title phone bio skills:list visibility:object"),
    fixed("put", "/me/picture", "A picture of the caller", "204", "", "#"),
    fixed("delete", "/me/picture", "No picture any more", "204", "", ""),
    fixed("get", "/people/{id}", "What a colleague tells of himself", "200", "", ""),
    fixed("get", "/people/{id}/picture", "A colleague's picture", "200", "", ""),
    fixed(
        "post",
        "/organizations",
        "Found a company",
        "201",
        "",
        "name! country! currency! time_zone! language bin modules:list",
    ),
    fixed("post", "/organizations/{id}/activate", "Go into another company", "200", "", ""),
    fixed("get", "/organization", "The company that the session is in", "200", "", ""),
    fixed("patch", "/organization", "Change the company's own data", "200", "", "*"),
    fixed("get", "/workspaces", "The divisions of the company", "200", "", ""),
    fixed("post", "/workspaces", "Another division", "201", "", "name! kind"),
    fixed("patch", "/workspaces/{id}", "Change a division, or close it", "200", "", "name kind status"),
    fixed("get", "/settings", "What can be set, was set, and is in force", "200", "", ""),
    fixed(
        "put",
        "/settings/{key}",
        "Set it for a scope; null takes it away",
        "200",
        "",
        "scope! workspace_id:id value:any",
    ),
    fixed("get", "/onboarding", "What the company has set up so far", "200", "", ""),
    fixed("post", "/onboarding/{step}/dismiss", "Remind of a step no more", "200", "", ""),
    fixed("get", "/members", "The people of the company", "200", "", ""),
    fixed("post", "/members/invite", "Ask somebody in", "201", "", "email! roles!:list"),
    fixed(
        "patch",
        "/members/{id}",
        "Change a member's roles, state and place",
        "200",
        "",
        "roles:list workspace_roles:list status manager_id:id default_workspace_id:id workspace_ids:list",
    ),
    fixed("delete", "/members/{id}", "Let a member go", "204", "", ""),
    fixed("post", "/invitations/accept", "Come in", "200", "", "code! password first_name last_name"),
    fixed("get", "/roles", "The roles of the company and what they may do", "200", "", ""),
    fixed(
        "post",
        "/roles",
        "A role of the company's own",
        "201",
        "",
        "name! label description template grants:object fields:object",
    ),
    fixed(
        "patch",
        "/roles/{id}",
        "Change what a role may do",
        "200",
        "",
        "label description is_active:boolean grants:object fields:object",
    ),
    fixed("delete", "/roles/{id}", "Take a role away", "204", "", ""),
    fixed(
        "post",
        "/roles/{id}/view",
        "Look at the company as this role would; nothing changes meanwhile",
        "200",
        "",
        "workspace_id:id",
    ),
    fixed("delete", "/auth/view", "Be oneself again", "204", "", ""),
    fixed("get", "/meta", "What there is, as far as the caller may read it", "200", "", ""),
    fixed("get", "/meta/entities/{name}", "Fields, form, states and actions of an entity", "200", "", ""),
    fixed("get", "/openapi.json", "This document", "200", "", ""),
    fixed("get", "/search", "Finds records of all entities by words", "200", "q types limit", ""),
    fixed("get", "/events", "What changes, as it changes: server-sent events", "200", "", ""),
    fixed(
        "get",
        "/audit",
        "The history of the company",
        "200",
        "entity record:id actor:id from to cursor:id",
        "",
    ),
    fixed(
        "get",
        "/audit/proof",
        "What the last nightly check of the books found, and through when the history is sealed",
        "200",
        "",
        "",
    ),
    fixed("get", "/audit/export", "The same as CSV", "200", "entity record:id actor:id from to", ""),
    fixed(
        "get",
        "/approvals",
        "What waits for approval: mine to decide, requested or decided by me, all, or those about a record",
        "200",
        "of state cursor:id entity record:id",
        "",
    ),
    fixed("get", "/approvals/{id}", "An approval with its levels and what was decided", "200", "", ""),
    fixed(
        "post",
        "/approvals/{id}/decide",
        "Approve, reject, return, ask or delegate; the last approval takes the action",
        "200",
        "",
        "decision! comment to:id",
    ),
    fixed(
        "post",
        "/approvals/_decide",
        "The same decision on many, each by itself",
        "200",
        "",
        "ids!:list decision! comment to:id",
    ),
    fixed("post", "/approvals/{id}/answer", "Answer a question of who decides", "200", "", "comment!"),
    fixed("post", "/approvals/{id}/withdraw", "Take back what one has asked for", "200", "", "comment"),
    fixed("get", "/approval-rules", "When actions wait for approval", "200", "", ""),
    fixed(
        "post",
        "/approval-rules",
        "Another rule",
        "201",
        "",
        "name! entity! action! condition:object levels!:list position:integer is_active:boolean on_reject on_return",
    ),
    fixed(
        "put",
        "/approval-rules/{id}",
        "The rule anew",
        "200",
        "",
        "name! entity! action! condition:object levels!:list position:integer is_active:boolean on_reject on_return",
    ),
    fixed("delete", "/approval-rules/{id}", "No such rule any more", "204", "", ""),
    fixed("get", "/triggers", "What happens by itself, and what each trigger did last", "200", "", ""),
    fixed(
        "post",
        "/triggers",
        "When something happens to a record, if a condition holds, then actions",
        "201",
        "",
        "name! entity! event! actions!:list description fields:list action condition:object on_error is_active:boolean",
    ),
    fixed("get", "/triggers/{id}", "A trigger", "200", "", ""),
    fixed(
        "put",
        "/triggers/{id}",
        "Put another in its place; it runs as whoever saves it",
        "200",
        "",
        "name! entity! event! actions!:list description fields:list action condition:object on_error is_active:boolean",
    ),
    fixed("delete", "/triggers/{id}", "No such trigger any more", "204", "", ""),
    fixed(
        "post",
        "/triggers/{id}/try",
        "What the condition says of a record and what would be done; nothing is",
        "200",
        "",
        "record!:id",
    ),
    fixed(
        "get",
        "/trigger-executions",
        "What triggers did, the newest first",
        "200",
        "trigger:id status outcome cursor:id",
        "",
    ),
    fixed("get", "/trigger-executions/{id}", "One run: the event, each verdict, each action", "200", "", ""),
    fixed("get", "/delegations", "Who is away, and who decides for him", "200", "", ""),
    fixed(
        "post",
        "/delegations",
        "Somebody decides in one's name for some days",
        "201",
        "",
        "person:id delegate!:id starts_on ends_on! reason",
    ),
    fixed("delete", "/delegations/{id}", "Be back", "204", "", ""),
    fixed("get", "/views", "Saved views of an entity, or those with these ids", "200", "entity ids", ""),
    fixed(
        "post",
        "/views",
        "Save a view: for oneself, for the people of a workspace or for everybody",
        "201",
        "",
        "entity! name! kind visibility team_id:id locked:boolean default_for:list position:integer state:object",
    ),
    fixed(
        "patch",
        "/views/{id}",
        "Change a view",
        "200",
        "",
        "name kind visibility team_id:id locked:boolean default_for:list position:integer state:object",
    ),
    fixed("delete", "/views/{id}", "Take a view away", "204", "", ""),
    fixed("get", "/shares", "The public links of a view", "200", "view_id!:id", ""),
    fixed(
        "post",
        "/shares",
        "Make a link that shows one's own view to whoever has it; told once",
        "201",
        "",
        "view_id!:id expires_at password",
    ),
    fixed("delete", "/shares/{id}", "Take a link back", "204", "", ""),
    fixed("post", "/public/{token}", "Open a link, without signing in", "200", "", "password"),
    fixed(
        "get",
        "/public/{token}/rows",
        "A page of what a link shows; wants X-Share-Key",
        "200",
        "offset:integer limit:integer lane from to",
        "",
    ),
    fixed(
        "get",
        "/public/{token}/widgets",
        "What the widgets of a shared dashboard say; wants X-Share-Key",
        "200",
        "",
        "",
    ),
    fixed(
        "get",
        "/public/{token}/pictures/{id}",
        "A picture that a shared gallery shows; wants the key in the address",
        "200",
        "key!",
        "",
    ),
    fixed(
        "post",
        "/public/{token}/aggregate",
        "Counts and sums of what a link shows; wants X-Share-Key",
        "200",
        "",
        "group_by:list sums:list",
    ),
    fixed("get", "/fields", "Fields that the company added", "200", "entity", ""),
    fixed(
        "post",
        "/fields",
        "Add a field",
        "201",
        "",
        "entity! name! label type required:boolean options:list settings:object help visible_when:object required_when:object",
    ),
    fixed(
        "patch",
        "/fields/{id}",
        "Change a field",
        "200",
        "",
        "label required:boolean options:list settings:object help position:integer visible_when:object required_when:object",
    ),
    fixed(
        "post",
        "/fields/_try",
        "What a computed field would be, and what it would say of the first records",
        "200",
        "",
        "entity! name! type! settings:object",
    ),
    fixed("delete", "/fields/{id}", "Take a field away; its values stay", "204", "", ""),
    fixed(
        "get",
        "/tables",
        "Tables that the company made for itself, or those in the trash",
        "200",
        "deleted",
        "",
    ),
    fixed(
        "post",
        "/tables",
        "Make a table; its records are at /custom/{name}",
        "201",
        "",
        "name! title! singular description icon states:list moves:list",
    ),
    fixed(
        "patch",
        "/tables/{id}",
        "Change a table, its states and moves",
        "200",
        "",
        "title singular description icon states:list moves:list",
    ),
    fixed("delete", "/tables/{id}", "Throw a table away; its records stay for thirty days", "204", "", ""),
    fixed("post", "/tables/{id}/restore", "Bring a table back with its records", "200", "", ""),
    fixed(
        "get",
        "/jobs",
        "The caller's own work in the background, the newest first; the company's for administrators",
        "200",
        "limit whose state before:id",
        "",
    ),
    fixed("get", "/schedules", "What comes back in the company, and when", "200", "", ""),
    fixed("get", "/numbers", "How documents are numbered", "200", "", ""),
    fixed("put", "/numbers/{series}", "Number them otherwise from now on", "200", "", "pattern"),
    fixed("get", "/system", "How the server does, for who runs it", "200", "", ""),
    fixed("get", "/system/logs", "Its errors, by kind", "200", "resolved:boolean", ""),
    fixed("post", "/system/logs/{id}/resolve", "Somebody has seen to it", "204", "", ""),
    fixed("post", "/jobs/{id}/cancel", "Stop it; what is done stays", "204", "", ""),
    fixed("post", "/jobs/{id}/retry", "Try a failed one again", "204", "", ""),
    fixed("post", "/jobs/{id}/undo", "Take back what a bulk request did", "202", "", ""),
    fixed("get", "/jobs/{id}", "How far a job is", "200", "", ""),
    fixed(
        "get",
        "/files",
        "Files that hang on a record",
        "200",
        "entity! record!:id whose sort offset:integer",
        "",
    ),
    fixed("post", "/files", "Send a file", "201", "name entity record:id", "#"),
    fixed("get", "/files/{id}", "A file's bytes", "200", "", ""),
    fixed("patch", "/files/{id}", "Hang a file on a record", "204", "", "entity! record!:id"),
    fixed("delete", "/files/{id}", "Throw a file away", "204", "", ""),
    fixed("get", "/comments", "What people say about a record", "200", "entity! record!:id", ""),
    fixed(
        "post",
        "/comments",
        "Say something about a record",
        "201",
        "",
        "entity! record!:id body! parent_id:id mentions:list",
    ),
    fixed("patch", "/comments/{id}", "Change one's own words", "200", "", "body!"),
    fixed("delete", "/comments/{id}", "Take one's own words back", "204", "", ""),
    fixed("post", "/comments/{id}/react", "Put a sign under it, or take it away", "200", "", "sign!"),
    fixed(
        "get",
        "/comments/people",
        "Colleagues who may read a record, to name them",
        "200",
        "entity! record!:id q",
        "",
    ),
    fixed(
        "post",
        "/comments/seen",
        "All that is said about a record is read",
        "200",
        "",
        "entity! record!:id",
    ),
    fixed("get", "/followers", "Who follows a record", "200", "entity! record!:id", ""),
    fixed(
        "post",
        "/followers",
        "Begin to follow a record, or cease to",
        "204",
        "",
        "entity! record!:id follow!:boolean",
    ),
    fixed("get", "/conversations", "The caller's conversations", "200", "archived:boolean cursor:id", ""),
    fixed(
        "post",
        "/conversations",
        "Begin a conversation: direct, group or channel",
        "201",
        "",
        "kind! name open:boolean members:list",
    ),
    fixed("get", "/conversations/open", "Open channels that the caller may join", "200", "q", ""),
    fixed("get", "/conversations/{id}", "A conversation, and who has read up to where", "200", "", ""),
    fixed(
        "patch",
        "/conversations/{id}",
        "Rename, open, archive; or mute for oneself",
        "200",
        "",
        "name open:boolean archived:boolean muted:boolean",
    ),
    fixed("post", "/conversations/{id}/join", "Join an open channel", "200", "", ""),
    fixed("post", "/conversations/{id}/members", "Bring colleagues in", "200", "", "members!:list"),
    fixed("post", "/conversations/{id}/leave", "Go, or take somebody out", "204", "", "member:id"),
    fixed(
        "post",
        "/conversations/{id}/read",
        "Everything up to this number is read",
        "200",
        "",
        "number!:integer",
    ),
    fixed(
        "get",
        "/conversations/{id}/messages",
        "What was written, a page in the order of writing",
        "200",
        "before:integer from:integer q thread:id",
        "",
    ),
    fixed(
        "post",
        "/conversations/{id}/messages",
        "Write; the same id once more is the same message",
        "201",
        "",
        "id:id body! parent_id:id mentions:list files:list",
    ),
    fixed("get", "/messages", "Find in all of the caller's conversations", "200", "q!", ""),
    fixed("patch", "/messages/{id}", "Change one's own words", "200", "", "body!"),
    fixed("delete", "/messages/{id}", "Take one's own words back", "204", "", ""),
    fixed("post", "/messages/{id}/react", "Put a sign under it, or take it away", "200", "", "sign!"),
    fixed(
        "post",
        "/presence",
        "Say that the caller is at a record, and see who else is",
        "200",
        "",
        "entity! record!:id window!:id field caret",
    ),
    fixed("delete", "/presence/{id}", "Say that a window was closed", "204", "", ""),
    fixed("get", "/docs/{name}/{id}/{field}", "A formatted field as a file: md, html", "200", "format", ""),
    fixed(
        "post",
        "/docs/{name}/{id}/{field}",
        "Give and take what is new in a document that several write at once (Yjs updates in base64)",
        "200",
        "",
        "vector! update",
    ),
    fixed("get", "/notifications", "What the caller should know", "200", "state unread limit before:id", ""),
    fixed(
        "patch",
        "/notifications/{id}",
        "Put it away, off, or back: read, unread, done, snoozed, inbox",
        "204",
        "",
        "state! until",
    ),
    fixed("post", "/notifications/read", "All of it is read", "204", "", ""),
    fixed("post", "/notifications/{id}/read", "It is read", "204", "", ""),
    fixed("get", "/imports/{id}", "How far an import is", "200", "", ""),
    fixed(
        "patch",
        "/imports/{id}",
        "Say which column is which field",
        "200",
        "",
        "mapping:object upsert_key save_as",
    ),
    fixed("get", "/imports/{id}/errors.csv", "The rows that did not come in", "200", "", ""),
    fixed("post", "/imports/{id}/check", "Try an import", "202", "", ""),
    fixed("post", "/imports/{id}/run", "Carry an import out", "202", "", ""),
    fixed("post", "/imports/{id}/undo", "Take an import back", "202", "", ""),
];

/// `name`, `name!`, `name:object`.
fn named_schema(word: &str) -> (&str, bool, Value) {
    let (name, kind) = word.split_once(':').unwrap_or((word, "string"));
    let schema = match kind {
        "id" => json!({ "type": "string", "format": "uuid" }),
        "list" => json!({ "type": "array" }),
        "any" => json!({}),
        kind => json!({ "type": kind }),
    };
    (name.trim_end_matches('!'), name.ends_with('!'), schema)
}

fn fixed_operation(route: &Fixed) -> Value {
    let in_path = route.path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(route.query.split_whitespace().map(|word| {
        let (name, required, schema) = named_schema(word);
        json!({ "name": name, "in": "query", "required": required, "schema": schema })
    }));
    let id = format!("{}{}", route.method, route.path.replace(['/', '_', '.'], "-").replace(['{', '}'], ""));
    let responses = match (route.method, route.path) {
        ("get", "/files/{id}" | "/public/{token}/pictures/{id}") => bytes(&["*/*"]),
        ("get", "/imports/{id}/errors.csv" | "/audit/export") => bytes(&["text/csv"]),
        ("get", "/events") => bytes(&["text/event-stream"]),
        _ => answers(if route.status == "204" { Value::Null } else { json!({}) }, route.status),
    };
    let mut operation = json!({
        "operationId": id, "summary": route.summary, "tags": ["platform"], "parameters": parameters, "responses": responses,
    });
    match route.body {
        "" => {}
        "#" => {
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/octet-stream": {} } })
        }
        "*" => {
            operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": { "type": "object" } } } })
        }
        fields => {
            let fields: Vec<_> = fields.split_whitespace().map(named_schema).collect();
            let required: Vec<&str> = fields.iter().filter(|f| f.1).map(|f| f.0).collect();
            let properties: Map<String, Value> =
                fields.into_iter().map(|(name, _, schema)| (name.to_owned(), schema)).collect();
            let mut schema =
                json!({ "type": "object", "properties": properties, "additionalProperties": false });
            if !required.is_empty() {
                schema["required"] = json!(required);
            }
            operation["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        }
    }
    operation
}

/// A report with its own parameters; as a file with `format`.
fn report_operation(module: &str, name: &str, report: &Value) -> Value {
    let query = |name: &Value, required: bool, schema: Value| json!({ "name": name, "in": "query", "required": required, "schema": schema });
    let mut parameters: Vec<Value> = report["params"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|p| {
            let schema = match (p["type"].as_str(), &p["options"]) {
                (_, Value::Array(options)) => json!({ "type": "string", "enum": options }),
                (Some("date"), _) => json!({ "type": "string", "format": "date" }),
                (Some("relation"), _) => json!({ "type": "string", "format": "uuid" }),
                (Some("integer"), _) => json!({ "type": "integer" }),
                _ => json!({ "type": "string" }),
            };
            query(&p["name"], p["required"] == true, schema)
        })
        .collect();
    parameters.push(query(&json!("format"), false, json!({ "type": "string", "enum": ["csv", "xlsx"] })));
    parameters.push(query(&json!("language"), false, json!({ "type": "string", "enum": kernel::LANGUAGES })));
    json!({
        "operationId": format!("report-{module}-{name}"), "summary": report["label"], "tags": [module],
        "parameters": parameters, "responses": answers(json!({}), "200"),
    })
}

/// The API of one company as one person has it, OpenAPI 3.1: fields that he may not see are not in it.
pub fn openapi(
    catalog: &Catalog,
    modules: &'static [&'static Module],
    actor: &Actor,
    base_url: &str,
) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for route in FIXED {
        paths.entry(route.path).or_insert_with(|| json!({}))[route.method] = fixed_operation(route);
    }
    for module in modules {
        for call in module.calls {
            let operation = json!({
                "operationId": format!("call-{}-{}", module.name, call.name), "tags": [module.name],
                "requestBody": { "content": { "application/json": { "schema": { "type": "object" } } } },
                "responses": answers(json!({}), "200"),
            });
            paths.insert(format!("/{}/_call/{}", module.name, call.name), json!({ "post": operation }));
        }
    }
    for report in crate::reports::index(catalog, actor, "en")
        .iter()
        .flat_map(|m| m["reports"].as_array().into_iter().flatten())
    {
        let (module, name) =
            (report["module"].as_str().unwrap_or_default(), report["name"].as_str().unwrap_or_default());
        paths.insert(
            format!("/reports/{module}/{name}"),
            json!({ "get": report_operation(module, name, report) }),
        );
    }
    let routed = |e: &&Entity| catalog.module(e.module()).is_some() || e.name == kernel::MEMBERS;
    let shown = catalog.all().filter(routed);
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

/// As [`answers`], for bytes of these types.
fn bytes(types: &[&str]) -> Value {
    let content: Map<String, Value> = types.iter().map(|t| ((*t).to_owned(), json!({}))).collect();
    let mut all = answers(Value::Null, "200");
    all["200"]["content"] = Value::Object(content);
    all
}

fn value_schema(kind: Kind, options: &[String]) -> Value {
    match kind {
        Kind::Number | Kind::Money | Kind::Percent | Kind::Quantity => {
            json!({ "type": "string", "pattern": "^-?[0-9]{1,14}(\\.[0-9]{1,6})?$" })
        }
        Kind::Integer | Kind::Autonumber => json!({ "type": "integer" }),
        Kind::Time => json!({ "type": "string", "pattern": "^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$" }),
        Kind::Daterange => {
            json!({ "type": "string", "description": "The first and the last day, 2026-11-01/2026-11-05. Written also as {from, to}." })
        }
        Kind::Users => json!({ "type": "array", "items": { "type": "string", "format": "uuid" } }),
        Kind::Address => {
            let parts = PLACES.map(|part| (part.to_owned(), json!({ "type": "string" })));
            json!({ "type": "object", "additionalProperties": false, "properties": Map::from_iter(parts) })
        }
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Datetime => json!({ "type": "string", "format": "date-time" }),
        Kind::Relation | Kind::User | Kind::Uuid => json!({ "type": "string", "format": "uuid" }),
        Kind::Email => json!({ "type": "string", "format": "email" }),
        Kind::Url => json!({ "type": "string", "format": "uri" }),
        Kind::Select => json!({ "type": "string", "enum": options }),
        Kind::Tags | Kind::Multiselect => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Json | Kind::Button | Kind::Hidden => json!({}),
        Kind::Rating => json!({ "type": "integer", "minimum": 0, "maximum": 10 }),
        Kind::Duration => {
            json!({ "type": "integer", "minimum": 0, "description": "Minutes. Written also as 1:30, 90m or 1.5h." })
        }
        Kind::Color => json!({ "type": "string", "pattern": "^#[0-9a-f]{6}$" }),
        Kind::Country => json!({ "type": "string", "pattern": "^[A-Z]{2}$" }),
        Kind::Richtext => json!({ "type": "string", "description": "Markdown." }),
        Kind::Recurrence => {
            json!({ "type": "string", "description": "A rule of RFC 5545, FREQ=WEEKLY;BYDAY=MO, and on a second line days to skip, EXDATE:20261231." })
        }
        Kind::File => json!({
            "type": "array", "description": "Files that were sent before, by their ids; read, also what they are called.",
            "items": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "string", "format": "uuid" },
                "name": { "type": "string", "readOnly": true },
                "type": { "type": "string", "readOnly": true },
                "size": { "type": "integer", "readOnly": true },
            } },
        }),
        Kind::Location => json!({
            "type": "object", "required": ["lat", "lon"], "additionalProperties": false,
            "properties": {
                "lat": { "type": "number", "minimum": -90, "maximum": 90 },
                "lon": { "type": "number", "minimum": -180, "maximum": 180 },
                "label": { "type": "string" },
            },
        }),
        Kind::Signature => json!({
            "type": "object",
            "properties": {
                "path": { "type": "string", "description": "The strokes, as the path of an SVG of 300 by 100." },
                "text": { "type": "string", "description": "The name, where it was typed." },
                "by": { "type": "string", "format": "uuid", "readOnly": true },
                "at": { "type": "string", "format": "date-time", "readOnly": true },
            },
        }),
        Kind::Text | Kind::Textarea | Kind::Phone | Kind::Timezone | Kind::Barcode => {
            json!({ "type": "string" })
        }
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
            Field::Custom(f) if write && !f.is_written() => continue,
            Field::Custom(f) => (f.choices().map(str::to_owned).collect(), true, f.required),
        };
        let mut schema = value_schema(field.kind(), &options);
        if may_be_null && let Some(kind) = schema.get("type").cloned() {
            schema["type"] = json!([kind, "null"]);
            if let Some(options) = schema.get_mut("enum").and_then(Value::as_array_mut) {
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
            query("filter", text()), query("q", json!({ "type": "string", "maxLength": 200 })), query("sort", text()), query("fields", text()), query("expand", text()), query("occurs", text()),
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
    if may("update") && entity.is_editable() {
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
    let history = json!({ "operationId": format!("history{name}"), "tags": tags, "parameters": [query("cursor", text())], "responses": answers(json!({ "type": "object" }), "200") });
    rest.push((format!("{root}/{{id}}/_history"), json!({ "parameters": [id], "get": history })));
    let print = json!({ "operationId": format!("print{name}"), "tags": tags, "parameters": [query("language", json!({ "type": "string", "enum": ["en", "ru", "kk"] }))],
        "responses": { "200": { "description": "A PDF", "content": { "application/pdf": {} } } } });
    rest.push((format!("{root}/{{id}}/_print"), json!({ "parameters": [id], "get": print })));
    if may("export") {
        let letter = json!({ "type": "object", "properties": { "to": { "type": "string", "format": "email" }, "subject": text(), "message": text(),
            "language": text() }, "required": ["to"], "additionalProperties": false });
        rest.push((format!("{root}/{{id}}/_send"), json!({ "parameters": [id], "post": {
            "operationId": format!("send{name}"), "tags": tags, "requestBody": body(letter, true), "responses": answers(json!({ "type": "object" }), "202"),
        } })));
    }
    if entity.part_of.is_none() {
        rest.push((format!("{root}/_bulk"), json!({ "post": {
            "operationId": format!("bulk{name}"), "tags": tags,
            "requestBody": body(json!({ "type": "object", "properties": {
                "action": text(), "ids": { "type": "array", "items": { "type": "string", "format": "uuid" } }, "filter": { "type": "object" }, "changes": { "type": "object" },
            }, "additionalProperties": false }), true),
            "responses": answers(json!({ "type": "object" }), "200"),
        } })));
    }
    if may("export") {
        rest.push((format!("{root}/_export"), json!({ "get": {
            "operationId": format!("export{name}"), "tags": tags,
            "parameters": [
                query("format", json!({ "type": "string", "enum": ["csv", "xlsx", "json"] })), query("filter", text()), query("q", text()),
                query("sort", text()), query("fields", text()),
            ],
            "responses": bytes(&["text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/json"]),
        } })));
    }
    if may("create") && may("import") && entity.part_of.is_none() {
        let schema = json!({ "type": "object", "properties": { "file": { "type": "string", "format": "uuid" } }, "required": ["file"], "additionalProperties": false });
        rest.push((
            format!("{root}/_import"),
            json!({ "post": {
            "operationId": format!("import{name}"), "tags": tags, "requestBody": body(schema, true),
            "responses": answers(json!({ "type": "object" }), "201"),
        } }),
        ));
    }
    rest.push((format!("{root}/_aggregate"), json!({ "post": {
        "operationId": format!("aggregate{name}"), "tags": tags,
        "requestBody": body(json!({ "type": "object", "properties": {
            "group_by": { "type": "array", "items": text() }, "metrics": { "type": "array", "maxItems": 10, "items": { "type": "object" } },
            "filter": { "type": "object" }, "q": text(), "sort": { "type": "array", "items": text() }, "limit": { "type": "integer" }, "totals": { "type": "boolean" },
        }, "additionalProperties": false }), true),
        "responses": answers(json!({ "type": "object", "properties": { "data": { "type": "array", "items": { "type": "object" } } } }), "200"),
    } })));
    if entity.part_of.is_none() && entity.name != kernel::MEMBERS {
        rest.push((format!("{root}/_talk"), json!({ "get": {
        "operationId": format!("talkOf{name}"), "tags": tags, "summary": "Records as conversations, the last spoken of first",
        "parameters": [query("filter", text()), query("q", text()), query("limit", json!({ "type": "integer" })), query("cursor", text())],
        "responses": answers(json!({ "type": "object", "properties": { "data": { "type": "array", "items": { "type": "object" } } } }), "200"),
    } })));
    }
    if visible(actor, entity).iter().any(|(_, field)| field.target() == Some(entity.name.as_str())) {
        rest.push((format!("{root}/_critical"), json!({ "get": {
        "operationId": format!("criticalOf{name}"), "tags": tags, "summary": "Of records that wait for each other, the chain that takes the most days",
        "parameters": [query("start", text()), query("end", text()), query("after", text()), query("filter", text()), query("q", text())],
        "responses": answers(json!({ "type": "object", "properties": {
            "path": { "type": ["array", "null"], "items": { "type": "string", "format": "uuid" } }, "days": { "type": ["integer", "null"] } } }), "200"),
    } })));
    }
    rest.push((root.clone(), Value::Object(list)));
    rest.push((format!("{root}/{{id}}"), Value::Object(one)));
    rest
}
