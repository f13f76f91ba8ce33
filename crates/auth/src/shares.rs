use crate::{Auth, Problem, Result, Session, Visit, code, unlock};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use kernel::{Actor, Entity, Error, sql, system, within};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::Duration;
use uuid::Uuid;

/// A link that shows a view to whoever has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    pub view_id: Uuid,
    pub expires_at: Option<Timestamp>,
    pub password: Option<String>,
}

/// What a link leads to: a view, and the member as whom it is looked at.
#[derive(Clone, Debug)]
pub struct Shared {
    pub actor: Actor,
    pub entity: String,
    pub name: String,
    pub kind: String,
    pub state: Value,
    pub expires_at: Option<String>,
    /// Of the company, for money that does not say its own.
    pub currency: String,
}

/// A link as it is kept.
struct Link {
    organization: Uuid,
    view: Uuid,
    user: Uuid,
    password: Option<String>,
    expires_at: Option<String>,
    currency: String,
}

/// How long one looks before the link is opened anew.
const LOOK: Duration = Duration::from_secs(60 * 60);
/// Live links of one view, and of one person.
const MOST: i64 = 50;

impl Auth {
    /// The links of a view that are in force, without the secrets: one's own, to administrators everybody's.
    pub async fn shares(&self, session: &Session, view: Uuid) -> Result<Vec<Value>> {
        session.person()?;
        let access = if session.actor()?.access.is_admin() { &self.all } else { &self.own };
        let actor = self.with(access, session.actor()?);
        let rows = within!(self.store, &actor, tx => {
            let sql = sql!(
                "select jsonb_build_object('id', id, 'view_id', view_id, 'user_id', user_id, 'mine', user_id = $3, 'created_at', created_at,
                    'expires_at', expires_at, 'has_password', password_hash is not null)
                 from social.shares where organization_id = $1 and view_id = $2 and deleted_at is null
                    and (expires_at is null or expires_at > now()) order by created_at, id"
            );
            Ok(tx.query(sql, &[&actor.organization, &view, &actor.user]).await?)
        })?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    /// Shows what the person who makes it may see, whatever that will be at the time. So it is of one's own view, which
    /// nobody else makes to show more.
    pub async fn create_share(&self, session: &Session, new: &NewShare) -> Result<Value> {
        session.person()?;
        let actor = session.actor()?;
        if actor.access.limits.is_some() {
            return Err(
                Error::Forbidden("The company is suspended: its data can only be read.".into()).into()
            );
        }
        let view = self.view(actor, new.view_id).await?.ok_or(Error::NotFound)?;
        let entity = actor.catalog.entity(&view.entity)?;
        if !may_share(actor, entity) {
            return Err(Error::Forbidden("Whoever may not export this may not share it.".into()).into());
        }
        if !view.mine {
            let said = "A link shows one's own views only: save this one as your own first.";
            return Err(Error::refused_at("view_id", said).into());
        }
        if !view.is_safe {
            let said = "Lock the view first: otherwise whoever changes it would change what the link shows.";
            return Err(Error::refused_at("view_id", said).into());
        }
        if new.expires_at.is_some_and(|at| at <= Timestamp::now()) {
            return Err(Error::refused_at("expires_at", "This is in the past.").into());
        }
        let password = new.password.as_deref().filter(|p| !p.is_empty());
        if password.is_some_and(|p| !(8..=128).contains(&p.chars().count())) {
            return Err(
                Error::refused_at("password", "The password of a link has 8 to 128 characters.").into()
            );
        }
        let hash = match password {
            Some(password) => Some(self.hasher.hash(password).await?),
            None => None,
        };
        let token = code::share_token(actor.organization);
        let expires_at = new.expires_at.map(|at| at.to_string());
        let actor = self.with(&self.own, actor);
        let made = within!(self.store, &actor, tx => {
            unlock(&tx).await?;
            let count = sql!(
                "select count(*) from social.shares where organization_id = $1 and view_id = $2 and deleted_at is null
                    and (expires_at is null or expires_at > now())"
            );
            let many: i64 = tx.query_one(count, &[&actor.organization, &new.view_id]).await?.get(0);
            if many >= MOST {
                return Err(Error::refused_at("view_id", "This view has too many links: take some back first."));
            }
            let sql = sql!(
                "insert into social.shares (view_id, user_id, token_hash, password_hash, expires_at)
                 values ($1, $2, $3, $4, $5::text::timestamptz) returning id"
            );
            Ok(tx.query_one(sql, &[&new.view_id, &actor.user, &&code::hash(&token)[..], &hash, &expires_at]).await?)
        })?;
        let url = format!("{}/s/{token}", self.config.base_url);
        Ok(json!({
            "id": made.get::<_, Uuid>(0), "view_id": new.view_id, "url": url, "token": token,
            "expires_at": new.expires_at, "has_password": hash.is_some(), "mine": true,
        }))
    }

    pub async fn delete_share(&self, session: &Session, id: Uuid) -> Result<()> {
        session.person()?;
        let access = if session.actor()?.access.is_admin() { &self.all } else { &self.own };
        let actor = self.with(access, session.actor()?);
        let gone = within!(self.store, &actor, tx => {
            unlock(&tx).await?;
            let sql = sql!("update social.shares set deleted_at = now() where organization_id = $1 and id = $2 and deleted_at is null");
            Ok(tx.execute(sql, &[&actor.organization, &id]).await?)
        })?;
        if gone == 0 { Err(Error::NotFound.into()) } else { Ok(()) }
    }

