//! The plan from a snapshot to the wanted environment. Pure.

use std::collections::BTreeMap;

use crate::artifact::Artifact;
use crate::manifest::{Condition, Dependency, StartOrder};
use crate::observed::{Observed, ObservedResource, UnitState};
use crate::plan::{Cause, Operation, Plan, Step};
use crate::resource::ResourceId;
use crate::unit::is_emulator;

/// The wanted environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// The emulator and the selected services. A service's dependencies are among them.
    pub units: Vec<DesiredUnit>,
    /// The names of all units of the manifest; a running unit with another name is stopped.
    pub known: Vec<String>,
    /// The resources in the order of their creation.
    pub resources: Vec<ResourceId>,
    /// Each resource that needs others to exist before it, with those.
    pub needs: BTreeMap<ResourceId, Vec<ResourceId>>,
    /// Each resource that has seed items, with their number.
    pub seeds: Vec<(ResourceId, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredUnit {
    pub name: String,
    /// The service of the unit: its replicas share one artifact.
    pub service: String,
    pub config_hash: String,
    pub artifact: Artifact,
    pub depends_on: Vec<(String, Dependency)>,
    pub start: StartOrder,
    /// Whether the unit runs once: it is done when it has completed.
    pub is_one_shot: bool,
    /// Whether the unit starts again although it has completed: its file does not declare that it runs once.
    pub runs_again: bool,
}

/// A resource that cannot be reconciled without losing data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub resource: ResourceId,
    pub differences: Vec<String>,
}

/// The steps from `observed` to `desired`; an empty plan if nothing differs.
///
/// Order: leftovers end first; the services' build runs beside the emulator's start and its resources; a service starts when
/// its program is built, the resources exist (unless it starts at once), and each dependency meets its condition. Its
/// probe runs only when the resources exist. What runs is replaced only when every unit's own build has succeeded: a failed
/// build leaves it alone.
///
/// # Errors
///
/// Returns the first resource that differs from its file: only `reset` may rebuild it.
pub fn reconcile(desired: &Desired, observed: &Observed) -> Result<Plan, Conflict> {
    let mut planner = Planner::default();
    planner.end_leftovers(observed);
    planner.build(desired, observed);
    planner.build_alone(desired, observed);
    planner.pull(desired, observed);
    let emulator_starts = planner.emulators(desired, observed);
    planner.data(desired, observed, emulator_starts)?;
    planner.services(desired, observed);
    planner.stop_unknown(desired, observed);
    Ok(planner.plan)
}

#[derive(Default)]
struct Planner {
    plan: Plan,
    /// The steps that end leftovers: every later start waits for them.
    cleared: Vec<usize>,
    /// The step that builds each package.
    builds: BTreeMap<String, usize>,
    /// The step that builds each unit's own artifact.
    own_builds: BTreeMap<String, usize>,
    /// The step that pulls each image.
    pulls: BTreeMap<String, usize>,
    /// The step after which each unit runs, and the step after which it is ready.
    started: BTreeMap<String, usize>,
    ready: BTreeMap<String, usize>,
    /// The steps after which the emulators are ready.
    emulators: Vec<usize>,
    /// The steps that create the resources.
    resources: Vec<usize>,
}

impl Planner {
    fn add(&mut self, operation: Operation, cause: Cause, mut after: Vec<usize>) -> usize {
        after.sort_unstable();
        after.dedup();
        self.plan.steps.push(Step { operation, cause, after });
        self.plan.steps.len() - 1
    }

    fn end_leftovers(&mut self, observed: &Observed) {
        for leftover in &observed.leftovers {
            let operation = Operation::EndLeftover { unit: leftover.unit.clone(), pid: leftover.pid };
            let step = self.add(operation, Cause::SupervisorGone, Vec::new());
            self.cleared.push(step);
        }
    }

