//! What the machine itself can do, measured beside each figure.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::statistics::summary;

/// Processes and flushes of one measurement: some tenths of a second.
const REPEATS: usize = 200;

/// Milliseconds from spawning `/bin/sh -c true` to its end; the standard library spawns by `posix_spawn`.
pub(crate) fn spawn_ms() -> Result<f64> {
    median_ms(|| {
        let status = Command::new("/bin/sh")
            .args(["-c", "true"])
            .status()
            .context("spawn /bin/sh")?;
        ensure!(status.success(), "/bin/sh -c true failed");
        Ok(())
    })
}

/// Milliseconds of appending `size` bytes to a file and flushing them to the disk.
pub(crate) fn flush_ms(directory: &Path, size: usize) -> Result<f64> {
    let path = directory.join("flush");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let bytes = vec![b'.'; size];
    let median = median_ms(|| {
        file.write_all(&bytes)?;
        Ok(file.sync_data()?)
    });
    std::fs::remove_file(path)?;
    median
}

fn median_ms(mut once: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut times = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let since = Instant::now();
        once()?;
        times.push(milliseconds(since.elapsed()));
    }
    Ok(summary(&times).median)
}

/// Processes a second of `xargs -P2 /bin/sh -c true` over `count` of them.
pub(crate) fn xargs_per_second(count: usize) -> Result<f64> {
    let command = format!("seq {count} | xargs -P2 -n1 /bin/sh -c true");
    let since = Instant::now();
    let status = Command::new("/bin/sh")
        .args(["-c", &command])
        .status()
        .context("run xargs")?;
    ensure!(status.success(), "xargs failed");
    Ok(rate(count, since.elapsed()))
}

/// How many a second.
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let count = count as f64;
    count / time.as_secs_f64()
}

/// A duration in milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::{flush_ms, spawn_ms, xargs_per_second};

    #[test]
    fn every_limit_can_be_measured_here() {
        let directory = tempfile::tempdir().unwrap();
        assert!(spawn_ms().unwrap() > 0.0);
        assert!(flush_ms(directory.path(), 128).unwrap() > 0.0);
        assert!(xargs_per_second(20).unwrap() > 0.0);
    }
}
