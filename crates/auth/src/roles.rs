use crate::{Auth, Result, Session, unlock};
use jiff::civil::Date;
use kernel::{
    Access, Actor, Catalog, Entity, Error, FieldAccess, Overlay, Role, RoleTemplate, Scope, System, Tx,
    actions, sql, system, within,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use tokio_postgres::Client;
use uuid::Uuid;

pub(crate) const OWNER: &str = "owner";
pub(crate) const ADMIN: &str = "admin";

/// What the roles that no module brings are called.
const WORDS: [(&str, &str, &str); 4] = [
    (OWNER, "ru", "Владелец"),
    (ADMIN, "ru", "Администратор"),
    (OWNER, "kk", "Иесі"),
    (ADMIN, "kk", "Әкімші"),
];

type Grants = BTreeMap<String, BTreeMap<String, String>>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    pub name: String,
    #[serde(default)]
    pub label: String,
    pub description: Option<String>,
    /// The role of the modules that it starts from.
    pub template: Option<String>,
    #[serde(default)]
    pub grants: Grants,
    #[serde(default)]
    pub fields: Grants,
}

/// What is not named stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    pub label: Option<String>,
    pub description: Option<String>,
    pub is_active: Option<bool>,
    #[serde(default)]
    pub grants: Grants,
    #[serde(default)]
    pub fields: Grants,
}

/// A role as the database has it; made by [`role_object`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StoredRole {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    label: String,
    description: Option<String>,
    pub(crate) template: Option<String>,
    is_system: bool,
    pub(crate) is_active: bool,
    permissions: Vec<(String, String, String)>,
    fields: Vec<(String, String, String)>,
}

/// A role that somebody has, in the whole company or in one workspace.
#[derive(Deserialize)]
pub(crate) struct Assigned {
    pub(crate) workspace: Option<Uuid>,
    pub(crate) role: StoredRole,
}

/// A role that somebody has in one workspace, in these days.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceRole {
    pub role: String,
    pub workspace_id: Uuid,
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
}

/// Of `iam.roles r` in the organization `$1`.
macro_rules! role_object {
    () => {
        "jsonb_build_object('id', r.id, 'name', r.name, 'label', r.label, 'description', r.description, 'template', r.template,
            'is_system', r.is_system, 'is_active', r.is_active,
            'permissions', (select coalesce(jsonb_agg(jsonb_build_array(p.entity, p.action, p.scope) order by p.entity, p.action), '[]')
                from iam.permissions p where p.organization_id = $1 and p.role_id = r.id and p.deleted_at is null),
            'fields', (select coalesce(jsonb_agg(jsonb_build_array(f.entity, f.field, f.access) order by f.entity, f.field), '[]')
                from iam.field_permissions f where f.organization_id = $1 and f.role_id = r.id and f.deleted_at is null))"
    };
}
pub(crate) use role_object;

impl StoredRole {
    pub(crate) fn into_role(self) -> Role {
        let scope = |s: &str| Scope::parse(s).unwrap_or_default();
        Role {
            name: self.name,
            template: self.template,
            permissions: self.permissions.into_iter().map(|(e, a, s)| (e, a, scope(&s))).collect(),
            fields: self
                .fields
                .into_iter()
                .map(|(e, f, a)| (e, f, field_access(&a).unwrap_or(FieldAccess::None)))
                .collect(),
        }
    }

    pub(crate) fn is_all(&self) -> bool {
        is_all(self.template.as_deref())
    }

    /// A role that comes with the product is called as its reader calls it, until the company gives it a name of its own.
    pub(crate) fn called<'a>(&'a self, catalog: &'a Catalog, language: &str) -> &'a str {
        if !self.is_system || self.label != label(&self.name) {
            return &self.label;
        }
        let said = |m: &'a kernel::ModuleInfo| m.texts.get(language)?["roles"][&self.name].as_str();
        let ours = WORDS.iter().find(|(name, l, _)| *name == self.name && *l == language).map(|w| w.2);
        ours.or_else(|| catalog.modules.iter().map(AsRef::as_ref).find_map(said)).unwrap_or(&self.label)
    }

