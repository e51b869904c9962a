//! A function while it is optimised: blocks of instructions over any number of virtual registers. Here because passes
//! should not think of register numbers, windows or jump distances. Must stay true: a virtual register is one value of
//! the program with one class (all its definitions reach a common use); a block is covered by one handler or by none, and
//! any of its instructions may go there; a jump stands only at the end of a block.

use flin_bytecode::{Class, Op, OperandKind, Place, Signature};

/// A virtual register.
pub(super) type V = u32;
/// A block, by its place in `Body::blocks`.
pub(super) type BlockId = u32;

/// What a call or a run of registers names besides its row.
#[derive(Clone, Debug)]
pub(super) struct Regs {
    /// Arguments in order of the window, the closure first; or the registers of the run.
    pub(super) args: Vec<V>,
    pub(super) result: Option<V>,
}

/// An instruction. Places of the row that hold registers hold virtual ones, windows and runs are in `regs`; the
/// immediate of a jump is a block.
#[derive(Clone, Debug)]
pub(super) struct Inst {
    pub(super) op: Op,
    pub(super) a: u32,
    pub(super) b: u32,
    pub(super) c: u32,
    pub(super) imm: i32,
    /// Index into `Body::spots`.
    pub(super) spot: u32,
    pub(super) regs: Option<Box<Regs>>,
}

/// Where an instruction comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) line: u32,
    pub(super) column: u32,
    /// 0 for the function itself, n for `Body::scopes[n - 1]`.
    pub(super) scope: u32,
    /// The library row and parameter that a failed check speaks of.
    pub(super) argument: Option<(u16, u8)>,
}

/// A call that was replaced by the body of the called function.
pub(super) use flin_bytecode::Inlined as Scope;

/// Instructions that run one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) insts: Vec<Inst>,
    /// Where it goes on when no jump at its end is taken; none if its last instruction ends it.
    pub(super) next: Option<BlockId>,
    /// Index into `Body::handlers`.
    pub(super) handler: Option<u32>,
}

/// Where errors of covered blocks continue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handler {
    pub(super) target: BlockId,
    /// Receives the error object; written at the start of the target.
    pub(super) reg: V,
}

/// A function.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) name: String,
    pub(super) signature: Signature,
    pub(super) is_closure: bool,
    pub(super) captures: Vec<Class>,
    pub(super) entries: Vec<flin_bytecode::FuncId>,
    pub(super) from_prelude: bool,
    /// The closure object, then the parameters.
    pub(super) params: Vec<V>,
    pub(super) classes: Vec<Class>,
    pub(super) blocks: Vec<Block>,
    /// The blocks in the order of the code, the first one is the entry; blocks that are not here are dead.
    pub(super) order: Vec<BlockId>,
    pub(super) handlers: Vec<Handler>,
    pub(super) spots: Vec<Spot>,
    pub(super) scopes: Vec<Scope>,
}

impl Inst {
    pub(super) fn new(op: Op, spot: u32) -> Inst {
        Inst {
            op,
            a: 0,
            b: 0,
            c: 0,
            imm: 0,
            spot,
            regs: None,
        }
    }

    /// `to = from`, of a class.
    pub(super) fn mov(class: Class, to: V, from: V, spot: u32) -> Inst {
        Inst {
            a: to,
            b: from,
            ..Inst::new(mov_op(class), spot)
        }
    }

    fn at(&self, place: Place) -> u32 {
        match place {
            Place::A => self.a,
            Place::B => self.b,
            Place::C => self.c,
            Place::Imm => self.imm as u32,
        }
    }

    fn at_mut(&mut self, place: Place) -> Option<&mut u32> {
        match place {
            Place::A => Some(&mut self.a),
            Place::B => Some(&mut self.b),
            Place::C => Some(&mut self.c),
            Place::Imm => None,
        }
    }

    /// Every register that is read.
    pub(super) fn uses(&self, mut visit: impl FnMut(V)) {
        for operand in self.op.row().operands {
            if let OperandKind::In(_) | OperandKind::InOut(_) = operand.kind {
                visit(self.at(operand.place));
            }
        }
        if let Some(regs) = &self.regs {
            regs.args.iter().for_each(|v| visit(*v));
        }
    }

