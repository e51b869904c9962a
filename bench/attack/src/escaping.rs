//! Whatever a visitor writes stays what it is: texts full of markup go through every place of a view, and a parser that reads as
//! browsers do says what became of them. Here because escaping is right only where it is read, not where it is written. Must
//! stay true: the document of a hostile text has the same elements and attributes as that of a harmless one; each
//! place holds the text itself, or nothing of it.

use std::fmt::Write;

use flin_testkit::http;
use flin_testkit::rng::Rng;
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use crate::target::Target;

/// What attacks are made of.
const PIECES: &[&str] = &[
    "<",
    ">",
    "\"",
    "'",
    "&",
    "`",
    "=",
    "/",
    "\\",
    "{",
    "}",
    "(",
    ")",
    ";",
    ":",
    "#",
    "?",
    "%",
    " ",
    "\n",
    "\t",
    "\r",
    "\u{c}",
    "\0",
    "\u{1}",
    "\u{7f}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{202e}",
    "\u{fffd}",
    "\u{1f980}",
    "a",
    "Z",
    "9",
    "&lt;",
    "&#60;",
    "&#x3c",
    "&quot;",
    "&amp;",
    "&nbsp",
    "&bogus;",
    "<script>alert(1)</script>",
    "</script>",
    "</SCRIPT >",
    "<!--",
    "-->",
    "--!>",
    "]]>",
    "<![CDATA[",
    "<?x",
    "<!doctype>",
    "</title>",
    "</textarea>",
    "</style>",
    "</pre>",
    "</svg>",
    "</p>",
    "</select>",
    "</option>",
    "</form>",
    "</body>",
    "</html>",
    "<plaintext>",
    "<noscript>",
    "<template>",
    "<base href=//evil.example>",
    "<svg onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "\" onclick=\"alert(1)",
    "' onclick='alert(1)",
    "\" autofocus onfocus=alert(1) x=\"",
    "javascript:alert(1)",
    "JaVa\tScRiPt:alert(1)",
    "\u{1}javascript:alert(1)",
    "&#106;avascript:alert(1)",
    "java&Tab;script:alert(1)",
    "data:text/html,<b>",
    "vbscript:x",
    "//evil.example/",
    "https://example.org/",
    "mailto:a@b.c",
    "expression(alert(1))",
    "url(javascript:alert(1))",
    "url(//evil.example)",
    "url(",
    ";position:fixed",
    "}body{color:red",
    "@import 'x'",
    "/*",
    "*/",
    "\\65xpression",
    "behavior:url(x)",
    "${x}",
    "{{x}}",
    "{s}",
    "{raw(s)}",
    "<!--f1-->",
    "<!--/f-->",
    "<!--i x-->",
    "data-f=\"1t\"",
];

/// Texts that are tried, each in every place: the pieces alone, and so many put together.
pub fn texts(count: usize, seed: u64) -> Vec<String> {
    let mut rng = Rng::new(seed);
    let mut texts: Vec<String> = PIECES.iter().map(|piece| (*piece).to_owned()).collect();
    for _ in 0..count {
        let pieces = 1 + rng.below(8);
        let mut text = String::new();
        for _ in 0..pieces {
            text.push_str(PIECES[rng.below(PIECES.len())]);
        }
        texts.push(text);
    }
    texts
}

/// A document as a browser sees it.
struct Document(RcDom);

impl Document {
    fn parse(html: &str) -> Document {
        Document(parse_document(RcDom::default(), ParseOpts::default()).one(html))
    }

    /// Elements and the names of their attributes, in order, without what they hold.
    fn shape(&self) -> String {
        let mut out = String::new();
        shape(&self.0.document, &mut out, 0);
        out
    }

    /// The element of an id, and in it the first of a name, if one is given.
    fn find(&self, id: &str, inside: &str) -> Result<Handle, String> {
        let found = search(&self.0.document, &|node| {
            attribute(node, "id").as_deref() == Some(id)
        });
        let found = found.ok_or_else(|| format!("no element {id}"))?;
        if inside.is_empty() {
            return Ok(found);
        }
        let inner = search(&found, &|node| name_of(node).as_deref() == Some(inside));
        inner.ok_or_else(|| format!("no {inside} in {id}"))
    }

    fn first(&self, name: &str) -> Result<Handle, String> {
        let found = search(&self.0.document, &|node| {
            name_of(node).as_deref() == Some(name)
        });
        found.ok_or_else(|| format!("no {name}"))
    }
}

fn name_of(node: &Handle) -> Option<String> {
    match &node.data {
        NodeData::Element { name, .. } => Some(name.local.to_string()),
        _ => None,
    }
}

fn attribute(node: &Handle, wanted: &str) -> Option<String> {
    let NodeData::Element { attrs, .. } = &node.data else {
        return None;
    };
    let attrs = attrs.borrow();
    let found = attrs.iter().find(|attr| &*attr.name.local == wanted);
    found.map(|attr| attr.value.to_string())
}

