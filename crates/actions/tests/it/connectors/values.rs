//! Nasty values on every way: from rows over each kind of files, in each format, back to rows. Rows to rows stands in `transfer_values`.

use super::ends::{all_files, written_formats};
use crate::support::{Bench, databases};
use crate::transfer_values::{meaning, nasty};

#[tokio::test]
async fn nasty_values_survive_every_kind_of_files_in_every_format() {
    for source in databases().await {
        nasty(&source).await;
        let original = meaning(source.query("select * from s order by id").await);
        let mut bench = Bench::with(&[&source]);
        let files = all_files(&mut bench);
        let link = source.name();
        for format in written_formats() {
            let attributes = format.attributes;
            let mut written = Vec::new();
            for there in files.iter().filter(|it| it.is_writable) {
                let name = format!("of-{}", there.name);
                let target = there.target(&bench, &name, attributes);
                let from = format!(
                    "<source type='DB' db-link='{link}'>select * from s order by id</source>"
                );
                bench
                    .run(&format!("<transfer>{from}{target}</transfer>"))
                    .await
                    .unwrap();
                written.push(std::fs::read(bench.path(&name)).unwrap());
            }
            assert!(
                written.windows(2).all(|two| two[0] == two[1]),
                "{attributes}"
            );
            for here in &files {
                source.execute(&["delete from back"]).await;
                let from = here.source(&bench, "of-local", attributes);
                let target = format!("<target type='DB' db-link='{link}' table='back'/>");
                bench
                    .run(&format!("<transfer>{from}{target}</transfer>"))
                    .await
                    .unwrap();
                let way = format!("{link}, {attributes}, {}", here.name);
                let back = meaning(source.query("select * from back order by id").await);
                match format.is_exact {
                    true => assert_eq!(back, original, "{way}"),
                    // What of them such text does not keep stands in `transfer_values`.
                    false => assert_eq!(back[2], original[2], "{way}"),
                }
            }
        }
    }
}
