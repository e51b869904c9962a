//! Names of views: a fingerprint of what a view says, so that two parties can find out that they mean the same. Must stay
//! true: nobody can make two views of one name, also not of two pages; what the browser fills itself is not in it.

use std::fmt;

use flin_runtime::vm::bytecode::template::{Owner, Template};
use flin_runtime::vm::{Mark, Rendered};
use sha2::{Digest, Sha256};

/// Bytes of a name.
const NAME_BYTES: usize = 16;

/// The name of a view. As text it has 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ViewName([u8; NAME_BYTES]);

impl ViewName {
    pub(super) fn of(rendered: &Rendered, page: usize, templates: &[Template]) -> ViewName {
        let mut hash = Sha256::new();
        hash.update((page as u64).to_le_bytes());
        hash.update((rendered.head.len() as u64).to_le_bytes());
        hash.update(&rendered.head);
        let root = templates.first();
        let owners: Vec<Owner> = root.map_or(Vec::new(), |root| {
            root.places.iter().map(|place| place.owner).collect()
        });
        // Places of the root block begin at depth 1.
        let (mut depth, mut place, mut is_browsers) = (0_usize, 0, false);
        for mark in &rendered.marks {
            let opens = matches!(mark, Mark::Block { .. } | Mark::List);
            let closes = matches!(mark, Mark::End);
            if closes {
                depth = depth.saturating_sub(1);
            }
            if depth == 1 && !closes {
                is_browsers = owners.get(place) == Some(&Owner::Browser);
                place += 1;
            }
            if !is_browsers || depth == 0 {
                tell(&mut hash, rendered, mark);
            }
            depth += usize::from(opens);
        }
        let mut name = [0; NAME_BYTES];
        let digest = hash.finalize();
        name.iter_mut()
            .zip(digest)
            .for_each(|(to, from)| *to = from);
        ViewName(name)
    }

    /// Reads the text of a name.
    pub(crate) fn parse(text: &str) -> Option<ViewName> {
        let digits = text.len() == 2 * NAME_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| digits)?;
        Some(ViewName(number.to_be_bytes()))
    }
}

// Every piece says what it is and how long it is, so that no two ways to read the whole are possible.
fn tell(hash: &mut Sha256, rendered: &Rendered, mark: &Mark) {
    let (kind, number, text) = match mark {
        Mark::Block { template } => (0_u8, *template, ""),
        Mark::List => (1, 0, ""),
        Mark::Item { start, end } => (2, end - start, super::part(&rendered.keys, *start, *end)),
        Mark::Empty => (3, 0, ""),
        Mark::End => (4, 0, ""),
        Mark::Absent => (5, 0, ""),
        Mark::Leaf { start, end } => (6, end - start, super::part(&rendered.body, *start, *end)),
    };
    let mut head = [kind, 0, 0, 0, 0];
    head[1..].copy_from_slice(&number.to_le_bytes());
    hash.update(head);
    hash.update(text);
}

impl fmt::Display for ViewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for ViewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_by_us_is_a_name() {
        let name = ViewName::of(&Rendered::default(), 0, &[]);
        assert_ne!(ViewName::of(&Rendered::default(), 1, &[]), name);
        assert_eq!(ViewName::parse(&name.to_string()), Some(name));
        for junk in [
            "",
            "0",
            "+0000000000000000000000000000000",
            "x".repeat(32).as_str(),
            "0".repeat(33).as_str(),
        ] {
            assert_eq!(ViewName::parse(junk), None, "{junk}");
        }
    }
}
