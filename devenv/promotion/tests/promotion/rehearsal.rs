//! The emulated AWS of a rehearsal: how it starts, is found again, fails and goes.

use devenv_containers::engine::{ContainerEngine, JoinedNetwork};
use devenv_containers::host::ContainerHosts;
use devenv_fakes::{FakeEngine, Fault, Faults};
use devenv_processes::host::ProcessHost;
use devenv_promotion::{CloudErrorKind, Error};
use devenv_runtime::{Emitter, Runtimes};

use crate::emulator::{FakeEmulator, GUARD_IMAGE, IMAGE, image_of};
use crate::run::{Machine, on_paused_clock, on_real_clock};
use crate::world::World;

const TIME: &str = "2026-11-21T10:00:00Z";

/// A machine whose engine has nothing but the image of the first edition.
fn rehearsing<'a>(world: &'a World, emulator: &FakeEmulator) -> (Machine<'a>, FakeEngine, Faults) {
    let (engine, faults) = emulator.engine(1);
    let machine = Machine::new(world, 1, TIME).to("rehearsal").on(engine.clone());
    (machine, engine, faults)
}

/// The names of the two containers: the emulator, then its guard.
fn parts(engine: &FakeEngine) -> (String, String) {
    match &engine.names()[..] {
        [aws, guard] if aws.ends_with("-rehearsal-aws") && guard.ends_with("-rehearsal-guard") => {
            (aws.clone(), guard.clone())
        }
        other => panic!("not an emulator and its guard: {other:?}"),
    }
}

fn started(machine: &Machine<'_>) -> usize {
    let notices = machine.notices.lock().expect("no test panicked");
    notices.iter().filter(|notice| notice.starts_with("starting an emulated AWS")).count()
}

fn creations(faults: &Faults) -> usize {
    faults.calls().iter().filter(|call| call.starts_with("create ")).count()
}

#[test]
fn only_the_guard_is_published_and_only_it_has_the_engines_socket() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let (machine, engine, _) = rehearsing(&world, &emulator);
        machine.record().await.expect("it starts");
        let (aws, guard) = parts(&engine);
        let (aws, guard) = (engine.ordered(&aws).expect("there"), engine.ordered(&guard).expect("there"));

        assert_eq!((aws.spec.image.as_str(), guard.spec.image.as_str()), (IMAGE, GUARD_IMAGE));
        assert_eq!(aws.network, JoinedNetwork::Of(guard.name.clone()));
        assert!(aws.spec.ports.is_empty() && aws.spec.settings.mounts.is_empty());
        let [port] = &guard.spec.ports[..] else { panic!("{:?}", guard.spec.ports) };
        assert!(port.host_ip.is_loopback());
        assert_eq!(guard.labels["devenv.registry"], format!("127.0.0.1:{}", port.host));
        assert_eq!(guard.spec.settings.mounts[0].target, "/var/run/docker.sock");
        for new in [&aws, &guard] {
            assert_eq!(new.spec.settings.security.cap_drop, ["ALL"]);
            assert_eq!(new.spec.settings.security.security_opt, ["no-new-privileges:true"]);
        }

        let login = machine.logins.lock().expect("no test panicked")[0].clone();
        let told = &aws.spec.environment;
        assert_eq!(
            (&told["AWS_ACCESS_KEY_ID"], &told["AWS_SECRET_ACCESS_KEY"]),
            (&login.access_key, &login.secret_key)
        );
        assert_eq!(told["BIND_HOST"], "127.0.0.1", "a request from outside must pass the guard");
        let settings: serde_json::Value = serde_json::from_str(&guard.spec.environment["DEVENV_GUARD"]).expect("JSON");
        assert_eq!(
            (settings["key"].as_str(), settings["container"].as_str()),
            (Some(&*login.access_key), Some(&*guard.name))
        );
        assert_eq!(settings["labels"]["devenv.state"], guard.labels["devenv.state"].as_str());
        assert!(!guard.spec.environment["DEVENV_GUARD"].contains(&login.secret_key), "the guard has no use for it");
    });
}

