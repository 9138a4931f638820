//! Every action type against the contract, and each against the real thing: processes, SQLite, and, where their URLs are given, MySQL and
//! PostgreSQL servers and an sshd (`AKKAFLOW_TEST_MYSQL_URL`, `AKKAFLOW_TEST_POSTGRES_URL`, `AKKAFLOW_TEST_SSH_URL`).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod bodies;
mod cancel;
mod compat;
mod connectors;
mod contract;
mod data_monitor;
mod examples;
mod file_executor;
mod http;
mod link_test;
mod links;
mod metadata;
mod pool;
mod process;
mod python;
mod soak;
mod sql;
mod ssh;
mod support;
mod transfer;
mod transfer_commit;
mod transfer_expressions;
mod transfer_files;
mod transfer_guard;
mod transfer_made;
mod transfer_memory;
mod transfer_modes;
mod transfer_places;
mod transfer_rejects;
mod transfer_tasks;
mod transfer_values;
mod wait;
mod web;
