//! How much processor time is used for somebody.
//!
//! It is that of the threads which work for them, while they do: around each poll of their task and of those that it spawns, and around
//! each piece of work that may wait. Hence whatever works for others is spawned by [`spawn`] and [`spawn_blocking`].

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinHandle;

tokio::task_local! {
    /// For whom the running task works.
    static CURRENT: ProcessorTime;
}

/// What was used for somebody; clones take it together.
#[derive(Debug, Clone, Default)]
pub struct ProcessorTime(Arc<AtomicU64>);

impl ProcessorTime {
    /// What was used until now. Work that has not ended yet is not in it.
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// Counts the processor time of `work`, and of what it spawns by [`spawn`] and [`spawn_blocking`].
    pub async fn count<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(CURRENT.scope(self.clone(), work));
        poll_fn(|context| self.timed(|| work.as_mut().poll(context))).await
    }

    /// Does `work` in this thread, and counts its time.
    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = thread_time();
        let done = work();
        let used = thread_time().saturating_sub(before).as_nanos();
        let used = u64::try_from(used).unwrap_or(u64::MAX);
        self.0.fetch_add(used, Ordering::Relaxed);
        done
    }
}

/// Processor time of the calling thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A future that is counted for whom the task works that makes it.
pub fn counted<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let time = CURRENT.try_with(Clone::clone).ok();
    async move {
        match time {
            Some(time) => time.count(work).await,
            None => work.await,
        }
    }
}

/// The same for work that may wait.
pub fn counted_work<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let time = CURRENT.try_with(Clone::clone).ok();
    move || match time {
        Some(time) => time.timed(|| CURRENT.sync_scope(time.clone(), work)),
        None => work(),
    }
}

/// [`tokio::spawn`] for whom the running task works.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(counted(work))
}

/// [`tokio::task::spawn_blocking`] for whom the running task works.
pub fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    tokio::task::spawn_blocking(counted_work(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses a thread's processor for so long.
    fn burn(time: Duration) {
        let start = thread_time();
        while thread_time().saturating_sub(start) < time {
            std::hint::spin_loop();
        }
    }

    const PART: Duration = Duration::from_millis(20);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_time_of_a_task_is_that_of_all_that_works_for_it() {
        let time = ProcessorTime::default();
        let work = async {
            burn(PART);
            tokio::task::yield_now().await;
            let child = spawn(async {
                burn(PART);
                spawn_blocking(|| burn(PART)).await.unwrap();
            });
            child.await.unwrap();
        };
        time.count(work).await;
        let used = time.used().as_millis();
        assert!((60..90).contains(&used), "{used} ms");
    }

    #[tokio::test]
    async fn waiting_and_the_work_of_others_cost_nothing() {
        let time = ProcessorTime::default();
        let others = tokio::spawn(async { burn(PART) });
        time.count(async { others.await.unwrap() }).await;
        let used = time.used().as_millis();
        assert!(used < 10, "{used} ms");
    }
}
