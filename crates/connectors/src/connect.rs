//! From a db-link to a session.

use std::path::PathBuf;
use std::time::Duration;

use akkaflow_model::db_links::{DbKind, DbLink};
use akkaflow_model::text::Text;
use async_trait::async_trait;

use crate::dialect::Dialect;
use crate::error::Error;
use crate::jdbc::{self, JdbcUrl, UrlRules};
use crate::session::Session;
use crate::{mysql, pool, postgres, sqlite};

/// How long a database may take to let us in, unless its link says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What connecting needs beside the link.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where relative paths of SQLite files start.
    pub base_dir: PathBuf,
}

/// An open session and what the user should know about its link.
pub struct Connected {
    /// The session.
    pub session: Box<dyn Session>,
    /// Settings of the link that are not honoured.
    pub notes: Vec<Text>,
}

/// One product. A new one is a module with one of these and a line in [`connectors`].
#[async_trait]
pub(crate) trait Connector: Send + Sync {
    /// The type of the db-links that it serves.
    fn kind(&self) -> DbKind;

    /// What its URLs look like.
    fn url(&self) -> &'static UrlRules;

    /// How it spells things.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Opens a session. Need not watch the time.
    async fn open(&self, target: &Target<'_>) -> Result<Box<dyn Session>, Error>;
}

pub(crate) fn connectors() -> &'static [&'static dyn Connector] {
    &[&mysql::Mysql, &postgres::Postgres, &sqlite::Sqlite]
}

/// The types of db-links that we can connect to.
pub fn db_kinds() -> impl Iterator<Item = DbKind> {
    connectors().iter().map(|it| it.kind())
}

/// How each product that we speak to spells things.
pub fn dialects() -> impl Iterator<Item = &'static dyn Dialect> {
    connectors().iter().map(|it| it.dialect())
}

fn connector(kind: DbKind) -> Option<&'static dyn Connector> {
    connectors().iter().copied().find(|it| it.kind() == kind)
}

/// Where to connect to, and as whom.
pub(crate) struct Target<'a> {
    pub(crate) link: &'a DbLink,
    pub(crate) url: &'a JdbcUrl,
    pub(crate) options: &'a Options,
}

impl Target<'_> {
    /// The link's user, else the URL's.
    pub(crate) fn user(&self) -> &str {
        match self.link.username.as_str() {
            "" => self.url.option("user").unwrap_or_default(),
            user => user,
        }
    }

    /// The link's password, else the URL's.
    pub(crate) fn password(&self) -> &str {
        match self.link.password.reveal() {
            "" => self.url.option("password").unwrap_or_default(),
            password => password,
        }
    }

    /// Nobody answers.
    pub(crate) fn unreachable(&self, reason: &Text) -> Error {
        let (name, address) = (&self.link.name, self.url.address());
        Error::Unreachable(Text::new(
            format!(
                "数据库连接[{name}]无法连接到{address}：{}，请检查地址及数据库是否已启动",
                reason.zh
            ),
            format!(
                "db-link `{name}`: cannot reach {address}: {}; check the address and whether the database is up",
                reason.en
            ),
        ))
    }

    /// It answers, but says no. `hint` ends the advice.
    pub(crate) fn refused(&self, reason: &str, hint: &Text) -> Error {
        let (name, address, user) = (&self.link.name, self.url.address(), self.user());
        Error::Refused(Text::new(
            format!(
                "数据库连接[{name}]被{address}拒绝（用户{user}）：{reason}，请检查连接的用户名、密码及数据库名{}",
                hint.zh
            ),
            format!(
                "db-link `{name}`: {address} refuses user `{user}`: {reason}; check the link's user, password and database{}",
                hint.en
            ),
        ))
    }

    /// The link itself is wrong.
    pub(crate) fn misconfigured(&self, zh: &str, en: &str) -> Error {
        let name = &self.link.name;
        Error::Configuration(Text::new(
            format!("数据库连接[{name}]配置有误：{zh}"),
            format!("db-link `{name}`: {en}"),
        ))
    }
}

/// Opens a session on the database of `link`.
///
/// # Errors
/// [`Error::Configuration`] when the link cannot work, [`Error::Unreachable`] when nobody answers within ten seconds or the link's shorter limit,
/// [`Error::Refused`] when the database does not let us in.
pub async fn connect(link: &DbLink, options: &Options) -> Result<Connected, Error> {
    let place = place(link);
    let (connector, mut url) = read_url(link).map_err(|error| error.within(&place))?;
    let notes = std::mem::take(&mut url.notes)
        .into_iter()
        .map(|note| {
            Text::new(
                format!("{}：{}", place.zh, note.zh),
                format!("{}: {}", place.en, note.en),
            )
        })
        .collect();
    let target = Target {
        link,
        url: &url,
        options,
    };
    let limit = connect_timeout(&url);
    let session = tokio::time::timeout(limit, connector.open(&target))
        .await
        .map_err(|_| {
            let seconds = limit.as_secs_f64();
            target.unreachable(&Text::new(
                format!("{seconds}秒内没有应答"),
                format!("no answer within {seconds} s"),
            ))
        })??;
    Ok(Connected { session, notes })
}

/// Whether `link` is one of a database that we speak to and its URL is understood. Nothing is said of products that are only
/// known by name.
///
/// # Errors
/// [`Error::Configuration`] saying what is wrong with it.
pub fn check(link: &DbLink) -> Result<(), Error> {
    match connector(link.kind) {
        None => Ok(()),
        Some(_) => read_url(link)
            .map(drop)
            .map_err(|error| error.within(&place(link))),
    }
}

/// Whether we speak to the product of `link`.
///
/// # Errors
/// [`Error::Configuration`] naming those that we do.
pub fn check_supported(link: &DbLink) -> Result<(), Error> {
    let known = connector(link.kind).map(drop);
    known.ok_or_else(|| jdbc::unsupported(link.kind.as_str()).within(&place(link)))
}

fn place(link: &DbLink) -> Text {
    Text::new(
        format!("数据库连接[{}]", link.name),
        format!("db-link `{}`", link.name),
    )
}

fn read_url(link: &DbLink) -> Result<(&'static dyn Connector, JdbcUrl), Error> {
    let kind = link.kind.as_str();
    let connector = connector(link.kind).ok_or_else(|| jdbc::unsupported(kind))?;
    let url = JdbcUrl::parse(&link.jdbc_url)?;
    if url.kind != link.kind {
        return Err(Error::Configuration(Text::new(
            format!("type为{kind}，但jdbc地址属于另一种数据库"),
            format!("its type is {kind}, but its JDBC URL is of another product"),
        )));
    }
    pool::check(link).map_err(Error::Configuration)?;
    Ok((connector, url.with_properties(&link.properties)))
}

/// The link's own limit, if it sets a shorter one.
fn connect_timeout(url: &JdbcUrl) -> Duration {
    let limit = url
        .option("connecttimeout")
        .and_then(|limit| limit.parse().ok())
        .filter(|limit| *limit > 0)
        .map(|limit: u32| url.rules.timeout_unit * limit);
    limit.unwrap_or(CONNECT_TIMEOUT).min(CONNECT_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_connectors_serve_the_same() {
        let mut seen = BTreeSet::new();
        for connector in connectors() {
            let names = connector.url().names.iter().copied();
            for name in names.chain([connector.kind().as_str()]) {
                assert!(seen.insert(name), "{name}");
            }
            let url = JdbcUrl::parse(connector.url().example).unwrap();
            assert_eq!(url.kind, connector.kind());
        }
    }
}
