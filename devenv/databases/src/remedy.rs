//! The command that installs a server.

use camino::Utf8Path;

/// The install command for this system's package manager.
pub fn install(major: u16) -> String {
    if cfg!(target_os = "macos") {
        return format!("brew install postgresql@{major}");
    }
    let has = |program: &str| ["/usr/bin", "/sbin"].iter().any(|folder| Utf8Path::new(folder).join(program).exists());
    let command = if has("dnf") {
        "sudo dnf install -y postgresql-server"
    } else if has("pacman") {
        "sudo pacman -S --noconfirm postgresql"
    } else if has("zypper") {
        "sudo zypper install -y postgresql-server"
    } else if has("apk") {
        "sudo apk add postgresql"
    } else {
        "sudo apt-get install -y postgresql"
    };
    command.to_owned()
}
