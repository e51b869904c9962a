//! Checks of one function that need no flow: registers, operands, windows, catches, lines. Here because they are local
//! to one instruction. Must stay true: every operand kind of the table is checked against what it names.

use super::error::{CodeFault, RegisterFault};
use super::flow;
use super::{CATCHES_MAX, COUNT_MAX, PARAMS_MAX, REGS_MAX, SLOTS_MAX, VerifyFault};
use crate::build::{CODE_MAX, FAR_REG_FIRST};
use crate::class::{Bank, Class};
use crate::encode::{Instr, split_reg_pair};
use crate::ids::{FieldNo, LibId};
use crate::library::Native;
use crate::module::{Const, Function, Module, Signature};
use crate::ops::{Family, OperandKind, Place};

/// A fault and the instruction it is in, if it is in one.
pub(super) type Located = (Option<u32>, VerifyFault);

/// What all functions of a module have in common, computed once.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// One more than the highest handler number of any page.
    handlers: usize,
    /// One more than the highest template number of any page.
    templates: usize,
    /// One more than the highest field number of any entity.
    fields: usize,
}

impl Bounds {
    pub(super) fn of(module: &Module) -> Bounds {
        Bounds {
            handlers: module
                .pages
                .iter()
                .map(|p| p.handlers.len())
                .max()
                .unwrap_or(0),
            templates: module
                .pages
                .iter()
                .map(|p| p.templates.len())
                .max()
                .unwrap_or(0),
            fields: module
                .entities
                .iter()
                .map(|e| e.fields.len())
                .max()
                .unwrap_or(0),
        }
    }
}

/// A function with what its checks need at hand.
pub(super) struct Subject<'m> {
    pub(super) module: &'m Module,
    pub(super) function: &'m Function,
    pub(super) code: Vec<Instr>,
    bounds: Bounds,
}

/// Registers of a call: where its arguments start, its signature, where its result is left.
pub(super) struct CallShape<'m> {
    pub(super) scalar: u16,
    pub(super) reference: u16,
    pub(super) signature: &'m Signature,
    pub(super) is_closure: bool,
}

/// Checks one function.
pub(super) fn check(module: &Module, bounds: Bounds, function: &Function) -> Result<(), Located> {
    registers(function).map_err(|fault| (None, fault))?;
    entries(module, function).map_err(|fault| (None, fault))?;
    if function.code.is_empty() || function.code.len() > CODE_MAX {
        return Err((None, VerifyFault::Code(CodeFault::NoCode)));
    }
    let mut code = Vec::with_capacity(function.code.len());
    for (pc, word) in function.code.iter().enumerate() {
        code.push(
            Instr::decode(*word)
                .map_err(|e| (Some(pc as u32), VerifyFault::Code(CodeFault::Decode(e))))?,
        );
    }
    let subject = Subject {
        module,
        function,
        code,
        bounds,
    };
    for (pc, instr) in subject.code.iter().enumerate() {
        subject
            .instruction(instr)
            .map_err(|fault| (Some(pc as u32), fault))?;
    }
    if !subject.code.last().is_some_and(|i| i.op.ends_block()) {
        return Err((
            Some(function.code.len() as u32 - 1),
            VerifyFault::Code(CodeFault::NoEnd),
        ));
    }
    subject.catches().map_err(|fault| (None, fault))?;
    lines(function).map_err(|fault| (None, fault))?;
    places(module, function).map_err(|fault| (None, fault))?;
    flow::check(&subject)
}

/// A call that leaves arguments out enters another function with the same closure: it must know the same captures.
fn entries(module: &Module, function: &Function) -> Result<(), VerifyFault> {
    let count = function.signature.params.len();
    for (at, entry) in function.entries.iter().enumerate() {
        let fits = module.functions.get(entry.index()).is_some_and(|it| {
            it.is_closure
                && function.is_closure
                && it.captures == function.captures
                && it.signature.params.len() + at + 1 == count
        });
        if !fits {
            return Err(VerifyFault::Code(CodeFault::BadEntry {
                left_out: at + 1,
                entry: *entry,
            }));
        }
    }
    Ok(())
}

