//! The resolved program (HIR): names are bound, sugar is gone, markup has become ordinary expressions that write the
//! view. Here because resolving produces it, inference types it and lowering reads it. Must stay true: every name is an
//! id; every expression lives in the arena of exactly one function; a construct that has a meaning in terms of others has
//! no node of its own; there is one kind of function for pages, handlers, routes, tests and defaults alike.
#![allow(
    missing_docs,
    reason = "variants and fields are named as the construct they stand for"
)]

use flin_syntax::Span;

use crate::cases::Case;
use crate::ids::ids;

ids! {
    /// A function of the program or the prelude (named, lambda, handler, view, initialiser, …).
    FnId
    /// A local variable or parameter of one function.
    LocalId
    /// An expression of one function.
    ExprId
    /// A top-level variable.
    GlobalIx
    /// An entity declaration.
    EntityIx
    /// An enum declaration.
    EnumIx
}

/// A whole program after name resolution, prelude included.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Entities in source order.
    pub entities: Vec<EntityDef>,
    /// Enums in source order.
    pub enums: Vec<EnumDef>,
    /// Top-level variables that some function touches, in source order (others are locals of `main`).
    pub globals: Vec<Global>,
    /// All functions.
    pub functions: Vec<Function>,
    /// The other top-level statements.
    pub main: Option<FnId>,
    /// Computes consts that are no literals; runs before anything else in every VM.
    pub const_init: Option<FnId>,
    /// Pages ("/" is the view of a single file).
    pub pages: Vec<PageDef>,
    /// HTTP routes.
    pub routes: Vec<RouteDef>,
    /// Test blocks.
    pub tests: Vec<(String, FnId)>,
    /// Prelude functions by name (`map`, `__q_list`, …), for library rows of kind prelude.
    pub prelude: foldhash::HashMap<String, FnId>,
    /// There are components or layouts that no page uses: they are not in the program, but may be wrong.
    pub has_unused: bool,
}

impl Local {
    /// The only function of this program that the variable ever holds, if that is known.
    pub fn held(&self) -> Option<FnId> {
        let lambda = self
            .lambda
            .filter(|_| !self.reassigned && self.annotation.is_none());
        self.function.or(lambda)
    }
}

impl Program {
    /// What computes the default values of a function's parameters: it may run wherever the function's value is called.
    pub fn defaults_of(&self, func: FnId) -> impl Iterator<Item = FnId> {
        let params = self.functions[func.index()].params.iter();
        params.filter_map(|param| Some(param.default.as_ref()?.func))
    }
}

/// A type annotation with names bound.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeAnn {
    Any,
    None,
    Int,
    Float,
    Bool,
    Text,
    Time,
    Duration,
    Range,
    Error,
    Response,
    List(Box<TypeAnn>),
    /// Key type, value type.
    Map(Box<TypeAnn>, Box<TypeAnn>),
    Tuple(Vec<TypeAnn>),
    Optional(Box<TypeAnn>),
    Union(Vec<TypeAnn>),
    Func(Vec<TypeAnn>, Box<TypeAnn>),
    Entity(EntityIx),
    /// With its type arguments.
    Enum(EnumIx, Vec<TypeAnn>),
    /// A type parameter of a generic function or enum, by number.
    Var(u32),
}

/// A persistent entity.
#[derive(Clone, Debug)]
pub struct EntityDef {
    pub name: String,
    pub span: Span,
    pub fields: Vec<FieldDef>,
    /// Fields with `@inverse`: never stored, so no `fields`.
    pub inverses: Vec<InverseDef>,
    /// `@was`: names it had before.
    pub was: Vec<String>,
    /// `@keep`: how much history is kept.
    pub keep: flin_bytecode::module::Keep,
}

/// `todos: [Todo] @inverse(owner)`: the records of another entity that link here.
#[derive(Clone, Debug)]
pub struct InverseDef {
    pub name: String,
    pub span: Span,
    /// Whose records; none until its declaration was found to be right.
    pub of: Option<(EntityIx, u32)>,
}

/// A field of an entity.
#[derive(Clone, Debug)]
pub struct FieldDef {
    pub name: String,
    pub span: Span,
    /// Declared type without the optional mark.
    pub ty: TypeAnn,
    /// May be none once saved.
    pub optional: bool,
    /// Built-in validators, final form.
    pub rules: Vec<flin_bytecode::module::Rule>,
    /// Default value: function without parameters.
    pub default: Option<FnId>,
    /// `@check(expr)`: functions (entity) -> truthy; bare field names in it are fields of the entity.
    pub checks: Vec<FnId>,
    pub unique: bool,
    pub index: bool,
    pub hidden: bool,
    pub on_delete: flin_bytecode::module::OnDelete,
    /// `@was`: names it had before.
    pub was: Vec<String>,
}

