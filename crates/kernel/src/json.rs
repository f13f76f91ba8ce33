//! JSON as it comes from outside.

use crate::{Error, Result};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use uuid::Uuid;

/// How serde_json hands over a number whose digits it keeps.
const NUMBER: &str = "$serde_json::private::Number";
/// More than any column holds; an exponent could stand for more digits than there is memory.
const DIGITS: usize = 60;
const EXPONENT: u32 = 60;

/// The record that an action's body or another record names.
///
/// # Errors
/// Malformed where it is no id.
pub fn id(said: &Value) -> Result<Uuid> {
    let id = said.as_str().and_then(|s| s.parse().ok());
    id.ok_or_else(|| Error::malformed("Say which record, by its id."))
}

/// One value and nothing after it. What two readers could understand differently is refused: a name that comes twice,
/// a number of absurd size, minus zero.
///
/// # Errors
/// Malformed, with the place.
pub fn read_json(bytes: &[u8]) -> Result<Value> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|e| Error::malformed(format!("This is not JSON: {e}.")))
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if name == NUMBER {
                return number(&entries.next_value::<String>()?)
                    .map(Value::Number)
                    .ok_or_else(|| A::Error::custom("this is no number that anybody means"));
            }
            if map.contains_key(&name) {
                return Err(A::Error::custom(format!("`{name}` comes twice")));
            }
            map.insert(name, entries.next_value_seed(Strict)?);
        }
        Ok(Value::Object(map))
    }
}

fn number(text: &str) -> Option<Number> {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let zero = digits.strip_prefix('-').is_some_and(|d| d.bytes().all(|b| matches!(b, b'0' | b'.')));
    if zero || digits.len() > DIGITS || exponent.unsigned_abs() > EXPONENT {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_clear_is_read_exactly() {
        for good in [
            r#"{"a":[1,-2.50,9007199254740993,true,null,"\u00e4"],"b":{"a":{}}}"#,
            "12345678901234567890.123456",
            "1e3",
        ] {
            assert_eq!(
                read_json(good.as_bytes()).unwrap().to_string(),
                good.replace("\\u00e4", "ä").replace("1e3", "1e+3")
            );
        }
    }

    #[test]
    fn what_is_not_is_refused() {
        let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
        let long = "1".repeat(100);
        let bad = [
            r#"{"a":1,"a":2}"#,
            r#"{"b":[{"a":1,"\u0061":1}]}"#,
            "1e131071",
            "1e-131071",
            "1e99999999999",
            "-0",
            "-0.0",
            "NaN",
            "Infinity",
            "{} {}",
            "{},",
            "\u{feff}{}",
            r#""\ud800""#,
            r#"{"$serde_json::private::Number":"1","a":2}"#,
            r#"{"$serde_json::private::Number":"drop table"}"#,
            &deep,
            &long,
        ];
        for bad in bad {
            assert!(matches!(read_json(bad.as_bytes()), Err(Error::Malformed(_))), "{bad}");
        }
        assert!(read_json(b"{\"a\":\"\xff\"}").is_err());
        assert!(read_json(b"\xff\xfe{\0}\0").is_err());
    }
}
