//! A record on paper: what the catalog knows about it, put into the places of a document.
//!
//! module.toml may say what stands where, `[entities.x.print]`: `title` (a field whose option names the paper), `stamp`
//! (states said large), `parties` (lists of fields, the first is the name), `facts`, `part` and its `columns`, `taxes`
//! (whether the part's `net` and `tax` are summed by `tax_rate`, each part of a tax by itself), `totals` with the `strong`
//! one and the `seldom` ones that are left out when nothing, `blocks`. Without it the form is printed.

use crate::{
    get, meta,
    plan::{Field, field_of},
    recurrence::Recurrence,
};
use jiff::{Timestamp, tz::TimeZone};
use kernel::{Actor, Catalog, Entity, Result, Store, sql};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// What a document of `flow::pdf` is made of, but for the company's own name and looks.
///
/// # Errors
/// NotFound as [`get`].
pub async fn print(store: &Store, actor: &Actor, entity: &Entity, id: Uuid, language: &str) -> Result<Value> {
    let catalog = actor.catalog.clone();
    let about = |entity: &Entity| meta::detail(&catalog, store.modules(), actor, entity, language);
    let mut head = Sheet::of(about(entity), language, actor);
    let spec = &entity.meta["print"];
    let part = match spec["part"].as_str() {
        Some(name) => entity.part(name),
        None if spec.is_null() => entity.parts.first(),
        None => None,
    };
    let mut lines = match part {
        Some(part) => Some((part, Sheet::of(about(catalog.entity(&part.entity)?), language, actor))),
        None => None,
    };
    let columns: Vec<String> = match &lines {
        Some((_, sheet)) if spec["columns"].is_null() => names(&sheet.meta["list"]),
        _ => names(&spec["columns"]),
    };
    let columns: Vec<String> = columns.into_iter().filter(|c| c != "position").collect();
    let form: Vec<String> = head.meta["form"].as_array().into_iter().flatten().flat_map(names).collect();
    let is = |name: &&String, kinds: &[&str]| kinds.iter().any(|kind| head.field(name)["type"] == *kind);
    let long = |name: &&String| is(name, &["textarea", "richtext"]);
    let facts = if spec.is_null() {
        form.iter().filter(|n| !long(n) && !is(n, &["signature"])).cloned().collect()
    } else {
        names(&spec["facts"])
    };
    let blocks =
        if spec.is_null() { form.iter().filter(long).cloned().collect() } else { names(&spec["blocks"]) };

    let signed: Vec<String> = form.iter().filter(|n| is(n, &["signature"])).cloned().collect();

    let expand = relations(&catalog, actor, entity, &facts)
        .into_iter()
        .chain(lines.iter().map(|(part, _)| part.name.clone()))
        .chain(lines.iter().flat_map(|(part, _)| {
            let of_part = catalog
                .entity(&part.entity)
                .map_or_else(|_| Vec::new(), |e| relations(&catalog, actor, e, &columns));
            of_part.into_iter().map(|r| format!("{}.{r}", part.name))
        }))
        .collect::<Vec<_>>();
    let record = get(store, actor, entity, id, &[], &expand).await?.value()?;
    let people = people(store, actor, &record).await?;
    for sheet in [&mut head].into_iter().chain(lines.as_mut().map(|(_, sheet)| sheet)) {
        sheet.people.clone_from(&people);
    }
    let digits = record["digits"].as_u64().and_then(|d| u32::try_from(d).ok()).unwrap_or(2);

    let title = spec["title"].as_str().map(|f| head.shown(f, &record, digits)).filter(|t| !t.is_empty());
    let state = head.meta["states"]["field"].as_str().unwrap_or_default();
    let stamped = spec["stamp"].as_array().is_some_and(|s| s.contains(&record[state]));
    let parties: Vec<Value> = spec["parties"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|fields| {
            let fields = names(fields);
            let mut said = fields.iter().map(|places| {
                let words = places.split(' ').map(|f| head.shown(f, &record, digits));
                words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
            });
            let name = said.next().unwrap_or_default();
            let details: Vec<String> = said.filter(|s| !s.is_empty()).collect();
            json!({ "label": fields.first().map(|f| head.label(f)), "name": name, "details": details.join("\n") })
        })
        .collect();
    let currency = record["currency"].as_str().unwrap_or_default();
    let said = |f: &str| {
        let shown = head.shown(f, &record, digits);
        let money = head.field(f)["type"] == "money" && !shown.is_empty();
        if money { format!("{shown} {currency}").trim_end().to_owned() } else { shown }
    };
    let named = |fields: &[String], value: &str| -> Vec<Value> {
        fields
            .iter()
            .map(|f| json!({ "label": head.label(f), value: said(f) }))
            .filter(|fact| fact[value] != "")
            .collect()
    };
    let seldom = names(&spec["seldom"]);
    let totals: Vec<Value> = names(&spec["totals"])
        .iter()
        .filter(|f| {
            !seldom.contains(f)
                || record[f.as_str()].as_str().is_some_and(|v| v.bytes().any(|b| (b'1'..=b'9').contains(&b)))
        })
        .map(|f| json!({ "label": head.label(f), "value": said(f), "strong": spec["strong"] == json!(f) }))
        .collect();
    let mut document = json!({
        "title": title.as_deref().or(head.meta["label"].as_str()),
        "number": head.shown(entity.title(), &record, digits),
        "stamp": if stamped { head.shown(state, &record, digits) } else { String::new() },
        "language": language,
        "paper": if matches!(record["party_country"].as_str(), Some("US" | "CA")) { "letter" } else { "a4" },
        "parties": parties,
        "facts": named(&facts, "value"),
        "totals": totals,
        "blocks": named(&blocks, "text"),
        "signatures": signed.iter().filter_map(|n| head.signature(n, &record)).collect::<Vec<_>>(),
    });
    if let Some((part, sheet)) = lines {
        let rows: Vec<&Value> = record[&part.name].as_array().into_iter().flatten().collect();
        // A discount that nobody got needs no column.
        let said = |c: &&String| {
            rows.iter().any(|row| !matches!(sheet.shown(c, row, digits).as_str(), "" | "0%" | "0\u{a0}%"))
        };
        let columns: Vec<&String> = columns.iter().filter(|c| *c == "tax_rate" || said(c)).collect();
        let number = json!({ "label": "№", "number": true });
        let heads = columns.iter().map(|c| json!({ "label": sheet.label(c), "number": sheet.is_number(c) }));
        document["columns"] = std::iter::once(number).chain(heads).collect();
        document["rows"] = rows
            .iter()
            .enumerate()
            .map(|(n, row)| {
                let cells = columns.iter().map(|c| sheet.shown(c, row, digits));
                let cells: Vec<String> = std::iter::once((n + 1).to_string()).chain(cells).collect();
                json!({ "cells": cells, "detail": sheet.shown("description", row, digits) })
            })
            .collect();
        if spec["taxes"] == true {
            document["tax_columns"] = ["tax_rate", "net", "tax"]
                .iter()
                .map(|c| json!({ "label": sheet.label(c), "number": *c != "tax_rate" }))
                .collect();
            document["tax_rows"] = taxes(&rows)
                .iter()
                .map(|((rate, name), (net, tax))| {
                    let money = |sum: &Decimal| grouped(&sum.to_string(), Some(digits), language);
                    let rate = format!("{} {name}", sheet.percent(&rate.to_string()));
                    json!({ "cells": [rate.trim_end(), money(net), money(tax)] })
                })
                .collect();
        }
    }
    Ok(document)
}

