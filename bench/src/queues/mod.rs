pub(crate) mod emulator;
pub(crate) mod requests;
mod run;
mod worker;

pub(crate) use run::run;
