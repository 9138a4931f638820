//! What stands between us and a server, and breaks, by itself or when it is asked to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// Bytes that pass: more than opening a session takes, less than the rows do.
pub(super) const MIDDLE: u64 = 200_000;

/// What happens once they have passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    Cut,
    Silence,
    None,
}

/// Passes bytes to and fro; with a fault it breaks once [`MIDDLE`] have passed over all of its connections.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    passed: Arc<AtomicU64>,
    cut: Arc<Notify>,
    /// With all of its connections.
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// In front of `server`, a host and its port.
    pub(crate) async fn new(server: &str, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (passed, cut) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let (server, count, cutting) = (server.to_owned(), Arc::clone(&passed), Arc::clone(&cut));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                let (client_in, client_out) = client.into_split();
                let (server_in, server_out) = server.into_split();
                let there = pass(client_in, server_out, Arc::clone(&count), fault);
                let back = pass(server_in, client_out, Arc::clone(&count), fault);
                let cutting = Arc::clone(&cutting);
                // Once one is cut, so is the other.
                connections.spawn(async move {
                    tokio::select! { () = there => {}, () = back => {}, () = cutting.notified() => {} }
                });
            }
        });
        Self {
            address,
            passed,
            cut,
            task,
        }
    }

    /// Cuts the connections that there are.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }

    /// Returns once it breaks.
    pub(super) async fn broken(&self) {
        while self.passed.load(Ordering::Relaxed) < MIDDLE {
            tokio::task::yield_now().await;
        }
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    passed: Arc<AtomicU64>,
    fault: Fault,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if passed.fetch_add(count as u64, Ordering::Relaxed) > MIDDLE {
            match fault {
                Fault::Cut => return,
                Fault::Silence => std::future::pending().await,
                Fault::None => {}
            }
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
