//! Where tasks run: threads of their own, which give way to those of the agent.
//!
//! A transfer turns rows over for milliseconds at a time and may fill every core. On the threads of the agent, and those of a master
//! in the same process, it would keep heartbeats, orders and kills waiting; beside them, at the same priority, it would take its turn
//! on the processor as often as they do.

use std::io;

use rustix::process::{getpriority_process, setpriority_process};
use tokio::runtime::{Builder, Handle, Runtime};

/// How much nicer than the agent: of a processor that both want, the agent gets three quarters, and at once.
const NICER_BY: i32 = 5;

/// The nicest that the system knows.
const NICEST: i32 = 19;

/// Threads that may wait, for each slot: a transfer holds three at most, and one that found none would wait for another that waits
/// for it.
const WAITING_THREADS: usize = 8;

/// Threads for tasks that wait for nobody: one for each slot, up to so many. A poll of a transfer may take a while; whoever must cancel
/// it on its server, or only learn of its kill, must not stand in line behind that.
const MOST_THREADS: usize = 64;

/// The runtime of the tasks. Dropping it waits for nobody: what still runs then ends with the process.
#[derive(Debug)]
pub(crate) struct Workshop(Option<Runtime>);

impl Workshop {
    /// Starts its threads, for `slots` attempts at once.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn open(slots: u32) -> io::Result<Self> {
        // Not from thread to thread: each inherits that of the one which starts it.
        let niceness = (getpriority_process(None).unwrap_or(0) + NICER_BY).min(NICEST);
        let slots = usize::try_from(slots).unwrap_or(usize::MAX).max(8);
        let runtime = Builder::new_multi_thread()
            .worker_threads(slots.min(MOST_THREADS))
            // Sockets and timers are looked at between any two polls: 61 of them, as is usual, may take seconds here.
            .event_interval(1)
            .max_blocking_threads(slots.saturating_mul(WAITING_THREADS))
            .thread_name("akkaflow-task")
            .on_thread_start(move || be_nice(niceness))
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Where to spawn.
    pub(crate) fn handle(&self) -> Handle {
        let runtime = self.0.as_ref();
        runtime.expect("it is there until dropped").handle().clone()
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Lowers the priority of the calling thread, and of what it starts. Where that is not allowed, everything works all the same.
fn be_nice(niceness: i32) {
    let _ = setpriority_process(None, niceness);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_give_way_to_the_agent_in_all_their_threads() {
        let ours = getpriority_process(None).unwrap();
        let workshop = Workshop::open(1).unwrap();
        let nice = || getpriority_process(None).unwrap();
        let task = workshop.handle().spawn(async move {
            let waiting = tokio::task::spawn_blocking(nice).await.unwrap();
            (nice(), waiting)
        });
        let wanted = (ours + NICER_BY).min(NICEST);
        assert_eq!(task.await.unwrap(), (wanted, wanted));
        assert_eq!(nice(), ours);
    }
}
