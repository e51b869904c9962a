//! The program `flinc`: reads files, calls the compiler, prints, writes. Here because the library may not touch a disk.
//! Must stay true: results go to stdout, messages to stderr; exit 0 fine, 1 the program is at fault, 2 wrong usage or an
//! unreadable file, 75 the disk; an output file appears complete or not at all.
#![allow(clippy::disallowed_methods)]
#![forbid(unsafe_code)]

use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod layout;
mod templates;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use flin_syntax::limits::FILE_BYTES_MAX;
use flin_syntax::render::{self, Color, Sources};
use flin_syntax::{Code, Diagnostic};
use flinc::optimise::Passes;
use flinc::project::{Project, ProjectError};

// A compiler makes many small things and keeps most of them: a fifth of its time with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The program is at fault.
const EXIT_PROGRAM: u8 = 1;
/// Wrong usage or an unreadable file.
const EXIT_USAGE: u8 = 2;
/// The disk failed.
const EXIT_DISK: u8 = 75;

const EXAMPLES: &str = "\
Examples:
  flinc app.flin -o app.fbc      compile one file; run it with `flinvm serve app.fbc`
  flinc shop -o shop.fbc         compile a project: a folder with app/, components/, entities/, lib/ and public/
  flinc check app.flin           look for mistakes only
  flinc new my-app               a folder with a program to begin with
  flinc --surface app.flin       what strangers can reach: pages, state, handlers, routes
  flinc fmt app.flin             the one canonical layout; `fmt --check` only looks
  flinc disasm app.fbc           the bytecode with the source lines it came from
  flinc explain F0123            what a diagnostic means, in more words

Exit codes: 0 fine, 1 the program has a mistake, 2 wrong usage or an unreadable file, 75 the disk failed.";

/// The FLIN compiler: from source text to bytecode.
#[derive(Parser)]
#[command(name = "flinc", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// The source file or project folder to compile
    #[arg(value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// Where the bytecode goes [default: the source's name with .fbc]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Leave optimisations out, all or those named; what the program does is the same
    #[arg(long, value_name = "NAMES", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = Passes::without, long_help = passes_help())]
    no_opt: Option<Passes>,
    /// Print what the program shows to the outside: pages, what may be sent to them, routes
    #[arg(long)]
    surface: bool,
    /// Print what the grammar reads but this version cannot compile yet
    #[arg(long)]
    unsupported: bool,
    #[command(flatten)]
    messages: Messages,
    #[command(subcommand)]
    command: Option<Command>,
}

/// How messages look.
#[derive(clap::Args, Clone, Copy)]
struct Messages {
    /// Colours in messages
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, global = true)]
    color: ColorChoice,
    /// Messages for people, or one JSON object per line for tools
    #[arg(long, value_enum, default_value_t = Format::Human, global = true, value_name = "FORMAT")]
    message_format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum ColorChoice {
    /// If stderr is a terminal
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Look for mistakes without writing anything
    Check {
        /// The source files and project folders; each is a program of its own
        #[arg(required = true, value_name = "FILE")]
        sources: Vec<PathBuf>,
    },
    /// Bring files into the one canonical layout; comments stay, the program stays the same
    Fmt {
        /// Change nothing; name the files that are not formatted, and exit with 1 if there is one
        #[arg(long)]
        check: bool,
        /// The source files and project folders; `-` reads stdin and prints
        #[arg(required = true, value_name = "FILE")]
        sources: Vec<PathBuf>,
    },
    /// Show compiled code as text, with the source lines it came from if the source is found
    Disasm {
        /// The compiled file
        module: PathBuf,
    },
    /// Make a folder with a program to begin with
    New {
        /// The folder; its name is the program's
        #[arg(value_name = "NAME")]
        folder: PathBuf,
        /// What is in it
        #[arg(long, value_enum, default_value_t = templates::Template::Starter)]
        template: templates::Template,
    },
    /// Print the program as JavaScript that runs by itself, in node
    Js {
        /// The source file
        source: PathBuf,
        /// The module of this page instead, with all in it that the browser could do
        #[arg(long, value_name = "PATH")]
        page: Option<String>,
    },
    /// Explain a diagnostic by its code
    Explain {
        /// The code, such as F0123
        code: String,
    },
}

