//! The entity family over a model store in memory: the path that creates a record apart from the path that changes one,
//! links, queries, validators, deleting, and the one object per record.

mod support;

use flin_bytecode::{
    Class, Entity, EntityField, EntityTypeId, FieldNo, FuncId, FunctionBuilder, ModuleBuilder,
    OnDelete, Reg, Rule, TypeDesc,
};
use flin_vm::HostValue::{Bool, Float, Int, Link, List, Time};
use flin_vm::{Consequences, ErrorKind, HostError, HostRecord, HostValue, Program, Trap};
use std::sync::Arc;
use support::*;

const USER: EntityTypeId = EntityTypeId(0);
const TODOS: EntityTypeId = EntityTypeId(1);
const TITLE: FieldNo = FieldNo(0);
const DONE: FieldNo = FieldNo(1);
const WEIGHT: FieldNo = FieldNo(2);
const OWNER: FieldNo = FieldNo(3);

fn field(name: &str, ty: flin_bytecode::TypeId, rules: Vec<Rule>) -> EntityField {
    EntityField {
        name: name.to_owned(),
        ty,
        optional: !rules.contains(&Rule::Required),
        rules,
        default: None,
        checks: Vec::new(),
        unique: false,
        index: false,
        hidden: false,
        on_delete: OnDelete::Restrict,
        was: Vec::new(),
    }
}

/// User { name: text } and Todo { title: text @required @min(3), done: bool, weight: float, owner: User }.
fn module() -> ModuleBuilder {
    let mut mb = ModuleBuilder::new("app.flin");
    let (text, bool_type, float) = (
        mb.type_desc(TypeDesc::Text),
        mb.type_desc(TypeDesc::Bool),
        mb.type_desc(TypeDesc::Float),
    );
    let user = mb.type_desc(TypeDesc::Entity(USER));
    mb.module.entities.push(Entity {
        name: "User".into(),
        fields: vec![field("name", text, vec![])],
        inverses: Vec::new(),
        was: Vec::new(),
        keep: flin_bytecode::module::Keep::default(),
        line: 1,
    });
    let mut owner = field("owner", user, vec![]);
    owner.on_delete = OnDelete::SetNone;
    mb.module.entities.push(Entity {
        name: "Todo".into(),
        fields: vec![
            field("title", text, vec![Rule::Required, Rule::Min(3.0)]),
            field("done", bool_type, vec![]),
            field("weight", float, vec![]),
            owner,
        ],
        inverses: Vec::new(),
        was: Vec::new(),
        keep: flin_bytecode::module::Keep::default(),
        line: 2,
    });
    mb
}

fn program(
    params: &[Class],
    result: Option<Class>,
    body: impl FnOnce(&mut ModuleBuilder, &mut FunctionBuilder),
) -> (Arc<Program>, FuncId) {
    let mut mb = module();
    let func = add(&mut mb, "test", params, result, body);
    (load(mb), func)
}

fn stored(ty: EntityTypeId, id: i64, fields: Vec<HostValue>) -> HostRecord {
    HostRecord {
        ty,
        id,
        version: 1,
        created_at: 10,
        updated_at: 10,
        deleted_at: None,
        fields,
        past: None,
    }
}

/// A store with user 1 and todos 1 (of user 1) and 2.
fn filled() -> ModelHost {
    let mut host = ModelHost {
        clock_ms: 77,
        last_id: 2,
        ..ModelHost::default()
    };
    for record in [
        stored(USER, 1, vec![host_text("ada")]),
        stored(
            TODOS,
            1,
            vec![
                host_text("write"),
                Bool(false),
                HostValue::None,
                Link(USER, 1),
            ],
        ),
        stored(
            TODOS,
            2,
            vec![host_text("test"), Bool(true), Float(1.5), HostValue::None],
        ),
    ] {
        host.records.insert((record.ty.0, record.id), record);
    }
    host
}

fn find(b: &mut FunctionBuilder, ty: EntityTypeId, id: i32) -> Reg {
    let (n, word, out) = (int(b, id), b.temp(Class::Any), b.temp(Class::Ref));
    emit!(b, BoxInt, word, n);
    emit!(b, EntityFind, out, word, ty);
    out
}

