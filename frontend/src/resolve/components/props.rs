//! Props: what a tag gives a component, by name. Must stay true: values are computed where the tag stands, in the order of the
//! source; what the component does not declare is told, and what it needs and does not get.

use std::sync::Arc;

use flin_syntax::ast::{
    Attribute, AttributeKind, AttributeValue, Element, Name, Param, PatternKind,
};
use flin_syntax::{Code, Diagnostic};

use crate::hir::{ExprId, ExprKind, LocalId, RecordEntry};
use crate::resolve::markup::Output;
use crate::resolve::scope::Binding;
use crate::resolve::suggest::nearest_of;
use crate::resolve::{Resolver, mentions};

use super::Component;

/// What a tag gives.
pub(super) struct Given {
    /// The tag's name.
    tag: Name,
    /// Values, held by locals of the function around the tag.
    pub(super) values: Vec<(Name, LocalId)>,
    /// Code, by its number.
    callbacks: Vec<(Name, usize)>,
}

impl Given {
    /// Nothing yet.
    pub(super) fn none(tag: Name) -> Given {
        Given {
            tag,
            values: Vec::new(),
            callbacks: Vec::new(),
        }
    }
}

/// The name of a prop as the component declares it.
pub(super) fn name_of(param: &Param) -> Option<&Name> {
    match &param.pattern.kind {
        PatternKind::Binding(name) | PatternKind::Typed { name, .. } => Some(name),
        _ => None,
    }
}

impl<'a> Resolver<'a> {
    /// The values of a tag's attributes, computed where the tag stands.
    pub(super) fn given_props(&mut self, element: &'a Element, out: &mut Output) -> Given {
        let mut given = Given::none(element.name.clone());
        for attribute in &element.attributes {
            if let Some(found) = self.callback_of(attribute) {
                given.callbacks.push(found);
                continue;
            }
            let (name, value) = match &attribute.kind {
                AttributeKind::Plain { name, value } => (name, value),
                // `onSave={none}`
                AttributeKind::Event {
                    event, modifiers, ..
                } if modifiers.is_empty() => {
                    let callback = self.no_callback(event);
                    given.callbacks.push((event.clone(), callback));
                    continue;
                }
                AttributeKind::Event { .. } | AttributeKind::Bind(_) => {
                    self.no_prop(attribute);
                    continue;
                }
            };
            if matches!(&*name.text, "key" | "slot") {
                continue;
            }
            let span = attribute.span;
            let value = match value {
                AttributeValue::Flag => self.emit(ExprKind::Bool(true), span),
                AttributeValue::Static(text) => self.emit(ExprKind::Text(text.to_string()), span),
                AttributeValue::Expr(value) => self.expr(value),
                AttributeValue::Mixed(parts) => self.text(parts, span),
            };
            let local = self.frame_mut().add_local(&name.text, name.span, None);
            self.declared_with(local, value);
            self.put(ExprKind::Let(local, Some(value)), span, out);
            given.values.push((name.clone(), local));
        }
        given
    }

    fn no_prop(&mut self, attribute: &Attribute) {
        let wrong = match &attribute.kind {
            AttributeKind::Event { .. } => Diagnostic::error(
                Code::BadProp,
                attribute.span,
                "a callback of a component has no modifiers",
            )
            .hint("put them where the component's own element has its handler"),
            AttributeKind::Bind(_) | AttributeKind::Plain { .. } => Diagnostic::error(
                Code::BadProp,
                attribute.span,
                "a component takes values and callbacks, no bound variables",
            )
            .hint("give it the value, and a callback that assigns the variable: `value={name} onChange={v => name = v}`"),
        };
        self.report(wrong);
    }

