//! A MariaDB server that is already there, through its own command line clients (whose speed is a limit to measure).

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Names the server; also read by the tests.
const VARIABLE: &str = "AKKAFLOW_TEST_MYSQL_URL";

/// What to do when there is none.
pub(crate) const HOW_TO_GET_ONE: &str = "this needs MariaDB: run `./sbin/test --servers cargo xtask bench ...`, which starts a private one, \
     or set AKKAFLOW_TEST_MYSQL_URL=mysql://USER:PASSWORD@127.0.0.1:PORT/ to a server that may be used";

/// How to reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MariaDb {
    user: String,
    password: String,
    host: String,
    port: String,
}

impl MariaDb {
    /// The server that the environment names.
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        match std::env::var(VARIABLE) {
            Ok(url) if !url.is_empty() => parse(&url).map(Some),
            _ => Ok(None),
        }
    }

    /// URL of a database as `--store` takes it.
    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "mysql://{}:{}@{}:{}/{database}",
            self.user, self.password, self.host, self.port
        )
    }

    /// One line of `db_links.xml`.
    pub(crate) fn link(&self, name: &str, database: &str) -> String {
        let Self {
            user,
            password,
            host,
            port,
        } = self;
        format!(
            "<link name=\"{name}\" type=\"MYSQL\" jdbc-url=\"jdbc:mysql://{host}:{port}/{database}\" \
             username=\"{user}\" password=\"{password}\"/>\n"
        )
    }

    /// A client program with everything it needs to connect; the password does not stand on its command line.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.args([
            "--no-defaults",
            "--protocol=tcp",
            "-h",
            &self.host,
            "-P",
            &self.port,
            "-u",
            &self.user,
        ]);
        command.env("MYSQL_PWD", &self.password);
        command
    }

    /// Runs statements and returns what they print, fields separated by tabs.
    pub(crate) fn execute(&self, statements: &str) -> Result<String> {
        let mut command = self.program("mariadb");
        let output = command
            .args(["--batch", "-N", "--local-infile=1", "-e", statements])
            .output()
            .context("run mariadb")?;
        if !output.status.success() {
            bail!(
                "mariadb refused: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// `mariadb --batch` that prints the whole of a table.
    pub(crate) fn select(&self, table: &str) -> Command {
        let mut command = self.program("mariadb");
        let statement = format!("SELECT * FROM {table}");
        command.args(["--batch", "--quick", "-N", "-e", &statement]);
        command
    }

    /// Writes the whole of a table into a file as `mariadb --batch` does.
    pub(crate) fn select_into(&self, table: &str, file: &Path) -> Result<()> {
        let status = self.select(table).stdout(File::create(file)?).status()?;
        ensure!(status.success(), "mariadb --batch failed");
        Ok(())
    }

    /// Pipes a dump of a table into another database.
    pub(crate) fn pipe(&self, from: &str, table: &str, into: &str) -> Result<()> {
        let mut dump = self.program("mariadb-dump");
        let mut dump = dump
            .args([from, table])
            .stdout(Stdio::piped())
            .spawn()
            .context("run mariadb-dump")?;
        let pipe = dump.stdout.take().context("the dump has an output")?;
        let read = self.program("mariadb").arg(into).stdin(pipe).status()?;
        ensure!(
            dump.wait()?.success() && read.success(),
            "mariadb-dump | mariadb failed"
        );
        Ok(())
    }

    /// Makes an empty database.
    pub(crate) fn create_database(&self, name: &str) -> Result<()> {
        self.execute(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"))
            .map(drop)
    }

    /// Drops a database, if it is there.
    pub(crate) fn drop_database(&self, name: &str) -> Result<()> {
        self.execute(&format!("DROP DATABASE IF EXISTS {name}"))
            .map(drop)
    }
}

fn parse(url: &str) -> Result<MariaDb> {
    let parts = || {
        let (login, place) = url.strip_prefix("mysql://")?.split_once('@')?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let place = place.split('/').next()?;
        let (host, port) = place.split_once(':').unwrap_or((place, "3306"));
        Some([user, password, host, port].map(str::to_owned))
    };
    let [user, password, host, port] = parts().with_context(|| {
        format!("{VARIABLE} must look like mysql://USER:PASSWORD@127.0.0.1:PORT/")
    })?;
    Ok(MariaDb {
        user,
        password,
        host,
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_url_of_the_tests_is_understood() {
        let mariadb = parse("mysql://akkaflow:test-only@127.0.0.1:20123/").unwrap();
        assert_eq!(
            mariadb.url("x"),
            "mysql://akkaflow:test-only@127.0.0.1:20123/x"
        );
        assert!(
            mariadb
                .link("a", "x")
                .contains("jdbc:mysql://127.0.0.1:20123/x")
        );
    }

    #[test]
    fn another_url_is_refused_without_showing_it() {
        let error = parse("postgres://u:secret@h/").unwrap_err().to_string();
        assert!(error.contains("AKKAFLOW_TEST_MYSQL_URL") && !error.contains("secret"));
    }
}
