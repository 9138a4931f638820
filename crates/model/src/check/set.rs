//! What does not fit between the files of a set.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::outline::{Idle, Outline, Started, Upstream};
use super::{CheckedFile, handed_over};
use crate::code;
use crate::diagnostic::{Finding, Severity};
use crate::quote::shortened;
use crate::suggest::did_you_mean;
use crate::text::Text;

/// A circle is spelled out up to this many workflows.
const LONGEST_CYCLE_SHOWN: usize = 8;
/// Unknown names that are compared with all others in search of a misspelling, and circles that are spelled out: beyond
/// that the cost would show.
const MOST_SEARCHES: usize = 100;

/// What is known beside the files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings {
    /// Local time, to tell windows that are over; `None` not to look.
    pub now: Option<NaiveDateTime>,
}

/// Outlines by the name of their workflow, in the order of the files: the first one owns the name.
#[derive(Debug, Default)]
pub struct Set<'a> {
    owners: BTreeMap<&'a str, (&'a str, &'a Outline)>,
}

impl<'a> Set<'a> {
    /// Of files in their order. The first good file of a name owns it; a broken one only where there is no good one.
    pub fn of(files: impl Iterator<Item = (&'a str, &'a Outline)> + Clone) -> Self {
        let mut owners = BTreeMap::new();
        let by_goodness = |is_good: bool| {
            files
                .clone()
                .filter(move |(_, outline)| outline.is_good == is_good)
        };
        for (file, outline) in by_goodness(true).chain(by_goodness(false)) {
            owners
                .entry(outline.name.as_str())
                .or_insert((file, outline));
        }
        Self { owners }
    }

    /// Adds to each file what does not fit the others.
    pub fn check(files: &mut [CheckedFile], surroundings: Surroundings) {
        let found = {
            let outlines = files
                .iter()
                .filter_map(|file| Some((file.file.as_str(), file.outline.as_ref()?)));
            let set = Set::of(outlines.clone());
            let calendars: BTreeSet<&str> = files
                .iter()
                .filter_map(|file| file.calendar.as_deref())
                .collect();
            let mut circles = Circles::of(&set);
            let mut searches_left = MOST_SEARCHES;
            let mut found: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
            for (file, outline) in outlines {
                let mut findings = set.findings(
                    file,
                    outline,
                    &mut circles,
                    surroundings,
                    &mut searches_left,
                );
                findings.extend(unknown_calendar(
                    file,
                    outline,
                    &calendars,
                    &mut searches_left,
                ));
                if !findings.is_empty() {
                    found.insert(file.to_owned(), findings);
                }
            }
            found
        };
        for file in files {
            if let Some(more) = found.get(&file.file) {
                file.findings.extend(more.iter().cloned());
                file.findings
                    .sort_by_key(|finding| (finding.line, finding.column));
            }
        }
    }

    /// What does not fit between one file and the set.
    pub fn check_one(
        &self,
        file: &str,
        outline: &Outline,
        surroundings: Surroundings,
    ) -> Vec<Finding> {
        let mut searches_left = MOST_SEARCHES;
        self.findings(
            file,
            outline,
            &mut Circles::of(self),
            surroundings,
            &mut searches_left,
        )
    }

    /// The upstreams of a workflow that are not in the set, in the order of its file.
    pub fn missing_upstreams(&self, outline: &Outline) -> Vec<String> {
        let names = outline.upstreams.iter().map(|upstream| &upstream.name);
        names
            .filter(|name| **name != outline.name && !self.owners.contains_key(name.as_str()))
            .cloned()
            .collect()
    }

    /// The shortest circle found that a workflow of the set waits in, beginning with it; empty when there is none.
    pub fn circle_of(&self, workflow: &str) -> Vec<String> {
        let Some((_, outline)) = self.owners.get(workflow) else {
            return Vec::new();
        };
        let cycles = self.cycles(waited_for);
        let joined = outline
            .upstreams
            .iter()
            .filter(|upstream| cycles.joins(workflow, &upstream.name));
        let circles = joined
            .take(MOST_SEARCHES)
            .filter_map(|upstream| cycles.through(workflow, &upstream.name));
        let Some(mut circle) = circles.min_by_key(Vec::len) else {
            return Vec::new();
        };
        // It ends where it began.
        circle.pop();
        circle.into_iter().map(str::to_owned).collect()
    }

