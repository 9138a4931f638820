//! Other machines over SSH: the machines that file-links of type SFTP name.
//!
//! A host must be known by its key before anything is said to it. What runs there ends with the connection, however that ends.

mod command;
mod file_system;
mod files;
mod known_hosts;
mod transfer;
mod wrapper;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use akkaflow_model::file_links::{FileAccess, FileKind};
use akkaflow_model::text::Text;
use russh::client::{self, AuthResult, Handle};
use russh::keys::{
    Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKeyBase64 as _, PublicKeyOrCertificate,
    decode_secret_key,
};
use russh::{Disconnect, Preferred};

use crate::Error;
use known_hosts::{KnownHosts, Verdict};

pub use command::{Ended, Stream};
pub(crate) use file_system::Sftp;
use files::Remote;

/// From the first packet to the end of the authentication.
const OPEN_LIMIT: Duration = Duration::from_secs(20);

/// A host that is silent is asked so often whether it is still there, and given up after three times.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// A connection to a machine, as the user of the link.
pub struct Ssh {
    handle: Handle<Host>,
}

impl Ssh {
    /// Connects, checks the host's key and says who we are.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a host that is not known by this key, and for an account that it does not take;
    /// [`Error::Unreachable`] when nobody answers.
    pub async fn open(access: &FileAccess) -> Result<Self, Error> {
        match tokio::time::timeout(OPEN_LIMIT, open(access)).await {
            Ok(opened) => opened,
            Err(_) => Err(unreachable(access, "time-out")),
        }
    }

    /// Says goodbye; without it the connection is just cut.
    pub async fn close(self) {
        let goodbye = self.handle.disconnect(Disconnect::ByApplication, "", "en");
        let _ = goodbye.await;
    }
}

async fn open(access: &FileAccess) -> Result<Ssh, Error> {
    let link = &access.link;
    if link.kind != FileKind::Sftp {
        return Err(other_kind(access));
    }
    let (host, port) = (link.host.clone(), link.port.unwrap_or(22));
    let known = KnownHosts::read(&(access.known_hosts.clone() + "\n" + &own_known_hosts().await));
    let config = client::Config {
        preferred: preferred(&known, &host, port),
        keepalive_interval: Some(KEEPALIVE),
        nodelay: true,
        ..client::Config::default()
    };
    let expected = Host {
        name: host.clone(),
        port,
        known,
    };
    let mut handle = client::connect(Arc::new(config), (host.as_str(), port), expected)
        .await
        .map_err(|failure| match failure {
            Failure::Untrusted(text) => Error::Configuration(text),
            Failure::Ssh(error) => unreachable(access, &error.to_string()),
        })?;
    authenticate(access, &mut handle).await?;
    Ok(Ssh { handle })
}

/// The hosts that the worker's own user knows.
async fn own_known_hosts() -> String {
    let Some(home) = std::env::var_os("HOME") else {
        return String::new();
    };
    let path = PathBuf::from(home).join(".ssh/known_hosts");
    tokio::fs::read_to_string(path).await.unwrap_or_default()
}

/// Of a host whose keys are known it asks for one of those.
fn preferred(known: &KnownHosts, host: &str, port: u16) -> Preferred {
    let mut preferred = Preferred::default();
    let algorithms = known.algorithms(host, port);
    // A key of RSA is used with several signatures.
    let is_known = |algorithm: &Algorithm| match algorithm {
        Algorithm::Rsa { .. } => algorithms.contains(&"ssh-rsa"),
        other => algorithms.contains(&other.as_str()),
    };
    let keys: Vec<Algorithm> = preferred
        .key
        .iter()
        .filter(|key| is_known(key))
        .cloned()
        .collect();
    if !keys.is_empty() {
        preferred.key = keys.into();
    }
    preferred
}

