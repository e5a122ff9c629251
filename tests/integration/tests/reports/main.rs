//! The reports of settled orders: from order-api through topic, queue, consumer and database to an answer of order-reporting.
//!
//! They are a program of their own: they need the profile `reporting`, whose consumer takes the messages that the tests of events look
//! for, and a test of `end_to_end` that did not run would leave its evidence without effect. Against a running environment:
//! `cargo devenv up -d --profile reporting`, `eval "$(cargo devenv env)"`, then
//! `DEVENV_BIN=$PWD/target/debug/devenv cargo test --test reports`. With `--profile low-stock` too, the kills include the function
//! `low-stock`. `tests/integration/reports-as-function` starts an environment whose consumer is a function, and runs them there.

mod figures;
mod kills;
mod outage;
mod poison;
mod settled;
