//! The server in this process, people who are signed in to it, and companies that have something of everything.

use auth::{Auth, NewOrganization, NewUser};
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, header},
};
use http_body_util::BodyExt;
use kernel::{Column, Entity, Kind};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
};
use testkit::Scene;
use tower::ServiceExt;
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "seven little boats";

pub(crate) struct House {
    pub(crate) scene: Scene,
    pub(crate) state: web::State,
    pub(crate) app: Router,
    _files: tempfile::TempDir,
}

/// Somebody who sends requests.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) app: Router,
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) organization: Uuid,
    /// Sent as a bearer's, unless it is empty.
    pub(crate) token: String,
    pub(crate) ip: IpAddr,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) async fn house() -> House {
    house_with(|_| {}).await
}

pub(crate) async fn house_with(change: impl FnOnce(&mut auth::Config)) -> House {
    house_in(testkit::scene(modules::ALL).await, change).await
}

/// With a database of its own, where tests work behind the server's back.
pub(crate) async fn house_alone() -> House {
    house_in(testkit::scene_alone(modules::ALL).await, |_| {}).await
}

async fn house_in(scene: Scene, change: impl FnOnce(&mut auth::Config)) -> House {
    let mut config = auth::Config { base_url: "https://fondaco.test".into(), ..auth::Config::default() };
    change(&mut config);
    let folder = tempfile::tempdir().unwrap();
    let files = flow::files::Files::open(folder.path(), flow::files::Settings::default()).await.unwrap();
    let store = scene.store.clone();
    let state = web::State::new(web::Shared {
        auth: Auth::new(store.clone(), config.clone()),
        files,
        log: flow::SystemLog::start(store.clone()).0,
        wake: Arc::new(|| {}),
        metrics: web::Metrics::default(),
        base_url: config.base_url,
        store,
    });
    House { app: web::app(state.clone()), state, scene, _files: folder }
}

/// An address that nobody else has.
pub(crate) fn ip() -> IpAddr {
    let bytes = Uuid::new_v4().into_bytes();
    Ipv4Addr::new(10, bytes[0], bytes[1], bytes[2]).into()
}

impl House {
    pub(crate) fn auth(&self) -> &Auth {
        &self.state.auth
    }

    pub(crate) fn stranger(&self) -> Person {
        Person {
            app: self.app.clone(),
            id: Uuid::nil(),
            email: String::new(),
            organization: Uuid::nil(),
            token: String::new(),
            ip: ip(),
        }
    }

    /// Somebody with an account and no company.
    pub(crate) async fn account(&self, name: &str) -> Person {
        let name: String = name.chars().take(20).collect();
        let email = format!("{name}.{}@acme.test", Uuid::new_v4().simple());
        let new = NewUser {
            email: email.clone(),
            password: PASSWORD.into(),
            first_name: name,
            ..NewUser::default()
        };
        let id = self.auth().create_user(&new).await.unwrap();
        Person { id, email, ..self.stranger() }
    }

    pub(crate) async fn signed_in(&self, mut person: Person) -> Person {
        let body = json!({ "email": person.email, "password": PASSWORD });
        let answer = person.post("/auth/login", body).await;
        person.token = answer.json()["token"].as_str().unwrap().to_owned();
        person
    }

    /// The owner of a new company.
    pub(crate) async fn owner(&self) -> Person {
        let person = self.account("owner").await;
        let new = NewOrganization {
            name: "Acme".into(),
            country: "DE".into(),
            currency: "EUR".into(),
            time_zone: "Europe/Berlin".into(),
            ..NewOrganization::default()
        };
        let organization = self.auth().create_organization(person.id, &new, Uuid::now_v7()).await.unwrap().id;
        Person { organization, ..self.signed_in(person).await }
    }

    pub(crate) async fn colleague(&self, of: &Person, roles: &[&str]) -> Person {
        let person = self.account(roles.first().copied().unwrap_or("nobody")).await;
        self.join(of.organization, &person, roles).await;
        Person { organization: of.organization, ..self.signed_in(person).await }
    }

    pub(crate) async fn join(&self, organization: Uuid, person: &Person, roles: &[&str]) {
        let roles: Vec<String> = roles.iter().map(|r| (*r).to_owned()).collect();
        self.auth().add_member_with_roles(organization, person.id, &roles, Uuid::now_v7()).await.unwrap();
    }

