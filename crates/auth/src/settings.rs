//! What a company, a workspace or a person has set; the nearest wins. Which settings there are is said by `[[settings]]`
//! of module.toml: `key`, `label`, `help`, `type` (text, integer, number, boolean, select with `options` and their `words`, relation with
//! `entity`, secret), `scopes`, `default`.

use crate::{Auth, Result, Session};
use kernel::{Actor, Error, ModuleInfo, Tx, sql, within};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::LazyLock;
use uuid::Uuid;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSetting {
    /// `organization`, `workspace` or `user`.
    pub scope: String,
    pub workspace_id: Option<Uuid>,
    /// Null takes the setting away: the next scope's value, or the default, is in force.
    pub value: Value,
}

/// Longest text of a setting, in characters.
const LONGEST: usize = 10_000;
const MOST_HOSTS: usize = 20;

/// Whose pages are shown inside ours.
const FRAMES: &str = "pages.frames";

/// The program's own settings, beside those of the modules.
static OWN: LazyLock<Value> = LazyLock::new(|| {
    json!([{
        "key": FRAMES, "type": "hosts", "scopes": ["organization"],
        "label": "Pages that may be shown inside",
        "help": "The sites whose pages a view of the kind “Pages” shows inside this product, such as maps.example.com, *.example.org. All others open in a tab of their own.",
        "ru": {
            "label": "Какие страницы можно показывать внутри",
            "help": "Сайты, страницы которых представление «Страницы» показывает внутри продукта, например maps.example.com, *.example.org. Все прочие открываются в своей вкладке.",
        },
        "kk": {
            "label": "Ішінде көрсетуге болатын беттер",
            "help": "«Беттер» көрінісі өнім ішінде көрсететін сайттар, мысалы maps.example.com, *.example.org. Қалғандары өз қойындысында ашылады.",
        },
    }])
});

impl Auth {
    fn setting(&self, key: &str) -> Option<&Value> {
        let modules = self.store.catalog().modules.iter().map(|m| &m.meta["settings"]);
        modules.chain([&*OWN]).flat_map(|s| s.as_array().into_iter().flatten()).find(|s| s["key"] == key)
    }

    /// Every setting there is: what it is, what was set where, and what is in force for this person. Of a secret only
    /// whether there is one.
    pub async fn settings(&self, session: &Session) -> Result<Value> {
        let actor = self.with(&self.all, session.actor()?);
        let rows = within!(self.store, &actor, tx => {
            let sql = sql!(
                "select s.key, s.scope, s.in_workspace_id, s.value, s.is_secret from tenancy.settings s
                 where s.organization_id = $1 and s.deleted_at is null and (s.scope <> 'user' or s.user_id = $2)
                   and (s.scope <> 'workspace' or s.in_workspace_id = $3)
                 order by s.key, array_position('{user,workspace,organization}', s.scope)"
            );
            Ok(tx.query(sql, &[&actor.organization, &actor.user, &session.workspace]).await?)
        })?;
        let mut all = Vec::new();
        let modules = self.store.catalog().modules.iter().map(|m| (Some(m), &m.meta["settings"]));
        for (module, settings) in [(None, &*OWN)].into_iter().chain(modules) {
            for setting in settings.as_array().into_iter().flatten() {
                let key = setting["key"].as_str().unwrap_or_default();
                let set: Vec<Value> = rows
                    .iter()
                    .filter(|r| r.get::<_, &str>(0) == key)
                    .map(|r| {
                        let (scope, workspace): (&str, Option<Uuid>) = (r.get(1), r.get(2));
                        let (value, secret): (Option<Value>, bool) = (r.get(3), r.get(4));
                        json!({ "scope": scope, "workspace_id": workspace, "value": value, "is_set": secret || value.is_some() })
                    })
                    .collect();
                let mut told = setting.clone();
                told["module"] = json!(module.map_or("", |m| m.name.as_str()));
                for word in ["label", "help"] {
                    let text = match module {
                        Some(module) => translated(module, session, "settings", key, word),
                        None => setting[kernel::spoken(&session.user.locale)][word].as_str(),
                    };
                    if let Some(text) = text {
                        told[word] = json!(text);
                    }
                }
                let own = module.and_then(|m| m.texts.get(kernel::spoken(&session.user.locale)));
                if let Some(words) = own.map(|t| &t["settings"][key]["words"]).filter(|w| w.is_object()) {
                    told["words"] = words.clone();
                }
                told["value"] = set.first().map_or(setting["default"].clone(), |s| s["value"].clone());
                told["set"] = json!(set);
                all.push(told);
            }
        }
        Ok(json!({ "data": all }))
    }

