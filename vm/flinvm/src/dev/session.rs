//! From a save to the program that answers. Must stay true: where the shape of the data stays the same its store stays
//! open and nothing waits; where it changes, requests wait while the store is opened with the new one, and if that is
//! refused, the program before answers again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flin_runtime::{Entry, Runtime, RuntimeOptions, SystemWorld, schema_of};
use flin_server::Exchange;

use super::frame::frame;
use super::sources::{Refused, Sources};
use super::watcher::Watcher;
use crate::arguments::Dev;
use crate::fault::{Fault, failure_text};
use crate::opening::How;
use crate::{load, opening};

/// So many looks in a row may find no file before that is said: who saves takes it away for a moment.
const MISSING_LOOKS_MAX: u32 = 3;
/// A file that has just become empty is looked at again after this time: it is most likely being written.
const EMPTY_TIME: Duration = Duration::from_millis(40);

/// What answers now.
pub(crate) struct Current {
    pub(crate) runtime: Runtime,
    build: String,
    // Whether its store is the one on the disk; until a program compiles it is an empty one in memory.
    on_disk: bool,
}

impl Current {
    /// A program with nothing in it, over nothing.
    pub(crate) fn nothing() -> Result<Current, Fault> {
        let loaded = super::empty()?;
        let how = How::Script { migrate: false };
        let runtime = opening::open(
            &loaded.program,
            None,
            how,
            opening::in_world(Arc::new(SystemWorld)),
        )?;
        runtime.start_workers();
        Ok(Current {
            runtime,
            build: loaded.build(),
            on_disk: false,
        })
    }

    /// What answers, for whoever looks.
    pub(crate) fn of(current: &Mutex<Current>) -> MutexGuard<'_, Current> {
        current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finishes what runs and closes the store.
    pub(crate) fn close(&self) -> Result<(), Fault> {
        self.runtime.stop_workers();
        let poisoned = self.runtime.store().poisoned();
        let closed = self.runtime.store().close();
        match poisoned {
            Some(reason) => Err(Fault::Disk(format!(
                "the disk failed: {reason}. Start again to recover"
            ))),
            None => closed.map_err(|failure| Fault::Disk(failure.to_string())),
        }
    }
}

/// A source that is followed.
pub(crate) struct Session {
    pub(crate) wanted: Dev,
    pub(crate) color: bool,
    pub(crate) pages: Arc<flin_server::Dev>,
    pub(crate) exchange: Exchange,
    pub(crate) threads: tokio::runtime::Handle,
    pub(crate) data: PathBuf,
    pub(crate) runtime_options: RuntimeOptions,
    pub(crate) current: Arc<Mutex<Current>>,
    pub(crate) running: Arc<Mutex<Sources>>,
    // What the disk held when it was read last.
    pub(crate) read: Sources,
    pub(crate) missing: u32,
    // Why it could not be read, if that was said.
    pub(crate) said: Option<String>,
}

impl Session {
    /// Takes the first program. One that does not compile is said, and waited for; data that cannot be opened ends it.
    pub(crate) fn begin(&mut self) -> Result<(), Fault> {
        match self.compile() {
            Ok(loaded) => match self.take(loaded) {
                Err(fault @ Fault::Failed(_)) => self.tell(self.words_of(&fault)),
                taken => return taken,
            },
            Err(refused) => self.tell(refused),
        }
        Ok(())
    }

    /// Takes over every save, for ever.
    pub(crate) fn follow(&mut self, watcher: &Watcher) {
        loop {
            watcher.wait();
            let seen = Instant::now();
            let Some(sources) = self.look() else { continue };
            self.read = sources;
            match self.compile() {
                Ok(loaded) => {
                    let compiled = seen.elapsed();
                    match self.take(loaded) {
                        Ok(()) => tracing::info!(
                            "saved: compiled in {:.1} ms, served after {:.1} ms",
                            compiled.as_secs_f64() * 1000.0,
                            seen.elapsed().as_secs_f64() * 1000.0
                        ),
                        Err(fault) => self.tell(self.words_of(&fault)),
                    }
                }
                Err(refused) => self.tell(refused),
            }
        }
    }

