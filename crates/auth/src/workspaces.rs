use crate::{Auth, Result, Session};
use kernel::{Error, sql, within};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// A division that keeps some of its records apart.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspace {
    pub name: String,
    /// `division`, `project` or `branch`; `main` is made with the company.
    pub kind: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceChange {
    pub name: Option<String>,
    pub kind: Option<String>,
    /// `active`, `inactive` or `archived`.
    pub status: Option<String>,
}

macro_rules! shown {
    () => {
        "jsonb_build_object('id', w.id, 'name', w.name, 'kind', w.kind, 'status', w.status, 'version', w.version)"
    };
}

impl Auth {
    /// Those that the person may enter.
    pub async fn workspaces(&self, session: &Session) -> Result<Vec<Value>> {
        let actor = self.with(&self.all, session.actor()?);
        let rows = within!(self.store, &actor, tx => {
            let sql = sql!(concat!(
                "select ", shown!(), " from tenancy.workspaces w
                 where w.organization_id = $1 and w.deleted_at is null and ($2::uuid[] is null or w.id = any ($2)) order by w.kind <> 'main', w.name"
            ));
            Ok(tx.query(sql, &[&tx.actor.organization, &session.actor()?.access.workspaces]).await?)
        })?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    pub async fn create_workspace(&self, session: &Session, new: &NewWorkspace) -> Result<Value> {
        let actor = session.admin()?;
        let kind = new.kind.as_deref().unwrap_or("division");
        check_kind(kind)?;
        let row = within!(self.store, actor, tx => {
            let sql = sql!(concat!(
                "insert into tenancy.workspaces as w (organization_id, name, kind) values ($1, trim($2::text), $3) returning ", shown!()
            ));
            Ok(tx.query_one(sql, &[&actor.organization, &new.name, &kind]).await?)
        });
        Ok(row.map_err(|e| e.explain(self.store.catalog()))?.get(0))
    }

    /// An archived workspace and its records can be read and no longer entered.
    pub async fn update_workspace(
        &self,
        session: &Session,
        id: Uuid,
        change: &WorkspaceChange,
    ) -> Result<Value> {
        let actor = session.admin()?;
        if let Some(kind) = &change.kind {
            check_kind(kind)?;
        }
        if let Some(status) = &change.status
            && !["active", "inactive", "archived"].contains(&status.as_str())
        {
            return Err(Error::malformed_at("status", "One of active, inactive, archived.").into());
        }
        let row = within!(self.store, actor, tx => {
            let sql = sql!(concat!(
                "update tenancy.workspaces w set name = coalesce(trim($3::text), name), kind = coalesce($4, kind), status = coalesce($5, status)
                 where w.organization_id = $1 and w.id = $2 and w.deleted_at is null and ($4::text is null or w.kind <> 'main') returning ", shown!()
            ));
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [&actor.organization, &id, &change.name, &change.kind, &change.status];
            tx.query_opt(sql, &values).await?.ok_or(Error::NotFound)
        });
        let row = row.map_err(|e| e.explain(self.store.catalog()))?;
        self.forget_organization(actor.organization);
        Ok(row.get(0))
    }
}

fn check_kind(kind: &str) -> kernel::Result<()> {
    match kind {
        "division" | "project" | "branch" => Ok(()),
        _ => Err(Error::malformed_at("kind", "One of division, project, branch.")),
    }
}
