//! From a file to a program: a compiled one is checked and verified, a source is compiled in this process. Must stay true:
//! nothing runs that the verifier has not passed; where there is no machine code the program runs all the same.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flin_runtime::vm::Program;
use flin_runtime::vm::bytecode::{Module, fbc};
use flin_runtime::vm::native::{JitOptions, JitPolicy};

use crate::arguments::{Engine, Jit};
use crate::fault::Fault;

/// Longer files are not read to their end: the longest source gives a program that is far shorter.
const PROGRAM_BYTES_MAX: u64 = 256 << 20;

/// Without machine code.
#[cfg(feature = "dev")]
pub(crate) const INTERPRETED: Engine = Engine {
    jit: Jit::Off,
    jit_plain: false,
    stats: false,
};

/// A program, and how long it took to have it.
pub(crate) struct Loaded {
    pub(crate) program: Arc<Program>,
    /// Time until there was a module, and until it was verified and prepared.
    pub(crate) read_in: Duration,
    pub(crate) verified_in: Duration,
}

impl Loaded {
    /// The name of this very build; equal programs have equal names.
    pub(crate) fn build(&self) -> String {
        flin_server::fingerprint(&fbc::write(self.program.module()))
    }
}

/// Reads a program.
pub(crate) fn load(path: &Path, engine: Engine, color: bool) -> Result<Loaded, Fault> {
    let started = Instant::now();
    if path.is_dir() {
        return finish(path, compile_folder(path, color)?, started, engine);
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(PROGRAM_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|source| Fault::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    let refused = |reason: String| Fault::NotAProgram {
        path: path.to_owned(),
        reason,
    };
    if bytes.len() as u64 > PROGRAM_BYTES_MAX {
        return Err(refused(format!(
            "it has more than {} MiB",
            PROGRAM_BYTES_MAX >> 20
        )));
    }
    let module = if path.extension().is_some_and(|ending| ending == "flin") {
        compile(path, &bytes, color)?
    } else {
        fbc::read(&bytes).map_err(|error| refused(error.to_string()))?
    };
    finish(path, module, started, engine)
}

fn finish(path: &Path, module: Module, started: Instant, engine: Engine) -> Result<Loaded, Fault> {
    let refused = |reason: String| Fault::NotAProgram {
        path: path.to_owned(),
        reason,
    };
    let read_in = started.elapsed();
    let mut loaded = prepared(module, engine).map_err(refused)?;
    loaded.read_in = read_in;
    Ok(loaded)
}

/// Prepares what the compiler has just made; an error says why it cannot be run.
#[cfg(feature = "dev")]
pub(crate) fn of_module(module: Module, engine: Engine) -> Result<Loaded, String> {
    prepared(module, engine)
}

fn prepared(module: Module, engine: Engine) -> Result<Loaded, String> {
    let started = Instant::now();
    let program = Program::load(module).map_err(|error| error.to_string())?;
    let verified_in = started.elapsed();
    attach(&program, engine);
    Ok(Loaded {
        program,
        read_in: Duration::ZERO,
        verified_in,
    })
}

// Gives the program the compiler of machine code.
fn attach(program: &Program, engine: Engine) {
    let policy = match engine.jit {
        Jit::Off => return,
        Jit::Sync => JitPolicy::Sync,
        Jit::Eager => JitPolicy::Eager,
        Jit::Auto => JitPolicy::Auto,
    };
    let options = JitOptions {
        plain: engine.jit_plain,
        count_ops: engine.stats,
        ..JitOptions::of(policy)
    };
    if let Err(error) = flin_jit::Jit::attach(program, options) {
        tracing::warn!(%error, "the program runs interpreted");
    }
}

#[cfg(feature = "dev")]
fn compile_folder(path: &Path, color: bool) -> Result<Module, Fault> {
    crate::project::compile(path, color)
}

#[cfg(not(feature = "dev"))]
fn compile_folder(path: &Path, _color: bool) -> Result<Module, Fault> {
    compile(path, &[], false)
}

#[cfg(feature = "dev")]
fn compile(path: &Path, source: &[u8], color: bool) -> Result<Module, Fault> {
    use flinc::syntax::render::{Color, Sources, render_all};
    let name = path.display().to_string();
    let color = if color { Color::Always } else { Color::Never };
    let Ok(text) = std::str::from_utf8(source) else {
        let reason = "a source is UTF-8 text, and this file is not".to_owned();
        return Err(Fault::NotAProgram {
            path: path.to_owned(),
            reason,
        });
    };
    match flinc::compile(&name, text) {
        Ok(compiled) => {
            tell!(
                "{}",
                render_all(&compiled.warnings, &Sources::single(&name, text), color)
            );
            Ok(compiled.module)
        }
        Err(diagnostics) => Err(Fault::Refused(render_all(
            &diagnostics,
            &Sources::single(&name, text),
            color,
        ))),
    }
}

#[cfg(not(feature = "dev"))]
fn compile(path: &Path, _source: &[u8], _color: bool) -> Result<Module, Fault> {
    let path = path.display();
    Err(Fault::Usage(format!(
        "{path} is a source; this flinvm has no compiler: run flinc {path} -o app.fbc first"
    )))
}
