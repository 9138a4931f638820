//! W5: a million rows between databases and files, beside the servers' own clients doing the same.

pub(crate) mod rows;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::client::Client;
use super::mariadb::MariaDb;
use super::postgres::Postgres;
use super::report::{Figure, Limit, Mark};
use super::servers::Servers;
use super::{Bench, On, definitions, limits, moment};

/// Where rows lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Csv,
    MariaDb,
    Postgres,
}

/// Which way the rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Direction {
    pub(crate) from: End,
    pub(crate) into: End,
}

/// What is known of one.
struct Way {
    workload: &'static str,
    name: &'static str,
    /// What does the same.
    limit: &'static str,
    first: Vec<Mark>,
    last: Vec<Mark>,
}

impl Direction {
    /// All that are measured, in order.
    pub(crate) const ALL: [Self; 6] = {
        use End::{Csv, MariaDb, Postgres};
        const fn way(from: End, into: End) -> Direction {
            Direction { from, into }
        }
        [
            way(Csv, MariaDb),
            way(MariaDb, Csv),
            way(MariaDb, MariaDb),
            way(Csv, Postgres),
            way(Postgres, Csv),
            way(MariaDb, Postgres),
        ]
    };

    fn way(self) -> Way {
        let way = |workload, name, limit, last| Way {
            workload,
            name,
            limit,
            first: Vec::new(),
            last: vec![Mark::RatioAtLeast(last)],
        };
        match (self.from, self.into) {
            (End::Csv, End::MariaDb) => Way {
                first: vec![Mark::RatioAtLeast(0.5)],
                ..way("W5a", "CSV to MariaDB", "LOAD DATA LOCAL", 0.9)
            },
            (End::MariaDb, End::Csv) => way("W5b", "MariaDB to CSV", "mariadb --batch", 0.8),
            (End::Csv, End::Postgres) => way("W5d", "CSV to PostgreSQL", "\\copy from", 0.9),
            (End::Postgres, End::Csv) => way("W5e", "PostgreSQL to CSV", "\\copy to", 0.8),
            (End::MariaDb, End::Postgres) => way(
                "W5f",
                "MariaDB to PostgreSQL",
                "mariadb --batch | psql",
                1.3,
            ),
            _ => way("W5c", "MariaDB to MariaDB", "mariadb-dump | mariadb", 1.3),
        }
    }

    /// Whether rows come from there or go there.
    pub(crate) fn touches(self, end: End) -> bool {
        self.from == end || self.into == end
    }
}

/// A server that rows are in.
#[derive(Clone, Copy)]
enum Server<'a> {
    MariaDb(&'a MariaDb),
    Postgres(&'a Postgres),
}

impl Server<'_> {
    /// Makes a place with an empty table `facts` in it.
    fn create(self, place: &str) -> Result<()> {
        match self {
            Self::MariaDb(server) => {
                server.create_database(place)?;
                let columns = rows::MARIADB_COLUMNS;
                server.execute(&format!("CREATE TABLE {place}.facts {columns}"))
            }
            Self::Postgres(server) => {
                server.create_schema(place)?;
                let columns = rows::POSTGRES_COLUMNS;
                server.execute(&format!("CREATE TABLE {place}.facts {columns}"))
            }
        }
        .map(drop)
    }

    fn execute(self, statement: &str) -> Result<String> {
        match self {
            Self::MariaDb(server) => server.execute(statement),
            Self::Postgres(server) => server.execute(statement),
        }
    }

    fn drop_place(self, place: &str) -> Result<()> {
        match self {
            Self::MariaDb(server) => server.drop_database(place),
            Self::Postgres(server) => server.drop_schema(place),
        }
    }

    fn link(self, name: &str, place: &str) -> String {
        match self {
            Self::MariaDb(server) => server.link(name, place),
            Self::Postgres(server) => server.link(name, place),
        }
    }

    /// The server's own way from a file into the table.
    fn load(self, file: &Path, place: &str) -> Result<()> {
        match self {
            Self::MariaDb(server) => {
                let file = file.display();
                let statement = format!(
                    "LOAD DATA LOCAL INFILE '{file}' INTO TABLE {place}.facts FIELDS TERMINATED BY ','"
                );
                server.execute(&statement).map(drop)
            }
            Self::Postgres(server) => server.copy_from(file, &format!("{place}.facts")),
        }
    }

    /// The server's own way from the table into a file.
    fn unload(self, place: &str, file: &Path) -> Result<()> {
        let table = format!("{place}.facts");
        match self {
            Self::MariaDb(server) => server.select_into(&table, file),
            Self::Postgres(server) => server.copy_into(&table, file),
        }
    }

    fn fingerprint(self, place: &str) -> Result<String> {
        let fingerprint = match self {
            Self::MariaDb(_) => rows::MARIADB_FINGERPRINT,
            Self::Postgres(_) => rows::POSTGRES_FINGERPRINT,
        };
        self.execute(&format!("SELECT {fingerprint} FROM {place}.facts"))
    }
}

