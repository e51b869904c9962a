//! What a client may make grow has an end, and the server says so. Every limit has its test here.

mod support;

use std::io::Write;
use std::time::{Duration, Instant};

use flin_runtime::RuntimeOptions;
use flin_server::ServerLimits;
use support::{read_answer, serve, serve_with};

#[test]
fn a_big_head_is_431() {
    let server = serve();
    let answer = server.ask("GET", "/", &[("X-Big", &"a".repeat(20_000))], "");
    assert_eq!(answer.status, 431, "{}", answer.head);
    let mut many = String::from("GET / HTTP/1.1\r\nHost: localhost\r\n");
    for n in 0..200 {
        many += &format!("X-{n}: 1\r\n");
    }
    assert_eq!(server.raw(format!("{many}\r\n").as_bytes()).status, 431);
}

#[test]
fn a_slow_head_is_408_however_it_drips() {
    let limits = ServerLimits {
        head_time: Duration::from_millis(300),
        ..ServerLimits::default()
    };
    let server = serve_with(limits, RuntimeOptions::default());
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    let mut dripping = stream.try_clone().unwrap();
    let dripper = std::thread::spawn(move || {
        // Ends when the server has closed.
        while dripping.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let answer = read_answer(&mut stream);
    assert_eq!(answer.status, 408, "{}", answer.head);
    drop(stream);
    dripper.join().unwrap();
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let limits = ServerLimits {
        head_time: Duration::from_millis(200),
        idle_time: Duration::from_millis(200),
        ..ServerLimits::default()
    };
    let server = serve_with(limits, RuntimeOptions::default());
    // One that never says anything, and one that pauses after its first request.
    let answer = read_answer(&mut server.connect());
    assert_eq!((answer.status, answer.head.as_str()), (0, ""));
    let mut stream = server.connect();
    let request = format!(
        "GET /_flin/health HTTP/1.1\r\nHost: {}\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).unwrap();
    let answer = read_answer(&mut stream);
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("408"), "{}", answer.body);
}

#[test]
fn a_big_body_is_413_before_it_is_read() {
    let server = serve();
    let head = format!(
        "POST /_action HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n",
        server.address
    );
    let answer = server.raw(head.as_bytes());
    assert_eq!(answer.status, 413, "{}", answer.head);
    // The same without a length told beforehand.
    let chunk = format!("{:x}\r\n{}\r\n", 600_000, "a".repeat(600_000));
    let head = format!(
        "POST /_action HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.address
    );
    let answer = server.raw(format!("{head}{chunk}{chunk}0\r\n\r\n").as_bytes());
    assert_eq!(answer.status, 413, "{}", answer.head);
}

#[test]
fn a_slow_body_is_408() {
    let limits = ServerLimits {
        body_time: Duration::from_millis(200),
        ..ServerLimits::default()
    };
    let server = serve_with(limits, RuntimeOptions::default());
    let head = format!(
        "POST /_action HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{{",
        server.address
    );
    assert_eq!(server.raw(head.as_bytes()).status, 408);
}

#[test]
fn one_connection_too_many_is_503_and_the_others_live() {
    let limits = ServerLimits {
        connections_max: 3,
        ..ServerLimits::default()
    };
    let server = serve_with(limits, RuntimeOptions::default());
    let first: Vec<_> = (0..3).map(|_| server.connect()).collect();
    let until = Instant::now() + Duration::from_secs(10);
    // The three are counted when the server has accepted them, which may be a moment after they connected.
    loop {
        let answer = read_answer(&mut server.connect());
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), Some("1"));
            break;
        }
        assert!(Instant::now() < until, "no connection was turned away");
    }
    drop(first);
    while server.get("/_flin/health").status != 200 {
        assert!(Instant::now() < until, "the server did not recover");
    }
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let limits = ServerLimits {
        connections_max: 1,
        send_time: Duration::from_millis(200),
        ..ServerLimits::default()
    };
    let server = serve_with(limits, RuntimeOptions::default());
    let mut stream = server.connect();
    stream.set_nonblocking(true).expect("a socket");
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    let (mut sent, until) = (0, Instant::now() + Duration::from_secs(60));
    // Asks on until everything between the two is full, and on until it is over.
    loop {
        match stream.write(&request.as_bytes()[sent % request.len()..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(_) => break,
        }
        assert!(Instant::now() < until, "the connection is still held");
    }
    assert!(sent > request.len());
    while server.get("/_flin/health").status != 200 {
        assert!(Instant::now() < until, "the place was not given back");
    }
}

#[test]
fn smuggling_is_refused() {
    let server = serve();
    let host = format!("Host: {}\r\n", server.address);
    for bad in [
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "Content-Length: +5\r\n\r\nhello",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "X-A : b\r\nContent-Length: 0\r\n\r\n",
        "X-A: b\u{0}\r\nContent-Length: 0\r\n\r\n",
    ] {
        let answer = server.raw(format!("POST /echo HTTP/1.1\r\n{host}{bad}").as_bytes());
        assert!(
            matches!(answer.status, 400 | 501),
            "{bad:?}: {} {}",
            answer.status,
            answer.body
        );
    }
}

#[test]
fn after_two_lengths_nothing_more_is_taken() {
    let server = serve();
    let host = format!("Host: {}\r\n", server.address);
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
    ] {
        let smuggled = format!("GET /_flin/health HTTP/1.1\r\n{host}\r\n");
        let request = format!("POST /echo HTTP/1.1\r\n{host}{lengths}\r\n\r\n0\r\n\r\n{smuggled}");
        let answer = server.raw(request.as_bytes());
        assert_eq!(
            answer.header("connection"),
            Some("close"),
            "{}",
            answer.head
        );
        assert!(
            !answer.body.contains("HTTP/1.1"),
            "a second answer: {}",
            answer.body
        );
    }
}

#[test]
fn deep_and_doubled_json_is_400() {
    let server = serve();
    for bad in [
        format!(
            "{{\"_action\":\"add\",\"_state\":{}1{}}}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        ),
        "{\"_action\":\"add\",\"_action\":\"remove\"}".to_owned(),
        "{\"_action\":\"add\",\"_state\":\"{\\\"draft\\\":\\\"a\\\",\\\"draft\\\":\\\"b\\\"}\"}"
            .to_owned(),
        "{\"_action\":\"add\"} trailing".to_owned(),
        "[]".to_owned(),
        "{\"_action\":3}".to_owned(),
        "{\"_action\":\"add\",\"_args\":{}}".to_owned(),
        "{\"_action\":\"add\",\"_state\":[]}".to_owned(),
        "{\"_action\":\"add\",\"title\":\"x\"}".to_owned(),
        "{}".to_owned(),
        String::new(),
    ] {
        let answer = server.post_json("/_action", &bad);
        let shown = &bad[..bad.len().min(60)];
        assert_eq!(answer.status, 400, "{shown}: {}", answer.body);
        assert!(
            answer
                .body
                .starts_with("{\"type\":\"error\",\"error\":{\"kind\":\"BadRequest\""),
            "{}",
            answer.body
        );
    }
    assert_eq!(
        server.runtime.store().head().0,
        server.runtime.store().snapshot().lsn().0
    );
}

#[test]
fn more_parts_of_variables_than_forms_have_are_400() {
    let server = serve();
    let parts: Vec<String> = (0..1001).map(|n| format!("\"draft.{n}\":1")).collect();
    let answer = server.act("add", "[]", &format!("{{{}}}", parts.join(",")));
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(
        answer.body.contains("parts of variables"),
        "{}",
        answer.body
    );
}
