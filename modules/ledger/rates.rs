//! Rates of exchange out of a file.

use kernel::{Error, Result};

/// Day, currency, in which currency, rate.
pub(super) type Rate = [String; 4];

/// Either `date,USD,JPY,…`, a line a day with what one euro is worth, as the European Central Bank publishes them, or
/// `date,currency,per,rate`. Days before `from` are left out; so are places without a number.
///
/// # Errors
/// When the file has neither heading, or a line of it is not understood: the line is named.
pub(super) fn read(text: &str, from: &str) -> Result<Vec<Rate>> {
    let mut file = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let wrong = |n: usize| Error::refused_at("text", format!("Line {n} of the file cannot be read."));
    let headings = file.headers().map_err(|_| wrong(1))?.clone();
    let names: Vec<String> = headings.iter().map(str::to_lowercase).collect();
    let place = |name: &str| names.iter().position(|n| n == name);
    let day_at = place("date").ok_or_else(|| Error::refused_at("text", "The file needs a column called date."))?;
    let named = place("currency").zip(place("per")).zip(place("rate"));
    let currencies: Vec<(usize, String)> = headings
        .iter()
        .enumerate()
        .filter(|(_, name)| name.len() == 3 && name.bytes().all(|b| b.is_ascii_uppercase()))
        .map(|(n, name)| (n, name.to_owned()))
        .collect();
    if named.is_none() && currencies.is_empty() {
        return Err(Error::refused_at("text", "The file needs columns called currency, per and rate, or one for each currency."));
    }
    let mut rates = Vec::new();
    for (n, line) in file.records().enumerate() {
        let line = line.map_err(|_| wrong(n + 2))?;
        let cell = |at: usize| line.get(at).unwrap_or_default();
        let day = cell(day_at);
        if day.parse::<jiff::civil::Date>().is_err() {
            return Err(wrong(n + 2));
        }
        if day < from {
            continue;
        }
        let mut keep = |currency: &str, per: &str, rate: &str| {
            if rate.is_empty() || rate == "N/A" {
                return Ok(());
            }
            let number = rate.len() <= 20 && rate.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            if !number || rate.parse::<f64>().is_ok_and(|r| r <= 0.0) || rate.parse::<f64>().is_err() {
                return Err(wrong(n + 2));
            }
            rates.push([day.into(), currency.into(), per.into(), rate.into()]);
            Ok(())
        };
        match named {
            Some(((currency, per), rate)) => keep(cell(currency), cell(per), cell(rate))?,
            None => {
                for (at, currency) in &currencies {
                    keep("EUR", currency, cell(*at))?;
                }
            }
        }
    }
    Ok(rates)
}
