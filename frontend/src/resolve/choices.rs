//! Variants without their enum that several enums have: `status = Done`. Here because which one is meant may stand
//! elsewhere, in the declaration of what takes the value, and that is known once everything is resolved. Must stay true:
//! only declared types choose; where they leave several enums, or none, the variant is told as a mistake.

use flin_syntax::ast::Name;
use flin_syntax::{Code, Diagnostic};

use crate::hir::{
    BinOp, EnumDef, EnumIx, ExprId, ExprKind, FnId, Function, GlobalIx, ParamDefault, Program,
    RecordEntry, TypeAnn,
};

use super::Resolver;
use super::names::TopVar;
use super::variants::enums_of;

/// A variant that several enums have. Its expression is of the first of them, until one is chosen.
#[derive(Clone, Debug)]
pub(super) struct Ambiguous {
    function: FnId,
    expr: ExprId,
    name: Name,
    owners: Vec<(EnumIx, u32)>,
}

impl Resolver<'_> {
    /// A variant as a value, without its enum, though several enums have it.
    pub(super) fn variant_of_several(&mut self, name: &Name, data: Vec<ExprId>) -> ExprId {
        let count = data.len();
        let fits = |one: &(EnumIx, u32)| {
            self.enums[one.0.index()].variants[one.1 as usize].1.len() == count
        };
        let all = self.enums_with(&name.text).to_vec();
        let owners: Vec<(EnumIx, u32)> = all.iter().copied().filter(fits).collect();
        if let [(at, number)] = owners.as_slice() {
            return self.emit(ExprKind::Variant(*at, *number, data), name.span);
        }
        let Some(first) = owners.first().copied() else {
            let diagnostic = ambiguous(name, &all, &self.enums);
            self.report(diagnostic);
            return self.error(name.span);
        };
        let expr = self.emit(ExprKind::Variant(first.0, first.1, data), name.span);
        let function = self.frame().id;
        let name = name.clone();
        self.ambiguous.push(Ambiguous {
            function,
            expr,
            name,
            owners,
        });
        expr
    }

    /// Chooses the enums of such variants by the declarations of what takes them; tells those that are left.
    pub(super) fn choose_variants(&mut self, program: &mut Program) {
        let mut open = std::mem::take(&mut self.ambiguous);
        let mut functions: Vec<FnId> = open.iter().map(|it| it.function).collect();
        functions.dedup();
        for id in functions {
            let mut choice = Choice {
                program,
                vars: &self.vars,
                function: &program.functions[id.index()],
                wanted: Vec::new(),
            };
            choice.function(id);
            let wanted = choice.wanted;
            for (expr, enums) in wanted {
                let Some(at) = (open.iter()).position(|it| it.function == id && it.expr == expr)
                else {
                    continue;
                };
                let mut fitting = open[at].owners.iter().filter(|one| enums.contains(&one.0));
                let (Some(one), None) = (fitting.next().copied(), fitting.next()) else {
                    continue;
                };
                let kind = &mut program.functions[id.index()].exprs[expr.index()].kind;
                if let ExprKind::Variant(of, number, _) = kind {
                    (*of, *number) = one;
                }
                open.remove(at);
            }
        }
        for left in open {
            self.report(ambiguous(&left.name, &left.owners, &program.enums));
            let function = &mut program.functions[left.function.index()];
            function.exprs[left.expr.index()].kind = ExprKind::Error;
        }
    }
}

fn ambiguous(name: &Name, owners: &[(EnumIx, u32)], enums: &[EnumDef]) -> Diagnostic {
    let mut words =
        (owners.iter()).map(|one| format!("`{}.{}`", enums[one.0.index()].name, name.text));
    let title = format!("several enums have a variant `{}`", name.text);
    let hint = match (words.next(), words.next(), words.next()) {
        (Some(first), Some(second), None) => format!("write {first} or {second}"),
        (first, _, _) => format!("write the enum too, such as {}", first.unwrap_or_default()),
    };
    Diagnostic::error(Code::UnknownVariant, name.span, title).hint(hint)
}

/// What the values in one function are declared to be.
struct Choice<'p> {
    program: &'p Program,
    vars: &'p [TopVar],
    function: &'p Function,
    /// Variants, and the enums that they may belong to.
    wanted: Vec<(ExprId, Vec<EnumIx>)>,
}

