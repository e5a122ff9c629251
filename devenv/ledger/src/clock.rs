//! Two clocks: wall time for people, and elapsed time for decisions.

use std::fmt;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub trait WallClock: Send + Sync + fmt::Debug {
    /// The time for people. No decision depends on it.
    fn now(&self) -> jiff::Timestamp;

    /// The time since a fixed moment, sleep included. Setting the wall clock does not change it.
    fn gone_by(&self) -> Duration {
        // macOS counts its sleep in the monotonic clock.
        #[cfg(target_os = "linux")]
        const AWAKE_OR_NOT: ClockId = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        const AWAKE_OR_NOT: ClockId = ClockId::Monotonic;
        Duration::try_from(clock_gettime(AWAKE_OR_NOT)).unwrap_or_default()
    }
}

/// This machine's clock, which may be wrong.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl WallClock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}
