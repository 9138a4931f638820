//! `file-executor`: programs of the master.

use akkaflow_actions::{ActionError, Work};

use crate::support::{Bench, check, parse, run_process};

/// Runs a body as a worker does, with what it brings along.
fn run(bench: &Bench, body: &str) -> (i32, String, String) {
    let action = parse(body);
    let Work::Process(spec) = action.work(&bench.attempt()).unwrap() else {
        panic!("no process");
    };
    bench.fetch(&*action);
    run_process(&spec, bench.directory.path())
}

fn program(text: &str) -> (tempfile::TempDir, String) {
    let master = tempfile::tempdir().unwrap();
    let path = master.path().join("清洗 it's.sh".replace(' ', "_"));
    std::fs::write(&path, text).unwrap();
    std::fs::write(master.path().join("rules.csv"), "a,b\n").unwrap();
    std::fs::write(master.path().join("more.csv"), "c\n").unwrap();
    let root = master.path().to_string_lossy().into_owned();
    (master, root)
}

#[test]
fn a_program_runs_beside_its_attachments_with_its_arguments() {
    let (_master, root) = program("#!/bin/sh\necho \"$0 $1 $2\"; cat rules.csv more.csv");
    let bench = Bench::new();
    let body = format!(
        "<file-executor><command>  {root}/清洗_it's.sh full 'two words'\n</command>\
         <attach-list><file>{root}/rules.csv</file></attach-list><attach-file> {root}/more.csv </attach-file></file-executor>"
    );
    let (code, out, _) = run(&bench, &body);
    assert_eq!(
        (code, out.as_str()),
        (0, "./清洗_it's.sh full two words\na,b\nc\n")
    );
}

#[test]
fn the_program_may_stand_behind_its_interpreter() {
    let (_master, root) = program("echo \"got $1\"");
    let bench = Bench::new();
    let body =
        format!("<file-executor><command>bash \"{root}/清洗_it's.sh\" x</command></file-executor>");
    assert_eq!(run(&bench, &body).1, "got x\n");
}

#[test]
fn b10_the_exit_code_of_the_program_decides() {
    let (_master, root) = program("#!/bin/sh\necho broken >&2; exit 7");
    let bench = Bench::new();
    let body = format!("<file-executor><command>{root}/清洗_it's.sh</command></file-executor>");
    let (code, _, err) = run(&bench, &body);
    assert_eq!((code, err.as_str()), (7, "broken\n"));
}

#[test]
fn b11_attachments_are_named_for_the_master_whatever_their_number_and_size() {
    let action = parse(
        "<file-executor><command>/jobs/a.sh</command><attach-list><file>/b</file><file>/c</file></attach-list></file-executor>",
    );
    let names: Vec<_> = action
        .attachments()
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(names, ["/jobs/a.sh", "/b", "/c"]);
}

#[test]
fn two_files_of_one_name_are_refused() {
    let action = parse(
        "<file-executor><command>/jobs/a.sh</command><attach-list><file>/other/a.sh</file></attach-list></file-executor>",
    );
    let Err(ActionError::Fatal(text)) = action.work(&Bench::new().attempt()) else {
        panic!("it runs");
    };
    assert!(
        text.en.contains("two files are called `a.sh`"),
        "{}",
        text.en
    );
}

#[test]
fn exactly_one_word_is_the_programs_path() {
    for (command, count) in [("ls -l", "0"), ("/a/b /c/d", "2")] {
        let (action, diagnostics) = check(&format!(
            "<file-executor><command>{command}</command></file-executor>"
        ));
        assert!(action.is_none());
        assert!(
            diagnostics[0].message.en.contains(&format!("{count} do")),
            "{}",
            diagnostics[0].message.en
        );
    }
}
