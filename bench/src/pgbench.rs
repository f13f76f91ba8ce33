//! What PostgreSQL alone can do: pgbench sends the statements that the server sends, word for word, as the same role in
//! the same context, prepared and pipelined.

use crate::{
    Done,
    client::Connection,
    house::{Company, House},
    measure::{cpu, cpu_of_tree},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A statement as it came to PostgreSQL, with its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    parameters: Vec<Option<String>>,
}

impl Statement {
    /// The same of another company.
    pub(crate) fn of(&self, company: &Company, other: &Company) -> Statement {
        let turn = |text: &str| {
            let marks = company.marks().into_iter().zip(other.marks());
            marks.fold(text.to_owned(), |text, (was, is)| text.replace(&was, &is))
        };
        Statement {
            sql: turn(&self.sql),
            parameters: self.parameters.iter().map(|value| value.as_deref().map(turn)).collect(),
        }
    }

    /// The id of the record that it makes.
    pub(crate) fn made(&self) -> Option<String> {
        self.parameters.get(1).filter(|_| self.sql.starts_with("insert"))?.clone()
    }
}

/// The log of PostgreSQL, switched to everything while one request is answered.
pub(crate) struct Recorder {
    log: PathBuf,
}

impl Recorder {
    pub(crate) async fn start(house: &House) -> Done<Recorder> {
        for setting in [
            "log_destination = 'jsonlog'",
            "log_error_verbosity = 'default'",
            "log_parameter_max_length = -1",
        ] {
            house.set(setting).await?;
        }
        house.set("log_statement = 'all'").await?;
        Ok(Recorder { log: house.pg().join("log") })
    }

    pub(crate) async fn stop(house: &House) -> Done {
        for setting in ["log_statement", "log_destination", "log_error_verbosity", "log_parameter_max_length"]
        {
            house.set(&format!("{setting} = default")).await?;
        }
        Ok(())
    }

    /// The statements by which a request is answered, after another like it.
    pub(crate) async fn of(&self, house: &House, before: &[u8], request: &[u8]) -> Done<Vec<Statement>> {
        let mut connection = Connection::open(house.listen).await?;
        // Who asks is known now, and what the connections prepare is prepared.
        connection.ask(before).await?;
        self.lines().await?;
        let before = self.lines().await?.len();
        connection.ask(request).await?;
        let mut lines = self.lines().await?.split_off(before);
        lines.retain(|line| line["user"] == "app_user");
        let statements: Vec<Statement> = lines.iter().filter_map(statement).collect();
        match statements.last() {
            Some(last) if last.sql == "commit" => Ok(statements),
            _ => Err(format!("no transaction of the request in the log, but {statements:?}").into()),
        }
    }

    /// Of one that may be asked again.
    pub(crate) async fn twice(&self, house: &House, request: &[u8]) -> Done<Vec<Statement>> {
        self.of(house, request, request).await
    }

    /// All lines so far, once the logger has written what there is.
    async fn lines(&self) -> Done<Vec<Value>> {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let mut lines = Vec::new();
        for file in
            fs::read_dir(&self.log)?.flatten().filter(|f| f.path().extension().is_some_and(|e| e == "json"))
        {
            for line in fs::read_to_string(file.path())?.lines() {
                lines.extend(serde_json::from_str(line));
            }
        }
        Ok(lines)
    }
}

fn statement(line: &Value) -> Option<Statement> {
    let message = line["message"].as_str()?;
    let sql = match message.strip_prefix("statement: ") {
        Some(sql) => sql,
        None => message.strip_prefix("execute ")?.split_once(": ")?.1,
    };
    let told =
        line["detail"].as_str().and_then(|detail| detail.split_once(": ")).map_or("", |(_, told)| told);
    Some(Statement { sql: sql.to_owned(), parameters: parameters(told) })
}

/// `$1 = 'it''s', $2 = NULL`
fn parameters(told: &str) -> Vec<Option<String>> {
    let mut all = Vec::new();
    let mut rest = told;
    while let Some((_, value)) = rest.split_once(" = ") {
        let Some(quoted) = value.strip_prefix('\'') else {
            all.push(None);
            rest = value.strip_prefix("NULL").unwrap_or_default();
            continue;
        };
        let (mut text, mut left) = (String::new(), quoted);
        while let Some((before, after)) = left.split_once('\'') {
            text.push_str(before);
            left = after;
            match after.strip_prefix('\'') {
                Some(after) => {
                    text.push('\'');
                    left = after;
                }
                None => break,
            }
        }
        all.push(Some(text));
        rest = left;
    }
    all
}

