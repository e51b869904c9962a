//! Which values the arms of a `match` cover, as far as the patterns alone tell. Must stay true: what is called covered is
//! covered; what needs types to be judged is left to inference.

use flin_syntax::ast::{Literal, Pattern, PatternItem, PatternKind};
use foldhash::HashSet;

use crate::hir::EnumIx;

use super::Resolver;
use super::names::Item;

/// What the arms seen so far cover.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// What variants without their enum belong to.
    meant: Meant,
    total: bool,
    variants: HashSet<(EnumIx, u32)>,
    enums: Vec<EnumIx>,
    yes: bool,
    no: bool,
    /// There are type, list, map or none patterns.
    types: bool,
    literals: bool,
    /// Lengths of lists that are taken whatever they hold, and the length from which all are.
    lengths: HashSet<usize>,
    lengths_from: Option<usize>,
    /// An arm holds a mistake that is reported already.
    excused: bool,
}

/// The enums that the value of a match may be of; none if nothing tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Meant {
    pub(super) enums: Vec<EnumIx>,
    /// The value is declared so; else the arms tell.
    pub(super) declared: bool,
}

/// What is not covered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Nothing,
    /// Inference must say.
    ForTypes,
    /// These cases, as words.
    Cases(String),
}

impl Coverage {
    pub(super) fn new(meant: &Meant) -> Coverage {
        Coverage {
            meant: meant.clone(),
            ..Coverage::default()
        }
    }

    pub(super) fn is_total(&self) -> bool {
        self.total
    }

