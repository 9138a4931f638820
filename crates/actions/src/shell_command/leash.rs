//! Ends a command whose agent has died.
//!
//! A shell leads the command's process group and waits on a pipe that the agent alone holds. When the agent ends, in whatever way, so
//! does the pipe, and the shell kills the group, itself included. The system's own signal for this is no help: it comes when the
//! thread ends that started the command, and threads of the agent come and go.

use std::io;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};

/// A line lets the command's children live, as those of scripts do; the end of the pipe does not.
const WATCH: &str = "trap '' HUP INT TERM; read -r _ && exit; kill -KILL 0";

/// A process group that does not outlive the agent. Dropped before [`Leash::let_go`] it kills its group.
#[derive(Debug)]
pub(super) struct Leash {
    shell: Child,
    pipe: Option<ChildStdin>,
    group: Pid,
}

impl Leash {
    pub(super) fn start() -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", WATCH])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        let group = shell.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let group = group.ok_or_else(|| io::Error::other("it ended at once"))?;
        Ok(Self { shell, pipe, group })
    }

    /// The group that a command joins.
    pub(super) fn group(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Signals the whole group. It may find nobody left, which is what it is for.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.group, signal);
    }

    /// The command is over: what it has left in the background is its own business.
    pub(super) async fn let_go(mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            // A shell that has been killed reads nothing.
            let _ = pipe.write_all(b"\n").await;
            let _ = self.shell.wait().await;
        }
    }

    /// Waits for the shell, after a signal that it cannot ignore.
    pub(super) async fn wait(mut self) {
        let _ = self.shell.wait().await;
    }
}
