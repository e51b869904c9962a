//! The order in which functions are optimised: called ones first, and which of them call each other in a circle. Here
//! because inlining takes what is done already and never what may come back. Must stay true: a function that makes a
//! closure counts as its caller; time is linear.

use flin_bytecode::{Function, Instr, Module, Op};

/// Functions in order, and whether each may call itself, through others or directly.
pub(super) struct Circles {
    pub(super) order: Vec<u32>,
    pub(super) returns: Vec<bool>,
}

impl Circles {
    pub(super) fn of(module: &Module) -> Circles {
        let calls: Vec<Vec<u32>> = module.functions.iter().map(called).collect();
        let count = calls.len();
        let mut search = Search {
            calls: &calls,
            number: vec![0; count],
            lowest: vec![0; count],
            next: 1,
            open: Vec::new(),
            closed: vec![false; count],
            found: Circles {
                order: Vec::new(),
                returns: vec![false; count],
            },
        };
        for func in 0..count as u32 {
            if search.number[func as usize] == 0 {
                search.from(func);
            }
        }
        search.found
    }
}

fn called(function: &Function) -> Vec<u32> {
    let code = function
        .code
        .iter()
        .filter_map(|word| Instr::decode(*word).ok());
    let calls = code.filter(|instr| matches!(instr.op, Op::Call | Op::CallWith | Op::ClosureNew));
    let mut found: Vec<u32> = calls.map(|instr| instr.imm as u32).collect();
    found.extend(function.entries.iter().map(|entry| entry.0));
    found.sort_unstable();
    found.dedup();
    found
}

/// Depth-first search for strongly connected functions.
struct Search<'c> {
    calls: &'c [Vec<u32>],
    /// When each was met, from 1; 0 for not yet.
    number: Vec<u32>,
    lowest: Vec<u32>,
    next: u32,
    open: Vec<u32>,
    closed: Vec<bool>,
    found: Circles,
}

impl Search<'_> {
    fn from(&mut self, root: u32) {
        let mut path = vec![(self.meet(root), 0)];
        while let Some((func, at)) = path.last_mut() {
            let func = *func;
            if let Some(&callee) = self.calls[func as usize].get(*at) {
                *at += 1;
                if self.number[callee as usize] == 0 {
                    path.push((self.meet(callee), 0));
                } else if !self.closed[callee as usize] {
                    let low = self.number[callee as usize];
                    self.lowest[func as usize] = self.lowest[func as usize].min(low);
                }
                continue;
            }
            path.pop();
            let low = self.lowest[func as usize];
            if let Some((caller, _)) = path.last() {
                self.lowest[*caller as usize] = self.lowest[*caller as usize].min(low);
            }
            if low == self.number[func as usize] {
                self.close(func);
            }
        }
    }

    fn meet(&mut self, func: u32) -> u32 {
        self.number[func as usize] = self.next;
        self.lowest[func as usize] = self.next;
        self.next += 1;
        self.open.push(func);
        func
    }

    /// All that was met since `func` and is still open is one circle.
    fn close(&mut self, func: u32) {
        let itself = self.calls[func as usize].binary_search(&func).is_ok();
        let circle = itself || self.open.last() != Some(&func);
        while let Some(member) = self.open.pop() {
            self.closed[member as usize] = true;
            self.found.returns[member as usize] = circle;
            self.found.order.push(member);
            if member == func {
                break;
            }
        }
    }
}
