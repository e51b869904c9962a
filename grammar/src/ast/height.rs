//! The height of trees: one more than the highest child.
//!
//! Each recursive node keeps its height, so that the parser can refuse a tree that grows too high before any walk over it
//! (also the one that frees it) could exhaust the stack. Computing it looks at direct children only.

use super::{
    Arg, Attribute, AttributeKind, AttributeValue, Block, Decorator, Element, Expr, ExprKind,
    FieldDecl, GuardUse, IfBranch, ListItem, MapEntry, MapPatternEntry, Markup, MarkupBranch,
    MarkupKind, MatchArm, Param, Pattern, PatternItem, PatternKind, Stmt, StmtKind, TextPart,
    TypeExpr, TypeKind, VariantDecl, WsHandler,
};

/// Nodes that know how high the tree below them is.
pub trait Height {
    /// 1 for a leaf; for things that are no nodes of their own, the highest child, or 0.
    fn height(&self) -> u32;
}

macro_rules! stored {
    ($($node:ty)*) => { $(impl Height for $node {
        fn height(&self) -> u32 { self.height }
    })* };
}
stored!(Expr Block Stmt Pattern TypeExpr Markup);

macro_rules! highest_of {
    ($($node:ty: $($field:ident)*;)*) => { $(impl Height for $node {
        fn height(&self) -> u32 { 0 $(.max(self.$field.height()))* }
    })* };
}
highest_of! {
    Arg: value;
    IfBranch: condition body;
    MatchArm: pattern guard body;
    Param: pattern ty default;
    FieldDecl: ty default decorators;
    Decorator: args;
    VariantDecl: payload;
    GuardUse: args;
    WsHandler: params body;
    PatternItem: pattern default;
    MapPatternEntry: pattern default;
    MarkupBranch: condition body;
    Element: attributes children;
}

impl<T: Height> Height for Vec<T> {
    fn height(&self) -> u32 {
        self.iter().map(Height::height).max().unwrap_or(0)
    }
}

impl<T: Height> Height for Option<T> {
    fn height(&self) -> u32 {
        self.as_ref().map_or(0, Height::height)
    }
}

impl<T: Height> Height for Box<T> {
    fn height(&self) -> u32 {
        (**self).height()
    }
}

impl Height for TextPart {
    fn height(&self) -> u32 {
        match self {
            TextPart::Chars { .. } => 0,
            TextPart::Expr(value) => value.height(),
        }
    }
}

impl Height for ListItem {
    fn height(&self) -> u32 {
        match self {
            ListItem::Item(value) | ListItem::Spread(value) => value.height(),
        }
    }
}

impl Height for MapEntry {
    fn height(&self) -> u32 {
        match self {
            MapEntry::Pair { value, .. } | MapEntry::Spread(value) => value.height(),
            MapEntry::Computed { key, value } => key.height().max(value.height()),
            MapEntry::Shorthand(_) => 0,
        }
    }
}

impl Height for Attribute {
    fn height(&self) -> u32 {
        match &self.kind {
            AttributeKind::Plain { value, .. } => match value {
                AttributeValue::Flag | AttributeValue::Static(_) => 0,
                AttributeValue::Expr(value) => value.height(),
                AttributeValue::Mixed(parts) => parts.height(),
            },
            AttributeKind::Event { handler, .. } => handler.height(),
            AttributeKind::Bind(target) => target.height(),
        }
    }
}

/// How many links a chain of `else if` has. Each branch stands inside the one before it: that is how it is compiled.
fn links<T>(branches: &[T]) -> u32 {
    u32::try_from(branches.len().saturating_sub(1)).unwrap_or(u32::MAX / 2)
}

/// The height of a chain's branches, each as deep as it really lies.
fn chain<T: Height>(branches: &[T]) -> u32 {
    (0..)
        .zip(branches)
        .map(|(depth, branch): (u32, &T)| depth + branch.height())
        .max()
        .unwrap_or(0)
}

/// One more than the highest of the given children.
macro_rules! above {
    ($($child:expr),* $(,)?) => { 1 + 0u32 $(.max($child.height()))* };
}

