//! Running a module through all its doors: constants, main, pages with their handlers, routes, tests. Must stay true: a run
//! depends on the module alone; it ends, because fuel and memory are small.

use std::sync::Arc;

use flin_bytecode::{Class, EntityTypeId, FuncId, Module, PageVariable};
use flin_corpus::{MemoryHost, Policy};
use flin_vm::{HostValue, Limits, Program, Trap, Vm};

const FUEL_PER_CALL: u64 = 3 * 1024;
const MEMORY_BYTES: usize = 4 << 20;

/// What happened, call by call, and all that was printed.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    calls: Vec<String>,
    printed: Vec<String>,
    rendered: Vec<String>,
}

/// What the module does, collecting as always and at every allocation; an error if that is not the same.
pub(crate) fn both_ways(module: &Module) -> Result<Outcome, String> {
    let program = Program::load(module.clone()).map_err(|e| format!("verified, but: {e}"))?;
    let (as_always, allocated_bytes) = run(&program, false);
    let (collecting, _) = run(&program, true);
    // When memory runs short, how soon depends on when garbage is collected.
    let is_short = allocated_bytes > MEMORY_BYTES as u64 / 2;
    if is_short || as_always == collecting {
        return Ok(as_always);
    }
    Err(format!(
        "collecting at every allocation changes what happens:\n{collecting:#?}\nnot\n{as_always:#?}"
    ))
}

/// Whether native code of a policy does the same, as far as the module ends by itself.
pub(crate) fn natively(
    module: &Module,
    outcome: &Outcome,
    policy: Policy,
    salt: u32,
) -> Result<(), String> {
    let program = flin_corpus::load(module.clone(), policy, salt)
        .map_err(|e| format!("verified, but: {e}"))?;
    let (native, allocated_bytes) = run(&program, policy.collects_always());
    // Where a run is stopped depends on how often the host is asked; when memory is short, on when garbage is collected.
    let is_short = allocated_bytes > MEMORY_BYTES as u64 / 2;
    if is_short || native == *outcome || native.was_stopped() || outcome.was_stopped() {
        return Ok(());
    }
    Err(format!(
        "{policy:?} with salt {salt} changes what happens:\n{native:#?}\nnot\n{outcome:#?}"
    ))
}

impl Outcome {
    fn was_stopped(&self) -> bool {
        self.calls
            .iter()
            .any(|call| call.contains("TimeLimitExceeded"))
    }
}

/// What happens, and the bytes allocated altogether.
fn run(program: &Arc<Program>, collect_every_allocation: bool) -> (Outcome, u64) {
    let limits = Limits {
        call_depth: 60,
        memory_bytes: MEMORY_BYTES,
        collect_every_allocation,
    };
    let module = program.module();
    let mut run = Run {
        module,
        host: MemoryHost::new(module),
        vm: Vm::new(program.clone(), limits),
        outcome: Outcome {
            calls: Vec::new(),
            printed: Vec::new(),
            rendered: Vec::new(),
        },
    };
    run.all();
    run.outcome.printed = run.host.printed().to_vec();
    (run.outcome, run.vm.counts().allocated_bytes)
}

struct Run<'m> {
    module: &'m Module,
    host: MemoryHost,
    vm: Vm,
    outcome: Outcome,
}

impl Run<'_> {
    fn all(&mut self) {
        let module = self.module;
        for func in [module.const_init, module.main].into_iter().flatten() {
            self.call(func);
        }
        for page in &module.pages {
            self.variables(&page.variables);
            self.call(page.view);
            let rendered = self.vm.take_rendered();
            self.outcome.rendered.push(format!("{rendered:?}"));
            for handler in &page.handlers {
                self.call(handler.func);
                if let Some(named) = &handler.by_name {
                    self.call(named.func);
                }
            }
        }
        for route in &module.routes {
            for (_, global) in &route.injected {
                let pairs = [("id", "1"), ("title", "x"), ("author", "y")];
                let map = pairs.map(|(k, v)| (k.to_owned(), HostValue::Text(v.to_owned())));
                let set = self.vm.set_global(*global, &HostValue::Map(map.to_vec()));
                self.note(set.map(|()| HostValue::None));
            }
            self.variables(&route.variables);
            self.call(route.func);
        }
        for test in &module.tests {
            self.variables(&test.variables);
            self.call(test.func);
        }
    }

    fn variables(&mut self, variables: &[PageVariable]) {
        for variable in variables {
            self.call(variable.init);
        }
    }

    fn call(&mut self, func: FuncId) {
        let function = &self.module.functions[func.index()];
        let argument = |class: &Class| match class {
            Class::I64 => HostValue::Int(7),
            Class::F64 => HostValue::Float(1.5),
            Class::Bool => HostValue::Bool(true),
            Class::Ref if !self.module.entities.is_empty() => HostValue::Link(EntityTypeId(0), 1),
            Class::Ref => HostValue::Text("seven".to_owned()),
            Class::Any => HostValue::List(vec![HostValue::Float(1e300), HostValue::None]),
        };
        let args: Vec<HostValue> = function.signature.params.iter().map(argument).collect();
        self.host.set_fuel(FUEL_PER_CALL);
        let result = self.vm.call(&mut self.host, func, &args);
        self.note(result);
    }

    fn note(&mut self, result: Result<HostValue, Trap>) {
        self.outcome.calls.push(match result {
            Ok(value) => format!("{value:?}"),
            Err(trap) => format!("{}: {}", trap.kind, trap.message),
        });
    }
}
