//! `akka workflow state`: what a workflow keeps between its runs.

use akkaflow_api::{Params, SetState, StateValue};
use clap::ArgMatches;

use super::workflow::path;
use super::{Outcome, print_json};
use crate::context::Context;
use crate::failure::Failure;
use crate::screen::{Screen, plain};

pub(super) fn run(context: &Context, name: &str, matches: &ArgMatches) -> Outcome {
    let values = given(context, matches)?;
    let path = format!("{}/state", path(name));
    let answer = if values.is_empty() {
        context.client.get_raw(&path)?
    } else {
        let user = std::env::var("USER").unwrap_or_default();
        let values = Params(values);
        context.client.put(&path, &SetState { values, user })?
    };
    if context.is_json {
        return print_json(&answer);
    }
    let values: Vec<StateValue> = context.client.parse(&answer)?;
    if values.is_empty() {
        outln!(
            "{}",
            context.say(
                "该工作流没有 <state-list>",
                "the workflow has no <state-list>"
            )
        );
    } else {
        out!("{}", render(&context.screen, &values));
    }
    Ok(0)
}

fn given(context: &Context, matches: &ArgMatches) -> Result<Vec<(String, String)>, Failure> {
    let given = matches.get_many::<String>("set").into_iter().flatten();
    given
        .map(|text| match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => {
                let expected = context.say("应为 名称=值", "is not name=value");
                Err(Failure::usage(format!("{text} {expected}")))
            }
        })
        .collect()
}

fn render(screen: &Screen, values: &[StateValue]) -> String {
    let header = [
        screen.say("名称", "name"),
        screen.say("值", "value"),
        screen.say("来源", "from"),
        screen.say("更新时间", "set"),
        screen.say("由", "by"),
        screen.say("描述", "description"),
    ];
    let rows = values
        .iter()
        .map(|value| {
            vec![
                plain(&value.name),
                plain(&value.value),
                plain(&value.from),
                plain(screen.optional_time(value.set_at)),
                plain(value.instance.as_deref().unwrap_or(&value.user)),
                plain(value.desc.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    screen.table_without(&header, rows, &[header[5], header[2]])
}
