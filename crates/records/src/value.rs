use jiff::{Timestamp, civil::Date};
use kernel::{Column, CustomField, Kind};
use serde_json::Value;

/// Text that PostgreSQL casts to the column's type; `None` is null.
pub(crate) type Text = Option<String>;

const SHORT: usize = 2_000;
const LONG: usize = 200_000;
/// Digits before and after the point that `numeric(20,6)` holds.
const WHOLE: usize = 14;
const FRACTION: usize = 6;

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
    Ok(match kind {
        Kind::Boolean => Value::Bool(text == "true"),
        k if k.is_number() => text.parse::<serde_json::Number>().map_or(Value::Null, Value::Number),
        Kind::Multiselect => value.clone(),
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
    fn dates_are_dates() {
        assert!(date(&json!("2026-02-28")).is_ok());
        for bad in ["infinity", "now", "tomorrow", "5874897-12-31", "0000-00-00", "2026-02-30", "26-1-1"] {
            assert!(date(&json!(bad)).is_err(), "{bad}");
        }
    }
}
