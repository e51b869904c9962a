//! A sentence at the control that it speaks of, in markup that is already written. Here because a form without
//! JavaScript gets its page back with the message in it. Must stay true: the markup outside the control is not changed;
//! a sentence whose control is not on the page stands on top of it, never nowhere.

use crate::respond::escape_html;

/// Marks the first control bound to one of `variables` and puts `message` behind it; without one, on top of the page.
pub(crate) fn place_message(body: &str, variables: &[&str], message: &str) -> String {
    let message = escape_html(message);
    for variable in variables {
        let mark = format!(" data-flin-bind=\"{}\"", escape_html(variable));
        let Some((at, mark)) = body
            .find(&mark)
            .map(|at| (at, mark))
            .or_else(|| part(body, variable))
        else {
            continue;
        };
        let Some(start) = body[..at].rfind('<') else {
            continue;
        };
        let Some(tag_end) = tag_end(body, start) else {
            continue;
        };
        let name: String = body[start + 1..]
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let end = match name.as_str() {
            "textarea" | "select" => {
                let close = format!("</{name}>");
                body[tag_end..]
                    .find(&close)
                    .map_or(tag_end, |offset| tag_end + offset + close.len())
            }
            _ => tag_end,
        };
        let id = format!("flin-error-{}", escape_html(variable));
        return format!(
            "{}{mark} aria-invalid=\"true\" aria-describedby=\"{id}\"{}<span id=\"{id}\" class=\"flin-error\" role=\"alert\">{message}</span>{}",
            &body[..at],
            &body[at + mark.len()..end],
            &body[end..]
        );
    }
    format!(
        "<span id=\"flin-message\" class=\"flin-error flin-message\" role=\"alert\">{message}</span>{body}"
    )
}

// The mark of the first control that is bound to a part of this name: `form.name` for `name`.
fn part(body: &str, name: &str) -> Option<(usize, String)> {
    const BIND: &str = " data-flin-bind=\"";
    let ending = format!(".{}", escape_html(name));
    let marks = body.match_indices(BIND).filter_map(|(at, _)| {
        let bound = body[at + BIND.len()..].split('"').next()?;
        bound
            .ends_with(&ending)
            .then(|| (at, format!("{BIND}{bound}\"")))
    });
    marks.into_iter().next()
}

// One past the `>` of the tag that starts at `start`; a `>` inside a quoted value does not count.
fn tag_end(body: &str, start: usize) -> Option<usize> {
    let mut quote = None;
    for (offset, byte) in body[start..].bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(start + offset + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (Some(_) | None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_an_input() {
        let body = r#"<form><input data-flin-bind="title" name="title" value="a > b"><button>Add</button></form>"#;
        let expected = r#"<form><input data-flin-bind="title" aria-invalid="true" aria-describedby="flin-error-title" name="title" value="a > b"><span id="flin-error-title" class="flin-error" role="alert">title &lt;is&gt; required</span><button>Add</button></form>"#;
        assert_eq!(
            place_message(body, &["draft", "title"], "title <is> required"),
            expected
        );
    }

    #[test]
    fn behind_the_end_of_a_textarea() {
        let body = "<textarea data-flin-bind=\"note\" name=\"note\">x</textarea><p>";
        let placed = place_message(body, &["note"], "too long");
        assert!(
            placed.contains(">x</textarea><span id=\"flin-error-note\""),
            "{placed}"
        );
    }

    #[test]
    fn on_top_without_a_control() {
        assert!(place_message("<p>", &["note"], "no").starts_with("<span id=\"flin-message\""));
    }
}
