//! Writing a function: registers, instructions, labels, catches, lines. Here because the compiler and the text
//! assembler both produce functions and neither should know bits. Must stay true: a wrong operand is a bug of the
//! caller and panics at once, naming the row; only running out of registers or code is an error of the program.

mod arg;
mod registers;

use std::fmt;

use crate::class::{Bank, Class};
use crate::encode::{Instr, reg_pair};
use crate::ids::{FuncId, Reg};
use crate::module::{Catch, Function, Signature};
use crate::ops::{Op, Operand, OperandKind, Place};
pub use arg::{Arg, Label};
use registers::{BankRegs, ScratchRegs};

/// Registers from here on are only reachable by `mov.wide`.
pub const FAR_REG_FIRST: u16 = 256;
/// Locals take near registers up to here, then far ones; the rest is left for temporaries and call windows.
const LOCAL_NEAR_MAX: usize = 128;
/// Temporaries and windows take near registers up to here; the rest carries far registers through an instruction.
const TEMP_NEAR_MAX: usize = 240;
/// Temporaries that stand in each other take near registers up to here, then far ones; the rest is left for windows.
const TEMP_CROWDED: usize = 200;
/// From here on a call evaluates its arguments before it takes its window, so that windows do not stand in each other.
const WINDOWS_CROWDED: usize = 176;
/// Most registers of one bank.
const REGS_MAX: usize = 1 << 15;
/// Most instructions of one function (jump targets fit in the narrow immediate).
pub const CODE_MAX: usize = 1 << 22;

/// What a program can do wrong so that its function does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// More live values than registers.
    TooManyRegisters {
        /// The bank that is full.
        bank: Bank,
    },
    /// More instructions than `CODE_MAX`.
    CodeTooLong {
        /// How many there are.
        instructions: usize,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::TooManyRegisters { bank } => {
                write!(
                    f,
                    "the function holds too many {} values at once; split it into smaller functions",
                    bank.name()
                )
            }
            BuildError::CodeTooLong { instructions } => {
                write!(
                    f,
                    "the function has {instructions} instructions, at most {CODE_MAX} are allowed; split it into smaller functions"
                )
            }
        }
    }
}

impl std::error::Error for BuildError {}

/// Registers of a call: arguments are put into `args`, the call names `scalar` and `reference`, the result is then in
/// `result`. Everything from `scalar` and `reference` on is clobbered by the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// First scalar register (may be one past the last register in use).
    pub scalar: Reg,
    /// First reference register.
    pub reference: Reg,
    /// The closure's register (`FunctionBuilder::closure_window` only; it is `reference`).
    pub closure: Option<Reg>,
    /// One register per parameter, in order.
    pub args: Vec<Reg>,
    /// Where the result is left.
    pub result: Option<Reg>,
}

/// How many registers were taken at some moment; see `FunctionBuilder::mark`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    near: [usize; 2],
    far: [usize; 2],
}

/// Writes one function. Registers are taken stack-like: `local`, `temp` and `window` take, `release` gives back all
/// that was taken since a `mark`. Far registers are carried to near ones by `emit`.
pub struct FunctionBuilder {
    name: String,
    signature: Signature,
    is_closure: bool,
    captures: Vec<Class>,
    entries: Vec<FuncId>,
    from_prelude: bool,
    banks: [BankRegs; 2],
    params: Vec<Reg>,
    code: Vec<Instr>,
    lines: Vec<(u32, u32, u32)>,
    position: (u32, u32),
    labels: Vec<Option<u32>>,
    /// Where the newest label was bound.
    last_bound: Option<usize>,
    patches: Vec<(usize, Place, Label)>,
    catches: Vec<(Label, Label, Label, Reg)>,
    lives: Vec<Life>,
    error: Option<BuildError>,
}

/// A register that belongs to one variable for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its bank.
    pub bank: Bank,
    /// The register.
    pub reg: Reg,
    /// The first instruction.
    pub from: u32,
    /// One past the last; none until the end.
    pub to: Option<u32>,
}

const fn bank_index(bank: Bank) -> usize {
    match bank {
        Bank::Scalar => 0,
        Bank::Reference => 1,
    }
}

impl FunctionBuilder {
    /// A plain function. Parameters take the first registers of their banks.
    pub fn new(name: impl Into<String>, signature: Signature) -> FunctionBuilder {
        FunctionBuilder::start(name.into(), signature, false, Vec::new())
    }

