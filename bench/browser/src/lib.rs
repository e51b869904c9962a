//! A real headless Chromium for tests: open tabs, click, type, look. Here in a crate of its own because its driver is big
//! and nobody else needs it. Must stay true: nothing sleeps; every wait has a deadline and shows the page when it fails;
//! each browser has a profile folder of its own and is gone when the test ends.

#![forbid(unsafe_code)]

pub mod example;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chromiumoxide::browser::{Browser as Driver, BrowserConfig};
use chromiumoxide::cdp::browser_protocol::input::InsertTextParams;
use chromiumoxide::cdp::browser_protocol::target::CreateTargetParams;
use chromiumoxide::page::ScreenshotParams;
use futures_util::StreamExt;
use serde_json::Value;

/// How long something may take to appear.
const DEADLINE: Duration = Duration::from_secs(15);

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Runs an asynchronous test.
///
/// # Panics
/// When the test does, or when the runtime cannot be made.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a tokio runtime");
    runtime.block_on(test);
}

/// A browser process.
#[derive(Debug)]
pub struct Browser {
    driver: Driver,
    profile: PathBuf,
}

impl Browser {
    /// Starts Chromium.
    ///
    /// # Panics
    /// When it is not installed or does not start (`cargo xtask test` installs it).
    pub async fn start() -> Browser {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let profile =
            std::env::temp_dir().join(format!("flin-browser-{}-{number}", std::process::id()));
        let config = BrowserConfig::builder()
            .chrome_executable("/usr/bin/chromium")
            .user_data_dir(&profile)
            .no_sandbox()
            .new_headless_mode()
            .disable_https_first()
            .args([
                "disable-gpu",
                "disable-quic",
                "no-first-run",
                "disable-background-networking",
            ])
            .args([
                "disable-component-update",
                "disable-sync",
                "disable-dev-shm-usage",
            ])
            .window_size(900, 700)
            .build()
            .expect("a browser configuration");
        let (driver, mut handler) = Driver::launch(config).await.expect("Chromium starts");
        tokio::spawn(async move {
            while let Some(event) = handler.next().await {
                if let Err(error) = event {
                    eprintln!("browser: {error}");
                }
            }
        });
        Browser { driver, profile }
    }

    /// Opens a tab at an address and waits until the page's script is ready.
    ///
    /// # Panics
    /// When the page does not load.
    pub async fn open(&self, url: &str) -> Tab {
        // A window of its own: a tab in the background is not painted, and the browser holds back its mouse events.
        let target = CreateTargetParams::builder()
            .url(url)
            .new_window(true)
            .build()
            .expect("an address");
        let page = in_time(url, self.driver.new_page(target))
            .await
            .unwrap_or_else(|e| panic!("{url}: {e}"));
        let tab = Tab { page };
        tab.wait(
            "the page is ready",
            "document.documentElement.getAttribute('data-flin') === 'ready'",
        )
        .await;
        tab
    }

    /// Closes the browser and removes its profile.
    pub async fn close(mut self) {
        // Closing twice, or a browser that has gone already, is no failure of the test.
        let _ = self.driver.close().await;
        let _ = self.driver.wait().await;
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// A tab.
#[derive(Debug)]
pub struct Tab {
    page: chromiumoxide::Page,
}

impl Tab {
    /// Evaluates JavaScript (an expression; promises are awaited).
    ///
    /// # Panics
    /// When it throws.
    pub async fn eval(&self, script: &str) -> Value {
        let result = in_time(script, self.page.evaluate(script))
            .await
            .unwrap_or_else(|e| panic!("{script}: {e}"));
        result.value().cloned().unwrap_or(Value::Null)
    }

    /// Waits until a JavaScript condition holds.
    ///
    /// # Panics
    /// After the deadline, with the page's HTML.
    pub async fn wait(&self, what: &str, condition: &str) {
        let start = Instant::now();
        loop {
            if let Ok(result) = in_time(condition, self.page.evaluate(condition)).await
                && result.value() == Some(&Value::Bool(true))
            {
                return;
            }
            if start.elapsed() > DEADLINE {
                let html = self.page.content().await.unwrap_or_default();
                panic!("waited in vain: {what} ({condition})\n{html}");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
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

    /// Clicks the first element that matches, with the mouse, as a user does.
    ///
    /// # Panics
    /// When there is none.
    pub async fn click(&self, selector: &str) {
        self.wait(
            &format!("{selector} exists"),
            &format!("document.querySelector({}) !== null", quote(selector)),
        )
        .await;
        let element = self
            .page
            .find_element(selector)
            .await
            .unwrap_or_else(|e| panic!("{selector}: {e}"));
        in_time(selector, element.click())
            .await
            .unwrap_or_else(|e| panic!("click {selector}: {e}"));
    }

    /// Clicks into a control and types at its caret.
    ///
    /// # Panics
    /// When there is none.
    pub async fn type_into(&self, selector: &str, text: &str) {
        self.click(selector).await;
        self.insert(text).await;
    }

    /// Types at the caret (any characters, also those of no keyboard).
    ///
    /// # Panics
    /// When the browser refuses.
    pub async fn insert(&self, text: &str) {
        in_time(text, self.page.execute(InsertTextParams::new(text)))
            .await
            .expect("text is typed");
    }

    /// Presses a key in the first element that matches.
    ///
    /// # Panics
    /// When there is no such element or key.
    pub async fn press(&self, selector: &str, key: &str) {
        let element = self
            .page
            .find_element(selector)
            .await
            .unwrap_or_else(|e| panic!("{selector}: {e}"));
        in_time(key, element.press_key(key))
            .await
            .unwrap_or_else(|e| panic!("{key}: {e}"));
    }

    /// Loads the page again and waits until it is ready.
    ///
    /// # Panics
    /// When it does not load.
    pub async fn reload(&self) {
        in_time("reload", self.page.reload())
            .await
            .expect("the page loads again");
        self.wait(
            "the page is ready",
            "document.documentElement.getAttribute('data-flin') === 'ready'",
        )
        .await;
    }

    /// Saves a picture of the page.
    ///
    /// # Panics
    /// When it cannot be taken or written.
    pub async fn screenshot(&self, path: &Path) {
        let params = ScreenshotParams::builder().full_page(true).build();
        self.page
            .save_screenshot(params, path)
            .await
            .expect("a picture of the page");
    }
}

/// What the browser answers within the deadline.
async fn in_time<T>(what: &str, answer: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, answer).await {
        Ok(answer) => answer,
        Err(_) => panic!("the browser did not answer in time: {what}"),
    }
}

/// A text as a JavaScript literal.
pub fn quote(text: &str) -> String {
    Value::String(text.to_string()).to_string()
}
