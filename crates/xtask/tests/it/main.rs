//! What holds for the repository as a whole.

#![expect(clippy::unwrap_used, reason = "tests")]

mod generated;
mod layers;
mod repository;
mod schema;
