//! The command that installs a server.

use camino::Utf8Path;

/// The install command for this system's package manager, with a note for a system that lacks the package.
pub fn install(major: u16) -> String {
    if cfg!(target_os = "macos") {
        return format!("brew install postgresql@{major}");
    }
    let has = |program: &str| ["/usr/bin", "/sbin"].iter().any(|folder| Utf8Path::new(folder).join(program).exists());
    let command = command(has, major);
    format!("{command}  # an older system needs the packages of the PostgreSQL project, or a container")
}

fn command(has: impl Fn(&str) -> bool, major: u16) -> String {
    if has("dnf") {
        format!("sudo dnf install -y postgresql{major}-server")
    } else if has("pacman") {
        // It has the newest version only.
        "sudo pacman -S --noconfirm postgresql".to_owned()
    } else if has("zypper") {
        format!("sudo zypper install -y postgresql{major}-server")
    } else if has("apk") {
        format!("sudo apk add postgresql{major}")
    } else {
        format!("sudo apt-get install -y postgresql-{major}")
    }
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn the_package_is_of_the_wanted_version() {
        assert_eq!(command(|_| false, 15), "sudo apt-get install -y postgresql-15");
        assert_eq!(command(|program| program == "apk", 16), "sudo apk add postgresql16");
    }
}
