//! The demo companies: each a folder in `demo/`, brought in by the doors that everybody uses.

use crate::house::House;
use auth::{NewOrganization, NewUser};
use flow::{
    conversations::{self, Sort},
    messages,
};
use kernel::{Actor, Error, Result};
use records::{Ask, Query, import};
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

const PASSWORD: &str = "fondaco-demo";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../demo"]
struct Folder;

/// `company.toml`: who they are, who works there, and what they did, one step after the other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Company {
    name: String,
    country: String,
    currency: String,
    time_zone: String,
    language: String,
    bin: Option<String>,
    owner: Someone,
    domain: String,
    #[serde(default)]
    people: Vec<Someone>,
    /// Whose manager is whom, by what stands before the @.
    #[serde(default)]
    managers: HashMap<String, String>,
    #[serde(default)]
    settings: HashMap<String, Value>,
    #[serde(default)]
    steps: Vec<Step>,
    /// What waits for whom, from before the first step.
    #[serde(default)]
    approval_rules: Vec<flow::approval_rules::Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Someone {
    email: String,
    first_name: String,
    last_name: String,
    role: String,
}

/// In bodies `@name` is the record that an earlier step called so, and `@today-12` a day of the company's calendar.
#[derive(Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Import {
        entity: String,
        file: String,
        mapping: Value,
        upsert: Option<String>,
    },
    /// A record that is there already, such as those that a company begins with.
    Find {
        entity: String,
        field: String,
        value: String,
        name: String,
    },
    Create {
        by: Option<String>,
        entity: String,
        name: Option<String>,
        body: Value,
    },
    Act {
        by: Option<String>,
        entity: String,
        of: String,
        action: String,
        name: Option<String>,
        body: Option<Value>,
    },
    /// Hangs a file of the folder on a record.
    Attach {
        by: Option<String>,
        entity: String,
        of: String,
        file: String,
    },
    View {
        body: Value,
    },
    /// People of the company write to each other: two, or in a channel that is open to all.
    Talk {
        with: Vec<String>,
        channel: Option<String>,
        said: Vec<Said>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    by: String,
    body: String,
}

/// Roles that every demo company has a colleague for: `salesperson@prs.test`.
const COLLEAGUES: &[(&str, &str, &str)] = &[
    ("manager", "Morgan", "Reed"),
    ("salesperson", "Sasha", "Blake"),
    ("accountant", "Alexis", "Moore"),
    ("verifier", "Vivian", "Stone"),
    ("employee", "Emery", "Fox"),
];

fn companies() -> Result<Vec<(String, Company)>> {
    let mut found: Vec<String> =
        Folder::iter().filter_map(|path| Some(path.strip_suffix("/company.toml")?.to_owned())).collect();
    found.sort();
    let read = |folder: String| {
        let text =
            String::from_utf8(file(&folder, "company.toml")?).map_err(|e| Error::broken(e.to_string()))?;
        let company = toml::from_str(&text).map_err(|e| Error::broken(format!("demo/{folder}: {e}")))?;
        Ok((folder, company))
    };
    found.into_iter().map(read).collect()
}

fn file(folder: &str, name: &str) -> Result<Vec<u8>> {
    let found = Folder::get(&format!("{folder}/{name}"));
    Ok(found.ok_or_else(|| Error::broken(format!("there is no demo/{folder}/{name}")))?.data.into_owned())
}

/// What people are told when the demo is there.
pub(crate) fn logins() -> Result<String> {
    let companies = companies()?;
    let owners: Vec<&str> = companies.iter().map(|(_, c)| c.owner.email.as_str()).collect();
    let colleagues: Vec<&str> = COLLEAGUES.iter().map(|c| c.0).collect();
    Ok(format!(
        "Demo logins: {}\n  colleagues: {}@ each of their domains; password for all: {PASSWORD}",
        owners.join(", "),
        colleagues.join("@, ")
    ))
}

/// Makes the demo companies that are not there yet.
pub(crate) async fn load(house: &House) -> Result<()> {
    let companies = companies()?;
    let founding = companies.iter().map(async |(folder, company)| {
        if house.state.auth.find_user(&company.owner.email).await.map_err(told)?.is_some() {
            return Ok(());
        }
        found(house, folder, company).await?;
        tracing::info!(company = company.name, "demo company made");
        Ok(())
    });
    futures_util::future::try_join_all(founding).await.map(|_| ())
}

fn told(problem: auth::Problem) -> Error {
    match problem {
        auth::Problem::Kernel(e) => e,
        other => Error::broken(other.to_string()),
    }
}

