//! Routes: what the program sees of a request and what it answers. Must stay true: a body that is not valid JSON never
//! reaches the program; headers that the program sets cannot break the answer or take away its protection.

use std::collections::HashSet;
use std::sync::Arc;

use flin_runtime::vm::{ErrorKind, HostValue, READ_ONLY_RULE};
use flin_runtime::{
    Entry, Failure, Outcome, RouteBody, RouteOutcome, RouteRequest, plain_json, plain_value,
};
use hyper::body::Incoming;
use hyper::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use crate::app::App;
use crate::body::{self, BodyKind};
use crate::dispatch::Asked;
use crate::fault::Fault;
use crate::guard::is_same_origin;
use crate::respond::{Answered, answer, empty, json, location, retry_soon};

/// Runs a route and answers what it gave.
pub(crate) async fn run(
    app: &Arc<App>,
    route: usize,
    params: Vec<(String, String)>,
    asked: Asked,
    incoming: Incoming,
) -> Answered {
    let headers = &asked.parts.headers;
    let bytes = match body::read(incoming, &app.options.limits).await {
        Ok(bytes) => bytes,
        Err(refused) => return refused,
    };
    let Ok(body) = body_value(&asked.parts.method, headers, &bytes) else {
        return json(
            StatusCode::BAD_REQUEST,
            "{\"error\":\"Invalid JSON in request body\",\"status\":400}",
        );
    };
    let uri = &asked.parts.uri;
    // A page of another site can make a browser send a GET; it must not be able to change anything by it.
    let read_only = matches!(asked.parts.method, Method::GET | Method::HEAD)
        && !is_same_origin(headers, &asked.host);
    let request = RouteRequest {
        params,
        query: body::form_pairs(uri.query().unwrap_or_default().as_bytes()),
        body,
        headers: header_pairs(headers),
        cookies: cookies(headers),
        method: asked.parts.method.as_str().to_owned(),
        path: uri.path().to_owned(),
        url: uri
            .path_and_query()
            .map_or_else(|| uri.path().to_owned(), ToString::to_string),
        remote: asked.connection.remote.ip().to_string(),
    };
    match app
        .enter(Entry::Route {
            route,
            request: Box::new(request),
            read_only,
        })
        .await
    {
        Ok(Outcome::Route(outcome)) => response_of(app, outcome),
        Ok(Outcome::Page(_) | Outcome::Action(_) | Outcome::Done(_)) => {
            unreachable!("a route entry gives a route")
        }
        Err(failure) if read_only && wanted_to_write(&failure) => json(
            StatusCode::FORBIDDEN,
            "{\"error\":\"a request that another site makes a browser send can only read\",\"status\":403}",
        ),
        Err(failure) => {
            let fault = Fault::of_route(&failure, app.options.show_errors);
            let response = json(fault.status, fault.route_json());
            if fault.status == StatusCode::SERVICE_UNAVAILABLE {
                retry_soon(response)
            } else {
                response
            }
        }
    }
}

fn body_value(method: &Method, headers: &HeaderMap, bytes: &[u8]) -> Result<HostValue, ()> {
    if bytes.is_empty() {
        // Where something is expected, nothing is an object without entries: a required field is then what is missing.
        let expected = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
        return Ok(if expected {
            HostValue::Map(Vec::new())
        } else {
            HostValue::None
        });
    }
    let as_text = || {
        String::from_utf8(bytes.to_vec())
            .map(HostValue::Text)
            .map_err(|_| ())
    };
    match BodyKind::of(headers) {
        BodyKind::Json => body::json(bytes).map(plain_value).map_err(|_| ()),
        // Nothing is said about it: JSON if it is, else text.
        BodyKind::Unnamed => body::json(bytes).map(plain_value).or_else(|_| as_text()),
        BodyKind::Form => {
            // The last one of a name counts.
            let mut seen = HashSet::new();
            let mut fields: Vec<(String, HostValue)> = Vec::new();
            for (name, value) in body::form_pairs(bytes).into_iter().rev() {
                if seen.insert(name.clone()) {
                    fields.push((name, HostValue::Text(value)));
                }
            }
            fields.reverse();
            Ok(HostValue::Map(fields))
        }
        BodyKind::Text | BodyKind::Other => as_text(),
    }
}

fn wanted_to_write(failure: &Failure) -> bool {
    matches!(failure, Failure::Trap(trap) if trap.kind == ErrorKind::StorageError && trap.rule.as_deref() == Some(READ_ONLY_RULE))
}

fn header_pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match pairs.iter_mut().find(|(known, _)| known == name.as_str()) {
            Some((_, values)) => {
                values.push_str(", ");
                values.push_str(&value);
            }
            None => pairs.push((name.as_str().to_owned(), value)),
        }
    }
    pairs
}

fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

/// Headers that are the server's own business.
const NOT_THE_PROGRAMS: [&str; 6] = [
    "connection",
    "content-length",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
    "date",
];

fn response_of(app: &App, outcome: RouteOutcome) -> Answered {
    let status = StatusCode::from_u16(outcome.status)
        .ok()
        .filter(|status| status.as_u16() >= 200);
    let Some(status) = status else {
        tracing::error!(
            status = outcome.status,
            "a route answered with a status that does not exist"
        );
        return json(
            StatusCode::INTERNAL_SERVER_ERROR,
            "{\"error\":\"Internal server error\",\"status\":500}",
        );
    };
    let mut response = match outcome.body {
        RouteBody::Empty => empty(status),
        RouteBody::Value(value) => json(status, plain_json(app.module(), &value)),
        RouteBody::Text(text) => answer(status, "text/plain; charset=utf-8", text),
    };
    for (name, text) in outcome.headers {
        let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(text.as_str()),
        ) else {
            tracing::warn!(
                name,
                "a route set a header that is not valid; it was left out"
            );
            continue;
        };
        if NOT_THE_PROGRAMS.contains(&name.as_str()) {
            tracing::warn!(%name, "a route set a header that is the server's own business; it was left out");
        } else if name == hyper::header::LOCATION {
            if let Some(value) = location(&text) {
                response.headers_mut().insert(name, value);
            }
        } else if name == hyper::header::SET_COOKIE {
            response.headers_mut().append(name, value);
        } else {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
