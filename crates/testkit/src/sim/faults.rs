//! What goes wrong: crashes, pauses, cuts, a database that is away, a clock that steps.

use super::plan::SECOND;
use super::world::{Event, World};
use akkaflow_protocol::leader::LeaderInput;

impl World {
    pub(crate) fn on_fault(&mut self) {
        if self.is_quiet {
            return;
        }
        self.step(
            |world| {
                let delay = world.rng.between(1, 2 * world.plan.fault_every);
                world.at(delay, Event::Fault);
            },
            Self::go_wrong,
        );
    }

    fn go_wrong(&mut self) {
        match self.rng.below(100) {
            0..=17 => self.crash_leader(),
            18..=25 => self.pause_master(),
            26..=31 => self.hand_over(),
            32..=35 => self.hint(),
            36..=38 => self.take_store_down(),
            39..=41 => self.part_from_store(),
            42..=56 => self.crash_some_worker(true),
            57..=68 => self.crash_some_worker(false),
            69..=78 => self.cut_worker_off(),
            79..=93 => self.cut_some_connection(),
            _ => self.step_clock(),
        }
    }

    fn some_master(&mut self) -> usize {
        let other = self.rng.index(self.masters.len());
        self.leading()
            .filter(|_| self.rng.clone().chance(80))
            .unwrap_or(other)
    }

    fn crash_leader(&mut self) {
        let master = self.some_master();
        self.crash_master(master);
        let delay = if self.rng.chance(50) {
            self.rng.between(200, 3_000)
        } else {
            self.rng.between(5, 90) * SECOND
        };
        self.at(delay, Event::StartMaster { master });
    }

    /// The process stands still, its connections with it.
    fn pause_master(&mut self) {
        let master = self.some_master();
        let length = self.rng.between(500, 40 * SECOND);
        self.tell(|| format!("m{master} stands still for {length} ms"));
        self.masters[master].paused_until = self.now + length;
        if length > 5 * SECOND {
            self.cut_where(|connection| connection.master == master);
        }
    }

    /// A clean stop and start.
    fn hand_over(&mut self) {
        let Some(master) = self.leading() else {
            return;
        };
        self.tell(|| format!("m{master} resigns"));
        self.lead(master, LeaderInput::Resign);
        self.masters[master].is_up = false;
        let delay = self.rng.between(500, 20 * SECOND);
        self.at(delay, Event::StartMaster { master });
    }

    /// A standby believes that the leader is out of reach.
    fn hint(&mut self) {
        let leading = self.leading();
        let standby = (0..self.masters.len())
            .find(|&master| Some(master) != leading && self.masters[master].is_up);
        if let Some(master) =
            standby.filter(|&master| self.masters[master].paused_until <= self.now)
        {
            self.tell(|| format!("m{master} believes that the leader is gone"));
            self.people.hinted_at = Some(self.now);
            self.lead(master, LeaderInput::HolderUnreachable);
        }
    }

    fn take_store_down(&mut self) {
        let length = self.rng.between(1, 40) * SECOND;
        self.tell(|| format!("the store is away for {length} ms"));
        self.store_down_until = self.now + length;
    }

    /// One master's way to the store gets slow, then breaks.
    fn part_from_store(&mut self) {
        let master = self.some_master();
        let length = self.rng.between(5, 40) * SECOND;
        let slow = self.rng.below(5 * SECOND);
        self.tell(|| format!("m{master} is parted from the store for {length} ms"));
        self.masters[master].slow_until = self.now + slow;
        self.masters[master].cut_off_until = self.now + length;
    }

    fn crash_some_worker(&mut self, with_processes: bool) {
        let worker = self.rng.index(self.workers.len());
        if !self.workers[worker].is_up {
            return;
        }
        if !with_processes && self.rng.chance(30) {
            return self.stop_worker(worker);
        }
        self.crash_worker(worker, with_processes);
        if with_processes && self.rng.chance(6) {
            self.workers[worker].is_gone = true;
            return;
        }
        let delay = if self.rng.chance(60) {
            self.rng.between(100, 10 * SECOND)
        } else {
            self.rng.between(10, 400) * SECOND
        };
        self.at(delay, Event::StartWorker { worker });
    }

    /// A crash at the worst moment: between the start of a process and what follows from it.
    pub(crate) fn on_crash_agent(&mut self, worker: usize, life: u64) {
        let is_spared = self.is_quiet && !self.workers[worker].is_leaving();
        if is_spared || !self.workers[worker].is_up || self.workers[worker].life != life {
            return;
        }
        self.crash_worker(worker, false);
        let delay = self.rng.between(100, 10 * SECOND);
        self.at(delay, Event::StartWorker { worker });
    }

    fn cut_worker_off(&mut self) {
        let worker = self.rng.index(self.workers.len());
        let length = if self.rng.chance(50) {
            self.rng.between(1, 60) * SECOND
        } else {
            self.rng.between(60, 500) * SECOND
        };
        self.tell(|| format!("w{worker} is cut off for {length} ms"));
        self.stats.lost_workers += 1;
        self.workers[worker].cut_off_until = self.now + length;
        self.cut_where(|connection| connection.worker == worker);
    }

    fn cut_some_connection(&mut self) {
        let worker = self.rng.index(self.workers.len());
        self.cut_where(|connection| connection.worker == worker);
    }

    /// The store's clock steps; a reign goes on with the clock that it began with.
    fn step_clock(&mut self) {
        let step = match self.rng.below(3) {
            0 => self.rng.between(1, 600) as i64 * 1_000,
            1 => -(self.rng.between(1, 600) as i64 * 1_000),
            _ => self.rng.between(1, 50) as i64 * 3_600_000,
        };
        self.tell(|| format!("the store's clock steps by {step} ms"));
        self.clock_offset += step;
    }

    /// No more faults: everything that can come back does.
    pub(crate) fn be_quiet(&mut self) {
        self.tell(|| "quiet".to_owned());
        self.is_quiet = true;
        self.store_down_until = 0;
        for master in 0..self.masters.len() {
            self.masters[master].cut_off_until = 0;
            self.masters[master].paused_until = self.masters[master].paused_until.min(self.now);
            if !self.masters[master].is_up {
                self.start_master(master);
            }
        }
        for worker in 0..self.workers.len() {
            self.workers[worker].cut_off_until = 0;
            self.start_worker(worker);
        }
        self.end_hanging();
    }
}
