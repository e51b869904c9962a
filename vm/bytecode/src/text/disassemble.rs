//! Bytecode to text. Here because it is the only view of compiled code that people get. Must stay true: any module can
//! be printed, also one that the verifier refuses: an id out of range is printed as its number.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::lines::{list, quoted};
use crate::class::{Bank, Class};
use crate::encode::{Instr, split_reg_pair};
use crate::ids::{FieldNo, LibId, TypeId};
use crate::module::{Const, Function, Module, Signature, TypeDesc};
use crate::ops::{OperandKind, Place};

/// The whole module as text. With the program's source text its lines stand above the instructions made from them.
pub fn disassemble(module: &Module, source: Option<&str>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "; {}", module.source_name);
    tables(module, &mut out);
    for at in 0..module.functions.len() {
        out.push('\n');
        out.push_str(&disassemble_function(module, at, source));
    }
    out
}

/// One function as text.
pub fn disassemble_function(module: &Module, at: usize, source: Option<&str>) -> String {
    let function = &module.functions[at];
    let source = if function.from_prelude { None } else { source };
    Printer {
        module,
        function,
        source: source.map(|s| s.lines().collect()),
        out: String::new(),
    }
    .function(at)
}

fn tables(module: &Module, out: &mut String) {
    for (at, ty) in module.types.iter().enumerate() {
        let _ = writeln!(
            out,
            "type {}  ; #{at} {}",
            type_code(module, ty),
            type_name(module, TypeId(at as u32), 0)
        );
    }
    for (at, global) in module.globals.iter().enumerate() {
        let _ = writeln!(
            out,
            "global {} {} #{}  ; #{at}",
            quoted(&global.name),
            global.class,
            global.ty.0
        );
    }
    for (at, entity) in module.entities.iter().enumerate() {
        let fields: Vec<String> = entity
            .fields
            .iter()
            .map(|f| format!("{} {}", f.name, type_name(module, f.ty, 0)))
            .collect();
        let _ = writeln!(
            out,
            "; entity #{at} {} {{{}}}",
            entity.name,
            fields.join(", ")
        );
    }
    for (field, func) in [("const_init", module.const_init), ("main", module.main)] {
        if let Some(func) = func {
            let _ = writeln!(out, "{field} #{}", func.0);
        }
    }
    for page in &module.pages {
        let _ = writeln!(
            out,
            "; page {} view #{} handlers {}",
            page.path,
            page.view.0,
            page.handlers.len()
        );
        for (at, handler) in page.handlers.iter().enumerate() {
            let _ = writeln!(
                out,
                ";   handler {at} {} function #{}",
                handler.event, handler.func.0
            );
        }
    }
    for route in &module.routes {
        let _ = writeln!(
            out,
            "; route {} {} function #{}",
            route.method, route.path, route.func.0
        );
    }
    for test in &module.tests {
        let _ = writeln!(
            out,
            "; test {} function #{}",
            quoted(&test.name),
            test.func.0
        );
    }
}

/// A type as the assembler reads it.
fn type_code(module: &Module, ty: &TypeDesc) -> String {
    let ids = |types: &[TypeId]| {
        types
            .iter()
            .map(|t| format!(" #{}", t.0))
            .collect::<String>()
    };
    match ty {
        TypeDesc::Any => "any".into(),
        TypeDesc::None => "none".into(),
        TypeDesc::Int => "int".into(),
        TypeDesc::Float => "float".into(),
        TypeDesc::Bool => "bool".into(),
        TypeDesc::Text => "text".into(),
        TypeDesc::Time => "time".into(),
        TypeDesc::Duration => "duration".into(),
        TypeDesc::Error => "error".into(),
        TypeDesc::Response => "response".into(),
        TypeDesc::Function => "function".into(),
        TypeDesc::Range => "range".into(),
        TypeDesc::List(element, class) => format!("list #{} {class}", element.0),
        TypeDesc::Map(value) => format!("map #{}", value.0),
        TypeDesc::Optional(inner) => format!("optional #{}", inner.0),
        TypeDesc::Record(shape, types) => {
            format!(
                "record {}{}",
                shape_text(module, shape.index()).unwrap_or_else(|| format!("#{}", shape.0)),
                ids(types)
            )
        }
        TypeDesc::Tuple(types) => format!("tuple{}", ids(types)),
        TypeDesc::Union(types) => format!("union{}", ids(types)),
        TypeDesc::Entity(entity) => format!("entity #{}", entity.0),
        TypeDesc::Query(entity) => format!("query #{}", entity.0),
        TypeDesc::Enum(number) => format!("enum #{number}"),
    }
}

