//! Rates of exchange out of a file.

use super::reports::Span;
use kernel::{Error, Result, Tx, sql};
use serde_json::Value;

/// Day, currency, in which currency, rate.
pub(super) type Rate = [String; 4];

/// Either `date,USD,JPY,…`, a line a day with what one euro is worth, as the European Central Bank publishes them, or
/// `date,currency,per,rate`. Days before `from` are left out; so are places without a number. `after` are the lines of the
/// file that came before these.
///
/// # Errors
/// When the file has neither heading, or a line of it is not understood: the line is named.
pub(super) fn read(text: &str, from: &str, after: usize) -> Result<Vec<Rate>> {
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
        let line = line.map_err(|_| wrong(n + 2 + after))?;
        let cell = |at: usize| line.get(at).unwrap_or_default();
        let day = cell(day_at);
        if day.parse::<jiff::civil::Date>().is_err() {
            return Err(wrong(n + 2 + after));
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
                return Err(wrong(n + 2 + after));
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

/// `{"as_of"?, "legal_entity_id"?}`: the currencies that there is business or a rate in, what they are worth in that of the
/// books, and how old that is.
pub(super) async fn currencies(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    tx.need("ledger.exchange_rates", "read")?;
    let statement = sql!(
        "with rated as materialized (
             select r.currency as code, max(r.valid_on) as valid_on from (
                 select r.currency, r.valid_on from ledger.exchange_rates r where r.organization_id = $1 and r.valid_on <= ($2::jsonb ->> 'to')::date and r.deleted_at is null
                 union all select r.per, r.valid_on from ledger.exchange_rates r where r.organization_id = $1 and r.valid_on <= ($2::jsonb ->> 'to')::date and r.deleted_at is null
             ) r group by 1
         ), used as materialized (
             select distinct l.currency as code from ledger.journal_entry_lines l where l.organization_id = $1 and l.period_id is not null
               and l.entry_on > ($2::jsonb ->> 'to')::date - 400 and l.currency is not null
         ), told as (
             select c.code, u.code is not null as is_used, r.valid_on, ledger.rate(c.code, $2::jsonb ->> 'currency', ($2::jsonb ->> 'to')::date) as rate,
                 c.code = $2::jsonb ->> 'currency' as is_base
             from app.currencies c left join used u on u.code = c.code left join rated r on r.code = c.code
             where u.code is not null or r.code is not null or c.code = $2::jsonb ->> 'currency'
         )
         select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', t.code, 'code', t.code, 'per', case when not t.is_base then $2::jsonb ->> 'currency' end,
             'rate', case when not t.is_base then trim_scale(t.rate)::text end, 'on', case when not t.is_base then t.valid_on end,
             'days', case when not t.is_base then ($2::jsonb ->> 'to')::date - t.valid_on end, 'role', case when t.is_base then 'group' end,
             'state', case when t.is_base then 'rate_base' when t.rate is not null then 'rate_known' when not t.is_used then 'rate_unused' when t.valid_on is null then 'rate_missing' else 'rate_old' end))
             order by not t.is_base, not (t.is_used and t.rate is null), not t.is_used, t.code), '[]') from told t"
    );
    span.rows(tx, statement).await
}
