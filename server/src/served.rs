//! Which program a server answers with. Here because a developer changes it while connections stay open. Must stay true:
//! a request belongs to the program that stood here when it came; while the program is changed, requests wait instead of
//! failing; who lives longer than a request is told when its program has gone.

use std::sync::Arc;

use flin_runtime::Runtime;
use flin_runtime::vm::bytecode::module::Module;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use crate::app::App;
use crate::paths::Paths;

/// The place where the program of a server stands.
pub(crate) struct Served {
    app: Arc<RwLock<Arc<App>>>,
}

impl Served {
    pub(crate) fn new(app: App) -> Served {
        Served {
            app: Arc::new(RwLock::new(Arc::new(app))),
        }
    }

    /// The program that answers a request that comes now.
    pub(crate) async fn app(&self) -> Arc<App> {
        Arc::clone(&*self.app.read().await)
    }

    pub(crate) fn exchange(&self) -> Exchange {
        Exchange {
            app: Arc::clone(&self.app),
        }
    }
}

/// Whether a server can be made of a program: to be asked before the one that answers is given up.
///
/// # Errors
/// Two paths of the program are in each other's way, as a sentence.
pub fn check_program(module: &Module) -> Result<(), String> {
    Paths::new(module).map(drop)
}

/// Puts another program in the place of the one that a server answers with.
#[derive(Clone)]
pub struct Exchange {
    app: Arc<RwLock<Arc<App>>>,
}

impl Exchange {
    /// Holds back requests that come from now on, until what it gives is used or dropped. Those that came before go on:
    /// they have ended when the workers of their runtime have been stopped.
    pub async fn hold(&self) -> Held {
        Held {
            app: Arc::clone(&self.app).write_owned().await,
        }
    }
}

/// A server that holds back its requests.
pub struct Held {
    app: OwnedRwLockWriteGuard<Arc<App>>,
}

impl Held {
    /// From now on this runtime answers; its workers must have been started. Sockets of the program before are closed;
    /// their pages come back at once and find this one.
    ///
    /// # Errors
    /// Two paths of the program are in each other's way, as a sentence; then nothing is changed.
    pub fn serve(mut self, runtime: Runtime, build: impl Into<String>) -> Result<(), String> {
        let mut options = self.app.options.clone();
        options.build = build.into();
        let fresh = Arc::new(App::new(runtime, options)?);
        if let Some(dev) = &fresh.options.dev {
            let app = Arc::downgrade(&fresh);
            dev.scripts(move |page| {
                let app = app.upgrade()?;
                let visit = app.paths.visit_named(page)?;
                app.files.module(visit.page).map(str::to_owned)
            });
        }
        let before = std::mem::replace(&mut *self.app, fresh);
        before.retire();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flin_runtime::vm::bytecode::module::Page;

    use super::*;

    // A program whose paths clash was found out after the one that answered had been given up and its data closed.
    #[test]
    fn whether_a_program_can_be_served_is_known_beforehand() {
        let module = |paths: &[&str]| Module {
            pages: paths
                .iter()
                .map(|path| Page {
                    path: (*path).to_owned(),
                    ..Page::default()
                })
                .collect(),
            ..Module::default()
        };
        assert_eq!(check_program(&module(&["/", "/a/:id"])), Ok(()));
        let clash = check_program(&module(&["/a/:id", "/a/:name"]));
        assert!(clash.is_err_and(|reason| reason.contains("/a/:name")));
    }
}
