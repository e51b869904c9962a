//! Decorators of entity fields: validators and marks. Must stay true: one table names every decorator with its arguments and
//! the types it fits; what the table refuses is reported with what it expects.

use flin_bytecode::module::{OnDelete, Rule};
use flin_syntax::ast::{Decorator, Expr, ExprKind as Ast, TextPart, UnaryOp};
use flin_syntax::{Code, Diagnostic};

use crate::hir::{EntityIx, FnKind, Param, TypeAnn};

use super::Resolver;
use super::scope::{FrameHead, Implicit, Link, Place};
use super::suggest::nearest_of;

/// What a decorator is applied to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fits {
    Every,
    Text,
    Number,
    /// By value or by length.
    Measured,
    /// What has a length.
    Sized,
    Link,
}

/// What stands between the parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Number,
    Length,
    Text,
    Texts,
    Names,
    Expression,
}

/// The arguments, read.
enum Given {
    Nothing,
    Number(f64),
    Length(u32),
    Text(String),
    Texts(Vec<String>),
}

/// The decorator that makes a field a list of the records that link here.
pub(super) const INVERSE: &str = "inverse";
/// The decorator that says former names.
pub(super) const WAS: &str = "was";
/// The decorator that says how much history an entity keeps.
pub(super) const KEEP: &str = "keep";

const TABLE: &[(&str, Fits, Takes)] = &[
    ("required", Fits::Every, Takes::Nothing),
    ("unique", Fits::Every, Takes::Nothing),
    ("index", Fits::Every, Takes::Nothing),
    ("hidden", Fits::Every, Takes::Nothing),
    ("immutable", Fits::Every, Takes::Nothing),
    ("min", Fits::Measured, Takes::Number),
    ("max", Fits::Measured, Takes::Number),
    ("minLength", Fits::Sized, Takes::Length),
    ("maxLength", Fits::Sized, Takes::Length),
    ("positive", Fits::Number, Takes::Nothing),
    ("email", Fits::Text, Takes::Nothing),
    ("url", Fits::Text, Takes::Nothing),
    ("pattern", Fits::Text, Takes::Text),
    ("one_of", Fits::Every, Takes::Texts),
    ("check", Fits::Every, Takes::Expression),
    ("default", Fits::Every, Takes::Expression),
    ("on_delete", Fits::Link, Takes::Text),
    (WAS, Fits::Every, Takes::Names),
    (INVERSE, Fits::Every, Takes::Expression),
];

