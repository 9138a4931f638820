//! Why a worker cannot work.

use std::io;
use std::path::PathBuf;

/// Why a worker cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data directory is of no use.
    #[error(
        "cannot use the data directory {}: give a writable directory on a disk with free space (--data-dir) / 数据目录不可用，请检查权限与磁盘空间",
        path.display()
    )]
    DataDir {
        /// What could not be used.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process is at home there.
    #[error(
        "another akkaflow process{} uses the data directory {}: stop it, or give this one a directory of its own (--data-dir) / 数据目录正被另一个akkaflow进程{}使用，请先停止它，或用--data-dir另选目录",
        pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default(),
        path.display(),
        pid.map(|pid| format!("（进程号{pid}）")).unwrap_or_default()
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// The other process, where it has said so.
        pid: Option<u32>,
    },
    /// No master was named.
    #[error("no master is configured: set worker.masters / 未配置master地址（worker.masters）")]
    NoMasters,
    /// The address of a master makes no sense.
    #[error("`{0}` is no address of a master, write host:port / master地址无效")]
    Address(String),
    /// The ledger could not be written: nothing that was promised since is certain.
    #[error("cannot write the ledger {}: the worker stops, its processes run on and are adopted by the next start / 无法写入账本，worker已停止", path.display())]
    Ledger {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}
