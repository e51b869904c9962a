//! Who takes part, and how each is started. Must stay true: FLIN is the first; each peer does what its own documentation
//! recommends for speed that is safe: kept statements, a write-ahead log, every commit durable before its answer.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Failure, Running, compiled, free_port, get};

/// What a contestant can be asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Kind {
    /// Pages, and creations by POST to `/api/notes`.
    Application,
    /// One page that never changes.
    Constant,
}

/// Somebody who serves.
pub(super) struct Contestant {
    /// Name in the tables.
    pub(super) name: &'static str,
    /// What it can be asked for.
    pub(super) kind: Kind,
    server: Server,
    places: Places,
}

/// How somebody is started.
#[derive(Clone, Copy)]
enum Server {
    Flin,
    Peer(fn(&Places, u16, &Path) -> Command),
}

/// Where the programs lie.
#[derive(Clone)]
struct Places {
    /// The compiled application.
    module: PathBuf,
    /// The bytes of its page.
    page: PathBuf,
    /// The peers in JavaScript, with what npm brought.
    node: PathBuf,
}

impl Contestant {
    /// Starts it over a folder for its data, and waits for its first answer.
    pub(super) fn start(&self, data: &Path) -> Result<Running, Failure> {
        let command = match self.server {
            Server::Flin => return Running::flin(&self.places.module, data),
            Server::Peer(command) => command,
        };
        std::fs::create_dir_all(data)?;
        let port = free_port()?;
        let command = command(&self.places, port, data);
        Running::start(command, port, &data.join("said.log"))
    }
}

fn peer(name: &str, port: u16, rest: &Path) -> Command {
    let this = std::env::current_exe().unwrap_or_else(|_| "flin-bench-web".into());
    let mut command = Command::new(this);
    command.args(["peer", name, &port.to_string()]).arg(rest);
    command
}

fn hyper(places: &Places, port: u16, _: &Path) -> Command {
    peer("hyper", port, &places.page)
}

fn axum(_: &Places, port: u16, data: &Path) -> Command {
    peer("axum", port, data)
}

fn fastify(places: &Places, port: u16, data: &Path) -> Command {
    let mut command = Command::new("node");
    command
        .arg(places.node.join("server.mjs"))
        .arg(port.to_string())
        .arg(data);
    command.env("NODE_ENV", "production");
    command
}

/// Compiles the application, keeps the bytes of its page with all records on it, and names everybody.
pub(super) fn all(folder: &Path) -> Result<Vec<Contestant>, Failure> {
    let places = Places {
        module: compiled("notes", folder)?,
        page: folder.join("page.html"),
        node: std::env::var_os("FLIN_BENCH_NODE").map_or_else(PathBuf::new, PathBuf::from),
    };
    let contestant = |name, kind, server| Contestant {
        name,
        kind,
        server,
        places: places.clone(),
    };
    let flin = contestant("flin", Kind::Application, Server::Flin);
    {
        let server = flin.start(&folder.join("page"))?;
        super::load::fill(server.port, super::RECORDS)?;
        std::fs::write(&places.page, get(server.port, "/")?)?;
    }
    let mut all = vec![
        flin,
        contestant("bare hyper, constant", Kind::Constant, Server::Peer(hyper)),
    ];
    all.push(contestant(
        "axum + SQLite, grouped",
        Kind::Application,
        Server::Peer(axum),
    ));
    if places.node.as_os_str().is_empty() {
        eprintln!(
            "Fastify does not take part: FLIN_BENCH_NODE names no folder with it (`cargo xtask bench web` installs it)"
        );
    } else {
        all.push(contestant(
            "Fastify + better-sqlite3",
            Kind::Application,
            Server::Peer(fastify),
        ));
    }
    Ok(all)
}