impl<'p> Choice<'p> {
    fn function(&mut self, id: FnId) {
        let result = self.function.result.as_ref();
        if let Some(result) = result.or_else(|| self.default_of(id)) {
            self.value(self.function.body, result);
        }
        for at in 0..self.function.exprs.len() {
            self.demands(ExprId(at as u32));
        }
    }

    /// What a default value is for, if the function computes one.
    fn default_of(&self, id: FnId) -> Option<&'p TypeAnn> {
        let mut fields = self.program.entities.iter().flat_map(|it| &it.fields);
        if let Some(field) = fields.find(|field| field.default == Some(id)) {
            return Some(&field.ty);
        }
        let mut params = self.program.functions.iter().flat_map(|it| &it.params);
        let computes = |default: &ParamDefault| default.func == id;
        let param = params.find(|param| param.default.as_ref().is_some_and(computes))?;
        param.annotation.as_ref()
    }

    fn kind(&self, expr: ExprId) -> &ExprKind {
        &self.function.exprs[expr.index()].kind
    }

    /// What an expression asks of its operands.
    fn demands(&mut self, expr: ExprId) {
        let function = self.function;
        match &function.exprs[expr.index()].kind {
            ExprKind::Let(local, Some(value)) | ExprKind::SetLocal(local, value) => {
                if let Some(ty) = &function.locals[local.index()].annotation {
                    self.value(*value, ty);
                }
            }
            ExprKind::SetGlobal(global, value) => {
                if let Some(ty) = self.vars[global.index()].annotation.clone() {
                    self.value(*value, &ty);
                }
            }
            ExprKind::SetField {
                recv, name, value, ..
            } => {
                if let Some(ty) = self.field_of(*recv, name) {
                    self.value(*value, &ty);
                }
            }
            ExprKind::Return(Some(value)) => {
                if let Some(ty) = &function.result {
                    self.value(*value, ty);
                }
            }
            ExprKind::CallFn(callee, args) => {
                let params = &self.program.functions[callee.index()].params;
                for (arg, param) in args.iter().zip(params) {
                    if let Some(ty) = &param.annotation {
                        self.value(*arg, ty);
                    }
                }
            }
            ExprKind::EntityNew(entity, fields) => {
                let declared = &self.program.entities[entity.index()].fields;
                for (number, value) in fields {
                    self.value(*value, &declared[*number as usize].ty);
                }
            }
            ExprKind::Variant(of, number, data) => {
                let declared = &self.program.enums[of.index()].variants[*number as usize].1;
                for (value, ty) in data.iter().zip(declared) {
                    self.value(*value, ty);
                }
            }
            ExprKind::Binary(BinOp::Eq | BinOp::Ne, a, b) => {
                for (known, other) in [(*a, *b), (*b, *a)] {
                    if let Some(ty) = self.declared(known) {
                        self.value(other, &ty);
                    }
                }
            }
            ExprKind::In(item, list) => {
                if let Some(ty) = self.declared(*item) {
                    self.value(*list, &TypeAnn::List(Box::new(ty)));
                }
                if let Some(TypeAnn::List(ty)) = self.declared(*list) {
                    self.value(*item, &ty);
                }
            }
            _other => {}
        }
    }

    /// A value that goes to a place of a declared type: whatever may give it.
    fn value(&mut self, expr: ExprId, ty: &TypeAnn) {
        let function = self.function;
        match (&function.exprs[expr.index()].kind, ty) {
            (ExprKind::Variant(..), _) => {
                let mut enums = Vec::new();
                enums_of(ty, &mut enums);
                self.wanted.push((expr, enums));
            }
            (_, TypeAnn::Optional(inner)) => self.value(expr, inner),
            (ExprKind::Block(items, true), _) => {
                if let Some(last) = items.last() {
                    self.value(*last, ty);
                }
            }
            (
                ExprKind::If {
                    then, otherwise, ..
                },
                _,
            ) => {
                self.value(*then, ty);
                if let Some(otherwise) = otherwise {
                    self.value(*otherwise, ty);
                }
            }
            (ExprKind::TryCatch { body, handler, .. }, _) => {
                self.value(*body, ty);
                self.value(*handler, ty);
            }
            (ExprKind::Coalesce(a, b) | ExprKind::Or(a, b), _) => {
                self.value(*a, ty);
                self.value(*b, ty);
            }
            (ExprKind::And(_, value) | ExprKind::Try(value), _) => self.value(*value, ty),
            (ExprKind::List(items), TypeAnn::List(item)) => {
                items.iter().for_each(|value| self.value(*value, item));
            }
            (ExprKind::Tuple(items), TypeAnn::Tuple(types)) => {
                for (value, ty) in items.iter().zip(types) {
                    self.value(*value, ty);
                }
            }
            (ExprKind::Record(entries), TypeAnn::Map(_, of)) => {
                for entry in entries {
                    if let RecordEntry::Field(_, _, value) = entry {
                        self.value(*value, of);
                    }
                }
            }
            (ExprKind::Lambda(_) | ExprKind::Loop { .. }, _) => {}
            // An argument that was put aside, to be evaluated in the order of the source.
            (ExprKind::Local(local), _) if function.locals[local.index()].name.is_empty() => {
                let first = function.exprs.iter().find_map(|it| match &it.kind {
                    ExprKind::Let(declared, Some(value)) if declared == local => Some(*value),
                    _other => None,
                });
                if let Some(first) = first.filter(|first| *first < expr) {
                    self.value(first, ty);
                }
            }
            _other => {}
        }
    }

    /// What an expression is declared to be.
    fn declared(&self, expr: ExprId) -> Option<TypeAnn> {
        match self.kind(expr) {
            ExprKind::Local(local) => {
                let declared = &self.function.locals[local.index()];
                if declared.annotation.is_some() || declared.reassigned {
                    return declared.annotation.clone();
                }
                let first = self.function.exprs.iter().find_map(|it| match &it.kind {
                    ExprKind::Let(known, Some(value)) if known == local => Some(*value),
                    _other => None,
                });
                self.declared(first.filter(|first| *first < expr)?)
            }
            ExprKind::Global(global) => {
                let annotation = &self.vars.get(global.index())?.annotation;
                annotation.clone().or_else(|| self.first_of(*global))
            }
            ExprKind::List(items) => {
                let item = items.iter().find_map(|item| self.declared(*item))?;
                Some(TypeAnn::List(Box::new(item)))
            }
            ExprKind::CallFn(callee, _) => self.program.functions[callee.index()].result.clone(),
            ExprKind::Field { recv, name, .. } => self.field_of(*recv, name),
            ExprKind::ImplicitField { name, .. } => {
                let entities = self.program.entities.iter();
                let types = entities
                    .flat_map(|it| &it.fields)
                    .filter(|it| it.name == *name);
                let members: Vec<TypeAnn> = types.map(|field| field.ty.clone()).collect();
                (!members.is_empty()).then_some(TypeAnn::Union(members))
            }
            ExprKind::EntityNew(entity, _) => Some(TypeAnn::Entity(*entity)),
            ExprKind::Save(value) | ExprKind::Restore(value) => self.declared(*value),
            _other => None,
        }
    }

    /// What the only value of a global is declared to be, if it is a record that is written out.
    fn first_of(&self, global: GlobalIx) -> Option<TypeAnn> {
        let functions = self.program.functions.iter();
        let mut values = functions.flat_map(|of| {
            of.exprs.iter().filter_map(move |it| match &it.kind {
                ExprKind::SetGlobal(set, value) if *set == global => Some((of, *value)),
                _other => None,
            })
        });
        let (Some((of, mut value)), None) = (values.next(), values.next()) else {
            return None;
        };
        while let ExprKind::Save(inner) = &of.exprs[value.index()].kind {
            value = *inner;
        }
        match &of.exprs[value.index()].kind {
            ExprKind::EntityNew(entity, _) => Some(TypeAnn::Entity(*entity)),
            _other => None,
        }
    }

    /// What the field of a declared record is declared to be.
    fn field_of(&self, recv: ExprId, name: &str) -> Option<TypeAnn> {
        let of = match self.declared(recv)? {
            TypeAnn::Optional(of) => *of,
            of => of,
        };
        let TypeAnn::Entity(entity) = of else {
            return None;
        };
        let fields = &self.program.entities[entity.index()].fields;
        let field = fields.iter().find(|field| field.name == name)?;
        Some(field.ty.clone())
    }
}
