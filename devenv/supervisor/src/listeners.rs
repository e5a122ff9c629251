//! The program behind an address: a passing probe does not show whether the unit's own process answered.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::SocketAddr;

use camino::Utf8Path;
use devenv_model::unit::Probe;

use crate::holders;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answerer {
    Unit,
    AnotherProgram,
    /// The system does not show it.
    Unknown,
}

/// The process id and the socket's inode of the last [`Answerer::Unit`]. No other socket has this inode, and a search through
/// the files of a process takes longer than the rest of an answer.
#[derive(Debug, Default)]
pub(crate) struct Seen(Cell<Option<(u32, u64)>>);

/// The program that accepts a connection to `target`: the unit with the first process `pid` and the lock `lock`, or another.
pub(crate) fn answerer(target: SocketAddr, pid: u32, lock: &Utf8Path, seen: &Seen) -> Answerer {
    let Some(taking) = kernel::taking(target) else {
        return Answerer::Unknown;
    };
    if seen.0.get() == Some((pid, taking)) {
        return Answerer::Unit;
    }
    let answerer = whose(taking, pid, lock);
    if answerer == Answerer::Unit {
        seen.0.set(Some((pid, taking)));
    }
    answerer
}

fn whose(taking: u64, pid: u32, lock: &Utf8Path) -> Answerer {
    match sockets(pid) {
        Some(sockets) if sockets.contains(&taking) => return Answerer::Unit,
        Some(_) => {}
        None => return Answerer::Unknown,
    }
    // Perhaps a descendant answers. A launcher that closes inherited files (Node.js, Python's subprocess) passes on its
    // process group, but not the lock.
    for pid in holders::of(lock).unwrap_or_default().into_iter().chain(group(pid)) {
        match sockets(pid) {
            Some(sockets) if sockets.contains(&taking) => return Answerer::Unit,
            Some(_) => {}
            None => return Answerer::Unknown,
        }
    }
    Answerer::AnotherProgram
}

/// The processes of the group with this leader.
fn group(leader: u32) -> Vec<u32> {
    let group_of = |pid: u32| -> Option<u32> {
        let facts = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program's name, before `) `, may hold any character.
        facts.rsplit_once(") ")?.1.split_whitespace().nth(2)?.parse().ok()
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| group_of(*pid) == Some(leader)).collect()
}

/// The address that a probe connects to; `None` for a probe without one.
pub(crate) fn target(probe: &Probe) -> Option<SocketAddr> {
    match probe {
        Probe::Http { url } | Probe::Answer { url } | Probe::Services { url, .. } => {
            let url = url::Url::parse(url).ok()?;
            let host = url.host_str()?.trim_matches(['[', ']']).parse().ok()?;
            Some(SocketAddr::new(host, url.port_or_known_default()?))
        }
        Probe::Tcp { address } | Probe::Postgres { address, .. } => Some(*address),
        // The answer is about the unit's process, not by it.
        Probe::Elsewhere { .. } => None,
        Probe::Healthcheck | Probe::Started | Probe::Completed => None,
    }
}

/// The inodes of a process's open sockets; `None` if the process may not be inspected.
fn sockets(pid: u32) -> Option<BTreeSet<u64>> {
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let inode = |link: std::path::PathBuf| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok();
    Some(descriptors.flatten().filter_map(|descriptor| inode(std::fs::read_link(descriptor.path()).ok()?)).collect())
}

/// Asks the kernel for the one socket: reading its tables in `/proc/net` takes tens of milliseconds on some machines.
#[cfg(target_os = "linux")]
mod kernel {
    use std::net::{IpAddr, SocketAddr};

    use rustix::net::netlink::SOCK_DIAG;
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

