//! What is read, what is refused and with which words, and what comes out.

use crate::fields::{Fields, ME, context};
use conditions::{Checked, Condition, FieldRef, Kind, Param, Part, Problem, Schema};
use serde_json::{Value, json};

fn checked(condition: &Value) -> Result<Checked, Vec<Problem>> {
    Condition::parse(condition)?.check(&mut Fields, &context())
}

fn sql(condition: Value) -> (String, Vec<Param>) {
    let mut params = vec![];
    let sql = checked(&condition).unwrap_or_else(|e| panic!("{e:?}: {condition}")).sql(&mut params, 1);
    (sql, params)
}

fn rule(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "operator": operator, "value": value.into()})
}

fn relative(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "operator": operator, "value": value.into(), "valueType": "relative"})
}

fn matches(condition: Value, row: Value) -> bool {
    checked(&condition).unwrap_or_else(|e| panic!("{e:?}: {condition}")).matches(&row)
}

/// All problems of a condition, one a line.
fn problems(condition: Value) -> String {
    let problems = checked(&condition).err().unwrap_or_default();
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn refused(condition: Value, words: &str) {
    let problems = problems(condition.clone());
    assert!(problems.contains(words), "{condition}\nshould say: {words}\nbut says: {problems}");
}

#[test]
fn the_usual_forms_are_read() {
    let forms = [
        json!({"operator": "AND", "rules": [{"field": "number", "operator": "greater_than", "value": 10000}]}),
        json!({"combinator": "and", "conditions": [{"field": "number", "op": "gt", "value": "10000"}]}),
        json!({"field": "number", "operator": ">", "value": 1e4}),
        json!([{"field": "number", "operator": "greaterThan", "value": 10000.0, "id": "x1"}]),
        json!({"rules": [{}, null, [], {"operator": "OR", "rules": []}, {"field": "number", "operator": "GREATER THAN", "value": 10000}]}),
    ];
    for form in forms {
        assert_eq!(sql(form), ("r.number > $1::text::numeric".into(), vec![Param::Number("10000".into())]));
    }
}

#[test]
fn what_asks_nothing_is_empty() {
    for nothing in [
        json!(null),
        json!({}),
        json!([]),
        json!({"operator": "NOT", "rules": [{}]}),
        json!({"operator": "or"}),
    ] {
        let condition = Condition::parse(&nothing).unwrap();
        assert!(condition.is_empty(), "{nothing}");
        assert_eq!(sql(nothing), ("true".into(), vec![]));
    }
    assert!(Condition::all(vec![]).is_empty());
    assert!(!Condition::equals("number", "1").is_empty());
}

#[test]
fn conditions_are_put_together() {
    let filter = Condition::parse(&json!({"operator": "or", "rules": [
        rule("text", "eq", "a"), {"field": "date", "operator": "before", "valueType": "field", "value": "date2"}]}));
    let both =
        Condition::all(vec![Condition::equals("number", "5"), filter.unwrap(), Condition::all(vec![])]);
    assert_eq!(both.fields().collect::<Vec<_>>(), ["number", "text", "date", "date2"]);
    let mut params = vec![Param::Text(None)];
    let sql = both.check(&mut Fields, &context()).unwrap().sql(&mut params, 3);
    assert_eq!(sql, "(r.number = $4::text::numeric and (r.text = $5::text or r.date < r.date2))");
    assert_eq!(params[1..], [Param::Number("5".into()), Param::Text(Some("a".into()))]);
}

#[test]
fn the_shape_is_judged_with_a_pointer() {
    refused(json!(5), "A condition is an object");
    refused(
        json!({"operator": "AND", "rules": [{"operator": "or", "rules": [{}, {"field": "text"}]}]}),
        "/rules/0/rules/1/operator: An operator is needed.",
    );
    refused(json!([rule("text", "like", "a")]), "/0/operator: There is no operator \"like\".");
    refused(json!({"field": "", "operator": "eq"}), "/field: The name of a field is needed.");
    refused(json!({"operator": "AND", "rules": 5}), "/rules: The rules of a group are an array.");
    refused(json!({"operator": "XOR", "rules": []}), "/operator: A group's operator is AND, OR or NOT.");
    refused(json!({"combinator": "and", "not": true, "rules": []}), "/not: This key is not known here.");
    refused(
        json!({"field": "text", "operator": "eq", "value": 1, "valueType": "magic"}),
        "/valueType: This is literal",
    );
    // Everything that is wrong, at once.
    assert_eq!(problems(json!([rule("number", "eq", "x"), rule("nope", "eq", 1)])).lines().count(), 2);
}

#[test]
fn limits_hold() {
    let nested =
        |n| (0..n).fold(rule("text", "eq", "a"), |inner, _| json!({"operator": "NOT", "rules": [inner]}));
    assert_eq!(problems(nested(8)), "");
    refused(nested(9), "at most 8 deep");
    refused(nested(100), "at most 8 deep");
    let many = |n| Value::from(vec![rule("text", "eq", "a"); n]);
    assert_eq!(problems(many(200)), "");
    refused(many(201), "at most 200 rules");
    refused(many(100_000), "at most 200 rules");
    assert_eq!(problems(Value::from(vec![json!(0); 100_000])).lines().count(), 201);
    assert_eq!(problems(rule("number", "in", vec![1; 1000])), "");
    refused(rule("number", "in", vec![1; 1001]), "/value: A list may have at most 1000 values.");
    refused(rule("list", "has_any", vec!["a"; 1001]), "at most 1000 values");
    refused(rule("a.b.c.d.e", "eq", 1), "/field: A path may lead over at most 3 relations.");
    refused(rule("a.b.c.d", "eq", 1), "There is no field");
}

#[test]
fn literals_must_fit() {
    for number in [
        json!("1e5"),
        json!("NaN"),
        json!("Infinity"),
        json!(""),
        json!("1,5"),
        json!("+1"),
        json!(" 1"),
        json!("0x10"),
        json!(".5"),
    ] {
        refused(rule("number", "eq", number), "is not a number");
    }
    let raw = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    refused(rule("number", "eq", raw("1e999999999999")), "is not a number");
    refused(rule("number", "eq", raw("1e99999")), "is not a number");
    refused(rule("number", "eq", raw("1e-9223372036854775808")), "is not a number");
    refused(rule("number", "eq", raw("1e900")), "at most 200 digits");
    refused(rule("number", "eq", true), "A number is needed here.");
    refused(rule("text", "eq", 5), "A text is needed here.");
    refused(rule("text", "eq", "a\0b"), "NUL");
    refused(rule("list", "has_any", json!(["a\0"])), "/value/0: A text may not have a NUL");
    refused(rule("bool", "eq", 1), "True or false is needed here.");
    refused(rule("id", "eq", "42"), "is not an id");
    for date in [
        "infinity",
        "now",
        "tomorrow",
        "2024-02-30",
        "31.05.2024",
        "2024-5-1",
        "20240501",
        "2024-05-01T00:00:00Z",
        "1e5",
    ] {
        refused(rule("date", "eq", date), "is not a date like");
    }
    refused(rule("date", "eq", "1899-12-31"), "between 1900 and 2200");
    refused(rule("instant", "gt", "2201-01-01T00:00:00Z"), "between 1900 and 2200");
    for instant in [
        "infinity",
        "epoch",
        "2024-05-01T25:00:00Z",
        "2024-05-01T10:20",
        "2024-05-01T10:20:60Z",
        "2024-05-01T10:20:30+99:00",
    ] {
        refused(rule("instant", "eq", instant), "is not a date, nor a time");
    }
    refused(rule("text", "eq", Value::Null), "A value is needed");
    refused(rule("number", "in", json!([1, null])), "/value/1: A value is needed");
    refused(rule("number", "between", json!([1])), "Between needs an array of two values.");
    refused(rule("date", "within_last", "soon"), "A length of time is needed");
    refused(rule("date", "within_last", "100000y"), "A length of time is needed");
    refused(relative("date", "eq", "+99999d"), "between 1900 and 2200");
    refused(relative("date", "eq", "someday"), "is not a relative date");
    refused(relative("number", "eq", "today"), "does not fit a number");
}

#[test]
fn operators_must_fit() {
    refused(rule("json", "eq", 1), "/operator: equals cannot be asked of a document.");
    refused(rule("number", "contains", "1"), "contains cannot be asked of a number.");
    refused(rule("list", "eq", "a"), "equals cannot be asked of a list of texts.");
    refused(rule("text", "is_true", Value::Null), "is_true cannot be asked of a text.");
    refused(
        json!({"field": "text", "operator": "eq", "valueType": "field", "value": "number"}),
        "/value: number is a number, but a text is needed.",
    );
    refused(
        json!({"field": "text", "operator": "eq", "valueType": "expr", "value": "1+1"}),
        "Computed values are not supported",
    );
    refused(
        json!({"field": "text", "operator": "eq", "value": "a", "quantifier": "any"}),
        "/field: There are no text.",
    );
    refused(rule("text", "within_km", 5), "within_km cannot be asked of a text.");
    refused(
        rule("json", "within_km", json!({"lat": 91, "lon": 0, "km": 1})),
        "/value: A place and a distance",
    );
    refused(rule("text", "matches_fts", " - "), "/value: One to 20 words");
    refused(rule("$event.kind", "eq", "a"), "/field: \"$event.kind\" is known only in triggers and flows.");
    refused(rule("$levels.approval.decision", "eq", "Approved"), "only in triggers and flows");
}

#[test]
fn patterns_are_read_once_for_both() {
    let found = |pattern: &str, text: &str| matches(rule("text", "matches", pattern), json!({"text": text}));
    assert!(found("^INV-\\d{4}$", "INV-2024") && !found("^INV-\\d{4}$", "INV-2024x"));
    assert!(found("(?i)straße|қазақ", "ҚАЗАҚСТАН") && !found("a.c", "a\nc"));
    assert_eq!(
        sql(rule("text", "matches", "^a+(b|c)$")),
        (
            "r.text collate \"C\" ~ $1::text".into(),
            vec![Param::Text(Some("(?:\\A(?:a)+(?:[b-c])\\Z)".into()))]
        )
    );
    refused(rule("text", "matches", "a("), "/value: This is no regular expression: unclosed group.");
    refused(rule("text", "matches", "\\bword"), "Edges of words");
    refused(rule("text", "matches", "(a{250}){250}"), "This pattern repeats too much.");
    refused(rule("text", "matches", "a{300}"), "at most 255 times");
    refused(rule("text", "matches", "(a)\\1"), "backreferences are not supported");
    refused(rule("text", "matches", "x".repeat(501)), "at most 500 characters");
    let words = |asked: &str, text: &str| matches(rule("text", "matches_fts", asked), json!({"text": text}));
    assert!(
        words("steel PIPE", "Pipe, of steel (20 mm)") && !words("pip", "a pipe") && words("pip*", "a pipe")
    );
    assert!(words("труба", "Стальная ТРУБА.") && !words("steel pipe", "steel"));
}

#[test]
fn distances_are_those_of_the_globe() {
    let almaty = json!({"json": {"lat": 43.238, "lon": 76.945}});
    let near = |lat: f64, lon: f64, km: f64| {
        matches(rule("json", "within_km", json!({"lat": lat, "lon": lon, "km": km})), almaty.clone())
    };
    // Astana, 972 km; and the other side of the globe.
    assert!(near(51.169, 71.449, 980.0) && !near(51.169, 71.449, 965.0));
    assert!(!near(-43.238, -103.055, 20_000.0) && near(-43.238, -103.055, 20_100.0));
    let place = rule("json", "within_km", json!({"lat": 0, "lon": 0, "km": 20_100}));
    for no_place in [
        json!({"lat": "0", "lon": 0}),
        json!({"lat": 0}),
        json!({"lat": 0, "lon": 181}),
        json!("0,0"),
        json!(null),
    ] {
        assert!(!matches(place.clone(), json!({"json": no_place})));
    }
    refused(rule("number", "within_km", json!({"lat": 0, "lon": 0, "km": 1})), "a field named latitude");
}

#[test]
fn lines_are_asked_any_all_or_none() {
    let asked = |quantifier: &str, lines: Value| {
        let condition = json!({"field": "lines", "quantifier": quantifier, "where": rule("number", "gt", 5)});
        matches(condition, json!({"lines": lines}))
    };
    let (low, high) = (json!({"number": 1}), json!({"number": 9}));
    assert!(asked("any", json!([low, high])) && !asked("any", json!([low])) && !asked("any", json!([])));
    assert!(asked("all", json!([high])) && !asked("all", json!([low, high])) && asked("all", json!([])));
    assert!(asked("none", json!([low])) && !asked("none", json!([low, high])) && asked("none", json!(null)));
    assert!(!asked("all", json!([{"number": null}])), "what is missing is not greater");
    let short = json!({"field": "lines.number", "quantifier": "ANY", "operator": "gt", "value": 5});
    assert_eq!(
        sql(short).0,
        "exists (select from lines l where l.parent = r.nr and l.number > $1::text::numeric)"
    );
    let both = json!({"field": "lines.number", "quantifier": "any", "operator": "gt", "value": 5, "where": rule("text", "eq", "a")});
    assert_eq!(checked(&both).unwrap().sql(&mut vec![], 1).matches(" and ").count(), 2);
    let any = json!({"field": "lines", "quantifier": "any"});
    assert!(matches(any.clone(), json!({"lines": [{}]})) && !matches(any, json!({"lines": []})));
    let told =
        checked(&json!({"field": "lines", "quantifier": "any", "where": rule("number", "gt", 5)})).unwrap();
    let told = told.explain(&json!({"lines": [low, high]}));
    assert_eq!((&told["left"], &told["right"], &told["verdict"]), (&json!(1), &json!(2), &json!(true)));
    assert_eq!(told["where"][0]["rules"][0]["verdict"], false);
    refused(json!({"field": "lines", "quantifier": "most"}), "/quantifier: This is any, all or none.");
    refused(json!({"field": "lines", "quantifier": "any", "operator": "gt", "value": 1}), "Say which field");
    refused(json!({"field": "lines.number", "quantifier": "any"}), "there is no operator");
    refused(json!({"field": "lines", "where": rule("nothing", "eq", 1)}), "/where/field: There is no field");
    refused(
        json!({"field": "lines", "where": {"field": "lines", "quantifier": "any"}}),
        "lines has no lines",
    );
    refused(json!({"quantifier": "any"}), "/field: The name of the lines is needed.");
}

#[test]
fn a_schema_says_what_changed() {
    struct Plain;
    impl Schema for Plain {
        fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String> {
            Err(format!("There are no {path}."))
        }

        fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
            if path == "n" { Ok(FieldRef { kind: Kind::Number, sql: "n".into() }) } else { Err("No.".into()) }
        }
    }
    let changed = Condition::parse(&rule("n", "changed", Value::Null)).unwrap();
    let problems = changed.check(&mut Plain, &context()).unwrap_err();
    assert_eq!(problems[0].to_string(), "/field: \"$new.n\" is known only in triggers and flows.");
    assert_eq!(
        sql(rule("number", "changed_to", 5)).0,
        "(r.number2 is distinct from r.number and r.number = $1::text::numeric)"
    );
    assert_eq!(sql(rule("$new.number", "increased", Value::Null)).0, "r.number > r.number2");
}