    /// For people: what the template gives, and what was changed.
    fn shown(&self, catalog: &Catalog, language: &str) -> Value {
        let mut grants: Grants = match self.is_all() {
            true => [("*".to_owned(), [("*".to_owned(), "all".to_owned())].into())].into(),
            false => template(catalog, self.template.as_deref()).cloned().unwrap_or_default(),
        };
        for (entity, action, scope) in &self.permissions {
            grants.entry(entity.clone()).or_default().insert(action.clone(), scope.clone());
        }
        let mut fields = Grants::new();
        for (entity, field, access) in &self.fields {
            fields.entry(entity.clone()).or_default().insert(field.clone(), access.clone());
        }
        serde_json::json!({
            "id": self.id, "name": self.name, "label": self.called(catalog, language), "description": self.description, "template": self.template,
            "is_system": self.is_system, "is_active": self.is_active, "grants": grants, "fields": fields,
        })
    }
}

impl Auth {
    pub async fn roles(&self, session: &Session, language: &str) -> Result<Vec<Value>> {
        let actor = self.reader(session, "iam.roles")?;
        let found = system!(self.store, tx => stored(&tx, actor.organization).await)?;
        Ok(found.iter().map(|r| r.shown(self.store.catalog(), language)).collect())
    }

    /// A member may see who works with him and in which roles; a key only when it says so.
    pub(crate) fn reader<'a>(&self, session: &'a Session, entity: &str) -> Result<&'a Actor> {
        let actor = session.actor()?;
        if actor.access.limits.is_some()
            && session.token.is_some()
            && !in_limits(&actor.access, entity, "read")
        {
            return Err(Error::Forbidden("This key may not read that.".into()).into());
        }
        Ok(actor)
    }

    pub async fn create_role(&self, session: &Session, new: &NewRole) -> Result<Value> {
        let actor = session.admin()?;
        let catalog = self.store.catalog();
        if let Some(name) = &new.template
            && (is_all(Some(name)) || !catalog.roles.contains_key(name))
        {
            return Err(Error::refused_at("template", "There is no such role to start from.").into());
        }
        if is_all(Some(&new.name)) {
            return Err(Error::refused_at("name", "This name is taken.").into());
        }
        self.check_grants(actor, &new.grants, &new.fields)?;
        let id = within!(self.store, actor, tx => {
            unlock(&tx).await?;
            let sql = sql!("insert into iam.roles (name, label, description, template) values ($1, $2, $3, $4) returning id");
            let id: Uuid = tx.query_one(sql, &[&new.name, &new.label, &new.description, &new.template]).await?.get(0);
            self.write_grants(&tx, id, new.template.as_deref(), &new.grants, &new.fields).await?;
            self.check_role(&tx, id).await?;
            Ok(id)
        })?;
        self.role(session, actor.organization, id).await
    }

    pub async fn update_role(&self, session: &Session, id: Uuid, change: &RoleChange) -> Result<Value> {
        let actor = session.admin()?;
        let role = system!(self.store, tx => stored(&tx, actor.organization).await)?;
        let role = role.into_iter().find(|r| r.id == id).ok_or(Error::NotFound)?;
        let owner = is_owner(actor);
        if !owner && (role.is_all() || actor.access.roles.contains(&role.name)) {
            return Err(Error::Forbidden(
                "Only an owner may change a role that you have, or that of owners and administrators.".into(),
            )
            .into());
        }
        if role.is_all() && (!change.grants.is_empty() || change.is_active == Some(false)) {
            return Err(Error::refused(
                "Owners and administrators may do everything. Make a role of your own for those who may not.",
            )
            .into());
        }
        self.check_grants(actor, &change.grants, &change.fields)?;
        within!(self.store, actor, tx => {
            unlock(&tx).await?;
            let sql = sql!(
                "update iam.roles set label = coalesce($2, label), description = coalesce($3, description), is_active = coalesce($4, is_active)
                 where organization_id = app.organization() and id = $1"
            );
            tx.execute(sql, &[&id, &change.label, &change.description, &change.is_active]).await?;
            self.write_grants(&tx, id, role.template.as_deref(), &change.grants, &change.fields).await?;
            self.check_role(&tx, id).await
        })?;
        self.forget_organization(actor.organization);
        self.role(session, actor.organization, id).await
    }

    pub async fn delete_role(&self, session: &Session, id: Uuid) -> Result<()> {
        let actor = session.admin()?;
        within!(self.store, actor, tx => {
            unlock(&tx).await?;
            let sql = sql!("select is_system from iam.roles where organization_id = $1 and id = $2 for update");
            let role = tx.query_opt(sql, &[&actor.organization, &id]).await?.ok_or(Error::NotFound)?;
            if role.get(0) {
                return Err(Error::refused("A role that comes with the product cannot be deleted. Switch it off instead."));
            }
            let sql = sql!(
                "select m.name from iam.role_assignments a join iam.memberships m on m.organization_id = $1 and m.id = a.membership_id
                 where a.organization_id = $1 and a.role_id = $2 order by m.name limit 4"
            );
            let holders: Vec<String> = tx.query(sql, &[&actor.organization, &id]).await?.iter().map(|r| r.get(0)).collect();
            if !holders.is_empty() {
                return Err(Error::refused(format!("This role is in use by {}{}.", holders[..holders.len().min(3)].join(", "), if holders.len() > 3 { " and others" } else { "" })));
            }
            tx.execute(sql!("delete from iam.roles where organization_id = $1 and id = $2"), &[&actor.organization, &id]).await?;
            Ok(())
        })?;
        self.forget_organization(actor.organization);
        Ok(())
    }

    async fn role(&self, session: &Session, organization: Uuid, id: Uuid) -> Result<Value> {
        let found = system!(self.store, tx => stored(&tx, organization).await)?;
        let role = found.iter().find(|r| r.id == id).ok_or(Error::NotFound)?;
        Ok(role.shown(self.store.catalog(), kernel::spoken(&session.user.locale)))
    }

    /// The roles that come with the product, for one organization or, after an upgrade brought new ones, for all.
    pub(crate) async fn make_roles(&self, tx: &System, organization: Option<Uuid>) -> kernel::Result<u64> {
        let mut names = vec![OWNER.to_owned(), ADMIN.to_owned()];
        names.extend(self.store.catalog().roles.keys().filter(|name| !is_all(Some(name))).cloned());
        let labels: Vec<String> = names.iter().map(|n| label(n)).collect();
        let sql = sql!(
            "insert into iam.roles (organization_id, name, label, template, is_system)
             select o.id, r.name, r.label, r.name, true from tenancy.organizations o, unnest($2::text[], $3::text[]) r (name, label)
             where o.id = $1 or $1 is null
             on conflict (organization_id, name) do nothing"
        );
        Ok(tx.execute(sql, &[&organization, &names, &labels]).await?)
    }

    /// To be called when the server starts: roles that an upgrade brought. Answers how many.
    pub async fn refresh_roles(&self) -> Result<u64> {
        Ok(system!(self.store, tx => self.make_roles(&tx, None).await)?)
    }

    /// Every word means something, and gives nothing that the giver lacks.
    fn check_grants(&self, actor: &Actor, grants: &Grants, fields: &Grants) -> kernel::Result<()> {
        let catalog = &actor.catalog;
        for (name, actions) in grants {
            let entity = known(catalog, name)?;
            for (action, scope) in actions {
                let place = format!("grants.{name}.{action}");
                if !is_action(catalog, self.store.modules(), entity, action) {
                    return Err(Error::malformed_at(place, "There is no such action."));
                }
                let scope = Scope::parse(scope).ok_or_else(|| {
                    Error::malformed_at(&place, "A scope is none, own, team, workspace or all.")
                })?;
                if scope > actor.access.scope(entity, action) {
                    return Err(Error::Forbidden(format!(
                        "You cannot grant what you may not do yourself: {name} {action}."
                    )));
                }
            }
        }
        for (name, columns) in fields {
            let entity = catalog
                .entities
                .get(name)
                .ok_or_else(|| Error::malformed_at(format!("fields.{name}"), "There is no such entity."))?;
            for (field, access) in columns {
                let place = format!("fields.{name}.{field}");
                // The organization's own fields are named as they are everywhere: cf.x.
                let custom = field.strip_prefix("cf.").and_then(|f| actor.overlay.field(name, f));
                if entity.column(field).is_none() && custom.is_none() {
                    return Err(Error::malformed_at(place, "There is no such field."));
                }
                let access = field_access(access)
                    .ok_or_else(|| Error::malformed_at(&place, "Access is none, read or write."))?;
                if access > actor.access.field(name, field) && !is_owner(actor) {
                    return Err(Error::Forbidden(format!(
                        "You cannot grant what you may not see yourself: {name} {field}."
                    )));
                }
            }
        }
        Ok(())
    }

    /// Keeps only what differs from the template, so that an upgrade of the product reaches the rest.
    async fn write_grants(
        &self,
        tx: &Tx,
        role: Uuid,
        from: Option<&str>,
        grants: &Grants,
        fields: &Grants,
    ) -> kernel::Result<()> {
        let template = template(&tx.catalog, from);
        for (entity, actions) in grants {
            for (action, scope) in actions {
                let given = template.and_then(|t| t.get(entity)?.get(action)).map(String::as_str);
                // What is not said follows from something else: that it is not to is worth saying.
                let follows = ["restore", "export", "import"].contains(&action.as_str());
                if scope == given.unwrap_or(if follows { "" } else { "none" }) {
                    let sql = sql!(
                        "delete from iam.permissions where organization_id = app.organization() and role_id = $1 and entity = $2 and action = $3"
                    );
                    tx.execute(sql, &[&role, entity, action]).await?;
                } else {
                    let sql = sql!(
                        "insert into iam.permissions (role_id, entity, action, scope) values ($1, $2, $3, $4)
                         on conflict on constraint permissions_once do update set scope = excluded.scope, deleted_at = null"
                    );
                    tx.execute(sql, &[&role, entity, action, scope]).await?;
                }
            }
        }
        for (entity, columns) in fields {
            for (field, access) in columns {
                if access == "write" {
                    let sql = sql!(
                        "delete from iam.field_permissions where organization_id = app.organization() and role_id = $1 and entity = $2 and field = $3"
                    );
                    tx.execute(sql, &[&role, entity, field]).await?;
                } else {
                    let sql = sql!(
                        "insert into iam.field_permissions (role_id, entity, field, access) values ($1, $2, $3, $4)
                         on conflict on constraint field_permissions_once do update set access = excluded.access, deleted_at = null"
                    );
                    tx.execute(sql, &[&role, entity, field, access]).await?;
                }
            }
        }
        Ok(())
    }

    /// After a change of a role: no two duties meet in it that its template kept apart, nor in anybody who has it.
    async fn check_role(&self, tx: &Tx, id: Uuid) -> kernel::Result<()> {
        let roles = stored(tx, tx.actor.organization).await?;
        let Some(role) = roles.iter().find(|r| r.id == id) else { return Err(Error::NotFound) };
        let template = Role { template: role.template.clone(), ..Role::default() };
        if let Some(duties) = self.meeting(&[role.clone().into_role()])
            && self.meeting(&[template]).is_none()
        {
            return Err(apart(duties));
        }
        let sql = sql!(
            "select distinct array_agg(a.role_id order by a.role_id) from iam.role_assignments a
             where a.organization_id = $1 and a.deleted_at is null group by a.membership_id having bool_or(a.role_id = $2)"
        );
        for row in tx.query(sql, &[&tx.actor.organization, &id]).await? {
            let ids: Vec<Uuid> = row.get(0);
            let together: Vec<&StoredRole> = roles.iter().filter(|r| ids.contains(&r.id)).collect();
            self.check_duties(&together)?;
        }
        Ok(())
    }

    /// Two duties that meet where they must not. Owners and administrators stand above: in a company of one person,
    /// all duties are his.
    fn meeting(&self, roles: &[Role]) -> Option<&[Duty; 2]> {
        let catalog = self.store.catalog();
        let plain: Vec<Role> = roles.iter().filter(|r| !is_all(r.template.as_deref())).cloned().collect();
        let access = Access::of(catalog, &plain);
        let may =
            |(entity, action): &Duty| catalog.entities.get(entity).is_some_and(|e| access.may(e, action));
        self.duties.iter().find(|[one, other]| may(one) && may(other))
    }

    /// After a change of somebody's roles: no two duties meet in him, wherever and whenever he has them.
    pub(crate) async fn check_member(&self, tx: &Tx, member: Uuid) -> kernel::Result<()> {
        let theirs = of_member(tx, tx.actor.organization, member).await?;
        let roles = stored(tx, tx.actor.organization).await?;
        self.check_duties(&roles.iter().filter(|r| theirs.contains_key(&r.name)).collect::<Vec<_>>())
    }

    /// What one role unites its maker has considered; what several unite, nobody has.
    fn check_duties(&self, roles: &[&StoredRole]) -> kernel::Result<()> {
        let each: Vec<Role> = roles.iter().map(|r| (*r).clone().into_role()).collect();
        match self.meeting(&each) {
            Some(duties) if each.iter().all(|role| self.meeting(std::slice::from_ref(role)).is_none()) => {
                Err(apart(duties))
            }
            _ => Ok(()),
        }
    }

    /// Whether `actor` may give all of these: nothing that he lacks.
    pub(crate) fn check_assignment(&self, actor: &Actor, given: &[&StoredRole]) -> kernel::Result<()> {
        let catalog = &actor.catalog;
        if is_owner(actor) {
            return Ok(());
        }
        for role in given {
            if role.template.as_deref() == Some(OWNER) {
                return Err(Error::Forbidden("Only an owner may make an owner.".into()));
            }
            let theirs = Access::of(catalog, &[(*role).clone().into_role()]);
            if let Some(what) = beyond(catalog, &actor.overlay, &actor.access, &theirs) {
                return Err(Error::Forbidden(format!(
                    "You cannot grant what you may not do yourself: {what}."
                )));
            }
        }
        Ok(())
    }
}

