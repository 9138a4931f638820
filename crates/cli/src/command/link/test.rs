//! `akka link test`: whether a link works, and how fast.

use std::time::Duration;

use akkaflow_actions::PartName;
use akkaflow_api::LinkTestPart;
use clap::ArgMatches;

use super::super::{Outcome, optional};
use super::path_of;
use crate::client::encode;
use crate::context::Context;
use crate::screen::{Paint, Screen};

/// A test may take half a minute for each of its parts.
const LIMIT: Duration = Duration::from_secs(240);

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let worker = optional(matches, "worker").unwrap_or_default();
    let path = format!(
        "{}/test?worker={}",
        path_of(context, matches)?,
        encode(worker)
    );
    let (mut is_first, mut works) = (true, true);
    context.client.post_for_lines(&path, LIMIT, |line| {
        let part: LinkTestPart = context.client.parse_text(line)?;
        works &= part.works;
        if context.is_json {
            outln!("{line}");
            return Ok(());
        }
        if std::mem::take(&mut is_first) {
            outln!(
                "{}{}",
                context.say("由worker测试：", "tried by worker "),
                part.worker
            );
        }
        outln!("{}", said(&context.screen, &part));
        Ok(())
    })?;
    Ok(u8::from(!works))
}

fn said(screen: &Screen, part: &LinkTestPart) -> String {
    let verdict = match part.works {
        true => screen.paint(screen.say("正常", "works"), Paint::Green),
        false => screen.paint(screen.say("失败", "fails"), Paint::Red),
    };
    let label = PartName::from_word(&part.part).map_or(&*part.part, |name| label(screen, name));
    let seconds = part.seconds;
    let said = &part.said;
    format!("{label} {verdict} {seconds:.3}s  {said}")
}

/// Of one width in each language.
fn label(screen: &Screen, part: PartName) -> &str {
    match part {
        PartName::Connect => screen.say("连接    ", "connect"),
        PartName::List => screen.say("列目录  ", "list   "),
        PartName::Read => screen.say("读取    ", "read   "),
        PartName::Write => screen.say("写入    ", "write  "),
        PartName::Bulk => screen.say("批量写入", "bulk   "),
        PartName::Cancel => screen.say("取消    ", "cancel "),
        PartName::Rename => screen.say("改名    ", "rename "),
    }
}
