//! Capitalised names in patterns: variants of enums, types and constants. Must stay true: a capitalised name is never
//! bound; a variant without its enum is accepted only if one enum has it.

use flin_syntax::ast::{Name, Pattern};
use flin_syntax::{Code, Diagnostic};

use crate::hir::{BinOp, EnumIx, ExprKind, LocalId, TypeAnn};

use super::Resolver;
use super::matching::{Names, Step};
use super::names::Item;
use super::typenames::count_of;

/// What a capitalised name in a pattern means.
enum Capitalised {
    Variant(EnumIx, u32),
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
        match self.capitalised_pattern(enum_name, name) {
            Capitalised::Variant(at, number) => {
                let value = self.emit(ExprKind::Local(from), span);
                out.push(Step::Check(
                    self.emit(ExprKind::IsVariant(value, at, number), span),
                ));
                let Some(payload) = payload else { return };
                let expected = self.enums[at.index()].variants[number as usize].1.len();
                if expected != payload.len() {
                    self.payload_count(at, name, expected, payload.len());
                    return self.unknown_data(payload, names, out);
                }
                for (field, pattern) in payload.iter().enumerate() {
                    let value = self.emit(ExprKind::Local(from), pattern.span);
                    let kind = ExprKind::VariantData(value, at, number, field as u32);
                    let value = self.emit(kind, pattern.span);
                    self.part_steps(pattern, value, names, out);
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

    /// Binds the names in the data of a pattern that is wrong: that they exist is known, though not what they hold.
    fn unknown_data(&mut self, payload: &[Pattern], names: &mut Names, out: &mut Vec<Step>) {
        for pattern in payload {
            let value = self.error(pattern.span);
            self.part_steps(pattern, value, names, out);
        }
    }

    fn payload_count(&mut self, at: EnumIx, name: &Name, expected: usize, found: usize) {
        self.report(
            Diagnostic::error(
                Code::VariantData,
                name.span,
                format!(
                    "`{}` holds {}, found {found}",
                    name.text,
                    count_of(expected, "value")
                ),
            )
            .also(self.enums[at.index()].span, "declared here"),
        );
    }

    /// What a capitalised name in a pattern means; an unknown one is reported.
    fn capitalised_pattern(&mut self, enum_name: Option<&Name>, name: &Name) -> Capitalised {
        if let Some(enum_name) = enum_name {
            return match self.top(&enum_name.text) {
                Some(Item::Enum(at)) => match self.variant_number(at, name) {
                    Some((number, _)) => Capitalised::Variant(at, number),
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
            Some(Item::Function(_) | Item::Alias(_) | Item::Component) | None => {}
        }
        if self.search(&name.text).is_some() {
            return Capitalised::Constant;
        }
        let found = self.enums_with(&name.text);
        if let [(at, number)] = found {
            return Capitalised::Variant(*at, *number);
        }
        let is_known = !found.is_empty();
        let names: Vec<&String> = self
            .enums
            .iter()
            .flat_map(|it| it.variants.iter().map(|(name, _)| name))
            .collect();
        let near = super::suggest::nearest_of(&name.text, names.into_iter().map(String::as_str));
        let mut diagnostic = Diagnostic::error(
            Code::UnknownVariant,
            name.span,
            if !is_known {
                format!("no enum has a variant `{}`", name.text)
            } else {
                format!("several enums have a variant `{}`", name.text)
            },
        );
        diagnostic = match (!is_known, near) {
            (true, Some(near)) => diagnostic.hint(format!("did you mean `{near}`?")),
            (true, None) => diagnostic.hint("names that are bound begin with a small letter"),
            (false, _) => diagnostic.hint(format!("write the enum too: `Name.{}`", name.text)),
        };
        if !self.lost_enum {
            self.report_missing(name, diagnostic);
        }
        Capitalised::Unknown
    }

    /// Enums with a variant of this name.
    pub(super) fn enums_with(&self, variant: &str) -> &[(EnumIx, u32)] {
        self.variants.get(variant).map_or(&[], Vec::as_slice)
    }
}
