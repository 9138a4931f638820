//! What is generated is up to date.

use std::process::Command;

#[test]
fn the_reference_and_the_schema_say_what_the_code_declares() {
    let output = Command::new(env!("CARGO_BIN_EXE_akkaflow-xtask"))
        .args(["gen", "--check"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
