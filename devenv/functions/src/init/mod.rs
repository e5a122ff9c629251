//! The first process of a function's container. It starts the function's program, passes signals on, and ends with the program. When the
//! host orders it, it ends every process of the container and starts the program again: the host itself can reach no process here.

mod host;
mod output;
mod program;
mod run;

pub use run::run;