fn set_text(
    mb: &mut ModuleBuilder,
    b: &mut FunctionBuilder,
    entity: Reg,
    field: FieldNo,
    value: &str,
) {
    let (x, word) = (text(mb, b, value), b.temp(Class::Any));
    emit!(b, BoxRef, word, x);
    emit!(b, EntitySet, word, entity, field);
}

#[test]
fn creating_a_record() {
    let (program, func) = program(&[], Some(Class::Ref), |mb, b| {
        let todo = b.temp(Class::Ref);
        emit!(b, EntityNew, todo, TODOS);
        set_text(mb, b, todo, TITLE, "new one");
        let (n, word) = (int(b, 2), b.temp(Class::Any));
        emit!(b, BoxInt, word, n);
        emit!(b, EntitySet, word, todo, WEIGHT);
        emit!(b, EntitySave, todo);
        emit!(b, RetRef, todo);
    });
    let (result, host) = call_on(&program, func, &[], &filled());
    // The int was widened to the declared float.
    let fields = vec![
        host_text("new one"),
        HostValue::None,
        Float(2.0),
        HostValue::None,
    ];
    let expected = HostRecord {
        ty: TODOS,
        id: 3,
        version: 1,
        created_at: 77,
        updated_at: 77,
        deleted_at: None,
        fields,
        past: None,
    };
    assert_eq!(result, Ok(HostValue::Entity(Box::new(expected.clone()))));
    assert_eq!(host.records[&(TODOS.0, 3)], expected);
    assert_eq!(host.records.len(), 4);
}

#[test]
fn changing_a_record_makes_a_new_version_of_it() {
    let (program, func) = program(&[], Some(Class::Any), |mb, b| {
        let todo = find(b, TODOS, 1);
        set_text(mb, b, todo, TITLE, "changed");
        emit!(b, EntitySave, todo);
        let version = b.temp(Class::Any);
        emit!(b, EntityGet, version, todo, FieldNo::VERSION);
        emit!(b, RetAny, version);
    });
    let (result, host) = call_on(&program, func, &[], &filled());
    assert_eq!(result, Ok(Int(2)));
    let record = &host.records[&(TODOS.0, 1)];
    assert_eq!(
        record.fields,
        vec![
            host_text("changed"),
            Bool(false),
            HostValue::None,
            Link(USER, 1)
        ]
    );
    assert_eq!((record.id, record.version, host.records.len()), (1, 2, 3));
}

#[test]
fn a_record_that_comes_as_an_argument_is_the_one_object() {
    // Changing the argument is seen by find, and the link is read only when needed.
    let (program, func) = program(&[Class::Ref], Some(Class::Any), |mb, b| {
        let given = b.param(0);
        set_text(mb, b, given, TITLE, "mine now");
        let found = find(b, TODOS, 1);
        let (same, title) = (b.temp(Class::Bool), b.temp(Class::Any));
        emit!(b, EqRef, same, given, found);
        let end = b.label();
        emit!(b, EntityGet, title, found, TITLE);
        emit!(b, JumpIf, same, end);
        emit!(b, NoneAny, title);
        b.bind(end);
        emit!(b, RetAny, title);
    });
    let (result, host) = call_on(&program, func, &[Link(TODOS, 1)], &filled());
    assert_eq!(result, Ok(host_text("mine now")));
    assert_eq!(host.reads, 1);
    assert_eq!(
        host.records[&(TODOS.0, 1)].fields[0],
        host_text("write"),
        "nothing was saved"
    );
}

