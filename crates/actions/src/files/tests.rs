use std::fs;

use akkaflow_connectors::{Content, FileEntry, Options};
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::*;

/// The paths that fit below a directory with these files.
async fn fitting(files: &[&str], pattern: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    for file in files {
        let path = directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    std::os::unix::fs::symlink(directory.path(), directory.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", directory.path().join("gone.csv")).unwrap();
    let root = directory.path().to_str().unwrap().to_owned();
    let options = Options {
        base_dir: directory.path().to_owned(),
    };
    let own = open_files(&FileAccess::local(), &options).await.unwrap();
    let found = walk(&*own, &Pattern::new(&root, pattern)).await.unwrap();
    let below = |file: &Found| file.path[root.len() + 1..].to_owned();
    found.iter().map(below).collect()
}

#[tokio::test]
async fn stars_stand_within_a_name_and_two_of_them_for_directories() {
    let files = [
        "a.csv",
        "b.txt",
        "x/a.csv",
        "x/y/a.csv",
        "x/y/b.csv",
        "z/y/a.csv",
    ];
    for (pattern, expected) in [
        ("a.csv", &["a.csv"][..]),
        ("*.csv", &["a.csv"]),
        ("x", &[]),
        ("*/a.csv", &["loop/a.csv", "x/a.csv"]),
        ("x/**/a.csv", &["x/a.csv", "x/y/a.csv"]),
        ("**/a.csv", &["a.csv", "x/a.csv", "x/y/a.csv", "z/y/a.csv"]),
        ("**/y/*.csv", &["x/y/a.csv", "x/y/b.csv", "z/y/a.csv"]),
        ("x/**", &["x/a.csv", "x/y/a.csv", "x/y/b.csv"]),
        ("**/**/b.*", &["b.txt", "x/y/b.csv"]),
        ("nowhere/*", &[]),
        ("a.csv/*", &[]),
    ] {
        assert_eq!(fitting(&files, pattern).await, expected, "{pattern}");
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_is_named() {
    struct Locked;
    #[async_trait]
    impl FileSystem for Locked {
        fn name(&self, path: &str) -> String {
            path.to_owned()
        }
        async fn list(&self, _: &str) -> io::Result<Vec<FileEntry>> {
            Err(io::Error::from(io::ErrorKind::PermissionDenied))
        }
        async fn content(
            self: Arc<Self>,
            _: &str,
            _: CancellationToken,
        ) -> Result<Content, akkaflow_connectors::Error> {
            unreachable!("nobody reads it")
        }
    }
    let error = walk(&Locked, &Pattern::new("", "/in/*")).await;
    let Err(ActionError::Retryable(text)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(text.en, "cannot look into /in: permission denied");
}

#[test]
fn a_mark_changes_with_name_size_and_time() {
    let file = |path: &str, bytes, seconds| Found {
        path: path.to_owned(),
        bytes,
        changed: Some(UNIX_EPOCH + std::time::Duration::from_secs(seconds)),
    };
    let sight = mark(&[file("/a", 1, 1)]);
    assert_eq!(mark(&[file("/a", 1, 1)]), sight);
    for other in [file("/b", 1, 1), file("/a", 2, 1), file("/a", 1, 2)] {
        assert_ne!(mark(&[other]), sight);
    }
    assert_ne!(mark(&[]), sight);
    assert_eq!(
        words(&[file("/x/a", 2, 1), file("/x/b", 3, 1)]),
        "a +1 (5 B)"
    );
}
