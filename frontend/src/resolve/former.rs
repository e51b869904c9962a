//! What an entity says about its past: the names it and its fields had (`@was`), and how much history it keeps (`@keep`).
//! Must stay true: a former name belongs to one thing only, and never to something that is still there: else data would
//! have two owners.

use flin_syntax::ast::{Arg, Decorator, EntityDecl, ExprKind as Ast};
use flin_syntax::{Code, Diagnostic, Span};
use foldhash::{HashSet, HashSetExt as _};

use super::Resolver;
use super::decorators::{KEEP, WAS, text};
use super::suggest::nearest_of;
use crate::hir::EntityIx;

impl Resolver<'_> {
    /// The decorators behind an entity's name; and `@was` of its fields, now that all fields are known.
    pub(super) fn entity_decorators(&mut self, at: EntityIx, decl: &EntityDecl) {
        for decorator in &decl.decorators {
            match &*decorator.name.text {
                WAS => self.entity_was(at, decorator),
                KEEP => self.keep(at, decorator),
                _ => self.not_for_entities(decorator),
            }
        }
        for field in &decl.fields {
            let was = |decorator: &&Decorator| &*decorator.name.text == WAS;
            for decorator in field.decorators.iter().filter(was) {
                let names = decorator.args.iter().filter_map(|arg| text(&arg.value));
                for name in names {
                    if decl.fields.iter().any(|one| *one.name.text == *name) {
                        self.still_there(decorator, &decl.name.text, &name);
                    }
                }
            }
        }
        self.former_fields_once(at, decl);
    }

    /// Two fields cannot have had the same name.
    fn former_fields_once(&mut self, at: EntityIx, decl: &EntityDecl) {
        let mut seen: HashSet<String> = HashSet::new();
        let former: Vec<(String, Span)> = self.entities[at.index()]
            .fields
            .iter()
            .flat_map(|field| field.was.iter().map(|name| (name.clone(), field.span)))
            .collect();
        for (name, span) in former {
            if !seen.insert(name.clone()) {
                self.report(Diagnostic::error(
                    Code::BadDecorator,
                    span,
                    format!("two fields of {} were called `{name}`", decl.name.text),
                ));
            }
        }
    }

    fn still_there(&mut self, decorator: &Decorator, entity: &str, name: &str) {
        self.report(
            Diagnostic::error(
                Code::BadDecorator,
                decorator.span,
                format!("{entity} has a field `{name}`, so this one was not called that"),
            )
            .reason("`@was` names what the field was called before it was renamed")
            .hint(format!("remove the field `{name}`, or this `@was`")),
        );
    }

    fn entity_was(&mut self, at: EntityIx, decorator: &Decorator) {
        let Some(names) = Self::former_names(decorator) else {
            return self.bad_names(decorator);
        };
        for name in names {
            let other = self
                .entities
                .iter()
                .any(|entity| entity.name == name || entity.was.contains(&name));
            if other {
                self.report(
                    Diagnostic::error(
                        Code::BadDecorator,
                        decorator.span,
                        format!("there is an entity that is or was called `{name}` already"),
                    )
                    .reason("`@was` names what the entity was called before it was renamed"),
                );
            } else {
                self.entities[at.index()].was.push(name);
            }
        }
    }

    /// `@keep(versions: n)`, `@keep(days: n)` or both.
    fn keep(&mut self, at: EntityIx, decorator: &Decorator) {
        let number = |arg: &Arg| match arg.value.kind {
            Ast::Int(number) => u32::try_from(number).ok().filter(|number| *number > 0),
            _ => None,
        };
        let mut keep = self.entities[at.index()].keep;
        let mut fits = !decorator.args.is_empty();
        for arg in &decorator.args {
            let place = match arg.name.as_ref().map(|name| &*name.text) {
                Some("versions") => &mut keep.versions,
                Some("days") => &mut keep.days,
                Some(_) | None => {
                    fits = false;
                    continue;
                }
            };
            match (number(arg), *place) {
                (Some(number), None) => *place = Some(number),
                (Some(_) | None, _) => fits = false,
            }
        }
        if !fits {
            self.report(
                Diagnostic::error(
                    Code::BadDecorator,
                    decorator.span,
                    "`@keep` takes `versions`, `days` or both, whole numbers from 1",
                )
                .hint("write `@keep(versions: 10)`, `@keep(days: 90)` or `@keep(versions: 10, days: 90)`"),
            );
            return;
        }
        self.entities[at.index()].keep = keep;
    }

    fn not_for_entities(&mut self, decorator: &Decorator) {
        let name = &*decorator.name.text;
        let diagnostic = if Self::is_for_fields(name) {
            Diagnostic::error(
                Code::BadDecorator,
                decorator.span,
                format!("`@{name}` belongs to a field, not to the entity"),
            )
            .hint("write it behind the type of the field")
        } else {
            let unknown = Diagnostic::error(
                Code::UnknownDecorator,
                decorator.span,
                format!("there is no decorator `@{name}`"),
            );
            match nearest_of(name, [KEEP, WAS].into_iter()) {
                Some(near) => unknown.hint(format!("did you mean `@{near}`?")),
                None => unknown.hint("entities know `@keep` and `@was`"),
            }
        };
        self.report(diagnostic);
    }
}
