//! Files of a `transfer` that lie elsewhere: on another machine, against a real sshd on loopback, and at an address of the web.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use akkaflow_actions::ActionError;
use akkaflow_model::file_links::FileAccess;

use crate::ssh::ssh;
use crate::support::{Bench, Database, check, parse, row, sqlite};
use crate::web::Web;

async fn prepared(access: FileAccess) -> (Bench, Database) {
    let database = sqlite();
    database
        .execute(&[
            "create table s(id int primary key, name varchar(80))",
            "create table t(id int primary key, name varchar(80))",
            "with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000) \
             insert into s select x, '名称' || x from c",
        ])
        .await;
    let mut bench = Bench::with(&[&database]);
    bench.file_links.insert(access.link.name.clone(), access);
    (bench, database)
}

fn write_to(path: &str, attributes: &str) -> String {
    format!(
        "<transfer><source type='DB' db-link='sqlite'>select * from s order by id</source>\
         <target type='FILE' file-link='etl' path='{path}' {attributes}/></transfer>"
    )
}

fn read_from(path: &str, attributes: &str) -> String {
    format!(
        "<transfer><source type='FILE' {attributes}>{path}</source>\
         <target type='DB' db-link='sqlite' table='t' is-pre-truncate='true'/></transfer>"
    )
}

async fn same_rows(database: &Database) -> String {
    let same = "select count(*) from s join t on t.id = s.id and t.name = s.name";
    database.text(same).await
}

/// What stands in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn rows_go_to_another_machine_and_come_back_in_every_format() {
    let Some(access) = ssh() else { return };
    let (bench, database) = prepared(access).await;
    for (file, format) in [
        ("new/deep/a.txt", ""),
        ("new/deep/b.csv.gz", "format='csv' encoding='GB18030'"),
        ("new/deep/c.jsonl", "format='jsonl' compression='zstd'"),
        ("new/deep/d.parquet", "format='parquet'"),
    ] {
        let path = bench.path(file);
        bench.run(&write_to(&path, format)).await.unwrap();
        database.execute(&["delete from t"]).await;
        let from = format!("file-link='etl' {format}");
        bench.run(&read_from(&path, &from)).await.unwrap();
        assert_eq!(same_rows(&database).await, "20000", "{file}");
    }
    assert_eq!(
        names(&bench.directory.path().join("new/deep")),
        ["a.txt", "b.csv.gz", "c.jsonl", "d.parquet"]
    );
    // From there to there, with both ends at once.
    let (from, to) = (bench.path("new/deep/a.txt"), bench.path("copy.txt"));
    let body = format!(
        "<transfer><source type='FILE' file-link='etl'>{from}</source><target type='FILE' file-link='etl' path='{to}'/></transfer>"
    );
    bench.run(&body).await.unwrap();
    assert_eq!(std::fs::read(from).unwrap(), std::fs::read(to).unwrap());
    assert!(!bench.log().contains("Warn"), "{}", bench.log());
}

#[tokio::test]
async fn a_file_there_keeps_its_mode_and_its_links_and_is_a_regular_file() {
    let Some(access) = ssh() else { return };
    let (bench, _database) = prepared(access).await;
    let real = bench.path("real.txt");
    std::fs::write(&real, "old").unwrap();
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, bench.path("link.txt")).unwrap();
    bench
        .run(&write_to(&bench.path("link.txt"), ""))
        .await
        .unwrap();
    let link = std::fs::symlink_metadata(bench.path("link.txt")).unwrap();
    assert!(link.is_symlink());
    let mode = std::fs::metadata(&real).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_ne!(std::fs::read(&real).unwrap(), b"old");
    std::os::unix::fs::symlink("nowhere", bench.path("dangling")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("socket")).unwrap();
    for (name, words) in [
        ("socket", "is no regular file"),
        ("dangling", "no such file"),
        ("", "is a directory"),
    ] {
        let said = bench.failure(&write_to(&bench.path(name), "")).await;
        assert!(said.contains(words) && said.contains("etl:"), "{said}");
    }
}

#[tokio::test]
async fn a_failure_there_leaves_the_old_file_and_nothing_else() {
    let Some(access) = ssh() else { return };
    let (bench, database) = prepared(access).await;
    database
        .execute(&["update s set name = 'a' || char(9) || 'b' where id = 19999"])
        .await;
    let out = bench.directory.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("a.txt"), "old").unwrap();
    let path = bench.path("out/a.txt");
    let said = bench.failure(&write_to(&path, "")).await;
    assert!(said.contains("row 19999, column `name`"), "{said}");
    assert_eq!(names(&out), ["a.txt"]);
    assert_eq!(std::fs::read(out.join("a.txt")).unwrap(), b"old");
    // A command that must find it gone does, and nothing is put there when it fails.
    let body = write_to(&path, "is-pre-del='true'").replace(
        "/></transfer>",
        &format!("><pre>! test -e {path}; exit 3</pre></target></transfer>"),
    );
    bench.failure(&body).await;
    assert_eq!(names(&out), [""; 0]);
    let said = bench.failure(&read_from(&path, "file-link='etl'")).await;
    assert!(
        said.contains("etl:") && said.contains("no such file"),
        "{said}"
    );
    let said = bench.failure(&read_from("/", "file-link='etl'")).await;
    assert!(said.contains("is a directory"), "{said}");
    let said = bench.failure(&read_from("/x", "file-link='gone'")).await;
    assert!(
        said.contains("file-link `gone` is not configured"),
        "{said}"
    );
}

