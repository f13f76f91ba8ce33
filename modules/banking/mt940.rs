//! MT940 of SWIFT: fields that begin with `:61:`, a statement from `:20:` to `:62F:`.

use super::statement::{Line, Statement, amount, code, said, wrong};
use kernel::Result;
use rust_decimal::Decimal;

/// # Errors
/// When something of it cannot be read; the line is named.
pub(super) fn read(text: &str) -> Result<Vec<Statement>> {
    let mut fields: Vec<(usize, &str, String)> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        // Around it may stand a header and `-}`, which are the network's.
        let line = line.trim_end();
        let line = if line.starts_with("{1:") { line.rsplit("{4:").next().unwrap_or_default() } else { line };
        match line.strip_prefix(':').and_then(|l| l.split_once(':')) {
            Some((tag, rest)) if (2..=3).contains(&tag.len()) && tag.starts_with(|c: char| c.is_ascii_digit()) => fields.push((n + 1, tag, rest.to_owned())),
            _ if line.is_empty() || line.starts_with("-}") || line == "-" => {}
            _ => match fields.last_mut() {
                Some((_, _, so_far)) => {
                    so_far.push('\n');
                    so_far.push_str(line);
                }
                None => return Err(wrong(n + 1, "this is no field of a statement")),
            },
        }
    }
    let mut statements: Vec<Statement> = Vec::new();
    for (n, tag, content) in &fields {
        if *tag == "20" {
            statements.push(Statement { format: "mt940", at: *n, ..Statement::default() });
            continue;
        }
        let statement = statements.last_mut().ok_or_else(|| wrong(*n, "a statement begins with :20:"))?;
        match *tag {
            "25" => statement.account = content.rsplit('/').next().and_then(code),
            "28C" | "28" => statement.reference = said(content),
            "60F" | "60M" => {
                let (day, currency, opening) = balance(content).ok_or_else(|| wrong(*n, "this is no balance"))?;
                (statement.from_on, statement.currency, statement.opening) = (Some(day), Some(currency), Some(opening));
            }
            "62F" | "62M" => {
                let (day, _, closing) = balance(content).ok_or_else(|| wrong(*n, "this is no balance"))?;
                (statement.through_on, statement.closing) = (Some(day), Some(closing));
            }
            "61" => statement.lines.push(movement(content).ok_or_else(|| wrong(*n, "this is no movement"))?),
            "86" => {
                // After the closing balance it is about the whole statement.
                if statement.closing.is_none()
                    && let Some(line) = statement.lines.last_mut()
                {
                    purpose(content, line);
                }
            }
            _ => {}
        }
    }
    if statements.is_empty() {
        return Err(wrong(1, "there is no account statement in it"));
    }
    if let Some(cut) = statements.iter().find(|s| s.opening.is_none() || s.closing.is_none()) {
        return Err(wrong(cut.at, "the statement ends too early"));
    }
    // What a statement begins with is what was there before its first day.
    for statement in &mut statements {
        statement.lines.retain(|l| !l.amount.is_zero());
        if let Some(first) = statement.lines.iter().map(|l| l.booked_on.clone()).min() {
            statement.from_on = Some(first);
        } else {
            statement.from_on = statement.through_on.clone();
        }
    }
    Ok(statements)
}

/// `C260301EUR1234,56`
fn balance(text: &str) -> Option<(String, String, Decimal)> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (date, rest) = rest.split_at_checked(6)?;
    let (currency, size) = rest.split_at_checked(3)?;
    let size = amount(size.lines().next()?)?;
    let size = match sign {
        "C" => size,
        "D" => -size,
        _ => return None,
    };
    Some((short_day(date)?, currency.to_owned(), size))
}

fn short_day(date: &str) -> Option<String> {
    let date = date.is_ascii().then_some(date)?;
    super::statement::day(&format!("20{}-{}-{}", date.get(..2)?, date.get(2..4)?, date.get(4..6)?), false)
}