    /// A function that is called through a closure: reference register 0 is the closure, parameters follow.
    pub fn closure(
        name: impl Into<String>,
        signature: Signature,
        captures: Vec<Class>,
    ) -> FunctionBuilder {
        FunctionBuilder::start(name.into(), signature, true, captures)
    }

    fn start(
        name: String,
        signature: Signature,
        is_closure: bool,
        captures: Vec<Class>,
    ) -> FunctionBuilder {
        let mut builder = FunctionBuilder {
            name,
            is_closure,
            captures,
            entries: Vec::new(),
            from_prelude: false,
            banks: [BankRegs::default(), BankRegs::default()],
            params: Vec::new(),
            code: Vec::new(),
            lines: Vec::new(),
            position: (1, 1),
            labels: Vec::new(),
            last_bound: None,
            patches: Vec::new(),
            catches: Vec::new(),
            lives: Vec::new(),
            error: None,
            signature: Signature {
                params: Vec::new(),
                result: signature.result,
            },
        };
        if is_closure {
            builder.take_near(Class::Ref, FAR_REG_FIRST as usize);
        }
        for &class in &signature.params {
            let reg = builder.take_near(class, FAR_REG_FIRST as usize);
            builder.params.push(reg);
        }
        builder.signature = signature;
        builder
    }

    /// Marks the function as part of the prelude (its lines do not speak of the program's source).
    pub fn set_from_prelude(&mut self, from_prelude: bool) {
        self.from_prelude = from_prelude;
    }

    /// Sets the classes of the captured values (closures; when they are known only after the body).
    pub fn set_captures(&mut self, captures: Vec<Class>) {
        self.captures = captures;
    }

    /// Sets what calls with fewer arguments enter (`Function::entries`).
    pub fn set_entries(&mut self, entries: Vec<FuncId>) {
        self.entries = entries;
    }

    /// Adds a capture and returns its slot.
    pub fn add_capture(&mut self, class: Class) -> i32 {
        self.captures.push(class);
        (self.captures.len() - 1) as i32
    }

    /// The captures so far.
    pub fn captures(&self) -> &[Class] {
        &self.captures
    }

    /// The classes of parameters and result.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Changes the result class (when it is known only after the body).
    pub fn set_result(&mut self, result: Option<Class>) {
        self.signature.result = result;
    }

    /// The register of a parameter.
    pub fn param(&self, index: usize) -> Reg {
        self.params[index]
    }

    /// The register of the closure object (closures only).
    pub fn closure_reg(&self) -> Reg {
        assert!(self.is_closure, "{} is no closure", self.name);
        Reg(0)
    }

    /// A register for a variable; near while there is room, else far.
    pub fn local(&mut self, class: Class) -> Reg {
        if self.error.is_some() {
            return Reg(0);
        }
        if self.banks[bank_index(class.bank())].near_top < LOCAL_NEAR_MAX {
            return self.take_near(class, LOCAL_NEAR_MAX + 8);
        }
        self.take_far(class)
    }

    fn take_far(&mut self, class: Class) -> Reg {
        let bank = &mut self.banks[bank_index(class.bank())];
        let mut at = bank.far_top;
        while bank.far.get(at).is_some_and(|c| *c != Some(class)) {
            at += 1;
        }
        if at >= REGS_MAX {
            self.error = Some(BuildError::TooManyRegisters { bank: class.bank() });
            return Reg(0);
        }
        if at >= bank.far.len() {
            bank.far.resize(at + 1, None);
        }
        bank.far[at] = Some(class);
        bank.far_top = at + 1;
        Reg(FAR_REG_FIRST + at as u16)
    }

    /// A register for an intermediate value; near while there is room, else far.
    pub fn temp(&mut self, class: Class) -> Reg {
        if self.error.is_none() && self.banks[bank_index(class.bank())].near_top >= TEMP_CROWDED {
            return self.take_far(class);
        }
        self.take_near(class, TEMP_NEAR_MAX)
    }

    /// A near register that is needed for a moment.
    pub fn near_temp(&mut self, class: Class) -> Reg {
        self.take_near(class, TEMP_NEAR_MAX)
    }

    /// Whether so many near registers are taken that the next call should evaluate its arguments elsewhere.
    pub fn is_crowded(&self) -> bool {
        self.banks
            .iter()
            .any(|bank| bank.near_top >= WINDOWS_CROWDED)
    }