fn registers(function: &Function) -> Result<(), VerifyFault> {
    let too_many = |what, found, max| {
        if found > max {
            Err(VerifyFault::TooMany { what, found, max })
        } else {
            Ok(())
        }
    };
    too_many("parameters", function.signature.params.len(), PARAMS_MAX)?;
    too_many("captures", function.captures.len(), SLOTS_MAX)?;
    too_many("scalar registers", function.scalar_regs.len(), REGS_MAX)?;
    too_many("reference registers", function.ref_regs.len(), REGS_MAX)?;
    too_many("catches", function.catches.len(), CATCHES_MAX)?;
    if !function.is_closure && !function.captures.is_empty() {
        return Err(VerifyFault::Code(CodeFault::CapturesOfPlain));
    }
    for (bank, regs) in [
        (Bank::Scalar, &function.scalar_regs),
        (Bank::Reference, &function.ref_regs),
    ] {
        if let Some(&class) = regs.iter().find(|class| class.bank() != bank) {
            return Err(VerifyFault::Register(RegisterFault::BankOfClass {
                bank,
                class,
            }));
        }
    }
    let mut next = [0_u16, 0];
    let closure = function.is_closure.then_some(&Class::Ref);
    for &expected in closure.into_iter().chain(&function.signature.params) {
        let (slot, regs) = match expected.bank() {
            Bank::Scalar => (&mut next[0], &function.scalar_regs),
            Bank::Reference => (&mut next[1], &function.ref_regs),
        };
        let reg = *slot;
        *slot += 1;
        let found = regs.get(reg as usize).copied();
        if found != Some(expected) {
            return Err(VerifyFault::Register(RegisterFault::ParameterRegister {
                reg,
                expected,
                found,
            }));
        }
    }
    Ok(())
}

fn lines(function: &Function) -> Result<(), VerifyFault> {
    let mut last = None;
    for (entry, &(pc, line, column)) in function.lines.iter().enumerate() {
        if line == 0
            || column == 0
            || pc as usize >= function.code.len()
            || last.is_some_and(|last| pc <= last)
        {
            return Err(VerifyFault::Code(CodeFault::Lines { entry }));
        }
        last = Some(pc);
    }
    Ok(())
}

/// The tables that tell inlined calls and arguments of library functions.
fn places(module: &Module, function: &Function) -> Result<(), VerifyFault> {
    let fault = |entry| Err(VerifyFault::Code(CodeFault::Places { entry }));
    for (entry, scope) in function.inlined.iter().enumerate() {
        let known = scope.func.index() < module.functions.len() && scope.outer as usize <= entry;
        if !known || scope.line == 0 || scope.column == 0 {
            return fault(entry);
        }
    }
    let mut last = None;
    for (entry, &(pc, scope)) in function.scopes.iter().enumerate() {
        let known = scope as usize <= function.inlined.len() && (pc as usize) < function.code.len();
        if !known || last.is_some_and(|last| pc <= last) {
            return fault(entry);
        }
        last = Some(pc);
    }
    let mut last = None;
    for (entry, &(pc, row, _)) in function.arguments.iter().enumerate() {
        let known = LibId(row).get().is_some() && (pc as usize) < function.code.len();
        if !known || last.is_some_and(|last| pc <= last) {
            return fault(entry);
        }
        last = Some(pc);
    }
    Ok(())
}

