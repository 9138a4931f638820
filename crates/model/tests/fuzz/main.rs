//! Thousands of inputs that no person wrote, made of those that people write: whatever is read must not panic, hang, or
//! take more than 64 MiB.
//!
//! As an ordinary test each target runs a bounded number of mutations of its corpus; the seed is printed, and
//! `AKKAFLOW_SEED` repeats a run. `cargo xtask fuzz TARGET --runs N` runs the same targets guided by coverage: inputs that
//! reach new code join the corpus of that run, and are kept under `target/fuzz/found/TARGET` for the next.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]
#![expect(
    unexpected_cfgs,
    reason = "`cargo xtask fuzz` sets fuzz_coverage, nobody else"
)]

#[path = "../it/catalog.rs"]
mod catalog;
mod clock;
mod coverage;
mod driver;
mod memory;
mod mutate;
mod targets;

use driver::run;

#[test]
fn xml() {
    run("xml", 4_000, &targets::xml_corpus(), targets::xml);
}

#[test]
fn cron() {
    run(
        "cron",
        30_000,
        &targets::lines(include_str!("corpus/cron.txt")),
        targets::cron,
    );
}

#[test]
fn english_cron() {
    run(
        "english_cron",
        30_000,
        &targets::lines(include_str!("corpus/english_cron.txt")),
        targets::cron,
    );
}

#[test]
fn time() {
    run(
        "time",
        30_000,
        &targets::lines(include_str!("corpus/time.txt")),
        targets::time,
    );
}

#[test]
fn params() {
    run(
        "params",
        30_000,
        &targets::blocks(include_str!("corpus/params.txt")),
        targets::params,
    );
}
