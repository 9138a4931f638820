//! The agent's end of the line to its supervisor: starts it when there is none, and says when it is gone.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::core::Message;
use crate::frame::{self, Reader};
use crate::prepare::{inherited_environment, own_settings};
use crate::supervisor::{self, Event, Exit, Request};

/// How long a new supervisor may take to listen.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Between two tries to reach it while it starts.
const START_STEP: Duration = Duration::from_millis(2);

/// Between two tries to start it.
const RETRY: Duration = Duration::from_millis(500);

/// What the core hears.
#[derive(Debug)]
pub(crate) enum News {
    /// A supervisor is there. What it does not know is lost.
    Up {
        /// Takes requests until [`News::Down`]; what it had not sent by then is dropped.
        requests: mpsc::UnboundedSender<Request>,
        /// Ids of running processes.
        running: Vec<String>,
        /// Exits that it keeps.
        exited: Vec<Exit>,
    },
    /// It says something.
    Event(Event),
    /// It is gone.
    Down,
}

/// Keeps a supervisor at hand until `shutdown`.
pub(crate) async fn run(
    data_dir: PathBuf,
    command: Vec<OsString>,
    core: mpsc::Sender<Message>,
    shutdown: CancellationToken,
) {
    while !shutdown.is_cancelled() {
        match reach(&data_dir, &command).await {
            Ok(stream) => {
                let talk = talk(stream, &core);
                let ended = tokio::select! {
                    ended = talk => ended,
                    () = shutdown.cancelled() => return,
                };
                if let Err(error) = ended {
                    tracing::warn!(error = %error, "the supervisor of processes is gone");
                }
                if core.send(Message::Supervisor(News::Down)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(error = %error, program = ?command.first(), "cannot start the supervisor of processes, see supervisor/log in the data directory");
                tokio::select! {
                    () = sleep(RETRY) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        }
    }
}

/// Connects, after starting a supervisor if none answers.
async fn reach(data_dir: &Path, command: &[OsString]) -> io::Result<UnixStream> {
    if let Ok(stream) = connect(data_dir).await {
        return Ok(stream);
    }
    start(data_dir, command)?;
    let waiting = async {
        loop {
            match connect(data_dir).await {
                Ok(stream) => return stream,
                Err(_) => sleep(START_STEP).await,
            }
        }
    };
    timeout(START_PATIENCE, waiting)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "it does not answer"))
}

async fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(supervisor::socket_address(data_dir)?).await
}

fn start(data_dir: &Path, command: &[OsString]) -> io::Result<()> {
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| io::Error::other("no program is named"))?;
    let directory = supervisor::directory(data_dir);
    supervisor::create_directory(data_dir)?;
    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(directory.join(supervisor::LOG_FILE))?;
    let mut command = Command::new(program);
    // Every script can read the environment of the process that starts it.
    for name in own_settings() {
        command.env_remove(name);
    }
    let mut child = command
        .args(arguments)
        .arg(data_dir)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    // Usually it outlives us; when it does not, somebody must reap it.
    std::thread::Builder::new()
        .name("akkaflow-reap".to_owned())
        .stack_size(64 << 10)
        .spawn(move || child.wait())
        .map(drop)
}

async fn talk(stream: UnixStream, core: &mpsc::Sender<Message>) -> io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut bytes = Vec::new();
    let environment = inherited_environment();
    frame::encode(&mut bytes, &Request::Hello { environment });
    output.write_all(&bytes).await?;
    // Every attempt has at most a few requests waiting, and there are only so many slots.
    let (requests, waiting) = mpsc::unbounded_channel();
    // Side by side: if one waited for the other, two full sockets would stop both processes.
    tokio::select! {
        ended = listen(input, core, requests) => ended,
        ended = say(output, waiting) => ended,
    }
}

async fn listen(
    mut input: OwnedReadHalf,
    core: &mpsc::Sender<Message>,
    requests: mpsc::UnboundedSender<Request>,
) -> io::Result<()> {
    let mut offer = Some(requests);
    let mut reader = Reader::default();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = input.read(&mut buffer).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reader.push(&buffer[..length]);
        while let Some(event) = reader.next::<Event>()? {
            let news = to_news(event, &mut offer);
            if core.send(Message::Supervisor(news)).await.is_err() {
                return Ok(());
            }
        }
    }
}

async fn say(
    mut output: OwnedWriteHalf,
    mut waiting: mpsc::UnboundedReceiver<Request>,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    while let Some(request) = waiting.recv().await {
        bytes.clear();
        frame::encode(&mut bytes, &request);
        while let Ok(request) = waiting.try_recv() {
            frame::encode(&mut bytes, &request);
        }
        output.write_all(&bytes).await?;
    }
    Ok(())
}

fn to_news(event: Event, offer: &mut Option<mpsc::UnboundedSender<Request>>) -> News {
    match (event, offer.take()) {
        (Event::Known { running, exited }, Some(requests)) => News::Up {
            requests,
            running,
            exited,
        },
        (event, rest) => {
            *offer = rest;
            News::Event(event)
        }
    }
}
