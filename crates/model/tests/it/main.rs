//! Whole files through the public face of the crate.

#![expect(clippy::unwrap_used, reason = "tests")]

mod catalog;
mod hostile;
mod language;
mod prove_cron;
mod reading;
