//! What records read that were saved before a field existed: its default value, computed once when the data is opened.
//! Here because a default is code of the program, and the store, which keeps the value, runs none. Must stay true: the code
//! sees an empty store, changes nothing and is given little time; a default that fails is no default.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flin_store::{FieldType, FieldValue, MemoryDisk, Schema, Store, StoreOptions};
use flin_vm::bytecode::ids::FuncId;
use flin_vm::{Counts, HostValue, Program, Vm};

use crate::door::RuntimeOptions;
use crate::host::{Operations, StoreHost};
use crate::memory::Memory;
use crate::panics;
use crate::schema::{TypeMap, schema_of};
use crate::usage::Spending;
use crate::world::{Kept, Seen, World};

/// A default that takes longer is none.
const TIME_MAX: Duration = Duration::from_secs(1);

/// The store schema that a program declares, with the default values of fields that are never none.
pub fn schema_with_defaults(program: &Arc<Program>, world: &dyn World) -> Schema {
    let module = program.module();
    let mut schema = schema_of(module);
    let empty = Store::open(Arc::new(MemoryDisk::new()), &schema, StoreOptions::inline());
    let Ok(empty) = empty.map(|opened| opened.store) else {
        // A schema that is wrong in itself is refused where the data is opened.
        return schema;
    };
    let types = TypeMap::new(module, &schema);
    for (entity, def) in module.entities.iter().zip(&mut schema.types) {
        for (field, def) in entity.fields.iter().zip(&mut def.fields) {
            let Some(default) = field.default.filter(|_| !field.optional) else {
                continue;
            };
            let value = computed(program, &types, &empty, world, default);
            let value = value.and_then(|value| storable(&types, program, &value));
            def.fill = value.and_then(|value| typed(value, &def.ty));
        }
    }
    schema
}

/// The value, unless it is none or links to something: there is nothing yet that it could link to.
fn storable(types: &TypeMap, program: &Program, value: &HostValue) -> Option<FieldValue> {
    let value = types.to_store(program.module(), value).ok()?;
    let mut links = false;
    value.each_ref(&mut |_, _| links = true);
    (!links && !value.is_none()).then_some(value)
}

/// A call gives a time or a span as the number that it is inside of the machine; nothing else may differ in type.
fn typed(value: FieldValue, ty: &FieldType) -> Option<FieldValue> {
    match (ty, value) {
        (FieldType::Time, FieldValue::Int(ms)) => Some(FieldValue::Time(ms)),
        (FieldType::Duration, FieldValue::Int(ms)) => Some(FieldValue::Duration(ms)),
        (ty, value) => ty.accepts(&value, &Schema::default()).then_some(value),
    }
}

fn computed(
    program: &Arc<Program>,
    types: &TypeMap,
    empty: &Store,
    world: &dyn World,
    default: FuncId,
) -> Option<HostValue> {
    let (mut tx, mut seen) = (empty.begin(), Seen::default());
    let memory = Memory::new(usize::MAX);
    let mut host = StoreHost {
        module: program.module(),
        types,
        tx: &mut tx,
        world,
        seen: &mut seen,
        read_only: true,
        page_key: flin_vm::wire::Key::default(),
        deadline: Some(Instant::now() + TIME_MAX),
        cut_off: None,
        turn: None,
        speaks_at_once: false,
        commits_statements: None,
        said: Kept::default(),
        looked_back: false,
        operations: Operations::default(),
        memory: memory.share(),
        spending: Spending::new(Instant::now()),
        counts: Counts::default(),
    };
    let limits = RuntimeOptions::default().request_limits;
    let mut vm = Vm::new(Arc::clone(program), limits);
    let done = panics::catch(|| vm.call(&mut host, default, &[]));
    match done {
        Ok(Ok(value)) => Some(value),
        Ok(Err(trap)) => {
            tracing::warn!(%trap, "a default value cannot be computed: older records read none");
            None
        }
        Err(caught) => {
            tracing::error!(
                message = caught.message,
                "a default value cannot be computed"
            );
            None
        }
    }
}
