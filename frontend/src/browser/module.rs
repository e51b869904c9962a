//! A module of JavaScript: the functions that can be reached, the tables they name, the pieces of the library they use.
//! Here because order and names are the module's business, not the functions'. Must stay true: no two things at the top of
//! a module have one name, and no name of the program hides one of the library; equal programs give equal bytes.

use std::collections::{BTreeSet, HashMap, HashSet};

use flin_bytecode::arguments::row_of_prelude;
use flin_bytecode::{
    Bank, Class, Const, ConstId, FuncId, Function, Instr, Module, Op, OperandKind, Page, Place,
    TypeDesc,
};

use super::code::{Coder, Names};
use super::flow::{Flow, UNSTRUCTURED};
use super::kept::{self, Reads};
use super::letters::{letter, letters, literal};
use super::pieces;
use super::print::{Line, Printer};
use super::sourcemap::{Mapped, source_map};
use super::structure::{Structure, plain};
use super::tree::{self, Stmt};
use super::variables::{Slots, Var, Variables, variables};
use super::{LocalNames, Script};

/// Words that JavaScript keeps for itself or that the library takes from it, and names of a module's own tables.
const RESERVED: &str = "abstract arguments await boolean break byte case catch char class const continue debugger default delete do double else enum eval export extends false final finally float for function goto if implements import in instanceof int interface let long native new null package private protected public return short static super switch synchronized this throw throws transient true try typeof undefined var void volatile while with yield async of get set Array BigInt Infinity JSON Map Math NaN Number Object RangeError RegExp Set String TextDecoder TextEncoder Uint8Array atob btoa console Date ENUMS STATE TEMPLATES HANDLERS SOURCE_NAME PRELUDE_ROWS derive at frame self raised run";

/// A module being written.
pub(super) struct Writer<'m> {
    pub(super) module: &'m Module,
    locals: &'m LocalNames,
    names: Names,
    taken: HashSet<String>,
    lines: Vec<Line>,
    /// Whether comments of the library are left out, for pages are small.
    pub(super) without_comments: bool,
    /// The function that is a page's view, and what its code reads.
    view: Option<(u32, Reads)>,
}

/// Functions that the roots can call or make values of, in the order of the program.
pub(super) fn reachable(module: &Module, roots: &[FuncId]) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut open: Vec<u32> = roots.iter().map(|root| root.0).collect();
    while let Some(func) = open.pop() {
        let Some(function) = module.functions.get(func as usize) else {
            continue;
        };
        if !found.insert(func) {
            continue;
        }
        open.extend(function.entries.iter().map(|entry| entry.0));
        let instrs = function.code.iter().filter_map(|w| Instr::decode(*w).ok());
        for instr in instrs {
            let names = instr.op.operand(Place::Imm);
            if matches!(names, Some(OperandKind::Func | OperandKind::Closure)) {
                open.push(instr.imm as u32);
            }
        }
    }
    found
}

