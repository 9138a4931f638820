//! Connections between workers and masters: ordered while they last, cut at any point, each end notices in its own time.

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation};
use akkaflow_protocol::agent;

use super::kept::Habit;
use super::plan::SECOND;
use super::world::{Event, World};

/// What a worker says.
#[derive(Debug, Clone)]
pub(crate) enum ToMaster {
    /// First message of a connection.
    Attach(agent::Attach),
    /// What follows.
    Event(agent::Event),
}

/// What a master says.
#[derive(Debug, Clone)]
pub(crate) enum ToWorker {
    /// First message of a connection.
    Welcome { epoch: Epoch },
    /// Start an attempt.
    Start {
        key: AttemptKey,
        epoch: Epoch,
        incarnation: Incarnation,
    },
    /// Stop an attempt.
    Cancel { key: AttemptKey },
    /// Promise never to start it.
    Tombstone { key: AttemptKey },
    /// Its outcome is durable.
    Acknowledge { key: AttemptKey },
}

/// One connection.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) worker: usize,
    pub(crate) worker_life: u64,
    pub(crate) incarnation: Incarnation,
    pub(crate) master: usize,
    pub(crate) master_life: u64,
    pub(crate) is_cut: bool,
    /// Whether messages that were on their way to the master when it was cut still arrive.
    arrives_late: bool,
    last_to_master: u64,
    last_to_worker: u64,
}

/// Within so many milliseconds an end notices that its connection is gone.
const NOTICE: u64 = 10 * SECOND;

impl World {
    pub(crate) fn open_connection(&mut self, worker: usize, master: usize) -> u64 {
        let number = self.next_connection;
        self.next_connection += 1;
        let connection = Connection {
            worker,
            worker_life: self.workers[worker].life,
            incarnation: self.workers[worker].incarnation,
            master,
            master_life: self.masters[master].life,
            is_cut: false,
            arrives_late: self.plan.has_late_messages
                && self.rng.chance(50)
                && self.kept.has(Habit::Messages),
            last_to_master: 0,
            last_to_worker: 0,
        };
        self.connections.insert(number, connection);
        number
    }

    /// Cuts a connection; both ends notice some time later.
    pub(crate) fn cut(&mut self, number: u64) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        if std::mem::replace(&mut connection.is_cut, true) {
            return;
        }
        let is_prompt = self.rng.chance(50);
        let bound = if is_prompt { 50 } else { NOTICE };
        let (mut first, second) = (self.rng.below(bound), self.rng.below(bound));
        let connection = &self.connections[&number];
        if connection.arrives_late {
            // The end of a stream comes after what was written to it.
            first = first.max((connection.last_to_master + 1).saturating_sub(self.now));
        }
        self.at(first, Event::MasterNotices { connection: number });
        self.at(second, Event::WorkerNotices { connection: number });
    }

    /// Cuts every connection for which `is_meant` holds.
    pub(crate) fn cut_where(&mut self, is_meant: impl Fn(&Connection) -> bool) {
        let numbers: Vec<u64> = self
            .connections
            .iter()
            .filter(|(_, connection)| !connection.is_cut && is_meant(connection))
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            self.cut(number);
        }
    }

    fn delay(&mut self) -> u64 {
        match self.rng.below(100) {
            0 if self.has(Habit::Messages) => self.rng.between(1, 4_000),
            1..=9 => self.rng.between(1, 200),
            _ => self.rng.between(1, 5),
        }
    }

    pub(crate) fn send_to_master(&mut self, number: u64, message: ToMaster) {
        let mut arrival = self.now + self.delay();
        let is_slow = matches!(message, ToMaster::Attach(_))
            && self.has(Habit::Messages)
            && self.rng.chance(4);
        if is_slow {
            arrival += self.rng.between(500, 9_000);
        }
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        if connection.is_cut {
            return;
        }
        connection.last_to_master = arrival.max(connection.last_to_master);
        let (worker, life) = (connection.worker, connection.worker_life);
        let delay = connection.last_to_master - self.now;
        let event = Event::ToMaster {
            connection: number,
            message,
        };
        self.at(delay, event);
        // The worker does not wait for an answer for ever: it dials again.
        if is_slow && self.rng.chance(50) {
            self.cut(number);
        } else if is_slow && self.rng.chance(50) {
            let delay = self.rng.below(500);
            self.at(delay, Event::CrashAgent { worker, life });
        }
    }

    pub(crate) fn send_to_worker(&mut self, number: u64, message: ToWorker) {
        let arrival = self.now + self.delay();
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        if connection.is_cut {
            return;
        }
        connection.last_to_worker = arrival.max(connection.last_to_worker);
        let delay = connection.last_to_worker - self.now;
        let event = Event::ToWorker {
            connection: number,
            message,
        };
        self.at(delay, event);
    }

    pub(crate) fn on_to_master(&mut self, number: u64, message: ToMaster) {
        let Some(connection) = self.connections.get(&number).cloned() else {
            return;
        };
        if connection.is_cut && !connection.arrives_late {
            return;
        }
        let master = &self.masters[connection.master];
        if !master.is_up || master.life != connection.master_life {
            return;
        }
        if master.paused_until > self.now {
            let delay = master.paused_until - self.now;
            let event = Event::ToMaster {
                connection: number,
                message,
            };
            self.at(delay, event);
            return;
        }
        self.on_worker_message(number, &connection, message);
    }

    pub(crate) fn on_to_worker(&mut self, number: u64, message: ToWorker) {
        let Some(connection) = self.connections.get(&number).cloned() else {
            return;
        };
        let worker = &self.workers[connection.worker];
        let is_current = worker.is_up
            && worker.life == connection.worker_life
            && worker.connection == Some(number);
        if is_current && !connection.is_cut {
            self.on_master_message(connection.worker, message);
        }
    }

    pub(crate) fn on_master_notices(&mut self, number: u64) {
        let Some(connection) = self.connections.get(&number).cloned() else {
            return;
        };
        let master = &self.masters[connection.master];
        if master.is_up && master.life == connection.master_life {
            if master.paused_until > self.now {
                let delay = master.paused_until - self.now;
                self.at(delay, Event::MasterNotices { connection: number });
                return;
            }
            self.on_session_lost(connection.master, connection.worker, number);
        }
    }

    pub(crate) fn on_worker_notices(&mut self, number: u64) {
        let Some(connection) = self.connections.get(&number).cloned() else {
            return;
        };
        let worker = &self.workers[connection.worker];
        if worker.is_up
            && worker.life == connection.worker_life
            && worker.connection == Some(number)
        {
            self.on_link_lost(connection.worker);
        }
    }
}
