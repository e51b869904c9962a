//! Expressions as S-expressions.

use super::sexp::Sexp;
use super::{Dumper, bare, labelled};
use crate::ast::{
    Arg, AssignOp, ConditionalForm, Expr, ExprKind, ListItem, LogicalOp, MapEntry, MatchArm, Name,
    PersistVerb, StepOp, TextPart, UnaryOp,
};

impl Dumper {
    pub(super) fn expr(&self, expr: &Expr) -> Sexp {
        if !self.spans
            && let Some(atom) = short(&expr.kind)
        {
            return atom;
        }
        let (kind, children) = self.expr_parts(&expr.kind);
        self.node(kind, expr.span, children)
    }

    fn exprs<'e>(&self, list: impl IntoIterator<Item = &'e Expr>) -> Vec<Sexp> {
        list.into_iter().map(|expr| self.expr(expr)).collect()
    }

    fn optional(&self, value: Option<&Expr>) -> Sexp {
        value.map_or_else(|| Sexp::atom("-"), |value| self.expr(value))
    }

    fn expr_parts(&self, kind: &ExprKind) -> (&'static str, Vec<Sexp>) {
        match kind {
            ExprKind::None => ("none", Vec::new()),
            ExprKind::Bool(value) => ("bool", vec![Sexp::Atom(value.to_string())]),
            ExprKind::Int(value) => ("int", vec![Sexp::Atom(value.to_string())]),
            ExprKind::Float(value) => ("float", vec![Sexp::Atom(format!("{value:?}"))]),
            ExprKind::Text(parts) => ("text", self.text_parts(parts)),
            ExprKind::List(items) => ("list", items.iter().map(|i| self.list_item(i)).collect()),
            ExprKind::Map(entries) => ("map", self.entries(entries)),
            ExprKind::Tuple(items) => ("tuple", self.exprs(items)),
            ExprKind::Name(name) => ("name", vec![bare(name)]),
            ExprKind::TypeName(name) => ("type-name", vec![bare(name)]),
            ExprKind::EntityLiteral { name, entries } => {
                let mut children = vec![bare(name)];
                children.extend(self.entries(entries));
                ("new", children)
            }
            ExprKind::Response(entries) => ("response", self.entries(entries)),
            ExprKind::Error => ("error", Vec::new()),
            ExprKind::Range { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Binary { .. }
            | ExprKind::Logical { .. }
            | ExprKind::Default { .. }
            | ExprKind::Is { .. }
            | ExprKind::In { .. }
            | ExprKind::At { .. }
            | ExprKind::Pipe { .. } => self.operator(kind),
            ExprKind::Field { .. }
            | ExprKind::Index { .. }
            | ExprKind::Slice { .. }
            | ExprKind::Call { .. } => self.postfix(kind),
            ExprKind::Conditional { .. }
            | ExprKind::If { .. }
            | ExprKind::Match { .. }
            | ExprKind::Lambda { .. }
            | ExprKind::Block(_)
            | ExprKind::Try(_)
            | ExprKind::TryCatch { .. }
            | ExprKind::Loop { .. } => self.control(kind),
            ExprKind::Persist { .. }
            | ExprKind::Assert { .. }
            | ExprKind::Assign { .. }
            | ExprKind::Step { .. }
            | ExprKind::Return(_)
            | ExprKind::Break { .. }
            | ExprKind::Continue { .. } => self.effect(kind),
        }
    }

    fn operator(&self, kind: &ExprKind) -> (&'static str, Vec<Sexp>) {
        match kind {
            ExprKind::Range {
                start,
                end,
                inclusive,
            } => (
                if *inclusive { "..=" } else { ".." },
                vec![self.expr(start), self.expr(end)],
            ),
            ExprKind::Unary { op, operand } => {
                let symbol = match op {
                    UnaryOp::Negate => "neg",
                    UnaryOp::Not => "!",
                };
                (symbol, vec![self.expr(operand)])
            }
            ExprKind::Binary { op, left, right } => {
                (op.symbol(), vec![self.expr(left), self.expr(right)])
            }
            ExprKind::Logical { op, left, right } => {
                let symbol = match op {
                    LogicalOp::And => "&&",
                    LogicalOp::Or => "||",
                };
                (symbol, vec![self.expr(left), self.expr(right)])
            }
            ExprKind::Default { value, fallback } => {
                ("?:", vec![self.expr(value), self.expr(fallback)])
            }
            ExprKind::Is { value, ty, negated } => (
                if *negated { "is-not" } else { "is" },
                vec![self.expr(value), self.typed(ty)],
            ),
            ExprKind::In {
                item,
                container,
                negated,
            } => (
                if *negated { "not-in" } else { "in" },
                vec![self.expr(item), self.expr(container)],
            ),
            ExprKind::At { value, version } => ("@", vec![self.expr(value), self.expr(version)]),
            ExprKind::Pipe { value, target } => ("|>", vec![self.expr(value), self.expr(target)]),
            other => unreachable!("not an operator: {other:?}"),
        }
    }

    fn postfix(&self, kind: &ExprKind) -> (&'static str, Vec<Sexp>) {
        match kind {
            ExprKind::Field {
                object,
                name,
                optional,
            } => (
                if *optional { "?." } else { "." },
                vec![self.expr(object), bare(name)],
            ),
            ExprKind::Index { object, index } => {
                ("index", vec![self.expr(object), self.expr(index)])
            }
            ExprKind::Slice {
                object,
                start,
                end,
                step,
            } => (
                "slice",
                vec![
                    self.expr(object),
                    self.optional(start.as_deref()),
                    self.optional(end.as_deref()),
                    self.optional(step.as_deref()),
                ],
            ),
            ExprKind::Call { callee, args } => {
                let mut children = vec![self.expr(callee)];
                children.extend(args.iter().map(|arg| self.arg(arg)));
                ("call", children)
            }
            other => unreachable!("not a postfix form: {other:?}"),
        }
    }

    fn control(&self, kind: &ExprKind) -> (&'static str, Vec<Sexp>) {
        match kind {
            ExprKind::Conditional {
                condition,
                then_value,
                else_value,
                form,
            } => (
                match form {
                    ConditionalForm::Ternary => "?",
                    ConditionalForm::IfThenElse => "if-then",
                },
                self.exprs([&**condition, then_value, else_value]),
            ),
            ExprKind::If {
                branches,
                else_block,
            } => {
                let mut children = Vec::new();
                for branch in branches {
                    children.push(self.expr(&branch.condition));
                    children.push(self.block(&branch.body));
                }
                children.extend(else_block.as_ref().map(|block| self.block(block)));
                ("if", children)
            }
            ExprKind::Match { subject, arms } => {
                let mut children = vec![self.expr(subject)];
                children.extend(arms.iter().map(|arm| self.arm(arm)));
                ("match", children)
            }
            ExprKind::Lambda { params, body } => {
                ("lambda", vec![self.params(params), self.expr(body)])
            }
            ExprKind::Block(block) => (
                "do",
                block
                    .statements
                    .iter()
                    .map(|stmt| self.stmt(stmt))
                    .collect(),
            ),
            ExprKind::Try(value) => ("try", vec![self.expr(value)]),
            ExprKind::TryCatch {
                body,
                error,
                handler,
            } => {
                let mut children = vec![self.block(body)];
                children.extend(error.as_ref().map(|error| self.pattern(error)));
                children.push(self.block(handler));
                ("try-catch", children)
            }
            ExprKind::Loop { label, body } => {
                let mut children = labelled(label.as_ref());
                children.push(self.block(body));
                ("loop", children)
            }
            other => unreachable!("not a control form: {other:?}"),
        }
    }

    fn arm(&self, arm: &MatchArm) -> Sexp {
        let mut list = vec![Sexp::atom("arm"), self.pattern(&arm.pattern)];
        list.extend(
            arm.guard
                .as_ref()
                .map(|guard| Sexp::List(vec![Sexp::atom("when"), self.expr(guard)])),
        );
        list.push(self.expr(&arm.body));
        Sexp::List(list)
    }

    fn effect(&self, kind: &ExprKind) -> (&'static str, Vec<Sexp>) {
        match kind {
            ExprKind::Persist { verb, value } => {
                let word = match verb {
                    PersistVerb::Save => "save",
                    PersistVerb::Delete => "delete",
                    PersistVerb::Restore => "restore",
                    PersistVerb::Destroy => "destroy",
                };
                (word, vec![self.expr(value)])
            }
            ExprKind::Assert { condition, message } => {
                let mut children = vec![self.expr(condition)];
                children.extend(message.as_ref().map(|message| self.expr(message)));
                ("assert", children)
            }
            ExprKind::Assign { target, op, value } => {
                let symbol = match op {
                    AssignOp::Set => "=",
                    AssignOp::Add => "+=",
                    AssignOp::Subtract => "-=",
                    AssignOp::Multiply => "*=",
                    AssignOp::Divide => "/=",
                    AssignOp::Remainder => "%=",
                };
                (symbol, vec![self.expr(target), self.expr(value)])
            }
            ExprKind::Step { target, op } => (
                match op {
                    StepOp::Increment => "++",
                    StepOp::Decrement => "--",
                },
                vec![self.expr(target)],
            ),
            ExprKind::Return(value) => ("return", self.exprs(value.as_deref())),
            ExprKind::Break { label, value } => {
                let mut children = labelled(label.as_ref());
                children.extend(self.exprs(value.as_deref()));
                ("break", children)
            }
            ExprKind::Continue { label } => ("continue", labelled(label.as_ref())),
            other => unreachable!("not an effect: {other:?}"),
        }
    }

    pub(super) fn text_parts(&self, parts: &[TextPart]) -> Vec<Sexp> {
        let one = |part: &TextPart| match part {
            TextPart::Chars { value, .. } => Sexp::text(value),
            TextPart::Expr(value) => self.expr(value),
        };
        parts.iter().map(one).collect()
    }

    fn list_item(&self, item: &ListItem) -> Sexp {
        match item {
            ListItem::Item(value) => self.expr(value),
            ListItem::Spread(value) => self.spread(value),
        }
    }

    fn spread(&self, value: &Expr) -> Sexp {
        Sexp::List(vec![Sexp::atom("..."), self.expr(value)])
    }

    fn entries(&self, entries: &[MapEntry]) -> Vec<Sexp> {
        let one = |entry: &MapEntry| match entry {
            MapEntry::Pair { key, value } => Sexp::List(vec![Sexp::key(key), self.expr(value)]),
            MapEntry::Computed { key, value } => Sexp::List(vec![
                Sexp::atom("computed"),
                self.expr(key),
                self.expr(value),
            ]),
            MapEntry::Spread(value) => self.spread(value),
            MapEntry::Shorthand(name) => bare(name),
        };
        entries.iter().map(one).collect()
    }

    pub(super) fn arg(&self, arg: &Arg) -> Sexp {
        match &arg.name {
            None => self.expr(&arg.value),
            Some(name) => Sexp::List(vec![named(name), self.expr(&arg.value)]),
        }
    }
}

fn named(name: &Name) -> Sexp {
    Sexp::Atom(format!("{}:", name.text))
}

/// Leaves are single atoms when places are not shown.
fn short(kind: &ExprKind) -> Option<Sexp> {
    match kind {
        ExprKind::None => Some(Sexp::atom("none")),
        ExprKind::Bool(value) => Some(Sexp::Atom(value.to_string())),
        ExprKind::Int(value) => Some(Sexp::Atom(value.to_string())),
        ExprKind::Float(value) => Some(Sexp::Atom(format!("{value:?}"))),
        ExprKind::Name(name) | ExprKind::TypeName(name) => Some(bare(name)),
        ExprKind::Text(parts) => match parts.as_slice() {
            [] => Some(Sexp::text("")),
            [TextPart::Chars { value, .. }] => Some(Sexp::text(value)),
            _several => None,
        },
        _node => None,
    }
}
