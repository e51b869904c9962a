//! Every native library row, called with the edges of every kind of value. Here because bodies are plain Rust that must
//! hold whatever compiled code hands them (a `ref` argument may be any object). Must stay true: each call returns a
//! value or an error of a known kind: no panic, no memory beyond the limit, no endless loop.

mod support;

use flin_bytecode::{
    Class, Entity, EntityField, EntityTypeId, FuncId, FunctionBuilder, LIBRARY, LibType, Module,
    ModuleBuilder, Native, OnDelete, Op, TypeDesc,
};
use flin_testkit::rng::Rng;
use flin_vm::{ErrorKind, HostRecord, HostValue, Limits, Program, Vm};
use support::{ModelHost, emit};

/// Calls per row.
const CALLS: usize = 300;

/// Calls of rows that take long on purpose.
const SLOW_CALLS: usize = 4;

/// A module whose function n calls native row n with its own parameters.
fn module() -> Module {
    let mut builder = ModuleBuilder::new("library.flin");
    for native in Native::ALL {
        let signature = native.lib_id().signature();
        let mut b = FunctionBuilder::new(native.lib_id().row().name, signature.clone());
        let window = b.window(signature);
        for (index, class) in signature.params.iter().enumerate() {
            let param = b.param(index);
            b.mov(*class, window.args[index], param);
        }
        emit!(b, CallLib, window.scalar, window.reference, native.lib_id());
        match (signature.result, window.result) {
            (Some(class), Some(reg)) => {
                let op = match class {
                    Class::I64 => Op::RetI64,
                    Class::F64 => Op::RetF64,
                    Class::Bool => Op::RetBool,
                    Class::Ref => Op::RetRef,
                    Class::Any => Op::RetAny,
                };
                b.emit(op, &[reg.into()]);
            }
            _ => emit!(b, Ret),
        }
        let function = b.finish().expect("fits");
        builder.function(function);
    }
    let name = builder.type_desc(TypeDesc::Text);
    builder.module.entities.push(Entity {
        name: "Note".into(),
        fields: vec![EntityField {
            name: "k".into(),
            ty: name,
            optional: true,
            rules: Vec::new(),
            default: None,
            checks: Vec::new(),
            unique: false,
            index: false,
            hidden: false,
            on_delete: OnDelete::Restrict,
            was: Vec::new(),
        }],
        inverses: Vec::new(),
        was: Vec::new(),
        keep: flin_bytecode::module::Keep::default(),
        line: 1,
    });
    builder.module
}

/// A stored record and one that was never saved.
fn records() -> [HostRecord; 2] {
    [1, 0].map(|id| HostRecord {
        ty: EntityTypeId(0),
        id,
        version: id,
        created_at: 5,
        updated_at: 5,
        deleted_at: None,
        fields: vec![HostValue::Text("a".to_owned())],
        past: None,
    })
}

fn texts() -> Vec<HostValue> {
    let long = "lorem ipsum é☆ ".repeat(100);
    [
        "",
        " ",
        "a",
        "A-B",
        "-",
        "é",
        "ß",
        "e\u{301}👩‍🚀",
        "\u{0}\n\r\t\"\\{}",
        "12",
        "-7.5e3",
        "1e999",
        "9223372036854775808",
        "2026-03-04",
        "2026-03-04T05:06:07.008+01:00",
        "month",
        "YYYY-MM-DD [x] dddd",
        "[1, {\"a\": null}]",
        "{\"a\"",
        "\"\\ud83d\\ude00\\ud800\"",
        "(a+)+$",
        "[",
        "a@b.de",
        "http://[::1]:80/",
        "+300000-01-01",
        "-000001-12-31T23:59:59.999Z",
        "\u{7f}\u{ad}\u{202e}",
        "aGk=",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b1GcA",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b1GcA",
        &long,
    ]
    .iter()
    .map(|text| HostValue::Text((*text).to_owned()))
    .collect()
}

fn ints() -> Vec<i64> {
    vec![
        0,
        1,
        -1,
        2,
        3,
        10,
        100,
        301,
        599,
        1 << 31,
        -(1 << 40),
        1_772_600_767_000,
        i64::MAX,
        i64::MIN,
        i64::MAX - 1,
    ]
}

fn floats() -> Vec<f64> {
    vec![
        0.0,
        -0.0,
        1.0,
        -1.5,
        0.5,
        2.5,
        1e21,
        -1e300,
        5e-324,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        9_223_372_036_854_775_808.0,
        -9_223_372_036_854_775_808.0,
    ]
}

fn nested(depth: usize) -> HostValue {
    (0..depth).fold(HostValue::Int(1), |inner, _| HostValue::List(vec![inner]))
}

