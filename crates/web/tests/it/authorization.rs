//! Z: who may do what, through every door, and nothing besides.

use crate::{
    scene::{House, Operation, Person, Things, house, path, value_for},
    tenancy::encoded,
};
use kernel::{Entity, Kind, Scope};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write};
use uuid::Uuid;

/// What one may ask without being signed in: all that is before it, and what a public link shows. Nothing else comes in here.
pub(crate) const ANYBODY: [&str; 15] = [
    "POST /auth/register",
    "POST /auth/verify",
    "POST /auth/resend",
    "POST /auth/login",
    "POST /auth/logout",
    "POST /auth/forgot",
    "POST /auth/reset",
    "POST /auth/email/confirm",
    "POST /invitations/accept",
    // Who has the link, which is not said here.
    "POST /public/{token}",
    "GET /public/{token}/rows",
    "POST /public/{token}/aggregate",
    "GET /public/{token}/widgets",
    "GET /public/{token}/pictures/{id}",
    // Ends the session that asks, so it is tried by nobody else.
    "DELETE /auth/sessions",
];

/// One row of the file: an operation, and what it is to everybody.
type Rows = BTreeMap<String, BTreeMap<String, Vec<(usize, String)>>>;

/// The right that an operation on an entity wants.
fn right(operation: &Operation, entity: &Entity) -> String {
    let tail: Vec<&str> = operation.path.split('/').skip(3).collect();
    match (operation.method.as_str(), &tail[..]) {
        ("GET", [] | ["_talk" | "_critical"] | ["{id}"] | ["{id}", "_history" | "_print"])
        | ("POST", ["_aggregate"]) => "read",
        ("POST", []) => "create",
        ("PATCH", _) | ("POST", ["_bulk"]) => "update",
        ("DELETE", _) => "delete",
        ("GET", ["_export"]) | ("POST", ["{id}", "_send"]) => "export",
        ("POST", ["_import"]) => "import",
        ("POST", ["{id}", action]) => action,
        other => panic!("{}: what right does {other:?} want?", entity.name),
    }
    .to_owned()
}

fn denied(status: u16) -> bool {
    matches!(status, 401 | 403 | 404)
}

/// Tries an operation on one's own record and on somebody else's, and says what came of it: the scope that the rights
/// promise, or what went against the promise.
async fn tried(
    person: &Person,
    operation: &Operation,
    scope: Scope,
    body: Option<Value>,
    mine: Uuid,
    other: Uuid,
) -> String {
    let ask = async |id: Uuid| {
        let version = match operation.method == "PATCH" && scope != Scope::None {
            true => {
                person.get(&operation.path.replace("{id}", &id.to_string())).await.header("etag").to_owned()
            }
            false => "\"1\"".to_owned(),
        };
        let at = operation.path.replace("{id}", &id.to_string());
        let (at, body) = match operation.path.split('/').nth(3) {
            None if operation.method == "GET" => (format!("{at}?id={id}"), None),
            Some("_talk") => (format!("{at}?id={id}"), None),
            Some("_export") => (format!("{at}?format=json&id={id}"), None),
            Some("_aggregate") => (
                at,
                Some(json!({ "filter": { "field": "id", "op": "eq", "value": id }, "group_by": ["id"] })),
            ),
            Some("_bulk") => {
                (at, Some(json!({ "action": "update", "ids": [id], "changes": { "custom": {} } })))
            }
            _ => (at, body.clone()),
        };
        let listing =
            !operation.path.contains("{id}") && (operation.method == "GET" || at.ends_with("_aggregate"));
        let answer = person.send(&operation.method, &at, body, &[("if-match", &version)]).await;
        let seen = !listing || answer.text().contains(&id.to_string());
        (
            if seen || answer.status != 200 { answer.status } else { 404 },
            answer.text().chars().take(200).collect::<String>(),
        )
    };
    let (status, text) = ask(other).await;
    let fine = match scope {
        Scope::All => !denied(status),
        Scope::None => status == 403,
        // A refusal for another reason may come first; what counts is that nothing was done.
        _ if text.contains("\"done\":0") => true,
        _ => status >= 400,
    };
    if !fine {
        return format!("{}, BUT {status} ON ANOTHER'S: {text}", scope.name());
    }
    if matches!(scope, Scope::Own | Scope::Team | Scope::None) {
        let (status, text) = ask(mine).await;
        if (scope == Scope::None) != denied(status) {
            return format!("{}, BUT {status} ON ONE'S OWN: {text}", scope.name());
        }
    }
    if scope == Scope::None { "-".into() } else { scope.name().into() }
}

