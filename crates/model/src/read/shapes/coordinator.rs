//! When a workflow starts by itself, what it waits for, and its parameters.

use super::{boolean, choice, desc, duration, name, text, value_type};
use crate::cron::Style;
use crate::schedule::DayPolicy;
use crate::shape::{AttributeKind, AttributeShape, Shape};
use crate::text::Text;

/// The longest range of business dates that a dependency covers.
const MOST_DATES: i64 = 1_000;

/// `<coordinator>`.
pub(super) fn coordinator_shape() -> Shape {
    let moment = |name, zh: &str, en: &str, default| {
        AttributeShape::new(name, AttributeKind::DateTime, Text::new(zh, en)).default(default)
    };
    Shape::new(
        "coordinator",
        Text::new("调度配置", "when it starts by itself"),
    )
    .example("<coordinator start-time=\"2026-01-01 00:00:00\">\n  <depend-list cron=\"0 1 * * *\"><workflow name=\"load_orders\"/></depend-list>\n  <param-list><param name=\"day\" value=\"${time.today|yyyy-MM-dd|-1 day}\"/></param-list>\n</coordinator>")
    .attribute(boolean(
        "is-enabled",
        "true",
        "是否启用",
        "whether it starts by itself",
    ))
    .attribute(moment(
        "start-time",
        "生效开始时间",
        "not before",
        "1990-12-29 00:00:00",
    ))
    .attribute(moment(
        "end-time",
        "生效结束时间",
        "not after",
        "2090-12-29 00:00:00",
    ))
    .attribute(time_zone())
    .attribute(cron_style())
    .attribute(
        duration(
            "every",
            "固定间隔触发，从start-time开始计算",
            "fires each so often, counted from start-time",
        ),
    )
    .attribute(
        AttributeShape::new(
            "dates",
            AttributeKind::NonBlank,
            Text::new(
                "在这些时间触发，以逗号分隔，例如 2026-03-31 02:00, 2026-06-30",
                "fires at these times, parted by commas: 2026-03-31 02:00, 2026-06-30",
            ),
        ),
    )
    .attribute(
        AttributeShape::new(
            "calendar",
            AttributeKind::Name,
            Text::new(
                "工作日历的名称，即不带.calendar的文件名",
                "a calendar of workdays: the name of its file without .calendar",
            ),
        ),
    )
    .attribute(calendar_policy())
    .attribute(misfire())
    .attribute(misfire_deadline())
    .attribute(catch_up())
    .attribute(deadline())
    .child(depend_list_shape(), 0, None)
    .child(cron_shape(), 0, None)
    .child(param_list_shape(), 0, None)
}

fn time_zone() -> AttributeShape {
    AttributeShape::new(
        "time-zone",
        AttributeKind::TimeZone,
        Text::new(
            "时区，例如 Asia/Shanghai；默认为集群的时区",
            "the zone of its times, for example Asia/Shanghai; the cluster's by default",
        ),
    )
}

fn cron_style() -> AttributeShape {
    choice(
        "cron-style",
        Style::WORDS,
        "cron的写法：akkaflow设置了星期则忽略日，crontab与系统crontab相同，六个字段时首个为秒",
        "how crons are read: akkaflow lets a weekday override the day of month, crontab does as the system's; six fields begin with the second",
    )
}

fn calendar_policy() -> AttributeShape {
    choice(
        "calendar-policy",
        DayPolicy::WORDS,
        "日历的用法：workdays只在工作日，days-off只在休息日，next顺延到下一工作日，previous提前到上一工作日",
        "what the calendar does: workdays fires on workdays only, days-off on the others only, next moves a day off to the next workday, previous to the one before",
    )
}

fn cron_shape() -> Shape {
    Shape::new(
        "cron",
        Text::new(
            "又一个触发时间，写法与depend-list的cron相同",
            "another time, written as the cron of depend-list",
        ),
    )
    .attribute(
        AttributeShape::new(
            "expression",
            AttributeKind::NonBlank,
            Text::new("cron表达式", "the expression"),
        )
        .required(),
    )
    .example("<cron expression=\"30 18 * * 5\"/>")
}

fn misfire() -> AttributeShape {
    choice(
        "misfire",
        &["once", "all", "skip", "deadline"],
        "错过的触发时间如何处理：once合并为一次，all逐个补跑，skip跳过，deadline只补不早于misfire-deadline的一次",
        "slots that passed while nobody could fire them: once makes one run of them, all runs each, skip none, deadline one if it is not older than misfire-deadline",
    )
}

