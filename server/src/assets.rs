//! The browser runtime as files with the hash of their text in their names. Here because the modules in `web/` are written
//! one idea per file and served as one; only what a page with links needs comes by itself. Must stay true: equal text has an
//! equal name, so it may be cached for ever.

use std::fmt::Write;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use crate::minify::minify;

/// The files of the runtime, each before those that import it.
const FILES: [&str; 10] = [
    include_str!("../web/wire.js"),
    include_str!("../web/order.js"),
    include_str!("../web/messages.js"),
    include_str!("../web/reach.js"),
    include_str!("../web/place.js"),
    include_str!("../web/page.js"),
    include_str!("../web/blocks.js"),
    include_str!("../web/render.js"),
    include_str!("../web/actions.js"),
    include_str!("../web/flin.js"),
];

/// The parts that the runtime fetches later, and how it calls them: what a page does once it stands, what comes with the
/// first link, and what comes with the first part of a page that tells when it comes and goes.
const LATER: [(&str, &[&str]); 3] = [
    (
        "live",
        &[
            include_str!("../web/patch.js"),
            include_str!("../web/live.js"),
        ],
    ),
    ("visit", &[include_str!("../web/visit.js")]),
    ("life", &[include_str!("../web/life.js")]),
];

/// The runtime as it is served.
pub(crate) struct BrowserRuntime {
    /// `/_flin/runtime-<hash>.js`
    pub(crate) path: String,
    text: String,
    /// Path and text of each part that comes later.
    later: Vec<(String, String)>,
}

impl BrowserRuntime {
    /// The one of this process: to make it takes longer than to compile most programs.
    pub(crate) fn get() -> &'static BrowserRuntime {
        static MADE: OnceLock<BrowserRuntime> = OnceLock::new();
        MADE.get_or_init(BrowserRuntime::new)
    }

    fn new() -> BrowserRuntime {
        let mut text = minify(&joined(&FILES));
        let mut later = Vec::with_capacity(LATER.len());
        for (name, files) in LATER {
            let file = minify(&joined(files));
            let path = format!("/_flin/{name}-{}.js", fingerprint(file.as_bytes()));
            text = text.replace(&format!("/_flin/{name}.js"), &path);
            later.push((path, file));
        }
        // What is in braces is no variable of the page.
        let text = format!("{{{text}}}\n");
        BrowserRuntime {
            path: format!("/_flin/runtime-{}.js", fingerprint(text.as_bytes())),
            text,
            later,
        }
    }

    /// Path and text of each file.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = std::iter::once((&self.path, &self.text));
        let later = self.later.iter().map(|(path, text)| (path, text));
        own.chain(later)
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn joined(files: &[&str]) -> String {
    let mut text = String::new();
    for file in files {
        append(&mut text, file);
    }
    text
}

/// A module without its comments.
pub(crate) fn without_comments(file: &str) -> String {
    let mut text = String::new();
    append(&mut text, file);
    text
}

// In one file there is nothing to import: `import` statements go, `export` marks too, but for what the file as a whole gives. Comments are for those who read the
// modules; what is sent to every visitor does without.
fn append(out: &mut String, file: &str) {
    let mut in_import = false;
    for line in file.lines() {
        if in_import || line.starts_with("import ") {
            in_import = !line.trim_end().ends_with(';');
            continue;
        }
        if line.is_empty() || line.trim_start().starts_with("//") {
            continue;
        }
        let is_whole = line.starts_with("export default ");
        let inner = line.strip_prefix("export ").filter(|_| !is_whole);
        out.push_str(inner.unwrap_or(line));
        out.push('\n');
    }
}

/// A short name for a content: 16 hexadecimal digits of its SHA-256.
pub fn fingerprint(bytes: &[u8]) -> String {
    let mut name = String::with_capacity(16);
    for byte in Sha256::digest(bytes).iter().take(8) {
        write!(name, "{byte:02x}").expect("a String takes everything");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Effort, Encoding, compressed};

    #[test]
    fn one_file_without_imports_and_without_a_name_twice() {
        let mut names = std::collections::HashSet::new();
        for line in joined(&FILES).lines() {
            assert!(
                !line.starts_with("import ") && !line.starts_with("export "),
                "{line}"
            );
            let declared = ["function ", "async function ", "const ", "let ", "class "]
                .iter()
                .find_map(|word| line.strip_prefix(word));
            if let Some(rest) = declared {
                let end = rest
                    .find(|ch: char| !ch.is_alphanumeric() && ch != '_' && ch != '$')
                    .unwrap_or(rest.len());
                assert!(
                    end == 0 || names.insert(rest[..end].to_owned()),
                    "{} is declared twice",
                    &rest[..end]
                );
            }
        }
        assert!(names.contains("pass") && names.contains("act"), "{names:?}");
        assert_eq!(BrowserRuntime::new().path, BrowserRuntime::new().path);
    }

    /// What every page loads before its own script is as small as was promised, whatever way it travels.
    #[test]
    fn the_runtime_is_at_most_10_kib_packed() {
        let runtime = BrowserRuntime::new();
        for encoding in [Encoding::Brotli, Encoding::Gzip] {
            let bytes = compressed(encoding, Effort::Once, runtime.text.as_bytes()).len();
            assert!(bytes <= 10 << 10, "{bytes} bytes as {encoding:?}");
        }
        assert_eq!(runtime.files().count(), 1 + LATER.len());
        for (path, _) in runtime.files().skip(1) {
            assert!(runtime.text.contains(path), "nobody asks for {path}");
        }
    }
}
