//! Rules about what code may do where, checked over whole chains of calls: views and initial values may not write
//! entities, statements of the top level may not use page state or variables that have no value yet. Must stay true: the
//! message stands at the first step of the chain and names every step.

use flin_syntax::{Code, Diagnostic, Span};
use foldhash::{HashMap, HashSet, HashSetExt as _};

use crate::hir::{ExprId, ExprKind, FnId, Function, GlobalIx, GlobalKind, Program};
use crate::operands::operands;

use super::facts::{Facts, in_order, reachable};
use super::kinds::Fate;

type Reached = HashMap<FnId, Option<(FnId, Span)>>;

/// The steps from a start to a function: where the first step is taken, and the functions in between by name.
fn path(functions: &[Function], reached: &Reached, to: FnId) -> (Option<Span>, Vec<String>) {
    let mut first = None;
    let mut names = Vec::new();
    let mut at = to;
    while let Some(Some((caller, span))) = reached.get(&at) {
        if functions[at.index()].name != "lambda" {
            names.push(format!("`{}`", functions[at.index()].name));
        }
        first = Some(*span);
        at = *caller;
    }
    names.reverse();
    (first, names)
}

/// `` through `list` and `touch` ``, or nothing.
fn through(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!(" through {one}"),
        [before @ .., last] => format!(" through {} and {last}", before.join(", ")),
    }
}

/// Views, initial values, constants, defaults and checks that change stored entities.
pub(super) fn writes_while_showing(program: &Program, facts: &[Facts], out: &mut Vec<Diagnostic>) {
    let may_write = writers(facts);
    for (at, function) in program.functions.iter().enumerate() {
        if !function.read_only || function.from_prelude || !may_write[at] {
            continue;
        }
        let reached = reachable(facts, [FnId(at as u32)]);
        let writer = in_order(&reached)
            .into_iter()
            .find(|id| facts[id.index()].writes.is_some());
        let Some((writer, (place, word))) =
            writer.and_then(|id| Some((id, facts[id.index()].writes?)))
        else {
            continue;
        };
        let (first, names) = path(&program.functions, &reached, writer);
        let what = what_it_is(&function.name);
        let mut diagnostic = Diagnostic::error(
            Code::WriteWhileShowing,
            first.unwrap_or(place),
            format!("{what} {word} an entity{}", through(&names)),
        );
        if first.is_some() {
            diagnostic = diagnostic
                .label("called here")
                .also(place, format!("{word} here"));
        }
        out.push(
            diagnostic
                .reason(format!(
                    "{what} may be computed at any time and any number of times"
                ))
                .hint("do it in a handler, a route or a top-level statement"),
        );
    }
}

/// Which functions change stored entities, by themselves or through others.
fn writers(facts: &[Facts]) -> Vec<bool> {
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); facts.len()];
    for (caller, fact) in facts.iter().enumerate() {
        fact.calls
            .iter()
            .for_each(|(callee, _)| callers[callee.index()].push(caller));
    }
    let mut may_write = vec![false; facts.len()];
    let mut next: Vec<usize> = (0..facts.len())
        .filter(|at| facts[*at].writes.is_some())
        .collect();
    while let Some(at) = next.pop() {
        if !std::mem::replace(&mut may_write[at], true) {
            next.extend(&callers[at]);
        }
    }
    may_write
}

fn what_it_is(name: &str) -> &'static str {
    if name.starts_with("view") {
        "a view"
    } else if name.starts_with("initial") {
        "an initial value"
    } else if name.starts_with("default") {
        "a default value"
    } else if name.starts_with("check") {
        "a check"
    } else {
        "a constant"
    }
}

/// Statements of `main` that use page state.
pub(super) fn state_at_top_level(
    program: &Program,
    facts: &[Facts],
    fates: &[Fate],
    out: &mut Vec<Diagnostic>,
) {
    let Some(main) = program.main else { return };
    let reached = reachable(facts, [main]);
    let is_state = |global: &GlobalIx| fates[global.index()] == Fate::Global(GlobalKind::State);
    for id in in_order(&reached) {
        let fact = &facts[id.index()];
        let Some((global, place)) = fact
            .assigns
            .iter()
            .chain(&fact.reads)
            .find(|(global, _)| is_state(global))
        else {
            continue;
        };
        let (first, names) = path(&program.functions, &reached, id);
        let name = program.globals[global.index()].name.clone();
        let mut diagnostic = Diagnostic::error(
            Code::StateAtTopLevel,
            first.unwrap_or(*place),
            format!(
                "a statement of the top level uses the page state `{name}`{}",
                through(&names)
            ),
        );
        if first.is_some() {
            diagnostic = diagnostic.also(*place, "used here");
        }
        out.push(
            diagnostic
                .reason("statements of the top level run once, when there is no visitor; page state belongs to a visitor")
                .hint("do it in a handler, or use entities and constants"),
        );
        return;
    }
}

/// Functions that `main` calls before a variable they read has its first value.
pub(super) fn early_calls(
    program: &Program,
    facts: &[Facts],
    declarations: &HashMap<ExprId, usize>,
    out: &mut Vec<Diagnostic>,
) {
    let Some(main) = program.main else { return };
    let function = &program.functions[main.index()];
    let ExprKind::Block(statements, _) = &function.exprs[function.body.index()].kind else {
        return;
    };
    let mut without_value: HashSet<usize> = declarations.values().copied().collect();
    // A function is looked at once: what it reads has a value by then, or is reported and counts as having one.
    let mut seen: HashSet<FnId> = HashSet::new();
    for statement in statements {
        let mut calls = Vec::new();
        collect_calls(program, function, *statement, &mut calls);
        for (callee, span) in calls {
            let mut next = vec![callee];
            while let Some(id) = next.pop() {
                if !seen.insert(id) {
                    continue;
                }
                for (global, place) in &facts[id.index()].reads {
                    if without_value.remove(&global.index()) {
                        out.push(early_call(program, *global, span, *place));
                    }
                }
                next.extend(facts[id.index()].calls.iter().map(|(callee, _)| *callee));
            }
        }
        forget_declared(*statement, declarations, &mut without_value);
    }
}

fn early_call(program: &Program, global: GlobalIx, call: Span, place: Span) -> Diagnostic {
    let def = &program.globals[global.index()];
    Diagnostic::error(
        Code::UsedTooEarly,
        call,
        format!("this needs `{}`, which has no value yet", def.name),
    )
    .also(place, "read here")
    .also(def.span, "gets its first value here")
    .hint("move the declaration up, or the call down")
}

fn collect_calls(
    program: &Program,
    function: &Function,
    at: ExprId,
    calls: &mut Vec<(FnId, Span)>,
) {
    let expr = &function.exprs[at.index()];
    match &expr.kind {
        ExprKind::CallFn(id, _) | ExprKind::FnRef(id) | ExprKind::Lambda(id) => {
            calls.push((*id, expr.span))
        }
        _ => {}
    }
    if let ExprKind::FnRef(id) | ExprKind::Lambda(id) = &expr.kind {
        calls.extend(program.defaults_of(*id).map(|id| (id, expr.span)));
    }
    operands(&expr.kind, &mut |child| {
        collect_calls(program, function, child, calls)
    });
}

/// Takes out the variables that a statement of `main` declares.
fn forget_declared(
    at: ExprId,
    declarations: &HashMap<ExprId, usize>,
    without_value: &mut HashSet<usize>,
) {
    if let Some(var) = declarations.get(&at) {
        without_value.remove(var);
    }
}
