//! From the tree that was read to one that can be executed: paths resolved, values typed, relative dates made constant.

use crate::eval::{Checked, Near, Node, Operand, Order, Place, Rule as CheckedRule, Shown, Test};
use crate::parse::{Ast, Connective, Each, Op, Rule, ValueType, child};
use crate::pattern::Pattern;
use crate::relative::{self, Period};
use crate::value::{self, Datum, Number};
use crate::{Condition, Context, Kind, Problem, Schema};
use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use serde_json::Value;

const VALUES: usize = 1000;
const HOPS: usize = 3;
const WORDS: usize = 20;
/// A date outside of them is a slip of the pen.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

impl Condition {
    /// Holds the condition against an entity, and finds everything that is wrong with it at once.
    pub fn check(&self, schema: &mut dyn Schema, context: &Context) -> Result<Checked, Vec<Problem>> {
        let now =
            value::whole_microseconds(context.now).unwrap_or(context.now).to_zoned(context.zone.clone());
        let mut checker = Checker { schema, context, now, problems: vec![] };
        let node = checker.node(&self.0);
        if checker.problems.is_empty() { Ok(Checked(node)) } else { Err(checker.problems) }
    }
}

struct Checker<'a> {
    schema: &'a mut dyn Schema,
    context: &'a Context,
    now: Zoned,
    problems: Vec<Problem>,
}

type Result<T, E = Problem> = std::result::Result<T, E>;

/// What a field is compared with.
enum Right {
    One(Operand),
    /// A day that is asked of an instant: from its first moment up to the next day's.
    Day(Date, Timestamp, Timestamp),
}

impl Right {
    fn show(&self) -> Shown {
        match self {
            Right::One(operand @ Operand::Field { path, .. }) => Shown::Field(path.clone(), operand.clone()),
            Right::One(Operand::Constant(datum)) => Shown::Constant(datum.json()),
            Right::One(_) => Shown::Nothing,
            Right::Day(day, ..) => Shown::Constant(day.to_string().into()),
        }
    }
}

