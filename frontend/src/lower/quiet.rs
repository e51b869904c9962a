//! Whether an expression may be computed at another time, or left to run after something that stopped running for every
//! record. Here because conditions of queries move to the store. Must stay true: what is `total` comes to an end soon,
//! changes nothing and gives the same each time in one statement (an error is allowed: whoever moves it deals with that);
//! what is `quiet` changes nothing that somebody else can see.

use flin_bytecode::library::LibBody;
use flin_bytecode::{LibId, Purity};

use crate::hir::{ExprId, ExprKind, FnId, Function, LocalId, Program};
use crate::kinds::{record_kinds, view_kinds};
use crate::operands::operands;
use crate::types::{InstId, Instance, Meaning, Types};

/// Library functions that change what they are given.
const CHANGING: &[&str] = &[
    "push",
    "unshift",
    "insert_at",
    "set",
    "clear",
    "pop",
    "shift",
    "remove_at",
    "delete_key",
    "__extend",
];

/// Library functions that ask the host, and get the same answer all through a statement.
const STEADY: &[&str] = &[
    "now",
    "today",
    "yesterday",
    "tomorrow",
    "last_week",
    "last_month",
    "last_year",
    "env",
    "history",
    "__entity_at",
    "__query_find",
    "__query_history",
    "__query_linked",
];

/// Functions that are looked into, one in another: deeper chains are rare, and recursion would never end.
const DEPTH_MAX: usize = 8;

/// The question that is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    Total,
    Quiet,
}

/// Looks into expressions of one instance, and into the functions that they call.
pub(super) struct Look<'a> {
    program: &'a Program,
    types: &'a Types,
    question: Question,
}

impl<'a> Look<'a> {
    /// Whether an expression is total.
    pub(super) fn total(
        program: &'a Program,
        types: &'a Types,
        inst: &Instance,
        e: ExprId,
    ) -> bool {
        let look = Look {
            program,
            types,
            question: Question::Total,
        };
        look.expr(inst, e, 0)
    }

    /// Whether an expression is quiet.
    pub(super) fn quiet(
        program: &'a Program,
        types: &'a Types,
        inst: &Instance,
        e: ExprId,
    ) -> bool {
        let look = Look {
            program,
            types,
            question: Question::Quiet,
        };
        look.expr(inst, e, 0)
    }