#[test]
fn not_is_the_only_place_where_null_must_be_said() {
    assert_eq!(sql(rule("number", "eq", 1)).0, "r.number = $1::text::numeric");
    assert_eq!(sql(rule("number", "neq", 1)).0, "not coalesce(r.number = $1::text::numeric, false)");
    let not =
        json!({"operator": "NOT", "rules": [rule("text", "eq", "a"), rule("bool", "is_true", Value::Null)]});
    assert_eq!(sql(not).0, "not coalesce((r.text = $1::text and r.bool = $2::text::boolean), false)");
}

#[test]
fn values_never_enter_the_sql() {
    let evil = "'; drop table r; --";
    let each = ["eq", "neq", "gt", "in", "contains", "starts_with", "ends_with", "equals_ci", "contains_ci"];
    for operator in each {
        let (sql, params) = sql(rule("cf.text", operator, evil));
        assert!(!sql.contains("drop"), "{sql}");
        assert_eq!(params.len(), 1);
    }
    assert_eq!(sql(rule("text", "gt", "a")).0, "r.text collate \"C\" > $1::text");
    assert_eq!(sql(rule("id", "in", json!([ME]))).0, "r.id = any($1::text[]::uuid[])");
    assert_eq!(sql(rule("cf.text", "contains_ci", "ΣΑΣ")).1, [Param::Text(Some("σας".into()))]);
}