impl Checker<'_> {
    fn node(&mut self, ast: &Ast) -> Node {
        match ast {
            Ast::Group(connective, rules) => {
                let nodes: Vec<Node> = rules.iter().map(|rule| self.node(rule)).collect();
                match connective {
                    Connective::And => Node::All(nodes),
                    Connective::Or => Node::Any(nodes),
                    Connective::Not => Node::Not(nodes),
                }
            }
            Ast::Rule(rule) => match self.rule(rule) {
                Ok(rule) => Node::Rule(Box::new(rule)),
                Err(problem) => {
                    self.problems.push(problem);
                    Node::All(vec![])
                }
            },
            Ast::Each(each) => self.each(each),
        }
    }

    fn each(&mut self, each: &Each) -> Node {
        let at = child(&each.pointer, "field");
        let (mut part, rest) = match self.schema.part(&each.field) {
            Ok(found) => found,
            Err(message) => {
                self.problems.push(Problem::new(at, message));
                return Node::All(vec![]);
            }
        };
        let named = each.field[..each.field.len() - rest.len()].trim_end_matches('.').to_owned();
        let mut inside =
            Checker { schema: &mut *part, context: self.context, now: self.now.clone(), problems: vec![] };
        let asks = !matches!(&each.inner, Ast::Group(_, rules) if rules.is_empty());
        let mut nodes: Vec<Node> = asks.then(|| inside.node(&each.inner)).into_iter().collect();
        match (&each.rule, rest.as_str()) {
            (None, "") => {}
            (Some(_), "") => {
                inside.problems.push(Problem::new(at, format!("Say which field of {named} is meant.")));
            }
            (None, rest) => {
                let message = format!("{rest} is asked nothing: there is no operator.");
                inside.problems.push(Problem::new(at, message));
            }
            (Some(rule), rest) => {
                nodes.push(inside.node(&Ast::Rule(Box::new(Rule { field: rest.into(), ..rule.clone() }))));
            }
        }
        self.problems.append(&mut inside.problems);
        let rows = part.rows();
        Node::Each { path: named, quantifier: each.quantifier, rows, inner: Box::new(Node::All(nodes)) }
    }

    fn rule(&mut self, rule: &Rule) -> Result<CheckedRule> {
        let at = |key: &str| child(&rule.pointer, key);
        if rule.value_type == ValueType::Expr {
            return Err(Problem::new(at("valueType"), "Computed values are not supported in conditions."));
        }
        if rule.op == Op::RoleIs {
            return self.role_is(rule);
        }
        let changes =
            matches!(rule.op, Op::Changed | Op::ChangedTo | Op::ChangedFrom | Op::Increased | Op::Decreased);
        let left = if changes { format!("$new.{}", bare(&rule.field)) } else { rule.field.clone() };
        let left = self.resolve(&left, at("field"))?;
        let kind = left.kind();
        if !fits(rule.op, kind) {
            let message = format!("{} cannot be asked of {}.", rule.op.name(), a(kind));
            return Err(Problem::new(at("operator"), message));
        }
        let (test, right) = self.test(rule, left.clone())?;
        let CheckedRule { field, operator, words, .. } = blank(rule);
        Ok(CheckedRule { field, operator, words, left: Some(left), right, test })
    }

    fn test(&mut self, rule: &Rule, left: Operand) -> Result<(Test, Shown)> {
        let kind = left.kind();
        let compared = |order, right: Right| (compare(left.clone(), order, &right), right.show());
        Ok(match rule.op {
            Op::Equals => compared(Order::Equal, self.right(rule, kind)?),
            Op::NotEquals => denied(compared(Order::Equal, self.right(rule, kind)?)),
            Op::GreaterThan | Op::After => compared(Order::Greater, self.right(rule, kind)?),
            Op::LessThan | Op::Before => compared(Order::Less, self.right(rule, kind)?),
            Op::GreaterOrEqual | Op::OnOrAfter => compared(Order::GreaterOrEqual, self.right(rule, kind)?),
            Op::LessOrEqual | Op::OnOrBefore => compared(Order::LessOrEqual, self.right(rule, kind)?),
            Op::Between => {
                let values = rule.value.as_array().filter(|values| values.len() == 2);
                let Some([from, to]) = values.map(Vec::as_slice) else {
                    return Err(Problem::new(
                        child(&rule.pointer, "value"),
                        "Between needs an array of two values.",
                    ));
                };
                let from = self.value(rule, from, kind, format!("{}/value/0", rule.pointer))?;
                let to = self.value(rule, to, kind, format!("{}/value/1", rule.pointer))?;
                let tests = [(Order::GreaterOrEqual, &from), (Order::LessOrEqual, &to)];
                let test = Test::All(tests.map(|(order, right)| compare(left.clone(), order, right)).into());
                (test, both_shown(&from, &to))
            }
            Op::In => self.one_of(rule, left)?,
            Op::NotIn => denied(self.one_of(rule, left)?),
            Op::Contains => self.contains(rule, left)?,
            Op::NotContains => denied(self.contains(rule, left)?),
            Op::StartsWith | Op::EndsWith | Op::EqualsCi | Op::ContainsCi => {
                let (right, shown) = self.operand(rule, Kind::Text)?;
                let lower = |operand| Operand::Lower(Box::new(operand));
                let test = match rule.op {
                    Op::StartsWith => Test::StartsWith(left, right),
                    Op::EndsWith => Test::EndsWith(left, right),
                    Op::EqualsCi => Test::Compare(lower(left), Order::Equal, lower(right)),
                    _ => Test::Contains(lower(left), lower(right)),
                };
                (test, shown)
            }
            Op::IsEmpty => (not(Test::Filled(left)), Shown::Nothing),
            Op::IsNotEmpty => (Test::Filled(left), Shown::Nothing),
            Op::IsTrue | Op::IsFalse => {
                let right = Operand::Constant(Datum::Bool(rule.op == Op::IsTrue));
                (Test::Compare(left, Order::Equal, right), Shown::Nothing)
            }
            Op::WithinLast | Op::WithinNext => self.within(rule, left)?,
            Op::IsToday => (self.period(rule, left, Period::Day)?, Shown::Nothing),
            Op::ThisWeek => (self.period(rule, left, Period::Week)?, Shown::Nothing),
            Op::ThisMonth => (self.period(rule, left, Period::Month)?, Shown::Nothing),
            Op::ThisQuarter => (self.period(rule, left, Period::Quarter)?, Shown::Nothing),
            Op::ThisYear => (self.period(rule, left, Period::Year)?, Shown::Nothing),
            Op::HasAny | Op::HasAll | Op::HasNone => {
                let (right, shown) = self.operand(rule, Kind::TextList)?;
                let test = match rule.op {
                    Op::HasAll => Test::HasAll(left, right),
                    Op::HasAny => Test::HasAny(left, right),
                    _ => not(Test::HasAny(left, right)),
                };
                (test, shown)
            }
            Op::LengthEq | Op::LengthGt | Op::LengthLt => {
                let (right, shown) = self.operand(rule, Kind::Number)?;
                let order = match rule.op {
                    Op::LengthEq => Order::Equal,
                    Op::LengthGt => Order::Greater,
                    _ => Order::Less,
                };
                (Test::Compare(Operand::Length(Box::new(left)), order, right), shown)
            }
            Op::Changed | Op::ChangedTo | Op::ChangedFrom | Op::Increased | Op::Decreased => {
                self.change(rule, left)?
            }
            Op::IsCurrentUser => compared(Order::Equal, Right::One(self.user(&rule.pointer)?)),
            Op::Matches | Op::MatchesFts => self.pattern(rule, left)?,
            Op::WithinKm => {
                let near = Near::read(&rule.value)
                    .map_err(|message| Problem::new(child(&rule.pointer, "value"), message))?;
                let place = match rule.field.strip_suffix("latitude") {
                    Some(before) if kind == Kind::Number => {
                        let other = format!("{before}longitude");
                        Place::Pair(left, self.resolve(&other, child(&rule.pointer, "field"))?)
                    }
                    _ if kind == Kind::Json => Place::Document(left),
                    _ => {
                        let message = "A distance is asked of a document, or of a field named latitude.";
                        return Err(Problem::new(child(&rule.pointer, "field"), message));
                    }
                };
                (Test::WithinKm(place, near), Shown::Constant(rule.value.clone()))
            }
            Op::InMyDepartment => {
                let Some(departments) = &self.context.departments else {
                    let message = "Departments are not kept here.";
                    return Err(Problem::new(child(&rule.pointer, "operator"), message));
                };
                let mine = departments.iter().filter_map(|id| value::id(id)).map(Datum::Id).collect();
                (Test::In(left, mine), Shown::Nothing)
            }
            // Asked before there is a left side.
            Op::RoleIs => (Test::Constant(false), Shown::Nothing),
        })
    }

    /// What a text is searched for is known before any row is seen.
    fn pattern(&mut self, rule: &Rule, left: Operand) -> Result<(Test, Shown)> {
        let (right, shown) = self.operand(rule, Kind::Text)?;
        let pointer = child(&rule.pointer, "value");
        let Operand::Constant(Datum::Text(text)) = right else {
            return Err(Problem::new(pointer, "What is searched for is a text."));
        };
        let refused = |message: String| Problem::new(&pointer, message);
        if rule.op == Op::Matches {
            return Ok((Test::Matches(left, Pattern::new(&text).map_err(refused)?), shown));
        }
        let words = Pattern::words(&text.to_lowercase());
        if words.is_empty() || words.len() > WORDS {
            return Err(refused(format!("One to {WORDS} words are needed.")));
        }
        let left = Operand::Lower(Box::new(left));
        let test = |word: Result<Pattern, String>| Ok(Test::Matches(left.clone(), word.map_err(refused)?));
        Ok((Test::All(words.into_iter().map(test).collect::<Result<_>>()?), shown))
    }

    /// The right side of an operator that wants one value.
    fn right(&mut self, rule: &Rule, kind: Kind) -> Result<Right> {
        self.value(rule, &rule.value, kind, child(&rule.pointer, "value"))
    }

    fn operand(&mut self, rule: &Rule, kind: Kind) -> Result<(Operand, Shown)> {
        let right = self.right(rule, kind)?;
        let shown = right.show();
        match right {
            Right::One(operand) => Ok((operand, shown)),
            Right::Day(..) => Err(Problem::new(child(&rule.pointer, "value"), "A day does not fit here.")),
        }
    }

    fn value(&mut self, rule: &Rule, value: &Value, kind: Kind, pointer: String) -> Result<Right> {
        match (rule.value_type, value) {
            (_, Value::Null) => {
                Err(Problem::new(pointer, "A value is needed; to find what is missing, use is_empty."))
            }
            (ValueType::Field | ValueType::Variable, Value::String(path)) => {
                let operand = self.resolve(path, pointer.clone())?;
                if operand.kind() == kind {
                    return Ok(Right::One(operand));
                }
                let message = format!("{path} is {}, but {} is needed.", a(operand.kind()), a(kind));
                Err(Problem::new(pointer, message))
            }
            (ValueType::Field | ValueType::Variable, _) => {
                Err(Problem::new(pointer, "The name of a field is needed."))
            }
            (ValueType::Relative, Value::String(text)) => self.relative(text, kind, pointer),
            (ValueType::Relative, _) => {
                Err(Problem::new(pointer, "A relative value is a text, such as \"-7d\"."))
            }
            (ValueType::Literal | ValueType::Expr, value) => self.literal(value, kind, pointer),
        }
    }

    fn literal(&self, value: &Value, kind: Kind, pointer: String) -> Result<Right> {
        let refused = |message: String| Err(Problem::new(&pointer, message));
        let one = |datum| Ok(Right::One(Operand::Constant(datum)));
        match (kind, value) {
            (Kind::Number, Value::Number(_) | Value::String(_)) => match Datum::read(kind, value) {
                Some(Datum::Number(number)) if number.digits() <= Number::DIGITS => {
                    one(Datum::Number(number))
                }
                Some(_) => refused(format!("A number may have at most {} digits.", Number::DIGITS)),
                None => refused(format!("{value} is not a number that can be compared.")),
            },
            (Kind::Bool, Value::Bool(yes)) => one(Datum::Bool(*yes)),
            (Kind::Bool, Value::String(text)) if text == "true" || text == "false" => {
                one(Datum::Bool(text == "true"))
            }
            (Kind::Text, Value::String(text)) => one(Datum::Text(sent(text, &pointer)?)),
            (Kind::TextList, Value::String(text)) => one(Datum::List(vec![Some(sent(text, &pointer)?)])),
            (Kind::TextList, Value::Array(items)) => {
                let mut texts = vec![];
                for (i, item) in few(items, &pointer)?.iter().enumerate() {
                    let pointer = format!("{pointer}/{i}");
                    let text = item.as_str().ok_or_else(|| Problem::new(&pointer, "A text is needed."))?;
                    texts.push(Some(sent(text, &pointer)?));
                }
                one(Datum::List(texts))
            }
            (Kind::Id, Value::String(text)) => match value::id(text) {
                Some(id) => one(Datum::Id(id)),
                None => refused(format!("{value} is not an id (a UUID).")),
            },
            (Kind::Date, Value::String(text)) => match value::date(text) {
                Some(date) => one(Datum::Date(near(date, &pointer)?)),
                None => refused(format!("{value} is not a date like 2024-05-31.")),
            },
            (Kind::Instant, Value::String(text)) => {
                if let Some(day) = value::date(text) {
                    return self.day(near(day, &pointer)?, pointer);
                }
                // Without a distance from UTC, what the organization's clocks show.
                let local = || value::date_time(text)?.to_zoned(self.now.time_zone().clone()).ok();
                match value::instant(text).or_else(|| Some(local()?.timestamp())) {
                    Some(at) => one(Datum::Instant(self.near_instant(at, &pointer)?)),
                    None => refused(format!("{value} is not a date, nor a time like 2024-05-31T10:20:30Z.")),
                }
            }
            _ => refused(format!("{} is needed here.", capital(a(kind)))),
        }
    }

    fn relative(&self, text: &str, kind: Kind, pointer: String) -> Result<Right> {
        match (kind, text) {
            (Kind::Id, "me" | "current_user") => return Ok(Right::One(self.user(&pointer)?)),
            (Kind::Date | Kind::Instant, _) => {}
            _ => return Err(Problem::new(pointer, format!("{text:?} does not fit {}.", a(kind)))),
        }
        let Some(moment) = relative::parse(text, &self.now) else {
            let message = format!("{text:?} is not a relative date like today, -7d or start_of_month+2w.");
            return Err(Problem::new(pointer, message));
        };
        let day = near(moment.at.date(), &pointer)?;
        match kind {
            Kind::Instant if moment.whole_day => self.day(day, pointer),
            Kind::Instant => Ok(Right::One(Operand::Constant(Datum::Instant(moment.at.timestamp())))),
            _ => Ok(Right::One(Operand::Constant(Datum::Date(day)))),
        }
    }

    fn day(&self, day: Date, pointer: String) -> Result<Right> {
        let bounds = || Some((self.midnight(day)?, self.midnight(day.tomorrow().ok()?)?));
        match bounds() {
            Some((from, until)) => Ok(Right::Day(day, from, until)),
            None => Err(Problem::new(pointer, "This day is out of range.")),
        }
    }

    fn midnight(&self, day: Date) -> Option<Timestamp> {
        Some(day.to_zoned(self.now.time_zone().clone()).ok()?.timestamp())
    }

    fn near_instant(&self, at: Timestamp, pointer: &str) -> Result<Timestamp> {
        near(at.to_zoned(self.now.time_zone().clone()).date(), pointer).map(|_| at)
    }

    fn user(&self, pointer: &str) -> Result<Operand> {
        let id =
            value::id(&self.context.user).ok_or_else(|| Problem::new(pointer, "Nobody is signed in."))?;
        Ok(Operand::Constant(Datum::Id(id)))
    }

    fn resolve(&mut self, path: &str, pointer: String) -> Result<Operand> {
        let roles = || Datum::List(self.context.roles.iter().cloned().map(Some).collect());
        match path {
            "$actor.id" => return self.user(&pointer),
            "$actor.department" => {
                let departments = self.context.departments.iter().flatten().cloned().map(Some).collect();
                return Ok(Operand::Constant(Datum::List(departments)));
            }
            "$actor.roles" => return Ok(Operand::Constant(roles())),
            "$now" => return Ok(Operand::Constant(Datum::Instant(self.now.timestamp()))),
            _ => {}
        }
        let special = path.starts_with('$');
        if !special && path.split('.').filter(|part| *part != "cf").count() > HOPS + 1 {
            return Err(Problem::new(pointer, format!("A path may lead over at most {HOPS} relations.")));
        }
        match self.schema.resolve(path) {
            Ok(field) => Ok(Operand::Field { path: path.into(), kind: field.kind, sql: field.sql }),
            Err(_) if special => {
                Err(Problem::new(pointer, format!("{path:?} is known only in triggers and flows.")))
            }
            Err(message) => Err(Problem::new(pointer, message)),
        }
    }

    fn one_of(&mut self, rule: &Rule, left: Operand) -> Result<(Test, Shown)> {
        let (kind, pointer) = (left.kind(), child(&rule.pointer, "value"));
        if matches!(rule.value_type, ValueType::Field | ValueType::Variable) && rule.value.is_string() {
            if kind != Kind::Text {
                return Err(Problem::new(pointer, "Only a text can be looked up in a list."));
            }
            let (list, shown) = self.operand(rule, Kind::TextList)?;
            return Ok((Test::Member(left, list), shown));
        }
        let values = match &rule.value {
            Value::Array(values) => few(values, &pointer)?,
            value => std::slice::from_ref(value),
        };
        let (mut tests, mut constants, mut shown) = (vec![], vec![], vec![]);
        for (i, value) in values.iter().enumerate() {
            let right = self.value(rule, value, kind, format!("{pointer}/{i}"))?;
            shown.push(plain(&right.show()));
            match right {
                Right::One(Operand::Constant(datum)) => constants.push(datum),
                right => tests.push(compare(left.clone(), Order::Equal, &right)),
            }
        }
        let known = Test::In(left, constants);
        let test = if tests.is_empty() {
            known
        } else {
            tests.push(known);
            Test::Any(tests)
        };
        Ok((test, Shown::Constant(Value::Array(shown))))
    }

    fn contains(&mut self, rule: &Rule, left: Operand) -> Result<(Test, Shown)> {
        let (right, shown) = self.operand(rule, Kind::Text)?;
        let test = match left.kind() {
            Kind::TextList => Test::Member(right, left),
            _ => Test::Contains(left, right),
        };
        Ok((test, shown))
    }

    /// Both ends count. In days, today counts too.
    fn within(&mut self, rule: &Rule, left: Operand) -> Result<(Test, Shown)> {
        let pointer = child(&rule.pointer, "value");
        let refused =
            || Problem::new(&pointer, "A length of time is needed: \"7d\", or an amount and a unit.");
        let span = relative::reach(&rule.value).ok_or_else(refused)?;
        let span = if rule.op == Op::WithinLast { span.negate() } else { span };
        let other = self.now.checked_add(span).map_err(|_| refused())?;
        near(other.date(), &pointer)?;
        let (from, to) = if other < self.now { (&other, &self.now) } else { (&self.now, &other) };
        let end = |at: &Zoned| match left.kind() {
            Kind::Instant => Operand::Constant(Datum::Instant(at.timestamp())),
            _ => Operand::Constant(Datum::Date(at.date())),
        };
        let tests = vec![
            Test::Compare(left.clone(), Order::GreaterOrEqual, end(from)),
            Test::Compare(left.clone(), Order::LessOrEqual, end(to)),
        ];
        Ok((Test::All(tests), Shown::Constant(rule.value.clone())))
    }

    fn period(&self, rule: &Rule, left: Operand, period: Period) -> Result<Test> {
        let bounds = || {
            let (start, next) = period.around(self.now.date())?;
            Some(match left.kind() {
                Kind::Instant => {
                    (Datum::Instant(self.midnight(start)?), Datum::Instant(self.midnight(next)?))
                }
                _ => (Datum::Date(start), Datum::Date(next)),
            })
        };
        let (start, next) =
            bounds().ok_or_else(|| Problem::new(&rule.pointer, "This day is out of range."))?;
        Ok(Test::All(vec![
            Test::Compare(left.clone(), Order::GreaterOrEqual, Operand::Constant(start)),
            Test::Compare(left, Order::Less, Operand::Constant(next)),
        ]))
    }

    /// What an event changed: the schema of a trigger knows `$old.x` beside `$new.x`.
    fn change(&mut self, rule: &Rule, new: Operand) -> Result<(Test, Shown)> {
        let old = self.resolve(&format!("$old.{}", bare(&rule.field)), child(&rule.pointer, "field"))?;
        let changed = Test::Distinct(old.clone(), new.clone());
        Ok(match rule.op {
            Op::Increased => (Test::Compare(new, Order::Greater, old), Shown::Nothing),
            Op::Decreased => (Test::Compare(new, Order::Less, old), Shown::Nothing),
            Op::ChangedTo | Op::ChangedFrom => {
                let right = self.right(rule, new.kind())?;
                let side = if rule.op == Op::ChangedTo { new } else { old };
                (Test::All(vec![changed, compare(side, Order::Equal, &right)]), right.show())
            }
            _ => (changed, Shown::Nothing),
        })
    }

    /// Whether the person who asks has one of some roles: known before any row is seen.
    fn role_is(&mut self, rule: &Rule) -> Result<CheckedRule> {
        if !rule.field.is_empty() && !matches!(rule.field.as_str(), "$actor" | "$actor.id" | "$actor.roles") {
            let message = "role_is asks about the person who looks; its field is $actor.roles.";
            return Err(Problem::new(child(&rule.pointer, "field"), message));
        }
        let roles = match self.right(rule, Kind::TextList)? {
            Right::One(Operand::Constant(Datum::List(roles))) => roles,
            _ => {
                return Err(Problem::new(child(&rule.pointer, "value"), "The name of a role is needed."));
            }
        };
        let has = roles.iter().flatten().any(|role| self.context.roles.contains(role));
        let left = Some(self.resolve("$actor.roles", child(&rule.pointer, "field"))?);
        let right = Shown::Constant(Datum::List(roles).json());
        Ok(CheckedRule { field: "$actor".into(), left, right, test: Test::Constant(has), ..blank(rule) })
    }
}

