//! Views of lists and ASCII texts: length and place of the elements in variables, so that a loop does not load and compare
//! what does not change. Here, apart from the lowering, because it is an analysis: in which registers lists are read
//! often, and where a view of them is valid. Must stay true: a view is valid only where neither the register was written
//! nor the list could have changed its class, length or buffer since the view was made (texts never change); a view of
//! anything that is no list of its class, or no ASCII text, has length 0.

use flin_bytecode::{Bank, Class, Family, Instr, LibId, Module, Native, Op, OperandKind, Place};

use crate::flow::Flow;
use crate::liveness::Liveness;
use crate::lower::is_in_place;
use crate::operands::{Slot, jump_target, writes};

/// Most views of a function: one bit each.
const VIEWS_MAX: usize = 8;

/// A set of views.
pub(crate) type ViewSet = u8;

/// What a view is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Viewed {
    /// A list of a class: its length and its buffer.
    List(Class),
    /// An ASCII text: its length and the address of its first byte.
    Text,
}

/// A register that holds a list or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) reg: u8,
    pub(crate) kind: Viewed,
}

/// The views of a unit.
#[derive(Debug, Default)]
pub(crate) struct Views {
    pub(crate) all: Vec<View>,
    /// Valid at the start of each block.
    pub(crate) at_start: Vec<ViewSet>,
    /// To be made at the end of each block, because a loop begins behind it.
    pub(crate) at_end: Vec<ViewSet>,
    /// To be made where the unit is entered.
    pub(crate) at_entry: ViewSet,
    /// The loops, with what stays valid in them.
    pub(crate) loops: Vec<Loop>,
}

/// Reading, writing and appending an element, by class.
const ACCESSES: [(Class, [Op; 3]); 5] = [
    (
        Class::I64,
        [Op::ListGetI64, Op::ListSetI64, Op::ListPushI64],
    ),
    (
        Class::F64,
        [Op::ListGetF64, Op::ListSetF64, Op::ListPushF64],
    ),
    (
        Class::Bool,
        [Op::ListGetBool, Op::ListSetBool, Op::ListPushBool],
    ),
    (
        Class::Ref,
        [Op::ListGetRef, Op::ListSetRef, Op::ListPushRef],
    ),
    (
        Class::Any,
        [Op::ListGetAny, Op::ListSetAny, Op::ListPushAny],
    ),
];

/// The list or text whose element an instruction reads or writes, if it does, and the register of the position.
pub(crate) fn accessed(instr: &Instr) -> Option<(View, u8)> {
    let text = |reg: u8, index: u8| {
        let kind = Viewed::Text;
        Some((View { reg, kind }, index))
    };
    if instr.op == Op::TextIndex {
        return text(instr.b, instr.c);
    }
    if instr.op == Op::CallLib {
        let row = Native::from_lib(LibId(instr.imm as u16));
        return text(instr.b, instr.a).filter(|_| row == Some(Native::TextCodeAt));
    }
    let by_position = |(_, ops): &&(Class, [Op; 3])| ops[..2].contains(&instr.op);
    let (class, _) = ACCESSES.iter().find(by_position)?;
    let view = View {
        reg: instr.b,
        kind: Viewed::List(*class),
    };
    Some((view, instr.c))
}

/// Whether the interpreter, doing this operation after its fast path did not fit, may change class, length or buffer of a
/// list: writing widens, a type test may give a list another class.
pub(crate) fn changes_lists(op: Op) -> bool {
    let writes = ACCESSES.iter().any(|(_, ops)| ops[1..].contains(&op));
    let is_record = op.operand(Place::C) == Some(OperandKind::Slot);
    writes || is_record || matches!(op, Op::UnboxRef | Op::CheckRef)
}

/// Whether an instruction may leave any view of a list wrong, also where its fast path is taken: calls, and what the interpreter
/// always does and may change what it is given.
fn spoils_all(instr: &Instr) -> bool {
    if instr.op == Op::CallLib {
        return !is_in_place(instr.imm);
    }
    let operands = instr.op.row().operands;
    let calls = operands
        .iter()
        .any(|operand| matches!(operand.kind, OperandKind::Window(_)));
    calls
        || instr.op.row().family == Family::Entity
        || matches!(
            instr.op,
            Op::FieldGetAny | Op::FieldSetAny | Op::IndexSetAny | Op::MapSet | Op::MapSetName
        )
}