/// An enum.
#[derive(Clone, Debug)]
pub struct EnumDef {
    pub name: String,
    pub span: Span,
    /// Number of type parameters (`TypeAnn::Var` in the data of variants).
    pub generics: u32,
    pub variants: Vec<(String, Vec<TypeAnn>)>,
}

/// A top-level variable.
#[derive(Clone, Debug)]
pub struct Global {
    pub name: String,
    pub span: Span,
    pub kind: GlobalKind,
    pub annotation: Option<TypeAnn>,
    /// Function without parameters that computes it and assigns it (state and derived of a page; script variables if
    /// the file has tests).
    pub init: Option<FnId>,
    /// The page (index into `pages`) in whose `page "/x" { … }` block it stands; none for the whole file.
    pub page: Option<u32>,
}

/// The kinds of top-level variables (functions are no globals; literal consts are inlined).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlobalKind {
    /// Computed once by `const_init`.
    Const,
    /// Page state: initialised per page view unless the browser sent it.
    State,
    /// Computed again at each render, in source order.
    Derived,
    /// Variable of a script that a function captures; assigned by `main`.
    Script,
    /// A variable part of the page's path (a text), provided by the server.
    Param,
    /// Provided by the server to a route (class any).
    Injected(flin_bytecode::module::Injected),
}

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FnKind {
    /// `fn name(…)` or `name = x => …` at top level, never assigned again.
    Named,
    /// A function value; may capture.
    Lambda,
    /// Made by the compiler: main, initialiser, default, check, handler, named-call stub, view, route, test.
    Internal,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// For traces and messages: `add`, `lambda at 3:5`, `view /`, `handler click at 12:9`.
    pub name: String,
    pub span: Span,
    pub kind: FnKind,
    pub from_prelude: bool,
    /// Number of type parameters (`TypeAnn::Var`).
    pub type_vars: u32,
    pub params: Vec<Param>,
    pub result: Option<TypeAnn>,
    pub locals: Vec<Local>,
    /// Variables of enclosing functions that this one uses, as its own locals.
    pub captures: Vec<Capture>,
    /// Enclosing function of a lambda.
    pub parent: Option<FnId>,
    pub exprs: Vec<Expr>,
    /// The body; its value is the result.
    pub body: ExprId,
    /// Views and initialisers may not write entities.
    pub read_only: bool,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    pub local: LocalId,
    pub annotation: Option<TypeAnn>,
    /// Default value; calls of a known function carry it as an explicit argument.
    pub default: Option<ParamDefault>,
}

/// What a parameter is if a call leaves it out.
#[derive(Clone, Debug)]
pub struct ParamDefault {
    /// The function that computes it.
    pub func: FnId,
    /// The earlier parameters that are its first arguments.
    pub uses: Vec<u32>,
    /// Variables that the function captures: the rest of its arguments.
    pub captured: Vec<LocalId>,
}

/// A local variable.
#[derive(Clone, Debug)]
pub struct Local {
    pub name: String,
    pub span: Span,
    pub annotation: Option<TypeAnn>,
    /// Assigned after its declaration (anywhere, inner functions included).
    pub reassigned: bool,
    /// Used by an inner function. Captured and reassigned means: lives in a cell.
    pub captured: bool,
    /// The local is the name of a function declared by `fn` inside of a function: it always holds this lambda (it may
    /// be declared without a value first, so that such functions can call each other).
    pub function: Option<FnId>,
    /// The lambda that it was declared with: what it holds if it is not `reassigned`.
    pub lambda: Option<FnId>,
    /// A tuple pattern takes its value apart: the number of items, and where the pattern stands.
    pub tuple: Option<(u32, Span)>,
}

/// A captured variable: `inner` of this function is `outer` of the parent.
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    pub outer: LocalId,
    pub inner: LocalId,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

