//! The language of computed fields: `if(cf.seats > 0, round(total / cf.seats, 2), empty)`.
//! It is typed when it is saved, and becomes SQL that fails on no row: what cannot be said is empty.

use kernel::Kind;

const MOST: usize = 1_000;
const DEPTH: usize = 30;
const LOW: &str = "-100000000000000000000";
const HIGH: &str = "100000000000000000000";
const FIRST: &str = "date '1000-01-01'";
const LAST: &str = "date '9999-12-31'";

/// What a name means: an expression, and what it is.
pub(crate) type Named<'a> = &'a mut dyn FnMut(&str) -> Result<(String, Kind), String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Number,
    Text,
    Date,
    Bool,
    /// `empty`, which is of any type.
    Empty,
    /// What can only be there or not: a list, a place, files.
    Other,
}

impl Type {
    fn said(self) -> &'static str {
        match self {
            Type::Number => "a number",
            Type::Text => "a text",
            Type::Date => "a date",
            Type::Bool => "yes or no",
            Type::Empty => "nothing",
            Type::Other => "a list or a document",
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Type::Number => "numeric",
            Type::Date => "date",
            Type::Bool => "boolean",
            _ => "text",
        }
    }
}

/// A part of the formula: its SQL, what it is, and where it stands.
struct Typed {
    sql: String,
    is: Type,
    at: usize,
    /// Of a text or a number that stands there as such.
    literal: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(String),
    Text(String),
    Name(String),
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 16] =
    ["<=", ">=", "<>", "!=", "+", "-", "*", "/", "%", "&", "=", "<", ">", "(", ")", ","];

type Mistake = (usize, String);

/// The SQL of a formula and what comes out of it; a mistake with its place.
pub(crate) fn compile(text: &str, named: Named<'_>) -> Result<(String, Kind), String> {
    if text.chars().count() > MOST {
        return Err(format!("At most {MOST} characters."));
    }
    let place = |(at, said): Mistake| format!("At {}: {said}", text[..at].chars().count() + 1);
    let tokens = tokens(text).map_err(place)?;
    let mut parser = Parser { tokens, next: 0, depth: 0, named };
    let whole = parser.expression(0).and_then(|whole| match parser.peek() {
        (_, Token::End) => Ok(whole),
        (at, token) => Err((at, format!("{} was not expected here.", shown(&token)))),
    });
    let Typed { sql, is, at, .. } = whole.map_err(place)?;
    Ok(match is {
        Type::Number => (format!("round({}, 6)", bounded(&sql, LOW, HIGH)), Kind::Number),
        Type::Text => (format!("nullif(left({sql}, 2000), '')"), Kind::Text),
        Type::Date => (sql, Kind::Date),
        // Not a constant alone, which could not be sorted by.
        Type::Bool => (format!("({sql})::boolean"), Kind::Boolean),
        Type::Empty | Type::Other => {
            return Err(place((at, format!("A formula cannot come to {}.", is.said()))));
        }
    })
}

/// Empty where it does not lie between these, which it may not be itself. Each part stands in it once, and no value fails:
/// `greatest` and `least` pass over nothing, so that nothing becomes the bound, which is taken away.
fn bounded(sql: &str, low: &str, high: &str) -> String {
    format!("nullif(least(nullif(greatest({sql}, {low}), {low}), {high}), {high})")
}

fn whole(sql: &str, low: i32, high: i32) -> String {
    format!(
        "({}::integer)",
        bounded(&format!("trunc({sql})"), &(low - 1).to_string(), &(high + 1).to_string())
    )
}

fn day(sql: &str) -> String {
    bounded(sql, FIRST, LAST)
}

