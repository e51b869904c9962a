//! Each part of HTTP against a server. Must stay true: there are at least 80 cases.

use flin_attack::http::CHAPTERS;
use flin_attack::suite::Tally;
use flin_attack::target::Target;

fn chapter(name: &str) {
    let found = CHAPTERS.iter().find(|chapter| chapter.name.contains(name));
    let chapter = found.expect("a chapter of that name");
    let target = Target::start(&[]);
    let tally = Tally::of(chapter.name, &(chapter.cases)(), |case| {
        (case.name.clone(), case.run(target.host()))
    });
    tally.expect_all();
}

#[test]
fn request_lines() {
    chapter("request lines");
}

#[test]
fn headers() {
    chapter("headers");
}

#[test]
fn hosts() {
    chapter("hosts");
}

#[test]
fn lengths_and_smuggling() {
    chapter("smuggling");
}

#[test]
fn pipelining_and_expectations() {
    chapter("pipelining");
}

#[test]
fn parts_tags_and_packing() {
    chapter("packing");
}

#[test]
fn paths() {
    chapter("paths");
}

#[test]
fn bodies() {
    chapter("bodies");
}

#[test]
fn requests_of_other_sites() {
    chapter("other sites");
}

#[test]
fn what_a_page_exposes() {
    chapter("exposes");
}

#[test]
fn no_two_cases_have_one_name_and_there_are_many() {
    let mut names = Vec::new();
    for chapter in CHAPTERS {
        for case in (chapter.cases)() {
            names.push(format!("{}: {}", chapter.name, case.name));
        }
    }
    let count = names.len();
    names.sort();
    let twice: Vec<&String> = names
        .windows(2)
        .filter(|two| two[0] == two[1])
        .map(|two| &two[0])
        .collect();
    assert!(twice.is_empty(), "cases of the same name: {twice:?}");
    assert!(count >= 80, "{count} cases");
    println!("{count} cases");
}
