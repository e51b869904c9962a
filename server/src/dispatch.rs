//! From a request to whoever answers it. Must stay true: the checks of `guard` come before everything else, for every
//! path alike; what is not found says so without naming anything of the program.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, HOST, HeaderMap, HeaderValue, RANGE, STRICT_TRANSPORT_SECURITY,
    TRANSFER_ENCODING,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode, Uri, Version};

use crate::app::App;
use crate::context::{Context, Kind, Known, asks_for};
use crate::document::error_document;
use crate::fault::Fault;
use crate::guard::{Host, Refusal, check_form, check_host, check_origin, decode_path};
use crate::listen::Connection;
use crate::options::LoggedRequests;
use crate::respond::{Answered, closing, empty, html, json, see, text};
use crate::{actions, compress, context, feed, forwarded, operations, pages, routes};

/// A request that passed the first checks.
pub(crate) struct Asked {
    pub(crate) parts: Parts,
    pub(crate) host: Host,
    /// Decoded once.
    pub(crate) path: String,
    pub(crate) connection: Connection,
}

/// Answers a request.
pub(crate) async fn dispatch(
    app: &Arc<App>,
    request: Request<Incoming>,
    connection: Connection,
) -> Answered {
    let context = Context::new();
    let (method, url, started) = (
        request.method().clone(),
        request.uri().clone(),
        Instant::now(),
    );
    let answering = app
        .runtime
        .sheltered("request", answer(app, request, connection));
    let response = context::within(Arc::clone(&context), answering).await;
    // Nobody knows what of the request is read: nothing more is taken from its connection.
    let response = response.unwrap_or_else(|panic| {
        let fault = Fault::of_route(&panic, app.options.show_errors);
        closing(json(fault.status, fault.route_json()))
    });
    let (status, took) = (response.status(), started.elapsed());
    let known = context.known();
    app.metrics.answered(known.kind, status.as_u16(), took);
    log(app, &context, known, (&method, &url), (status, took));
    response
}

// One line for a request, at the level that its kind and its end deserve.
fn log(
    app: &App,
    context: &Context,
    known: Known,
    (method, url): (&Method, &Uri),
    (status, took): (StatusCode, Duration),
) {
    let failed = status.is_client_error() || status.is_server_error();
    let told = match app.options.logged {
        LoggedRequests::All => true,
        LoggedRequests::Changes => failed || changes_something(method),
        LoggedRequests::Failed => failed,
    };
    if !told && !tracing::enabled!(target: "flin::request", tracing::Level::DEBUG) {
        return;
    }
    let Known { kind, route, usage } = known;
    let (id, kind, status) = (context.id(), kind.name(), status.as_u16());
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    // Without its query, which may hold what is nobody's business.
    let (path, fuel, memory) = (url.path(), usage.fuel, usage.memory_bytes);
    let (reads, writes) = (usage.operations.reads, usage.operations.writes);
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "flin::request",
                id, kind, %method, path, route, status, took_us, fuel, memory, reads, writes,
                "answered"
            )
        };
    }
    if told {
        line!(info);
    } else {
        line!(debug);
    }
}

async fn answer(
    app: &Arc<App>,
    request: Request<Incoming>,
    mut connection: Connection,
) -> Answered {
    let (mut parts, body) = request.into_parts();
    // A developer's browser is on the same machine, and everything that it asks for is new.
    if app.options.dev.is_some() {
        parts.headers.remove(ACCEPT_ENCODING);
    }
    let trusted = &app.options.trusted_proxies;
    (connection.remote, connection.secure) = forwarded::settle(
        &mut parts.headers,
        connection.remote,
        connection.secure,
        trusted,
    );
    let secure = connection.secure;
    let encoding = compress::accepted(&parts.headers);
    app.options.planted.here(parts.uri.path());
    // With both lengths told, hyper goes by the chunks and forgets the other; whatever stands before us may have gone by
    // the other one. So nothing more is taken from such a connection.
    let chunked = parts.headers.contains_key(TRANSFER_ENCODING);
    let response = match first_checks(app, &mut parts, &connection) {
        Ok((host, path)) => {
            let asked = Asked {
                parts,
                host,
                path,
                connection,
            };
            choose(app, asked, body).await
        }
        Err((status, message)) => closing(text(status, &message)),
    };
    let mut response = compress::pack(response, encoding).await;
    if secure {
        // Whoever came by https once comes by nothing else for a year.
        let year = HeaderValue::from_static("max-age=31536000");
        response
            .headers_mut()
            .insert(STRICT_TRANSPORT_SECURITY, year);
    }
    if chunked { closing(response) } else { response }
}

fn first_checks(
    app: &App,
    parts: &mut Parts,
    connection: &Connection,
) -> Result<(Host, String), Refusal> {
    if parts.version == Version::HTTP_2 {
        name_host(parts);
    }
    check_form(parts)?;
    let host = check_host(
        &parts.headers,
        &parts.uri,
        connection.local,
        &app.options.allow_hosts,
    )?;
    let path = if asks_of_all(parts) {
        ALL.to_owned()
    } else {
        decode_path(&parts.uri)?
    };
    if changes_something(&parts.method) {
        check_origin(&parts.headers, &host)?;
    }
    Ok((host, path))
}