    fn take_near(&mut self, class: Class, max: usize) -> Reg {
        if self.error.is_some() {
            return Reg(0);
        }
        let bank = &mut self.banks[bank_index(class.bank())];
        let mut at = bank.near_top;
        while bank
            .near
            .get(at)
            .is_some_and(|c| c.is_some_and(|c| c != class))
        {
            at += 1;
        }
        if at >= max {
            self.error = Some(BuildError::TooManyRegisters { bank: class.bank() });
            return Reg(0);
        }
        bank.claim(at, class);
        Reg(at as u16)
    }

    /// Registers for a direct call of a function or library row with this signature.
    pub fn window(&mut self, signature: &Signature) -> Window {
        self.take_window(signature, false)
    }

    /// Registers for `call.closure` with this signature.
    pub fn closure_window(&mut self, signature: &Signature) -> Window {
        self.take_window(signature, true)
    }

    fn take_window(&mut self, signature: &Signature, closure: bool) -> Window {
        let mut wanted: [Vec<Class>; 2] = [Vec::new(), Vec::new()];
        if closure {
            wanted[1].push(Class::Ref);
        }
        for &class in &signature.params {
            wanted[bank_index(class.bank())].push(class);
        }
        let result_slot = signature.result_slot(closure);
        if let Some(class) = signature.result {
            let list = &mut wanted[bank_index(class.bank())];
            if result_slot == list.len() {
                list.push(class);
            }
        }
        let scalar = self.take_run(Bank::Scalar, &wanted[0]);
        let reference = self.take_run(Bank::Reference, &wanted[1]);
        let mut next = [scalar.0, reference.0 + u16::from(closure)];
        let args = signature
            .params
            .iter()
            .map(|class| {
                let slot = &mut next[bank_index(class.bank())];
                *slot += 1;
                Reg(*slot - 1)
            })
            .collect();
        let result = signature.result.map(|class| match class.bank() {
            Bank::Scalar => Reg(scalar.0 + result_slot as u16),
            Bank::Reference => Reg(reference.0 + result_slot as u16),
        });
        Window {
            scalar,
            reference,
            closure: closure.then_some(reference),
            args,
            result,
        }
    }

    /// Consecutive near registers of the given classes (all of one bank), as the texts of `concat.n` or the values of
    /// `view.on`; with no classes the first free register.
    pub fn run(&mut self, bank: Bank, classes: &[Class]) -> Reg {
        self.take_run(bank, classes)
    }

    fn take_run(&mut self, bank: Bank, classes: &[Class]) -> Reg {
        if self.error.is_some() {
            return Reg(0);
        }
        let regs = &mut self.banks[bank_index(bank)];
        let mut at = regs.near_top;
        while !regs.fits(at, classes) {
            at += 1;
        }
        if at + classes.len() > TEMP_NEAR_MAX {
            self.error = Some(BuildError::TooManyRegisters { bank });
            return Reg(0);
        }
        for (i, &class) in classes.iter().enumerate() {
            regs.claim(at + i, class);
        }
        Reg(at as u16)
    }

    /// Remembers how many registers are taken.
    pub fn mark(&self) -> Mark {
        let [s, r] = &self.banks;
        Mark {
            near: [s.near_top, r.near_top],
            far: [s.far_top, r.far_top],
        }
    }

    /// Gives back all registers taken since `mark`.
    pub fn release(&mut self, mark: Mark) {
        for (bank, (near, far)) in self
            .banks
            .iter_mut()
            .zip(mark.near.into_iter().zip(mark.far))
        {
            bank.near_top = near;
            bank.far_top = far;
        }
        let (banks, here) = (&self.banks, self.code.len() as u32);
        for life in self.lives.iter_mut().filter(|life| life.to.is_none()) {
            let regs = &banks[bank_index(life.bank)];
            let taken = match life.reg.0.checked_sub(FAR_REG_FIRST) {
                None => life.reg.index() < regs.near_top,
                Some(far) => (far as usize) < regs.far_top,
            };
            life.to = (!taken).then_some(here);
        }
    }

    /// Watches a register from the next instruction until it is given back; gives the number of this life.
    pub fn begin_life(&mut self, bank: Bank, reg: Reg) -> usize {
        let from = self.code.len() as u32;
        let to = None;
        self.lives.push(Life {
            bank,
            reg,
            from,
            to,
        });
        self.lives.len() - 1
    }

