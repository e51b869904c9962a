//! Values and patches to the letter, and patches between many random views judged by `applying`.

use flin_runtime::json::Json;
use flin_runtime::vm::bytecode::template::{ListPlace, Owner, PlaceKind, Template, TemplatePlace};
use flin_runtime::vm::{Mark, Rendered};
use flin_testkit::rng::Rng;

use super::applying::apply;
use super::{View, Wanted};

/// A value as a test writes it.
#[derive(Clone, Debug, PartialEq)]
enum Shown {
    Leaf(String),
    Absent,
    Block(u32, Vec<Shown>),
    /// Keys; an empty one is a position.
    List(Vec<(String, Shown)>),
    Nothing(Box<Shown>),
}

use Shown::{Absent, Block, Leaf, List, Nothing};

fn leaf(text: &str) -> Shown {
    Leaf(text.to_owned())
}

fn put(rendered: &mut Rendered, shown: &Shown) {
    let end = |text: &String| u32::try_from(text.len()).unwrap();
    match shown {
        Leaf(text) => {
            rendered.body.push_str("<b>");
            let start = end(&rendered.body);
            rendered.body.push_str(text);
            let end = end(&rendered.body);
            rendered.marks.push(Mark::Leaf { start, end });
        }
        Absent => rendered.marks.push(Mark::Absent),
        Block(template, values) => {
            let template = *template;
            rendered.marks.push(Mark::Block { template });
            values.iter().for_each(|value| put(rendered, value));
            rendered.marks.push(Mark::End);
        }
        List(items) => {
            rendered.marks.push(Mark::List);
            for (key, block) in items {
                let start = end(&rendered.keys);
                rendered.keys.push_str(key);
                let end = end(&rendered.keys);
                rendered.marks.push(Mark::Item { start, end });
                put(rendered, block);
            }
            rendered.marks.push(Mark::End);
        }
        Nothing(block) => {
            rendered.marks.extend([Mark::List, Mark::Empty]);
            put(rendered, block);
            rendered.marks.push(Mark::End);
        }
    }
}

fn view(templates: &[Template], shown: &Shown) -> View {
    let mut rendered = Rendered::default();
    put(&mut rendered, shown);
    let name = View::name_of(&rendered, 0, templates);
    View::new(rendered, 0, name)
}

fn template(kinds: &[PlaceKind]) -> Template {
    let place = |kind: &PlaceKind| TemplatePlace {
        kind: kind.clone(),
        owner: Owner::Server,
    };
    Template {
        places: kinds.iter().map(place).collect(),
        ..Template::default()
    }
}

const ITEMS: PlaceKind = PlaceKind::List(ListPlace {
    item: 1,
    empty: Some(2),
});

/// 0: a text, a list, a branch; 1: an item with all kinds of leaves and lists; 2, 3: branches.
fn templates() -> Vec<Template> {
    let class = PlaceKind::Attribute("class".to_owned());
    vec![
        template(&[PlaceKind::Text, ITEMS, PlaceKind::Block(vec![2, 3])]),
        template(&[PlaceKind::Text, class, PlaceKind::Attributes, ITEMS]),
        template(&[PlaceKind::Html]),
        template(&[PlaceKind::Block(vec![2, 3]), PlaceKind::Text]),
    ]
}

fn values(templates: &[Template], view: &View) -> String {
    let mut out = String::new();
    view.write_values(&mut out, templates, Wanted::OfServer)
        .unwrap();
    out
}

fn patch(templates: &[Template], old: &View, new: &View) -> String {
    let mut out = String::new();
    new.write_patch(&mut out, templates, old).unwrap();
    out
}

fn item(text: &str, class: &str, attributes: &str) -> Shown {
    Block(
        1,
        vec![leaf(text), leaf(class), leaf(attributes), List(Vec::new())],
    )
}

fn page(title: &str, items: &[(&str, Shown)], branch: Shown) -> Shown {
    let items = items
        .iter()
        .map(|(key, block)| ((*key).to_owned(), block.clone()));
    Block(0, vec![leaf(title), List(items.collect()), branch])
}

#[test]
fn all_values_of_a_page() {
    let templates = templates();
    let items = [
        (
            "Todo:1",
            item(
                "a &amp; b",
                " class=\"done\"",
                " checked title=\"&quot;x&quot;\"",
            ),
        ),
        ("", item("", "", "")),
    ];
    let shown = view(
        &templates,
        &page("2 todos", &items, Block(2, vec![leaf("<i>raw &amp;</i>")])),
    );
    assert_eq!(
        values(&templates, &shown),
        r#"[0,"2 todos",[["Todo:1",[1,"a & b","done",{"checked":"","title":"\"x\""},[]]],["1",[1,"",null,{},[]]]],[2,"<i>raw &amp;</i>"]]"#
    );
    let empty = Block(
        0,
        vec![
            leaf("t"),
            Nothing(Box::new(Block(2, vec![leaf("none")]))),
            Absent,
        ],
    );
    assert_eq!(
        values(&templates, &view(&templates, &empty)),
        r#"[0,"t",[["",[2,"none"]]],null]"#
    );
}

