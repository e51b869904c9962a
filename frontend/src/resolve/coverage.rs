//! What the arms of a `match` take, for inference to judge. Must stay true: nothing is reported here, since the steps of
//! the arms have reported all mistakes; a pattern with a mistake has no case, and a `match` with one is not judged.

use flin_syntax::ast::{
    ExprKind as Ast, Literal, MapPatternEntry, Name, Pattern, PatternItem, PatternKind,
};
use foldhash::HashSet;

use crate::cases::CasePattern;
use crate::hir::{EnumIx, TypeAnn};

use super::Resolver;
use super::names::Item;
use super::variants::{Capitalised, enums_of};

/// Lengths of lists that the arms so far take whatever they hold.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    exact: HashSet<usize>,
    /// The length from which all are taken.
    from: Option<usize>,
}

impl Lengths {
    /// Whether this list pattern without guard takes all lists that no arm above takes.
    pub(super) fn completed_by(&mut self, pattern: &Pattern) -> bool {
        let PatternKind::List { items, rest } = &pattern.kind else {
            return false;
        };
        let plain = |item: &PatternItem| {
            let kind = &item.pattern.kind;
            item.default.is_none()
                && matches!(kind, PatternKind::Wildcard | PatternKind::Binding(_))
        };
        if !items.iter().all(plain) {
            return false;
        }
        if rest.is_some() {
            self.from = Some(self.from.map_or(items.len(), |from| from.min(items.len())));
        } else {
            self.exact.insert(items.len());
        }
        let all_below = |from: usize| (0..from).all(|length| self.exact.contains(&length));
        self.from.is_some_and(all_below)
    }
}