async fn column(
    house: &House,
    owner: &Person,
    things: &Things,
    person: &Person,
) -> Vec<(String, String, String)> {
    let mut things = Things { marker: things.marker.clone(), ids: things.ids.clone() };
    let session = house.auth().session(&person.token, Uuid::now_v7()).await.unwrap();
    let access = session.actor.unwrap().access;
    let send = || person.raw("POST", "/files", b"name\nx\n".to_vec(), &[("x-file-name", "x.csv")]);
    let mut csv = send().await;
    // Six who ask for everything at once may find no connection in time.
    while csv.status == 503 {
        csv = send().await;
    }
    let file = if csv.status == 201 { csv.json()["id"].clone() } else { json!(Uuid::now_v7()) };
    let mut seen = Vec::new();
    let mut operations = house.operations(owner).await;
    // A table that an earlier try made; own.rs has those.
    operations.retain(|o| !o.path.starts_with("/custom/"));
    // What takes away comes last.
    operations.sort_by_key(|o| (o.method == "DELETE", o.path.ends_with("/restore"), o.method != "GET"));
    let mut pairs: BTreeMap<String, (Uuid, Uuid)> = BTreeMap::new();
    for operation in operations {
        let name = format!("{} {}", operation.method, operation.path);
        let Some(entity) = house.entity_of(&operation.path) else {
            if ANYBODY.contains(&name.as_str()) {
                continue;
            }
            let at =
                operation.path.replace("{id}", &Uuid::nil().to_string()).replace("{name}", kernel::MEMBERS);
            if operation.path == "/events" {
                continue;
            }
            let status = person.send(&operation.method, &at, house.body_for(&operation), &[]).await.status;
            assert!(status != 401 && status != 429, "{name}: {status}");
            seen.push(("platform".to_owned(), name, if status == 403 { "-" } else { "yes" }.to_owned()));
            continue;
        };
        let rows = match pairs.get(&entity.name) {
            Some(rows) => *rows,
            None => {
                let mut both = Vec::new();
                for _ in 0..2 {
                    let whole = house.scene.store.catalog().whole(entity);
                    if entity.name == kernel::MEMBERS {
                        both.push(owner.id);
                        continue;
                    }
                    let before = things.ids[&entity.name].len();
                    if !whole.is_kept() {
                        house.sample(owner, whole, &mut things).await;
                    }
                    if things.ids[&entity.name].len() == before {
                        house.forced(owner, entity, &mut things).await;
                    }
                    both.push(*things.ids[&entity.name].last().unwrap());
                }
                let sql = format!(
                    "update {} set {} = '{}' where organization_id = '{}' and id = '{}'",
                    entity.name, entity.owner, person.id, owner.organization, both[0]
                );
                if entity.name != kernel::MEMBERS {
                    house.behind(&sql).await;
                }
                pairs.insert(entity.name.clone(), (both[0], both[1]));
                (both[0], both[1])
            }
        };
        let scope = access.scope(entity, &right(&operation, entity));
        let body = match operation.path.ends_with("_import") {
            true => Some(json!({ "file": file })),
            false => house.body_for(&operation),
        };
        let cell = if ["create", "import"].contains(&right(&operation, entity).as_str()) {
            let status = person.send(&operation.method, &operation.path, body, &[]).await.status;
            match (scope == Scope::None, status) {
                (true, 403) => "-".to_owned(),
                (true, _) => format!("-, BUT {status}"),
                (false, 403 | 404) => format!("{}, BUT {status}", scope.name()),
                (false, _) => scope.name().to_owned(),
            }
        } else {
            tried(person, &operation, scope, body, rows.0, rows.1).await
        };
        seen.push((entity.name.clone(), name, cell));
    }
    seen
}

