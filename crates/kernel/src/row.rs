use crate::Kind;
use jiff::{Span, Timestamp, civil::Date};
use std::{fmt::Display, io::Write};
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};

/// A value as PostgreSQL sent it.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Writes the value of a column as JSON, straight from the wire: decimals as strings, instants as RFC 3339.
pub fn write_json(out: &mut Vec<u8>, row: &Row, column: usize, kind: Kind) {
    match row.try_get::<_, Option<Raw<'_>>>(column) {
        Ok(Some(Raw(raw))) => write_value(out, row.columns()[column].type_(), raw, kind),
        _ => out.extend_from_slice(b"null"),
    }
}

fn write_value(out: &mut Vec<u8>, sql_type: &Type, raw: &[u8], kind: Kind) {
    match *sql_type {
        Type::BOOL => out.extend_from_slice(if raw == [1] { b"true" } else { b"false" }),
        Type::INT2 | Type::INT4 | Type::INT8 => {
            let n =
                raw.iter().fold(if raw[0] & 0x80 == 0 { 0 } else { -1_i64 }, |n, b| n << 8 | i64::from(*b));
            show(out, n);
        }
        // Whole numbers, however an organization's own fields keep them.
        Type::NUMERIC if matches!(kind, Kind::Rating | Kind::Duration | Kind::Autonumber) => {
            decimal(out, raw, 0)
        }
        Type::NUMERIC => {
            out.push(b'"');
            decimal(out, raw, if kind == Kind::Money { 2 } else { 0 });
            out.push(b'"');
        }
        Type::UUID => {
            out.push(b'"');
            for (n, byte) in raw.iter().enumerate() {
                if matches!(n, 4 | 6 | 8 | 10) {
                    out.push(b'-');
                }
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            out.push(b'"');
        }
        Type::DATE => {
            let days = i32::from_be_bytes(raw.try_into().unwrap_or_default());
            let date = Date::constant(2000, 1, 1).checked_add(Span::new().days(days));
            match date {
                Ok(date) => show(out, format_args!("\"{date}\"")),
                Err(_) => out.extend_from_slice(b"null"),
            }
        }
        Type::TIMESTAMPTZ => {
            let micros = i64::from_be_bytes(raw.try_into().unwrap_or_default());
            match Timestamp::from_microsecond(micros.saturating_add(946_684_800_000_000)) {
                Ok(at) => show(out, format_args!("\"{at}\"")),
                Err(_) => out.extend_from_slice(b"null"),
            }
        }
        // A version byte, then the text.
        Type::JSONB => out.extend_from_slice(raw.get(1..).unwrap_or(b"null")),
        Type::JSON => out.extend_from_slice(raw),
        Type::TEXT_ARRAY => array(out, raw, text),
        Type::UUID_ARRAY => array(out, raw, |out, item| write_value(out, &Type::UUID, item, kind)),
        _ => text(out, raw),
    }
}

fn show(out: &mut Vec<u8>, what: impl Display) {
    let written = write!(out, "{what}");
    debug_assert!(written.is_ok(), "writing to memory");
}

fn text(out: &mut Vec<u8>, raw: &[u8]) {
    let plain = raw.iter().all(|b| !matches!(b, 0..=0x1f | b'"' | b'\\'));
    if plain {
        out.push(b'"');
        out.extend_from_slice(raw);
        out.push(b'"');
        return;
    }
    let written = serde_json::to_writer(&mut *out, &String::from_utf8_lossy(raw));
    debug_assert!(written.is_ok(), "writing to memory");
}

fn array(out: &mut Vec<u8>, raw: &[u8], item: impl Fn(&mut Vec<u8>, &[u8])) {
    out.push(b'[');
    // dimensions, has nulls, element type, then length and lower bound of the one dimension
    let mut rest = raw.get(20..).unwrap_or_default();
    let mut first = true;
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        if !first {
            out.push(b',');
        }
        first = false;
        match usize::try_from(i32::from_be_bytes(*length)) {
            Ok(length) if length <= tail.len() => {
                item(out, &tail[..length]);
                rest = &tail[length..];
            }
            _ => {
                out.extend_from_slice(b"null");
                rest = tail;
            }
        }
    }
    out.push(b']');
}

/// PostgreSQL's numeric: groups of four decimal digits. Zeros at the end go, but for `least` digits after the point.
fn decimal(out: &mut Vec<u8>, raw: &[u8], least: usize) {
    let word = |n: usize| {
        let at = raw.get(n * 2..n * 2 + 2).unwrap_or(&[0, 0]);
        i16::from_be_bytes([at[0], at[1]])
    };
    let (groups, weight, sign, scale) = (word(0), i32::from(word(1)), word(2), word(3));
    let group = |n: i32| match usize::try_from(n) {
        Ok(n) if n < usize::try_from(groups).unwrap_or(0) => word(4 + n),
        _ => 0,
    };
    if sign == 0x4000 {
        out.push(b'-');
    }
    if weight < 0 {
        out.push(b'0');
    } else {
        show(out, group(0));
    }
    for n in 1..=weight {
        four(out, group(n));
    }
    let point = out.len();
    out.push(b'.');
    let scale = usize::try_from(scale).unwrap_or(0).max(least);
    let mut n = weight + 1;
    while out.len() <= point + scale {
        four(out, if n < 0 { 0 } else { group(n) });
        n += 1;
    }
    out.truncate(point + 1 + scale);
    while out.len() > point + 1 + least && out.last() == Some(&b'0') {
        out.pop();
    }
    if out.len() == point + 1 {
        out.pop();
    }
}

fn four(out: &mut Vec<u8>, digits: i16) {
    for place in [1000, 100, 10, 1] {
        out.push(b'0' + u8::try_from(digits / place % 10).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn decimals_keep_every_digit_and_no_needless_zero() {
        let wire = |words: &[i16]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>();
        let cases: [(&[i16], usize, &str); 7] = [
            (&[0, 0, 0, 6], 2, "0.00"),
            (&[1, 0, 0, 6, 100], 2, "100.00"),
            (&[2, 0, 0, 6, 12, 3450], 0, "12.345"),
            (&[2, 0, 0x4000, 6, 12, 3450], 2, "-12.345"),
            (&[3, 1, 0, 6, 126, 5793, 2900], 2, "1265793.29"),
            (&[1, -1, 0, 6, 5], 0, "0.0005"),
            (&[1, 1, 0, 0, 3], 0, "30000"),
        ];
        let decimal = |words: &[i16], least: usize| {
            let mut out = Vec::new();
            super::decimal(&mut out, &wire(words), least);
            String::from_utf8(out).unwrap()
        };
        for (words, least, text) in cases {
            assert_eq!(decimal(words, least), text);
        }
        assert_eq!(decimal(&[1, -2, 0, 6, 4200], 0), "0.000042");
    }
}
