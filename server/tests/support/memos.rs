//! A small program in bytecode: memos with a text that is required and unique, a mark, and a hidden note; one page, some
//! routes, and handlers that go wrong in every way there is.

use flin_runtime::vm::bytecode::module::*;
use flin_runtime::vm::bytecode::{
    Class, EntityTypeId, FuncId, GlobalId, ModuleBuilder, TypeId, assemble_into,
};

const FUNCTIONS: &str = r#"
function "init draft" () {
  .reference ref
  const.text r0, ""
  global.set.ref r0, draft
  ret
}
function "init clicks" () {
  .scalar i64
  const.i64 s0, 0
  global.set.i64 s0, clicks
  ret
}
function "add" () {
  .scalar bool
  .reference ref*2 any
  .line 5:3
  entity.new r0, 0
  global.get.ref r1, draft
  box.ref r2, r1
  entity.set r2, r0, 0
  const.bool s0, 0
  box.bool r2, s0
  entity.set r2, r0, 1
  const.text r1, "secret"
  box.ref r2, r1
  entity.set r2, r0, 2
  entity.save r0
  const.text r1, ""
  global.set.ref r1, draft
  ret
}
function "toggle" (ref) {
  .scalar bool
  .reference ref any
  entity.get r1, r0, 1
  unbox.bool s0, r1
  not.bool s0, s0
  box.bool r1, s0
  entity.set r1, r0, 1
  entity.save r0
  ret
}
function "remove" (ref) {
  .reference ref
  entity.delete r0
  ret
}
function "rename to fixed" (ref) {
  .reference ref*2 any
  const.text r1, "fixed"
  box.ref r2, r1
  entity.set r2, r0, 0
  entity.save r0
  ret
}
function "click" () {
  .scalar i64*2
  global.get.i64 s0, clicks
  const.i64 s1, 1
  add.i64 s0, s0, s1
  global.set.i64 s0, clicks
  ret
}
function "spin" () {
L:
  jump L
}
function "boom" () {
  .reference ref*2
  .line 77:7
  const.text r0, "OutOfPaper"
  const.text r1, "the printer has no paper"
  fail r0, r1
}
function "clock" () {
  .scalar i64
  now s0
  ret
}
function "divide" () {
  .scalar i64*2
  .line 88:8
  const.i64 s0, 1
  const.i64 s1, 0
  div.i64 s0, s0, s1
  ret
}
function "view /" () {
  .scalar i64*2 bool
  .reference ref*2 any
  view.raw "<form"
  view.on r2, 0, 0
  view.raw ">"
  view.form r2, 0, 0
  view.raw "<input"
  global.get.ref r0, draft
  box.ref r2, r0
  view.bind r2, 0, draft
  view.raw "><button>Add</button></form><p>"
  global.get.i64 s0, clicks
  view.text.i64 s0
  view.raw "</p><ul>"
  query.new r0, 0
  query.scan r0, r0
  const.i64 s0, 0
  list.len s1, r0
  lt.i64 s2, s0, s1
  jump.if s2, BODY
  jump END
BODY:
  list.get.ref r1, r0, s0
  view.raw "<li>"
  entity.get r2, r1, 0
  view.text.any r2
  view.raw "</li>"
  for.next s0, s1, BODY
END:
  view.raw "</ul>"
  ret
}
function "view /broken" () {
  .scalar i64*2
  .line 99:9
  const.i64 s0, 1
  const.i64 s1, 0
  div.i64 s0, s0, s1
  view.text.i64 s0
  ret
}
function "view /writes" () {
  .reference ref*2 any
  entity.new r0, 0
  const.text r1, "by a view"
  box.ref r2, r1
  entity.set r2, r0, 0
  entity.save r0
  ret
}
function "GET memos" () -> any {
  .reference ref any
  query.new r0, 0
  query.scan r0, r0
  box.ref r1, r0
  ret.any r1
}
function "POST memos" () -> any {
  .reference ref any*2
  entity.new r0, 0
  global.get.any r1, body
  field.get.any r2, r1, "text"
  entity.set r2, r0, 0
  entity.save r0
  box.ref r1, r0
  ret.any r1
}
function "GET seen" () -> any {
  .reference any
  global.get.any r0, request
  ret.any r0
}
function "GET params" () -> any {
  .reference any
  global.get.any r0, params
  ret.any r0
}
function "GET query" () -> any {
  .reference any
  global.get.any r0, query
  ret.any r0
}
function "GET headers" () -> any {
  .reference any
  global.get.any r0, headers
  ret.any r0
}
function "POST echo" () -> any {
  .reference any
  global.get.any r0, body
  ret.any r0
}
function "GET divide" () -> any {
  .scalar i64*2
  .reference any
  const.i64 s0, 1
  const.i64 s1, 0
  div.i64 s0, s0, s1
  box.int r0, s0
  ret.any r0
}
function "GET boom" () -> any {
  .reference ref*2
  const.text r0, "OutOfPaper"
  const.text r1, "the printer has no paper"
  fail r0, r1
}
function "GET writes" () -> any {
  .reference ref*2 any
  entity.new r0, 0
  const.text r1, "by get"
  box.ref r2, r1
  entity.set r2, r0, 0
  entity.save r0
  box.ref r2, r0
  ret.any r2
}
"#;

