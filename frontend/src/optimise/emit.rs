//! Blocks back to bytecode: registers are numbered by `assign`, jumps and tables written. Here because only this file and
//! `raise` know both forms. Must stay true: every instruction keeps its place in the source; what a register holds is
//! read from where it was written.

use flin_bytecode::{Catch, Class, Function, Instr, Op, OperandKind, Place};

use super::assign::Assigned;
use super::body::{BlockId, Body, Inst, is_jump, is_mov};

/// The function's bytecode; none if it got too long.
pub(super) fn emit(body: &Body, assigned: &Assigned) -> Option<Function> {
    let mut out = Emitter {
        body,
        assigned,
        code: Vec::new(),
        spots: Vec::new(),
        jumps: Vec::new(),
        starts: vec![u32::MAX; body.blocks.len()],
        ends: Vec::new(),
    };
    for (at, &block) in body.order.iter().enumerate() {
        out.block(block, body.order.get(at + 1).copied());
    }
    out.function()
}

struct Emitter<'b> {
    body: &'b Body,
    assigned: &'b Assigned,
    code: Vec<Instr>,
    spots: Vec<u32>,
    jumps: Vec<(usize, BlockId)>,
    starts: Vec<u32>,
    /// End of each block, in the order of the code.
    ends: Vec<u32>,
}

impl Emitter<'_> {
    fn block(&mut self, id: BlockId, following: Option<BlockId>) {
        let block = self.body.block(id);
        self.starts[id as usize] = self.code.len() as u32;
        for inst in &block.insts {
            self.inst(inst);
        }
        if let Some(next) = block.next
            && Some(next) != following
        {
            let spot = block
                .insts
                .last()
                .map(|inst| inst.spot)
                .or(self.spots.last().copied());
            self.jumps.push((self.code.len(), next));
            self.push(Instr::new(Op::Jump), spot.unwrap_or(0));
        }
        self.ends.push(self.code.len() as u32);
    }

    fn push(&mut self, instr: Instr, spot: u32) {
        self.code.push(instr);
        self.spots.push(spot);
    }

    fn inst(&mut self, inst: &Inst) {
        let number = |v: u32| self.assigned.numbers[v as usize];
        if is_mov(inst.op) && number(inst.a) == number(inst.b) {
            return;
        }
        let mut instr = Instr::new(inst.op);
        instr.imm = inst.imm;
        let window = inst.regs.as_ref().map(|_| self.assigned.window(inst));
        for operand in inst.op.row().operands {
            let raw = match operand.place {
                Place::A => inst.a,
                Place::B => inst.b,
                Place::C => inst.c,
                Place::Imm => continue,
            };
            let value = match operand.kind {
                OperandKind::In(_) | OperandKind::Out(_) | OperandKind::InOut(_) => number(raw),
                OperandKind::Window(bank) => window.map_or(0, |w| w[bank as usize]),
                OperandKind::Run(class) => window.map_or(0, |w| w[class.bank() as usize]),
                _ => raw as u8,
            };
            match operand.place {
                Place::A => instr.a = value,
                Place::B => instr.b = value,
                Place::C => instr.c = value,
                Place::Imm => {}
            }
        }
        if is_jump(inst.op) {
            self.jumps.push((self.code.len(), inst.imm as BlockId));
            instr.imm = 0;
        }
        self.push(instr, inst.spot);
    }

    fn function(mut self) -> Option<Function> {
        if self.code.len() >= flin_bytecode::build::CODE_MAX / 2 {
            return None;
        }
        for (at, block) in &self.jumps {
            self.code[*at].imm = self.starts[*block as usize] as i32;
        }
        let body = self.body;
        let catches = self.catches();
        let mut function = Function {
            name: body.name.clone(),
            signature: body.signature.clone(),
            is_closure: body.is_closure,
            captures: body.captures.clone(),
            entries: body.entries.clone(),
            scalar_regs: self.assigned.classes[0]
                .iter()
                .map(|c| c.unwrap_or(Class::I64))
                .collect(),
            ref_regs: self.assigned.classes[1]
                .iter()
                .map(|c| c.unwrap_or(Class::Any))
                .collect(),
            code: self.code.iter().map(|instr| instr.encode()).collect(),
            catches,
            lines: Vec::new(),
            from_prelude: body.from_prelude,
            arguments: Vec::new(),
            inlined: body.scopes.clone(),
            scopes: Vec::new(),
        };
        self.places(&mut function);
        Some(function)
    }

    fn catches(&self) -> Vec<Catch> {
        let mut catches: Vec<(Catch, u32)> = Vec::new();
        for (at, &block) in self.body.order.iter().enumerate() {
            let (start, end) = (self.starts[block as usize], self.ends[at]);
            let Some(number) = self.body.block(block).handler else {
                continue;
            };
            if start == end {
                continue;
            }
            if let Some((last, of)) = catches.last_mut()
                && *of == number
                && last.end == start
            {
                last.end = end;
                continue;
            }
            let handler = self.body.handlers[number as usize];
            let catch = Catch {
                start,
                end,
                target: self.starts[handler.target as usize],
                reg: u16::from(self.assigned.numbers[handler.reg as usize]),
            };
            catches.push((catch, number));
        }
        catches.into_iter().map(|(catch, _)| catch).collect()
    }

    /// The tables of lines, scopes and arguments.
    fn places(&self, function: &mut Function) {
        let mut last: Option<(u32, u32, u32)> = None;
        for (pc, spot) in self.spots.iter().enumerate() {
            let spot = self.body.spots[*spot as usize];
            let pc = pc as u32;
            if last.is_none_or(|(line, column, _)| (line, column) != (spot.line, spot.column)) {
                function.lines.push((pc, spot.line, spot.column));
            }
            if last.map_or(0, |(_, _, scope)| scope) != spot.scope {
                function.scopes.push((pc, spot.scope));
            }
            function
                .arguments
                .extend(spot.argument.map(|(row, at)| (pc, row, at)));
            last = Some((spot.line, spot.column, spot.scope));
        }
    }
}
