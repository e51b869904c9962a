//! What of a view need not be computed again: guards around the items of lists and around the places of blocks, with what
//! each of them reads, and lists of which only the items are written whose comparisons with page state (`row.id == chosen`) give
//! something else than before (`compared.rs`). Here because what a state change can touch is known when the code is made, and a page of a thousand
//! rows must not be computed anew for one of them. Must stay true: a guard names everything that can change what stands
//! behind it; code that does more than to write values of the view has no guard.

use std::collections::{HashMap, HashSet};

use flin_bytecode::module::VariableKind;
use flin_bytecode::{FuncId, Instr, Module, Op, Page};

use super::capable::globals_read;
use super::code::Names;
use super::compared;
use super::module::reachable;
use super::pieces;
use super::tree::{At, Condition, Stmt, Text};
use super::variables::Var;

/// Inputs of an item that have a bit of their own, from 0 on; those of page state stand above them.
const INPUTS_MAX: usize = 4;
/// The last bit for a variable of page state; all that have none of their own share it.
const LAST_BIT: usize = 30;
/// What the function that writes an item of a list is called.
const WRITE: &str = "view_write_item";

/// What the names in the code of a page stand for: bits of page state, or none where the code may not be left out.
pub(super) struct Reads {
    masks: HashMap<String, Option<u32>>,
    /// Variables of page state with a bit of their own.
    state: Vec<(String, u32)>,
    /// Places of each template.
    places: Vec<usize>,
}

impl Reads {
    /// Looks at all that a view can reach.
    pub(super) fn of(module: &Module, page: &Page, names: &Names) -> Reads {
        let mut bits: HashMap<u32, u32> = HashMap::new();
        let states = (page.variables.iter()).filter(|it| it.kind == VariableKind::State);
        for (at, variable) in states.enumerate() {
            bits.insert(variable.global.0, 1 << (at + INPUTS_MAX).min(LAST_BIT));
        }
        let mut reads = Reads {
            masks: HashMap::new(),
            state: Vec::new(),
            places: page.templates.iter().map(|it| it.places.len()).collect(),
        };
        for (at, name) in names.globals.iter().enumerate() {
            let derived = page
                .variables
                .iter()
                .find(|it| it.global.index() == at && it.kind == VariableKind::Derived);
            let mask = match (bits.get(&(at as u32)), derived) {
                (Some(bit), _) => {
                    if *bit < 1 << LAST_BIT {
                        reads.state.push((name.clone(), *bit));
                    }
                    Some(*bit)
                }
                (None, Some(variable)) => mask_of(module, page, variable.init, &bits),
                (None, None) => None,
            };
            reads.masks.insert(name.clone(), mask);
        }
        for (at, name) in names.functions.iter().enumerate() {
            if name.is_empty() {
                continue;
            }
            let writes = reachable(module, &[FuncId(at as u32)])
                .iter()
                .any(|func| writes_globals(module, *func));
            let mask = match writes {
                true => None,
                false => mask_of(module, page, FuncId(at as u32), &bits),
            };
            reads.masks.insert(name.clone(), mask);
            reads.masks.insert(format!("{name}$"), mask);
        }
        reads
    }

    /// The page state that a text reads; none if it could read or do more.
    fn of_text(&self, text: &str) -> Option<u32> {
        let mut mask = 0;
        for part in outside_of_texts(text) {
            for word in pieces::words(part) {
                if let Some(known) = self.masks.get(word) {
                    mask |= (*known)?;
                }
            }
        }
        Some(mask)
    }
}

/// The parts of a piece of JavaScript that stand in no text.
fn outside_of_texts(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut inside, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                if !inside {
                    parts.push(&text[from..at]);
                }
                inside = !inside;
                from = at + 1;
            }
            _ => {}
        }
    }
    if !inside {
        parts.push(&text[from..]);
    }
    parts
}

/// The page state that a function can read, through what it calls and through computed variables.
fn mask_of(module: &Module, page: &Page, func: FuncId, bits: &HashMap<u32, u32>) -> Option<u32> {
    let mut roots = vec![func];
    loop {
        let mut mask = 0;
        let before = roots.len();
        for global in globals_read(module, &reachable(module, &roots)) {
            if let Some(bit) = bits.get(&global) {
                mask |= bit;
                continue;
            }
            let variable = page.variables.iter().find(|it| it.global.0 == global)?;
            if !roots.contains(&variable.init) {
                roots.push(variable.init);
            }
        }
        if roots.len() == before {
            return Some(mask);
        }
    }
}

