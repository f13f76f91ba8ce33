//! A checked condition, and its two executors side by side.

use crate::parse::Quantifier;
use crate::pattern::Pattern;
use crate::value::{Datum, Number};
use crate::{Kind, Param, Row};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// A condition that fits its entity: every path is resolved, every value typed, every relative date a constant.
#[derive(Clone, Debug)]
pub struct Checked(pub(crate) Node);

#[derive(Clone, Debug)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    /// Not all of them.
    Not(Vec<Node>),
    Rule(Box<Rule>),
    /// Asked of the rows that belong to a record: `rows` is what a FROM says of them.
    Each {
        path: String,
        quantifier: Quantifier,
        rows: String,
        inner: Box<Node>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) field: String,
    pub(crate) operator: &'static str,
    pub(crate) words: &'static str,
    pub(crate) left: Option<Operand>,
    pub(crate) right: Shown,
    pub(crate) test: Test,
}

/// The right side, for people.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Nothing,
    Constant(Value),
    Field(String, Operand),
}

/// What all operators come down to. Few, so that there is little for the two executors to differ in.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Constant(bool),
    All(Vec<Test>),
    Not(Box<Test>),
    Any(Vec<Test>),
    Compare(Operand, Order, Operand),
    /// Equal to one of some constants of the same kind.
    In(Operand, Vec<Datum>),
    Contains(Operand, Operand),
    StartsWith(Operand, Operand),
    EndsWith(Operand, Operand),
    /// A text is an item of a list.
    Member(Operand, Operand),
    HasAny(Operand, Operand),
    HasAll(Operand, Operand),
    Filled(Operand),
    Matches(Operand, Pattern),
    WithinKm(Place, Near),
    /// Differs, where missing is a value like any other.
    Distinct(Operand, Operand),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Field { path: String, kind: Kind, sql: String },
    Constant(Datum),
    Lower(Box<Operand>),
    Length(Box<Operand>),
}

/// A circle on the earth; degrees and kilometres.
#[derive(Clone, Debug)]
pub(crate) struct Near {
    lat: f64,
    lon: f64,
    km: f64,
}

impl Near {
    const RADIUS: f64 = 6371.0088;

    pub(crate) fn read(value: &Value) -> Result<Near, &'static str> {
        let number = |key: &str| value.get(key).and_then(Value::as_f64);
        match (degrees(&value["lat"], 90.0), degrees(&value["lon"], 180.0), number("km")) {
            (Some(lat), Some(lon), Some(km)) if (0.0..=20_100.0).contains(&km) => Ok(Near { lat, lon, km }),
            _ => Err("A place and a distance are needed: {\"lat\": 43.24, \"lon\": 76.95, \"km\": 10}."),
        }
    }

    /// How much of the haversine the distance allows: 1 is the other side of the globe.
    fn most(&self) -> f64 {
        let half = self.km / (2.0 * Near::RADIUS);
        if half < std::f64::consts::FRAC_PI_2 { half.sin().powi(2) } else { 2.0 }
    }

    /// The haversine formula.
    fn holds(&self, (lat, lon): (f64, f64)) -> bool {
        let half = |a: f64, b: f64| ((a - b).to_radians() / 2.0).sin().powi(2);
        let across = self.lat.to_radians().cos() * lat.to_radians().cos() * half(lon, self.lon);
        half(lat, self.lat) + across <= self.most()
    }

    fn sql(&self, (lat, lon): (String, String)) -> String {
        let half = |a: &str, b: f64| format!("power(sin(radians(({a}) - ({b:?})) / 2), 2)");
        format!(
            "{} + cos(radians({:?})) * cos(radians({lat})) * {} <= {:?}",
            half(&lat, self.lat),
            self.lat,
            half(&lon, self.lon),
            self.most()
        )
    }
}

/// Where something is, in degrees: a document with `lat` and `lon`, or two numbers.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Document(Operand),
    Pair(Operand, Operand),
}

