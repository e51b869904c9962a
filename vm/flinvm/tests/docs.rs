//! Asks the programs of the documentation what the documentation says that they answer. Here because pages and routes
//! only mean something when they are served. Must stay true: a block of `http` or `html` belongs to the program block
//! before it; what it says is looked for in a real answer of a real server.
//!
//! `http`: exchanges, parts separated by empty lines: `METHOD /path`, then headers, then a body; below it the status, then
//! headers that must be there, then the body, where `…` stands for anything. `html`: lines that the page at `/` has, in
//! this order; what the server adds for its own script (`data-…` attributes) does not count.

mod support;

use std::path::Path;

use flin_testkit::fences::{Fence, fences, pages};
use flin_testkit::http::{Answer, get, request};
use flin_testkit::process::Server;
use support::Folder;

#[test]
fn served_programs_answer_as_the_pages_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = Folder::new();
    let mut failures = Vec::new();
    let mut asked = 0;
    for path in pages(&root) {
        let page = std::fs::read_to_string(&path).expect("a page");
        let name = path
            .strip_prefix(&root)
            .expect("below the root")
            .display()
            .to_string();
        let found = fences(&page).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut program = String::new();
        let mut served: Option<Server> = None;
        for fence in &found {
            match fence.language.as_str() {
                "flin" => {
                    if !fence.words.iter().any(|word| word == "continue") {
                        program.clear();
                    }
                    program.push_str(&fence.text);
                    served = None;
                }
                "http" | "html" => {
                    let server = served.get_or_insert_with(|| {
                        asked += 1;
                        let file = folder.compile(&format!("{asked}.fbc"), &program);
                        Server::start(&file, &folder.path(&format!("{asked}.flindb")))
                    });
                    let place = format!("{name}:{}", fence.line);
                    check(&place, fence, server, &mut failures);
                }
                _ => {}
            }
        }
    }
    println!("{asked} served programs of the documentation");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(asked > 5, "only {asked} programs were asked");
}

fn check(place: &str, fence: &Fence, server: &Server, failures: &mut Vec<String>) {
    if fence.language == "http" {
        exchanges(place, &fence.text, server, failures);
        return;
    }
    let answer = get(&server.url, "/");
    let shown = plain(&flin_testkit::markup::without_markers(&answer.body));
    let mut rest = shown.as_str();
    for line in fence.text.lines().map(str::trim) {
        match rest.split_once(line) {
            Some((_, after)) => rest = after,
            None => {
                failures.push(format!(
                    "{place}: no `{line}` in the rest of the page:\n{rest}"
                ));
                return;
            }
        }
    }
}

/// The page without what the server adds for its script, one element a line where elements meet.
fn plain(page: &str) -> String {
    let body = page
        .split_once("<div id=\"flin-root\">")
        .map_or(page, |(_, body)| body);
    let mut out = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once(" data-") {
        out.push_str(before);
        let end = after.find(['"', '>', ' ']).unwrap_or(after.len());
        rest = &after[end..];
        if let Some(value) = rest.strip_prefix('"') {
            rest = value.split_once('"').map_or("", |(_, after)| after);
        }
    }
    out.push_str(rest);
    out
}

fn exchanges(place: &str, text: &str, server: &Server, failures: &mut Vec<String>) {
    let parts: Vec<Vec<&str>> = text
        .split("\n\n")
        .map(|part| part.lines().collect())
        .collect();
    for pair in parts.chunks(2) {
        let [asked, wanted] = pair else {
            failures.push(format!("{place}: a request without an answer"));
            return;
        };
        let (method, path) = asked[0]
            .split_once(' ')
            .unwrap_or_else(|| panic!("{place}: `{}` is no request", asked[0]));
        let (mut headers, body) = headers_and_body(&asked[1..]);
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "Content-Type") {
            headers.push(("Content-Type", "application/json"));
        }
        let answer = request(&server.url, method, path, &headers, &body);
        if let Err(found) = fits(wanted, &answer) {
            failures.push(format!(
                "{place}: {} answers {found}\n  {} {}\n  {}",
                asked[0],
                answer.status,
                answer
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}; "))
                    .collect::<String>(),
                answer.body
            ));
        }
    }
}

fn headers_and_body<'a>(lines: &[&'a str]) -> (Vec<(&'a str, &'a str)>, String) {
    let is_header = |line: &&&str| {
        line.split_once(": ")
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphabetic() || c == '-'))
    };
    let count = lines.iter().take_while(is_header).count();
    let headers = lines[..count]
        .iter()
        .filter_map(|l| l.split_once(": "))
        .collect();
    (headers, lines[count..].join("\n"))
}

/// Compares an answer with the lines that are wanted: status, headers, body.
fn fits(wanted: &[&str], answer: &Answer) -> Result<(), String> {
    if wanted[0].trim() != answer.status.to_string() {
        return Err(format!("with another status than {}:", wanted[0]));
    }
    let (headers, body) = headers_and_body(&wanted[1..]);
    for (name, value) in headers {
        if answer.header(&name.to_ascii_lowercase()) != Some(value) {
            return Err(format!("without `{name}: {value}`:"));
        }
    }
    let mut rest = answer.body.trim_end();
    let mut parts = body.split('…');
    let first = parts.next().unwrap_or_default();
    if !body.is_empty() {
        rest = rest
            .strip_prefix(first)
            .ok_or(format!("with another body than {body}:"))?;
        for part in parts {
            let at = if part.is_empty() {
                rest.len()
            } else {
                rest.find(part)
                    .ok_or(format!("with no `{part}` in its body:"))?
            };
            rest = &rest[at + part.len().min(rest.len() - at)..];
        }
        if !rest.is_empty() {
            return Err(format!("with `{rest}` behind the body:"));
        }
    }
    Ok(())
}
