//! A window: a user's hands and eyes. Here because tests speak of clicking and typing, not of protocol messages. Must
//! stay true: input is real input (mouse and keys go through the browser, not through scripts); nothing waits for ever.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::{
    SetDeviceMetricsOverrideParams, SetFocusEmulationEnabledParams,
    SetScriptExecutionDisabledParams,
};
use chromiumoxide::cdp::browser_protocol::input::{
    DispatchKeyEventParams, DispatchKeyEventType, DispatchMouseEventParams, DispatchMouseEventType,
    ImeSetCompositionParams, InsertTextParams, MouseButton,
};
use chromiumoxide::cdp::browser_protocol::log::EventEntryAdded;
use chromiumoxide::cdp::browser_protocol::log::LogEntryLevel;
use chromiumoxide::cdp::browser_protocol::network::{self, BlockPattern, SetBlockedUrLsParams};
use chromiumoxide::cdp::browser_protocol::page::{
    AddScriptToEvaluateOnNewDocumentParams, NavigateParams, ReloadParams, SetBypassCspParams,
};
use chromiumoxide::cdp::browser_protocol::target::{CloseTargetParams, CreateTargetParams};
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
};
use chromiumoxide::page::ScreenshotParams;
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use crate::chromium::shared;
use crate::{DEADLINE, in_time, quote};

/// Violations of the content security policy become complaints even where the browser does not log them.
const WATCH: &str = "addEventListener('securitypolicyviolation', \
    (e) => console.error(`policy violated: ${e.violatedDirective} by ${e.blockedURI}`));";

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// A window with one page.
#[derive(Clone, Debug)]
pub struct Tab {
    pub(crate) page: Page,
    complaints: Arc<Mutex<Vec<String>>>,
}

impl Tab {
    pub(crate) async fn new() -> Tab {
        // A window of its own: a tab in the background is not painted, and the browser holds back its mouse events.
        let target = CreateTargetParams::builder()
            .url("about:blank")
            .new_window(true)
            .build()
            .expect("an address");
        let page = in_time("a new window", shared().browser.new_page(target))
            .await
            .expect("a new window");
        let tab = Tab {
            page,
            complaints: Arc::default(),
        };
        tab.listen().await;
        tab.command(SetFocusEmulationEnabledParams::new(true)).await;
        tab.command(AddScriptToEvaluateOnNewDocumentParams::new(WATCH))
            .await;
        tab
    }

    async fn listen(&self) {
        let logged = self.page.event_listener::<EventEntryAdded>();
        self.collect(logged.await.expect("log entries"), |event| {
            let entry = &event.entry;
            let url = entry.url.as_deref().unwrap_or_default();
            (entry.level == LogEntryLevel::Error).then(|| format!("log: {} ({url})", entry.text))
        });
        let called = self.page.event_listener::<EventConsoleApiCalled>();
        self.collect(called.await.expect("console calls"), |event| {
            let values: Vec<String> = event
                .args
                .iter()
                .map(|arg| match (&arg.value, &arg.description) {
                    (Some(Value::String(text)), _) => text.clone(),
                    (Some(value), _) => value.to_string(),
                    (None, description) => description.clone().unwrap_or_default(),
                })
                .collect();
            (event.r#type == ConsoleApiCalledType::Error)
                .then(|| format!("console: {}", values.join(" ")))
        });
        let thrown = self.page.event_listener::<EventExceptionThrown>();
        self.collect(thrown.await.expect("exceptions"), |event| {
            let details = &event.exception_details;
            let value = details.exception.as_ref();
            let text = value.and_then(|value| value.description.clone());
            Some(format!(
                "exception: {} {}",
                details.text,
                text.unwrap_or_default()
            ))
        });
        in_time("log entries", self.page.enable_log())
            .await
            .expect("log entries are told");
    }

    fn collect<E: Send + Sync + 'static>(
        &self,
        mut events: impl Stream<Item = Arc<E>> + Unpin + Send + 'static,
        line: impl Fn(&E) -> Option<String> + Send + 'static,
    ) {
        let complaints = Arc::clone(&self.complaints);
        shared().runtime.spawn(async move {
            while let Some(event) = events.next().await {
                if let Some(line) = line(&event) {
                    complaints.lock().expect("complaints").push(line);
                }
            }
        });
    }

    pub(crate) async fn command<C>(&self, command: C)
    where
        C: chromiumoxide::types::Command + std::fmt::Debug,
    {
        let what = format!("{command:?}");
        in_time(&what, self.page.execute(command))
            .await
            .unwrap_or_else(|e| panic!("{what}: {e}"));
    }

    /// Goes to an address.
    ///
    /// # Panics
    /// When the browser does not.
    pub async fn goto(&self, url: &str) {
        let answer = in_time(url, self.page.execute(NavigateParams::new(url)))
            .await
            .unwrap_or_else(|e| panic!("{url}: {e}"));
        if let Some(error) = &answer.result.error_text {
            panic!("{url}: {error}");
        }
    }

