//! Small programs built by hand: inference on its own, without reading source text.

use flin_syntax::Span;

use crate::hir::{
    BinOp, Capture, Expr, ExprId, ExprKind, FnId, FnKind, Function, Local, LocalId, Param, Program,
    RecordEntry,
};
use crate::types::{Meaning, Ty, Types};

use super::infer;

/// Builds one function.
struct Build {
    function: Function,
}

impl Build {
    fn new(name: &str, kind: FnKind, params: &[&str]) -> Build {
        let mut build = Build {
            function: Function {
                name: name.to_owned(),
                span: Span::at(0),
                kind,
                from_prelude: false,
                type_vars: 0,
                params: Vec::new(),
                result: None,
                locals: Vec::new(),
                captures: Vec::new(),
                parent: None,
                exprs: Vec::new(),
                body: ExprId(0),
                read_only: false,
            },
        };
        for param in params {
            let local = build.local(param, false);
            build.function.params.push(Param {
                local,
                annotation: None,
                default: None,
            });
        }
        build
    }

    fn local(&mut self, name: &str, reassigned: bool) -> LocalId {
        let id = LocalId(self.function.locals.len() as u32);
        self.function.locals.push(Local {
            name: name.to_owned(),
            span: Span::at(0),
            annotation: None,
            reassigned,
            captured: false,
            function: None,
            lambda: None,
            tuple: None,
        });
        id
    }

    fn put(&mut self, kind: ExprKind) -> ExprId {
        let id = ExprId(self.function.exprs.len() as u32);
        self.function.exprs.push(Expr {
            kind,
            span: Span::new(id.0, id.0 + 1),
        });
        id
    }

    fn get(&mut self, local: LocalId) -> ExprId {
        self.put(ExprKind::Local(local))
    }

    fn int(&mut self, n: i64) -> ExprId {
        self.put(ExprKind::Int(n))
    }

    fn binary(&mut self, op: BinOp, a: ExprId, b: ExprId) -> ExprId {
        self.put(ExprKind::Binary(op, a, b))
    }

    fn set(&mut self, local: LocalId, value: ExprId) -> ExprId {
        self.put(ExprKind::Let(local, Some(value)))
    }

    fn method(&mut self, recv: ExprId, name: &str, args: Vec<ExprId>) -> ExprId {
        let (name, name_span) = (name.to_owned(), Span::at(0));
        self.put(ExprKind::Method {
            recv,
            name,
            name_span,
            args,
            optional: false,
        })
    }

    fn body(mut self, parts: Vec<ExprId>, has_value: bool) -> Function {
        self.function.body = self.put(ExprKind::Block(parts, has_value));
        self.function
    }
}

fn program(functions: Vec<Function>) -> Program {
    Program {
        main: Some(FnId(0)),
        functions,
        ..Program::default()
    }
}

fn instance_of(types: &Types, func: u32) -> &crate::types::Instance {
    types
        .instances
        .iter()
        .find(|instance| instance.func == FnId(func))
        .expect("the function has an instance")
}

#[test]
fn a_recursive_function_of_ints_is_int() {
    let mut main = Build::new("main", FnKind::Internal, &[]);
    let ten = main.int(10);
    let call = main.put(ExprKind::CallFn(FnId(1), vec![ten]));
    let main = main.body(vec![call], false);
    let mut fib = Build::new("fib", FnKind::Named, &["n"]);
    let n = LocalId(0);
    let (a, two) = (fib.get(n), fib.int(2));
    let cond = fib.binary(BinOp::Lt, a, two);
    let base = fib.get(n);
    let base = fib.put(ExprKind::Return(Some(base)));
    let test = fib.put(ExprKind::If {
        cond,
        then: base,
        otherwise: None,
    });
    let mut calls = Vec::new();
    for less in [1, 2] {
        let (n, one) = (fib.get(n), fib.int(less));
        let arg = fib.binary(BinOp::Sub, n, one);
        calls.push(fib.put(ExprKind::CallFn(FnId(1), vec![arg])));
    }
    let sum = fib.binary(BinOp::Add, calls[0], calls[1]);
    let fib = fib.body(vec![test, sum], true);
    let (types, diagnostics) = infer(&program(vec![main, fib]));
    assert_eq!(diagnostics, []);
    let fib = instance_of(&types, 1);
    assert_eq!((fib.locals[0], fib.result), (Ty::Int, Ty::Int));
    assert_eq!(types.instances.len(), 2);
    assert!(matches!(fib.meaning[&calls[0]], Meaning::Direct(_)));
}

#[test]
fn an_empty_list_learns_from_its_pushes() {
    let mut main = Build::new("main", FnKind::Internal, &[]);
    let xs = main.local("xs", false);
    let list = main.put(ExprKind::List(Vec::new()));
    let start = main.set(xs, list);
    let (recv, one) = (main.get(xs), main.int(1));
    let push = main.method(recv, "push", vec![one]);
    let main = main.body(vec![start, push], false);
    let (types, diagnostics) = infer(&program(vec![main]));
    assert_eq!(diagnostics, []);
    let Ty::List(list) = types.instances[0].locals[0] else {
        panic!("xs is a list")
    };
    assert_eq!(types.lists[list.index()], Ty::Int);
}

