//! The resolved program as text, for tests and for people who look at the compiler's work. Must stay true: everything that
//! later stages can see of the program's own code can be seen here; the prelude is left out.

use std::fmt::Write as _;

use crate::hir::{
    AttrPlace, ExprId, ExprKind, FnId, FnKind, Function, GlobalKind, LocalId, NamedArgDef, Program,
    RecordEntry, TypeAnn,
};

/// The number of a function among those of the program itself, so that texts do not depend on the prelude.
fn number(program: &Program, id: FnId) -> String {
    if program.functions[id.index()].from_prelude {
        return format!("prelude {}", program.functions[id.index()].name);
    }
    let before = program.functions[..id.index()]
        .iter()
        .filter(|it| !it.from_prelude)
        .count();
    format!("f{before}")
}

/// The whole program.
#[must_use]
pub fn dump(program: &Program) -> String {
    let mut out = String::new();
    entities(program, &mut out);
    for (at, global) in program.globals.iter().enumerate() {
        let kind = match global.kind {
            GlobalKind::Const => "const".to_owned(),
            GlobalKind::State => "state".to_owned(),
            GlobalKind::Derived => "derived".to_owned(),
            GlobalKind::Script => "script".to_owned(),
            GlobalKind::Param => "part of the path".to_owned(),
            GlobalKind::Injected(what) => format!("injected {what:?}").to_lowercase(),
        };
        let ty = annotation(program, global.annotation.as_ref());
        let page = global
            .page
            .map(|page| format!(" page {page}"))
            .unwrap_or_default();
        let init = global
            .init
            .map(|init| format!(" init {}", number(program, init)))
            .unwrap_or_default();
        let _ = writeln!(out, "global {at} {}{ty}: {kind}{page}{init}", global.name);
    }
    pages(program, &mut out);
    for route in &program.routes {
        let _ = writeln!(
            out,
            "route {} {} {}",
            route.method,
            route.path,
            number(program, route.func)
        );
    }
    for (name, id) in &program.tests {
        let _ = writeln!(out, "test {name} {}", number(program, *id));
    }
    if let Some(id) = program.const_init {
        let _ = writeln!(out, "constants {}", number(program, id));
    }
    if let Some(id) = program.main {
        let _ = writeln!(out, "main {}", number(program, id));
    }
    for (at, function) in program.functions.iter().enumerate() {
        if !function.from_prelude {
            one_function(program, FnId(at as u32), function, &mut out);
        }
    }
    out
}

fn pages(program: &Program, out: &mut String) {
    for page in &program.pages {
        let _ = writeln!(
            out,
            "page {} view {}",
            page.path,
            number(program, page.view)
        );
        for (at, handler) in page.handlers.iter().enumerate() {
            let _ = write!(
                out,
                "  handler {at} {} {}",
                handler.event,
                number(program, handler.func)
            );
            if let Some(named) = &handler.named {
                let args: Vec<String> = named
                    .args
                    .iter()
                    .map(|arg| match arg {
                        NamedArgDef::Literal(value) => format!("{value:?}"),
                        NamedArgDef::Value(_) => "value".to_owned(),
                    })
                    .collect();
                let _ = write!(
                    out,
                    " named {}({}) stub {}",
                    named.name,
                    args.join(", "),
                    number(program, named.stub)
                );
            }
            out.push('\n');
        }
    }
}

