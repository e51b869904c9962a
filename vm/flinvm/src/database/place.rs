//! The directory that a command is about, and opening it for reading. Must stay true: a command that reads never makes a
//! directory, and says on stderr who has the data open and where it is damaged.

use std::path::Path;
use std::sync::Arc;

use flin_runtime::store::{self, Disk, Lsn, Moment, OpenError, Reading, time_text};

use crate::fault::Fault;
use crate::opening;

/// The directory as a disk; it must be there.
pub(crate) fn existing(data: &Path) -> Result<Arc<dyn Disk>, Fault> {
    if !data.is_dir() {
        let source =
            std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such directory");
        return Err(Fault::Unreadable {
            path: data.to_owned(),
            source,
        });
    }
    opening::real_disk(data)
}

/// An error of opening as an end of the command.
pub(super) fn refused(error: OpenError) -> Fault {
    Fault::Data(Box::new(error))
}

/// Opens a store for reading and says what is special about that.
pub(super) fn read(data: &Path, moment: Option<Moment>) -> Result<Reading, Fault> {
    let disk = existing(data)?;
    let reading = store::read(&*disk, moment).map_err(refused)?;
    tell(&reading);
    Ok(reading)
}

fn tell(reading: &Reading) {
    let lsn = reading.store.snapshot().lsn();
    if let Some(holder) = &reading.holder {
        tell_line!("note: {}", in_use(holder, lsn));
    }
    if let Some(damage) = reading.store.damage() {
        tell_line!("warning: the data is damaged: {damage}. This is the state before, LSN {lsn}");
    }
    for note in &reading.notes {
        tell_line!("note: {note}");
    }
}

/// What is read while somebody writes.
pub(super) fn in_use(holder: &str, lsn: Lsn) -> String {
    format!("the data is in use by {holder}; this is what was durable just now, LSN {lsn}")
}

/// A time for people; milliseconds where the calendar ends.
pub(super) fn time(ms: i64) -> String {
    time_text(ms).unwrap_or_else(|| format!("{ms} ms"))
}

/// A number of bytes for people.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} bytes");
    }
    let (mut value, mut unit) = (count as f64 / 1024.0, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}
