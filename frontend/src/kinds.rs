//! Families of resolved expressions, as patterns. Here because a `match` over all kinds must name all of them, and some
//! sixty lines of names in each would hide what it decides. Must stay true: the families share no kind, each holds only
//! kinds that belong together, and a new kind that is in none of them stops every `match` that has to decide about it.

/// What is written in the source or stands for a mistake: no operands, always the same value.
macro_rules! constant_kinds {
    () => {
        $crate::hir::ExprKind::Error
            | $crate::hir::ExprKind::None
            | $crate::hir::ExprKind::Bool(_)
            | $crate::hir::ExprKind::Int(_)
            | $crate::hir::ExprKind::Float(_)
            | $crate::hir::ExprKind::Text(_)
            | $crate::hir::ExprKind::Duration(_)
    };
}

/// A new value computed from operands: never one of them.
macro_rules! computed_kinds {
    () => {
        $crate::hir::ExprKind::Neg(_)
            | $crate::hir::ExprKind::Not(_)
            | $crate::hir::ExprKind::In(..)
            | $crate::hir::ExprKind::Is(..)
            | $crate::hir::ExprKind::IsVariant(..)
            | $crate::hir::ExprKind::Concat(_)
            | $crate::hir::ExprKind::Tuple(_)
            | $crate::hir::ExprKind::Range(..)
            | $crate::hir::ExprKind::Variant(..)
            | $crate::hir::ExprKind::EntityNew(..)
            | $crate::hir::ExprKind::Response(_)
            | $crate::hir::ExprKind::Slice { .. }
    };
}

/// Branches, loops, jumps and what catches errors; not blocks.
macro_rules! flow_kinds {
    () => {
        $crate::hir::ExprKind::If { .. }
            | $crate::hir::ExprKind::While { .. }
            | $crate::hir::ExprKind::ForRange { .. }
            | $crate::hir::ExprKind::For { .. }
            | $crate::hir::ExprKind::Loop { .. }
            | $crate::hir::ExprKind::Break(..)
            | $crate::hir::ExprKind::Continue(_)
            | $crate::hir::ExprKind::Return(_)
            | $crate::hir::ExprKind::Try(_)
            | $crate::hir::ExprKind::TryCatch { .. }
            | $crate::hir::ExprKind::Cases(..)
            | $crate::hir::ExprKind::Assert(_)
    };
}

/// What is done to a stored record.
macro_rules! record_kinds {
    () => {
        $crate::hir::ExprKind::Save(_)
            | $crate::hir::ExprKind::Delete(_)
            | $crate::hir::ExprKind::Restore(_)
            | $crate::hir::ExprKind::Destroy(_)
    };
}

/// Queries and what stands in their arguments.
macro_rules! query_kinds {
    () => {
        $crate::hir::ExprKind::Query(_)
            | $crate::hir::ExprKind::ImplicitField { .. }
            | $crate::hir::ExprKind::QueryArg { .. }
    };
}

/// What a view writes.
macro_rules! view_kinds {
    () => {
        $crate::hir::ExprKind::ViewRaw(_)
            | $crate::hir::ExprKind::ViewText(_)
            | $crate::hir::ExprKind::ViewHtml(_)
            | $crate::hir::ExprKind::ViewAttr { .. }
            | $crate::hir::ExprKind::ViewBind { .. }
            | $crate::hir::ExprKind::ViewOption { .. }
            | $crate::hir::ExprKind::ViewChars(_)
            | $crate::hir::ExprKind::ViewElement(_)
            | $crate::hir::ExprKind::ViewBlock(_)
            | $crate::hir::ExprKind::ViewNothing
            | $crate::hir::ExprKind::ViewItem(_)
            | $crate::hir::ExprKind::ViewEmpty(_)
            | $crate::hir::ExprKind::ViewStyle(_)
            | $crate::hir::ExprKind::ViewOn { .. }
            | $crate::hir::ExprKind::ViewForm { .. }
            | $crate::hir::ExprKind::ViewHead(_)
    };
}

pub(crate) use {
    computed_kinds, constant_kinds, flow_kinds, query_kinds, record_kinds, view_kinds,
};
