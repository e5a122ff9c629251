/// The program that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub program: String,
}

/// The program that listens on a TCP port of this machine; `None` if there is none, or if it belongs to another user.
#[cfg(target_os = "linux")]
pub fn port_holder(port: u16) -> Option<Holder> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .flat_map(|table| listening(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(descriptors) = std::fs::read_dir(entry.path().join("fd")) else {
            continue;
        };
        let holds = descriptors.flatten().any(|descriptor| {
            std::fs::read_link(descriptor.path())
                .is_ok_and(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
        });
        if holds {
            let program = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some(Holder { pid, program: program.trim().to_owned() });
        }
    }
    None
}

/// The inodes of the sockets that listen on `port`, from a table in the format of `/proc/net/tcp`.
#[cfg(target_os = "linux")]
fn listening(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let mut inodes = Vec::new();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (Some(local), Some(state), Some(inode)) = (fields.get(1), fields.get(3), fields.get(9)) else {
            continue;
        };
        let number = local.rsplit(':').next().and_then(|hexadecimal| u16::from_str_radix(hexadecimal, 16).ok());
        if number == Some(port) && *state == LISTEN {
            inodes.push((*inode).to_owned());
        }
    }
    inodes
}

/// The same with `lsof`, if it is installed. Tried on Linux only.
#[cfg(not(target_os = "linux"))]
pub fn port_holder(port: u16) -> Option<Holder> {
    let arguments = ["-nP", "-Fpc", &format!("-iTCP:{port}"), "-sTCP:LISTEN"].map(str::to_owned);
    let output = std::process::Command::new("lsof").args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let field = |kind: char| text.lines().find_map(|line| line.strip_prefix(kind).map(str::to_owned));
    Some(Holder { pid: field('p')?.parse().ok()?, program: field('c')? })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_with_its_name() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let holder = port_holder(port).expect("this process listens");
        assert_eq!(holder.pid, std::process::id());
        assert!(!holder.program.is_empty());
        drop(listener);
        // A process that another test is starting has a copy until its exec.
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while let Some(holder) = port_holder(port) {
            assert!(std::time::Instant::now() < end, "{holder:?}");
        }
    }
}