fn blank(rule: &Rule) -> CheckedRule {
    CheckedRule {
        field: rule.field.clone(),
        operator: rule.op.name(),
        words: rule.op.words(),
        left: None,
        right: Shown::Nothing,
        test: Test::Constant(false),
    }
}

/// The field that changed, whichever of its two sides was named.
fn bare(field: &str) -> &str {
    field.strip_prefix("$new.").or(field.strip_prefix("$old.")).unwrap_or(field)
}

fn not(test: Test) -> Test {
    Test::Not(Box::new(test))
}

fn denied((test, shown): (Test, Shown)) -> (Test, Shown) {
    (not(test), shown)
}

fn compare(left: Operand, order: Order, right: &Right) -> Test {
    let (from, until) = match right {
        Right::One(operand) => return Test::Compare(left, order, operand.clone()),
        Right::Day(_, from, until) => (*from, *until),
    };
    let to = |order, at| Test::Compare(left.clone(), order, Operand::Constant(Datum::Instant(at)));
    match order {
        Order::Equal => Test::All(vec![to(Order::GreaterOrEqual, from), to(Order::Less, until)]),
        Order::Less => to(Order::Less, from),
        Order::GreaterOrEqual => to(Order::GreaterOrEqual, from),
        Order::Greater => to(Order::GreaterOrEqual, until),
        Order::LessOrEqual => to(Order::Less, until),
    }
}

