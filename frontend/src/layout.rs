//! The command `flinc fmt`: files into the one canonical layout. Here because only the program may touch a disk.
//! Must stay true: a file that cannot be read as FLIN, or that the formatter refuses, is left as it is; a written file is there
//! completely or not at all; one bad file does not keep the others from being looked at.

use std::io::Read;
use std::path::{Path, PathBuf};

use flin_syntax::limits::FILE_BYTES_MAX;

use crate::{EXIT_PROGRAM, EXIT_USAGE, Messages, Stop};
use crate::{read_source, say, show, text_of, write_whole};

/// Formats files, or only looks with `check`. The exit code: 0, or 1 if a file is not formatted (with `check`) or has a syntax
/// error.
pub(crate) fn format_all(sources: &[PathBuf], check: bool, messages: Messages) -> Result<u8, Stop> {
    let mut worst = 0;
    let mut sentences = Vec::new();
    let mut files = Vec::new();
    for source in sources {
        if source.is_dir() {
            let project = crate::read_project(source)?;
            files.extend(project.sources.iter().map(|it| PathBuf::from(&it.name)));
        } else {
            files.push(source.clone());
        }
    }
    for source in &files {
        match format_one(source, check, messages) {
            Ok(code) => worst = worst.max(code),
            Err(stop) => {
                worst = worst.max(stop.code);
                sentences.push(stop.sentence);
            }
        }
    }
    sentences.retain(|sentence| !sentence.is_empty());
    if sentences.is_empty() {
        return Ok(worst);
    }
    Err(Stop {
        code: worst,
        sentence: sentences.join("\nflinc: "),
    })
}

fn format_one(source: &Path, check: bool, messages: Messages) -> Result<u8, Stop> {
    let from_stdin = source == Path::new("-");
    let name = if from_stdin {
        "<stdin>".to_owned()
    } else {
        source.display().to_string()
    };
    let text = if from_stdin {
        text_of(stdin()?, &name, messages)?
    } else {
        read_source(source, messages)?
    };
    let formatted = match flin_syntax::format(&text) {
        Ok(formatted) => formatted,
        Err(diagnostics) => {
            show(&diagnostics, &name, &text, messages);
            return Ok(EXIT_PROGRAM);
        }
    };
    match (check, from_stdin) {
        (false, true) => say(&formatted),
        _file_or_check if formatted == text => Ok(0),
        (true, _) => say(&format!("{name} is not formatted\n")).map(|_| EXIT_PROGRAM),
        (false, false) => {
            replace(source, formatted.as_bytes())?;
            say(&format!("{name} formatted\n"))
        }
    }
}

fn stdin() -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Stop::usage(format!("stdin cannot be read: {error}")))?;
    Ok(bytes)
}

/// Writes over a file; a link stays a link, and who may read the file stays as it was.
fn replace(source: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let cannot = |error: std::io::Error| Stop {
        code: EXIT_USAGE,
        sentence: format!("{} cannot be written: {error}", source.display()),
    };
    let file = source.canonicalize().map_err(cannot)?;
    let permissions = std::fs::metadata(&file).map_err(cannot)?.permissions();
    if permissions.readonly() {
        return Err(Stop::usage(format!(
            "{} cannot be written: it is read-only",
            source.display()
        )));
    }
    write_whole(&file, bytes)?;
    std::fs::set_permissions(&file, permissions).map_err(cannot)
}