/// Values of every kind, containers of them among them.
fn values() -> Vec<HostValue> {
    let map = |entries: &[(&str, HostValue)]| {
        HostValue::Map(
            entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
        )
    };
    let mut all = vec![
        HostValue::None,
        HostValue::Bool(true),
        HostValue::Bool(false),
    ];
    all.extend(ints().into_iter().map(HostValue::Int));
    all.extend(floats().into_iter().map(HostValue::Float));
    all.extend(texts());
    all.extend([
        HostValue::Time(0),
        HostValue::Time(i64::MIN),
        HostValue::Duration(i64::MAX),
        HostValue::Duration(-1),
    ]);
    let ints = HostValue::List(ints().into_iter().map(HostValue::Int).collect());
    let floats = HostValue::List(floats().into_iter().map(HostValue::Float).collect());
    let texts = HostValue::List(texts());
    let mixed = HostValue::List(all.clone());
    let pair = HostValue::Tuple(vec![HostValue::Text("k".to_owned()), HostValue::Int(1)]);
    let lists = [
        HostValue::List(vec![]),
        HostValue::List(vec![HostValue::Bool(true), HostValue::Bool(false)]),
        HostValue::List(vec![
            HostValue::Int(1),
            HostValue::Float(0.5),
            HostValue::None,
        ]),
        HostValue::List(vec![pair.clone(), pair.clone()]),
        HostValue::List(vec![
            HostValue::List(vec![]),
            HostValue::List(vec![]),
            map(&[]),
            map(&[]),
        ]),
        ints,
        floats,
        texts,
        mixed,
        nested(200),
    ];
    let maps = [
        map(&[]),
        map(&[
            ("a", HostValue::Int(1)),
            ("b", HostValue::Text("x".to_owned())),
        ]),
        map(&[
            ("status", HostValue::Int(204)),
            ("headers", map(&[])),
            ("body", nested(3)),
        ]),
        map(&[("status", HostValue::Int(99_999))]),
    ];
    all.extend(lists);
    all.extend(maps);
    all.push(pair);
    all.push(HostValue::Link(EntityTypeId(0), 1));
    all.extend(records().map(|record| HostValue::Entity(Box::new(record))));
    all
}

/// Whether a value is of the kind that a row asks for.
fn fits(ty: &LibType, value: &HostValue) -> bool {
    match ty {
        LibType::Text => matches!(value, HostValue::Text(_)),
        LibType::List(_) => matches!(value, HostValue::List(_)),
        LibType::Map(..) => matches!(value, HostValue::Map(_)),
        LibType::Entity => matches!(value, HostValue::Link(..) | HostValue::Entity(_)),
        LibType::Int => matches!(value, HostValue::Int(_)),
        LibType::Optional(inner) => *value == HostValue::None || fits(inner, value),
        _ => true,
    }
}

/// An argument for a parameter of this type; every other turn one of the right kind where values from outside have it.
fn argument(ty: &LibType, turn: usize, all: &[HostValue], rng: &mut Rng) -> HostValue {
    match ty.class() {
        Class::I64 => HostValue::Int(*rng.pick(&ints())),
        Class::F64 => HostValue::Float(*rng.pick(&floats())),
        Class::Bool => HostValue::Bool(rng.one_in(2)),
        Class::Ref | Class::Any if turn.is_multiple_of(2) => {
            let fitting: Vec<&HostValue> = all.iter().filter(|value| fits(ty, value)).collect();
            (*rng.pick(&fitting)).clone()
        }
        Class::Ref | Class::Any => rng.pick(all).clone(),
    }
}

/// Rows that values from outside do not reach.
const UNREACHED: &[&str] = &[
    "contains",
    "len",
    "to_list",
    "__range_start",
    "__range_end",
    "__enum",
    "__enum_data",
    // The model has no network, and no response comes from outside.
    "http_get",
    "http_delete",
    "http_post",
    "http_put",
    "http_patch",
    "ok",
    "json",
];

