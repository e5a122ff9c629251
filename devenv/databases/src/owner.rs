//! The user that a server runs as: PostgreSQL refuses to run as root.

use crate::error::Error;

const NAMES: [&str; 2] = ["postgres", "nobody"];

/// An unprivileged user of this system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// The user to run a server as; `None` if it is the caller's own.
pub(crate) fn owner() -> Result<Option<Owner>, Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    if cfg!(not(target_os = "linux")) {
        return Err(Error::Root);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    unprivileged(&users).map(Some).ok_or(Error::NoUser)
}

/// `users` has the format of `/etc/passwd`.
fn unprivileged(users: &str) -> Option<Owner> {
    let of = |name: &str| {
        users.lines().find_map(|line| match line.split(':').collect::<Vec<_>>()[..] {
            [known, _, user, group, ..] if known == name => {
                Some(Owner { user: user.parse().ok()?, group: group.parse().ok()? })
            }
            _ => None,
        })
    };
    NAMES.iter().filter_map(|name| of(name)).find(|owner| owner.user != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_own_user_comes_first() {
        let nobody = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        assert_eq!(unprivileged(nobody), Some(Owner { user: 65534, group: 65533 }));
        let both = format!("{nobody}postgres:x:104:106:PostgreSQL:/var/lib/postgresql:/bin/bash\n");
        assert_eq!(unprivileged(&both), Some(Owner { user: 104, group: 106 }));
        assert_eq!(unprivileged("postgres:x:0:0::/:/bin/sh\nbroken\n"), None);
    }
}
