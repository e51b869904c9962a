//! A stand-in for compiled code: it follows the calling convention of native code to the letter, but knows almost no
//! operation and has everything done by the runtime calls. Here because so each of the VM's tests is one of the door
//! between the machine and native code, without a compiler.
//! Must stay true: like compiled code it sees only the context, the frame, the call words and the published addresses.

use std::cell::Cell;
use std::sync::Arc;

use flin_bytecode::{Bank, Class, FuncId, Function, Instr, Module, Op, OperandKind, Place};
use flin_vm::Program;
use flin_vm::native::{
    FrameCall, HotCompiler, JitOptions, JitPolicy, NativeContext, RtCall, Trampoline, layout,
};

/// "Compiles" every function by publishing the stand-in.
pub struct Double;

thread_local! {
    /// The program whose stand-in runs on this thread. Compiled code has such addresses in itself.
    static PROGRAM: Cell<*const Program> = const { Cell::new(std::ptr::null()) };
    /// Leave for the interpreter at every so many instructions; 0 is never.
    static EXIT_EVERY: Cell<u32> = const { Cell::new(0) };
    static INSTRUCTIONS: Cell<u32> = const { Cell::new(0) };
}

impl HotCompiler for Double {
    fn hot(&self, program: &Arc<Program>, func: FuncId, header: Option<u32>) {
        let function = &program.module().functions[func.index()];
        if function.scalar_regs.len().max(function.ref_regs.len()) > layout::SLOTS_MAX {
            return;
        }
        // SAFETY: both functions follow the convention and live for ever. Nothing ever jumps to the "code": the
        // trampoline takes the number out of it.
        unsafe {
            match header {
                Some(header) => program.native().publish_osr(func, header, enter_loop),
                None => {
                    let code = (func.index() + 1) as *const u8;
                    let trampoline = enter_function as Trampoline as *const u8;
                    program.native().publish(func, code, trampoline);
                }
            }
        }
    }
}

/// A program of its own with the same module, whose functions run in the stand-in.
pub fn load(module: &Module, options: JitOptions) -> Arc<Program> {
    let program = Program::load(module.clone()).expect("it was loaded before");
    assert!(program.set_compiler(Box::new(Double), options));
    program
}

/// The same, from the first call on.
pub fn eager(module: &Module) -> Arc<Program> {
    load(module, JitOptions::of(JitPolicy::Eager))
}

/// Runs `work`, in which functions of `program` run in the stand-in.
pub fn with<T>(program: &Arc<Program>, exit_every: u32, work: impl FnOnce() -> T) -> T {
    PROGRAM.set(Arc::as_ptr(program));
    EXIT_EVERY.set(exit_every);
    INSTRUCTIONS.set(0);
    let result = work();
    PROGRAM.set(std::ptr::null());
    result
}

unsafe extern "C" fn enter_function(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    target: *const u8,
) -> u32 {
    let func = target as usize - 1;
    // SAFETY: `with` set the program that is running.
    let program = unsafe { &*PROGRAM.get() };
    let frame = Frame::new(program, context, (s, r), rp, func);
    frame.prologue();
    frame.run(0, false)
}

unsafe extern "C" fn enter_loop(
    context: *mut NativeContext,
    s: *mut u64,
    r: *mut u64,
    rp: *mut u64,
    _: *const u8,
) -> u32 {
    // SAFETY: `with` set the program that is running; the machine has said which loop this is.
    let (program, word) = unsafe { (&*PROGRAM.get(), *rp) };
    let frame = Frame::new(program, context, (s, r), rp, (word >> 32) as usize);
    frame.run(word as u32 as usize, true)
}

struct Frame<'p> {
    program: &'p Program,
    function: &'p Function,
    func: usize,
    context: *mut NativeContext,
    /// The window and the bases in each bank.
    window: [*mut u64; 2],
    bases: [*mut u64; 2],
    rp: *mut u64,
}

