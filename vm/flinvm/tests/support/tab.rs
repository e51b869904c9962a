//! A page as a browser keeps it: the name of its view, its values, a socket that watches. Here because what a client ends up with is
//! what counts, whatever messages it got. Must stay true: it does what docs/internals/live-protocol.md says a client does, and
//! judges everything that it is told; it knows nothing of templates.

use std::net::TcpStream;
use std::time::Duration;

use flin_testkit::http::{self, Answer};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open page.
pub struct Tab {
    pub url: String,
    pub path: String,
    /// The page data of its document.
    pub data: Value,
    /// The asked state.
    pub state: Value,
    pub view: String,
    pub seq: u64,
    pub values: Value,
    pub socket: Option<WebSocket<TcpStream>>,
}

/// A socket of a server.
pub fn socket(url: &str, path: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("the port is open");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    let address = format!("{}/_ws?page={path}", url.replace("http", "ws"));
    tungstenite::client(address, stream).expect("a socket").0
}

/// The next text message.
pub fn hear(socket: &mut WebSocket<TcpStream>) -> String {
    loop {
        match socket.read().expect("a message") {
            Message::Text(text) => return text.to_string(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("expected text, found {other:?}"),
        }
    }
}

pub fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Tab {
    /// Loads a page; its values are asked for at once.
    pub fn open(url: &str, path: &str) -> Tab {
        let document = http::get(url, path).body;
        let start = document.find("id=\"flin-page\">").expect("page data") + 15;
        let end = document[start..].find("</script>").expect("its end") + start;
        let data = parse(&document[start..end]);
        let mut tab = Tab {
            url: url.to_owned(),
            path: path.to_owned(),
            view: data["view"]
                .as_str()
                .expect("the page has a view")
                .to_owned(),
            seq: data["seq"].as_u64().expect("a number"),
            data,
            state: json!({}),
            values: Value::Null,
            socket: None,
        };
        let answer = tab.render(json!({ "view": null }));
        assert_eq!(answer["view"], tab.view.as_str(), "{answer}");
        tab.values = answer["values"].clone();
        tab
    }

    /// `POST /_render` with further entries; only asks.
    pub fn render(&self, more: Value) -> Value {
        let mut body = json!({ "_page": self.path, "_state": self.state });
        extend(&mut body, more);
        let answer = self.post("/_render", &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        parse(&answer.body)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json"), ("X-Flin", "1")];
        http::request(&self.url, "POST", path, &headers, &body.to_string())
    }

    /// An action as the browser runtime asks for it; the tab takes the answer over.
    pub fn act(&mut self, action: &str, args: Value, state: Value) -> Value {
        let mut body = json!({
            "_page": self.path, "_action": action, "_args": args, "_state": self.state,
            "view": self.view, "token": self.data["token"], "build": self.data["build"],
        });
        extend(&mut body["_state"], state);
        let answer = self.post("/_action", &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = parse(&answer.body);
        self.take(&answer);
        answer
    }

    /// Begins to watch, and gives the answer; the tab has taken it over.
    pub fn watch(&mut self) -> Value {
        let wish = json!({
            "action": "watch", "page": self.path, "state": self.state,
            "view": self.view, "seq": self.seq, "build": self.data["build"],
        });
        self.say(&wish);
        self.hear()
    }

    pub fn say(&mut self, wish: &Value) {
        let (url, path) = (self.url.clone(), self.path.clone());
        let socket = self.socket.get_or_insert_with(|| socket(&url, &path));
        socket
            .send(Message::text(wish.to_string()))
            .expect("it is open");
    }

    /// The next message; the tab has taken it over.
    pub fn hear(&mut self) -> Value {
        let message = parse(&hear(self.socket.as_mut().expect("it watches")));
        self.take(&message);
        if message["type"] == "changed" && message["view"] != self.view.as_str() {
            let answer = self.render(json!({ "view": self.view }));
            self.take(&answer);
        }
        message
    }

    /// Listens until the page shows this commit.
    pub fn hear_until(&mut self, seq: u64) {
        while self.seq < seq {
            self.hear();
        }
    }

    /// Listens until there is a message of this type.
    pub fn hear_kind(&mut self, kind: &str) -> Value {
        loop {
            let message = self.hear();
            if message["type"] == kind {
                return message["type"].clone();
            }
        }
    }

    // Rules 1 to 3 of the client.
    fn take(&mut self, message: &Value) {
        let seq = message["seq"].as_u64().unwrap_or(0);
        let Some(view) = message["view"].as_str() else {
            return;
        };
        if view == self.view {
            self.seq = self.seq.max(seq);
            return;
        }
        if message["from"] == self.view.as_str() {
            let values = std::mem::take(&mut self.values);
            self.values = patched(values, &message["patch"]);
        } else if message["values"].is_array() {
            assert!(seq >= self.seq, "older than what is shown: {message}");
            self.values = message["values"].clone();
        } else {
            return;
        }
        self.view = view.to_owned();
        self.seq = seq;
    }

    /// What is shown is what the server would show.
    pub fn check(&self) {
        let now = self.render(json!({ "view": null }));
        assert_eq!(now["values"], self.values);
        assert_eq!(now["view"], self.view.as_str());
    }

    /// All texts of the values, one after the other.
    pub fn text(&self) -> String {
        self.values.to_string()
    }
}

fn extend(into: &mut Value, more: Value) {
    let (Value::Object(into), Value::Object(more)) = (into, more) else {
        panic!("objects");
    };
    into.extend(more);
}

/// The value after a patch.
fn patched(old: Value, patch: &Value) -> Value {
    match (old, patch) {
        (Value::Object(mut names), Value::Object(changes)) => {
            for (name, value) in changes {
                names.remove(name);
                if !value.is_null() {
                    names.insert(name.clone(), value.clone());
                }
            }
            Value::Object(names)
        }
        (Value::Array(items), Value::Object(ops)) if ops.contains_key("ops") => {
            list(items, &ops["ops"])
        }
        (Value::Array(mut parts), Value::Object(places)) => {
            for (place, patch) in places {
                let at = place.parse::<usize>().expect("a number") + 1;
                let part = std::mem::take(&mut parts[at]);
                parts[at] = patched(part, patch);
            }
            Value::Array(parts)
        }
        (_, whole) => whole.clone(),
    }
}

fn list(mut items: Vec<Value>, ops: &Value) -> Value {
    let at = |items: &[Value], key: &Value| {
        let found = items.iter().position(|item| item[0] == *key);
        found.unwrap_or_else(|| panic!("no item {key}"))
    };
    for op in ops.as_array().expect("operations") {
        let (name, key) = (op[0].as_str().expect("a name"), &op[1]);
        let place = |items: &[Value]| match &op[2] {
            Value::Null => items.len(),
            before => at(items, before),
        };
        match name {
            "d" => drop(items.remove(at(&items, key))),
            "i" => items.insert(place(&items), json!([key, op[3]])),
            "m" => {
                let item = items.remove(at(&items, key));
                items.insert(place(&items), item);
            }
            "p" => {
                let at = at(&items, key);
                let block = std::mem::take(&mut items[at][1]);
                items[at][1] = patched(block, &op[2]);
            }
            other => panic!("an operation: {other}"),
        }
    }
    Value::Array(items)
}
