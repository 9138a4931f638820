//! Nodes that wait for a worker: who goes first, and whose turn it is when something becomes free.
//!
//! Nodes that ask for the same (host, labels and share of a pool) form a *class* and stand in one line. The classes for the
//! same workers form a *target*, which knows its lines by their heads. Only targets that may have found a worker are
//! looked at: a slot that becomes free costs the number of targets that its worker serves, a logarithm each, whatever the
//! number of nodes that wait. A line whose head found no room in its pool is *parked* until the pool has changed.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use akkaflow_model::definition::{ActionNode, Pool};
use akkaflow_model::id::InstanceId;
use akkaflow_model::time::Timestamp;

use crate::pools::Pools;

/// The place of a node in its line: by its rank. A retried node keeps its place.
pub(crate) type Place = (i64, InstanceId, usize);

/// So many milliseconds of waiting a priority is worth: the rule by which nobody starves.
///
/// A node of priority `p` that is ready at `t` ranks as if it had been ready at `t - p` minutes: it is overtaken only by
/// what becomes ready within as many minutes after it as its priority is lower. All age alike, so ranks never change.
const PRIORITY_STEP: i64 = 60_000;

/// Lines that are kept although nobody waits in them: to open one costs more than to use it, and a cluster knows few.
const KEPT_LINES: usize = 256;

/// The smaller, the earlier.
pub(crate) fn rank(ready_at: Timestamp, priority: i32) -> i64 {
    let bonus = i64::from(priority).saturating_mul(PRIORITY_STEP);
    ready_at.as_millis().saturating_sub(bonus)
}

/// Which workers may run a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Target {
    /// The host or worker id that it requires; `None` takes any worker.
    pub(crate) host: Option<String>,
    /// Labels that the worker must have, all of them, in order.
    pub(crate) labels: Vec<String>,
}

/// What a node asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Class {
    pub(crate) target: Arc<Target>,
    /// The pool that must have room, and how much.
    pub(crate) pool: Option<Need>,
}

/// A share of a pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) pool: String,
    pub(crate) slots: u32,
}

impl Ord for Target {
    fn cmp(&self, other: &Self) -> Ordering {
        // What is compared with itself, as most often, needs no look at its texts.
        if std::ptr::eq(self, other) {
            return Ordering::Equal;
        }
        (&self.host, &self.labels).cmp(&(&other.host, &other.labels))
    }
}

impl PartialOrd for Target {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Class {
    fn cmp(&self, other: &Self) -> Ordering {
        if std::ptr::eq(self, other) {
            return Ordering::Equal;
        }
        (&self.target, &self.pool).cmp(&(&other.target, &other.pool))
    }
}

impl PartialOrd for Class {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Class {
    /// What an action asks for.
    pub(crate) fn of(action: &ActionNode) -> Self {
        let mut labels = action.worker_labels.clone();
        labels.sort();
        labels.dedup();
        let need = |pool: &Pool| Need {
            pool: pool.name.clone(),
            slots: pool.slots,
        };
        Self {
            target: Arc::new(Target {
                host: action.host.clone(),
                labels,
            }),
            pool: action.pool.as_ref().map(need),
        }
    }
}

/// What a target lacks as long as no attached worker may serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    /// Hosts of the workers that are attached, the first few.
    pub(crate) hosts: Vec<String>,
    /// How many more hosts there are.
    pub(crate) more: usize,
}

/// The nodes of one class.
#[derive(Debug, Default)]
struct Line {
    places: BTreeSet<Place>,
    /// Its pool had no room for its head.
    is_parked: bool,
}

/// The lines for the same workers.
#[derive(Debug, Default)]
struct Lines {
    /// Those that are not parked, by their heads.
    heads: BTreeSet<(Place, Arc<Class>)>,
    /// All of them.
    classes: BTreeSet<Arc<Class>>,
    /// The head under which it stands among those that deserve a look.
    hot: Option<Place>,
}

impl Lines {
    /// The earliest node in a line that is not parked.
    fn head(&self) -> Option<Place> {
        self.heads.first().map(|(place, _)| *place)
    }
}

/// All that wait.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueues {
    lines: BTreeMap<Arc<Class>, Line>,
    targets: BTreeMap<Arc<Target>, Lines>,
    /// The targets that name no host, and the others by the host that they name, so that a worker finds what it serves.
    anywhere: BTreeSet<Arc<Target>>,
    by_host: BTreeMap<String, BTreeSet<Arc<Target>>>,
    /// Targets that may have found a worker since the last look, by their heads: only these are looked at.
    hot: BTreeSet<(Place, Arc<Target>)>,
    /// Parked lines by pool, by their heads.
    parked: BTreeMap<String, BTreeSet<(Place, Arc<Class>)>>,
    /// Targets that no attached worker may serve, as of the last review.
    lacks: BTreeMap<Arc<Target>, Lack>,
    /// Targets that came up since the last review.
    fresh: BTreeSet<Arc<Target>>,
    /// Nodes that may have to be told that they lack a worker, or that they no longer do.
    untold: BTreeSet<Place>,
    count: usize,
}