    /// # Errors
    /// Malformed where the value is not what the setting is; Forbidden for the company's where one is no administrator.
    pub async fn set_setting(&self, session: &Session, key: &str, new: &NewSetting) -> Result<Value> {
        let setting = self.setting(key).ok_or(Error::NotFound)?.clone();
        let scopes = setting["scopes"].as_array().cloned().unwrap_or_else(|| vec![json!("organization")]);
        if !scopes.contains(&json!(new.scope)) {
            return Err(Error::malformed_at("scope", "This setting is not set there.").into());
        }
        if (new.scope == "workspace") != new.workspace_id.is_some() {
            return Err(Error::malformed_at(
                "workspace_id",
                "Say the workspace for the scope workspace, and only then.",
            )
            .into());
        }
        let actor = if new.scope == "user" {
            session.person()?;
            self.with(&self.all, session.actor()?)
        } else {
            session.admin()?.clone()
        };
        let secret = setting["type"] == "secret";
        let value = (!new.value.is_null()).then_some(&new.value);
        within!(self.store, &actor, tx => {
            if let Some(value) = value {
                check(&tx, &setting, value).await?;
            }
            let user = (new.scope == "user").then_some(actor.user);
            // Each is there once; whoever comes second waits here.
            tx.query_one(sql!("select pg_advisory_xact_lock(hashtextextended('setting ' || $1::text || $2::text, 0))"), &[&actor.organization.to_string(), &key]).await?;
            let sql = sql!(
                "delete from tenancy.settings where organization_id = $1 and key = $2 and scope = $3
                   and in_workspace_id is not distinct from $4 and user_id is not distinct from $5"
            );
            tx.change(sql, &[&actor.organization, &key, &new.scope, &new.workspace_id, &user]).await?;
            let Some(value) = value else { return Ok(()) };
            let sealed = match (secret, value.as_str()) {
                (true, Some(text)) => Some(self.seal_setting(&tx, &actor, key, text).await?),
                _ => None,
            };
            let open = (!secret).then_some(value);
            let sql = sql!(
                "insert into tenancy.settings (organization_id, key, scope, in_workspace_id, user_id, value, is_secret, secret)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)"
            );
            tx.change(sql, &[&actor.organization, &key, &new.scope, &new.workspace_id, &user, &open, &secret, &sealed]).await?;
            Ok(())
        })
        .map_err(|e: Error| e.explain(self.store.catalog()))?;
        self.settings(session).await
    }

    async fn seal_setting(&self, tx: &Tx, actor: &Actor, key: &str, text: &str) -> kernel::Result<Vec<u8>> {
        let company = self.company_key(tx, actor.organization).await?;
        company.seal(&about(actor.organization, key), text.as_bytes())
    }

    /// The hosts whose pages this person's company shows inside its own: for the header that says so to browsers.
    pub async fn frames(&self, token: &str, request: Uuid) -> Result<Vec<String>> {
        let Ok(session) = self.session(token, request).await else { return Ok(Vec::new()) };
        let Some(actor) = &session.actor else { return Ok(Vec::new()) };
        let rows = self.store.batch(actor, &[(sql!("select app.setting($1)"), &[&FRAMES])]).await?;
        let kept: Option<Value> = rows.first().and_then(|r| r.first()).and_then(|r| r.get(0));
        Ok(kept.as_ref().and_then(Value::as_str).and_then(hosts).unwrap_or_default())
    }

    /// What a company keeps secret, for the program that needs it to do the company's work.
    ///
    /// # Errors
    /// Broken when the keys are not those that it was sealed with.
    pub async fn secret_setting(&self, actor: &Actor, key: &str) -> kernel::Result<Option<String>> {
        within!(self.store, actor, tx => {
            let sql = sql!("select app.secret_setting($1)");
            let Some(sealed) = tx.query_one(sql, &[&key]).await?.get::<_, Option<Vec<u8>>>(0) else { return Ok(None) };
            let plain = self.company_key(&tx, actor.organization).await?.open_sealed(&about(actor.organization, key), &sealed)?;
            String::from_utf8(plain).map(Some).map_err(|e| Error::broken(e.to_string()))
        })
    }

