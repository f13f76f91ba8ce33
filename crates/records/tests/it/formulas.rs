//! No formula fails on any row, whatever it is made of and whatever stands in the fields.

use crate::shop::scene;
use kernel::{CustomField, Kind, Overlay};
use serde_json::{Value, json};
use std::sync::Arc;

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn of(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % most
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.of(of.len())]
    }

    /// A formula of this type, well made.
    fn formula(&mut self, kind: Kind, depth: usize) -> String {
        if depth == 0 || self.of(5) == 0 {
            return match kind {
                Kind::Number => self.one(&[
                    "credit",
                    "cf.n",
                    "cf.whole",
                    "0",
                    "99999999999999",
                    "0.000001",
                    "-1",
                    "empty",
                ]),
                Kind::Text => self.one(&[
                    "name",
                    "cf.t",
                    "note",
                    "email",
                    "'it''s \\ \"'",
                    "'é$1%'",
                    "empty",
                    "cf.choice",
                ]),
                Kind::Date => self.one(&[
                    "since",
                    "cf.d",
                    "cf.at",
                    "created_at",
                    "today()",
                    "date('2026-02-28')",
                    "empty",
                ]),
                _ => self.one(&[
                    "cf.yes",
                    "true",
                    "false",
                    "is_empty(tags)",
                    "is_empty(cf.place)",
                    "is_empty(cf.n)",
                ]),
            }
            .to_owned();
        }
        let mut sub = |kind| self.formula(kind, depth - 1);
        let (n, m) = (sub(Kind::Number), sub(Kind::Number));
        let (t, u) = (sub(Kind::Text), sub(Kind::Text));
        let (d, e) = (sub(Kind::Date), sub(Kind::Date));
        let (b, c) = (sub(Kind::Boolean), sub(Kind::Boolean));
        let sign = self.one(&["=", "<>", "<", "<=", ">", ">="]);
        let typed = |of: &str, kind: &str| {
            if of == "empty" { format!("coalesce({of}, {kind})") } else { of.to_owned() }
        };
        match kind {
            Kind::Number => match self.of(12) {
                0 => format!("({n} + {m})"),
                1 => format!("({n} * {m})"),
                2 => format!("({n} / {m})"),
                3 => format!("({n} % {m})"),
                4 => format!("round({n}, {})", self.of(7)),
                5 => format!("min({}, {m})", typed(&n, "1")),
                6 => format!("if({b}, {}, {m})", typed(&n, "1")),
                7 => format!("length({t})"),
                8 => format!("days({d}, {e})"),
                9 => format!("(year({d}) - month({e}) * day({d}))"),
                10 => format!("(-abs({n}) + ceil({m}))"),
                _ => format!("coalesce({}, floor({m}))", typed(&n, "1")),
            },
            Kind::Text => match self.of(7) {
                0 => format!("({t} & {n} & {d} & {b})"),
                1 => format!("left({t}, {n})"),
                2 => format!("right({t}, {m})"),
                3 => format!("upper(trim({t}))"),
                4 => format!("if({b}, {}, {u})", typed(&t, "'x'")),
                5 => format!("concat({t}, {n}, {e}, {c})"),
                _ => format!("max({}, lower({u}))", typed(&t, "'x'")),
            },
            Kind::Date => match self.of(4) {
                0 => format!("add_days({d}, {n})"),
                1 => format!("add_months({d}, {n})"),
                2 => format!("max({}, {e})", typed(&d, "today()")),
                _ => format!("if({b}, {}, {e})", typed(&d, "today()")),
            },
            _ => match self.of(6) {
                0 => format!("({} {sign} {m})", typed(&n, "1")),
                1 => format!("({} {sign} {u})", typed(&t, "'x'")),
                2 => format!("({} {sign} {e})", typed(&d, "today()")),
                3 => format!("({b} and {c})"),
                4 => format!("(not {b} or {c})"),
                _ => format!("is_empty({n})"),
            },
        }
    }
}

