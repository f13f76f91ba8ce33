//! The program `fondaco`.

mod config;
mod database;
mod demo;
mod doctor;
mod exchange;
mod house;
mod serve;

use clap::{Parser, Subcommand};
use config::Config;
use database::Database;
use kernel::{Error, Result};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// A request is many small pieces of memory: with this it costs a third less of the server's CPU (docs/performance.md).
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One house, many companies: runs whole businesses on PostgreSQL.
#[derive(Parser)]
#[command(
    name = "fondaco",
    version,
    after_help = "Settings: environment FONDACO_*, DATABASE_URL, or fondaco.toml; `fondaco doctor` shows them."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server: installs or upgrades the database first
    Serve {
        /// Load the demo companies that are not there yet
        #[arg(long)]
        demo: bool,
    },
    /// Bring the database to this program's schema, and end
    Migrate {
        /// Take the newest step of this module back instead, for the program before this one
        #[arg(long, value_name = "MODULE")]
        back: Option<String>,
    },
    /// Load the demo companies, and end
    Demo,
    /// Make and manage people from the server's console
    User {
        #[command(subcommand)]
        what: User,
    },
    /// Recompute what must be true of every company's records; exit code 1 when something is not
    Verify,
    /// Show the settings and what is wrong with this installation
    Doctor,
    /// Print the API of all entities as OpenAPI 3.1
    Openapi,
    /// Print the rows of a spreadsheet; the server runs itself so, apart and within limits
    #[command(hide = true)]
    XlsxRows { file: std::path::PathBuf },
    /// Check that the tables keep companies apart (the catalog gate)
    Check,
}

#[derive(Subcommand)]
enum User {
    /// Make somebody who may sign in; asks for the password on standard input
    Add {
        email: String,
        #[arg(long, default_value = "")]
        first_name: String,
        #[arg(long, default_value = "")]
        last_name: String,
        /// An operator of the platform, outside of every company
        #[arg(long)]
        operator: bool,
    },
    /// End somebody's sessions and let them in no more
    Suspend { email: String },
    /// Let somebody in again
    Resume { email: String },
}

/// A line for the person at the terminal; everything else goes to the log.
#[expect(clippy::print_stdout, reason = "what the person who started it reads")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::XlsxRows { file } = &cli.command {
        // Before any thread is started: the process may have little memory.
        return if records::import::xlsx_child(file).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let filter = EnvFilter::try_from_env("FONDACO_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,server=info,fondaco=info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(cli.command)),
        Err(e) => Err(Error::Broken(Box::new(e))),
    };
    match done {
        Ok(code) => code,
        Err(e) => {
            complain(&e);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last word before the program ends")]
fn complain(e: &Error) {
    let Error::Broken(inner) = e else { return eprintln!("fondaco: {e}") };
    eprint!("fondaco: {inner}");
    let mut source = inner.source();
    while let Some(inner) = source {
        eprint!(": {inner}");
        source = inner.source();
    }
    eprintln!();
}

async fn run(command: Command) -> Result<ExitCode> {
    let config = Config::read()?;
    match command {
        Command::Serve { demo } => serve::serve(&config, demo).await?,
        Command::Migrate { back: Some(module) } => {
            let known = modules::ALL.iter().find(|m| m.name == module);
            let module = known.ok_or_else(|| Error::broken(format!("there is no module {module}")))?;
            let number = kernel::step_back(&Database::open(&config).await?.admin().await?, module).await?;
            say(&format!("Step {number} of {} was taken back.", module.name));
        }
        Command::Migrate { back: None } => {
            let done = Database::open(&config).await?.migrate().await?;
            say(match (done.fresh, done.changes.is_empty()) {
                (true, _) => "The database was made.",
                (_, true) => "The database is up to date.",
                _ => "The database was upgraded.",
            });
        }
        Command::Demo => {
            let database = Database::open(&config).await?;
            database.migrate().await?;
            let house = house::House::open(&config, &database).await?;
            demo::load(&house).await?;
            house.close().await;
            say(&demo::logins()?);
        }
        Command::User { what } => user(&config, what).await?,
        Command::XlsxRows { .. } => {}
        Command::Verify => return doctor::verify(&config).await,
        Command::Doctor => return doctor::doctor(&config).await,
        Command::Openapi => {
            let database = Database::open(&config).await?;
            database.migrate().await?;
            let store = database.store().await?;
            say(&doctor::openapi(&store, &config.base_url())?);
        }
        Command::Check => {
            let broken = kernel::gate(&Database::open(&config).await?.admin().await?).await?;
            for line in &broken {
                say(line);
            }
            if !broken.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
            say("Every table keeps the rules.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn user(config: &Config, what: User) -> Result<()> {
    let database = Database::open(config).await?;
    database.migrate().await?;
    let auth = house::auth(config, database.store().await?);
    let told = |p: auth::Problem| Error::refused(p.to_string());
    let find = async |email: &str| -> Result<uuid::Uuid> {
        let found = auth.find_user(email).await.map_err(told)?;
        found.ok_or_else(|| Error::refused(format!("Nobody has the address {email}.")))
    };
    match what {
        User::Add { email, first_name, last_name, operator } => {
            say("Password:");
            let mut password = String::new();
            std::io::stdin().read_line(&mut password).map_err(|e| Error::Broken(Box::new(e)))?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            let locale = "en".to_owned();
            let new = auth::NewUser { email, password, first_name, last_name, locale, is_operator: operator };
            auth.create_user(&new).await.map_err(told)?;
            say("Done. They can sign in now.");
        }
        User::Suspend { email } => {
            auth.suspend_user(find(&email).await?, true).await.map_err(told)?;
            say("Suspended.");
        }
        User::Resume { email } => {
            auth.suspend_user(find(&email).await?, false).await.map_err(told)?;
            say("They can sign in again.");
        }
    }
    Ok(())
}
