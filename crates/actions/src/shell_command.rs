//! Commands that a task runs beside its work, inside the worker's agent.

mod leash;

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use akkaflow_model::text::Text;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::action::ProcessSpec;
use crate::context::{AttemptContext, Level};
use crate::error::ActionError;
use crate::script::Script;

use self::leash::Leash;

/// Between asking a command to end and ending it.
const GRACE: Duration = Duration::from_secs(1);

/// A longer line reaches the log in pieces.
const LINE_BYTES: u64 = 64 * 1024;

/// Of its standard output not much more is given back.
const KEPT_BYTES: usize = 4096;

/// Runs `command` as `<script>` would, its output into the log; gives back the beginning of its standard output. Any exit code but 0 is a
/// failure; a cancelled attempt kills its whole process group, and so does the death of the agent.
pub(crate) async fn run(
    attempt: &AttemptContext,
    name: &Text,
    command: &str,
) -> Result<String, ActionError> {
    let spec = Script::inline(command).process(attempt);
    let started = start(attempt, &spec);
    let (leash, mut child) = started.map_err(|error| failed(name, &error.to_string()))?;
    let mut printed = String::new();
    let status = tokio::select! {
        biased;
        () = attempt.cancelled() => {
            kill(leash, &mut child).await;
            return Err(ActionError::Cancelled);
        }
        status = finish(attempt, &mut child, &mut printed) => status,
    };
    leash.let_go().await;
    let status = status.map_err(|error| failed(name, &error.to_string()))?;
    match status.success() {
        true => Ok(printed),
        false => Err(failed(name, &status.to_string())),
    }
}

fn failed(name: &Text, reason: &str) -> ActionError {
    ActionError::Retryable(Text::new(
        format!("{}执行失败：{reason}", name.zh),
        format!("{} failed: {reason}", name.en),
    ))
}

fn start(attempt: &AttemptContext, spec: &ProcessSpec) -> std::io::Result<(Leash, Child)> {
    for (name, content, is_executable) in &spec.files {
        write(&attempt.directory.join(name), content, *is_executable)?;
    }
    let leash = Leash::start()?;
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.arguments)
        .current_dir(&attempt.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(leash.group())
        .kill_on_drop(true);
    // Our own settings, and secrets among them, are none of a command's business.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AKKAFLOW_") {
            command.env_remove(name);
        }
    }
    for (name, value) in &attempt.params {
        let name: String = name
            .chars()
            .map(|c| {
                if c.is_ascii() && !c.is_ascii_alphanumeric() {
                    '_'
                } else {
                    c
                }
            })
            .collect();
        command.env(format!("AKKAFLOW_PARAM_{name}"), value);
    }
    let child = command.spawn()?;
    Ok((leash, child))
}

fn write(path: &Path, content: &[u8], is_executable: bool) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, content)?;
    let mode = if is_executable { 0o700 } else { 0o600 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// The command is over when it has ended; what its children still hold open is read only as long as it takes.
async fn finish(
    attempt: &AttemptContext,
    child: &mut Child,
    printed: &mut String,
) -> std::io::Result<ExitStatus> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let keep = |line: &str| {
        if printed.len() < KEPT_BYTES {
            printed.push_str(line);
            printed.push('\n');
        }
    };
    let output = async {
        tokio::join!(
            forward(attempt, Level::Info, out, keep),
            forward(attempt, Level::Error, err, |_| {})
        )
    };
    let mut output = std::pin::pin!(output);
    let status = tokio::select! {
        _ = &mut output => return child.wait().await,
        status = child.wait() => status,
    };
    let _ = tokio::time::timeout(GRACE, output).await;
    status
}

async fn forward(
    attempt: &AttemptContext,
    level: Level,
    pipe: Option<impl AsyncRead + Unpin>,
    mut see: impl FnMut(&str),
) {
    let Some(pipe) = pipe else { return };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = (&mut reader)
            .take(LINE_BYTES)
            .read_until(b'\n', &mut line)
            .await;
        match count {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_end_matches(['\n', '\r']);
                see(line);
                attempt.log.line(level, line);
            }
        }
    }
}

async fn kill(leash: Leash, child: &mut Child) {
    leash.signal(Signal::TERM);
    let _ = tokio::time::timeout(GRACE, child.wait()).await;
    leash.signal(Signal::KILL);
    let _ = child.wait().await;
    leash.wait().await;
}