/// Expression kinds. What has no value gives none.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// Stands where the source was wrong and a diagnostic was given; type never.
    Error,
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Milliseconds.
    Duration(i64),
    /// Interpolation: each part turned to text and joined.
    Concat(Vec<ExprId>),
    List(Vec<ExprId>),
    /// Map literal.
    Record(Vec<RecordEntry>),
    Tuple(Vec<ExprId>),
    /// Range value: from, to, inclusive.
    Range(ExprId, ExprId, bool),
    Local(LocalId),
    /// Declares (fresh cell per execution if it needs one) and initialises; none when no value is given.
    Let(LocalId, Option<ExprId>),
    SetLocal(LocalId, ExprId),
    Global(GlobalIx),
    SetGlobal(GlobalIx, ExprId),
    /// A named function as a value.
    FnRef(FnId),
    /// A lambda as a value.
    Lambda(FnId),
    /// Call of a known function; arguments complete and in order.
    CallFn(FnId, Vec<ExprId>),
    /// Call of a function value.
    CallValue(ExprId, Vec<ExprId>),
    /// Call of a library function by plain name.
    CallLib(String, Vec<ExprId>),
    /// `recv.name(args)`: library function, query method or a function in a record, by the receiver's type.
    Method {
        recv: ExprId,
        name: String,
        name_span: Span,
        args: Vec<ExprId>,
        optional: bool,
    },
    /// `recv.name` without parentheses: field, map key or library function without further arguments, by the receiver's type.
    Field {
        recv: ExprId,
        name: String,
        name_span: Span,
        optional: bool,
    },
    SetField {
        recv: ExprId,
        name: String,
        name_span: Span,
        value: ExprId,
    },
    Index(ExprId, ExprId),
    SetIndex(ExprId, ExprId, ExprId),
    Slice {
        recv: ExprId,
        from: Option<ExprId>,
        to: Option<ExprId>,
        step: Option<ExprId>,
    },
    Neg(ExprId),
    Not(ExprId),
    Binary(BinOp, ExprId, ExprId),
    /// `a && b`, `a || b`: by truthiness, giving one of the operands.
    And(ExprId, ExprId),
    Or(ExprId, ExprId),
    /// `a ?: b`
    Coalesce(ExprId, ExprId),
    /// `a in b`
    In(ExprId, ExprId),
    /// `e is T` (negation is `Not`).
    Is(ExprId, TypeAnn),
    /// Statements in order; the value is the last one's if `has_value`.
    Block(Vec<ExprId>, bool),
    If {
        cond: ExprId,
        then: ExprId,
        otherwise: Option<ExprId>,
    },
    While {
        label: u32,
        cond: ExprId,
        body: ExprId,
    },
    /// `for i in a..b`: fresh `var` per turn.
    ForRange {
        label: u32,
        var: LocalId,
        from: ExprId,
        to: ExprId,
        inclusive: bool,
        body: ExprId,
    },
    /// `for v in xs`, `for v, i in xs`, `for k, v in map` (first and second as written), `empty` runs when there was no turn.
    For {
        label: u32,
        first: LocalId,
        second: Option<LocalId>,
        iter: ExprId,
        body: ExprId,
        empty: Option<ExprId>,
    },
    /// Labels number the loops of a function.
    Loop {
        label: u32,
        body: ExprId,
    },
    Break(u32, Option<ExprId>),
    Continue(u32),
    Return(Option<ExprId>),
    /// `try e`: the value, or an error value.
    Try(ExprId),
    TryCatch {
        body: ExprId,
        error: Option<LocalId>,
        handler: ExprId,
    },
    /// Entity literal; missing fields get their defaults.
    EntityNew(EntityIx, Vec<(u32, ExprId)>),
    Save(ExprId),
    Delete(ExprId),
    Restore(ExprId),
    Destroy(ExprId),
    /// The name of an entity used as a query over all its records.
    Query(EntityIx),
    /// A bare name in a query argument: the field of `it` if the entity has it, else `outer`.
    ImplicitField {
        it: LocalId,
        name: String,
        outer: Option<ExprId>,
    },
    /// The argument of a method that may be a query's or another value's: a lambda over the entity if the receiver is a
    /// query, else the plain value.
    QueryArg {
        lambda: ExprId,
        plain: ExprId,
    },
    /// Enum variant without data, or constructor call.
    Variant(EnumIx, u32, Vec<ExprId>),
    /// Whether a value is this variant of this enum.
    IsVariant(ExprId, EnumIx, u32),
    /// Data number n of a value that is this variant.
    VariantData(ExprId, EnumIx, u32, u32),
    /// What the arms of a `match` over this variable take, before any of them is tried. Does nothing; if values are left
    /// that no arm takes, the match is not exhaustive (diagnostic).
    Cases(LocalId, Vec<Case>),
    /// `assert cond` without a message: the text of the condition is the message (span of `cond`).
    Assert(ExprId),
    /// `response { … }`: the record.
    Response(ExprId),
    // --- what a view writes; in source order inside the view's function
    /// Literal markup.
    ViewRaw(String),
    /// Characters to show.
    ViewChars(String),
    ViewElement(Box<ViewElement>),
    /// What a branch of an `{if}` shows.
    ViewBlock(Vec<ExprId>),
    /// An `{if}` without `{else}` shows nothing.
    ViewNothing,
    /// What a loop shows in a turn.
    ViewItem(ViewItem),
    /// What a loop without turns shows.
    ViewEmpty(Vec<ExprId>),
    /// `{e}` in text.
    ViewText(ExprId),
    /// `{raw(e)}`
    ViewHtml(ExprId),
    /// `name={e}`, `name="a {e}"`.
    ViewAttr {
        name: String,
        place: AttrPlace,
        value: ExprId,
    },
    /// A style attribute with values in it: all that is written for it.
    ViewStyle(Vec<ExprId>),
    ViewBind {
        global: GlobalIx,
        control: Control,
        part: Option<BoundPart>,
    },
    /// `selected` of an option or `checked` of a radio button: own value, bound value.
    ViewOption {
        own: ExprId,
        bound: ExprId,
        radio: bool,
    },
    /// Handler `handler` of the page; the captured values in the order of its function's parameters.
    ViewOn {
        handler: u32,
        args: Vec<ExprId>,
        button: bool,
    },
    /// Hidden inputs of a form with a submit handler.
    ViewForm {
        handler: u32,
        args: Vec<ExprId>,
    },
    /// The children go to the document head.
    ViewHead(Vec<ExprId>),
}

