//! The browser runtime as it is served, in pages whose server and sockets a test holds in its hand: what the browser does by
//! itself, what it asks and says, and what it does with answers, lost ones too.

use flin_browser::{Site, example::Example, run};
use flin_testkit::http;

/// The runtime's text.
fn runtime(site: &Site) -> String {
    let page = http::get(site.url(), "/").body;
    http::get(site.url(), &address(&page, "/_flin/runtime-")).body
}

/// The address in a text that begins so.
fn address(text: &str, start: &str) -> String {
    let from = text
        .find(start)
        .expect("the address of a part of the runtime");
    let length = text[from..].find('"').expect("the end of the address");
    text[from..from + length].to_owned()
}

async fn play(site: &Site, runtime: &str, scenario: &str) {
    let tab = site.blank().await;
    tab.lift_policy().await;
    // A document of the same origin without a runtime of its own.
    tab.goto(&format!("{}/_flin/health", site.url())).await;
    let harness = include_str!("runtime.js");
    let name = flin_browser::quote(scenario);
    let script =
        format!("(() => {{ {harness}\nreturn play({name}, async () => {{ {runtime} }}); }})()");
    assert_eq!(tab.eval(&script).await, "fine");
}

/// One test for each scenario.
macro_rules! scenarios {
    ($($test:ident: $scenario:literal;)*) => {
        $(#[test]
        fn $test() {
            run(Example::compile("counter"), async |site| {
                play(site, &runtime(site), $scenario).await;
            });
        })*

        #[test]
        fn each_scenario_has_its_test() {
            let names = [$($scenario),*];
            let written = include_str!("runtime.js").lines().filter(|line| line.starts_with("  async \""));
            assert_eq!(written.count(), names.len());
        }
    };
}

scenarios! {
    a_handler_of_the_browser_needs_no_request: "a handler of the browser is shown at once, without a request";
    typing_is_shown_in_the_same_frame: "what is typed is shown in the same frame, also elsewhere";
    a_choice_brings_a_patch: "a choice that the server's part depends on brings a patch";
    a_patch_that_starts_elsewhere_is_not_applied: "a patch that starts elsewhere is not applied, the server is asked";
    what_the_browser_gives_up_the_server_does: "what the browser gives up the server does";
    an_error_of_a_handler_changes_nothing: "an error of a handler is shown and changes nothing";
    an_action_waits_and_is_done_once: "an action waits for its server and is done once";
    a_refusal_is_not_repeated: "a refusal is shown at its field and not repeated";
    values_that_load_have_one_update_for_each_step: "values that load have one update for each step";
    calls_are_spread: "calls are spread";
    events_stand_in_for_sockets: "where sockets do not get through events do";
    a_link_is_followed_in_place: "a link to another page is followed in place";
    numbers_beyond_the_browsers_are_the_servers: "a number beyond the browser's is the server's";
    an_answer_is_not_for_the_next_visit: "an answer is not for the next visit of the same page";
    handlers_here_wait_for_actions_that_change_state: "a handler of the browser waits for actions that change state";
    changes_made_while_an_action_is_under_way_stay: "what the user changes while an action is under way stays";
    input_is_read_as_the_server_would: "only what the server would take is a number or a time";
    another_build_keeps_what_was_typed: "another build keeps state and what was typed";
}