#[test]
fn links_are_followed() {
    let owner_name = |id: i32, host: &ModelHost| {
        let (program, func) = program(&[], Some(Class::Any), |mb, b| {
            let todo = find(b, TODOS, id);
            let (owner, name, missing, any) = (
                b.temp(Class::Ref),
                b.temp(Class::Any),
                b.temp(Class::Bool),
                b.temp(Class::Any),
            );
            let end = b.label();
            emit!(b, EntityFollow, owner, todo, OWNER);
            emit!(b, IsNoneRef, missing, owner);
            emit!(b, NoneAny, name);
            emit!(b, JumpIf, missing, end);
            emit!(b, BoxRef, any, owner);
            emit!(b, FieldGetAny, name, any, mb.const_text("name"));
            b.bind(end);
            emit!(b, RetAny, name);
        });
        call_on(&program, func, &[], host).0
    };
    assert_eq!(owner_name(1, &filled()), Ok(host_text("ada")));
    assert_eq!(owner_name(2, &filled()), Ok(HostValue::None));
    let mut dangling = filled();
    dangling.records.remove(&(USER.0, 1));
    assert_eq!(owner_name(1, &dangling), Ok(HostValue::None));
}

#[test]
fn automatic_fields() {
    let (program, func) = program(&[], Some(Class::Ref), |_, b| {
        let (todo, new, list, x) = (
            find(b, TODOS, 2),
            b.temp(Class::Ref),
            b.temp(Class::Ref),
            b.temp(Class::Any),
        );
        emit!(b, ListNew, list, Class::Any, 0);
        emit!(b, EntityNew, new, TODOS);
        for entity in [todo, new] {
            for field in [
                FieldNo::ID,
                FieldNo::VERSION,
                FieldNo::CREATED_AT,
                FieldNo::UPDATED_AT,
                FieldNo::DELETED_AT,
                DONE,
            ] {
                emit!(b, EntityGet, x, entity, field);
                emit!(b, ListPushAny, list, x);
            }
        }
        emit!(b, RetRef, list);
    });
    let none = || HostValue::None;
    assert_eq!(
        call_on(&program, func, &[], &filled()).0,
        Ok(List(vec![
            Int(2),
            Int(1),
            Time(10),
            Time(10),
            none(),
            Bool(true),
            none(),
            Int(0),
            none(),
            none(),
            none(),
            none(),
        ]))
    );
}

#[test]
fn typed_fields_are_read_and_set_without_boxes() {
    let (program, func) = program(&[], Some(Class::Ref), |mb, b| {
        let (id, todo, title, list) = (
            int(b, 2),
            b.temp(Class::Ref),
            text(mb, b, "tests"),
            b.temp(Class::Ref),
        );
        let (x, yes, done) = (b.temp(Class::F64), b.temp(Class::Bool), b.temp(Class::Bool));
        emit!(b, EntityFindI64, todo, id, TODOS);
        emit!(b, EntityGetBool, done, todo, DONE);
        emit!(b, NotBool, yes, done);
        emit!(b, EntitySetBool, yes, todo, DONE);
        emit!(b, EntityGetF64, x, todo, WEIGHT);
        emit!(b, AddF64, x, x, x);
        emit!(b, EntitySetF64, x, todo, WEIGHT);
        // An object is a valid `any` word.
        emit!(b, EntitySet, title, todo, TITLE);
        emit!(b, EntitySave, todo);
        emit!(b, EntityGetI64, id, todo, FieldNo::ID);
        emit!(b, EntityGetRef, title, todo, TITLE);
        emit!(b, ListNew, list, Class::Any, 0);
        emit!(b, ListPushI64, list, id);
        emit!(b, ListPushRef, list, title);
        emit!(b, EntityGetOptional, title, todo, OWNER);
        emit!(b, ListPushRef, list, title);
        emit!(b, RetRef, list);
    });
    let (result, host) = call_on(&program, func, &[], &filled());
    assert_eq!(
        result,
        Ok(List(vec![Int(2), host_text("tests"), HostValue::None]))
    );
    assert_eq!(
        host.records[&(TODOS.0, 2)].fields,
        vec![host_text("tests"), Bool(false), Float(3.0), HostValue::None]
    );
}