fn writes_globals(module: &Module, func: u32) -> bool {
    let code = module.functions[func as usize].code.iter();
    code.filter_map(|word| Instr::decode(*word).ok()).any(|it| {
        matches!(
            it.op,
            Op::GlobalSetI64
                | Op::GlobalSetF64
                | Op::GlobalSetBool
                | Op::GlobalSetRef
                | Op::GlobalSetAny
        )
    })
}

/// How often statements read and set variables, and what else they do.
#[derive(Default)]
struct Looked {
    reads: HashMap<Var, usize>,
    sets: HashMap<Var, usize>,
    texts: Vec<String>,
    labels: HashSet<usize>,
    leads: HashSet<usize>,
    /// What is filled, and the variables that only ever are something that was made right there.
    fills: Vec<Text>,
    made: HashMap<Var, bool>,
    /// It returns, or does something that is no value of the view.
    does_more: bool,
}

/// Operations that change what an operation before has most likely made, and those that make something.
const FILLS: [&str; 2] = ["set_field(", "push("];
const MAKES: [&str; 2] = ["record(", "list("];

fn begins(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.starts_with(word))
}

impl Looked {
    fn at(list: &[Stmt]) -> Looked {
        let mut looked = Looked::default();
        looked.list(list);
        looked
    }

    fn list(&mut self, list: &[Stmt]) {
        list.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn text(&mut self, text: &Text) {
        self.texts.push(text.text.clone());
        for var in &text.vars {
            *self.reads.entry(*var).or_default() += 1;
        }
    }

    fn condition(&mut self, condition: &Condition) {
        // Those of guards are no reads of the program.
        if begins(&condition.yes, &["view_", "!view_"]) {
            return;
        }
        self.texts.push(condition.yes.clone());
        for var in &condition.vars {
            *self.reads.entry(*var).or_default() += 1;
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Do(text, _) => {
                match begins(&text.text, &FILLS) {
                    true => self.fills.push(text.clone()),
                    false => self.does_more |= !text.text.starts_with("view_"),
                }
                self.text(text);
            }
            Stmt::Raise(text, _) => self.text(text),
            Stmt::Set(var, text, _) => {
                *self.sets.entry(*var).or_default() += 1;
                *self.made.entry(*var).or_insert(true) &= begins(&text.text, &MAKES);
                self.text(text);
            }
            Stmt::Function(_, _, body, _) => self.list(body),
            Stmt::If(condition, then, other, _) => {
                self.condition(condition);
                self.list(then);
                self.list(other);
            }
            Stmt::Loop {
                label,
                condition,
                body,
                ..
            } => {
                self.labels.insert(*label);
                condition.iter().for_each(|it| self.condition(it));
                self.list(body);
            }
            Stmt::Block(label, body) => {
                self.labels.insert(*label);
                self.list(body);
            }
            Stmt::Break(label) | Stmt::Continue(label) => {
                self.leads.insert(*label);
            }
            Stmt::Try { body, handler, .. } => {
                self.list(body);
                self.list(handler);
            }
            Stmt::Return(..) => self.does_more = true,
            Stmt::Declare(_) => {}
        }
    }
}

/// A function of a view whose guards are being written.
struct Guards<'r> {
    reads: &'r Reads,
    locals: &'r [String],
    all: Looked,
}

/// Writes the guards of a function.
pub(super) fn guard(list: &mut Vec<Stmt>, reads: &Reads, locals: &[String]) {
    let guards = Guards {
        reads,
        locals,
        all: Looked::at(list),
    };
    guards.list(list);
}

fn is_call(stmt: &Stmt, start: &str) -> bool {
    matches!(stmt, Stmt::Do(text, _) if text.text.starts_with(start))
}

