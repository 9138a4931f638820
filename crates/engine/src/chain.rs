//! Chains: `trigger-blood` runs a workflow and then everything downstream of it, each once its upstreams are through.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{ChainRow, Record, TriggerKind};
use akkaflow_model::time::Timestamp;

use crate::Engine;
use crate::lifecycle::Birth;

impl Engine {
    /// The enabled workflows that depend on `root`, directly or not, each after all of its upstreams among them.
    pub(crate) fn downstream(&self, root: &str) -> Vec<String> {
        let members = self.all_after(root, |name| {
            self.is_enabled(name) && !self.is_suspended(name)
        });
        self.in_dependency_order(&members)
    }

    /// What depends on `root`, directly or through others, as far as `is_taken` leads.
    pub(crate) fn all_after(
        &self,
        root: &str,
        is_taken: impl Fn(&str) -> bool,
    ) -> BTreeSet<String> {
        let mut members = BTreeSet::new();
        let mut open = VecDeque::from([root.to_owned()]);
        while let Some(name) = open.pop_front() {
            for dependant in self.dependants(&name) {
                let is_new = dependant != root && !members.contains(dependant);
                if is_new && is_taken(dependant) {
                    members.insert(dependant.to_owned());
                    open.push_back(dependant.to_owned());
                }
            }
        }
        members
    }

    pub(crate) fn is_enabled(&self, name: &str) -> bool {
        self.workflows
            .get(name)
            .is_some_and(|entry| entry.plan().is_some_and(|plan| plan.is_enabled))
    }

    /// Members of a cycle wait for each other for ever; they are left out.
    pub(crate) fn in_dependency_order(&self, members: &BTreeSet<String>) -> Vec<String> {
        let mut missing: BTreeMap<&str, usize> = members
            .iter()
            .map(|name| (name.as_str(), self.upstreams_among(name, members)))
            .collect();
        let mut order = Vec::new();
        let mut ready: VecDeque<&str> = missing
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(name, _)| *name)
            .collect();
        while let Some(name) = ready.pop_front() {
            order.push(name.to_owned());
            let others = self.dependants(name).into_iter().filter(|it| *it != name);
            for dependant in others {
                if let Some(count) = missing.get_mut(dependant) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push_back(dependant);
                    }
                }
            }
        }
        order
    }

    /// How many members a workflow waits for; that it waits for itself of the day before does not count.
    fn upstreams_among(&self, name: &str, members: &BTreeSet<String>) -> usize {
        self.workflows.get(name).map_or(0, |entry| {
            let upstreams = entry.depends().iter();
            upstreams
                .filter(|upstream| *upstream != name && members.contains(*upstream))
                .count()
        })
    }

    pub(crate) fn begin_chain(
        &mut self,
        root: InstanceId,
        workflow: &str,
        followers: &[String],
        fire_time: Timestamp,
    ) {
        let is_over = self
            .instances
            .get(&root)
            .is_none_or(|instance| instance.row.state.is_terminal());
        if is_over || followers.is_empty() {
            return;
        }
        let mut remaining = vec![workflow.to_owned()];
        remaining.extend_from_slice(followers);
        let row = ChainRow {
            root,
            remaining,
            started: vec![workflow.to_owned()],
            fire_time,
        };
        self.out.record(Record::Chain(row.clone()));
        self.chains.insert(root, row);
    }

    /// An instance of the chain is over: its followers start, or the chain breaks.
    pub(crate) fn chain_member_ended(
        &mut self,
        root: InstanceId,
        workflow: &str,
        has_succeeded: bool,
    ) {
        let Some(chain) = self.chains.get_mut(&root) else {
            return;
        };
        if !chain.remaining.iter().any(|name| name == workflow) {
            return;
        }
        if has_succeeded {
            chain.remaining.retain(|name| name != workflow);
            self.write_chain(root);
            self.start_followers(root);
        } else {
            self.break_chain(root);
        }
    }

    fn start_followers(&mut self, root: InstanceId) {
        let Some(chain) = self.chains.get(&root) else {
            return;
        };
        let (remaining, fire_time) = (chain.remaining.clone(), chain.fire_time);
        let started: BTreeSet<String> = chain.started.iter().cloned().collect();
        let open: BTreeSet<&String> = remaining.iter().collect();
        for name in remaining.iter().filter(|name| !started.contains(*name)) {
            let Some(entry) = self.workflows.get(name) else {
                return self.break_chain(root);
            };
            if entry.row.hold.is_some() {
                // It goes on when the workflow does.
                continue;
            }
            if entry
                .depends()
                .iter()
                .any(|upstream| upstream != name && open.contains(upstream))
            {
                continue;
            }
            let is_runnable = entry.not_runnable().is_none();
            let Some(workflow) = self.workflow_in_force(name).filter(|_| is_runnable) else {
                return self.break_chain(root);
            };
            if let Some(chain) = self.chains.get_mut(&root) {
                chain.started.push(name.clone());
            }
            let params = self.resolve(&workflow, &[], fire_time);
            self.create(Birth {
                workflow: name.clone(),
                trigger: TriggerKind::Blood,
                fire_time,
                params,
                ignore_nodes: Vec::new(),
                chain: Some(Some(root)),
                fire: None,
                asked_by: None,
                parent: None,
            });
            if !self.chains.contains_key(&root) {
                return;
            }
            self.write_chain(root);
        }
    }

    /// A workflow that was suspended goes on: so do the chains that have waited for it.
    pub(crate) fn resume_chains_at(&mut self, name: &str) {
        let waiting: Vec<InstanceId> = self
            .chains
            .values()
            .filter(|chain| chain.remaining.iter().any(|it| it == name))
            .map(|chain| chain.root)
            .collect();
        for root in waiting {
            self.start_followers(root);
        }
    }

    fn is_suspended(&self, name: &str) -> bool {
        self.workflows
            .get(name)
            .is_some_and(|entry| entry.row.hold.is_some())
    }

    /// Nothing of the chain starts any more; what runs goes on.
    fn break_chain(&mut self, root: InstanceId) {
        if let Some(chain) = self.chains.get_mut(&root) {
            chain.remaining.clear();
        }
        self.write_chain(root);
    }

    fn write_chain(&mut self, root: InstanceId) {
        if let Some(chain) = self.chains.get(&root) {
            self.out.record(Record::Chain(chain.clone()));
            if chain.remaining.is_empty() {
                self.chains.remove(&root);
            }
        }
    }
}
