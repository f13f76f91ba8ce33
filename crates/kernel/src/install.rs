use crate::{Error, Module, Result};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use tokio_postgres::Client;

/// The kernel's own schema, installed before the modules; its record of changes is kept like a module's.
const KERNEL: &[&str] = &[
    include_str!("../sql/1_context.sql"),
    include_str!("../sql/2_records.sql"),
    include_str!("../sql/3_documents.sql"),
    include_str!("../sql/4_identity.sql"),
    include_str!("../sql/5_platform.sql"),
    include_str!("../sql/6_approvals.sql"),
];
/// The steps from the last release, as a module's `changes/`: `(2, include_str!("../sql/changes/0002_what.sql"))`.
const CHANGES: &[(u32, &str)] = &[
    (2, include_str!("../sql/changes/0002_inbox_and_digests.sql")),
    (3, include_str!("../sql/changes/0003_daily.sql")),
    (4, include_str!("../sql/changes/0004_views_and_shares.sql")),
    (5, include_str!("../sql/changes/0005_field_types.sql")),
    (6, include_str!("../sql/changes/0006_number_series.sql")),
    (7, include_str!("../sql/changes/0007_messages.sql")),
    (8, include_str!("../sql/changes/0008_following.sql")),
    (9, include_str!("../sql/changes/0009_view_as.sql")),
    (10, include_str!("../sql/changes/0010_recurrences_and_files.sql")),
    (11, include_str!("../sql/changes/0011_documents.sql")),
    (12, include_str!("../sql/changes/0012_approvals.sql")),
    (14, include_str!("../sql/changes/0014_proofs.sql")),
    (15, include_str!("../sql/changes/0015_papers_and_actions_later.sql")),
    (16, include_str!("../sql/changes/0016_conditional_fields.sql")),
    (17, include_str!("../sql/changes/0017_own_tables.sql")),
    (18, include_str!("../sql/changes/0018_triggers.sql")),
    (19, include_str!("../sql/changes/0019_more_field_types.sql")),
    (20, include_str!("../sql/changes/0020_teams.sql")),
];
const ROLES: &str = include_str!("../sql/0_roles.sql");
const LEAKPROOF: &str = include_str!("../sql/leakproof.sql");
const GATE: &str = include_str!("../sql/gate.sql");
const CURRENCIES: &str = include_str!("../data/currencies.csv");

/// Held while one server installs or upgrades; others wait.
const LOCK: i64 = 0x466f_6e64_6163_6f01;

/// What [`install`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Installed {
    pub fresh: bool,
    pub changes: Vec<String>,
    /// Whether indexes can be used for every filter; false where we are no superuser.
    pub leakproof: bool,
}

/// Brings a database to the schema of this program: lays everything into an empty one, takes the missing steps in
/// another. `client` is somebody who may create roles. Safe to run by several servers at once and at every start.
///
/// # Errors
/// When the database is of a newer program, or a step that was taken has been edited since.
pub async fn install(client: &Client, modules: &[&Module]) -> Result<Installed> {
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    let done = locked(client, modules).await;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await?;
    done
}

async fn locked(client: &Client, modules: &[&Module]) -> Result<Installed> {
    client.batch_execute(ROLES).await?;
    let there = client.query_one("select to_regclass('app.schema_changes') is not null", &[]);
    let mut done = Installed { fresh: !there.await?.get::<_, bool>(0), ..Installed::default() };
    client.batch_execute("set role app_owner").await?;
    let steps = take_steps(client, modules, &mut done).await;
    // Also after an error, which leaves the step's transaction open.
    client.batch_execute("rollback; reset role").await?;
    steps?;
    // Not ours to insist on: a managed server has no superuser. docs/operations.md has the script for its DBA.
    done.leakproof = client.batch_execute(LEAKPROOF).await.is_ok();
    Ok(done)
}

async fn take_steps(client: &Client, modules: &[&Module], done: &mut Installed) -> Result<()> {
    let mut taken: HashMap<String, Vec<(i32, String)>> = HashMap::new();
    if !done.fresh {
        for row in
            client.query("select module, number, checksum from app.schema_changes order by 1, 2", &[]).await?
        {
            taken.entry(row.get(0)).or_default().push((row.get(1), row.get(2)));
        }
    }
    let kernel = Module {
        name: "kernel",
        schema: "",
        meta: "",
        readme: "",
        texts: &[],
        changes: CHANGES,
        rules: &[],
        actions: &[],
        calls: &[],
    };
    for module in [&kernel].into_iter().chain(modules.iter().copied()) {
        let schema = if module.name == "kernel" { KERNEL.concat() } else { module.schema.to_owned() };
        take(client, module, &schema, taken.remove(module.name), done)
            .await
            .map_err(|e| Error::broken(format!("installing {}: {}", module.name, told(&e))))?;
    }
    if let Some(unknown) = taken.keys().next() {
        return Err(Error::broken(format!(
            "The database has the module {unknown}, which this program does not know. Use the newer program."
        )));
    }
    let rows: Vec<Vec<&str>> = CURRENCIES.lines().skip(1).map(|l| l.splitn(3, ',').collect()).collect();
    let column = |n: usize| rows.iter().filter_map(|r| r.get(n).map(|s| s.to_string())).collect::<Vec<_>>();
    client
        .execute(
            "insert into app.currencies (code, digits, name)
             select code, digits::smallint, name from unnest($1::text[], $2::text[], $3::text[]) r (code, digits, name)
             on conflict (code) do update set digits = excluded.digits, name = excluded.name
             where (currencies.digits, currencies.name) is distinct from (excluded.digits, excluded.name)",
            &[&column(0), &column(1), &column(2)],
        )
        .await?;
    client.execute("select app.make_audit_months(2)", &[]).await?;
    Ok(())
}

