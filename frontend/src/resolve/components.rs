//! Components: a use of one is its view, put where its tag stands. Must stay true: the component sees its own names and those
//! of its file, never those around its tag; what stands between its tags, and the code it gets as a prop, see what is
//! around them; a component that nobody uses is checked as if somebody did.

mod callbacks;
mod instances;
mod life;
mod props;
mod slots;

use flin_syntax::ast::{self, Element, Markup, MarkupKind, Name, Stmt, StmtKind};
use flin_syntax::{Code, Diagnostic, Span};

use crate::hir::{ExprKind, FnKind, PageDef, Param, TypeAnn};

use super::Resolver;
use super::markup::{Around, Output};
use super::names::Item;
use super::scope::{FrameHead, Link, Place};
pub(super) use callbacks::Callback;
pub(super) use instances::{Instance, Store};
pub(super) use life::Phase;
use props::Given;

/// How many uses of components a program may have, those inside of components counted as often as they are used.
const USES_MAX: u32 = 10_000;

/// How many uses of one component stand inside of each other, when it shows itself again. Each of them is in the page's templates and
/// holds its values while the inner ones are shown, so this is what a page weighs.
const INSIDE_MAX: usize = 8;

/// A component that was declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component<'a> {
    name: &'a str,
    /// Of a file in `components/` the props are what the file reads of `props`.
    params: Option<&'a [ast::Param]>,
    body: &'a [Stmt],
    world: usize,
    /// Some view shows it.
    used: bool,
}

/// The use of a component around what is being read.
#[derive(Debug)]
pub(super) struct Use<'a> {
    component: usize,
    /// What stands between its tags, and where names in it are looked up.
    children: &'a [Markup],
    world: usize,
    blocks: usize,
    /// How many `{if}` and `{for}` are around it.
    choices: usize,
    outer: Option<Instance<'a>>,
}

impl<'a> Component<'a> {
    /// The markup of its view, in the order of the source.
    fn markup(&self) -> impl Iterator<Item = &'a Markup> + use<'a> {
        self.body
            .iter()
            .flat_map(|statement| match &statement.kind {
                StmtKind::View(nodes) => nodes.as_slice(),
                StmtKind::Markup(node) => std::slice::from_ref(node),
                _ => &[],
            })
    }
}

impl<'a> Resolver<'a> {
    /// `component Name(props) { … }`
    pub(super) fn declare_component(&mut self, decl: &'a ast::ComponentDecl) {
        let (params, body) = (Some(&*decl.params), &*decl.body.statements);
        self.add_component(&decl.name, &decl.name.text, params, body);
    }

    /// A file of `components/`.
    pub(super) fn component_file(&mut self, name: &'a str, ast: &'a ast::Program) {
        // A file may also hold the component written out.
        if let [
            Stmt {
                kind: StmtKind::Component(decl),
                ..
            },
        ] = &*ast.statements
            && &*decl.name.text == name
        {
            return self.declare_component(decl);
        }
        let tag = Name::new(name, Span::at(ast.span.start));
        self.add_component(&tag, name, None, &ast.statements);
    }

    fn add_component(
        &mut self,
        tag: &Name,
        name: &'a str,
        params: Option<&'a [ast::Param]>,
        body: &'a [Stmt],
    ) {
        self.only_a_view(body, "a component");
        if self.declare_top(tag, Item::Component(self.components.len())) {
            self.components.push(Component {
                name,
                params,
                body,
                world: self.world,
                used: false,
            });
        }
    }

    /// `<Card title="x">…</Card>`
    pub(super) fn use_component(
        &mut self,
        element: &'a Element,
        span: Span,
        around: &Around,
        out: &mut Output,
    ) {
        let Some(Item::Component(at)) = self.top(&element.name.text) else {
            return self.unknown_component(element);
        };
        let around_it = self.uses.iter().rev().filter(|it| it.component == at);
        let inside_of = around_it.clone().count();
        let is_endless = around_it.clone().any(|it| it.choices == self.choices);
        if is_endless {
            let title = format!(
                "the component `{}` always contains itself",
                element.name.text
            );
            let wrong = Diagnostic::error(Code::BadComponent, element.name.span, title);
            return self.report(
                wrong.hint(
                    "show itself for its parts only: in a `{for}` over them, or in an `{if}`",
                ),
            );
        }
        if inside_of == INSIDE_MAX {
            return self.too_deep(element, span, out);
        }
        self.use_count += 1;
        if self.use_count > USES_MAX {
            let title = format!("components are used more than {USES_MAX} times in the views");
            let wrong = Diagnostic::error(Code::BadComponent, element.name.span, title)
                .reason("a use inside of a component counts as often as that one is used");
            return self.report(match inside_of {
                0 => wrong,
                _ => wrong.hint(format!(
                    "of a component that shows itself {INSIDE_MAX} stand inside of each other: let it do so at one place, in a `{{for}}` over all its parts"
                )),
            });
        }
        self.components[at].used = true;
        let given = self.given_props(element, out);
        self.show_component(at, given, &element.children, span, around, out);
    }

    /// What a component shows that stands too deep inside of itself: an error, when it comes to that.
    fn too_deep(&mut self, element: &Element, span: Span, out: &mut Output) {
        let name = &element.name.text;
        let sentence =
            format!("more than {INSIDE_MAX} of the component `{name}` stand inside of each other");
        let kind = self.emit(ExprKind::Text("DepthLimitExceeded".to_owned()), span);
        let sentence = self.emit(ExprKind::Text(sentence), span);
        let call = ExprKind::CallLib("fail".to_owned(), vec![kind, sentence]);
        let failing = self.emit(call, element.name.span);
        self.put(ExprKind::ViewText(failing), element.name.span, out);
    }

