//! A project: a folder of sources that are one program, and the files it serves. Here because the place of a file says what
//! it is: a page, the frame around pages, a component, something for all. Must stay true: this half of the compiler opens
//! nothing itself, whoever calls lends it a [`Folder`]; what is read is limited, and no file of a project's own folders is
//! passed over in silence.

use std::fmt;

use flin_bytecode::module::Asset;
use flin_syntax::limits::FILE_BYTES_MAX;

/// More sources than this are a mistake: a folder of something else.
pub const SOURCES_MAX: usize = 4_000;
/// All sources together; places in them are counted through in 32 bits.
pub const SOURCE_BYTES_MAX: usize = 64 << 20;
/// More files in `public/` than this belong to a server of their own.
pub const ASSETS_MAX: usize = 10_000;
/// One file of `public/`.
pub const ASSET_BYTES_MAX: usize = 32 << 20;
/// All files of `public/`, which are a part of the program.
pub const ASSETS_BYTES_MAX: usize = 160 << 20;
/// Folders in folders; a link that leads upwards ends here.
pub const FOLDERS_MAX: usize = 32;

/// What reading a project needs of a disk.
pub trait Folder {
    /// What stands in a folder, by name, and whether it is a folder; none if there is no such folder. Paths are those in
    /// the project, with `/`.
    ///
    /// # Errors
    /// A folder that is there and cannot be read, with the reason.
    fn list(&self, path: &str) -> Result<Option<Vec<(String, bool)>>, String>;

    /// A file's bytes, at most one more than asked for.
    ///
    /// # Errors
    /// A file that cannot be read, with the reason.
    fn read(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, String>;
}

/// Why a folder cannot be read as a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectError {
    /// There is no `app/` with a source in it.
    NoPages,
    /// A file or folder that cannot be read.
    Unreadable {
        /// Which one.
        path: String,
        /// Why.
        reason: String,
    },
    /// A source that is no text.
    NotText {
        /// Which one.
        path: String,
        /// The first byte that belongs to no character.
        at: usize,
    },
    /// Something that has a limit.
    TooMuch {
        /// What there is too much of.
        path: String,
        /// The limit as a sentence.
        limit: String,
    },
}

impl fmt::Display for ProjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProjectError::NoPages => f.write_str(
                "the folder is no project: its pages stand in `app/`, the first one is `app/index.flin`",
            ),
            ProjectError::Unreadable { path, reason } => {
                write!(f, "{path} cannot be read: {reason}")
            }
            ProjectError::NotText { path, at } => write!(
                f,
                "{path} is not UTF-8 text: byte {at} belongs to no character"
            ),
            ProjectError::TooMuch { path, limit } => write!(f, "{path}: {limit}"),
        }
    }
}

impl std::error::Error for ProjectError {}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// `entities/`, `lib/`: visible in the whole project.
    Shared,
    /// `components/`: the component of the file's name.
    Component(String),
    /// A page.
    Page {
        /// Its path: `/blog/:slug`.
        path: String,
        /// The path of its folder: `/blog`, and nothing for `app/` itself.
        folder: String,
    },
    /// `_layout.flin`, with the path of its folder: `/blog`, and nothing for `app/` itself.
    Layout(String),
    /// A file that cannot be any of these, with the reason and what to do.
    Misplaced(String, String),
}

/// One source of a project.
#[derive(Clone, Debug)]
pub struct ProjectSource {
    /// The name shown in messages.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its text.
    pub text: String,
}

/// A project that was read.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Its name in messages about the whole.
    pub name: String,
    /// Its sources; those that declare for all come first.
    pub sources: Vec<ProjectSource>,
    /// What stands in `public/`, by path.
    pub assets: Vec<Asset>,
}

/// The folders of sources, in the order in which they are read.
const SOURCE_FOLDERS: [&str; 4] = ["entities", "lib", "components", "app"];

