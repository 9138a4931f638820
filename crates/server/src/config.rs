//! One TOML file, then the environment, then flags. The embedded default file says which keys exist, what they mean and
//! of which type they are; it is the file that people copy.

use std::path::{Path, PathBuf};
use std::time::Duration;

use akkaflow_alert::smtp::Security;
use akkaflow_model::text::Lang;
use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

/// Every key with its default and its meaning.
pub const DEFAULT: &str = include_str!("default.toml");

/// What a process is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// The file that it was read from; empty for none.
    #[serde(skip)]
    pub file: PathBuf,
    /// Where the process keeps what must survive it.
    pub data_dir: PathBuf,
    /// `sqlite`, or a `mysql://` URL with its password.
    pub store: Secret,
    /// The file of the key of the links in the store; empty for one beside the db-links.
    pub key_file: PathBuf,
    /// Whether a database that may lose commits is accepted.
    pub allow_unsafe_durability: bool,
    /// Zone of the cluster; empty for the system's.
    pub time_zone: String,
    /// Filter of the log.
    pub log: String,
    /// The master.
    pub master: Master,
    /// What the master tells people.
    pub mail: Mail,
    /// The worker.
    pub worker: Worker,
    /// The http-server.
    pub http: Http,
}

/// Keys of `[master]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Master {
    /// Address to serve gRPC on.
    pub listen: String,
    /// Watched directory.
    pub workflows: PathBuf,
    /// The db-links, relative to the data directory.
    pub links: PathBuf,
    /// Patience with a worker out of reach.
    #[serde(deserialize_with = "duration")]
    pub lost_after: Duration,
    /// Days for which ended instances are kept; 0 for ever.
    pub keep_days: u32,
    /// Newest instances of a workflow that are kept whatever their age.
    pub keep_instances: u32,
    /// Days for which the journal is kept; 0 for ever.
    pub keep_journal_days: u32,
}

/// Keys of `[mail]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mail {
    /// Name of the mail server; empty keeps mails unsent.
    pub host: String,
    /// Its port; 0 is the usual one.
    pub port: u16,
    /// How the way there is kept from others.
    #[serde(deserialize_with = "security")]
    pub security: Security,
    /// Empty: without logging in.
    pub username: String,
    /// Of that user.
    pub password: Secret,
    /// The sender; empty for the user name.
    pub from: String,
    /// A further certificate authority, in PEM; empty for none.
    pub ca_file: PathBuf,
    /// For a connection, and for each mail.
    #[serde(deserialize_with = "duration")]
    pub time_limit: Duration,
    /// In which language mails are.
    pub language: Lang,
    /// Failed retries of a node before people are told.
    pub node_retry_fail_times: u32,
}

/// Keys of `[worker]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Worker {
    /// Endpoints of all masters.
    pub masters: Vec<String>,
    /// Attempts at once; 0 chooses by the machine.
    pub slots: u32,
    /// Name of the host; empty for the machine's.
    pub host: String,
    /// What `worker-labels` is compared with.
    pub labels: Vec<String>,
    /// From SIGTERM to SIGKILL.
    #[serde(deserialize_with = "duration")]
    pub kill_grace: Duration,
    /// Output kept of one attempt, bytes.
    pub log_quota: u64,
}

/// Keys of `[http]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Http {
    /// Address to serve HTTP on.
    pub listen: String,
}

/// A text that may hold a password: never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Where a value came from that overrides the file.
pub struct Override {
    /// `master.listen`.
    pub key: &'static str,
    /// The value as written.
    pub value: String,
}

/// Reads the configuration of a process.
///
/// # Errors
/// A file that cannot be read or parsed, a key that does not exist (with the nearest one that does), a value of the
/// wrong type: each names the file, variable or flag.
pub fn load(
    file: Option<&Path>,
    environment: impl Fn(&str) -> Option<String>,
    flags: Vec<Override>,
    role_defaults: Vec<Override>,
) -> Result<Config> {
    let mut table: Table = DEFAULT.parse().expect("the default file is tested");
    let keys = known_keys(&table);
    for Override { key, value } in role_defaults {
        put(&mut table, key, &value).with_context(|| format!("default of `{key}`"))?;
    }
    if let Some(file) = file {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!(
                "cannot read the configuration file {} / 无法读取配置文件",
                file.display()
            )
        })?;
        let given: Table = text
            .parse()
            .with_context(|| format!("{} is not valid TOML", file.display()))?;
        merge(&mut table, given, "", &keys).with_context(|| format!("in {}", file.display()))?;
    }
    for key in &keys {
        let variable = variable_of(key);
        if let Some(value) = environment(&variable) {
            put(&mut table, key, &value)
                .with_context(|| format!("environment variable {variable}"))?;
        }
    }
    for Override { key, value } in flags {
        put(&mut table, key, &value).with_context(|| format!("the flag for `{key}`"))?;
    }
    let file = file.map(Path::to_owned).unwrap_or_default();
    let config = Value::Table(table).try_into::<Config>()?;
    Ok(Config { file, ..config })
}

