//! Request bodies: read within their limits, then understood by their content type. Must stay true: a body that is too
//! big is refused before it is read, where its length is told, and never held beyond the limit.

use bytes::{Bytes, BytesMut};
use flin_runtime::json::{Json, JsonError};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap};

use crate::options::ServerLimits;
use crate::respond::{Answered, closing, text};

/// What a body claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Nothing is said.
    Unnamed,
    /// Plain text.
    Text,
    /// Something else.
    Other,
}

impl BodyKind {
    /// By the content type, in any case and with any parameters.
    pub(crate) fn of(headers: &HeaderMap) -> BodyKind {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return BodyKind::Unnamed;
        };
        let value = value.to_str().unwrap_or_default();
        let kind = value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match kind.as_str() {
            "application/json" => BodyKind::Json,
            kind if kind.starts_with("application/") && kind.ends_with("+json") => BodyKind::Json,
            "application/x-www-form-urlencoded" => BodyKind::Form,
            "text/plain" => BodyKind::Text,
            _ => BodyKind::Other,
        }
    }
}

/// Reads the whole body, or says why not.
pub(crate) async fn read(body: Incoming, limits: &ServerLimits) -> Result<Bytes, Answered> {
    let too_big = || {
        let message = format!("the body is bigger than {} bytes", limits.body_bytes_max);
        closing(text(StatusCode::PAYLOAD_TOO_LARGE, &message))
    };
    if body.size_hint().lower() > limits.body_bytes_max as u64 {
        return Err(too_big());
    }
    match tokio::time::timeout(limits.body_time, collect(body, limits.body_bytes_max)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(too_big()),
        Ok(Err(_)) => Err(closing(text(
            StatusCode::BAD_REQUEST,
            "the body of the request is broken",
        ))),
        Err(_) => Err(closing(text(
            StatusCode::REQUEST_TIMEOUT,
            "the body took too long to arrive",
        ))),
    }
}

// None if there is more than `bytes_max`.
async fn collect(mut body: Incoming, bytes_max: usize) -> Result<Option<Bytes>, hyper::Error> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if whole.len() + data.len() > bytes_max {
            return Ok(None);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Some(whole.freeze()))
}

/// Pairs of a form body or a query string.
pub(crate) fn form_pairs(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes).into_owned().collect()
}

/// JSON of a body.
pub(crate) fn json(bytes: &[u8]) -> Result<Json, JsonError> {
    Json::parse(bytes)
}