impl Resolver<'_> {
    /// `@default(expr)`: the expression, unless there is a default already.
    pub(super) fn default_decorator<'d>(
        &mut self,
        decorator: &'d Decorator,
        known: Option<&'d Expr>,
    ) -> Option<&'d Expr> {
        if let Some(known) = known {
            self.report(
                Diagnostic::error(
                    Code::BadDecorator,
                    decorator.span,
                    "this field has two default values",
                )
                .also(known.span, "the first one"),
            );
            return Some(known);
        }
        match decorator.args.as_slice() {
            [one] => Some(&one.value),
            _ => {
                self.bad_arguments(decorator, Takes::Expression);
                None
            }
        }
    }

    /// Any other decorator of field `number`.
    pub(super) fn decorator(
        &mut self,
        entity: EntityIx,
        number: usize,
        decorator: &Decorator,
        ty: Option<&TypeAnn>,
    ) {
        let name = &*decorator.name.text;
        let Some((_, fits, takes)) = TABLE.iter().find(|(known, _, _)| *known == name) else {
            return self.unknown_decorator(decorator);
        };
        if ty.is_some_and(|ty| !fits_type(*fits, ty)) {
            return self.wrong_type(decorator, *fits);
        }
        if *takes == Takes::Expression {
            return self.expression_decorator(entity, number, decorator);
        }
        let Some(given) = read(decorator, *takes) else {
            return self.bad_arguments(decorator, *takes);
        };
        self.apply(entity, number, decorator, given);
    }

    fn apply(&mut self, entity: EntityIx, number: usize, decorator: &Decorator, given: Given) {
        let name = &*decorator.name.text;
        let on_delete = match (name, &given) {
            ("on_delete", Given::Text(what)) => match what.as_str() {
                "restrict" => Some(OnDelete::Restrict),
                "set_none" => Some(OnDelete::SetNone),
                "cascade" => Some(OnDelete::Cascade),
                _ => return self.bad_on_delete(decorator),
            },
            _ => None,
        };
        if let (WAS, Given::Texts(names)) = (name, &given) {
            self.entities[entity.index()].fields[number]
                .was
                .extend_from_slice(names);
            return;
        }
        let field = &mut self.entities[entity.index()].fields[number];
        match name {
            "unique" => field.unique = true,
            "index" => field.index = true,
            "hidden" => field.hidden = true,
            _ => {}
        }
        if let Some(on_delete) = on_delete {
            field.on_delete = on_delete;
        }
        let rule = match (name, given) {
            ("required", _) => Some(Rule::Required),
            ("immutable", _) => Some(Rule::Immutable),
            ("positive", _) => Some(Rule::Positive),
            ("email", _) => Some(Rule::Email),
            ("url", _) => Some(Rule::Url),
            ("min", Given::Number(least)) => Some(Rule::Min(least)),
            ("max", Given::Number(most)) => Some(Rule::Max(most)),
            ("minLength", Given::Length(least)) => Some(Rule::MinLength(least)),
            ("maxLength", Given::Length(most)) => Some(Rule::MaxLength(most)),
            ("pattern", Given::Text(pattern)) => Some(Rule::Pattern(pattern)),
            ("one_of", Given::Texts(values)) => Some(Rule::OneOf(values)),
            _ => None,
        };
        field.rules.extend(rule);
    }

    fn bad_on_delete(&mut self, decorator: &Decorator) {
        self.report(
            Diagnostic::error(
                Code::BadDecorator,
                decorator.span,
                "`@on_delete` knows three ways",
            )
            .hint("write \"restrict\", \"set_none\" or \"cascade\""),
        );
    }

    /// `@check(expr)`.
    fn expression_decorator(&mut self, entity: EntityIx, number: usize, decorator: &Decorator) {
        let [one] = decorator.args.as_slice() else {
            return self.bad_arguments(decorator, Takes::Expression);
        };
        let (def, id) = (&self.entities[entity.index()], self.functions.len());
        let name = format!("check of {}.{}", def.name, def.fields[number].name);
        let id_checked = self.reserve();
        debug_assert_eq!(id_checked.index(), id);
        self.open(
            id_checked,
            FrameHead {
                name,
                span: decorator.span,
                kind: FnKind::Internal,
                place: Place::Check,
                link: Link::Root,
            },
        );
        let annotation = Some(TypeAnn::Entity(entity));
        let it = self
            .frame_mut()
            .add_local("it", decorator.span, annotation.clone());
        self.frame_mut().params.push(Param {
            local: it,
            annotation,
            default: None,
        });
        self.frame_mut().implicit = Some(Implicit {
            it,
            entity: Some(entity),
            ambiguous: false,
        });
        let body = self.expr(&one.value);
        self.close(body);
        self.entities[entity.index()].fields[number]
            .checks
            .push(id_checked);
    }

    fn unknown_decorator(&mut self, decorator: &Decorator) {
        if &*decorator.name.text == KEEP {
            self.report(
                Diagnostic::error(
                    Code::BadDecorator,
                    decorator.span,
                    "`@keep` is about whole records, not about a field",
                )
                .hint(
                    "write it behind the name of the entity: `entity Todo @keep(days: 30) { … }`",
                ),
            );
            return;
        }
        let near = nearest_of(&decorator.name.text, TABLE.iter().map(|(name, _, _)| *name));
        let mut diagnostic = Diagnostic::error(
            Code::UnknownDecorator,
            decorator.span,
            format!("there is no decorator `@{}`", decorator.name.text),
        );
        diagnostic = match near {
            Some(near) => diagnostic.hint(format!("did you mean `@{near}`?")),
            None => diagnostic.hint("for a rule of your own write `@check(expression)`"),
        };
        self.report(diagnostic);
    }

    pub(super) fn bad_names(&mut self, decorator: &Decorator) {
        self.bad_arguments(decorator, Takes::Names);
    }

    /// The names that a `@was` gives, if it gives nothing else.
    pub(super) fn former_names(decorator: &Decorator) -> Option<Vec<String>> {
        match read(decorator, Takes::Names) {
            Some(Given::Texts(names)) => Some(names),
            Some(Given::Nothing | Given::Number(_) | Given::Length(_) | Given::Text(_)) | None => {
                None
            }
        }
    }

    /// Whether a decorator of this name belongs behind a field.
    pub(super) fn is_for_fields(name: &str) -> bool {
        TABLE.iter().any(|(known, _, _)| *known == name)
    }

    fn bad_arguments(&mut self, decorator: &Decorator, takes: Takes) {
        let name = &decorator.name.text;
        let (expected, example) = match takes {
            Takes::Nothing => ("no arguments", format!("@{name}")),
            Takes::Number => ("one number", format!("@{name}(3)")),
            Takes::Length => (
                "one length, a whole number that is not negative",
                format!("@{name}(3)"),
            ),
            Takes::Text => ("one text", format!("@{name}(\"…\")")),
            Takes::Texts => ("one or more values", format!("@{name}(\"a\", \"b\")")),
            Takes::Names => (
                "the names it had before, as texts",
                format!("@{name}(\"title\")"),
            ),
            Takes::Expression => ("one expression", format!("@{name}(…)")),
        };
        let hint = if decorator.args.iter().any(|arg| interpolates(&arg.value)) {
            format!("in a text `{{` starts an expression; write `@{name}(r\"…\")`")
        } else {
            format!("write `{example}`")
        };
        self.report(
            Diagnostic::error(
                Code::BadDecorator,
                decorator.span,
                format!("`@{name}` takes {expected}"),
            )
            .hint(hint),
        );
    }

    fn wrong_type(&mut self, decorator: &Decorator, fits: Fits) {
        let what = match fits {
            Fits::Every => "every field",
            Fits::Text => "fields of type text",
            Fits::Number => "fields of type int or float",
            Fits::Measured => "numbers (their value), texts and lists (their length)",
            Fits::Sized => "fields of type text and lists (their length)",
            Fits::Link => "links to entities, and lists, maps and tuples of them",
        };
        self.report(
            Diagnostic::error(
                Code::BadDecorator,
                decorator.span,
                format!(
                    "`@{}` does not fit the type of this field",
                    decorator.name.text
                ),
            )
            .reason(format!("it is for {what}")),
        );
    }
}

