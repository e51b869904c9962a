//! The log on stderr. `FLIN_LOG` (such as `debug` or `flin_server=debug`) says how much; by default what matters.

use tracing_subscriber::EnvFilter;

use crate::arguments::LogFormat;

fn filter(default: &str) -> EnvFilter {
    EnvFilter::try_from_env("FLIN_LOG").unwrap_or_else(|_| EnvFilter::new(default))
}

/// Structured lines with time and level, for a server.
pub(crate) fn for_server(format: LogFormat, color: bool) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter("info"))
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(color).init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Short lines, for commands that end.
pub(crate) fn for_people(color: bool, default: &str) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(default))
        .with_writer(std::io::stderr);
    log.with_ansi(color)
        .without_time()
        .with_target(false)
        .init();
}
