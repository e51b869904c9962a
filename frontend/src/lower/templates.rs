//! Templates of a view under construction: fixed markup, markers, numbered places. Here because the markup that a view
//! writes and the template that the browser copies must be of one piece. Must stay true: places are noted in the order in
//! which their values are written, and the markers of both stand in the same order; inside of a value and in the head
//! there are no places; markers never change what a visitor sees.

use flin_bytecode::{ListPlace, Owner, PlaceKind, Template, TemplatePlace, emit};
use foldhash::{HashMap, HashSet};

use super::function::Lower;
use super::placement::Depends;
use crate::hir::{ExprId, ExprKind, FnId, LocalId, ViewItem};
use crate::operands::operands;
use crate::resolve::escape;
use crate::types::Ty;

/// Text with values in it is one place if no more than so many characters of it are fixed: they travel with each change.
const JOINED_CHARS_MAX: usize = 120;

/// Closes what one of the other markers began.
const CLOSE: &str = "<!--/f-->";

/// Elements around which white space shows.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "button", "cite", "code", "data", "del", "dfn", "em", "i",
    "img", "input", "ins", "kbd", "label", "mark", "meter", "output", "progress", "q", "s", "samp",
    "select", "small", "span", "strong", "sub", "sup", "svg", "textarea", "time", "u", "var",
];

/// Elements directly inside of which white space never shows.
const WITHOUT_BLANKS: &[&str] = &[
    "table", "thead", "tbody", "tfoot", "tr", "colgroup", "select", "optgroup", "datalist",
];

/// Elements whose content is text and nothing else, whatever it looks like.
const TEXT_ONLY: &[&str] = &["textarea", "title", "option", "noscript"];

/// A view under construction.
#[derive(Default)]
pub(super) struct View {
    pub(super) templates: Vec<Template>,
    /// The templates being written, the innermost last.
    open: Vec<u32>,
    /// Markup that is written by no operation yet.
    pending: String,
    /// Inside of the value of one place, or in the head.
    pub(super) inside: u32,
    /// White space here would not show: there is some already, or a block begins or ends.
    blank: bool,
    /// As `blank`, where the loops around began.
    lists: Vec<bool>,
    /// White space is kept.
    kept: bool,
    /// Directly inside of an element without blanks.
    without_blanks: bool,
    /// The next element is an item, and writes its key.
    key: bool,
    /// A newline that comes next is one that browsers drop.
    drops_newline: bool,
    /// Only what the browser computes is written: values, and no markup around them.
    pub(super) browser: bool,
    /// Who computes the block around; none at the root, where each place has its own answer.
    around: Option<Owner>,
    /// Numbers of templates, by what they are of.
    numbers: HashMap<(ExprId, Part), u32>,
    /// Variables of the root block whose values are the server's.
    apart: HashSet<LocalId>,
    /// The variables between the elements of the root block, with the values they were given.
    variables: Vec<(LocalId, ExprId)>,
    /// What the server computes of the root block.
    asked: Vec<ExprId>,
}

/// Which template of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Branch,
    Item,
    Empty,
}

/// The view of a page, as its whole view function left it.
#[derive(Default)]
pub(super) struct WholeView {
    pub(super) templates: Vec<Template>,
    pub(super) numbers: HashMap<(ExprId, Part), u32>,
    pub(super) asked: Vec<ExprId>,
}

impl WholeView {
    /// Whether the browser computes something of it.
    pub(super) fn is_shared(&self) -> bool {
        let root = self.templates.first();
        root.is_some_and(|root| root.places.iter().any(|it| it.owner == Owner::Browser))
    }
}

impl View {
    pub(super) fn has_places(&self) -> bool {
        self.inside == 0 && !self.open.is_empty()
    }

    fn template(&mut self) -> Option<&mut Template> {
        let at = *self.open.last()? as usize;
        self.templates.get_mut(at)
    }

    /// Markup of the page that the server writes, not of the template.
    fn served(&mut self, markup: &str) {
        if !self.browser || self.inside > 0 {
            self.pending.push_str(markup);
        }
    }

    /// Markup of the template only: an operation writes it for the server.
    pub(super) fn copied(&mut self, markup: &str) {
        if self.inside == 0
            && let Some(template) = self.template()
        {
            template.html.push_str(markup);
        }
    }