/// Why the program stops; the sentence goes to stderr.
struct Stop {
    code: u8,
    sentence: String,
}

impl Stop {
    fn usage(sentence: impl Into<String>) -> Stop {
        Stop {
            code: EXIT_USAGE,
            sentence: sentence.into(),
        }
    }
}

/// The passes that can be left out.
fn passes_help() -> String {
    let rows = flinc::optimise::Pass::ALL.iter();
    let rows = rows.map(|pass| format!("\n  {:<9} {}", pass.name(), pass.meaning()));
    format!(
        "Leave optimisations out; what the program does is the same. Without names all are left out, else those named, \
         separated by commas:{}",
        rows.collect::<String>()
    )
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let messages = arguments.messages;
    let done = match (&arguments.command, arguments.sources.as_slice()) {
        (Some(Command::Check { sources }), _) => check_all(sources, messages),
        (Some(Command::Fmt { check, sources }), _) => layout::format_all(sources, *check, messages),
        (Some(Command::Disasm { module }), _) => disasm(module),
        (Some(Command::New { folder, template }), _) => templates::create(folder, *template),
        (Some(Command::Js { source, page }), _) => javascript(source, page.as_deref(), messages),
        (Some(Command::Explain { code }), _) => explain(code),
        (None, _) if arguments.unsupported => say(&flinc::unsupported::list()),
        (None, [source]) if arguments.surface => surface(source, messages),
        (None, [source]) => {
            let passes = arguments.no_opt.unwrap_or_default();
            build(source, arguments.output.as_deref(), passes, messages)
        }
        (None, []) => {
            let help = Arguments::command().render_help();
            Err(Stop::usage(format!("no source file was named\n\n{help}")))
        }
        (None, [first, others @ ..]) => Err(Stop::usage(several(first, others))),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(stop) => {
            if !stop.sentence.is_empty() {
                // Nothing is left to do if stderr is gone.
                let _ = writeln!(std::io::stderr(), "flinc: {}", stop.sentence);
            }
            ExitCode::from(stop.code)
        }
    }
}

/// Writes to stdout; a reader that has gone away (`flinc … | head`) is no error.
fn say(text: &str) -> Result<u8, Stop> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(0),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(Stop {
            code: EXIT_DISK,
            sentence: format!("stdout cannot be written: {error}"),
        }),
    }
}

/// What to say when a command or a second file is not understood.
fn several(first: &Path, others: &[PathBuf]) -> String {
    let shown = first.display();
    if first.extension().is_none() && !first.exists() {
        return format!(
            "there is neither a command nor a file `{shown}`; `flinc --help` lists the commands"
        );
    }
    format!(
        "one source file is one program, but {} were named; compile them one after the other, first {shown}",
        others.len() + 1
    )
}

fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    read_up_to(path, u64::MAX)
}

/// Reads a file, but no more than one byte beyond a limit.
fn read_up_to(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| {
            file.take(bytes_max.saturating_add(1))
                .read_to_end(&mut bytes)
        })
        .map_err(|error| Stop::usage(format!("{} cannot be read: {error}", path.display())))?;
    Ok(bytes)
}

/// Reads a source. What is no text that a compiler could look at is shown, and the stop has no sentence of its own.
fn read_source(source: &Path, messages: Messages) -> Result<String, Stop> {
    let bytes = read_up_to(source, FILE_BYTES_MAX as u64)?;
    text_of(bytes, &source.display().to_string(), messages)
}

/// The text of a source.
fn text_of(bytes: Vec<u8>, name: &str, messages: Messages) -> Result<String, Stop> {
    let (diagnostics, text) = if bytes.len() > FILE_BYTES_MAX {
        (vec![flin_syntax::too_large()], String::new())
    } else {
        match String::from_utf8(bytes) {
            Ok(text) => return Ok(text),
            Err(error) => (
                flin_syntax::parse_bytes(error.as_bytes()).diagnostics,
                String::from_utf8_lossy(error.as_bytes()).into_owned(),
            ),
        }
    };
    show(&diagnostics, name, &text, messages);
    Err(Stop {
        code: EXIT_PROGRAM,
        sentence: String::new(),
    })
}

