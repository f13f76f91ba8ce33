use crate::recurrence::Recurrence;
use jiff::{Timestamp, civil::Date};
use kernel::{Column, CustomField, Kind};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// Text that PostgreSQL casts to the column's type; `None` is null.
pub(crate) type Text = Option<String>;

const SHORT: usize = 2_000;
const LONG: usize = 200_000;
/// Digits before and after the point that `numeric(20,6)` holds.
const WHOLE: usize = 14;
const FRACTION: usize = 6;
const MOST_STARS: i64 = 10;
/// A hundred years.
const MOST_MINUTES: i64 = 100 * 366 * 24 * 60;
/// Of the strokes of a signature.
const MOST_STROKES: usize = 20_000;
const MOST_FILES: usize = 50;
const MOST_PEOPLE: usize = 200;
/// What an address says, as the addresses of parties and documents do.
pub(crate) const PLACES: [&str; 5] = ["street", "city", "region", "postal_code", "country"];
/// ISO 3166-1, and the code that Kosovo is given in practice.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK";

pub(crate) const NOT_WRITTEN: &str = "This field cannot be written.";

/// Checks what somebody sent for a column, and gives the text that is sent on. Empty text is no value.
///
/// # Errors
/// A sentence that says what is wrong with the value.
pub(crate) fn text_of(column: &Column, value: &Value) -> Result<Text, String> {
    checked(column.kind, value, &column.sql_type, || column.options.iter().map(String::as_str))
}

/// As [`text_of`], for a field that an organization added: the JSON that is kept in `custom`.
pub(crate) fn json_of(field: &CustomField, value: &Value) -> Result<Value, String> {
    let kind = if field.kind == Kind::Tags { Kind::Multiselect } else { field.kind };
    let Some(text) = checked(kind, value, "numeric", || field.choices())? else {
        return Ok(Value::Null);
    };
    match field.look.as_str() {
        _ if kind == Kind::Rating => drop(rating(&Value::String(text.clone()), field.stars())?),
        "progress" => progress(&text)?,
        "icon" => icon(&text)?,
        "avatar" if text.contains(',') => return Err("This is one picture.".into()),
        _ => {}
    }
    Ok(match kind {
        Kind::File | Kind::Users if text == "[]" => Value::Null,
        Kind::Address if text == "{}" => Value::Null,
        Kind::Boolean => Value::Bool(text == "true"),
        k if k.is_number() => text.parse::<serde_json::Number>().map_or(Value::Null, Value::Number),
        Kind::Multiselect => value.clone(),
        Kind::Location | Kind::Signature | Kind::File | Kind::Users | Kind::Address => {
            serde_json::from_str(&text).unwrap_or_default()
        }
        _ => Value::String(text),
    })
}

fn checked<'a, I: Iterator<Item = &'a str>>(
    kind: Kind,
    value: &Value,
    sql_type: &str,
    options: impl Fn() -> I,
) -> Result<Text, String> {
    if value.is_null() || value.as_str().is_some_and(str::is_empty) {
        return Ok(None);
    }
    let one_of = |text: &str| {
        if options().any(|o| o == text) {
            return Ok(());
        }
        Err(format!("Choose one of: {}.", options().collect::<Vec<_>>().join(", ")))
    };
    let text = match kind {
        Kind::Text => plain(value, SHORT)?,
        Kind::Richtext => plain(value, LONG)?,
        Kind::Rating => rating(value, MOST_STARS)?.to_string(),
        Kind::Duration => duration(value)?,
        Kind::Color => color(value)?,
        Kind::Location => location(value)?.to_string(),
        Kind::Country => country(value)?,
        Kind::Timezone => time_zone(value)?,
        Kind::Barcode => barcode(value)?,
        Kind::Signature => signature(value)?.to_string(),
        Kind::Recurrence => Recurrence::parse(&plain(value, LONG)?)?.to_string(),
        Kind::File => files(value)?.to_string(),
        Kind::Time => time(value)?,
        Kind::Daterange => days(value)?,
        Kind::Users => people(value)?.to_string(),
        Kind::Address => address(value)?.to_string(),
        Kind::Autonumber | Kind::Button => return Err(NOT_WRITTEN.into()),
        Kind::Phone => plain(value, 50)?,
        Kind::Email => plain(value, 254).and_then(email)?,
        Kind::Url => plain(value, SHORT).and_then(url)?,
        Kind::Textarea => plain(value, LONG)?,
        Kind::Select => {
            let text = plain(value, SHORT)?;
            one_of(&text)?;
            text
        }
        Kind::Number | Kind::Money | Kind::Percent | Kind::Quantity => decimal(value)?,
        Kind::Integer => integer(value, sql_type)?,
        Kind::Date => date(value)?,
        Kind::Datetime => instant(value)?,
        Kind::Boolean => match value {
            Value::Bool(b) => b.to_string(),
            Value::String(s) if s == "true" || s == "false" => s.clone(),
            _ => return Err("Say true or false.".into()),
        },
        Kind::Relation | Kind::User | Kind::Uuid => id(value)?,
        Kind::Tags | Kind::Multiselect => {
            let items = value.as_array().ok_or("This is a list of texts.")?;
            if items.len() > 200 {
                return Err("At most 200 values.".into());
            }
            let mut texts = Vec::new();
            for item in items {
                let text = plain(item, 200)?;
                if kind == Kind::Multiselect {
                    one_of(&text)?;
                }
                texts.push(text);
            }
            array(&texts)
        }
        Kind::Json => {
            bounded(value, 0)?;
            if sql_type == "uuid[]" {
                let ids = value.as_array().ok_or("This is a list of ids.")?;
                array(&ids.iter().map(id).collect::<Result<Vec<_>, _>>()?)
            } else {
                value.to_string()
            }
        }
        Kind::Hidden => return Err("There is no such field.".into()),
    };
    Ok(Some(text))
}