impl Height for ExprKind {
    fn height(&self) -> u32 {
        match self {
            ExprKind::None
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Name(_)
            | ExprKind::TypeName(_)
            | ExprKind::Continue { .. }
            | ExprKind::Error => 1,
            ExprKind::Text(parts) => above!(parts),
            ExprKind::List(items) => above!(items),
            ExprKind::Map(entries)
            | ExprKind::EntityLiteral { entries, .. }
            | ExprKind::Response(entries) => above!(entries),
            ExprKind::Tuple(items) => above!(items),
            ExprKind::Range { start, end, .. } => above!(start, end),
            ExprKind::Field { object, .. } => above!(object),
            ExprKind::Index { object, index } => above!(object, index),
            ExprKind::Slice {
                object,
                start,
                end,
                step,
            } => above!(object, start, end, step),
            ExprKind::Call { callee, args } => above!(callee, args),
            ExprKind::Unary { operand, .. } => above!(operand),
            ExprKind::Binary { left, right, .. } | ExprKind::Logical { left, right, .. } => {
                above!(left, right)
            }
            ExprKind::Default { value, fallback } => above!(value, fallback),
            ExprKind::Conditional {
                condition,
                then_value,
                else_value,
                ..
            } => above!(condition, then_value, else_value),
            ExprKind::If {
                branches,
                else_block,
            } => 1 + chain(branches).max(else_block.height() + links(branches)),
            ExprKind::Match { subject, arms } => above!(subject, arms),
            ExprKind::Lambda { params, body } => above!(params, body),
            ExprKind::Block(block) | ExprKind::Loop { body: block, .. } => above!(block),
            ExprKind::TryCatch {
                body,
                error,
                handler,
            } => above!(body, error, handler),
            ExprKind::Is { value, ty, .. } => above!(value, ty),
            ExprKind::In {
                item, container, ..
            } => above!(item, container),
            ExprKind::At { value, version } => above!(value, version),
            ExprKind::Try(value) | ExprKind::Persist { value, .. } => above!(value),
            ExprKind::Assert { condition, message } => above!(condition, message),
            ExprKind::Pipe { value, target } => above!(value, target),
            ExprKind::Assign { target, value, .. } => above!(target, value),
            ExprKind::Step { target, .. } => above!(target),
            ExprKind::Return(value) | ExprKind::Break { value, .. } => above!(value),
        }
    }
}

impl Height for StmtKind {
    fn height(&self) -> u32 {
        match self {
            StmtKind::Expr(value) => above!(value),
            StmtKind::Let { pattern, ty, value } => above!(pattern, ty, value),
            StmtKind::Declare { ty, value, .. } => above!(ty, value),
            StmtKind::Const { ty, value, .. } => above!(ty, value),
            StmtKind::Destructure { pattern, value } => above!(pattern, value),
            StmtKind::Fn(decl) => above!(decl.params, decl.result, decl.body),
            StmtKind::Entity(decl) => above!(decl.decorators, decl.fields),
            StmtKind::Enum(decl) => above!(decl.variants),
            StmtKind::TypeAlias(decl) => above!(decl.ty),
            StmtKind::View(nodes) => above!(nodes),
            StmtKind::Markup(node) => above!(node),
            StmtKind::Component(decl) => above!(decl.params, decl.body),
            StmtKind::Page { body, .. }
            | StmtKind::Route { body, .. }
            | StmtKind::Cron { body, .. }
            | StmtKind::Test { body, .. }
            | StmtKind::Lifecycle { body, .. }
            | StmtKind::Middleware(body) => above!(body),
            StmtKind::Validate(fields) => above!(fields),
            StmtKind::Guard(guards) => above!(guards),
            StmtKind::GuardDefinition { params, body, .. } => above!(params, body),
            StmtKind::Ws { handlers, .. } => above!(handlers),
            StmtKind::Every { interval, body } => above!(interval, body),
            StmtKind::For {
                bindings,
                iterable,
                body,
                ..
            } => above!(bindings, iterable, body),
            StmtKind::While {
                condition, body, ..
            } => above!(condition, body),
            StmtKind::WhileLet {
                pattern,
                value,
                body,
                ..
            } => above!(pattern, value, body),
            StmtKind::Error => 1,
        }
    }
}

impl Height for PatternKind {
    fn height(&self) -> u32 {
        match self {
            PatternKind::Wildcard
            | PatternKind::Binding(_)
            | PatternKind::Literal(_)
            | PatternKind::Range { .. }
            | PatternKind::Error => 1,
            PatternKind::Place(place) => above!(place),
            PatternKind::Typed { ty, .. } => above!(ty),
            PatternKind::Variant { payload, .. } => above!(payload),
            PatternKind::List { items, .. } | PatternKind::Tuple(items) => above!(items),
            PatternKind::Map { entries, .. } => above!(entries),
            PatternKind::Or(choices) => above!(choices),
        }
    }
}

impl Height for TypeKind {
    fn height(&self) -> u32 {
        match self {
            TypeKind::None | TypeKind::Error => 1,
            TypeKind::Named { args, .. } => above!(args),
            TypeKind::List(item) | TypeKind::Optional(item) => above!(item),
            TypeKind::Map { key, value } => above!(key, value),
            TypeKind::Tuple(items) | TypeKind::Union(items) => above!(items),
            TypeKind::Fn { params, result } => above!(params, result),
        }
    }
}

impl Height for MarkupKind {
    fn height(&self) -> u32 {
        match self {
            MarkupKind::Element(element) | MarkupKind::Component(element) => above!(element),
            MarkupKind::Slot { fallback, .. } => above!(fallback),
            MarkupKind::Text(_) | MarkupKind::Error => 1,
            MarkupKind::Interpolation(value) => above!(value),
            MarkupKind::If {
                branches,
                otherwise,
            } => 1 + chain(branches).max(otherwise.height() + links(branches)),
            MarkupKind::For {
                bindings,
                iterable,
                body,
                empty,
            } => above!(bindings, iterable, body, empty),
            MarkupKind::Style { attributes, .. } => above!(attributes),
        }
    }
}