    fn function(&self, inst: &Instance) -> &'a Function {
        &self.program.functions[inst.func.index()]
    }

    fn all(&self, inst: &Instance, e: ExprId, depth: usize) -> bool {
        let kind = &self.function(inst).exprs[e.index()].kind;
        let mut fine = true;
        operands(kind, &mut |operand| {
            fine = fine && self.expr(inst, operand, depth);
        });
        fine
    }

    fn expr(&self, inst: &Instance, e: ExprId, depth: usize) -> bool {
        use ExprKind as K;
        let quiet = self.question == Question::Quiet;
        match &self.function(inst).exprs[e.index()].kind {
            K::None
            | K::Bool(_)
            | K::Int(_)
            | K::Float(_)
            | K::Text(_)
            | K::Duration(_)
            | K::Local(_)
            | K::Global(_)
            | K::Cases(..) => true,
            K::Concat(_)
            | K::List(_)
            | K::Record(_)
            | K::Tuple(_)
            | K::Range(..)
            | K::Slice { .. }
            | K::Index(..)
            | K::Neg(_)
            | K::Not(_)
            | K::Binary(..)
            | K::And(..)
            | K::Or(..)
            | K::Coalesce(..)
            | K::Is(..)
            | K::IsVariant(..)
            | K::VariantData(..)
            | K::Variant(..)
            | K::Block(..)
            | K::Let(..)
            | K::If { .. } => self.all(inst, e, depth),
            K::In(..)
            | K::ImplicitField { .. }
            | K::Field { .. }
            | K::CallFn(..)
            | K::CallLib(..)
            | K::Method { .. } => self.by_meaning(inst, e, depth),
            K::Return(_) => depth > 0 && self.all(inst, e, depth),
            K::SetLocal(local, _) => self.is_own(inst, *local) && self.all(inst, e, depth),
            K::FnRef(_) | K::Query(_) => quiet,
            K::Lambda(func) => quiet && self.lambda(inst, e, *func, depth),
            K::Try(_)
            | K::TryCatch { .. }
            | K::While { .. }
            | K::ForRange { .. }
            | K::For { .. }
            | K::Loop { .. }
            | K::Break(..)
            | K::Continue(_)
            | K::QueryArg { .. } => quiet && self.all(inst, e, depth),
            K::Error
            | K::SetGlobal(..)
            | K::CallValue(..)
            | K::SetField { .. }
            | K::SetIndex(..)
            | K::EntityNew(..)
            | K::Assert(_)
            | K::Response(_)
            | record_kinds!()
            | view_kinds!() => false,
        }
    }

    /// What depends on types.
    fn by_meaning(&self, inst: &Instance, e: ExprId, depth: usize) -> bool {
        let kind = &self.function(inst).exprs[e.index()].kind;
        match (kind, inst.meaning.get(&e)) {
            (ExprKind::ImplicitField { outer, .. }, Some(Meaning::ImplicitOuter)) => {
                outer.is_some_and(|outer| self.expr(inst, outer, depth))
            }
            (ExprKind::ImplicitField { .. }, Some(Meaning::ImplicitOwn(inner))) => {
                self.meant(inner, depth)
            }
            (ExprKind::ImplicitField { .. }, Some(_)) => false,
            (ExprKind::Field { .. }, Some(Meaning::Dynamic)) | (ExprKind::In(..), None) => {
                self.all(inst, e, depth)
            }
            (_, Some(meaning)) => self.meant(meaning, depth) && self.all(inst, e, depth),
            (_, None) => false,
        }
    }

    /// Whether a variable is one of this function that nobody else has.
    fn is_own(&self, inst: &Instance, local: LocalId) -> bool {
        let function = self.function(inst);
        let mut captures = function.captures.iter();
        !function.locals[local.index()].captured && !captures.any(|capture| capture.inner == local)
    }

    fn lambda(&self, inst: &Instance, e: ExprId, func: FnId, depth: usize) -> bool {
        let of = match inst.meaning.get(&e) {
            Some(Meaning::Direct(of)) => Some(*of),
            _ => self.types.entry.get(&func).copied(),
        };
        of.is_some_and(|of| self.body(of, depth))
    }

    fn body(&self, of: InstId, depth: usize) -> bool {
        let callee = &self.types.instances[of.index()];
        depth < DEPTH_MAX && self.expr(callee, self.function(callee).body, depth + 1)
    }

    /// Whether what an expression means is harmless, its operands left out.
    fn meant(&self, meaning: &Meaning, depth: usize) -> bool {
        let quiet = self.question == Question::Quiet;
        match meaning {
            Meaning::RecordField
            | Meaning::MapKey
            | Meaning::EntityField(_)
            | Meaning::SystemField(_)
            | Meaning::ErrorField
            | Meaning::EntityFind(_)
            | Meaning::EntityCount(_)
            | Meaning::VariantData(_)
            | Meaning::ImplicitOuter => true,
            Meaning::Lib(row) | Meaning::LibOp(row) => is_steady(*row),
            Meaning::KeyOr(inner) => self.meant(inner, depth),
            Meaning::Direct(of) => {
                let callee = &self.types.instances[of.index()];
                if self.function(callee).from_prelude {
                    // It calls what it is given, which is looked at as its operand, and changes only what it made.
                    return quiet;
                }
                self.body(*of, depth)
            }
            Meaning::Inverse(_) => quiet,
            Meaning::ViaList(_, _, inner) => quiet && self.meant(inner, depth),
            Meaning::ImplicitOwn(inner) => quiet && self.meant(inner, depth),
            Meaning::Closure { .. } | Meaning::Dynamic => false,
        }
    }
}

/// Whether a row changes nothing and gives the same each time.
fn is_steady(row: LibId) -> bool {
    let row = row.row();
    match (row.purity, row.body) {
        (_, LibBody::Prelude(_)) => false,
        (Purity::Pure, _) => !CHANGING.contains(&row.name),
        (Purity::Host, _) => STEADY.contains(&row.name),
    }
}