fn plain(value: &Value, most: usize) -> Result<String, String> {
    let text = match value {
        Value::String(s) => s.clone(),
        Value::Number(n) => n.to_string(),
        _ => return Err("This is a text.".into()),
    };
    if text.contains('\0') {
        return Err("A text cannot contain a null character.".into());
    }
    if text.chars().count() > most {
        return Err(format!("At most {most} characters."));
    }
    Ok(text)
}

fn email(text: String) -> Result<String, String> {
    let whole = |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace());
    match text.split_once('@') {
        Some((name, host)) if whole(name) && whole(host) => Ok(text),
        _ => Err("This is not an e-mail address.".into()),
    }
}

/// What a click on it opens is the web, and runs nothing.
fn url(text: String) -> Result<String, String> {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|t| t.eq_ignore_ascii_case(scheme));
    if begins("https://") || begins("http://") {
        return Ok(text);
    }
    Err("A web address starts with http:// or https://.".into())
}

/// Digits, a point, digits: no exponent, which could stand for more digits than there is memory.
fn decimal(value: &Value) -> Result<String, String> {
    let text = match value {
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.trim().to_owned(),
        _ => return Err("This is a number.".into()),
    };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
        return Err("This is not a number.".into());
    }
    if whole.trim_start_matches('0').len() > WHOLE {
        return Err("This number is too large.".into());
    }
    if fraction.trim_end_matches('0').len() > FRACTION {
        return Err(format!("At most {FRACTION} digits after the point."));
    }
    Ok(text)
}

fn integer(value: &Value, sql_type: &str) -> Result<String, String> {
    let text = match value {
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.trim().to_owned(),
        _ => return Err("This is a whole number.".into()),
    };
    let n: i64 = text.parse().map_err(|_| "This is not a whole number.")?;
    let most = match sql_type {
        "smallint" => i64::from(i16::MAX),
        "integer" => i64::from(i32::MAX),
        _ => i64::MAX,
    };
    if n > most || n < -most {
        return Err("This number is too large.".into());
    }
    Ok(n.to_string())
}

fn rating(value: &Value, most: i64) -> Result<i64, String> {
    integer(value, "bigint")
        .ok()
        .and_then(|n| n.parse().ok())
        .filter(|n| (0..=most).contains(n))
        .ok_or_else(|| format!("A rating is a whole number from 0 to {most}."))
}