/// `2603010302CR1234,56NTRFINV-1//B4711` and what the bank adds on the next line.
fn movement(text: &str) -> Option<Line> {
    let (first, more) = text.split_once('\n').unwrap_or((text, ""));
    let (value, rest) = first.split_at_checked(6)?;
    let value_on = short_day(value)?;
    let mut booked_on = value_on.clone();
    let mut rest = rest;
    if rest.len() >= 4 && rest.as_bytes()[..4].iter().all(u8::is_ascii_digit) {
        let (month_day, after) = rest.split_at_checked(4)?;
        rest = after;
        let year: i32 = value_on.get(..4)?.parse().ok()?;
        // Booked in January what was of value in December, or the other way round.
        let year = match (value_on.get(5..7)?, month_day.get(..2)?) {
            ("12", "01") => year + 1,
            ("01", "12") => year - 1,
            _ => year,
        };
        booked_on = super::statement::day(&format!("{year}-{}-{}", month_day.get(..2)?, month_day.get(2..)?), false)?;
    }
    let (sign, mut rest) = ["RC", "RD", "C", "D"].iter().find_map(|s| rest.strip_prefix(s).map(|r| (*s, r)))?;
    if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        rest = &rest[1..];    // the third letter of the currency
    }
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ',')?;
    let size = amount(&rest[..end])?;
    let references = rest[end..].get(4..).unwrap_or_default();
    let (ours, theirs) = references.split_once("//").unwrap_or((references, ""));
    Some(Line {
        booked_on,
        value_on: Some(value_on),
        // Taken back is the other way round.
        amount: if matches!(sign, "C" | "RD") { size } else { -size },
        reference: said(theirs),
        end_to_end: said(ours).filter(|r| r != "NONREF"),
        text: said(more),
        ..Line::default()
    })
}

/// `:86:`, in German fields (`166?00…?20…`), by words between slashes (`/NAME/…`), or as it stands.
fn purpose(text: &str, line: &mut Line) {
    let flat = text.replace('\n', "");
    if flat.len() > 4 && flat.as_bytes()[..3].iter().all(u8::is_ascii_digit) && flat[3..].starts_with('?') {
        let (mut words, mut name) = (String::new(), String::new());
        for part in flat[4..].split('?').filter(|p| p.is_char_boundary(2) && p.len() > 2) {
            let (field, said) = part.split_at(2);
            match field {
                "20" | "21" | "22" | "23" | "24" | "25" | "26" | "27" | "28" | "29" | "60" | "61" | "62" | "63" => words.push_str(said),
                "30" => line.bic = code(said),
                "31" => line.iban = code(said),
                "32" | "33" => name.push_str(said),
                _ => {}
            }
        }
        line.counterparty = said(&name);
        let after = |tag: &str| words.split_once(tag).map(|(_, rest)| rest);
        let until_next = |rest: &str| {
            let end = ["EREF+", "KREF+", "MREF+", "CRED+", "SVWZ+", "ABWA+"].iter().filter_map(|t| rest.find(t)).min();
            said(&rest[..end.unwrap_or(rest.len())])
        };
        if let Some(reference) = after("EREF+").and_then(until_next) {
            line.end_to_end = Some(reference);
        }
        line.text = after("SVWZ+").and_then(until_next).or_else(|| said(&words));
    } else if flat.starts_with('/') && flat.matches('/').count() > 2 {
        let parts: Vec<&str> = flat.split('/').skip(1).collect();
        let of = |tag: &str| parts.iter().position(|p| *p == tag).and_then(|at| parts.get(at + 1)).copied();
        line.counterparty = of("NAME").and_then(said);
        line.iban = of("IBAN").or(of("ACCT")).and_then(code);
        line.bic = of("BIC").and_then(code);
        line.end_to_end = of("EREF").and_then(said).or(line.end_to_end.take());
        line.text = of("REMI").and_then(said).or_else(|| said(&flat));
    } else {
        line.text = said(&text.replace('\n', " "));
    }
    line.creditor_reference = line.text.iter().flat_map(|t| t.split_whitespace()).find(|w| super::suggest::is_creditor_reference(w)).map(str::to_owned);
}
