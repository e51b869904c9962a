//! Facts about the two tables. Here because everything is derived from them. Must stay true: numbers are dense, names
//! unique, places used once, and every scheme readable.

use std::collections::{HashMap, HashSet};

use flin_bytecode::library::{LibBody, LibType, argument_position, lookup};
use flin_bytecode::{Effects, Family, LIBRARY, LibId, Native, Op, OperandKind, Place};

#[test]
fn op_numbers_are_dense_and_names_unique() {
    let mut mnemonics = HashSet::new();
    let mut names = HashSet::new();
    for (at, op) in Op::ALL.iter().enumerate() {
        assert_eq!(op.number() as usize, at);
        assert_eq!(Op::from_u16(at as u16), Some(*op));
        assert_eq!(op.row().op, *op);
        assert!(mnemonics.insert(op.mnemonic()), "{} twice", op.mnemonic());
        assert!(names.insert(op.row().name));
        assert_eq!(Op::from_mnemonic(op.mnemonic()), Some(*op));
        assert!(!op.row().meaning.is_empty());
    }
    assert_eq!(Op::from_u16(Op::COUNT as u16), None);
    assert_eq!(Op::from_u16(u16::MAX), None);
}

#[test]
fn places_are_used_once_and_fit_their_operands() {
    for op in Op::ALL {
        let mut seen = HashSet::new();
        for operand in op.row().operands {
            assert!(
                seen.insert(operand.place),
                "{op:?} uses {:?} twice",
                operand.place
            );
            let id = !operand.kind.is_register()
                && !matches!(
                    operand.kind,
                    OperandKind::Bank
                        | OperandKind::Class
                        | OperandKind::Count
                        | OperandKind::Slot
                        | OperandKind::LogLevel
                        | OperandKind::ViewPlace
                        | OperandKind::ViewControl
                        | OperandKind::Unused
                );
            assert!(
                !id || operand.place == Place::Imm,
                "{op:?}: an id in {:?}",
                operand.place
            );
            assert!(
                !operand.kind.is_register() || operand.place != Place::Imm,
                "{op:?}: a register in imm"
            );
        }
    }
}

#[test]
fn every_family_has_rows_and_ends_are_where_they_belong() {
    for family in Family::ALL {
        assert!(Op::ALL.iter().any(|op| op.row().family == family));
    }
    for op in Op::ALL.iter().filter(|op| op.ends_block()) {
        assert!(
            matches!(op.row().family, Family::Control | Family::Call),
            "{op:?}"
        );
        assert!(
            !op.row()
                .operands
                .iter()
                .any(|o| matches!(o.kind, OperandKind::Out(_) | OperandKind::InOut(_)))
        );
    }
    assert!(Op::Call.row().effects.has(Effects::SUSPEND));
}

#[test]
fn library_rows_are_numbered_by_their_native_bodies_first() {
    for (at, native) in Native::ALL.iter().enumerate() {
        assert_eq!(native.lib_id(), LibId(at as u16));
        assert_eq!(LIBRARY[at].body, LibBody::Native(*native));
        assert_eq!(Native::from_lib(LibId(at as u16)), Some(*native));
    }
    assert_eq!(Native::from_lib(LibId(Native::ALL.len() as u16)), None);
    assert!(
        LIBRARY[Native::ALL.len()..]
            .iter()
            .all(|row| !matches!(row.body, LibBody::Native(_)))
    );
}

#[test]
fn library_rows_have_distinct_schemes_docs_and_examples() {
    let mut seen = HashSet::new();
    for row in LIBRARY {
        assert!(
            seen.insert((row.name, row.scheme_text)),
            "{} {} twice",
            row.name,
            row.scheme_text
        );
        assert!(row.doc.ends_with('.'), "{}: doc is a sentence", row.name);
        assert_eq!(
            row.example.is_empty(),
            row.name.starts_with("__"),
            "{}: example",
            row.name
        );
    }
}

/// A named argument finds its place before a row is chosen.
#[test]
fn parameters_of_equal_name_stand_at_equal_positions() {
    let mut places: HashMap<(&str, usize, &str), usize> = HashMap::new();
    for (at, row) in LIBRARY.iter().enumerate() {
        let names = &LibId(at as u16).scheme().names;
        for (position, name) in names.iter().enumerate() {
            let place = places
                .entry((row.name, names.len(), name))
                .or_insert(position);
            assert_eq!(
                *place, position,
                "{}: parameter {name} of {}",
                row.name, row.scheme_text
            );
            assert!(
                names.iter().filter(|other| *other == name).count() == 1,
                "{}: two parameters {name}",
                row.name
            );
        }
    }
    assert_eq!(argument_position("slice", 3, "end"), Some(2));
    assert_eq!(argument_position("slice", 2, "end"), None);
    assert_eq!(argument_position("range", 1, "end"), Some(0));
}

/// Where native or inline rows of a name take equally many arguments but different kinds of receiver, one takes any.
#[test]
fn overloads_have_a_row_for_values_known_only_at_run_time() {
    let mut groups: HashMap<(&str, usize), Vec<LibId>> = HashMap::new();
    for (at, row) in LIBRARY.iter().enumerate() {
        if !matches!(row.body, LibBody::Prelude(_)) {
            let id = LibId(at as u16);
            groups
                .entry((row.name, id.scheme().params.len()))
                .or_default()
                .push(id);
        }
    }
    for ((name, arity), rows) in groups {
        let receivers: Vec<_> = rows
            .iter()
            .filter_map(|id| id.scheme().params.first())
            .collect();
        let kinds: HashSet<_> = receivers
            .iter()
            .map(|ty| std::mem::discriminant(*ty))
            .collect();
        let fallback = receivers
            .iter()
            .any(|ty| matches!(ty, LibType::Any | LibType::Var(_)));
        assert!(
            kinds.len() <= 1 || fallback,
            "{name}/{arity} has {} rows and none for any",
            rows.len()
        );
    }
    assert!(lookup("len").len() >= 3);
    assert!(lookup("no such function").is_empty());
}

#[test]
fn the_page_of_operations_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("OPCODES.md");
    flin_testkit::golden::check(&path, &flin_bytecode::text::opcodes_page());
}

#[test]
fn the_page_of_the_library_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/library.md");
    flin_testkit::golden::check(&path, &flin_bytecode::library::library_page());
}