/// Whole minutes, out of what people write: `90`, `90m`, `1:30`, `1.5h`, `1 h 30 min`.
fn duration(value: &Value) -> Result<String, String> {
    const NO: &str = "Write a duration as 1:30, 90m or 1.5h.";
    let text = match value {
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.trim().to_lowercase().replace(',', "."),
        _ => return Err(NO.into()),
    };
    let most = Decimal::from(MOST_MINUTES);
    let number = |digits: &str| {
        let plain = !digits.is_empty()
            && digits.len() < 16
            && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        Decimal::from_str_exact(digits).ok().filter(|n| plain && *n <= most).ok_or(NO)
    };
    let minutes = if let Some((hours, minutes)) = text.split_once(':') {
        let whole = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if !whole(hours) || !whole(minutes) || minutes.len() != 2 || minutes > "59" {
            return Err(NO.into());
        }
        number(hours)? * Decimal::from(60) + number(minutes)?
    } else {
        let mut rest = text.as_str();
        let mut sum = Decimal::ZERO;
        let mut factor_before = Decimal::MAX;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (digits, tail) = rest.split_at(end);
            let tail = tail.trim_start();
            let end = tail.find(|c: char| c.is_ascii_digit() || c == ' ').unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(end);
            let factor = match unit.trim_end_matches('.') {
                "" if digits.len() == text.len() && !digits.contains('.') => 1,
                "m" | "min" | "mins" | "minute" | "minutes" | "м" | "мин" => 1,
                "h" | "hr" | "hrs" | "hour" | "hours" | "ч" | "час" | "сағ" => 60,
                _ => return Err(NO.into()),
            };
            // Hours, then minutes.
            let factor = Decimal::from(factor);
            if factor >= factor_before {
                return Err(NO.into());
            }
            factor_before = factor;
            sum += number(digits)? * factor;
            rest = tail.trim_start();
        }
        sum
    };
    if minutes > most {
        return Err("A duration is at most a hundred years.".into());
    }
    Ok(minutes.round().normalize().to_string())
}

fn color(value: &Value) -> Result<String, String> {
    let text = value.as_str().unwrap_or_default().trim().to_lowercase();
    let digits = text.strip_prefix('#').unwrap_or(&text);
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        match digits.len() {
            6 => return Ok(format!("#{digits}")),
            3 => return Ok(digits.chars().fold("#".into(), |all, c| format!("{all}{c}{c}"))),
            _ => {}
        }
    }
    Err("Write a colour as #1a73e8.".into())
}

/// `{lat, lon, label?}`, or `43.238949, 76.889709, Almaty` as people copy it from a map.
fn location(value: &Value) -> Result<Value, String> {
    const NO: &str = "Write a place as 43.238949, 76.889709: latitude and longitude in degrees.";
    let (lat, lon, label) = match value {
        Value::String(text) => {
            let mut parts = text.splitn(3, ',').map(str::trim);
            let (lat, lon) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            (lat.parse::<f64>().ok(), lon.parse::<f64>().ok(), parts.next().unwrap_or_default().to_owned())
        }
        Value::Object(map) => {
            if map.keys().any(|k| !["lat", "lon", "label"].contains(&k.as_str())) {
                return Err(NO.into());
            }
            let number = |key: &str| match &value[key] {
                Value::String(text) => text.trim().parse::<f64>().ok(),
                other => other.as_f64(),
            };
            let label = if value["label"].is_null() { String::new() } else { plain(&value["label"], 200)? };
            (number("lat"), number("lon"), label.trim().to_owned())
        }
        _ => return Err(NO.into()),
    };
    let label = plain(&Value::String(label), 200)?;
    // A hand's breadth.
    let degrees =
        |n: Option<f64>, most: f64| n.filter(|n| n.abs() <= most).map(|n| (n * 1e6).round() / 1e6).ok_or(NO);
    let mut place = json!({ "lat": degrees(lat, 90.0)?, "lon": degrees(lon, 180.0)? });
    if !label.is_empty() {
        place["label"] = label.into();
    }
    Ok(place)
}

fn country(value: &Value) -> Result<String, String> {
    let text = plain(value, 50)?.trim().to_uppercase();
    if text.len() == 2 && COUNTRIES.split(' ').any(|c| c == text) {
        return Ok(text);
    }
    Err("A country is two capital letters, such as KZ or US.".into())
}

fn time_zone(value: &Value) -> Result<String, String> {
    let zone = jiff::tz::TimeZone::get(plain(value, 100)?.trim()).ok();
    let name = zone.as_ref().and_then(|z| z.iana_name()).map(str::to_owned);
    name.ok_or_else(|| "Write a time zone as Asia/Almaty.".into())
}

fn barcode(value: &Value) -> Result<String, String> {
    let text = plain(value, 200)?.trim().to_owned();
    if text.chars().any(char::is_control) {
        return Err("A barcode is one line.".into());
    }
    Ok(text)
}

