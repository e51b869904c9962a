//! Modules that the verifier must refuse, with the sentence it gives. Here because both engines trust what it accepts.
//! Must stay true: every variant of `VerifyFault` that a text can provoke has a case in `refused.txt`.
//!
//! A case is `=== name`, a module as text, `---` and the expected sentence (rewritten by `BLESS=1`).

use std::fmt::Write as _;
use std::path::Path;

use flin_bytecode::{VerifyFault, assemble, module::*, verify, *};

#[test]
fn bad_modules_are_refused_with_a_reason() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused.txt");
    let text = std::fs::read_to_string(&path).expect("refused.txt");
    let mut actual = String::new();
    let mut cases = 0;
    for case in text.split("=== ").filter(|c| !c.trim().is_empty()) {
        let (name, rest) = case.split_once('\n').expect("a name line");
        let module = rest.split("---\n").next().expect("a module");
        let parsed = assemble(module).unwrap_or_else(|e| panic!("{name}: {e}"));
        let message = match verify(&parsed) {
            Ok(()) => "accepted".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            message == "accepted",
            name.starts_with("accepted"),
            "{name}: {message}"
        );
        let _ = write!(actual, "=== {name}\n{module}---\n{message}\n\n");
        cases += 1;
    }
    assert!(cases >= 40, "{cases} cases");
    flin_testkit::golden::check(&path, &actual);
}

/// Cases that text cannot express: (what is wrong, module).
#[test]
fn bad_tables_are_refused_with_a_reason() {
    let good = || {
        assemble("type int\nglobal g any #0\nfunction f () {\n ret\n}\nfunction r () -> any {\n .reference any\n none.any r0\n ret.any r0\n}\nfunction h (i64) {\n .scalar i64\n ret\n}").expect("assembles")
    };
    let page = || Page {
        path: "/".into(),
        view: FuncId(0),
        variables: vec![],
        handlers: vec![],
        reads: vec![],
        field_sources: vec![],
    };
    let route = |func| Route {
        method: "GET".into(),
        path: "/".into(),
        func,
        injected: vec![],
        variables: vec![],
        line: 1,
    };
    let entity = |name: &str| Entity {
        name: name.into(),
        fields: vec![],
        line: 1,
    };
    let field = |ty| EntityField {
        name: "a".into(),
        ty: TypeId(ty),
        optional: true,
        rules: vec![],
        default: None,
        checks: vec![],
        unique: false,
        index: false,
        hidden: false,
        on_delete: OnDelete::Restrict,
    };
    let message = |change: &dyn Fn(&mut Module)| {
        let mut module = good();
        assert_eq!(verify(&module), Ok(()));
        change(&mut module);
        verify(&module).expect_err("refused").to_string()
    };
    assert_eq!(
        message(&|m| m.main = Some(FuncId(9))),
        "main: there is no function 9 (there are 3)"
    );
    assert_eq!(
        message(&|m| m.main = Some(FuncId(2))),
        "main: `h` cannot be used as an entry point: expected no parameters"
    );
    assert_eq!(
        message(&|m| m.routes.push(route(FuncId(0)))),
        "routes, entry 0: `f` cannot be used as a route: expected no parameters, result any"
    );
    assert_eq!(
        message(&|m| {
            let mut page = page();
            page.handlers.push(Handler {
                event: "click".into(),
                func: FuncId(2),
                params: vec![],
                by_name: None,
            });
            m.pages.push(page);
        }),
        "pages, entry 0: `h` cannot be used as a handler: expected as many parameters as the page sends values"
    );
    assert_eq!(
        message(&|m| m.entities.extend([entity("A"), entity("A")])),
        "entities, entry 1: two entities are called `A`"
    );
    assert_eq!(
        message(&|m| {
            let mut entity = entity("A");
            entity.fields.push(field(5));
            m.entities.push(entity);
        }),
        "entities, entry 0: there is no type 5 (there are 1)"
    );
    assert_eq!(
        message(&|m| {
            let mut entity = entity("A");
            entity.fields.push(EntityField {
                default: Some(FuncId(0)),
                ..field(0)
            });
            m.entities.push(entity);
        }),
        "entities, entry 0: `f` cannot be used as a default value: expected no parameters, result any"
    );
    assert_eq!(
        message(&|m| m.types.push(TypeDesc::Entity(EntityTypeId(0)))),
        "types, entry 1: there is no entity 0 (there are 0)"
    );
    assert_eq!(
        message(&|m| m.functions[0].code[0] = 0xffff),
        "function 0 `f`, instruction 0: there is no operation number 65535 (the highest is 203)"
            .replace("203", &(Op::COUNT - 1).to_string())
    );
    assert_eq!(
        message(&|m| m.functions[0].code.clear()),
        "function 0 `f`: there are no instructions (or more than 4194304)"
    );
    let deep = message(&|m| (0..100).for_each(|n| m.types.push(TypeDesc::Optional(TypeId(n)))));
    assert_eq!(
        deep,
        "types, entry 65: optional or union types contain themselves, or are nested more than 64 deep"
    );
}

/// A flow that would take very long to follow is refused, not followed.
#[test]
fn tangled_flow_is_refused_in_bounded_time() {
    let mut text = String::from(
        "function f () {\n .scalar bool*250 i64*250\n .reference any*250\n const.bool s0, 0\n",
    );
    text.push_str("S:\n");
    for n in 0..30_000 {
        let _ = writeln!(text, "L{n}:\n jump.if s0, L{}", (n * 7919) % 30_000);
    }
    text.push_str(" ret\n}\n");
    let module = assemble(&text).expect("assembles");
    match verify(&module) {
        Ok(()) => {}
        Err(error) => assert_eq!(error.fault, VerifyFault::TooComplex),
    }
}
