//! Ten nodes that tell a witness outside of the system what they did, so that a test can say that each ran once.

use crate::harness::{Place, script, workflow};

/// Ten nodes, of which the fifth tells the witness when it begins and when it ends.
pub(crate) fn ten_nodes(place: &Place, seconds: u32) -> String {
    let witness = place.text("witness");
    let nodes: String = (0..10)
        .map(|n| {
            let ok = if n == 9 {
                "end".to_owned()
            } else {
                format!("n{}", n + 1)
            };
            let code = match n {
                4 => format!("echo begin >> {witness}; sleep {seconds}; echo end >> {witness}"),
                _ => format!("echo n{n} >> {witness}"),
            };
            script(&format!("n{n}"), &code, &ok)
        })
        .collect();
    workflow("ten", "n0", &nodes)
}

/// Every script has run once.
pub(crate) fn assert_ran_once(place: &Place) {
    for word in [
        "begin", "end", "n0", "n1", "n2", "n3", "n5", "n6", "n7", "n8", "n9",
    ] {
        assert_eq!(place.witnessed(word), 1, "`{word}` in the witness");
    }
}
