//! A whole rehearsal: its foundation, its releases, and what is asked of it while it does not run.

use std::sync::Arc;
use std::time::Duration;

use devenv_fakes::{Behaviour, FakeEngine, Faults};
use devenv_promotion::{EmulatedLogin, Error, RehearsedService, ServiceOrder, rehearse_service};
use serde_json::{Value, json};

use crate::emulator::{Balancers, FakeEmulator};
use crate::repository::Repository;
use crate::run::{Ended, Machine, on_paused_clock, on_real_clock};
use crate::world::{DATABASE, FUNCTION, World, digest, image};

const TIME: &str = "2026-11-21T10:00:00Z";

fn rehearsing<'a>(world: &'a World, emulator: &FakeEmulator, edition: u32) -> Machine<'a> {
    Machine::new(world, edition, TIME).to("rehearsal").on(emulator.engine(edition).0)
}

fn foundations(world: &World) -> usize {
    world.terraform_faults.calls().iter().filter(|call| *call == "terraform apply foundation").count()
}

#[test]
fn a_release_is_rehearsed_twice_on_one_foundation_and_rolled_back() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let first = rehearsing(&world, &emulator, 1);
        let Ended::Done(promoted) = first.promote().await else { panic!("nothing is wrong") };
        let login = first.logins.lock().expect("no test panicked")[0].clone();
        let host = promoted.url.strip_prefix("http://").and_then(|url| url.strip_suffix("/_alb/shop-web"));
        let reference = &promoted.release.images["web"].reference;
        assert_eq!(Some(&**reference), host.map(|host| format!("{host}/shop/web@{}", digest(1))).as_deref());

        let [opened] = &emulator.requests("PUT /_guard/balancers/shop-web")[..] else { panic!("it is opened once") };
        assert_eq!(opened.authorization, format!("Bearer {}", login.access_key));
        let [table] = &emulator.requests("POST / DynamoDB_20120810.CreateTable")[..] else { panic!("one table") };
        assert!(table.authorization.contains(&format!("Credential={}/", login.access_key)), "{table:?}");
        let table: Value = serde_json::from_str(&table.body).expect("JSON");
        assert_eq!(table["TableName"], "items");

        // The same engine, with the image of the next edition.
        let second = Machine::new(&world, 2, TIME).to("rehearsal");
        let second = second.on(first.engine.clone().with_image("web:1", &image(2)));
        let ended = second.promote().await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(foundations(&world), 1, "it was made from the same inputs");

        // Nobody has to be waited for from here on.
        tokio::time::pause();
        let back = second.roll_back().await;
        assert_eq!(back.code(), Some(0), "{back:?}");
        assert_eq!(world.services.live("shop-rehearsal", "web"), [digest(1)].into());
        let history = second.history().await.expect("it runs");
        assert_eq!(history.len(), 3);

        // Another target takes the rehearsed release over.
        let after = second.to("rehearsed").promote().await;
        assert_eq!(after.code(), Some(0), "{after:?}");
        assert_eq!(world.services.live("shop-rehearsed", "web"), [digest(1)].into());
    });
}

#[test]
fn a_project_without_terraform_is_rehearsed_with_the_roots_that_devenv_carries() {
    on_real_clock(async {
        let (world, emulator) = (World::of(Arc::new(Repository::of_a_stranger())), FakeEmulator::default());
        let first = rehearsing(&world, &emulator, 1);
        let ended = first.promote().await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        let second = Machine::new(&world, 2, TIME).to("rehearsal");
        let second = second.on(first.engine.clone().with_image("web:1", &image(2)));
        let ended = second.promote().await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(foundations(&world), 1, "it was made from the same inputs");
        let Ended::Done(planned) = second.plan().await else { panic!("nothing is wrong") };
        assert!(planned.proposal.is_some_and(|proposal| proposal.is_empty), "it is live already");

        tokio::time::pause();
        let back = second.roll_back().await;
        assert_eq!(back.code(), Some(0), "{back:?}");
        assert_eq!(world.services.live("shop-rehearsal", "web"), [digest(1)].into());
    });
}

#[test]
fn a_service_that_a_release_removed_ends_and_a_rollback_over_it_restores_it() {
    on_real_clock(async {
        let world = World::of(Arc::new(Repository::of_a_stranger_with_database()));
        let emulator = FakeEmulator::default();
        let engine = emulator.engine(1).0.with_image("db:1", &image(DATABASE));
        let database = |world: &World| world.services.live("shop-rehearsal", "db");
        let ended = Machine::new(&world, 1, TIME).to("rehearsal").on(engine.clone()).promote().await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(database(&world), [digest(DATABASE)].into());

        let world = world.after(Repository::without_database);
        let without = Machine::new(&world, 1, TIME).to("rehearsal").on(engine.clone());
        let ended = without.promote().await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(database(&world), [].into());

        let back = without.roll_back().await;
        assert_eq!(back.code(), Some(0), "{back:?}");
        assert_eq!(database(&world), [digest(DATABASE)].into());

        world.services.behaves(&digest(2), Behaviour::Crashes);
        let broken = Machine::new(&world, 2, TIME).to("rehearsal").on(engine.with_image("web:1", &image(2)));
        let Ended::Failed(failed) = broken.promote().await else { panic!("it crashes") };
        assert!(matches!(*failed, Error::RolledBack { .. }), "{failed}");
        assert_eq!(database(&world), [digest(DATABASE)].into(), "its release is live again");
    });
}

