//! Where the data lies: a directory, on a small file system of its own where this process may mount one, so that it can be filled. Must
//! stay true: whatever was mounted is unmounted, and the directory is gone, when the handle is dropped, unless it is to be kept.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes of the small file system: the data of an hour.
const SIZE: &str = "size=1g";
/// Bytes that are written at once to fill it.
const PIECE_BYTES: usize = 1 << 20;

/// A place for the data.
#[derive(Debug)]
pub struct Ground {
    dir: PathBuf,
    mounted: bool,
    kept: bool,
}

impl Ground {
    /// A directory of this process, mounted if that may be.
    ///
    /// # Errors
    /// When there is no directory to be had.
    pub fn new(seed: u64) -> Result<Ground, String> {
        let name = format!("flin-soak-{}-{seed}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(dir.join("ground"))
            .map_err(|error| format!("{}: {error}", dir.display()))?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(dir.join("ground"))
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        Ok(Ground {
            dir,
            mounted,
            kept: false,
        })
    }

    /// Whether the disk can be filled.
    pub fn can_be_filled(&self) -> bool {
        self.mounted
    }

    /// A file beside the data.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Where the data lies.
    pub fn data(&self) -> PathBuf {
        self.dir.join("ground").join("data")
    }

    fn filler(&self) -> PathBuf {
        self.dir.join("ground").join("filler")
    }

    /// Leaves no room.
    ///
    /// # Errors
    /// When the filler cannot be made.
    pub fn fill(&self) -> Result<(), String> {
        use std::io::Write;
        let mut file = std::fs::File::create(self.filler()).map_err(|error| error.to_string())?;
        let piece = vec![7; PIECE_BYTES];
        // The last piece is not whole.
        while file.write_all(&piece).is_ok() {}
        Ok(())
    }

    /// There is room again.
    ///
    /// # Errors
    /// When the filler cannot be removed.
    pub fn clear(&self) -> Result<(), String> {
        std::fs::remove_file(self.filler()).map_err(|error| error.to_string())
    }

    /// Leaves everything as it is, for whoever looks at a finding; gives the place.
    pub fn keep(&mut self) -> &Path {
        self.kept = true;
        &self.dir
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if self.mounted {
            let unmounted = Command::new("umount").arg(self.dir.join("ground")).status();
            if !unmounted.is_ok_and(|status| status.success()) {
                eprintln!("{} is still mounted", self.dir.display());
                return;
            }
        }
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            eprintln!("{} is still there: {error}", self.dir.display());
        }
    }
}
