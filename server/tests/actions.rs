//! Actions: the answers by hand to the letter, what may be sent, what is refused; with and without JavaScript.

mod support;

use support::{Running, serve, serve_broken};

const RELOAD: &str = "{\"type\":\"reload\"}";
const OK: &str = "{\"type\":\"ok\"}";

fn memo(id: u32) -> String {
    format!("{{\"_entity\":true,\"type\":\"Memo\",\"id\":{id}}}")
}

fn add(server: &Running, text: &str) {
    let answer = server.act("add", "[]", &format!("{{\"draft\":\"{text}\"}}"));
    assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
}

#[test]
fn each_way_to_change_a_record() {
    let server = serve();
    add(&server, "milk");
    assert!(server.get("/").body.contains("<li>milk</li>"));
    let answer = server.act("toggle", &format!("[{}]", memo(1)), "{}");
    assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
    assert!(
        server.get("/memos").body.contains("\"marked\":true"),
        "{}",
        server.get("/memos").body
    );
    let answer = server.act("rename", &format!("[{},\"fixed\"]", memo(1)), "{}");
    assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
    assert!(server.get("/").body.contains("<li>fixed</li>"));
    let answer = server.act("remove", &format!("[{}]", memo(1)), "{}");
    assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
    assert!(!server.get("/").body.contains("<li>"));
}

#[test]
fn args_and_state_may_be_json_text_or_plain_json_or_a_form() {
    let server = serve();
    let text = r#"{"_action":"add","_args":"[]","_state":"{\"draft\":\"one\"}"}"#;
    assert_eq!(server.post_json("/_action", text).body, RELOAD);
    let plain = r#"{"_action":"add","_args":[],"_state":{"draft":"two"},"_page":"/"}"#;
    assert_eq!(server.post_json("/_action", plain).body, RELOAD);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.ask(
        "POST",
        "/_action",
        &form,
        "_action=add&_args=%5B%5D&_state=%7B%22draft%22%3A%22three%22%7D",
    );
    assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
    let answer = server.ask("POST", "/_action", &form, "_action=add&draft=four");
    assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
    let page = server.get("/").body;
    assert!(
        page.contains("<li>one</li><li>two</li><li>three</li><li>four</li>"),
        "{page}"
    );
}

#[test]
fn json_that_says_to_be_a_form_is_told_so() {
    let server = serve();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.ask("POST", "/_action", &form, "{\"_action\":\"add\"}");
    assert!(
        answer.status == 400 && answer.body.contains("Content-Type: application/json"),
        "{}",
        answer.body
    );
}

#[test]
fn what_changes_nothing_is_ok() {
    let server = serve();
    let answer = server.act("click", "[]", "{}");
    assert_eq!((answer.status, answer.body.as_str()), (200, OK));
}

#[test]
fn the_browser_runtime_gets_the_state_that_changed() {
    let server = serve();
    let mut clicks = String::from("0");
    for n in 1..=3 {
        let body = format!(
            "{{\"_action\":\"#4\",\"_args\":[],\"_state\":{{\"draft\":\"kept\",\"clicks\":{clicks}}},\"_page\":\"/\"}}"
        );
        let headers = [("Content-Type", "application/json"), ("X-Flin", "1")];
        let answer = server.ask("POST", "/_action", &headers, &body);
        clicks = n.to_string();
        let expected = format!("{{\"type\":\"ok\",\"state\":{{\"clicks\":{n}}},\"seq\":");
        assert!(answer.body.starts_with(&expected), "{}", answer.body);
    }
    let body = "{\"_page\":\"/\",\"_state\":{\"draft\":\"half</script>typed\",\"clicks\":3}}";
    let answer = server.post_json("/_render", body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.contains("\\u003cp\\u003e3\\u003c/p\\u003e"),
        "{}",
        answer.body
    );
    assert!(
        answer
            .body
            .contains("\"draft\":\"half\\u003c/script\\u003etyped\""),
        "{}",
        answer.body
    );
}

