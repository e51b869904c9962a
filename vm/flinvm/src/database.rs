//! `flinvm db`: looking after the data.

use std::path::Path;

use flin_runtime::store;

use crate::fault::Fault;
use crate::opening;
use crate::output::say;

/// Reads the whole log and prints what is in it.
pub(crate) fn verify(data: &Path) -> Result<(), Fault> {
    if !data.is_dir() {
        let source =
            std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such directory");
        return Err(Fault::Unreadable {
            path: data.to_owned(),
            source,
        });
    }
    let disk = opening::real_disk(data)?;
    let report = store::verify(&*disk).map_err(|error| Fault::Data(Box::new(error)))?;
    say(&report.to_string());
    if report.is_intact() {
        Ok(())
    } else {
        Err(Fault::Damaged)
    }
}
