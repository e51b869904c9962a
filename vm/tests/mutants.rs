//! Mutated code: whatever the verifier lets through must run to an end (result, error, or stopped by fuel) without a
//! crash, with debug assertions on and with a collection at every allocation. Seeded, so that a failure can be repeated.

mod support;

use flin_bytecode::{
    Class, Entity, EntityField, EntityTypeId, FieldNo, FuncId, Function, FunctionBuilder, Global,
    GlobalId, Handler, HandlerId, Inverse, Module, ModuleBuilder, Native, OnDelete, Op, Page, Reg,
    Rule, Shape, Template, TypeDesc,
};
use flin_testkit::rng::Rng;
use flin_vm::{HostRecord, HostValue, Limits, Program, Vm};
use support::*;

const MUTANTS: u32 = 6_000;
const TODOS: EntityTypeId = EntityTypeId(0);

/// A module whose functions use all families.
fn zoo() -> Module {
    let mut mb = ModuleBuilder::new("zoo.flin");
    declare(&mut mb);
    add(
        &mut mb,
        "numbers",
        &[Class::I64, Class::F64],
        Some(Class::Any),
        numbers,
    );
    add(
        &mut mb,
        "containers",
        &[Class::Ref, Class::Any],
        Some(Class::Ref),
        containers,
    );
    add(&mut mb, "records", &[Class::I64], Some(Class::Ref), records);
    let lambda = lambda(&mut mb);
    add(
        &mut mb,
        "closures",
        &[Class::I64, Class::Ref],
        Some(Class::Ref),
        |mb, b| closures(mb, b, lambda),
    );
    add(
        &mut mb,
        "entities",
        &[Class::Ref],
        Some(Class::Any),
        entities,
    );
    add(&mut mb, "markup", &[Class::Any, Class::Any], None, markup);
    add(&mut mb, "texts", &[Class::Any], Some(Class::Ref), texts);
    add(
        &mut mb,
        "far",
        &[Class::I64, Class::Ref],
        Some(Class::Ref),
        far,
    );
    mb.module
}

fn declare(mb: &mut ModuleBuilder) {
    let text = mb.type_desc(TypeDesc::Text);
    let any = mb.type_desc(TypeDesc::Any);
    let todo = mb.type_desc(TypeDesc::Entity(TODOS));
    mb.type_desc(TypeDesc::Optional(text));
    mb.type_desc(TypeDesc::List(any, Class::Any));
    let field = |name: &str, ty, rules: Vec<Rule>| EntityField {
        name: name.into(),
        ty,
        optional: true,
        rules,
        default: None,
        checks: vec![],
        unique: false,
        index: false,
        hidden: false,
        on_delete: OnDelete::SetNone,
        was: Vec::new(),
    };
    let fields = vec![
        field("title", text, vec![Rule::Max(9.0)]),
        field("parent", todo, vec![]),
    ];
    mb.module.entities.push(Entity {
        name: "Todo".into(),
        fields,
        was: Vec::new(),
        keep: flin_bytecode::module::Keep::default(),
        inverses: vec![Inverse {
            name: "children".into(),
            entity: TODOS,
            field: 1,
        }],
        line: 1,
    });
    mb.global(Global {
        name: "count".into(),
        class: Class::I64,
        ty: any,
    });
    mb.global(Global {
        name: "name".into(),
        class: Class::Ref,
        ty: text,
    });
    mb.global(Global {
        name: "any".into(),
        class: Class::Any,
        ty: any,
    });
    let view = add(mb, "view", &[], None, |_, b| {
        emit!(b, Ret);
    });
    let handler = |event: &str| Handler {
        event: event.into(),
        func: view,
        params: vec![],
        by_name: None,
        ..Handler::default()
    };
    mb.module.pages.push(Page {
        path: "/".into(),
        view,
        variables: vec![],
        handlers: vec![handler("click"), handler("submit")],
        reads: vec![],
        field_sources: vec![],
        shown: vec![],
        templates: vec![Template::default()],
        ..Page::default()
    });
}