    fn findings(
        &self,
        file: &str,
        outline: &Outline,
        circles: &mut Circles<'_>,
        surroundings: Surroundings,
        searches_left: &mut usize,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let owner = self.owners.get(outline.name.as_str()).copied();
        if let Some((owner, other)) = owner.filter(|(owner, _)| *owner != file) {
            findings.push(duplicate(file, outline, owner, other));
            // It is not used: what it waits for does not matter.
            return findings;
        }
        if let (Some(now), Some((end, at))) = (surroundings.now, &outline.window_end)
            && *end < now
            && outline.idle.is_none()
        {
            let message = Text::new(
                format!("有效期已于 {end} 结束，不会再触发"),
                format!("the window ended at {end}: it never fires again"),
            );
            let help = Text::new(
                "请修改 end-time；若已停用，请写 is-enabled=\"false\"",
                "set a later end-time; write is-enabled=\"false\" if that is meant",
            );
            let kind = (code::WINDOW_OVER, Severity::Warning);
            findings.push(at.finding(file, kind, message, help));
        }
        if let (Some(now), Some((last, at))) = (surroundings.now, &outline.last_date)
            && *last < now
            && outline.idle.is_none()
        {
            let message = Text::new(
                format!("最后一个日期 {last} 已过，不会再触发"),
                format!("the last of the dates was {last}: it never fires again"),
            );
            let help = Text::new(
                "请添加以后的日期；若已停用，请写 is-enabled=\"false\"",
                "add dates to come; write is-enabled=\"false\" if that is meant",
            );
            let kind = (code::WINDOW_OVER, Severity::Warning);
            findings.push(at.finding(file, kind, message, help));
        }
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for upstream in &outline.upstreams {
            // A file that waits for itself is told so by its reader.
            if upstream.name == outline.name || !told.insert(&upstream.name) {
                continue;
            }
            match self.owners.get(upstream.name.as_str()) {
                None => findings.push(self.unknown(file, outline, upstream, searches_left)),
                Some((_, owner)) => {
                    if let Some(idle) = owner.idle {
                        findings.push(idle_upstream(file, upstream, idle));
                    }
                }
            }
            if upstream.closes_circles()
                && let Some(path) =
                    (circles.waiting).spell(&outline.name, &upstream.name, searches_left)
            {
                findings.push(cycle(file, upstream, &path));
            }
        }
        self.check_children(file, outline, circles, searches_left, &mut findings);
        findings
    }

    /// What does not fit of the workflows that the nodes of a file start.
    fn check_children(
        &self,
        file: &str,
        outline: &Outline,
        circles: &mut Circles<'_>,
        searches_left: &mut usize,
        findings: &mut Vec<Finding>,
    ) {
        for child in &outline.children {
            let is_itself = child.name == outline.name;
            match self.owners.get(child.name.as_str()) {
                _ if is_itself => {
                    findings.push(child_cycle(file, child, &[child.name.as_str(); 2]))
                }
                None => findings.push(self.unknown_child(file, child, searches_left)),
                Some((_, owner)) if owner.is_limit_zero => findings.push(stuck_child(file, child)),
                Some((_, owner)) if owner.is_good => {
                    handed_over::check(file, child, owner, searches_left, findings);
                }
                Some(_) => {}
            }
            if !is_itself
                && let Some(path) =
                    (circles.starting).spell(&outline.name, &child.name, searches_left)
            {
                findings.push(child_cycle(file, child, &path));
            }
        }
    }

    fn unknown_child(&self, file: &str, child: &Started, searches_left: &mut usize) -> Finding {
        let found = shortened(&child.name);
        let suggestion = searches_left.checked_sub(1).and_then(|left| {
            *searches_left = left;
            did_you_mean(&child.name, self.owners.keys().copied())
        });
        let message = Text::new(
            format!("子工作流 `{found}` 不存在，该节点会失败"),
            format!("there is no workflow `{found}`: the node fails"),
        );
        let help = suggestion.unwrap_or_else(|| {
            Text::new(
                "请添加它，或修改名称；若在别处定义，请与它的目录一起检查",
                "add it, or correct the name; where another directory defines it, check both together",
            )
        });
        let kind = (code::UNKNOWN_SUB_WORKFLOW, Severity::Warning);
        child.at.finding(file, kind, message, help)
    }