/// Z01, Z02, Z03: the file is the whole truth; a change of it is a change of rights and is read as one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn z02_everybody_may_do_what_the_file_says() {
    let house = std::sync::Arc::new(house().await);
    let owner = house.owner().await;
    let things = std::sync::Arc::new(house.furnished(&owner, "x").await);
    let mut names: Vec<String> = vec!["owner".into(), "admin".into()];
    names
        .extend(house.scene.store.catalog().roles.keys().filter(|r| *r != "owner" && *r != "admin").cloned());
    names.extend(["nobody".to_owned(), "key *:read".to_owned()]);

    for operation in house.operations(&owner).await {
        let name = format!("{} {}", operation.method, operation.path);
        let at = operation.path.replace("{id}", &Uuid::nil().to_string()).replace("{name}", kernel::MEMBERS);
        let status =
            house.stranger().send(&operation.method, &at, house.body_for(&operation), &[]).await.status;
        let anybody = ANYBODY.contains(&name.as_str()) && name != "DELETE /auth/sessions";
        assert_eq!(status == 401, !anybody || name == "POST /auth/login", "{name} of a stranger: {status}");
    }

    // As many at once as find a connection.
    let room = std::sync::Arc::new(tokio::sync::Semaphore::new(6));
    let mut columns = tokio::task::JoinSet::new();
    for (n, name) in names.iter().cloned().enumerate() {
        let (house, owner, things) = (house.clone(), owner.clone(), things.clone());
        let room = room.clone();
        columns.spawn(async move {
            let _place = room.acquire_owned().await.unwrap();
            let person = match name.as_str() {
                "nobody" => house.colleague(&owner, &[]).await,
                "key *:read" => {
                    let keyholder = house.colleague(&owner, &["owner"]).await;
                    let made =
                        keyholder.post("/auth/tokens", json!({ "name": "key", "scopes": ["*:read"] })).await;
                    keyholder.with_token(made.json()["token"].as_str().unwrap())
                }
                role => house.colleague(&owner, &[role]).await,
            };
            (n, column(&house, &owner, &things, &person).await)
        });
    }
    let mut table: Rows = BTreeMap::new();
    while let Some(done) = columns.join_next().await {
        let (n, cells) = done.unwrap();
        for (entity, operation, cell) in cells {
            table.entry(entity).or_default().entry(operation).or_default().push((n, cell));
        }
    }
    let mut text = String::from(
        "Who may do what: all, workspace, team or own records; yes, where there is no scope; - is 403.\nMade by z02_everybody_may_do_what_the_file_says; UPDATE_GOLDEN=1 writes it anew.\n",
    );
    for (entity, operations) in &mut table {
        write!(text, "\n{entity:<58}").unwrap();
        names.iter().for_each(|name| write!(text, " {name:<11}").unwrap());
        text = text.trim_end().to_owned() + "\n";
        for (operation, cells) in operations {
            cells.sort();
            let mut line = format!("  {operation:<56}");
            cells.iter().for_each(|(_, cell)| write!(line, " {cell:<11}").unwrap());
            writeln!(text, "{}", line.trim_end()).unwrap();
        }
    }
    let lies: Vec<&str> = text.lines().filter(|l| l.contains("BUT")).collect();
    assert!(lies.is_empty(), "{}", lies.join("\n"));
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/authorization.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let known = std::fs::read_to_string(&golden).unwrap_or_default();
    let changed: Vec<String> = text
        .lines()
        .filter(|l| !known.lines().any(|k| k == *l))
        .map(|l| format!("+{l}"))
        .chain(known.lines().filter(|k| !text.lines().any(|l| l == *k)).map(|k| format!("-{k}")))
        .collect();
    assert!(
        changed.is_empty(),
        "rights have changed; when they should have, UPDATE_GOLDEN=1:\n{}",
        changed.join("\n")
    );
}

/// Z01: what the router answers and what OpenAPI tells are the same.
#[tokio::test]
async fn z01_every_route_is_told() {
    let house = house().await;
    let owner = house.owner().await;
    let told: Vec<String> =
        house.operations(&owner).await.iter().map(|o| format!("{} {}", o.method, o.path)).collect();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut untold = Vec::new();
    let mut files: Vec<std::path::PathBuf> = vec![source];
    while let Some(file) = files.pop() {
        if file.is_dir() {
            files.extend(std::fs::read_dir(file).unwrap().flatten().map(|f| f.path()));
            continue;
        }
        let text: String = std::fs::read_to_string(file).unwrap().split_whitespace().collect();
        for route in text.split(".route(\"").skip(1) {
            let (path, handlers) = route.split_once('"').unwrap();
            // Records' own routes are told for every entity.
            let path = path
                .replace("{module}/{entity}", "parties/parties")
                .replace("{module}/_call/{function}", "parties/_call/find_duplicates")
                .replace("reports/{module}/{name}", "reports/ledger/balance_sheet")
                .replace("{action}", "merge");
            for method in ["get", "post", "put", "patch", "delete"] {
                let handled = handlers.split(".route(").next().unwrap();
                let here =
                    handled.contains(&format!(",{method}(")) || handled.contains(&format!(").{method}("));
                let name = format!("{} {path}", method.to_uppercase());
                let known = told.contains(&name)
                    || path.contains("{what}")
                        && told.iter().any(|t| t.starts_with(&name.replace("{what}", "")))
                    || name == "GET /parties/parties/{id}/merge"
                        && told.iter().any(|t| t == "GET /parties/parties/{id}/_history");
                if here
                    && !known
                    && path.starts_with('/')
                    && !["/healthz", "/readyz", "/metrics"].contains(&path.as_str())
                {
                    untold.push(name);
                }
            }
        }
    }
    assert!(untold.is_empty(), "not in OpenAPI: {untold:?}");
}

/// Everything that rights are made of.
async fn rights(house: &House, organization: Uuid) -> Vec<String> {
    let mut all = Vec::new();
    for table in [
        "iam.roles",
        "iam.permissions",
        "iam.field_permissions",
        "iam.role_assignments",
        "iam.memberships",
        "iam.api_tokens",
    ] {
        let sql = format!(
            "select '{table} ' || (to_jsonb(t) - '{{last_used_at,version,updated_at}}'::text[])::text from {table} t where organization_id = $1 order by id"
        );
        all.extend(house.scene.strings(&sql, &[&organization]).await);
    }
    all
}

