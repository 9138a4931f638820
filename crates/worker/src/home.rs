//! The data directory: who we are, and where things lie.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use akkaflow_model::id::{AttemptKey, Incarnation};
use rustix::fs::{FlockOperation, flock};

use crate::clock;
use crate::error::Error;

/// A directory's name has at most 255 bytes; longer ids end in a checksum.
const MAX_ID: usize = 200;

/// The data directory, held by this process alone.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// Takes possession of the directory, creating it if need be.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::DataDir { path, source }
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder
            .create(path.join("attempts"))
            .map_err(failed(path))?;
        // The supervisor and the children must find it whatever their own directory is.
        let path = path.canonicalize().map_err(failed(path))?;
        let lock_path = path.join("worker.lock");
        let mut lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(failed(&lock_path))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let pid = fs::read_to_string(&lock_path)
                .ok()
                .and_then(|text| text.trim().parse().ok());
            return Err(Error::InUse { path, pid });
        }
        // A full disk lets files be created; only a write tells.
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .and_then(|()| lock.sync_data())
            .map_err(failed(&lock_path))?;
        Ok(Self { path, _lock: lock })
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// Files that masters have sent.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path.join("cache")
    }

    /// The stable name of this worker, drawn at the first start.
    pub(crate) fn worker_id(&self, wanted: Option<&str>, host: &str) -> Result<String, Error> {
        let path = self.path.join("worker-id");
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::DataDir {
                    path,
                    source: error,
                });
            }
            _ => {}
        }
        let id = wanted.map_or_else(
            || format!("{host}-{:06x}", rand::random::<u32>() & 0xff_ffff),
            str::to_owned,
        );
        let written = File::create(&path).and_then(|mut file| {
            writeln!(file, "{id}")?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(id),
            Err(source) => Err(Error::DataDir { path, source }),
        }
    }

    /// Names this start: more than every earlier one, also when the clock was set back or the directory is a new one.
    pub(crate) fn next_incarnation(&self) -> Result<Incarnation, Error> {
        let path = self.path.join("incarnation");
        let earlier: u64 = fs::read_to_string(&path)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or_default();
        let now = u64::try_from(clock::wall_ms()).unwrap_or_default();
        let next = now.max(earlier + 1);
        let draft = self.path.join("incarnation.new");
        let written = File::create(&draft)
            .and_then(|mut file| {
                writeln!(file, "{next}")?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&draft, &path))
            .and_then(|()| File::open(&self.path)?.sync_all());
        match written {
            Ok(()) => Ok(Incarnation(next)),
            Err(source) => Err(Error::DataDir { path, source }),
        }
    }

    /// Where the attempt with this id keeps its things.
    pub(crate) fn attempt(&self, id: &str) -> AttemptHome {
        AttemptHome(self.path.join("attempts").join(id))
    }

    /// The ids of all attempts that have a directory.
    pub(crate) fn attempts(&self) -> Vec<String> {
        fs::read_dir(self.path.join("attempts"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }
}

/// The name of the machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The directory of one attempt: its spool, and inside it its private working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptHome(PathBuf);

impl AttemptHome {
    /// The one at this place.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Creates it and the working directory.
    pub(crate) fn create(&self) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        for path in [&self.0, &self.work()] {
            match builder.create(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The directory that the attempt works in.
    pub(crate) fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// Standard output.
    pub(crate) fn out(&self) -> PathBuf {
        self.0.join("out")
    }

    /// Standard error.
    pub(crate) fn err(&self) -> PathBuf {
        self.0.join("err")
    }

    /// What a script hands on to later nodes.
    pub(crate) fn outputs(&self) -> PathBuf {
        self.0.join("outputs")
    }

    /// What must not be seen in the output of its process.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.0.join("secrets")
    }

    /// What an action or we ourselves report.
    pub(crate) fn lines(&self) -> PathBuf {
        self.0.join("lines")
    }

    /// Which pieces of the output were sent, and how far they were acknowledged.
    pub(crate) fn sent(&self) -> PathBuf {
        self.0.join("sent")
    }

    /// Removes it with everything inside.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// The name of an attempt in the file system and to the supervisor: the same after every restart.
pub(crate) fn attempt_id(key: &AttemptKey) -> String {
    let mut id = format!("{}-{}.{}-", key.instance, key.run, key.attempt);
    for byte in key.node.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            id.push(char::from(byte));
        } else {
            id.push_str(&format!("%{byte:02x}"));
        }
    }
    if id.len() > MAX_ID {
        let checksum = crc32c::crc32c(key.node.as_bytes());
        id.truncate(MAX_ID);
        id.push_str(&format!("~{checksum:08x}{}", key.node.len()));
    }
    id
}

#[cfg(test)]
mod tests {
    use akkaflow_model::id::InstanceId;

    use super::*;

    fn id_of(node: &str) -> String {
        attempt_id(&AttemptKey {
            instance: InstanceId::from_u128(1),
            node: node.into(),
            run: 1,
            attempt: 2,
        })
    }

    #[test]
    fn ids_are_file_names_whatever_the_node_is_called() {
        assert_eq!(
            id_of("a/../抽"),
            "00000000-0000-0000-0000-000000000001-1.2-a%2f%2e%2e%2f%e6%8a%bd"
        );
        let long = id_of(&"数".repeat(200));
        assert!(long.len() < 255, "{long}");
        assert_ne!(long, id_of(&"数".repeat(201)));
    }

    #[test]
    fn a_second_worker_on_the_same_directory_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let first = Home::open(directory.path()).unwrap();
        assert!(matches!(
            Home::open(directory.path()),
            Err(Error::InUse { .. })
        ));
        drop(first);
        Home::open(directory.path()).unwrap();
    }

    #[test]
    fn the_worker_keeps_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap();
        let id = home.worker_id(None, "host").unwrap();
        assert!(id.starts_with("host-"), "{id}");
        assert_eq!(home.worker_id(Some("other"), "host").unwrap(), id);
    }

    #[test]
    fn every_start_has_a_greater_incarnation() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap();
        let first = home.next_incarnation().unwrap();
        let later = Incarnation(first.0 + 1_000_000);
        fs::write(directory.path().join("incarnation"), later.0.to_string()).unwrap();
        assert_eq!(home.next_incarnation().unwrap(), Incarnation(later.0 + 1));
    }

    #[test]
    fn a_file_in_the_way_of_the_data_directory_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "").unwrap();
        let message = Home::open(&path).unwrap_err().to_string();
        assert!(message.contains(&*path.to_string_lossy()), "{message}");
    }
}
