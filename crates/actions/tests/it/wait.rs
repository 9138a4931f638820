//! One look of a `<wait>` at files.

use std::fs;

use akkaflow_actions::ActionError;

use crate::support::Bench;

async fn look(bench: &Bench) -> Vec<(String, String)> {
    match bench.run("<wait><file>in/orders_*.csv</file></wait>").await {
        Err(ActionError::NotYet { seen }) => seen,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_look_tells_a_file_that_grows_from_one_that_does_not() {
    let bench = Bench::new();
    assert_eq!(look(&bench).await, []);
    fs::create_dir_all(bench.path("in/orders_0.csv")).unwrap();
    fs::write(bench.path("in/other"), "x").unwrap();
    assert_eq!(look(&bench).await, []);
    fs::write(bench.path("in/orders_1.csv"), "one").unwrap();
    let first = look(&bench).await;
    assert_eq!(first[0].1, "orders_1.csv (3 B)");
    assert_eq!(look(&bench).await, first);
    fs::write(bench.path("in/orders_1.csv"), "one more").unwrap();
    assert_ne!(look(&bench).await, first);
}