impl Guards<'_> {
    fn list(&self, list: &mut Vec<Stmt>) {
        for stmt in list.iter_mut() {
            match stmt {
                Stmt::If(_, then, other, _) => {
                    self.list(then);
                    self.list(other);
                }
                Stmt::Loop { body, .. } | Stmt::Block(_, body) => self.list(body),
                Stmt::Try { body, handler, .. } => {
                    self.list(body);
                    self.list(handler);
                }
                _ => {}
            }
        }
        let mut from = 0;
        while let Some(start) = (from..list.len()).find(|at| is_call(&list[*at], "view_block(")) {
            from = start + 1;
            let Some(end) = end_of(list, start) else {
                continue;
            };
            let is_root = is_call(&list[start], "view_block(0)");
            let is_item = start > 0 && is_call(&list[start - 1], "view_item(");
            if !is_item && !is_root {
                continue;
            }
            let body: Vec<Stmt> = list.splice(start..=end, []).collect();
            let inputs = is_item.then(|| self.inputs(&body)).flatten();
            let body = match is_root || inputs.is_some() {
                true => self.places(body, inputs.as_ref().map_or(&[], |it| &it.0)),
                false => body,
            };
            let Some((inputs, mask)) = inputs else {
                list.splice(start..start, body);
                continue;
            };
            let Stmt::Do(_, at) = list[start - 1] else {
                unreachable!("an item is done");
            };
            let names: String = (inputs.iter())
                .map(|var| format!(", {}", self.locals[*var]))
                .collect();
            let due = format!("view_item_due({mask}{names})");
            let condition = Condition {
                no: format!("!{due}"),
                yes: due,
                vars: inputs,
            };
            list.insert(start, Stmt::If(condition, body, Vec::new(), at));
        }
    }

    /// What a block is made from: variables, and page state as bits; none if it may not be left out.
    fn inputs(&self, body: &[Stmt]) -> Option<(Vec<Var>, u32)> {
        let (inputs, mask) = self.read_by(body)?;
        let own = (1 << inputs.len()) - 1;
        (inputs.len() <= INPUTS_MAX).then_some((inputs, mask | own))
    }

    fn read_by(&self, body: &[Stmt]) -> Option<(Vec<Var>, u32)> {
        let looked = Looked::at(body);
        let does_more = looked.does_more || !looked.fills.iter().all(|it| self.is_own(it, &looked));
        if does_more || !looked.leads.is_subset(&looked.labels) {
            return None;
        }
        let mut inputs = Vec::new();
        for var in looked.reads.keys() {
            if !looked.sets.contains_key(var) {
                inputs.push(*var);
            }
        }
        // What is set for others must happen, and what others set is no input that is known before.
        for (var, count) in &looked.sets {
            let reads = |looked: &Looked| looked.reads.get(var).copied().unwrap_or_default();
            if reads(&looked) < reads(&self.all) || self.all.sets.get(var) != Some(count) {
                return None;
            }
        }
        inputs.sort_unstable();
        let mut mask = 0;
        for text in &looked.texts {
            mask |= self.reads.of_text(text)?;
        }
        Some((inputs, mask))
    }

    /// Whether what is filled was made by the same statements: nobody else knows it then.
    fn is_own(&self, fill: &Text, looked: &Looked) -> bool {
        let target = pieces::words(&fill.text).nth(1);
        let is_made = |var: &&Var| looked.made.get(var).copied().unwrap_or_default();
        (fill.vars.iter().filter(is_made)).any(|var| Some(self.locals[*var].as_str()) == target)
    }

    /// A list whose items compare something with page state gets a second way, which writes only the items for which that
    /// gives something else than last time.
    fn in_parts(&self, mut segment: Vec<Stmt>, inputs: &[Var], at: At) -> Vec<Stmt> {
        if !is_list(&segment) {
            return segment;
        }
        // The same without what is compared: all else that it reads.
        let mut rest = segment.clone();
        let mut sites: Vec<u32> = Vec::new();
        for (name, bit) in &self.reads.state {
            let reads_it = |list: &[Stmt]| {
                let bits = self.segment_bits(list, inputs);
                bits.is_none_or(|bits| bits & bit != 0)
            };
            if !reads_it(&rest) {
                continue;
            }
            let (mut hidden, mut noted) = (rest.clone(), segment.clone());
            let is_hidden = only_item(&mut hidden)
                .and_then(|body| compared::hide(body, name))
                .is_some();
            let count =
                only_item(&mut noted).and_then(|body| compared::note(body, name, sites.len()));
            if let (true, Some(count)) = (is_hidden && !reads_it(&hidden), count) {
                sites.extend(std::iter::repeat_n(*bit, count));
                (rest, segment) = (hidden, noted);
            }
        }
        if sites.is_empty() {
            return segment;
        }
        let bits = self.segment_bits(&rest, inputs);
        let (Some(bits), Some(Stmt::If(due, body, _, _))) = (bits, only_due(&mut segment)) else {
            return segment;
        };
        let params = due.vars.clone();
        let names: Vec<&str> = (params.iter())
            .map(|var| self.locals[*var].as_str())
            .collect();
        let call = Text {
            text: format!("{WRITE}({})", names.join(", ")),
            vars: params.clone(),
        };
        let body = std::mem::replace(body, vec![Stmt::Do(call, at)]);
        let part = format!("view_part({bits}, {WRITE}, {sites:?})");
        let condition = Condition {
            yes: format!("!{part}"),
            no: part,
            vars: Vec::new(),
        };
        vec![
            Stmt::Function(WRITE, params, body, at),
            Stmt::If(condition, segment, Vec::new(), at),
        ]
    }

    /// The statements of a block, those of each place behind a guard of their own.
    fn places(&self, body: Vec<Stmt>, inputs: &[Var]) -> Vec<Stmt> {
        let Some(lengths) = segments(&body) else {
            return body;
        };
        let template = template_of(&body[0]);
        if template.and_then(|at| self.reads.places.get(at)) != Some(&lengths.len()) {
            return body;
        }
        let mut rest = body.into_iter();
        let mut out: Vec<Stmt> = rest.by_ref().take(1).collect();
        for length in lengths {
            let segment: Vec<Stmt> = rest.by_ref().take(length).collect();
            let bits = self.segment_bits(&segment, inputs);
            match (bits, &segment[0]) {
                (Some(bits), Stmt::Do(_, at) | Stmt::Set(_, _, at) | Stmt::If(_, _, _, at)) => {
                    let condition = Condition {
                        yes: format!("view_due({bits})"),
                        no: format!("!view_due({bits})"),
                        vars: Vec::new(),
                    };
                    let at = *at;
                    let segment = self.in_parts(segment, inputs, at);
                    out.push(Stmt::If(condition, segment, Vec::new(), at));
                }
                _ => out.extend(segment),
            }
        }
        out.extend(rest);
        out
    }

    fn segment_bits(&self, segment: &[Stmt], inputs: &[Var]) -> Option<u32> {
        let is_bound = |stmt: &Stmt| is_call(stmt, "view_bind") || is_call(stmt, "view_option");
        if segment.iter().any(is_bound) {
            return None;
        }
        let (read, mut bits) = self.read_by(segment)?;
        for var in read {
            bits |= 1 << inputs.iter().position(|input| *input == var)?;
        }
        Some(bits)
    }
}