    /// Binds the props in the component's own block.
    pub(super) fn props(&mut self, component: &Component<'a>, mut given: Given, out: &mut Output) {
        let Some(params) = component.params else {
            return self.props_of_file(component, given, out);
        };
        let mut known = Vec::new();
        for param in params {
            let Some(name) = name_of(param) else {
                let title = "a prop of a component is a name";
                self.report(Diagnostic::error(Code::BadProp, param.span, title));
                continue;
            };
            known.push(&*name.text);
            let annotation = self.annotation(param.ty.as_ref());
            if let Some(at) = given
                .callbacks
                .iter()
                .position(|(it, _)| it.text == name.text)
            {
                let (_, callback) = given.callbacks.remove(at);
                self.bind(&name.text, Binding::Callback(callback));
                continue;
            }
            let at = given.values.iter().position(|(it, _)| it.text == name.text);
            if let (None, Some(default), None) = (at, &param.default, &param.ty)
                && matches!(default.kind, flin_syntax::ast::ExprKind::None)
            {
                let callback = self.no_callback(name);
                self.bind(&name.text, Binding::Callback(callback));
                continue;
            }
            let value = match (at, &param.default) {
                (Some(at), _) => {
                    let (_, local) = given.values.remove(at);
                    self.emit(ExprKind::Local(local), name.span)
                }
                (None, Some(default)) => self.expr(default),
                (None, None) => self.missing_prop(component, &given.tag, name),
            };
            let local = self.declare(&name.text, name.span, annotation);
            self.declared_with(local, value);
            self.put(ExprKind::Let(local, Some(value)), name.span, out);
        }
        self.unknown_props(component, &given, &known);
    }

    fn missing_prop(&mut self, component: &Component<'a>, tag: &Name, name: &Name) -> ExprId {
        let title = format!("`<{}>` needs the prop `{}`", component.name, name.text);
        self.report(
            Diagnostic::error(Code::BadProp, tag.span, title)
                .also(name.span, "declared without a default value")
                .hint(format!("write `<{} {}=…>`", component.name, name.text)),
        );
        self.error(name.span)
    }

    /// `props.title`: all that a file of `components/` reads of `props`, none where the tag gives nothing.
    fn props_of_file(&mut self, component: &Component<'a>, mut given: Given, out: &mut Output) {
        let span = given.tag.span;
        let known = mentions::fields_of("props", component.body);
        let mut entries = Vec::new();
        for name in &known {
            let callback = given
                .callbacks
                .iter()
                .position(|(it, _)| *it.text == **name);
            let at = given.values.iter().position(|(it, _)| *it.text == **name);
            let value = match (callback, at) {
                (Some(at), _) => {
                    let (_, callback) = given.callbacks.remove(at);
                    self.bind(&field_of_props(name), Binding::Callback(callback));
                    self.emit(ExprKind::Bool(true), span)
                }
                (None, Some(at)) => {
                    let (_, local) = given.values.remove(at);
                    self.emit(ExprKind::Local(local), span)
                }
                (None, None) => {
                    let callback = self.no_callback(&given.tag);
                    self.bind(&field_of_props(name), Binding::Callback(callback));
                    self.emit(ExprKind::None, span)
                }
            };
            entries.push(RecordEntry::Field((*name).to_owned(), span, value));
        }
        let record = self.emit(ExprKind::Record(entries), span);
        let local = self.declare(&Arc::from("props"), span, None);
        self.put(ExprKind::Let(local, Some(record)), span, out);
        self.unknown_props(component, &given, &known);
    }

    fn unknown_props(&mut self, component: &Component<'a>, given: &Given, known: &[&str]) {
        let values = given.values.iter().map(|(name, _)| name);
        let callbacks = given.callbacks.iter().map(|(name, _)| name);
        for name in values.chain(callbacks) {
            let title = format!("`<{}>` has no prop `{}`", component.name, name.text);
            let hint = match nearest_of(&name.text, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "it has none".to_owned(),
                None => format!("it has {}", known.join(", ")),
            };
            self.report(Diagnostic::error(Code::BadProp, name.span, title).hint(hint));
        }
    }

    /// The callback `props.name` of a file in `components/`.
    pub(in crate::resolve) fn callback_of_props(
        &self,
        object: &flin_syntax::ast::Expr,
        name: &Name,
    ) -> Option<usize> {
        let flin_syntax::ast::ExprKind::Name(props) = &object.kind else {
            return None;
        };
        if &*props.text != "props" {
            return None;
        }
        match self.search(&field_of_props(&name.text)) {
            Some((_, Binding::Callback(at))) => Some(at),
            _ => None,
        }
    }
}

/// The name under which a callback of a file is bound; no name of a program has a point.
fn field_of_props(name: &str) -> Arc<str> {
    Arc::from(format!("props.{name}"))
}