/// The directory that is watched when nobody names one.
pub fn default_workflows() -> PathBuf {
    let table: Table = DEFAULT.parse().expect("the default file is tested");
    let value = table["master"]["workflows"].as_str();
    PathBuf::from(value.expect("the default file is tested"))
}

/// The environment variable of a key: `master.lost-after` is `AKKAFLOW_MASTER_LOST_AFTER`.
pub fn variable_of(key: &str) -> String {
    format!(
        "AKKAFLOW_{}",
        key.replace(['.', '-'], "_").to_ascii_uppercase()
    )
}

/// Variables that begin like ours but mean something to the scripts, the tests or the `akka` command, not to a server.
const OTHER_VARIABLES: [&str; 18] = [
    "AKKAFLOW_BIN",
    "AKKAFLOW_CONFIG",
    "AKKAFLOW_DATA",
    "AKKAFLOW_LANG",
    "AKKAFLOW_LINKS",
    "AKKAFLOW_QUICKSTART_PORT",
    "AKKAFLOW_SEED",
    "AKKAFLOW_SERVER",
    "AKKAFLOW_KEEP",
    // What a script is told of itself: it may start a server.
    "AKKAFLOW_ATTEMPT",
    "AKKAFLOW_EPOCH",
    "AKKAFLOW_FIRE_TIME",
    "AKKAFLOW_INSTANCE",
    "AKKAFLOW_NODE",
    "AKKAFLOW_OUTPUT",
    "AKKAFLOW_WORKER_DATA",
    "AKKAFLOW_WORKFLOW",
    "AKKAFLOW_WORKFLOWS",
];
/// So begin those of tests, proofs, and of actions that start a server.
const OTHER_PREFIXES: [&str; 5] = [
    "AKKAFLOW_BENCH_",
    "AKKAFLOW_FUZZ_",
    "AKKAFLOW_PARAM_",
    "AKKAFLOW_SIM_",
    "AKKAFLOW_TEST_",
];

