//! One run of an entry on a VM: state and derived variables first, then the function, then what is read out of the VM.
//! Here because page, action, route, script and test differ only in what stands around the one call. Must stay true:
//! only declared state is taken from outside, sent state is never overwritten by an initialiser, initialisers and views
//! only read, and everything an entry names is checked against the module before any code runs.

use flin_store::{ConstraintError, ConstraintRule};
use flin_vm::bytecode::ids::{FuncId, GlobalId, TypeId};
use flin_vm::bytecode::module::{
    Injected, LOAD, LOADING, Module, NamedArg, Page, PageVariable, STATUS_SUFFIX, VariableKind,
};
use flin_vm::{ErrorKind, HostError, HostResponse, HostValue, Program, Trap, Vm};
use std::sync::Arc;

use crate::entry::{
    ActionOutcome, Entry, Failure, HandlerName, Outcome, PageOutcome, RouteBody, RouteOutcome,
    RouteRequest, SentState,
};
use crate::host::StoreHost;
use crate::json::Json;
use crate::wire::{Decoder, Sent, WireError, same_literal};

/// Parts of variables that a page may send at once. Each costs a walk over its variable; a form has fewer controls.
const PARTS_MAX: usize = 1000;

/// Runs an entry once. The transaction in `host` holds what it did; sequence numbers are filled in by the door.
pub(crate) fn run_entry(
    program: &Arc<Program>,
    limits: flin_vm::Limits,
    entry: &Entry,
    host: &mut StoreHost<'_>,
) -> Result<Outcome, Failure> {
    let mut vm = Vm::new(Arc::clone(program), limits);
    vm.set_page_key(host.page_key);
    let module = program.module();
    let mut run = Run {
        module,
        vm,
        host,
        checks_versions: matches!(entry, Entry::Action { .. }),
    };
    let done = run.enter(entry);
    run.host.counts = run.vm.counts();
    done
}

struct Run<'a, 'h> {
    module: &'a Module,
    vm: Vm,
    host: &'a mut StoreHost<'h>,
    // Something is about to be changed, by somebody who may have said which versions they saw.
    checks_versions: bool,
}

impl<'a, 'h> Run<'a, 'h> {
    fn enter(&mut self, entry: &Entry) -> Result<Outcome, Failure> {
        let run = self;
        match entry {
            Entry::Page {
                page,
                params,
                state,
            } => run.page(*page, params, state),
            Entry::Action {
                page,
                handler,
                args,
                params,
                state,
                ..
            } => run.action((*page, params), handler, args, state),
            Entry::Route {
                route,
                request,
                read_only,
            } => run.route(*route, request, *read_only),
            Entry::Main | Entry::Script => run.main(),
            Entry::Test { test } => run.test(*test),
        }
    }

    fn page(
        &mut self,
        page: usize,
        params: &[(String, String)],
        state: &SentState,
    ) -> Result<Outcome, Failure> {
        let page = &self.module.pages[page];
        self.host.read_only = true;
        self.set_params(page, params)?;
        self.prepare(&page.variables, state, Waiting::Leave)?;
        self.call(page.view, &[])?;
        let rendered = self.vm.take_rendered();
        let seq = self.host.tx.snapshot().lsn();
        Ok(Outcome::Page(PageOutcome {
            rendered,
            state: self.state(&page.variables),
            seq,
            reads: Arc::new(self.host.tx.take_read_set()),
            data_only: self.host.saw_data_only(),
        }))
    }

    fn action(
        &mut self,
        (page, params): (usize, &[(String, String)]),
        handler: &HandlerName,
        args: &[Json],
        state: &SentState,
    ) -> Result<Outcome, Failure> {
        let page = &self.module.pages[page];
        let candidates = choose_handlers(page, handler, args)?;
        self.host.read_only = true;
        self.set_params(page, params)?;
        self.prepare(&page.variables, state, Waiting::Ask)?;
        let before = self.state(&page.variables);
        let (func, values) = self.first_that_fits(&candidates)?;
        self.host.read_only = false;
        self.call(func, &values)?;
        let mut changed = self.state(&page.variables);
        changed.retain(|entry| !before.contains(entry));
        let wrote = !self.host.tx.is_read_only();
        Ok(Outcome::Action(ActionOutcome {
            wrote,
            state: changed,
            seq: self.host.tx.snapshot().lsn(),
            repeated: false,
        }))
    }

