//! The instructions of a block as statements of JavaScript: values that are used once become part of what uses them. Here
//! because bytecode has a register per value and people do not read that. Must stay true: what may raise, call or look at
//! changeable things happens in the order of the instructions; a value moves past an assignment only if it does not read
//! the variable.

use std::collections::HashMap;
use std::fmt::Write as _;

use flin_bytecode::arguments::ITEMS;
use flin_bytecode::{Class, Const, Function, Instr, LibId, Module, Op, OperandKind, Place};

use super::flow::{BlockId, Flow};
use super::letters::{
    closure_call, float_literal, is_tight, letter, literal, places, pushed_class,
};
use super::ops::{Form, Order, ScriptForm, form};
use super::rows::{Row, row};
use super::structure::Body;
use super::tree::{At, Condition, Stmt, Text};
use super::variables::{Slots, Var, Variables};

/// Constants up to this length are written where they are used, also if that is several times.
const SHORT_MAX: usize = 24;

/// Names of what stands at the top of the JavaScript module.
pub(super) struct Names {
    /// By function.
    pub(super) functions: Vec<String>,
    /// By global.
    pub(super) globals: Vec<String>,
}

/// A value that waits for its use.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    /// Its opposite, of a condition that has one.
    opposite: Option<String>,
    /// Needs no parentheses anywhere.
    tight: bool,
    order: Order,
    reads: Vec<Var>,
}

impl Piece {
    fn name(text: String, var: Var) -> Piece {
        Piece {
            text,
            opposite: None,
            tight: true,
            order: Order::Local,
            reads: vec![var],
        }
    }

    fn closed(&self) -> String {
        if self.tight {
            self.text.clone()
        } else {
            format!("({})", self.text)
        }
    }
}

/// A list, record or closure whose contents are still coming.
#[derive(Clone, Debug)]
struct Making {
    head: String,
    items: Vec<String>,
    class: Option<Class>,
    room: usize,
}

struct Waiting {
    var: Var,
    piece: Piece,
    making: Option<Making>,
    uses_left: usize,
}

/// Writes the blocks of one function.
pub(super) struct Coder<'m> {
    pub(super) module: &'m Module,
    pub(super) function: &'m Function,
    pub(super) flow: &'m Flow,
    pub(super) variables: &'m Variables,
    pub(super) names: &'m Names,
    pub(super) locals: &'m [String],
    /// Values that are written wherever they are used.
    known: HashMap<Var, Piece>,
    waiting: Vec<Waiting>,
    stmts: Vec<Stmt>,
    at: At,
    /// By instruction: whether it writes a part of a value of the view.
    inside: Vec<bool>,
}

