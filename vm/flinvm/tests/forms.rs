//! Bound controls of every kind in a form without JavaScript, as a browser posts it. Here because a browser sends less than a
//! page has: no unticked box, no empty choice. Must stay true: what is posted is the state; what is refused is said at its
//! control, and the page comes back with everything else as it was typed.

mod support;

use flin_testkit::http::{self, Answer};
use flin_testkit::process::Server;
use support::Folder;

const BOOKINGS: &str = r#"
entity Booking {
  who: text @required @minLength(2)
  seats: int @min(1) @max(9)
  price: float
  meal: bool
  room: text @one_of("attic", "cellar")
  size: text @one_of("s", "m")
  extras: [text]
  floors: [int]
  note: text @maxLength(20)
  day: time
  at: time
}
who = ""
seats = 1
price = 0.5
meal = true
room = "attic"
size = "m"
extras = ["tea"]
floors = [1]
note = ""
day: time? = parse_time("2026-01-15")
at: time = parse_time("2026-01-15T10:30:00Z") ?: now
nights: int? = none
fn book() {
  save Booking { who: who, seats: seats, price: price, meal: meal, room: room, size: size, extras: extras, floors: floors, note: note, day: day, at: at }
}
view {
  <form submit={book()}>
    <input aria-label="who" bind={who}> <input aria-label="seats" type="number" bind={seats}> <input aria-label="price" type="number" step="any" bind={price}>
    <input aria-label="nights" type="number" bind={nights}>
    <input aria-label="meal" type="checkbox" bind={meal}>
    <input aria-label="attic" type="radio" value="attic" bind={room}> <input aria-label="cellar" type="radio" value="cellar" bind={room}>
    <select aria-label="size" bind={size}><option>s</option><option>m</option></select>
    <select aria-label="extras" multiple bind={extras}><option>tea</option><option>cake</option></select>
    <select aria-label="floors" multiple bind={floors}><option value={1}>1</option><option value={2}>2</option></select>
    <textarea aria-label="note" bind={note}></textarea>
    <input aria-label="day" type="date" bind={day}> <input aria-label="at" type="datetime-local" bind={at}>
    <button>Book</button>
  </form>
  {for b in Booking.all}<p class="booking">{b.who}|{b.seats}|{b.price}|{b.meal}|{b.room}|{b.size}|{b.extras.join("+")}|{b.floors.join("+")}|{b.note}|{if b.day}{b.day.format("DD.MM.YYYY")}{else}-{/if}|{b.at.format("DD.MM. HH:mm")}</p>{/for}
}
"#;

fn served() -> (Folder, Server) {
    let folder = Folder::new();
    let module = folder.compile("bookings.fbc", BOOKINGS);
    let server = Server::start(&module, &folder.path("data"));
    (folder, server)
}

/// Posts the form as a browser would: with the hidden inputs that stand at its end.
fn post(server: &Server, fields: &str) -> Answer {
    let page = http::get(&server.url, "/").body;
    let end = &page[page.find("name=\"_action\"").expect("hidden inputs")..];
    let end = &end[..end.find("</form>").expect("the end of the form")];
    let mut body = fields.to_owned();
    for input in end.split("name=\"").skip(1) {
        let (name, rest) = input.split_once('"').expect("a name");
        let value = rest.split_once("value=\"").expect("a value").1;
        let value = value.split('"').next().unwrap_or_default();
        let value = value.replace('#', "%23");
        body.push_str(&format!("&{name}={value}"));
    }
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    http::request(&server.url, "POST", "/_action", &headers, &body)
}

fn bookings(server: &Server) -> Vec<String> {
    let page = http::get(&server.url, "/").body;
    let each = page.split("class=\"booking\"").skip(1).map(|rest| {
        let start = rest.find('>').expect("the tag's end") + 1;
        rest[start..rest.find("</p>").expect("the end")].to_owned()
    });
    each.collect()
}

