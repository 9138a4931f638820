//! `akka backfill ...`

use akkaflow_model::backfill::MOST_PARALLEL;
use clap::{Arg, Command};

use super::Words;

pub(super) fn backfill(words: &Words) -> Command {
    let about = |name, zh, en| {
        let id = words.argument(
            "ID",
            "补数id的任意唯一片段",
            "Any unique part of the backfill's id",
        );
        words.command(name, zh, en).arg(id)
    };
    words
        .object(
            "backfill",
            "补数：按业务日期范围补跑工作流",
            "Run a workflow again for a range of business dates",
        )
        .subcommand(range(
            words,
            words.command(
                "plan",
                "只显示将运行什么、顺序与预计时长",
                "Only show what would run, in which order and for how long",
            ),
        ))
        .subcommand(
            range(words, words.command("start", "开始补数", "Start it")).arg(words.reason()),
        )
        .subcommand(words.command(
            "list",
            "查看补数，最新的在前",
            "Show the backfills, newest first",
        ))
        .subcommand(
            about(
                "info",
                "进度、等待的原因与各次运行",
                "How far it is, what it waits for, its runs",
            )
            .visible_alias("show")
            .arg(all(words)),
        )
        .subcommand(
            about(
                "pause",
                "暂停：不再启动新的日期，运行中的继续",
                "Start no further date; what runs goes on",
            )
            .arg(words.reason()),
        )
        .subcommand(about("resume", "恢复", "Let it go on"))
        .subcommand(
            about(
                "abort",
                "中止：不再启动任何日期",
                "End it: no further date starts",
            )
            .arg(words.flag(
                "kill",
                "同时杀死运行中的实例，否则等其结束",
                "Kill what runs of it too; else that finishes",
            ))
            .arg(words.reason()),
        )
}

fn range(words: &Words, command: Command) -> Command {
    let day = |name, zh, en| words.option(name, "DATE", zh, en).required(true);
    command
        .arg(words.argument("WORKFLOW", "工作流名称", "Name of the workflow"))
        .arg(day(
            "from",
            "起始业务日期 yyyy-MM-dd",
            "First business date yyyy-MM-dd",
        ))
        .arg(day(
            "to",
            "结束业务日期 yyyy-MM-dd，含当日",
            "Last business date yyyy-MM-dd, included",
        ))
        .arg(words.flag(
            "dependants",
            "连同依赖它的全部工作流",
            "And all that depends on it",
        ))
        .arg(
            words
                .option(
                    "max-parallel",
                    "N",
                    "同时运行的实例数，默认2",
                    "How many instances run at once, 2 by default",
                )
                .value_parser(clap::value_parser!(u32).range(1..=i64::from(MOST_PARALLEL))),
        )
        .arg(words.flag(
            "keep-going",
            "失败后继续其余日期；否则失败即暂停",
            "Go on with the other dates after a failure; else that pauses it",
        ))
        .arg(words.flag(
            "again",
            "已成功的日期也再运行",
            "Run dates that are good already too",
        ))
        .arg(all(words))
}

fn all(words: &Words) -> Arg {
    words.flag("all", "显示全部运行", "Show all runs, however many")
}
