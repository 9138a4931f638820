//! Where the next proof begins, and what is not in the page yet.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::bench::today;
use crate::kept;

/// What is remembered between two proofs.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct State {
    /// The first seed that nobody has lived.
    pub(crate) next: u64,
    first: Option<u64>,
    seeds: u64,
    events: u64,
    seconds: f64,
    /// Seeds that broke the contract.
    pub(crate) violations: Vec<u64>,
}

impl State {
    /// Reads what an earlier proof left; nothing when there was none.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let Some(value) = kept::read(file)? else {
            return Ok(Self::default());
        };
        let number = |name: &str| value[name].as_u64().unwrap_or_default();
        Ok(Self {
            next: number("next"),
            first: value["first"].as_u64(),
            seeds: number("seeds"),
            events: number("events"),
            seconds: value["seconds"].as_f64().unwrap_or_default(),
            violations: value["violations"]
                .as_array()
                .map(|seeds| seeds.iter().filter_map(Value::as_u64).collect())
                .unwrap_or_default(),
        })
    }

    /// Writes it for the next proof.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let value = json!({
            "next": self.next,
            "first": self.first,
            "seeds": self.seeds,
            "events": self.events,
            "seconds": self.seconds,
            "violations": self.violations,
        });
        kept::write(file, &value)
    }

    /// Begins anew at a seed that a person names.
    pub(crate) fn begin_at(&mut self, seed: u64) {
        self.clear_sums();
        self.next = seed;
    }

    /// The page has them.
    pub(crate) fn clear_sums(&mut self) {
        *self = Self {
            next: self.next,
            ..Self::default()
        };
    }

    /// Adds what the simulator said of a portion.
    pub(crate) fn add(&mut self, portion: &Value) -> Result<()> {
        let number = |name: &str| {
            portion[name]
                .as_u64()
                .with_context(|| format!("the simulator does not say `{name}`"))
        };
        let from = number("from")?;
        self.first.get_or_insert(from);
        self.next = from + number("seeds")?;
        self.seeds += number("seeds")?;
        self.events += number("events")?;
        self.seconds += portion["seconds"].as_f64().unwrap_or_default();
        let violations = portion["violations"].as_array().into_iter().flatten();
        self.violations
            .extend(violations.filter_map(|violation| violation["seed"].as_u64()));
        Ok(())
    }

    fn per_hour(&self) -> f64 {
        self.seeds as f64 / self.seconds.max(1.0) * 3_600.0
    }

    /// For the person who waits.
    pub(crate) fn words(&self) -> String {
        format!(
            "{} seeds, next {}, {:.0} seeds/h, {} violations",
            self.seeds,
            self.next,
            self.per_hour(),
            self.violations.len()
        )
    }

    /// A row of the page.
    pub(crate) fn line(&self, commit: &str) -> String {
        let violations = match self.violations.as_slice() {
            [] => "0".to_owned(),
            seeds => format!("{} (first: {})", seeds.len(), seeds[0]),
        };
        format!(
            "| {} | {commit} | {}..{} | {} | {} | {:.0} | {:.0} | {violations} |",
            today(),
            self.first.unwrap_or(self.next),
            self.next,
            self.seeds,
            self.events,
            self.per_hour(),
            self.events as f64 / self.seconds.max(1.0),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portion(from: u64) -> Value {
        json!({"from": from, "seeds": 10, "events": 500, "seconds": 2.0, "violations": [{"seed": from + 3}]})
    }

    #[test]
    fn a_proof_that_was_broken_off_goes_on_with_its_sums() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("prove.json");
        let mut state = State::read(&file).unwrap();
        state.add(&portion(0)).unwrap();
        state.write(&file).unwrap();
        let mut again = State::read(&file).unwrap();
        assert_eq!(again, state);
        again.add(&portion(again.next)).unwrap();
        assert!(
            again
                .line("abc")
                .ends_with("| abc | 0..20 | 20 | 1000 | 18000 | 250 | 2 (first: 3) |"),
            "{}",
            again.line("abc")
        );
        again.clear_sums();
        assert_eq!(again.next, 20);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("prove.json");
        std::fs::write(&file, "{").unwrap();
        let error = State::read(&file).unwrap_err().to_string();
        assert!(error.contains("prove.json is damaged"), "{error}");
    }
}
