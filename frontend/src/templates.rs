//! `flinc new`: a folder to begin with. Here because the first minute should not be spent on an empty file. Must stay
//! true: nothing that is there already is touched; what is written compiles as it is and is what a user would write.

use std::io::ErrorKind;
use std::path::Path;

use clap::ValueEnum;

use crate::{EXIT_DISK, EXIT_PROGRAM, Stop, say};

/// What a new program begins with.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Template {
    /// A page over one kind of record, in thirty lines
    Minimal,
    /// Records, a form, a search, a JSON route, a test, light and dark
    Starter,
    /// The to-do example
    Todo,
}

/// Stands for the name of the program.
const NAME: &str = "NAME";
/// Longer names are no names of folders.
const NAME_CHARS_MAX: usize = 64;

impl Template {
    fn source(self) -> &'static str {
        match self {
            Template::Minimal => include_str!("../templates/minimal/app.flin"),
            Template::Starter => include_str!("../templates/starter/app.flin"),
            Template::Todo => include_str!("../../examples/todo/todo.flin"),
        }
    }
}

fn readme(name: &str) -> String {
    format!(
        "# {name}\n\n\
         ```sh\n\
         flinvm dev app.flin       # serves it on http://127.0.0.1:3000; every save is in the open page\n\
         flinc app.flin            # compiles it to app.fbc\n\
         flinvm serve app.fbc      # serves that, for production\n\
         ```\n\n\
         The data is in `.flindb`: `flinvm db stats` counts it, `flinvm db backup DIRECTORY` copies it.\n"
    )
}

/// Makes the folder and says what to do next.
pub(crate) fn create(folder: &Path, template: Template) -> Result<u8, Stop> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let fits = |name: &&str| {
        let first = name.chars().next();
        first.is_some_and(char::is_alphanumeric)
            && name.chars().count() <= NAME_CHARS_MAX
            && name
                .chars()
                .all(|ch| ch.is_alphanumeric() || matches!(ch, '-' | '_' | ' '))
    };
    let Some(name) = name.filter(fits) else {
        return Err(Stop::usage(format!(
            "`{}` cannot be the name of a program: expected letters, digits, `-` and `_`, a letter or digit first, such as \
             my-shop",
            folder.display()
        )));
    };
    let shown = folder.display();
    std::fs::create_dir(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Stop {
            code: EXIT_PROGRAM,
            sentence: format!(
                "{shown} is there already, and nothing in it was changed; choose another name"
            ),
        },
        ErrorKind::NotFound => Stop::usage(format!(
            "{shown} cannot be made: the folder around it is not there"
        )),
        _ => disk(&format!("{shown} cannot be made: {error}")),
    })?;
    let files = [
        ("app.flin", template.source().replace(NAME, name)),
        ("README.md", readme(name)),
        (".gitignore", ".flindb/\n*.fbc\n".to_owned()),
    ];
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::write(&path, text)
            .map_err(|error| disk(&format!("{} cannot be written: {error}", path.display())))?;
    }
    say(&format!(
        "{shown} is ready. Next:\n\n  cd {shown}\n  flinvm dev app.flin\n\nthen open http://127.0.0.1:3000 and change app.flin.\n"
    ))
}

fn disk(sentence: &str) -> Stop {
    Stop {
        code: EXIT_DISK,
        sentence: sentence.to_owned(),
    }
}
