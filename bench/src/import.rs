//! Our import of a CSV file against PostgreSQL's COPY of the same rows into the same table: constraints and history on for
//! both. COPY does not work under row security, so it goes past it, as the superuser, and is the better off for it.

use crate::{
    Done,
    client::{Connection, get, upload},
    house::House,
    measure::{cpu, cpu_of_tree},
    pgbench::Recorder,
};
use bytes::Bytes;
use futures_util::SinkExt;
use serde_json::Value;
use std::pin::pin;
use std::time::{Duration, Instant};

/// The statement that says who asks, as the server sends it for somebody of the company that COPY writes to.
pub(crate) async fn context(house: &House, recorder: &Recorder) -> Done<String> {
    let path = "/api/v1/products/products?limit=1&fields=id";
    let statements = recorder.twice(house, &get(path, &house.companies[3].token)).await?;
    let said = statements.into_iter().map(|s| s.sql).find(|s| s.contains("app.context"));
    Ok(said.ok_or("no statement says who asks")?.replace("begin;", ""))
}

/// The CPU of an import over that of COPY, and how many seconds the import took.
pub(crate) async fn against_copy(house: &House, rows: u64, context: &str) -> Done<(f64, f64)> {
    let line = |n: u64| {
        format!("B-{n},Product {n} of the catalogue,{}.90,{}.10,Made of steel\n", n % 900 + 1, n % 700 + 1)
    };
    let file: String = (1..=rows).map(line).collect();
    let spent = || -> Done<Duration> { Ok(cpu(house.server()) + cpu_of_tree(house.postmaster()?)) };

    let client = house.admin().await?;
    let before = spent()?;
    client.batch_execute(&format!("begin; {context}")).await?;
    let copy = "copy products.products (sku, name, price, cost, description) from stdin csv";
    let mut sink = pin!(client.copy_in(copy).await?);
    sink.send(Bytes::from(file.clone())).await?;
    sink.close().await?;
    client.batch_execute("commit").await?;
    let copied = spent()? - before;

    let begun = Instant::now();
    let before = spent()?;
    let token = &house.companies[2].token;
    let csv = format!("SKU,Name,Price,Cost,Description\n{file}");
    let mut connection = Connection::open(house.listen).await?;
    let answer: Value = serde_json::from_slice(
        connection
            .ask(&upload("/api/v1/products/products/_import?mode=run", token, "text/csv", &csv))
            .await?,
    )?;
    let id = answer["import"]["id"].as_str().ok_or("an import has an id")?.to_owned();
    let done = loop {
        let told = connection.ask(&get(&format!("/api/v1/imports/{id}"), token)).await?;
        let told: Value = serde_json::from_slice(told)?;
        let told = told.get("import").cloned().unwrap_or(told);
        match told["status"].as_str() {
            Some("done" | "failed" | "completed") => break told,
            _ if begun.elapsed() > Duration::from_secs(600) => return Err("the import does not end".into()),
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let imported = spent()? - before;
    if done["created"].as_u64() != Some(rows) {
        return Err(format!("of {rows} rows were imported: {done}").into());
    }
    Ok((imported.as_secs_f64() / copied.as_secs_f64(), begun.elapsed().as_secs_f64()))
}