    /// The company's own key, itself sealed by the server's: with it gone, all that it sealed is gone.
    async fn company_key(&self, tx: &Tx, organization: Uuid) -> kernel::Result<kernel::Secrets> {
        let sealed: Vec<u8> = tx.query_one(sql!("select app.data_key()"), &[]).await?.get(0);
        self.store.secrets().company(&format!("tenancy.organizations data_key {organization}"), &sealed)
    }
}

/// In the reader's language, `[settings."x.y"] label` of the module's i18n.
pub(crate) fn translated<'a>(
    module: &'a ModuleInfo,
    session: &Session,
    group: &str,
    name: &str,
    word: &str,
) -> Option<&'a str> {
    module.texts.get(kernel::spoken(&session.user.locale))?[group][name][word].as_str()
}

fn about(organization: Uuid, key: &str) -> String {
    format!("tenancy.settings {organization} {key}")
}

async fn check(tx: &Tx, setting: &Value, value: &Value) -> kernel::Result<()> {
    let wrong = |what: &str| Error::malformed_at("value", what.to_owned());
    let within = |n: f64| {
        setting["min"].as_f64().is_none_or(|min| n >= min)
            && setting["max"].as_f64().is_none_or(|max| n <= max)
    };
    match setting["type"].as_str().unwrap_or("text") {
        "text" | "secret" => match value.as_str() {
            Some(text) if text.chars().count() <= LONGEST => Ok(()),
            _ => Err(wrong("This is a text of at most 10,000 characters.")),
        },
        "hosts" => match value.as_str().and_then(hosts) {
            Some(_) => Ok(()),
            None => Err(wrong("Name at most 20 sites, such as maps.example.com or *.example.org.")),
        },
        "boolean" if value.is_boolean() => Ok(()),
        "boolean" => Err(wrong("This is true or false.")),
        "integer" if value.as_i64().is_some_and(|n| within(n as f64)) => Ok(()),
        "integer" => Err(wrong("This is a whole number within the bounds.")),
        "number" if value.as_f64().is_some_and(within) => Ok(()),
        "number" => Err(wrong("This is a number within the bounds.")),
        "select" if setting["options"].as_array().is_some_and(|o| o.contains(value)) => Ok(()),
        "select" => Err(wrong("This is none of the choices.")),
        "relation" => {
            let id: Uuid = value
                .as_str()
                .and_then(|id| id.parse().ok())
                .ok_or_else(|| wrong("This is the id of a record."))?;
            let entity = tx.catalog.entity(setting["entity"].as_str().unwrap_or_default())?;
            let sql = format!(
                "select from {} where organization_id = $1 and id = $2 and deleted_at is null",
                entity.name
            );
            match tx.query_opt(&sql, &[&tx.actor.organization, &id]).await? {
                Some(_) => Ok(()),
                None => Err(wrong("There is no such record.")),
            }
        }
        other => Err(Error::broken(format!("a setting of the unknown type {other}"))),
    }
}

/// Names of hosts between commas or spaces; nothing else, since they go into a header as they are.
fn hosts(text: &str) -> Option<Vec<String>> {
    let all: Vec<String> = text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|host| !host.is_empty())
        .map(|host| host.strip_prefix("https://").unwrap_or(host).trim_end_matches('/').to_ascii_lowercase())
        .collect();
    let is_label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_host = |host: &String| {
        let (name, port) =
            host.split_once(':').map_or((host.as_str(), None), |(name, port)| (name, Some(port)));
        let name = name.strip_prefix("*.").unwrap_or(name);
        name.len() <= 253
            && name.contains('.')
            && name.split('.').all(is_label)
            && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == port))
    };
    (all.len() <= MOST_HOSTS && all.iter().all(is_host)).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::hosts;

    #[test]
    fn hosts_are_names_and_nothing_that_could_change_a_header() {
        let some = hosts("maps.example.com, *.Example.org https://a.b.test:8443/").unwrap();
        assert_eq!(some, ["maps.example.com", "*.example.org", "a.b.test:8443"]);
        assert_eq!(hosts(" "), Some(vec![]));
        for bad in [
            "*",
            "*.com:x",
            "https:",
            "http://a.test",
            "localhost",
            "a.test;script-src",
            "'self'",
            "a.test/path",
            "*.*.test",
            "-a.test",
            "a..test",
            "a.test:0",
            "data:",
            "é.test",
        ] {
            assert_eq!(hosts(bad), None, "{bad}");
        }
    }
}