    /// Fixed markup.
    pub(super) fn markup(&mut self, markup: &str) {
        self.served(markup);
        self.copied(markup);
    }

    fn places(&mut self) -> usize {
        self.template().map_or(0, |template| template.places.len())
    }

    /// The server computes these, wherever they stand.
    pub(super) fn asks(&mut self, of: &[ExprId]) {
        if self.around.is_none() {
            self.asked.extend(of);
        }
    }

    /// The number of a template: the same in both view functions of a page.
    fn number(&mut self, e: ExprId, part: Part) -> u32 {
        let next = 1 + self.numbers.len() as u32;
        let number = *self.numbers.entry((e, part)).or_insert(next);
        while self.templates.len() <= number as usize {
            self.templates.push(Template::default());
        }
        number
    }
}

/// What is known of the content of an item.
struct ItemForm<'a> {
    single: bool,
    content: &'a [ExprId],
}

impl Lower<'_, '_> {
    /// The view of a page: its root block.
    pub(super) fn page_view(&mut self, body: ExprId) {
        let f = self.f;
        let mark = self.b.mark();
        self.take_locals(body);
        self.view.blank = true;
        self.view.templates.push(Template::default());
        if let ExprKind::Block(items, _) = &f.exprs[body.index()].kind {
            self.template(0, items);
        }
        self.b.release(mark);
        self.leave_empty();
        if !self.view.browser {
            let whole = WholeView {
                templates: std::mem::take(&mut self.view.templates),
                numbers: std::mem::take(&mut self.view.numbers),
                asked: std::mem::take(&mut self.view.asked),
            };
            self.cx.views.insert(self.id, whole);
        }
    }

    /// From now on only what the browser computes.
    pub(super) fn for_browser(&mut self) {
        self.view.browser = true;
        let whole = self.cx.views.get(&self.id);
        self.view.numbers = whole.map(|it| it.numbers.clone()).unwrap_or_default();
    }

    /// A place of the innermost template. Gives who computes it, unless this function leaves it to the other side.
    pub(super) fn value_place(&mut self, kind: PlaceKind, of: &[ExprId]) -> Option<Owner> {
        let owner = match self.view.around {
            Some(owner) => owner,
            None if self.view.has_places() => match self.depends(of) {
                Depends::State => Owner::Browser,
                Depends::Server | Depends::Nothing => Owner::Server,
            },
            None => Owner::Server,
        };
        self.value_place_of(kind, owner, of)
    }

    /// As `value_place`, of an owner that is known.
    pub(super) fn value_place_of(
        &mut self,
        kind: PlaceKind,
        owner: Owner,
        of: &[ExprId],
    ) -> Option<Owner> {
        if !self.view.has_places() {
            return Some(owner);
        }
        let owner = self.view.around.unwrap_or(owner);
        if self.view.around.is_none() && owner == Owner::Server {
            let of = self.with_variables(of);
            self.view.asked.extend(of);
        }
        if let Some(template) = self.view.template() {
            template.places.push(TemplatePlace { kind, owner });
        }
        if self.view.browser && owner == Owner::Server {
            emit!(self.b, ViewAbsent);
            return None;
        }
        Some(owner)
    }

    fn depends(&self, of: &[ExprId]) -> Depends {
        let Some(placement) = &self.cx.placement else {
            return Depends::Server;
        };
        if of.iter().any(|e| self.mentions_apart(*e)) {
            return Depends::Server;
        }
        placement.depends(self.inst, &self.with_variables(of))
    }

    /// Expressions, and those that gave the variables in them their values: the variables of components.
    fn with_variables(&self, of: &[ExprId]) -> Vec<ExprId> {
        let mut all = of.to_vec();
        if self.view.variables.is_empty() {
            return all;
        }
        let mut at = 0;
        while at < all.len() {
            let mut locals = Vec::new();
            self.locals_in(all[at], &mut locals);
            let values = self.view.variables.iter();
            let values = values.filter(|(local, _)| locals.contains(local));
            for (_, value) in values {
                if !all.contains(value) {
                    all.push(*value);
                }
            }
            at += 1;
        }
        all
    }

    /// The variables that an expression mentions, also in its lambdas.
    fn locals_in(&self, e: ExprId, found: &mut Vec<LocalId>) {
        let kind = self.kind(e);
        match kind {
            ExprKind::Local(local) => found.push(*local),
            ExprKind::Lambda(function) => {
                let captures = &self.cx.program.functions[function.index()].captures;
                found.extend(captures.iter().map(|it| it.outer));
            }
            _ => {}
        }
        operands(kind, &mut |part| self.locals_in(part, found));
    }

