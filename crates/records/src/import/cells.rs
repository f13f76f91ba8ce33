//! Values as people write them in files, made into values as the API takes them. What may mean two things is refused
//! unless the rest of its column shows how it is meant.

use super::sniff::Format;
use jiff::{civil, tz::TimeZone};
use kernel::Kind;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which comes first in 03/04/2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dates {
    Dmy,
    Mdy,
}

/// How a column writes numbers and dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) decimal: Option<char>,
    pub(crate) dates: Option<Dates>,
    /// A spreadsheet's numbers are doubles: digits beyond what we keep mean nothing.
    pub(crate) rounded: bool,
}

/// What the cells of a column have shown so far.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    comma: u32,
    point: u32,
    dmy: u32,
    mdy: u32,
}

impl Evidence {
    pub(crate) fn note(&mut self, text: &str) {
        let text = text.trim();
        if text.len() > 40 || !text.contains(|c: char| c.is_ascii_digit()) {
            return;
        }
        if let Some([a, b, c]) = triple(text.split([' ', 'T']).next().unwrap_or_default(), &['/', '-'])
            && c.len() == 4
        {
            let n = |s: &str| s.parse::<u8>().unwrap_or(0);
            self.dmy += u32::from(n(a) > 12 && n(b) <= 12);
            self.mdy += u32::from(n(b) > 12 && n(a) <= 12);
            return;
        }
        if let Ok(bare) = bare(text) {
            match separators(&bare.digits) {
                Separators::Comma => self.comma += 1,
                Separators::Point => self.point += 1,
                _ => {}
            }
        }
    }

    pub(crate) fn style(&self, format: Format) -> Style {
        let only = |a: u32, b: u32| a > 0 && b == 0;
        Style {
            decimal: match (only(self.comma, self.point), only(self.point, self.comma)) {
                (true, _) => Some(','),
                (_, true) => Some('.'),
                _ => None,
            },
            dates: match (only(self.dmy, self.mdy), only(self.mdy, self.dmy)) {
                (true, _) => Some(Dates::Dmy),
                (_, true) => Some(Dates::Mdy),
                _ => None,
            },
            rounded: format == Format::Xlsx,
        }
    }
}

/// The value that a text stands for in a field of this kind, in the form that `value.rs` then checks.
///
/// # Errors
/// A sentence about the text.
pub(crate) fn read<'a>(
    kind: Kind,
    text: &str,
    style: Style,
    zone: &TimeZone,
    options: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Value, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Value::Null);
    }
    Ok(Value::String(match kind {
        Kind::Text | Kind::Textarea | Kind::Richtext => text.to_owned(),
        Kind::Duration => trimmed.to_owned(),
        Kind::Integer | Kind::Rating => whole(&number(trimmed, style)?),
        k if k.is_number() => number(trimmed, style)?,
        Kind::Date => date(trimmed, style)?,
        Kind::Datetime => instant(trimmed, style, zone)?,
        Kind::Boolean => return boolean(trimmed).map(Value::Bool),
        Kind::Select => option(trimmed, options),
        Kind::Multiselect => {
            let options: Vec<(&str, &str)> = options.collect();
            let items = list(trimmed)?;
            return Ok(items
                .into_iter()
                .map(|item| Value::String(option(&item, options.iter().copied())))
                .collect());
        }
        Kind::Tags | Kind::Users => return Ok(list(trimmed)?.into_iter().map(Value::String).collect()),
        Kind::Daterange => days(trimmed, style)?,
        Kind::Address if !trimmed.starts_with('{') => trimmed.to_owned(),
        Kind::Json | Kind::Address => {
            return serde_json::from_str(trimmed).map_err(|e| format!("This is not JSON: {e}."));
        }
        _ => trimmed.to_owned(),
    }))
}

/// A number times a factor, exactly.
pub(crate) fn scaled(number: &str, factor: Decimal) -> Result<String, String> {
    let number = Decimal::from_str_exact(number).map_err(|_| "This number is too large.")?;
    let product = number.checked_mul(factor).ok_or("This number is too large.")?;
    Ok(product.normalize().to_string())
}