impl Resolver<'_> {
    /// What a pattern takes; none if there is a mistake in it.
    /// `meant`: the enums that a variant without its enum may belong to.
    pub(super) fn case_of(&mut self, pattern: &Pattern, meant: &[EnumIx]) -> Option<CasePattern> {
        Some(match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Binding(_) => CasePattern::Any,
            PatternKind::Error | PatternKind::Place(_) => return None,
            PatternKind::Typed { ty, .. } => CasePattern::Typed(self.tested_type(ty)),
            PatternKind::Literal(literal) => literal_case(literal),
            PatternKind::Range {
                start,
                end,
                inclusive,
            } => {
                let (start, end) = (literal_case(start), literal_case(end));
                CasePattern::Between(Box::new(start), Box::new(end), *inclusive)
            }
            PatternKind::Variant {
                enum_name,
                name,
                payload,
            } => self.variant_case(enum_name.as_ref(), name, payload.as_deref(), meant)?,
            PatternKind::List { items, rest } => CasePattern::List {
                needed: items
                    .iter()
                    .take_while(|item| item.default.is_none())
                    .count(),
                items: self.item_cases(items)?,
                rest: rest.is_some(),
            },
            PatternKind::Tuple(items) => CasePattern::Tuple(self.item_cases(items)?),
            PatternKind::Map {
                type_name: None,
                entries,
                ..
            } => CasePattern::Map(self.entry_cases(entries, CasePattern::Some)?),
            PatternKind::Map {
                type_name: Some(name),
                entries,
                ..
            } => {
                let entity = self.entity_named(name)?;
                CasePattern::Entity(entity, self.entry_cases(entries, CasePattern::Any)?)
            }
            PatternKind::Or(choices) => CasePattern::Or(
                choices
                    .iter()
                    .map(|choice| self.case_of(choice, meant))
                    .collect::<Option<_>>()?,
            ),
        })
    }

    fn variant_case(
        &mut self,
        enum_name: Option<&Name>,
        name: &Name,
        payload: Option<&[Pattern]>,
        meant: &[EnumIx],
    ) -> Option<CasePattern> {
        Some(match self.capitalised_pattern(enum_name, name, meant) {
            Capitalised::Variants(found) => {
                let mut cases = Vec::with_capacity(found.len());
                for (at, number) in found {
                    let types = self.enums[at.index()].variants[number as usize].1.clone();
                    let data = match payload {
                        None => vec![CasePattern::Any; types.len()],
                        Some(payload) if payload.len() == types.len() => {
                            let mut data = Vec::with_capacity(types.len());
                            for (part, ty) in payload.iter().zip(&types) {
                                let mut meant = Vec::new();
                                enums_of(ty, &mut meant);
                                data.push(self.case_of(part, &meant)?);
                            }
                            data
                        }
                        Some(_) => continue,
                    };
                    cases.push(CasePattern::Variant(at, number, data));
                }
                match cases.len() {
                    0 => return None,
                    1 => cases.remove(0),
                    _ => CasePattern::Or(cases),
                }
            }
            Capitalised::Type(ty) => CasePattern::Typed(ty),
            Capitalised::Constant => self.constant_case(name),
            Capitalised::Unknown => return None,
        })
    }

    /// A constant takes its value, where it is written out as a literal or a variant.
    fn constant_case(&self, name: &Name) -> CasePattern {
        let value = match self.top(&name.text) {
            Some(Item::Var(var)) if self.search(&name.text).is_none() => {
                self.constant_values.get(&var)
            }
            _local => None,
        };
        let variant = |at: EnumIx, name: &Name| {
            let variants = &self.enums[at.index()].variants;
            let number = variants.iter().position(|(known, _)| **known == *name.text);
            match number.filter(|number| variants[*number].1.is_empty()) {
                Some(number) => CasePattern::Variant(at, number as u32, Vec::new()),
                None => CasePattern::Unsure,
            }
        };
        match value.map(|value| &value.kind) {
            Some(Ast::None) => CasePattern::Typed(TypeAnn::None),
            Some(Ast::Bool(value)) => CasePattern::Bool(*value),
            Some(Ast::Int(value)) => CasePattern::Int(*value),
            Some(Ast::TypeName(name)) if self.top(&name.text).is_none() => {
                match self.enum_with(&name.text) {
                    Some(at) => variant(at, name),
                    None => CasePattern::Unsure,
                }
            }
            Some(Ast::Field { object, name, .. }) => match &object.kind {
                Ast::TypeName(owner) => match self.top(&owner.text) {
                    Some(Item::Enum(at)) => variant(at, name),
                    _other => CasePattern::Unsure,
                },
                _other => CasePattern::Unsure,
            },
            _other => CasePattern::Unsure,
        }
    }

    /// A default stands for none and for what is absent.
    fn item_cases(&mut self, items: &[PatternItem]) -> Option<Vec<CasePattern>> {
        items
            .iter()
            .map(|item| {
                let case = self.case_of(&item.pattern, &[])?;
                let known = item.default.is_none() || case.is_any();
                Some(if known { case } else { CasePattern::Unsure })
            })
            .collect()
    }

    /// `whole` is what a key takes that is only named.
    fn entry_cases(
        &mut self,
        entries: &[MapPatternEntry],
        whole: CasePattern,
    ) -> Option<Vec<(String, CasePattern)>> {
        let mut cases: Vec<(String, CasePattern)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let case = self.case_of(&entry.pattern, &[])?;
            let plain = matches!(
                entry.pattern.kind,
                PatternKind::Wildcard | PatternKind::Binding(_)
            );
            let case = match &entry.default {
                None if plain => whole.clone(),
                None => case,
                Some(_) if case.is_any() => CasePattern::Any,
                Some(_) => CasePattern::Unsure,
            };
            match cases.iter_mut().find(|known| *known.0 == *entry.key.text) {
                Some(twice) => twice.1 = CasePattern::Unsure,
                None => cases.push((entry.key.text.to_string(), case)),
            }
        }
        Some(cases)
    }

    /// A value that a pattern that may not fit does not take, as words; none if the pattern alone does not tell.
    pub(super) fn refused_by(&mut self, pattern: &Pattern) -> Option<String> {
        let at_variant = |this: &Self, at: EnumIx, taken: &[u32]| {
            let variants = &this.enums[at.index()].variants;
            let open = (0..variants.len()).find(|n| !taken.contains(&(*n as u32)))?;
            let (name, data) = &variants[open];
            Some(match data.len() {
                0 => name.clone(),
                count => format!("{name}({})", vec!["_"; count].join(", ")),
            })
        };
        match self.case_of(pattern, &[])? {
            CasePattern::Variant(at, number, data) => {
                let other = at_variant(self, at, &[number]);
                other.filter(|_| data.iter().all(CasePattern::is_any))
            }
            CasePattern::Or(choices) => {
                let mut taken = Vec::new();
                let mut of = None;
                for choice in &choices {
                    let CasePattern::Variant(at, number, _) = choice else {
                        return None;
                    };
                    of = Some(*at);
                    taken.push(*number);
                }
                at_variant(self, of?, &taken)
            }
            CasePattern::Bool(value) => Some((!value).to_string()),
            CasePattern::Any
            | CasePattern::Some
            | CasePattern::Unsure
            | CasePattern::Int(_)
            | CasePattern::Float(_)
            | CasePattern::Text(_)
            | CasePattern::Between(..)
            | CasePattern::Typed(_)
            | CasePattern::List { .. }
            | CasePattern::Tuple(_)
            | CasePattern::Map(_)
            | CasePattern::Entity(..) => None,
        }
    }
}

fn literal_case(literal: &Literal) -> CasePattern {
    match literal {
        Literal::None => CasePattern::Typed(TypeAnn::None),
        Literal::Bool(value) => CasePattern::Bool(*value),
        Literal::Int(value) => CasePattern::Int(*value),
        Literal::Float(value) => CasePattern::Float(*value),
        Literal::Text(value) => CasePattern::Text(value.to_string()),
    }
}
