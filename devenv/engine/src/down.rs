use std::sync::Arc;

use devenv_model::manifest::PromotePlace;
use devenv_model::observed::Leftover;
use devenv_runtime::processes::leftovers_of;
use devenv_runtime::{
    Emitter, Error as RuntimeError, ImageBuild, Project, Remembered, RuntimeHost, RuntimeKind, TakenDown,
};
use devenv_supervisor::lock::{LockAttempt, try_hold};
use devenv_supervisor::restore::restore_files;

use crate::command_lock::command_lock;
use crate::error::Error;
use crate::resolve::ResolvedRuntime;
use crate::test_environments;

/// Held by a promotion in its folder while it works there.
const PROMOTION_LOCK: &str = "lock";

#[derive(Debug, Clone, Copy, Default)]
pub struct DownOptions {
    /// Whether to remove the data too.
    pub volumes: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Down {
    /// The names of the stopped units, in the order of their stops.
    pub stopped: Vec<String>,
    /// Ended processes of a killed run.
    pub leftovers: Vec<Leftover>,
    pub data_removed: bool,
    pub was_running: bool,
    /// Whether the emulated AWS of a rehearsal was removed.
    pub rehearsal_removed: bool,
}

/// Stops the environment and ends the leftovers of killed runs. A stopped environment is no error.
pub async fn down(project: &Project, options: &DownOptions, emitter: &Emitter) -> Result<Down, Error> {
    let mut down = Down::default();
    restore_files(&project.state).await?;
    let known = is_known(project)?;
    let _alone = if known { Some(command_lock(project)?) } else { None };
    if known {
        test_environments::sweep(project, emitter).await;
        down.take_down(project.runtimes.processes().as_ref(), project, options, emitter).await?;
    }
    // Labels identify containers, so they are found even without a state directory.
    let ran_elsewhere = last_kind(project)?.is_some_and(|kind| kind != RuntimeKind::Process);
    if ran_elsewhere || options.volumes || !known {
        match project.runtimes.find().await {
            Ok(found) => down.take_down(found.host.as_ref(), project, options, emitter).await?,
            Err(none) if ran_elsewhere => return Err(none.into()),
            Err(_) => {}
        }
    }
    if known {
        down.rehearsal_removed = remove_rehearsals(project, emitter).await?;
    }
    if options.volumes && known {
        let data = project.state.data();
        match std::fs::remove_dir_all(&data) {
            Ok(()) => down.data_removed = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(RuntimeError::State { path: data, source }.into()),
        }
        forget(project)?;
    }
    Ok(down)
}

/// Removes the runtime directory, by which `devenv ls` lists the environment, unless something lives by it.
fn forget(project: &Project) -> Result<(), Error> {
    let state = &project.state;
    let failed = |source| RuntimeError::State { path: state.runtime().path(), source };
    if state.is_supervised().map_err(failed)? || !leftovers_of(state)?.is_empty() {
        return Ok(());
    }
    Ok(state.remove_runtime().map_err(failed)?)
}

impl Down {
    /// Takes down one host's units, and adds them to the result.
    async fn take_down(
        &mut self,
        host: &dyn RuntimeHost,
        project: &Project,
        options: &DownOptions,
        emitter: &Emitter,
    ) -> Result<(), Error> {
        host.clear(project, emitter).await?;
        let TakenDown { stopped, leftovers, was_running } = host.take_down(project, emitter).await?;
        self.was_running |= was_running;
        self.stopped.extend(stopped);
        self.leftovers.extend(leftovers);
        if options.volumes {
            self.data_removed |= host.connect(project, &ImageBuild::default()).await?.remove_data().await?;
        }
        Ok(())
    }
}

/// Whether anything was ever started here. Leftover processes may exist even without the state directory.
fn is_known(project: &Project) -> Result<bool, Error> {
    let state = &project.state;
    if state.path().exists() {
        return Ok(true);
    }
    let is_left = !leftovers_of(state)?.is_empty();
    if is_left {
        state.prepare()?;
    }
    Ok(is_left)
}

/// The runtime of the last start.
fn last_kind(project: &Project) -> Result<Option<RuntimeKind>, Error> {
    Ok(Remembered::read(&project.state)?.chosen.map(|chosen| chosen.runtime))
}

/// Takes the environment down on every host but the resolved one: it runs on one host at a time. Processes are always looked
/// for, since a command may have been killed before it remembered them; a container engine only if the environment last ran there.
pub(crate) async fn end_other_runtime(
    project: &Project,
    resolved: &ResolvedRuntime,
    emitter: &Emitter,
) -> Result<(), Error> {
    let kind = resolved.host.kind();
    let mut others: Vec<Arc<dyn RuntimeHost>> = vec![project.runtimes.processes()];
    if last_kind(project)?.is_some_and(|last| last != kind)
        && let Ok(found) = project.runtimes.find().await
    {
        others.push(found.host);
    }
    for host in others.into_iter().filter(|host| host.kind() != kind) {
        if host.take_down(project, emitter).await?.was_running {
            let units = host.units_are();
            emitter.notice(format!("stopped the environment that ran as {units}; its data is kept"));
        }
    }
    Ok(())
}

/// Removes the emulated AWS of every rehearsal of this project. Returns whether there was one.
async fn remove_rehearsals(project: &Project, emitter: &Emitter) -> Result<bool, Error> {
    let mut removed = false;
    for target in project.manifest.promote.values() {
        let folder = project.state.promotion(&target.name);
        if matches!(target.place, PromotePlace::Rehearsal { .. }) && folder.exists() {
            let host = project.runtimes.find().await?.host;
            removed |= host.remove_part(project, &folder, &target.name, emitter).await?;
            forget_rehearsal(project, &target.name)?;
        }
    }
    Ok(removed)
}

/// Removes the files of a rehearsal: its login, and plans with the variables of services. A promotion that still works there keeps
/// them.
fn forget_rehearsal(project: &Project, target: &str) -> Result<(), Error> {
    let folder = project.state.promotion(target);
    let forget = || match try_hold(&folder.join(PROMOTION_LOCK))? {
        LockAttempt::Held(_held) => std::fs::remove_dir_all(&folder),
        LockAttempt::Taken { .. } => Ok(()),
    };
    Ok(forget().map_err(|source| RuntimeError::State { path: folder.clone(), source })?)
}

#[cfg(test)]
mod tests {
    use devenv_fakes::FakeProject;
    use devenv_model::event::Event;
    use devenv_model::manifest::EmulatorKind;
    use devenv_model::observed::UnitState;
    use devenv_runtime::{RememberedChoice, RuntimeRequest};

