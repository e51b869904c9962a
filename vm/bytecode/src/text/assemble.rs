//! Text to bytecode. Here because tests of the verifier and of both engines are written as text. Must stay true: it
//! reads what `disassemble` writes; it does not verify (so that wrong modules can be written, too).

use std::collections::HashMap;
use std::fmt;

use super::lines::Line;
use crate::class::{Bank, Class};
use crate::encode::{Instr, reg_pair};
use crate::ids::{EntityTypeId, FuncId, ShapeId, TypeId};
use crate::library::lookup;
use crate::module::{Catch, Function, Global, Inlined, Module, Shape, Signature, TypeDesc};
use crate::ops::{Op, OperandKind, Place};
use crate::pool::ModuleBuilder;

/// Why a text cannot be assembled, and in which line (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssembleError {
    /// The line, from 1.
    pub line: u32,
    /// Why.
    pub fault: AssembleFault,
}

/// Why a line cannot be assembled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssembleFault {
    /// Something else was expected.
    Expected {
        /// What.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// No operation has this mnemonic.
    UnknownOp {
        /// The word.
        mnemonic: String,
    },
    /// A label or function that is not defined.
    Undefined {
        /// Its name.
        name: String,
    },
    /// A number that its place cannot hold.
    DoesNotFit {
        /// The number.
        number: i64,
    },
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl std::error::Error for AssembleError {}

impl fmt::Display for AssembleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AssembleFault::Expected { expected, found } => {
                write!(f, "expected {expected}, found `{found}`")
            }
            AssembleFault::UnknownOp { mnemonic } => {
                write!(f, "there is no operation `{mnemonic}`")
            }
            AssembleFault::Undefined { name } => write!(f, "`{name}` is not defined"),
            AssembleFault::DoesNotFit { number } => write!(f, "{number} does not fit in its place"),
        }
    }
}

type Parsed<T> = Result<T, AssembleFault>;

/// The module that a text describes. Not verified.
pub fn assemble(text: &str) -> Result<Module, AssembleError> {
    let mut builder = ModuleBuilder::default();
    assemble_into(&mut builder, text)?;
    Ok(builder.module)
}

/// Adds the functions and tables of a text to a module under construction. Function numbers in the text count from the
/// start of the whole module; function names refer to functions of this text first.
pub fn assemble_into(builder: &mut ModuleBuilder, text: &str) -> Result<(), AssembleError> {
    let first = builder.module.functions.len();
    let mut assembler = Assembler {
        builder,
        names: HashMap::new(),
        current: None,
    };
    for header in text.lines().map(Line::new) {
        let mut header = header;
        if header.eat("function ") || header.eat("closure ") {
            let name = name_of(&mut header).unwrap_or_default();
            let id = FuncId((first + assembler.names.len()) as u32);
            assembler.names.entry(name).or_insert(id);
        }
    }
    for (at, line) in text.lines().enumerate() {
        assembler
            .line(Line::new(line))
            .map_err(|fault| AssembleError {
                line: at as u32 + 1,
                fault,
            })?;
    }
    match assembler.current {
        None => Ok(()),
        Some(_) => Err(AssembleError {
            line: text.lines().count() as u32,
            fault: expected("`}`", "the end of the text"),
        }),
    }
}

fn expected(expected: &'static str, found: &str) -> AssembleFault {
    AssembleFault::Expected {
        expected,
        found: found.to_owned(),
    }
}

/// A name: quoted, or a word.
fn name_of(line: &mut Line<'_>) -> Parsed<String> {
    if let Some(text) = line.text() {
        return Ok(text);
    }
    match line.word() {
        "" => Err(expected("a name", line.rest())),
        word => Ok(word.to_owned()),
    }
}

struct Current {
    function: Function,
    code: Vec<Instr>,
    labels: HashMap<String, u32>,
    jumps: Vec<(usize, String)>,
    catches: Vec<([String; 3], u16)>,
}

struct Assembler<'b> {
    builder: &'b mut ModuleBuilder,
    names: HashMap<String, FuncId>,
    current: Option<Current>,
}

