//! The compiler's stages under a clock. Here because the whole time says nothing about where it goes. Must stay true: it
//! takes the same way as `flinc::compile`, stage by stage, the prelude included.

use std::time::{Duration, Instant};

/// As the compiler's own thread has it; the program's tree is walked by recursion.
const STACK_BYTES: usize = 256 << 20;

/// How long each stage took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Text to tree, lexer and parser, program and prelude.
    pub parse: Duration,
    /// Names.
    pub resolve: Duration,
    /// Types.
    pub infer: Duration,
    /// Bytecode.
    pub lower: Duration,
    /// The verifier, as at loading.
    pub verify: Duration,
    /// The bytes of the module.
    pub encode: Duration,
}

impl Times {
    /// All stages together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.parse + self.resolve + self.infer + self.lower + self.verify + self.encode
    }
}

/// Compiles a program that must be right.
///
/// # Errors
/// The messages about a program that is not, as lines of code, place and title.
///
/// # Panics
/// If there is no memory for a thread, or the compiler panics.
pub fn timed(source: &str) -> Result<Times, String> {
    on_large_stack(|| stages(source))
}

/// Runs something on a thread with as much stack as the compiler has.
///
/// # Panics
/// If there is no memory for a thread, or the work panics.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .expect("a thread")
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The stages on the stack at hand: for programs whose trees are not high.
///
/// # Errors
/// As [`timed`].
pub fn stages(source: &str) -> Result<Times, String> {
    let mut times = Times::default();
    let mut clock = Instant::now();
    let mut lap = || std::mem::replace(&mut clock, Instant::now()).elapsed();
    let parsed = flin_syntax::parse(source);
    let prelude = flin_syntax::parse(flinc::PRELUDE);
    refuse(source, &parsed.diagnostics)?;
    times.parse = lap();
    let (program, found) = flinc::resolve::resolve(&parsed.program, &prelude.program);
    refuse(source, &found)?;
    times.resolve = lap();
    let (types, found) = flinc::infer::infer(&program);
    refuse(source, &found)?;
    times.infer = lap();
    let module = flinc::lower::lower(&program, &types, "bench.flin", source, flinc::PRELUDE, true);
    let module = match module {
        Ok(module) => module,
        Err(found) => {
            refuse(source, &found)?;
            return Err("lowering failed without a message".to_owned());
        }
    };
    times.lower = lap();
    flin_bytecode::verify(&module).map_err(|error| error.to_string())?;
    times.verify = lap();
    let bytes = flin_bytecode::fbc::write(&module);
    times.encode = lap();
    drop(bytes);
    Ok(times)
}

fn refuse(source: &str, found: &[flin_syntax::Diagnostic]) -> Result<(), String> {
    if found.is_empty() {
        return Ok(());
    }
    let lines = flin_syntax::span::LineIndex::new(source);
    let shown: Vec<String> = found
        .iter()
        .take(20)
        .map(|d| {
            format!(
                "{} in line {}: {}",
                d.code,
                lines.line(d.span().start),
                d.title
            )
        })
        .collect();
    Err(shown.join("\n"))
}
