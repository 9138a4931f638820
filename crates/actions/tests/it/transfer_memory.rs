//! What a transfer holds in memory does not grow with its rows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use crate::support::{Bench, Database, mysql, postgres, sqlite};

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

/// From a file through each database into a file.
async fn move_rows() {
    let databases: Vec<Database> = [mysql().await, postgres().await, Some(sqlite())]
        .into_iter()
        .flatten()
        .collect();
    let all: Vec<&Database> = databases.iter().collect();
    let bench = Bench::with(&all);
    write_rows(&bench.path("in.txt"));
    let mut source = format!(
        "<source type='FILE' delimited=','>{}</source>",
        bench.path("in.txt")
    );
    let mut from = "file";
    for database in &databases {
        let link = database.name();
        let target = format!("<target type='DB' db-link='{link}' table='t'/>");
        measure(
            &bench,
            from,
            link,
            &format!("<transfer>{source}{target}</transfer>"),
        )
        .await;
        source = format!("<source type='DB' db-link='{link}'>t</source>");
        from = link;
    }
    let target = format!(
        "<target type='FILE' delimited=',' path='{}'/>",
        bench.path("out.txt")
    );
    measure(
        &bench,
        from,
        "file",
        &format!("<transfer>{source}{target}</transfer>"),
    )
    .await;
    let format = "type='FILE' format='parquet'";
    let (text, by_columns) = (bench.path("out.txt"), bench.path("out.parquet"));
    let to = format!(
        "<source type='FILE' delimited=','>{text}</source><target {format} path='{by_columns}'/>"
    );
    measure(
        &bench,
        "file",
        "parquet",
        &format!("<transfer>{to}</transfer>"),
    )
    .await;
    let back = format!(
        "<source {format}>{by_columns}</source><target type='FILE' delimited=',' path='{text}'/>"
    );
    measure(
        &bench,
        "parquet",
        "file",
        &format!("<transfer>{back}</transfer>"),
    )
    .await;
    let written = std::fs::read(&text).unwrap();
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
