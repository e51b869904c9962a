//! Tells that something on the disk may have changed. Here because editors write in many ways: in place, in two steps, or
//! to another file that then takes the name. Must stay true: a change is noticed even where the system tells nothing
//! (network disks, too many watches), only later; what is told is never more than "look".

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// Without a word from the system the files are looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The same for a folder, which takes longer to read.
const LOOK_EVERY_FOLDER: Duration = Duration::from_secs(5);
/// The same where the system never says anything.
const LOOK_EVERY_ALONE: Duration = Duration::from_millis(100);
/// Who has begun to write a file closes it within this time, or is not waited for.
const WRITING_TIME: Duration = Duration::from_millis(30);
/// Steps of one save follow each other faster than this.
const QUIET: Duration = Duration::from_millis(1);
/// A folder that never comes to rest is looked at all the same.
const QUIET_TIME_MAX: Duration = Duration::from_millis(20);

enum Wake {
    // A file is being written.
    Writing,
    // A file is whole again: closed, moved into its place, or gone.
    Whole,
}

/// Watches a file, or a folder with all below it.
pub(crate) struct Watcher {
    wakes: Receiver<Wake>,
    // Watches as long as it lives.
    system: Option<RecommendedWatcher>,
    is_folder: bool,
}

impl Watcher {
    /// Watches from now on; what happens below `data` is no change of the program.
    pub(crate) fn new(program: &Path, data: &Path) -> Watcher {
        let (sender, wakes) = channel();
        let system = watch(program, data, sender)
            .inspect_err(|error| {
                tracing::warn!(
                    %error,
                    "the system does not tell about changes; the files are looked at ten times a second"
                );
            })
            .ok();
        let is_folder = program.is_dir();
        Watcher {
            wakes,
            system,
            is_folder,
        }
    }

    /// Waits until something may have changed.
    pub(crate) fn wait(&self) {
        let every = match self.system {
            Some(_) if self.is_folder => LOOK_EVERY_FOLDER,
            Some(_) => LOOK_EVERY,
            None => LOOK_EVERY_ALONE,
        };
        match self.wakes.recv_timeout(every) {
            Ok(Wake::Whole) => {}
            Ok(Wake::Writing) => self.until_whole(),
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(LOOK_EVERY_ALONE);
                return;
            }
        }
        // One file that is whole is all there is to wait for.
        let since = Instant::now();
        while self.is_folder
            && since.elapsed() < QUIET_TIME_MAX
            && self.wakes.recv_timeout(QUIET).is_ok()
        {}
    }

    fn until_whole(&self) {
        let since = Instant::now();
        while let Some(left) = WRITING_TIME.checked_sub(since.elapsed()) {
            match self.wakes.recv_timeout(left) {
                Ok(Wake::Writing) => {}
                Ok(Wake::Whole) | Err(_) => return,
            }
        }
    }
}

fn watch(
    program: &Path,
    data: &Path,
    sender: Sender<Wake>,
) -> Result<RecommendedWatcher, notify::Error> {
    // The names that the system tells are whole ones.
    let program = program.canonicalize()?;
    let data = std::path::absolute(data)?;
    let is_folder = program.is_dir();
    let watched = program.clone();
    let told = move |event: Result<Event, notify::Error>| {
        let Ok(event) = event else { return };
        let counts = |path: &PathBuf| match is_folder {
            true => !path.starts_with(&data) && !is_hidden(path, &watched),
            false => path.file_name() == watched.file_name(),
        };
        if !event.paths.is_empty() && !event.paths.iter().any(counts) {
            return;
        }
        let wake = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Remove(_) => Wake::Whole,
            EventKind::Access(_) => return,
            EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Other => {
                Wake::Writing
            }
        };
        // Nobody waits any more: the program ends.
        let _ = sender.send(wake);
    };
    let mut system = notify::recommended_watcher(told)?;
    match is_folder {
        true => system.watch(&program, RecursiveMode::Recursive)?,
        // A file that gets another under its name would be lost; its folder stays.
        false => {
            let folder = program.parent().unwrap_or(&program);
            system.watch(folder, RecursiveMode::NonRecursive)?;
        }
    }
    Ok(system)
}

fn is_hidden(path: &Path, root: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let hidden = |part: std::path::Component<'_>| part.as_os_str().as_encoded_bytes()[0] == b'.';
    inside.components().any(hidden)
}
