use crate::{
    Auth, Problem, Result,
    code::{self, Hash, Token},
    network::Network,
    organizations::Organization,
    people::User,
    roles::Assigned,
    viewing::Viewing,
};
use jiff::tz::TimeZone;
use kernel::{Access, Actor, Catalog, Error, Overlay, System, sql, system};
use serde_json::Value;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Somebody who proved who he is, and where he is.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: Uuid,
    pub user: Arc<User>,
    /// None before somebody has entered a company.
    pub organization: Option<Arc<Organization>>,
    pub workspace: Option<Uuid>,
    /// The key that a program came with, which may do less than the person.
    pub token: Option<Uuid>,
    /// Where that key works; `None`: anywhere.
    networks: Option<Arc<[Network]>>,
    pub actor: Option<Actor>,
    /// The role that the company is looked at as; see [`Auth::view_as`].
    pub viewing: Option<Arc<Viewing>>,
}

impl Session {
    /// The person inside the active organization.
    pub fn actor(&self) -> kernel::Result<&Actor> {
        self.actor.as_ref().ok_or_else(|| Error::Forbidden("Choose a company first.".into()))
    }

    pub fn organization(&self) -> kernel::Result<&Arc<Organization>> {
        self.organization.as_ref().ok_or_else(|| Error::Forbidden("Choose a company first.".into()))
    }

    /// Who manages members and roles.
    pub fn admin(&self) -> kernel::Result<&Actor> {
        let actor = self.actor()?;
        match actor.access.is_admin() {
            true => Ok(actor),
            false => Err(Error::Forbidden("Only owners and administrators may do this.".into())),
        }
    }

    /// Whether it may be used from this address.
    pub fn admits(&self, ip: Option<IpAddr>) -> bool {
        let Some(networks) = &self.networks else { return true };
        ip.is_some_and(|ip| networks.iter().any(|network| network.holds(ip)))
    }

    /// A person and no program: a key opens no second door to the account.
    pub fn person(&self) -> kernel::Result<()> {
        match self.token {
            None => Ok(()),
            Some(_) => Err(Error::Forbidden("A key cannot do this. Sign in.".into())),
        }
    }
}

/// How long a change that another server made may go unnoticed; our own are noticed at once.
const FRESH: Duration = Duration::from_secs(1);
const MANY: usize = 10_000;

#[derive(Default)]
pub(crate) struct Cache(Mutex<Sessions>);

#[derive(Default)]
struct Sessions {
    /// Counts what was forgotten: a session that was read before and arrives after is not kept.
    forgotten: u64,
    known: HashMap<Hash, (Instant, Session)>,
}

impl Cache {
    fn held(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, hash: &Hash) -> (Option<Session>, u64) {
        let held = self.held();
        let fresh = held.known.get(hash).filter(|(at, _)| at.elapsed() < FRESH);
        (fresh.map(|(_, session)| session.clone()), held.forgotten)
    }

    fn put(&self, hash: Hash, session: Session, forgotten: u64) {
        let mut held = self.held();
        if held.forgotten != forgotten {
            return;
        }
        if held.known.len() >= MANY {
            held.known.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        held.known.insert(hash, (Instant::now(), session));
    }

    fn forget(&self, which: impl Fn(&Session) -> bool) {
        let mut held = self.held();
        held.forgotten += 1;
        held.known.retain(|_, (_, session)| !which(session));
    }
}

/// Whom a token belongs to.
struct Found {
    id: Uuid,
    user: User,
    organization: Option<Uuid>,
    /// Of an API token.
    scopes: Option<Vec<String>>,
    networks: Option<Arc<[Network]>>,
    /// The role that the session looks as, and where.
    viewing: Option<(Uuid, Option<Uuid>)>,
}

/// A person in a company.
pub(crate) struct Member {
    pub(crate) organization: Organization,
    pub(crate) access: Access,
    pub(crate) overlay: Arc<Overlay>,
    pub(crate) catalog: Arc<Catalog>,
    workspace: Option<Uuid>,
}

impl Auth {
    /// Who sends this token: a session's, or an API token.
    pub async fn session(&self, token: &str, request: Uuid) -> Result<Session> {
        let hash = code::hash(token);
        let (known, forgotten) = self.cache.get(&hash);
        let mut session = match known {
            Some(session) => session,
            None => {
                let read = self.read_session(token, &hash).await?.ok_or_else(signed_out)?;
                self.cache.put(hash, read.clone(), forgotten);
                read
            }
        };
        if let Some(actor) = &mut session.actor {
            actor.request = request;
        }
        Ok(session)
    }