/// Of each rate: what it is reckoned from, and what it is. Taxes that a line has together are named.
fn taxes<'a>(rows: &[&'a Value]) -> BTreeMap<(Decimal, &'a str), (Decimal, Decimal)> {
    let number = |v: &Value| v.as_str().and_then(|s| s.parse::<Decimal>().ok()).unwrap_or_default();
    let mut sums: BTreeMap<_, (Decimal, Decimal)> = BTreeMap::new();
    let mut add = |rate: Decimal, name: &'a str, net: &Value, tax: &Value| {
        let sum = sums.entry((rate.normalize(), name)).or_default();
        sum.0 += number(net);
        sum.1 += number(tax);
    };
    for row in rows {
        let parts = row["tax_parts"].as_array().into_iter().flatten();
        let mut parts = parts.filter(|p| p["kind"] == "standard" || p["kind"] == "reduced").peekable();
        if parts.peek().is_none() {
            add(number(&row["tax_rate"]), "", &row["net"], &row["tax"]);
        }
        for part in parts {
            // A rate is a number here, not a text.
            let rate = part["rate"].to_string().parse().unwrap_or_default();
            add(rate, part["name"].as_str().unwrap_or_default(), &row["net"], &part["amount"]);
        }
    }
    sums
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|v| v.as_str()).map(str::to_owned).collect()
}