fn fits_type(fits: Fits, ty: &TypeAnn) -> bool {
    let any = matches!(ty, TypeAnn::Any | TypeAnn::Union(_));
    let number = matches!(ty, TypeAnn::Int | TypeAnn::Float);
    let text = matches!(ty, TypeAnn::Text);
    match fits {
        Fits::Every => true,
        Fits::Text => any || text,
        Fits::Number => any || number,
        Fits::Measured => any || number || text || matches!(ty, TypeAnn::List(_)),
        Fits::Sized => any || text || matches!(ty, TypeAnn::List(_)),
        Fits::Link => super::entities::has_link(ty),
    }
}

fn read(decorator: &Decorator, takes: Takes) -> Option<Given> {
    let values: Vec<&Expr> = decorator.args.iter().map(|arg| &arg.value).collect();
    match (takes, values.as_slice()) {
        (Takes::Nothing, []) => Some(Given::Nothing),
        (Takes::Number, [one]) => number(one).map(Given::Number),
        (Takes::Length, [one]) => match one.kind {
            Ast::Int(length) => u32::try_from(length).ok().map(Given::Length),
            _ => None,
        },
        (Takes::Text, [one]) => text(one).map(Given::Text),
        (Takes::Texts, [_, ..]) => {
            let texts: Option<Vec<String>> =
                values.iter().map(|value| literal_text(value)).collect();
            texts.map(Given::Texts)
        }
        (Takes::Names, [_, ..]) => {
            let names: Option<Vec<String>> = values.iter().map(|value| text(value)).collect();
            names
                .filter(|names| names.iter().all(|name| !name.is_empty()))
                .map(Given::Texts)
        }
        _ => None,
    }
}

fn number(value: &Expr) -> Option<f64> {
    match &value.kind {
        Ast::Int(number) => Some(*number as f64),
        Ast::Float(number) => Some(*number),
        Ast::Unary {
            op: UnaryOp::Negate,
            operand,
        } => number(operand).map(|number| -number),
        _ => None,
    }
}

/// The characters of a text literal without interpolation.
pub(super) fn text(value: &Expr) -> Option<String> {
    let Ast::Text(parts) = &value.kind else {
        return None;
    };
    parts
        .iter()
        .map(|part| match part {
            TextPart::Chars { value, .. } => Some(&**value),
            TextPart::Expr(_) => None,
        })
        .collect()
}

fn literal_text(value: &Expr) -> Option<String> {
    match &value.kind {
        Ast::Int(number) => Some(number.to_string()),
        Ast::Bool(value) => Some(value.to_string()),
        _ => text(value),
    }
}

/// Whether this is a text with expressions in it.
fn interpolates(value: &Expr) -> bool {
    let Ast::Text(parts) = &value.kind else {
        return false;
    };
    parts.iter().any(|part| matches!(part, TextPart::Expr(_)))
}