    fn unknown(
        &self,
        file: &str,
        outline: &Outline,
        upstream: &Upstream,
        searches_left: &mut usize,
    ) -> Finding {
        let found = shortened(&upstream.name);
        let suggestion = searches_left.checked_sub(1).and_then(|left| {
            *searches_left = left;
            // It cannot wait for itself.
            let others = self.owners.keys().copied();
            did_you_mean(&upstream.name, others.filter(|name| *name != outline.name))
        });
        let message = if upstream.is_one_of_any {
            Text::new(
                format!("前置工作流 `{found}` 不存在，只有同组的其他工作流算数"),
                format!("there is no workflow `{found}`: only the others beside it count"),
            )
        } else {
            Text::new(
                format!("前置工作流 `{found}` 不存在，该工作流会一直等待"),
                format!("there is no workflow `{found}`: this one waits for ever"),
            )
        };
        let help = suggestion.unwrap_or_else(|| {
            Text::new(
                "请添加它，或删除该依赖；若在别处定义，请与它的目录一起检查",
                "add it, or remove the dependency; where another directory defines it, check both together",
            )
        });
        let kind = (code::UNKNOWN_UPSTREAM, Severity::Warning);
        upstream.at.finding(file, kind, message, help)
    }

    /// The circles of what `targets` gives of each workflow.
    fn cycles(&self, targets: fn(&'a Outline) -> Vec<&'a str>) -> Cycles<'a> {
        let names: Vec<&'a str> = self.owners.keys().copied().collect();
        let position = |name: &str| -> Option<usize> {
            names.binary_search_by(|known| (*known).cmp(name)).ok()
        };
        let upstreams: Vec<Vec<usize>> = self
            .owners
            .values()
            .map(|(_, outline)| targets(outline).into_iter().filter_map(&position).collect())
            .collect();
        let component = components(&upstreams);
        Cycles {
            told: BTreeSet::new(),
            names,
            upstreams,
            component,
        }
    }
}

/// Those of workflows that wait for each other, and those of workflows whose nodes start each other.
struct Circles<'a> {
    waiting: Cycles<'a>,
    starting: Cycles<'a>,
}

impl<'a> Circles<'a> {
    fn of(set: &Set<'a>) -> Self {
        Self {
            waiting: set.cycles(waited_for),
            starting: set.cycles(started),
        }
    }
}

fn waited_for(outline: &Outline) -> Vec<&str> {
    let upstreams = outline.upstreams.iter();
    let closing = upstreams.filter(|upstream| upstream.closes_circles());
    closing.map(|upstream| upstream.name.as_str()).collect()
}

fn started(outline: &Outline) -> Vec<&str> {
    let children = outline.children.iter();
    children.map(|child| child.name.as_str()).collect()
}

/// Which workflows lead to each other in circles.
struct Cycles<'a> {
    /// Those that are spelled out already, each from its first name on.
    told: BTreeSet<Vec<&'a str>>,
    names: Vec<&'a str>,
    upstreams: Vec<Vec<usize>>,
    /// Workflows with the same number reach each other.
    component: Vec<usize>,
}

impl<'a> Cycles<'a> {
    fn position(&self, name: &str) -> Option<usize> {
        self.names.binary_search_by(|known| (*known).cmp(name)).ok()
    }

    /// Whether two different workflows lie on one circle.
    fn joins(&self, one: &str, other: &str) -> bool {
        let positions = self.position(one).zip(self.position(other));
        positions.is_some_and(|(one, other)| {
            one != other && self.component[one] == self.component[other]
        })
    }

