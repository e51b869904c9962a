//! Markup as a person would read it. Here because tests compare pages, and what marks the places of a page for the browser
//! would make each expected line hard to read. Must stay true: nothing is left out that a visitor sees.

/// A page without the markers of its places: the comments `<!--f…-->`, `<!--/f-->`, `<!--i…-->` and `<!--e…-->`, the
/// attribute `data-f`.
pub fn without_markers(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let comment = tag.strip_prefix("<!--").map(|comment| {
            let comment = comment.strip_prefix('/').unwrap_or(comment);
            comment.starts_with(['f', 'i', 'e']) && is_marker(comment)
        });
        out.push_str(&rest[..at]);
        match comment {
            Some(true) => {}
            Some(false) | None => out.push_str(&without_attribute(&tag[..end])),
        }
        rest = &tag[end..];
    }
    out.push_str(rest);
    out
}

/// What stands in a marker: a letter and a number, or ` ` and a key.
fn is_marker(comment: &str) -> bool {
    let Some((inside, _)) = comment.split_once("-->") else {
        return false;
    };
    let rest = &inside[1..];
    rest.is_empty() || rest.starts_with(' ') || rest.bytes().all(|byte| byte.is_ascii_digit())
}

fn without_attribute(tag: &str) -> String {
    let Some((before, after)) = tag.split_once(" data-f=\"") else {
        return tag.to_owned();
    };
    let behind = after.split_once('"').map_or("", |(_, behind)| behind);
    format!("{before}{behind}")
}

#[cfg(test)]
mod tests {
    use super::without_markers;

    #[test]
    fn only_markers_go() {
        let html = "<p data-f=\"1t\" class=\"a\">x</p><!--f3--><b>y</b><!--/f--><!--i a%20b--> <!--i--><i> z</i><!--e7--><!-- mine --><!--index-->";
        assert_eq!(
            without_markers(html),
            "<p class=\"a\">x</p><b>y</b> <i> z</i><!-- mine --><!--index-->"
        );
    }
}
