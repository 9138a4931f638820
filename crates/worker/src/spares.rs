//! Directories of ended attempts, emptied and kept for the next ones.
//!
//! Making and removing half a dozen inodes for each attempt is the dearest part of a short one, and worse than that on
//! ext4 without a journal, which searches long for inodes that were not used within the last minutes. A directory is
//! kept only when no process of its attempt can still have something of it open.

use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::home::{AttemptHome, Home};

/// More than a machine's slots at a time are hardly ever of use.
const MAX_SPARES: usize = 128;

/// Files of ours in the working directory: kept, empty, because the next attempt writes them too.
const OUR_PREFIX: &str = "akkaflow_";

/// The directories at hand.
#[derive(Debug)]
pub(crate) struct Spares {
    directory: PathBuf,
    ready: Mutex<Ready>,
}

#[derive(Debug, Default)]
struct Ready {
    spares: Vec<Spare>,
    made: u64,
}

#[derive(Debug)]
struct Spare {
    home: AttemptHome,
    leftovers: Vec<String>,
}

impl Spares {
    /// Begins with none; what an earlier agent has kept is removed.
    pub(crate) fn open(home: &Home) -> io::Result<Self> {
        let directory = home.path().join("spare");
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&directory)?;
        Ok(Self {
            directory,
            ready: Mutex::default(),
        })
    }

    /// Makes the directory of a new attempt, of a spare one if there is. The names of empty files that still lie in the
    /// working directory.
    pub(crate) fn take(&self, home: &AttemptHome) -> io::Result<Vec<String>> {
        let spare = self.lock().spares.pop();
        if let Some(spare) = spare {
            if fs::rename(spare.home.path(), home.path()).is_ok() {
                return Ok(spare.leftovers);
            }
            let _ = spare.home.remove();
        }
        home.create()?;
        Ok(Vec::new())
    }

    /// Keeps the directory of an attempt whose processes are all gone, or removes it.
    pub(crate) fn put(&self, home: &AttemptHome) -> io::Result<()> {
        let name = {
            let mut ready = self.lock();
            ready.made += 1;
            (ready.spares.len() < MAX_SPARES).then_some(ready.made)
        };
        let Some(name) = name else {
            return home.remove();
        };
        let Ok(leftovers) = empty(home) else {
            return home.remove();
        };
        let kept = AttemptHome::at(self.directory.join(name.to_string()));
        if fs::rename(home.path(), kept.path()).is_err() {
            return home.remove();
        }
        self.lock().spares.push(Spare {
            home: kept,
            leftovers,
        });
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves nothing of an attempt's content. Fails when something is not as we made it: a script may have done anything.
fn empty(home: &AttemptHome) -> io::Result<Vec<String>> {
    for path in [
        home.out(),
        home.err(),
        home.sent(),
        home.lines(),
        home.outputs(),
        home.secrets(),
    ] {
        match fs::symlink_metadata(&path) {
            Ok(found) => truncate(&path, &found)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let work = home.work();
    let found = fs::symlink_metadata(&work)?;
    if !found.is_dir() {
        return Err(strange(&work));
    }
    if found.mode() & 0o7777 != 0o700 {
        fs::set_permissions(&work, Permissions::from_mode(0o700))?;
    }
    let mut leftovers = Vec::new();
    for entry in fs::read_dir(&work)? {
        let entry = entry?;
        let path = entry.path();
        let found = entry.metadata()?;
        match entry.file_name().into_string() {
            Ok(name) if name.starts_with(OUR_PREFIX) && is_ours(&found) => {
                truncate(&path, &found)?;
                leftovers.push(name);
            }
            _ if found.is_dir() => fs::remove_dir_all(path)?,
            _ => fs::remove_file(path)?,
        }
    }
    Ok(leftovers)
}

fn truncate(path: &Path, found: &Metadata) -> io::Result<()> {
    if !is_ours(found) {
        return Err(strange(path));
    }
    if found.len() > 0 {
        File::options().write(true).open(path)?.set_len(0)?;
    }
    Ok(())
}

/// A plain file that has no other name.
fn is_ours(found: &Metadata) -> bool {
    found.is_file() && found.nlink() == 1
}

fn strange(path: &Path) -> io::Error {
    io::Error::other(format!("{} is not as it was made", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home_with_spares() -> (tempfile::TempDir, Home, Spares) {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap();
        let spares = Spares::open(&home).unwrap();
        (directory, home, spares)
    }

    #[test]
    fn a_kept_directory_holds_nothing_of_the_attempt_before() {
        let (_directory, home, spares) = home_with_spares();
        let first = home.attempt("first");
        assert_eq!(spares.take(&first).unwrap(), [""; 0]);
        fs::write(first.out(), "secret").unwrap();
        fs::write(first.work().join("akkaflow_run"), "secret").unwrap();
        fs::write(first.work().join("theirs"), "secret").unwrap();
        fs::create_dir_all(first.work().join("a/b")).unwrap();
        spares.put(&first).unwrap();
        assert!(!first.path().exists());
        let second = home.attempt("second");
        assert_eq!(spares.take(&second).unwrap(), ["akkaflow_run"]);
        assert_eq!(fs::read(second.out()).unwrap(), b"");
        let left: Vec<_> = fs::read_dir(second.work())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["akkaflow_run"]);
        assert_eq!(fs::read(second.work().join("akkaflow_run")).unwrap(), b"");
    }

    #[test]
    fn a_directory_that_a_script_has_tampered_with_is_not_kept() {
        let (directory, home, spares) = home_with_spares();
        let elsewhere = directory.path().join("elsewhere");
        fs::write(&elsewhere, "precious").unwrap();
        let first = home.attempt("first");
        spares.take(&first).unwrap();
        std::os::unix::fs::symlink(&elsewhere, first.out()).unwrap();
        spares.put(&first).unwrap();
        assert!(!first.path().exists());
        assert_eq!(fs::read(elsewhere).unwrap(), b"precious");
        assert_eq!(spares.lock().spares.len(), 0);
    }
}
