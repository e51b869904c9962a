//! Runs every FLIN block of every page, and checks that the rules of the reference can be told apart. Here because a
//! reference that is not executed is wrong after a week. Must stay true: no block is left out, whatever page it stands
//! on; a block says itself what it does, by marks that are comments for FLIN:
//!
//! `//> text` behind (or below) what prints it, `//! Kind` on the line where an error ends the program, `//? F0123` on
//! the line of a compile error. A block `flin continue` goes on where the block before it ended. `BLESS=1` rewrites the
//! marks. A block of `text` behind it that begins with `error[F` or `warning[F` is what the compiler says. Pages and routes
//! compile here; what they answer is asked by `vm/flinvm/tests/docs.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flin_corpus::diagnostics::{diagnose, messages};
use flin_corpus::{Policy, run};
use flin_testkit::fences::{Fence, fences, pages};

/// Languages of blocks that are not run. A new one is added here on purpose, or not at all.
const OTHER_LANGUAGES: [&str; 9] = [
    "sh", "text", "json", "http", "html", "toml", "rust", "css", "js",
];

/// Chapters of the reference and the prefix of their rules.
const CHAPTERS: [(&str, &str); 16] = [
    ("lexical", "lex"),
    ("types", "type"),
    ("declarations", "decl"),
    ("expressions", "expr"),
    ("statements", "stmt"),
    ("patterns", "match"),
    ("errors", "err"),
    ("entities", "ent"),
    ("queries", "query"),
    ("history", "hist"),
    ("views", "view"),
    ("components", "comp"),
    ("projects", "project"),
    ("library", "lib"),
    ("programs", "run"),
    ("time", "time"),
];

const RULE: &str = "<!-- r: ";

/// What a program does, or is said to do: lines in order, errors with their line (from 1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    printed: Vec<String>,
    errors: Vec<(usize, String)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Splits a line at its first mark: what stands before it, the kind of mark, what stands behind it.