    /// What became of the watched registers.
    pub fn lives(&self) -> &[Life] {
        &self.lives
    }

    /// The declared class of a register.
    pub fn class_of(&self, bank: Bank, reg: Reg) -> Option<Class> {
        let regs = &self.banks[bank_index(bank)];
        match reg.0.checked_sub(FAR_REG_FIRST) {
            None => regs.near.get(reg.index()).copied().flatten(),
            Some(far) => regs.far.get(far as usize).copied().flatten(),
        }
    }

    /// Source position of the instructions that follow (both from 1).
    pub fn at(&mut self, line: u32, column: u32) {
        self.position = (line, column);
    }

    /// The index of the next instruction.
    pub fn here(&self) -> usize {
        self.code.len()
    }

    /// A new label, not bound yet.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label((self.labels.len() - 1) as u32)
    }

    /// Binds a label to the next instruction.
    pub fn bind(&mut self, label: Label) {
        let slot = &mut self.labels[label.0 as usize];
        assert!(slot.is_none(), "label bound twice in {}", self.name);
        *slot = Some(self.code.len() as u32);
        self.last_bound = Some(self.code.len());
    }

    /// A new label bound to the next instruction.
    pub fn label_here(&mut self) -> Label {
        let label = self.label();
        self.bind(label);
        label
    }

    /// Whether the last instruction never falls through (and no label is bound after it).
    pub fn is_ended(&self) -> bool {
        let ended = self.code.last().is_some_and(|instr| instr.op.ends_block());
        ended && self.last_bound != Some(self.code.len())
    }

    /// Protects the instructions from `start` to `end`: an error there continues at `target` with the error object in
    /// `reg` (near, class `ref`). Inner ranges must be added before outer ones.
    pub fn protect(&mut self, start: Label, end: Label, target: Label, reg: Reg) {
        assert!(
            self.error.is_some() || self.class_of(Bank::Reference, reg) == Some(Class::Ref),
            "catch register of {}",
            self.name
        );
        self.catches.push((start, end, target, reg));
    }

    /// `destination = source`, both of `class`, near or far.
    pub fn mov(&mut self, class: Class, destination: Reg, source: Reg) {
        if destination == source {
            return;
        }
        if destination.0 < FAR_REG_FIRST && source.0 < FAR_REG_FIRST {
            let op = match class {
                Class::I64 => Op::MovI64,
                Class::F64 => Op::MovF64,
                Class::Bool => Op::MovBool,
                Class::Ref => Op::MovRef,
                Class::Any => Op::MovAny,
            };
            self.emit(op, &[Arg::Reg(destination), Arg::Reg(source)]);
        } else {
            self.mov_wide(class.bank(), destination, source);
        }
    }

    fn mov_wide(&mut self, bank: Bank, destination: Reg, source: Reg) {
        let mut instr = Instr::new(Op::MovWide);
        instr.a = bank_index(bank) as u8;
        instr.imm = reg_pair(destination.0, source.0);
        self.push(instr);
    }

    /// Appends an instruction. Operands in row order, rows' `c: none` left out. Far registers are moved to and from
    /// near ones around the instruction.
    pub fn emit(&mut self, op: Op, args: &[Arg]) {
        if self.error.is_some() {
            // Registers were handed out twice; the function is refused at the end anyway.
            return;
        }
        let far = |arg: &Arg| matches!(arg, Arg::Reg(reg) if reg.0 >= FAR_REG_FIRST);
        if op == Op::ForNext && args.first().is_some_and(far) {
            self.for_next_far(args);
            return;
        }
        let operands = op
            .row()
            .operands
            .iter()
            .filter(|o| o.kind != OperandKind::Unused);
        assert_eq!(
            operands.clone().count(),
            args.len(),
            "{op:?} in {}: operands {args:?}",
            self.name
        );
        let mut instr = Instr::new(op);
        let mut stores = Vec::new();
        let mut scratch = ScratchRegs::default();
        let mut target = None;
        for (&Operand { place, kind }, &arg) in operands.zip(args) {
            let number = match (kind, arg) {
                (
                    OperandKind::Out(class) | OperandKind::In(class) | OperandKind::InOut(class),
                    Arg::Reg(reg),
                ) => {
                    let declared = self.class_of(class.bank(), reg).filter(|declared| {
                        let read_only = matches!(kind, OperandKind::In(_));
                        *declared == class || read_only && declared.reads_as(class)
                    });
                    let class = declared.unwrap_or_else(|| {
                        let found = self.class_of(class.bank(), reg);
                        panic!("{op:?} in {}: {reg:?} is {found:?}, not {class}", self.name)
                    });
                    i32::from(
                        self.near_register(kind, class, reg, &mut scratch, &mut stores)
                            .0,
                    )
                }
                (OperandKind::Window(_) | OperandKind::Run(_), Arg::Reg(reg)) => i32::from(reg.0),
                (OperandKind::Jump, Arg::Label(label)) => {
                    target = Some((place, label));
                    0
                }
                (kind, Arg::Number(n)) if !kind.is_register() && kind != OperandKind::Jump => n,
                (kind, arg) => panic!(
                    "{op:?} in {}: {} is {kind:?}, not {arg:?}",
                    self.name,
                    place.name()
                ),
            };
            assert!(
                instr.set(place, number),
                "{op:?} in {}: {number} does not fit in {}",
                self.name,
                place.name()
            );
        }
        self.patches
            .extend(target.map(|(place, label)| (self.code.len(), place, label)));
        self.push(instr);
        for (bank, far, near) in stores {
            self.mov_wide(bank, far, near);
        }
    }

    /// The register itself if it is near; else a scratch register that is loaded before the instruction and, if the
    /// instruction writes it, stored after it.
    fn near_register(
        &mut self,
        kind: OperandKind,
        class: Class,
        reg: Reg,
        scratch: &mut ScratchRegs,
        stores: &mut Vec<(Bank, Reg, Reg)>,
    ) -> Reg {
        if reg.0 < FAR_REG_FIRST {
            return reg;
        }
        let bank = class.bank();
        let near = scratch.next(class);
        self.banks[bank_index(bank)].claim_scratch(near.index(), class);
        if !matches!(kind, OperandKind::Out(_)) {
            self.mov_wide(bank, near, reg);
        }
        if !matches!(kind, OperandKind::In(_)) {
            stores.push((bank, reg, near));
        }
        near
    }

    /// `for.next` on a far counter, taken apart: the counter must be stored before the jump.
    fn for_next_far(&mut self, args: &[Arg]) {
        let &[counter, limit, target] = args else {
            panic!("for.next in {}: operands {args:?}", self.name)
        };
        self.emit(Op::AddImmI64, &[counter, counter, Arg::Number(1)]);
        self.emit(Op::JumpLtI64, &[counter, limit, target]);
    }

    fn push(&mut self, instr: Instr) {
        let (line, column) = self.position;
        if self
            .lines
            .last()
            .is_none_or(|&(_, l, c)| (l, c) != (line, column))
        {
            self.lines.push((self.code.len() as u32, line, column));
        }
        self.code.push(instr);
    }

    /// The finished function. Labels must all be bound (own bug otherwise).
    pub fn finish(mut self) -> Result<Function, BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.code.len() > CODE_MAX {
            return Err(BuildError::CodeTooLong {
                instructions: self.code.len(),
            });
        }
        for &(at, place, label) in &self.patches {
            let target = self.labels[label.0 as usize]
                .unwrap_or_else(|| panic!("a jump target of {} is not bound", self.name));
            assert!(self.code[at].set(place, target as i32), "jump target");
        }
        let resolve = |label: Label| {
            self.labels[label.0 as usize]
                .unwrap_or_else(|| panic!("a catch label of {} is not bound", self.name))
        };
        let catches = self
            .catches
            .iter()
            .map(|&(start, end, target, reg)| Catch {
                start: resolve(start),
                end: resolve(end),
                target: resolve(target),
                reg: reg.0,
            })
            .filter(|c| c.start < c.end)
            .collect();
        let [scalar, reference] = self.banks;
        Ok(Function {
            name: self.name,
            signature: self.signature,
            is_closure: self.is_closure,
            captures: self.captures,
            entries: self.entries,
            scalar_regs: scalar.classes(Class::I64),
            ref_regs: reference.classes(Class::Any),
            code: self.code.into_iter().map(Instr::encode).collect(),
            catches,
            lines: self.lines,
            from_prelude: self.from_prelude,
            arguments: Vec::new(),
            inlined: Vec::new(),
            scopes: Vec::new(),
        })
    }
}