    // What is not in the path is an empty text: whoever asked matched it with the page.
    fn set_params(&mut self, page: &Page, params: &[(String, String)]) -> Result<(), Failure> {
        if !params.is_empty() {
            self.vm.set_page_address(address(page, params));
        }
        for (name, global) in &page.params {
            let value = params.iter().find(|(known, _)| known == name);
            let value = value.map_or_else(String::new, |(_, value)| value.clone());
            self.vm
                .set_global(*global, &HostValue::Text(value))
                .map_err(|trap| Failure::Trap(Box::new(trap)))?;
        }
        Ok(())
    }

    // Several handlers of a page may call the same function, with literals and types of their own.
    fn first_that_fits(
        &mut self,
        candidates: &[Chosen<'_>],
    ) -> Result<(FuncId, Vec<HostValue>), Failure> {
        let mut refused = None;
        for candidate in candidates {
            let decode = |(what, json, ty): &(String, &Json, TypeId)| {
                self.decode(what, &Sent::Json((*json).clone()), *ty)
            };
            match candidate.args.iter().map(decode).collect() {
                Ok(values) => return Ok((candidate.func, values)),
                Err(failure @ Failure::BadInput { .. }) => refused = refused.or(Some(failure)),
                Err(failure) => return Err(failure),
            }
        }
        Err(refused.expect("there is a candidate, and it was refused"))
    }

    fn route(
        &mut self,
        route: usize,
        request: &RouteRequest,
        read_only: bool,
    ) -> Result<Outcome, Failure> {
        let route = &self.module.routes[route];
        self.host.read_only = true;
        self.prepare(&route.variables, &Vec::new(), Waiting::Ask)?;
        for (injected, global) in &route.injected {
            let value = injected_value(*injected, request);
            self.vm
                .set_global(*global, &value)
                .map_err(|trap| Failure::Trap(Box::new(trap)))?;
        }
        self.host.read_only = read_only;
        let value = self.call(route.func, &[])?;
        Ok(Outcome::Route(Self::answer(value)))
    }

    fn main(&mut self) -> Result<Outcome, Failure> {
        if let Some(main) = self.module.main {
            self.prepare(&[], &Vec::new(), Waiting::Ask)?;
            self.call(main, &[])?;
        }
        Ok(Outcome::Done(self.vm.counts()))
    }

    fn test(&mut self, test: usize) -> Result<Outcome, Failure> {
        let test = &self.module.tests[test];
        self.prepare(&test.variables, &Vec::new(), Waiting::Ask)?;
        self.call(test.func, &[])?;
        Ok(Outcome::Done(self.vm.counts()))
    }

    // Constants, then every variable in source order: what was sent, else its initialiser.
    // A variable whose status is sent as "load" is asked for anew.
    fn prepare(
        &mut self,
        variables: &[PageVariable],
        state: &SentState,
        waiting: Waiting,
    ) -> Result<(), Failure> {
        let declared = |name: &str| {
            let known = |variable: &&PageVariable| {
                variable.kind == VariableKind::State
                    && self.module.globals[variable.global.index()].name == name
            };
            variables.iter().find(known).map(|variable| variable.global)
        };
        let mut sent: Vec<(GlobalId, &str, &Sent)> = Vec::with_capacity(state.len());
        let mut parts: Vec<(GlobalId, &str, &Sent)> = Vec::new();
        if state.iter().filter(|(name, _)| name.contains('.')).count() > PARTS_MAX {
            return Err(Failure::BadInput {
                message: format!("more than {PARTS_MAX} parts of variables were sent"),
                variable: None,
            });
        }
        for (name, value) in state {
            let whole = name.split('.').next().unwrap_or(name);
            match (declared(name), declared(whole)) {
                (Some(global), _) => sent.push((global, name, value)),
                (None, Some(global)) => parts.push((global, name, value)),
                (None, None) => {
                    return Err(Failure::BadInput {
                        message: format!("this page has no state \"{name}\""),
                        variable: None,
                    });
                }
            }
        }
        if let Some(constants) = self.module.const_init {
            self.call(constants, &[])?;
        }
        for variable in variables {
            let known = sent.iter().find(|(global, ..)| *global == variable.global);
            if known.is_none() && self.status(variable, &sent, waiting)? {
                continue;
            }
            match known.filter(|(_, name, _)| !asked_for(name, &sent)) {
                Some((global, name, value)) => {
                    let ty = self.module.globals[global.index()].ty;
                    let about = |message| Failure::BadInput {
                        message,
                        variable: Some((*name).to_owned()),
                    };
                    let value = self
                        .decode(name, value, ty)
                        .map_err(|failure| match failure {
                            Failure::BadInput { message, .. } => about(message),
                            other => other,
                        })?;
                    let set = self.vm.set_global(*global, &value);
                    set.map_err(|trap| about(format!("{name}: {}", trap.message)))?;
                }
                None => {
                    self.call(variable.init, &[])?;
                }
            }
            for (global, name, value) in &parts {
                if *global == variable.global {
                    self.set_part(*global, name, value)?;
                }
            }
        }
        Ok(())
    }

    // How far a variable is that may wait for another server, where that was not sent: settled if the variable itself was
    // sent, else what its initialiser says, asked for now if it may be. False if this is no such status.
    fn status(
        &mut self,
        variable: &PageVariable,
        sent: &[(GlobalId, &str, &Sent)],
        waiting: Waiting,
    ) -> Result<bool, Failure> {
        let name = &self.module.globals[variable.global.index()].name;
        let Some(of) = name.strip_suffix(STATUS_SUFFIX) else {
            return Ok(false);
        };
        self.call(variable.init, &[])?;
        let status = if sent.iter().any(|(_, name, _)| *name == of) {
            HostValue::None
        } else if waiting == Waiting::Ask
            && self.vm.global(variable.global) == HostValue::Text(LOADING.to_owned())
        {
            HostValue::Text(LOAD.to_owned())
        } else {
            return Ok(true);
        };
        let set = self.vm.set_global(variable.global, &status);
        set.map_err(|trap| Failure::Trap(Box::new(trap)))?;
        Ok(true)
    }

    // A control that is bound to a part of a variable sends only that; the part must be there, and of its type.
    fn set_part(&mut self, global: GlobalId, name: &str, sent: &Sent) -> Result<(), Failure> {
        let about = |message| Failure::BadInput {
            message,
            variable: Some(name.to_owned()),
        };
        let whole = self.module.globals[global.index()].ty;
        let missing = || about(format!("this page has no state \"{name}\""));
        let ty = flin_vm::wire::part_type(self.module, whole, name).ok_or_else(missing)?;
        let value = self
            .decode(name, sent, ty)
            .map_err(|failure| match failure {
                Failure::BadInput { message, .. } => about(message),
                other => other,
            })?;
        let mut held = self.vm.global(global);
        *part_of(&mut held, name).ok_or_else(missing)? = value;
        let set = self.vm.set_global(global, &held);
        set.map_err(|trap| about(format!("{name}: {}", trap.message)))
    }

    fn decode(&mut self, what: &str, sent: &Sent, ty: TypeId) -> Result<HostValue, Failure> {
        let mut decoder = Decoder {
            module: self.module,
            host: self.host,
            checks_versions: self.checks_versions,
        };
        decoder.sent(sent, ty).map_err(|error| match error {
            WireError::Mismatch { expected, found } => Failure::BadInput {
                message: format!("{what}: expected {expected}, found {found}"),
                variable: None,
            },
            WireError::Missing { entity, id } => Failure::RecordMissing { entity, id },
            WireError::Changed { entity, id } => Failure::RecordChanged { entity, id },
            WireError::Host(HostError::Storage(message)) => Failure::Store { message },
            WireError::Host(
                error @ (HostError::ReadOnly
                | HostError::NotFound { .. }
                | HostError::Deleted { .. }
                | HostError::NotDeleted { .. }
                | HostError::Constraint { .. }
                | HostError::Conflict),
            ) => Failure::Store {
                message: error.to_string(),
            },
        })
    }

    fn call(&mut self, func: FuncId, args: &[HostValue]) -> Result<HostValue, Failure> {
        self.vm
            .call(self.host, func, args)
            .map_err(|trap| Failure::Trap(Box::new(trap)))
    }

    fn state(&mut self, variables: &[PageVariable]) -> Vec<(String, String)> {
        let state = variables
            .iter()
            .filter(|variable| variable.kind == VariableKind::State);
        let entry = |variable: &PageVariable| {
            let name = self.module.globals[variable.global.index()].name.clone();
            (
                name,
                flin_vm::wire::json(
                    self.module,
                    &self.host.page_key,
                    &self.vm.global(variable.global),
                ),
            )
        };
        state.map(entry).collect()
    }

    fn answer(value: HostValue) -> RouteOutcome {
        let response = match value {
            HostValue::Response(response) => *response,
            body => HostResponse {
                status: 200,
                body,
                ..HostResponse::default()
            },
        };
        let mut headers = response.headers;
        let mut status = if response.status == 0 {
            200
        } else {
            response.status
        };
        if let Some(target) = response.redirect {
            if !(300..400).contains(&status) {
                status = 303;
            }
            headers.push(("location".to_owned(), target));
            return RouteOutcome {
                status,
                headers,
                body: RouteBody::Empty,
            };
        }
        let own_type = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let own_type = own_type.is_some_and(|(_, ty)| !ty.to_ascii_lowercase().contains("json"));
        let body = match response.body {
            HostValue::None if matches!(status, 204 | 304) => RouteBody::Empty,
            HostValue::Text(text) if own_type => RouteBody::Text(text),
            body => RouteBody::Value(body),
        };
        RouteOutcome {
            status,
            headers,
            body,
        }
    }
}

/// What becomes of variables that wait for another server and were not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// They stay none: a page is shown first and asks for them then.
    Leave,
    /// They are asked for: the code that runs may need them.
    Ask,
}

