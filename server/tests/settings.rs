//! `flin.config`: what is read, what is refused and with which words. Must stay true: each `.config` of tests/settings has the
//! text that is printed for it beside it; whatever is written is read back as the same.

use std::path::Path;

use flin_server::settings::{self, Settings, TEXT_BYTES_MAX};
use flin_testkit::golden;
use flin_testkit::rng::Rng;

#[test]
fn files_are_read_or_refused_with_their_places() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings");
    for path in golden::files(&folder, ".config") {
        let text = std::fs::read_to_string(&path).expect("a file");
        let mut read = Settings::default();
        let shown = match read.read(&text) {
            Ok(()) => read.written(),
            Err(problems) => {
                assert_eq!(
                    read,
                    Settings::default(),
                    "a text with a mistake changes nothing"
                );
                problems.shown("flin.config", &text)
            }
        };
        golden::check(&path.with_extension("txt"), &shown);
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mut settings = Settings::default();
    for assignment in [
        "limits.time=1500ms",
        "limits.memory_all=3GB",
        "limits.keep_alive=1h",
        "server.data=with \"quotes\" and \\",
        "server.allow_hosts=a.example,b.example",
        "server.trusted_proxies=10.0.0.0/8,::1",
        "server.tls_cert=/etc/ssl/cert.pem",
        "server.log=json",
        "server.port=0",
        "server.allow_private_http=true",
    ] {
        settings.set(assignment).expect(assignment);
    }
    let mut again = Settings::default();
    again.read(&settings.written()).expect("what was written");
    assert_eq!(again, settings);
    assert_ne!(again, Settings::default());
}

#[test]
fn one_setting_of_a_command_line() {
    let said = |assignment: &str| Settings::default().set(assignment).expect_err(assignment);
    assert!(said("limits.tme=5s").contains("did you mean `time`?"));
    assert!(said("limit.time=5s").contains("did you mean `limits`?"));
    assert!(said("time=5s").contains("`time` belongs to the section `limits`"));
    assert!(said("limits.time").contains("expected SECTION.NAME=VALUE"));
    assert!(said("limits.time=5").contains("expected a time such as"));
    assert!(said("limits.time=9h").contains("the most is \"1h\""));
}

#[test]
fn all_that_can_be_set_can_be_named() {
    let written = Settings::default().written();
    for name in settings::names() {
        let short = name.split('.').nth(1).expect("section and name");
        // What is empty until it is set cannot be written.
        let is_there = written.contains(&format!("  {short}: "));
        assert!(is_there || short.starts_with("tls_"), "{name}");
        assert!(settings::help().contains(&name), "{name}");
        assert!(
            settings::markdown().contains(&format!("| `{short}` |")),
            "{name}"
        );
    }
}

#[test]
fn hostile_texts_are_refused_and_nothing_more() {
    let mut rng = Rng::new(7);
    let deep = "[".repeat(TEXT_BYTES_MAX - 20);
    let many = "limits { x: 1 }\n".repeat(4000);
    for text in [
        "limits {",
        "limits { time: ",
        "\u{feff}",
        &deep,
        &format!("limits {{ time: {deep}"),
        &many,
        &"é".repeat(TEXT_BYTES_MAX),
    ] {
        let _ = Settings::default().read(text);
    }
    let long = "a".repeat(TEXT_BYTES_MAX + 1);
    let refused = Settings::default().read(&long).expect_err("it is too long");
    assert!(
        refused
            .shown("f", &long)
            .starts_with("error: flin.config has more than 64 KB\n")
    );
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..rng.below(200)).map(|_| rng.bits() as u8).collect();
        let text = String::from_utf8_lossy(&bytes);
        if let Err(problems) = Settings::default().read(&text) {
            assert!(!problems.shown("f", &text).is_empty());
        }
    }
}

// The page is made from the table: `BLESS=1` writes it anew.
#[test]
fn the_page_of_settings_is_the_table() {
    const FROM: &str = "<!-- settings -->\n";
    const TO: &str = "<!-- /settings -->\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(FROM).expect("where the table begins");
    let (_, after) = rest.split_once(TO).expect("where it ends");
    golden::check(
        &path,
        &format!("{before}{FROM}{}{TO}{after}", settings::markdown()),
    );
}
