use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    time::Duration,
};

use crate::{Environment, Service, Settings, bundle, progress::Progress, turn::Turn};

/// Time limit to write the bundle of a failed test, however bad the state of the system is.
const AFTERMATH: Duration = Duration::from_secs(30);

/// Runs a test while no unit is stopped or killed. Any number of these run at the same time.
///
/// # Panics
/// When the test does, or when there is no environment to run it in.
pub fn undisturbed<F: AsyncFnOnce(&Environment)>(test: F) {
    run(&name::<F>(), Turn::shared, test);
}

/// Runs a test that stops or kills units: alone, until it calls [`Environment::end_turn`] or ends. Then starts the units that
/// the test left stopped.
///
/// # Panics
/// When the test does, or when there is no environment to run it in.
pub fn alone<F: AsyncFnOnce(&Environment)>(test: F) {
    run(&name::<F>(), Turn::exclusive, test);
}

/// Runs a test that is safe for a release in use: it knows order-api by its address only, orders only [`crate::CANARY`], and
/// does not depend on others' orders. `RELEASE_URL` is the address of such a release; without it, the
/// test runs like any other.
///
/// # Panics
/// When the test does, or when there is no system to run it against.
pub fn shared<F: AsyncFnOnce(&Service)>(test: F) {
    let Some(url) = std::env::var("RELEASE_URL").ok().filter(|url| !url.is_empty()) else {
        return run(&name::<F>(), Turn::shared, async |environment| test(&environment.api).await);
    };
    let events = std::env::var("DEVENV_TEST_EVENTS").ok().filter(|path| !path.is_empty()).map(Into::into);
    let progress = Progress::begin(events, &name::<F>());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let api = Service::new(&url, Arc::default());
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(test(&api))));
    progress.end();
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

fn run<F: AsyncFnOnce(&Environment)>(name: &str, turn: fn(&Settings) -> std::io::Result<Turn>, test: F) {
    let settings = Settings::read().unwrap_or_else(|reason| panic!("{reason}"));
    let turn = turn(&settings).unwrap_or_else(|error| panic!("cannot take a turn among the tests: {error}"));
    // Begin after the turn: waiting does not count as the test's time.
    let progress = Progress::begin(settings.events.clone(), name);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let environment = {
        let _inside = runtime.enter();
        Environment::new(settings, turn)
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(test(&environment))));
    // Restart the units first: the bundle reads the database.
    let restored = runtime.block_on(environment.units.restore());
    if let Err(panic) = &outcome {
        let reason = message(&**panic);
        let aftermath = async {
            let _ = tokio::time::timeout(AFTERMATH, bundle::write(&environment, name, &reason)).await;
        };
        runtime.block_on(aftermath);
    }
    drop(environment);
    progress.end();
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
    restored.unwrap_or_else(|reason| panic!("{reason}"));
}

/// The test harness's name for the function around a closure: `crate::file::test::{{closure}}` without its ends. The thread's
/// name does not help: with one test thread the harness starts no threads.
fn name<F>() -> String {
    let path = std::any::type_name::<F>();
    let path = path.split("::{{closure}}").next().unwrap_or(path);
    path.split_once("::").map_or(path, |(_, name)| name).to_owned()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of<F: AsyncFnOnce()>(_: F) -> String {
        name::<F>()
    }

    #[test]
    fn a_test_is_called_what_the_test_harness_calls_it() {
        assert_eq!(name_of(async || {}), "run::tests::a_test_is_called_what_the_test_harness_calls_it");
    }
}
