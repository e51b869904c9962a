//! Attributes and hidden inputs of event handlers. Must stay true: only a handler's number and the values it captured
//! travel through the page; with the hidden inputs a form works without JavaScript.

use crate::fault::{Fault, Res};
use crate::machine::Machine;
use crate::semantics::markup::{escape, write, write_form};
use crate::semantics::wire;
use crate::value::Word;

/// Path of the rendered page and event of the handler.
fn handler(m: &Machine, number: usize) -> Res<(String, String)> {
    let found = m
        .output
        .page
        .and_then(|page| m.program.module().pages.get(page))
        .and_then(|page| {
            page.handlers
                .get(number)
                .map(|handler| (page.path.clone(), handler.event.clone()))
        });
    found.ok_or_else(|| {
        Fault::type_error(format!(
            "the page that is being rendered has no handler {number}"
        ))
    })
}

fn event_attributes(m: &mut Machine, event: &str, number: usize, captured: &[Word]) -> Res<String> {
    let event_name = escape(event);
    let mut markup = format!(" data-flin-on-{event_name}=\"{number}\"");
    if !captured.is_empty() {
        let args = wire::list(m, captured)?;
        markup.push_str(&format!(
            " data-flin-args-{event_name}=\"{}\"",
            escape(&args)
        ));
    }
    Ok(markup)
}

/// The attributes of an element with a handler.
pub(crate) fn on(m: &mut Machine, number: usize, captured: &[Word]) -> Res<()> {
    let (_, event) = handler(m, number)?;
    let mut markup = event_attributes(m, &event, number, captured)?;
    if event.split('.').next() == Some("submit") {
        markup.push_str(" method=\"post\" action=\"/_action\"");
    }
    write(m, &markup)
}

fn hidden_inputs(m: &mut Machine, path: &str, number: usize, captured: &[Word]) -> Res<String> {
    let args = wire::list(m, captured)?;
    Ok(format!(
        "<input type=\"hidden\" name=\"_action\" value=\"#{number}\"><input type=\"hidden\" name=\"_args\" value=\"{}\"><input type=\"hidden\" name=\"_page\" value=\"{}\">",
        escape(&args),
        escape(path)
    ))
}

/// The hidden inputs at the end of a form with a submit handler. A form says nothing of an unchecked box, and the variable
/// would keep its initial value: one more input of that name says that it is off, unless the box says that it is on.
pub(crate) fn form(m: &mut Machine, number: usize, captured: &[Word]) -> Res<()> {
    let (path, _) = handler(m, number)?;
    let mut markup = hidden_inputs(m, &path, number, captured)?;
    for name in m.output.take_checkboxes_of_form() {
        markup.push_str(&format!(
            "<input type=\"hidden\" name=\"{name}\" value=\"\">"
        ));
    }
    write(m, &markup)
}

/// The attributes of a button with a click handler, and the hidden form that it posts without JavaScript.
pub(crate) fn on_button(m: &mut Machine, number: usize, captured: &[Word]) -> Res<()> {
    let (path, event) = handler(m, number)?;
    let inputs = hidden_inputs(m, &path, number, captured)?;
    m.output.form_count += 1;
    let form = m.output.form_count;
    let mut markup = event_attributes(m, &event, number, captured)?;
    markup.push_str(&format!(" form=\"flin-form-{form}\""));
    write(m, &markup)?;
    write_form(
        m,
        &format!(
            "<form id=\"flin-form-{form}\" method=\"post\" action=\"/_action\" hidden>{inputs}</form>"
        ),
    )
}
