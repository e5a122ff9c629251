//! The command that starts the installed engine, or installs one.

use std::path::Path;

/// Returns the command to type. `refused` means a socket exists, but this user lacks permission.
pub(crate) fn remedy(refused: bool) -> String {
    if refused {
        return "sudo usermod -aG docker \"$USER\" && newgrp docker".to_owned();
    }
    installed().unwrap_or_else(install).to_owned()
}

fn installed() -> Option<&'static str> {
    if cfg!(target_os = "macos") {
        let application = |name: &str| Path::new("/Applications").join(name).exists();
        return [
            (application("OrbStack.app"), "open -a OrbStack"),
            (application("Docker.app"), "open -a Docker"),
            (application("Rancher Desktop.app"), "open -a 'Rancher Desktop'"),
            (on_path("colima"), "colima start"),
            (on_path("podman"), "podman machine start"),
        ]
        .into_iter()
        .find_map(|(there, command)| there.then_some(command));
    }
    let systemd = Path::new("/run/systemd/system").exists();
    if on_path("dockerd") {
        return Some(if systemd { "sudo systemctl start docker" } else { "sudo service docker start" });
    }
    if on_path("colima") {
        return Some("colima start");
    }
    if on_path("podman") {
        return Some(if systemd {
            "systemctl --user start podman.socket"
        } else {
            "podman system service --time=0 unix://$XDG_RUNTIME_DIR/podman/podman.sock &"
        });
    }
    None
}

fn install() -> &'static str {
    if cfg!(target_os = "macos") {
        "brew install colima docker && colima start"
    } else if on_path("apt-get") {
        "sudo apt-get install -y docker.io"
    } else if on_path("dnf") {
        "sudo dnf install -y podman && systemctl --user start podman.socket"
    } else if on_path("pacman") {
        "sudo pacman -S --noconfirm docker && sudo systemctl start docker"
    } else if on_path("zypper") {
        "sudo zypper install -y docker && sudo systemctl start docker"
    } else {
        "see https://docs.docker.com/engine/install"
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Daemons are in folders outside an ordinary user's PATH.
    let system = ["/usr/sbin", "/sbin"].map(Into::into);
    std::env::split_paths(&path).chain(system).any(|folder: std::path::PathBuf| folder.join(program).is_file())
}