/// The strokes as the path of an SVG, or the name as it was typed; nothing else, so that to show it runs nothing.
fn signature(value: &Value) -> Result<Value, String> {
    const NO: &str = "A signature is drawn, or a name is typed.";
    let of = |key: &str| value[key].as_str().map(str::trim).filter(|t| !t.is_empty());
    match (of("path"), of("text")) {
        (Some(path), None) => {
            let plain =
                |b: u8| b.is_ascii_digit() || matches!(b, b'M' | b'L' | b'Q' | b' ' | b'.' | b',' | b'-');
            if !path.starts_with('M') || !path.bytes().all(plain) {
                return Err(NO.into());
            }
            if path.len() > MOST_STROKES {
                return Err("This signature is too large. Draw it with fewer strokes.".into());
            }
            Ok(json!({ "path": path }))
        }
        (None, Some(text)) => Ok(json!({ "text": plain(&json!(text), 200)? })),
        _ => Err(NO.into()),
    }
}

/// Files that were sent before: `["id", …]`, `[{id, …}]` as they are read, or one of these.
fn files(value: &Value) -> Result<Value, String> {
    let one = std::slice::from_ref(value);
    let items = value.as_array().map_or(one, Vec::as_slice);
    if items.len() > MOST_FILES {
        return Err(format!("At most {MOST_FILES} files."));
    }
    let of = |item: &Value| id(if item.is_object() { &item["id"] } else { item });
    let ids = items.iter().map(of).collect::<Result<Vec<_>, _>>();
    Ok(json!(ids.map_err(|_| "Send the file first, then name it by its id.")?))
}

/// `HH:MM`, with seconds where they were given: texts that sort as the times do.
fn time(value: &Value) -> Result<String, String> {
    const NO: &str = "Write a time of day as 18:30.";
    let text = value.as_str().ok_or(NO)?.trim().to_lowercase();
    let halves = [("am", 'a'), ("pm", 'p'), ("a.m.", 'a'), ("p.m.", 'p')];
    let said = halves.iter().find_map(|(end, half)| Some((text.strip_suffix(end)?, Some(*half))));
    let (clock, half) = said.unwrap_or((&text, None));
    let parts: Vec<&str> = clock.trim().split(':').collect();
    let number = |n: usize, most: u8| {
        let digits = parts.get(n).filter(|d| (1..=2).contains(&d.len()) && (n == 0 || d.len() == 2))?;
        let all = digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<u8>().ok().filter(|d| all && *d <= most)
    };
    let hour = match (number(0, 23).ok_or(NO)?, half) {
        (hour, None) => hour,
        (hour @ 1..=12, Some('a')) => hour % 12,
        (hour @ 1..=12, Some('p')) => hour % 12 + 12,
        _ => return Err(NO.into()),
    };
    match parts.len() {
        1 if half.is_some() => Ok(format!("{hour:02}:00")),
        2 => Ok(format!("{hour:02}:{:02}", number(1, 59).ok_or(NO)?)),
        3 => Ok(format!("{hour:02}:{:02}:{:02}", number(1, 59).ok_or(NO)?, number(2, 59).ok_or(NO)?)),
        _ => Err(NO.into()),
    }
}

/// `2026-11-01/2026-11-05`, an interval of ISO 8601: text that sorts by its first day. Taken also as `{from, to}`.
fn days(value: &Value) -> Result<String, String> {
    const NO: &str = "Write days as 2026-11-01/2026-11-05, the first and the last.";
    let (from, to) = match value {
        Value::String(text) => {
            let (from, to) = text.split_once('/').ok_or(NO)?;
            (json!(from.trim()), json!(to.trim()))
        }
        Value::Object(map) if map.keys().all(|k| k == "from" || k == "to") => {
            (value["from"].clone(), value["to"].clone())
        }
        _ => return Err(NO.into()),
    };
    let given = |day: &Value| !day.is_null() && day != "";
    match (given(&from), given(&to)) {
        (false, false) => return Err(NO.into()),
        (true, true) => {}
        _ => return Err("Say both the first and the last day.".into()),
    }
    let (from, to) = (date(&from)?, date(&to)?);
    if to < from {
        return Err("The last day is before the first.".into());
    }
    Ok(format!("{from}/{to}"))
}

