//! `/_flin/`: the browser runtime, scripts of pages, health, metrics. Must stay true: nothing here tells anything of the data.

use flin_runtime::json::write_plain_text;
use hyper::StatusCode;
use hyper::header::HeaderMap;

use crate::app::App;
use crate::listen::Connection;
use crate::metrics;
use crate::respond::{Answered, answer, json};

/// Answers a `GET` below `/_flin/`.
pub(crate) fn answer_operations(
    app: &App,
    path: &str,
    headers: &HeaderMap,
    connection: &Connection,
) -> Answered {
    match path {
        "/_flin/health" => health(app, *connection.stopping.borrow()),
        "/_flin/metrics" => answer(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            metrics::text(app, connection.open(app)),
        ),
        path => app.files.answer(path, headers).unwrap_or_else(|| {
            json(
                StatusCode::NOT_FOUND,
                "{\"error\":\"Not found\",\"status\":404}",
            )
        }),
    }
}

fn health(app: &App, stopping: bool) -> Answered {
    let mut body = String::from("{\"live\":true,\"ready\":");
    let poisoned = app.runtime.store().poisoned();
    let ready = poisoned.is_none() && !stopping;
    body.push_str(if ready { "true" } else { "false" });
    body.push_str(",\"build\":");
    write_plain_text(&mut body, &app.options.build);
    body.push_str(&format!(
        ",\"seq\":{},\"uptime_s\":{}}}",
        app.runtime.store().head(),
        app.started.elapsed().as_secs()
    ));
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json(status, body)
}