impl<'m> Coder<'m> {
    pub(super) fn new(
        module: &'m Module,
        function: &'m Function,
        flow: &'m Flow,
        variables: &'m Variables,
        names: &'m Names,
        locals: &'m [String],
    ) -> Coder<'m> {
        Coder {
            module,
            function,
            flow,
            variables,
            names,
            locals,
            known: HashMap::new(),
            waiting: Vec::new(),
            stmts: Vec::new(),
            at: (0, 0),
            inside: flow.inside_of_values(),
        }
    }

    /// Finds values that are the same everywhere: short constants, and copies of what never changes.
    pub(super) fn find_known(&mut self) {
        for (pc, instr) in self.flow.code.iter().enumerate() {
            let Some(var) = self.variables.writes[pc] else {
                continue;
            };
            if self.variables.all[var].defs != 1 {
                continue;
            }
            if let Form::Value(Order::Const, template) = form(instr.op) {
                let piece = self.filled(*instr, pc, template, &[], Order::Const);
                if piece.text.len() <= SHORT_MAX {
                    self.known.insert(var, piece);
                }
            }
        }
    }

    /// The statements of a block.
    pub(super) fn block(&mut self, block: BlockId) -> Body {
        let range = self.flow.blocks[block].start as usize..self.flow.blocks[block].end as usize;
        let mut condition = None;
        for pc in range.clone() {
            let (line, column, _) = self.function.place_of(pc as u32);
            self.at = (line, column);
            condition = self.instruction(pc, block);
        }
        while !self.waiting.is_empty() {
            self.settle(0);
        }
        Body {
            stmts: std::mem::take(&mut self.stmts),
            condition,
            at: self.at,
        }
    }

    fn instruction(&mut self, pc: usize, block: BlockId) -> Option<Condition> {
        let instr = self.flow.code[pc];
        match form(instr.op) {
            Form::Value(Order::Const, _)
                if self.variables.writes[pc].is_some_and(|v| self.known.contains_key(&v)) => {}
            Form::Value(order, template) => {
                let places = places(template);
                let pieces = self.take(&self.operands(instr, pc, &places));
                let mut piece = self.filled(instr, pc, template, &pieces, order);
                piece.opposite = opposite(instr.op, &pieces);
                self.define(pc, block, piece);
            }
            Form::Effect(template) => self.effect(instr, pc, template),
            Form::Branch(yes, no) => return Some(self.condition(instr, pc, yes, no)),
            Form::Step => return Some(self.step(pc)),
            Form::Jump => {}
            Form::Raise(template) => {
                let pieces = self.take(&self.operands(instr, pc, &places(template)));
                let piece = self.filled(instr, pc, template, &pieces, Order::Exact);
                self.settle_exact();
                self.stmts.push(Stmt::Raise(text_of(piece), self.at));
            }
            Form::Return => {
                let vars = self.variables.reads[pc].clone();
                let pieces = self.take(&vars);
                let inner = pieces.first().map_or(String::new(), |p| p.text.clone());
                let reads = pieces.into_iter().flat_map(|p| p.reads).collect();
                self.settle_exact();
                let text = Text {
                    text: format!("leave({inner})"),
                    vars: reads,
                };
                self.stmts.push(Stmt::Return(Some(text), self.at));
            }
            Form::New => self.begin(instr, pc, block),
            Form::Fill(template) => self.fill(instr, pc, template),
            Form::Call => self.call(instr, pc, block),
            Form::Join => {
                let vars = self.variables.reads[pc].clone();
                let pieces = self.take(&vars);
                let closed: Vec<String> = pieces.iter().map(Piece::closed).collect();
                let text = if closed.is_empty() {
                    "\"\"".to_owned()
                } else {
                    closed.join(" + ")
                };
                let piece = joined(text, closed.len() < 2, Order::Local, &pieces);
                self.define(pc, block, piece);
            }
            Form::Far => {
                let vars = self.variables.reads[pc].clone();
                let pieces = self.take(&vars);
                self.define(pc, block, pieces[0].clone());
            }
            Form::Markup => {
                if self.inside[pc] {
                    self.effect(instr, pc, "view_raw($text)");
                }
            }
            Form::Captured(name) => {
                let vars = self.variables.reads[pc].clone();
                let pieces = self.take(&vars);
                let values: Vec<&str> = pieces.iter().map(|p| p.text.as_str()).collect();
                let text = format!("{name}({}, [{}])", instr.imm, values.join(", "));
                self.perform(joined(text, true, Order::Exact, &pieces));
            }
            Form::Nothing => {
                let vars = self.variables.reads[pc].clone();
                self.take(&vars);
            }
            Form::Script(ScriptForm::Value(template)) => {
                let piece = self.filled(instr, pc, template, &[], Order::Exact);
                self.define(pc, block, piece);
            }
            Form::Script(ScriptForm::Effect(template)) => self.effect(instr, pc, template),
            Form::Server(reason) => self.server(pc, block, reason),
        }
        None
    }

    /// What only the server can do.
    fn server(&mut self, pc: usize, block: BlockId, reason: &str) {
        let vars = self.variables.reads[pc].clone();
        self.take(&vars);
        let piece = Piece {
            text: format!("give_up({})", literal(reason)),
            opposite: None,
            tight: true,
            order: Order::Exact,
            reads: Vec::new(),
        };
        if self.variables.writes[pc].is_some() {
            self.define(pc, block, piece);
        } else {
            self.perform(piece);
        }
    }

    fn effect(&mut self, instr: Instr, pc: usize, template: &str) {
        let pieces = self.take(&self.operands(instr, pc, &places(template)));
        let piece = self.filled(instr, pc, template, &pieces, Order::Exact);
        self.perform(piece);
    }

    fn perform(&mut self, piece: Piece) {
        self.settle_exact();
        // An assignment of a variable at the top of the module changes what others may still read.
        self.stmts.push(Stmt::Do(text_of(piece), self.at));
    }

    fn condition(&mut self, instr: Instr, pc: usize, yes: &str, no: &str) -> Condition {
        let pieces = self.take(&self.operands(instr, pc, &places("$a$b")));
        self.settle_exact();
        let reads = pieces.iter().flat_map(|p| p.reads.clone()).collect();
        let fill = |template: &str| match (template, pieces.as_slice()) {
            ("!%a", [one]) => one
                .opposite
                .clone()
                .unwrap_or_else(|| format!("!{}", one.closed())),
            (template, pieces) => self.filled(instr, pc, template, pieces, Order::Exact).text,
        };
        let (yes, no) = (fill(yes), fill(no));
        Condition {
            yes,
            no,
            vars: reads,
        }
    }

    fn step(&mut self, pc: usize) -> Condition {
        let vars = self.variables.reads[pc].clone();
        let counter = vars[0];
        let end = self.take(&vars[1..]).remove(0);
        self.settle_exact();
        self.settle_readers(counter);
        let name = self.locals[counter].clone();
        let text = Text {
            text: format!("{name} + 1"),
            vars: vec![counter],
        };
        self.stmts.push(Stmt::Set(counter, text, self.at));
        let mut reads = end.reads.clone();
        reads.push(counter);
        Condition {
            yes: format!("{name} < {}", end.closed()),
            no: format!("{name} >= {}", end.closed()),
            vars: reads,
        }
    }

    /// Variables read at places of the instruction, in the order of the places.
    fn operands(&self, instr: Instr, pc: usize, wanted: &[Place]) -> Vec<Var> {
        let reading =
            instr.op.row().operands.iter().filter(|operand| {
                matches!(operand.kind, OperandKind::In(_) | OperandKind::InOut(_))
            });
        let by_place: Vec<(Place, Var)> = reading
            .map(|operand| operand.place)
            .zip(self.variables.reads[pc].iter().copied())
            .collect();
        let var_at = |place: &Place| by_place.iter().find(|(at, _)| at == place).map(|(_, v)| *v);
        wanted.iter().filter_map(var_at).collect()
    }

    /// The values of variables that are used now, in the order in which they will stand in the code.
    fn take(&mut self, vars: &[Var]) -> Vec<Piece> {
        let is_taken = |waiting: &Waiting| vars.contains(&waiting.var) && waiting.uses_left == 1;
        // Those with an order of their own must be the newest, in the same order.
        let exact: Vec<Var> = (self.waiting.iter())
            .filter(|w| w.piece.order == Order::Exact)
            .map(|w| w.var)
            .collect();
        let taken: Vec<Var> = vars
            .iter()
            .copied()
            .filter(|var| {
                exact.contains(var) && self.waiting.iter().any(|w| w.var == *var && is_taken(w))
            })
            .collect();
        if !exact.ends_with(&taken) {
            self.settle_exact();
        }
        vars.iter().map(|var| self.take_one(*var)).collect()
    }

    fn take_one(&mut self, var: Var) -> Piece {
        if let Some(known) = self.known.get(&var) {
            return known.clone();
        }
        if let Some(at) = self.waiting.iter().position(|w| w.var == var) {
            if self.waiting[at].uses_left == 1 {
                let waiting = self.waiting.remove(at);
                return made(waiting);
            }
            if self.waiting[at].piece.order == Order::Exact {
                self.settle_exact();
            } else {
                self.settle(at);
            }
        }
        Piece::name(self.locals[var].clone(), var)
    }

    /// A waiting value becomes a variable of its own.
    fn settle(&mut self, at: usize) {
        let waiting = self.waiting.remove(at);
        let var = waiting.var;
        let text = text_of(made(waiting));
        self.stmts.push(Stmt::Set(var, text, self.at));
    }

    /// All that has an order of its own happens now.
    fn settle_exact(&mut self) {
        while let Some(at) = (self.waiting.iter()).position(|w| w.piece.order == Order::Exact) {
            self.settle(at);
        }
    }

    /// What reads a variable is computed before it changes.
    fn settle_readers(&mut self, var: Var) {
        while let Some(at) = (self.waiting.iter()).position(|w| w.piece.reads.contains(&var)) {
            if self.waiting[at].piece.order == Order::Exact {
                self.settle_exact();
            } else {
                self.settle(at);
            }
        }
    }

    /// Whether a value can wait for its one use.
    fn can_wait(&self, var: Var, block: BlockId) -> bool {
        let variable = &self.variables.all[var];
        let carried = self.variables.live.get(&block);
        variable.defs == 1
            && variable.uses == 1
            && variable.home == Some(block)
            && !carried.is_some_and(|live| live.contains(&var))
    }

    fn define(&mut self, pc: usize, block: BlockId, piece: Piece) {
        let Some(var) = self.variables.writes[pc] else {
            return self.perform(piece);
        };
        let variable = &self.variables.all[var];
        if variable.uses == 0 {
            if piece.order == Order::Exact {
                self.perform(piece);
            }
            return;
        }
        if self.can_wait(var, block) {
            self.waiting.push(Waiting {
                var,
                piece,
                making: None,
                uses_left: 1,
            });
            return;
        }
        // A copy of what never changes is that.
        if let ([from], true) = (piece.reads.as_slice(), variable.defs == 1)
            && self.variables.all[*from].defs == 1
            && piece.text == self.locals[*from]
        {
            self.known.insert(var, piece);
            return;
        }
        self.settle_exact();
        self.settle_readers(var);
        if piece.text != self.locals[var] {
            self.stmts.push(Stmt::Set(var, text_of(piece), self.at));
        }
    }

    /// Begins a list, record or closure.
    fn begin(&mut self, instr: Instr, pc: usize, block: BlockId) {
        let Some(var) = self.variables.writes[pc] else {
            return;
        };
        let (head, class, room) = match instr.op {
            Op::ListNew => {
                let class = Class::from_u8(instr.b).unwrap_or(Class::Any);
                (
                    format!("list(\"{}\"", letter(class)),
                    Some(class),
                    usize::MAX,
                )
            }
            Op::RecordNew => {
                let fields = self.module.shapes[instr.imm as usize].fields.len();
                (format!("record(S{}", instr.imm), None, fields)
            }
            _ => {
                let function = instr.imm as usize;
                let room = self.module.functions[function].captures.len();
                (
                    format!("closure({}$", self.names.functions[function]),
                    None,
                    room,
                )
            }
        };
        let waiting = Waiting {
            var,
            piece: Piece {
                text: String::new(),
                opposite: None,
                tight: true,
                order: Order::Local,
                reads: Vec::new(),
            },
            making: Some(Making {
                head,
                items: Vec::new(),
                class,
                room,
            }),
            uses_left: self.variables.all[var].uses,
        };
        let variable = &self.variables.all[var];
        if variable.uses == 0 {
            return;
        }
        if variable.defs == 1 {
            let carried = self.variables.live.get(&block);
            if !carried.is_some_and(|live| live.contains(&var)) {
                self.waiting.push(waiting);
                return;
            }
        }
        self.settle_exact();
        self.settle_readers(var);
        let text = text_of(made(waiting));
        self.stmts.push(Stmt::Set(var, text, self.at));
    }

    /// Puts a value into what is being made, or into what is there.
    fn fill(&mut self, instr: Instr, pc: usize, template: &str) {
        let (target, value, slot) = match instr.op.row().operands {
            [first, ..]
                if first.kind == OperandKind::In(Class::Ref)
                    && first.place == Place::A
                    && instr.op.operand(Place::C).is_none() =>
            {
                let reads = &self.variables.reads[pc];
                let slot = match instr.op.operand(Place::Imm) {
                    Some(OperandKind::Slot) => Some(instr.imm as usize),
                    _ => None,
                };
                (reads[0], reads[1], slot)
            }
            _ => {
                let reads = &self.variables.reads[pc];
                (reads[1], reads[0], Some(usize::from(instr.c)))
            }
        };
        if target != value && self.absorb(instr, target, value, slot) {
            return;
        }
        self.effect(instr, pc, template);
    }

    fn absorb(&mut self, instr: Instr, target: Var, value: Var, slot: Option<usize>) -> bool {
        let Some(at) = self.waiting.iter().position(|w| w.var == target) else {
            return false;
        };
        let Some(making) = &self.waiting[at].making else {
            return false;
        };
        let next = making.items.len();
        let fits = match (making.class, slot) {
            (Some(class), None) => pushed_class(instr.op) == Some(class),
            (None, Some(slot)) => slot == next && next < making.room,
            (Some(_), Some(_)) | (None, None) => false,
        };
        if !fits || self.waiting[at].uses_left < 2 {
            return false;
        }
        let exact: Vec<Var> = (self.waiting.iter())
            .filter(|w| w.piece.order == Order::Exact)
            .map(|w| w.var)
            .collect();
        let value_is_exact = exact.contains(&value);
        let target_is_exact = exact.contains(&target);
        let in_order = match (target_is_exact, value_is_exact) {
            (false, false) => true,
            (false, true) => exact.last() == Some(&value),
            (true, true) => exact.ends_with(&[target, value]),
            (true, false) => exact.last() == Some(&target),
        };
        let waits = self.waiting.iter().any(|w| w.var == value);
        let single = !waits
            || self
                .waiting
                .iter()
                .any(|w| w.var == value && w.uses_left == 1);
        if !in_order || !single {
            return false;
        }
        let piece = self.take_one(value);
        let at = self.waiting.iter().position(|w| w.var == target);
        let mut waiting = self.waiting.remove(at.expect("it waited a moment ago"));
        waiting.uses_left -= 1;
        waiting.piece.order = waiting.piece.order.max(piece.order);
        waiting.piece.reads.extend(piece.reads);
        if let Some(making) = &mut waiting.making {
            making.items.push(piece.text);
        }
        self.waiting.push(waiting);
        true
    }

    fn call(&mut self, instr: Instr, pc: usize, block: BlockId) {
        let slots = Slots {
            module: self.module,
            function: self.function,
        };
        let Some((signature, _)) = slots.called(instr) else {
            return;
        };
        let signature = signature.clone();
        if instr.op == Op::CallLib
            && let Row::Server(reason) = row(LibId(instr.imm as u16))
        {
            return self.server(pc, block, reason);
        }
        let vars = self.variables.reads[pc].clone();
        let pieces = self.take(&vars);
        let mut args: Vec<String> = pieces.iter().map(|p| p.text.clone()).collect();
        let at = self.at_text(pc);
        let text = match instr.op {
            Op::CallLib => {
                let Row::Js(name) = row(LibId(instr.imm as u16)) else {
                    return;
                };
                args.push(at);
                format!("{name}({})", args.join(", "))
            }
            Op::CallClosure => closure_call(&args, &signature, &at),
            _ => {
                let name = &self.names.functions[instr.imm as usize];
                args.push(at);
                format!("{name}({})", args.join(", "))
            }
        };
        let piece = joined(text, true, Order::Exact, &pieces);
        if signature.result.is_some() {
            self.define(pc, block, piece);
        } else {
            self.perform(piece);
        }
    }

    /// The place of an instruction, and whose argument it looks at, as `raise` understands it.
    fn at_text(&self, pc: usize) -> String {
        if self.function.from_prelude {
            return "\"\"".to_owned();
        }
        let (line, column, _) = self.function.place_of(pc as u32);
        let mut at = format!("{line}:{column}");
        if let Some((lib, parameter)) = self.function.argument_of(pc as u32)
            && !lib.row().name.starts_with("__")
            && let Some(name) = lib.scheme().names.get(parameter)
        {
            // The function that makes lists of what was given is called for an argument of another one.
            let _ = write!(at, " argument `{name}` of `{}`", lib.row().name);
        }
        debug_assert!(!ITEMS.is_empty());
        literal(&at)
    }

    /// A template with its operands, which are given in the order of their places.
    fn filled(
        &self,
        instr: Instr,
        pc: usize,
        template: &str,
        pieces: &[Piece],
        order: Order,
    ) -> Piece {
        let places = places(template);
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        let mut tight = is_tight(template);
        while let Some(at) = rest.find(['$', '%']) {
            text.push_str(&rest[..at]);
            let is_closed = rest[at..].starts_with('%');
            rest = &rest[at + 1..];
            let word: usize = rest
                .find(|c: char| !c.is_ascii_lowercase())
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(word);
            if word.is_empty() {
                text.push('%');
                continue;
            }
            let place = match word {
                "a" => Some(Place::A),
                "b" => Some(Place::B),
                "c" => Some(Place::C),
                _ => None,
            };
            match place {
                Some(place) => {
                    let nth = places.iter().position(|p| *p == place).unwrap_or_default();
                    let piece = &pieces[nth];
                    if template == "$b" || template == "$a" {
                        tight = piece.tight;
                    }
                    text.push_str(&if is_closed {
                        piece.closed()
                    } else {
                        piece.text.clone()
                    });
                }
                None => text.push_str(&self.immediate(instr, pc, word)),
            }
            rest = after;
        }
        text.push_str(rest);
        if text.starts_with('-') {
            tight = false;
        }
        joined(text, tight, order, pieces)
    }

    fn immediate(&self, instr: Instr, pc: usize, word: &str) -> String {
        let imm = instr.imm;
        match word {
            "at" => self.at_text(pc),
            "imm" => imm.to_string(),
            "bool" => (imm != 0).to_string(),
            "const" => self.constant(imm),
            "text" => self.constant(imm),
            "type" => format!("T{imm}"),
            "shape" => format!("S{imm}"),
            "slot" => instr.c.to_string(),
            "global" => self.names.globals[imm as usize].clone(),
            "number" => instr.b.to_string(),
            "named" => literal(&self.module.globals[imm as usize].name),
            "whole" => format!("T{}", self.module.globals[imm as usize].ty.0),
            other => panic!("a form has no word `{other}`"),
        }
    }

    fn constant(&self, id: i32) -> String {
        let Some(constant) = self.module.constants.get(id as usize) else {
            // A place in a style has no name of its own.
            return "\"\"".to_owned();
        };
        match constant {
            Const::Int(value) if value.unsigned_abs() < 1 << 53 => value.to_string(),
            Const::Int(_) => "beyond()".to_owned(),
            Const::Float(value) => float_literal(*value),
            Const::Text(text) => literal(text),
        }
    }
}

