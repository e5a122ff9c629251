//! The memory of process groups.

/// The resident memory, in bytes, of every process in these groups; pages that processes share count for each. `None` where it
/// cannot be read.
pub fn memory_of_groups(groups: &[u32]) -> Option<u64> {
    system::memory_of_groups(groups)
}

#[cfg(target_os = "linux")]
mod system {
    pub(super) fn memory_of_groups(groups: &[u32]) -> Option<u64> {
        let entries = std::fs::read_dir("/proc").ok()?.flatten();
        let sizes = entries.filter_map(|entry| {
            let _: u32 = entry.file_name().to_str()?.parse().ok()?;
            let place = entry.path();
            let group = super::group(&std::fs::read_to_string(place.join("stat")).ok()?)?;
            let is_one_of_them = groups.contains(&group);
            is_one_of_them.then(|| super::resident(&std::fs::read_to_string(place.join("status")).ok()?)).flatten()
        });
        Some(sizes.sum())
    }
}

/// Elsewhere, `ps` knows: kilobytes by group.
#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn memory_of_groups(groups: &[u32]) -> Option<u64> {
        let output = std::process::Command::new("ps").args(["-axo", "pgid=,rss="]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rows = text.lines().filter_map(|line| {
            let (group, kilobytes) = line.trim().split_once(char::is_whitespace)?;
            Some((group.parse::<u32>().ok()?, kilobytes.trim().parse::<u64>().ok()?))
        });
        Some(rows.filter(|(group, _)| groups.contains(group)).map(|(_, kilobytes)| kilobytes * 1024).sum())
    }
}

/// The process group in `/proc/PID/stat`. The second field, the program's name in parentheses, may have blanks and parentheses itself.
#[cfg(any(target_os = "linux", test))]
fn group(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)?.parse().ok()
}

/// The resident memory in bytes in `/proc/PID/status`; a process that has ended has none.
#[cfg(any(target_os = "linux", test))]
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    fn the_group_is_read_behind_the_programs_name() {
        assert_eq!(group("7 (a) b (c)) S 1 42 43 0 -1 4194560"), Some(42));
        assert_eq!(group("7 (short) S 1"), None);
        assert_eq!(group(""), None);
    }

    #[test]
    fn the_resident_memory_is_read_in_bytes() {
        assert_eq!(resident("Name:\tsleep\nVmRSS:\t    1024 kB\nThreads:\t1\n"), Some(1 << 20));
        assert_eq!(resident("Name:\tzombie\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn a_living_group_uses_memory_and_an_absent_one_none() {
        let mut child = std::process::Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep is there");
        assert!(memory_of_groups(&[child.id()]).expect("readable") > 0);
        child.kill().expect("ours");
        child.wait().expect("ours");
        assert_eq!(memory_of_groups(&[child.id()]), Some(0));
    }
}
