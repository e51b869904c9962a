//! `match` and `while let`: patterns that may not fit become tests and bindings. Must stay true: the subject is evaluated
//! once; arms are tried in order; a name is bound before the guard that may use it; which values
//! the arms take is written down for inference, which says what is not covered.

use std::sync::Arc;

use flin_syntax::ast::{
    Expr, Literal, MapPatternEntry, MatchArm, Name, Pattern, PatternItem, PatternKind,
};
use flin_syntax::{Code, Diagnostic, Span};
use foldhash::{HashMap, HashSet};

use crate::cases::{Case, CasePattern};
use crate::hir::{BinOp, EnumIx, ExprId, ExprKind, LocalId, TypeAnn};

use super::Resolver;
use super::coverage::Lengths;
use super::typenames::BUILT_IN;

/// A test that a value fits, and the bindings to make if it does.
pub(super) struct Test {
    /// None: it always fits.
    pub(super) condition: Option<ExprId>,
    pub(super) bindings: Vec<ExprId>,
}

/// One step of trying a pattern.
pub(super) enum Step {
    Check(ExprId),
    Bind(ExprId),
}

/// The name of a pattern that was probably meant as a type: `int -> …`.
fn type_as_name(pattern: &Pattern) -> Option<&Name> {
    match &pattern.kind {
        PatternKind::Binding(name) if BUILT_IN.contains(&&*name.text) => Some(name),
        _ => None,
    }
}

/// The names an arm binds.
#[derive(Default)]
pub(super) struct Names {
    bound: HashMap<Arc<str>, LocalId>,
    /// Those bound by the alternative at hand.
    here: HashSet<Arc<str>>,
    /// The enums that a variant without its enum may belong to here; empty: any.
    pub(super) meant: Vec<EnumIx>,
}

