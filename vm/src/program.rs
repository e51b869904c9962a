//! A loaded program: a verified module with everything that is computed once and shared by all VMs.
//! Must stay true: a `Program` exists only for a module that passed the verifier; it never changes afterwards.

use std::collections::HashMap;
use std::sync::Arc;

use flin_bytecode::{
    Bank, Class, Instr, LibId, Module, Native, Op, Signature, VerifyError, verify,
};
use regex::Regex;

use crate::frame::FuncInfo;
use crate::heap::Layouts;
use crate::library::{self, PlainBody};
use crate::native::NativeState;

/// A verified module, ready to run; shared by all VMs of the process.
#[derive(Debug)]
pub struct Program {
    module: Module,
    funcs: Vec<FuncInfo>,
    /// The rows that the code calls: reading what a row takes costs time, and a small program calls few.
    libs: Vec<Option<LibInfo>>,
    /// Those of them that `library::plain` knows, each with the slot of its result; by row.
    plain_libs: Vec<Option<(PlainBody, u32)>>,
    layouts: Arc<Layouts>,
    /// For each signature of the module: the number that equal signatures of functions have.
    signature_keys: Vec<u32>,
    /// Compiled `@pattern`s by their text; none where the pattern is no valid expression.
    patterns: HashMap<String, Option<Regex>>,
    /// Dropped last of all: it owns the native code.
    native: NativeState,
    #[cfg(feature = "count")]
    profile: crate::profile::Profile,
}

/// A library row prepared for calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LibInfo {
    /// Class of the result and its slot in that bank, counted from the window start.
    pub(crate) result: Option<(Class, usize)>,
    /// Number of arguments in the reference bank.
    pub(crate) refs: usize,
}

impl LibInfo {
    fn of(lib: LibId) -> LibInfo {
        let signature = lib.signature();
        let result = signature.result;
        let params = signature.params.iter();
        LibInfo {
            result: result.map(|class| (class, signature.result_slot(false))),
            refs: params
                .filter(|class| class.bank() == Bank::Reference)
                .count(),
        }
    }
}

impl Program {
    /// Verifies the module and prepares it.
    pub fn load(module: Module) -> Result<Arc<Program>, VerifyError> {
        verify(&module)?;
        let mut keys: HashMap<Signature, u32> = HashMap::new();
        let mut key_of = |signature: &Signature| {
            let next = keys.len() as u32;
            *keys.entry(signature.clone()).or_insert(next)
        };
        let signature_keys = module.signatures.iter().map(&mut key_of).collect();
        let func_keys: Vec<u32> = module
            .functions
            .iter()
            .map(|function| key_of(&function.signature))
            .collect();
        let layouts = Arc::new(Layouts::new(&module));
        let patterns = module
            .entities
            .iter()
            .flat_map(|entity| &entity.fields)
            .flat_map(|field| &field.rules)
            .filter_map(|rule| match rule {
                flin_bytecode::Rule::Pattern(pattern) => {
                    // The whole value must match, as with the attribute of the same name in HTML.
                    Some((
                        pattern.clone(),
                        Regex::new(&format!("^(?:{pattern})$")).ok(),
                    ))
                }
                _ => None,
            })
            .collect();
        let libs = prepare_library(&module);
        let mut program = Program {
            #[cfg(feature = "count")]
            profile: crate::profile::Profile::new(&module),
            module,
            funcs: Vec::new(),
            plain_libs: plain_library(&libs),
            libs,
            layouts,
            signature_keys,
            patterns,
            native: NativeState::default(),
        };
        program.funcs = program
            .module
            .functions
            .iter()
            .zip(func_keys)
            .map(|(function, key)| FuncInfo::new(function, key))
            .collect();
        Ok(Arc::new(program))
    }

    /// What was executed so far.
    #[cfg(feature = "count")]
    pub fn profile(&self) -> &crate::profile::Profile {
        &self.profile
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    pub(crate) fn funcs(&self) -> &[FuncInfo] {
        &self.funcs
    }

    pub(crate) fn native_state(&self) -> &NativeState {
        &self.native
    }

    pub(crate) fn layouts(&self) -> &Arc<Layouts> {
        &self.layouts
    }

    pub(crate) fn signature_key(&self, signature: usize) -> u32 {
        self.signature_keys[signature]
    }

    pub(crate) fn lib(&self, lib: LibId) -> LibInfo {
        self.libs[lib.index()].unwrap_or_else(|| LibInfo::of(lib))
    }

    /// What a library row does, and where its result goes, if it only computes with scalar arguments.
    #[inline(always)]
    pub(crate) fn plain_lib(&self, lib: usize) -> Option<(PlainBody, u32)> {
        self.plain_libs[lib]
    }

    /// A compiled `@pattern`.
    pub(crate) fn pattern(&self, text: &str) -> Option<&Regex> {
        self.patterns.get(text).and_then(Option::as_ref)
    }
}

fn plain_library(libs: &[Option<LibInfo>]) -> Vec<Option<(PlainBody, u32)>> {
    let rows = libs.iter().enumerate().map(|(number, info)| {
        let native = Native::from_lib(LibId(number as u16))?;
        let (_, slot) = info.as_ref()?.result?;
        Some((library::plain(native)?, slot as u32))
    });
    rows.collect()
}

fn prepare_library(module: &Module) -> Vec<Option<LibInfo>> {
    let mut infos = vec![None; flin_bytecode::library::LIBRARY.len()];
    for word in module.functions.iter().flat_map(|function| &function.code) {
        if let Ok(instr) = Instr::decode(*word)
            && instr.op == Op::CallLib
        {
            let lib = LibId(instr.imm as u16);
            infos[lib.index()].get_or_insert_with(|| LibInfo::of(lib));
        }
    }
    infos
}
