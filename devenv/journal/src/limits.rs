//! What a journal may take on disk.

/// The newest runs that are kept.
pub(crate) const KEPT_RUNS: usize = 200;

/// The bytes of a run's file after which lines of other programs (compilers, tests, Terraform) are left out.
pub(crate) const DETAIL_BYTES: u64 = 4 << 20;

/// The bytes of a run's file after which every event but the end is left out.
pub(crate) const RUN_BYTES: u64 = 16 << 20;

/// The longest line that a reader takes: no writer makes a longer one.
pub(crate) const LINE_BYTES: usize = 1 << 20;
