//! The two threads: one serves the agent, one reaps.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::time::Timespec;

use super::exits::Exits;
use super::message::{Cause, Request, Used};
use super::paths;
use super::state::{Ended, State};
use super::{kill, paths::EXITS_FILE, paths::LOCK_FILE};
use crate::clock;
use crate::frame::Reader;

/// How long it waits for the next agent when there is nothing to do.
const LINGER: Duration = Duration::from_secs(5);

/// Nobody wakes it when the last process ends: with no agent to come it looks so often whether it can go.
const LEFT_STEP: Duration = Duration::from_millis(500);

/// A supervisor that is about to end holds the lock for less than this.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// Between two tries to take the lock.
const LOCK_STEP: Duration = Duration::from_millis(5);

/// Between two looks at the families that are being killed.
const KILL_STEP: Duration = Duration::from_millis(5);

/// The contact deadline is on a clock that poll does not know: look at it so often.
const DEADLINE_STEP: Duration = Duration::from_secs(5);

/// From SIGTERM to SIGKILL when the contact to the masters is lost.
const DEADLINE_GRACE: Duration = Duration::from_secs(1);

/// An agent that does not read for so long is dropped.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

struct Shared {
    state: Mutex<State>,
    /// Wakes the thread that serves: the reaper has left it something to end.
    wake: UnixStream,
    /// Wakes the reaper, which must not wait while there is no child.
    has_children: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("a panic in either thread ends the process")
    }
}

pub(super) fn run(data_dir: &Path) -> io::Result<()> {
    // Out of the terminal's reach. It fails only for the leader of a group, who is out of reach already.
    let _ = rustix::process::setsid();
    let directory = paths::directory(data_dir);
    paths::create_directory(data_dir)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(directory.join(LOCK_FILE))?;
    if !take(&lock) {
        return Ok(());
    }
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let exits = Exits::open(&directory.join(EXITS_FILE))?;
    let address = paths::announce_address(&directory)?;
    let _ = std::fs::remove_file(&address);
    let listener = UnixListener::bind(&address)?;
    paths::make_private(&address)?;
    listener.set_nonblocking(true)?;
    // Whichever way the directory is named when the next supervisor starts.
    let owner = data_dir.canonicalize()?.into_os_string();
    let (wake, wakes) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    wakes.set_nonblocking(true)?;
    let shared = Arc::new(Shared {
        wake,
        state: Mutex::new(State::new(owner, exits)),
        has_children: Condvar::new(),
    });
    let reaper = Arc::clone(&shared);
    thread::Builder::new()
        .name("reaper".to_owned())
        .spawn(move || end_on_failure(reap(&reaper)))?;
    let result = serve(&shared, &listener, wakes);
    let _ = std::fs::remove_file(&address);
    drop(lock);
    result
}

/// Takes the lock. False: another supervisor has it and keeps it.
fn take(lock: &File) -> bool {
    let begun = Instant::now();
    loop {
        if flock(lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return true;
        }
        if begun.elapsed() >= LOCK_PATIENCE {
            return false;
        }
        thread::sleep(LOCK_STEP);
    }
}

/// Whatever breaks here (the exit records cannot be written) must not be survived in an unknown state: the agent starts
/// another supervisor, which kills what is left.
fn end_on_failure(result: io::Result<()>) {
    if result.is_err() {
        process::exit(1);
    }
}

