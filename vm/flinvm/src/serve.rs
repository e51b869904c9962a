//! `flinvm serve`: data, top level, workers, port, and the orderly end. Must stay true: the line with the URL is printed
//! when requests are answered, not before; SIGTERM and SIGINT finish what runs and leave a closed log.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flin_runtime::{Entry, Failure, Runtime, SystemWorld};
use flin_server::{Networked, Server, ServerOptions};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Serve;
use crate::fault::Fault;
use crate::opening::How;
use crate::{load, logging, opening, page_key, stats};

/// Serves a program until it is told to stop.
pub(crate) fn serve(wanted: &Serve, color: bool) -> Result<(), Fault> {
    logging::for_server(wanted.log, color);
    let started = Instant::now();
    let loaded = load::load(&wanted.program, wanted.engine, color)?;
    let world = Arc::new(Networked::new(
        SystemWorld,
        wanted.network.allow_private_http,
    ));
    // The handle of data that is only read lives as long as the runtime over it.
    let (runtime, _handle) = if wanted.read_only {
        let (runtime, handle) = opening::open_read_only(&loaded.program, &wanted.data, world)?;
        (runtime, Some(handle))
    } else {
        let how = How::Serving {
            migrate: wanted.migrate,
        };
        let runtime = opening::open(&loaded.program, Some(&wanted.data), how, world)?;
        (runtime, None)
    };
    let served = serve_runtime(wanted, &runtime, loaded.build.clone());
    runtime.stop_workers();
    if wanted.engine.stats {
        stats::print(&loaded, None, started.elapsed());
    }
    let poisoned = runtime.store().poisoned();
    let closed = runtime.store().close();
    // Before whatever it brought about: a start that saves something fails as a program then.
    if let Some(reason) = poisoned {
        return Err(Fault::Disk(format!(
            "the disk failed: {reason}. Start again to recover"
        )));
    }
    served?;
    closed.map_err(|failure| Fault::Disk(failure.to_string()))
}

fn serve_runtime(wanted: &Serve, runtime: &Runtime, build: String) -> Result<(), Fault> {
    match runtime.enter(Entry::Main) {
        Ok(_) => {}
        Err(Failure::Unavailable { message }) if wanted.read_only => {
            tracing::warn!("the top level of the program saves something: {message}");
        }
        Err(failure) => return Err(Fault::Failed(failure)),
    }
    runtime.start_workers();
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let threads =
        threads.map_err(|error| Fault::Server(format!("cannot start threads: {error}")))?;
    let mut options = ServerOptions::new(SocketAddr::new(wanted.host, wanted.port), build);
    options.allow_hosts.clone_from(&wanted.allow_host);
    if !wanted.read_only {
        options.token_key = page_key::of(&wanted.data, &SystemWorld);
    }
    threads.block_on(async {
        let store = runtime.store().clone();
        let stop = told_to_stop(move || store.poisoned())?;
        let server = Server::bind(runtime.clone(), options).await;
        let server = server.map_err(|error| Fault::Server(error.to_string()))?;
        let line = format!(
            "{} is served on http://{}",
            wanted.program.display(),
            server.address()
        );
        // Served all the same where nobody reads stdout.
        if let Err(error) = writeln!(std::io::stdout(), "{line}") {
            tracing::warn!(%error, "{line} (stdout cannot be written)");
        }
        server.run(stop).await;
        Ok(())
    })
}

// SIGTERM, SIGINT, or a disk that failed: then nothing can be saved any more and a fresh start recovers.
pub(crate) fn told_to_stop(
    poisoned: impl Fn() -> Option<Arc<str>>,
) -> Result<impl Future<Output = ()>, Fault> {
    let signals = || {
        Ok::<_, std::io::Error>((
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        ))
    };
    let (mut terminate, mut interrupt) =
        signals().map_err(|error| Fault::Server(format!("cannot listen to signals: {error}")))?;
    Ok(async move {
        let mut look = tokio::time::interval(Duration::from_millis(500));
        loop {
            tokio::select! {
                _ = terminate.recv() => tracing::info!("SIGTERM: finishing what runs"),
                _ = interrupt.recv() => tracing::info!("SIGINT: finishing what runs"),
                _ = look.tick() => match poisoned() {
                    Some(reason) => tracing::error!(%reason, "the disk failed; stopping"),
                    None => continue,
                },
            }
            return;
        }
    })
}
