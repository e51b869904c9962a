//! Expressions that mean the same in the resolved program, and the small ones that become others. Must stay true: operands
//! are evaluated once and in the order of the source.

use flin_syntax::Span;
use flin_syntax::ast::{
    BinaryOp, Expr, ExprKind as Ast, ListItem, LogicalOp, MapEntry, Name, PersistVerb, TextPart,
    UnaryOp,
};

use crate::hir::{BinOp, ExprId, ExprKind, RecordEntry};
use crate::unsupported::Unsupported;

use super::Resolver;
use super::names::Item;

impl Resolver<'_> {
    /// An expression whose value is wanted.
    pub(super) fn expr(&mut self, expr: &Expr) -> ExprId {
        self.value_or_effect(expr, true)
    }

    /// An expression whose value nobody wants.
    pub(super) fn effect(&mut self, expr: &Expr) -> ExprId {
        self.value_or_effect(expr, false)
    }

    fn value_or_effect(&mut self, expr: &Expr, want: bool) -> ExprId {
        let span = expr.span;
        let kind = match &expr.kind {
            Ast::None => ExprKind::None,
            Ast::Bool(value) => ExprKind::Bool(*value),
            Ast::Int(value) => ExprKind::Int(*value),
            Ast::Float(value) => ExprKind::Float(*value),
            Ast::Text(parts) => return self.text(parts, span),
            Ast::List(items) => return self.list(items, span),
            Ast::Map(entries) => {
                let entries = self.entries(entries);
                ExprKind::Record(entries)
            }
            Ast::Tuple(items) => {
                ExprKind::Tuple(items.iter().map(|item| self.expr(item)).collect())
            }
            Ast::Range {
                start,
                end,
                inclusive,
            } => {
                let start = self.expr(start);
                ExprKind::Range(start, self.expr(end), *inclusive)
            }
            Ast::Name(name) | Ast::TypeName(name) => return self.read_name(name),
            Ast::Field {
                object,
                name,
                optional,
            } => return self.field(object, name, *optional, span),
            Ast::Index { object, index } => {
                let object = self.expr(object);
                ExprKind::Index(object, self.expr(index))
            }
            Ast::Slice {
                object,
                start,
                end,
                step,
            } => {
                let recv = self.expr(object);
                let from = start.as_ref().map(|it| self.expr(it));
                let to = end.as_ref().map(|it| self.expr(it));
                let step = step.as_ref().map(|it| self.expr(it));
                ExprKind::Slice {
                    recv,
                    from,
                    to,
                    step,
                }
            }
            Ast::Call { callee, args } => return self.call(callee, args, None, span),
            Ast::Unary { op, operand } => return self.unary(*op, operand, span),
            Ast::Binary { op, left, right } => {
                let left = self.expr(left);
                ExprKind::Binary(binary(*op), left, self.expr(right))
            }
            Ast::Logical { op, left, right } => {
                let left = self.expr(left);
                let right = self.expr(right);
                match op {
                    LogicalOp::And => ExprKind::And(left, right),
                    LogicalOp::Or => ExprKind::Or(left, right),
                }
            }
            Ast::Default { value, fallback } => {
                let value = self.expr(value);
                ExprKind::Coalesce(value, self.expr(fallback))
            }
            Ast::Lambda { params, body } => return self.lambda(params, body, span),
            Ast::Try(value) => {
                let value = self.expr(value);
                ExprKind::Try(value)
            }
            Ast::Is { value, ty, negated } => {
                let value = self.expr(value);
                let ty = self.type_of(ty);
                return self.negate_if(*negated, ExprKind::Is(value, ty), span);
            }
            Ast::In {
                item,
                container,
                negated,
            } => {
                let item = self.expr(item);
                let container = self.expr(container);
                return self.negate_if(*negated, ExprKind::In(item, container), span);
            }
            Ast::At { value, version } => {
                self.expr(value);
                self.expr(version);
                self.unsupported(Unsupported::TimeTravel, span);
                ExprKind::Error
            }
            Ast::Persist { verb, value } => {
                let value = self.expr(value);
                match verb {
                    PersistVerb::Save => ExprKind::Save(value),
                    PersistVerb::Delete => ExprKind::Delete(value),
                    PersistVerb::Restore => ExprKind::Restore(value),
                    PersistVerb::Destroy => ExprKind::Destroy(value),
                }
            }
            Ast::Assert { condition, message } => {
                return self.assert(condition, message.as_deref(), span);
            }
            Ast::EntityLiteral { name, entries } => {
                return self.entity_literal(name, entries, span);
            }
            Ast::Response(entries) => {
                let entries = self.entries(entries);
                let record = self.emit(ExprKind::Record(entries), span);
                ExprKind::Response(record)
            }
            Ast::Pipe { value, target } => return self.pipe(value, target, span),
            Ast::Assign { target, op, value } => return self.assign(target, *op, value, span),
            Ast::Step { target, op } => return self.step(target, *op, span),
            Ast::Conditional { .. }
            | Ast::If { .. }
            | Ast::Match { .. }
            | Ast::Block(_)
            | Ast::TryCatch { .. }
            | Ast::Loop { .. }
            | Ast::Return(_)
            | Ast::Break { .. }
            | Ast::Continue { .. } => return self.control(expr, want),
            Ast::Error => ExprKind::Error,
        };
        self.emit(kind, span)
    }

    fn negate_if(&mut self, negated: bool, kind: ExprKind, span: Span) -> ExprId {
        let id = self.emit(kind, span);
        if negated {
            self.emit(ExprKind::Not(id), span)
        } else {
            id
        }
    }

    /// A text literal or the value of a mixed attribute.
    pub(super) fn text(&mut self, parts: &[TextPart], span: Span) -> ExprId {
        match parts {
            [] => return self.emit(ExprKind::Text(String::new()), span),
            [TextPart::Chars { value, .. }] => {
                return self.emit(ExprKind::Text(value.to_string()), span);
            }
            _ => {}
        }
        let parts = parts
            .iter()
            .map(|part| match part {
                TextPart::Chars { value, span } => {
                    self.emit(ExprKind::Text(value.to_string()), *span)
                }
                TextPart::Expr(value) => self.expr(value),
            })
            .collect();
        self.emit(ExprKind::Concat(parts), span)
    }

    /// A list literal; with `...xs` in it, lists joined by `+`.
    fn list(&mut self, items: &[ListItem], span: Span) -> ExprId {
        let mut joined: Option<ExprId> = None;
        let mut run = Vec::new();
        for item in items {
            match item {
                ListItem::Item(value) => run.push(self.expr(value)),
                ListItem::Spread(list) => {
                    let before = self.emit(ExprKind::List(std::mem::take(&mut run)), span);
                    let before = self.join_lists(joined, before, span);
                    let list = self.expr(list);
                    joined = Some(self.join_lists(Some(before), list, span));
                }
            }
        }
        if joined.is_some() && run.is_empty() {
            return joined.expect("there is a spread");
        }
        let rest = self.emit(ExprKind::List(run), span);
        self.join_lists(joined, rest, span)
    }

    fn join_lists(&mut self, before: Option<ExprId>, list: ExprId, span: Span) -> ExprId {
        match before {
            None => list,
            Some(before) => self.emit(ExprKind::Binary(BinOp::Add, before, list), span),
        }
    }

    fn entries(&mut self, entries: &[MapEntry]) -> Vec<RecordEntry> {
        entries
            .iter()
            .map(|entry| match entry {
                MapEntry::Pair { key, value } => {
                    RecordEntry::Field(key.text.to_string(), key.span, self.expr(value))
                }
                MapEntry::Spread(value) => RecordEntry::Spread(self.expr(value)),
                MapEntry::Shorthand(name) => {
                    RecordEntry::Field(name.text.to_string(), name.span, self.read_name(name))
                }
            })
            .collect()
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr, span: Span) -> ExprId {
        let kind = match (op, &operand.kind) {
            (UnaryOp::Negate, Ast::Int(value)) if value.checked_neg().is_some() => {
                ExprKind::Int(-value)
            }
            (UnaryOp::Negate, Ast::Float(value)) => ExprKind::Float(-value),
            (UnaryOp::Negate, _) => ExprKind::Neg(self.expr(operand)),
            (UnaryOp::Not, _) => ExprKind::Not(self.expr(operand)),
        };
        self.emit(kind, span)
    }

    fn field(&mut self, object: &Expr, name: &Name, optional: bool, span: Span) -> ExprId {
        if let Ast::TypeName(enum_name) = &object.kind
            && let Some(Item::Enum(at)) = self.top(&enum_name.text)
        {
            return self.variant(at, name, &[], span);
        }
        if let Some(milliseconds) = duration(object, &name.text) {
            return self.emit(ExprKind::Duration(milliseconds), span);
        }
        let recv = self.expr(object);
        self.emit(
            ExprKind::Field {
                recv,
                name: name.text.to_string(),
                name_span: name.span,
                optional,
            },
            span,
        )
    }

    fn assert(&mut self, condition: &Expr, message: Option<&Expr>, span: Span) -> ExprId {
        let cond = self.expr(condition);
        let Some(message) = message else {
            return self.emit(ExprKind::Assert(cond), span);
        };
        let failed = self.emit(ExprKind::Not(cond), condition.span);
        let kind = self.emit(ExprKind::Text("AssertionError".to_owned()), span);
        let message = self.expr(message);
        let fail = self.emit(
            ExprKind::CallLib("fail".to_owned(), vec![kind, message]),
            span,
        );
        self.emit(
            ExprKind::If {
                cond: failed,
                then: fail,
                otherwise: None,
            },
            span,
        )
    }
}

