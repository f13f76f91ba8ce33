//! What processes cost: CPU, memory.

use crate::Done;
use std::{fs, path::Path, time::Duration};

/// Clock ticks of `/proc/<pid>/stat` in a second; the kernel's interface to programs has had 100 for ever.
const TICKS: u64 = 100;

/// Times of one process: its own, and of children that have ended.
struct Times {
    parent: u32,
    own: u64,
    ended: u64,
}

fn times(pid: u32) -> Option<Times> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, a bracket too; what counts comes after the last one.
    let (_, rest) = stat.rsplit_once(')')?;
    let field = |n: usize| rest.split_whitespace().nth(n - 3)?.parse::<u64>().ok();
    let parent = u32::try_from(field(4)?).ok()?;
    Some(Times { parent, own: field(14)? + field(15)?, ended: field(16)? + field(17)? })
}

/// CPU time so far of a process alone.
pub(crate) fn cpu(pid: u32) -> Duration {
    ticks(times(pid).map_or(0, |t| t.own))
}

/// CPU time so far of a process, its children, and those of them that have ended: a PostgreSQL server.
pub(crate) fn cpu_of_tree(pid: u32) -> Duration {
    let root = times(pid).map_or(0, |t| t.own + t.ended);
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children = pids.filter_map(times).filter(|t| t.parent == pid);
    ticks(root + children.map(|t| t.own).sum::<u64>())
}

fn ticks(n: u64) -> Duration {
    Duration::from_millis(n * 1000 / TICKS)
}

/// Proportional set size in MB: what would come back if the process ended.
pub(crate) fn memory_mb(pid: u32) -> Done<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("smaps_rollup has no Pss")?;
    let kb: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kb / 1024.0)
}

pub(crate) fn size_mb(file: &Path) -> Done<f64> {
    let kb = u32::try_from(fs::metadata(file)?.len() / 1024)?;
    Ok(f64::from(kb) / 1024.0)
}

pub(crate) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    match of.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => of[n / 2],
        n => f64::midpoint(of[n / 2 - 1], of[n / 2]),
    }
}
