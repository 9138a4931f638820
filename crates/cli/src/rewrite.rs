//! akkaflow's form of the command line, brought into the modern one: `akka workflow -info NAME --log` becomes
//! `akka workflow info NAME --log`.

/// What was typed, in the modern form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) arguments: Vec<String>,
    /// Whether akkaflow's form was used.
    pub(crate) is_legacy: bool,
}

/// Objects, and the actions that may be written as options of them. Those behind the bar also refine another action:
/// they count as the action only where none of the others stands.
const OBJECTS: [(&str, &[&str], &[&str]); 3] = [
    (
        "workflow",
        &[
            "info", "list", "add", "check", "del", "reset", "trigger", "run", "suspend", "resume",
        ],
        &["xml", "log"],
    ),
    (
        "instance",
        &[
            "info", "kill", "del", "rerun", "search", "attempts", "pause", "resume", "mark",
            "repair",
        ],
        &["log", "xml"],
    ),
    ("util", &["reset-all", "del-dir"], &[]),
];

/// Options that are followed by a value which may begin with a dash.
const WITH_VALUE: [&str; 18] = [
    "-p",
    "--param",
    "-param",
    "--server",
    "-server",
    "--format",
    "-format",
    "--date",
    "--sdate",
    "-sdate",
    "--edate",
    "-edate",
    "--creator",
    "--key",
    "-key",
    "--ignore",
    "--node",
    "--reason",
];

/// Brings `typed` into the modern form.
pub(crate) fn rewrite(typed: Vec<String>) -> Rewritten {
    let arguments = lengthen(typed);
    let Some((at, (_, actions, refining))) = find_object(&arguments) else {
        return Rewritten {
            arguments,
            is_legacy: false,
        };
    };
    let action = find_action(&arguments, at, actions).or_else(|| {
        // In `akka workflow info x --log` the action stands in its modern place already.
        let has_action = arguments
            .get(at + 1)
            .is_some_and(|next| !next.starts_with('-') && actions.contains(&next.as_str()));
        (!has_action).then(|| find_action(&arguments, at, refining))?
    });
    match action {
        Some(found) => Rewritten {
            arguments: action_first(arguments, at, found),
            is_legacy: true,
        },
        None => Rewritten {
            arguments,
            is_legacy: false,
        },
    }
}

/// `-info` is `--info`; single letters, values and whatever follows `--` stay.
fn lengthen(typed: Vec<String>) -> Vec<String> {
    let mut is_value = false;
    let mut is_rest = false;
    typed
        .into_iter()
        .map(|argument| {
            let stays = is_value || is_rest;
            is_rest |= argument == "--";
            is_value = !stays && WITH_VALUE.contains(&argument.as_str());
            let mut letters = argument.chars();
            let is_long = letters.next() == Some('-')
                && letters.next().is_some_and(char::is_alphabetic)
                && letters.next().is_some();
            if is_long && !stays {
                format!("-{argument}")
            } else {
                argument
            }
        })
        .collect()
}

type Object = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

fn find_object(arguments: &[String]) -> Option<(usize, Object)> {
    let at = plain(arguments).find(|at| !arguments[*at].starts_with('-'))?;
    let object = OBJECTS.iter().find(|(name, ..)| *name == arguments[at])?;
    Some((at, *object))
}

/// Places of arguments that are no values of options.
fn plain(arguments: &[String]) -> impl Iterator<Item = usize> {
    (0..arguments.len())
        .take_while(|at| arguments[*at] != "--")
        .filter(|at| *at == 0 || !WITH_VALUE.contains(&arguments[at - 1].as_str()))
}

fn find_action(arguments: &[String], object: usize, actions: &[&str]) -> Option<usize> {
    plain(arguments).find(|at| {
        *at > object
            && arguments[*at]
                .strip_prefix("--")
                .is_some_and(|name| actions.contains(&name))
    })
}

fn action_first(mut arguments: Vec<String>, object: usize, action: usize) -> Vec<String> {
    let name = arguments.remove(action);
    let name = name.trim_start_matches('-').to_owned();
    arguments.insert(object + 1, name);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(typed: &str, expected: &str, is_legacy: bool) {
        let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect();
        let rewritten = rewrite(words(typed));
        let expected = Rewritten {
            arguments: words(expected),
            is_legacy,
        };
        assert_eq!(rewritten, expected, "{typed}");
    }

    #[test]
    fn every_command_of_akkaflow_is_understood() {
        check("front", "front", false);
        check(
            "workflow -info 日报 --log",
            "workflow info 日报 --log",
            true,
        );
        check("workflow -info 日报 -xml", "workflow info 日报 --xml", true);
        check("workflow -list", "workflow list", true);
        check("workflow -list /a", "workflow list /a", true);
        check("workflow -add f.xml", "workflow add f.xml", true);
        check("workflow -check f.xml", "workflow check f.xml", true);
        check("workflow -del w", "workflow del w", true);
        check("workflow -reset w", "workflow reset w", true);
        check(
            "workflow -trigger w --blood",
            "workflow trigger w --blood",
            true,
        );
        check(
            "workflow -run --param a=1&b=2 w",
            "workflow run --param a=1&b=2 w",
            true,
        );
        check(
            "workflow -run -p a=1 -p b=2 w",
            "workflow run -p a=1 -p b=2 w",
            true,
        );
        check("instance -info 1a --xml", "instance info 1a --xml", true);
        check("instance -log 1a", "instance log 1a", true);
        check("instance -kill 1a", "instance kill 1a", true);
        check("instance -del 1a", "instance del 1a", true);
        check("instance -rerun 1a", "instance rerun 1a", true);
        check(
            "instance -search --status 失败",
            "instance search --status 失败",
            true,
        );
        check("util -reset-all", "util reset-all", true);
        check("util -del-dir /a/b", "util del-dir /a/b", true);
    }

    #[test]
    fn the_action_may_stand_anywhere_and_have_two_dashes() {
        check("workflow 日报 -info", "workflow info 日报", true);
        check("workflow --info w --log", "workflow info w --log", true);
        check("instance 1a --log", "instance log 1a", true);
        check("--json workflow -info w", "--json workflow info w", true);
        check(
            "--server http://h workflow -info w",
            "--server http://h workflow info w",
            true,
        );
    }

    #[test]
    fn the_modern_form_stays_as_it_is() {
        check("workflow info w --log", "workflow info w --log", false);
        check(
            "workflow run w --wait --log",
            "workflow run w --wait --log",
            false,
        );
        check(
            "instance log 1a --follow",
            "instance log 1a --follow",
            false,
        );
        check("instance info -h", "instance info -h", false);
    }

    #[test]
    fn values_are_never_taken_for_options() {
        check(
            "workflow -run -p x=-info w",
            "workflow run -p x=-info w",
            true,
        );
        check("workflow run -p -info w", "workflow run -p -info w", false);
        check("workflow run w -- -info", "workflow run w -- -info", false);
    }
}
