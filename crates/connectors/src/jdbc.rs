//! JDBC URLs, as akkaflow users write them. The address and the few options that mean something to us are understood; of the
//! rest those that would change nothing are passed over in silence, and all others are noted.

#[cfg(test)]
mod tests;

use akkaflow_model::db_links::DbLink;
use akkaflow_model::links::bare_url;
use akkaflow_model::text::Text;

use crate::error::Error;
use crate::session::Dialect;

/// What a JDBC URL says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct JdbcUrl {
    /// Which product's.
    pub(crate) dialect: Dialect,
    /// The host; empty for SQLite.
    pub(crate) host: String,
    /// The port, the product's usual one if none is given; 0 for SQLite.
    pub(crate) port: u16,
    /// The database, or SQLite's file. Empty when none is named.
    pub(crate) database: String,
    /// The options that mean something to us, names in lower case.
    pub(crate) options: Vec<(String, String)>,
    /// What is not honoured, in words for the instance's log.
    pub(crate) notes: Vec<Text>,
}

impl std::fmt::Debug for JdbcUrl {
    /// Leaves the options out: they may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JdbcUrl")
            .field("dialect", &self.dialect)
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// Options that mean something to us.
const HONOURED_MYSQL: &[&str] = &[
    "user",
    "password",
    "usessl",
    "requiressl",
    "verifyservercertificate",
    "sslmode",
    "connecttimeout",
    "sessionvariables",
];
const HONOURED_POSTGRES: &[&str] = &[
    "user",
    "password",
    "ssl",
    "sslmode",
    "sslrootcert",
    "currentschema",
    "applicationname",
    "connecttimeout",
];
const HONOURED_SQLITE: &[&str] = &["busy_timeout"];

/// Options of the JDBC drivers that only say what we do anyway, or what has no meaning here.
const HARMLESS: &[&str] = &[
    "useunicode",
    "characterencoding",
    "charset",
    "servertimezone",
    "connectiontimezone",
    "uselegacydatetimecode",
    "usejdbccomplianttimezoneshift",
    "zerodatetimebehavior",
    "autoreconnect",
    "autoreconnectforpools",
    "failoverreadonly",
    "maxreconnects",
    "initialtimeout",
    "useserverprepstmts",
    "cacheprepstmts",
    "prepstmtcachesize",
    "prepstmtcachesqllimit",
    "rewritebatchedstatements",
    "rewritebatchedinserts",
    "rewritebatchedinsert",
    "usecursorfetch",
    "defaultfetchsize",
    "defaultrowfetchsize",
    "allowmultiqueries",
    "tinyint1isbit",
    "yearisdatetype",
    "useoldaliasmetadatabehavior",
    "useaffectedrows",
    "useinformationschema",
    "nullcatalogmeanscurrent",
    "allowpublickeyretrieval",
    "noaccesstoprocedurebodies",
    "remarks",
    "sockettimeout",
    "tcpkeepalive",
    "logintimeout",
    "stringtype",
    "preparethreshold",
    "binarytransfer",
    "journal_mode",
    "synchronous",
    "date_class",
    "date_string_format",
];

impl JdbcUrl {
    /// Reads `url`.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a product that is not supported or a URL that cannot be read. The options, which may hold a
    /// password, are not shown.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let url = url.trim();
        let rest = url
            .get(..5)
            .filter(|scheme| scheme.eq_ignore_ascii_case("jdbc:"))
            .and_then(|_| url.get(5..))
            .ok_or_else(|| malformed(url))?;
        let (product, rest) = rest.split_once(':').ok_or_else(|| malformed(url))?;
        match product.to_ascii_lowercase().as_str() {
            "mysql" | "mariadb" => server(url, rest, Dialect::Mysql, 3306),
            "postgresql" => server(url, rest, Dialect::Postgres, 5432),
            "sqlite" => sqlite(url, rest),
            "oracle" => Err(unsupported("Oracle")),
            "hive" | "hive2" => Err(unsupported("Hive")),
            "impala" => Err(unsupported("Impala")),
            _ => Err(unsupported(product)),
        }
    }

    /// Takes over the properties of a link, as a JDBC driver does: what the URL says itself goes before them.
    pub(crate) fn with_properties(mut self, properties: &[(String, String)]) -> Self {
        let honoured = honoured(self.dialect);
        for (name, value) in properties {
            let lower = name.trim().to_ascii_lowercase();
            if honoured.contains(&lower.as_str()) {
                self.options.insert(0, (lower, value.clone()));
            } else if !HARMLESS.contains(&lower.as_str()) && lower != DbLink::MAX_ATTEMPTS {
                self.notes.push(Text::new(
                    format!("属性{name}被忽略"),
                    format!("the property {name} is ignored"),
                ));
            }
        }
        self
    }

