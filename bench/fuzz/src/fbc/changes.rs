//! Changes to a module in memory: code words, registers, ids, tables, constants. Must stay true: a change is drawn from the
//! random source alone; `Nothing` leaves the meaning of a program as it is.

use flin_bytecode::{
    Catch, Class, Const, ConstId, FieldNo, FuncId, Function, GlobalId, Instr, Module, Op,
    Signature, TypeDesc, TypeId,
};
use flin_testkit::rng::Rng;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Something that means nothing: unused entries and registers.
    Nothing,
    /// Lines of the source; a program sees them in the place and trace of an error.
    Places,
    /// Bits and operands of instruction words, or words of other functions.
    Words,
    /// An immediate that is an id, moved a little.
    Ids,
    /// Classes and number of registers.
    Registers,
    /// Parameters, results, captures, closure flags, caught ranges.
    Functions,
    /// Constants.
    Constants,
    /// Types, shapes, globals, signatures of calls.
    Types,
    /// Entities and their fields.
    Entities,
    /// Which function is called from where: entry points, pages, handlers, routes.
    Doors,
    /// Bytes of the file, checksums repaired.
    RepairedBytes,
    /// Bytes of the file.
    Bytes,
}

impl Change {
    pub(crate) const ALL: [Change; 12] = [
        Change::Nothing,
        Change::Places,
        Change::Words,
        Change::Ids,
        Change::Registers,
        Change::Functions,
        Change::Constants,
        Change::Types,
        Change::Entities,
        Change::Doors,
        Change::RepairedBytes,
        Change::Bytes,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Change::Nothing => "a change that means nothing",
            Change::Places => "changed places",
            Change::Words => "changed words",
            Change::Ids => "a changed id",
            Change::Registers => "changed registers",
            Change::Functions => "a changed function",
            Change::Constants => "a changed constant",
            Change::Types => "a changed type",
            Change::Entities => "a changed entity",
            Change::Doors => "a changed door",
            Change::RepairedBytes => "changed bytes with right checksums",
            Change::Bytes => "damaged bytes",
        }
    }
}

/// Changes a module in memory.
pub(crate) fn apply(change: Change, module: &mut Module, rng: &mut Rng) {
    for _ in 0..1 + rng.below(2) {
        match change {
            Change::Nothing => nothing(module, rng),
            Change::Places => own_function(module, rng)
                .lines
                .iter_mut()
                .for_each(|(_, line, _)| *line += 1),
            Change::Words => words(module, rng),
            Change::Ids => ids(module, rng),
            Change::Registers => registers(module, rng),
            Change::Functions => functions(module, rng),
            Change::Constants => constants(module, rng),
            Change::Types => types(module, rng),
            Change::Entities => entities(module, rng),
            Change::Doors => doors(module, rng),
            Change::RepairedBytes | Change::Bytes => {}
        }
    }
}

fn nothing(module: &mut Module, rng: &mut Rng) {
    match rng.below(5) {
        0 => module.constants.push(Const::Text("unused".to_owned())),
        1 => module.types.push(TypeDesc::List(TypeId(0), Class::Any)),
        2 => {
            // A register that nothing names.
            let function = own_function(module, rng);
            if function.ref_regs.len() < 250 {
                function.ref_regs.push(Class::Any);
            }
        }
        3 => {
            let function = own_function(module, rng);
            if function.scalar_regs.len() < 250 {
                function.scalar_regs.push(Class::F64);
            }
        }
        _ => module.signatures.push(Signature {
            params: vec![Class::Bool],
            result: None,
        }),
    }
}

/// A function of the module. (There is always one.)
fn own_function<'m>(module: &'m mut Module, rng: &mut Rng) -> &'m mut Function {
    let at = rng.below(module.functions.len());
    &mut module.functions[at]
}

