//! What a new company has set up so far, by what is there. The steps are said by `[[onboarding]]` of module.toml: `step`,
//! `label`, and the `entity` whose first record shows it.

use crate::{Auth, Result, Session, settings::translated};
use kernel::{Entity, Error, ModuleInfo, sql, within};
use serde_json::{Value, json};
use std::sync::Arc;

impl Auth {
    /// Every step of the modules that the company has: `{step, label, entity, done, dismissed}`.
    pub async fn onboarding(&self, session: &Session) -> Result<Value> {
        let catalog = self.store.catalog().clone();
        let reader = session.actor()?;
        let actor = self.with(&self.all, reader);
        let mut steps = Vec::new();
        for module in &catalog.modules {
            for step in module.meta["onboarding"].as_array().into_iter().flatten() {
                let entity = catalog.entity(step["entity"].as_str().unwrap_or_default())?;
                if reader.access.may(entity, "create") {
                    steps.push((module, step, entity));
                }
            }
        }
        let there: Vec<String> = steps
            .iter()
            .map(|(.., e)| {
                format!("exists (select from {} where organization_id = $1 and deleted_at is null)", e.name)
            })
            .collect();
        let sql = format!(
            "select array[{}]::boolean[], array(select step from tenancy.onboarding_progress where organization_id = $1 and deleted_at is null)",
            there.join(", ")
        );
        let rows = self.store.batch(&actor, &[(&sql, &[&actor.organization])]).await?;
        let row = rows.iter().flatten().next().ok_or(Error::NotFound)?;
        let (done, dismissed): (Vec<bool>, Vec<String>) = (row.get(0), row.get(1));
        let told = |((module, step, entity), done): (&(&Arc<ModuleInfo>, &Value, &Entity), bool)| {
            let name = step["step"].as_str().unwrap_or_default();
            let label = translated(module, session, "onboarding", name, "label").or(step["label"].as_str());
            json!({ "step": name, "label": label, "entity": entity.name, "done": done, "dismissed": dismissed.iter().any(|d| d == name) })
        };
        let data: Vec<Value> = steps.iter().zip(done).map(told).collect();
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
