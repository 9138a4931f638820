//! How much memory the process has held at most.

/// Forgets the peak so far; gives what is held now. `None` where the system does not tell.
pub(crate) fn forget_peak() -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    kibibytes("VmRSS:")
}

/// The most since then.
pub(crate) fn peak() -> Option<u64> {
    kibibytes("VmHWM:")
}

fn kibibytes(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