    /// `host:port` for messages, or the file.
    pub(crate) fn address(&self) -> String {
        match self.dialect {
            Dialect::Sqlite => self.database.clone(),
            _ if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.option(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true") || value.is_empty())
    }
}

/// A product that this version does not speak to.
pub(crate) fn unsupported(product: &str) -> Error {
    Error::Configuration(Text::new(
        format!("当前版本不支持{product}数据库，支持MySQL/MariaDB、PostgreSQL、SQLite"),
        format!(
            "{product} is not supported by this version; MySQL/MariaDB, PostgreSQL and SQLite are"
        ),
    ))
}

fn malformed(url: &str) -> Error {
    let shown = bare_url(url);
    Error::Configuration(Text::new(
        format!(
            "jdbc地址`{shown}`格式有误，应形如jdbc:mysql://host:3306/db、jdbc:postgresql://host:5432/db或jdbc:sqlite:/path/file.db"
        ),
        format!(
            "cannot read the JDBC URL `{shown}`; write jdbc:mysql://host:3306/db, jdbc:postgresql://host:5432/db or jdbc:sqlite:/path/file.db"
        ),
    ))
}

fn server(url: &str, rest: &str, dialect: Dialect, default_port: u16) -> Result<JdbcUrl, Error> {
    let mut notes = Vec::new();
    // `jdbc:mysql:loadbalance://a,b/db` and its kin.
    let (mode, rest) = rest.split_once("//").ok_or_else(|| malformed(url))?;
    if !mode.is_empty() && !mode.ends_with(':') {
        return Err(malformed(url));
    }
    let (address, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = address.split_once('/').unwrap_or((address, ""));
    let (credentials, hosts) = match hosts.rsplit_once('@') {
        Some((credentials, hosts)) => (credentials, hosts),
        None => ("", hosts),
    };
    let first = hosts.split(',').next().unwrap_or_default();
    if first != hosts || !mode.is_empty() {
        notes.push(Text::new(
            format!("jdbc地址中只使用第一个主机{first}"),
            format!("of the hosts of the JDBC URL only the first, {first}, is used"),
        ));
    }
    let (host, port) = host_and_port(first, default_port).ok_or_else(|| malformed(url))?;
    let database = decode(database).ok_or_else(|| malformed(url))?;
    if database.contains('/') {
        return Err(malformed(url));
    }
    let mut options =
        read_options(options, honoured(dialect), &mut notes).ok_or_else(|| malformed(url))?;
    if !credentials.is_empty() {
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let decoded = |text| decode(text).ok_or_else(|| malformed(url));
        options.push(("user".to_owned(), decoded(user)?));
        options.push(("password".to_owned(), decoded(password)?));
    }
    Ok(JdbcUrl {
        dialect,
        host,
        port,
        database,
        options,
        notes,
    })
}

fn host_and_port(text: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        None | Some("") => default_port,
        Some(port) => port.parse().ok().filter(|port| *port != 0)?,
    };
    let host = if host.is_empty() { "localhost" } else { host };
    let is_plain = host
        .chars()
        .all(|c| c.is_alphanumeric() || "-._:%".contains(c));
    is_plain.then(|| (host.to_owned(), port))
}

fn sqlite(url: &str, rest: &str) -> Result<JdbcUrl, Error> {
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("file:").unwrap_or(path);
    if path.trim().is_empty() {
        return Err(malformed(url));
    }
    let mut notes = Vec::new();
    let options =
        read_options(options, HONOURED_SQLITE, &mut notes).ok_or_else(|| malformed(url))?;
    Ok(JdbcUrl {
        dialect: Dialect::Sqlite,
        host: String::new(),
        port: 0,
        database: path.to_owned(),
        options,
        notes,
    })
}

fn honoured(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Mysql => HONOURED_MYSQL,
        Dialect::Postgres => HONOURED_POSTGRES,
        Dialect::Sqlite => HONOURED_SQLITE,
    }
}

fn read_options(
    text: &str,
    honoured: &[&str],
    notes: &mut Vec<Text>,
) -> Option<Vec<(String, String)>> {
    let mut options = Vec::new();
    // In an XML file that was written twice escaped the `&` arrives as `&amp;`.
    for option in text.replace("&amp;", "&").split('&') {
        if option.is_empty() {
            continue;
        }
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let lower = name.trim().to_ascii_lowercase();
        if honoured.contains(&lower.as_str()) {
            options.push((lower, decode(value)?));
        } else if !HARMLESS.contains(&lower.as_str()) {
            notes.push(Text::new(
                format!("jdbc地址中的参数{name}被忽略"),
                format!("the option {name} of the JDBC URL is ignored"),
            ));
        }
    }
    Some(options)
}

/// Resolves `%xx`.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
