//! The module: everything one compiled program consists of, as plain data. Here because compiler (producer), `.fbc`
//! reader and writer, verifier, VM, runtime and server all share it. Must stay true: it holds no pointers and no
//! behaviour but its own names; every id in it is checked by the verifier before anything runs.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::class::Class;
use crate::ids::{ConstId, EntityTypeId, FuncId, GlobalId, LibId, ShapeId, TypeId};
use crate::query::Queries;
use crate::template::{Runs, Template};

/// One compiled program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Module {
    /// Path of the main source file as given to the compiler, for messages.
    pub source_name: String,
    /// The source files of a project, in the order in which their lines are counted as one; empty if there is one file.
    pub files: Vec<SourceFile>,
    /// Constant pool.
    pub constants: Vec<Const>,
    /// Value types, as far as something at run time must know them (wire, fields, `is` tests).
    pub types: Vec<TypeDesc>,
    /// Record shapes named by `record.*` ops.
    pub shapes: Vec<Shape>,
    /// Persistent entities, in source order.
    pub entities: Vec<Entity>,
    /// Enums.
    pub enums: Vec<EnumDef>,
    /// Top-level variables that functions, views or handlers touch.
    pub globals: Vec<Global>,
    /// Call signatures used by `call.closure`.
    pub signatures: Vec<Signature>,
    /// All functions, prelude instances included.
    pub functions: Vec<Function>,
    /// Computes the `const`s; no arguments. Runs first in every machine, before anything else of the program.
    pub const_init: Option<FuncId>,
    /// Runs the other top-level statements once (`flinvm run`, or before the first request of `serve`).
    pub main: Option<FuncId>,
    /// Pages (a view at top level is the page "/").
    pub pages: Vec<Page>,
    /// HTTP routes.
    pub routes: Vec<Route>,
    /// `test "name" { }` blocks.
    pub tests: Vec<TestBlock>,
    /// What its queries ask.
    pub queries: Queries,
    /// The files of the project's `public/`, by path.
    pub assets: Vec<Asset>,
}

/// One of several source files: all lines of the program, of functions, entities and routes, are counted through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, for messages.
    pub name: String,
    /// The number of its first line.
    pub first_line: u32,
}

/// A file that is served as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Where it stands below `public/`, with `/` between folders and none at the start.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Asset {
    /// Its path with 16 hexadecimal digits of the SHA-256 of its content, `img/logo-0123456789abcdef.png` for
    /// `img/logo.png`: another content has another one, so what stands there may be kept for ever.
    #[must_use]
    pub fn hashed_path(&self) -> String {
        let digest = Sha256::digest(&self.bytes);
        let hash = digest.iter().take(8).fold(String::new(), |mut hash, byte| {
            write!(hash, "{byte:02x}").expect("a String takes everything");
            hash
        });
        let folder = self.path.rfind('/').map_or(0, |at| at + 1);
        match self.path[folder..].rfind('.') {
            Some(at) if at > 0 => {
                let (stem, ending) = self.path.split_at(folder + at);
                format!("{stem}-{hash}{ending}")
            }
            Some(_) | None => format!("{}-{hash}", self.path),
        }
    }
}

impl Module {
    /// The file of a line that was counted through all files, and the line's number in it.
    pub fn file_of_line(&self, line: u32) -> (&str, u32) {
        let after = self.files.partition_point(|file| file.first_line <= line);
        match after.checked_sub(1).map(|at| &self.files[at]) {
            Some(file) => (&file.name, line - file.first_line + 1),
            None => (&self.source_name, line),
        }
    }
}

/// A pooled constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    /// An integer too big for an immediate.
    Int(i64),
    /// A float, by its bits.
    Float(f64),
    /// A text (also names of fields, attributes, markup pieces).
    Text(String),
}

