//! Connecting.

use akkaflow_model::text::Text;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::connect::Target;
use crate::error::Error;
use crate::jdbc::JdbcUrl;

/// The server answers, but cannot take us now: too many connections, starting up, shutting down.
const NO_ROOM: [&str; 4] = ["53300", "57P01", "57P02", "57P03"];

pub(super) async fn open(target: &Target<'_>) -> Result<(PgConnection, PgConnectOptions), Error> {
    let options = options(target)?;
    let mut connection = options
        .connect()
        .await
        .map_err(|error| explain(target, &error))?;
    for setting in settings(target.url) {
        sqlx::raw_sql(AssertSqlSafe(setting))
            .execute(&mut connection)
            .await
            .map_err(|error| explain(target, &error))?;
    }
    Ok((connection, options))
}

fn options(target: &Target<'_>) -> Result<PgConnectOptions, Error> {
    let url = target.url;
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&url.host)
        .port(url.port)
        .username(target.user())
        .application_name(url.option("applicationname").unwrap_or("akkaflow"))
        .statement_cache_capacity(0)
        .ssl_mode(ssl_mode(target)?);
    options = match url.database.as_str() {
        "" => options.database(target.user()),
        database => options.database(database),
    };
    if !target.password().is_empty() {
        options = options.password(target.password());
    }
    if let Some(path) = url.option("sslrootcert") {
        options = options.ssl_root_cert(path);
    }
    Ok(options.disable_statement_logging())
}

fn ssl_mode(target: &Target<'_>) -> Result<PgSslMode, Error> {
    let url = target.url;
    match url.option("sslmode") {
        Some(mode) => mode.to_ascii_lowercase().parse().map_err(|_| {
            target.misconfigured(
                &format!("sslmode=`{mode}`无法识别"),
                &format!("sslmode `{mode}` is unknown"),
            )
        }),
        None if url.is_on("ssl") => Ok(PgSslMode::VerifyFull),
        None => Ok(PgSslMode::Prefer),
    }
}

/// Spellings that we rely on; and times in this machine's zone, as the JDBC driver has it.
fn settings(url: &JdbcUrl) -> Vec<String> {
    let mut settings = vec![
        "set datestyle to 'ISO, YMD'; set intervalstyle to postgres; set bytea_output to hex"
            .to_owned(),
    ];
    if let Ok(zone) = iana_time_zone::get_timezone() {
        settings.push(format!("set timezone to '{}'", zone.replace('\'', "''")));
    }
    if let Some(schema) = url.option("currentschema") {
        let path: Vec<String> = schema
            .split(',')
            .map(|name| format!("\"{}\"", name.trim().replace('"', "\"\"")))
            .collect();
        settings.push(format!("set search_path to {}", path.join(", ")));
    }
    settings
}

fn explain(target: &Target<'_>, error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(database) => {
            let words = super::words(database.as_ref());
            match database.code() {
                Some(code) if NO_ROOM.contains(&code.as_ref()) => {
                    target.unreachable(&Text::verbatim(words))
                }
                _ => target.refused(&words, &Text::verbatim("")),
            }
        }
        sqlx::Error::Io(error) => target.unreachable(&Text::verbatim(error.to_string())),
        other => target.unreachable(&Text::verbatim(other.to_string())),
    }
}