impl Assembler<'_> {
    fn line(&mut self, mut line: Line<'_>) -> Parsed<()> {
        if line.is_end() {
            return Ok(());
        }
        match self.current.take() {
            None => self.outer(&mut line)?,
            Some(current) if line.eat("}") => self.finish(current)?,
            Some(mut current) => {
                self.inner(&mut current, &mut line)?;
                self.current = Some(current);
            }
        }
        if line.is_end() {
            Ok(())
        } else {
            Err(expected("the end of the line", line.rest()))
        }
    }

    fn outer(&mut self, line: &mut Line<'_>) -> Parsed<()> {
        match line.word() {
            word @ ("function" | "closure") => {
                let name = name_of(line)?;
                let signature = signature(line)?;
                if !line.eat("{") {
                    return Err(expected("`{`", line.rest()));
                }
                self.current = Some(Current::new(name, signature, word == "closure"));
                Ok(())
            }
            "main" => {
                self.builder.module.main = Some(self.func(line)?);
                Ok(())
            }
            "const_init" => {
                self.builder.module.const_init = Some(self.func(line)?);
                Ok(())
            }
            "global" => {
                let name = name_of(line)?;
                let class = class(line)?;
                let ty = if line.is_end() {
                    self.builder.type_desc(TypeDesc::Any)
                } else {
                    TypeId(id(line)?)
                };
                self.builder.global(Global { name, class, ty });
                Ok(())
            }
            "type" => {
                let desc = self.type_desc(line)?;
                self.builder.module.types.push(desc);
                Ok(())
            }
            word => Err(expected(
                "`function`, `closure`, `main`, `const_init`, `global` or `type`",
                word,
            )),
        }
    }

    fn type_desc(&mut self, line: &mut Line<'_>) -> Parsed<TypeDesc> {
        let ids = |line: &mut Line<'_>| -> Parsed<Vec<TypeId>> {
            let mut types = Vec::new();
            while !line.is_end() {
                types.push(TypeId(id(line)?));
            }
            Ok(types)
        };
        Ok(match line.word() {
            "any" => TypeDesc::Any,
            "none" => TypeDesc::None,
            "int" => TypeDesc::Int,
            "float" => TypeDesc::Float,
            "bool" => TypeDesc::Bool,
            "text" => TypeDesc::Text,
            "time" => TypeDesc::Time,
            "duration" => TypeDesc::Duration,
            "error" => TypeDesc::Error,
            "response" => TypeDesc::Response,
            "function" => TypeDesc::Function,
            "range" => TypeDesc::Range,
            "list" => TypeDesc::List(TypeId(id(line)?), class(line)?),
            "map" => TypeDesc::Map(TypeId(id(line)?)),
            "optional" => TypeDesc::Optional(TypeId(id(line)?)),
            "record" => TypeDesc::Record(self.shape(line)?, ids(line)?),
            "tuple" => TypeDesc::Tuple(ids(line)?),
            "union" => TypeDesc::Union(ids(line)?),
            "entity" => TypeDesc::Entity(EntityTypeId(id(line)?)),
            "query" => TypeDesc::Query(EntityTypeId(id(line)?)),
            "enum" => TypeDesc::Enum(id(line)?),
            word => return Err(expected("a type", word)),
        })
    }

    fn inner(&mut self, current: &mut Current, line: &mut Line<'_>) -> Parsed<()> {
        let mut ahead = *line;
        let label = ahead.take(|c| c.is_alphanumeric() || c == '_');
        if !label.is_empty() && ahead.eat(":") {
            *line = ahead;
            current
                .labels
                .insert(label.to_owned(), current.code.len() as u32);
            return Ok(());
        }
        match line.word() {
            ".captures" => classes(line, &mut current.function.captures),
            ".scalar" => classes(line, &mut current.function.scalar_regs),
            ".reference" => classes(line, &mut current.function.ref_regs),
            ".entries" => {
                while !line.is_end() {
                    let entry = self.func(line)?;
                    current.function.entries.push(entry);
                }
                Ok(())
            }
            ".prelude" => {
                current.function.from_prelude = true;
                Ok(())
            }
            ".line" => {
                let (row, column) = place(line)?;
                let at = current.code.len() as u32;
                current.function.lines.push((at, row, column));
                Ok(())
            }
            ".inlined" => {
                let (func, outer) = (FuncId(id(line)?), fit(integer(line)?)?);
                let (row, column) = place(line)?;
                current.function.inlined.push(Inlined {
                    func,
                    outer,
                    line: row,
                    column,
                });
                Ok(())
            }
            ".scope" => {
                let scope = fit(integer(line)?)?;
                let at = current.code.len() as u32;
                current.function.scopes.push((at, scope));
                Ok(())
            }
            ".argument" => {
                let (row, parameter) = (fit(integer(line)?)?, fit(integer(line)?)?);
                let at = current.code.len() as u32;
                current.function.arguments.push((at, row, parameter));
                Ok(())
            }
            ".catch" => {
                let labels = [
                    line.word().to_owned(),
                    line.word().to_owned(),
                    line.word().to_owned(),
                ];
                let (_, reg) = register(line)?;
                current.catches.push((labels, reg));
                Ok(())
            }
            mnemonic => match Op::from_mnemonic(mnemonic) {
                Some(op) => self.instruction(current, op, line),
                None => Err(AssembleFault::UnknownOp {
                    mnemonic: mnemonic.to_owned(),
                }),
            },
        }
    }

    fn instruction(&mut self, current: &mut Current, op: Op, line: &mut Line<'_>) -> Parsed<()> {
        let mut instr = Instr::new(op);
        let mut first = true;
        for operand in op.row().operands {
            if matches!(operand.kind, OperandKind::Bank | OperandKind::Unused) {
                continue;
            }
            if !first && !line.eat(",") {
                return Err(expected("`,`", line.rest()));
            }
            first = false;
            let value = match operand.kind {
                OperandKind::RegPair => {
                    let (bank, destination) = register(line)?;
                    if !line.eat(",") {
                        return Err(expected("`,`", line.rest()));
                    }
                    let (_, source) = register(line)?;
                    instr.a = u8::from(bank == Bank::Reference);
                    i64::from(reg_pair(destination, source))
                }
                OperandKind::Jump if !line.rest().starts_with('#') => {
                    current
                        .jumps
                        .push((current.code.len(), line.word().to_owned()));
                    0
                }
                kind => self.operand(kind, line)?,
            };
            let fits = i32::try_from(value).is_ok_and(|value| instr.set(operand.place, value));
            if !fits {
                return Err(AssembleFault::DoesNotFit { number: value });
            }
        }
        current.code.push(instr);
        Ok(())
    }

    fn operand(&mut self, kind: OperandKind, line: &mut Line<'_>) -> Parsed<i64> {
        if line.rest().starts_with('#') {
            line.eat("#");
            return integer(line);
        }
        match kind {
            OperandKind::Out(_)
            | OperandKind::In(_)
            | OperandKind::InOut(_)
            | OperandKind::Run(_)
            | OperandKind::Window(_) => Ok(i64::from(register(line)?.1)),
            OperandKind::Class => Ok(class(line)? as i64),
            OperandKind::ConstInt => Ok(i64::from(self.builder.const_int(integer(line)?).0)),
            OperandKind::ConstFloat => Ok(i64::from(self.builder.const_float(float(line)?).0)),
            OperandKind::ConstText => match line.text() {
                Some(text) => Ok(i64::from(self.builder.const_text(&text).0)),
                None => Err(expected("a text in quotes", line.rest())),
            },
            OperandKind::Shape => Ok(i64::from(self.shape(line)?.0)),
            OperandKind::Sig => {
                let signature = signature(line)?;
                Ok(i64::from(self.builder.signature(signature).0))
            }
            OperandKind::Lib => library_row(line),
            OperandKind::Func | OperandKind::Closure => Ok(i64::from(self.func(line)?.0)),
            OperandKind::Global => {
                let name = name_of(line)?;
                let at = self
                    .builder
                    .module
                    .globals
                    .iter()
                    .position(|g| g.name == name);
                at.map(|at| at as i64)
                    .ok_or(AssembleFault::Undefined { name })
            }
            OperandKind::Bank
            | OperandKind::RegPair
            | OperandKind::Jump
            | OperandKind::TypeDesc
            | OperandKind::Entity
            | OperandKind::Field
            | OperandKind::DeclaredField
            | OperandKind::Int
            | OperandKind::Count
            | OperandKind::Slot
            | OperandKind::Capture
            | OperandKind::LogLevel
            | OperandKind::Output
            | OperandKind::Template
            | OperandKind::Item
            | OperandKind::ViewPlace
            | OperandKind::ViewControl
            | OperandKind::Handler
            | OperandKind::Unused => integer(line),
        }
    }

    fn func(&mut self, line: &mut Line<'_>) -> Parsed<FuncId> {
        if line.rest().starts_with('#') {
            return Ok(FuncId(id(line)?));
        }
        let name = name_of(line)?;
        self.names
            .get(&name)
            .copied()
            .ok_or(AssembleFault::Undefined { name })
    }

    fn shape(&mut self, line: &mut Line<'_>) -> Parsed<ShapeId> {
        if line.rest().starts_with('#') {
            return Ok(ShapeId(id(line)?));
        }
        if !line.eat("{") {
            return Err(expected("`{`", line.rest()));
        }
        let mut fields = Vec::new();
        while !line.eat("}") {
            if !fields.is_empty() && !line.eat(",") {
                return Err(expected("`,` or `}`", line.rest()));
            }
            let name = name_of(line)?;
            fields.push((self.builder.const_text(&name), class(line)?));
        }
        Ok(self.builder.shape(Shape { fields }))
    }

    fn finish(&mut self, current: Current) -> Parsed<()> {
        let Current {
            mut function,
            mut code,
            labels,
            jumps,
            catches,
        } = current;
        let place = |name: &str| {
            labels
                .get(name)
                .copied()
                .ok_or_else(|| AssembleFault::Undefined {
                    name: name.to_owned(),
                })
        };
        for (at, label) in &jumps {
            let target = place(label)?;
            if !code[*at].set(Place::Imm, target as i32) {
                return Err(AssembleFault::DoesNotFit {
                    number: i64::from(target),
                });
            }
        }
        for ([start, end, target], reg) in &catches {
            function.catches.push(Catch {
                start: place(start)?,
                end: place(end)?,
                target: place(target)?,
                reg: *reg,
            });
        }
        function.code = code.into_iter().map(Instr::encode).collect();
        self.builder.function(function);
        Ok(())
    }
}