impl ReadyQueues {
    pub(crate) fn push(&mut self, class: &Arc<Class>, place: Place) {
        self.untold.insert(place);
        if !self.lines.contains_key(class) {
            self.open(class);
        }
        let Some(line) = self.lines.get_mut(class) else {
            return;
        };
        let before = line.places.first().copied();
        let was_parked = line.is_parked;
        self.count += usize::from(line.places.insert(place));
        if before.is_none_or(|before| place < before) {
            self.rehead(class, before, false);
            if was_parked && let Some(need) = &class.pool {
                // The new head may find room where the one before did not, and nobody waits behind that one any more.
                self.unpark(&need.pool);
            }
        }
        self.heat(&class.target);
    }

    /// Knows a class from now on.
    fn open(&mut self, class: &Arc<Class>) {
        self.lines.insert(Arc::clone(class), Line::default());
        let target = &class.target;
        if !self.targets.contains_key(target) {
            self.fresh.insert(Arc::clone(target));
            let alike = match &target.host {
                Some(host) => self.by_host.entry(host.clone()).or_default(),
                None => &mut self.anywhere,
            };
            alike.insert(Arc::clone(target));
        }
        let lines = self.targets.entry(Arc::clone(target)).or_default();
        lines.classes.insert(Arc::clone(class));
    }

    pub(crate) fn remove(&mut self, class: &Arc<Class>, place: Place) {
        let Some(line) = self.lines.get_mut(class) else {
            return;
        };
        let before = line.places.first().copied();
        let was_parked = line.is_parked;
        if !line.places.remove(&place) {
            return;
        }
        self.count -= 1;
        self.untold.remove(&place);
        if before == Some(place) {
            self.rehead(class, before, false);
            if was_parked && let Some(need) = &class.pool {
                // Others may have waited behind it, in this line too.
                self.unpark(&need.pool);
                self.heat(&class.target);
            }
        }
        let is_empty = self
            .lines
            .get(class)
            .is_some_and(|line| line.places.is_empty());
        if is_empty && self.lines.len() > KEPT_LINES {
            self.close(class);
        }
    }

    /// Forgets a class in whose line nobody waits.
    fn close(&mut self, class: &Arc<Class>) {
        self.lines.remove(class);
        let target = &class.target;
        let Some(lines) = self.targets.get_mut(target) else {
            return;
        };
        lines.classes.remove(class);
        if !lines.classes.is_empty() {
            return;
        }
        self.targets.remove(target);
        self.lacks.remove(target);
        self.fresh.remove(target);
        let Some(host) = &target.host else {
            self.anywhere.remove(target);
            return;
        };
        if let Some(targets) = self.by_host.get_mut(host) {
            targets.remove(target);
            if targets.is_empty() {
                self.by_host.remove(host);
            }
        }
    }

