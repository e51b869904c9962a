//! Wishes that are sent twice under one name, and wishes about records that somebody else has changed meanwhile.

mod support;

use flin_testkit::http;
use flin_testkit::process::Server;
use serde_json::{Value, json};
use support::Folder;
use support::tab::{Tab, parse};

const TASKS: &str = r#"
entity Task { title: text @required }
picked: Task? = none
words = "new"
fn add(title: text) { save Task { title: title } }
fn rename(task: Task, title: text) {
  task.title = title
  save task
}
fn rename_seen(task: Task, seen: int, title: text) {
  if task.version != seen { fail("ConflictError", "{task.title} is newer than what you saw") }
  rename(task, title)
}
fn pick(task: Task) { picked = task }
fn keep() {
  mine = picked
  if mine != none { rename(mine, words) }
}
view {
  <input bind={words} />
  <button click={add(words)}>add</button>
  <button click={keep()}>keep</button>
  <p>{if picked == none then "nothing" else "something"}</p>
  {for task in Task.all}
    <li>{task.title}
      <button click={rename(task, words)}>rename</button>
      <button click={rename_seen(task, task.version, words)}>rename what I saw</button>
      <button click={pick(task)}>pick</button>
    </li>
  {/for}
}
"#;

fn serve(folder: &Folder) -> Server {
    Server::start(&folder.compile("tasks.fbc", TASKS), &folder.path("data"))
}

fn task(id: u64, version: Value) -> Value {
    json!({ "_entity": true, "type": "Task", "id": id, "version": version })
}

/// Status and answer of an action by hand.
fn act(server: &Server, action: &str, args: Value, state: Value) -> (u16, Value) {
    let wish = json!({ "_page": "/", "_action": action, "_args": args, "_state": state });
    let answer = http::post_json(&server.url, "/_action", &wish.to_string());
    (answer.status, parse(&answer.body))
}

#[test]
fn a_name_stands_for_one_wish_and_not_for_another() {
    let folder = Folder::new();
    let server = serve(&folder);
    let tab = Tab::open(&server.url, "/");
    let wish = |title: &str, words: &str| {
        let wish = json!({
            "_page": "/", "_action": "add", "_args": [title], "_state": { "words": words },
            "key": "one-name-for-all-of-them",
        });
        tab.post("/_action", &wish)
    };
    assert_eq!(wish("one", "one").status, 200);
    for (title, words) in [("two", "one"), ("one", "two")] {
        let refused = wish(title, words);
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert_eq!(parse(&refused.body)["error"]["kind"], "KeyReused");
    }
    assert_eq!(wish("one", "one").status, 200);
    let document = http::get(&server.url, "/").body;
    assert_eq!(document.matches(">one ").count(), 1, "{document}");
}

// The answer of a wish was kept whole, with the page as it was then: megabytes of it, and out of date.
#[test]
fn who_asks_again_is_told_the_same_with_the_page_as_it_is_now() {
    let folder = Folder::new();
    let server = serve(&folder);
    let tab = Tab::open(&server.url, "/");
    let wish = json!({
        "_page": "/", "_action": "add", "_args": ["mine"], "_state": { "words": "mine" },
        "view": tab.view, "key": "the-same-name-again",
    });
    let first = parse(&tab.post("/_action", &wish).body);
    assert_eq!(
        act(
            &server,
            "add",
            json!(["theirs"]),
            json!({ "words": "theirs" })
        )
        .0,
        200
    );
    let again = parse(&tab.post("/_action", &wish).body);
    assert_eq!(
        (&again["type"], &again["state"]),
        (&first["type"], &first["state"])
    );
    assert!(again["patch"].to_string().contains("theirs"), "{again}");
    assert_eq!(again["view"], Tab::open(&server.url, "/").view.as_str());
    assert!(again["seq"].as_u64() > first["seq"].as_u64());
}

#[test]
fn a_record_that_was_changed_meanwhile_is_a_conflict() {
    let folder = Folder::new();
    let server = serve(&folder);
    assert_eq!(
        act(&server, "add", json!(["one"]), json!({ "words": "one" })).0,
        200
    );
    let rename = |version: Value, title: &str| {
        act(
            &server,
            "rename",
            json!([task(1, version), title]),
            json!({ "words": title }),
        )
    };
    assert_eq!(rename(json!(1), "two").0, 200);
    let (status, told) = rename(json!(1), "three");
    assert_eq!(status, 409, "{told}");
    let error = &told["error"];
    assert_eq!(
        (&error["kind"], &error["entity"]),
        (&json!("ConflictError"), &json!("Task"))
    );
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("changed")),
        "{told}"
    );
    assert!(Tab::open(&server.url, "/").text().contains("two"));
    for odd in [json!("2"), json!(null), json!([]), json!(1.5)] {
        let (status, told) = rename(odd.clone(), "odd");
        assert_eq!(status, 400, "{odd}: {told}");
    }
    // In the state of the page, too: what was picked is what was seen.
    let keep = |version: u64| {
        let state = json!({ "picked": task(1, json!(version)), "words": "kept" });
        act(&server, "keep", json!([]), state).0
    };
    assert_eq!((keep(1), keep(2), keep(2)), (409, 200, 409));
    // Whoever says nothing of versions changes what there is.
    let plain = json!({ "_entity": true, "type": "Task", "id": 1 });
    assert_eq!(
        act(
            &server,
            "rename",
            json!([plain, "plain"]),
            json!({ "words": "plain" })
        )
        .0,
        200
    );
    // A page is shown with what there is.
    let state = json!({ "picked": task(1, json!(1)) });
    let tab = Tab::open(&server.url, "/");
    let answer = tab.post(
        "/_render",
        &json!({ "_page": "/", "_state": state, "view": null }),
    );
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn a_program_can_ask_for_the_version_that_was_seen() {
    let folder = Folder::new();
    let server = serve(&folder);
    assert_eq!(
        act(&server, "add", json!(["one"]), json!({ "words": "one" })).0,
        200
    );
    let plain = json!({ "_entity": true, "type": "Task", "id": 1 });
    let rename = |seen: u64| {
        act(
            &server,
            "rename_seen",
            json!([plain, seen, "two"]),
            json!({ "words": "two" }),
        )
    };
    assert_eq!(rename(1).0, 200);
    let (status, told) = rename(1);
    assert_eq!(status, 409);
    assert_eq!(told["error"]["message"], "two is newer than what you saw");
}
