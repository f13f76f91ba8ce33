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
            let sql = sql!("select array_agg(step) from tenancy.onboarding_progress where organization_id = $1 and deleted_at is null");
            let dismissed: Vec<String> = tx.query_one(sql, &[&actor.organization]).await?.get::<_, Option<_>>(0).unwrap_or_default();
            let mut data = Vec::new();
            for (module, step) in &steps {
                let entity = catalog.entity(step["entity"].as_str().unwrap_or_default())?;
                if !reader.access.may(entity, "create") {
                    continue;
                }
                let name = step["step"].as_str().unwrap_or_default();
                let sql = format!("select count(*) > $2::bigint from (select from {} where organization_id = $1 and deleted_at is null limit $2::bigint + 1) t", entity.name);
                let done: bool = tx.query_one(&sql, &[&actor.organization, &step["given"].as_i64().unwrap_or(0)]).await?.get(0);
                let dismissed = dismissed.iter().any(|d| d == name);
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
        within!(self.store, actor, tx => {
            let sql = sql!("insert into tenancy.onboarding_progress (organization_id, step) values ($1, $2) on conflict (organization_id, step) do nothing");
            tx.change(sql, &[&actor.organization, &step]).await?;
            Ok(())
        })?;
        self.onboarding(session).await
    }
}
