//! The direct sub-expressions of an expression. Here because several passes go over whole bodies and must agree on what
//! a body consists of. Must stay true: every expression that is evaluated as part of another one is listed, once, in the
//! order of evaluation.

use crate::hir::{ExprId, ExprKind, RecordEntry};

/// Appends the direct sub-expressions in order.
pub(super) fn children(kind: &ExprKind, out: &mut Vec<ExprId>) {
    match kind {
        ExprKind::Error
        | ExprKind::None
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Text(_)
        | ExprKind::Duration(_)
        | ExprKind::Local(_)
        | ExprKind::Global(_)
        | ExprKind::FnRef(_)
        | ExprKind::Lambda(_)
        | ExprKind::Continue(_)
        | ExprKind::Query(_)
        | ExprKind::ViewRaw(_)
        | ExprKind::ViewBind { .. }
        | ExprKind::ViewKey(_) => {}
        ExprKind::Concat(parts)
        | ExprKind::List(parts)
        | ExprKind::Tuple(parts)
        | ExprKind::CallFn(_, parts)
        | ExprKind::CallLib(_, parts)
        | ExprKind::Block(parts, _)
        | ExprKind::Variant(_, _, parts)
        | ExprKind::ViewHead(parts) => out.extend(parts),
        ExprKind::Record(entries) => out.extend(entries.iter().map(|entry| match entry {
            RecordEntry::Field(_, _, value) | RecordEntry::Spread(value) => *value,
        })),
        ExprKind::Range(a, b, _)
        | ExprKind::Index(a, b)
        | ExprKind::Binary(_, a, b)
        | ExprKind::And(a, b)
        | ExprKind::Or(a, b)
        | ExprKind::Coalesce(a, b)
        | ExprKind::In(a, b)
        | ExprKind::QueryArg {
            lambda: a,
            plain: b,
        }
        | ExprKind::NoMatch {
            subject: a,
            raise: b,
        }
        | ExprKind::ViewOption { own: a, bound: b } => out.extend([*a, *b]),
        ExprKind::SetIndex(a, b, c) => out.extend([*a, *b, *c]),
        ExprKind::Let(_, value) | ExprKind::Break(_, value) | ExprKind::Return(value) => {
            out.extend(value)
        }
        ExprKind::SetLocal(_, value)
        | ExprKind::SetGlobal(_, value)
        | ExprKind::Neg(value)
        | ExprKind::Not(value)
        | ExprKind::Is(value, _)
        | ExprKind::IsVariant(value, ..)
        | ExprKind::VariantData(value, ..)
        | ExprKind::Try(value)
        | ExprKind::Save(value)
        | ExprKind::Delete(value)
        | ExprKind::Restore(value)
        | ExprKind::Destroy(value)
        | ExprKind::Assert(value)
        | ExprKind::Response(value)
        | ExprKind::ViewText(value)
        | ExprKind::ViewHtml(value)
        | ExprKind::ViewAttr { value, .. } => out.push(*value),
        ExprKind::CallValue(callee, args) => {
            out.push(*callee);
            out.extend(args);
        }
        ExprKind::Method { recv, args, .. } => {
            out.push(*recv);
            out.extend(args);
        }
        ExprKind::Field { recv, .. } => out.push(*recv),
        ExprKind::SetField { recv, value, .. } => out.extend([*recv, *value]),
        ExprKind::Slice {
            recv,
            from,
            to,
            step,
        } => {
            out.push(*recv);
            out.extend(from.iter().chain(to).chain(step));
        }
        ExprKind::If {
            cond,
            then,
            otherwise,
        } => {
            out.extend([*cond, *then]);
            out.extend(otherwise);
        }
        ExprKind::While { cond, body, .. } => out.extend([*cond, *body]),
        ExprKind::ForRange { from, to, body, .. } => out.extend([*from, *to, *body]),
        ExprKind::For {
            iter, body, empty, ..
        } => {
            out.extend([*iter, *body]);
            out.extend(empty);
        }
        ExprKind::Loop { body, .. } => out.push(*body),
        ExprKind::TryCatch { body, handler, .. } => out.extend([*body, *handler]),
        ExprKind::EntityNew(_, fields) => out.extend(fields.iter().map(|(_, value)| *value)),
        ExprKind::ImplicitField { outer, .. } => out.extend(outer),
        ExprKind::ViewOn { args, .. } | ExprKind::ViewForm { args, .. } => out.extend(args),
    }
}
