//! From JSON to a tree. Only the shape is judged here; what a field is and whether a value fits it, `check` says.

use crate::{Condition, Problem};
use serde_json::{Map, Value};

const DEPTH: usize = 8;
const RULES: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connective {
    And,
    Or,
    Not,
}

#[derive(Clone, Debug)]
pub(crate) enum Ast {
    /// Never empty, except at the top: a group without rules asks nothing and is left out. NOT denies all of its rules
    /// taken together.
    Group(Connective, Vec<Ast>),
    Rule(Box<Rule>),
    Each(Box<Each>),
}

/// How many of the rows that belong to a record must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Any,
    All,
    None,
}

impl Quantifier {
    const ALL: &[Quantifier] = &[Quantifier::Any, Quantifier::All, Quantifier::None];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Quantifier::Any => "any",
            Quantifier::All => "all",
            Quantifier::None => "none",
        }
    }
}

/// Asked of the rows that belong to a record, such as its lines.
#[derive(Clone, Debug)]
pub(crate) struct Each {
    pub(crate) pointer: String,
    /// What names the rows, and after it a field of theirs where there is a rule.
    pub(crate) field: String,
    pub(crate) quantifier: Quantifier,
    pub(crate) rule: Option<Rule>,
    pub(crate) inner: Ast,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Where it stands in the JSON that it was read from.
    pub(crate) pointer: String,
    /// Empty only where the operator has no need of it.
    pub(crate) field: String,
    pub(crate) op: Op,
    pub(crate) value: Value,
    pub(crate) value_type: ValueType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Literal,
    Field,
    Variable,
    Relative,
    Expr,
}

/// The operators: as the API calls them, other names for them (without `_`, and in lower case), and in words.
macro_rules! operators {
    ($($op:ident $name:literal [$($alias:literal)*] $words:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Op { $($op),* }

        impl Op {
            pub(crate) const ALL: &[Op] = &[$(Op::$op),*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Op::$op => $name),* }
            }

            fn aliases(self) -> &'static [&'static str] {
                match self { $(Op::$op => &[$($alias),*]),* }
            }

            pub(crate) fn words(self) -> &'static str {
                match self { $(Op::$op => $words),* }
            }
        }
    };
}

operators! {
    Equals "equals" ["eq" "=" "==" "is"] "is";
    NotEquals "not_equals" ["neq" "ne" "!=" "<>" "isnot"] "is not";
    GreaterThan "greater_than" ["gt" ">"] "is greater than";
    LessThan "less_than" ["lt" "<"] "is less than";
    GreaterOrEqual "greater_or_equal" ["gte" "ge" ">=" "greaterthanorequal"] "is at least";
    LessOrEqual "less_or_equal" ["lte" "le" "<=" "lessthanorequal"] "is at most";
    Between "between" [] "is between";
    In "in" ["isanyof" "anyof" "oneof"] "is one of";
    NotIn "not_in" ["isnoneof" "noneof" "nin"] "is none of";
    Contains "contains" ["includes"] "contains";
    NotContains "not_contains" ["doesnotcontain"] "does not contain";
    StartsWith "starts_with" ["beginswith"] "starts with";
    EndsWith "ends_with" [] "ends with";
    Matches "matches" ["regex"] "matches";
    EqualsCi "equals_ci" ["ieq"] "is (in any case)";
    ContainsCi "contains_ci" ["icontains"] "contains (in any case)";
    IsEmpty "is_empty" ["empty" "isnull" "null"] "is empty";
    IsNotEmpty "is_not_empty" ["notempty" "isnotnull" "notnull"] "is not empty";
    IsTrue "is_true" [] "is true";
    IsFalse "is_false" [] "is false";
    Before "before" [] "is before";
    After "after" [] "is after";
    OnOrBefore "on_or_before" [] "is on or before";
    OnOrAfter "on_or_after" [] "is on or after";
    WithinLast "within_last" [] "is within the last";
    WithinNext "within_next" [] "is within the next";
    IsToday "is_today" ["today"] "is today";
    ThisWeek "this_week" ["isthisweek"] "is in this week";
    ThisMonth "this_month" ["isthismonth"] "is in this month";
    ThisQuarter "this_quarter" ["isthisquarter"] "is in this quarter";
    ThisYear "this_year" ["isthisyear"] "is in this year";
    HasAny "has_any" ["hasanyof"] "has any of";
    HasAll "has_all" ["hasallof"] "has all of";
    HasNone "has_none" ["hasnoneof"] "has none of";
    LengthEq "length_eq" [] "has a length of";
    LengthGt "length_gt" [] "is longer than";
    LengthLt "length_lt" [] "is shorter than";
    Changed "changed" [] "changed";
    ChangedTo "changed_to" [] "changed to";
    ChangedFrom "changed_from" [] "changed from";
    Increased "increased" [] "increased";
    Decreased "decreased" [] "decreased";
    IsCurrentUser "is_current_user" ["isme"] "is the current user";
    InMyDepartment "in_my_department" [] "is in my department";
    RoleIs "role_is" [] "has the role";
    WithinKm "within_km" [] "is near";
    MatchesFts "matches_fts" [] "matches";
}