/// A loop: all instructions from the target of jumps that go back to the last such jump.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loop {
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Views that are made before it and stay valid in it.
    pub(crate) kept: ViewSet,
}

impl Loop {
    /// Whether an instruction stands in it.
    pub(crate) fn holds(&self, pc: u32) -> bool {
        (self.first..=self.last).contains(&pc)
    }
}

/// What the analysis looks at.
pub(crate) struct Subject<'a> {
    pub(crate) module: &'a Module,
    pub(crate) code: &'a [Instr],
    pub(crate) flow: &'a Flow,
    pub(crate) live: &'a Liveness,
    pub(crate) reached: &'a [bool],
    pub(crate) headers: &'a [u32],
    pub(crate) first_block: u32,
}

impl Views {
    /// The views of a unit; none if no loop reads a list.
    pub(crate) fn new(subject: &Subject<'_>) -> Views {
        let mut loops = subject.loops();
        let all = subject.candidates(&loops);
        let count = subject.flow.blocks.len();
        let mut views = Views {
            all,
            at_start: vec![0; count],
            at_end: vec![0; count],
            at_entry: 0,
            loops: Vec::new(),
        };
        if !views.all.is_empty() {
            for it in &mut loops {
                it.kept = subject.kept(&views.all, it);
            }
            views.solve(subject, &loops);
        }
        views.loops = loops;
        views
    }

    /// Finds where views are valid: the meet over all ways, beginning with all of them.
    fn solve(&mut self, subject: &Subject<'_>, loops: &[Loop]) {
        let flow = subject.flow;
        let first = subject.first_block;
        let entered = |from: Option<u32>, to: u32| -> ViewSet {
            let holds_from = |it: &Loop| from.is_some_and(|pc| it.holds(pc));
            let new = loops.iter().filter(|it| it.holds(to) && !holds_from(it));
            new.fold(0, |set, it| set | it.kept)
        };
        self.at_entry = entered(None, flow.blocks[first as usize].start);
        self.at_start.fill(ViewSet::MAX);
        self.at_start[first as usize] = self.at_entry;
        let mut changed = true;
        while changed {
            changed = false;
            for (number, block) in flow.blocks.iter().enumerate() {
                if !subject.reached[number] {
                    continue;
                }
                let end = subject.after(&self.all, number, self.at_start[number]);
                for next in block.next.iter().flatten() {
                    let to = flow.blocks[*next as usize].start;
                    let made = entered(Some(block.end - 1), to);
                    let set = self.at_start[*next as usize] & (end | made);
                    changed |= set != self.at_start[*next as usize];
                    self.at_start[*next as usize] = set;
                }
            }
        }
        for (number, block) in flow.blocks.iter().enumerate() {
            let end = subject.after(&self.all, number, self.at_start[number]);
            let nexts = block.next.iter().flatten();
            let made = nexts.fold(0, |set, next| {
                set | entered(Some(block.end - 1), flow.blocks[*next as usize].start)
            });
            self.at_end[number] = made & !end;
        }
    }

    /// The bit of a view.
    pub(crate) fn bit(&self, view: View) -> Option<ViewSet> {
        let at = self.all.iter().position(|known| *known == view)?;
        Some(1 << at)
    }
}

/// What is valid behind an instruction whose fast path was taken, if `before` was valid.
pub(crate) fn step(module: &Module, all: &[View], instr: &Instr, before: ViewSet) -> ViewSet {
    let mut set = if spoils_all(instr) {
        before & !lists(all)
    } else {
        before
    };
    if let Some((view, _)) = accessed(instr)
        && let Some(at) = all.iter().position(|known| *known == view)
    {
        set |= 1 << at;
    }
    writes(module, instr, |slot| set &= !of_register(all, slot));
    set
}

fn lists(all: &[View]) -> ViewSet {
    let views = all.iter().enumerate();
    views
        .filter(|(_, view)| view.kind != Viewed::Text)
        .fold(0, |set, (at, _)| set | 1 << at)
}