    /// Entities of the modules, wholes before their parts.
    pub(crate) fn entities(&self) -> Vec<&Entity> {
        let catalog = self.scene.store.catalog();
        let mut all: Vec<&Entity> = catalog.all().filter(|e| catalog.module(e.module()).is_some()).collect();
        all.sort_by_key(|e| (e.part_of.is_some(), &e.name));
        all
    }

    /// A record of the entity with all that it needs, made over the API; what it refers to is made when it is not there.
    pub(crate) async fn sample(&self, by: &Person, entity: &Entity, things: &mut Things) -> Uuid {
        if NEEDS_ONE_OF_SEVERAL.contains(&entity.name.as_str()) {
            if things.one(&entity.name).is_none() {
                let party = self.scene.store.catalog().entity("parties.parties").unwrap();
                if things.one("parties.parties").is_none() {
                    Box::pin(self.sample(by, party, things)).await;
                }
                Box::pin(self.forced(by, entity, things)).await;
            }
            return things.one(&entity.name).unwrap();
        }
        self.sample_of_kind(by, entity, things, None).await
    }

    async fn sample_of_kind(
        &self,
        by: &Person,
        entity: &Entity,
        things: &mut Things,
        kind: Option<&str>,
    ) -> Uuid {
        let mut body = Box::pin(self.needs(by, entity, things)).await;
        if let Some(kind) = kind {
            body["kind"] = json!(kind);
        }
        for part in &entity.parts {
            let inner = self.scene.store.catalog().entity(&part.entity).unwrap();
            // What is made of others of its own kind would never come to an end.
            let own = |c: &Column| c.required && c.target.as_ref() == Some(&entity.name);
            if inner.columns.iter().any(|c| inner.fk.as_ref() != Some(&c.name) && own(c)) {
                continue;
            }
            let mut row = Box::pin(self.needs(by, inner, things)).await;
            let texts =
                inner.columns.iter().filter(|c| c.writable() && c.kind == Kind::Text && c.domain.is_none());
            for column in texts {
                row[&column.name] = value_for(column, &things.marker);
            }
            body[&part.name] = json!([row]);
        }
        let path = path(entity);
        let mut answer = by.post(&path, body.clone()).await;
        for _ in 0..20 {
            if answer.status == 201 {
                break;
            }
            let told = answer.json();
            // There is one for each already, or it is for others of another kind: so for another one.
            for (field, kind) in self.others(entity, &body, &told) {
                let target = entity.column(&field).and_then(|c| c.target.clone()).unwrap();
                let target = self.scene.store.catalog().entity(&target).unwrap();
                body[&field] =
                    json!(Box::pin(self.sample_of_kind(by, target, things, kind.as_deref())).await);
                answer = by.post(&path, body.clone()).await;
                if answer.status == 201 {
                    break;
                }
            }
            if answer.status == 201 || !without_faults(&mut body, entity, &told) {
                break;
            }
            answer = by.post(&path, body.clone()).await;
        }
        assert_eq!(answer.status, 201, "{} {body}: {}", entity.name, answer.text());
        let made = answer.json();
        let id = testkit::id(&made);
        things.ids.entry(entity.name.clone()).or_default().push(id);
        for part in &entity.parts {
            let rows = made[&part.name].as_array().into_iter().flatten().map(testkit::id);
            things.ids.entry(part.entity.clone()).or_default().extend(rows);
        }
        id
    }

    /// Relations of a refused record that another one may do for, and of which kind.
    fn others(&self, entity: &Entity, body: &Value, told: &Value) -> Vec<(String, Option<String>)> {
        let faults: Vec<&str> =
            told["errors"].as_array().into_iter().flatten().filter_map(|e| e["field"].as_str()).collect();
        let taken = told["detail"].as_str().is_some_and(|d| d.contains("already"));
        let mut others = Vec::new();
        for column in entity.columns.iter().filter(|c| !body[&c.name].is_null()) {
            let Some(target) = column.target.as_deref().filter(|t| *t != kernel::MEMBERS) else { continue };
            let target = self.scene.store.catalog().entity(target).unwrap();
            let kinds = target.column("kind").map(|k| k.options.clone()).unwrap_or_default();
            if faults.contains(&column.name.as_str()) {
                others.extend(kinds.into_iter().map(|k| (column.name.clone(), Some(k))));
            } else if taken && !target.is_kept() && target.part_of.is_none() {
                others.push((column.name.clone(), None));
            }
        }
        others
    }

