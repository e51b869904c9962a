//! Old versions the whole way: shown by a page and a route, brought back by an action, and all of it again after the
//! process was killed and started anew on the same folder.

mod support;

use flin_testkit::http;
use flin_testkit::process::Server;
use support::{Folder, RELOAD, act, ended, flinvm};

/// A page over entities that link to each other, with names of its own.
const LEDGER: &str = r#"
entity Keeper { moniker: text, ledgers: [Ledger] @inverse(keeper) }
entity Ledger { line: text @required, keeper: Keeper @on_delete("set_none"), copies: [Keeper] @on_delete("set_none") }

written = ""

fn begin() {
  keeper = save Keeper { moniker: "Quill" }
  save Ledger { line: "first", keeper, copies: [keeper] }
}
fn write(ledger: Ledger) {
  ledger.line = written
  save ledger
}
fn retire(keeper: Keeper) { delete keeper }
fn strike(ledger: Ledger) { delete ledger }
fn bring_back(version: Ledger) { save version }

view {
  <button click={begin()}>begin</button> <input bind={written}/>
  {for keeper in Keeper.all}<p>{keeper.moniker} keeps {keeper.ledgers.count} <a click={retire(keeper)}>retire</a></p>{/for}
  {for ledger in Ledger.all}
    <h2>{ledger.line} <a click={write(ledger)}>write</a> <a click={strike(ledger)}>strike</a></h2>
    <ol>{for v in ledger.history}<li>{v.version} {v.line} {v.keeper?.moniker ?: "nobody"} <a click={bring_back(v)}>back</a></li>{/for}</ol>
  {/for}
}

route GET "/history/:id" { Ledger.history(params.id) }
route GET "/then" {
  first = Ledger.history(1).first
  {
    line: (first @ 0).line,
    keeper: (first @ 0).keeper.moniker,
    copies: first.copies.map(k => k.moniker),
    all: Ledger.at(first.valid_from).count,
    none_before: Ledger.at("2001-01-01").exists,
    now: Ledger.at(now).map(l => l.line)
  }
}
"#;

fn serve(folder: &Folder) -> Server {
    let module = folder.path("ledger.fbc");
    let module = if module.exists() {
        module
    } else {
        folder.compile("ledger.fbc", LEDGER)
    };
    Server::start(&module, &folder.path("data"))
}

fn done(answer: (u16, String)) {
    assert_eq!((answer.0, answer.1.as_str()), (200, RELOAD));
}

fn got(server: &Server, path: &str) -> String {
    let answer = http::get(&server.url, path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

fn record(entity: &str, id: u32) -> String {
    format!("[{{\"_entity\":true,\"type\":\"{entity}\",\"id\":{id}}}]")
}

/// The argument of the n-th handler of this name's row in the page, as the page holds it.
fn version_in(page: &str, version: u32) -> String {
    let wanted = format!("&quot;version&quot;:{version},");
    let mut args = page.split("data-flin-args-click=\"").skip(1);
    let found = args.find_map(|rest| {
        let args = rest.split('"').next()?;
        args.contains(&wanted).then(|| args.replace("&quot;", "\""))
    });
    found.unwrap_or_else(|| panic!("the page has no version {version}: {page}"))
}

/// The markup without its seals: each process seals the versions that its pages show with a key of its own.
fn unsealed(markup: &str) -> String {
    let mut parts = markup.split("&quot;seal&quot;:&quot;");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let after = part.split_once("&quot;").map_or("", |(_, after)| after);
        text + after
    })
}

/// Three versions: made, written again, and without its keeper.
fn written(server: &Server) {
    done(act(server, "begin", "[]", "{}"));
    done(act(
        server,
        "write",
        &record("Ledger", 1),
        "{\"written\":\"second\"}",
    ));
    done(act(server, "retire", &record("Keeper", 1), "{}"));
}

#[test]
fn a_page_and_a_route_show_what_was_also_after_a_kill() {
    let folder = Folder::new();
    let server = serve(&folder);
    written(&server);
    let look = |server: &Server| {
        let page = got(server, "/");
        let shown = page.split("<ol>").nth(1).expect("a list").to_owned();
        let shown = unsealed(shown.split("</ol>").next().unwrap_or_default());
        (shown, got(server, "/history/1"), got(server, "/then"))
    };
    let before = look(&server);
    for line in ["1 first Quill", "2 second Quill", "3 second nobody"] {
        assert!(before.0.contains(line), "{line}: {}", before.0);
    }
    assert_eq!(before.1.matches("\"version\":").count(), 3, "{}", before.1);
    assert!(before.1.ends_with("\"valid_to\":null}]"), "{}", before.1);
    let expected = "{\"line\":\"first\",\"keeper\":\"Quill\",\"copies\":[\"Quill\"],\"all\":1,\
                    \"none_before\":false,\"now\":[\"second\"]}";
    assert_eq!(before.2, expected);
    server.kill();
    assert_eq!(look(&serve(&folder)), before);
}

#[test]
fn an_old_version_is_brought_back_from_the_page() {
    let folder = Folder::new();
    let server = serve(&folder);
    written(&server);
    let page = got(&server, "/");
    let first = version_in(&page, 1);
    // Its keeper is gone by now, so the first version cannot come back; the third can.
    let (status, body) = act(&server, "bring_back", &first, "{}");
    assert_eq!(status, 422, "{body}");
    assert!(body.contains("keeper"), "{body}");
    done(act(
        &server,
        "write",
        &record("Ledger", 1),
        "{\"written\":\"fourth\"}",
    ));
    done(act(&server, "bring_back", &version_in(&page, 3), "{}"));
    server.kill();
    let server = serve(&folder);
    let page = got(&server, "/");
    assert!(page.contains(">second <a"), "{page}");
    assert!(
        page.contains("4 fourth nobody") && page.contains("5 second nobody"),
        "{page}"
    );
}

#[test]
fn the_history_of_a_deleted_record_is_kept_that_of_a_destroyed_one_is_not() {
    let folder = Folder::new();
    let server = serve(&folder);
    written(&server);
    done(act(&server, "strike", &record("Ledger", 1), "{}"));
    assert!(!got(&server, "/").contains("<h2"));
    let history = got(&server, "/history/1");
    assert_eq!(history.matches("\"version\":").count(), 4, "{history}");
    server.kill();
    let destroying = "entity Keeper { moniker: text }\nentity Ledger { line: text @required, keeper: Keeper, copies: [Keeper] }\n\
                      print(Ledger.history(1).len)\ndestroy Ledger.deleted.first\nprint(Ledger.history(1).len)\n";
    let script = folder.compile("destroying.fbc", destroying);
    let (code, printed, error) = ended(&flinvm(
        &["run", "--data"],
        &[&folder.path("data"), &script],
    ));
    assert_eq!((code, printed.as_str()), (0, "4\n0\n"), "{error}");
    assert_eq!(got(&serve(&folder), "/history/1"), "[]");
}
