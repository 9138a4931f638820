//! Measures `<transfer>` with 1,000,000 rows of 6 columns against the server's own statements and clients, in the same run:
//!
//! `ONLY=bc`, `ROWS` and `ROUNDS` choose; d (PostgreSQL, where its URL is given) and e (SQLite) stand beside the workloads of W5.
//!
//! ```text
//! AKKAFLOW_TEST_POSTGRES_URL=postgres://user:password@127.0.0.1:5432/postgres \
//! AKKAFLOW_TEST_MYSQL_URL=mysql://user:password@127.0.0.1:3306/ cargo run --release -p akkaflow-actions --example transfer_bench
//! ```
#![expect(clippy::print_stdout, reason = "a program for people")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use akkaflow_actions::{AttemptContext, LogSink, Meter, Registry};
use akkaflow_connectors::Pool;
use akkaflow_model::db_links::{DbKind, DbLink, Secret};
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::id::{AttemptKey, InstanceId};
use akkaflow_model::time::Timestamp;
use akkaflow_model::xml;
use mysql_async::prelude::Queryable;
use tokio_util::sync::CancellationToken;

const COLUMNS: &str = "(id int primary key, big bigint, name varchar(32), amount decimal(18,4), at datetime, note varchar(64))";

#[tokio::main]
async fn main() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .unwrap();
    let url = std::env::var("AKKAFLOW_TEST_MYSQL_URL").unwrap();
    let rows: u64 = std::env::var("ROWS").map_or(1_000_000, |rows| rows.parse().unwrap());
    let rounds: u32 = std::env::var("ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    let only = std::env::var("ONLY").unwrap_or_default();
    let directory = std::env::temp_dir().join(format!("akkaflow-transfer-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let bench = Bench {
        opts: mysql_async::Opts::from_url(&url).unwrap(),
        csv: directory.join("rows.csv").to_string_lossy().into_owned(),
        out: directory.join("out.csv").to_string_lossy().into_owned(),
        directory: directory.clone(),
    };
    write_csv(Path::new(&bench.csv), rows);
    bench
        .sql("drop database if exists akkaflow_bench; create database akkaflow_bench")
        .await;
    for round in 1..=rounds {
        println!("round {round}");
        bench.round(rows, &only).await;
        bench.others(rows, &only).await;
    }
    bench.sql("drop database akkaflow_bench").await;
    std::fs::remove_dir_all(directory).unwrap();
}

struct Bench {
    opts: mysql_async::Opts,
    csv: String,
    out: String,
    directory: std::path::PathBuf,
}

impl Bench {
    async fn round(&self, rows: u64, only: &str) {
        let wants = |name: &str| only.is_empty() || only.contains(name);
        let report = |name: &str, seconds: f64| {
            println!(
                "{name:<44} {seconds:>7.3} s {:>10.0} rows/s",
                rows as f64 / seconds
            );
        };
        let csv = &self.csv;
        let out = &self.out;
        self.sql("use akkaflow_bench; drop table if exists a; drop table if exists b")
            .await;
        self.fresh("a").await;
        if wants("a") {
            let load = format!(
                "load data local infile '{csv}' into table akkaflow_bench.a character set utf8mb4 fields terminated by ','"
            );
            report(
                "a LOAD DATA LOCAL of the mariadb client",
                self.client(&["--local-infile=1", "-e", &load]),
            );
            self.fresh("a").await;
        }
        let body = format!(
            r#"<transfer><source type="FILE" delimited=",">{csv}</source><target type="DB" db-link="m" table="a"/></transfer>"#
        );
        report("a transfer CSV to MariaDB", self.transfer(&body).await);
        if wants("b") {
            let seconds = self.client_to_file(
                &["--batch", "--quick", "-e", "select * from akkaflow_bench.a"],
                &format!("{out}.client"),
            );
            report("b mariadb --batch --quick", seconds);
            let body = format!(
                r#"<transfer><source type="DB" db-link="m">a</source><target type="FILE" delimited="," path="{out}"/></transfer>"#
            );
            report("b transfer MariaDB to CSV", self.transfer(&body).await);
            println!("{:<44} {}", "most memory until here", most_memory());
            assert!(
                std::fs::read(csv).unwrap() == std::fs::read(out).unwrap(),
                "what came back differs"
            );
        }
        if wants("c") {
            self.sql(&format!(
                "drop database if exists akkaflow_bench_copy; create database akkaflow_bench_copy; \
                 use akkaflow_bench_copy; create table a {COLUMNS}"
            ))
            .await;
            report("c mariadb-dump piped into mariadb", self.pipe());
            self.sql("drop database akkaflow_bench_copy").await;
            self.fresh("b").await;
            let body = r#"<transfer><source type="DB" db-link="m">a</source><target type="DB" db-link="m" table="b"/></transfer>"#;
            report("c transfer MariaDB to MariaDB", self.transfer(body).await);
            self.fresh("b").await;
            let body = r#"<transfer><source type="DB" db-link="m" split-by="id" task-num="2">a</source><target type="DB" db-link="m" table="b" task-num="2"/></transfer>"#;
            report(
                "c the same over 2 and 2 connections",
                self.transfer(body).await,
            );
        }
    }

    /// In and out of the databases that W5 leaves out.
    async fn others(&self, rows: u64, only: &str) {
        let report = |name: &str, seconds: f64| {
            println!(
                "{name:<44} {seconds:>7.3} s {:>10.0} rows/s",
                rows as f64 / seconds
            );
        };
        let body = |link: &str, name: &str, is_in: bool| match is_in {
            true => format!(
                r#"<transfer><source type="FILE" delimited=",">{}</source><target type="DB" db-link="{link}" table="{name}"/></transfer>"#,
                self.csv
            ),
            false => format!(
                r#"<transfer><source type="DB" db-link="{link}">{name}</source><target type="FILE" delimited="," path="{}"/></transfer>"#,
                self.out
            ),
        };
        let table = "akkaflow_bench";
        let make = format!("drop table if exists {table}; create table {table} {COLUMNS}")
            .replace("datetime", "timestamp");
        if let Some(url) = postgres_url().filter(|_| only.is_empty() || only.contains('d')) {
            self.psql(&url, &make);
            let copy = format!("\\copy {table} from '{}' with (format csv)", self.csv);
            report("d psql \\copy from CSV", self.psql(&url, &copy));
            self.psql(&url, &make);
            report(
                "d transfer CSV to PostgreSQL",
                self.transfer(&body("p", table, true)).await,
            );
            let copy = format!("\\copy {table} to '{}' with (format csv)", self.out);
            report("d psql \\copy to CSV", self.psql(&url, &copy));
            report(
                "d transfer PostgreSQL to CSV",
                self.transfer(&body("p", table, false)).await,
            );
            self.psql(&url, &format!("drop table {table}"));
        }
        if only.is_empty() || only.contains('e') {
            let sql = format!(r#"<sql db-link="s">{make}</sql>"#);
            self.transfer(&sql).await;
            report(
                "e transfer CSV to SQLite",
                self.transfer(&body("s", table, true)).await,
            );
            report(
                "e transfer SQLite to CSV",
                self.transfer(&body("s", table, false)).await,
            );
        }
    }

    async fn fresh(&self, table: &str) {
        self.sql(&format!(
            "use akkaflow_bench; drop table if exists {table}; create table {table} {COLUMNS}"
        ))
        .await;
    }

    async fn sql(&self, text: &str) {
        let mut connection = mysql_async::Conn::new(self.opts.clone()).await.unwrap();
        connection.query_drop(text).await.unwrap();
        connection.disconnect().await.unwrap();
    }

    async fn transfer(&self, body: &str) -> f64 {
        let document = xml::read(body.as_bytes());
        let mut diagnostics = Diagnostics::new();
        let action = Registry::builtin()
            .parse(document.root.as_ref().unwrap(), &mut diagnostics)
            .unwrap();
        let attempt = AttemptContext {
            key: AttemptKey {
                instance: InstanceId::from_u128(1),
                node: "bench".into(),
                run: 1,
                attempt: 1,
            },
            workflow: "bench".to_owned(),
            desc: String::new(),
            params: Vec::new(),
            fire_time: Timestamp::from_millis(0),
            directory: self.directory.clone(),
            base_directory: self.directory.clone(),
            links: self.links(),
            file_links: BTreeMap::new(),
            unusable_links: BTreeMap::new(),
            sessions: Pool::default(),
            log: LogSink::new(|_, _| {}),
            cancel: CancellationToken::new(),
            outputs: Vec::new(),
            meter: Meter::default(),
        };
        let start = Instant::now();
        action.run(&attempt).await.unwrap();
        start.elapsed().as_secs_f64()
    }

    fn links(&self) -> BTreeMap<String, DbLink> {
        let link = |name: &str, kind, jdbc_url, user: &str, password: &str| DbLink {
            name: name.to_owned(),
            kind,
            jdbc_url,
            username: user.to_owned(),
            password: Secret::new(password),
            desc: None,
            properties: Vec::new(),
        };
        let (host, port) = (self.opts.ip_or_hostname(), self.opts.tcp_port());
        let mysql = format!("jdbc:mysql://{host}:{port}/akkaflow_bench");
        let (user, password) = (self.opts.user(), self.opts.pass());
        let sqlite = format!("jdbc:sqlite:{}", self.directory.join("bench.db").display());
        let mut links = vec![
            link(
                "m",
                DbKind::Mysql,
                mysql,
                user.unwrap_or_default(),
                password.unwrap_or_default(),
            ),
            link("s", DbKind::Sqlite, sqlite, "", ""),
        ];
        if let Some(url) = postgres_url() {
            // Read by the same rules as the other: user, password, address.
            let url = mysql_async::Opts::from_url(&url.replacen("postgres", "mysql", 1)).unwrap();
            let jdbc = format!(
                "jdbc:postgresql://{}:{}/postgres",
                url.ip_or_hostname(),
                url.tcp_port()
            );
            let (user, password) = (url.user(), url.pass());
            links.push(link(
                "p",
                DbKind::Postgres,
                jdbc,
                user.unwrap_or_default(),
                password.unwrap_or_default(),
            ));
        }
        links
            .into_iter()
            .map(|link| (link.name.clone(), link))
            .collect()
    }

    fn psql(&self, url: &str, command: &str) -> f64 {
        let start = Instant::now();
        let mut psql = Command::new("psql");
        let status = psql.args(["-q", url, "-c", command]).status();
        assert!(status.unwrap().success());
        start.elapsed().as_secs_f64()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .arg("--no-defaults")
            .args(["-h", self.opts.ip_or_hostname()])
            .args(["-P", &self.opts.tcp_port().to_string()])
            .args(["-u", self.opts.user().unwrap_or_default()])
            .env("MYSQL_PWD", self.opts.pass().unwrap_or_default());
        command
    }

    fn client(&self, arguments: &[&str]) -> f64 {
        let start = Instant::now();
        assert!(
            self.command("mariadb")
                .args(arguments)
                .status()
                .unwrap()
                .success()
        );
        start.elapsed().as_secs_f64()
    }

    fn client_to_file(&self, arguments: &[&str], path: &str) -> f64 {
        let start = Instant::now();
        let file = std::fs::File::create(path).unwrap();
        let mut command = self.command("mariadb");
        assert!(
            command
                .args(arguments)
                .stdout(file)
                .status()
                .unwrap()
                .success()
        );
        start.elapsed().as_secs_f64()
    }

    fn pipe(&self) -> f64 {
        let start = Instant::now();
        let mut dump = self
            .command("mariadb-dump")
            .args([
                "--no-create-info",
                "--quick",
                "--skip-triggers",
                "akkaflow_bench",
                "a",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let status = self
            .command("mariadb")
            .arg("akkaflow_bench_copy")
            .stdin(dump.stdout.take().unwrap())
            .status()
            .unwrap();
        assert!(status.success() && dump.wait().unwrap().success());
        start.elapsed().as_secs_f64()
    }
}

fn postgres_url() -> Option<String> {
    std::env::var("AKKAFLOW_TEST_POSTGRES_URL").ok()
}

/// The largest resident size of this process, as Linux tells it.
fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
}

fn write_csv(path: &Path, rows: u64) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for row in 0..rows {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let big = (mixed >> 1) as i64;
        writeln!(
            file,
            "{row},{big},name-{:024x},{}.{:04},2026-{:02}-{:02} {:02}:{:02}:{:02},note {:059x}",
            mixed,
            mixed % 10_000_000_000,
            mixed % 10_000,
            mixed % 12 + 1,
            mixed % 28 + 1,
            mixed % 24,
            mixed % 60,
            row % 60,
            mixed,
        )
        .unwrap();
    }
    file.flush().unwrap();
}