// Whether the status of a variable says that it is to be asked for, whatever was sent for it.
fn asked_for(name: &str, sent: &[(GlobalId, &str, &Sent)]) -> bool {
    sent.iter().any(|(_, status, value)| {
        status.strip_suffix(STATUS_SUFFIX) == Some(name)
            && match value {
                Sent::Json(Json::Text(text)) => text == LOAD,
                Sent::Json(_) => false,
                Sent::Fields(fields) => fields.iter().any(|text| text == LOAD),
            }
    })
}

// A part of a value by names of entries and positions of items.
fn part_of<'v>(whole: &'v mut HostValue, address: &str) -> Option<&'v mut HostValue> {
    let mut part = whole;
    for step in flin_vm::wire::steps(address) {
        part = match part {
            HostValue::Map(entries) => {
                let named = entries.iter_mut().find(|(name, _)| *name == step);
                named.map(|(_, value)| value)?
            }
            HostValue::List(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(part)
}

struct Chosen<'a> {
    func: FuncId,
    args: Vec<(String, &'a Json, TypeId)>,
}

// The handlers that a request may mean: at least one, all of them with the right number of arguments and literals.
fn choose_handlers<'a>(
    page: &Page,
    name: &HandlerName,
    args: &'a [Json],
) -> Result<Vec<Chosen<'a>>, Failure> {
    let unknown = || Failure::UnknownHandler {
        name: name.to_string(),
    };
    match name {
        HandlerName::Number(number) => {
            let handler = page.handlers.get(*number as usize).ok_or_else(unknown)?;
            if handler.params.len() != args.len() {
                return Err(wrong_count(name, handler.params.len(), args.len()));
            }
            let arg = |((name, ty), json): (&(String, TypeId), &'a Json)| (name.clone(), json, *ty);
            let args = handler.params.iter().zip(args).map(arg).collect();
            Ok(vec![Chosen {
                func: handler.func,
                args,
            }])
        }
        HandlerName::Function(wanted) => {
            let calls = page
                .handlers
                .iter()
                .filter_map(|handler| handler.by_name.as_ref());
            let (mut fitting, mut refused) = (Vec::new(), None);
            for call in calls.filter(|call| call.name == *wanted) {
                match fit(call, name, args) {
                    Ok(chosen) => fitting.push(chosen),
                    Err(failure) => refused = refused.or(Some(failure)),
                }
            }
            if fitting.is_empty() {
                return Err(refused.unwrap_or_else(unknown));
            }
            Ok(fitting)
        }
    }
}

fn fit<'a>(
    call: &flin_vm::bytecode::module::NamedCall,
    name: &HandlerName,
    args: &'a [Json],
) -> Result<Chosen<'a>, Failure> {
    if call.args.len() != args.len() {
        return Err(wrong_count(name, call.args.len(), args.len()));
    }
    let mut taken = Vec::new();
    for (at, (place, json)) in call.args.iter().zip(args).enumerate() {
        match place {
            NamedArg::Literal(literal) if same_literal(literal, json) => {}
            NamedArg::Literal(_) => {
                let message = format!(
                    "argument {} of {name} is fixed by the page and was sent differently",
                    at + 1
                );
                return Err(Failure::BadInput {
                    message,
                    variable: None,
                });
            }
            NamedArg::Value(ty) => {
                taken.push((format!("argument {} of {name}", at + 1), json, *ty))
            }
        }
    }
    Ok(Chosen {
        func: call.func,
        args: taken,
    })
}

