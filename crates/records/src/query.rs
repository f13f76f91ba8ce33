use crate::{
    occurs::{Left, Occurs},
    plan::{Bound, Field, Plan, quoted},
    select::{Select, actions_of, group},
};
use conditions::{Condition, Param};
use kernel::{Actor, Entity, Error, FieldAccess, Kind, Result, Store};
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

pub const MOST_ROWS: u32 = 500;
const MOST_OFFSET: u32 = 100_000;
/// Counts stop here; beyond, the planner's estimate has to do.
const COUNT_CAP: i64 = 10_000;

/// The query string of a list, parsed.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// `filter`, and `field=value` for short.
    pub filter: Option<Value>,
    pub equals: Vec<(String, String)>,
    pub q: String,
    pub sort: Vec<String>,
    pub fields: Vec<String>,
    pub expand: Vec<String>,
    pub limit: u32,
    pub offset: u32,
    pub cursor: Option<String>,
    pub count: Count,
    pub deleted: bool,
    /// Those that lie, or come back, within some days; see [`crate::occurs`].
    pub occurs: Option<Occurs>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    Exact,
    Estimate,
    #[default]
    None,
}

impl Query {
    /// # Errors
    /// Names the parameter that is not understood.
    pub fn parse(pairs: &[(String, String)]) -> Result<Query> {
        let mut query = Query { limit: 50, ..Query::default() };
        let list = |text: &str| {
            text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if value.contains('\0') {
                return Err(Error::malformed_at(name, "A null character is not allowed."));
            }
            if seen.contains(&name.as_str()) {
                return Err(Error::malformed_at(name, "Given twice."));
            }
            seen.push(name);
            match name.as_str() {
                "filter" => {
                    query.filter = Some(kernel::read_json(value.as_bytes()).map_err(|e| e.under("filter"))?);
                }
                "occurs" => {
                    let asked = kernel::read_json(value.as_bytes()).map_err(|e| e.under("occurs"))?;
                    query.occurs = Some(Occurs::parse(asked)?);
                }
                "q" => query.q = value.trim().chars().take(200).collect(),
                "sort" => query.sort = list(value),
                "fields" => query.fields = list(value),
                "expand" => query.expand = list(value),
                "limit" => query.limit = number(name, value, MOST_ROWS)?.max(1),
                "offset" => query.offset = number(name, value, MOST_OFFSET)?,
                "cursor" => query.cursor = Some(value.clone()).filter(|c| !c.is_empty()),
                "count" => {
                    query.count = match value.as_str() {
                        "exact" => Count::Exact,
                        "estimate" => Count::Estimate,
                        "none" => Count::None,
                        _ => return Err(Error::malformed_at("count", "Say exact, estimate or none.")),
                    };
                }
                "deleted" => query.deleted = value == "true",
                _ => query.equals.push((name.clone(), value.clone())),
            }
        }
        if query.fields.len() > 200 || query.expand.len() > 20 || query.sort.len() > 5 {
            return Err(Error::malformed("Too many fields, expansions or sort keys."));
        }
        Ok(query)
    }

    pub(crate) fn condition(&self) -> Result<Condition> {
        let mut all = Vec::new();
        if let Some(filter) = &self.filter {
            all.push(Condition::parse(filter).map_err(|p| crate::plan::malformed(&p))?);
        }
        all.extend(self.equals.iter().map(|(field, value)| Condition::equals(field, value)));
        Ok(Condition::all(all))
    }

    /// The `where` of the rows asked for, without the cursor.
    pub(crate) fn conditions(&self, plan: &mut Plan<'_>) -> Result<Vec<String>> {
        let mut conditions = vec!["r.organization_id = $1".to_owned()];
        if plan.entity.column("deleted_at").is_some() {
            let not = if self.deleted { "not " } else { "" };
            conditions.push(format!("r.deleted_at is {not}null"));
        }
        let asked = plan.condition(&self.condition()?)?;
        if !asked.is_empty() {
            conditions.push(asked);
        }
        if !self.q.is_empty() {
            conditions.push(search(plan, &self.q)?);
        }
        if let Some(occurs) = &self.occurs {
            conditions.push(occurs.condition(plan)?);
        }
        Ok(conditions)
    }
}

fn number(name: &str, value: &str, most: u32) -> Result<u32> {
    match value.parse::<u32>() {
        Ok(n) if n <= most => Ok(n),
        _ => Err(Error::malformed_at(name, format!("A whole number, {most} at most."))),
    }
}

