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

    /// As the policies of the database read it, see sql/1_context.sql.
    fn letter(self) -> char {
        match self {
            Scope::None => '-',
            Scope::Own => 'o',
            Scope::Team => 't',
            Scope::Workspace => 'w',
            Scope::All => 'a',
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
    pub team: Vec<Uuid>,
    /// `None`: all workspaces.
    pub workspaces: Option<Vec<Uuid>>,
    /// Of an API token: `entity:action`, either may be `*`. `None`: not limited.
    pub limits: Option<Vec<String>>,
    grants: String,
}

/// What every member may do, so that the product works for him: names of colleagues, own views, own notifications,
/// own imports, attached files (whose own right is that of the record they hang on).
const MEMBER: &[(&str, &str, Scope)] = &[
    (crate::MEMBERS, "read", Scope::All),
    ("social.saved_views", "read", Scope::All),
    ("social.saved_views", "create", Scope::Own),
    ("social.saved_views", "update", Scope::Own),
    ("social.saved_views", "delete", Scope::Own),
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

    /// Writes down what the database is told; to be called after a change of limits.
    pub fn seal(&mut self, catalog: &Catalog) {
        let mut grants = vec!['-'; catalog.slots * 4];
        for entity in catalog.entities.values().filter(|e| e.part_of.is_none()) {
            for (n, action) in BASE.iter().enumerate() {
                grants[entity.slot * 4 + n] = self.scope(entity, action).letter();
            }
        }
        self.grants = grants.into_iter().collect();
    }

    pub fn scope(&self, entity: &Entity, action: &str) -> Scope {
        let name = entity.part_of.as_deref().unwrap_or(&entity.name);
        if let Some(limits) = &self.limits {
            let fits = limits.iter().any(|limit| {
                limit
                    .split_once(':')
                    .is_some_and(|(e, a)| (e == "*" || e == name) && (a == "*" || a == action))
            });
            if !fits {
                return Scope::None;
            }
        }
        let said = self.scopes.get(name).and_then(|actions| {
            let of = |a: &str| actions.get(a).copied();
            // Restoring undoes a deletion; export hands out what reading shows; import creates.
            of(action).or_else(|| match action {
                "restore" => of("delete"),
                "export" => of("read"),
                "import" => of("create"),
                _ => None,
            })
        });
        match said {
            Some(scope) if !self.everything => scope,
            _ if self.everything => Scope::All,
            _ => Scope::None,
        }
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
    pub(crate) fn grants(&self, acting: Option<(&Entity, &str)>) -> String {
        let Some((entity, action)) = acting else { return self.grants.clone() };
        let place = entity.slot * 4 + 2;
        let letter = self.scope(entity, action).letter();
        self.grants.chars().enumerate().map(|(n, was)| if n == place { letter } else { was }).collect()
    }
}
