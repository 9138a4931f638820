//! Processes as `/proc` shows them: who belongs to a server, what they cost, and how to end them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Time to end in order before a process is killed.
const GRACE: Duration = Duration::from_secs(10);
/// How often the end of a process is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// What processes cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Memory {
    /// Resident, shared pages counted in each process.
    pub(crate) rss_mib: f64,
    /// Resident, shared pages divided among those that share them.
    pub(crate) pss_mib: f64,
}

/// `roots`, all that descend from them, and all that name `directory` on their command line.
pub(crate) fn family(roots: &[u32], directory: &Path) -> BTreeSet<u32> {
    let mut family: BTreeSet<u32> = roots.iter().copied().collect();
    family.extend(naming(directory));
    let parents: BTreeMap<u32, u32> = all().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    loop {
        let children = parents
            .iter()
            .filter(|(pid, parent)| family.contains(parent) && !family.contains(pid));
        let children: Vec<u32> = children.map(|(pid, _)| *pid).collect();
        if children.is_empty() {
            return family;
        }
        family.extend(children);
    }
}

/// Processes, but not this one, that name `directory` on their command line.
pub(crate) fn naming(directory: &Path) -> Vec<u32> {
    let directory = directory.display().to_string();
    let names = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&directory)
    };
    all()
        .filter(|pid| *pid != std::process::id())
        .filter(names)
        .collect()
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may contain anything.
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()
}

/// Memory of all of them together.
pub(crate) fn memory(pids: &BTreeSet<u32>) -> Memory {
    let mut sum = Memory::default();
    for pid in pids {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        sum.rss_mib += mib(&text, "Rss:");
        sum.pss_mib += mib(&text, "Pss:");
    }
    sum
}

/// The most that each of them ever had resident, together.
pub(crate) fn peak_rss_mib(pids: &BTreeSet<u32>) -> f64 {
    let peaks = pids.iter().map(|pid| {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        mib(&text, "VmHWM:")
    });
    peaks.sum()
}

fn mib(text: &str, field: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0) / 1024.0
}

/// Time on a processor of all their living threads, to the nanosecond (ticks are too coarse for an idle server).
pub(crate) fn busy(pids: &BTreeSet<u32>) -> Duration {
    let tasks = pids.iter().flat_map(|pid| {
        fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten()
    });
    let busy = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace()
            .next()?
            .parse()
            .ok()
            .map(Duration::from_nanos)
    });
    busy.sum()
}

/// Asks them to end, and kills those that have not within [`GRACE`].
pub(crate) fn end(pids: &BTreeSet<u32>) {
    let lives = |pid: &u32| Path::new(&format!("/proc/{pid}")).exists() && !is_zombie(*pid);
    pids.iter()
        .filter(|pid| lives(pid))
        .for_each(|pid| signal("TERM", *pid));
    let since = Instant::now();
    while since.elapsed() < GRACE && pids.iter().any(lives) {
        std::thread::sleep(LOOK);
    }
    pids.iter()
        .filter(|pid| lives(pid))
        .for_each(|pid| signal("KILL", *pid));
}

fn is_zombie(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// Sends a signal through the shell, whose `kill` is always there.
pub(crate) fn signal(name: &str, pid: u32) {
    let command = format!("kill -{name} {pid}");
    let _it_may_be_gone = Command::new("/bin/sh")
        .args(["-c", &command])
        .stderr(Stdio::null())
        .status();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::{busy, end, family, memory};

    #[test]
    fn a_process_and_its_children_are_one_family() {
        let mut command = Command::new("/bin/sh");
        let mut child = command
            .args(["-c", "cat; true"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let ours = std::process::id();
        assert!(family(&[ours], Path::new("/nowhere/at/all")).contains(&child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn this_process_has_memory_and_has_been_busy() {
        let ours = BTreeSet::from([std::process::id()]);
        let memory = memory(&ours);
        assert!(memory.rss_mib > 0.5 && memory.pss_mib > 0.0 && memory.pss_mib <= memory.rss_mib);
        assert!(busy(&ours).as_nanos() > 0);
    }

    #[test]
    fn ending_a_process_waits_until_it_is_gone() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "cat"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        end(&BTreeSet::from([child.id()]));
        assert!(child.try_wait().unwrap().is_some());
    }
}
