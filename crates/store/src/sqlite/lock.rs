//! `master.lock`: held by the one process that leads, released by the kernel when that process is gone.
//!
//! The lock is on a file of its own, never on a database file: SQLite's own locks there end with any close.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use akkaflow_model::text::Text;

use crate::error::Error;

/// How often and how long apart the lock is tried: whoever only looks at it holds it for some microseconds.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// The lock of this store.
#[derive(Debug)]
pub(crate) struct MasterLock {
    path: PathBuf,
    held: Mutex<Option<File>>,
}

/// The lock, for as long as it is undecided whether we lead. Dropped without [`Hold::keep`] it is as it was before.
pub(crate) struct Hold<'a> {
    lock: &'a MasterLock,
    fresh: Option<File>,
}

impl Hold<'_> {
    /// We lead: holds it until [`MasterLock::release`].
    pub(crate) fn keep(mut self) {
        if let Some(file) = self.fresh.take() {
            *self.lock.held() = Some(file);
        }
    }
}

impl MasterLock {
    /// The lock at `path`; nothing is created or locked yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            held: Mutex::new(None),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<File>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock; `None` when another process holds it.
    pub(crate) async fn take(&self) -> Result<Option<Hold<'_>>, Error> {
        if self.held().is_some() {
            return Ok(Some(Hold {
                lock: self,
                fresh: None,
            }));
        }
        for _ in 0..TRIES {
            if let Some(file) = self.try_lock()? {
                return Ok(Some(Hold {
                    lock: self,
                    fresh: Some(file),
                }));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(None)
    }

    /// Lets others lead.
    pub(crate) fn release(&self) {
        *self.held() = None;
    }

    /// Whether nobody leads, neither we nor another process.
    pub(crate) fn is_free(&self) -> Result<bool, Error> {
        if self.held().is_some() {
            return Ok(false);
        }
        Ok(self.try_lock()?.is_some())
    }

    fn try_lock(&self) -> Result<Option<File>, Error> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.path)
            .map_err(|error| self.unusable(error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(self.unusable(error)),
        }
    }

    fn unusable(&self, error: std::io::Error) -> Error {
        let path = self.path.display();
        Error::unsuitable_because(
            Text::new(format!("无法锁定{path}"), format!("cannot lock {path}")),
            Text::new(
                "请将其目录放在本地磁盘上，并授予当前用户写权限",
                "make its directory writable for this user, on a local disk",
            ),
            error,
        )
    }
}