    /// Runs a script at the start of every document from now on.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn at_every_document(&self, script: &str) {
        self.command(AddScriptToEvaluateOnNewDocumentParams::new(script))
            .await;
    }

    /// Loads the page again and waits until its script is ready.
    ///
    /// # Panics
    /// When it does not load.
    pub async fn reload(&self) {
        self.eval("window.beforeReload = true").await;
        self.command(ReloadParams::default()).await;
        self.wait("the page is loaded again", "window.beforeReload !== true")
            .await;
        self.ready().await;
    }

    /// Runs no scripts of pages from now on.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn disable_script(&self) {
        self.command(SetScriptExecutionDisabledParams::new(true))
            .await;
    }

    /// Lets documents from now on do what their policy forbids: for tests that bring code of their own.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn lift_policy(&self) {
        self.command(SetBypassCspParams::new(true)).await;
    }

    /// Lets no request through whose address fits the pattern; an empty pattern lets all through.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn block(&self, pattern: &str) {
        let patterns = [pattern].into_iter().filter(|p| !p.is_empty());
        let blocked: Vec<BlockPattern> = patterns.map(|p| BlockPattern::new(p, true)).collect();
        self.command(network::EnableParams::default()).await;
        self.command(
            SetBlockedUrLsParams::builder()
                .url_patterns(blocked)
                .build(),
        )
        .await;
    }

    /// Waits until the page's script is ready.
    ///
    /// # Panics
    /// After the deadline.
    pub async fn ready(&self) {
        self.wait(
            "the page is ready",
            "document.documentElement?.getAttribute('data-flin') === 'ready'",
        )
        .await;
    }

    /// Waits until the page is live (`"on"`) or knows that it is not (`"off"`).
    ///
    /// # Panics
    /// After the deadline.
    pub async fn live(&self, state: &str) {
        self.wait(
            &format!("live is {state}"),
            &format!("document.documentElement.getAttribute('data-flin-live') === '{state}'"),
        )
        .await;
    }

    async fn try_eval(&self, script: &str) -> Result<Value, String> {
        let params = EvaluateParams::builder()
            .expression(script)
            .await_promise(true)
            .return_by_value(true)
            .user_gesture(true)
            .build()?;
        let answer = in_time(script, self.page.execute(params))
            .await
            .map_err(|e| e.to_string())?
            .result;
        match answer.exception_details {
            Some(details) => {
                let described = details.exception.and_then(|value| value.description);
                Err(described.unwrap_or(details.text))
            }
            None => Ok(answer.result.value.unwrap_or(Value::Null)),
        }
    }

    /// Evaluates JavaScript (an expression; promises are awaited).
    ///
    /// # Panics
    /// When it throws.
    pub async fn eval(&self, script: &str) -> Value {
        self.try_eval(script)
            .await
            .unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Asserts that a JavaScript condition holds now.
    ///
    /// # Panics
    /// When it does not.
    pub async fn check(&self, what: &str, condition: &str) {
        assert_eq!(self.eval(condition).await, true, "{what} ({condition})");
    }

    /// Waits until a JavaScript condition holds.
    ///
    /// # Panics
    /// After the deadline.
    pub async fn wait(&self, what: &str, condition: &str) {
        let start = Instant::now();
        loop {
            // While a page is being replaced there is nothing to evaluate in; the deadline decides.
            let now = self.try_eval(condition).await;
            if now == Ok(Value::Bool(true)) {
                return;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "waited in vain: {what} ({condition} is {now:?})"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the text of the first element that matches is `text`.
    ///
    /// # Panics
    /// After the deadline.
    pub async fn wait_text(&self, selector: &str, text: &str) {
        let condition = format!(
            "document.querySelector({})?.textContent.trim() === {}",
            quote(selector),
            quote(text)
        );
        self.wait(&format!("{selector} shows {text:?}"), &condition)
            .await;
    }

    /// Waits until the value of the first control that matches is `value`.
    ///
    /// # Panics
    /// After the deadline.
    pub async fn wait_value(&self, selector: &str, value: &str) {
        let condition = format!(
            "document.querySelector({})?.value === {}",
            quote(selector),
            quote(value)
        );
        self.wait(&format!("{selector} holds {value:?}"), &condition)
            .await;
    }

    /// Waits until the number of matching elements is `count`.
    ///
    /// # Panics
    /// After the deadline.
    pub async fn wait_count(&self, selector: &str, count: usize) {
        let condition = format!(
            "document.querySelectorAll({}).length === {count}",
            quote(selector)
        );
        self.wait(&format!("{count} of {selector}"), &condition)
            .await;
    }

    /// Waits until all actions and renderings that are under way have ended.
    ///
    /// # Panics
    /// After the deadline.
    pub(crate) async fn settle(&self) {
        self.wait(
            "the page is at rest",
            "document.querySelector('[aria-busy]') === null",
        )
        .await;
    }

    /// The middle of the first element that matches, which is scrolled into view.
    pub(crate) async fn middle_of(&self, selector: &str) -> (f64, f64) {
        let found = format!("document.querySelector({})", quote(selector));
        self.wait(&format!("{selector} exists"), &format!("{found} !== null"))
            .await;
        let place = self
            .eval(&format!(
                "(e => {{ e.scrollIntoView({{ block: 'nearest', behavior: 'instant' }}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})({found})"
            ))
            .await;
        (
            place[0].as_f64().expect("a place"),
            place[1].as_f64().expect("a place"),
        )
    }

    /// Clicks the first element that matches, with the mouse, as a user does.
    ///
    /// # Panics
    /// When there is none.
    pub async fn click(&self, selector: &str) {
        let (x, y) = self.middle_of(selector).await;
        for kind in [
            DispatchMouseEventType::MouseMoved,
            DispatchMouseEventType::MousePressed,
            DispatchMouseEventType::MouseReleased,
        ] {
            let button = if kind == DispatchMouseEventType::MouseMoved {
                MouseButton::None
            } else {
                MouseButton::Left
            };
            let event = DispatchMouseEventParams::builder()
                .r#type(kind)
                .x(x)
                .y(y)
                .button(button)
                .click_count(1)
                .build()
                .expect("a mouse event");
            self.command(event).await;
        }
    }

    /// Clicks into a control and types at its caret.
    ///
    /// # Panics
    /// When there is none.
    pub async fn type_into(&self, selector: &str, text: &str) {
        self.click(selector).await;
        self.insert(text).await;
    }

    /// Selects what a control holds and types over it.
    ///
    /// # Panics
    /// When there is none.
    pub async fn replace(&self, selector: &str, text: &str) {
        self.click(selector).await;
        self.eval(&format!(
            "document.querySelector({}).select()",
            quote(selector)
        ))
        .await;
        self.insert(text).await;
    }

    /// Chooses an option of a select box. Its list is not part of the page, so a mouse cannot reach it here: the events
    /// are those that the browser sends.
    ///
    /// # Panics
    /// When there is no such box.
    pub async fn choose(&self, selector: &str, value: &str) {
        self.eval(&format!(
            "(s => {{ s.focus(); s.value = {}; for (const type of ['input', 'change']) s.dispatchEvent(new Event(type, {{ bubbles: true }})); }})(document.querySelector({}))",
            quote(value),
            quote(selector)
        ))
        .await;
    }

    /// Types at the caret (any characters, also those of no keyboard).
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn insert(&self, text: &str) {
        self.command(InsertTextParams::new(text)).await;
    }

    /// Composes text as an input method does; `insert` commits it.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn compose(&self, text: &str) {
        let end = text.encode_utf16().count() as i64;
        self.command(ImeSetCompositionParams::new(text, end, end))
            .await;
    }

    /// Presses a key (`"Enter"`, `"Escape"`, `"ArrowDown"` …) where the focus is.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn press(&self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, Some("\r")),
            "Escape" => (27, None),
            "Tab" => (9, None),
            "Backspace" => (8, None),
            "ArrowDown" => (40, None),
            " " => (32, Some(" ")),
            other => panic!("press does not know {other}"),
        };
        for kind in [DispatchKeyEventType::KeyDown, DispatchKeyEventType::KeyUp] {
            let mut event = DispatchKeyEventParams::builder()
                .r#type(kind.clone())
                .key(key)
                .code(key)
                .windows_virtual_key_code(code);
            if let (Some(text), DispatchKeyEventType::KeyDown) = (text, kind) {
                event = event.text(text);
            }
            self.command(event.build().expect("a key event")).await;
        }
    }

    /// Gives the window's content a size in CSS pixels.
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn resize(&self, width: i64, height: i64) {
        self.command(SetDeviceMetricsOverrideParams::new(
            width, height, 1.0, false,
        ))
        .await;
    }

    /// Notes from now on every request that the page's script makes, in `window.requests`.
    ///
    /// # Panics
    /// When the page cannot be reached.
    pub async fn watch_requests(&self) {
        self.eval(
            "window.requests = [];
             const fetchIndeed = window.fetch;
             window.fetch = (...wanted) => { window.requests.push(wanted[0]); return fetchIndeed(...wanted); };
             null",
        )
        .await;
    }

    /// Saves a picture of the page.
    ///
    /// # Panics
    /// When it cannot be taken or written.
    pub async fn picture(&self, path: &Path) {
        let params = ScreenshotParams::builder().full_page(true).build();
        in_time("a picture", self.page.save_screenshot(params, path))
            .await
            .expect("a picture of the page");
    }

    /// What the page complained about so far.
    pub fn complaints(&self) -> Vec<String> {
        self.complaints.lock().expect("complaints").clone()
    }

    pub(crate) async fn describe(&self) -> String {
        let html = tokio::time::timeout(
            Duration::from_secs(5),
            self.try_eval("location.href + '\\n' + document.documentElement.outerHTML.replace(/<style>[^]*?<.style>/g, '')"),
        );
        // The page is only shown; that it cannot be shown is told in its place.
        let html = match html.await {
            Ok(Ok(Value::String(html))) => html,
            other => format!("the page cannot be shown: {other:?}"),
        };
        format!("{html}\ncomplaints: {:#?}", self.complaints())
    }

    pub(crate) async fn close(&self) {
        let close = CloseTargetParams::new(self.page.target_id().clone());
        // A window that is gone already is no failure of the test; the guard ends the browser anyway.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.page.execute(close)).await;
    }
}
