//! How much memory this machine has, or the part of it that this process may use (its control group). Must stay true: where the
//! system does not tell, nothing is assumed.

use std::fs;
use std::path::Path;

/// Where control groups of version 2 lie.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes of memory, if the system tells.
pub(crate) fn memory_bytes() -> Option<usize> {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .as_deref()
        .and_then(total_of);
    let group = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| limit_of_group(&text));
    machine.into_iter().chain(group).min()
}

// `MemTotal:       24683332 kB`
fn total_of(meminfo: &str) -> Option<usize> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

// `0::/system.slice/shop.service`: the tightest limit on the way up.
fn limit_of_group(text: &str) -> Option<usize> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let limit = |group: &Path| -> Option<usize> {
        let text = fs::read_to_string(Path::new(GROUPS).join(group).join("memory.max")).ok()?;
        text.trim().parse().ok()
    };
    Path::new(path).ancestors().filter_map(limit).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_how_much_there_is() {
        assert_eq!(
            total_of("MemFree: 1 kB\nMemTotal:       2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(total_of("MemTotal: many kB\n"), None);
        assert_eq!(total_of(""), None);
        assert_eq!(limit_of_group("1:name=systemd:/x\n"), None);
        assert!(memory_bytes().is_none_or(|bytes| bytes > 1 << 20));
    }
}
