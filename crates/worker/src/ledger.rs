//! The agent's ledger on disk, and the thread that flushes it.
//!
//! The file is filled with zeros in advance: a flush that neither grows the file nor converts its blocks needs no
//! commit of the file system's own journal, which costs several times as much.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use akkaflow_protocol::agent::Entry;

use crate::error::Error;
use crate::frame;

/// Zeros written ahead of the entries, bytes.
const FILL: u64 = 1 << 20;

/// The ledger is rewritten once it has this size, bytes.
const REWRITE_AT: u64 = 3 << 20;

/// How long entries that nobody waits for may stay unflushed.
const LAZY_FLUSH: Duration = Duration::from_millis(20);

enum Command {
    Append(Vec<Entry>),
    Replace(Vec<Entry>),
}

/// Hands entries to the thread. Dropping it flushes and ends the thread.
#[derive(Debug)]
pub(crate) struct Ledger {
    commands: Option<Sender<Command>>,
    size: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// Reads what the last agent has left.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(frame::decode_all(&bytes).0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::DataDir {
            path: path.to_owned(),
            source,
        }),
    }
}

impl Ledger {
    /// Begins a new file with `entries`. `on_flushed` hears how many appended entries have become durable, in order; or
    /// why nothing is durable any more.
    pub(crate) fn start(
        path: &Path,
        entries: &[Entry],
        on_flushed: impl Fn(Result<usize, Error>) + Send + 'static,
    ) -> Result<Self, Error> {
        let size = Arc::<AtomicU64>::default();
        let file = LedgerFile::create(path, entries, Arc::clone(&size)).map_err(|source| {
            Error::DataDir {
                path: path.to_owned(),
                source,
            }
        })?;
        let (commands, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("akkaflow-ledger".to_owned())
            .spawn(move || {
                let path = file.path.clone();
                if let Err(source) = write_all(file, &receiver, &on_flushed) {
                    on_flushed(Err(Error::Ledger { path, source }));
                }
            })
            .map_err(|source| Error::DataDir {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            commands: Some(commands),
            size,
            thread: Some(thread),
        })
    }

    /// Appends entries.
    pub(crate) fn append(&self, entries: Vec<Entry>) {
        self.send(Command::Append(entries));
    }

    /// Whether it is time for [`Ledger::replace`].
    pub(crate) fn is_long(&self) -> bool {
        self.size.load(Ordering::Relaxed) > REWRITE_AT
    }

    /// Begins a new file with these entries instead of all before.
    pub(crate) fn replace(&self, entries: Vec<Entry>) {
        // Not again before the thread has come to it.
        self.size.store(0, Ordering::Relaxed);
        self.send(Command::Replace(entries));
    }

    fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // When the thread is gone it has said why.
            let _ = commands.send(command);
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(
    mut file: LedgerFile,
    commands: &Receiver<Command>,
    on_flushed: &impl Fn(Result<usize, Error>),
) -> io::Result<()> {
    let mut unflushed = 0;
    loop {
        let patience = if unflushed > 0 {
            LAZY_FLUSH
        } else {
            Duration::from_secs(3600)
        };
        let first = match commands.recv_timeout(patience) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                return if unflushed > 0 { file.flush() } else { Ok(()) };
            }
        };
        let mut must_flush = first.is_none();
        for command in first.into_iter().chain(commands.try_iter()) {
            match command {
                Command::Append(entries) => {
                    must_flush |= entries.iter().any(Entry::is_urgent);
                    unflushed += entries.len();
                    file.append(&entries)?;
                }
                Command::Replace(entries) => {
                    file = LedgerFile::create(&file.path, &entries, Arc::clone(&file.size))?;
                }
            }
        }
        if must_flush && unflushed > 0 {
            file.flush()?;
            on_flushed(Ok(unflushed));
            unflushed = 0;
        }
    }
}

struct LedgerFile {
    path: PathBuf,
    file: File,
    at: u64,
    filled: u64,
    size: Arc<AtomicU64>,
}

impl LedgerFile {
    /// Writes a new file durably in the place of the old one.
    fn create(path: &Path, entries: &[Entry], size: Arc<AtomicU64>) -> io::Result<Self> {
        let temporary = path.with_extension("new");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)?;
        let mut ledger = Self {
            path: path.to_owned(),
            file,
            at: 0,
            filled: 0,
            size,
        };
        ledger.fill(FILL)?;
        ledger.append(entries)?;
        ledger.file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        let parent = path.parent().unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()?;
        Ok(ledger)
    }

    fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for entry in entries {
            frame::encode(&mut bytes, entry);
        }
        let end = self.at + bytes.len() as u64;
        if end > self.filled {
            self.fill(end - self.filled + FILL)?;
        }
        self.file.write_all_at(&bytes, self.at)?;
        self.at = end;
        self.size.store(end, Ordering::Relaxed);
        Ok(())
    }

    fn fill(&mut self, length: u64) -> io::Result<()> {
        let zeros = vec![0; 64 << 10];
        let end = self.filled + length;
        while self.filled < end {
            self.file.write_all_at(&zeros, self.filled)?;
            self.filled += zeros.len() as u64;
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_model::id::{AttemptKey, Epoch, Incarnation, InstanceId};

    use super::*;

    fn accepted(attempt: u32) -> Entry {
        Entry::Accepted {
            key: AttemptKey {
                instance: InstanceId::from_u128(1),
                node: "a".into(),
                run: 1,
                attempt,
            },
            epoch: Epoch(1),
            incarnation: Incarnation(1),
        }
    }

    #[test]
    fn entries_are_confirmed_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger");
        let (sender, receiver) = mpsc::channel();
        let ledger = Ledger::start(&path, &[accepted(0)], move |flushed| {
            sender.send(flushed.unwrap()).unwrap();
        })
        .unwrap();
        ledger.append(vec![accepted(1), accepted(2)]);
        assert_eq!(receiver.recv_timeout(Duration::from_secs(10)).unwrap(), 2);
        assert_eq!(read(&path).unwrap(), [0, 1, 2].map(accepted));
        drop(ledger);
        assert_eq!(read(&path).unwrap(), [0, 1, 2].map(accepted));
    }

    #[test]
    fn a_replaced_ledger_holds_only_what_is_left_and_what_came_after() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger");
        let ledger = Ledger::start(&path, &[], |_| {}).unwrap();
        ledger.append((0..100).map(accepted).collect());
        ledger.replace(vec![accepted(200)]);
        ledger.append(vec![accepted(201)]);
        drop(ledger);
        assert_eq!(read(&path).unwrap(), [200, 201].map(accepted));
    }

    #[test]
    fn an_entry_that_nobody_waits_for_is_confirmed_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let (sender, receiver) = mpsc::channel();
        let ledger = Ledger::start(&directory.path().join("ledger"), &[], move |flushed| {
            sender.send(flushed.unwrap()).unwrap();
        })
        .unwrap();
        let Entry::Accepted { key, .. } = accepted(1) else {
            unreachable!()
        };
        ledger.append(vec![Entry::Forgotten { key }]);
        assert_eq!(receiver.recv_timeout(Duration::from_secs(10)).unwrap(), 1);
    }

    #[test]
    fn no_ledger_is_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(&directory.path().join("ledger")).unwrap(), []);
    }
}
