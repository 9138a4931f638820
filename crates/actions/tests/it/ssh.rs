//! `ssh`, and looking at the files of another machine: against a real sshd on loopback.

use std::path::Path;
use std::time::{Duration, Instant};

use akkaflow_actions::ActionError;
use akkaflow_model::db_links::Secret;
use akkaflow_model::file_links::{FileAccess, FileKind, FileLink};

use crate::support::{Bench, parse, server};

/// Far above the second that a process has to end by itself: machines that test are busy.
const LIMIT: Duration = Duration::from_secs(10);

/// The link `etl` to the server that there is.
pub(crate) fn ssh() -> Option<FileAccess> {
    let (address, user, _) = server("AKKAFLOW_TEST_SSH_URL")?;
    let (host, port) = address.rsplit_once(':').unwrap();
    let read = |variable| std::fs::read_to_string(std::env::var(variable).unwrap()).unwrap();
    Some(FileAccess {
        link: FileLink {
            name: "etl".to_owned(),
            kind: FileKind::Sftp,
            host: host.to_owned(),
            port: Some(port.parse().unwrap()),
            username: user,
            ..FileLink::local()
        },
        private_key: Secret::new(read("AKKAFLOW_TEST_SSH_KEY")),
        known_hosts: read("AKKAFLOW_TEST_SSH_KNOWN_HOSTS"),
        problem: String::new(),
    })
}

fn bench(access: FileAccess) -> Bench {
    let mut bench = Bench::new();
    bench.file_links.insert(access.link.name.clone(), access);
    bench
}

fn body(command: &str) -> String {
    format!("<ssh file-link='etl'><command><![CDATA[{command}]]></command></ssh>")
}

#[tokio::test]
async fn a_command_runs_there_with_its_outputs_and_hands_on() {
    let Some(access) = ssh() else { return };
    let bench = bench(access);
    let command = "\n  x='a  b'; echo \"名 $x\"\n  echo oops >&2; cat\n  printf 'akkaflow-output rows=4=2\\nno break'\n";
    let mut attempt = bench.attempt();
    attempt.outputs = vec!["rows".to_owned()];
    let outcome = parse(&body(command)).run(&attempt).await.unwrap();
    assert_eq!(outcome.outputs, [("rows".to_owned(), "4=2".to_owned())]);
    let log = bench.log();
    for line in ["Info 名 a  b", "Error oops", "Info no break"] {
        assert!(log.lines().any(|found| found == line), "{line}: {log}");
    }
}

#[tokio::test]
async fn an_exit_code_and_a_signal_are_failures_with_the_last_words() {
    let Some(access) = ssh() else { return };
    let bench = bench(access);
    let said = bench.failure(&body("echo no such table >&2; exit 7")).await;
    assert_eq!(said, "退出码 7: no such table / exit code 7: no such table");
    let said = bench.failure(&body("kill -9 $$")).await;
    assert!(said.contains("137") || said.contains("KILL"), "{said}");
    let said = bench.failure(&body("echo akkaflow-output rows")).await;
    assert!(said.contains("not name=value: rows"), "{said}");
}