/// An element.
#[derive(Clone, Debug)]
pub struct ViewElement {
    pub name: String,
    /// What its tag holds, in source order: literal markup, attributes, declarations of what they need.
    pub attributes: Vec<ExprId>,
    /// None: it has no content and no closing tag.
    pub content: Option<Vec<ExprId>>,
}

/// What a loop shows in one turn.
#[derive(Clone, Debug)]
pub struct ViewItem {
    /// `key={e}`
    pub key: Option<ExprId>,
    /// The loop's variable and what it walks over: what gives the item its key if the program gives none.
    pub of: Option<(LocalId, ExprId)>,
    pub content: Vec<ExprId>,
}

/// Escaping place of an attribute value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AttrPlace {
    Plain = 0,
    Boolean = 1,
    Url = 2,
    Style = 3,
    /// Inside of a style whose attribute is written already.
    StyleValue = 4,
    /// Inside of the `url(…)` of such a style.
    StyleUrl = 5,
}

/// Kind of a bound control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Control {
    Text = 0,
    Number = 1,
    Checkbox = 2,
    Radio = 3,
    Select = 4,
    Textarea = 5,
    /// `<input type="date">`
    Day = 6,
    /// `<input type="datetime-local">`
    Moment = 7,
    /// `<select multiple>`
    Several = 8,
}

/// Entry of a map literal.
#[derive(Clone, Debug)]
pub enum RecordEntry {
    Field(String, Span, ExprId),
    Spread(ExprId),
}

/// Binary operators that are plain operations on two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A page.
#[derive(Clone, Debug)]
pub struct PageDef {
    pub path: String,
    pub view: FnId,
    pub handlers: Vec<HandlerDef>,
    pub span: Span,
}

/// What a control is bound to if it is not the whole variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundPart {
    /// Its value.
    pub value: ExprId,
    /// The fields and items of the variable that lead to it, evaluated before; for its type only, no operand.
    pub target: ExprId,
    /// Its address as text: the variable, names and positions, with points between.
    pub path: ExprId,
}

/// An event handler.
#[derive(Clone, Debug)]
pub struct HandlerDef {
    /// `click`, `submit`, `keydown.enter`.
    pub event: String,
    /// Its parameters are the free variables of the handler.
    pub func: FnId,
    /// If the handler is one call of a named function.
    pub named: Option<NamedDef>,
    pub span: Span,
}

/// How a by-hand request may name a handler.
#[derive(Clone, Debug)]
pub struct NamedDef {
    /// Name of the called function.
    pub name: String,
    /// Function with one parameter per argument that is no literal; calls the function.
    pub stub: FnId,
    /// Arguments; a value names its expression inside the handler function (for its type).
    pub args: Vec<NamedArgDef>,
}

/// One argument of a named handler call.
#[derive(Clone, Debug)]
pub enum NamedArgDef {
    Literal(flin_bytecode::module::ConstValue),
    Value(ExprId),
}

/// An HTTP route; injected values are globals.
#[derive(Clone, Debug)]
pub struct RouteDef {
    pub method: String,
    pub path: String,
    pub func: FnId,
    pub span: Span,
}