impl<'m> Subject<'m> {
    /// The declared classes of a bank.
    pub(super) fn regs(&self, bank: Bank) -> &'m [Class] {
        match bank {
            Bank::Scalar => &self.function.scalar_regs,
            Bank::Reference => &self.function.ref_regs,
        }
    }

    /// How many registers of a bank an operand byte can name.
    pub(super) fn near(&self, bank: Bank) -> usize {
        self.regs(bank).len().min(FAR_REG_FIRST as usize)
    }

    fn near_register(&self, reg: i32, class: Class) -> Result<(), VerifyFault> {
        let bank = class.bank();
        let count = self.near(bank);
        if reg as usize >= count {
            return Err(VerifyFault::Register(RegisterFault::NoRegister {
                bank,
                reg: reg as u32,
                count,
            }));
        }
        self.class_is(bank, reg as u16, class)
    }

    fn class_is(&self, bank: Bank, reg: u16, expected: Class) -> Result<(), VerifyFault> {
        let found = self.regs(bank)[reg as usize];
        if found == expected {
            Ok(())
        } else {
            Err(VerifyFault::Register(RegisterFault::RegisterClass {
                bank,
                reg,
                expected,
                found,
            }))
        }
    }

    /// As `near_register`, for a register that is only read.
    fn near_source(&self, reg: i32, class: Class) -> Result<(), VerifyFault> {
        let found = self.regs(class.bank()).get(reg as usize);
        let read_as = found.copied().filter(|found| found.reads_as(class));
        self.near_register(reg, read_as.unwrap_or(class))
    }

    fn not_the_closure(&self, bank: Bank, reg: u16) -> Result<(), VerifyFault> {
        if self.function.is_closure && bank == Bank::Reference && reg == 0 {
            Err(VerifyFault::Register(RegisterFault::ClosureRegister))
        } else {
            Ok(())
        }
    }

    fn instruction(&self, instr: &Instr) -> Result<(), VerifyFault> {
        for operand in instr.op.row().operands {
            self.operand(instr, operand.kind, instr.at(operand.place))?;
        }
        self.joint(instr)?;
        match self.call_shape(instr) {
            Some(call) => self.window(&call),
            None => Ok(()),
        }
    }

    fn operand(&self, instr: &Instr, kind: OperandKind, value: i32) -> Result<(), VerifyFault> {
        let module = self.module;
        let below = |what, max: i32| {
            let fits = (0..=max).contains(&value);
            if fits {
                Ok(())
            } else {
                Err(VerifyFault::Code(CodeFault::BadOperand {
                    op: instr.op,
                    what,
                    found: value,
                }))
            }
        };
        match kind {
            OperandKind::Out(class) | OperandKind::InOut(class) => {
                self.near_register(value, class)?;
                self.not_the_closure(class.bank(), value as u16)
            }
            OperandKind::In(class) => self.near_source(value, class),
            OperandKind::Window(bank) => self.window_start(bank, value),
            OperandKind::RegPair => self.reg_pair(instr),
            // A run is checked with its count in `joint`; no register need exist when the count is 0.
            OperandKind::Run(_) | OperandKind::Int | OperandKind::Unused => Ok(()),
            OperandKind::Bank => below("bank", 1),
            OperandKind::Class => below("class", Class::ALL.len() as i32 - 1),
            OperandKind::Count => below("count", COUNT_MAX),
            OperandKind::Slot | OperandKind::Capture => below("slot", SLOTS_MAX as i32),
            OperandKind::ViewPlace => below("place of markup", 5),
            OperandKind::ViewControl => below("form control", 8),
            OperandKind::LogLevel => below("log level", 2),
            OperandKind::Output => below("place of output", 1),
            OperandKind::Item => below("form of an item", 3),
            OperandKind::Template => in_range("template", value, self.bounds.templates),
            OperandKind::ConstInt => self.constant(value, "an int", |c| matches!(c, Const::Int(_))),
            OperandKind::ConstFloat => {
                self.constant(value, "a float", |c| matches!(c, Const::Float(_)))
            }
            OperandKind::ConstText => {
                self.constant(value, "a text", |c| matches!(c, Const::Text(_)))
            }
            OperandKind::TypeDesc => in_range("type", value, module.types.len()),
            OperandKind::Shape => in_range("shape", value, module.shapes.len()),
            OperandKind::Global => in_range("global", value, module.globals.len()),
            OperandKind::Func => self.callee(value, false),
            OperandKind::Closure => self.callee(value, true),
            OperandKind::Sig => in_range("signature", value, module.signatures.len()),
            OperandKind::Lib => in_range("native library function", value, Native::ALL.len()),
            OperandKind::Entity => in_range("entity", value, module.entities.len()),
            OperandKind::Handler => in_range("handler", value, self.bounds.handlers),
            OperandKind::Field if value < 0 => {
                let fits = value >= FieldNo::LOWEST.0;
                if fits {
                    Ok(())
                } else {
                    in_range("field", value, self.bounds.fields)
                }
            }
            OperandKind::Field | OperandKind::DeclaredField => {
                in_range("field", value, self.bounds.fields)
            }
            OperandKind::Jump => {
                let (target, count) = (i64::from(value), self.code.len());
                let fits = (0..count as i64).contains(&target);
                if fits {
                    Ok(())
                } else {
                    Err(VerifyFault::Code(CodeFault::JumpTarget { target, count }))
                }
            }
        }
    }

    fn window_start(&self, bank: Bank, value: i32) -> Result<(), VerifyFault> {
        let count = self.near(bank);
        if value as usize <= count {
            Ok(())
        } else {
            Err(VerifyFault::Register(RegisterFault::NoRegister {
                bank,
                reg: value as u32,
                count,
            }))
        }
    }

    fn constant(
        &self,
        value: i32,
        expected: &'static str,
        fits: fn(&Const) -> bool,
    ) -> Result<(), VerifyFault> {
        in_range("constant", value, self.module.constants.len())?;
        let fits = fits(&self.module.constants[value as usize]);
        if fits {
            Ok(())
        } else {
            Err(VerifyFault::WrongConstant {
                expected,
                constant: value as u32,
            })
        }
    }

    fn callee(&self, value: i32, is_closure: bool) -> Result<(), VerifyFault> {
        in_range("function", value, self.module.functions.len())?;
        let callee = &self.module.functions[value as usize];
        if callee.is_closure == is_closure {
            return Ok(());
        }
        Err(VerifyFault::Code(CodeFault::ClosureMismatch {
            function: callee.name.clone(),
        }))
    }

    fn reg_pair(&self, instr: &Instr) -> Result<(), VerifyFault> {
        let bank = if instr.a == 0 {
            Bank::Scalar
        } else {
            Bank::Reference
        };
        let (destination, source) = split_reg_pair(instr.imm);
        let count = self.regs(bank).len();
        for reg in [destination, source] {
            if reg as usize >= count {
                return Err(VerifyFault::Register(RegisterFault::NoRegister {
                    bank,
                    reg: u32::from(reg),
                    count,
                }));
            }
        }
        self.not_the_closure(bank, destination)?;
        let (from, to) = (
            self.regs(bank)[source as usize],
            self.regs(bank)[destination as usize],
        );
        if from.reads_as(to) {
            return Ok(());
        }
        self.class_is(bank, source, to)
    }

    /// Rules that tie several operands of a row together.
    fn joint(&self, instr: &Instr) -> Result<(), VerifyFault> {
        let op = instr.op;
        let class = op.operand(Place::A).and_then(OperandKind::class);
        if op.operand(Place::Imm) == Some(OperandKind::Global)
            && op.row().family == Family::Data
            && let Some(expected) = class
        {
            let found = self.module.globals[instr.imm as usize].class;
            if found != expected {
                return Err(VerifyFault::GlobalClass {
                    global: instr.imm as u32,
                    expected,
                    found,
                });
            }
        }
        if op.operand(Place::C) == Some(OperandKind::Slot)
            && op.operand(Place::Imm) == Some(OperandKind::Shape)
        {
            let fields = &self.module.shapes[instr.imm as usize].fields;
            let found = fields.get(instr.c as usize).map(|(_, class)| *class);
            slot_of(found, i32::from(instr.c), fields.len(), class)?;
        }
        if op.operand(Place::Imm) == Some(OperandKind::Capture) {
            if !self.function.is_closure {
                return Err(VerifyFault::Code(CodeFault::NotAClosure));
            }
            let captures = &self.function.captures;
            slot_of(
                captures.get(instr.imm as usize).copied(),
                instr.imm,
                captures.len(),
                class,
            )?;
        }
        if op.ends_block() && op.row().family == Family::Call {
            let expected = self.function.signature.result;
            if class != expected {
                return Err(VerifyFault::Code(CodeFault::ResultClass {
                    expected,
                    found: class,
                }));
            }
        }
        match run_of(instr) {
            Some((first, count, class)) => self.near_run(first, count, class),
            None => Ok(()),
        }
    }

    fn near_run(&self, first: u8, count: i32, class: Class) -> Result<(), VerifyFault> {
        let near = self.near(class.bank());
        if count > near as i32 - i32::from(first) {
            let reg = u32::from(first) + count as u32 - 1;
            return Err(VerifyFault::Register(RegisterFault::NoRegister {
                bank: class.bank(),
                reg,
                count: near,
            }));
        }
        (0..count).try_for_each(|i| self.near_source(i32::from(first) + i, class))
    }

    /// The registers of a call, if the instruction is one. Operands must be checked already.
    pub(super) fn call_shape(&self, instr: &Instr) -> Option<CallShape<'m>> {
        if instr.op.operand(Place::A) != Some(OperandKind::Window(Bank::Scalar)) {
            return None;
        }
        let (signature, is_closure) = match instr.op.operand(Place::Imm) {
            Some(OperandKind::Func) => {
                (&self.module.functions[instr.imm as usize].signature, false)
            }
            Some(OperandKind::Closure) => {
                (&self.module.functions[instr.imm as usize].signature, true)
            }
            Some(OperandKind::Sig) => (&self.module.signatures[instr.imm as usize], true),
            Some(OperandKind::Lib) => (LibId(instr.imm as u16).signature(), false),
            other => unreachable!("a row with call windows and {other:?}"),
        };
        Some(CallShape {
            scalar: u16::from(instr.a),
            reference: u16::from(instr.b),
            signature,
            is_closure,
        })
    }

    fn window(&self, call: &CallShape<'_>) -> Result<(), VerifyFault> {
        if self.function.is_closure && call.reference == 0 {
            return Err(VerifyFault::Register(RegisterFault::WindowAtClosure));
        }
        if call.signature.params.len() > PARAMS_MAX {
            return Err(VerifyFault::TooMany {
                what: "parameters",
                found: call.signature.params.len(),
                max: PARAMS_MAX,
            });
        }
        for (reg, class) in call.arguments() {
            self.near_source(i32::from(reg), class)?;
        }
        match call.result() {
            Some((reg, class)) => self.near_register(i32::from(reg), class),
            None => Ok(()),
        }
    }

    fn catches(&self) -> Result<(), VerifyFault> {
        let count = self.code.len() as u32;
        for catch in &self.function.catches {
            let (start, end, target) = (catch.start, catch.end, catch.target);
            if start >= end || end > count || target < end || target >= count {
                return Err(VerifyFault::Code(CodeFault::CatchRange {
                    start,
                    end,
                    target,
                }));
            }
            self.near_register(i32::from(catch.reg), Class::Ref)?;
            self.not_the_closure(Bank::Reference, catch.reg)?;
        }
        Ok(())
    }
}