    /// Puts the line of a class where its present head belongs; `before` is the head under which it stood.
    fn rehead(&mut self, class: &Arc<Class>, before: Option<Place>, is_parked: bool) {
        let Some(line) = self.lines.get_mut(class) else {
            return;
        };
        let was_parked = std::mem::replace(&mut line.is_parked, is_parked);
        let after = line.places.first().copied();
        let Some(lines) = self.targets.get_mut(&class.target) else {
            return;
        };
        if let Some(before) = before {
            let entry = (before, Arc::clone(class));
            match &class.pool {
                Some(need) if was_parked => {
                    if let Some(parked) = self.parked.get_mut(&need.pool) {
                        parked.remove(&entry);
                    }
                }
                _ => {
                    lines.heads.remove(&entry);
                }
            }
        }
        if let Some(after) = after {
            let entry = (after, Arc::clone(class));
            match &class.pool {
                Some(need) if is_parked => {
                    self.parked
                        .entry(need.pool.clone())
                        .or_default()
                        .insert(entry);
                }
                _ => {
                    lines.heads.insert(entry);
                }
            }
        }
        if lines.hot.is_some() {
            self.heat(&class.target);
        }
    }

    /// The target deserves a look, under its present head; a target without one does not.
    fn heat(&mut self, target: &Arc<Target>) {
        let Some(lines) = self.targets.get_mut(target) else {
            return;
        };
        let head = lines.head();
        if lines.hot == head {
            return;
        }
        if let Some(before) = std::mem::replace(&mut lines.hot, head) {
            self.hot.remove(&(before, Arc::clone(target)));
        }
        if let Some(place) = head {
            self.hot.insert((place, Arc::clone(target)));
        }
    }

    /// A worker has a free slot: the targets that it serves deserve a look.
    pub(crate) fn wake(&mut self, host: &str, id: &str, labels: &BTreeSet<String>) {
        let named = [host, id].map(|name| self.by_host.get(name));
        let is_cold = |target: &Arc<Target>| {
            let lines = self.targets.get(target);
            lines.is_some_and(|lines| lines.hot != lines.head())
        };
        let served: Vec<Arc<Target>> = (self.anywhere.iter())
            .chain(named.into_iter().flatten().flatten())
            .filter(|target| target.labels.iter().all(|label| labels.contains(label)))
            .filter(|target| is_cold(target))
            .cloned()
            .collect();
        for target in served {
            self.heat(&target);
        }
    }

    /// All targets deserve a look: the cluster goes on after a freeze.
    pub(crate) fn wake_all(&mut self) {
        let targets: Vec<Arc<Target>> = self.targets.keys().cloned().collect();
        for target in targets {
            self.heat(&target);
        }
    }

    /// The earliest head among the targets that deserve a look.
    pub(crate) fn head(&self) -> Option<(Place, Arc<Class>)> {
        let (_, target) = self.hot.first()?;
        let (place, class) = self.targets.get(target)?.heads.first()?;
        Some((*place, Arc::clone(class)))
    }

    /// No worker can take the head of this target; it deserves a look when one frees up.
    pub(crate) fn cool(&mut self, target: &Arc<Target>) {
        if let Some(lines) = self.targets.get_mut(target)
            && let Some(place) = lines.hot.take()
        {
            self.hot.remove(&(place, Arc::clone(target)));
        }
    }

    /// The pool has no room for the head of this line.
    pub(crate) fn park(&mut self, class: &Arc<Class>) {
        let head = self
            .lines
            .get(class)
            .and_then(|line| line.places.first().copied());
        self.rehead(class, head, true);
    }

    /// The pool has changed: the lines that it has kept waiting deserve a look.
    pub(crate) fn unpark(&mut self, pool: &str) {
        for (place, class) in self.parked.remove(pool).unwrap_or_default() {
            self.rehead(&class, Some(place), false);
            self.heat(&class.target);
        }
    }