    // What the disk holds, if that is another text than before.
    fn look(&mut self) -> Option<Sources> {
        let mut read = Sources::read(&self.wanted.program);
        if read.as_ref().is_ok_and(|now| now.lost_text(&self.read)) {
            std::thread::sleep(EMPTY_TIME);
            read = Sources::read(&self.wanted.program);
        }
        match read {
            Ok(sources) => {
                let was_gone = self.missing > MISSING_LOOKS_MAX || self.said.take().is_some();
                self.missing = 0;
                (was_gone || sources != self.read).then_some(sources)
            }
            Err(fault @ Fault::Unreadable { .. }) => {
                self.missing = self.missing.saturating_add(1);
                if self.missing == MISSING_LOOKS_MAX {
                    self.tell(self.words_of(&fault));
                    self.missing = self.missing.saturating_add(1);
                }
                None
            }
            Err(fault) => {
                let words = self.words_of(&fault);
                if self.said.as_ref() != Some(&words.plain) {
                    self.said = Some(words.plain.clone());
                    self.tell(words);
                }
                None
            }
        }
    }

    fn compile(&self) -> Result<load::Loaded, Refused> {
        // The compiler's own mistakes must not end a session.
        let compiled = catch_unwind(AssertUnwindSafe(|| self.read.compile(self.color)));
        let module = match compiled {
            Ok(compiled) => compiled?,
            Err(_) => {
                let message = "the compiler failed over this program; that is a mistake of the compiler, not yours. \
                               Please report it with the program";
                return Err(self.words_of(&Fault::Server(message.to_owned())));
            }
        };
        // Before anything of the program that answers is given up.
        flin_server::check_program(&module)
            .and_then(|()| load::of_module(module, self.wanted.engine))
            .map_err(|reason| self.words_of(&Fault::Server(reason)))
    }

    // Says what is wrong: in color here, plainly over the pages.
    fn tell(&self, refused: Refused) {
        let Refused { plain, colored } = refused;
        tell!("{}", if self.color { &colored } else { &plain });
        self.pages.problem(&plain);
    }

    // Puts a program in the place of the one that answers.
    fn take(&mut self, loaded: load::Loaded) -> Result<(), Fault> {
        let mut current = Current::of(&self.current);
        let build = loaded.build();
        if current.on_disk && current.build == build {
            // Only white space or comments: nothing to take, but what was wrong is over.
            self.pages.program(&current.build);
            return Ok(());
        }
        let store = current.runtime.store();
        let same_data = current.on_disk
            && schema_of(loaded.program.module()) == schema_of(current.runtime.program().module());
        let (held, runtime) = if same_data {
            let options = self.runtime_options.clone();
            let runtime = Runtime::new(Arc::clone(&loaded.program), store.clone(), options);
            runtime.enter(Entry::Main).map_err(Fault::Failed)?;
            (self.threads.block_on(self.exchange.hold()), runtime)
        } else {
            let held = self.threads.block_on(self.exchange.hold());
            match self.open_anew(&mut current, &loaded) {
                Ok(runtime) => (held, runtime),
                Err(refusal) => {
                    let served = held.serve(current.runtime.clone(), current.build.clone());
                    served.map_err(Fault::Server)?;
                    return Err(refusal);
                }
            }
        };
        runtime.start_workers();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = self.read.clone();
        let served = held.serve(runtime.clone(), build.clone());
        served.map_err(Fault::Server)?;
        let before = std::mem::replace(
            &mut *current,
            Current {
                runtime,
                build,
                on_disk: true,
            },
        );
        self.pages.program(&current.build);
        drop(current);
        // What still runs of it goes on to its end.
        before.runtime.stop_workers();
        Ok(())
    }

    // Closes the data and opens it with the shape that another program gives it.
    fn open_anew(&self, current: &mut Current, loaded: &load::Loaded) -> Result<Runtime, Fault> {
        let how = How::Serving {
            migrate: self.wanted.migrate,
        };
        let open =
            |program| opening::open(program, Some(&self.data), how, self.runtime_options.clone());
        if current.on_disk {
            current.close()?;
        }
        let opened = open(&loaded.program).and_then(|runtime| match runtime.enter(Entry::Main) {
            Ok(_) => Ok(runtime),
            Err(failure) => {
                let closed = runtime.store().close();
                closed.map_err(|failure| Fault::Disk(failure.to_string()))?;
                Err(Fault::Failed(failure))
            }
        });
        if let (Err(_), true) = (&opened, current.on_disk) {
            // Back to the program before, which fits the data as it was.
            let before = open(current.runtime.program())?;
            before.start_workers();
            current.runtime = before;
        }
        opened
    }

    fn words_of(&self, fault: &Fault) -> Refused {
        let words = |color| match fault {
            Fault::Failed(failure) => failure_text(failure, color, &|trap| frame(&self.read, trap)),
            _ => fault.text(color),
        };
        Refused {
            plain: words(false),
            colored: words(true),
        }
    }
}
