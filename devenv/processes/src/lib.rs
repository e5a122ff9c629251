//! Units as processes of this machine: children of a supervisor, which commands reach through its socket.

mod runtime;

pub mod host;