/// A text as PostgreSQL reads it, whatever is in it. No `$` stands in it, which would pass for a parameter where the
/// expression is written into another.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains(['\\', '$']) {
        format!(" E'{}'", quoted.replace('\\', "\\\\").replace('$', "\\x24"))
    } else {
        format!("'{quoted}'")
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Number(text) | Token::Name(text) => text.clone(),
        Token::Text(text) => format!("'{text}'"),
        Token::Sign(sign) => (*sign).to_owned(),
        Token::End => "The end".to_owned(),
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Mistake> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let run = |is: fn(char) -> bool| &rest[..rest.find(|c| !is(c)).unwrap_or(rest.len())];
        let (token, length) = match c {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '\'' | '"' => {
                let (inside, length) = quoted(rest, c).ok_or((at, "This text does not end.".to_owned()))?;
                (Token::Text(inside), length)
            }
            '{' => {
                let end = rest.find('}').ok_or((at, "This { is not closed.".to_owned()))?;
                (Token::Name(rest[1..end].trim().to_owned()), end + 1)
            }
            '0'..='9' => {
                let digits = run(|c| c.is_ascii_digit() || c == '.');
                let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
                if whole.len() > 14 || part.is_empty() || part.len() > 6 || part.contains('.') {
                    return Err((
                        at,
                        "A number has at most 14 digits before its point and 6 after it.".to_owned(),
                    ));
                }
                (Token::Number(digits.to_owned()), digits.len())
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let name = run(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
                (Token::Name(name.to_owned()), name.len())
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None => return Err((at, format!("{c} means nothing here."))),
            },
        };
        tokens.push((at, token));
        at += length;
    }
    tokens.push((text.len(), Token::End));
    Ok(tokens)
}

/// What stands between quotes, of which two stand for one, and how long it is with them.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut inside = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = letters.next() {
        if c != quote {
            inside.push(if c.is_control() { ' ' } else { c });
        } else if letters.next_if(|(_, next)| *next == quote).is_some() {
            inside.push(quote);
        } else {
            return Some((inside, at + 1));
        }
    }
    None
}

struct Parser<'a> {
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
    named: Named<'a>,
}

/// How strongly a sign binds what stands around it.
fn strength(token: &Token) -> u8 {
    match token {
        Token::Name(name) if name.eq_ignore_ascii_case("or") => 1,
        Token::Name(name) if name.eq_ignore_ascii_case("and") => 2,
        Token::Sign("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") => 3,
        Token::Sign("&") => 4,
        Token::Sign("+" | "-") => 5,
        Token::Sign("*" | "/" | "%") => 6,
        _ => 0,
    }
}

impl Parser<'_> {
    fn peek(&self) -> (usize, Token) {
        self.tokens[self.next].clone()
    }

    fn take(&mut self) -> (usize, Token) {
        let token = self.peek();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        let there = self.peek().1 == Token::Sign(sign);
        if there {
            self.take();
        }
        there
    }

    fn wants(&mut self, sign: &'static str) -> Result<(), Mistake> {
        let (at, token) = self.peek();
        if self.takes(sign) {
            Ok(())
        } else {
            Err((at, format!("{sign} was expected, not {}.", shown(&token))))
        }
    }

    fn expression(&mut self, weakest: u8) -> Result<Typed, Mistake> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err((self.peek().0, "This is nested too deep.".into()));
        }
        let mut left = self.operand()?;
        loop {
            let (at, sign) = self.peek();
            let binds = strength(&sign);
            if binds <= weakest {
                break;
            }
            self.take();
            let right = self.expression(binds)?;
            left = joined(left, &sign, right, at)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Typed, Mistake> {
        let (at, token) = self.take();
        let typed = |sql: String, is| Ok(Typed { sql, is, at, literal: None });
        match token {
            Token::Number(digits) => {
                Ok(Typed { sql: format!("{digits}::numeric"), is: Type::Number, at, literal: Some(digits) })
            }
            Token::Text(text) => Ok(Typed { sql: literal(&text), is: Type::Text, at, literal: Some(text) }),
            Token::Sign("(") => {
                let inside = self.expression(0)?;
                self.wants(")")?;
                Ok(inside)
            }
            Token::Sign("-") => {
                let of = wanted(self.expression(6)?, Type::Number)?;
                typed(format!("(- {})", of.sql), Type::Number)
            }
            Token::Name(name) => {
                let small = name.to_lowercase();
                match small.as_str() {
                    "true" | "false" => return typed(small, Type::Bool),
                    "empty" => return typed("null".into(), Type::Empty),
                    "not" => {
                        let of = wanted(self.expression(2)?, Type::Bool)?;
                        return typed(format!("(not coalesce({}, false))", of.sql), Type::Bool);
                    }
                    _ => {}
                }
                if self.takes("(") {
                    let mut arguments = Vec::new();
                    if !self.takes(")") {
                        arguments.push(self.expression(0)?);
                        while self.takes(",") {
                            arguments.push(self.expression(0)?);
                        }
                        self.wants(")")?;
                    }
                    return called(&small, arguments, at);
                }
                let (sql, kind) = (self.named)(&name).map_err(|said| (at, said))?;
                let (sql, is) = leaf(sql, kind);
                typed(sql, is)
            }
            token => Err((at, format!("{} was not expected here.", shown(&token)))),
        }
    }
}