async fn authenticate(access: &FileAccess, handle: &mut Handle<Host>) -> Result<(), Error> {
    let user = access.link.username.clone();
    let password = access.link.password.reveal();
    let ssh = |error: russh::Error| unreachable(access, &error.to_string());
    let result = if access.private_key.reveal().is_empty() {
        handle.authenticate_password(user, password).await
    } else {
        let passphrase = Some(password).filter(|password| !password.is_empty());
        let key = decode_secret_key(access.private_key.reveal(), passphrase)
            .map_err(|error| bad_key(access, &error.to_string()))?;
        let hash = handle.best_supported_rsa_hash().await.map_err(ssh)?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash.flatten());
        handle.authenticate_publickey(user, key).await
    };
    match result.map_err(ssh)? {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { .. } => Err(refused(access)),
    }
}

/// The host that we want to talk to.
struct Host {
    name: String,
    port: u16,
    known: KnownHosts,
}

/// Why a connection does not come about.
#[derive(Debug)]
enum Failure {
    Untrusted(Text),
    Ssh(russh::Error),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Host {
    type Error = Failure;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Failure> {
        let key = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => key,
            // None was asked for.
            PublicKeyOrCertificate::Certificate(_) => return Ok(false),
        };
        let algorithm = key.algorithm();
        let algorithm = match algorithm {
            Algorithm::Rsa { .. } => "ssh-rsa",
            ref other => other.as_str(),
        };
        let encoded = key.public_key_base64();
        let verdict = self.known.check(&self.name, self.port, algorithm, &encoded);
        if verdict == Verdict::Known {
            return Ok(true);
        }
        let print = key.fingerprint(HashAlg::Sha256).to_string();
        Err(Failure::Untrusted(untrusted(
            &self.name, self.port, verdict, &print,
        )))
    }
}

fn untrusted(host: &str, port: u16, verdict: Verdict, print: &str) -> Text {
    match verdict {
        Verdict::Changed | Verdict::Revoked => Text::new(
            format!(
                "主机{host}:{port}的密钥（{print}）与known_hosts中的不同或已被吊销：可能有人冒充该主机；确认无误后请更新known_hosts"
            ),
            format!(
                "the key of {host}:{port} ({print}) is not the one in known_hosts, or was revoked: somebody may stand in for the host; bring known_hosts up to date once you are sure"
            ),
        ),
        Verdict::Unknown | Verdict::Known => Text::new(
            format!(
                "不认识主机{host}:{port}（密钥{print}）：确认后请把 ssh-keyscan -p {port} {host} 的结果加入master上与file_links.xml同目录的known_hosts"
            ),
            format!(
                "host {host}:{port} is not known (its key is {print}): once you are sure, add what `ssh-keyscan -p {port} {host}` prints to known_hosts, beside file_links.xml on the masters"
            ),
        ),
    }
}

/// Where a failure happened.
fn place(access: &FileAccess) -> String {
    let link = &access.link;
    format!("{} ({}:{})", link.name, link.host, link.port.unwrap_or(22))
}

fn unreachable(access: &FileAccess, why: &str) -> Error {
    let place = place(access);
    Error::Unreachable(Text::new(
        format!("无法连接文件连接{place}：{why}"),
        format!("cannot connect to file-link {place}: {why}"),
    ))
}

fn refused(access: &FileAccess) -> Error {
    let (place, user) = (place(access), &access.link.username);
    Error::Configuration(Text::new(
        format!("文件连接{place}不接受用户{user}，请检查密码或key-file"),
        format!("file-link {place} does not take user `{user}`, look at its password or key-file"),
    ))
}

fn bad_key(access: &FileAccess, why: &str) -> Error {
    let name = &access.link.name;
    Error::Configuration(Text::new(
        format!("文件连接{name}的key-file无法读取，有口令时请写在password中：{why}"),
        format!(
            "the key-file of file-link `{name}` cannot be read; if it has a passphrase, write it as password: {why}"
        ),
    ))
}

fn other_kind(access: &FileAccess) -> Error {
    let (name, kind) = (&access.link.name, access.link.kind.as_str());
    Error::Configuration(Text::new(
        format!("文件连接{name}的类型为{kind}，这里需要SFTP"),
        format!("file-link `{name}` is of type {kind}, SFTP is needed here"),
    ))
}

/// What broke while the connection was in use.
fn broken(error: &russh::Error) -> Error {
    Error::Unreachable(Text::new(
        format!("SSH连接中断：{error}"),
        format!("the SSH connection broke off: {error}"),
    ))
}