fn in_range(what: &'static str, value: i32, count: usize) -> Result<(), VerifyFault> {
    let fits = usize::try_from(value).is_ok_and(|value| value < count);
    if fits {
        Ok(())
    } else {
        Err(VerifyFault::OutOfRange {
            what,
            found: i64::from(value),
            count,
        })
    }
}

fn slot_of(
    found: Option<Class>,
    slot: i32,
    count: usize,
    expected: Option<Class>,
) -> Result<(), VerifyFault> {
    match (found, expected) {
        (None, _) => Err(VerifyFault::OutOfRange {
            what: "slot",
            found: i64::from(slot),
            count,
        }),
        (Some(found), Some(expected)) if found != expected => {
            Err(VerifyFault::Code(CodeFault::SlotClass {
                slot: slot as u32,
                expected,
                found,
            }))
        }
        (Some(_), _) => Ok(()),
    }
}

/// The consecutive registers that an instruction reads, if its row has such: first, count, class.
pub(super) fn run_of(instr: &Instr) -> Option<(u8, i32, Class)> {
    let operands = instr.op.row().operands;
    let (place, class) = operands.iter().find_map(|o| match o.kind {
        OperandKind::Run(class) => Some((o.place, class)),
        _ => None,
    })?;
    let count = operands.iter().find(|o| o.kind == OperandKind::Count)?;
    Some((instr.at(place) as u8, instr.at(count.place), class))
}

impl CallShape<'_> {
    /// Registers and classes of the arguments, the closure included.
    pub(super) fn arguments(&self) -> impl Iterator<Item = (u16, Class)> {
        let mut next = [self.scalar, self.reference];
        let closure = self.is_closure.then_some(&Class::Ref);
        closure
            .into_iter()
            .chain(&self.signature.params)
            .map(move |&class| {
                let slot = match class.bank() {
                    Bank::Scalar => &mut next[0],
                    Bank::Reference => &mut next[1],
                };
                *slot += 1;
                (*slot - 1, class)
            })
    }

    /// Register and class of the result.
    pub(super) fn result(&self) -> Option<(u16, Class)> {
        let class = self.signature.result?;
        let start = match class.bank() {
            Bank::Scalar => self.scalar,
            Bank::Reference => self.reference,
        };
        Some((
            start + self.signature.result_slot(self.is_closure) as u16,
            class,
        ))
    }
}
