//! Pages that are not rendered again while nothing they show has changed: who asks after a commit sees it, told or not.

mod support;

use flin_runtime::store;
use support::{Answer, Running, serve};

fn page(server: &Running) -> Answer {
    let answer = server.get("/");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

fn add(server: &Running, text: &str) {
    let answer = server.act("add", "[]", &format!("{{\"draft\":\"{text}\"}}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn a_page_shows_what_was_answered_before_it_was_asked_for() {
    let server = serve();
    for n in 0..30 {
        assert_eq!(page(&server).body, page(&server).body);
        add(&server, &format!("memo {n}."));
        assert!(page(&server).body.contains(&format!("memo {n}.")));
    }
}

// A commit is answered before it is told, so what was told is not all that a page must show.
#[test]
fn a_commit_that_was_not_told_yet_is_shown() {
    let server = serve();
    add(&server, "one");
    page(&server);
    let store = server.runtime.store().clone();
    let memo = store::TypeIx(0);
    let mut transaction = store.begin();
    let id = store::EntityId(1);
    let first = transaction.get(memo, id).expect("readable").expect("there");
    let mut fields = first.fields.clone();
    fields[0] = store::FieldValue::text("changed meanwhile");
    transaction.update(memo, id, fields).expect("update");
    let (published, is_published) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let done = move |_| {
        published.send(()).expect("the test waits");
        may_go_on.recv().expect("the test goes on");
    };
    store.commit(transaction, None, Box::new(done));
    is_published.recv().expect("the commit is done");
    assert!(page(&server).body.contains("changed meanwhile"));
    go_on.send(()).expect("the committer waits");
    assert!(page(&server).body.contains("changed meanwhile"));
}

#[test]
fn each_form_of_a_page_has_its_tag() {
    let server = serve();
    for n in 0..40 {
        add(&server, &format!("memo number {n}"));
    }
    let plain = page(&server);
    let tag = plain.header("etag").expect("a tag").to_owned();
    assert!(tag.starts_with('"') && plain.header("content-encoding").is_none());
    for encoding in ["br", "gzip"] {
        for _ in 0..2 {
            let packed = server.ask("GET", "/", &[("Accept-Encoding", encoding)], "");
            assert_eq!(packed.header("content-encoding"), Some(encoding));
            assert_eq!(packed.header("etag"), Some(&*format!("W/{tag}")));
            assert_eq!(packed.header("vary"), Some("accept-encoding"));
        }
    }
    assert_eq!(
        server
            .ask("GET", "/", &[("If-None-Match", &tag)], "")
            .status,
        304
    );
    add(&server, "one more");
    assert_eq!(
        server
            .ask("GET", "/", &[("If-None-Match", &tag)], "")
            .status,
        200
    );
}
