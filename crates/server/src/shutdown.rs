//! SIGTERM and the first Ctrl-C end a process in order and leave its scripts running to be adopted; a second one ends those too.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use akkaflow_worker::OnStop;
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
    /// Whether the stop was asked for with Ctrl-C.
    is_interrupted: Arc<AtomicBool>,
}

/// How long the first Ctrl-C waits for the second one while scripts run: time enough to read one line and decide.
const WINDOW: Duration = Duration::from_secs(3);

impl Shutdown {
    /// Says on the terminal that a stop leaves scripts running, while a second Ctrl-C can still end them. Nobody is asked
    /// who is not there: a SIGTERM, or a standard error that is no terminal, waits for nothing.
    pub(crate) fn on_stop(&self) -> OnStop {
        let is_interrupted = Arc::clone(&self.is_interrupted);
        OnStop(Arc::new(move |scripts| {
            if !is_interrupted.load(Ordering::Relaxed) || !std::io::stderr().is_terminal() {
                return Duration::ZERO;
            }
            say(scripts);
            WINDOW
        }))
    }
}

#[expect(clippy::print_stderr, reason = "a person at the terminal is asked")]
fn say(scripts: usize) {
    let seconds = WINDOW.as_secs();
    let noun = if scripts == 1 {
        "script runs"
    } else {
        "scripts run"
    };
    eprintln!(
        "\n{scripts} {noun} on and will be adopted by the next start; press Ctrl-C again within {seconds} s to kill them\n\
         {scripts}个脚本将继续运行，下次启动时接管；{seconds}秒内再按一次Ctrl-C则终止它们"
    );
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
        let by_terminal = either(&mut terminate, &mut interrupt).await;
        tokens.is_interrupted.store(by_terminal, Ordering::Relaxed);
        tokens.stop.cancel();
        either(&mut terminate, &mut interrupt).await;
        tokens.kill.cancel();
    });
    Ok(shutdown)
}

/// Waits for either; whether it was Ctrl-C.
async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> bool {
    tokio::select! { _ = terminate.recv() => false, _ = interrupt.recv() => true }
}