fn words(module: &mut Module, rng: &mut Rng) {
    let donor = rng.pick(&module.functions).code.clone();
    let function = own_function(module, rng);
    let most = function.scalar_regs.len().max(function.ref_regs.len());
    let register = rng.below(most.clamp(1, 256)) as u64;
    let at = rng.below(function.code.len());
    let word = function.code[at];
    let other = *rng.pick(&function.code);
    function.code[at] = match rng.below(12) {
        0 => word ^ (1 << rng.below(64)),
        1 => (word & !0xffff) | rng.below(Op::COUNT + 1) as u64,
        2 => (word & !0x00ff_0000) | (register << 16),
        3 => (word & !0xff00_0000) | (register << 24),
        4 => (word & !(0xff << 32)) | (register << 32),
        5 => *rng.pick(&donor),
        6 => other,
        7..11 => sibling(word, rng),
        _ => {
            let next = (at + 1) % function.code.len();
            function.code.swap(at, next);
            return;
        }
    };
}

/// The word with another operation that has the same kinds of operands.
fn sibling(word: u64, rng: &mut Rng) -> u64 {
    let Ok(instr) = Instr::decode(word) else {
        return word;
    };
    let like = |op: &&Op| op.row().operands == instr.op.row().operands;
    let siblings: Vec<&Op> = Op::ALL.iter().filter(like).collect();
    (word & !0xffff) | u64::from(rng.pick(&siblings).number())
}

/// Moves the immediate of an instruction by a little, so that it is still likely to name something.
fn ids(module: &mut Module, rng: &mut Rng) {
    let function = own_function(module, rng);
    let at = rng.below(function.code.len());
    let Ok(mut instr) = Instr::decode(function.code[at]) else {
        return;
    };
    let step = rng.below(7) as i32 - 3;
    instr.imm = match rng.below(8) {
        0 => FieldNo::LOWEST.0 - 1,
        1 => instr.imm.wrapping_neg(),
        _ => instr.imm.wrapping_add(step),
    };
    if let Some(word) = encoded(instr) {
        function.code[at] = word;
    }
}

/// The word of an instruction, if its immediate fits.
fn encoded(instr: Instr) -> Option<u64> {
    let fits = !instr.op.is_narrow() || (-(1 << 23)..1 << 23).contains(&instr.imm);
    fits.then(|| instr.encode())
}

fn registers(module: &mut Module, rng: &mut Rng) {
    let function = own_function(module, rng);
    let is_scalar = rng.one_in(2);
    let regs = if is_scalar {
        &mut function.scalar_regs
    } else {
        &mut function.ref_regs
    };
    if regs.is_empty() {
        regs.push(*rng.pick(&Class::ALL));
        return;
    }
    let at = rng.below(regs.len());
    match rng.below(5) {
        0 => regs.truncate(at),
        1 => regs.swap(at, 0),
        2 => regs.resize(300, regs[at]),
        _ => regs[at] = *rng.pick(&Class::ALL),
    }
}

fn functions(module: &mut Module, rng: &mut Rng) {
    let function = own_function(module, rng);
    let class = *rng.pick(&Class::ALL);
    match rng.below(9) {
        0 => function.signature.params.push(class),
        1 => drop(function.signature.params.pop()),
        2 => function.signature.params.reverse(),
        3 => function.signature.result = Some(class),
        4 => function.signature.result = None,
        5 => function.is_closure = !function.is_closure,
        6 => function.captures.push(class),
        7 => {
            let count = function.code.len();
            let mut place = || rng.below(count + 1) as u32;
            let (start, end, target, reg) = (place(), place(), place(), place() as u16 % 4);
            let catch = Catch {
                start,
                end,
                target,
                reg,
            };
            function.catches.insert(0, catch);
        }
        _ => {
            let at = rng.below(module.functions.len());
            let to = rng.below(module.functions.len());
            module.functions.swap(at, to);
        }
    }
}

fn constants(module: &mut Module, rng: &mut Rng) {
    if module.constants.is_empty() {
        return;
    }
    let at = rng.below(module.constants.len());
    module.constants[at] = match rng.below(6) {
        0 => Const::Int(rng.bits() as i64),
        1 => Const::Float(f64::from_bits(rng.bits() | 1 << 62)),
        2 => Const::Text("\u{1F600}<&\"'\0%s{}".repeat(1 + rng.below(300))),
        3 => Const::Text(String::new()),
        4 => rng.pick(&module.constants).clone(),
        _ => return module.constants.truncate(at),
    };
}