#[tokio::test]
async fn z04_nobody_makes_himself_more() {
    let house = house().await;
    let owner = house.owner().await;
    let eve = house.colleague(&owner, &["salesperson"]).await;
    let admin = house.colleague(&owner, &["admin"]).await;
    let key = owner.post("/auth/tokens", json!({ "name": "key", "scopes": ["*:*"] })).await.json();
    let key = owner.with_token(key["token"].as_str().unwrap());
    let roles = owner.get("/roles").await.json();
    let role = |name: &str| {
        let found = roles["data"].as_array().unwrap().iter().find(|r| r["name"] == name);
        testkit::id(found.unwrap())
    };
    let before = rights(&house, owner.organization).await;
    let everything = json!({ "sales.orders": { "read": "all" }, "finance.payments": { "complete": "all" } });
    let csv = eve.raw("POST", "/files", b"email,status\na@b.test,active\n".to_vec(), &[]).await.json()["id"]
        .clone();
    for (who, name) in [(&eve, "salesperson"), (&admin, "admin"), (&key, "owner")] {
        let me = who.id;
        let own = role(name);
        let mut tries = vec![
            ("PATCH", format!("/members/{me}"), json!({ "roles": ["owner"] })),
            ("PATCH", format!("/roles/{own}"), json!({ "grants": everything })),
            ("POST", "/members/invite".into(), json!({ "email": "eve2@acme.test", "roles": ["owner"] })),
            ("PATCH", format!("/iam/memberships/{me}"), json!({ "status": "active" })),
            ("POST", "/iam/memberships".into(), json!({ "email": "x@acme.test", "id": me })),
            (
                "POST",
                "/iam/memberships/_bulk".into(),
                json!({ "ids": [me], "action": "update", "changes": { "workspace_ids": null, "manager_id": null } }),
            ),
            ("POST", "/iam/memberships/_bulk".into(), json!({ "ids": [owner.id], "action": "delete" })),
            ("DELETE", format!("/iam/memberships/{}", owner.id), json!({})),
            ("POST", "/iam/memberships/_import".into(), json!({ "file": csv })),
            ("GET", "/iam/roles".into(), Value::Null),
            (
                "POST",
                "/iam/role_assignments".into(),
                json!({ "membership_id": me, "role_id": role("owner") }),
            ),
            ("PATCH", format!("/iam/roles/{own}"), json!({ "template": "owner" })),
            (
                "POST",
                "/iam/permissions".into(),
                json!({ "role_id": own, "entity": "sales.orders", "action": "read", "scope": "all" }),
            ),
        ];
        if name != "admin" {
            tries.extend([
                ("POST", "/roles".into(), json!({ "name": "mine", "grants": everything })),
                ("POST", "/roles".into(), json!({ "name": "mine", "template": "manager" })),
                ("DELETE", format!("/roles/{own}"), json!({})),
                ("DELETE", format!("/members/{}", owner.id), json!({})),
                ("PATCH", "/organization".into(), json!({ "name": "Eve's" })),
                ("POST", "/fields".into(), json!({ "entity": "sales.orders", "name": "x", "type": "text" })),
                (
                    "POST",
                    "/auth/tokens".into(),
                    json!({ "name": "more", "scopes": ["finance.payments:complete"] }),
                ),
                ("GET", "/audit".into(), Value::Null),
            ]);
        }
        for (method, at, body) in tries {
            let answer =
                who.send(method, &at, (method != "GET").then_some(body), &[("if-match", "\"1\"")]).await;
            let bulk = at.ends_with("_bulk") && answer.json()["done"] == 0;
            assert!(
                bulk || matches!(answer.status, 400 | 403 | 404 | 422),
                "{name} {method} {at}: {} {}",
                answer.status,
                answer.text()
            );
            let after = rights(&house, owner.organization).await;
            let changed: Vec<&String> = after.iter().filter(|row| !before.contains(row)).collect();
            assert!(
                after.len() == before.len() && changed.is_empty(),
                "{name} {method} {at} changed {changed:?}"
            );
        }
    }
}