#[test]
fn patches_to_the_letter() {
    let templates = templates();
    let row = |key: &'static str, text: &str| (key, item(text, "", " a=\"1\" b=\"2\""));
    let (a, b, c, d) = (row("A", "a"), row("B", "b"), row("C", "c"), row("D", "d"));
    let base = page("t", &[a.clone(), b.clone(), c.clone()], Absent);
    let check = |new: Shown, expected: &str| {
        let (old, new) = (view(&templates, &base), view(&templates, &new));
        assert_eq!(patch(&templates, &old, &new), expected);
    };
    let with = |items: &[(&str, Shown)]| page("t", items, Absent);
    check(base.clone(), "{}");
    check(
        page("u", &[a.clone(), b.clone(), c.clone()], Absent),
        r#"{"0":"u"}"#,
    );
    check(
        with(&[a.clone(), c.clone()]),
        r#"{"1":{"ops":[["d","B"]]}}"#,
    );
    check(
        with(&[a.clone(), b.clone(), d.clone(), c.clone()]),
        r#"{"1":{"ops":[["i","D","C",[1,"d",null,{"a":"1","b":"2"},[]]]]}}"#,
    );
    check(
        with(&[c.clone(), a.clone(), b.clone()]),
        r#"{"1":{"ops":[["m","C","A"]]}}"#,
    );
    let changed = ("B", item("b2", " class=\"x\"", " b=\"3\" c"));
    check(
        with(&[a.clone(), changed, c.clone()]),
        r#"{"1":{"ops":[["p","B",{"0":"b2","1":"x","2":{"b":"3","c":"","a":null}}]]}}"#,
    );
    check(with(&[]), r#"{"1":[]}"#);
    check(
        with(std::slice::from_ref(&d)),
        r#"{"1":[["D",[1,"d",null,{"a":"1","b":"2"},[]]]]}"#,
    );
    let branch = |text: &str| Block(3, vec![Block(2, vec![leaf(text)]), leaf("x")]);
    check(
        page("t", &[a.clone(), b.clone(), c.clone()], branch("1")),
        r#"{"2":[3,[2,"1"],"x"]}"#,
    );
    let (old, new) = (page("t", &[], branch("1")), page("t", &[], branch("2")));
    let (old, new) = (view(&templates, &old), view(&templates, &new));
    assert_eq!(patch(&templates, &old, &new), r#"{"2":{"0":{"0":"2"}}}"#);
}

#[test]
fn what_the_browser_fills_is_in_no_name_and_no_patch() {
    let mut templates = templates();
    templates[0].places[0].owner = Owner::Browser;
    templates[0].places[2].owner = Owner::Browser;
    let branch = |text: &str| Block(3, vec![Block(2, vec![leaf(text)]), leaf(text)]);
    let one = view(&templates, &page("one", &[], branch("one")));
    let two = view(&templates, &page("two", &[], branch("two")));
    let absent = view(&templates, &page("two", &[], Absent));
    assert_eq!((one.name(), one.name()), (two.name(), absent.name()));
    assert_eq!(patch(&templates, &one, &two), "{}");
    assert_eq!(values(&templates, &one), "[0,null,[],null]");
    let mut whole = String::new();
    one.write_values(&mut whole, &templates, Wanted::Whole)
        .unwrap();
    assert_eq!(whole, r#"[0,"one",[],[3,[2,"one"],"one"]]"#);
    let other = view(
        &templates,
        &page("two", &[("A", item("a", "", ""))], Absent),
    );
    assert_ne!(one.name(), other.name());
}

#[test]
fn marks_that_fit_no_template_are_told() {
    let templates = templates();
    let odd = [
        Absent,
        Block(0, vec![leaf("t"), List(Vec::new())]),
        Block(0, vec![leaf("t"), List(Vec::new()), Absent, Absent]),
        Block(0, vec![leaf("t"), leaf("no list"), Absent]),
        Block(0, vec![leaf("t"), List(Vec::new()), Block(9, Vec::new())]),
        Block(1, Vec::new()),
    ];
    for shown in odd {
        let view = view(&templates, &shown);
        let mut out = String::new();
        assert!(
            view.write_values(&mut out, &templates, Wanted::Whole)
                .is_err(),
            "{shown:?}"
        );
    }
    let mut deep = Block(2, vec![leaf("x")]);
    for _ in 0..5000 {
        deep = Block(3, vec![deep, leaf("x")]);
    }
    let view = view(&templates, &page("t", &[], deep));
    assert!(
        view.write_patch(&mut String::new(), &templates, &view)
            .is_err()
    );
}

struct Chance(Rng);

impl Chance {
    fn leaf(&mut self, texts: &[&str]) -> Shown {
        let text: &&str = self.0.pick(texts);
        leaf(text)
    }

    fn text(&mut self) -> Shown {
        self.leaf(&["", "a", "b", "&lt;&amp;", "ä\u{2028}"])
    }

    fn item(&mut self, depth: usize) -> Shown {
        let class = self.leaf(&["", " class=\"x\"", " class=\"&quot;\""]);
        let attributes = ["", " a=\"1\"", " b a=\"1\"", " a=\"2\" c=\"\"", " c=\"\""];
        let attributes = self.leaf(&attributes);
        let text = self.text();
        Block(1, vec![text, class, attributes, self.items(depth + 1)])
    }

    fn items(&mut self, depth: usize) -> Shown {
        let count = self.0.below([9, 6, 3, 1][depth.min(3)]);
        if count == 0 && self.0.one_in(2) {
            return Nothing(Box::new(Block(2, vec![self.text()])));
        }
        let by_position = self.0.one_in(4);
        let mut keys: Vec<usize> = (0..12).collect();
        let mut items = Vec::new();
        for _ in 0..count {
            let key = keys.swap_remove(self.0.below(keys.len()));
            let key = if by_position {
                String::new()
            } else {
                format!("K:{key}")
            };
            let item = self.item(depth);
            items.push((key, item));
        }
        List(items)
    }

    fn branch(&mut self, depth: usize) -> Shown {
        match self.0.below(if depth > 3 { 2 } else { 4 }) {
            0 => Absent,
            1 => Block(2, vec![self.text()]),
            _ => {
                let inner = self.branch(depth + 1);
                Block(3, vec![inner, self.text()])
            }
        }
    }

    fn page(&mut self) -> Shown {
        let title = self.text();
        let items = self.items(0);
        Block(0, vec![title, items, self.branch(0)])
    }

    /// The same, with a change here and there.
    fn changed(&mut self, shown: &Shown, kind: Option<&PlaceKind>) -> Shown {
        if let (true, Some(kind)) = (self.0.one_in(12), kind) {
            return match kind {
                PlaceKind::Block(_) => self.branch(2),
                PlaceKind::List(_) => self.items(2),
                PlaceKind::Attribute(_) => leaf(" class=\"y\""),
                PlaceKind::Attributes => leaf(" z"),
                PlaceKind::Text | PlaceKind::Html => self.text(),
            };
        }
        match shown {
            Leaf(_) | Absent | Nothing(_) => shown.clone(),
            Block(template, values) => {
                let places = templates()[*template as usize].places.clone();
                let values = values.iter().zip(&places);
                let changed = values.map(|(value, place)| self.changed(value, Some(&place.kind)));
                Block(*template, changed.collect())
            }
            List(items) => {
                let mut items: Vec<_> = items
                    .iter()
                    .map(|(key, block)| (key.clone(), self.changed(block, None)))
                    .collect();
                if items.len() > 1 && !items[0].0.is_empty() {
                    if self.0.one_in(2) {
                        let (from, to) = (self.0.below(items.len()), self.0.below(items.len()));
                        let moved = items.remove(from);
                        items.insert(to, moved);
                    }
                    if self.0.one_in(3) {
                        items.remove(self.0.below(items.len()));
                    }
                    if self.0.one_in(3) {
                        let fresh = (format!("N:{}", self.0.bits()), self.item(3));
                        items.insert(self.0.below(items.len() + 1), fresh);
                    }
                }
                List(items)
            }
        }
    }
}

fn parsed(text: &str) -> Json {
    Json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

// Attributes in the order of their names: which one comes first means nothing.
fn sorted(json: Json) -> Json {
    match json {
        Json::List(items) => Json::List(items.into_iter().map(sorted).collect()),
        Json::Object(mut entries) => {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries)
        }
        other => other,
    }
}

#[test]
fn a_patch_makes_the_newer_view_of_the_older() {
    let templates = templates();
    let mut chance = Chance(Rng::new(6));
    for round in 0..400 {
        let one = chance.page();
        let other = if round % 3 == 0 {
            chance.page()
        } else {
            chance.changed(&one, None)
        };
        let (old, new) = (view(&templates, &one), view(&templates, &other));
        let text = patch(&templates, &old, &new);
        let (before, after) = (
            sorted(parsed(&values(&templates, &old))),
            sorted(parsed(&values(&templates, &new))),
        );
        let applied = sorted(apply(&templates, before.clone(), &parsed(&text)));
        assert_eq!(
            applied, after,
            "round {round}: {text}\nfrom {one:?}\nto {other:?}"
        );
        if before == after {
            assert_eq!(text, "{}", "round {round}");
        }
        if old.name() == new.name() {
            assert_eq!(before, after, "round {round}");
        }
    }
}
