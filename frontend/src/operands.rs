//! The direct operands of a resolved expression. Here because name checks, the text form of a program and lowering all walk
//! over expressions. Must stay true: every operand of every kind is named exactly once, in the order of evaluation.

use crate::hir::{ExprId, ExprKind, RecordEntry};

/// Calls `visit` with each direct operand of an expression. The bodies of lambdas are other functions and not visited.
pub fn operands(kind: &ExprKind, visit: &mut dyn FnMut(ExprId)) {
    use ExprKind as K;
    match kind {
        K::Error
        | K::Cases(..)
        | K::None
        | K::Bool(_)
        | K::Int(_)
        | K::Float(_)
        | K::Text(_)
        | K::Duration(_)
        | K::Local(_)
        | K::Global(_)
        | K::FnRef(_)
        | K::Lambda(_)
        | K::Continue(_)
        | K::Query(_)
        | K::ViewRaw(_)
        | K::ViewChars(_)
        | K::ViewNothing => {}
        K::ViewElement(element) => {
            let content = element.content.iter().flatten();
            element
                .attributes
                .iter()
                .chain(content)
                .for_each(|id| visit(*id));
        }
        K::ViewItem(item) => item
            .key
            .iter()
            .chain(&item.content)
            .for_each(|id| visit(*id)),
        K::ViewBind { part, .. } => part.iter().for_each(|part| {
            visit(part.value);
            visit(part.path);
        }),
        K::Concat(items)
        | K::List(items)
        | K::Tuple(items)
        | K::Block(items, _)
        | K::ViewHead(items)
        | K::ViewBlock(items)
        | K::ViewEmpty(items)
        | K::ViewStyle(items)
        | K::CallFn(_, items)
        | K::CallLib(_, items)
        | K::Variant(_, _, items)
        | K::ViewOn { args: items, .. }
        | K::ViewForm { args: items, .. } => items.iter().for_each(|id| visit(*id)),
        K::Record(entries) => entries.iter().for_each(|entry| match entry {
            RecordEntry::Field(_, _, id) | RecordEntry::Spread(id) => visit(*id),
        }),
        K::EntityNew(_, fields) => fields.iter().for_each(|(_, id)| visit(*id)),
        K::Range(a, b, _)
        | K::Index(a, b)
        | K::Binary(_, a, b)
        | K::And(a, b)
        | K::Or(a, b)
        | K::Coalesce(a, b)
        | K::In(a, b)
        | K::While {
            cond: a, body: b, ..
        }
        | K::TryCatch {
            body: a,
            handler: b,
            ..
        }
        | K::SetField {
            recv: a, value: b, ..
        }
        | K::QueryArg {
            lambda: a,
            plain: b,
        }
        | K::ViewOption {
            own: a, bound: b, ..
        } => {
            visit(*a);
            visit(*b);
        }
        K::SetIndex(a, b, c)
        | K::ForRange {
            from: a,
            to: b,
            body: c,
            ..
        } => {
            visit(*a);
            visit(*b);
            visit(*c);
        }
        K::CallValue(first, args)
        | K::Method {
            recv: first, args, ..
        } => {
            visit(*first);
            args.iter().for_each(|id| visit(*id));
        }
        K::SetLocal(_, id)
        | K::SetGlobal(_, id)
        | K::Field { recv: id, .. }
        | K::Neg(id)
        | K::Not(id)
        | K::Is(id, _)
        | K::IsVariant(id, _, _)
        | K::VariantData(id, _, _, _)
        | K::Loop { body: id, .. }
        | K::Try(id)
        | K::Save(id)
        | K::Delete(id)
        | K::Restore(id)
        | K::Destroy(id)
        | K::Assert(id)
        | K::Response(id)
        | K::ViewText(id)
        | K::ViewHtml(id)
        | K::ViewAttr { value: id, .. } => visit(*id),
        K::Let(_, id) | K::Break(_, id) | K::Return(id) | K::ImplicitField { outer: id, .. } => {
            id.iter().for_each(|id| visit(*id));
        }
        K::Slice {
            recv,
            from,
            to,
            step,
        } => {
            visit(*recv);
            from.iter().chain(to).chain(step).for_each(|id| visit(*id));
        }
        K::If {
            cond,
            then,
            otherwise,
        } => {
            visit(*cond);
            visit(*then);
            otherwise.iter().for_each(|id| visit(*id));
        }
        K::For {
            iter, body, empty, ..
        } => {
            visit(*iter);
            visit(*body);
            empty.iter().for_each(|id| visit(*id));
        }
    }
}
