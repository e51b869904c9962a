//! Diagnostics as text for people and as JSON for tools.
//!
//! Layout and carets are drawn by `annotate-snippets`; this module only translates. Colour is decided by the caller, who
//! knows the terminal. JSON is one object per line; byte offsets and line/column (both from 1) are given.

use crate::diagnostic::{Diagnostic, FileId, Label, Severity};
use crate::span::LineIndex;
use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

/// Longer titles, labels, reasons and hints are cut: a name may be as long as the file.
const SENTENCE_BYTES_MAX: usize = 1_000;
/// From longer lines only the part around the place is shown.
const LINE_BYTES_MAX: usize = 16 << 10;
/// How much of such a line is shown before the place, and as the place.
const AROUND_BYTES: usize = 100;

/// A source text with the name shown for it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path or another name.
    pub name: String,
    /// The text.
    pub text: String,
    lines: LineIndex,
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
            lines: LineIndex::new(text),
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
        .primary_title(shortened(&diagnostic.title))
        .id(&code)
        .elements([] as [Snippet<'_, Annotation<'_>>; 0]);
    for (file, labels) in by_file(&diagnostic.labels) {
        let source = sources.get(file);
        let part = shown_part(source, &labels);
        let text = &source.text[part.clone()];
        let first = source.lines.line_column(&source.text, part.start as u32);
        let mut snippet = Snippet::source(text).line_start(first.line as usize);
        if first.column == 1 {
            snippet = snippet.path(source.name.as_str());
        } else {
            let at = labels[0].1.span.start;
            let at = source.lines.line_column(&source.text, at);
            let origin = Origin::path(source.name.as_str()).line(at.line as usize);
            group = group.element(origin.char_column(at.column as usize));
        }
        for (is_main, label) in labels {
            let kind = if is_main {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let Some(range) = within(visible_range(&source.text, label), &part) else {
                continue;
            };
            let mut annotation = kind.span(range);
            if !label.text.is_empty() {
                annotation = annotation.label(shortened(&label.text));
            }
            snippet = snippet.annotation(annotation);
        }
        group = group.element(snippet);
    }
    if let Some(reason) = &diagnostic.reason {
        group = group.element(Level::NOTE.message(shortened(reason)));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(shortened(hint)));
    }
    let renderer = match color {
        Color::Always => Renderer::styled(),
        Color::Never => Renderer::plain(),
    };
    let drawn = renderer.render(&[group]).to_string();
    let lines = drawn.lines().filter(|line| !is_second_place(line));
    lines.fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    })
}

/// The mark before a source without a name: the place stands above it already.
fn is_second_place(line: &str) -> bool {
    let mut rest = line;
    let mut visible = String::new();
    while let Some((before, escaped)) = rest.split_once('\u{1b}') {
        visible.push_str(before);
        rest = escaped.split_once('m').map_or("", |(_, after)| after);
    }
    visible.push_str(rest);
    visible.trim() == ":::"
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
    push_json(&mut out, &shortened(&diagnostic.title));
    for (key, value) in [("reason", &diagnostic.reason), ("hint", &diagnostic.hint)] {
        if let Some(value) = value {
            let _ = write!(out, ",\"{key}\":");
            push_json(&mut out, &shortened(value));
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
    let start = source.lines.line_column(&source.text, label.span.start);
    let end = source.lines.line_column(&source.text, label.span.end);
    out.push_str("{\"file\":");
    push_json(out, &source.name);
    let _ = write!(
        out,
        ",\"start\":{},\"end\":{},\"line\":{},\"column\":{},\"end_line\":{},\"end_column\":{},\"text\":",
        label.span.start, label.span.end, start.line, start.column, end.line, end.column
    );
    push_json(out, &shortened(&label.text));
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

/// A sentence that people may read to its end.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= SENTENCE_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let half = SENTENCE_BYTES_MAX / 2;
    let (start, end) = (boundary(text, half), boundary(text, text.len() - half));
    Cow::Owned(format!("{} … {}", &text[..start], &text[end..]))
}

/// The bytes of a source that are looked at to draw some labels: their lines, so that a message costs as much as it shows;
/// of very long lines only what is around the first label.
fn shown_part(source: &Source, labels: &[(bool, &Label)]) -> Range<usize> {
    let (text, lines) = (source.text.as_str(), &source.lines);
    let line_start = |offset: usize| {
        let line = lines.line(u32::try_from(offset).unwrap_or(u32::MAX));
        lines.start_of(text, line) as usize
    };
    let line_end = |offset: usize| {
        text[offset..]
            .find('\n')
            .map_or(text.len(), |at| offset + at)
    };
    let ranges = labels.iter().map(|(_, label)| visible_range(text, label));
    let ranges: Vec<Range<usize>> = ranges.collect();
    let is_long = |range: &Range<usize>| {
        line_end(range.start) - line_start(range.start) > LINE_BYTES_MAX
            || line_end(range.end) - line_start(range.end) > LINE_BYTES_MAX
    };
    if let Some(first) = ranges.first()
        && ranges.iter().any(is_long)
    {
        let start =
            line_start(first.start).max(boundary(text, first.start.saturating_sub(AROUND_BYTES)));
        let end = boundary(text, (first.start + AROUND_BYTES).min(text.len()));
        return start..end.min(line_end(first.start)).max(first.start);
    }
    let start = ranges.iter().map(|range| line_start(range.start)).min();
    let end = ranges.iter().map(|range| line_end(range.end)).max();
    start.unwrap_or(0)..end.unwrap_or(text.len())
}

/// The part of a range that is shown, counted from where that begins.
fn within(range: Range<usize>, part: &Range<usize>) -> Option<Range<usize>> {
    let (start, end) = (range.start.max(part.start), range.end.min(part.end));
    (range.start <= part.end && start <= end).then(|| start - part.start..end - part.start)
}

/// The character boundary at or before an offset.
fn boundary(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The label's bytes, kept inside the text and on character boundaries.
fn visible_range(text: &str, label: &Label) -> Range<usize> {
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
