use crate::{
    conditional,
    plan::{plain, quoted},
    query::{Reading, Record},
    select::from_states,
    value::{NOT_WRITTEN, Text, json_of, text_of},
};
use kernel::{
    Actor, Column, Entity, Error, Fault, FieldAccess, Kind, Result, Scope, Store, Tx, When, sql, within,
};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Parts of one record in one request.
const MOST_PARTS: usize = 5_000;

/// A record as somebody wants it, checked against the catalog: columns and their texts.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) id: Uuid,
    pub(crate) values: Vec<(String, String, Text)>,
    custom: Map<String, Value>,
    pub(crate) relations: Vec<(String, Uuid, String)>,
    /// Fields that are signed here.
    signed: Vec<String>,
    /// Fields that name files, and which.
    files: Vec<(String, Vec<Uuid>)>,
}

impl Draft {
    fn set(&mut self, column: &Column, text: Text) {
        self.values.push((column.name.clone(), column.sql_type.clone(), text));
    }
}

/// Reads the fields of one row; `skip` names what is not a field of it (its parts, `_delete`).
pub(crate) fn draft(
    actor: &Actor,
    entity: &Entity,
    body: &Map<String, Value>,
    new: bool,
    faults: &mut Vec<Fault>,
) -> Result<Draft> {
    let mut draft = Draft { id: Uuid::now_v7(), ..Draft::default() };
    let workflow = entity.transitions.first().map(|t| t.field.as_str());
    for (name, value) in body {
        let mut wrong = |message: String| faults.push(Fault { field: Some(name.clone()), message });
        if entity.part(name).is_some() || name == "_delete" || name == "_actions" {
            continue;
        }
        if name == "custom" {
            let Some(map) = value.as_object() else {
                wrong("This is an object of fields.".into());
                continue;
            };
            for (key, value) in map {
                custom(actor, entity, key, value, &mut draft, faults)?;
            }
            continue;
        }
        if let Some(key) = name.strip_prefix("cf.") {
            custom(actor, entity, key, value, &mut draft, faults)?;
            continue;
        }
        let Some(column) = entity.column(name) else {
            wrong(format!("There is no field {name}."));
            continue;
        };
        if !column.writable() || Some(name.as_str()) == workflow || entity.fk.as_ref() == Some(name) {
            // What a read answered may be sent back unchanged in a part; its id says which row it is.
            if !(entity.part_of.is_some() && name == "id") {
                wrong(if Some(name.as_str()) == workflow {
                    "Use an action to change the state.".into()
                } else {
                    NOT_WRITTEN.into()
                });
            }
            continue;
        }
        match actor.access.field(&entity.name, name) {
            FieldAccess::Write => {}
            _ => return Err(Error::Forbidden(format!("You may not write the field {name}."))),
        }
        match text_of(column, value) {
            Ok(text) => {
                if let (Some(target), Some(id)) =
                    (&column.target, text.as_deref().and_then(|t| t.parse().ok()))
                {
                    draft.relations.push((target.clone(), id, name.clone()));
                }
                draft.set(column, text);
            }
            Err(message) => wrong(message),
        }
    }
    if new {
        // Whoever may make records in one workspace only makes them there.
        if let (Some(place), Some(column)) =
            (actor.access.confined(entity, "create"), entity.column("workspace_id"))
            && entity.part_of.is_none()
            && !body.contains_key("workspace_id")
        {
            draft.set(column, Some(place.to_string()));
        }
        for column in entity.columns.iter().filter(|c| c.required && c.writable()) {
            let given = body.get(&column.name).is_some_and(|v| !v.is_null() && v.as_str() != Some(""));
            if !given && entity.fk.as_ref() != Some(&column.name) {
                faults.push(Fault { field: Some(column.name.clone()), message: "This is required.".into() });
            }
        }
        for field in actor.overlay.of(&entity.name).iter().filter(|f| f.is_always_required()) {
            if !draft.custom.contains_key(&field.name)
                && !faults.iter().any(|f| f.field.as_deref() == Some(&format!("cf.{}", field.name)))
            {
                faults.push(Fault {
                    field: Some(format!("cf.{}", field.name)),
                    message: "This is required.".into(),
                });
            }
        }
    }
    Ok(draft)
}

fn custom(
    actor: &Actor,
    entity: &Entity,
    key: &str,
    value: &Value,
    draft: &mut Draft,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    let name = format!("cf.{key}");
    let Some(field) = actor.overlay.field(&entity.name, key) else {
        faults.push(Fault { message: format!("There is no field {name}."), field: Some(name) });
        return Ok(());
    };
    if actor.access.field(&entity.name, &name) != FieldAccess::Write {
        return Err(Error::Forbidden(format!("You may not write the field {name}.")));
    }
    if !field.is_written() {
        faults.push(Fault { field: Some(name), message: NOT_WRITTEN.into() });
        return Ok(());
    }
    match json_of(field, value) {
        Ok(Value::Null) if field.is_always_required() => {
            faults.push(Fault { field: Some(name), message: "This is required.".into() })
        }
        Ok(mut value) => {
            let to = if field.kind == Kind::User { Some(kernel::MEMBERS) } else { field.target() };
            if let (Some(to), Some(id)) = (to, value.as_str().and_then(|t| t.parse().ok())) {
                if !actor.catalog.entities.contains_key(to) {
                    faults.push(Fault { field: Some(name), message: "There is no such record.".into() });
                    return Ok(());
                }
                draft.relations.push((to.to_owned(), id, name.clone()));
            }
            if field.kind == Kind::Users {
                let ids = value.as_array().into_iter().flatten().filter_map(|id| id.as_str()?.parse().ok());
                draft.relations.extend(ids.map(|id| (kernel::MEMBERS.into(), id, name.clone())));
            }
            if field.kind == Kind::Signature && value.is_object() {
                // Who signs, and when, nobody says himself.
                value["by"] = json!(actor.user);
                value["at"] = json!(jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default());
                draft.signed.push(key.to_owned());
            }
            if field.kind == Kind::File && value.is_array() {
                let ids = serde_json::from_value(value.clone()).unwrap_or_default();
                draft.files.push((key.to_owned(), ids));
            }
            draft.custom.insert(key.to_owned(), value);
        }
        Err(message) => faults.push(Fault { field: Some(name), message }),
    }
    Ok(())
}

