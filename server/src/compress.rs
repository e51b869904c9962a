//! Compression of answers: brotli or gzip, as the client takes it. Must stay true: only what gets smaller is compressed; an answer that
//! could have been compressed says so to caches; long ones do not hold up other connections.

use std::io::Write;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH, VARY,
};

use crate::payload::Payload;
use crate::respond::Answered;

/// Below this an answer fits into one packet anyway.
const BYTES_MIN: usize = 1 << 10;
/// A longer one is compressed on a thread of its own.
const AT_ONCE_MAX: usize = 64 << 10;

/// A way to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `br`
    Brotli,
    /// `gzip`
    Gzip,
}

/// How much work it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For each answer anew.
    Each,
    /// Once, for all who ask.
    Once,
}

impl Encoding {
    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        })
    }
}

/// The best way that the client takes.
pub(crate) fn accepted(headers: &HeaderMap) -> Option<Encoding> {
    let mut best = None;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for part in value.to_str().unwrap_or_default().split(',') {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            let refused = parameters.trim().strip_prefix("q=").map(str::trim);
            if refused.is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)) {
                continue;
            }
            match name.trim().to_ascii_lowercase().as_str() {
                "br" => best = Some(Encoding::Brotli),
                "gzip" if best.is_none() => best = Some(Encoding::Gzip),
                _ => {}
            }
        }
    }
    best
}

/// Whether content of this type and length gets smaller.
pub(crate) fn is_worth_it(kind: &HeaderValue, bytes: usize) -> bool {
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let packs = kind.starts_with("text/") && kind != "text/event-stream"
        || ["json", "xml", "javascript", "wasm"]
            .iter()
            .any(|name| kind.ends_with(name));
    packs && bytes >= BYTES_MIN
}

/// Up to this size the best that brotli can do takes no time that a visitor notices.
const BEST_BYTES_MAX: usize = 64 << 10;

/// Compresses.
pub(crate) fn compressed(encoding: Encoding, effort: Effort, bytes: &[u8]) -> Bytes {
    let out = Vec::with_capacity(bytes.len() / 3);
    let written = match encoding {
        Encoding::Brotli => {
            let quality = match effort {
                Effort::Each => 4,
                Effort::Once if bytes.len() > BEST_BYTES_MAX => 9,
                Effort::Once => 11,
            };
            let mut packer = brotli::CompressorWriter::new(out, 16 << 10, quality, 20);
            packer.write_all(bytes).map(|()| packer.into_inner())
        }
        Encoding::Gzip => {
            let level = if effort == Effort::Once { 9 } else { 5 };
            let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::new(level));
            packer.write_all(bytes).and_then(|()| packer.finish())
        }
    };
    Bytes::from(written.expect("a Vec takes everything"))
}

/// Says how an answer is compressed, and that others could get it in another way.
pub(crate) fn mark(headers: &mut HeaderMap, encoding: Option<Encoding>) {
    let has_name = |value: &HeaderValue| {
        let names = value.to_str().unwrap_or_default().split(',');
        names
            .map(str::trim)
            .any(|name| name.eq_ignore_ascii_case("accept-encoding"))
    };
    // A route may say that its answer depends on more.
    if !headers.get_all(VARY).iter().any(has_name) {
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, encoding.name());
    }
}