    /// Opens a link for somebody who is nobody here. Answers what it shows, and a key to go on reading with.
    ///
    /// # Errors
    /// Not found, whatever is the matter with it; unauthorized, when the link is right and the password is not.
    pub async fn open_share(
        &self,
        token: &str,
        password: Option<&str>,
        visit: &Visit,
    ) -> Result<(Shared, String)> {
        let peer = visit.key("share");
        self.limits.take(&peer)?;
        let link = self.kept_link(token).await?.ok_or(Error::NotFound)?;
        let shared = self.shown(&link, visit.request).await?;
        if let Some(hash) = &link.password {
            let Some(password) = password.filter(|p| !p.is_empty()) else {
                self.limits.give_back(&peer);
                return Err(Problem::Unauthorized("Enter the password of this link.".into()));
            };
            let account = format!("share {}", BASE64URL_NOPAD.encode(&code::hash(token)));
            self.limits.take(&account)?;
            if !self.hasher.verify(password, Some(hash.clone())).await? {
                return Err(Problem::Unauthorized("The password is wrong.".into()));
            }
            self.limits.forget(&account);
        }
        self.limits.give_back(&peer);
        let until = Timestamp::now().as_second() + i64::try_from(LOOK.as_secs()).unwrap_or_default();
        Ok((shared, self.share_key(token, &link, until)))
    }

    /// What the link shows, to somebody who has opened it a while ago.
    pub async fn share(&self, token: &str, key: &str, request: Uuid) -> Result<Shared> {
        let link = self.kept_link(token).await?.ok_or(Error::NotFound)?;
        let over = || Problem::Unauthorized("Open the link again.".into());
        let (until, proof) = key.split_once('.').ok_or_else(over)?;
        let until: i64 = until.parse().map_err(|_| over())?;
        let proof = BASE64URL_NOPAD.decode(proof.as_bytes()).map_err(|_| over())?;
        // Compared in constant time.
        let proven = self.share_mac(token, &link, until).verify_slice(&proof).is_ok();
        if until <= Timestamp::now().as_second() || !proven {
            return Err(over());
        }
        Ok(self.shown(&link, request).await?)
    }

    /// Proves until when that somebody knew the password, which may have changed since.
    fn share_key(&self, token: &str, link: &Link, until: i64) -> String {
        let proof = self.share_mac(token, link, until).finalize().into_bytes();
        format!("{until}.{}", BASE64URL_NOPAD.encode(&proof))
    }

    fn share_mac(&self, token: &str, link: &Link, until: i64) -> Hmac<Sha256> {
        let key = self.store.secrets().derive("share keys");
        let mut mac = match <Hmac<Sha256> as Mac>::new_from_slice(&key) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        mac.update(&code::hash(token));
        mac.update(link.password.as_deref().unwrap_or_default().as_bytes());
        mac.update(&until.to_be_bytes());
        mac
    }

    async fn kept_link(&self, token: &str) -> kernel::Result<Option<Link>> {
        let Some(organization) = code::shared_by(token) else { return Ok(None) };
        let hash = code::hash(token);
        system!(self.store, tx => {
            let sql = sql!(
                "select s.view_id, s.user_id, s.password_hash, to_json(s.expires_at) #>> '{}', o.currency
                 from social.shares s join tenancy.organizations o on o.id = s.organization_id
                 where s.organization_id = $1 and s.token_hash = $2 and s.deleted_at is null and (s.expires_at is null or s.expires_at > now())"
            );
            let row = tx.query_opt(sql, &[&organization, &&hash[..]]).await?;
            Ok(row.map(|r| Link { organization, view: r.get(0), user: r.get(1), password: r.get(2), expires_at: r.get(3), currency: r.get(4) }))
        })
    }

    /// What the member who shared may see of it now. Nothing, when he is gone, has lost the right, or the view is no
    /// longer his alone to change: a link that shows nothing is like one that nobody made.
    async fn shown(&self, link: &Link, request: Uuid) -> kernel::Result<Shared> {
        let actor = match self.actor_of(link.organization, link.user, request).await {
            Err(Error::Forbidden(_)) => return Err(Error::NotFound),
            actor => actor?,
        };
        let view = self.view(&actor, link.view).await?;
        let view = view.filter(|v| v.mine && v.is_safe).ok_or(Error::NotFound)?;
        let entity = actor.catalog.entity(&view.entity).map_err(|_| Error::NotFound)?;
        if !may_share(&actor, entity) {
            return Err(Error::NotFound);
        }
        let View { entity, name, kind, state, .. } = view;
        let (expires_at, currency) = (link.expires_at.clone(), link.currency.clone());
        Ok(Shared { actor, entity, name, kind, state, expires_at, currency })
    }

    async fn view(&self, actor: &Actor, id: Uuid) -> kernel::Result<Option<View>> {
        let sql = sql!(
            "select entity, name, kind, state, created_by is not distinct from app.actor(), visibility = 'private' or locked
             from social.saved_views where organization_id = $1 and id = $2 and deleted_at is null"
        );
        let rows = self.store.batch(actor, &[(sql, &[&actor.organization, &id])]).await?;
        Ok(rows.first().and_then(|rows| rows.first()).map(|r| View {
            entity: r.get(0),
            name: r.get(1),
            kind: r.get(2),
            state: r.get(3),
            mine: r.get(4),
            is_safe: r.get(5),
        }))
    }
}

struct View {
    entity: String,
    name: String,
    kind: String,
    state: Value,
    mine: bool,
    /// Changed by its owner and administrators alone.
    is_safe: bool,
}

/// Whoever may hand out all that he reads.
fn may_share(actor: &Actor, entity: &Entity) -> bool {
    let scope = |action| actor.access.scope(entity, action);
    actor.access.may(entity, "read") && scope("export") >= scope("read")
}
