use std::os::unix::fs::symlink;

use super::*;

/// What a scan finds, below its directory.
fn found(directory: &Path) -> Vec<String> {
    let files = scan(directory.to_owned()).files.into_keys();
    let files = files.map(PathBuf::from);
    files
        .map(|path| path.strip_prefix(directory).unwrap().display().to_string())
        .collect()
}

#[test]
fn a_directory_is_entered_once_whatever_links_lead_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("z/deep.xml")).unwrap();
    for file in ["a.xml", "z/b.XML", "z/deep.xml/c.xml", "z/notes.txt"] {
        std::fs::write(root.join(file), "").unwrap();
    }
    // With two such links a walk that follows them sees every file 65,536 times.
    for (target, link) in [(".", "one"), (".", "z/two"), ("z", "a-link")] {
        symlink(root.join(target), root.join(link)).unwrap();
    }
    assert_eq!(found(root), ["a.xml", "z/b.XML", "z/deep.xml/c.xml"]);
}

#[test]
fn what_cannot_be_read_is_found_and_what_is_hidden_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir(root.join(".idea")).unwrap();
    for file in [".idea/modules.xml", ".a.xml", "good.xml"] {
        std::fs::write(root.join(file), "").unwrap();
    }
    symlink("loop.xml", root.join("loop.xml")).unwrap();
    symlink("nowhere", root.join("dangling.xml")).unwrap();
    std::os::unix::net::UnixListener::bind(root.join("socket.xml")).unwrap();
    assert_eq!(
        found(root),
        ["dangling.xml", "good.xml", "loop.xml", "socket.xml"]
    );
}
