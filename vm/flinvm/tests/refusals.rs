//! What is refused, with which words and which exit code: files that are no programs, data in use or damaged, wrong usage.

mod support;

use std::io::BufRead;
use std::process::{Command, Stdio};

use flin_testkit::http;
use flin_testkit::process::Server;
use flin_testkit::rng::Rng;
use support::{Folder, RELOAD, ZEBRAS, act, ended, flinvm};

#[test]
fn files_that_are_no_programs() {
    let folder = Folder::new();
    let whole = std::fs::read(folder.compile("whole.fbc", "print(\"hello\")\n"))
        .expect("the compiled program");
    let (code, out, _) = ended(&flinvm(&["run"], &[&folder.path("whole.fbc")]));
    assert_eq!((code, out.as_str()), (0, "hello\n"));
    let (code, out, err) = ended(&flinvm(&["run", "--stats"], &[&folder.path("whole.fbc")]));
    assert!(
        code == 0 && out == "hello\n" && err.contains("fuel  "),
        "{err}"
    );
    let (code, _, err) = ended(&flinvm(&["run"], &[&folder.path("missing.fbc")]));
    assert!(
        code == 2 && err.contains("cannot read") && err.contains("missing.fbc"),
        "{code}: {err}"
    );
    for (name, bytes) in [
        ("empty.fbc", &[][..]),
        ("text.fbc", b"print(1)"),
        ("half.fbc", &whole[..whole.len() / 2]),
    ] {
        let (code, out, err) = ended(&flinvm(&["run"], &[&folder.write(name, bytes)]));
        assert!(
            code == 1 && out.is_empty() && err.contains(name),
            "{name}: {code} {err}"
        );
    }
}

#[test]
fn no_single_changed_byte_goes_unnoticed() {
    let folder = Folder::new();
    let whole = std::fs::read(folder.compile("whole.fbc", "print(\"hello\")\n"))
        .expect("the compiled program");
    let mut random = Rng::new(2026);
    for _ in 0..24 {
        let mut bytes = whole.clone();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        let (code, out, err) = ended(&flinvm(&["run"], &[&folder.write("flipped.fbc", &bytes)]));
        assert!(
            code == 1 && out.is_empty() && err.contains("flipped.fbc"),
            "byte {at}: {code} {out} {err}"
        );
    }
}

#[test]
fn a_second_process_on_the_same_data_names_the_first() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let server = Server::start(&module, &folder.path("data"));
    let data = folder.path("data");
    let data = data.to_str().expect("a plain path");
    for args in [
        &["serve", "--port", "0", "--data", data][..],
        &["run", "--data", data],
    ] {
        let (code, _, err) = ended(&flinvm(args, &[&module]));
        assert!(
            code == 1 && err.contains(&server.pid().to_string()) && err.contains("in use"),
            "{code}: {err}"
        );
    }
    // Reading is possible meanwhile, and says who writes.
    let (code, out, err) = ended(&flinvm(&["db", "verify", "--data", data], &[]));
    let pid = server.pid().to_string();
    assert!(
        code == 0 && out.contains("in use by") && out.contains(&pid),
        "{code}: {out}{err}"
    );
    let (code, out, err) = ended(&flinvm(&["db", "export", "--data", data], &[]));
    assert!(
        code == 0 && out.contains("$flin_export") && err.contains(&pid),
        "{code}: {out}{err}"
    );
    // Rewriting is not; what happens by itself and what to do is said.
    let (code, out, err) = ended(&flinvm(&["db", "compact", "--data", data], &[]));
    let said = [
        "nothing was changed",
        "within 24 hours",
        "flinvm db compact",
    ];
    assert!(
        code == 1
            && out.is_empty()
            && err.contains(&pid)
            && said.iter().all(|part| err.contains(part)),
        "{code}: {out}{err}"
    );
    assert_eq!(
        act(&server, "welcome", "[]", "{\"pending\":\"still here\"}"),
        (200, RELOAD.to_owned())
    );
}

