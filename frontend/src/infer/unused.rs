//! Functions whose result nobody takes. Here because the last value of such a function means nothing: `if a { xs.push(1) }
//! else { names.push("x") }` as the last statement of an action must not make the two lists one type. Must stay true: a
//! function counts only if no call, in any function, is in a place where its value goes somewhere.

use foldhash::HashSet;

use crate::hir::{ExprId, ExprKind, FnId, FnKind, Function, Program};
use crate::operands::operands;

/// Adds the named functions without annotated result whose value no call takes.
pub(super) fn add_unused(program: &Program, resultless: &mut HashSet<FnId>) {
    let ids = (0..program.functions.len()).map(|at| FnId(at as u32));
    let mut unused: HashSet<FnId> = ids
        .filter(|id| {
            let function = &program.functions[id.index()];
            function.kind == FnKind::Named && !function.from_prelude && function.result.is_none()
        })
        .collect();
    // Starts with all and drops those that are used, so that functions that only call themselves at the end count.
    loop {
        let before = unused.len();
        for (at, function) in program.functions.iter().enumerate() {
            let id = FnId(at as u32);
            let wanted = !resultless.contains(&id) && !unused.contains(&id);
            let mut uses = Uses {
                function,
                wanted,
                unused: &mut unused,
            };
            uses.visit(function.body, wanted);
        }
        if unused.len() == before {
            break;
        }
    }
    resultless.extend(unused);
}

struct Uses<'u> {
    function: &'u Function,
    /// Whether the function's own result is taken.
    wanted: bool,
    unused: &'u mut HashSet<FnId>,
}

impl Uses<'_> {
    fn visit(&mut self, expr: ExprId, wanted: bool) {
        let kind = &self.function.exprs[expr.index()].kind;
        match kind {
            ExprKind::Block(parts, has_value) => {
                for (n, part) in parts.iter().enumerate() {
                    self.visit(*part, wanted && *has_value && n + 1 == parts.len());
                }
            }
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => {
                self.visit(*cond, true);
                self.visit(*then, wanted);
                otherwise
                    .iter()
                    .for_each(|otherwise| self.visit(*otherwise, wanted));
            }
            ExprKind::TryCatch { body, handler, .. } => {
                self.visit(*body, wanted);
                self.visit(*handler, wanted);
            }
            ExprKind::While { cond, body, .. } => {
                self.visit(*cond, true);
                self.visit(*body, false);
            }
            ExprKind::ForRange { from, to, body, .. } => {
                self.visit(*from, true);
                self.visit(*to, true);
                self.visit(*body, false);
            }
            ExprKind::For {
                iter, body, empty, ..
            } => {
                self.visit(*iter, true);
                self.visit(*body, false);
                empty.iter().for_each(|empty| self.visit(*empty, false));
            }
            ExprKind::Loop { body, .. } => self.visit(*body, false),
            ExprKind::Return(Some(value)) => self.visit(*value, self.wanted),
            ExprKind::ViewHead(parts)
            | ExprKind::ViewBlock(parts)
            | ExprKind::ViewEmpty(parts)
            | ExprKind::ViewStyle(parts) => {
                parts.iter().for_each(|part| self.visit(*part, false));
            }
            ExprKind::ViewElement(element) => {
                let content = element.content.iter().flatten();
                let parts = element.attributes.iter().chain(content);
                parts.for_each(|part| self.visit(*part, false));
            }
            ExprKind::ViewItem(item) => {
                item.key.iter().for_each(|key| self.visit(*key, true));
                item.content
                    .iter()
                    .for_each(|part| self.visit(*part, false));
            }
            ExprKind::CallFn(func, _) if wanted => {
                self.unused.remove(func);
                self.all(kind);
            }
            ExprKind::FnRef(func) => {
                self.unused.remove(func);
            }
            other => self.all(other),
        }
    }

    fn all(&mut self, kind: &ExprKind) {
        let mut parts = Vec::new();
        operands(kind, &mut |part| parts.push(part));
        for part in parts {
            self.visit(part, true);
        }
    }
}
