//! Judges whether a service runs the wanted release, from a view that is free of any scheduler's terms.

use std::fmt;

/// A service during its rollout, under any scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutView {
    pub wanted: WantedRelease,
    /// The desired number of instances.
    pub desired: u32,
    /// The running instances of the wanted release.
    pub ready: u32,
    /// The instances of other releases that still run.
    pub others: usize,
    /// The containers of the wanted release that ended by themselves.
    pub ends: Vec<ContainerEnd>,
    /// The reason to doubt that a running instance has the wanted image.
    pub doubt: Option<Doubt>,
}

/// The scheduler's state for the wanted release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedRelease {
    /// The rollout runs, and the scheduler counts failures.
    Rolling,
    /// The rollout is complete, and the scheduler counts no more failures.
    Settled,
    /// The scheduler gave it up.
    Stopped {
        reason: String,
        /// Whether no other release has replaced it yet.
        current: bool,
    },
    /// The service should run another release.
    Superseded { by: String },
    /// Its definition has no container with the wanted image.
    NotNamed { definition: String, digest: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    OtherImage {
        wanted: String,
        found: String,
    },
    /// It may pass.
    Unclear(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// Not live yet, with what is missing.
    Going(String),
    /// Every task runs the wanted image.
    Done,
    Failed(RolloutFailure),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RolloutFailure {
    #[error("the circuit breaker ended the deployment: {reason}")]
    Breaker { reason: String },
    #[error("another deployment, {by}, replaced it meanwhile")]
    Superseded { by: String },
    #[error("the service is scaled to zero, so nothing of the release runs")]
    ScaledToZero,
    #[error("{count} of its tasks ended one after the other")]
    KeepsEnding { count: usize },
    #[error("a task runs {found}, not {wanted}")]
    OtherImage { wanted: String, found: String },
    #[error("{task_definition} has no container with the image {wanted}")]
    NotNamed { task_definition: String, wanted: String },
}

/// A container of the wanted release that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEnd {
    pub task: String,
    pub container: String,
    pub exit_code: Option<i32>,
    pub reason: String,
}

/// The limit of ends where the scheduler does not count them, as for a complete service.
const UNCOUNTED_ENDS: usize = 5;
/// The limit of ends in any case, since a service may have no breaker.
const ENDS: usize = 50;

impl RolloutView {
    /// Whether the service has the wanted release as its target.
    pub fn has_arrived(&self) -> bool {
        use WantedRelease::{Rolling, Settled, Stopped};
        matches!(self.wanted, Rolling | Settled | Stopped { current: true, .. })
    }
}

pub fn judge(view: &RolloutView) -> Judged {
    let failed = Judged::Failed;
    let enough = match view.wanted.clone() {
        WantedRelease::Rolling => ENDS,
        WantedRelease::Settled => UNCOUNTED_ENDS,
        WantedRelease::Stopped { reason, .. } => return failed(RolloutFailure::Breaker { reason }),
        WantedRelease::Superseded { by } => return failed(RolloutFailure::Superseded { by }),
        WantedRelease::NotNamed { definition: task_definition, digest: wanted } => {
            return failed(RolloutFailure::NotNamed { task_definition, wanted });
        }
    };
    let RolloutView { desired, ready, others, .. } = *view;
    if desired == 0 {
        return failed(RolloutFailure::ScaledToZero);
    }
    if ready < desired {
        let count = view.ends.len();
        if count >= enough {
            return failed(RolloutFailure::KeepsEnding { count });
        }
        return Judged::Going(format!("{ready} of {desired} tasks run"));
    }
    if others > 0 {
        return Judged::Going(format!("{others} older tasks end"));
    }
    if view.wanted == WantedRelease::Rolling {
        return Judged::Going("its tasks run and are watched".to_owned());
    }
    match view.doubt.clone() {
        None => Judged::Done,
        Some(Doubt::Unclear(what)) => Judged::Going(what),
        Some(Doubt::OtherImage { wanted, found }) => failed(RolloutFailure::OtherImage { wanted, found }),
    }
}

impl fmt::Display for ContainerEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the container {} of task {} ended", self.container, self.task)?;
        if let Some(code) = self.exit_code {
            write!(formatter, " with exit code {code}")?;
        }
        if self.reason.is_empty() { Ok(()) } else { write!(formatter, " ({})", self.reason) }
    }
}

#[cfg(test)]
mod tests {
    use super::WantedRelease::{Rolling, Settled};
    use super::*;

    fn view(wanted: WantedRelease, ready: u32) -> RolloutView {
        RolloutView { wanted, desired: 2, ready, others: 0, ends: Vec::new(), doubt: None }
    }

    fn is_going(judged: &Judged) -> bool {
        matches!(judged, Judged::Going(_))
    }

    #[test]
    fn it_is_done_when_all_of_it_runs_alone_undoubted_and_settled() {
        assert_eq!(judge(&view(Settled, 2)), Judged::Done);
        let unclear = Some(Doubt::Unclear("web does not report its image".to_owned()));
        for not_yet in [
            view(Settled, 1),
            view(Rolling, 2),
            RolloutView { others: 1, ..view(Settled, 2) },
            RolloutView { doubt: unclear, ..view(Settled, 2) },
        ] {
            assert!(is_going(&judge(&not_yet)), "{not_yet:?}");
        }
        let other = Doubt::OtherImage { wanted: "sha256:2".to_owned(), found: "sha256:1".to_owned() };
        let judged = judge(&RolloutView { doubt: Some(other), ..view(Settled, 2) });
        assert!(matches!(judged, Judged::Failed(RolloutFailure::OtherImage { .. })), "{judged:?}");
        assert_eq!(
            judge(&RolloutView { desired: 0, ..view(Settled, 0) }),
            Judged::Failed(RolloutFailure::ScaledToZero)
        );
    }

    #[test]
    fn ends_are_a_failure_sooner_where_nobody_counts_them() {
        let end = ContainerEnd {
            task: "f00".to_owned(),
            container: "web".to_owned(),
            exit_code: Some(3),
            reason: String::new(),
        };
        let judged =
            |wanted, count, ready| judge(&RolloutView { ends: vec![end.clone(); count], ..view(wanted, ready) });
        assert!(is_going(&judged(Settled, 4, 1)) && is_going(&judged(Rolling, 49, 1)));
        assert_eq!(judged(Settled, 5, 1), Judged::Failed(RolloutFailure::KeepsEnding { count: 5 }));
        assert_eq!(judged(Rolling, 50, 1), Judged::Failed(RolloutFailure::KeepsEnding { count: 50 }));
        assert_eq!(judged(Settled, 50, 2), Judged::Done, "what ended was put back");
    }

    #[test]
    fn what_was_given_up_has_arrived_and_what_is_another_has_not() {
        let stopped = |current| WantedRelease::Stopped { reason: String::new(), current };
        assert!(view(stopped(true), 0).has_arrived() && !view(stopped(false), 0).has_arrived());
        let superseded = WantedRelease::Superseded { by: "web:3".to_owned() };
        assert!(!view(superseded.clone(), 0).has_arrived());
        assert!(matches!(judge(&view(superseded, 2)), Judged::Failed(RolloutFailure::Superseded { .. })));
    }
}
