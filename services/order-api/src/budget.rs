use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The length of the budget's window in seconds.
const SECONDS: u64 = SLOTS as u64;

const SLOTS: usize = 10;

/// Free retries per second of the window, so that a service with few calls may retry at all.
const FREE_PER_SECOND: u64 = 10;

/// The number of calls that earn one retry.
const CALLS_PER_RETRY: u64 = 5;

/// A retry budget like Linkerd's: a fifth of the calls of the last ten seconds, plus a hundred. A target in trouble then
/// gets little additional work.
pub(crate) struct Budget {
    started: Instant,
    window: Mutex<Window>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { started: Instant::now(), window: Mutex::default() }
    }
}

impl Budget {
    pub(crate) fn call(&self) {
        self.with(Window::call);
    }

    /// Takes a retry. Returns `false` if none is left.
    pub(crate) fn retry(&self) -> bool {
        self.with(Window::retry)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Window, u64) -> T) -> T {
        let second = self.started.elapsed().as_secs();
        act(&mut self.window.lock().unwrap_or_else(PoisonError::into_inner), second)
    }
}

/// Calls and retries of the last seconds, one slot per second.
#[derive(Default)]
struct Window {
    slots: [Slot; SLOTS],
}

#[derive(Clone, Copy, Default)]
struct Slot {
    second: u64,
    calls: u64,
    retries: u64,
}

impl Window {
    fn call(&mut self, second: u64) {
        self.slot(second).calls += 1;
    }

    fn retry(&mut self, second: u64) -> bool {
        let recent = self.slots.iter().filter(|slot| slot.second + SECONDS > second);
        let (calls, retries) =
            recent.fold((0, 0), |(calls, retries), slot| (calls + slot.calls, retries + slot.retries));
        let left = retries < calls / CALLS_PER_RETRY + FREE_PER_SECOND * SECONDS;
        if left {
            self.slot(second).retries += 1;
        }
        left
    }

    fn slot(&mut self, second: u64) -> &mut Slot {
        let slot = &mut self.slots[usize::try_from(second % SECONDS).unwrap_or_default()];
        if slot.second != second {
            *slot = Slot { second, ..Slot::default() };
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retries(window: &mut Window, second: u64) -> usize {
        (0..10_000).take_while(|_| window.retry(second)).count()
    }

    #[test]
    fn a_fifth_of_the_calls_and_a_hundred_may_be_made_again() {
        let mut window = Window::default();
        assert_eq!(retries(&mut window, 0), 100, "with no call at all");
        (0..1_000).for_each(|_| window.call(3));
        assert_eq!(retries(&mut window, 3), 200);
        assert_eq!(retries(&mut window, 9), 0, "both are remembered for ten seconds");
        assert_eq!(retries(&mut window, 10), 100, "the first hundred are ten seconds ago");
        assert_eq!(retries(&mut window, 13), 0, "and so are the calls");
        assert_eq!(retries(&mut window, 40), 100);
    }
}
