//! How much memory this machine has, or the part of it that this process may use (its control group), and how many files and
//! connections it may have open. Must stay true: where the system does not tell, nothing is assumed.

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

/// File descriptors that this process can still open, if the system tells.
pub(crate) fn free_descriptors() -> Option<usize> {
    let limit = descriptors_of(&fs::read_to_string("/proc/self/limits").ok()?)?;
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    Some(limit.saturating_sub(open))
}

// `Max open files            1024                 524288               files`: the first one is what counts.
fn descriptors_of(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
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
        let limits = "Limit  Soft  Hard\nMax open files            1024   524288   files\n";
        assert_eq!(descriptors_of(limits), Some(1024));
        assert_eq!(
            descriptors_of("Max open files   unlimited  unlimited  files\n"),
            None
        );
        assert!(free_descriptors().is_none_or(|count| count > 1));
        assert_eq!(limit_of_group("1:name=systemd:/x\n"), None);
        assert!(memory_bytes().is_none_or(|bytes| bytes > 1 << 20));
    }
}