pub(crate) fn is_owner(actor: &Actor) -> bool {
    actor.access.is_admin() && actor.access.roles.iter().any(|r| r == OWNER)
}

fn is_all(template: Option<&str>) -> bool {
    matches!(template, Some(OWNER | ADMIN))
}

fn template<'a>(catalog: &'a Catalog, name: Option<&str>) -> Option<&'a RoleTemplate> {
    name.and_then(|n| catalog.roles.get(n))
}

fn label(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn field_access(name: &str) -> Option<FieldAccess> {
    match name {
        "none" => Some(FieldAccess::None),
        "read" => Some(FieldAccess::Read),
        "write" => Some(FieldAccess::Write),
        _ => None,
    }
}

/// An entity that has rights of its own: a part is reached as far as its whole.
fn known<'a>(catalog: &'a Catalog, name: &str) -> kernel::Result<&'a Entity> {
    catalog
        .entity(name)
        .ok()
        .filter(|e| e.part_of.is_none())
        .ok_or_else(|| Error::malformed_at(format!("grants.{name}"), "There is no such entity."))
}

pub(crate) fn is_action(
    catalog: &Catalog,
    modules: &'static [&'static kernel::Module],
    entity: &Entity,
    action: &str,
) -> bool {
    ["read", "create", "update", "delete", "restore", "export", "import"].contains(&action)
        || entity.transitions.iter().any(|t| t.action == action)
        || actions(modules, &entity.name).any(|a| a.action == action)
        || catalog
            .roles
            .values()
            .any(|t| t.get(&entity.name).is_some_and(|actions| actions.contains_key(action)))
}