    async fn needs(&self, by: &Person, entity: &Entity, things: &mut Things) -> Value {
        let mut body = Map::new();
        for column in entity.columns.iter().filter(|c| c.writable() && entity.fk.as_ref() != Some(&c.name)) {
            let title = entity.title() == column.name && column.kind == Kind::Text && column.name != "number";
            if !(column.required
                || title
                || ["price", "amount", "country", "valid_on"].contains(&column.name.as_str()))
            {
                continue;
            }
            let value = match column.target.as_deref() {
                Some(kernel::MEMBERS) => json!(by.id),
                Some(target) => {
                    let target = self.scene.store.catalog().entity(target).unwrap();
                    match things.ids.get(&target.name).and_then(|ids| ids.first()) {
                        Some(id) => json!(id),
                        None => json!(Box::pin(self.sample(by, target, things)).await),
                    }
                }
                None => value_for(column, &things.marker),
            };
            body.insert(column.name.clone(), value);
        }
        Value::Object(body)
    }

    /// Something of everything that can be made, with parts.
    pub(crate) async fn furnished(&self, by: &Person, marker: &str) -> Things {
        let mut things = Things { marker: marker.to_owned(), ids: BTreeMap::new() };
        for entity in self.entities().into_iter().filter(|e| e.part_of.is_none() && !e.is_kept()) {
            if things.one(&entity.name).is_none() {
                self.sample(by, entity, &mut things).await;
            }
        }
        for entity in self.entities() {
            if things.one(&entity.name).is_none() {
                self.forced(by, entity, &mut things).await;
            }
        }
        things
    }

    /// A row of what cannot be made by itself over the API.
    pub(crate) async fn forced(&self, by: &Person, entity: &Entity, things: &mut Things) {
        let catalog = self.scene.store.catalog();
        if things.one(&entity.name).is_none() && self.found(by, entity, things).await {
            return;
        }
        for column in entity.columns.iter().filter(|c| c.not_null && c.default.is_none()) {
            let part = (entity.fk.as_ref() == Some(&column.name)).then(|| entity.part_of.clone()).flatten();
            if let Some(target) = part.or(column.target.clone()).filter(|t| *t != kernel::MEMBERS)
                && things.one(&target).is_none()
            {
                Box::pin(self.forced(by, catalog.entity(&target).unwrap(), things)).await;
            }
        }
        let several = NEEDS_ONE_OF_SEVERAL.contains(&entity.name.as_str());
        let related = |c: &Column| {
            (!several || c.name == "party_id")
                && c.target.as_ref().is_some_and(|t| *t != entity.name && things.one(t).is_some())
        };
        // A number is given to somebody, and nobody asks here.
        let numbered = |c: &Column| c.default.as_ref().is_some_and(|d| d.contains("next_number"));
        let needed = |c: &&Column| {
            (c.not_null && (c.default.is_none() || numbered(c)) || related(c) || c.name == "amount")
                && !c.generated
        };
        let row = |elsewhere: bool| {
            let id = Uuid::now_v7();
            let mut values = vec![("organization_id", by.organization.to_string()), ("id", id.to_string())];
            for column in entity.columns.iter().filter(needed) {
                let part =
                    (entity.fk.as_ref() == Some(&column.name)).then(|| entity.part_of.clone()).flatten();
                let value = match (part, &column.target) {
                    (None, Some(_)) if elsewhere => json!(Uuid::now_v7()),
                    (None, Some(target)) if target == kernel::MEMBERS => json!(by.id),
                    // Of the one made last, which has none yet.
                    (Some(target), _) => json!(things.ids.get(&target).and_then(|ids| ids.last())),
                    (None, Some(target)) => json!(things.ids.get(target).and_then(|ids| ids.last())),
                    (None, None) => value_for(column, &things.marker),
                };
                if !values.iter().any(|(name, _)| *name == column.name) {
                    values.push((&column.name, value.to_string().trim_matches('"').to_owned()));
                }
            }
            let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
            let texts: Vec<String> = values.iter().map(|(_, value)| format!("'{value}'")).collect();
            (id, format!("insert into {} ({}) values ({})", entity.name, names.join(", "), texts.join(", ")))
        };
        let (mut id, mut sql) = row(false);
        if self.behind(&sql).await != 1 {
            // There is one for each already: another of somebody else, about something else.
            (id, sql) = row(true);
            if self.behind(&sql).await != 1 {
                assert!(self.found(by, entity, things).await, "{sql}");
                return;
            }
        }
        things.ids.entry(entity.name.clone()).or_default().push(id);
    }

