//! Code blocks of Markdown pages. Here because two tests read them: the corpus runs the programs, the whole way asks
//! served ones over HTTP. Must stay true: every page of the repository is found, and a block that cannot be told (no
//! language, no end) is an error, never left out.

use std::path::{Path, PathBuf};

/// A block between two lines of backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The first word behind the opening backticks.
    pub language: String,
    /// Further words behind the opening backticks.
    pub words: Vec<String>,
    /// Number of the first line of the content, from 1.
    pub line: usize,
    /// The content, each line with its line end.
    pub text: String,
}

/// The blocks of a page, in order.
///
/// # Errors
/// A block without a language or without an end, as a sentence with its line.
pub fn fences(page: &str) -> Result<Vec<Fence>, String> {
    let mut found = Vec::new();
    let mut open: Option<Fence> = None;
    for (at, line) in page.lines().enumerate() {
        let marks = line.trim_start().strip_prefix("```");
        match (marks, open.take()) {
            (Some(head), None) => {
                let mut words = head.split_whitespace().map(str::to_owned);
                let language = words
                    .next()
                    .ok_or(format!("line {}: a code block without a language", at + 1))?;
                open = Some(Fence {
                    language,
                    words: words.collect(),
                    line: at + 2,
                    text: String::new(),
                });
            }
            (Some(_), Some(fence)) => found.push(fence),
            (None, Some(mut fence)) => {
                fence.text.push_str(line);
                fence.text.push('\n');
                open = Some(fence);
            }
            (None, None) => {}
        }
    }
    match open {
        Some(fence) => Err(format!("line {}: a code block without an end", fence.line)),
        None => Ok(found),
    }
}

/// All Markdown pages below a folder, sorted; folders of builds and of Git are left out.
///
/// # Panics
/// When the folder cannot be read or holds no page.
pub fn pages(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(root, &mut found);
    assert!(!found.is_empty(), "no pages below {}", root.display());
    found.sort();
    found
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    for entry in entries {
        let path = entry.expect("a readable folder entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, found);
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_lines() {
        let found = fences("one\n```flin continue\na\nb\n```\n```sh\n```\n").expect("two blocks");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].language.as_str(), found[0].line), ("flin", 3));
        assert_eq!(found[0].words, ["continue"]);
        assert_eq!(found[0].text, "a\nb\n");
        assert_eq!((found[1].language.as_str(), found[1].line), ("sh", 7));
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        assert!(fences("```\nx\n```\n").is_err());
        assert!(fences("```flin\nx\n").is_err());
    }
}