/// Databases and files of one measurement.
struct Stage<'a> {
    direction: Direction,
    /// Of the end that rows come from; the other one's for a file.
    source_server: Server<'a>,
    target_server: Server<'a>,
    source: String,
    target: String,
    limit: String,
    csv: PathBuf,
    out: PathBuf,
}

/// Measures one direction.
pub(crate) fn measure(bench: &Bench, on: On, direction: Direction) -> Result<Vec<Figure>> {
    let stage = Stage::set(bench, direction)?;
    let servers = Servers::start(bench, on, &stage.links())?;
    let client = servers.client();
    client.put(&definitions::single("w5", &stage.body()))?;
    let (mut values, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        limit.push(stage.limit()?);
        let time = stage.transfer(&client).with_context(|| servers.errors())?;
        values.push(limits::rate(rows::COUNT, time));
    }
    let way = direction.way();
    Ok(vec![Figure {
        workload: way.workload,
        on: on.name(),
        name: way.name,
        unit: "rows/s",
        values,
        limits: vec![Limit {
            name: way.limit,
            values: limit,
        }],
        first: way.first,
        last: way.last,
    }])
}

impl<'a> Stage<'a> {
    fn set(bench: &'a Bench, direction: Direction) -> Result<Self> {
        let name = |part: &str| format!("akkaflow_bench_{}_{part}", std::process::id());
        let server = |end: End| match end {
            End::Postgres => bench.postgres().map(Server::Postgres).map(Some),
            End::MariaDb => bench.mariadb().map(Server::MariaDb).map(Some),
            End::Csv => Ok(None),
        };
        let (from, into) = (server(direction.from)?, server(direction.into)?);
        let no_database = || anyhow::anyhow!("one of the ends is a database");
        let stage = Self {
            direction,
            source_server: from.or(into).ok_or_else(no_database)?,
            target_server: into.or(from).ok_or_else(no_database)?,
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
        for (server, place) in stage.places() {
            match server {
                Server::MariaDb(_) => bench.guard.database(place)?,
                Server::Postgres(_) => bench.guard.schema(place)?,
            }
            server.create(place)?;
        }
        stage.source_server.load(&stage.csv, &stage.source)?;
        Ok(stage)
    }

    fn places(&self) -> [(Server<'a>, &str); 3] {
        [
            (self.source_server, &self.source),
            (self.target_server, &self.target),
            (self.target_server, &self.limit),
        ]
    }

    fn links(&self) -> String {
        self.source_server.link("source", &self.source)
            + &self.target_server.link("target", &self.target)
    }

    fn body(&self) -> String {
        let source = match self.direction.from {
            End::Csv => format!(
                "<source type=\"FILE\" delimited=\",\">{}</source>",
                self.csv.display()
            ),
            _ => "<source type=\"DB\" db-link=\"source\">facts</source>".to_owned(),
        };
        let target = match self.direction.into {
            End::Csv => format!(
                "<target type=\"FILE\" path=\"{}\" delimited=\",\"/>",
                self.out.display()
            ),
            _ => "<target type=\"DB\" db-link=\"target\" table=\"facts\"/>".to_owned(),
        };
        format!("<transfer>{source}{target}</transfer>")
    }

    /// One run of the workload: its time, once what it wrote has been compared with what it read.
    fn transfer(&self, client: &Client) -> Result<Duration> {
        self.empty(&self.target)?;
        let requested_ms = moment::now_ms();
        let id = client.run("w5")?;
        let finished = client.wait(&id, 1, Duration::from_millis(50))?;
        if self.direction.into == End::Csv {
            ensure!(
                rows::fingerprint(&self.out)? == rows::fingerprint(&self.csv)?,
                "the file has other rows"
            );
        } else {
            ensure!(
                self.target_server.fingerprint(&self.target)?
                    == self.source_server.fingerprint(&self.source)?,
                "the table has other rows"
            );
        }
        Ok(Duration::from_secs_f64(
            (finished.ended_ms - requested_ms) / 1000.0,
        ))
    }

    /// Rows a second of the server's own client.
    fn limit(&self) -> Result<f64> {
        self.empty(&self.limit)?;
        let since = Instant::now();
        match (self.source_server, self.target_server) {
            (_, target) if self.direction.from == End::Csv => {
                target.load(&self.csv, &self.limit)?
            }
            (source, _) if self.direction.into == End::Csv => {
                source.unload(&self.source, &self.out)?
            }
            (Server::MariaDb(source), Server::Postgres(target)) => {
                let (from, into) = (&self.source, &self.limit);
                target.pipe_from(source, &format!("{from}.facts"), &format!("{into}.facts"))?;
            }
            (Server::MariaDb(server), _) => server.pipe(&self.source, "facts", &self.limit)?,
            (Server::Postgres(_), _) => anyhow::bail!("nothing to compare with"),
        }
        Ok(limits::rate(rows::COUNT, since.elapsed()))
    }

    fn empty(&self, place: &str) -> Result<()> {
        if self.out.exists() {
            std::fs::remove_file(&self.out)?;
        }
        self.target_server
            .execute(&format!("TRUNCATE TABLE {place}.facts"))
            .map(drop)
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        for (server, place) in self.places() {
            drop(server.drop_place(place));
        }
    }
}
