//! What must not leave the worker: stars stand for it in everything that an attempt prints, reports and hands on.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use akkaflow_actions::AttemptContext;
use akkaflow_model::outcome::Outcome;
use akkaflow_model::read::is_secret_name;
use akkaflow_model::text::Text;

/// A shorter text cannot be told from ordinary words and numbers.
const SHORTEST: usize = 6;

/// Stands for each byte, so that nothing moves: pieces of output are found again by their place.
const STAR: u8 = b'*';

/// The secrets of an attempt, the longest first. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Vec<String>>);

impl Secrets {
    /// Passwords and keys of the links that an attempt was given, and its parameters that are named like secrets.
    pub(crate) fn of(context: &AttemptContext) -> Self {
        let databases = context.links.values().map(|link| link.password.reveal());
        let machines = context.file_links.values();
        let machines = machines
            .flat_map(|access| [access.link.password.reveal(), access.private_key.reveal()]);
        let all = databases.chain(machines).chain(in_params(context));
        Self::new(all)
    }

    /// What a process can know of them: its environment holds parameters, and no links.
    pub(crate) fn of_process(context: &AttemptContext) -> Self {
        Self::new(in_params(context))
    }

    fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        // A key has many lines, and output is read by lines.
        let lines = texts.flat_map(str::lines).map(str::trim);
        let mut secrets: Vec<String> = lines
            .filter(|line| line.len() >= SHORTEST)
            .map(str::to_owned)
            .collect();
        // What is part of another must not break it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(Arc::new(secrets))
    }

    /// Reads back what [`Secrets::keep`] has kept; none where there is nothing.
    pub(crate) fn kept(path: &Path) -> Self {
        Self::new(fs::read_to_string(path).unwrap_or_default().lines())
    }

    /// Keeps them for the next agent, which goes on with the output of a process that this one has started.
    pub(crate) fn keep(&self, path: &Path) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(self.0.join("\n").as_bytes())
    }

    /// Puts stars in their place. What is cut in the middle of a secret, within a line of more than 64 KiB, is not seen.
    pub(crate) fn hide(&self, bytes: &mut [u8]) {
        for secret in self.0.iter() {
            let mut from = 0;
            while let Some(at) = memchr::memmem::find(&bytes[from..], secret.as_bytes()) {
                let (begin, end) = (from + at, from + at + secret.len());
                bytes[begin..end].fill(STAR);
                from = end;
            }
        }
    }

    /// Hides them in what a task says and hands on.
    pub(crate) fn hide_in(&self, outcome: Outcome) -> Outcome {
        if self.0.is_empty() {
            return outcome;
        }
        let outputs = outcome.outputs.into_iter();
        Outcome {
            text: outcome
                .text
                .map(|text| Text::new(self.hidden(text.zh), self.hidden(text.en))),
            outputs: outputs
                .map(|(name, value)| (name, self.hidden(value)))
                .collect(),
            ..outcome
        }
    }

    fn hidden(&self, text: String) -> String {
        let mut bytes = text.into_bytes();
        self.hide(&mut bytes);
        String::from_utf8(bytes).expect("whole characters give way to stars")
    }
}

fn in_params(context: &AttemptContext) -> impl Iterator<Item = &str> {
    let secret = context
        .params
        .iter()
        .filter(|(name, _)| is_secret_name(name));
    secret.map(|(_, value)| value.as_str())
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(secrets: &[&str], text: &str) -> String {
        Secrets::new(secrets.iter().copied()).hidden(text.to_owned())
    }

    #[test]
    fn stars_stand_for_each_byte_of_a_secret_wherever_it_stands() {
        assert_eq!(hidden(&["s3cr3t"], "a s3cr3ts3cr3t b"), "a ************ b");
        assert_eq!(hidden(&["密码很长"], "x密码很长y"), "x************y");
        assert_eq!(hidden(&["abcdef", "abcdefgh"], "abcdefgh"), "********");
        assert_eq!(
            hidden(&["line one\nline two\n"], "a line two"),
            "a ********"
        );
    }

    #[test]
    fn short_and_other_texts_stay() {
        assert_eq!(
            hidden(&["root", ""], "root is not secret"),
            "root is not secret"
        );
    }

    #[test]
    fn they_are_kept_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets");
        Secrets::default().keep(&path).unwrap();
        assert!(!path.exists());
        Secrets::new(["s3cr3t", "other-one"].into_iter())
            .keep(&path)
            .unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let mut text = *b"s3cr3t other-one";
        Secrets::kept(&path).hide(&mut text);
        assert_eq!(&text, b"****** *********");
    }
}