fn search(node: &Handle, is: &dyn Fn(&Handle) -> bool) -> Option<Handle> {
    if is(node) {
        return Some(node.clone());
    }
    node.children
        .borrow()
        .iter()
        .find_map(|child| search(child, is))
}

fn text_of(node: &Handle) -> String {
    let mut out = String::new();
    if let NodeData::Text { contents } = &node.data {
        out.push_str(&contents.borrow());
    }
    for child in node.children.borrow().iter() {
        out.push_str(&text_of(child));
    }
    out
}

fn shape(node: &Handle, out: &mut String, depth: usize) {
    let indent = depth;
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let mut names: Vec<String> = attrs
                .borrow()
                .iter()
                .map(|attr| attr.name.local.to_string())
                // A style that was refused may be left out.
                .filter(|name| name != "style")
                .collect();
            names.sort();
            let _ = writeln!(out, "{:indent$}<{} {}>", "", name.local, names.join(" "));
        }
        // What marks the places of a page is the server's own; whatever else is a comment must not be there.
        NodeData::Comment { contents } => {
            let _ = writeln!(out, "{:indent$}<!--{contents}-->", "");
        }
        NodeData::Text { .. }
        | NodeData::Document
        | NodeData::Doctype { .. }
        | NodeData::ProcessingInstruction { .. } => {}
    }
    for child in node.children.borrow().iter() {
        shape(child, out, depth + 1);
    }
}

/// What a text becomes on its way through any parser of HTML: line ends are one sign, NUL cannot be.
fn arrived(text: &str, nul: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\0', nul)
}

/// What is asked of one place.
type Judge = fn(&Document, &str) -> Result<(), String>;

fn same(what: &str, found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what} is {found:?} instead of {expected:?}"))
    }
}

/// Content of elements: NUL is dropped there by every parser.
fn texts_are_whole(document: &Document, text: &str) -> Result<(), String> {
    let whole = arrived(text, "");
    for (id, inside, before, behind) in [
        ("text", "", "", ""),
        ("among", "", "before ", " behind"),
        ("list", "li", "", ""),
        ("branch", "b", "", ""),
        ("handler", "", "", ""),
        ("option", "option", "", ""),
    ] {
        let found = text_of(&document.find(id, inside)?);
        same(id, &found, &format!("{before}{whole}{behind}"))?;
    }
    let twice = text_of(&document.find("twice", "")?);
    same("twice", &twice, &arrived(&format!("{text}{text}"), ""))
}

/// Elements whose content is text alone; there, and in drawings, NUL becomes a sign that stands for it.
fn raw_texts_are_whole(document: &Document, text: &str) -> Result<(), String> {
    let whole = arrived(text, "\u{fffd}");
    same("the title", &text_of(&document.first("title")?), &whole)?;
    same(
        "fixed",
        &text_of(&document.find("fixed", "textarea")?),
        &whole,
    )?;
    same(
        "area",
        &text_of(&document.find("area", "textarea")?),
        &whole,
    )?;
    same(
        "drawing",
        &text_of(&document.find("drawing", "text")?),
        &whole,
    )?;
    same(
        "pre",
        &text_of(&document.find("pre", "")?),
        &arrived(text, ""),
    )
}

fn attributes_are_whole(document: &Document, text: &str) -> Result<(), String> {
    let whole = arrived(text, "\u{fffd}");
    for (id, inside, name) in [
        ("attribute", "", "title"),
        ("data", "", "data-value"),
        ("data", "", "aria-label"),
        ("class", "", "class"),
        ("image", "img", "alt"),
        ("bound", "input", "value"),
        ("value", "input", "value"),
        ("value", "input", "placeholder"),
        ("option", "option", "value"),
        ("list", "li", "title"),
        ("frame", "iframe", "title"),
    ] {
        let found = attribute(&document.find(id, inside)?, name).unwrap_or_default();
        same(&format!("{name} of {id}"), &found, &whole)?;
    }
    let part = attribute(&document.find("part", "")?, "title").unwrap_or_default();
    same("title of part", &part, &format!("before {whole} behind"))?;
    let meta = search(&document.0.document, &|node| {
        attribute(node, "name").as_deref() == Some("description")
    });
    let content = meta
        .and_then(|meta| attribute(&meta, "content"))
        .unwrap_or_default();
    same("content of the description", &content, &whole)
}

/// The scheme of an address as browsers find it (URL standard: controls and blanks around it, tabs and line ends inside are
/// nothing); none is a path.
fn scheme(address: &str) -> Option<String> {
    let seen = address
        .trim_matches(|sign: char| sign <= ' ')
        .replace(['\t', '\n', '\r'], "");
    let (scheme, _) = seen.split_once(':')?;
    let is_scheme = scheme.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || "+-.".contains(sign));
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

