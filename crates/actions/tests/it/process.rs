//! `script` and `shell`: what users' files need of them.

use akkaflow_actions::Work;

use crate::support::{Bench, parse, run_process};

fn run(bench: &Bench, body: &str) -> (i32, String, String) {
    match parse(body).work(&bench.attempt()).unwrap() {
        Work::Process(spec) => run_process(&spec, bench.directory.path()),
        Work::Task => panic!("no process"),
    }
}

fn script(code: &str) -> String {
    format!("<script><code><![CDATA[{code}]]></code></script>")
}

#[test]
fn a_script_runs_by_bash_in_its_directory_with_its_parameters() {
    let bench = Bench::new();
    let body = "<script><code>\n  a=(x y)\n  echo \"${a[1]} $0 $# $2\"; pwd >&amp;2; exit 7\n</code>\
                <param-line>\n one 'two three' </param-line></script>";
    let (code, out, err) = run(&bench, body);
    assert_eq!((code, out.trim()), (7, "y ./akkaflow_script 2 two three"));
    assert!(
        err.trim()
            .ends_with(&bench.path("").trim_end_matches('/')[1..]),
        "{err}"
    );
}

#[test]
fn a_leading_interpreter_line_is_honoured_and_indentation_kept() {
    let bench = Bench::new();
    let python = "\n   #!/usr/bin/env python3\nif True:\n    print('a')\n    if True:\n        print('b')\n  ";
    if std::process::Command::new("python3")
        .arg("-V")
        .output()
        .is_ok()
    {
        assert_eq!(run(&bench, &script(python)).1, "a\nb\n");
    }
    let (_, out, _) = run(&bench, &script("\n\n #!/bin/cat\n  kept  as it is\n\n"));
    assert_eq!(out, "#!/bin/cat\n  kept  as it is\n\n");
}

#[test]
fn script_text_is_passed_byte_for_byte() {
    let bench = Bench::new();
    run(&bench, &script("\n  cat <<X\n  a\\tb  \n\n中文😀\nX\n"));
    let written = std::fs::read(bench.path("akkaflow_script")).unwrap();
    assert_eq!(written, "\n  cat <<X\n  a\\tb  \n\n中文😀\nX\n".as_bytes());
}

#[test]
fn directories_with_quotes_and_blanks_are_no_matter() {
    let mut bench = Bench::new();
    bench.directory = tempfile::Builder::new()
        .prefix("it's a $dir ")
        .tempdir()
        .unwrap();
    assert_eq!(run(&bench, &script("echo ok")).1, "ok\n");
}

#[test]
fn attachments_are_named_for_the_master() {
    let action = parse(
        "<script><code>x</code><attach-list><file> /a/b.py </file><file>/c</file></attach-list></script>",
    );
    let names: Vec<_> = action
        .attachments()
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(names, ["/a/b.py", "/c"]);
}

#[test]
fn a_shell_command_runs_by_sh_or_by_what_it_names() {
    let bench = Bench::new();
    let body = "<shell><command>\n echo $((1+2))\n exit 3</command></shell>";
    let (code, out, _) = run(&bench, body);
    assert_eq!((code, out.as_str()), (3, "3\n"));
    let (_, out, _) = run(&bench, "<shell><command> #!/bin/cat\nx</command></shell>");
    assert_eq!(out, "#!/bin/cat\nx");
}

#[test]
fn a_transfer_script_runs_as_a_script_does() {
    let bench = Bench::new();
    assert_eq!(
        run(&bench, "<transfer><script>echo a</script></transfer>").1,
        "a\n"
    );
    assert_eq!(
        run(
            &bench,
            "<transfer><script><code>echo b</code></script></transfer>"
        )
        .1,
        "b\n"
    );
}