#[test]
fn relative_values_become_constants() {
    let date = |text: &str| match &sql(relative("date", "eq", text)).1[..] {
        [Param::Date(date)] => date.clone(),
        other => panic!("{other:?}"),
    };
    let days = [
        ("today", "2024-03-31"),
        ("yesterday", "2024-03-30"),
        ("tomorrow", "2024-04-01"),
        ("now", "2024-03-31"),
        ("-7d", "2024-03-24"),
        ("+1mo", "2024-04-30"),
        ("start_of_week", "2024-03-25"),
        ("end_of_week", "2024-03-31"),
        ("start_of_month", "2024-03-01"),
        ("end_of_month-1w", "2024-03-24"),
        ("start_of_quarter", "2024-01-01"),
        ("end_of_year+1d", "2025-01-01"),
        ("today - 1 month", "2024-02-29"),
    ];
    for (text, day) in days {
        assert_eq!(date(text), day, "{text}");
    }
    let instants = |condition| sql(condition).1;
    let at = |text: &str| Param::Instant(text.into());
    // The day on which the clocks went forward had 23 hours.
    let today = [at("2024-03-30T23:00:00Z"), at("2024-03-31T22:00:00Z")];
    assert_eq!(instants(rule("instant", "is_today", Value::Null)), today);
    assert_eq!(instants(rule("instant", "eq", "2024-03-31")), today);
    assert_eq!(instants(relative("instant", "on_or_before", "today")), today[1..]);
    assert_eq!(instants(relative("instant", "after", "-1d")), [at("2024-03-30T09:20:30Z")]);
    assert_eq!(instants(rule("instant", "before", "2024-03-31T10:20:30")), [at("2024-03-31T08:20:30Z")]);
    assert_eq!(
        instants(json!({"field": "instant", "operator": "lt", "valueType": "variable", "value": "$now"})),
        [at("2024-03-31T08:20:30Z")]
    );
    let week = [Param::Date("2024-03-24".into()), Param::Date("2024-03-31".into())];
    for value in [json!("7d"), json!(7), json!({"amount": 7, "unit": "days"}), json!("1 week")] {
        assert_eq!(sql(rule("date", "within_last", value)).1, week);
    }
}