impl Place {
    fn at(&self, row: &dyn Row) -> Option<(f64, f64)> {
        let (lat, lon) = match self {
            Place::Document(document) => {
                let Datum::Json(document) = document.value(row)? else { return None };
                (document["lat"].as_f64()?, document["lon"].as_f64()?)
            }
            Place::Pair(lat, lon) => {
                let number = |operand: &Operand| operand.value(row)?.text().parse().ok();
                (number(lat)?, number(lon)?)
            }
        };
        (f64::abs(lat) <= 90.0 && f64::abs(lon) <= 180.0).then_some((lat, lon))
    }

    fn sql(&self, writer: &mut Writer) -> (String, String) {
        // A number that is no place must not even be made a float of, and CASE is what keeps the order.
        let degrees = |number: &str, most: u32| {
            format!("case when abs({number}) <= {most} then round({number}, 9)::float8 end")
        };
        match self {
            Place::Document(document) => {
                let document = document.sql(writer);
                let key = |key: &str, most: u32| {
                    let number = degrees(&format!("({document} ->> '{key}')::numeric"), most);
                    format!("case when jsonb_typeof({document} -> '{key}') = 'number' then {number} end")
                };
                (key("lat", 90), key("lon", 180))
            }
            Place::Pair(lat, lon) => (degrees(&lat.sql(writer), 90), degrees(&lon.sql(writer), 180)),
        }
    }
}

fn degrees(value: &Value, most: f64) -> Option<f64> {
    value.as_f64().filter(|degrees| degrees.abs() <= most)
}

impl Checked {
    /// An expression for a WHERE, where null counts as false. That is why only NOT needs a `coalesce`, and why
    /// `field equals literal` stays something that an index can serve. The first parameter that it pushes has the number
    /// `first + params.len()`.
    pub fn sql(&self, params: &mut Vec<Param>, first: usize) -> String {
        self.0.sql(&mut Writer { params, first })
    }

    /// Fields that must equal a constant in every row that matches, as JSON would say it. An index over whole documents can
    /// look for those, ids being in small letters there; instants are left out, for they may be written in several ways.
    pub fn fixed(&self) -> Vec<(&str, Value)> {
        let mut fixed = Vec::new();
        self.0.fixed(&mut fixed);
        fixed
    }

    /// Whether a row matches.
    pub fn matches(&self, row: &dyn Row) -> bool {
        self.0.matches(row)
    }

    /// The same tree with what stood on either side of each rule and how it was judged.
    pub fn explain(&self, row: &dyn Row) -> Value {
        self.0.explain(row)
    }
}

/// Of a list, where PostgreSQL allows nulls.
type Items = [Option<String>];

struct Writer<'a> {
    params: &'a mut Vec<Param>,
    first: usize,
}

impl Writer<'_> {
    fn param(&mut self, param: Param) -> String {
        let n = self.first + self.params.len();
        self.params.push(param);
        format!("${n}")
    }
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "numeric",
        Kind::Date => "date",
        Kind::Instant => "timestamptz",
        Kind::Bool => "boolean",
        Kind::Id => "uuid",
        Kind::TextList => "text[]",
        Kind::Json => "jsonb",
    }
}

/// `(a and b)`; of none, what the word is neutral to.
fn joined(parts: Vec<String>, word: &str) -> String {
    match parts.as_slice() {
        [] => (word == " and ").to_string(),
        [one] => one.clone(),
        many => format!("({})", many.join(word)),
    }
}