    /// A variable between elements: of a component. What the server knows of it the browser does not compute.
    fn content_variable(&mut self, e: ExprId, local: LocalId, value: Option<ExprId>) {
        let at_root = self.view.around.is_none() && self.view.has_places();
        if at_root {
            if self.depends(&[e]) == Depends::Server {
                self.view.apart.insert(local);
            }
            self.view
                .variables
                .extend(value.map(|value| (local, value)));
            if self.view.browser && self.view.apart.contains(&local) {
                return;
            }
        }
        self.flush();
        self.effect(e);
        self.flush();
    }

    fn mentions_apart(&self, e: ExprId) -> bool {
        if self.view.apart.is_empty() {
            return false;
        }
        let kind = self.kind(e);
        let mut found = match kind {
            ExprKind::Local(local) => self.view.apart.contains(local),
            ExprKind::Lambda(function) => {
                let captures = &self.cx.program.functions[function.index()].captures;
                captures
                    .iter()
                    .any(|it| self.view.apart.contains(&it.outer))
            }
            _ => false,
        };
        operands(kind, &mut |part| found = found || self.mentions_apart(part));
        found
    }

    /// A variable that the attributes of an element need.
    pub(super) fn tag_variable(&mut self, e: ExprId, local: LocalId) {
        let at_root = self.view.around.is_none() && self.view.has_places();
        if at_root && self.depends(&[e]) == Depends::Server {
            self.view.apart.insert(local);
            if self.view.browser {
                return;
            }
        }
        self.effect(e);
    }

    /// A block of a template: begins, is written, ends.
    fn template(&mut self, number: u32, content: &[ExprId]) {
        self.flush();
        emit!(self.b, ViewBlock, number as i32);
        self.view.open.push(number);
        self.content(content);
        self.view.open.pop();
        self.flush();
        emit!(self.b, ViewEnd);
    }

    /// Writes out the fixed markup so far.
    pub(super) fn flush(&mut self) {
        if !self.view.pending.is_empty() {
            let markup = std::mem::take(&mut self.view.pending);
            let id = self.cx.module.const_text(&markup);
            emit!(self.b, ViewRaw, id);
        }
    }

    /// Something that several operations write and that is one value.
    pub(super) fn one_value(&mut self, write: impl FnOnce(&mut Self)) {
        self.flush();
        let marked = self.view.has_places();
        if marked {
            emit!(self.b, ViewLeaf, 1);
        }
        self.view.inside += 1;
        write(self);
        self.flush();
        self.view.inside -= 1;
        if marked {
            emit!(self.b, ViewLeaf, 0);
        }
    }

