//! Where SQLite is safe: on a local disk that this user can write.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use akkaflow_model::text::Text;

use crate::error::Error;

/// File systems whose locks or whose order of writes cannot be relied on, by the number that `statfs` reports.
#[cfg(target_os = "linux")]
const REMOTE: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x517b, "SMB"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x786f_4256, "a VirtualBox share"),
];

/// Bytes that a probe writes: a new database needs about as much.
const PROBE: usize = 256 * 1024;

/// Creates the directory if need be and makes sure that a database can live there.
pub(crate) fn prepare(directory: &Path) -> Result<(), Error> {
    let shown = directory.display();
    fs::create_dir_all(directory).map_err(|error| {
        Error::unsuitable_because(
            Text::new(
                format!("无法创建数据目录{shown}"),
                format!("cannot create the data directory {shown}"),
            ),
            Text::new(
                "请创建该目录并授予当前用户写权限，或更换目录",
                "create it, writable for this user, or choose another",
            ),
            error,
        )
    })?;
    refuse_remote(directory)?;
    probe(directory).map_err(|error| {
        Error::unsuitable_because(
            Text::new(
                format!("无法写入数据目录{shown}"),
                format!("cannot write in the data directory {shown}"),
            ),
            Text::new(
                "请清理磁盘空间、授予当前用户写权限，或更换目录",
                "free some space, make it writable for this user, or choose another",
            ),
            error,
        )
    })
}

#[cfg(target_os = "linux")]
fn refuse_remote(directory: &Path) -> Result<(), Error> {
    let shown = directory.display();
    let found = rustix::fs::statfs(directory).map_err(|error| {
        Error::unsuitable_because(
            Text::new(
                format!("无法识别{shown}所在的文件系统"),
                format!("cannot tell the file system of {shown}"),
            ),
            Text::new("请更换目录", "choose another directory"),
            error,
        )
    })?;
    match remote_name(found.f_type as u32) {
        None => Ok(()),
        Some(name) => Err(Error::unsuitable(
            Text::new(
                format!("数据目录{shown}位于{name}上，SQLite在其上可能丢失数据"),
                format!("the data directory {shown} lies on {name}, where SQLite can lose data"),
            ),
            Text::new(
                "请选择本地磁盘上的目录，或使用MySQL",
                "choose a directory on a local disk, or use MySQL",
            ),
        )),
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_remote(_directory: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn remote_name(number: u32) -> Option<&'static str> {
    REMOTE
        .iter()
        .find(|(known, _)| *known == number)
        .map(|(_, name)| *name)
}

/// Finds a full disk or a directory without rights before SQLite does, whose messages name no path.
fn probe(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(format!(".probe-{}", std::process::id()));
    let outcome = fs::File::create(&path).and_then(|mut file| file.write_all(&[0; PROBE]));
    let removed = fs::remove_file(&path);
    outcome.and(removed)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_refused_by_name() {
        assert_eq!(remote_name(0x6969), Some("NFS"));
        assert_eq!(remote_name(0x6573_5546), Some("FUSE"));
        assert_eq!(remote_name(0xef53), None);
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_named() {
        let path = std::env::current_exe().unwrap().join("data");
        let message = prepare(&path).unwrap_err().to_string();
        assert!(message.contains(path.to_str().unwrap()), "{message}");
    }
}
