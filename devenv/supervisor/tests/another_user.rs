//! The rights of one user's processes in another user's environment. Each test starts itself again as another user.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_supervisor::client::Client;
use devenv_supervisor::error::Error;
use devenv_supervisor::files;
use devenv_supervisor::lock::{LockAttempt, try_hold};
use devenv_supervisor::protocol::{PROTOCOL, Reply};
use devenv_supervisor::restore::restore_files;
use devenv_supervisor::server::supervise_in;
use devenv_supervisor::state_directory::StateDirectory;
use devenv_supervisor::unwritable::{Unwritable, unwritable};
use tempfile::TempDir;

/// The id of the user `nobody` on most systems; no account has to exist.
const OTHER: u32 = 65534;
/// The variable with the state directory for the other user's part of a test.
const PART: &str = "DEVENV_TEST_STATE_DIR";
const PATIENCE: Duration = Duration::from_secs(20);

/// A state directory that every user may enter.
fn place() -> (TempDir, StateDirectory) {
    assert!(rustix::process::geteuid().is_root(), "this test starts processes of another user: it needs root");
    let folder = tempfile::tempdir().expect("a temporary directory");
    let state = directory(Utf8Path::from_path(folder.path()).expect("UTF-8"), 0);
    state.prepare().expect("writable");
    set_mode(Utf8Path::from_path(folder.path()).expect("UTF-8"), 0o755);
    (folder, state)
}

/// The state directory in `folder` as the user with this id sees it: each user has runtime directories of their own.
fn directory(folder: &Utf8Path, user: u32) -> StateDirectory {
    StateDirectory::within(&folder.join(".devenv"), &[folder.join(format!("run-{user}"))])
}

fn set_mode(path: &Utf8Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
}

fn give_away(path: &Utf8Path) {
    std::os::unix::fs::chown(path, Some(OTHER), Some(OTHER)).expect("we are root");
}

/// Starts the test of this name again as the other user.
fn as_other_user(test: &str, state: &StateDirectory) -> Child {
    // This path works even if the other user may not enter the program's folder.
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", test, "--include-ignored", "--nocapture"]).env(PART, state.path());
    command.uid(OTHER).gid(OTHER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts")
}

/// The state directory, in the process of the other user.
fn part() -> Option<StateDirectory> {
    let path = Utf8PathBuf::from(std::env::var(PART).ok()?);
    assert_eq!(rustix::process::geteuid().as_raw(), OTHER, "another user");
    Some(directory(path.parent().expect("it is in a folder"), OTHER))
}

fn tell(told: impl Debug) {
    writeln!(std::io::stdout(), "told: {told:?}").expect("the test that started this one reads");
}

/// The lines that the other user's part of this test printed.
async fn told_by_other_user(test: &'static str, state: &StateDirectory) -> Vec<String> {
    let child = as_other_user(test, state);
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().expect("ours")).await.expect("no panic");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text.lines().filter_map(|line| Some(line.split_once("told: ")?.1.to_owned())).collect()
}

/// Runs `test` beside this user's supervisor.
async fn beside_a_supervisor(state: &StateDirectory, test: impl AsyncFnOnce()) {
    let supervisor = supervise_in(state.clone(), "test");
    let test = async {
        while !state.socket().exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        test().await;
        let own = Client::reach(state).await.expect("ours").expect("it answers its own user all the while");
        { own }.shutdown().await.expect("it ends");
    };
    let both = async { tokio::join!(supervisor, test).0 };
    tokio::time::timeout(PATIENCE, both).await.expect("in time").expect("it ends in order");
}

#[tokio::test]
#[ignore = "needs root"]
async fn another_users_command_is_denied_by_the_sockets_mode() {
    if let Some(state) = part() {
        return tell(Client::reach(&state).await);
    }
    let (_folder, state) = place();
    beside_a_supervisor(&state, async || {
        let told = told_by_other_user("another_users_command_is_denied_by_the_sockets_mode", &state).await;
        assert!(told.len() == 1 && told[0].starts_with("Err(Denied"), "{told:?}");
    })
    .await;
}

