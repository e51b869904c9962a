//! What is written reads back: instruction words, text, `.fbc`. Here because compiler, tools and machine meet in these
//! forms. Must stay true: damage of any byte is refused with a reason and never panics.

use flin_bytecode::encode::{NARROW_MAX, NARROW_MIN};
use flin_bytecode::fbc::{self, FbcError};
use flin_bytecode::module::*;
use flin_bytecode::text::disassemble_function;
use flin_bytecode::*;
use flin_testkit::rng::Rng;

/// What is said about queries: one function of each meaning.
fn queries(module: &mut Module) -> Queries {
    let text = "closure \"ask\" (ref) -> bool {\n .captures i64\n .scalar bool\n .reference ref*2\n const.bool s0, 1\n ret.bool s0\n}\n\
                closure \"known\" () -> ref {\n .captures i64\n .reference ref*2\n list.new r1, any, 0\n ret.ref r1\n}\n\
                closure \"key\" (ref) -> ref {\n .reference ref*2\n ret.ref r1\n}";
    let mut builder = ModuleBuilder::from_module(std::mem::take(module));
    assemble_into(&mut builder, text).unwrap_or_else(|e| panic!("{e}"));
    *module = builder.module;
    let at = |name: &str| {
        let found = module.functions.iter().position(|f| f.name == name);
        FuncId(found.expect("it was assembled") as u32)
    };
    let title = QueryColumn::Field(0);
    let conditions = vec![
        vec![
            QueryTest::Compare(title, QueryComparison::Ge, 0),
            QueryTest::In(QueryColumn::Id, 1),
            QueryTest::Prefix(title, 2),
            QueryTest::Any(3),
            QueryTest::Not,
        ],
        vec![
            QueryTest::Truth(title),
            QueryTest::Known(0),
            QueryTest::Contains(title, 2),
            QueryTest::All(3),
        ],
    ];
    let argument = |func, known, meaning| QueryArg {
        func,
        entity: EntityTypeId(0),
        known,
        meaning,
    };
    Queries {
        pushed: true,
        arguments: vec![
            argument(
                at("ask"),
                Some(at("known")),
                QueryMeaning::Conditions(conditions, false),
            ),
            argument(at("key"), None, QueryMeaning::Key(QueryColumn::DeletedAt)),
        ],
        fields: vec![AskedField {
            entity: EntityTypeId(0),
            field: 0,
            queried: true,
            ordered: false,
        }],
    }
}

/// The sample text, with an entity, an enum, a page, a route and a test added.
fn sample() -> Module {
    let mut module = assemble(include_str!("sample.txt")).expect("the sample assembles");
    module.source_name = "sample.flin".into();
    module.files = [("lib/a.flin", 1), ("app/index.flin", 7)]
        .map(|(name, first_line)| SourceFile {
            name: name.into(),
            first_line,
        })
        .to_vec();
    module.assets.push(Asset {
        path: "img/dot.gif".into(),
        bytes: vec![0, 255, 7],
    });
    let run = FuncId(3);
    module.enums.push(EnumDef {
        name: "Status".into(),
        variants: vec![("Open".into(), vec![]), ("Due".into(), vec![TypeId(0)])],
    });
    module.entities.push(Entity {
        name: "Todo".into(),
        fields: vec![EntityField {
            name: "title".into(),
            ty: TypeId(1),
            optional: false,
            rules: vec![
                Rule::Required,
                Rule::Min(1.5),
                Rule::MaxLength(9),
                Rule::Pattern("^a".into()),
                Rule::OneOf(vec!["a".into()]),
            ],
            default: None,
            checks: vec![],
            unique: true,
            index: false,
            hidden: true,
            on_delete: OnDelete::Cascade,
            was: vec!["former".into(), "older".into()],
        }],
        inverses: Vec::new(),
        was: vec!["Earlier".into()],
        keep: Keep {
            versions: Some(3),
            days: None,
        },
        line: 7,
    });
    let variable = PageVariable {
        global: GlobalId(0),
        kind: VariableKind::State,
        init: run,
    };
    let by_name = NamedCall {
        name: "add".into(),
        func: FuncId(0),
        args: vec![
            NamedArg::Value(TypeId(0)),
            NamedArg::Literal(ConstValue::Text("x".into())),
            NamedArg::Value(TypeId(0)),
        ],
    };
    module.pages.push(page(run, &variable, by_name));
    module.queries = queries(&mut module);
    module.tests.push(TestBlock {
        name: "adds".into(),
        func: run,
        variables: vec![variable],
        line: 3,
    });
    module
}