async fn found(house: &House, folder: &str, company: &Company) -> Result<()> {
    let auth = &house.state.auth;
    let user = async |someone: &Someone| -> Result<Uuid> {
        let new = NewUser {
            email: someone.email.clone(),
            password: PASSWORD.into(),
            first_name: someone.first_name.clone(),
            last_name: someone.last_name.clone(),
            locale: company.language.clone(),
            is_operator: false,
        };
        auth.create_user(&new).await.map_err(told)
    };
    let owner = user(&company.owner).await?;
    let new = NewOrganization {
        name: company.name.clone(),
        country: company.country.clone(),
        currency: company.currency.clone(),
        time_zone: company.time_zone.clone(),
        language: Some(company.language.clone()),
        bin: company.bin.clone(),
        modules: None,
    };
    let organization = auth.create_organization(owner, &new, Uuid::now_v7()).await.map_err(told)?.id;
    let colleagues = COLLEAGUES.iter().map(|(role, first, last)| Someone {
        email: format!("{role}@{}", company.domain),
        first_name: (*first).into(),
        last_name: (*last).into(),
        role: (*role).into(),
    });
    let mut people = HashMap::from([(company.owner.email.clone(), owner)]);
    for someone in colleagues.collect::<Vec<_>>().iter().chain(&company.people) {
        let id = user(someone).await?;
        auth.add_member_with_roles(organization, id, std::slice::from_ref(&someone.role), Uuid::now_v7())
            .await
            .map_err(told)?;
        people.insert(someone.email.clone(), id);
    }
    if !company.managers.is_empty() || !company.settings.is_empty() {
        let visit = auth::Visit::default();
        let signed = auth.login(&company.owner.email, PASSWORD, None, &visit).await.map_err(told)?;
        let session = auth.session(&signed.token, Uuid::now_v7()).await.map_err(told)?;
        let named = |who: &String| people.get(&format!("{who}@{}", company.domain)).copied();
        for (member, manager) in &company.managers {
            let (Some(member), Some(manager)) = (named(member), named(manager)) else {
                return Err(Error::broken(format!("demo/{folder}: {member} or {manager} is nobody")));
            };
            let change = auth::MemberChange { manager_id: Some(Some(manager)), ..Default::default() };
            auth.update_member(&session, member, &change).await.map_err(told)?;
        }
        for (key, value) in &company.settings {
            let new =
                auth::NewSetting { scope: "organization".into(), workspace_id: None, value: value.clone() };
            auth.set_setting(&session, key, &new).await.map_err(told)?;
        }
        auth.logout(&session, &visit).await.map_err(told)?;
    }
    let mut day = Day { house, folder, names: HashMap::new(), organization, domain: &company.domain, people };
    let owner = auth.actor_of(organization, owner, Uuid::now_v7()).await?;
    records::start(&house.store, &owner, &company.country, &company.language).await?;
    for rule in &company.approval_rules {
        flow::approval_rules::put(&house.store, &owner, None, rule).await?;
    }
    for (n, step) in company.steps.iter().enumerate() {
        let by = match step {
            Step::Create { by: Some(by), .. }
            | Step::Act { by: Some(by), .. }
            | Step::Attach { by: Some(by), .. } => {
                auth.actor_of(organization, day.person(by)?, Uuid::now_v7()).await?
            }
            _ => Actor { request: Uuid::now_v7(), ..owner.clone() },
        };
        day.take(&by, step)
            .await
            .map_err(|e| Error::broken(format!("demo/{folder}, step {}: {e:?}", n + 1)))?;
    }
    Ok(())
}

/// What was made so far, by the names that the steps gave it.
struct Day<'a> {
    house: &'a House,
    folder: &'a str,
    names: HashMap<String, Value>,
    organization: Uuid,
    domain: &'a str,
    people: HashMap<String, Uuid>,
}

