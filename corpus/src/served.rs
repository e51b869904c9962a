//! Programs with pages, routes or tests, run through the runtime's one door over a store in memory. Here because such a
//! program does nothing by itself: its lines `// ask:` say what is asked of it. Must stay true: clock and chance are the
//! same in every run; every answer is shown whole, so that a golden text sees all of it.
//!
//! `// ask: GET /notes?tag=a`, `// ask: POST /notes {"title": "x"}`, with ` with {"headers": {…}, "cookies": {…}}` behind it;
//! `// ask: GET / {"filter": "open"}` shows a page with this state; `// ask: DO / add {"args": […], "state": {…}}` runs a
//! handler of a page by its name (or `#0` by its number); `// ask: WAIT 2 days` lets the clock go on. After all requests
//! come the test blocks, in order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flin_runtime::json::Json;
use flin_runtime::store::{Deleted, Store, StoreOptions, TypeIx};
use flin_runtime::{
    Entry, Failure, HandlerName, Outcome, RouteBody, RouteRequest, Runtime, RuntimeOptions, Sent,
    SentState, World, plain_json, plain_value, schema_of,
};
use flin_testkit::markup::without_markers;
use flin_vm::{Limits, LogLevel, Program};

use crate::case::Setup;
use crate::disk::{Clock, StillDisk};
use crate::{Policy, error_line, host, limits, printed_lines};

/// Runs the top level, then the requests that the program asks for, then its tests.
pub(crate) fn run(program: &Arc<Program>, setup: &Setup, policy: Policy) -> (String, String) {
    let mut asked = Asked::new(program, setup, policy);
    let module = program.module();
    let serves = !(module.pages.is_empty() && module.routes.is_empty());
    let start = if serves { Entry::Main } else { Entry::Script };
    if let Err(failure) = asked.runtime.enter(start) {
        let happened = asked.world.lines() + &failed("the start", &failure);
        return (happened, format!("{failure:#?}\n{}", asked.kept()));
    }
    let mut left = String::new();
    for ask in &setup.asks {
        let answer = asked.answer(ask).unwrap_or_else(|problem| {
            panic!("`// ask: {ask}`: {problem}");
        });
        asked.world.say(answer);
    }
    for (test, block) in module.tests.iter().enumerate() {
        // Each test has a store of its own.
        let own = Asked::new(program, setup, policy);
        let done = own.runtime.enter(Entry::Test { test });
        let said = own.world.take();
        asked.world.say(said);
        left.push_str(&own.kept());
        let name = format!("test {}", block.name);
        asked.world.say(match done {
            Ok(_) => vec![format!("{name}: ok")],
            Err(failure) => told(&name, &failure),
        });
    }
    left.push_str(&asked.kept());
    (asked.world.lines(), left)
}

/// A failure that ends the run, as expectation lines.
fn failed(what: &str, failure: &Failure) -> String {
    match failure {
        Failure::Trap(trap) => error_line(trap),
        other => printed_lines(&told(what, other)),
    }
}

/// A failure as a printed line.
fn told(what: &str, failure: &Failure) -> Vec<String> {
    vec![match failure {
        Failure::Trap(trap) => {
            // A program of one file has the name of its test.
            let file = match trap.at.file.contains('/') && !trap.at.file.starts_with("programs/") {
                true => format!("{}:", trap.at.file),
                false => String::new(),
            };
            format!(
                "{what}: error {} at {file}{}:{}: {}",
                trap.kind, trap.at.line, trap.at.column, trap.message
            )
        }
        other => format!("{what}: {other}"),
    }]
}

struct Asked {
    program: Arc<Program>,
    runtime: Runtime,
    world: Arc<StillWorld>,
}

