//! `flinvm dev`: serves a source and takes over every save of it, in the running server. Here because the time between a
//! thought and seeing it is what a developer has. Must stay true: the data stays open while the program changes; a
//! program that cannot be taken leaves the one before in its place; what is wrong is said once on the terminal and, in
//! the same words, over the open pages.

mod frame;
mod session;
mod sources;
mod watcher;

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use flin_runtime::{Failure, SystemWorld};
use flin_server::{Networked, Server, ServerOptions};

use crate::arguments::Dev;
use crate::fault::{Fault, failure_text};

use crate::serve::told_to_stop;
use crate::{configuration, load, logging};
use session::{Current, Session};
use sources::Sources;
use watcher::Watcher;

/// Serves a source until it is told to stop.
pub(crate) fn dev(wanted: &Dev, color: bool) -> Result<(), Fault> {
    logging::for_developer(color);
    let settings = configuration::of(&wanted.program, &wanted.configured)?;
    let data = PathBuf::from(&settings.serving.data);
    let watcher = Watcher::new(&wanted.program, &data);
    let first = Sources::read(&wanted.program)?;
    // The text of the program that runs, for the places of its failures.
    let running: Arc<Mutex<Sources>> = Arc::new(Mutex::new(first.clone()));
    let explain = {
        let running = Arc::clone(&running);
        move |failure: &Failure| {
            let sources = running.lock().unwrap_or_else(PoisonError::into_inner);
            let frame = |trap: &_| frame::frame(&sources, trap);
            tell!("{}", failure_text(failure, color, &frame));
            failure_text(failure, false, &frame)
        }
    };
    let pages = Arc::new(flin_server::Dev::new(explain));
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let threads =
        threads.map_err(|error| Fault::Server(format!("cannot start threads: {error}")))?;

    let world = Arc::new(Networked::new(
        SystemWorld,
        wanted.network.allow_private_http || settings.serving.allow_private_http,
    ));
    let runtime_options = configuration::of_runtime(&settings, world);
    let current = Current::nothing()?;
    let mut options = ServerOptions::of(&settings, "");
    options.show_errors = true;
    options.dev = Some(Arc::clone(&pages));
    let runtime = current.runtime.clone();
    let current = Arc::new(Mutex::new(current));
    let served = threads.block_on(async {
        let store = Arc::clone(&current);
        let poisoned = move || Current::of(&store).runtime.store().poisoned();
        let stop = told_to_stop(poisoned)?;
        let server = Server::bind(runtime, options).await;
        let server = server.map_err(|error| Fault::Server(error.to_string()))?;
        let address = server.address();
        let mut session = Session {
            wanted: wanted.clone(),
            color,
            pages,
            exchange: server.exchange(),
            threads: tokio::runtime::Handle::current(),
            data,
            runtime_options,
            current: Arc::clone(&current),
            running,
            read: first,
            missing: 0,
            said: None,
        };
        let begun = tokio::task::spawn_blocking(move || {
            session.begin()?;
            let shown = session.wanted.program.display();
            let line = format!("{shown} is served on http://{address} and follows every save");
            // Served all the same where nobody reads stdout.
            if let Err(error) = writeln!(std::io::stdout(), "{line}") {
                tracing::warn!(%error, "{line} (stdout cannot be written)");
            }
            std::thread::spawn(move || session.follow(&watcher));
            Ok::<_, Fault>(())
        });
        let serving = server.run(stop);
        tokio::pin!(serving);
        tokio::select! {
            begun = begun => begun.map_err(|error| Fault::Server(error.to_string()))??,
            () = &mut serving => return Ok(()),
        }
        serving.await;
        Ok(())
    });
    let closed = Current::of(&current).close();
    served?;
    closed
}

/// A program without anything in it: what is served until there is one that compiles.
fn empty() -> Result<load::Loaded, Fault> {
    let compiled = flinc::compile("", "").map_err(|_| Fault::Refused(String::new()))?;
    load::of_module(compiled.module, load::INTERPRETED).map_err(Fault::Server)
}