#[tokio::test]
async fn no_formula_fails_on_any_row() {
    let s = scene().await;
    let mut ann = s.person("Acme", "owner").await;
    let field = |name: &str, look: &str, kind, settings| CustomField {
        name: name.into(),
        label: name.into(),
        look: look.into(),
        kind,
        settings,
        ..CustomField::default()
    };
    let kept = [
        ("n", Kind::Number),
        ("whole", Kind::Integer),
        ("t", Kind::Text),
        ("d", Kind::Date),
        ("at", Kind::Datetime),
        ("yes", Kind::Boolean),
        ("choice", Kind::Select),
        ("place", Kind::Location),
    ];
    for name in ["Plain", "Odd", "Odder", "Wrong", "Bare"] {
        ann.create("shop.customers", json!({ "name": name, "credit": "12.50", "since": "2026-01-31" }))
            .await
            .ok();
    }
    // What nobody may write may still have come from elsewhere.
    for (name, custom, since) in [
        (
            "Plain",
            json!({ "n": 2.5, "whole": 3, "t": "text", "d": "2024-02-29", "at": "2026-05-01T10:00:00Z", "yes": true, "choice": "a" }),
            "2026-01-31",
        ),
        (
            "Odd",
            json!({ "n": 1e100, "whole": 99_999_999_999_999_u64, "t": "x".repeat(5_000), "d": "9999-12-31", "at": "0001-01-01T00:00:00Z" }),
            "infinity",
        ),
        (
            "Odder",
            json!({ "n": -1e-100, "whole": 0, "t": "", "d": "4000-01-01", "yes": false, "place": { "lat": 1, "lon": 2 } }),
            "5874897-12-31",
        ),
        (
            "Wrong",
            json!({ "n": "NaN", "whole": [], "t": 5, "d": "soon", "at": {}, "yes": "yes", "choice": 1 }),
            "4713-01-01 BC",
        ),
    ] {
        let sql = format!("update shop.customers set custom = $1, since = '{since}' where name = $2");
        s.admin().execute("set session_replication_role = replica", &[]).await.unwrap();
        assert_eq!(s.admin().execute(&sql, &[&custom, &name]).await.unwrap(), 1);
    }
    let mut dice = Dice(7);
    let (mut tried, mut said) = (0, 0);
    for _ in 0..40 {
        let mut fields: Vec<CustomField> =
            kept.iter().map(|(name, kind)| field(name, kind.name(), *kind, json!({}))).collect();
        for n in 0..12 {
            let kind = [Kind::Number, Kind::Text, Kind::Date, Kind::Boolean][dice.of(4)];
            let expression = dice.formula(kind, 3);
            let made = field(&format!("f{n}"), "formula", kind, json!({ "expression": expression }));
            let entity = ann.actor.catalog.entity("shop.customers").unwrap();
            let mut overlay = Overlay::default();
            overlay.fields.insert("shop.customers".into(), fields.clone());
            ann.actor.overlay = Arc::new(overlay);
            if expression.chars().count() > 1_000 || expression == "empty" {
                continue;
            }
            match records::computed::check(&ann.actor, entity, &made) {
                Ok(found) => assert_eq!(found, kind, "{expression}"),
                Err(e) => panic!("{expression}: {e}"),
            }
            fields.push(made);
            tried += 1;
        }
        let names: Vec<String> =
            fields.iter().filter(|f| f.is_computed()).map(|f| format!("cf.{}", f.name)).collect();
        let mut overlay = Overlay::default();
        let told: Vec<String> = fields.iter().map(|f| f.settings.to_string()).collect();
        overlay.fields.insert("shop.customers".into(), fields);
        ann.actor.overlay = Arc::new(overlay);
        let sort: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
        let list =
            ann.list("shop.customers", &[("fields", &names.join(",")), ("sort", &sort.join(","))]).await;
        let list = list.result().unwrap_or_else(|e| panic!("{e:?}: {told:#?}"));
        let rows = list["data"].as_array().unwrap();
        assert_eq!(rows.len(), 5);
        said +=
            rows.iter().flat_map(|r| names.iter().map(move |n| &r[n])).filter(|v| **v != Value::Null).count();
    }
    assert!(tried > 300 && said > tried, "{tried} formulas said something {said} times");
}
