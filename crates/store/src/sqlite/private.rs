//! Files that only their owner reads: parameters and output of workflows hold what others shall not see.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// What the owner alone may do.
const OWNER_ALONE: u32 = 0o600;

/// Makes a database file, empty as yet, or takes away what others may do with one of an earlier version and with what lies beside
/// it. SQLite gives its companions the permissions of the file itself.
pub(super) fn make(path: &Path) -> io::Result<()> {
    // One that is there is not opened: to close it again would give up the locks that this process may hold on it.
    if !path.exists() {
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(OWNER_ALONE);
        options.open(path)?;
    }
    for ending in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(ending);
        close(Path::new(&file))?;
    }
    Ok(())
}

fn close(file: &Path) -> io::Result<()> {
    match file.metadata() {
        Ok(data) if data.permissions().mode() & 0o077 != 0 => {
            std::fs::set_permissions(file, Permissions::from_mode(OWNER_ALONE))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
