//! How long it takes to know what is open: of all that a large company ever invoiced, today and on a day of the past.

use crate::{
    Done, Report,
    client::{Connection, post},
    house::House,
    measure::median,
    say,
};
use serde_json::Value;
use std::time::Instant;

/// Seconds for a million invoices: today, and a day a year ago.
const MOST: [f64; 2] = [1.0, 4.0];

/// Loads the invoices into the large company and asks for their ageing.
///
/// # Errors
/// When the server refuses, or answers what cannot be.
pub(crate) async fn measure(house: &House, invoices: u64, report: &mut Report) -> Done {
    let company = &house.companies[0];
    let admin = house.admin().await?;
    let script = company.fill(include_str!("invoices.sql")).replace("{invoices}", &invoices.to_string());
    let begun = Instant::now();
    admin.batch_execute(&script).await?;
    // Alone, as it must be.
    for table in ["invoices", "payments", "payment_allocations"] {
        admin.batch_execute(&format!("vacuum (analyze) finance.{table}")).await?;
    }
    say(&format!("{invoices} invoices loaded in {:.0} s", begun.elapsed().as_secs_f64()));
    let year_ago = "select (current_date - 365)::text";
    let year_ago: String = admin.query_one(year_ago, &[]).await?.get(0);
    let mut connection = Connection::open(house.listen).await?;
    for (what, body, most) in [
        ("today", "{}".to_owned(), MOST[0]),
        ("a year ago", format!(r#"{{"as_of": "{year_ago}"}}"#), MOST[1]),
    ] {
        let request = post("/api/v1/finance/_call/invoice_aging", &company.token, &body);
        let mut seconds = Vec::new();
        for _ in 0..5 {
            let begun = Instant::now();
            let told: Value = serde_json::from_slice(connection.ask(&request).await?)?;
            seconds.push(begun.elapsed().as_secs_f64());
            if told["rows"].as_array().is_none_or(Vec::is_empty) {
                return Err(format!("an ageing of nothing: {told}").into());
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
        let share = invoices as f64 / 1e6;
        report.goal(&format!("ageing of {invoices} invoices, {what}"), median(seconds), most * share, "s");
    }
    Ok(())
}