fn numbers(mb: &mut ModuleBuilder, b: &mut FunctionBuilder) {
    let (n, x, i, sum) = (b.param(0), b.param(1), int(b, 0), int(b, 1));
    let (t, out, error) = (b.temp(Class::Bool), b.temp(Class::Any), b.temp(Class::Ref));
    let half = float(mb, b, 0.5);
    let (end, target) = (b.label(), b.label());
    let head = b.label_here();
    emit!(b, AddI64, sum, sum, i);
    emit!(b, MulI64, sum, sum, sum);
    emit!(b, RemI64, sum, sum, n);
    emit!(b, MulF64, x, x, half);
    emit!(b, LtF64, t, x, half);
    emit!(b, ForNext, i, n, head);
    emit!(b, DivI64, sum, sum, i);
    emit!(b, BoxInt, out, sum);
    let any = b.temp(Class::Any);
    emit!(b, BoxFloat, any, x);
    emit!(b, AddAny, out, out, any);
    emit!(b, GlobalSetI64, sum, GlobalId(0));
    b.bind(end);
    emit!(b, RetAny, out);
    b.bind(target);
    b.protect(head, end, target, error);
    emit!(b, BoxRef, any, error);
    emit!(b, RetAny, any);
}

fn containers(mb: &mut ModuleBuilder, b: &mut FunctionBuilder) {
    let (given, word) = (b.param(0), b.param(1));
    let (list, map, other) = (b.temp(Class::Ref), b.temp(Class::Ref), b.temp(Class::Ref));
    let (i, n, got, any) = (int(b, 0), int(b, 6), b.temp(Class::I64), b.temp(Class::Any));
    emit!(b, ListNew, list, Class::I64, 0);
    emit!(b, ListNew, other, Class::Any, 2);
    emit!(b, MapNew, map, 0);
    let head = b.label_here();
    emit!(b, ListPushI64, list, i);
    emit!(b, ListGetI64, got, list, i);
    emit!(b, ListSetI64, got, list, i);
    emit!(b, BoxInt, any, i);
    emit!(b, MapSet, word, map, any);
    emit!(b, MapGet, any, map, any);
    emit!(b, ListPushAny, other, any);
    emit!(b, ForNext, i, n, head);
    emit!(b, MapSetName, any, map, mb.const_text("name"));
    emit!(b, ListPushRef, other, map);
    emit!(b, ListPushRef, other, given);
    emit!(b, ListConcat, other, other, list);
    emit!(b, ListLen, got, other);
    let same = b.temp(Class::Bool);
    emit!(b, EqRef, same, other, list);
    let (ty_any, key) = (ty(mb, TypeDesc::Any), b.temp(Class::Any));
    emit!(b, IsTypeAny, same, word, ty_any);
    emit!(b, BoxInt, key, got);
    emit!(b, BoxRef, any, map);
    emit!(b, IndexSetAny, word, any, key);
    emit!(b, IndexGetAny, any, any, key);
    emit!(b, GlobalSetAny, any, GlobalId(2));
    emit!(b, RetRef, other);
}

fn records(mb: &mut ModuleBuilder, b: &mut FunctionBuilder) {
    let fields = [("x", Class::I64), ("r", Class::Ref), ("a", Class::Any)];
    let shape = Shape {
        fields: fields
            .iter()
            .map(|(name, class)| (mb.const_text(name), *class))
            .collect(),
    };
    let shape = mb.shape(shape);
    let single = Shape {
        fields: vec![(mb.const_text("x"), Class::F64)],
    };
    let single = mb.shape(single);
    let (n, record, small, any) = (
        b.param(0),
        b.temp(Class::Ref),
        b.temp(Class::Ref),
        b.temp(Class::Any),
    );
    let (x, f) = (b.temp(Class::I64), b.temp(Class::F64));
    emit!(b, RecordNew, record, shape);
    emit!(b, RecordNew, small, single);
    emit!(b, RecordSetI64, n, record, 0, shape);
    emit!(b, RecordSetRef, record, record, 1, shape);
    emit!(b, RecordGetI64, x, record, 0, shape);
    emit!(b, RecordGetF64, f, small, 0, single);
    emit!(b, BoxFloat, any, f);
    emit!(b, RecordSetAny, any, record, 2, shape);
    emit!(b, MapSetName, any, record, mb.const_text("new"));
    emit!(b, RecordGetRef, small, record, 1, shape);
    emit!(b, BoxRef, any, small);
    emit!(b, FieldGetAny, any, any, mb.const_text("x"));
    emit!(b, UnboxInt, x, any);
    emit!(b, RetRef, record);
}