    fn build(&mut self, desired: &Desired, observed: &Observed) {
        // One build for all packages: it keeps every core busy, while each of several builds would end with a single crate.
        let mut packages: Vec<String> = Vec::new();
        let mut why = None;
        for (package, reason) in desired.units.iter().filter_map(|unit| stale(unit, observed)) {
            if !packages.contains(package) {
                packages.push(package.clone());
                why.get_or_insert_with(|| reason.clone());
            }
        }
        if let Some(why) = why {
            let operation = Operation::Build { packages: packages.clone() };
            let step = self.add(operation, Cause::ProgramStale { why }, Vec::new());
            self.builds.extend(packages.into_iter().map(|package| (package, step)));
        }
    }

    fn build_alone(&mut self, desired: &Desired, observed: &Observed) {
        for unit in desired.units.iter().filter(|unit| unit.artifact.is_built_alone()) {
            let is_planned = self.own_builds.contains_key(&unit.service);
            if let Some(why) = observed.stale_units.get(&unit.service).filter(|_| !is_planned) {
                let operation = Operation::BuildUnit { unit: unit.name.clone() };
                let step = self.add(operation, Cause::ProgramStale { why: why.clone() }, Vec::new());
                self.own_builds.insert(unit.service.clone(), step);
            }
        }
    }

    fn pull(&mut self, desired: &Desired, observed: &Observed) {
        for image in &observed.absent_images {
            if desired.units.iter().any(|unit| unit.artifact.image() == Some(image)) {
                let step = self.add(Operation::Pull { image: image.clone() }, Cause::ImageAbsent, Vec::new());
                self.pulls.insert(image.clone(), step);
            }
        }
    }

    /// The step that builds or pulls the unit's artifact; `None` if the artifact is up to date.
    fn built(&self, unit: &DesiredUnit, observed: &Observed) -> Option<usize> {
        if let Some(step) = self.own_builds.get(&unit.service) {
            return Some(*step);
        }
        match stale(unit, observed) {
            Some((package, _)) => self.builds.get(package).copied(),
            None => unit.artifact.image().and_then(|image| self.pulls.get(image).copied()),
        }
    }

    /// Plans the emulators. Returns whether one starts: its resources are then still unknown.
    fn emulators(&mut self, desired: &Desired, observed: &Observed) -> bool {
        let mut starts = false;
        for unit in desired.units.iter().filter(|unit| is_emulator(&unit.name)) {
            let after = self.cleared.iter().copied().chain(self.built(unit, observed)).collect();
            starts |= self.unit(unit, observed, after, Vec::new());
            self.emulators.extend(self.ready.get(&unit.name));
        }
        starts
    }

    fn data(&mut self, desired: &Desired, observed: &Observed, emulator_starts: bool) -> Result<(), Conflict> {
        let ready = self.emulators.clone();
        let there = observed.resources.as_ref().filter(|_| !emulator_starts);
        let mut ensured: BTreeMap<&ResourceId, usize> = BTreeMap::new();
        for resource in &desired.resources {
            let cause = match there.map(|there| there.get(resource)) {
                None => Cause::EmulatorStarts,
                Some(None) => Cause::Absent(resource.kind),
                Some(Some(ObservedResource::Matching { .. })) => continue,
                Some(Some(ObservedResource::Changeable { differences, .. })) => {
                    Cause::Differs { differences: differences.clone() }
                }
                Some(Some(ObservedResource::Different { differences })) => {
                    return Err(Conflict { resource: resource.clone(), differences: differences.clone() });
                }
            };
            let needed = desired.needs.get(resource).into_iter().flatten();
            let needed = needed.filter_map(|other| ensured.get(other).copied());
            let after = ready.iter().copied().chain(needed).collect();
            let step = self.add(Operation::Ensure(resource.clone()), cause, after);
            ensured.insert(resource, step);
            self.resources.push(step);
        }
        for (resource, items) in &desired.seeds {
            let cause = match there.map(|there| there.get(resource)) {
                None => Cause::EmulatorStarts,
                Some(Some(
                    ObservedResource::Matching { absent_seeds } | ObservedResource::Changeable { absent_seeds, .. },
                )) => match absent_seeds {
                    0 => continue,
                    items => Cause::SeedAbsent { items: *items },
                },
                Some(_) => Cause::SeedAbsent { items: *items },
            };
            let after = ensured.get(resource).copied().into_iter().chain(ready.iter().copied()).collect();
            // No service waits for this step: it needs its resources to start, but not their items.
            self.add(Operation::Seed(resource.clone()), cause, after);
        }
        Ok(())
    }

