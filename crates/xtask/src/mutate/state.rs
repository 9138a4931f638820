//! What is known of mutants, so that a run that is broken off goes on where it stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::kept;

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does not compile; no mutant at all.
    Unfit,
    /// By the trial of this name, or by its time.
    Killed(String),
    /// Every trial passed.
    Survived,
}

/// Verdicts by the keys of the candidates.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// Of the sources and tests that were tried.
    fingerprint: u64,
    verdicts: BTreeMap<String, Verdict>,
}

impl State {
    /// Reads what an earlier run left; nothing when there was none.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let Some(value) = kept::read(file)? else {
            return Ok(Self::default());
        };
        let verdict = |value: &Value| match value.as_str()? {
            "does not compile" => Some(Verdict::Unfit),
            "survived" => Some(Verdict::Survived),
            text => Some(Verdict::Killed(text.strip_prefix("killed by ")?.to_owned())),
        };
        let verdicts = value["verdicts"].as_object();
        let verdicts = verdicts.with_context(|| kept::damaged(file))?;
        Ok(Self {
            fingerprint: value["fingerprint"].as_u64().unwrap_or_default(),
            verdicts: verdicts
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), verdict(value)?)))
                .collect(),
        })
    }

    /// Writes it for the next run.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let text = |verdict: &Verdict| match verdict {
            Verdict::Unfit => "does not compile".to_owned(),
            Verdict::Killed(by) => format!("killed by {by}"),
            Verdict::Survived => "survived".to_owned(),
        };
        let verdicts: BTreeMap<&String, String> = self
            .verdicts
            .iter()
            .map(|(key, verdict)| (key, text(verdict)))
            .collect();
        let value = json!({"fingerprint": self.fingerprint, "verdicts": verdicts});
        kept::write(file, &value)
    }

    /// Other sources or tests: those that survived get another chance to be killed. Those that were killed are believed.
    pub(crate) fn look_at(&mut self, fingerprint: u64) {
        if self.fingerprint != fingerprint {
            self.verdicts
                .retain(|_, verdict| *verdict != Verdict::Survived);
        }
        self.fingerprint = fingerprint;
    }

    pub(crate) fn verdict(&self, key: &str) -> Option<&Verdict> {
        self.verdicts.get(key)
    }

    pub(crate) fn set(&mut self, key: &str, verdict: Verdict) {
        self.verdicts.insert(key.to_owned(), verdict);
    }

    /// Keys of what does not compile.
    pub(crate) fn unfit(&self) -> BTreeSet<String> {
        let unfit = self.verdicts.iter();
        unfit
            .filter(|(_, verdict)| **verdict == Verdict::Unfit)
            .map(|(key, _)| key.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_and_new_tests_try_survivors_again() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("state.json");
        let mut state = State::read(&file).unwrap();
        state.look_at(1);
        state.set("a", Verdict::Survived);
        state.set("b", Verdict::Killed("engine".to_owned()));
        state.set("c", Verdict::Unfit);
        state.write(&file).unwrap();
        let mut again = State::read(&file).unwrap();
        again.look_at(1);
        assert_eq!(again, state);
        again.look_at(2);
        assert_eq!(again.verdict("a"), None);
        assert_eq!(again.verdict("b"), state.verdict("b"));
        assert_eq!(again.unfit(), BTreeSet::from(["c".to_owned()]));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("state.json");
        std::fs::write(&file, "{").unwrap();
        let error = State::read(&file).unwrap_err().to_string();
        assert!(error.contains("state.json is damaged"), "{error}");
    }
}