fn of_register(all: &[View], slot: Slot) -> ViewSet {
    let views = all.iter().enumerate();
    views
        .filter(|(_, view)| slot.bank == Bank::Reference && slot.reg == u16::from(view.reg))
        .fold(0, |set, (at, _)| set | 1 << at)
}

impl Subject<'_> {
    fn loops(&self) -> Vec<Loop> {
        let ends = |header: u32| {
            let blocks = self.flow.blocks.iter().zip(self.reached);
            blocks
                .filter(|(_, reached)| **reached)
                .map(|(block, _)| block.end - 1)
                .filter(|pc| *pc >= header)
                .filter(|pc| jump_target(&self.code[*pc as usize]) == Some(header))
                .max()
        };
        let all = self.headers.iter().filter_map(|header| {
            Some(Loop {
                first: *header,
                last: ends(*header)?,
                kept: 0,
            })
        });
        all.collect()
    }

    /// Registers whose lists are read in loops, always as one class; those of the innermost loops first.
    fn candidates(&self, loops: &[Loop]) -> Vec<View> {
        let mut found: Vec<(View, usize)> = Vec::new();
        for (pc, instr) in self.code.iter().enumerate() {
            let Some((view, _)) = accessed(instr) else {
                continue;
            };
            let depth = loops.iter().filter(|it| it.holds(pc as u32)).count();
            match found.iter_mut().find(|(known, _)| known.reg == view.reg) {
                Some((known, most)) if known.kind == view.kind => *most = depth.max(*most),
                // Two classes of one register: the code does not know what it holds.
                Some((_, most)) => *most = 0,
                None => found.push((view, depth)),
            }
        }
        found.retain(|(_, depth)| *depth > 0);
        found.sort_by_key(|(_, depth)| std::cmp::Reverse(*depth));
        found.truncate(VIEWS_MAX);
        found.into_iter().map(|(view, _)| view).collect()
    }

    /// The views that a loop uses and never spoils, and that can be made wherever it is entered.
    fn kept(&self, all: &[View], it: &Loop) -> ViewSet {
        let mut used: ViewSet = 0;
        let mut spoiled: ViewSet = 0;
        for pc in it.first..=it.last {
            let instr = &self.code[pc as usize];
            if spoils_all(instr) {
                spoiled |= lists(all);
            }
            if let Some((view, _)) = accessed(instr)
                && let Some(at) = all.iter().position(|known| *known == view)
            {
                used |= 1 << at;
            }
            writes(self.module, instr, |slot| spoiled |= of_register(all, slot));
        }
        let mut kept = used & !spoiled;
        let blocks = self.flow.blocks.iter().zip(self.reached);
        for (block, _) in blocks.filter(|(_, reached)| **reached) {
            let last = block.end - 1;
            for next in block.next.iter().flatten() {
                let to = self.flow.blocks[*next as usize].start;
                if !it.holds(to) || it.holds(last) {
                    continue;
                }
                kept &= self.needed_at(all, *next);
                let target = jump_target(&self.code[last as usize]);
                if target.is_some_and(|target| Flow::goes_back(last, target)) {
                    // Made at the end of another loop, a view would be made in each of its turns.
                    return 0;
                }
            }
        }
        let first = self.flow.blocks[self.first_block as usize].start;
        if it.holds(first) {
            kept &= self.needed_at(all, self.first_block);
        }
        kept
    }

    /// Views of registers that are needed at the start of a block, and so hold an object there.
    fn needed_at(&self, all: &[View], block: u32) -> ViewSet {
        let needed = self.live.at_start(block);
        let mut set = 0;
        for reg in self.live.members(needed, Bank::Reference) {
            let slot = Slot {
                bank: Bank::Reference,
                reg,
            };
            set |= of_register(all, slot);
        }
        set
    }

    fn after(&self, all: &[View], block: usize, before: ViewSet) -> ViewSet {
        let block = &self.flow.blocks[block];
        (block.start..block.end).fold(before, |set, pc| {
            step(self.module, all, &self.code[pc as usize], set)
        })
    }
}