/// What one client of pgbench does over and over: its own variables, then statements.
pub(crate) struct Script {
    /// Lines of `\set` that run before each transaction.
    pub(crate) sets: Vec<String>,
    pub(crate) statements: Vec<Statement>,
    /// Values that change from one transaction to the next: an id, and the variable whose digits make it.
    pub(crate) ids: HashMap<String, String>,
}

/// One file: each client has its own branch, as each of our connections is a company of its own.
fn write(scripts: &[Script]) -> (String, Vec<String>) {
    let (mut text, mut values) = (String::new(), Vec::new());
    for (client, script) in scripts.iter().enumerate() {
        let word = if client == 0 { "if" } else { "elif" };
        let _ = writeln!(text, "\\{word} :client_id = {client}");
        for set in &script.sets {
            let _ = writeln!(text, "\\set {set}");
        }
        text.push_str("\\startpipeline\n");
        for (n, statement) in script.statements.iter().enumerate() {
            let mut sql = statement.sql.clone();
            // From the last one, so that $1 does not find $12.
            for (p, value) in statement.parameters.iter().enumerate().rev() {
                let place = format!("${}", p + 1);
                let Some(value) = value else {
                    sql = sql.replace(&place, "null");
                    continue;
                };
                sql = match script.ids.get(value) {
                    // The digits of a number are an id; as text where the statement wants text.
                    Some(name) => sql
                        .replace(&format!("{place}::text"), &format!("lpad(:{name}::text, 32, '0')"))
                        .replace(&place, &format!("lpad(:{name}::text, 32, '0')::uuid")),
                    None => {
                        let name = format!("c{client}_{n}_{}", p + 1);
                        values.push(format!("{name}={value}"));
                        sql.replace(&place, &format!(":{name}"))
                    }
                };
            }
            let _ = writeln!(text, "{sql};");
        }
        text.push_str("\\endpipeline\n");
    }
    text.push_str("\\endif\n");
    (text, values)
}

/// What came of a run.
pub(crate) struct Told {
    pub(crate) per_second: f64,
    pub(crate) micros: f64,
    pub(crate) latency: f64,
}

/// Runs for whole seconds; the first one, in which it connects and prepares, and the last do not count.
pub(crate) fn run(house: &House, scripts: &[Script], variables: &[String], seconds: u64) -> Done<Told> {
    let (text, values) = write(scripts);
    let file = house.pg().with_file_name("pgbench.sql");
    fs::write(&file, text)?;
    let postmaster = house.postmaster()?;
    let mut command = Command::new(house.tool("pgbench")?);
    command.args(["--no-vacuum", "--protocol=prepared", "--progress=1", "--jobs=1"]);
    command.arg(format!("--client={}", scripts.len())).arg(format!("--time={}", seconds + 2));
    command.arg("--file").arg(&file);
    for value in values.iter().chain(variables) {
        command.arg("-D").arg(value);
    }
    command.arg(house.config("app_user")).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let pid = child.id();
    let spent = || cpu(pid) + cpu_of_tree(postmaster);
    let errors = child.stderr.take().ok_or("pgbench says nothing")?;
    let (mut said, mut samples) = (String::new(), Vec::new());
    let (mut transactions, mut latencies) = (0.0, Vec::new());
    for line in BufReader::new(errors).lines() {
        let line = line?;
        // progress: 1.0 s, 6400.1 tps, lat 1.2 ms stddev 0.4, 0 failed
        let Some(told) = line.strip_prefix("progress: ") else {
            said.push_str(&line);
            said.push('\n');
            continue;
        };
        if samples.len() > usize::try_from(seconds)? {
            // It is about to end, and its CPU time with it.
            continue;
        }
        let number = |unit: &str| told.split_once(unit)?.0.rsplit(' ').next()?.parse::<f64>().ok();
        let now = (Instant::now(), spent());
        if let (Some((since, _)), Some(tps), Some(latency)) = (samples.last(), number(" tps"), number(" ms"))
        {
            transactions += tps * now.0.duration_since(*since).as_secs_f64();
            latencies.push(latency);
        }
        samples.push(now);
    }
    let status = child.wait()?;
    let [(begun, before), .., (ended, after)] = samples[..] else {
        return Err(format!("pgbench did not run ({status}):\n{said}").into());
    };
    if !status.success() || said.contains("aborted") {
        return Err(format!("pgbench failed ({status}):\n{said}").into());
    }
    Ok(Told {
        per_second: transactions / ended.duration_since(begun).as_secs_f64(),
        micros: (after - before).as_secs_f64() * 1e6 / transactions,
        latency: crate::measure::median(latencies),
    })
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn parameters_are_read_from_the_log() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            parameters("$1 = 'a', $2 = NULL, $3 = 'it''s = ''b'''"),
            [some("a"), None, some("it's = 'b'")]
        );
        assert_eq!(parameters(""), []);
    }
}
