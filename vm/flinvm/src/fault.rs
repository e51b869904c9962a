//! What can end the program, and with which exit code. Must stay true: a fault is printed once, on stderr, and says what
//! to do where there is something to do.

use std::io::ErrorKind;
use std::path::PathBuf;

use flin_runtime::Failure;
use flin_runtime::store::{IoFailure, OpenError};
use flin_runtime::vm::Trap;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A file cannot be read.
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The settings are at fault; finished text.
    Settings(String),
    /// The arguments do not fit together.
    Usage(String),
    /// The file is no program that this runtime takes.
    NotAProgram { path: PathBuf, reason: String },
    /// The compiler refused the source; it has said why, in finished text.
    #[cfg_attr(
        not(feature = "dev"),
        expect(dead_code, reason = "only the compiler makes it")
    )]
    Refused(String),
    /// The data cannot be opened.
    Data(Box<OpenError>),
    /// The program failed.
    Failed(Failure),
    /// The server cannot start.
    Server(String),
    /// Tests failed; they have said so.
    TestsFailed,
    /// Damaged data; the report has said so.
    Damaged,
    /// The data is at fault, in words.
    Refusal(String),
    /// The disk failed.
    Disk(String),
}

impl Fault {
    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Fault::Unreadable { .. } | Fault::Usage(_) | Fault::Settings(_) => 2,
            Fault::Disk(_) => 75,
            Fault::Data(open) => match **open {
                OpenError::Io(ref failure) if is_forbidden(failure) => 2,
                OpenError::Io(_) => 75,
                OpenError::Corrupt { .. }
                | OpenError::Locked { .. }
                | OpenError::SchemaRefused { .. }
                | OpenError::UnsupportedFormat { .. }
                | OpenError::NoStore { .. } => 1,
            },
            Fault::NotAProgram { .. }
            | Fault::Refused(_)
            | Fault::Failed(_)
            | Fault::Server(_)
            | Fault::TestsFailed
            | Fault::Refusal(_)
            | Fault::Damaged => 1,
        }
    }

    /// Prints it on stderr.
    pub(crate) fn print(&self, color: bool) {
        tell!("{}", self.text(color));
    }

    /// What is printed.
    pub(crate) fn text(&self, color: bool) -> String {
        match self {
            Fault::Refused(text) => text.clone(),
            Fault::Settings(text) => text
                .split_inclusive('\n')
                .map(|line| match line.strip_prefix("error:") {
                    Some(rest) => format!("{}:{rest}", red(color, "error")),
                    None => line.to_owned(),
                })
                .collect(),
            Fault::TestsFailed | Fault::Damaged => String::new(),
            Fault::Unreadable { path, source } => {
                error(color, &format!("cannot read {}: {source}", path.display()))
            }
            Fault::NotAProgram { path, reason } => error(
                color,
                &format!("{} cannot be run: {reason}", path.display()),
            ),
            Fault::Usage(message)
            | Fault::Server(message)
            | Fault::Refusal(message)
            | Fault::Disk(message) => error(color, message),
            Fault::Data(open) => {
                let mut text = error(color, &open.to_string());
                if let Some(help) = help(open) {
                    text.push_str(&format!("help: {help}\n"));
                }
                text
            }
            Fault::Failed(failure) => failure_text(failure, color, &|_| String::new()),
        }
    }
}

/// What can be done about data that cannot be opened.
fn help(error: &OpenError) -> Option<&'static str> {
    match error {
        OpenError::Corrupt { .. } => Some(
            "`flinvm db verify` names every damaged place. `flinvm serve --read-only` shows the state before the damage. \
             To go on, restore a backup, or write what can be read into a new store with `flinvm db verify --salvage`",
        ),
        OpenError::SchemaRefused { .. } => Some(
            "nothing was changed. `flinvm db migrate PROGRAM --dry-run` shows everything that would change, and what it costs",
        ),
        OpenError::Locked { .. } => Some(
            "`flinvm serve --read-only` and the reading commands of `flinvm db` work meanwhile",
        ),
        OpenError::Io(failure) if is_forbidden(failure) => Some(
            "`flinvm serve --read-only` and the reading commands of `flinvm db` work all the same",
        ),
        OpenError::UnsupportedFormat { .. } | OpenError::NoStore { .. } | OpenError::Io(_) => None,
    }
}

/// Whether this user may not do it, so that trying again does not help.
fn is_forbidden(failure: &IoFailure) -> bool {
    let kind = failure.source.kind();
    matches!(
        kind,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    )
}

fn error(color: bool, message: &str) -> String {
    format!("{}: {message}\n", red(color, "error"))
}

fn red(color: bool, text: &str) -> String {
    if color {
        format!("\u{1b}[1;31m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A failure of the running program; `frame` gives the lines of the source that go with an error.
pub(crate) fn failure_text(
    failure: &Failure,
    color: bool,
    frame: &dyn Fn(&Trap) -> String,
) -> String {
    match failure {
        Failure::Trap(trap) => framed(trap, color, frame),
        failure => error(color, &failure.to_string()),
    }
}

/// `error[Kind]: message` with place and calls.
pub(crate) fn trap_text(trap: &Trap, color: bool) -> String {
    framed(trap, color, &|_| String::new())
}

fn framed(trap: &Trap, color: bool, frame: &dyn Fn(&Trap) -> String) -> String {
    let mut out = format!(
        "{}: {}\n",
        red(color, &format!("error[{}]", trap.kind)),
        trap.message
    );
    if trap.at.line > 0 {
        out.push_str(&format!(
            "  --> {}:{}:{}\n",
            trap.at.file, trap.at.line, trap.at.column
        ));
    }
    out.push_str(&frame(trap));
    for entry in &trap.trace {
        out.push_str(&match entry.line {
            0 => format!("   in {}\n", entry.function),
            line if entry.file == trap.at.file => {
                format!("   in {} at {line}:{}\n", entry.function, entry.column)
            }
            line => format!(
                "   in {} at {}:{line}:{}\n",
                entry.function, entry.file, entry.column
            ),
        });
    }
    if let Some(cause) = &trap.cause {
        out.push_str("caused by ");
        out.push_str(&framed(cause, false, frame));
    }
    out
}