struct Bare {
    negative: bool,
    digits: String,
}

/// Takes off what surrounds a number: sign, brackets, currency, per cent, spaces between groups of three.
fn bare(text: &str) -> Result<Bare, String> {
    let no = || "This is not a number.".to_owned();
    let mut text = text.trim();
    let mut negative = false;
    if let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        (text, negative) = (inner.trim(), true);
    }
    let currency = ['$', '€', '£', '₸', '₽', '¥', '₴'];
    let sign = |t: &'_ mut &str, negative: &mut bool| {
        if let Some(rest) = t.strip_prefix(['-', '\u{2212}', '\u{2013}']) {
            *negative = !*negative;
            *t = rest.trim_start();
        } else if let Some(rest) = t.strip_prefix('+') {
            *t = rest.trim_start();
        }
    };
    let before = text;
    let mut rest = text;
    sign(&mut rest, &mut negative);
    let after_sign = rest.len() != before.len();
    rest = rest.strip_prefix(currency).unwrap_or(rest).trim_start();
    if !after_sign {
        sign(&mut rest, &mut negative);
    }
    let rest = rest.strip_suffix(currency).or_else(|| rest.strip_suffix('%')).unwrap_or(rest).trim_end();
    let space = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '\u{2019}');
    let groups: Vec<&str> = rest.split(space).collect();
    let last = groups.len() - 1;
    for (n, group) in groups.iter().enumerate() {
        let whole = if n == last { group.split([',', '.']).next().unwrap_or_default() } else { group };
        let fits = if n == 0 { last == 0 || (1..=3).contains(&whole.len()) } else { whole.len() == 3 };
        if !fits {
            return Err(no());
        }
    }
    let digits = groups.concat();
    if !digits.bytes().any(|b| b.is_ascii_digit())
        || !digits.bytes().all(|b| b.is_ascii_digit() || b == b',' || b == b'.')
    {
        return Err(no());
    }
    Ok(Bare { negative, digits })
}

#[derive(Debug, PartialEq)]
enum Separators {
    /// The comma, or the point, stands before the fraction.
    Comma,
    Point,
    /// All of this kind stand between groups of three.
    Groups(char),
    /// One comma before three digits.
    Ambiguous,
    None,
    Wrong,
}

fn separators(digits: &str) -> Separators {
    let groups_of_three = |text: &str, by: char| {
        let mut groups = text.split(by);
        let first = groups.next().unwrap_or_default();
        (1..=3).contains(&first.len()) && groups.all(|g| g.len() == 3)
    };
    let (commas, points) = (digits.matches(',').count(), digits.matches('.').count());
    match (commas, points) {
        (0, 0) => Separators::None,
        (0, 1) => Separators::Point,
        (1, 0) => {
            let (before, after) = digits.split_once(',').unwrap_or_default();
            if after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0') {
                Separators::Ambiguous
            } else {
                Separators::Comma
            }
        }
        (_, 0) if groups_of_three(digits, ',') => Separators::Groups(','),
        (0, _) if groups_of_three(digits, '.') => Separators::Groups('.'),
        (_, 1) if digits.rfind('.') > digits.rfind(',') => {
            let whole = digits.split('.').next().unwrap_or_default();
            if groups_of_three(whole, ',') { Separators::Point } else { Separators::Wrong }
        }
        (1, _) if digits.rfind(',') > digits.rfind('.') => {
            let whole = digits.split(',').next().unwrap_or_default();
            if groups_of_three(whole, '.') { Separators::Comma } else { Separators::Wrong }
        }
        _ => Separators::Wrong,
    }
}

