//! The supervisor as a program of its own, for tests and benchmarks: the server binaries contain it too.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(data_dir) = std::env::args_os().nth(1) else {
        return ExitCode::from(2);
    };
    match akkaflow_worker::supervisor::main(Path::new(&data_dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