/// A statement with its texts: `$1` the organization, the rest as they come.
#[derive(Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) texts: Vec<Text>,
    /// Where in the body an error of it belongs.
    pub(crate) path: Option<String>,
}

impl Statement {
    pub(crate) fn values<'a>(&'a self, organization: &'a Uuid) -> Vec<&'a (dyn ToSql + Sync)> {
        std::iter::once(organization as &(dyn ToSql + Sync))
            .chain(self.texts.iter().map(|t| t as &(dyn ToSql + Sync)))
            .collect()
    }
}

fn insert(
    entity: &Entity,
    draft: &mut Draft,
    owner: Option<(&str, Uuid)>,
    path: Option<String>,
) -> Statement {
    let mut names = vec!["organization_id".to_owned(), "id".to_owned()];
    let mut places = vec!["$1".to_owned(), "$2::text::uuid".to_owned()];
    let mut texts = vec![Some(draft.id.to_string())];
    let mut add = |name: String, sql_type: &str, text: Text| {
        texts.push(text);
        places.push(format!("${}::text::{sql_type}", texts.len() + 1));
        names.push(quoted(&name));
    };
    if let Some((fk, id)) = owner {
        add(fk.to_owned(), "uuid", Some(id.to_string()));
    }
    if entity.own {
        add("entity".into(), "text", Some(entity.name.clone()));
    }
    for (name, sql_type, text) in draft.values.drain(..) {
        add(name, &sql_type, text);
    }
    if !draft.custom.is_empty() {
        let custom: Map<String, Value> =
            std::mem::take(&mut draft.custom).into_iter().filter(|(_, v)| !v.is_null()).collect();
        add("custom".into(), "jsonb", Some(Value::Object(custom).to_string()));
    }
    let sql = format!("insert into {} ({}) values ({})", entity.table(), names.join(", "), places.join(", "));
    Statement { sql, texts, path }
}

/// An update of one row; `version` refuses a lost update.
fn update(
    entity: &Entity,
    id: Uuid,
    draft: &mut Draft,
    version: Option<i32>,
    owner: Option<(&str, Uuid)>,
    path: Option<String>,
) -> Statement {
    let mut texts = vec![Some(id.to_string())];
    let mut sets = Vec::new();
    for (name, sql_type, text) in draft.values.drain(..) {
        texts.push(text);
        sets.push(format!("{} = ${}::text::{sql_type}", quoted(&name), texts.len() + 1));
    }
    if !draft.custom.is_empty() {
        texts.push(Some(Value::Object(std::mem::take(&mut draft.custom)).to_string()));
        sets.push(format!("custom = jsonb_strip_nulls(custom || ${}::text::jsonb)", texts.len() + 1));
    }
    if sets.is_empty() {
        sets.push("updated_at = now()".into());
    }
    let mut sql = format!(
        "update {} set {} where organization_id = $1 and id = $2::text::uuid and deleted_at is null{}",
        entity.table(),
        sets.join(", "),
        entity.only("")
    );
    if let Some((fk, owner)) = owner {
        texts.push(Some(owner.to_string()));
        sql.push_str(&format!(" and {} = ${}::text::uuid", quoted(fk), texts.len() + 1));
    }
    if let Some(version) = version {
        texts.push(Some(version.to_string()));
        sql.push_str(&format!(" and version = ${}::text::integer", texts.len() + 1));
    }
    Statement { sql, texts, path }
}

/// Everything that a create sends, in order; and what must be visible to the person for it to be right.
pub(crate) struct Making {
    pub(crate) id: Uuid,
    pub(crate) statements: Vec<Statement>,
    relations: Vec<(String, Uuid, String)>,
    files: Vec<Hanging>,
    /// Of the record and its parts.
    conditions: Vec<Conditional>,
}

/// A row whose own fields depend on conditions; see [`conditional::keep`].
struct Conditional {
    entity: String,
    id: Uuid,
    /// What was sent of a row that was there before.
    touched: Option<Vec<String>>,
    path: Option<String>,
}

impl Conditional {
    fn new(actor: &Actor, entity: &Entity, id: Uuid, path: Option<&str>) -> Option<Conditional> {
        let (name, path) = (entity.name.clone(), path.map(str::to_owned));
        conditional::any(actor, entity).then_some(Conditional { entity: name, id, touched: None, path })
    }

    fn touched(self, entity: &Entity, sent: &Map<String, Value>) -> Conditional {
        let own = sent.get("custom").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        let names = sent.keys().map(|name| match entity.relation(name) {
            Some(column) => column.name.clone(),
            None => name.clone(),
        });
        Conditional { touched: Some(names.chain(own.map(|k| format!("cf.{k}"))).collect()), ..self }
    }

    fn row(&self) -> conditional::Row<'_> {
        conditional::Row { id: self.id, touched: self.touched.as_deref(), path: self.path.as_deref() }
    }

    /// One question for the record, and one for each kind of its parts.
    async fn keep(tx: &Tx, all: &[Conditional]) -> Result<()> {
        for rows in all.chunk_by(|a, b| a.entity == b.entity) {
            let entity = tx.catalog.entity(&rows[0].entity)?;
            let rows: Vec<_> = rows.iter().map(Conditional::row).collect();
            conditional::keep(tx, entity, &rows).await?;
        }
        Ok(())
    }
}

