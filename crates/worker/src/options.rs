//! What a worker is told.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::supervisor;

/// What a worker is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Keeps the worker's identity, its ledger, the output of attempts until it is delivered, and their working
    /// directories. One worker each.
    pub data_dir: PathBuf,
    /// Where relative paths in the URLs of db-links start; `None` for the data directory.
    pub base_directory: Option<PathBuf>,
    /// Endpoints of all masters, active or standby: `host:port` or a URL.
    pub masters: Vec<String>,
    /// What `host=` in a workflow is compared with; `None` for the machine's name.
    pub host: Option<String>,
    /// The worker's stable name when its data directory holds none yet; `None` for the host and a random suffix.
    pub worker_id: Option<String>,
    /// Attempts at once; `None` for four per core, at least eight.
    pub slots: Option<u32>,
    /// What `worker-labels` in a workflow is compared with.
    pub labels: Vec<String>,
    /// From SIGTERM to SIGKILL.
    pub kill_grace: Duration,
    /// Output kept of one attempt, bytes.
    pub log_quota: u64,
    /// The program that becomes the supervisor, with its leading arguments; the data directory is added.
    pub supervisor: Vec<OsString>,
    /// Fires when a stop shall also end the processes of all attempts, which otherwise run on to be adopted.
    pub kill_on_shutdown: CancellationToken,
    /// Hears of a stop that leaves processes running.
    pub on_stop: Option<OnStop>,
}

/// Called once when a stop begins while processes of attempts run: takes their number and answers how long the worker
/// shall wait for [`Options::kill_on_shutdown`] before it leaves them to the next start.
#[derive(Clone)]
pub struct OnStop(pub Arc<dyn Fn(usize) -> Duration + Send + Sync>);

impl std::fmt::Debug for OnStop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnStop")
    }
}

impl Options {
    /// The defaults, for a data directory and some masters. The supervisor is the running program itself, called with
    /// [`supervisor::SUBCOMMAND`].
    pub fn new(data_dir: impl Into<PathBuf>, masters: Vec<String>) -> Self {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("akkaflow-worker"));
        Self {
            data_dir: data_dir.into(),
            base_directory: None,
            masters,
            host: None,
            worker_id: None,
            slots: None,
            labels: Vec::new(),
            kill_grace: Duration::from_secs(1),
            log_quota: 1 << 30,
            supervisor: vec![program.into(), supervisor::SUBCOMMAND.into()],
            kill_on_shutdown: CancellationToken::new(),
            on_stop: None,
        }
    }

    /// The number of slots.
    pub(crate) fn slots(&self) -> u32 {
        self.slots.unwrap_or_else(|| {
            let cores = thread::available_parallelism().map_or(2, usize::from);
            u32::try_from(4 * cores).unwrap_or(u32::MAX).max(8)
        })
    }
}