/// A name as JavaScript allows it.
fn identifier(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

impl<'m> Writer<'m> {
    pub(super) fn new(
        module: &'m Module,
        locals: &'m LocalNames,
        functions: &BTreeSet<u32>,
    ) -> Writer<'m> {
        let reserved = RESERVED.split(' ').chain(pieces::names());
        let mut taken: HashSet<String> = reserved.map(str::to_owned).collect();
        let mut free = |wanted: &str| {
            let mut name = identifier(wanted);
            let mut number = 1;
            while taken.contains(&name) || taken.contains(&format!("{name}$")) {
                number += 1;
                name = format!("{}${number}", identifier(wanted));
            }
            taken.insert(name.clone());
            name
        };
        let globals = module
            .globals
            .iter()
            .map(|global| free(&global.name))
            .collect();
        let names = module.functions.iter().enumerate();
        let functions = names
            .map(|(at, function)| {
                if functions.contains(&(at as u32)) {
                    free(&function.name)
                } else {
                    String::new()
                }
            })
            .collect();
        Writer {
            module,
            locals,
            names: Names { functions, globals },
            taken,
            lines: Vec::new(),
            without_comments: false,
            view: None,
        }
    }

    /// What the view of a page reads is noted, so that it need not be computed again.
    pub(super) fn keep_of(&mut self, page: &Page, view: FuncId) {
        self.view = Some((view.0, Reads::of(self.module, page, &self.names)));
    }

    pub(super) fn function_name(&self, func: FuncId) -> &str {
        &self.names.functions[func.index()]
    }

    pub(super) fn global_name(&self, global: usize) -> &str {
        &self.names.globals[global]
    }

    pub(super) fn line(&mut self, text: impl Into<String>) {
        for line in text.into().split('\n') {
            let text = line.to_owned();
            self.lines.push(Line { text, at: None });
        }
    }

    /// Writes a function.
    pub(super) fn function(&mut self, func: u32) {
        let function = &self.module.functions[func as usize];
        let prefix = if function.from_prelude { ":" } else { "" };
        let shown = literal(&format!("{prefix}{}", function.name));
        let reads = self.view.as_ref().filter(|(view, _)| *view == func);
        let reads = reads.map(|(_, reads)| reads);
        let written = body(self.module, function, &self.names, reads, |vars, slots| {
            self.local_names(func, vars, slots)
        });
        let (params, body) = written.unwrap_or_else(|reason| {
            // It runs on the server; here it only says so.
            let text = plain(&format!("give_up({})", literal(reason)));
            let line = Line {
                text: format!("  {};", text.text),
                at: None,
            };
            (Vec::new(), vec![line])
        });
        let all: Vec<String> = params.into_iter().chain(["at".to_owned()]).collect();
        let head = format!(
            "function {}({}) {{",
            self.names.functions[func as usize],
            all.join(", ")
        );
        let place = function
            .lines
            .first()
            .map(|(_, line, column)| (*line, *column));
        let from_prelude = function.from_prelude;
        self.lines.push(Line {
            text: head,
            at: place.filter(|_| !from_prelude),
        });
        let needs_frame = body.iter().any(|line| line.text.ends_with(", frame);"));
        let keeps = if needs_frame { "const frame = " } else { "" };
        self.line(format!("  {keeps}enter({shown}, at);"));
        for mut line in body {
            // Lines of the prelude are no lines of the program.
            line.at = line.at.filter(|_| !from_prelude);
            self.lines.push(line);
        }
        self.line("}\n");
    }

    /// A name for each variable: that of the source where it has one.
    fn local_names(&self, func: u32, variables: &Variables, slots: Slots<'_>) -> Vec<String> {
        let mut used: HashSet<String> = HashSet::new();
        let known = self.locals.get(&FuncId(func));
        let mut names = Vec::with_capacity(variables.all.len());
        for variable in &variables.all {
            if variable.is_self {
                names.push("self".to_owned());
                continue;
            }
            let from = variable.first;
            // A variable begins to live right before it is first set.
            let named = known.into_iter().flatten().filter(|(life, _)| {
                slots.slot(life.bank, usize::from(life.reg.0)) == variable.slot
                    && life.from <= from
                    && life.to.is_none_or(|to| from < to)
            });
            let wanted = named
                .max_by_key(|(life, _)| life.from)
                .map(|(_, name)| name.as_str());
            let wanted = identifier(wanted.unwrap_or(
                match (variable.class, variable.class.bank()) {
                    (Class::I64, _) => "n",
                    (Class::F64, _) => "x",
                    (Class::Bool, _) => "is",
                    (_, Bank::Reference) | (_, Bank::Scalar) => "v",
                },
            ));
            let mut name = wanted.clone();
            let mut number = 1;
            while self.taken.contains(&name) || used.contains(&name) {
                number += 1;
                name = format!("{wanted}${number}");
            }
            used.insert(name.clone());
            names.push(name);
        }
        names
    }

    /// Descriptors of the closures that the text makes.
    fn codes(&mut self, functions: &BTreeSet<u32>) {
        let mut closures: BTreeSet<u32> = BTreeSet::new();
        for func in functions {
            let code = &self.module.functions[*func as usize].code;
            let made = code.iter().filter_map(|w| Instr::decode(*w).ok());
            let made = made.filter(|i| i.op == Op::ClosureNew);
            closures.extend(made.map(|i| i.imm as u32));
        }
        for func in closures {
            let function = &self.module.functions[func as usize];
            let entries: Vec<String> = function
                .entries
                .iter()
                .map(|entry| {
                    let entry_function = &self.module.functions[entry.index()];
                    let name = &self.names.functions[entry.index()];
                    format!(
                        "new Code({}, \"{}\", {name}, [])",
                        literal(&function.name),
                        letters(&entry_function.signature)
                    )
                })
                .collect();
            let name = &self.names.functions[func as usize];
            let line = format!(
                "const {name}$ = new Code({}, \"{}\", {name}, [{}]);",
                literal(&function.name),
                letters(&function.signature),
                entries.join(", ")
            );
            self.line(line);
        }
    }

    fn globals(&mut self, text: &HashSet<&str>) {
        for (at, global) in self.module.globals.iter().enumerate() {
            let name = self.names.globals[at].clone();
            if text.contains(name.as_str()) {
                let empty = match global.class {
                    Class::I64 | Class::F64 => "0",
                    Class::Bool => "false",
                    Class::Ref | Class::Any => "null",
                };
                self.line(format!("let {name} = {empty};"));
            }
        }
    }

    fn const_text(&self, id: ConstId) -> String {
        match &self.module.constants[id.index()] {
            Const::Text(text) => literal(text),
            Const::Int(_) | Const::Float(_) => "\"\"".to_owned(),
        }
    }

    fn shape(&mut self, id: usize) {
        let fields = &self.module.shapes[id].fields;
        let names: Vec<String> = fields
            .iter()
            .map(|(name, _)| self.const_text(*name))
            .collect();
        let classes: String = fields.iter().map(|(_, class)| letter(*class)).collect();
        self.line(format!(
            "const S{id} = shape([{}], \"{classes}\");",
            names.join(", ")
        ));
    }

    fn type_text(&self, id: usize) -> String {
        let t = |ty: &flin_bytecode::TypeId| format!("T{}", ty.0);
        let all =
            |types: &[flin_bytecode::TypeId]| types.iter().map(t).collect::<Vec<_>>().join(", ");
        let of = |name: &str, of: String| format!("{{ is: \"{name}\", of: {of} }}");
        let bare = |name: &str| format!("{{ is: \"{name}\" }}");
        match &self.module.types[id] {
            TypeDesc::Any => bare("any"),
            TypeDesc::None => bare("none"),
            TypeDesc::Int => bare("int"),
            TypeDesc::Float => bare("float"),
            TypeDesc::Bool => bare("bool"),
            TypeDesc::Text => bare("text"),
            TypeDesc::Time => bare("time"),
            TypeDesc::Duration => bare("duration"),
            TypeDesc::List(item, class) => {
                format!(
                    "{{ is: \"list\", of: {}, cls: \"{}\" }}",
                    t(item),
                    letter(*class)
                )
            }
            TypeDesc::Map(value) => of("map", t(value)),
            TypeDesc::Record(shape, types) => {
                format!(
                    "{{ is: \"record\", shape: S{}, of: [{}] }}",
                    shape.0,
                    all(types)
                )
            }
            TypeDesc::Tuple(types) => of("tuple", format!("[{}]", all(types))),
            TypeDesc::Entity(entity) => of(
                "entity",
                literal(&self.module.entities[entity.index()].name),
            ),
            TypeDesc::Enum(index) => of("enum", format!("ENUMS[{index}]")),
            TypeDesc::Optional(inner) => of("optional", t(inner)),
            TypeDesc::Union(types) => of("union", format!("[{}]", all(types))),
            TypeDesc::Error => bare("error"),
            TypeDesc::Response => bare("response"),
            TypeDesc::Function => bare("function"),
            TypeDesc::Query(_) => bare("query"),
            TypeDesc::Range => bare("range"),
        }
    }

    /// Types and shapes that the text names, each after those that it is made of; enums before all.
    fn types(&mut self, text: &HashSet<&str>) {
        let numbered = |letter: char, count: usize| {
            (0..count).filter(move |id| text.contains(format!("{letter}{id}").as_str()))
        };
        let with_data = text.contains("decode");
        let mut open: Vec<usize> = numbered('T', self.module.types.len()).collect();
        if with_data {
            let variants = self.module.enums.iter().flat_map(|e| &e.variants);
            open.extend(variants.flat_map(|(_, types)| types.iter().map(|ty| ty.index())));
        }
        let mut order = Vec::new();
        let mut state: HashMap<usize, bool> = HashMap::new();
        open.reverse();
        while let Some(id) = open.pop() {
            match state.get(&id) {
                Some(true) => continue,
                Some(false) => {
                    state.insert(id, true);
                    order.push(id);
                    continue;
                }
                None => {}
            }
            state.insert(id, false);
            open.push(id);
            open.extend(
                self.inner_types(id)
                    .into_iter()
                    .filter(|inner| !state.contains_key(inner)),
            );
        }
        let mut shapes: BTreeSet<usize> = numbered('S', self.module.shapes.len()).collect();
        for id in &order {
            if let TypeDesc::Record(shape, _) = &self.module.types[*id] {
                shapes.insert(shape.index());
            }
        }
        if text.contains("ENUMS")
            || order
                .iter()
                .any(|id| matches!(self.module.types[*id], TypeDesc::Enum(_)))
        {
            self.enums();
        }
        shapes.into_iter().for_each(|id| self.shape(id));
        for id in &order {
            let line = format!("const T{id} = {};", self.type_text(*id));
            self.line(line);
        }
        if with_data {
            self.enum_data();
        }
    }

    fn inner_types(&self, id: usize) -> Vec<usize> {
        match &self.module.types[id] {
            TypeDesc::List(inner, _) | TypeDesc::Map(inner) | TypeDesc::Optional(inner) => {
                vec![inner.index()]
            }
            TypeDesc::Record(_, types) | TypeDesc::Tuple(types) | TypeDesc::Union(types) => {
                types.iter().map(|ty| ty.index()).collect()
            }
            TypeDesc::Any
            | TypeDesc::None
            | TypeDesc::Int
            | TypeDesc::Float
            | TypeDesc::Bool
            | TypeDesc::Text
            | TypeDesc::Time
            | TypeDesc::Duration
            | TypeDesc::Entity(_)
            | TypeDesc::Enum(_)
            | TypeDesc::Error
            | TypeDesc::Response
            | TypeDesc::Function
            | TypeDesc::Query(_)
            | TypeDesc::Range => Vec::new(),
        }
    }

    fn enums(&mut self) {
        let mut all = Vec::new();
        for def in &self.module.enums {
            let variants: Vec<String> = def
                .variants
                .iter()
                .map(|(name, _)| format!("[{}, []]", literal(name)))
                .collect();
            all.push(format!(
                "{{ name: {}, variants: [{}] }}",
                literal(&def.name),
                variants.join(", ")
            ));
        }
        self.line(format!("const ENUMS = [{}];", all.join(", ")));
    }

    /// The types of the enums' data, which may hold enums again.
    fn enum_data(&mut self) {
        for (at, def) in self.module.enums.iter().enumerate() {
            for (number, (_, types)) in def.variants.iter().enumerate() {
                if !types.is_empty() {
                    let types: Vec<String> = types.iter().map(|ty| format!("T{}", ty.0)).collect();
                    self.line(format!(
                        "ENUMS[{at}].variants[{number}][1].push({});",
                        types.join(", ")
                    ));
                }
            }
        }
    }

    /// Names by which the program knows the functions of the prelude.
    fn prelude_rows(&mut self, functions: &BTreeSet<u32>) {
        let mut rows = BTreeSet::new();
        for func in functions {
            let function = &self.module.functions[*func as usize];
            if function.from_prelude
                && let Some(row) = row_of_prelude(&function.name)
            {
                rows.insert(format!(
                    "{}: {}",
                    identifier(&function.name),
                    literal(row.row().name)
                ));
            }
        }
        let rows: Vec<String> = rows.into_iter().collect();
        self.line(format!("const PRELUDE_ROWS = {{ {} }};", rows.join(", ")));
    }

    fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }

    fn tables(&mut self, functions: &BTreeSet<u32>, words: &HashSet<&str>) {
        self.types(words);
        self.codes(functions);
        if words.contains("SOURCE_NAME") {
            let name = literal(&self.module.source_name);
            self.line(format!("const SOURCE_NAME = {name};"));
        }
        if words.contains("PRELUDE_ROWS") {
            self.prelude_rows(functions);
        }
        self.globals(words);
    }

    /// The whole module: what was written so far, the library, the tables, then the last lines.
    pub(super) fn finish(mut self, functions: &BTreeSet<u32>, file: &str, last: &str) -> Script {
        let written = self.text();
        let used = pieces::needed(&format!("{written}\n{last}"));
        let own = pieces::words(&written).chain(pieces::words(last));
        let words: HashSet<&str> = own
            .chain(used.iter().flat_map(|piece| piece.words()).copied())
            .collect();
        let program = std::mem::take(&mut self.lines);
        self.line("// The program's tables.\n");
        self.tables(functions, &words);
        // The tables use the library, too.
        let tables = std::mem::take(&mut self.lines);
        let tables_text: Vec<&str> = tables.iter().map(|line| line.text.as_str()).collect();
        let all = format!("{written}\n{}\n{last}", tables_text.join("\n"));
        self.lines = program;
        self.line("// The library.\n");
        for piece in pieces::needed(&all) {
            let text = match self.without_comments {
                true => pieces::without_comments(piece.text),
                false => format!("{}\n", piece.text),
            };
            self.line(text);
        }
        self.lines.extend(tables);
        self.line(last);
        let mapped: Vec<Option<Mapped>> = self.lines.iter().map(mapping).collect();
        let text = self.text() + "\n";
        let source_map = source_map(file, &self.module.source_name, &mapped);
        Script { text, source_map }
    }
}

