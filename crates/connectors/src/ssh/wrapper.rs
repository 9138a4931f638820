//! What runs around a command on the other machine.

use std::hash::{BuildHasher as _, RandomState};

/// Names the command in the environment of all that it starts: by it the host finds those that have left its group.
const MARKER: &str = "AKKAFLOW_REMOTE";

/// A command that is to end has so many tenths of a second to do so by itself.
const PATIENCE: u32 = 6;

/// What no other command is named by.
pub(super) fn marker() -> String {
    let random = || RandomState::new().hash_one(MARKER);
    format!("{:016x}{:016x}", random(), random())
}

/// What the other machine runs: it reads the command, hands it to the user's shell and watches the connection beside it. When that
/// ends, it ends all that belongs to the command: politely first, for good a little later. What belongs to it is its process group
/// and, where there is `/proc`, whatever carries `marker` in its environment. The watcher keeps the output open until nothing is
/// left: its end is the proof. One line in single quotes, without other quotes of that kind and backslashes: the
/// shells that users have read it the same way. The command itself comes by standard input, and no list of processes shows it.
pub(super) fn wrapper(length: usize, marker: &str) -> String {
    let find = format!("grep -lsF {MARKER}={marker} /proc/[0-9]*/environ");
    let signal = format!("for e in $({find}); do p=${{e%/environ}}; kill -$1 ${{p#/proc/}}; done");
    let wait = format!(
        "i=0; while [ $i -lt {PATIENCE} ] && [ -n \"$({find})\" ]; do sleep 0.1 || sleep 1; i=$((i+1)); done"
    );
    let no_proc = "[ -r /proc/self/environ ] || sleep 1";
    // Whatever is started while the others are ended is met by the second look.
    let end = format!(
        "f() {{ {signal}; }}; trap \"\" TERM; kill -TERM 0; f TERM; {wait}; {no_proc}; f KILL; f KILL; kill -KILL 0"
    );
    format!(
        "exec /bin/sh -c 'exec 3<&0 </dev/null; s=$(head -c {length} <&3; echo .); s=${{s%.}}; \
         (exec 2>/dev/null; cat <&3 >/dev/null; {end}) & w=$!; \
         {MARKER}={marker} \"${{SHELL:-/bin/sh}}\" -c \"$s\" 3<&-; c=$?; kill $w; exit $c'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shells_of_all_users_read_it_the_same_way() {
        let line = wrapper(12, &marker());
        let inner = line.strip_prefix("exec /bin/sh -c '").unwrap();
        let inner = inner.strip_suffix('\'').unwrap();
        assert!(!inner.contains(['\'', '\\', '\n']), "{inner}");
    }

    #[test]
    fn no_two_commands_carry_the_same_name() {
        assert_ne!(marker(), marker());
    }
}
