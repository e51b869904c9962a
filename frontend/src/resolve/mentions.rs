//! Which names a piece of syntax mentions and which it assigns, whatever they mean. Here because two questions come before
//! names can be resolved: is a top-level lambda ever assigned again (then it is a variable), and can a function inside of
//! a function capture anything. Must stay true: the walk reaches every name of the tree, but for parameters where they
//! mean the parameter; too many names do no harm, a missing one would.

use flin_syntax::ast::Name;
use flin_syntax::ast::{
    Arg, Attribute, AttributeKind, AttributeValue, Block, Expr, ExprKind, ListItem, MapEntry,
    Markup, MarkupKind, Param, Pattern, PatternItem, PatternKind, Stmt, StmtKind, TextPart,
};

/// How a name occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mention {
    /// Read, called or part of a larger target.
    Read,
    /// Assigned, or bound by a pattern that assigns.
    Assigned,
    /// Bound by `let`, a loop, a parameter, `catch` or `match`.
    Bound,
}

/// Calls the function with each name of some statements.
pub(super) fn of_statements<'a>(statements: &'a [Stmt], found: &mut dyn FnMut(&'a Name, Mention)) {
    let mut walk = Walk::new(found);
    statements
        .iter()
        .for_each(|statement| walk.statement(statement));
}

/// Calls the function with each name of an expression.
pub(super) fn of_expr<'a>(expr: &'a Expr, found: &mut dyn FnMut(&'a Name, Mention)) {
    Walk::new(found).expr(expr);
}

/// Calls the function with each name that markup mentions while it is shown: not those of handlers, nor of the code that
/// components get.
pub(super) fn of_shown<'a>(node: &'a Markup, found: &mut dyn FnMut(&'a Name, Mention)) {
    let mut walk = Walk::new(found);
    walk.only_shown = true;
    walk.node(node);
}

/// Calls the function with each name that a pattern binds or mentions.
pub(super) fn of_pattern<'a>(pattern: &'a Pattern, found: &mut dyn FnMut(&'a Name, Mention)) {
    Walk::new(found).pattern(pattern, Mention::Bound);
}

/// Calls the function with each name that a function's head and body mention.
pub(super) fn of_function<'a>(
    params: &'a [Param],
    body: &'a Block,
    found: &mut dyn FnMut(&'a Name, Mention),
) {
    Walk::new(found).within(params, |walk| walk.block(body));
}

/// The fields that some statements read of a variable, each once.
pub(super) fn fields_of<'a>(object: &'static str, statements: &'a [Stmt]) -> Vec<&'a str> {
    let mut ignored = |_: &'a Name, _: Mention| {};
    let mut walk = Walk::new(&mut ignored);
    walk.object = Some(object);
    statements
        .iter()
        .for_each(|statement| walk.statement(statement));
    walk.fields
}

struct Walk<'a, 'f> {
    found: &'f mut dyn FnMut(&'a Name, Mention),
    /// Whose fields are asked for, and those found.
    object: Option<&'static str>,
    fields: Vec<&'a str>,
    /// The parameters of the functions around: these names mean nothing outside of them.
    params: Vec<&'a Name>,
    /// Code that does not run while markup is shown does not count.
    only_shown: bool,
}