impl<'p> Frame<'p> {
    fn new(
        program: &'p Program,
        context: *mut NativeContext,
        (s, r): (*mut u64, *mut u64),
        rp: *mut u64,
        func: usize,
    ) -> Frame<'p> {
        let function = &program.module().functions[func];
        let far = |registers: &[Class]| registers.len().saturating_sub(256);
        Frame {
            program,
            function,
            func,
            context,
            window: [s, r],
            bases: [
                s.wrapping_add(far(&function.scalar_regs)),
                r.wrapping_add(far(&function.ref_regs)),
            ],
            rp,
        }
    }

    // Arguments to their registers, none into all other reference registers.
    fn prologue(&self) {
        let params = &self.function.signature.params;
        let scalars = params.iter().filter(|c| c.bank() == Bank::Scalar).count();
        let refs = params.len() - scalars + usize::from(self.function.is_closure);
        // SAFETY: the frame has room for all of its registers.
        unsafe {
            std::ptr::copy(self.window[0], self.bases[0], scalars);
            std::ptr::copy(self.window[1], self.bases[1], refs);
            for slot in 0..self.function.ref_regs.len() {
                let at = self.window[1].add(slot);
                if at < self.bases[1] || at >= self.bases[1].add(refs) {
                    *at = self.program.native().none() as u64;
                }
            }
        }
    }

    fn scalar(&self, register: u8) -> i64 {
        // SAFETY: verified code names registers of the frame.
        unsafe { *self.bases[0].add(register as usize) as i64 }
    }

    fn float(&self, register: u8) -> f64 {
        f64::from_bits(self.scalar(register) as u64)
    }

    fn rt(&self, call: RtCall, pc: usize) -> u32 {
        // SAFETY: the first four rows are calls of this kind; the arguments describe this frame.
        unsafe {
            let call = std::mem::transmute::<usize, FrameCall>(call.address());
            *self.rp = self.word(pc);
            call(
                self.context,
                self.window[0],
                self.window[1],
                self.rp,
                pc as u64,
            )
        }
    }

    fn word(&self, pc: usize) -> u64 {
        (self.func as u64) << 32 | pc as u64
    }

    fn exits_here(&self) -> bool {
        let every = EXIT_EVERY.get();
        INSTRUCTIONS.set(INSTRUCTIONS.get() + 1);
        every != 0 && INSTRUCTIONS.get().is_multiple_of(every)
    }

    // An error is pending: the interpreter goes on if this frame catches it.
    fn failed(&self, pc: usize) -> u32 {
        let covers =
            |catch: &&flin_bytecode::Catch| (catch.start..catch.end).contains(&(pc as u32));
        match self.function.catches.iter().find(covers) {
            Some(_) => self.rt(RtCall::Exit, pc),
            None => 1,
        }
    }

    // Burns fuel; none to go on, or what the frame ends with.
    fn burn(&self, pc: usize, target: usize) -> Option<u32> {
        // SAFETY: the context that this code was entered with.
        let fuel = unsafe {
            (*self.context).fuel -= 1;
            (*self.context).fuel
        };
        if fuel != 0 {
            return None;
        }
        match self.rt(RtCall::Slice, pc) {
            0 => None,
            1 => Some(self.failed(pc)),
            _ => Some(self.rt(RtCall::Exit, target)),
        }
    }

    fn run(&self, start: usize, entered_in_loop: bool) -> u32 {
        let mut pc = start;
        loop {
            if self.exits_here() {
                return self.rt(RtCall::Exit, pc);
            }
            let instr = Instr::decode(self.function.code[pc]).expect("verified");
            let mut next = pc + 1;
            match instr.op {
                Op::Call | Op::CallClosure => {
                    // SAFETY: the context that this code was entered with.
                    if self.rp.wrapping_add(1) >= unsafe { (*self.context).depth_limit } {
                        return self.rt(RtCall::Exit, pc);
                    }
                    if let Some(status) = self.burn(pc, pc) {
                        return status;
                    }
                    if self.call(instr, pc) != 0 {
                        return self.failed(pc);
                    }
                }
                Op::RetI64 | Op::RetF64 | Op::RetBool | Op::RetRef | Op::RetAny | Op::Ret => {
                    if entered_in_loop {
                        // SAFETY: the call word of this frame.
                        unsafe { *self.rp = self.word(pc) }
                    }
                    self.put_result(instr);
                    return 0;
                }
                op if op.operand(Place::Imm) == Some(OperandKind::Jump) => {
                    let Some(taken) = self.jumps(instr) else {
                        return self.rt(RtCall::Exit, pc);
                    };
                    if taken {
                        next = instr.imm as usize;
                        if next <= pc
                            && let Some(status) = self.burn(pc, next)
                        {
                            return status;
                        }
                    }
                }
                _ => {
                    if self.rt(RtCall::Step, pc) != 0 {
                        return self.failed(pc);
                    }
                }
            }
            pc = next;
        }
    }

    // Whether a jump is taken; none if this does not know the operation.
    fn jumps(&self, i: Instr) -> Option<bool> {
        Some(match i.op {
            Op::Jump => true,
            Op::JumpIf => self.scalar(i.a) != 0,
            Op::JumpUnless => self.scalar(i.a) == 0,
            Op::JumpEqI64 => self.scalar(i.a) == self.scalar(i.b),
            Op::JumpNeI64 => self.scalar(i.a) != self.scalar(i.b),
            Op::JumpLtI64 => self.scalar(i.a) < self.scalar(i.b),
            Op::JumpLeI64 => self.scalar(i.a) <= self.scalar(i.b),
            Op::JumpLtF64 => self.float(i.a) < self.float(i.b),
            Op::ForNext => {
                let value = self.scalar(i.a).wrapping_add(1);
                // SAFETY: verified code names registers of the frame.
                unsafe { *self.bases[0].add(i.a as usize) = value as u64 }
                value < self.scalar(i.b)
            }
            _ => return None,
        })
    }

    fn call(&self, i: Instr, pc: usize) -> u32 {
        let window = [
            self.bases[0].wrapping_add(i.a as usize),
            self.bases[1].wrapping_add(i.b as usize),
        ];
        let native = self.program.native();
        let func = if i.op == Op::Call {
            Some(FuncId(i.imm as u32))
        } else {
            self.called_closure(i)
        };
        let Some(func) = func else {
            return self.rt(RtCall::Call, pc);
        };
        let info = native.func_info(func) as *const u8;
        // SAFETY: the address and offsets of a prepared function; what is published there is a trampoline.
        unsafe {
            let code = *info.add(layout::FUNC_NATIVE as usize).cast::<*const u8>();
            if code.is_null() {
                return self.rt(RtCall::Call, pc);
            }
            let trampoline = *info
                .add(layout::FUNC_TRAMPOLINE as usize)
                .cast::<Trampoline>();
            *self.rp = self.word(pc);
            trampoline(self.context, window[0], window[1], self.rp.add(1), code)
        }
    }

    // The function of a closure whose signature is the wanted one.
    fn called_closure(&self, i: Instr) -> Option<FuncId> {
        // SAFETY: a register of class ref holds the address of an object.
        let header = unsafe { **self.bases[1].add(i.b as usize).cast::<*const u64>() };
        let kind = layout::header_bits(layout::NativeKind::Closure, 0, 0) & layout::KIND_MASK;
        let func = FuncId((header >> 32) as u32);
        let native = self.program.native();
        let fits = header & layout::KIND_MASK == kind
            && native.func_signature_key(func)
                == native.signature_key(flin_bytecode::SigId(i.imm as u32));
        fits.then_some(func)
    }

    fn put_result(&self, i: Instr) {
        let Some(class) = self.function.signature.result else {
            return;
        };
        let bank = class.bank() as usize;
        let slot = self
            .function
            .signature
            .result_slot(self.function.is_closure);
        // SAFETY: register and result slot lie in the frame.
        unsafe { *self.window[bank].add(slot) = *self.bases[bank].add(i.a as usize) }
    }
}