    /// Plans the services, each after its dependencies.
    fn services(&mut self, desired: &Desired, observed: &Observed) {
        let mut open: Vec<&DesiredUnit> = desired.units.iter().filter(|unit| !is_emulator(&unit.name)).collect();
        while !open.is_empty() {
            let names: Vec<&str> = open.iter().map(|unit| unit.name.as_str()).collect();
            let waits = |unit: &DesiredUnit| unit.depends_on.iter().any(|(name, _)| names.contains(&name.as_str()));
            // The manifest has no cycle; with one, the rest would be planned in the given order.
            let next = open.iter().position(|unit| !waits(unit)).unwrap_or(0);
            let unit = open.remove(next);
            let mut after = self.cleared.clone();
            after.extend(self.built(unit, observed));
            let mut data = self.resources.clone();
            data.extend(&self.emulators);
            if unit.start == StartOrder::AfterTables {
                after.append(&mut data);
            }
            for (name, dependency) in &unit.depends_on {
                let steps = match dependency.condition {
                    Condition::ServiceStarted => &self.started,
                    Condition::ServiceHealthy | Condition::ServiceCompletedSuccessfully => &self.ready,
                };
                after.extend(steps.get(name));
            }
            self.unit(unit, observed, after, data);
        }
    }

    /// Plans the start of a unit that is not up: the start waits for `after`, and the probe for `data` as well. Returns
    /// whether the unit starts.
    fn unit(&mut self, unit: &DesiredUnit, observed: &Observed, mut after: Vec<usize>, data: Vec<usize>) -> bool {
        let name = unit.name.clone();
        let stale = match observed.stale_units.get(&unit.service) {
            Some(why) => Some(Cause::ProgramStale { why: why.clone() }),
            None => stale(unit, observed).map(|_| Cause::ProgramRebuilt),
        };
        let start = Operation::StartUnit { unit: name.clone() };
        let replace = Operation::ReplaceUnit { unit: name.clone() };
        let absent = if unit.is_one_shot { Cause::NotCompleted } else { Cause::NotRunning };
        let begin = match observed.units.get(&name).map(|seen| (&seen.state, seen.config_hash == unit.config_hash)) {
            None => Some((start, absent)),
            Some((UnitState::Stopped { .. }, _)) => Some((start, absent)),
            Some((UnitState::Failed { error }, _)) => Some((start, Cause::Failed { error: error.clone() })),
            Some((_, is_same)) if stale.is_some() || !is_same => {
                Some((replace, stale.unwrap_or(Cause::ConfigurationChanged)))
            }
            Some((state, _)) => match (self.replaced_dependency(unit), state) {
                (Some(other), _) => {
                    let restart = Operation::RestartUnit { unit: name.clone() };
                    Some((restart, Cause::DependencyReplaced { unit: other.to_owned() }))
                }
                (None, UnitState::Completed) if unit.runs_again => Some((start, absent)),
                (None, UnitState::Ready { .. } | UnitState::Completed) => return false,
                (None, _) => None,
            },
        };
        let starts = begin.is_some();
        let (mut waits_for, cause) = match begin {
            Some((operation, cause)) => {
                if matches!(operation, Operation::ReplaceUnit { .. }) {
                    after.extend(self.own_builds.values());
                }
                let step = self.add(operation, cause.clone(), after);
                self.started.insert(name.clone(), step);
                (vec![step], cause)
            }
            None => (after, Cause::NotReadyYet),
        };
        waits_for.extend(data);
        let ready = self.add(Operation::AwaitReady { unit: name.clone() }, cause, waits_for);
        self.ready.insert(name, ready);
        starts
    }

