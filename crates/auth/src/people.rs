use crate::{Auth, Problem, Result, Session, check_password, normalize_email};
use kernel::{Error, sql, system};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

#[derive(Clone, Debug, Serialize)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub locale: String,
    pub time_zone: String,
    pub theme: String,
    pub registration_status: String,
    pub totp_enabled: bool,
    /// Runs this server: no right inside any company follows from it.
    #[serde(skip)]
    pub is_operator: bool,
}

/// What [`User::of`] reads, of `iam.users u`.
macro_rules! user_columns {
    () => {
        "u.id as user_id, u.email, u.first_name, u.last_name, u.locale, u.time_zone, u.theme, u.registration_status,
         u.totp_enabled_at is not null as totp_enabled, u.is_operator"
    };
}
pub(crate) use user_columns;

impl User {
    pub(crate) fn of(row: &Row) -> User {
        User {
            id: row.get("user_id"),
            email: row.get("email"),
            first_name: row.get("first_name"),
            last_name: row.get("last_name"),
            locale: row.get("locale"),
            time_zone: row.get("time_zone"),
            theme: row.get("theme"),
            registration_status: row.get("registration_status"),
            totp_enabled: row.get("totp_enabled"),
            is_operator: row.get("is_operator"),
        }
    }

    pub fn name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        if name.trim().is_empty() { self.email.clone() } else { name.trim().to_owned() }
    }
}

/// Somebody whom the operator makes, without mail and codes.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    pub email: String,
    pub password: String,
    pub first_name: String,
    pub last_name: String,
    pub locale: String,
    pub is_operator: bool,
}

/// What people change about themselves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeChange {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
    pub theme: Option<String>,
    /// Merged into what was said before, key by key; null takes one away.
    pub preferences: Option<Map<String, Value>>,
}

/// Bytes of JSON that somebody's preferences may take.
const PREFERENCES: i32 = 16 << 10;

impl Auth {
    /// Who I am and where I am, for the UI.
    pub async fn me(&self, session: &Session) -> Result<Value> {
        let roles = session.actor().map(|a| a.access.roles.clone()).unwrap_or_default();
        let (organizations, workspace, preferences) = system!(self.store, tx => {
            let organizations = crate::organizations::names(&tx, session.user.id).await?;
            let organization = session.organization.as_ref().map(|o| o.id);
            let sql = sql!("select jsonb_build_object('id', id, 'name', name) from tenancy.workspaces where organization_id = $1 and id = $2");
            let workspace = tx.query_opt(sql, &[&organization, &session.workspace]).await?;
            let preferences = tx.query_one(sql!("select preferences from iam.users where id = $1"), &[&session.user.id]).await?;
            Ok((organizations, workspace.map(|r| r.get::<_, Value>(0)), preferences.get::<_, Value>(0)))
        })?;
        let mut user = json!(*session.user);
        user["preferences"] = preferences;
        if session.user.is_operator && session.token.is_none() {
            user["is_operator"] = true.into();
        }
        Ok(json!({
            "user": user,
            "organization": session.organization.as_deref(),
            "organizations": organizations,
            "roles": roles,
            "workspace": workspace,
            "viewing": session.viewing.as_deref().map(|v| v.shown(self.store.catalog(), &session.user.locale)),
        }))
    }

