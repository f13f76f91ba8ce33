use crate::{
    Auth, Result, Session, SignedIn, Visit, check_password, code, mail, normalize_email, on_behalf,
    people::check_name,
    roles::{self, OWNER, WorkspaceRole},
    sign_in::{retire_codes, wrong_code},
    some, unlock,
};
use kernel::{Error, Tx, sql, system, within};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    pub email: String,
    pub roles: Vec<String>,
}

/// What is not named stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    pub roles: Option<Vec<String>>,
    /// Besides, in one workspace.
    pub workspace_roles: Option<Vec<WorkspaceRole>>,
    /// `active` or `suspended`.
    pub status: Option<String>,
    #[serde(default, deserialize_with = "some")]
    pub manager_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "some")]
    pub default_workspace_id: Option<Option<Uuid>>,
    /// Null: all of them.
    #[serde(default, deserialize_with = "some")]
    pub workspace_ids: Option<Option<Vec<Uuid>>>,
}

/// Who comes with an invitation.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub user: Uuid,
    pub organization: Uuid,
    /// Of somebody new. Who has an account signs in with his password, and his second factor, as ever.
    pub signed_in: Option<SignedIn>,
}

impl Auth {
    pub async fn members(&self, session: &Session) -> Result<Vec<Value>> {
        let actor = self.reader(session, kernel::MEMBERS)?;
        self.read_members(actor.organization, None).await
    }