    async fn read_session(&self, token: &str, hash: &Hash) -> kernel::Result<Option<Session>> {
        let Some(kind) = code::read(token) else { return Ok(None) };
        system!(self.store, tx => {
            let found = match kind {
                Token::Session => self.find_session(&tx, hash).await?,
                Token::Api(organization) => find_token(&tx, organization, hash).await?,
            };
            let Some(Found { id, user, organization, scopes, networks, viewing }) = found else { return Ok(None) };
            let is_token = scopes.is_some();
            let mut session =
                Session { id, user: Arc::new(user), organization: None, workspace: None, token: is_token.then_some(id), networks, actor: None, viewing: None };
            let Some(organization) = organization else { return Ok(Some(session)) };
            let user = session.user.id;
            let Some(mut member) = self.read_member(&tx, organization, user).await? else { return Ok(None) };
            let limits = match member.organization.status.as_str() {
                "active" => scopes,
                "suspended" => Some(read_only(scopes)),
                _ if is_token => return Ok(None),
                _ => return Ok(Some(session)),
            };
            session.workspace = member.workspace;
            if let Some((role, workspace)) = viewing {
                let viewing = self.look_as(&tx, &mut member, role, workspace).await?;
                // Who runs the server is no role of a company.
                Arc::make_mut(&mut session.user).is_operator = false;
                session.workspace = workspace.or(session.workspace);
                session.viewing = Some(Arc::new(viewing));
            }
            let actor = Self::actor(&member, user, limits);
            session.actor = Some(Actor { only_looks: viewing.is_some(), ..actor });
            session.organization = Some(Arc::new(member.organization));
            Ok(Some(session))
        })
    }

    /// The member as he may act now, for work done later in his name.
    ///
    /// # Errors
    /// Forbidden, when he is no active member of an active organization any more.
    pub async fn actor_of(&self, organization: Uuid, user: Uuid, request: Uuid) -> kernel::Result<Actor> {
        system!(self.store, tx => {
            let gone = || kernel::Error::Forbidden("Who asked for this is no active member any more.".into());
            let active = tx.query_opt(sql!("select from iam.users where id = $1 and status = 'active'"), &[&user]).await?;
            active.ok_or_else(gone)?;
            let member = self.read_member(&tx, organization, user).await?.ok_or_else(gone)?;
            if member.organization.status != "active" {
                return Err(gone());
            }
            Ok(Actor { request, ..Self::actor(&member, user, None) })
        })
    }

    fn actor(member: &Member, user: Uuid, limits: Option<Vec<String>>) -> Actor {
        let mut access = member.access.clone();
        access.limits = limits;
        access.seal(&member.catalog);
        Actor {
            organization: member.organization.id,
            user,
            request: Uuid::nil(),
            access: Arc::new(access),
            overlay: member.overlay.clone(),
            catalog: member.catalog.clone(),
            zone: TimeZone::get(&member.organization.time_zone).unwrap_or(TimeZone::UTC),
            only_looks: false,
        }
    }

    async fn find_session(&self, tx: &System, hash: &Hash) -> kernel::Result<Option<Found>> {
        let (hash, idle) = (&hash[..], self.config.session_idle.as_secs_f64());
        let found = tx
            .query_typed(
                sql!(concat!(
                    "select s.id, s.active_organization_id, s.view_role_id, s.view_workspace_id,
                        s.expires_at <= now() or s.last_seen_at <= now() - make_interval(secs => $2) as is_over,
                        s.last_seen_at < now() - interval '1 minute' as is_old, ",
                    crate::people::user_columns!(),
                    " from iam.sessions s join iam.users u on u.id = s.user_id
                     where s.token_hash = $1 and s.ended_at is null and u.status = 'active'"
                )),
                &[(&hash, Type::BYTEA), (&idle, Type::FLOAT8)],
            )
            .await?;
        let Some(row) = found.first() else { return Ok(None) };
        let id: Uuid = row.get("id");
        if row.get("is_over") {
            // Written down, so that a clock set back does not bring it to life again.
            tx.execute(sql!("update iam.sessions set ended_at = now() where id = $1"), &[&id]).await?;
            return Ok(None);
        }
        if row.get("is_old") {
            tx.execute(sql!("update iam.sessions set last_seen_at = now() where id = $1"), &[&id]).await?;
        }
        let organization = row.get("active_organization_id");
        let viewing =
            row.get::<_, Option<Uuid>>("view_role_id").map(|role| (role, row.get("view_workspace_id")));
        Ok(Some(Found { id, user: User::of(row), organization, scopes: None, networks: None, viewing }))
    }