fn number(text: &str, style: Style) -> Result<String, String> {
    let Bare { negative, digits } = bare(text)?;
    let decimal = match separators(&digits) {
        Separators::None => None,
        Separators::Comma => Some(','),
        // In a column of decimal commas, 1.234 is one thousand and something.
        Separators::Point if style.decimal == Some(',') && !digits.contains(',') => {
            let (before, after) = digits.split_once('.').unwrap_or_default();
            if after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0') {
                None
            } else {
                Some('.')
            }
        }
        Separators::Point => Some('.'),
        Separators::Groups(_) => None,
        Separators::Ambiguous => match style.decimal {
            Some(',') => Some(','),
            Some(_) => None,
            None => {
                return Err(format!(
                    "{text} may be a thousand and more or a fraction. Say which in the mapping: \"decimal\": \".\" or \",\"."
                ));
            }
        },
        Separators::Wrong => return Err("This is not a number.".into()),
    };
    let mut out = String::from(if negative { "-" } else { "" });
    let start = out.len();
    for c in digits.chars() {
        if Some(c) == decimal {
            if out.len() == start {
                out.push('0');
            }
            out.push('.');
        } else if c.is_ascii_digit() {
            out.push(c);
        }
    }
    if out.ends_with('.') {
        out.pop();
    }
    if style.rounded
        && out.split_once('.').is_some_and(|(_, f)| f.len() > 6)
        && let Ok(exact) = Decimal::from_str_exact(&out)
    {
        out = exact.round_dp(6).normalize().to_string();
    }
    Ok(out)
}

/// `12.00` counts as whole.
fn whole(number: &str) -> String {
    match number.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole.to_owned(),
        _ => number.to_owned(),
    }
}

/// Three groups of digits with the same sign between.
fn triple<'a>(text: &'a str, by: &[char]) -> Option<[&'a str; 3]> {
    let sign = text.chars().find(|c| by.contains(c))?;
    let mut parts = text.split(sign);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    let digits = |s: &&str| (1..=4).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    (parts.next().is_none() && three.iter().all(digits)).then_some(three)
}

fn day(text: &str, style: Style) -> Result<String, String> {
    let no = || "Write the date as 2026-12-31.".to_owned();
    let [a, b, c] = triple(text, &['-', '/', '.']).ok_or_else(no)?;
    let (y, m, d) = if a.len() == 4 && c.len() <= 2 {
        (a, b, c)
    } else if c.len() == 4 && a.len() <= 2 && b.len() <= 2 {
        let n = |s: &str| s.parse::<u8>().unwrap_or(0);
        if text.contains('.') || n(a) > 12 || a == b {
            (c, b, a)
        } else if n(b) > 12 {
            (c, a, b)
        } else {
            match style.dates {
                Some(Dates::Dmy) => (c, b, a),
                Some(Dates::Mdy) => (c, a, b),
                None => {
                    return Err(format!(
                        "{text} may be two different days. Say which in the mapping: \"dates\": \"dmy\" or \"mdy\"."
                    ));
                }
            }
        }
    } else {
        return Err(no());
    };
    Ok(format!("{y}-{m:0>2}-{d:0>2}"))
}

fn date(text: &str, style: Style) -> Result<String, String> {
    match text.split_once([' ', 'T']) {
        Some((date, time)) if time.bytes().all(|b| matches!(b, b'0' | b':' | b'.' | b'Z')) => {
            day(date, style)
        }
        Some(_) => Err("This is a date without a time.".into()),
        None => day(text, style),
    }
}

/// Two days with a dash, or the slash of ISO 8601, between them.
fn days(text: &str, style: Style) -> Result<String, String> {
    let between = [" \u{2013} ", "\u{2013}", " \u{2014} ", "..", " - ", " / "].into_iter();
    let mut pairs = between.filter_map(|by| text.split_once(by));
    let middle = || Some(text).filter(|t| t.len() == 21).and_then(|t| t.split_once('/'));
    let (from, to) = pairs.next().or_else(middle).ok_or("Write days as 2026-11-01/2026-11-05.")?;
    Ok(format!("{}/{}", date(from.trim(), style)?, date(to.trim(), style)?))
}

/// Without an offset, a time is meant where the organization is.
fn instant(text: &str, style: Style, zone: &TimeZone) -> Result<String, String> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.to_string());
    }
    let no = || "Write the time as 2026-12-31 18:00.".to_owned();
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let date: civil::Date = day(date, style)?.parse().map_err(|_| no())?;
    let time: civil::Time = match time.trim() {
        "" => civil::Time::midnight(),
        time if time.len() == 4 => format!("0{time}").parse().map_err(|_| no())?,
        time => time.parse().map_err(|_| no())?,
    };
    let at = date.to_datetime(time).to_zoned(zone.clone()).map_err(|_| no())?;
    Ok(at.timestamp().to_string())
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "on" | "x" | "да" | "истина" | "иә" | "+" => Ok(true),
        "false" | "f" | "no" | "n" | "0" | "off" | "нет" | "ложь" | "жоқ" | "-" => Ok(false),
        _ => Err("Say yes or no.".into()),
    }
}

