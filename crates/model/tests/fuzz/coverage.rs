//! Which code an input reaches, where the program was built to count that (`cargo xtask fuzz`).

#[cfg(fuzz_coverage)]
#[expect(
    unsafe_code,
    reason = "the compiler's counters are memory that its runtime hands out as two addresses"
)]
mod counters {
    unsafe extern "C" {
        fn __llvm_profile_begin_counters() -> *mut u64;
        fn __llvm_profile_end_counters() -> *mut u64;
    }

    /// The counters of all code of this program. Only the thread that runs the targets looks at them.
    pub(super) fn all() -> &'static mut [u64] {
        // SAFETY: the runtime guarantees that the counters lie in one piece between the two addresses for as long as the
        // program runs; other threads may count while we read, which costs a count and nothing else.
        unsafe {
            let begin = __llvm_profile_begin_counters();
            let end = __llvm_profile_end_counters();
            let length = usize::try_from(end.offset_from(begin)).unwrap_or_default();
            std::slice::from_raw_parts_mut(begin, length)
        }
    }
}

/// What all inputs so far have reached.
pub(crate) struct Coverage {
    /// For every counter, which orders of magnitude it has had.
    #[cfg(fuzz_coverage)]
    seen: Vec<u8>,
}

impl Coverage {
    #[cfg(fuzz_coverage)]
    pub(crate) fn new() -> Self {
        Self {
            seen: vec![0; counters::all().len()],
        }
    }

    #[cfg(not(fuzz_coverage))]
    pub(crate) fn new() -> Self {
        Self {}
    }

    /// Whether anything is counted.
    pub(crate) fn is_counted() -> bool {
        cfg!(fuzz_coverage)
    }

    /// Whether the input that has just run reached anything new; starts counting anew.
    #[cfg(fuzz_coverage)]
    pub(crate) fn take_in(&mut self) -> bool {
        let mut is_new = false;
        for (counter, seen) in counters::all().iter_mut().zip(&mut self.seen) {
            if *counter == 0 {
                continue;
            }
            // 1, 2-3, 4-15, 16-63, ...: how often counts too, but not exactly.
            let magnitude = 1_u8 << ((64 - counter.leading_zeros()) / 2).min(7);
            is_new |= *seen & magnitude == 0;
            *seen |= magnitude;
            *counter = 0;
        }
        is_new
    }

    #[cfg(not(fuzz_coverage))]
    pub(crate) fn take_in(&mut self) -> bool {
        false
    }

    /// How many counters have ever counted.
    #[cfg(fuzz_coverage)]
    pub(crate) fn reached(&self) -> usize {
        self.seen.iter().filter(|seen| **seen != 0).count()
    }

    #[cfg(not(fuzz_coverage))]
    pub(crate) fn reached(&self) -> usize {
        0
    }
}
