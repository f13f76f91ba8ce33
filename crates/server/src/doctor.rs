use crate::{config::Config, database::Database, say};
use kernel::{Access, Actor, Overlay, Result, Role, Store};
use std::{process::ExitCode, sync::Arc};
use uuid::Uuid;

/// The settings in force, and a line for everything that is not as it should be.
pub(crate) async fn doctor(config: &Config) -> Result<ExitCode> {
    say(&format!("data           {}", config.data.display()));
    say(&format!("listen         {}", config.listen));
    say(&format!("base url       {}", config.base_url()));
    say(&format!(
        "mail           {}",
        config
            .smtp
            .as_deref()
            .map_or_else(|| format!("files in {}", config.outbox().display()), |_| "SMTP".into())
    ));
    say(&format!("registration   {}", config.registration));
    let database = Database::open(config).await?;
    let mut wrong = Vec::new();
    if let Some(cluster) = &database.private {
        let (major, minor) = cluster.version();
        say(&format!("postgresql     private, {major}.{minor}"));
        if major == 15 && minor < 18 {
            wrong.push("PostgreSQL 15 before 15.18 has known holes: upgrade the package.".to_owned());
        }
    } else {
        say("postgresql     yours, by DATABASE_URL");
    }
    match database.migrate().await {
        Ok(done) if !done.leakproof => wrong.push(
            "Some filters do not use their indexes: a DBA should run leakproof.sql (docs/operations.md)."
                .into(),
        ),
        Ok(_) => {}
        Err(e) => wrong.push(format!("{e:?}")),
    }
    for line in &wrong {
        say(&format!("! {line}"));
    }
    if wrong.is_empty() {
        say("All is well.");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// For every company: sums of parts, and every module's own check, `<module>.verify()`, a row for each thing wrong.
pub(crate) async fn verify(config: &Config) -> Result<ExitCode> {
    let database = Database::open(config).await?;
    database.migrate().await?;
    let client = database.admin().await?;
    let mut wrong = 0;
    for line in kernel::gate(&client).await? {
        say(&format!("gate: {line}"));
        wrong += 1;
    }
    // The sums of parts, wherever app.total keeps them: nothing is named here.
    let totals = "
        select e.name, g.args[1] as whole, g.args[2] as fk, unnest(g.args[3:]) from app.entities e
        join pg_trigger t on t.tgrelid = e.name::regclass and t.tgname = 'total'
        cross join lateral (select string_to_array(rtrim(encode(t.tgargs, 'escape'), '\\000'), '\\000') as args) g";
    for row in client.query(totals, &[]).await? {
        let (part, whole, fk, column): (&str, &str, &str, &str) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let sql = format!(
            "select w.organization_id::text, w.id::text from {whole} w
             left join (select organization_id, {fk} as id, sum({column}) as sum from {part} group by 1, 2) s using (organization_id, id)
             where w.{column} is distinct from coalesce(s.sum, 0) limit 100"
        );
        for bad in client.query(&sql, &[]).await? {
            say(&format!(
                "company {}: {whole} {}: {column} is not the sum of its {part}",
                bad.get::<_, &str>(0),
                bad.get::<_, &str>(1)
            ));
            wrong += 1;
        }
    }
    let own = "select p.pronamespace::regnamespace::text from pg_proc p join app.entities e on split_part(e.name, '.', 1)::regnamespace = p.pronamespace
        where p.proname = 'verify' and p.pronargs = 0 group by 1 order by 1";
    for module in client.query(own, &[]).await? {
        let module: &str = module.get(0);
        let sql = format!("select organization_id::text, wrong from {module}.verify() limit 1000");
        for bad in client.query(&sql, &[]).await? {
            say(&format!("company {}: {module}: {}", bad.get::<_, &str>(0), bad.get::<_, &str>(1)));
            wrong += 1;
        }
    }
    if wrong == 0 {
        say("Everything adds up.");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// The API as somebody with all rights has it.
pub(crate) fn openapi(store: &Store, base_url: &str) -> Result<String> {
    let owner = Role { name: "owner".into(), template: Some("owner".into()), ..Role::default() };
    let actor = Actor {
        organization: Uuid::nil(),
        user: Uuid::nil(),
        request: Uuid::nil(),
        access: Arc::new(Access::of(store.catalog(), &[owner])),
        overlay: Arc::new(Overlay::default()),
        zone: jiff::tz::TimeZone::UTC,
        only_looks: false,
    };
    let document = records::openapi(store.catalog(), store.modules(), &actor, base_url);
    Ok(serde_json::to_string_pretty(&document)?)
}
