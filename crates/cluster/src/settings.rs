//! The server's settings, and its log.

use crate::account::Account;
use crate::{Error, MARK, PORT, Tried, replace};
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

const INCLUDE: &str = "include = 'fondaco.conf'";

const COMMON: &str = "\
max_connections = 60
wal_level = replica
jit = off
random_page_cost = 1.1
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_destination = 'stderr'
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_file_mode = 0600
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %u@%d %a '
log_min_error_statement = error
# Without the rows that an error names, and without parameters: they may be secrets.
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_lock_waits = on
";

/// What nothing may override (`ALTER SYSTEM` could override the file), given on the command line.
pub(crate) fn fixed(socket: &str, throwaway: bool) -> Vec<String> {
    let safe = if throwaway { "off" } else { "on" };
    let mut all: Vec<_> =
        ["fsync", "full_page_writes", "synchronous_commit"].iter().map(|s| format!("{s}={safe}")).collect();
    all.extend([
        "listen_addresses=".to_owned(),
        format!("port={PORT}"),
        "unix_socket_permissions=0700".to_owned(),
    ]);
    all.push(format!("unix_socket_directories={socket}"));
    all
}

/// Writes the settings anew, and has `postgresql.conf` include them. What an administrator adds after that line, or with
/// `ALTER SYSTEM`, stays and wins.
pub(crate) fn write(folder: &Path, account: &Account, socket: &str, throwaway: bool) -> Result<(), Error> {
    let mut text =
        String::from("# Written at each start. Put settings of your own at the end of postgresql.conf.\n");
    for setting in fixed(socket, throwaway) {
        let (name, value) = setting.split_once('=').unwrap_or_default();
        let _ = writeln!(text, "{name} = '{value}'");
    }
    text.push_str(COMMON);
    let memory = memory_mb();
    let buffers = if throwaway { 32 } else { (memory / 4).clamp(32, 512) };
    let cache = (memory / 2).clamp(64, 4096);
    let _ = writeln!(text, "shared_buffers = {buffers}MB\neffective_cache_size = {cache}MB");
    replace(&folder.join(MARK), &text, account)?;

    let main = folder.join("postgresql.conf");
    let was = fs::read_to_string(&main).tried("read", &main)?;
    if was.lines().any(|line| line.trim() == INCLUDE) {
        return Ok(());
    }
    replace(&main, &format!("{was}\n{INCLUDE}\n"), account)
}

/// Memory of the machine, or of our control group if that is less.
fn memory_mb() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let machine =
        machine.lines().find_map(|l| l.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    let group =
        fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|s| s.trim().parse::<u64>().ok());
    (machine.unwrap_or(1 << 20) / 1024).min(group.map_or(u64::MAX, |bytes| bytes >> 20))
}

/// The end of what the server wrote while it did not start.
pub(crate) fn log_tail(folder: &Path, start_log: &Path, begun: SystemTime) -> String {
    let mut paths = vec![start_log.to_owned()];
    let written = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).is_ok_and(|at| at >= begun);
    let logs = fs::read_dir(folder.join("log")).into_iter().flatten().flatten().map(|e| e.path());
    paths.extend(logs.filter(|path| written(path)));
    let tails = paths.iter().map(|path| {
        let text = end(path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
    });
    tails.filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n")
}

fn end(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(4096);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