fn misfire_deadline() -> AttributeShape {
    duration(
        "misfire-deadline",
        "misfire=\"deadline\"时，错过多久之内仍然补跑",
        "with misfire=\"deadline\": how old a missed slot may be",
    )
}

fn catch_up() -> AttributeShape {
    boolean(
        "catch-up",
        "false",
        "首次加载时是否从start-time起补跑已过去的触发时间",
        "whether the first load fires the slots since start-time that are past already",
    )
}

fn deadline() -> AttributeShape {
    AttributeShape::new(
        "deadline",
        AttributeKind::Deadline,
        Text::new(
            "实例应在此之前结束：计划时间之后的第一个08:30，08:30 +1d再晚一天，2h为计划时间之后两小时；预计会错过时提前告警",
            "by when an instance shall have ended: 08:30 is the first one after its scheduled time, 08:30 +1d a day later, 2h two hours after that time; a warning comes before it is missed",
        ),
    )
}

fn depend_list_shape() -> Shape {
    Shape::new("depend-list", Text::new("触发条件", "what it waits for"))
        .attribute(text(
            "cron",
            "五个字段：分 时 日 月 星期",
            "five fields: minute hour day month weekday",
        ))
        .child(dependency_shape(), 0, None)
        .child(any_of_shape(), 0, None)
}

/// `<workflow>` of a dependency list.
pub(super) fn dependency_shape() -> Shape {
    let date = choice(
        "date",
        &[
            "fresh",
            "same-day",
            "previous",
            "latest",
            "all-of-last",
            "any-of-last",
        ],
        "前置工作流的哪个业务日期算数：fresh尚未使用过的成功，same-day同一日期，previous前一日期，latest最近一次，all-of-last最近count个日期全部成功，any-of-last其中之一成功",
        "which of its business dates count: fresh a success not used yet, same-day the same date, previous the date before, latest the last success, all-of-last all of the last count dates, any-of-last one of them",
    );
    let count = AttributeShape::new(
        "count",
        AttributeKind::Integer {
            min: 1,
            max: MOST_DATES,
        },
        Text::new(
            "all-of-last与any-of-last的日期个数",
            "how many dates all-of-last and any-of-last look at",
        ),
    );
    Shape::new(
        "workflow",
        Text::new("前置工作流", "a workflow that it waits for"),
    )
    .attribute(name(
        "前置工作流的名称",
        "the name of the workflow that it waits for",
    ))
    .attribute(date)
    .attribute(count)
    .attribute(duration(
        "max-age",
        "成功距今最长时间，更早的不算",
        "how old its success may be at most",
    ))
}

fn any_of_shape() -> Shape {
    Shape::new(
        "any-of",
        Text::new(
            "其中任一前置工作流满足即可",
            "one of these workflows is enough",
        ),
    )
    .child(dependency_shape(), 2, None)
    .example("<any-of>\n  <workflow name=\"load_a\"/>\n  <workflow name=\"load_b\"/>\n</any-of>")
}

fn param_list_shape() -> Shape {
    Shape::new("param-list", Text::new("参数", "parameters")).child(param_shape(), 0, None)
}

/// `<param>`.
pub(super) fn param_shape() -> Shape {
    let of_kind =
        |name, kind, zh: &str, en: &str| AttributeShape::new(name, kind, Text::new(zh, en));
    let (min, max) = (
        of_kind(
            "min",
            AttributeKind::Decimal,
            "最小值",
            "the smallest number",
        ),
        of_kind(
            "max",
            AttributeKind::Decimal,
            "最大值",
            "the greatest number",
        ),
    );
    Shape::new("param", Text::new("一个参数", "a parameter"))
        .attribute(of_kind("name", AttributeKind::NonBlank, "参数名", "its name").required())
        .attribute(
            text(
                "value",
                "参数值；运行时给出的值优先",
                "its value, unless a run gives another",
            )
            .needed(Text::new(
                "必填，除非required=\"true\"",
                "required, unless `required=\"true\"`",
            ))
            .replaced(),
        )
        .attribute(value_type())
        .attribute(of_kind(
            "pattern",
            AttributeKind::Pattern,
            "整个值必须匹配的正则表达式",
            "a regular expression that the whole value must match",
        ))
        .attribute(of_kind(
            "choices",
            AttributeKind::Words,
            "可选的值，以空格或逗号分隔",
            "the only values, parted by blanks or commas",
        ))
        .attribute(min)
        .attribute(max)
        .attribute(boolean(
            "required",
            "false",
            "是否每次运行都必须给出",
            "whether each run must give it",
        ))
        .attribute(desc())
}