/// Whether what statements write is one list.
fn is_list(segment: &[Stmt]) -> bool {
    let first = segment.iter().position(|stmt| is_call(stmt, "view_"));
    first.is_some_and(|at| {
        is_call(&segment[at], "view_list()") && end_of(segment, at) == Some(segment.len() - 1)
    })
}

/// The guarded item of a list that has only this one.
fn only_due(segment: &mut [Stmt]) -> Option<&mut Stmt> {
    let mut found = Vec::new();
    let count = items(segment, &mut found);
    match count == 1 && found.len() == 1 {
        true => found.pop(),
        false => None,
    }
}

/// What stands behind its guard.
fn only_item(segment: &mut [Stmt]) -> Option<&mut Vec<Stmt>> {
    match only_due(segment)? {
        Stmt::If(_, body, _, _) => Some(body),
        _ => None,
    }
}

/// Counts the items that statements begin, and finds those behind a guard; not inside of those.
fn items<'s>(list: &'s mut [Stmt], found: &mut Vec<&'s mut Stmt>) -> usize {
    let mut count = 0;
    for stmt in list {
        if is_call(stmt, "view_item(") {
            count += 1;
        }
        if matches!(stmt, Stmt::If(condition, ..) if condition.yes.starts_with("view_item_due(")) {
            found.push(stmt);
            continue;
        }
        match stmt {
            Stmt::If(_, then, other, _) => count += items(then, found) + items(other, found),
            Stmt::Loop { body, .. } | Stmt::Block(_, body) => count += items(body, found),
            // What may be left in the middle is no list of items alone.
            Stmt::Try { .. } | Stmt::Function(..) => count += 2,
            _ => {}
        }
    }
    count
}