#[test]
fn variables_that_no_test_had_are_refused_in_a_carried_rehearsal() {
    on_real_clock(async {
        let (world, emulator) = (World::of(Arc::new(Repository::of_a_stranger())), FakeEmulator::default());
        let greeting = |text: &str| {
            let path = world.repository.path().join("web.env");
            std::fs::write(path, format!("GREETING={text}\n")).expect("writable");
        };
        greeting("one");
        let machine = rehearsing(&world, &emulator, 1);
        greeting("two");
        let Ended::Failed(refused) = machine.promote().await else { panic!("it was not tested") };
        let Error::Refused(refusal) = &*refused else { panic!("{refused}") };
        assert!(refusal.to_string().contains("tested web with other variables"), "{refusal}");
        assert!(world.services.live("shop-rehearsal", "web").is_empty(), "nothing was released");
        greeting("one");
        let ended = machine.promote().await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
    });
}

#[test]
fn a_rehearsal_that_names_its_terraform_is_not_carried() {
    on_paused_clock(async {
        let settings = "[promote.rehearsal]\nimage = \"emulated-aws:1\"\nterraform = \"infra\"\n";
        let world = World::of(Arc::new(Repository::loose(settings).committed()));
        let machine = Machine::new(&world, 1, TIME).to("rehearsal");
        let Ended::Failed(absent) = machine.promote().await else { panic!("there is no such folder") };
        let is_it = matches!(&*absent, Error::AccountFile { path, .. } if path.as_str() == "infra/account.tfvars.json");
        assert!(is_it, "{absent}");
        assert_eq!(machine.engine.names(), [""; 0]);
    });
}

#[test]
fn a_carried_rehearsal_asks_for_health_and_not_for_the_image() {
    on_real_clock(async {
        let (world, emulator) = (World::of(Arc::new(Repository::of_a_stranger())), FakeEmulator::default());
        let Ended::Done(promoted) = rehearsing(&world, &emulator, 1).promote().await else {
            panic!("nothing is wrong")
        };
        let calls = world.faults.calls();
        let asked: Vec<_> = calls.iter().filter(|call| call.starts_with("probe ")).collect();
        let health = format!("probe {}/livez", promoted.url);
        assert!(!asked.is_empty() && asked.iter().all(|call| **call == health), "{asked:?}");
    });
}

#[test]
fn a_tested_image_without_a_repository_is_left_out_if_it_was_made_elsewhere() {
    on_paused_clock(async {
        let world = World::of(Arc::new(Repository::with_database()));
        let engine = FakeEngine::new(Faults::default());
        let engine = engine.with_image("web:1", &image(1)).with_image("db:1", &image(DATABASE));
        engine.set_platform("db:1", "linux/arm64");
        let machine = Machine::new(&world, 1, TIME).on(engine);
        let Ended::Done(promoted) = machine.promote().await else { panic!("nothing is wrong") };
        assert_eq!(promoted.release.images.keys().collect::<Vec<_>>(), ["web"]);
        let notices = machine.notices.lock().expect("no test panicked");
        let notice = "db is not part of the release: dev has no repository for it".to_owned();
        assert!(notices.contains(&notice), "{notices:?}");
    });
}

#[test]
fn the_tested_image_of_a_function_is_released_by_its_digest_and_a_rehearsal_goes_without_it() {
    on_paused_clock(async {
        let world = World::of(Arc::new(Repository::with_function()));
        let engine = FakeEngine::new(Faults::default());
        let engine = engine.with_image("web:1", &image(1)).with_image("resize:1", &image(FUNCTION));
        let Ended::Done(promoted) = Machine::new(&world, 1, TIME).on(engine).promote().await else {
            panic!("nothing is wrong")
        };
        let reference = format!("registry.example/shop/resize@{}", digest(FUNCTION));
        assert_eq!(promoted.release.images["resize"].reference, reference);
    });
    on_real_clock(async {
        let world = World::of(Arc::new(Repository::of_a_stranger_with_function()));
        let emulator = FakeEmulator::default();
        let engine = emulator.engine(1).0.with_image("resize:1", &image(FUNCTION));
        let machine = Machine::new(&world, 1, TIME).to("rehearsal").on(engine);
        let Ended::Done(promoted) = machine.promote().await else { panic!("nothing is wrong") };
        assert_eq!(promoted.release.images.keys().collect::<Vec<_>>(), ["web"]);
        let notices = machine.notices.lock().expect("no test panicked");
        let words = "resize is not part of the rehearsal: it is a function, and the emulated AWS runs none";
        assert!(notices.iter().any(|notice| notice == words), "{notices:?}");
    });
}

