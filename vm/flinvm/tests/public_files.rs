//! Files of a project: named by their content where markup loads them, kept by browsers, had in parts.

mod support;

use flin_testkit::http::{self, Answer};
use flin_testkit::process::Server;
use support::Folder;

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

fn project() -> (Folder, Server) {
    let folder = Folder::new();
    for dir in ["site/app", "site/public/img"] {
        std::fs::create_dir_all(folder.path(dir)).expect("a folder");
    }
    folder.write("site/public/img/logo.svg", LOGO.as_bytes());
    folder.write(
        "site/public/site.css",
        "p { color: red }\n".repeat(100).as_bytes(),
    );
    folder.write("site/public/film.mp4", &[7; 5000]);
    let page = r#"
name = "logo"
view {
  <link rel="stylesheet" href="/site.css?v=1" />
  <img id="fixed" src="/img/logo.svg" alt="" />
  <img id="braced" src={"/img/logo.svg#part"} alt="" />
  <img id="built" src="/img/{name}.svg" alt="" />
  <img id="set" srcset="/img/logo.svg 1x, /img/other.svg 2x, /img/logo.svg" alt="" />
  <video poster="/img/logo.svg" src="/film.mp4"></video>
  <a href="/img/logo.svg">The logo</a>
  <input bind={name} />
}
"#;
    folder.write("site/app/index.flin", page.as_bytes());
    let server = Server::start(&folder.path("site"), &folder.path("data"));
    (folder, server)
}

/// The value of an attribute of the element that `before` leads to.
fn attribute<'a>(document: &'a str, before: &str) -> &'a str {
    let start = document
        .find(before)
        .unwrap_or_else(|| panic!("no {before} in {document}"))
        + before.len();
    let end = document[start..].find('"').expect("its end");
    &document[start..start + end]
}

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    http::request(&server.url, method, path, headers, "")
}

#[test]
fn markup_names_files_by_their_content() {
    let (_folder, server) = project();
    let document = http::get(&server.url, "/").body;
    let logo = attribute(&document, "id=\"fixed\" src=\"");
    let hash = logo
        .strip_prefix("/img/logo-")
        .and_then(|rest| rest.strip_suffix(".svg"));
    assert!(hash.is_some_and(|hash| hash.len() == 16), "{logo}");
    assert_eq!(
        attribute(&document, "id=\"braced\" src=\""),
        format!("{logo}#part")
    );
    assert_eq!(attribute(&document, "id=\"built\" src=\""), "/img/logo.svg");
    assert_eq!(
        attribute(&document, "srcset=\""),
        format!("{logo} 1x, /img/other.svg 2x, {logo}")
    );
    assert_eq!(attribute(&document, "poster=\""), logo);
    assert_eq!(attribute(&document, "<a href=\""), "/img/logo.svg");
    let style = attribute(&document, "rel=\"stylesheet\" href=\"");
    assert!(
        style.starts_with("/site-") && style.ends_with(".css?v=1"),
        "{style}"
    );
    for path in [logo, style, attribute(&document, "\" src=\"/film").trim()] {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/film{path}")
        };
        let answer = http::get(&server.url, &path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
    }
    assert_eq!(http::get(&server.url, logo).body, LOGO);
}

/// Styles once kept the plain names, those of components too.
#[test]
fn styles_name_files_by_their_content() {
    let folder = Folder::new();
    for dir in ["site/app", "site/public", "site/components"] {
        std::fs::create_dir_all(folder.path(dir)).expect("a folder");
    }
    folder.write("site/public/logo.svg", LOGO.as_bytes());
    folder.write("site/public/more.css", b"p { color: red }");
    let card = r#"
<style>.card { background: url("/logo.svg#a") } /* url(/logo.svg) */ .card::after { content: "url(/logo.svg)" }</style>
<p class="card">x</p>
"#;
    folder.write("site/components/Card.flin", card.as_bytes());
    let page = r#"
tone = "red"
view {
  <style>@import "/more.css"; body { background: url(/logo.svg), url(/missing.svg) }</style>
  <Card />
  <p id="fixed" style="background: url('/logo.svg')">a</p>
  <p id="mixed" style="background: url(/logo.svg); color: {tone}">b</p>
  <input bind={tone} aria-label="tone" />
}
"#;
    folder.write("site/app/index.flin", page.as_bytes());
    let server = Server::start(&folder.path("site"), &folder.path("data"));
    let document = http::get(&server.url, "/").body;
    let logo = attribute(&document, "body { background: url(");
    let logo = logo.split(')').next().expect("an address");
    assert!(
        logo.starts_with("/logo-") && logo.ends_with(".svg"),
        "{document}"
    );
    assert_eq!(http::get(&server.url, logo).body, LOGO);
    let wanted = [
        format!("url({logo}), url(/missing.svg)"),
        format!("background: url(\"{logo}#a\") }} /* url(/logo.svg) */"),
        "content: \"url(/logo.svg)\"".to_owned(),
        format!("id=\"mixed\" style=\"background: url({logo}); color: red\""),
    ];
    for part in &wanted {
        assert!(document.contains(part.as_str()), "{part}\n{document}");
    }
    assert!(document.contains("@import \"/more-"), "{document}");
    let fixed = attribute(&document, "id=\"fixed\" style=\"");
    assert!(fixed.contains(logo), "{fixed}");
}

#[test]
fn a_file_that_a_browser_has_is_not_sent_again() {
    let (_folder, server) = project();
    let plain = http::get(&server.url, "/site.css");
    assert_eq!(plain.header("cache-control"), Some("public, no-cache"));
    let tag = plain.header("etag").expect("a tag");
    for known in [
        tag.to_owned(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let answer = ask(&server, "GET", "/site.css", &[("If-None-Match", &known)]);
        assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{known}");
        assert_eq!(answer.header("etag"), Some(tag));
    }
    assert_eq!(
        ask(&server, "GET", "/site.css", &[("If-None-Match", "\"x\"")]).status,
        200
    );
}

#[test]
fn a_part_of_a_file() {
    let (_folder, server) = project();
    let part = ask(&server, "GET", "/film.mp4", &[("Range", "bytes=4990-")]);
    assert_eq!((part.status, part.body.len()), (206, 10));
    assert_eq!(part.header("content-range"), Some("bytes 4990-4999/5000"));
    assert_eq!(part.header("accept-ranges"), Some("bytes"));
    let packs = [("Range", "bytes=0-1499"), ("Accept-Encoding", "gzip, br")];
    let part = ask(&server, "GET", "/site.css", &packs);
    assert_eq!((part.status, part.body.len()), (206, 1500));
    assert_eq!(part.header("content-encoding"), None);
    let beyond = ask(&server, "GET", "/film.mp4", &[("Range", "bytes=5000-")]);
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some("bytes */5000"))
    );
    let head = ask(&server, "HEAD", "/film.mp4", &[("Range", "bytes=0-1")]);
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("5000"))
    );
}
