//! A stretch of network that loses what a test wants lost.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to the next COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server gets it, its answer is lost, the connection breaks.
    LoseAnswer,
    /// The connection breaks before the server gets it.
    LoseRequest,
}

/// Forwards connections to a server.
pub(crate) struct Proxy {
    address: String,
    fault: Arc<Mutex<Option<Fault>>>,
    is_open: watch::Sender<bool>,
}

impl Proxy {
    /// Listens on a free port and forwards to `server`.
    pub(crate) async fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap().to_string(),
            fault: Arc::default(),
            is_open: watch::Sender::new(true),
        };
        let server = server.to_owned();
        let fault = Arc::clone(&proxy.fault);
        let mut is_open = proxy.is_open.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *is_open.borrow_and_update() {
                    let server = TcpStream::connect(&server).await.unwrap();
                    let fault = Arc::clone(&fault);
                    tokio::spawn(forward(client, server, fault, is_open.clone()));
                }
            }
        });
        proxy
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The next COMMIT on any connection meets this fault.
    pub(crate) fn fault_at_commit(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    /// Breaks all connections and refuses new ones.
    pub(crate) fn close(&self) {
        self.is_open.send_replace(false);
    }

    /// Forwards again.
    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }
}

async fn forward(
    mut client: TcpStream,
    mut server: TcpStream,
    fault: Arc<Mutex<Option<Fault>>>,
    mut is_open: watch::Receiver<bool>,
) {
    let mut request = vec![0; 64 * 1024];
    let mut answer = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            () = async { drop(is_open.wait_for(|is_open| !is_open).await) } => return,
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                let data = &request[..length];
                let met = if is_commit(data) { fault.lock().unwrap().take() } else { None };
                if met == Some(Fault::LoseRequest) || server.write_all(data).await.is_err() {
                    return;
                }
                if met == Some(Fault::LoseAnswer) {
                    let _ = server.read(&mut answer).await;
                    return;
                }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answer[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A text query that says COMMIT: four bytes of header, one of command.
fn is_commit(data: &[u8]) -> bool {
    data.get(5..) == Some(b"COMMIT")
}
