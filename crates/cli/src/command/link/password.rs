//! A password, from where nobody else can see it.

use std::io::IsTerminal as _;

use akkaflow_model::db_links::Secret;
use clap::ArgMatches;

use super::super::optional;
use crate::context::Context;
use crate::failure::Failure;

/// The password that was given, by standard input, by a file, or as none; `None` when nothing was said of it.
pub(super) fn given(context: &Context, matches: &ArgMatches) -> Result<Option<Secret>, Failure> {
    if matches.get_flag("no-password") {
        return Ok(Some(Secret::default()));
    }
    let text = if matches.get_flag("password-stdin") {
        std::io::read_to_string(std::io::stdin()).map_err(|error| {
            let cannot = context.say("无法读取标准输入", "cannot read standard input");
            Failure::usage(format!("{cannot}: {error}"))
        })?
    } else if let Some(file) = optional(matches, "password-file") {
        std::fs::read_to_string(file).map_err(|error| {
            let cannot = context.say("无法读取", "cannot read");
            Failure::usage(format!("{cannot} {file}: {error}"))
        })?
    } else {
        return Ok(None);
    };
    not_empty(context, first_line(&text)).map(Some)
}

/// An empty file is a mistake more often than a wish: a link without a password would be made of it without a word.
fn not_empty(context: &Context, password: Secret) -> Result<Secret, Failure> {
    if !password.reveal().is_empty() {
        return Ok(password);
    }
    Err(Failure::usage(context.say(
        "给出的密码是空的；不需要密码请用--no-password",
        "the password that was given is empty; --no-password says that there is none",
    )))
}

/// What `echo` and editors put at the end is no part of it.
fn first_line(text: &str) -> Secret {
    Secret::new(text.lines().next().unwrap_or_default())
}

/// Asks whoever sits at the terminal, without showing what is typed.
pub(super) fn ask(context: &Context) -> Result<Secret, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(context.say(
            "此处无法提示输入密码，请用--password-stdin、--password-file或--no-password",
            "there is no terminal to ask for the password at: use --password-stdin, --password-file or --no-password",
        )));
    }
    let prompt = context.say("密码（不显示）：", "password (not shown): ");
    let typed = rpassword::prompt_password(prompt).map_err(|error| {
        let cannot = context.say("无法读取密码", "cannot read the password");
        Failure::usage(format!("{cannot}: {error}"))
    })?;
    not_empty(context, Secret::new(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_the_line_is_no_part_of_a_password_and_blanks_are() {
        for (text, password) in [("a b \n", "a b "), ("x\r\n", "x"), ("", ""), ("p", "p")] {
            assert_eq!(first_line(text).reveal(), password);
        }
    }
}