/// A field: numbers and days that lie beyond all sense are empty, so that nothing made of them fails; a moment is its day.
fn leaf(sql: String, kind: Kind) -> (String, Type) {
    match kind {
        k if k.is_number() => (bounded(&format!("({sql})::numeric"), LOW, HIGH), Type::Number),
        Kind::Date | Kind::Datetime => (day(&format!("({sql})::date")), Type::Date),
        Kind::Boolean => (format!("({sql})"), Type::Bool),
        Kind::User | Kind::Uuid | Kind::Relation => (format!("({sql})::text"), Type::Text),
        Kind::Json
        | Kind::Tags
        | Kind::Multiselect
        | Kind::Location
        | Kind::Signature
        | Kind::File
        | Kind::Hidden => (format!("({sql})"), Type::Other),
        _ => (format!("left({sql}, 2000)"), Type::Text),
    }
}

fn wanted(typed: Typed, is: Type) -> Result<Typed, Mistake> {
    if typed.is == is {
        return Ok(typed);
    }
    if typed.is == Type::Empty {
        return Ok(Typed { sql: format!("null::{}", is.sql()), is, ..typed });
    }
    Err((typed.at, format!("This is {}, where {} is wanted.", typed.is.said(), is.said())))
}

/// As a text, an empty one where there is nothing.
fn told(typed: &Typed) -> Result<String, Mistake> {
    Ok(match typed.is {
        Type::Text => format!("coalesce({}, '')", typed.sql),
        Type::Number => format!("coalesce(trim_scale({})::text, '')", typed.sql),
        Type::Date | Type::Bool => format!("coalesce(({})::text, '')", typed.sql),
        Type::Empty => "''".into(),
        Type::Other => return Err((typed.at, format!("This is {}, which is no text.", typed.is.said()))),
    })
}

/// All of one type.
fn alike(all: Vec<Typed>, at: usize) -> Result<(Vec<String>, Type), Mistake> {
    let is = all.iter().map(|t| t.is).find(|is| *is != Type::Empty).unwrap_or(Type::Empty);
    if matches!(is, Type::Empty | Type::Other) {
        return Err((at, format!("There is nothing to choose of {}.", is.said())));
    }
    let all = all.into_iter().map(|t| wanted(t, is).map(|t| t.sql)).collect::<Result<_, _>>()?;
    Ok((all, is))
}

fn joined(left: Typed, sign: &Token, right: Typed, at: usize) -> Result<Typed, Mistake> {
    let typed = |sql: String, is| Ok(Typed { sql, is, at, literal: None });
    let number = |typed: Typed| wanted(typed, Type::Number).map(|t| t.sql);
    let truth = |typed: Typed| wanted(typed, Type::Bool).map(|t| format!("coalesce({}, false)", t.sql));
    match sign {
        Token::Name(word) => {
            typed(format!("({} {} {})", truth(left)?, word.to_lowercase(), truth(right)?), Type::Bool)
        }
        Token::Sign("&") => typed(format!("({} || {})", told(&left)?, told(&right)?), Type::Text),
        Token::Sign("/") => {
            typed(format!("({} / nullif({}, 0))", number(left)?, number(right)?), Type::Number)
        }
        Token::Sign("%") => {
            typed(format!("mod({}, nullif({}, 0))", number(left)?, number(right)?), Type::Number)
        }
        Token::Sign(sign @ ("+" | "-" | "*")) => {
            typed(format!("({} {sign} {})", number(left)?, number(right)?), Type::Number)
        }
        Token::Sign(sign) => {
            let (sides, is) = alike(vec![left, right], at)?;
            let sign = if *sign == "!=" { "<>" } else { sign };
            if is == Type::Bool && !matches!(sign, "=" | "<>") {
                return Err((at, "Yes or no is not more or less.".into()));
            }
            typed(
                match sign {
                    "=" => format!("({} is not distinct from {})", sides[0], sides[1]),
                    "<>" => format!("({} is distinct from {})", sides[0], sides[1]),
                    _ => format!("coalesce({} {sign} {}, false)", sides[0], sides[1]),
                },
                Type::Bool,
            )
        }
        _ => Err((at, "This joins nothing.".into())),
    }
}