#[test]
fn a_running_emulator_is_found_again_with_its_login_and_asked_no_engine_for_more() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let (machine, engine, faults) = rehearsing(&world, &emulator);
        for _ in 0..2 {
            machine.record().await.expect("it runs");
        }
        assert_eq!((started(&machine), creations(&faults)), (1, 2));
        assert_eq!(engine.running().len(), 2);
        let logins = machine.logins.lock().expect("no test panicked").clone();
        assert_eq!(logins[0], logins[1]);
    });
}

#[test]
fn what_is_left_of_an_emulator_is_removed_with_the_names_of_its_images_and_started_anew() {
    on_real_clock(async {
        for ended in ["aws", "guard", "login"] {
            let (world, emulator) = (World::of_targets(), FakeEmulator::default());
            let (machine, engine, faults) = rehearsing(&world, &emulator);
            machine.record().await.expect("it starts");
            let (_, guard) = parts(&engine);
            let registry = engine.ordered(&guard).expect("there").labels["devenv.registry"].clone();
            for (image, name) in
                [("web:1", format!("{registry}/shop/web:1")), (IMAGE, "127.0.0.1:1/shop/web:1".to_owned())]
            {
                engine.tag(image, &name).await.expect("it has the image");
            }
            if ended == "login" {
                std::fs::remove_file(world.state().join("promote/rehearsal/login.json")).expect("it is there");
            } else {
                engine.end(&guard.replace("-guard", &format!("-{ended}")), 1);
            }
            machine.record().await.expect("it starts again");
            assert_eq!((started(&machine), creations(&faults)), (2, 4), "{ended}");
            assert_eq!(engine.running().len(), 2, "{ended}");
            let logins = machine.logins.lock().expect("no test panicked").clone();
            assert_ne!(logins[0], logins[1], "{ended}: the account of the first login is gone");
            assert_eq!(engine.image_names(&registry).await.expect("no fault"), [""; 0], "{ended}");
            assert_eq!(engine.image_names("web:").await.expect("no fault"), ["web:1"], "{ended}: it is the user's");
            assert_eq!(
                engine.image_names("127.0.0.1:1/").await.expect("no fault").len(),
                1,
                "{ended}: it is another's"
            );
        }
    });
}

#[test]
fn a_port_that_is_taken_meanwhile_is_replaced_and_the_third_time_is_an_error() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let (machine, engine, faults) = rehearsing(&world, &emulator);
        engine.take_ports(2);
        machine.record().await.expect("the third port is free");
        assert_eq!(creations(&faults), 4, "a guard each time, and the emulator");
        let (_, guard) = parts(&engine);
        let guard = engine.ordered(&guard).expect("there");
        assert_eq!(guard.labels["devenv.registry"], format!("127.0.0.1:{}", guard.spec.ports[0].host));
        assert!(guard.spec.environment["DEVENV_GUARD"].contains(&guard.labels["devenv.registry"]));

        let world = World::of_targets();
        let (machine, engine, faults) = rehearsing(&world, &emulator);
        engine.take_ports(3);
        let taken = machine.record().await.expect_err("every port was taken");
        assert!(taken.to_string().contains("is already allocated"), "{taken}");
        assert_eq!(creations(&faults), 3);
        machine.record().await.expect("the next one is not in the way of the first");
        assert_eq!(engine.running().len(), 2);
    });
}

#[test]
fn a_guard_or_an_emulator_that_ends_at_once_is_named_with_its_log_and_removed() {
    on_real_clock(async {
        for (part, what) in [("guard", "its guard ended"), ("aws", "the emulator ended")] {
            let (world, emulator) = (World::of_targets(), FakeEmulator::default());
            let (machine, engine, faults) = rehearsing(&world, &emulator);
            let whole = engine.clone();
            engine.run(IMAGE, move |started| {
                let ended = started.name.replace("-aws", &format!("-{part}"));
                for line in 0..30 {
                    whole.write(&ended, &format!("{part} {line}"));
                }
                whole.end(&ended, 1);
            });
            // One failed look proves nothing.
            faults.on("inspect", 1, Fault::Refused(CloudErrorKind::Unavailable));
            let failed = machine.record().await.expect_err("it ended");
            let Error::Rehearsal { cause, log } = &failed else { panic!("{failed}") };
            assert_eq!((cause.as_str(), log.len(), log[19].clone()), (what, 20, format!("{part} 29")));
            assert_eq!(engine.names(), [""; 0], "{part}");
            assert!(faults.all_happened());
        }
    });
}

