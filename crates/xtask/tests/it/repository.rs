//! The files of the repository speak of it alone, and their links lead somewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Files under version control, and new ones that are not ignored; all files where git is of no help.
fn files() -> Vec<PathBuf> {
    let root = root();
    let mut command = Command::new("git");
    command
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&root);
    match command.output() {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8(output.stdout).unwrap();
            let files = names
                .split('\0')
                .filter(|name| !name.is_empty())
                .map(|name| root.join(name));
            files.filter(|file| file.is_file()).collect()
        }
        _ => below(&root),
    }
}

/// All files below a directory.
pub(crate) fn below(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let kept = entries.filter(|path| !path.ends_with("target") && !path.ends_with(".git"));
    kept.flat_map(|path| {
        if path.is_dir() {
            below(&path)
        } else {
            vec![path]
        }
    })
    .collect()
}

/// Targets of `[text](target)` and `[name]: target` in a page, code left out.
fn links(page: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut is_code = false;
    for line in page.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        if is_code || is_fence {
            continue;
        }
        // Every other part of a line stands between back quotes.
        let prose = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        links.extend(
            prose
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split([')', ' ']).next())
                .map(str::to_owned),
        );
        let definition = prose
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "));
        links.extend(definition.map(|(_, target)| target.trim().to_owned()));
    }
    links
}

/// The file that a link names; none for other places and for anchors of the same page.
fn file_of(page: &Path, link: &str) -> Option<PathBuf> {
    let target = link
        .trim_matches(['<', '>'])
        .split('#')
        .next()
        .filter(|target| !target.is_empty())?;
    let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
    (!is_elsewhere).then(|| {
        page.parent()
            .expect("a file lies in a directory")
            .join(target)
    })
}

fn broken_links(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let leads_nowhere = |link: &String| file_of(page, link).is_some_and(|file| !file.exists());
    links(&text)
        .into_iter()
        .filter(leads_nowhere)
        .map(|link| format!("{}: {link}", page.display()))
        .collect()
}

#[test]
fn relative_links_of_all_pages_lead_to_files() {
    // The sources of generated pages hold links as they are right in those.
    let is_source = |file: &Path| {
        file.parent()
            .is_some_and(|folder| folder.ends_with("generate/prose"))
    };
    let pages = files().into_iter().filter(|file| {
        file.extension().is_some_and(|extension| extension == "md") && !is_source(file)
    });
    let broken: Vec<String> = pages.flat_map(|page| broken_links(&page)).collect();
    assert!(
        broken.is_empty(),
        "links that lead nowhere:\n{}",
        broken.join("\n")
    );
}

#[test]
fn links_are_found_in_prose_and_not_in_code() {
    let page = "see [a](docs/a.md#x) and [b](https://b.example/) `[c](c.md)`\n```\n[d](d.md)\n```\n[e]: e.md\n";
    assert_eq!(links(page), ["docs/a.md#x", "https://b.example/", "e.md"]);
    let page = Path::new("/p/README.md");
    assert_eq!(
        file_of(page, "docs/a.md#x"),
        Some(PathBuf::from("/p/docs/a.md"))
    );
    assert_eq!(file_of(page, "https://b.example/"), None);
    assert_eq!(file_of(page, "#here"), None);
}

/// Directories of machines on which people write; put together so that this file does not hold them.
const WORKPLACES: [&str; 2] = [concat!("/", "work/"), concat!("/", "root/")];

/// Whether a text names an absolute path below such a directory; the end of a relative one is none.
fn names_workplace(text: &str) -> bool {
    let is_start = |at: usize| {
        let before = text[..at].chars().next_back();
        before
            .is_none_or(|character| !(character.is_alphanumeric() || "._-}$)*".contains(character)))
    };
    WORKPLACES
        .iter()
        .any(|place| text.match_indices(place).any(|(at, _)| is_start(at)))
}

#[test]
fn no_file_names_a_place_of_the_machine_it_was_written_on() {
    let offends =
        |file: &PathBuf| names_workplace(&String::from_utf8_lossy(&std::fs::read(file).unwrap()));
    let offenders: Vec<PathBuf> = files().into_iter().filter(offends).collect();
    assert!(
        offenders.is_empty(),
        "absolute paths of one machine in {offenders:#?}"
    );
}

#[test]
fn only_absolute_paths_are_workplaces() {
    let [work, _] = WORKPLACES;
    assert!(names_workplace(&format!("cd {work}x")) && names_workplace(&format!("\"{work}\"")));
    assert!(!names_workplace(&format!("docs{work}x")) && !names_workplace("work/x"));
}
