//! Strips: turns of an innermost loop that run without the checks that hold for all of them. Here, apart from the
//! translation, because it is an analysis: which loops are translated twice (a fast version, whose slow paths go on in the
//! slow one, so that nothing comes back into the middle of the fast one), which of them count, and which accesses to lists
//! and texts stay inside as long as the counter stays below a limit. Must stay true: an access is free only if the counter
//! and the lengths of all views, compared once before a strip, prove that it is inside in every turn of the strip.

use flin_bytecode::{Bank, Class, Instr, Op};

use crate::operands::{Slot, jump_target, reads, writes};
use crate::unit::Fixed;
use crate::views::{Loop, Subject, ViewSet, Viewed, Views, accessed};

/// Longest loop, in instructions, that is translated twice.
const LENGTH_MAX: u32 = 250;
/// Farthest from the counter that an access may be and be free.
const OFFSET_MAX: i64 = 1 << 20;

/// An innermost loop that is translated twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strip {
    /// Its blocks; the first begins with the target of its jumps back.
    pub(crate) blocks: std::ops::RangeInclusive<u32>,
    /// How it counts, if it does.
    pub(crate) counted: Option<Counted>,
    /// Lists that it appends to beside views of others of their class: both by register. A strip needs them distinct.
    pub(crate) distinct: Vec<(u8, u8)>,
    /// Registers that its fast version reads. (Of a list with a view it reads the view.)
    pub(crate) read: Vec<Slot>,
    /// Registers that it writes.
    pub(crate) written: Vec<Slot>,
    /// Views that stay valid in it.
    pub(crate) kept: ViewSet,
}

/// A loop whose only jump back compares a counter, which grows by one in every turn, with an end that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) counter: u8,
    pub(crate) end: u8,
    /// The jump back.
    pub(crate) back: u32,
    /// Whether the jump adds the one itself (`for.next`); else the instruction before it does.
    pub(crate) adds: bool,
    /// Views by number, and how far from the counter they are accessed.
    pub(crate) bounds: Vec<Bound>,
    /// Accesses that the bounds keep inside.
    pub(crate) free: Vec<u32>,
}

/// Accesses to a view between `counter + least` and `counter + greatest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) view: usize,
    pub(crate) least: i64,
    pub(crate) greatest: i64,
}

/// The strips of a unit.
pub(crate) fn strips(subject: &Subject<'_>, views: &Views, fixed: &[Option<Fixed>]) -> Vec<Strip> {
    let loops = &views.loops;
    let innermost = loops.iter().filter(|it| {
        let around = |other: &&Loop| other.first < it.first && it.last <= other.last;
        let apart = |other: &&Loop| other.last < it.first || it.last < other.first;
        let others = loops.iter().filter(|other| other.first != it.first);
        others.clone().all(|other| around(&other) || apart(&other))
    });
    let found = innermost.filter(|it| it.last - it.first < LENGTH_MAX);
    found
        .filter(|it| (it.first..=it.last).all(|pc| stays(&subject.code[pc as usize])))
        .map(|it| strip(subject, views, fixed, it))
        .collect()
}

/// The scalar registers that strips need, but no strip writes.
pub(crate) fn kept(subject: &Subject<'_>, strips: &[Strip], fixed: &[Option<Fixed>]) -> Vec<bool> {
    let mut kept = vec![false; fixed.len()];
    for strip in strips {
        let needed = subject.live.at_start(*strip.blocks.start());
        for reg in subject.live.members(needed, Bank::Scalar) {
            kept[usize::from(reg)] = fixed[usize::from(reg)].is_none();
        }
    }
    let blocks = strips.iter().flat_map(|strip| strip.blocks.clone());
    for block in blocks {
        let block = &subject.flow.blocks[block as usize];
        for pc in block.start..block.end {
            writes(subject.module, &subject.code[pc as usize], |slot| {
                if slot.bank == Bank::Scalar {
                    kept[usize::from(slot.reg)] = false;
                }
            });
        }
    }
    kept
}

/// Whether the fast path of an instruction leaves registers and fuel alone: everything but calls and what the interpreter
/// does.
fn stays(instr: &Instr) -> bool {
    crate::lower::is_fast(instr)
}

fn strip(subject: &Subject<'_>, views: &Views, fixed: &[Option<Fixed>], it: &Loop) -> Strip {
    let flow = subject.flow;
    let blocks = flow.block_at(it.first)..=flow.block_at(it.last);
    let pushed: Vec<(u8, Class)> = (it.first..=it.last)
        .filter_map(|pc| appended(&subject.code[pc as usize]))
        .collect();
    let mut distinct = Vec::new();
    for &(list, class) in &pushed {
        for (at, view) in views.all.iter().enumerate() {
            let same = view.kind == Viewed::List(class) && it.kept >> at & 1 == 1;
            let pair = (list, view.reg);
            if same && view.reg != list && !distinct.contains(&pair) {
                distinct.push(pair);
            }
        }
    }
    let counted = counter(subject, &blocks, it).map(|mut counted| {
        let grows = |reg: u8| pushed.iter().any(|(list, _)| *list == reg);
        bound(subject, views, fixed, it, &mut counted, grows);
        counted
    });
    let (read, written) = touched(subject, views, it);
    Strip {
        read,
        written,
        kept: it.kept,
        blocks,
        counted,
        distinct,
    }
}

