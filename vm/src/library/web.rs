//! Requests to other servers, and what programs ask of a response. Here apart because only these bodies wait for the world
//! outside. Must stay true: what is sent is exactly what the program gave (a text as it is, anything else as JSON); an
//! answer with any status is an answer, only its absence is an error.

use super::{LibCall, Ret, json, str_of};
use crate::fault::{Fault, Res};
use crate::host::{HostValue, HttpMethod, HttpProblem, HttpRequest};
use crate::semantics::{convert, print};
use crate::trap::ErrorKind;
use crate::value::{View, Word};

/// `http_get`, `http_delete`: URL, perhaps headers.
pub(super) fn without_body(call: &mut LibCall<'_>, method: HttpMethod) -> Res<Ret> {
    let headers = headers(call, 1)?;
    send(call, method, headers, None)
}

/// `http_post` and its sisters: URL, body, perhaps headers.
pub(super) fn with_body(call: &mut LibCall<'_>, method: HttpMethod) -> Res<Ret> {
    let headers = headers(call, 2)?;
    let value = call.any(1);
    let body = match value.view() {
        View::None => None,
        View::Text(text) => Some((str_of(&text).to_owned(), "text/plain; charset=utf-8")),
        _ => Some((json::written(call.m, value)?, "application/json")),
    };
    send(call, method, headers, body)
}

/// The map at the n-th reference argument, if the row has one.
fn headers(call: &mut LibCall<'_>, n: usize) -> Res<Vec<(String, String)>> {
    if call.m.program.lib(call.lib).refs <= n {
        return Ok(Vec::new());
    }
    let map = call.map(n)?;
    let entries = call.m.heap.map_entries(map)?;
    let mut headers = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        headers.push((
            print::to_string(call.m, name)?,
            print::to_string(call.m, value)?,
        ));
    }
    Ok(headers)
}

/// Whether it can be the address of a web server at all; the host knows more.
fn check_address(url: &str) -> Res<()> {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| lower.starts_with(scheme));
    let why = match scheme {
        None => "it begins with neither http:// nor https://",
        Some(scheme)
            if url[scheme.len()..].starts_with(['/', '?', '#', ':'])
                || url.len() == scheme.len() =>
        {
            "it names no host"
        }
        Some(_) => return Ok(()),
    };
    Err(Fault::new(
        ErrorKind::ArgumentError,
        format!("\"{url}\" is no address of a web server: {why}"),
    ))
}

fn send(
    call: &mut LibCall<'_>,
    method: HttpMethod,
    headers: Vec<(String, String)>,
    body: Option<(String, &'static str)>,
) -> Res<Ret> {
    let url = call.text(0)?;
    check_address(str_of(&url))?;
    let request = HttpRequest {
        method,
        url: str_of(&url).to_owned(),
        headers,
        body,
    };
    let answer = call.host.http(&request).map_err(|problem| match problem {
        HttpProblem::Request(message) => Fault::new(ErrorKind::ArgumentError, message),
        HttpProblem::Network(message) => Fault::new(ErrorKind::NetworkError, message),
        HttpProblem::ReadOnly => Fault::new(
            ErrorKind::StorageError,
            "only http_get may be called while a page is being rendered: send other requests from a handler",
        ),
    })?;
    let response = convert::import(call.m, &HostValue::Response(Box::new(answer)))?;
    match response.view() {
        View::Response(response) => Ok(Ret::Obj(response)),
        found => Err(Fault::expected("a response", found)),
    }
}

fn parts(call: &LibCall<'_>) -> Res<[Word; 4]> {
    match call.any(0).view() {
        View::Response(response) => Ok(response.response_parts()),
        _ => Err(call.wrong(0, "a response")),
    }
}

pub(super) fn ok(call: &mut LibCall<'_>) -> Res<Ret> {
    let [status, ..] = parts(call)?;
    Ok(Ret::Bool(matches!(
        status.view(),
        View::Int(200..=299) | View::None
    )))
}

pub(super) fn json(call: &mut LibCall<'_>) -> Res<Ret> {
    let [_, _, body, _] = parts(call)?;
    match body.view() {
        View::Text(text) => json::read(call.m, str_of(&text)).map(Ret::Any),
        found => Err(Fault::expected("a body of text", found)),
    }
}