/// Waits for children to end, for ever.
fn reap(shared: &Shared) -> io::Result<()> {
    loop {
        match waitid(Id::All, ENDED) {
            Ok(first) => {
                let mut reaped = Vec::new();
                let mut next = first.pid();
                while let Some(pid) = next {
                    reaped.extend(take_leave(pid.as_raw())?);
                    next = waitid(Id::All, ENDED | WaitPidFlag::WNOHANG)
                        .ok()
                        .and_then(|status| status.pid());
                }
                // The lock is held while a process is started: here its id is known.
                let has_leftovers = shared.lock().on_reaped(&reaped)?;
                if has_leftovers {
                    // When that is full it is awake.
                    let _ = (&shared.wake).write(&[0]);
                }
            }
            Err(Errno::EINTR) => {}
            Err(Errno::ECHILD) => {
                let state = shared.lock();
                // A child started between the two calls is in the state; an orphan of nobody is reaped with the next.
                drop(
                    shared
                        .has_children
                        .wait_while(state, |state| !state.awaits_children())
                        .expect("a panic in either thread ends the process"),
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Who has ended, and stays for [`take_leave`].
const ENDED: WaitPidFlag = WaitPidFlag::WEXITED.union(WaitPidFlag::WNOWAIT);

/// Reaps a process that has ended.
fn take_leave(pid: i32) -> io::Result<Option<(i32, Ended)>> {
    let known = u32::try_from(pid).map_err(io::Error::other)?;
    let left = wait4::try_wait4_pid(known)?;
    Ok(left.map(|left| {
        let cpu = left.rusage.utime + left.rusage.stime;
        let used = Used {
            cpu_millis: u64::try_from(cpu.as_millis()).unwrap_or(u64::MAX),
            peak_memory: Some(left.rusage.maxrss).filter(|peak| *peak > own_peak()),
        };
        (pid, (left.status, used))
    }))
}

/// The most memory that this process has held, bytes: what a child counts as its own until its program begins.
///
/// Not `getrusage`: that tells what the process which started this one has held too.
fn own_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|peak| peak.trim().strip_suffix("kB"))
        .and_then(|peak| peak.trim().parse::<u64>().ok());
    kibibytes.map_or(u64::MAX, |kibibytes| kibibytes << 10)
}

struct Client {
    stream: UnixStream,
    reader: Reader,
}

fn serve(shared: &Shared, listener: &UnixListener, mut wakes: UnixStream) -> io::Result<()> {
    let mut client: Option<Client> = None;
    let mut idle_since = Instant::now();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let timeout = next_timeout(&shared.lock(), client.is_some(), idle_since);
        let mut descriptors = vec![
            PollFd::new(listener, PollFlags::IN),
            PollFd::new(&wakes, PollFlags::IN),
        ];
        if let Some(client) = &client {
            descriptors.push(PollFd::new(&client.stream, PollFlags::IN));
        }
        match poll(&mut descriptors, timeout.map(timespec).as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let has_caller = !descriptors[0].revents().is_empty();
        let has_input = descriptors
            .get(2)
            .is_some_and(|descriptor| !descriptor.revents().is_empty());
        drop(descriptors);
        // Why it was woken stands in the state.
        let _ = wakes.read(&mut buffer);
        if has_input
            && let Some(current) = &mut client
            && read_requests(shared, current, &mut buffer).is_err()
        {
            shared.lock().on_client_gone();
            client = None;
            idle_since = Instant::now();
        }
        if has_caller && let Ok((stream, _)) = listener.accept() {
            stream.set_write_timeout(Some(WRITE_PATIENCE))?;
            client = Some(Client {
                stream,
                reader: Reader::default(),
            });
        }
        let mut state = shared.lock();
        check_contact(&mut state);
        if state.is_killing() {
            kill::advance(&mut state)?;
        }
        if !state.is_idle() {
            idle_since = Instant::now();
        } else if client.is_none() && (state.has_agent_left || idle_since.elapsed() >= LINGER) {
            return Ok(());
        }
    }
}

fn next_timeout(state: &State, has_client: bool, idle_since: Instant) -> Option<Duration> {
    if state.is_killing() {
        Some(KILL_STEP)
    } else if state.is_idle() {
        (!has_client).then(|| LINGER.saturating_sub(idle_since.elapsed()))
    } else if state.has_agent_left && !has_client {
        Some(LEFT_STEP)
    } else if let Some(deadline) = state.contact_deadline {
        let rest = deadline.saturating_sub(clock::since_boot());
        Some(rest.clamp(Duration::from_millis(1), DEADLINE_STEP))
    } else if has_client {
        None
    } else {
        // The reaper does not wake us when the last child ends.
        Some(LINGER)
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

fn check_contact(state: &mut State) {
    if state
        .contact_deadline
        .is_some_and(|deadline| clock::since_boot() >= deadline)
    {
        state.contact_deadline = None;
        state.kill_all(DEADLINE_GRACE, Cause::OutOfContact);
    }
}

/// Reads what has arrived and obeys. An error means that the agent is gone.
fn read_requests(shared: &Shared, client: &mut Client, buffer: &mut [u8]) -> io::Result<()> {
    let length = client.stream.read(buffer)?;
    if length == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    client.reader.push(&buffer[..length]);
    let mut forgotten = Vec::new();
    while let Some(request) = client.reader.next::<Request>()? {
        match request {
            Request::Forget { id } => forgotten.push(id),
            Request::Hello { environment } => {
                let stream = client.stream.try_clone()?;
                shared.lock().greet(stream, environment);
            }
            request => obey(shared, request),
        }
    }
    if !forgotten.is_empty() {
        shared.lock().exits.forget(&forgotten)?;
    }
    Ok(())
}

fn obey(shared: &Shared, request: Request) {
    let mut state = shared.lock();
    match request {
        Request::Start(start) => {
            state.start(start);
            shared.has_children.notify_one();
        }
        Request::Kill {
            id,
            marker,
            grace_ms,
        } => state.kill(id, marker, Duration::from_millis(grace_ms), Cause::Killed),
        Request::KillAll { grace_ms } => {
            state.kill_all(Duration::from_millis(grace_ms), Cause::Killed);
            state.kill_all_requested = true;
            if !state.is_killing() {
                state.kill_all_requested = false;
                state.tell(&[super::Event::AllKilled]);
            }
        }
        Request::Contact { stop_after_ms } => {
            state.contact_deadline =
                Some(clock::since_boot() + Duration::from_millis(stop_after_ms));
        }
        Request::Leave => state.has_agent_left = true,
        Request::Hello { .. } | Request::Forget { .. } => {
            unreachable!("handled by the caller")
        }
    }
}
