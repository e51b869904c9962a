//! Diagnostics as text for people and as JSON for tools.
//!
//! Layout and carets are drawn by `annotate-snippets`; this module only translates. Colour is decided by the caller, who
//! knows the terminal. JSON is one object per line; byte offsets and line/column (both from 1) are given.

use crate::diagnostic::{Diagnostic, FileId, Label, Severity};
use crate::span::LineIndex;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::fmt::Write as _;

/// A source text with the name shown for it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path or another name.
    pub name: String,
    /// The text.
    pub text: String,
}

/// The source texts that labels point into; a [`FileId`] is the position in the list.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// A list of one.
    #[must_use]
    pub fn single(name: &str, text: &str) -> Sources {
        let mut sources = Sources::default();
        sources.add(name, text);
        sources
    }

    /// Adds a file and gives its id.
    pub fn add(&mut self, name: &str, text: &str) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Source {
            name: name.to_owned(),
            text: text.to_owned(),
        });
        id
    }

    /// The file of an id. An unknown id is a bug of the caller.
    ///
    /// # Panics
    /// If the id was not given by this list.
    #[must_use]
    pub fn get(&self, file: FileId) -> &Source {
        &self.files[file.0 as usize]
    }
}

/// Whether to colour the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// With terminal colours.
    Always,
    /// Plain text.
    Never,
}

/// One diagnostic as text, ending with a newline.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &Sources, color: Color) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let code = diagnostic.code.to_string();
    let mut group = level
        .primary_title(&diagnostic.title)
        .id(&code)
        .elements([] as [Snippet<'_, annotate_snippets::Annotation<'_>>; 0]);
    for (file, labels) in by_file(&diagnostic.labels) {
        let source = sources.get(file);
        let mut snippet = Snippet::source(source.text.as_str()).path(source.name.as_str());
        for (is_main, label) in labels {
            let kind = if is_main {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let mut annotation = kind.span(visible_range(&source.text, label));
            if !label.text.is_empty() {
                annotation = annotation.label(label.text.as_str());
            }
            snippet = snippet.annotation(annotation);
        }
        group = group.element(snippet);
    }
    if let Some(reason) = &diagnostic.reason {
        group = group.element(Level::NOTE.message(reason));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint));
    }
    let renderer = match color {
        Color::Always => Renderer::styled(),
        Color::Never => Renderer::plain(),
    };
    let mut text = renderer.render(&[group]).to_string();
    text.push('\n');
    text
}

/// All diagnostics as text, a blank line between them.
#[must_use]
pub fn render_all(diagnostics: &[Diagnostic], sources: &Sources, color: Color) -> String {
    let parts: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| render(diagnostic, sources, color))
        .collect();
    parts.join("\n")
}

/// One diagnostic as a JSON object on one line, without a newline.
#[must_use]
pub fn render_json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut out = String::from("{\"code\":");
    push_json(&mut out, &diagnostic.code.to_string());
    out.push_str(",\"severity\":");
    push_json(
        &mut out,
        match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
    );
    out.push_str(",\"title\":");
    push_json(&mut out, &diagnostic.title);
    for (key, value) in [("reason", &diagnostic.reason), ("hint", &diagnostic.hint)] {
        if let Some(value) = value {
            let _ = write!(out, ",\"{key}\":");
            push_json(&mut out, value);
        }
    }
    out.push_str(",\"labels\":[");
    for (position, label) in diagnostic.labels.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        push_label(&mut out, label, sources);
    }
    out.push_str("]}");
    out
}

fn push_label(out: &mut String, label: &Label, sources: &Sources) {
    let source = sources.get(label.file);
    let lines = LineIndex::new(&source.text);
    let start = lines.line_column(&source.text, label.span.start);
    let end = lines.line_column(&source.text, label.span.end);
    out.push_str("{\"file\":");
    push_json(out, &source.name);
    let _ = write!(
        out,
        ",\"start\":{},\"end\":{},\"line\":{},\"column\":{},\"end_line\":{},\"end_column\":{},\"text\":",
        label.span.start, label.span.end, start.line, start.column, end.line, end.column
    );
    push_json(out, &label.text);
    out.push('}');
}

fn push_json(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if (other as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", other as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// The labels of each file, the main label's file first; each with whether it is the main one.
fn by_file(labels: &[Label]) -> Vec<(FileId, Vec<(bool, &Label)>)> {
    let mut groups: Vec<(FileId, Vec<(bool, &Label)>)> = Vec::new();
    for (position, label) in labels.iter().enumerate() {
        let entry = (position == 0, label);
        match groups.iter_mut().find(|(file, _)| *file == label.file) {
            Some((_, group)) => group.push(entry),
            None => groups.push((label.file, vec![entry])),
        }
    }
    groups
}

/// The label's bytes, kept inside the text and on character boundaries.
fn visible_range(text: &str, label: &Label) -> std::ops::Range<usize> {
    let mut start = (label.span.start as usize).min(text.len());
    let mut end = (label.span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}
