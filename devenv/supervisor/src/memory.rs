//! The memory of a unit's processes, as the kernel counts it.

const KIBIBYTE: u64 = 1024;

/// The memory that the processes of a group have in RAM, in bytes: of the group of a unit's first process. Pages that they share
/// count in each. `None` where the kernel does not show it, as on macOS, or without such a process.
pub fn memory_of_group(group: u32) -> Option<u64> {
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let of_group = ids.filter_map(|id| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        (group_of(&status)? == group).then(|| resident(&status)).flatten()
    });
    of_group.reduce(|sum, one| sum + one)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The process group, as this process's own namespace has it.
fn group_of(status: &str) -> Option<u32> {
    field(status, "NSpgid")?.split_whitespace().next()?.parse().ok()
}

fn resident(status: &str) -> Option<u64> {
    let kibibytes: u64 = field(status, "VmRSS")?.strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * KIBIBYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_the_group_and_the_memory() {
        let status = "Name:\tsh\nPid:\t12\nNSpgid:\t77\t3\nVmRSS:\t    1234 kB\n";
        assert_eq!((group_of(status), resident(status)), (Some(77), Some(1234 * 1024)));
        assert_eq!(resident("Name:\tkthreadd\n"), None, "a thread of the kernel has no memory of its own");
    }

    #[test]
    fn a_group_without_processes_has_none() {
        assert_eq!(memory_of_group(u32::MAX), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_some() {
        let group = rustix::process::getpgrp().as_raw_nonzero().get();
        assert!(memory_of_group(group.unsigned_abs()).is_some_and(|bytes| bytes > 100 * KIBIBYTE));
    }
}
