//! Statements of JavaScript and how they get simpler: labels that nobody needs go, loops get their conditions, variables
//! are declared where they are first used. Here because structure from graphs is correct first and readable only then.
//! Must stay true: nothing here changes what a function does.

use std::collections::{HashMap, HashSet};

use super::variables::Var;

/// A piece of JavaScript and the variables in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) vars: Vec<Var>,
}

/// A condition and its opposite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) yes: String,
    pub(super) no: String,
    pub(super) vars: Vec<Var>,
}

impl Condition {
    fn opposite(self) -> Condition {
        Condition {
            yes: self.no,
            no: self.yes,
            vars: self.vars,
        }
    }
}

/// Line and column in the program.
pub(super) type At = (u32, u32);

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stmt {
    /// Something is done.
    Do(Text, At),
    /// A variable gets a value.
    Set(Var, Text, At),
    If(Condition, Vec<Stmt>, Vec<Stmt>, At),
    /// A loop, with what must hold at the start of each turn, and variables that live from turn to turn.
    Loop {
        label: usize,
        condition: Option<Condition>,
        body: Vec<Stmt>,
        carried: Vec<Var>,
        at: At,
    },
    Block(usize, Vec<Stmt>),
    /// To the end of a block or loop.
    Break(usize),
    /// To the next turn.
    Continue(usize),
    /// The function ends; none for nothing.
    Return(Option<Text>, At),
    Raise(Text, At),
    Try {
        body: Vec<Stmt>,
        handler: Vec<Stmt>,
        at: At,
    },
    /// A declaration without a value.
    Declare(Var),
    /// A function inside of the function: its name, its parameters, and what it does with them; nothing else is known outside.
    Function(&'static str, Vec<Var>, Vec<Stmt>, At),
}

/// Where leaving a list at its end leads.
#[derive(Clone, Debug, Default)]
struct Follow {
    breaks: HashSet<usize>,
    continues: HashSet<usize>,
}

impl Follow {
    fn leads(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Break(label) => self.breaks.contains(label),
            Stmt::Continue(label) => self.continues.contains(label),
            _ => false,
        }
    }
}

/// Whether control never comes to the end of the list.
fn leaves(list: &[Stmt]) -> bool {
    match list.last() {
        Some(Stmt::Break(_) | Stmt::Continue(_) | Stmt::Return(..) | Stmt::Raise(..)) => true,
        Some(Stmt::If(_, then, other, _)) => leaves(then) && leaves(other),
        Some(Stmt::Try { body, handler, .. }) => leaves(body) && leaves(handler),
        _ => false,
    }
}

/// The list in its simplest form.
pub(super) fn simplified(list: Vec<Stmt>) -> Vec<Stmt> {
    let mut list = list;
    // Each round may make room for the next; a few are enough for all but the strangest code.
    for _ in 0..4 {
        let next = simplify(list.clone(), &Follow::default());
        if next == list {
            break;
        }
        list = next;
    }
    list
}

fn simplify(list: Vec<Stmt>, follow: &Follow) -> Vec<Stmt> {
    let mut out: Vec<Stmt> = Vec::with_capacity(list.len());
    let mut rest = list.into_iter();
    while let Some(stmt) = rest.next() {
        let remaining = rest.as_slice();
        let is_last = remaining.is_empty();
        match stmt {
            Stmt::If(condition, then, other, at) => {
                // What follows belongs to the way that comes here.
                if !is_last && leaves(&then) && other.is_empty() && ends_in(&then, follow) {
                    let tail: Vec<Stmt> = rest.collect();
                    let then = simplify(then, follow);
                    let tail = simplify(tail, follow);
                    push_if(&mut out, condition, then, tail, at);
                    return out;
                }
                let inner = if is_last { follow } else { &Follow::default() };
                let (then, other) = (simplify(then, inner), simplify(other, inner));
                push_ways(&mut out, condition, then, other, at);
            }
            Stmt::Block(label, body) => {
                let mut inner = if is_last {
                    follow.clone()
                } else {
                    Follow::default()
                };
                inner.breaks.insert(label);
                let body = simplify(body, &inner);
                if mentions(&body, label) {
                    out.push(Stmt::Block(label, body));
                } else {
                    out.extend(body);
                }
            }
            Stmt::Loop {
                label,
                condition,
                body,
                carried,
                at,
            } => {
                out.push(simplify_loop(
                    (label, condition, body, carried, at),
                    follow,
                    is_last,
                ));
            }
            Stmt::Try { body, handler, at } => {
                let inner = if is_last { follow } else { &Follow::default() };
                let body = simplify(body, inner);
                let handler = simplify(handler, inner);
                if body.is_empty() {
                    continue;
                }
                out.push(Stmt::Try { body, handler, at });
            }
            stmt @ (Stmt::Break(_) | Stmt::Continue(_)) => {
                if !(is_last && follow.leads(&stmt)) {
                    out.push(stmt);
                }
                return out;
            }
            stmt @ (Stmt::Return(..) | Stmt::Raise(..)) => {
                out.push(stmt);
                return out;
            }
            stmt @ (Stmt::Do(..) | Stmt::Set(..) | Stmt::Declare(_) | Stmt::Function(..)) => {
                out.push(stmt);
            }
        }
    }
    out
}

