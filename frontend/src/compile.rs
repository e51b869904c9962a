//! The whole way from source text to module. Here because the program, the runtime's `dev` command and the tests all
//! take it through this one function. Must stay true: one mistake is reported once: of what has wrong syntax nothing
//! else is looked at, of a line's syntax errors the first is told, types are silent about lines whose names are wrong;
//! diagnostics come in the order of the source, at most `DIAGNOSTICS_MAX` of them.

use flin_bytecode::Module;
use flin_syntax::Diagnostic;
use flin_syntax::span::LineIndex;
use foldhash::HashSet;

use crate::browser::{self, LocalNames, Script};
use crate::hir::Program;
use crate::intact::intact;
use crate::optimise::{Pass, Passes};
use crate::prelude::{self, PRELUDE};
use crate::project::{Project, Role};
use crate::resolve::Lost;
use crate::texts::Texts;
use crate::{copies, html, infer, lower, optimise, resolve, travels};

/// More diagnostics than this are not shown: the first ones explain the rest.
pub const DIAGNOSTICS_MAX: usize = 50;

/// Trees may be 2,000 levels high and the stages walk them by recursion; this is room for all of them together. Only
/// what is used is ever made.
const STACK_BYTES: usize = 256 << 20;

/// A program that compiled.
#[derive(Debug)]
pub struct Compiled {
    /// The module, not yet verified (loading it does that).
    pub module: Module,
    /// What is allowed, but probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles one source file. The name is only used in messages.
///
/// # Errors
/// What is wrong with the program, in source order; warnings found on the way are among them.
///
/// # Panics
/// If the compiler itself is wrong.
pub fn compile(source_name: &str, source_text: &str) -> Result<Compiled, Vec<Diagnostic>> {
    compile_with(source_name, source_text, Passes::default())
}

/// As [`compile`], with chosen passes of the optimiser.
///
/// # Errors
/// As [`compile`].
///
/// # Panics
/// As [`compile`].
pub fn compile_with(
    source_name: &str,
    source_text: &str,
    passes: Passes,
) -> Result<Compiled, Vec<Diagnostic>> {
    with_stack(|| stages(&Texts::single(source_name, source_text), passes))
}

/// Compiles a project. A `FileId` in what is said is the position of the source in the project.
///
/// # Errors
/// As [`compile`]; a file at a place where it cannot be is told as well.
///
/// # Panics
/// As [`compile`].
pub fn compile_project(project: &Project, passes: Passes) -> Result<Compiled, Vec<Diagnostic>> {
    let texts = Texts::of_project(project);
    let told = |found: Vec<Diagnostic>| found.into_iter().map(|d| texts.in_files(d)).collect();
    match with_stack(|| stages(&texts, passes)) {
        Ok(mut compiled) => {
            compiled.module.assets.clone_from(&project.assets);
            compiled.warnings = told(compiled.warnings);
            Ok(compiled)
        }
        Err(found) => Err(told(found)),
    }
}

/// The program as JavaScript that runs by itself.
///
/// # Errors
/// As [`compile`].
///
/// # Panics
/// As [`compile`].
pub fn script(source_name: &str, source_text: &str) -> Result<Script, Vec<Diagnostic>> {
    with_stack(|| {
        let lowered = lowered(&Texts::single(source_name, source_text), false)?;
        Ok(browser::program_script(&lowered.module, &lowered.locals))
    })
}

/// The script of a page, with all in the browser that can be there: for looking at it, and for tests.
///
/// # Errors
/// As [`compile`].
///
/// # Panics
/// As [`compile`], and if the program has no page of that path.
pub fn page_script(
    source_name: &str,
    source_text: &str,
    path: &str,
) -> Result<Script, Vec<Diagnostic>> {
    with_stack(|| {
        let Lowered { module, locals, .. } =
            lowered(&Texts::single(source_name, source_text), true)?;
        let at = module.pages.iter().position(|page| page.path == path);
        let at = at.expect("a page of this path");
        let page = browser::all_in_browser(&module, at);
        let capable = browser::Capable::of(&module);
        Ok(browser::page_script(&module, &page, &capable, &locals))
    })
}

/// Does the work on a stack that is large enough for it. It stays on this thread: another one would begin with cold caches
/// and a memory pool of its own, which takes longer than to compile a short program.
fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(STACK_BYTES, work)
}

/// A program before the optimiser.
struct Lowered {
    module: Module,
    locals: LocalNames,
    found: Vec<Diagnostic>,
}

