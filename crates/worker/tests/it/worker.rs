//! A worker to test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use akkaflow_worker::{Options, Service};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::actions;

/// A worker in a runtime of its own, so that it can be ended as roughly as a process.
pub(crate) struct Worker {
    runtime: Option<Runtime>,
    shutdown: CancellationToken,
    ended: Option<tokio::task::JoinHandle<Result<(), akkaflow_worker::Error>>>,
}

/// Options for a worker of these tests.
pub(crate) fn options(data_dir: &Path, masters: &[&str]) -> Options {
    let masters = masters.iter().map(|master| (*master).to_owned()).collect();
    let mut options = Options::new(data_dir, masters);
    options.supervisor = vec![env!("CARGO_BIN_EXE_akkaflow-supervisor").into()];
    options.kill_grace = Duration::from_millis(200);
    options.host = Some("test-host".to_owned());
    options
}

impl Worker {
    pub(crate) fn start(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let shutdown = CancellationToken::new();
        let service = Service::with_registry(options, actions::registry());
        let ended = runtime.spawn(service.run(shutdown.clone()));
        Self {
            runtime: Some(runtime),
            shutdown,
            ended: Some(ended),
        }
    }

    /// Ends it without giving it a chance to say goodbye.
    pub(crate) fn crash(mut self) {
        self.drop_runtime();
    }

    /// Ends it in order.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = self.ended.take().unwrap();
        ended.await.unwrap().unwrap();
    }

    fn drop_runtime(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not in the test's own runtime, where waiting is not allowed; the lock on the directory must be free after.
            std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_secs(10)))
                .join()
                .unwrap();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.drop_runtime();
    }
}

/// A data directory whose processes are killed in the end.
pub(crate) struct DataDir(tempfile::TempDir);

impl DataDir {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The directories of attempts that are still there.
    pub(crate) fn attempts(&self) -> usize {
        std::fs::read_dir(self.file("attempts")).unwrap().count()
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = akkaflow_worker::supervisor::kill_all(self.0.path(), Duration::ZERO);
    }
}

/// Waits for what nobody announces.
pub(crate) async fn eventually(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            // What is waited for may happen in another process, which needs the processor too.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("it never came about");
}
