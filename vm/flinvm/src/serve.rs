//! `flinvm serve`: data, top level, workers, port, and the orderly end. Must stay true: the line with the URL is printed
//! when requests are answered, not before; SIGTERM and SIGINT finish what runs and leave a closed log.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flin_runtime::{Entry, Failure, Runtime, SystemWorld};
use flin_server::settings::Settings;
use flin_server::{Networked, Server, ServerOptions, Tls};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{LogFormat, Serve};
use crate::fault::Fault;
use crate::opening::How;
use crate::{configuration, load, logging, machine, opening, page_key, stats, supervisor};

/// Serves a program until it is told to stop.
pub(crate) fn serve(wanted: &Serve, color: bool) -> Result<(), Fault> {
    let settings = configuration::of(&wanted.program, &wanted.configured)?;
    let log = match (wanted.log, settings.serving.log) {
        (Some(log), _) => log,
        (None, "json") => LogFormat::Json,
        (None, _) => LogFormat::Text,
    };
    logging::for_server(log, color);
    let started = Instant::now();
    let loaded = load::load(&wanted.program, wanted.engine, color)?;
    let world = Arc::new(Networked::new(
        SystemWorld,
        wanted.network.allow_private_http || settings.serving.allow_private_http,
    ));
    let running = configuration::of_runtime(&settings, world);
    let data = Path::new(&settings.serving.data);
    // The handle of data that is only read lives as long as the runtime over it.
    let (runtime, _handle) = if wanted.read_only {
        let (runtime, handle) = opening::open_read_only(&loaded.program, data, running)?;
        (runtime, Some(handle))
    } else {
        let how = How::Serving {
            migrate: wanted.migrate,
        };
        let runtime = opening::open(&loaded.program, Some(data), how, running)?;
        (runtime, None)
    };
    let served = serve_runtime(wanted, &settings, &runtime, loaded.build());
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

fn serve_runtime(
    wanted: &Serve,
    settings: &Settings,
    runtime: &Runtime,
    build: String,
) -> Result<(), Fault> {
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
    let mut options = ServerOptions::of(settings, build);
    leave_descriptors(&mut options);
    if !wanted.read_only {
        options.token_key = page_key::of(Path::new(&settings.serving.data), &SystemWorld);
    }
    options.tls = tls(wanted, settings)?;
    let scheme = if options.tls.is_some() {
        "https"
    } else {
        "http"
    };
    threads.block_on(async {
        let store = runtime.store().clone();
        let stop = told_to_stop(move || store.poisoned())?;
        let server = match supervisor::listener().map_err(Fault::Server)? {
            Some(listener) => Server::bind_on(listener, runtime.clone(), options),
            None => Server::bind(runtime.clone(), options).await,
        };
        let server = server.map_err(|error| Fault::Server(error.to_string()))?;
        let line = format!(
            "{} is served on {scheme}://{}",
            wanted.program.display(),
            server.address()
        );
        // Served all the same where nobody reads stdout.
        if let Err(error) = writeln!(std::io::stdout(), "{line}") {
            tracing::warn!(%error, "{line} (stdout cannot be written)");
        }
        supervisor::tell("READY=1");
        server.run(stop).await;
        Ok(())
    })
}

/// File descriptors that are not for connections: files of the store, requests to other servers, and room to turn somebody away.
const DESCRIPTORS_KEPT: usize = 64;

// Connections must not take what the store needs to write; who has none left can only be turned away while there is one more.
fn leave_descriptors(options: &mut ServerOptions) {
    let Some(free) = machine::free_descriptors() else {
        return;
    };
    let room = free.saturating_sub(DESCRIPTORS_KEPT).max(1);
    let wanted = &mut options.limits.connections_max;
    if *wanted > room {
        tracing::warn!(
            "limits.connections is {wanted}, but this process may open only {free} more file descriptors: \
             {room} connections are taken at a time (raise it with `ulimit -n` or LimitNOFILE)"
        );
        *wanted = room;
    }
}

// Certificates and key, from the command line or from the settings.
fn tls(wanted: &Serve, settings: &Settings) -> Result<Option<Tls>, Fault> {
    let path = |given: &Option<PathBuf>, set: &str| {
        let set = (!set.is_empty()).then(|| PathBuf::from(set));
        given.clone().or(set)
    };
    let certificates = path(&wanted.tls_cert, &settings.serving.tls_cert);
    let key = path(&wanted.tls_key, &settings.serving.tls_key);
    let (certificates, key) = match (certificates, key) {
        (Some(certificates), Some(key)) => (certificates, key),
        (None, None) => return Ok(None),
        (Some(_), None) | (None, Some(_)) => {
            let message =
                "TLS needs both --tls-cert and --tls-key (or tls_cert and tls_key in flin.config)";
            return Err(Fault::Usage(message.to_owned()));
        }
    };
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| Fault::Unreadable {
            path: path.to_owned(),
            source,
        })
    };
    let tls = Tls::of_pem(&read(&certificates)?, &read(&key)?);
    tls.map(Some)
        .map_err(|reason| Fault::Usage(format!("TLS: {reason}")))
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
            supervisor::tell("STOPPING=1");
            return;
        }
    })
}