fn template_of(stmt: &Stmt) -> Option<usize> {
    let Stmt::Do(text, _) = stmt else { return None };
    let number = text.text.strip_prefix("view_block(")?.strip_suffix(')')?;
    number.parse().ok()
}

/// Where the block or list that begins at `start` ends in the same list of statements.
fn end_of(list: &[Stmt], start: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, stmt) in list.iter().enumerate().skip(start) {
        depth += depth_of(stmt);
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn depth_of(stmt: &Stmt) -> i32 {
    match stmt {
        Stmt::Do(text, _) if text.text.starts_with("view_block(") => 1,
        Stmt::Do(text, _) if text.text == "view_list()" => 1,
        Stmt::Do(text, _) if text.text == "view_end()" => -1,
        _ => 0,
    }
}

/// How many statements write each place of a block, which begins with `view_block` and ends with `view_end`; none if that
/// cannot be told.
fn segments(body: &[Stmt]) -> Option<Vec<usize>> {
    let mut lengths = Vec::new();
    let (mut length, mut depth, mut in_leaf) = (0, 0, false);
    for stmt in &body[1..body.len() - 1] {
        length += 1;
        let before = depth;
        depth += depth_of(stmt);
        let mut puts = 0;
        match stmt {
            Stmt::Do(text, _) if text.text.starts_with("view_leaf(") => {
                in_leaf = text.text != "view_leaf(0)";
                puts = usize::from(!in_leaf);
            }
            _ if in_leaf => {}
            Stmt::Do(..) if before == 1 && depth == 0 => puts = 1,
            _ if depth > 0 => {}
            other => puts = puts_of(other)?,
        }
        match puts {
            0 => {}
            1 if depth == 0 => lengths.push(std::mem::take(&mut length)),
            _ if depth > 0 => {}
            _ => return None,
        }
    }
    // What stands behind the last place puts nothing.
    Some(lengths)
}

/// How many values a statement puts, outside of values that several write.
fn puts_of(stmt: &Stmt) -> Option<usize> {
    match stmt {
        Stmt::Do(text, _) => {
            let call = text.text.split('(').next().unwrap_or_default();
            match call {
                "view_head" | "view_raw" => Some(0),
                "view_on" => Some(usize::from(!text.text.ends_with(", [])"))),
                "view_bind" | "view_bind_part" | "view_option" | "view_text" | "view_any"
                | "view_html" | "view_attr" | "view_absent" => Some(1),
                _ if call.starts_with("view_") => None,
                _ => Some(0),
            }
        }
        Stmt::If(_, then, other, _) => {
            let (a, b) = (puts_of_list(then)?, puts_of_list(other)?);
            (a == b).then_some(a)
        }
        Stmt::Block(_, body) => match puts_of_list(body)? {
            0 => Some(0),
            _ => None,
        },
        Stmt::Set(..) | Stmt::Raise(..) | Stmt::Declare(_) | Stmt::Function(..) => Some(0),
        _ => None,
    }
}

fn puts_of_list(list: &[Stmt]) -> Option<usize> {
    let (mut count, mut depth, mut in_leaf) = (0, 0, false);
    for stmt in list {
        let before = depth;
        depth += depth_of(stmt);
        match stmt {
            Stmt::Do(text, _) if text.text.starts_with("view_leaf(") => {
                in_leaf = text.text != "view_leaf(0)";
                count += usize::from(!in_leaf && depth == 0);
            }
            _ if in_leaf => {}
            Stmt::Do(..) if before == 1 && depth == 0 => count += 1,
            _ if depth > 0 => {}
            other => count += puts_of(other)?,
        }
    }
    Some(count)
}