/// A page with something in every field.
fn page(run: FuncId, variable: &PageVariable, by_name: NamedCall) -> Page {
    Page {
        path: "/x/:id".into(),
        params: vec![("id".into(), GlobalId(1))],
        view: run,
        variables: vec![variable.clone()],
        handlers: vec![Handler {
            event: "click".into(),
            func: FuncId(0),
            params: vec![("a".into(), TypeId(0)), ("b".into(), TypeId(0))],
            by_name: Some(by_name),
            runs: Runs::Browser,
            assigns: vec![GlobalId(0)],
        }],
        reads: vec![EntityTypeId(0)],
        writes: vec![EntityTypeId(0)],
        field_sources: vec![(EntityTypeId(0), 0, GlobalId(0))],
        shown: vec![GlobalId(0)],
        templates: vec![template(), Template::default()],
        asks: vec![GlobalId(0)],
        browser_view: Some(run),
        script: "export default {}".into(),
        source_map: "{}".into(),
    }
}

/// A template with one place of each kind.
fn template() -> Template {
    let list = ListPlace {
        item: 1,
        empty: Some(0),
    };
    let kinds = [
        PlaceKind::Text,
        PlaceKind::Html,
        PlaceKind::Attribute("class".into()),
        PlaceKind::Attributes,
        PlaceKind::Block(vec![1, 0]),
        PlaceKind::List(list),
    ];
    let place = |kind| TemplatePlace {
        kind,
        owner: Owner::Browser,
    };
    Template {
        html: "<p data-f=\"t\"></p>".into(),
        places: kinds.map(place).into(),
        single: true,
    }
}

#[test]
fn every_op_reads_back_with_generated_operands() {
    let mut rng = Rng::new(7);
    for op in Op::ALL {
        for turn in 0..64 {
            let mut instr = Instr::new(*op);
            for operand in op.row().operands {
                let number = match operand.place {
                    _ if operand.kind == OperandKind::Unused => 0,
                    Place::A | Place::B | Place::C => rng.below(256) as i32,
                    Place::Imm if op.is_narrow() => match turn {
                        0 => NARROW_MIN,
                        1 => NARROW_MAX,
                        _ => (rng.bits() as i32) >> 8,
                    },
                    Place::Imm => rng.bits() as i32,
                };
                assert!(instr.set(operand.place, number), "{op:?}: {number} fits");
            }
            assert_eq!(Instr::decode(instr.encode()), Ok(instr));
        }
        assert!(!Instr::new(*op).set(Place::A, 256));
        assert_eq!(
            op.is_narrow(),
            !Instr::new(*op).set(Place::Imm, NARROW_MAX + 1)
        );
    }
}

#[test]
fn words_that_are_no_instruction_are_refused() {
    for number in Op::COUNT as u64..=0xffff {
        assert_eq!(
            Instr::decode(number),
            Err(DecodeError::UnknownOp {
                number: number as u16
            })
        );
    }
    let ret = u64::from(Op::Ret.number());
    for bit in 16..64 {
        assert!(matches!(
            Instr::decode(ret | 1 << bit),
            Err(DecodeError::UnusedNotZero { .. })
        ));
    }
}

#[test]
fn the_sample_is_accepted_and_its_text_reads_back() {
    let module = sample();
    verify(&module).unwrap_or_else(|e| panic!("{e}"));
    let mut tables = module.clone();
    tables.functions.clear();
    let mut again = ModuleBuilder::from_module(tables);
    for at in 0..module.functions.len() {
        assemble_into(&mut again, &disassemble_function(&module, at, None))
            .unwrap_or_else(|e| panic!("{e}"));
    }
    assert_eq!(again.module, module);
}

#[test]
fn disassembly_is_as_expected() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample.disasm");
    let source =
        "fn add(a, b) { a + b }\n\nf = x => x * x\nprint(add(40, 2))\n\tcount = add(1, 2)\n";
    flin_testkit::golden::check(&path, &disassemble(&sample(), Some(source)));
}

#[test]
fn a_file_reads_back_and_is_reproducible() {
    let module = sample();
    let bytes = fbc::write(&module);
    assert_eq!(fbc::read(&bytes), Ok(module.clone()));
    assert_eq!(fbc::write(&module.clone()), bytes);
    assert_eq!(fbc::write(&fbc::read(&bytes).expect("just written")), bytes);
    assert_eq!(
        fbc::read(&fbc::write(&Module::default())),
        Ok(Module::default())
    );
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = fbc::write(&sample());
    for length in 0..bytes.len() {
        let error = fbc::read(&bytes[..length]).expect_err("cut");
        assert!(!error.to_string().is_empty());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(
        fbc::read(&longer),
        Err(FbcError::Trailing { bytes: 1, .. })
    ));
}

