use crate::{Catalog, Entity};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// How far an action goes. The order is the order of widening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    #[default]
    None,
    Own,
    Team,
    Workspace,
    All,
}

impl Scope {
    pub fn parse(name: &str) -> Option<Scope> {
        Some(match name {
            "none" => Scope::None,
            "own" => Scope::Own,
            "team" => Scope::Team,
            "workspace" => Scope::Workspace,
            "all" => Scope::All,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Scope::None => "none",
            Scope::Own => "own",
            Scope::Team => "team",
            Scope::Workspace => "workspace",
            Scope::All => "all",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldAccess {
    None,
    Read,
    Write,
}

/// A role as an organization has it: a template of the modules with changes over it.
#[derive(Clone, Debug, Default)]
pub struct Role {
    pub name: String,
    pub template: Option<String>,
    /// Entity, action, scope.
    pub permissions: Vec<(String, String, Scope)>,
    pub fields: Vec<(String, String, FieldAccess)>,
}

/// What one person may do in one organization: computed once, asked by the planner, the database and the UI alike.
#[derive(Clone, Debug, Default)]
pub struct Access {
    pub roles: Vec<String>,
    /// Owners and administrators: everything, except what a role says otherwise.
    everything: bool,
    scopes: HashMap<String, BTreeMap<String, Scope>>,
    fields: HashMap<String, HashMap<String, FieldAccess>>,
    place: Option<Place>,
    pub team: Vec<Uuid>,
    /// `None`: all workspaces.
    pub workspaces: Option<Vec<Uuid>>,
    /// Of an API token: `entity:action`, either may be `*`. `None`: not limited.
    pub limits: Option<Vec<String>>,
    grants: Grants,
}

/// As the database is told: on what comes with the product, and on the organization's own tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants {
    pub(crate) all: String,
    pub(crate) own: String,
}

impl Grants {
    fn of(&mut self, entity: &Entity) -> &mut String {
        if entity.own { &mut self.own } else { &mut self.all }
    }
}

/// The one workspace that somebody has further roles in, and what they give there: own or everything, on the entities
/// whose records belong to a workspace; on others a role in a workspace gives nothing.
#[derive(Clone, Debug)]
struct Place {
    workspace: Uuid,
    scopes: HashMap<String, BTreeMap<String, Scope>>,
}

/// What every member may do, so that the product works for him: names of colleagues, own views, own notifications,
/// own imports, attached files (whose own right is that of the record they hang on), approvals asked of him, conversations
/// (which the policies of their tables keep to those who take part).
const MEMBER: &[(&str, &str, Scope)] = &[
    (crate::MEMBERS, "read", Scope::All),
    ("social.saved_views", "read", Scope::All),
    ("social.saved_views", "create", Scope::Own),
    ("social.saved_views", "update", Scope::Own),
    ("social.saved_views", "delete", Scope::Own),
    ("social.comments", "read", Scope::All),
    ("social.comments", "create", Scope::All),
    ("social.comments", "update", Scope::Own),
    ("social.documents", "read", Scope::All),
    ("social.documents", "create", Scope::All),
    ("social.documents", "update", Scope::All),
    ("social.conversations", "read", Scope::All),
    ("social.conversations", "create", Scope::All),
    ("social.conversations", "update", Scope::All),
    ("social.participants", "read", Scope::All),
    ("social.participants", "create", Scope::All),
    ("social.participants", "update", Scope::All),
    ("social.messages", "read", Scope::All),
    ("social.messages", "create", Scope::All),
    ("social.messages", "update", Scope::Own),
    ("social.notifications", "read", Scope::Own),
    ("social.notifications", "create", Scope::All),
    ("social.notifications", "update", Scope::Own),
    ("files.files", "read", Scope::All),
    ("files.files", "create", Scope::All),
    ("files.files", "update", Scope::Own),
    ("files.files", "delete", Scope::Own),
    ("imports.imports", "read", Scope::Own),
    ("imports.imports", "create", Scope::Own),
    ("imports.imports", "update", Scope::Own),
    ("imports.saved_mappings", "read", Scope::All),
    ("imports.saved_mappings", "create", Scope::Own),
    ("imports.saved_mappings", "update", Scope::Own),
    ("tenancy.workspaces", "read", Scope::All),
    ("app.approval_requests", "read", Scope::Own),
    ("app.approval_requests", "update", Scope::Own),
    ("app.delegations", "read", Scope::Own),
    ("app.delegations", "create", Scope::Own),
    ("app.delegations", "update", Scope::Own),
];

/// The four actions that the database itself knows, in the order of the grants.
const BASE: [&str; 4] = ["read", "create", "update", "delete"];

impl Access {
    /// The union of what the roles give.
    pub fn of(catalog: &Catalog, roles: &[Role]) -> Access {
        let mut access =
            Access { roles: roles.iter().map(|r| r.name.clone()).collect(), ..Access::default() };
        let mut fields: HashMap<(String, String), Vec<FieldAccess>> = HashMap::new();
        for (entity, action, scope) in MEMBER {
            access.scopes.entry((*entity).to_owned()).or_default().insert((*action).to_owned(), *scope);
        }
        for role in roles {
            let mut scopes: HashMap<&str, BTreeMap<&str, Scope>> = HashMap::new();
            match role.template.as_deref() {
                Some("owner" | "admin") => access.everything = true,
                Some(template) => {
                    for (entity, actions) in catalog.roles.get(template).into_iter().flatten() {
                        let into = scopes.entry(entity).or_default();
                        for (action, scope) in actions {
                            into.insert(action, Scope::parse(scope).unwrap_or_default());
                        }
                    }
                }
                None => {}
            }
            for (entity, action, scope) in &role.permissions {
                scopes.entry(entity).or_default().insert(action, *scope);
            }
            for (entity, actions) in scopes {
                let into = access.scopes.entry(entity.to_owned()).or_default();
                for (action, scope) in actions {
                    let old = into.entry(action.to_owned()).or_default();
                    *old = (*old).max(scope);
                }
            }
            for (entity, field, right) in &role.fields {
                fields.entry((entity.clone(), field.clone())).or_default().push(*right);
            }
        }
        // A field is narrowed only when every role that the person has narrows it.
        for ((entity, field), rights) in fields {
            if rights.len() == roles.len()
                && let Some(widest) = rights.into_iter().max()
            {
                access.fields.entry(entity).or_default().insert(field, widest);
            }
        }
        access.seal(catalog);
        access
    }

    /// Adds what further roles give in one workspace. Fields of what the roles for the whole company let him
    /// read are narrowed by those alone; other fields by either.
    #[must_use]
    pub fn with_place(mut self, catalog: &Catalog, workspace: Uuid, roles: &[Role]) -> Access {
        let there = Access::of(catalog, roles);
        for (name, fields) in there.fields {
            if catalog.entities.get(&name).is_some_and(|e| !self.may(e, "read")) {
                let into = self.fields.entry(name).or_default();
                for (field, right) in fields {
                    let old = into.entry(field).or_insert(FieldAccess::Write);
                    *old = (*old).min(right);
                }
            }
        }
        let bound =
            |name: &String| catalog.entities.get(name).is_some_and(|e| e.column("workspace_id").is_some());
        let mut scopes = there.scopes;
        scopes.retain(|name, _| bound(name));
        for scope in scopes.values_mut().flat_map(BTreeMap::values_mut) {
            if *scope > Scope::Own {
                *scope = Scope::Workspace;
            }
        }
        self.place = Some(Place { workspace, scopes });
        self.seal(catalog);
        self
    }

    /// Writes down what the database is told; to be called after a change of limits.
    pub fn seal(&mut self, catalog: &Catalog) {
        let mut grants =
            Grants { all: "-".repeat(catalog.slots * 4), own: "-".repeat(catalog.own_slots * 4) };
        for entity in catalog.entities.values().filter(|e| e.part_of.is_none()) {
            let letters: String = BASE.iter().map(|action| self.letter(entity, action)).collect();
            let place = entity.slot * 4;
            grants.of(entity).replace_range(place..place + 4, &letters);
        }
        self.grants = grants;
    }

    /// As the policies of the database read it, see sql/1_context.sql.
    fn letter(&self, entity: &Entity, action: &str) -> char {
        match self.scopes_of(entity, action) {
            (Scope::All, _) => 'a',
            (Scope::Workspace, _) => 'w',
            (Scope::Team, Scope::Workspace) => 'T',
            (Scope::Own, Scope::Workspace) => 'O',
            (Scope::None, Scope::Workspace) => 'W',
            (Scope::Team, _) => 't',
            (Scope::Own, _) => 'o',
            (Scope::None, Scope::Own) => 'i',
            (Scope::None, _) => '-',
        }
    }

    /// Whether it may be done to a record of this owner in this workspace: what the policies say, in memory.
    pub fn reaches(
        &self,
        entity: &Entity,
        action: &str,
        user: Uuid,
        owner: Option<Uuid>,
        workspace: Option<Uuid>,
    ) -> bool {
        let own = owner == Some(user);
        let (everywhere, there) = self.scopes_of(entity, action);
        let everywhere = match everywhere {
            Scope::None => false,
            Scope::Own => own,
            Scope::Team => own || owner.is_some_and(|o| self.team.contains(&o)),
            Scope::Workspace => workspace.is_some(),
            Scope::All => true,
        };
        let is_there = self.place().is_some() && self.place() == workspace;
        let visible = workspace.is_none_or(|w| self.workspaces.as_ref().is_none_or(|all| all.contains(&w)));
        visible && (everywhere || is_there && (there == Scope::Workspace || there == Scope::Own && own))
    }

    /// The one workspace that the person has further roles in.
    pub fn place(&self) -> Option<Uuid> {
        self.place.as_ref().map(|p| p.workspace)
    }

    /// Where it must be done by somebody who may do it in one workspace only.
    pub fn confined(&self, entity: &Entity, action: &str) -> Option<Uuid> {
        let (everywhere, there) = self.scopes_of(entity, action);
        self.place().filter(|_| everywhere == Scope::None && there != Scope::None)
    }

    /// How far it goes at most.
    pub fn scope(&self, entity: &Entity, action: &str) -> Scope {
        let (everywhere, there) = self.scopes_of(entity, action);
        everywhere.max(there)
    }

    /// How far it goes in the company, and in the one workspace.
    fn scopes_of(&self, entity: &Entity, action: &str) -> (Scope, Scope) {
        let writes = |action| match action {
            "create" | "import" | "delete" | "restore" => true,
            "update" => !entity.is_editable(),
            _ => false,
        };
        if entity.is_kept() && writes(action) {
            return (Scope::None, Scope::None);
        }
        let name = entity.part_of.as_deref().unwrap_or(&entity.name);
        if let Some(limits) = &self.limits {
            let fits = limits.iter().any(|limit| {
                limit
                    .split_once(':')
                    .is_some_and(|(e, a)| (e == "*" || e == name) && (a == "*" || a == action))
            });
            if !fits {
                return (Scope::None, Scope::None);
            }
        }
        let said = |scopes: &HashMap<String, BTreeMap<String, Scope>>| {
            let actions = scopes.get(name)?;
            let of = |a: &str| actions.get(a).copied();
            // Restoring undoes a deletion; export hands out what reading shows; import creates.
            of(action).or_else(|| match action {
                "restore" => of("delete"),
                "export" => of("read"),
                "import" => of("create"),
                _ => None,
            })
        };
        let everywhere = if self.everything { Scope::All } else { said(&self.scopes).unwrap_or_default() };
        (everywhere, self.place.as_ref().and_then(|p| said(&p.scopes)).unwrap_or_default())
    }

    pub fn may(&self, entity: &Entity, action: &str) -> bool {
        self.scope(entity, action) != Scope::None
    }

    pub fn field(&self, entity: &str, field: &str) -> FieldAccess {
        self.fields.get(entity).and_then(|f| f.get(field)).copied().unwrap_or(FieldAccess::Write)
    }

    /// Somebody who may administrate members and roles.
    pub fn is_admin(&self) -> bool {
        self.everything && self.limits.is_none()
    }

    /// The grants for a transaction that carries out `acting`: the right to an action stands for the right to change
    /// the record, as far as the action goes.
    pub(crate) fn grants(&self, acting: Option<(&Entity, &str)>) -> Grants {
        let mut grants = self.grants.clone();
        if let Some((entity, action)) = acting {
            let (place, letter) = (entity.slot * 4 + 2, self.letter(entity, action).to_string());
            let grants = grants.of(entity);
            if place < grants.len() {
                grants.replace_range(place..=place, &letter);
            }
        }
        grants
    }
}