/// Whether the last statement of the list leads where the end of the list around leads.
fn ends_in(list: &[Stmt], follow: &Follow) -> bool {
    list.last().is_some_and(|last| follow.leads(last))
}

/// Whether the list is one statement that leaves.
fn leaves_only(list: &[Stmt]) -> bool {
    list.len() == 1 && leaves(list) && !matches!(list[0], Stmt::If(..) | Stmt::Try { .. })
}

/// A choice; a way that only leaves stands first, the other one without a level more.
fn push_ways(out: &mut Vec<Stmt>, condition: Condition, then: Vec<Stmt>, other: Vec<Stmt>, at: At) {
    if leaves_only(&then) && !other.is_empty() {
        push_if(out, condition, then, Vec::new(), at);
        out.extend(other);
    } else if leaves_only(&other) && !then.is_empty() {
        push_if(out, condition.opposite(), other, Vec::new(), at);
        out.extend(then);
    } else {
        push_if(out, condition, then, other, at);
    }
}

fn push_if(out: &mut Vec<Stmt>, condition: Condition, then: Vec<Stmt>, other: Vec<Stmt>, at: At) {
    match (then.is_empty(), other.is_empty()) {
        (true, true) => {
            let text = Text {
                text: condition.yes,
                vars: condition.vars,
            };
            // Only what may raise or call is worth saying.
            if text.text.contains('(') {
                out.push(Stmt::Do(text, at));
            }
        }
        (true, false) => out.push(Stmt::If(condition.opposite(), other, then, at)),
        (false, _) => out.push(Stmt::If(condition, then, other, at)),
    }
}

type LoopParts = (usize, Option<Condition>, Vec<Stmt>, Vec<Var>, At);

fn simplify_loop(parts: LoopParts, follow: &Follow, is_last: bool) -> Stmt {
    let (label, condition, body, carried, at) = parts;
    let mut inner = Follow::default();
    inner.continues.insert(label);
    let mut body = simplify(body, &inner);
    // Leaving the loop and what lies behind it, where that is the same.
    if is_last {
        for stmt in &mut body {
            rename(stmt, &follow.breaks, label);
        }
    }
    let mut condition = condition;
    if condition.is_none() {
        match body.first() {
            Some(Stmt::If(first, then, other, _))
                if leaves_only(then) && then[0] == Stmt::Break(label) =>
            {
                condition = Some(first.clone().opposite());
                let other = other.clone();
                body.splice(0..1, other);
            }
            Some(Stmt::If(first, then, other, _))
                if leaves_only(other) && other[0] == Stmt::Break(label) =>
            {
                condition = Some(first.clone());
                let then = then.clone();
                body.splice(0..1, then);
            }
            Some(Stmt::If(first, then, other, _))
                if body.len() == 2
                    && other.is_empty()
                    && body[1] == Stmt::Break(label)
                    && !then.is_empty()
                    && leaves(then) =>
            {
                condition = Some(first.clone());
                body = then.clone();
            }
            Some(Stmt::If(first, then, other, _))
                if other.is_empty() && body.len() > 1 && then.is_empty() =>
            {
                condition = Some(first.clone());
            }
            _ => {}
        }
    }
    Stmt::Loop {
        label,
        condition,
        body,
        carried,
        at,
    }
}

/// Breaks to blocks that end where the loop does become breaks of the loop.
fn rename(stmt: &mut Stmt, from: &HashSet<usize>, to: usize) {
    match stmt {
        Stmt::Break(label) if from.contains(label) => *label = to,
        Stmt::If(_, then, other, _) => {
            then.iter_mut()
                .chain(other)
                .for_each(|s| rename(s, from, to));
        }
        Stmt::Loop { body, .. } | Stmt::Block(_, body) => {
            body.iter_mut().for_each(|s| rename(s, from, to));
        }
        Stmt::Try { body, handler, .. } => {
            body.iter_mut()
                .chain(handler)
                .for_each(|s| rename(s, from, to));
        }
        Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::Do(..)
        | Stmt::Set(..)
        | Stmt::Return(..)
        | Stmt::Raise(..)
        | Stmt::Declare(_)
        | Stmt::Function(..) => {}
    }
}

/// Whether a break or continue in the list names the label.
pub(super) fn mentions(list: &[Stmt], label: usize) -> bool {
    list.iter().any(|stmt| match stmt {
        Stmt::Break(to) | Stmt::Continue(to) => *to == label,
        Stmt::If(_, then, other, _) => mentions(then, label) || mentions(other, label),
        Stmt::Loop { body, .. } | Stmt::Block(_, body) => mentions(body, label),
        Stmt::Try { body, handler, .. } => mentions(body, label) || mentions(handler, label),
        Stmt::Do(..)
        | Stmt::Set(..)
        | Stmt::Return(..)
        | Stmt::Raise(..)
        | Stmt::Declare(_)
        | Stmt::Function(..) => false,
    })
}

