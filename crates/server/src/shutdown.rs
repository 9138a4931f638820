//! SIGTERM and the first Ctrl-C end a process in order and leave its scripts running to be adopted; a second one ends those too.

use anyhow::{Context as _, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What signals ask for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    /// End in order.
    pub(crate) stop: CancellationToken,
    /// End the scripts too.
    pub(crate) kill: CancellationToken,
}

/// Listens for signals from now on.
///
/// # Errors
/// When the handlers cannot be installed.
pub(crate) fn listen() -> Result<Shutdown> {
    let shutdown = Shutdown::default();
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let tokens = shutdown.clone();
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        tokens.stop.cancel();
        either(&mut terminate, &mut interrupt).await;
        tokens.kill.cancel();
    });
    Ok(shutdown)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
}
