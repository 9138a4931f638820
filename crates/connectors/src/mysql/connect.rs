//! Connecting.

use akkaflow_model::db_links::anonymous_user_hint;
use akkaflow_model::text::Text;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, SslOpts};

use super::server_code;
use crate::connect::Target;
use crate::error::Error;
use crate::jdbc::JdbcUrl;

/// The server takes nothing but TLS.
const INSECURE_TRANSPORT: u16 = 3159;

/// The server answers, but has no room; all other refusals are about who we are.
const NO_ROOM: [u16; 3] = [1040, 1203, 1226];

pub(super) async fn open(target: &Target<'_>) -> Result<(Conn, Opts), Error> {
    let url = target.url;
    let builder = OptsBuilder::default()
        .ip_or_hostname(url.host.clone())
        .tcp_port(url.port)
        .user(Some(target.user()))
        .pass(Some(target.password()))
        .db_name(Some(url.database.as_str()).filter(|name| !name.is_empty()))
        .prefer_socket(false)
        .stmt_cache_size(0)
        .setup(session_variables(url));
    let mut opts: Opts = builder.clone().ssl_opts(ssl(url)).into();
    let mut result = Conn::new(opts.clone()).await;
    if let Err(error) = &result
        && server_code(error) == Some(INSECURE_TRANSPORT)
        && opts.ssl_opts().is_none()
    {
        opts = builder.ssl_opts(Some(unverified())).into();
        result = Conn::new(opts.clone()).await;
    }
    let mut connection = result.map_err(|error| explain(target, &error))?;
    connection
        .query_drop("set names utf8mb4")
        .await
        .map_err(|error| explain(target, &error))?;
    Ok((connection, opts))
}

fn session_variables(url: &JdbcUrl) -> Vec<String> {
    url.option("sessionvariables")
        .filter(|variables| !variables.trim().is_empty())
        .map(|variables| vec![format!("set session {variables}")])
        .unwrap_or_default()
}

/// Without a word of the link there is no TLS unless the server insists.
fn ssl(url: &JdbcUrl) -> Option<SslOpts> {
    let mode = url
        .option("sslmode")
        .unwrap_or_default()
        .to_ascii_lowercase();
    match mode.as_str() {
        "required" | "trust" => return Some(unverified()),
        "verify_ca" | "verify-ca" => {
            return Some(SslOpts::default().with_danger_skip_domain_validation(true));
        }
        "verify_identity" | "verify-full" => return Some(SslOpts::default()),
        "disabled" | "disable" => return None,
        _ => {}
    }
    if url.is_on("verifyservercertificate") {
        return Some(SslOpts::default().with_danger_skip_domain_validation(true));
    }
    (url.is_on("usessl") || url.is_on("requiressl")).then(unverified)
}

fn unverified() -> SslOpts {
    SslOpts::default()
        .with_danger_accept_invalid_certs(true)
        .with_danger_skip_domain_validation(true)
}

fn explain(target: &Target<'_>, error: &mysql_async::Error) -> Error {
    match error {
        mysql_async::Error::Server(error) if NO_ROOM.contains(&error.code) => {
            target.unreachable(&Text::verbatim(&error.message))
        }
        mysql_async::Error::Server(error) => {
            let words = format!("{} {}", error.code, error.message);
            target.refused(&words, &anonymous_user_hint(&words))
        }
        mysql_async::Error::Io(error) => target.unreachable(&Text::verbatim(error.to_string())),
        other => target.unreachable(&Text::verbatim(other.to_string())),
    }
}