fn entities(program: &Program, out: &mut String) {
    for (at, entity) in program.entities.iter().enumerate() {
        let _ = writeln!(out, "entity {at} {}", entity.name);
        for field in &entity.fields {
            let mark = if field.optional { "?" } else { "" };
            let _ = write!(
                out,
                "  {}: {}{mark}",
                field.name,
                type_text(program, &field.ty)
            );
            for (flag, name) in [
                (field.unique, "unique"),
                (field.index, "index"),
                (field.hidden, "hidden"),
            ] {
                if flag {
                    let _ = write!(out, " {name}");
                }
            }
            if !field.rules.is_empty() {
                let _ = write!(out, " {:?}", field.rules);
            }
            if let Some(default) = field.default {
                let _ = write!(out, " default {}", number(program, default));
            }
            for check in &field.checks {
                let _ = write!(out, " check {}", number(program, *check));
            }
            if field.on_delete != Default::default() {
                let _ = write!(out, " {:?}", field.on_delete);
            }
            if !field.was.is_empty() {
                let _ = write!(out, " was {}", field.was.join(", "));
            }
            out.push('\n');
        }
    }
    for (at, decl) in program.enums.iter().enumerate() {
        let variants: Vec<String> = decl
            .variants
            .iter()
            .map(|(name, types)| match types.as_slice() {
                [] => name.clone(),
                _ => format!("{name}({})", types_text(program, types)),
            })
            .collect();
        let _ = writeln!(out, "enum {at} {}: {}", decl.name, variants.join(", "));
    }
}

fn one_function(program: &Program, id: FnId, function: &Function, out: &mut String) {
    let printer = Printer { program, function };
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| {
            let default = param
                .default
                .as_ref()
                .map(|it| format!(" = {}", number(program, it.func)))
                .unwrap_or_default();
            format!(
                "{}{}{default}",
                printer.local(param.local),
                annotation(program, param.annotation.as_ref())
            )
        })
        .collect();
    let kind = match function.kind {
        FnKind::Named => "named",
        FnKind::Lambda => "lambda",
        FnKind::Internal => "internal",
    };
    let _ = write!(
        out,
        "\n{} {} {}({})",
        number(program, id),
        kind,
        function.name,
        params.join(", ")
    );
    if let Some(result) = &function.result {
        let _ = write!(out, " -> {}", type_text(program, result));
    }
    if function.read_only {
        out.push_str(" read-only");
    }
    for capture in &function.captures {
        let _ = write!(
            out,
            " captures {}=outer {}",
            printer.local(capture.inner),
            capture.outer.0
        );
    }
    let cells: Vec<String> = (0..function.locals.len())
        .filter(|at| function.locals[*at].captured && function.locals[*at].reassigned)
        .map(|at| printer.local(LocalId(at as u32)))
        .collect();
    if !cells.is_empty() {
        let _ = write!(out, " cells {}", cells.join(" "));
    }
    out.push('\n');
    printer.line(function.body, 1, out);
}

fn annotation(program: &Program, ty: Option<&TypeAnn>) -> String {
    ty.map(|ty| format!(": {}", type_text(program, ty)))
        .unwrap_or_default()
}

fn types_text(program: &Program, types: &[TypeAnn]) -> String {
    let texts: Vec<String> = types.iter().map(|ty| type_text(program, ty)).collect();
    texts.join(", ")
}

fn type_text(program: &Program, ty: &TypeAnn) -> String {
    match ty {
        TypeAnn::List(item) => format!("[{}]", type_text(program, item)),
        TypeAnn::Map(key, value) => format!(
            "[{}:{}]",
            type_text(program, key),
            type_text(program, value)
        ),
        TypeAnn::Tuple(items) => format!("({})", types_text(program, items)),
        TypeAnn::Optional(item) => format!("{}?", type_text(program, item)),
        TypeAnn::Union(items) => {
            let texts: Vec<String> = items.iter().map(|ty| type_text(program, ty)).collect();
            texts.join(" | ")
        }
        TypeAnn::Func(params, result) => {
            format!(
                "({}) -> {}",
                types_text(program, params),
                type_text(program, result)
            )
        }
        TypeAnn::Entity(at) => program.entities[at.index()].name.clone(),
        TypeAnn::Enum(at, args) => {
            let name = program.enums[at.index()].name.clone();
            if args.is_empty() {
                return name;
            }
            let args: Vec<String> = args.iter().map(|arg| type_text(program, arg)).collect();
            format!("{name}<{}>", args.join(", "))
        }
        TypeAnn::Var(var) => format!("'{var}"),
        TypeAnn::Any
        | TypeAnn::None
        | TypeAnn::Int
        | TypeAnn::Float
        | TypeAnn::Bool
        | TypeAnn::Text
        | TypeAnn::Time
        | TypeAnn::Duration
        | TypeAnn::Range
        | TypeAnn::Error
        | TypeAnn::Response => format!("{ty:?}").to_lowercase(),
    }
}

