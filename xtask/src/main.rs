//! The chores: a new module, a database for tests, the direction of dependencies, the paths that the docs name.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

type Done<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["with-database", command @ ..] if !command.is_empty() => with_database(command),
        ["check"] => check(),
        ["module", name] => module(name),
        ["e2e", journeys @ ..] => e2e(journeys),
        ["released"] => released(),
        _ => Err("usage: cargo xtask with-database COMMAND… | check | module NAME | e2e [JOURNEY… | -JOURNEY…] | released".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command beside a PostgreSQL of its own that is gone afterwards.
fn with_database(command: &[&str]) -> Done {
    let cluster = cluster::Cluster::temporary()?;
    let config = cluster.config("postgres", "postgres");
    let server: Vec<&str> = config.split(' ').filter(|p| !p.starts_with("dbname=")).collect();
    let status = Command::new(command[0])
        .args(&command[1..])
        .env("TEST_DATABASE_SERVER", server.join(" "))
        .status()?;
    drop(cluster);
    if status.success() { Ok(()) } else { Err(format!("{} failed", command.join(" ")).into()) }
}

/// Who may use whom. Anything else is refused: dependencies point one way.
const ALLOWED: &[(&str, &[&str])] = &[
    ("conditions", &[]),
    ("cluster", &[]),
    ("kernel", &["conditions"]),
    ("records", &["conditions", "kernel"]),
    ("flow", &["kernel", "records"]),
    ("auth", &["kernel"]),
    ("modules", &["conditions", "flow", "kernel", "records"]),
    ("web", &["auth", "flow", "kernel", "modules", "records"]),
    ("server", &["auth", "cluster", "flow", "kernel", "modules", "records", "web"]),
    ("testkit", &["auth", "cluster", "flow", "kernel", "records"]),
    ("xtask", &["cluster"]),
    ("bench", &["auth", "cluster", "flow", "kernel", "modules", "records"]),
];

fn check() -> Done {
    let out = Command::new("cargo").args(["metadata", "--no-deps", "--format-version=1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout)?;
    let mut wrong = Vec::new();
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let allowed = ALLOWED.iter().find(|(n, _)| *n == name).map(|(_, a)| *a);
        let Some(allowed) = allowed else {
            wrong.push(format!("{name} is not in the table of directions (xtask/src/main.rs)"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            if dependency["kind"].is_null() && names.contains(&to) && !allowed.contains(&to) {
                wrong.push(format!("{name} may not depend on {to}"));
            }
        }
    }
    wrong.extend(lost_paths()?);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\nxtask: ").into()) }
}

/// Paths and tests in backquotes that the documents name and the tree does not have.
fn lost_paths() -> Done<Vec<String>> {
    let mut lost = Vec::new();
    let listed = Command::new("git").args(["ls-files", "-co", "--exclude-standard", "*.rs"]).output()?;
    let sources: String = String::from_utf8(listed.stdout)?.lines().flat_map(fs::read_to_string).collect();
    let mut docs: Vec<PathBuf> = vec!["README.md".into(), "ARCHITECTURE.md".into(), "CONTRIBUTING.md".into()];
    docs.extend(fs::read_dir("docs/adr")?.flatten().map(|d| d.path()));
    for doc in docs {
        let text = fs::read_to_string(&doc)?;
        for word in text.split('`').skip(1).step_by(2) {
            let rooted = ["crates/", "modules/", "docs/", "web/", "xtask/", "bench/", ".ci/"]
                .iter()
                .any(|r| word.starts_with(r));
            let plain = !word.contains(['*', '<', '{', ' ', '…']);
            let test =
                word.matches('_').count() > 2 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if test
                && !sources.contains(&format!("fn {word}("))
                && word.bytes().any(|b| b.is_ascii_lowercase())
            {
                lost.push(format!("{}: there is no test {word}", doc.display()));
            }
            if rooted && plain && !Path::new(word.trim_end_matches('/')).exists() && word != "web/dist" {
                lost.push(format!("{}: there is no {word}", doc.display()));
            }
        }
    }
    Ok(lost)
}

/// A module that is under every conformance test as soon as it is there.
fn module(name: &str) -> Done {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err("a module's name is lower case letters and _".into());
    }
    let folder = Path::new("modules").join(name);
    if folder.exists() {
        return Err(format!("{} is there already", folder.display()).into());
    }
    fs::create_dir_all(folder.join("i18n"))?;
    let mut title = name.replace('_', " ");
    title[..1].make_ascii_uppercase();
    let files: BTreeMap<&str, String> = [
        ("README.md", format!("# {title}\n\nWhat this module is for, and a walk through a day with it.\n")),
        (
            "module.toml",
            format!(
                "title = \"{title}\"\nicon = \"box\"\ndepends = []\nmenu = [\"items\"]\n\n[entities.items]\nlabel = \"Item\"\nplural = \"Items\"\ntitle = \"name\"\nlist = [\"name\", \"note\"]\nform = [[\"name\"], [\"note\"]]\n\n[roles.employee]\nitems = {{ read = \"all\", create = \"all\", update = \"own\", delete = \"own\" }}\n"
            ),
        ),
        (
            "schema.sql",
            format!(
                "create schema {name};\ncomment on schema {name} is '{title}.';\n\ncreate table {name}.items (\n    like app.record including all,\n    name  text not null constraint item_has_a_name check (name ~ '\\S'),\n    note  app.textarea\n);\ncomment on table {name}.items is 'Something of this module.';\ncomment on constraint item_has_a_name on {name}.items is 'An item needs a name.';\nselect app.searchable('{name}.items', 'A: name; C: note');\nselect app.enroll('{name}.items');\n"
            ),
        ),
        (
            "tests.rs",
            format!(
                "//! A day with this module.\n\nuse serde_json::json;\nuse testkit::scene;\n\n#[tokio::test]\nasync fn an_item_is_made_and_found() {{\n    let s = scene(crate::ALL).await;\n    let ann = s.person(\"Acme\", \"employee\").await;\n    let item = ann.create(\"{name}.items\", json!({{ \"name\": \"First\" }})).await.ok();\n    assert_eq!(ann.read(\"{name}.items\", &item).await.ok()[\"name\"], \"First\");\n}}\n"
            ),
        ),
        (
            "i18n/ru.toml",
            format!(
                "title = \"Модуль {title}\"\n\n[entities.items]\nlabel = \"Запись\"\nplural = \"Записи\"\n\n[fields]\nname = \"Название\"\nnote = \"Примечание\"\n\n[sentences]\n\"Something of this module.\" = \"Что-то из этого модуля.\"\n\"An item needs a name.\" = \"Записи нужно название.\"\n"
            ),
        ),
        (
            "i18n/kk.toml",
            format!(
                "title = \"{title} модулі\"\n\n[entities.items]\nlabel = \"Жазба\"\nplural = \"Жазбалар\"\n\n[fields]\nname = \"Атауы\"\nnote = \"Ескертпе\"\n\n[sentences]\n\"Something of this module.\" = \"Осы модульдің бірдеңесі.\"\n\"An item needs a name.\" = \"Жазбаға атау керек.\"\n"
            ),
        ),
    ]
    .into();
    for (file, text) in files {
        fs::write(folder.join(file), text)?;
    }
    println!("{} is there. Try: cargo xtask with-database cargo nextest run -p modules", folder.display());
    Ok(())
}

/// Keeps the schema of this release, from which `modules/src/upgrade.rs` takes the steps to the next.
fn released() -> Done {
    let folder = tempfile::tempdir()?;
    let cluster = cluster::Cluster::start(&folder.path().join("pg"))?;
    let url = cluster.config("postgres", "postgres");
    let made = Command::new("target/debug/fondaco").arg("migrate").env("DATABASE_URL", &url).status()?;
    if !made.success() {
        return Err("fondaco migrate failed; build it first".into());
    }
    let dump = Command::new("pg_dump").args(["--inserts", "--dbname", &url]).output()?;
    if !dump.status.success() {
        return Err(String::from_utf8_lossy(&dump.stderr).into());
    }
    cluster.stop()?;
    // Without what psql alone understands, and the headings.
    let sql = String::from_utf8(dump.stdout)?;
    let heading = |l: &str| l == "--" || l.starts_with("-- Name: ") || l.starts_with("-- Data for Name: ");
    let kept: Vec<&str> = sql.lines().filter(|l| !l.starts_with('\\') && !heading(l)).collect();
    fs::write("modules/src/released.sql", kept.join("\n") + "\n")?;
    Ok(())
}

/// The journeys of web/e2e against a server and database of their own: all, those that are named, or all but `-name`.
fn e2e(journeys: &[&str]) -> Done {
    let browser = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    if !Path::new(&browser).exists() {
        println!("No Chromium at {browser}; the journeys are left out. Set CHROMIUM to its path.");
        return Ok(());
    }
    let data = tempfile::tempdir()?;
    let listen = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut server = Command::new("target/debug/fondaco")
        .arg("serve")
        .env("FONDACO_DATA", data.path())
        .env("FONDACO_LISTEN", &listen)
        .env_remove("DATABASE_URL")
        .spawn()?;
    let journeys = opened(&mut server, &listen).and_then(|()| {
        let status = Command::new("node")
            .arg("web/e2e/run.mjs")
            .args(journeys)
            .env("CHROMIUM", browser)
            .env("BASE_URL", format!("http://{listen}"))
            .env("FONDACO_OUTBOX", data.path().join("outbox"))
            .status()?;
        if status.success() { Ok(()) } else { Err("the journeys in the browser failed".into()) }
    });
    // The way an administrator ends it, so that its PostgreSQL ends too.
    let told = Command::new("kill").arg("-TERM").arg(server.id().to_string()).status()?;
    let ended = server.wait()?;
    journeys?;
    if told.success() && ended.success() { Ok(()) } else { Err("the server did not end well".into()) }
}

/// Waits until the server answers; a first start makes its database.
fn opened(server: &mut std::process::Child, listen: &str) -> Done {
    for _ in 0..240 {
        if let Some(ended) = server.try_wait()? {
            return Err(format!("the server ended at once: {ended}").into());
        }
        if std::net::TcpStream::connect(listen).is_ok() {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    Err("the server did not open within two minutes".into())
}
