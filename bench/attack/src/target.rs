//! The server under attack: a real `flinvm serve` of the project in `site/`, in a process and a folder of its own. Must stay
//! true: nothing is shared between two targets; the folder goes with the process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use flin_testkit::process::Server;

/// A running server.
#[derive(Debug)]
pub struct Target {
    // Ends before its folder is removed.
    server: Option<Server>,
    dir: PathBuf,
}

impl Target {
    /// Starts one with these settings (`limits.body=1MB`).
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start(settings: &[&str]) -> Target {
        Target::serving(&site(), settings, &[])
    }

    /// Starts one under another program, whose words come first.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start_under(wrapper: &[&str], settings: &[&str]) -> Target {
        Target::serving(&site(), settings, wrapper)
    }

    fn serving(project: &Path, settings: &[&str], wrapper: &[&str]) -> Target {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("flin-attack-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for the data");
        let more: Vec<&str> = settings.iter().flat_map(|set| ["--set", set]).collect();
        let server = Server::start_under(wrapper, project, &dir.join("data"), &more);
        Target {
            server: Some(server),
            dir,
        }
    }

    /// The process.
    ///
    /// # Panics
    /// Never: it runs as long as this lives.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }

    /// `HOST:PORT`.
    pub fn host(&self) -> &str {
        self.server().url.trim_start_matches("http://")
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.server.take());
        // A folder that stays behind is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The project that is attacked.
fn site() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("site")
}