#[test]
fn a_typed_field_that_holds_something_else_is_named() {
    let message = |op: fn(&mut FunctionBuilder, Reg)| {
        let (program, func) = program(&[], None, |mb, b| {
            let todo = b.temp(Class::Ref);
            emit!(b, EntityNew, todo, TODOS);
            set_text(mb, b, todo, DONE, "yes");
            op(b, todo);
            emit!(b, Ret);
        });
        let trap = call(&program, func, &[]).expect_err("a TypeError");
        assert_eq!(trap.kind, ErrorKind::TypeError);
        trap.message
    };
    let unsaved = "(the record was not saved yet)";
    assert_eq!(
        message(|b, todo| {
            let out = b.temp(Class::I64);
            emit!(b, EntityGetI64, out, todo, FieldNo::ID);
        }),
        format!("Todo.id: expected int, found none {unsaved}")
    );
    assert_eq!(
        message(|b, todo| {
            let out = b.temp(Class::I64);
            emit!(b, EntityGetI64, out, todo, FieldNo::CREATED_AT);
        }),
        format!("Todo.created_at: expected time, found none {unsaved}")
    );
    assert_eq!(
        message(|b, todo| {
            let out = b.temp(Class::Bool);
            emit!(b, EntityGetBool, out, todo, DONE);
        }),
        "Todo.done: expected bool, found text"
    );
    assert_eq!(
        message(|b, todo| {
            let out = b.temp(Class::F64);
            emit!(b, EntityGetF64, out, todo, DONE);
        }),
        "Todo.done: expected float, found text"
    );
    assert_eq!(
        message(|b, todo| {
            let out = b.temp(Class::Ref);
            emit!(b, EntityGetRef, out, todo, TITLE);
        }),
        format!("Todo.title: expected text, found none {unsaved}")
    );
    assert_eq!(
        message(|b, todo| {
            let out = b.temp(Class::Ref);
            emit!(b, EntityGetOptional, out, todo, DONE);
        }),
        "Todo.done: expected bool, found text"
    );
}

#[test]
fn find_takes_ids_as_ints_and_texts() {
    let (program, func) = program(&[Class::Any], Some(Class::Ref), |_, b| {
        let (id, out) = (b.param(0), b.temp(Class::Ref));
        emit!(b, EntityFind, out, id, TODOS);
        emit!(b, RetRef, out);
    });
    let id_of = |id: HostValue, host: &ModelHost| match call_on(&program, func, &[id], host).0 {
        Ok(HostValue::Entity(record)) => record.id,
        Ok(HostValue::None) => 0,
        other => panic!("{other:?}"),
    };
    let host = filled();
    assert_eq!(id_of(Int(2), &host), 2);
    assert_eq!(id_of(host_text("2"), &host), 2);
    for absent in [Int(9), Int(-1), host_text("x"), HostValue::None] {
        assert_eq!(id_of(absent, &host), 0);
    }
    let mut deleted = filled();
    deleted
        .records
        .get_mut(&(TODOS.0, 2))
        .expect("todo 2")
        .deleted_at = Some(5);
    assert_eq!(id_of(Int(2), &deleted), 0);
    assert_eq!(kind(&call(&program, func, &[Bool(true)])), "TypeError");
}

fn save_new(title: Option<&str>, host: &ModelHost) -> Result<HostValue, Trap> {
    let (program, func) = program(&[], None, |mb, b| {
        let todo = b.temp(Class::Ref);
        emit!(b, EntityNew, todo, TODOS);
        if let Some(title) = title {
            set_text(mb, b, todo, TITLE, title);
        }
        emit!(b, EntitySave, todo);
        emit!(b, Ret);
    });
    let (result, after) = call_on(&program, func, &[], host);
    if result.is_err() {
        assert_eq!(after.records.len(), host.records.len(), "nothing is stored");
    }
    result
}

#[test]
fn validators_name_entity_field_and_rule() {
    let parts = |result: Result<HostValue, Trap>| {
        let trap = result.expect_err("refused");
        (
            trap.kind.name().to_owned(),
            trap.entity,
            trap.field,
            trap.rule,
            trap.message,
        )
    };
    let expected = |rule: &str, message: &str| {
        let some = |text: &str| Some(text.to_owned());
        (
            "ValidationError".to_owned(),
            some("Todo"),
            some("title"),
            some(rule),
            message.to_owned(),
        )
    };
    assert_eq!(
        parts(save_new(None, &filled())),
        expected("required", "title is required")
    );
    assert_eq!(
        parts(save_new(Some(""), &filled())),
        expected("required", "title is required")
    );
    assert_eq!(
        parts(save_new(Some("öö"), &filled())),
        expected("min", "title must be at least 3 characters long")
    );
    assert_eq!(save_new(Some("öö!"), &filled()), Ok(HostValue::None));
}