/// Of the names of environment variables those that look like ours but mean nothing, each with the nearest one that does.
pub fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<(String, Option<String>)> {
    let table: Table = DEFAULT.parse().expect("the default file is tested");
    let known: Vec<String> = known_keys(&table)
        .iter()
        .map(|key| variable_of(key))
        .collect();
    let is_unknown = |name: &String| {
        name.starts_with("AKKAFLOW_")
            && !known.contains(name)
            && !OTHER_VARIABLES.contains(&name.as_str())
            && !OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    names
        .filter(is_unknown)
        .map(|name| {
            let nearest = akkaflow_model::suggest::closest(&name, known.iter().map(String::as_str));
            let nearest = nearest.map(ToOwned::to_owned);
            (name, nearest)
        })
        .collect()
}

fn known_keys(table: &Table) -> Vec<String> {
    table
        .iter()
        .flat_map(|(name, value)| match value {
            Value::Table(inner) => known_keys(inner)
                .into_iter()
                .map(|key| format!("{name}.{key}"))
                .collect(),
            _ => vec![name.clone()],
        })
        .collect()
}

fn merge(into: &mut Table, given: Table, prefix: &str, keys: &[String]) -> Result<()> {
    for (name, value) in given {
        let key = format!("{prefix}{name}");
        match (into.get_mut(&name), value) {
            (Some(Value::Table(inner)), Value::Table(given)) => {
                merge(inner, given, &format!("{key}."), keys)?
            }
            (Some(old), value) if old.same_type(&value) => *old = value,
            (Some(old), value) => bail!(
                "`{key}` must be a {}, found a {}",
                old.type_str(),
                value.type_str()
            ),
            (None, _) => bail!(
                "unknown key `{key}`{} / 未知的配置项",
                suggestion(&key, keys)
            ),
        }
    }
    Ok(())
}

fn put(table: &mut Table, key: &str, text: &str) -> Result<()> {
    let (path, name) = key
        .rsplit_once('.')
        .map_or((None, key), |(path, name)| (Some(path), name));
    let table = match path {
        Some(path) => table[path]
            .as_table_mut()
            .expect("known keys lie in tables"),
        None => table,
    };
    let old = table.get_mut(name).expect("only known keys are put");
    *old = match old {
        Value::Integer(_) => Value::Integer(
            text.parse()
                .with_context(|| format!("`{text}` is not a whole number"))?,
        ),
        Value::Boolean(_) => Value::Boolean(
            text.parse()
                .with_context(|| format!("`{text}` is neither true nor false"))?,
        ),
        Value::Array(_) => Value::Array(
            text.split(',')
                .map(|item| Value::String(item.trim().to_owned()))
                .collect(),
        ),
        _ => Value::String(text.to_owned()),
    };
    Ok(())
}

fn suggestion(key: &str, keys: &[String]) -> String {
    akkaflow_model::suggest::closest(key, keys.iter().map(String::as_str))
        .map(|known| format!("; did you mean `{known}`?"))
        .unwrap_or_default()
}

/// Reads `starttls`, `tls`, `none`.
fn security<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Security, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "starttls" => Ok(Security::StartTls),
        "tls" => Ok(Security::Tls),
        "none" => Ok(Security::None),
        _ => Err(serde::de::Error::custom(format!(
            "`{text}` is no security of mails; write starttls, tls or none / mail.security只能是starttls、tls或none"
        ))),
    }
}

/// Reads `250ms`, `30s`, `31m`, `2h`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_millis = match &text[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    digits
        .parse::<u64>()
        .ok()
        .zip(unit_millis)
        .and_then(|(count, millis)| count.checked_mul(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is not a duration; write 250ms, 30s, 31m or 2h"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(text: &str) -> Result<Config> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("akkaflow.toml");
        std::fs::write(&file, text).unwrap();
        load(Some(&file), |_| None, Vec::new(), Vec::new())
    }

    #[test]
    fn flags_win_over_variables_and_those_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("akkaflow.toml");
        std::fs::write(
            &file,
            "[worker]\nslots = 1\nhost = \"a\"\n[http]\nlisten = \"127.0.0.1:1\"",
        )
        .unwrap();
        let variables = |name: &str| match name {
            "AKKAFLOW_WORKER_SLOTS" => Some("2".to_owned()),
            "AKKAFLOW_HTTP_LISTEN" => Some("127.0.0.1:2".to_owned()),
            _ => None,
        };
        let flags = vec![Override {
            key: "http.listen",
            value: "127.0.0.1:3".to_owned(),
        }];
        let config = load(Some(&file), variables, flags, Vec::new()).unwrap();
        assert_eq!((config.worker.slots, config.worker.host.as_str()), (2, "a"));
        assert_eq!(config.http.listen, "127.0.0.1:3");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        let error = format!("{:#}", from_file("[master]\nlisen = \"x\"").unwrap_err());
        assert!(
            error.contains("unknown key `master.lisen`; did you mean `master.listen`?"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_duration_says_how_to_write_one() {
        let error = format!(
            "{:#}",
            from_file("[worker]\nkill-grace = \"soon\"").unwrap_err()
        );
        assert!(error.contains("write 250ms, 30s"), "{error}");
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest_one() {
        let names = [
            "AKKAFLOW_WORKER_SLOT",
            "AKKAFLOW_WORKER_SLOTS",
            "AKKAFLOW_LANG",
            "AKKAFLOW_TEST_MYSQL_URL",
            "PATH",
        ];
        let unknown = unknown_variables(names.iter().map(ToString::to_string));
        let nearest = Some("AKKAFLOW_WORKER_SLOTS".to_owned());
        assert_eq!(unknown, [("AKKAFLOW_WORKER_SLOT".to_owned(), nearest)]);
    }

    #[test]
    fn the_store_is_never_printed() {
        let config = from_file("store = \"mysql://root:secret@h/db\"").unwrap();
        assert!(!format!("{config:?}").contains("secret"));
    }
}
