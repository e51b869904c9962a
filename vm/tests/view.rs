//! The view family: markup, escaping by place, controls, handlers, the document head.

mod support;

use flin_bytecode::{
    Class, Entity, EntityTypeId, FunctionBuilder, Global, GlobalId, Handler, HandlerId,
    ModuleBuilder, Page, Template, TypeDesc,
};
use flin_vm::HostValue::{Bool, Duration, Float, Int, Link, List, Map};
use flin_vm::{HostValue, Mark, Rendered, Trap, Vm};
use support::*;

/// Renders a page "/" whose view is `body`; handlers 0 click, 1 submit, 2 keydown.enter.
fn render(
    params: &[HostValue],
    body: impl FnOnce(&mut ModuleBuilder, &mut FunctionBuilder),
) -> Result<Rendered, Trap> {
    let mut mb = ModuleBuilder::new("app.flin");
    let any = mb.type_desc(TypeDesc::Any);
    mb.global(Global {
        name: "newTitle".into(),
        class: Class::Any,
        ty: any,
    });
    mb.module.entities.push(Entity {
        name: "Todo".into(),
        fields: vec![],
        inverses: Vec::new(),
        was: Vec::new(),
        keep: flin_bytecode::module::Keep::default(),
        line: 1,
    });
    let classes: Vec<Class> = params.iter().map(|_| Class::Any).collect();
    let view = add(&mut mb, "view", &classes, None, body);
    let nothing = add(&mut mb, "handler", &[], None, |_, b| {
        emit!(b, Ret);
    });
    let handler = |event: &str| Handler {
        event: event.into(),
        func: nothing,
        params: vec![],
        by_name: None,
        ..Handler::default()
    };
    // The page's own view takes no arguments; the tested function is made it when it takes none either.
    let page_view = if params.is_empty() { view } else { nothing };
    mb.module.pages.push(Page {
        params: Vec::new(),
        path: "/x\"y".into(),
        view: page_view,
        variables: vec![],
        handlers: vec![
            handler("click"),
            handler("submit"),
            handler("keydown.enter"),
        ],
        reads: vec![],
        field_sources: vec![],
        shown: vec![],
        templates: vec![Template::default(), Template::default()],
        ..Page::default()
    });
    let program = load(mb);
    let mut outputs = Vec::new();
    for collect in [false, true] {
        let mut vm = Vm::new(program.clone(), limits(collect));
        let mut host = ModelHost::default();
        vm.call(&mut host, page_view, &[])?;
        if page_view != view {
            vm.call(&mut host, view, params)?;
        }
        outputs.push(vm.take_rendered());
        assert_eq!(vm.take_rendered(), Rendered::default(), "taken once");
    }
    assert_eq!(outputs[0], outputs[1]);
    Ok(outputs.remove(0))
}

fn body(
    params: &[HostValue],
    view: impl FnOnce(&mut ModuleBuilder, &mut FunctionBuilder),
) -> String {
    render(params, view).expect("rendered").body
}

#[test]
fn text_is_escaped_and_raw_is_not() {
    let out = body(
        &[host_text("<b>&\"'"), HostValue::None, Float(3.0)],
        |mb, b| {
            let (x, none, number) = (b.param(0), b.param(1), b.param(2));
            emit!(b, ViewRaw, mb.const_text("<p>"));
            emit!(b, ViewTextAny, x);
            emit!(b, ViewTextAny, none);
            emit!(b, ViewTextAny, number);
            let (i, f, t, r) = (
                int(b, -1),
                float(mb, b, 0.5),
                b.temp(Class::Bool),
                text(mb, b, "<i>"),
            );
            emit!(b, ConstBool, t, true);
            emit!(b, ViewTextI64, i);
            emit!(b, ViewTextF64, f);
            emit!(b, ViewTextBool, t);
            emit!(b, ViewTextRef, r);
            emit!(b, ViewHtml, r);
            emit!(b, Ret);
        },
    );
    assert_eq!(out, "<p>&lt;b&gt;&amp;&quot;&#39;3.0-10.5true&lt;i&gt;<i>");
}

fn attribute(value: HostValue, place: i32) -> String {
    body(&[value], |mb, b| {
        let x = b.param(0);
        emit!(b, ViewAttr, x, place, mb.const_text("a"));
        emit!(b, Ret);
    })
}

#[test]
fn attributes_by_place() {
    assert_eq!(attribute(host_text("x\"y"), 0), " a=\"x&quot;y\"");
    assert_eq!(attribute(HostValue::None, 0), "");
    assert_eq!(attribute(Bool(true), 1), " a");
    assert_eq!(attribute(Int(0), 1), "");
    assert_eq!(
        attribute(host_text("/todo?id=1&x"), 2),
        " a=\"/todo?id=1&amp;x\""
    );
    assert_eq!(attribute(host_text("JavaScript:alert(1)"), 2), " a=\"#\"");
    assert_eq!(attribute(host_text("color: red"), 3), " a=\"color: red\"");
    assert_eq!(attribute(host_text("x: expression(1)"), 3), " a=\"\"");
}

