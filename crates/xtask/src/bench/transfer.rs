//! W5: a million rows between MariaDB and files, beside the server's own clients doing the same.

mod rows;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::client::Client;
use super::mariadb::MariaDb;
use super::report::{Figure, Limit, Mark};
use super::servers::Servers;
use super::{Bench, On, definitions, limits, moment};

/// Which way the rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// a: a CSV file into a table.
    IntoDatabase,
    /// b: a table into a CSV file.
    FromDatabase,
    /// c: a table into a table of another database.
    Through,
}

impl Direction {
    fn workload(self) -> &'static str {
        match self {
            Self::IntoDatabase => "W5a",
            Self::FromDatabase => "W5b",
            Self::Through => "W5c",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::IntoDatabase => "CSV to MariaDB",
            Self::FromDatabase => "MariaDB to CSV",
            Self::Through => "MariaDB to MariaDB",
        }
    }

    fn limit(self) -> &'static str {
        match self {
            Self::IntoDatabase => "LOAD DATA LOCAL",
            Self::FromDatabase => "mariadb --batch",
            Self::Through => "mariadb-dump | mariadb",
        }
    }

    fn marks(self) -> (Vec<Mark>, Vec<Mark>) {
        match self {
            Self::IntoDatabase => (vec![Mark::RatioAtLeast(0.5)], vec![Mark::RatioAtLeast(0.9)]),
            Self::FromDatabase => (Vec::new(), vec![Mark::RatioAtLeast(0.8)]),
            Self::Through => (Vec::new(), vec![Mark::RatioAtLeast(1.3)]),
        }
    }
}

/// Databases and files of one measurement.
struct Stage<'a> {
    mariadb: &'a MariaDb,
    source: String,
    target: String,
    limit: String,
    csv: PathBuf,
    out: PathBuf,
}

/// Measures one direction.
pub(crate) fn measure(bench: &Bench, on: On, direction: Direction) -> Result<Vec<Figure>> {
    let stage = Stage::set(bench)?;
    let servers = Servers::start(bench, on, &stage.links())?;
    let client = servers.client();
    client.put(&definitions::single("w5", &stage.body(direction)))?;
    let (mut values, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        limit.push(stage.limit(direction)?);
        let time = stage
            .transfer(direction, &client)
            .with_context(|| servers.errors())?;
        values.push(limits::rate(rows::COUNT, time));
    }
    let (first, last) = direction.marks();
    Ok(vec![Figure {
        workload: direction.workload(),
        on: on.name(),
        name: direction.name(),
        unit: "rows/s",
        values,
        limits: vec![Limit {
            name: direction.limit(),
            values: limit,
        }],
        first,
        last,
    }])
}

impl<'a> Stage<'a> {
    fn set(bench: &'a Bench) -> Result<Self> {
        let name = |part: &str| format!("akkaflow_bench_{}_{part}", std::process::id());
        let stage = Self {
            mariadb: bench.mariadb()?,
            source: name("source"),
            target: name("target"),
            limit: name("limit"),
            csv: bench.root.join("rows.csv"),
            out: bench.root.join("out.csv"),
        };
        super::progress("making a million rows");
        if !stage.csv.exists() {
            rows::write(&stage.csv)?;
        }
        for database in [&stage.source, &stage.target, &stage.limit] {
            bench.guard.database(database)?;
            stage.mariadb.create_database(database)?;
            stage
                .mariadb
                .execute(&format!("CREATE TABLE {database}.facts {}", rows::COLUMNS))?;
        }
        stage.load(&stage.source)?;
        Ok(stage)
    }

    fn links(&self) -> String {
        self.mariadb.link("source", &self.source) + &self.mariadb.link("target", &self.target)
    }

    fn body(&self, direction: Direction) -> String {
        let from_table = "<source type=\"DB\" db-link=\"source\">facts</source>".to_owned();
        let into_table = "<target type=\"DB\" db-link=\"target\" table=\"facts\"/>".to_owned();
        let from_file = format!(
            "<source type=\"FILE\" delimited=\",\">{}</source>",
            self.csv.display()
        );
        let into_file = format!(
            "<target type=\"FILE\" path=\"{}\" delimited=\",\"/>",
            self.out.display()
        );
        let (source, target) = match direction {
            Direction::IntoDatabase => (from_file, into_table),
            Direction::FromDatabase => (from_table, into_file),
            Direction::Through => (from_table, into_table),
        };
        format!("<transfer>{source}{target}</transfer>")
    }

    /// One run of the workload: its time, once what it wrote has been compared with what it read.
    fn transfer(&self, direction: Direction, client: &Client) -> Result<Duration> {
        self.empty(&self.target)?;
        let requested_ms = moment::now_ms();
        let id = client.run("w5")?;
        let finished = client.wait(&id, 1, Duration::from_millis(50))?;
        if direction == Direction::FromDatabase {
            ensure!(
                rows::fingerprint(&self.out)? == rows::fingerprint(&self.csv)?,
                "the file has other rows"
            );
        } else {
            ensure!(
                self.fingerprint(&self.target)? == self.fingerprint(&self.source)?,
                "the table has other rows"
            );
        }
        Ok(Duration::from_secs_f64(
            (finished.ended_ms - requested_ms) / 1000.0,
        ))
    }

    /// Rows a second of the server's own client.
    fn limit(&self, direction: Direction) -> Result<f64> {
        self.empty(&self.limit)?;
        let since = Instant::now();
        match direction {
            Direction::IntoDatabase => self.load(&self.limit)?,
            Direction::FromDatabase => self
                .mariadb
                .select_into(&format!("{}.facts", self.source), &self.out)?,
            Direction::Through => self.mariadb.pipe(&self.source, "facts", &self.limit)?,
        }
        Ok(limits::rate(rows::COUNT, since.elapsed()))
    }

    fn load(&self, database: &str) -> Result<()> {
        let file = self.csv.display();
        let statement = format!(
            "LOAD DATA LOCAL INFILE '{file}' INTO TABLE {database}.facts FIELDS TERMINATED BY ','"
        );
        self.mariadb.execute(&statement).map(drop)
    }

    fn empty(&self, database: &str) -> Result<()> {
        if self.out.exists() {
            std::fs::remove_file(&self.out)?;
        }
        self.mariadb
            .execute(&format!("TRUNCATE TABLE {database}.facts"))
            .map(drop)
    }

    fn fingerprint(&self, database: &str) -> Result<String> {
        self.mariadb.execute(&format!(
            "SELECT {} FROM {database}.facts",
            rows::FINGERPRINT
        ))
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        for database in [&self.source, &self.target, &self.limit] {
            drop(self.mariadb.drop_database(database));
        }
    }
}