/// Words anywhere, the last one perhaps unfinished; or the text as part of a name or number.
fn search(plan: &mut Plan<'_>, q: &str) -> Result<String> {
    let entity = plan.entity;
    let hidden = |name: &str| plan.actor.access.field(&entity.name, name) == FieldAccess::None;
    // The search columns hold words of fields that somebody may not see: he would find out by searching.
    if !entity.searchable || entity.columns.iter().any(|c| hidden(&c.name)) {
        let title = entity.title();
        if hidden(title) {
            return Ok("false".into());
        }
        let text = plan.text(q.to_lowercase());
        return Ok(format!("strpos(lower(r.{}::text), {text}) > 0", quoted(title)));
    }
    let words = plan.text(q.to_owned());
    let last: String =
        q.split_whitespace().last().unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).collect();
    let like = plan.text(format!(
        "%{}%",
        q.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
    ));
    let mut tsquery = ["simple", "english", "russian"]
        .map(|c| format!("websearch_to_tsquery('{c}', {words})"))
        .join(" || ");
    if !last.is_empty() && q.split_whitespace().count() == 1 {
        let prefix = plan.text(format!("{last}:*"));
        tsquery = format!("{tsquery} || to_tsquery('simple', {prefix})");
    }
    Ok(format!("(r.search @@ ({tsquery}) or r.search_text like {like})"))
}

/// One key of the order. `nullable` ones need more than a row comparison to page by.
pub(crate) struct Key {
    pub(crate) sql: String,
    pub(crate) down: bool,
    nullable: bool,
    cast: &'static str,
}

pub(crate) fn order(plan: &mut Plan<'_>, sort: &[String]) -> Result<Vec<Key>> {
    let mut sort: Vec<&str> = sort.iter().map(String::as_str).collect();
    let default = plan.entity.meta["sort"].as_str().unwrap_or("-id");
    if sort.is_empty() {
        sort = default.split(',').collect();
    }
    let mut keys = Vec::new();
    for name in sort {
        let (path, down) = match name.strip_prefix('-') {
            Some(path) => (path, true),
            None => (name.strip_prefix('+').unwrap_or(name), false),
        };
        let (alias, field) = plan.field(path)?;
        let kind = field.kind();
        if !kind.has_order() {
            return Err(Error::malformed_at("sort", format!("{path} has no order.")));
        }
        let cast = match kind {
            k if k.is_number() => "numeric",
            Kind::Date => "date",
            Kind::Datetime => "timestamptz",
            Kind::Boolean => "boolean",
            Kind::Relation | Kind::User | Kind::Uuid => "uuid",
            _ => "text",
        };
        let nullable = !field.not_null() || alias != "r";
        let (mut sql, mut cast) = (field.sql(&alias), cast);
        // What is urgent is no matter of letters: these stand as their choices do.
        if let Field::Custom(field) = field
            && field.look == "priority"
        {
            plan.params.push(Param::List(field.choices().map(str::to_owned).collect()));
            (sql, cast) = (format!("array_position(${}::text[], {sql})", plan.params.len() + 1), "integer");
        }
        keys.push(Key { sql, down, nullable, cast });
    }
    if keys.last().is_none_or(|k| k.sql != "r.\"id\"") {
        let down = keys.last().is_some_and(|k| k.down);
        keys.push(Key { sql: "r.\"id\"".into(), down, nullable: false, cast: "uuid" });
    }
    Ok(keys)
}

/// "After this row", for keys of any mixture of directions and nulls.
fn after(plan: &mut Plan<'_>, keys: &[Key], last: &[Option<String>]) -> String {
    let mut place = |key: &Key, value: &str| {
        plan.params.push(Param::Text(Some(value.to_owned())));
        format!("${}::text::{}", plan.params.len() + 1, key.cast)
    };
    let same = keys.iter().all(|k| k.down == keys[0].down && !k.nullable) && last.iter().all(Option::is_some);
    if same {
        // The form that an index can seek by.
        let left: Vec<&str> = keys.iter().map(|k| k.sql.as_str()).collect();
        let right: Vec<String> =
            keys.iter().zip(last).map(|(k, v)| place(k, v.as_deref().unwrap_or_default())).collect();
        let sign = if keys[0].down { '<' } else { '>' };
        return format!("({}) {sign} ({})", left.join(", "), right.join(", "));
    }
    // Ascending puts nulls last, descending first, as PostgreSQL does.
    let mut ways = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for (key, value) in keys.iter().zip(last) {
        let (way, equal) = match value {
            Some(value) => {
                let place = place(key, value);
                let sql = &key.sql;
                let way = match (key.down, key.nullable) {
                    (true, _) => format!("{sql} < {place}"),
                    (false, true) => format!("({sql} > {place} or {sql} is null)"),
                    (false, false) => format!("{sql} > {place}"),
                };
                (Some(way), format!("{sql} = {place}"))
            }
            None => (key.down.then(|| format!("{} is not null", key.sql)), format!("{} is null", key.sql)),
        };
        if let Some(way) = way {
            ways.push(before.iter().cloned().chain([way]).collect::<Vec<_>>().join(" and "));
        }
        before.push(equal);
    }
    format!("(({}))", ways.join(") or ("))
}