#[test]
fn the_person_who_asks_is_known() {
    let me = [Param::Id(ME.into())];
    assert_eq!(sql(rule("id", "is_current_user", Value::Null)).1, me);
    assert_eq!(sql(relative("id", "eq", "me")).1, me);
    assert_eq!(
        sql(json!({"field": "id", "operator": "eq", "valueType": "variable", "value": "$actor.id"})).1,
        me
    );
    assert_eq!(sql(json!({"operator": "role_is", "value": "clerk"})).0, "true");
    assert_eq!(
        sql(json!({"field": "$actor.roles", "operator": "role_is", "value": ["boss", "owner"]})).0,
        "false"
    );
    refused(rule("id", "role_is", "clerk"), "/field: role_is asks about the person who looks");
    let in_roles =
        json!({"field": "text", "operator": "in", "valueType": "variable", "value": "$actor.roles"});
    assert_eq!(
        sql(in_roles),
        ("r.text = any($1::text[])".into(), vec![Param::List(vec!["buyer".into(), "clerk".into()])])
    );
    let nobody = conditions::Context { user: String::new(), ..context() };
    let mine = Condition::parse(&rule("id", "is_current_user", Value::Null)).unwrap();
    assert_eq!(mine.check(&mut Fields, &nobody).unwrap_err()[0].message, "Nobody is signed in.");
}