impl<'a, 'f> Walk<'a, 'f> {
    fn new(found: &'f mut dyn FnMut(&'a Name, Mention)) -> Walk<'a, 'f> {
        Walk {
            found,
            object: None,
            fields: Vec::new(),
            params: Vec::new(),
            only_shown: false,
        }
    }

    fn mention(&mut self, name: &'a Name, how: Mention) {
        if !self.params.iter().any(|param| param.text == name.text) {
            (self.found)(name, how);
        }
    }

    /// The body of a function with these parameters.
    fn within(&mut self, params: &'a [Param], body: impl FnOnce(&mut Self)) {
        let before = self.params.len();
        for param in params {
            of_pattern(&param.pattern, &mut |name, how| {
                if how == Mention::Bound {
                    self.params.push(name);
                }
            });
        }
        self.params(params);
        body(self);
        self.params.truncate(before);
    }

    fn block(&mut self, block: &'a Block) {
        block
            .statements
            .iter()
            .for_each(|statement| self.statement(statement));
    }

    fn params(&mut self, params: &'a [Param]) {
        for param in params {
            self.pattern(&param.pattern, Mention::Bound);
            param.default.iter().for_each(|value| self.expr(value));
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match &statement.kind {
            StmtKind::Expr(value) => self.expr(value),
            StmtKind::Let { pattern, value, .. } => {
                self.expr(value);
                self.pattern(pattern, Mention::Bound);
            }
            StmtKind::Declare { name, value, .. } | StmtKind::Const { name, value, .. } => {
                self.expr(value);
                self.mention(name, Mention::Bound);
            }
            StmtKind::Destructure { pattern, value } => {
                self.expr(value);
                self.pattern(pattern, Mention::Assigned);
            }
            StmtKind::Fn(decl) => {
                self.mention(&decl.name, Mention::Bound);
                self.within(&decl.params, |walk| walk.block(&decl.body));
            }
            StmtKind::Entity(decl) => decl.fields.iter().for_each(|field| self.field(field)),
            StmtKind::Validate(fields) => fields.iter().for_each(|field| self.field(field)),
            StmtKind::Enum(_) | StmtKind::TypeAlias(_) | StmtKind::Error => {}
            StmtKind::View(nodes) => self.markup(nodes),
            StmtKind::Markup(node) => self.node(node),
            StmtKind::Page { body, .. }
            | StmtKind::Route { body, .. }
            | StmtKind::Cron { body, .. }
            | StmtKind::Test { body, .. }
            | StmtKind::Lifecycle { body, .. }
            | StmtKind::Middleware(body) => self.block(body),
            StmtKind::Component(decl) => {
                self.params(&decl.params);
                self.block(&decl.body);
            }
            StmtKind::Guard(guards) => guards.iter().for_each(|guard| self.args(&guard.args)),
            StmtKind::GuardDefinition { params, body, .. } => {
                self.params(params);
                self.block(body);
            }
            StmtKind::Ws { handlers, .. } => handlers.iter().for_each(|handler| {
                self.params(&handler.params);
                self.block(&handler.body);
            }),
            StmtKind::Every { interval, body } => {
                self.expr(interval);
                self.block(body);
            }
            StmtKind::For {
                bindings,
                iterable,
                body,
                ..
            } => {
                self.expr(iterable);
                bindings
                    .iter()
                    .for_each(|pattern| self.pattern(pattern, Mention::Bound));
                self.block(body);
            }
            StmtKind::While {
                condition, body, ..
            } => {
                self.expr(condition);
                self.block(body);
            }
            StmtKind::WhileLet {
                pattern,
                value,
                body,
                ..
            } => {
                self.expr(value);
                self.pattern(pattern, Mention::Bound);
                self.block(body);
            }
        }
    }

    fn args(&mut self, args: &'a [Arg]) {
        args.iter().for_each(|arg| self.expr(&arg.value));
    }

    fn field(&mut self, field: &'a flin_syntax::ast::FieldDecl) {
        field.default.iter().for_each(|value| self.expr(value));
        field
            .decorators
            .iter()
            .flat_map(|it| &it.args)
            .for_each(|arg| self.expr(&arg.value));
    }

    fn expr(&mut self, expr: &'a Expr) {
        if let ExprKind::Field { object, name, .. } = &expr.kind
            && let ExprKind::Name(of) = &object.kind
            && self.object == Some(&*of.text)
            && !self.fields.contains(&&*name.text)
        {
            self.fields.push(&name.text);
        }
        operands(&expr.kind)
            .into_iter()
            .for_each(|operand| self.expr(operand));
        match &expr.kind {
            ExprKind::Name(name) | ExprKind::TypeName(name) => self.mention(name, Mention::Read),
            ExprKind::Text(parts) => self.parts(parts),
            ExprKind::Map(entries) | ExprKind::Response(entries) => self.entries(entries),
            ExprKind::EntityLiteral { entries, .. } => self.entries(entries),
            ExprKind::Assign { target, .. } | ExprKind::Step { target, .. } => self.target(target),
            _ => self.with_blocks(&expr.kind),
        }
    }

    /// The kinds that hold blocks; nothing for the others.
    fn with_blocks(&mut self, kind: &'a ExprKind) {
        if let ExprKind::If {
            branches,
            else_block,
        } = kind
        {
            for branch in branches {
                self.expr(&branch.condition);
                self.block(&branch.body);
            }
            else_block.iter().for_each(|block| self.block(block));
        } else if let ExprKind::Match { subject, arms } = kind {
            self.expr(subject);
            for arm in arms {
                self.pattern(&arm.pattern, Mention::Bound);
                arm.guard.iter().for_each(|guard| self.expr(guard));
                self.expr(&arm.body);
            }
        } else if let ExprKind::Lambda { params, body } = kind {
            self.within(params, |walk| walk.expr(body));
        } else if let ExprKind::Block(block) | ExprKind::Loop { body: block, .. } = kind {
            self.block(block);
        } else if let ExprKind::TryCatch {
            body,
            error,
            handler,
        } = kind
        {
            self.block(body);
            error
                .iter()
                .for_each(|pattern| self.pattern(pattern, Mention::Bound));
            self.block(handler);
        }
    }

    fn target(&mut self, target: &'a Expr) {
        if let ExprKind::Name(name) | ExprKind::TypeName(name) = &target.kind {
            self.mention(name, Mention::Assigned);
        } else {
            self.expr(target);
        }
    }

    fn parts(&mut self, parts: &'a [TextPart]) {
        for part in parts {
            if let TextPart::Expr(value) = part {
                self.expr(value);
            }
        }
    }

    fn entries(&mut self, entries: &'a [MapEntry]) {
        entries.iter().for_each(|entry| match entry {
            MapEntry::Pair { value, .. } | MapEntry::Spread(value) => self.expr(value),
            MapEntry::Computed { key, value } => {
                self.expr(key);
                self.expr(value);
            }
            MapEntry::Shorthand(name) => self.mention(name, Mention::Read),
        });
    }

    fn pattern(&mut self, pattern: &'a Pattern, how: Mention) {
        match &pattern.kind {
            PatternKind::Wildcard
            | PatternKind::Literal(_)
            | PatternKind::Range { .. }
            | PatternKind::Error => {}
            PatternKind::Place(place) => self.target(place),
            PatternKind::Binding(name) | PatternKind::Typed { name, .. } => self.mention(name, how),
            PatternKind::Variant { name, payload, .. } => {
                self.mention(name, Mention::Read);
                payload
                    .iter()
                    .flatten()
                    .for_each(|pattern| self.pattern(pattern, how));
            }
            PatternKind::List { items, rest } => {
                self.items(items, how);
                rest.iter()
                    .filter_map(|rest| rest.name.as_ref())
                    .for_each(|name| self.mention(name, how));
            }
            PatternKind::Tuple(items) => self.items(items, how),
            PatternKind::Map { entries, rest, .. } => {
                for entry in entries {
                    self.pattern(&entry.pattern, how);
                    entry.default.iter().for_each(|value| self.expr(value));
                }
                rest.iter()
                    .filter_map(|rest| rest.name.as_ref())
                    .for_each(|name| self.mention(name, how));
            }
            PatternKind::Or(choices) => choices
                .iter()
                .for_each(|pattern| self.pattern(pattern, how)),
        }
    }

    fn items(&mut self, items: &'a [PatternItem], how: Mention) {
        for item in items {
            self.pattern(&item.pattern, how);
            item.default.iter().for_each(|value| self.expr(value));
        }
    }

    fn markup(&mut self, nodes: &'a [Markup]) {
        nodes.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &'a Markup) {
        match &node.kind {
            MarkupKind::Element(element) | MarkupKind::Component(element) => {
                let is_code = |attribute: &&Attribute| {
                    let is_component = matches!(node.kind, MarkupKind::Component(_));
                    self.only_shown
                        && (is_component && may_be_code(attribute) || is_handler(attribute))
                };
                let shown: Vec<&'a Attribute> = element
                    .attributes
                    .iter()
                    .filter(|it| !is_code(it))
                    .collect();
                self.attributes(shown);
                self.markup(&element.children);
            }
            MarkupKind::Slot { fallback, .. } => self.markup(fallback),
            MarkupKind::Text(_) | MarkupKind::Error => {}
            MarkupKind::Interpolation(value) => self.expr(value),
            MarkupKind::If {
                branches,
                otherwise,
            } => {
                for branch in branches {
                    self.expr(&branch.condition);
                    self.markup(&branch.body);
                }
                otherwise.iter().for_each(|nodes| self.markup(nodes));
            }
            MarkupKind::For {
                bindings,
                iterable,
                body,
                empty,
            } => {
                self.expr(iterable);
                bindings
                    .iter()
                    .for_each(|pattern| self.pattern(pattern, Mention::Bound));
                self.markup(body);
                empty.iter().for_each(|nodes| self.markup(nodes));
            }
            MarkupKind::Style { attributes, .. } => self.attributes(attributes.iter()),
        }
    }

    fn attributes(&mut self, attributes: impl IntoIterator<Item = &'a Attribute>) {
        for attribute in attributes {
            match &attribute.kind {
                AttributeKind::Plain { value, .. } => match value {
                    AttributeValue::Flag | AttributeValue::Static(_) => {}
                    AttributeValue::Expr(value) => self.expr(value),
                    AttributeValue::Mixed(parts) => self.parts(parts),
                },
                AttributeKind::Event { handler, .. } => self.expr(handler),
                AttributeKind::Bind(target) => self.target(target),
            }
        }
    }
}