    /// What stands between tags.
    pub(super) fn content(&mut self, items: &[ExprId]) {
        let mut rest = items;
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|e| self.is_text(**e)).count();
            if run > 0 {
                self.run(&rest[..run]);
            } else {
                self.node(*first);
            }
            rest = &rest[run.max(1)..];
        }
    }

    fn node(&mut self, e: ExprId) {
        match self.kind(e) {
            // What is no longer shown is forgotten by whoever shows all of it.
            ExprKind::SetGlobal(..) if self.view.browser => {}
            ExprKind::SetIndex(..) if self.view.browser && self.mentions_apart(e) => {}
            ExprKind::Let(local, value) => self.content_variable(e, *local, *value),
            ExprKind::If { .. } if self.view.has_places() => self.branches(e),
            ExprKind::For { .. } if self.view.has_places() => self.items(e),
            ExprKind::ViewRaw(_) | ExprKind::ViewElement(_) => self.effect(e),
            _ => {
                self.flush();
                self.effect(e);
                self.flush();
            }
        }
    }

    /// Characters and values side by side.
    fn run(&mut self, items: &[ExprId]) {
        if self.view.without_blanks && items.iter().all(|e| self.is_blank(*e)) {
            return;
        }
        let fixed = self.fixed_chars(items);
        if !self.view.has_places() || fixed == Some(0) {
            items.iter().for_each(|e| self.text_part(*e));
            return;
        }
        if fixed.is_some_and(|chars| chars > JOINED_CHARS_MAX) {
            for e in items {
                if self.is_fixed(*e) {
                    self.text_part(*e);
                } else {
                    self.marked_text(std::slice::from_ref(e));
                }
            }
            return;
        }
        self.view.copied("<!--t-->");
        self.text_value(items);
    }

    /// A text beside much fixed text.
    fn marked_text(&mut self, items: &[ExprId]) {
        self.view.markup("<!--f-->");
        self.text_value(items);
        self.view.markup(CLOSE);
    }

    /// The value of a place for text.
    fn text_value(&mut self, items: &[ExprId]) {
        self.view.blank = false;
        if self.value_place(PlaceKind::Text, items).is_none() {
            return;
        }
        match items {
            [e] if matches!(self.kind(*e), ExprKind::ViewText(_)) => {
                self.flush();
                self.effect(*e);
            }
            _ => self.one_value(|this| items.iter().for_each(|e| this.text_part(*e))),
        }
        self.view.blank = false;
    }

    fn text_part(&mut self, e: ExprId) {
        let f = self.f;
        match &f.exprs[e.index()].kind {
            ExprKind::ViewChars(text) => {
                self.view.blank = text.ends_with(|c: char| c.is_ascii_whitespace())
                    || text.is_empty() && self.view.blank;
                let newline = std::mem::take(&mut self.view.drops_newline);
                let text = text.strip_prefix('\n').filter(|_| newline).unwrap_or(text);
                let text = escape(text);
                self.view.markup(&text);
            }
            _ => {
                self.flush();
                self.effect(e);
                self.flush();
            }
        }
    }

    /// How many characters of a run are fixed; `Some(0)` also if nothing else is in it.
    fn fixed_chars(&self, items: &[ExprId]) -> Option<usize> {
        if items.iter().all(|e| self.is_fixed(*e)) {
            return Some(0);
        }
        let chars = items.iter().map(|e| match self.kind(*e) {
            ExprKind::ViewChars(text) => text.len(),
            _ => 0,
        });
        Some(chars.sum()).filter(|chars| *chars > 0)
    }

    /// Whether an expression of a view writes nothing that changes, and no element. (What goes to the head leaves no trace.)
    fn is_fixed(&self, e: ExprId) -> bool {
        matches!(self.kind(e), ExprKind::ViewChars(_) | ExprKind::ViewHead(_))
    }

    /// Whether an expression of a view writes nothing but text.
    fn is_text(&self, e: ExprId) -> bool {
        match self.kind(e) {
            ExprKind::ViewChars(_)
            | ExprKind::ViewText(_)
            | ExprKind::ViewNothing
            | ExprKind::ViewHead(_) => true,
            ExprKind::ViewBlock(items) | ExprKind::ViewEmpty(items) => self.are_text(items),
            ExprKind::ViewItem(item) => self.are_text(&item.content),
            ExprKind::If {
                then, otherwise, ..
            } => self.is_text(*then) && otherwise.is_none_or(|e| self.is_text(e)),
            ExprKind::For { body, empty, .. } => {
                self.is_text(*body) && empty.is_none_or(|e| self.is_text(e))
            }
            ExprKind::Block(items, false) => items.last().is_some_and(|e| self.is_text(*e)),
            _ => false,
        }
    }

    fn are_text(&self, items: &[ExprId]) -> bool {
        items.iter().all(|e| self.is_text(*e))
    }

    fn is_blank(&self, e: ExprId) -> bool {
        matches!(self.kind(e), ExprKind::ViewChars(text) if text.chars().all(|c| c.is_ascii_whitespace()))
    }

    /// `{if}` whose branches hold more than text.
    fn branches(&mut self, e: ExprId) {
        self.view.copied("<!--f-->");
        self.view.copied(CLOSE);
        let owner = self.value_place(PlaceKind::Block(Vec::new()), &[e]);
        self.flush();
        if let Some(owner) = owner {
            let around = self.view.around.replace(owner);
            self.effect(e);
            self.view.around = around;
        }
        self.view.served(CLOSE);
        self.view.blank = false;
    }

    /// One of its branches.
    pub(super) fn branch_content(&mut self, e: ExprId, items: &[ExprId]) {
        if !self.view.has_places() {
            return self.plain_content(items);
        }
        let number = self.view.number(e, Part::Branch);
        if let Some(template) = self.view.template()
            && let Some(PlaceKind::Block(branches)) =
                template.places.last_mut().map(|place| &mut place.kind)
        {
            branches.push(number);
        }
        self.view.served(&format!("<!--f{number}-->"));
        self.view.blank = false;
        self.template(number, items);
    }

    pub(super) fn no_branch(&mut self) {
        if self.view.has_places() {
            self.view.served("<!--f-->");
            self.flush();
            emit!(self.b, ViewAbsent);
        }
    }

    fn plain_content(&mut self, items: &[ExprId]) {
        self.content(items);
        self.flush();
    }

    /// `{for}` whose body holds more than text.
    fn items(&mut self, e: ExprId) {
        let has_empty = matches!(self.kind(e), ExprKind::For { empty: Some(_), .. });
        let item = self.view.number(e, Part::Item);
        let empty = has_empty.then(|| self.view.number(e, Part::Empty));
        self.view.markup(&format!("<!--f{item}-->"));
        self.view.copied(CLOSE);
        let owner = self.value_place(PlaceKind::List(ListPlace { item, empty }), &[e]);
        if let Some(owner) = owner {
            self.flush();
            emit!(self.b, ViewList);
            self.view.lists.push(self.view.blank);
            let around = self.view.around.replace(owner);
            self.effect(e);
            self.view.around = around;
            self.view.lists.pop();
            emit!(self.b, ViewEnd);
        }
        self.view.served(CLOSE);
        self.view.blank = false;
    }

    fn list_place(&mut self) -> Option<ListPlace> {
        match &self.view.template()?.places.last()?.kind {
            PlaceKind::List(list) => Some(*list),
            _ => None,
        }
    }

    /// One turn of a loop.
    pub(super) fn item(&mut self, item: &ViewItem) {
        let list = self.view.has_places().then(|| self.list_place()).flatten();
        let Some(list) = list else {
            return self.plain_content(&item.content);
        };
        let form = self.item_form(&item.content);
        let (key, given) = self.item_key(item);
        emit!(
            self.b,
            ViewItem,
            key,
            i32::from(!form.single) | i32::from(given) << 1
        );
        let blank = std::mem::replace(&mut self.view.blank, false);
        self.view.key = form.single && (item.key.is_some() || item.of.is_some());
        self.template(list.item, form.content);
        self.view.templates[list.item as usize].single = form.single;
        self.view.blank = blank;
    }

    /// What a loop without turns shows.
    pub(super) fn empty_content(&mut self, items: &[ExprId]) {
        let list = self.view.has_places().then(|| self.list_place()).flatten();
        let Some(number) = list.and_then(|list| list.empty) else {
            return self.plain_content(items);
        };
        self.view.served(&format!("<!--e{number}-->"));
        emit!(self.b, ViewEmpty);
        self.template(number, items);
    }

    /// The key of an item, and whether the program gave it (then its text is the key).
    fn item_key(&mut self, item: &ViewItem) -> (flin_bytecode::Reg, bool) {
        if let Some(key) = item.key {
            return (self.shown(key), true);
        }
        let Some((local, iter)) = item.of else {
            return (self.none_as(Ty::Any, None), false);
        };
        let of_map = matches!(self.ty(iter), Ty::Map(_) | Ty::Record(_));
        let (value, ty) = self.read_local(local, None);
        match ty {
            _ if of_map => (self.shown_value(value, ty), true),
            Ty::Entity(_) | Ty::Record(_) | Ty::Map(_) | Ty::Union(_) | Ty::Any => {
                (self.word_of(value, ty), false)
            }
            // Nothing else has a name of its own.
            _ => (self.none_as(Ty::Any, None), false),
        }
    }

    /// Whether an item is exactly one element, and what of its content is written: of blanks on both sides only those
    /// behind it stay, if there is a blank before the list already.
    fn item_form<'a>(&self, content: &'a [ExprId]) -> ItemForm<'a> {
        let before = content.iter().take_while(|e| self.is_blank(**e)).count();
        let (_, rest) = content.split_at(before);
        let behind = rest.iter().rev().take_while(|e| self.is_blank(**e)).count();
        let alone = rest.len() == behind + 1
            && matches!(self.kind(rest[0]), ExprKind::ViewElement(_))
            && !self.view.kept;
        let can_go = self.view.without_blanks
            || behind > 0 && self.view.lists.last().copied().unwrap_or(false);
        if alone && (before == 0 || can_go) {
            return ItemForm {
                single: true,
                content: rest,
            };
        }
        ItemForm {
            single: false,
            content,
        }
    }
}