/// The socket's mode is not the only protection.
#[tokio::test]
#[ignore = "needs root"]
async fn another_users_connection_is_closed_without_an_answer() {
    if let Some(state) = part() {
        let socket = state.link().read_link_utf8().expect("a link");
        let mut stream = UnixStream::connect(socket).expect("its mode lets everybody in");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        // The supervisor may have closed the connection already.
        let _ = stream.write_all(b"\"hello\"\n\"shutdown\"\n");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        tell(answer);
        return tell(Client::reach(&state).await);
    }
    let (_folder, state) = place();
    beside_a_supervisor(&state, async || {
        for opened in [state.runtime().path().parent().expect("its root").to_owned(), state.runtime().path()] {
            set_mode(&opened, 0o755);
        }
        set_mode(&state.socket(), 0o666);
        let told = told_by_other_user("another_users_connection_is_closed_without_an_answer", &state).await;
        assert_eq!(told.first().map(String::as_str), Some("\"\""), "{told:?}");
        let is_refused = |told: &String| told.starts_with("Err(Untrusted") && told.contains("belongs to another user");
        assert!(told.get(1).is_some_and(is_refused), "a command trusts no other user's supervisor either: {told:?}");
        set_mode(state.runtime().path().parent().expect("its root"), 0o700);
    })
    .await;
}

/// Answers like a supervisor. Root may connect to any socket, so only the check of its owner can refuse it.
#[tokio::test]
#[ignore = "needs root"]
async fn another_users_supervisor_is_not_spoken_to() {
    if let Some(state) = part() {
        let Ok(LockAttempt::Held(_held)) = try_hold(&state.supervisor_anchor()) else { panic!("nobody else has it") };
        let listener = UnixListener::bind(state.link()).expect("the folder is ours");
        let (mut stream, _) = listener.accept().expect("somebody comes");
        let hello = Reply::Hello { protocol: PROTOCOL, pid: std::process::id(), program: None, since: None };
        let _ = writeln!(stream, "{}", serde_json::to_string(&hello).expect("plain data"));
        let mut heard = String::new();
        let _ = stream.read_to_string(&mut heard);
        return tell(heard);
    }
    let (_folder, state) = place();
    give_away(state.path());
    let other = as_other_user("another_users_supervisor_is_not_spoken_to", &state);
    let begin = Instant::now();
    while !state.link().exists() {
        assert!(begin.elapsed() < PATIENCE, "it does not listen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The connection ends here, which ends the other side too.
    let reached = tokio::time::timeout(PATIENCE, Client::reach(&state)).await.expect("at once");
    let reached = reached.map(|client| client.map(|client| client.pid));
    let output = other.wait_with_output().expect("ours");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let Err(Error::Untrusted { path, why, remedy }) = reached else { panic!("it was trusted: {reached:?}, {told}") };
    assert_eq!((path, why.as_str()), (state.link(), "the supervisor behind it belongs to another user"));
    assert!(remedy.contains("as that user"), "{remedy}");
    assert!(told.contains("told: \"\""), "it was asked nothing: {told}");
}

#[tokio::test]
#[ignore = "needs root"]
async fn only_the_owner_of_a_folder_is_told_that_its_mode_is_the_reason() {
    if let Some(state) = part() {
        let mine = state.path().join("mine");
        for path in [state.memory_file(), state.command_anchor(), state.data().join("deep/down"), mine.clone()] {
            let error = if path == mine {
                files::replace(&path.join("file"), b"").expect_err("its mode forbids it")
            } else {
                try_hold(&path).map(drop).expect_err("it is root's")
            };
            tell(unwritable(&path, &error));
        }
        return;
    }
    let (_folder, state) = place();
    std::fs::write(state.command_anchor(), "").expect("writable");
    set_mode(&state.data(), 0o700);
    let theirs = state.path().join("mine");
    std::fs::create_dir(&theirs).expect("writable");
    give_away(&theirs);
    set_mode(&theirs, 0o500);
    let told = told_by_other_user("only_the_owner_of_a_folder_is_told_that_its_mode_is_the_reason", &state).await;
    let [foreign, mode] = [Unwritable::Foreign(0), Unwritable::Mode].map(|reason| format!("{reason:?}"));
    assert_eq!(told, [foreign.as_str(), &foreign, &foreign, &mode]);
}

/// `/tmp` is for everybody: another user may have made the folder first.
#[tokio::test]
#[ignore = "needs root"]
async fn a_runtime_folder_that_another_user_prepared_is_refused_with_the_remedy() {
    let (folder, _) = place();
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let root = path.join("prepared");
    std::fs::create_dir(&root).expect("writable");
    set_mode(&root, 0o700);
    give_away(&root);
    let state = StateDirectory::within(&path.join(".devenv"), std::slice::from_ref(&root));
    for refused in [state.prepare(), restore_files(&state).await, Client::reach(&state).await.map(drop)] {
        let Err(Error::Untrusted { path, remedy, .. }) = refused else { panic!("it was trusted: {refused:?}") };
        assert!(path == root && remedy.contains("DEVENV_RUNTIME_DIR"), "{path}: {remedy}");
    }
    assert!(root.read_dir_utf8().expect("we are root").next().is_none(), "nothing was put there");
}