/// Reads a project folder.
fn read_project(folder: &Path) -> Result<Project, Stop> {
    let name = folder.display().to_string();
    Project::read(&name, &flinc::disk::Disk::new(folder)).map_err(|error| match error {
        ProjectError::NotText { .. } => Stop {
            code: EXIT_PROGRAM,
            sentence: error.to_string(),
        },
        ProjectError::NoPages => Stop::usage(format!("{name}: {error}")),
        ProjectError::Unreadable { .. } | ProjectError::TooMuch { .. } => {
            Stop::usage(error.to_string())
        }
    })
}

/// What a program shows to the outside.
fn surface(source: &Path, messages: Messages) -> Result<u8, Stop> {
    let compiled = compile(source, Passes::default(), messages)?;
    say(&flinc::surface(&compiled.module))
}

/// Compiles a file or project and prints what there is to say about it.
fn compile(source: &Path, passes: Passes, messages: Messages) -> Result<flinc::Compiled, Stop> {
    let name = source.display().to_string();
    let (sources, compiled) = if source.is_dir() {
        let project = read_project(source)?;
        let mut sources = Sources::default();
        for source in &project.sources {
            sources.add(&source.name, &source.text);
        }
        (sources, flinc::compile_project(&project, passes))
    } else {
        let text = read_source(source, messages)?;
        let compiled = flinc::compile_with(&name, &text, passes);
        (Sources::single(&name, &text), compiled)
    };
    let compiled = compiled.map_err(|found| wrong(&found, &name, &sources, messages))?;
    show_all(&compiled.warnings, &sources, messages);
    Ok(compiled)
}

/// Shows what is wrong with a program.
fn wrong(diagnostics: &[Diagnostic], name: &str, sources: &Sources, messages: Messages) -> Stop {
    show_all(diagnostics, sources, messages);
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    let sentence = match (messages.message_format, errors) {
        (Format::Json, _) => String::new(),
        (Format::Human, 1) => format!("{name} has 1 error"),
        (Format::Human, flinc::DIAGNOSTICS_MAX..) => {
            format!("{name} has {errors} errors or more; the first {errors} are shown")
        }
        (Format::Human, errors) => format!("{name} has {errors} errors"),
    };
    Stop {
        code: EXIT_PROGRAM,
        sentence,
    }
}

/// The program as JavaScript, on stdout.
fn javascript(source: &Path, page: Option<&str>, messages: Messages) -> Result<u8, Stop> {
    let name = source.display().to_string();
    let text = read_source(source, messages)?;
    let script = match page {
        Some(path) => flinc::page_script(&name, &text, path),
        None => flinc::script(&name, &text),
    };
    let sources = Sources::single(&name, &text);
    let script = script.map_err(|found| wrong(&found, &name, &sources, messages))?;
    say(&script.text)
}

fn show(diagnostics: &[Diagnostic], name: &str, text: &str, messages: Messages) {
    show_all(diagnostics, &Sources::single(name, text), messages);
}

fn show_all(diagnostics: &[Diagnostic], sources: &Sources, messages: Messages) {
    if diagnostics.is_empty() {
        return;
    }
    let shown = match messages.message_format {
        Format::Human => {
            let on = match messages.color {
                ColorChoice::Always => true,
                ColorChoice::Never => false,
                ColorChoice::Auto => {
                    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
                }
            };
            render::render_all(
                diagnostics,
                sources,
                if on { Color::Always } else { Color::Never },
            )
        }
        Format::Json => diagnostics
            .iter()
            .map(|d| render::render_json(d, sources) + "\n")
            .collect::<Vec<_>>()
            .concat(),
    };
    // Nothing is left to do if stderr is gone.
    let _ = std::io::stderr().write_all(shown.as_bytes());
}

