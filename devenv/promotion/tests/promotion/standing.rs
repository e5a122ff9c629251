//! What is live when nothing goes on any more, and who was at work.

use crate::world::digest;

/// Which release is live, seen from three sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The editions whose tasks run.
    pub(crate) running: Vec<u32>,
    /// The edition that the records have.
    pub(crate) recorded: Option<u32>,
    /// Whether Terraform has nothing to do for the edition at hand.
    pub(crate) planned_is_empty: bool,
}

impl Standing {
    /// Whether one edition runs, and it is the recorded one.
    pub(crate) fn agrees(&self) -> bool {
        matches!((&self.running[..], self.recorded), ([running], Some(recorded)) if *running == recorded)
    }
}

pub(crate) fn edition(live: &str) -> u32 {
    (1..10).find(|edition| digest(*edition) == live).expect("one of the editions of this test")
}

/// Of this machine, as Terraform names it.
pub(crate) fn owner() -> String {
    format!("{}@{}", user(), rustix::system::uname().nodename().to_string_lossy())
}

fn user() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| if rustix::process::getuid().is_root() { "root" } else { "somebody" }.to_owned())
}