/// The opposite of a comparison.
fn opposite(op: Op, pieces: &[Piece]) -> Option<String> {
    let two = |sign: &str| {
        let [b, c] = pieces else { return None };
        Some(format!("{} {sign} {}", b.closed(), c.closed()))
    };
    match op {
        Op::EqI64 | Op::EqF64 | Op::EqBool => two("!=="),
        Op::LtI64 => two(">="),
        Op::LeI64 => two(">"),
        Op::NotBool => pieces.first().map(|p| p.text.clone()),
        Op::IsNoneRef | Op::IsNoneAny => pieces.first().map(|p| format!("{} !== null", p.closed())),
        Op::TruthyI64 | Op::TruthyF64 => pieces.first().map(|p| format!("{} === 0", p.closed())),
        Op::MovBool => pieces.first().and_then(|p| p.opposite.clone()),
        _ => None,
    }
}

fn joined(text: String, tight: bool, order: Order, pieces: &[Piece]) -> Piece {
    let order = pieces.iter().map(|p| p.order).fold(order, Order::max);
    Piece {
        text,
        opposite: None,
        tight,
        order,
        reads: pieces
            .iter()
            .flat_map(|p| p.reads.iter().copied())
            .collect(),
    }
}

fn made(waiting: Waiting) -> Piece {
    let Some(making) = waiting.making else {
        return waiting.piece;
    };
    let items = making.items.join(", ");
    Piece {
        text: format!("{}, [{items}])", making.head),
        ..waiting.piece
    }
}

fn text_of(piece: Piece) -> Text {
    Text {
        text: piece.text,
        vars: piece.reads,
    }
}
