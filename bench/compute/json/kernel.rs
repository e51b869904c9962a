//! JSON: a writer and a reader of JSON by hand, letter by letter, for values known only at run time.
const SIZE: i64 = 5;

enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

use Json::{Bool, List, Map, Null, Number, Text};

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
            out.push(c);
        } else if c == '\n' {
            out += "\\n";
        } else {
            out.push(c);
        }
    }
    out + "\""
}

fn write(value: &Json) -> String {
    match value {
        Null => "null".to_owned(),
        Bool(value) => if *value { "true" } else { "false" }.to_owned(),
        Text(text) => quote(text),
        List(items) => format!(
            "[{}]",
            items.iter().map(write).collect::<Vec<_>>().join(",")
        ),
        Map(entries) => {
            let mut parts = Vec::new();
            for (key, item) in entries {
                parts.push(quote(key) + ":" + &write(item));
            }
            format!("{{{}}}", parts.join(","))
        }
        Number(number) => number.to_string(),
    }
}

/// The text, and how far it is read.
struct Input<'a> {
    text: &'a [u8],
    at: usize,
}

fn read(text: &str) -> Json {
    read_value(&mut Input {
        text: text.as_bytes(),
        at: 0,
    })
}

fn skip_blanks(input: &mut Input) {
    while input.text[input.at] == b' ' || input.text[input.at] == b'\n' {
        input.at += 1;
    }
}

fn read_value(input: &mut Input) -> Json {
    skip_blanks(input);
    match input.text[input.at] {
        b'{' => read_map(input),
        b'[' => read_list(input),
        b'"' => Text(read_text(input)),
        b't' => read_word(input, "true", Bool(true)),
        b'f' => read_word(input, "false", Bool(false)),
        b'n' => read_word(input, "null", Null),
        _ => read_number(input),
    }
}

fn read_word(input: &mut Input, word: &str, value: Json) -> Json {
    assert!(
        input.text[input.at..].starts_with(word.as_bytes()),
        "expected {word} at {}",
        input.at
    );
    input.at += word.len();
    value
}

fn read_number(input: &mut Input) -> Json {
    let start = input.at;
    while input.at < input.text.len() && b"-0123456789".contains(&input.text[input.at]) {
        input.at += 1;
    }
    let digits = std::str::from_utf8(&input.text[start..input.at]).expect("digits");
    Number(digits.parse().expect("a number"))
}

fn read_text(input: &mut Input) -> String {
    input.at += 1;
    let mut out = Vec::new();
    while input.text[input.at] != b'"' {
        let mut c = input.text[input.at];
        if c == b'\\' {
            input.at += 1;
            c = input.text[input.at];
            if c == b'n' {
                c = b'\n';
            }
        }
        out.push(c);
        input.at += 1;
    }
    input.at += 1;
    String::from_utf8(out).expect("a text")
}

fn read_list(input: &mut Input) -> Json {
    input.at += 1;
    let mut out = Vec::new();
    skip_blanks(input);
    while input.text[input.at] != b']' {
        out.push(read_value(input));
        skip_blanks(input);
        if input.text[input.at] == b',' {
            input.at += 1;
        }
    }
    input.at += 1;
    List(out)
}

fn read_map(input: &mut Input) -> Json {
    input.at += 1;
    let mut out = Vec::new();
    skip_blanks(input);
    while input.text[input.at] != b'}' {
        let key = read_text(input);
        skip_blanks(input);
        input.at += 1;
        out.push((key, read_value(input)));
        skip_blanks(input);
        if input.text[input.at] == b',' {
            input.at += 1;
            skip_blanks(input);
        }
    }
    input.at += 1;
    Map(out)
}

fn make_orders(count: i64) -> Json {
    let mut orders = Vec::new();
    let mut seed = 42;
    for i in 0..count {
        seed = (seed * 3877 + 29573) % 139968;
        let mut items = Vec::new();
        for k in 0..seed % 4 {
            items.push(Map(vec![
                (
                    "article".to_owned(),
                    Text(format!("article {}", seed % 97 + k)),
                ),
                ("price".to_owned(), Number(seed % 1000 + k)),
                ("gift".to_owned(), Bool(k == 2)),
            ]));
        }
        let note = if seed % 5 == 0 {
            Null
        } else {
            Text(format!("say \"{seed}\"\nand \\ go"))
        };
        orders.push(Map(vec![
            ("id".to_owned(), Number(i)),
            (
                "customer".to_owned(),
                Text(format!("customer {}", seed % 50)),
            ),
            ("paid".to_owned(), Bool(seed % 2 == 0)),
            ("note".to_owned(), note),
            ("items".to_owned(), List(items)),
        ]));
    }
    List(orders)
}

impl Json {
    fn get(&self, wanted: &str) -> &Json {
        let Map(entries) = self else { return &Null };
        entries
            .iter()
            .find(|(key, _)| key == wanted)
            .map_or(&Null, |(_, value)| value)
    }

    fn items(&self) -> &[Json] {
        if let List(items) = self { items } else { &[] }
    }
}

/// The sum of all prices of paid orders.
fn turnover(orders: &Json) -> i64 {
    let mut sum = 0;
    for order in orders.items() {
        if let Bool(true) = order.get("paid") {
            for item in order.get("items").items() {
                if let Number(price) = item.get("price") {
                    sum += price;
                }
            }
        }
    }
    sum
}

fn main() {
    let text = write(&make_orders(std::hint::black_box(SIZE)));
    let orders = read(&text);
    let again = write(&orders);
    let mut checksum = 0;
    for letter in again.bytes() {
        checksum = (checksum * 31 + i64::from(letter)) % 1000003;
    }
    println!(
        "{} orders in {} letters, {}",
        orders.items().len(),
        text.len(),
        text == again
    );
    println!("{} {checksum}", turnover(&orders));
}