fn touched(subject: &Subject<'_>, views: &Views, it: &Loop) -> (Vec<Slot>, Vec<Slot>) {
    let (mut read, mut written) = (Vec::new(), Vec::new());
    for pc in it.first..=it.last {
        let instr = &subject.code[pc as usize];
        let viewed = accessed(instr).and_then(|(view, _)| {
            let at = views.all.iter().position(|known| *known == view)?;
            (it.kept >> at & 1 == 1).then_some(Slot {
                bank: Bank::Reference,
                reg: u16::from(view.reg),
            })
        });
        reads(subject.module, instr, |slot| {
            if Some(slot) != viewed && !read.contains(&slot) {
                read.push(slot);
            }
        });
        writes(subject.module, instr, |slot| {
            if !written.contains(&slot) {
                written.push(slot);
            }
        });
    }
    (read, written)
}

/// The list that an instruction appends to, and its class.
fn appended(instr: &Instr) -> Option<(u8, Class)> {
    let class = match instr.op {
        Op::ListPushI64 => Class::I64,
        Op::ListPushF64 => Class::F64,
        Op::ListPushBool => Class::Bool,
        Op::ListPushRef => Class::Ref,
        Op::ListPushAny => Class::Any,
        _ => return None,
    };
    Some((instr.a, class))
}

/// How a loop counts.
fn counter(
    subject: &Subject<'_>,
    blocks: &std::ops::RangeInclusive<u32>,
    it: &Loop,
) -> Option<Counted> {
    let back = &subject.code[it.last as usize];
    let adds = back.op == Op::ForNext;
    let counter = back.a;
    let before = it.last.checked_sub(1).filter(|pc| *pc >= it.first);
    let stepped = || {
        let step = &subject.code[before? as usize];
        let by_one = matches!(step.op, Op::AddImmWrapI64 | Op::AddImmI64) && step.imm == 1;
        let same_block = subject.flow.block_at(it.last) == subject.flow.block_at(before?);
        (by_one && step.a == counter && step.b == counter && same_block).then_some(())
    };
    if !adds && (back.op != Op::JumpLtI64 || stepped().is_none()) {
        return None;
    }
    let mut written = [0_u32; 2];
    for pc in it.first..=it.last {
        let instr = &subject.code[pc as usize];
        if pc != it.last && jump_target(instr).is_some_and(|to| to <= pc) {
            return None;
        }
        writes(subject.module, instr, |slot| {
            for (count, reg) in written.iter_mut().zip([counter, back.b]) {
                *count += u32::from(slot == scalar(reg));
            }
        });
    }
    let first = *blocks.start();
    let entered_inside = subject
        .flow
        .blocks
        .iter()
        .zip(subject.reached)
        .any(|(block, reached)| {
            let from_outside = !it.holds(block.end - 1);
            let mut nexts = block.next.iter().flatten();
            *reached && from_outside && nexts.any(|to| blocks.contains(to) && *to != first)
        })
        || (blocks.contains(&subject.first_block) && subject.first_block != first);
    (written == [1, 0] && !entered_inside).then_some(Counted {
        counter,
        end: back.b,
        back: it.last,
        adds,
        bounds: Vec::new(),
        free: Vec::new(),
    })
}

fn scalar(reg: u8) -> Slot {
    Slot {
        bank: Bank::Scalar,
        reg: u16::from(reg),
    }
}

/// Finds the accesses at a constant distance from the counter.
fn bound(
    subject: &Subject<'_>,
    views: &Views,
    fixed: &[Option<Fixed>],
    it: &Loop,
    counted: &mut Counted,
    grows: impl Fn(u8) -> bool,
) {
    // Registers that hold the counter and a constant; in the current block.
    let mut near: Vec<(u8, i64)> = Vec::new();
    let constant = |reg: u8| match fixed[usize::from(reg)] {
        Some(Fixed::Int(value)) => Some(value),
        Some(Fixed::Float(_) | Fixed::Bool(_)) | None => None,
    };
    for pc in it.first..=it.last {
        let instr = &subject.code[pc as usize];
        if subject.flow.blocks[subject.flow.block_at(pc) as usize].start == pc {
            near = vec![(counted.counter, 0)];
        }
        let offset = |reg: u8| near.iter().find(|(it, _)| *it == reg).map(|(_, at)| *at);
        if let Some((view, index)) = accessed(instr)
            && let Some(at) = views.all.iter().position(|known| *known == view)
            && it.kept >> at & 1 == 1
            && !grows(view.reg)
            && let Some(offset) = offset(index)
        {
            counted.widen(at, offset);
            counted.free.push(pc);
        }
        let moved = match instr.op {
            Op::AddImmI64 | Op::AddImmWrapI64 => {
                offset(instr.b).map(|at| at + i64::from(instr.imm))
            }
            Op::MovI64 => offset(instr.b),
            Op::AddI64 | Op::AddWrapI64 => offset(instr.b)
                .zip(constant(instr.c))
                .and_then(|(at, by)| at.checked_add(by)),
            Op::SubI64 | Op::SubWrapI64 => offset(instr.b)
                .zip(constant(instr.c))
                .and_then(|(at, by)| at.checked_sub(by)),
            _ => None,
        };
        writes(subject.module, instr, |slot| {
            near.retain(|(reg, _)| scalar(*reg) != slot);
        });
        if let Some(at) = moved.filter(|at| at.abs() <= OFFSET_MAX) {
            near.push((instr.a, at));
        }
    }
}

impl Counted {
    fn widen(&mut self, view: usize, offset: i64) {
        match self.bounds.iter_mut().find(|bound| bound.view == view) {
            Some(bound) => {
                bound.least = bound.least.min(offset);
                bound.greatest = bound.greatest.max(offset);
            }
            None => self.bounds.push(Bound {
                view,
                least: offset,
                greatest: offset,
            }),
        }
    }
}