impl Asked {
    fn new(program: &Arc<Program>, setup: &Setup, policy: Policy) -> Asked {
        let clock = Arc::new(Clock::default());
        let world = Arc::new(StillWorld {
            env: setup.env.clone(),
            clock: Arc::clone(&clock),
            ..StillWorld::default()
        });
        let schema = schema_of(program.module());
        let opened = Store::open(
            Arc::new(StillDisk::new(clock)),
            &schema,
            StoreOptions::inline(),
        )
        .unwrap_or_else(|error| panic!("a store in memory opens: {error}"));
        let options = RuntimeOptions {
            request_limits: limits(Limits::request(), setup, policy),
            script_limits: limits(Limits::script(), setup, policy),
            world: world.clone(),
            ..RuntimeOptions::default()
        };
        Asked {
            program: Arc::clone(program),
            runtime: Runtime::new(Arc::clone(program), opened.store, options),
            world,
        }
    }

    /// All versions of all records, as one text.
    fn kept(&self) -> String {
        let snapshot = self.runtime.store().snapshot();
        let mut text = String::new();
        for at in 0..self.runtime.store().schema().types.len() {
            let ty = TypeIx(at as u32);
            for record in snapshot.scan(ty, Deleted::Include).flatten() {
                for version in snapshot.history(ty, record.id).into_iter().flatten() {
                    text.push_str(&format!("{version:?}\n"));
                }
            }
        }
        text
    }

    /// Does one request; the lines that show its answer.
    fn answer(&mut self, ask: &str) -> Result<Vec<String>, String> {
        let (ask, more) = match ask.split_once(" with ") {
            Some((ask, more)) => (ask, Some(json(more)?)),
            None => (ask, None),
        };
        let mut words = ask.splitn(3, ' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err("expected a method and a path".to_owned());
        };
        let rest = words.next().unwrap_or_default().trim();
        if method == "WAIT" {
            self.world.clock.wait(target, rest)?;
            return Ok(vec![format!("WAIT {target} {rest}")]);
        }
        let entry = if method == "DO" {
            self.action(target, rest)?
        } else {
            self.request(method, target, rest, more.as_ref())?
        };
        let shown = match rest.split(' ').next() {
            Some(name) if method == "DO" => format!("DO {target} {name}"),
            _ => format!("{method} {target}"),
        };
        Ok(match self.runtime.enter(entry) {
            Ok(outcome) => self.shown(&shown, outcome),
            Err(failure) => told(&shown, &failure),
        })
    }

    fn action(&self, target: &str, rest: &str) -> Result<Entry, String> {
        let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let sent = json(if rest.is_empty() { "{}" } else { rest })?;
        let args = match sent.get("args") {
            Some(Json::List(args)) => args.clone(),
            _ => Vec::new(),
        };
        let (page, params) = self.page(target).ok_or("there is no page with this path")?;
        Ok(Entry::Action {
            page,
            params,
            request: None,
            handler: HandlerName::parse(name),
            args,
            state: sent.get("state").map(state).unwrap_or_default(),
        })
    }

    /// The page of a path: one without variable parts before one with them.
    fn page(&self, path: &str) -> Option<(usize, Vec<(String, String)>)> {
        let pages = self.program.module().pages.iter().enumerate();
        let fitting = pages.filter_map(|(at, page)| Some((at, parameters(&page.path, path)?)));
        fitting.min_by_key(|(_, params)| params.len())
    }