    /// Adds an arm without guard.
    pub(super) fn add(&mut self, pattern: &Pattern, resolver: &Resolver) {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Binding(_) => self.total = true,
            PatternKind::Error | PatternKind::Place(_) => self.excused = true,
            PatternKind::Literal(Literal::Bool(true)) => self.yes = true,
            PatternKind::Literal(Literal::Bool(false)) => self.no = true,
            PatternKind::Variant {
                enum_name,
                name,
                payload,
            } => {
                let named = enum_name.as_ref().map(|it| resolver.top(&it.text));
                let found = match named {
                    Some(_) => resolver.enums_with(&name.text).to_vec(),
                    None => resolver.enums_meant(&name.text, &self.meant.enums),
                };
                let mut hits = found.into_iter().filter(|(at, _)| match named {
                    Some(item) => item == Some(Item::Enum(*at)),
                    None => resolver.top(&name.text).is_none(),
                });
                match hits.next() {
                    Some(first) => {
                        for (at, number) in std::iter::once(first).chain(hits) {
                            self.note_enum(at);
                            if payload.iter().flatten().all(always_fits) {
                                self.variants.insert((at, number));
                            }
                        }
                    }
                    None if resolver.is_visible(&name.text) => self.types = true,
                    None => self.excused = true,
                }
            }
            PatternKind::Or(choices) => {
                choices.iter().for_each(|choice| self.add(choice, resolver))
            }
            PatternKind::Typed { .. }
            | PatternKind::Literal(_)
            | PatternKind::Range { .. }
            | PatternKind::List { .. }
            | PatternKind::Map { .. }
            | PatternKind::Tuple(_) => self.add_guarded(pattern),
        }
    }

    /// Whether this list pattern without guard takes all lists that no arm above takes.
    pub(super) fn completes_lists(&mut self, pattern: &Pattern) -> bool {
        let PatternKind::List { items, rest } = &pattern.kind else {
            return false;
        };
        let plain = |item: &PatternItem| item.default.is_none() && always_fits(&item.pattern);
        if !items.iter().all(plain) {
            return false;
        }
        if rest.is_some() {
            let from = self
                .lengths_from
                .map_or(items.len(), |from| from.min(items.len()));
            self.lengths_from = Some(from);
        } else {
            self.lengths.insert(items.len());
        }
        let all_below = |from: usize| (0..from).all(|length| self.lengths.contains(&length));
        self.lengths_from.is_some_and(all_below)
    }

    /// Adds an arm that may be refused by its guard.
    pub(super) fn add_guarded(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Typed { .. }
            | PatternKind::List { .. }
            | PatternKind::Map { .. }
            | PatternKind::Tuple(_)
            | PatternKind::Literal(Literal::None)
            | PatternKind::Variant { .. } => self.types = true,
            PatternKind::Literal(_) | PatternKind::Range { .. } => self.literals = true,
            PatternKind::Or(choices) => choices.iter().for_each(|choice| self.add_guarded(choice)),
            PatternKind::Wildcard
            | PatternKind::Binding(_)
            | PatternKind::Place(_)
            | PatternKind::Error => {}
        }
    }

    fn note_enum(&mut self, at: EnumIx) {
        if !self.enums.contains(&at) {
            self.enums.push(at);
        }
    }

    /// What the arms leave open.
    pub(super) fn missing(&self, resolver: &Resolver) -> Missing {
        if self.total || self.excused {
            return Missing::Nothing;
        }
        let possible = self.possible_enums();
        if !possible.is_empty() {
            let open: Vec<Vec<String>> = possible
                .iter()
                .map(|at| {
                    let def = &resolver.enums[at.index()];
                    let open = self.open_variants(*at, resolver);
                    open.map(|name| format!("`{}.{name}`", def.name)).collect()
                })
                .collect();
            // Which of several enums a value is of that was not declared, the arms can only guess.
            let guessed = !self.meant.declared && self.meant.enums.len() > 1;
            let covered = if guessed {
                open.iter().any(Vec::is_empty)
            } else {
                open.iter().all(Vec::is_empty)
            };
            return if covered {
                Missing::Nothing
            } else {
                Missing::Cases(open.concat().join(", "))
            };
        }
        match (self.yes, self.no, self.types) {
            (true, true, _) => Missing::Nothing,
            (true, false, false) if !self.literals => Missing::Cases("`false`".to_owned()),
            (false, true, false) if !self.literals => Missing::Cases("`true`".to_owned()),
            (_, _, true) => Missing::ForTypes,
            (_, _, false) => Missing::Cases("every value".to_owned()),
        }
    }

    /// The enums that arms name, without those that the value is declared not to be of.
    fn possible_enums(&self) -> Vec<EnumIx> {
        let fits = |at: &&EnumIx| !self.meant.declared || self.meant.enums.contains(at);
        self.enums.iter().filter(fits).copied().collect()
    }

    /// The names of the variants that no arm takes.
    fn open_variants<'r>(
        &'r self,
        at: EnumIx,
        resolver: &'r Resolver,
    ) -> impl Iterator<Item = &'r String> {
        let variants = resolver.enums[at.index()].variants.iter().enumerate();
        variants
            .filter(move |(number, _)| !self.variants.contains(&(at, *number as u32)))
            .map(|(_, (name, _))| name)
    }

    /// The pattern of the first variant that no arm takes.
    pub(super) fn open_arm(&self, resolver: &Resolver) -> Option<String> {
        let possible = self.possible_enums();
        let [at] = possible.as_slice() else {
            return None;
        };
        let def = &resolver.enums[at.index()];
        let open = self.open_variants(*at, resolver).next()?;
        let (name, data) = def.variants.iter().find(|(name, _)| name == open)?;
        Some(match data.len() {
            0 => name.clone(),
            count => format!("{name}({})", vec!["_"; count].join(", ")),
        })
    }
}

/// Whether a pattern takes every value.
fn always_fits(pattern: &Pattern) -> bool {
    match &pattern.kind {
        PatternKind::Wildcard | PatternKind::Binding(_) | PatternKind::Error => true,
        PatternKind::Or(choices) => choices.iter().any(always_fits),
        PatternKind::Place(_)
        | PatternKind::Typed { .. }
        | PatternKind::Literal(_)
        | PatternKind::Range { .. }
        | PatternKind::Variant { .. }
        | PatternKind::List { .. }
        | PatternKind::Map { .. }
        | PatternKind::Tuple(_) => false,
    }
}