fn func(module: &Module, name: &str) -> FuncId {
    let found = module
        .functions
        .iter()
        .position(|function| function.name == name);
    FuncId(found.unwrap_or_else(|| panic!("no function {name}")) as u32)
}

fn entities(text: TypeId, boolean: TypeId) -> Vec<Entity> {
    let field = |name: &str, ty: TypeId, rules: Vec<Rule>| EntityField {
        name: name.to_owned(),
        ty,
        optional: rules.is_empty(),
        unique: rules.contains(&Rule::Required),
        rules,
        default: None,
        checks: Vec::new(),
        index: false,
        hidden: name == "note",
        on_delete: OnDelete::Restrict,
        was: Vec::new(),
    };
    let fields = vec![
        field("text", text, vec![Rule::Required, Rule::MaxLength(20)]),
        field("marked", boolean, Vec::new()),
        field("note", text, Vec::new()),
    ];
    let entity = |name: &str, fields| Entity {
        name: name.to_owned(),
        fields,
        inverses: Vec::new(),
        was: Vec::new(),
        keep: Keep::default(),
        line: 1,
    };
    vec![entity("Memo", fields), entity("Unread", Vec::new())]
}

/// The program.
pub fn module() -> Module {
    let mut builder = ModuleBuilder::new("memos.flin");
    let text = builder.type_desc(TypeDesc::Text);
    let int = builder.type_desc(TypeDesc::Int);
    let boolean = builder.type_desc(TypeDesc::Bool);
    let any = builder.type_desc(TypeDesc::Any);
    let memo = builder.type_desc(TypeDesc::Entity(EntityTypeId(0)));
    builder.module.entities = entities(text, boolean);
    let mut global = |name: &str, class: Class, ty: TypeId| {
        builder.global(Global {
            name: name.to_owned(),
            class,
            ty,
        })
    };
    let draft = global("draft", Class::Ref, text);
    let clicks = global("clicks", Class::I64, int);
    let injected: Vec<(Injected, GlobalId)> = [
        ("params", Injected::Params),
        ("query", Injected::Query),
        ("body", Injected::Body),
        ("headers", Injected::Headers),
        ("request", Injected::Request),
    ]
    .map(|(name, what)| (what, global(name, Class::Any, any)))
    .to_vec();
    assemble_into(&mut builder, FUNCTIONS).expect("the functions can be assembled");
    let mut module = builder.module;
    let pages = [
        ("/", "view /"),
        ("/broken", "view /broken"),
        ("/writes", "view /writes"),
    ];
    module.pages = pages
        .map(|(path, view)| page(&module, path, view, memo, draft, clicks))
        .to_vec();
    module.routes = routes(&module, &injected);
    module
}

fn routes(module: &Module, injected: &[(Injected, GlobalId)]) -> Vec<Route> {
    let routes = [
        ("GET", "/memos", "GET memos"),
        ("POST", "/memos", "POST memos"),
        ("GET", "/seen", "GET seen"),
        ("GET", "/params/:first/:second", "GET params"),
        ("GET", "/query", "GET query"),
        ("GET", "/headers", "GET headers"),
        ("POST", "/echo", "POST echo"),
        ("GET", "/divide", "GET divide"),
        ("GET", "/boom", "GET boom"),
        ("GET", "/writes-by-get", "GET writes"),
    ];
    let route = |(method, path, name): (&str, &str, &str)| Route {
        method: method.to_owned(),
        path: path.to_owned(),
        func: func(module, name),
        variables: Vec::new(),
        injected: injected.to_vec(),
        line: 1,
    };
    routes.map(route).to_vec()
}

fn page(
    module: &Module,
    path: &str,
    view: &str,
    memo: TypeId,
    draft: GlobalId,
    clicks: GlobalId,
) -> Page {
    let named = |name: &str, func: FuncId, args: Vec<NamedArg>| {
        Some(NamedCall {
            name: name.to_owned(),
            func,
            args,
        })
    };
    let plain = |event: &str, name: &str| Handler {
        event: event.to_owned(),
        func: func(module, name),
        params: Vec::new(),
        by_name: named(name, func(module, name), Vec::new()),
        ..Handler::default()
    };
    let on_memo = |name: &str, function: &str, literal: Option<&str>| {
        let mut args = vec![NamedArg::Value(memo)];
        args.extend(literal.map(|text| NamedArg::Literal(ConstValue::Text(text.to_owned()))));
        let func = func(module, function);
        let params = vec![("memo".to_owned(), memo)];
        Handler {
            event: "click".to_owned(),
            func,
            params,
            by_name: named(name, func, args),
            ..Handler::default()
        }
    };
    let variable = |global, init| PageVariable {
        global,
        kind: VariableKind::State,
        init: func(module, init),
    };
    Page {
        path: path.to_owned(),
        params: Vec::new(),
        view: func(module, view),
        variables: vec![
            variable(draft, "init draft"),
            variable(clicks, "init clicks"),
        ],
        handlers: vec![
            plain("submit", "add"),
            on_memo("toggle", "toggle", None),
            on_memo("remove", "remove", None),
            on_memo("rename", "rename to fixed", Some("fixed")),
            plain("click", "click"),
            plain("click", "spin"),
            plain("click", "boom"),
            plain("click", "clock"),
            plain("click", "divide"),
        ],
        reads: vec![EntityTypeId(0)],
        field_sources: vec![(EntityTypeId(0), 0, draft)],
        shown: vec![],
        ..Page::default()
    }
}