impl Project {
    /// Reads a project. `name` is the folder as it was named: names in messages begin with it, unless it is `.`.
    ///
    /// # Errors
    /// What cannot be read, or is too much.
    pub fn read(name: &str, folder: &dyn Folder) -> Result<Project, ProjectError> {
        let before = match name.trim_end_matches('/') {
            "" | "." => String::new(),
            named => format!("{}/", named.trim_start_matches("./")),
        };
        let mut walk = Walk {
            folder,
            files: Vec::new(),
        };
        let mut project = Project {
            name: name.to_owned(),
            ..Project::default()
        };
        for top in SOURCE_FOLDERS {
            walk.below(top, 1)?;
        }
        walk.files.retain(|path| path.ends_with(".flin"));
        let mut bytes_left = SOURCE_BYTES_MAX;
        if walk.files.len() > SOURCES_MAX {
            return Err(ProjectError::TooMuch {
                path: name.to_owned(),
                limit: format!("a project has at most {SOURCES_MAX} sources"),
            });
        }
        for path in std::mem::take(&mut walk.files) {
            let text = read_text(folder, &path, &mut bytes_left)?;
            project.sources.push(ProjectSource {
                name: format!("{before}{path}"),
                role: role_of(&path),
                text,
            });
        }
        let is_page = |source: &ProjectSource| matches!(source.role, Role::Page { .. });
        if !project.sources.iter().any(is_page) {
            return Err(ProjectError::NoPages);
        }
        walk.below("public", 1)?;
        project.assets = assets(folder, walk.files)?;
        Ok(project)
    }
}

struct Walk<'f> {
    folder: &'f dyn Folder,
    files: Vec<String>,
}

impl Walk<'_> {
    /// Notes the files below a folder, in the order of their names.
    fn below(&mut self, path: &str, depth: usize) -> Result<(), ProjectError> {
        let listed = self
            .folder
            .list(path)
            .map_err(|reason| unreadable(path, reason))?;
        let Some(mut entries) = listed else {
            return Ok(());
        };
        if depth > FOLDERS_MAX {
            return Err(ProjectError::TooMuch {
                path: path.to_owned(),
                limit: format!(
                    "folders lie at most {FOLDERS_MAX} deep; is there a link that leads upwards?"
                ),
            });
        }
        entries.sort();
        for (name, is_folder) in entries {
            // What editors and systems leave behind; the web's own `.well-known` is meant.
            if name.starts_with('.') && name != ".well-known" {
                continue;
            }
            let path = format!("{path}/{name}");
            if is_folder {
                self.below(&path, depth + 1)?;
            } else {
                self.files.push(path);
            }
        }
        Ok(())
    }
}

fn unreadable(path: &str, reason: String) -> ProjectError {
    ProjectError::Unreadable {
        path: path.to_owned(),
        reason,
    }
}

fn read_text(
    folder: &dyn Folder,
    path: &str,
    bytes_left: &mut usize,
) -> Result<String, ProjectError> {
    let too_much = |limit: String| ProjectError::TooMuch {
        path: path.to_owned(),
        limit,
    };
    let bytes = folder
        .read(path, FILE_BYTES_MAX)
        .map_err(|reason| unreadable(path, reason))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(too_much(format!(
            "a source has at most {} MiB",
            FILE_BYTES_MAX >> 20
        )));
    }
    *bytes_left = bytes_left.checked_sub(bytes.len()).ok_or_else(|| {
        too_much(format!(
            "the sources of a project have at most {} MiB together",
            SOURCE_BYTES_MAX >> 20
        ))
    })?;
    String::from_utf8(bytes).map_err(|error| ProjectError::NotText {
        path: path.to_owned(),
        at: error.utf8_error().valid_up_to(),
    })
}

fn assets(folder: &dyn Folder, paths: Vec<String>) -> Result<Vec<Asset>, ProjectError> {
    let too_much = |path: &str, limit: String| ProjectError::TooMuch {
        path: path.to_owned(),
        limit,
    };
    if paths.len() > ASSETS_MAX {
        let limit = format!("at most {ASSETS_MAX} files are served");
        return Err(too_much("public", limit));
    }
    let mut left = ASSETS_BYTES_MAX;
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        let bytes = folder
            .read(&path, ASSET_BYTES_MAX)
            .map_err(|reason| unreadable(&path, reason))?;
        if bytes.len() > ASSET_BYTES_MAX {
            let limit = format!("a file has at most {} MiB", ASSET_BYTES_MAX >> 20);
            return Err(too_much(&path, limit));
        }
        left = left.checked_sub(bytes.len()).ok_or_else(|| {
            let limit = format!(
                "all files have at most {} MiB together",
                ASSETS_BYTES_MAX >> 20
            );
            too_much("public", limit)
        })?;
        let path = path.strip_prefix("public/").unwrap_or(&path).to_owned();
        found.push(Asset { path, bytes });
    }
    Ok(found)
}

