//! What the figures were measured on.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::moment;

/// What the figures were measured on.
#[derive(Debug)]
pub(crate) struct Machine {
    date: String,
    commit: String,
    cores: u32,
    processor: String,
    memory_gib: f64,
    kernel: String,
    file_system: String,
    load: String,
}

/// Cores that this process may use.
pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism()
        .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

impl Machine {
    /// Looks around; `directory` is where data will lie.
    pub(crate) fn look(directory: &Path) -> Self {
        Self {
            date: moment::today(),
            commit: said(Command::new("git").args(["describe", "--always", "--dirty"])),
            cores: cores(),
            processor: field("/proc/cpuinfo", "model name"),
            memory_gib: field("/proc/meminfo", "MemTotal")
                .trim_end_matches(" kB")
                .parse()
                .unwrap_or(0.0)
                / 1_048_576.0,
            kernel: said(Command::new("uname").arg("-sr")),
            file_system: said(Command::new("stat").args(["-f", "-c", "%T"]).arg(directory)),
            load: fs::read_to_string("/proc/loadavg")
                .unwrap_or_default()
                .split(' ')
                .next()
                .unwrap_or("?")
                .to_owned(),
        }
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} at {}: {} cores ({}), {:.0} GiB, {}, {}, load {} before the start",
            self.date,
            self.commit,
            self.cores,
            self.processor,
            self.memory_gib,
            self.kernel,
            self.file_system,
            self.load
        )
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "date": self.date, "commit": self.commit, "cores": self.cores, "processor": self.processor,
            "memory_gib": self.memory_gib, "kernel": self.kernel, "file_system": self.file_system, "load": self.load,
        })
    }
}

fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name));
    line.map_or("unknown", |(_, value)| value.trim()).to_owned()
}

fn said(command: &mut Command) -> String {
    let output = command
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    output
        .ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