fn lambda(mb: &mut ModuleBuilder) -> FuncId {
    let sig = signature(&[Class::I64], Some(Class::I64));
    let mut b = FunctionBuilder::closure("lambda", sig, vec![Class::I64, Class::Ref]);
    let (n, k, cell, got) = (
        b.param(0),
        b.temp(Class::I64),
        b.temp(Class::Ref),
        b.temp(Class::I64),
    );
    emit!(b, CaptureGetI64, k, 0);
    emit!(b, CaptureGetRef, cell, 1);
    emit!(b, CellGetI64, got, cell);
    emit!(b, AddI64, got, got, k);
    emit!(b, CellSetI64, got, cell);
    emit!(b, AddI64, got, got, n);
    emit!(b, RetI64, got);
    let function = b.finish().expect("fits");
    mb.function(function)
}

fn closures(mb: &mut ModuleBuilder, b: &mut FunctionBuilder, lambda: FuncId) {
    let (n, given, closure, cell, out) = (
        b.param(0),
        b.param(1),
        b.temp(Class::Ref),
        b.temp(Class::Ref),
        b.temp(Class::Ref),
    );
    emit!(b, CellNewI64, cell, n);
    emit!(b, ClosureNew, closure, lambda);
    emit!(b, CaptureSetI64, closure, n, 0);
    emit!(b, CaptureSetRef, closure, cell, 1);
    let sig = signature(&[Class::I64], Some(Class::I64));
    let any_sig = signature(&[Class::Any], Some(Class::Any));
    let (sig_id, any_id) = (mb.signature(sig.clone()), mb.signature(any_sig.clone()));
    let mark = b.mark();
    let w = b.closure_window(&sig);
    emit!(b, MovRef, w.closure.expect("a closure"), closure);
    emit!(b, MovI64, w.args[0], n);
    emit!(b, CallClosure, w.scalar, w.reference, sig_id);
    emit!(b, TextI64, out, w.result.expect("a result"));
    b.release(mark);
    let w = b.closure_window(&any_sig);
    emit!(b, MovRef, w.closure.expect("a closure"), closure);
    emit!(b, BoxInt, w.args[0], n);
    emit!(b, CallClosure, w.scalar, w.reference, any_id);
    let shown = b.temp(Class::Ref);
    emit!(b, TextAny, shown, w.result.expect("a result"));
    emit!(b, Concat, out, out, shown);
    emit!(b, TextRef, given, given);
    emit!(b, Concat, out, out, given);
    emit!(b, RetRef, out);
}

fn entities(_: &mut ModuleBuilder, b: &mut FunctionBuilder) {
    let (given, todo, parent, list) = (
        b.param(0),
        b.temp(Class::Ref),
        b.temp(Class::Ref),
        b.temp(Class::Ref),
    );
    let (any, n, query) = (b.temp(Class::Any), b.temp(Class::I64), b.temp(Class::Ref));
    emit!(b, EntityNew, todo, TODOS);
    emit!(b, BoxRef, any, given);
    emit!(b, EntitySet, any, todo, FieldNo(1));
    emit!(b, EntitySave, todo);
    emit!(b, EntityFollow, parent, todo, FieldNo(1));
    emit!(b, EntityGet, any, parent, FieldNo(0));
    emit!(b, EntityGet, any, todo, FieldNo::ID);
    emit!(b, EntityFind, parent, any, TODOS);
    emit!(b, QueryNew, query, TODOS);
    let row = Native::QueryWith.lib_id();
    let w = b.window(row.signature());
    emit!(b, MovRef, w.args[0], query);
    emit!(b, ConstI64, w.args[1], 3);
    emit!(b, MovAny, w.args[2], any);
    emit!(b, CallLib, w.scalar, w.reference, row);
    emit!(b, QueryScan, list, query);
    emit!(b, EntityCount, n, TODOS);
    emit!(b, EntityGetI64, n, todo, FieldNo::CREATED_AT);
    emit!(b, EntityFindI64, parent, n, TODOS);
    emit!(b, EntitySetI64, n, todo, FieldNo(0));
    emit!(b, EntityGetOptional, parent, todo, FieldNo(1));
    emit!(b, EntitySet, parent, todo, FieldNo(1));
    emit!(b, EntityDelete, todo);
    emit!(b, EntityRestore, todo);
    emit!(b, EntityValidate, todo);
    emit!(b, EntityInverse, query, todo, 0);
    emit!(b, EntityDestroy, todo);
    emit!(b, BoxRef, any, list);
    emit!(b, RetAny, any);
}