fn called(name: &str, arguments: Vec<Typed>, at: usize) -> Result<Typed, Mistake> {
    let given = arguments.len();
    let count = |least: usize, most: usize| {
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let wants = if least == most { least.to_string() } else { format!("{least} to {most}") };
        Err((at, format!("{name} takes {wants} values, not {given}.")))
    };
    let mut rest = arguments.into_iter();
    let mut next = move |is| {
        let typed = rest.next();
        typed.map_or_else(
            || Ok(Typed { sql: String::new(), is, at, literal: None }),
            |typed| if is == Type::Other { Ok(typed) } else { wanted(typed, is) },
        )
    };
    let (sql, is) = match name {
        "if" => {
            count(2, 3)?;
            let condition = next(Type::Bool)?.sql;
            let then = next(Type::Other)?;
            let otherwise = match given {
                3 => next(Type::Other)?,
                _ => Typed { sql: "null".into(), is: Type::Empty, at, literal: None },
            };
            let (ways, is) = alike(vec![then, otherwise], at)?;
            (format!("(case when {condition} then {} else {} end)", ways[0], ways[1]), is)
        }
        "round" => {
            count(1, 2)?;
            let of = next(Type::Number)?.sql;
            let digits = next(Type::Number)?;
            let places = if given == 2 { digits.literal.as_deref() } else { Some("0") };
            let places = places.and_then(|d| d.parse::<u8>().ok()).filter(|d| *d <= 6);
            let places = places.ok_or((digits.at, "Digits are a whole number from 0 to 6.".to_owned()))?;
            (format!("round({of}, {places})"), Type::Number)
        }
        "abs" | "ceil" | "floor" => {
            count(1, 1)?;
            (format!("{name}({})", next(Type::Number)?.sql), Type::Number)
        }
        "min" | "max" | "coalesce" => {
            count(1, 20)?;
            let all = (0..given).map(|_| next(Type::Other)).collect::<Result<Vec<_>, _>>()?;
            let (all, is) = alike(all, at)?;
            let function = match name {
                "min" => "least",
                "max" => "greatest",
                _ => name,
            };
            if is == Type::Bool && name != "coalesce" {
                return Err((at, "Yes or no is not more or less.".into()));
            }
            (format!("{function}({})", all.join(", ")), is)
        }
        "lower" | "upper" | "trim" => {
            count(1, 1)?;
            (format!("{name}({})", next(Type::Text)?.sql), Type::Text)
        }
        "length" => {
            count(1, 1)?;
            (format!("length({})::numeric", next(Type::Text)?.sql), Type::Number)
        }
        "left" | "right" => {
            count(2, 2)?;
            let of = next(Type::Text)?.sql;
            (format!("{name}({of}, {})", whole(&next(Type::Number)?.sql, 0, 2000)), Type::Text)
        }
        "concat" => {
            count(1, 20)?;
            let all = (0..given)
                .map(|_| next(Type::Other).and_then(|t| told(&t)))
                .collect::<Result<Vec<_>, _>>()?;
            (format!("({})", all.join(" || ")), Type::Text)
        }
        "today" => {
            count(0, 0)?;
            ("current_date".into(), Type::Date)
        }
        "date" => {
            count(1, 1)?;
            let said = next(Type::Text)?;
            let day = said.literal.and_then(|t| t.parse::<jiff::civil::Date>().ok());
            let day = day.filter(|d| (1900..=2200).contains(&d.year()));
            let day = day.ok_or((said.at, "Write the date as '2026-12-31'.".to_owned()))?;
            (format!("date '{day}'"), Type::Date)
        }
        "year" | "month" | "day" => {
            count(1, 1)?;
            (format!("extract({name} from {})", next(Type::Date)?.sql), Type::Number)
        }
        "days" => {
            count(2, 2)?;
            let (from, to) = (next(Type::Date)?.sql, next(Type::Date)?.sql);
            (format!("({to} - {from})::numeric"), Type::Number)
        }
        "add_days" => {
            count(2, 2)?;
            let from = next(Type::Date)?.sql;
            (
                day(&format!("({from} + {})", whole(&next(Type::Number)?.sql, -2_000_000, 2_000_000))),
                Type::Date,
            )
        }
        "add_months" => {
            count(2, 2)?;
            let from = next(Type::Date)?.sql;
            let months = whole(&next(Type::Number)?.sql, -12_000, 12_000);
            (day(&format!("({from} + make_interval(months => {months}))::date")), Type::Date)
        }
        "is_empty" => {
            count(1, 1)?;
            let of = next(Type::Other)?;
            let sql = match of.is {
                Type::Text => format!("(coalesce({}, '') = '')", of.sql),
                _ => format!("({} is null)", of.sql),
            };
            (sql, Type::Bool)
        }
        _ => return Err((at, format!("There is no function {name}."))),
    };
    Ok(Typed { sql, is, at, literal: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Result<(String, Kind), String> {
        let kind = match name {
            "n" | "cf.seats" => Kind::Number,
            "t" | "customer.name" => Kind::Text,
            "d" => Kind::Date,
            "yes" => Kind::Boolean,
            "tags" => Kind::Tags,
            _ => return Err(format!("There is no field {name}.")),
        };
        Ok((format!("r.\"{name}\""), kind))
    }

    #[test]
    fn formulas_are_typed() {
        for (text, kind) in [
            ("1 + 2 * 3", Kind::Number),
            ("-n", Kind::Number),
            ("n % 7 / cf.seats", Kind::Number),
            ("t & ', ' & customer.name & 5 & d & yes", Kind::Text),
            ("{ customer.name }", Kind::Text),
            ("if(n > 0 and not yes or t = 'a', today(), empty)", Kind::Date),
            ("coalesce(empty, n, 0)", Kind::Number),
            ("min(d, date('2026-12-31'))", Kind::Date),
            ("days(d, today()) + year(d)", Kind::Number),
            ("is_empty(tags) = false", Kind::Boolean),
            ("IF(n <> 1, LEFT(t, 3), upper(trim(t)))", Kind::Text),
            ("round(n, 2)", Kind::Number),
            ("\"it's\" & 'it''s'", Kind::Text),
        ] {
            assert_eq!(compile(text, &mut named).map(|made| made.1), Ok(kind), "{text}");
        }
        for (text, mistake) in [
            ("", "At 1: The end was not expected here."),
            ("n +", "At 4: The end was not expected here."),
            ("n n", "At 3: n was not expected here."),
            ("t + 1", "At 1: This is a text, where a number is wanted."),
            ("'é' + 1", "At 1: This is a text, where a number is wanted."),
            ("if(n, 1, 2)", "At 4: This is a number, where yes or no is wanted."),
            ("if(yes, 1, t)", "At 12: This is a text, where a number is wanted."),
            ("size", "At 1: There is no field size."),
            ("sum(n)", "At 1: There is no function sum."),
            ("round(n, n)", "At 10: Digits are a whole number from 0 to 6."),
            ("abs()", "At 1: abs takes 1 values, not 0."),
            ("tags", "At 1: A formula cannot come to a list or a document."),
            ("empty", "At 1: A formula cannot come to nothing."),
            ("yes < yes", "At 5: Yes or no is not more or less."),
            ("'a", "At 1: This text does not end."),
            ("{n", "At 1: This { is not closed."),
            ("n ; n", "At 3: ; means nothing here."),
            ("n -- n'", "At 7: This text does not end."),
            ("1.2345678", "At 1: A number has at most 14 digits before its point and 6 after it."),
            ("(1", "At 3: ) was expected, not The end."),
        ] {
            assert_eq!(compile(text, &mut named), Err(mistake.to_owned()), "{text}");
        }
        assert!(compile(&"(".repeat(100), &mut named).is_err_and(|said| said.contains("too deep")));
        assert!(compile(&"1+".repeat(600), &mut named).is_err_and(|said| said.contains("At most")));
    }

    #[test]
    fn texts_stay_texts() {
        for (text, sql) in [
            ("'; drop table x; --", "'''; drop table x; --'"),
            ("\\'; drop", " E'\\\\''; drop'"),
            ("$1 $$", " E'\\x241 \\x24\\x24'"),
        ] {
            assert_eq!(literal(text), sql);
        }
        let (sql, _) = compile("\"a';\\\u{0}\n\" & t", &mut named).unwrap();
        assert!(sql.contains(" E'a'';\\\\  '"), "{sql}");
    }
}
