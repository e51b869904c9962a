//! An example application compiled and served for a test. Here because every browser test begins with it. Must stay true:
//! it uses the programs as a user does, in a folder of its own that is removed at the end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use flin_testkit::process::{self, Server};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A compiled example and its data.
#[derive(Debug)]
pub struct Example {
    dir: PathBuf,
    module: PathBuf,
    // A source that is served by `flinvm dev`.
    developing: bool,
}

impl Example {
    /// Compiles `examples/NAME/NAME.flin` with `flinc`.
    ///
    /// # Panics
    /// When it does not compile.
    pub fn compile(name: &str) -> Example {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .expect("the workspace")
            .to_path_buf();
        Example::compile_file(&root.join(format!("examples/{name}/{name}.flin")))
    }

    /// Compiles a source text.
    ///
    /// # Panics
    /// When it does not compile.
    pub fn compile_text(source: &str) -> Example {
        let dir = folder();
        let path = dir.join("app.flin");
        std::fs::write(&path, source).expect("the source is written");
        Example::compile_in(dir, &path)
    }

    /// Compiles a project of these files, each by its path.
    ///
    /// # Panics
    /// When they cannot be written or do not compile.
    pub fn compile_files(files: &[(&str, &str)]) -> Example {
        let dir = folder();
        let project = dir.join("project");
        for (path, text) in files {
            let path = project.join(path);
            let written = std::fs::create_dir_all(path.parent().unwrap_or(&project))
                .and_then(|()| std::fs::write(&path, text));
            written.expect("the project is written");
        }
        Example::compile_in(dir, &project)
    }

    fn compile_file(source: &Path) -> Example {
        Example::compile_in(folder(), source)
    }

    fn compile_in(dir: PathBuf, source: &Path) -> Example {
        let module = dir.join("app.fbc");
        // From here on the folder is removed, also when the program does not compile.
        let example = Example {
            dir,
            module,
            developing: false,
        };
        let output = process::run(
            "flinc",
            &[
                &source.to_string_lossy(),
                "-o",
                &example.module.to_string_lossy(),
            ],
            &example.dir,
        );
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        example
    }

    /// A source text that is served while it is being written.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn developed(source: &str) -> Example {
        let dir = folder();
        let example = Example {
            module: dir.join("app.flin"),
            dir,
            developing: true,
        };
        example.save(source);
        example
    }

    /// Writes the source anew, the way most editors do: aside, then into its place.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn save(&self, source: &str) {
        let aside = self.dir.join("app.flin.tmp");
        std::fs::write(&aside, source).expect("the source is written");
        std::fs::rename(&aside, self.dir.join("app.flin")).expect("the source is in its place");
    }

    /// Serves it on a free port with its own data, which stays for the next start.
    pub fn serve(&self) -> Server {
        self.serve_at("0")
    }

    /// Serves it again on a port that it had before.
    pub fn serve_at(&self, port: &str) -> Server {
        let start = match self.developing {
            true => Server::dev,
            false => Server::start_with,
        };
        start(&self.module, &self.dir.join("data"), &["--port", port])
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // A folder that cannot be removed is no failure of the test.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn folder() -> PathBuf {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let dir = std::env::temp_dir().join(format!("flin-example-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder for the test");
    dir
}
