//! An entity to try conditions on.

use conditions::{Context, FieldRef, Kind, Schema};

/// Two fields of each kind, and custom fields of each kind in `doc`, some of whose values have another type.
pub(crate) const KINDS: [(&str, Kind); 8] = [
    ("text", Kind::Text),
    ("number", Kind::Number),
    ("date", Kind::Date),
    ("instant", Kind::Instant),
    ("bool", Kind::Bool),
    ("id", Kind::Id),
    ("list", Kind::TextList),
    ("json", Kind::Json),
];

pub(crate) struct Fields;

impl Schema for Fields {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        let find = |name: &str| KINDS.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind);
        let field = |kind: Option<Kind>, sql: String| {
            kind.map(|kind| FieldRef { kind, sql }).ok_or(format!("There is no field {path:?}."))
        };
        if let Some(key) = path.strip_prefix("cf.") {
            return field(find(key), format!("pg_temp.j_{key}(r.doc, '{key}')"));
        }
        // What a trigger's schema does: the row before and the row after.
        let name = path.strip_prefix("$new.").unwrap_or(path);
        let name = name.strip_prefix("$old.").map_or(name.to_owned(), |name| format!("{name}2"));
        field(find(name.trim_end_matches('2')), format!("r.{name}"))
    }
}

pub(crate) const ME: &str = "0190c5a2-0000-7000-8000-0000000000aa";

/// A Sunday on which Berlin's clocks go forward: 10:20:30 there.
pub(crate) fn context() -> Context {
    Context {
        user: ME.into(),
        roles: vec!["buyer".into(), "clerk".into()],
        now: "2024-03-31T08:20:30Z".parse().unwrap(),
        zone: jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
    }
}