/// The relations among these fields, by the names that they are expanded by.
fn relations(catalog: &Catalog, actor: &Actor, entity: &Entity, fields: &[String]) -> Vec<String> {
    let links = fields.iter().filter_map(|f| field_of(actor, entity, f).ok());
    let target = |link: &Field<'_>| link.target().and_then(|t| catalog.entity(t).ok());
    // What somebody may not read stays off his paper.
    let known = links.filter(|link| target(link).is_some_and(|t| actor.access.may(t, "read")));
    known.map(|link| link.relation_name()).collect()
}

/// What members are called that fields of the organization's own name, or that signed.
pub(crate) async fn people(store: &Store, actor: &Actor, record: &Value) -> Result<HashMap<String, String>> {
    fn ids(value: &Value, found: &mut Vec<Uuid>) {
        match value {
            Value::Object(map) => map.values().for_each(|v| ids(v, found)),
            Value::Array(list) => list.iter().for_each(|v| ids(v, found)),
            Value::String(text) if text.len() == 36 => found.extend(text.parse::<Uuid>()),
            _ => {}
        }
    }
    let mut named = Vec::new();
    ids(record, &mut named);
    let sql = sql!(
        "select m.id::text, m.name from iam.memberships m where m.organization_id = $1 and m.id = any ($2)"
    );
    let rows = store.batch(actor, &[(sql, &[&actor.organization, &named])]).await?;
    Ok(rows.iter().flatten().map(|r| (r.get(0), r.get(1))).collect())
}

/// What is known about an entity, for one reader.
pub(crate) struct Sheet<'a> {
    meta: Value,
    fields: Map<String, Value>,
    language: &'a str,
    zone: TimeZone,
    pub(crate) people: HashMap<String, String>,
}

impl<'a> Sheet<'a> {
    pub(crate) fn of(meta: Value, language: &'a str, actor: &Actor) -> Sheet<'a> {
        let fields = meta["fields"].as_array().into_iter().flatten();
        let fields = fields.filter_map(|f| Some((f["name"].as_str()?.to_owned(), f.clone()))).collect();
        Sheet { meta, fields, language, zone: actor.zone.clone(), people: HashMap::new() }
    }

    fn value<'v>(&self, name: &str, record: &'v Value) -> &'v Value {
        record.get(name).unwrap_or(&Value::Null)
    }

    /// What was drawn or typed, and under it who did it when.
    fn signature(&self, name: &str, record: &Value) -> Option<Value> {
        let value = self.value(name, record);
        value.as_object()?;
        let who = self.people.get(value["by"].as_str().unwrap_or_default());
        let when = moment(value["at"].as_str().unwrap_or_default(), self.language, &self.zone);
        let said = [Some(self.label(name)), who.map(String::as_str), Some(when.as_str())];
        let label: Vec<&str> = said.into_iter().flatten().filter(|s| !s.is_empty()).collect();
        let text = |key: &str| value[key].as_str().unwrap_or_default();
        Some(json!({ "label": label.join(" · "), "path": text("path"), "text": text("text") }))
    }

    fn field(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Null)
    }

    fn label(&self, name: &str) -> &str {
        self.field(name)["label"].as_str().unwrap_or_default()
    }

    fn is_number(&self, name: &str) -> bool {
        let kind = self.field(name)["type"].as_str().unwrap_or_default();
        matches!(kind, "money" | "number" | "integer" | "percent" | "quantity")
    }

    fn percent(&self, text: &str) -> String {
        let space = if self.language == "ru" { "\u{a0}" } else { "" };
        format!("{}{space}%", grouped(text, None, self.language))
    }

    /// A field of a record as people of this language write it; empty when they may not see it.
    pub(crate) fn shown(&self, name: &str, record: &Value, digits: u32) -> String {
        let (field, value) = (self.field(name), self.value(name, record));
        let labelled = |value: &Value| {
            let options = field["options"].as_array()?;
            options.iter().find(|o| o["id"] == *value)?["label"].as_str()
        };
        let text = match value {
            Value::Null => return String::new(),
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let said = |item: &'_ Value| {
                    let plain = item.as_str().or(item["name"].as_str()).unwrap_or_default().to_owned();
                    let plain = if field["type"] == "users" {
                        self.people.get(&plain).cloned().unwrap_or_default()
                    } else {
                        plain
                    };
                    labelled(item).map_or(plain, str::to_owned)
                };
                items.iter().map(said).collect::<Vec<_>>().join(", ")
            }
            other => other.to_string(),
        };
        if let Some(label) = labelled(value) {
            return label.to_owned();
        }
        if let Value::Object(to) = &field["ref"] {
            let relation = to["relation"].as_str().unwrap_or_default();
            let title = to["title_field"].as_str().unwrap_or_default();
            return record[relation][title].as_str().unwrap_or_default().to_owned();
        }
        match field["type"].as_str().unwrap_or_default() {
            "money" => grouped(&text, Some(digits), self.language),
            "number" | "integer" | "quantity" => grouped(&text, None, self.language),
            "percent" => self.percent(&text),
            "date" => day(&text, self.language),
            "datetime" => moment(&text, self.language, &self.zone),
            "rating" => format!("{text} / {}", field["max"].as_i64().unwrap_or(5)),
            "duration" => duration(&text, self.language),
            "location" => location(value),
            "address" => address(value, |code| country(code, self.language)),
            "autonumber" => numbered(&text, &field["settings"]),
            "daterange" => days(&text, self.language),
            "time" => clock(&text, self.language),
            "country" => country(&text, self.language),
            "timezone" => text.replace('_', " "),
            "user" => self.people.get(&text).cloned().unwrap_or_default(),
            "richtext" => unmarked(&text),
            "recurrence" => Recurrence::parse(&text).map_or(text, |rule| rule.said(self.language, &day)),
            "button" => String::new(),
            "boolean" => {
                if *value == true {
                    "✓".into()
                } else {
                    String::new()
                }
            }
            _ => text,
        }
    }
}

