//! The runtime directory: an environment's locks and sockets, outside of its checkout, so that `git clean -fdx` leaves them.

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::names::short_digest;

use crate::error::Error;
use crate::lock::is_held;
use crate::real_path::real_path;
use crate::trust;

/// Bytes of the digest that names an environment.
const ID_BYTES: usize = 8;
/// Bytes; the limit of a Unix socket's address is 104 on macOS and 108 on Linux, with the final zero.
pub(crate) const SOCKET_PATH_LIMIT: usize = 100;
const SOCKET: &str = "supervisor.sock";
/// The user's own folder that is always at hand, and its name in the folder of the login session.
const SHARED: &str = "/tmp";
const OWN: &str = "devenv";

/// The variables that name a place for runtime directories.
#[derive(Debug, Default)]
pub struct RuntimeVariables {
    /// `DEVENV_RUNTIME_DIR`: the folder of all runtime directories. No other folder is used or searched.
    pub devenv: Option<Utf8PathBuf>,
    /// `XDG_RUNTIME_DIR`: the folder of the login session. Not used if it is another user's, or open to others.
    pub session: Option<Utf8PathBuf>,
}

impl RuntimeVariables {
    pub fn read() -> Self {
        let path = |name| std::env::var(name).ok().filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
        Self { devenv: path("DEVENV_RUNTIME_DIR"), session: path("XDG_RUNTIME_DIR") }
    }
}

/// The folders of runtime directories, the preferred one first. The others may hold an environment that a command with other
/// variables started (a login without a session, `sudo`), so they are searched.
pub fn roots(variables: &RuntimeVariables) -> Vec<Utf8PathBuf> {
    if let Some(root) = &variables.devenv {
        return vec![root.clone()];
    }
    let user = trust::own_user();
    let sessions = variables.session.clone().into_iter().chain([Utf8PathBuf::from(format!("/run/user/{user}"))]);
    let mut roots: Vec<Utf8PathBuf> =
        sessions.filter(|folder| trust::is_private(folder)).map(|folder| folder.join(OWN)).filter(has_room).collect();
    roots.dedup();
    let named = variables.session.as_ref().map(|folder| folder.join(OWN));
    let shared = Utf8PathBuf::from(format!("{SHARED}/{OWN}-{user}"));
    // Without the variable, the session's folder is only searched.
    let place = usize::from(named.is_some_and(|named| roots.first() == Some(&named)));
    roots.insert(place, shared);
    roots
}

/// Whether the address of a socket in this root fits.
fn has_room(root: &Utf8PathBuf) -> bool {
    root.is_absolute() && root.as_str().len() + 2 * ID_BYTES + SOCKET.len() + 2 <= SOCKET_PATH_LIMIT
}

/// The runtime directory of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeDirectory {
    root: Utf8PathBuf,
    id: String,
}

impl RuntimeDirectory {
    pub fn new(root: &Utf8Path, id: &str) -> Self {
        Self { root: root.to_owned(), id: id.to_owned() }
    }

    /// Every runtime directory that the environment with this state directory may have, the one to use first: the directory
    /// of its living supervisor, else the preferred one.
    pub(crate) fn of(state: &Utf8Path, linked: Option<&Utf8Path>, roots: &[Utf8PathBuf]) -> (Self, Vec<Self>) {
        let id = id(state);
        // The link in the state directory names the place that the supervisor chose.
        let linked = linked.and_then(Utf8Path::parent).filter(|folder| folder.file_name() == Some(&id));
        let mut all: Vec<Self> = roots.iter().map(|root| Self::new(root, &id)).collect();
        if let Some(root) = linked.and_then(Utf8Path::parent)
            && all.iter().all(|known| known.root != root)
            && trust::is_private(root)
        {
            all.push(Self::new(root, &id));
        }
        let lives = |known: &Self| trust::is_private(&known.root) && is_held(&known.supervisor_lock()).unwrap_or(false);
        let chosen = all.iter().position(lives).unwrap_or_default();
        let chosen = all.remove(chosen);
        all.retain(|other| trust::is_private(&other.root) && other.path().exists());
        (chosen, all)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn path(&self) -> Utf8PathBuf {
        self.root.join(&self.id)
    }

    pub fn units(&self) -> Utf8PathBuf {
        self.path().join("units")
    }

    pub fn unit_lock(&self, unit: &str) -> Utf8PathBuf {
        self.units().join(format!("{unit}.lock"))
    }

    pub fn supervisor_lock(&self) -> Utf8PathBuf {
        self.path().join("supervisor.lock")
    }

    pub fn socket(&self) -> Utf8PathBuf {
        self.path().join(SOCKET)
    }

    pub fn command_lock(&self) -> Utf8PathBuf {
        self.path().join("command.lock")
    }

    /// The description of the environment, for commands on all environments.
    pub fn facts_file(&self) -> Utf8PathBuf {
        self.path().join("environment.json")
    }

    /// Exists if the directory was removed while units ran: their locks have no names any more.
    pub(crate) fn lost_mark(&self) -> Utf8PathBuf {
        self.path().join("lost")
    }

    /// Makes the absent folders, for this user only. Refuses a folder that another user could have prepared.
    pub fn prepare(&self) -> Result<(), Error> {
        if let Some(parent) = self.root.parent() {
            let failed = |source| Error::Write { path: self.root.clone(), source };
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        for folder in [self.root.clone(), self.path(), self.units()] {
            trust::make(&folder)?;
        }
        Ok(())
    }

    /// Refuses a directory in which another user could have made the socket. An absent directory passes: it has no socket.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.root.symlink_metadata().is_ok() { trust::check(&self.root) } else { Ok(()) }
    }
}

/// The name of the environment's runtime directory: a short hash of its state directory.
pub fn id(state: &Utf8Path) -> String {
    short_digest(real_path(state).as_str(), ID_BYTES)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

    use super::*;
    use crate::lock::{LockAttempt, try_hold};

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
        (folder, path)
    }