/// Prints the expressions of one function: statements on lines, everything else inside of parentheses.
struct Printer<'p> {
    program: &'p Program,
    function: &'p Function,
}

impl Printer<'_> {
    fn local(&self, local: LocalId) -> String {
        format!("{}#{}", self.function.locals[local.index()].name, local.0)
    }

    fn kind(&self, id: ExprId) -> &ExprKind {
        &self.function.exprs[id.index()].kind
    }

    fn lines_of(&self, items: &[ExprId], depth: usize, out: &mut String) {
        for item in items {
            self.line(*item, depth + 1, out);
        }
    }

    /// An expression on lines of its own.
    fn line(&self, id: ExprId, depth: usize, out: &mut String) {
        let pad = "  ".repeat(depth);
        match self.kind(id) {
            ExprKind::Block(items, has_value) => {
                for (at, item) in items.iter().enumerate() {
                    if *has_value && at + 1 == items.len() {
                        let _ = writeln!(out, "{pad}value");
                        self.line(*item, depth + 1, out);
                    } else {
                        self.line(*item, depth, out);
                    }
                }
                if items.is_empty() {
                    let _ = writeln!(out, "{pad}nothing");
                }
            }
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => {
                let _ = writeln!(out, "{pad}if {}", self.text(*cond));
                self.line(*then, depth + 1, out);
                if let Some(otherwise) = otherwise {
                    let _ = writeln!(out, "{pad}else");
                    self.line(*otherwise, depth + 1, out);
                }
            }
            ExprKind::While { .. }
            | ExprKind::Loop { .. }
            | ExprKind::ForRange { .. }
            | ExprKind::For { .. } => self.loop_lines(id, depth, out),
            ExprKind::TryCatch {
                body,
                error,
                handler,
            } => {
                let _ = writeln!(out, "{pad}try");
                self.line(*body, depth + 1, out);
                let error = error
                    .map(|local| format!(" {}", self.local(local)))
                    .unwrap_or_default();
                let _ = writeln!(out, "{pad}catch{error}");
                self.line(*handler, depth + 1, out);
            }
            ExprKind::ViewElement(element) => {
                let _ = writeln!(out, "{pad}<{}", element.name);
                for item in &element.attributes {
                    self.line(*item, depth + 2, out);
                }
                for item in element.content.iter().flatten() {
                    self.line(*item, depth + 1, out);
                }
            }
            ExprKind::ViewItem(item) => {
                let key = match (item.key, item.of) {
                    (Some(key), _) => format!(" key {}", self.text(key)),
                    (None, Some((local, _))) => format!(" key of {}", self.local(local)),
                    (None, None) => String::new(),
                };
                let _ = writeln!(out, "{pad}item{key}");
                self.lines_of(&item.content, depth, out);
            }
            ExprKind::ViewHead(items) => {
                let _ = writeln!(out, "{pad}head");
                self.lines_of(items, depth, out);
            }
            ExprKind::ViewBlock(items) => {
                let _ = writeln!(out, "{pad}block of view");
                self.lines_of(items, depth, out);
            }
            ExprKind::ViewEmpty(items) => {
                let _ = writeln!(out, "{pad}empty");
                self.lines_of(items, depth, out);
            }
            ExprKind::ViewStyle(items) => {
                let _ = writeln!(out, "{pad}style");
                self.lines_of(items, depth, out);
            }
            _ => {
                let _ = writeln!(out, "{pad}{}", self.text(id));
            }
        }
    }

    fn loop_lines(&self, id: ExprId, depth: usize, out: &mut String) {
        let pad = "  ".repeat(depth);
        match self.kind(id) {
            ExprKind::While { label, cond, body } => {
                let _ = writeln!(out, "{pad}while'{label} {}", self.text(*cond));
                self.line(*body, depth + 1, out);
            }
            ExprKind::Loop { label, body } => {
                let _ = writeln!(out, "{pad}loop'{label}");
                self.line(*body, depth + 1, out);
            }
            ExprKind::ForRange {
                label,
                var,
                from,
                to,
                inclusive,
                body,
            } => {
                let dots = if *inclusive { "..=" } else { ".." };
                let (var, from, to) = (self.local(*var), self.text(*from), self.text(*to));
                let _ = writeln!(out, "{pad}for'{label} {var} in {from}{dots}{to}");
                self.line(*body, depth + 1, out);
            }
            ExprKind::For {
                label,
                first,
                second,
                iter,
                body,
                empty,
            } => {
                let second = second
                    .map(|local| format!(", {}", self.local(local)))
                    .unwrap_or_default();
                let _ = writeln!(
                    out,
                    "{pad}for'{label} {}{second} in {}",
                    self.local(*first),
                    self.text(*iter)
                );
                self.line(*body, depth + 1, out);
                if let Some(empty) = empty {
                    let _ = writeln!(out, "{pad}empty");
                    self.line(*empty, depth + 1, out);
                }
            }
            _ => unreachable!("only loops come here"),
        }
    }

    fn texts(&self, ids: &[ExprId]) -> String {
        ids.iter()
            .map(|id| format!(" {}", self.text(*id)))
            .collect()
    }

    /// An expression inside of a line.
    fn text(&self, id: ExprId) -> String {
        let kind = self.kind(id);
        let head = match kind {
            ExprKind::Error => return "ERROR".to_owned(),
            ExprKind::None => return "none".to_owned(),
            ExprKind::Bool(value) => return value.to_string(),
            ExprKind::Int(value) => return value.to_string(),
            ExprKind::Float(value) => return format!("{value:?}"),
            ExprKind::Text(value) => return format!("{value:?}"),
            ExprKind::Duration(value) => return format!("{value}ms"),
            ExprKind::Local(local) => return self.local(*local),
            ExprKind::Global(global) => {
                return format!("${}", self.program.globals[global.index()].name);
            }
            ExprKind::FnRef(id) => return format!("fn {}", self.name_of(*id)),
            ExprKind::Lambda(id) => return format!("lambda {}", number(self.program, *id)),
            ExprKind::Query(at) => return self.program.entities[at.index()].name.clone(),
            ExprKind::Continue(label) => return format!("continue'{label}"),
            ExprKind::ViewRaw(text) => return format!("raw {text:?}"),
            ExprKind::ViewChars(text) => return format!("chars {text:?}"),
            ExprKind::ViewNothing => return "nothing".to_owned(),
            ExprKind::ViewBind {
                global,
                control,
                part: None,
            } => {
                return format!(
                    "bind {control:?} ${}",
                    self.program.globals[global.index()].name
                );
            }
            ExprKind::Record(entries) => return self.record(entries),
            ExprKind::EntityNew(at, fields) => {
                let entity = &self.program.entities[at.index()];
                let fields: String = fields
                    .iter()
                    .map(|(field, id)| {
                        format!(
                            " {}={}",
                            entity.fields[*field as usize].name,
                            self.text(*id)
                        )
                    })
                    .collect();
                return format!("(new {}{fields})", entity.name);
            }
            _ => self.head(kind),
        };
        let mut operands = Vec::new();
        crate::operands::operands(kind, &mut |id| operands.push(id));
        format!("({head}{})", self.texts(&operands))
    }

    fn record(&self, entries: &[RecordEntry]) -> String {
        let entries: Vec<String> = entries
            .iter()
            .map(|entry| match entry {
                RecordEntry::Field(name, _, id) => format!("{name}: {}", self.text(*id)),
                RecordEntry::Spread(id) => format!("...{}", self.text(*id)),
            })
            .collect();
        format!("{{{}}}", entries.join(", "))
    }

    fn name_of(&self, id: FnId) -> String {
        format!(
            "{}/{}",
            self.program.functions[id.index()].name,
            number(self.program, id)
        )
    }

    /// The word in front of the operands.
    fn head(&self, kind: &ExprKind) -> String {
        let optional = |optional: bool| if optional { "?" } else { "" };
        match kind {
            ExprKind::CallFn(id, _) => format!("call {}", self.name_of(*id)),
            ExprKind::CallLib(name, _) => format!("lib {name}"),
            ExprKind::Let(local, _) => format!("let {}", self.local(*local)),
            ExprKind::SetLocal(local, _) => format!("set {}", self.local(*local)),
            ExprKind::SetGlobal(global, _) => {
                format!("set ${}", self.program.globals[global.index()].name)
            }
            ExprKind::Method {
                name,
                optional: opt,
                ..
            } => format!("method {}.{name}", optional(*opt)),
            ExprKind::Field {
                name,
                optional: opt,
                ..
            } => format!("field {}.{name}", optional(*opt)),
            ExprKind::SetField { name, .. } => format!("set-field .{name}"),
            ExprKind::Slice { from, to, step, .. } => {
                let given = |id: &Option<ExprId>| if id.is_some() { "x" } else { "" };
                format!("slice[{}:{}:{}]", given(from), given(to), given(step))
            }
            ExprKind::Range(_, _, inclusive) => if *inclusive { "..=" } else { ".." }.to_owned(),
            ExprKind::Binary(op, _, _) => format!("{op:?}").to_lowercase(),
            ExprKind::Is(_, ty) => format!("is {}", type_text(self.program, ty)),
            ExprKind::IsVariant(_, at, number) => {
                format!("is-variant {}", self.variant(at.index(), *number))
            }
            ExprKind::VariantData(_, at, number, field) => {
                format!("data {}.{field}", self.variant(at.index(), *number))
            }
            ExprKind::Variant(at, number, _) => {
                format!("variant {}", self.variant(at.index(), *number))
            }
            ExprKind::ImplicitField { it, name, .. } => {
                format!("implicit {}.{name}", self.local(*it))
            }
            ExprKind::Break(label, _) => format!("break'{label}"),
            ExprKind::Block(_, has_value) => if *has_value { "block" } else { "do" }.to_owned(),
            ExprKind::Loop { label, .. } => format!("loop'{label}"),
            ExprKind::While { label, .. } => format!("while'{label}"),
            ExprKind::ForRange { label, var, .. } => format!("for'{label} {}", self.local(*var)),
            ExprKind::For { label, first, .. } => format!("for'{label} {}", self.local(*first)),
            ExprKind::ViewAttr { name, place, .. } => match place {
                AttrPlace::Plain => format!("attr {name}"),
                AttrPlace::Boolean
                | AttrPlace::Url
                | AttrPlace::Style
                | AttrPlace::StyleValue
                | AttrPlace::StyleUrl => {
                    format!("attr {name} {place:?}")
                }
            },
            ExprKind::ViewOn {
                handler, button, ..
            } => {
                format!("on {handler}{}", if *button { " button" } else { "" })
            }
            ExprKind::ViewForm { handler, .. } => format!("form {handler}"),
            ExprKind::Concat(_) => "text".to_owned(),
            ExprKind::CallValue(..) => "call-value".to_owned(),
            ExprKind::QueryArg { .. } => "query-arg".to_owned(),
            ExprKind::Cases(..) => "cases".to_owned(),
            ExprKind::TryCatch { .. } => "try-catch".to_owned(),
            ExprKind::SetIndex(..) => "set-index".to_owned(),
            ExprKind::ViewText(_) => "view-text".to_owned(),
            ExprKind::ViewHtml(_) => "view-html".to_owned(),
            ExprKind::ViewOption { .. } => "view-option".to_owned(),
            ExprKind::ViewHead(_) => "head".to_owned(),
            ExprKind::EntityNew(..) => "new".to_owned(),
            ExprKind::If { .. } => "if".to_owned(),
            _ => word(kind),
        }
    }

    fn variant(&self, at: usize, number: u32) -> String {
        let decl = &self.program.enums[at];
        format!("{}.{}", decl.name, decl.variants[number as usize].0)
    }
}

/// The name of a kind as a word.
fn word(kind: &ExprKind) -> String {
    let debug = format!("{kind:?}");
    let word: String = debug
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    word.to_lowercase()
}
