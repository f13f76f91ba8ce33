//! How much the server costs over PostgreSQL itself: our endpoints and pgbench with the same statements take turns in one
//! run, so that what else the machine does strikes both. docs/performance.md says what is measured and why.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

mod aging;
mod books;
mod client;
mod house;
mod import;
mod measure;
mod pgbench;

use client::{Requests, get, load, post};
use house::{CLIENTS, Company, House};
use measure::{cpu, cpu_of_tree, median, memory_mb, size_mb};
use pgbench::{Recorder, Script};
use std::{collections::HashMap, path::Path, process::ExitCode, time::Duration};

pub(crate) type Done<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How much is loaded, and how long is measured.
pub(crate) struct Size {
    organizations: u64,
    customers: u64,
    orders: u64,
    large: u64,
    middling: u64,
    imported: u64,
    invoices: u64,
    postings: u64,
    rounds: u64,
    seconds: u64,
}

const FULL: Size = Size {
    organizations: 200,
    customers: 200_000,
    orders: 1_000_000,
    large: 200_000,
    middling: 10_000,
    imported: 100_000,
    invoices: 1_000_000,
    postings: 5_000_000,
    rounds: 5,
    seconds: 4,
};
const SMALL: Size = Size {
    organizations: 22,
    customers: 20_000,
    orders: 120_000,
    large: 60_000,
    middling: 10_000,
    imported: 20_000,
    invoices: 100_000,
    postings: 500_000,
    rounds: 5,
    seconds: 2,
};

impl Size {
    /// Orders and customers of each company: a large one, a middling one, and the rest alike.
    pub(crate) fn companies(&self) -> Vec<(u64, u64)> {
        let rest = self.organizations - 2;
        let each = (self.orders - self.large - self.middling) / rest;
        let customers = |orders: u64| (self.customers * orders / self.orders).max(1);
        [self.large, self.middling]
            .into_iter()
            .chain(std::iter::repeat_n(each, usize::try_from(rest).unwrap_or_default()))
            .map(|orders| (orders, customers(orders)))
            .collect()
    }
}

/// A line for the person at the terminal.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

fn main() -> ExitCode {
    let small = std::env::args().nth(1).is_some_and(|size| size == "small");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let work = until_stopped(bench(if small { &SMALL } else { &FULL }));
    let done = runtime.map_err(Into::into).and_then(|r| r.block_on(work));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            // The driver says "db error"; what it was stands behind it.
            let why = e.source().map(|why| format!(": {why}")).unwrap_or_default();
            say(&format!("bench: {e}{why}"));
            ExitCode::FAILURE
        }
    }
}

/// Cut short, it still takes its database away.
async fn until_stopped(work: impl Future<Output = Done<bool>>) -> Done<bool> {
    tokio::select! {
        done = work => done,
        stopped = tokio::signal::ctrl_c() => stopped.map_err(Into::into).and(Err("stopped".into())),
    }
}

/// What was found against what was wanted.
struct Report {
    kept: bool,
}

impl Report {
    fn goal(&mut self, what: &str, found: f64, most: f64, unit: &str) {
        let kept = found <= most;
        self.kept &= kept;
        let mark = if kept { "kept" } else { "MISSED" };
        say(&format!("{what:<52} {found:>9.2} {unit:<3} goal ≤ {most:<6} {mark}"));
    }
}

/// An endpoint, and pgbench's way to do the same.
struct Pair<'a> {
    name: &'a str,
    requests: Box<dyn Fn(usize) -> Requests + 'a>,
    scripts: Vec<Script>,
    most: f64,
}

async fn bench(size: &Size) -> Done<bool> {
    let program = Path::new("target/release/fondaco").canonicalize()?;
    say(&format!(
        "loading {} companies, {} customers, {} orders, {} lines",
        size.organizations,
        size.customers,
        size.orders,
        size.orders * 3
    ));
    let mut house = House::build(size).await?;
    say(&format!("loaded in {:.0} s", house.loaded.as_secs_f64()));
    // The first start may have something to do once.
    house.open(&program).await?;
    house.close()?;
    let start = house.open(&program).await?;
    let mut report = Report { kept: true };
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = memory_mb(house.server())?;

    let recorder = Recorder::start(&house).await?;
    let pairs = vec![
        get_one(&house, &recorder).await?,
        list(&house, &recorder).await?,
        create(&house, &recorder).await?,
        by_month(&house, &recorder).await?,
        books::posting(&house, &recorder).await?,
    ];
    let context = import::context(&house, &recorder).await?;
    Recorder::stop(&house).await?;
    let mut loaded: f64 = 0.0;
    for pair in &pairs {
        measure(&house, size, pair, &mut report).await?;
        loaded = loaded.max(memory_mb(house.server())?);
    }
    books::posted(&house).await?;
    pages(&house, size, &mut report).await?;
    let (ratio, seconds) = import::against_copy(&house, size.imported, &context).await?;
    report.goal(&format!("import of {} rows: CPU to COPY's", size.imported), ratio, 1.67, "×");
    report.goal(&format!("import of {} rows", size.imported), seconds, 60.0, "s");
    books::writers(&house).await?;
    books::trial_balance(&house, size.postings, &mut report).await?;
    aging::measure(&house, size.invoices, &mut report).await?;
    report.goal("memory, idle (PSS)", idle, 40.0, "MB");
    report.goal("memory, under load (PSS)", loaded.max(memory_mb(house.server())?), 80.0, "MB");
    report.goal("start on a warm database", start.as_secs_f64(), 1.0, "s");
    say(&format!("release binary {:.1} MB", size_mb(&program)?));
    Ok(report.kept)
}

