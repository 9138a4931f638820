//! Running a command on the other machine, so that it ends when we do.

use std::time::Duration;

use akkaflow_model::text::Text;
use russh::ChannelMsg;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::wrapper::{marker, wrapper};
use super::{Ssh, broken};
use crate::Error;

/// The longest command, bytes: Linux passes 128 KiB to a shell.
const LONGEST: usize = 120_000;

/// What still comes after the end of a command is read so long: its children may hold its outputs open.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// A command that is to end is waited for so long; its host takes about half of that.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// Which output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Code(u32),
    /// By a signal that was not ours.
    Signal(String),
    /// Because we asked for it. Whether the host has said so.
    Killed {
        /// Whether the host has said that it is gone.
        is_proven: bool,
    },
}

impl Ssh {
    /// Runs a command by the user's shell. Its outputs go to `hear` as they come; its standard input is empty. When `cancel` fires,
    /// or the connection breaks, the command and all that it has started are ended there.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a command that is too long, [`Error::Unreachable`] when the connection breaks.
    pub async fn run(
        &self,
        command: &str,
        cancel: &CancellationToken,
        mut hear: impl FnMut(Stream, &[u8]) + Send,
    ) -> Result<Ended, Error> {
        if command.len() > LONGEST {
            return Err(too_long());
        }
        let opened = self.handle.channel_open_session().await;
        let (mut from, to) = opened.map_err(|error| broken(&error))?.split();
        let started = async {
            to.exec(true, wrapper(command.len(), &marker())).await?;
            to.data_bytes(command.as_bytes().to_vec()).await
        };
        started.await.map_err(|error| broken(&error))?;
        let mut ended = None;
        let (mut is_stopping, mut is_closed) = (false, false);
        let mut limit: Option<Instant> = None;
        loop {
            let waiting = async {
                match limit {
                    Some(limit) => timeout_at(limit, from.wait()).await.ok(),
                    None => Some(from.wait().await),
                }
            };
            let message = tokio::select! {
                biased;
                () = cancel.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    limit = Some(Instant::now() + KILL_LIMIT);
                    // Its watcher takes that as the end of the connection.
                    let _ = to.eof().await;
                    continue;
                }
                message = waiting => message,
            };
            match message {
                Some(Some(ChannelMsg::Data { data })) => hear(Stream::Out, &data),
                Some(Some(ChannelMsg::ExtendedData { data, .. })) => hear(Stream::Err, &data),
                Some(Some(ChannelMsg::Failure)) => return Err(no_shell()),
                Some(Some(ChannelMsg::ExitStatus { exit_status })) => {
                    ended = Some(Ended::Code(exit_status));
                    limit.get_or_insert(Instant::now() + AFTERWARDS);
                }
                Some(Some(ChannelMsg::ExitSignal { signal_name, .. })) => {
                    ended = Some(Ended::Signal(format!("{signal_name:?}")));
                    limit.get_or_insert(Instant::now() + AFTERWARDS);
                }
                Some(Some(_)) => {}
                Some(None) => {
                    is_closed = true;
                    break;
                }
                // The time is up.
                None => break,
            }
        }
        let _ = to.close().await;
        match ended {
            _ if is_stopping => Ok(Ended::Killed {
                // Its last process closes the outputs.
                is_proven: is_closed && ended.is_some(),
            }),
            Some(ended) => Ok(ended),
            None => Err(lost()),
        }
    }
}

fn too_long() -> Error {
    Error::Configuration(Text::new(
        format!("命令超过{LONGEST}个字节"),
        format!("the command is longer than {LONGEST} bytes"),
    ))
}

fn no_shell() -> Error {
    Error::Unreachable(Text::new(
        "主机拒绝执行命令，该用户可能只能使用SFTP",
        "the host refuses to run commands: the user may have SFTP only",
    ))
}

fn lost() -> Error {
    Error::Unreachable(Text::new(
        "SSH连接在命令结束前中断，该主机会随之结束该命令",
        "the SSH connection broke off before the command ended; its host ends it with the connection",
    ))
}