#[test]
fn a_torn_tail_is_reported_and_damage_in_the_middle_refused() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let (data, log) = (folder.path("data"), folder.path("data").join("wal.log"));
    let server = Server::start(&module, &data);
    for name in ["one", "two", "three"] {
        let (status, body) = act(
            &server,
            "welcome",
            "[]",
            &format!("{{\"pending\":\"{name}\"}}"),
        );
        assert_eq!(status, 200, "{body}");
    }
    server.kill();
    let whole = std::fs::read(&log).expect("the log");
    let mut torn = whole.clone();
    torn.extend_from_slice(&whole[whole.len() - 40..whole.len() - 3]);
    std::fs::write(&log, &torn).expect("a torn log");
    let server = Server::start(&module, &data);
    let page = http::get(&server.url, "/").body;
    assert!(page.contains("<h1>3 zebras"), "{page}");
    server.kill();
    let mut damaged = whole.clone();
    let at = whole
        .windows(3)
        .position(|bytes| bytes == b"one")
        .expect("the first record");
    damaged[at] ^= 1;
    std::fs::write(&log, &damaged).expect("a damaged log");
    let (code, _, err) = ended(&flinvm(
        &[
            "serve",
            "--port",
            "0",
            "--data",
            data.to_str().expect("a path"),
        ],
        &[&module],
    ));
    assert!(
        code == 1 && err.contains("wal.log") && err.contains("offset") && err.contains("LSN"),
        "{code}: {err}"
    );
    let (code, out, _) = ended(&flinvm(&["db", "verify", "--data"], &[&data]));
    assert!(
        code == 1 && out.contains("DAMAGED: wal.log"),
        "{code}: {out}"
    );
}

// rule: run.exit_codes
#[test]
fn wrong_usage_is_2() {
    for args in [
        &["serve"][..],
        &["frobnicate"],
        &["serve", "x.fbc", "--port", "x"],
        &["db"],
        &[],
    ] {
        let (code, _, err) = ended(&flinvm(args, &[]));
        assert!(
            code == 2 && err.contains("--help"),
            "{args:?}: {code} {err}"
        );
    }
    let (code, out, _) = ended(&flinvm(&["--help"], &[]));
    assert!(
        code == 0 && out.contains("serve") && out.contains("db"),
        "{out}"
    );
    assert!(ended(&flinvm(&["--version"], &[])).1.starts_with("flinvm "));
}

// rule: err.uncaught_script, err.position, run.exit_codes
#[test]
fn a_script_that_fails_says_where() {
    let folder = Folder::new();
    let source = "print(\"before\")\nfn inner(n) {\n  10 / n\n}\nfn outer() {\n  inner(0)\n}\nouter()\nprint(\"never\")\n";
    let (code, out, err) = ended(&flinvm(
        &["run"],
        &[&folder.write("broken.flin", source.as_bytes())],
    ));
    assert_eq!((code, out.as_str()), (1, "before\n"), "{err}");
    assert!(
        err.contains("error[DivisionByZero]: ") && err.contains("broken.flin:3:"),
        "{err}"
    );
    assert!(
        err.contains("in inner") && err.contains("in outer"),
        "{err}"
    );
    let (code, out, err) = ended(&flinvm(
        &["run"],
        &[&folder.write("typo.flin", b"total = 1\nprint(totl)\n")],
    ));
    assert!(
        code == 1 && out.is_empty() && err.contains("totl") && err.contains("typo.flin:2:"),
        "{code}: {err}"
    );
}

#[test]
fn a_script_whose_reader_is_gone_ends() {
    let folder = Folder::new();
    let script = folder.write("endless.flin", b"loop {\n  print(\"on and on\")\n}\n");
    let mut child = Command::new(flin_testkit::process::program("flinvm"))
        .arg("run")
        .arg(&script)
        .stdout(Stdio::piped())
        .spawn()
        .expect("flinvm starts");
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("stdout is piped"));
    out.read_line(&mut line).expect("a line");
    assert_eq!(line, "on and on\n");
    drop(out);
    assert_eq!(child.wait().expect("it ends").code(), Some(141));
}

