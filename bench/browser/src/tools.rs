//! Tools of others that judge pages: axe-core (accessibility) and the Nu HTML checker. Here because nobody should be their
//! own judge. Must stay true: they are those that `cargo xtask` installs into the target folder; when they are missing the
//! test fails and says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Tab;

/// What is checked: the rules of WCAG 2.2 AA and what axe calls good practice.
const AXE_RUN: &str = "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => \
    `${v.id}: ${v.help} (${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')})`))";

fn installed(path: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("the test's own path");
    let found = exe
        .ancestors()
        .map(|dir| dir.join("web-tools/node_modules").join(path))
        .find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| {
        panic!("{path} is not installed; run `cargo xtask test browser`, which installs it")
    })
}

impl Tab {
    /// Violations of accessibility rules on the page as it is now, one line each.
    ///
    /// # Panics
    /// When the page cannot be checked.
    pub async fn violations(&self) -> Vec<String> {
        let axe = std::fs::read_to_string(installed("axe-core/axe.min.js")).expect("axe-core");
        self.eval(&format!("if (window.axe === undefined) {{ {axe} }}; null"))
            .await;
        let found = self.eval(AXE_RUN).await;
        let lines = found.as_array().expect("a list of violations");
        lines
            .iter()
            .map(|line| line.as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// What the Nu HTML checker says about the HTML files of a folder, one line for each error or warning.
///
/// # Panics
/// When it cannot be run.
pub fn check_html(dir: &Path) -> Vec<String> {
    let output = Command::new("java")
        .arg("-jar")
        .arg(installed("vnu-jar/build/dist/vnu.jar"))
        .args(["--format", "json", "--exit-zero-always", "--skip-non-html"])
        .arg(dir)
        .output()
        .expect("java runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Value =
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("the checker said {said:?}: {e}"));
    let messages = said["messages"].as_array().expect("a list of messages");
    let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
    messages
        .iter()
        .map(|message| {
            format!(
                "{}:{}: {} {}",
                text(message, "url"),
                message["lastLine"],
                text(message, "message"),
                text(message, "extract")
            )
        })
        .collect()
}
