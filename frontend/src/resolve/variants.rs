//! Capitalised names in patterns: variants of enums, types and constants. Must stay true: a capitalised name is never
//! bound; a variant without its enum fits the variant of that name of whichever enum the
//! value is of.

use flin_syntax::ast::{MatchArm, Name, Pattern, PatternKind, TypeKind};
use flin_syntax::{Code, Diagnostic};

use crate::hir::{BinOp, EnumIx, ExprId, ExprKind, LocalId, TypeAnn};

use super::Resolver;
use super::matching::{Names, Step};
use super::names::Item;
use super::typenames::count_of;

/// What a capitalised name in a pattern means.
pub(super) enum Capitalised {
    /// The enums and their variant of that name: one, unless nothing tells which is meant.
    Variants(Vec<(EnumIx, u32)>),
    Type(TypeAnn),
    Constant,
    Unknown,
}

impl Resolver<'_> {
    pub(super) fn variant_steps(
        &mut self,
        enum_name: Option<&Name>,
        name: &Name,
        payload: Option<&[Pattern]>,
        from: LocalId,
        names: &mut Names,
        out: &mut Vec<Step>,
    ) {
        let span = enum_name.map_or(name.span, |it| it.span.to(name.span));
        match self.capitalised_pattern(enum_name, name, &names.meant) {
            Capitalised::Variants(found) => {
                let checks: Vec<ExprId> = found
                    .iter()
                    .map(|(at, number)| {
                        let value = self.emit(ExprKind::Local(from), span);
                        self.emit(ExprKind::IsVariant(value, *at, *number), span)
                    })
                    .collect();
                out.push(Step::Check(self.any_of(&checks, span)));
                if let Some(payload) = payload {
                    self.payload_steps(name, payload, &found, from, names, out);
                }
            }
            Capitalised::Type(ty) => self.check_type(from, ty, span, out),
            Capitalised::Constant => {
                let value = self.emit(ExprKind::Local(from), span);
                let constant = self.read_plain(name);
                out.push(Step::Check(
                    self.emit(ExprKind::Binary(BinOp::Eq, value, constant), span),
                ));
            }
            Capitalised::Unknown => {
                out.push(Step::Check(self.error(span)));
                self.unknown_data(payload.unwrap_or(&[]), names, out);
            }
        }
    }

    fn payload_steps(
        &mut self,
        name: &Name,
        payload: &[Pattern],
        found: &[(EnumIx, u32)],
        from: LocalId,
        names: &mut Names,
        out: &mut Vec<Step>,
    ) {
        let held = |it: &Self, (at, number): (EnumIx, u32)| {
            it.enums[at.index()].variants[number as usize].1.len()
        };
        let fitting: Vec<(EnumIx, u32)> = found
            .iter()
            .copied()
            .filter(|one| held(self, *one) == payload.len())
            .collect();
        let Some((last, others)) = fitting.split_last() else {
            if let Some(one) = found.first() {
                self.payload_count(one.0, name, held(self, *one), payload);
            }
            // `Rect(w h)` lacks a comma: what else seems wrong in the data follows from that.
            let told = self.diagnostics.len();
            self.unknown_data(payload, names, out);
            self.diagnostics.truncate(told);
            return;
        };
        for (field, pattern) in payload.iter().enumerate() {
            let mut meant = Vec::new();
            let mut data = |it: &mut Self, (at, number): (EnumIx, u32)| {
                let ty = &it.enums[at.index()].variants[number as usize].1[field];
                enums_of(ty, &mut meant);
                let value = it.emit(ExprKind::Local(from), pattern.span);
                it.emit(
                    ExprKind::VariantData(value, at, number, field as u32),
                    pattern.span,
                )
            };
            let mut value = data(self, *last);
            for one in others.iter().rev() {
                let then = data(self, *one);
                let tested = self.emit(ExprKind::Local(from), pattern.span);
                let cond = self.emit(ExprKind::IsVariant(tested, one.0, one.1), pattern.span);
                let otherwise = Some(value);
                value = self.emit(
                    ExprKind::If {
                        cond,
                        then,
                        otherwise,
                    },
                    pattern.span,
                );
            }
            self.part_steps(pattern, (value, meant), names, out);
        }
    }

    /// Binds the names in the data of a pattern that is wrong: that they exist is known, though not what they hold.
    fn unknown_data(&mut self, payload: &[Pattern], names: &mut Names, out: &mut Vec<Step>) {
        for pattern in payload {
            let value = self.error(pattern.span);
            self.part_steps(pattern, (value, Vec::new()), names, out);
        }
    }

    fn payload_count(&mut self, at: EnumIx, name: &Name, expected: usize, payload: &[Pattern]) {
        let held = count_of(expected, "value");
        let title = format!("`{}` holds {held}, found {}", name.text, payload.len());
        let mut diagnostic = Diagnostic::error(Code::VariantData, name.span, title)
            .also(self.enums[at.index()].span, "declared here");
        let unknown = payload.iter().find_map(|part| match &part.kind {
            PatternKind::Typed { ty, name } => match &ty.kind {
                TypeKind::Named { name: first, .. }
                    if super::typenames::built_in(&first.text).is_none() =>
                {
                    Some((first, name))
                }
                _other => None,
            },
            _other => None,
        });
        if let Some((first, second)) = unknown.filter(|_| payload.len() < expected) {
            let words = (&first.text, &second.text);
            diagnostic = diagnostic.hint(format!("is a comma missing? `{}, {}`", words.0, words.1));
        }
        self.report(diagnostic);
    }

    /// What a capitalised name in a pattern means; an unknown one is reported.
    pub(super) fn capitalised_pattern(
        &mut self,
        enum_name: Option<&Name>,
        name: &Name,
        meant: &[EnumIx],
    ) -> Capitalised {
        if let Some(enum_name) = enum_name {
            return match self.top(&enum_name.text) {
                Some(Item::Enum(at)) => match self.variant_number(at, name) {
                    Some((number, _)) => Capitalised::Variants(vec![(at, number)]),
                    None => Capitalised::Unknown,
                },
                _ => {
                    let enums = self.enums.iter().map(|it| it.name.as_str());
                    let near = super::suggest::nearest_of(&enum_name.text, enums);
                    let mut diagnostic = Diagnostic::error(
                        Code::UnknownType,
                        enum_name.span,
                        format!("there is no enum `{}`", enum_name.text),
                    );
                    diagnostic.hint = near.map(|near| format!("did you mean `{near}`?"));
                    self.report_missing(enum_name, diagnostic);
                    Capitalised::Unknown
                }
            };
        }
        match self.top(&name.text) {
            Some(Item::Entity(entity)) => return Capitalised::Type(TypeAnn::Entity(entity)),
            Some(Item::Enum(at)) => return Capitalised::Type(self.any_enum(at)),
            Some(Item::Var(_)) => return Capitalised::Constant,
            Some(Item::Function(_) | Item::Alias(_) | Item::Component(_)) | None => {}
        }
        if self.search(&name.text).is_some() {
            return Capitalised::Constant;
        }
        let found = self.enums_meant(&name.text, meant);
        if !found.is_empty() {
            return Capitalised::Variants(found);
        }
        let names: Vec<&String> = self
            .enums
            .iter()
            .flat_map(|it| it.variants.iter().map(|(name, _)| name))
            .collect();
        let near = super::suggest::nearest_of(&name.text, names.into_iter().map(String::as_str));
        let mut diagnostic = Diagnostic::error(
            Code::UnknownVariant,
            name.span,
            format!("no enum has a variant `{}`", name.text),
        );
        diagnostic = match near {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint("names that are bound begin with a small letter"),
        };
        if !self.lost.has_enum {
            self.report_missing(name, diagnostic);
        }
        Capitalised::Unknown
    }

    /// The enums that a variant without its enum may belong to: of those meant if they have it, else of all.
    pub(super) fn enums_meant(&self, variant: &str, meant: &[EnumIx]) -> Vec<(EnumIx, u32)> {
        let found = self.enums_with(variant);
        let fits = |one: &&(EnumIx, u32)| meant.contains(&one.0);
        match found.iter().filter(fits).copied().collect::<Vec<_>>() {
            none if none.is_empty() => found.to_vec(),
            some => some,
        }
    }

    /// The enums that the value of a match may be of: those it is declared as, else those that have all the variants
    /// which the arms name.
    pub(super) fn meant_enums(&self, value: ExprId, arms: &[MatchArm]) -> Vec<EnumIx> {
        let (mut bare, mut named) = (Vec::new(), Vec::new());
        for arm in arms {
            self.variants_of(&arm.pattern, &mut bare, &mut named);
        }
        let mut enums = Vec::new();
        if let Some(ty) = self.declared_type(value) {
            enums_of(&ty, &mut enums);
        }
        let declared = !enums.is_empty();
        if !declared {
            let of_bare = bare.iter().flat_map(|name| self.enums_with(name));
            enums = of_bare.map(|one| one.0).collect();
            if enums.iter().any(|at| named.contains(at)) {
                enums.retain(|at| named.contains(at));
            }
        }
        let has_all = |at: &EnumIx| {
            let has = |name: &&str| self.enums_with(name).iter().any(|one| one.0 == *at);
            bare.iter().all(has)
        };
        if enums.iter().any(has_all) {
            enums.retain(has_all);
        }
        enums.sort_unstable();
        enums.dedup();
        enums
    }

    /// The variants that a pattern names without their enum, and the enums that it names.
    fn variants_of<'p>(
        &self,
        pattern: &'p Pattern,
        bare: &mut Vec<&'p str>,
        named: &mut Vec<EnumIx>,
    ) {
        match &pattern.kind {
            PatternKind::Or(choices) => {
                for choice in choices {
                    self.variants_of(choice, bare, named);
                }
            }
            PatternKind::Variant {
                enum_name, name, ..
            } => match enum_name.as_ref().map(|it| self.top(&it.text)) {
                Some(Some(Item::Enum(at))) => named.push(at),
                Some(_) => {}
                None if self.top(&name.text).is_none()
                    && !self.enums_with(&name.text).is_empty() =>
                {
                    bare.push(&name.text);
                }
                None => {}
            },
            PatternKind::Wildcard
            | PatternKind::Binding(_)
            | PatternKind::Place(_)
            | PatternKind::Typed { .. }
            | PatternKind::Literal(_)
            | PatternKind::Range { .. }
            | PatternKind::List { .. }
            | PatternKind::Map { .. }
            | PatternKind::Tuple(_)
            | PatternKind::Error => {}
        }
    }

    /// What a variable, or a field of a declared record, is declared as.
    fn declared_type(&self, value: ExprId) -> Option<TypeAnn> {
        let frame = self.frame();
        if let ExprKind::Local(local) = &frame.exprs[value.index()].kind {
            return frame.locals[local.index()].annotation.clone();
        }
        if let ExprKind::Global(global) = &frame.exprs[value.index()].kind {
            return self.vars.get(global.index())?.annotation.clone();
        }
        let ExprKind::Field { recv, name, .. } = &frame.exprs[value.index()].kind else {
            return None;
        };
        let TypeAnn::Entity(entity) = self.declared_type(*recv)? else {
            return None;
        };
        let fields = &self.entities[entity.index()].fields;
        let field = fields.iter().find(|field| field.name == *name)?;
        Some(field.ty.clone())
    }

    /// Enums with a variant of this name.
    pub(super) fn enums_with(&self, variant: &str) -> &[(EnumIx, u32)] {
        self.variants.get(variant).map_or(&[], Vec::as_slice)
    }
}

/// The enums that values of a type may be of.
pub(super) fn enums_of(ty: &TypeAnn, out: &mut Vec<EnumIx>) {
    match ty {
        TypeAnn::Enum(at, _) => out.push(*at),
        TypeAnn::Optional(inner) => enums_of(inner, out),
        TypeAnn::Union(members) => members.iter().for_each(|member| enums_of(member, out)),
        TypeAnn::Any
        | TypeAnn::None
        | TypeAnn::Int
        | TypeAnn::Float
        | TypeAnn::Bool
        | TypeAnn::Text
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response
        | TypeAnn::List(_)
        | TypeAnn::Map(..)
        | TypeAnn::Tuple(_)
        | TypeAnn::Func(..)
        | TypeAnn::Entity(_)
        | TypeAnn::Var(_) => {}
    }
}