#[test]
fn a_rule_that_fails_names_entity_field_and_rule() {
    let server = serve();
    let answer = server.act("add", "[]", "{\"draft\":\"\"}");
    let expected = "{\"type\":\"error\",\"error\":{\"kind\":\"ValidationError\",\"message\":\"text is required\",\
        \"entity\":\"Memo\",\"field\":\"text\",\"rule\":\"required\"}}";
    assert_eq!((answer.status, answer.body.as_str()), (422, expected));
    add(&server, "once");
    let answer = server.act("add", "[]", "{\"draft\":\"once\"}");
    let expected = "{\"type\":\"error\",\"error\":{\"kind\":\"ValidationError\",\"message\":\"text is already taken\",\
        \"entity\":\"Memo\",\"field\":\"text\",\"rule\":\"unique\"}}";
    assert_eq!((answer.status, answer.body.as_str()), (422, expected));
    assert_eq!(server.get("/").body.matches("<li>").count(), 1);
}

#[test]
fn only_what_the_page_exposes() {
    let server = serve();
    add(&server, "milk");
    let before = server.runtime.store().head();
    let refused = |action: &str, args: &str, state: &str, status: u16| {
        let answer = server.act(action, args, state);
        assert_eq!(
            answer.status, status,
            "{action} {args} {state}: {}",
            answer.body
        );
    };
    for unknown in [
        "init draft",
        "view /",
        "main",
        "#99",
        "#",
        "#-1",
        "#0x1",
        "__proto__",
        "",
    ] {
        refused(unknown, "[]", "{}", 404);
    }
    refused("rename", &format!("[{},\"mine\"]", memo(1)), "{}", 400);
    refused("rename", &format!("[{}]", memo(1)), "{}", 400);
    refused("toggle", "[]", "{}", 400);
    refused("toggle", "[1]", "{}", 400);
    refused(
        "toggle",
        "[{\"_entity\":true,\"type\":\"Unread\",\"id\":1}]",
        "{}",
        400,
    );
    refused("toggle", &format!("[{}]", memo(99)), "{}", 404);
    refused("toggle", &format!("[{}]", memo(0)), "{}", 404);
    refused(
        "toggle",
        "[{\"_entity\":true,\"type\":\"Memo\",\"id\":-1}]",
        "{}",
        404,
    );
    refused("add", "[]", "{\"draft\":3}", 400);
    refused("add", "[]", "{\"draft\":null}", 400);
    refused("add", "[]", "{\"body\":{}}", 400);
    refused("add", "[]", "{\"request\":{}}", 400);
    refused("add", "[]", "{\"nothing\":1}", 400);
    refused("click", "[]", "{\"clicks\":3.5}", 400);
    refused("click", "[]", "{\"clicks\":\"3\"}", 400);
    refused("click", "[]", "{\"clicks\":{\"_int\":\"3\"}}", 400);
    refused("click", "[]", "{\"clicks\":true}", 400);
    assert_eq!(server.runtime.store().head(), before);
    let answer = server.act(
        "click",
        "[]",
        "{\"clicks\":{\"_int\":\"9223372036854775806\"}}",
    );
    assert_eq!(answer.body, OK);
    let answer = server.act("click", "[]", "{\"clicks\":9223372036854775807}");
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.body.contains("IntegerOverflow"), "{}", answer.body);
}

#[test]
fn what_was_sent_along_with_a_record_is_ignored() {
    let server = serve();
    add(&server, "milk");
    let forged =
        "{\"_entity\":true,\"type\":\"Memo\",\"id\":1,\"text\":\"forged\",\"created_at\":9}";
    assert_eq!(
        server.act("toggle", &format!("[{forged}]"), "{}").body,
        RELOAD
    );
    assert!(server.get("/").body.contains("<li>milk</li>"));
}

#[test]
fn the_page_is_named_or_the_referer_or_the_root() {
    let server = serve();
    let body = "{\"_action\":\"click\",\"_page\":\"/nowhere\"}";
    let answer = server.post_json("/_action", body);
    assert!(
        answer.status == 404 && answer.body.contains("UnknownPage"),
        "{}",
        answer.body
    );
    for referer in [
        "http://localhost/broken?x=1",
        "http://localhost/nowhere",
        "junk",
    ] {
        let headers = [("Content-Type", "application/json"), ("Referer", referer)];
        assert_eq!(
            server
                .ask("POST", "/_action", &headers, "{\"_action\":\"click\"}")
                .body,
            OK,
            "{referer}"
        );
    }
}

