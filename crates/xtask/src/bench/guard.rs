//! A second process that outlives the benchmark for a moment: it learns what was started, and when its standard input
//! closes (the benchmark ended, was interrupted, or was killed) it ends what is still there.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use super::mariadb::MariaDb;
use super::postgres::Postgres;
use super::processes;

/// The guard as the benchmark sees it.
#[derive(Debug)]
pub(crate) struct Guard {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
}

impl Guard {
    /// Starts it in a process group of its own, which Ctrl-C does not reach.
    pub(crate) fn start() -> Result<Self> {
        let program = std::env::current_exe()?;
        let mut command = Command::new(program);
        let mut child = command
            .arg("guard")
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("start the guard")?;
        let input = Mutex::new(child.stdin.take());
        Ok(Self { child, input })
    }

    /// A process to end.
    pub(crate) fn watch(&self, pid: u32) -> Result<()> {
        self.tell(&format!("+{pid}"))
    }

    /// A process that is gone.
    pub(crate) fn forget(&self, pid: u32) -> Result<()> {
        self.tell(&format!("-{pid}"))
    }

    /// A directory to remove, with every process that names it on its command line.
    pub(crate) fn directory(&self, path: &Path) -> Result<()> {
        self.tell(&format!("/{}", path.display()))
    }

    /// A database to drop.
    pub(crate) fn database(&self, name: &str) -> Result<()> {
        self.tell(&format!("d{name}"))
    }

    /// A schema of PostgreSQL to drop.
    pub(crate) fn schema(&self, name: &str) -> Result<()> {
        self.tell(&format!("s{name}"))
    }

    fn tell(&self, line: &str) -> Result<()> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let input = input.as_mut().context("the guard has gone")?;
        writeln!(input, "{line}").context("tell the guard")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.input
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let _gone_either_way = self.child.wait();
    }
}

/// What is there to clean.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    pids: BTreeSet<u32>,
    directories: Vec<PathBuf>,
    databases: Vec<String>,
    schemas: Vec<String>,
}

impl Left {
    fn learn(&mut self, line: &str) {
        let Some((kind, value)) = line.split_at_checked(1) else {
            return;
        };
        match kind {
            "+" => self.pids.extend(value.parse::<u32>()),
            "-" => self.pids.retain(|pid| value != pid.to_string()),
            "/" => self.directories.push(PathBuf::from(value)),
            "d" => self.databases.push(value.to_owned()),
            "s" => self.schemas.push(value.to_owned()),
            _ => {}
        }
    }

    fn clean(mut self) -> Result<()> {
        for directory in &self.directories {
            self.pids.extend(processes::naming(directory));
        }
        processes::end(&self.pids);
        for directory in self
            .directories
            .iter()
            .filter(|directory| directory.exists())
        {
            std::fs::remove_dir_all(directory)
                .with_context(|| format!("remove {}", directory.display()))?;
        }
        if let (false, Some(mariadb)) = (self.databases.is_empty(), MariaDb::from_environment()?) {
            for database in &self.databases {
                mariadb.drop_database(database)?;
            }
        }
        let has_schemas = !self.schemas.is_empty();
        if let (true, Some(postgres)) = (has_schemas, Postgres::from_environment()?) {
            for schema in &self.schemas {
                postgres.drop_schema(schema)?;
            }
        }
        Ok(())
    }
}

/// The guard's own life.
pub(crate) fn stand() -> Result<()> {
    let mut left = Left::default();
    for line in std::io::stdin().lock().lines() {
        left.learn(&line?);
    }
    left.clean()
}

#[cfg(test)]
mod tests {
    use super::Left;

    #[test]
    fn what_ended_in_order_is_not_ended_again() {
        let mut left = Left::default();
        for line in ["+7", "+77", "-7", "//tmp/x", "dbench_1", "sbench_2", ""] {
            left.learn(line);
        }
        assert_eq!(left.pids.iter().copied().collect::<Vec<_>>(), [77]);
        assert_eq!(left.directories[0].to_str(), Some("/tmp/x"));
        assert_eq!(left.databases, ["bench_1"]);
        assert_eq!(left.schemas, ["bench_2"]);
    }
}
