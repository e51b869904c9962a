//! A unit of compilation: one function, entered at its start or at a loop, with all that is known about it before it is
//! translated. Here because refusing must come before work. Must stay true: what is refused once is refused always.

use cranelift_codegen::binemit::Reloc;
use flin_bytecode::{Bank, Const, FuncId, Function, Instr, Module, Op};
use flin_vm::native::layout;

use crate::JitError;
use crate::flow::Flow;
use crate::liveness::{Liveness, RegSet};
use crate::operands::{jump_target, writes};
use crate::outside::Outside;
use crate::strips::{Strip, kept, strips};
use crate::views::{Subject, Views};

/// Most instructions; beyond that the Cranelift function is too big for sure.
const CODE_MAX: usize = 10_000;
/// Most instructions of a function that leaves for the interpreter wherever a fast path does not fit.
const SHORT_MAX: usize = 64;
/// Most words of the sets of needed registers.
const LIVE_WORDS_MAX: usize = 1 << 18;

/// Where a unit is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// By calls.
    Start,
    /// By a running frame of the interpreter, at this target of a jump that goes back.
    Loop(u32),
}

/// Why a function stays interpreted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More registers than a native frame has slots.
    Registers(usize),
    /// More instructions, of FLIN or of Cranelift, than are compiled in one piece.
    Length(usize),
    /// Its frame on the machine stack would take too many bytes.
    MachineFrame(usize),
    /// It would jump to a block that nothing was written into.
    Unwritten,
    /// Cranelift refused it, and why.
    Cranelift(String),
    /// Its translation panicked, and with what message.
    Panicked(String),
    /// Its code would refer to something otherwise than by the distance to a function of its module.
    Reference(Reloc),
    /// It could not be put into code memory: that is used up, mostly.
    Memory(JitError),
    /// No jump goes back to this instruction.
    NoLoop,
}

impl Refusal {
    /// Whether it is a mistake of the compiler, not a limit that a function exceeds.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self {
            Refusal::Unwritten
            | Refusal::Cranelift(_)
            | Refusal::Panicked(_)
            | Refusal::Reference(_)
            | Refusal::NoLoop => true,
            Refusal::Memory(error) => !matches!(error, JitError::Full | JitError::NoMemory(_)),
            Refusal::Registers(_) | Refusal::Length(_) | Refusal::MachineFrame(_) => false,
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Registers(found) => {
                write!(
                    f,
                    "{found} registers of one bank, at most {} are compiled",
                    layout::SLOTS_MAX
                )
            }
            Refusal::Length(found) => write!(f, "{found} instructions are too many for one piece"),
            Refusal::MachineFrame(found) => {
                write!(f, "it would take {found} bytes of the machine stack")
            }
            Refusal::Unwritten => f.write_str("it would jump to a block that was not translated"),
            Refusal::Cranelift(why) => write!(f, "Cranelift refused it: {why}"),
            Refusal::Panicked(why) => write!(f, "translating it panicked: {why}"),
            Refusal::Reference(kind) => write!(
                f,
                "its code would refer to something by {kind:?}, which only holds where it is written, not where it runs"
            ),
            Refusal::Memory(error) => error.fmt(f),
            Refusal::NoLoop => f.write_str("no loop begins at that instruction"),
        }
    }
}

/// One function to be compiled.
pub(crate) struct Unit<'p> {
    pub(crate) outside: Outside<'p>,
    pub(crate) id: FuncId,
    pub(crate) function: &'p Function,
    pub(crate) code: Vec<Instr>,
    pub(crate) flow: Flow,
    pub(crate) live: Liveness,
    pub(crate) entry: Entry,
    /// Blocks that are translated.
    pub(crate) reached: Vec<bool>,
    /// Targets of jumps that go back, among them.
    pub(crate) headers: Vec<u32>,
    /// Views of lists.
    pub(crate) views: Views,
    /// Scalar registers that only ever hold one constant.
    pub(crate) fixed: Vec<Option<Fixed>>,
    /// Reference registers that only ever hold one constant text, of one ASCII character.
    pub(crate) fixed_characters: Vec<Option<u8>>,
    /// Innermost loops that are translated twice.
    pub(crate) strips: Vec<Strip>,
    /// Scalar registers whose slots are written wherever they are defined: those that a strip needs, but none writes.
    pub(crate) kept: Vec<bool>,
    /// Each operation is translated by itself.
    pub(crate) plain: bool,
}

/// What a register always holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fixed {
    Int(i64),
    /// A float other than 0.0, by the address of the constant in the module.
    Float(usize),
    Bool(bool),
}

/// The scalar registers that are written in one place only, with a constant: whoever reads one reads that.
fn fixed(module: &Module, function: &Function, code: &[Instr]) -> Vec<Option<Fixed>> {
    let mut written = vec![0_u32; function.scalar_regs.len()];
    let params = function.signature.params.iter();
    let params = params.filter(|class| class.bank() == Bank::Scalar).count();
    written[..params].fill(1);
    let mut fixed = vec![None; written.len()];
    for instr in code {
        writes(module, instr, |slot| {
            if slot.bank == Bank::Scalar {
                written[slot.reg as usize] += 1;
            }
        });
        let constant = if instr.op == Op::ConstI64 {
            Some(Fixed::Int(i64::from(instr.imm)))
        } else if instr.op == Op::ConstBool {
            Some(Fixed::Bool(instr.imm != 0))
        } else if matches!(instr.op, Op::ConstI64Pool | Op::ConstF64) {
            match &module.constants[instr.imm as usize] {
                Const::Int(value) => Some(Fixed::Int(*value)),
                Const::Float(value) if value.to_bits() == 0 => None,
                Const::Float(value) => Some(Fixed::Float(std::ptr::from_ref(value) as usize)),
                Const::Text(_) => None,
            }
        } else {
            None
        };
        if constant.is_some() {
            fixed[instr.a as usize] = constant;
        }
    }
    for (fixed, written) in fixed.iter_mut().zip(written) {
        if written != 1 {
            *fixed = None;
        }
    }
    fixed
}