#[test]
fn declared_types_are_enforced_at_save() {
    let (program, func) = program(&[Class::Any], None, |mb, b| {
        let (todo, value) = (b.temp(Class::Ref), b.param(0));
        emit!(b, EntityNew, todo, TODOS);
        set_text(mb, b, todo, TITLE, "title");
        emit!(b, EntitySet, value, todo, WEIGHT);
        emit!(b, EntitySave, todo);
        emit!(b, Ret);
    });
    let result = call_on(&program, func, &[host_text("heavy")], &filled()).0;
    let trap = result.expect_err("a broken rule");
    assert_eq!(trap.kind, ErrorKind::ValidationError);
    assert_eq!(trap.rule.as_deref(), Some("type"));
    assert_eq!(trap.message, "Todo.weight should be float, but it is text");
    assert_eq!(
        call_on(&program, func, &[Int(1)], &filled()).0,
        Ok(HostValue::None)
    );
}

#[test]
fn what_the_host_refuses_becomes_an_error_with_its_fields() {
    let refused = |error: HostError| {
        let host = ModelHost {
            refuse: Some(error),
            ..filled()
        };
        save_new(Some("title"), &host).expect_err("refused")
    };
    let unique = refused(HostError::Constraint {
        entity: "Todo".into(),
        field: "title".into(),
        rule: "unique".into(),
        message: "title is taken".into(),
    });
    assert_eq!(
        (unique.kind, unique.rule.as_deref()),
        (ErrorKind::ValidationError, Some("unique"))
    );
    assert_eq!(refused(HostError::ReadOnly).kind, ErrorKind::StorageError);
    assert_eq!(refused(HostError::Conflict).kind, ErrorKind::ConflictError);
    assert_eq!(
        refused(HostError::Storage("disk".into())).message,
        "the store failed: disk"
    );
}

#[test]
fn linking_to_an_unsaved_record_is_refused() {
    let (program, func) = program(&[], None, |mb, b| {
        let (todo, user, word) = (b.temp(Class::Ref), b.temp(Class::Ref), b.temp(Class::Any));
        emit!(b, EntityNew, user, USER);
        emit!(b, EntityNew, todo, TODOS);
        set_text(mb, b, todo, TITLE, "title");
        emit!(b, BoxRef, word, user);
        emit!(b, EntitySet, word, todo, OWNER);
        emit!(b, EntitySave, todo);
        emit!(b, Ret);
    });
    let trap = call_on(&program, func, &[], &filled())
        .0
        .expect_err("refused");
    assert_eq!(
        (trap.field.as_deref(), trap.rule.as_deref()),
        (Some("owner"), Some("reference"))
    );
}

#[test]
fn delete_restore_destroy() {
    let (program, func) = program(&[], Some(Class::Ref), |_, b| {
        let (todo, list, x, n) = (
            find(b, TODOS, 1),
            b.temp(Class::Ref),
            b.temp(Class::Any),
            b.temp(Class::I64),
        );
        emit!(b, ListNew, list, Class::Any, 0);
        emit!(b, EntityDelete, todo);
        emit!(b, EntityGet, x, todo, FieldNo::DELETED_AT);
        emit!(b, ListPushAny, list, x);
        emit!(b, EntityCount, n, TODOS);
        emit!(b, ListPushI64, list, n);
        emit!(b, EntityRestore, todo);
        emit!(b, EntityGet, x, todo, FieldNo::DELETED_AT);
        emit!(b, ListPushAny, list, x);
        emit!(b, EntityDestroy, todo);
        emit!(b, EntityCount, n, TODOS);
        emit!(b, ListPushI64, list, n);
        emit!(b, RetRef, list);
    });
    let (result, host) = call_on(&program, func, &[], &filled());
    assert_eq!(
        result,
        Ok(List(vec![Time(99), Int(1), HostValue::None, Int(1)]))
    );
    assert!(!host.records.contains_key(&(TODOS.0, 1)));
    // Neither an unsaved nor a destroyed record can be deleted.
    let (program, func) = self::program(&[], None, |_, b| {
        let todo = b.temp(Class::Ref);
        emit!(b, EntityNew, todo, TODOS);
        emit!(b, EntityDelete, todo);
        emit!(b, Ret);
    });
    assert_eq!(kind(&call(&program, func, &[])), "NotFound");
    let (program, func) = self::program(&[], None, |_, b| {
        let todo = find(b, TODOS, 1);
        emit!(b, EntityDestroy, todo);
        emit!(b, EntitySave, todo);
        emit!(b, Ret);
    });
    assert_eq!(kind(&call_on(&program, func, &[], &filled()).0), "NotFound");
}