impl Lower<'_, '_> {
    /// An element: tag, attributes, content.
    pub(super) fn element(&mut self, e: ExprId) {
        let f = self.f;
        let ExprKind::ViewElement(element) = &f.exprs[e.index()].kind else {
            return;
        };
        let name = element.name.as_str();
        self.view.markup(&format!("<{name}"));
        if std::mem::take(&mut self.view.key) && !self.view.browser {
            self.flush();
            emit!(self.b, ViewKey);
        }
        let before = self.view.places();
        for attribute in &element.attributes {
            self.attribute(*attribute);
        }
        let attributes = self.view.places() - before;
        let content = element.content.as_deref().unwrap_or_default();
        let text = self.view.has_places() && self.is_one_text(name, content);
        if self.view.has_places() && (attributes > 0 || text) {
            let count = if attributes > 0 {
                attributes.to_string()
            } else {
                String::new()
            };
            let text = if text { "t" } else { "" };
            self.view.copied(&format!(" data-f=\"{count}{text}\""));
        }
        self.view.markup(">");
        let inline = INLINE.contains(&name);
        if element.content.is_none() {
            self.view.blank = !inline;
            return;
        }
        self.view.blank |= !inline;
        self.inside_of(name, content, text);
        self.view.markup(&format!("</{name}>"));
        self.view.blank |= !inline;
        if matches!(name, "button" | "select" | "textarea" | "svg") {
            self.view.blank = false;
        }
    }