    pub async fn update_me(&self, session: &Session, change: &MeChange) -> Result<()> {
        session.person()?;
        let MeChange { first_name, last_name, locale, time_zone, theme, preferences } = change;
        check_name("first_name", first_name.as_deref())?;
        check_name("last_name", last_name.as_deref())?;
        if let Some(locale) = locale {
            check_language("locale", locale)?;
        }
        if let Some(time_zone) = time_zone {
            self.check_time_zone(time_zone).await?;
        }
        if theme.as_deref().is_some_and(|t| !["system", "light", "dark"].contains(&t)) {
            return Err(Error::refused_at("theme", "A theme is system, light or dark.").into());
        }
        system!(self.store, tx => {
            let sql = sql!(
                "update iam.users set first_name = coalesce(trim($2::text), first_name), last_name = coalesce(trim($3::text), last_name),
                    locale = coalesce($4, locale), time_zone = coalesce($5, time_zone), theme = coalesce($6, theme),
                    preferences = jsonb_strip_nulls(preferences || coalesce($7::jsonb, '{}')), updated_at = now()
                 where id = $1 and octet_length((preferences || coalesce($7::jsonb, '{}'))::text) <= $8"
            );
            let preferences = preferences.clone().map(Value::Object);
            match tx.execute(sql, &[&session.user.id, first_name, last_name, locale, time_zone, theme, &preferences, &PREFERENCES]).await? {
                0 => Err(Error::refused_at("preferences", "These are too many preferences.")),
                _ => Ok(()),
            }
        })?;
        self.forget_user(session.user.id);
        Ok(())
    }

    /// For the operator's command line and the demo: the person may sign in at once.
    pub async fn create_user(&self, new: &NewUser) -> Result<Uuid> {
        let email = normalize_email(&new.email)?;
        check_password(&new.password, &email)?;
        check_name("first_name", Some(&new.first_name))?;
        check_name("last_name", Some(&new.last_name))?;
        let hash = self.hasher.hash(&new.password).await?;
        let made = system!(self.store, tx => {
            let sql = sql!(
                "insert into iam.users (email, password_hash, first_name, last_name, locale, is_operator, status, registration_status)
                 values ($1, $2, trim($3::text), trim($4::text), coalesce(nullif($5::text, ''), 'en'), $6, 'active', 'onboarding_pending')
                 on conflict (email_key) do nothing returning id"
            );
            Ok(tx.query_opt(sql, &[&email, &hash, &new.first_name, &new.last_name, &new.locale, &new.is_operator]).await?)
        })?;
        match made {
            Some(row) => Ok(row.get(0)),
            None => Err(Error::refused_at("email", "Somebody with this address is here already.").into()),
        }
    }

    pub async fn find_user(&self, email: &str) -> Result<Option<Uuid>> {
        let email = normalize_email(email)?;
        let found = system!(self.store, tx => {
            Ok(tx.query_opt(sql!("select id from iam.users where email_key = $1"), &[&email]).await?)
        })?;
        Ok(found.map(|r| r.get(0)))
    }

    /// For the operator: shuts somebody out of all companies, or lets him in again.
    pub async fn suspend_user(&self, user: Uuid, suspended: bool) -> Result<()> {
        let found = system!(self.store, tx => {
            if suspended {
                crate::sessions::end_sessions(&tx, user, None).await?;
            }
            let (from, to) = if suspended { ("active", "suspended") } else { ("suspended", "active") };
            let sql = sql!("update iam.users set status = $3, updated_at = now() where id = $1 and status = $2");
            Ok(tx.execute(sql, &[&user, &from, &to]).await?)
        })?;
        self.forget_user(user);
        if found == 0 { Err(Error::NotFound.into()) } else { Ok(()) }
    }

    pub(crate) async fn check_time_zone(&self, zone: &str) -> Result<(), Problem> {
        let plain = zone == "UTC"
            || (zone.contains('/')
                && zone.len() <= 64
                && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b)));
        let known = plain
            && system!(self.store, tx => Ok(tx.query_one("select now() at time zone $1::text is not null", &[&zone]).await.is_ok()))?;
        match known {
            true => Ok(()),
            false => Err(Error::refused_at("time_zone", "There is no such time zone.").into()),
        }
    }
}

pub(crate) fn check_name(field: &str, name: Option<&str>) -> kernel::Result<()> {
    let name = name.unwrap_or_default();
    if name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::refused_at(field, "A name has at most 100 characters, on one line."));
    }
    Ok(())
}

pub(crate) fn check_language(field: &str, language: &str) -> kernel::Result<()> {
    let plain = matches!(language.len(), 2 | 5)
        && language.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
        && language.as_bytes()[..2].iter().all(u8::is_ascii_lowercase);
    if plain { Ok(()) } else { Err(Error::refused_at(field, "A language is two letters, such as en or ru.")) }
}
