//! The runs of a backfill by workflow and date, and which of these wait for which.

use std::ops::Range;

use super::BackfillRunRow;

/// Runs of one workflow's date follow each other, and need the same. Runs are named by their positions.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Group>,
    /// The group of each run.
    of: Vec<usize>,
}

/// All runs of a workflow's date.
#[derive(Debug)]
struct Group {
    runs: Range<usize>,
    /// Those that are not good yet.
    left: usize,
    /// Groups that it needs and that are not good yet.
    missing: usize,
    dependants: Vec<usize>,
}

impl Groups {
    /// The groups of all runs of a backfill, in order.
    pub fn new(runs: &[BackfillRunRow]) -> Self {
        let mut all = Self::default();
        for group in runs.chunk_by(|a, b| (a.day, &a.workflow) == (b.day, &b.workflow)) {
            let first = all.of.len();
            all.of.extend(group.iter().map(|_| all.groups.len()));
            all.groups.push(Group {
                runs: first..first + group.len(),
                left: group.iter().filter(|run| !run.state.is_good()).count(),
                missing: 0,
                dependants: Vec::new(),
            });
        }
        for place in 0..all.groups.len() {
            let needs = &runs[all.groups[place].runs.start].needs;
            let unmet: Vec<usize> = all.unmet_groups(needs).collect();
            all.groups[place].missing = unmet.len();
            for needed in unmet {
                all.groups[needed].dependants.push(place);
            }
        }
        all
    }

    fn unmet_groups(&self, needs: &[u32]) -> impl Iterator<Item = usize> {
        needs
            .iter()
            .filter_map(|need| self.of.get(*need as usize).copied())
            .filter(|place| self.groups[*place].left > 0)
    }

    /// Of what a run needs the groups that are not good.
    pub fn unmet(&self, needs: &[u32]) -> impl Iterator<Item = Range<usize>> {
        self.unmet_groups(needs)
            .map(|place| self.groups[place].runs.clone())
    }

    /// The runs of groups whose needs are good.
    pub fn free(&self) -> impl Iterator<Item = usize> {
        self.groups
            .iter()
            .filter(|group| group.missing == 0)
            .flat_map(|group| group.runs.clone())
    }

    /// A run has become good. The runs of groups whose needs are good by that.
    pub fn on_good(&mut self, run: usize) -> Vec<usize> {
        let group = &mut self.groups[self.of[run]];
        group.left -= 1;
        if group.left > 0 {
            return Vec::new();
        }
        let mut freed = Vec::new();
        for dependant in std::mem::take(&mut group.dependants) {
            let dependant = &mut self.groups[dependant];
            dependant.missing -= 1;
            if dependant.missing == 0 {
                freed.extend(dependant.runs.clone());
            }
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backfill::RunState;
    use crate::id::InstanceId;
    use crate::time::Timestamp;

    fn run(position: u32, workflow: &str, needs: &[u32]) -> BackfillRunRow {
        BackfillRunRow {
            backfill: InstanceId::from_u128(1),
            position,
            workflow: workflow.to_owned(),
            day: 1,
            fire_time: Timestamp::default(),
            needs: needs.to_vec(),
            state: RunState::Waiting,
            instance: None,
            changed_at: Timestamp::default(),
        }
    }

    #[test]
    fn a_group_is_free_once_all_runs_of_all_that_it_needs_are_good() {
        let mut runs = vec![
            run(0, "hourly", &[]),
            run(1, "hourly", &[]),
            run(2, "other", &[]),
            run(3, "report", &[0, 2]),
            run(4, "report", &[0, 2]),
        ];
        runs[0].state = RunState::Good;
        let mut groups = Groups::new(&runs);
        assert_eq!(groups.free().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(
            groups.unmet(&runs[3].needs).collect::<Vec<_>>(),
            [0..2, 2..3]
        );
        assert!(groups.on_good(2).is_empty());
        assert_eq!(groups.unmet(&runs[4].needs).next(), Some(0..2));
        assert_eq!(groups.on_good(1), [3, 4]);
        assert_eq!(groups.unmet(&runs[4].needs).count(), 0);
    }
}
