//! `flinvm db stats`: what is there and what it costs. Must stay true: both forms say the same.

use std::fmt::Write;

use flin_runtime::schema_of;
use flin_runtime::store::{self, Disk, StoreStats, TableMemory};
use serde_json::{Value, json};

use super::arguments::{Format, Stats};
use super::place;
use super::progress::Shown;
use crate::arguments::{Engine, Jit};
use crate::fault::Fault;
use crate::load;
use crate::output::say;

pub(super) fn stats(wanted: &Stats, color: bool) -> Result<(), Fault> {
    let disk = place::existing(&wanted.common.data)?;
    let mut shown = Shown::new();
    let counted = store::stats(&*disk, &mut |progress| shown.tell(progress));
    drop(shown);
    let stats = counted.map_err(place::refused)?;
    if let Some(holder) = &stats.holder {
        tell_line!("note: {}", place::in_use(holder, stats.head));
    }
    if let Some(damage) = &stats.damage {
        tell_line!("warning: the data is damaged: {damage}. Counted is what stands before");
    }
    let tables = tables(wanted, &*disk, color)?;
    match wanted.common.format {
        Format::Text => say(as_text(&stats, &tables).trim_end()),
        Format::Json => say(&as_json(&stats, &tables).to_string()),
    }
    Ok(())
}

/// What columns and indexes take, once they are made: a server makes them when a query first needs them.
fn tables(wanted: &Stats, disk: &dyn Disk, color: bool) -> Result<Vec<TableMemory>, Fault> {
    let reading = match &wanted.program {
        None => store::read(disk, None),
        Some(program) => {
            let engine = Engine {
                jit: Jit::Off,
                jit_plain: false,
                stats: false,
            };
            let loaded = load::load(program, engine, color)?;
            store::read_as(disk, &schema_of(loaded.program.module()))
        }
    };
    let made = reading.map_err(place::refused)?.store.table_memory();
    match made {
        Ok(tables) => Ok(tables),
        // The counts are true without them.
        Err(unreadable) => {
            tell_line!("warning: what columns and indexes take is not known: {unreadable}");
            Ok(Vec::new())
        }
    }
}

/// Bytes for each record; 0 where there is none.
fn for_each(bytes: u64, records: u64) -> f64 {
    bytes as f64 / records.max(1) as f64
}

fn as_text(stats: &StoreStats, tables: &[TableMemory]) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        writeln!(out, "{text}").expect("a String takes everything");
    };
    line(format!(
        "{:<20} {:>10} {:>10} {:>10} {:>10} {:>12} {:>12}",
        "entity", "live", "deleted", "destroyed", "versions", "newest", "all versions"
    ));
    for ty in &stats.types {
        line(format!(
            "{:<20} {:>10} {:>10} {:>10} {:>10} {:>12} {:>12}",
            ty.name,
            ty.live,
            ty.deleted,
            ty.destroyed,
            ty.versions,
            place::bytes(ty.newest_bytes),
            place::bytes(ty.bytes)
        ));
    }
    line(String::new());
    line(format!("newest LSN        {}", stats.head));
    line(format!("transactions      {}", stats.transactions));
    line(format!("schemas           {}", stats.schemas));
    for (name, time) in [("oldest", stats.oldest_ms), ("newest", stats.newest_ms)] {
        if let Some(ms) = time {
            line(format!("{name} commit     {}", place::time(ms)));
        }
    }
    line(format!(
        "index in memory   {}, {:.0} bytes for each record",
        place::bytes(stats.index.heads_bytes),
        stats.index.bytes_per_record()
    ));
    tables_as_text(tables, &mut line);
    line(match stats.oldest_pending_ms {
        Some(ms) => format!(
            "to be erased      {} destroyed records, the first of them since {}",
            stats.pending_destroys,
            place::time(ms)
        ),
        None => "to be erased      nothing".to_owned(),
    });
    line(String::new());
    for file in &stats.files {
        let what = match file.segment {
            Some((number, first)) => format!("segment {number}, from LSN {first}"),
            None => String::new(),
        };
        line(
            format!("{:<28} {:>12}  {what}", file.name, place::bytes(file.bytes))
                .trim_end()
                .to_owned(),
        );
    }
    if stats.quarantined > 0 {
        line(format!(
            "quarantine/ has {} files: bytes of torn writes that nobody was told of",
            stats.quarantined
        ));
    }
    let total: u64 = stats.files.iter().map(|file| file.bytes).sum();
    line(format!("{:<28} {:>12}", "together", place::bytes(total)));
    out
}

fn tables_as_text(tables: &[TableMemory], line: &mut impl FnMut(String)) {
    for table in tables {
        if table.column_bytes > 0 {
            line(format!(
                "columns of {:<6} {}, {:.0} bytes for each record",
                table.type_name,
                place::bytes(table.column_bytes),
                for_each(table.column_bytes, table.records)
            ));
        }
        for (field, bytes) in &table.indexes {
            line(format!(
                "index {}.{field}  {}, {:.0} bytes for each record",
                table.type_name,
                place::bytes(*bytes),
                for_each(*bytes, table.records)
            ));
        }
    }
}

fn as_json(stats: &StoreStats, tables: &[TableMemory]) -> Value {
    let tables = tables.iter().map(|table| {
        let indexes = table
            .indexes
            .iter()
            .map(|(field, bytes)| json!({ "field": field, "bytes": bytes }));
        json!({
            "name": table.type_name, "records": table.records, "column_bytes": table.column_bytes,
            "index_bytes": table.index_bytes, "indexes": indexes.collect::<Vec<Value>>(),
        })
    });
    let types = stats.types.iter().map(|ty| {
        json!({
            "name": ty.name, "live": ty.live, "deleted": ty.deleted, "destroyed": ty.destroyed,
            "versions": ty.versions, "newest_bytes": ty.newest_bytes, "bytes": ty.bytes,
        })
    });
    let files = stats.files.iter().map(|file| {
        json!({
            "name": file.name, "bytes": file.bytes,
            "segment": file.segment.map(|(number, _)| number),
            "first_lsn": file.segment.map(|(_, first)| first.0),
        })
    });
    json!({
        "types": types.collect::<Vec<Value>>(),
        "files": files.collect::<Vec<Value>>(),
        "quarantined": stats.quarantined,
        "index_bytes": stats.index.heads_bytes,
        "tables": tables.collect::<Vec<Value>>(),
        "head": stats.head.0,
        "transactions": stats.transactions,
        "schemas": stats.schemas,
        "oldest_commit": stats.oldest_ms.map(place::time),
        "newest_commit": stats.newest_ms.map(place::time),
        "pending_destroys": stats.pending_destroys,
        "oldest_pending_destroy": stats.oldest_pending_ms.map(place::time),
        "in_use_by": stats.holder,
        "damage": stats.damage.as_ref().map(ToString::to_string),
    })
}