/// The option that is meant, by its name or by what people call it; the text itself when it is none, so that the list of
/// options is answered.
fn option<'a>(text: &str, mut options: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let plain = |s: &str| s.to_lowercase().replace([' ', '-'], "_");
    let meant = plain(text);
    let found = options.find(|(id, label)| *id == text || plain(id) == meant || plain(label) == meant);
    found.map_or(text, |(id, _)| id).to_owned()
}

/// `a; b`, `a, b`, or JSON.
fn list(text: &str) -> Result<Vec<String>, String> {
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(|_| "This is a list of texts.".into());
    }
    let by = if text.contains(';') { ';' } else { ',' };
    Ok(text.split(by).map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect())
}

/// What a spreadsheet program would take for a formula when it opens a CSV file.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Text for a CSV cell: an apostrophe before what would be a formula.
pub(crate) fn neutral(text: &str) -> std::borrow::Cow<'_, str> {
    if is_formula(text) { format!("'{text}").into() } else { text.into() }
}

/// The way back.
pub(crate) fn meant(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        let (point, comma) = (
            Style { decimal: Some('.'), ..Style::default() },
            Style { decimal: Some(','), ..Style::default() },
        );
        let cases: [(&str, Style, Option<&str>); 38] = [
            ("12", Style::default(), Some("12")),
            ("1 234,56", Style::default(), Some("1234.56")),
            ("1\u{a0}234,56", Style::default(), Some("1234.56")),
            ("1\u{202f}234\u{202f}567", Style::default(), Some("1234567")),
            ("1'234.50", Style::default(), Some("1234.50")),
            ("1,234.56", Style::default(), Some("1234.56")),
            ("1.234,56", Style::default(), Some("1234.56")),
            ("1,234,567", Style::default(), Some("1234567")),
            ("1.234.567,8", Style::default(), Some("1234567.8")),
            ("0,125", Style::default(), Some("0.125")),
            ("12,5", Style::default(), Some("12.5")),
            ("1234,567", Style::default(), Some("1234.567")),
            ("1,234", Style::default(), None),
            ("1,234", point, Some("1234")),
            ("1,234", comma, Some("1.234")),
            ("1.234", Style::default(), Some("1.234")),
            ("1.234", comma, Some("1234")),
            ("0.234", comma, Some("0.234")),
            (".5", Style::default(), Some("0.5")),
            ("5.", Style::default(), Some("5")),
            ("-7", Style::default(), Some("-7")),
            ("\u{2212}7", Style::default(), Some("-7")),
            ("+7", Style::default(), Some("7")),
            ("(7.50)", Style::default(), Some("-7.50")),
            ("$1,234.50", Style::default(), Some("1234.50")),
            ("-$5", Style::default(), Some("-5")),
            ("5 €", Style::default(), Some("5")),
            ("15%", Style::default(), Some("15")),
            ("15 %", Style::default(), Some("15")),
            ("1e3", Style::default(), None),
            ("1 23", Style::default(), None),
            ("12 34", Style::default(), None),
            ("1,23,456", Style::default(), None),
            ("1.2.3", Style::default(), None),
            ("NaN", Style::default(), None),
            ("--5", Style::default(), None),
            ("", Style::default(), None),
            ("abc", Style::default(), None),
        ];
        for (text, style, expected) in cases {
            assert_eq!(number(text, style).ok().as_deref(), expected, "{text}");
        }
        let rounded = Style { rounded: true, ..Style::default() };
        assert_eq!(number("0.333333333333333", rounded).unwrap(), "0.333333");
        assert_eq!(scaled("0.15", Decimal::ONE_HUNDRED).unwrap(), "15");
        assert_eq!(scaled("0.05", Decimal::from_str_exact("-1.5").unwrap()).unwrap(), "-0.075");
    }

    #[test]
    fn dates_as_people_write_them() {
        let (dmy, mdy) = (
            Style { dates: Some(Dates::Dmy), ..Style::default() },
            Style { dates: Some(Dates::Mdy), ..Style::default() },
        );
        let cases: [(&str, Style, Option<&str>); 16] = [
            ("2026-12-31", Style::default(), Some("2026-12-31")),
            ("2026/1/5", Style::default(), Some("2026-01-05")),
            ("31.12.2026", Style::default(), Some("2026-12-31")),
            ("1.2.2026", Style::default(), Some("2026-02-01")),
            ("12/31/2026", Style::default(), Some("2026-12-31")),
            ("31/12/2026", Style::default(), Some("2026-12-31")),
            ("3/3/2026", Style::default(), Some("2026-03-03")),
            ("3/4/2026", Style::default(), None),
            ("3/4/2026", dmy, Some("2026-04-03")),
            ("3/4/2026", mdy, Some("2026-03-04")),
            ("03-04-2026", dmy, Some("2026-04-03")),
            ("2026-12-31 00:00:00", Style::default(), Some("2026-12-31")),
            ("2026-12-31T00:00:00Z", Style::default(), Some("2026-12-31")),
            ("2026-12-31 10:00", Style::default(), None),
            ("31.12.26", Style::default(), None),
            ("tomorrow", Style::default(), None),
        ];
        for (text, style, expected) in cases {
            assert_eq!(date(text, style).ok().as_deref(), expected, "{text}");
        }
        let almaty = TimeZone::get("Asia/Almaty").unwrap();
        for (text, expected) in [
            ("2026-12-31T18:00:00Z", "2026-12-31T18:00:00Z"),
            ("2026-12-31 18:00", "2026-12-31T13:00:00Z"),
            ("31.12.2026 9:05", "2026-12-31T04:05:00Z"),
            ("2026-12-31T18:00:00.5+05:00", "2026-12-31T13:00:00.5Z"),
            ("2026-12-31", "2026-12-30T19:00:00Z"),
        ] {
            assert_eq!(instant(text, Style::default(), &almaty).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_column_shows_how_it_is_meant() {
        let style = |cells: &[&str]| {
            let mut evidence = Evidence::default();
            cells.iter().for_each(|c| evidence.note(c));
            evidence.style(Format::Csv)
        };
        assert_eq!(style(&["1,234", "12,5"]).decimal, Some(','));
        assert_eq!(style(&["1,234", "12.5"]).decimal, Some('.'));
        assert_eq!(style(&["1,234", "5,678"]).decimal, None);
        assert_eq!(style(&["1,5", "1.5"]).decimal, None);
        assert_eq!(style(&["1/2/2026", "13/2/2026"]).dates, Some(Dates::Dmy));
        assert_eq!(style(&["1/2/2026", "2/13/2026 10:00"]).dates, Some(Dates::Mdy));
    }

    #[test]
    fn formulas_survive_a_round_trip() {
        for text in
            ["=1+1", "+7 701", "-5", "@a", "\tx", "\rx", "'=1", "''=1", "'quoted'", "plain", "", "'", "a=b"]
        {
            let out = neutral(text);
            assert!(!out.starts_with(['=', '+', '-', '@', '\t', '\r']), "{out}");
            assert_eq!(meant(&out), text);
        }
    }

    #[test]
    fn words_for_yes_lists_and_options() {
        assert_eq!(boolean("Да"), Ok(true));
        assert_eq!(boolean("0"), Ok(false));
        assert!(boolean("perhaps").is_err());
        assert_eq!(list("a; b,c").unwrap(), ["a", "b,c"]);
        assert_eq!(list("[\"a;b\"]").unwrap(), ["a;b"]);
        let options = [("draft", "draft"), ("in_progress", "in_progress"), ("ala", "Almaty")];
        let option = |text| option(text, options.into_iter());
        assert_eq!(
            ["In Progress", "almaty", "ala", "Astana"].map(option),
            ["in_progress", "ala", "ala", "Astana"]
        );
    }
}