    /// Nothing when he is not, or no longer, a member.
    async fn read_member(
        &self,
        tx: &System,
        organization: Uuid,
        user: Uuid,
    ) -> kernel::Result<Option<Member>> {
        let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&organization, Type::UUID), (&user, Type::UUID)];
        let rows = tx.query_typed(
            sql!(concat!(
                "with recursive team (id) as (
                    select $2::uuid union
                    select m.id from iam.memberships m join team t on m.manager_id = t.id
                    where m.organization_id = $1 and m.deleted_at is null and m.status = 'active')
                 select ",
                crate::organizations::organization_columns!(),
                ", m.workspace_ids, array(select t.id from team t) as team,
                    coalesce(m.default_workspace_id, (select w.id from tenancy.workspaces w
                        where w.organization_id = $1 and w.kind = 'main' and w.deleted_at is null)) as workspace_id,
                    (select coalesce(jsonb_agg(jsonb_build_object('workspace', a.in_workspace_id, 'role', ",
                crate::roles::role_object!(),
                ")), '[]') from iam.role_assignments a
                        join iam.roles r on r.organization_id = $1 and r.id = a.role_id
                     where a.organization_id = $1 and a.membership_id = $2 and a.deleted_at is null
                        and r.deleted_at is null and r.is_active
                        and (now() at time zone o.time_zone)::date between coalesce(a.valid_from, '-infinity') and coalesce(a.valid_to, 'infinity')
                    ) as roles
                 from tenancy.organizations o
                 join iam.memberships m on m.organization_id = $1 and m.id = $2 and m.status = 'active' and m.deleted_at is null
                 where o.id = $1"
            )),
            &values,
        );
        let rows = async { Ok(rows.await?) };
        let (rows, overlay) = tokio::try_join!(rows, Overlay::read(tx, organization))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let assigned: Vec<Assigned> = serde_json::from_value(row.get("roles"))?;
        let place = assigned.iter().find_map(|a| a.workspace);
        let roles = |workspace: Option<Uuid>| {
            let those = assigned.iter().filter(move |a| a.workspace == workspace);
            those.map(|a| a.role.clone().into_role()).collect::<Vec<_>>()
        };
        let catalog = self.store.catalog().with(&overlay.tables);
        let mut access = Access::of(&catalog, &roles(None));
        if let Some(workspace) = place {
            access = access.with_place(&catalog, workspace, &roles(place));
        }
        let team: Vec<Uuid> = row.get("team");
        // Himself alone is what `own` says already.
        access.team = if team.len() > 1 { team } else { Vec::new() };
        access.workspaces = row.get("workspace_ids");
        Ok(Some(Member {
            organization: Organization::of(row),
            access,
            overlay: Arc::new(overlay),
            catalog,
            workspace: row.get("workspace_id"),
        }))
    }

    /// Sees a change to this person at once: a new role, a new password.
    pub fn forget_user(&self, user: Uuid) {
        self.cache.forget(|s| s.user.id == user);
    }

    /// Sees a change to this company at once: a role's rights, a custom field.
    pub fn forget_organization(&self, organization: Uuid) {
        // A session in no company may be in a closed one that opens again.
        self.cache.forget(|s| s.organization.as_ref().is_none_or(|o| o.id == organization));
    }

    /// Where this person is signed in.
    pub async fn sessions(&self, session: &Session) -> Result<Vec<Value>> {
        session.person()?;
        let rows = system!(self.store, tx => {
            let sql = sql!(
                "select jsonb_build_object('id', s.id, 'current', s.id = $2, 'ip', s.ip, 'user_agent', s.user_agent,
                    'created_at', s.created_at, 'last_seen_at', s.last_seen_at,
                    'expires_at', least(s.expires_at, s.last_seen_at + make_interval(secs => $3)))
                 from iam.sessions s
                 where s.user_id = $1 and s.ended_at is null and s.expires_at > now()
                    and s.last_seen_at > now() - make_interval(secs => $3)
                 order by s.last_seen_at desc, s.id"
            );
            let idle = self.config.session_idle.as_secs_f64();
            Ok(tx.query(sql, &[&session.user.id, &session.id, &idle]).await?)
        })?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    pub async fn end_session(&self, session: &Session, id: Uuid) -> Result<()> {
        session.person()?;
        let ended = system!(self.store, tx => {
            let sql = sql!("update iam.sessions set ended_at = now() where id = $1 and user_id = $2 and ended_at is null");
            Ok(tx.execute(sql, &[&id, &session.user.id]).await?)
        })?;
        self.forget_user(session.user.id);
        if ended == 0 { Err(Error::NotFound.into()) } else { Ok(()) }
    }

    pub async fn end_other_sessions(&self, session: &Session) -> Result<()> {
        session.person()?;
        system!(self.store, tx => end_sessions(&tx, session.user.id, Some(session.id)).await)?;
        self.forget_user(session.user.id);
        Ok(())
    }
}

/// All sessions of a person, but perhaps one.
pub(crate) async fn end_sessions(tx: &System, user: Uuid, but: Option<Uuid>) -> kernel::Result<()> {
    let sql = sql!(
        "update iam.sessions set ended_at = now() where user_id = $1 and ended_at is null and id is distinct from $2"
    );
    tx.execute(sql, &[&user, &but]).await?;
    Ok(())
}

async fn find_token(tx: &System, organization: Uuid, hash: &Hash) -> kernel::Result<Option<Found>> {
    let hash = &hash[..];
    let found = tx
        .query_typed(
            sql!(concat!(
                "select t.id, t.scopes, t.allowed_ips, coalesce(t.last_used_at < now() - interval '1 minute', true) as is_old, ",
                crate::people::user_columns!(),
                " from iam.api_tokens t join iam.users u on u.id = t.user_id
                 where t.organization_id = $1 and t.token_hash = $2 and t.deleted_at is null
                    and (t.expires_at is null or t.expires_at > now()) and u.status = 'active'"
            )),
            &[(&organization, Type::UUID), (&hash, Type::BYTEA)],
        )
        .await?;
    let Some(row) = found.first() else { return Ok(None) };
    let id: Uuid = row.get("id");
    if row.get("is_old") {
        let sql =
            sql!("update iam.api_tokens set last_used_at = now() where organization_id = $1 and id = $2");
        tx.execute(sql, &[&organization, &id]).await?;
    }
    Ok(Some(Found {
        id,
        user: User::of(row),
        organization: Some(organization),
        scopes: Some(row.get("scopes")),
        // What cannot be read admits nobody.
        networks: Some(row.get::<_, Vec<&str>>("allowed_ips"))
            .filter(|said| !said.is_empty())
            .map(|said| said.iter().filter_map(|network| network.parse().ok()).collect()),
        viewing: None,
    }))
}

/// What is left of a key's scopes when the company may only look at its data.
fn read_only(scopes: Option<Vec<String>>) -> Vec<String> {
    let looks = |action: &str| matches!(action, "read" | "export");
    let mut left = Vec::new();
    for scope in scopes.unwrap_or_else(|| vec!["*:*".to_owned()]) {
        match scope.split_once(':') {
            Some((entity, "*")) => left.extend([format!("{entity}:read"), format!("{entity}:export")]),
            Some((_, action)) if looks(action) => left.push(scope),
            _ => {}
        }
    }
    left
}

pub(crate) fn signed_out() -> Problem {
    Problem::Unauthorized("Sign in first.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspended_company_only_looks() {
        let of = |scopes: &[&str]| read_only(Some(scopes.iter().map(|s| (*s).to_owned()).collect()));
        assert_eq!(read_only(None), ["*:read", "*:export"]);
        assert_eq!(
            of(&["sales.orders:*", "sales.orders:create", "x:read"]),
            ["sales.orders:read", "sales.orders:export", "x:read"]
        );
        assert!(of(&["sales.orders:update"]).is_empty());
    }
}
