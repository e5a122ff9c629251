//! Promotions on an AWS, a registry, a Terraform and a clock in memory, with a fault at every call that they make.

mod engine;
mod faulted;
mod machine;
mod outside;
mod records;
mod repeated;
mod run;
mod steps;
mod table;
mod transient;
mod world;

// The command line's own account of an error, so that the table holds the exit code that a caller sees.
#[path = "../../../cli/src/exit.rs"]
#[expect(dead_code, reason = "only the codes are asked for")]
mod exit;
#[path = "../../../cli/src/promotion_report.rs"]
mod promotion_report;
#[path = "../../../cli/src/report.rs"]
#[expect(dead_code, reason = "only the codes are asked for")]
mod report;
#[path = "../../../cli/src/testing_report.rs"]
mod testing_report;