/// Takes turns and tells the cost of each.
async fn measure(house: &House, size: &Size, pair: &Pair<'_>, report: &mut Report) -> Done {
    let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rates, mut limits, mut servers, mut latencies) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    let lasts = Duration::from_secs(size.seconds);
    let postmaster = house.postmaster()?;
    let requests = || (0..CLIENTS).map(|n| (pair.requests)(n)).collect::<Vec<_>>();
    // Plans and caches are made before it counts.
    load(house.listen, requests(), Duration::from_secs(1)).await?;
    for round in 0..size.rounds {
        let base = format!("base={}", 100_000_000_000_000_000 + round * 1_000_000_000_000_000);
        let told = pgbench::run(house, &pair.scripts, &[base, "k=0".into()], size.seconds)?;
        let before = (cpu(house.server()), cpu_of_tree(postmaster));
        let mut answers = load(house.listen, requests(), lasts).await?;
        let after = (cpu(house.server()), cpu_of_tree(postmaster));
        let each = |spent: Duration| spent.as_secs_f64() * 1e6 / answers.count();
        let (server, postgres) = (each(after.0 - before.0), each(after.1 - before.1));
        ratios.push((server + postgres) / told.micros);
        servers.push(server);
        ours.push(postgres);
        theirs.push(told.micros);
        rates.push(answers.per_second());
        limits.push(told.per_second);
        latencies.push(told.latency);
        p50.push(answers.percentile(50));
        p99.push(answers.percentile(99));
    }
    say(&format!(
        "{}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms; CPU {:.0} µs server + {:.0} µs postgres. pgbench {:.0}/s, {:.2} ms; CPU {:.0} µs",
        pair.name,
        median(rates.clone()),
        median(p50),
        median(p99),
        median(servers),
        median(ours),
        median(limits.clone()),
        median(latencies),
        median(theirs)
    ));
    say(&format!("  {:.0} % of pgbench's transactions a second", 100.0 * median(rates) / median(limits)));
    report.goal(&format!("{}: CPU to pgbench's", pair.name), median(ratios), pair.most, "×");
    Ok(())
}

/// A request that stays the same for each connection.
fn same(request: Vec<u8>) -> Requests {
    Box::new(move |_| request.clone())
}

/// Numbers that hop over everything, the same in every run.
fn hop(n: u64) -> u64 {
    n.wrapping_mul(2_654_435_761) >> 8
}

async fn get_one<'a>(house: &'a House, recorder: &Recorder) -> Done<Pair<'a>> {
    let path = |id: &str| format!("/api/v1/sales/orders/{id}");
    let first = &house.companies[2];
    let statements = recorder.twice(house, &get(&path(&first.order(1)), &first.token)).await?;
    let script = |company: &Company| Script {
        sets: vec![format!(
            "n random({}, {})",
            company.orders_before + 1,
            company.orders_before + company.orders
        )],
        statements: statements.iter().map(|s| s.of(first, company)).collect(),
        ids: HashMap::from([(company.order(1), "n".to_owned())]),
    };
    let requests = move |client: usize| -> Requests {
        let company = &house.companies[client + 2];
        let asked: Vec<Vec<u8>> =
            (1..=company.orders).map(|k| get(&path(&company.order(k)), &company.token)).collect();
        Box::new(move |n| asked[usize::try_from(hop(n)).unwrap_or_default() % asked.len()].clone())
    };
    let scripts = house.companies[2..].iter().map(script).collect();
    Ok(Pair { name: "get an order with its lines", requests: Box::new(requests), scripts, most: 2.5 })
}

async fn list<'a>(house: &'a House, recorder: &Recorder) -> Done<Pair<'a>> {
    let request = |company: &Company| {
        let path = "/api/v1/sales/orders?status=confirmed&sort=-ordered_on&expand=customer&limit=50";
        get(path, &company.token)
    };
    let first = &house.companies[2];
    let statements = recorder.twice(house, &request(first)).await?;
    let script = |company: &Company| {
        let statements = statements.iter().map(|s| s.of(first, company)).collect();
        Script { sets: Vec::new(), statements, ids: HashMap::new() }
    };
    let scripts = house.companies[2..].iter().map(script).collect();
    let requests = move |client: usize| same(request(&house.companies[client + 2]));
    Ok(Pair { name: "list 50 orders with their customers", requests: Box::new(requests), scripts, most: 1.6 })
}