fn markup(mb: &mut ModuleBuilder, b: &mut FunctionBuilder) {
    let (x, y) = (b.param(0), b.param(1));
    emit!(b, ViewHead, 1);
    emit!(b, ViewRaw, mb.const_text("<p>"));
    emit!(b, ViewHead, 0);
    emit!(b, ViewTextAny, x);
    emit!(b, ViewAttr, y, 2, mb.const_text("href"));
    emit!(b, ViewBind, x, 0, GlobalId(2));
    emit!(b, ViewOption, x, y);
    emit!(b, ViewBlock, 0);
    emit!(b, ViewList);
    emit!(b, ViewItem, y, 1);
    emit!(b, ViewBlock, 0);
    emit!(b, ViewKey);
    emit!(b, ViewLeaf, 1);
    emit!(b, ViewTextAny, x);
    emit!(b, ViewLeaf, 0);
    emit!(b, ViewAbsent);
    emit!(b, ViewEnd);
    emit!(b, ViewEmpty);
    emit!(b, ViewEnd);
    emit!(b, ViewEnd);
    emit!(b, ViewOn, x, 2, HandlerId(1));
    emit!(b, ViewForm, x, 1, HandlerId(1));
    emit!(b, ViewOnButton, x, 0, HandlerId(0));
    let (t, now) = (text(mb, b, "log"), b.temp(Class::I64));
    emit!(b, Now, now);
    emit!(b, ViewTextI64, now);
    emit!(b, ViewHtml, t);
    emit!(b, Print, t);
    emit!(b, Log, t, 1);
    emit!(b, Ret);
}

fn texts(mb: &mut ModuleBuilder, b: &mut FunctionBuilder) {
    let given = b.param(0);
    let run = refs(b, &[Class::Ref, Class::Ref, Class::Ref]);
    let (out, i, n, t) = (
        b.temp(Class::Ref),
        int(b, 0),
        int(b, 20),
        b.temp(Class::Bool),
    );
    emit!(b, TextAny, run, given);
    emit!(
        b,
        ConstText,
        Reg(run.0 + 1),
        mb.const_text("äé long enough to be buffered soon, one hopes")
    );
    emit!(b, GlobalGetRef, Reg(run.0 + 2), GlobalId(1));
    emit!(b, TextRef, Reg(run.0 + 2), Reg(run.0 + 2));
    emit!(b, ConcatN, out, run, 3);
    let head = b.label_here();
    emit!(b, Concat, out, out, Reg(run.0 + 1));
    emit!(b, ForNext, i, n, head);
    emit!(b, TextIndex, run, out, i);
    emit!(b, LtText, t, run, out);
    emit!(b, TextLen, n, out);
    emit!(b, GlobalSetRef, out, GlobalId(1));
    emit!(b, Fail, run, out);
}

fn far(_: &mut ModuleBuilder, b: &mut FunctionBuilder) {
    let (n, x) = (b.param(0), b.param(1));
    let locals: Vec<Reg> = (0..140).map(|_| b.local(Class::I64)).collect();
    let texts: Vec<Reg> = (0..140).map(|_| b.local(Class::Ref)).collect();
    for (local, text) in locals.iter().zip(&texts) {
        emit!(b, MovI64, *local, n);
        emit!(b, MovRef, *text, x);
    }
    let out = b.temp(Class::Ref);
    emit!(b, TextI64, out, locals[139]);
    emit!(b, Concat, out, out, texts[139]);
    emit!(b, RetRef, out);
}

