//! Nasty values on every way: from rows over each kind of files, in each format, to rows of each kind. Rows to rows stands in `transfer_values`.

use super::ends::{Files, Format, all_files, written_formats};
use crate::support::{Bench, Database, databases};
use crate::transfer_values::{meaning, nasty};

#[tokio::test]
async fn nasty_values_survive_every_kind_of_files_in_every_format() {
    let databases = databases().await;
    let all: Vec<&Database> = databases.iter().collect();
    let mut bench = Bench::with(&all);
    let files = all_files(&mut bench);
    for database in &databases {
        nasty(database).await;
    }
    for source in &databases {
        for format in written_formats() {
            write(&bench, source, &files, &format).await;
            for target in &databases {
                for place in &files {
                    // Elsewhere they are the same bytes: one way there and back shows it.
                    if place.server.is_none() || target.name() == source.name() {
                        read(&bench, (source, target), place, &format).await;
                    }
                }
            }
        }
    }
}

/// Writes the rows to each kind of files that takes them, byte by byte the same.
async fn write(bench: &Bench, source: &Database, files: &[Files], format: &Format) {
    let mut written = Vec::new();
    for place in files.iter().filter(|it| it.is_writable) {
        let name = format!("of-{}", place.name);
        let target = place.target(bench, &name, format.attributes);
        let link = source.name();
        bench
            .run(&format!(
                "<transfer><source type='DB' db-link='{link}'>select * from s order by id</source>{target}</transfer>"
            ))
            .await
            .unwrap();
        written.push(std::fs::read(bench.path(&name)).unwrap());
    }
    assert!(
        written.windows(2).all(|two| two[0] == two[1]),
        "{}",
        format.word
    );
}

/// Reads what [`write`] wrote into a table whose types are declared as those of the values were.
async fn read(
    bench: &Bench,
    (source, target): (&Database, &Database),
    place: &Files,
    format: &Format,
) {
    let way = format!(
        "{} over {} {} to {}",
        source.name(),
        place.name,
        format.word,
        target.name()
    );
    target.execute(&["delete from back"]).await;
    let (from, link) = (
        place.source(bench, "of-local", format.attributes),
        target.name(),
    );
    bench
        .run(&format!(
            "<transfer>{from}<target type='DB' db-link='{link}' table='back'/></transfer>"
        ))
        .await
        .unwrap_or_else(|error| panic!("{way}: {error:?}"));
    let original = meaning(source.query("select * from s order by id").await);
    let back = meaning(target.query("select * from back order by id").await);
    match format.is_exact {
        true => assert_eq!(back, original, "{way}"),
        // What such text does not keep of the others stands in `transfer_values`.
        false => assert_eq!(back[2], original[2], "{way}"),
    }
}