fn mark(line: &str) -> Option<(&str, char, &str)> {
    let (at, _) = line.match_indices("//").find(|(at, _)| {
        let free = *at == 0 || line[..*at].ends_with(' ');
        free && line[at + 2..].starts_with(['>', '!', '?'])
    })?;
    let kind = line[at + 2..].chars().next()?;
    let rest = &line[at + 3..];
    Some((&line[..at], kind, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// What the marks of a text say.
fn said(text: &str) -> Told {
    let mut told = Told::default();
    for (at, line) in text.lines().enumerate() {
        match mark(line) {
            Some((_, '>', words)) => told.printed.push(words.to_owned()),
            Some((_, _, words)) => {
                let word = words.split_whitespace().next().unwrap_or_default();
                told.errors.push((at + 1, word.to_owned()));
            }
            None => {}
        }
    }
    told
}

/// What `flin_corpus::run` says that a program did; that a test passed goes without saying.
fn done(happened: &str) -> Told {
    let mut told = Told::default();
    for line in happened.lines() {
        let (_, kind, words) = mark(line).unwrap_or_else(|| panic!("no expectation: {line}"));
        let passed = words.starts_with("test ") && words.ends_with(": ok");
        if kind == '>' && !passed {
            told.printed.push(words.to_owned());
        }
        if kind == '>' {
            continue;
        }
        let words = words.strip_prefix("error ").unwrap_or(words);
        let (name, at) = words.split_once(" at ").unwrap_or((words, ""));
        let line = at.split(':').next().and_then(|line| line.parse().ok());
        told.errors.push((line.unwrap_or(0), name.to_owned()));
    }
    told
}

/// A block's text with the marks that are right. `before` is the number of lines that the blocks before it have, and of
/// lines that they print.
fn with_marks(text: &str, told: &Told, before: (usize, usize)) -> String {
    let mut printed = told.printed.iter().skip(before.1);
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let at = at + 1 + before.0;
        let mut wanted: Vec<String> = Vec::new();
        let code = match mark(line) {
            Some((code, '>', _)) => {
                wanted.extend(printed.next().map(|words| mark_of(">", words)));
                code
            }
            Some((code, _, _)) => code,
            None => line,
        };
        for (line, name) in &told.errors {
            if *line == at {
                let kind = if name.starts_with("F0") { "?" } else { "!" };
                wanted.push(mark_of(kind, name));
            }
        }
        if wanted.is_empty() && mark(line).is_some() && code.trim().is_empty() {
            continue;
        }
        if wanted.is_empty() {
            lines.push(code.trim_end().to_owned());
        } else if mark(line).is_some_and(|(code, _, _)| !code.is_empty()) {
            // In markup a mark stands in a comment of HTML.
            let closes = if code.ends_with("<!-- ") { " -->" } else { "" };
            lines.push(format!("{code}{}{closes}", wanted.join("  ")));
        } else if mark(line).is_some() {
            lines.push(wanted.join("  "));
        } else {
            lines.push(format!("{code}  {}", wanted.join("  ")));
        }
    }
    lines.extend(printed.map(|words| mark_of(">", words)));
    lines.join("\n") + "\n"
}

fn mark_of(kind: &str, words: &str) -> String {
    format!("//{kind} {words}").trim_end().to_owned()
}

/// Runs the FLIN blocks of a page. Gives how many there were, and the page with marks that are right.
fn run_page(name: &str, page: &str, failures: &mut Vec<String>) -> (usize, String) {
    let found = match fences(page) {
        Ok(found) => found,
        Err(error) => {
            failures.push(format!("{name}: {error}"));
            return (0, page.to_owned());
        }
    };
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    let mut before = String::new();
    let mut count = 0;
    // Backwards at the end, so that the lines of earlier blocks stay where they are.
    let mut replaced: Vec<(&Fence, String)> = Vec::new();
    for (number, fence) in found.iter().enumerate() {
        if fence.language != "flin" {
            if !OTHER_LANGUAGES.contains(&fence.language.as_str()) {
                let (at, language) = (fence.line, &fence.language);
                failures.push(format!("{name}:{at}: `{language}` is no known language"));
            }
            continue;
        }
        count += 1;
        let goes_on = fence.words.iter().any(|word| word == "continue");
        if !goes_on {
            before.clear();
        }
        let earlier = (before.lines().count(), said(&before).printed.len());
        before.push_str(&fence.text);
        let told = run_block(name, fence, &before, failures);
        replaced.push((fence, with_marks(&fence.text, &told, earlier)));
        let next = found.get(number + 1).filter(|next| is_messages(next));
        if let Some(shown) = next {
            let text = messages_of(&before);
            if text != shown.text && !flin_testkit::golden::blessing() {
                let at = shown.line;
                failures.push(format!("{name}:{at}: the messages are\n{text}"));
            }
            replaced.push((shown, text));
        }
    }
    for (fence, text) in replaced.iter().rev() {
        let at = fence.line - 1;
        let old = fence.text.lines().count();
        lines.splice(at..at + old, text.lines().map(str::to_owned));
    }
    (count, lines.join("\n") + "\n")
}

/// Runs one block with all that it continues, under every policy; differences go to `failures`.
fn run_block(name: &str, fence: &Fence, source: &str, failures: &mut Vec<String>) -> Told {
    let place = format!("{name}:{}", fence.line);
    if let Some(word) = fence.words.iter().find(|word| *word != "continue") {
        failures.push(format!("{place}: `{word}` means nothing here"));
    }
    let expected = said(source);
    let mut first = None;
    for policy in Policy::ALL {
        let told = done(&run(&place, source, policy));
        if told != expected && !flin_testkit::golden::blessing() {
            let (wanted, got) = (shown(&expected), shown(&told));
            failures.push(format!(
                "{place} ({policy:?}):\n  says\n{wanted}  does\n{got}"
            ));
        }
        first.get_or_insert(told);
    }
    first.unwrap_or_default()
}

/// Whether a block shows what the compiler says about the program before it.
fn is_messages(fence: &Fence) -> bool {
    fence.language == "text"
        && ["error[F", "warning[F"]
            .iter()
            .any(|start| fence.text.starts_with(start))
}

/// The messages about a program, as a user sees them: without the marks, in a file `app.flin`.
fn messages_of(source: &str) -> String {
    let lines = source
        .lines()
        .map(|line| mark(line).map_or(line, |(code, _, _)| code).trim_end());
    let source = lines.collect::<Vec<_>>().join("\n") + "\n";
    let told = diagnose("app.flin", source.as_bytes());
    messages("app.flin", source.as_bytes(), &told)
        .trim_end()
        .to_owned()
        + "\n"
}

fn shown(told: &Told) -> String {
    let mut text = String::new();
    for line in &told.printed {
        text += &format!("    {}\n", mark_of(">", line));
    }
    for (line, name) in &told.errors {
        text += &format!("    {name} on line {line}\n");
    }
    text
}

#[test]
fn every_flin_block_does_what_it_says() {
    let root = root();
    let mut failures = Vec::new();
    let (mut blocks, mut with_blocks) = (0, 0);
    let pages = pages(&root);
    for path in &pages {
        let page = std::fs::read_to_string(path).expect("a page");
        let name = path.strip_prefix(&root).expect("a page below the root");
        let (count, blessed) = run_page(&name.display().to_string(), &page, &mut failures);
        blocks += count;
        with_blocks += usize::from(count > 0);
        if flin_testkit::golden::blessing() && count > 0 && blessed != page {
            std::fs::write(path, blessed).expect("a writable page");
        }
    }
    println!(
        "{blocks} FLIN blocks on {with_blocks} of {} pages",
        pages.len()
    );
    assert!(
        failures.is_empty(),
        "{} failures:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    assert!(blocks > 150, "only {blocks} blocks");
}

#[test]
fn every_flin_block_can_be_formatted() {
    let mut failures = Vec::new();
    for path in pages(&root()) {
        let page = std::fs::read_to_string(&path).expect("a page");
        let found = fences(&page).unwrap_or_default();
        let programs = found.iter().filter(|fence| fence.language == "flin");
        for fence in programs.filter(|fence| said(&fence.text).errors.is_empty()) {
            let place = format!("{}:{}", path.display(), fence.line);
            let once = match flin_syntax::format(&fence.text) {
                Ok(once) => once,
                Err(told) => {
                    failures.push(format!("{place}: {told:?}"));
                    continue;
                }
            };
            if said(&once).printed.len() != said(&fence.text).printed.len() {
                failures.push(format!("{place}: comments are lost in\n{once}"));
            }
            if flin_syntax::format(&once).is_ok_and(|twice| twice != once) {
                failures.push(format!("{place}: formatting twice gives another text"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_rule_has_one_name() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut failures = Vec::new();
    for (chapter, prefix) in CHAPTERS {
        let path = root().join(format!("docs/language/{chapter}.md"));
        let page = std::fs::read_to_string(&path).expect("a chapter");
        let lines: Vec<&str> = page.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let place = format!("{chapter}.md:{}", at + 1);
            let Some(rest) = line.strip_prefix(RULE) else {
                if line.contains("<!-- r:") {
                    failures.push(format!("{place}: a rule's name stands on its own line"));
                }
                continue;
            };
            let name = rest.trim_end_matches(" -->");
            let (before, word) = name.split_once('.').unwrap_or(("", name));
            let snake = |c: char| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit();
            if before != prefix || word.is_empty() || !word.chars().all(snake) {
                failures.push(format!("{place}: `{name}` is no `{prefix}.snake_case`"));
            }
            let next = lines.get(at + 1).copied().unwrap_or_default();
            if next.is_empty() || next.starts_with(['<', '#', '|']) || next.starts_with("```") {
                failures.push(format!("{place}: no sentence follows `{name}`"));
            }
            if let Some(other) = seen.insert(name.to_owned(), place.clone()) {
                failures.push(format!("{place}: `{name}` stands at {other} too"));
            }
        }
    }
    println!("{} rules in {} chapters", seen.len(), CHAPTERS.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(seen.len() > 250, "only {} rules", seen.len());
}

#[test]
fn marks_are_read_and_written_back() {
    let text = "print(1)  //> 2\nprint(\"//>\")\nx = y  //? F0001\n//> old\n";
    let told = said(text);
    assert_eq!(told.printed, ["2", "old"]);
    assert_eq!(told.errors, [(3, "F0001".to_owned())]);
    let right = Told {
        printed: vec!["1".to_owned()],
        errors: vec![(2, "TypeError".to_owned())],
    };
    assert_eq!(
        with_marks(text, &right, (0, 0)),
        "print(1)  //> 1\nprint(\"//>\")  //! TypeError\nx = y\n"
    );
}

#[test]
fn the_chapters_are_all_there() {
    let mut found: Vec<String> = std::fs::read_dir(root().join("docs/language"))
        .expect("the reference")
        .map(|entry| entry.expect("a readable entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    found.sort();
    let mut chapters = CHAPTERS.map(|(chapter, _)| format!("{chapter}.md"));
    chapters.sort();
    assert_eq!(found, chapters);
}

#[test]
fn links_lead_somewhere() {
    let mut failures = Vec::new();
    let mut count = 0;
    for path in pages(&root()) {
        let page = std::fs::read_to_string(&path).expect("a page");
        for rest in page.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            if target.contains("://") || target.contains(char::is_whitespace) {
                continue;
            }
            count += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let folder = path.parent().expect("a folder");
            let there = if file.is_empty() {
                path.clone()
            } else {
                folder.join(file)
            };
            let place = format!("{}: `{target}`", path.display());
            if !there.exists() {
                failures.push(format!("{place}: there is no such file"));
            } else if !heading.is_empty() {
                let text = std::fs::read_to_string(&there).expect("a page");
                if !text
                    .lines()
                    .any(|line| anchor(line) == Some(heading.to_owned()))
                {
                    failures.push(format!("{place}: there is no such heading"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 50, "only {count} links");
}

/// The name by which a heading is linked.
fn anchor(line: &str) -> Option<String> {
    let words = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = words
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
}
