//! `akka eval TEXT`: what a date or a text with parameters becomes, without a server.

use akkaflow_model::error::ErrorCode;
use akkaflow_model::param::{misleading_dates, resolve_params, substitute};
use clap::ArgMatches;

use super::cron::{moment, zone};
use super::{Outcome, required};
use crate::context::Context;
use crate::failure::Failure;

/// Prints the text with all its parameters and dates replaced.
pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let lang = context.screen.lang;
    let text = required(matches, "TEXT");
    // The expression alone, as it stands between the braces, is meant as well.
    let text = if text.contains("${") || !text.trim_start().starts_with("time.") {
        text.to_owned()
    } else {
        format!("${{{text}}}")
    };
    let zone = zone(context, matches)?;
    let at = moment(context, matches, zone)?;
    let mut given = Vec::new();
    for param in matches.get_many::<String>("p").into_iter().flatten() {
        let Some((name, value)) = param.split_once('=') else {
            let problem = context.say(
                "参数写法为 K=V，写的是",
                "a parameter is written K=V, found",
            );
            return Err(Failure::usage(format!("{problem} {param}")));
        };
        given.push((name.trim().to_owned(), value.to_owned()));
    }
    let value = resolve_params(&given, &[], at, zone)
        .and_then(|params| substitute(&text, &params, at, zone))
        .map_err(|error| Failure::new(ErrorCode::Invalid, error.text().get(lang).to_owned()))?;
    if context.is_json {
        let json = serde_json::json!({
            "value": value,
            "at": at.to_rfc3339(),
            "time_zone": zone.name(),
        });
        outln!("{json}");
    } else {
        outln!("{value}");
    }
    let misleading = misleading_dates(&text, "expression");
    eprint!("{}", context.screen.findings(&misleading));
    Ok(0)
}