    /// The dependency with which the unit must restart, if the plan replaces or restarts one.
    fn replaced_dependency<'a>(&self, unit: &'a DesiredUnit) -> Option<&'a str> {
        let is_replaced = |name: &str| {
            let step = self.started.get(name).map(|step| &self.plan.steps[*step].operation);
            matches!(step, Some(Operation::ReplaceUnit { .. } | Operation::RestartUnit { .. }))
        };
        let mut asked = unit.depends_on.iter().filter(|(_, dependency)| dependency.restart);
        asked.find(|(name, _)| is_replaced(name)).map(|(name, _)| name.as_str())
    }

    fn stop_unknown(&mut self, desired: &Desired, observed: &Observed) {
        for name in observed.units.keys() {
            if !desired.known.contains(name) {
                self.add(Operation::StopUnit { unit: name.clone() }, Cause::NotInManifest, Vec::new());
            }
        }
    }
}

fn stale<'a>(unit: &'a DesiredUnit, observed: &'a Observed) -> Option<(&'a String, &'a String)> {
    observed.stale.get_key_value(unit.artifact.package()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::artifact::CommandArtifact;
    use crate::observed::{Exit, Leftover, ObservedUnit};
    use crate::resource::ResourceKind;
    use crate::unit::{EMULATOR, MESSAGES};

    fn unit(name: &str, depends_on: &[&str]) -> DesiredUnit {
        DesiredUnit {
            name: name.to_owned(),
            service: name.to_owned(),
            config_hash: "wanted".to_owned(),
            artifact: match name {
                EMULATOR => Artifact::Command(CommandArtifact::default()),
                _ => Artifact::Cargo { package: name.to_owned() },
            },
            depends_on: depends_on.iter().map(|name| ((*name).to_owned(), Condition::ServiceHealthy.into())).collect(),
            start: StartOrder::AfterTables,
            is_one_shot: false,
            runs_again: false,
        }
    }

    fn orders() -> Desired {
        let units = vec![unit(EMULATOR, &[]), unit("api", &["processor"]), unit("processor", &[])];
        Desired {
            known: units.iter().map(|unit| unit.name.clone()).collect(),
            units,
            resources: vec![ResourceId::table("inventory"), ResourceId::table("orders")],
            needs: BTreeMap::new(),
            seeds: vec![(ResourceId::table("inventory"), 2)],
        }
    }

    fn seen(name: &str, hash: &str, state: UnitState) -> (String, ObservedUnit) {
        let unit = ObservedUnit {
            name: name.to_owned(),
            config_hash: hash.to_owned(),
            state,
            bindings: Vec::new(),
            restarts: 0,
        };
        (name.to_owned(), unit)
    }

    fn ready() -> UnitState {
        UnitState::Ready { pid: 7, since: 0 }
    }

    /// The observation after a successful run towards `desired`.
    fn reached(desired: &Desired) -> Observed {
        let matching = |resource: &ResourceId| (resource.clone(), ObservedResource::Matching { absent_seeds: 0 });
        Observed {
            units: desired.units.iter().map(|unit| seen(&unit.name, &unit.config_hash, ready())).collect(),
            resources: Some(desired.resources.iter().map(matching).collect()),
            ..Observed::default()
        }
    }

    fn text(desired: &Desired, observed: &Observed) -> String {
        match reconcile(desired, observed) {
            Ok(plan) => plan.to_string(),
            Err(Conflict { resource, differences }) => format!("{resource} differs: {}", differences.join("; ")),
        }
    }

    #[test]
    fn from_nothing() {
        insta::assert_snapshot!(text(&orders(), &Observed::default()));
    }

    #[test]
    fn a_service_that_starts_at_once_is_asked_when_the_tables_are_there() {
        let mut desired = orders();
        for unit in &mut desired.units[1..] {
            unit.start = StartOrder::AtOnce;
        }
        insta::assert_snapshot!(text(&desired, &Observed::default()));
    }

    #[test]
    fn from_nothing_with_a_build() {
        let stale = [("api", "not built yet"), ("processor", "src/main.rs changed")];
        let observed = Observed {
            stale: stale.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect(),
            ..Observed::default()
        };
        insta::assert_snapshot!(text(&orders(), &observed));
    }

    #[test]
    fn stale_packages_are_built_together() {
        let mut desired = orders();
        desired.units[0].artifact = Artifact::Cargo { package: "devenv-emulator".to_owned() };
        let stale = ["api", "devenv-emulator"].map(|name| (name.to_owned(), "not built yet".to_owned())).into();
        insta::assert_snapshot!(text(&desired, &Observed { stale, ..Observed::default() }));
    }

    /// `api` and `processor` are commands with a build of their own; everything runs.
    fn commands() -> (Desired, Observed) {
        let mut desired = orders();
        for unit in &mut desired.units[1..] {
            unit.artifact = Artifact::Command(CommandArtifact {
                build: Some(vec!["make".to_owned()]),
                ..CommandArtifact::default()
            });
        }
        let observed = reached(&desired);
        (desired, observed)
    }

    #[test]
    fn a_changed_unit_alone_is_built_and_replaced_with_its_cause() {
        let (desired, mut observed) = commands();
        observed.stale_units.insert("api".to_owned(), "web/app.py changed".to_owned());
        insta::assert_snapshot!(text(&desired, &observed));
    }

    #[test]
    fn what_runs_is_replaced_when_every_build_has_succeeded() {
        let (desired, mut observed) = commands();
        for name in ["api", "processor"] {
            observed.stale_units.insert(name.to_owned(), format!("{name}.py changed"));
        }
        let plan = reconcile(&desired, &observed).expect("no conflict");
        let builds: Vec<usize> = (0..plan.steps.len())
            .filter(|index| matches!(plan.steps[*index].operation, Operation::BuildUnit { .. }))
            .collect();
        let replaced: Vec<&Step> =
            plan.steps.iter().filter(|step| matches!(step.operation, Operation::ReplaceUnit { .. })).collect();
        assert_eq!((builds.len(), replaced.len()), (2, 2));
        for step in replaced {
            assert!(builds.iter().all(|build| step.after.contains(build)), "{plan}");
        }
    }

    #[test]
    fn the_messages_of_an_emulator_of_tables_are_awaited_like_it() {
        let mut desired = orders();
        desired.units.insert(
            1,
            DesiredUnit { artifact: Artifact::Image { reference: "messages:1".to_owned() }, ..unit(MESSAGES, &[]) },
        );
        let plan = reconcile(&desired, &Observed::default()).expect("no conflict");
        let step =
            |operation: Operation| plan.steps.iter().position(|step| step.operation == operation).expect("planned");
        let waits = [EMULATOR, MESSAGES].map(|unit| step(Operation::AwaitReady { unit: unit.to_owned() }));
        let ensured = plan.steps.iter().filter(|step| matches!(step.operation, Operation::Ensure(_)));
        assert!(
            ensured.clone().count() > 0
                && ensured.into_iter().all(|step| waits.iter().all(|wait| step.after.contains(wait)))
        );
        let mut observed = reached(&desired);
        observed.units.remove(MESSAGES);
        let plan = reconcile(&desired, &observed).expect("no conflict");
        assert_eq!(plan.steps[0].operation, Operation::StartUnit { unit: MESSAGES.to_owned() });
        assert_eq!(plan.steps[2].cause, Cause::EmulatorStarts, "its resources are unknown");
    }

    #[test]
    fn a_command_without_a_build_is_only_replaced() {
        let (mut desired, mut observed) = commands();
        desired.units[1].artifact = Artifact::Command(CommandArtifact::default());
        observed.stale_units.insert("api".to_owned(), "api.py changed".to_owned());
        let plan = text(&desired, &observed);
        assert!(plan.contains("replace api (api.py changed)") && !plan.contains("build api"), "{plan}");
    }

    #[test]
    fn a_package_of_several_units_is_built_once() {
        let mut desired = orders();
        for unit in &mut desired.units {
            unit.artifact = Artifact::Cargo { package: "all".to_owned() };
        }
        let stale: BTreeMap<_, _> = [("all".to_owned(), "not built yet".to_owned())].into();
        let plan = reconcile(&desired, &Observed { stale, ..Observed::default() }).expect("no conflict");
        let builds = plan.steps.iter().filter(|step| matches!(step.operation, Operation::Build { .. }));
        assert_eq!(
            builds.map(|step| &step.operation).collect::<Vec<_>>(),
            [&Operation::Build { packages: vec!["all".to_owned()] }]
        );
        // The two services alone name it once too.
        desired.units.retain(|unit| unit.name != EMULATOR);
        let stale: BTreeMap<_, _> = [("all".to_owned(), "not built yet".to_owned())].into();
        let plan = reconcile(&desired, &Observed { stale, ..Observed::default() }).expect("no conflict");
        assert_eq!(plan.steps[0].operation, Operation::Build { packages: vec!["all".to_owned()] });
    }

    #[test]
    fn a_service_that_runs_is_replaced_when_its_program_was_rebuilt() {
        let desired = orders();
        let stale = [("processor".to_owned(), "src/main.rs changed".to_owned())].into();
        let plan = reconcile(&desired, &Observed { stale, ..reached(&desired) }).expect("no conflict");
        let replaced = Operation::ReplaceUnit { unit: "processor".to_owned() };
        let step = plan.steps.iter().find(|step| step.operation == replaced).expect("it runs the old program");
        assert_eq!((&step.cause, step.after.as_slice()), (&Cause::ProgramRebuilt, &[0][..]), "after its build");
    }

    #[test]
    fn an_absent_image_is_fetched_before_its_container() {
        let mut desired = orders();
        desired.units[0].artifact = Artifact::Image { reference: "amazon/dynamodb-local:2.6.1".to_owned() };
        let absent_images = ["amazon/dynamodb-local:2.6.1", "of/another:1"].map(str::to_owned).into();
        insta::assert_snapshot!(text(&desired, &Observed { absent_images, ..Observed::default() }));
    }

    #[test]
    fn an_unchanged_environment_needs_nothing() {
        assert_eq!(text(&orders(), &reached(&orders())), "nothing to do\n");
    }

    #[test]
    fn one_changed_service_alone_is_replaced() {
        let mut observed = reached(&orders());
        observed.units.extend([seen("processor", "older", ready())]);
        insta::assert_snapshot!(text(&orders(), &observed));
    }

    #[test]
    fn after_a_crash_of_the_supervisor() {
        let observed =
            Observed { leftovers: vec![Leftover { unit: "api".to_owned(), pid: 99 }], ..Observed::default() };
        insta::assert_snapshot!(text(&orders(), &observed));
    }

    #[test]
    fn what_failed_is_started_again_and_what_starts_is_awaited() {
        let mut observed = reached(&orders());
        let failed = UnitState::Failed { error: "ended with exit code 64 before it was ready".to_owned() };
        let waiting = UnitState::Backoff { exit: Exit::Signal(9), until: 5 };
        observed.units.extend([seen("api", "wanted", failed), seen("processor", "wanted", waiting)]);
        observed.units.extend([seen("mailer", "wanted", ready())]);
        insta::assert_snapshot!(text(&orders(), &observed));
    }

    #[test]
    fn a_table_that_differs_is_a_conflict() {
        let mut observed = reached(&orders());
        let different = ObservedResource::Different {
            differences: vec!["partition key is id in the file, order_id in the table".to_owned()],
        };
        observed.resources.get_or_insert_default().insert(ResourceId::table("orders"), different);
        insta::assert_snapshot!(text(&orders(), &observed));
    }

    #[test]
    fn only_what_is_absent_is_seeded() {
        let mut observed = reached(&orders());
        let absent = ObservedResource::Matching { absent_seeds: 1 };
        observed.resources.get_or_insert_default().insert(ResourceId::table("inventory"), absent);
        insta::assert_snapshot!(text(&orders(), &observed));
    }

    /// A queue with a dead-letter queue, and a topic whose messages go to it.
    fn with_messages() -> Desired {
        let id = |(kind, name): (ResourceKind, &str)| ResourceId::new(kind, name);
        let dead = id((ResourceKind::Queue, "work-dead"));
        let work = id((ResourceKind::Queue, "work"));
        let topic = id((ResourceKind::Topic, "events"));
        let subscription = id((ResourceKind::Subscription, "work-events"));
        Desired {
            units: vec![unit(EMULATOR, &[])],
            known: vec![EMULATOR.to_owned()],
            needs: BTreeMap::from([
                (work.clone(), vec![dead.clone()]),
                (subscription.clone(), vec![topic.clone(), work.clone()]),
            ]),
            seeds: vec![(work.clone(), 2)],
            resources: vec![dead, work, topic, subscription],
        }
    }

    #[test]
    fn a_resource_waits_for_those_that_it_needs() {
        insta::assert_snapshot!(text(&with_messages(), &Observed::default()), @"
         1. start emulator (not running)
         2. wait for emulator (not running) after 1
         3. ensure queue work-dead (the emulator starts) after 2
         4. ensure queue work (the emulator starts) after 2, 3
         5. ensure topic events (the emulator starts) after 2
         6. ensure subscription work-events (the emulator starts) after 2, 4, 5
         7. seed queue work (the emulator starts) after 2, 4
        ");
    }

    #[test]
    fn what_can_be_changed_in_place_is_no_conflict() {
        let desired = with_messages();
        let mut observed = reached(&desired);
        let differences = vec!["VisibilityTimeout is 60 in the file, 30 in the queue".to_owned()];
        let changeable = ObservedResource::Changeable { differences, absent_seeds: 0 };
        observed.resources.get_or_insert_default().insert(desired.resources[1].clone(), changeable);
        insta::assert_snapshot!(text(&desired, &observed), @"1. ensure queue work (VisibilityTimeout is 60 in the file, 30 in the queue)");
    }

    /// `api` waits for the completion of `migrate`, which needs the tables.
    fn with_one_shot() -> Desired {
        let mut desired = orders();
        desired.units[1].depends_on.push(("migrate".to_owned(), Condition::ServiceCompletedSuccessfully.into()));
        desired.units.push(DesiredUnit { is_one_shot: true, ..unit("migrate", &[]) });
        desired.known.push("migrate".to_owned());
        desired
    }

    /// The observation after a successful run towards [`with_one_shot`].
    fn completed() -> Observed {
        let mut observed = reached(&with_one_shot());
        observed.units.extend([seen("migrate", "wanted", UnitState::Completed)]);
        observed
    }

    #[test]
    fn a_service_starts_when_the_one_before_it_has_completed() {
        insta::assert_snapshot!(text(&with_one_shot(), &Observed::default()));
    }

    #[test]
    fn a_completed_unit_runs_again_only_when_it_changes() {
        let desired = with_one_shot();
        assert_eq!(text(&desired, &completed()), "nothing to do\n");
        let mut older = completed();
        older.units.extend([seen("migrate", "older", UnitState::Completed)]);
        insta::assert_snapshot!("a changed one-shot", text(&desired, &older));
        let stale = [("migrate".to_owned(), "src/main.rs changed".to_owned())].into();
        insta::assert_snapshot!("a rebuilt one-shot", text(&desired, &Observed { stale, ..completed() }));
        for (state, cause) in [
            (UnitState::Failed { error: "ended with exit code 3".to_owned() }, "failed before: ended with exit code 3"),
            (UnitState::Stopped { exit: None }, "not completed yet"),
        ] {
            let mut half_done = completed();
            half_done.units.extend([seen("migrate", "wanted", state)]);
            let plan = text(&desired, &half_done);
            assert!(plan.contains(&format!("start migrate ({cause})")), "{plan}");
        }
        let mut running = completed();
        running.units.extend([seen("migrate", "wanted", UnitState::Starting { pid: 7, since: 0 })]);
        assert_eq!(text(&desired, &running), " 1. wait for migrate (not ready yet)\n");
    }

    #[test]
    fn a_completed_unit_of_which_nobody_said_that_it_ends_starts_again() {
        let mut desired = with_one_shot();
        desired.units[3] = DesiredUnit { runs_again: true, ..unit("migrate", &[]) };
        let plan = text(&desired, &completed());
        assert!(plan.contains("start migrate (not running)"), "{plan}");
    }

    #[test]
    fn a_service_restarts_with_a_replaced_dependency_where_it_asks_for_it() {
        let mut desired = orders();
        let mut observed = reached(&desired);
        observed.units.extend([seen("processor", "older", ready())]);
        assert!(!text(&desired, &observed).contains("api"));
        desired.units[1].depends_on[0].1.restart = true;
        insta::assert_snapshot!(text(&desired, &observed));
    }

    fn any_state() -> impl Strategy<Value = UnitState> {
        prop_oneof![
            Just(ready()),
            Just(UnitState::Starting { pid: 7, since: 0 }),
            Just(UnitState::Completed),
            Just(UnitState::Stopped { exit: None }),
            Just(UnitState::Failed { error: "no".to_owned() }),
            Just(UnitState::Backoff { exit: Exit::Code(1), until: 0 }),
        ]
    }

    prop_compose! {
        /// Up to six services in which each depends only on earlier ones, seen in any state.
        fn any_world()(edges in prop::collection::vec(prop::collection::vec(any::<bool>(), 6), 1..6),
                       states in prop::collection::vec(prop::option::of((any_state(), any::<bool>())), 7),
                       stale in prop::collection::vec(any::<bool>(), 6),
                       tables in prop::option::of(prop::collection::vec(prop::option::of(0_usize..3), 2)))
                      -> (Desired, Observed) {
            let mut desired = orders();
            desired.units = vec![unit(EMULATOR, &[])];
            for (index, row) in edges.iter().enumerate() {
                let earlier: Vec<String> = (0..index).filter(|other| row[*other]).map(|other| format!("s{other}")).collect();
                let earlier: Vec<&str> = earlier.iter().map(String::as_str).collect();
                desired.units.push(unit(&format!("s{index}"), &earlier));
            }
            desired.known = desired.units.iter().map(|unit| unit.name.clone()).collect();
            let mut observed = Observed::default();
            for (unit, state) in desired.units.iter().zip(&states) {
                if let Some((state, same)) = state {
                    let hash = if *same { "wanted" } else { "older" };
                    observed.units.extend([seen(&unit.name, hash, state.clone())]);
                }
            }
            for (index, stale) in stale.iter().enumerate() {
                if *stale {
                    observed.stale.insert(format!("s{index}"), "changed".to_owned());
                }
            }
            observed.resources = tables.map(|tables| {
                let present = desired.resources.iter().zip(tables);
                present.filter_map(|(id, absent)| Some((id.clone(), ObservedResource::Matching { absent_seeds: absent? }))).collect()
            });
            (desired, observed)
        }
    }

    proptest! {
        #[test]
        fn every_step_waits_only_for_earlier_ones((desired, observed) in any_world()) {
            let plan = reconcile(&desired, &observed).expect("no table differs");
            for (index, step) in plan.steps.iter().enumerate() {
                prop_assert!(step.after.iter().all(|earlier| *earlier < index));
            }
        }

        #[test]
        fn a_service_starts_only_after_its_dependencies_that_start((desired, observed) in any_world()) {
            let plan = reconcile(&desired, &observed).expect("no table differs");
            let awaited = |name: &str| plan.steps.iter().position(|step| step.operation == Operation::AwaitReady { unit: name.to_owned() });
            for step in &plan.steps {
                let (Operation::StartUnit { unit } | Operation::ReplaceUnit { unit }) = &step.operation else { continue };
                let wanted = desired.units.iter().find(|wanted| wanted.name == *unit).expect("a wanted unit");
                for (name, _) in &wanted.depends_on {
                    if let Some(ready) = awaited(name) {
                        prop_assert!(step.after.contains(&ready));
                    }
                }
            }
        }

        #[test]
        fn a_world_brought_about_needs_nothing((desired, _) in any_world()) {
            prop_assert!(reconcile(&desired, &reached(&desired)).expect("no table differs").is_empty());
        }
    }
}
