//! Closures and cells that nobody sees any more once their functions are inlined: the cell becomes a plain register, the
//! closure goes. Here because they are why `xs.each(x => total += x)` should cost no more than a loop. Must stay true: a
//! cell that anything else may hold stays one.

use flin_bytecode::Op;

use super::body::{Body, Inst, V, mov_op};

/// Replaces what does not leave the function; whether there was any.
pub(super) fn escape(body: &mut Body) -> bool {
    let makes = |inst: &Inst| inst.op == Op::ClosureNew || is_cell_new(inst.op);
    if !body
        .order
        .iter()
        .any(|b| body.block(*b).insts.iter().any(makes))
    {
        return false;
    }
    let closures = remove_closures(body);
    let cells = open_cells(body);
    closures || cells
}

/// Registers with one definition, of a kind, and how often each is used otherwise than `allowed` says.
fn confined(body: &Body, makes: fn(Op) -> bool, allowed: fn(&Inst, V) -> bool) -> Vec<bool> {
    let definitions = body.definitions();
    let mut confined = vec![false; body.classes.len()];
    for inst in body.order.iter().flat_map(|b| &body.block(*b).insts) {
        if makes(inst.op) && definitions[inst.a as usize] == 1 {
            confined[inst.a as usize] = true;
        }
    }
    for inst in body.order.iter().flat_map(|b| &body.block(*b).insts) {
        inst.uses(|v| confined[v as usize] &= allowed(inst, v));
    }
    confined
}

fn remove_closures(body: &mut Body) -> bool {
    let fills = |inst: &Inst, v: V| is_capture_set(inst.op) && inst.a == v && inst.b != v;
    let gone = confined(body, |op| op == Op::ClosureNew, fills);
    if !gone.contains(&true) {
        return false;
    }
    for block in body.order.clone() {
        body.block_mut(block).insts.retain(|inst| {
            let concerned = inst.op == Op::ClosureNew || is_capture_set(inst.op);
            !(concerned && gone[inst.a as usize])
        });
    }
    true
}

fn open_cells(body: &mut Body) -> bool {
    let looks = |inst: &Inst, v: V| {
        is_cell_get(inst.op) && inst.b == v || is_cell_set(inst.op) && inst.b == v && inst.a != v
    };
    let open = confined(body, is_cell_new, looks);
    if !open.contains(&true) {
        return false;
    }
    let mut content: Vec<Option<V>> = vec![None; open.len()];
    for block in body.order.clone() {
        for at in 0..body.block(block).insts.len() {
            let inst = &body.block(block).insts[at];
            let (op, a, b) = (inst.op, inst.a, inst.b);
            let cell = match op {
                op if is_cell_new(op) => a,
                op if is_cell_get(op) || is_cell_set(op) => b,
                _ => continue,
            };
            let Some(class) = cell_class(op).filter(|_| open[cell as usize]) else {
                continue;
            };
            let value = match content[cell as usize] {
                Some(value) => value,
                None => {
                    let value = body.reg(class);
                    content[cell as usize] = Some(value);
                    value
                }
            };
            let (to, from) = match op {
                op if is_cell_new(op) => (value, b),
                op if is_cell_get(op) => (a, value),
                _ => (value, a),
            };
            let inst = &mut body.block_mut(block).insts[at];
            *inst = Inst {
                a: to,
                b: from,
                ..Inst::new(mov_op(class), inst.spot)
            };
        }
    }
    true
}

fn is_capture_set(op: Op) -> bool {
    matches!(
        op,
        Op::CaptureSetI64
            | Op::CaptureSetF64
            | Op::CaptureSetBool
            | Op::CaptureSetRef
            | Op::CaptureSetAny
    )
}

pub(super) fn is_cell_new(op: Op) -> bool {
    matches!(
        op,
        Op::CellNewI64 | Op::CellNewF64 | Op::CellNewBool | Op::CellNewRef | Op::CellNewAny
    )
}

fn is_cell_get(op: Op) -> bool {
    matches!(
        op,
        Op::CellGetI64 | Op::CellGetF64 | Op::CellGetBool | Op::CellGetRef | Op::CellGetAny
    )
}

fn is_cell_set(op: Op) -> bool {
    matches!(
        op,
        Op::CellSetI64 | Op::CellSetF64 | Op::CellSetBool | Op::CellSetRef | Op::CellSetAny
    )
}

/// The class of what the cell of an operation holds.
fn cell_class(op: Op) -> Option<flin_bytecode::Class> {
    use flin_bytecode::Class;
    match op {
        Op::CellNewI64 | Op::CellGetI64 | Op::CellSetI64 => Some(Class::I64),
        Op::CellNewF64 | Op::CellGetF64 | Op::CellSetF64 => Some(Class::F64),
        Op::CellNewBool | Op::CellGetBool | Op::CellSetBool => Some(Class::Bool),
        Op::CellNewRef | Op::CellGetRef | Op::CellSetRef => Some(Class::Ref),
        Op::CellNewAny | Op::CellGetAny | Op::CellSetAny => Some(Class::Any),
        _ => None,
    }
}