fn plain(shown: &Shown) -> Value {
    match shown {
        Shown::Nothing => Value::Null,
        Shown::Constant(value) => value.clone(),
        Shown::Field(path, _) => path.clone().into(),
    }
}

fn both_shown(from: &Right, to: &Right) -> Shown {
    Shown::Constant(Value::Array(vec![plain(&from.show()), plain(&to.show())]))
}

fn few<'a>(values: &'a [Value], pointer: &str) -> Result<&'a [Value]> {
    if values.len() > VALUES {
        return Err(Problem::new(pointer, format!("A list may have at most {VALUES} values.")));
    }
    Ok(values)
}

/// PostgreSQL has no text with a NUL in it.
fn sent(text: &str, pointer: &str) -> Result<String> {
    if text.contains('\0') {
        return Err(Problem::new(pointer, "A text may not have a NUL character."));
    }
    Ok(text.to_owned())
}

fn near(date: Date, pointer: &str) -> Result<Date> {
    if YEARS.contains(&date.year()) {
        return Ok(date);
    }
    Err(Problem::new(pointer, format!("A date must be between {} and {}.", YEARS.start(), YEARS.end())))
}

/// Whether an operator can be asked of a kind.
fn fits(op: Op, kind: Kind) -> bool {
    use Kind::{Bool, Date, Id, Instant, Json, Number, Text, TextList};
    match op {
        Op::Equals | Op::NotEquals | Op::In | Op::NotIn | Op::ChangedTo | Op::ChangedFrom => {
            matches!(kind, Text | Number | Date | Instant | Bool | Id)
        }
        Op::GreaterThan | Op::LessThan | Op::GreaterOrEqual | Op::LessOrEqual | Op::Between => {
            matches!(kind, Text | Number | Date | Instant)
        }
        Op::Contains | Op::NotContains | Op::LengthEq | Op::LengthGt | Op::LengthLt => {
            matches!(kind, Text | TextList)
        }
        Op::StartsWith | Op::EndsWith | Op::EqualsCi | Op::ContainsCi => kind == Text,
        Op::IsEmpty | Op::IsNotEmpty => true,
        Op::IsTrue | Op::IsFalse => kind == Bool,
        Op::Before | Op::After | Op::OnOrBefore | Op::OnOrAfter => matches!(kind, Date | Instant),
        Op::WithinLast | Op::WithinNext => matches!(kind, Date | Instant),
        Op::IsToday | Op::ThisWeek | Op::ThisMonth | Op::ThisQuarter | Op::ThisYear => {
            matches!(kind, Date | Instant)
        }
        Op::HasAny | Op::HasAll | Op::HasNone => kind == TextList,
        // 1 and 1.0 are one number to jsonb and two to serde_json.
        Op::Changed => kind != Json,
        Op::Increased | Op::Decreased => matches!(kind, Number | Date | Instant),
        Op::IsCurrentUser | Op::InMyDepartment => kind == Id,
        Op::Matches | Op::MatchesFts => kind == Text,
        Op::WithinKm => matches!(kind, Json | Number),
        Op::RoleIs => false,
    }
}

fn a(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a text",
        Kind::Number => "a number",
        Kind::Date => "a date",
        Kind::Instant => "a date and time",
        Kind::Bool => "true or false",
        Kind::Id => "an id",
        Kind::TextList => "a list of texts",
        Kind::Json => "a document",
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}