impl Current {
    fn new(name: String, signature: Signature, is_closure: bool) -> Current {
        let function = Function {
            name,
            signature,
            is_closure,
            captures: Vec::new(),
            entries: Vec::new(),
            scalar_regs: Vec::new(),
            ref_regs: Vec::new(),
            code: Vec::new(),
            catches: Vec::new(),
            lines: Vec::new(),
            from_prelude: false,
            arguments: Vec::new(),
            inlined: Vec::new(),
            scopes: Vec::new(),
        };
        Current {
            function,
            code: Vec::new(),
            labels: HashMap::new(),
            jumps: Vec::new(),
            catches: Vec::new(),
        }
    }
}

fn fit<T: TryFrom<i64>>(number: i64) -> Parsed<T> {
    T::try_from(number).map_err(|_| AssembleFault::DoesNotFit { number })
}

/// A line and a column: `12:5`.
fn place(line: &mut Line<'_>) -> Parsed<(u32, u32)> {
    let row = integer(line)?;
    if !line.eat(":") {
        return Err(expected("`:`", line.rest()));
    }
    Ok((fit(row)?, fit(integer(line)?)?))
}

fn integer(line: &mut Line<'_>) -> Parsed<i64> {
    let word = line.word();
    word.parse().map_err(|_| expected("a number", word))
}

