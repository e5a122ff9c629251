//! Promotions on an AWS, a registry, a Terraform and a clock in memory, with a fault at every call that they make.

mod emulator;
mod faulted;
mod interrupted;
mod machine;
mod outside;
mod recorded;
mod records;
mod refused;
mod rehearsal;
mod rehearsed;
mod repeated;
mod repository;
mod required;
mod run;
mod smoked;
mod standing;
mod steps;
mod table;
mod transient;
mod unread;
mod words;
mod world;

// The command's own account of an error, so that the table holds the exit code that a caller sees.
#[path = "../../../promote/src/report.rs"]
#[expect(dead_code, reason = "only the codes are asked for")]
mod report;