/// Changes one or two words of one function.
fn mutate(module: &mut Module, rng: &mut Rng) -> FuncId {
    let at = rng.below(module.functions.len());
    for _ in 0..1 + rng.below(2) {
        let donor = module.functions[rng.below(module.functions.len())]
            .code
            .clone();
        mutate_word(&mut module.functions[at], &donor, rng);
    }
    FuncId(at as u32)
}

fn mutate_word(function: &mut Function, donor: &[u64], rng: &mut Rng) {
    let index = rng.below(function.code.len());
    let word = function.code[index];
    let most = function.scalar_regs.len().max(function.ref_regs.len());
    let register = rng.below(most.clamp(1, 256)) as u64;
    function.code[index] = match rng.below(7) {
        0 => word ^ (1 << rng.below(64)),
        1 => (word & !0xffff) | rng.below(Op::COUNT) as u64,
        2 => (word & !0x00ff_0000) | (register << 16),
        3 => (word & !0xff00_0000) | (register << 24),
        4 => (word & !(0xff << 32)) | (register << 32),
        5 => donor[rng.below(donor.len())],
        _ => function.code[rng.below(function.code.len())],
    };
}

fn host() -> ModelHost {
    let mut host = ModelHost {
        slices_max: 4,
        clock_ms: 5,
        last_id: 1,
        ..ModelHost::default()
    };
    let fields = vec![host_text("one"), HostValue::Link(TODOS, 1)];
    let record = HostRecord {
        ty: TODOS,
        id: 1,
        version: 1,
        created_at: 1,
        updated_at: 1,
        deleted_at: None,
        fields,
        past: None,
    };
    host.records.insert((0, 1), record);
    host
}

fn argument(class: Class) -> HostValue {
    match class {
        Class::I64 => HostValue::Int(7),
        Class::F64 => HostValue::Float(1.5),
        Class::Bool => HostValue::Bool(true),
        Class::Ref => HostValue::Link(TODOS, 1),
        Class::Any => HostValue::List(vec![host_text("x"), HostValue::Float(1e300)]),
    }
}

fn run(module: &Module, func: FuncId) -> bool {
    let Ok(program) = Program::load(module.clone()) else {
        return false;
    };
    let function = &module.functions[func.index()];
    let args: Vec<HostValue> = function
        .signature
        .params
        .iter()
        .map(|class| argument(*class))
        .collect();
    for collect_every_allocation in [false, true] {
        let limits = Limits {
            call_depth: 40,
            memory_bytes: 2 << 20,
            collect_every_allocation,
        };
        let mut vm = Vm::new(program.clone(), limits);
        // Whether it ends with a value or an error does not matter here, only that it ends.
        let _ = vm.call(&mut host(), func, &args);
        let view = module.pages[0].view;
        let _ = vm.call(&mut host(), view, &[]);
        vm.take_rendered();
    }
    true
}

#[test]
fn mutated_code_is_refused_or_runs_without_a_crash() {
    let module = zoo();
    for index in 0..module.functions.len() as u32 {
        if !module.functions[index as usize].is_closure {
            assert!(
                run(&module, FuncId(index)),
                "the unchanged module is accepted"
            );
        }
    }
    let (mut ran, mut refused) = (0, 0);
    let mut rng = Rng::new(0xF11A_2026);
    for _ in 0..MUTANTS {
        let mut mutant = module.clone();
        let func = mutate(&mut mutant, &mut rng);
        if mutant.functions[func.index()].is_closure {
            // Lambdas run through the function that makes them.
            let caller = mutant
                .functions
                .iter()
                .position(|f| f.name == "closures")
                .expect("closures");
            if run(&mutant, FuncId(caller as u32)) {
                ran += 1
            } else {
                refused += 1
            }
        } else if run(&mutant, func) {
            ran += 1;
        } else {
            refused += 1;
        }
    }
    assert!(
        ran > MUTANTS / 20,
        "only {ran} mutants ran, {refused} were refused: mutate more gently"
    );
    assert!(
        refused > MUTANTS / 20,
        "only {refused} mutants were refused"
    );
}
