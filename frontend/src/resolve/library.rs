//! The library as names see it: which functions exist, and library functions used as values. Must stay true: the library
//! table of the bytecode crate is the only list of library names.

use std::sync::Arc;

use flin_bytecode::library::{self, LibType};
use flin_syntax::Span;
use flin_syntax::ast::{Arg, Name};

use crate::hir::{ExprId, ExprKind, FnKind, Param};

use super::functions::{ParamSignature, Signature};
use super::names::Item;
use super::scope::{FrameHead, Link, Place};
use super::{PRELUDE_WORLD, Resolver};

/// Whether there is a library function of this name.
pub(super) fn exists(name: &str) -> bool {
    !library::lookup(name).is_empty()
}

/// All names that programs may use.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    library::names()
}

/// `now`, `yesterday`, `PI` …: functions without arguments that are written without parentheses.
pub(super) fn is_value(name: &str) -> bool {
    let rows = library::lookup(name);
    !rows.is_empty()
        && rows.iter().all(|row| {
            let scheme = row.scheme();
            let constant = name.starts_with(char::is_uppercase);
            scheme.params.is_empty() && (constant || scheme.result == LibType::Time)
        })
}

/// The numbers of arguments that a library function takes, ascending.
pub(super) fn argument_counts(name: &str) -> Vec<usize> {
    let mut counts: Vec<usize> = library::lookup(name)
        .iter()
        .map(|row| row.scheme().params.len())
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Whether a library function takes any number of values, and gets them as one text.
fn joins(name: &str) -> bool {
    let rows = library::lookup(name);
    rows.iter().any(|row| row.scheme().joins)
}

impl Resolver<'_> {
    /// The arguments of a library function that prints them as one text, unless it is one value: their texts, with a
    /// blank between each two.
    pub(super) fn joined(&mut self, name: &str, args: Vec<ExprId>, span: Span) -> Vec<ExprId> {
        if args.len() > 2 && matches!(name, "min" | "max") {
            return self.two_by_two(name, args, span);
        }
        if args.len() == 1 || !joins(name) {
            return args;
        }
        let mut parts = Vec::with_capacity(2 * args.len());
        for arg in args {
            if !parts.is_empty() {
                parts.push(self.emit(ExprKind::Text(" ".to_owned()), span));
            }
            parts.push(arg);
        }
        vec![self.emit(ExprKind::Concat(parts), span)]
    }

    /// `max(a, b, c)` is `max(max(a, b), c)`.
    fn two_by_two(&mut self, name: &str, mut args: Vec<ExprId>, span: Span) -> Vec<ExprId> {
        let last = args.split_off(args.len() - 1);
        let mut rest = args.into_iter();
        let first = rest.next().into_iter().collect();
        let mut so_far: Vec<ExprId> = rest.fold(first, |mut pair: Vec<ExprId>, next| {
            pair.push(next);
            vec![self.emit(ExprKind::CallLib(name.to_owned(), pair), span)]
        });
        so_far.extend(last);
        so_far
    }

    /// The names of the parameters of a library function or a query's method, per row; the receiver is the first.
    fn name_lists(&self, function: &str) -> Vec<Vec<Arc<str>>> {
        let mut lists: Vec<Vec<Arc<str>>> = library::lookup(function)
            .iter()
            .map(|row| {
                row.scheme()
                    .names
                    .iter()
                    .map(|it| Arc::from(it.as_str()))
                    .collect()
            })
            .collect();
        for count in ["", "2", "3"] {
            let method = format!("__q_{function}{count}");
            if let Some((Item::Function(id), _)) = self.worlds[PRELUDE_WORLD].get(&method) {
                let params = self.signatures[&id].params.iter();
                lists.push(params.filter_map(|param| param.name.clone()).collect());
            }
        }
        lists
    }

    /// Whether the parameters of a function that is no declared one have names.
    pub(super) fn has_parameter_names(&self, function: &str) -> bool {
        !self.name_lists(function).is_empty()
    }

    /// Whether a named argument is the one after the receiver.
    pub(super) fn is_first_argument(&self, function: &str, argument: &str) -> bool {
        let lists = self.name_lists(function);
        lists
            .iter()
            .any(|names| names.get(1).is_some_and(|name| &**name == argument))
    }

    /// The parameters that a call with names means: of the row that it fits, else of the longest that has the names.
    pub(super) fn library_signature(
        &self,
        function: &Name,
        args: &[Arg],
        first: bool,
    ) -> Signature {
        let lists = self.name_lists(&function.text);
        let given = args.len() + usize::from(first);
        let named = args.iter().filter_map(|arg| arg.name.as_ref());
        let by_position = given - named.clone().count();
        let has_all = |names: &&Vec<Arc<str>>| {
            let open = names.get(by_position..).unwrap_or_default();
            named.clone().all(|name| open.contains(&name.text))
        };
        let exact = lists
            .iter()
            .find(|names| names.len() == given && has_all(names));
        let longest = || lists.iter().filter(has_all).max_by_key(|names| names.len());
        let params = match exact.or_else(longest) {
            Some(names) => names.clone(),
            None => {
                let mut all: Vec<Arc<str>> = Vec::new();
                for name in lists.into_iter().flatten() {
                    if !all.contains(&name) {
                        all.push(name);
                    }
                }
                all
            }
        };
        Signature {
            name: function.text.clone(),
            span: Span::new(0, 0),
            params: params
                .into_iter()
                .map(|name| ParamSignature {
                    name: Some(name),
                    default: None,
                })
                .collect(),
        }
    }

    /// A library function without parentheses where a value is expected (`xs.map(upper)`): a lambda that calls it.
    pub(super) fn library_function_value(&mut self, name: &Name) -> ExprId {
        let count = argument_counts(&name.text)
            .into_iter()
            .find(|count| *count > 0)
            .unwrap_or(0);
        let id = self.reserve();
        self.open(
            id,
            FrameHead {
                name: name.text.to_string(),
                span: name.span,
                kind: FnKind::Lambda,
                place: Place::Lambda,
                link: Link::Capture,
            },
        );
        let mut args = Vec::new();
        for at in 0..count {
            let local = self.declare(&Arc::from(format!("a{at}")), name.span, None);
            self.frame_mut().params.push(Param {
                local,
                annotation: None,
                default: None,
            });
            args.push(self.emit(ExprKind::Local(local), name.span));
        }
        let body = self.emit(ExprKind::CallLib(name.text.to_string(), args), name.span);
        self.close(body);
        self.emit(ExprKind::Lambda(id), name.span)
    }
}