fn types(module: &mut Module, rng: &mut Rng) {
    let class = *rng.pick(&Class::ALL);
    let ty = TypeId(rng.below(module.types.len() + 1) as u32);
    match rng.below(7) {
        0 if !module.types.is_empty() => {
            let at = rng.below(module.types.len());
            module.types[at] = match rng.below(6) {
                0 => TypeDesc::Optional(ty),
                1 => TypeDesc::List(ty, class),
                2 => TypeDesc::Union(vec![ty, TypeId(0)]),
                3 => TypeDesc::Map(ty),
                4 => TypeDesc::Tuple(vec![ty; 3]),
                _ => rng.pick(&module.types).clone(),
            };
        }
        1 if !module.shapes.is_empty() => {
            let at = rng.below(module.shapes.len());
            let other = rng.pick(&module.shapes).clone();
            module.shapes[at] = other;
        }
        2 if !module.shapes.is_empty() => {
            let at = rng.below(module.shapes.len());
            let fields = &mut module.shapes[at].fields;
            match fields.first_mut() {
                Some((name, _)) if rng.one_in(2) => *name = ConstId(name.0 + 1),
                Some((_, of)) => *of = class,
                None => fields.push((ConstId(0), class)),
            }
        }
        3 if !module.signatures.is_empty() => {
            let at = rng.below(module.signatures.len());
            module.signatures[at].params.push(class);
        }
        4 if !module.signatures.is_empty() => {
            let at = rng.below(module.signatures.len());
            module.signatures[at].result = Some(class);
        }
        5 if !module.globals.is_empty() => {
            let at = rng.below(module.globals.len());
            module.globals[at].ty = ty;
        }
        _ if !module.globals.is_empty() => {
            let at = rng.below(module.globals.len());
            module.globals[at].class = class;
        }
        _ => module.types.truncate(ty.index()),
    }
}

fn entities(module: &mut Module, rng: &mut Rng) {
    if module.entities.is_empty() {
        return types(module, rng);
    }
    let ty = TypeId(rng.below(module.types.len() + 1) as u32);
    let func = FuncId(rng.below(module.functions.len() + 1) as u32);
    let at = rng.below(module.entities.len());
    let entity = &mut module.entities[at];
    if entity.fields.is_empty() || rng.one_in(8) {
        module.entities.remove(at);
        return;
    }
    let at = rng.below(entity.fields.len());
    let field = &mut entity.fields[at];
    match rng.below(7) {
        0 | 1 => field.ty = ty,
        2 => field.optional = !field.optional,
        3 => field.default = Some(func),
        4 => field.checks.push(func),
        5 => field.rules.clear(),
        _ => drop(entity.fields.remove(at)),
    }
}

fn doors(module: &mut Module, rng: &mut Rng) {
    let func = FuncId(rng.below(module.functions.len() + 1) as u32);
    let page = rng.below(module.pages.len().max(1));
    match (rng.below(6), module.pages.get_mut(page)) {
        (0, Some(page)) => page.view = func,
        (1, Some(page)) if !page.handlers.is_empty() => {
            let at = rng.below(page.handlers.len());
            page.handlers[at].func = func;
        }
        (2, Some(page)) if !page.variables.is_empty() => {
            let at = rng.below(page.variables.len());
            page.variables[at].init = func;
        }
        (3, Some(page)) if !page.variables.is_empty() => {
            let at = rng.below(page.variables.len());
            page.variables[at].global = GlobalId(rng.below(9) as u32);
        }
        (4, Some(page)) => drop(page.handlers.pop()),
        (0 | 1, None) => module.const_init = Some(func),
        (2, None) if !module.routes.is_empty() => {
            let at = rng.below(module.routes.len());
            module.routes[at].func = func;
        }
        _ => module.main = Some(func),
    }
}