/// `1,234.50` or `1 234,50`; without `digits` as many as there are.
fn grouped(text: &str, digits: Option<u32>, language: &str) -> String {
    let Ok(number) = text.parse::<Decimal>() else { return text.to_owned() };
    let number = match digits {
        Some(digits) => {
            let mut rounded = number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
            rounded.rescale(digits);
            rounded
        }
        None => number.normalize(),
    };
    let (group, point) = if language == "en" { (",", ".") } else { ("\u{a0}", ",") };
    let plain = number.abs().to_string();
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut out = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) {
            out.push_str(group);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out += point;
        out += fraction;
    }
    if number.is_sign_negative() && !number.is_zero() { format!("\u{2212}{out}") } else { out }
}

/// By the clock of the company.
fn moment(text: &str, language: &str, zone: &TimeZone) -> String {
    let Ok(at) = text.parse::<Timestamp>() else { return text.to_owned() };
    let at = at.to_zoned(zone.clone());
    format!("{}, {}", day(&at.date().to_string(), language), at.strftime("%H:%M"))
}

/// `1 h 30 min`.
fn duration(text: &str, language: &str) -> String {
    let Ok(minutes) = text.parse::<u64>() else { return text.to_owned() };
    let (hour, minute) = match language {
        "ru" => ("ч", "мин"),
        "kk" => ("сағ", "мин"),
        _ => ("h", "min"),
    };
    match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m}\u{a0}{minute}"),
        (h, 0) => format!("{h}\u{a0}{hour}"),
        (h, m) => format!("{h}\u{a0}{hour} {m}\u{a0}{minute}"),
    }
}

