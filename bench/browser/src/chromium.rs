//! The one browser process of a test program. Here because starting Chromium costs more than most tests; windows are
//! cheap. Must stay true: it is gone when the test program is gone, however that ended: a guard process waits for the end
//! of a pipe that only the test program holds, then ends the browser and removes its profile.

use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use chromiumoxide::browser::{Browser, BrowserConfig};
use chromiumoxide::handler::viewport::Viewport;
use futures_util::StreamExt;
use tokio::runtime::Runtime;

/// How long Chromium may take to start.
const START_DEADLINE: Duration = Duration::from_secs(60);

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Waits until its input ends, then ends process `$1` and removes folder `$2`; more than once, because helpers of the
/// browser end a moment after it and write on their way out.
const GUARD: &str = "trap '' INT TERM HUP; cat >/dev/null; kill -9 \"$1\" 2>/dev/null; \
    for i in 1 2 3 4 5; do rm -rf \"$2\"; sleep 0.3; done; rm -rf \"$2\"";

pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    pub(crate) browser: Browser,
    // Closed by the end of this process.
    _guard: Option<ChildStdin>,
}

/// The browser, started by the first that asks.
pub(crate) fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a tokio runtime");
        let profile = std::env::temp_dir().join(format!("flin-browser-{}", std::process::id()));
        let (browser, guard) = runtime.block_on(start(&profile));
        Shared {
            runtime,
            browser,
            _guard: guard,
        }
    })
}

async fn start(profile: &Path) -> (Browser, Option<ChildStdin>) {
    let viewport = Viewport {
        width: 900,
        height: 700,
        ..Viewport::default()
    };
    let config = BrowserConfig::builder()
        .chrome_executable(executable())
        .user_data_dir(profile)
        .no_sandbox()
        .new_headless_mode()
        .disable_https_first()
        .args(["disable-gpu", "disable-quic", "disable-component-update"])
        .launch_timeout(START_DEADLINE)
        .window_size(900, 700)
        .viewport(viewport)
        .build()
        .expect("a browser configuration");
    let (mut browser, mut handler) = Browser::launch(config).await.expect("Chromium starts");
    let pid = browser
        .get_mut_child()
        .and_then(|child| child.as_mut_inner().id());
    let guard = guard(pid.expect("Chromium runs"), profile);
    tokio::spawn(async move {
        while let Some(event) = handler.next().await {
            if let Err(error) = event {
                eprintln!("browser: {error}");
            }
        }
    });
    (browser, guard)
}

fn guard(pid: u32, profile: &Path) -> Option<ChildStdin> {
    Command::new("sh")
        .args(["-c", GUARD, "guard", &pid.to_string()])
        .arg(profile)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh starts")
        .stdin
        .take()
}

fn executable() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|dir| NAMES.map(|name| dir.join(name)))
        .find(|candidate| candidate.is_file())
        .expect("Chromium is installed (`cargo xtask test` installs it)")
}