impl Resolver<'_> {
    pub(super) fn match_expr(
        &mut self,
        subject: &Expr,
        arms: &[MatchArm],
        want: bool,
        span: Span,
    ) -> ExprId {
        let value = self.expr(subject);
        let from = self.temporary(subject.span);
        let mut start = vec![self.emit(ExprKind::Let(from, Some(value)), subject.span)];
        let meant = self.meant_enums(value, arms);
        let (mut total, mut lengths) = (false, Lengths::default());
        // None once there is a mistake in a pattern.
        let mut cases = Some(Vec::with_capacity(arms.len()));
        let mut parts = Vec::new();
        let mut last = None;
        for (n, arm) in arms.iter().enumerate() {
            if total {
                self.never_reached(&arms[..n], arm.span);
            }
            self.open_block();
            let rest_of_lists = arm.guard.is_none() && lengths.completed_by(&arm.pattern);
            let (steps, case) = self.arm_steps(&arm.pattern, from, &meant, rest_of_lists);
            let test = self.guarded(steps, arm.guard.as_ref(), arm.pattern.span);
            let body = if want {
                self.expr(&arm.body)
            } else {
                self.effect(&arm.body)
            };
            self.close_block();
            let body = self.behind(test.bindings, body, want, arm.span);
            let guarded = arm.guard.is_some();
            // What stands below an arm that takes everything is told here.
            if let Some(all) = cases.as_mut().filter(|_| !total) {
                match case {
                    Some(pattern) => {
                        total = !guarded && pattern.is_any();
                        all.push(Case {
                            pattern,
                            guarded,
                            span: arm.span,
                        });
                    }
                    None => cases = None,
                }
            }
            match test.condition {
                Some(cond) => parts.push((cond, body, arm.span)),
                None if last.is_none() => last = Some(body),
                None => {}
            }
        }
        if let Some(cases) = cases {
            start.push(self.emit(ExprKind::Cases(from, cases), subject.span));
        }
        let mut otherwise = last.unwrap_or_else(|| self.no_match(subject.span));
        for (cond, then, span) in parts.into_iter().rev() {
            otherwise = self.emit(
                ExprKind::If {
                    cond,
                    then,
                    otherwise: Some(otherwise),
                },
                span,
            );
        }
        start.push(otherwise);
        self.emit(ExprKind::Block(start, want), span)
    }

    fn behind(
        &mut self,
        mut bindings: Vec<ExprId>,
        body: ExprId,
        want: bool,
        span: Span,
    ) -> ExprId {
        if bindings.is_empty() {
            return body;
        }
        bindings.push(body);
        self.emit(ExprKind::Block(bindings, want), span)
    }

    /// A warning about an arm below one that fits every value.
    fn never_reached(&mut self, above: &[MatchArm], arm: Span) {
        let title = "this arm is never reached";
        let warning = Diagnostic::warning(Code::UnreachableArm, arm, title);
        let mut patterns = above.iter().filter(|arm| arm.guard.is_none());
        let meant = patterns.find_map(|arm| type_as_name(&arm.pattern));
        self.report(match meant {
            Some(name) => warning
                .also(name.span, "this is a new name, which fits every value")
                .hint(format!("for the type write `{} _`", name.text)),
            None => warning.reason("an arm above fits every value"),
        });
    }

    /// An alternative that binds other names than the first one.
    fn unequal_alternatives(&mut self, choices: &[Pattern], at: Span) {
        let title = "this alternative binds other names than the first";
        let hint = match choices.iter().find_map(type_as_name) {
            Some(name) => format!(
                "`{0}` alone is a new name; for the type write `{0} _`",
                name.text
            ),
            None => "bind the same names in all alternatives, or write an arm for each".to_owned(),
        };
        self.report(Diagnostic::error(Code::BadAlternatives, at, title).hint(hint));
    }

    /// The test of `while let`. A plain name goes on until there is none: it would fit for ever.
    pub(super) fn while_pattern(&mut self, pattern: &Pattern, from: LocalId) -> Test {
        let mut steps = Vec::new();
        self.steps(pattern, from, &mut Names::default(), &mut steps);
        let mut test = self.join(steps, pattern.span);
        if matches!(pattern.kind, PatternKind::Binding(_)) && test.condition.is_none() {
            let value = self.emit(ExprKind::Local(from), pattern.span);
            let none = self.emit(ExprKind::None, pattern.span);
            let goes_on = ExprKind::Binary(BinOp::Ne, value, none);
            test.condition = Some(self.emit(goes_on, pattern.span));
        }
        test
    }

    /// The steps of an arm, and what it takes if there is no mistake in it.
    fn arm_steps(
        &mut self,
        pattern: &Pattern,
        from: LocalId,
        meant: &[EnumIx],
        rest_of_lists: bool,
    ) -> (Vec<Step>, Option<CasePattern>) {
        let told = self.diagnostics.len();
        let mut steps = Vec::new();
        if rest_of_lists {
            self.any_list_steps(pattern, from, &mut steps);
        } else {
            let mut names = Names {
                meant: meant.to_vec(),
                ..Names::default()
            };
            self.steps(pattern, from, &mut names, &mut steps);
        }
        let right = self.diagnostics.len() == told && !self.is_full();
        let case = right.then(|| self.case_of(pattern, meant)).flatten();
        (steps, case)
    }

    fn guarded(&mut self, mut steps: Vec<Step>, guard: Option<&Expr>, span: Span) -> Test {
        if let Some(guard) = guard {
            let guard = self.expr(guard);
            steps.push(Step::Check(guard));
        }
        self.join(steps, span)
    }

    /// The steps of a list pattern that takes every list that comes here: the arms above take all other lengths.
    fn any_list_steps(&mut self, pattern: &Pattern, from: LocalId, steps: &mut Vec<Step>) {
        let mut names = Names::default();
        if let PatternKind::List { items, rest } = &pattern.kind {
            let rest = rest.as_ref().and_then(|rest| rest.name.as_ref());
            let list = TypeAnn::List(Box::new(TypeAnn::Any));
            self.check_type(from, list, pattern.span, steps);
            self.item_steps(items, from, &mut names, steps);
            self.rest_steps(items, rest, from, &mut names, steps);
        }
    }

    fn rest_steps(
        &mut self,
        items: &[PatternItem],
        rest: Option<&Name>,
        from: LocalId,
        names: &mut Names,
        out: &mut Vec<Step>,
    ) {
        if let Some(name) = rest {
            let value = self.rest_of_list(items.len(), from, name.span);
            self.bind_in_arm(name, value, names, out);
        }
    }

    /// One condition of all checks; bindings that a later check may need stand inside of it.
    fn join(&mut self, steps: Vec<Step>, span: Span) -> Test {
        let mut condition: Option<ExprId> = None;
        let mut bindings = Vec::new();
        for step in steps {
            match step {
                Step::Bind(id) => bindings.push(id),
                Step::Check(check) => {
                    let check = if bindings.is_empty() {
                        check
                    } else {
                        let mut ids = std::mem::take(&mut bindings);
                        ids.push(check);
                        self.emit(ExprKind::Block(ids, true), span)
                    };
                    condition = Some(match condition {
                        None => check,
                        Some(before) => self.emit(ExprKind::And(before, check), span),
                    });
                }
            }
        }
        Test {
            condition,
            bindings,
        }
    }

    /// What happens if no arm fits. It stands behind all arms, also of a `match` that covers every value: a value that
    /// comes from outside may be of another type than all believe.
    fn no_match(&mut self, span: Span) -> ExprId {
        let kind = self.emit(ExprKind::Text("MatchError".to_owned()), span);
        let message = self.emit(
            ExprKind::Text("no arm of this match fits the value".to_owned()),
            span,
        );
        self.emit(
            ExprKind::CallLib("fail".to_owned(), vec![kind, message]),
            span,
        )
    }

    fn steps(&mut self, pattern: &Pattern, from: LocalId, names: &mut Names, out: &mut Vec<Step>) {
        let span = pattern.span;
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Error => out.push(Step::Check(self.error(span))),
            PatternKind::Binding(name) => {
                let value = self.emit(ExprKind::Local(from), span);
                self.bind_in_arm(name, value, names, out);
            }
            PatternKind::Place(_) => {
                self.refuse_place(span);
                out.push(Step::Check(self.error(span)));
            }
            PatternKind::Typed { ty, name } => {
                let ty = self.tested_type(ty);
                self.check_type(from, ty, span, out);
                if &*name.text != "_" {
                    let value = self.emit(ExprKind::Local(from), span);
                    self.bind_in_arm(name, value, names, out);
                }
            }
            PatternKind::Literal(Literal::None) => self.check_type(from, TypeAnn::None, span, out),
            PatternKind::Literal(literal) => {
                let value = self.emit(ExprKind::Local(from), span);
                let literal = self.literal(literal, span);
                out.push(Step::Check(
                    self.emit(ExprKind::Binary(BinOp::Eq, value, literal), span),
                ));
            }
            PatternKind::Range {
                start,
                end,
                inclusive,
            } => {
                self.range_steps(start, end, *inclusive, from, span, out);
            }
            PatternKind::Variant {
                enum_name,
                name,
                payload,
            } => {
                self.variant_steps(
                    enum_name.as_ref(),
                    name,
                    payload.as_deref(),
                    from,
                    names,
                    out,
                );
            }
            PatternKind::List { items, rest } => {
                self.check_type(from, TypeAnn::List(Box::new(TypeAnn::Any)), span, out);
                self.length_steps(items, rest.is_some(), from, span, out);
                self.item_steps(items, from, names, out);
                let rest = rest.as_ref().and_then(|rest| rest.name.as_ref());
                self.rest_steps(items, rest, from, names, out);
            }
            PatternKind::Tuple(items) => {
                self.check_type(
                    from,
                    TypeAnn::Tuple(vec![TypeAnn::Any; items.len()]),
                    span,
                    out,
                );
                self.item_steps(items, from, names, out);
            }
            PatternKind::Map {
                type_name,
                entries,
                rest,
            } => {
                self.map_steps(type_name.as_ref(), entries, from, span, names, out);
                if let Some(name) = rest.as_ref().and_then(|rest| rest.name.as_ref()) {
                    let value = self.rest_of_map(entries, from, name.span);
                    self.bind_in_arm(name, value, names, out);
                }
            }
            PatternKind::Or(choices) => self.alternatives(choices, from, span, names, out),
        }
    }

    pub(super) fn check_type(
        &mut self,
        from: LocalId,
        ty: TypeAnn,
        span: Span,
        out: &mut Vec<Step>,
    ) {
        let value = self.emit(ExprKind::Local(from), span);
        out.push(Step::Check(self.emit(ExprKind::Is(value, ty), span)));
    }

    pub(super) fn literal(&mut self, literal: &Literal, span: Span) -> ExprId {
        let kind = match literal {
            Literal::None => ExprKind::None,
            Literal::Bool(value) => ExprKind::Bool(*value),
            Literal::Int(value) => ExprKind::Int(*value),
            Literal::Float(value) => ExprKind::Float(*value),
            Literal::Text(value) => ExprKind::Text(value.to_string()),
        };
        self.emit(kind, span)
    }

    fn range_steps(
        &mut self,
        start: &Literal,
        end: &Literal,
        inclusive: bool,
        from: LocalId,
        span: Span,
        out: &mut Vec<Step>,
    ) {
        let ty = match start {
            Literal::Text(_) => TypeAnn::Text,
            Literal::Int(_) | Literal::Float(_) | Literal::Bool(_) | Literal::None => {
                TypeAnn::Union(vec![TypeAnn::Int, TypeAnn::Float])
            }
        };
        self.check_type(from, ty, span, out);
        let upper = if inclusive { BinOp::Le } else { BinOp::Lt };
        for (op, bound) in [(BinOp::Ge, start), (upper, end)] {
            let value = self.emit(ExprKind::Local(from), span);
            let bound = self.literal(bound, span);
            out.push(Step::Check(
                self.emit(ExprKind::Binary(op, value, bound), span),
            ));
        }
    }

    fn length_steps(
        &mut self,
        items: &[PatternItem],
        rest: bool,
        from: LocalId,
        span: Span,
        out: &mut Vec<Step>,
    ) {
        let needed = items
            .iter()
            .take_while(|item| item.default.is_none())
            .count();
        let exact = needed == items.len() && !rest;
        let lower = if exact { BinOp::Eq } else { BinOp::Ge };
        if exact || needed > 0 {
            let length = self.length_of(from, span);
            let count = self.emit(ExprKind::Int(needed as i64), span);
            out.push(Step::Check(
                self.emit(ExprKind::Binary(lower, length, count), span),
            ));
        }
        if !exact && !rest {
            let length = self.length_of(from, span);
            let count = self.emit(ExprKind::Int(items.len() as i64), span);
            out.push(Step::Check(
                self.emit(ExprKind::Binary(BinOp::Le, length, count), span),
            ));
        }
    }

    fn item_steps(
        &mut self,
        items: &[PatternItem],
        from: LocalId,
        names: &mut Names,
        out: &mut Vec<Step>,
    ) {
        for (at, item) in items.iter().enumerate() {
            if !matches!(item.pattern.kind, PatternKind::Wildcard) {
                let value = self.item_value(item, at, from);
                self.part_steps(&item.pattern, (value, Vec::new()), names, out);
            }
        }
    }

    fn map_steps(
        &mut self,
        type_name: Option<&Name>,
        entries: &[MapPatternEntry],
        from: LocalId,
        span: Span,
        names: &mut Names,
        out: &mut Vec<Step>,
    ) {
        let ty = match type_name {
            None => TypeAnn::Map(Box::new(TypeAnn::Text), Box::new(TypeAnn::Any)),
            Some(name) => match self.entity_named(name) {
                Some(entity) => TypeAnn::Entity(entity),
                None => return,
            },
        };
        self.check_type(from, ty, span, out);
        for entry in entries {
            let value = self.entry_value(entry, from);
            let whole = matches!(
                entry.pattern.kind,
                PatternKind::Binding(_) | PatternKind::Wildcard
            );
            if whole && type_name.is_none() && entry.default.is_none() {
                // In a map a key that is only named must be there.
                let local = self.temporary(entry.key.span);
                out.push(Step::Bind(
                    self.emit(ExprKind::Let(local, Some(value)), entry.key.span),
                ));
                let read = self.emit(ExprKind::Local(local), entry.key.span);
                let absent = self.emit(ExprKind::Is(read, TypeAnn::None), entry.key.span);
                out.push(Step::Check(
                    self.emit(ExprKind::Not(absent), entry.key.span),
                ));
                self.steps(&entry.pattern, local, names, out);
            } else {
                self.part_steps(&entry.pattern, (value, Vec::new()), names, out);
            }
        }
    }

    /// The steps for a part of a value: `meant` are the enums that it is known to be of.
    pub(super) fn part_steps(
        &mut self,
        pattern: &Pattern,
        (value, meant): (ExprId, Vec<EnumIx>),
        names: &mut Names,
        out: &mut Vec<Step>,
    ) {
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Binding(name) => self.bind_in_arm(name, value, names, out),
            _ => {
                let local = self.temporary(pattern.span);
                out.push(Step::Bind(
                    self.emit(ExprKind::Let(local, Some(value)), pattern.span),
                ));
                let of_whole = std::mem::replace(&mut names.meant, meant);
                self.steps(pattern, local, names, out);
                names.meant = of_whole;
            }
        }
    }

    fn bind_in_arm(&mut self, name: &Name, value: ExprId, names: &mut Names, out: &mut Vec<Step>) {
        if !names.here.insert(name.text.clone()) {
            self.report(Diagnostic::error(
                Code::DuplicateName,
                name.span,
                format!("this pattern binds `{}` twice", name.text),
            ));
        }
        let local = match names.bound.get(&name.text) {
            Some(local) => *local,
            None => {
                let local = self.declare(&name.text, name.span, None);
                names.bound.insert(name.text.clone(), local);
                local
            }
        };
        out.push(Step::Bind(
            self.emit(ExprKind::Let(local, Some(value)), name.span),
        ));
    }

    fn alternatives(
        &mut self,
        choices: &[Pattern],
        from: LocalId,
        span: Span,
        names: &mut Names,
        out: &mut Vec<Step>,
    ) {
        let before = names.here.clone();
        let mut first: Option<HashSet<Arc<str>>> = None;
        let mut checks = Vec::with_capacity(choices.len());
        for choice in choices {
            names.here.clone_from(&before);
            let mut steps = Vec::new();
            self.steps(choice, from, names, &mut steps);
            if steps.iter().any(|step| matches!(step, Step::Bind(_))) || steps.is_empty() {
                let always = self.emit(ExprKind::Bool(true), choice.span);
                steps.push(Step::Check(always));
            }
            let test = self.join(steps, choice.span);
            let check = test
                .condition
                .expect("there is a check in every alternative");
            checks.push(check);
            match &first {
                None => first = Some(names.here.clone()),
                Some(first) if *first == names.here => {}
                Some(_) => self.unequal_alternatives(choices, choice.span),
            }
        }
        if !checks.is_empty() {
            out.push(Step::Check(self.any_of(&checks, span)));
        }
    }

    /// The checks joined by `||` in halves: a chain would be as high as it is long.
    pub(super) fn any_of(&mut self, checks: &[ExprId], span: Span) -> ExprId {
        if let [only] = checks {
            return *only;
        }
        let (left, right) = checks.split_at(checks.len() / 2);
        let (left, right) = (self.any_of(left, span), self.any_of(right, span));
        self.emit(ExprKind::Or(left, right), span)
    }
}