/// The reference registers that are written in one place only, with a constant text of one ASCII character.
fn fixed_characters(module: &Module, function: &Function, code: &[Instr]) -> Vec<Option<u8>> {
    let mut written = vec![0_u32; function.ref_regs.len()];
    let params = function.signature.params.iter();
    let params = params.filter(|class| class.bank() == Bank::Reference);
    let params = params.count() + usize::from(function.is_closure);
    written[..params].fill(1);
    for catch in &function.catches {
        written[catch.reg as usize] += 1;
    }
    let mut fixed = vec![None; written.len()];
    for instr in code {
        writes(module, instr, |slot| {
            if slot.bank == Bank::Reference {
                written[slot.reg as usize] += 1;
            }
        });
        if instr.op == Op::ConstText
            && let Const::Text(text) = &module.constants[instr.imm as usize]
            && let [code @ 0..0x80] = text.as_bytes()
        {
            fixed[instr.a as usize] = Some(*code);
        }
    }
    for (fixed, written) in fixed.iter_mut().zip(written) {
        *fixed = fixed.filter(|_| written == 1);
    }
    fixed
}

/// Whether a function may be compiled, from what is quickly seen.
///
/// # Errors
/// It is not, and will never be.
pub(crate) fn admissible(function: &Function, entry: Entry) -> Result<(), Refusal> {
    let slots = function.scalar_regs.len().max(function.ref_regs.len());
    if slots > layout::SLOTS_MAX {
        return Err(Refusal::Registers(slots));
    }
    let length = function.code.len();
    if length > CODE_MAX {
        return Err(Refusal::Length(length));
    }
    let (mut starts, mut begins_loop) = (1 + 3 * function.catches.len(), false);
    for (pc, word) in function.code.iter().enumerate() {
        if let Some(target) = jump_target(&decode(*word)) {
            starts += 2;
            begins_loop |= Flow::goes_back(pc as u32, target) && entry == Entry::Loop(target);
        }
    }
    if starts * slots.div_ceil(32).max(1) > LIVE_WORDS_MAX {
        return Err(Refusal::Length(length));
    }
    match entry {
        Entry::Loop(_) if !begins_loop => Err(Refusal::NoLoop),
        Entry::Start | Entry::Loop(_) => Ok(()),
    }
}

/// Where a function may be entered: its start, then its loops in the order of the code.
pub(crate) fn entries(function: &Function) -> Vec<Entry> {
    let back = |(pc, word): (usize, &u64)| {
        jump_target(&decode(*word)).filter(|target| Flow::goes_back(pc as u32, *target))
    };
    let mut headers: Vec<u32> = function.code.iter().enumerate().filter_map(back).collect();
    headers.sort_unstable();
    headers.dedup();
    let loops = headers.into_iter().map(Entry::Loop);
    std::iter::once(Entry::Start).chain(loops).collect()
}

fn decode(word: u64) -> Instr {
    Instr::decode(word).expect("verified: an instruction")
}

impl<'p> Unit<'p> {
    /// Looks at an admissible function; `plain` is `JitOptions::plain`.
    pub(crate) fn new(outside: Outside<'p>, id: FuncId, entry: Entry, plain: bool) -> Unit<'p> {
        let function = &outside.module.functions[id.index()];
        let code: Vec<Instr> = function.code.iter().map(|word| decode(*word)).collect();
        let flow = Flow::new(function, &code);
        let first = match entry {
            Entry::Start => 0,
            Entry::Loop(header) => header,
        };
        let reached = flow.reached_from(flow.block_at(first));
        let headers = flow.headers(&code, &reached);
        let live = Liveness::new(outside.module, function, &code, &flow);
        let subject = Subject {
            module: outside.module,
            code: &code,
            flow: &flow,
            live: &live,
            reached: &reached,
            headers: &headers,
            first_block: flow.block_at(first),
        };
        let views = Views::new(&subject);
        let fixed = fixed(outside.module, function, &code);
        let strips = if plain {
            Vec::new()
        } else {
            strips(&subject, &views, &fixed)
        };
        let kept = kept(&subject, &strips, &fixed);
        Unit {
            views,
            fixed,
            fixed_characters: fixed_characters(outside.module, function, &code),
            strips,
            kept,
            plain,
            outside,
            id,
            function,
            code,
            flow,
            live,
            entry,
            reached,
            headers,
        }
    }

    /// Needed registers before each instruction of a block.
    pub(crate) fn needed_in(&self, block: u32) -> Vec<RegSet> {
        self.live.in_block(
            self.outside.module,
            self.function,
            &self.code,
            &self.flow,
            block,
        )
    }

    /// Whether it calls other functions.
    pub(crate) fn calls(&self) -> bool {
        let calls = |instr: &Instr| matches!(instr.op, Op::Call | Op::CallWith | Op::CallClosure);
        self.code.iter().any(calls)
    }

    /// Whether it has no loop and few instructions.
    pub(crate) fn is_short(&self) -> bool {
        !self.plain && self.headers.is_empty() && self.code.len() <= SHORT_MAX
    }

    /// The block in which it is entered.
    pub(crate) fn first_block(&self) -> u32 {
        match self.entry {
            Entry::Start => 0,
            Entry::Loop(header) => self.flow.block_at(header),
        }
    }
}