    /// The view of a component, with what its tag gives.
    fn show_component(
        &mut self,
        at: usize,
        given: Given,
        children: &'a [Markup],
        span: Span,
        around: &Around,
        out: &mut Output,
    ) {
        let component = self.components[at];
        let site = self.use_count;
        self.uses.push(Use {
            component: at,
            children,
            world: self.world,
            blocks: self.open_blocks(),
            choices: self.choices,
            outer: self.instance.take(),
        });
        self.world = component.world;
        self.open_barrier(0);
        self.props(&component, given, out);
        self.instance = Some(self.instance_of(at, &component, site, span, out));
        let mut ids = Vec::new();
        self.shown_statements(&component, &mut ids, span);
        self.keep_instance(false, &mut ids, span);
        self.flush(out);
        out.ids.append(&mut ids);
        let inside = Around {
            keyed: false,
            ..around.clone()
        };
        let life = self.life_of(component.body);
        let nodes: Vec<&'a Markup> = component.markup().collect();
        self.with_life(life, &nodes, span, out, |this, out| {
            for node in &nodes {
                this.node(node, &inside, out);
            }
        });
        self.close_block();
        if let Some(done) = self.uses.pop() {
            self.world = done.world;
            self.instance = done.outer;
        }
    }

    fn unknown_component(&mut self, element: &Element) {
        let name = &element.name.text;
        let title = format!("there is no component `{name}`");
        let wrong = Diagnostic::error(Code::BadComponent, element.name.span, title);
        let known = self.components.iter().map(|component| component.name);
        let hint = match super::suggest::nearest_of(name, known) {
            Some(near) => format!("did you mean `<{near}>`?"),
            None => format!("declare it: `component {name}(…) {{ view {{ … }} }}`"),
        };
        let missing = element.name.clone();
        self.report_missing(&missing, wrong.hint(hint));
    }

    /// Whether there are components that no view shows.
    pub(super) fn has_unused_components(&self) -> bool {
        self.components.iter().any(|component| !component.used)
    }

    /// Looks at the components that no view shows: each as a page of its own, whose parameters are the props. For messages only.
    pub(super) fn check_unused_components(&mut self) {
        for at in 0..self.components.len() {
            let component = self.components[at];
            if component.used {
                continue;
            }
            self.world = component.world;
            let span = Span::at(component.body.first().map_or(0, |first| first.span.start));
            self.page_for_checks(component.name, span, |this, out| {
                let mut given = Given::none(Name::new(component.name, span));
                for (name, annotation) in this.props_to_check(&component) {
                    let local =
                        this.frame_mut()
                            .add_local(&name.text, name.span, Some(annotation.clone()));
                    this.frame_mut().params.push(Param {
                        local,
                        annotation: Some(annotation),
                        default: None,
                    });
                    given.values.push((name, local));
                }
                this.use_count += 1;
                this.show_component(at, given, &[], span, &Around::default(), out);
            });
        }
    }

    /// A view that is only looked at.
    pub(super) fn page_for_checks(
        &mut self,
        name: &str,
        span: Span,
        show: impl FnOnce(&mut Self, &mut Output),
    ) {
        let id = self.reserve();
        let number = self.pages.len();
        self.pages.push(PageDef {
            path: format!("unused {name}"),
            view: id,
            handlers: Vec::new(),
            span,
        });
        self.handlers = Vec::new();
        self.open(
            id,
            FrameHead {
                name: format!("view of {name}"),
                span,
                kind: FnKind::Internal,
                place: Place::View,
                link: Link::Root,
            },
        );
        let mut out = Output::default();
        show(self, &mut out);
        self.flush(&mut out);
        let mut ids = out.ids;
        self.keep_shown(number + 1, span, &mut ids);
        self.component_styles(&mut ids);
        let body = self.emit(ExprKind::Block(ids, false), span);
        self.close(body);
        self.pages[number].handlers = std::mem::take(&mut self.handlers);
    }

    /// The props of a component that nobody uses, with the types that they may have.
    fn props_to_check(&mut self, component: &Component<'a>) -> Vec<(Name, TypeAnn)> {
        let Some(params) = component.params else {
            let known = super::mentions::fields_of("props", component.body);
            let any = |name| (Name::new(name, Span::at(0)), TypeAnn::Any);
            return known.into_iter().map(any).collect();
        };
        let mut found = Vec::new();
        for param in params {
            // What has a plain first value gets that, so that its type is known.
            let is_plain = param.default.as_ref().is_some_and(|it| {
                use ast::ExprKind::{Bool, Float, Int, Text};
                matches!(it.kind, Bool(_) | Float(_) | Int(_) | Text(_))
            });
            if let Some(name) = props::name_of(param)
                && !is_plain
            {
                let annotation = self.annotation(param.ty.as_ref());
                found.push((name.clone(), annotation.unwrap_or(TypeAnn::Any)));
            }
        }
        found
    }
}

/// Whether a node is an element of the body, which can carry attributes of ours.
fn is_body_element(node: &Markup) -> bool {
    matches!(&node.kind, MarkupKind::Element(element)
        if !matches!(&*element.name.text, "title" | "meta" | "link"))
}
