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

/// For every company: every module's own check, `<module>.verify()`, a row for each thing wrong.
pub(crate) async fn verify(config: &Config) -> Result<ExitCode> {
    let database = Database::open(config).await?;
    database.migrate().await?;
    let client = database.admin().await?;
    let mut wrong = 0;
    for line in kernel::gate(&client).await? {
        say(&format!("gate: {line}"));
        wrong += 1;
    }
    let everything = "select organization_id::text, wrong from app.everything_wrong() order by 1, 2";
    for bad in client.query(everything, &[]).await? {
        say(&format!("company {}: {}", bad.get::<_, &str>(0), bad.get::<_, &str>(1)));
        wrong += 1;
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
        catalog: store.catalog().clone(),
        zone: jiff::tz::TimeZone::UTC,
        only_looks: false,
    };
    let document = records::openapi(store.catalog(), store.modules(), &actor, base_url);
    Ok(serde_json::to_string_pretty(&document)?)
}
