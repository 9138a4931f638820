//! The commands of `akka`, as its parser declares them.

use akkaflow_model::text::Lang;
use clap::{Arg, Command};

use super::describe::{fenced, say, sentence, table};

/// Every command.
pub(super) fn commands(lang: Lang) -> String {
    let root = akkaflow_cli::command(lang);
    let mut text = format!(
        "## {}\n\n{}\n",
        say(lang, "所有命令共有的选项", "Options of every command"),
        options(lang, &root, |argument| !argument.is_positional())
    );
    for command in root
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        section(lang, command, "akka", 2, &mut text);
    }
    text
}

fn section(lang: Lang, command: &Command, parents: &str, depth: usize, text: &mut String) {
    let name = format!("{parents} {}", command.get_name());
    text.push_str(&format!("{} `{name}`\n\n", "#".repeat(depth.min(4))));
    if let Some(about) = command.get_about() {
        text.push_str(&format!("{}\n\n", sentence(lang, &about.to_string())));
    }
    let aliases: Vec<String> = command
        .get_visible_aliases()
        .map(|alias| format!("`{parents} {alias}`"))
        .collect();
    if !aliases.is_empty() {
        let also = say(lang, "也可写作", "Also");
        text.push_str(&format!("{also} {}.\n\n", aliases.join(", ")));
    }
    let mut inner = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .peekable();
    if inner.peek().is_none() {
        text.push_str(&fenced("sh", &usage_line(&name, command)));
        text.push('\n');
        let own = options(lang, command, |argument| !argument.is_global_set());
        if !own.is_empty() {
            text.push_str(&format!("{own}\n"));
        }
    }
    for command in inner {
        section(lang, command, &name, depth + 1, text);
    }
}

fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && argument.get_id() != "help"
}

fn usage_line(name: &str, command: &Command) -> String {
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| is_shown(argument) && !argument.is_global_set())
        .collect();
    let mut words = vec![name.to_owned()];
    if shown.iter().any(|argument| !argument.is_positional()) {
        words.push("[OPTIONS]".to_owned());
    }
    for argument in shown.iter().filter(|argument| argument.is_positional()) {
        let mut word = value_name(argument);
        if is_repeated(argument) {
            word.push_str("...");
        }
        words.push(if argument.is_required_set() {
            word
        } else {
            format!("[{word}]")
        });
    }
    words.join(" ")
}

fn is_repeated(argument: &Arg) -> bool {
    matches!(argument.get_action(), clap::ArgAction::Append)
        || argument
            .get_num_args()
            .is_some_and(|range| range.max_values() > 1)
}

fn value_name(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    if names.is_empty() {
        argument.get_id().as_str().to_uppercase()
    } else {
        names.join(" ")
    }
}

fn options(lang: Lang, command: &Command, is_wanted: impl Fn(&Arg) -> bool) -> String {
    let rows: Vec<Vec<String>> = command
        .get_arguments()
        .filter(|argument| is_shown(argument) && is_wanted(argument))
        .map(|argument| {
            let help = argument.get_help().map(ToString::to_string);
            vec![
                format!("`{}`", spelled(argument)),
                default(argument),
                sentence(lang, &help.unwrap_or_default()),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = say(
        lang,
        "参数或选项/默认/含义",
        "Argument or option/Default/Meaning",
    );
    let head: Vec<&str> = head.split('/').collect();
    table(&head, &rows)
}

fn default(argument: &Arg) -> String {
    let values: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    let takes_value = argument.get_action().takes_values();
    match (values.as_slice(), argument.get_env()) {
        _ if !takes_value => String::new(),
        ([], None) => String::new(),
        ([], Some(variable)) => format!("`${}`", variable.to_string_lossy()),
        (values, None) => format!("`{}`", values.join(" ")),
        (values, Some(variable)) => {
            format!("`${}`, `{}`", variable.to_string_lossy(), values.join(" "))
        }
    }
}

fn spelled(argument: &Arg) -> String {
    if argument.is_positional() {
        return value_name(argument);
    }
    let short = argument.get_short().map(|letter| format!("-{letter}"));
    let long = argument.get_long().map(|name| format!("--{name}"));
    let aliases = argument.get_visible_aliases().unwrap_or_default();
    let aliases = aliases.into_iter().map(|alias| format!("--{alias}"));
    let names: Vec<String> = short.into_iter().chain(long).chain(aliases).collect();
    let value = if argument.get_action().takes_values() {
        format!(" {}", value_name(argument))
    } else {
        String::new()
    };
    format!("{}{value}", names.join(", "))
}
