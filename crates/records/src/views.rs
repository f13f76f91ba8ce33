//! Saved views: how somebody likes to look at an entity, for himself, for the people of a workspace or for everybody.
//! Who sees which is a policy of the table; here is who may change what.

use kernel::{Actor, Entity, Error, Result, Row, Store, Tx, sql, within};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What a request says of a view; what it leaves out stays.
#[derive(Debug, Default)]
struct Said {
    name: Option<String>,
    kind: Option<String>,
    visibility: Option<String>,
    team: Option<Uuid>,
    locked: Option<bool>,
    default_for: Option<Vec<String>>,
    position: Option<i32>,
    state: Option<Value>,
}

impl Said {
    fn read(body: &Map<String, Value>, also: &[&str]) -> Result<Said> {
        let mut said = Said::default();
        for (name, value) in body.iter().filter(|(name, _)| !also.contains(&name.as_str())) {
            let wrong = |what: &str| Error::malformed_at(name, what);
            let text = || match value {
                Value::Null => Ok(None),
                Value::String(s) => Ok(Some(s.clone())),
                _ => Err(wrong("This is a text.")),
            };
            match name.as_str() {
                "name" => said.name = text()?,
                "kind" => said.kind = text()?,
                "visibility" => said.visibility = text()?,
                "team_id" => {
                    let id = text()?.map(|id| id.parse().map_err(|_| wrong("This is an id.")));
                    said.team = id.transpose()?;
                }
                "locked" => said.locked = Some(value.as_bool().ok_or_else(|| wrong("This is yes or no."))?),
                "position" => {
                    let n = value.as_i64().and_then(|n| i32::try_from(n).ok());
                    said.position = Some(n.ok_or_else(|| wrong("This is a whole number."))?);
                }
                "default_for" => {
                    let names = value.as_array().and_then(|list| {
                        list.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
                    });
                    said.default_for = Some(names.ok_or_else(|| wrong("This is a list of names."))?);
                }
                "state" => said.state = value.is_object().then(|| value.clone()),
                _ => return Err(wrong(&format!("There is no field {name}."))),
            }
        }
        if said.visibility.is_some() && said.visibility.as_deref() != Some("team") {
            said.team = None;
        }
        Ok(said)
    }

    /// Whether it is about who sees or changes the view, which is the owner's to say.
    fn is_about_others(&self) -> bool {
        self.visibility.is_some() || self.team.is_some() || self.locked.is_some() || self.position.is_some()
    }

    /// What the database cannot tell by itself.
    async fn check(&self, tx: &Tx, actor: &Actor, default_for: &Value) -> Result<()> {
        if self.default_for.as_ref().is_some_and(|d| json!(d) != *default_for) && !actor.access.is_admin() {
            let said = "Only owners and administrators say which view opens first for others.";
            return Err(Error::Forbidden(said.into()));
        }
        if self.visibility.as_deref().is_some_and(|v| !["private", "team", "shared"].contains(&v)) {
            return Err(Error::malformed_at("visibility", "Say private, team or shared."));
        }
        let Some(team) = self.team else { return Ok(()) };
        let sql = sql!(
            "select from tenancy.workspaces where organization_id = $1 and id = $2 and deleted_at is null"
        );
        let known = tx.query_opt(sql, &[&actor.organization, &team]).await?.is_some();
        let within = actor.access.workspaces.as_ref().is_none_or(|own| own.contains(&team));
        match known && within {
            true => Ok(()),
            false => Err(Error::refused_at("team_id", "You are in no such workspace.")),
        }
    }
}

/// What is answered of a view.
macro_rules! view {
    () => {
        "jsonb_build_object('id', id, 'entity', entity, 'name', name, 'kind', kind, 'visibility', visibility, 'team_id', team_id,
            'locked', locked, 'default_for', default_for, 'position', position, 'state', state,
            'mine', created_by is not distinct from app.actor(), 'version', version)"
    };
}

/// As this person is answered: with what he may do with it, and whether it is the one that opens for him.
fn told(actor: &Actor, row: &Row) -> Value {
    let mut view: Value = row.get(0);
    let own = view["mine"] == true || actor.access.is_admin();
    view["can_edit"] = json!(own || view["locked"] == false);
    view["can_manage"] = json!(own);
    let roles = &actor.access.roles;
    let mut named = view["default_for"].as_array().into_iter().flatten().filter_map(Value::as_str);
    view["is_default"] = json!(named.any(|role| role == "*" || roles.iter().any(|r| r == role)));
    view
}

