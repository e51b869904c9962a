//! Markup output: where it goes, and how values are escaped for their place (text, attribute, URL, style). Must stay true:
//! nothing that a program computes reaches the page unescaped except through `raw`; a URL has one of four schemes or none.

use crate::fault::{Fault, Res};
use crate::machine::Machine;
use crate::semantics::marking::Marking;
use crate::semantics::{compare, print};
use crate::value::{View, Word};
use crate::vm::Rendered;

/// The markup written so far.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(super) rendered: Rendered,
    pub(super) in_head: bool,
    pub(super) marking: Marking,
    /// Where the element of the head begins that is being written.
    head_start: usize,
    /// The title in the head: a page has one, the last that is written.
    title: Option<std::ops::Range<usize>>,
    /// Hidden forms written so far; they are numbered from 1.
    pub(crate) form_count: u32,
    /// The page whose view or handler runs: index into `Module::pages`.
    pub(crate) page: Option<usize>,
    /// Where the page is seen, if its path has variable parts.
    pub(crate) address: Option<String>,
    /// Bound controls since the last form of which a form may say nothing, with their places in the body.
    silent: Vec<(usize, String)>,
    /// What `view.option` writes: inside a select ` selected`, after a radio button ` checked`.
    pub(crate) option_checks: bool,
}