#[test]
fn numbers_are_exact() {
    let eq = |a: Value, b: Value| matches(rule("number", "eq", a), json!({"number": b}));
    assert!(eq(json!(1.5), json!("1.500")));
    assert!(eq(json!(100), serde_json::from_str("1e2").unwrap()));
    assert!(eq(json!(0), json!("-0.00")));
    assert!(eq(json!("0.3"), json!(0.3)));
    assert!(!eq(json!("0.3"), json!("0.30000000000000000000000000000000000000001")));
    let less = |a: Value, b: &str| matches(rule("number", "lt", b), json!({"number": a}));
    assert!(
        less(json!(-2), "-1.5")
            && less(json!(-1), "0")
            && less(json!("9"), "10")
            && less(json!("0.09"), "0.1")
    );
    assert!(!less(json!("-1"), "-2") && !less(json!("1"), "1"));
}

#[test]
fn comparisons_are_two_valued() {
    let empty = json!({});
    assert!(!matches(rule("text", "eq", "won"), empty.clone()));
    assert!(matches(rule("text", "neq", "won"), empty.clone()));
    assert!(matches(rule("list", "has_none", json!(["a"])), empty.clone()));
    assert!(!matches(rule("bool", "is_false", Value::Null), empty.clone()));
    assert!(matches(rule("text", "is_empty", Value::Null), empty));
    assert!(!matches(rule("number", "gt", 1), json!({"number": "many"})));
    assert!(
        matches(rule("text", "contains", "%"), json!({"text": "100%"}))
            && !matches(rule("text", "contains", "%"), json!({"text": "100"}))
    );
}

#[test]
fn a_verdict_is_explained() {
    let condition = json!({"operator": "AND", "rules": [
        rule("number", "greater_than", 10000),
        {"operator": "NOT", "rules": [rule("text", "in", json!(["a", "b"]))]},
        {"field": "date", "operator": "before", "valueType": "field", "value": "date2"}]});
    let row = json!({"number": "12500.00", "text": "c", "date": "2024-05-01", "date2": "2024-04-01"});
    assert_eq!(
        checked(&condition).unwrap().explain(&row),
        json!({"operator": "AND", "verdict": false, "rules": [
            {"field": "number", "operator": "greater_than", "left": "12500", "right": "10000", "verdict": true, "sentence": "number is greater than 10000"},
            {"operator": "NOT", "verdict": true, "rules": [
                {"field": "text", "operator": "in", "left": "c", "right": ["a", "b"], "verdict": false, "sentence": "text is one of a, b"}]},
            {"field": "date", "operator": "before", "left": "2024-05-01", "right": "2024-04-01", "verdict": false, "sentence": "date is before date2"}]})
    );
}
