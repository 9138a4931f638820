//! See [`akkaflow_server`].

use std::process::ExitCode;

use akkaflow_server::roles::Role;

fn main() -> ExitCode {
    akkaflow_server::main_of(Role::HttpServer)
}
