//! Answers and the headers every one of them carries. Must stay true: there is no answer without the security headers,
//! and none is cached by accident.

use bytes::Bytes;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::payload::Payload;

/// An answer before it is paced.
pub(crate) type Answered = Response<Payload>;

const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; \
    media-src 'self' https:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

const ALWAYS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// An answer with a body of a content type.
pub(crate) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Answered {
    let mut response = empty(status);
    *response.body_mut() = Payload::whole(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answered {
    let mut response = Response::new(Payload::default());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Answered {
    answer(status, "application/json", body)
}

/// One line of text.
pub(crate) fn text(status: StatusCode, line: &str) -> Answered {
    answer(status, "text/plain; charset=utf-8", format!("{line}\n"))
}

/// A document.
pub(crate) fn html(status: StatusCode, document: impl Into<Bytes>) -> Answered {
    answer(status, "text/html; charset=utf-8", document)
}

/// Sends the client elsewhere on this server.
pub(crate) fn see(status: StatusCode, path: &str) -> Answered {
    let mut response = empty(status);
    if let Some(value) = location(path) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// Programs write addresses as people read them; on the wire they are ASCII without blanks. None if it has control
/// characters, which would end the header.
pub(crate) fn location(address: &str) -> Option<HeaderValue> {
    const NOT_IN_ADDRESSES: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');
    if address.chars().any(char::is_control) {
        return None;
    }
    let address = utf8_percent_encode(address, NOT_IN_ADDRESSES);
    HeaderValue::try_from(address.to_string()).ok()
}

/// The same answer, and the connection ends after it: the rest of the request is not read.
pub(crate) fn closing(mut response: Answered) -> Answered {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Asks to try again soon.
pub(crate) fn retry_soon(mut response: Answered) -> Answered {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Text inside HTML, in element content and in quoted attributes.
pub(crate) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            ch => out.push(ch),
        }
    }
    out
}
