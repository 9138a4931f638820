//! A PostgreSQL server that is already there, through `psql` (whose speed is a limit to measure). Schemas of one database stand for
//! databases.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::mariadb::MariaDb;

/// Names the server; also read by the tests.
const VARIABLE: &str = "AKKAFLOW_TEST_POSTGRES_URL";

/// What to do when there is none.
pub(crate) const HOW_TO_GET_ONE: &str = "this needs PostgreSQL: run `./sbin/test --servers cargo xtask bench ...`, which starts a private one, \
     or set AKKAFLOW_TEST_POSTGRES_URL=postgres://USER:PASSWORD@127.0.0.1:PORT/DATABASE to one that may be used";

/// How to reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Postgres {
    user: String,
    password: String,
    host: String,
    port: String,
    database: String,
}

impl Postgres {
    /// The server that the environment names.
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        match std::env::var(VARIABLE) {
            Ok(url) if !url.is_empty() => parse(&url).map(Some),
            _ => Ok(None),
        }
    }

    /// One line of `db_links.xml`.
    pub(crate) fn link(&self, name: &str, schema: &str) -> String {
        let Self {
            user,
            password,
            host,
            port,
            database,
        } = self;
        format!(
            "<link name=\"{name}\" type=\"POSTGRESQL\" jdbc-url=\"jdbc:postgresql://{host}:{port}/{database}?currentSchema={schema}\" \
             username=\"{user}\" password=\"{password}\"/>\n"
        )
    }

    /// `psql` with everything it needs to connect; the password does not stand on its command line.
    fn psql(&self, command: &str) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-F", "\t"]);
        psql.args(["-h", &self.host, "-p", &self.port, "-U", &self.user]);
        psql.args(["-d", &self.database, "-c", command]);
        psql.env("PGPASSWORD", &self.password);
        psql
    }

    /// Runs statements, or one command of `psql`, and returns what they print, fields separated by tabs.
    pub(crate) fn execute(&self, command: &str) -> Result<String> {
        let output = self.psql(command).output().context("run psql")?;
        ensure!(
            output.status.success(),
            "psql refused: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Loads a CSV file into a table as `psql` does.
    pub(crate) fn copy_from(&self, file: &Path, table: &str) -> Result<()> {
        let file = file.display();
        self.execute(&format!("\\copy {table} from '{file}' with (format csv)"))
            .map(drop)
    }

    /// Writes the whole of a table into a CSV file as `psql` does.
    pub(crate) fn copy_into(&self, table: &str, file: &Path) -> Result<()> {
        let file = file.display();
        self.execute(&format!("\\copy {table} to '{file}' with (format csv)"))
            .map(drop)
    }

    /// Pipes a table of MariaDB into one of ours.
    pub(crate) fn pipe_from(&self, mariadb: &MariaDb, from: &str, into: &str) -> Result<()> {
        let mut select = mariadb
            .select(from)
            .stdout(Stdio::piped())
            .spawn()
            .context("run mariadb")?;
        let pipe = select.stdout.take().context("mariadb has an output")?;
        let copy = format!("copy {into} from stdin");
        let read = self.psql(&copy).stdin(pipe).status()?;
        ensure!(
            select.wait()?.success() && read.success(),
            "mariadb | psql failed"
        );
        Ok(())
    }

    /// Makes an empty schema.
    pub(crate) fn create_schema(&self, name: &str) -> Result<()> {
        self.execute(&format!("create schema {name}")).map(drop)
    }

    /// Drops a schema, if it is there.
    pub(crate) fn drop_schema(&self, name: &str) -> Result<()> {
        self.execute(&format!(
            "set client_min_messages = warning; drop schema if exists {name} cascade"
        ))
        .map(drop)
    }
}

fn parse(url: &str) -> Result<Postgres> {
    let parts = || {
        let (login, place) = url.strip_prefix("postgres://")?.split_once('@')?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (place, database) = place.split_once('/')?;
        let (host, port) = place.split_once(':').unwrap_or((place, "5432"));
        Some([user, password, host, port, database].map(str::to_owned))
    };
    let [user, password, host, port, database] = parts().with_context(|| {
        format!("{VARIABLE} must look like postgres://USER:PASSWORD@127.0.0.1:PORT/DATABASE")
    })?;
    Ok(Postgres {
        user,
        password,
        host,
        port,
        database,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_url_of_the_tests_is_understood() {
        let postgres = parse("postgres://postgres:test-only@127.0.0.1:20123/postgres").unwrap();
        let link = postgres.link("a", "x");
        assert!(
            link.contains("jdbc:postgresql://127.0.0.1:20123/postgres?currentSchema=x"),
            "{link}"
        );
        let error = parse("mysql://u:secret@h/").unwrap_err().to_string();
        assert!(error.contains("AKKAFLOW_TEST_POSTGRES_URL") && !error.contains("secret"));
    }
}