#[test]
fn every_row_holds_at_the_edges() {
    let program = Program::load(module()).unwrap_or_else(|e| panic!("{e}"));
    let all = values();
    let mut rng = Rng::new(12);
    let mut answered = vec![0; Native::ALL.len()];
    for (row, native) in Native::ALL.iter().enumerate() {
        let limits = Limits {
            memory_bytes: 8 << 20,
            ..Limits::request()
        };
        let mut host = ModelHost {
            clock_ms: 1_772_600_767_000,
            ..ModelHost::default()
        };
        let [stored, _] = records();
        host.records.insert((0, 1), stored);
        let mut vm = Vm::new(program.clone(), limits);
        let calls = if *native == Native::HashPassword {
            SLOW_CALLS
        } else {
            CALLS
        };
        for turn in 0..calls {
            let params = &native.lib_id().scheme().params;
            let args: Vec<HostValue> = params
                .iter()
                .map(|ty| argument(ty, turn, &all, &mut rng))
                .collect();
            match vm.call(&mut host, FuncId(row as u32), &args) {
                Ok(_) => answered[row] += 1,
                Err(trap) => {
                    let given = args.contains(&HostValue::Text(String::new()));
                    assert!(given || !trap.message.is_empty(), "{native:?} {args:?}");
                    let names_a_kind = matches!(
                        native,
                        Native::FailText | Native::FailAny | Native::FailBecause
                    );
                    let own = ErrorKind::Custom("HttpError".to_owned());
                    assert!(
                        !matches!(trap.kind, ErrorKind::Custom(_))
                            || names_a_kind
                            || (*native == Native::HttpError && trap.kind == own),
                        "{native:?}: {trap}"
                    );
                    if trap.kind == ErrorKind::MemoryLimitExceeded {
                        vm = Vm::new(
                            program.clone(),
                            Limits {
                                memory_bytes: 8 << 20,
                                ..Limits::request()
                            },
                        );
                    }
                }
            }
        }
    }
    // Rows that take a range, tuple, enum value or query cannot be reached with values from outside.
    let unreached: Vec<&str> = answered
        .iter()
        .zip(LIBRARY)
        .filter(|(count, row)| **count == 0 && !row.scheme_text.ends_with("never"))
        .map(|(_, row)| row.name)
        .collect();
    let unexpected: Vec<&&str> = unreached
        .iter()
        .filter(|name| !UNREACHED.contains(name) && !name.starts_with("__query"))
        .collect();
    assert!(unexpected.is_empty(), "never answered: {unexpected:?}");
}

/// A body that walks a long list is charged for it, so that a run cannot outlive its time in one call.
#[test]
fn long_work_asks_the_host() {
    let program = Program::load(module()).unwrap_or_else(|e| panic!("{e}"));
    let sort = FuncId(Native::ListSort as u32);
    for (length, stops) in [(100, false), (100_000, true)] {
        let list = HostValue::List((0..length).map(HostValue::Int).collect());
        let mut vm = Vm::new(program.clone(), Limits::request());
        let mut host = ModelHost {
            slices_max: 1,
            ..ModelHost::default()
        };
        let result = vm.call(&mut host, sort, &[list]);
        assert_eq!(
            result.is_err_and(|trap| trap.kind == ErrorKind::TimeLimitExceeded),
            stops
        );
    }
}

/// The own calendar (any 64-bit time, no zones) against a kept crate's, where that one reaches.
#[test]
fn times_agree_with_another_calendar() {
    let program = Program::load(module()).unwrap_or_else(|e| panic!("{e}"));
    let mut vm = Vm::new(program, Limits::script());
    let mut host = ModelHost::default();
    let mut call = |native: Native, args: &[HostValue]| {
        vm.call(&mut host, FuncId(native as u32), args)
            .unwrap_or_else(|trap| panic!("{native:?} {args:?}: {trap}"))
    };
    let mut rng = Rng::new(1970);
    // Years -9000 to 9000 in milliseconds; half of the times near month ends.
    for turn in 0..4000 {
        let mut ms = rng.below(568_000_000_000_000) as i64 - 346_000_000_000_000;
        if turn % 2 == 0 {
            ms = ms.div_euclid(86_400_000 * 365) * 86_400_000 * 365 + (turn % 3) * 86_400_000;
        }
        let other = jiff::Timestamp::from_millisecond(ms).expect("in reach");
        let civil = other.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        let time = HostValue::Int(ms);
        let text = flin_vm::iso::format(ms);
        assert_eq!(flin_vm::iso::parse(&text), Some(ms), "{text}");
        if civil.year() >= 0 {
            assert_eq!(text.parse::<jiff::Timestamp>().ok(), Some(other), "{text}");
        }
        for (native, part) in [
            (Native::TimeYear, i64::from(civil.year())),
            (Native::TimeMonth, i64::from(civil.month())),
            (Native::TimeDay, i64::from(civil.day())),
            (Native::TimeHour, i64::from(civil.hour())),
            (Native::TimeMinute, i64::from(civil.minute())),
            (Native::TimeSecond, i64::from(civil.second())),
            (
                Native::TimeWeekday,
                i64::from(civil.weekday().to_monday_one_offset()),
            ),
        ] {
            assert_eq!(
                call(native, std::slice::from_ref(&time)),
                HostValue::Int(part),
                "{native:?} of {text}"
            );
        }
        let months = rng.below(60) as i64 - 30;
        let moved = civil
            .checked_add(jiff::Span::new().months(months))
            .expect("in reach");
        let moved = jiff::tz::TimeZone::UTC
            .to_timestamp(moved)
            .expect("in reach");
        let unit = HostValue::Text("month".to_owned());
        assert_eq!(
            call(Native::TimeAddUnits, &[time, HostValue::Int(months), unit]),
            HostValue::Int(moved.as_millisecond()),
            "{text} and {months} months"
        );
    }
}