/// What of a variable is seen in a list of statements.
#[derive(Default)]
struct Seen {
    /// Statements of this list that mention it.
    places: Vec<usize>,
}

/// Declares each variable in the innermost list that holds all of its mentions, right before the first.
pub(super) fn declare(list: &mut Vec<Stmt>, declared: &HashSet<Var>) {
    let mut done = declared.clone();
    declare_in(list, &mut done, &HashSet::new());
}

fn declare_in(list: &mut Vec<Stmt>, done: &mut HashSet<Var>, carried: &HashSet<Var>) {
    let mut seen: HashMap<Var, Seen> = HashMap::new();
    for (at, stmt) in list.iter().enumerate() {
        let mut vars = HashSet::new();
        all_vars(stmt, &mut vars);
        for var in vars {
            if !done.contains(&var) {
                seen.entry(var).or_default().places.push(at);
            }
        }
    }
    // What is set where it is declared comes last of its place, so that both can be written as one.
    let mut here: Vec<(usize, bool, Var)> = Vec::new();
    for (var, seen) in &seen {
        let first = seen.places[0];
        let alone = seen.places.len() == 1;
        if alone && !carried.contains(var) && fits_inside(&list[first], *var) {
            continue;
        }
        let sets = matches!(&list[first], Stmt::Set(set, text, _) if set == var && !text.vars.contains(var));
        here.push((first, sets, *var));
    }
    here.sort_unstable();
    done.extend(here.iter().map(|(_, _, var)| *var));
    for stmt in list.iter_mut() {
        match stmt {
            Stmt::If(_, then, other, _) => {
                declare_in(then, done, carried);
                declare_in(other, done, carried);
            }
            Stmt::Block(_, body) => declare_in(body, done, carried),
            Stmt::Loop { body, carried, .. } => {
                let carried: HashSet<Var> = carried.iter().copied().collect();
                declare_in(body, done, &carried);
            }
            Stmt::Try { body, handler, .. } => {
                declare_in(body, done, carried);
                declare_in(handler, done, carried);
            }
            Stmt::Function(_, params, body, _) => {
                declare(body, &params.iter().copied().collect());
            }
            Stmt::Do(..)
            | Stmt::Set(..)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::Return(..)
            | Stmt::Raise(..)
            | Stmt::Declare(_) => {}
        }
    }
    for (at, _, var) in here.into_iter().rev() {
        list.insert(at, Stmt::Declare(var));
    }
}

/// Whether all mentions of a variable in a statement stand in one list inside of it.
fn fits_inside(stmt: &Stmt, var: Var) -> bool {
    let holds = |list: &[Stmt]| {
        let mut vars = HashSet::new();
        list.iter().for_each(|stmt| all_vars(stmt, &mut vars));
        vars.contains(&var)
    };
    match stmt {
        Stmt::If(condition, then, other, _) => {
            !(condition.vars.contains(&var) || holds(then) && holds(other))
        }
        Stmt::Block(..) => true,
        Stmt::Loop {
            condition, carried, ..
        } => !carried.contains(&var) && condition.as_ref().is_none_or(|c| !c.vars.contains(&var)),
        Stmt::Try { body, handler, .. } => !(holds(body) && holds(handler)),
        Stmt::Do(..)
        | Stmt::Set(..)
        | Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::Return(..)
        | Stmt::Raise(..)
        | Stmt::Declare(_)
        | Stmt::Function(..) => false,
    }
}

fn all_vars(stmt: &Stmt, vars: &mut HashSet<Var>) {
    match stmt {
        Stmt::Do(text, _) | Stmt::Raise(text, _) | Stmt::Return(Some(text), _) => {
            vars.extend(&text.vars);
        }
        Stmt::Set(var, text, _) => {
            vars.insert(*var);
            vars.extend(&text.vars);
        }
        Stmt::If(condition, then, other, _) => {
            vars.extend(&condition.vars);
            then.iter()
                .chain(other)
                .for_each(|stmt| all_vars(stmt, vars));
        }
        Stmt::Loop {
            condition, body, ..
        } => {
            if let Some(condition) = condition {
                vars.extend(&condition.vars);
            }
            body.iter().for_each(|stmt| all_vars(stmt, vars));
        }
        Stmt::Block(_, body) => body.iter().for_each(|stmt| all_vars(stmt, vars)),
        Stmt::Try { body, handler, .. } => {
            body.iter()
                .chain(handler)
                .for_each(|stmt| all_vars(stmt, vars));
        }
        // What is inside of a function is declared there.
        Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::Return(None, _)
        | Stmt::Declare(_)
        | Stmt::Function(..) => {}
    }
}
