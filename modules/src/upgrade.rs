//! From the schema of the last release, with somebody's data in it, the steps lead to the schema of this one.

use testkit::{empty_database, shape};

/// Made by `cargo xtask released` when a release goes out.
const RELEASED: &str = include_str!("released.sql");

/// A company as the last release knew it: an order with a line for a customer.
const TRADE: &str = "
    insert into tenancy.organizations (name, slug) values ('Acme', 'acme');
    insert into parties.parties (organization_id, number, name, is_customer, created_by, updated_by)
    select id, 'P-1', 'Rope & Co', true, id, id from tenancy.organizations;
    insert into sales.orders (organization_id, number, customer_id, currency, created_by, updated_by)
    select organization_id, 'SO-1', id, 'EUR', created_by, created_by from parties.parties;
    insert into sales.order_lines (organization_id, order_id, name, quantity, price, tax_rate, created_by, updated_by)
    select organization_id, id, 'Rope', 2, 10, 20, created_by, created_by from sales.orders;";

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
            line.replace("::numeric", "").replace(['(', ')'], "")
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
