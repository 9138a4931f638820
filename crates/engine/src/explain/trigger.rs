//! Why a workflow does not fire by itself just now.

use akkaflow_model::definition::{DateRule, Dependency};
use akkaflow_model::record::FireRow;
use akkaflow_model::text::Text;
use akkaflow_model::time::Timestamp;
use chrono::NaiveDate;

use super::{Reason, no_trigger};
use crate::Engine;
use crate::plan::{Plan, Term};
use crate::workflows::Entry;

/// So many slots that wait are explained: those behind them wait for much the same.
const SLOTS_NAMED: usize = 10;

impl Engine {
    pub(super) fn explain_trigger(&self, name: &str, entry: &Entry, reasons: &mut Vec<Reason>) {
        let Some(plan) = entry.plan() else {
            return;
        };
        if !plan.has_times() && plan.depends.is_empty() {
            reasons.push(no_trigger(name));
        }
        if plan.has_times() {
            self.explain_times(name, entry, plan, reasons);
        } else {
            self.explain_window(name, entry, plan, reasons);
        }
        if entry.waiting_fires.is_empty() {
            let day = self.day_looked_at(entry, plan);
            self.explain_terms(entry, plan, day, None, reasons);
        }
        for fire in entry.waiting_fires.iter().take(SLOTS_NAMED) {
            let day = plan.day(fire.due_at, self.options.zone);
            self.explain_terms(entry, plan, day, Some(fire), reasons);
        }
    }

    fn explain_times(&self, name: &str, entry: &Entry, plan: &Plan, reasons: &mut Vec<Reason>) {
        if let Some(calendar) = plan.missing_calendar() {
            let since = entry
                .schedule
                .as_ref()
                .map(|schedule| schedule.fired_through);
            reasons.push(Reason::new(
                "calendar_missing",
                calendar,
                since,
                format!("没有日历[{calendar}]，请将文件{calendar}.calendar放入工作流目录"),
                format!(
                    "there is no calendar `{calendar}`: put a file {calendar}.calendar beside the workflows"
                ),
            ));
        } else if entry.waiting_fires.is_empty() {
            reasons.push(match entry.next_slot(self.options.zone) {
                Some(slot) => Reason::new(
                    "not_due",
                    name,
                    None,
                    format!("下次触发时间{}", self.wall_clock(slot)),
                    format!("its next time is {}", self.wall_clock(slot)),
                ),
                None => Reason::new(
                    "no_more_slots",
                    name,
                    None,
                    "不再有触发时间",
                    "its schedule has no further time",
                ),
            });
        }
    }

    fn explain_window(&self, name: &str, entry: &Entry, plan: &Plan, reasons: &mut Vec<Reason>) {
        let zone = self.options.zone;
        if plan.waits_for_dependencies_only() && !entry.is_in_window(self.now, zone) {
            let (from, until) = plan.window(zone);
            let (from, until) = (self.wall_clock(from), self.wall_clock(until));
            reasons.push(Reason::new(
                "outside_window",
                name,
                None,
                format!("不在生效时段{from}至{until}内"),
                format!("its window is {from} to {until}"),
            ));
        }
    }

    /// The business date that the next fire would have.
    fn day_looked_at(&self, entry: &Entry, plan: &Plan) -> i32 {
        let newest = entry.newest_token();
        match newest.filter(|_| !plan.has_times()) {
            Some(token) => token.business_day,
            None => {
                let at = entry.next_slot(self.options.zone).unwrap_or(self.now);
                plan.day(at, self.options.zone)
            }
        }
    }

