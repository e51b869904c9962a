//! Addresses of the project's own files in markup: the name that has the hash of the content takes the place of the plain one, so
//! that browsers keep the file for ever and never show an old one. Must stay true: only what is the path of a file of the project,
//! as it stands in the source, is replaced; a link that a visitor follows or keeps (`<a href>`) stays as it is.

use flin_syntax::ast::{AttributeValue, Expr, ExprKind as Ast, Name, TextPart};

use super::Resolver;
use super::scoped::piece;

/// Attributes by which a browser loads a file by itself.
const LOADING: [&str; 3] = ["src", "poster", "data"];
/// Elements whose `href` is loaded, not followed.
const LINKED: [&str; 4] = ["link", "image", "use", "feImage"];

impl Resolver<'_> {
    /// The same value with hashed names, if it is a fixed text that has any.
    pub(super) fn with_hashed_names(
        &self,
        element: &str,
        attribute: &Name,
        value: &AttributeValue,
    ) -> Option<AttributeValue> {
        if self.assets.is_empty() {
            return None;
        }
        let text = fixed_text(value)?;
        let name = attribute.text.to_ascii_lowercase();
        let hashed = match &*name {
            "srcset" | "imagesrcset" => self.hashed_candidates(text)?,
            "href"
                if LINKED
                    .iter()
                    .any(|linked| linked.eq_ignore_ascii_case(element)) =>
            {
                self.hashed_name(text)?
            }
            "style" => self.hashed_style(text)?,
            name if LOADING.contains(&name) => self.hashed_name(text)?,
            _ => return None,
        };
        Some(AttributeValue::Static(hashed.into()))
    }

    /// `/img/logo.png` and what follows its path: `?`, `#`.
    fn hashed_name(&self, address: &str) -> Option<String> {
        let end = address.find(['?', '#']).unwrap_or(address.len());
        let (path, rest) = address.split_at(end);
        let path = path.strip_prefix('/')?;
        let asset = self.assets.iter().find(|asset| asset.path == path)?;
        Some(format!("/{}{rest}", asset.hashed_path()))
    }

    /// A style sheet, or a part of one, with hashed names in its `url(…)` and behind `@import`, if it has any.
    pub(super) fn hashed_style(&self, css: &str) -> Option<String> {
        if self.assets.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(css.len());
        let mut found = false;
        let mut done = 0;
        for (start, end) in addresses(css) {
            if let Some(hashed) = self.hashed_name(&css[start..end]) {
                out.push_str(&css[done..start]);
                out.push_str(&hashed);
                (done, found) = (end, true);
            }
        }
        out.push_str(&css[done..]);
        found.then_some(out)
    }

    /// `/small.png 1x, /big.png 2x`
    fn hashed_candidates(&self, text: &str) -> Option<String> {
        let mut found = false;
        let candidates = text.split(',').map(|candidate| {
            let (address, rest) = match candidate.trim_start().split_once(char::is_whitespace) {
                Some((address, rest)) => (address, format!(" {rest}")),
                None => (candidate.trim(), String::new()),
            };
            let hashed = self.hashed_name(address);
            found |= hashed.is_some();
            format!("{}{rest}", hashed.as_deref().unwrap_or(address))
        });
        let candidates: Vec<String> = candidates.collect();
        found.then(|| candidates.join(", "))
    }
}

/// Where the addresses stand that a style sheet loads.
fn addresses(css: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < css.len() {
        let rest = &css[at..];
        let is_word = css[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'));
        let word = ["url(", "@import"].into_iter().find(|word| {
            let begin = rest.get(..word.len());
            !is_word && begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        });
        let Some(word) = word else {
            at += piece(rest);
            continue;
        };
        at += word.len();
        at += css[at..].len() - css[at..].trim_start().len();
        match css[at..].chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let length = piece(&css[at..]);
                let is_closed = length > 1 && css[at..at + length].ends_with(quote);
                found.extend(is_closed.then_some((at + 1, at + length - 1)));
                at += length;
            }
            Some(_) if word == "url(" => {
                let length = css[at..].find([')', '"', '\'']).unwrap_or(css.len() - at);
                found.push((at, at + css[at..at + length].trim_end().len()));
                at += length;
            }
            _ => {}
        }
    }
    found
}

fn fixed_text(value: &AttributeValue) -> Option<&str> {
    match value {
        AttributeValue::Static(text) => Some(text),
        AttributeValue::Expr(Expr {
            kind: Ast::Text(parts),
            ..
        }) => match parts.as_slice() {
            [TextPart::Chars { value, .. }] => Some(value),
            _ => None,
        },
        AttributeValue::Mixed(_) | AttributeValue::Expr(_) | AttributeValue::Flag => None,
    }
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn addresses_of_style_sheets_are_found() {
        let pairs: [(&str, &[&str]); 9] = [
            ("p { background: url(/a.png) }", &["/a.png"]),
            (
                "url( \"/a b.png\" ) URL('/c.svg#x')",
                &["/a b.png", "/c.svg#x"],
            ),
            (
                "@import \"/t.css\"; @import url(/u.css);",
                &["/t.css", "/u.css"],
            ),
            ("/* url(/a.png) */ p { content: \"url(/b.png)\" }", &[]),
            ("curl(/a.png) my-url(/b.png)", &[]),
            (
                "src: url(/a.woff2) format('woff2'), url(/b.woff)",
                &["/a.woff2", "/b.woff"],
            ),
            (
                "url(data:image/png;base64,AA==)",
                &["data:image/png;base64,AA=="],
            ),
            ("url(", &[]),
            ("url(/é", &["/é"]),
        ];
        for (css, wanted) in pairs {
            let found: Vec<&str> = addresses(css).iter().map(|(a, b)| &css[*a..*b]).collect();
            assert_eq!(found, wanted, "{css}");
        }
    }
}
