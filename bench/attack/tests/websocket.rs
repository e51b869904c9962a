//! Each chapter of RFC 6455 against a server. Must stay true: there are at least 150 cases.

use flin_attack::suite::Tally;
use flin_attack::target::Target;
use flin_attack::websocket::CHAPTERS;

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
fn opening_handshakes() {
    chapter("handshake");
}

#[test]
fn frames() {
    chapter("framing");
}

#[test]
fn fragmented_messages() {
    chapter("fragmentation");
}

#[test]
fn control_frames() {
    chapter("control");
}

#[test]
fn data_and_its_encoding() {
    chapter("UTF-8");
}

#[test]
fn closing_handshakes() {
    chapter("closing");
}

#[test]
fn limits_of_messages() {
    chapter("limits");
}

#[test]
fn pieces_and_broken_connections() {
    chapter("delivery");
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
    assert!(count >= 150, "{count} cases");
    println!("{count} cases");
}