const GOOD: &str = "who=Ada&seats=3&price=2.25&nights=&meal=on&room=cellar&size=s&extras=tea&extras=cake&floors=2&note=two%0D%0Alines&day=2026-02-03&at=2026-02-03T04:05";

#[test]
fn every_kind_of_control_is_posted() {
    let (_folder, server) = served();
    let answer = post(&server, GOOD);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let found = bookings(&server);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].replace("\r\n", "\n"),
        "Ada|3|2.25|true|cellar|s|tea+cake|2|two\nlines|03.02.2026|03.02. 04:05"
    );
}

#[test]
fn nothing_chosen_is_posted_as_nothing() {
    let (_folder, server) = served();
    // No box is ticked, nothing is chosen, the day is empty: a browser says nothing of the first three.
    let fields = "who=Ada&seats=1&price=1&nights=&room=attic&size=m&note=&day=&at=2026-02-03T04:05";
    let answer = post(&server, fields);
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(
        bookings(&server),
        ["Ada|1|1.0|false|attic|m||||-|03.02. 04:05"]
    );
}

#[test]
fn what_is_refused_comes_back_as_it_was_typed() {
    let (_folder, server) = served();
    let answer = post(&server, &GOOD.replace("who=Ada", "who=A"));
    assert_eq!(answer.status, 422);
    let page = &answer.body;
    let at_name = page.find("id=\"flin-error-who\"").expect("the message");
    assert!(page[..at_name].ends_with("value=\"A\"><span "), "{page}");
    for kept in [
        "name=\"seats\" value=\"3\"",
        "name=\"price\" value=\"2.25\"",
        "name=\"meal\" checked",
        "name=\"room\" checked",
        "<option selected>s</option>",
        "<option selected>tea</option><option selected>cake</option>",
        "<option value=\"2\" selected>2</option>",
        "two",
        "name=\"day\" value=\"2026-02-03\"",
        "name=\"at\" value=\"2026-02-03T04:05\"",
    ] {
        assert!(page.contains(kept), "{kept}\n{page}");
    }
    assert_eq!(bookings(&server).len(), 0);
}

#[test]
fn values_of_no_kind_are_said_at_their_controls() {
    let (_folder, server) = served();
    for (good, bad, control, message) in [
        ("seats=3", "seats=many", "seats", "a whole number"),
        ("seats=3", "seats=", "seats", "a whole number"),
        ("price=2.25", "price=1e999", "price", "a number"),
        ("day=2026-02-03", "day=2026-02-31", "day", "a time"),
        ("at=2026-02-03T04:05", "at=", "at", "a time"),
        ("size=s", "size=xxl", "size", "size"),
        ("room=cellar", "room=roof", "room", "room"),
        ("floors=2", "floors=top", "floors", "a whole number"),
        ("seats=3", "seats=12", "seats", "seats"),
        ("nights=", "nights=x", "nights", "a whole number"),
    ] {
        let answer = post(&server, &GOOD.replace(good, bad));
        assert!(
            matches!(answer.status, 400 | 422),
            "{bad}: {}",
            answer.status
        );
        let mark = format!("id=\"flin-error-{control}\"");
        let at = answer
            .body
            .find(&mark)
            .unwrap_or_else(|| panic!("{bad}: {}", answer.body));
        let end = answer.body[at..].find("</span>").expect("its end");
        assert!(
            answer.body[at..at + end].contains(message),
            "{bad}: {}",
            &answer.body[at..at + end]
        );
        assert!(
            answer.body.contains("value=\"Ada\""),
            "{bad}: what was typed is kept"
        );
    }
    assert_eq!(bookings(&server).len(), 0);
}

#[test]
fn two_values_of_no_kind_are_no_failure_of_the_server() {
    let (_folder, server) = served();
    let wrong = GOOD
        .replace("seats=3", "seats=many")
        .replace("day=2026-02-03", "day=never")
        .replace("price=2.25", "price=much");
    let answer = post(&server, &wrong);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("value=\"Ada\""), "{}", answer.body);
    assert!(
        answer.body.contains("class=\"flin-error\""),
        "{}",
        answer.body
    );
}