/// A value type as the runtime needs it: to decode wire values, convert store values and test `is`.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeDesc {
    /// Anything.
    Any,
    /// `none` only.
    None,
    /// 64-bit integer.
    Int,
    /// Double.
    Float,
    /// Boolean.
    Bool,
    /// Text.
    Text,
    /// Point in time.
    Time,
    /// Span of time.
    Duration,
    /// List of one element type, stored by the element class.
    List(TypeId, Class),
    /// Map with text-like keys and values of one type.
    Map(TypeId),
    /// Record: shape with its field types.
    Record(ShapeId, Vec<TypeId>),
    /// Tuple.
    Tuple(Vec<TypeId>),
    /// Link to or object of an entity.
    Entity(EntityTypeId),
    /// Enum, by index into `Module::enums`.
    Enum(u32),
    /// Optional: the type or none.
    Optional(TypeId),
    /// Union of several types.
    Union(Vec<TypeId>),
    /// Error value.
    Error,
    /// HTTP answer (`response { }`, `redirect(url)`).
    Response,
    /// A function (cannot travel).
    Function,
    /// A lazy query over an entity type (cannot travel).
    Query(EntityTypeId),
    /// Two-ended integer range.
    Range,
}

/// Ordered field names and classes of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Field names (text constants) and slot classes, in slot order.
    pub fields: Vec<(ConstId, Class)>,
}

/// A persistent entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// Name as in the source.
    pub name: String,
    /// Declared fields in source order.
    pub fields: Vec<EntityField>,
    /// Lists of the records that link here: computed when they are read, never stored.
    pub inverses: Vec<Inverse>,
    /// `@was`: names it had before.
    pub was: Vec<String>,
    /// `@keep`: how much history is kept.
    pub keep: Keep,
    /// Position of the declaration.
    pub line: u32,
}

/// `@keep(versions: n, days: n)`: how much of a record's history is kept; none: all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// So many versions, the newest one included.
    pub versions: Option<u32>,
    /// Versions that were replaced at most so many days ago.
    pub days: Option<u32>,
}

/// `todos: [Todo] @inverse(owner)`: the records of another entity whose link goes here.
#[derive(Clone, Debug, PartialEq)]
pub struct Inverse {
    /// Name as in the source.
    pub name: String,
    /// The entity whose records are listed.
    pub entity: EntityTypeId,
    /// Its field that holds the link.
    pub field: u32,
}

/// A declared field of an entity. The slot always holds an `any` word.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityField {
    /// Name as in the source.
    pub name: String,
    /// Declared type without its optional mark.
    pub ty: TypeId,
    /// May hold none once saved (no `@required`, and no default or a `?`).
    pub optional: bool,
    /// Built-in validators, in source order (each checked by `entity.save`).
    pub rules: Vec<Rule>,
    /// Function of no arguments giving the default value (its own result class).
    pub default: Option<FuncId>,
    /// `@check(expr)`: function (entity ref) -> bool.
    pub checks: Vec<FuncId>,
    /// `@unique`.
    pub unique: bool,
    /// `@index`.
    pub index: bool,
    /// `@hidden`: left out of JSON and of every message to a browser.
    pub hidden: bool,
    /// `@on_delete`, for references.
    pub on_delete: OnDelete,
    /// `@was`: names it had before.
    pub was: Vec<String>,
}

/// What happens to a referring record when the record it links to is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// Deleting is refused.
    #[default]
    Restrict,
    /// The link becomes none.
    SetNone,
    /// The referring record is deleted too.
    Cascade,
}

/// A built-in validator of a field. The decorator's name is the `rule` of a ValidationError.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// `@required`: refuses none and empty text.
    Required,
    /// `@min(n)`: numbers by value, text and lists by length.
    Min(f64),
    /// `@max(n)`.
    Max(f64),
    /// `@minLength(n)`.
    MinLength(u32),
    /// `@maxLength(n)`.
    MaxLength(u32),
    /// `@positive`: greater than 0.
    Positive,
    /// `@email`.
    Email,
    /// `@url`.
    Url,
    /// `@pattern("re")`.
    Pattern(String),
    /// `@one_of(...)`, compared as text.
    OneOf(Vec<String>),
    /// `@immutable`: may not change after the first save.
    Immutable,
}

