//! An entity to try conditions on.

use conditions::{Context, FieldRef, Kind, Part, Schema};

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

/// What both the rows and their lines have: a condition asks the same of either.
struct Lines;

impl Schema for Lines {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        let field = Fields.resolve(path)?;
        Ok(FieldRef { sql: field.sql.replace("r.", "l."), ..field })
    }

    fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String> {
        Err(format!("{path} has no lines."))
    }
}

impl Part for Lines {
    fn rows(&self) -> String {
        "lines l where l.parent = r.nr".into()
    }
}

impl Schema for Fields {
    fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        if first == "lines" {
            Ok((Box::new(Lines), rest.into()))
        } else {
            Err(format!("There are no {first}."))
        }
    }

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
        departments: Some(vec![ME.into()]),
        now: "2024-03-31T08:20:30Z".parse().unwrap(),
        zone: jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
    }
}
