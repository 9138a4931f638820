//! `python`: with packages that lie on this machine, so that no test needs a network.

use std::path::Path;
use std::process::Command;

use akkaflow_actions::Work;

use crate::support::{Bench, parse, run_process};

/// Runs a body as a worker does: exit code and outputs.
fn python(bench: &Bench, body: &str) -> (i32, String, String) {
    let action = parse(body);
    let Work::Process(mut spec) = action.work(&bench.attempt()).unwrap() else {
        panic!("no process");
    };
    bench.fetch(&*action);
    // Nothing but what the test names is installed.
    for (name, value) in [("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", "")] {
        spec.environment.push((name.to_owned(), value.to_owned()));
    }
    run_process(&spec, bench.directory.path())
}

/// A package of one module; where it lies.
fn package(root: &Path, name: &str, version: &str) -> String {
    let wheel = root.join(format!("{name}-{version}-py3-none-any.whl"));
    let code = format!(
        "import zipfile\n\
         z = zipfile.ZipFile({wheel:?}, 'w')\n\
         z.writestr('{name}.py', 'version = \"{version}\"\\n')\n\
         z.writestr('{name}-{version}.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')\n\
         z.writestr('{name}-{version}.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
         z.writestr('{name}-{version}.dist-info/RECORD', '')\n\
         z.close()\n"
    );
    let made = Command::new("python3")
        .args(["-c", &code])
        .status()
        .unwrap();
    assert!(made.success());
    wheel.to_string_lossy().into_owned()
}

fn environments(bench: &Bench) -> usize {
    let entries = std::fs::read_dir(bench.path("python")).unwrap();
    entries
        .filter(|entry| entry.as_ref().unwrap().path().is_dir())
        .count()
}

#[test]
fn code_runs_as_deep_as_it_stands_with_arguments_and_attachments() {
    let bench = Bench::new();
    let other = tempfile::tempdir().unwrap();
    let module = other.path().join("helper.py");
    std::fs::write(&module, "def word():\n    return '帮手'\n").unwrap();
    let body = format!(
        "<python><code>\n    import sys\n    import helper\n    if True:\n        print(helper.word(), sys.argv[1:])\n    sys.exit(3)\n  </code>\
         <attach-list><file>{}</file></attach-list><param-line> one 'two words' </param-line></python>",
        module.display()
    );
    let (code, out, err) = python(&bench, &body);
    assert_eq!(
        (code, out.as_str()),
        (3, "帮手 ['one', 'two words']\n"),
        "{err}"
    );
}

#[test]
fn packages_are_installed_once_and_kept_by_their_list() {
    let bench = Bench::new();
    let packages = tempfile::tempdir().unwrap();
    let body = |requirements: &str| {
        format!(
            "<python><requirements>{requirements}</requirements><code>import probe, sys; print(probe.version, sys.prefix)</code></python>"
        )
    };
    let first = package(packages.path(), "probe", "1.0");
    let (code, out, err) = python(&bench, &body(&format!("\n  {first}\n")));
    assert_eq!(code, 0, "{out}{err}");
    let line = out.lines().last().unwrap();
    assert!(
        line.starts_with(&format!("1.0 {}", bench.path("python/"))),
        "{out}"
    );
    // Kept: what it was made of is not looked at again, and layout makes no other one.
    std::fs::remove_file(&first).unwrap();
    let (code, out, err) = python(&bench, &body(&first));
    assert_eq!((code, out.lines().count()), (0, 1), "{out}{err}");
    assert_eq!(environments(&bench), 1);
    let second = package(packages.path(), "probe", "2.0");
    let (_, out, err) = python(&bench, &body(&second));
    assert!(
        out.lines().last().unwrap().starts_with("2.0 "),
        "{out}{err}"
    );
    assert_eq!(environments(&bench), 2);
}

#[test]
fn what_cannot_be_installed_is_a_failure_that_leaves_nothing() {
    let bench = Bench::new();
    let body = "<python><requirements>no-such-package-of-ours==9</requirements><code>print('never')</code></python>";
    let (code, out, err) = python(&bench, body);
    assert_eq!(code, 1);
    assert!(!out.contains("never"));
    assert!(err.contains("no-such-package-of-ours"), "{err}");
    assert!(
        err.trim_end().ends_with("pip ended with 1, see above"),
        "{err}"
    );
    assert_eq!(environments(&bench), 0);
}

#[test]
fn an_interpreter_that_is_not_there_is_named() {
    let bench = Bench::new();
    let body = "<python interpreter='python-of-tomorrow'><code>pass</code></python>";
    let (code, _, err) = python(&bench, body);
    assert_eq!(code, 127);
    assert!(err.contains("python-of-tomorrow"), "{err}");
}
