//! One run of a test program under one mutant, within bounds.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::build::Program;

/// Memory of a program under a mutant; without one they take a small part of it.
const MEMORY_KIB: u64 = 4 << 20;

/// How many times longer than without a mutant a program may take.
const PATIENCE: u32 = 10;

/// What is given on top, for those that take no time at all.
const GRACE: Duration = Duration::from_secs(5);

/// A bound for the run that measures.
const LONGEST: Duration = Duration::from_secs(1_800);

/// A test program with what it is to run.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    /// Of the crate.
    pub(crate) package: String,
    /// For people.
    pub(crate) name: String,
    program: PathBuf,
    arguments: Vec<&'static str>,
    directory: PathBuf,
    seeds: u64,
    /// Without a mutant.
    pub(crate) cost: Duration,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Passed,
    Failed,
    TookTooLong,
}

/// The tests of the crates themselves, a simulated day, and `seeds` histories; the tests of the simulator itself tell nothing of a mutant.
pub(crate) fn trials(programs: &[Program], workspace: &std::path::Path, seeds: u64) -> Vec<Trial> {
    let mut trials = Vec::new();
    for program in programs {
        let parts: &[(&str, &[&str])] = match (program.package.as_str(), program.name.as_str()) {
            ("testkit", "it") => &[
                (
                    "histories",
                    &["--exact", "simulation::no_history_breaks_the_contract"],
                ),
                (
                    "day",
                    &[
                        "--exact",
                        "week::no_fire_is_lost_doubled_or_late_without_a_reason",
                    ],
                ),
            ],
            ("testkit", _) => &[],
            (_, "it") => &[("scenarios", &[])],
            _ => &[("units", &[])],
        };
        for (name, arguments) in parts {
            trials.push(Trial {
                package: program.package.clone(),
                name: format!("{} {name}", program.package),
                program: program.executable.clone(),
                arguments: arguments.to_vec(),
                directory: workspace.join("crates").join(&program.package),
                seeds,
                cost: Duration::ZERO,
            });
        }
    }
    trials
}

impl Trial {
    /// Runs it without a mutant, to see that it passes and how long it takes.
    ///
    /// # Errors
    /// When it does not pass: it would kill everything.
    pub(crate) fn measure(&mut self) -> Result<()> {
        let begin = Instant::now();
        let ending = self.execute(0, LONGEST)?;
        self.cost = begin.elapsed();
        ensure!(
            ending == Ending::Passed,
            "{} fails without a mutant",
            self.name
        );
        Ok(())
    }

    /// Runs it under a mutant.
    pub(crate) fn run(&self, mutant: u32) -> Result<Ending> {
        self.execute(mutant, self.cost * PATIENCE + GRACE)
    }

    /// Whether it holds code of a crate.
    pub(crate) fn sees(&self, package: &str) -> bool {
        self.package == package || self.package == "testkit"
    }

    /// Processor time and memory are bounded by the shell's own limits: a mutant that runs in circles ends.
    fn execute(&self, mutant: u32, limit: Duration) -> Result<Ending> {
        let seconds = limit.as_secs() + 1;
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "ulimit -v {MEMORY_KIB}; ulimit -t {seconds}; exec \"$@\""
            ))
            .arg("sh")
            .arg(&self.program)
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env("AKKAFLOW_MUTANT", mutant.to_string())
            .env("AKKAFLOW_SIM_SEEDS", self.seeds.to_string())
            .env("AKKAFLOW_SIM_SHRINK_SECONDS", "0")
            .env("RUST_TEST_THREADS", "1")
            .env("RUST_BACKTRACE", "0")
            .env_remove("AKKAFLOW_SEED")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .with_context(|| format!("run {}", self.program.display()))?;
        ending(status)
    }
}

const INTERRUPTED: i32 = 2;
const KILLED: i32 = 9;
const TERMINATED: i32 = 15;
const OUT_OF_TIME: i32 = 24;

fn ending(status: ExitStatus) -> Result<Ending> {
    Ok(match (status.signal(), status.code()) {
        (None, Some(0)) => Ending::Passed,
        (Some(KILLED | OUT_OF_TIME), _) => Ending::TookTooLong,
        // Someone ends the whole run: that says nothing of the mutant.
        (Some(INTERRUPTED | TERMINATED), _) => bail!("interrupted"),
        (None, Some(126 | 127)) => bail!("a test program cannot be run"),
        _ => Ending::Failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(script: &'static str) -> Trial {
        Trial {
            package: "engine".to_owned(),
            name: "engine units".to_owned(),
            program: "/bin/sh".into(),
            arguments: vec!["-c", script],
            directory: ".".into(),
            seeds: 1,
            cost: Duration::ZERO,
        }
    }

    #[test]
    fn a_program_is_told_its_mutant_and_its_end_is_understood() {
        let told = trial("[ $AKKAFLOW_MUTANT = 7 ]");
        assert_eq!(told.run(7).unwrap(), Ending::Passed);
        assert_eq!(told.run(8).unwrap(), Ending::Failed);
        assert_eq!(trial("kill -ABRT $$").run(1).unwrap(), Ending::Failed);
        assert_eq!(trial("kill -XCPU $$").run(1).unwrap(), Ending::TookTooLong);
    }

    #[test]
    fn what_fails_without_a_mutant_is_no_trial() {
        let error = trial("[ $AKKAFLOW_MUTANT != 0 ]").measure().unwrap_err();
        assert_eq!(error.to_string(), "engine units fails without a mutant");
    }
}
