//! How the organization numbers its documents: `app.next_number` gives them, here they are looked at and set.

use kernel::{Actor, Error, Result, Store, sql, within};
use serde_json::{Value, json};

const YEAR: &str = "{yyyy}";

fn administrates(actor: &Actor) -> Result<()> {
    if actor.access.is_admin() {
        return Ok(());
    }
    Err(Error::Forbidden("Only administrators set how things are numbered.".into()))
}

/// The series in use, each with its pattern, its last number and the one that comes next.
pub async fn list(store: &Store, actor: &Actor) -> Result<Vec<Value>> {
    administrates(actor)?;
    let sql = sql!("select app.series_in_use()");
    let rows = store.batch(actor, &[(sql, &[])]).await?;
    let all: Value = rows.first().and_then(|r| r.first()).map(|r| r.get(0)).unwrap_or_default();
    let year = jiff::Timestamp::now().to_zoned(actor.zone.clone()).year();
    let told = all.as_array().into_iter().flatten().map(|one| {
        let series = one["series"].as_str().unwrap_or_default();
        let own = one["pattern"].as_str();
        let pattern = own.map_or_else(|| usual(series), str::to_owned);
        let period = if pattern.contains(YEAR) { year.to_string() } else { String::new() };
        let last = one["last"][&period].as_i64().unwrap_or(0);
        json!({
            "series": series, "entity": one["entity"], "field": one["field"], "pattern": pattern, "usual": usual(series),
            "is_set": own.is_some(), "last": last, "next": written(&pattern, year, last.saturating_add(1)),
        })
    });
    Ok(told.collect())
}

fn usual(series: &str) -> String {
    format!("{series}-00000")
}

/// As `app.next_number` writes it.
fn written(pattern: &str, year: i16, n: i64) -> String {
    let pattern = pattern.replace(YEAR, &format!("{year:04}"));
    let head = pattern.trim_end_matches('0');
    format!("{head}{n:0width$}", width = pattern.len() - head.len())
}

/// Sets how a series is written from the next number on; `None` is as the product does.
pub async fn set(store: &Store, actor: &Actor, series: &str, pattern: Option<&str>) -> Result<Value> {
    let all = list(store, actor).await?;
    if !all.iter().any(|s| s["series"] == series) {
        return Err(Error::NotFound);
    }
    let (wanted, year) = (pattern.map_or_else(|| usual(series), str::to_owned), 2000);
    check(&wanted)?;
    // Two series that are written alike would sooner or later give the same number.
    let head = |p: &str| written(p, year, 0).trim_end_matches('0').to_owned();
    let taken = all.iter().filter(|s| s["series"] != series).filter_map(|s| s["pattern"].as_str());
    if taken.map(head).any(|other| other == head(&wanted)) {
        return Err(Error::refused_at("pattern", "Another series is written like this."));
    }
    within!(store, actor, tx => {
        tx.execute(sql!("select app.set_series($1, $2)"), &[&series, &pattern]).await?;
        Ok(())
    })?;
    let now = list(store, actor).await?.into_iter().find(|s| s["series"] == series);
    now.ok_or(Error::NotFound)
}

fn check(pattern: &str) -> Result<()> {
    let head = pattern.trim_end_matches('0');
    let digits = pattern.len() - head.len();
    let plain = head.replacen(YEAR, "", 1);
    let good = (1..=12).contains(&digits)
        && pattern.chars().count() <= 40
        && !plain.contains(['{', '}'])
        && pattern.trim() == pattern
        && !pattern.contains(char::is_control);
    if good {
        return Ok(());
    }
    let said = "A pattern is at most 40 characters and ends with 1 to 12 zeros; {yyyy} may stand in it once.";
    Err(Error::refused_at("pattern", said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_pattern_says() {
        assert_eq!(written("SO-00000", 2026, 7), "SO-00007");
        assert_eq!(written("SO-{yyyy}-000", 2026, 1234), "SO-2026-1234");
        assert_eq!(written("{yyyy}/0", 2026, 3), "2026/3");
        for bad in ["SO-", "0000000000000", "{yy}0", "{yyyy}{yyyy}0", " SO0", "SO-0x"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check("A/{yyyy}-00").is_ok());
    }
}