/// Everybody asks about the middling company: what a small one costs is hardly the sum.
async fn by_month<'a>(house: &'a House, recorder: &Recorder) -> Done<Pair<'a>> {
    let body = r#"{"group_by": ["ordered_on:month"], "metrics": [{"function": "count"}, {"function": "sum", "field": "total"}]}"#;
    let request = post("/api/v1/sales/orders/_aggregate", &house.companies[1].token, body);
    let statements = recorder.twice(house, &request).await?;
    let script = || Script { sets: Vec::new(), statements: statements.clone(), ids: HashMap::new() };
    let scripts = std::iter::repeat_with(script).take(CLIENTS).collect();
    let requests = move |_| same(request.clone());
    Ok(Pair { name: "sum 10,000 orders by month", requests: Box::new(requests), scripts, most: 1.1 })
}

async fn create<'a>(house: &'a House, recorder: &Recorder) -> Done<Pair<'a>> {
    let request = |company: &Company| {
        let line = |n: u32| {
            format!(r#"{{"name": "Article {n}", "quantity": "{n}", "price": "19.90", "tax_rate": "20"}}"#)
        };
        let (customer, lines) = (company.customer(), [line(1), line(2), line(3)].join(", "));
        let body = format!(r#"{{"customer_id": "{customer}", "lines": [{lines}]}}"#);
        post("/api/v1/sales/orders", &company.token, &body)
    };
    let first = &house.companies[2];
    let statements = recorder.twice(house, &request(first)).await?;
    // The ids that the server gave: the order's, then its lines'.
    let made: Vec<String> = statements.iter().filter_map(pgbench::Statement::made).collect();
    let script = |company: &Company| {
        let mut sets = vec!["k :k + 1".to_owned()];
        let id = |n: usize| format!("id{n} :base + :client_id * 1000000000000 + :k * 10 + {n}");
        sets.extend((0..made.len()).map(id));
        Script {
            sets,
            statements: statements.iter().map(|s| s.of(first, company)).collect(),
            ids: made.iter().enumerate().map(|(n, id)| (id.clone(), format!("id{n}"))).collect(),
        }
    };
    let scripts = house.companies[2..].iter().map(script).collect();
    let requests = move |client: usize| same(request(&house.companies[client + 2]));
    Ok(Pair { name: "create an order with three lines", requests: Box::new(requests), scripts, most: 1.5 })
}

/// A page in the middle of the largest company against one of a middling company.
async fn pages(house: &House, size: &Size, report: &mut Report) -> Done {
    for sort in ["-id", "-ordered_on"] {
        let mut requests = Vec::new();
        for company in &house.companies[..2] {
            let half = company.orders / 2;
            let list = format!("/api/v1/sales/orders?sort={sort}&limit=50");
            let mut connection = client::Connection::open(house.listen).await?;
            let found = connection.ask(&get(&format!("{list}&offset={half}"), &company.token)).await?;
            let found: serde_json::Value = serde_json::from_slice(found)?;
            let cursor = found["next"].as_str().ok_or("a page that has no next")?;
            requests.push(get(&format!("{list}&cursor={cursor}"), &company.token));
        }
        let (mut cost, mut wait) = (Vec::new(), Vec::new());
        let postmaster = house.postmaster()?;
        for _ in 0..=size.rounds {
            let mut pair = Vec::new();
            for request in &requests {
                let before = cpu(house.server()) + cpu_of_tree(postmaster);
                let all = (0..4).map(|_| same(request.clone())).collect();
                let mut answers = load(house.listen, all, Duration::from_secs(1)).await?;
                let spent = cpu(house.server()) + cpu_of_tree(postmaster) - before;
                pair.push((spent.as_secs_f64() / answers.count(), answers.percentile(50)));
            }
            cost.push(pair[0].0 / pair[1].0);
            wait.push(pair[0].1);
        }
        let what = format!("page in the middle by {sort}: large company to one of 10k");
        report.goal(&what, median(cost), 1.5, "×");
        say(&format!("  p50 {:.2} ms with {} orders", median(wait), house.companies[0].orders));
    }
    let company = &house.companies[0];
    for (what, path) in [
        ("count, capped", "/api/v1/sales/orders?limit=1&fields=id&count=estimate"),
        ("count, exact", "/api/v1/sales/orders?limit=1&fields=id&count=exact"),
    ] {
        let mut answers =
            load(house.listen, vec![same(get(path, &company.token))], Duration::from_secs(1)).await?;
        say(&format!("{what}: p50 {:.2} ms with {} orders", answers.percentile(50), company.orders));
    }
    Ok(())
}