    /// The same for all pools.
    pub(crate) fn unpark_all(&mut self) {
        let pools: Vec<String> = self.parked.keys().cloned().collect();
        for pool in pools {
            self.unpark(&pool);
        }
    }

    /// Who keeps the head of a line out of its pool although there is room for it: an earlier one that needs more.
    ///
    /// Without this rule those that need little would keep those that need much waiting for ever.
    pub(crate) fn ahead_in_pool(&self, need: &Need, place: Place, pools: &Pools) -> Option<Place> {
        let parked = self.parked.get(&need.pool)?;
        parked
            .range(..(place, Arc::default()))
            .find(|(_, class)| {
                let wanted = class.pool.as_ref().map_or(0, |need| need.slots);
                pools.size(&need.pool).is_some_and(|size| wanted <= size)
            })
            .map(|(place, _)| *place)
    }

    /// Looks again at what targets lack: at all of them when other workers are attached, else at those that are new.
    pub(crate) fn review(&mut self, are_workers_new: bool, lack: impl Fn(&Target) -> Option<Lack>) {
        if !are_workers_new && self.fresh.is_empty() {
            return;
        }
        let fresh = std::mem::take(&mut self.fresh);
        let targets: Vec<Arc<Target>> = if are_workers_new {
            self.targets.keys().cloned().collect()
        } else {
            fresh.into_iter().collect()
        };
        for target in targets {
            let lack = lack(&target);
            if self.lacks.get(&target) != lack.as_ref()
                && let Some(lines) = self.targets.get(&target)
            {
                for class in &lines.classes {
                    let places = self
                        .lines
                        .get(class)
                        .into_iter()
                        .flat_map(|line| &line.places);
                    self.untold.extend(places);
                }
            }
            match lack {
                Some(lack) => self.lacks.insert(target, lack),
                None => self.lacks.remove(&target),
            };
        }
    }

    /// What the target lacked at the last review.
    pub(crate) fn lack(&self, target: &Target) -> Option<&Lack> {
        self.lacks.get(target)
    }

    /// Takes the earliest node that may have to be told something.
    pub(crate) fn next_untold(&mut self) -> Option<Place> {
        self.untold.pop_first()
    }

    pub(crate) fn has_untold(&self) -> bool {
        !self.untold.is_empty()
    }

