//! Files that a program brings along, in memory: the browser runtime, the scripts of its pages, and what lies in `public/`.
//! Here because all of them are found by exact name and never read from disk while requests come. Must stay true: a name with a hash is
//! served for ever, and its content never changes; a plain name is asked for again each time; a part is a part of the
//! very content that its tag names.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use flin_runtime::vm::bytecode::module::Module;
use hyper::StatusCode;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue,
    IF_RANGE, RANGE,
};

use crate::assets::{BrowserRuntime, fingerprint};
use crate::compress::{self, Effort, Encoding};
use crate::respond::{Answered, answer, empty};

/// Files by the path that they are asked for.
pub(crate) struct Files {
    by_path: HashMap<String, File>,
    // For each page the path of its script.
    modules: Vec<Option<String>>,
}

struct File {
    kind: HeaderValue,
    body: Bytes,
    tag: String,
    for_ever: bool,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl File {
    fn new(kind: &str, body: impl Into<Bytes>, for_ever: bool) -> File {
        let body = body.into();
        let kind = HeaderValue::from_str(kind);
        File {
            kind: kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
            tag: fingerprint(&body),
            body,
            for_ever,
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

impl Files {
    /// The files of a program. `maps`: with source maps, which hold the program's text.
    pub(crate) fn new(module: &Module, runtime: &BrowserRuntime, maps: bool) -> Files {
        let mut files = Files {
            by_path: HashMap::new(),
            modules: Vec::new(),
        };
        for (path, text) in runtime.files() {
            files.put(path.to_owned(), File::new(SCRIPT, text.to_owned(), true));
        }
        for page in &module.pages {
            let module = (!page.script.is_empty())
                .then(|| files.put_script(&page.script, &page.source_map, maps));
            files.modules.push(module);
        }
        for asset in &module.assets {
            let kind = kind_of(&asset.path);
            let body = Bytes::from(asset.bytes.clone());
            let hashed = asset.hashed_path();
            files.put(format!("/{hashed}"), File::new(&kind, body.clone(), true));
            files.put(format!("/{}", asset.path), File::new(&kind, body, false));
        }
        files
    }

    fn put(&mut self, path: String, file: File) {
        self.by_path.insert(path, file);
    }

    fn put_script(&mut self, script: &str, map: &str, maps: bool) -> String {
        let name = format!("page-{}.js", fingerprint(script.as_bytes()));
        let path = format!("/_flin/{name}");
        let mut text = script.to_owned();
        if maps && !map.is_empty() {
            text.push_str(&format!("\n//# sourceMappingURL={name}.map\n"));
            self.put(
                format!("{path}.map"),
                File::new("application/json", map.to_owned(), true),
            );
        }
        self.put(path.clone(), File::new(SCRIPT, text, true));
        path
    }

    /// The path of a page's script.
    pub(crate) fn module(&self, page: usize) -> Option<&str> {
        self.modules.get(page)?.as_deref()
    }

    /// Answers a `GET`, if there is a file of this path.
    pub(crate) fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Answered> {
        let file = self.by_path.get(path)?;
        let tag = format!("\"{}\"", file.tag);
        let mut response = if compress::is_known(headers, &tag) {
            empty(StatusCode::NOT_MODIFIED)
        } else {
            match wanted_part(headers, &tag, file.body.len()) {
                Wanted::Whole => file.answer(headers),
                Wanted::Part(part) => file.part(&part),
                Wanted::Beyond => file.beyond(),
            }
        };
        let cache = if file.for_ever {
            "public, max-age=31536000, immutable"
        } else {
            "public, no-cache"
        };
        let head = response.headers_mut();
        head.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        head.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        // Packed, it is the same file, but other bytes.
        let weak = if head.contains_key(CONTENT_ENCODING) {
            "W/"
        } else {
            ""
        };
        if let Ok(tag) = HeaderValue::from_str(&format!("{weak}{tag}")) {
            head.insert(ETAG, tag);
        }
        Some(response)
    }
}

impl File {
    fn answer(&self, headers: &HeaderMap) -> Answered {
        let worth = compress::is_worth_it(&self.kind, self.body.len());
        let encoding = compress::accepted(headers).filter(|_| worth);
        let body = match encoding {
            None => self.body.clone(),
            Some(encoding) => {
                let place = match encoding {
                    Encoding::Brotli => &self.brotli,
                    Encoding::Gzip => &self.gzip,
                };
                let once = || compress::compressed(encoding, Effort::Once, &self.body);
                place.get_or_init(once).clone()
            }
        };
        let mut response = answer(StatusCode::OK, "application/octet-stream", body);
        let head = response.headers_mut();
        head.insert(hyper::header::CONTENT_TYPE, self.kind.clone());
        if worth {
            compress::mark(head, encoding);
        }
        response
    }

    // Bytes of the file as it is: parts of packed ones would be of no use to anybody.
    fn part(&self, part: &Range<usize>) -> Answered {
        let mut response = answer(
            StatusCode::PARTIAL_CONTENT,
            "application/octet-stream",
            self.body.slice(part.clone()),
        );
        let head = response.headers_mut();
        head.insert(hyper::header::CONTENT_TYPE, self.kind.clone());
        let range = format!("bytes {}-{}/{}", part.start, part.end - 1, self.body.len());
        if let Ok(range) = HeaderValue::from_str(&range) {
            head.insert(CONTENT_RANGE, range);
        }
        response
    }

    fn beyond(&self) -> Answered {
        let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
        let range = format!("bytes */{}", self.body.len());
        if let Ok(range) = HeaderValue::from_str(&range) {
            response.headers_mut().insert(CONTENT_RANGE, range);
        }
        response
    }
}

/// What a client wants of a file.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<usize>),
    /// A part that it does not have.
    Beyond,
}

// Several parts at once, other units and what makes no sense are answered by the whole file, as if nothing had been asked; so is
// a part of another content than this.
fn wanted_part(headers: &HeaderMap, tag: &str, length: usize) -> Wanted {
    if let Some(of) = headers.get(IF_RANGE)
        && of.as_bytes() != tag.as_bytes()
    {
        return Wanted::Whole;
    }
    let mut ranges = headers.get_all(RANGE).iter();
    let (Some(range), None) = (ranges.next(), ranges.next()) else {
        return Wanted::Whole;
    };
    let range = range.to_str().unwrap_or_default();
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than a number has are beyond every file.
        is_number.then(|| text.parse().unwrap_or(usize::MAX))
    };
    let (first, last) = (first.trim(), last.trim());
    let (start, end) = match (number(first), number(last)) {
        (Some(start), None) if last.is_empty() => (start, length),
        (Some(start), Some(last)) if start <= last => (start, last.saturating_add(1).min(length)),
        // The last so many bytes.
        (None, Some(0)) if first.is_empty() => return Wanted::Beyond,
        (None, Some(count)) if first.is_empty() => (length.saturating_sub(count), length),
        _ => return Wanted::Whole,
    };
    if start < end {
        Wanted::Part(start..end)
    } else {
        Wanted::Beyond
    }
}

fn kind_of(path: &str) -> String {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let is_text = kind.type_() == "text"
        || matches!(kind.subtype().as_str(), "javascript" | "json" | "xml")
        || kind.suffix().is_some();
    if is_text {
        format!("{}; charset=utf-8", kind.essence_str())
    } else {
        kind.essence_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use flin_runtime::vm::bytecode::module::{Asset, Page};

    use super::*;

    #[test]
    fn kinds_by_ending() {
        for (path, kind) in [
            ("a.png", "image/png"),
            ("a.svg", "image/svg+xml; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.woff2", "font/woff2"),
            ("a", "application/octet-stream"),
        ] {
            assert_eq!(kind_of(path), kind, "{path}");
        }
    }

    fn files(maps: bool) -> Files {
        let asset = Asset {
            path: "a.css".to_owned(),
            bytes: "p { color: red }".repeat(200).into_bytes(),
        };
        let page = Page {
            script: "export default {}".to_owned(),
            source_map: "{}".to_owned(),
            ..Page::default()
        };
        let module = Module {
            assets: vec![asset],
            pages: vec![page, Page::default()],
            ..Module::default()
        };
        Files::new(&module, BrowserRuntime::get(), maps)
    }

    fn header<'a>(answer: &'a Answered, name: &str) -> &'a str {
        let value = answer.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    #[test]
    fn by_plain_and_by_hashed_name() {
        let files = files(false);
        let get = |path: &str, headers: &HeaderMap| files.answer(path, headers);
        let none = HeaderMap::new();
        let plain = get("/a.css", &none).expect("it is there");
        assert_eq!(header(&plain, "cache-control"), "public, no-cache");
        assert_eq!(header(&plain, "vary"), "accept-encoding");
        let tag = header(&plain, "etag").to_owned();
        let hashed = format!("/a-{}.css", &tag[1..17]);
        let hashed = get(&hashed, &none).expect("it is there");
        assert!(header(&hashed, "cache-control").ends_with("immutable"));
        assert!(get("/../a.css", &none).is_none() && get("/a-0.css", &none).is_none());
        let mut headers = HeaderMap::new();
        headers.insert("if-none-match", tag.parse().expect("a tag"));
        assert_eq!(get("/a.css", &headers).expect("there").status(), 304);
        headers.clear();
        headers.insert("accept-encoding", HeaderValue::from_static("gzip, br"));
        let packed = get("/a.css", &headers).expect("it is there");
        assert_eq!(header(&packed, "content-encoding"), "br");
        assert_eq!(header(&packed, "etag"), format!("W/{tag}"));
    }

    #[test]
    fn a_part_of_a_file() {
        let files = files(false);
        let ask = |range: &str, of: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert("accept-encoding", HeaderValue::from_static("br"));
            headers.insert(RANGE, range.parse().expect("a header"));
            if let Some(of) = of {
                headers.insert(IF_RANGE, of.parse().expect("a header"));
            }
            files.answer("/a.css", &headers).expect("it is there")
        };
        // 200 times 16 bytes.
        for (range, told) in [
            ("bytes=0-0", "bytes 0-0/3200"),
            ("bytes=16-", "bytes 16-3199/3200"),
            ("bytes=3190-99999999999999999999999", "bytes 3190-3199/3200"),
            ("bytes=-10", "bytes 3190-3199/3200"),
            ("bytes=-99999", "bytes 0-3199/3200"),
        ] {
            let answer = ask(range, None);
            assert_eq!(answer.status(), 206, "{range}");
            assert_eq!(header(&answer, "content-range"), told);
            assert_eq!(header(&answer, "content-encoding"), "", "{range}");
            assert_eq!(header(&answer, "content-type"), "text/css; charset=utf-8");
        }
        for range in ["bytes=3200-", "bytes=99999999999999999999999-", "bytes=-0"] {
            let answer = ask(range, None);
            assert_eq!(answer.status(), 416, "{range}");
            assert_eq!(header(&answer, "content-range"), "bytes */3200");
        }
        for range in [
            "bytes=0-1,5-6",
            "bytes=5-1",
            "bytes=-",
            "bytes=a-b",
            "lines=1-2",
            "bytes=+1-2",
            "",
        ] {
            assert_eq!(ask(range, None).status(), 200, "{range}");
        }
        let tag = header(&ask("bytes=0-0", None), "etag").to_owned();
        assert_eq!(ask("bytes=0-0", Some(&tag)).status(), 206);
        assert_eq!(ask("bytes=0-0", Some("\"another\"")).status(), 200);
        assert_eq!(ask("bytes=0-0", Some(&format!("W/{tag}"))).status(), 200);
    }

    #[test]
    fn maps_only_where_errors_are_shown() {
        let none = HeaderMap::new();
        for maps in [false, true] {
            let files = files(maps);
            let path = files.module(0).expect("the page has a script").to_owned();
            assert!(files.answer(&path, &none).is_some() && files.module(1).is_none());
            assert_eq!(files.answer(&format!("{path}.map"), &none).is_some(), maps);
        }
    }
}