fn stages(texts: &Texts<'_>, passes: Passes) -> Result<Compiled, Vec<Diagnostic>> {
    let Lowered {
        mut module,
        locals,
        found,
    } = lowered(texts, passes.has(Pass::Push))?;
    module.files = texts.lines();
    lower::placement::settle(&mut module);
    browser::write_scripts(&mut module, &locals);
    lower::placement::settle_without_script(&mut module);
    optimise::optimise(&mut module, passes);
    if cfg!(debug_assertions)
        && let Err(error) = flin_bytecode::verify::verify(&module)
    {
        panic!("the compiler made a module that the verifier refuses: {error}");
    }
    Ok(Compiled {
        module,
        warnings: in_order(found),
    })
}

fn lowered(texts: &Texts<'_>, pushed: bool) -> Result<Lowered, Vec<Diagnostic>> {
    let source_text: &str = &texts.whole;
    let mut found = Vec::new();
    let mut rests = Vec::new();
    let mut lost = Lost::default();
    for (role, parsed) in texts.parse() {
        found.extend(parsed.diagnostics);
        let rest = intact(parsed.program, &parsed.unread, source_text);
        lost.join(rest.lost.clone());
        rests.push((role, rest));
    }
    let mut found = first_of_lines(found, source_text);
    found.extend(texts.misplaced());
    let prelude = prelude::parsed(&texts.words());
    debug_assert!(
        prelude.diagnostics.is_empty(),
        "the prelude: {:?}",
        prelude.diagnostics
    );
    let resolved = |unused: bool| match &*rests {
        [(_, rest)] if texts.files.is_empty() => {
            resolve::resolve_checked(&rest.program, &prelude.program, lost.clone(), unused)
        }
        files => {
            let files = files.iter().map(|(role, rest)| (*role, &rest.program));
            resolve::resolve_project(
                files.collect(),
                texts.assets,
                &prelude.program,
                lost.clone(),
                unused,
            )
        }
    };
    let can_be_judged = |d: &Diagnostic| rests.iter().all(|(_, rest)| rest.holds(d.span().start));
    let mut judge = |(program, diagnostics): (Program, Vec<Diagnostic>)| {
        let names = diagnostics.into_iter().filter(can_be_judged).collect();
        add_new(&mut found, names, source_text);
        let (types, diagnostics) = infer::infer(&program);
        let types_say = diagnostics.into_iter().filter(can_be_judged).collect();
        add_new(&mut found, types_say, source_text);
        add_new(&mut found, travels::check(&program, &types), source_text);
        add_new(&mut found, copies::check(&program, &types), source_text);
        (program, types)
    };
    let (program, types) = judge(resolved(false));
    if program.has_unused {
        // What is wrong in a component that nobody uses yet is wrong.
        judge(resolved(true));
    }
    for (role, rest) in &rests {
        let in_component = matches!(role, Role::Component(_));
        let wrong = html::check(&rest.program, in_component);
        add_new(&mut found, wrong, source_text);
    }
    stop_at_errors(&mut found)?;
    let (module, locals) =
        lower::lower_named(&program, &types, texts.name, source_text, PRELUDE, pushed)
            .map_err(in_order)?;
    Ok(Lowered {
        module,
        locals,
        found,
    })
}

/// Of several syntax errors of one line the first: the others follow from it, as a text without its quote becomes words.
fn first_of_lines(diagnostics: Vec<Diagnostic>, source_text: &str) -> Vec<Diagnostic> {
    let lines = LineIndex::new(source_text);
    let mut found = diagnostics;
    found.sort_by_key(|d| (d.span().start, d.span().end, d.code));
    let mut wrong: HashSet<u32> = HashSet::default();
    found.retain(|d| !d.is_error() || wrong.insert(lines.line(d.span().start)));
    found
}

/// Adds what a stage says to what the stages before said. A line that is wrong already says enough: what types say about
/// wrong names follows from them. So do warnings, as soon as there is an error.
fn add_new(found: &mut Vec<Diagnostic>, new: Vec<Diagnostic>, source_text: &str) {
    let lines = LineIndex::new(source_text);
    let wrong: HashSet<u32> = found
        .iter()
        .filter(|d| d.is_error())
        .map(|d| lines.line(d.span().start))
        .collect();
    let is_new = |d: &Diagnostic| {
        wrong.is_empty() || d.is_error() && !wrong.contains(&lines.line(d.span().start))
    };
    found.extend(new.into_iter().filter(is_new));
}

fn stop_at_errors(found: &mut Vec<Diagnostic>) -> Result<(), Vec<Diagnostic>> {
    if found.iter().any(Diagnostic::is_error) {
        Err(in_order(std::mem::take(found)))
    } else {
        Ok(())
    }
}

/// Source order, each once, not too many; when some must go, warnings go first.
fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.sort_by_key(|d| (d.span().start, d.span().end, d.code));
    found.dedup();
    if found.len() > DIAGNOSTICS_MAX && found.iter().any(Diagnostic::is_error) {
        found.retain(Diagnostic::is_error);
    }
    found.truncate(DIAGNOSTICS_MAX);
    found
}
