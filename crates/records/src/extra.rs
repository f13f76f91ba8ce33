use crate::{
    plan::{Bound, Plan, quoted, visible},
    query::Query,
};
use kernel::{Actor, Entity, Error, FieldAccess, Kind, Result, Store, sql, write_json};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const MOST_METRICS: usize = 10;
const MOST_GROUPS: u64 = 10_000;
/// Each doubles the rows.
const MOST_TOTALLED: usize = 4;

/// `POST …/_aggregate` `{group_by, metrics, filter, q, sort, limit, totals}` → `{data: […]}`. With `totals` also the sums of
/// fewer groups: `_grouped` of a row names those that count in it, and the sum of all stands first.
pub async fn aggregate(store: &Store, actor: &Actor, entity: &Entity, body: &Value) -> Result<Vec<u8>> {
    let map = crate::write::object(body)?;
    if let Some(unknown) = map.keys().find(|k| {
        !["group_by", "metrics", "filter", "q", "sort", "limit", "totals", "deleted"].contains(&k.as_str())
    }) {
        return Err(Error::malformed_at(unknown, "There is no such part of an aggregate."));
    }
    let mut plan = Plan::new(&actor.catalog, actor, entity)?;
    let texts = |key: &str| -> Result<Vec<String>> {
        match map.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|v| v.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or_else(|| Error::malformed_at(key, "This is a list of names.")),
            Some(_) => Err(Error::malformed_at(key, "This is a list of names.")),
        }
    };
    // Each answer: its name, the columns that make it, how they are written.
    let mut columns: Vec<String> = Vec::new();
    let mut answers: Vec<(String, Answer)> = Vec::new();
    // Of each group its name and the places of its columns.
    let mut groups: Vec<(String, std::ops::RangeInclusive<usize>)> = Vec::new();
    for item in texts("group_by")? {
        let (path, bucket) = item.split_once(':').map_or((item.as_str(), None), |(p, b)| (p, Some(b)));
        let (alias, field) = plan.field(path)?;
        let mut sql = field.sql(&alias);
        let mut kind = field.kind();
        if !kind.has_order() {
            return Err(Error::malformed_at("group_by", format!("{path} cannot be grouped by.")));
        }
        if let Some(bucket) = bucket {
            if !["day", "week", "month", "quarter", "year"].contains(&bucket)
                || !matches!(kind, Kind::Date | Kind::Datetime)
            {
                return Err(Error::malformed_at("group_by", format!("{path} has no {bucket}.")));
            }
            if kind == Kind::Datetime {
                let zone = plan.text(actor.zone.iana_name().unwrap_or("UTC").to_owned());
                sql = format!("({sql} at time zone {zone})");
            }
            sql = format!("date_trunc('{bucket}', {sql}::timestamp)::date");
            kind = Kind::Date;
        }
        let at = columns.len();
        columns.push(sql);
        // A relation named without its `_id` answers who it is.
        let named = field.target().filter(|_| path == field.relation_name() && path != field.name());
        if let Some(target) = named {
            let title = actor.catalog.entity(target)?.title();
            let (alias, field) = plan.field(&format!("{path}.{title}"))?;
            columns.push(field.sql(&alias));
            answers.push((path.to_owned(), Answer::Named(at, field.kind())));
        } else {
            answers.push((path.to_owned(), Answer::Value(at, kind)));
        }
        groups.push((item.clone(), at + 1..=columns.len()));
    }
    let totals = map.get("totals") == Some(&Value::Bool(true));
    if totals && groups.len() > MOST_TOTALLED {
        return Err(Error::malformed_at("totals", format!("At most {MOST_TOTALLED} groups have totals.")));
    }
    let metrics = match map.get("metrics") {
        None | Some(Value::Null) => vec![json!({ "function": "count" })],
        Some(Value::Array(items)) if items.len() <= MOST_METRICS => items.clone(),
        Some(_) => {
            return Err(Error::malformed_at("metrics", format!("A list of at most {MOST_METRICS} metrics.")));
        }
    };
    for (n, metric) in metrics.iter().enumerate() {
        let at = |message: String| Error::malformed_at(format!("metrics.{n}"), message);
        let function = metric["function"].as_str().ok_or_else(|| at("A metric has a function.".into()))?;
        let (sql, kind, name) = match (function, metric["field"].as_str()) {
            ("count", None) => ("count(*)".to_owned(), Kind::Integer, "count".to_owned()),
            (_, Some(path)) => {
                let (alias, field) = plan.field(path)?;
                let sql = field.sql(&alias);
                let kind = field.kind();
                let name = format!("{function}_{path}");
                match function {
                    "count" => (format!("count({sql})"), Kind::Integer, name),
                    "count_distinct" => (format!("count(distinct {sql})"), Kind::Integer, name),
                    "sum" | "avg" if kind.is_number() => {
                        let sum = if function == "avg" {
                            format!("round(avg({sql}), 6)")
                        } else {
                            format!("coalesce(sum({sql}), 0)")
                        };
                        let whole = matches!(kind, Kind::Integer | Kind::Rating | Kind::Duration);
                        let kind = if whole { Kind::Number } else { kind };
                        (format!("{sum}::numeric"), kind, name)
                    }
                    "min" | "max"
                        if kind.is_number()
                            || matches!(kind, Kind::Date | Kind::Datetime | Kind::Text | Kind::Select) =>
                    {
                        (format!("{function}({sql})"), kind, name)
                    }
                    _ => return Err(at(format!("There is no {function} of {path}."))),
                }
            }
            _ => return Err(at(format!("{function} needs a field."))),
        };
        let name = metric["as"].as_str().map_or(name, str::to_owned);
        if name.is_empty() || name.len() > 60 || name.chars().any(|c| c.is_control() || c == '"' || c == '\\')
        {
            return Err(at("A name is at most 60 plain characters.".into()));
        }
        answers.push((name, Answer::Value(columns.len(), kind)));
        columns.push(sql);
    }
    let query = Query {
        filter: map.get("filter").cloned(),
        q: map.get("q").and_then(Value::as_str).unwrap_or_default().to_owned(),
        deleted: map.get("deleted") == Some(&Value::Bool(true)),
        ..Query::default()
    };
    let conditions = query.conditions(&mut plan)?;
    let mut order = Vec::new();
    for key in texts("sort")? {
        let (name, down) = key.strip_prefix('-').map_or((key.as_str(), false), |k| (k, true));
        let at = answers.iter().find(|(n, _)| n == name).map(|(_, a)| a.column());
        let at = at.ok_or_else(|| Error::malformed_at("sort", format!("{name} is not in the answer.")))?;
        order.push(format!("{} {}nulls last", at + 1, if down { "desc " } else { "" }));
    }
    if order.is_empty() {
        order.extend(groups.iter().flat_map(|(_, places)| places.clone()).map(|n| n.to_string()));
    }
    let grouped = columns.len();
    if totals {
        // The sums of all first, so that no limit takes them away.
        for (_, places) in &groups {
            columns.push(format!("grouping({}) = 0", columns[places.start() - 1]));
        }
        order.splice(0..0, (grouped + 1..=columns.len()).map(|n| n.to_string()));
    }
    let limit = map.get("limit").and_then(Value::as_u64).unwrap_or(1_000).clamp(1, MOST_GROUPS);
    let mut text =
        format!("select {} {} where {}", columns.join(", "), plan.from(), conditions.join(" and "));
    if !groups.is_empty() {
        let sets: Vec<String> = groups
            .iter()
            .map(|(_, places)| places.clone().map(|n| n.to_string()).collect::<Vec<_>>().join(", "))
            .collect();
        let by = if totals { format!("cube (({}))", sets.join("), (")) } else { sets.join(", ") };
        text.push_str(&format!(" group by {by} order by {} limit {limit}", order.join(", ")));
    }
    let bound = Bound::new(actor, plan.params);
    let rows = store.batch(actor, &[(&text, &bound.values())]).await?.pop().unwrap_or_default();
    let mut out = b"{\"data\":[".to_vec();
    for (n, row) in rows.iter().enumerate() {
        out.extend_from_slice(if n > 0 { b",{" } else { b"{" });
        for (m, (name, answer)) in answers.iter().enumerate() {
            if m > 0 {
                out.push(b',');
            }
            serde_json::to_writer(&mut out, name)?;
            out.push(b':');
            match answer {
                Answer::Value(at, kind) => write_json(&mut out, row, *at, *kind),
                Answer::Named(at, kind) => {
                    if row.get::<_, Option<Uuid>>(*at).is_none() {
                        out.extend_from_slice(b"null");
                        continue;
                    }
                    out.extend_from_slice(b"{\"id\":");
                    write_json(&mut out, row, *at, Kind::Uuid);
                    out.extend_from_slice(b",\"title\":");
                    write_json(&mut out, row, at + 1, *kind);
                    out.push(b'}');
                }
            }
        }
        if totals {
            let counts = |n: usize| row.get::<_, bool>(grouped + n);
            let named = groups.iter().enumerate().filter(|(n, _)| counts(*n)).map(|(_, (name, _))| name);
            out.extend_from_slice(b",\"_grouped\":");
            serde_json::to_writer(&mut out, &named.collect::<Vec<_>>())?;
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

enum Answer {
    Value(usize, Kind),
    Named(usize, Kind),
}

impl Answer {
    fn column(&self) -> usize {
        match self {
            Answer::Value(at, _) | Answer::Named(at, _) => *at,
        }
    }
}

/// `GET /search`: the best hits of every entity that the person may read.
pub async fn search(store: &Store, actor: &Actor, q: &str, types: &[String], limit: u32) -> Result<Value> {
    let q: String = q.trim().chars().take(200).collect();
    if q.is_empty() {
        return Ok(json!({ "data": [] }));
    }
    let catalog = &actor.catalog;
    let mut asked = Vec::new();
    let shown = |e: &&Entity| e.searchable && e.part_of.is_none() && catalog.module(e.module()).is_some();
    for entity in catalog.all().filter(shown) {
        if !actor.access.may(entity, "read") || !types.is_empty() && !types.contains(&entity.name) {
            continue;
        }
        // Search columns hold the words of every field: somebody who may not see one of them finds nothing by it.
        if entity.columns.iter().any(|c| actor.access.field(&entity.name, &c.name) == FieldAccess::None) {
            continue;
        }
        let mut plan = Plan::new(catalog, actor, entity)?;
        let query = Query { q: q.clone(), ..Query::default() };
        let conditions = query.conditions(&mut plan)?;
        let title = quoted(entity.title());
        let second = entity
            .columns
            .iter()
            .find(|c| matches!(c.name.as_str(), "number" | "code" | "email") && c.name != entity.title());
        let snippet = second.map_or("null".into(), |c| format!("r.{}::text", quoted(&c.name)));
        let words = plan.text(q.clone());
        let text = format!(
            "select r.id, r.{title}::text, {snippet}, ts_rank_cd(r.search, websearch_to_tsquery('simple', {words})) + case when lower(r.{title}::text) = lower({words}) then 10 else 0 end as rank
             {} where {} order by rank desc, r.id desc limit {limit}",
            plan.from(), conditions.join(" and ")
        );
        asked.push((entity.name.clone(), text, Bound::new(actor, plan.params)));
    }
    let values: Vec<_> = asked.iter().map(|(_, _, b)| b.values()).collect();
    let statements: Vec<(&str, kernel::Values<'_>)> =
        asked.iter().zip(&values).map(|((_, text, _), v)| (text.as_str(), v.as_slice())).collect();
    let answers = if statements.is_empty() { Vec::new() } else { store.batch(actor, &statements).await? };
    let mut hits: Vec<(f64, Value)> = Vec::new();
    for ((name, ..), rows) in asked.iter().zip(answers) {
        for row in rows {
            hits.push((row.get::<_, Option<f64>>(3).unwrap_or_default(), json!({
                "entity": name, "id": row.get::<_, Uuid>(0), "title": row.get::<_, Option<&str>>(1), "snippet": row.get::<_, Option<&str>>(2),
            })));
        }
    }
    hits.sort_by(|a, b| b.0.total_cmp(&a.0));
    hits.truncate(limit as usize);
    Ok(json!({ "data": hits.into_iter().map(|(_, v)| v).collect::<Vec<_>>() }))
}

/// `GET …/{id}/_history`: what happened to a record, newest first, a hundred at a time; fields that the person may not
/// see are left out. `before` is the id of the last one of the page before.
pub async fn history(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    id: Uuid,
    before: Option<Uuid>,
) -> Result<Value> {
    crate::get(store, actor, entity, id, &["id".into()], &[]).await?;
    let rows = store
        .batch(actor, &[(
            sql!(r#"select a.id, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.actor_id, m.name, a.action, a.old, a.new, a.version from app.audit a
                  left join iam.memberships m on m.organization_id = $1 and m.id = a.actor_id
                  where a.organization_id = $1 and a.entity = $2::text and a.record_id = $3
                    and ($4::uuid is null or (a.at, a.id) < (select b.at, b.id from app.audit b
                        where b.organization_id = $1 and b.entity = $2::text and b.record_id = $3 and b.id = $4))
                  order by a.at desc, a.id desc limit 101"#),
            &[&actor.organization, &entity.name, &id, &before],
        )])
        .await?
        .pop()
        .unwrap_or_default();
    let data: Vec<Value> = rows.iter().take(100).map(|row| entry(actor, entity, row)).collect();
    let next = if rows.len() > 100 { data.last().map(|d| d["id"].clone()) } else { None };
    Ok(json!({ "data": data, "next": next }))
}

/// What differs, of the fields that the person may see: `{field: [before, after]}`.
pub fn changes(
    actor: &Actor,
    entity: &Entity,
    old: &Option<Value>,
    new: &Option<Value>,
) -> Map<String, Value> {
    let mut changes = Map::new();
    let names = [new, old].into_iter().flatten().filter_map(Value::as_object).flat_map(|m| m.keys());
    let seen: Vec<String> = visible(actor, entity).into_iter().map(|(n, _)| n).collect();
    for name in names {
        if name == "custom" {
            let of = |v: &Option<Value>| {
                v.as_ref().and_then(|v| v["custom"].as_object()).cloned().unwrap_or_default()
            };
            let (was, is) = (of(old), of(new));
            for key in was.keys().chain(is.keys()) {
                let name = format!("cf.{key}");
                if seen.contains(&name) && was.get(key) != is.get(key) {
                    changes.insert(name, json!([was.get(key), is.get(key)]));
                }
            }
        } else if seen.contains(name) {
            let of = |v: &Option<Value>| v.as_ref().map_or(Value::Null, |v| v[name].clone());
            changes.insert(name.clone(), json!([of(old), of(new)]));
        }
    }
    changes
}

pub(crate) fn entry(actor: &Actor, entity: &Entity, row: &tokio_postgres::Row) -> Value {
    let (old, new): (Option<Value>, Option<Value>) = (row.get(5), row.get(6));
    let changes = changes(actor, entity, &old, &new);
    // What was sent to whom changes no field.
    let sent = new.as_ref().filter(|_| row.get::<_, &str>(4) == "send");
    let who =
        row.get::<_, Option<Uuid>>(2).map(|id| json!({ "id": id, "name": row.get::<_, Option<&str>>(3) }));
    let mut told = json!({
        "id": row.get::<_, Uuid>(0), "at": row.get::<_, &str>(1), "actor": who, "action": row.get::<_, &str>(4),
        "changes": changes, "sent": sent, "version": row.get::<_, Option<i32>>(7),
    });
    // What was decided about it changes no field.
    if row.get::<_, &str>(4).starts_with("approval_")
        && let Some(new) = &new
    {
        told["approval"] =
            json!({ "id": new["approval"], "action": new["action"], "comment": new["comment"] });
    }
    told
}

/// `GET /audit`: the organization's history of the entities that the person may read whole.
pub async fn audit(store: &Store, actor: &Actor, pairs: &[(String, String)]) -> Result<Value> {
    let cursor = found(pairs, "cursor")
        .map(|v| v.parse::<Uuid>().map_err(|_| Error::malformed_at("cursor", "This is not an id.")))
        .transpose()?;
    let (data, next) = audited(store, actor, pairs, cursor, 100).await?;
    Ok(json!({ "data": data, "next": next }))
}

/// The next thousand entries of [`audit`] as lines of CSV, a line for each field that changed, and where to go on.
pub async fn audit_csv(
    store: &Store,
    actor: &Actor,
    pairs: &[(String, String)],
    cursor: Option<Uuid>,
) -> Result<(Vec<u8>, Option<Uuid>)> {
    let (data, next) = audited(store, actor, pairs, cursor, 1000).await?;
    let mut out = Vec::new();
    if cursor.is_none() {
        let head = ["at", "who", "action", "entity", "record", "field", "before", "after"];
        crate::export::plain_line(&mut out, &head);
    }
    let text = |v: &Value| match v {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    };
    for entry in &data {
        let of = |name: &str| text(&entry[name]);
        let (at, who, action) = (of("at"), text(&entry["actor"]["name"]), of("action"));
        let (entity, record) = (of("entity"), of("record"));
        let changes = entry["changes"].as_object().filter(|c| !c.is_empty());
        let fields = changes.map_or_else(
            || vec![(String::new(), String::new(), String::new())],
            |c| c.iter().map(|(name, v)| (name.clone(), text(&v[0]), text(&v[1]))).collect(),
        );
        for (field, before, after) in &fields {
            let cells: [&str; 8] = [&at, &who, &action, &entity, &record, field, before, after];
            crate::export::plain_line(&mut out, &cells);
        }
    }
    Ok((out, next))
}

fn found<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
}

/// Entries before `before`, the newest first; `from` and `to` are days of the organization.
async fn audited(
    store: &Store,
    actor: &Actor,
    pairs: &[(String, String)],
    before: Option<Uuid>,
    most: usize,
) -> Result<(Vec<Value>, Option<Uuid>)> {
    let id = |name: &str| {
        found(pairs, name)
            .map(|v| v.parse::<Uuid>().map_err(|_| Error::malformed_at(name, "This is not an id.")))
            .transpose()
    };
    let day = |name: &str| {
        let parsed = |v: &str| v.parse::<jiff::civil::Date>().map(|d| d.to_string());
        found(pairs, name)
            .map(|v| parsed(v).map_err(|_| Error::malformed_at(name, "This is not a date.")))
            .transpose()
    };
    let catalog = &actor.catalog;
    let readable: Vec<String> = catalog
        .entities
        .values()
        .filter(|e| actor.access.scope(e, "read") == kernel::Scope::All && actor.access.workspaces.is_none())
        .map(|e| e.name.clone())
        .collect();
    let (record, who, entity) = (id("record")?, id("actor")?, found(pairs, "entity"));
    let (from, to) = (day("from")?, day("to")?);
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let rows = store
        .batch(actor, &[(
            sql!(r#"select a.id, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.actor_id, m.name, a.action, a.old, a.new, a.version, a.entity, a.record_id, a.request_id from app.audit a
                  left join iam.memberships m on m.organization_id = $1 and m.id = a.actor_id
                  where a.organization_id = $1 and a.entity = any ($2::text[]) and ($3::text is null or a.entity = $3)
                    and ($4::uuid is null or a.record_id = $4) and ($5::uuid is null or a.actor_id = $5) and ($6::uuid is null or a.id < $6)
                    and ($7::text is null or a.at >= $7::text::date) and ($8::text is null or a.at < $8::text::date + 1)
                  order by a.id desc limit $9"#),
            &[&actor.organization, &readable, &entity, &record, &who, &before, &from, &to, &limit],
        )])
        .await?
        .pop()
        .unwrap_or_default();
    let data: Vec<Value> = rows
        .iter()
        .take(most)
        .filter_map(|row| {
            let entity = catalog.entities.get(row.get::<_, &str>(8))?;
            let mut entry = entry(actor, entity, row);
            entry["entity"] = json!(entity.name);
            entry["record"] = json!(row.get::<_, Uuid>(9));
            entry["request"] = json!(row.get::<_, Option<Uuid>>(10));
            Some(entry)
        })
        .collect();
    let next = if rows.len() > most { rows.get(most - 1).map(|row| row.get(0)) } else { None };
    Ok((data, next))
}
