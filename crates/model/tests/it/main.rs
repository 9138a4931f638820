//! Whole files through the public face of the crate.

#![expect(clippy::unwrap_used, reason = "tests")]

mod catalog;
mod golden;
mod hostile;
mod reading;