    /// Every register that is only read, to be replaced by another, with the class it is read as.
    pub(super) fn uses_mut(&mut self, mut visit: impl FnMut(&mut V, Option<Class>)) {
        for operand in self.op.row().operands {
            if let OperandKind::In(class) = operand.kind
                && let Some(v) = self.at_mut(operand.place)
            {
                visit(v, Some(class));
            }
        }
        if let Some(regs) = &mut self.regs {
            regs.args.iter_mut().for_each(|v| visit(v, None));
        }
    }

    /// The register that is written, if one is.
    pub(super) fn def(&self) -> Option<V> {
        if let Some(regs) = &self.regs
            && regs.result.is_some()
        {
            return regs.result;
        }
        self.op.row().operands.iter().find_map(|o| match o.kind {
            OperandKind::Out(_) | OperandKind::InOut(_) => Some(self.at(o.place)),
            _ => None,
        })
    }

    /// Every register, to be renamed.
    pub(super) fn regs_mut(&mut self, mut visit: impl FnMut(&mut V)) {
        for operand in self.op.row().operands {
            if let OperandKind::In(_) | OperandKind::Out(_) | OperandKind::InOut(_) = operand.kind
                && let Some(v) = self.at_mut(operand.place)
            {
                visit(v);
            }
        }
        if let Some(regs) = &mut self.regs {
            regs.args.iter_mut().for_each(&mut visit);
            regs.result.iter_mut().for_each(visit);
        }
    }

    /// The block it may jump to.
    pub(super) fn target(&self) -> Option<BlockId> {
        is_jump(self.op).then_some(self.imm as BlockId)
    }
}

/// Whether the row names a block.
pub(super) fn is_jump(op: Op) -> bool {
    op.operand(Place::Imm) == Some(OperandKind::Jump)
}

/// Whether it copies a register and does nothing else.
pub(super) fn is_mov(op: Op) -> bool {
    matches!(
        op,
        Op::MovI64 | Op::MovF64 | Op::MovBool | Op::MovRef | Op::MovAny
    )
}

/// The move of a class.
pub(super) fn mov_op(class: Class) -> Op {
    match class {
        Class::I64 => Op::MovI64,
        Class::F64 => Op::MovF64,
        Class::Bool => Op::MovBool,
        Class::Ref => Op::MovRef,
        Class::Any => Op::MovAny,
    }
}

impl Body {
    /// A new virtual register.
    pub(super) fn reg(&mut self, class: Class) -> V {
        self.classes.push(class);
        (self.classes.len() - 1) as V
    }

    pub(super) fn block(&self, block: BlockId) -> &Block {
        &self.blocks[block as usize]
    }

    pub(super) fn block_mut(&mut self, block: BlockId) -> &mut Block {
        &mut self.blocks[block as usize]
    }

    /// The number of instructions.
    pub(super) fn size(&self) -> usize {
        self.order.iter().map(|b| self.block(*b).insts.len()).sum()
    }

    /// The blocks that may follow a block without an error: the jump's target first.
    pub(super) fn follows(&self, block: BlockId) -> [Option<BlockId>; 2] {
        let block = self.block(block);
        [block.insts.last().and_then(Inst::target), block.next]
    }

    /// The same, and where its errors continue.
    pub(super) fn successors(&self, block: BlockId) -> impl Iterator<Item = BlockId> + use<> {
        let handler = self.block(block).handler;
        let target = handler.map(|h| self.handlers[h as usize].target);
        self.follows(block).into_iter().chain([target]).flatten()
    }

    /// The register that a block receives as the target of a handler.
    pub(super) fn caught(&self, block: BlockId) -> Option<V> {
        let handler = self.handlers.iter().find(|h| h.target == block);
        handler.map(|h| h.reg)
    }

    /// How often each register is written: parameters and caught errors count.
    pub(super) fn definitions(&self) -> Vec<u32> {
        let mut count = vec![0; self.classes.len()];
        self.params.iter().for_each(|p| count[*p as usize] += 1);
        for handler in &self.handlers {
            count[handler.reg as usize] += 1;
        }
        for block in &self.order {
            for inst in &self.block(*block).insts {
                if let Some(def) = inst.def() {
                    count[def as usize] += 1;
                }
            }
        }
        count
    }
}