/// Files of a row that is not there yet; its own fields are the last text of the statement that makes it.
struct Hanging {
    statement: usize,
    entity: String,
    record: Uuid,
    files: Vec<(String, Vec<Uuid>)>,
}

pub(crate) fn making(
    actor: &Actor,
    catalog: &kernel::Catalog,
    entity: &Entity,
    body: &Value,
) -> Result<Making> {
    let map = object(body)?;
    let mut faults = Vec::new();
    let mut head = draft(actor, entity, map, true, &mut faults)?;
    let id = head.id;
    let mut relations = std::mem::take(&mut head.relations);
    let mut files = Vec::new();
    let mut hanging = |statement: usize, entity: &Entity, draft: &mut Draft| {
        if !draft.files.is_empty() {
            let (entity, record) = (entity.name.clone(), draft.id);
            files.push(Hanging { statement, entity, record, files: std::mem::take(&mut draft.files) });
        }
    };
    hanging(0, entity, &mut head);
    let mut conditions: Vec<Conditional> = Conditional::new(actor, entity, id, None).into_iter().collect();
    let followers = following(entity, id, [Some(actor.user), given_to(entity, &head)]);
    let mut statements = vec![insert(entity, &mut head, None, None), followers];
    for part in &entity.parts {
        let Some(rows) = map.get(&part.name) else { continue };
        let inner = catalog.entity(&part.entity)?;
        for (n, row) in rows_of(rows, &part.name, &mut faults).iter().enumerate() {
            let path = format!("{}.{n}", part.name);
            let Some(row) = row.as_object() else {
                faults.push(Fault { field: Some(path), message: "This is an object.".into() });
                continue;
            };
            let mut own = Vec::new();
            let mut line = draft(actor, inner, row, true, &mut own)?;
            faults.extend(own.into_iter().map(|f| under(f, &path)));
            number(inner, &mut line, n);
            relations.extend(
                std::mem::take(&mut line.relations)
                    .into_iter()
                    .map(|(t, i, f)| (t, i, format!("{path}.{f}"))),
            );
            hanging(statements.len(), inner, &mut line);
            conditions.extend(Conditional::new(actor, inner, line.id, Some(&path)));
            statements.push(insert(inner, &mut line, Some((&part.fk, id)), Some(path)));
        }
    }
    if faults.is_empty() {
        Ok(Making { id, statements, relations, files, conditions })
    } else {
        Err(Error::Malformed(faults))
    }
}

/// Whom it is given to here.
fn given_to(entity: &Entity, head: &Draft) -> Option<Uuid> {
    let owner = head.values.iter().find(|(name, ..)| *name == entity.owner)?;
    owner.2.as_ref()?.parse().ok()
}

/// Who makes a record, and whom it is given to, follows it, but for who has ceased to.
fn following(entity: &Entity, id: Uuid, people: [Option<Uuid>; 2]) -> Statement {
    let people: Vec<String> = people.iter().flatten().map(Uuid::to_string).collect();
    let sql = "insert into app.followers (organization_id, entity, record_id, user_id)
               select $1, $2::text, $3::text::uuid, p::uuid from unnest(string_to_array($4::text, ',')) p
               on conflict (organization_id, entity, record_id, user_id) do nothing";
    let texts = vec![Some(entity.name.clone()), Some(id.to_string()), Some(people.join(","))];
    Statement { sql: sql.into(), texts, path: None }
}

/// Lines stand in the order in which they were sent.
fn number(entity: &Entity, line: &mut Draft, n: usize) {
    if let Some(column) = entity.column("position").filter(|c| c.writable())
        && !line.values.iter().any(|(name, ..)| name == "position")
    {
        line.set(column, Some((n + 1).to_string()));
    }
}

fn rows_of<'a>(rows: &'a Value, name: &str, faults: &mut Vec<Fault>) -> &'a [Value] {
    match rows.as_array() {
        Some(rows) if rows.len() <= MOST_PARTS => rows,
        Some(_) => {
            faults.push(Fault { field: Some(name.to_owned()), message: format!("At most {MOST_PARTS}.") });
            &[]
        }
        None => {
            faults.push(Fault { field: Some(name.to_owned()), message: "This is a list.".into() });
            &[]
        }
    }
}

pub(crate) fn object(body: &Value) -> Result<&Map<String, Value>> {
    body.as_object().ok_or_else(|| Error::malformed("The body is a JSON object."))
}

fn under(fault: Fault, path: &str) -> Fault {
    Fault {
        field: fault.field.map(|f| format!("{path}.{f}")).or_else(|| Some(path.to_owned())),
        message: fault.message,
    }
}

/// Foreign keys see every row of the organization; people may not link to what they cannot see.
async fn reachable(tx: &Tx, relations: &[(String, Uuid, String)]) -> Result<()> {
    for (target, id, field) in relations {
        let entity = tx.catalog.entity(target)?;
        if !is_custom(field)
            && tx.actor.access.scope(entity, "read") == Scope::All
            && tx.actor.access.workspaces.is_none()
        {
            continue;
        }
        let sql = format!(
            "select from {} r where organization_id = $1 and id = $2 and deleted_at is null",
            entity.rows()
        );
        // What somebody may not see at all he may still name as a member: himself.
        let own = target == kernel::MEMBERS && *id == tx.actor.user;
        if !own && tx.cached(&sql, &[&tx.actor.organization, id]).await?.is_empty() {
            return Err(Error::refused_at(field, "There is no such record."));
        }
    }
    Ok(())
}

/// No foreign key watches over what an organization's own field names.
fn is_custom(field: &str) -> bool {
    field.starts_with("cf.") || field.contains(".cf.")
}

