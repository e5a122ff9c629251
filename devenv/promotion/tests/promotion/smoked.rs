//! Smoke tests against a live release.

use std::sync::Arc;

use devenv_promotion::Error;

use crate::repository::Repository;
use crate::run::{Ended, Machine, on_real_clock};
use crate::world::{World, digest};

const TIME: &str = "2026-11-21T10:00:00Z";

/// A first release with this smoke test, a line of shell.
fn first_release(script: &str) -> (World, Ended) {
    let settings = format!("[test]\ncommand = [\"true\"]\nsmoke = [\"sh\", \"-c\", '''{script}''']\n");
    let world = World::of(Arc::new(Repository::loose(&settings).committed()));
    // The tests are a process, which a paused clock does not wait for.
    let ended = on_real_clock(Machine::new(&world, 1, TIME).promote());
    (world, ended)
}

fn refused(world: &World, ended: Ended) -> (Vec<String>, Vec<String>) {
    let Ended::Failed(error) = ended else { panic!("it did not fail: {ended:?}") };
    let log = error.log().to_vec();
    let Error::ScaledToZero { cause, interrupted: false, .. } = *error else { panic!("{error}") };
    let Error::Smoke { failed, output } = *cause else { panic!("{cause}") };
    assert_eq!(log, output, "the output is not lost in the rollback");
    assert!(world.services.live("shop-dev", "web").is_empty());
    (failed, output)
}

#[test]
fn a_release_that_its_smoke_tests_find_good_at_its_address_stays() {
    let (world, ended) = first_release(
        r#"echo "running 1 test"; test "$RELEASE_URL" = https://shop.example && echo "test it_works ... ok"
           echo "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s""#,
    );
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(world.services.live("shop-dev", "web"), [digest(1)].into());
}

#[test]
fn a_smoke_test_that_fails_is_named_and_the_release_goes() {
    let (world, ended) = first_release(
        r#"echo "running 2 tests"; echo "test it_works ... ok"; echo "test it_pays ... FAILED"
           echo "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
           exit 101"#,
    );
    assert_eq!(refused(&world, ended).0, ["it_pays"]);
}

#[test]
fn smoke_tests_that_run_nothing_are_no_proof() {
    let (world, ended) = first_release(
        r#"seq 1 30; echo "running 0 tests"
           echo "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s""#,
    );
    let (failed, output) = refused(&world, ended);
    assert!(failed[0].contains("no test ran"), "{failed:?}");
    assert_eq!((output.len(), output[0].as_str(), output[18].as_str()), (20, "13", "running 0 tests"));
}