/// A page of records as the body of the answer: `{data, next, count?}`.
pub async fn list(store: &Store, actor: &Actor, entity: &Entity, query: &Query) -> Result<Vec<u8>> {
    let mut plan = Plan::new(&actor.catalog, actor, entity)?;
    let mut conditions = query.conditions(&mut plan)?;
    let counted = (plan.from(), conditions.join(" and "), plan.params.clone());
    let keys = order(&mut plan, &query.sort)?;
    if let Some(cursor) = &query.cursor {
        let last: Option<Vec<Option<String>>> =
            decode(cursor).filter(|last: &Vec<Option<String>>| last.len() == keys.len());
        let last = last.ok_or_else(|| Error::malformed_at("cursor", "This cursor is not of this list."))?;
        conditions.push(after(&mut plan, &keys, &last));
    }
    let limit = query.limit;
    let sorted: Vec<String> =
        keys.iter().map(|k| format!("{}{}", k.sql, if k.down { " desc" } else { "" })).collect();
    let sorted = sorted.join(", ");
    // The size of the page stands in the text: as a parameter it would make PostgreSQL plan anew each time.
    let mut page = format!("where {} order by {sorted} limit {}", conditions.join(" and "), limit + 1);
    if query.offset > 0 {
        page.push_str(&format!(" offset {}", query.offset));
    }
    let picked = plan.joins() == 0;
    let mut select = Select::new(&mut plan, &query.fields, &query.expand)?;
    let marks: Vec<usize> = keys.iter().map(|k| select.extra(format!("{}::text", k.sql))).collect();
    let when = query.occurs.as_ref().map(|o| o.columns(&mut plan, &mut select)).transpose()?;
    let columns = select.sql();
    let sql = if picked && plan.joins() > 0 {
        // What is only shown is fetched for the rows of the page, not for all that it was picked from.
        let rows = plan.around(&format!("(select r.* from {} r {page})", entity.rows()));
        format!("select {columns} {rows} order by {sorted}")
    } else {
        format!("select {columns} {} {page}", plan.from())
    };
    let bound = Bound::new(actor, std::mem::take(&mut plan.params));
    let values = bound.values();
    let count_sql = match query.count {
        Count::None => None,
        Count::Exact => Some(format!("select count(*) {} where {}", counted.0, counted.1)),
        Count::Estimate => Some(format!(
            "select count(*) from (select 1 {} where {} limit {}) counted",
            counted.0,
            counted.1,
            COUNT_CAP + 1
        )),
    };
    let count_bound = Bound::new(actor, counted.2);
    let count_values = count_bound.values();
    let mut statements = vec![(sql.as_str(), values.as_slice())];
    if let Some(sql) = &count_sql {
        statements.push((sql, &count_values));
    }
    let mut answers = store.batch(actor, &statements).await?.into_iter();
    let mut rows = answers.next().unwrap_or_default();
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let parts = parts_of(store, actor, &plan, &select, &rows).await?;

    let mut out = Vec::with_capacity(rows.len() * 512 + 64);
    let mut left = Left::default();
    out.extend_from_slice(b"{\"data\":[");
    let begin = out.len();
    for row in &rows {
        let occurrences = when.as_ref().map(|when| when.of(row, &actor.zone, &mut left));
        if occurrences.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        if out.len() > begin {
            out.push(b',');
        }
        let id: Uuid = row.get(0);
        let occurrences = occurrences.map(|o| serde_json::to_vec(&o)).transpose()?;
        let tail: Vec<(&str, &[u8])> = parts
            .iter()
            .map(|(name, lists)| (*name, lists.get(&id).map_or(&b"[]"[..], Vec::as_slice)))
            .chain(occurrences.iter().map(|o| ("_occurrences", o.as_slice())))
            .collect();
        select.write(&mut out, row, &tail);
    }
    out.push(b']');
    if left.is_cut {
        out.extend_from_slice(b",\"cut\":true");
    }
    out.extend_from_slice(b",\"next\":");
    match rows.last().filter(|_| more) {
        Some(row) => {
            let last: Vec<Option<String>> = marks.iter().map(|m| row.get(*m)).collect();
            serde_json::to_writer(&mut out, &encode(&last))?;
        }
        None => out.extend_from_slice(b"null"),
    }
    if let Some(count) = answers.next().and_then(|r| r.first().map(|r| r.get::<_, i64>(0))) {
        let exact = query.count == Count::Exact || count <= COUNT_CAP;
        let count = if exact {
            count
        } else {
            estimate(store, actor, &counted.0, &counted.1, &count_values).await?.max(count)
        };
        out.extend_from_slice(format!(",\"count\":{{\"value\":{count},\"exact\":{exact}}}").as_bytes());
    }
    out.push(b'}');
    Ok(out)
}

