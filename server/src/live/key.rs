//! Which view somebody wants: page, parameters and asked state. Here because all who want the same share one rendering.
//! Must stay true: only state that places of the server read tells two views apart; equal wishes are equal keys.

use std::fmt::Write;

use flin_runtime::json::{Json, write_plain_text};
use flin_runtime::vm::bytecode::module::Module;
use flin_runtime::{PathParams, Sent, SentState};

/// A view as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ViewKey {
    /// Index into `Module::pages`.
    pub(crate) page: usize,
    /// Parameters of its path.
    pub(crate) params: PathParams,
    // The asked state: names in the order of `Page::asks`, values as JSON.
    state: Vec<(String, String)>,
}

/// A value of the state that is of no use here.
#[derive(Debug)]
pub(crate) struct KeyError(pub(crate) String);

impl ViewKey {
    /// The view of a page for this state, of which only the asked part counts.
    pub(crate) fn new(
        module: &Module,
        page: usize,
        params: PathParams,
        state: &SentState,
    ) -> Result<ViewKey, KeyError> {
        let mut asked = Vec::new();
        for global in &module.pages[page].asks {
            let name = &module.globals[global.index()].name;
            for (sent, value) in state.iter().filter(|(sent, _)| is_part(sent, name)) {
                match value {
                    Sent::Json(json) => asked.push((sent.clone(), written_json(json))),
                    Sent::Fields(_) => {
                        return Err(KeyError(format!(
                            "{sent}: expected JSON, found form fields"
                        )));
                    }
                }
            }
        }
        Ok(ViewKey {
            page,
            params,
            state: asked,
        })
    }

    /// The state to render it with.
    pub(crate) fn state(&self) -> SentState {
        let read = |(name, text): &(String, String)| {
            // It was written here.
            let json = Json::parse(text.as_bytes()).unwrap_or(Json::Null);
            (name.clone(), Sent::Json(json))
        };
        self.state.iter().map(read).collect()
    }
}

// The variable itself, or a part of it (`form.name`).
fn is_part(sent: &str, name: &str) -> bool {
    sent.split('.').next() == Some(name)
}

/// A JSON value as text; equal values are equal texts.
fn written_json(json: &Json) -> String {
    let mut out = String::new();
    write_json(&mut out, json);
    out
}

fn write_json(out: &mut String, json: &Json) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Int(value) => write!(out, "{value}").expect("a String takes everything"),
        // `{:?}` keeps what tells it from an int.
        Json::Float(value) => write!(out, "{value:?}").expect("a String takes everything"),
        Json::Text(text) => write_plain_text(out, text),
        Json::List(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push(if at > 0 { ',' } else { '[' });
                write_json(out, item);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Json::Object(entries) => {
            for (at, (name, value)) in entries.iter().enumerate() {
                out.push(if at > 0 { ',' } else { '{' });
                write_plain_text(out, name);
                out.push(':');
                write_json(out, value);
            }
            out.push_str(if entries.is_empty() { "{}" } else { "}" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_written_again() {
        let text =
            r#"[null,true,-3,2.5,1e300,"a\"</b>\n",[],{},{"a":[1],"_int":"9007199254740993"}]"#;
        let json = Json::parse(text.as_bytes()).unwrap();
        assert_eq!(Json::parse(written_json(&json).as_bytes()).unwrap(), json);
    }
}