#[tokio::test]
async fn a_machine_that_cannot_replace_files_at_once_is_written_to_and_the_log_says_so() {
    let Some(mut access) = ssh() else { return };
    let key = std::env::var("AKKAFLOW_TEST_SSH_KEY").unwrap();
    let key = std::fs::read_to_string(Path::new(&key).with_file_name("plain")).unwrap();
    access.private_key = akkaflow_model::db_links::Secret::new(key);
    let (bench, _database) = prepared(access).await;
    let out = bench.directory.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let body = write_to(&bench.path("out/a.txt"), "");
    bench.run(&body).await.unwrap();
    assert!(!bench.log().contains("posix-rename"), "{}", bench.log());
    let whole = std::fs::read(out.join("a.txt")).unwrap();
    std::fs::write(out.join("a.txt"), "old").unwrap();
    bench.run(&body).await.unwrap();
    assert_eq!(std::fs::read(out.join("a.txt")).unwrap(), whole);
    assert_eq!(names(&out), ["a.txt"]);
    assert!(
        bench
            .log()
            .contains("does not know posix-rename@openssh.com")
            && bench.log().contains("对方不支持posix-rename@openssh.com"),
        "{}",
        bench.log()
    );
}

#[tokio::test]
async fn a_cancelled_transfer_removes_what_it_wrote_there() {
    let Some(access) = ssh() else { return };
    let (bench, _database) = prepared(access).await;
    let out = bench.directory.path().join("out");
    std::fs::create_dir(&out).unwrap();
    // The source waits for somebody to write into a pipe.
    let pipe = bench.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let path = bench.path("out/a.txt");
    let body = format!(
        "<transfer><source type='FILE'>{pipe}</source><target type='FILE' file-link='etl' path='{path}'/></transfer>"
    );
    let (seen, cancel) = (out.clone(), bench.cancel.clone());
    let writer = std::thread::spawn(move || {
        let mut file = std::fs::File::create(&pipe).unwrap();
        file.write_all("1\tx\n".repeat(500_000).as_bytes()).unwrap();
        while names(&seen).is_empty() {
            std::thread::yield_now();
        }
        assert!(names(&seen)[0].ends_with(".part"), "{:?}", names(&seen));
        cancel.cancel();
        // Until nobody reads any more.
        while file.write_all(b"2\ty\n").is_ok() {}
    });
    assert_eq!(bench.run(&body).await, Err(ActionError::Cancelled));
    assert_eq!(names(&out), [""; 0]);
    writer.join().unwrap();
}

#[tokio::test]
async fn a_file_of_the_web_is_read_by_its_name_and_by_what_the_server_says() {
    let database = sqlite();
    database
        .execute(&["create table t(id int, name varchar(80))"])
        .await;
    let bench = Bench::with(&[&database]);
    let csv = "id,name\n1,\"a, b\"\n2,名\n";
    let zipped = {
        let mut child = std::process::Command::new("gzip")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(csv.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap().stdout
    };
    let with_head = |head: &str, body: &[u8]| {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\n{head}content-length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{csv}\r\n0\r\n\r\n",
        csv.len()
    );
    for (path, answer) in [
        ("/a.csv?token=abcdef", with_head("", csv.as_bytes())),
        ("/a.csv.gz?x=1", with_head("", &zipped)),
        (
            "/a.csv.gz",
            with_head("content-encoding: gzip\r\n", &zipped),
        ),
        ("/a", with_head("content-encoding: gzip\r\n", &zipped)),
        ("/b", chunked.into_bytes()),
    ] {
        let web = Web::saying(answer);
        let address = format!("{}{path}", web.url);
        bench
            .run(&read_from(&address, "format='csv'"))
            .await
            .unwrap();
        assert_eq!(
            database.query("select * from t order by id").await,
            [row(&["1", "a, b"]), row(&["2", "名"])],
            "{path}"
        );
        assert!(web.asked()[0].starts_with(&format!("GET {path} HTTP/1.1")));
    }
    assert!(!bench.log().contains("Warn"), "{}", bench.log());
    let web = Web::saying(format!("HTTP/1.1 200 OK\r\n\r\n{csv}").into_bytes());
    bench
        .run(&read_from(&web.url, "format='csv'"))
        .await
        .unwrap();
    assert!(
        bench.log().contains("does not say how long it is"),
        "{}",
        bench.log()
    );
}

#[tokio::test]
async fn what_the_web_does_not_give_whole_changes_nothing_and_secrets_stay_hidden() {
    let database = sqlite();
    database
        .execute(&[
            "create table t(id int, name varchar(80))",
            "insert into t values (1, 'old')",
        ])
        .await;
    let bench = Bench::with(&[&database]);
    let rows = "7,x\n".repeat(10_000);
    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\nid,name\n{rows}");
    let cut_chunk = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\nid,name\n{rows}\r\n",
        rows.len() + 8
    );
    for (answer, words) in [
        (cut, "end of file before message length reached"),
        (cut_chunk, "***"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(), "answered 404, expected 200"),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://there/?token=secret-word\r\ncontent-length: 0\r\n\r\n".to_owned(),
            "answered 302, it leads to http://there/?token=***",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 1\r\n\r\nx".to_owned(),
            "is compressed by br",
        ),
    ] {
        let web = Web::saying(answer.into_bytes());
        let address = web.url.replace("http://", "http://me:secret-too@") + "/x?token=secret-word";
        let said = bench.failure(&read_from(&address, "format='csv'")).await;
        assert!(said.contains(words) && !said.contains("secret-"), "{said}");
        assert_eq!(database.query("select * from t").await, [row(&["1", "old"])]);
    }
}