/// A number with `#` before it.
fn id(line: &mut Line<'_>) -> Parsed<u32> {
    if line.eat("#") {
        fit(integer(line)?)
    } else {
        Err(expected("`#`", line.rest()))
    }
}

fn float(line: &mut Line<'_>) -> Parsed<f64> {
    if line.eat("nan:") {
        let word = line.word();
        return u64::from_str_radix(word, 16)
            .map(f64::from_bits)
            .map_err(|_| expected("the bits of a NaN", word));
    }
    let word = line.word();
    word.parse().map_err(|_| expected("a float", word))
}

fn register(line: &mut Line<'_>) -> Parsed<(Bank, u16)> {
    let bank = if line.eat("s") {
        Bank::Scalar
    } else if line.eat("r") {
        Bank::Reference
    } else {
        return Err(expected("a register", line.rest()));
    };
    Ok((bank, fit(integer(line)?)?))
}

fn class(line: &mut Line<'_>) -> Parsed<Class> {
    let word = line.word();
    Class::ALL
        .into_iter()
        .find(|c| c.name() == word)
        .ok_or_else(|| expected("a class", word))
}

/// Classes until the end of the line, each perhaps with `*count`.
fn classes(line: &mut Line<'_>, out: &mut Vec<Class>) -> Parsed<()> {
    while !line.is_end() {
        let class = class(line)?;
        let count: u16 = if line.eat("*") {
            fit(integer(line)?)?
        } else {
            1
        };
        out.extend(std::iter::repeat_n(class, count as usize));
    }
    Ok(())
}

fn signature(line: &mut Line<'_>) -> Parsed<Signature> {
    if !line.eat("(") {
        return Err(expected("`(`", line.rest()));
    }
    let mut params = Vec::new();
    while !line.eat(")") {
        if !params.is_empty() && !line.eat(",") {
            return Err(expected("`,` or `)`", line.rest()));
        }
        params.push(class(line)?);
    }
    let result = if line.eat("->") {
        Some(class(line)?)
    } else {
        None
    };
    Ok(Signature { params, result })
}

/// `name: scheme` of a native library row.
fn library_row(line: &mut Line<'_>) -> Parsed<i64> {
    let name = line.word().to_owned();
    let scheme = if line.eat(":") {
        line.take(|c| c != ';').trim().to_owned()
    } else {
        String::new()
    };
    let row = lookup(&name)
        .iter()
        .find(|id| scheme.is_empty() || id.row().scheme_text == scheme);
    match row {
        Some(id) => Ok(i64::from(id.0)),
        None => Err(AssembleFault::Undefined {
            name: format!("{name}: {scheme}"),
        }),
    }
}
