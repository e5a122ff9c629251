mod emulator;
mod requests;
mod run;
mod worker;

pub(crate) use run::run;