    fn inside_of(&mut self, name: &str, content: &[ExprId], text: bool) {
        let around = self.view.kept;
        let keeps = matches!(name, "pre" | "textarea");
        self.view.kept |= keeps;
        let blanks = std::mem::replace(
            &mut self.view.without_blanks,
            WITHOUT_BLANKS.contains(&name),
        );
        // The browser drops a newline directly after these tags: where the content is computed, it drops ours.
        let computed = content
            .first()
            .is_some_and(|e| !matches!(self.kind(*e), ExprKind::ViewChars(_)));
        if keeps && (text || computed) {
            self.view.markup("\n");
        }
        if text {
            self.view.drops_newline = keeps;
            self.text_value(content);
            self.view.drops_newline = false;
        } else if name == "table" {
            self.table(content);
        } else {
            self.content(content);
        }
        self.view.without_blanks = blanks;
        self.view.kept = around;
    }

    /// Whether an element's content is one value: text that is not fixed, and not too long.
    fn is_one_text(&self, name: &str, content: &[ExprId]) -> bool {
        if content.iter().all(|e| self.is_fixed(*e)) {
            return false;
        }
        if TEXT_ONLY.contains(&name) {
            return true;
        }
        self.are_text(content)
            && self
                .fixed_chars(content)
                .is_none_or(|chars| chars <= JOINED_CHARS_MAX)
    }

    /// Rows that stand directly in a table get the `<tbody>` that the browser would put around them.
    fn table(&mut self, content: &[ExprId]) {
        let mut in_body = false;
        for e in content {
            let row = self.is_row(*e);
            if row && !in_body {
                self.view.markup("<tbody>");
            } else if !row && in_body && !self.is_blank(*e) {
                self.view.markup("</tbody>");
            }
            in_body = row || in_body && self.is_blank(*e);
            self.content(std::slice::from_ref(e));
        }
        if in_body {
            self.view.markup("</tbody>");
        }
    }

    fn is_row(&self, e: ExprId) -> bool {
        let any = |items: &[ExprId]| items.iter().any(|e| self.is_row(*e));
        match self.kind(e) {
            ExprKind::ViewElement(element) => element.name == "tr",
            ExprKind::ViewBlock(items)
            | ExprKind::ViewEmpty(items)
            | ExprKind::Block(items, false) => any(items),
            ExprKind::ViewItem(item) => any(&item.content),
            ExprKind::If {
                then, otherwise, ..
            } => self.is_row(*then) || otherwise.is_some_and(|e| self.is_row(e)),
            ExprKind::For { body, .. } => self.is_row(*body),
            _ => false,
        }
    }
}

/// The views of the pages, by their functions.
pub(super) type OfPages = HashMap<FnId, WholeView>;