impl Node {
    fn fixed<'a>(&'a self, fixed: &mut Vec<(&'a str, Value)>) {
        match self {
            Node::All(nodes) => nodes.iter().for_each(|node| node.fixed(fixed)),
            Node::Rule(rule) => {
                if let Test::Compare(Operand::Field { path, .. }, Order::Equal, Operand::Constant(datum)) =
                    &rule.test
                {
                    let value = match datum {
                        Datum::Text(_) | Datum::Bool(_) | Datum::Date(_) | Datum::Id(_) => datum.json(),
                        Datum::Number(number) => match serde_json::from_str(&number.to_string()) {
                            Ok(number) => number,
                            Err(_) => return,
                        },
                        _ => return,
                    };
                    fixed.push((path, value));
                }
            }
            Node::Any(_) | Node::Not(_) | Node::Each { .. } => {}
        }
    }

    fn sql(&self, writer: &mut Writer) -> String {
        let mut each = |nodes: &[Node]| nodes.iter().map(|node| node.sql(writer)).collect::<Vec<_>>();
        match self {
            Node::All(nodes) => joined(each(nodes), " and "),
            Node::Any(nodes) => joined(each(nodes), " or "),
            Node::Not(nodes) => format!("not coalesce({}, false)", joined(each(nodes), " and ")),
            Node::Rule(rule) => rule.test.sql(writer),
            Node::Each { quantifier, rows, inner, .. } => {
                let inner = inner.sql(writer);
                match quantifier {
                    Quantifier::Any => format!("exists (select from {rows} and {inner})"),
                    Quantifier::None => format!("not exists (select from {rows} and {inner})"),
                    Quantifier::All => {
                        format!("not exists (select from {rows} and not coalesce({inner}, false))")
                    }
                }
            }
        }
    }

    fn matches(&self, row: &dyn Row) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.matches(row)),
            Node::Any(nodes) => nodes.iter().any(|node| node.matches(row)),
            Node::Not(nodes) => !nodes.iter().all(|node| node.matches(row)),
            Node::Rule(rule) => rule.test.matches(row),
            Node::Each { path, quantifier, inner, .. } => {
                let value = row.value(path);
                let rows = value.as_array().map_or(&[][..], Vec::as_slice);
                match quantifier {
                    Quantifier::Any => rows.iter().any(|row| inner.matches(row)),
                    Quantifier::None => !rows.iter().any(|row| inner.matches(row)),
                    Quantifier::All => rows.iter().all(|row| inner.matches(row)),
                }
            }
        }
    }

    fn explain(&self, row: &dyn Row) -> Value {
        let (operator, nodes) = match self {
            Node::All(nodes) => ("AND", nodes),
            Node::Any(nodes) => ("OR", nodes),
            Node::Not(nodes) => ("NOT", nodes),
            Node::Rule(rule) => return rule.explain(row),
            Node::Each { path, quantifier, inner, .. } => {
                let value = row.value(path);
                let rows = value.as_array().map_or(&[][..], Vec::as_slice);
                return json!({
                    "field": path,
                    "quantifier": quantifier.name(),
                    "left": rows.iter().filter(|row| inner.matches(*row)).count(),
                    "right": rows.len(),
                    "verdict": self.matches(row),
                    "where": rows.iter().map(|row| inner.explain(row)).collect::<Vec<_>>(),
                    "sentence": format!("{} of {path} match", quantifier.name()),
                });
            }
        };
        let rules: Vec<Value> = nodes.iter().map(|node| node.explain(row)).collect();
        json!({"operator": operator, "verdict": self.matches(row), "rules": rules})
    }
}

