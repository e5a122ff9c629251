//! The units of one function, and the events that wait for them: which unit gets which event, and what becomes of an event whose
//! unit ends. Knows no clock and no address.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::invocation::{Failure, Invocation, Outcome};

/// The events that may wait for a unit.
const LIMIT: usize = 1000;

/// The state of one unit.
#[derive(Debug)]
enum Slot {
    /// The unit has not asked for an event since it started.
    Absent,
    /// The unit waits for an event.
    Idle(oneshot::Sender<Invocation>),
    Busy {
        id: String,
        end: oneshot::Sender<Outcome>,
    },
    /// The unit passed a deadline and is being killed: what it asks for now comes from the old program.
    Ending,
}

/// An event that no unit has yet.
#[derive(Debug)]
struct Waiting {
    invocation: Invocation,
    begun: oneshot::Sender<usize>,
    end: oneshot::Sender<Outcome>,
}

/// The caller's side of an invocation.
#[derive(Debug)]
pub(crate) struct Ticket {
    /// The unit that has taken the event. Whoever closes this before withdraws the event.
    pub(crate) begun: oneshot::Receiver<usize>,
    pub(crate) end: oneshot::Receiver<Outcome>,
}

/// The unit does not have this invocation, or no longer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotItsInvocation;

#[derive(Debug)]
pub(crate) struct Pool {
    slots: Vec<Slot>,
    waiting: VecDeque<Waiting>,
}

impl Pool {
    pub(crate) fn new(units: usize) -> Self {
        Self { slots: (0..units).map(|_| Slot::Absent).collect(), waiting: VecDeque::new() }
    }

    /// `None` if too many events wait.
    pub(crate) fn submit(&mut self, invocation: Invocation) -> Option<Ticket> {
        self.forget_withdrawn();
        if self.waiting.len() >= LIMIT {
            return None;
        }
        let ((begun, taken), (end, ended)) = (oneshot::channel(), oneshot::channel());
        self.waiting.push_back(Waiting { invocation, begun, end });
        self.dispatch();
        Some(Ticket { begun: taken, end: ended })
    }

    /// A unit asks for its next event. A unit that still had one has ended meanwhile and started again: that event has failed.
    /// `None` while the unit is being killed.
    pub(crate) fn ask(&mut self, unit: usize) -> Option<oneshot::Receiver<Invocation>> {
        if matches!(self.slots[unit], Slot::Ending) {
            return None;
        }
        let (give, event) = oneshot::channel();
        let before = std::mem::replace(&mut self.slots[unit], Slot::Idle(give));
        if let Slot::Busy { id, end } = before {
            let _ = end.send(Outcome::Failed(Failure::ended(&id)));
        }
        self.dispatch();
        Some(event)
    }

    /// A unit has answered.
    pub(crate) fn finish(&mut self, unit: usize, id: &str, outcome: Outcome) -> Result<(), NotItsInvocation> {
        if self.end(unit, id, Slot::Absent, outcome) { Ok(()) } else { Err(NotItsInvocation) }
    }

    /// The time of an invocation is up. Returns whether it was still under way: its unit must then be killed, and
    /// [`Self::killed`] follows.
    pub(crate) fn expire(&mut self, unit: usize, id: &str, failure: Failure) -> bool {
        self.end(unit, id, Slot::Ending, Outcome::Failed(failure))
    }

    /// The killed program is gone.
    pub(crate) fn killed(&mut self, unit: usize) {
        if matches!(self.slots[unit], Slot::Ending) {
            self.slots[unit] = Slot::Absent;
        }
    }

    /// Whether the unit has asked for an event and, as far as is known, lives.
    pub(crate) fn is_ready(&self, unit: usize) -> bool {
        match &self.slots[unit] {
            Slot::Idle(give) => !give.is_closed(),
            Slot::Busy { .. } => true,
            Slot::Absent | Slot::Ending => false,
        }
    }

