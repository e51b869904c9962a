//! What the VM's tests share: a model host in memory, modules built by hand, and a runner that runs every call twice,
//! once plainly and once with a collection at every allocation, and compares. Must stay true: both runs see equal hosts.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses a part; tests are no API"
)]

pub mod double;

use std::collections::BTreeMap;
use std::sync::Arc;

use flin_bytecode::{
    Bank, Class, EntityTypeId, FuncId, FunctionBuilder, ModuleBuilder, Reg, Signature, TypeDesc,
    TypeId,
};
use flin_vm::{
    Consequences, Host, HostError, HostPast, HostRecord, HostValue, Limits, LogLevel, Moment,
    Program, ScanMode, Slice, Trap, Vm,
};

pub use flin_bytecode::emit;

/// A host in memory.
#[derive(Clone, Debug, Default)]
pub struct ModelHost {
    pub printed: Vec<String>,
    pub logged: Vec<(LogLevel, String)>,
    pub records: BTreeMap<(u32, i64), HostRecord>,
    pub last_id: i64,
    pub clock_ms: i64,
    /// Slices after which the run is stopped; 0 never stops.
    pub slices_max: u64,
    pub slices: u64,
    pub reads: u64,
    pub refuse: Option<HostError>,
    pub panics_at_print: bool,
    /// What every deletion did to others.
    pub consequences: Consequences,
}

impl ModelHost {
    fn find(&mut self, ty: EntityTypeId, id: i64) -> Result<&mut HostRecord, HostError> {
        if let Some(error) = &self.refuse {
            return Err(error.clone());
        }
        self.records
            .get_mut(&(ty.0, id))
            .ok_or(HostError::NotFound {
                entity: "Todo".to_owned(),
                id,
            })
    }
}

impl Host for ModelHost {
    fn slice(&mut self, _fuel_used: u64, _memory_bytes: usize) -> Slice {
        self.slices += 1;
        if self.slices_max > 0 && self.slices >= self.slices_max {
            Slice::Stop
        } else {
            Slice::Go
        }
    }

    fn print(&mut self, text: &str) {
        if self.panics_at_print {
            panic!("the printer burns");
        }
        self.printed.push(text.to_owned());
    }

    fn log(&mut self, level: LogLevel, text: &str) {
        self.logged.push((level, text.to_owned()));
    }

    fn now_ms(&mut self) -> i64 {
        self.clock_ms
    }

