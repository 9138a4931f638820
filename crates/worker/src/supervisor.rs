//! The small process that starts the attempts' processes and outlives the agent.
//!
//! One per data directory. It starts processes, reaps them, keeps their exit records until it is told to forget them,
//! and kills whole families of processes. It knows nothing of workflows, masters or logs: children write straight into
//! files. When its agent dies it goes on and serves the next one; with no child and no agent it ends by itself, at once when
//! the agent has said goodbye.
//!
//! **Invariants**
//! - A process is started at most once for an id, until the id is forgotten.
//! - An exit record is in the file before anybody is told.
//! - A kill is reported only when no process of the attempt is left.
//! - Without word from a master for as long as it was told, it kills everything: the agent may be dead, and the master
//!   will then run the attempts elsewhere.

mod exits;
mod family;
mod kill;
mod message;
mod paths;
mod serve;
mod state;

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::frame;

pub(crate) use message::{Cause, Event, Exit, Left, Request, Start};
pub(crate) use paths::{LOG_FILE, create_directory, directory, socket_address};

/// The hidden subcommand by which a server binary becomes a supervisor: `akkaflow-worker __supervise DIR`.
pub const SUBCOMMAND: &str = "__supervise";

/// Names the attempt in the environment of its processes: by it they are found when they leave their family.
pub(crate) const MARKER: &str = "AKKAFLOW_ATTEMPT";

/// Names the worker's data directory there: the workers of two clusters on one machine may run attempts of the same key,
/// as when one cluster began with a copy of the other's database.
const OWNER: &str = "AKKAFLOW_WORKER_DATA";

/// Beyond the grace, a kill takes so long at most; processes that cannot be killed hang in the kernel.
const PATIENCE: Duration = Duration::from_secs(10);

/// The data directory, when `arguments` (the program's name first) ask this process to be a supervisor.
pub fn is_invocation(arguments: &[OsString]) -> Option<&Path> {
    match arguments {
        [_, subcommand, directory] if subcommand == SUBCOMMAND => Some(Path::new(directory)),
        _ => None,
    }
}

/// Supervises the attempts of the worker whose data directory is `data_dir`, until nobody needs it any more. Returns at
/// once when another supervisor does so already.
///
/// Call it before any runtime or thread is started: the process must stay small to start others fast.
///
/// # Errors
/// When its directory cannot be used.
pub fn main(data_dir: &Path) -> io::Result<()> {
    serve::run(data_dir)
}

/// Tells the supervisor of `data_dir`, if there is one, that its agent has stopped in order.
///
/// # Errors
/// When it cannot be told; it then ends a little later by itself.
pub(crate) fn leave(data_dir: &Path) -> io::Result<()> {
    let connected = socket_address(data_dir).and_then(UnixStream::connect);
    let Ok(mut stream) = connected else {
        return Ok(());
    };
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, &Request::Leave);
    stream.write_all(&bytes)
}

/// Kills the processes of all attempts of the worker whose data directory is `data_dir`, and returns when none is left;
/// at once when nobody supervises there.
///
/// # Errors
/// When the supervisor does not do it.
pub fn kill_all(data_dir: &Path, grace: Duration) -> io::Result<()> {
    let connected = socket_address(data_dir).and_then(UnixStream::connect);
    let Ok(mut stream) = connected else {
        return Ok(());
    };
    stream.set_read_timeout(Some(grace + PATIENCE))?;
    let mut bytes = Vec::new();
    frame::encode(
        &mut bytes,
        &Request::Hello {
            environment: Vec::new(),
        },
    );
    let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
    frame::encode(&mut bytes, &Request::KillAll { grace_ms });
    stream.write_all(&bytes)?;
    let mut reader = frame::Reader::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        reader.push(&buffer[..length]);
        while let Some(event) = reader.next::<Event>()? {
            if matches!(event, Event::AllKilled) {
                return Ok(());
            }
        }
    }
}
