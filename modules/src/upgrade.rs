//! From the schema of the last release, with somebody's data in it, the steps lead to the schema of this one.

use testkit::{empty_database, shape};

/// Made by `cargo xtask released` when a release goes out.
const RELEASED: &str = include_str!("released.sql");

/// A company as the last release knew it: an order with a line for a customer, an invoice that is paid in part.
const TRADE: &str = "
    insert into tenancy.organizations (name, slug) values ('Acme', 'acme');
    insert into parties.parties (organization_id, number, name, is_customer, created_by, updated_by)
    select id, 'P-1', 'Rope & Co', true, id, id from tenancy.organizations;
    insert into sales.orders (organization_id, number, customer_id, currency, created_by, updated_by)
    select organization_id, 'SO-1', id, 'EUR', created_by, created_by from parties.parties;
    insert into sales.order_lines (organization_id, order_id, name, quantity, price, tax_rate, created_by, updated_by)
    select organization_id, id, 'Rope', 2, 10, 20, created_by, created_by from sales.orders;
    select set_config('app.context', format('%s %s %s ', id, id, id), false) from tenancy.organizations;
    insert into finance.invoices (party_id, currency, issued_on, assigned_to) select id, 'USD', '2026-03-01', null from parties.parties;
    insert into finance.invoice_lines (invoice_id, name, price, tax_rate) select id, 'Rope', 10, 20 from finance.invoices;
    update finance.invoices set status = 'sent';
    select finance.pay(id, '{\"amount\": \"5\", \"paid_on\": \"2026-03-05\"}') from finance.invoices;
    select set_config('app.context', '', false);";

#[tokio::test]
async fn a_released_database_becomes_this_one_with_all_that_is_in_it() {
    let (fresh, old) = (empty_database().await, empty_database().await);
    kernel::install(&fresh, crate::ALL).await.unwrap();
    old.batch_execute(RELEASED).await.unwrap();
    old.batch_execute("reset all").await.unwrap();
    let organization = "select set_config('app.context', '', false)";
    old.batch_execute(organization).await.unwrap();
    old.batch_execute(TRADE).await.unwrap();

    let done = kernel::install(&old, crate::ALL).await.unwrap_or_else(|e| panic!("{e}"));
    assert!(!done.fresh);

    let schemas = "select nspname::text from pg_namespace where nspname !~ '^(pg_|information_schema|public)' order by 1";
    for row in fresh.query(schemas, &[]).await.unwrap() {
        let schema: String = row.get(0);
        let (stepped, whole) = (shape(&old, &schema).await, shape(&fresh, &schema).await);
        let (stepped, whole) = (alike(&stepped), alike(&whole));
        assert_eq!(only(&stepped, &whole), [""; 0], "{schema} has these after the steps alone");
        assert_eq!(only(&whole, &stepped), [""; 0], "{schema} has these in the whole alone");
    }
    assert_eq!(kernel::gate(&old).await.unwrap(), [""; 0]);
    let gross = old.query_one("select gross::text from sales.orders", &[]).await.unwrap();
    assert_eq!(gross.get::<_, &str>(0), "24.000000");
    // What was posted and paid before is in the books.
    let owed = "select string_agg(a.purpose || ' ' || trim_scale(x.sum), ', ' order by a.purpose)
                from (select account_id, sum(debit - credit) from ledger.journal_entry_lines group by 1) x join ledger.ledger_accounts a on a.id = x.account_id";
    let owed = old.query_one(owed, &[]).await.unwrap();
    assert_eq!(owed.get::<_, &str>(0), "bank 5, receivable 7, sales -10, tax_out -2");
    let wrong = "select wrong from finance.verify() union all select wrong from ledger.verify()";
    let wrong: Vec<String> = old.query(wrong, &[]).await.unwrap().iter().map(|r| r.get(0)).collect();
    assert_eq!(wrong, [""; 0]);
}

/// Without what differs and means nothing: a table's slot is its place in the order of being made, and a condition that was
/// written out and read in again has its casts spelled out.
fn alike(lines: &[String]) -> Vec<String> {
    let cut = |line: &str, before: &str| {
        let mut parts = line.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + before + part.trim_start_matches(|c: char| c.is_ascii_digit()))
    };
    let places = ["app.scope(", "app.stay('", "\"slot\": "];
    let uncast = |line: String| {
        if line.starts_with("CREATE TRIGGER") {
            let line = line.replace("::numeric", "").replace(['(', ')'], "");
            // Columns that the history leaves out, in whatever order.
            let Some((to, left_out)) = line.split_once("app.log_change") else { return line };
            let mut left_out: Vec<&str> = left_out.split(", ").collect();
            left_out.sort_unstable();
            format!("{to}app.log_change{}", left_out.join(", "))
        } else {
            line
        }
    };
    lines
        .iter()
        .map(|line| uncast(places.iter().fold(line.clone(), |line, place| cut(&line, place))))
        .collect()
}

fn only<'a>(these: &'a [String], others: &[String]) -> Vec<&'a str> {
    these.iter().filter(|line| !others.contains(line)).map(String::as_str).collect()
}
