//! Comma-separated values: one type per file, one record per row, names in the first row.
//!
//! What must stay true: an empty cell without quotes is `none`, one in quotes is the empty text; a cell may span lines and
//! the reader still knows the line on which each row begins.

use super::iso::{parse_time, time_text};
use super::json::{Json, put_float};
use super::values::{no_number, parse_no_number, put_typed, read_typed, whole_float};
use crate::schema::{FieldType, Schema};
use crate::value::FieldValue;

/// A cell as it stood in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// Appends a cell of text.
pub(super) fn put_cell(out: &mut String, text: &str) {
    let plain = !text.is_empty()
        && !text.contains([',', '"', '\n', '\r'])
        && text.trim().len() == text.len();
    if plain {
        out.push_str(text);
        return;
    }
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

/// Appends a value of a field as a cell.
pub(super) fn put_value_cell(
    out: &mut String,
    value: &FieldValue,
    ty: &FieldType,
    schema: &Schema,
) {
    match (ty, value) {
        (_, FieldValue::None) => {}
        (FieldType::Text, FieldValue::Text(text)) => put_cell(out, text),
        (FieldType::Float, FieldValue::Float(float)) if !float.is_finite() => {
            out.push_str(&no_number(*float));
        }
        (FieldType::Float, FieldValue::Float(float)) => put_float(out, *float),
        (FieldType::Time, FieldValue::Time(ms)) => match time_text(*ms) {
            Some(text) => out.push_str(&text),
            None => out.push_str(&ms.to_string()),
        },
        (FieldType::Bytes | FieldType::Enum(_), value) => {
            let mut json = String::new();
            put_typed(&mut json, value, ty, schema);
            match Json::parse(&json) {
                Ok(Json::Text(text)) if !text.starts_with('{') => put_cell(out, &text),
                _tagged => put_cell(out, &json),
            }
        }
        (_, value) => {
            let mut json = String::new();
            put_typed(&mut json, value, ty, schema);
            put_cell(out, &json);
        }
    }
}

/// Reads a cell as a value of a field.
pub(super) fn read_value_cell(
    cell: &Cell,
    ty: &FieldType,
    schema: &Schema,
) -> Result<FieldValue, String> {
    if cell.text.is_empty() && !cell.quoted {
        return Ok(FieldValue::None);
    }
    let wrong = || format!("expected {ty}, found {:?}", cell.text);
    match ty {
        FieldType::Text => Ok(FieldValue::text(cell.text.as_str())),
        FieldType::Float => {
            if let Ok(whole) = cell.text.parse::<i128>()
                && whole != 0
            {
                return whole_float(whole).map(FieldValue::Float);
            }
            let finite = || {
                cell.text
                    .parse()
                    .ok()
                    .filter(|float: &f64| float.is_finite())
            };
            let float = parse_no_number(&cell.text)
                .or_else(finite)
                .ok_or_else(wrong)?;
            Ok(FieldValue::Float(float))
        }
        FieldType::Time => {
            let ms = parse_time(&cell.text).or_else(|| cell.text.parse().ok());
            ms.map(FieldValue::Time).ok_or_else(wrong)
        }
        FieldType::Bytes | FieldType::Enum(_) if !cell.text.starts_with('{') => {
            read_typed(&Json::Text(cell.text.clone()), ty, schema)
        }
        FieldType::Bool
        | FieldType::Int
        | FieldType::Duration
        | FieldType::Bytes
        | FieldType::Ref(_)
        | FieldType::Enum(_)
        | FieldType::List(_)
        | FieldType::Map(_)
        | FieldType::Any => {
            let json = Json::parse(&cell.text).map_err(|_| wrong())?;
            read_typed(&json, ty, schema)
        }
    }
}

/// Reads the next row from `lines` (numbered from 1, without their ends). `None` at the end.
pub(super) fn next_row(
    lines: &mut dyn Iterator<Item = std::io::Result<String>>,
    line_number: &mut u64,
) -> std::io::Result<Option<Result<Vec<Cell>, String>>> {
    let Some(first) = lines.next() else {
        return Ok(None);
    };
    let mut text = first?;
    *line_number += 1;
    // A quote that is still open means that the cell goes on in the next line. Each line is counted once: a stray quote may
    // make a row of the whole file.
    let has_odd_quotes = |text: &str| text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
    let mut is_open = has_odd_quotes(&text);
    while is_open {
        match lines.next() {
            Some(more) => {
                let more = more?;
                is_open ^= has_odd_quotes(&more);
                text.push('\n');
                text.push_str(&more);
                *line_number += 1;
            }
            None => return Ok(Some(Err("a quote is opened and never closed".to_owned()))),
        }
    }
    Ok(Some(cells(text.strip_suffix('\r').unwrap_or(&text))))
}

fn cells(row: &str) -> Result<Vec<Cell>, String> {
    let mut cells = Vec::new();
    let mut rest = row;
    loop {
        let (cell, after) = if let Some(inside) = rest.strip_prefix('"') {
            quoted_cell(inside)?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let text = rest[..end].to_owned();
            if text.contains('"') {
                return Err(format!(
                    "a cell with quotes must begin with one, found {text:?}"
                ));
            }
            (
                Cell {
                    text,
                    quoted: false,
                },
                &rest[end..],
            )
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(cells),
            None => return Err("expected a comma behind the closing quote".to_owned()),
        }
    }
}

fn quoted_cell(inside: &str) -> Result<(Cell, &str), String> {
    let mut text = String::new();
    let mut rest = inside;
    loop {
        let Some(quote) = rest.find('"') else {
            return Err("a quote is opened and never closed".to_owned());
        };
        text.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                text.push('"');
                rest = more;
            }
            None => return Ok((Cell { text, quoted: true }, rest)),
        }
    }
}
