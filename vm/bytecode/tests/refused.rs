//! Modules that the verifier must refuse, with the sentence it gives. Here because both engines trust what it accepts.
//! Must stay true: every variant of `VerifyFault` that a text can provoke has a case in `refused.txt`.
//!
//! A case is `=== name`, a module as text, `---` and the expected sentence (rewritten by `BLESS=1`).

use std::fmt::Write as _;
use std::path::Path;

use flin_bytecode::{CodeFault, VerifyFault, assemble, module::*, verify, *};

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

/// A module that is accepted: functions `f` (plain), `r` (result any), `h` (one parameter).
fn good() -> Module {
    let text = "type int\nglobal g any #0\nfunction f () {\n ret\n}\nfunction r () -> any {\n .reference any\n none.any r0\n \
                ret.any r0\n}\nfunction h (i64) {\n .scalar i64\n ret\n}";
    assemble(text).expect("assembles")
}

/// Why the changed module is refused.
fn refusal(change: impl Fn(&mut Module)) -> String {
    let mut module = good();
    assert_eq!(verify(&module), Ok(()));
    change(&mut module);
    verify(&module).expect_err("refused").to_string()
}

fn entity(name: &str, fields: Vec<EntityField>) -> Entity {
    Entity {
        name: name.into(),
        fields,
        inverses: Vec::new(),
        was: Vec::new(),
        keep: Keep::default(),
        line: 1,
    }
}

fn field(ty: u32) -> EntityField {
    EntityField {
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
        was: Vec::new(),
    }
}

#[test]
fn entry_points_of_another_form_are_refused() {
    assert_eq!(
        refusal(|m| m.main = Some(FuncId(9))),
        "main: there is no function 9 (there are 3)"
    );
    assert_eq!(
        refusal(|m| m.main = Some(FuncId(2))),
        "main: `h` cannot be used as an entry point: expected no parameters"
    );
    let route = |func| Route {
        method: "GET".into(),
        path: "/".into(),
        func,
        injected: vec![],
        variables: vec![],
        line: 1,
    };
    assert_eq!(
        refusal(|m| m.routes.push(route(FuncId(0)))),
        "routes, entry 0: `f` cannot be used as a route: expected no parameters, result any"
    );
    assert_eq!(
        refusal(|m| {
            let handlers = vec![Handler {
                event: "click".into(),
                func: FuncId(2),
                params: vec![],
                by_name: None,
                ..Handler::default()
            }];
            let (variables, reads, field_sources) = (vec![], vec![], vec![]);
            m.pages.push(Page {
                path: "/".into(),
                params: vec![],
                view: FuncId(0),
                variables,
                handlers,
                reads,
                field_sources,
                shown: vec![],
                ..Page::default()
            });
        }),
        "pages, entry 0: `h` cannot be used as a handler: expected as many parameters as the page sends values"
    );
}

#[test]
fn bad_templates_are_refused() {
    let page = |kind, asks: Vec<GlobalId>| Page {
        path: "/".into(),
        view: FuncId(0),
        templates: vec![Template {
            places: vec![TemplatePlace {
                kind,
                owner: Owner::Server,
            }],
            ..Template::default()
        }],
        asks,
        ..Page::default()
    };
    let refused = |kind: PlaceKind| refusal(|m| m.pages.push(page(kind.clone(), Vec::new())));
    let no_template = "pages, entry 0: there is no template 1 (there are 1)";
    assert_eq!(refused(PlaceKind::Block(vec![0, 1])), no_template);
    let list = |item, empty| PlaceKind::List(ListPlace { item, empty });
    assert_eq!(refused(list(1, None)), no_template);
    assert_eq!(refused(list(0, Some(1))), no_template);
    assert_eq!(
        refusal(|m| m.pages.push(page(PlaceKind::Text, vec![GlobalId(99)]))),
        "pages, entry 0: there is no global 99 (there are 1)"
    );
}

