//! The benchmark: builds the release programs, starts them on free loopback ports with private data, runs the workloads
//! through the HTTP API as anybody would, and sets each figure beside a limit of the machine measured in the same run.
//!
//! **Invariants:** a run counts only if every node succeeded at its first attempt. Times go from the wall clock before
//! the request to the `ended_at` that the server recorded, so polling never adds to a figure. Whatever was started is
//! stopped by its process id, also when the benchmark itself is killed (see [`guard`]).

mod check;
mod client;
mod core;
mod cost;
mod definitions;
mod files;
mod guard;
mod kill;
mod limits;
mod machine;
mod mariadb;
mod mixture;
mod moment;
mod postgres;
mod processes;
mod programs;
mod report;
mod runs;
mod servers;
mod statistics;
mod transfer;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use guard::Guard;
use mariadb::MariaDb;
pub(crate) use moment::today;
use postgres::Postgres;
use programs::Programs;
use report::Figure;
use transfer::{Direction, End};

/// What to measure, on what, how often.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Workloads.
    #[arg(value_enum, default_values_t = [Choice::All])]
    workloads: Vec<Choice>,
    /// Against the one-process server on SQLite, or separate processes on MariaDB.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [On::Standalone])]
    on: Vec<On>,
    /// Runs of each workload; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Slots of all workers together; 4 for each core unless given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=4096))]
    slots: Option<u32>,
    /// Directory of release programs to measure; built when absent.
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,
}

/// A workload as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// 40 nodes in a row.
    W1,
    /// 1000 parallel nodes.
    W2,
    /// 200 diamonds of 5 nodes.
    W3,
    /// No-op nodes over the store, in one process.
    W3n,
    /// 10,000 workflows due in the same second, in one process.
    W6,
    /// The pure engine on one core; not part of all.
    Engine,
    /// Idle memory, idle CPU, cold start.
    W4,
    /// CSV to MariaDB.
    W5a,
    /// MariaDB to CSV.
    W5b,
    /// MariaDB to MariaDB.
    W5c,
    /// CSV to PostgreSQL.
    W5d,
    /// PostgreSQL to CSV.
    W5e,
    /// MariaDB to PostgreSQL.
    W5f,
    /// 100,000 workflow files from cold, and a change; not part of all.
    W7,
    /// 10,000 workflow files checked by `akka check`; not part of all.
    Check,
    /// How soon kills end transfers while five of them run; not part of all.
    Kill,
    /// The six transfers.
    W5,
    /// Everything but W7, engine, check and kill.
    All,
}

/// What the servers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum On {
    /// `akkaflow-standalone` on SQLite.
    Standalone,
    /// One master, two workers, one http-server, on MariaDB.
    Cluster,
}

impl On {
    fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Cluster => "cluster",
        }
    }
}

/// One workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Workload {
    Chain,
    FanOut,
    SmallInstances,
    NoOps,
    Fires,
    Engine,
    Cost,
    Files,
    Check,
    Kill,
    Transfer(Direction),
}

impl Choice {
    fn workloads(self) -> Vec<Workload> {
        let transfer = |index: usize| vec![Workload::Transfer(Direction::ALL[index])];
        match self {
            Self::W1 => vec![Workload::Chain],
            Self::W2 => vec![Workload::FanOut],
            Self::W3 => vec![Workload::SmallInstances],
            Self::W3n => vec![Workload::NoOps],
            Self::W6 => vec![Workload::Fires],
            Self::Engine => vec![Workload::Engine],
            Self::W4 => vec![Workload::Cost],
            Self::W7 => vec![Workload::Files],
            Self::Check => vec![Workload::Check],
            Self::Kill => vec![Workload::Kill],
            Self::W5a => transfer(0),
            Self::W5b => transfer(1),
            Self::W5c => transfer(2),
            Self::W5d => transfer(3),
            Self::W5e => transfer(4),
            Self::W5f => transfer(5),
            Self::W5 => Direction::ALL.map(Workload::Transfer).to_vec(),
            Self::All => [
                Self::W1,
                Self::W2,
                Self::W3,
                Self::W3n,
                Self::W4,
                Self::W5,
                Self::W6,
            ]
            .into_iter()
            .flat_map(Self::workloads)
            .collect(),
        }
    }
}