/// Checks each file; the exit code is that of the worst.
fn check_all(sources: &[PathBuf], messages: Messages) -> Result<u8, Stop> {
    let mut worst = 0;
    let mut sentences = Vec::new();
    for source in sources {
        // What is wrong shows before code gets better.
        if let Err(stop) = compile(source, Passes::none(), messages) {
            worst = worst.max(stop.code);
            sentences.push(stop.sentence);
        }
    }
    sentences.retain(|sentence| !sentence.is_empty());
    match worst {
        0 => Ok(0),
        code => Err(Stop {
            code,
            sentence: sentences.join("\nflinc: "),
        }),
    }
}

fn build(
    source: &Path,
    output: Option<&Path>,
    passes: Passes,
    messages: Messages,
) -> Result<u8, Stop> {
    let output = output.map_or_else(|| output_of(source), Path::to_path_buf);
    if output == source {
        return Err(Stop::usage(format!(
            "the output {} would overwrite the source",
            output.display()
        )));
    }
    let compiled = compile(source, passes, messages)?;
    let bytes = flin_bytecode::fbc::write(&compiled.module);
    write_whole(&output, &bytes)?;
    Ok(0)
}

/// Where the bytecode goes if nobody says it: beside the source, or beside the project's folder.
fn output_of(source: &Path) -> PathBuf {
    match source.file_name() {
        Some(name) if source.is_dir() => {
            let mut name = name.to_owned();
            name.push(".fbc");
            source.with_file_name(name)
        }
        Some(_) => source.with_extension("fbc"),
        None => source.join("app.fbc"),
    }
}

/// Writes beside the file first, so that a reader never sees half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let name = path
        .file_name()
        .ok_or_else(|| Stop::usage(format!("{} is no file name", path.display())))?;
    let mut beside = name.to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(beside);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| {
        // What was begun is of no use; that it may stay behind is not worth a second message.
        let _ = std::fs::remove_file(&beside);
        let code = match error.kind() {
            std::io::ErrorKind::NotFound
            | std::io::ErrorKind::PermissionDenied
            | std::io::ErrorKind::IsADirectory => EXIT_USAGE,
            _ => EXIT_DISK,
        };
        Stop {
            code,
            sentence: format!("{} cannot be written: {error}", path.display()),
        }
    })
}

fn disasm(path: &Path) -> Result<u8, Stop> {
    let bytes = read(path)?;
    let module = flin_bytecode::fbc::read(&bytes).map_err(|error| Stop {
        code: EXIT_PROGRAM,
        sentence: format!("{} is no usable bytecode: {error}", path.display()),
    })?;
    let source = if module.files.is_empty() {
        source_of(path, &module.source_name)
    } else {
        let texts = module.files.iter().map(|file| source_of(path, &file.name));
        // Lines are counted through all files, each ending with a line's end of its own.
        let whole: Option<Vec<String>> = texts.collect();
        whole.map(|texts| texts.join("\n") + "\n")
    };
    say(&flin_bytecode::text::disassemble(
        &module,
        source.as_deref(),
    ))
}

/// The source of a module: as named when it was compiled, else beside the module.
fn source_of(module: &Path, source_name: &str) -> Option<String> {
    let named = PathBuf::from(source_name);
    let beside = named.file_name().map(|name| module.with_file_name(name));
    [Some(named), beside]
        .into_iter()
        .flatten()
        .find_map(|path| std::fs::read_to_string(path).ok())
}

fn explain(text: &str) -> Result<u8, Stop> {
    match Code::parse(text) {
        Some(code) => say(&format!(
            "{code}: {}\n\n{}\n",
            code.title(),
            code.explanation()
        )),
        None => {
            let known: Vec<String> = Code::ALL
                .iter()
                .map(|code| format!("{code}  {}", code.title()))
                .collect();
            Err(Stop::usage(format!(
                "there is no diagnostic {text}; these exist:\n{}",
                known.join("\n")
            )))
        }
    }
}