/// Most members of a type that its name spells out.
const MEMBERS_SHOWN: usize = 12;

/// A type as FLIN writes it; types may contain themselves, so only so deep and so wide.
fn type_name(module: &Module, ty: TypeId, depth: usize) -> String {
    let Some(desc) = module.types.get(ty.index()) else {
        return format!("#{}", ty.0);
    };
    if depth > 2 {
        return "…".into();
    }
    let name = |ty: &TypeId| type_name(module, *ty, depth + 1);
    let names = |types: &[TypeId]| {
        types
            .iter()
            .take(MEMBERS_SHOWN)
            .map(name)
            .collect::<Vec<_>>()
    };
    let entity = |id: usize| {
        module
            .entities
            .get(id)
            .map_or_else(|| format!("#{id}"), |e| e.name.clone())
    };
    match desc {
        TypeDesc::List(element, _) => format!("[{}]", name(element)),
        TypeDesc::Map(value) => format!("[text:{}]", name(value)),
        TypeDesc::Optional(inner) => format!("{}?", name(inner)),
        TypeDesc::Tuple(types) => format!("({})", names(types).join(", ")),
        TypeDesc::Union(types) => names(types).join(" | "),
        TypeDesc::Record(shape, types) => {
            let fields = module
                .shapes
                .get(shape.index())
                .map_or(&[][..], |s| &s.fields);
            let text = |at: usize| match fields
                .get(at)
                .and_then(|(c, _)| module.constants.get(c.index()))
            {
                Some(Const::Text(text)) => text.clone(),
                Some(Const::Int(_) | Const::Float(_)) | None => "?".into(),
            };
            let parts: Vec<String> = types
                .iter()
                .take(MEMBERS_SHOWN)
                .enumerate()
                .map(|(at, ty)| format!("{}: {}", text(at), name(ty)))
                .collect();
            format!("{{ {} }}", parts.join(", "))
        }
        TypeDesc::Entity(id) => entity(id.index()),
        TypeDesc::Query(id) => format!("query of {}", entity(id.index())),
        TypeDesc::Enum(number) => module
            .enums
            .get(*number as usize)
            .map_or_else(|| format!("enum #{number}"), |e| e.name.clone()),
        TypeDesc::Any
        | TypeDesc::None
        | TypeDesc::Int
        | TypeDesc::Float
        | TypeDesc::Bool
        | TypeDesc::Text
        | TypeDesc::Time
        | TypeDesc::Duration
        | TypeDesc::Error
        | TypeDesc::Response
        | TypeDesc::Function
        | TypeDesc::Range => type_code(module, desc),
    }
}

/// Signature as `(i64, ref) -> any`.
fn signature_text(signature: &Signature) -> String {
    let params = list(signature.params.iter().map(|c| c.name().to_owned()));
    match signature.result {
        Some(class) => format!("({params}) -> {class}"),
        None => format!("({params})"),
    }
}

/// Shape as `{x f64, y f64}`, if all its names are texts.
fn shape_text(module: &Module, at: usize) -> Option<String> {
    let shape = module.shapes.get(at)?;
    let fields: Option<Vec<String>> = shape
        .fields
        .iter()
        .map(|(name, class)| match module.constants.get(name.index())? {
            Const::Text(text) => Some(format!("{} {class}", quoted(text))),
            Const::Int(_) | Const::Float(_) => None,
        })
        .collect();
    Some(format!("{{{}}}", fields?.join(", ")))
}

struct Printer<'m> {
    module: &'m Module,
    function: &'m Function,
    source: Option<Vec<&'m str>>,
    out: String,
}