fn addresses_are_harmless(document: &Document, text: &str) -> Result<(), String> {
    let whole = arrived(text, "\u{fffd}");
    for (id, inside, name) in [
        ("link", "a", "href"),
        ("image", "img", "src"),
        ("form", "", "action"),
        ("form", "button", "formaction"),
        ("drawing", "a", "href"),
        ("film", "video", "poster"),
        ("used", "use", "href"),
        ("object", "object", "data"),
        ("frame", "iframe", "src"),
    ] {
        let found = attribute(&document.find(id, inside)?, name).unwrap_or_default();
        let scheme = scheme(&found);
        let good = ["http", "https", "mailto", "tel"];
        if scheme
            .as_deref()
            .is_some_and(|scheme| !good.contains(&scheme))
        {
            return Err(format!("{name} of {id} is {found:?}"));
        }
        if found != whole && found != "#" {
            return Err(format!(
                "{name} of {id} is {found:?} instead of {whole:?} or #"
            ));
        }
    }
    let path = attribute(&document.find("path", "a")?, "href").unwrap_or_default();
    if path.starts_with("/seen/") {
        Ok(())
    } else {
        Err(format!("href of path is {path:?}"))
    }
}

/// In styles only what stays a value of its own declaration, and loads and runs nothing.
fn styles_are_harmless(document: &Document, text: &str) -> Result<(), String> {
    let whole = arrived(text, "\u{fffd}");
    let style = |id: &str| -> Result<String, String> {
        Ok(attribute(&document.find(id, "")?, "style").unwrap_or_default())
    };
    let allowed =
        |id: &str, found: &str, before: &str, behind: &str, inner: bool| -> Result<(), String> {
            let value = found
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(behind));
            let value = value.ok_or_else(|| format!("style of {id} is {found:?}"))?;
            if value.is_empty() || value == "#" {
                return Ok(());
            }
            let lower = value.to_ascii_lowercase();
            let leaves = inner && (value.contains(';') || lower.contains("url("));
            let runs = [
                "expression",
                "javascript:",
                "behavior",
                "@",
                "\\",
                "{",
                "}",
                "/*",
                "<",
            ];
            if leaves || runs.iter().any(|word| lower.contains(word)) || value != whole {
                return Err(format!("style of {id} is {found:?}"));
            }
            Ok(())
        };
    allowed("style", &style("style")?, "", "", false)?;
    allowed("color", &style("color")?, "color: ", "", true)?;
    allowed("url", &style("url")?, "background: url(", ")", true)?;
    let map = style("map")?;
    if map.is_empty() {
        return Ok(());
    }
    allowed("map", &map, "color: ", "", true)
}

/// The page data is JSON in an element of its own, and says exactly what the text is.
fn data_is_whole(document: &Document, text: &str) -> Result<(), String> {
    let data = text_of(&document.find("flin-page", "")?);
    let data: serde_json::Value =
        serde_json::from_str(&data).map_err(|error| format!("the page data: {error}"))?;
    match data["state"]["s"].as_str() {
        Some(found) => same("the state", found, text),
        None => Err("the page data has no state".to_owned()),
    }
}

/// How many kinds of places there are.
pub const KINDS: usize = PLACES.len();

/// Every place, by kind.
const PLACES: &[(&str, Judge)] = &[
    ("text", texts_are_whole),
    ("title, textarea, pre, drawings", raw_texts_are_whole),
    ("attributes", attributes_are_whole),
    ("addresses", addresses_are_harmless),
    ("styles", styles_are_harmless),
    ("page data", data_is_whole),
];

/// The document of the page that shows a text in every place.
///
/// # Errors
/// When the page is not answered.
fn document_of(target: &Target, text: &str) -> Result<String, String> {
    let state = serde_json::json!({ "s": text }).to_string();
    let fields = [("_action", "keep"), ("_page", "/shown"), ("_state", &state)];
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
    ];
    let answer = http::request(
        &target.server().url,
        "POST",
        "/_action",
        &headers,
        &form(&fields),
    );
    if answer.status == 200 {
        Ok(answer.body)
    } else {
        Err(format!("answered {} {}", answer.status, answer.body))
    }
}

/// A form body, each byte in code.
fn form(fields: &[(&str, &str)]) -> String {
    let code = |text: &str| -> String {
        let mut out = String::new();
        for byte in text.bytes() {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    };
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{}={}", code(name), code(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A server, and the shape that its page has with a harmless text.
pub struct Escaping {
    target: Target,
    expected: String,
}

impl Escaping {
    /// Starts a server.
    ///
    /// # Errors
    /// When it does not show the page.
    pub fn start() -> Result<Escaping, String> {
        let target = Target::start(&[]);
        let expected = Document::parse(&document_of(&target, "harmless")?).shape();
        Ok(Escaping { target, expected })
    }

    /// Judges a text in every place of the page.
    ///
    /// # Errors
    /// Where it is not what it must be.
    pub fn judge(&self, text: &str) -> Result<(), String> {
        let document = Document::parse(&document_of(&self.target, text)?);
        let shape = document.shape();
        if shape != self.expected {
            let mut pairs = shape.lines().zip(self.expected.lines());
            let differs = pairs.find(|(found, wanted)| found != wanted);
            return Err(format!("the document has another shape: {differs:?}"));
        }
        for (place, judge) in PLACES {
            judge(&document, text).map_err(|error| format!("{place}: {error}"))?;
        }
        Ok(())
    }
}