/// What `OPTIONS *` asks of: the server, and no path of it (RFC 9110, 9.3.7).
const ALL: &str = "*";

fn asks_of_all(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.uri.path() == ALL
}

// HTTP/2 names the host in the request line; a `Host` beside it must be the same, which is checked with it.
fn name_host(parts: &mut Parts) {
    let named = parts.uri.authority().map(|authority| authority.as_str());
    if let (Some(named), false) = (named, parts.headers.contains_key(HOST))
        && let Ok(host) = HeaderValue::from_str(named)
    {
        parts.headers.insert(HOST, host);
    }
}

fn changes_something(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

async fn choose(app: &Arc<App>, mut asked: Asked, body: Incoming) -> Answered {
    if asked.parts.method == Method::HEAD {
        // Parts can only be had by `GET`.
        asked.parts.headers.remove(RANGE);
    }
    let Some(dev) = &app.options.dev else {
        return choose_of_program(app, asked, body).await;
    };
    match dev.answer(&mut asked) {
        Some(answered) => answered,
        None => dev.mark(choose_of_program(app, asked, body).await).await,
    }
}

async fn choose_of_program(app: &Arc<App>, asked: Asked, body: Incoming) -> Answered {
    let method = &asked.parts.method;
    let get = matches!(*method, Method::GET | Method::HEAD);
    match asked.path.as_str() {
        ALL => return options("GET, HEAD, OPTIONS, POST"),
        "/_action" if *method == Method::POST => {
            asks_for(Kind::Action, "/_action");
            return actions::act(app, &asked, body).await;
        }
        "/_render" if *method == Method::POST => {
            asks_for(Kind::Render, "/_render");
            return actions::render(app, &asked, body).await;
        }
        "/_action" | "/_render" => return wrong_method("POST"),
        "/_ws" if *method == Method::GET => {
            asks_for(Kind::Live, "/_ws");
            return feed::open(app, asked);
        }
        "/_events" if *method == Method::GET => {
            asks_for(Kind::Live, "/_events");
            return feed::stream_events(app, &asked);
        }
        "/_ws" | "/_events" => return wrong_method("GET"),
        path if path.starts_with("/_flin/") => {
            asks_for(Kind::Operations, path);
            return if get {
                operations::answer_operations(app, path, &asked.parts.headers, &asked.connection)
            } else {
                wrong_method("GET, HEAD")
            };
        }
        _ => {}
    }
    if get && let Some(file) = app.files.answer(&asked.path, &asked.parts.headers) {
        asks_for(Kind::File, "");
        return file;
    }
    let Some(found) = app.paths.find(&asked.path) else {
        // Browsers ask for it by themselves; an error would only clutter their consoles.
        if get && asked.path == "/favicon.ico" {
            return empty(StatusCode::NO_CONTENT);
        }
        return not_found(app, &asked);
    };
    if let (true, Some(visit)) = (get, found.visit(&asked.path)) {
        asks_for(Kind::Page, &app.module().pages[visit.page].path);
        return pages::show(app, &visit, &asked.parts).await;
    }
    let direct = found.route(method.as_str());
    let route = direct.or_else(|| {
        if *method == Method::HEAD {
            found.route("GET")
        } else {
            None
        }
    });
    match route {
        Some((route, params)) => {
            asks_for(Kind::Route, &app.module().routes[route].path);
            routes::run(app, route, params, asked, body).await
        }
        None if *method == Method::OPTIONS => options(&found.methods()),
        None => wrong_method(&found.methods()),
    }
}

fn options(allowed: &str) -> Answered {
    let mut response = empty(StatusCode::NO_CONTENT);
    if let Ok(methods) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, methods);
    }
    response
}

fn wrong_method(allowed: &str) -> Answered {
    let body =
        format!("{{\"error\":\"Method not allowed\",\"status\":405,\"allow\":\"{allowed}\"}}");
    let mut response = json(StatusCode::METHOD_NOT_ALLOWED, body);
    if let Ok(methods) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, methods);
    }
    response
}

fn not_found(app: &App, asked: &Asked) -> Answered {
    // `/books/` where `/books` is meant.
    let shorter = asked
        .parts
        .uri
        .path()
        .strip_suffix('/')
        .filter(|path| path.starts_with('/') && !path.starts_with("//"));
    if let (Some(shorter), Some(decoded)) = (shorter, asked.path.strip_suffix('/'))
        && app.paths.find(decoded).is_some()
    {
        let query = asked
            .parts
            .uri
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        return see(StatusCode::PERMANENT_REDIRECT, &format!("{shorter}{query}"));
    }
    if wants_html(&asked.parts.headers) {
        return html(
            StatusCode::NOT_FOUND,
            error_document("Not found", "There is no page at this address.", None),
        );
    }
    json(
        StatusCode::NOT_FOUND,
        "{\"error\":\"Not found\",\"status\":404}",
    )
}

/// Whether a person looks at the answer: browsers ask for HTML by name, programs do not.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
}
