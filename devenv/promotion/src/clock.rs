//! Two clocks: the time that is written for people, and the time that went by.

use std::fmt;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub trait WallClock: Send + Sync + fmt::Debug {
    /// For people. Nothing is decided by it.
    fn now(&self) -> jiff::Timestamp;

    /// What went by on this machine since some moment that stays the same, the time that it slept included. Nobody can set it.
    fn gone_by(&self) -> Duration {
        // macOS counts its sleep in the monotonic clock.
        #[cfg(target_os = "linux")]
        const AWAKE_OR_NOT: ClockId = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        const AWAKE_OR_NOT: ClockId = ClockId::Monotonic;
        Duration::try_from(clock_gettime(AWAKE_OR_NOT)).unwrap_or_default()
    }
}

/// This machine's, which may be wrong.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl WallClock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}