    /// Whether something else brought it.
    async fn found(&self, by: &Person, entity: &Entity, things: &mut Things) -> bool {
        let there = format!("select id from {} where organization_id = $1 limit 1", entity.name);
        let row = self.scene.admin().query_opt(&there, &[&by.organization]).await.unwrap();
        things.ids.entry(entity.name.clone()).or_default().extend(row.iter().map(|r| r.get::<_, Uuid>(0)));
        row.is_some()
    }

    /// Behind everybody's back, without triggers and keys of other tables.
    pub(crate) async fn behind(&self, sql: &str) -> u64 {
        let whole =
            format!("set session_replication_role = replica; {sql}; set session_replication_role = origin");
        let done = self.scene.admin().simple_query(&whole).await;
        if done.is_err() {
            self.scene.admin().batch_execute("set session_replication_role = origin").await.unwrap();
        }
        done.into_iter()
            .flatten()
            .map(|m| if let tokio_postgres::SimpleQueryMessage::CommandComplete(n) = m { n } else { 0 })
            .max()
            .unwrap_or_default()
    }

    /// Every operation of OpenAPI, as this person has it.
    pub(crate) async fn operations(&self, person: &Person) -> Vec<Operation> {
        let document = person.get("/openapi.json").await.json();
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, told) in item.as_object().unwrap().iter().filter(|(m, _)| *m != "parameters") {
                let schema = told["requestBody"]["content"]["application/json"]["schema"].clone();
                all.push(Operation { method: method.to_uppercase(), path: path.clone(), schema });
            }
        }
        all
    }

    /// A body that an operation accepts, as far as its schema and the catalog tell.
    pub(crate) fn body_for(&self, operation: &Operation) -> Option<Value> {
        let Operation { method, path, schema } = operation;
        if let ("PATCH", Some(entity)) = (method.as_str(), self.entity_of(path)) {
            let column = entity
                .columns
                .iter()
                .filter(|c| c.writable() && c.target.is_none() && entity.fk.as_ref() != Some(&c.name))
                .max_by_key(|c| matches!(c.kind, Kind::Text | Kind::Textarea) && c.options.is_empty());
            return Some(column.map_or_else(|| json!({}), |c| json!({ c.name.as_str(): value_for(c, "") })));
        }
        let mut body = Map::new();
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let of = &schema["properties"][name];
            let value = match (of["type"].as_str(), of["format"].as_str(), name) {
                (_, Some("uuid"), _) => json!(Uuid::now_v7()),
                (_, Some("email"), _) | (_, _, "email" | "to") => json!("somebody@acme.test"),
                (Some("array"), ..) => json!([]),
                (Some("object"), ..) => json!({}),
                (Some("integer"), ..) => json!(1),
                (Some("boolean"), ..) => json!(true),
                (_, _, "entity") => json!("parties.parties"),
                _ => json!("x"),
            };
            body.insert(name.to_owned(), value);
        }
        if method == "PATCH" && body.is_empty() {
            let (name, value) = match path.split('/').nth(1) {
                Some("members" | "workspaces") => ("status", json!("active")),
                Some("imports") => ("mapping", json!({})),
                _ => ("name", json!("x")),
            };
            let first = schema["properties"].as_object().and_then(|p| p.keys().next());
            let known = schema["properties"].get(name).is_some() || first.is_none();
            body.insert(if known { name } else { first.unwrap() }.to_owned(), value);
        }
        (method != "GET" && method != "DELETE").then_some(Value::Object(body))
    }

    /// The entity whose records a path is about.
    pub(crate) fn entity_of(&self, path: &str) -> Option<&Entity> {
        let mut segments = path.split('/').skip(1);
        let name = format!("{}.{}", segments.next()?, segments.next()?);
        self.scene.store.catalog().entity(&name).ok()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Of the body.
    pub(crate) schema: Value,
}

/// What a company has: ids by entity.
pub(crate) struct Things {
    pub(crate) marker: String,
    pub(crate) ids: BTreeMap<String, Vec<Uuid>>,
}

impl Things {
    pub(crate) fn one(&self, entity: &str) -> Option<Uuid> {
        self.ids.get(entity).and_then(|ids| ids.first()).copied()
    }
}

pub(crate) fn path(entity: &Entity) -> String {
    format!("/{}/{}", entity.module(), entity.short())
}