    pub(crate) fn is_untold(&self, place: Place) -> bool {
        self.untold.contains(&place)
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn contains(&self, class: &Class, place: Place) -> bool {
        self.lines
            .get(class)
            .is_some_and(|line| line.places.contains(&place))
    }

    /// How many nodes wait in lines for each pool.
    pub(crate) fn waiting_for_pools(&self) -> BTreeMap<&str, usize> {
        let mut waiting = BTreeMap::new();
        for (class, line) in &self.lines {
            if let Some(need) = class.pool.as_ref().filter(|_| !line.places.is_empty()) {
                *waiting.entry(need.pool.as_str()).or_default() += line.places.len();
            }
        }
        waiting
    }

    /// The head of each line.
    pub(crate) fn heads(&self) -> impl Iterator<Item = (Place, &Arc<Class>)> {
        self.lines
            .iter()
            .filter_map(|(class, line)| Some((*line.places.first()?, class)))
    }

    /// Recomputes what is kept incrementally.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (mut seen, mut filled) = (0, 0);
        for (class, line) in &self.lines {
            let Some(head) = line.places.first() else {
                continue;
            };
            filled += 1;
            seen += line.places.len();
            let entry = (*head, Arc::clone(class));
            let is_listed = match &class.pool {
                Some(need) if line.is_parked => self
                    .parked
                    .get(&need.pool)
                    .is_some_and(|parked| parked.contains(&entry)),
                _ => self
                    .targets
                    .get(&class.target)
                    .is_some_and(|lines| lines.heads.contains(&entry)),
            };
            if !is_listed {
                return Err(format!("line {class:?} is not listed under its head"));
            }
        }
        let listed: usize = self.targets.values().map(|lines| lines.heads.len()).sum();
        let parked: usize = self.parked.values().map(BTreeSet::len).sum();
        if listed + parked != filled || seen != self.count {
            return Err(format!(
                "{filled} lines with {seen} nodes, listed {listed}, parked {parked}, counted {}",
                self.count
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(host: Option<&str>, labels: &[String], pool: Option<&str>) -> Arc<Class> {
        Arc::new(Class {
            target: Arc::new(Target {
                host: host.map(str::to_owned),
                labels: labels.to_vec(),
            }),
            pool: pool.map(|pool| Need {
                pool: pool.to_owned(),
                slots: 1,
            }),
        })
    }

    #[test]
    fn a_slot_that_becomes_free_costs_a_look_at_what_its_worker_serves_whatever_waits() {
        let mut classes = vec![class(None, &[], None), class(None, &[], Some("p"))];
        for number in 0..100 {
            classes.push(class(Some(&format!("host{number}")), &[], None));
            classes.push(class(None, &[format!("label{number}")], None));
            classes.push(class(None, &[], Some(&format!("pool{number}"))));
        }
        let mut queues = ReadyQueues::default();
        for number in 0..100_000 {
            let place = (number as i64, InstanceId::from_u128(number), 0);
            queues.push(&classes[number as usize % classes.len()], place);
        }
        let labels = BTreeSet::from(["label7".to_owned()]);
        let served = |class: &Class| {
            let target = &class.target;
            target.host.as_deref().is_none_or(|host| host == "host3")
                && target.labels.iter().all(|label| labels.contains(label))
        };
        // Everything is new once.
        while let Some((_, class)) = queues.head() {
            queues.cool(&class.target);
        }
        let mut last = i64::MIN;
        for _ in 0..10_000 {
            queues.wake("host3", "w", &labels);
            let mut looks = 0;
            let mut is_given = false;
            while let Some((place, class)) = queues.head() {
                looks += 1;
                assert!(served(&class), "a look at {class:?}");
                if is_given {
                    queues.cool(&class.target);
                } else {
                    assert!(place.0 > last, "the earliest goes first");
                    last = place.0;
                    queues.remove(&class, place);
                    is_given = true;
                }
            }
            assert!(looks <= 4, "{looks} looks for one slot");
        }
        queues.check().unwrap();
        assert_eq!(queues.len(), 90_000);
    }

    #[test]
    fn who_stood_behind_a_parked_node_that_leaves_is_looked_at() {
        let class = class(None, &[], Some("p"));
        let places = [1, 2].map(|number| (number, InstanceId::from_u128(number as u128), 0));
        let mut queues = ReadyQueues::default();
        for place in places {
            queues.push(&class, place);
        }
        queues.park(&class);
        assert_eq!(queues.head(), None);
        queues.remove(&class, places[0]);
        assert_eq!(queues.head().map(|(place, _)| place), Some(places[1]));
    }

    #[test]
    fn targets_that_nobody_asks_for_any_more_are_forgotten() {
        let mut queues = ReadyQueues::default();
        for number in 0..3 * KEPT_LINES {
            let class = class(Some(&format!("host{number}")), &[], None);
            let place = (0, InstanceId::from_u128(1), number);
            queues.push(&class, place);
            queues.remove(&class, place);
        }
        assert_eq!(queues.lines.len(), KEPT_LINES);
        assert_eq!(queues.targets.len(), KEPT_LINES);
        assert_eq!(queues.by_host.len(), KEPT_LINES);
    }

    #[test]
    fn a_minute_of_waiting_is_worth_a_step_of_priority() {
        let at = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
        assert_eq!(rank(at(5), 0), rank(at(8), 3));
        assert!(rank(at(5), 0) < rank(at(7), 1));
        assert!(rank(at(5), -1) > rank(at(5), 0));
    }
}