    fn request(
        &self,
        method: &str,
        target: &str,
        rest: &str,
        more: Option<&Json>,
    ) -> Result<Entry, String> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if method == "GET"
            && let Some((page, params)) = self.page(path)
        {
            let state = if rest.is_empty() {
                SentState::new()
            } else {
                state(&json(rest)?)
            };
            return Ok(Entry::Page {
                page,
                params,
                state,
            });
        }
        let routes = self.program.module().routes.iter().enumerate();
        let mut fitting = routes.filter(|(_, route)| route.method == method);
        let found = fitting.find_map(|(at, route)| Some((at, parameters(&route.path, path)?)));
        let (route, params) = found.ok_or("there is no page or route with this path")?;
        let pairs = |name: &str| {
            let given = more.and_then(|more| more.get(name));
            given.map(texts).unwrap_or_default()
        };
        let request = RouteRequest {
            params,
            query: pairs_of(query),
            body: if rest.is_empty() {
                flin_vm::HostValue::None
            } else {
                plain_value(json(rest)?)
            },
            headers: pairs("headers"),
            cookies: pairs("cookies"),
            method: method.to_owned(),
            path: path.to_owned(),
            url: target.to_owned(),
            remote: "127.0.0.1".to_owned(),
        };
        Ok(Entry::Route {
            route,
            request: Box::new(request),
            read_only: false,
        })
    }

    fn shown(&self, asked: &str, outcome: Outcome) -> Vec<String> {
        let state_line = |state: Vec<(String, String)>| {
            let values: Vec<String> = state.iter().map(|(n, v)| format!("{n} = {v}")).collect();
            values.join(", ")
        };
        match outcome {
            Outcome::Page(page) => {
                let line = format!("{asked}: {}", state_line(page.state));
                let mut lines = vec![line.trim_end().to_owned()];
                let parts = [("head", page.rendered.head), ("body", page.rendered.body)];
                for (part, text) in parts {
                    if !text.is_empty() {
                        lines.push(format!("{part}: {}", without_markers(&text).trim()));
                    }
                }
                // They are all alike; what is in them is the server's business.
                let forms = page.rendered.forms.matches("<form").count();
                if forms > 0 {
                    lines.push(format!("hidden forms: {forms}"));
                }
                lines
            }
            Outcome::Action(action) => {
                let wrote = if action.wrote { "records changed " } else { "" };
                let line = format!("{asked}: {wrote}{}", state_line(action.state));
                vec![line.trim_end().to_owned()]
            }
            Outcome::Route(route) => {
                let mut line = format!("{asked}: {}", route.status);
                for (name, value) in &route.headers {
                    line += &format!(" {name}={value}");
                }
                match route.body {
                    RouteBody::Empty => {}
                    RouteBody::Text(text) => line += &format!(" {text}"),
                    RouteBody::Value(value) => {
                        line += &format!(" {}", plain_json(self.program.module(), &value));
                    }
                }
                vec![line]
            }
            Outcome::Done(_) => vec![format!("{asked}: done")],
        }
    }
}

/// The parameters of a path, if it fits the pattern.
fn parameters(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (pattern, path): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('/').collect());
    let rest = pattern.last().and_then(|last| last.strip_prefix('*'));
    if pattern.len() > path.len() || rest.is_none() && pattern.len() != path.len() {
        return None;
    }
    let mut found = Vec::new();
    let fixed = pattern.len() - usize::from(rest.is_some());
    if let Some(rest) = rest {
        found.push((rest.to_owned(), path[fixed..].join("/")));
    }
    for (wanted, given) in pattern.into_iter().zip(path).take(fixed) {
        match wanted.strip_prefix(':') {
            Some(name) => found.push((name.to_owned(), given.to_owned())),
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(found)
}

fn pairs_of(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.to_owned(), value.to_owned())
    };
    parts.map(pair).collect()
}

fn json(text: &str) -> Result<Json, String> {
    Json::parse(text.as_bytes()).map_err(|error| error.to_string())
}

fn state(json: &Json) -> SentState {
    match json {
        Json::Object(entries) => {
            let entry = |(name, value): &(String, Json)| (name.clone(), Sent::Json(value.clone()));
            entries.iter().map(entry).collect()
        }
        _ => SentState::new(),
    }
}

fn texts(json: &Json) -> Vec<(String, String)> {
    match json {
        Json::Object(entries) => entries
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_text()?.to_owned())))
            .collect(),
        _ => Vec::new(),
    }
}

/// A world in which the clock stands still and chance is always the same.
#[derive(Default)]
struct StillWorld {
    said: Mutex<Vec<String>>,
    random: AtomicU64,
    clock: Arc<Clock>,
    env: Vec<(String, String)>,
}

impl StillWorld {
    fn say(&self, lines: Vec<String>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(lines);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lines(&self) -> String {
        printed_lines(&self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl World for StillWorld {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = (self.random.fetch_add(1, Ordering::Relaxed) * 37 + 11) as u8;
        }
    }

    fn env(&self, name: &str) -> Option<String> {
        let known = self.env.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone())
    }

    fn print(&self, line: &str) {
        self.say(vec![line.to_owned()]);
    }

    fn log(&self, level: LogLevel, line: &str) {
        self.say(vec![host::log_line(level, line)]);
    }
}
