use crate::{Result, Tx};
use serde_json::Value;
use std::{future::Future as StdFuture, pin::Pin};

/// Rules, actions and calls return this.
pub type Future<'a, T> = Pin<Box<dyn StdFuture<Output = Result<T>> + Send + 'a>>;

/// One folder under `modules/`, as the build script found it.
pub struct Module {
    pub name: &'static str,
    pub schema: &'static str,
    /// module.toml
    pub meta: &'static str,
    pub readme: &'static str,
    /// Language and text of i18n/*.toml
    pub texts: &'static [(&'static str, &'static str)],
    /// Number, way there, way back: changes/0002_….sql, with a line `-- down` between.
    pub changes: &'static [(u32, &'static str)],
    pub rules: &'static [Rule],
    pub actions: &'static [Action],
    pub calls: &'static [Call],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    Before,
    After,
}

/// Something that must hold or happen when an action is taken on an entity: `create`, `update`, `delete` or a move.
pub struct Rule {
    pub when: When,
    pub entity: &'static str,
    pub action: &'static str,
    pub run: for<'a> fn(&'a Tx, &'a Value) -> Future<'a, ()>,
}

/// What people may do with a record besides moving it from state to state. Answers `{entity, id}` of the record made.
pub struct Action {
    pub entity: &'static str,
    pub action: &'static str,
    pub run: for<'a> fn(&'a Tx, &'a Value, &'a Value) -> Future<'a, Value>,
}

/// A function of a module: reports, duplicate search.
pub struct Call {
    pub name: &'static str,
    pub run: for<'a> fn(&'a Tx, &'a Value) -> Future<'a, Value>,
}

/// `rules! { Before confirm sales.orders: has_lines; }`
#[macro_export]
macro_rules! rules {
    ($($when:ident $action:ident $module:ident.$entity:ident: $run:path;)*) => {
        pub(crate) const RULES: &[$crate::Rule] = &[$($crate::Rule {
            when: $crate::When::$when,
            entity: concat!(stringify!($module), ".", stringify!($entity)),
            action: stringify!($action),
            run: |tx, record| Box::pin($run(tx, record)),
        }),*];
    };
}

/// `actions! { invoice sales.orders: invoice; }`
#[macro_export]
macro_rules! actions {
    ($($action:ident $module:ident.$entity:ident: $run:path;)*) => {
        pub(crate) const ACTIONS: &[$crate::Action] = &[$($crate::Action {
            entity: concat!(stringify!($module), ".", stringify!($entity)),
            action: stringify!($action),
            run: |tx, record, body| Box::pin($run(tx, record, body)),
        }),*];
    };
}

/// `calls! { find_duplicates: find_duplicates; }`
#[macro_export]
macro_rules! calls {
    ($($name:ident: $run:path;)*) => {
        pub(crate) const CALLS: &[$crate::Call] = &[$($crate::Call {
            name: stringify!($name),
            run: |tx, body| Box::pin($run(tx, body)),
        }),*];
    };
}