async fn estimate(
    store: &Store,
    actor: &Actor,
    from: &str,
    filter: &str,
    values: kernel::Values<'_>,
) -> Result<i64> {
    let sql = format!("explain (format json) select 1 {from} where {filter}");
    let rows = store.batch(actor, &[(&sql, values)]).await?;
    let plan: Option<Value> = rows.first().and_then(|r| r.first()).map(|r| r.get(0));
    Ok(plan.and_then(|p| p[0]["Plan"]["Plan Rows"].as_i64()).unwrap_or_default())
}

type Lists = std::collections::HashMap<Uuid, Vec<u8>>;

/// The lists of the parts that were asked for, in as many statements and one round trip.
async fn parts_of<'a>(
    store: &Store,
    actor: &Actor,
    plan: &Plan<'a>,
    select: &Select<'a>,
    rows: &[Row],
) -> Result<Vec<(&'a str, Lists)>> {
    if select.parts.is_empty() || rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|r| r.get(0)).collect();
    let mut asked = Vec::new();
    for (part, expand) in &select.parts {
        asked.push((part.name.as_str(), part_query(plan, &part.entity, &part.fk, expand, "= any($2)")?));
    }
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&actor.organization, &ids];
    let statements: Vec<(&str, kernel::Values<'_>)> =
        asked.iter().map(|(_, (_, _, sql))| (sql.as_str(), &values[..])).collect();
    let answers = store.batch(actor, &statements).await?;
    Ok(asked
        .iter()
        .zip(answers)
        .map(|((name, (select, owner, _)), rows)| (*name, group(select, *owner, &rows)))
        .collect())
}

/// The select of a part's rows, the column of its owner's id, and the statement.
fn part_query<'a>(
    plan: &Plan<'a>,
    entity: &str,
    fk: &str,
    expand: &[String],
    which: &str,
) -> Result<(Select<'a>, usize, String)> {
    let entity = plan.catalog.entity(entity)?;
    let mut inner = Plan::new(plan.catalog, plan.actor, entity)?;
    let mut select = Select::new(&mut inner, &[], expand)?;
    let owner = select.extra(format!("r.{}", quoted(fk)));
    let first = if entity.column("position").is_some() { "r.position, " } else { "" };
    let sql = format!(
        "select {} {} where r.organization_id = $1 and r.{} {which} and r.deleted_at is null order by {first}r.id limit 10000",
        select.sql(),
        inner.from(),
        quoted(fk)
    );
    Ok((select, owner, sql))
}

/// A statement that reads one record with its parts, and the way to write what it answers.
pub(crate) struct Reading<'a> {
    plan: Plan<'a>,
    select: Select<'a>,
    parts: Vec<(&'a str, Select<'a>, usize)>,
    pub(crate) statements: Vec<String>,
    marks: [Option<usize>; 4],
    modules: &'static [&'static kernel::Module],
}

/// A record as it is answered.
#[derive(Debug, Clone)]
pub struct Record {
    pub json: Vec<u8>,
    pub version: i32,
}

impl Record {
    /// # Errors
    /// None in practice: it was written by this program.
    pub fn value(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.json)?)
    }
}