pub(crate) fn in_limits(access: &Access, entity: &str, action: &str) -> bool {
    access.limits.iter().flatten().any(|limit| {
        limit.split_once(':').is_some_and(|(e, a)| (e == "*" || e == entity) && (a == "*" || a == action))
    })
}

/// Something that `theirs` gives and `mine` lacks.
pub(crate) fn beyond(catalog: &Catalog, overlay: &Overlay, mine: &Access, theirs: &Access) -> Option<String> {
    for entity in catalog.entities.values() {
        let actions = entity
            .transitions
            .iter()
            .map(|t| t.action.as_str())
            .chain(["read", "create", "update", "delete"]);
        for action in actions {
            if theirs.scope(entity, action) > mine.scope(entity, action) {
                return Some(format!("{} {action}", entity.name));
            }
        }
        let custom = overlay.of(&entity.name).iter().map(|f| format!("cf.{}", f.name));
        for field in entity.columns.iter().map(|c| c.name.clone()).chain(custom) {
            if theirs.field(&entity.name, &field) > mine.field(&entity.name, &field)
                && theirs.may(entity, "read")
            {
                return Some(format!("{} {field}", entity.name));
            }
        }
    }
    None
}

/// Something that one does: an entity and an action.
pub(crate) type Duty = (String, String);