#[tokio::test]
async fn a_host_is_trusted_by_its_key_only() {
    let Some(access) = ssh() else { return };
    let mut unknown = access.clone();
    unknown.known_hosts = "other.example ssh-ed25519 AAAA\n".to_owned();
    let said = bench(unknown).failure(&body("true")).await;
    assert!(
        said.contains("is not known") && said.contains("ssh-keyscan"),
        "{said}"
    );
    let mut changed = access.clone();
    // The user's own key in the place of the host's.
    let key =
        std::fs::read_to_string(std::env::var("AKKAFLOW_TEST_SSH_KEY").unwrap() + ".pub").unwrap();
    let host = access.known_hosts.split_whitespace().next().unwrap();
    changed.known_hosts = format!("{host} {key}");
    let bench = bench(changed);
    assert!(matches!(
        bench.run(&body("true")).await,
        Err(ActionError::Fatal(_))
    ));
    let said = bench.failure(&body("true")).await;
    assert!(said.contains("is not the one in known_hosts"), "{said}");
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_without_the_secret() {
    let Some(access) = ssh() else { return };
    let mut wrong = access.clone();
    wrong.private_key = Secret::default();
    wrong.link.password = Secret::new("wrong-password");
    let said = bench(wrong).failure(&body("true")).await;
    assert!(
        said.contains("does not take user") && !said.contains("wrong-password"),
        "{said}"
    );
    let mut broken = access.clone();
    broken.private_key = Secret::new("no key at all");
    let said = bench(broken).failure(&body("true")).await;
    assert!(
        said.contains("key-file") && !said.contains("no key at all"),
        "{said}"
    );
    let mut problem = access;
    problem.problem = "key-file /x: not there".to_owned();
    let said = bench(problem).failure(&body("true")).await;
    assert!(said.contains("key-file /x: not there"), "{said}");
    let said = Bench::new().failure(&body("true")).await;
    assert!(said.contains("config/file_links.xml"), "{said}");
}

/// A command that writes the ids of its processes and goes on for long, whatever it is told.
fn endless(pids: &str, trap: &str) -> String {
    body(&format!(
        "{trap}\nsleep 600 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait; sleep 601"
    ))
}

async fn wait_for_file(path: &str) {
    while !Path::new(path).exists() {
        tokio::task::yield_now().await;
    }
}

fn assert_gone(pids: &str) {
    let start = Instant::now();
    let pids = std::fs::read_to_string(pids).unwrap();
    for pid in pids.split_whitespace() {
        // Killed, though perhaps not yet collected by whoever inherits it.
        while std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
        {
            assert!(start.elapsed() < LIMIT, "{pid} lives on");
            std::thread::yield_now();
        }
    }
}

#[tokio::test]
async fn b8_a_killed_command_ends_there_with_its_children_even_if_it_will_not() {
    let Some(access) = ssh() else { return };
    for trap in ["", "trap '' TERM"] {
        let bench = bench(access.clone());
        let pids = bench.path("pids");
        let stop = async {
            wait_for_file(&pids).await;
            bench.cancel.cancel();
            Instant::now()
        };
        let body = endless(&pids, trap);
        let (result, since) = tokio::join!(bench.run(&body), stop);
        assert_eq!(result, Err(ActionError::Cancelled));
        assert!(since.elapsed() < LIMIT);
        let log = bench.log();
        assert!(
            !log.contains("Warn"),
            "the host has said that it is gone: {log}"
        );
        assert_gone(&pids);
    }
}

#[tokio::test]
async fn a_killed_command_ends_with_those_that_have_left_its_session() {
    let Some(access) = ssh() else { return };
    let bench = bench(access);
    let pids = bench.path("pids");
    let stop = async {
        wait_for_file(&pids).await;
        bench.cancel.cancel();
        Instant::now()
    };
    // One of them will not, and holds the output open.
    let body = body(&format!(
        "trap '' TERM\nsetsid sleep 602 & a=$!; (trap - TERM; exec setsid sleep 603 >/dev/null 2>&1) & \
         echo $$ $a $! > {pids}.new; mv {pids}.new {pids}; wait; sleep 604"
    ));
    let (result, since) = tokio::join!(bench.run(&body), stop);
    assert_eq!(result, Err(ActionError::Cancelled));
    assert!(since.elapsed() < LIMIT, "{:?}", since.elapsed());
    let log = bench.log();
    assert!(!log.contains("Warn"), "{log}");
    assert_gone(&pids);
}

#[tokio::test]
async fn a_command_ends_with_the_connection() {
    let Some(access) = ssh() else { return };
    let bench = bench(access);
    let pids = bench.path("pids");
    let body = endless(&pids, "");
    tokio::select! {
        result = bench.run(&body) => panic!("it ended by itself: {result:?}"),
        // The attempt is dropped where it stands, and the connection with it.
        () = wait_for_file(&pids) => {}
    }
    tokio::task::spawn_blocking(move || assert_gone(&pids))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_child_that_goes_on_holds_up_nobody() {
    let Some(access) = ssh() else { return };
    let bench = bench(access);
    let pids = bench.path("pids");
    let start = Instant::now();
    bench
        .run(&body(&format!("sleep 600 & echo $! > {pids}")))
        .await
        .unwrap();
    assert!(start.elapsed() < LIMIT);
    let pid = std::fs::read_to_string(&pids).unwrap();
    assert!(
        std::process::Command::new("kill")
            .arg(pid.trim())
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn files_of_the_other_machine_are_looked_at() {
    let Some(access) = ssh() else { return };
    let bench = bench(access);
    for file in ["in/a/orders_1.csv", "in/b/c/orders_2.csv", "in/other.csv"] {
        let path = bench.directory.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "12345").unwrap();
    }
    std::os::unix::fs::symlink("nowhere", bench.path("in/orders_3.csv")).unwrap();
    let file = bench.path("in/**/orders_*.csv");
    let monitor = format!(
        "<file-monitor><file file-link='etl' min-num='2' min-each-size='5B'>{file}</file></file-monitor>"
    );
    let said = bench.failure(&monitor).await;
    assert!(said.contains("orders_1.csv +1 (10 B)"), "{said}");
    assert_eq!(bench.failure(&monitor).await, said, "the same twice");
    let wait = format!(
        "<wait><file file-link='etl'>{}</file></wait>",
        bench.path("in/other.csv")
    );
    assert!(bench.failure(&wait).await.contains("other.csv (5 B)"));
    let wait = format!(
        "<wait><file file-link='etl'>{}</file></wait>",
        bench.path("no/*")
    );
    assert_eq!(bench.failure(&wait).await, "not yet: []");
}

#[tokio::test]
async fn the_link_that_everybody_has_leads_to_no_other_machine() {
    let bench = Bench::new();
    let said = bench
        .failure("<ssh file-link='local'><command>true</command></ssh>")
        .await;
    assert!(
        said.contains("is of type LOCAL, SFTP is needed here"),
        "{said}"
    );
}
