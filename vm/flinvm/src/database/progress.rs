//! How far long work is, on stderr: a bar on a terminal, a line now and then elsewhere. Must stay true: work that takes
//! less than a second shows nothing, and the bar is gone when the answer comes.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use flin_runtime::store::{Progress, Unit};

use super::place::bytes;

const SILENT_FOR: Duration = Duration::from_secs(1);
const BAR_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(10);
const BAR_WIDTH: usize = 30;

/// Shows progress until it is dropped.
pub(crate) struct Shown {
    terminal: bool,
    began: Instant,
    last: Option<Instant>,
}

impl Shown {
    pub(crate) fn new() -> Shown {
        Shown {
            terminal: io::stderr().is_terminal(),
            began: Instant::now(),
            last: None,
        }
    }

    /// Takes over what is told.
    pub(crate) fn tell(&mut self, progress: Progress) {
        let (now, every) = (
            Instant::now(),
            if self.terminal { BAR_EVERY } else { LINE_EVERY },
        );
        let ran = now.duration_since(self.began);
        if ran < SILENT_FOR
            || self
                .last
                .is_some_and(|last| now.duration_since(last) < every)
        {
            return;
        }
        self.last = Some(now);
        let text = text(progress, ran, self.terminal);
        let mut err = io::stderr().lock();
        let shown = match self.terminal {
            true => write!(err, "\r\u{1b}[2K{text}").and_then(|()| err.flush()),
            false => writeln!(err, "{text}"),
        };
        // Nobody looks any more; the work goes on.
        let _unseen = shown.is_err();
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if self.terminal && self.last.is_some() {
            let _unseen = write!(io::stderr(), "\r\u{1b}[2K").is_err();
        }
    }
}

/// One line: what, how much, and how long it will take.
fn text(progress: Progress, ran: Duration, bar: bool) -> String {
    let Progress {
        phase,
        done,
        total,
        unit,
    } = progress;
    let count = |count| match unit {
        Unit::Bytes => bytes(count),
        Unit::Records => format!("{count} records"),
    };
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{phase}: {}", count(done));
    };
    let share = (done as f64 / total as f64).clamp(0.0, 1.0);
    let mut out = format!("{phase}: ");
    if bar {
        let full = (share * BAR_WIDTH as f64) as usize;
        out.push_str(&format!(
            "[{}{}] ",
            "#".repeat(full),
            " ".repeat(BAR_WIDTH - full)
        ));
    }
    out.push_str(&format!("{:.0} % of {}", share * 100.0, count(total)));
    if share > 0.02 {
        let left = ran.as_secs_f64() * (1.0 - share) / share;
        out.push_str(&format!(", {left:.0} s left"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        let ran = Duration::from_secs(3);
        let told = Progress::bytes("reading", 3 << 20, 12 << 20);
        assert_eq!(
            text(told, ran, false),
            "reading: 25 % of 12.0 MiB, 9 s left"
        );
        let bar = text(told, ran, true);
        assert!(bar.contains("[#######                       ]"), "{bar}");
        let told = Progress::records("importing", 5, None);
        assert_eq!(text(told, ran, true), "importing: 5 records");
    }
}