#[test]
fn a_tree_of_records_is_one_type() {
    let mut main = Build::new("main", FnKind::Internal, &[]);
    let depth = main.int(4);
    let call = main.put(ExprKind::CallFn(FnId(1), vec![depth]));
    let main = main.body(vec![call], false);
    let mut tree = Build::new("tree", FnKind::Named, &["d"]);
    let node = |tree: &mut Build, left: ExprId, right: ExprId| {
        tree.put(ExprKind::Record(vec![
            RecordEntry::Field("left".to_owned(), Span::at(0), left),
            RecordEntry::Field("right".to_owned(), Span::at(0), right),
        ]))
    };
    let (d, zero) = (tree.get(LocalId(0)), tree.int(0));
    let cond = tree.binary(BinOp::Eq, d, zero);
    let (none, other) = (tree.put(ExprKind::None), tree.put(ExprKind::None));
    let leaf = node(&mut tree, none, other);
    let mut parts = Vec::new();
    for _ in 0..2 {
        let (d, one) = (tree.get(LocalId(0)), tree.int(1));
        let less = tree.binary(BinOp::Sub, d, one);
        parts.push(tree.put(ExprKind::CallFn(FnId(1), vec![less])));
    }
    let inner = node(&mut tree, parts[0], parts[1]);
    let choose = tree.put(ExprKind::If {
        cond,
        then: leaf,
        otherwise: Some(inner),
    });
    let tree = tree.body(vec![choose], true);
    let (types, diagnostics) = infer(&program(vec![main, tree]));
    assert_eq!(diagnostics, []);
    let Ty::Record(record) = instance_of(&types, 1).result else {
        panic!("a record")
    };
    let left = types.records[record.index()][0].1;
    let Ty::Union(union) = left else {
        panic!("optional, not {left:?}")
    };
    assert_eq!(types.unions[union.index()], [Ty::Record(record), Ty::None]);
    assert_eq!(types.class(left), flin_bytecode::Class::Ref);
}

#[test]
fn a_lambda_gets_its_types_from_its_calls() {
    let mut main = Build::new("main", FnKind::Internal, &[]);
    let (k, f) = (main.local("k", false), main.local("f", false));
    main.function.locals[0].captured = true;
    let float = main.put(ExprKind::Float(1.5));
    let first = main.set(k, float);
    let lambda = main.put(ExprKind::Lambda(FnId(1)));
    let second = main.set(f, lambda);
    let (callee, two) = (main.get(f), main.int(2));
    let call = main.put(ExprKind::CallValue(callee, vec![two]));
    let main = main.body(vec![first, second, call], false);
    let mut lambda = Build::new("lambda", FnKind::Lambda, &["x"]);
    let inner = lambda.local("k", false);
    lambda.function.parent = Some(FnId(0));
    lambda.function.captures = vec![Capture { outer: k, inner }];
    let (x, k) = (lambda.get(LocalId(0)), lambda.get(inner));
    let sum = lambda.binary(BinOp::Add, x, k);
    let lambda = lambda.body(vec![sum], true);
    let (types, diagnostics) = infer(&program(vec![main, lambda]));
    assert_eq!(diagnostics, []);
    let inside = instance_of(&types, 1);
    assert_eq!(inside.locals, [Ty::Int, Ty::Float]);
    assert_eq!(types.instances[0].exprs[call.index()], Ty::Float);
    assert_eq!(
        types.instances[0].meaning[&call],
        Meaning::Closure {
            params: vec![Ty::Int],
            result: Ty::Float
        }
    );
}

#[test]
fn calls_with_other_types_are_other_instances() {
    let mut main = Build::new("main", FnKind::Internal, &[]);
    let one = main.int(1);
    let text = main.put(ExprKind::Text("a".to_owned()));
    let first = main.put(ExprKind::CallFn(FnId(1), vec![one]));
    let second = main.put(ExprKind::CallFn(FnId(1), vec![text]));
    let both = main.put(ExprKind::List(vec![first, second]));
    let main = main.body(vec![both], false);
    let mut twice = Build::new("twice", FnKind::Named, &["x"]);
    let (a, b) = (twice.get(LocalId(0)), twice.get(LocalId(0)));
    let sum = twice.binary(BinOp::Add, a, b);
    let twice = twice.body(vec![sum], true);
    let (types, diagnostics) = infer(&program(vec![main, twice]));
    assert_eq!(diagnostics, []);
    let main = &types.instances[0];
    assert_eq!(
        (main.exprs[first.index()], main.exprs[second.index()]),
        (Ty::Int, Ty::Text)
    );
}

#[test]
fn what_cannot_be_right_is_said_once() {
    let mut main = Build::new("main", FnKind::Internal, &[]);
    let x = main.local("x", false);
    let text = main.put(ExprKind::Text("a".to_owned()));
    let one = main.int(1);
    let bad = main.binary(BinOp::Sub, text, one);
    let start = main.set(x, bad);
    let (a, two) = (main.get(x), main.int(2));
    let follow = main.binary(BinOp::Mul, a, two);
    let main = main.body(vec![start, follow], false);
    let (_, diagnostics) = infer(&program(vec![main]));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(
        diagnostics[0].title,
        "`-` does not work between text and int"
    );
}

#[test]
fn functions_that_wrap_their_argument_for_ever_end() {
    let mut main = Build::new("main", FnKind::Internal, &[]);
    let one = main.int(1);
    let call = main.put(ExprKind::CallFn(FnId(1), vec![one]));
    let main = main.body(vec![call], false);
    let mut wrap = Build::new("wrap", FnKind::Named, &["x"]);
    let x = wrap.get(LocalId(0));
    let list = wrap.put(ExprKind::List(vec![x]));
    let call = wrap.put(ExprKind::CallFn(FnId(1), vec![list]));
    let wrap = wrap.body(vec![call], true);
    let (types, _) = infer(&program(vec![main, wrap]));
    assert!(types.instances.len() < 40);
}
