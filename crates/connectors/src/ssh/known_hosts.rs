//! The keys of hosts, as OpenSSH keeps them in `known_hosts`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The usual port: hosts stand without it.
const SSH_PORT: u16 = 22;

/// What is known of the key that a host shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the host's.
    Known,
    /// Nothing is known of the host.
    Unknown,
    /// The host's key is another one.
    Changed,
    /// It must not be trusted any more.
    Revoked,
}

/// The keys of hosts.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownHosts {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    is_revoked: bool,
    hosts: String,
    algorithm: String,
    key: String,
}

impl KnownHosts {
    /// Reads the lines that name a key. Those of certificate authorities are passed over: we do not ask for certificates.
    pub(super) fn read(text: &str) -> Self {
        let lines = text.lines().filter_map(Line::read).collect();
        Self { lines }
    }

    /// What is known of `key`, in base64.
    pub(super) fn check(&self, host: &str, port: u16, algorithm: &str, key: &str) -> Verdict {
        let name = written(host, port);
        let mut verdict = Verdict::Unknown;
        for line in self.lines.iter().filter(|line| line.names(&name)) {
            if line.is_revoked {
                if line.key == key {
                    return Verdict::Revoked;
                }
            } else if line.key == key {
                verdict = Verdict::Known;
            } else if line.algorithm == algorithm && verdict == Verdict::Unknown {
                verdict = Verdict::Changed;
            }
        }
        verdict
    }

    /// The algorithms of the keys that are known of a host: another one would tell us nothing.
    pub(super) fn algorithms(&self, host: &str, port: u16) -> Vec<&str> {
        let name = written(host, port);
        let lines = self.lines.iter();
        let lines = lines.filter(|line| !line.is_revoked && line.names(&name));
        lines.map(|line| line.algorithm.as_str()).collect()
    }
}

/// As hosts stand in the file.
fn written(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    match port {
        SSH_PORT => host,
        port => format!("[{host}]:{port}"),
    }
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let mut words = line.split_whitespace();
        let first = words.next()?;
        let (is_revoked, hosts) = match first {
            "@revoked" => (true, words.next()?),
            marker if marker.starts_with('@') => return None,
            hosts => (false, hosts),
        };
        Some(Self {
            is_revoked,
            hosts: hosts.to_owned(),
            algorithm: words.next()?.to_owned(),
            key: words.next()?.to_owned(),
        })
    }

    /// Whether it speaks of a host: one of its patterns fits, and none that is negated.
    fn names(&self, host: &str) -> bool {
        if let Some(hashed) = self.hosts.strip_prefix("|1|") {
            return is_hash_of(hashed, host);
        }
        let mut fits_one = false;
        for pattern in self.hosts.split(',') {
            match pattern.strip_prefix('!') {
                Some(pattern) if fits(pattern.as_bytes(), host.as_bytes()) => return false,
                Some(_) => {}
                None => fits_one |= fits(pattern.as_bytes(), host.as_bytes()),
            }
        }
        fits_one
    }
}

/// `SALT|HASH`, both in base64.
fn is_hash_of(hashed: &str, host: &str) -> bool {
    let Some((salt, hash)) = hashed.split_once('|') else {
        return false;
    };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else {
        return false;
    };
    // The format's hash, which hides names and protects nothing else.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    hmac::verify(&key, host.as_bytes(), &hash).is_ok()
}

/// `*` stands for any bytes, `?` for one, case aside.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(letter) if *letter == b'?' || letter.eq_ignore_ascii_case(&name[from]) => {
                at += 1;
                from += 1;
            }
            _ => {
                // The last star takes one byte more.
                let Some((place, taken)) = star else {
                    return false;
                };
                star = Some((place, taken + 1));
                at = place + 1;
                from = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
# a comment
etl.example,10.0.0.7 ssh-ed25519 AAAA1 root@etl
[etl.example]:2222\tssh-ed25519 AAAA2
*.lake.example,!bad.lake.example ssh-rsa AAAA3
@revoked * ssh-ed25519 AAAA9
@cert-authority *.example ssh-ed25519 AAAA8
|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-ed25519 AAAA4
broken
";

    fn check(host: &str, port: u16, key: &str) -> Verdict {
        KnownHosts::read(FILE).check(host, port, "ssh-ed25519", key)
    }

    #[test]
    fn a_host_is_known_by_its_key_at_its_port() {
        assert_eq!(check("etl.example", 22, "AAAA1"), Verdict::Known);
        assert_eq!(check("ETL.example", 2222, "AAAA2"), Verdict::Known);
        assert_eq!(check("10.0.0.7", 22, "AAAA1"), Verdict::Known);
        assert_eq!(check("etl.example", 22, "AAAA2"), Verdict::Changed);
        assert_eq!(check("etl.example", 2223, "AAAA1"), Verdict::Unknown);
        assert_eq!(check("other.example", 22, "AAAA8"), Verdict::Unknown);
        assert_eq!(check("etl.example", 22, "AAAA9"), Verdict::Revoked);
    }

    #[test]
    fn patterns_and_negations_are_honoured() {
        assert_eq!(check("a.lake.example", 22, "AAAA3"), Verdict::Known);
        assert_eq!(check("bad.lake.example", 22, "AAAA3"), Verdict::Unknown);
        // Of another kind than what is known.
        assert_eq!(check("a.lake.example", 22, "AAAA5"), Verdict::Unknown);
        let known = KnownHosts::read(FILE);
        assert_eq!(known.algorithms("a.lake.example", 22), ["ssh-rsa"]);
    }

    #[test]
    fn hashed_names_are_found() {
        // The example of sshd(8)'s sources: the name is 192.168.1.61.
        assert_eq!(check("192.168.1.61", 22, "AAAA4"), Verdict::Known);
        assert_eq!(check("192.168.1.62", 22, "AAAA4"), Verdict::Unknown);
    }
}