impl Output {
    /// Where markup goes from now on.
    pub(crate) fn set_head(&mut self, in_head: bool) {
        self.in_head = in_head;
        let head = &mut self.rendered.head;
        if in_head {
            self.head_start = head.len();
        } else if head
            .get(self.head_start..)
            .is_some_and(|written| written.starts_with("<title"))
        {
            let mut written = self.head_start..head.len();
            if let Some(before) = self.title.take() {
                head.replace_range(before.clone(), "");
                written = written.start - before.len()..written.end - before.len();
            }
            self.title = Some(written);
        }
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> usize {
        self.rendered.head.len() + self.rendered.body.len() + self.rendered.forms.len()
    }

    /// Remembers a bound box or select of several values, for the end of the form it may stand in.
    pub(crate) fn may_be_silent(&mut self, name: &str) {
        self.silent
            .push((self.rendered.body.len(), name.to_owned()));
    }

    /// The controls of the form that ends here of which it may say nothing, once each.
    pub(crate) fn take_silent_of_form(&mut self) -> Vec<String> {
        let start = self.rendered.body.rfind("<form").unwrap_or(0);
        let mut names = Vec::new();
        for (at, name) in self.silent.drain(..) {
            if at > start && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Takes what was written; the next view starts anew.
    pub(crate) fn take(&mut self) -> Rendered {
        self.in_head = false;
        self.marking = Marking::default();
        self.head_start = 0;
        self.title = None;
        self.form_count = 0;
        self.silent.clear();
        std::mem::take(&mut self.rendered)
    }
}

/// Writes markup as it is.
pub(crate) fn write(m: &mut Machine, markup: &str) -> Res<()> {
    m.heap.charge_outside(markup.len())?;
    let Output {
        rendered, in_head, ..
    } = &mut m.output;
    let target = if *in_head {
        &mut rendered.head
    } else {
        &mut rendered.body
    };
    target.push_str(markup);
    Ok(())
}

/// Writes markup to the hidden forms at the end of the page.
pub(crate) fn write_form(m: &mut Machine, markup: &str) -> Res<()> {
    m.heap.charge_outside(markup.len())?;
    m.output.rendered.forms.push_str(markup);
    Ok(())
}

/// Escapes for text between tags and for attribute values in double quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A value between tags; none writes nothing.
pub(crate) fn write_value(m: &mut Machine, value: Word) -> Res<()> {
    let text = match value.view() {
        View::None => return Ok(()),
        View::Text(text) => escape(text.text().unwrap_or_default()),
        _ => escape(&print::to_string(m, value)?),
    };
    write(m, &text)
}

const PLACE_PLAIN: u8 = 0;
const PLACE_BOOLEAN: u8 = 1;
const PLACE_URL: u8 = 2;
const PLACE_STYLE: u8 = 3;
const PLACE_STYLE_VALUE: u8 = 4;
const PLACE_STYLE_URL: u8 = 5;

/// An attribute with its value, escaped for its place; none writes nothing. The last two places are inside of a style that
/// is written already: only the value is written.
pub(crate) fn attribute(m: &mut Machine, name: &str, value: Word, place: u8) -> Res<()> {
    if place == PLACE_BOOLEAN {
        return if compare::truthy(m, value) {
            write(m, &format!(" {name}"))
        } else {
            Ok(())
        };
    }
    if value.is_none() {
        return Ok(());
    }
    let text = print::to_string(m, value)?;
    let text = match place {
        PLACE_PLAIN => text.as_str(),
        PLACE_URL => safe_url(&text),
        PLACE_STYLE => safe_style(&text),
        PLACE_STYLE_VALUE => return write(m, &escape(safe_style_value(&text))),
        PLACE_STYLE_URL => return write(m, &escape(safe_style_url(&text))),
        _ => return Err(Fault::type_error("markup has no such place for a value")),
    };
    let markup = format!(" {name}=\"{}\"", escape(text));
    write(m, &markup)
}

/// The URL if its scheme is harmless (or it has none), else `#`.
pub(crate) fn safe_url(url: &str) -> &str {
    // Browsers ignore blanks and control characters around and (tab, newline) inside a URL, so they cannot hide a scheme.
    let seen: String = url
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .collect();
    let end = seen.find([':', '/', '?', '#']);
    let scheme = match end {
        Some(end) if seen[end..].starts_with(':') => seen[..end].to_ascii_lowercase(),
        _ => return url,
    };
    if ["http", "https", "mailto", "tel"].contains(&scheme.as_str()) {
        url
    } else {
        "#"
    }
}

/// The style if nothing in it can load or run anything unsafe, else nothing.
pub(crate) fn safe_style(style: &str) -> &str {
    let lower = style.to_ascii_lowercase();
    let forbidden = [
        "expression",
        "javascript:",
        "-moz-binding",
        "behavior",
        "@",
        "\\",
        "/*",
        "<",
        "{",
        "}",
    ];
    if forbidden.iter().any(|word| lower.contains(word)) {
        return "";
    }
    let mut rest = lower.as_str();
    while let Some(at) = rest.find("url(") {
        rest = &rest[at + 4..];
        let inside = rest.split(')').next().unwrap_or_default();
        let url = inside.trim().trim_matches(['"', '\'']);
        if safe_url(url) != url {
            return "";
        }
    }
    style
}

/// A value inside of a style that the program wrote, if it stays inside of its declaration and loads nothing; else nothing.
fn safe_style_value(value: &str) -> &str {
    if value.contains(';') || value.to_ascii_lowercase().contains("url(") {
        ""
    } else {
        safe_style(value)
    }
}

/// A value inside of the `url(…)` of a style, if it stays there and its scheme is harmless; else `#`.
fn safe_style_url(url: &str) -> &str {
    let leaves = url.contains(['(', ')', '"', '\'', ';']) || safe_style(url) != url;
    if leaves { "#" } else { safe_url(url) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for good in [
            "",
            "/a?b=c:d",
            "a/b:c",
            "https://x.y",
            "HTTP://x",
            "mailto:a@b.c",
            "tel:+1",
            "#top",
            "?x:y",
            "//x.y/z",
        ] {
            assert_eq!(safe_url(good), good);
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " \tjavascript:alert(1)",
            "java\nscript:alert(1)",
            "\u{1}javascript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc",
            ":x",
        ] {
            assert_eq!(safe_url(bad), "#", "{bad:?}");
        }
    }

    #[test]
    fn styles() {
        for good in [
            "color: red; width: 10%",
            "background: url(\"/a.png\")",
            "background:url(https://a.b/c)",
        ] {
            assert_eq!(safe_style(good), good);
        }
        for bad in [
            "background:url(javascript:x)",
            "width: expression(x)",
            "a:b}body{c:d",
            "background: URL('data:x')",
        ] {
            assert_eq!(safe_style(bad), "", "{bad}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(
            escape("<a b=\"c\" d='e'>&"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"
        );
    }
}
