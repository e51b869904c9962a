//! What the machine wrote for a value, read back: escaped text, and attributes as they stand in a tag. Must stay true: the
//! five characters that are escaped come back as they were; anything else is taken as it is.

use std::borrow::Cow;

/// Text without its escapes.
pub(super) fn text(written: &str) -> Cow<'_, str> {
    if !written.contains('&') {
        return Cow::Borrowed(written);
    }
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = [
            ("&amp;", '&'),
            ("&lt;", '<'),
            ("&gt;", '>'),
            ("&quot;", '"'),
            ("&#39;", '\''),
        ];
        match known.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, ch)) => {
                out.push(*ch);
                rest = &rest[name.len()..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Attributes as they stand in a tag: names, and values that are still escaped; "" for one without a value.
pub(super) fn attributes(written: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = written;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let end = rest.find([' ', '=', '\n', '\t']).unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        let Some(after) = rest.strip_prefix('=') else {
            return Some((name, ""));
        };
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(after.find([' ', '\n', '\t']).unwrap_or(after.len())),
        };
        rest = after;
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_come_back() {
        assert_eq!(
            text("&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp; &nbsp; &"),
            "<a b=\"c\" d='e'>&amp; &nbsp; &"
        );
    }

    #[test]
    fn attributes_of_a_tag() {
        let read: Vec<_> =
            attributes(" class=\"a b\" checked data-flin-on-keydown.enter=\"3\" x=\"\"").collect();
        let expected = [
            ("class", "a b"),
            ("checked", ""),
            ("data-flin-on-keydown.enter", "3"),
            ("x", ""),
        ];
        assert_eq!(read, expected);
        assert_eq!(attributes("").count() + attributes("  ").count(), 0);
        // Nothing writes these; they must only end.
        for odd in ["=", " a=", " a=\"", "\"", " a=b c"] {
            assert!(attributes(odd).count() < 5, "{odd}");
        }
    }
}
