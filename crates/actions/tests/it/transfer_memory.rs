//! What a transfer holds in memory does not grow with its rows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use crate::connectors::ends::{all_files, written_formats};
use crate::support::{Bench, Database, databases};

const ROWS: u64 = 1_000_000;

/// Beyond what the process held before, bytes.
const MOST: u64 = 64 << 20;

/// Set for the process that does the transfers: in this one other tests use memory at the same time.
const ALONE: &str = "AKKAFLOW_TEST_ALONE";

#[tokio::test]
async fn a_million_rows_take_at_most_64_mib() {
    if std::env::var_os(ALONE).is_some() {
        return move_rows().await;
    }
    let name = "transfer_memory::a_million_rows_take_at_most_64_mib";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    println!("{said}");
}

/// From a file through each database, then through each kind of files and each format, into a file: every connector is a source and, where it can
/// be, a target.
async fn move_rows() {
    let databases = databases().await;
    let all: Vec<&Database> = databases.iter().collect();
    let mut bench = Bench::with(&all);
    let files = all_files(&mut bench);
    let (own, text) = (&files[0], "delimited=','");
    write_rows(&bench.path("in.txt"));
    let mut ways = Vec::new();
    let mut from = ("text".to_owned(), own.source(&bench, "in.txt", text));
    for database in &databases {
        let link = database.name();
        let target = format!("<target type='DB' db-link='{link}' table='t'/>");
        ways.push((from, (link.to_owned(), target)));
        let source = format!("<source type='DB' db-link='{link}'>t</source>");
        from = (link.to_owned(), source);
    }
    for format in written_formats() {
        let (word, attributes) = (format.word, format.attributes);
        // One format shows how it is elsewhere.
        let places = files
            .iter()
            .filter(|it| it.server.is_some() == (word == "csv"));
        for place in places {
            if place.is_writable {
                let target = place.target(&bench, "next", attributes);
                ways.push((from, (format!("{} {word}", place.name), target)));
            } else {
                // What another has written there is read.
                ways.push((
                    from,
                    ("local text".to_owned(), own.target(&bench, "aside", text)),
                ));
            }
            from = (
                format!("{} {word}", place.name),
                place.source(&bench, "next", attributes),
            );
        }
    }
    ways.push((
        from,
        ("text".to_owned(), own.target(&bench, "out.txt", text)),
    ));
    for ((from, source), (to, target)) in ways {
        measure(
            &bench,
            &from,
            &to,
            &format!("<transfer>{source}{target}</transfer>"),
        )
        .await;
    }
    let written = std::fs::read(bench.path("out.txt")).unwrap();
    let lines = written.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines as u64, ROWS);
}

fn write_rows(path: &str) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut line = String::new();
    for row in 0..ROWS {
        line.clear();
        writeln!(line, "{row},{:0>100}", row * 7).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
    file.flush().unwrap();
}

async fn measure(bench: &Bench, from: &str, to: &str, body: &str) {
    // The peak is counted from now on.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    bench.run(body).await.unwrap();
    let taken = memory("VmHWM:").saturating_sub(before);
    println!("{from} to {to}: {} KiB", taken >> 10);
    assert!(taken <= MOST, "{from} to {to} took {taken} bytes");
}

fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}