    use super::*;
    use crate::resolve::choose;

    /// A project with a state directory, whose environment last ran with `kind`.
    fn last_ran(kind: RuntimeKind) -> FakeProject {
        let project = FakeProject::new();
        let state = project.load().state.clone();
        state.prepare().expect("writable");
        let chosen = RememberedChoice { runtime: kind, emulator: EmulatorKind::Embedded, emulator_url: None };
        let mut remembered = Remembered::default();
        remembered.chosen = Some(chosen);
        remembered.keep(&state).expect("writable");
        project.runtime.set("api", UnitState::Ready { pid: 7, since: 0 });
        project
    }

    async fn take_down(project: &FakeProject, volumes: bool) -> Result<Down, Error> {
        let (emitter, _events) = Emitter::channel();
        down(&project.load(), &DownOptions { volumes }, &emitter).await
    }

    #[tokio::test]
    async fn the_host_that_ran_the_environment_takes_it_down_and_no_other_is_asked() {
        let project = last_ran(RuntimeKind::Docker);
        let down = take_down(&project, false).await.expect("nothing fails");
        assert_eq!(down, Down { stopped: vec!["api".to_owned()], was_running: true, ..Down::default() });
        assert_eq!(project.runtime.done(), ["take down"]);
        let again = take_down(&project, false).await.expect("nothing to stop is no error");
        assert_eq!(again, Down::default());
        let project = last_ran(RuntimeKind::Process);
        assert_eq!(take_down(&project, false).await.expect("nothing fails"), Down::default());
        assert_eq!(project.runtime.done(), [""; 0]);
    }

