//! What clap says, in the language of the user.

use std::io::IsTerminal as _;

use akkaflow_model::text::Lang;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Prints a help or a mistake; gives the exit code.
pub(crate) fn report(error: &clap::Error, lang: Lang) -> u8 {
    let is_mistake = error.use_stderr();
    match lang {
        Lang::En => {
            // Nobody is left to tell when standard error is closed.
            let _ = error.print();
        }
        Lang::Zh if is_mistake => eprint!("{}", in_chinese(error, false)),
        Lang::Zh => {
            let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let is_colored = std::io::stdout().is_terminal() && !no_color;
            out!("{}", in_chinese(error, is_colored));
        }
    }
    if is_mistake { crate::exit::USAGE } else { 0 }
}

fn in_chinese(error: &clap::Error, is_colored: bool) -> String {
    match mistake(error) {
        Some(sentence) => {
            let mut text = format!("错误：{sentence}\n");
            if let Some(hint) = hint(error) {
                text.push_str(&format!("\n  提示：{hint}\n"));
            }
            if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
                text.push_str(&format!("\n{}\n", translated(&usage.to_string())));
            }
            text.push_str("\n加 --help 查看用法\n");
            text
        }
        None if is_colored => translated(&error.render().ansi().to_string()),
        None => translated(&error.render().to_string()),
    }
}

/// The words that clap writes into helps and usages itself.
fn translated(text: &str) -> String {
    const WORDS: [(&str, &str); 8] = [
        ("Usage:", "用法:"),
        ("[OPTIONS]", "[选项]"),
        ("<COMMAND>", "<命令>"),
        ("[COMMAND]", "[命令]"),
        ("[possible values: ", "[可选值: "),
        ("[aliases: ", "[别名: "),
        ("[alias: ", "[别名: "),
        ("error: ", "错误："),
    ];
    WORDS
        .iter()
        .fold(text.to_owned(), |text, (en, zh)| text.replace(en, zh))
}

/// The sentence for the kinds of mistakes that people make; `None` for helps and for what is rare.
fn mistake(error: &clap::Error) -> Option<String> {
    let argument = || value(error, ContextKind::InvalidArg);
    let given = || value(error, ContextKind::InvalidValue);
    let sentence = match error.kind() {
        ErrorKind::UnknownArgument => format!("无法识别的参数 '{}'", argument()?),
        ErrorKind::InvalidSubcommand => {
            let command = value(error, ContextKind::InvalidSubcommand)?;
            format!("没有命令 '{command}'")
        }
        ErrorKind::MissingSubcommand => {
            let command = value(error, ContextKind::InvalidSubcommand)?;
            format!("'{command}' 之后须有子命令")
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数：{}", argument()?),
        ErrorKind::ArgumentConflict => match value(error, ContextKind::PriorArg) {
            Some(prior) if Some(&prior) != argument().as_ref() => {
                format!("'{}' 不能与 '{prior}' 同用", argument()?)
            }
            _ => format!("'{}' 不能重复给出", argument()?),
        },
        ErrorKind::InvalidValue if given().is_none_or(|given| given.is_empty()) => {
            format!("'{}' 须有一个值", argument()?)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("'{}' 的值 '{}' 无效", argument()?, given()?)
        }
        ErrorKind::TooManyValues => {
            format!("'{}' 的值 '{}' 多余", argument()?, given()?)
        }
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("'{}' 的值个数不对", argument()?)
        }
        ErrorKind::NoEquals => format!("'{}' 的值须写在等号之后", argument()?),
        _ => return None,
    };
    Some(sentence)
}

fn hint(error: &clap::Error) -> Option<String> {
    let near = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    if let Some(near) = near.into_iter().find_map(|kind| value(error, kind)) {
        return Some(format!("是否想写 '{near}'？"));
    }
    let values = value(error, ContextKind::ValidValue).filter(|values| !values.is_empty());
    values.map(|values| format!("可选值：{values}"))
}

fn value(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        ContextValue::StyledStrs(texts) => {
            let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            Some(texts.join(", "))
        }
        ContextValue::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(typed: &[&str]) -> String {
        let typed = std::iter::once(&"akka").chain(typed);
        let error = crate::arguments::command(Lang::Zh)
            .try_get_matches_from_mut(typed)
            .unwrap_err();
        in_chinese(&error, false)
    }

    #[track_caller]
    fn check(typed: &[&str], expected: &[&str]) {
        let said = said(typed);
        for expected in expected {
            assert!(said.contains(expected), "{expected}: {said}");
        }
        for english in [
            "error", "Usage", "argument", "required", "For more", "OPTIONS", "possible",
        ] {
            assert!(!said.contains(english), "{english}: {said}");
        }
    }

    #[test]
    fn the_usual_mistakes_are_explained_in_chinese() {
        check(&["fly"], &["没有命令 'fly'", "用法: akka"]);
        check(&["workflow", "inof", "x"], &["是否想写 'info'"]);
        check(&["workflow", "info"], &["缺少参数：<NAME>"]);
        check(
            &["workflow", "info", "w", "--xmll"],
            &["无法识别的参数 '--xmll'", "--xml"],
        );
        check(&["workflow", "info", "w", "--xml", "--log"], &["不能与"]);
        check(
            &["workflow", "run", "w", "--date"],
            &["--date <DATE>", "须有一个值"],
        );
        check(
            &["workflow", "run", "w", "--date", "a", "--date", "b"],
            &["不能重复给出"],
        );
        check(&["completions", "dos"], &["'dos' 无效", "可选值：bash"]);
    }

    #[test]
    fn a_help_is_chinese_but_for_what_is_typed() {
        for typed in [
            &["--help"][..],
            &["workflow", "run", "-h"],
            &["workflow"],
            &["completions", "-h"],
        ] {
            check(typed, &["用法: akka", "选项"]);
        }
        check(&["instance", "--help"], &["别名: delete"]);
    }
}
