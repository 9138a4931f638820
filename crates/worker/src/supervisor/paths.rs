//! Where the supervisor of a data directory keeps its files, and where it listens.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What the supervisor itself has to say.
pub(crate) const LOG_FILE: &str = "log";

/// Held while a supervisor lives.
pub(super) const LOCK_FILE: &str = "lock";

/// The exit records.
pub(super) const EXITS_FILE: &str = "exits";

/// Says where the socket is.
const ADDRESS_FILE: &str = "address";

/// A socket's path has at most 107 bytes on Linux.
const MAX_SOCKET_PATH: usize = 107;

/// The supervisor's own directory.
pub(crate) fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("supervisor")
}

/// Makes it. The data directory itself must be there: one that was removed is not brought back.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn create_directory(data_dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory(data_dir)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Where the supervisor of `data_dir` said that it listens.
///
/// # Errors
/// When none has ever said so.
pub(crate) fn socket_address(data_dir: &Path) -> io::Result<PathBuf> {
    let bytes = std::fs::read(directory(data_dir).join(ADDRESS_FILE))?;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(&bytes)))
}

/// Chooses where to listen and says so. The long way round is for data directories whose path is too long for a socket.
pub(super) fn announce_address(directory: &Path) -> io::Result<PathBuf> {
    let usual = directory.join("socket");
    let address = if usual.as_os_str().len() <= MAX_SOCKET_PATH {
        usual
    } else {
        short_directory(directory)?.join("socket")
    };
    let temporary = directory.join("address.new");
    std::fs::write(&temporary, address.as_os_str().as_bytes())?;
    std::fs::rename(temporary, directory.join(ADDRESS_FILE))?;
    Ok(address)
}

fn short_directory(directory: &Path) -> io::Result<PathBuf> {
    let uid = rustix::process::getuid().as_raw();
    let digest = crc32c::crc32c(directory.as_os_str().as_bytes());
    let short = Path::new("/tmp").join(format!("akkaflow-{uid}-{digest:08x}"));
    match DirBuilder::new().mode(0o700).create(&short) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = std::fs::symlink_metadata(&short)?;
    if !found.is_dir() || found.uid() != uid || found.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} belongs to somebody else; remove it", short.display()),
        ));
    }
    Ok(short)
}

/// Only the owner may use the file.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(0o600))
}