#[test]
fn a_form_without_javascript_goes_back_to_its_page() {
    let server = serve();
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html,*/*"),
    ];
    let answer = server.ask(
        "POST",
        "/_action",
        &headers,
        "_action=%230&_args=%5B%5D&_page=%2F&draft=milk&other=1",
    );
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/")),
        "{}",
        answer.body
    );
    assert!(server.get("/").body.contains("<li>milk</li>"));
    let long = "x".repeat(21);
    let answer = server.ask(
        "POST",
        "/_action",
        &headers,
        &format!("_action=%230&_page=%2F&draft={long}"),
    );
    assert_eq!(answer.status, 422);
    assert!(
        answer
            .body
            .contains("aria-invalid=\"true\" aria-describedby=\"flin-error-draft\""),
        "{}",
        answer.body
    );
    assert!(
        answer
            .body
            .contains("<span id=\"flin-error-draft\" class=\"flin-error\" role=\"alert\">text "),
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains(&format!("value=\"{long}\"")),
        "what was typed is kept: {}",
        answer.body
    );
    let answer = server.ask("POST", "/_action", &headers, "_action=%238&_page=%2F");
    assert!(
        answer.status == 500 && answer.body.contains("<h1>Something went wrong</h1>"),
        "{}",
        answer.body
    );
}

#[test]
fn what_goes_wrong_inside_leaves_as_an_id() {
    let server = serve();
    let answer = server.act("divide", "[]", "{}");
    assert_eq!(answer.status, 500);
    assert!(
        answer.body.contains("\"kind\":\"DivisionByZero\"") && answer.body.contains("\"id\":\""),
        "{}",
        answer.body
    );
    assert!(
        !answer.body.contains("memos.flin") && !answer.body.contains(":88"),
        "{}",
        answer.body
    );
    let answer = server.act("boom", "[]", "{}");
    assert!(
        answer.status == 500 && answer.body.contains("the printer has no paper"),
        "{}",
        answer.body
    );
    assert_eq!(server.act("click", "[]", "{}").body, OK);
}

#[test]
fn a_form_full_of_names_is_read_in_one_pass() {
    let server = serve();
    let mut body = String::from("_action=add&_page=/&draft=milk");
    for name in 0..120_000 {
        body.push_str(&format!("&{name:x}"));
    }
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let by_hand = server.ask("POST", "/_action", &[form], &body);
    assert_eq!(by_hand.status, 400, "{}", by_hand.body);
    let by_form = server.ask("POST", "/_action", &[form, ("Accept", "text/html")], &body);
    assert_eq!(by_form.status, 303, "{}", by_form.body);
}

#[test]
fn a_loop_without_end_is_stopped() {
    let runtime = flin_runtime::RuntimeOptions {
        request_time: std::time::Duration::from_millis(100),
        workers: 1,
        ..flin_runtime::RuntimeOptions::default()
    };
    let server = support::serve_with(flin_server::ServerLimits::default(), runtime);
    let answer = server.act("spin", "[]", "{}");
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.body.contains("TimeLimitExceeded"), "{}", answer.body);
    assert_eq!(server.act("click", "[]", "{}").body, OK);
}

#[test]
fn a_panic_costs_one_request() {
    let server = serve_broken();
    let answer = server.act("clock", "[]", "{}");
    assert_eq!(answer.status, 500);
    assert!(
        answer.body.contains("\"kind\":\"InternalError\"") && !answer.body.contains("wall"),
        "{}",
        answer.body
    );
    assert_eq!(server.act("click", "[]", "{}").body, OK);
    assert!(
        server
            .get("/_flin/metrics")
            .body
            .contains("\nvm_panics_total 1\n")
    );
}

// rule: ent.clash
#[test]
fn toggles_at_the_same_time_lose_nothing() {
    let server = serve();
    add(&server, "light");
    let server = &server;
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(move || {
                for _ in 0..5 {
                    let answer = server.act("toggle", &format!("[{}]", memo(1)), "{}");
                    assert_eq!((answer.status, answer.body.as_str()), (200, RELOAD));
                }
            });
        }
    });
    let memos = server.get("/memos").body;
    assert!(
        memos.contains("\"marked\":false,\"version\":41,"),
        "{memos}"
    );
}

#[test]
fn two_that_want_the_same_unique_text_get_it_once() {
    let server = serve();
    let server = &server;
    let statuses: Vec<u16> = std::thread::scope(|threads| {
        let one = |_| threads.spawn(move || server.act("add", "[]", "{\"draft\":\"mine\"}").status);
        let all: Vec<_> = (0..8).map(one).collect();
        all.into_iter()
            .map(|thread| thread.join().expect("an answer"))
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 422).count(),
        7,
        "{statuses:?}"
    );
    assert_eq!(server.get("/").body.matches("<li>").count(), 1);
}
