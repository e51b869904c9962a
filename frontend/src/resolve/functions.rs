//! Functions: what callers need to know of one, and the bodies of named functions, lambdas and default values. Must stay
//! true: a signature exists before any body is walked, so that calls may stand before the declaration.

use std::collections::HashSet;
use std::sync::Arc;

use flin_syntax::ast::{self, Expr, FnDecl, PatternKind};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprId, ExprKind, FnId, FnKind, LocalId, Param, ParamDefault};

use super::Resolver;
use super::mentions::Mention;
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
    pub(super) default: Option<DefaultValue>,
}

/// A default value as a caller sees it.
#[derive(Clone, Debug)]
pub(super) struct DefaultValue {
    /// The function that computes it.
    pub(super) func: FnId,
    /// The earlier parameters that it uses; their values are its arguments.
    pub(super) uses: Vec<usize>,
    /// Variables around the function that it uses: locals of the function in which that one is declared. Their values
    /// are its last arguments. Unknown before the declaration.
    pub(super) captured: Vec<LocalId>,
    /// The function whose locals these are.
    pub(super) around: Option<FnId>,
}

impl Resolver<'_> {
    /// Numbers a function and notes its signature.
    pub(super) fn announce(&mut self, name: &Arc<str>, span: Span, params: &[ast::Param]) -> FnId {
        let id = self.reserve();
        let params = params
            .iter()
            .enumerate()
            .map(|(at, param)| ParamSignature {
                name: match &param.pattern.kind {
                    PatternKind::Binding(name) | PatternKind::Typed { name, .. } => {
                        Some(name.text.clone())
                    }
                    _ => None,
                },
                default: param.default.as_ref().map(|value| {
                    let func = self.reserve();
                    self.defaults.insert(func);
                    DefaultValue {
                        func,
                        uses: used_by(value, &params[..at]),
                        captured: Vec::new(),
                        around: None,
                    }
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
        let generics: Vec<Arc<str>> = decl.generics.iter().map(|name| name.text.clone()).collect();
        self.default_values(id, &decl.params, &generics, link);
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
        self.frame_mut().generics = generics;
        let result = self.annotation(decl.result.as_ref());
        self.frame_mut().result = result;
        let prologue = self.own_parameters(id, &decl.params);
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
        self.default_values(id, params, &[], head.link);
        let span = head.span;
        self.open(id, head);
        let mut prologue = self.own_parameters(id, params);
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

    /// The functions that compute default values of parameters. They see constants, functions, and as parameters of
    /// their own what stands before them and the variables that the function captures.
    fn default_values(
        &mut self,
        id: FnId,
        params: &[ast::Param],
        generics: &[Arc<str>],
        link: Link,
    ) {
        let (default_link, around) = match link {
            Link::Capture => (Link::Params, self.frames.last().map(|frame| frame.id)),
            Link::Root | Link::Params => (Link::Root, None),
        };
        let signature = self.signatures[&id].params.clone();
        for (at, (param, known)) in params.iter().zip(signature).enumerate() {
            let (Some(value), Some(default)) = (&param.default, known.default) else {
                continue;
            };
            self.open(
                default.func,
                FrameHead {
                    name: "default value".to_owned(),
                    span: value.span,
                    kind: FnKind::Internal,
                    place: Place::Default,
                    link: default_link,
                },
            );
            self.frame_mut().generics = generics.to_vec();
            let used = default.uses.iter().map(|n| (&params[*n], None));
            let mut prologue = self.parameters(used);
            self.refuse_later_parameters(&params[at..], value);
            prologue.push(self.expr(value));
            let body = match prologue.as_slice() {
                [only] => *only,
                _ => self.emit(ExprKind::Block(prologue, true), value.span),
            };
            let captured = self.close(body);
            let signature = self.signatures.get_mut(&id);
            if let Some(it) = signature.and_then(|it| it.params[at].default.as_mut()) {
                (it.captured, it.around) = (captured, around);
            }
        }
        self.undeclared.remove(&id);
    }

    /// A default value that uses its own parameter, or one that stands after it. The names count as known then.
    fn refuse_later_parameters(&mut self, later: &[ast::Param], value: &Expr) {
        let mut names: Vec<&ast::Name> = Vec::new();
        for param in later {
            super::mentions::of_pattern(&param.pattern, &mut |name, how| {
                if how == Mention::Bound && !self.is_visible(&name.text) {
                    names.push(name);
                }
            });
        }
        let mut used: Vec<(Span, &ast::Name)> = Vec::new();
        super::mentions::of_expr(value, &mut |name, how| {
            let declared = names.iter().find(|it| it.text == name.text);
            if let (Mention::Read, Some(declared)) = (how, declared) {
                used.push((name.span, declared));
            }
        });
        let own = later.first().map(|param| param.span);
        for (span, declared) in used {
            let is_own = own.is_some_and(|own| {
                own.start <= declared.span.start && declared.span.end <= own.end
            });
            if self.refused.insert(declared.text.clone()) {
                self.report(
                    Diagnostic::error(
                        Code::UsedTooEarly,
                        span,
                        format!("the parameter `{}` has no value yet", declared.text),
                    )
                    .label("a default value may use only parameters that stand before its own")
                    .also(declared.span, "declared here")
                    .hint(if is_own {
                        "write a value, or use a parameter before it".to_owned()
                    } else {
                        format!("move `{}` to the front", declared.text)
                    }),
                );
            }
        }
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
    fn own_parameters(&mut self, id: FnId, params: &[ast::Param]) -> Vec<ExprId> {
        let signature = self.signatures[&id].params.clone();
        let known: Vec<Option<ParamDefault>> = signature
            .iter()
            .map(|param| {
                let default = param.default.as_ref()?;
                Some(ParamDefault {
                    func: default.func,
                    uses: default.uses.iter().map(|at| *at as u32).collect(),
                    captured: self.around_values(default),
                })
            })
            .collect();
        self.parameters(params.iter().zip(known))
    }

    /// The variables of a default value as locals of the innermost function, which the declaration encloses or is.
    pub(super) fn around_values(&mut self, default: &DefaultValue) -> Vec<LocalId> {
        let depth = self
            .frames
            .iter()
            .position(|it| Some(it.id) == default.around);
        let captured = default.captured.iter();
        match depth {
            Some(depth) => captured.map(|it| self.bring_inside(depth, *it).0).collect(),
            None => Vec::new(),
        }
    }

    fn parameters<'p>(
        &mut self,
        params: impl Iterator<Item = (&'p ast::Param, Option<ParamDefault>)>,
    ) -> Vec<ExprId> {
        let mut prologue = Vec::new();
        let mut patterns = Vec::new();
        for (param, default) in params {
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

    fn parameter(&mut self, name: &ast::Name, annotation: Option<crate::hir::TypeAnn>) -> LocalId {
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

/// The parameters whose names a default value mentions.
fn used_by(value: &Expr, params: &[ast::Param]) -> Vec<usize> {
    let mut mentioned: HashSet<&Arc<str>> = HashSet::new();
    super::mentions::of_expr(value, &mut |name, _| {
        mentioned.insert(&name.text);
    });
    let used = |param: &ast::Param| {
        let mut found = false;
        super::mentions::of_pattern(&param.pattern, &mut |name, _| {
            found |= mentioned.contains(&name.text);
        });
        found
    };
    (0..params.len()).filter(|at| used(&params[*at])).collect()
}