/// The views of an entity that this person sees, in their order.
pub async fn list(store: &Store, actor: &Actor, entity: &str) -> Result<Vec<Value>> {
    let sql = sql!(concat!(
        "select ",
        view!(),
        " from social.saved_views where organization_id = $1 and deleted_at is null and entity = $2::text
         order by position, lower(name), id"
    ));
    let rows = store.batch(actor, &[(sql, &[&actor.organization, &entity])]).await?;
    Ok(rows.iter().flatten().map(|row| told(actor, row)).collect())
}

/// What somebody pinned, of whatever entity; what he does not see any more is left out.
pub async fn named(store: &Store, actor: &Actor, ids: &[Uuid]) -> Result<Vec<Value>> {
    let sql = sql!(concat!(
        "select ",
        view!(),
        " from social.saved_views where organization_id = $1 and deleted_at is null and id = any ($2::uuid[])
         order by array_position($2, id)"
    ));
    let rows = store.batch(actor, &[(sql, &[&actor.organization, &ids])]).await?;
    let readable = |view: &Value| {
        let entity = actor.catalog.entities.get(view["entity"].as_str().unwrap_or_default());
        entity.is_some_and(|e| actor.access.may(e, "read"))
    };
    Ok(rows.iter().flatten().map(|row| told(actor, row)).filter(readable).collect())
}

/// `{entity, name, kind, visibility, team_id, locked, default_for, position, state}`.
pub async fn add(store: &Store, actor: &Actor, body: &Value) -> Result<Value> {
    let body = crate::write::object(body)?;
    let said = Said::read(body, &["entity"])?;
    let entity: &Entity = actor
        .catalog
        .entity(body.get("entity").and_then(Value::as_str).unwrap_or_default())
        .map_err(|_| Error::malformed_at("entity", "There is no such entity."))?;
    if !actor.access.may(entity, "read") {
        return Err(Error::NotFound);
    }
    within!(store, actor, tx => {
        said.check(&tx, actor, &json!([])).await?;
        let id = Uuid::now_v7();
        let insert = sql!(
            "insert into social.saved_views (organization_id, id, entity, name, kind, visibility, team_id, locked, default_for, position, state)
             values ($1, $2, $3::text, coalesce($4::text, ''), coalesce($5::text, 'table'), coalesce($6::text, 'private'), $7, coalesce($8, false),
                coalesce($9, '{}'::text[]), coalesce($10, 0), coalesce($11, '{}'::jsonb))"
        );
        let Said { name, kind, visibility, team, locked, default_for, position, state } = &said;
        tx.execute(insert, &[&actor.organization, &id, &entity.name, name, kind, visibility, team, locked, default_for, position, state]).await?;
        read(&tx, actor, id).await
    })
}

/// Whoever sees a view that is not locked changes how it looks; who sees it, and the rest, is its owner's and administrators'.
pub async fn change(store: &Store, actor: &Actor, id: Uuid, body: &Value) -> Result<Value> {
    let said = Said::read(crate::write::object(body)?, &[])?;
    within!(store, actor, tx => {
        let was = read(&tx, actor, id).await?;
        if was["can_edit"] == false {
            return Err(Error::Forbidden("This view is locked: only its owner and administrators change it.".into()));
        }
        if was["can_manage"] == false && said.is_about_others() {
            return Err(Error::Forbidden("Only its owner and administrators say who sees and changes a view.".into()));
        }
        said.check(&tx, actor, &was["default_for"]).await?;
        let update = sql!(
            "update social.saved_views set name = coalesce($3::text, name), kind = coalesce($4::text, kind), visibility = coalesce($5::text, visibility),
                team_id = case when coalesce($5::text, visibility) = 'team' then coalesce($6, team_id) end, locked = coalesce($7, locked),
                default_for = coalesce($8, default_for), position = coalesce($9, position), state = coalesce($10, state)
             where organization_id = $1 and id = $2 and deleted_at is null"
        );
        let Said { name, kind, visibility, team, locked, default_for, position, state } = &said;
        if tx.execute(update, &[&actor.organization, &id, name, kind, visibility, team, locked, default_for, position, state]).await? == 0 {
            return Err(Error::NotFound);
        }
        read(&tx, actor, id).await
    })
}

pub async fn delete(store: &Store, actor: &Actor, id: Uuid) -> Result<()> {
    within!(store, actor, tx => {
        if read(&tx, actor, id).await?["can_manage"] == false {
            return Err(Error::Forbidden("Only its owner and administrators take a view away.".into()));
        }
        let sql = sql!("delete from social.saved_views where organization_id = $1 and id = $2");
        match tx.execute(sql, &[&actor.organization, &id]).await? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    })
}

async fn read(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Value> {
    let sql = sql!(concat!(
        "select ",
        view!(),
        " from social.saved_views where organization_id = $1 and id = $2 and deleted_at is null"
    ));
    let row = tx.query_opt(sql, &[&actor.organization, &id]).await?.ok_or(Error::NotFound)?;
    Ok(told(actor, &row))
}