fn mapping(line: &Line) -> Option<Mapped> {
    let (from, column) = line.at?;
    let blanks = line.text.len() - line.text.trim_start().len();
    Some(Mapped {
        column: blanks as u32,
        line: from.checked_sub(1)?,
        source_column: column.saturating_sub(1),
    })
}

/// Parameters and body of a function.
fn body(
    module: &Module,
    function: &Function,
    names: &Names,
    reads: Option<&Reads>,
    name: impl FnOnce(&Variables, Slots<'_>) -> Vec<String>,
) -> Result<(Vec<String>, Vec<Line>), &'static str> {
    let flow = Flow::of(function)?;
    if function.code.is_empty() {
        return Err(UNSTRUCTURED);
    }
    let slots = Slots { module, function };
    let variables = variables(slots, &flow);
    let structure = Structure::of(&flow)?;
    let locals = name(&variables, slots);
    let mut coder = Coder::new(module, function, &flow, &variables, names, &locals);
    coder.find_known();
    let live =
        |block: usize| -> Vec<Var> { variables.live.get(&block).cloned().unwrap_or_default() };
    let mut list: Vec<Stmt> =
        structure.statements(&mut |block| coder.block(block), &live, &variables.caught);
    list = tree::simplified(list);
    if let Some(reads) = reads {
        kept::guard(&mut list, reads, &locals);
    }
    let params: HashSet<Var> = variables.params.iter().copied().collect();
    tree::declare(&mut list, &params);
    let mut printer = Printer::new(&locals, &list);
    printer.list(&list);
    let params = variables.params.iter().map(|var| locals[*var].clone());
    Ok((params.collect(), printer.lines))
}
