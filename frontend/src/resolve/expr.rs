//! Expressions that mean the same in the resolved program, and the small ones that become others. Must stay true: operands
//! are evaluated once and in the order of the source.

use flin_syntax::Span;
use flin_syntax::ast::{
    BinaryOp, Expr, ExprKind as Ast, ListItem, LogicalOp, MapEntry, Name, PersistVerb, TextPart,
    TypeExpr, UnaryOp,
};

use flin_bytecode::module::Injected;

use crate::hir::{BinOp, ExprId, ExprKind, RecordEntry};

use super::Resolver;
use super::names::{Item, Role};

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
            Ast::Error | Ast::None => scalar(&expr.kind),
            Ast::Bool(_) | Ast::Int(_) | Ast::Float(_) => scalar(&expr.kind),
            Ast::Text(parts) => return self.text(parts, span),
            Ast::List(items) => return self.list(items, span),
            Ast::Map(entries) => ExprKind::Record(self.entries(entries)),
            Ast::Tuple(items) => ExprKind::Tuple(items.iter().map(|it| self.expr(it)).collect()),
            Ast::Range {
                start,
                end,
                inclusive,
            } => {
                let inclusive = *inclusive;
                self.pair(start, end, |from, to| ExprKind::Range(from, to, inclusive))
            }
            Ast::Name(name) | Ast::TypeName(name) => return self.read_name(name),
            Ast::Field {
                object,
                name,
                optional,
            } => {
                return self.field(object, name, *optional, span);
            }
            Ast::Index { object, index } => self.index(object, index),
            Ast::Slice {
                object,
                start,
                end,
                step,
            } => self.slice(object, [start, end, step].map(Option::as_deref)),
            Ast::Call { callee, args } => return self.call(callee, args, None, span),
            Ast::Unary { op, operand } => return self.unary(*op, operand, span),
            Ast::Binary { op, left, right } => {
                self.pair(left, right, |a, b| ExprKind::Binary(binary(*op), a, b))
            }
            Ast::Logical { op, left, right } => match op {
                LogicalOp::And => self.pair(left, right, ExprKind::And),
                LogicalOp::Or => self.pair(left, right, ExprKind::Or),
            },
            Ast::Default { value, fallback } => self.pair(value, fallback, ExprKind::Coalesce),
            Ast::Lambda { params, body } => return self.lambda(params, body, span),
            Ast::Try(value) => ExprKind::Try(self.expr(value)),
            Ast::Is { value, ty, negated } => return self.is_type(value, ty, *negated, span),
            Ast::In {
                item,
                container,
                negated,
            } => {
                let kind = self.pair(item, container, ExprKind::In);
                return self.negate_if(*negated, kind, span);
            }
            Ast::At { value, version } => {
                let args = vec![self.expr(value), self.expr(version)];
                ExprKind::CallLib("__entity_at".to_owned(), args)
            }
            Ast::Persist { verb, value } => persist(*verb, self.expr(value)),
            Ast::Assert { condition, message } => {
                return self.assert(condition, message.as_deref(), span);
            }
            Ast::EntityLiteral { name, entries } => {
                return self.entity_literal(name, entries, span);
            }
            Ast::Response(entries) => self.response(entries, span),
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
        };
        self.emit(kind, span)
    }

    fn index(&mut self, object: &Expr, index: &Expr) -> ExprKind {
        let recv = self.expr(object);
        let key = self.expr(index);
        if !self.is_headers(recv) {
            return ExprKind::Index(recv, key);
        }
        let lower = ExprKind::CallLib("lower".to_owned(), vec![key]);
        ExprKind::Index(recv, self.emit(lower, index.span))
    }

    /// The headers of a request: their names are kept in lower case and found in any.
    fn is_headers(&self, id: ExprId) -> bool {
        let ExprKind::Global(global) = self.frame().exprs[id.index()].kind else {
            return false;
        };
        matches!(
            self.vars[global.index()].role,
            Role::Injected(Injected::Headers)
        )
    }

    fn response(&mut self, entries: &[MapEntry], span: Span) -> ExprKind {
        let record = ExprKind::Record(self.entries(entries));
        ExprKind::Response(self.emit(record, span))
    }

    fn is_type(&mut self, value: &Expr, ty: &TypeExpr, negated: bool, span: Span) -> ExprId {
        let kind = ExprKind::Is(self.expr(value), self.tested_type(ty));
        self.negate_if(negated, kind, span)
    }

    /// Two operands in order.
    fn pair(
        &mut self,
        a: &Expr,
        b: &Expr,
        make: impl FnOnce(ExprId, ExprId) -> ExprKind,
    ) -> ExprKind {
        let a = self.expr(a);
        make(a, self.expr(b))
    }

    fn slice(&mut self, object: &Expr, parts: [Option<&Expr>; 3]) -> ExprKind {
        let recv = self.expr(object);
        let [from, to, step] = parts.map(|part| part.map(|part| self.expr(part)));
        ExprKind::Slice {
            recv,
            from,
            to,
            step,
        }
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
                    let list = self.spread_items(list);
                    joined = Some(self.join_lists(Some(before), list, span));
                }
            }
        }
        if let (Some(joined), true) = (joined, run.is_empty()) {
            return joined;
        }
        let rest = self.emit(ExprKind::List(run), span);
        self.join_lists(joined, rest, span)
    }

    /// What `...x` puts into a list: the elements of a list, range or query. `skip` takes all of these and nothing else;
    /// a bare `+` would join a text as text.
    fn spread_items(&mut self, list: &Expr) -> ExprId {
        let items = self.expr(list);
        if matches!(list.kind, Ast::List(_)) {
            return items;
        }
        let none = self.emit(ExprKind::Int(0), list.span);
        self.emit(
            ExprKind::CallLib("skip".to_owned(), vec![items, none]),
            list.span,
        )
    }

    fn join_lists(&mut self, before: Option<ExprId>, list: ExprId, span: Span) -> ExprId {
        match before {
            None => list,
            Some(before) => self.emit(ExprKind::Binary(BinOp::Add, before, list), span),
        }
    }

    /// `[key]: value` is a map of its own that is spread: `...from_entries([(key, value)])`.
    fn computed_entry(&mut self, key: &Expr, value: &Expr) -> ExprId {
        let span = key.span.to(value.span);
        let pair = vec![self.expr(key), self.expr(value)];
        let pair = self.emit(ExprKind::Tuple(pair), span);
        let pairs = self.emit(ExprKind::List(vec![pair]), span);
        let call = ExprKind::CallLib("from_entries".to_owned(), vec![pairs]);
        self.emit(call, span)
    }

    fn entries(&mut self, entries: &[MapEntry]) -> Vec<RecordEntry> {
        entries
            .iter()
            .map(|entry| match entry {
                MapEntry::Pair { key, value } => {
                    RecordEntry::Field(key.text.to_string(), key.span, self.expr(value))
                }
                MapEntry::Computed { key, value } => {
                    RecordEntry::Spread(self.computed_entry(key, value))
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
        self.check_event_field(object, name);
        if let Some(part) = self.page_param_field(object, name) {
            return part;
        }
        let recv = self.expr(object);
        let lower = self.is_headers(recv).then(|| name.text.to_lowercase());
        self.emit(
            ExprKind::Field {
                recv,
                name: lower.unwrap_or_else(|| name.text.to_string()),
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

/// The literals that are one word.
fn scalar(kind: &Ast) -> ExprKind {
    match kind {
        Ast::None => ExprKind::None,
        Ast::Bool(value) => ExprKind::Bool(*value),
        Ast::Int(value) => ExprKind::Int(*value),
        Ast::Float(value) => ExprKind::Float(*value),
        _ => ExprKind::Error,
    }
}

fn persist(verb: PersistVerb, value: ExprId) -> ExprKind {
    match verb {
        PersistVerb::Save => ExprKind::Save(value),
        PersistVerb::Delete => ExprKind::Delete(value),
        PersistVerb::Restore => ExprKind::Restore(value),
        PersistVerb::Destroy => ExprKind::Destroy(value),
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