/// What every workload works with.
struct Bench {
    programs: Programs,
    root: PathBuf,
    mariadb: Option<MariaDb>,
    postgres: Option<Postgres>,
    runs: u32,
    slots: u32,
    guard: Guard,
}

impl Bench {
    fn mariadb(&self) -> Result<&MariaDb> {
        self.mariadb.as_ref().context(mariadb::HOW_TO_GET_ONE)
    }

    fn postgres(&self) -> Result<&Postgres> {
        self.postgres.as_ref().context(postgres::HOW_TO_GET_ONE)
    }
}

/// Measures, and prints what was measured.
pub(crate) fn run(options: &Options) -> Result<()> {
    let workloads: BTreeSet<_> = options
        .workloads
        .iter()
        .flat_map(|choice| choice.workloads())
        .collect();
    let targets: BTreeSet<_> = options.on.iter().copied().collect();
    let mariadb = MariaDb::from_environment()?;
    if mariadb.is_none() && needs_mariadb(&workloads, &targets) {
        anyhow::bail!(mariadb::HOW_TO_GET_ONE);
    }
    let postgres = Postgres::from_environment()?;
    if postgres.is_none() && touches(&workloads, End::Postgres) {
        anyhow::bail!(postgres::HOW_TO_GET_ONE);
    }
    let slots = options.slots.unwrap_or_else(|| 4 * machine::cores());
    // These run examples, not programs.
    let needs_programs = workloads.iter().any(|workload| {
        !matches!(
            workload,
            Workload::NoOps | Workload::Fires | Workload::Engine
        )
    });
    let programs = match options.programs.as_deref() {
        Some(directory) => Programs::of(directory)?,
        None if needs_programs => Programs::build()?,
        None => Programs::default(),
    };
    let directory = tempfile::Builder::new()
        .prefix("akkaflow-bench-")
        .tempdir()?;
    let guard = Guard::start()?;
    guard.directory(directory.path())?;
    let bench = Bench {
        programs,
        root: directory.path().to_owned(),
        mariadb,
        postgres,
        runs: options.runs,
        slots,
        guard,
    };
    let machine = machine::Machine::look(directory.path());
    let mut figures = Vec::new();
    for on in targets {
        for workload in &workloads {
            let new = measure(&bench, on, *workload)
                .with_context(|| format!("{workload:?} on {}", on.name()))?;
            figures.extend(new);
        }
    }
    report::print(&machine, slots, options.runs, &figures, options.json)
}

fn needs_mariadb(workloads: &BTreeSet<Workload>, targets: &BTreeSet<On>) -> bool {
    targets.contains(&On::Cluster) || touches(workloads, End::MariaDb)
}

fn touches(workloads: &BTreeSet<Workload>, end: End) -> bool {
    (workloads.iter())
        .any(|workload| matches!(workload, Workload::Transfer(direction) if direction.touches(end)))
}

fn measure(bench: &Bench, on: On, workload: Workload) -> Result<Vec<Figure>> {
    progress(&format!(
        "{workload:?} on {}, {} runs",
        on.name(),
        bench.runs
    ));
    match workload {
        Workload::Chain => runs::chain(bench, on),
        Workload::FanOut => runs::fan_out(bench, on),
        Workload::SmallInstances => runs::small_instances(bench, on),
        Workload::NoOps => core::no_ops(bench, on),
        Workload::Fires => core::fires(bench, on),
        Workload::Engine => core::engine(bench, on),
        Workload::Files => files::measure(bench, on),
        Workload::Check => check::measure(bench, on),
        Workload::Kill => kill::measure(bench, on),
        Workload::Cost => cost::measure(bench, on),
        Workload::Transfer(direction) => transfer::measure(bench, on, direction),
    }
}

/// Ends what a benchmark left behind, once its end closes our standard input.
pub(crate) fn guard() -> Result<()> {
    guard::stand()
}

/// Tells a waiting person what goes on; results go to standard output only.
#[expect(
    clippy::print_stderr,
    reason = "a command line tool tells its progress there"
)]
fn progress(text: &str) {
    eprintln!("bench: {text}");
}