impl Printer<'_> {
    fn function(mut self, at: usize) -> String {
        self.head(at);
        let code: Vec<_> = self
            .function
            .code
            .iter()
            .map(|word| Instr::decode(*word))
            .collect();
        let labels = self.labels(&code);
        let mut lines = self.function.lines.iter().peekable();
        let mut scopes = self.function.scopes.iter().peekable();
        let mut arguments = self.function.arguments.iter().peekable();
        let (mut shown, mut elsewhere) = (0, false);
        for (pc, instr) in code.iter().enumerate() {
            if let Some(&(_, scope)) = scopes.next_if(|(start, _)| *start as usize == pc) {
                let _ = writeln!(self.out, "  .scope {scope}");
                elsewhere = self.is_elsewhere(scope);
            }
            if let Some(&(_, line, column)) = lines.next_if(|(start, _, _)| *start as usize == pc) {
                if elsewhere {
                    let _ = writeln!(self.out, "  .line {line}:{column}");
                } else {
                    self.position(line, column, &mut shown);
                }
            }
            if let Some(&(_, row, parameter)) = arguments.next_if(|(at, ..)| *at as usize == pc) {
                let _ = writeln!(self.out, "  .argument {row} {parameter}");
            }
            if labels.contains(&(pc as u32)) {
                let _ = writeln!(self.out, "L{pc}:");
            }
            match instr {
                Ok(instr) => self.instruction(instr),
                Err(error) => {
                    let _ = writeln!(self.out, "  ; {:016x}: {error}", self.function.code[pc]);
                }
            }
        }
        if labels.contains(&(code.len() as u32)) {
            let _ = writeln!(self.out, "L{}:", code.len());
        }
        for catch in &self.function.catches {
            let _ = writeln!(
                self.out,
                "  .catch L{} L{} L{} r{}",
                catch.start, catch.end, catch.target, catch.reg
            );
        }
        self.out.push_str("}\n");
        self.out
    }

    /// Whether the lines of a scope are not those of the source.
    fn is_elsewhere(&self, scope: u32) -> bool {
        let inlined = scope
            .checked_sub(1)
            .and_then(|at| self.function.inlined.get(at as usize));
        let func = inlined.and_then(|call| self.module.functions.get(call.func.index()));
        func.is_some_and(|function| function.from_prelude)
    }

    fn head(&mut self, at: usize) {
        let function = self.function;
        let word = if function.is_closure {
            "closure"
        } else {
            "function"
        };
        let _ = writeln!(
            self.out,
            "{word} {} {} {{  ; #{at}",
            quoted(&function.name),
            signature_text(&function.signature)
        );
        for (directive, classes) in [
            (".captures", &function.captures),
            (".scalar", &function.scalar_regs),
            (".reference", &function.ref_regs),
        ] {
            if !classes.is_empty() {
                let _ = writeln!(self.out, "  {directive} {}", run_lengths(classes));
            }
        }
        if !function.entries.is_empty() {
            let entries: Vec<String> = function
                .entries
                .iter()
                .map(|it| format!("#{}", it.0))
                .collect();
            let _ = writeln!(self.out, "  .entries {}", entries.join(" "));
        }
        if function.from_prelude {
            self.out.push_str("  .prelude\n");
        }
        for (at, call) in function.inlined.iter().enumerate() {
            let name = self
                .module
                .functions
                .get(call.func.index())
                .map_or("", |f| &f.name);
            let (func, outer) = (call.func.0, call.outer);
            let _ = writeln!(
                self.out,
                "  .inlined #{func} {outer} {}:{}  ; scope {}: {name}",
                call.line,
                call.column,
                at + 1
            );
        }
    }

    fn labels(&self, code: &[Result<Instr, crate::encode::DecodeError>]) -> BTreeSet<u32> {
        let jumps = code
            .iter()
            .flatten()
            .filter(|i| i.op.operand(Place::Imm) == Some(OperandKind::Jump))
            .map(|i| i.imm as u32);
        let catches = self
            .function
            .catches
            .iter()
            .flat_map(|c| [c.start, c.end, c.target]);
        jumps.chain(catches).collect()
    }

    fn position(&mut self, line: u32, column: u32, shown: &mut u32) {
        if *shown != line
            && let Some(text) = self
                .source
                .as_ref()
                .and_then(|s| s.get((line as usize).wrapping_sub(1)))
        {
            let _ = writeln!(self.out, "  ; {line}: {}", text.trim());
        }
        *shown = line;
        let _ = writeln!(self.out, "  .line {line}:{column}");
    }

    fn instruction(&mut self, instr: &Instr) {
        let row = instr.op.row();
        let mut operands = Vec::new();
        let mut comment = String::new();
        let bank = if instr.a == 0 {
            Bank::Scalar
        } else {
            Bank::Reference
        };
        for operand in row.operands {
            match operand.kind {
                // Told by the registers of the pair.
                OperandKind::Bank | OperandKind::Unused => {}
                OperandKind::RegPair => {
                    let (destination, source) = split_reg_pair(instr.imm);
                    operands.push(register(bank, destination));
                    operands.push(register(bank, source));
                }
                kind => operands.push(self.operand(kind, instr.at(operand.place), &mut comment)),
            }
        }
        let mut line = format!("  {:<16} {}", row.mnemonic, operands.join(", "));
        if !comment.is_empty() {
            let _ = write!(line, "  ; {comment}");
        }
        let _ = writeln!(self.out, "{}", line.trim_end());
    }

    fn operand(&self, kind: OperandKind, value: i32, comment: &mut String) -> String {
        let module = self.module;
        let at = value as usize;
        let number = || format!("#{value}");
        match kind {
            OperandKind::Out(class)
            | OperandKind::In(class)
            | OperandKind::InOut(class)
            | OperandKind::Run(class) => register(class.bank(), value as u16),
            OperandKind::Window(bank) => register(bank, value as u16),
            OperandKind::Class => u8::try_from(value)
                .ok()
                .and_then(Class::from_u8)
                .map_or_else(number, |c| c.name().to_owned()),
            OperandKind::Jump => format!("L{value}"),
            OperandKind::ConstInt | OperandKind::ConstFloat | OperandKind::ConstText => {
                match (kind, module.constants.get(at)) {
                    (OperandKind::ConstInt, Some(Const::Int(v))) => v.to_string(),
                    (OperandKind::ConstFloat, Some(Const::Float(v))) => float_literal(*v),
                    (OperandKind::ConstText, Some(Const::Text(v))) => quoted(v),
                    (_, Some(_) | None) => number(),
                }
            }
            OperandKind::Shape => shape_text(module, at).unwrap_or_else(number),
            OperandKind::Sig => module
                .signatures
                .get(at)
                .map_or_else(number, signature_text),
            OperandKind::Lib => match LibId(value as u16).get() {
                Some(row) if value >= 0 && value <= i32::from(u16::MAX) => {
                    format!("{}: {}", row.name, row.scheme_text)
                }
                Some(_) | None => number(),
            },
            OperandKind::TypeDesc => {
                *comment = type_name(module, TypeId(value as u32), 0);
                number()
            }
            OperandKind::Global => {
                *comment = module
                    .globals
                    .get(at)
                    .map(|g| g.name.clone())
                    .unwrap_or_default();
                number()
            }
            OperandKind::Func | OperandKind::Closure => {
                *comment = module
                    .functions
                    .get(at)
                    .map(|f| f.name.clone())
                    .unwrap_or_default();
                number()
            }
            OperandKind::Entity => {
                *comment = module
                    .entities
                    .get(at)
                    .map(|e| e.name.clone())
                    .unwrap_or_default();
                number()
            }
            OperandKind::Field | OperandKind::DeclaredField => {
                *comment = field_name(FieldNo(value)).to_owned();
                number()
            }
            OperandKind::Bank
            | OperandKind::RegPair
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
            | OperandKind::Unused => value.to_string(),
        }
    }
}

fn field_name(field: FieldNo) -> &'static str {
    field.automatic_name().unwrap_or_default()
}

fn register(bank: Bank, reg: u16) -> String {
    match bank {
        Bank::Scalar => format!("s{reg}"),
        Bank::Reference => format!("r{reg}"),
    }
}

/// A float that reads back to the same bits.
fn float_literal(value: f64) -> String {
    if value.is_nan() {
        format!("nan:{:016x}", value.to_bits())
    } else {
        format!("{value:?}")
    }
}

/// Classes with how often each follows: `i64*3 f64`.
fn run_lengths(classes: &[Class]) -> String {
    classes
        .chunk_by(|a, b| a == b)
        .map(|run| {
            if run.len() == 1 {
                run[0].name().to_owned()
            } else {
                format!("{}*{}", run[0], run.len())
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}