#[test]
fn deleting_makes_read_referrers_stale() {
    // The owner is deleted with set_none: the todo that was read before is read again.
    let (program, func) = program(&[], Some(Class::Any), |_, b| {
        let (todo, user, title) = (find(b, TODOS, 1), find(b, USER, 1), b.temp(Class::Any));
        emit!(b, EntityDelete, user);
        emit!(b, EntityGet, title, todo, TITLE);
        emit!(b, RetAny, title);
    });
    let mut host = filled();
    host.consequences = Consequences {
        deleted: Vec::new(),
        unlinked: vec![(TODOS, 1)],
    };
    let (result, host) = call_on(&program, func, &[], &host);
    assert_eq!(result, Ok(host_text("write")));
    assert_eq!(host.reads, 3);
}

#[test]
fn a_query_scans_its_base_by_id() {
    let ids = |kind: Option<i32>, host: &ModelHost| {
        let (program, func) = program(&[], Some(Class::Ref), |_, b| {
            let (query, list) = (b.temp(Class::Ref), b.temp(Class::Ref));
            emit!(b, QueryNew, query, TODOS);
            if let Some(kind) = kind {
                let row = flin_bytecode::Native::QueryWith.lib_id();
                let w = b.window(row.signature());
                emit!(b, MovRef, w.args[0], query);
                emit!(b, ConstI64, w.args[1], kind);
                emit!(b, NoneAny, w.args[2]);
                emit!(b, CallLib, w.scalar, w.reference, row);
                emit!(b, MovRef, query, w.result.expect("a result"));
            }
            emit!(b, QueryScan, list, query);
            emit!(b, RetRef, list);
        });
        match call_on(&program, func, &[], host).0 {
            Ok(List(records)) => records
                .into_iter()
                .map(|record| match record {
                    HostValue::Entity(record) => record.id,
                    other => panic!("{other:?}"),
                })
                .collect::<Vec<i64>>(),
            other => panic!("{other:?}"),
        }
    };
    let mut host = filled();
    host.records
        .get_mut(&(TODOS.0, 1))
        .expect("todo 1")
        .deleted_at = Some(5);
    assert_eq!(ids(None, &host), [2]);
    assert_eq!(ids(Some(5), &host), [1]);
    assert_eq!(ids(Some(6), &host), [1, 2]);
}

#[test]
fn wrong_kinds_of_objects_are_refused() {
    // Field 3 exists in Todo, not in User: the object decides.
    let (program, func) = program(&[], Some(Class::Any), |_, b| {
        let (user, x) = (find(b, USER, 1), b.temp(Class::Any));
        emit!(b, EntityGet, x, user, OWNER);
        emit!(b, RetAny, x);
    });
    assert_eq!(
        kind(&call_on(&program, func, &[], &filled()).0),
        "TypeError"
    );
    let (program, func) = self::program(&[], Some(Class::Any), |mb, b| {
        let (x, out) = (text(mb, b, "x"), b.temp(Class::Any));
        emit!(b, EntityGet, out, x, TITLE);
        emit!(b, RetAny, out);
    });
    assert_eq!(kind(&call(&program, func, &[])), "TypeError");
}
