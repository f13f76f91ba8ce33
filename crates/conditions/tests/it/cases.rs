//! Cases that the pages' own evaluator is held against too (`web/src/lib/condition.test.ts`): condition, row, whether it holds.

use conditions::{Condition, Context, FieldRef, Kind, Part, Schema};
use serde_json::Value;

const CASES: &str = include_str!("cases.json");

/// What each field of the cases holds.
struct Kinds<'a>(&'a Value);

impl Schema for Kinds<'_> {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        let kind = match self.0[path].as_str() {
            Some("text") => Kind::Text,
            Some("number") => Kind::Number,
            Some("date") => Kind::Date,
            Some("instant") => Kind::Instant,
            Some("bool") => Kind::Bool,
            Some("id") => Kind::Id,
            Some("list") => Kind::TextList,
            Some("json") => Kind::Json,
            _ => return Err(format!("There is no field {path}.")),
        };
        Ok(FieldRef { kind, sql: path.into() })
    }

    fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String> {
        Err(format!("There are no {path}."))
    }
}

#[test]
fn the_cases_of_the_pages_hold_here_too() {
    let all: Value = serde_json::from_str(CASES).unwrap();
    let context = Context {
        user: String::new(),
        roles: vec![],
        departments: None,
        now: all["now"].as_str().unwrap().parse().unwrap(),
        zone: jiff::tz::TimeZone::get(all["zone"].as_str().unwrap()).unwrap(),
    };
    let cases = all["cases"].as_array().unwrap();
    assert!(cases.len() > 100);
    for case in cases {
        let checked = Condition::parse(&case[0]).unwrap().check(&mut Kinds(&all["kinds"]), &context);
        let checked = checked.unwrap_or_else(|e| panic!("{case}: {e:?}"));
        assert_eq!(checked.matches(&case[1]), case[2] == true, "{case}");
    }
}