#[test]
fn a_foundation_is_laid_again_when_its_account_or_its_state_is_gone() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let machine = rehearsing(&world, &emulator, 1);
        machine.record().await.expect("it starts");
        assert_eq!(foundations(&world), 1);
        // The new account has another port, and its predecessor's outputs would lead nowhere.
        for name in machine.engine.names() {
            machine.engine.end(&name, 1);
        }
        machine.record().await.expect("it starts again");
        assert_eq!(foundations(&world), 2);
        world.objects.remove("rehearsal-state", "rehearsal/foundation.tfstate");
        machine.record().await.expect("it runs");
        assert_eq!(foundations(&world), 3);
    });
}

#[test]
fn a_first_release_that_crashes_in_a_rehearsal_leaves_nothing_running() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        world.services.behaves(&digest(1), Behaviour::Crashes);
        let Ended::Failed(failed) = rehearsing(&world, &emulator, 1).promote().await else { panic!("it crashes") };
        assert!(matches!(*failed, Error::ScaledToZero { .. }), "{failed}");
        assert!(world.services.live("shop-rehearsal", "web").is_empty());
    });
}

#[test]
fn a_guard_that_opens_no_load_balancer_ends_the_rehearsal_before_the_release() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        emulator.balancers(Balancers::Shut);
        let Ended::Failed(failed) = rehearsing(&world, &emulator, 1).promote().await else { panic!("nobody may in") };
        let failed = failed.to_string();
        let words = "the guard of the emulated AWS did not open the load balancer shop-web: ";
        assert!(failed.starts_with(words) && failed.contains("403"), "{failed}");
        assert!(world.services.live("shop-rehearsal", "web").is_empty());
    });
}

#[test]
fn a_guard_that_never_answers_is_given_up() {
    on_real_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let machine = rehearsing(&world, &emulator, 1);
        machine.record().await.expect("it starts");
        emulator.balancers(Balancers::Silent);
        tokio::time::pause();
        let recorded = tokio::time::timeout(Duration::from_mins(1), machine.record()).await;
        let failed = recorded.expect("it does not wait for ever").expect_err("nobody answers").to_string();
        assert!(failed.contains("did not open the load balancer shop-web: "), "{failed}");
    });
}

#[test]
fn a_rehearsal_that_does_not_run_has_no_history_and_is_not_started_to_say_so() {
    on_paused_clock(async {
        let (world, emulator) = (World::of_targets(), FakeEmulator::default());
        let machine = rehearsing(&world, &emulator, 1);
        assert_eq!(machine.history().await.expect("there is nothing to read").len(), 0);
        let Ended::Failed(none) = machine.roll_back().await else { panic!("nothing was live") };
        assert!(matches!(*none, Error::NoPrevious { .. }), "{none}");
        let machine = machine.to("rehearsed");
        let Ended::Failed(none) = machine.promote().await else { panic!("nothing was rehearsed") };
        assert!(matches!(&*none, Error::RequiredNotLive { required, .. } if required == "rehearsal"), "{none}");
        assert_eq!(machine.engine.names(), [""; 0]);
    });
}

#[test]
fn the_terraform_of_a_rehearsal_releases_a_service_with_its_own_login() {
    on_paused_clock(async {
        let world = World::of_targets();
        let machine = Machine::new(&world, 1, TIME).to("rehearsal");
        let order = ServiceOrder {
            cluster: "shop-rehearsal".to_owned(),
            service: "web".to_owned(),
            family: "shop-web".to_owned(),
            container: json!({ "name": "web", "image": format!("shop/web@{}", digest(1)) }),
            target_group: "arn".to_owned(),
            port: 8000,
            tasks: 1,
        };
        let login = EmulatedLogin { access_key: "devenv1".to_owned(), secret_key: "secret".to_owned() };
        let service = RehearsedService {
            order: serde_json::to_string(&order).expect("plain data"),
            endpoint: "http://127.0.0.1:4565".to_owned(),
            login: login.clone(),
        };
        let tools = machine.options().tools;
        rehearse_service(&tools, service.clone()).await.expect("no fault");
        assert_eq!(
            world.services.told("shop-rehearsal", "web").map(|(_, image)| image),
            order.container["image"].as_str().map(str::to_owned)
        );
        assert_eq!(*machine.logins.lock().expect("no test panicked"), [login]);

        for (wrong, words) in [
            (
                RehearsedService { order: String::new(), ..service.clone() },
                "cannot read the order of a service in DEVENV_SERVICE: EOF",
            ),
            (
                RehearsedService { endpoint: "https://dynamodb.eu-west-1.amazonaws.com".to_owned(), ..service },
                "amazonaws.com",
            ),
        ] {
            let refused =
                rehearse_service(&tools, wrong).await.expect_err("it is not an order to this machine").to_string();
            assert!(refused.contains(words), "{refused}");
        }
        assert_eq!(machine.logins.lock().expect("no test panicked").len(), 1, "nobody was connected to");
    });
}
