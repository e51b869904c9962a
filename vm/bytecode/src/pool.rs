//! Gathering a module: tables whose equal entries share one id. Here because the compiler and the text assembler need
//! ids before the module is complete. Must stay true: ids are given in order of first use, so equal input gives equal
//! modules byte for byte.

use std::collections::HashMap;

use crate::ids::{ConstId, FuncId, GlobalId, ShapeId, SigId, TypeId};
use crate::module::{Const, Function, Global, Module, Shape, Signature, TypeDesc};

/// What a constant is compared by.
#[derive(PartialEq, Eq, Hash)]
enum ConstKey {
    Int(i64),
    Float(u64),
    Text(String),
}

/// A module under construction. `module` may be filled freely; pooled tables go through the methods.
#[derive(Default)]
pub struct ModuleBuilder {
    /// The module so far.
    pub module: Module,
    constants: HashMap<ConstKey, ConstId>,
    shapes: HashMap<Shape, ShapeId>,
    signatures: HashMap<Signature, SigId>,
}

impl ModuleBuilder {
    /// An empty module for a source file.
    pub fn new(source_name: impl Into<String>) -> ModuleBuilder {
        ModuleBuilder {
            module: Module {
                source_name: source_name.into(),
                ..Module::default()
            },
            ..ModuleBuilder::default()
        }
    }

    /// Goes on building a module: its tables are shared with what comes.
    pub fn from_module(module: Module) -> ModuleBuilder {
        let mut builder = ModuleBuilder::default();
        for (at, constant) in module.constants.iter().enumerate() {
            let key = match constant {
                Const::Int(value) => ConstKey::Int(*value),
                Const::Float(value) => ConstKey::Float(value.to_bits()),
                Const::Text(value) => ConstKey::Text(value.clone()),
            };
            builder.constants.entry(key).or_insert(ConstId(at as u32));
        }
        for (at, shape) in module.shapes.iter().enumerate() {
            builder
                .shapes
                .entry(shape.clone())
                .or_insert(ShapeId(at as u32));
        }
        for (at, signature) in module.signatures.iter().enumerate() {
            builder
                .signatures
                .entry(signature.clone())
                .or_insert(SigId(at as u32));
        }
        builder.module = module;
        builder
    }

    /// The id of an integer constant.
    pub fn const_int(&mut self, value: i64) -> ConstId {
        self.constant(ConstKey::Int(value), || Const::Int(value))
    }

    /// The id of a float constant, shared by bits.
    pub fn const_float(&mut self, value: f64) -> ConstId {
        self.constant(ConstKey::Float(value.to_bits()), || Const::Float(value))
    }

    /// The id of a text constant.
    pub fn const_text(&mut self, value: &str) -> ConstId {
        self.constant(ConstKey::Text(value.to_owned()), || {
            Const::Text(value.to_owned())
        })
    }

    fn constant(&mut self, key: ConstKey, make: impl FnOnce() -> Const) -> ConstId {
        let constants = &mut self.module.constants;
        *self.constants.entry(key).or_insert_with(|| {
            constants.push(make());
            ConstId((constants.len() - 1) as u32)
        })
    }

    /// The id of a type. Types are few; equal ones are found by looking through them.
    pub fn type_desc(&mut self, desc: TypeDesc) -> TypeId {
        let types = &mut self.module.types;
        let at = types.iter().position(|t| *t == desc).unwrap_or_else(|| {
            types.push(desc);
            types.len() - 1
        });
        TypeId(at as u32)
    }

    /// The id of a record shape.
    pub fn shape(&mut self, shape: Shape) -> ShapeId {
        let shapes = &mut self.module.shapes;
        *self.shapes.entry(shape).or_insert_with_key(|shape| {
            shapes.push(shape.clone());
            ShapeId((shapes.len() - 1) as u32)
        })
    }

    /// The id of a call signature.
    pub fn signature(&mut self, signature: Signature) -> SigId {
        let signatures = &mut self.module.signatures;
        *self
            .signatures
            .entry(signature)
            .or_insert_with_key(|signature| {
                signatures.push(signature.clone());
                SigId((signatures.len() - 1) as u32)
            })
    }

    /// Adds a global.
    pub fn global(&mut self, global: Global) -> GlobalId {
        self.module.globals.push(global);
        GlobalId((self.module.globals.len() - 1) as u32)
    }

    /// Adds a function.
    pub fn function(&mut self, function: Function) -> FuncId {
        self.module.functions.push(function);
        FuncId((self.module.functions.len() - 1) as u32)
    }

    /// Reserves an id for a function that comes later (`set_function`); until then it is an empty one.
    pub fn declare_function(&mut self, name: &str, signature: Signature) -> FuncId {
        self.function(Function {
            name: name.to_owned(),
            signature,
            is_closure: false,
            captures: Vec::new(),
            entries: Vec::new(),
            scalar_regs: Vec::new(),
            ref_regs: Vec::new(),
            code: Vec::new(),
            catches: Vec::new(),
            lines: Vec::new(),
            from_prelude: false,
            arguments: Vec::new(),
            inlined: Vec::new(),
            scopes: Vec::new(),
        })
    }

    /// Puts a function in its reserved place.
    pub fn set_function(&mut self, id: FuncId, function: Function) {
        self.module.functions[id.index()] = function;
    }
}