fn wrong_count(name: &HandlerName, expected: usize, found: usize) -> Failure {
    let s = if expected == 1 { "" } else { "s" };
    Failure::BadInput {
        message: format!("{name} takes {expected} argument{s}, {found} were sent"),
        variable: None,
    }
}

/// The address of a page whose path has variable parts.
fn address(page: &Page, params: &[(String, String)]) -> String {
    let value = |name: &str| {
        let found = params.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let part = |part: &str| match (part.strip_prefix(':'), part.strip_prefix('*')) {
        (Some(name), _) => encoded(value(name)),
        (None, Some(name)) => {
            let parts: Vec<String> = value(name).split('/').map(encoded).collect();
            parts.join("/")
        }
        (None, None) => encoded(part),
    };
    let parts: Vec<String> = page.path.split('/').map(part).collect();
    parts.join("/")
}

/// A part of a path as it stands in a link.
fn encoded(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b'@' | b'+' => out.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn injected_value(injected: Injected, request: &RouteRequest) -> HostValue {
    let texts = |pairs: &[(String, String)]| {
        let entry = |(key, value): &(String, String)| (key.clone(), HostValue::Text(value.clone()));
        HostValue::Map(pairs.iter().map(entry).collect())
    };
    match injected {
        Injected::Params => texts(&request.params),
        Injected::Query => texts(&request.query),
        Injected::Body => request.body.clone(),
        Injected::Headers => texts(&request.headers),
        Injected::Cookies => texts(&request.cookies),
        Injected::Request => {
            let entry =
                |name: &str, value: &str| (name.to_owned(), HostValue::Text(value.to_owned()));
            HostValue::Map(vec![
                entry("method", &request.method),
                entry("path", &request.path),
                entry("url", &request.url),
                entry("remote", &request.remote),
            ])
        }
    }
}

/// A broken rule of the store as a sentence for users.
pub(crate) fn constraint_sentence(error: &ConstraintError) -> String {
    match &error.rule {
        ConstraintRule::Unique { .. } => format!("{} is already taken", error.field),
        ConstraintRule::Reference { .. } => {
            format!("{} links to a record that does not exist", error.field)
        }
        ConstraintRule::Restrict { .. } | ConstraintRule::Required => error.to_string(),
    }
}

/// The failure a broken store rule is, as the program's own validators would have said it.
pub(crate) fn constraint_failure(error: &ConstraintError) -> Failure {
    Failure::Trap(Box::new(Trap {
        kind: ErrorKind::ValidationError,
        message: constraint_sentence(error),
        entity: Some(error.entity.clone()),
        field: Some(error.field.clone()),
        rule: Some(error.rule.name().to_owned()),
        cause: None,
        at: flin_vm::Position::default(),
        trace: Vec::new(),
    }))
}
