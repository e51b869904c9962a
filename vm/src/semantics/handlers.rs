//! Attributes and hidden inputs of event handlers. Must stay true: only a handler's number and the values it captured
//! travel through the page; with the hidden inputs a form works without JavaScript.

use flin_bytecode::module::{EVENT_PARAM_PREFIX, Handler, TypeDesc};

use crate::fault::{Fault, Res};
use crate::machine::Machine;
use crate::semantics::marking;
use crate::semantics::markup::{escape, write, write_form};
use crate::semantics::wire;
use crate::value::Word;

/// What makes a form work without JavaScript. The compiler writes the same into its template.
const SUBMITS: &str = " method=\"post\" action=\"/_action\"";

/// A handler of the rendered page.
struct Found {
    /// Path of the page.
    path: String,
    /// Name of the event, with modifiers.
    event: String,
    /// What the browser is to tell of the event, behind the captured values.
    told: Vec<(String, TypeDesc)>,
}

/// Looks a handler up.
fn handler(m: &Machine, number: usize) -> Res<Found> {
    let found = m
        .output
        .page
        .and_then(|page| m.program.module().pages.get(page))
        .and_then(|page| {
            page.handlers.get(number).map(|handler| Found {
                path: page.path.clone(),
                event: handler.event.clone(),
                told: told(m, handler),
            })
        });
    found.ok_or_else(|| {
        Fault::type_error(format!(
            "the page that is being rendered has no handler {number}"
        ))
    })
}

fn told(m: &Machine, handler: &Handler) -> Vec<(String, TypeDesc)> {
    let params = handler.params.iter().filter_map(|(name, ty)| {
        let name = name.strip_prefix(EVENT_PARAM_PREFIX)?;
        let desc = m.program.module().types.get(ty.index())?;
        Some((name.to_owned(), desc.clone()))
    });
    params.collect()
}

/// Number and names are fixed; what the handler captured is the value of a place.
fn event_attributes(m: &mut Machine, found: &Found, number: usize, captured: &[Word]) -> Res<()> {
    let event_name = escape(&found.event);
    let mut fixed = format!(" data-flin-on-{event_name}=\"{number}\"");
    if !found.told.is_empty() {
        let names: Vec<&str> = found.told.iter().map(|(name, _)| name.as_str()).collect();
        fixed.push_str(&format!(
            " data-flin-tell-{event_name}=\"{}\"",
            escape(&names.join(" "))
        ));
    }
    write(m, &fixed)?;
    if captured.is_empty() {
        return Ok(());
    }
    let args = escape(&wire::list(m, captured)?);
    marking::leaf(m, |m| {
        write(m, &format!(" data-flin-args-{event_name}=\"{args}\""))
    })
}

/// The attributes of an element with a handler.
pub(crate) fn on(m: &mut Machine, number: usize, captured: &[Word]) -> Res<()> {
    let found = handler(m, number)?;
    event_attributes(m, &found, number, captured)?;
    if found.event.split('.').next() == Some("submit") {
        write(m, SUBMITS)?;
    }
    Ok(())
}

/// Without JavaScript nobody tells what happened: only the kind of event is known.
fn hidden_inputs(m: &mut Machine, found: &Found, number: usize, captured: &[Word]) -> Res<String> {
    let mut args = captured.to_vec();
    for (name, desc) in &found.told {
        args.push(match (name.as_str(), desc) {
            ("type", _) => {
                let kind = found.event.split('.').next().unwrap_or_default();
                m.heap.text_word(kind)?
            }
            (_, TypeDesc::Text) => m.heap.text_word("")?,
            (_, TypeDesc::Bool) => Word::FALSE,
            (_, TypeDesc::Int) => m.heap.int_word(0)?,
            (_, _) => Word::none(),
        });
    }
    let args = wire::list(m, &args)?;
    Ok(format!(
        "<input type=\"hidden\" name=\"_action\" value=\"#{number}\"><input type=\"hidden\" name=\"_args\" value=\"{}\"><input type=\"hidden\" name=\"_page\" value=\"{}\">",
        escape(&args),
        escape(m.output.address.as_deref().unwrap_or(&found.path))
    ))
}

/// The hidden inputs at the end of a form with a submit handler. A form says nothing of an unchecked box nor of a select of several
/// values without any, and the variable would keep its initial value: one more input of that name says so, behind what is chosen.
pub(crate) fn form(m: &mut Machine, number: usize, captured: &[Word]) -> Res<()> {
    let found = handler(m, number)?;
    let mut markup = hidden_inputs(m, &found, number, captured)?;
    for name in m.output.take_silent_of_form() {
        markup.push_str(&format!(
            "<input type=\"hidden\" name=\"{name}\" value=\"\">"
        ));
    }
    write(m, &markup)
}

/// The attributes of a button with a click handler, and the hidden form that it posts without JavaScript.
pub(crate) fn on_button(m: &mut Machine, number: usize, captured: &[Word]) -> Res<()> {
    let found = handler(m, number)?;
    let inputs = hidden_inputs(m, &found, number, captured)?;
    m.output.form_count += 1;
    let form = m.output.form_count;
    event_attributes(m, &found, number, captured)?;
    write(m, &format!(" form=\"flin-form-{form}\""))?;
    write_form(
        m,
        &format!(
            "<form id=\"flin-form-{form}\" method=\"post\" action=\"/_action\" hidden>{inputs}</form>"
        ),
    )
}