    /// The circle that the edge from a workflow to another lies on, while searches are left. Each circle comes once: in a mesh
    /// every edge lies on one.
    fn spell(&mut self, from: &str, to: &str, searches_left: &mut usize) -> Option<Vec<&'a str>> {
        if !self.joins(from, to) {
            return None;
        }
        *searches_left = searches_left.checked_sub(1)?;
        let path = self.through(from, to)?;
        // It ends where it began, which may be at any of its workflows.
        let mut circle = path[1..].to_vec();
        let first = circle.iter().enumerate().min_by_key(|(_, name)| **name);
        let first = first.map_or(0, |(first, _)| first);
        circle.rotate_left(first);
        self.told.insert(circle).then_some(path)
    }

    /// The circle that the edge from a workflow to its upstream lies on, from the workflow back to it.
    fn through(&self, workflow: &str, upstream: &str) -> Option<Vec<&'a str>> {
        let (from, to) = (self.position(workflow)?, self.position(upstream)?);
        // Breadth first, so that the shortest circle is shown.
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::from([(to, from)]);
        let mut open = std::collections::VecDeque::from([to]);
        while let Some(node) = open.pop_front() {
            if node == from {
                break;
            }
            for next in &self.upstreams[node] {
                if self.component[*next] == self.component[from] && !came_from.contains_key(next) {
                    came_from.insert(*next, node);
                    open.push_back(*next);
                }
            }
        }
        let mut path = vec![self.names[from]];
        let mut node = from;
        loop {
            node = *came_from.get(&node)?;
            path.push(self.names[node]);
            if node == from {
                break;
            }
        }
        path.reverse();
        Some(path)
    }
}

/// Numbers the strongly connected parts. Tarjan's way with a stack of our own: a chain may have thousands of workflows.
fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const NEW: usize = usize::MAX;
    let mut order = vec![NEW; edges.len()];
    let mut lowest = vec![NEW; edges.len()];
    let mut component = vec![NEW; edges.len()];
    let (mut count, mut parts) = (0, 0);
    let mut stack: Vec<usize> = Vec::new();
    for first in 0..edges.len() {
        if order[first] != NEW {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(first, 0)];
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            if *next == 0 {
                order[node] = count;
                lowest[node] = count;
                count += 1;
                stack.push(node);
            }
            if let Some(&to) = edges[node].get(*next) {
                *next += 1;
                if order[to] == NEW {
                    path.push((to, 0));
                } else if component[to] == NEW {
                    lowest[node] = lowest[node].min(order[to]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                lowest[*parent] = lowest[*parent].min(lowest[node]);
            }
            if lowest[node] == order[node] {
                while let Some(member) = stack.pop() {
                    component[member] = parts;
                    if member == node {
                        break;
                    }
                }
                parts += 1;
            }
        }
    }
    component
}

fn unknown_calendar(
    file: &str,
    outline: &Outline,
    calendars: &BTreeSet<&str>,
    searches_left: &mut usize,
) -> Option<Finding> {
    let (name, at) = outline.calendar.as_ref()?;
    if calendars.contains(name.as_str()) {
        return None;
    }
    let suggestion = searches_left.checked_sub(1).and_then(|left| {
        *searches_left = left;
        did_you_mean(name, calendars.iter().copied())
    });
    let found = shortened(name);
    let message = Text::new(
        format!("日历 `{found}` 不存在"),
        format!("there is no calendar `{found}`"),
    );
    let help = suggestion.unwrap_or_else(|| {
        Text::new(
            format!("请把 {found}.calendar 放在工作流文件旁或其旁的 calendars 目录中；若在别处，请一起检查"),
            format!("put {found}.calendar beside the file or into `calendars` beside it; where it lies elsewhere, check both together"),
        )
    });
    let kind = (code::UNKNOWN_CALENDAR, Severity::Warning);
    Some(at.finding(file, kind, message, help))
}

fn duplicate(file: &str, outline: &Outline, owner: &str, other: &Outline) -> Finding {
    let found = shortened(&outline.name);
    let line = other.name_at.line;
    let message = Text::new(
        format!("工作流 `{found}` 已由 {owner}:{line} 定义，该文件不会生效"),
        format!("workflow `{found}` is defined by {owner}:{line} already; this file is not used"),
    );
    let help = Text::new(
        "请改名，或删除其中一个文件；一起读取时路径在前的文件生效，运行中的master保留它先读到的文件",
        "rename it, or remove one of the files; of files read together the first by path counts, a running master keeps the one it had first",
    );
    let kind = (code::DUPLICATE_WORKFLOW, Severity::Error);
    outline.name_at.finding(file, kind, message, help)
}

