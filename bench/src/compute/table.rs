//! The table of times and ratios. Must stay true: a cell is the fastest of all rounds; ratios are to LuaJIT of the same run; the
//! mean is geometric, over the kernels that both have.

use std::fmt::Write as _;
use std::time::Duration;

use crate::compute::kernels::Kernel;
use crate::compute::runners::{REFERENCE, Runner};

/// CPU times by kernel and runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    rows: Vec<&'static str>,
    columns: Vec<&'static str>,
    cells: Vec<Vec<Option<Duration>>>,
}

impl Table {
    /// An empty table.
    pub fn new(kernels: &[&Kernel], runners: &[&Runner]) -> Table {
        Table {
            rows: kernels.iter().map(|kernel| kernel.name).collect(),
            columns: runners.iter().map(|runner| runner.name).collect(),
            cells: vec![vec![None; runners.len()]; kernels.len()],
        }
    }

    /// One run; the fastest stays.
    pub fn add(&mut self, row: usize, column: usize, time: Duration) {
        let cell = &mut self.cells[row][column];
        *cell = Some(cell.map_or(time, |best| best.min(time)));
    }

    /// The times of one kernel for somebody who waits.
    pub fn line(&self, row: usize) -> String {
        let mut text = format!("{:<12}", self.rows[row]);
        for (column, time) in self.cells[row].iter().enumerate() {
            let shown = time.map_or("-".to_owned(), ms);
            let _ = write!(text, " {} {shown}", self.columns[column]);
        }
        text
    }

    /// The runner's time divided by LuaJIT's.
    fn ratio(&self, row: usize, column: usize) -> Option<f64> {
        let reference = self.columns.iter().position(|name| *name == REFERENCE)?;
        let time = self.cells[row][column]?.as_secs_f64();
        Some(time / self.cells[row][reference]?.as_secs_f64())
    }

    /// The geometric mean of a runner's ratios.
    pub fn mean(&self, column: usize) -> Option<f64> {
        let ratios: Vec<f64> = (0..self.rows.len())
            .filter_map(|row| self.ratio(row, column))
            .collect();
        let logs: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
        (!ratios.is_empty()).then(|| (logs / ratios.len() as f64).exp())
    }

    /// Both tables as Markdown: milliseconds, and ratios to LuaJIT.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        self.head(&mut text, "CPU time, ms");
        for (row, name) in self.rows.iter().enumerate() {
            let cells = self.cells[row].iter().map(|cell| cell.map(ms));
            line(&mut text, name, cells);
        }
        if !self.columns.contains(&REFERENCE) {
            return text;
        }
        text.push('\n');
        self.head(&mut text, "LuaJIT = 1.00");
        let ratio = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.2}"));
        let columns = 0..self.columns.len();
        for (row, name) in self.rows.iter().enumerate() {
            let cells = columns.clone().map(|column| ratio(self.ratio(row, column)));
            line(&mut text, name, cells);
        }
        let means =
            columns.map(|column| ratio(self.mean(column)).map(|mean| format!("**{mean}**")));
        line(&mut text, "geometric mean", means);
        text
    }

    fn head(&self, text: &mut String, title: &str) {
        let names = self.columns.iter().map(|name| Some((*name).to_owned()));
        line(text, title, names);
        let _ = writeln!(text, "|---|{}", "---:|".repeat(self.columns.len()));
    }
}

fn line(text: &mut String, name: &str, cells: impl Iterator<Item = Option<String>>) {
    let _ = write!(text, "| {name} |");
    for cell in cells {
        let _ = write!(text, " {} |", cell.as_deref().unwrap_or("-"));
    }
    text.push('\n');
}

fn ms(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::kernels::KERNELS;
    use crate::compute::runners::RUNNERS;

    #[test]
    fn ratios_are_to_luajit_and_the_mean_is_geometric() {
        let kernels: Vec<&Kernel> = KERNELS.iter().take(2).collect();
        let runners: Vec<&Runner> = RUNNERS
            .iter()
            .filter(|runner| ["luajit", "node"].contains(&runner.name))
            .collect();
        let mut table = Table::new(&kernels, &runners);
        for (row, column, time) in [
            (0, 0, 100),
            (0, 1, 300),
            (0, 1, 200),
            (1, 0, 100),
            (1, 1, 50),
        ] {
            table.add(row, column, Duration::from_millis(time));
        }
        assert_eq!(table.mean(0), Some(1.0));
        assert!((table.mean(1).expect("a mean") - 1.0).abs() < 1e-9);
        assert!(table.markdown().contains("| recursion | 1.00 | 2.00 |"));
        assert!(table.markdown().contains("| loops | 100 | 50 |"));
    }
}