/// In one line; `country` says what the country is called.
pub(crate) fn address(value: &Value, country: impl Fn(&str) -> String) -> String {
    let part = |name: &str| value[name].as_str().unwrap_or_default();
    let place = format!("{} {}", part("region"), part("postal_code"));
    let country = if part("country").is_empty() { String::new() } else { country(part("country")) };
    let parts = [part("street"), part("city"), place.trim(), &country];
    parts.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

/// `V-0007`, with the prefix and the digits that the field has.
fn numbered(text: &str, settings: &Value) -> String {
    let digits = settings["digits"].as_u64().and_then(|d| usize::try_from(d).ok()).unwrap_or(0);
    format!("{}{text:0>digits$}", settings["prefix"].as_str().unwrap_or_default())
}

fn days(text: &str, language: &str) -> String {
    let (from, to) = text.split_once('/').unwrap_or((text, text));
    if from == to {
        day(from, language)
    } else {
        format!("{}\u{2013}{}", day(from, language), day(to, language))
    }
}

/// A time of day: of twelve hours in English, of twenty-four elsewhere.
fn clock(text: &str, language: &str) -> String {
    let Ok(time) = text.parse::<jiff::civil::Time>() else { return text.to_owned() };
    match (language, text.len() > 5) {
        ("en", true) => time.strftime("%-I:%M:%S %p").to_string(),
        ("en", false) => time.strftime("%-I:%M %p").to_string(),
        _ => text.to_owned(),
    }
}

fn location(value: &Value) -> String {
    let degrees = format!("{}, {}", value["lat"], value["lon"]);
    match value["label"].as_str() {
        Some(label) => format!("{label} ({degrees})"),
        None => degrees,
    }
}

/// What countries are called, as CLDR has it: code, English, Russian, Kazakh.
const COUNTRIES: &str = include_str!("../data/countries.csv");

fn country(code: &str, language: &str) -> String {
    let line = COUNTRIES.lines().find(|line| line.split(';').next() == Some(code));
    let column = 1 + kernel::LANGUAGES.iter().position(|l| *l == language).unwrap_or(0);
    line.and_then(|line| line.split(';').nth(column)).unwrap_or(code).to_owned()
}

/// Formatted text as text: its paragraphs and lists stay, its marks go.
fn unmarked(text: &str) -> String {
    let line = |line: &str| {
        let bare = line.trim_start();
        let (before, bare) = match bare.strip_prefix("- ").or_else(|| bare.strip_prefix("* ")) {
            Some(item) => ("• ", item),
            None => ("", bare.trim_start_matches('#').trim_start()),
        };
        let mut out = before.to_owned();
        let mut rest = bare;
        while let Some((words, after)) = rest.split_once('[') {
            let Some((name, link)) = after.split_once("](") else { break };
            let Some((address, tail)) = link.split_once(')') else { break };
            out += &format!("{words}{name} ({address})");
            rest = tail;
        }
        (out + rest).replace("**", "").replace(['*', '`'], "")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn day(text: &str, language: &str) -> String {
    let Ok(date) = text.parse::<jiff::civil::Date>() else { return text.to_owned() };
    date.strftime(if language == "en" { "%-d %b %Y" } else { "%d.%m.%Y" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_types_of_fields_are_said_in_words() {
        assert_eq!(
            ["en", "ru", "kk"].map(|l| duration("90", l)),
            ["1\u{a0}h 30\u{a0}min", "1\u{a0}ч 30\u{a0}мин", "1\u{a0}сағ 30\u{a0}мин"]
        );
        assert_eq!(["en", "ru", "kk"].map(|l| country("KZ", l)), ["Kazakhstan", "Казахстан", "Қазақстан"]);
        assert_eq!(country("??", "en"), "??");
        assert_eq!(["en", "ru"].map(|l| clock("21:05", l)), ["9:05 PM", "21:05"]);
        assert_eq!(clock("00:05:09", "en"), "12:05:09 AM");
        assert_eq!(
            ["en", "kk"].map(|l| days("2026-11-01/2026-11-05", l)),
            ["1 Nov 2026\u{2013}5 Nov 2026", "01.11.2026\u{2013}05.11.2026"]
        );
        assert_eq!(numbered("7", &json!({ "prefix": "V-", "digits": 4 })), "V-0007");
        assert_eq!(numbered("12345", &json!({ "digits": 4 })), "12345");
        let place =
            json!({ "street": "Abay 10", "city": "Almaty", "postal_code": "050000", "country": "KZ" });
        assert_eq!(address(&place, |c| country(c, "ru")), "Abay 10, Almaty, 050000, Казахстан");
        assert_eq!(location(&json!({ "lat": 1.5, "lon": 2, "label": "Home" })), "Home (1.5, 2)");
        assert_eq!(
            unmarked("# Terms\n**Pay** in *time*, see [here](https://a.test).\n\n- one\n- two"),
            "Terms\nPay in time, see here (https://a.test).\n\n• one\n• two"
        );
        let zone = TimeZone::get("Asia/Almaty").unwrap();
        assert_eq!(moment("2026-11-05T20:30:00Z", "en", &zone), "6 Nov 2026, 01:30");
    }

    #[test]
    fn numbers_and_days_are_written_as_people_do() {
        for (text, digits, language, shown) in [
            ("1265793.29", Some(2), "en", "1,265,793.29"),
            ("1265793.29", Some(2), "ru", "1\u{a0}265\u{a0}793,29"),
            ("1265793.29", Some(2), "kk", "1\u{a0}265\u{a0}793,29"),
            ("999", Some(2), "en", "999.00"),
            ("1000", Some(0), "en", "1,000"),
            ("0.005", Some(2), "en", "0.01"),
            ("-1234.5", Some(2), "en", "\u{2212}1,234.50"),
            ("12.500000", None, "ru", "12,5"),
            ("0", Some(2), "en", "0.00"),
        ] {
            assert_eq!(grouped(text, digits, language), shown, "{text}");
        }
        assert_eq!(
            ["en", "ru", "kk"].map(|language| day("2026-11-05", language)),
            ["5 Nov 2026", "05.11.2026", "05.11.2026"]
        );
    }
}
