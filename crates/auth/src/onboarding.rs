//! What a new company has set up so far, by what is there. The steps are said by `[[onboarding]]` of module.toml: `step`,
//! `label`, the `entity` that shows it, and how many records there are without anybody doing anything (`given`, 0).

use crate::{Auth, Result, Session, settings::translated};
use kernel::{Error, ModuleInfo, sql, within};
use serde_json::{Value, json};

impl Auth {
    /// Every step of the modules that the company has: `{step, label, entity, done, dismissed}`.
    pub async fn onboarding(&self, session: &Session) -> Result<Value> {
        let catalog = self.store.catalog().clone();
        let reader = session.actor()?;
        let actor = self.with(&self.all, reader);
        let steps: Vec<(&ModuleInfo, &Value)> = catalog
            .modules
            .iter()
            .flat_map(|m| m.meta["onboarding"].as_array().into_iter().flatten().map(move |s| (m, s)))
            .collect();
        let data = within!(self.store, &actor, tx => {
            let known = tx
                .query(sql!("select step, completed_at is not null, dismissed_at is not null from tenancy.onboarding_progress where organization_id = $1"), &[&actor.organization])
                .await?;
            let mut data = Vec::new();
            for (module, step) in &steps {
                let entity = catalog.entity(step["entity"].as_str().unwrap_or_default())?;
                if !reader.access.may(entity, "create") {
                    continue;
                }
                let name = step["step"].as_str().unwrap_or_default();
                let (mut done, dismissed) = known
                    .iter()
                    .find(|r| r.get::<_, &str>(0) == name)
                    .map_or((false, false), |r| (r.get(1), r.get(2)));
                if !done {
                    let sql = format!("select count(*) > $2::bigint from (select from {} where organization_id = $1 and deleted_at is null limit $2::bigint + 1) t", entity.name);
                    done = tx.query_one(&sql, &[&actor.organization, &step["given"].as_i64().unwrap_or(0)]).await?.get(0);
                    if done {
                        note(&tx, name, true).await?;
                    }
                }
                data.push(json!({ "step": name, "label": translated(module, session, "onboarding", name, "label").or(step["label"].as_str()), "entity": entity.name, "done": done, "dismissed": dismissed }));
            }
            Ok(data)
        })?;
        Ok(json!({ "data": data }))
    }

    /// Somebody does not want to be reminded; what was set up still shows as done.
    pub async fn dismiss_onboarding(&self, session: &Session, step: &str) -> Result<Value> {
        let actor = session.admin()?;
        let mut steps = self
            .store
            .catalog()
            .modules
            .iter()
            .flat_map(|m| m.meta["onboarding"].as_array().into_iter().flatten());
        if !steps.any(|s| s["step"] == step) {
            return Err(Error::NotFound.into());
        }
        within!(self.store, actor, tx => note(&tx, step, false).await)?;
        self.onboarding(session).await
    }
}

async fn note(tx: &kernel::Tx, step: &str, done: bool) -> kernel::Result<()> {
    let sql = sql!(
        "insert into tenancy.onboarding_progress as p (organization_id, step, completed_at, dismissed_at)
         values ($1, $2, case when $3 then now() end, case when not $3 then now() end)
         on conflict (organization_id, step) do update
         set completed_at = coalesce(p.completed_at, excluded.completed_at), dismissed_at = coalesce(p.dismissed_at, excluded.dismissed_at)"
    );
    tx.change(sql, &[&tx.actor.organization, &step, &done]).await?;
    Ok(())
}