    /// `SOCK_DIAG_BY_FAMILY`, as a request and in its answer.
    const BY_FAMILY: u16 = 20;
    /// `NLM_F_REQUEST`.
    const REQUEST: u16 = 1;
    const TCP: u8 = 6;
    /// `TCP_LISTEN`.
    const LISTENS: u8 = 10;
    /// Bytes of an `nlmsghdr`.
    const HEADER: usize = 16;
    /// Bytes of an `inet_diag_req_v2`.
    const QUESTION: usize = 56;
    /// The offsets of state and inode in the answer, an `inet_diag_msg` after the header.
    const STATE: usize = HEADER + 1;
    const INODE: usize = HEADER + 68;

    /// The inode of the socket that accepts a connection to `target`; `None` if nothing listens or the kernel does not answer.
    pub(crate) fn taking(target: SocketAddr) -> Option<u64> {
        let flags = SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG)).ok()?;
        rustix::net::send(&socket, &question(target), SendFlags::empty()).ok()?;
        let mut answer = [0; 512];
        // The kernel answers a request during the send.
        let (read, _) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::DONTWAIT).ok()?;
        inode(&answer[..read])
    }

    /// Asks for a connection from address zero to `target`. None exists, so the kernel finds the listening socket, as it would
    /// for a new connection.
    fn question(target: SocketAddr) -> Vec<u8> {
        let (family, address) = match target.ip() {
            IpAddr::V4(address) => (AddressFamily::INET, [&address.octets()[..], &[0; 12]].concat()),
            IpAddr::V6(address) => (AddressFamily::INET6, address.octets().to_vec()),
        };
        let length = u32::try_from(HEADER + QUESTION).unwrap_or_default();
        let family = u8::try_from(family.as_raw()).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + QUESTION);
        bytes.extend(length.to_ne_bytes());
        bytes.extend(BY_FAMILY.to_ne_bytes());
        bytes.extend(REQUEST.to_ne_bytes());
        // Sequence number and port id, which do not matter here.
        bytes.extend([0; 8]);
        bytes.extend([family, TCP, 0, 0]);
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(target.port().to_be_bytes());
        bytes.extend([0; 2]);
        bytes.extend(&address);
        bytes.extend(&address);
        // Any interface, and no cookie.
        bytes.extend([0; 4]);
        bytes.extend([u8::MAX; 8]);
        bytes
    }

    fn inode(answer: &[u8]) -> Option<u64> {
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        let inode = u32::from_ne_bytes(answer.get(INODE..INODE + 4)?.try_into().ok()?);
        (kind == BY_FAMILY && answer[STATE] == LISTENS).then_some(u64::from(inode))
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    pub(crate) fn taking(_target: std::net::SocketAddr) -> Option<u64> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn an_answer_is_told_from_that_of_another_program() {
        let lock = Utf8Path::new("/nonexistent/unit.lock");
        let mut other = std::process::Command::new("sleep").arg("60").spawn().expect("sleep is there");
        for (bound, asked) in
            [("127.0.0.1:0", "127.0.0.1"), ("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "127.0.0.1"), ("[::1]:0", "::1")]
        {
            let listener = TcpListener::bind(bound).expect("a free port");
            let port = listener.local_addr().expect("bound").port();
            let target = SocketAddr::new(asked.parse().expect("an address"), port);
            let seen = Seen::default();
            let answerer = |pid| answerer(target, pid, lock, &seen);
            for _ in 0..2 {
                assert_eq!(answerer(std::process::id()), Answerer::Unit, "{bound}");
                assert_eq!(answerer(other.id()), Answerer::AnotherProgram, "{bound}");
            }
            drop(listener);
            // A process that another test is starting has a copy until its exec.
            let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
            while answerer(std::process::id()) != Answerer::Unknown {
                assert!(std::time::Instant::now() < end, "{bound}");
            }
        }
        other.kill().expect("ours");
        other.wait().expect("ours");
    }

    #[test]
    fn every_probe_that_asks_has_its_address() {
        let http = Probe::Http { url: "http://[::1]:8001/health".to_owned() };
        assert_eq!(target(&http), Some("[::1]:8001".parse().expect("an address")));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8001));
        assert_eq!(target(&Probe::Tcp { address }), Some(address));
        assert_eq!(target(&Probe::Started), None);
    }
}