impl Day<'_> {
    async fn take(&mut self, actor: &Actor, step: &Step) -> Result<()> {
        let store = &self.house.store;
        let catalog = store.catalog().clone();
        match step {
            Step::Import { entity, file: name, mapping, upsert } => {
                let path = std::env::temp_dir().join(format!("fondaco-demo-{}", Uuid::now_v7()));
                std::fs::write(&path, file(self.folder, name)?).map_err(|e| Error::broken(e.to_string()))?;
                let source = import::Source { path: path.clone(), format: None, name: name.clone() };
                let done = import::one_shot(
                    store,
                    actor,
                    catalog.entity(entity)?,
                    &source,
                    Some(mapping),
                    upsert.as_deref(),
                    import::Mode::Run,
                )
                .await;
                // Only a copy of what is in the program.
                let _ = std::fs::remove_file(&path);
                let done = done?;
                if done["failed"] != 0 {
                    return Err(Error::broken(format!("{name}: {}", done["errors"])));
                }
            }
            Step::Find { entity, field, value, name } => {
                let value = self.meant(actor, &json!(value))?;
                let filter = json!({ "field": field, "op": "eq", "value": value }).to_string();
                let query = Query::parse(&[("filter".into(), filter), ("limit".into(), "1".into())])?;
                let found = records::list(store, actor, catalog.entity(entity)?, &query).await?;
                let found: Value = serde_json::from_slice(&found)?;
                self.call(&Some(name.clone()), &found["data"][0]["id"]);
            }
            Step::Create { entity, name, body, .. } => {
                let body = self.meant(actor, body)?;
                let made = records::create(store, actor, catalog.entity(entity)?, &body).await?.value()?;
                self.call(name, &made["id"]);
            }
            Step::Act { entity, of, action, name, body, .. } => {
                let body = self.meant(actor, body.as_ref().unwrap_or(&json!({})))?;
                let id = self.id(of)?;
                let ask = Ask { action, body: &body, version: None };
                let acted = records::act(store, actor, catalog.entity(entity)?, id, &ask).await?;
                self.call(name, &acted.made["id"]);
            }
            Step::Attach { entity, of, file: name, .. } => {
                let bytes = bytes::Bytes::from(file(self.folder, name)?);
                let stream = futures_util::stream::iter([Ok::<_, Error>(bytes)]);
                let files = &self.house.state.files;
                let stored = files.store(store, actor, name, stream).await?;
                files.attach(store, actor, stored.id, entity, self.id(of)?).await?;
            }
            Step::View { body } => drop(records::views::add(store, actor, body).await?),
            Step::Talk { with, channel, said } => self.talk(actor, with, channel.as_deref(), said).await?,
        }
        Ok(())
    }

    async fn talk(&self, actor: &Actor, with: &[String], channel: Option<&str>, said: &[Said]) -> Result<()> {
        let store = &self.house.store;
        let people = with.iter().map(|name| self.person(name)).collect::<Result<Vec<_>>>()?;
        let sort = if channel.is_some() { Sort::Channel } else { Sort::Direct };
        let new = conversations::New { sort, name: channel, open: channel.is_some(), people: &people };
        let (made, _) = conversations::create(store, actor, &new).await?;
        let conversation = made["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
        for Said { by, body } in said {
            let person = self.person(by)?;
            let author = self.house.state.auth.actor_of(self.organization, person, Uuid::now_v7()).await?;
            let (id, parent, link) = (Uuid::now_v7(), None, None);
            let new = messages::New { conversation, id, body, parent, mentions: &[], files: &[], link };
            messages::send(store, &author, &new).await?;
        }
        Ok(())
    }

    /// Of the company: `salesperson`, `owner`.
    fn person(&self, name: &str) -> Result<Uuid> {
        let email = format!("{name}@{}", self.domain);
        self.people.get(&email).copied().ok_or_else(|| Error::broken(format!("nobody is {email}")))
    }

    fn call(&mut self, name: &Option<String>, id: &Value) {
        if let Some(name) = name {
            self.names.insert(name.clone(), id.clone());
        }
    }

    fn id(&self, name: &str) -> Result<Uuid> {
        let id = self.names.get(name).and_then(|id| id.as_str()).and_then(|id| id.parse().ok());
        id.ok_or_else(|| Error::broken(format!("nothing is called {name}")))
    }

    fn meant(&self, actor: &Actor, said: &Value) -> Result<Value> {
        Ok(match said {
            Value::String(text) => match text.strip_prefix('@') {
                None => said.clone(),
                Some(name) => match name.strip_prefix("today") {
                    Some(days) => {
                        let days: i64 = if days.is_empty() {
                            0
                        } else {
                            days.parse().map_err(|_| Error::broken(text.clone()))?
                        };
                        let today = jiff::Timestamp::now().to_zoned(actor.zone.clone()).date();
                        let day = today.checked_add(jiff::Span::new().days(days));
                        day.map_err(|e| Error::broken(e.to_string()))?.to_string().into()
                    }
                    None => self.id(name)?.to_string().into(),
                },
            },
            Value::Array(items) => {
                items.iter().map(|i| self.meant(actor, i)).collect::<Result<Vec<_>>>()?.into()
            }
            Value::Object(fields) => {
                let fields = fields.iter().map(|(n, v)| Ok((n.clone(), self.meant(actor, v)?)));
                Value::Object(fields.collect::<Result<_>>()?)
            }
            plain => plain.clone(),
        })
    }
}
