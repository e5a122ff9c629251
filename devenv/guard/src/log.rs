//! The guard's log, which is its container's.

/// A line of the guard's log.
#[expect(clippy::print_stderr, reason = "the log of its container is where a refusal is looked for")]
pub(crate) fn tell(line: &str) {
    eprintln!("{line}");
}