/// What the modules keep apart, so that no one person does both: `apart = [["payments:create", "payments:verify"]]`.
pub(crate) fn duties(catalog: &Catalog) -> Vec<[Duty; 2]> {
    let mut found = Vec::new();
    for module in &catalog.modules {
        let duty = |text: &Value| {
            let (entity, action) = text.as_str()?.split_once(':')?;
            Some((format!("{}.{entity}", module.name), action.to_owned()))
        };
        for pair in module.meta["apart"].as_array().into_iter().flatten() {
            if let (Some(one), Some(other)) = (duty(&pair[0]), duty(&pair[1])) {
                found.push([one, other]);
            }
        }
    }
    found
}

fn apart([one, other]: &[Duty; 2]) -> Error {
    let name = |(entity, action): &Duty| {
        format!("{action} {}", entity.split_once('.').map_or(entity.as_str(), |(_, e)| e))
    };
    Error::refused_at(
        "roles",
        format!("One person may not both {} and {}: these duties are kept apart.", name(one), name(other)),
    )
}

/// All roles of an organization.
pub(crate) async fn stored(client: &Client, organization: Uuid) -> kernel::Result<Vec<StoredRole>> {
    let sql = sql!(concat!(
        "select ",
        role_object!(),
        " from iam.roles r where r.organization_id = $1 and r.deleted_at is null order by r.is_system desc, r.name"
    ));
    let rows = client.query(sql, &[&organization]).await?;
    rows.iter().map(|r| Ok(serde_json::from_value(r.get(0))?)).collect()
}

