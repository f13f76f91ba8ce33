use crate::{
    Auth, Result, Session, Visit, code, is_bin, on_behalf,
    people::check_language,
    roles::{self, OWNER},
};
use kernel::{Error, System, sql, system};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_postgres::{Row, error::SqlState};
use uuid::Uuid;

#[derive(Clone, Debug, Serialize)]
pub struct Organization {
    pub id: Uuid,
    pub name: String,
    pub slug: String,
    pub status: String,
    pub plan: String,
    pub country: String,
    pub currency: String,
    pub time_zone: String,
    pub language: String,
    pub modules: Vec<String>,
}

/// What [`Organization::of`] reads, of `tenancy.organizations o`.
macro_rules! organization_columns {
    () => {
        "o.id as organization_id, o.name, o.slug, o.status, o.plan, o.country, o.currency, o.time_zone, o.language, o.modules"
    };
}
pub(crate) use organization_columns;

impl Organization {
    pub(crate) fn of(row: &Row) -> Organization {
        Organization {
            id: row.get("organization_id"),
            name: row.get("name"),
            slug: row.get("slug"),
            status: row.get("status"),
            plan: row.get("plan"),
            country: row.get("country"),
            currency: row.get("currency"),
            time_zone: row.get("time_zone"),
            language: row.get("language"),
            modules: row.get("modules"),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    pub name: String,
    pub country: String,
    pub currency: String,
    pub time_zone: String,
    pub language: Option<String>,
    pub bin: Option<String>,
    /// None or empty: all.
    pub modules: Option<Vec<String>>,
}

impl Auth {
    /// A company with its main workspace, its roles and `user` as its owner. The demo calls it too.
    pub async fn create_organization(
        &self,
        user: Uuid,
        new: &NewOrganization,
        request: Uuid,
    ) -> Result<Organization> {
        self.limits.take(&format!("organization {user}"))?;
        self.check_time_zone(&new.time_zone).await?;
        let language = new.language.as_deref().unwrap_or("en");
        check_language("language", language)?;
        let bin = new.bin.as_deref().map(str::trim).filter(|b| !b.is_empty());
        check_country(&new.country, bin)?;
        let modules = new.modules.clone().unwrap_or_default();
        self.check_modules(&modules)?;
        let id = Uuid::now_v7();
        let key = self
            .store
            .secrets()
            .seal(&format!("tenancy.organizations data_key {id}"), &code::random::<32>())?;
        let slug = slug(&new.name);
        let made = system!(self.store, tx => {
            check_currency(&tx, &new.currency).await?;
            on_behalf(&tx, id, user, request).await?;
            let mut made = None;
            for slug in [slug.clone(), format!("{slug}-{}", code::short().to_lowercase())] {
                let sql = sql!(concat!(
                    "insert into tenancy.organizations as o (id, name, slug, country, currency, time_zone, language, bin, modules, data_key)
                     values ($1, trim($2::text), $3, $4, $5, $6, $7, $8, $9, $10) on conflict (slug) do nothing returning ",
                    organization_columns!()
                ));
                made = tx
                    .query_opt(sql, &[&id, &new.name, &slug, &new.country, &new.currency, &new.time_zone, &language, &bin, &modules, &key])
                    .await
                    .map_err(explain)?;
                if made.is_some() {
                    break;
                }
            }
            let made = made.as_ref().map(Organization::of).ok_or_else(|| Error::Conflict("Try again.".into()))?;
            let sql = sql!(
                "insert into iam.memberships (organization_id, id, email, first_name, last_name)
                 select $1, u.id, u.email, u.first_name, u.last_name from iam.users u where u.id = $2 and u.status = 'active'"
            );
            if tx.execute(sql, &[&id, &user]).await? == 0 {
                return Err(Error::NotFound);
            }
            let sql = sql!("insert into tenancy.workspaces (organization_id, name, kind) values ($1, 'main', 'main')");
            tx.execute(sql, &[&id]).await?;
            self.make_roles(&tx, Some(id)).await?;
            roles::assign(&tx, id, user, &[OWNER.to_owned()]).await?;
            let sql = sql!("update iam.users set registration_status = 'completed' where id = $1 and registration_status = 'onboarding_pending'");
            tx.execute(sql, &[&user]).await?;
            log(&tx, id, user, request, "insert", None, Some(serde_json::to_value(&made)?)).await?;
            Ok(made)
        })?;
        self.forget_user(user);
        Ok(made)
    }

    /// Enters another company. `token` is what the session was called with; a browser's is exchanged for a new one, and
    /// the old one is worth nothing any more (SAFETY N07). A program's own, which no other site can plant, stays.
    pub async fn activate_organization(
        &self,
        session: &Session,
        organization: Uuid,
        token: &str,
        exchange: bool,
        visit: &Visit,
    ) -> Result<(Organization, String)> {
        session.person()?;
        let token = if exchange { code::token() } else { token.to_owned() };
        let made = system!(self.store, tx => {
            let sql = sql!(concat!(
                "select ",
                organization_columns!(),
                " from tenancy.organizations o join iam.memberships m on m.organization_id = $1 and m.id = $2
                  where o.id = $1 and o.status <> 'inactive' and m.status = 'active' and m.deleted_at is null"
            ));
            let row = tx.query_opt(sql, &[&organization, &session.user.id]).await?.ok_or(Error::NotFound)?;
            let sql = sql!(
                "update iam.sessions set active_organization_id = $2, token_hash = $3, last_seen_at = now(), view_role_id = null, view_workspace_id = null
                 where id = $1 and ended_at is null"
            );
            if tx.execute(sql, &[&session.id, &organization, &&code::hash(&token)[..]]).await? == 0 {
                return Err(Error::NotFound);
            }
            crate::sign_in::log_visit(&tx, organization, session.user.id, "sign_in", visit).await?;
            Ok(Organization::of(&row))
        })?;
        self.forget_user(session.user.id);
        Ok((made, token))
    }

    /// The company's own row.
    pub async fn organization(&self, session: &Session) -> Result<Value> {
        Ok(self.company(session.organization()?.id).await?)
    }

    /// As [`Auth::organization`], for the program.
    ///
    /// # Errors
    /// As the database says.
    pub async fn company(&self, id: Uuid) -> kernel::Result<Value> {
        let row = system!(self.store, tx => {
            let sql = sql!(
                "select to_jsonb(o) - '{data_key,stripe_customer_id,stripe_subscription_id,meta_version}'::text[] || jsonb_build_object('annual_revenue', o.annual_revenue::text)
                 from tenancy.organizations o where o.id = $1"
            );
            Ok(tx.query_one(sql, &[&id]).await?)
        })?;
        Ok(row.get(0))
    }

    /// The currency of the books is chosen once; plan and status are the operator's.
    pub async fn update_organization(&self, session: &Session, change: &Map<String, Value>) -> Result<Value> {
        let actor = session.admin()?;
        let id = actor.organization;
        for (field, value) in change {
            check_field(field, value)?;
        }
        let text = |name: &str| change.get(name).and_then(Value::as_str);
        if let Some(zone) = text("time_zone") {
            self.check_time_zone(zone).await?;
        }
        if let Some(language) = text("language") {
            check_language("language", language)?;
        }
        let modules = change.get("modules").and_then(Value::as_array);
        self.check_modules(
            &modules.into_iter().flatten().filter_map(|m| m.as_str().map(str::to_owned)).collect::<Vec<_>>(),
        )?;
        system!(self.store, tx => {
            let row = tx.query_one(sql!("select to_jsonb(o) - 'data_key' from tenancy.organizations o where o.id = $1 for update"), &[&id]).await?;
            let old: Value = row.get(0);
            let now = |name: &str| change.get(name).unwrap_or(&old[name]).as_str();
            if change.contains_key("bin") || change.contains_key("country") {
                check_country(now("country").unwrap_or_default(), now("bin"))?;
            }
            let changed: Map<String, Value> = change.iter().filter(|(k, v)| old[k.as_str()] != **v).map(|(k, v)| (k.clone(), v.clone())).collect();
            if changed.is_empty() {
                return Ok(());
            }
            let before: Map<String, Value> = changed.keys().map(|k| (k.clone(), old[k.as_str()].clone())).collect();
            let sql = sql!(
                "update tenancy.organizations o set (name, country, time_zone, language, fiscal_year_start, bin, domain, industry, employee_count,
                    annual_revenue, address, phone, email, website, bank_details, accent_hue, logo_file_id, modules)
                 = (select r.name, r.country, r.time_zone, r.language, r.fiscal_year_start, r.bin, r.domain, r.industry, r.employee_count,
                    r.annual_revenue, r.address, r.phone, r.email, r.website, r.bank_details, r.accent_hue, r.logo_file_id, r.modules
                    from jsonb_populate_record(o, $2) r), meta_version = meta_version + 1, updated_at = now()
                 where o.id = $1"
            );
            tx.execute(sql, &[&id, &Value::Object(changed.clone())]).await.map_err(explain)?;
            log(&tx, id, actor.user, actor.request, "update", Some(before.into()), Some(changed.into())).await
        })?;
        self.forget_organization(id);
        self.organization(session).await
    }

    /// For the operator: a suspended company may look at its data, an inactive one not even that.
    pub async fn set_organization_status(&self, organization: Uuid, status: &str) -> Result<()> {
        let found = system!(self.store, tx => {
            let sql = sql!("update tenancy.organizations set status = $2, updated_at = now() where id = $1");
            Ok(tx.execute(sql, &[&organization, &status]).await?)
        })?;
        self.forget_organization(organization);
        if found == 0 { Err(Error::NotFound.into()) } else { Ok(()) }
    }

    fn check_modules(&self, modules: &[String]) -> kernel::Result<()> {
        match modules.iter().find(|m| self.store.catalog().module(m).is_none()) {
            Some(unknown) => Err(Error::refused_at("modules", format!("There is no module {unknown}."))),
            None => Ok(()),
        }
    }
}

/// The companies that a person is in.
pub(crate) async fn names(tx: &System, user: Uuid) -> kernel::Result<Vec<Value>> {
    let sql = sql!(
        "select jsonb_build_object('id', o.id, 'name', o.name) from iam.memberships m
         join tenancy.organizations o on o.id = m.organization_id
         where m.id = $1 and m.status = 'active' and m.deleted_at is null and o.status <> 'inactive' order by o.name, o.id"
    );
    Ok(tx.query(sql, &[&user]).await?.iter().map(|r| r.get(0)).collect())
}

async fn check_currency(tx: &System, currency: &str) -> kernel::Result<()> {
    match tx.query_opt(sql!("select code from app.currencies where code = $1"), &[&currency]).await? {
        Some(_) => Ok(()),
        None => Err(Error::refused_at("currency", "There is no such currency.")),
    }
}

fn check_country(country: &str, bin: Option<&str>) -> kernel::Result<()> {
    if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Error::refused_at("country", "A country is two capital letters, such as KZ or US."));
    }
    match bin {
        Some(bin) if country == "KZ" && !is_bin(bin) => Err(Error::refused_at(
            "bin",
            "A BIN has twelve digits, and the last one checks the others: this one is mistyped.",
        )),
        _ => Ok(()),
    }
}

