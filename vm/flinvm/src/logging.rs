//! The log on stderr. `FLIN_LOG` (such as `debug` or `flin_server=debug`) says how much; by default what matters. Must stay
//! true: only an event begins at the start of a line, so that no text from outside can look like one; when nobody reads stderr any
//! more, or the disk that it goes to is full, everything else goes on.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

use crate::arguments::{Engine, Jit, LogFormat};

/// Prints to stderr; when nobody reads it any more, there is no one left to tell.
macro_rules! tell {
    ($($words:tt)*) => {
        $crate::logging::tell_stderr(&format!($($words)*))
    };
}

/// The same, and a line end.
macro_rules! tell_line {
    ($($words:tt)*) => {
        $crate::logging::tell_stderr(&(format!($($words)*) + "\n"))
    };
}

/// What stands behind `tell!`.
pub(crate) fn tell_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_env("FLIN_LOG").unwrap_or_else(|_| EnvFilter::new(default))
}

/// What commands that run a program and end say: what the program itself logs, and of machine code what is wrong; every
/// function that stays interpreted is named to those who ask about machine code.
pub(crate) fn of_program(engine: Engine) -> &'static str {
    if engine.stats || engine.jit == Jit::Eager {
        "warn,flin=info,flin_runtime=off"
    } else {
        "warn,flin=info,flin_jit=warn,flin_runtime=off"
    }
}

/// Structured lines with time and level, for a server.
pub(crate) fn for_server(format: LogFormat, color: bool) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter("info"))
        .log_internal_errors(false);
    match format {
        LogFormat::Text => log.with_writer(|| Indented).with_ansi(color).init(),
        LogFormat::Json => log.with_writer(io::stderr).json().init(),
    }
}

/// Short lines, for `flinvm dev`: failures of the program are said with their place by the command itself.
#[cfg(feature = "dev")]
pub(crate) fn for_developer(color: bool) {
    let quiet = "warn,flin=info,flinvm=info,flin_runtime::answer=off,flin_server::fault=off";
    for_people(color, quiet);
}

/// Short lines, for commands that end.
pub(crate) fn for_people(color: bool, default: &str) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(default))
        .log_internal_errors(false)
        .with_writer(|| Indented);
    log.with_ansi(color)
        .without_time()
        .with_target(false)
        .init();
}

/// stderr, where every line of an event but its first one is indented. It is handed whole events.
struct Indented;

impl Write for Indented {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(&indented(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn indented(event: &[u8]) -> Vec<u8> {
    let text = event.strip_suffix(b"\n").unwrap_or(event);
    let mut out = Vec::with_capacity(event.len());
    for byte in text {
        match byte {
            b'\n' => out.extend_from_slice(b"\n    "),
            b'\r' => out.extend_from_slice(b"\\r"),
            byte => out.push(*byte),
        }
    }
    out.extend_from_slice(&event[text.len()..]);
    out
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn only_an_event_begins_a_line() {
        assert_eq!(indented(b"one event\n"), b"one event\n");
        assert_eq!(
            indented(b"one\nERROR\rx\n\n"),
            b"one\n    ERROR\\rx\n    \n"
        );
    }
}
