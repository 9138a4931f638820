//! JDBC URLs, as akkaflow users write them. The address and the few options that mean something to us are understood; of the
//! rest those that would change nothing are passed over in silence, and all others are noted.

#[cfg(test)]
mod tests;

use std::time::Duration;

use akkaflow_model::db_links::{DbKind, DbLink};
use akkaflow_model::links::bare_url;
use akkaflow_model::text::Text;

use crate::connect::{connectors, dialects};
use crate::dialect::Dialect;
use crate::error::Error;

/// What a JDBC URL says.
#[derive(Clone)]
pub(crate) struct JdbcUrl {
    /// Which product's.
    pub(crate) kind: DbKind,
    pub(crate) rules: &'static UrlRules,
    /// The host; empty for a file.
    pub(crate) host: String,
    /// The port, the product's usual one if none is given; 0 for a file.
    pub(crate) port: u16,
    /// The database, or the file. Empty when none is named.
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
            .field("kind", &self.kind)
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

/// What the URLs of a product look like.
pub(crate) struct UrlRules {
    /// What stands behind `jdbc:`, in lower case.
    pub(crate) names: &'static [&'static str],
    /// A URL to show.
    pub(crate) example: &'static str,
    /// The usual port; `None` where the URL names a file.
    pub(crate) port: Option<u16>,
    /// Options that mean something to us, in lower case.
    pub(crate) options: &'static [&'static str],
    /// What `connectTimeout` counts.
    pub(crate) timeout_unit: Duration,
}

/// Products that akkaflow users know, as people write them, by what stands behind `jdbc:` and by their type.
const UNSUPPORTED: [(&str, &str); 4] = [
    ("oracle", "Oracle"),
    ("hive", "Hive"),
    ("hive2", "Hive"),
    ("impala", "Impala"),
];

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
        let name = product.to_ascii_lowercase();
        let connector = connectors()
            .iter()
            .find(|it| it.url().names.contains(&name.as_str()))
            .ok_or_else(|| unsupported(product))?;
        let (kind, rules) = (connector.kind(), connector.url());
        match rules.port {
            Some(port) => server(url, rest, (kind, rules), port),
            None => file(url, rest, (kind, rules)),
        }
    }

    /// Takes over the properties of a link, as a JDBC driver does: what the URL says itself goes before them.
    pub(crate) fn with_properties(mut self, properties: &[(String, String)]) -> Self {
        let honoured = self.rules.options;
        for (name, value) in properties {
            let lower = name.trim().to_ascii_lowercase();
            if honoured.contains(&lower.as_str()) {
                self.options.insert(0, (lower, value.clone()));
            } else if !HARMLESS.contains(&lower.as_str())
                && !DbLink::LIMITS.contains(&lower.as_str())
            {
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
        match self.rules.port {
            None => self.database.clone(),
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

/// A product that this version does not speak to: what stands behind `jdbc:`, or its type.
pub(crate) fn unsupported(product: &str) -> Error {
    let known = UNSUPPORTED
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(product));
    let product = known.map_or(product, |(_, name)| name);
    let names: Vec<&str> = dialects().map(Dialect::name).collect();
    Error::Configuration(Text::new(
        format!("当前版本不支持{product}数据库，支持{}", names.join("、")),
        format!(
            "{product} is not supported by this version; {} are",
            listed(&names, ", ", " and ")
        ),
    ))
}

/// `a, b and c`.
fn listed(all: &[&str], between: &str, last: &str) -> String {
    match all {
        [rest @ .., end] if !rest.is_empty() => format!("{}{last}{end}", rest.join(between)),
        _ => all.concat(),
    }
}

fn malformed(url: &str) -> Error {
    let shown = bare_url(url);
    let examples: Vec<&str> = connectors().iter().map(|it| it.url().example).collect();
    Error::Configuration(Text::new(
        format!(
            "jdbc地址`{shown}`格式有误，应形如{}",
            listed(&examples, "、", "或")
        ),
        format!(
            "cannot read the JDBC URL `{shown}`; write {}",
            listed(&examples, ", ", " or ")
        ),
    ))
}

type Product = (DbKind, &'static UrlRules);

fn server(
    url: &str,
    rest: &str,
    (kind, rules): Product,
    default_port: u16,
) -> Result<JdbcUrl, Error> {
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
        read_options(options, rules.options, &mut notes).ok_or_else(|| malformed(url))?;
    if !credentials.is_empty() {
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let decoded = |text| decode(text).ok_or_else(|| malformed(url));
        options.push(("user".to_owned(), decoded(user)?));
        options.push(("password".to_owned(), decoded(password)?));
    }
    Ok(JdbcUrl {
        kind,
        rules,
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

fn file(url: &str, rest: &str, (kind, rules): Product) -> Result<JdbcUrl, Error> {
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("file:").unwrap_or(path);
    if path.trim().is_empty() {
        return Err(malformed(url));
    }
    let mut notes = Vec::new();
    let options = read_options(options, rules.options, &mut notes).ok_or_else(|| malformed(url))?;
    Ok(JdbcUrl {
        kind,
        rules,
        host: String::new(),
        port: 0,
        database: path.to_owned(),
        options,
        notes,
    })
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