impl Rule {
    fn explain(&self, row: &dyn Row) -> Value {
        let json = |operand: &Operand| operand.value(row).map_or(Value::Null, |v| v.json());
        let (right, shown) = match &self.right {
            Shown::Nothing => (Value::Null, String::new()),
            Shown::Constant(value) => (value.clone(), format!(" {}", in_words(value))),
            Shown::Field(path, operand) => (json(operand), format!(" {path}")),
        };
        json!({
            "field": self.field,
            "operator": self.operator,
            "left": self.left.as_ref().map_or(Value::Null, json),
            "right": right,
            "verdict": self.test.matches(row),
            "sentence": format!("{} {}{shown}", self.field, self.words),
        })
    }
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

impl Test {
    fn sql(&self, writer: &mut Writer) -> String {
        let mut each = |tests: &[Test]| tests.iter().map(|test| test.sql(writer)).collect::<Vec<_>>();
        match self {
            Test::Constant(yes) => yes.to_string(),
            Test::All(tests) => joined(each(tests), " and "),
            Test::Any(tests) => joined(each(tests), " or "),
            Test::Not(test) => format!("not coalesce({}, false)", test.sql(writer)),
            Test::Compare(left, order, right) => {
                let ordered = !matches!(order, Order::Equal) && left.kind() == Kind::Text;
                let collate = if ordered { " collate \"C\"" } else { "" };
                format!("{}{collate} {} {}", left.sql(writer), order.sql(), right.sql(writer))
            }
            Test::In(left, values) => {
                let cast = match left.kind() {
                    Kind::Text => String::new(),
                    kind => format!("::{}[]", sql_type(kind)),
                };
                let left = left.sql(writer);
                let list = writer.param(Param::List(values.iter().map(Datum::text).collect()));
                format!("{left} = any({list}::text[]{cast})")
            }
            Test::Contains(left, right) => {
                format!("strpos({}, {}) > 0", left.sql(writer), right.sql(writer))
            }
            Test::StartsWith(left, right) => {
                format!("starts_with({}, {})", left.sql(writer), right.sql(writer))
            }
            Test::EndsWith(left, right) => {
                let (left, right) = (left.sql(writer), right.sql(writer));
                format!("right({left}, length({right})) = {right}")
            }
            Test::Member(left, right) => {
                format!("{} = any({})", left.sql(writer), right.sql(writer))
            }
            Test::HasAny(left, right) => format!("{} && {}", left.sql(writer), right.sql(writer)),
            Test::HasAll(left, right) => format!("{} @> {}", left.sql(writer), right.sql(writer)),
            Test::Filled(operand) => {
                let sql = operand.sql(writer);
                match operand.kind() {
                    Kind::Text => format!("{sql} <> ''"),
                    Kind::TextList => format!("cardinality({sql}) > 0"),
                    Kind::Json => {
                        format!("{sql} <> all (array['null', '\"\"', '[]', '{{}}']::jsonb[])")
                    }
                    _ => format!("{sql} is not null"),
                }
            }
            Test::Matches(text, pattern) => {
                let text = text.sql(writer);
                format!(
                    "{text} collate \"C\" ~ {}::text",
                    writer.param(Param::Text(Some(pattern.sql.clone())))
                )
            }
            Test::WithinKm(place, near) => near.sql(place.sql(writer)),
            Test::Distinct(left, right) => {
                format!("{} is distinct from {}", left.sql(writer), right.sql(writer))
            }
        }
    }