/// Leaves out what the answer finds fault with, or else the parts: they may want something that only a person knows.
fn without_faults(body: &mut Value, entity: &Entity, problem: &Value) -> bool {
    let fields: Vec<&str> =
        problem["errors"].as_array().into_iter().flatten().filter_map(|e| e["field"].as_str()).collect();
    let map = body.as_object_mut().unwrap();
    let mut changed = false;
    for field in &fields {
        changed |= match field.split('.').collect::<Vec<_>>()[..] {
            [part, _, field] => map
                .get_mut(part)
                .is_some_and(|rows| rows[0].as_object_mut().is_some_and(|row| row.remove(field).is_some())),
            [field] => map.remove(field).is_some(),
            _ => false,
        };
    }
    changed || entity.parts.iter().any(|part| map.remove(&part.name).is_some())
}

/// What a record of these needs no schema says: an open day, one of several others, a place of its own among nine.
/// Their own tests make them.
const NEEDS_ONE_OF_SEVERAL: [&str; 3] =
    ["banking.cash_entries", "banking.reconciliation_rules", "receivables.dunning_levels"];

/// A value that nothing has against, as far as the column itself says.
pub(crate) fn value_for(column: &Column, marker: &str) -> Value {
    let plain: String = Uuid::new_v4().simple().to_string().chars().take(12).collect();
    match column.kind {
        Kind::Email => json!(format!("{plain}@acme.test")),
        Kind::Url => json!("https://acme.test/"),
        Kind::Number | Kind::Money | Kind::Percent | Kind::Quantity => json!("10"),
        Kind::Integer => json!(1),
        Kind::Date if column.name.starts_with("ends") => json!("2026-06-30"),
        // Of some things there is one a day.
        Kind::Date if column.name == "valid_on" => {
            static DAYS: AtomicI32 = AtomicI32::new(0);
            let days = DAYS.fetch_add(1, Ordering::Relaxed);
            json!(jiff::civil::date(2000, 1, 1).saturating_add(jiff::Span::new().days(days)).to_string())
        }
        Kind::Date => json!("2026-06-15"),
        Kind::Datetime => json!("2026-06-15T12:00:00Z"),
        Kind::Boolean => json!(true),
        Kind::Select => json!(column.options[0]),
        Kind::Multiselect | Kind::Tags => json!([]),
        Kind::Json => json!({}),
        _ if column.name == "country" => json!("DE"),
        _ if column.name == "currency" => json!("USD"),
        _ if column.name == "iban" => json!("DE89370400440532013000"),
        _ if column.name == "per" => json!("CHF"),
        _ if column.name.contains("code") => json!(plain),
        _ => json!(format!("{marker}{plain}")),
    }
}

impl Person {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body), &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body), &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, &[]).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let bytes = body.as_ref().map(|b| b.to_string().into_bytes()).unwrap_or_default();
        let json = body.is_some() && !headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-type"));
        let mut all: Vec<(&str, &str)> = headers.to_vec();
        if json {
            all.push(("content-type", "application/json"));
        }
        self.raw(method, path, bytes, &all).await
    }

    /// Whatever bytes; the path below `/api/v1`, or from the root when it starts with `//`.
    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let uri = match path.strip_prefix("//") {
            Some(rest) => format!("/{rest}"),
            None => format!("/api/v1{path}"),
        };
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(uri);
        if !self.token.is_empty() && !headers.iter().any(|(n, _)| *n == "cookie") {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(self.ip, 4711)));
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, bytes };
        assert!(
            answer.status < 500 || answer.status == 503,
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
        answer
    }

    /// Reads an answer that does not end, piece by piece.
    pub(crate) async fn listen(&self, path: &str, heard: impl Fn(String)) {
        let request = Request::builder().uri(format!("/api/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        let response = self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let mut body = response.into_body();
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(bytes) = frame.into_data() {
                heard(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }

    pub(crate) fn with_token(&self, token: &str) -> Person {
        Person { token: token.to_owned(), ..self.clone() }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("{} is not JSON: {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    /// All that could tell one answer from another, but for what is new in each.
    pub(crate) fn same(&self) -> (u16, Vec<(String, String)>, String) {
        let body = match serde_json::from_slice::<Value>(&self.bytes) {
            Ok(mut body) => {
                if let Some(body) = body.as_object_mut() {
                    body.remove("request_id");
                }
                body.to_string()
            }
            Err(_) => self.text(),
        };
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"))
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        headers.sort();
        (self.status, headers, body)
    }
}
