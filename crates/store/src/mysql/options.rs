//! How to reach a MySQL or MariaDB server.

use std::fmt;
use std::str::FromStr as _;

use akkaflow_model::text::Text;
use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;

use crate::error::Error;
use crate::place::Place;
use crate::sql::failure::cause;

/// Connections for queries when nothing else is said: pages and listings of some people at once.
const DEFAULT_CONNECTIONS: u32 = 8;

/// Statements that stay prepared on a connection.
const PREPARED: usize = 200;

/// Where the server is and how many connections may be used.
#[derive(Clone)]
pub struct MysqlOptions {
    /// Address, user, password, database, TLS.
    pub(crate) connect: Box<MySqlConnectOptions>,
    /// Most connections for queries. The active master needs two more.
    pub max_connections: u32,
    /// Lead even where the server may lose commits in a power cut. Acknowledged work can then be lost.
    pub allow_unsafe_durability: bool,
}

impl MysqlOptions {
    /// From `mysql://user:password@host:port/database?ssl-mode=VERIFY_CA&ssl-ca=/path`; a leading `jdbc:` is passed over.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] when the text is no such address or names no database.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let text = url.strip_prefix("jdbc:").unwrap_or(url);
        let connect = MySqlConnectOptions::from_str(text).map_err(|error| {
            // The address itself may hold a password: it is not repeated.
            Error::unsuitable_because(
                Text::new(
                    "元数据库的地址无法识别",
                    "the address of the metadata database cannot be read",
                ),
                how_to_write(),
                cause(error),
            )
        })?;
        Self::from_options(connect)
    }

    /// From its parts.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] when the database's name is empty.
    pub fn from_parts(
        host: &str,
        port: u16,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<Self, Error> {
        Self::from_options(
            MySqlConnectOptions::new()
                .host(host)
                .port(port)
                .username(user)
                .password(password)
                .database(database),
        )
    }

    /// The same with a password that was kept out of the address.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        *self.connect = self.connect.as_ref().clone().password(password);
        self
    }

    fn from_options(connect: MySqlConnectOptions) -> Result<Self, Error> {
        if connect.get_database().is_none_or(str::is_empty) {
            return Err(Error::unsuitable(
                Text::new(
                    "元数据库的地址中没有数据库名",
                    "the address of the metadata database names no database",
                ),
                how_to_write(),
            ));
        }
        Ok(Self {
            connect: Box::new(
                connect
                    .statement_cache_capacity(PREPARED)
                    .pipes_as_concat(false)
                    .no_engine_substitution(false)
                    .timezone(None)
                    .disable_statement_logging(),
            ),
            max_connections: DEFAULT_CONNECTIONS,
            allow_unsafe_durability: false,
        })
    }

    /// The database's name.
    pub(crate) fn database(&self) -> &str {
        self.connect.get_database().unwrap_or_default()
    }

    /// Which database, for people.
    pub(crate) fn place(&self) -> Place {
        Place::server(&self.server(), self.database())
    }

    /// The user's name.
    pub(crate) fn user(&self) -> &str {
        self.connect.get_username()
    }

    /// `host:port`, for people.
    pub(crate) fn server(&self) -> String {
        format!("{}:{}", self.connect.get_host(), self.connect.get_port())
    }
}

fn how_to_write() -> Text {
    let form = "mysql://user:password@host:3306/database";
    Text::new(format!("应写为{form}"), format!("write {form}"))
}

impl fmt::Debug for MysqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlOptions")
            .field("server", &self.server())
            .field("user", &self.connect.get_username())
            .field("password", &"***")
            .field("database", &self.database())
            .field("max_connections", &self.max_connections)
            .field("allow_unsafe_durability", &self.allow_unsafe_durability)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let options = MysqlOptions::from_url("jdbc:mysql://root:geheim@db:3307/akka").unwrap();
        let shown = format!("{options:?}");
        assert!(!shown.contains("geheim"), "{shown}");
        assert!(shown.contains("db:3307"), "{shown}");
    }

    #[test]
    fn an_address_without_a_database_is_refused_with_what_to_write() {
        for url in ["mysql://root@db", "nonsense", "mysql://root@db/"] {
            let message = MysqlOptions::from_url(url).unwrap_err().to_string();
            assert!(message.contains("write mysql://"), "{message}");
        }
    }
}
