use crate::{
    plan::{Bound, Plan, quoted},
    query::Query,
};
use conditions::Param;
use kernel::{Actor, Entity, Error, FieldAccess, Result, Store, write_json};
use serde_json::{Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

/// Of what was said about a record: how much, how much of it this person has not read, and the last of it.
const SAID: &str = "(select count(*) from social.comments n where n.organization_id = $1 and n.entity = {entity} and n.record_id = r.id and n.deleted_at is null),
    (select count(*) from social.comments n where n.organization_id = $1 and n.entity = {entity} and n.record_id = r.id and n.deleted_at is null
        and n.created_by is distinct from {me} and n.created_at > coalesce((select s.seen_at from app.seen s
            where s.organization_id = $1 and s.user_id = {me} and s.entity = {entity} and s.record_id = r.id), '-infinity')),
    (select jsonb_build_object('body', left(c.body, 200), 'author', m.name, 'by', c.created_by, 'at', c.created_at)
        from social.comments c left join iam.memberships m on m.organization_id = $1 and m.id = c.created_by
        where c.organization_id = $1 and c.id = t.last)";

/// A page of records as conversations: `{data: [{id, title, count, unread, last}], next}`, the last spoken of first, then
/// those nobody has spoken of, the newest first. Takes `filter`, `q`, `limit` and `cursor` as a list does.
///
/// # Errors
/// Names the parameter that is not understood.
pub async fn talk(store: &Store, actor: &Actor, entity: &Entity, query: &Query) -> Result<Value> {
    let limit = usize::try_from(query.limit.clamp(1, 100)).unwrap_or(50);
    let (spoken, after) = match &query.cursor {
        None => (true, None),
        Some(cursor) => match cursor.split_once('.').map(|(kind, id)| (kind, id.parse::<Uuid>())) {
            Some(("said", Ok(id))) => (true, Some(id)),
            Some(("silent", Ok(id))) => (false, Some(id)),
            _ => return Err(Error::malformed_at("cursor", "This cursor is not of this list.")),
        },
    };
    let mut rows = page(store, actor, entity, query, (spoken, after), limit + 1).await?;
    if spoken && rows.len() <= limit {
        let left = limit + 1 - rows.len();
        rows.extend(page(store, actor, entity, query, (false, None), left).await?);
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| match row.get::<_, Option<Uuid>>(5) {
        Some(last) => format!("said.{last}"),
        None => format!("silent.{}", row.get::<_, Uuid>(0)),
    });
    let title = entity.column(entity.title()).map(|c| c.kind);
    let data = rows.iter().map(|row| {
        let mut name = Vec::new();
        match title {
            Some(kind) if shows_title(actor, entity) => write_json(&mut name, row, 1, kind),
            _ => name.extend_from_slice(b"null"),
        }
        let name: Value = serde_json::from_slice(&name).unwrap_or_default();
        json!({ "id": row.get::<_, Uuid>(0), "title": name, "count": row.get::<_, i64>(2),
            "unread": row.get::<_, i64>(3), "last": row.get::<_, Option<Value>>(4) })
    });
    Ok(json!({ "data": data.collect::<Vec<_>>(), "next": next }))
}

fn shows_title(actor: &Actor, entity: &Entity) -> bool {
    actor.access.field(&entity.name, entity.title()) != FieldAccess::None
}

/// Those that were spoken of, by their last word, or the others, by their age.
async fn page(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    query: &Query,
    (spoken, after): (bool, Option<Uuid>),
    limit: usize,
) -> Result<Vec<Row>> {
    let mut plan = Plan::new(&actor.catalog, actor, entity)?;
    let mut conditions = query.conditions(&mut plan)?;
    let mut place = |text: String, sql_type: &str| {
        plan.params.push(Param::Text(Some(text)));
        format!("${}::text::{sql_type}", plan.params.len() + 1)
    };
    let (name, me) = (place(entity.name.clone(), "text"), place(actor.user.to_string(), "uuid"));
    let after = after.map(|id| place(id.to_string(), "uuid"));
    let heard = format!(
        "(select distinct on (c.record_id) c.record_id, c.id as last from social.comments c
          where c.organization_id = $1 and c.entity = {name} and c.deleted_at is null order by c.record_id, c.id desc)"
    );
    let title =
        if shows_title(actor, entity) { format!("r.{}", quoted(entity.title())) } else { "null".into() };
    let said = SAID.replace("{entity}", &name).replace("{me}", &me);
    let (rows, order) = if spoken {
        conditions.push("t.record_id = r.id".into());
        conditions.extend(after.map(|id| format!("t.last < {id}")));
        (format!("{heard} t cross join {}", entity.rows()), "t.last desc")
    } else {
        conditions.push(format!(
            "not exists (select from social.comments s where s.organization_id = $1 and s.entity = {name} and s.record_id = r.id and s.deleted_at is null)"
        ));
        conditions.extend(after.map(|id| format!("r.id < {id}")));
        (format!("(select null::uuid as last) t cross join {}", entity.rows()), "r.id desc")
    };
    let sql = format!(
        "select r.id, {title}, {said}, t.last {} where {} order by {order} limit {limit}",
        plan.around(&rows),
        conditions.join(" and ")
    );
    let bound = Bound::new(actor, std::mem::take(&mut plan.params));
    Ok(store.batch(actor, &[(&sql, &bound.values())]).await?.pop().unwrap_or_default())
}