#[tokio::test]
async fn z05_what_the_house_keeps_nobody_writes() {
    let house = house().await;
    let owner = house.owner().await;
    let mut things = house.furnished(&owner, "x").await;
    let mut tried = 0;
    for entity in house.entities().into_iter().filter(|e| e.part_of.is_none()) {
        let id = match entity.is_kept() {
            true => things.one(&entity.name).unwrap(),
            false => house.sample(&owner, entity, &mut things).await,
        };
        let at = format!("{}/{id}", path(entity));
        let before = owner.get(&at).await;
        let workflow = entity.transitions.first().map(|t| t.field.as_str());
        let kept = entity.columns.iter().filter(|c| !c.writable() || Some(c.name.as_str()) == workflow);
        let names = kept.map(|c| c.name.as_str()).chain(["role", "is_admin", "_version", "__proto__"]);
        for name in names {
            for (method, at) in [("POST", path(entity)), ("PATCH", at.clone())] {
                let body = json!({ name: if name.ends_with("_id") || name == "id" { json!(Uuid::now_v7()) } else { json!(99) } });
                let answer =
                    owner.send(method, &at, Some(body.clone()), &[("if-match", before.header("etag"))]).await;
                if answer.status == 403 && entity.is_kept() {
                    continue;
                }
                assert_eq!(answer.status, 400, "{method} {at} {body}: {}", answer.text());
                let faults = answer.json()["errors"].clone();
                assert!(
                    faults.as_array().unwrap().iter().any(|f| f["field"] == name),
                    "{method} {at} {body}: {faults}"
                );
                tried += 1;
            }
            let body = json!({ "ids": [id], "action": "update", "changes": { name: 99 } });
            let done = owner.post(&format!("{}/_bulk", path(entity)), body).await.json()["done"].clone();
            assert!(done == 0 || done.is_null() && entity.is_kept(), "{at} {name}");
        }
        assert_eq!(owner.get(&at).await.bytes, before.bytes, "{at}");
    }
    assert!(tried > 200, "{tried}");
    for path in [
        "/me",
        "/organization",
        "/views/x",
        "/auth/tokens",
        "/members/invite",
        "/parties/parties/_bulk",
        "/parties/parties/_aggregate",
    ] {
        let method = if ["/me", "/organization", "/views/x"].contains(&path) { "PATCH" } else { "POST" };
        let path = path.replace("/x", &format!("/{}", Uuid::nil()));
        let answer = owner.send(method, &path, Some(json!({ "is_admin": true })), &[]).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
    }
}