    fn explain_terms(
        &self,
        entry: &Entry,
        plan: &Plan,
        day: i32,
        fire: Option<&FireRow>,
        reasons: &mut Vec<Reason>,
    ) {
        let since = fire.map(|fire| fire.due_at);
        for term in plan.terms() {
            if entry.is_met(plan, term, day, self.now) {
                continue;
            }
            let reason = match term {
                Term::Fresh(upstream) => self.explain_upstream(upstream, since, None),
                Term::Rule(term) => match term.dependencies() {
                    [dependency] => {
                        let wanted = wanted(plan, dependency, day);
                        self.explain_upstream(&dependency.workflow, since, wanted)
                    }
                    several => none_of(plan, several, day, since),
                },
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }

    /// `wanted` is what a success must be like, if not just a new one.
    fn explain_upstream(
        &self,
        upstream: &str,
        since: Option<Timestamp>,
        wanted: Option<Text>,
    ) -> Reason {
        let Some(entry) = self.workflows.get(upstream).filter(|entry| entry.exists()) else {
            return Reason::new(
                "upstream_missing",
                upstream,
                since,
                format!("前置工作流[{upstream}]不存在"),
                format!("upstream workflow `{upstream}` does not exist"),
            );
        };
        let (hint_zh, hint_en) = if entry.may_fire() {
            ("", "")
        } else {
            ("，且其自身不会被调度", ", and it does not start by itself")
        };
        let (zh, en) = match wanted {
            Some(wanted) => (
                format!("前置工作流[{upstream}]未就绪：缺少{}{hint_zh}", wanted.zh),
                format!(
                    "upstream workflow `{upstream}` lacks {}{hint_en}",
                    wanted.en
                ),
            ),
            None => (
                format!("前置工作流[{upstream}]未就绪{hint_zh}"),
                format!(
                    "upstream workflow `{upstream}` has not succeeded since the last run{hint_en}"
                ),
            ),
        };
        Reason::new("upstream_not_ready", upstream, since, zh, en)
    }
}

fn none_of(plan: &Plan, several: &[Dependency], day: i32, since: Option<Timestamp>) -> Reason {
    let names: Vec<&str> = several.iter().map(|it| it.workflow.as_str()).collect();
    let each = |dependency: &Dependency| {
        let name = &dependency.workflow;
        match wanted(plan, dependency, day) {
            Some(wanted) => Text::new(
                format!("{name}（{}）", wanted.zh),
                format!("`{name}` ({})", wanted.en),
            ),
            None => Text::new(name, format!("`{name}`")),
        }
    };
    let texts: Vec<Text> = several.iter().map(each).collect();
    let zh: Vec<&str> = texts.iter().map(|text| text.zh.as_str()).collect();
    let en: Vec<&str> = texts.iter().map(|text| text.en.as_str()).collect();
    Reason::new(
        "none_of_upstreams",
        names.join(" "),
        since,
        format!("以下前置工作流均未就绪：{}", zh.join("、")),
        format!("none of these is ready: {}", en.join(", ")),
    )
}

/// What a success must be like to meet a rule; `None` when any new one does.
fn wanted(plan: &Plan, dependency: &Dependency, day: i32) -> Option<Text> {
    let date = |day: i32| {
        NaiveDate::from_num_days_from_ce_opt(day).map_or_else(String::new, |it| it.to_string())
    };
    let first = |count: u32| {
        let before = |day: i32| plan.day_before(day);
        (1..count).fold(day, |day, _| before(day))
    };
    let rule = match dependency.date {
        DateRule::Fresh => None,
        DateRule::SameDay => Some(on(&date(day))),
        DateRule::Previous => Some(on(&date(plan.day_before(day)))),
        DateRule::Latest => Some(Text::new("任何一次成功", "any success")),
        DateRule::AllOfLast(count) => {
            let (from, to) = (date(first(count)), date(day));
            Some(Text::new(
                format!("业务日期{from}至{to}中每一天的成功"),
                format!("a success of every business date from {from} to {to}"),
            ))
        }
        DateRule::AnyOfLast(count) => {
            let (from, to) = (date(first(count)), date(day));
            Some(Text::new(
                format!("业务日期{from}至{to}中任一天的成功"),
                format!("a success of any business date from {from} to {to}"),
            ))
        }
    };
    let Some(seconds) = dependency.max_age_seconds else {
        return rule;
    };
    let rule = rule.unwrap_or_else(|| Text::new("未使用过的成功", "a success not used yet"));
    let units = [(3_600, "小时", "h"), (60, "分钟", "min"), (1, "秒", "s")];
    let (size, zh, en) = units
        .into_iter()
        .find(|(size, ..)| seconds.is_multiple_of(*size))
        .unwrap_or(units[2]);
    let count = seconds / size;
    Some(Text::new(
        format!("{}，且距今不超过{count}{zh}", rule.zh),
        format!("{}, not older than {count} {en}", rule.en),
    ))
}

fn on(date: &str) -> Text {
    Text::new(
        format!("业务日期{date}的成功"),
        format!("a success of business date {date}"),
    )
}