/// What a source is, by its path in the project.
fn role_of(path: &str) -> Role {
    let (top, rest) = path.split_once('/').unwrap_or(("", path));
    let rest = rest.strip_suffix(".flin").unwrap_or(rest);
    let (folders, name) = match rest.rsplit_once('/') {
        Some((folders, name)) => (Some(folders), name),
        None => (None, rest),
    };
    match top {
        "entities" | "lib" => Role::Shared,
        "components" => component(name),
        _ => match (page_path(folders), name) {
            (Err(role), _) => role,
            (Ok(folder), "_layout") => Role::Layout(folder),
            (Ok(_), "_middleware") => Role::Misplaced(
                "not supported yet: middleware".to_owned(),
                "remove the file, or do its work in the routes".to_owned(),
            ),
            (Ok(folder), "index") => Role::Page {
                path: match &*folder {
                    "" => "/".to_owned(),
                    path => path.to_owned(),
                },
                folder,
            },
            (Ok(folder), _) => match page_path(Some(rest)) {
                Ok(path) => Role::Page { path, folder },
                Err(role) => role,
            },
        },
    }
}

fn component(name: &str) -> Role {
    if name.starts_with(char::is_uppercase) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return Role::Component(name.to_owned());
    }
    Role::Misplaced(
        format!("a component cannot have the name `{name}`"),
        "the name of the file is the name of the tag: a capital letter, then letters and digits, as in `Card.flin`"
            .to_owned(),
    )
}

/// The path of folders and files below `app/`: `blog/[slug]` is `/blog/:slug`.
fn page_path(parts: Option<&str>) -> Result<String, Role> {
    let mut path = String::new();
    for part in parts.into_iter().flat_map(|parts| parts.split('/')) {
        path.push('/');
        let inside = part
            .strip_prefix('[')
            .and_then(|part| part.strip_suffix(']'));
        match inside.map(|name| (name.strip_prefix("..."), name)) {
            Some((Some(rest), _)) if is_name(rest) => path.push_str(&format!("*{rest}")),
            Some((None, name)) if is_name(name) => path.push_str(&format!(":{name}")),
            None if !part.starts_with(['_', ':', '*'])
                && !part.contains(['[', ']', '?', '#', ' ']) =>
            {
                path.push_str(part);
            }
            Some(_) | None => {
                return Err(Role::Misplaced(
                    format!("`{part}` cannot be a part of a path"),
                    "`[name]` stands for one part of the path, `[...name]` for all the rest; other names have no blanks \
                     and do not begin with `_`"
                        .to_owned(),
                ));
            }
        }
    }
    Ok(path)
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c == '_' || c.is_lowercase());
    first && letters.all(|c| c == '_' || c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_file_says_what_it_is() {
        let page = |path: &str, folder: &str| Role::Page {
            path: path.to_owned(),
            folder: folder.to_owned(),
        };
        assert_eq!(role_of("app/index.flin"), page("/", ""));
        assert_eq!(role_of("app/about.flin"), page("/about", ""));
        assert_eq!(role_of("app/blog/index.flin"), page("/blog", "/blog"));
        assert_eq!(role_of("app/blog.flin"), page("/blog", ""));
        assert_eq!(
            role_of("app/blog/[slug].flin"),
            page("/blog/:slug", "/blog")
        );
        assert_eq!(
            role_of("app/[team]/[...rest].flin"),
            page("/:team/*rest", "/:team")
        );
        assert_eq!(role_of("app/_layout.flin"), Role::Layout(String::new()));
        assert_eq!(
            role_of("app/[team]/_layout.flin"),
            Role::Layout("/:team".to_owned())
        );
        assert_eq!(role_of("lib/money/euro.flin"), Role::Shared);
        assert_eq!(
            role_of("components/ui/Card.flin"),
            Role::Component("Card".to_owned())
        );
        for wrong in [
            "components/card.flin",
            "app/_x.flin",
            "app/[].flin",
            "app/[A b].flin",
            "app/_m/a.flin",
        ] {
            assert!(matches!(role_of(wrong), Role::Misplaced(..)), "{wrong}");
        }
    }
}