/// Everybody's role for one entity, with fields that it hides or only shows.
async fn narrowed(house: &House, owner: &Person, entity: &Entity, hidden: &[String], right: &str) -> Person {
    let whole = house.scene.store.catalog().whole(entity);
    let rights = match whole.is_kept() {
        true => json!({ "read": "all" }),
        false => json!({ "read": "all", "create": "all", "update": "all", "delete": "all" }),
    };
    let fields: serde_json::Map<String, Value> = hidden.iter().map(|f| (f.clone(), json!(right))).collect();
    let name = format!("narrow{}", Uuid::new_v4().simple());
    let mut grants: serde_json::Map<String, Value> = house
        .entities()
        .iter()
        .filter(|e| e.part_of.is_none())
        .map(|e| (e.name.clone(), json!({ "read": "all" })))
        .collect();
    grants.insert(whole.name.clone(), rights);
    let role = json!({ "name": name, "grants": grants, "fields": { entity.name.as_str(): fields } });
    assert_eq!(owner.post("/roles", role).await.status, 201);
    house.colleague(owner, &[&name]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn z07_a_hidden_field_cannot_be_found_out() {
    let house = house().await;
    let owner = house.owner().await;
    let things = house.furnished(&owner, "x").await;
    let mut tried = 0;
    for (n, entity) in house.entities().into_iter().enumerate() {
        let secret = format!("SECRET{n}X");
        // A title made of other fields is hidden with them.
        let hideable = |c: &&kernel::Column| {
            c.kind != Kind::Hidden && !c.is_system() && (c.name != entity.title() || c.generated)
        };
        let states = entity.transitions.first().map(|t| t.field.as_str());
        let hidden: Vec<String> = entity
            .columns
            .iter()
            .filter(hideable)
            .filter(|c| Some(c.name.as_str()) != states && !c.required)
            .map(|c| c.name.clone())
            .collect();
        let Some(id) = things.one(&entity.name) else { continue };
        for name in &hidden {
            if entity
                .column(name)
                .is_some_and(|c| c.sql_type == "text" && !c.generated && c.options.is_empty())
            {
                house
                    .behind(&format!(
                        "update {} set \"{name}\" = '{secret}' where organization_id = '{}' and id = '{id}'",
                        entity.name, owner.organization
                    ))
                    .await;
            }
        }
        let eve = narrowed(&house, &owner, entity, &hidden, "none").await;
        let root = path(entity);
        let mut open = vec![
            root.clone(),
            format!("{root}?q={secret}"),
            format!("{root}/{id}"),
            format!("{root}/{id}/_history"),
            format!("{root}/_export?format=csv"),
            format!("{root}/_export?format=json&q={secret}"),
            format!("/search?q={secret}"),
            format!("/meta/entities/{}", entity.name),
            "/openapi.json".to_owned(),
        ];
        for from in house.entities() {
            let leads = from.columns.iter().find(|c| c.target.as_deref() == Some(&entity.name));
            if let Some(column) = leads.filter(|_| from.name != entity.name) {
                open.push(format!("{}?expand={}", path(from), column.relation_name()));
            }
        }
        for at in open {
            let answer = eve.get(&at).await;
            assert_eq!(answer.status, 200, "{at}: {}", answer.text());
            assert!(!answer.text().contains(&secret), "{at}");
            if at.contains("q=") {
                assert!(!answer.text().contains(&id.to_string()), "{at} tells that it is there");
            }
            if at.starts_with("/meta/") {
                let shown: Vec<&str> = hidden
                    .iter()
                    .map(String::as_str)
                    .filter(|h| answer.text().contains(&format!("\"name\":\"{h}\"")))
                    .collect();
                assert!(shown.is_empty(), "{at}: {shown:?}");
            }
        }
        for (n, name) in hidden.iter().enumerate() {
            let filter = encoded(&json!({ "field": name, "op": "is_not_empty" }).to_string());
            let value = encoded(
                &json!({ "field": "id", "op": "eq", "value": name, "value_type": "field" }).to_string(),
            );
            let mut asked = vec![
                eve.get(&format!("{root}?filter={filter}")).await,
                eve.get(&format!("{root}?sort={name}")).await,
            ];
            // All fields go through the same few places: the rest of the questions is asked of some.
            if n >= 5 {
                asked
                    .iter()
                    .for_each(|answer| assert_eq!(answer.status, 403, "{root} {name}: {}", answer.text()));
                continue;
            }
            asked.extend([
                eve.get(&format!("{root}?{name}=1")).await,
                eve.get(&format!("{root}?fields={name}")).await,
                eve.get(&format!("{root}/{id}?fields={name}")).await,
                eve.get(&format!("{root}/_export?fields={name}")).await,
                eve.post(&format!("{root}/_aggregate"), json!({ "group_by": [name] })).await,
                eve.post(
                    &format!("{root}/_aggregate"),
                    json!({ "metrics": [{ "function": "max", "field": name }] }),
                )
                .await,
                eve.post(
                    &format!("{root}/_aggregate"),
                    json!({ "filter": { "field": name, "op": "is_not_empty" } }),
                )
                .await,
            ]);
            let by_field = eve.get(&format!("{root}?filter={value}")).await;
            assert!(matches!(by_field.status, 400 | 403), "{root} {name} as a value: {}", by_field.text());
            if entity.part_of.is_none() {
                let filter = json!({ "field": name, "op": "is_not_empty" });
                asked.push(
                    eve.post(&format!("{root}/_bulk"), json!({ "action": "delete", "filter": filter })).await,
                );
                let column = entity.column(name).unwrap();
                if column.writable() {
                    let body = json!({ name.as_str(): value_for(column, "x") });
                    asked.push(
                        eve.send("PATCH", &format!("{root}/{id}"), Some(body), &[("if-match", "\"1\"")])
                            .await,
                    );
                }
            }
            for (n, answer) in asked.iter().enumerate() {
                assert_eq!(answer.status, 403, "{root} {name}, question {n}: {}", answer.text());
            }
            tried += asked.len();
        }
    }
    assert!(tried > 500, "{tried}");
    // Through a relation, as an export's column, and by the words of a file that comes in.
    let parties = house.scene.store.catalog().entity("parties.parties").unwrap();
    let eve = narrowed(&house, &owner, parties, &["email".into(), "code".into()], "none").await;
    for at in [
        "/sales/orders?fields=customer.email",
        "/sales/orders?customer.email=x",
        "/sales/orders?sort=customer.email",
        "/sales/orders/_export?fields=customer.email",
    ] {
        assert_eq!(eve.get(at).await.status, 403, "{at}");
    }
    // By what functions tell.
    let bin = json!({ "name": "Nordwind", "bin": "941240000193", "credit_limit": "77" });
    let made = owner.post("/parties/parties", bin.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let blind = narrowed(&house, &owner, parties, &["bin".into(), "credit_limit".into()], "none").await;
    let (found, customer) = (json!({ "bin": bin["bin"] }), json!({ "customer": made.json()["id"] }));
    for (who, seen) in [(&owner, true), (&blind, false)] {
        let duplicates = who.post("/parties/_call/find_duplicates", found.clone()).await.json();
        assert_eq!(duplicates["duplicates"].as_array().unwrap().len(), usize::from(seen), "{duplicates}");
        let summary = who.post("/sales/_call/customer_summary", customer.clone()).await.json();
        assert_eq!(summary.get("credit_limit").is_some(), seen, "{summary}");
    }
    let csv = eve.raw("POST", "/files", b"name,email\nx,a@b.test\n".to_vec(), &[]).await.json()["id"].clone();
    let import = eve.post("/parties/parties/_import", json!({ "file": csv })).await.json();
    assert_eq!(import["import"]["mapping"]["email"], Value::Null, "{import}");
    let at = format!("/imports/{}", import["import"]["id"].as_str().unwrap());
    for change in [json!({ "mapping": { "email": "email" } }), json!({ "upsert_key": "code" })] {
        let answer = eve.patch(&at, change.clone()).await;
        assert!(matches!(answer.status, 400 | 403 | 422), "{change}: {}", answer.text());
    }
}

#[tokio::test]
async fn z08_a_field_that_is_only_shown_is_written_on_no_path() {
    let house = house().await;
    let owner = house.owner().await;
    let entity = house.scene.store.catalog().entity("parties.parties").unwrap();
    let eve = narrowed(&house, &owner, entity, &["credit_limit".into()], "read").await;
    let made = eve.post("/parties/parties", json!({ "name": "Nordwind" })).await.json();
    let at = format!("/parties/parties/{}", testkit::id(&made));
    let body = json!({ "name": "Nordwind", "credit_limit": "1000000" });
    assert_eq!(eve.post("/parties/parties", body.clone()).await.status, 403);
    assert_eq!(eve.patch(&at, body).await.status, 403);
    let bulk = json!({ "ids": [made["id"]], "action": "update", "changes": { "credit_limit": "5" } });
    assert_eq!(eve.post("/parties/parties/_bulk", bulk).await.json()["done"], 0);
    let csv = eve.raw("POST", "/files", b"name,credit_limit\nx,5\n".to_vec(), &[]).await.json()["id"].clone();
    let import = eve.post("/parties/parties/_import", json!({ "file": csv })).await.json();
    let import = format!("/imports/{}", import["import"]["id"].as_str().unwrap());
    let mapped =
        eve.patch(&import, json!({ "mapping": { "name": "name", "credit_limit": "credit_limit" } })).await;
    assert!(matches!(mapped.status, 400 | 403 | 422), "{}", mapped.text());
    assert_eq!(eve.get(&at).await.json()["credit_limit"], Value::Null);
    assert_eq!(eve.get("/parties/parties?count=exact").await.json()["count"]["value"], 1);
}

#[tokio::test]
async fn z09_one_s_own_is_all_there_is() {
    let house = house().await;
    let owner = house.owner().await;
    let things = house.furnished(&owner, "x").await;
    let eve = house.colleague(&owner, &["salesperson"]).await;
    let customer = things.one("parties.parties").unwrap();
    let order = async |who: &Person, n: usize| {
        let body = json!({ "customer_id": customer, "customer_reference": format!("ref {n}"), "assigned_to": who.id });
        testkit::id(&owner.post("/sales/orders", body).await.json())
    };
    let (mut hers, mut others) = (Vec::new(), vec![things.one("sales.orders").unwrap()]);
    for n in 0..3 {
        hers.push(order(&eve, n).await);
        others.push(order(&owner, n).await);
    }
    let count = eve.get("/sales/orders?count=exact").await.json();
    assert_eq!((count["count"]["value"].as_i64(), count["data"].as_array().unwrap().len()), (Some(3), 3));
    assert_eq!(eve.post("/sales/orders/_aggregate", json!({})).await.json()["data"][0]["count"], 3);
    assert_eq!(eve.get("/sales/orders/_export?format=csv").await.text().lines().count(), 4);
    let none = json!({ "field": "customer_reference", "op": "starts_with", "value": "ref" });
    let changed = eve
        .post(
            "/sales/orders/_bulk",
            json!({ "action": "update", "filter": none, "changes": { "note": "hers" } }),
        )
        .await;
    assert_eq!(changed.json()["done"], 3, "{}", changed.text());
    let all: Vec<Uuid> = hers.iter().chain(&others).copied().collect();
    let changed = eve
        .post(
            "/sales/orders/_bulk",
            json!({ "action": "update", "ids": all, "changes": { "note": "hers too" } }),
        )
        .await
        .json();
    assert_eq!(
        (changed["done"].as_u64(), changed["failed"].as_array().unwrap().len()),
        (Some(3), others.len())
    );
    let lines = eve.get("/sales/order_lines?count=exact").await.json();
    assert_eq!(lines["count"]["value"], 0, "lines of others' orders");

    let unseen = others[0];
    let (at, nowhere) = (format!("/sales/orders/{unseen}"), format!("/sales/orders/{}", Uuid::now_v7()));
    for tail in ["", "/_history", "/_print"] {
        assert_eq!(
            eve.get(&format!("{at}{tail}")).await.same(),
            eve.get(&format!("{nowhere}{tail}")).await.same(),
            "{tail}"
        );
    }
    // Z16: nothing hangs on what one does not see, and what hangs there is not seen.
    let file = owner
        .raw("POST", &format!("/files?entity=sales.orders&record={unseen}"), b"x".to_vec(), &[])
        .await
        .json();
    assert_eq!(eve.get(&format!("/files/{}", testkit::id(&file))).await.status, 404);
    for at in [
        format!("/files?entity=sales.orders&record={unseen}"),
        format!("/files?entity=sales.orders&record={}", Uuid::now_v7()),
    ] {
        assert_eq!(eve.get(&at).await.status, 404);
        assert_eq!(eve.raw("POST", &at, b"x".to_vec(), &[]).await.status, 404);
    }
    let own = eve.raw("POST", "/files", b"x".to_vec(), &[]).await.json();
    let hang = json!({ "entity": "sales.orders", "record": unseen });
    assert_eq!(eve.patch(&format!("/files/{}", testkit::id(&own)), hang).await.status, 404);
    // Links and moves.
    let mine = format!("/sales/orders/{}", hers[0]);
    let patch = async |body: Value| {
        let version = eve.get(&mine).await.header("etag").to_owned();
        eve.send("PATCH", &mine, Some(body), &[("if-match", &version)]).await
    };
    let linked = [
        patch(json!({ "parent_order_id": unseen })).await,
        patch(json!({ "parent_order_id": Uuid::now_v7() })).await,
    ];
    assert_eq!((linked[0].status, linked[0].same()), (422, linked[1].same()));
    assert_eq!(patch(json!({ "parent_order_id": hers[1] })).await.status, 200);
    assert_eq!(patch(json!({ "assigned_to": owner.id })).await.status, 403);
    let made = eve.post("/sales/orders", json!({ "customer_id": customer, "assigned_to": owner.id })).await;
    assert_eq!(made.status, 403, "{}", made.text());
    // A team is whom one leads.
    let team = json!({ "name": "lead", "grants": { "sales.orders": { "read": "team", "update": "team" } } });
    assert_eq!(owner.post("/roles", team).await.status, 201);
    let lead = house.colleague(&owner, &["lead"]).await;
    assert_eq!(lead.get("/sales/orders?count=exact").await.json()["count"]["value"], 0);
    assert_eq!(
        owner.patch(&format!("/members/{}", eve.id), json!({ "manager_id": lead.id })).await.status,
        200
    );
    assert_eq!(lead.get("/sales/orders?count=exact").await.json()["count"]["value"], 3);
    assert_eq!(lead.get(&at).await.status, 404);
}

#[tokio::test]
async fn z12_a_right_that_is_taken_away_is_gone_at_the_next_request() {
    let house = house().await;
    let owner = house.owner().await;
    let eve = house.colleague(&owner, &["salesperson"]).await;
    let key = eve.post("/auth/tokens", json!({ "name": "key", "scopes": ["*:*"] })).await.json();
    let key = eve.with_token(key["token"].as_str().unwrap());
    let roles = owner.get("/roles").await.json();
    let role = roles["data"].as_array().unwrap().iter().find(|r| r["name"] == "salesperson").unwrap();
    let at = format!("/roles/{}", testkit::id(role));
    for (scope, status) in [("none", 403), ("all", 200)] {
        let change = json!({ "grants": { "sales.orders": { "read": scope } } });
        assert_eq!(owner.patch(&at, change).await.status, 200);
        for who in [&eve, &key] {
            assert_eq!(who.get("/sales/orders").await.status, status, "{scope}");
            assert_eq!(who.get("/meta").await.text().contains("\"sales.orders\""), status == 200);
        }
    }
    assert_eq!(owner.patch(&format!("/members/{}", eve.id), json!({ "roles": ["guest"] })).await.status, 200);
    assert_eq!((eve.get("/sales/orders").await.status, key.get("/sales/orders").await.status), (403, 403));
}

/// Z10: one door. SQL is where rights are asked for before it: whoever writes some elsewhere adds a second door, and
/// this list may only shrink.
#[test]
fn z10_sql_is_written_where_rights_are_asked_for() {
    const ELSEWHERE: [&str; 4] = [
        // Is the database there, and what one keeps for oneself: views, own fields, one's jobs.
        "crates/web/src/lib.rs",
        "crates/web/src/platform.rs",
        // The operator at the machine.
        "crates/server/src/database.rs",
        "crates/server/src/doctor.rs",
    ];
    const DOORS: [&str; 12] = [
        ".execute(",
        ".execute_raw(",
        ".query(",
        ".query_one(",
        ".query_opt(",
        ".query_typed(",
        ".query_raw(",
        ".batch_execute(",
        ".simple_query(",
        ".batch(",
        ".cached(",
        ".copy_in(",
    ];
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = std::collections::BTreeSet::new();
    let mut folders: Vec<_> =
        ["crates/web/src", "crates/server/src", "crates/conditions/src", "demo"].map(|f| root.join(f)).into();
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|e| e == "rs") {
                read += 1;
                let text = std::fs::read_to_string(&file).unwrap();
                let plain: String = text.split_whitespace().collect();
                let plain = plain.replace(".query()", "");
                if DOORS.iter().any(|door| plain.contains(door)) || plain.contains("sql!(") {
                    found.insert(file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
    }
    assert!(read > 20, "{read}");
    assert_eq!(found, ELSEWHERE.map(str::to_owned).into());
}
