use crate::{Auth, Result, Session, code, network::Network, roles, unlock};
use jiff::Timestamp;
use kernel::{Error, sql, within};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// A key for a program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    pub name: String,
    /// `sales.orders:read`; either side may be `*`.
    pub scopes: Vec<String>,
    pub expires_at: Option<Timestamp>,
    /// Addresses and networks from which it works; none: from anywhere.
    #[serde(default)]
    pub allowed_ips: Vec<String>,
}

impl Auth {
    /// One's own keys in this company, without the keys.
    pub async fn tokens(&self, session: &Session) -> Result<Vec<Value>> {
        session.person()?;
        let actor = self.with(&self.own, session.actor()?);
        let rows = within!(self.store, &actor, tx => {
            let sql = sql!(
                "select jsonb_build_object('id', id, 'name', name, 'prefix', prefix, 'scopes', scopes, 'allowed_ips', allowed_ips, 'created_at', created_at,
                    'expires_at', expires_at, 'last_used_at', last_used_at)
                 from iam.api_tokens where organization_id = $1 and user_id = $2 and deleted_at is null order by created_at, id"
            );
            Ok(tx.query(sql, &[&actor.organization, &actor.user]).await?)
        })?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    /// May do what its scopes say and its owner may, whatever that will be at the time.
    pub async fn create_token(&self, session: &Session, new: &NewToken) -> Result<Value> {
        session.person()?;
        let actor = session.actor()?;
        if actor.access.limits.is_some() {
            return Err(
                Error::Forbidden("The company is suspended: its data can only be read.".into()).into()
            );
        }
        if new.scopes.is_empty() || new.scopes.len() > 200 {
            return Err(Error::refused_at("scopes", "Say what the key is for.").into());
        }
        for scope in &new.scopes {
            self.check_scope(session, scope)?;
        }
        if new.expires_at.is_some_and(|at| at <= Timestamp::now()) {
            return Err(Error::refused_at("expires_at", "This is in the past.").into());
        }
        if new.allowed_ips.len() > 50 || new.allowed_ips.iter().any(|ip| ip.parse::<Network>().is_err()) {
            let said = "Write addresses or networks, 50 at most: 192.0.2.7, 10.0.0.0/8.";
            return Err(Error::refused_at("allowed_ips", said).into());
        }
        let token = code::api_token(actor.organization);
        let prefix: String = token.chars().take(12).collect();
        let expires_at = new.expires_at.map(|at| at.to_string());
        let actor = self.with(&self.own, actor);
        let made = within!(self.store, &actor, tx => {
            unlock(&tx).await?;
            let sql = sql!(
                "insert into iam.api_tokens (user_id, name, prefix, token_hash, scopes, expires_at, allowed_ips)
                 values ($1, $2, $3, $4, $5, $6::text::timestamptz, $7) returning id"
            );
            Ok(tx.query_one(sql, &[&actor.user, &new.name, &prefix, &&code::hash(&token)[..], &new.scopes, &expires_at, &new.allowed_ips]).await?)
        })?;
        Ok(
            json!({"id": made.get::<_, Uuid>(0), "name": new.name, "prefix": prefix, "scopes": new.scopes, "allowed_ips": new.allowed_ips, "expires_at": new.expires_at, "token": token}),
        )
    }

    pub async fn delete_token(&self, session: &Session, id: Uuid) -> Result<()> {
        session.person()?;
        let actor = self.with(&self.own, session.actor()?);
        let gone = within!(self.store, &actor, tx => {
            unlock(&tx).await?;
            let sql = sql!("update iam.api_tokens set deleted_at = now() where organization_id = $1 and id = $2 and user_id = $3 and deleted_at is null");
            Ok(tx.execute(sql, &[&actor.organization, &id, &actor.user]).await?)
        })?;
        self.forget_user(actor.user);
        if gone == 0 { Err(Error::NotFound.into()) } else { Ok(()) }
    }

    fn check_scope(&self, session: &Session, scope: &str) -> kernel::Result<()> {
        let wrong = || {
            Error::refused_at(
                "scopes",
                format!("{scope} is no scope: write entity:action, for example sales.orders:read."),
            )
        };
        let (name, action) = scope.split_once(':').ok_or_else(wrong)?;
        let catalog = &session.actor()?.catalog;
        if name == "*" {
            let plain = !action.is_empty()
                && action.len() <= 50
                && action.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            return if action == "*" || plain { Ok(()) } else { Err(wrong()) };
        }
        let entity = catalog.entities.get(name).filter(|e| e.part_of.is_none()).ok_or_else(wrong)?;
        if action == "*" {
            return Ok(());
        }
        if !roles::is_action(catalog, self.store.modules(), entity, action) {
            return Err(wrong());
        }
        // A key that can do nothing would only puzzle.
        match session.actor()?.access.may(entity, action) {
            true => Ok(()),
            false => Err(Error::Forbidden(format!("You may not do this yourself: {scope}."))),
        }
    }
}