#[test]
fn what_a_script_printed_is_seen_while_it_runs_on() {
    let folder = Folder::new();
    let script = folder.write("endless.flin", b"print(\"it begins\")\nloop { }\n");
    let mut child = Command::new(flin_testkit::process::program("flinvm"))
        .arg("run")
        .arg(&script)
        .stdout(Stdio::piped())
        .spawn()
        .expect("flinvm starts");
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("stdout is piped"));
    out.read_line(&mut line).expect("a line");
    child.kill().expect("it can be ended");
    child.wait().expect("it ends");
    assert_eq!(line, "it begins\n");
}

#[test]
fn sigterm_finishes_and_leaves_a_closed_log() {
    let folder = Folder::new();
    let module = folder.compile("zebras.fbc", ZEBRAS);
    let data = folder.path("data");
    let mut child = Command::new(flin_testkit::process::program("flinvm"))
        .args(["serve", "--port", "0", "--data"])
        .args([&data, &module])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("flinvm starts");
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("stdout is piped"));
    out.read_line(&mut line).expect("a line");
    assert!(line.contains("http://127.0.0.1:"), "{line}");
    let url = line.split_whitespace().last().expect("a URL").to_owned();
    let saved = http::post_json(
        &url,
        "/_action",
        "{\"_action\":\"welcome\",\"_state\":{\"pending\":\"last\"}}",
    );
    assert_eq!(saved.body, RELOAD);
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let (code, report, _) = ended(&flinvm(&["db", "verify", "--data"], &[&data]));
    assert!(code == 0 && report.contains("closed cleanly"), "{report}");
}

// rule: run.test, run.test_store
#[test]
fn tests_of_a_program_run_apart() {
    let folder = Folder::new();
    let source = "entity Bee { name: text }\ntest \"one\" {\n  save Bee { name: \"a\" }\n  assert Bee.count == 1\n}\n\
        test \"two\" {\n  assert Bee.count == 0\n}\ntest \"three\" {\n  assert 1 == 2\n}\n";
    let (code, out, err) = ended(&flinvm(
        &["test"],
        &[&folder.write("bees.flin", source.as_bytes())],
    ));
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains("ok      one\nok      two\nFAILED  three (line 9)\n2 passed, 1 failed\n"),
        "{out}{err}"
    );
    assert!(err.contains("error[AssertionError]"), "{err}");
}

// rule: run.script_transaction, run.script_memory
#[test]
fn each_statement_of_a_script_is_kept_on_its_own() {
    let folder = Folder::new();
    let source = "entity Pebble { name: text @required }\na = save Pebble { name: \"a\" }\na.name = \"b\"\nsave a\n\
        print(a.version)\nfor i in 0..3 {\n  save Pebble { name: \"loop {i}\" }\n}\nprint(Pebble.count)\n\
        fn two() {\n  save Pebble { name: \"lost\" }\n  save Pebble { name: \"\" }\n}\ntwo()\n";
    let script = folder.write("pebbles.flin", source.as_bytes());
    let data = folder.path("data");
    let data = data.to_str().expect("a plain path");
    let (code, out, err) = ended(&flinvm(&["run", "--data", data], &[&script]));
    assert_eq!((code, out.as_str()), (1, "2\n4\n"), "{err}");
    assert!(err.contains("name is required"), "{err}");
    let (code, report, _) = ended(&flinvm(&["db", "verify", "--data", data], &[]));
    assert!(
        code == 0 && report.contains("transactions  3\n"),
        "{report}"
    );
    assert!(
        report.contains("create 4  update 1 ") && report.contains("live Pebble  4"),
        "{report}"
    );
}
