//! Committed changes as messages for live pages. Here because only the runtime knows both what the store recorded and
//! which fields the program hides. Must stay true: `@hidden` fields are not in them.

use flin_store::{Change, ChangeOp, Lsn};
use flin_vm::HostRecord;
use flin_vm::bytecode::ids::EntityTypeId;

use crate::door::Runtime;
use crate::json::write_plain_text;
use crate::wire::entity_json;

impl Runtime {
    /// The entity type of a change; none if the program no longer declares it.
    pub fn changed_type(&self, change: &Change) -> Option<EntityTypeId> {
        self.types().program_type(change.ty)
    }

    /// The `entity_change` message of a change; `shown`: with the record. A record that was brought back counts as created:
    /// it was not there.
    pub fn change_message(&self, change: &Change, seq: Lsn, shown: bool) -> Option<String> {
        let ty = self.changed_type(change)?;
        let module = self.program().module();
        let what = match change.op {
            ChangeOp::Create | ChangeOp::Restore => "create",
            ChangeOp::Update => "update",
            ChangeOp::Delete | ChangeOp::Destroy => "delete",
        };
        let mut out = String::from("{\"type\":\"entity_change\",\"entity_type\":");
        write_plain_text(&mut out, &module.entities[ty.index()].name);
        out.push_str(&format!(",\"change\":\"{what}\""));
        if shown {
            out.push_str(",\"entity\":");
            out.push_str(&self.changed_record(ty, change));
        }
        out.push_str(&format!(",\"seq\":{seq}}}"));
        Some(out)
    }

    fn changed_record(&self, ty: EntityTypeId, change: &Change) -> String {
        let module = self.program().module();
        let record = HostRecord {
            ty,
            id: change.id.0 as i64,
            version: i64::from(change.version),
            created_at: change.record.created_at_ms,
            updated_at: change.record.updated_at_ms,
            deleted_at: change.record.deleted_at_ms,
            fields: self
                .types()
                .to_host_fields(module, ty, &change.record.fields),
            past: None,
        };
        entity_json(module, &record)
    }
}
