//! The handshake of a WebSocket (RFC 6455, 4.2). Must stay true: whoever asks is of this site, and says all that belongs to
//! a handshake, exactly once.

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{StatusCode, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::dispatch::Asked;
use crate::guard::check_origin;
use crate::listen::Connection;
use crate::respond::{Answered, empty, text};

/// A connection that becomes a WebSocket as soon as its handshake is answered.
pub(crate) struct Upgrade {
    pub(crate) to: OnUpgrade,
    pub(crate) connection: Connection,
}

/// Checks a handshake and gives the answer to it; whoever asks must be of this site.
pub(crate) fn accept(asked: &mut Asked) -> Result<(Upgrade, Answered), Box<Answered>> {
    if let Err((status, message)) = check_origin(&asked.parts.headers, &asked.host) {
        return Err(Box::new(text(status, &message)));
    }
    let key = check_handshake(&asked.parts.headers, asked.parts.version)?;
    let Some(to) = asked.parts.extensions.remove::<OnUpgrade>() else {
        return Err(Box::new(text(
            StatusCode::BAD_REQUEST,
            "this connection cannot become a WebSocket",
        )));
    };
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.clear();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    let connection = asked.connection.clone();
    Ok((Upgrade { to, connection }, response))
}

// RFC 6455, 4.2.1; gives the client's key.
fn check_handshake(headers: &HeaderMap, http: Version) -> Result<String, Box<Answered>> {
    let one = |name: header::HeaderName| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().and_then(|value| value.to_str().ok());
        value.filter(|_| values.next().is_none())
    };
    let has = |name: header::HeaderName, token: &str| {
        let mut values = headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok());
        values.any(|value| {
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(token))
        })
    };
    let version = one(header::SEC_WEBSOCKET_VERSION).map(str::trim);
    if !has(header::UPGRADE, "websocket") || version != Some("13") {
        let mut response = text(
            StatusCode::UPGRADE_REQUIRED,
            "expected a WebSocket handshake, version 13",
        );
        response.headers_mut().insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
        response
            .headers_mut()
            .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return Err(Box::new(response));
    }
    let key = one(header::SEC_WEBSOCKET_KEY)
        .map(str::trim)
        .filter(|key| is_key(key));
    match key {
        Some(key) if http == Version::HTTP_11 && has(header::CONNECTION, "upgrade") => {
            Ok(key.to_owned())
        }
        Some(_) | None => Err(Box::new(text(
            StatusCode::BAD_REQUEST,
            "expected a complete WebSocket handshake with a key of 16 bytes",
        ))),
    }
}

// Base64 of 16 bytes: 22 digits, of which the last carries four zero bits, and two signs of padding.
fn is_key(key: &str) -> bool {
    let Some(digits) = key.strip_suffix("==") else {
        return false;
    };
    let digit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    digits.len() == 22 && digits.bytes().all(digit) && digits.ends_with(['A', 'Q', 'g', 'w'])
}
