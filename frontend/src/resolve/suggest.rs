//! Near matches for names that are not known. Must stay true: a suggestion is a name that would work at that place; with
//! equal distance the first in alphabetical order wins, so that messages do not depend on the order of a table.

use foldhash::HashSet;

use crate::hir::EnumIx;
use crate::near::nearest;

use super::names::Item;
use super::{Resolver, library};

/// What kind of name is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Value,
    Function,
    Type,
    Entity,
}

/// Values of other languages, and what they are here.
const VALUES: [(&str, &str); 13] = [
    ("null", "none"),
    ("nil", "none"),
    ("undefined", "none"),
    ("None", "none"),
    ("NULL", "none"),
    ("True", "true"),
    ("False", "false"),
    ("console", "print(…)"),
    ("Math", "max(a, b)` or `a.max(b)`, `floor(x)`, `PI"),
    ("JSON", "to_json(value)` and `parse_json(text)"),
    ("Date", "now` or `parse_time(text)"),
    ("NaN", "0.0 / 0.0"),
    ("Infinity", "1.0 / 0.0"),
];

/// Functions of other languages, and what they are here.
const FUNCTIONS: [(&str, &str); 12] = [
    ("println", "print(…)"),
    ("printf", "print(…)"),
    ("echo", "print(…)"),
    ("alert", "print(…)"),
    ("str", "to_text(…)"),
    ("String", "to_text(…)"),
    ("parseInt", "to_int(…)"),
    ("Number", "to_float(…)"),
    ("parseFloat", "to_float(…)"),
    ("typeof", "type_of(…)"),
    ("raise", "fail(\"Kind\", \"message\")"),
    ("panic", "fail(\"Kind\", \"message\")"),
];

/// What a value of another language is called here.
pub(super) fn value_from_elsewhere(name: &str) -> Option<&'static str> {
    let found = VALUES.iter().find(|(there, _)| *there == name);
    found.map(|(_, here)| *here)
}

/// What a function of another language is called here.
pub(super) fn function_from_elsewhere(name: &str) -> Option<&'static str> {
    let found = FUNCTIONS.iter().find(|(there, _)| *there == name);
    found.map(|(_, here)| *here)
}

/// Names are looked for in that many messages; nobody sees later ones, and each search goes through all names.
const SUGGESTIONS_MAX: usize = 100;
/// Names are compared about that often in one program: with very many names fewer messages have suggestions.
const COMPARED_MAX: usize = 400_000;

impl Resolver<'_> {
    /// The enum that has a variant of this name, if it is only one.
    pub(super) fn enum_with(&self, variant: &str) -> Option<EnumIx> {
        match self.enums_with(variant) {
            [(owner, _)] => Some(*owner),
            _ => None,
        }
    }

    /// The visible name that is nearest to a misspelt one, if any is near.
    pub(super) fn nearest(&self, name: &str, wanted: Wanted) -> Option<String> {
        if self.diagnostics.len() >= SUGGESTIONS_MAX {
            return None;
        }
        let locals = match wanted {
            Wanted::Value | Wanted::Function => self.visible_locals(),
            Wanted::Type | Wanted::Entity => HashSet::default(),
        };
        let mut candidates: Vec<&str> = locals.iter().map(|name| &**name).collect();
        let mut world = Some(self.world);
        while let Some(at) = world {
            let fits = self.worlds[at]
                .names()
                .filter(|(_, item)| fits(*item, wanted));
            candidates.extend(fits.map(|(name, _)| &**name));
            world = self.worlds[at].parent();
        }
        match wanted {
            Wanted::Value | Wanted::Function => {
                library::names().for_each(|name| candidates.push(name));
            }
            Wanted::Type => {
                (super::typenames::BUILT_IN.iter()).for_each(|name| candidates.push(name));
            }
            Wanted::Entity => {}
        }
        if self.diagnostics.len() * candidates.len() >= COMPARED_MAX {
            return None;
        }
        nearest(name, candidates.into_iter()).map(str::to_owned)
    }
}

fn fits(item: Item, wanted: Wanted) -> bool {
    match item {
        Item::Function(_) => matches!(wanted, Wanted::Value | Wanted::Function),
        Item::Var(_) => matches!(wanted, Wanted::Value | Wanted::Function),
        Item::Entity(_) => matches!(wanted, Wanted::Value | Wanted::Type | Wanted::Entity),
        Item::Enum(_) => matches!(wanted, Wanted::Value | Wanted::Type),
        Item::Alias(_) => wanted == Wanted::Type,
        Item::Component(_) => false,
    }
}

/// The nearest of some names, if one is near enough.
pub(super) fn nearest_of<'n>(
    name: &str,
    candidates: impl Iterator<Item = &'n str>,
) -> Option<String> {
    nearest(name, candidates).map(str::to_owned)
}
