//! What the books cost: an invoice of ten lines that is posted, fifty people who post at once, a trial balance of all that
//! a large company wrote in a year.

use crate::{
    Done, Pair, Report,
    client::{Connection, Requests, act, post},
    house::{CLIENTS, Company, House},
    measure::median,
    pgbench::{Recorder, Script},
    say,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// Milliseconds for the trial balance, whatever was written.
const MOST: f64 = 20.0;
/// Drafts of each client that the server posts, and as many for pgbench, a part for each round.
const DRAFTS: u64 = 2_500;
const A_ROUND: u64 = 500;
/// How many people post at once, and how many invoices each.
const WRITERS: usize = 50;
const EACH: usize = 4;

/// The id of a client's k-th draft, from 1.
fn draft(client: usize, k: u64) -> u64 {
    4_000_000_000_000 + u64::try_from(client).unwrap_or_default() * 10 * DRAFTS + k
}

fn posts(client: usize, k: u64, token: &str) -> Vec<u8> {
    act(&format!("/api/v1/finance/invoices/{}/post", House::counted(draft(client, k))), token, 1)
}

/// Posting an invoice of ten lines.
///
/// # Errors
/// When the drafts cannot be laid in, or the server refuses.
pub(crate) async fn posting<'a>(house: &'a House, recorder: &Recorder) -> Done<Pair<'a>> {
    let admin = house.admin().await?;
    for client in 0..CLIENTS {
        let script = house.companies[client + 2]
            .fill(include_str!("drafts.sql"))
            .replace("{drafts_before}", &draft(client, 0).to_string())
            .replace("{drafts}", &(2 * DRAFTS).to_string());
        admin.batch_execute(&script).await?;
    }
    admin.batch_execute("vacuum (analyze) finance.invoices, finance.invoice_lines").await?;
    let first = &house.companies[2];
    let statements = recorder.of(house, &posts(0, 1, &first.token), &posts(0, 2, &first.token)).await?;
    let script = |(client, company): (usize, &Company)| Script {
        sets: vec![
            "k :k + 1".to_owned(),
            format!(
                "n {} + (:base - 100000000000000000) / 1000000000000000 * {A_ROUND} + :k",
                draft(client, DRAFTS)
            ),
        ],
        statements: statements.iter().map(|s| s.of(first, company)).collect(),
        ids: HashMap::from([(House::counted(draft(0, 2)), "n".to_owned())]),
    };
    let scripts = house.companies[2..].iter().enumerate().map(script).collect();
    // Two are posted already.
    let next: Arc<Vec<AtomicU64>> = Arc::new((0..CLIENTS).map(|_| AtomicU64::new(3)).collect());
    let requests = move |client: usize| -> Requests {
        let (next, token) = (next.clone(), house.companies[client + 2].token.clone());
        Box::new(move |_| posts(client, next[client].fetch_add(1, Ordering::Relaxed), &token))
    };
    Ok(Pair { name: "post an invoice of ten lines", requests: Box::new(requests), scripts, most: 2.0 })
}

/// That pgbench posted what it was to post, and did not only ask for it.
///
/// # Errors
/// When it posted nothing.
pub(crate) async fn posted(house: &House) -> Done {
    let (from, to) = (House::counted(draft(0, DRAFTS + 1)), House::counted(draft(0, 2 * DRAFTS)));
    let sql = format!(
        "select count(*) from finance.invoices where id between '{from}' and '{to}' and status = 'sent' and number is not null"
    );
    let posted: i64 = house.admin().await?.query_one(&sql, &[]).await?.get(0);
    say(&format!("  {posted} of them posted by one client of pgbench"));
    if posted == 0 { Err("pgbench posted nothing".into()) } else { Ok(()) }
}

/// Fifty people of one company make and post invoices at once: nobody hears of a deadlock, no number is left out, and
/// what they wrote balances.
///
/// # Errors
/// When one of them is refused, or the books are not as they must be.
pub(crate) async fn writers(house: &House) -> Done {
    // As it would have been by now: a plan of when there was no product yet reads all that were imported since.
    house.admin().await?.batch_execute("analyze").await?;
    let company = &house.companies[2];
    let line = r#"{"name": "Article", "quantity": "3", "price": "19.99", "tax_rate": "20"}"#;
    let body = format!(r#"{{"party_id": "{}", "lines": [{}]}}"#, company.customer(), [line; 10].join(", "));
    let begun = Instant::now();
    let all: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (listen, token, body) = (house.listen, company.token.clone(), body.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(listen).await?;
                let mut numbers = Vec::new();
                for _ in 0..EACH {
                    let made = connection.ask(&post("/api/v1/finance/invoices", &token, &body)).await?;
                    let made: Value = serde_json::from_slice(made)?;
                    let path =
                        format!("/api/v1/finance/invoices/{}/post", made["id"].as_str().unwrap_or_default());
                    let request = act(&path, &token, made["version"].as_u64().unwrap_or_default());
                    let posted: Value = serde_json::from_slice(connection.ask(&request).await?)?;
                    let digits = posted["number"].as_str().unwrap_or_default();
                    numbers.push(digits.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<u64>()?);
                }
                Done::Ok(numbers)
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for writer in all {
        numbers.extend(writer.await??);
    }
    numbers.sort_unstable();
    if !numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]) {
        return Err("a number was left out or given twice".into());
    }
    let uneven = company.fill(
        "select count(*) from (select l.entry_id from ledger.journal_entry_lines l where l.organization_id = '{organization}'
         group by 1 having sum(l.debit) <> sum(l.credit)) q",
    );
    let uneven: i64 = house.admin().await?.query_one(&uneven, &[]).await?.get(0);
    if uneven > 0 {
        return Err(format!("{uneven} entries do not balance").into());
    }
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!(
        "{WRITERS} people made and posted {} invoices in {seconds:.1} s: no deadlock, no gap, no imbalance",
        numbers.len()
    ));
    Ok(())
}

/// Loads a year of books into the middling company and asks for its trial balance.
///
/// # Errors
/// When the server refuses, or the two sides differ.
pub(crate) async fn trial_balance(house: &House, lines: u64, report: &mut Report) -> Done {
    let company = &house.companies[1];
    let admin = house.admin().await?;
    let begun = Instant::now();
    admin
        .batch_execute(&company.fill(include_str!("ledger.sql")).replace("{lines}", &lines.to_string()))
        .await?;
    // Alone, as it must be.
    admin.batch_execute("vacuum (analyze) ledger.journal_entry_lines").await?;
    say(&format!("{lines} lines of entries loaded in {:.0} s", begun.elapsed().as_secs_f64()));
    let mut connection = Connection::open(house.listen).await?;
    let request = post("/api/v1/ledger/_call/trial_balance", &company.token, "{}");
    let mut millis = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        let told: Value = serde_json::from_slice(connection.ask(&request).await?)?;
        millis.push(begun.elapsed().as_secs_f64() * 1000.0);
        let total = told["rows"].as_array().and_then(|rows| rows.last()).cloned().unwrap_or_default();
        if total["debit"] != total["credit"] || total["debit"].is_null() {
            return Err(format!("a trial balance that does not balance: {total}").into());
        }
    }
    report.goal(&format!("trial balance of {lines} lines"), median(millis), MOST, "ms");
    Ok(())
}
