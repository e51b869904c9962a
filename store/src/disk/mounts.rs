//! On which kind of file system a directory lies, from the list of mounts that the system keeps.
//!
//! Here because `flock` and `fdatasync` are promises of the file system: NFS, SMB, 9p and FUSE hand them to somebody else.
//! What must stay true: what is not known to be such a file system counts as a local one.

use std::fs;
use std::path::Path;

const MOUNTS: &str = "/proc/self/mountinfo";
const NETWORK: [&str; 9] = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse", "fuseblk", "ceph",
];

/// The kind of network or user-space file system that holds a directory, if it is one.
pub(super) fn network_file_system(dir: &Path) -> Option<String> {
    let dir = fs::canonicalize(dir).ok()?;
    let mounts = fs::read_to_string(MOUNTS).ok()?;
    let kind = kind_of(&mounts, dir.to_str()?)?;
    let is_network = NETWORK.contains(&kind) || kind.starts_with("fuse.");
    is_network.then(|| kind.to_owned())
}

/// The file system type of the mount that holds `dir`: the longest mount point, of equal ones the last.
fn kind_of<'a>(mounts: &'a str, dir: &str) -> Option<&'a str> {
    let mut found: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((mount, rest)) = line.split_once(" - ") else {
            continue;
        };
        let (Some(point), Some(kind)) = (mount.split(' ').nth(4), rest.split(' ').next()) else {
            continue;
        };
        let point = unescaped(point);
        let holds = match dir.strip_prefix(point.as_str()) {
            Some(below) => below.is_empty() || below.starts_with('/') || point.ends_with('/'),
            None => false,
        };
        if holds && found.is_none_or(|(length, _)| point.len() >= length) {
            found = Some((point.len(), kind));
        }
    }
    found.map(|(_, kind)| kind)
}

/// Spaces and the like stand as a backslash and three octal digits.
fn unescaped(point: &str) -> String {
    let mut out = String::new();
    let mut rest = point;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4);
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::kind_of;

    #[test]
    fn the_innermost_and_newest_mount_counts() {
        let mounts = "22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n\
                      30 22 0:40 / /srv/data rw - nfs4 server:/export rw\n\
                      31 22 0:41 / /srv/my\\040disk rw - fuse.sshfs me@there: rw\n\
                      32 30 0:42 / /srv/data/fast rw - tmpfs tmpfs rw\n\
                      33 30 0:43 / /srv/data/fast rw - xfs /dev/vdb rw\n";
        for (dir, kind) in [
            ("/", "ext4"),
            ("/srv/database", "ext4"),
            ("/srv/data", "nfs4"),
            ("/srv/data/shop", "nfs4"),
            ("/srv/my disk/shop", "fuse.sshfs"),
            ("/srv/data/fast/shop", "xfs"),
        ] {
            assert_eq!(kind_of(mounts, dir), Some(kind), "{dir}");
        }
        assert_eq!(kind_of("nonsense", "/"), None);
    }
}