    fn random(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn env(&mut self, _name: &str) -> Option<String> {
        None
    }

    fn entity_get(&mut self, ty: EntityTypeId, id: i64) -> Result<Option<HostRecord>, HostError> {
        self.reads += 1;
        Ok(self.records.get(&(ty.0, id)).cloned())
    }

    fn entity_scan(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
    ) -> Result<Vec<HostRecord>, HostError> {
        let fits = |record: &&HostRecord| match mode {
            ScanMode::Live => record.deleted_at.is_none(),
            ScanMode::Deleted => record.deleted_at.is_some(),
            ScanMode::All => true,
        };
        Ok(self
            .records
            .values()
            .filter(|record| record.ty == ty)
            .filter(fits)
            .cloned()
            .collect())
    }

    // This model keeps no old versions: the newest is the only one.
    fn entity_history(&mut self, ty: EntityTypeId, id: i64) -> Result<Vec<HostRecord>, HostError> {
        let found = self.entity_get(ty, id)?.map(|record| HostRecord {
            past: Some(HostPast {
                as_of: Moment::Time(record.updated_at),
                valid_to: None,
            }),
            ..record
        });
        Ok(found.into_iter().collect())
    }

    fn entity_get_at(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        when: Moment,
    ) -> Result<Option<HostRecord>, HostError> {
        let (Moment::Time(time_ms) | Moment::Commit(time_ms)) = when;
        let past = Some(HostPast {
            as_of: when,
            valid_to: None,
        });
        let found = self.entity_get(ty, id)?;
        Ok(found
            .filter(|record| record.updated_at <= time_ms)
            .map(|record| HostRecord { past, ..record }))
    }

    fn entity_scan_at(
        &mut self,
        ty: EntityTypeId,
        mode: ScanMode,
        when: Moment,
    ) -> Result<Vec<HostRecord>, HostError> {
        let now = self.entity_scan(ty, mode)?;
        let mut then = Vec::new();
        for record in now {
            then.extend(self.entity_get_at(ty, record.id, when)?);
        }
        Ok(then)
    }

    fn entity_count(&mut self, ty: EntityTypeId) -> Result<i64, HostError> {
        Ok(self.entity_scan(ty, ScanMode::Live)?.len() as i64)
    }

    fn entity_insert(
        &mut self,
        ty: EntityTypeId,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        if let Some(error) = &self.refuse {
            return Err(error.clone());
        }
        self.last_id += 1;
        let record = HostRecord {
            ty,
            id: self.last_id,
            version: 1,
            created_at: self.clock_ms,
            updated_at: self.clock_ms,
            deleted_at: None,
            fields,
            past: None,
        };
        self.records.insert((ty.0, record.id), record.clone());
        Ok(record)
    }

    fn entity_update(
        &mut self,
        ty: EntityTypeId,
        id: i64,
        fields: Vec<HostValue>,
    ) -> Result<HostRecord, HostError> {
        let record = self.find(ty, id)?;
        record.version += 1;
        record.fields = fields;
        Ok(record.clone())
    }

    fn entity_delete(
        &mut self,
        ty: EntityTypeId,
        id: i64,
    ) -> Result<(HostRecord, Consequences), HostError> {
        let record = self.find(ty, id)?;
        record.version += 1;
        record.deleted_at = Some(99);
        Ok((record.clone(), self.consequences.clone()))
    }

    fn entity_restore(&mut self, ty: EntityTypeId, id: i64) -> Result<HostRecord, HostError> {
        let record = self.find(ty, id)?;
        record.version += 1;
        record.deleted_at = None;
        Ok(record.clone())
    }

    fn entity_destroy(&mut self, ty: EntityTypeId, id: i64) -> Result<Consequences, HostError> {
        self.find(ty, id)?;
        self.records.remove(&(ty.0, id));
        Ok(self.consequences.clone())
    }
}

pub fn signature(params: &[Class], result: Option<Class>) -> Signature {
    Signature {
        params: params.to_vec(),
        result,
    }
}

/// Adds a function whose body is written by `body`.
pub fn add(
    mb: &mut ModuleBuilder,
    name: &str,
    params: &[Class],
    result: Option<Class>,
    body: impl FnOnce(&mut ModuleBuilder, &mut FunctionBuilder),
) -> FuncId {
    let mut b = FunctionBuilder::new(name, signature(params, result));
    body(mb, &mut b);
    let function = b.finish().expect("the function fits");
    mb.function(function)
}

/// A text constant in a new register.
pub fn text(mb: &mut ModuleBuilder, b: &mut FunctionBuilder, value: &str) -> Reg {
    let reg = b.temp(Class::Ref);
    emit!(b, ConstText, reg, mb.const_text(value));
    reg
}

/// An int constant in a new register.
pub fn int(b: &mut FunctionBuilder, value: i32) -> Reg {
    let reg = b.temp(Class::I64);
    emit!(b, ConstI64, reg, value);
    reg
}

/// A float constant in a new register.
pub fn float(mb: &mut ModuleBuilder, b: &mut FunctionBuilder, value: f64) -> Reg {
    let reg = b.temp(Class::F64);
    emit!(b, ConstF64, reg, mb.const_float(value));
    reg
}

/// The id of a type.
pub fn ty(mb: &mut ModuleBuilder, desc: TypeDesc) -> TypeId {
    mb.type_desc(desc)
}

/// A program with one function `test`.
pub fn one(
    params: &[Class],
    result: Option<Class>,
    body: impl FnOnce(&mut ModuleBuilder, &mut FunctionBuilder),
) -> (Arc<Program>, FuncId) {
    let mut mb = ModuleBuilder::new("test.flin");
    let func = add(&mut mb, "test", params, result, body);
    (load(mb), func)
}

pub fn load(mb: ModuleBuilder) -> Arc<Program> {
    match Program::load(mb.module) {
        Ok(program) => program,
        Err(error) => panic!("refused: {error}"),
    }
}

pub fn limits(collect_every_allocation: bool) -> Limits {
    Limits {
        collect_every_allocation,
        ..Limits::request()
    }
}

/// Calls the function in both modes on equal hosts, and through the door of native code; gives result and host of the
/// plain run.
pub fn call_on(
    program: &Arc<Program>,
    func: FuncId,
    args: &[HostValue],
    host: &ModelHost,
) -> (Result<HostValue, Trap>, ModelHost) {
    let (plain, plain_host, fuel) = call_once(program, func, args, host, false);
    let native = double::eager(program.module());
    for (what, program, collecting, exit_every) in [
        ("collecting at every allocation", program, true, 0),
        ("running in native frames", &native, false, 0),
        ("collecting, leaving native frames", &native, true, 7),
    ] {
        let (other, other_host, other_fuel) = double::with(program, exit_every, || {
            call_once(program, func, args, host, collecting)
        });
        // Debug texts, so that NaN equals NaN.
        assert_eq!(
            format!("{plain:?}"),
            format!("{other:?}"),
            "{what} changes the result"
        );
        assert_eq!(plain_host.printed, other_host.printed, "{what}");
        assert_eq!(plain_host.records, other_host.records, "{what}");
        assert_eq!(plain_host.slices, other_host.slices, "{what}");
        assert_eq!(fuel, other_fuel, "{what} changes the fuel used");
    }
    (plain, plain_host)
}

fn call_once(
    program: &Arc<Program>,
    func: FuncId,
    args: &[HostValue],
    host: &ModelHost,
    collecting: bool,
) -> (Result<HostValue, Trap>, ModelHost, u64) {
    let mut host = host.clone();
    let mut vm = Vm::new(program.clone(), limits(collecting));
    let result = vm.call(&mut host, func, args);
    (result, host, vm.counts().instructions)
}

pub fn call(program: &Arc<Program>, func: FuncId, args: &[HostValue]) -> Result<HostValue, Trap> {
    call_on(program, func, args, &ModelHost::default()).0
}

/// Builds, loads and calls a function without arguments.
pub fn eval(
    result: Class,
    body: impl FnOnce(&mut ModuleBuilder, &mut FunctionBuilder),
) -> Result<HostValue, Trap> {
    let (program, func) = one(&[], Some(result), body);
    call(&program, func, &[])
}

/// The kind of an error as text.
pub fn kind(result: &Result<HostValue, Trap>) -> String {
    match result {
        Ok(value) => panic!("expected an error, found {value:?}"),
        Err(trap) => trap.kind.name().to_owned(),
    }
}

pub fn host_text(value: &str) -> HostValue {
    HostValue::Text(value.to_owned())
}

pub fn refs(b: &mut FunctionBuilder, classes: &[Class]) -> Reg {
    b.run(Bank::Reference, classes)
}

/// Returns a register of this class.
pub fn ret(b: &mut FunctionBuilder, class: Class, reg: Reg) {
    match class {
        Class::I64 => emit!(b, RetI64, reg),
        Class::F64 => emit!(b, RetF64, reg),
        Class::Bool => emit!(b, RetBool, reg),
        Class::Ref => emit!(b, RetRef, reg),
        Class::Any => emit!(b, RetAny, reg),
    };
}
