//! Which files a project keeps, and what remains of one whose files cannot be read.

use devenv_fakes::FakeProject;
use devenv_runtime::{ComposeOptions, Error, Project, ProjectOptions, Remembered};

fn names(project: &Project) -> Vec<&str> {
    project.manifest.services.keys().map(String::as_str).collect()
}

#[test]
fn an_environment_keeps_the_files_of_its_last_start_unless_others_are_named() {
    let project = FakeProject::new();
    project.write("more.yaml", "services: { more: { image: \"more:1\" }, debug: { image: d, profiles: [debug] } }");
    let files = vec!["compose.yaml".into(), "more.yaml".into()];
    let with = |compose: ComposeOptions| ProjectOptions { compose, ..project.options() };
    let named = ComposeOptions { files, profiles: vec!["debug".to_owned()], ..ComposeOptions::default() };
    let loaded = Project::load(&with(named)).expect("no mistake");
    assert_eq!(names(&loaded), ["api", "debug", "mailer", "more"]);
    loaded.state.prepare().expect("writable");
    let mut remembered = Remembered::default();
    remembered.compose.clone_from(&loaded.compose);
    remembered.keep(&loaded.state).expect("writable");
    let elsewhere = ProjectOptions { directory: loaded.instance.root.join("tables"), ..project.options() };
    assert_eq!(names(&Project::current(&elsewhere).expect("no mistake")), ["api", "debug", "mailer", "more"]);
    assert_eq!(names(&Project::load(&elsewhere).expect("no mistake")), ["api", "mailer"], "up chooses anew");
    let other = ComposeOptions { profiles: vec!["none".to_owned()], ..ComposeOptions::default() };
    assert_eq!(names(&Project::current(&with(other)).expect("no mistake")), ["api", "mailer", "more"]);
}

#[test]
fn files_that_cannot_be_read_leave_a_project_without_services_and_the_reason() {
    let project = FakeProject::new();
    let whole = project.load();
    whole.state.prepare().expect("writable");
    Remembered::default().keep(&whole.state).expect("writable");
    project.write("compose.yaml", "services: [");
    let (bare, error) = Project::current_or_bare(&project.options()).expect("it has a place");
    assert!(names(&bare).is_empty() && matches!(error, Some(Error::Manifest(_))));
    assert_eq!(bare.instance, whole.instance);
    std::fs::remove_file(project.path().join("devenv.toml")).expect("removable");
    let (bare, error) = Project::current_or_bare(&project.options()).expect("its state directory is there");
    assert!(matches!(error, Some(Error::NoManifest { .. })));
    assert_eq!(bare.instance, whole.instance);
    std::fs::remove_file(whole.state.memory_file()).expect("removable");
    assert!(matches!(Project::current_or_bare(&project.options()), Err(Error::NoManifest { .. })));
}