#[test]
fn an_emulator_that_does_not_answer_within_a_minute_is_removed() {
    on_paused_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let (machine, engine, _) = rehearsing(&world, &emulator);
        let whole = engine.clone();
        engine.run(IMAGE, move |started| whole.write(&started.name, "loading"));
        let began = tokio::time::Instant::now();
        let failed = machine.record().await.expect_err("nobody listens");
        let Error::Rehearsal { cause, log } = &failed else { panic!("{failed}") };
        assert_eq!((cause.as_str(), &log[..]), ("not ready within 60s", &["loading".to_owned()][..]));
        assert_eq!(began.elapsed().as_secs(), 60);
        assert_eq!(engine.names(), [""; 0]);
    });
}

#[test]
fn an_image_that_cannot_be_pulled_is_named_before_anything_starts() {
    on_real_clock(async {
        for image in [IMAGE, GUARD_IMAGE] {
            let (world, emulator) = (World::of_targets(), FakeEmulator::default());
            let (machine, engine, faults) = rehearsing(&world, &emulator);
            faults.on(&format!("pull {image}"), 1, Fault::Refused(CloudErrorKind::Unreachable));
            let absent = machine.record().await.expect_err("it cannot be pulled");
            let is_it = matches!(&absent, Error::Engine(devenv_engine::Error::Runtime(devenv_runtime::Error::ImageAbsent { image: it, .. })) if it == image);
            assert!(is_it, "{absent}");
            assert_eq!(engine.names(), [""; 0]);
        }
    });
}

#[test]
fn an_image_that_the_engine_has_is_not_pulled() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let (mut machine, engine, faults) = rehearsing(&world, &emulator);
        for image in [IMAGE, GUARD_IMAGE] {
            machine = machine.on(engine.clone().with_image(image, &image_of(image)));
        }
        machine.record().await.expect("it starts");
        assert!(!faults.calls().iter().any(|call| call.starts_with("pull ")));
    });
}

#[test]
fn every_failed_request_to_the_engine_leaves_what_the_next_start_removes() {
    on_real_clock(async {
        for call in ["create_network", "create -guard", "start -guard", "create -aws", "start -aws"] {
            let (world, emulator) = (World::of_targets(), FakeEmulator::default());
            let (machine, engine, faults) = rehearsing(&world, &emulator);
            faults.on(call, 1, Fault::Lost);
            machine.record().await.expect_err("the answer was lost");
            assert!(faults.all_happened(), "{call}");
            machine.record().await.expect("it starts all the same");
            assert_eq!(engine.running().len(), 2, "{call}");
        }
    });
}

#[test]
fn down_removes_a_rehearsal_with_its_tasks_and_its_network() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let (machine, engine, faults) = rehearsing(&world, &emulator);
        machine.record().await.expect("it starts");
        let (_, guard) = parts(&engine);
        // A task has the emulator's labels.
        let mut task = engine.ordered(&guard).expect("there");
        "task-1".clone_into(&mut task.name);
        (task.spec.image, task.spec.ports) = ("web:1".to_owned(), Vec::new());
        let registry = task.labels.remove("devenv.registry").expect("it is the guard's");
        engine.create(&task).await.expect("the guard lets it");
        let project = machine.project();
        let host = ContainerHosts::new(std::sync::Arc::new(engine.clone()), std::sync::Arc::new(ProcessHost))
            .find()
            .await
            .expect("it answers")
            .host;
        let (emitter, _events) = Emitter::channel();
        let folder = project.state.promotion("rehearsal");
        for was_there in [true, false] {
            let removed = host.remove_part(&project, &folder, "rehearsal", &emitter).await.expect("no fault");
            assert_eq!((removed, engine.names().len()), (was_there, 0));
        }
        let label = format!("devenv.state={folder}");
        assert!(engine.networks(&label).await.expect("no fault").is_empty());
        let calls = faults.calls();
        let at = |call: &str| calls.iter().position(|it| *it == call).unwrap_or_else(|| panic!("no {call}: {calls:?}"));
        assert!(at(&format!("stop {guard}")) < at("remove task-1"), "a task could start otherwise");
        assert!(at("remove task-1") < at(&format!("image_names {registry}/")), "an image in use keeps its name");
        assert!(at(&format!("image_names {registry}/")) < at(&format!("remove {guard}")));
    });
}