async fn take(
    client: &Client,
    module: &Module,
    schema: &str,
    taken: Option<Vec<(i32, String)>>,
    done: &mut Installed,
) -> Result<()> {
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let record = "insert into app.schema_changes (module, number, checksum, before) values ($1, $2, $3,
                      (select c.checksum from app.schema_changes c where c.module = $1 and c.number = 1 and $2 > 1 and $4))
                  on conflict (module, number) do update set checksum = excluded.checksum";
    let Some(taken) = taken else {
        client.batch_execute("begin").await?;
        client.batch_execute(schema).await?;
        client.execute(record, &[&module.name, &1, &checksum(schema), &false]).await?;
        for (n, sql) in module.changes {
            client.execute(record, &[&module.name, &number(*n), &checksum(sql), &false]).await?;
        }
        client.batch_execute("commit").await?;
        return Ok(());
    };
    let mut stepped = false;
    let newest = module.changes.last().map_or(1, |(n, _)| number(*n));
    if let Some((newer, _)) = taken.iter().find(|(n, _)| *n > newest) {
        return Err(Error::broken(format!(
            "the database has taken step {newer}, this program knows only {newest}. Use the newer program."
        )));
    }
    for (n, sql) in module.changes {
        match taken.iter().find(|(t, _)| *t == number(*n)) {
            Some((_, sum)) if *sum == checksum(sql) => {}
            Some(_) => {
                return Err(Error::broken(format!("step {n} was edited after it was taken")));
            }
            None => {
                let (up, _) = ways(sql);
                client.batch_execute("begin").await?;
                client.batch_execute("set local lock_timeout = '200ms'").await?;
                client.batch_execute(up).await?;
                client.execute(record, &[&module.name, &number(*n), &checksum(sql), &true]).await?;
                client.execute(record, &[&module.name, &1, &checksum(schema), &false]).await?;
                client.batch_execute("commit").await?;
                stepped = true;
                done.changes.push(format!("{} {n}", module.name));
            }
        }
    }
    let sum = checksum(schema);
    if !stepped && taken.iter().any(|(n, s)| *n == 1 && !s.is_empty() && *s != sum) {
        return Err(Error::broken(
            "its schema.sql is not the one that this database was made with, and no step under changes/ leads there",
        ));
    }
    Ok(())
}

/// The way there and the way back.
fn ways(step: &str) -> (&str, &str) {
    step.split_once("\n-- down").unwrap_or((step, ""))
}

/// Takes a module's newest step back, so that the program before this one can go on with the database. Answers its number.
///
/// # Errors
/// When there is none, when it has no way back, or when what was written since does not allow it.
pub async fn step_back(client: &Client, module: &Module) -> Result<u32> {
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    let done = back(client, module).await;
    // Also after an error, which leaves the transaction open.
    client.batch_execute("rollback; reset role").await?;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await?;
    done
}

async fn back(client: &Client, module: &Module) -> Result<u32> {
    let newest = client
        .query_one("select max(number) from app.schema_changes where module = $1", &[&module.name])
        .await?;
    let number: i32 = newest.get::<_, Option<i32>>(0).unwrap_or(1);
    let step = module.changes.iter().find(|(n, _)| i32::try_from(*n) == Ok(number));
    let Some((n, sql)) = step else {
        return Err(Error::broken(format!("{} has no step that could be taken back", module.name)));
    };
    let (_, down) = ways(sql);
    if down.trim().is_empty() {
        return Err(Error::broken(format!("step {n} of {} has no way back", module.name)));
    }
    client.batch_execute("begin; set local role app_owner; set local lock_timeout = '200ms'").await?;
    // After the word `down` the rest of its line is a remark.
    client.batch_execute(down.split_once('\n').map_or("", |(_, sql)| sql)).await?;
    client
        .execute(
            "update app.schema_changes set checksum = coalesce(
                 (select c.before from app.schema_changes c where c.module = $1 and c.number = $2), '') where module = $1 and number = 1",
            &[&module.name, &number],
        )
        .await?;
    client
        .execute("delete from app.schema_changes where module = $1 and number = $2", &[&module.name, &number])
        .await?;
    client.batch_execute("commit").await?;
    Ok(*n)
}

/// What the catalog gate has to say: one line a violation, none when every table keeps the rules.
pub async fn gate(client: &Client) -> Result<Vec<String>> {
    let rows = client.query(GATE, &[]).await?;
    Ok(rows.iter().map(|r| format!("{}: {}", r.get::<_, &str>(0), r.get::<_, &str>(1))).collect())
}

/// Changes whenever the kernel's schema does; for tests that keep a template.
pub fn schema_fingerprint() -> String {
    checksum(&[ROLES, &KERNEL.concat(), LEAKPROOF, CURRENCIES].concat())
}

fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

fn told(e: &Error) -> String {
    e.sql().map_or_else(
        || e.to_string(),
        |db| format!("{db}{}", db.where_().map(|w| format!(" ({w})")).unwrap_or_default()),
    )
}