/// Members, each once.
fn people(value: &Value) -> Result<Value, String> {
    let items = value.as_array().ok_or("This is a list of members.")?;
    if items.len() > MOST_PEOPLE {
        return Err(format!("At most {MOST_PEOPLE} members."));
    }
    let mut ids: Vec<String> = Vec::new();
    for item in items {
        let id = id(item)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(json!(ids))
}

/// Of its parts those that say something; a text is its street.
fn address(value: &Value) -> Result<Value, String> {
    let mut parts = Map::new();
    match value {
        Value::String(text) => {
            parts.insert("street".into(), json!(plain(&json!(text.trim()), 500)?));
        }
        Value::Object(map) => {
            if let Some(other) = map.keys().find(|k| !PLACES.contains(&k.as_str())) {
                return Err(format!("An address has no {other}."));
            }
            for name in PLACES {
                let value = &value[name];
                if value.is_null() || value.as_str().is_some_and(|t| t.trim().is_empty()) {
                    continue;
                }
                let text = match name {
                    "country" => country(value)?,
                    "postal_code" => plain(value, 20)?,
                    _ => plain(value, 500)?,
                };
                parts.insert(name.into(), json!(text.trim()));
            }
        }
        _ => return Err("An address has street, city, region, postal_code and country.".into()),
    }
    Ok(Value::Object(parts))
}

fn progress(text: &str) -> Result<(), String> {
    let fits = text.parse::<Decimal>().is_ok_and(|n| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&n));
    if fits { Ok(()) } else { Err("Progress is a number from 0 to 100.".into()) }
}

fn icon(text: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.len() <= 40 && text.bytes().all(plain) {
        return Ok(());
    }
    Err("An icon is called by its name.".into())
}

fn date(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("This is a date.")?;
    let date: Date = Some(text)
        .filter(|t| t.len() == 10)
        .and_then(|t| t.parse().ok())
        .ok_or("Write the date as 2026-12-31.")?;
    if !(1900..=2200).contains(&date.year()) {
        return Err("The year must lie between 1900 and 2200.".into());
    }
    Ok(date.to_string())
}

fn instant(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("This is a date with a time.")?;
    let at: Timestamp = text.parse().map_err(|_| "Write the time as 2026-12-31T18:00:00Z.".to_owned())?;
    let year = at.to_zoned(jiff::tz::TimeZone::UTC).year();
    if !(1900..=2200).contains(&year) {
        return Err("The year must lie between 1900 and 2200.".into());
    }
    Ok(at.to_string())
}

fn id(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("This is the id of a record.")?;
    let id: uuid::Uuid = text.parse().map_err(|_| "This is not an id.")?;
    Ok(id.to_string())
}

