//! What native code of one program refers to outside of itself, and how functions are passed their values. Here so that
//! the lowering asks one place for addresses. Must stay true: every address stays valid until the program is dropped,
//! and the code is dropped with it.

use flin_bytecode::{Class, ConstId, FuncId, Module, SigId, Signature};
use flin_vm::Program;
use flin_vm::native::Native;

/// What a program's code refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside<'p> {
    pub(crate) module: &'p Module,
    native: Native<'p>,
    /// The none word.
    pub(crate) none: i64,
}

impl<'p> Outside<'p> {
    /// The addresses of a program.
    pub(crate) fn new(program: &'p Program) -> Outside<'p> {
        let native = program.native();
        Outside {
            module: program.module(),
            native,
            none: native.none() as i64,
        }
    }

    /// Address of the table of prepared functions.
    pub(crate) fn func_table(&self) -> i64 {
        self.func_entry(FuncId(0))
    }

    /// Address of a prepared function.
    pub(crate) fn func_entry(&self, func: FuncId) -> i64 {
        self.native.func_info(func) as i64
    }

    /// Address of a text constant.
    pub(crate) fn text(&self, constant: i32) -> i64 {
        self.native.text(ConstId(constant as u32)) as i64
    }

    /// Address of the first of the texts of one character.
    pub(crate) fn characters(&self) -> i64 {
        self.native.characters() as i64
    }

    /// The key that functions of this signature have.
    pub(crate) fn signature_key(&self, signature: i32) -> i64 {
        i64::from(self.native.signature_key(SigId(signature as u32)))
    }
}

/// How a function is entered: what a trampoline must know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Passing {
    pub(crate) is_closure: bool,
    pub(crate) params: Vec<Class>,
    pub(crate) result: Option<Class>,
}

impl Passing {
    /// How a function of this signature is entered.
    pub(crate) fn of(signature: &Signature, is_closure: bool) -> Passing {
        Passing {
            is_closure,
            params: signature.params.clone(),
            result: signature.result,
        }
    }

    /// Where the result is left, counted from the window.
    pub(crate) fn result_slot(&self) -> usize {
        let signature = Signature {
            params: self.params.clone(),
            result: self.result,
        };
        signature.result_slot(self.is_closure)
    }
}