fn idle_upstream(file: &str, upstream: &Upstream, idle: Idle) -> Finding {
    let found = shortened(&upstream.name);
    let (zh, en) = match idle {
        Idle::NoCoordinator => ("没有<coordinator>", "has no <coordinator>"),
        Idle::Disabled => ("的调度已停用", "is disabled"),
        Idle::LimitZero => (
            "的instance-limit不允许启动",
            "has an instance limit that lets nothing start",
        ),
        Idle::NeverFires => ("的cron永远不会触发", "has a cron that never fires"),
        Idle::NothingStarts => (
            "的<coordinator>没有任何触发方式",
            "has a <coordinator> that holds nothing to start it",
        ),
    };
    let message = if upstream.is_one_of_any {
        Text::new(
            format!("前置工作流 `{found}` {zh}，不会自动运行，只有同组的其他工作流算数"),
            format!(
                "workflow `{found}` {en}, so it never starts by itself: only the others beside it count"
            ),
        )
    } else {
        Text::new(
            format!("前置工作流 `{found}` {zh}，不会自动运行，该工作流会一直等待"),
            format!(
                "workflow `{found}` {en}, so it never starts by itself and this one waits for ever"
            ),
        )
    };
    let help = match idle {
        Idle::NoCoordinator => Text::new(
            format!("请为 `{found}` 添加带cron的<coordinator>，或删除该依赖"),
            format!("give `{found}` a <coordinator> with a cron, or remove the dependency"),
        ),
        Idle::Disabled => Text::new(
            format!("请启用 `{found}`，或删除该依赖；手动trigger它也可以"),
            format!("enable `{found}`, or remove the dependency; a trigger by hand serves too"),
        ),
        Idle::NeverFires => Text::new(
            format!("请修改 `{found}` 的cron，或删除该依赖"),
            format!("mend the cron of `{found}`, or remove the dependency"),
        ),
        Idle::NothingStarts => Text::new(
            format!("请为 `{found}` 添加cron，或删除该依赖；手动trigger它也可以"),
            format!(
                "give `{found}` a cron, or remove the dependency; a trigger by hand serves too"
            ),
        ),
        Idle::LimitZero => Text::new(
            format!("请把 `{found}` 的instance-limit改为1或更大的数"),
            format!("set the instance limit of `{found}` to 1 or more"),
        ),
    };
    let kind = (code::IDLE_UPSTREAM, Severity::Warning);
    upstream.at.finding(file, kind, message, help)
}

fn stuck_child(file: &str, child: &Started) -> Finding {
    let found = shortened(&child.name);
    let message = Text::new(
        format!("子工作流 `{found}` 的instance-limit不允许启动，子实例会一直等待"),
        format!(
            "workflow `{found}` has an instance limit that lets nothing start: the child waits for ever"
        ),
    );
    let help = Text::new(
        format!("请把 `{found}` 的instance-limit改为1或更大的数"),
        format!("set the instance limit of `{found}` to 1 or more"),
    );
    let kind = (code::STUCK_SUB_WORKFLOW, Severity::Warning);
    child.at.finding(file, kind, message, help)
}

fn child_cycle(file: &str, child: &Started, path: &[&str]) -> Finding {
    let shown = spelled(path);
    let message = Text::new(
        format!("工作流互相作为子工作流启动：{shown}"),
        format!("workflows start each other in a circle: {shown}"),
    );
    let help = Text::new(
        "等待子工作流的节点会失败，不等待的最多嵌套16层；请去掉其中一个",
        "a node that waits for its child fails, others end after 16 levels; remove one of them",
    );
    let kind = (code::SUB_WORKFLOW_CYCLE, Severity::Warning);
    child.at.finding(file, kind, message, help)
}

fn spelled(path: &[&str]) -> String {
    let mut shown: Vec<String> = path.iter().map(|name| shortened(name)).collect();
    if shown.len() > LONGEST_CYCLE_SHOWN {
        let last = shown.len() - 1;
        shown.splice(LONGEST_CYCLE_SHOWN - 1..last, ["…".to_owned()]);
    }
    shown.join(" -> ")
}

fn cycle(file: &str, upstream: &Upstream, path: &[&str]) -> Finding {
    let shown = spelled(path);
    let message = Text::new(
        format!("工作流之间循环依赖：{shown}"),
        format!("workflows wait for each other in a circle: {shown}"),
    );
    let help = Text::new(
        "其中任何一个都不会自动触发；请删除其中一个依赖",
        "none of them ever fires by itself; remove one of the dependencies",
    );
    let kind = (code::WORKFLOW_CYCLE, Severity::Warning);
    upstream.at.finding(file, kind, message, help)
}