async fn log(
    tx: &System,
    id: Uuid,
    user: Uuid,
    request: Uuid,
    action: &str,
    old: Option<Value>,
    new: Option<Value>,
) -> kernel::Result<()> {
    let sql = sql!("select iam.log_event($1, 'tenancy.organizations', $1, $2, $3, $4, $5, $6)");
    tx.query_one(sql, &[&id, &action, &user, &request, &old, &new]).await?;
    Ok(())
}

/// Whether a field of the company may be written, and with such a value.
fn check_field(field: &str, value: &Value) -> kernel::Result<()> {
    let text = |least: usize, most: usize| {
        value.as_str().is_some_and(|t| (least..=most).contains(&t.trim().chars().count()))
    };
    let whole = |least: i64, most: i64| value.as_i64().is_some_and(|n| (least..=most).contains(&n));
    let sound = match field {
        "name" => text(1, 200),
        "country" | "time_zone" | "language" => text(1, 64),
        "fiscal_year_start" => whole(1, 12),
        "modules" => value.as_array().is_some_and(|a| a.iter().all(Value::is_string)),
        "bin" | "domain" | "industry" | "phone" | "email" => value.is_null() || text(1, 254),
        "address" | "website" | "bank_details" => value.is_null() || text(1, 2000),
        "employee_count" => value.is_null() || whole(0, 100_000_000),
        "accent_hue" => value.is_null() || whole(0, 360),
        "logo_file_id" => value.is_null() || value.as_str().is_some_and(|t| Uuid::parse_str(t).is_ok()),
        "annual_revenue" => value.is_null() || value.as_str().is_some_and(is_amount),
        _ => return Err(Error::malformed_at(field, "This cannot be changed here.")),
    };
    if sound { Ok(()) } else { Err(Error::refused_at(field, "This value is not allowed.")) }
}