/// PostgreSQL's way of writing an array.
pub(crate) fn array(items: &[String]) -> String {
    let quoted = items.iter().map(|t| format!("\"{}\"", t.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// JSON that is no bomb: not deep, no number with a giant exponent, no null character.
fn bounded(value: &Value, depth: usize) -> Result<(), String> {
    if depth > 32 {
        return Err("This is nested too deep.".into());
    }
    match value {
        Value::Number(_) => decimal(value).map(drop),
        Value::String(s) if s.contains('\0') => Err("A text cannot contain a null character.".into()),
        Value::Array(items) => items.iter().try_for_each(|v| bounded(v, depth + 1)),
        Value::Object(map) => map.values().try_for_each(|v| bounded(v, depth + 1)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_exact_and_bounded() {
        for good in ["0", "-1.5", "12345678901234.123456", "0.1000000"] {
            assert_eq!(decimal(&json!(good)), Ok(good.to_owned()));
        }
        let bomb: Value = serde_json::from_str("1e131071").unwrap();
        for bad in [
            json!("1e3"),
            json!("NaN"),
            json!("Infinity"),
            json!("1."),
            json!(".5"),
            bomb,
            json!("123456789012345"),
            json!("0.1234567"),
            json!(true),
        ] {
            assert!(decimal(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_of_day_sort_as_texts() {
        for (text, kept) in [
            ("9:05", "09:05"),
            ("21:05:07", "21:05:07"),
            ("00:00", "00:00"),
            ("12 am", "00:00"),
            ("12:30 PM", "12:30"),
            ("9:05 p.m.", "21:05"),
            ("11pm", "23:00"),
        ] {
            assert_eq!(time(&json!(text)), Ok(kept.to_owned()), "{text}");
        }
        for bad in
            ["", "9", "24:00", "9:5", "9:60", "13:00 pm", "0 am", "1:2:3:4", "noon", "9:05 \u{434}m", "٩:٠٥"]
        {
            assert!(time(&json!(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn days_are_an_interval_with_both_ends() {
        let kept = Ok("2026-11-01/2026-11-05".to_owned());
        assert_eq!(days(&json!("2026-11-01/2026-11-05")), kept);
        assert_eq!(days(&json!({ "from": "2026-11-01", "to": "2026-11-05" })), kept);
        for (bad, message) in [
            (json!("2026-11-05/2026-11-01"), "The last day is before the first."),
            (json!({ "from": "2026-11-05" }), "Say both the first and the last day."),
            (json!({ "from": "2026-11-05", "to": "" }), "Say both the first and the last day."),
            (json!("2026-11-05"), "Write days as 2026-11-01/2026-11-05, the first and the last."),
            (json!({ "from": "2026-02-30", "to": "2026-03-01" }), "Write the date as 2026-12-31."),
        ] {
            assert_eq!(days(&bad), Err(message.to_owned()), "{bad}");
        }
    }

    #[test]
    fn an_address_keeps_what_says_something() {
        assert_eq!(address(&json!(" Abay 10 ")), Ok(json!({ "street": "Abay 10" })));
        let full = json!({ "street": "Abay 10", "city": "Almaty", "region": " ", "postal_code": 50000, "country": "kz" });
        let kept = json!({ "street": "Abay 10", "city": "Almaty", "postal_code": "50000", "country": "KZ" });
        assert_eq!(address(&full), Ok(kept));
        for bad in
            [json!({ "line1": "x" }), json!({ "country": "Kazakhstan" }), json!([1]), json!({ "city": {} })]
        {
            assert!(address(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_minutes() {
        for (text, minutes) in [
            ("90", "90"),
            ("90m", "90"),
            ("1:30", "90"),
            ("1.5h", "90"),
            ("1,5 h", "90"),
            ("1 h 30 min", "90"),
            ("1h30m", "90"),
            ("1 ч 30 мин", "90"),
            ("0:05", "5"),
            ("0", "0"),
            ("100:00", "6000"),
        ] {
            assert_eq!(duration(&json!(text)), Ok(minutes.to_owned()), "{text}");
        }
        assert_eq!(duration(&json!(45)), Ok("45".into()));
        for bad in [
            "",
            "1:5",
            "1:60",
            "1.5",
            "-5",
            "h",
            "1x",
            "30m 1h",
            "1h 2h",
            ":30",
            "1e3",
            "9999999999h",
            "1..5h",
        ] {
            if !bad.is_empty() {
                assert!(duration(&json!(bad)).is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn places_colours_and_codes() {
        assert_eq!(
            location(&json!("43.2389490001, 76.889709, Almaty, centre")).unwrap(),
            json!({ "lat": 43.238949, "lon": 76.889709, "label": "Almaty, centre" })
        );
        assert_eq!(
            location(&json!({ "lat": -33.5, "lon": "151" })).unwrap(),
            json!({ "lat": -33.5, "lon": 151.0 })
        );
        for bad in [
            json!("91, 0"),
            json!("0"),
            json!("NaN, 0"),
            json!({ "lat": 1 }),
            json!({ "lat": 1, "lon": 2, "x": 3 }),
            json!([1, 2]),
            json!({ "lat": 1, "lon": 2, "label": "\0" }),
        ] {
            assert!(location(&bad).is_err(), "{bad}");
        }
        assert_eq!(color(&json!("#FA0")), Ok("#ffaa00".into()));
        assert!(color(&json!("red")).is_err() && color(&json!("#12345")).is_err());
        assert_eq!(country(&json!("kz")), Ok("KZ".into()));
        assert!(country(&json!("ZZ")).is_err());
        assert_eq!(time_zone(&json!("asia/almaty")), Ok("Asia/Almaty".into()));
        assert!(time_zone(&json!("Mars/Base")).is_err());
        assert_eq!(rating(&json!("4"), 5), Ok(4));
        assert!(
            rating(&json!(6), 5).is_err()
                && rating(&json!(1.5), 5).is_err()
                && rating(&json!(-1), 5).is_err()
        );
        assert!(
            signature(&json!({ "path": "M1 2L3 4" })).is_ok() && signature(&json!({ "text": "Ann" })).is_ok()
        );
        for bad in [
            json!("M1 2"),
            json!({}),
            json!({ "path": "M1\" onload=\"x" }),
            json!({ "path": "M1", "text": "both" }),
        ] {
            assert!(signature(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dates_are_dates() {
        assert!(date(&json!("2026-02-28")).is_ok());
        for bad in ["infinity", "now", "tomorrow", "5874897-12-31", "0000-00-00", "2026-02-30", "26-1-1"] {
            assert!(date(&json!(bad)).is_err(), "{bad}");
        }
    }
}