    fn matches(&self, row: &dyn Row) -> bool {
        let both = |left: &Operand, right: &Operand| Some((left.value(row)?, right.value(row)?));
        let texts = |left, right, test: fn(&str, &str) -> bool| match both(left, right) {
            Some((Datum::Text(left), Datum::Text(right))) => test(&left, &right),
            _ => false,
        };
        let lists = |left, right, test: fn(&Items, &Items) -> bool| match both(left, right) {
            Some((Datum::List(left), Datum::List(right))) => test(&left, &right),
            _ => false,
        };
        match self {
            Test::Constant(yes) => *yes,
            Test::All(tests) => tests.iter().all(|test| test.matches(row)),
            Test::Any(tests) => tests.iter().any(|test| test.matches(row)),
            Test::Not(test) => !test.matches(row),
            Test::Compare(left, order, right) => {
                both(left, right).and_then(|(a, b)| a.compare(&b)).is_some_and(|found| order.allows(found))
            }
            Test::In(left, values) => left.value(row).is_some_and(|value| values.contains(&value)),
            Test::Contains(left, right) => texts(left, right, |a, b| a.contains(b)),
            Test::StartsWith(left, right) => texts(left, right, |a, b| a.starts_with(b)),
            Test::EndsWith(left, right) => texts(left, right, |a, b| a.ends_with(b)),
            Test::Member(left, right) => match both(left, right) {
                Some((Datum::Text(item), Datum::List(list))) => list.contains(&Some(item)),
                _ => false,
            },
            Test::HasAny(left, right) => {
                lists(left, right, |a, b| b.iter().any(|item| item.is_some() && a.contains(item)))
            }
            // An array that holds a null is contained in none, says PostgreSQL.
            Test::HasAll(left, right) => {
                lists(left, right, |a, b| b.iter().all(|item| item.is_some() && a.contains(item)))
            }
            Test::Filled(operand) => operand.value(row).is_some_and(|value| !value.is_empty()),
            Test::Matches(text, pattern) => {
                matches!(text.value(row), Some(Datum::Text(text)) if pattern.regex.is_match(&text))
            }
            Test::WithinKm(place, near) => place.at(row).is_some_and(|at| near.holds(at)),
            Test::Distinct(left, right) => left.value(row) != right.value(row),
        }
    }
}

impl Order {
    fn sql(self) -> &'static str {
        match self {
            Order::Equal => "=",
            Order::Less => "<",
            Order::LessOrEqual => "<=",
            Order::Greater => ">",
            Order::GreaterOrEqual => ">=",
        }
    }

    fn allows(self, found: Ordering) -> bool {
        match self {
            Order::Equal => found.is_eq(),
            Order::Less => found.is_lt(),
            Order::LessOrEqual => found.is_le(),
            Order::Greater => found.is_gt(),
            Order::GreaterOrEqual => found.is_ge(),
        }
    }
}

impl Operand {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Operand::Field { kind, .. } => *kind,
            Operand::Constant(datum) => datum.kind(),
            Operand::Lower(_) => Kind::Text,
            Operand::Length(_) => Kind::Number,
        }
    }

    fn sql(&self, writer: &mut Writer) -> String {
        match self {
            Operand::Field { sql, .. } => {
                let column = sql.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"'));
                if column { sql.clone() } else { format!("({sql})") }
            }
            Operand::Constant(datum @ Datum::List(_)) => {
                format!("{}::text[]", writer.param(datum.param()))
            }
            Operand::Constant(datum @ Datum::Text(_)) => {
                format!("{}::text", writer.param(datum.param()))
            }
            Operand::Constant(datum) => {
                format!("{}::text::{}", writer.param(datum.param()), sql_type(datum.kind()))
            }
            // Lowered here, so that a constant is lowered the same for both executors.
            Operand::Lower(inner) => match inner.as_ref() {
                Operand::Constant(Datum::Text(text)) => {
                    Operand::Constant(Datum::Text(text.to_lowercase())).sql(writer)
                }
                inner => format!("lower({} collate \"und-x-icu\")", inner.sql(writer)),
            },
            Operand::Length(inner) if inner.kind() == Kind::TextList => {
                format!("cardinality({})::numeric", inner.sql(writer))
            }
            Operand::Length(inner) => format!("char_length({})::numeric", inner.sql(writer)),
        }
    }

    pub(crate) fn value(&self, row: &dyn Row) -> Option<Datum> {
        match self {
            Operand::Field { path, kind, .. } => Datum::read(*kind, &row.value(path)),
            Operand::Constant(datum) => Some(datum.clone()),
            Operand::Lower(inner) => match inner.value(row)? {
                Datum::Text(text) => Some(Datum::Text(text.to_lowercase())),
                _ => None,
            },
            Operand::Length(inner) => match inner.value(row)? {
                Datum::Text(text) => Some(Datum::Number(Number::count(text.chars().count()))),
                Datum::List(items) => Some(Datum::Number(Number::count(items.len()))),
                _ => None,
            },
        }
    }
}
