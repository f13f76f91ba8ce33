//! An administrator looks at the company as somebody with a role would. It is written in his session and ends with it;
//! rights are those of the role alone, rows of one's own are his, and nothing is changed meanwhile.

use crate::{
    Auth, Result, Session, Visit,
    roles::{ADMIN, OWNER, StoredRole, beyond, stored},
    sessions::Member,
};
use kernel::{Access, Catalog, Error, Overlay, System, sql, system};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Where the role is looked at: in one workspace, or in the whole company.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewAs {
    pub workspace_id: Option<Uuid>,
}

/// As whom a session looks. Without a role there is nothing to be seen: it is gone, or gives too much by now.
#[derive(Clone, Debug)]
pub struct Viewing {
    role: Option<StoredRole>,
    workspace: Option<(Uuid, String)>,
}

impl Viewing {
    pub(crate) fn shown(&self, catalog: &Catalog, language: &str) -> Value {
        let language = kernel::spoken(language);
        let role = self.role.as_ref();
        json!({
            "role": role.map(|r| json!({ "id": r.id, "name": r.name, "label": r.called(catalog, language) })),
            "workspace": self.workspace.as_ref().map(|(id, name)| json!({ "id": id, "name": name })),
        })
    }
}

impl Auth {
    /// From now on this session looks as the role, until [`Auth::end_view`].
    ///
    /// # Errors
    /// Forbidden to whoever is no administrator, to keys, and for a role that may do what he may not.
    pub async fn view_as(
        &self,
        session: &Session,
        role: Uuid,
        place: ViewAs,
        visit: &Visit,
    ) -> Result<Value> {
        session.person()?;
        let actor = session.admin()?;
        let catalog = &actor.catalog;
        let viewing = system!(self.store, tx => {
            let roles = stored(&tx, actor.organization).await?;
            let role = roles.into_iter().find(|r| r.id == role && r.is_active).ok_or(Error::NotFound)?;
            rights(catalog, &actor.overlay, &actor.access, &role, place.workspace_id)?;
            let workspace = self.place(&tx, actor.organization, &actor.access, place.workspace_id).await?;
            let sql = sql!(
                "update iam.sessions set view_role_id = $2, view_workspace_id = $3 where id = $1 and ended_at is null and active_organization_id = $4"
            );
            let values: &[&(dyn ToSql + Sync)] = &[&session.id, &role.id, &place.workspace_id, &actor.organization];
            if tx.execute(sql, values).await? == 0 {
                return Err(Error::NotFound);
            }
            log(&tx, session, "view_as", visit, &role.name, place.workspace_id).await?;
            Ok(Viewing { role: Some(role), workspace })
        })?;
        self.forget_user(session.user.id);
        Ok(viewing.shown(catalog, &session.user.locale))
    }

    /// The session is the administrator's own again. Who looks as nobody is told so by nothing.
    pub async fn end_view(&self, session: &Session, visit: &Visit) -> Result<()> {
        session.person()?;
        let Some(viewing) = &session.viewing else { return Ok(()) };
        let role = viewing.role.as_ref().map_or("", |r| &r.name);
        let workspace = viewing.workspace.as_ref().map(|(id, _)| *id);
        system!(self.store, tx => {
            let sql = sql!(
                "update iam.sessions set view_role_id = null, view_workspace_id = null where id = $1 and view_role_id is not null"
            );
            if tx.execute(sql, &[&session.id]).await? > 0 {
                log(&tx, session, "view_as_end", visit, role, workspace).await?;
            }
            Ok(())
        })?;
        self.forget_user(session.user.id);
        Ok(())
    }

    /// Narrows a member to the role that his session looks as; to nothing, where that is no longer his to see.
    pub(crate) async fn look_as(
        &self,
        tx: &System,
        member: &mut Member,
        role: Uuid,
        workspace: Option<Uuid>,
    ) -> kernel::Result<Viewing> {
        let catalog = &member.catalog.clone();
        let roles = stored(tx, member.organization.id).await?;
        let role = roles.into_iter().find(|r| r.id == role && r.is_active);
        let place = self.place(tx, member.organization.id, &member.access, workspace).await;
        let access = match (&role, &place) {
            (Some(role), Ok(_)) => rights(catalog, &member.overlay, &member.access, role, workspace).ok(),
            _ => None,
        };
        let role = role.filter(|_| access.is_some());
        member.access = access.unwrap_or_default();
        Ok(Viewing { role, workspace: place.unwrap_or_default() })
    }

    async fn place(
        &self,
        tx: &System,
        organization: Uuid,
        mine: &Access,
        workspace: Option<Uuid>,
    ) -> kernel::Result<Option<(Uuid, String)>> {
        let Some(id) = workspace else { return Ok(None) };
        let sql = sql!(
            "select name from tenancy.workspaces where organization_id = $1 and id = $2 and deleted_at is null and status <> 'archived'"
        );
        let found = tx.query_opt(sql, &[&organization, &id]).await?;
        match found.filter(|_| mine.workspaces.as_ref().is_none_or(|all| all.contains(&id))) {
            Some(row) => Ok(Some((id, row.get(0)))),
            None => Err(Error::refused_at("workspace_id", "There is no such workspace.")),
        }
    }
}

/// What the role gives in the whole company, or in the one workspace, to somebody with `mine`, who must have it all.
fn rights(
    catalog: &Catalog,
    overlay: &Overlay,
    mine: &Access,
    role: &StoredRole,
    workspace: Option<Uuid>,
) -> kernel::Result<Access> {
    let forbidden = |what: String| {
        Err(Error::Forbidden(format!("You cannot view as a role that may do what you may not: {what}.")))
    };
    if !mine.is_admin() || role.template.as_deref() == Some(OWNER) && !mine.roles.iter().any(|r| r == OWNER) {
        return forbidden(role.name.clone());
    }
    if workspace.is_some() && matches!(role.template.as_deref(), Some(OWNER | ADMIN)) {
        let said = "Owners and administrators are so for the whole company.";
        return Err(Error::refused_at("workspace_id", said));
    }
    let theirs = Access::of(catalog, &[role.clone().into_role()]);
    if let Some(what) = beyond(catalog, overlay, mine, &theirs) {
        return forbidden(what);
    }
    let mut access = match workspace {
        Some(workspace) => {
            Access::of(catalog, &[]).with_place(catalog, workspace, &[role.clone().into_role()])
        }
        None => theirs,
    };
    (access.team, access.workspaces) = (mine.team.clone(), mine.workspaces.clone());
    Ok(access)
}

async fn log(
    tx: &System,
    session: &Session,
    action: &str,
    visit: &Visit,
    role: &str,
    workspace: Option<Uuid>,
) -> kernel::Result<()> {
    let sql = sql!(
        "select iam.log_event($1, 'iam.memberships', $2, $3, $2, $4, null, jsonb_build_object('role', $5::text, 'workspace_id', $6::uuid))"
    );
    let organization = session.organization()?.id;
    tx.query_one(sql, &[&organization, &session.user.id, &action, &visit.request, &role, &workspace]).await?;
    Ok(())
}
