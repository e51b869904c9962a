//! `/_flin/`: the browser runtime, scripts of pages, health, metrics. Must stay true: nothing here tells anything of the data.

use std::sync::atomic::{AtomicU64, Ordering};

use flin_runtime::json::write_plain_text;
use hyper::StatusCode;
use hyper::header::HeaderMap;

use crate::app::App;
use crate::respond::{Answered, answer, json};

/// Answers a `GET` below `/_flin/`.
pub(crate) fn answer_operations(app: &App, path: &str, headers: &HeaderMap) -> Answered {
    match path {
        "/_flin/health" => health(app),
        "/_flin/metrics" => answer(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            metrics(app),
        ),
        path => app.files.answer(path, headers).unwrap_or_else(|| {
            json(
                StatusCode::NOT_FOUND,
                "{\"error\":\"Not found\",\"status\":404}",
            )
        }),
    }
}

fn health(app: &App) -> Answered {
    let mut body = String::from("{\"live\":true,\"ready\":");
    let poisoned = app.runtime.store().poisoned();
    body.push_str(if poisoned.is_none() { "true" } else { "false" });
    body.push_str(",\"build\":");
    write_plain_text(&mut body, &app.options.build);
    body.push_str(&format!(
        ",\"seq\":{},\"uptime_s\":{}}}",
        app.runtime.store().head(),
        app.started.elapsed().as_secs()
    ));
    let status = if poisoned.is_none() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json(status, body)
}

fn metrics(app: &App) -> String {
    let counters = app.runtime.counters();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let lines = [
        (
            "flin_entries_total",
            "Pages, actions and routes that ran",
            count(&counters.entries),
        ),
        (
            "flin_clashes_total",
            "Runs repeated because of another commit",
            count(&counters.clashes),
        ),
        (
            "vm_panics_total",
            "Panics caught inside the runtime",
            count(&counters.panics),
        ),
        (
            "flin_refused_total",
            "Requests refused because all workers were busy",
            count(&counters.refused),
        ),
        (
            "flin_abandoned_total",
            "Requests not begun because their clients were gone",
            count(&counters.abandoned),
        ),
        (
            "flin_commit_seq",
            "Number of the newest commit",
            app.runtime.store().head().0,
        ),
        (
            "flin_views_watched",
            "Different views that clients watch",
            app.live.watched() as u64,
        ),
        (
            "flin_view_renders_total",
            "Views rendered for those who watch them",
            count(&app.live.renders),
        ),
        (
            "flin_view_messages_total",
            "Messages about views that were written; each goes to all who are where it starts",
            count(&app.live.messages),
        ),
        (
            "flin_sockets",
            "Open live sockets",
            app.hub.sockets() as u64,
        ),
    ];
    let mut out = String::new();
    for (name, help, value) in lines {
        let kind = if name.ends_with("_total") {
            "counter"
        } else {
            "gauge"
        };
        out.push_str(&format!(
            "# HELP {name} {help}.\n# TYPE {name} {kind}\n{name} {value}\n"
        ));
    }
    out
}