    pub(crate) fn has_idle(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Idle(give) if !give.is_closed()))
    }

    /// Ends the unit's invocation, if it is this one.
    fn end(&mut self, unit: usize, id: &str, next: Slot, outcome: Outcome) -> bool {
        let is_its_own = matches!(&self.slots[unit], Slot::Busy { id: own, .. } if own == id);
        if is_its_own && let Slot::Busy { end, .. } = std::mem::replace(&mut self.slots[unit], next) {
            // A caller that has gone away needs no answer.
            let _ = end.send(outcome);
        }
        is_its_own
    }

    fn forget_withdrawn(&mut self) {
        self.waiting.retain(|waiting| !waiting.begun.is_closed());
    }

    /// Gives waiting events to idle units, the oldest first.
    fn dispatch(&mut self) {
        self.forget_withdrawn();
        for (unit, slot) in self.slots.iter_mut().enumerate() {
            if !matches!(slot, Slot::Idle(give) if !give.is_closed()) {
                continue;
            }
            let Some(Waiting { invocation, begun, end }) = self.waiting.pop_front() else { break };
            let Slot::Idle(give) = std::mem::replace(slot, Slot::Absent) else { continue };
            let id = invocation.id.clone();
            match give.send(invocation) {
                Ok(()) => {
                    *slot = Slot::Busy { id, end };
                    let _ = begun.send(unit);
                }
                // The unit went away at this moment.
                Err(invocation) => self.waiting.push_front(Waiting { invocation, begun, end }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::body::Bytes;

    use super::*;

    fn event(id: &str) -> Invocation {
        Invocation::with_id(id.to_owned(), Bytes::from_static(b"{}"))
    }

    fn submit(pool: &mut Pool, id: &str) -> Ticket {
        pool.submit(event(id)).expect("there is room")
    }

    fn done() -> Outcome {
        Outcome::Done(Bytes::from_static(b"1"))
    }

    fn ask(pool: &mut Pool, unit: usize) -> oneshot::Receiver<Invocation> {
        pool.ask(unit).expect("it is not being killed")
    }

    #[test]
    fn events_are_given_in_order_one_for_each_unit() {
        let mut pool = Pool::new(2);
        let mut tickets = ["a", "b", "c"].map(|id| submit(&mut pool, id));
        assert!(!pool.is_ready(0) && tickets[0].begun.try_recv().is_err());
        assert_eq!(ask(&mut pool, 1).try_recv().expect("given").id, "a");
        assert_eq!(ask(&mut pool, 0).try_recv().expect("given").id, "b");
        assert_eq!([0, 1].map(|nth| tickets[nth].begun.try_recv().expect("begun")), [1, 0]);
        assert!(pool.is_ready(0) && !pool.has_idle());
        pool.finish(1, "a", done()).expect("it has this one");
        assert_eq!(tickets[0].end.try_recv().expect("ended"), done());
        assert_eq!(pool.finish(1, "a", done()), Err(NotItsInvocation), "once only");
        assert_eq!(ask(&mut pool, 1).try_recv().expect("given").id, "c");
    }

    #[test]
    fn a_unit_that_asks_again_has_lost_its_event() {
        let mut pool = Pool::new(1);
        drop(ask(&mut pool, 0));
        let _asked = ask(&mut pool, 0);
        let mut ticket = submit(&mut pool, "a");
        assert_eq!(ticket.begun.try_recv(), Ok(0));
        let _asked = ask(&mut pool, 0);
        assert_eq!(ticket.end.try_recv().expect("ended"), Outcome::Failed(Failure::ended("a")));
        assert_eq!(pool.finish(0, "a", done()), Err(NotItsInvocation));
    }

    #[test]
    fn a_unit_past_its_deadline_gets_nothing_until_it_is_gone() {
        let mut pool = Pool::new(1);
        let _asked = ask(&mut pool, 0);
        let mut ticket = submit(&mut pool, "a");
        let failure = || Failure::new("timeout", "t", "m");
        assert!(!pool.expire(0, "b", failure()), "another one");
        assert!(pool.expire(0, "a", failure()));
        assert!(!pool.expire(0, "a", failure()), "once only");
        assert_eq!(ticket.end.try_recv().expect("ended"), Outcome::Failed(failure()));
        assert_eq!(pool.finish(0, "a", done()), Err(NotItsInvocation), "too late");
        assert!(pool.ask(0).is_none() && !pool.is_ready(0));
        pool.killed(0);
        let _asked = ask(&mut pool, 0);
    }

    #[test]
    fn only_so_many_events_wait() {
        let mut pool = Pool::new(1);
        let waiting: Vec<Ticket> = (0..LIMIT).map(|number| submit(&mut pool, &number.to_string())).collect();
        assert!(pool.submit(event("one more")).is_none());
        drop(waiting);
        submit(&mut pool, "room again");
    }

    #[test]
    fn what_nobody_waits_for_is_not_given() {
        let mut pool = Pool::new(1);
        drop(submit(&mut pool, "a"));
        drop(ask(&mut pool, 0));
        assert!(!pool.has_idle() && !pool.is_ready(0), "its connection is closed");
        let mut ticket = submit(&mut pool, "b");
        assert!(ticket.begun.try_recv().is_err());
        assert_eq!(ask(&mut pool, 0).try_recv().expect("given").id, "b");
    }
}