impl<'a> Reading<'a> {
    /// All parts are read when nothing is expanded by name and the record is read whole.
    pub(crate) fn new(
        store: &Store,
        actor: &'a Actor,
        catalog: &'a kernel::Catalog,
        entity: &'a Entity,
        fields: &[String],
        expand: &[String],
    ) -> Result<Reading<'a>> {
        let mut plan = Plan::new(catalog, actor, entity)?;
        let all: Vec<String>;
        let expand = if expand.is_empty() && fields.is_empty() {
            all = entity.parts.iter().map(|p| p.name.clone()).collect();
            &all
        } else {
            expand
        };
        let mut select = Select::new(&mut plan, fields, expand)?;
        let field = entity.transitions.first().map(|t| t.field.as_str());
        let mark = |select: &mut Select<'_>, name: Option<&str>| {
            name.filter(|n| entity.column(n).is_some()).map(|n| select.extra(format!("r.{}", quoted(n))))
        };
        let marks = [
            mark(&mut select, field),
            mark(&mut select, Some(&entity.owner)),
            mark(&mut select, Some("workspace_id")),
            mark(&mut select, Some("deleted_at")),
        ];
        let version = select.extra("r.version".into());
        debug_assert!(version > 0);
        let mut statements = vec![format!(
            "select {} {} where r.organization_id = $1 and r.id = $2",
            select.sql(),
            plan.from()
        )];
        let mut parts = Vec::new();
        for (part, expand) in &select.parts {
            let (inner, owner, sql) = part_query(&plan, &part.entity, &part.fk, expand, "= $2")?;
            statements.push(sql);
            parts.push((part.name.as_str(), inner, owner));
        }
        Ok(Reading { plan, select, parts, statements, marks, modules: store.modules() })
    }

    pub(crate) fn write(&self, answers: &[Vec<Row>]) -> Result<Record> {
        let row = answers.first().and_then(|rows| rows.first()).ok_or(Error::NotFound)?;
        let id: Uuid = row.get(0);
        let get = |n: usize| self.marks[n];
        let state: Option<&str> = get(0).and_then(|m| row.get(m));
        let owner: Option<Uuid> = get(1).and_then(|m| row.get(m));
        let workspace: Option<Uuid> = get(2).and_then(|m| row.get(m));
        let deleted = get(3).is_some_and(|m| row.get::<_, Option<std::time::SystemTime>>(m).is_some());
        let actions =
            serde_json::to_vec(&actions_of(&self.plan, self.modules, state, owner, workspace, deleted))?;
        let lists: Vec<(&str, Lists)> = self
            .parts
            .iter()
            .zip(&answers[1..])
            .map(|((name, select, owner), rows)| (*name, group(select, *owner, rows)))
            .collect();
        let mut tail: Vec<(&str, &[u8])> = lists
            .iter()
            .map(|(name, lists)| (*name, lists.get(&id).map_or(&b"[]"[..], Vec::as_slice)))
            .collect();
        tail.push(("_actions", &actions));
        let mut json = Vec::with_capacity(1024);
        self.select.write(&mut json, row, &tail);
        let version = row.columns().len() - 1;
        Ok(Record { json, version: row.get(version) })
    }
}

/// One record.
///
/// # Errors
/// NotFound, also when it is another organization's or out of the person's reach.
pub async fn get(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    id: Uuid,
    fields: &[String],
    expand: &[String],
) -> Result<Record> {
    let catalog = actor.catalog.clone();
    let reading = Reading::new(store, actor, &catalog, entity, fields, expand)?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&actor.organization, &id];
    let statements: Vec<(&str, kernel::Values<'_>)> =
        reading.statements.iter().map(|s| (s.as_str(), &values[..])).collect();
    reading.write(&store.batch(actor, &statements).await?)
}

fn encode(last: &[Option<String>]) -> String {
    use std::fmt::Write;
    let json = serde_json::to_string(last).unwrap_or_default();
    json.bytes().fold(String::new(), |mut hex, b| {
        let written = write!(hex, "{b:02x}");
        debug_assert!(written.is_ok(), "writing to a string");
        hex
    })
}

fn decode(cursor: &str) -> Option<Vec<Option<String>>> {
    if !cursor.len().is_multiple_of(2) || cursor.len() > 4096 || !cursor.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        (0..cursor.len()).step_by(2).map(|n| u8::from_str_radix(&cursor[n..n + 2], 16).ok()).collect();
    serde_json::from_slice(&bytes?).ok()
}