    async fn read_members(&self, organization: Uuid, member: Option<Uuid>) -> Result<Vec<Value>> {
        let rows = system!(self.store, tx => {
            let sql = sql!(
                "select jsonb_build_object('id', m.id, 'user_id', m.id, 'email', m.email, 'first_name', m.first_name, 'last_name', m.last_name,
                    'status', m.status, 'joined_at', m.joined_at, 'manager_id', m.manager_id, 'default_workspace_id', m.default_workspace_id,
                    'workspace_ids', m.workspace_ids,
                    'picture', exists (select from iam.user_profiles p where p.id = m.id and p.picture is not null),
                    'roles', (select coalesce(jsonb_agg(r.name order by r.name), '[]') from iam.role_assignments a
                        join iam.roles r on r.organization_id = $1 and r.id = a.role_id
                        where a.organization_id = $1 and a.membership_id = m.id and a.deleted_at is null and a.in_workspace_id is null),
                    'workspace_roles', (select coalesce(jsonb_agg(jsonb_build_object('role', r.name, 'workspace_id', a.in_workspace_id,
                            'valid_from', a.valid_from, 'valid_to', a.valid_to) order by r.name), '[]') from iam.role_assignments a
                        join iam.roles r on r.organization_id = $1 and r.id = a.role_id
                        where a.organization_id = $1 and a.membership_id = m.id and a.deleted_at is null and a.in_workspace_id is not null))
                 from iam.memberships m
                 where m.organization_id = $1 and m.deleted_at is null and m.status <> 'left' and (m.id = $2 or $2 is null)
                 order by m.name, m.id"
            );
            Ok(tx.query(sql, &[&organization, &member]).await?)
        })?;
        Ok(rows.iter().map(|r| r.get(0)).collect())
    }

    async fn member(&self, organization: Uuid, member: Uuid) -> Result<Value> {
        Ok(self.read_members(organization, Some(member)).await?.pop().ok_or(Error::NotFound)?)
    }

    /// Asks somebody in by mail; asked again, the older letter is worth nothing any more.
    pub async fn invite(&self, session: &Session, invitation: &Invitation) -> Result<Value> {
        session.person()?;
        let actor = session.admin()?;
        let organization = session.organization()?;
        let email = normalize_email(&invitation.email)?;
        self.invitations.take(&organization.id.to_string())?;
        let token = code::token();
        let link = self.link("accept", &[("code", &token)])?;
        let (user, locale) = system!(self.store, tx => {
            let sql = sql!(
                "insert into iam.users (email, locale) values ($1, $2) on conflict (email_key) do update set email_key = default
                 returning id, case when status = 'pending' then $2 else locale end"
            );
            let row = tx.query_one(sql, &[&email, &organization.language]).await?;
            Ok((row.get::<_, Uuid>(0), row.get::<_, String>(1)))
        })?;
        within!(self.store, actor, tx => {
            unlock(&tx).await?;
            let sql = sql!(
                "insert into iam.memberships as m (id, email, status) values ($1, $2, 'invited')
                 on conflict (organization_id, id) do update set status = 'invited', email = excluded.email, first_name = '', last_name = '', deleted_at = null
                 where m.status in ('invited', 'left') or m.deleted_at is not null returning m.id"
            );
            if tx.query_opt(sql, &[&user, &email]).await?.is_none() {
                return Err(Error::refused_at("email", "This person is a member already."));
            }
            self.assign(&tx, user, &invitation.roles).await
        })?;
        system!(self.store, tx => {
            let sql = sql!(
                "update iam.email_verifications set used_at = now()
                 where user_id = $1 and kind = 'invitation' and for_organization_id = $2 and used_at is null"
            );
            tx.execute(sql, &[&user, &organization.id]).await?;
            let sql = sql!(
                "insert into iam.email_verifications (user_id, kind, email, code_hash, for_organization_id, expires_at)
                 values ($1, 'invitation', $2, $3, $4, now() + interval '7 days')"
            );
            tx.execute(sql, &[&user, &email, &&code::hash(&token)[..], &organization.id]).await?;
            mail::invitation(&locale, &session.user.name(), &organization.name, &link).send(&tx, &email).await
        })?;
        self.member(organization.id, user).await
    }

    /// Comes in with the code of the letter. Which company and which roles it was for, the letter's sender has said.
    pub async fn accept_invitation(
        &self,
        code: &str,
        password: Option<&str>,
        first_name: Option<&str>,
        last_name: Option<&str>,
        visit: &Visit,
    ) -> Result<Accepted> {
        let code = code::hash(code);
        let found = system!(self.store, tx => {
            let sql = sql!(
                "select v.id, v.user_id, v.email, v.for_organization_id, u.status from iam.email_verifications v join iam.users u on u.id = v.user_id
                 where v.code_hash = $1 and v.kind = 'invitation' and v.used_at is null and v.expires_at > now()"
            );
            Ok(tx.query_opt(sql, &[&&code[..]]).await?)
        })?;
        let found = found.ok_or_else(wrong_code)?;
        let (id, user, email): (Uuid, Uuid, &str) = (found.get(0), found.get(1), found.get(2));
        let (organization, status): (Uuid, &str) = (found.get(3), found.get(4));
        // Only somebody new chooses a password here; an account that exists keeps its own.
        let hash = match status {
            "pending" => {
                let password = password.unwrap_or_default();
                check_password(password, email)?;
                check_name("first_name", first_name)?;
                check_name("last_name", last_name)?;
                Some(self.hasher.hash(password).await?)
            }
            "active" => None,
            _ => return Err(Error::Forbidden("This account is suspended.".into()).into()),
        };
        let signed_in = system!(self.store, tx => {
            let sql = sql!("update iam.email_verifications set used_at = now() where id = $1 and used_at is null returning id");
            tx.query_opt(sql, &[&id]).await?.ok_or_else(wrong_code)?;
            on_behalf(&tx, organization, user, visit.request).await?;
            if let Some(hash) = &hash {
                let sql = sql!(
                    "update iam.users set status = 'active', registration_status = 'completed', password_hash = $2, password_changed_at = now(),
                        first_name = trim($3::text), last_name = trim($4::text), updated_at = now()
                     where id = $1 and status = 'pending' returning id"
                );
                let names = (first_name.unwrap_or_default(), last_name.unwrap_or_default());
                tx.query_opt(sql, &[&user, hash, &names.0, &names.1]).await?.ok_or_else(wrong_code)?;
                retire_codes(&tx, user, "registration").await?;
            }
            let sql = sql!("update iam.users set registration_status = 'completed' where id = $1 and registration_status = 'onboarding_pending'");
            tx.execute(sql, &[&user]).await?;
            let sql = sql!(
                "update iam.memberships m set status = 'active', joined_at = now(), email = u.email, first_name = u.first_name, last_name = u.last_name
                 from iam.users u where m.organization_id = $1 and m.id = $2 and u.id = $2 and m.status = 'invited' and m.deleted_at is null
                 returning m.id"
            );
            tx.query_opt(sql, &[&organization, &user]).await?.ok_or_else(wrong_code)?;
            match hash {
                Some(_) => Ok(Some(self.open_session(&tx, user, visit).await?)),
                None => Ok(None),
            }
        })?;
        self.forget_user(user);
        Ok(Accepted { user, organization, signed_in })
    }

    pub async fn update_member(
        &self,
        session: &Session,
        member: Uuid,
        change: &MemberChange,
    ) -> Result<Value> {
        session.person()?;
        let actor = session.admin()?;
        if member == actor.user
            && !roles::is_owner(actor)
            && (change.roles.is_some() || change.workspace_roles.is_some() || change.status.is_some())
        {
            return Err(Error::Forbidden("Nobody changes his own roles.".into()).into());
        }
        if let Some(status) = &change.status
            && !["active", "suspended"].contains(&status.as_str())
        {
            return Err(Error::refused_at("status", "A member is active or suspended.").into());
        }
        within!(self.store, actor, tx => {
            unlock(&tx).await?;
            self.may_touch(&tx, member).await?;
            if let Some(status) = &change.status {
                let sql = sql!(
                    "update iam.memberships set status = $3 where organization_id = $1 and id = $2 and status in ('active', 'suspended')"
                );
                if tx.execute(sql, &[&actor.organization, &member, status]).await? == 0 {
                    return Err(Error::refused_at("status", "This person has not joined yet."));
                }
            }
            if let Some(roles) = &change.roles {
                self.assign(&tx, member, roles).await?;
            }
            if let Some(given) = &change.workspace_roles {
                self.assign_there(&tx, member, given).await?;
            }
            let sql = sql!(
                "update iam.memberships set manager_id = case when $3 then $4 else manager_id end,
                    default_workspace_id = case when $5 then $6 else default_workspace_id end,
                    workspace_ids = case when $7 then $8 else workspace_ids end
                 where organization_id = $1 and id = $2 and ($3 or $5 or $7)"
            );
            let (manager, workspace, workspaces) = (&change.manager_id, &change.default_workspace_id, &change.workspace_ids);
            tx.execute(sql, &[
                &actor.organization, &member, &manager.is_some(), &manager.flatten(), &workspace.is_some(), &workspace.flatten(),
                &workspaces.is_some(), &workspaces.clone().flatten(),
            ]).await?;
            works_where_he_has_roles(&tx, member).await?;
            keep_an_owner(&tx).await
        })?;
        if change.status.as_deref() == Some("suspended") {
            self.end_sessions_in(actor.organization, member).await?;
        }
        // His team may have changed with him, and so what others may reach.
        self.forget_organization(actor.organization);
        self.forget_user(member);
        self.member(actor.organization, member).await
    }

    /// Takes somebody out, or leaves. What he did stays, under his name.
    pub async fn remove_member(&self, session: &Session, member: Uuid) -> Result<()> {
        session.person()?;
        let actor = session.actor()?;
        let leaves = member == actor.user && actor.access.limits.is_none();
        let actor = if leaves { &self.with(&self.all, actor) } else { session.admin()? };
        within!(self.store, actor, tx => {
            unlock(&tx).await?;
            if leaves {
                lock_owners(&tx).await?;
            } else {
                self.may_touch(&tx, member).await?;
            }
            let sql = sql!("update iam.memberships set status = 'left' where organization_id = $1 and id = $2 and status <> 'left' and deleted_at is null");
            if tx.execute(sql, &[&actor.organization, &member]).await? == 0 {
                return Err(Error::NotFound);
            }
            tx.execute(sql!("delete from iam.role_assignments where organization_id = $1 and membership_id = $2"), &[&actor.organization, &member]).await?;
            let sql = sql!("update iam.api_tokens set deleted_at = now() where organization_id = $1 and user_id = $2 and deleted_at is null");
            tx.execute(sql, &[&actor.organization, &member]).await?;
            // Whom he led is led by who led him.
            let sql = sql!(
                "update iam.memberships m set manager_id = (select g.manager_id from iam.memberships g where g.organization_id = $1 and g.id = $2)
                 where m.organization_id = $1 and m.manager_id = $2"
            );
            tx.execute(sql, &[&actor.organization, &member]).await?;
            keep_an_owner(&tx).await
        })?;
        self.end_sessions_in(actor.organization, member).await?;
        self.forget_organization(actor.organization);
        self.forget_user(member);
        Ok(())
    }

    /// For the demo and the operator: somebody who exists joins at once.
    pub async fn add_member_with_roles(
        &self,
        organization: Uuid,
        user: Uuid,
        names: &[String],
        request: Uuid,
    ) -> Result<()> {
        system!(self.store, tx => {
            on_behalf(&tx, organization, user, request).await?;
            let all = roles::stored(&tx, organization).await?;
            roles::named(&all, names, "roles")?;
            let sql = sql!(
                "insert into iam.memberships as m (organization_id, id, email, first_name, last_name)
                 select o.id, u.id, u.email, u.first_name, u.last_name from iam.users u, tenancy.organizations o
                 where o.id = $1 and u.id = $2 and u.status = 'active'
                 on conflict (organization_id, id) do update set status = 'active', deleted_at = null returning m.id"
            );
            tx.query_opt(sql, &[&organization, &user]).await?.ok_or(Error::NotFound)?;
            roles::assign(&tx, organization, user, names).await?;
            let sql = sql!("update iam.users set registration_status = 'completed' where id = $1");
            tx.execute(sql, &[&user]).await?;
            Ok(())
        })?;
        self.forget_organization(organization);
        self.forget_user(user);
        Ok(())
    }

    /// Gives a member exactly these roles, as far as the actor may.
    async fn assign(&self, tx: &Tx, member: Uuid, names: &[String]) -> kernel::Result<()> {
        let organization = tx.actor.organization;
        if names.is_empty() {
            return Err(Error::refused_at("roles", "A member needs a role."));
        }
        let all = roles::stored(tx, organization).await?;
        let given = roles::named(&all, names, "roles")?;
        self.check_assignment(&tx.actor, &given)?;
        roles::assign(tx, organization, member, names).await?;
        self.check_member(tx, member).await
    }

    /// Gives a member exactly these roles in a workspace, as far as the actor may.
    async fn assign_there(&self, tx: &Tx, member: Uuid, given: &[WorkspaceRole]) -> kernel::Result<()> {
        let all = roles::stored(tx, tx.actor.organization).await?;
        let names: Vec<String> = given.iter().map(|g| g.role.clone()).collect();
        let roles = roles::named(&all, &names, "workspace_roles")?;
        if roles.iter().any(|r| r.is_all()) {
            let why = "Owners and administrators are so for the whole company.";
            return Err(Error::refused_at("workspace_roles", why));
        }
        self.check_assignment(&tx.actor, &roles)?;
        roles::assign_there(tx, member, given).await?;
        self.check_member(tx, member).await
    }

    /// An owner is changed by owners only.
    async fn may_touch(&self, tx: &Tx, member: Uuid) -> kernel::Result<()> {
        lock_owners(tx).await?;
        let organization = tx.actor.organization;
        let sql = sql!(
            "select id from iam.memberships where organization_id = $1 and id = $2 and status <> 'left' and deleted_at is null for update"
        );
        tx.query_opt(sql, &[&organization, &member]).await?.ok_or(Error::NotFound)?;
        let theirs = roles::of_member(tx, organization, member).await?;
        if theirs.values().any(|t| t.as_deref() == Some(OWNER)) && !roles::is_owner(&tx.actor) {
            return Err(Error::Forbidden("Only an owner may change an owner.".into()));
        }
        Ok(())
    }

    async fn end_sessions_in(&self, organization: Uuid, user: Uuid) -> Result<()> {
        system!(self.store, tx => {
            let sql = sql!("update iam.sessions set ended_at = now() where user_id = $1 and active_organization_id = $2 and ended_at is null");
            Ok(tx.execute(sql, &[&user, &organization]).await?)
        })?;
        Ok(())
    }
}