#[test]
fn bad_entities_and_types_are_refused() {
    assert_eq!(
        refusal(|m| m
            .entities
            .extend([entity("A", vec![]), entity("A", vec![])])),
        "entities, entry 1: two entities are called `A`"
    );
    assert_eq!(
        refusal(|m| m.entities.push(entity("A", vec![field(5)]))),
        "entities, entry 0: there is no type 5 (there are 1)"
    );
    assert_eq!(
        refusal(|m| m.entities.push(entity(
            "A",
            vec![EntityField {
                default: Some(FuncId(2)),
                ..field(0)
            }]
        ))),
        "entities, entry 0: `h` cannot be used as a default value: expected no parameters"
    );
    assert_eq!(
        refusal(|m| m.types.push(TypeDesc::Entity(EntityTypeId(0)))),
        "types, entry 1: there is no entity 0 (there are 0)"
    );
    assert_eq!(
        refusal(|m| (0..100).for_each(|n| m.types.push(TypeDesc::Optional(TypeId(n))))),
        "types, entry 65: optional or union types contain themselves, are nested more than 64 deep, or have more than 4096 members"
    );
    // Each names the one before twice.
    assert_eq!(
        refusal(|m| (0..40).for_each(|n| {
            let last = TypeId(n);
            m.types.push(TypeDesc::Union(vec![last, last]));
        })),
        "types, entry 13: optional or union types contain themselves, are nested more than 64 deep, or have more than 4096 members"
    );
}

#[test]
fn bad_queries_are_refused() {
    let asked = |func, known, tests: Vec<QueryTest>| {
        refusal(|m| {
            let text = "closure \"one\" (ref) -> bool {\n .scalar bool\n .reference ref*2\n const.bool s0, 1\n ret.bool s0\n}\n\
                        closure \"held\" () -> ref {\n .captures i64\n .reference ref*2\n list.new r1, any, 0\n ret.ref r1\n}";
            let mut builder = ModuleBuilder::from_module(std::mem::take(m));
            assemble_into(&mut builder, text).expect("assembles");
            *m = builder.module;
            m.entities.push(entity("A", vec![field(0)]));
            m.queries.arguments.push(QueryArg {
                func: FuncId(func),
                entity: EntityTypeId(0),
                known,
                meaning: QueryMeaning::Conditions(vec![tests.clone()], true),
            });
        })
    };
    let (field, eq) = (QueryColumn::Field, QueryComparison::Eq);
    assert_eq!(
        asked(0, None, vec![]),
        "queries, entry 0: `f` cannot be used as the argument of a query: expected a closure of one record"
    );
    assert_eq!(
        asked(3, Some(FuncId(4)), vec![]),
        "queries, entry 0: `held` cannot be used as the argument of a query: expected a closure with the same captures and no parameters, result ref"
    );
    assert_eq!(
        asked(3, None, vec![QueryTest::Truth(field(1))]),
        "queries, entry 0: there is no field 1 (there are 1)"
    );
    assert_eq!(
        asked(3, None, vec![QueryTest::Compare(field(0), eq, 0)]),
        "queries, entry 0: there is no known value 0 (there are 0)"
    );
    assert_eq!(
        asked(3, None, vec![QueryTest::Truth(field(0)), QueryTest::All(2)]),
        "queries, entry 0: there is no condition before this one 2 (there are 1)"
    );
    assert_eq!(
        asked(
            3,
            None,
            vec![QueryTest::Truth(field(0)), QueryTest::Truth(field(0))]
        ),
        "queries, entry 0: there is no result of a condition 2 (there are 1)"
    );
}

#[test]
fn words_that_are_no_instruction_are_refused() {
    assert_eq!(
        refusal(|m| m.functions[0].code[0] = 0xffff),
        format!(
            "function 0 `f`, instruction 0: there is no operation number 65535 (the highest is {})",
            Op::COUNT - 1
        )
    );
    assert_eq!(
        refusal(|m| m.functions[0].code.clear()),
        "function 0 `f`: there are no instructions (or more than 4194304)"
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
        Err(error) => assert_eq!(error.fault, VerifyFault::Code(CodeFault::TooComplex)),
    }
}
