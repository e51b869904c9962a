//! Addresses of the project's own files in markup: the name that has the hash of the content takes the place of the plain one, so
//! that browsers keep the file for ever and never show an old one. Must stay true: only what is the path of a file of the project,
//! as it stands in the source, is replaced; a link that a visitor follows or keeps (`<a href>`) stays as it is.

use flin_syntax::ast::{AttributeValue, Expr, ExprKind as Ast, Name, TextPart};

use super::Resolver;

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
