//! The program `flinvm`: command line and wiring, nothing else. Must stay true: results go to stdout, messages and logs to
//! stderr; the exit code says who is at fault (0 fine, 1 program or data, 2 usage or an unreadable file, 75 the disk).
#![forbid(unsafe_code)]
// Printing to a stderr that nobody reads any more must not end anything: `tell!`.
#![deny(clippy::print_stderr)]

#[macro_use]
mod logging;

mod arguments;
mod configuration;
mod database;
#[cfg(feature = "dev")]
mod dev;
mod fault;
mod load;
mod machine;
mod opening;
mod output;
mod page_key;
#[cfg(feature = "dev")]
mod project;
mod run;
mod serve;
mod stats;
mod supervisor;
mod tests;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let color = arguments.color.is_on();
    let done = match arguments.command {
        Command::Serve(wanted) => serve::serve(&wanted, color),
        #[cfg(feature = "dev")]
        Command::Dev(wanted) => dev::dev(&wanted, color),
        Command::Run(wanted) => run::run(&wanted, color),
        Command::Test(wanted) => tests::run_tests(&wanted, color),
        Command::Db { command } => database::run(&command, color),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            fault.print(color);
            ExitCode::from(fault.exit_code())
        }
    }
}