fn is_amount(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |t: &str, most: usize| (1..=most).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    digits(whole, 14) && digits(part, 6)
}

fn explain(e: tokio_postgres::Error) -> Error {
    let db = e.as_db_error();
    let broken =
        |code: SqlState, name: &str| db.is_some_and(|d| *d.code() == code && d.constraint() == Some(name));
    if broken(SqlState::UNIQUE_VIOLATION, "organizations_bin") {
        return Error::refused_at("bin", "A company with this number is here already.");
    }
    if broken(SqlState::UNIQUE_VIOLATION, "organizations_domain_key") {
        return Error::refused_at("domain", "Another company has this domain.");
    }
    if broken(SqlState::CHECK_VIOLATION, "organization_has_a_name") {
        return Error::refused_at("name", "A company needs a name of at most 200 characters.");
    }
    if broken(SqlState::CHECK_VIOLATION, "bin_is_twelve_digits") {
        return Error::refused_at("bin", "A BIN has twelve digits.");
    }
    e.into()
}

/// A name as it can stand in an address.
fn slug(name: &str) -> String {
    let words: String = name
        .chars()
        .take(100)
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    let mut slug = words.split_whitespace().collect::<Vec<_>>().join("-");
    slug.truncate(50);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "company".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_addresses() {
        assert_eq!(slug("Acme Corporation, Inc."), "acme-corporation-inc");
        assert_eq!(slug("ТОО «Прометрик»"), "company");
        assert_eq!(slug(&"ab ".repeat(60)).len(), 50);
    }

    #[test]
    fn only_the_company_s_own_fields_are_written() {
        let check = |field: &str, value: Value| check_field(field, &value).is_ok();
        assert!(check("name", "Acme".into()) && !check("name", "  ".into()) && !check("name", Value::Null));
        assert!(check("annual_revenue", "1000.50".into()) && !check("annual_revenue", "1e9".into()));
        assert!(
            check("bin", Value::Null) && check("accent_hue", 360.into()) && !check("accent_hue", 361.into())
        );
        for field in
            ["id", "plan", "status", "slug", "currency", "data_key", "stripe_customer_id", "meta_version"]
        {
            assert!(!check(field, "enterprise".into()), "{field}");
        }
    }
}
