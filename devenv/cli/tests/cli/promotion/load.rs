//! A release under load.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::project::{Project, ask};
use crate::containers::engine::required_image;

/// A service that listens within milliseconds and drains: the emulated load balancer checks no health of its targets.
const IMAGE: &str = "order-processor:local";

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn a_release_under_load_fails_no_request() {
    let project = Project::asking("livez");
    required_image(IMAGE);
    let make = |edition: u32| {
        project.build(&format!("FROM {IMAGE}\nLABEL edition={edition}\n"));
        project.commit("An edition");
        project.test();
    };
    make(1);
    let url = project.released();
    let before = ask(&url, "version").expect("it answers");
    make(2);
    let (ended, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let failures = std::thread::scope(|scope| {
        let customer = || {
            let mut failures = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                asked.fetch_add(1, Ordering::Relaxed);
                failures.extend(ask(&url, "version").err());
            }
            failures
        };
        let customers = [scope.spawn(customer), scope.spawn(customer)];
        project.released();
        ended.store(true, Ordering::Relaxed);
        customers.into_iter().flat_map(|customer| customer.join().expect("it ends")).collect::<Vec<String>>()
    });
    assert!(asked.load(Ordering::Relaxed) > 50, "there was load");
    assert_eq!(failures, Vec::<String>::new(), "of {} requests", asked.into_inner());
    assert_ne!(ask(&url, "version").expect("it answers"), before, "another image answers");
}
