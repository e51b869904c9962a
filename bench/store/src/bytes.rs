//! Files: how large, copied, out of the page cache. Must stay true: "on disk" is what the file system has given away, not what a
//! file says it is long.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use crate::contestant::said;

/// All files below a folder.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))? {
        let path = entry.map_err(said)?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Bytes that the files below a folder take.
///
/// # Errors
/// When a file cannot be looked at.
pub fn on_disk(dir: &Path) -> Result<u64, String> {
    let blocks = files(dir)?.into_iter().map(|file| {
        let data = std::fs::metadata(&file).map_err(said)?;
        Ok(data.blocks() * 512)
    });
    blocks.sum()
}

/// Bytes of FLIN's log without the zeros that are ready for what comes next.
///
/// # Errors
/// When a file cannot be read.
pub fn in_log(dir: &Path) -> Result<u64, String> {
    log_files(dir)?.iter().map(|file| without_zeros(file)).sum()
}

/// The segments of FLIN's log.
///
/// # Errors
/// When a folder cannot be read.
pub fn log_files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let is_log = |file: &PathBuf| {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with("wal") && name.ends_with(".log"))
    };
    Ok(files(dir)?.into_iter().filter(is_log).collect())
}

fn without_zeros(path: &Path) -> Result<u64, String> {
    let file = File::open(path).map_err(said)?;
    let mut end = file.metadata().map_err(said)?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.read_exact_at(part, start).map_err(said)?;
        if let Some(last) = part.iter().rposition(|byte| *byte != 0) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Copies a folder with what is below it, and syncs.
///
/// # Errors
/// When a file cannot be copied.
pub fn copy(from: &Path, to: &Path) -> Result<(), String> {
    for file in files(from)? {
        let target = to.join(file.strip_prefix(from).map_err(said)?);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(said)?;
        }
        std::fs::copy(&file, &target).map_err(said)?;
        File::open(&target)
            .and_then(|file| file.sync_all())
            .map_err(said)?;
    }
    Ok(())
}

/// Takes the files below a folder out of the page cache, as far as the system does that on request.
///
/// # Errors
/// When a file cannot be opened.
pub fn forget(dir: &Path) -> Result<(), String> {
    for file in files(dir)? {
        let file = File::open(&file).map_err(said)?;
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).map_err(said)?;
    }
    Ok(())
}

/// Memory of this process that no file stands behind, in bytes.
///
/// # Errors
/// When the system does not say.
pub fn anonymous_memory() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(said)?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| "the system does not say how much memory is used".to_owned())
}