/// The operation of a binary operator.
pub(super) fn binary(op: BinaryOp) -> BinOp {
    match op {
        BinaryOp::Add => BinOp::Add,
        BinaryOp::Subtract => BinOp::Sub,
        BinaryOp::Multiply => BinOp::Mul,
        BinaryOp::Divide => BinOp::Div,
        BinaryOp::Remainder => BinOp::Rem,
        BinaryOp::Power => BinOp::Pow,
        BinaryOp::Equal => BinOp::Eq,
        BinaryOp::NotEqual => BinOp::Ne,
        BinaryOp::Less => BinOp::Lt,
        BinaryOp::LessEqual => BinOp::Le,
        BinaryOp::Greater => BinOp::Gt,
        BinaryOp::GreaterEqual => BinOp::Ge,
    }
}

/// Milliseconds of a duration literal such as `5.minutes`.
fn duration(object: &Expr, unit: &str) -> Option<i64> {
    let Ast::Int(count) = object.kind else {
        return None;
    };
    let unit_ms: i64 = match unit {
        "ms" => 1,
        "second" | "seconds" => 1_000,
        "minute" | "minutes" => 60_000,
        "hour" | "hours" => 3_600_000,
        "day" | "days" => 86_400_000,
        "week" | "weeks" => 604_800_000,
        _ => return None,
    };
    count.checked_mul(unit_ms)
}
