//! The `akka` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(akkaflow_cli::main_of(std::env::args_os()))
}
