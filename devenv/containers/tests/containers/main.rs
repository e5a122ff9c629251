//! Container engines as hosts of environments, on an engine in memory.

mod dockerfiles;
mod host;
mod making;
mod world;