impl Op {
    /// `isAnyOf`, `is_any_of` and `IS ANY OF` are one name.
    pub(crate) fn find(name: &str) -> Option<Op> {
        let name: String = name.chars().filter(|c| !matches!(c, '_' | ' ' | '-')).collect();
        let name = name.to_ascii_lowercase();
        let is = |op: &Op| op.name().replace('_', "") == name || op.aliases().contains(&name.as_str());
        Op::ALL.iter().copied().find(is)
    }

    /// Asked of the person who looks, not of a field.
    fn fieldless(self) -> bool {
        self == Op::RoleIs
    }
}

impl Condition {
    /// Reads a condition: a group, a bare rule, or an array of them (all must hold). `null`, `{}` and `[]` ask nothing.
    pub fn parse(value: &Value) -> Result<Condition, Vec<Problem>> {
        let mut reader = Reader { problems: vec![], rules: 0 };
        let ast = reader.condition(value, "", 1);
        if reader.rules > RULES {
            return Err(vec![Problem::new("", format!("A condition may have at most {RULES} rules."))]);
        }
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        Ok(Condition(ast.unwrap_or(Ast::Group(Connective::And, vec![]))))
    }

    /// Whether it asks nothing, that is, every row matches.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Ast::Group(_, rules) if rules.is_empty())
    }

    /// All of them must hold.
    pub fn all(conditions: Vec<Condition>) -> Condition {
        let asking = conditions.into_iter().filter(|c| !c.is_empty()).map(|c| c.0);
        Condition(Ast::Group(Connective::And, asking.collect()))
    }

    /// One rule. The text is read as the field's kind wants it, so `?amount=10` works.
    pub fn equals(field: impl Into<String>, value: &str) -> Condition {
        Condition(Ast::Rule(Box::new(Rule {
            pointer: String::new(),
            field: field.into(),
            op: Op::Equals,
            value: value.into(),
            value_type: ValueType::Literal,
        })))
    }

    /// Every path that it mentions, on either side of an operator, as written; one may come twice. Of what is asked of
    /// lines only what names the lines.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let mut found = vec![];
        mentioned(&self.0, &mut found);
        found.into_iter()
    }
}

fn mentioned<'a>(ast: &'a Ast, found: &mut Vec<&'a str>) {
    match ast {
        Ast::Group(_, rules) => rules.iter().for_each(|rule| mentioned(rule, found)),
        Ast::Each(each) => found.push(&each.field),
        Ast::Rule(rule) => {
            found.extend(Some(rule.field.as_str()).filter(|field| !field.is_empty()));
            if matches!(rule.value_type, ValueType::Field | ValueType::Variable) {
                match &rule.value {
                    Value::Array(paths) => found.extend(paths.iter().filter_map(Value::as_str)),
                    path => found.extend(path.as_str()),
                }
            }
        }
    }
}

struct Reader {
    problems: Vec<Problem>,
    rules: usize,
}

impl Reader {
    /// Nothing when it asks nothing or has problems.
    fn condition(&mut self, value: &Value, pointer: &str, depth: usize) -> Option<Ast> {
        if self.rules > RULES || self.problems.len() > RULES {
            return None;
        }
        match value {
            Value::Null => None,
            Value::Array(rules) => self.group(Connective::And, rules, pointer, depth),
            Value::Object(keys) if keys.is_empty() => None,
            Value::Object(keys) => self.object(keys, pointer, depth),
            _ => self.problem(
                pointer,
                "A condition is an object with a field and an operator, or a group of such.",
            ),
        }
    }

