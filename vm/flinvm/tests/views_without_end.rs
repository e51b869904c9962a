//! Pages and answers that are deep, wide or without end: what fits is answered, what does not is a failure of that one request. Must stay
//! true: what fits depends on the limits alone, and afterwards the server is as before.

mod support;

use flin_testkit::http;
use flin_testkit::process::Server;
use support::Folder;

const HUGE: &str = r#"
entity Knot { name: text, to: Knot }
if Knot.count == 0 {
  one = save Knot { name: "one" }
  one.to = one
  save one
}
fn follow(knot: Knot, n: int) -> text { if n == 0 then knot.name else follow(knot.to, n - 1) }
view { <p>{Knot.count} knot</p> }
page "/wide/:n" { view { {for i in 0..(params.n.to_int ?: 0)}<u>{i}</u>{/for} } }
page "/attribute/:n" {
  view { <p title={"<\"&'>".repeat(params.n.to_int ?: 0)} style="color: {"x".repeat(params.n.to_int ?: 0)}">p</p> }
}
page "/endless" { view { {for i in 0..9223372036854775807}<u>{i}</u>{/for} } }
page "/ring/:n" { view { <p>{follow(Knot.first, params.n.to_int ?: 0)}</p> } }
page "/keys" { view { {for i in [1, 1, 2]}<u key={i}>{i}</u>{/for} } }
route GET "/json/:n" {
  list = []
  for i in 0..(params.n.to_int ?: 0) { list = [list] }
  list
}
route GET "/big/:n" { "x".repeat(params.n.to_int ?: 0) }
route GET "/knot" { Knot.first }
"#;

#[test]
fn what_fits_is_answered_and_the_rest_costs_one_request() {
    let folder = Folder::new();
    let module = folder.compile("huge.fbc", HUGE);
    let limits = ["--set", "limits.time=3s", "--set", "limits.memory=48MB"];
    let server = Server::start_with(&module, &folder.path("data"), &limits);
    let cases: [(&str, &[u16]); 16] = [
        ("/wide/1000", &[200]),
        ("/wide/10000000", &[500, 503]),
        ("/attribute/1000", &[200]),
        ("/attribute/100000000", &[500]),
        ("/endless", &[500, 503]),
        ("/ring/100", &[200]),
        ("/ring/100000", &[500]),
        ("/keys", &[200]),
        ("/json/20", &[200]),
        ("/json/1000", &[500]),
        ("/json/1000000", &[500, 503]),
        ("/big/1000000", &[200]),
        ("/big/1000000000", &[500]),
        ("/big/-1", &[200]),
        ("/big/x", &[200]),
        ("/knot", &[200]),
    ];
    for (path, statuses) in cases {
        let answer = http::get(&server.url, path);
        let start: String = answer.body.chars().take(200).collect();
        assert!(
            statuses.contains(&answer.status),
            "{path}: {} {start}",
            answer.status
        );
        assert_eq!(http::get(&server.url, "/").status, 200, "after {path}");
    }
    // Nothing of what was said left its attribute.
    let page = http::get(&server.url, "/attribute/2").body;
    assert!(page.contains("title=\"&lt;&quot;&amp;"), "{page}");
    assert!(
        http::get(&server.url, "/_flin/metrics")
            .body
            .contains("\nvm_panics_total 0\n")
    );
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
