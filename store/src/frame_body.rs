//! Between the records of a transaction and the body of its frame, in both directions.
//!
//! The committer goes one way; a request that is sent again gets its first answer by going the other way. What must stay
//! true: an event read back says the same as the one that was told when the transaction was committed.

use std::sync::Arc;

use crate::codec::cursor::Undecodable;
use crate::codec::record::{
    FieldNo, RecordHeader, RecordOp, Table, TypeNo, each_record, put_record,
};
use crate::outcome::{Change, ChangeOp, CommitEvent};
use crate::rules::PlannedWrite;
use crate::schema::widen_all;
use crate::shared::Shared;
use crate::value::{FieldValue, Lsn, Record};

/// Where a record starts in the body, and its bytes there.
pub(crate) struct Encoded {
    pub(crate) at: u64,
    pub(crate) bytes: usize,
}

/// Appends the body of a data frame to `out`. Says where each record stands in it.
pub(crate) fn encode(
    shared: &Shared,
    writes: &[PlannedWrite],
    lsn: Lsn,
    time_ms: i64,
    out: &mut Vec<u8>,
) -> Vec<Encoded> {
    let start = out.len();
    let type_number = |ty| {
        let TypeNo(number) = shared.mapping.number(ty);
        number
    };
    let encoded = writes.iter().map(|write| {
        let at = out.len();
        let mapping = shared.mapping.type_mapping(write.ty);
        let header = RecordHeader {
            len: 0,
            ty: mapping.number,
            version: write.version,
            id: write.id,
            lsn,
            previous: write.previous,
            created_at_ms: write.created_at_ms(time_ms),
            updated_at_ms: write.updated_at_ms(time_ms),
            op: write.op,
            deleted: write.deleted,
            erased: false,
            schema: shared.catalog.version,
            field_count: 0,
            table: Table::default(),
        };
        let mut stored: Vec<(FieldNo, &FieldValue)> = Vec::with_capacity(write.fields.len());
        let fields = mapping.fields.iter().copied().zip(&write.fields);
        stored.extend(fields.filter(|(_, value)| !value.is_none()));
        if !stored.is_sorted_by_key(|(number, _)| *number) {
            stored.sort_by_key(|(number, _)| *number);
        }
        put_record(out, &header, &stored, &type_number);
        Encoded {
            at: (at - start) as u64,
            bytes: out.len() - at,
        }
    });
    encoded.collect()
}

/// The record as it will be read; takes the fields out of the planned write, which is encoded.
pub(crate) fn record_of(
    shared: &Shared,
    write: &mut PlannedWrite,
    lsn: Lsn,
    time_ms: i64,
) -> Arc<Record> {
    let updated_at_ms = write.updated_at_ms(time_ms);
    let defs = &shared.schema.type_def(write.ty).fields;
    let mut fields = std::mem::take(&mut write.fields);
    fields.resize(defs.len(), FieldValue::None);
    widen_all(&mut fields, defs);
    Arc::new(Record {
        ty: write.ty,
        id: write.id,
        version: write.version,
        created_at_ms: write.created_at_ms(time_ms),
        updated_at_ms,
        deleted_at_ms: write.deleted.then_some(updated_at_ms),
        fields,
        lsn,
    })
}

/// A written record as told to those who listen.
pub(crate) fn change(
    shared: &Shared,
    op: RecordOp,
    record: Arc<Record>,
    before: Option<Arc<Record>>,
) -> Change {
    let op = match op {
        RecordOp::Create => ChangeOp::Create,
        RecordOp::Update => ChangeOp::Update,
        RecordOp::Delete => ChangeOp::Delete,
        RecordOp::Restore => ChangeOp::Restore,
        RecordOp::Destroy => ChangeOp::Destroy,
    };
    Change {
        ty: record.ty,
        type_name: shared.type_names[record.ty.0 as usize].clone(),
        id: record.id,
        op,
        version: record.version,
        record,
        before,
    }
}

/// The event of a data frame, read back from its body. Records of types that the program does not have are left out; what
/// was destroyed since has no content.
pub(crate) fn event_of(
    shared: &Shared,
    lsn: Lsn,
    time_ms: i64,
    body: &[u8],
) -> Result<CommitEvent, Undecodable> {
    let mut changes = Vec::new();
    each_record(body, &mut |_, header, bytes| {
        if !RecordHeader::intact(bytes) {
            return Err(Undecodable {
                expected: "a record with an intact checksum",
            });
        }
        if let Some(ty) = shared.mapping.position(header.ty) {
            let mut record = shared.decode(ty, &header, bytes)?;
            let is_gone = shared.state().index.head(header.ty, header.id).is_none();
            if is_gone {
                record.fields.fill(FieldValue::None);
            }
            changes.push(change(shared, header.op, Arc::new(record), None));
        }
        Ok(())
    })?;
    Ok(CommitEvent {
        lsn,
        time_ms,
        changes,
    })
}
