//! The processes of one data folder, found by `/proc/*/cwd`, and the signals sent to them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The server's first process, as its file `postmaster.pid` tells.
pub(crate) struct Postmaster {
    pub(crate) pid: i32,
    pub(crate) port: u16,
    pub(crate) socket: String,
    status: String,
}

impl Postmaster {
    /// The postmaster that lives and works in this folder. A stale file names a process that is dead, a zombie or not a
    /// server of this folder.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let line = |n: usize| lines.get(n).copied().unwrap_or_default();
        let pid: i32 = line(0).parse().ok()?;
        works_in(folder, pid.checked_abs()?).then(|| Self {
            pid,
            port: line(3).parse().unwrap_or(super::PORT),
            socket: line(4).to_owned(),
            status: line(7).to_owned(),
        })
    }

    pub(crate) fn ready(&self) -> bool {
        matches!(self.status.as_str(), "ready" | "standby")
    }

    pub(crate) fn single_user(&self) -> bool {
        self.pid < 0
    }

    /// The program that runs, even if its file has been replaced.
    pub(crate) fn exe(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/exe", self.pid.abs()))
    }

    /// Where that program was.
    pub(crate) fn program(&self) -> Option<PathBuf> {
        program(self.pid.abs())
    }
}

fn program(pid: i32) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let text = path.to_string_lossy();
    Some(text.strip_suffix(" (deleted)").map_or_else(|| path.clone(), PathBuf::from))
}

/// Whether this is a living PostgreSQL process whose working folder is this one (zombies have none).
fn works_in(folder: &Path, pid: i32) -> bool {
    let (Ok(here), Ok(there)) = (fs::metadata(folder), fs::metadata(format!("/proc/{pid}/cwd"))) else {
        return false;
    };
    let name = program(pid).and_then(|p| p.file_name().map(|n| n.to_string_lossy().into_owned()));
    // dpkg renames a file that it replaces, so the name is a prefix.
    (here.dev(), here.ino()) == (there.dev(), there.ino()) && name.is_some_and(|n| n.starts_with("postgres"))
}

fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok())
}

/// Every process whose working folder is this one.
pub(crate) fn inside(folder: &Path) -> Vec<i32> {
    let Ok(here) = fs::metadata(folder) else { return Vec::new() };
    let there = |pid: &i32| fs::metadata(format!("/proc/{pid}/cwd")).map(|m| (m.dev(), m.ino()));
    pids().filter(|pid| there(pid).is_ok_and(|id| id == (here.dev(), here.ino()))).collect()
}

/// The PostgreSQL processes of this folder.
pub(crate) fn servers(folder: &Path) -> Vec<i32> {
    inside(folder).into_iter().filter(|pid| works_in(folder, *pid)).collect()
}

/// Waits for the processes that a killed server left behind (idle ones end by themselves), then ends them: quit, and at
/// last kill. Returns those that are still there.
pub(crate) fn end_leftovers(folder: &Path) -> Vec<i32> {
    let steps = [(None, 700), (Some(libc::SIGQUIT), 2000), (Some(libc::SIGKILL), 5000)];
    for (what, patience) in steps {
        let begun = Instant::now();
        let left = servers(folder);
        if let Some(what) = what {
            left.iter().for_each(|pid| signal(*pid, what));
        }
        while begun.elapsed() < Duration::from_millis(patience) {
            if servers(folder).is_empty() {
                return Vec::new();
            }
            sleep(super::TICK);
        }
    }
    servers(folder)
}

/// Sends a signal; a process that is gone by now is no error.
pub(crate) fn signal(pid: i32, signal: i32) {
    if pid > 1 {
        #[expect(unsafe_code, reason = "the standard library has no kill for processes it did not spawn")]
        // SAFETY: kill has no memory effects; the process number is positive, so no group is meant.
        let _ = unsafe { libc::kill(pid, signal) };
    }
}

/// Gives the new process a session of its own, so that neither a terminal's hang-up nor Ctrl-C reaches it.
pub(crate) fn in_own_session(command: &mut Command) {
    #[expect(unsafe_code, reason = "the standard library has no stable setsid")]
    // SAFETY: setsid is async-signal-safe and the closure touches no memory of the parent.
    unsafe {
        command.pre_exec(|| if libc::setsid() < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) })
    };
}

/// The effective user and group of this process.
pub(crate) fn me() -> (u32, u32) {
    #[expect(unsafe_code, reason = "the standard library does not tell the user")]
    // SAFETY: neither call can fail or touches memory.
    unsafe {
        (libc::geteuid(), libc::getegid())
    }
}