/// An enum.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumDef {
    /// Name as in the source.
    pub name: String,
    /// Variants with the types of their data.
    pub variants: Vec<(String, Vec<TypeId>)>,
}

/// A top-level variable that more than the main function touches.
#[derive(Clone, Debug, PartialEq)]
pub struct Global {
    /// Name as in the source.
    pub name: String,
    /// Class of its slot.
    pub class: Class,
    /// Its type, for wire and messages.
    pub ty: TypeId,
}

/// Parameter and result classes of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Parameter classes in order (the closure itself not counted).
    pub params: Vec<Class>,
    /// Result class; none for a function without value.
    pub result: Option<Class>,
}

impl Signature {
    /// Where a call leaves its result, counted from the start of the window in the result's bank: in the first register,
    /// unless that one carries an argument of another class (a register has one class in its whole function); then one
    /// past the arguments of that bank. The closure object counts as an argument of class `ref`. 0 without a result.
    pub fn result_slot(&self, is_closure: bool) -> usize {
        let Some(result) = self.result else { return 0 };
        let bank = result.bank();
        let closure = (is_closure && bank == Class::Ref.bank()).then_some(Class::Ref);
        let mut classes = closure
            .into_iter()
            .chain(self.params.iter().copied().filter(|c| c.bank() == bank));
        match classes.next() {
            None => 0,
            Some(first) if first == result => 0,
            Some(_) => 1 + classes.count(),
        }
    }
}

/// One function. Scalar parameters fill the scalar bank from register 0 in order, reference parameters the reference
/// bank likewise; in a closure (`captures` not empty or `is_closure`) reference register 0 is the closure itself and
/// parameters follow. The result is left where `Signature::result_slot` says, in its bank of the callee's window.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Name for traces (`main`, `add`, `lambda at 12:5`, `view /`).
    pub name: String,
    /// Classes of parameters and result.
    pub signature: Signature,
    /// Whether reference register 0 holds the closure object.
    pub is_closure: bool,
    /// Classes of the captured values, in slot order (a cell is `Ref`).
    pub captures: Vec<Class>,
    /// Which functions a call of this closure with fewer arguments enters: without the last one, without the last two, …
    /// They have the same captures, and fill in what was left out.
    pub entries: Vec<FuncId>,
    /// Classes of the scalar registers (each `I64`, `F64` or `Bool`); its length is the size of the scalar frame.
    pub scalar_regs: Vec<Class>,
    /// Classes of the reference registers (each `Ref` or `Any`).
    pub ref_regs: Vec<Class>,
    /// Instruction words (`crate::encode`).
    pub code: Vec<u64>,
    /// Where errors are caught, innermost first.
    pub catches: Vec<Catch>,
    /// (first instruction, line, column), ascending by instruction; lines and columns from 1.
    pub lines: Vec<(u32, u32, u32)>,
    /// Which source file `lines` speak of: false is the program, true the prelude.
    pub from_prelude: bool,
    /// (instruction, library row, parameter), ascending by instruction: what an error about the value there speaks of.
    pub arguments: Vec<(u32, u16, u8)>,
    /// Calls that the compiler replaced by the called function's code.
    pub inlined: Vec<Inlined>,
    /// (first instruction, scope), ascending by instruction: 0 is the function itself, n is `inlined[n - 1]`, whose source
    /// file `lines` speak of there.
    pub scopes: Vec<(u32, u32)>,
}

/// A call that the compiler replaced by the called function's code. Errors in it have the trace that the call would give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    /// The called function.
    pub func: FuncId,
    /// The scope of the call; scopes come before those inside of them.
    pub outer: u32,
    /// Where the call stands.
    pub line: u32,
    /// Where in that line.
    pub column: u32,
}

