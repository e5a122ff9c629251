//! The time that is written down for people. What waits measures its own time and never asks this clock.

use std::fmt;

pub trait WallClock: Send + Sync + fmt::Debug {
    fn now(&self) -> jiff::Timestamp;
}

/// This machine's, which may be wrong.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl WallClock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}
