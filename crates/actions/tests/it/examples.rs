//! Every example is right, and says nothing but what this version cannot run yet.

use std::path::{Path, PathBuf};

use akkaflow_actions::Registry;
use akkaflow_model::code;
use akkaflow_model::diagnostic::Severity;
use akkaflow_model::read::read_workflow;

#[test]
fn every_example_has_no_findings_but_what_is_not_run_yet() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut names = Vec::new();
    for path in workflow_files(&directory) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let reading = read_workflow(&std::fs::read(&path).unwrap(), &Registry::builtin());
        let wrong: Vec<String> = reading
            .diagnostics
            .iter()
            .filter(|it| it.severity != Severity::Note && it.code != code::NOT_RUNNABLE)
            .map(|it| format!("{name}: {} {}", it.code, it.message.en))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let workflow = reading.workflow.unwrap();
        assert_eq!(workflow.name, name, "the file is named as its workflow");
        let is_warned = reading
            .diagnostics
            .iter()
            .any(|it| it.code == code::NOT_RUNNABLE);
        assert_eq!(workflow.not_runnable.is_some(), is_warned, "{name}");
        names.push(name);
    }
    let nested = names.iter().any(|name| name == "region_north");
    assert!(nested && names.len() >= 25, "{names:?}");
}

/// The workflow files below a directory.
fn workflow_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                workflow_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .collect()
}
