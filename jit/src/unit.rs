//! A unit of compilation: one function, entered at its start or at a loop, with all that is known about it before it is
//! translated. Here because refusing must come before work. Must stay true: what is refused once is refused always.

use flin_bytecode::{FuncId, Function, Instr};

use crate::flow::Flow;
use crate::liveness::{Liveness, RegSet};
use crate::outside::Outside;

/// Most registers of a bank: native frames have so many slots at most.
const SLOTS_MAX: usize = 400;
/// Most instructions; beyond that the Cranelift function is too big for sure.
const CODE_MAX: usize = 10_000;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More registers than a native frame has slots.
    Registers(usize),
    /// More instructions, of FLIN or of Cranelift, than are compiled in one piece.
    Length(usize),
    /// Its frame on the machine stack would take too many bytes.
    MachineFrame(usize),
    /// Cranelift refused it.
    Cranelift,
    /// The code memory of the program is used up.
    Memory,
    /// No jump goes back to this instruction.
    NoLoop,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Registers(found) => {
                write!(
                    f,
                    "{found} registers of one bank, at most {SLOTS_MAX} are compiled"
                )
            }
            Refusal::Length(found) => write!(f, "{found} instructions are too many for one piece"),
            Refusal::MachineFrame(found) => {
                write!(f, "it would take {found} bytes of the machine stack")
            }
            Refusal::Cranelift => f.write_str("Cranelift refused it"),
            Refusal::Memory => f.write_str("no code memory is left"),
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
}

impl<'p> Unit<'p> {
    /// Looks at a function.
    ///
    /// # Errors
    /// It is not compiled, and will never be.
    pub(crate) fn new(outside: Outside<'p>, id: FuncId, entry: Entry) -> Result<Unit<'p>, Refusal> {
        let function = &outside.module.functions[id.index()];
        let slots = function.scalar_regs.len().max(function.ref_regs.len());
        if slots > SLOTS_MAX {
            return Err(Refusal::Registers(slots));
        }
        if function.code.len() > CODE_MAX {
            return Err(Refusal::Length(function.code.len()));
        }
        let code: Vec<Instr> = function
            .code
            .iter()
            .map(|word| Instr::decode(*word).expect("verified: an instruction"))
            .collect();
        let flow = Flow::new(function, &code);
        if flow.blocks.len() * slots.div_ceil(32).max(1) > LIVE_WORDS_MAX {
            return Err(Refusal::Length(code.len()));
        }
        let first = match entry {
            Entry::Start => 0,
            Entry::Loop(header) => header,
        };
        if first as usize >= code.len() || flow.blocks[flow.block_at(first) as usize].start != first
        {
            return Err(Refusal::NoLoop);
        }
        let reached = flow.reached_from(flow.block_at(first));
        let headers = flow.headers(&code, &reached);
        let live = Liveness::new(outside.module, function, &code, &flow);
        Ok(Unit {
            outside,
            id,
            function,
            code,
            flow,
            live,
            entry,
            reached,
            headers,
        })
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

    /// The block in which it is entered.
    pub(crate) fn first_block(&self) -> u32 {
        match self.entry {
            Entry::Start => 0,
            Entry::Loop(header) => self.flow.block_at(header),
        }
    }
}