#[test]
fn values_inside_of_a_style_stay_inside_of_their_declaration() {
    assert_eq!(attribute(Int(3), 4), "3");
    assert_eq!(attribute(HostValue::None, 4), "");
    for good in ["red", "rgb(1, 2, 3)", "calc(1px + 2%)", "#fff !important"] {
        assert_eq!(attribute(host_text(good), 4), good);
    }
    assert_eq!(attribute(host_text("\"A\""), 4), "&quot;A&quot;");
    for bad in [
        "red;position:fixed",
        "red}body{color:red",
        "{",
        "\\75rl(x)",
        "red/*",
        "url(/a.png)",
        "URL(https://a.b)",
        "expression(1)",
    ] {
        assert_eq!(attribute(host_text(bad), 4), "", "{bad}");
    }
    for good in ["/a.png", "https://a.b/c?d=e"] {
        assert_eq!(attribute(host_text(good), 5), good);
    }
    for bad in ["/a);color:red", "/a'", "data:x", "javascript:x", "\\"] {
        assert_eq!(attribute(host_text(bad), 5), "#", "{bad}");
    }
}

fn bound(value: HostValue, control: i32, option: HostValue) -> String {
    body(&[value, option], |_, b| {
        let (x, option) = (b.param(0), b.param(1));
        emit!(b, ViewBind, x, control, GlobalId(0));
        emit!(b, ViewOption, option, x);
        emit!(b, Ret);
    })
}

#[test]
fn bound_controls() {
    let name = " data-flin-bind=\"newTitle\" name=\"newTitle\"";
    let other = || host_text("no such option");
    assert_eq!(
        bound(host_text("a\"b"), 0, other()),
        format!("{name} value=\"a&quot;b\"")
    );
    assert_eq!(
        bound(HostValue::None, 0, other()),
        format!("{name} value=\"\"")
    );
    assert_eq!(bound(Float(3.0), 1, other()), format!("{name} value=\"3\""));
    assert_eq!(bound(Bool(true), 2, other()), format!("{name} checked"));
    assert_eq!(bound(Bool(false), 2, other()), name);
    assert_eq!(bound(Int(2), 3, host_text("2")), format!("{name} checked"));
    assert_eq!(
        bound(host_text("b"), 4, host_text("b")),
        format!("{name} selected")
    );
    assert_eq!(bound(host_text("b"), 4, other()), name);
    assert_eq!(bound(host_text("text"), 5, other()), name);
}

#[test]
fn handlers_carry_their_captured_values() {
    let values = [
        Link(EntityTypeId(0), 7),
        Int(i64::MAX),
        Float(f64::NAN),
        HostValue::Time(0),
        Duration(5),
        HostValue::None,
        List(vec![host_text("\"<"), Bool(true)]),
        Map(vec![("k".into(), Int(1))]),
    ];
    let json = concat!(
        "[{\"_entity\":true,\"type\":\"Todo\",\"id\":7},{\"_int\":\"9223372036854775807\"},{\"_float\":\"NaN\"},",
        "{\"_time\":\"1970-01-01T00:00:00.000Z\"},{\"_duration\":5},null,[\"\\\"\\u003c\",true],{\"k\":1}]"
    );
    let escaped = json.replace('"', "&quot;");
    let on = |handler: u32, count: i32| {
        body(&values, |_, b| {
            let first = b.param(0);
            emit!(b, ViewOn, first, count, HandlerId(handler));
            emit!(b, Ret);
        })
    };
    assert_eq!(
        on(0, 8),
        format!(" data-flin-on-click=\"0\" data-flin-args-click=\"{escaped}\"")
    );
    assert_eq!(
        on(1, 0),
        " data-flin-on-submit=\"1\" method=\"post\" action=\"/_action\""
    );
    assert_eq!(on(2, 0), " data-flin-on-keydown.enter=\"2\"");
}

#[test]
fn forms_and_buttons_work_without_javascript() {
    let rendered = render(&[Int(1)], |_, b| {
        let x = b.param(0);
        emit!(b, ViewForm, x, 1, HandlerId(1));
        emit!(b, ViewOnButton, x, 1, HandlerId(0));
        emit!(b, ViewOnButton, x, 0, HandlerId(0));
        emit!(b, Ret);
    })
    .expect("rendered");
    let inputs = |handler: u32, args: &str| {
        format!(
            "<input type=\"hidden\" name=\"_action\" value=\"#{handler}\"><input type=\"hidden\" name=\"_args\" value=\"{args}\"><input type=\"hidden\" name=\"_page\" value=\"/x&quot;y\">"
        )
    };
    assert_eq!(
        rendered.body,
        format!(
            "{} data-flin-on-click=\"0\" data-flin-args-click=\"[1]\" form=\"flin-form-1\" data-flin-on-click=\"0\" form=\"flin-form-2\"",
            inputs(1, "[1]")
        )
    );
    let form = |n: u32, args: &str| {
        format!(
            "<form id=\"flin-form-{n}\" method=\"post\" action=\"/_action\" hidden>{}</form>",
            inputs(0, args)
        )
    };
    assert_eq!(rendered.forms, form(1, "[1]") + &form(2, "[]"));
}