    fn session(session: &Utf8Path) -> RuntimeVariables {
        RuntimeVariables { devenv: None, session: Some(session.to_owned()) }
    }

    #[test]
    fn the_sessions_folder_is_preferred_where_it_is_this_users_alone() {
        let (_kept, path) = folder();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("ours");
        let shared = format!("/tmp/devenv-{}", trust::own_user());
        assert_eq!(roots(&session(&path))[..2], [path.join("devenv"), shared.clone().into()]);
        assert_eq!(roots(&RuntimeVariables::default())[0], shared, "without a session");
        let link = path.join("link");
        std::os::unix::fs::symlink(&path, &link).expect("writable");
        let open = path.join("open");
        std::fs::DirBuilder::new().mode(0o755).create(&open).expect("writable");
        let long = path.join("x".repeat(80));
        std::fs::DirBuilder::new().mode(0o700).create(&long).expect("writable");
        for unfit in [&link, &open, &long, &path.join("absent"), Utf8Path::new("relative")] {
            assert_eq!(roots(&session(unfit))[0], shared, "{unfit}");
        }
        let named = RuntimeVariables { devenv: Some(path.join("own")), session: Some(path.clone()) };
        assert_eq!(roots(&named), [path.join("own")]);
    }

    #[test]
    fn a_living_supervisor_is_found_whatever_the_variables_are_now() {
        let (_kept, path) = folder();
        let state = path.join("project/.devenv");
        let roots = [path.join("one"), path.join("two")];
        let other = RuntimeDirectory::new(&roots[1], &id(&state));
        assert_eq!(RuntimeDirectory::of(&state, None, &roots).0.root, roots[0]);
        other.prepare().expect("writable");
        let Ok(LockAttempt::Held(held)) = try_hold(&other.supervisor_lock()) else { panic!("nobody has it") };
        assert_eq!(RuntimeDirectory::of(&state, None, &roots).0, other);
        let linked = RuntimeDirectory::of(&state, Some(&other.socket()), &roots[..1]).0;
        assert_eq!(linked, other, "the link in the state directory names its place");
        drop(held);
        let (chosen, others) = RuntimeDirectory::of(&state, None, &roots);
        assert_eq!((chosen.root, others), (roots[0].clone(), vec![other]), "its leftovers are searched");
    }

    #[test]
    fn a_folder_that_somebody_could_have_prepared_is_refused() {
        let (_kept, path) = folder();
        let open = path.join("open");
        std::fs::DirBuilder::new().mode(0o777).create(&open).expect("writable");
        let Err(Error::Untrusted { remedy, .. }) = RuntimeDirectory::new(&open, "id").prepare() else {
            panic!("others may write there")
        };
        assert!(remedy.contains("chmod 700"), "{remedy}");
        assert!(!open.join("id").exists());
    }

    #[test]
    fn an_environment_has_one_name_whichever_path_leads_to_it() {
        let (_kept, path) = folder();
        std::fs::create_dir(path.join("real")).expect("writable");
        std::os::unix::fs::symlink(path.join("real"), path.join("link")).expect("writable");
        assert_eq!(id(&path.join("link/.devenv")), id(&path.join("real/.devenv")));
        assert_ne!(id(&path.join("real/.devenv")), id(&path.join("real/other")));
    }
}
