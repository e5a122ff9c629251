//! A release while customers are served.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::project::Project;
use super::server::Behaviour::Good;

#[test]
fn a_release_under_load_fails_no_request() {
    let Some(project) = Project::new() else { return };
    project.tested(Good, 1);
    let url = project.released();
    project.tested(Good, 2);
    let (ended, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let failures = std::thread::scope(|scope| {
        let customer = || {
            let mut failures = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                asked.fetch_add(1, Ordering::Relaxed);
                failures.extend(project.edition(&url).err());
            }
            failures
        };
        let customers = [scope.spawn(customer), scope.spawn(customer)];
        project.released();
        ended.store(true, Ordering::Relaxed);
        customers.into_iter().flat_map(|customer| customer.join().expect("it ends")).collect::<Vec<String>>()
    });
    assert_eq!(failures, Vec::<String>::new(), "of {} requests", asked.into_inner());
    assert_eq!(project.edition(&url), Ok(2));
}
