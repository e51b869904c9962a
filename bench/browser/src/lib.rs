//! A real headless Chromium for tests: open windows, click, type, look. Here in a crate of its own because its driver is
//! big and nobody else needs it. Must stay true: every wait has a deadline; a test that fails shows the pages and the
//! server's log; a test passes only if no page complained (console errors, exceptions, violations of the content
//! security policy) beyond what it said it would provoke.

#![forbid(unsafe_code)]

mod chromium;
mod conditions;
mod drag;
pub mod example;
mod tab;
pub mod tools;

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use flin_testkit::process::Server;
use futures_util::FutureExt;
use serde_json::Value;

use example::Example;
pub use tab::Tab;

/// How long a whole test may take.
const TEST_DEADLINE: Duration = Duration::from_secs(90);

/// How long one thing may take to appear.
const DEADLINE: Duration = Duration::from_secs(20);

/// A served program and the windows that are open on it.
#[derive(Debug)]
pub struct Site {
    // Ends before its folder is removed.
    server: RefCell<Option<Server>>,
    example: Example,
    url: String,
    tabs: RefCell<Vec<Tab>>,
    tolerated: RefCell<Vec<String>>,
    logs: RefCell<String>,
}

/// Serves a program and runs a test on it.
///
/// # Panics
/// When the test does, after having shown what there is to see.
pub fn run(example: Example, test: impl AsyncFnOnce(&Site)) {
    run_within(TEST_DEADLINE, example, test);
}

/// The same for what may take longer than a test.
///
/// # Panics
/// When the test does, after having shown what there is to see.
pub fn run_within(deadline: Duration, example: Example, test: impl AsyncFnOnce(&Site)) {
    let server = example.serve();
    let site = Site {
        example,
        url: server.url.clone(),
        server: RefCell::new(Some(server)),
        tabs: RefCell::default(),
        tolerated: RefCell::default(),
        logs: RefCell::default(),
    };
    chromium::shared().runtime.block_on(async {
        let judged = async {
            test(&site).await;
            site.judge().await;
        };
        let bounded = async {
            tokio::time::timeout(deadline, judged)
                .await
                .unwrap_or_else(|_| panic!("the test took longer than {deadline:?}"));
        };
        let outcome = AssertUnwindSafe(bounded).catch_unwind().await;
        if outcome.is_err() {
            site.show().await;
        }
        let tabs = site.tabs.take();
        for tab in &tabs {
            tab.close().await;
        }
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    });
}

impl Site {
    /// Base address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens the page in a window and waits until its script is ready.
    ///
    /// # Panics
    /// When the page does not load.
    pub async fn open(&self) -> Tab {
        let tab = self.blank().await;
        tab.goto(&self.url).await;
        tab.ready().await;
        tab
    }

    /// Opens the page and waits until it follows changes.
    ///
    /// # Panics
    /// When the page does not load or its socket does not open.
    pub async fn open_live(&self) -> Tab {
        let tab = self.open().await;
        tab.live("on").await;
        tab
    }

    /// Opens the page in a window that runs no scripts.
    ///
    /// # Panics
    /// When the page does not load.
    pub async fn open_without_script(&self) -> Tab {
        let tab = self.blank().await;
        tab.disable_script().await;
        tab.goto(&self.url).await;
        tab.wait("the page is complete", "document.readyState === 'complete'")
            .await;
        tab
    }

    /// An empty window.
    ///
    /// # Panics
    /// When there is none to be had.
    pub async fn blank(&self) -> Tab {
        let tab = Tab::new().await;
        self.tabs.borrow_mut().push(tab.clone());
        tab
    }

    /// Complaints of pages that contain `text` are what this test provokes.
    pub fn tolerate(&self, text: &str) {
        self.tolerated.borrow_mut().push(text.to_string());
    }

    /// Ends the server the hard way (`kill -9`).
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self) {
        // Whatever a page asks for from now on is refused.
        self.tolerate("net::ERR_");
        self.tolerate("WebSocket");
        let server = self.server.take().expect("the server runs");
        self.logs.borrow_mut().push_str(&server.log());
        server.kill();
    }

    /// Starts the server again, at the same address and with the same data.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start(&self) {
        let port = self.url.rsplit(':').next().unwrap_or_default();
        self.server.replace(Some(self.example.serve_at(port)));
    }

    /// Writes the source of a program that is being developed.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn save(&self, source: &str) {
        self.example.save(source);
    }

    /// What the server has written to stderr, as soon as it holds `wanted`, or after a while as it is.
    ///
    /// # Panics
    /// When it does not run.
    pub fn log_with(&self, wanted: &str) -> String {
        let server = self.server.borrow();
        server.as_ref().expect("the server runs").log_with(wanted)
    }

    /// Performs an action by hand, as `curl` would.
    ///
    /// # Panics
    /// When the server does not answer with 200.
    pub fn act(&self, name: &str, args: &str, state: &str) {
        let body = format!(
            "{{\"_action\":{},\"_args\":{args},\"_state\":{state}}}",
            quote(name)
        );
        let answer = flin_testkit::http::post_json(&self.url, "/_action", &body);
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
    }

    // A page that complained has failed, whatever it shows.
    async fn judge(&self) {
        let tabs = self.tabs.borrow().clone();
        for tab in &tabs {
            tab.settle().await;
        }
        let tolerated = self.tolerated.borrow();
        let complaints: Vec<String> = tabs
            .iter()
            .flat_map(Tab::complaints)
            .filter(|line| !tolerated.iter().any(|text| line.contains(text)))
            .collect();
        assert!(
            complaints.is_empty(),
            "pages complained:\n{}",
            complaints.join("\n")
        );
    }

    async fn show(&self) {
        let tabs = self.tabs.borrow().clone();
        for (number, tab) in tabs.iter().enumerate() {
            eprintln!("--- window {}\n{}", number + 1, tab.describe().await);
        }
        let server = self.server.borrow();
        let log = server.as_ref().map(Server::log).unwrap_or_default();
        eprintln!("--- the server's log\n{}{log}", self.logs.borrow());
    }
}

/// What the browser answers within the deadline.
async fn in_time<T>(what: &str, answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, answer)
        .await
        .unwrap_or_else(|_| panic!("the browser did not answer in time: {what}"))
}

/// A text as a JavaScript literal.
pub fn quote(text: &str) -> String {
    Value::String(text.to_string()).to_string()
}
