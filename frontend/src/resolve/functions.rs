//! Functions: what callers need to know of one, and the bodies of named functions, lambdas and default values. Must stay
//! true: a signature exists before any body is walked, so that calls may stand before the declaration.

use std::sync::Arc;

use flin_syntax::ast::{self, Expr, FnDecl, PatternKind};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprId, ExprKind, FnId, FnKind, Param};

use super::Resolver;
use super::patterns::Target;
use super::scope::{Binding, FrameHead, Link, Place};

/// What a caller knows of a function.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) params: Vec<ParamSignature>,
}

/// A parameter as a caller sees it.
#[derive(Clone, Debug)]
pub(super) struct ParamSignature {
    /// None for a pattern.
    pub(super) name: Option<Arc<str>>,
    /// The function that computes the default value.
    pub(super) default: Option<FnId>,
}

impl Resolver<'_> {
    /// Numbers a function and notes its signature.
    pub(super) fn announce(&mut self, name: &Arc<str>, span: Span, params: &[ast::Param]) -> FnId {
        let id = self.reserve();
        let params = params
            .iter()
            .map(|param| ParamSignature {
                name: match &param.pattern.kind {
                    PatternKind::Binding(name) => Some(name.text.clone()),
                    _ => None,
                },
                default: param.default.as_ref().map(|_| {
                    let default = self.reserve();
                    self.defaults.insert(default);
                    default
                }),
            })
            .collect();
        self.signatures.insert(
            id,
            Signature {
                name: name.clone(),
                span,
                params,
            },
        );
        id
    }

    /// The content of a function that was announced.
    pub(super) fn named_function(&mut self, id: FnId, decl: &FnDecl, link: Link) {
        let kind = if link == Link::Root {
            FnKind::Named
        } else {
            FnKind::Lambda
        };
        let place = if link == Link::Root {
            Place::Function
        } else {
            Place::Lambda
        };
        self.default_values(id, &decl.params);
        self.open(
            id,
            FrameHead {
                name: decl.name.text.to_string(),
                span: decl.name.span,
                kind,
                place,
                link,
            },
        );
        self.frame_mut().generics = decl.generics.iter().map(|name| name.text.clone()).collect();
        let result = self.annotation(decl.result.as_ref());
        self.frame_mut().result = result;
        let prologue = self.parameters(id, &decl.params);
        let body = self.body_block(&decl.body.statements, prologue, decl.body.span);
        self.close(body);
    }

    /// The content of a lambda that was announced, as a named function or as a value.
    pub(super) fn lambda_function(
        &mut self,
        id: FnId,
        params: &[ast::Param],
        body: &Expr,
        head: FrameHead,
    ) {
        self.default_values(id, params);
        let span = head.span;
        self.open(id, head);
        let mut prologue = self.parameters(id, params);
        let body = match &body.kind {
            ast::ExprKind::Block(block) => self.body_block(&block.statements, prologue, block.span),
            _ if prologue.is_empty() => self.expr(body),
            _ => {
                prologue.push(self.expr(body));
                self.emit(ExprKind::Block(prologue, true), span)
            }
        };
        self.close(body);
    }

    /// A lambda where a value is expected.
    pub(super) fn lambda(&mut self, params: &[ast::Param], body: &Expr, span: Span) -> ExprId {
        let id = self.announce(&Arc::from("lambda"), span, params);
        let head = FrameHead {
            name: "lambda".to_owned(),
            span,
            kind: FnKind::Lambda,
            place: Place::Lambda,
            link: Link::Capture,
        };
        self.lambda_function(id, params, body, head);
        self.emit(ExprKind::Lambda(id), span)
    }

    /// The functions that compute default values of parameters; they see constants and functions, no parameters.
    fn default_values(&mut self, id: FnId, params: &[ast::Param]) {
        let defaults: Vec<Option<FnId>> = self.signatures[&id]
            .params
            .iter()
            .map(|param| param.default)
            .collect();
        for (param, default) in params.iter().zip(defaults) {
            if let (Some(value), Some(default)) = (&param.default, default) {
                if self.uses_other_parameters(params, value) {
                    let wrong = Expr::new(ast::ExprKind::Error, value.span);
                    self.computed(default, "default value", Place::Default, &wrong);
                } else {
                    self.computed(default, "default value", Place::Default, value);
                }
            }
        }
    }

    fn uses_other_parameters(&mut self, params: &[ast::Param], value: &Expr) -> bool {
        let mut names = Vec::new();
        for param in params {
            super::mentions::of_pattern(&param.pattern, &mut |name, _| {
                names.push(name.text.clone())
            });
        }
        let mut used = None;
        super::mentions::of_expr(value, &mut |name, how| {
            if how == super::mentions::Mention::Read && names.contains(&name.text) {
                used = Some(name.span);
            }
        });
        if let Some(span) = used {
            self.unsupported(crate::unsupported::Unsupported::DefaultsOfParameters, span);
        }
        used.is_some()
    }

    /// A function without parameters that computes one expression.
    pub(super) fn computed(&mut self, id: FnId, name: &str, place: Place, value: &Expr) {
        self.open(
            id,
            FrameHead {
                name: name.to_owned(),
                span: value.span,
                kind: FnKind::Internal,
                place,
                link: Link::Root,
            },
        );
        let body = self.expr(value);
        self.close(body);
    }

    /// Declares the parameters of the function just opened; gives the statements that take patterns apart.
    fn parameters(&mut self, id: FnId, params: &[ast::Param]) -> Vec<ExprId> {
        let mut prologue = Vec::new();
        let mut patterns = Vec::new();
        let defaults: Vec<Option<FnId>> = self.signatures[&id]
            .params
            .iter()
            .map(|param| param.default)
            .collect();
        for (param, default) in params.iter().zip(defaults) {
            let mut annotation = self.annotation(param.ty.as_ref());
            let local = match &param.pattern.kind {
                PatternKind::Binding(name) => self.parameter(name, annotation.clone()),
                PatternKind::Typed { ty, name } => {
                    annotation = Some(self.type_of(ty));
                    self.parameter(name, annotation.clone())
                }
                PatternKind::Wildcard => {
                    self.frame_mut()
                        .add_local("_", param.span, annotation.clone())
                }
                _ => {
                    let local = self
                        .frame_mut()
                        .add_local("", param.span, annotation.clone());
                    patterns.push((local, &param.pattern));
                    local
                }
            };
            self.frame_mut().params.push(Param {
                local,
                annotation,
                default,
            });
        }
        for (local, pattern) in patterns {
            self.take_apart(pattern, local, Target::Declare, &mut prologue);
        }
        prologue
    }

    fn parameter(
        &mut self,
        name: &ast::Name,
        annotation: Option<crate::hir::TypeAnn>,
    ) -> crate::hir::LocalId {
        if let Some((depth, Binding::Variable(first))) = self.search(&name.text)
            && depth + 1 == self.frames.len()
        {
            let first = self.frame().locals[first.index()].span;
            self.report(
                Diagnostic::error(
                    Code::DuplicateName,
                    name.span,
                    format!("two parameters are called `{}`", name.text),
                )
                .also(first, "the first one"),
            );
        }
        self.declare(&name.text, name.span, annotation)
    }
}