/// Compresses an answer, if the client takes it and it is worth it.
pub(crate) async fn pack(response: Answered, encoding: Option<Encoding>) -> Answered {
    let (mut parts, body) = response.into_parts();
    let kind = parts.headers.get(CONTENT_TYPE);
    let body = match body {
        // A part is told by where it stands in the whole.
        Payload::Whole(body)
            if !parts.headers.contains_key(CONTENT_ENCODING)
                && !parts.headers.contains_key(CONTENT_RANGE) =>
        {
            body
        }
        body @ (Payload::Whole(_) | Payload::Stream(_)) => {
            return Answered::from_parts(parts, body);
        }
    };
    let Ok(bytes) = body.collect().await;
    let bytes = bytes.to_bytes();
    if !kind.is_some_and(|kind| is_worth_it(kind, bytes.len())) {
        return Answered::from_parts(parts, Payload::whole(bytes));
    }
    mark(&mut parts.headers, encoding);
    let Some(encoding) = encoding else {
        return Answered::from_parts(parts, Payload::whole(bytes));
    };
    // The same page, but other bytes.
    if let Some(tag) = parts.headers.get(ETAG).and_then(|tag| tag.to_str().ok())
        && !tag.starts_with("W/")
        && let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}"))
    {
        parts.headers.insert(ETAG, weak);
    }
    match packed(encoding, bytes.clone()).await {
        Some(packed) => Answered::from_parts(parts, Payload::whole(packed)),
        None => {
            parts.headers.remove(CONTENT_ENCODING);
            Answered::from_parts(parts, Payload::whole(bytes))
        }
    }
}

/// Compresses; what is long, on a thread of its own. None if that broke, which is said.
pub(crate) async fn packed(encoding: Encoding, bytes: Bytes) -> Option<Bytes> {
    if bytes.len() <= AT_ONCE_MAX {
        return Some(compressed(encoding, Effort::Each, &bytes));
    }
    let work = move || compressed(encoding, Effort::Each, &bytes);
    let done = tokio::task::spawn_blocking(work).await;
    done.inspect_err(|error| tracing::error!(%error, "an answer was not compressed"))
        .ok()
}

/// Whether the client has what this tag names.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter();
    let mut known = known.filter_map(|value| value.to_str().ok());
    known.any(|known| {
        let mut tags = known.split(',').map(str::trim);
        tags.any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn asks(text: &'static str) -> Option<Encoding> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(text));
        accepted(&headers)
    }

    #[test]
    fn the_client_chooses() {
        assert_eq!(asks("gzip, deflate, br"), Some(Encoding::Brotli));
        assert_eq!(asks("GZIP;q=0.5"), Some(Encoding::Gzip));
        assert_eq!(asks("br;q=0, gzip"), Some(Encoding::Gzip));
        for none in ["", "identity", "deflate", "br; q=0.000", "brr"] {
            assert_eq!(asks(none), None, "{none}");
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }

    // A route that said `Vary: Cookie` was kept by caches for everybody.
    #[test]
    fn what_a_route_says_of_caches_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(VARY, HeaderValue::from_static("Cookie"));
        mark(&mut headers, None);
        mark(&mut headers, Some(Encoding::Gzip));
        let names: Vec<&[u8]> = headers
            .get_all(VARY)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        assert_eq!(names, [b"Cookie".as_slice(), b"accept-encoding"]);
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let text = "<li>one</li>".repeat(1000);
        for effort in [Effort::Each, Effort::Once] {
            let gzip = compressed(Encoding::Gzip, effort, text.as_bytes());
            let mut out = String::new();
            flate2::read::GzDecoder::new(&gzip[..])
                .read_to_string(&mut out)
                .expect("gzip");
            assert!(out == text && gzip.len() < 500);
            let packed = compressed(Encoding::Brotli, effort, text.as_bytes());
            let mut out = String::new();
            brotli::Decompressor::new(&packed[..], 4096)
                .read_to_string(&mut out)
                .expect("brotli");
            assert!(out == text && packed.len() < 500);
        }
    }

    #[test]
    fn what_does_not_get_smaller_is_left_alone() {
        let is = |kind: &'static str, bytes| is_worth_it(&HeaderValue::from_static(kind), bytes);
        assert!(
            is("text/html; charset=utf-8", 5000)
                && is("application/json", 5000)
                && is("image/svg+xml", 5000)
        );
        assert!(!is("image/png", 5000) && !is("text/html", 500) && !is("text/event-stream", 5000));
    }
}