/// Two owners who send each other away at the same moment come one after the other.
async fn lock_owners(tx: &Tx) -> kernel::Result<()> {
    let sql = sql!("select id from iam.roles where organization_id = $1 and name = 'owner' for update");
    tx.query(sql, &[&tx.actor.organization]).await?;
    Ok(())
}

async fn works_where_he_has_roles(tx: &Tx, member: Uuid) -> kernel::Result<()> {
    let sql = sql!(
        "select exists (select from iam.role_assignments a join iam.memberships m on m.organization_id = $1 and m.id = $2
            where a.organization_id = $1 and a.membership_id = $2 and a.deleted_at is null and a.in_workspace_id <> all (m.workspace_ids))"
    );
    if tx.query_one(sql, &[&tx.actor.organization, &member]).await?.get(0) {
        let why = "This member has roles in a workspace that is closed to him. Open it to him, or take the roles away.";
        return Err(Error::refused_at("workspace_roles", why));
    }
    Ok(())
}

async fn keep_an_owner(tx: &Tx) -> kernel::Result<()> {
    let sql = sql!(
        "select exists (select from iam.role_assignments a
            join iam.roles r on r.organization_id = $1 and r.id = a.role_id and r.name = 'owner'
            join iam.memberships m on m.organization_id = $1 and m.id = a.membership_id
            where a.organization_id = $1 and a.deleted_at is null and m.status = 'active' and m.deleted_at is null)"
    );
    let there: bool = tx.query_one(sql, &[&tx.actor.organization]).await?.get(0);
    if there {
        Ok(())
    } else {
        Err(Error::refused("A company needs an owner. Make somebody else an owner first."))
    }
}
