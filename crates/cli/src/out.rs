//! Standard output, whose reader may go away at any time (`| head`): that ends the program in silence.

use std::io::Write as _;

/// Writes and flushes.
pub(crate) fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if written.is_err() {
        std::process::exit(0);
    }
}

/// Prints to standard output.
macro_rules! out {
    ($($arguments:tt)*) => { $crate::out::write(&format!($($arguments)*)) };
}

/// The same with a line break.
macro_rules! outln {
    ($($arguments:tt)*) => { $crate::out::write(&format!("{}\n", format_args!($($arguments)*))) };
}