#[test]
fn the_head() {
    let rendered = render(&[], |mb, b| {
        let i = int(b, 1);
        emit!(b, ViewHead, 1);
        emit!(b, ViewRaw, mb.const_text("<title>"));
        emit!(b, ViewTextI64, i);
        emit!(b, ViewHead, 0);
        emit!(b, Ret);
    })
    .expect("rendered");
    assert_eq!(rendered.head, "<title>1");
    assert_eq!(rendered.body, "");
    assert_eq!(rendered.marks, [], "the head has no places");
}

/// A list in the root block, with an item of each of these values.
fn items(values: &[HostValue], form: i32) -> Rendered {
    let count = values.len();
    render(values, |mb, b| {
        let mark = mb.const_text(".");
        emit!(b, ViewBlock, 0);
        emit!(b, ViewList);
        for at in 0..count {
            let value = b.param(at);
            emit!(b, ViewItem, value, form);
            emit!(b, ViewBlock, 1);
            emit!(b, ViewKey);
            emit!(b, ViewRaw, mark);
            emit!(b, ViewEnd);
        }
        emit!(b, ViewEnd);
        emit!(b, ViewEnd);
        emit!(b, Ret);
    })
    .expect("rendered")
}

#[test]
fn items_have_different_keys() {
    let record = |id: HostValue| Map(vec![("id".into(), id)]);
    let todo = || Link(EntityTypeId(0), 3);
    let values = [
        todo(),
        todo(),
        host_text("a"),
        record(host_text("x\"y")),
        record(Int(2)),
        record(HostValue::None),
    ];
    let out = items(&values, 0);
    assert_eq!(
        out.body,
        " data-flin-key=\"Todo:3\". data-flin-key=\"Todo:3#2\".. data-flin-key=\"x&quot;y\". data-flin-key=\"2#2\".."
    );
    assert_eq!(out.keys, "Todo:3Todo:3#2x\"y2#2");
    let given = items(&[host_text("a"), host_text("a"), host_text("b--><i>%")], 3);
    assert_eq!(
        given.body,
        "<!--i a--> data-flin-key=\"a\".<!--i a#2--> data-flin-key=\"a#2\".<!--i b%2D%2D%3E%3Ci%3E%25--> data-flin-key=\"b--&gt;&lt;i&gt;%\"."
    );
    assert_eq!(items(&[HostValue::None], 1).body, "<!--i-->.");
}

#[test]
fn marks_tell_what_was_written_where() {
    let out = render(&[host_text("<"), Int(7)], |mb, b| {
        let (text, key) = (b.param(0), b.param(1));
        emit!(b, ViewBlock, 0);
        emit!(b, ViewRaw, mb.const_text("<p>"));
        emit!(b, ViewLeaf, 1);
        emit!(b, ViewTextAny, text);
        emit!(b, ViewRaw, mb.const_text("!"));
        emit!(b, ViewLeaf, 0);
        emit!(b, ViewAttr, text, 0, mb.const_text("a"));
        emit!(b, ViewAbsent);
        emit!(b, ViewList);
        emit!(b, ViewItem, key, 2);
        emit!(b, ViewBlock, 1);
        emit!(b, ViewOn, key, 1, HandlerId(0));
        emit!(b, ViewEnd);
        emit!(b, ViewEnd);
        emit!(b, ViewList);
        emit!(b, ViewEmpty);
        emit!(b, ViewBlock, 1);
        emit!(b, ViewEnd);
        emit!(b, ViewEnd);
        emit!(b, ViewEnd);
        emit!(b, Ret);
    })
    .expect("rendered");
    assert_eq!(
        out.body,
        "<p>&lt;! a=\"&lt;\" data-flin-on-click=\"0\" data-flin-args-click=\"[7]\""
    );
    let leaf = |start, end| Mark::Leaf { start, end };
    let block = |template| Mark::Block { template };
    assert_eq!(
        out.marks,
        [
            block(0),
            leaf(3, 8),
            leaf(8, 17),
            Mark::Absent,
            Mark::List,
            Mark::Item { start: 0, end: 1 },
            block(1),
            leaf(40, 67),
            Mark::End,
            Mark::End,
            Mark::List,
            Mark::Empty,
            block(1),
            Mark::End,
            Mark::End,
            Mark::End,
        ]
    );
}

#[test]
fn marks_that_do_not_fit_are_an_error() {
    let refused = |wrong: fn(&mut FunctionBuilder)| {
        let result = render(&[], |_, b| {
            wrong(b);
            emit!(b, Ret);
        });
        result.expect_err("refused").message
    };
    let why = "the markup of this view is not nested rightly";
    assert_eq!(refused(|b| emit!(b, ViewEnd)), why);
    assert_eq!(refused(|b| emit!(b, ViewLeaf, 0)), why);
    assert_eq!(
        refused(|b| {
            emit!(b, ViewLeaf, 1);
            emit!(b, ViewBlock, 0);
        }),
        why
    );
    assert_eq!(
        refused(|b| {
            let i = b.temp(Class::Any);
            emit!(b, NoneAny, i);
            emit!(b, ViewItem, i, 0);
        }),
        why
    );
}
