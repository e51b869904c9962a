//! The settings of a server: `flin.config` beside the program, then the command line, which wins. Must stay true: a file with a
//! mistake is refused whole; paths in the file count from where it lies, paths of the command line from where it was typed.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flin_runtime::{RuntimeOptions, World};
use flin_server::settings::{FILE_NAME, Settings, TEXT_BYTES_MAX};

use crate::arguments::Configured;
use crate::fault::Fault;
use crate::machine;

/// What programs run with in a server with these settings.
pub(crate) fn of_runtime(settings: &Settings, world: Arc<dyn World>) -> RuntimeOptions {
    RuntimeOptions {
        world,
        ..settings.running.of_runtime(machine::memory_bytes())
    }
}

/// The settings for a program.
pub(crate) fn of(program: &Path, wanted: &Configured) -> Result<Settings, Fault> {
    let mut settings = Settings::default();
    let usual = std::mem::take(&mut settings.serving.data);
    if let Some((file, text)) = read(program, wanted.config.as_deref())? {
        let name = file.display().to_string();
        settings
            .read(&text)
            .map_err(|problems| Fault::Settings(problems.shown(&name, &text)))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let serving = &mut settings.serving;
        for path in [
            &mut serving.data,
            &mut serving.tls_cert,
            &mut serving.tls_key,
        ] {
            if !path.is_empty() {
                *path = text_of(&folder.join(&*path))?;
            }
        }
    }
    for assignment in &wanted.set {
        settings
            .set(assignment)
            .map_err(|message| Fault::Usage(format!("--set {message}")))?;
    }
    let serving = &mut settings.serving;
    serving.host = wanted.host.unwrap_or(serving.host);
    serving.port = wanted.port.unwrap_or(serving.port);
    if let Some(data) = &wanted.data {
        serving.data = text_of(data)?;
    }
    if serving.data.is_empty() {
        serving.data = usual;
    }
    if !wanted.allow_host.is_empty() {
        serving.allow_hosts.clone_from(&wanted.allow_host);
    }
    Ok(settings)
}

// The file and its text; none if nobody wrote one.
fn read(program: &Path, named: Option<&Path>) -> Result<Option<(PathBuf, String)>, Fault> {
    let path = match named {
        Some(path) => path.to_owned(),
        None if program.is_dir() => program.join(FILE_NAME),
        None => program.with_file_name(FILE_NAME),
    };
    let unreadable = |source| Fault::Unreadable {
        path: path.clone(),
        source,
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    // One more than is allowed, so that a file that is too long is seen to be so.
    file.take(TEXT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let text = String::from_utf8(bytes).or_else(|error| {
        // A character that was cut off at the end of what is read is no mistake of its own.
        let too_long = error.as_bytes().len() > TEXT_BYTES_MAX;
        let lossy = too_long.then(|| String::from_utf8_lossy(error.as_bytes()).into_owned());
        lossy.ok_or_else(|| Fault::Usage(format!("{} is no UTF-8 text", path.display())))
    })?;
    Ok(Some((path, text)))
}

fn text_of(path: &Path) -> Result<String, Fault> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Fault::Usage(format!("{} is no UTF-8 path", path.display())))
}