    #[tokio::test]
    async fn the_files_of_a_rehearsal_go_with_it_unless_a_promotion_works_there() {
        let project = FakeProject::new();
        project.write("devenv.toml", &(project.settings() + "[promote.rehearsal]\nimage = \"aws:1\"\n"));
        let state = project.load().state.clone();
        state.prepare().expect("writable");
        let login = state.promotion("rehearsal").join("login.json");
        std::fs::create_dir_all(state.promotion("rehearsal")).expect("writable");
        std::fs::write(&login, "secret").expect("writable");
        let works = try_hold(&state.promotion("rehearsal").join(PROMOTION_LOCK)).expect("writable");
        take_down(&project, false).await.expect("nothing fails");
        assert!(login.exists(), "the promotion reads it");
        drop(works);
        take_down(&project, false).await.expect("nothing fails");
        assert!(!state.promotion("rehearsal").exists());
    }

    #[tokio::test]
    async fn data_goes_wherever_it_is() {
        let project = last_ran(RuntimeKind::Process);
        let data = project.load().state.data();
        assert!(data.exists());
        assert!(take_down(&project, true).await.expect("nothing fails").data_removed);
        assert_eq!(project.runtime.done(), ["take down", "remove data"]);
        assert!(!data.exists());
    }

    #[tokio::test]
    async fn an_environment_without_its_data_is_listed_no_longer() {
        let project = last_ran(RuntimeKind::Process);
        let state = project.load().state.clone();
        take_down(&project, false).await.expect("nothing fails");
        assert!(state.runtime().facts_file().exists(), "its data is kept, and so is its description");
        take_down(&project, true).await.expect("nothing fails");
        assert!(!state.runtime().path().exists());
    }

    #[tokio::test]
    async fn a_process_that_cannot_be_ended_keeps_the_directory_by_which_it_is_found() {
        let project = last_ran(RuntimeKind::Docker);
        let state = project.load().state.clone();
        let held = try_hold(&state.unit_lock("api")).expect("writable");
        take_down(&project, true).await.expect("nothing fails");
        assert!(state.unit_lock("api").exists());
        drop(held);
    }

    #[tokio::test]
    async fn an_environment_without_a_state_directory_is_looked_for_where_it_has_labels() {
        let project = FakeProject::new();
        project.runtime.set("api", UnitState::Ready { pid: 7, since: 0 });
        let down = take_down(&project, false).await.expect("nothing fails");
        assert_eq!((down.stopped, down.was_running), (vec!["api".to_owned()], true));
        assert!(!project.load().state.path().exists(), "a look leaves nothing");
    }

    #[tokio::test]
    async fn a_host_that_does_not_answer_is_an_error_only_where_the_environment_ran_there() {
        for (kind, volumes, fails) in [
            (RuntimeKind::Docker, false, true),
            (RuntimeKind::Process, false, false),
            (RuntimeKind::Process, true, false),
        ] {
            let project = last_ran(kind);
            *project.runtime.is_absent.lock().expect("not poisoned") = true;
            let outcome = take_down(&project, volumes).await;
            assert_eq!(
                matches!(outcome, Err(Error::Runtime(RuntimeError::NoHost(_)))),
                fails,
                "{kind}, {volumes}: {outcome:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_up_elsewhere_ends_the_environment_where_it_ran() {
        for (last, asked, ends) in [
            (RuntimeKind::Docker, RuntimeKind::Process, true),
            (RuntimeKind::Docker, RuntimeKind::Docker, false),
            (RuntimeKind::Process, RuntimeKind::Process, false),
        ] {
            let project = last_ran(last);
            let loaded = project.load();
            let request = RuntimeRequest {
                runtime: Some(asked),
                emulator: (asked == RuntimeKind::Process).then_some(EmulatorKind::Embedded),
                ..RuntimeRequest::default()
            };
            let resolved = choose(&loaded, &request).await.expect("a fake answers");
            let (emitter, mut events) = Emitter::channel();
            end_other_runtime(&loaded, &resolved, &emitter).await.expect("nothing fails");
            drop(emitter);
            assert_eq!(project.runtime.done() == ["take down"], ends, "{last}, {asked}");
            let told = events.recv().await;
            let is_told = matches!(&told, Some(Event::Notice { message }) if message.contains("that ran as fakes"));
            assert_eq!(is_told, ends, "{told:?}");
        }
    }
}