#[test]
fn places_are_checked_and_say_which_links_they_need() {
    let body = "<transfer><source type='FILE' file-link='a'>/x</source><target type='FILE' file-link='b' path='/y'/></transfer>";
    assert_eq!(parse(body).file_links(), ["a", "b"]);
    let body = body.replace("'b'", "'local'");
    assert_eq!(parse(&body).file_links(), ["a"]);
    let findings = |body: &str| {
        let (action, diagnostics) = check(body);
        let found = diagnostics
            .iter()
            .map(|finding| format!("{} {}", finding.code, &body[finding.span.range()]));
        (action.is_some(), found.collect::<Vec<_>>().join(", "))
    };
    let to_web = "<transfer><source type='FILE'>/x</source><target type='FILE' path='http://h/y'/></transfer>";
    assert_eq!(findings(to_web), (false, "AF511 http://h/y".to_owned()));
    let with_link = "<transfer><source type='FILE' file-link='a'>https://h/y</source><target type='FILE' path='y'/></transfer>";
    assert_eq!(findings(with_link), (true, "AF504 file-link".to_owned()));
}

/// A name that `out.csv` has while an attempt of a node of the bench's instance writes it.
fn left(node: &str, run_and_attempt: &str) -> String {
    let node = crc32c::crc32c(node.as_bytes());
    format!(".out.csv.00000007-{node:08x}-{run_and_attempt}.part")
}

#[tokio::test]
async fn what_killed_attempts_left_is_removed_and_nothing_of_others_that_may_live() {
    let eight_days = std::time::Duration::from_secs(8 * 24 * 60 * 60);
    for link in [Some("etl"), None] {
        let access = match link {
            Some(_) => ssh(),
            None => Some(FileAccess::local()),
        };
        let Some(access) = access else { continue };
        let (bench, _database) = prepared(access).await;
        let directory = bench.directory.path().join("d");
        std::fs::create_dir(&directory).unwrap();
        let of_another = ".out.csv.0000abcd-00000001-1-1.part".to_owned();
        let old = ".out.csv.0000abcd-1-1.part".to_owned();
        let of_a_user = ".out.csv.notes.part".to_owned();
        let (gone, stays) = (
            [left("n", "1-1"), left("n", "1-9"), old.clone()],
            [
                left("n", "2-3"),
                left("m", "1-1"),
                of_another,
                of_a_user.clone(),
            ],
        );
        for name in gone.iter().chain(&stays) {
            let file = std::fs::File::create(directory.join(name)).unwrap();
            if [&old, &of_a_user].contains(&name) {
                let then = std::time::SystemTime::now() - eight_days;
                file.set_modified(then).unwrap();
            }
        }
        let file = directory.join("out.csv").to_string_lossy().into_owned();
        let body = match link {
            Some(_) => write_to(&file, ""),
            None => write_to("d/out.csv", "").replace("file-link='etl'", ""),
        };
        let mut attempt = bench.attempt();
        (attempt.key.run, attempt.key.attempt) = (2, 2);
        parse(&body).run(&attempt).await.unwrap();
        let mut expected = stays.to_vec();
        expected.push("out.csv".to_owned());
        expected.sort();
        assert_eq!(names(&directory), expected, "{}", bench.log());
        let told = bench.log().matches("had left").count();
        assert_eq!(told, gone.len(), "{}", bench.log());
    }
}
