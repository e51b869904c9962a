//! The command line. Must stay true: every option is listed by `--help` with one sentence; what is not understood is
//! refused with exit code 2 (clap does that).

use std::io::IsTerminal;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::database::DatabaseCommand;

/// The FLIN runtime: serves and runs compiled programs, and looks after their data.
#[derive(Debug, Parser)]
#[command(name = "flinvm", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Color in messages
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When messages are colored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Yes
    Always,
    /// No
    Never,
}

impl Color {
    pub(crate) fn is_on(self) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::io::stderr().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            }
        }
    }
}

// What belongs to a command is put together only for this one.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Serve a program over HTTP
    Serve(Serve),
    /// Serve a source while it is being written: every save is in the open pages at once
    #[cfg(feature = "dev")]
    Dev(Dev),
    /// Run the top level of a program once
    Run(Run),
    /// Run the `test` blocks of a program
    Test(Test),
    /// Look after the data: check, count, export, import, back up, restore
    Db {
        #[command(subcommand)]
        command: DatabaseCommand,
    },
}

#[derive(Debug, Args)]
#[command(after_long_help = flin_server::settings::help())]
pub(crate) struct Serve {
    /// Compiled program (.fbc), or its source (.flin)
    pub(crate) program: PathBuf,
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// Only read the data: works on damaged data (the state before the damage), on a directory that cannot be written, and
    /// beside a running server (the state at the start); whoever saves something is told
    #[arg(long, conflicts_with = "migrate")]
    pub(crate) read_only: bool,
    /// Agree to changes of the entities that give data up (see `flinvm db migrate`)
    #[arg(long)]
    pub(crate) migrate: bool,
    /// Form of the log on stderr (text)
    #[arg(long, value_enum)]
    pub(crate) log: Option<LogFormat>,
    /// Answer https: file with the certificates, the server's own first (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// File with the private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) engine: Engine,
}

/// What stands in flin.config, too; the command line wins.
#[derive(Clone, Debug, Args)]
pub(crate) struct Configured {
    /// File with settings, instead of flin.config beside the program
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// One setting, as in flin.config (may be given several times; --help lists them)
    #[arg(long, value_name = "SECTION.NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Address to listen on: an IP address, or localhost (127.0.0.1)
    #[arg(long, value_parser = listen_address)]
    pub(crate) host: Option<IpAddr>,
    /// Port to listen on; 0 takes a free one (3000)
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Directory of the data (.flindb)
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Answer for this host name too (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
}

/// What programs may reach.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Network {
    /// Let `http_get` and its sisters ask servers on this machine and in private networks too
    #[arg(long)]
    pub(crate) allow_private_http: bool,
}

#[cfg(feature = "dev")]
#[derive(Clone, Debug, Args)]
#[command(after_long_help = flin_server::settings::help())]
pub(crate) struct Dev {
    /// Source (.flin), or the folder of a project
    pub(crate) program: PathBuf,
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// Agree to changes of the entities that give data up, with each save
    #[arg(long)]
    pub(crate) migrate: bool,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) engine: Engine,
}

/// How the code of a program is executed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Engine {
    /// When functions are compiled to machine code
    #[arg(long, value_enum, default_value_t = Jit::Auto)]
    pub(crate) jit: Jit,
    /// Translate each operation to machine code by itself: slower, to find out what is wrong
    #[arg(long)]
    pub(crate) jit_plain: bool,
    /// Say on stderr at the end what it took: times, calls and loop turns, memory, machine code (counting takes some time)
    #[arg(long)]
    pub(crate) stats: bool,
}

/// When functions are compiled to machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Jit {
    /// Never
    Off,
    /// When they are hot, at once: every run does the same
    Sync,
    /// Before their first call
    Eager,
    /// When they are hot, big ones beside the running program
    Auto,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Compiled program (.fbc), or its source (.flin)
    pub(crate) program: PathBuf,
    /// Directory of the data; without it records live in memory only
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Agree to changes of the entities that give data up (see `flinvm db migrate`)
    #[arg(long, requires = "data")]
    pub(crate) migrate: bool,
    /// Do not run: print the code of the functions of this name, as the compiler of machine code sees it: entered by calls, and
    /// by each loop that is already turning
    #[arg(long, value_name = "NAME")]
    pub(crate) dump_clif: Option<String>,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) engine: Engine,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Compiled program (.fbc), or its source (.flin)
    pub(crate) program: PathBuf,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
    pub(crate) engine: Engine,
}

// Names are not looked up: what a server listens on must not depend on the network.
fn listen_address(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    }
    text.parse()
        .map_err(|_| "expected an IP address such as 127.0.0.1 or 0.0.0.0, or localhost".to_owned())
}