/// Of all roles those with these names.
pub(crate) fn named<'a>(
    roles: &'a [StoredRole],
    names: &[String],
    place: &str,
) -> kernel::Result<Vec<&'a StoredRole>> {
    names
        .iter()
        .map(|name| {
            let found = roles.iter().find(|r| r.name == *name && r.is_active);
            found.ok_or_else(|| Error::refused_at(place, format!("There is no role {name}.")))
        })
        .collect()
}

/// Gives a member exactly these roles for the whole company.
pub(crate) async fn assign(
    client: &Client,
    organization: Uuid,
    member: Uuid,
    names: &[String],
) -> kernel::Result<()> {
    let sql = sql!(
        "delete from iam.role_assignments a where a.organization_id = $1 and a.membership_id = $2 and a.in_workspace_id is null
            and not exists (select from iam.roles r where r.organization_id = $1 and r.id = a.role_id and r.name = any ($3))"
    );
    client.execute(sql, &[&organization, &member, &names]).await?;
    let sql = sql!(
        "insert into iam.role_assignments (organization_id, membership_id, role_id)
         select $1, $2, r.id from iam.roles r where r.organization_id = $1 and r.name = any ($3)
         on conflict do nothing"
    );
    client.execute(sql, &[&organization, &member, &names]).await?;
    Ok(())
}

/// Gives a member exactly these roles in a workspace.
pub(crate) async fn assign_there(tx: &Tx, member: Uuid, given: &[WorkspaceRole]) -> kernel::Result<()> {
    let refused = |why: &str| Err(Error::refused_at("workspace_roles", why));
    let organization = tx.actor.organization;
    let sql = sql!(
        "delete from iam.role_assignments where organization_id = $1 and membership_id = $2 and in_workspace_id is not null"
    );
    tx.execute(sql, &[&organization, &member]).await?;
    let Some(place) = given.first().map(|g| g.workspace_id) else { return Ok(()) };
    if given.iter().any(|g| g.workspace_id != place) {
        return refused(
            "A member has roles of his own in one workspace only. Give the other ones for the whole company.",
        );
    }
    let sql = sql!(
        "select from tenancy.workspaces where organization_id = $1 and id = $2 and deleted_at is null and status <> 'archived'"
    );
    if tx.query_opt(sql, &[&organization, &place]).await?.is_none() {
        return refused("There is no such workspace.");
    }
    for WorkspaceRole { role, valid_from, valid_to, .. } in given {
        let sql = sql!(
            "insert into iam.role_assignments (membership_id, role_id, in_workspace_id, valid_from, valid_to)
             select $2, r.id, $4, $5::text::date, $6::text::date from iam.roles r where r.organization_id = $1 and r.name = $3"
        );
        let (from, to) = (valid_from.map(|d| d.to_string()), valid_to.map(|d| d.to_string()));
        tx.execute(sql, &[&organization, &member, role, &place, &from, &to]).await?;
    }
    Ok(())
}

/// Which roles somebody has, anywhere.
pub(crate) async fn of_member(
    client: &Client,
    organization: Uuid,
    member: Uuid,
) -> kernel::Result<HashMap<String, Option<String>>> {
    let sql = sql!(
        "select r.name, r.template from iam.role_assignments a join iam.roles r on r.organization_id = $1 and r.id = a.role_id
         where a.organization_id = $1 and a.membership_id = $2 and a.deleted_at is null"
    );
    let rows = client.query(sql, &[&organization, &member]).await?;
    Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
}