impl Function {
    /// Line and column of an instruction, and its scope.
    pub fn place_of(&self, instruction: u32) -> (u32, u32, u32) {
        let before = self
            .lines
            .partition_point(|(start, ..)| *start <= instruction);
        let (line, column) = match before.checked_sub(1) {
            Some(at) => (self.lines[at].1, self.lines[at].2),
            None => (0, 0),
        };
        let before = self
            .scopes
            .partition_point(|(start, _)| *start <= instruction);
        let scope = before.checked_sub(1).map_or(0, |at| self.scopes[at].1);
        (line, column, scope)
    }

    /// The library row and parameter that an error about the value made or checked by an instruction speaks of.
    pub fn argument_of(&self, instruction: u32) -> Option<(LibId, usize)> {
        let at = self
            .arguments
            .binary_search_by_key(&instruction, |(at, ..)| *at)
            .ok()?;
        let (_, row, parameter) = self.arguments[at];
        Some((LibId(row), usize::from(parameter)))
    }
}

/// A protected range: an error raised at `start <= pc < end` continues at `target` with the error object in `reg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Catch {
    /// First protected instruction.
    pub start: u32,
    /// One past the last protected instruction.
    pub end: u32,
    /// Where to continue.
    pub target: u32,
    /// Reference register (class `Ref`) that receives the error object.
    pub reg: u16,
}

/// A page: what `GET` of its path renders and what its actions may do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Path, "/" for the view of a single file. `:name` stands for one part, `*name` at the end for one or more.
    pub path: String,
    /// Globals (texts) that receive the variable parts of the path, with their names; those that the program uses.
    pub params: Vec<(String, GlobalId)>,
    /// Function of no arguments that writes the view into the output.
    pub view: FuncId,
    /// Top-level variables in source order: how each gets its value before the view or a handler runs.
    pub variables: Vec<PageVariable>,
    /// Handlers in the order of the view.
    pub handlers: Vec<Handler>,
    /// Which entity types the page can read (their changes are pushed to it).
    pub reads: Vec<EntityTypeId>,
    /// Which entity types its handlers can save, delete, restore or destroy.
    pub writes: Vec<EntityTypeId>,
    /// (entity, field, state variable): an input bound to the variable feeds the field; for messages at the field.
    pub field_sources: Vec<(EntityTypeId, u32, GlobalId)>,
    /// Variables that the view reads for more than to fill the control bound to them: while one of these is typed, the
    /// page follows.
    pub shown: Vec<GlobalId>,
    /// What is fixed in the view and the places of what changes; 0 is the whole view.
    pub templates: Vec<Template>,
    /// State variables that places of the server read: a change of one asks the server for what they are now.
    pub asks: Vec<GlobalId>,
    /// Function of no arguments that writes only the places of the root block that the browser owns (the others are
    /// absent); none if there are none. It is what the script of the page computes, and never run by the server.
    pub browser_view: Option<FuncId>,
    /// The page's script, an ES module; empty if it has none.
    pub script: String,
    /// The source map of the script; empty if it has none.
    pub source_map: String,
}

/// A top-level variable of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageVariable {
    /// The global.
    pub global: GlobalId,
    /// Whether it is page state (sent to the browser, kept, settable by it) or derived (computed again each time).
    pub kind: VariableKind,
    /// Function of no arguments that computes it and stores it in the global.
    pub init: FuncId,
}

/// What kind of page variable it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableKind {
    /// Initialised per page view unless the browser sent it.
    State,
    /// Computed again at each render.
    Derived,
}

/// Parameters of a handler with this at the start of their names are what the browser tells of the event: `event.value`.
/// They are the last ones, and no name of a program can begin like this.
pub const EVENT_PARAM_PREFIX: &str = "event.";