/// What was signed stays as it is until it is cleared; the same once more changes nothing.
async fn unsigned(tx: &Tx, entity: &Entity, id: Uuid, draft: &mut Draft) -> Result<()> {
    for key in std::mem::take(&mut draft.signed) {
        let sql = format!(
            "select custom -> $3::text from {} r where organization_id = $1 and id = $2",
            entity.rows()
        );
        let rows = tx.cached(&sql, &[&tx.actor.organization, &id, &key]).await?;
        let was: Option<Value> = rows.first().and_then(|r| r.get(0));
        let Some(was) = was.filter(Value::is_object) else { continue };
        let is = &draft.custom[&key];
        if was["path"] != is["path"] || was["text"] != is["text"] {
            return Err(Error::refused_at(
                format!("cf.{key}"),
                "This is signed. Clear it before it is signed anew.",
            ));
        }
        draft.custom.insert(key, was);
    }
    Ok(())
}

/// Hangs the files that the person sent on the record, and writes down in its fields what they are called. What hangs
/// there already stays; what hangs elsewhere is that record's.
async fn hang(
    tx: &Tx,
    entity: &str,
    record: Uuid,
    files: &[(String, Vec<Uuid>)],
    custom: &mut Map<String, Value>,
) -> Result<()> {
    for (key, ids) in files {
        let take = sql!(
            "update files.files set entity = $3, record_id = $4
             where organization_id = $1 and id = any ($2) and deleted_at is null and record_id is null and created_by = $5"
        );
        let organization = &tx.actor.organization;
        tx.cached(take, &[organization, ids, &entity, &record, &tx.actor.user]).await?;
        let read = sql!(
            "select jsonb_build_object('id', f.id, 'name', f.name, 'type', f.type, 'size', f.size)
             from unnest($2::uuid[]) with ordinality n (id, place) join files.files f on f.organization_id = $1 and f.id = n.id
             where f.entity = $3 and f.record_id = $4 and f.deleted_at is null order by n.place"
        );
        let rows = tx.cached(read, &[organization, ids, &entity, &record]).await?;
        if rows.len() < ids.len() {
            return Err(Error::refused_at(format!("cf.{key}"), "There is no such file. Send it first."));
        }
        let held: Vec<Value> = rows.iter().map(|r| r.get(0)).collect();
        let field = tx.actor.overlay.field(entity, key);
        let shown = field.is_some_and(|f| matches!(f.look.as_str(), "image" | "avatar"));
        if shown && held.iter().any(|f| !f["type"].as_str().is_some_and(|t| t.starts_with("image/"))) {
            return Err(Error::refused_at(format!("cf.{key}"), "Only pictures go here."));
        }
        custom.insert(key.clone(), held.into());
    }
    Ok(())
}

fn narrow(actor: &Actor, catalog: &kernel::Catalog, relations: &[(String, Uuid, String)]) -> bool {
    actor.access.workspaces.is_some()
        || relations.iter().any(|(target, _, field)| {
            is_custom(field)
                || catalog.entities.get(target).is_none_or(|e| actor.access.scope(e, "read") != Scope::All)
        })
}

pub(crate) fn allowed(actor: &Actor, entity: &Entity, action: &str) -> Result<()> {
    if actor.access.may(entity, action) {
        return Ok(());
    }
    Err(Error::Forbidden(format!("You may not {} {}.", plain(action), plain(entity.short()))))
}