#[test]
fn a_file_with_any_bit_flipped_is_refused() {
    let mut bytes = fbc::write(&sample());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            assert!(fbc::read(&bytes).is_err(), "byte {at} bit {bit}");
            bytes[at] ^= 1 << bit;
        }
    }
}

#[test]
fn the_reason_of_a_refusal_names_what_is_wrong() {
    let bytes = fbc::write(&sample());
    let message = |change: fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        fbc::read(&bytes).expect_err("changed").to_string()
    };
    assert_eq!(
        message(|b| b[0] = b'#'),
        "this is not a compiled FLIN file (its first bytes are not those of .fbc)"
    );
    assert_eq!(
        message(|b| b[8] = 9),
        "the file has format version 9, this program reads version 5; compile the source again"
    );
    assert_eq!(
        message(|b| b.truncate(10)),
        "the file ends too early: header at byte 8 needs 4 bytes, 2 are left"
    );
    assert!(message(|b| b[12] ^= 1).starts_with("the file is damaged: checksum of header is "));
    assert!(
        message(|b| *b.last_mut().expect("bytes") ^= 1)
            .starts_with("the file is damaged: checksum of assets is ")
    );
}

/// A module whose checksums are right but whose content is damaged is refused by the verifier, or is a module that
/// verifies: never a panic.
#[test]
fn damaged_modules_with_right_checksums_do_not_panic() {
    let module = sample();
    let mut rng = Rng::new(42);
    let mut refused = 0;
    for _ in 0..4_000 {
        let mut damaged = module.clone();
        for _ in 0..=rng.below(2) {
            damage(&mut damaged, &mut rng);
        }
        if let Err(error) = verify(&damaged) {
            refused += 1;
            assert!(!error.to_string().is_empty());
        }
        disassemble(&damaged, None);
        assert_eq!(
            fbc::read(&fbc::write(&damaged)).map(|m| fbc::write(&m)),
            Ok(fbc::write(&damaged))
        );
    }
    assert!(refused > 2_000, "only {refused} were refused");
}

fn damage(module: &mut Module, rng: &mut Rng) {
    let number = [0, 1, 2, 255, 256, 0x7fff_ffff, u32::MAX][rng.below(7)];
    let at = rng.below(module.functions.len());
    let function = &mut module.functions[at];
    match rng.below(12) {
        0..=4 if !function.code.is_empty() => {
            let at = rng.below(function.code.len());
            function.code[at] ^= 1 << rng.below(64);
        }
        5 => function.signature.params.push(Class::ALL[rng.below(5)]),
        6 => function.ref_regs.truncate(rng.below(4)),
        7 => function.scalar_regs.push(Class::ALL[rng.below(5)]),
        8 => function.catches.push(Catch {
            start: rng.below(9) as u32,
            end: number,
            target: rng.below(30) as u32,
            reg: rng.below(4) as u16,
        }),
        9 => module.types.push(TypeDesc::Optional(TypeId(number))),
        10 => module.main = Some(FuncId(number)),
        11 => module.pages[0].handlers[0].func = FuncId(number),
        _ => function.is_closure = !function.is_closure,
    }
}

/// Bytes of the sections changed, checksums made right again: the reader itself must hold.
#[test]
fn damaged_bytes_with_right_checksums_are_read_or_refused() {
    let bytes = fbc::write(&sample());
    let mut rng = Rng::new(3);
    for _ in 0..4_000 {
        let mut damaged = bytes.clone();
        let header = 8 + 4 + 8 + 13 * 8 + 4;
        let at = header + rng.below(bytes.len() - header);
        damaged[at] = rng.bits() as u8;
        repair(&mut damaged);
        if let Ok(module) = fbc::read(&damaged) {
            let _ = verify(&module);
        }
    }
}

fn repair(bytes: &mut [u8]) {
    let table = 8 + 4 + 8;
    let mut at = table + 13 * 8 + 4;
    for section in 0..13 {
        let entry = table + section * 8;
        let length =
            u32::from_le_bytes(bytes[entry..entry + 4].try_into().expect("4 bytes")) as usize;
        let crc = crc32fast::hash(&bytes[at..at + length]);
        bytes[entry + 4..entry + 8].copy_from_slice(&crc.to_le_bytes());
        at += length;
    }
    let crc = crc32fast::hash(&bytes[..table + 13 * 8]);
    bytes[table + 13 * 8..table + 13 * 8 + 4].copy_from_slice(&crc.to_le_bytes());
}