/// A state variable whose name is that of another one and this says how far that one is: none (settled), [`LOADING`],
/// [`LOAD`], or the message of what went wrong. No name of a program can end like this.
pub const STATUS_SUFFIX: &str = "?";

/// Status of a variable that another server is still to be asked for.
pub const LOADING: &str = "";

/// Status that is sent to have the variable asked for now.
pub const LOAD: &str = "load";

/// An event handler in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handler {
    /// DOM event (`click`, `submit`, …) with modifiers (`keydown.enter`).
    pub event: String,
    /// Function that runs it; its parameters are the free variables of the handler, in order.
    pub func: FuncId,
    /// Name and type of each free variable that travels through the page.
    pub params: Vec<(String, TypeId)>,
    /// If the handler is one call of a named function: how a by-hand request may name it.
    pub by_name: Option<NamedCall>,
    /// Where it runs. What runs in the browser can run on the server too.
    pub runs: Runs,
    /// State variables that it can assign or change inside.
    pub assigns: Vec<GlobalId>,
}

/// `toggle(todo, "x")` as a by-hand request may ask for it.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedCall {
    /// Function name.
    pub name: String,
    /// Function that takes one argument per entry of `args` that is not a literal, in order (a checking stub).
    pub func: FuncId,
    /// Each argument: a literal that the view fixes, or a value of a type.
    pub args: Vec<NamedArg>,
}

/// One argument of a `NamedCall`.
#[derive(Clone, Debug, PartialEq)]
pub enum NamedArg {
    /// The view has this literal here; a request must send the same.
    Literal(ConstValue),
    /// A value of this type, taken from the request.
    Value(TypeId),
}

/// A literal argument.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstValue {
    /// none
    None,
    /// true or false
    Bool(bool),
    /// integer
    Int(i64),
    /// float
    Float(f64),
    /// text
    Text(String),
}

/// An HTTP route. The function takes no arguments: `params query body headers request` are globals set before the call
/// (see `RouteGlobals`); its result has class `any`.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Upper-case method.
    pub method: String,
    /// Path pattern with `:name` parts.
    pub path: String,
    /// Runs the route.
    pub func: FuncId,
    /// Globals (class `any`) that receive the injected values, as far as the program uses them.
    pub injected: Vec<(Injected, GlobalId)>,
    /// Top-level variables that the route needs, also through the functions it calls, in source order.
    pub variables: Vec<PageVariable>,
    /// Position of the declaration.
    pub line: u32,
}

/// A value that the server provides to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Injected {
    /// Path parameters, a map of text.
    Params = 0,
    /// Query string, a map of text.
    Query = 1,
    /// Decoded JSON or form body.
    Body = 2,
    /// Request headers, lower-case names.
    Headers = 3,
    /// `{ method, path, url, remote }`.
    Request = 4,
    /// Cookies, a map of text.
    Cookies = 5,
}

/// A `test "name" { }` block.
#[derive(Clone, Debug, PartialEq)]
pub struct TestBlock {
    /// Its name.
    pub name: String,
    /// Runs it.
    pub func: FuncId,
    /// Top-level variables that the test needs, also through the functions it calls, in source order.
    pub variables: Vec<PageVariable>,
    /// Position of the declaration.
    pub line: u32,
}

#[cfg(test)]
mod tests {
    use super::Asset;

    #[test]
    fn names_with_a_hash() {
        // SHA-256 of nothing begins so.
        let h = "e3b0c44298fc1c14";
        for (path, name) in [
            ("logo.png", format!("logo-{h}.png")),
            ("img/a.b/logo.min.svg", format!("img/a.b/logo.min-{h}.svg")),
            ("a.b/LICENSE", format!("a.b/LICENSE-{h}")),
            (".well-known", format!(".well-known-{h}")),
        ] {
            let asset = Asset {
                path: path.to_owned(),
                bytes: Vec::new(),
            };
            assert_eq!(asset.hashed_path(), name);
        }
    }
}
