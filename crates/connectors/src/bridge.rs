//! Blocking ends of what is asynchronous: files are read and written by threads that may wait.

use std::future::Future;
use std::io::{self, Read, Write};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// Whoever is silent for so long in the middle of a file is given up.
const SILENCE: Duration = Duration::from_secs(60);

/// Something asynchronous for a thread that may wait. It must not be used by others: they would wait for themselves.
pub(crate) struct Bridge<T> {
    inner: T,
    runtime: Handle,
    stop: CancellationToken,
}

impl<T> Bridge<T> {
    /// Each wait for `inner` fails once `stop` fires, and after a minute without a byte.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn new(inner: T, stop: CancellationToken) -> Self {
        let runtime = Handle::current();
        Self {
            inner,
            runtime,
            stop,
        }
    }
}

impl<T: AsyncWrite + Unpin> Bridge<T> {
    /// Ends it, once everything that was written has arrived.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        wait(&self.runtime, &self.stop, self.inner.shutdown())
    }
}

/// Waits in a thread that may, until `stop` fires.
pub(crate) fn wait<R>(
    runtime: &Handle,
    stop: &CancellationToken,
    work: impl Future<Output = io::Result<R>>,
) -> io::Result<R> {
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(io::Error::other("cancelled")),
            done = tokio::time::timeout(SILENCE, work) => {
                done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    })
}

impl<T: AsyncRead + Unpin> Read for Bridge<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        wait(&self.runtime, &self.stop, self.inner.read(buffer))
    }
}

impl<T: AsyncWrite + Unpin> Write for Bridge<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        wait(&self.runtime, &self.stop, self.inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        wait(&self.runtime, &self.stop, self.inner.flush())
    }
}