    fn object(&mut self, keys: &Map<String, Value>, pointer: &str, depth: usize) -> Option<Ast> {
        let find =
            |names: [&'static str; 3]| names.into_iter().find_map(|name| Some((name, keys.get(name)?)));
        let operator = find(["operator", "op", "combinator"]);
        let name = operator.and_then(|(_, v)| v.as_str()).unwrap_or_default();
        let connective = match name.to_ascii_lowercase().as_str() {
            "and" => Some(Connective::And),
            "or" => Some(Connective::Or),
            "not" => Some(Connective::Not),
            _ => None,
        };
        let rules = find(["rules", "conditions", "rules"]);
        let known: &[&str] = if rules.is_some() || connective.is_some() {
            &["operator", "op", "combinator", "rules", "conditions", "id", "label", "note"]
        } else {
            let rule = ["field", "operator", "op", "value", "valueType", "value_type", "quantifier", "where"];
            &[rule.as_slice(), &["id", "label", "note"]].concat()
        };
        // To overlook, say, another tool's `"not": true` would turn the meaning round.
        if let Some(key) = keys.keys().find(|key| !known.contains(&key.as_str())) {
            return self.problem(&child(pointer, key), "This key is not known here.");
        }
        match (rules, connective) {
            (Some((key, Value::Array(rules))), connective) if connective.is_some() || operator.is_none() => {
                self.group(connective.unwrap_or(Connective::And), rules, &child(pointer, key), depth)
            }
            (None | Some((_, Value::Null)), Some(_)) => None,
            (Some((key, _)), Some(_)) => {
                self.problem(&child(pointer, key), "The rules of a group are an array.")
            }
            (Some(_), None) => {
                self.problem(&child(pointer, "operator"), "A group's operator is AND, OR or NOT.")
            }
            (None, None) if keys.contains_key("quantifier") || keys.contains_key("where") => {
                self.each(keys, operator, pointer, depth)
            }
            (None, None) => self.rule(keys, operator, pointer).map(|rule| Ast::Rule(Box::new(rule))),
        }
    }

    fn group(&mut self, connective: Connective, rules: &[Value], pointer: &str, depth: usize) -> Option<Ast> {
        if depth > DEPTH {
            return self.problem(pointer, &format!("Groups may be nested at most {DEPTH} deep."));
        }
        // An array of nothing is also limited: it costs time.
        self.rules += usize::from(rules.is_empty());
        let read = |(i, rule)| self.condition(rule, &format!("{pointer}/{i}"), depth + 1);
        let rules: Vec<Ast> = rules.iter().enumerate().filter_map(read).collect();
        (!rules.is_empty()).then_some(Ast::Group(connective, rules))
    }

    fn each(
        &mut self,
        keys: &Map<String, Value>,
        operator: Option<(&str, &Value)>,
        pointer: &str,
        depth: usize,
    ) -> Option<Ast> {
        let named =
            |name: &str| Quantifier::ALL.iter().copied().find(|q| q.name().eq_ignore_ascii_case(name));
        let Some(quantifier) = keys.get("quantifier").map_or(Some("any"), |v| v.as_str()).and_then(named)
        else {
            return self.problem(&child(pointer, "quantifier"), "This is any, all or none.");
        };
        if depth > DEPTH {
            return self.problem(pointer, &format!("Groups may be nested at most {DEPTH} deep."));
        }
        let rule = match operator {
            Some(_) => Some(self.rule(keys, operator, pointer)?),
            None => {
                self.rules += 1;
                None
            }
        };
        let Some(field) = keys.get("field").and_then(Value::as_str).filter(|field| !field.is_empty()) else {
            return self.problem(&child(pointer, "field"), "The name of the lines is needed.");
        };
        let found = self.problems.len();
        let inner = keys.get("where").unwrap_or(&Value::Null);
        let inner = self.condition(inner, &child(pointer, "where"), depth + 1);
        if self.problems.len() > found {
            return None;
        }
        let inner = inner.unwrap_or(Ast::Group(Connective::And, vec![]));
        Some(Ast::Each(Box::new(Each {
            pointer: pointer.into(),
            field: field.into(),
            quantifier,
            rule,
            inner,
        })))
    }

    fn rule(
        &mut self,
        keys: &Map<String, Value>,
        operator: Option<(&str, &Value)>,
        pointer: &str,
    ) -> Option<Rule> {
        self.rules += 1;
        let (key, name) = operator.unwrap_or(("operator", &Value::Null));
        let Some(op) = name.as_str().and_then(Op::find) else {
            let message = match name.as_str() {
                Some(name) => format!("There is no operator {name:?}."),
                None => "An operator is needed.".into(),
            };
            return self.problem(&child(pointer, key), &message);
        };
        let field = match keys.get("field") {
            Some(Value::String(field)) if !field.is_empty() => field.clone(),
            None | Some(Value::Null) if op.fieldless() => String::new(),
            _ => return self.problem(&child(pointer, "field"), "The name of a field is needed."),
        };
        let value_type = keys.get("valueType").or(keys.get("value_type"));
        let value_type = match value_type.map_or(Some("literal"), |v| v.as_str()) {
            Some("literal") => ValueType::Literal,
            Some("field") => ValueType::Field,
            Some("variable") => ValueType::Variable,
            Some("relative") => ValueType::Relative,
            Some("expr") => ValueType::Expr,
            _ => {
                let message = "This is literal, field, variable, relative or expr.";
                return self.problem(&child(pointer, "valueType"), message);
            }
        };
        let value = keys.get("value").cloned().unwrap_or_default();
        Some(Rule { pointer: pointer.into(), field, op, value, value_type })
    }

    fn problem<T>(&mut self, pointer: &str, message: &str) -> Option<T> {
        self.problems.push(Problem::new(pointer, message));
        None
    }
}

/// The JSON pointer to a key of an object.
pub(crate) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}