/// Makes a record with its parts.
pub async fn create(store: &Store, actor: &Actor, entity: &Entity, body: &Value) -> Result<Record> {
    allowed(actor, entity, "create")?;
    if entity.part_of.is_some() {
        return Err(Error::malformed(format!(
            "{} are written with the record they belong to.",
            plain(entity.short())
        )));
    }
    let catalog = &actor.catalog;
    let making = making(actor, catalog, entity, body)?;
    let ruled = kernel::rules(store.modules(), &entity.name, "create").next().is_some();
    let readable = actor.access.may(entity, "read");
    let asks = !making.files.is_empty() || !making.conditions.is_empty();
    let _turn = store.turn(actor).await?;
    if ruled || !readable || asks || narrow(actor, catalog, &making.relations) {
        let id = within!(store, actor, tx => made(&tx, entity, &making).await)?;
        return if readable {
            crate::get(store, actor, entity, id, &[], &[]).await
        } else {
            Ok(Record { json: format!("{{\"id\":\"{id}\"}}").into_bytes(), version: 1 })
        };
    }
    // Nothing in it waits for an answer: one round trip.
    let reading = Reading::new(store, actor, catalog, entity, &[], &[])?;
    let asked: [&(dyn ToSql + Sync); 2] = [&actor.organization, &making.id];
    let values: Vec<Vec<&(dyn ToSql + Sync)>> =
        making.statements.iter().map(|s| s.values(&actor.organization)).collect();
    let mut statements: Vec<(&str, kernel::Values<'_>)> =
        making.statements.iter().zip(&values).map(|(s, v)| (s.sql.as_str(), v.as_slice())).collect();
    statements.extend(reading.statements.iter().map(|s| (s.as_str(), &asked[..])));
    let answers = match store.batch(actor, &statements).await {
        Ok(answers) => answers,
        // Which of the statements it was is known only when they go one by one; what ended a deadlock may try again.
        Err(e) if matches!(e, Error::Refused(_)) || e.is_passing() => {
            let id = within!(store, actor, tx => made(&tx, entity, &making).await)?;
            return crate::get(store, actor, entity, id, &[], &[]).await;
        }
        Err(e) => return Err(e),
    };
    let record = reading.write(&answers[making.statements.len()..])?;
    store.tell(actor, &entity.name, making.id, record.version, "create");
    Ok(record)
}

async fn made(tx: &Tx, entity: &Entity, making: &Making) -> Result<Uuid> {
    reachable(tx, &making.relations).await?;
    let mut statements = Cow::Borrowed(&making.statements[..]);
    for Hanging { statement, entity, record, files } in &making.files {
        let statement = &mut statements.to_mut()[*statement];
        let mut custom = Map::new();
        let done = hang(tx, entity, *record, files, &mut custom).await;
        done.map_err(|e| match &statement.path {
            Some(path) => e.under(path),
            None => e,
        })?;
        if let Some(Some(text)) = statement.texts.last_mut() {
            let mut whole: Map<String, Value> = serde_json::from_str(text)?;
            whole.extend(custom);
            *text = Value::Object(whole).to_string();
        }
    }
    run(tx, &statements).await?;
    Conditional::keep(tx, &making.conditions).await?;
    let rules = |when| async move {
        if kernel::rules(tx.modules(), &entity.name, "create").any(|r| r.when == when) {
            let record = read_value(tx, entity, making.id, false).await?;
            tx.rules(when, &entity.name, "create", &record).await?;
        }
        Ok::<_, Error>(())
    };
    rules(When::Before).await?;
    rules(When::After).await?;
    tx.changed(&entity.name, making.id, 1, "create");
    Ok(making.id)
}

async fn run(tx: &Tx, statements: &[Statement]) -> Result<u64> {
    let mut rows = 0;
    for statement in statements {
        let values = statement.values(&tx.actor.organization);
        let done = tx.change(&statement.sql, &values).await.map_err(|e| e.explain(&tx.catalog));
        rows = match (&statement.path, done) {
            (_, Ok(rows)) => rows,
            (Some(path), Err(e)) => return Err(e.under(path)),
            (None, Err(e)) => return Err(e),
        };
    }
    Ok(rows)
}

/// For modules: makes a record inside a transaction that is already open; answers its id.
pub async fn create_within(tx: &Tx, entity: &str, body: &Value) -> Result<Uuid> {
    let catalog = tx.catalog.clone();
    let entity = catalog.entity(entity)?;
    allowed(&tx.actor, entity, "create")?;
    let making = making(&tx.actor, &catalog, entity, body)?;
    made(tx, entity, &making).await
}

/// As [`create_within`], for fields of a record that is there.
pub async fn change_within(tx: &Tx, entity: &Entity, id: Uuid, body: &Value) -> Result<()> {
    allowed(&tx.actor, entity, "update")?;
    changed(tx, entity, id, body, None).await
}

/// As [`create_within`], for an action on a record; the right to it stands for the right to change the record.
pub async fn act_within(tx: &Tx, entity: &Entity, id: Uuid, action: &str) -> Result<Value> {
    allowed(&tx.actor, entity, action)?;
    tx.act_as(Some((entity, action))).await?;
    let made = acted(tx, entity, id, action, &Value::Object(Map::new()), None).await?;
    tx.act_as(None).await?;
    Ok(made)
}

/// A row as rules see it, whatever the person's field rights; `lock` keeps others from changing it meanwhile.
pub async fn read_value(tx: &Tx, entity: &Entity, id: Uuid, lock: bool) -> Result<Value> {
    let columns: Vec<&Column> = entity.columns.iter().filter(|c| c.kind != kernel::Kind::Hidden).collect();
    let names: Vec<String> = columns.iter().map(|c| format!("r.{}", quoted(&c.name))).collect();
    let wait = if lock { " for no key update" } else { "" };
    let sql = format!(
        "select {} from {} r where r.organization_id = $1 and r.id = $2{wait}",
        names.join(", "),
        entity.rows()
    );
    let rows = tx.cached(&sql, &[&tx.actor.organization, &id]).await?;
    let Some(row) = rows.first() else {
        // A row is locked only by who may change it; who may only see it is told so.
        return Err(if lock { missed(tx, entity, id, None).await? } else { Error::NotFound });
    };
    let mut json = vec![b'{'];
    for (n, column) in columns.iter().enumerate() {
        if n > 0 {
            json.push(b',');
        }
        json.extend_from_slice(format!("\"{}\":", column.name).as_bytes());
        kernel::write_json(&mut json, row, n, column.kind);
    }
    json.push(b'}');
    Ok(serde_json::from_slice(&json)?)
}

/// Changes fields of a record, and its parts.
pub async fn change(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    id: Uuid,
    body: &Value,
    version: Option<i32>,
) -> Result<Record> {
    allowed(actor, entity, "update")?;
    if entity.document && version.is_none() {
        return Err(Error::VersionNeeded);
    }
    let _turn = store.turn(actor).await?;
    within!(store, actor, tx => changed(&tx, entity, id, body, version).await)?;
    crate::get(store, actor, entity, id, &[], &[]).await
}

pub(crate) async fn changed(
    tx: &Tx,
    entity: &Entity,
    id: Uuid,
    body: &Value,
    version: Option<i32>,
) -> Result<()> {
    let map = object(body)?;
    let actor = &tx.actor;
    let mut faults = Vec::new();
    let mut head = draft(actor, entity, map, false, &mut faults)?;
    let mut relations = std::mem::take(&mut head.relations);
    let touched = entity.parts.iter().any(|p| map.contains_key(&p.name));
    let mut statements = Vec::new();
    let head_asks = Conditional::new(actor, entity, id, None).map(|c| c.touched(entity, map));
    let mut conditions: Vec<Conditional> = head_asks.into_iter().collect();
    for part in &entity.parts {
        let Some(rows) = map.get(&part.name) else { continue };
        let inner = tx.catalog.entity(&part.entity)?;
        for (n, row) in rows_of(rows, &part.name, &mut faults).iter().enumerate() {
            let path = format!("{}.{n}", part.name);
            let Some(row) = row.as_object() else {
                faults.push(Fault { field: Some(path), message: "This is an object.".into() });
                continue;
            };
            let known = row.get("id").map(|v| v.as_str().and_then(|s| s.parse::<Uuid>().ok()));
            let known = match known {
                Some(None) => {
                    faults.push(Fault {
                        field: Some(format!("{path}.id")),
                        message: "This is not an id.".into(),
                    });
                    continue;
                }
                Some(id) => id,
                None => None,
            };
            if row.get("_delete") == Some(&Value::Bool(true)) {
                if let Some(line) = known {
                    let sql = format!(
                        "delete from {} where organization_id = $1 and id = $2::text::uuid and {} = $3::text::uuid",
                        inner.name,
                        quoted(&part.fk)
                    );
                    statements.push(Statement {
                        sql,
                        texts: vec![Some(line.to_string()), Some(id.to_string())],
                        path: Some(path),
                    });
                }
                continue;
            }
            let mut own = Vec::new();
            // A row sent back as it was read carries what cannot be written; only changes of it are mistakes.
            let writable: Map<String, Value> = row
                .iter()
                .filter(|(name, _)| {
                    known.is_none()
                        || inner
                            .column(name)
                            .is_none_or(|c| c.writable() && inner.fk.as_ref() != Some(&c.name))
                            && inner.relation(name).is_none_or(|c| c.name == **name)
                })
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let mut line = draft(actor, inner, &writable, known.is_none(), &mut own)?;
            faults.extend(own.into_iter().map(|f| under(f, &path)));
            relations.extend(
                std::mem::take(&mut line.relations)
                    .into_iter()
                    .map(|(t, i, f)| (t, i, format!("{path}.{f}"))),
            );
            let asks = Conditional::new(actor, inner, known.unwrap_or(line.id), Some(&path));
            conditions.extend(asks.map(|c| if known.is_some() { c.touched(inner, &writable) } else { c }));
            match known {
                Some(known) => {
                    unsigned(tx, inner, known, &mut line).await.map_err(|e| e.under(&path))?;
                    let done = hang(tx, &inner.name, known, &line.files, &mut line.custom).await;
                    done.map_err(|e| e.under(&path))?;
                    statements.push(update(inner, known, &mut line, None, Some((&part.fk, id)), Some(path)))
                }
                None => {
                    let done = hang(tx, &inner.name, line.id, &line.files, &mut line.custom).await;
                    done.map_err(|e| e.under(&path))?;
                    number(inner, &mut line, n);
                    statements.push(insert(inner, &mut line, Some((&part.fk, id)), Some(path)));
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(Error::Malformed(faults));
    }
    if head.values.is_empty() && head.custom.is_empty() && !touched {
        return Err(Error::malformed("There is nothing to change."));
    }
    reachable(tx, &relations).await?;
    unsigned(tx, entity, id, &mut head).await?;
    hang(tx, &entity.name, id, &head.files, &mut head.custom).await?;
    // The head first: it takes the lock that the lines' triggers want too, so two editors queue instead of deadlocking.
    let given = given_to(entity, &head);
    let statement = update(entity, id, &mut head, version, None, None);
    if run(tx, &[statement]).await? == 0 {
        return Err(missed(tx, entity, id, version).await?);
    }
    if given.is_some() {
        run(tx, &[following(entity, id, [given, None])]).await?;
    }
    for statement in statements {
        if run(tx, std::slice::from_ref(&statement)).await? == 0 {
            return Err(Error::malformed_at(
                format!("{}.id", statement.path.unwrap_or_default()),
                "There is no such line.",
            ));
        }
    }
    Conditional::keep(tx, &conditions).await?;
    for when in [When::Before, When::After] {
        if kernel::rules(tx.modules(), &entity.name, "update").any(|r| r.when == when) {
            let record = read_value(tx, entity, id, false).await?;
            tx.rules(when, &entity.name, "update", &record).await?;
        }
    }
    tx.changed(&entity.name, id, version.map_or(0, |v| v + 1), "update");
    Ok(())
}

/// Why a write found no row: not there, not theirs to change, or changed by somebody else.
pub(crate) async fn missed(tx: &Tx, entity: &Entity, id: Uuid, version: Option<i32>) -> Result<Error> {
    let sql = format!(
        "select version, deleted_at is not null from {} r where organization_id = $1 and id = $2",
        entity.rows()
    );
    let rows = tx.cached(&sql, &[&tx.actor.organization, &id]).await?;
    Ok(match rows.first() {
        None => Error::NotFound,
        Some(row) if row.get::<_, bool>(1) => Error::refused("This record was deleted. Restore it first."),
        Some(row) if version.is_some_and(|v| v != row.get::<_, i32>(0)) => Error::Stale,
        Some(_) => Error::Forbidden(format!("You may not change this one of the {}.", plain(entity.short()))),
    })
}

/// Throws a record away; it can be restored. What others use is refused, with who uses it.
pub async fn delete(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    id: Uuid,
    version: Option<i32>,
) -> Result<()> {
    allowed(actor, entity, "delete")?;
    if entity.part_of.is_some() {
        return Err(Error::malformed("Lines are removed with a change of the record they belong to."));
    }
    let _turn = store.turn(actor).await?;
    within!(store, actor, (entity, "delete"), tx => deleted(&tx, entity, id, version).await)
}

pub(crate) async fn deleted(tx: &Tx, entity: &Entity, id: Uuid, version: Option<i32>) -> Result<()> {
    let record = read_value(tx, entity, id, true).await?;
    tx.rules(When::Before, &entity.name, "delete", &record).await?;
    let users = tx
        .query(sql!("select entity, count from app.users_of($1::text, $2::uuid)"), &[&entity.name, &id])
        .await?;
    if !users.is_empty() {
        let list: Vec<String> = users
            .iter()
            .map(|r| {
                let name: &str = r.get(0);
                format!("{} {}", r.get::<_, i64>(1), plain(name.split_once('.').map_or(name, |(_, s)| s)))
            })
            .collect();
        return Err(Error::refused(format!("This is in use by {}.", list.join(" and "))));
    }
    left(tx, entity, id).await?;
    let mut sql = format!(
        "update {} set deleted_at = now() where organization_id = $1 and id = $2::text::uuid and deleted_at is null{}",
        entity.table(),
        entity.only("")
    );
    let mut texts = vec![Some(id.to_string())];
    if let Some(version) = version {
        texts.push(Some(version.to_string()));
        sql.push_str(" and version = $3::text::integer");
    }
    if run(tx, &[Statement { sql, texts, path: None }]).await? == 0 {
        return Err(missed(tx, entity, id, version).await?);
    }
    tx.rules(When::After, &entity.name, "delete", &record).await?;
    tx.changed(&entity.name, id, version.map_or(0, |v| v + 1), "delete");
    Ok(())
}

/// What becomes of the own fields that lead to a record that is thrown away: they keep it, hold it, or let go of it.
async fn left(tx: &Tx, entity: &Entity, id: Uuid) -> Result<()> {
    for (name, fields) in &tx.actor.overlay.fields {
        let Some(from) = tx.catalog.entities.get(name) else { continue };
        for field in fields.iter().filter(|f| f.target() == Some(entity.name.as_str())) {
            let Some(way @ ("restrict" | "clear")) = field.settings["on_delete"].as_str() else { continue };
            let leads = json!({ &field.name: id });
            // Sees every row of the organization, so that what a colleague uses is not thrown away.
            let row = tx
                .query_one(sql!("select app.leading_to($1::text, $2::jsonb, $3::uuid)"), &[name, &leads, &id])
                .await?;
            let count: i64 = row.get(0);
            match way {
                _ if count == 0 => {}
                "restrict" => {
                    let used = format!("{}: {count} {}", field.label, plain(from.short()));
                    return Err(Error::refused(format!("This is in use by {used}.")));
                }
                _ => {
                    let sql = format!(
                        "update {} set custom = custom - $4::text where organization_id = $1 and custom @> $2 and id <> $3 and deleted_at is null{}",
                        from.table(),
                        from.only("")
                    );
                    let cleared = tx
                        .change(&sql, &[&tx.actor.organization, &leads, &id, &field.name])
                        .await
                        .map_err(|e| e.explain(&tx.catalog))?;
                    if i64::try_from(cleared).unwrap_or_default() < count {
                        return Err(Error::Forbidden(format!(
                            "You may not change all of the {} whose field {} names it.",
                            plain(from.short()),
                            field.label
                        )));
                    }
                }
            }
        }
    }
    Ok(())
}

pub async fn restore(store: &Store, actor: &Actor, entity: &Entity, id: Uuid) -> Result<Record> {
    allowed(actor, entity, "restore")?;
    if entity.part_of.is_some() {
        return Err(Error::malformed("Lines are written with the record they belong to."));
    }
    let _turn = store.turn(actor).await?;
    within!(store, actor, (entity, "restore"), tx => restored(&tx, entity, id).await)?;
    crate::get(store, actor, entity, id, &[], &[]).await
}

pub(crate) async fn restored(tx: &Tx, entity: &Entity, id: Uuid) -> Result<()> {
    let sql = format!(
        "update {} set deleted_at = null where organization_id = $1 and id = $2::text::uuid and deleted_at is not null{}",
        entity.table(),
        entity.only("")
    );
    if run(tx, &[Statement { sql, texts: vec![Some(id.to_string())], path: None }]).await? == 0 {
        read_value(tx, entity, id, false).await?;
        return Err(Error::refused("This record is not deleted."));
    }
    tx.changed(&entity.name, id, 0, "restore");
    Ok(())
}

/// An action as somebody asks for it; `version` refuses it when the record was changed meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub action: &'a str,
    pub body: &'a Value,
    pub version: Option<i32>,
}

/// Moves a record along its workflow, or does what a module lets people do with it.
pub async fn act(store: &Store, actor: &Actor, entity: &Entity, id: Uuid, ask: &Ask<'_>) -> Result<Acted> {
    let Ask { action, body, version } = *ask;
    let own = kernel::actions(store.modules(), &entity.name).any(|a| a.action == action);
    let moves = action != "auto" && entity.transitions.iter().any(|t| t.action == action);
    if !own && !moves {
        return Err(Error::NotFound);
    }
    allowed(actor, entity, action)?;
    let _turn = store.turn(actor).await?;
    let made =
        within!(store, actor, (entity, action), tx => acted(&tx, entity, id, action, body, version).await)?;
    let record = crate::get(store, actor, entity, id, &[], &[]).await?;
    Ok(Acted { record, made })
}

/// The record after an action, and what the action made: `{entity, id}` or whatever it answers.
#[derive(Debug)]
pub struct Acted {
    pub record: Record,
    pub made: Value,
}

/// What an action makes, or what it waits for where a rule of the company wants it approved first.
pub async fn acted(
    tx: &Tx,
    entity: &Entity,
    id: Uuid,
    action: &str,
    body: &Value,
    version: Option<i32>,
) -> Result<Value> {
    act_on(tx, entity, id, action, body, version, true).await
}

/// `asks`: whether the rules of approval are held against it.
pub(crate) async fn act_on(
    tx: &Tx,
    entity: &Entity,
    id: Uuid,
    action: &str,
    body: &Value,
    version: Option<i32>,
    asks: bool,
) -> Result<Value> {
    let now = read_value(tx, entity, id, true).await?;
    if version.is_some_and(|v| now["version"].as_i64() != Some(i64::from(v))) {
        return Err(Error::Stale);
    }
    if now["deleted_at"] != Value::Null {
        return Err(Error::refused("This record was deleted. Restore it first."));
    }
    let field = entity.transitions.first().map_or("", |t| t.field.as_str());
    let state = now[field].as_str().unwrap_or_default();
    let own = kernel::actions(tx.modules(), &entity.name).find(|a| a.action == action);
    let step = entity.transitions.iter().find(|t| t.action == action && t.source == state);
    let refused = || {
        let (action, state) = (entity.said("actions", action), entity.said("states", state));
        Error::refused(format!("Cannot {action} a record that is {state}."))
    };
    tx.rules(When::Before, &entity.name, action, &now).await?;
    if own.is_some() && from_states(entity, action).is_some_and(|from| !from.contains(&state))
        || own.is_none() && step.is_none()
    {
        return Err(refused());
    }
    let mut overtakes = false;
    if asks {
        let gate = crate::approvals::gate(tx, entity, id, action, body).await?;
        if let Some(waits) = gate.waits {
            return Ok(waits);
        }
        overtakes = gate.overtakes;
    }
    let made = match (own, step) {
        (Some(own), _) => (own.run)(tx, &now, body).await?,
        (None, Some(step)) => {
            let sql = format!(
                "update {} set {} = $3::text where organization_id = $1 and id = $2::text::uuid{}",
                entity.table(),
                quoted(field),
                entity.only("")
            );
            let texts = vec![Some(id.to_string()), Some(step.target.clone())];
            if run(tx, &[Statement { sql, texts, path: None }]).await? == 0 {
                return Err(missed(tx, entity, id, None).await?);
            }
            Value::Null
        }
        (None, None) => return Err(refused()),
    };
    if overtakes {
        crate::approvals::lapse(tx, entity, id).await?;
    }
    if kernel::rules(tx.modules(), &entity.name, action).any(|r| r.when == When::After) {
        let then = read_value(tx, entity, id, false).await?;
        tx.rules(When::After, &entity.name, action, &then).await?;
    }
    tx.changed(&entity.name, id, 0, action);
    Ok(made)
}

/// What makes a request the same request: the client's key, and a hash of what it asks.
#[derive(Clone, Debug)]
pub struct Key {
    pub key: String,
    pub hash: Vec<u8>,
}

/// The answer of a request that has its effect once, however often it comes.
#[derive(Debug)]
pub struct Once {
    pub status: i32,
    pub json: Vec<u8>,
    pub replayed: bool,
}

/// As [`create`], with the answer kept beside its effect.
pub async fn create_once(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    body: &Value,
    key: &Key,
) -> Result<Once> {
    allowed(actor, entity, "create")?;
    if entity.part_of.is_some() {
        return Err(Error::malformed("Lines are written with the record they belong to."));
    }
    let catalog = &actor.catalog;
    let making = making(actor, catalog, entity, body)?;
    let _turn = store.turn(actor).await?;
    within!(store, actor, tx => {
        if let Some(answer) = answered(&tx, key).await? {
            return Ok(answer);
        }
        made(&tx, entity, &making).await?;
        let record = read(&tx, store, entity, making.id).await?;
        settle(&tx, key, 201, record.json).await
    })
}

/// As [`act`], with the answer kept beside its effect.
pub async fn act_once(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    id: Uuid,
    ask: &Ask<'_>,
    key: &Key,
) -> Result<Once> {
    let Ask { action, body, version } = *ask;
    allowed(actor, entity, action)?;
    let _turn = store.turn(actor).await?;
    within!(store, actor, (entity, action), tx => {
        if let Some(answer) = answered(&tx, key).await? {
            return Ok(answer);
        }
        let made = acted(&tx, entity, id, action, body, version).await?;
        let record = read(&tx, store, entity, id).await?;
        let acted = Acted { record, made };
        let status = if acted.waits() { 202 } else { 200 };
        settle(&tx, key, status, acted.json()).await
    })
}

async fn read(tx: &Tx, store: &Store, entity: &Entity, id: Uuid) -> Result<Record> {
    let reading = Reading::new(store, &tx.actor, &tx.catalog, entity, &[], &[])?;
    let mut answers = Vec::new();
    for sql in &reading.statements {
        answers.push(tx.cached(sql, &[&tx.actor.organization, &id]).await?);
    }
    reading.write(&answers)
}

/// Claims the key, or finds the answer of the request that had it before. A twin that is still running holds the key's
/// row, so the second waits for it here.
async fn answered(tx: &Tx, key: &Key) -> Result<Option<Once>> {
    if key.key.is_empty() || key.key.len() > 200 {
        return Err(Error::malformed("An idempotency key has 1 to 200 characters."));
    }
    let claimed = tx
        .execute(
            sql!("insert into app.idempotency (key, request_hash) values ($1, $2) on conflict do nothing"),
            &[&key.key, &key.hash],
        )
        .await?;
    if claimed == 1 {
        return Ok(None);
    }
    let row = tx
        .query_one(
            sql!("select request_hash, status, body from app.idempotency where organization_id = $1 and user_id = $2 and key = $3"),
            &[&tx.actor.organization, &tx.actor.user, &key.key],
        )
        .await?;
    if row.get::<_, Vec<u8>>(0) != key.hash {
        return Err(Error::refused("This idempotency key was used for another request."));
    }
    let (Some(status), Some(body)) = (row.get::<_, Option<i32>>(1), row.get::<_, Option<String>>(2)) else {
        return Err(Error::Conflict("The same request is still running.".into()));
    };
    Ok(Some(Once { status, json: body.into_bytes(), replayed: true }))
}

async fn settle(tx: &Tx, key: &Key, status: i32, json: Vec<u8>) -> Result<Once> {
    let body = String::from_utf8_lossy(&json);
    tx.execute(
        sql!("update app.idempotency set status = $4, body = $5 where organization_id = $1 and user_id = $2 and key = $3"),
        &[&tx.actor.organization, &tx.actor.user, &key.key, &status, &body],
    )
    .await?;
    Ok(Once { status, json, replayed: false })
}

impl Acted {
    /// Whether nothing was done yet, for it waits for approval.
    pub fn waits(&self) -> bool {
        self.made["approval"].is_object()
    }

    /// The record, with what the action made under `_made`.
    pub fn json(self) -> Vec<u8> {
        let mut json = self.record.json;
        if !self.made.is_null() && json.pop() == Some(b'}') {
            json.extend_from_slice(format!(",\"_made\":{}}}", self.made).as_bytes());
        }
        json
    }
}