fn is_handler(attribute: &Attribute) -> bool {
    matches!(attribute.kind, AttributeKind::Event { .. })
}

/// Whether a component may get code by this attribute, and not its value.
fn may_be_code(attribute: &Attribute) -> bool {
    match &attribute.kind {
        AttributeKind::Plain {
            value: AttributeValue::Expr(value),
            ..
        } => matches!(value.kind, ExprKind::Lambda { .. } | ExprKind::Name(_)),
        AttributeKind::Plain { .. } | AttributeKind::Event { .. } | AttributeKind::Bind(_) => false,
    }
}

/// The plain operands of an expression; names, texts, maps, targets and blocks are not among them.
fn operands(kind: &ExprKind) -> Vec<&Expr> {
    match kind {
        ExprKind::None | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) => Vec::new(),
        ExprKind::Continue { .. } | ExprKind::Error => Vec::new(),
        ExprKind::Name(_)
        | ExprKind::TypeName(_)
        | ExprKind::Text(_)
        | ExprKind::Map(_)
        | ExprKind::Response(_)
        | ExprKind::EntityLiteral { .. }
        | ExprKind::Step { .. }
        | ExprKind::If { .. }
        | ExprKind::Match { .. }
        | ExprKind::Lambda { .. }
        | ExprKind::Block(_)
        | ExprKind::Loop { .. }
        | ExprKind::TryCatch { .. } => Vec::new(),
        ExprKind::List(items) => items.iter().map(list_value).collect(),
        ExprKind::Tuple(items) => items.iter().collect(),
        ExprKind::Range {
            start: a, end: b, ..
        }
        | ExprKind::Index {
            object: a,
            index: b,
        }
        | ExprKind::Binary {
            left: a, right: b, ..
        }
        | ExprKind::Logical {
            left: a, right: b, ..
        }
        | ExprKind::Default {
            value: a,
            fallback: b,
        }
        | ExprKind::In {
            item: a,
            container: b,
            ..
        }
        | ExprKind::At {
            value: a,
            version: b,
        }
        | ExprKind::Pipe {
            value: a,
            target: b,
        } => vec![a, b],
        ExprKind::Field { object: value, .. }
        | ExprKind::Unary { operand: value, .. }
        | ExprKind::Is { value, .. }
        | ExprKind::Try(value)
        | ExprKind::Persist { value, .. }
        | ExprKind::Assign { value, .. } => vec![value],
        ExprKind::Slice {
            object,
            start,
            end,
            step,
        } => first_and(
            object,
            [start, end, step].into_iter().filter_map(Option::as_deref),
        ),
        ExprKind::Call { callee, args } => first_and(callee, args.iter().map(|arg| &arg.value)),
        ExprKind::Conditional {
            condition,
            then_value,
            else_value,
            ..
        } => {
            vec![condition, then_value, else_value]
        }
        ExprKind::Assert { condition, message } => first_and(condition, message.as_deref()),
        ExprKind::Return(value) | ExprKind::Break { value, .. } => {
            value.as_deref().into_iter().collect()
        }
    }
}

fn list_value(item: &ListItem) -> &Expr {
    match item {
        ListItem::Item(value) | ListItem::Spread(value) => value,
    }
}

fn first_and<'a>(first: &'a Expr, others: impl IntoIterator<Item = &'a Expr>) -> Vec<&'a Expr> {
    std::iter::once(first).chain(others).collect()
}
